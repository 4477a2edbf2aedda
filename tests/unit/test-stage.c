/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"
#include "model/stage.h"
#include "world.h"

#include <string.h>

#define MAC1 "52:54:00:00:00:01"

/* One guest, VM1, on network default; what it lacks is up to the test. */
typedef struct {
    Facts *facts;
    Network *network;
    Domain *domain;
    DomainInterface *nic;
    Map *map;
    GPtrArray *rows, *findings;
    StageView view;
} Scene;

static void scene_set_up(Scene *scene, gconstpointer data)
{
    scene->facts = world_new();
    scene->network = world_network(scene->facts, "default", "nat", "virbr0");
    world_ip(scene->network, "192.168.122.1/24", "192.168.122.2", "192.168.122.254");
    world_bridge(scene->facts, scene->network, 10);
    world_dnsmasq(scene->facts, scene->network, 1000);
    world_masquerade(scene->facts, "192.168.122.0/24");
    world_forward(scene->facts, scene->network);
    scene->domain = world_domain(scene->facts, "VM1", 1);
    scene->nic = world_nic(scene->domain, "default", "virbr0", MAC1, "vnet0");
    world_tap(scene->facts, 11, "vnet0", 10, MAC1);
    scene->view = (StageView){.name = "VM1", .domain = scene->domain};
}

static void scene_clear(Scene *scene)
{
    g_clear_pointer(&scene->map, map_free);
    g_clear_pointer(&scene->rows, g_ptr_array_unref);
    g_clear_pointer(&scene->findings, g_ptr_array_unref);
}

static void scene_tear_down(Scene *scene, gconstpointer data)
{
    scene_clear(scene);
    facts_free(scene->facts);
}

static const StageView *look(Scene *scene)
{
    scene_clear(scene);
    scene->map = map_join(scene->facts);
    scene->rows = map_rows_matching(scene->map, "VM1");
    scene->findings = checks_run(scene->facts, scene->map, G_MAXUINT);
    scene->view.rows = scene->rows;
    scene->view.facts = scene->facts;
    scene->view.findings = scene->findings;
    return &scene->view;
}

static void assert_stuck(Scene *scene, Stage stage, const char *what, const char *next)
{
    const StageView *view = look(scene);
    g_auto(StageAdvice) advice = stage_advice(view);

    g_assert_cmpint(stage_stuck(view, NULL), ==, stage);
    g_assert_cmpstr(advice.what, ==, what);
    g_assert_cmpstr(advice.next, ==, next);
}

static void test_running(Scene *scene, gconstpointer data)
{
    scene->view.domain = NULL;
    assert_stuck(scene, STAGE_RUNNING, "domain 'VM1' does not run", "virsh start VM1");
    scene->view.name = "a b";
    assert_stuck(scene, STAGE_RUNNING, "domain 'a b' does not run", "virsh start 'a b'");
}

static void test_no_interface(Scene *scene, gconstpointer data)
{
    g_ptr_array_set_size(scene->domain->interfaces, 0);
    scene->nic = NULL;
    assert_stuck(scene, STAGE_LINK, "domain 'VM1' has no interface",
                 "vnat attach-interface VM1 network default --live");
    scene->domain->xml_read = FALSE;
    scene->domain->xml_error = g_strdup("it hangs");
    assert_stuck(scene, STAGE_LINK, "the XML of domain 'VM1' could not be read: it hangs",
                 "virsh dumpxml VM1");
}

/* Where a check knows the cause, its remedy is the next step. */
static void test_link(Scene *scene, gconstpointer data)
{
    facts_link(scene->facts, 11)->master = 0;
    assert_stuck(scene, STAGE_LINK, "VM1's tap vnet0 is not on its bridge virbr0",
                 "ip link set vnet0 master virbr0");
    world_lease(scene->facts, "default", MAC1, "192.168.122.5", 60);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_LINK); /* of before */
}

static void test_link_without_findings(Scene *scene, gconstpointer data)
{
    g_auto(StageAdvice) orphaned = {0};
    g_auto(StageAdvice) inactive = {0};

    facts_link(scene->facts, 11)->master = 0;
    look(scene);
    scene->view.findings = NULL;
    orphaned = stage_advice(&scene->view);
    g_assert_cmpstr(orphaned.what, ==, "tap vnet0 is on no bridge, not on its bridge virbr0");
    g_assert_cmpstr(orphaned.next, ==, "vnat domiflist VM1");
    scene->network->active = FALSE;
    inactive = stage_advice(&scene->view);
    g_assert_cmpstr(inactive.what, ==, "network 'default' is not active");
    g_assert_cmpstr(inactive.next, ==, "vnat net-start default");
}

/* Another host's kernel: libvirt's word is all there is. A port of a foreign switch has no master. */
static void test_link_unseen(Scene *scene, gconstpointer data)
{
    facts_link(scene->facts, 11)->master = 0;
    facts_link(scene->facts, 10)->is_bridge = FALSE;
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_ADDRESS);
    g_ptr_array_set_size(scene->facts->links, 0);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_LINK);
    source_status_set(&scene->facts->sources[SOURCE_LINKS], SOURCE_ABSENT, NULL);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_ADDRESS);
    /* Of type user: no tap, and none will come. */
    source_status_set(&scene->facts->sources[SOURCE_LINKS], SOURCE_LIVE, NULL);
    g_clear_pointer(&scene->nic->target, g_free);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_LINK);
    g_clear_pointer(&scene->nic->bridge, g_free);
    g_clear_pointer(&scene->nic->network, g_free);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_ADDRESS);
}

/* Where the tap itself is wanted, an interface that gets none is no success, nor does it hide another's. */
static void test_tap(Scene *scene, gconstpointer data)
{
    const MapRow *row;

    g_clear_pointer(&scene->nic->target, g_free);
    g_clear_pointer(&scene->nic->bridge, g_free);
    g_clear_pointer(&scene->nic->network, g_free);
    g_free(scene->nic->type);
    scene->nic->type = g_strdup("direct"); /* libvirt has yet to make its device */
    scene->view.tap_wanted = TRUE;
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_LINK);
    g_assert_false(stage_lacks_taps(&scene->view));
    g_free(scene->nic->type);
    scene->nic->type = g_strdup("user");
    assert_stuck(scene, STAGE_LINK,
                 "no interface of domain 'VM1' has a tap on a bridge, and by its type none will",
                 "vnat domiflist VM1");
    g_assert_true(stage_lacks_taps(&scene->view));
    scene->view.tap_wanted = FALSE;
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_ADDRESS);
    scene->view.tap_wanted = TRUE;
    world_nic(scene->domain, "default", "virbr0", "52:54:00:00:00:02", "vnet1");
    world_tap(scene->facts, 12, "vnet1", 0, "52:54:00:00:00:02");
    g_assert_cmpint(stage_stuck(look(scene), &row), ==, STAGE_LINK);
    g_assert_cmpstr(row->tap, ==, "vnet1");
    g_assert_false(stage_lacks_taps(&scene->view));
    facts_link(scene->facts, 12)->master = 10;
    g_assert_cmpint(stage_stuck(look(scene), &row), ==, STAGE_FRAME);
    g_assert_cmpstr(row->tap, ==, "vnet1");
    /* Of what does not run, or has nothing, more may come. */
    g_ptr_array_set_size(scene->domain->interfaces, 0);
    look(scene);
    g_assert_false(stage_lacks_taps(&scene->view));
}

/* Nobody here could have heard it: so it is not said that it is silent. */
static void test_address_unseen(Scene *scene, gconstpointer data)
{
    source_status_set(&scene->facts->sources[SOURCE_LINKS], SOURCE_ABSENT, NULL);
    g_ptr_array_set_size(scene->facts->links, 0);
    assert_stuck(scene, STAGE_ADDRESS,
                 "what VM1 sends on vnet0 cannot be seen from here, and no address is known of it",
                 "vnat status default");
    scene->domain->state = DOMAIN_PAUSED;
    assert_stuck(scene, STAGE_ADDRESS, "domain 'VM1' is paused", "virsh resume VM1");
}

static void test_frame(Scene *scene, gconstpointer data)
{
    assert_stuck(scene, STAGE_FRAME,
                 "VM1 has sent nothing through vnet0 yet: it still boots, or has no network set up",
                 "virsh console VM1");
    /* Its own address, set by the kernel, and another's, are no frame of it. */
    world_learn(scene->facts, 11, 10, MAC1)->permanent = TRUE;
    world_learn(scene->facts, 11, 10, "52:54:00:00:00:09");
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_FRAME);
    g_assert_cmpint(stage_shown(&scene->view), ==, STAGE_FRAME);
    scene->domain->state = DOMAIN_PAUSED;
    g_array_set_size(scene->facts->fdb, 0);
    assert_stuck(scene, STAGE_FRAME, "domain 'VM1' is paused", "virsh resume VM1");
    scene->nic->link = LINK_DOWN;
    assert_stuck(scene, STAGE_FRAME, "the link of VM1 on vnet0 is set down in libvirt",
                 "virsh domif-setlink VM1 vnet0 up");
}

static void test_address(Scene *scene, gconstpointer data)
{
    world_learn(scene->facts, 11, 10, MAC1);
    assert_stuck(scene, STAGE_ADDRESS,
                 "VM1 sends on vnet0, but has no lease, and no address is known otherwise",
                 "vnat status default");
    g_array_set_size(scene->facts->fdb, 0);
    world_neighbour(scene->facts, 10, "fe80::5054:ff:fe00:1", MAC1, NEIGHBOUR_REACHABLE);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_ADDRESS);
    ((Dnsmasq *)scene->facts->dnsmasqs->pdata[0])->alive = FALSE;
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_ADDRESS);
    {
        g_auto(StageAdvice) advice = stage_advice(&scene->view);

        g_assert_cmpstr(advice.what, ==, world_finding(scene->findings, "dnsmasq-dead")->message);
        g_assert_cmpstr(advice.next, ==, world_finding(scene->findings, "dnsmasq-dead")->remedy);
    }
}

static void test_address_no_dhcp(Scene *scene, gconstpointer data)
{
    NetworkIp *ip = scene->network->ips->pdata[0];

    ip->dhcp = FALSE;
    g_array_set_size(ip->ranges, 0);
    world_learn(scene->facts, 11, 10, MAC1);
    assert_stuck(scene, STAGE_ADDRESS,
                 "VM1 sends on vnet0, but no address is known of it: network 'default' gives none (it has "
                 "no DHCP)",
                 "vnat net-info default");
}

static void test_port(Scene *scene, gconstpointer data)
{
    Ip tried = world_ip_of("192.168.122.9");

    world_lease(scene->facts, "default", MAC1, "192.168.122.5", 60);
    g_assert_cmpint(stage_stuck(look(scene), NULL), ==, STAGE_COUNT);
    scene->view.port = 22;
    assert_stuck(scene, STAGE_PORT, "192.168.122.5 does not take connections to port 22: no answer yet",
                 "vnat status default");
    scene->view.port_tried = &tried;
    scene->view.port_error = "Connection refused";
    assert_stuck(scene, STAGE_PORT, "192.168.122.9 does not take connections to port 22: Connection refused",
                 "vnat status default");
    scene->view.port_open = TRUE;
    assert_stuck(scene, STAGE_COUNT, "everything is there", NULL);
}

/* Of two interfaces the one that has come farther counts. */
static void test_two(Scene *scene, gconstpointer data)
{
    const MapRow *row;

    world_nic(scene->domain, "default", "virbr0", "52:54:00:00:00:02", "vnet1");
    world_tap(scene->facts, 12, "vnet1", 0, "52:54:00:00:00:02");
    g_assert_cmpint(stage_stuck(look(scene), &row), ==, STAGE_FRAME);
    g_assert_cmpstr(row->tap, ==, "vnet0");
    facts_link(scene->facts, 12)->master = 10;
    world_learn(scene->facts, 12, 10, "52:54:00:00:00:02");
    g_assert_cmpint(stage_stuck(look(scene), &row), ==, STAGE_ADDRESS);
    g_assert_cmpstr(row->tap, ==, "vnet1");
}

/* A paused guest is plugged in, and comes no farther. */
static void test_paused(Scene *scene, gconstpointer data)
{
    scene->domain->state = DOMAIN_PAUSED;
    g_assert_cmpint(stage_shown(look(scene)), ==, STAGE_RUNNING);
    g_assert_cmpstr(stage_name(stage_shown(&scene->view)), ==, "it to run");
    g_assert_cmpint(stage_stuck(&scene->view, NULL), ==, STAGE_FRAME);
    world_lease(scene->facts, "default", MAC1, "192.168.122.5", 60);
    g_assert_cmpint(stage_shown(look(scene)), ==, STAGE_COUNT);
    facts_link(scene->facts, 11)->master = 0;
    g_assert_cmpint(stage_shown(look(scene)), ==, STAGE_LINK);
}

/* Best evidence first, over all interfaces; none of one that is not on its bridge. */
static void test_addresses(Scene *scene, gconstpointer data)
{
    static const char *const expected[] = {"192.168.122.6", "192.168.122.5", "192.168.122.7"};
    g_autoptr(GPtrArray) addresses = NULL;
    g_autoptr(GPtrArray) less = NULL;

    world_nic(scene->domain, "default", "virbr0", "52:54:00:00:00:02", "vnet1");
    world_tap(scene->facts, 12, "vnet1", 10, "52:54:00:00:00:02");
    world_lease(scene->facts, "default", MAC1, "192.168.122.5", 60);
    world_lease(scene->facts, "default", "52:54:00:00:00:02", "192.168.122.6", 600);
    world_neighbour(scene->facts, 10, "192.168.122.7", MAC1, NEIGHBOUR_REACHABLE);
    world_neighbour(scene->facts, 10, "fe80::1", MAC1, NEIGHBOUR_REACHABLE);
    addresses = stage_addresses(look(scene));
    g_assert_cmpuint(addresses->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < addresses->len; i++) {
        char text[IP_TEXT];

        g_assert_cmpstr(ip_format(&((const Address *)addresses->pdata[i])->ip, text), ==, expected[i]);
    }
    facts_link(scene->facts, 12)->master = 0;
    less = stage_addresses(look(scene));
    g_assert_cmpuint(less->len, ==, 2);
}

static void test_names(Scene *scene, gconstpointer data)
{
    for (Stage stage = STAGE_RUNNING; stage <= STAGE_COUNT; stage++) {
        g_assert_nonnull(stage_name(stage));
        for (Stage other = STAGE_RUNNING; other < stage; other++)
            g_assert_cmpstr(stage_name(stage), !=, stage_name(other));
    }
}

#define ADD(name, function) g_test_add("/stage/" name, Scene, NULL, scene_set_up, function, scene_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("running", test_running);
    ADD("no-interface", test_no_interface);
    ADD("link", test_link);
    ADD("link/without-findings", test_link_without_findings);
    ADD("link/unseen", test_link_unseen);
    ADD("tap", test_tap);
    ADD("frame", test_frame);
    ADD("address", test_address);
    ADD("address/no-dhcp", test_address_no_dhcp);
    ADD("address/unseen", test_address_unseen);
    ADD("port", test_port);
    ADD("paused", test_paused);
    ADD("two", test_two);
    ADD("addresses", test_addresses);
    ADD("names", test_names);
    return g_test_run();
}
