/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/watch-hold.h"
#include "model/live.h"
#include "world.h"

#include <string.h>

#define HOLD WATCH_HOLD_USEC

typedef struct {
    Facts *facts;
    Map *map;
    WatchHold *hold;
    MapRow gone; /* VM1's row after its tap went: a copy that borrows */
} Scene;

static void scene_set_up(Scene *scene, gconstpointer data)
{
    scene->facts = world_host();
    world_tap(scene->facts, 40, "stray", 10, NULL);
    world_neighbour(scene->facts, 10, "192.168.122.40", "52:54:00:00:00:03", NEIGHBOUR_REACHABLE);
    scene->map = map_join(scene->facts);
    scene->hold = watch_hold_new();
    scene->gone = *world_row(scene->map, "vnet0");
    scene->gone.ifindex = 0;
}

static void scene_tear_down(Scene *scene, gconstpointer data)
{
    watch_hold_free(scene->hold);
    map_free(scene->map);
    facts_free(scene->facts);
}

static void assert_passes(Scene *scene, const Change *change, const char *lines, gint64 at,
                          const char *expected)
{
    g_autofree char *now = watch_hold_pass(scene->hold, change, g_strdup(lines), at);

    g_assert_cmpstr(now, ==, expected);
}

static void assert_releases(Scene *scene, gint64 at, const char *expected)
{
    g_autofree char *now = watch_hold_release(scene->hold, at);

    g_assert_cmpstr(now, ==, expected);
}

static Change row_change(ChangeType type, const MapRow *row, const MapRow *before)
{
    return (Change){.type = type, .row = row, .before = before};
}

/* A port that nobody claims in time is told, once. */
static void test_port(Scene *scene, gconstpointer data)
{
    Change added = row_change(CHANGE_INTERFACE_ADDED, world_row(scene->map, "stray"), NULL);
    Change changed = row_change(CHANGE_INTERFACE_CHANGED, added.row, added.row);

    g_assert_cmpint(HOLD, <, LIVE_GRACE);
    g_assert_cmpint(watch_hold_due(scene->hold), ==, G_MAXINT64);
    assert_passes(scene, &added, "added\n", 5, NULL);
    g_assert_true(watch_hold_has_new(scene->hold, &changed));
    assert_passes(scene, &changed, "added with carrier\n", 6, NULL);
    g_assert_cmpint(watch_hold_due(scene->hold), ==, 5 + HOLD);
    assert_releases(scene, 4 + HOLD, NULL);
    assert_releases(scene, 5 + HOLD, "added with carrier\n");
    g_assert_false(watch_hold_has_new(scene->hold, &changed));
    assert_releases(scene, G_MAXINT64, NULL);
    assert_passes(scene, &changed, "again\n", 7 + HOLD, "again\n");
    g_assert_cmpint(watch_hold_due(scene->hold), ==, G_MAXINT64);
}

/* One that is claimed by then, or gone, is not. */
static void test_port_claimed(Scene *scene, gconstpointer data)
{
    Change added = row_change(CHANGE_INTERFACE_ADDED, world_row(scene->map, "stray"), NULL);
    Change removed = row_change(CHANGE_INTERFACE_REMOVED, added.row, NULL);
    Change claimed = row_change(CHANGE_INTERFACE_ADDED, world_row(scene->map, "vnet0"), NULL);

    assert_passes(scene, &added, "added\n", 0, NULL);
    assert_passes(scene, &removed, "left\n", 1, NULL);
    assert_passes(scene, &claimed, "VM1\n", 1, "VM1\n");
    assert_releases(scene, G_MAXINT64, NULL);
    /* The next one is another one. */
    assert_passes(scene, &removed, "left\n", 2, "left\n");
}

/* A guest is told when its tap is there and it runs, or a second later; one that was never told ends so. */
static void test_guest(Scene *scene, gconstpointer data)
{
    MapRow row = scene->gone;
    Change added = row_change(CHANGE_INTERFACE_ADDED, &row, NULL);
    Change changed = row_change(CHANGE_INTERFACE_CHANGED, &row, &scene->gone);
    Change removed = row_change(CHANGE_INTERFACE_REMOVED, &row, NULL);
    Change leased = {.type = CHANGE_LEASE_ADDED, .row = &row, .lease = scene->facts->leases->pdata[0]};

    row.domain_state = DOMAIN_PAUSED;
    assert_passes(scene, &added, "paused, no tap\n", 0, NULL);
    row.ifindex = 11;
    assert_passes(scene, &changed, "paused\n", 1, NULL);
    row.domain_state = DOMAIN_RUNNING;
    assert_passes(scene, &changed, "runs\n", 2, "runs\n");
    assert_releases(scene, G_MAXINT64, NULL);
    assert_passes(scene, &added, "whole\n", 3, "whole\n");
    row.domain_state = DOMAIN_PAUSED;
    assert_passes(scene, &added, "paused\n", 4, NULL);
    assert_passes(scene, &leased, "got\n", 5, "paused\ngot\n");
    assert_passes(scene, &added, "paused\n", 6, NULL);
    assert_passes(scene, &removed, "gone\n", 7, NULL);
    assert_releases(scene, G_MAXINT64, NULL);
    /* Without a tap there is none to wait for. */
    row.domain_state = DOMAIN_RUNNING;
    row.ifindex = 0;
    row.tap = NULL;
    assert_passes(scene, &added, "user\n", 8, "user\n");
}

/* A guest that ends: its tap goes first. */
static void test_tap(Scene *scene, gconstpointer data)
{
    Change gone = row_change(CHANGE_INTERFACE_CHANGED, &scene->gone, world_row(scene->map, "vnet0"));
    Change removed = row_change(CHANGE_INTERFACE_REMOVED, &scene->gone, NULL);
    MapRow quiet = scene->gone;
    Change silenced = row_change(CHANGE_INTERFACE_CHANGED, &quiet, world_row(scene->map, "vnet0"));

    quiet.ifindex = 11;
    quiet.carrier = 0;
    assert_passes(scene, &silenced, "no carrier\n", 0, NULL);
    assert_passes(scene, &gone, "no tap\n", 0, NULL);
    assert_passes(scene, &removed, "gone\n", 1, "gone\n");
    assert_passes(scene, &silenced, "no carrier\n", 0, NULL);
    assert_passes(scene, &gone, "no tap\n", 0, NULL);
    assert_releases(scene, HOLD, "no carrier\nno tap\n");
    assert_passes(scene, &gone, "no tap\n", 0, NULL);
    assert_passes(scene, &removed, "gone\n", 1, "gone\n");
    assert_releases(scene, G_MAXINT64, NULL);
    assert_passes(scene, &gone, "no tap\n", 0, NULL);
    assert_releases(scene, HOLD, "no tap\n");
}

/* A neighbour waits for the lease that says the same. */
static void test_answer(Scene *scene, gconstpointer data)
{
    const MapRow *with = world_row(scene->map, "vnet3");
    MapRow without = *with;
    Change answers = row_change(CHANGE_INTERFACE_CHANGED, with, &without);
    Change removed = row_change(CHANGE_INTERFACE_REMOVED, with, NULL);
    Change other = row_change(CHANGE_INTERFACE_CHANGED, with, with);
    Lease lease = {.ip = world_ip_of("192.168.122.40")};
    Change leased = {.type = CHANGE_LEASE_ADDED, .row = with, .lease = &lease};

    without.addresses = g_ptr_array_new();
    assert_passes(scene, &answers, "answers\n", 0, NULL);
    assert_passes(scene, &leased, "got\n", 1, "got\n");
    assert_releases(scene, G_MAXINT64, NULL);
    assert_passes(scene, &answers, "answers\n", 0, NULL);
    lease.ip = world_ip_of("192.168.122.41");
    assert_passes(scene, &leased, "got another\n", 1, "got another\n");
    assert_releases(scene, HOLD, "answers\n");
    /* Something else of it comes after it; nothing comes after its end. */
    assert_passes(scene, &answers, "answers\n", 0, NULL);
    assert_passes(scene, &other, "", 1, "");
    assert_passes(scene, &other, "carrier\n", 1, "answers\ncarrier\n");
    assert_passes(scene, &answers, "answers\n", 0, NULL);
    assert_passes(scene, &removed, "gone\n", 1, "gone\n");
    assert_releases(scene, G_MAXINT64, NULL);
    /* With more to tell it does not wait. */
    assert_passes(scene, &answers, "moved\nanswers\n", 0, "moved\nanswers\n");
    g_ptr_array_unref(without.addresses);
}

/* A guest that is plugged into another network: the way as a whole, when libvirt knows it too. */
static void test_move(Scene *scene, gconstpointer data)
{
    MapRow home = *world_row(scene->map, "vnet0");
    MapRow row = home, before = {0};
    Change left = row_change(CHANGE_INTERFACE_CHANGED, &row, &home);
    Change next = row_change(CHANGE_INTERFACE_CHANGED, &row, &row);

    row.bridge = NULL;
    g_assert_false(watch_hold_has_moved(scene->hold, &left, &before));
    assert_passes(scene, &left, "left\n", 0, NULL);
    g_assert_false(watch_hold_has_moved(scene->hold, &next, &before)); /* on no other yet */
    row.bridge = (char *)"virbr9";
    g_assert_true(watch_hold_has_moved(scene->hold, &next, &before));
    g_assert_cmpstr(before.bridge, ==, home.bridge);
    g_assert_cmpstr(before.network, ==, home.network);
    g_assert_cmpstr(before.network_bridge, ==, home.network_bridge);
    g_assert_cmpstr(before.source, ==, home.source);
    assert_passes(scene, &next, "moved to virbr9\n", 1, NULL);
    row.network_bridge = (char *)"virbr9";
    g_assert_true(watch_hold_has_moved(scene->hold, &next, &before));
    assert_passes(scene, &next, "moved to virbr9 (nine)\n", 2, "moved to virbr9 (nine)\n");
    assert_releases(scene, G_MAXINT64, NULL);
    g_assert_false(watch_hold_has_moved(scene->hold, &next, &before));
}

/* One that comes back is told to have left; so is one that stays away, or stays where it does not belong. */
static void test_move_undone(Scene *scene, gconstpointer data)
{
    MapRow home = *world_row(scene->map, "vnet0");
    MapRow row = home, before;
    Change left = row_change(CHANGE_INTERFACE_CHANGED, &row, &home);
    Change next = row_change(CHANGE_INTERFACE_CHANGED, &row, &row);

    row.bridge = NULL;
    assert_passes(scene, &left, "left\n", 0, NULL);
    row.bridge = home.bridge;
    g_assert_false(watch_hold_has_moved(scene->hold, &next, &before));
    assert_passes(scene, &next, "is on\n", 1, "left\nis on\n");
    row.bridge = NULL;
    assert_passes(scene, &left, "left\n", 0, NULL);
    assert_releases(scene, HOLD, "left\n");
    row.bridge = (char *)"virbr9";
    assert_passes(scene, &left, "moved\n", 0, NULL);
    assert_releases(scene, HOLD, "moved\n");
    /* What else was told with it is not lost. */
    assert_passes(scene, &left, "moved\nMTU\n", 0, NULL);
    row.network_bridge = row.bridge;
    g_assert_false(watch_hold_has_moved(scene->hold, &next, &before));
    assert_passes(scene, &next, "plugged\n", 1, "moved\nMTU\nplugged\n");
    /* A port of a bridge that is no network's is nowhere else at home. */
    row.network_bridge = NULL;
    assert_passes(scene, &left, "moved\n", 0, "moved\n");
}

/* A fault of what waits is told after it. */
static void test_check(Scene *scene, gconstpointer data)
{
    Change added = row_change(CHANGE_INTERFACE_ADDED, world_row(scene->map, "stray"), NULL);
    Finding finding = {.object = (char *)"vnet0"};
    Change raised = {.type = CHANGE_CHECK_RAISED, .finding = &finding};

    assert_passes(scene, &added, "added\n", 0, NULL);
    assert_passes(scene, &raised, "vnet0\n", 1, "vnet0\n");
    finding.object = (char *)"stray";
    assert_passes(scene, &raised, "unclaimed\n", 1, "added\nunclaimed\n");
    assert_releases(scene, G_MAXINT64, NULL);
}

/* Everything else goes through, and rows do not mix. */
static void test_others(Scene *scene, gconstpointer data)
{
    Change stray = row_change(CHANGE_INTERFACE_ADDED, world_row(scene->map, "stray"), NULL);
    Change other = row_change(CHANGE_INTERFACE_REMOVED, world_row(scene->map, "vnet1"), NULL);
    Change lease = {.type = CHANGE_LEASE_ADDED, .row = other.row, .lease = scene->facts->leases->pdata[1]};
    Change source = {.type = CHANGE_SOURCE_LIVE};
    Change changed =
        row_change(CHANGE_INTERFACE_CHANGED, world_row(scene->map, "vnet1"), world_row(scene->map, "vnet1"));

    assert_passes(scene, &stray, "stray\n", 0, NULL);
    assert_passes(scene, &other, "other\n", 0, "other\n");
    assert_passes(scene, &changed, "changed\n", 0, "changed\n");
    assert_passes(scene, &lease, "lease\n", 0, "lease\n");
    assert_passes(scene, &source, "source\n", 0, "source\n");
    assert_releases(scene, G_MAXINT64, "stray\n");
}

/* In their order; a snapshot makes an end of it. */
static void test_order(Scene *scene, gconstpointer data)
{
    Change gone = row_change(CHANGE_INTERFACE_CHANGED, &scene->gone, world_row(scene->map, "vnet0"));
    Change stray = row_change(CHANGE_INTERFACE_ADDED, world_row(scene->map, "stray"), NULL);

    assert_passes(scene, &gone, "1\n", 0, NULL);
    assert_passes(scene, &stray, "2\n", 5, NULL);
    g_assert_cmpint(watch_hold_due(scene->hold), ==, HOLD);
    assert_releases(scene, HOLD, "1\n");
    g_assert_cmpint(watch_hold_due(scene->hold), ==, HOLD + 5);
    assert_passes(scene, &gone, "3\n", 10, NULL);
    assert_releases(scene, G_MAXINT64, "2\n3\n");
    assert_passes(scene, &stray, "4\n", 5, NULL);
    watch_hold_drop(scene->hold);
    assert_releases(scene, G_MAXINT64, NULL);
}

#define ADD(name, function)                                                                                  \
    g_test_add("/watch-hold/" name, Scene, NULL, scene_set_up, function, scene_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("port", test_port);
    ADD("port/claimed", test_port_claimed);
    ADD("guest", test_guest);
    ADD("tap", test_tap);
    ADD("answer", test_answer);
    ADD("move", test_move);
    ADD("move/undone", test_move_undone);
    ADD("check", test_check);
    ADD("others", test_others);
    ADD("order", test_order);
    return g_test_run();
}
