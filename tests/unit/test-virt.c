/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/virt-call.h"
#include "base/virt-pool.h"

#include <libvirt/virterror.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Calls that hang are functions that wait for a gate which the test opens at its end: nothing here sleeps.
 * What passes is a clock, where slowness is what is tested.
 */
typedef struct {
    GMutex lock;
    GCond cond;
    gboolean open;
    guint begun, freed; /* calls inside, items freed */
} Gate;

static Gate gate;

static void gate_reset(void)
{
    g_mutex_lock(&gate.lock);
    gate.open = FALSE;
    gate.begun = 0;
    gate.freed = 0;
    g_mutex_unlock(&gate.lock);
}

static void gate_enter(void)
{
    g_mutex_lock(&gate.lock);
    gate.begun++;
    g_cond_broadcast(&gate.cond);
    while (!gate.open)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

static void gate_open(void)
{
    g_mutex_lock(&gate.lock);
    gate.open = TRUE;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.lock);
}

static void gate_wait_freed(guint count)
{
    gint64 until = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;

    g_mutex_lock(&gate.lock);
    while (gate.freed < count && g_cond_wait_until(&gate.cond, &gate.lock, until))
        ;
    g_assert_cmpuint(gate.freed, ==, count);
    g_mutex_unlock(&gate.lock);
}

typedef struct {
    guint number;
    gboolean hangs;
    virConnectPtr conn; /* that it was called with */
    guint done;         /* by done: how often */
} Item;

static Item *item_new(guint number, gboolean hangs)
{
    Item *item = g_new0(Item, 1);

    item->number = number;
    item->hangs = hangs;
    return item;
}

static void item_free(gpointer item)
{
    g_free(item);
    g_mutex_lock(&gate.lock);
    gate.freed++;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.lock);
}

static gboolean item_call(virConnectPtr conn, gpointer data, GError **error)
{
    Item *item = data;

    if (item->hangs)
        gate_enter();
    item->conn = conn;
    if (item->number % 100 == 99)
        return vnat_error_set(error, VNAT_ERROR_FAILED, "item %u", item->number);
    return TRUE;
}

typedef struct {
    guint ok, failed, late;
    GHashTable *conns;
    gboolean seen[1000]; /* by number */
} Tally;

static void tally_done(gpointer data, const GError *error, gpointer user_data)
{
    Item *item = data;
    Tally *tally = user_data;

    g_assert_false(tally->seen[item->number]);
    tally->seen[item->number] = TRUE;
    if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_DEADLINE)) {
        tally->late++;
        return;
    }
    if (error)
        tally->failed++;
    else
        tally->ok++;
    g_hash_table_add(tally->conns, item->conn);
}

static void tally_init(Tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->conns = g_hash_table_new(NULL, NULL);
}

static void tally_clear(Tally *tally)
{
    g_hash_table_unref(tally->conns);
}

static VirtConn *open_default(void)
{
    g_autoptr(GError) error = NULL;
    VirtConn *conn = virt_open("test:///default", FALSE, deadline_in(10), &error);

    g_assert_no_error(error);
    g_assert_nonnull(conn);
    return conn;
}

static GPtrArray *items_new(guint count, guint hang)
{
    GPtrArray *items = g_ptr_array_new();

    for (guint i = 0; i < count; i++)
        g_ptr_array_add(items, item_new(i, i < hang));
    return items;
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
    g_autoptr(VirtConn) conn = virt_open("test:///default", TRUE, deadline_in(10), &error);

    g_assert_no_error(error);
    g_assert_true(virt_conn_readonly(conn));
}

static void assert_unreachable(const char *uri, const char *message, const char *hint)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *what = g_strdup_printf("failed to connect to '%s'", uri);

    g_assert_null(virt_open(uri, FALSE, deadline_in(10), &error));
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
        gint64 before = g_get_monotonic_time();

        g_assert_null(virt_open(refused, FALSE, deadline_in(0.2), &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
        g_assert_cmpint(g_get_monotonic_time() - before, <, G_TIME_SPAN_SECOND);
        g_assert_nonnull(vnat_error_get_hint(error));
    }
    close(fd);
    unlink(path);
    rmdir(dir);
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
    g_assert_cmpint(g_get_monotonic_time() - before, <, 6 * G_TIME_SPAN_SECOND);
    g_assert_cmpuint(gate.freed, ==, 55);

    /* The connection still answers, over a line that is not the hung calls' own. */
    {
        g_autoptr(GPtrArray) more = items_new(10, 0);
        Tally second;

        tally_init(&second);
        virt_call_each(conn, "f", item_call, more, item_free, VIRT_GUESTS, tally_done, &second,
                       deadline_in(5));
        g_assert_cmpuint(second.ok, ==, 10);
        tally_clear(&second);
    }
    before = g_get_monotonic_time();
    virt_close(conn);
    g_assert_cmpint(g_get_monotonic_time() - before, <, G_TIME_SPAN_SECOND);
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
    g_assert_cmpint(g_get_monotonic_time() - before, <, G_TIME_SPAN_SECOND);
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

/* -------------------------------------------------------------------------------------------- pool */

typedef struct {
    guint dials, fail_from; /* fail_from: this dial and later ones fail; 0: none */
} Dialled;

static virConnectPtr dial(gpointer data, GError **error)
{
    Dialled *dialled = data;

    dialled->dials++;
    if (dialled->fail_from && dialled->dials >= dialled->fail_from) {
        vnat_error_set(error, VNAT_ERROR_UNREACHABLE, "dial %u", dialled->dials);
        return NULL;
    }
    return virConnectOpen("test:///default");
}

static void collect(gpointer item, const GError *error, gboolean returned, gpointer user_data)
{
    tally_done(item, error, user_data);
    if (returned)
        item_free(item);
}

/* A clock of the test's own: three calls are slow at once, so the next goes over a fresh line. */
static void test_pool_fresh_line(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(20, 3);
    VirtBatch *batch;
    gboolean stuck = TRUE;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 3);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 1)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    /* All workers: twenty items get them only after 20 ms, and that clock is the test's. */
    virt_batch_tick(batch, g_get_monotonic_time() + 30 * G_TIME_SPAN_MILLISECOND, &stuck);
    g_assert_false(stuck);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 3)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    g_assert_false(virt_batch_collect(batch, collect, &tally));
    virt_batch_tick(batch, g_get_monotonic_time() + G_TIME_SPAN_SECOND, &stuck);
    g_assert_false(stuck);
    g_assert_false(virt_batch_wait(batch, collect, &tally, deadline_in(0.3)));
    g_assert_cmpuint(tally.ok, ==, 17);
    g_assert_cmpuint(dialled.dials, ==, 2);
    /* Only the three are left, and two seconds have passed. */
    virt_batch_tick(batch, g_get_monotonic_time() + 2 * G_TIME_SPAN_SECOND, &stuck);
    g_assert_true(stuck);
    gate_open();
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(5)));
    virt_batch_end(batch, collect, &tally);
    g_assert_cmpuint(tally.ok, ==, 20);
    g_assert_cmpuint(g_hash_table_size(tally.conns), ==, 2);
    g_assert_true(virt_pool_close(pool));
    tally_clear(&tally);
}

static void test_pool_no_line(void)
{
    Dialled dialled = {0, 1};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(20, 0);
    VirtBatch *batch;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 8);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(5)));
    virt_batch_end(batch, collect, &tally);
    g_assert_cmpuint(tally.failed, ==, 20);
    g_assert_cmpuint(dialled.dials, ==, 1);
    g_assert_true(virt_pool_close(pool));
    tally_clear(&tally);
}

/* However many calls hang, libvirtd is left workers for others. */
static void test_pool_clogged(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(40, 40);
    VirtBatch *batch;
    gboolean stuck;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 8);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, NULL, NULL);
    for (guint begun = 8; begun <= 16; begun += 8) {
        virt_batch_tick(batch, g_get_monotonic_time() + 30 * G_TIME_SPAN_MILLISECOND, &stuck);
        g_mutex_lock(&gate.lock);
        while (gate.begun < begun)
            g_cond_wait(&gate.cond, &gate.lock);
        g_mutex_unlock(&gate.lock);
        virt_batch_tick(batch, g_get_monotonic_time() + G_TIME_SPAN_SECOND, &stuck);
    }
    g_assert_false(virt_batch_wait(batch, collect, &tally, deadline_in(0.2)));
    g_assert_cmpuint(gate.begun, ==, 16);
    virt_batch_end(batch, collect, &tally);
    g_assert_cmpuint(tally.late, ==, 40);
    g_assert_cmpuint(gate.freed, ==, 24);
    gate_open();
    gate_wait_freed(40);
    virt_pool_close(pool);
    tally_clear(&tally);
}

/*
 * Lets the hung call return while done looks at its item. The pool has one worker: when another batch is
 * through, that call has been dealt with.
 */
static void collect_late(gpointer item, const GError *error, gboolean returned, gpointer user_data)
{
    VirtPool *pool = user_data;
    gpointer other = item_new(1, FALSE);
    VirtBatch *batch;

    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_DEADLINE);
    g_assert_false(returned);
    gate_open();
    batch = virt_batch_submit(pool, "f", item_call, &other, 1, NULL, 0, NULL, NULL);
    g_assert_true(virt_batch_wait(batch, NULL, NULL, deadline_in(5)));
    virt_batch_end(batch, NULL, NULL);
    g_free(other);
    g_assert_cmpuint(gate.freed, ==, 0);
    g_assert_cmpuint(((Item *)item)->number, ==, 0);
}

static void test_pool_late(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    gpointer item = item_new(0, TRUE);
    VirtBatch *batch;

    gate_reset();
    batch = virt_batch_submit(pool, "f", item_call, &item, 1, item_free, 0, NULL, NULL);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 1)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    virt_batch_end(batch, collect_late, pool);
    g_assert_cmpuint(gate.freed, ==, 1);
    g_assert_true(virt_pool_close(pool));
}

static void count_notice(gpointer data)
{
    (*(guint *)data)++;
}

static void test_pool_notify(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    g_autoptr(GPtrArray) items = items_new(20, 0);
    guint notices = 0;
    VirtBatch *batch;
    Tally tally;

    gate_reset();
    tally_init(&tally);
    virt_pool_set_width(pool, 4);
    batch = virt_batch_submit(pool, "f", item_call, items->pdata, items->len, item_free, 0, count_notice,
                              &notices);
    g_assert_true(virt_batch_wait(batch, collect, &tally, deadline_in(5)));
    virt_batch_end(batch, collect, &tally);
    /* Of each, so that one that hangs holds back none. */
    g_assert_cmpuint(notices, ==, 20);
    g_assert_true(virt_pool_close(pool));
    tally_clear(&tally);
}

static gint hangups;

static void hangup(virConnectPtr conn, gpointer dial_data)
{
    Dialled *dialled = dial_data;

    g_assert_cmpint(virConnectIsAlive(conn), ==, 1);
    g_assert_cmpuint(dialled->dials, ==, 1);
    g_atomic_int_inc(&hangups);
}

/* Whoever closes does not wait for a call that hangs; it is waited for all the same. */
static void test_pool_aside(void)
{
    Dialled dialled = {0, 0};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    gpointer item = item_new(0, TRUE);
    VirtBatch *batch;

    gate_reset();
    g_assert_true(virt_pools_closed(0));
    virt_pool_set_hangup(pool, hangup);
    batch = virt_batch_submit(pool, "f", item_call, &item, 1, item_free, 0, NULL, NULL);
    g_mutex_lock(&gate.lock);
    while (gate.begun < 1)
        g_cond_wait(&gate.cond, &gate.lock);
    g_mutex_unlock(&gate.lock);
    virt_batch_end(batch, NULL, NULL);
    virt_pool_close_aside(pool);
    g_assert_false(virt_pools_closed(deadline_in(0.05)));
    g_assert_true(virt_calls_hang());
    g_assert_cmpint(g_atomic_int_get(&hangups), ==, 0);
    gate_open();
    g_assert_true(virt_pools_closed(deadline_in(5)));
    g_assert_cmpuint(gate.freed, ==, 1);
    g_assert_cmpint(g_atomic_int_get(&hangups), ==, 1);
}

/* One that was never used, and one that could not be. */
static void test_pool_aside_unused(void)
{
    Dialled dialled = {0, 1};
    VirtPool *pool = virt_pool_new(dial, &dialled, NULL);
    gpointer item = item_new(0, FALSE);
    VirtBatch *batch;

    hangups = 0;
    virt_pool_set_hangup(pool, hangup);
    batch = virt_batch_submit(pool, "f", item_call, &item, 1, NULL, 0, NULL, NULL);
    g_assert_true(virt_batch_wait(batch, NULL, NULL, deadline_in(5)));
    virt_batch_end(batch, NULL, NULL);
    virt_pool_close_aside(pool);
    virt_pool_close_aside(virt_pool_new(dial, &dialled, NULL));
    g_assert_true(virt_pools_closed(deadline_in(5)));
    g_assert_cmpint(hangups, ==, 0);
    g_free(item);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, NULL);
    g_test_add_func("/virt/open", test_open);
    g_test_add_func("/virt/open/readonly", test_open_readonly);
    g_test_add_func("/virt/open/refused", test_open_refused);
    g_test_add_func("/virt/open/nonsense", test_open_nonsense);
    g_test_add_func("/virt/local", test_local);
    g_test_add_func("/virt/errors", test_errors);
    g_test_add_func("/virt/each", test_each);
    g_test_add_func("/virt/each/hung", test_each_hung);
    g_test_add_func("/virt/each/deadline", test_each_deadline);
    g_test_add_func("/virt/call/deadline", test_call_deadline);
    g_test_add_func("/virt/call/past", test_call_past);
    g_test_add_func("/virt/call/data", test_call_data);
    g_test_add_func("/virt/pool/fresh-line", test_pool_fresh_line);
    g_test_add_func("/virt/pool/no-line", test_pool_no_line);
    g_test_add_func("/virt/pool/clogged", test_pool_clogged);
    g_test_add_func("/virt/pool/late", test_pool_late);
    g_test_add_func("/virt/pool/notify", test_pool_notify);
    g_test_add_func("/virt/pool/aside", test_pool_aside);
    g_test_add_func("/virt/pool/aside/unused", test_pool_aside_unused);
    return g_test_run();
}
