/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include "model/live.h"
#include "views/json.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/*
 * Random facts in random order, over a universe so small that everything meets: names, MACs and addresses are
 * used twice, bridges are ports, networks bear one name. After every settle a consumer that applied the
 * changes knows what the map knows; when all is quiet, the map is map_join() and checks_run() of its facts.
 * A sequence that fails is made as short as it can be and still fail. LIVE_RUNS: how many; LIVE_SEED: the
 * first one's seed.
 */

#define RUNS 300
#define STEPS 200
#define START (100 * G_TIME_SPAN_SECOND)

typedef enum {
    OP_DOMAIN,
    OP_DOMAIN_GONE,
    OP_NETWORK,
    OP_NETWORK_GONE,
    OP_LEASES,
    OP_LINK,
    OP_LINK_GONE,
    OP_ADDRESS,
    OP_NEIGHBOUR,
    OP_FDB,
    OP_KERNEL,
    OP_SOURCE,
    OP_LISTED,
    OP_DNSMASQS,
    OP_SETTLE,
    OP_KINDS
} OpKind;

static const char *const op_names[] = {"domain", "domain-gone", "network", "network-gone", "leases",
                                       "link",   "link-gone",   "address", "neighbour",    "fdb",
                                       "kernel", "source",      "listed",  "dnsmasqs",     "settle"};
G_STATIC_ASSERT(G_N_ELEMENTS(op_names) == OP_KINDS);

/* Everything else about it follows from the seed. */
typedef struct {
    OpKind kind;
    guint32 seed;
} Op;

static const char *const uuids[] = {"u0", "u1", "u2", "u3"};
static const char *const network_names[] = {"net0", "net1", "net2", "net0"};
static const char *const bridges[] = {"br0", "br1", "tap0"};
static const char *const names[] = {"tap0", "tap1", "tap2", "tap3", "br0", "br1", "vnatp0"};
static const char *const macs[] = {"52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"};
static const char *const ips[] = {"10.0.0.5", "10.0.0.6", "10.0.1.5", "fe80::1", "224.0.0.1"};

#define PICK(rand, list) (list)[g_rand_int_range(rand, 0, G_N_ELEMENTS(list))]

static gboolean chance(GRand *rand, gint percent)
{
    return g_rand_int_range(rand, 0, 100) < percent;
}

/* ---------------------------------------------------------------------------------------- records */

static DomainInterface *random_interface(GRand *rand)
{
    DomainInterface *iface = domain_interface_new();

    iface->alias = chance(rand, 60) ? g_strdup(chance(rand, 50) ? "net0" : "net1") : NULL;
    iface->network = chance(rand, 70) ? g_strdup(PICK(rand, network_names)) : NULL;
    iface->type = g_strdup(iface->network ? "network" : "bridge");
    iface->bridge = chance(rand, 50) ? g_strdup(PICK(rand, bridges)) : NULL;
    iface->has_mac = chance(rand, 90);
    iface->mac = world_mac_of(PICK(rand, macs));
    iface->target = chance(rand, 85) ? g_strdup(names[g_rand_int_range(rand, 0, 4)]) : NULL;
    iface->link = (LinkClaim)g_rand_int_range(rand, 0, 3);
    return iface;
}

static Domain *random_domain(GRand *rand, const char *uuid)
{
    Domain *domain = domain_new();
    gint count = g_rand_int_range(rand, 0, 3);

    domain->uuid = g_strdup(uuid);
    domain->name = g_strdup_printf("VM%s", chance(rand, 80) ? uuid : "");
    domain->id = chance(rand, 95) ? g_rand_int_range(rand, 1, 3) : -1;
    domain->state = chance(rand, 80) ? DOMAIN_RUNNING : DOMAIN_PAUSED;
    domain->xml_read = chance(rand, 92);
    for (gint i = 0; domain->xml_read && i < count; i++)
        g_ptr_array_add(domain->interfaces, random_interface(rand));
    if (chance(rand, 20)) {
        AgentAddress address = {.mac = world_mac_of(PICK(rand, macs)), .net.prefix = 24};

        address.net.ip = world_ip_of(PICK(rand, ips));
        g_array_append_val(domain->agent, address);
    }
    return domain;
}

static Network *random_network(GRand *rand, guint which)
{
    static const char *const modes[] = {"nat", "nat", "isolated", "bridge"};
    Network *network = network_new();
    gint count = g_rand_int_range(rand, 0, 3);

    network->uuid = g_strdup(uuids[which]);
    network->name = g_strdup(chance(rand, 85) ? network_names[which] : PICK(rand, network_names));
    network->active = chance(rand, 70);
    network->persistent = !network->active || chance(rand, 70);
    network->autostart = chance(rand, 50);
    network->forward = g_strdup(PICK(rand, modes));
    network->bridge = chance(rand, 90) ? g_strdup(PICK(rand, bridges)) : NULL;
    for (gint i = 0; i < count; i++) {
        gboolean first = chance(rand, 70);

        if (chance(rand, 70))
            world_ip(network, first ? "10.0.0.1/24" : "10.0.1.1/24", first ? "10.0.0.5" : "10.0.1.5",
                     first ? "10.0.0.6" : "10.0.1.6");
        else
            world_ip(network, first ? "10.0.0.1/16" : "10.0.1.1/24", NULL, NULL);
    }
    return network;
}

static GPtrArray *random_leases(GRand *rand, gint64 now)
{
    GPtrArray *leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    gint count = g_rand_int_range(rand, 0, 5);

    for (gint i = 0; i < count; i++) {
        Lease *lease = lease_new();

        lease->network = g_strdup(PICK(rand, network_names));
        lease->bridge = g_strdup("br0");
        lease->ip = world_ip_of(ips[g_rand_int_range(rand, 0, 4)]);
        lease->prefix = chance(rand, 80) ? 24 : 0;
        lease->has_mac = chance(rand, 90);
        lease->mac = world_mac_of(PICK(rand, macs));
        lease->hostname = chance(rand, 50) ? g_strdup("host") : NULL;
        lease->client_id = chance(rand, 50) ? g_strdup(chance(rand, 70) ? "c1" : "c2") : NULL;
        lease->expiry = chance(rand, 30) ? 0 : now + g_rand_int_range(rand, -5, 30);
        g_ptr_array_add(leases, lease);
    }
    return leases;
}

static Link *random_link(GRand *rand, guint ifindex)
{
    Link *link = link_new();

    link->ifindex = ifindex;
    link->name = g_strdup(PICK(rand, names));
    link->is_bridge = g_str_has_prefix(link->name, "br") ? chance(rand, 90) : chance(rand, 10);
    link->kind = g_strdup(link->is_bridge ? "bridge" : chance(rand, 80) ? "tun" : "dummy");
    link->flags = chance(rand, 80) ? IFF_UP : 0;
    link->mtu = chance(rand, 80) ? 1500 : 1400;
    link->has_mac = chance(rand, 80);
    link->mac = world_mac_of(PICK(rand, macs));
    link->master = !link->is_bridge && chance(rand, 75) ? (guint)g_rand_int_range(rand, 1, 8) : 0;
    link->carrier = g_rand_int_range(rand, -1, 2);
    link->operstate = g_rand_int_range(rand, 0, 7);
    link->bridge_info.stp = chance(rand, 50);
    link->bridge_info.forward_delay = chance(rand, 50) ? 200 : 1500;
    return link;
}

static LinkAddress random_address(GRand *rand)
{
    LinkAddress address = {.ifindex = (guint)g_rand_int_range(rand, 1, 8)};

    address.net = world_net_of(chance(rand, 50) ? "10.0.0.1/24" : "10.0.1.1/24");
    return address;
}

static Neighbour random_neighbour(GRand *rand)
{
    static const guint16 states[] = {NEIGHBOUR_REACHABLE, NEIGHBOUR_STALE,     NEIGHBOUR_STALE,
                                     NEIGHBOUR_FAILED,    NEIGHBOUR_PERMANENT, NEIGHBOUR_NOARP};
    static const guint32 ages[] = {0, 30, 59, 100, G_MAXUINT32};
    Neighbour neighbour = {.ifindex = (guint)g_rand_int_range(rand, 1, 8)};

    neighbour.ip = world_ip_of(PICK(rand, ips));
    neighbour.state = PICK(rand, states);
    neighbour.has_mac = chance(rand, 90);
    neighbour.mac = world_mac_of(PICK(rand, macs));
    neighbour.confirmed = PICK(rand, ages);
    return neighbour;
}

static FdbEntry random_fdb(GRand *rand)
{
    FdbEntry entry = {.ifindex = (guint)g_rand_int_range(rand, 1, 8),
                      .master = (guint)g_rand_int_range(rand, 1, 8),
                      .vlan = chance(rand, 80) ? 0 : 7,
                      .permanent = chance(rand, 10)};

    entry.mac = world_mac_of(PICK(rand, macs));
    return entry;
}

static Facts *random_kernel(GRand *rand)
{
    Facts *facts = facts_new();

    for (guint ifindex = 1; ifindex < 8; ifindex++) {
        if (chance(rand, 60))
            g_ptr_array_add(facts->links, random_link(rand, ifindex));
    }
    for (guint i = 0; i < 4; i++) {
        LinkAddress address = random_address(rand);
        Neighbour neighbour = random_neighbour(rand);
        FdbEntry entry = random_fdb(rand);

        g_array_append_val(facts->addresses, address);
        g_array_append_val(facts->neighbours, neighbour);
        g_array_append_val(facts->fdb, entry);
    }
    return facts;
}

static GPtrArray *random_dnsmasqs(GRand *rand)
{
    GPtrArray *dnsmasqs = g_ptr_array_new_with_free_func((GDestroyNotify)dnsmasq_free);

    for (guint i = 0; i < 3; i++) {
        Dnsmasq *dnsmasq = dnsmasq_new();

        dnsmasq->network = g_strdup(network_names[i]);
        dnsmasq->config = g_strdup("conf");
        dnsmasq->pid = chance(rand, 80) ? g_rand_int_range(rand, 1, 3) : 0;
        dnsmasq->alive = chance(rand, 60);
        g_ptr_array_add(dnsmasqs, dnsmasq);
    }
    return dnsmasqs;
}

/* ------------------------------------------------------------------------------------------ consumer */

/* Texts, as often as they are there. */
typedef struct {
    GHashTable *rows, *leases, *findings;
    GHashTable *networks; /* UUID -> JSON */
    char *wrong;
} Consumer;

static void consumer_init(Consumer *consumer)
{
    memset(consumer, 0, sizeof(*consumer));
    consumer->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    consumer->leases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    consumer->findings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    consumer->networks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void consumer_clear(Consumer *consumer)
{
    g_hash_table_unref(consumer->rows);
    g_hash_table_unref(consumer->leases);
    g_hash_table_unref(consumer->findings);
    g_hash_table_unref(consumer->networks);
    g_free(consumer->wrong);
}

static void wrong(Consumer *consumer, char *text)
{
    if (consumer->wrong)
        g_free(text);
    else
        consumer->wrong = text;
}

static void bag_add(GHashTable *bag, char *text)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bag, text));

    g_hash_table_insert(bag, text, GUINT_TO_POINTER(count + 1));
}

static void bag_take(Consumer *consumer, GHashTable *bag, char *text)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(bag, text));

    if (count == 0)
        wrong(consumer, g_strdup_printf("told the end of what is not known: %s", text));
    if (count <= 1) {
        g_hash_table_remove(bag, text);
        g_free(text);
    } else {
        g_hash_table_insert(bag, text, GUINT_TO_POINTER(count - 1));
    }
}

static char *bag_text(GHashTable *bag)
{
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(bag), (GCompareFunc)strcmp);
    GString *text = g_string_new(NULL);

    for (GList *key = keys; key; key = key->next)
        g_string_append_printf(text, "%u %s\n", GPOINTER_TO_UINT(g_hash_table_lookup(bag, key->data)),
                               (char *)key->data);
    return g_string_free(text, FALSE);
}

static char *text_of(json_t *json)
{
    char *dump = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    char *text = g_strdup(dump);

    free(dump);
    json_decref(json);
    return text;
}

static char *row_text(const MapRow *row)
{
    return text_of(json_of_interface(row));
}

static char *lease_text(const Lease *lease)
{
    MapLease record = {.lease = lease};

    return text_of(json_of_lease(&record));
}

/* What makes it raised or cleared; evidence may change meanwhile. */
static char *finding_text(const Finding *finding)
{
    return g_strdup_printf("%s %s %s %s %s", finding->id, level_name(finding->level), finding->object,
                           finding->domain_uuid ? finding->domain_uuid : "-", finding->message);
}

static char *network_text(const NetworkRow *row)
{
    json_t *json = json_of_network(row);
    json_t *ips_of = json_object_get(json, "ips");

    json_object_del(json, "interfaces");
    for (gsize i = 0; i < json_array_size(ips_of); i++) {
        json_t *dhcp = json_object_get(json_array_get(ips_of, i), "dhcp");

        if (json_is_object(dhcp))
            json_object_del(dhcp, "leases");
    }
    return text_of(json);
}

static void consume_network(Consumer *consumer, const Change *change)
{
    const Network *network = change->network->network;
    char *text = network_text(change->network);
    const char *known = g_hash_table_lookup(consumer->networks, network->uuid);
    gboolean was = change->type == CHANGE_NETWORK_STOPPED || change->type == CHANGE_NETWORK_UNDEFINED ||
                   change->type == CHANGE_NETWORK_CHANGED;

    if (was && !known)
        wrong(consumer, g_strdup_printf("%s of a network that is not known", change_name(change->type)));
    if (change->type == CHANGE_NETWORK_CHANGED && network_row_equal(change->network, change->network_before))
        wrong(consumer, g_strdup("network.changed without a change"));
    g_hash_table_insert(consumer->networks, g_strdup(network->uuid), text);
}

static void consume(Consumer *consumer, const Change *change)
{
    switch (change->type) {
    case CHANGE_INTERFACE_ADDED:
        bag_add(consumer->rows, row_text(change->row));
        break;
    case CHANGE_INTERFACE_CHANGED:
        bag_take(consumer, consumer->rows, row_text(change->before));
        bag_add(consumer->rows, row_text(change->row));
        break;
    case CHANGE_INTERFACE_REMOVED:
        bag_take(consumer, consumer->rows, row_text(change->row));
        break;
    case CHANGE_LEASE_ADDED:
        bag_add(consumer->leases, lease_text(change->lease));
        break;
    case CHANGE_LEASE_RENEWED:
        bag_take(consumer, consumer->leases, lease_text(change->lease_before));
        bag_add(consumer->leases, lease_text(change->lease));
        break;
    case CHANGE_LEASE_REMOVED:
        bag_take(consumer, consumer->leases, lease_text(change->lease));
        break;
    case CHANGE_NETWORK_DEFINED:
    case CHANGE_NETWORK_UNDEFINED:
    case CHANGE_NETWORK_STARTED:
    case CHANGE_NETWORK_STOPPED:
    case CHANGE_NETWORK_CHANGED:
        consume_network(consumer, change);
        break;
    case CHANGE_CHECK_RAISED:
        bag_add(consumer->findings, finding_text(change->finding));
        break;
    case CHANGE_CHECK_CLEARED:
        bag_take(consumer, consumer->findings, finding_text(change->finding));
        break;
    case CHANGE_SOURCE_LIVE:
    case CHANGE_SOURCE_STALE:
    case CHANGE_SOURCE_DOWN:
    case CHANGE_AUDIT_MISMATCH:
    case CHANGE_COUNT:
        break;
    }
}

/* --------------------------------------------------------------------------------------------- run */

typedef struct {
    LiveMap *live;
    Consumer consumer;
    gint64 monotonic, now;
    guint64 generation; /* an older one */
} Run;

static void compare(Run *run, const char *what, char *expected, char *actual)
{
    if (strcmp(expected, actual) != 0)
        wrong(&run->consumer, g_strdup_printf("%s: expected\n%sbut there is\n%s", what, expected, actual));
    g_free(expected);
    g_free(actual);
}

static GHashTable *bag_of(const GPtrArray *records, char *(*text)(gconstpointer record))
{
    GHashTable *bag = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < records->len; i++)
        bag_add(bag, text(records->pdata[i]));
    return bag;
}

static char *row_text_any(gconstpointer record)
{
    return row_text(record);
}

static char *finding_text_any(gconstpointer record)
{
    return finding_text(record);
}

static char *finding_full_text(gconstpointer record)
{
    return text_of(json_of_finding(record));
}

static guint settle(Run *run)
{
    const GPtrArray *changes = live_map_settle(run->live, run->monotonic, run->now);
    g_autoptr(GPtrArray) rows = live_map_rows(run->live);
    g_autoptr(GPtrArray) findings = live_map_findings(run->live);
    g_autoptr(GHashTable) row_bag = bag_of(rows, row_text_any);
    g_autoptr(GHashTable) finding_bag = bag_of(findings, finding_text_any);

    for (guint i = 0; i < changes->len; i++)
        consume(&run->consumer, changes->pdata[i]);
    compare(run, "rows after changes", bag_text(row_bag), bag_text(run->consumer.rows));
    compare(run, "findings after changes", bag_text(finding_bag), bag_text(run->consumer.findings));
    return changes->len;
}

static void op_neighbour(Run *run, GRand *rand)
{
    Neighbour neighbour = random_neighbour(rand);

    if (chance(rand, 75))
        live_map_put_neighbour(run->live, &neighbour);
    else
        live_map_remove_neighbour(run->live, neighbour.ifindex, &neighbour.ip);
}

static void op_fdb(Run *run, GRand *rand)
{
    FdbEntry entry = random_fdb(rand);

    if (chance(rand, 75))
        live_map_put_fdb(run->live, &entry);
    else
        live_map_remove_fdb(run->live, &entry);
}

static void op_address(Run *run, GRand *rand)
{
    LinkAddress address = random_address(rand);

    if (chance(rand, 75))
        live_map_put_address(run->live, &address);
    else
        live_map_remove_address(run->live, &address);
}

static void op_settle(Run *run, GRand *rand)
{
    static const gint64 clocks[] = {0, 0, 1, 3, 20, -10};

    run->monotonic += g_rand_int_range(rand, 0, 3) * G_TIME_SPAN_SECOND / 2;
    run->now += PICK(rand, clocks);
    settle(run);
    if (chance(rand, 30))
        run->generation = live_map_generation(run->live);
}

static void op_kernel(Run *run, GRand *rand)
{
    g_autoptr(Facts) facts = random_kernel(rand);

    live_map_put_kernel(run->live, facts);
}

static void apply(Run *run, const Op *op)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(op->seed);
    guint which = (guint)g_rand_int_range(rand, 0, G_N_ELEMENTS(uuids));

    switch (op->kind) {
    case OP_DOMAIN:
        live_map_put_domain(run->live, random_domain(rand, uuids[which]),
                            chance(rand, 60) ? live_map_generation(run->live) : run->generation);
        break;
    case OP_DOMAIN_GONE:
        live_map_remove_domain(run->live, uuids[which]);
        break;
    case OP_NETWORK:
        live_map_put_network(run->live, random_network(rand, which));
        break;
    case OP_NETWORK_GONE:
        live_map_remove_network(run->live, uuids[which]);
        break;
    case OP_LEASES:
        live_map_put_leases(run->live, uuids[which], random_leases(rand, run->now), chance(rand, 20));
        break;
    case OP_LINK:
        live_map_put_link(run->live, random_link(rand, (guint)g_rand_int_range(rand, 1, 8)));
        break;
    case OP_LINK_GONE:
        live_map_remove_link(run->live, (guint)g_rand_int_range(rand, 1, 8));
        break;
    case OP_ADDRESS:
        op_address(run, rand);
        break;
    case OP_NEIGHBOUR:
        op_neighbour(run, rand);
        break;
    case OP_FDB:
        op_fdb(run, rand);
        break;
    case OP_KERNEL:
        op_kernel(run, rand);
        break;
    case OP_SOURCE:
        live_map_set_source(
            run->live, (SourceId)g_rand_int_range(rand, 0, SOURCE_COUNT),
            chance(rand, 70) ? SOURCE_LIVE : (SourceState)g_rand_int_range(rand, 0, SOURCE_ABSENT + 1), NULL);
        break;
    case OP_LISTED:
        live_map_set_domains_listed(run->live, chance(rand, 70));
        break;
    case OP_DNSMASQS:
        live_map_put_dnsmasqs(run->live, random_dnsmasqs(rand));
        break;
    case OP_SETTLE:
        op_settle(run, rand);
        break;
    case OP_KINDS:
        break;
    }
}

/* ------------------------------------------------------------------------------------------- copies */

static Domain *copy_domain(const Domain *domain)
{
    Domain *copy = domain_new();
    GPtrArray *interfaces = copy->interfaces;
    GArray *agent = copy->agent;

    *copy = *domain;
    copy->name = g_strdup(domain->name);
    copy->uuid = g_strdup(domain->uuid);
    copy->interfaces = interfaces;
    copy->agent = agent;
    g_array_append_vals(agent, domain->agent->data, domain->agent->len);
    for (guint i = 0; i < domain->interfaces->len; i++) {
        const DomainInterface *iface = domain->interfaces->pdata[i];
        DomainInterface *own = g_memdup2(iface, sizeof(*iface));

        own->alias = g_strdup(iface->alias);
        own->type = g_strdup(iface->type);
        own->source = g_strdup(iface->source);
        own->network = g_strdup(iface->network);
        own->bridge = g_strdup(iface->bridge);
        own->target = g_strdup(iface->target);
        g_ptr_array_add(interfaces, own);
    }
    return copy;
}

static Network *copy_network(const Network *network)
{
    Network *copy = network_new();
    GPtrArray *ips_of = copy->ips;
    GPtrArray *values = copy->template_values;

    *copy = *network;
    copy->ips = ips_of;
    copy->template_values = values;
    copy->name = g_strdup(network->name);
    copy->uuid = g_strdup(network->uuid);
    copy->forward = g_strdup(network->forward);
    copy->bridge = g_strdup(network->bridge);
    for (guint i = 0; i < network->ips->len; i++) {
        const NetworkIp *ip = network->ips->pdata[i];
        NetworkIp *own = network_ip_new();

        own->net = ip->net;
        own->dhcp = ip->dhcp;
        g_array_append_vals(own->ranges, ip->ranges->data, ip->ranges->len);
        g_ptr_array_add(ips_of, own);
    }
    return copy;
}

static Link *copy_link(const Link *link)
{
    Link *copy = g_memdup2(link, sizeof(*link));

    copy->name = g_strdup(link->name);
    copy->kind = g_strdup(link->kind);
    return copy;
}

static Lease *copy_lease(const Lease *lease)
{
    Lease *copy = g_memdup2(lease, sizeof(*lease));

    copy->network = g_strdup(lease->network);
    copy->network_uuid = g_strdup(lease->network_uuid);
    copy->bridge = g_strdup(lease->bridge);
    copy->hostname = g_strdup(lease->hostname);
    copy->client_id = g_strdup(lease->client_id);
    return copy;
}

/* ------------------------------------------------------------------------------------ at rest, equal */

static char *rows_text(const GPtrArray *rows)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        g_autofree char *row = row_text(rows->pdata[i]);

        g_string_append_printf(text, "%s\n", row);
    }
    return g_string_free(text, FALSE);
}

static void believe_doubtful(LiveMap *live)
{
    g_autoptr(GPtrArray) doubtful = live_map_doubtful(live);

    for (guint i = 0; doubtful && i < doubtful->len; i++) {
        const Domain *domain = live_map_domain(live, doubtful->pdata[i]);

        g_assert_nonnull(domain);
        live_map_put_domain(live, copy_domain(domain), live_map_generation(live));
    }
}

/* Until nothing waits but the ageing of neighbours. */
static void rest(Run *run)
{
    for (guint i = 0; i < 4; i++) {
        believe_doubtful(run->live);
        run->monotonic += LIVE_GRACE;
        settle(run);
    }
    if (settle(run) != 0)
        wrong(&run->consumer, g_strdup("a second settle tells changes"));
    if (live_map_is_dirty(run->live))
        wrong(&run->consumer, g_strdup("dirty after settle"));
}

static void check_rest(Run *run)
{
    g_autoptr(Facts) facts = live_map_facts(run->live);
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) interfaces = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    g_autoptr(GPtrArray) all = checks_run(facts, map, 1U << OBJECT_INTERFACE | 1U << OBJECT_NETWORK);
    g_autoptr(GPtrArray) networks = network_rows(facts);
    g_autoptr(GPtrArray) rows = live_map_rows(run->live);
    g_autoptr(GPtrArray) findings = live_map_findings(run->live);
    g_autoptr(GHashTable) expected = bag_of(all, finding_full_text);
    g_autoptr(GHashTable) actual = bag_of(findings, finding_full_text);
    g_autoptr(GHashTable) leases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    map_attach(map, interfaces);
    compare(run, "rows", rows_text(map->rows), rows_text(rows));
    compare(run, "findings", bag_text(expected), bag_text(actual));
    for (guint i = 0; i < facts->leases->len; i++) {
        if (lease_is_live(facts->leases->pdata[i], facts->now))
            bag_add(leases, lease_text(facts->leases->pdata[i]));
    }
    compare(run, "leases", bag_text(leases), bag_text(run->consumer.leases));
    for (guint i = 0; i < networks->len; i++) {
        const NetworkRow *row = networks->pdata[i];
        const char *known = g_hash_table_lookup(run->consumer.networks, row->network->uuid);

        compare(run, "network", network_text(row), g_strdup(known ? known : "(none)"));
    }
}

static void shuffle(GPtrArray *array, GRand *rand)
{
    for (guint i = array->len; i > 1; i--) {
        guint j = (guint)g_rand_int_range(rand, 0, (gint32)i);
        gpointer other = array->pdata[j];

        array->pdata[j] = array->pdata[i - 1];
        array->pdata[i - 1] = other;
    }
}

typedef struct {
    char kind;
    gpointer record;
} Put;

static void puts_add(GPtrArray *puts_of, char kind, gpointer record)
{
    Put put = {kind, record};

    g_ptr_array_add(puts_of, g_memdup2(&put, sizeof(put)));
}

static void put_one(LiveMap *live, const Facts *facts, const Put *put)
{
    GPtrArray *leases;

    switch (put->kind) {
    case 'd':
        live_map_put_domain(live, copy_domain(put->record), G_MAXUINT64);
        break;
    case 'n':
        live_map_put_network(live, copy_network(put->record));
        break;
    case 'l':
        live_map_put_link(live, copy_link(put->record));
        break;
    case 'h':
        live_map_put_neighbour(live, put->record);
        break;
    case 'f':
        live_map_put_fdb(live, put->record);
        break;
    case 'a':
        live_map_put_address(live, put->record);
        break;
    default:
        leases = g_ptr_array_new();
        for (guint i = facts->leases->len; i-- > 0;) {
            const Lease *lease = facts->leases->pdata[i];

            if (strcmp(lease->network_uuid, put->record) == 0)
                g_ptr_array_add(leases, copy_lease(lease));
        }
        live_map_put_leases(live, put->record, leases, FALSE);
    }
}

static GPtrArray *puts_of_facts(const Facts *facts)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < facts->domains->len; i++)
        puts_add(all, 'd', facts->domains->pdata[i]);
    for (guint i = 0; i < facts->networks->len; i++)
        puts_add(all, 'n', facts->networks->pdata[i]);
    for (guint i = 0; i < facts->links->len; i++)
        puts_add(all, 'l', facts->links->pdata[i]);
    for (guint i = 0; i < facts->neighbours->len; i++)
        puts_add(all, 'h', &g_array_index(facts->neighbours, Neighbour, i));
    for (guint i = 0; i < facts->fdb->len; i++)
        puts_add(all, 'f', &g_array_index(facts->fdb, FdbEntry, i));
    for (guint i = 0; i < facts->addresses->len; i++)
        puts_add(all, 'a', &g_array_index(facts->addresses, LinkAddress, i));
    for (guint i = 0; i < G_N_ELEMENTS(uuids); i++)
        puts_add(all, 's', (gpointer)uuids[i]);
    return all;
}

/* The same facts in another order. */
static void check_order(Run *run, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autoptr(Facts) facts = live_map_facts(run->live);
    g_autoptr(LiveMap) other = live_map_new(checks_run);
    g_autoptr(GPtrArray) all = puts_of_facts(facts);
    g_autoptr(GPtrArray) rows = live_map_rows(run->live);
    g_autoptr(GPtrArray) others = NULL;

    for (guint id = 0; id < SOURCE_COUNT; id++)
        live_map_set_source(other, id, facts->sources[id].state, NULL);
    live_map_set_domains_listed(other, facts->domains_complete);
    shuffle(all, rand);
    for (guint i = 0; i < all->len; i++) {
        put_one(other, facts, all->pdata[i]);
        if (chance(rand, 10))
            live_map_settle(other, run->monotonic, run->now);
    }
    live_map_settle(other, run->monotonic, run->now);
    live_map_settle(other, run->monotonic + LIVE_GRACE, run->now);
    others = live_map_rows(other);
    compare(run, "rows in another order", rows_text(rows), rows_text(others));
    if (live_map_size(other) != live_map_size(run->live))
        wrong(&run->consumer, g_strdup_printf("%u records, in another order %u", live_map_size(run->live),
                                              live_map_size(other)));
}

/* NULL: nothing is wrong; else what. */
static char *run_ops(const GArray *ops)
{
    Run run = {.monotonic = START, .now = WORLD_NOW};
    char *result;

    consumer_init(&run.consumer);
    run.live = live_map_new(checks_run);
    live_map_set_domains_listed(run.live, TRUE);
    for (guint id = 0; id < SOURCE_COUNT; id++)
        live_map_set_source(run.live, id, SOURCE_LIVE, NULL);
    for (guint i = 0; i < ops->len && !run.consumer.wrong; i++) {
        apply(&run, &g_array_index(ops, Op, i));
        if (i % 50 == 49 || i + 1 == ops->len) {
            rest(&run);
            check_rest(&run);
        }
    }
    if (!run.consumer.wrong)
        check_order(&run, ops->len);
    live_map_free(run.live);
    result = g_steal_pointer(&run.consumer.wrong);
    consumer_clear(&run.consumer);
    return result;
}

/* ------------------------------------------------------------------------------------------- shrink */

static GArray *without(const GArray *ops, guint from, guint count)
{
    GArray *less = g_array_new(FALSE, FALSE, sizeof(Op));

    for (guint i = 0; i < ops->len; i++) {
        if (i < from || i >= from + count)
            g_array_append_val(less, g_array_index(ops, Op, i));
    }
    return less;
}

/* Drops what it can while it still fails. Takes ops. */
static GArray *shrink(GArray *ops)
{
    for (guint size = ops->len / 2; size > 0; size /= 2) {
        for (guint at = 0; at + size <= ops->len;) {
            GArray *less = without(ops, at, size);
            g_autofree char *failed = run_ops(less);

            if (failed) {
                g_array_unref(ops);
                ops = less;
            } else {
                g_array_unref(less);
                at += size;
            }
        }
    }
    return ops;
}

static void report(guint32 seed, GArray *ops)
{
    g_autofree char *failed = NULL;

    ops = shrink(ops);
    failed = run_ops(ops);
    g_test_message("seed %u, %u operations:", seed, ops->len);
    for (guint i = 0; i < ops->len; i++)
        g_test_message("  %s %u", op_names[g_array_index(ops, Op, i).kind], g_array_index(ops, Op, i).seed);
    g_test_message("%s", failed);
    g_array_unref(ops);
    g_test_fail();
}

static OpKind random_kind(GRand *rand)
{
    static const guint8 weights[OP_KINDS] = {14, 4, 8, 2, 8, 18, 5, 2, 9, 12, 1, 1, 1, 1, 14};
    gint at = g_rand_int_range(rand, 0, 100);
    guint kind = 0;

    for (; kind + 1 < OP_KINDS && at >= weights[kind]; kind++)
        at -= weights[kind];
    return kind;
}

static GArray *random_ops(guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    GArray *ops = g_array_new(FALSE, FALSE, sizeof(Op));

    for (guint i = 0; i < STEPS; i++) {
        Op op = {.kind = random_kind(rand), .seed = g_rand_int(rand)};

        g_array_append_val(ops, op);
    }
    return ops;
}

static guint64 number_of(const char *name, guint64 otherwise)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void test_random(void)
{
    guint64 runs = number_of("LIVE_RUNS", RUNS);
    guint64 seed = number_of("LIVE_SEED", 1);

    for (guint64 i = 0; i < runs && !g_test_failed(); i++) {
        g_autoptr(GArray) ops = random_ops((guint32)(seed + i));
        g_autofree char *failed = run_ops(ops);

        if (failed)
            report((guint32)(seed + i), g_array_ref(ops));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/live/random", test_random);
    return g_test_run();
}
