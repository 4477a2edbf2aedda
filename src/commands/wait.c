/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/following.h"
#include "commands/port-probe.h"
#include "commands/progress.h"
#include "commands/world.h"

#include "base/error.h"
#include "model/stage.h"

#include <stdio.h>
#include <string.h>

/*
 * `vnat wait`. The map tells when something of the domain changes, and then its stage is looked at; nothing
 * is polled but a port, whose opening nobody tells. What is no part of the map, the first frame, is looked
 * for only while somebody sees the progress, and at the end, to say what is missing: after each run of the
 * follower, which the kernel's word of a learned MAC makes too, but not more often than FRAME_USEC, since a
 * look goes through all that the bridges have learned.
 *
 * The map has only active domains. Whether one that is not active exists libvirt is asked: when the map says
 * so, and at each event of it.
 */

#define DEFAULT_SECONDS 120.0
#define FIND_SECONDS 10.0
#define PROGRESS_PATIENCE 310 /* milliseconds: progress shows nothing before 300 */
#define FRAME_USEC (250 * G_TIME_SPAN_MILLISECOND)

typedef struct {
    Stage stage; /* to be reached */
    guint port;  /* with STAGE_PORT */
} Goal;

typedef struct {
    Context *ctx;
    Following *following;
    Goal goal;
    double seconds;
    Deadline deadline;
    char *name, *uuid; /* the domain's */
    PortProbe *probe;
    gboolean port_open;
    gboolean gone; /* libvirt said that there is no such domain */
    Stage stuck, shown;
    gint64 looked; /* monotonic, when the stage was looked at last */
    Progress progress;
    guint timer, patience, frame; /* sources; 0: none */
} Wait;

/* What is known of the domain at one moment; holds what the view borrows. */
typedef struct {
    StageView view;
    Facts *facts;
    GPtrArray *rows, *findings;
    Ip tried;
} Look;

static void look_take(Look *look, Wait *wait, LiveMap *live)
{
    memset(look, 0, sizeof(*look));
    look->facts = live_map_facts(live);
    look->rows = live_map_rows_of(live, wait->uuid);
    look->findings = live_map_findings(live);
    look->view = (StageView){.name = wait->name,
                             .domain = live_map_domain(live, wait->uuid),
                             .rows = look->rows,
                             .facts = look->facts,
                             .findings = look->findings,
                             .tap_wanted = wait->goal.stage == STAGE_LINK,
                             .port = wait->goal.port,
                             .port_open = wait->port_open};
    if (wait->probe && port_probe_last(wait->probe, &look->tried, &look->view.port_error))
        look->view.port_tried = &look->tried;
}

static void look_clear(Look *look)
{
    facts_free(look->facts);
    g_ptr_array_unref(look->rows);
    g_ptr_array_unref(look->findings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

/* ------------------------------------------------------------------------------------------ the end */

static void wait_done(Wait *wait, const char *answer)
{
    progress_end(&wait->progress);
    print_text(wait->ctx, answer);
    if (following_flush(wait->following))
        following_end(wait->following, EXIT_OK);
}

static void on_port_open(const Ip *ip, gpointer data)
{
    Wait *wait = data;
    char text[IP_TEXT];

    wait->port_open = TRUE;
    wait_done(wait, ip_format(ip, text));
}

/* What did not come in time. New string. */
static char *goal_text(const Wait *wait)
{
    if (wait->goal.port)
        return g_strdup_printf("domain '%s' took no connection to port %u", wait->name, wait->goal.port);
    return g_strdup_printf("domain '%s' did not get %s", wait->name,
                           wait->goal.stage == STAGE_LINK ? "its tap on the bridge" : "an address");
}

/* Says why it did not come; what: of what that is the cause, or NULL. */
static void wait_fail(Wait *wait, const StageView *view, const char *what)
{
    g_auto(StageAdvice) advice = stage_advice(view);
    GError *error = NULL;

    progress_end(&wait->progress);
    vnat_error_set(&error, VNAT_ERROR_FAILED, "%s", advice.what);
    if (what)
        vnat_error_what(&error, "%s", what);
    if (advice.next)
        vnat_error_hint(&error, "%s", advice.next);
    following_end(wait->following, report(wait->ctx, error));
}

static gboolean on_timeout(gpointer data)
{
    Wait *wait = data;
    g_autofree char *goal = goal_text(wait);
    g_autofree char *what = g_strdup_printf("%s within %g s", goal, wait->seconds);
    g_auto(Look) look;

    look_take(&look, wait, following_live(wait->following));
    wait->timer = 0;
    wait_fail(wait, &look.view, what);
    return G_SOURCE_REMOVE;
}

/* ----------------------------------------------------------------------------------------- the domain */

/* The domain, whether it runs or not: one that there is not is told at once. */
static gboolean wait_find(Wait *wait, GError **error)
{
    g_autoptr(World) world = world_open_again(wait->ctx, error);
    const Domain *domain = world ? world_read_domain(world, argument(wait->ctx, 0), FALSE, 0, error) : NULL;

    if (!domain)
        return FALSE;
    g_free(wait->name);
    g_free(wait->uuid);
    wait->name = g_strdup(domain->name);
    wait->uuid = g_strdup(domain->uuid);
    return TRUE;
}

/* ------------------------------------------------------------------------------------------ the looks */

static void wait_knock(Wait *wait, const GPtrArray *addresses)
{
    g_autoptr(GArray) ips = g_array_new(FALSE, FALSE, sizeof(Ip));

    for (guint i = 0; i < addresses->len; i++)
        g_array_append_val(ips, ((const Address *)addresses->pdata[i])->ip);
    port_probe_set(wait->probe, ips);
}

static void wait_show(Wait *wait)
{
    if (!following_ended(wait->following))
        progress_show(&wait->progress, "%s: waiting for %s", wait->name, stage_name(wait->shown));
}

static void wait_look(Wait *wait, LiveMap *live)
{
    g_autoptr(GPtrArray) addresses = NULL;
    const MapRow *row;
    char text[IP_TEXT];
    g_auto(Look) look;

    look_take(&look, wait, live);
    addresses = stage_addresses(&look.view);
    wait->stuck = stage_stuck(&look.view, &row);
    wait->shown = stage_shown(&look.view);
    wait->looked = g_get_monotonic_time();
    if (wait->probe) {
        wait_knock(wait, addresses);
    } else if (look.view.tap_wanted && stage_lacks_taps(&look.view)) {
        wait_fail(wait, &look.view, NULL);
    } else if (wait->stuck > wait->goal.stage && wait->goal.stage == STAGE_LINK) {
        wait_done(wait, row->tap);
    } else if (wait->stuck > wait->goal.stage) {
        wait_done(wait, ip_format(&((const Address *)addresses->pdata[0])->ip, text));
    }
    wait_show(wait);
}

/* Where it is not active it may have gone unseen. */
static void wait_follow_up(Wait *wait, LiveMap *live)
{
    wait_look(wait, live);
    if (!live_map_domain(live, wait->uuid))
        following_ask(wait->following, wait->uuid);
}

static gboolean on_patience(gpointer data)
{
    Wait *wait = data;

    wait->patience = 0;
    wait_show(wait);
    return G_SOURCE_REMOVE;
}

static void on_snapshot(LiveMap *live, gboolean resync, gpointer data)
{
    Wait *wait = data;

    if (!wait->timer)
        wait->timer = following_at(wait->deadline, on_timeout, wait);
    wait_follow_up(wait, live);
}

/* Whether it may bring the domain on: something of itself, or of what it hangs on. */
static gboolean is_relevant(const Wait *wait, const Change *change)
{
    if (change->row)
        return g_strcmp0(change->row->domain_uuid, wait->uuid) == 0;
    return change->network || change->type == CHANGE_SOURCE_LIVE;
}

static void on_changes(LiveMap *live, const GPtrArray *changes, gpointer data)
{
    Wait *wait = data;

    for (guint i = 0; i < changes->len; i++) {
        if (is_relevant(wait, changes->pdata[i])) {
            wait_follow_up(wait, live);
            return;
        }
    }
}

static void on_domain_gone(const char *uuid, gpointer data)
{
    Wait *wait = data;

    wait->gone |= strcmp(uuid, wait->uuid) == 0;
}

/* The domain has gone, unless one that is called so has come since: then it is that one which is waited for.
 * Where libvirt does not answer now, it is asked again when it is back. */
static void wait_look_again(Wait *wait)
{
    GError *error = NULL;

    wait->gone = FALSE;
    wait->ctx->deadline = MIN(deadline_in(FIND_SECONDS), wait->deadline);
    if (wait_find(wait, &error)) {
        wait_look(wait, following_live(wait->following));
    } else if (g_error_matches(error, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
        progress_end(&wait->progress);
        following_end(wait->following, report(wait->ctx, error));
    } else {
        g_error_free(error);
    }
}

static gboolean on_frame_due(gpointer data)
{
    Wait *wait = data;

    wait->frame = 0;
    if (wait->stuck == STAGE_FRAME)
        wait_look(wait, following_live(wait->following));
    return G_SOURCE_REMOVE;
}

static void on_ran(LiveMap *live, gpointer data)
{
    Wait *wait = data;
    gint64 left = wait->looked + FRAME_USEC - g_get_monotonic_time();

    if (wait->gone)
        wait_look_again(wait);
    if (wait->progress.wanted && wait->stuck == STAGE_FRAME && !wait->frame)
        wait->frame = g_timeout_add((guint)(MAX(left, 0) / 1000 + 1), on_frame_due, wait);
}

static const FollowingOps ops = {
    .sink = {.snapshot = on_snapshot, .changes = on_changes, .domain_gone = on_domain_gone}, .ran = on_ran};

/* ------------------------------------------------------------------------------------- the command */

static gboolean parse_goal(const char *text, Goal *goal, GError **error)
{
    static const char port[] = "port:";
    guint64 number;

    *goal = (Goal){.stage = STAGE_ADDRESS};
    if (!text || strcmp(text, "address") == 0)
        return TRUE;
    if (strcmp(text, "link") == 0) {
        goal->stage = STAGE_LINK;
        return TRUE;
    }
    if (g_str_has_prefix(text, port) &&
        g_ascii_string_to_unsigned(text + strlen(port), 10, 1, G_MAXUINT16, &number, NULL)) {
        *goal = (Goal){.stage = STAGE_PORT, .port = (guint)number};
        return TRUE;
    }
    return vnat_error_set(error, VNAT_ERROR_USAGE, "--for takes address, link or port:N, not '%s'", text);
}

static int wait_follow(Wait *wait)
{
    GError *error = NULL;
    int code = EXIT_OK;

    wait->following = following_new(wait->ctx, &ops, wait, &code);
    if (!wait->following)
        return code;
    if (!wait_find(wait, &error))
        return report(wait->ctx, error);
    progress_begin(&wait->progress, wait->ctx);
    wait->patience = g_timeout_add(PROGRESS_PATIENCE, on_patience, wait);
    if (wait->goal.port)
        wait->probe = port_probe_new((guint16)wait->goal.port, on_port_open, wait);
    code = following_run(wait->following);
    progress_end(&wait->progress);
    return code;
}

static void wait_clear(Wait *wait)
{
    if (wait->timer)
        g_source_remove(wait->timer);
    if (wait->patience)
        g_source_remove(wait->patience);
    if (wait->frame)
        g_source_remove(wait->frame);
    port_probe_free(wait->probe);
    following_free(wait->following);
    g_free(wait->name);
    g_free(wait->uuid);
}

static int run_wait(Context *ctx)
{
    Wait wait = {.ctx = ctx, .seconds = DEFAULT_SECONDS, .stuck = STAGE_RUNNING, .shown = STAGE_RUNNING};
    GError *error = NULL;
    int code;

    if (!parse_goal(option_value(ctx, "for"), &wait.goal, &error) ||
        !following_seconds(ctx, "timeout", &wait.seconds, &error))
        return report(ctx, error);
    wait.deadline = deadline_in(wait.seconds);
    ctx->deadline = MIN(ctx->deadline, wait.deadline); /* for libvirt to answer at all */
    code = wait_follow(&wait);
    wait_clear(&wait);
    return code;
}

static const Argument arguments_wait[] = {{"DOMAIN", FALSE, COMPLETE_DOMAIN}, {0}};

static const Option options_wait[] = {
    {"for", 0, OPTION_VALUE, "WHAT", "address (default), link or port:N", "address|link|port:22"},
    {"timeout", 0, OPTION_VALUE, "SECONDS", "how long; default 120", NULL},
    {0},
};

const Command command_wait = {
    .name = "wait",
    .group = "Following",
    .summary = "wait until a domain has an address, and print it",
    .description =
        "The domain may still be shut off. With --for link it prints the tap when it is on its bridge, with\n"
        "--for port:N the address that takes TCP connections to that port. If that does not come in time,\n"
        "or cannot come, exit code 1, with the stage that is stuck and what to look at next.",
    .examples = "  vnat wait VM1\n  ssh root@$(vnat wait VM1 --for port:22)\n"
                "  virsh start VM1 && vnat wait VM1 --for link --timeout 10",
    .arguments = arguments_wait,
    .options = options_wait,
    .run = run_wait,
};
