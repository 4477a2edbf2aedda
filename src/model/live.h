/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/change.h"
#include "model/facts.h"
#include "model/map.h"

#include <glib.h>

/*
 * The live map: facts that come one by one, and the map that the join would make of all of them, kept true at
 * a cost that does not depend on how many there are. It has no rule of its own: what changed is joined and
 * checked with what hangs together with it, by map_join() and the checks themselves (live.c says how).
 *
 * Facts go in by live_map_put_* and live_map_remove_*, in any order; live_map_settle() then says what became
 * different. Two maps that were told the same facts are equal, whatever the order, and equal to map_join() of
 * these facts (live_map_facts), but for
 *  - a finding, which is raised, and among the problems of a row, when it has stood for LIVE_GRACE; it is
 *    cleared at once. One that goes on in other words (another number in its message) is cleared and raised
 *    in one settle. Those about networks are looked for once a second a network at most;
 *  - a tap whose name went to another link, or to none, since its domain's XML was asked for: that row knows
 *    nothing of a link until the domain is put again (live_map_doubtful). So a name that is used again never
 *    shows the guest of before.
 */
typedef struct LiveMap LiveMap;

#define LIVE_GRACE (1 * G_TIME_SPAN_SECOND)

/* checks_run of checks/check.h, which the model does not know. */
typedef GPtrArray *(*LiveChecks)(const Facts *facts, const Map *map, guint kinds);

/* checks NULL: nothing is ever found. */
LiveMap *live_map_new(LiveChecks checks);
/* NULL is allowed. */
void live_map_free(LiveMap *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LiveMap, live_map_free)

/* ------------------------------------------------------------------------------------------- facts in */

/* Who is asked; host may be NULL. Not a change that settle tells. */
void live_map_set_host(LiveMap *live, const char *host, const char *uri, gboolean local);

/* The state of a source, and why (may be NULL). SOURCE_ABSENT and _UNREAD are told by no line. */
void live_map_set_source(LiveMap *live, SourceId id, SourceState state, const char *error);
const SourceStatus *live_map_source(const LiveMap *live, SourceId id);
/* A snapshot told what live sources cannot do (their errors): no change does so again. */
void live_map_notes_told(LiveMap *live);

/* Counts what changes names of links: what a domain's reading is dated with. */
guint64 live_map_generation(const LiveMap *live);

/*
 * A domain as it was read, by UUID: takes it. asked: live_map_generation() of the moment in which its XML was
 * asked for. One that is not active (id -1) is removed.
 */
void live_map_put_domain(LiveMap *live, Domain *domain, guint64 asked);
void live_map_remove_domain(LiveMap *live, const char *uuid);
/* Whether every active domain is known; until then no port is called unclaimed. A domain whose xml_read is
 * FALSE counts as not known. FALSE at first. */
void live_map_set_domains_listed(LiveMap *live, gboolean listed);
/*
 * libvirt's list of active domains that was asked for at that live_map_generation() has been answered, and
 * each domain of it read. What is wrong with a port that no domain claims is found only when its name is
 * older than that: libvirt makes a guest's tap before it tells of the guest, and seconds may lie between.
 * Until this is called for the first time, nothing is waited for.
 */
void live_map_set_domains_vouched(LiveMap *live, guint64 asked);
/* The generation at which, or later, the list has to be asked for, for the sake of ports that wait for it; 0:
 * none does. */
guint64 live_map_awaits_domains(const LiveMap *live);

/* A network by UUID, active or not: takes it. */
void live_map_put_network(LiveMap *live, Network *network);
void live_map_remove_network(LiveMap *live, const char *uuid);

/* All leases of a network: takes the array of Lease and its elements. unread: there may be more. Leases of a
 * network that is not known are kept for when it is; putting none ends that. An expired one is kept, for the
 * clock may be set back, but told only while it lives. */
void live_map_put_leases(LiveMap *live, const char *network_uuid, GPtrArray *leases, gboolean unread);
/* Likewise none, for libvirt was asked and does not answer: unread, and not for a fault of theirs. */
void live_map_put_leases_late(LiveMap *live, const char *network_uuid);

/* The kernel's, one by one: a new one, or a newer reading of it. Takes the Link; the others are copied. */
void live_map_put_link(LiveMap *live, Link *link);
void live_map_remove_link(LiveMap *live, guint ifindex);
void live_map_put_address(LiveMap *live, const LinkAddress *address);
void live_map_remove_address(LiveMap *live, const LinkAddress *address); /* by ifindex and net */
void live_map_put_neighbour(LiveMap *live, const Neighbour *neighbour);
void live_map_remove_neighbour(LiveMap *live, guint ifindex, const Ip *ip);
/*
 * A bridge has one entry for a MAC and a vlan: when the guest is seen on another port, the kernel tells the
 * new entry and of the old one nothing. So a put moves it, and a remove counts only while it leads to that
 * port. A permanent one, which no rule looks at, is not kept, and ends the learned one in its place.
 */
void live_map_put_fdb(LiveMap *live, const FdbEntry *entry);
void live_map_remove_fdb(LiveMap *live, const FdbEntry *entry);

/*
 * A whole reading: links, addresses, neighbours and forwarding table of facts replace what is known of them.
 * Takes the links out of facts. A link's removal takes its addresses, neighbours and entries with it, here
 * and above.
 */
void live_map_put_kernel(LiveMap *live, Facts *facts);

/* The dnsmasqs of all networks, as processes_read() gives them: takes the array. */
void live_map_put_dnsmasqs(LiveMap *live, GPtrArray *dnsmasqs);

/* An audit found the map wrong: a line in the next settle. text is copied. */
void live_map_report_mismatch(LiveMap *live, SourceId id, const char *text);

/* ---------------------------------------------------------------------------------------- facts out */

/* NULL: not known. Borrowed until the next put or remove of it. */
const Domain *live_map_domain(const LiveMap *live, const char *uuid);
const Network *live_map_network(const LiveMap *live, const char *uuid);
/* The UUIDs of all that are known, as a set of borrowed strings; free with g_hash_table_unref. */
GHashTable *live_map_domain_uuids(const LiveMap *live);
GHashTable *live_map_network_uuids(const LiveMap *live);
/* The network that has this bridge in its definition (of several the one that outranks), or NULL. */
const Network *live_map_network_of_bridge(const LiveMap *live, const char *bridge);
/* Leases (Lease) of a network, by address and MAC, expired ones too; NULL if none were put. Borrowed until
 * the next put of them. */
const GPtrArray *live_map_leases(const LiveMap *live, const char *network_uuid);

/* UUIDs of domains that must be read again, because a name in their XML went to another link. Each is told
 * once. New strings; free with g_ptr_array_unref. NULL if there are none. */
GPtrArray *live_map_doubtful(LiveMap *live);

/*
 * All facts as one record, for views and for a fresh join. The records in it are borrowed until the next put,
 * remove or settle; free it with facts_free. facts->now is the last settle's.
 */
Facts *live_map_facts(const LiveMap *live);

/* The rows (MapRow) in the map's order, and those of one domain in the order of its XML. Borrowed until the
 * next settle; free with g_ptr_array_unref. */
GPtrArray *live_map_rows(const LiveMap *live);
GPtrArray *live_map_rows_of(const LiveMap *live, const char *domain_uuid);

/* Findings that are raised now (Finding), in checks_run's order; borrowed until the next settle. */
GPtrArray *live_map_findings(const LiveMap *live);

/* How many records it holds in all: memory grows with these and nothing else. */
guint live_map_size(const LiveMap *live);

/* ------------------------------------------------------------------------------------------- changes */

/*
 * Brings the map up to date and says what became different since the last time: Changes, sources and
 * mismatches first, then networks (stopped, undefined, defined, started, changed), leases, interfaces (of
 * both what was removed before what was added), findings (cleared before raised); each row at most once.
 * monotonic: microseconds, never less than the last time; now: epoch seconds, by which leases end. The array
 * and all that is in it is borrowed until the next settle.
 *
 * An interface of a domain stays the same one by UUID, MAC and alias (of several alike, in the order of XML);
 * a port that no domain claims by name and index, so that one with a new name is removed and added.
 */
const GPtrArray *live_map_settle(LiveMap *live, gint64 monotonic, gint64 now);

/* Whether a settle would have something to do at the time of the last one. */
gboolean live_map_is_dirty(const LiveMap *live);

/* When settle has something to do though no fact came: a finding's grace ends, a neighbour ceases to be
 * fresh, a network is to be looked at again (*monotonic; may be past), a lease ends (*epoch: the first second
 * in which it does not live). G_MAXINT64 each where nothing waits. */
void live_map_due(const LiveMap *live, gint64 *monotonic, gint64 *epoch);
