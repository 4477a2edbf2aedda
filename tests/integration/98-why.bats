#!/usr/bin/env bats
# `vnat why`: the verdict on a host that works, and for each fault of the data path what decides; --inbound and its lesson;
# --trace, which the kernel agrees with.

# shellcheck disable=SC2154 # stderr, output: helpers.bash

setup_file() {
    load helpers
    lab_network default
    lab_network other virbr5 55
    sed "s/default/apart/; s/virbr0/virbr6/; s/122/66/g; /<forward/d" "$LAB_DIR/network-default.xml" >"$LAB_DIR/apart.xml"
    sed "s/default/through/; s/virbr0/virbr7/; s/122/77/g; s/mode='nat'/mode='route'/" "$LAB_DIR/network-default.xml" >"$LAB_DIR/through.xml"
    sed "s/default/random/; s/virbr0/g0/; s/192.168.122/10.1.0/g" "$LAB_DIR/network-default.xml" >"$LAB_DIR/random.xml"
    for name in apart through random; do virsh -q "net-define $LAB_DIR/$name.xml; net-start $name" >/dev/null; done
    guest VM1 default 52:54:00:00:00:01 virbr0 192.168.122.10
    guest VM2 default 52:54:00:00:00:02 virbr0 192.168.122.20
    guest VM5 other 52:54:00:00:00:05 virbr5 192.168.55.10
    guest VM6 apart 52:54:00:00:00:06 virbr6 192.168.66.10
    guest VM7 through 52:54:00:00:00:07 virbr7 192.168.77.10
    guest VM8 random 52:54:00:00:00:08 g0 10.1.0.2
    iptables-save >"$LAB_DIR/rules4"
    ip6tables-save >"$LAB_DIR/rules6"
}

# guest NAME NETWORK MAC BRIDGE ADDRESS: one that never runs, whose address the host knows by its neighbour table.
guest() {
    lab_guest_paused "$1" "$2" "$3"
    ip neighbour replace "$5" lladdr "$3" dev "$4" nud permanent
}

setup() { load helpers; }

# What a test did to the rules is undone.
teardown() {
    nft flush ruleset
    iptables-restore "$LAB_DIR/rules4"
    ip6tables-restore "$LAB_DIR/rules6"
    sysctl -qw net.ipv4.ip_forward=1
}

# decided CODE DOMAIN WORD...: vnat why with the words exits with CODE; the sentence, which is last, is left in $sentence.
decided() {
    local code=$1
    shift
    expect "$code" -q why "$@" || return
    sentence=$output
}

nothing_left() {
    lacks "$(nft list tables)" vnat_trace
    lacks "$(ip -o link)" vnatp
}

# ------------------------------------------------------------------------------------------------------------- well

@test "a healthy host: every hop passes, and the sentence says as whom" {
    expect 0 why VM1
    has "$output" 'From VM1 to 203.0.113.1:' 'tap      vnet' 'becomes 203.0.113.2, by masquerade in chain LIBVIRT_PRT (libvirt)' \
        '-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT' 'The answer, back to VM1:' \
        'An echo from VM1 (192.168.122.10) to 203.0.113.1 gets through, as 203.0.113.2, and its answer comes back.'
    lacks "$output" unknown drop reject
    expect 0 why VM1 outside.test:80
    has "$output" 'A TCP connection to port 80 from VM1'
    expect 0 why VM1 --json
    [ "$(json .verdict)" = pass ]
    [ "$(json '[.hops[].verdict] | unique | join(" ")')" = pass ]
}

@test "a guest of the same network, of another, of an isolated one, of a routed one, the gateway" {
    decided 0 VM1 VM2:22
    decided 0 VM1 192.168.122.1:53/udp
    decided 1 VM1 VM5
    has "$sentence" 'rejected by table ip filter, chain LIBVIRT_FW' '(libvirt)'
    decided 1 VM6
    has "$sentence" 'rejected by table ip filter, chain LIBVIRT_FWO: -A LIBVIRT_FWO -i virbr6 -j REJECT'
    expect 0 why VM7
    has "$output" 'not translated (mode route)'
}

@test "from outside: the rule that rejects, and the address that stands in" {
    expect 1 why VM1 --inbound
    has "$output" 'rejected by table ip filter, chain LIBVIRT_FWI: -A LIBVIRT_FWI -o virbr0 -j REJECT' \
        '203.0.113.2 stands in for 192.168.122.10'
    expect 0 why VM7 --inbound
    has "$output" 'Nothing stands in for 192.168.77.10' 'mode route'
    # A port of the host's that a rule leads on, past libvirt's reject.
    nft 'add table ip own; add chain ip own pre { type nat hook prerouting priority dstnat; };
         add rule ip own pre tcp dport 2222 dnat to 192.168.122.10:22'
    iptables -I FORWARD -d 192.168.122.10 -p tcp --dport 22 -j ACCEPT
    expect 1 why VM1 203.0.113.1:2223 --inbound
    has "$output" 'Forwards to it: table ip own, chain pre: '
    expect 0 why VM1 203.0.113.1:2222 --inbound
    has "$output" 'A rule of this host leads what comes for 203.0.113.2 on to 192.168.122.10'
}

@test "from this host itself" {
    decided 0 VM1 203.0.113.2:22 --inbound
    same "A TCP connection to port 22 of VM1 (192.168.122.10) from 203.0.113.2 gets through." "$sentence"
    decided 0 VM1 192.168.122.1 --inbound
    iptables -A OUTPUT -d 192.168.122.10 -p tcp --dport 22 -j DROP
    decided 1 VM1 192.168.122.1:22 --inbound
    has "$sentence" 'dropped by table ip filter, chain OUTPUT'
    lacks "$sentence" 'stands in'
    iptables -D OUTPUT -d 192.168.122.10 -p tcp --dport 22 -j DROP
    iptables -I INPUT -s 192.168.122.10 -p tcp --sport 22 -j DROP
    decided 1 VM1 192.168.122.1:22 --inbound
    has "$sentence" 'dropped by table ip filter, chain INPUT'
}

@test "who is no other end" {
    decided 1 VM1 255.255.255.255
    has "$sentence" 'it is for everybody on virbr0, and this host forwards no such packet'
    decided 1 VM1 192.168.122.255
    has "$sentence" 'it is for everybody on virbr0'
    decided 1 VM1 239.1.1.1
    has "$sentence" 'it is for a group on virbr0'
    for peer in 127.0.0.1 0.0.0.0 ::1 localhost; do
        expect 2 why VM1 "$peer"
        has "$stderr" 'whoever asks'
        expect 2 why VM1 "$peer" --inbound
    done
    expect 1 why VM1 nowhere.test
    has "$stderr" "error: the name 'nowhere.test' has no address"
    lacks "$stderr" '\x'
}

# ----------------------------------------------------------------------------------------------------------- faults

@test "rules flushed" {
    nft flush ruleset
    decided 1 VM1
    has "$sentence" 'no rule translates it: it leaves uplink as it is'
}

@test "a forward policy as Docker sets it" {
    iptables -P FORWARD DROP
    iptables -F FORWARD
    iptables -N DOCKER-USER
    decided 1 VM1
    has "$sentence" 'dropped by table ip filter, chain FORWARD: policy drop (Docker)'
    decided 0 VM1 192.168.122.1:53/udp
}

@test "an input policy as ufw sets it" {
    iptables -P INPUT DROP
    iptables -F INPUT
    iptables -N ufw-before-input
    decided 1 VM1 192.168.122.1:53/udp
    has "$sentence" 'dropped by table ip filter, chain INPUT: policy drop (ufw)'
    decided 0 VM1
}

@test "this host does not forward" {
    sysctl -qw net.ipv4.ip_forward=0
    decided 1 VM1
    has "$sentence" 'is 0: this host forwards nothing that comes in there'
}

@test "an overlapping route" {
    ip route add 192.168.122.8/29 dev uplink
    decided 1 VM1
    ip route del 192.168.122.8/29 dev uplink
    has "$sentence" '192.168.122.8/29 dev uplink'
    decided 0 VM2
}

@test "a rule of routing to a table without a way" {
    ip rule add from 192.168.122.10 lookup 7 priority 100
    ip route add prohibit default table 7
    decided 1 VM1
    ip rule del priority 100
    ip route del prohibit default table 7
    has "$sentence" 'refused by its route: prohibit default table 7 (rule 100: from 192.168.122.10/32 lookup 7)'
}

@test "no uplink" {
    route=$(ip route show default)
    ip route del default
    decided 1 VM1
    # shellcheck disable=SC2086 # words they are
    ip route add $route
    has "$sentence" '9.9.9.9: there is no route to it'
}

@test "a tap without its bridge" {
    tap=$(virsh -q domiflist VM2 | awk '{print $1}')
    ip link set "$tap" nomaster
    decided 1 VM2
    ip link set "$tap" master virbr0
    has "$sentence" "$tap: it is on no bridge"
}

# shellcheck disable=SC2154 # bats' run sets stderr
@test "without rights: unknown, and why" {
    run --separate-stderr lab_as visitor vnat why VM1
    [ "$status" -eq 6 ]
    has "$output" 'the rules were not read' 'is not known'
    has "$stderr" CAP_NET_ADMIN
    run --separate-stderr lab_as visitor vnat why VM1 --trace
    [ "$status" -eq 1 ]
    has "$stderr" 'error: the kernel could not be asked' 'hint: --trace needs root'
}

# ------------------------------------------------------------------------------------------------------------ trace

@test "the kernel says the same, and nobody hears of it" {
    before=$(bridge fdb show br virbr0 | sort)
    conntrack -F 2>/dev/null || true
    expect 0 why VM1 --trace --json
    [ "$(json '.trace.agrees, .trace.verdict' | paste -sd' ')" = 'true pass' ]
    [ "$(json '.trace.decisions | length')" -ge 3 ]
    expect 1 why VM6 203.0.113.1:80 --trace --json
    [ "$(json '.trace.agrees, .trace.verdict' | paste -sd' ')" = 'true drop' ]
    expect 0 why VM1 192.168.122.1:53/udp --trace
    has "$output" 'The kernel says the same'
    nothing_left
    same "$before" "$(bridge fdb show br virbr0 | sort)"
    lacks "$(conntrack -L 2>/dev/null)" 192.168.122.10
    lacks "$(lab_outside_log)" 'why'
}

@test "what cannot be traced" {
    expect 2 why VM1 --trace --inbound
    expect 2 --readonly why VM1 --trace
    expect 0 why VM1 VM2 --trace
    has "$stderr" 'nothing to trace'
}

@test "killed at the worst moment: nothing but a table that does nothing, which the next trace takes away" {
    nft 'add table inet vnat_trace; add chain inet vnat_trace begin { type filter hook prerouting priority -300; };
         add rule inet vnat_trace begin ip id 7 meta l4proto 1 @th,64,32 7 meta nftrace set 1;
         add chain inet vnat_trace end_postrouting { type filter hook postrouting priority 300; };
         add rule inet vnat_trace end_postrouting ip id 7 meta l4proto 1 @th,64,32 7 drop'
    decided 0 VM1
    expect 0 why VM1 --trace
    nothing_left
}

@test "evaluation and kernel agree on random rules" {
    ip link add o0 type veth peer name far
    ip address add 10.2.0.1/24 dev o0
    ip link set o0 up
    ip link set far up
    for host in 2 3 4 5; do ip neighbour add 10.2.0.$host lladdr 02:00:00:00:00:0$host dev o0 nud permanent; done
    run "$BATS_TEST_DIRNAME/why-trace" VM8 10
    ip link del o0
    printf '%s\n' "$output"
    [ "$status" -eq 0 ]
    has "$output" '10 rule sets agree, 0 differ'
}
