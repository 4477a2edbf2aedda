/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/probe.h"

#include "base/error.h"
#include "model/dns.h"

#include <stdarg.h>
#include <string.h>

typedef struct {
    const char *name;
    const char *excludes;
    const char *checks[8]; /* ends with a NULL */
} StageKind;

static const StageKind kinds[] = {
    [PROBE_LINK] = {"link",
                    "nothing but the bridge: no packet has left the endpoint's port yet",
                    {"bridge-missing", "bridge-down", "bridge-stp-delay"}},
    [PROBE_DHCP] = {"dhcp",
                    "the bridge and its ports: they forward",
                    {"dnsmasq-dead", "dnsmasq-not-listening", "input-blocked", "port-conflict",
                     "firewalld-zone", "dhcp-pool-low"}},
    [PROBE_GATEWAY] = {"gateway",
                       "the bridge and its ports: they forward",
                       {"bridge-down", "subnet-overlap", "duplicate-address"}},
    [PROBE_DNS] = {"dns",
                   "bridge, address and gateway: packets of a guest reach this host and come back",
                   {"dnsmasq-dead", "dnsmasq-not-listening", "port-conflict", "input-blocked",
                    "firewalld-zone", "subnet-overlap"}},
    [PROBE_UPLINK] = {"uplink",
                      "what is between guests and this host: look at what this host does with their packets",
                      {"ip-forward-off", "forward-blocked", "forward-rules-missing", "nat-rules-missing",
                       "firewalld-zone", "subnet-overlap"}},
    [PROBE_NAT] = {"nat",
                   "all up to this host's uplink: look at the translation, and at what is beyond",
                   {"nat-rules-missing", "forward-blocked", "conntrack-full", "mtu-mismatch"}},
};
G_STATIC_ASSERT(G_N_ELEMENTS(kinds) == PROBE_STAGES);

const char *probe_stage_name(ProbeStageId id)
{
    return kinds[id].name;
}

ProbeStage *probe_stage_new(ProbeStageId id, guint8 family)
{
    ProbeStage *stage = g_new0(ProbeStage, 1);

    stage->id = id;
    stage->family = family;
    stage->ok = TRI_UNKNOWN;
    stage->ms = -1;
    stage->checks = g_ptr_array_new();
    return stage;
}

void probe_stage_free(ProbeStage *stage)
{
    if (!stage)
        return;
    g_free(stage->detail);
    g_free(stage->excludes);
    g_free(stage->remedy);
    g_ptr_array_unref(stage->checks);
    g_free(stage);
}

void probe_stage_end(ProbeStage *stage, Tri ok, const char *format, ...)
{
    g_autofree G_GNUC_UNUSED char *before = g_steal_pointer(&stage->detail); /* may be an argument */
    va_list args;

    va_start(args, format);
    stage->ok = ok;
    stage->detail = g_strdup_vprintf(format, args);
    va_end(args);
}

char *probe_stage_text(const ProbeStage *stage)
{
    return g_strdup_printf("stage %s%s", probe_stage_name(stage->id), stage->family == 6 ? " of IPv6" : "");
}

void probe_stage_end_late(ProbeStage *stage, const ProbeStage *before, guint timeout)
{
    g_autofree char *where = before ? probe_stage_text(before) : NULL;
    g_autofree char *advice = timeout > 0 ? g_strdup_printf(": --timeout %u gives it time", timeout) : NULL;

    g_clear_pointer(&stage->remedy, g_free);
    g_ptr_array_set_size(stage->checks, 0);
    stage->late = before == NULL;
    if (before)
        probe_stage_end(stage, TRI_UNKNOWN, "not reached: the deadline passed in %s", where);
    else
        probe_stage_end(stage, TRI_UNKNOWN, "the deadline passed before it was done%s", advice ? advice : "");
}

static const char *kind_check(const StageKind *kind, const char *id)
{
    for (guint i = 0; kind->checks[i]; i++) {
        if (strcmp(kind->checks[i], id) == 0)
            return kind->checks[i];
    }
    return NULL;
}

static void take_finding(ProbeStage *stage, const char *id, const Finding *finding)
{
    g_autofree char *before = g_steal_pointer(&stage->detail);

    if (!g_ptr_array_find(stage->checks, id, NULL))
        g_ptr_array_add(stage->checks, (gpointer)id);
    stage->detail = g_strdup_printf("%s; %s", before, finding->message);
    if (!stage->remedy)
        stage->remedy = g_strdup(finding->remedy);
}

/* The first that failed on the way of the stage's family; NULL: none. */
static const ProbeStage *failed_before(const ProbeStage *stage, const GPtrArray *before)
{
    for (guint i = 0; i < before->len; i++) {
        const ProbeStage *other = before->pdata[i];

        if (other->ok == TRI_NO && (other->family == 0 || other->family == stage->family))
            return other;
    }
    return NULL;
}

void probe_stage_blame(ProbeStage *stage, const GPtrArray *before, const GPtrArray *findings,
                       const Network *network)
{
    const StageKind *kind = &kinds[stage->id];
    const gboolean explained = stage->remedy || stage->checks->len > 0;
    const ProbeStage *first = failed_before(stage, before);

    if (first)
        stage->excludes =
            g_strdup_printf("nothing more: stage %s failed before it", probe_stage_name(first->id));
    if (stage->settled)
        return;
    if (!first)
        stage->excludes = g_strdup(kind->excludes);
    for (guint i = 0; findings && i < findings->len; i++) {
        const Finding *finding = findings->pdata[i];
        const char *id = kind_check(kind, finding->id);

        if (!id || (finding->level != LEVEL_CRITICAL && finding->level != LEVEL_WARNING) ||
            (finding->network && strcmp(finding->network, network->name) != 0))
            continue;
        take_finding(stage, id, finding);
    }
    if (explained || stage->checks->len > 0)
        return;
    for (guint i = 0; first && i < first->checks->len; i++)
        g_ptr_array_add(stage->checks, first->checks->pdata[i]);
    for (guint i = 0; !first && kind->checks[i]; i++)
        g_ptr_array_add(stage->checks, (gpointer)kind->checks[i]);
}

const ProbeStage *probe_failure(const GPtrArray *stages)
{
    for (guint i = 0; i < stages->len; i++) {
        const ProbeStage *stage = stages->pdata[i];

        if (stage->ok == TRI_NO)
            return stage;
    }
    return NULL;
}

const ProbeStage *probe_late(const GPtrArray *stages)
{
    for (guint i = 0; i < stages->len; i++) {
        const ProbeStage *stage = stages->pdata[i];

        if (stage->late)
            return stage;
    }
    return NULL;
}

Tri probe_verdict(const GPtrArray *stages)
{
    const ProbeStage *last = NULL;

    if (probe_failure(stages))
        return TRI_NO;
    if (probe_late(stages))
        return TRI_UNKNOWN;
    for (guint i = 0; i < stages->len; i++) {
        const ProbeStage *stage = stages->pdata[i];

        if (stage->ms >= 0)
            last = stage;
    }
    return last ? last->ok : TRI_UNKNOWN;
}

void probe_report_free(ProbeReport *report)
{
    if (!report)
        return;
    if (report->stages)
        g_ptr_array_unref(report->stages);
    g_free(report->error);
    g_free(report);
}

/* ----------------------------------------------------------------------------------------- the target */

void probe_target_clear(ProbeTarget *target)
{
    g_clear_pointer(&target->host, g_free);
}

gboolean probe_name_is_askable(const char *name)
{
    g_autoptr(GByteArray) query = dns_query(0, name, DNS_TYPE_A, DNS_CLASS_IN);

    return query != NULL;
}

static gboolean parse_port(const char *text, guint16 *port, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &number, NULL))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is not a port", text);
    *port = (guint16)number;
    return TRUE;
}

/* A colon belongs to an IPv6 address where there is another one. */
static const char *port_part(const char *text)
{
    const char *close = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strrchr(text, ':');

    if (close)
        return close[1] == ':' ? close + 1 : NULL;
    return colon && strchr(text, ':') == colon ? colon : NULL;
}

gboolean probe_target_parse(const char *text, ProbeTarget *target, GError **error)
{
    const char *colon = port_part(text);
    g_autofree char *host = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    const gsize length = strlen(host);

    *target = (ProbeTarget){0};
    if (colon && !parse_port(colon + 1, &target->port, error))
        return FALSE;
    if (host[0] == '[' && length > 2 && host[length - 1] == ']') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    ip_parse(host, &target->ip);
    if (!host[0] || strchr(host, '[') || strchr(host, ']') ||
        (target->ip.family == 0 && (strpbrk(host, ":/") || !probe_name_is_askable(host))))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is not HOST or HOST:PORT", text);
    if (target->ip.family != 0 &&
        (ip_is_multicast(&target->ip) || ip_is_unspecified(&target->ip) || ip_is_loopback(&target->ip)))
        return vnat_error_set(error, VNAT_ERROR_USAGE, "'%s' is no host that a guest could reach", text);
    target->host = g_steal_pointer(&host);
    return TRUE;
}
