/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/lines.h"

#include <libvirt/libvirt.h>
#include <string.h>

/* What watch and wait refuse before they ask anybody; what wait says of domains of libvirt's test driver.
 * Each line of words runs in a process of its own, whose standard error is looked at; what is not refused
 * there is refused because the host is a captured one. */

#define REPLAYED "*error: * follows what happens, and in a captured host nothing does\nhint: vnat help *"

static int run_words(const Command *command, const char *line, Context ctx)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof(char *));
    GError *error = NULL;
    int code;

    ctx.deadline = deadline_in(60);
    ctx.options = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    code = command_parse(&ctx, command, (int)g_strv_length(words), argv, &error) ? command->run(&ctx)
                                                                                 : report(&ctx, error);
    g_hash_table_unref(ctx.options);
    g_ptr_array_unref(ctx.words);
    return code;
}

static void assert_said(const Command *command, const char *line, const char *pattern)
{
    if (g_test_subprocess()) {
        const char *wanted = g_getenv("FOLLOWING_LINE");

        if (g_strcmp0(wanted, line) == 0)
            _Exit(run_words(command, line, (Context){.replay = "/nonexistent"}) == EXIT_USAGE ? 0 : 1);
        return;
    }
    g_setenv("FOLLOWING_LINE", line, TRUE);
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout_unmatched("*vnat*");
    g_test_trap_assert_stderr(pattern);
}

static void test_watch(void)
{
    assert_said(&command_watch, "watch --for 0",
                "error: --for takes seconds, not '0'\nhint: vnat help watch\n");
    assert_said(&command_watch, "watch --for -1", "error: --for takes seconds, not '-1'\n*");
    assert_said(&command_watch, "watch --for 1s", "error: --for takes seconds, not '1s'\n*");
    assert_said(&command_watch, "watch --for nan", "error: --for takes seconds, not 'nan'\n*");
    assert_said(&command_watch, "watch --for inf", "error: --for takes seconds, not 'inf'\n*");
    assert_said(&command_watch, "watch --for ", "error: --for takes seconds, not ''\n*");
    assert_said(&command_watch, "watch --count x", "error: --count takes a number, not 'x'\n*");
    assert_said(&command_watch, "watch --count -1", "error: --count takes a number, not '-1'\n*");
    assert_said(&command_watch, "watch --columns ip", "error: there is no option '--columns'\n*");
    assert_said(&command_watch, "watch x", "error: 'x' is one argument too many\n*");
    assert_said(&command_watch, "watch --for 0.5 --count 0 --json --no-snapshot", REPLAYED);
    assert_said(&command_watch, "watch", REPLAYED);
}

static void test_wait(void)
{
    assert_said(&command_wait, "wait", "error: DOMAIN is missing\nhint: vnat help wait\n");
    assert_said(&command_wait, "wait VM1 --for tap",
                "error: --for takes address, link or port:N, not 'tap'\nhint: vnat help wait\n");
    assert_said(&command_wait, "wait VM1 --for port", "error: --for takes address, *, not 'port'\n*");
    assert_said(&command_wait, "wait VM1 --for port:", "error: --for takes address, *, not 'port:'\n*");
    assert_said(&command_wait, "wait VM1 --for port:0", "error: --for takes address, *, not 'port:0'\n*");
    assert_said(&command_wait, "wait VM1 --for port:65536", "error: --for takes address, *port:65536'\n*");
    assert_said(&command_wait, "wait VM1 --for port:22x", "error: --for takes address, *port:22x'\n*");
    assert_said(&command_wait, "wait VM1 --timeout 0", "error: --timeout takes seconds, not '0'\n*");
    assert_said(&command_wait, "wait VM1 --json", "error: there is no option '--json'\n*");
    assert_said(&command_wait, "wait VM1", REPLAYED);
    assert_said(&command_wait, "wait --for address VM1", REPLAYED);
    assert_said(&command_wait, "wait --for link VM1 --timeout 0.1", REPLAYED);
    assert_said(&command_wait, "wait --for port:65535 VM1", REPLAYED);
}

/* A domain and what becomes of it while `wait` runs. */
typedef struct {
    const char *path, *line;
    gboolean defined; /* it has a definition */
    void (*later)(virDomainPtr domain);
    int code;
    const char *err; /* pattern */
} Fate;

#define NO_DOMAIN                                                                                            \
    "error: failed to get domain 'TR'\nerror: Domain not found*\n"                                           \
    "hint: *virsh *list --all' all of them\n"

static void destroy(virDomainPtr domain)
{
    g_assert_cmpint(virDomainDestroy(domain), ==, 0);
}

static void undefine(virDomainPtr domain)
{
    g_assert_cmpint(virDomainUndefine(domain), ==, 0);
    g_assert_cmpint(virDomainDestroy(domain), ==, 0);
}

static void destroy_undefine(virDomainPtr domain)
{
    g_assert_cmpint(virDomainDestroy(domain), ==, 0);
    g_assert_cmpint(virDomainUndefine(domain), ==, 0);
}

static const Fate fates[] = {
    {"/following/wait/subprocess/transient", "wait TR --timeout 300", FALSE, destroy, EXIT_FAILED, NO_DOMAIN},
    {"/following/wait/subprocess/undefined", "wait TR --timeout 300", TRUE, undefine, EXIT_FAILED, NO_DOMAIN},
    {"/following/wait/subprocess/destroyed", "wait TR --timeout 300", TRUE, destroy_undefine, EXIT_FAILED,
     NO_DOMAIN},
    {"/following/wait/subprocess/shut-off", "wait TR --timeout 3", TRUE, destroy, EXIT_FAILED,
     "error: domain 'TR' did not get an address within 3 s\nerror: domain 'TR' does not run\n"
     "hint: virsh -c test:///default start TR\n"},
};

typedef struct {
    const Fate *fate;
    virDomainPtr domain;
} Fated;

static gboolean on_fate(gpointer data)
{
    const Fated *fated = data;

    fated->fate->later(fated->domain);
    return G_SOURCE_REMOVE;
}

/* All connections of a process to test:///default have one state. */
static void run_fate(gconstpointer data)
{
    static const char xml[] =
        "<domain type='test'><name>TR</name><memory>8192</memory><os><type>hvm</type></os>"
        "<devices><interface type='user'/></devices></domain>";
    Fated fated = {.fate = data};
    virConnectPtr conn;
    int code;

    g_assert_cmpint(virInitialize(), ==, 0);
    conn = virConnectOpen("test:///default");
    if (fated.fate->defined) {
        fated.domain = virDomainDefineXML(conn, xml);
        g_assert_cmpint(virDomainCreate(fated.domain), ==, 0);
    } else {
        fated.domain = virDomainCreateXML(conn, xml, 0);
    }
    g_timeout_add(500, on_fate, &fated);
    code = run_words(&command_wait, fated.fate->line, (Context){.uri = "test:///default"});
    _Exit(code == fated.fate->code ? 0 : 1);
}

/* It ends at once where there is nothing to wait for any more. */
static void test_fates(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fates); i++) {
        g_test_trap_subprocess(fates[i].path, 120 * G_USEC_PER_SEC, 0);
        g_test_trap_assert_passed();
        g_test_trap_assert_stdout_unmatched("*vnat*");
        g_test_trap_assert_stderr(fates[i].err);
    }
}

static gboolean on_time(gpointer data)
{
    ++*(guint *)data;
    return G_SOURCE_CONTINUE;
}

/* A timeout of GLib's would end --for after 49 days. */
static void test_long(void)
{
    const double days = 24 * 3600;
    Lines lines = {.seconds = 60 * days};
    gint64 least = g_get_monotonic_time() + (gint64)(60 * days) * G_USEC_PER_SEC;
    const GSource *timer;
    guint times = 0;

    lines_begin(&lines);
    timer = g_main_context_find_source_by_id(NULL, lines.timer);
    g_assert_nonnull(timer);
    g_assert_cmpint(g_source_get_ready_time((GSource *)timer), >=, least);
    lines_clear(&lines);
    lines.seconds = 1e30;
    lines_begin(&lines);
    g_assert_cmpuint(lines.timer, ==, 0);
    lines_clear(&lines);
    g_assert_cmpuint(following_at(g_get_monotonic_time(), on_time, &times), >, 0);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(times, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/following/watch", test_watch);
    g_test_add_func("/following/wait", test_wait);
    g_test_add_func("/following/wait/fates", test_fates);
    for (gsize i = 0; i < G_N_ELEMENTS(fates); i++)
        g_test_add_data_func(fates[i].path, &fates[i], run_fate);
    g_test_add_func("/following/long", test_long);
    return g_test_run();
}
