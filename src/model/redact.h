/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ip.h"

#include <glib.h>

/*
 * Replacing what tells whose host this is: names, MAC and IP addresses, UUIDs, ids of DHCP clients. The same
 * thing gets the same replacement wherever it stands, and two things never get the same one, so that
 * whatever can be asked of the facts has the same answer afterwards. Pure: the same key and the same calls
 * give the same result; without the key nothing leads back.
 *
 * What stays, because it says what a thing is and not whose: the last 16 bits of an address (unless they are
 * a MAC's), the first octet of a MAC, 54:00 behind it (QEMU's), addresses and MACs with a meaning of their
 * own (loopback, link-local, multicast, netmasks), names of devices that the kernel and well-known programs
 * give. See vnat(1), REDACTION.
 */
typedef struct Redactor Redactor;

#define REDACT_KEY_BYTES 32

/* key NULL: a random one. */
Redactor *redactor_new(const guint8 *key);
void redactor_free(Redactor *redactor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Redactor, redactor_free)

/* --------------------------------------------------------------------------------------- addresses */

/*
 * The first octet stays, and octets 2 and 3 where they are 54:00; each of the other two parts (octets 2-3,
 * 4-6) is mapped one to one for itself, so that fe:54:00:x follows 52:54:00:x. Never the identity. Zero and
 * multicast stay, but the last three octets of 33:33:ff:x, which are an address's, follow those.
 */
void redact_mac(Redactor *redactor, Mac *mac);
/* A bridge's id: two octets of priority, then its MAC. */
void redact_bridge_id(Redactor *redactor, guint8 id[static 8]);

/*
 * One to one, and what shares a prefix shares one afterwards: networks hold the same addresses, overlap the
 * same ones. The order of addresses that differ in their last 16 bits alone stays. Of IPv4 the first 16 bits
 * change, never to the same; 0/8, 127/8, 169.254/16 and 224/3 stay. Of IPv6 the first 64 bits change, within
 * 2000::/3, fc00::/8, fd00::/8; fe80::/10 and ff00::/8 stay. Its last 64 bits: those of a MAC follow that
 * MAC, numbers below 65536 stay, of others the first 48 change. IPv4 within IPv6 (::ffff:0:0/96,
 * 64:ff9b::/96) follows the IPv4 address.
 */
void redact_ip(Redactor *redactor, Ip *ip);
/* The address of an interface likewise; of a network (no host bits) the host bits stay zero. */
void redact_net(Redactor *redactor, IpNet *net);
/* Both ends; put in order again where they differed in more than the last 16 bits. */
void redact_range(Redactor *redactor, Ip *first, Ip *last);

/* ----------------------------------------------------------------------------------- names and ids */

typedef enum {
    REDACT_NETWORK,   /* "network-1" */
    REDACT_DOMAIN,    /* "domain-1" */
    REDACT_HOST,      /* "host-1": of guests and of hosts; "localhost" stays */
    REDACT_IFNAME,    /* see redact_device */
    REDACT_DNS,       /* "dns-1.example": a DNS domain */
    REDACT_TEMPLATE,  /* "template-1"; those that come with vnat stay */
    REDACT_PARAMETER, /* "parameter-1": of a template; likewise */
    REDACT_ZONE,      /* "zone-1": firewalld's own stay */
    REDACT_USER,      /* "user-1"; numbers, root, nobody, dnsmasq's stay */
    REDACT_PROGRAM,   /* "program-1"; well-known servers stay */
    REDACT_FILTER,    /* "filter-1": libvirt's own stay */
    REDACT_PORTGROUP, /* "portgroup-1" */
    REDACT_ALIAS,     /* "alias-1"; "net0" stays */
    REDACT_CLIENT,    /* "client-1": ids of DHCP clients that are no octets */
    REDACT_CHAIN,     /* "own-1": chains, tables, sets; known words in front stay ("f2b-own-1") */
    REDACT_COMMENT,   /* "comment-1" */
    REDACT_VALUE,     /* "value-1": what is not known to be harmless */
    REDACT_KIND_COUNT
} RedactKind;

/*
 * Numbered in the order of the first calls; NULL and "" stay. New string. A name that was given here once is
 * found by redact_text (not comments and values).
 */
char *redact_name(Redactor *redactor, RedactKind kind, const char *name);

/*
 * That many names of the kind are to come, in their order: numbers get as many digits, so that replacements
 * are in the same order ("network-02", "network-10"). Before the first of them.
 */
void redact_expect(Redactor *redactor, RedactKind kind, guint count);

/*
 * A device's name: those of the kernel and well-known programs (lo, eth0, enp1s0, virbr0, vnet7, docker0, …)
 * stay, others become "if1", with their MAC in them replaced ("enx525400123456"); never over 15 bytes. end:
 * the byte that stands for any rest of a name ('+' of iptables, '*' of nftables; '\0': none): such a pattern
 * matches the same devices afterwards, if redact_device_patterns found it before those devices were replaced.
 * New string.
 */
char *redact_device(Redactor *redactor, const char *name, char end);
/* Looks for such patterns in the texts of all firewall rules (NULL-terminated). */
void redact_device_patterns(Redactor *redactor, const char *const *rules);

/* The devices of a host (char *, sorted by this): those that do not stay are numbered in the order of their
 * names, as redact_expect has it. */
void redact_devices(Redactor *redactor, GPtrArray *names);

/* A UUID for a UUID, and for anything else too. NULL, "" and the nil UUID stay. New string. */
char *redact_uuid(Redactor *redactor, const char *uuid);

/*
 * A DHCP client-id or DUID ("01:52:54:00:12:34:56") of the same shape, with the MAC or UUID in it replaced as
 * everywhere, or an IAID ("1193046"). NULL, "" and "*" stay. New string.
 */
char *redact_client_id(Redactor *redactor, const char *id);

/* -------------------------------------------------------------------------------------------- text */

/*
 * Text for people (messages, command lines, a URI): every UUID, MAC, IP address and network in it is
 * replaced, and every name that redact_name got to know, as a whole word; unknown parts of paths, hosts of
 * URIs, and what stands in quotes without being understood, too. NULL stays. New string.
 */
char *redact_text(Redactor *redactor, const char *text);

/* What is nothing but a path: up to the first folder that is nobody's but this host's. New string. */
char *redact_path(Redactor *redactor, const char *path);

/*
 * A word that is nothing but an address: IP ("10.0.0.1", with "/24", "/255.255.0.0", as range "a-b", with
 * ":PORT" behind), MAC or UUID. New string; NULL if it is none.
 */
char *redact_address(Redactor *redactor, const char *word);

/*
 * Whether a word is harmless: a number ("8080", "0x4000/0x4000", "1024-65535"), or from the vocabulary of
 * libvirt, the kernel, nftables, iptables or dnsmasq; also several with ',', '/' or ':' between them.
 */
gboolean redact_is_harmless(const char *word);
