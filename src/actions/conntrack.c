/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack.h"

#include "base/error.h"
#include "config.h"

#include <string.h>

/* ----------------------------------------------------------------------------------- what to forget */

static gboolean ip_is_own(const Facts *facts, const Ip *ip)
{
    for (guint i = 0; i < facts->addresses->len; i++) {
        if (ip_equal(&g_array_index(facts->addresses, LinkAddress, i).net.ip, ip))
            return TRUE;
    }
    return ip_is_loopback(ip);
}

static gboolean ip_is_broadcast(const Ip *ip)
{
    static const guint8 all[] = {255, 255, 255, 255};

    return ip->family == 4 && memcmp(ip->bytes, all, sizeof(all)) == 0;
}

gboolean flow_wants_nat(const Facts *facts, const Network *network, const Ip *source, const Ip *destination)
{
    const NetworkIp *own = network_ip_of(network, source);

    if (!own || g_strcmp0(network->forward, "nat") != 0 || (source->family == 6 && !network->nat_ipv6))
        return FALSE;
    return !ipnet_contains(&own->net, destination) && !ip_is_multicast(destination) &&
           !ip_is_link_local(destination) && !ip_is_broadcast(destination) && !ip_is_own(facts, destination);
}

#ifdef HAVE_CONNTRACK

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

/* -------------------------------------------------------------------------------------- the kernel's */

typedef struct {
    const Facts *facts;
    const Network *network;
    GPtrArray *found; /* struct nf_conntrack * */
} Search;

static gboolean address_of(const struct nf_conntrack *entry, enum nf_conntrack_attr v4,
                           enum nf_conntrack_attr v6, Ip *ip)
{
    const void *bytes = nfct_get_attr(entry, v4);

    if (bytes)
        return ip_from_bytes(bytes, 4, ip);
    bytes = nfct_get_attr(entry, v6);
    return bytes && ip_from_bytes(bytes, 16, ip);
}

/* Not translated: answers come back to the source itself. */
static int take_entry(enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *data)
{
    Search *search = data;
    Ip source, destination, answered;

    if (address_of(entry, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, &source) &&
        address_of(entry, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, &destination) &&
        address_of(entry, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST, &answered) &&
        ip_equal(&source, &answered) && flow_wants_nat(search->facts, search->network, &source, &destination))
        g_ptr_array_add(search->found, nfct_clone(entry));
    return NFCT_CB_CONTINUE;
}

static gboolean kernel_failed(int number, const char *what, GError **error)
{
    return vnat_error_set(error,
                          number == EPERM             ? VNAT_ERROR_DENIED
                          : number == EAGAIN          ? VNAT_ERROR_DEADLINE
                          : number == EPROTONOSUPPORT ? VNAT_ERROR_UNSUPPORTED
                                                      : VNAT_ERROR_FAILED,
                          "cannot %s the kernel's connections: %s", what, g_strerror(number));
}

/* The library waits for answers without end; the kernel's side of the socket then does not. */
static void limit_waiting(struct nfct_handle *handle, Deadline deadline)
{
    const int ms = deadline_poll_ms(deadline);
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 + 1};

    if (ms >= 0)
        (void)setsockopt(nfct_fd(handle), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static gboolean search_family(struct nfct_handle *handle, Search *search, guint32 family, GError **error)
{
    nfct_callback_register(handle, NFCT_T_ALL, take_entry, search);
    if (nfct_query(handle, NFCT_Q_DUMP, &family) < 0)
        return kernel_failed(errno, "read", error);
    return TRUE;
}

/* One that ended by itself meanwhile is gone as well. */
static gboolean forget(struct nfct_handle *handle, const GPtrArray *entries, guint *deleted, GError **error)
{
    nfct_callback_unregister(handle);
    for (guint i = 0; i < entries->len; i++) {
        if (nfct_query(handle, NFCT_Q_DESTROY, entries->pdata[i]) == 0)
            *deleted += 1;
        else if (errno != ENOENT)
            return kernel_failed(errno, "delete one of", error);
    }
    return TRUE;
}

static gboolean forget_untranslated(struct nfct_handle *handle, Search *search, guint *deleted,
                                    GError **error)
{
    return search_family(handle, search, AF_INET, error) &&
           (!search->network->nat_ipv6 || search_family(handle, search, AF_INET6, error)) &&
           forget(handle, search->found, deleted, error);
}

gboolean conntrack_forget_untranslated(const Facts *facts, const Network *network, guint *deleted,
                                       Deadline deadline, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)nfct_destroy);
    Search search = {facts, network, found};
    struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
    gboolean ok;

    *deleted = 0;
    if (!handle)
        return kernel_failed(errno, "reach", error);
    limit_waiting(handle, deadline);
    ok = forget_untranslated(handle, &search, deleted, error);
    nfct_close(handle);
    return ok;
}

#else

gboolean conntrack_forget_untranslated(const Facts *facts, const Network *network, guint *deleted,
                                       Deadline deadline, GError **error)
{
    const NetworkIp *first = network->ips->len > 0 ? network->ips->pdata[0] : NULL;

    *deleted = 0;
    vnat_error_set(error, VNAT_ERROR_UNSUPPORTED, "this vnat was built without libnetfilter_conntrack");
    if (first) {
        const IpNet subnet = ipnet_network(&first->net);
        g_autofree char *text = ipnet_to_string(&subnet);

        vnat_error_hint(error, "conntrack -D -s %s", text);
    }
    return FALSE;
}

#endif
