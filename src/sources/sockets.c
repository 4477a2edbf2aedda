/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/sockets.h"

#include "base/error.h"
#include "base/file.h"
#include "base/netlink.h"
#include "sources/sockets-parse.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Theory of operation.
 *
 * The kernel lists sockets with their inode (sock_diag), but not who holds them: that is found from the other
 * side, among the descriptors of all processes, each a link that says "socket:[INODE]". It is the dearest
 * thing that vnat does to /proc (a process with a thousand descriptors is a thousand system calls), so it
 * ends as soon as every socket has its process, and starts with the likely ones.
 */

#define LINK_BYTES 64

/* ----------------------------------------------------------------------------------------- reading */

typedef struct {
    GPtrArray *sockets;
    guint8 protocol;
} SocketReading;

static gboolean port_matters(guint16 port)
{
    return port == PORT_DNS || port == PORT_DHCP4 || port == PORT_DHCP6;
}

static void take_socket(const struct nlmsghdr *message, gpointer data)
{
    const SocketReading *reading = data;
    Socket *socket = socket_parse(message, reading->protocol);

    if (socket && port_matters(socket->port))
        g_ptr_array_add(reading->sockets, socket);
    else if (socket)
        socket_free(socket);
}

/* UDP has no listening state: a socket that is bound counts, in whatever state. */
static guint32 states_of(guint8 protocol)
{
    return protocol == IPPROTO_TCP ? 1U << TCP_LISTEN : ~0U;
}

static NetlinkDump dump_sockets(Netlink *netlink, guint8 family, SocketReading *reading, Deadline deadline,
                                GError **error)
{
    const struct inet_diag_req_v2 body = {
        .sdiag_family = family,
        .sdiag_protocol = reading->protocol,
        .idiag_states = states_of(reading->protocol),
    };
    NetlinkRequest request;

    netlink_request_init(&request, SOCK_DIAG_BY_FAMILY, &body, sizeof(body));
    return netlink_dump(netlink, &request, take_socket, reading, deadline, error);
}

GPtrArray *sockets_read(Deadline deadline, GError **error)
{
    static const guint8 protocols[] = {IPPROTO_UDP, IPPROTO_TCP}, families[] = {AF_INET, AF_INET6};
    g_autoptr(Netlink) netlink = netlink_open(NETLINK_SOCK_DIAG, error);
    g_autoptr(GPtrArray) sockets = g_ptr_array_new_with_free_func((GDestroyNotify)socket_free);

    if (!netlink)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(protocols) * G_N_ELEMENTS(families); i++) {
        SocketReading reading = {.sockets = sockets, .protocol = protocols[i / G_N_ELEMENTS(families)]};
        guint before = sockets->len;
        NetlinkDump whole;

        do {
            g_ptr_array_set_size(sockets, (gint)before);
            whole = dump_sockets(netlink, families[i % G_N_ELEMENTS(families)], &reading, deadline, error);
        } while (whole == NETLINK_TORN);
        if (whole == NETLINK_FAILED) {
            g_prefix_error(error, "reading sockets: ");
            return NULL;
        }
    }
    return g_steal_pointer(&sockets);
}

/* ------------------------------------------------------------------------------------------ owners */

typedef DIR Directory;
static void directory_close(Directory *directory)
{
    (void)closedir(directory);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Directory, directory_close)

/* Sockets that have no process yet, by inode; a socket that two processes hold stays with the first. */
typedef struct {
    GHashTable *ownerless; /* inode (guint64, in the Socket) to Socket */
    Deadline deadline;
} OwnerSearch;

static char *program_name(gint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", pid);
    gsize length;
    char *name = file_read_proc(path, 256, &length);

    if (name && length > 0 && name[length - 1] == '\n')
        name[length - 1] = '\0';
    return name;
}

static void search_descriptor(const OwnerSearch *search, gint pid, int directory, const char *name)
{
    char target[LINK_BYTES];
    ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);
    guint64 inode;
    Socket *socket;

    if (length <= 0)
        return;
    target[length] = '\0';
    inode = socket_link_inode(target);
    socket = inode ? g_hash_table_lookup(search->ownerless, &inode) : NULL;
    if (!socket)
        return;
    socket->pid = pid;
    socket->program = program_name(pid);
    g_hash_table_remove(search->ownerless, &inode);
}

/* Whether the search is over. A process that may not be looked at, or is gone, is passed over. */
static gboolean search_process(const OwnerSearch *search, gint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
    g_autoptr(Directory) descriptors = opendir(path);
    const struct dirent *entry;

    while (descriptors && g_hash_table_size(search->ownerless) > 0 && (entry = readdir(descriptors)))
        search_descriptor(search, pid, dirfd(descriptors), entry->d_name);
    return g_hash_table_size(search->ownerless) == 0 || deadline_passed(search->deadline);
}

static void search_everywhere(const OwnerSearch *search)
{
    g_autoptr(Directory) processes = opendir("/proc");
    const struct dirent *entry;
    guint64 pid;

    while (processes && (entry = readdir(processes))) {
        if (g_ascii_string_to_unsigned(entry->d_name, 10, 1, G_MAXINT, &pid, NULL) &&
            search_process(search, (gint)pid))
            return;
    }
}

gboolean sockets_find_owners(GPtrArray *sockets, const GArray *first, Deadline deadline)
{
    g_autoptr(GHashTable) ownerless = g_hash_table_new(g_int64_hash, g_int64_equal);
    OwnerSearch search = {.ownerless = ownerless, .deadline = deadline};
    gboolean over;

    for (guint i = 0; i < sockets->len; i++) {
        Socket *socket = sockets->pdata[i];

        g_hash_table_insert(ownerless, &socket->inode, socket);
    }
    over = g_hash_table_size(ownerless) == 0;
    for (guint i = 0; i < first->len && !over; i++)
        over = search_process(&search, g_array_index(first, gint, i));
    if (!over)
        search_everywhere(&search);
    return g_hash_table_size(ownerless) == 0;
}

gboolean sockets_drop_closed(GPtrArray *sockets, Deadline deadline)
{
    g_autoptr(GPtrArray) now = sockets_read(deadline, NULL);
    g_autoptr(GHashTable) open = g_hash_table_new(g_int64_hash, g_int64_equal);
    gboolean known = TRUE;

    if (!now)
        return FALSE;
    for (guint i = 0; i < now->len; i++)
        g_hash_table_add(open, &((Socket *)now->pdata[i])->inode);
    for (guint i = sockets->len; i-- > 0;) {
        const Socket *socket = sockets->pdata[i];

        if (!socket->pid && !g_hash_table_contains(open, &socket->inode))
            g_ptr_array_remove_index(sockets, i);
        else
            known = known && socket->pid;
    }
    return known;
}
