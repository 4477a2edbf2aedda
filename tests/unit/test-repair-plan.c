/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/repair.h"
#include "model/firewall.h"
#include "world.h"

#include <net/if.h>
#include <string.h>

/* The plan for a host on which everything works but what the test breaks: order, classes, refusals. */

typedef struct {
    Map *map;
    GPtrArray *findings;
    GPtrArray *steps;
} Plan;

static void plan_clear(Plan *plan)
{
    g_ptr_array_unref(plan->steps);
    g_ptr_array_unref(plan->findings);
    map_free(plan->map);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

/* networks, ids: words, NULL: none. extra: a finding that these facts do not give, or NULL; taken. */
static Plan plan_with(Facts *facts, const char *networks, const char *ids, Finding *extra)
{
    g_auto(GStrv) names = networks ? g_strsplit(networks, " ", -1) : NULL;
    g_auto(GStrv) checks = ids ? g_strsplit(ids, " ", -1) : NULL;
    const RepairAsked asked = {(const char *const *)names, (const char *const *)checks};
    Plan plan = {.map = map_join(facts)};
    RepairView view = {NULL, facts, plan.map, NULL};

    plan.findings = checks_run(facts, plan.map, G_MAXUINT);
    if (extra)
        g_ptr_array_add(plan.findings, extra);
    view.findings = plan.findings;
    plan.steps = repair_plan(&view, &asked);
    return plan;
}

static Plan plan_of(Facts *facts, const char *networks, const char *ids)
{
    return plan_with(facts, networks, ids, NULL);
}

/* "state id object" a line. */
static void assert_plan(const Plan *plan, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < plan->steps->len; i++) {
        const Step *step = plan->steps->pdata[i];

        g_assert_nonnull(step->action);
        g_assert_cmpint(step->detail != NULL, ==, step->state != STEP_PLANNED);
        g_string_append_printf(text, "%s %s %s\n", step_state_name(step->state), step->id, step->object);
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static const Step *only_step(const Plan *plan)
{
    g_assert_cmpuint(plan->steps->len, ==, 1);
    return plan->steps->pdata[0];
}

static void assert_step(const Plan *plan, StepState state, const char *action, const char *detail)
{
    const Step *step = only_step(plan);

    g_assert_cmpstr(step->action, ==, action);
    g_assert_cmpstr(step->detail, ==, detail);
    g_assert_cmpint(step->state, ==, state);
}

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

static Network *network_of(Facts *facts, const char *name)
{
    return facts_network(facts, name);
}

static Finding *finding_of(const char *id, ObjectKind kind, const char *object, const char *network,
                           RepairClass repair)
{
    Finding *finding = finding_new(id, LEVEL_CRITICAL, kind, object);

    finding->network = g_strdup(network);
    finding->repair = repair;
    finding_message(finding, "%s", id);
    finding_remedy(finding, "by hand");
    return finding;
}

static void drop_proc(Facts *facts, const char *path, const char *value)
{
    for (guint i = 0; i < facts->proc->len; i++) {
        if (strcmp(((ProcValue *)facts->proc->pdata[i])->path, path) == 0)
            g_ptr_array_remove_index(facts->proc, i--);
    }
    g_ptr_array_add(facts->proc, proc_value_new(path, value));
}

static const Step *step_named(const Plan *plan, const char *id)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        if (strcmp(((const Step *)plan->steps->pdata[i])->id, id) == 0)
            return plan->steps->pdata[i];
    }
    g_assert_not_reached();
}

/* Its sockets with it: those of another process would be a rival's. */
static void kill_dnsmasq(Facts *facts, guint index)
{
    Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[index];

    dnsmasq->alive = FALSE;
    for (guint i = facts->sockets->len; i-- > 0;) {
        if (((const Socket *)facts->sockets->pdata[i])->pid == dnsmasq->pid)
            g_ptr_array_remove_index(facts->sockets, i);
    }
}

/* ------------------------------------------------------------------------------------------- order */

static void test_healthy(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan = plan_of(facts, NULL, NULL);

    assert_plan(&plan, "");
}

/* A tap, a bridge, a dead dnsmasq, a network that does not run, another without autostart. */
static Facts *broken_host(void)
{
    Facts *facts = world_host();
    Network *other = world_network(facts, "other", "isolated", "virbr9");

    facts_link(facts, 11)->master = 0;
    facts_link(facts, 10)->flags &= ~(guint)IFF_UP;
    kill_dnsmasq(facts, 1);
    network_of(facts, "lab")->autostart = FALSE;
    world_ip(other, "10.99.0.1/24", NULL, NULL);
    other->active = FALSE;
    return facts;
}

static void test_order(void)
{
    g_autoptr(Facts) facts = broken_host();
    g_auto(Plan) plan = plan_of(facts, NULL, NULL);
    g_auto(Plan) consented = plan_of(facts, NULL, "network-no-autostart");

    assert_plan(&plan, "planned tap-orphaned vnet0\nplanned bridge-down default\nplanned dnsmasq-dead lab\n"
                       "planned network-inactive other\nskipped network-no-autostart lab\n");
    assert_plan(&consented,
                "planned tap-orphaned vnet0\nplanned bridge-down default\nplanned dnsmasq-dead lab\n"
                "planned network-inactive other\nplanned network-no-autostart lab\n");
}

static void test_networks(void)
{
    g_autoptr(Facts) facts = broken_host();
    g_auto(Plan) one = plan_of(facts, "default", NULL);
    g_auto(Plan) two = plan_of(facts, "default other", NULL);

    assert_plan(&one, "planned tap-orphaned vnet0\nplanned bridge-down default\n");
    assert_plan(&two, "planned tap-orphaned vnet0\nplanned bridge-down default\n"
                      "planned network-inactive other\n");
}

/* What is consented to comes with its command; what is a person's, with the remedy. */
static void test_classes(void)
{
    g_autoptr(Facts) facts = world_host();
    const Step *step;
    g_auto(Plan) plan = {0};

    network_of(facts, "lab")->autostart = FALSE;
    network_of(facts, "default")->autostart = FALSE;
    plan = plan_of(facts, "lab", "mtu-mismatch");
    assert_step(&plan, STEP_SKIPPED, "have network lab started with the host", "needs consent");
    step = only_step(&plan);
    g_assert_cmpint(step->repair, ==, REPAIR_CONSENT);
    g_assert_cmpstr(step->command, ==, "vnat repair --apply --id mtu-mismatch --id network-no-autostart lab");
}

static void test_never(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan =
        plan_with(facts, NULL, "port-conflict",
                  finding_of("port-conflict", OBJECT_NETWORK, "default", "default", REPAIR_NEVER));

    assert_step(&plan, STEP_SKIPPED, "by hand", "not for vnat to mend");
    g_assert_cmpint(only_step(&plan)->repair, ==, REPAIR_NEVER);
    g_assert_true(repair_exists("tap-down") && !repair_exists("port-conflict") && !repair_exists("nonsense"));
}

/* Neither what is unknown nor what is only told is a fault. */
static void test_levels(void)
{
    g_autoptr(Facts) facts = world_host();
    Finding *unknown = finding_of("dnsmasq-dead", OBJECT_NETWORK, "default", "default", REPAIR_SAFE);
    g_auto(Plan) plan = {0};

    unknown->level = LEVEL_UNKNOWN;
    plan = plan_with(facts, NULL, NULL, unknown);
    assert_plan(&plan, "");
}

/* -------------------------------------------------------------------------------------------- taps */

#define PUT_BACK "put vnet0 of VM1 back on virbr0"
#define FOREIGN "vnet0 does not have the MAC address that libvirt gives a tap of VM1: it may be another's"

static Facts *orphan_host(void)
{
    Facts *facts = world_host();

    facts_link(facts, 11)->master = 0;
    return facts;
}

static DomainInterface *nic_of(Facts *facts)
{
    return ((Domain *)facts->domains->pdata[0])->interfaces->pdata[0];
}

static void assert_tap(Facts *facts, const char *refusal)
{
    g_auto(Plan) plan = plan_of(facts, NULL, NULL);

    for (guint i = plan.steps->len; i-- > 0;) {
        if (strcmp(((Step *)plan.steps->pdata[i])->id, "tap-orphaned") != 0)
            g_ptr_array_remove_index(plan.steps, i);
    }
    assert_step(&plan, refusal ? STEP_FAILED : STEP_PLANNED, PUT_BACK, refusal);
    if (refusal)
        g_assert_true(g_str_has_suffix(only_step(&plan)->command, "ip link set vnet0 master virbr0"));
}

static void test_tap(void)
{
    static const char *const modes[] = {"nat", "route", "isolated"};

    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(Facts) facts = orphan_host();

        replace(&network_of(facts, "default")->forward, modes[i]);
        assert_tap(facts, NULL);
    }
    {
        g_autoptr(Facts) facts = orphan_host();

        facts_link(facts, 11)->master = 20; /* on another bridge */
        assert_tap(facts, NULL);
    }
}

/* The remedy is told, as of all that is a person's, whatever was consented to. */
static void assert_tap_by_hand(Facts *facts)
{
    g_auto(Plan) plan = plan_of(facts, NULL, "tap-down");
    const Step *step = step_named(&plan, "tap-orphaned");

    g_assert_cmpint(step->state, ==, STEP_SKIPPED);
    g_assert_cmpint(step->repair, ==, REPAIR_NEVER);
    g_assert_cmpstr(step->action, ==, "ip link set vnet0 master virbr0");
    g_assert_cmpstr(step->detail, ==, "not for vnat to mend");
}

static void test_tap_not_plain(void)
{
    g_autoptr(Facts) open = orphan_host(), mode = orphan_host(), table = orphan_host();
    g_autoptr(Facts) vlan = orphan_host(), virtual = orphan_host(), bridge = orphan_host();

    replace(&network_of(open, "default")->forward, "open");
    assert_tap_by_hand(open);
    replace(&network_of(mode, "default")->forward, "bridge");
    assert_tap_by_hand(mode);
    network_of(table, "default")->mac_table_libvirt = TRUE;
    assert_tap_by_hand(table);
    replace(&nic_of(bridge)->type, "bridge");
    assert_tap_by_hand(bridge);
    nic_of(vlan)->has_vlan = TRUE;
    assert_tap_by_hand(vlan);
    nic_of(virtual)->has_virtualport = TRUE;
    assert_tap_by_hand(virtual);
}

/* Nobody knows then whether its port is plain: that is a failure, which may pass. */
static void test_tap_unread(void)
{
    g_autoptr(Facts) facts = orphan_host();

    network_of(facts, "default")->xml_read = FALSE;
    assert_tap(facts, "the definition of its network default is not known");
}

/* What is found plain, and is not when its turn comes. */
static void test_tap_turned(void)
{
    g_autoptr(Facts) facts = orphan_host();
    Finding *finding = finding_of("tap-orphaned", OBJECT_INTERFACE, "vnet0", "default", REPAIR_SAFE);
    g_auto(Plan) plan = {0};

    finding->domain_uuid = g_strdup(((Domain *)facts->domains->pdata[0])->uuid);
    replace(&nic_of(facts)->type, "bridge");
    facts_link(facts, 11)->master = 10;
    plan = plan_with(facts, NULL, NULL, finding);
    assert_step(&plan, STEP_FAILED, PUT_BACK, "it is no plain port of a NAT, routed or isolated network");
}

/* The MAC tells whose it is: the guest's with fe in front, or fa where the guest's begins with fe. */
static void test_tap_foreign(void)
{
    g_autoptr(Facts) other = orphan_host(), first = orphan_host(), kind = orphan_host();
    g_autoptr(Facts) fe = orphan_host(), same = orphan_host();

    facts_link(other, 11)->mac = world_mac_of("fe:54:00:00:00:99");
    assert_tap(other, FOREIGN);
    facts_link(first, 11)->mac = world_mac_of("52:54:00:00:00:01");
    assert_tap(first, FOREIGN);
    replace(&facts_link(kind, 11)->kind, "veth");
    assert_tap(kind, FOREIGN);
    nic_of(fe)->mac = world_mac_of("fe:54:00:00:00:01");
    facts_link(fe, 11)->mac = world_mac_of("fa:54:00:00:00:01");
    assert_tap(fe, NULL);
    nic_of(same)->mac = world_mac_of("fe:54:00:00:00:01");
    assert_tap(same, FOREIGN);
}

/* Set down, it may be meant to be cut off. */
static void test_tap_down(void)
{
    g_autoptr(Facts) facts = orphan_host();

    facts_link(facts, 11)->flags &= ~(guint)IFF_UP;
    assert_tap(facts, "vnet0 is set down, which may be meant: this needs --id tap-down too");
    {
        g_auto(Plan) plan = plan_of(facts, NULL, "tap-down");

        assert_plan(&plan, "planned tap-orphaned vnet0\nplanned tap-down vnet0\n");
    }
}

/* Its bridge comes with its network, and the tap after it. */
static void test_tap_late(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan = {0};
    g_auto(Plan) foreign = {0};
    g_auto(Plan) without = {0};

    for (guint i = facts->links->len; i-- > 0;) {
        Link *link = facts->links->pdata[i];

        if (link->master == 10)
            link->master = 0;
        if (link->ifindex == 10)
            g_ptr_array_remove_index(facts->links, i);
    }
    for (guint i = facts->routes->len; i-- > 0;) {
        if (g_array_index(facts->routes, Route, i).ifindex == 10)
            g_array_remove_index(facts->routes, i);
    }
    network_of(facts, "default")->active = FALSE;
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->alive = FALSE;
    plan = plan_of(facts, "default", NULL);
    assert_plan(&plan, "planned network-inactive default\nplanned tap-orphaned vnet0\n"
                       "planned tap-orphaned vnet1\n");
    /* It waits for its bridge, but it is another's all the same. */
    facts_link(facts, 11)->mac = world_mac_of("fe:54:00:00:00:99");
    foreign = plan_of(facts, "default", NULL);
    assert_plan(&foreign, "failed tap-orphaned vnet0\nplanned network-inactive default\n"
                          "planned tap-orphaned vnet1\n");
    network_of(facts, "default")->autostart = FALSE;
    without = plan_of(facts, "default", NULL);
    assert_plan(&without, "failed tap-orphaned vnet0\nskipped network-inactive default\n"
                          "failed tap-orphaned vnet1\n");
    g_assert_cmpstr(((Step *)without.steps->pdata[2])->detail, ==, "its bridge virbr0 does not exist");
}

static void test_mtu(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan = {0};
    g_auto(Plan) route = {0};

    facts_link(facts, 11)->mtu = 1400;
    plan = plan_of(facts, NULL, "mtu-mismatch");
    assert_step(&plan, STEP_PLANNED, "set the MTU of vnet0 to 1500, that of virbr0", NULL);
    facts_link(facts, 11)->mtu = 1500;
    route = plan_with(facts, NULL, "mtu-mismatch",
                      finding_of("mtu-mismatch", OBJECT_NETWORK, "default", "default", REPAIR_CONSENT));
    assert_step(&route, STEP_FAILED, "make the MTU one on the whole way",
                "it is no difference between a tap and its bridge");
}

/* That of the way out is a person's to mend, consented to or not. */
static void test_mtu_egress(void)
{
    g_autoptr(Facts) facts = world_host();

    facts_link(facts, 3)->mtu = 1420;
    for (guint i = 0; i < 2; i++) {
        g_auto(Plan) plan = plan_of(facts, NULL, i == 0 ? NULL : "mtu-mismatch");
        const Step *step = only_step(&plan);

        g_assert_cmpstr(step->id, ==, "mtu-mismatch");
        g_assert_cmpint(step->state, ==, STEP_SKIPPED);
        g_assert_cmpint(step->repair, ==, REPAIR_NEVER);
        g_assert_nonnull(strstr(step->action, "--clamp-mss-to-pmtu"));
        g_assert_cmpstr(step->detail, ==, "not for vnat to mend");
        g_assert_null(step->command);
    }
}

/* ---------------------------------------------------------------------------------------- networks */

static void test_bridge(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan = {0};

    facts_link(facts, 10)->flags &= ~(guint)IFF_UP;
    for (guint i = facts->addresses->len; i-- > 0;) {
        if (g_array_index(facts->addresses, LinkAddress, i).ifindex == 10)
            g_array_remove_index(facts->addresses, i);
    }
    plan = plan_of(facts, NULL, NULL);
    g_assert_cmpstr(((Step *)plan.steps->pdata[0])->action, ==,
                    "give virbr0 its address 192.168.122.1/24, set virbr0 up");
}

/* Not asked for, or not able to start: then a reload, which starts them all, is refused. */
static void test_reload(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *other = world_network(facts, "other", "isolated", "virbr9");
    const char *refused =
        "it would also start what does not run and was not asked for, or cannot: network other";

    kill_dnsmasq(facts, 0);
    other->active = FALSE;
    {
        g_auto(Plan) all = plan_of(facts, NULL, NULL);
        g_auto(Plan) one = plan_of(facts, "default", NULL);

        assert_plan(&all, "planned dnsmasq-dead default\nplanned network-inactive other\n");
        assert_step(&one, STEP_FAILED, "reload the network daemon", refused);
    }
    world_ip(other, "10.0.0.1/24", NULL, NULL); /* eth0's */
    {
        g_auto(Plan) all = plan_of(facts, NULL, NULL);

        assert_plan(&all, "failed dnsmasq-dead default\nfailed network-inactive other\n"
                          "skipped subnet-overlap other\n");
        g_assert_cmpstr(((Step *)all.steps->pdata[0])->detail, ==, refused);
    }
    other->autostart = FALSE;
    {
        g_auto(Plan) one = plan_of(facts, "default", NULL);

        assert_step(&one, STEP_PLANNED, "reload the network daemon", NULL);
    }
}

/* Rules that are missing in chains that stand, and chains that are gone. */
static void test_rules(void)
{
    g_autoptr(Facts) facts = world_host();

    for (guint i = 0; i < facts->firewall->len; i++) {
        FirewallTable *table = facts->firewall->pdata[i];

        for (guint k = 0; k < table->chains->len; k++) {
            FirewallChain *chain = table->chains->pdata[k];

            if (g_strcmp0(chain->name, "LIBVIRT_PRT") == 0)
                g_ptr_array_set_size(chain->rules, 0);
        }
    }
    {
        g_auto(Plan) plan = plan_of(facts, NULL, NULL);

        assert_plan(&plan, "planned nat-rules-missing default\n");
        g_assert_cmpstr(only_step(&plan)->action, ==,
                        firewall_frame_stands(facts) ? "reload the network daemon"
                                                     : "restart the network daemon, whose chains are gone");
    }
    g_ptr_array_set_size(facts->firewall, 0);
    {
        g_auto(Plan) plan = plan_of(facts, "default", NULL);

        for (guint i = 0; i < plan.steps->len; i++)
            g_assert_cmpstr(((Step *)plan.steps->pdata[i])->action, ==,
                            "restart the network daemon, whose chains are gone");
        g_assert_cmpuint(plan.steps->len, ==, 2);
    }
}

static Facts *inactive_host(void)
{
    Facts *facts = world_host();
    Network *other = world_network(facts, "other", "nat", "virbr9");

    world_ip(other, "10.99.0.1/24", NULL, NULL);
    other->active = FALSE;
    return facts;
}

static void test_start(void)
{
    g_autoptr(Facts) facts = inactive_host();
    Network *other = network_of(facts, "other");
    Link *bridge;

    {
        g_auto(Plan) plan = plan_of(facts, NULL, NULL);

        assert_step(&plan, STEP_PLANNED, "start network other", NULL);
    }
    other->autostart = FALSE;
    {
        g_auto(Plan) plan = plan_of(facts, NULL, NULL);

        assert_step(&plan, STEP_SKIPPED, "start network other", "needs consent");
    }
    /* A bridge that was left behind is deleted before, if that is consented to. */
    other->autostart = TRUE;
    bridge = world_link(facts, 90, "virbr9", "bridge");
    bridge->is_bridge = TRUE;
    {
        g_auto(Plan) alone = plan_of(facts, NULL, NULL);
        g_auto(Plan) both = plan_of(facts, NULL, "bridge-stale");

        assert_plan(&alone, "skipped bridge-stale other\nfailed network-inactive other\n");
        assert_plan(&both, "planned bridge-stale other\nplanned network-inactive other\n");
        g_assert_cmpstr(((Step *)alone.steps->pdata[1])->detail, ==, "a device virbr9 exists already");
    }
}

static void test_stale(void)
{
    g_autoptr(Facts) facts = inactive_host();
    Link *bridge = world_link(facts, 90, "virbr9", "bridge");

    network_of(facts, "other")->autostart = FALSE;
    bridge->is_bridge = TRUE;
    world_link(facts, 91, "veth9", "veth")->master = 90;
    {
        g_auto(Plan) plan = plan_of(facts, NULL, "bridge-stale");

        g_assert_cmpstr(((Step *)plan.steps->pdata[0])->detail, ==, "veth9 is on it");
    }
    facts_link(facts, 91)->master = 0;
    facts->domains_complete = FALSE;
    {
        g_auto(Plan) plan = plan_of(facts, NULL, "bridge-stale");

        g_assert_cmpstr(((Step *)plan.steps->pdata[0])->detail, ==, "not all guests could be read");
    }
    facts->domains_complete = TRUE;
    bridge->is_bridge = FALSE;
    {
        g_auto(Plan) plan = plan_of(facts, NULL, "bridge-stale");

        g_assert_cmpstr(((Step *)plan.steps->pdata[0])->detail, ==, "virbr9 is no bridge");
    }
}

/* As the kernel does: its ports are let go, its addresses and routes are gone with it. */
static void lose_link(Facts *facts, const char *name)
{
    Link *link = facts_link_named(facts, name);
    const guint index = link->ifindex;

    for (guint i = 0; i < facts->links->len; i++) {
        Link *port = facts->links->pdata[i];

        port->master = port->master == index ? 0 : port->master;
    }
    for (guint i = facts->addresses->len; i-- > 0;) {
        if (g_array_index(facts->addresses, LinkAddress, i).ifindex == index)
            g_array_remove_index(facts->addresses, i);
    }
    for (guint i = facts->routes->len; i-- > 0;) {
        if (g_array_index(facts->routes, Route, i).ifindex == index)
            g_array_remove_index(facts->routes, i);
    }
    g_ptr_array_remove(facts->links, link);
}

/* Also with guests on it: they are cut off as it is. */
static void test_remake(void)
{
    g_autoptr(Facts) facts = world_host();
    Network *lab = network_of(facts, "lab");
    Network *bare = world_network(facts, "bare", "isolated", "virbr8");
    Finding *of_lab = finding_of("bridge-missing", OBJECT_NETWORK, "lab", "lab", REPAIR_CONSENT);

    g_assert_true(lab->active && bare->active);
    lose_link(facts, "virbr1");
    {
        g_auto(Plan) plan = plan_with(facts, "lab", "bridge-missing", of_lab);
        const Step *step = step_named(&plan, "bridge-missing");

        g_assert_cmpint(step->state, ==, STEP_PLANNED);
        g_assert_cmpstr(step->action, ==, "stop network lab and start it, so that its bridge is made anew");
        /* Its guests' taps come after it, though they have no bridge yet. */
        g_assert_cmpint(step_named(&plan, "tap-orphaned")->state, ==, STEP_PLANNED);
    }
    {
        g_auto(Plan) plan = plan_of(facts, "bare", "bridge-missing");

        assert_step(&plan, STEP_PLANNED, "stop network bare and start it, so that its bridge is made anew",
                    NULL);
    }
    bare->persistent = FALSE;
    {
        g_auto(Plan) plan = plan_of(facts, "bare", "bridge-missing");

        assert_step(&plan, STEP_FAILED, "stop network bare and start it, so that its bridge is made anew",
                    "it is transient: stopped, it would be gone");
    }
}

/* ---------------------------------------------------------------------------------------- settings */

static Plan forwarding_plan(Facts *facts)
{
    return plan_with(facts, NULL, "ip-forward-off",
                     finding_of("ip-forward-off", OBJECT_HOST, "host", NULL, REPAIR_CONSENT));
}

static void test_forwarding(void)
{
    g_autoptr(Facts) facts = world_host();

    drop_proc(facts, "sys/net/ipv4/conf/virbr0/forwarding", "0");
    drop_proc(facts, "sys/net/ipv4/ip_forward", "0");
    drop_proc(facts, "sys/net/ipv6/conf/all/forwarding", "0"); /* default has no IPv6, lab is isolated */
    for (guint again = 0; again < 2; again++) {
        g_auto(Plan) plan = forwarding_plan(facts);

        g_assert_cmpstr(step_named(&plan, "ip-forward-off")->action, ==,
                        again ? "set net.ipv4.ip_forward, net.ipv6.conf.all.forwarding, "
                                "net.ipv4.conf.virbr0.forwarding to 1"
                              : "set net.ipv4.ip_forward, net.ipv4.conf.virbr0.forwarding to 1");
        world_ip(network_of(facts, "default"), "fd00:122::1/64", NULL, NULL);
    }
    drop_proc(facts, "sys/net/ipv4/conf/virbr0/forwarding", "1");
    drop_proc(facts, "sys/net/ipv4/ip_forward", "1");
    drop_proc(facts, "sys/net/ipv6/conf/all/forwarding", "1");
    {
        g_auto(Plan) plan = forwarding_plan(facts);
        const Step *step = step_named(&plan, "ip-forward-off");

        g_assert_cmpstr(step->detail, ==, "no setting is as the check says any more");
    }
}

static void test_filter(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan = {0};

    drop_proc(facts, "sys/net/bridge/bridge-nf-call-iptables", "1");
    facts_link(facts, 20)->bridge_info.nf_call_iptables = TRUE;
    facts_link(facts, 30)->bridge_info.nf_call_iptables = TRUE; /* docker0's is its own */
    plan = plan_with(facts, "nobody", "bridge-netfilter",
                     finding_of("bridge-netfilter", OBJECT_HOST, "host", NULL, REPAIR_CONSENT));
    g_assert_cmpstr(((Step *)plan.steps->pdata[0])->action, ==,
                    "set net.bridge.bridge-nf-call-iptables, nf_call_iptables of virbr1 to 0");
}

/* IPv6 has settings of its own. */
static void test_filter_ipv6(void)
{
    g_autoptr(Facts) facts = world_host();
    g_auto(Plan) plan = {0};

    drop_proc(facts, "sys/net/bridge/bridge-nf-call-iptables", "0");
    drop_proc(facts, "sys/net/bridge/bridge-nf-call-ip6tables", "1");
    world_ip(network_of(facts, "default"), "fd00:122::1/64", NULL, NULL);
    facts_link(facts, 20)->bridge_info.nf_call_ip6tables = TRUE;
    plan = plan_with(facts, NULL, "bridge-netfilter",
                     finding_of("bridge-netfilter", OBJECT_HOST, "host", NULL, REPAIR_CONSENT));
    g_assert_cmpstr(step_named(&plan, "bridge-netfilter")->action, ==,
                    "set net.bridge.bridge-nf-call-ip6tables, nf_call_ip6tables of virbr1 to 0");
}

static void test_files(void)
{
    g_autoptr(Facts) facts = world_host();

    {
        g_auto(Plan) plan =
            plan_with(facts, NULL, "leases-unreadable",
                      finding_of("leases-unreadable", OBJECT_NETWORK, "default", "default", REPAIR_CONSENT));

        assert_step(&plan, STEP_PLANNED, "copy virbr0.status aside, and keep of it what can be read", NULL);
    }
    {
        g_auto(Plan) plan =
            plan_with(facts, NULL, "firewalld-zone",
                      finding_of("firewalld-zone", OBJECT_NETWORK, "default", "default", REPAIR_CONSENT));

        assert_step(&plan, STEP_PLANNED, "put virbr0 into zone libvirt of firewalld, until that starts again",
                    NULL);
    }
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->no_lease_file = TRUE;
    {
        g_auto(Plan) plan = plan_of(facts, NULL, "leases-unreadable");

        assert_step(&plan, STEP_PLANNED, "make an empty virbr0.status, for it is gone", NULL);
    }
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->no_lease_file = FALSE;
    /* A path is built of a checked name only. */
    replace(&network_of(facts, "default")->bridge, "../evil");
    {
        g_auto(Plan) plan =
            plan_with(facts, "default", "leases-unreadable",
                      finding_of("leases-unreadable", OBJECT_NETWORK, "default", "default", REPAIR_CONSENT));

        g_assert_cmpint(step_named(&plan, "leases-unreadable")->state, ==, STEP_FAILED);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-plan/healthy", test_healthy);
    g_test_add_func("/repair-plan/order", test_order);
    g_test_add_func("/repair-plan/networks", test_networks);
    g_test_add_func("/repair-plan/classes", test_classes);
    g_test_add_func("/repair-plan/never", test_never);
    g_test_add_func("/repair-plan/levels", test_levels);
    g_test_add_func("/repair-plan/tap", test_tap);
    g_test_add_func("/repair-plan/tap/not-plain", test_tap_not_plain);
    g_test_add_func("/repair-plan/tap/unread", test_tap_unread);
    g_test_add_func("/repair-plan/tap/turned", test_tap_turned);
    g_test_add_func("/repair-plan/tap/foreign", test_tap_foreign);
    g_test_add_func("/repair-plan/tap/down", test_tap_down);
    g_test_add_func("/repair-plan/tap/late", test_tap_late);
    g_test_add_func("/repair-plan/mtu", test_mtu);
    g_test_add_func("/repair-plan/mtu/egress", test_mtu_egress);
    g_test_add_func("/repair-plan/bridge", test_bridge);
    g_test_add_func("/repair-plan/reload", test_reload);
    g_test_add_func("/repair-plan/rules", test_rules);
    g_test_add_func("/repair-plan/start", test_start);
    g_test_add_func("/repair-plan/stale", test_stale);
    g_test_add_func("/repair-plan/remake", test_remake);
    g_test_add_func("/repair-plan/forwarding", test_forwarding);
    g_test_add_func("/repair-plan/filter", test_filter);
    g_test_add_func("/repair-plan/filter-ipv6", test_filter_ipv6);
    g_test_add_func("/repair-plan/files", test_files);
    return g_test_run();
}
