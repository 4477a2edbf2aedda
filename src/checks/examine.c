/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"

#include <string.h>

/*
 * checks_run() tells of faults alone. Here silence has to mean something: a check that found nothing counts
 * as ok only if it could look. What it needs is in the table; what else it could not tell it says itself.
 */

#define NEED_RIGHTS "CAP_"
#define OTHER_HOST "the host is another one"

/* Takes why. */
static Finding *add_unknown(GPtrArray *findings, const char *id, char *why)
{
    Finding *finding = finding_new(id, LEVEL_UNKNOWN, OBJECT_HOST, NULL);

    finding->message = why;
    if (strstr(why, NEED_RIGHTS))
        finding_remedy(finding, "sudo vnat check");
    else if (strstr(why, OTHER_HOST))
        finding_remedy(finding, "run vnat check on that host");
    else
        finding_remedy(finding, "vnat status");
    g_ptr_array_add(findings, finding);
    return finding;
}

void check_unknown(GPtrArray *findings, const char *id, const char *why, ...)
{
    va_list args;

    va_start(args, why);
    add_unknown(findings, id, g_strdup_vprintf(why, args));
    va_end(args);
}

Finding *check_unknown_of(GPtrArray *findings, const char *id, const Network *network, const char *why, ...)
{
    Finding *finding;
    va_list args;

    va_start(args, why);
    finding = add_unknown(findings, id, g_strdup_vprintf(why, args));
    va_end(args);
    finding->network = g_strdup(network->name);
    return finding;
}

gboolean check_scope_names(const CheckScope *scope, const Network *network)
{
    for (guint i = 0; scope->networks && scope->networks[i]; i++) {
        if (g_strcmp0(scope->networks[i], network->name) == 0 ||
            (network->uuid && g_ascii_strcasecmp(scope->networks[i], network->uuid) == 0))
            return TRUE;
    }
    return FALSE;
}

gboolean check_scope_covers(const CheckScope *scope, const Network *network)
{
    return !scope || !scope->networks || check_scope_names(scope, network);
}

static void limit_of(GHashTable *limits, const char *id, const char *usual, Range *range)
{
    const Range *own = limits ? g_hash_table_lookup(limits, id) : NULL;

    if (own)
        *range = *own;
    else
        range_parse(usual, range, NULL);
}

void check_limits(const CheckScope *scope, const CheckSpecial *special, CheckLimits *limits)
{
    limit_of(scope ? scope->warning : NULL, special->id, special->warning, &limits->warning);
    limit_of(scope ? scope->critical : NULL, special->id, special->critical, &limits->critical);
    limits->scope = scope;
}

/* ------------------------------------------------------------------------- what was not read, in words */

static const char *const source_words[] = {
    [SOURCE_LIBVIRT] = "libvirt was",        [SOURCE_LINKS] = "the kernel's links were",
    [SOURCE_LEASES] = "leases were",         [SOURCE_NEIGHBOURS] = "the neighbour table was",
    [SOURCE_FIREWALL] = "the firewall was",  [SOURCE_PROCESSES] = "processes were",
    [SOURCE_AGENT] = "guest agents were",    [SOURCE_FIREWALLD] = "firewalld was",
    [SOURCE_CONNTRACK] = "connections were",
};
G_STATIC_ASSERT(G_N_ELEMENTS(source_words) == SOURCE_COUNT);

static char *not_read(const Facts *facts, SourceId id, const char *how)
{
    const char *why = facts->sources[id].error;

    return g_strdup_printf("%s %s%s%s", source_words[id], how, why ? ": " : "", why ? why : "");
}

/* Libvirt's part of which some objects could not be read. Networks are missed by every check, domains only by
 * those of interfaces and leases. NULL: all that matters was read. */
static char *libvirt_shortfall(const Facts *facts, const Check *check)
{
    g_autofree char *networks = networks_unread(facts->networks);
    g_autofree char *domains = NULL;

    if (networks)
        return g_strdup_printf("libvirt was read only in part: %s", networks);
    if (check->kind != OBJECT_INTERFACE && check->kind != OBJECT_LEASE)
        return NULL;
    domains = domains_unread(facts->domains);
    if (domains)
        return g_strdup_printf("libvirt was read only in part: %s", domains);
    return facts->domains_complete ? NULL : g_strdup("domains were not read");
}

/* Leases are read network by network: what is missing of others is nothing to who asks about some. */
static gboolean is_partly_read(const CheckScope *scope, const Facts *facts, guint id)
{
    gboolean others = FALSE;

    if (facts->sources[id].state != SOURCE_STALE)
        return FALSE;
    for (guint i = 0; id == SOURCE_LEASES && scope->networks && i < facts->networks->len; i++) {
        const Network *network = facts->networks->pdata[i];

        if (network->leases_unread && check_scope_names(scope, network))
            return TRUE;
        others |= network->leases_unread;
    }
    return !others;
}

/* Why the check cannot vouch for what it does not find, or NULL; *none: it cannot look at all. New string. */
static char *check_shortfall(const CheckScope *scope, const Facts *facts, const Check *check, gboolean *none)
{
    char *part = NULL;

    *none = FALSE;
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        if (!(check->needs & (1U << id)))
            continue;
        if (!facts_has(facts, id)) {
            *none = TRUE;
            g_free(part);
            return not_read(facts, id, "not read");
        }
        if (!part && id == SOURCE_LIBVIRT)
            part = libvirt_shortfall(facts, check);
        else if (!part && is_partly_read(scope, facts, id))
            part = not_read(facts, id, "read only in part");
    }
    return part;
}

/* ------------------------------------------------------------------------------------------ one check */

typedef struct {
    const CheckScope *scope;
    const Facts *facts;
    const Map *map;
    Health *health;
} Examination;

static gboolean is_selected(const CheckScope *scope, const Check *check, const CheckSpecial *special)
{
    if (scope->ids && !g_strv_contains(scope->ids, check->id))
        return FALSE;
    if (special && special->named && !scope->networks)
        return FALSE;
    if (special && special->probed && !scope->probes)
        return FALSE;
    return !special || !special->lists || scope->all || scope->ids;
}

static void run_check(const Examination *exam, const Check *check, const CheckSpecial *special)
{
    GPtrArray *findings = exam->health->findings;

    if (special && special->judge) {
        CheckLimits limits;

        check_limits(exam->scope, special, &limits);
        special->judge(&limits, exam->facts, findings, exam->health->values);
    } else if (special && special->scoped) {
        special->scoped(exam->scope, exam->facts, exam->map, findings);
    } else {
        check->run(exam->facts, exam->map, findings);
    }
}

/* What is about one network is about the host only as far as that one matters. */
static gboolean concerns(const Examination *exam, const Finding *finding)
{
    const Network *network;

    if (!exam->scope->networks || (finding->kind == OBJECT_HOST && !finding->network))
        return TRUE;
    if (g_strv_contains(exam->scope->networks, finding->network ? finding->network : ""))
        return TRUE;
    network = facts_network(exam->facts, finding->network);
    return network && check_scope_names(exam->scope, network);
}

/* Of what the check added from first on: what concerns the scope, and once that it could not tell. Returns
 * whether it is well. */
static gboolean settle(const Examination *exam, const Check *check, guint first)
{
    GPtrArray *findings = exam->health->findings;
    gboolean well = TRUE, unknown = FALSE;

    for (guint i = first; i < findings->len;) {
        Finding *finding = findings->pdata[i];

        if (!concerns(exam, finding) || (finding->level == LEVEL_UNKNOWN && unknown)) {
            g_ptr_array_remove_index(findings, i);
            continue;
        }
        if (finding->level == LEVEL_UNKNOWN)
            unknown = TRUE;
        else
            check_classify(check, finding);
        if (!finding->object)
            finding->object = g_strdup(exam->facts->host);
        well &= finding->level == LEVEL_OK;
        i++;
    }
    return well;
}

/* What mends libvirt mends this too. */
static void unknown_for_want_of(const Examination *exam, const Check *check, const char *shortfall)
{
    const GError *unreachable = exam->scope->unreachable;
    g_autofree char *remedy = unreachable ? check_unreachable_remedy(exam->facts, unreachable) : NULL;

    check_unknown(exam->health->findings, check->id, "%s", shortfall);
    if (remedy && (check->needs & (1U << SOURCE_LIBVIRT)))
        finding_remedy(exam->health->findings->pdata[exam->health->findings->len - 1], "%s", remedy);
}

static void examine(const Examination *exam, const Check *check)
{
    const CheckSpecial *special = check_special(check->id);
    GPtrArray *findings = exam->health->findings;
    guint first = findings->len;
    g_autofree char *shortfall = NULL;
    gboolean none;

    if (!is_selected(exam->scope, check, special))
        return;
    shortfall = check_shortfall(exam->scope, exam->facts, check, &none);
    if (shortfall)
        unknown_for_want_of(exam, check, shortfall);
    if (!none)
        run_check(exam, check, special);
    exam->health->counts[LEVEL_OK] += settle(exam, check, first);
}

Health *checks_examine(const CheckScope *scope, const Facts *facts, const Map *map)
{
    Health *health = health_new();
    Examination exam = {.scope = scope, .facts = facts, .map = map, .health = health};
    guint count;
    const Check *table = check_table(&count);

    for (guint i = 0; i < count; i++)
        examine(&exam, &table[i]);
    health_finish(health);
    return health;
}
