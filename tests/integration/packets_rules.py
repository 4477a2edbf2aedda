# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random rule sets for packets-kernel: nftables' own and iptables', and such as Docker, ufw, firewalld and libvirt make."""

import os
import random

GUEST, OUTSIDE = "g0", "o0"
PORTS = (53, 67, 80, 443, 1000)
# The guest's side, the outside's, and two that are not there.
NET = {4: ("10.1.0", "10.2.0", "10.3.0", "10.4.0"), 6: ("fd00:1::", "fd00:2::", "fd00:3::", "fd00:4::")}


def asked_for(words, sets):
    """How many rule sets are wanted and from which seed, by the arguments [RULE-SETS [SEED]] or SOAK_SEED; any seed, if by none.
    Both are told, so that what fails can be tried again."""
    count = int(words[0]) if words else sets
    seed = int(words[1] if len(words) > 1 else os.environ.get("SOAK_SEED") or random.SystemRandom().getrandbits(31))
    print(f"{count} rule sets, seed {seed}")
    return count, seed


def address(family, side, host):
    return f"{NET[family][side]}.{host}" if family == 4 else f"{NET[family][side]}{host}"


def prefix(family, side, bits=None):
    if family == 4:
        return f"{NET[4][side]}.0/{bits or 24}"
    return f"{NET[6][side]}/{bits or 64}"


class Native:
    """A table of nftables, and what it needs of sets, maps and chains."""

    def __init__(self, chance, number, strange):
        self.chance, self.strange = chance, strange
        self.family = chance.choice(("ip", "ip6", "inet", "inet"))
        self.name = f"t{number}"
        self.chains = [f"c{n}" for n in range(chance.randint(1, 4))]
        self.text = self.build()

    def versions(self):
        return {"ip": (4,), "ip6": (6,), "inet": (4, 6)}[self.family]

    def version(self):
        return self.chance.choice(self.versions())

    def any_address(self, version):
        return address(version, self.chance.randint(0, 1), self.chance.randint(2, 5))

    def some_addresses(self, version):
        one = self.chance.randint(2, 3)
        side = self.chance.randint(0, 1)
        return self.chance.choice((
            self.any_address(version),
            prefix(version, side, self.chance.choice((24, 31)) if version == 4 else self.chance.choice((64, 127))),
            f"{address(version, side, one)}-{address(version, side, one + 1)}",
            f"{{ {self.any_address(version)}, {prefix(version, 1 - side)} }}",
            f"{{ {address(version, 0, 2)}-{address(version, 0, 3)}, {address(version, 1, 4)} }}",
            f"@plain{version}", f"@ranges{version}"))

    def device(self):
        return self.chance.choice(('"g0"', '"o0"', '"g*"', '"lo"', '"nothere"', '{ "g0", "o0" }', '{ "g*", "x" }',
                                   "@devs", "@wild"))

    def ports(self):
        return self.chance.choice(("53", "67", "1-100", "!= 443", "{ 53, 67, 80 }", "{ 60-100, 443 }", "@ports", "@spans",
                                   ">= 100", "< 67", "!= { 53, 1000 }"))

    def protocol_match(self):
        version = self.version()
        kinds = ["tcp dport " + self.ports(), "udp dport " + self.ports(), "th dport 53", "meta l4proto { tcp, udp }",
                 "meta l4proto " + self.chance.choice(("tcp", "udp", "icmp", "ipv6-icmp", "!= tcp")),
                 "tcp flags & (fin|syn|rst|ack) == syn", "tcp flags syn", "tcp flags != syn", "tcp flags ! ack",
                 "meta l4proto { tcp, udp } th dport { 53, 80 }", "tcp sport 20000-30000"]
        if version == 4:
            kinds += ["icmp type echo-request", "icmp type { echo-reply, echo-request }", "ip protocol udp",
                      "ip protocol != icmp", "icmp type != echo-request", "icmp code 0", "icmp code { 1, 3 }"]
        else:
            kinds += ["icmpv6 type echo-request", "icmpv6 type { echo-reply, nd-neighbor-solicit }", "ip6 nexthdr tcp",
                      "icmpv6 type != echo-reply", "icmpv6 code 0", "icmpv6 code != 1"]
        kind = self.chance.choice(kinds)
        if kind == "th dport 53":
            kind = "meta l4proto udp th dport 53"
        return kind

    def address_match(self):
        version = self.version()
        word = "ip" if version == 4 else "ip6"
        field = self.chance.choice(("saddr", "daddr"))
        kinds = [f"{word} {field} {self.some_addresses(version)}", f"{word} {field} != {self.some_addresses(version)}",
                 f"{word} {field} . tcp dport @pairs{version}", f"{word} saddr . meta l4proto . th dport @triples{version}",
                 f"{word} saddr . {word} daddr {{ {address(version, 0, 2)} . {address(version, 1, 2)}, "
                 f"{address(version, 0, 3)} . {prefix(version, 1)} }}"]
        if version == 4:
            kinds += ["ip saddr & 255.0.0.3 == 10.0.0.2", "ip daddr & 255.255.0.0 != 10.2.0.0", "ip saddr < 10.1.0.4",
                      "fib daddr type local", "fib daddr type != local", "fib saddr type unicast",
                      "fib daddr type { local, broadcast }", "fib daddr . iif type local", "ip frag-off & 0x1fff != 0"]
        kind = self.chance.choice(kinds)
        return kind.replace("th dport", "udp dport", 1) if "meta l4proto . th" in kind else kind

    def state_match(self):
        return self.chance.choice((
            "ct state established,related", "ct state new", "ct state { new, untracked }", "ct state != new",
            "ct state ! new", "ct state != established,related", "ct direction reply", "ct direction original",
            "ct status dnat", "ct status ! seen-reply", "ct status seen-reply", "ct mark 0 ct state new",
            "ct state invalid", "ct zone 0", "ct state @states"))

    def other_match(self):
        kinds = ["meta nfproto ipv4", "meta nfproto ipv6", "meta nfproto != ipv4",
                 "meta mark 0x1", "meta mark != 0", "meta mark & 0xf0 == 0x10", "meta mark @marks", "counter",
                 "limit rate 1000/second burst 1000 packets", "limit rate over 1000/second burst 1000 packets", "meta pkttype host",
                 "meta pkttype { broadcast, multicast }", "iif g0", "oif o0", "iif != g0", "meta iifname . meta oifname @links",
                 "ct count over 30000", "ct count 30000"]
        if self.strange:
            kinds += ["meta cpu 0-100", "meta length 1-60", "ip ttl 64", "ip6 hoplimit > 1", "meta iifgroup 0"]
            kinds = [kind for kind in kinds if not (kind.startswith("ip ") and self.family == "ip6")
                     and not (kind.startswith("ip6 ") and self.family == "ip")]
        return self.chance.choice(kinds)

    def matches(self):
        made = []
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 2, 3))):
            made.append(self.chance.choice((
                lambda: self.chance.choice(("iifname ", "oifname ")) + self.chance.choice(("", "!= ")) + self.device(),
                self.protocol_match, self.address_match, self.state_match, self.other_match))())
        return made

    def verdict(self, depth):
        chance = self.chance
        kinds = ["accept"] * 5 + ["drop"] * 3 + ["return"] * 2 + ["reject"] * 2 + \
            ["reject with icmpx admin-prohibited", "continue", "", "counter"]
        kinds += [f"meta mark set {chance.choice(('0x1', '0x11', 'meta mark | 0x10'))}"] * 2
        if self.family == "inet":
            kinds += ["reject with icmp host-unreachable", "reject with icmpv6 no-route", "reject with tcp reset"]
        if self.family == "ip":
            kinds.remove("reject with icmpx admin-prohibited")
        if self.family == "ip6":
            kinds.remove("reject with icmpx admin-prohibited")
        below = self.chains[depth + 1:] if depth >= 0 else self.chains
        for target in below:
            kinds += [f"jump {target}"] * 3 + [f"goto {target}"]
        return chance.choice(kinds)

    def vmap(self, depth):
        below = self.chains[depth + 1:] if depth >= 0 else self.chains
        go = f"jump {self.chance.choice(below)}" if below else "return"
        return self.chance.choice((
            "ct state vmap { established : accept, related : accept, invalid : drop }",
            f"meta l4proto vmap {{ tcp : {go}, udp : drop }}",
            f'iifname vmap {{ "g0" : {go}, "o*" : return }}',
            f'iifname . oifname vmap {{ "g0" . "o0" : {go}, "o0" . "g0" : accept }}',
            f"udp dport vmap {{ 50-60 : accept, 67 : {go}, * : continue }}",
            "tcp dport vmap @verdicts", "meta mark vmap { 0x1 : drop, 0x11 : accept, * : return }"))

    def rule(self, depth):
        if self.chance.random() < 0.12:
            return " ".join(self.matches()[:1] + [self.vmap(depth)])
        matches, verdict = self.matches(), self.verdict(depth)
        if verdict == "reject with tcp reset":
            # In front of it nft 1.0.6 does not list a condition on the version of IP.
            matches = [match for match in matches if "nfproto" not in match] + ["meta l4proto tcp"]
        return " ".join(matches + [verdict]).strip() or "counter"

    def sets(self):
        chance, lines = self.chance, []
        for version in self.versions():
            kind = "ipv4_addr" if version == 4 else "ipv6_addr"
            lines += [
                f"set plain{version} {{ type {kind}; elements = {{ {address(version, 0, 2)}, {address(version, 1, 3)} }}; }}",
                f"set ranges{version} {{ type {kind}; flags interval; elements = {{ "
                f"{prefix(version, chance.randint(0, 1), 25 if version == 4 else 64)}, "
                f"{address(version, 3, 200)}-{address(version, 3, 210)} }}; }}",
                f"set pairs{version} {{ type {kind} . inet_service; elements = {{ {address(version, 0, 2)} . 53, "
                f"{address(version, 1, 2)} . 80 }}; }}",
                f"set triples{version} {{ type {kind} . inet_proto . inet_service; flags interval; elements = {{ "
                f"{prefix(version, 0)} . udp . 50-60, {address(version, 1, 3)} . udp . 1000 }}; }}"]
        lines += ['set devs { type ifname; elements = { "o0", "lo" }; }',
                  'set wild { type ifname; flags interval; elements = { "g*" }; }',
                  'set links { type ifname . ifname; elements = { "g0" . "o0" }; }',
                  "set ports { type inet_service; elements = { 53, 443 }; }",
                  "set spans { type inet_service; flags interval; elements = { 50-70, 1000 }; }",
                  "set marks { type mark; elements = { 0x1, 0x10 }; }",
                  "set states { type ct_state; elements = { established, new }; }",
                  "map verdicts { type inet_service : verdict; elements = { 53 : accept, 80 : drop }; }"]
        return lines

    def build(self):
        chance = self.chance
        lines = [f"table {self.family} {self.name} {{"] + self.sets()
        for depth in range(len(self.chains) - 1, -1, -1):
            rules = [self.rule(depth) for _ in range(chance.randint(1, 6))]
            lines.append(f"chain {self.chains[depth]} {{")
            lines += rules + ["}"]
        for number in range(chance.randint(1, 3)):
            hook = chance.choice(("forward", "forward", "input"))
            lines.append(f"chain b{number} {{ type filter hook {hook} priority {chance.choice((-150, -10, 0, 0, 0, 5, 100))}; "
                         f"policy {chance.choice(('accept', 'accept', 'drop'))};")
            lines += [self.rule(-1).replace("oif o0", "oif o0" if hook == "forward" else "iif g0")
                      for _ in range(chance.randint(1, 7))] + ["}"]
        return "\n".join(lines + ["}"]) + "\n"


class Saved:
    """The tables of iptables-nft of one IP version."""

    def __init__(self, chance, version, strange):
        self.chance, self.version, self.strange = chance, version, strange
        self.text = "".join(self.table(name) for name in chance.choice((("filter",), ("filter", "mangle"))))

    def some_address(self):
        version = self.version
        side = self.chance.randint(0, 1)
        kinds = [address(version, side, self.chance.randint(2, 5)), prefix(version, side)]
        if version == 4:
            kinds += ["10.0.0.2/255.0.0.3", "10.1.0.2/31"]
        return self.chance.choice(kinds)

    def negated(self):
        return self.chance.choice(("", "", "", "! "))

    def transport(self):
        chance = self.chance
        word = chance.choice(("tcp", "udp"))
        kinds = [f"-m {word} {self.negated()}--dport {chance.choice(('53', '50:100', '1000', '443', ':60', '100:'))}",
                 f"-m multiport {self.negated()}--dports {chance.choice(('53,67', '80,443,1000', '60:100,1000'))}",
                 f"-m multiport {self.negated()}--ports 53,20000:30000", f"-m {word} --sport 20000:30000", ""]
        if word == "tcp":
            kinds += ["-m tcp --tcp-flags FIN,SYN,RST,ACK SYN", "-m tcp ! --syn", "-m tcp --tcp-flags SYN,ACK SYN,ACK"]
        return f"-p {word} " + chance.choice(kinds)

    def icmp(self):
        if self.version == 4:
            return "-p icmp " + self.chance.choice(("", "-m icmp --icmp-type 8", "-m icmp ! --icmp-type 8", "-m icmp --icmp-type 0",
                                                    "-m icmp --icmp-type 3/1", "-m icmp --icmp-type any"))
        return "-p ipv6-icmp " + self.chance.choice(("", "-m icmp6 --icmpv6-type 128", "-m icmp6 ! --icmpv6-type 129"))

    def module(self, hook):
        chance = self.chance
        kinds = [f"-m conntrack {self.negated()}--ctstate {chance.choice(('NEW', 'RELATED,ESTABLISHED', 'INVALID', 'NEW,DNAT'))}",
                 f"-m state --state {chance.choice(('NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED'))}",
                 "-m conntrack --ctdir REPLY", "-m conntrack --ctdir ORIGINAL", "-m conntrack --ctstatus SEEN_REPLY",
                 f"-m conntrack --ctorigsrc {prefix(self.version, 0)}", f"-m conntrack --ctrepldst {prefix(self.version, 0)}",
                 "-m conntrack --ctproto 17", "-m comment --comment \"a \\\"b\\\" -j DROP\"",
                 f"-m mark {self.negated()}--mark {chance.choice(('0x1', '0x10/0xf0', '0x0'))}", "-m limit --limit 1000/sec --limit-burst 1000",
                 f"-m addrtype {self.negated()}--dst-type {chance.choice(('LOCAL', 'UNICAST', 'LOCAL,BROADCAST'))}",
                 f"-m addrtype {self.negated()}--src-type {chance.choice(('LOCAL', 'UNICAST'))}",
                 f"-m iprange {self.negated()}--src-range {address(self.version, 0, 2)}-{address(self.version, 0, 3)}",
                 f"-m iprange --dst-range {address(self.version, 1, 2)}-{address(self.version, 1, 4)}",
                 f"-m pkttype {self.negated()}--pkt-type {chance.choice(('unicast', 'broadcast'))}",
                 "-m physdev --physdev-is-bridged", "-m physdev ! --physdev-is-in",
                 "-m hashlimit --hashlimit-upto 1000/sec --hashlimit-burst 500 --hashlimit-name up",
                 "-m connlimit --connlimit-above 30000", "-m connmark --mark 0x5 -m conntrack --ctstate NEW",
                 "-m policy --dir in --pol none" if hook != "OUTPUT" else "", "-m helper --helper ftp"]
        if self.version == 6:
            kinds = [kind for kind in kinds if "addrtype" not in kind]
        if self.strange:
            kinds += ["-m statistic --mode random --probability 0.5", "-m length --length 1:60", "-m cpu --cpu 0"]
        return chance.choice(kinds)

    def matches(self, hook):
        made = []
        for _ in range(self.chance.choice((0, 1, 1, 1, 2, 2))):
            kind = self.chance.randint(0, 4)
            if kind == 0:
                made.append(f"{self.negated()}{self.chance.choice(('-i', '-o') if hook == 'FORWARD' else ('-i',))} "
                            f"{self.chance.choice(('g0', 'o0', 'g+', 'lo', 'x+'))}")
            elif kind == 1:
                made.append(f"{self.negated()}{self.chance.choice(('-s', '-d'))} {self.some_address()}")
            elif kind == 2:
                made.append(self.transport())
            elif kind == 3:
                made.append(self.icmp())
            else:
                made.append(self.module(hook))
        return self.compatible(made)

    @staticmethod
    def compatible(made):
        """One protocol, one device, one address of each kind: iptables takes no option twice."""
        seen, kept = set(), []
        for match in made:
            words = match.replace("! ", "").split()
            key = words[0] if words and words[0] != "-m" else " ".join(words[:2])
            if key and key not in seen:
                seen.add(key)
                kept.append(match)
        return kept

    def target(self, table, below, tcp):
        chance = self.chance
        kinds = ["-j ACCEPT"] * 5 + ["-j DROP"] * 3 + ["-j RETURN"] * 2 + ["", "-j LOG", "-j NFLOG"]
        if table == "filter":
            kinds += ["-j REJECT"] * 2 + ["-j REJECT --reject-with " + ("icmp-host-prohibited" if self.version == 4
                                                                       else "icmp6-adm-prohibited")]
            if tcp:
                kinds += ["-j REJECT --reject-with tcp-reset"] * 2
        else:
            kinds += ["-j MARK --set-mark 0x1", "-j MARK --set-xmark 0x10/0xf0", "-j TTL --ttl-set 60"
                      if self.version == 4 else ""] * 2
        for name in below:
            kinds += [f"-j {name}"] * 3 + [f"-g {name}"]
        return chance.choice(kinds)

    def rule(self, table, chain, below, hook):
        matches = self.matches(hook)
        tcp = any(match.startswith("-p tcp") for match in matches)
        return " ".join(["-A", chain] + matches + [self.target(table, below, tcp)]).strip()

    def table(self, name):
        chance = self.chance
        users = [f"u{n}" for n in range(chance.randint(0, 3))]
        lines = [f"*{name}"]
        for chain in ("INPUT", "FORWARD"):
            lines.append(f":{chain} {chance.choice(('ACCEPT', 'ACCEPT', 'DROP'))} [0:0]")
        lines += [f":{chain} - [0:0]" for chain in users]
        for chain in ("INPUT", "FORWARD"):
            lines += [self.rule(name, chain, users, chain) for _ in range(chance.randint(0, 6))]
        for number, chain in enumerate(users):
            lines += [self.rule(name, chain, users[number + 1:], "both") for _ in range(chance.randint(1, 5))]
        return "\n".join(lines + ["COMMIT"]) + "\n"


def docker(chance):
    """As Docker 20 to 28 make it, with one bridge."""
    user = chance.choice(("", "-A DOCKER-USER -i g0 -j ACCEPT\n-A DOCKER-USER -o g0 -m conntrack --ctstate "
                          "RELATED,ESTABLISHED -j ACCEPT\n", "-A DOCKER-USER -j RETURN\n"))
    return f"""*filter
:INPUT ACCEPT [0:0]
:FORWARD {chance.choice(('DROP', 'DROP', 'ACCEPT'))} [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
{chance.choice(('', '-A FORWARD -s 10.1.0.0/24 -i g0 -j ACCEPT'))}
{chance.choice(('', '-A FORWARD -d 10.1.0.0/24 -o g0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'))}
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
{user}COMMIT
"""


def ufw(chance):
    """As ufw 0.36 makes it, shortened to what a packet meets."""
    allow = "".join(chance.sample((
        "-A ufw-user-input -p udp -m udp --dport 53 -j ACCEPT\n", "-A ufw-user-input -i g0 -p udp -m udp --dport 67 -j ACCEPT\n",
        "-A ufw-user-input -p tcp -m multiport --dports 22,53 -j ACCEPT\n", "-A ufw-user-forward -i g0 -j ACCEPT\n",
        "-A ufw-user-forward -i g0 -o o0 -p tcp -j REJECT --reject-with tcp-reset\n"), chance.randint(0, 4)))
    return f"""*filter
:INPUT {chance.choice(('DROP', 'DROP', 'ACCEPT'))} [0:0]
:FORWARD {chance.choice(('DROP', 'DROP', 'ACCEPT'))} [0:0]
:ufw-before-input - [0:0]
:ufw-before-forward - [0:0]
:ufw-not-local - [0:0]
:ufw-user-input - [0:0]
:ufw-user-forward - [0:0]
:ufw-after-input - [0:0]
:ufw-after-logging-forward - [0:0]
:ufw-skip-to-policy-input - [0:0]
:ufw-reject-input - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A INPUT -j ufw-reject-input
-A FORWARD -j ufw-before-forward
-A FORWARD -j ufw-after-logging-forward
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j LOG
-A ufw-not-local -j DROP
-A ufw-after-input -p udp -m udp --dport 137 -j ufw-skip-to-policy-input
-A ufw-after-input -m addrtype --dst-type BROADCAST -j ufw-skip-to-policy-input
-A ufw-skip-to-policy-input -j {chance.choice(('DROP', 'ACCEPT'))}
-A ufw-after-logging-forward -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
{allow}COMMIT
"""


def firewalld(chance):
    """As firewalld 1.3 makes it with nftables: zones by the name of the device."""
    zone = chance.choice(("libvirt", "public", "none"))
    zones = '' if zone == "none" else f'iifname "g0" {chance.choice(("goto", "jump"))} zone_g'
    return f"""table inet firewalld {{
chain zone_g {{
jump zone_g_allow
{chance.choice(('accept', 'meta l4proto { icmp, ipv6-icmp } accept', ''))}
{chance.choice(('reject with icmpx admin-prohibited', ''))}
}}
chain zone_g_allow {{
tcp dport 22 accept
udp dport {{ 53, 67, 547 }} accept
{chance.choice(('tcp dport 53 ct state new,untracked accept', ''))}
}}
chain zone_out {{
{chance.choice(('ct state new,untracked accept', 'jump zone_g_allow', 'return'))}
}}
chain filter_INPUT {{ type filter hook input priority 10; policy accept;
ct state {{ established, related }} accept
ct status dnat accept
iifname "lo" accept
ct state invalid drop
{zones}
reject with icmpx admin-prohibited
}}
chain filter_FORWARD {{ type filter hook forward priority 10; policy accept;
ct state {{ established, related }} accept
ct status dnat accept
iifname "lo" accept
ip6 daddr {{ ::/96, ::ffff:0.0.0.0/96, 2002::/24, 2002:a00::/24 }} reject with icmpv6 addr-unreachable
{zones}
oifname vmap {{ "o0" : jump zone_out, "lo" : accept }}
ct state invalid drop
reject with icmpx admin-prohibited
}}
}}
"""


def libvirt(chance):
    """libvirt's own, of its nftables backend; by index, which may be that of another device."""
    device = chance.choice(("g0", "g0", "o0"))
    return f"""table ip libvirt_network {{
chain guest_output {{
ip saddr 10.1.0.0/24 iif "{device}" counter accept
iif "{device}" counter reject
}}
chain guest_input {{
oif "{device}" ip daddr 10.1.0.0/24 ct state established,related counter accept
oif "{device}" counter reject
}}
chain guest_cross {{
iif "{device}" oif "{device}" counter accept
}}
chain forward {{ type filter hook forward priority 0; policy accept;
counter jump guest_cross
counter jump guest_input
counter jump guest_output
}}
}}
"""


class RuleSet:
    """native: for nft. saved, legacy: for the restore programs of both generations, by IP version. strange: it may hold
    what nobody can evaluate."""

    def __init__(self, chance):
        self.strange = chance.random() < 0.1
        parts, self.saved, self.legacy = [], {}, {}
        kind = chance.randint(0, 10)
        if kind < 7:
            parts += [Native(chance, number, self.strange).text for number in range(chance.randint(1, 3))]
        if kind in (0, 1, 5, 6, 7):
            for version in chance.choice(((4,), (4, 6), (6,))):
                self.saved[version] = Saved(chance, version, self.strange).text
        if kind in (2, 3, 8) and chance.random() < 0.7:
            self.saved[4] = chance.choice((docker, ufw))(chance)
        if kind in (4, 8, 9):
            parts.append(chance.choice((firewalld, libvirt))(chance))
        if kind == 10:
            # Which of equal priorities comes first cannot be told of two generations: there are none.
            for version in chance.choice(((4,), (4, 6))):
                self.legacy[version] = Saved(chance, version, self.strange).text
            text = Native(chance, 0, self.strange).text
            parts.append(text.replace("priority 0;", "priority 5;").replace("priority -150;", "priority -10;"))
        self.native = "".join(parts)

    def __str__(self):
        parts = [self.native] + [f"# IPv{version}\n{text}" for version, text in self.saved.items()]
        return "\n".join(parts + [f"# IPv{version}, legacy\n{text}" for version, text in self.legacy.items()])
