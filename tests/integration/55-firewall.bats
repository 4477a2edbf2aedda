#!/usr/bin/env bats
# Rules and settings of this host that keep packets from guests: they are found, named with their owner, and gone when
# they are. That the guest feels it too is tried beside each.

setup_file() {
    load helpers
    vnat -q net-start default
    lab_guest_netns box virbr0 52:54:00:00:00:09 box
    lab_guest_netns near virbr0 52:54:00:00:00:0a near
    lab_wait_for 20 grep -q '^lab: eth0 has' "$LAB_DIR/box.dhcp"
    lab_wait_for 20 grep -q '^lab: eth0 has' "$LAB_DIR/near.dhcp"
    outside_reached
}

setup() {
    load helpers
    before=$(sysctl -n net.bridge.bridge-nf-call-iptables)
}

teardown() {
    nft delete table inet own 2>/dev/null || true
    iptables-nft -P FORWARD ACCEPT
    iptables-nft -P INPUT ACCEPT
    sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables="$before"
}

outside_reached() { lab_in box timeout 5 ping -c 1 -W 1 203.0.113.1 >/dev/null; }
near_reached() {
    local address
    address=$(lab_in near ip -j -4 address show eth0 | jq -er '.[0].addr_info[0].local') || return
    lab_in box timeout 5 ping -c 1 -W 1 "$address" >/dev/null
}

# finding ID FILTER: jq on the only finding of vnat status with that id.
finding() {
    expect 0 status --json default
    jq -er --arg id "$1" "[.findings[] | select(.id == \$id)] | if length == 1 then .[0] | $2 else error(\"\(length) of them\") end" \
        <<<"$output"
}

# none: no finding about the host. (Guests without libvirt are ports that nobody claims.)
none() {
    expect 0 status --json default
    [ "$(json '[.findings[] | select(.object.kind == "host")] | length')" = 0 ] || { json .findings; return 1; }
}

@test "a host on which everything works: no finding, with guests and without rights to read rules" {
    none
    outside_reached
    near_reached
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
    outside_reached
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
    outside_reached
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

@test "policies of iptables that libvirt's own rules are in front of harm nobody" {
    iptables-nft -P FORWARD DROP
    iptables-nft -P INPUT DROP
    outside_reached
    none
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
    near_reached
    none
    sysctl -qw net.bridge.bridge-nf-call-iptables=1
    run ! near_reached
    [ "$(finding bridge-netfilter '[.level, .repair] | join(" ")')" = 'warning consent' ]
    eval "$(finding bridge-netfilter .remedy)"
    near_reached
    none
}

@test "forwarding off: ip-forward-off, for the host and for one bridge" {
    sysctl -qw net.ipv4.ip_forward=0
    run ! outside_reached
    [ "$(finding ip-forward-off .evidence[0])" = 'net/ipv4/ip_forward is 0' ]
    eval "$(finding ip-forward-off .remedy)" >/dev/null
    outside_reached
    none
    sysctl -qw net.ipv4.conf.virbr0.forwarding=0
    run ! outside_reached
    [ "$(finding ip-forward-off .evidence[0])" = 'net/ipv4/conf/virbr0/forwarding is 0' ]
    eval "$(finding ip-forward-off .remedy)" >/dev/null
    outside_reached
    none
}

@test "rules of legacy iptables beside nftables: iptables-mixed" {
    iptables-legacy -A OUTPUT -d 192.0.2.1 -j ACCEPT
    [ "$(finding iptables-mixed '[.level, .evidence[0]] | join(" ")')" = 'warning legacy: ip filter' ]
    iptables-legacy -F OUTPUT
    none
}

@test "random rule sets: what vnat says of packets is what the kernel does" {
    run "$BATS_TEST_DIRNAME/packets-kernel" 20
    printf '%s\n' "$output"
    [ "$status" -eq 0 ]
}
