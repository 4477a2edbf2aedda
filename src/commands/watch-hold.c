/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/watch-hold.h"

#include <string.h>

/* Where a port was, as its row said. */
typedef struct {
    char *bridge, *network, *network_bridge, *source;
} Place;

typedef struct {
    char *key;       /* the row's */
    char *tap;       /* what a check would call it; NULL */
    Ip answer;       /* family 0: not about an address */
    gboolean is_new; /* that the row is there */
    Place from;      /* bridge NULL: it is not on its way */
    GString *lines;
    gint64 due;
} Held;

struct WatchHold {
    GPtrArray *held; /* Held, by due */
};

static Place place_of(const MapRow *row)
{
    return (Place){.bridge = g_strdup(row->bridge),
                   .network = g_strdup(row->network),
                   .network_bridge = g_strdup(row->network_bridge),
                   .source = g_strdup(row->source)};
}

static void place_clear(Place *place)
{
    g_free(place->bridge);
    g_free(place->network);
    g_free(place->network_bridge);
    g_free(place->source);
}

static void held_free(gpointer data)
{
    Held *held = data;

    place_clear(&held->from);

    g_free(held->key);
    g_free(held->tap);
    g_string_free(held->lines, TRUE);
    g_free(held);
}

WatchHold *watch_hold_new(void)
{
    WatchHold *hold = g_new0(WatchHold, 1);

    hold->held = g_ptr_array_new_with_free_func(held_free);
    return hold;
}

void watch_hold_free(WatchHold *hold)
{
    if (!hold)
        return;
    g_ptr_array_unref(hold->held);
    g_free(hold);
}

/* The same interface, or the same port. */
static char *row_key(const MapRow *row)
{
    char mac[MAC_TEXT];

    if (!row->has_domain)
        return g_strdup_printf("port %u %s", row->ifindex, row->ifindex || !row->tap ? "" : row->tap);
    return g_strdup_printf("%s %s %s", row->domain_uuid, row->has_mac ? mac_format(&row->mac, mac) : "-",
                           row->alias ? row->alias : "");
}

static Held *hold_find(const WatchHold *hold, const char *key)
{
    for (guint i = 0; i < hold->held->len; i++) {
        Held *held = hold->held->pdata[i];

        if (g_str_equal(held->key, key))
            return held;
    }
    return NULL;
}

static gboolean row_has(const MapRow *row, const Ip *ip)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        if (ip_equal(&((const Address *)row->addresses->pdata[i])->ip, ip))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_one_line(const char *lines)
{
    return strchr(lines, '\n') == lines + strlen(lines) - 1;
}

/* The neighbour that is all there is to tell, if there is one: then it is what a lease may follow. */
static gboolean is_answer(const Change *change, const char *lines, Ip *ip)
{
    if (change->type != CHANGE_INTERFACE_CHANGED || !is_one_line(lines))
        return FALSE;
    for (guint i = 0; i < change->row->addresses->len; i++) {
        const Address *address = change->row->addresses->pdata[i];

        if (address->source == ADDRESS_NEIGHBOUR && !ip_is_link_local(&address->ip) &&
            !row_has(change->before, &address->ip)) {
            *ip = address->ip;
            return TRUE;
        }
    }
    return FALSE;
}

/* A guest with its tap (if it has one), and past the pause that every start begins with. */
static gboolean is_whole(const MapRow *row)
{
    return row->has_domain && (row->ifindex || !row->tap) && row->domain_state != DOMAIN_PAUSED;
}

/* On its network's bridge, as far as that is known. */
static gboolean is_at_home(const MapRow *row)
{
    return !row->network_bridge || g_strcmp0(row->bridge, row->network_bridge) == 0;
}

/* Plugged from one bridge into another: the kernel tells before libvirt's XML does, and often in two steps.
 */
static gboolean is_leaving(const Change *change)
{
    return change->before->bridge && change->row->ifindex &&
           g_strcmp0(change->before->bridge, change->row->bridge) != 0 && !is_at_home(change->row);
}

/* Whether it may be half of something. */
static gboolean is_half(const Change *change, const char *lines, Ip *answer)
{
    if (!*lines)
        return FALSE;
    if (change->type == CHANGE_INTERFACE_ADDED)
        return !is_whole(change->row);
    if (change->type != CHANGE_INTERFACE_CHANGED || !change->row->has_domain)
        return FALSE;
    return (change->before->ifindex && !change->row->ifindex) ||
           (change->before->carrier == 1 && change->row->carrier == 0) || is_leaving(change) ||
           is_answer(change, lines, answer);
}

static void hold_add(WatchHold *hold, const Change *change, const Ip *answer, const char *lines,
                     gint64 monotonic)
{
    Held *held = g_new0(Held, 1);

    held->key = row_key(change->row);
    held->tap = g_strdup(change->row->tap);
    held->is_new = change->type == CHANGE_INTERFACE_ADDED;
    held->answer = *answer;
    if (!held->is_new && is_leaving(change))
        held->from = place_of(change->before);
    held->lines = g_string_new(lines);
    held->due = monotonic + WATCH_HOLD_USEC;
    g_ptr_array_add(hold->held, held);
}

/* What waited is told after all, before this; takes the lines. */
static char *hold_tell(WatchHold *hold, Held *held, char *lines)
{
    char *both = g_strconcat(held->lines->str, lines, NULL);

    g_free(lines);
    g_ptr_array_remove(hold->held, held);
    return both;
}

static char *hold_forget(WatchHold *hold, Held *held, char *lines)
{
    g_ptr_array_remove(hold->held, held);
    return lines;
}

/* The row is gone: of a port, or a guest, that nobody has heard of there is nothing to tell. */
static char *hold_end(WatchHold *hold, Held *held, const Change *change, char *lines)
{
    gboolean is_news = change->row->has_domain && !held->is_new;

    hold_forget(hold, held, NULL);
    if (is_news)
        return lines;
    g_free(lines);
    return NULL;
}

/* Whether it has come to another bridge, and where it came from is all that waits. */
static gboolean has_moved(const Held *held, const MapRow *row)
{
    return held->from.bridge && row->bridge && strcmp(row->bridge, held->from.bridge) != 0 &&
           is_one_line(held->lines->str);
}

gboolean watch_hold_has_moved(const WatchHold *hold, const Change *change, MapRow *before)
{
    g_autofree char *key = change->type == CHANGE_INTERFACE_CHANGED ? row_key(change->row) : NULL;
    const Held *held = key ? hold_find(hold, key) : NULL;

    if (!held || !has_moved(held, change->row))
        return FALSE;
    *before = *change->before;
    before->bridge = held->from.bridge;
    before->network = held->from.network;
    before->network_bridge = held->from.network_bridge;
    before->source = held->from.source;
    return TRUE;
}

/* The next step of one that is on its way: there, or back, or neither yet. */
static char *hold_move(WatchHold *hold, Held *held, const Change *change, char *lines)
{
    if (has_moved(held, change->row))
        g_string_truncate(held->lines, 0);
    if (change->row->bridge && is_at_home(change->row))
        return hold_tell(hold, held, lines);
    g_string_append(held->lines, lines);
    g_free(lines);
    return NULL;
}

/* Something else happened to a row of which something waits. */
static char *hold_join(WatchHold *hold, Held *held, const Change *change, char *lines)
{
    if (change->type == CHANGE_INTERFACE_REMOVED)
        return hold_end(hold, held, change, lines);
    if (held->from.bridge)
        return hold_move(hold, held, change, lines);
    if (held->answer.family)
        return *lines ? hold_tell(hold, held, lines) : lines;
    if (held->is_new && is_whole(change->row))
        return hold_forget(hold, held, lines);
    g_string_append(held->is_new ? g_string_truncate(held->lines, 0) : held->lines, lines);
    g_free(lines);
    return NULL;
}

gboolean watch_hold_has_new(const WatchHold *hold, const Change *change)
{
    g_autofree char *key = change->type == CHANGE_INTERFACE_CHANGED ? row_key(change->row) : NULL;
    const Held *held = key ? hold_find(hold, key) : NULL;

    return held && held->is_new;
}

static char *hold_pass_row(WatchHold *hold, const Change *change, char *lines, gint64 monotonic)
{
    g_autofree char *key = row_key(change->row);
    Held *held = hold_find(hold, key);
    Ip answer = {0};

    if (held)
        return hold_join(hold, held, change, lines);
    if (!is_half(change, lines, &answer))
        return lines;
    hold_add(hold, change, &answer, lines, monotonic);
    g_free(lines);
    return NULL;
}

/* A lease says what the neighbour would have said. */
static char *hold_pass_lease(WatchHold *hold, const Change *change, char *lines)
{
    g_autofree char *key = change->row ? row_key(change->row) : NULL;
    Held *held = key ? hold_find(hold, key) : NULL;

    if (held && held->answer.family && ip_equal(&held->answer, &change->lease->ip))
        return hold_forget(hold, held, lines);
    return held && held->is_new ? hold_tell(hold, held, lines) : lines;
}

/* What is wrong with a port comes after that it is there. */
static char *hold_pass_check(WatchHold *hold, const Change *change, char *lines)
{
    for (guint i = 0; i < hold->held->len; i++) {
        Held *held = hold->held->pdata[i];

        if (g_strcmp0(held->tap, change->finding->object) == 0)
            return hold_tell(hold, held, lines);
    }
    return lines;
}

char *watch_hold_pass(WatchHold *hold, const Change *change, char *lines, gint64 monotonic)
{
    if (change->type == CHANGE_INTERFACE_ADDED || change->type == CHANGE_INTERFACE_CHANGED ||
        change->type == CHANGE_INTERFACE_REMOVED)
        return hold_pass_row(hold, change, lines, monotonic);
    if (change->type == CHANGE_LEASE_ADDED || change->type == CHANGE_LEASE_RENEWED)
        return hold_pass_lease(hold, change, lines);
    if (change->type == CHANGE_CHECK_RAISED)
        return hold_pass_check(hold, change, lines);
    return lines;
}

char *watch_hold_release(WatchHold *hold, gint64 monotonic)
{
    GString *lines = g_string_new(NULL);

    while (hold->held->len > 0) {
        const Held *held = hold->held->pdata[0];

        if (held->due > monotonic)
            break;
        g_string_append(lines, held->lines->str);
        g_ptr_array_remove_index(hold->held, 0);
    }
    return g_string_free(lines, lines->len == 0);
}

gint64 watch_hold_due(const WatchHold *hold)
{
    return hold->held->len > 0 ? ((const Held *)hold->held->pdata[0])->due : G_MAXINT64;
}

void watch_hold_drop(WatchHold *hold)
{
    g_ptr_array_set_size(hold->held, 0);
}
