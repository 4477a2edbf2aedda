/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/guard.h"

#include "base/error.h"
#include "base/name.h"
#include "base/run.h"

#include <string.h>

#define TABLE "inet vnat_repair"
#define OUTPUT_BYTES ((gsize)16 * 1024 * 1024)

/*
 * That the rules are back is told by nobody: they are listed again and again. They are, when there are as
 * many as before and none came or went for longer than between any two of them: libvirt starts a program for
 * each rule, and on a host that is busy that takes a while.
 */
#define PAUSE_SECONDS 0.05
#define QUIET_SECONDS 0.3  /* between two rules, and two networks, it takes less where nothing else runs */
#define QUIET_GAPS 3       /* of the longest that was seen */
#define LOWER_SECONDS 12.0 /* guests wait no longer than this */
#define REMOVE_SECONDS 2.0

struct Guard {
    gboolean raised;
    char *before; /* the rules when it was raised; NULL: unknown */
};

char *guard_commands(const Facts *facts)
{
    g_autoptr(GString) devices = g_string_new(NULL);

    for (guint i = 0; i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (network->active && network_owns_bridge(network) && network->bridge &&
            name_is_ifname(network->bridge))
            g_string_append_printf(devices, "%s\"%s\" timeout %ds", devices->len > 0 ? ", " : "",
                                   network->bridge, GUARD_SECONDS);
    }
    if (devices->len == 0)
        return NULL;
    /* Before libvirt's own chains, whose priority is 0; a drop is final. */
    return g_strdup_printf("add table " TABLE "; delete table " TABLE "; add table " TABLE "; "
                           "add set " TABLE " guarded { type ifname; flags timeout; }; "
                           "add element " TABLE " guarded { %s }; "
                           "add chain " TABLE " forward { type filter hook forward priority -10; }; "
                           "add rule " TABLE " forward iifname @guarded drop; "
                           "add rule " TABLE " forward oifname @guarded drop",
                           devices->str);
}

static gboolean nft(const char *words, Deadline deadline, GError **error)
{
    const char *const argv[] = {"nft", words, NULL};
    g_autofree char *output = NULL;

    return run_program(argv, OUTPUT_BYTES, deadline, &output, NULL, error);
}

/* All rules with the numbers that the kernel gives each anew; without counters and ages. */
static char *rules(Deadline deadline)
{
    const char *const argv[] = {"nft", "--stateless", "--handle", "list", "ruleset", NULL};
    char *text = NULL;

    run_program(argv, OUTPUT_BYTES, deadline, &text, NULL, NULL);
    return text;
}

Guard *guard_raise(const Facts *facts, Deadline deadline, GError **error)
{
    g_autofree char *commands = guard_commands(facts);
    Guard *guard;

    if (commands && !nft(commands, deadline, error))
        return NULL;
    guard = g_new0(Guard, 1);
    guard->raised = commands != NULL;
    guard->before = commands ? rules(deadline) : NULL;
    return guard;
}

static guint count_lines(const char *text)
{
    guint count = 0;

    while (text && (text = strchr(text, '\n'))) {
        text++;
        count++;
    }
    return count;
}

static void await_quiet(const Guard *guard, Deadline deadline)
{
    g_autofree char *last = g_strdup(guard->before);
    guint wanted = count_lines(guard->before);
    gint64 quiet = (gint64)(QUIET_SECONDS * G_USEC_PER_SEC);
    gint64 changed = 0;

    while (last && !deadline_passed(deadline)) {
        char *now = rules(deadline);
        gint64 at = g_get_monotonic_time();

        if (g_strcmp0(now, last) != 0) {
            quiet = changed ? MAX(quiet, QUIET_GAPS * (at - changed)) : quiet;
            changed = at;
        } else if (changed && at >= changed + quiet && count_lines(now) >= wanted) {
            deadline = 0;
        }
        g_free(last);
        last = now;
        g_usleep((gulong)(PAUSE_SECONDS * G_USEC_PER_SEC));
    }
}

/* What is left where this fails forgets its devices by itself. */
void guard_lower(Guard *guard, gboolean await, Deadline deadline)
{
    if (!guard)
        return;
    if (guard->raised && await)
        await_quiet(guard, deadline_within(deadline, LOWER_SECONDS));
    if (guard->raised)
        nft("delete table " TABLE, deadline_in(REMOVE_SECONDS), NULL);
    g_free(guard->before);
    g_free(guard);
}
