/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/libvirt-fetch.h"
#include "sources/libvirt-private.h"

#include <stdlib.h>

/*
 * Guest agents. The answer comes from inside the guest: names of devices are the guest's own, so that
 * addresses are kept by MAC; and it may never come, so that these calls have a deadline of their own.
 */

#define AGENT_SECONDS 2.0

typedef struct {
    Domain *domain; /* the caller's: for done alone */
    char *uuid;
    GArray *addresses; /* the answer: AgentAddress */
} AgentItem;

static void agent_item_free(gpointer data)
{
    AgentItem *item = data;

    g_free(item->uuid);
    g_clear_pointer(&item->addresses, g_array_unref);
    g_free(item);
}

static void agent_take(GArray *addresses, const virDomainInterface *iface)
{
    AgentAddress address = {0};

    /* The loopback device has no MAC, or one of zeros that no interface of a domain has. */
    if (!iface->hwaddr || !mac_parse(iface->hwaddr, &address.mac))
        return;
    for (unsigned int i = 0; i < iface->naddrs; i++) {
        const virDomainIPAddress *from = &iface->addrs[i];

        if (!from->addr || !ip_parse(from->addr, &address.net.ip) || ip_is_loopback(&address.net.ip) ||
            from->prefix > ip_bits(&address.net.ip))
            continue;
        address.net.prefix = (guint8)from->prefix;
        g_array_append_val(addresses, address);
    }
}

GArray *libvirt_fetch_agent(virConnectPtr conn, const char *uuid, GError **error)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(conn, uuid);
    virDomainInterfacePtr *ifaces = NULL;
    GArray *addresses;
    int count =
        domain ? virDomainInterfaceAddresses(domain, &ifaces, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, 0)
               : -1;

    if (count < 0) {
        virt_error_take(error);
        return NULL;
    }
    addresses = g_array_new(FALSE, FALSE, sizeof(AgentAddress));
    for (int i = 0; i < count; i++) {
        agent_take(addresses, ifaces[i]);
        virDomainInterfaceFree(ifaces[i]);
    }
    free(ifaces);
    return addresses;
}

static gboolean agent_call(virConnectPtr conn, gpointer data, GError **error)
{
    AgentItem *item = data;

    item->addresses = libvirt_fetch_agent(conn, item->uuid, error);
    return item->addresses != NULL;
}

typedef struct {
    guint asked, answered;
    char *cause; /* of the first that did not answer */
} AgentReading;

static void agent_done(gpointer data, const GError *error, gpointer user_data)
{
    AgentItem *item = data;
    AgentReading *reading = user_data;

    if (!error) {
        reading->answered++;
        g_array_unref(item->domain->agent);
        item->domain->agent = g_array_ref(item->addresses);
    } else if (!reading->cause) {
        reading->cause = g_strdup_printf("domain '%s': %s", item->domain->name, error->message);
    }
}

static GPtrArray *agent_items(const Facts *facts)
{
    GPtrArray *items = g_ptr_array_new();

    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];
        AgentItem *item;

        if (domain->state != DOMAIN_RUNNING || !domain->agent_connected)
            continue;
        item = g_new0(AgentItem, 1);
        item->domain = domain;
        item->uuid = g_strdup(domain->uuid);
        g_ptr_array_add(items, item);
    }
    return items;
}

static void agent_status(Facts *facts, const AgentReading *reading)
{
    SourceStatus *status = &facts->sources[SOURCE_AGENT];

    status->time = facts->now;
    if (reading->answered == 0) {
        source_status_set(status, SOURCE_DOWN,
                          reading->cause ? reading->cause : "no guest agent is connected");
        return;
    }
    status->generation++;
    source_status_set(status, reading->answered < reading->asked ? SOURCE_STALE : SOURCE_LIVE,
                      reading->cause);
}

void libvirt_read_agents(VirtConn *conn, Facts *facts, gboolean required, Deadline deadline)
{
    AgentReading reading = {0, 0, NULL};
    g_autoptr(GPtrArray) items = NULL;

    if (virt_conn_readonly(conn)) {
        reading.cause = g_strdup("guest agents are asked on a read-write connection only");
    } else {
        items = agent_items(facts);
        reading.asked = items->len;
        virt_call_each(conn, "virDomainInterfaceAddresses", agent_call, items, agent_item_free, VIRT_GUESTS,
                       agent_done, &reading, deadline_within(deadline, AGENT_SECONDS));
    }
    if (required)
        agent_status(facts, &reading);
    g_free(reading.cause);
}
