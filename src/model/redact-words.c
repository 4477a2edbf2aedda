/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact-private.h"

#include <string.h>

/*
 * What may stay where nothing else does. A word of this list tells of nobody, whatever it stands for; one
 * that is missing costs a "value-1" in a redacted capture.
 */

/* clang-format off */
static const char vocabulary[] = " "
    /* XML of libvirt: switches, kinds of networks, interfaces, hypervisors, models, backends. */
    "yes no on off true false up down default none auto all any other nat route bridge open isolated "
    "private vepa passthrough hostdev network direct user ethernet internal server client mcast udp "
    "tcp vhostuser vdpa unix kvm qemu xen lxc test vz bhyve vmware openvz hvf virtio virtio-net-pci "
    "virtio-transitional virtio-non-transitional e1000 e1000e e1000-82540em e1000-82544gc "
    "e1000-82545em igb rtl8139 ne2k_pci ne2k_isa pcnet netfront vmxnet vmxnet2 vmxnet3 am79c970a "
    "am79c973 82543gc usb-net spapr-vlan i82551 i82557b i82559er tulip lan9118 smc91c111 vhost vfio "
    "iothread timer libvirt kernel pci ccw isa usb virtio-serial virtio-mmio mac host static dynamic "
    "passt slirp openvswitch 802.1qbg 802.1qbh midonet trunk tagged untagged native-tagged "
    "native-untagged access transient persistent connected disconnected org.qemu.guest_agent.0 "
    "spicevmc pty tty file dev spiceport nmdm qemu-vdagent pipe "
    /* Families, protocols, kinds of packets. */
    "ipv4 ipv6 ip ip6 inet arp rarp netdev ether vlan 8021q 8021ad ppp loopback icmp icmpv6 ipv6-icmp "
    "icmpx igmp sctp dccp udplite esp ah gre ipcomp comp ospf vrrp pim ipip ipv6-frag ipv6-route "
    "ipv6-opts ipv6-nonxt mh hopopts unicast broadcast multicast anycast local unspec blackhole "
    "unreachable prohibit throw fin syn rst psh ack urg ecn cwr cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7 af11 "
    "af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 ef be lephb ssh http https domain bootps "
    "bootpc dhcp dhcp6 dns ftp sip tftp irc amanda h323 pptp q.931 ras netbios-ns snmp sane "
    /* ICMP. */
    "echo-request echo-reply destination-unreachable packet-too-big time-exceeded parameter-problem "
    "redirect source-quench router-advertisement router-solicitation timestamp-request timestamp-reply "
    "info-request info-reply address-mask-request address-mask-reply mld-listener-query "
    "mld-listener-report mld-listener-done mld-listener-reduction mld2-listener-report "
    "nd-router-solicit nd-router-advert nd-neighbor-solicit nd-neighbor-advert nd-redirect "
    "router-renumbering ind-neighbor-solicit ind-neighbor-advert neighbour-solicitation "
    "neighbour-advertisement neighbor-solicitation neighbor-advertisement ttl-zero-during-transit "
    "ttl-exceeded net-unreachable host-unreachable port-unreachable prot-unreachable "
    "protocol-unreachable net-prohibited host-prohibited admin-prohibited no-route addr-unreachable "
    "policy-fail reject-route network-unreachable fragmentation-needed icmp-port-unreachable "
    "icmp-host-unreachable icmp-net-unreachable icmp-proto-unreachable icmp-net-prohibited "
    "icmp-host-prohibited icmp-admin-prohibited icmp6-adm-prohibited icmp6-port-unreachable "
    "icmp6-addr-unreachable icmp6-no-route tcp-reset "
    /* Rules: states, verdicts, limits, modules. */
    "new established related invalid snat dnat original reply expected seen-reply assured confirmed "
    "dying fixed-timeout accept drop reject return continue queue jump goto pass in out src dst both "
    "clear-df random fully-random emerg alert crit err warn warning notice info debug audit second "
    "minute hour day week sec min s m h d ms us seconds minutes hours bytes packets kbytes mbytes "
    "gbytes kb mb gb monday tuesday wednesday thursday friday saturday sunday srcip dstip srcport "
    "dstport addrtype bpf cgroup cluster comment connbytes connlimit connmark conntrack cpu devgroup "
    "dscp eui64 frag hashlimit helper hl iprange ipv6header length limit mark multiport nfacct osf "
    "owner physdev pkttype policy rateest recent rpfilter rt set socket state statistic string tcpmss "
    "time tos ttl u32 request request_reverse reply_reverse bga "
    /* dnsmasq. */
    "option option6 router dns-server mtu netmask ntp-server domain-name domain-search "
    "classless-static-route information-refresh-time infinite deprecated ra-only ra-names ra-stateless "
    "ra-advrouter slaac off-link constructor proxy lo ";

/* Of names of chains, tables and sets. Never "own": it stands for the words that are not here. */
static const char rules_words[] = " "
    /* iptables' and nft's own. */
    "accept checksum classify connmark ct dnat dnpt drop dscp filter forward input log mangle mark "
    "masquerade nat netmap nflog nfqueue notrack output postrouting prerouting queue raw redirect "
    "reject return route security set snat snpt synproxy tcpmss tos tproxy trace ttl tee ecn hl hmark led "
    "ulog audit secmark connsecmark tcpoptstrip rateest idletimer broute ingress egress "
    /* libvirt's, with those of its filters: "libvirt-in-post", "I-vnet0-arpmac". */
    "libvirt fwi fwo fwx inp out prt network guest cross in post host i o j p fi fo fj fp hi hj mac vlan stp "
    "arp arpmac rarp ipv4 arpreply "
    /* Docker, ufw, fail2ban, NixOS, Tailscale, LXD, Incus, Shorewall, OpenWrt. */
    "docker user isolation stage bridge bridges internal ufw ufw6 before after logging limit allow deny skip to "
    "policy not local track f2b sshd nixos fw refuse rpfilter pre ts lxd incus fwd pstrt shorewall "
    "dynamic logflags smurfs tcpflags fw4 from srcnat dstnat lan wan "
    /* Kubernetes, Calico, Cilium, flannel, CNI, Podman. */
    "kube svc sep xlb ext services nodeports node port ports masq external proxy canary firewall kubelet cali "
    "dispatch wl hep endpoint pi po pri pro cidr block failsafe fip outgoing cilium flannel postrtg cni "
    "admin hostport setmark dn sn netavark "
    /* firewalld, with its own zones. */
    "firewalld direct fwdi fwdo zones zone source policies dmz home nm shared public trusted work routed ipv6 ";
/* clang-format on */

/* Whether the word stands in the list, whatever its case. */
static gboolean stands_in(const char *words, const char *word)
{
    g_autofree char *lower = g_ascii_strdown(word, -1);
    g_autofree char *entry = g_strconcat(" ", lower, " ", NULL);

    return !strchr(word, ' ') && strstr(words, entry);
}

static gboolean is_vocabulary(const char *word)
{
    return stands_in(vocabulary, word);
}

/* A single digit counts; more of them may be somebody's address. */
static gboolean rules_word_stays(Redactor *redactor, const char *word)
{
    return stands_in(rules_words, word) || redact_device_stays(redactor, word) ||
           (g_ascii_isdigit(word[0]) && word[1] == '\0');
}

gsize redact_rules_words(Redactor *redactor, const char *name)
{
    gsize known = 0;

    while (name[known]) {
        gsize length = strcspn(name + known, "-_.");
        g_autofree char *word = g_strndup(name + known, length);

        if (length == 0 || !rules_word_stays(redactor, word))
            return known;
        /* A number stays behind words, at the end. */
        if (g_ascii_isdigit(*word) && (known == 0 || name[known + length]))
            return known;
        known += length + (name[known + length] != '\0');
    }
    return known;
}

/* Length of "80", "0x4000" or "2.5" here; 0: no number. */
static gsize number_length(const char *text)
{
    gsize hex = g_ascii_strncasecmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdefABCDEF") : 0;
    gsize digits = strspn(text, "0123456789");
    gsize fraction = digits > 0 && text[digits] == '.' ? strspn(text + digits + 1, "0123456789") : 0;

    if (hex > 0)
        return hex + 2;
    return fraction > 0 ? digits + 1 + fraction : digits;
}

/* A number, or two with '-' between them. */
static gboolean is_number(const char *part)
{
    gsize first = number_length(part);
    gsize second = first > 0 && part[first] == '-' ? number_length(part + first + 1) : 0;

    return first > 0 && part[second > 0 ? first + 1 + second : first] == '\0';
}

static gboolean part_is_harmless(const char *part)
{
    return !*part || is_number(part) || is_vocabulary(part);
}

gboolean redact_is_harmless(const char *word)
{
    g_auto(GStrv) parts = g_strsplit_set(word, ",/:", -1);

    for (guint i = 0; parts[i]; i++) {
        if (!part_is_harmless(parts[i]))
            return FALSE;
    }
    return TRUE;
}
