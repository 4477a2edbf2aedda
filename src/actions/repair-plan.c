/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/repair-private.h"

#include "base/text.h"

#include <string.h>

/*
 * The plan: which step for which finding, and in what order.
 *
 * Taps first: it is guests that are cut off, and nothing else is touched. Then what the bridge lacks, the
 * kernel's settings, and the network daemon, which puts back rules and dnsmasqs. Networks that do not run
 * come after it, so that a failing start keeps nothing else waiting; before one starts, what stands in its
 * way goes. A tap whose bridge comes with its network waits for that. Last, what works already and should be
 * tidy.
 */
enum {
    ORDER_TAP,
    ORDER_BRIDGE,
    ORDER_SYSCTL,
    ORDER_DAEMON,
    ORDER_STALE,
    ORDER_DEFINE,
    ORDER_REMAKE,
    ORDER_START,
    ORDER_LATE_TAP,
    ORDER_TIDY,
};

static const RepairKind kinds[] = {
    {"tap-orphaned", ORDER_TAP, TRUE, repair_describe_tap, repair_run_tap},
    {"bridge-down", ORDER_BRIDGE, TRUE, repair_describe_bridge, repair_run_bridge},
    {"ip-forward-off", ORDER_SYSCTL, FALSE, repair_describe_forwarding, repair_run_forwarding},
    {"bridge-netfilter", ORDER_SYSCTL, FALSE, repair_describe_filter, repair_run_filter},
    {"dnsmasq-dead", ORDER_DAEMON, TRUE, repair_describe_daemon, NULL},
    {"dnsmasq-not-listening", ORDER_DAEMON, TRUE, repair_describe_daemon, NULL},
    {"nat-rules-missing", ORDER_DAEMON, TRUE, repair_describe_daemon, NULL},
    {"forward-rules-missing", ORDER_DAEMON, TRUE, repair_describe_daemon, NULL},
    {"bridge-stale", ORDER_STALE, FALSE, repair_describe_stale, repair_run_stale},
    {"network-missing", ORDER_DEFINE, FALSE, repair_describe_define, repair_run_define},
    {"bridge-missing", ORDER_REMAKE, FALSE, repair_describe_remake, repair_run_remake},
    {"network-inactive", ORDER_START, TRUE, repair_describe_start, repair_run_start},
    {"tap-down", ORDER_TIDY, FALSE, repair_describe_up, repair_run_up},
    {"mtu-mismatch", ORDER_TIDY, FALSE, repair_describe_mtu, repair_run_mtu},
    {"network-no-autostart", ORDER_TIDY, FALSE, repair_describe_autostart, repair_run_autostart},
    {"leases-unreadable", ORDER_TIDY, FALSE, repair_describe_leases, repair_run_leases},
    {"firewalld-zone", ORDER_TIDY, FALSE, repair_describe_zone, repair_run_zone},
};

const RepairKind *repair_kind(const char *id)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].id, id) == 0)
            return &kinds[i];
    }
    return NULL;
}

gboolean repair_exists(const char *id)
{
    return repair_kind(id) != NULL;
}

/* ------------------------------------------------------------------------------------ what was asked */

static gboolean is_listed(const char *const *list, const char *text)
{
    return list && text && g_strv_contains(list, text);
}

gboolean repair_covers(const RepairAsked *asked, const char *network)
{
    return !asked->networks || !asked->networks[0] || is_listed(asked->networks, network);
}

gboolean repair_consented(const RepairAsked *asked, const char *id)
{
    return is_listed(asked->ids, id);
}

static gboolean finding_is_asked(const RepairAsked *asked, const Finding *finding)
{
    return (finding->kind == OBJECT_HOST && !finding->network) || repair_covers(asked, finding->network);
}

/* The command that consents to it, of the same networks. */
static char *consent_command(const RepairAsked *asked, const char *id)
{
    GString *text = g_string_new("vnat repair --apply");

    for (guint i = 0; asked->ids && asked->ids[i]; i++)
        g_string_append_printf(text, " --id %s", asked->ids[i]);
    g_string_append_printf(text, " --id %s", id);
    for (guint i = 0; asked->networks && asked->networks[i]; i++) {
        g_autofree char *name = text_shell(asked->networks[i]);

        g_string_append_printf(text, " %s", name);
    }
    return g_string_free(text, FALSE);
}

/* ---------------------------------------------------------------------------------------- one step */

/* A person's to mend: the remedy is what there is to say. */
static Step *step_for_person(const Finding *finding)
{
    Step *step = step_new(finding);

    step->repair = REPAIR_NEVER;
    step->action = g_strdup(finding->remedy ? finding->remedy : finding->message);
    step_end(step, STEP_SKIPPED, "not for vnat to mend");
    return step;
}

static Step *step_of(const RepairCase *about)
{
    const Finding *finding = about->finding;
    const RepairKind *kind = repair_kind(finding->id);
    g_autofree char *refusal = NULL;
    Step *step;

    if (!kind || finding->repair == REPAIR_NEVER)
        return step_for_person(finding);
    step = step_new(finding);
    step->action = kind->describe(about, &refusal);
    if (finding->repair == REPAIR_CONSENT && !repair_consented(about->asked, finding->id)) {
        step_end(step, STEP_SKIPPED, "needs consent");
        step->command = consent_command(about->asked, finding->id);
    } else if (refusal) {
        step_end(step, STEP_FAILED, "%s", refusal);
        step->command = g_strdup(finding->remedy);
    }
    return step;
}

/* ---------------------------------------------------------------------------------------- the order */

typedef struct {
    Step *step;
    guint order;
    guint place; /* among the findings, which come worst first */
} Placed;

static gint compare_placed(gconstpointer a, gconstpointer b)
{
    const Placed *left = a, *right = b;

    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return left->place < right->place ? -1 : left->place > right->place;
}

static guint order_of(const RepairCase *about)
{
    const RepairKind *kind = repair_kind(about->finding->id);

    if (!kind)
        return G_MAXUINT;
    return kind->order == ORDER_TAP && repair_tap_waits(about) ? ORDER_LATE_TAP : kind->order;
}

/* A step of the same network that is planned. */
static gboolean is_planned(const GArray *placed, const Step *step, const char *const *ids)
{
    for (guint i = 0; i < placed->len; i++) {
        const Step *other = g_array_index(placed, Placed, i).step;

        if (other->state == STEP_PLANNED && g_strv_contains(ids, other->id) &&
            g_strcmp0(other->network, step->network) == 0)
            return TRUE;
    }
    return FALSE;
}

/*
 * What is refused as things stand, but not as they will be when its turn comes, where it is looked at again:
 * a start that a bridge left behind stands in the way of, then a tap without its bridge.
 */
static void settle_refusals(const GArray *placed)
{
    static const char *const clears[] = {"bridge-stale", NULL};
    static const char *const starts[] = {"network-inactive", "bridge-missing", NULL};

    for (guint order = ORDER_START; order <= ORDER_LATE_TAP; order++) {
        for (guint i = 0; i < placed->len; i++) {
            const Placed *place = &g_array_index(placed, Placed, i);

            if (place->order == order && place->step->state == STEP_FAILED &&
                is_planned(placed, place->step, order == ORDER_START ? clears : starts)) {
                step_end(place->step, STEP_PLANNED, NULL);
                g_clear_pointer(&place->step->command, g_free);
            }
        }
    }
}

GPtrArray *repair_plan(const RepairView *view, const RepairAsked *asked)
{
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(Placed));
    GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);

    for (guint i = 0; i < view->findings->len; i++) {
        const Finding *finding = view->findings->pdata[i];
        const RepairCase about = {view, asked, finding};
        Placed place = {.place = i};

        if (!finding_is_asked(asked, finding) || finding->level == LEVEL_UNKNOWN ||
            finding->level == LEVEL_OK)
            continue;
        place.step = step_of(&about);
        place.order = order_of(&about);
        g_array_append_val(placed, place);
    }
    settle_refusals(placed);
    g_array_sort(placed, compare_placed);
    for (guint i = 0; i < placed->len; i++)
        g_ptr_array_add(steps, g_array_index(placed, Placed, i).step);
    return steps;
}
