/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/conntrack.h"
#include "sources/firewall.h"
#include "sources/firewalld.h"
#include "sources/guests.h"
#include "sources/proc.h"
#include "sources/processes.h"
#include "sources/reader.h"

typedef struct {
    Reader reader;
    VirtConn *conn;
} Live;

static VirtConn *live_conn(Reader *reader)
{
    return ((Live *)(gpointer)reader)->conn;
}

static gboolean live_networks(Reader *reader, Facts *facts, LibvirtNetworks which, Deadline deadline,
                              GError **error)
{
    return libvirt_read_networks(live_conn(reader), facts, which, deadline, error);
}

static Network *live_network(Reader *reader, Facts *facts, const char *name_or_uuid, gboolean inactive,
                             Deadline deadline, GError **error)
{
    return libvirt_read_network(live_conn(reader), facts, name_or_uuid, inactive, deadline, error);
}

static gboolean live_domains(Reader *reader, Facts *facts, gboolean all, Deadline deadline, GError **error)
{
    return libvirt_read_domains(live_conn(reader), facts, all, deadline, error);
}

static Domain *live_domain(Reader *reader, Facts *facts, const char *which, gboolean inactive,
                           Deadline deadline, GError **error)
{
    return libvirt_read_domain(live_conn(reader), facts, which, inactive, deadline, error);
}

static gboolean live_leases(Reader *reader, Facts *facts, Deadline deadline, GError **error)
{
    return libvirt_read_leases(live_conn(reader), facts, deadline, error);
}

static void live_agents(Reader *reader, Facts *facts, gboolean required, Deadline deadline)
{
    /* As a bonus they are not waited for where they cannot be asked. */
    if (required || !virt_conn_readonly(live_conn(reader)))
        libvirt_read_agents(live_conn(reader), facts, required, deadline);
}

/* What the kernel did not say is told by the source's status; the answer goes on without it. */
static void live_links(Reader *reader G_GNUC_UNUSED, Facts *facts, LinksWanted wanted, Deadline deadline)
{
    links_read(facts, wanted, deadline, NULL);
}

static void live_processes(Reader *reader G_GNUC_UNUSED, Facts *facts, gboolean sockets, Deadline deadline)
{
    processes_read(facts, sockets, deadline, NULL);
}

static void live_firewall(Reader *reader G_GNUC_UNUSED, Facts *facts, Deadline deadline)
{
    firewall_read(facts, deadline, NULL);
}

static void live_proc(Reader *reader G_GNUC_UNUSED, Facts *facts)
{
    proc_read(facts);
}

static void live_firewalld(Reader *reader G_GNUC_UNUSED, Facts *facts, Deadline deadline)
{
    firewalld_read(facts, deadline);
}

static void live_conntrack(Reader *reader G_GNUC_UNUSED, Facts *facts, Deadline deadline)
{
    conntrack_read(facts, deadline);
}

static void live_guests(Reader *reader G_GNUC_UNUSED, Facts *facts)
{
    guests_read(facts);
}

static char *live_network_xml(Reader *reader, const char *name_or_uuid, gboolean inactive, Deadline deadline,
                              GError **error)
{
    return libvirt_network_xml(live_conn(reader), name_or_uuid, inactive, deadline, error);
}

static char **live_network_names(Reader *reader, Deadline deadline, GError **error)
{
    return libvirt_network_names(live_conn(reader), deadline, error);
}

static char **live_domain_names(Reader *reader, Deadline deadline, GError **error)
{
    return libvirt_domain_names(live_conn(reader), deadline, error);
}

static void live_free(Reader *reader)
{
    g_free(reader);
}

static const ReaderOps live_ops = {
    .networks = live_networks,
    .network = live_network,
    .domains = live_domains,
    .domain = live_domain,
    .leases = live_leases,
    .agents = live_agents,
    .links = live_links,
    .processes = live_processes,
    .firewall = live_firewall,
    .proc = live_proc,
    .firewalld = live_firewalld,
    .conntrack = live_conntrack,
    .guests = live_guests,
    .network_xml = live_network_xml,
    .network_names = live_network_names,
    .domain_names = live_domain_names,
    .free = live_free,
};

Reader *reader_live(VirtConn *conn)
{
    Live *live = g_new0(Live, 1);

    live->reader.ops = &live_ops;
    live->conn = conn;
    return &live->reader;
}

void reader_free(Reader *reader)
{
    if (reader)
        reader->ops->free(reader);
}
