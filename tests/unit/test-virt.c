/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt-gate.h"

#include "base/virt-dial.h"

#include <libvirt/virterror.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static VirtConn *open_default(void)
{
    g_autoptr(GError) error = NULL;
    VirtConn *conn = virt_open("test:///default", FALSE, deadline_in(60), &error);

    g_assert_no_error(error);
    g_assert_nonnull(conn);
    return conn;
}

/* -------------------------------------------------------------------------------------------- open */

static void test_open(void)
{
    g_autoptr(VirtConn) conn = open_default();

    g_assert_cmpstr(virt_conn_uri(conn), ==, "test:///default");
    g_assert_false(virt_conn_readonly(conn));
    g_assert_false(virt_conn_local(conn));
    g_assert_cmpuint(virt_conn_libversion(conn), >=, 7008000);
}

static void test_open_readonly(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VirtConn) conn = virt_open("test:///default", TRUE, deadline_in(60), &error);

    g_assert_no_error(error);
    g_assert_true(virt_conn_readonly(conn));
}

static void assert_unreachable(const char *uri, const char *message, const char *hint)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *what = g_strdup_printf("failed to connect to '%s'", uri);

    g_assert_null(virt_open(uri, FALSE, deadline_in(60), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_UNREACHABLE);
    g_assert_nonnull(strstr(error->message, message));
    g_assert_cmpstr(vnat_error_get_what(error), ==, what);
    g_assert_cmpstr(vnat_error_get_hint(error), ==, hint);
}

static void test_open_refused(void)
{
    g_autofree char *dir = g_dir_make_tmp("vnat-virt-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "sock", NULL);
    g_autofree char *absent = g_strdup_printf("qemu+unix:///system?socket=%s/none", dir);
    g_autofree char *refused = g_strdup_printf("qemu+unix:///system?socket=%s", path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    assert_unreachable(absent, "No such file or directory", NULL);
    assert_unreachable(refused, "Connection refused", NULL);
    /* Bound and listening, but nobody answers: as a daemon that is stopped. */
    g_assert_cmpint(listen(fd, 5), ==, 0);
    {
        g_autoptr(GError) error = NULL;
        /* Without its deadline it would wait for ever. */
        g_assert_null(virt_open(refused, FALSE, deadline_in(0.2), &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
        g_assert_nonnull(vnat_error_get_hint(error));
    }
    close(fd);
    unlink(path);
    rmdir(dir);
}

/* Of another host there is nothing to be said about this one's services. */
static void test_no_answer(void)
{
    g_autoptr(GError) here = NULL;
    g_autoptr(GError) there = NULL;

    g_assert_false(virt_error_no_answer("qemu:///system", &here));
    g_assert_error(here, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpstr(vnat_error_get_hint(here), ==, "systemctl status libvirtd virtqemud");
    g_assert_false(virt_error_no_answer("qemu+tcp://host/system", &there));
    g_assert_error(there, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_null(strstr(there->message, "hangs"));
    g_assert_null(vnat_error_get_hint(there));
}

static void test_open_nonsense(void)
{
    assert_unreachable("nonsense", "no connection driver", "vnat -c qemu:///system");
    assert_unreachable("http://[", "Unable to parse URI", "vnat -c qemu:///system");
    assert_unreachable("qemu+carrier-pigeon:///system", "transport", "vnat -c qemu:///system");
}

static void test_local(void)
{
    static const char *const local[] = {
        "qemu:///system", "qemu+unix:///system", "qemu:///session",
        "lxc:///",        "network:///system",   "qemu+unix:///system?socket=/x",
        "lxc:///system",  "qemu:/system",        "qemu://?x=y"};
    static const char *const remote[] = {"test:///default",
                                         "test+unix:///x.xml",
                                         "qemu://host/system",
                                         "qemu+ssh://root@host/system",
                                         "qemu+tcp:///system",
                                         "qemu+ssh:///system",
                                         "esx://host/",
                                         "",
                                         "qemu",
                                         "//x",
                                         "qemufoo:///system",
                                         "xen:///system",
                                         "ch:///system",
                                         "bhyve:///system"};

    for (gsize i = 0; i < G_N_ELEMENTS(local); i++)
        g_assert_true(virt_uri_is_local(local[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(remote); i++)
        g_assert_false(virt_uri_is_local(remote[i]));
}

/* ------------------------------------------------------------------------------------------ errors */

static gboolean error_call(virConnectPtr conn, gpointer data, GError **error)
{
    static const char name[] = "nosuch";

    g_autoptr(virNetwork) network = virNetworkLookupByName(conn, "default");
    virNetworkDHCPLeasePtr *leases = NULL;

    switch (*(gsize *)data) {
    case 0:
        virDomainLookupByName(conn, name);
        break;
    case 1:
        virNetworkLookupByName(conn, name);
        break;
    case 2:
        virNetworkGetDHCPLeases(network, NULL, &leases, 0);
        break;
    case 3:
        virDomainDefineXML(conn, "<domain");
        break;
    case 4:
        virNetworkLookupByName(NULL, name);
        break;
    default:
        return FALSE;
    }
    return virt_error_take(error);
}

static void test_errors(void)
{
    static const struct {
        VnatError code;
        const char *message;
    } expected[] = {
        {VNAT_ERROR_NOT_FOUND, "Domain not found"},
        {VNAT_ERROR_NOT_FOUND, "Network not found: no network with matching name 'nosuch'"},
        {VNAT_ERROR_UNSUPPORTED, "this function is not supported by the connection driver"},
        {VNAT_ERROR_FAILED, ""},
        {VNAT_ERROR_UNREACHABLE, "invalid connection pointer"},
        {VNAT_ERROR_FAILED, "virSomething failed without a reason"},
    };
    g_autoptr(VirtConn) conn = open_default();

    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(virt_call(conn, "virSomething", error_call, &i, NULL, DEADLINE_NEVER, &error));
        g_assert_error(error, VNAT_ERROR, (gint)expected[i].code);
        g_assert_nonnull(strstr(error->message, expected[i].message));
    }
}

/* ------------------------------------------------------------------------------------------- calls */

static void test_each(void)
{
    static const guint counts[] = {0, 1, 3, 50, 1000};
    g_autoptr(VirtConn) conn = open_default();

    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GPtrArray) items = items_new(counts[i], 0);
        Tally tally;

        gate_reset();
        tally_init(&tally);
        virt_call_each(conn, "f", item_call, items, item_free, VIRT_BULK, tally_done, &tally, DEADLINE_NEVER);
        g_assert_cmpuint(tally.ok, ==, counts[i] - counts[i] / 100);
        g_assert_cmpuint(tally.failed, ==, counts[i] / 100);
        g_assert_cmpuint(g_hash_table_size(tally.conns), ==, counts[i] ? 1 : 0);
        g_assert_cmpuint(gate.freed, ==, counts[i]);
        tally_clear(&tally);
    }
}

/* Five calls of a width of four hang: the others are answered, over a second connection, and the five
 * reported. */
static void test_each_hung(void)
{
    VirtConn *conn = open_default();
    g_autoptr(GPtrArray) items = items_new(60, 5);
    gint64 before = g_get_monotonic_time();
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_call_each(conn, "f", item_call, items, item_free, VIRT_GUESTS, tally_done, &tally, DEADLINE_NEVER);
    g_assert_cmpuint(tally.ok, ==, 55);
    g_assert_cmpuint(tally.late, ==, 5);
    g_assert_cmpuint(g_hash_table_size(tally.conns), ==, 1);
    g_assert_cmpuint(gate.begun, ==, 5);
    /* One second until they are slow, two after the last other one. */
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 3 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint(gate.freed, ==, 55);

    /* The connection still answers, over a line that is not the hung calls' own. */
    {
        g_autoptr(GPtrArray) more = items_new(10, 0);
        Tally second;

        tally_init(&second);
        virt_call_each(conn, "f", item_call, more, item_free, VIRT_GUESTS, tally_done, &second,
                       deadline_in(60));
        g_assert_cmpuint(second.ok, ==, 10);
        tally_clear(&second);
    }
    /* Which waits for none of the calls that hang: they return when the gate opens. */
    virt_close(conn);
    gate_open();
    gate_wait_freed(70);
    tally_clear(&tally);
}

/* At the deadline everything is reported; what never began is freed at once. */
static void test_each_deadline(void)
{
    VirtConn *conn = open_default();
    g_autoptr(GPtrArray) items = items_new(40, 40);
    gint64 before = g_get_monotonic_time();
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_call_each(conn, "f", item_call, items, item_free, 2, tally_done, &tally, deadline_in(0.3));
    g_assert_cmpuint(tally.late, ==, 40);
    g_assert_cmpuint(gate.freed, ==, 38);
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 300 * G_TIME_SPAN_MILLISECOND);
    virt_close(conn);
    gate_open();
    gate_wait_freed(40);
    tally_clear(&tally);
}

static void test_call_deadline(void)
{
    VirtConn *conn = open_default();
    g_autoptr(GError) error = NULL;

    gate_reset();
    g_assert_false(
        virt_call(conn, "virHang", item_call, item_new(0, TRUE), item_free, deadline_in(0.1), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_true(g_str_has_prefix(error->message, "virHang"));
    g_assert_cmpuint(gate.freed, ==, 0);
    gate_open();
    gate_wait_freed(1);
    virt_close(conn);
}

/* Nothing begins after the deadline. */
static void test_call_past(void)
{
    g_autoptr(VirtConn) conn = open_default();
    g_autoptr(GPtrArray) items = items_new(20, 20);
    g_autoptr(GError) error = NULL;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    g_assert_false(
        virt_call(conn, "virHang", item_call, item_new(0, TRUE), item_free, deadline_in(-1), &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_cmpuint(gate.freed, ==, 1);
    virt_call_each(conn, "virHang", item_call, items, item_free, VIRT_BULK, tally_done, &tally,
                   deadline_in(-1));
    g_assert_cmpuint(tally.late, ==, 20);
    g_assert_cmpuint(gate.freed, ==, 21);
    g_assert_cmpuint(gate.begun, ==, 0);
    tally_clear(&tally);
}

/* On TRUE data is the caller's again, on an error of the call it is gone. */
static void test_call_data(void)
{
    g_autoptr(VirtConn) conn = open_default();
    g_autoptr(GError) error = NULL;
    Item *item = item_new(1, FALSE);

    gate_reset();
    g_assert_true(virt_call(conn, "f", item_call, item, item_free, DEADLINE_NEVER, &error));
    g_assert_nonnull(item->conn);
    g_assert_cmpuint(gate.freed, ==, 0);
    item->number = 99;
    g_assert_false(virt_call(conn, "f", item_call, item, item_free, DEADLINE_NEVER, &error));
    g_assert_cmpuint(gate.freed, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, NULL);
    g_test_add_func("/virt/open", test_open);
    g_test_add_func("/virt/open/readonly", test_open_readonly);
    g_test_add_func("/virt/open/refused", test_open_refused);
    g_test_add_func("/virt/open/no-answer", test_no_answer);
    g_test_add_func("/virt/open/nonsense", test_open_nonsense);
    g_test_add_func("/virt/local", test_local);
    g_test_add_func("/virt/errors", test_errors);
    g_test_add_func("/virt/each", test_each);
    g_test_add_func("/virt/each/hung", test_each_hung);
    g_test_add_func("/virt/each/deadline", test_each_deadline);
    g_test_add_func("/virt/call/deadline", test_call_deadline);
    g_test_add_func("/virt/call/past", test_call_past);
    g_test_add_func("/virt/call/data", test_call_data);
    return g_test_run();
}
