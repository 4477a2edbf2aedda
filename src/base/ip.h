/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* An IP address by value. family is 4 or 6 (0: none); bytes in network order, IPv4 in the first four. */
typedef struct {
    guint8 family;
    guint8 bytes[16];
} Ip;

/* An address with a prefix length: a subnet when the host bits are zero, an interface address otherwise. */
typedef struct {
    Ip ip;
    guint8 prefix;
} IpNet;

/* A hardware address by value (Ethernet only). */
typedef struct {
    guint8 bytes[6];
} Mac;

/* Longest texts, with the NUL. */
#define IP_TEXT 46
#define MAC_TEXT 18

/* Parses with inet_pton's rules, plus nothing. */
gboolean ip_parse(const char *text, Ip *ip);
/* Fills from raw network-order bytes; length must be 4 or 16. */
gboolean ip_from_bytes(const void *bytes, gsize length, Ip *ip);
const char *ip_format(const Ip *ip, char buffer[static IP_TEXT]);
char *ip_to_string(const Ip *ip);
/* Order: family, then numerically. */
int ip_compare(const Ip *a, const Ip *b);
#define ip_equal(a, b) (ip_compare((a), (b)) == 0)
gboolean ip_is_link_local(const Ip *ip);
gboolean ip_is_multicast(const Ip *ip);
gboolean ip_is_loopback(const Ip *ip);
gboolean ip_is_unspecified(const Ip *ip);
/* Bits of an address of this family: 32 or 128. */
guint ip_bits(const Ip *ip);
/* The address n steps further; FALSE if it would leave the family's range. n may be negative. */
gboolean ip_add(const Ip *ip, gint64 n, Ip *result);

/* "192.168.122.0/24"; the prefix is required, host bits are kept. */
gboolean ipnet_parse(const char *text, IpNet *net);
/* From address and netmask or prefix as libvirt's <ip> has them; either may be NULL (then the classful
 * default of IPv4, as libvirt does, or 64). FALSE if the netmask is not contiguous or the prefix out of
 * range. */
gboolean ipnet_from_xml(const char *address, const char *netmask, const char *prefix, IpNet *net);
char *ipnet_to_string(const IpNet *net);
/* The network address / the last address (IPv4: broadcast). */
IpNet ipnet_network(const IpNet *net);
Ip ipnet_last(const IpNet *net);
/* The netmask as an address. */
Ip ipnet_mask(const IpNet *net);
gboolean ipnet_contains(const IpNet *net, const Ip *ip);
/* Whether inner lies in outer (equal counts). */
gboolean ipnet_covers(const IpNet *outer, const IpNet *inner);
gboolean ipnet_overlaps(const IpNet *a, const IpNet *b);

/* Number of addresses from first to last, inclusive, saturating at G_MAXUINT64; 0 if they are out of order.
 */
guint64 ip_range_size(const Ip *first, const Ip *last);

gboolean mac_parse(const char *text, Mac *mac);
const char *mac_format(const Mac *mac, char buffer[static MAC_TEXT]);
char *mac_to_string(const Mac *mac);
int mac_compare(const Mac *a, const Mac *b);
#define mac_equal(a, b) (mac_compare((a), (b)) == 0)
