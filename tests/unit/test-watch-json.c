/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"
#include "moment.h"
#include "views/json.h"
#include "views/watch.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOMENT (WORLD_NOW * G_USEC_PER_SEC + 42)
#define MAC1 "52:54:00:00:00:01"

/* The line's bytes: one line, and nothing in it that JSON must not have raw. */
static json_t *parse_line(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        g_error("%s: %s", error.text, text);
    g_assert_true(strchr(text, '\n') == text + strlen(text) - 1);
    for (const char *p = text; p[1]; p++)
        g_assert_true(*p >= 0x20 && *p < 0x7f);
    return root;
}

static json_t *line_of(const Change *change, WatchStamp *stamp)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_t *root;

    watch_json_change(out, stamp, change);
    fclose(out);
    root = parse_line(text);
    free(text);
    return root;
}

static json_t *line(const Change *change)
{
    WatchStamp stamp = {.seq = 7, .wall_usec = MOMENT};

    return line_of(change, &stamp);
}

static json_t *snapshot(const Moment *moment, gboolean resync, WatchStamp *stamp)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_t *root;

    watch_json_snapshot(out, stamp, moment->facts, moment->map->rows, moment->networks, resync);
    fclose(out);
    root = parse_line(text);
    free(text);
    return root;
}

static void assert_keys(const json_t *obj, const char *expected)
{
    GString *keys = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(gpointer)obj, key, value)
        g_string_append_printf(keys, "%s%s", keys->len > 0 ? " " : "", key);
    g_assert_cmpstr(keys->str, ==, expected);
    g_string_free(keys, TRUE);
}

static void assert_member(const json_t *obj, const char *key, const char *expected)
{
    const json_t *value = json_object_get(obj, key);
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    g_assert_cmpstr(text, ==, expected);
    free(text);
}

/* ---------------------------------------------------------------------------------------- snapshots */

static void test_snapshot(void)
{
    g_auto(Moment) moment = moment_of(world_host());
    WatchStamp stamp = {.seq = 1, .wall_usec = MOMENT};
    g_autoptr(json_t) root = NULL;
    g_autoptr(json_t) again = NULL;

    source_status_set(&moment.facts->sources[SOURCE_LEASES], SOURCE_STALE, "late\xff");
    source_status_set(&moment.facts->sources[SOURCE_FIREWALL], SOURCE_UNREAD, "never");
    root = snapshot(&moment, FALSE, &stamp);
    assert_keys(root, "schema seq time type host uri sources notes interfaces networks");
    assert_member(root, "schema", "1");
    assert_member(root, "seq", "1");
    assert_member(root, "time", "\"2026-09-21T14:13:20.000042Z\"");
    assert_member(root, "type", "\"snapshot\"");
    assert_member(root, "host", "\"host\"");
    assert_member(root, "notes", "{\"leases\":\"late\\uFFFD\",\"leases_hex\":\"6c617465ff\"}");
    g_assert_cmpuint(json_array_size(json_object_get(root, "interfaces")), ==, moment.map->rows->len);
    g_assert_cmpuint(json_array_size(json_object_get(root, "networks")), ==, 2);
    for (guint i = 0; i < moment.map->rows->len; i++) {
        g_autoptr(json_t) row = json_of_interface(moment.map->rows->pdata[i]);

        g_assert_true(json_equal(row, json_array_get(json_object_get(root, "interfaces"), i)));
    }
    again = snapshot(&moment, TRUE, &stamp);
    assert_member(again, "type", "\"resync\"");
    assert_member(again, "seq", "2");
    g_assert_cmpuint(stamp.seq, ==, 3);
}

static void test_snapshot_empty(void)
{
    Moment moment = moment_of(facts_new());
    WatchStamp stamp = {.seq = 1, .wall_usec = -1};
    g_autoptr(json_t) root = snapshot(&moment, FALSE, &stamp);

    assert_member(root, "time", "\"1969-12-31T23:59:59.999999Z\"");
    assert_member(root, "interfaces", "[]");
    assert_member(root, "networks", "[]");
    assert_member(root, "sources", "{}");
    assert_member(root, "notes", "{}");
    moment_clear(&moment);
}

/* ------------------------------------------------------------------------------------- interfaces */

static void test_interface(void)
{
    g_auto(Moment) moment = moment_of(world_host());
    Change change = {.type = CHANGE_INTERFACE_ADDED, .row = world_row(moment.map, "vnet0")};
    g_autoptr(json_t) added = line(&change);
    g_autoptr(json_t) whole = json_of_interface(change.row);
    g_autoptr(json_t) removed = NULL;

    assert_keys(added, "schema seq time type interface");
    assert_member(added, "type", "\"interface.added\"");
    assert_member(added, "seq", "7");
    g_assert_true(json_equal(json_object_get(added, "interface"), whole));
    change.type = CHANGE_INTERFACE_REMOVED;
    removed = line(&change);
    assert_keys(removed, "schema seq time type interface");
    assert_member(removed, "type", "\"interface.removed\"");
}

static void test_interface_changed(void)
{
    Facts *facts = world_host();
    g_auto(Moment) before = moment_of(world_host());
    g_auto(Moment) now = {0};
    Change change = {.type = CHANGE_INTERFACE_CHANGED};
    g_autoptr(json_t) changed = NULL;

    facts_link(facts, 11)->carrier = 0;
    facts_link(facts, 11)->master = 20;
    now = moment_of(facts);
    change.before = world_row(before.map, "vnet0");
    change.row = world_row(now.map, "vnet0");
    changed = line(&change);
    assert_keys(changed, "schema seq time type interface changes");
    assert_member(changed, "changes", "{\"bridge\":[\"virbr0\",\"virbr1\"],\"carrier\":[true,false]}");
    assert_member(json_object_get(changed, "interface"), "carrier", "false");
}

/* A member that only one of the two has: bytes that became text. */
static void test_interface_lossy(void)
{
    Facts *facts = world_host();
    g_auto(Moment) before = {0};
    g_auto(Moment) now = moment_of(world_host());
    Change change = {.type = CHANGE_INTERFACE_CHANGED};
    g_autoptr(json_t) changed = NULL;

    g_free(((Domain *)facts->domains->pdata[0])->name);
    ((Domain *)facts->domains->pdata[0])->name = g_strdup("V\xff");
    before = moment_of(facts);
    change.before = world_row(before.map, "vnet0");
    change.row = world_row(now.map, "vnet0");
    changed = line(&change);
    assert_member(changed, "changes", "{\"domain\":[\"V\\uFFFD\",\"VM1\"],\"domain_hex\":[\"56ff\",null]}");
}

/* ------------------------------------------------------------------------------------------ leases */

static void test_lease(void)
{
    g_auto(Moment) moment = moment_of(world_host());
    const MapRow *row = world_row(moment.map, "vnet0");
    g_autoptr(Lease) before = lease_new();
    Change change = {.type = CHANGE_LEASE_ADDED, .row = row, .lease = moment.facts->leases->pdata[0]};
    g_autoptr(json_t) added = line(&change);
    g_autoptr(json_t) renewed = NULL;
    g_autoptr(json_t) stranger = NULL;

    assert_keys(added, "schema seq time type lease interface");
    assert_member(added, "type", "\"lease.added\"");
    assert_member(json_object_get(added, "lease"), "address", "\"192.168.122.11\"");
    assert_member(json_object_get(added, "lease"), "domain", "\"VM1\"");
    assert_member(json_object_get(added, "lease"), "attributed", "true");
    assert_member(json_object_get(added, "interface"), "tap", "\"vnet0\"");

    change.row = NULL;
    change.type = CHANGE_LEASE_REMOVED;
    stranger = line(&change);
    assert_member(stranger, "interface", "null");
    assert_member(json_object_get(stranger, "lease"), "attributed", "false");

    before->network = g_strdup(change.lease->network);
    before->bridge = g_strdup(change.lease->bridge);
    before->ip = change.lease->ip;
    before->prefix = change.lease->prefix;
    before->has_mac = TRUE;
    before->mac = change.lease->mac;
    before->client_id = g_strdup(change.lease->client_id);
    before->expiry = WORLD_NOW;
    change =
        (Change){.type = CHANGE_LEASE_RENEWED, .row = row, .lease = change.lease, .lease_before = before};
    renewed = line(&change);
    assert_keys(renewed, "schema seq time type lease interface changes");
    assert_member(renewed, "changes",
                  "{\"hostname\":[null,\"vm1\"],"
                  "\"expires\":[\"2026-09-21T14:13:20Z\",\"2026-09-21T15:03:20Z\"],"
                  "\"expires_epoch\":[1790000000,1790003000]}");
}

/* ---------------------------------------------------------------------------------------- networks */

static void test_network(void)
{
    g_auto(Moment) moment = moment_of(world_host());
    Change change = {.network = moment.networks->pdata[0]};
    static const struct {
        ChangeType type;
        const char *name;
    } types[] = {{CHANGE_NETWORK_DEFINED, "\"network.defined\""},
                 {CHANGE_NETWORK_UNDEFINED, "\"network.undefined\""},
                 {CHANGE_NETWORK_STARTED, "\"network.started\""},
                 {CHANGE_NETWORK_STOPPED, "\"network.stopped\""}};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(json_t) root = NULL;

        change.type = types[i].type;
        root = line(&change);
        assert_keys(root, "schema seq time type network");
        assert_member(root, "type", types[i].name);
        assert_member(json_object_get(root, "network"), "name", "\"default\"");
    }
}

/* Ports and leases have lines of their own, and are no change of the network; DHCP ranges are. */
static void test_network_changed(void)
{
    Facts *facts = world_host();
    Network *network = facts->networks->pdata[0];
    g_auto(Moment) before = moment_of(world_host());
    g_auto(Moment) now = {0};
    Change change = {.type = CHANGE_NETWORK_CHANGED};
    g_autoptr(json_t) changed = NULL;
    g_autoptr(json_t) changed_ips = NULL;

    network->autostart = FALSE;
    world_lease(facts, "default", "52:54:00:00:00:77", "192.168.122.77", 60);
    world_tap(facts, 77, "vnet77", 10, NULL);
    now = moment_of(facts);
    change.network_before = before.networks->pdata[0];
    change.network = now.networks->pdata[0];
    changed = line(&change);
    assert_keys(changed, "schema seq time type network changes");
    assert_member(changed, "changes", "{\"autostart\":[true,false]}");
    g_array_index(((NetworkIp *)network->ips->pdata[0])->ranges, DhcpRange, 0).first =
        world_ip_of("192.168.122.9");
    changed_ips = line(&change);
    assert_keys(json_object_get(changed_ips, "changes"), "autostart ips");
}

/* ------------------------------------------------------------------------------- sources, findings */

static void test_source(void)
{
    Change change = {.type = CHANGE_SOURCE_STALE, .source = SOURCE_LIBVIRT, .text = "gone"};
    g_autoptr(json_t) stale = line(&change);
    g_autoptr(json_t) live = NULL;
    g_autoptr(json_t) audit = NULL;

    assert_keys(stale, "schema seq time type source error");
    assert_member(stale, "type", "\"source.stale\"");
    assert_member(stale, "source", "\"libvirt\"");
    assert_member(stale, "error", "\"gone\"");
    change = (Change){.type = CHANGE_SOURCE_LIVE, .source = SOURCE_LEASES};
    live = line(&change);
    assert_member(live, "error", "null");
    assert_member(live, "type", "\"source.live\"");
    change = (Change){.type = CHANGE_AUDIT_MISMATCH, .source = SOURCE_LINKS, .text = "vnet0"};
    audit = line(&change);
    assert_keys(audit, "schema seq time type source detail");
    assert_member(audit, "type", "\"audit.mismatch\"");
}

static void test_finding(void)
{
    Finding *finding =
        finding_message(finding_new("tap-down", LEVEL_WARNING, OBJECT_INTERFACE, "vnet0"), "m");
    Change change = {.type = CHANGE_CHECK_RAISED, .finding = finding};
    g_autoptr(json_t) raised = line(&change);
    g_autoptr(json_t) cleared = NULL;

    assert_keys(raised, "schema seq time type finding");
    assert_member(raised, "type", "\"check.raised\"");
    assert_member(json_object_get(raised, "finding"), "id", "\"tap-down\"");
    change.type = CHANGE_CHECK_CLEARED;
    cleared = line(&change);
    assert_member(cleared, "type", "\"check.cleared\"");
    finding_free(finding);
}

/* parse_line looks at every byte. */
static void test_hostile(void)
{
    static const char evil[] = "\x7f\xe2\x80\xae\033]0;x\a\"\\\n\xc2\x9b\xff";
    Facts *facts = world_host();
    Moment moment;
    WatchStamp stamp = {.seq = 1, .wall_usec = MOMENT};
    Change change = {.type = CHANGE_SOURCE_DOWN, .source = SOURCE_LIBVIRT, .text = evil};
    g_autoptr(json_t) down = line(&change);
    g_autoptr(json_t) root = NULL;

    g_free(facts->host);
    facts->host = g_strdup(evil);
    source_status_set(&facts->sources[SOURCE_LINKS], SOURCE_STALE, evil);
    g_free(((Domain *)facts->domains->pdata[0])->name);
    ((Domain *)facts->domains->pdata[0])->name = g_strdup(evil);
    g_free(((Lease *)facts->leases->pdata[0])->hostname);
    ((Lease *)facts->leases->pdata[0])->hostname = g_strdup(evil);
    moment = moment_of(facts);
    root = snapshot(&moment, FALSE, &stamp);
    g_assert_nonnull(json_object_get(root, "host_hex"));
    g_assert_nonnull(json_object_get(down, "error_hex"));
    moment_clear(&moment);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watch-json/snapshot", test_snapshot);
    g_test_add_func("/watch-json/snapshot/empty", test_snapshot_empty);
    g_test_add_func("/watch-json/interface", test_interface);
    g_test_add_func("/watch-json/interface/changed", test_interface_changed);
    g_test_add_func("/watch-json/interface/lossy", test_interface_lossy);
    g_test_add_func("/watch-json/lease", test_lease);
    g_test_add_func("/watch-json/network", test_network);
    g_test_add_func("/watch-json/network/changed", test_network_changed);
    g_test_add_func("/watch-json/source", test_source);
    g_test_add_func("/watch-json/finding", test_finding);
    g_test_add_func("/watch-json/hostile", test_hostile);
    return g_test_run();
}
