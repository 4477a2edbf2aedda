/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/check.h"

#include "model/network.h"

/* Checks of a value that has limits, which -w and -c of `vnat check` change. Percent are rounded down. */

#define CONNTRACK_COUNT "sys/net/netfilter/nf_conntrack_count"
#define CONNTRACK_MAX "sys/net/netfilter/nf_conntrack_max"

static Level level_of(const CheckLimits *limits, gint percent)
{
    if (range_alerts(&limits->critical, percent))
        return LEVEL_CRITICAL;
    return range_alerts(&limits->warning, percent) ? LEVEL_WARNING : LEVEL_OK;
}

static void take_value(GPtrArray *values, const CheckLimits *limits, const char *id, const char *label,
                       gint percent)
{
    HealthValue *value;

    if (!values)
        return;
    value = health_value_new(id, label, percent);
    value->warning = limits->warning;
    value->critical = limits->critical;
    g_ptr_array_add(values, value);
}

static gint percent_of(guint64 part, guint64 whole)
{
    return (gint)MIN((double)part * 100.0 / (double)whole, 1000.0);
}

/* ----------------------------------------------------------------------------------- DHCP ranges */

/*
 * A range can be full, and so can dnsmasq: libvirt has it give as many leases as all ranges have addresses
 * (dhcp-lease-max), and those of hosts that are reserved outside of them are among these.
 */
typedef struct {
    gint64 leases; /* -1: not known */
    guint64 size;
} Use;

static gint percent_of_use(const Use *use)
{
    return use->leases < 0 || use->size == 0 || use->size > G_MAXUINT32
               ? -1
               : percent_of((guint64)use->leases, use->size);
}

static Use use_of_dnsmasq(const NetworkRow *row)
{
    Use use = {.leases = row->leases};

    for (guint i = 0; i < row->pools->len; i++) {
        const NetworkPool *pool = row->pools->pdata[i];

        use.size = pool->size > G_MAXUINT64 - use.size ? G_MAXUINT64 : use.size + pool->size;
    }
    return use;
}

static void report_pool(const NetworkRow *row, const Use *use, gboolean range, Level level,
                        GPtrArray *findings)
{
    Finding *finding = check_of_network(findings, "dhcp-pool-low", level, row->network);

    finding_message(finding,
                    range ? "DHCP range of network %s: %" G_GINT64_FORMAT " of %" G_GUINT64_FORMAT
                            " addresses are leased"
                          : "DHCP of network %s: %" G_GINT64_FORMAT " of the %" G_GUINT64_FORMAT
                            " leases that its dnsmasq gives are taken, some outside the range",
                    row->network->name, use->leases, use->size);
    finding_remedy(finding, "widen the <range> in the network's XML, or give it a shorter <lease>");
}

/* A range of IPv6 may be larger than any number of guests. */
static void judge_pool(const CheckLimits *limits, const NetworkRow *row, const NetworkPool *pool,
                       GPtrArray *findings, GPtrArray *values)
{
    g_autofree char *label =
        g_strdup_printf("%s %s", row->network->name, pool->ip->net.ip.family == 4 ? "ipv4" : "ipv6");
    const Use range = {.leases = pool->leases, .size = pool->size};
    const Use all = use_of_dnsmasq(row);
    const gboolean by_range = percent_of_use(&range) >= percent_of_use(&all);
    gint percent = percent_of_use(by_range ? &range : &all);
    Level level = percent < 0 ? LEVEL_OK : level_of(limits, percent);

    take_value(values, limits, "dhcp-pool-low", label, percent);
    if (percent < 0)
        check_unknown_of(findings, "dhcp-pool-low", row->network, "the leases of network %s were not read",
                         row->network->name);
    if (level != LEVEL_OK)
        report_pool(row, by_range ? &range : &all, by_range, level, findings);
}

void judge_dhcp_pool_low(const CheckLimits *limits, const Facts *facts, GPtrArray *findings,
                         GPtrArray *values)
{
    g_autoptr(GPtrArray) rows = network_rows(facts);

    for (guint i = 0; i < rows->len; i++) {
        const NetworkRow *row = rows->pdata[i];

        for (guint j = 0; check_scope_covers(limits->scope, row->network) && j < row->pools->len; j++) {
            const NetworkPool *pool = row->pools->pdata[j];

            if (row->network->active && pool->size > 0 && pool->size <= G_MAXUINT32)
                judge_pool(limits, row, pool, findings, values);
        }
    }
}

void check_dhcp_pool_low(const Facts *facts, const Map *map, GPtrArray *findings)
{
    CheckLimits limits;

    check_limits(NULL, check_special("dhcp-pool-low"), &limits);
    judge_dhcp_pool_low(&limits, facts, findings, NULL);
}

/* ------------------------------------------------------------------------------ connection tracking */

static gboolean proc_number(const Facts *facts, const char *path, guint64 *number)
{
    const char *text = facts_proc(facts, path);

    return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, number, NULL);
}

void judge_conntrack_full(const CheckLimits *limits, const Facts *facts, GPtrArray *findings,
                          GPtrArray *values)
{
    guint64 count = 0, max = 0;
    Finding *finding;
    Level level;
    gint percent;

    if (facts->proc->len == 0)
        check_unknown(findings, "conntrack-full", "the kernel's settings were not read%s",
                      facts->local ? "" : ": the host is another one");
    /* Where nothing is tracked there is no table; a limit of 0 is none. */
    if (!proc_number(facts, CONNTRACK_COUNT, &count) || !proc_number(facts, CONNTRACK_MAX, &max) || max == 0)
        return;
    percent = percent_of(count, max);
    take_value(values, limits, "conntrack-full", NULL, percent);
    level = level_of(limits, percent);
    if (level == LEVEL_OK)
        return;
    finding = finding_new("conntrack-full", level, OBJECT_HOST, facts->host);
    finding_message(finding,
                    "connection tracking holds %" G_GUINT64_FORMAT " of at most %" G_GUINT64_FORMAT
                    " connections: new ones are dropped when it is full",
                    count, max);
    finding_evidence(finding, "net.netfilter.nf_conntrack_count = %" G_GUINT64_FORMAT, count);
    finding_evidence(finding, "net.netfilter.nf_conntrack_max = %" G_GUINT64_FORMAT, max);
    finding_remedy(finding, "sysctl -w net.netfilter.nf_conntrack_max=%" G_GUINT64_FORMAT, max * 2);
    g_ptr_array_add(findings, finding);
}

void check_conntrack_full(const Facts *facts, const Map *map, GPtrArray *findings)
{
    CheckLimits limits;

    check_limits(NULL, check_special("conntrack-full"), &limits);
    judge_conntrack_full(&limits, facts, findings, NULL);
}
