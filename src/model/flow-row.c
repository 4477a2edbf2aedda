/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/flow-row.h"

#include <string.h>

/* Who has an address. Its texts are GRefString. */
typedef struct {
    Ip ip;
    const Address *address; /* the evidence; only while the index is made */
    char *domain, *tap, *network;
} Holder;

/* A subnet of an active network. */
typedef struct {
    IpNet net;
    char *network; /* GRefString */
} Subnet;

struct FlowNames {
    GHashTable *holders; /* set of Holder, by address */
    GHashTable *own;     /* set of Ip: this host's */
    GArray *subnets;     /* Subnet */
};

static char *ref_new(const char *text)
{
    return text ? g_ref_string_new(text) : NULL;
}

static char *ref_acquire(char *text)
{
    return text ? g_ref_string_acquire(text) : NULL;
}

static void ref_release(char *text)
{
    if (text)
        g_ref_string_release(text);
}

static guint ip_hash(gconstpointer ip)
{
    const Ip *key = ip;
    guint hash = key->family;

    for (guint i = 0; i < ip_bits(key) / 8; i++)
        hash = hash * 33 + key->bytes[i];
    return hash;
}

static gboolean ip_same(gconstpointer a, gconstpointer b)
{
    return ip_equal((const Ip *)a, (const Ip *)b);
}

/* ------------------------------------------------------------------------------------------- names */

static void holder_free(gpointer data)
{
    Holder *holder = data;

    ref_release(holder->domain);
    ref_release(holder->tap);
    ref_release(holder->network);
    g_free(holder);
}

static void subnet_clear(gpointer data)
{
    ref_release(((Subnet *)data)->network);
}

/* A Holder begins with its address, which is its key. */
static const Holder *find_holder(const FlowNames *names, const Ip *ip)
{
    return g_hash_table_lookup(names->holders, ip);
}

static void add_row(FlowNames *names, const MapRow *row)
{
    for (guint i = 0; i < row->addresses->len; i++) {
        const Address *address = row->addresses->pdata[i];
        const Holder *before = find_holder(names, &address->ip);
        Holder *holder;

        if (before && address_compare_evidence(&before->address, &address) <= 0)
            continue;
        holder = g_new0(Holder, 1);
        holder->ip = address->ip;
        holder->address = address;
        holder->domain = ref_new(row->domain);
        holder->tap = ref_new(row->tap);
        holder->network = ref_new(row->network);
        g_hash_table_replace(names->holders, holder, holder);
    }
}

static void add_own(FlowNames *names, const Ip *ip)
{
    g_hash_table_add(names->own, g_memdup2(ip, sizeof(*ip)));
}

static void add_network(FlowNames *names, const Network *network)
{
    for (guint i = 0; network->active && i < network->ips->len; i++) {
        const NetworkIp *own = network->ips->pdata[i];
        const Subnet subnet = {ipnet_network(&own->net), ref_new(network->name)};

        g_array_append_val(names->subnets, subnet);
        add_own(names, &own->net.ip);
    }
}

static void forget_evidence(gpointer key, gpointer value, gpointer data)
{
    ((Holder *)value)->address = NULL;
}

FlowNames *flow_names_new(const Facts *facts, const GPtrArray *rows)
{
    FlowNames *names = g_new0(FlowNames, 1);

    names->holders = g_hash_table_new_full(ip_hash, ip_same, NULL, holder_free);
    names->own = g_hash_table_new_full(ip_hash, ip_same, g_free, NULL);
    names->subnets = g_array_new(FALSE, FALSE, sizeof(Subnet));
    g_array_set_clear_func(names->subnets, subnet_clear);
    for (guint i = 0; i < facts->networks->len; i++)
        add_network(names, facts->networks->pdata[i]);
    for (guint i = 0; i < facts->addresses->len; i++)
        add_own(names, &g_array_index(facts->addresses, LinkAddress, i).net.ip);
    for (guint i = 0; i < rows->len; i++)
        add_row(names, rows->pdata[i]);
    g_hash_table_foreach(names->holders, forget_evidence, NULL);
    return names;
}

void flow_names_free(FlowNames *names)
{
    if (!names)
        return;
    g_hash_table_unref(names->holders);
    g_hash_table_unref(names->own);
    g_array_unref(names->subnets);
    g_free(names);
}

/* Where a subnet has any: /31, /32 and IPv6's /127 and /128 have no addresses to spare. */
static gboolean is_edge(const IpNet *net, const Ip *ip)
{
    const Ip last = ipnet_last(net);

    if (net->prefix + 1U >= ip_bits(&net->ip))
        return FALSE;
    return ip_equal(&net->ip, ip) || (ip->family == 4 && ip_equal(&last, ip));
}

/* FALSE: nobody's. names of whom is unknown stay NULL. */
static gboolean find_guest(const FlowNames *names, const Ip *ip, Holder *guest)
{
    const Holder *holder;

    memset(guest, 0, sizeof(*guest));
    if (g_hash_table_contains(names->own, ip))
        return FALSE;
    holder = find_holder(names, ip);
    if (holder) {
        *guest = *holder;
        return TRUE;
    }
    for (guint i = 0; i < names->subnets->len; i++) {
        const Subnet *subnet = &g_array_index(names->subnets, Subnet, i);

        if (ipnet_contains(&subnet->net, ip) && !is_edge(&subnet->net, ip)) {
            guest->network = subnet->network;
            return TRUE;
        }
    }
    return FALSE;
}

/* -------------------------------------------------------------------------------------------- rows */

void flow_row_free(FlowRow *row)
{
    if (!row)
        return;
    ref_release(row->domain);
    ref_release(row->tap);
    ref_release(row->network);
    ref_release(row->remote_domain);
    g_free(row);
}

static gboolean scope_has(const FlowScope *scope, const Holder *guest)
{
    return (!scope->domain || g_strcmp0(scope->domain, guest->domain) == 0) &&
           (!scope->network || g_strcmp0(scope->network, guest->network) == 0);
}

/* The guest sent the first packet: it is known outside by where answers go. */
static void fill_outbound(FlowRow *row)
{
    const Flow *flow = &row->flow;

    row->guest = flow->source;
    row->guest_port = flow->source_port;
    row->remote = flow->destination;
    row->remote_port = flow->destination_port;
    row->host = flow->reply_destination;
    row->host_port = flow->reply_destination_port;
}

/* The first packet came to the guest, perhaps under another address. */
static void fill_inbound(FlowRow *row)
{
    const Flow *flow = &row->flow;

    row->guest = flow->reply_source;
    row->guest_port = flow->reply_source_port;
    row->remote = flow->source;
    row->remote_port = flow->source_port;
    row->host = flow->destination;
    row->host_port = flow->destination_port;
}

FlowRow *flow_row_new(const FlowNames *names, const Flow *flow, const FlowScope *scope, gint64 now)
{
    static const FlowScope all = {NULL, NULL};
    Holder from, to;
    gboolean sends = find_guest(names, &flow->source, &from);
    gboolean receives = find_guest(names, &flow->reply_source, &to);
    const Holder *guest, *other;
    FlowRow *row;

    scope = scope ? scope : &all;
    if (sends && scope_has(scope, &from))
        guest = &from;
    else if (receives && scope_has(scope, &to))
        guest = &to;
    else
        return NULL;
    row = g_new0(FlowRow, 1);
    row->flow = *flow;
    row->inbound = guest == &to;
    other = row->inbound ? &from : &to;
    (row->inbound ? fill_inbound : fill_outbound)(row);
    row->translated = !ip_equal(&row->host, &row->guest) || row->host_port != row->guest_port;
    if (!row->translated)
        row->host = (Ip){0};
    row->domain = ref_acquire(guest->domain);
    row->tap = ref_acquire(guest->tap);
    row->network = ref_acquire(guest->network);
    row->remote_domain = ref_acquire(other->domain);
    flow_row_set_age(row, now);
    return row;
}

GPtrArray *flow_rows(const Facts *facts, const FlowNames *names, const FlowScope *scope)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)flow_row_free);

    for (guint i = 0; i < facts->flows->len; i++) {
        FlowRow *row = flow_row_new(names, &g_array_index(facts->flows, Flow, i), scope, facts->now);

        if (row)
            g_ptr_array_add(rows, row);
    }
    g_ptr_array_sort(rows, flow_row_compare);
    return rows;
}

gboolean flows_keep_guests(Facts *facts, const FlowNames *names, guint max)
{
    guint kept = 0;
    gboolean more = FALSE;

    for (guint i = 0; i < facts->flows->len && !more; i++) {
        const Flow *flow = &g_array_index(facts->flows, Flow, i);
        FlowRow *row = flow_row_new(names, flow, NULL, facts->now);

        if (!row)
            continue;
        flow_row_free(row);
        more = kept == max;
        if (!more)
            g_array_index(facts->flows, Flow, kept++) = *flow;
    }
    g_array_set_size(facts->flows, kept);
    return more;
}

/* ----------------------------------------------------------------------------------------- figures */

static gint64 sum(gint64 a, gint64 b)
{
    if (a < 0 || b < 0)
        return MAX(a, b);
    return a > G_MAXINT64 - b ? G_MAXINT64 : a + b;
}

gint64 flow_row_bytes(const FlowRow *row)
{
    return sum(row->flow.sent_bytes, row->flow.reply_bytes);
}

gint64 flow_row_packets(const FlowRow *row)
{
    return sum(row->flow.sent_packets, row->flow.reply_packets);
}

gint64 flow_row_sent(const FlowRow *row)
{
    return row->inbound ? row->flow.reply_bytes : row->flow.sent_bytes;
}

gint64 flow_row_received(const FlowRow *row)
{
    return row->inbound ? row->flow.sent_bytes : row->flow.reply_bytes;
}

void flow_row_set_age(FlowRow *row, gint64 now)
{
    const gint64 until = row->flow.stopped ? row->flow.stopped : now * G_USEC_PER_SEC;

    row->age = row->flow.started ? MAX(until - row->flow.started, 0) / G_USEC_PER_SEC : -1;
}

static gint compare_numbers(gint64 a, gint64 b)
{
    return a < b ? -1 : a > b;
}

static gint compare_ends(const FlowRow *left, const FlowRow *right)
{
    gint order = ip_compare(&left->guest, &right->guest);

    if (!order)
        order = compare_numbers(left->guest_port, right->guest_port);
    if (!order)
        order = compare_numbers(left->flow.protocol, right->flow.protocol);
    if (!order)
        order = ip_compare(&left->remote, &right->remote);
    if (!order)
        order = compare_numbers(left->remote_port, right->remote_port);
    return order ? order : compare_numbers(left->flow.id, right->flow.id);
}

/* An unknown start sorts as one that is still to come. */
static gint64 start_of(const FlowRow *row)
{
    return row->flow.started ? row->flow.started : G_MAXINT64;
}

gint flow_row_compare(gconstpointer a, gconstpointer b)
{
    const FlowRow *left = *(FlowRow *const *)a;
    const FlowRow *right = *(FlowRow *const *)b;
    gint order = compare_numbers(flow_row_bytes(right), flow_row_bytes(left));

    if (!order)
        order = compare_numbers(start_of(left), start_of(right));
    return order ? order : compare_ends(left, right);
}
