/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/libvirt-line.h"

/*
 * A connection that is asked, and answers whenever it does: asynchronous calls over a line, none of which is
 * waited for. Belongs to the main context.
 */
typedef struct LibvirtSession LibvirtSession;

/* The calls, as in sources/libvirt-fetch.h; a table, so that tests have some that hang. */
typedef struct LibvirtCalls {
    LineDial dial;
    gboolean (*list_domains)(virConnectPtr conn, GPtrArray *listed, GError **error);
    gboolean (*list_networks)(virConnectPtr conn, GPtrArray *listed, GError **error);
    Domain *(*fetch_domain)(virConnectPtr conn, const char *uuid, GError **error);
    Network *(*fetch_network)(virConnectPtr conn, const char *uuid, GError **error);
    GPtrArray *(*fetch_leases)(virConnectPtr conn, const char *uuid, gboolean files, char **partial,
                               GError **error);
    GArray *(*fetch_agent)(virConnectPtr conn, const char *uuid, GError **error);
} LibvirtCalls;

extern const LibvirtCalls libvirt_calls;

typedef enum {
    ASK_HELLO, /* answers by libvirt_line_dialled */
    ASK_LIST,  /* GPtrArray of FollowListed */
    ASK_READ,  /* what follower_answered says */
    ASK_AGENT, /* GArray of AgentAddress */
} AskType;

/* One call. Before it has returned only type, kind and uuid may be looked at. */
typedef struct {
    AskType type;
    FollowKind kind; /* LIST, READ */
    char *uuid;      /* READ, AGENT */
    gpointer record; /* the answer; who wants to keep it sets this NULL */
    char *partial;   /* READ of leases */
} LibvirtAsk;

typedef struct {
    /* error NULL: the record is the answer. An error UNREACHABLE means that the connection is dead. */
    void (*answered)(LibvirtAsk *ask, const GError *error, gpointer data);
    /* Outstanding for over a second; told once. It is answered when it returns, which may be never. */
    void (*slow)(const LibvirtAsk *ask, gpointer data);
} LibvirtHear;

LibvirtSession *libvirt_session_new(LibvirtHub *hub, const char *uri, gboolean readonly, LineEvents events,
                                    guint serial, const LibvirtCalls *calls);
/* Nothing that was asked is answered any more. Never waits. NULL is allowed. */
void libvirt_session_close(LibvirtSession *session);

LibvirtLine *libvirt_session_line(LibvirtSession *session);
/* Whether status files of this connection's daemon are on this host: for reads that follow. FALSE at first.
 */
void libvirt_session_set_files(LibvirtSession *session, gboolean files);

/* Begins at libvirt_session_flush, all that were asked at once. uuid is copied. */
void libvirt_session_ask(LibvirtSession *session, AskType type, FollowKind kind, const char *uuid);
/* Returns when libvirt_session_run is to be called, at the latest. */
gint64 libvirt_session_flush(LibvirtSession *session);

/* Hands out what has returned, and what turned slow by now (monotonic). Returns when to be called again
 * though the hub was not signalled. */
gint64 libvirt_session_run(LibvirtSession *session, gint64 now, const LibvirtHear *hear, gpointer data);
