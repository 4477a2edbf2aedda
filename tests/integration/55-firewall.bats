#!/usr/bin/env bats
# Rules and settings of this host that keep packets from guests: they are found, named with their owner, and gone when
# they are. That the guest feels it too is tried beside each.

setup_file() {
    load helpers
    vnat -q net-start default
    lab_guest_netns box virbr0 52:54:00:00:00:09 box
    lab_guest_netns near virbr0 52:54:00:00:00:0a near
    vnat -q net-start six --template nat-ipv6 -D subnet6=fd00:55::/64 -D bridge=virbr6
    STATIC=fd00:55::9/64,fd00:55::1 lab_guest_netns box6 virbr6 52:54:00:00:00:19
    STATIC=fd00:55::a/64,fd00:55::1 lab_guest_netns near6 virbr6 52:54:00:00:00:1a
    lab_wait_for 20 grep -q '^lab: eth0 has' "$LAB_DIR/box.dhcp"
    lab_wait_for 20 grep -q '^lab: eth0 has' "$LAB_DIR/near.dhcp"
    lab_wait_for 10 outside_reached
}

setup() {
    load helpers
    before=$(sysctl -n net.bridge.bridge-nf-call-iptables)
    before6=$(sysctl -n net.bridge.bridge-nf-call-ip6tables)
}

teardown() {
    nft delete table inet own 2>/dev/null || true
    nft list tables bridge | sed 's/^table/delete table/' | nft -f -
    iptables-nft -P FORWARD ACCEPT
    iptables-nft -P INPUT ACCEPT
    sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables="$before" \
        net.ipv6.conf.all.forwarding=1 net.bridge.bridge-nf-call-ip6tables="$before6"
}

outside_reached() { lab_in box timeout 5 ping -c 1 -W 1 203.0.113.1 >/dev/null; }
# The host's MAC is asked for anew.
gateway_reached() {
    lab_in box ip neighbour flush dev eth0
    lab_in box timeout 5 ping -c 1 -W 1 192.168.122.1 >/dev/null
}
near_reached() {
    local address
    address=$(lab_in near ip -j -4 address show eth0 | jq -er '.[0].addr_info[0].local') || return
    lab_in box timeout 5 ping -c 1 -W 1 "$address" >/dev/null
}

outside6_reached() { lab_in box6 timeout 5 ping -c 1 -W 1 2001:db8:203::1 >/dev/null; }
near6_reached() { lab_in box6 timeout 5 ping -c 1 -W 1 fd00:55::a >/dev/null; }

# finding ID FILTER: jq on the only finding of vnat status of $network (default) with that id.
finding() {
    expect 0 status --json "${network:-default}"
    jq -er --arg id "$1" "[.findings[] | select(.id == \$id)] | if length == 1 then .[0] | $2 else error(\"\(length) of them\") end" \
        <<<"$output"
}

# none: no finding about the host. (Guests without libvirt are ports that nobody claims.)
none() {
    expect 0 status --json "${network:-default}"
    [ "$(json '[.findings[] | select(.object.kind == "host")] | length')" = 0 ] || { json .findings; return 1; }
}

@test "a host on which everything works: no finding, with guests and without rights to read rules" {
    none
    lab_wait_for 5 outside_reached
    lab_wait_for 5 near_reached
    run --separate-stderr lab_as operator vnat status --json default
    [ "$status" -eq 6 ]
    [ "$(json '[.findings[] | select(.object.kind == "host")] | length')" = 0 ]
}

@test "a forward policy as Docker sets it: forward-blocked, and what lets the packets through" {
    # In front of libvirt's jumps, as Docker's chains are; its policy is met by what libvirt's own rules do not know.
    nft -f - <<'NFT'
table inet own {
    chain docker { type filter hook forward priority 10; policy drop;
        iifname "docker0" accept
        oifname "docker0" ct state established,related accept
    }
}
NFT
    run ! outside_reached
    [ "$(finding forward-blocked '[.level, .repair, .object.kind] | join(" ")')" = 'critical never host' ]
    [[ $(finding forward-blocked '.evidence[0]') == *'table inet own, chain docker: policy drop' ]]
    eval "$(finding forward-blocked .remedy)"
    lab_wait_for 5 outside_reached
    none
}

@test "one rule of an unknown table in the way of replies: it is named" {
    nft -f - <<'NFT'
table inet own {
    set inside { type ipv4_addr; flags interval; elements = { 192.168.122.0/24 }; }
    chain guests { ip daddr @inside drop; }
    chain forward { type filter hook forward priority -5; policy accept;
        oifname vmap { "virbr0" : jump guests }
    }
}
NFT
    run ! outside_reached
    [ "$(finding forward-blocked '.evidence | join("|")')" = \
        'replies from the outside: table inet own, chain guests: ip daddr @inside drop' ]
    nft delete table inet own
    lab_wait_for 5 outside_reached
    none
}

@test "an input policy as ufw sets it: input-blocked, DHCP and DNS apart" {
    # libvirt 9.0 accepts both in its own chain of the same table: another table it is, as on hosts of its nftables backend.
    nft -f - <<'NFT'
table inet own {
    chain input { type filter hook input priority 10; policy drop;
        ct state established,related accept
        iifname "lo" accept
        udp dport 53 accept
    }
}
NFT
    [ "$(finding input-blocked '.evidence | join("|")')" = 'DHCP, UDP port 67: table inet own, chain input: policy drop' ]
    [ "$(finding input-blocked .level)" = critical ]
    eval "$(finding input-blocked .remedy)"
    none
}

# lets_through REMEDY: it helps. A kernel without nft_meta_bridge knows no port's bridge, and takes no such rule.
lets_through() {
    if eval "$1" 2>"$LAB_DIR/remedy.errors"; then
        lab_wait_for 5 gateway_reached
        none
    else
        has "$(cat "$LAB_DIR/remedy.errors")" 'not supported'
    fi
}

@test "frames to this host refused on the bridge: input-blocked, and what lets them through" {
    nft 'add table bridge own; add chain bridge own c { type filter hook input priority 0; policy drop; }'
    run ! gateway_reached
    [ "$(finding input-blocked '.evidence[0]')" = 'DHCP, UDP port 67: table bridge own, chain c: policy drop' ]
    [ "$(finding input-blocked .remedy)" = 'nft insert rule bridge own c meta ibrname virbr0 accept' ]
    lets_through "$(finding input-blocked .remedy)"
    nft delete table bridge own
    lab_wait_for 5 gateway_reached
    none
    if ! command -v ebtables-nft >/dev/null; then return; fi
    ebtables-nft -P INPUT DROP
    run ! gateway_reached
    [[ $(finding input-blocked .message) == *'chain INPUT of table bridge filter refuses it' ]]
    [ "$(finding input-blocked .remedy)" = 'ebtables -t filter -I INPUT --logical-in virbr0 -j ACCEPT' ]
    lets_through "ebtables-nft -t filter -I INPUT --logical-in virbr0 -j ACCEPT"
}

@test "policies of iptables that libvirt's own rules are in front of harm nobody; beside those of its nftables backend they do" {
    iptables-nft -P FORWARD DROP
    iptables-nft -P INPUT DROP
    if nft list table ip libvirt_network >/dev/null 2>&1; then
        run ! outside_reached
        has "$(finding forward-blocked '.evidence | join("|")')" 'table ip filter, chain FORWARD: policy drop'
        has "$(finding input-blocked '.evidence | join("|")')" 'DHCP, UDP port 67: table ip filter, chain INPUT: policy drop'
    else
        lab_wait_for 5 outside_reached
        none
    fi
}

@test "bridged frames asked of a filter that drops them: bridge-netfilter" {
    nft -f - <<'NFT'
table inet own {
    chain forward { type filter hook forward priority 10; policy drop;
        iifname "virbr0" oifname "uplink" accept
        oifname "virbr0" iifname "uplink" accept
    }
}
NFT
    sysctl -qw net.bridge.bridge-nf-call-iptables=0
    lab_wait_for 5 near_reached
    none
    sysctl -qw net.bridge.bridge-nf-call-iptables=1
    run ! near_reached
    [ "$(finding bridge-netfilter '[.level, .repair] | join(" ")')" = 'warning consent' ]
    eval "$(finding bridge-netfilter .remedy)"
    lab_wait_for 5 near_reached
    none
}

@test "forwarding off: ip-forward-off, for the host and for one bridge" {
    sysctl -qw net.ipv4.ip_forward=0
    run ! outside_reached
    [ "$(finding ip-forward-off .evidence[0])" = 'net.ipv4.ip_forward is 0' ]
    eval "$(finding ip-forward-off .remedy)" >/dev/null
    lab_wait_for 5 outside_reached
    none
    sysctl -qw net.ipv4.conf.virbr0.forwarding=0
    run ! outside_reached
    [ "$(finding ip-forward-off .evidence[0])" = 'net.ipv4.conf.virbr0.forwarding is 0' ]
    eval "$(finding ip-forward-off .remedy)" >/dev/null
    lab_wait_for 5 outside_reached
    none
}

@test "rules of legacy iptables beside nftables: iptables-mixed" {
    iptables-legacy -A OUTPUT -d 192.0.2.1 -j ACCEPT
    [ "$(finding iptables-mixed '[.level, .evidence[0]] | join(" ")')" = 'warning legacy: ip filter' ]
    iptables-legacy -F OUTPUT
    none
}

@test "IPv6: each of them, of the network that has it" {
    network=six
    lab_wait_for 10 outside6_reached
    none
    nft -f - <<'NFT'
table inet own {
    chain forward { type filter hook forward priority 10; policy accept;
        meta nfproto ipv6 oifname "virbr6" drop
    }
}
NFT
    run ! outside6_reached
    has "$(finding forward-blocked .evidence[0])" 'replies from the outside: table inet own, chain forward: ' '"virbr6" drop'
    has "$(finding forward-blocked .message)" 'guests of network six do not reach the outside by IPv6'
    nft delete table inet own
    nft -f - <<'NFT'
table inet own {
    chain input { type filter hook input priority 10; policy drop;
        meta nfproto ipv4 accept
        iifname "lo" accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
        udp dport 53 accept
    }
}
NFT
    [ "$(finding input-blocked '.evidence | join("|")')" = 'DHCPv6, UDP port 547: table inet own, chain input: policy drop' ]
    has "$(finding input-blocked .message)" 'network six' 'IPv6'
    eval "$(finding input-blocked .remedy)"
    none
    nft delete table inet own
    nft -f - <<'NFT'
table inet own {
    chain forward { type filter hook forward priority 10; policy accept;
        meta nfproto ipv6 iifname "virbr6" oifname "virbr6" drop
    }
}
NFT
    sysctl -qw net.bridge.bridge-nf-call-ip6tables=0
    lab_wait_for 5 near6_reached
    none
    sysctl -qw net.bridge.bridge-nf-call-ip6tables=1
    run ! near6_reached
    [ "$(finding bridge-netfilter .evidence[0])" = 'net.bridge.bridge-nf-call-ip6tables is 1' ]
    eval "$(finding bridge-netfilter .remedy)" >/dev/null
    lab_wait_for 5 near6_reached
    none
    nft delete table inet own
    sysctl -qw net.ipv6.conf.all.forwarding=0
    run ! outside6_reached
    [ "$(finding ip-forward-off .evidence[0])" = 'net.ipv6.conf.all.forwarding is 0' ]
    eval "$(finding ip-forward-off .remedy)" >/dev/null
    none
}

@test "random rule sets: what vnat says of packets is what the kernel does" {
    run "$BATS_TEST_DIRNAME/packets-kernel" 20
    printf '%s\n' "$output"
    [ "$status" -eq 0 ]
}
