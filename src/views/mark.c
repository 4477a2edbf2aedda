/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/mark.h"

#include "base/text.h"

void mark_escaped(FILE *out, const char *text, const ViewContext *view)
{
    g_autofree char *escaped = text_escape(text, -1, view->utf8);

    fputs(escaped, out);
}

void mark_colored(FILE *out, const char *code, const char *text, const ViewContext *view)
{
    if (view->color)
        fprintf(out, "\033[%sm", code);
    mark_escaped(out, text, view);
    if (view->color)
        fputs("\033[0m", out);
}

const char *mark_level_code(Level level)
{
    switch (level) {
    case LEVEL_OK:
        return MARK_GREEN;
    case LEVEL_WARNING:
        return MARK_YELLOW;
    case LEVEL_CRITICAL:
        return MARK_RED;
    case LEVEL_UNKNOWN:
        return MARK_MAGENTA;
    }
    return MARK_PLAIN;
}

void mark_finding_details(FILE *out, guint indent, const Finding *finding, const ViewContext *view)
{
    for (guint i = 0; i < finding->evidence->len; i++) {
        fprintf(out, "%*s", (int)indent + 2, "");
        mark_escaped(out, finding->evidence->pdata[i], view);
        fputs("\n", out);
    }
    if (finding->remedy) {
        fprintf(out, "%*stry: ", (int)indent, "");
        mark_escaped(out, finding->remedy, view);
        fputs("\n", out);
    }
}
