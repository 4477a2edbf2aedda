/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <net/if.h>
#include <string.h>

/* Each test changes one thing of a host on which everything works (world_host). */

#define MAC1 "52:54:00:00:00:01"
#define MAC2 "52:54:00:00:00:02"
#define STRANGER "52:54:00:00:00:77"

static void assert_findings(Facts *facts, const char *expected)
{
    g_autofree char *text = world_findings(facts);

    g_assert_cmpstr(text, ==, expected);
}

/* The only finding there is, with its message and its evidence. */
static void assert_only(Facts *facts, const char *id, Level level, const char *object, const char *message,
                        const char *evidence)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    const Finding *finding = world_finding(findings, id);

    g_assert_cmpuint(findings->len, ==, 1);
    g_assert_cmpint(finding->level, ==, level);
    g_assert_cmpint(finding->kind, ==, OBJECT_INTERFACE);
    g_assert_cmpstr(finding->object, ==, object);
    g_assert_cmpint(finding->repair, ==, check_find(id)->repair);
    g_assert_cmpstr(finding->message, ==, message);
    g_assert_cmpuint(finding->evidence->len, ==, evidence ? 1 : 0);
    if (evidence)
        g_assert_cmpstr(finding->evidence->pdata[0], ==, evidence);
    /* The map's row meets it. */
    map_attach(map, findings);
    g_assert_cmpstr(world_row(map, object)->problems->pdata[0], ==, id);
}

/* Nobody is told but who looks again, until that is sure. */
static void assert_unsettled(Facts *facts, const char *id)
{
    const CheckScope scope = {.grace = CHECK_GRACE};
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(Health) health = checks_examine(&scope, facts, map);
    const Finding *finding = world_finding(health->findings, id);
    guint before = health->findings->len;

    assert_findings(facts, "");
    g_assert_true(finding && finding->unsettled);
    g_assert_true(health_is_unsettled(health));
    health_settle(health);
    g_assert_cmpuint(health->findings->len, ==, before - 1);
    g_assert_false(health_is_unsettled(health));
    g_assert_cmpuint(health->counts[LEVEL_WARNING] + health->counts[LEVEL_CRITICAL], ==, 0);
}

/* Two parties, both of them told: "object: evidence" of each. */
static void assert_two(Facts *facts, const char *id, const char *message, const char *expected)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    g_autofree char *text = NULL;

    g_assert_cmpuint(findings->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const Finding *finding = findings->pdata[i];
        g_autofree char *before = g_steal_pointer(&text);

        g_assert_cmpstr(finding->id, ==, id);
        g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
        g_assert_cmpstr(finding->message, ==, message);
        g_assert_cmpuint(finding->evidence->len, ==, 1);
        text = g_strdup_printf("%s%s%s: %s", before ? before : "", before ? "; " : "", finding->object,
                               (const char *)finding->evidence->pdata[0]);
    }
    g_assert_cmpstr(text, ==, expected);
}

static Domain *domain_of(Facts *facts, guint index)
{
    return facts->domains->pdata[index];
}

static DomainInterface *nic_of(Facts *facts, guint domain, guint nic)
{
    return domain_of(facts, domain)->interfaces->pdata[nic];
}

static void remove_link(Facts *facts, guint ifindex)
{
    g_ptr_array_remove(facts->links, facts_link(facts, ifindex));
}

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* -------------------------------------------------------------------------------------------- taps */

static void test_tap_missing(void)
{
    g_autoptr(Facts) facts = world_host();

    remove_link(facts, 11);
    assert_only(facts, "tap-missing", LEVEL_CRITICAL, "vnet0", "VM1's tap vnet0 does not exist", NULL);
    replace(&nic_of(facts, 0, 0)->type, "direct"); /* its device is another kind's affair */
    assert_findings(facts, "");
}

static void test_tap_missing_inactive(void)
{
    g_autoptr(Facts) facts = world_host();

    nic_of(facts, 3, 0)->target = g_strdup("mytap"); /* VM4 is off */
    assert_findings(facts, "");
}

static void test_tap_orphaned(void)
{
    g_autoptr(Facts) facts = world_host();
    Link *tap = facts_link(facts, 11);

    tap->master = 0;
    assert_only(facts, "tap-orphaned", LEVEL_CRITICAL, "vnet0", "VM1's tap vnet0 is not on its bridge virbr0",
                "master of vnet0: none");
    tap->master = 30;
    assert_only(facts, "tap-orphaned", LEVEL_CRITICAL, "vnet0", "VM1's tap vnet0 is not on its bridge virbr0",
                "master of vnet0: docker0");
}

static void assert_remedy(Facts *facts, const char *id, const char *expected)
{
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, 1U << OBJECT_INTERFACE);

    g_assert_cmpstr(world_finding(findings, id)->remedy, ==, expected);
}

/* Of a bridge that is gone: first the network that makes it, then the tap. */
static void test_tap_orphaned_remedy(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = facts_network(facts, "lab");

    facts_link(facts, 21)->master = 0;
    assert_remedy(facts, "tap-orphaned", "ip link set vnet2 master virbr1");
    remove_link(facts, 20);
    assert_remedy(facts, "tap-orphaned",
                  "vnat net-destroy lab && vnat net-start lab && ip link set vnet2 master virbr1");
    network->active = FALSE;
    assert_remedy(facts, "tap-orphaned", "vnat net-start lab && ip link set vnet2 master virbr1");
    replace(&nic_of(facts, 1, 1)->network, NULL);
    assert_remedy(facts, "tap-orphaned", "make the bridge virbr1, then put vnet2 on it");
}

static RepairClass class_of(Facts *facts, const char *id)
{
    const CheckScope scope = {.grace = CHECK_GRACE};
    g_autoptr(Map) map = map_join(facts);
    g_autoptr(GPtrArray) findings = checks_run(facts, map, 1U << OBJECT_INTERFACE);
    g_autoptr(Health) health = checks_examine(&scope, facts, map);
    RepairClass class = world_finding(findings, id)->repair;

    for (guint i = 0; i < health->findings->len; i++) {
        const Finding *finding = health->findings->pdata[i];

        if (strcmp(finding->id, id) == 0 && finding->level != LEVEL_UNKNOWN)
            g_assert_cmpint(finding->repair, ==, class);
    }
    return class;
}

/* Only what is a plain port is vnat's to put back; what that is nobody knows where its network was not read.
 */
static void test_tap_orphaned_class(void)
{
    g_autoptr(Facts) plain = world_host(), unread = world_host(), bridged = world_host();
    g_autoptr(Facts) special = world_host(), none = world_host();

    facts_link(plain, 11)->master = 0;
    g_assert_cmpint(class_of(plain, "tap-orphaned"), ==, REPAIR_SAFE);
    replace(&facts_network(plain, "default")->forward, "bridge");
    g_assert_cmpint(class_of(plain, "tap-orphaned"), ==, REPAIR_NEVER);
    facts_link(unread, 11)->master = 0;
    facts_network(unread, "default")->xml_read = FALSE;
    g_assert_cmpint(class_of(unread, "tap-orphaned"), ==, REPAIR_SAFE);
    facts_link(bridged, 13)->master = 0; /* VM3's, of type bridge */
    g_assert_cmpint(class_of(bridged, "tap-orphaned"), ==, REPAIR_NEVER);
    assert_remedy(bridged, "tap-orphaned", "ip link set vnet3 master virbr0");
    facts_link(special, 21)->master = 0; /* VM2's second */
    g_assert_cmpint(class_of(special, "tap-orphaned"), ==, REPAIR_SAFE);
    nic_of(special, 1, 1)->has_virtualport = TRUE;
    g_assert_cmpint(class_of(special, "tap-orphaned"), ==, REPAIR_NEVER);
    facts_link(none, 11)->master = 0;
    replace(&nic_of(none, 0, 0)->network, "undefined");
    g_assert_cmpint(class_of(none, "tap-orphaned"), ==, REPAIR_SAFE);
}

static void test_tap_down_remedy(void)
{
    g_autoptr(Facts) facts = world_host();

    nic_of(facts, 0, 0)->link = LINK_DOWN;
    replace(&domain_of(facts, 0)->name, "my VM");
    replace(&nic_of(facts, 0, 0)->target, "-$x");
    replace(&facts_link(facts, 11)->name, "-$x");
    assert_remedy(facts, "tap-down", "virsh domif-setlink 'my VM' -- '-$x' up");
    facts_link(facts, 11)->flags = 0;
    assert_remedy(facts, "tap-down", "ip link set '-$x' up");
}

/* A bridge of Open vSwitch is no master; the kernel names its datapath. */
static void test_tap_of_openvswitch(void)
{
    g_autoptr(Facts) facts = world_host();
    Domain *domain = world_domain(facts, "VM5", 5);

    world_link(facts, 40, "ovsbr0", "openvswitch");
    world_link(facts, 41, "ovs-system", "openvswitch");
    world_nic(domain, NULL, "ovsbr0", STRANGER, "vnet9");
    world_tap(facts, 42, "vnet9", 41, STRANGER);
    assert_findings(facts, "");
}

static void test_tap_down(void)
{
    g_autoptr(Facts) facts = world_host();
    Link *tap = facts_link(facts, 11);

    tap->flags &= ~(guint32)IFF_UP;
    assert_only(facts, "tap-down", LEVEL_WARNING, "vnet0", "VM1's tap vnet0 is down", NULL);
    tap->flags |= IFF_UP;
    nic_of(facts, 0, 0)->link = LINK_UP;
    assert_findings(facts, "");
    nic_of(facts, 0, 0)->link = LINK_DOWN;
    assert_only(facts, "tap-down", LEVEL_WARNING, "vnet0", "the link of VM1 on vnet0 is set down in libvirt",
                NULL);
}

static void test_tap_unclaimed(void)
{
    g_autoptr(Facts) facts = world_host();
    Link *stray = world_tap(facts, 15, "stray", 10, STRANGER);

    assert_only(facts, "tap-unclaimed", LEVEL_WARNING, "stray",
                "stray is on bridge virbr0, but no domain claims it", "kind tun, ifindex 15");
    replace(&stray->kind, "veth");
    assert_findings(facts, "warning tap-unclaimed stray\n");
    replace(&stray->kind, NULL); /* a card that somebody put on the bridge */
    assert_findings(facts, "");
}

static void test_tap_unclaimed_unknown(void)
{
    g_autoptr(Facts) facts = world_host();

    g_ptr_array_set_size(domain_of(facts, 0)->interfaces, 0);
    assert_findings(facts, "warning tap-unclaimed vnet0\n");
    facts->domains_complete = FALSE;
    assert_findings(facts, "");
}

static void test_mtu(void)
{
    g_autoptr(Facts) facts = world_host();

    facts_link(facts, 11)->mtu = 1400;
    assert_only(facts, "mtu-mismatch", LEVEL_WARNING, "vnet0",
                "MTU of vnet0 is 1400, of its bridge virbr0 1500", NULL);
    facts_link(facts, 11)->mtu = 9000;
    assert_findings(facts, "warning mtu-mismatch vnet0\n");
}

/* -------------------------------------------------------------------------------------- duplicates */

static void test_duplicate_mac(void)
{
    g_autoptr(Facts) facts = world_host();
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) findings = NULL;
    const Finding *finding;

    nic_of(facts, 2, 0)->mac = world_mac_of(MAC1);
    map = map_join(facts);
    findings = checks_run(facts, map, G_MAXUINT);
    g_assert_cmpuint(findings->len, ==, 2);
    finding = findings->pdata[0];
    g_assert_cmpstr(finding->id, ==, "duplicate-mac");
    g_assert_cmpint(finding->level, ==, LEVEL_CRITICAL);
    g_assert_cmpstr(finding->object, ==, "vnet0");
    g_assert_cmpstr(finding->message, ==, "MAC " MAC1 " of VM1 is used twice on network default");
    g_assert_cmpstr(finding->evidence->pdata[0], ==, "also on vnet3 of VM3");
    g_assert_cmpstr(((const Finding *)findings->pdata[1])->object, ==, "vnet3");
}

/* And since when the guests run, which may have none yet. */
static void forget_addresses(Facts *facts)
{
    g_ptr_array_set_size(facts->leases, 0);
    g_array_set_size(facts->neighbours, 0);
    for (guint i = 0; i < facts->domains->len; i++)
        domain_of(facts, i)->started = 0;
}

static void test_same_mac_elsewhere(void)
{
    g_autoptr(Facts) facts = world_host();

    /* On another network, and of a domain that is off. */
    nic_of(facts, 1, 1)->mac = world_mac_of(MAC1);
    nic_of(facts, 3, 0)->mac = world_mac_of(MAC1);
    forget_addresses(facts);
    assert_findings(facts, "");
}

static void test_duplicate_mac_learned(void)
{
    g_autoptr(Facts) facts = world_host();

    world_learn(facts, 12, 10, MAC1)->vlan = 7; /* another VLAN is another segment */
    g_array_remove_index(facts->fdb, 1);
    nic_of(facts, 1, 0)->mac = world_mac_of(MAC1);
    replace(&nic_of(facts, 1, 0)->network, "lab");
    forget_addresses(facts);
    replace(&nic_of(facts, 1, 0)->bridge, "virbr0");
    assert_findings(facts, "");
    world_learn(facts, 12, 10, MAC1)->permanent = TRUE; /* set by hand, not learned */
    assert_findings(facts, "");
    world_learn(facts, 12, 10, MAC1);
    assert_two(facts, "duplicate-mac", "MAC " MAC1 " was learned on two ports of virbr0",
               "vnet0: also on port vnet1; vnet1: also on port vnet0");
    /* On a third one: still one finding a port. */
    world_learn(facts, 13, 10, MAC1);
    assert_findings(facts, "critical duplicate-mac vnet0\n"
                           "critical duplicate-mac vnet3\n"
                           "critical duplicate-mac vnet1\n"
                           "warning mac-mismatch vnet3\n");
}

static void test_duplicate_address(void)
{
    g_autoptr(Facts) facts = world_host();
    Neighbour *neighbour = world_neighbour(facts, 10, "192.168.122.11", STRANGER, NEIGHBOUR_REACHABLE);

    assert_only(facts, "duplicate-address", LEVEL_CRITICAL, "vnet0", "192.168.122.11 is claimed by two MACs",
                "lease: " MAC1 "; answers now: " STRANGER);
    neighbour->state = NEIGHBOUR_STALE; /* the one that had it before */
    assert_findings(facts, "");
    neighbour->confirmed = 60;
    assert_findings(facts, "");
    neighbour->confirmed = 59;
    assert_findings(facts, "critical duplicate-address vnet0\n");
    neighbour->state = NEIGHBOUR_FAILED;
    assert_findings(facts, "");
    neighbour->state = NEIGHBOUR_PERMANENT;
    assert_findings(facts, "");
    neighbour->state = NEIGHBOUR_DELAY;
    assert_findings(facts, "critical duplicate-address vnet0\n");
    neighbour->confirmed = 60;
    assert_unsettled(facts, "duplicate-address");
    neighbour->state = NEIGHBOUR_REACHABLE;
    neighbour->ifindex = 2; /* the same address on another network is another address */
    assert_findings(facts, "");
}

static void test_duplicate_client(void)
{
    g_autoptr(Facts) facts = world_host();
    Lease *first = facts->leases->pdata[0];
    Lease *other = facts->leases->pdata[2];

    replace(&other->client_id, first->client_id);
    assert_two(facts, "duplicate-address", "VM1 and VM2 use one DHCP client-id",
               "vnet0: client-id 01:52:54:00:00:00:01; vnet1: client-id 01:52:54:00:00:00:01");
    /* With another lease of one of them, the two are the same two. */
    replace(&((Lease *)facts->leases->pdata[1])->client_id, first->client_id);
    assert_two(facts, "duplicate-address", "VM1 and VM2 use one DHCP client-id",
               "vnet0: client-id 01:52:54:00:00:00:01; vnet1: client-id 01:52:54:00:00:00:01");
    replace(&((Lease *)facts->leases->pdata[1])->client_id, NULL);
    /* One MAC may have several leases; on another network it is another server's affair. */
    replace(&other->client_id, NULL);
    replace(&((Lease *)facts->leases->pdata[3])->client_id, first->client_id);
    assert_findings(facts, "");
}

/* A DUID names the host: its interfaces share it. */
static void test_shared_duid(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *network = facts_network(facts, "default");

    world_ip(network, "fd00:10::1/64", "fd00:10::100", "fd00:10::1ff");
    g_ptr_array_set_size(facts->leases, 0);
    g_array_set_size(facts->neighbours, 0);
    world_lease(facts, "default", MAC1, "fd00:10::101", 60)->client_id = g_strdup("00:04:aa");
    world_lease(facts, "default", MAC2, "fd00:10::102", 60)->client_id = g_strdup("00:04:aa");
    {
        g_autoptr(Map) map = map_join(facts);
        g_autoptr(GPtrArray) findings = checks_run(facts, map, 1U << OBJECT_INTERFACE);

        for (guint i = 0; i < findings->len; i++)
            g_assert_cmpstr(((const Finding *)findings->pdata[i])->id, !=, "duplicate-address");
    }
}

/* ------------------------------------------------------------------------------------------ guests */

static void test_mac_mismatch(void)
{
    g_autoptr(Facts) facts = world_host();
    FdbEntry *entry = world_learn(facts, 11, 10, STRANGER);

    assert_only(facts, "mac-mismatch", LEVEL_WARNING, "vnet0",
                "VM1 sends on vnet0 with a MAC that its XML does not have",
                "XML: " MAC1 "; learned on vnet0: " STRANGER);
    entry->permanent = TRUE;
    assert_findings(facts, "");
    entry->permanent = FALSE;
    entry->ifindex = 31; /* a port of another bridge */
    assert_findings(facts, "");
    entry->ifindex = 14; /* the probe's endpoint has no XML */
    assert_findings(facts, "");
}

/* VM3 took an address of the pool without asking for it. */
static Facts *static_in_pool(const char *ip, guint16 state)
{
    Facts *facts = world_host();

    world_neighbour(facts, 10, ip, "52:54:00:00:00:03", state);
    world_learn(facts, 13, 10, "52:54:00:00:00:03");
    return facts;
}

static void test_address_unleased(void)
{
    g_autoptr(Facts) facts = static_in_pool("192.168.122.200", NEIGHBOUR_REACHABLE);

    assert_only(facts, "address-unleased", LEVEL_WARNING, "vnet3",
                "VM3 uses 192.168.122.200 of default's DHCP range without a lease", NULL);
    g_array_index(facts->neighbours, Neighbour, facts->neighbours->len - 1).state = NEIGHBOUR_STALE;
    assert_findings(facts, "");
    /* What dnsmasq offers stands in the table before anybody has it. */
    g_array_index(facts->neighbours, Neighbour, facts->neighbours->len - 1).state = NEIGHBOUR_DELAY;
    assert_unsettled(facts, "address-unleased");
    g_array_index(facts->neighbours, Neighbour, facts->neighbours->len - 1).state = NEIGHBOUR_PROBE;
    assert_unsettled(facts, "address-unleased");
    g_array_index(facts->neighbours, Neighbour, facts->neighbours->len - 1).confirmed = 59;
    assert_findings(facts, "warning address-unleased vnet3\n");
    world_lease(facts, "default", "52:54:00:00:00:03", "192.168.122.200", 60);
    g_array_index(facts->neighbours, Neighbour, facts->neighbours->len - 1).state = NEIGHBOUR_REACHABLE;
    assert_findings(facts, "");
    ((Lease *)facts->leases->pdata[facts->leases->len - 1])->expiry = WORLD_NOW;
    assert_findings(facts, "warning address-unleased vnet3\n");
    /* A frame of that MAC must have come through a port just now. */
    g_array_set_size(facts->fdb, facts->fdb->len - 1);
    assert_findings(facts, "");
}

static void test_address_unleased_range(void)
{
    static const struct {
        const char *ip;
        gboolean inside;
    } cases[] = {{"192.168.122.49", FALSE},
                 {"192.168.122.50", TRUE},
                 {"192.168.122.60", TRUE},
                 {"192.168.122.61", FALSE},
                 {"fd00:20::50", FALSE}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = static_in_pool(cases[i].ip, NEIGHBOUR_REACHABLE);
        NetworkIp *ip = facts_network(facts, "default")->ips->pdata[0];
        DhcpRange *range = &g_array_index(ip->ranges, DhcpRange, 0);

        range->first = world_ip_of("192.168.122.50");
        range->last = world_ip_of("192.168.122.60");
        assert_findings(facts, cases[i].inside ? "warning address-unleased vnet3\n" : "");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checks/tap-missing", test_tap_missing);
    g_test_add_func("/checks/tap-missing/inactive", test_tap_missing_inactive);
    g_test_add_func("/checks/tap-orphaned", test_tap_orphaned);
    g_test_add_func("/checks/tap-orphaned/remedy", test_tap_orphaned_remedy);
    g_test_add_func("/checks/tap-orphaned/class", test_tap_orphaned_class);
    g_test_add_func("/checks/tap-down/remedy", test_tap_down_remedy);
    g_test_add_func("/checks/tap-orphaned/openvswitch", test_tap_of_openvswitch);
    g_test_add_func("/checks/tap-down", test_tap_down);
    g_test_add_func("/checks/tap-unclaimed", test_tap_unclaimed);
    g_test_add_func("/checks/tap-unclaimed/unknown", test_tap_unclaimed_unknown);
    g_test_add_func("/checks/mtu-mismatch", test_mtu);
    g_test_add_func("/checks/duplicate-mac", test_duplicate_mac);
    g_test_add_func("/checks/duplicate-mac/elsewhere", test_same_mac_elsewhere);
    g_test_add_func("/checks/duplicate-mac/learned", test_duplicate_mac_learned);
    g_test_add_func("/checks/duplicate-address", test_duplicate_address);
    g_test_add_func("/checks/duplicate-address/client", test_duplicate_client);
    g_test_add_func("/checks/duplicate-address/duid", test_shared_duid);
    g_test_add_func("/checks/mac-mismatch", test_mac_mismatch);
    g_test_add_func("/checks/address-unleased", test_address_unleased);
    g_test_add_func("/checks/address-unleased/range", test_address_unleased_range);
    return g_test_run();
}
