/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "views/watch-private.h"
#include "views/watch-words.h"

#include <string.h>

/*
 * Changes in words. A line says one thing that happened, about one subject, which stands in front. What
 * people need no line for has none: who follows the JSON has everything. In particular
 *  - an address that comes or goes with a lease is told by the lease's line, not by the row's as well;
 *  - link-local addresses are not told: they come and go with the kernel's neighbour table;
 *  - that something became known, or is not known any more, is no change: the source's line says why;
 *  - the problems of a row have lines of their own (check.*).
 */

/* "VM1 vnet0 ", a port without a domain "vnet7 ". */
static void begin_row(const Words *words, const MapRow *row)
{
    g_autofree char *name = map_row_name(row);

    words_begin(words);
    if (row->domain) {
        words_name(words, row->domain);
        words_put(words, " ");
    }
    if (!row->domain || g_strcmp0(name, row->domain) != 0) {
        words_name(words, name);
        words_put(words, " ");
    }
}

static void begin_named(const Words *words, const char *name)
{
    words_begin(words);
    words_name(words, name);
    words_put(words, " ");
}

/* One line about a row, of one sentence. */
static void tell_row(Words *words, const MapRow *row, const char *color, const char *sentence)
{
    begin_row(words, row);
    words_colored(words, color, sentence);
    words_end(words);
}

/* "virbr0 (default)"; on another bridge than its network's it is not on that network. */
static void put_bridge(const Words *words, const MapRow *row)
{
    gboolean elsewhere = row->network_bridge && g_strcmp0(row->bridge, row->network_bridge) != 0;

    words_name(words, row->bridge);
    if (row->network && !elsewhere) {
        words_put(words, " (");
        words_name(words, row->network);
        words_put(words, ")");
    }
}

static void put_hostname(const Words *words, const char *hostname)
{
    if (hostname) {
        words_put(words, " (");
        words_name(words, hostname);
        words_put(words, ")");
    }
}

/* ------------------------------------------------------------------------------------ an interface */

/* Where it is: by the kernel's word if there is one. */
static void put_place(const Words *words, const MapRow *row)
{
    if (!row->has_domain || row->bridge) {
        words_colored(words, MARK_GREEN, "is on ");
        put_bridge(words, row);
        if (!row->has_domain)
            words_put(words, ", no domain claims it");
    } else if (!row->interface_known) {
        words_put(words, "runs; its interfaces could not be read");
    } else if (row->ifindex && row->network_bridge) {
        words_colored(words, MARK_RED, "is on no bridge");
        words_put(words, ", should be on ");
        words_name(words, row->network_bridge);
    } else {
        words_colored(words, MARK_GREEN, "is plugged into ");
        words_name(words, row->source ? row->source : row->type);
    }
}

/* An interface as a whole. */
static void tell_interface(Words *words, const MapRow *row)
{
    char mac[MAC_TEXT];

    begin_row(words, row);
    put_place(words, row);
    if (row->has_mac)
        fprintf(words->out, ", %s", mac_format(&row->mac, mac));
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        if (ip_is_link_local(&address->ip))
            continue;
        words_put(words, ", ");
        words_ip(words, &address->ip);
        put_hostname(words, address->hostname);
    }
    if (row->has_domain && row->domain_state != DOMAIN_RUNNING && row->domain_state != DOMAIN_BLOCKED)
        fprintf(words->out, ", %s", domain_state_name(row->domain_state));
    words_end(words);
}

static void tell_removed(Words *words, const MapRow *row)
{
    begin_row(words, row);
    if (!row->has_domain && row->bridge) {
        words_colored(words, MARK_RED, "left ");
        put_bridge(words, row);
    } else {
        words_colored(words, MARK_RED, "is gone");
    }
    words_end(words);
}

/* Drivers that count processors change between running and idle all the time. */
static DomainState state_told(DomainState state)
{
    return state == DOMAIN_BLOCKED ? DOMAIN_RUNNING : state;
}

static void tell_domain(Words *words, const MapRow *before, const MapRow *row)
{
    DomainState state = state_told(row->domain_state);

    if (g_strcmp0(before->domain, row->domain) != 0) {
        begin_row(words, row);
        words_put(words, "has a new domain name, it was ");
        words_name(words, before->domain);
        words_end(words);
    }
    if (row->has_domain && state != state_told(before->domain_state)) {
        begin_row(words, row);
        words_put(words, "is ");
        words_colored(words, state == DOMAIN_RUNNING ? MARK_GREEN : MARK_YELLOW, domain_state_name(state));
        words_end(words);
    }
}

static void tell_bridge(Words *words, const MapRow *before, const MapRow *row)
{
    begin_row(words, row);
    if (!before->bridge) {
        words_colored(words, MARK_GREEN, "is on ");
        put_bridge(words, row);
    } else if (!row->bridge) {
        words_colored(words, MARK_RED, "left ");
        put_bridge(words, before);
    } else {
        words_put(words, "moved from ");
        put_bridge(words, before);
        words_put(words, " to ");
        put_bridge(words, row);
    }
    words_end(words);
}

static void tell_source(Words *words, const MapRow *before, const MapRow *row)
{
    begin_row(words, row);
    words_colored(words, MARK_GREEN, "is plugged into ");
    words_name(words, row->source);
    words_put(words, ", was into ");
    words_name(words, before->source);
    words_end(words);
}

static void tell_renamed(Words *words, const MapRow *before, const MapRow *row)
{
    begin_row(words, row);
    words_put(words, "was renamed, it was ");
    words_name(words, before->tap);
    words_end(words);
}

/* With a tap comes all that the kernel knows of it, and goes with it: one line. */
static void tell_place(Words *words, const MapRow *before, const MapRow *row)
{
    if (before->ifindex && !row->ifindex) {
        tell_row(words, row, MARK_RED, "has no tap any more");
        return;
    }
    if (!before->ifindex && row->ifindex) {
        begin_row(words, row);
        words_colored(words, MARK_GREEN, "has its tap, ");
        put_place(words, row);
        words_end(words);
        return;
    }
    if (before->tap && row->tap && strcmp(before->tap, row->tap) != 0)
        tell_renamed(words, before, row);
    if (g_strcmp0(before->bridge, row->bridge) != 0)
        tell_bridge(words, before, row);
    else if (before->source && row->source && strcmp(before->source, row->source) != 0)
        tell_source(words, before, row);
}

static void tell_wire(Words *words, const MapRow *before, const MapRow *row)
{
    if (before->carrier >= 0 && row->carrier >= 0 && before->carrier != row->carrier)
        tell_row(words, row, row->carrier ? MARK_GREEN : MARK_YELLOW,
                 row->carrier ? "has carrier" : "has no carrier");
    if ((before->link == LINK_DOWN) != (row->link == LINK_DOWN))
        tell_row(words, row, row->link == LINK_DOWN ? MARK_YELLOW : MARK_GREEN,
                 row->link == LINK_DOWN ? "is down in libvirt" : "is up in libvirt");
    if (before->mtu && row->mtu && before->mtu != row->mtu) {
        begin_row(words, row);
        fprintf(words->out, "has MTU %u, had %u", row->mtu, before->mtu);
        words_end(words);
    }
}

/* Whether the row has this address by other evidence than a lease, whose line tells of it. */
static gboolean is_own_news(const Address *address)
{
    return address->source != ADDRESS_LEASE && !ip_is_link_local(&address->ip);
}

static gboolean row_has_ip(const MapRow *row, const Ip *ip)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        if (ip_equal(&((const Address *)row->addresses->pdata[i])->ip, ip))
            return TRUE;
    }
    return FALSE;
}

static void tell_addresses_gone(Words *words, const MapRow *before, const MapRow *row)
{
    for (guint i = 0; i < before->addresses->len; i++) {
        const Address *address = before->addresses->pdata[i];

        if (!is_own_news(address) || row_has_ip(row, &address->ip))
            continue;
        begin_row(words, row);
        words_colored(words, MARK_RED,
                      address->source == ADDRESS_NEIGHBOUR ? "does not answer any more at " : "lost ");
        words_ip(words, &address->ip);
        fprintf(words->out, " (%s)", address_source_name(address->source));
        words_end(words);
    }
}

static void tell_addresses_new(Words *words, const MapRow *before, const MapRow *row)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];

        if (!is_own_news(address) || row_has_ip(before, &address->ip))
            continue;
        begin_row(words, row);
        words_colored(words, MARK_GREEN, address->source == ADDRESS_NEIGHBOUR ? "answers at " : "has ");
        words_ip(words, &address->ip);
        fprintf(words->out, " (%s)", address_source_name(address->source));
        words_end(words);
    }
}

static void tell_interface_changed(Words *words, const Change *change)
{
    const MapRow *before = change->before;
    const MapRow *row = change->row;

    tell_domain(words, before, row);
    tell_place(words, before, row);
    tell_wire(words, before, row);
    tell_addresses_gone(words, before, row);
    tell_addresses_new(words, before, row);
}

/* ----------------------------------------------------------------------------------------- a lease */

/* Whose it is, or whose MAC it has on which network. */
static void begin_lease(const Words *words, const Change *change)
{
    char mac[MAC_TEXT];

    if (change->row) {
        begin_row(words, change->row);
        return;
    }
    begin_named(words, change->lease->network);
    words_put(words, change->lease->has_mac ? mac_format(&change->lease->mac, mac) : "somebody");
    words_put(words, " ");
}

static void put_lease_time(const Words *words, const Lease *lease)
{
    if (lease->expiry == 0) {
        words_put(words, ", lease without end");
        return;
    }
    words_put(words, ", lease ");
    words_span(words, lease->expiry - words->now);
}

static void tell_lease(Words *words, const Change *change)
{
    const Lease *lease = change->lease;
    const Lease *before = change->type == CHANGE_LEASE_RENEWED ? change->lease_before : NULL;

    begin_lease(words, change);
    if (change->type == CHANGE_LEASE_REMOVED) {
        words_colored(words, MARK_RED, "lost ");
        words_ip(words, &lease->ip);
        words_put(words, lease_is_live(lease, words->now) ? ", its lease is gone" : ", its lease ended");
        words_end(words);
        return;
    }
    words_colored(words, MARK_GREEN, before ? "renewed " : "got ");
    words_ip(words, &lease->ip);
    if (!before || g_strcmp0(before->hostname, lease->hostname) != 0)
        put_hostname(words, lease->hostname);
    put_lease_time(words, lease);
    words_end(words);
}

/* --------------------------------------------------------------------------------------- a network */

/* ": virbr0, 192.168.122.1/24" */
static void put_network(const Words *words, const NetworkRow *row)
{
    const char *separator = ": ";

    if (row->network->bridge) {
        words_put(words, separator);
        words_name(words, row->network->bridge);
        separator = ", ";
    }
    for (guint i = 0; i < row->pools->len; i++) {
        const NetworkPool *pool = row->pools->pdata[i];
        g_autofree char *text = ipnet_to_string(&pool->ip->net);

        words_put(words, separator);
        words_put(words, text);
        separator = ", ";
    }
}

static void tell_network(Words *words, const NetworkRow *row, const char *color, const char *verb,
                         gboolean whole)
{
    begin_named(words, row->network->name);
    words_colored(words, color, verb);
    if (whole)
        put_network(words, row);
    words_end(words);
}

static void put_value(const Words *words, const json_t *value)
{
    g_autofree char *number = NULL;

    if (json_is_string(value)) {
        words_name(words, json_string_value(value));
    } else if (json_is_boolean(value)) {
        words_put(words, json_is_true(value) ? "yes" : "no");
    } else {
        number = g_strdup_printf("%g", json_number_value(value));
        words_put(words, number);
    }
}

/* What is the kernel's word while there is a bridge, and else libvirt's. While libvirt still sets the bridge
 * up, or takes it down, they are neither's. */
static gboolean is_of_bridge(const char *field)
{
    static const char *const fields[] = {"stp", "forward_delay", "mtu", NULL};

    return g_strv_contains(fields, field);
}

/* "autostart yes, was no"; what was not known before, or is not now, did not change. */
static gboolean put_field(const Words *words, const char *separator, const char *field, const json_t *pair)
{
    const json_t *before = json_array_get(pair, 0);
    const json_t *now = json_array_get(pair, 1);
    g_autofree char *label = g_strdelimit(g_strdup(field), "_", ' ');

    if (json_is_null(before) || json_is_null(now) || json_is_object(now) || json_is_array(now) ||
        g_str_has_suffix(field, "_hex"))
        return FALSE;
    words_put(words, separator);
    words_put(words, label);
    words_put(words, " ");
    put_value(words, now);
    words_put(words, ", was ");
    put_value(words, before);
    return TRUE;
}

static gint dnsmasq_pid(const NetworkRow *row)
{
    return row->dnsmasq && row->dnsmasq->alive ? row->dnsmasq->pid : 0;
}

/* A network's fields in one line. Written aside first: there may be none to tell. */
static void tell_network_changed(Words *words, const Change *change)
{
    g_autoptr(json_t) changes = watch_network_changes(change->network_before, change->network);
    gint pid = dnsmasq_pid(change->network);
    gint pid_before = dnsmasq_pid(change->network_before);
    const NetworkRow *row = change->network;
    gboolean one_word = !row->link == !change->network_before->link && (!row->link || row->network->active);
    Words aside = *words;
    const char *separator = ": ";
    char *text = NULL;
    const char *field;
    json_t *pair;
    size_t size;

    aside.out = open_memstream(&text, &size);
    json_object_foreach(changes, field, pair)
    {
        if ((one_word || !is_of_bridge(field)) && put_field(&aside, separator, field, pair))
            separator = "; ";
    }
    if (json_object_get(changes, "ips"))
        put_network(&aside, change->network);
    if (pid && pid_before && pid != pid_before)
        fprintf(aside.out, "%sdnsmasq pid %d, was %d", separator, pid, pid_before);
    fclose(aside.out);
    if (*text) {
        begin_named(words, change->network->network->name);
        words_put(words, "changed");
        words_put(words, text);
        words_end(words);
    }
    free(text);
}

/* ---------------------------------------------------------------------------- sources and findings */

static void tell_source_state(Words *words, SourceId id, SourceState state, const char *text)
{
    static const char *const colors[] = {
        [SOURCE_LIVE] = MARK_GREEN, [SOURCE_STALE] = MARK_YELLOW, [SOURCE_DOWN] = MARK_RED};
    const char *color = state < G_N_ELEMENTS(colors) ? colors[state] : NULL;

    words_begin(words);
    words_put(words, source_name(id));
    words_put(words, ": ");
    words_colored(words, color, source_state_name(state));
    if (text && state == SOURCE_LIVE && id == SOURCE_LEASES)
        words_put(words, ", read at intervals"); /* the text says why they are not watched */
    if (text) {
        words_put(words, ": ");
        words_text(words, text);
    }
    words_end(words);
}

static void tell_mismatch(Words *words, const Change *change)
{
    words_begin(words);
    words_colored(words, MARK_MAGENTA, "audit");
    words_put(words, ": ");
    words_put(words, source_name(change->source));
    words_put(words, ": ");
    words_text(words, change->text ? change->text : "differed");
    words_end(words);
}

static void tell_finding(Words *words, const Change *change)
{
    const Finding *finding = change->finding;
    gboolean raised = change->type == CHANGE_CHECK_RAISED;

    words_begin(words);
    if (raised)
        words_colored(words, mark_level_code(finding->level), level_name(finding->level));
    else /* mended, or with what it was about, or not to be told any more: which, it does not say */
        words_colored(words, MARK_GREEN, "cleared");
    fprintf(words->out, ": %s: ", finding->id);
    words_text(words, finding->message ? finding->message : finding->object);
    if (raised && finding->remedy) {
        words_put(words, "; try: ");
        words_text(words, finding->remedy);
    }
    words_end(words);
}

/* -------------------------------------------------------------------------------------- the whole */

guint watch_text_change(FILE *out, const WatchStamp *stamp, const ViewContext *context, const Change *change)
{
    Words words = words_new(out, stamp, context);

    switch (change->type) {
    case CHANGE_INTERFACE_ADDED:
        tell_interface(&words, change->row);
        break;
    case CHANGE_INTERFACE_CHANGED:
        tell_interface_changed(&words, change);
        break;
    case CHANGE_INTERFACE_REMOVED:
        tell_removed(&words, change->row);
        break;
    case CHANGE_LEASE_ADDED:
    case CHANGE_LEASE_RENEWED:
    case CHANGE_LEASE_REMOVED:
        tell_lease(&words, change);
        break;
    case CHANGE_NETWORK_DEFINED:
        tell_network(&words, change->network, MARK_GREEN, "defined", FALSE);
        break;
    case CHANGE_NETWORK_UNDEFINED:
        tell_network(&words, change->network, MARK_RED, "undefined", FALSE);
        break;
    case CHANGE_NETWORK_STARTED:
        tell_network(&words, change->network, MARK_GREEN, "started", TRUE);
        break;
    case CHANGE_NETWORK_STOPPED:
        tell_network(&words, change->network, MARK_RED, "stopped", FALSE);
        break;
    case CHANGE_NETWORK_CHANGED:
        tell_network_changed(&words, change);
        break;
    case CHANGE_SOURCE_LIVE:
        tell_source_state(&words, change->source, SOURCE_LIVE, change->text);
        break;
    case CHANGE_SOURCE_STALE:
        tell_source_state(&words, change->source, SOURCE_STALE, change->text);
        break;
    case CHANGE_SOURCE_DOWN:
        tell_source_state(&words, change->source, SOURCE_DOWN, change->text);
        break;
    case CHANGE_AUDIT_MISMATCH:
        tell_mismatch(&words, change);
        break;
    case CHANGE_CHECK_RAISED:
    case CHANGE_CHECK_CLEARED:
        tell_finding(&words, change);
        break;
    case CHANGE_COUNT:
        break;
    }
    return words.lines;
}

guint watch_text_snapshot(FILE *out, const WatchStamp *stamp, const ViewContext *context, const Facts *facts,
                          const GPtrArray *rows, const GPtrArray *networks, gboolean resync)
{
    Words words = words_new(out, stamp, context);

    if (resync) {
        words_begin(&words);
        words_colored(&words, MARK_YELLOW, "read again");
        fprintf(out, ", for something was missed: networks %u, interfaces %u", networks->len, rows->len);
        words_end(&words);
    }
    words.news = FALSE;
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const SourceStatus *status = &facts->sources[id];

        if (status->state != SOURCE_UNREAD && (status->state != SOURCE_LIVE || status->error))
            tell_source_state(&words, id, status->state, status->error);
    }
    for (guint i = 0; i < networks->len; i++) {
        const NetworkRow *row = networks->pdata[i];

        tell_network(&words, row, NULL, row->network->active ? "is active" : "is inactive",
                     row->network->active);
    }
    for (guint i = 0; i < rows->len; i++)
        tell_interface(&words, rows->pdata[i]);
    return words.lines;
}
