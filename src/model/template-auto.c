/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "model/template-private.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* A default route, or the pair of halves that stands for one, takes nothing up. */
#define WIDE_PREFIX 1
#define RANDOM_TRIES 100

static const IpNet *first_overlap(const IpNet *candidate, const GArray *used)
{
    for (guint i = 0; i < used->len; i++) {
        const IpNet *other = &g_array_index(used, IpNet, i);

        if (other->prefix > WIDE_PREFIX && ipnet_overlaps(candidate, other))
            return other;
    }
    return NULL;
}

/*
 * The /24 behind both; FALSE at the end of the address space. Two subnets that overlap lie in one another, so
 * the later end is that of the wider one, and what follows it begins a /24.
 */
static gboolean next_24(const IpNet *candidate, const IpNet *overlap, IpNet *next)
{
    Ip end = ipnet_last(candidate), other = ipnet_last(overlap);

    if (ip_compare(&other, &end) > 0)
        end = other;
    *next = (IpNet){.prefix = 24};
    return ip_add(&end, 1, &next->ip);
}

/*
 * The first free /24 from first to last, in order. Each step passes an entry of used for good, so there are
 * at most as many as entries.
 */
static gboolean free_24(const char *first, const char *last, const GArray *used, IpNet *found)
{
    IpNet candidate = {.prefix = 24};
    Ip end;

    if (!ip_parse(first, &candidate.ip) || !ip_parse(last, &end))
        g_return_val_if_reached(FALSE);
    while (ip_compare(&candidate.ip, &end) <= 0) {
        const IpNet *overlap = first_overlap(&candidate, used);

        if (!overlap) {
            *found = candidate;
            return TRUE;
        }
        if (!next_24(&candidate, overlap, &candidate))
            return FALSE;
    }
    return FALSE;
}

/* RFC 4193: fd, 40 random bits of a site, and 16 of a subnet, random here too. */
static gboolean random_64(IpNet *net)
{
    *net = (IpNet){.ip = {.family = 6, .bytes = {0xfd}}, .prefix = 64};
    return getrandom(net->ip.bytes + 1, 7, 0) == 7;
}

static char *auto_cidr6(const GArray *used, GError **error)
{
    for (guint i = 0; i < RANDOM_TRIES; i++) {
        IpNet net;

        if (!random_64(&net)) {
            vnat_error_set(error, VNAT_ERROR_FAILED, "no random numbers: %s", g_strerror(errno));
            return NULL;
        }
        if (!first_overlap(&net, used))
            return ipnet_to_string(&net);
    }
    vnat_error_set(error, VNAT_ERROR_FAILED, "no free /64 in fd00::/8: routes or networks cover it");
    return NULL;
}

static char *auto_cidr4(const GArray *used, GError **error)
{
    IpNet net;

    if (free_24("192.168.122.0", "192.168.254.0", used, &net) ||
        free_24("10.0.0.0", "10.255.255.0", used, &net))
        return ipnet_to_string(&net);
    vnat_error_set(
        error, VNAT_ERROR_FAILED,
        "no free /24 in 192.168.122.0-192.168.254.255 and 10.0.0.0/8: routes or networks cover them");
    return NULL;
}

char *template_auto(ParamType type, const GArray *used, GError **error)
{
    return type == PARAM_CIDR4 ? auto_cidr4(used, error) : auto_cidr6(used, error);
}
