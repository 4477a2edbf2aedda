/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"
#include "model/flow.h"

#include <glib.h>
#include <jansson.h>

/*
 * Facts: what the sources read of one host, as plain records. Nothing here is derived: the join (model/map.h,
 * model/network.h) and the checks do that. A fact that a source did not give is the field's "none" (NULL, 0,
 * FALSE, -1, as each says); whether the source could be read at all stands in its SourceStatus, never in the
 * data.
 *
 * Text fields hold bytes as they came, possibly hostile and not UTF-8; views escape.
 * A Facts owns everything in it. Arrays are never NULL; they are empty for a source that was not read.
 */

/* ----------------------------------------------------------------------------------------- sources */

typedef enum {
    SOURCE_LIBVIRT,    /* networks and domains */
    SOURCE_LINKS,      /* links, addresses, forwarding table, routes: rtnetlink */
    SOURCE_NEIGHBOURS, /* the kernel's neighbour tables */
    SOURCE_LEASES,     /* DHCP leases of every network */
    SOURCE_FIREWALL,   /* nftables and iptables rules */
    SOURCE_PROCESSES,  /* dnsmasq processes and the sockets on 53, 67, 547 */
    SOURCE_AGENT,      /* guest agents, where the command asks for them by name */
    SOURCE_FIREWALLD,  /* which zone of firewalld an interface is in; absent where it does not run */
    SOURCE_CONNTRACK,  /* the kernel's table of connections */
    SOURCE_COUNT
} SourceId;

/* Names as in JSON's "sources". */
const char *source_name(SourceId id);

typedef enum {
    SOURCE_UNREAD, /* this command did not need it: not listed */
    SOURCE_LIVE,
    SOURCE_STALE,    /* older or partial facts are shown */
    SOURCE_DOWN,     /* could not be read, none are shown */
    SOURCE_REPLAYED, /* from a capture */
    SOURCE_ABSENT,   /* the driver has no such thing, or the host is another one */
} SourceState;

const char *source_state_name(SourceState state);

typedef struct {
    SourceState state;
    guint64 generation; /* grows with every change of the facts; 0: never read */
    gint64 time;        /* epoch seconds of the reading */
    char *error;        /* why stale, down or absent; else NULL */
} SourceStatus;

/* Sets state, frees the old error, takes a copy of the new one (may be NULL). */
void source_status_set(SourceStatus *status, SourceState state, const char *error);

/* ---------------------------------------------------------------------------------------- networks */

typedef struct {
    Ip first, last;
} DhcpRange;

typedef struct {
    IpNet net;         /* the host's address on the bridge, and the prefix */
    gboolean dhcp;     /* has a <dhcp> element */
    GArray *ranges;    /* DhcpRange */
    gboolean has_host; /* <dhcp> has <host> entries */
} NetworkIp;

/* A parameter of a template, as it was used: kept in the network's metadata. */
typedef struct {
    char *name, *value;
} TemplateValue;

void template_value_free(TemplateValue *value);

typedef struct {
    char *name, *uuid;
    gboolean active, persistent, autostart;
    gboolean xml_read;          /* FALSE: its XML could not be read; all that follows is unknown then */
    char *xml_error;            /* why not */
    char *forward;              /* mode as in XML ("nat" where it is implied); "isolated" without <forward> */
    char *forward_dev;          /* the one device that <forward dev=> lets its packets out by, or NULL */
    gboolean nat_ipv6;          /* <nat ipv6='yes'> */
    char *nat_start;            /* first <nat><address start=>, else NULL: SNAT instead of masquerade */
    char *bridge;               /* NULL where the mode has none */
    gboolean stp;               /* libvirt's claim; default on */
    double delay;               /* seconds, libvirt's claim */
    char *zone;                 /* firewalld zone asked for, or NULL */
    gboolean mac_table_libvirt; /* macTableManager='libvirt' */
    guint mtu;                  /* 0: not set */
    char *domain_name;          /* <domain name=>, or NULL */
    gboolean dns_enabled;       /* <dns enable='no'> switches it off */
    gboolean tftp;              /* any <tftp> */
    gboolean port_isolated;     /* <port isolated='yes'> */
    GPtrArray *ips;             /* NetworkIp, order of XML */
    char *template_name;        /* from vnat's metadata, or NULL */
    GPtrArray *template_values; /* TemplateValue */
    gboolean leases_unread;     /* its leases could not be read, or only in part: there may be more */
    gboolean
        leases_late;    /* that, because libvirt did not answer yet: nothing is known to be wrong with them */
    char *xml;          /* as libvirt gave it; kept where Facts.keep asks for it, else NULL */
    char *xml_inactive; /* likewise, of one that is active, what it will be when it starts again */
} Network;

Network *network_new(void);
NetworkIp *network_ip_new(void);
void network_free(Network *network);
/* Whether libvirt starts a dnsmasq for it: has an <ip>, and DNS, DHCP or TFTP is on; not for bridge-like
 * modes. */
gboolean network_wants_dnsmasq(const Network *network);
/* Whether libvirt makes the bridge itself: modes nat, route, open, isolated. */
gboolean network_owns_bridge(const Network *network);
/* Of two networks that name one bridge, whether this one owns it: the active one does, else the first by
 * name. other may be NULL. */
gboolean network_outranks(const Network *network, const Network *other);
/*
 * Whose leases are in the file that bears its bridge's name. NONE: it has no <ip>. One that is not active may
 * have leases too, for they outlive its bridge as they outlive a guest; but where another network has that
 * bridge now, they are the OTHERS'. One whose XML was not read may have some. owner: facts_network_of_bridge
 * of its bridge, or NULL.
 */
typedef enum { LEASES_NONE, LEASES_OWN, LEASES_OTHERS } NetworkLeases;
NetworkLeases network_leases(const Network *network, const Network *owner);
/* Whether it has a <dhcp> with at least one range or host, for this family (0: any). */
gboolean network_has_dhcp(const Network *network, guint8 family);
/* The network's own <ip> whose subnet holds the address, or NULL. */
const NetworkIp *network_ip_of(const Network *network, const Ip *ip);
/* Whether the address lies in one of its DHCP ranges. */
gboolean network_ip_offers(const NetworkIp *own, const Ip *ip);

/* ----------------------------------------------------------------------------------------- domains */

typedef enum { /* numbers of virDomainState */
               DOMAIN_NOSTATE,
               DOMAIN_RUNNING,
               DOMAIN_BLOCKED,
               DOMAIN_PAUSED,
               DOMAIN_SHUTDOWN,
               DOMAIN_SHUTOFF,
               DOMAIN_CRASHED,
               DOMAIN_PMSUSPENDED,
               DOMAIN_STATE_COUNT
} DomainState;

/* virsh's words ("running", "paused", "shut off", "in shutdown", …). */
const char *domain_state_name(DomainState state);

typedef enum { LINK_UNSET, LINK_UP, LINK_DOWN } LinkClaim;

typedef struct {
    char *alias;   /* "net0"; NULL in inactive XML */
    char *type;    /* "network", "bridge", "direct", "user", … */
    char *source;  /* as virsh domiflist shows it: source network, bridge, dev, …; NULL */
    char *network; /* source network=: of type network, and what live XML made of it; else NULL */
    char *bridge;  /* libvirt's claim: source bridge= of live XML, or of type bridge */
    char *portid;  /* NULL */
    char *model;   /* NULL */
    gboolean has_mac;
    Mac mac;           /* currentAddress where the guest changed it (libvirt 11.2), else address */
    char *target;      /* tap, NULL where none */
    guint mtu;         /* 0: not set */
    gboolean isolated; /* <port isolated='yes'/> */
    gboolean has_vlan, has_virtualport; /* more than a plain NAT/route tap */
    LinkClaim link;                     /* <link state=>; unset counts as up */
} DomainInterface;

typedef struct {
    Mac mac;
    IpNet net;
} AgentAddress;

typedef struct {
    char *name, *uuid;
    gint id;             /* -1: not running */
    gboolean persistent; /* has a definition; known of a domain that was read for itself */
    gint64 started;      /* epoch seconds of the start of its process; 0: unknown, or not asked for */
    DomainState state;
    gboolean xml_read;        /* FALSE: its XML could not be read in time; interfaces are unknown */
    char *xml_error;          /* why not */
    gboolean agent_connected; /* channel org.qemu.guest_agent.0 is connected */
    GPtrArray *interfaces;    /* DomainInterface, order of XML */
    GArray *agent;            /* AgentAddress; empty where it was not asked or did not answer */
    char *xml;                /* as libvirt gave it; kept where Facts.keep asks for it, else NULL */
    char *xml_inactive;       /* likewise, of one that is active, what it will be when it starts again */
} Domain;

Domain *domain_new(void);
void domain_free(Domain *domain);
DomainInterface *domain_interface_new(void);
void domain_interface_free(DomainInterface *iface);

/* ------------------------------------------------------------------------------------------ leases */

typedef struct {
    char *network, *network_uuid;
    char *bridge;
    Ip ip;
    guint8 prefix; /* 0: unknown */
    gboolean has_mac;
    Mac mac;
    char *hostname;  /* raw bytes from the guest; NULL */
    char *client_id; /* or DUID; NULL */
    char *iaid;      /* NULL */
    gint64 expiry;   /* epoch seconds; 0: infinite */
} Lease;

Lease *lease_new(void);
void lease_free(Lease *lease);
/* Not expired at now. */
gboolean lease_is_live(const Lease *lease, gint64 now);

/* ------------------------------------------------------------------------------------------- links */

typedef struct {
    guint8 id[8];          /* bridge id: priority and MAC */
    gboolean stp;          /* kernel STP on */
    guint32 forward_delay; /* in 1/100 s, as the kernel gives it */
    gboolean nf_call_iptables, nf_call_ip6tables;
    gboolean vlan_filtering;
} BridgeInfo;

typedef struct {
    guint8 state; /* BR_STATE_*: 0 disabled, 1 listening, 2 learning, 3 forwarding, 4 blocking */
    gboolean isolated, learning, unicast_flood;
    guint16 port_no;
} PortInfo;

typedef struct {
    guint ifindex;
    char *name;
    char *kind;    /* IFLA_INFO_KIND: "bridge", "tun", "veth", …; NULL for a plain device */
    char *alias;   /* ifalias; NULL */
    guint32 flags; /* IFF_* */
    guint mtu;
    gboolean has_mac;
    Mac mac;
    guint master;   /* ifindex; 0: none */
    gint carrier;   /* 1, 0, -1 unknown */
    gint operstate; /* IF_OPER_*; -1 unknown */
    gboolean is_bridge, is_port;
    BridgeInfo bridge_info; /* where is_bridge */
    PortInfo port_info;     /* where is_port: IFLA_INFO_SLAVE_KIND is "bridge" */
} Link;

Link *link_new(void);
void link_free(Link *link);

#define LINK_ADDRESS_TENTATIVE 0x40 /* IFA_F_TENTATIVE: not usable until duplicate detection is done */

typedef struct {
    guint ifindex;
    IpNet net;
    guint8 scope;  /* RT_SCOPE_* */
    guint32 flags; /* IFA_F_* */
} LinkAddress;

/* Bits of a neighbour's state: the kernel's NUD_* (linux/neighbour.h), so that the model needs no kernel
 * header. */
enum {
    NEIGHBOUR_INCOMPLETE = 0x01,
    NEIGHBOUR_REACHABLE = 0x02,
    NEIGHBOUR_STALE = 0x04,
    NEIGHBOUR_DELAY = 0x08,
    NEIGHBOUR_PROBE = 0x10,
    NEIGHBOUR_FAILED = 0x20,
    NEIGHBOUR_NOARP = 0x40,
    NEIGHBOUR_PERMANENT = 0x80,
};

typedef struct {
    guint ifindex;
    Ip ip;
    guint16 state; /* NEIGHBOUR_* */
    gboolean has_mac;
    Mac mac;
    guint32 confirmed; /* seconds since it was last confirmed, from NDA_CACHEINFO; G_MAXUINT32 unknown */
} Neighbour;

#define NEIGHBOUR_FRESH 60 /* seconds since it was confirmed; one that never was begins with as many */

/* Whether the entry is a claim of its address now: the table keeps an old owner as STALE for long. */
gboolean neighbour_is_fresh(const Neighbour *neighbour);

/*
 * Whether the kernel is about to find out (DELAY or PROBE, not confirmed lately): within eight seconds the
 * entry is REACHABLE or FAILED. Until then it may be nobody's: dnsmasq puts an address that it only offers
 * into the table, to be able to send the offer there.
 */
gboolean neighbour_is_asked(const Neighbour *neighbour);

typedef struct {
    guint ifindex; /* the port */
    guint master;  /* the bridge */
    Mac mac;
    guint16 vlan;
    gboolean permanent; /* NUD_PERMANENT: the port's own address, or set by hand; not learned */
    guint32 updated;    /* seconds since last seen; G_MAXUINT32 unknown */
} FdbEntry;

/* The kernel's numbers for a route's type that the model asks for (linux/rtnetlink.h). */
enum {
    ROUTE_UNICAST = 1,
    ROUTE_LOCAL = 2,
    ROUTE_BROADCAST = 3,
    ROUTE_ANYCAST = 4,
    ROUTE_MULTICAST = 5,
    ROUTE_BLACKHOLE = 6,
    ROUTE_UNREACHABLE = 7,
    ROUTE_PROHIBIT = 8,
    ROUTE_THROW = 9,
};

#define ROUTE_DEAD 0x01     /* RTNH_F_DEAD: its device is down */
#define ROUTE_LINKDOWN 0x10 /* RTNH_F_LINKDOWN: its device has no carrier */

typedef struct {
    guint8 family;
    IpNet dst;     /* /0 for a default route */
    guint ifindex; /* 0: none; of several next hops, each is a record */
    Ip gateway;    /* family 0: none */
    guint32 table;
    guint8 type; /* RTN_* */
    guint8 scope, protocol;
    guint32 flags; /* RTNH_F_* (linkdown …) and RTM_F_* */
    guint32 priority;
    guint mtu; /* RTAX_MTU; 0: not set */
} Route;

/* What a rule does with a packet: the kernel's FR_ACT_* (linux/fib_rules.h). */
enum {
    ROUTE_RULE_TABLE = 1,
    ROUTE_RULE_GOTO = 2,
    ROUTE_RULE_NOP = 3,
    ROUTE_RULE_BLACKHOLE = 6,
    ROUTE_RULE_UNREACHABLE = 7,
    ROUTE_RULE_PROHIBIT = 8,
};

/* A rule of ip-rule(8): which table a packet's route is looked up in. */
typedef struct {
    guint8 family;
    guint32 priority;
    IpNet src, dst;  /* ip.family 0: any */
    char *iif, *oif; /* devices; NULL: any. iif "lo": what this host itself sends */
    guint32 mark, mark_mask;
    guint8 protocol;           /* 0: any */
    guint16 sport, sport_last; /* 0: any */
    guint16 dport, dport_last;
    guint8 action;        /* ROUTE_RULE_* */
    guint32 table;        /* of ROUTE_RULE_TABLE */
    guint32 target;       /* the priority that ROUTE_RULE_GOTO goes on at */
    gint suppress_prefix; /* a route found by it counts only with a longer prefix; -1: any does */
    gboolean invert;      /* it holds for what its conditions do not hold for */
    gboolean strange;     /* has a condition that is none of these */
} RouteRule;

RouteRule *route_rule_new(void);
void route_rule_free(RouteRule *rule);

/* ---------------------------------------------------------------------------------------- firewall */

typedef enum { FIREWALL_NFT, FIREWALL_IPTABLES_NFT, FIREWALL_IPTABLES_LEGACY } FirewallShape;

/*
 * A rule in one of two shapes, also within one table: nft may put rules of its own into one of iptables'.
 * Native nftables: expr is nft's JSON array of the rule. iptables, and ebtables in a table of family bridge:
 * argv is the rule as iptables-save prints it after "-A CHAIN", split into words (NULL-terminated). The other
 * is NULL.
 */
typedef struct {
    char **argv;
    json_t *expr;
    gint64 handle; /* nft; 0 none */
    char *text;    /* for people: the rule as its tool writes it */
} FirewallRule;

typedef struct {
    char *name;
    char *hook; /* "prerouting", "input", "forward", "output", "postrouting"; "ingress", "egress" of devices;
                   NULL for a chain that is only jumped to */
    char **devices; /* of ingress and egress: where it is; NULL of others */
    char *type;     /* "filter", "nat", "route"; NULL */
    gint priority;
    char *policy;     /* "accept", "drop"; NULL */
    GPtrArray *rules; /* FirewallRule */
} FirewallChain;

typedef struct {
    FirewallShape shape;
    char *family; /* "ip", "ip6", "inet", "bridge", "arp", "netdev" */
    char *name;
    GPtrArray *chains; /* FirewallChain */
    json_t *sets;      /* nft: array of its set and map objects; NULL */
    gint dormant;      /* 1: its chains are at no hook for now; 0: they are; -1: it was not told */
} FirewallTable;

FirewallTable *firewall_table_new(FirewallShape shape, const char *family, const char *name);
void firewall_table_free(FirewallTable *table);
FirewallChain *firewall_chain_new(const char *name);
FirewallRule *firewall_rule_new(void);
/* What a program that lists rules printed; kept where Facts.keep asks for it. */
typedef struct {
    char *program; /* its name: "nft", "iptables-nft-save", … */
    char *text;
} FirewallText;

FirewallText *firewall_text_new(const char *program, const char *text);
void firewall_text_free(FirewallText *text);
/* The chain of that name, or NULL. */
FirewallChain *firewall_table_chain(const FirewallTable *table, const char *name);

/* --------------------------------------------------------------------------------------- processes */

/* A dnsmasq that a network should have: the process of its pid file, or one that was found without it. */
typedef struct {
    char *network;    /* name */
    char *config;     /* path of its configuration file */
    gint pid;         /* of the live process; none lives: of the pid file; 0: there is no number in it */
    gboolean alive;   /* a live process (no zombie) whose command line names that configuration file */
    gboolean lost;    /* alive, and its pid file does not say so: a daemon that starts misses it */
    gint claimed;     /* lost: the number in the pid file; 0: there is no file, or no number in it */
    gboolean unknown; /* could not be decided (pid file or command line not readable) */
    gboolean no_lease_file; /* the file of its leases, which libvirt makes empty at first, is not there */
    gint owner;             /* uid of the process; -1 */
    char *user;             /* its name, or the number; NULL */
    char **argv;            /* its command line, and */
    char *options; /* what stands in its configuration file; kept where Facts.keep asks for it, else NULL */
} Dnsmasq;

Dnsmasq *dnsmasq_new(void);

void dnsmasq_free(Dnsmasq *dnsmasq);

#define PORT_DNS 53
#define PORT_DHCP4 67
#define PORT_DHCP6 547

typedef struct {
    guint8 protocol; /* IPPROTO_UDP or IPPROTO_TCP */
    Ip local;        /* unspecified for a wildcard */
    guint16 port;
    guint ifindex;   /* bound to this device (SO_BINDTODEVICE); 0: to none */
    gboolean v6only; /* IPV6_V6ONLY: an IPv6 wildcard that leaves the IPv4 port free */
    guint uid;
    guint64 inode;
    gint pid;      /* owner; 0: unknown (other users' processes need rights) */
    char *program; /* its name (/proc/PID/comm); NULL */
} Socket;

void socket_free(Socket *socket);

/* A setting or counter of the kernel. */
typedef struct {
    char *path;  /* below /proc: "sys/net/ipv4/ip_forward" */
    char *value; /* its text without the line feed at the end; NULL: there is none, or it could not be read */
} ProcValue;

ProcValue *proc_value_new(const char *path, const char *value);
void proc_value_free(ProcValue *value);

/* Where firewalld has an interface. */
typedef struct {
    char *interface, *zone;
} FirewalldZone;

FirewalldZone *firewalld_zone_new(const char *interface, const char *zone);
void firewalld_zone_free(FirewalldZone *zone);

/* ------------------------------------------------------------------------------------------- facts */

typedef struct {
    char *host;     /* uname's nodename, or the capture's */
    char *uri;      /* the connection's; NULL without one */
    gint64 now;     /* epoch seconds, wall clock; the capture's in replay */
    gboolean local; /* the connection is to this host's own daemons: kernel facts may be joined */
    gboolean keep;  /* set before reading: the sources keep the text beside what they made of it (capture) */
    SourceStatus sources[SOURCE_COUNT];

    GPtrArray *networks;       /* Network */
    GPtrArray *domains;        /* Domain */
    gboolean domains_complete; /* every active domain is among them, with its XML */
    GPtrArray *leases;         /* Lease, live and infinite ones */
    GPtrArray *links;          /* Link, by ifindex */
    GArray *addresses;         /* LinkAddress */
    GArray *neighbours;        /* Neighbour */
    GArray *fdb;               /* FdbEntry */
    GArray *routes;            /* Route, all tables, v4 and v6 */
    GPtrArray *route_rules;    /* RouteRule, in the order in which the kernel asks them; empty: not known */
    GPtrArray *firewall;       /* FirewallTable */
    GPtrArray *dnsmasqs;       /* Dnsmasq */
    GPtrArray *sockets;        /* Socket: listeners on the ports of DNS and DHCP */
    gboolean sockets_read;     /* sockets were asked for and could be read */
    gboolean socket_owners_known; /* FALSE: other users' sockets could not be mapped to processes */
    GPtrArray *firewall_texts;    /* FirewallText, where keep is set */
    GPtrArray *proc;              /* ProcValue, by path */
    GPtrArray *zones;             /* FirewalldZone: interfaces that are in a zone by name */
    GArray *flows;                /* Flow: all entries of connection tracking, in no order */
} Facts;

Facts *facts_new(void);
void facts_free(Facts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Facts, facts_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Network, network_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Domain, domain_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainInterface, domain_interface_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lease, lease_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Link, link_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FirewallTable, firewall_table_free)

/*
 * Whose XML could not be read, in words, for the state of the source: "domain 'VM1': <why> (and 2 more)".
 * NULL: everybody's was. New string.
 */
char *networks_unread(const GPtrArray *networks);
char *domains_unread(const GPtrArray *domains);
/* Whether the XML of every active one was read. */
gboolean domains_are_complete(const GPtrArray *domains);

/* Whether the source gave facts, all of them or a part: live, stale, or from a capture. */
gboolean facts_has(const Facts *facts, SourceId id);

/*
 * Look-ups; NULL where there is none. Linear, except links by index (binary search: links are kept sorted). A
 * name is taken as it is, a UUID in capitals too.
 */
Network *facts_network(const Facts *facts, const char *name_or_uuid);
Network *facts_network_of_bridge(const Facts *facts, const char *bridge);
Link *facts_link(const Facts *facts, guint ifindex);
Link *facts_link_named(const Facts *facts, const char *name);
/* The address as the link has it, whatever its prefix; NULL: it is not on it. Owned by facts. */
const LinkAddress *facts_link_address(const Facts *facts, const Link *link, const Ip *ip);
/* Whether the link has that address with that prefix, which makes its route. */
gboolean facts_link_has(const Facts *facts, const Link *link, const IpNet *net);
/* The kernel's value at that path below /proc; NULL where there is none, or it was not read. Owned by facts.
 */
const char *facts_proc(const Facts *facts, const char *path);
/* The zone of an interface; NULL: it is in none, and the default zone holds. Owned by facts. */
const char *facts_zone(const Facts *facts, const char *interface);
/* Sorts links by ifindex; a source calls it after filling them. */
void facts_sort_links(Facts *facts);
