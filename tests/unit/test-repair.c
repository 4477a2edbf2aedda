/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/network.h"
#include "actions/repair.h"
#include "base/error.h"
#include "base/virt.h"
#include "checks/check.h"
#include "sources/libvirt.h"

#include <glib/gstdio.h>
#include <string.h>

/*
 * Taking steps: on networks of libvirt's test driver, which can be started, and whose autostart can be set.
 * Whether a fault stands is what the real checks say of fresh readings, with what a test puts before or
 * instead of them.
 */

static const char world_xml[] = "<node><network><name>one</name><bridge name='virbr1'/></network>"
                                "<network><name>two</name><bridge name='virbr2'/></network></node>";

typedef struct {
    VirtConn *conn;
    Facts *facts;
    Map *map;
    GPtrArray *findings;
    guint looks;
    guint blind_from;       /* looks from this one on could not see; 0: all could */
    guint unreachable_from; /* looks from this one on fail; 0: none */
    const char *stubborn;   /* check that always finds its fault on "one" */
    const char *passing;    /* check that finds it on "one" in the first two looks only */
    const char *again;      /* check that finds it on "one" in every look but the third */
    char *defined;          /* what define was asked for */
    gboolean define_fails;
} Host;

static void host_forget(Host *host)
{
    if (host->findings)
        g_ptr_array_unref(host->findings);
    if (host->map)
        map_free(host->map);
    if (host->facts)
        facts_free(host->facts);
}

static void host_clear(Host *host)
{
    host_forget(host);
    virt_close(host->conn);
    g_free(host->defined);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Host, host_clear)

static void host_init(Host *host)
{
    g_autofree char *path = NULL;
    g_autofree char *uri = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("vnat-repair-XXXXXX.xml", &path, &error);

    g_assert_no_error(error);
    g_close(fd, NULL);
    g_assert_true(g_file_set_contents(path, world_xml, -1, &error));
    uri = g_strconcat("test://", path, NULL);
    host->conn = virt_open(uri, FALSE, deadline_in(60), &error);
    g_assert_no_error(error);
    g_unlink(path);
    /* Active, with autostart: nothing to find. */
    g_assert_true(network_autostart(host->conn, "one", TRUE, deadline_in(60), NULL));
    g_assert_true(network_autostart(host->conn, "two", TRUE, deadline_in(60), NULL));
    g_assert_true(network_start(host->conn, "one", NULL, deadline_in(60), NULL));
    g_assert_true(network_start(host->conn, "two", NULL, deadline_in(60), NULL));
}

static void add_fault(Host *host, const char *id)
{
    Finding *finding = finding_new(id, LEVEL_CRITICAL, OBJECT_NETWORK, "one");

    finding->network = g_strdup("one");
    finding->repair = REPAIR_SAFE;
    finding_message(finding, "it is broken");
    finding_remedy(finding, "by hand");
    for (guint i = host->findings->len; i-- > 0;) {
        if (strcmp(((Finding *)host->findings->pdata[i])->id, id) == 0)
            g_ptr_array_remove_index(host->findings, i);
    }
    g_ptr_array_add(host->findings, finding);
}

static gboolean look(RepairView *view, gpointer data, GError **error)
{
    Host *host = data;

    host->looks++;
    if (host->unreachable_from && host->looks >= host->unreachable_from)
        return vnat_error_set(error, VNAT_ERROR_UNREACHABLE, "nobody answers");
    host_forget(host);
    host->facts = facts_new();
    g_assert_true(
        libvirt_read_networks(host->conn, host->facts, LIBVIRT_NETWORKS_ALL, deadline_in(60), NULL));
    host->map = map_join(host->facts);
    host->findings = checks_run(host->facts, host->map, G_MAXUINT);
    if (host->stubborn)
        add_fault(host, host->stubborn);
    if (host->passing && host->looks <= 2)
        add_fault(host, host->passing);
    if (host->again && host->looks != 3)
        add_fault(host, host->again);
    *view = (RepairView){host->conn, host->facts, host->map, host->findings};
    return TRUE;
}

static gboolean looked(const char *id, char **why, gpointer data)
{
    const Host *host = data;
    gboolean saw = !host->blind_from || host->looks < host->blind_from;

    if (!saw && why)
        *why = g_strdup("it is dark");
    return saw;
}

static gboolean define(const char *network, gpointer data, GError **error)
{
    Host *host = data;

    host->defined = g_strdup(network);
    return !host->define_fails || vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "no such template");
}

/* "state id object: detail" a line. */
static void assert_applied(Host *host, const char *id, const char *expected)
{
    const char *const ids[] = {id, NULL};
    const RepairAsked asked = {NULL, ids};
    const RepairHost functions = {look, looked, define, NULL, host};
    g_autoptr(GPtrArray) steps = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    RepairView view;

    g_assert_true(look(&view, host, NULL));
    steps = repair_apply(&functions, &view, &asked, deadline_in(20));
    for (guint i = 0; i < steps->len; i++) {
        const Step *step = steps->pdata[i];

        g_string_append_printf(text, "%s %s %s: %s\n", step_state_name(step->state), step->id, step->object,
                               step->detail ? step->detail : "");
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static void test_nothing(void)
{
    g_auto(Host) host = {0};

    host_init(&host);
    assert_applied(&host, NULL, "");
    g_assert_cmpuint(host.looks, ==, 1);
}

/* Real changes: a network is started, another gets its autostart. A second run has nothing to do. */
static void test_done(void)
{
    g_auto(Host) host = {0};

    host_init(&host);
    g_assert_true(network_destroy(host.conn, "one", deadline_in(60), NULL));
    g_assert_true(network_autostart(host.conn, "two", FALSE, deadline_in(60), NULL));
    assert_applied(&host, NULL,
                   "done network-inactive one: \nskipped network-no-autostart two: needs consent\n");
    assert_applied(&host, "network-no-autostart", "done network-no-autostart two: \n");
    assert_applied(&host, "network-no-autostart", "");
}

/* What a step brings to light is mended in the same run: once started, it is seen to have no autostart. */
static void test_rounds(void)
{
    g_auto(Host) host = {0};

    host_init(&host);
    g_assert_true(network_destroy(host.conn, "one", deadline_in(60), NULL));
    g_assert_true(network_autostart(host.conn, "one", FALSE, deadline_in(60), NULL));
    {
        const char *const ids[] = {"network-inactive", "network-no-autostart", NULL};
        const RepairAsked asked = {NULL, ids};
        const RepairHost functions = {look, looked, define, NULL, &host};
        g_autoptr(GPtrArray) steps = NULL;
        RepairView view;

        g_assert_true(look(&view, &host, NULL));
        steps = repair_apply(&functions, &view, &asked, deadline_in(20));
        g_assert_cmpuint(steps->len, ==, 2);
        g_assert_cmpstr(((Step *)steps->pdata[1])->id, ==, "network-no-autostart");
        g_assert_cmpint(((Step *)steps->pdata[1])->state, ==, STEP_DONE);
    }
}

/* Gone before its turn: not touched. */
static void test_gone(void)
{
    g_auto(Host) host = {.passing = "network-no-autostart"};

    host_init(&host);
    g_assert_true(network_autostart(host.conn, "one", TRUE, deadline_in(60), NULL));
    host.looks = 1;
    assert_applied(&host, NULL, "skipped network-no-autostart one: it has gone meanwhile\n");
}

/* What was done and did not help is not called done. */
static void test_no_help(void)
{
    g_auto(Host) host = {.stubborn = "network-no-autostart"};

    host_init(&host);
    assert_applied(&host, NULL,
                   "failed network-no-autostart one: it was done, but did not help: it is broken\n");
}

/* Looks: the plan's, the one before the step, the one after it, which clears; then it is there again. */
static void test_again(void)
{
    g_auto(Host) host = {.again = "network-no-autostart"};

    host_init(&host);
    assert_applied(&host, NULL, "failed network-no-autostart one: but it is there again: it is broken\n");
}

/* A check that cannot look clears nothing. */
static void test_blind(void)
{
    g_auto(Host) before = {.passing = "network-no-autostart", .blind_from = 2};
    g_auto(Host) after = {.passing = "network-no-autostart", .blind_from = 3};

    host_init(&before);
    before.looks = 1;
    assert_applied(&before, NULL, "failed network-no-autostart one: it cannot be looked at: it is dark\n");
    host_init(&after);
    assert_applied(
        &after, NULL,
        "failed network-no-autostart one: it was done, but whether it helped cannot be seen: it is dark\n");
}

static void test_unreachable(void)
{
    g_auto(Host) before = {.stubborn = "network-no-autostart", .unreachable_from = 2};
    g_auto(Host) after = {.stubborn = "network-no-autostart", .unreachable_from = 3};

    host_init(&before);
    assert_applied(&before, NULL, "failed network-no-autostart one: nobody answers\n");
    host_init(&after);
    assert_applied(&after, NULL,
                   "failed network-no-autostart one: it was done, but whether it helped cannot be seen: "
                   "nobody answers\n");
}

/* A definition is the caller's to make; what comes after it is as with any network. */
static void test_define(void)
{
    g_auto(Host) host = {.passing = "network-missing"};
    g_auto(Host) failing = {.passing = "network-missing", .define_fails = TRUE};

    host_init(&host);
    assert_applied(&host, NULL, "done network-missing one: \n");
    g_assert_cmpstr(host.defined, ==, "one");
    host_init(&failing);
    assert_applied(&failing, NULL, "failed network-missing one: no such template\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair/nothing", test_nothing);
    g_test_add_func("/repair/done", test_done);
    g_test_add_func("/repair/rounds", test_rounds);
    g_test_add_func("/repair/gone", test_gone);
    g_test_add_func("/repair/no-help", test_no_help);
    g_test_add_func("/repair/again", test_again);
    g_test_add_func("/repair/blind", test_blind);
    g_test_add_func("/repair/unreachable", test_unreachable);
    g_test_add_func("/repair/define", test_define);
    return g_test_run();
}
