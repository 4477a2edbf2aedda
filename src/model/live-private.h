/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/live.h"

/*
 * The rooms of the live map. live.c tells how it works; live-node.c has nodes and hubs, live-put.c and
 * live-kernel.c take facts in, live-join.c makes rows of what hangs together, live-network.c looks at
 * networks, live-finding.c keeps findings, live-record.c compares records.
 */

typedef struct Node Node;

/*
 * A hub is a word that records have in common. Over those of the first kind, in lower case, what hangs
 * together is found; the others only find records by what they refer to.
 */
enum {
    HUB_NAME = 'n',   /* a link's name; targets of domains */
    HUB_MAC = 'm',    /* of guests, leases, neighbours, forwarding entries */
    HUB_IP = 'i',     /* of leases, neighbours */
    HUB_CLIENT = 'c', /* network and client-id of leases */

    HUB_TO_NETWORK = 'N', /* name of the network: domains on it */
    HUB_TO_BRIDGE = 'B',  /* name of the bridge: domains on it */
    HUB_MASTER = 'M',     /* ifindex: links that are its ports */
    HUB_DEVICE = 'D',     /* ifindex: its addresses and neighbours */
    HUB_PORT = 'P',       /* ifindex: forwarding entries that lead there */
    HUB_LEASES = 'L',     /* network UUID: its leases */
    HUB_NETWORK = 'W',    /* name: networks that bear it */
    HUB_BRIDGE = 'V',     /* bridge: networks that name it */
};

typedef struct Edge Edge;

typedef struct {
    guint64 mark;
    guint64 generation; /* HUB_NAME: when the name last went to another link; 0: not since the hub exists */
    guint len, size;
    Edge **edges;
    char key[]; /* the kind, then its text */
} Hub;

struct Edge {
    Hub *hub;
    Node *node;
    guint at; /* in hub->edges */
};

typedef enum {
    NODE_DOMAIN,
    NODE_NETWORK,
    NODE_LINK,
    NODE_LEASE,
    NODE_ADDRESS,
    NODE_NEIGHBOUR,
    NODE_FDB,
    NODE_KINDS
} NodeKind;

/* Something to do at a time: of a node, or of a network's checks. */
typedef struct {
    gint64 due; /* monotonic */
    gboolean set;
    gpointer owner;
    gboolean is_group;
} Timer;

/* One finding, and since when. */
typedef struct {
    Finding *finding;
    gint64 since; /* monotonic */
    gboolean raised;
} Standing;

/*
 * A record, of whatever kind. One that was removed is gone: in no hub, but kept to the next settle, which
 * tells what was known of it. A domain, network, link or lease that comes back before that is the same node.
 */
struct Node {
    NodeKind kind;
    gboolean gone, dirty;
    guint64 mark;    /* of the component it is in */
    guint64 context; /* of the component that looks at it */
    guint64 seen;    /* of the whole reading that had it */
    char *key;       /* in the table of its kind */
    guint edge_count;
    Edge *edges;
};

/* What was told of a domain or a link: its rows (of a link the one of a port that no domain claims) and what
 * was found about them. NULL: none. */
typedef struct {
    GPtrArray *rows;      /* MapRow */
    GPtrArray *fresh;     /* those that a join has just made */
    GPtrArray *standings; /* Standing */
    GPtrArray *found;     /* Finding, of the same join */
    Timer timer;
} Told;

/* A record that may outlive its node. */
typedef struct {
    guint refs;
    gpointer record;
    GDestroyNotify free;
} Held;

typedef struct {
    Node node;
    Told told;
    Domain *domain;
    guint64 asked;
} DomainNode;

typedef struct {
    Node node;
    Told told;
    Held *held;
    Link *link; /* in held */
} LinkNode;

typedef struct {
    GPtrArray *rows; /* the NetworkRow alone */
    Held *network, *link;
    GPtrArray *dnsmasqs; /* a reference */
} ToldNetwork;

typedef struct {
    Node node;
    Held *held;
    Network *network; /* in held */
    ToldNetwork *told;
    gboolean touched; /* in dirty_networks */
} NetworkNode;

typedef struct {
    gint64 at; /* epoch */
    gconstpointer lease;
} Expiry;

typedef struct {
    Node node;
    const Lease *lease; /* in its set */
    const Lease *told;  /* NULL: not told as living */
    const MapRow *row;  /* whose it is */
    Expiry expiry;
    char *network_uuid;
} LeaseNode;

typedef struct {
    Node node;
    LinkAddress address;
} AddressNode;

typedef struct {
    Node node;
    Neighbour neighbour;
    gint64 stamp; /* monotonic time of the settle that followed; its age counts from there */
} NeighbourNode;

typedef struct {
    Node node;
    FdbEntry entry;
} FdbNode;

typedef struct {
    GPtrArray *leases; /* Lease, in an order of their own */
    gboolean unread, late;
} LeaseSet;

/* What is found about the networks of one name. */
typedef struct {
    char *name;
    GPtrArray *standings;
    gint64 last; /* monotonic time of the last run; G_MININT64: none */
    Timer timer;
} Group;

typedef struct {
    gpointer record;
    GDestroyNotify free;
} Buried;

struct LiveMap {
    LiveChecks checks;
    char *host, *uri;
    gboolean local;
    SourceStatus sources[SOURCE_COUNT];
    SourceState told_sources[SOURCE_COUNT];
    char *told_notes[SOURCE_COUNT]; /* what was told of a live one: what it cannot do; else NULL */
    guint news;                     /* bits of sources that said something since the last settle */
    GPtrArray *mismatches;          /* Change */

    GHashTable *nodes[NODE_KINDS]; /* key -> Node */
    GHashTable *hubs;              /* key -> Hub */
    GHashTable *lease_sets;        /* network UUID -> LeaseSet */
    GHashTable *groups;            /* name -> Group */
    GPtrArray *dnsmasqs;
    GTree *expiries; /* Expiry */
    GTree *timers;   /* Timer */
    guint count;     /* nodes that are not gone */

    gboolean domains_listed;
    guint unread;              /* domains whose XML was not read */
    guint64 vouched;           /* names up to this generation may be called nobody's */
    GHashTable *awaiting;      /* set of indices of ports that may not */
    guint64 awaits;            /* the highest generation of their names; 0: there are none */
    gboolean complete;         /* as the rows were told */
    guint64 generation;        /* of the names of links */
    GHashTable *renamed;       /* name -> its link before, while links are being changed */
    GHashTable *doubtful;      /* set of UUIDs */
    GPtrArray *dirty;          /* Node */
    GPtrArray *dirty_networks; /* NetworkNode whose row may be another */
    GPtrArray *unstamped;      /* NeighbourNode */
    GPtrArray *due_groups;     /* Group */

    gint64 monotonic, now; /* of the last settle */
    guint64 mark, sweep;
    GString *text; /* of the key that was made last */
    Facts *small;  /* of the component that is looked at */
    GPtrArray *changes;
    GArray *pending, *dead; /* Buried: since the last settle, and before */
};

/* ------------------------------------------------------------------------------------- live-node.c */

/* Keys of hubs and nodes; the result is valid until the next of these calls. */
const char *key_text(LiveMap *live, char kind, const char *text);
const char *key_index(LiveMap *live, char kind, guint index);
const char *key_mac(LiveMap *live, const Mac *mac);
const char *key_ip(LiveMap *live, const Ip *ip);
const char *key_bytes(LiveMap *live, char kind, guint index, const guint8 *bytes, gsize count);
/* A list of keys for node_set_hubs. */
GPtrArray *keys_new(void);
void keys_add(GPtrArray *keys, const char *key);

/* NULL: there is none. A hub that is has at least one node. */
Hub *hub_find(LiveMap *live, const char *key);
gboolean hub_propagates(const Hub *hub);
/* Marks all its nodes of this kind as dirty; hub may be NULL. */
void hub_mark(LiveMap *live, const Hub *hub, NodeKind kind);

GHashTable *node_table(void);
/* Adds a node of the kind to its table; size: of its record. */
gpointer node_add(LiveMap *live, NodeKind kind, gsize size, const char *key);
/* The node, also one that is gone; and one that is not, or NULL. */
gpointer node_any(const LiveMap *live, NodeKind kind, const char *key);
gpointer node_find(const LiveMap *live, NodeKind kind, const char *key);
gpointer node_link(LiveMap *live, guint ifindex);
/* A node that is gone is there again. */
void node_revive(LiveMap *live, Node *node);
/* Takes it out of its hubs, and where it was alone in them with others marks these. */
void node_remove(LiveMap *live, Node *node);
/* Puts it into these hubs (keys, new strings) and out of all others. Takes keys. */
void node_set_hubs(LiveMap *live, Node *node, GPtrArray *keys);
void node_mark(LiveMap *live, Node *node);
void node_free(gpointer data);

void timer_set(LiveMap *live, Timer *timer, gint64 due);
void timer_clear(LiveMap *live, Timer *timer);
/* The order of the trees. */
gint timer_compare(gconstpointer a, gconstpointer b, gpointer data);
gint expiry_compare(gconstpointer a, gconstpointer b, gpointer data);

Held *held_new(gpointer record, GDestroyNotify record_free);
Held *held_ref(Held *held);
void held_unref(gpointer data);
/* Frees a record when nothing that was handed out can refer to it any more. */
void bury(LiveMap *live, gpointer record, GDestroyNotify record_free);
void change_add(LiveMap *live, const Change *change);

/* -------------------------------------------------------------------------------------- live-put.c */

/* Whether the domain's claim of this name is older than what the name stands for. */
gboolean claim_is_doubtful(LiveMap *live, const DomainNode *node, const char *name);
/* The domains that claim the name are to be read again. */
void doubt_name(LiveMap *live, const Hub *hub);
gboolean live_complete(const LiveMap *live);
/* All leases whose life ends or begins between the two moments are dirty. */
void leases_pass(LiveMap *live, gint64 before, gint64 now);
void lease_set_free(gpointer data);

/* ------------------------------------------------------------------------------------- live-join.c */

/* Joins all that is dirty with what hangs together with it, and tells what became different. */
void components_settle(LiveMap *live);
/* The row as it is told now, or as it was. */
const MapRow *row_now(LiveMap *live, const MapRow *row);
void told_clear(Told *told);

/* ------------------------------------------------------------------------------------ live-facts.c */

/* From now on facts does not free the records in it. */
void facts_borrow(Facts *facts);
void facts_empty(Facts *facts);
void facts_take_node(LiveMap *live, Facts *facts, const Node *node);
/* Puts the records in their order; after the last was taken. */
void facts_order(Facts *facts);
/* The age is that of the last settle. */
Neighbour neighbour_now(const LiveMap *live, const NeighbourNode *node);

/* ---------------------------------------------------------------------------------- live-network.c */

/* Everything that refers to the network is dirty; either may be NULL. */
void network_changed(LiveMap *live, NetworkNode *node, const Network *before, const Network *now);
/* The networks whose bridge this is: their rows (row) and checks; inactive: those of inactive ones alone. */
void networks_touch(LiveMap *live, const char *bridge, gboolean row, gboolean inactive);
void networks_touch_all(LiveMap *live, gboolean row);
void network_touch_leases(LiveMap *live, const char *uuid);
void networks_settle(LiveMap *live);
void groups_settle(LiveMap *live);
void group_free(gpointer data);
void told_network_free(gpointer data);

/* ---------------------------------------------------------------------------------- live-finding.c */

/*
 * What is found now (Finding; taken, may be NULL), in place of what stood: tells what was raised and cleared.
 * Returns when a grace ends, G_MAXINT64: nothing waits.
 */
gint64 standings_update(LiveMap *live, GPtrArray **standings, GPtrArray *found);
/* Adds those that are raised. standings may be NULL. */
void standings_raised(const GPtrArray *standings, GPtrArray *findings);

/* ----------------------------------------------------------------------------------- live-record.c */

/* Whether two readings say the same, of whatever a row or a check looks at. */
gboolean domain_same(const Domain *a, const Domain *b);
gboolean network_same(const Network *a, const Network *b);
/* Of the link itself; of a link that others refer to (a bridge, for its ports); of a network's bridge. */
gboolean link_same(const Link *a, const Link *b);
gboolean link_same_context(const Link *a, const Link *b);
gboolean link_same_bridge(const Link *a, const Link *b);
gboolean neighbour_same(const Neighbour *a, const Neighbour *b);
gint lease_order(gconstpointer a, gconstpointer b);
gint network_order(gconstpointer a, gconstpointer b);
gint domain_order(gconstpointer a, gconstpointer b);
gint neighbour_order(gconstpointer a, gconstpointer b);
gint fdb_order(gconstpointer a, gconstpointer b);
gint address_order(gconstpointer a, gconstpointer b);
