/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"
#include "base/virt.h"
#include "sources/libvirt-fetch.h"
#include "sources/libvirt-follow.h"
#include "sources/libvirt-session.h"

#include <libvirt/virterror.h>
#include <string.h>

/*
 * For tests of libvirt-follow: who is told, on libvirt's test driver. Calls that hang wait for a gate, which
 * the test opens; what passes is the second after which they are slow.
 */

/* -------------------------------------------------------------------------------------------- gate */

static struct {
    GMutex lock;
    GCond cond;
    gboolean open;
    guint inside;
} gate;

static inline void gate_set(gboolean open)
{
    g_mutex_lock(&gate.lock);
    gate.open = open;
    g_cond_broadcast(&gate.cond);
    g_mutex_unlock(&gate.lock);
}

static inline void gate_enter(void)
{
    g_mutex_lock(&gate.lock);
    gate.inside++;
    while (!gate.open)
        g_cond_wait(&gate.cond, &gate.lock);
    gate.inside--;
    g_mutex_unlock(&gate.lock);
}

static inline guint gate_inside(void)
{
    guint inside;

    g_mutex_lock(&gate.lock);
    inside = gate.inside;
    g_mutex_unlock(&gate.lock);
    return inside;
}

/* ----------------------------------------------------------------------------------- fake calls */

/* Of a fake: how often, and from which time on it fails or hangs. Written by workers. */
static G_GNUC_UNUSED gint dials, dial_fails_from, dial_hangs, network_dials, network_dial_fails, agents_asked,
    agent_last;

static inline void fakes_reset(void)
{
    g_atomic_int_set(&dials, 0);
    g_atomic_int_set(&dial_fails_from, 0);
    g_atomic_int_set(&dial_hangs, 0);
    g_atomic_int_set(&network_dials, 0);
    g_atomic_int_set(&network_dial_fails, 0);
    g_atomic_int_set(&agents_asked, 0);
    g_atomic_int_set(&agent_last, 1);
    gate_set(FALSE);
}

/* A reference to the last connection, for those who want to see that it is the only one left. */
static G_GNUC_UNUSED virConnectPtr kept;
static G_GNUC_UNUSED gint keep;

static inline virConnectPtr fail_dial(GError **error)
{
    vnat_error_set(error, VNAT_ERROR_UNREACHABLE, "nobody there");
    vnat_error_hint(error, "look elsewhere");
    return NULL;
}

static inline virConnectPtr fake_dial(VirtDialled *dialled, GError **error)
{
    gint from = g_atomic_int_get(&dial_fails_from);
    virConnectPtr conn;

    if (strcmp(dialled->uri, "network:///system") == 0) {
        g_atomic_int_inc(&network_dials);
        if (g_atomic_int_get(&network_dial_fails))
            return fail_dial(error);
    } else {
        gint number = g_atomic_int_add(&dials, 1) + 1;

        if (from && number >= from)
            return fail_dial(error);
        if (g_atomic_int_get(&dial_hangs))
            gate_enter();
    }
    conn = virConnectOpen("test:///default");
    if (g_atomic_int_get(&keep)) {
        g_atomic_pointer_set(&kept, conn);
        virConnectRef(conn);
    }
    return conn;
}

/* "hang…" hangs, "dead…" says what a dead connection says, "agent…" has one. */
static inline Domain *fake_domain(virConnectPtr conn G_GNUC_UNUSED, const char *uuid, GError **error)
{
    Domain *domain;

    if (g_str_has_prefix(uuid, "hang"))
        gate_enter();
    if (g_str_has_prefix(uuid, "dead")) {
        vnat_error_set(error, VNAT_ERROR_UNREACHABLE, "Failed to connect socket");
        return NULL;
    }
    domain = domain_new();
    domain->uuid = g_strdup(uuid);
    domain->name = g_strdup(uuid);
    domain->id = 1;
    domain->state = DOMAIN_RUNNING;
    domain->agent_connected = g_str_has_prefix(uuid, "agent");
    return domain;
}

/* 192.0.2.x, x as the test says. */
static inline GArray *fake_agent(virConnectPtr conn G_GNUC_UNUSED, const char *uuid, GError **error)
{
    GArray *addresses;
    AgentAddress address = {0};
    g_autofree char *text = g_strdup_printf("192.0.2.%d", g_atomic_int_get(&agent_last));

    g_atomic_int_inc(&agents_asked);
    if (g_str_has_prefix(uuid, "agent-hangs"))
        gate_enter();
    if (g_atomic_int_get(&agent_last) == 0) {
        vnat_error_set(error, VNAT_ERROR_FAILED, "silent");
        return NULL;
    }
    g_assert_true(ip_parse(text, &address.net.ip));
    address.net.prefix = 24;
    addresses = g_array_new(FALSE, FALSE, sizeof(AgentAddress));
    g_array_append_val(addresses, address);
    return addresses;
}

static G_GNUC_UNUSED const LibvirtCalls fake_calls = {
    .dial = fake_dial,
    .list_domains = libvirt_list_domains,
    .list_networks = libvirt_list_networks,
    .fetch_domain = fake_domain,
    .fetch_network = libvirt_fetch_network,
    .fetch_leases = libvirt_fetch_leases,
    .fetch_agent = fake_agent,
};

/* --------------------------------------------------------------------------------------------- ear */

typedef struct {
    LibvirtFollow *follow;
    GString *log; /* a word for each: "+VM1 ", "-VM1 ", "slow:VM1 ", "touch:VM1 ", … */
    char *uri;
    gboolean local;
    guint connected, lost, doubts, news;
    GError *why;
    GPtrArray *domains, *networks; /* as listed */
    Domain *domain;                /* the last answer */
    Network *network;
    GError *error;
} Ear;

static inline void on_connected(gpointer data, const char *uri, gboolean local)
{
    Ear *ear = data;

    g_free(ear->uri);
    ear->uri = g_strdup(uri);
    ear->local = local;
    ear->connected++;
}

static inline void on_lost(gpointer data, const GError *why)
{
    Ear *ear = data;

    ear->lost++;
    g_clear_error(&ear->why);
    ear->why = g_error_copy(why);
}

static inline void on_listed(gpointer data, FollowKind kind, GPtrArray *listed, const GError *error)
{
    Ear *ear = data;

    g_assert_no_error(error);
    if (kind == FOLLOW_DOMAIN)
        ear->domains = listed;
    else
        ear->networks = listed;
}

static inline void on_answered(gpointer data, FollowKind kind, const char *uuid, gpointer record,
                               const char *partial, const GError *error)
{
    Ear *ear = data;

    g_assert_null(partial);
    g_assert_true((record == NULL) == (error != NULL));
    g_clear_error(&ear->error);
    ear->error = error ? g_error_copy(error) : NULL;
    if (kind == FOLLOW_DOMAIN) {
        domain_free(ear->domain);
        ear->domain = record;
    } else if (kind == FOLLOW_NETWORK) {
        network_free(ear->network);
        ear->network = record;
    } else if (record) {
        g_ptr_array_unref(record);
    }
    g_string_append_printf(ear->log, "%c%s ", error ? '-' : '+', uuid);
}

static inline void on_slow(gpointer data, FollowKind kind, const char *uuid)
{
    g_assert_cmpint(kind, ==, FOLLOW_DOMAIN);
    g_string_append_printf(((Ear *)data)->log, "slow:%s ", uuid);
}

static inline void on_touch(gpointer data, FollowKind kind, const char *uuid)
{
    g_string_append_printf(((Ear *)data)->log, "touch:%d:%s ", (int)kind, uuid);
}

static inline void on_doubt(gpointer data, SourceId source)
{
    g_assert_cmpint(source, ==, SOURCE_LIBVIRT);
    ((Ear *)data)->doubts++;
}

static inline void on_news(gpointer data)
{
    ((Ear *)data)->news++;
}

static const FollowTell tell = {
    .connected = on_connected,
    .lost = on_lost,
    .listed = on_listed,
    .answered = on_answered,
    .slow = on_slow,
    .touch = on_touch,
    .doubt = on_doubt,
    .news = on_news,
};

/* The ear goes on to another; what it heard of the one before stays. */
static inline void ear_follow(Ear *ear, const char *uri, const LibvirtCalls *calls,
                              const char *network_socket)
{
    libvirt_follow_free(ear->follow);
    ear->follow = libvirt_follow_new(uri, FALSE, calls, network_socket, &tell, ear);
}

static inline void ear_init(Ear *ear, const char *uri, const LibvirtCalls *calls, const char *network_socket)
{
    memset(ear, 0, sizeof *ear);
    ear->log = g_string_new(NULL);
    ear_follow(ear, uri, calls, network_socket);
}

static inline void ear_clear(Ear *ear)
{
    libvirt_follow_free(ear->follow);
    g_string_free(ear->log, TRUE);
    g_free(ear->uri);
    g_clear_error(&ear->why);
    g_clear_error(&ear->error);
    g_clear_pointer(&ear->domains, g_ptr_array_unref);
    g_clear_pointer(&ear->networks, g_ptr_array_unref);
    domain_free(ear->domain);
    network_free(ear->network);
}

static inline gboolean on_timeout(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* Runs the loop until it is so; an error after 100 s. */
#define until(condition)                                                                                     \
    do {                                                                                                     \
        gboolean late = FALSE;                                                                               \
        guint timeout = g_timeout_add_seconds(100, on_timeout, &late);                                       \
                                                                                                             \
        while (!(condition) && !late)                                                                        \
            g_main_context_iteration(NULL, TRUE);                                                            \
        g_assert_true((condition));                                                                          \
        if (!late)                                                                                           \
            g_source_remove(timeout);                                                                        \
    } while (0)

static inline void settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static inline void ear_connect(Ear *ear)
{
    guint before = ear->connected;

    libvirt_follow_connect(ear->follow);
    until(ear->connected > before);
}

static inline gboolean heard(const Ear *ear, const char *word)
{
    g_autofree char *padded = g_strdup_printf(" %s", ear->log->str);
    g_autofree char *wanted = g_strdup_printf(" %s ", word);

    return strstr(padded, wanted) != NULL;
}

static inline guint times_heard(const Ear *ear, const char *word)
{
    g_auto(GStrv) words = g_strsplit(ear->log->str, " ", -1);
    guint count = 0;

    for (guint i = 0; words[i]; i++)
        count += strcmp(words[i], word) == 0;
    return count;
}

static inline void ask(Ear *ear, const char *uuid)
{
    libvirt_follow_read(ear->follow, FOLLOW_DOMAIN, uuid);
    libvirt_follow_flush(ear->follow);
}

static inline void list_both(Ear *ear)
{
    g_clear_pointer(&ear->domains, g_ptr_array_unref);
    g_clear_pointer(&ear->networks, g_ptr_array_unref);
    libvirt_follow_list(ear->follow, FOLLOW_DOMAIN);
    libvirt_follow_list(ear->follow, FOLLOW_NETWORK);
    libvirt_follow_flush(ear->follow);
    until(ear->domains && ear->networks);
}

static inline void read_one(Ear *ear, FollowKind kind, const char *uuid)
{
    g_string_truncate(ear->log, 0);
    libvirt_follow_read(ear->follow, kind, uuid);
    libvirt_follow_flush(ear->follow);
    until(ear->log->len > 0);
}
