/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/health.h"

#include "base/text.h"

#include <string.h>

/*
 * "VNAT CRITICAL - text | performance data", then lines of text. A '|' in a text would begin performance
 * data, and a quote or '=' in a label would end it: names are data, and both are written as \xNN.
 */

static void put_escaped(GString *out, const char *text, const char *forbidden, const ViewContext *view)
{
    g_autofree char *escaped = text_escape(text, -1, view->utf8);

    for (const char *c = escaped; *c; c++) {
        if (strchr(forbidden, *c))
            g_string_append_printf(out, "\\x%02x", (guint)(guint8)*c);
        else
            g_string_append_c(out, *c);
    }
}

static void put_text(GString *out, const char *text, const ViewContext *view)
{
    put_escaped(out, text, "|", view);
}

static void put_level(GString *out, Level level)
{
    g_autofree char *name = g_ascii_strup(level_name(level), -1);

    g_string_append(out, name);
}

static void put_summary(GString *out, const Health *health, const ViewContext *view)
{
    guint others =
        health->counts[LEVEL_CRITICAL] + health->counts[LEVEL_WARNING] + health->counts[LEVEL_UNKNOWN] - 1;
    const Finding *worst;

    if (health->level == LEVEL_OK) {
        g_string_append_printf(out, "%u check%s found nothing", health->counts[LEVEL_OK],
                               health->counts[LEVEL_OK] == 1 ? "" : "s");
        return;
    }
    worst = health->findings->pdata[0];
    g_string_append_printf(out, "%s: ", worst->id);
    put_text(out, worst->message, view);
    if (others > 0)
        g_string_append_printf(out, " (and %u more)", others);
}

static void put_value(GString *out, const HealthValue *value, const ViewContext *view)
{
    g_autofree char *warning = range_text(&value->warning);
    g_autofree char *critical = range_text(&value->critical);

    g_string_append_printf(out, " '%s", value->id);
    if (value->label) {
        g_string_append_c(out, ' ');
        put_escaped(out, value->label, "|='", view);
    }
    if (value->percent < 0)
        g_string_append(out, "'=U");
    else
        g_string_append_printf(out, "'=%d%%", value->percent);
    g_string_append_printf(out, ";%s;%s;0;100", warning, critical);
}

static void put_performance(GString *out, const Health *health, const ViewContext *view)
{
    static const Level levels[] = {LEVEL_CRITICAL, LEVEL_WARNING, LEVEL_UNKNOWN};
    char seconds[G_ASCII_DTOSTR_BUF_SIZE];

    for (guint i = 0; i < health->values->len; i++)
        put_value(out, health->values->pdata[i], view);
    for (guint i = 0; i < G_N_ELEMENTS(levels); i++)
        g_string_append_printf(out, " %s=%u;;;0", level_name(levels[i]), health->counts[levels[i]]);
    g_ascii_formatd(seconds, sizeof(seconds), "%.3f", health->seconds);
    g_string_append_printf(out, " time=%ss;;;0", seconds);
}

static void put_finding(GString *out, const Finding *finding, const ViewContext *view)
{
    put_level(out, finding->level);
    g_string_append_printf(out, " %s: ", finding->id);
    put_text(out, finding->message, view);
    g_string_append_c(out, '\n');
    for (guint i = 0; i < finding->evidence->len; i++) {
        g_string_append(out, "  ");
        put_text(out, finding->evidence->pdata[i], view);
        g_string_append_c(out, '\n');
    }
    if (finding->remedy) {
        g_string_append(out, "  try: ");
        put_text(out, finding->remedy, view);
        g_string_append_c(out, '\n');
    }
}

void health_nagios(FILE *out, const Health *health, const ViewContext *view)
{
    g_autoptr(GString) text = g_string_new("VNAT ");

    put_level(text, health->level);
    g_string_append(text, " - ");
    put_summary(text, health, view);
    g_string_append(text, " |");
    put_performance(text, health, view);
    g_string_append_c(text, '\n');
    for (guint i = 0; i < health->findings->len; i++)
        put_finding(text, health->findings->pdata[i], view);
    fputs(text->str, out);
}
