/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/watch-words.h"

#include "base/text.h"

#include <string.h>

#define DIM "2"

Words words_new(FILE *out, const WatchStamp *stamp, const ViewContext *context)
{
    return (Words){.out = out, .view = context, .now = stamp->wall_usec / G_USEC_PER_SEC, .news = TRUE};
}

void words_put(const Words *words, const char *text)
{
    fputs(text, words->out);
}

void words_colored(const Words *words, const char *code, const char *text)
{
    if (code && words->view->color && words->news)
        fprintf(words->out, "\033[%sm%s\033[0m", code, text);
    else
        words_put(words, text);
}

void words_name(const Words *words, const char *name)
{
    g_autofree char *cell = text_cell(name ? name : "-", words->view->utf8, TEXT_CELL_COLUMNS);

    words_put(words, cell);
}

void words_text(const Words *words, const char *text)
{
    mark_escaped(words->out, text, words->view);
}

void words_ip(const Words *words, const Ip *ip)
{
    char buffer[IP_TEXT];

    words_put(words, ip_format(ip, buffer));
}

void words_begin(const Words *words)
{
    g_autofree char *time = text_time_local(words->now);
    const char *clock = time ? strrchr(time, ' ') : NULL;

    if (words->view->color)
        fprintf(words->out, "\033[%sm%s\033[0m ", DIM, clock ? clock + 1 : "--:--:--");
    else
        fprintf(words->out, "%s ", clock ? clock + 1 : "--:--:--");
}

void words_end(Words *words)
{
    fputc('\n', words->out);
    words->lines++;
}

#define MOMENT 2

static const struct {
    gint64 seconds;
    const char *name;
} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

void words_span(const Words *words, gint64 seconds)
{
    gint64 beyond = seconds % 60;
    guint first = 0;

    seconds = MAX(seconds, 0);
    if (seconds > 0 && beyond >= 60 - MOMENT)
        seconds += 60 - beyond;
    while (first + 1 < G_N_ELEMENTS(units) && seconds < units[first].seconds)
        first++;
    fprintf(words->out, "%" G_GINT64_FORMAT " %s", seconds / units[first].seconds, units[first].name);
    seconds %= units[first].seconds;
    if (first + 1 < G_N_ELEMENTS(units) && seconds >= units[first + 1].seconds)
        fprintf(words->out, " %" G_GINT64_FORMAT " %s", seconds / units[first + 1].seconds,
                units[first + 1].name);
}
