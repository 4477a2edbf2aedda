#!/usr/bin/env bats
# probe: every kind of network passes; each fault of the data path is named at its stage; nothing is left behind.

# shellcheck disable=SC2154 # stderr, output: helpers.bash

setup_file() {
    load helpers
    lab_libvirtd_start
    for network in default isolated nat-ipv6 nat-dns routed; do
        vnat -q net-start "$network"
    done
    # shellcheck disable=SC2016 # python's
    cat >"$LAB_DIR/other.py" <<'PY'
import socket
# Answers every question with a TXT record "other 1.0".
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 5353))
while True:
    query, peer = udp.recvfrom(512)
    text = b"other 1.0"
    record = b"\xc0\x0c\0\x10\0\3\0\0\0\0" + (len(text) + 1).to_bytes(2, "big") + bytes([len(text)]) + text
    udp.sendto(query[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + query[12:] + record, peer)
PY
    # Its ports forward at once: for the faults, each of which needs a probe.
    network_xml quick quick0 off 160 | virsh -q net-create /dev/stdin
    lab_conntrack_keeps
}

# network_xml NAME BRIDGE STP N [DELAY]
network_xml() {
    printf "<network><name>%s</name><forward mode='nat'/><bridge name='%s' stp='%s' delay='%s'/><ip address='192.168.%s.1' netmask='255.255.255.0'><dhcp><range start='192.168.%s.2' end='192.168.%s.254'/></dhcp></ip></network>" \
        "$1" "$2" "$3" "${5:-0}" "$4" "$4" "$4"
}

setup() {
    load helpers
}

# The lab's own place, whatever the test changes: put back by each test's last lines, and where it failed by this.
teardown() {
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    nft delete table inet fault 2>/dev/null || true
    sysctl -qw net.ipv4.ip_forward=1
    ip link del fault0 2>/dev/null || true
    ip route replace default via 203.0.113.1 || true
    lab_libvirtd_restart
}


bridge_of() { virsh -q net-info "$1" | awk '$1 == "Bridge:" {print $2}'; }

# What a probe could leave in the host: devices, neighbours on bridges, connections, leases, notes.
traces() {
    ip -o link | sed -n 's/^[0-9]*: \(vnatp[0-9]*\).*/\1/p'
    for network in default isolated nat-ipv6 nat-dns routed quick; do
        # Not its own address, which it hears in advertisements of its own.
        mac=$(cat "/sys/class/net/$(bridge_of "$network")/address")
        ip neigh show dev "$(bridge_of "$network")" | grep -v "$mac" | awk '{print $1, $2, $3}'
    done
    # The host's own word to multicast routers comes when it likes.
    { conntrack -L; conntrack -L -f ipv6; } 2>/dev/null | grep -E 'src=(192\.168|fd|fe80|0\.0\.0\.0)' |
        grep -vE ' src=[^ ]* dst=(224\.0\.0\.22|ff02::16) ' | sed 's/ [0-9]* src=/ src=/'
    bridge fdb | grep -F '02:76:6e:61:74'
    jq -r '.[]?."ip-address"' /var/lib/libvirt/dnsmasq/*.status 2>/dev/null
    find /run/vnat-probe -type f 2>/dev/null || true
}
leaves_nothing() { same "$before" "$(traces)"; }

# probe_into FILE WORD...: in the background; finish FILE adds its exit code to $codes.
declare -gA running # bats reads this file within a function
probe_into() {
    vnat probe "${@:2}" >"$LAB_DIR/$1" 3>&- &
    running[$1]=$!
}
finish() {
    local code=0
    wait "${running[$1]}" || code=$?
    codes+=" $code"
}

# stages: "link dhcp:ipv4 …" of the stages with that ok (true, false, null).
stages() { json '.stages[] | select(.ok == '"$1"') | .stage' | tr '\n' ' '; }
first_failed() { json '[.stages[] | select(.ok == false)][0] | [.stage, .checks[0]] | join(" ")'; }

# fails_at "STAGE CHECK" WORD...: probe's first failed stage, and the check it names first.
fails_at() {
    local wanted=$1
    shift
    expect 1 probe --json "$@"
    same "$wanted" "$(first_failed)"
}

@test "every kind of network passes, and nothing is left" {
    local network
    before=$(traces)
    for network in default isolated nat-ipv6 nat-dns routed; do
        vnat probe --json "$network" >"$LAB_DIR/$network.json" 3>&- &
        pids+=" $!"
    done
    for pid in $pids; do wait "$pid"; done
    for network in default nat-dns routed isolated; do
        output=$(cat "$LAB_DIR/$network.json")
        same 'link dhcp gateway dns uplink ' "$(stages true)"
        same '' "$(stages false)"
    done
    output=$(cat "$LAB_DIR/nat-ipv6.json")
    printf '%s\n' "$output" | "$LAB_TOP/tests/validate-json" stages
    same 'link dhcp gateway dns uplink dhcp gateway dns uplink ' "$(stages true)"
    lab_wait_for 5 leaves_nothing
    leaves_nothing
}

@test "through NAT, routed, and not out of an isolated network: the target is named, and as whom it knows the guest" {
    local status_of
    probe_into name default --target outside.test:80 --dns outside.test
    probe_into echo nat-dns --target 203.0.113.1
    probe_into six nat-ipv6 --target '[2001:db8:203::1]:80' --request
    probe_into routed routed --target 203.0.113.1:80
    probe_into isolated isolated --target 203.0.113.1:80
    for status_of in name echo six routed isolated; do finish "$status_of"; done
    [ "$codes" = ' 0 0 0 0 1' ]
    # A name that is asked for and the target's is told once.
    same 1 "$(grep -o 'outside.test is 203.0.113.1' "$LAB_DIR/name" | grep -c .)"
    has "$(cat "$LAB_DIR/name")" 'accepts a connection to port 80' 'is 203.0.113.2 port' 'packets get through'
    has "$(cat "$LAB_DIR/echo")" '203.0.113.1 answers an echo' 'is 203.0.113.2'
    has "$(cat "$LAB_DIR/six")" 'leased by DHCPv6' 'is 2001:db8:203::2 port'
    has "$(cat "$LAB_DIR/routed")" 'the guest has its own address'
    has "$(cat "$LAB_DIR/isolated")" 'ends here as it must' 'the network is isolated:' \
        'nothing was sent: the network names its guests no router to 203.0.113.1'
    lacks "$(cat "$LAB_DIR/isolated")" excludes check: translat
}

@test "guests that are named no router: nothing was sent, and nothing on the way is blamed" {
    virsh -q net-create /dev/stdin <<XML
<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>lost</name><forward mode='nat'/><bridge name='lost0' stp='off'/>
  <ip address='192.168.178.1' netmask='255.255.255.0'><dhcp><range start='192.168.178.2' end='192.168.178.254'/></dhcp></ip>
  <dnsmasq:options><dnsmasq:option value='dhcp-option=3'/></dnsmasq:options></network>
XML
    for target in 203.0.113.1 203.0.113.1:80; do
        expect 1 probe --json lost --target "$target"
        same 'nat ' "$(stages false)"
        same 'null [] nothing was sent: the network names its guests no router to 203.0.113.1' \
            "$(json '.stages[] | select(.ok == false) | "\(.excludes) \(.checks) \(.detail)"')"
    done
    has "$output" 'virsh net-dumpxml lost'
    virsh -q net-destroy lost
}

@test "targets that are not outside: this host, the network itself, another family" {
    codes=
    probe_into own default --target 203.0.113.2
    probe_into refused nat-dns --target 203.0.113.2:81
    probe_into inside routed --target "$(virsh net-dumpxml routed | sed -n "s/.*<ip address='\([^']*\)'.*/\1/p")"
    probe_into six nat-dns --target '[2001:db8:203::1]:80'
    for target in own refused inside six; do finish "$target"; done
    [ "$codes" = ' 0 0 0 1' ]
    has "$(cat "$LAB_DIR/own")" "203.0.113.2 is this host's own: packets to it go no further" '203.0.113.2 answers an echo' \
        'the guest has its own address'
    lacks "$(cat "$LAB_DIR/own")" translat
    has "$(cat "$LAB_DIR/refused")" '203.0.113.2 refuses a connection to port 81'
    has "$(cat "$LAB_DIR/inside")" "is this host's own" 'answers an echo'
    has "$(cat "$LAB_DIR/six")" "nothing was sent: the target's address is of IPv6, and the network has none" 'do not get past stage nat'
    lacks "$(cat "$LAB_DIR/six")" excludes check:
    iptables -I INPUT -i virbr+ -d 203.0.113.2 -j DROP
    expect 1 probe default --target 203.0.113.2
    iptables -D INPUT -i virbr+ -d 203.0.113.2 -j DROP
    has "$output" "is this host's own, and its rules refuse packets to it: table ip filter, chain INPUT: -A INPUT"
}

@test "DHCP for guests that are named alone: nobody answers the probe, and that is well" {
    virsh -q net-define /dev/stdin <<XML
<network><name>named</name><forward mode='nat'/><bridge name='virbr77' stp='off'/><ip address='192.168.177.1' netmask='255.255.255.0'>
  <dhcp><host mac='52:54:00:11:22:33' ip='192.168.177.9'/></dhcp></ip></network>
XML
    virsh -q net-start named
    expect 0 probe named --target 203.0.113.1:80
    virsh -q 'net-destroy named; net-undefine named'
    has "$output" 'answers none but the guests that its XML names; 192.168.177.254 is used' 'accepts a connection to port 80'
}

@test "a lease that is asked for is given back" {
    before=$(traces)
    expect 0 probe quick --request
    has "$output" 'leased 192.168.160.'
    lab_wait_for 5 leaves_nothing
    leaves_nothing
}

@test "a dead dnsmasq: dhcp" {
    kill -9 "$(lab_dnsmasq_pid quick)"
    fails_at 'dhcp dnsmasq-dead' quick
    json '.stages[] | select(.stage == "gateway") | .ok' | grep -qx true
    lab_libvirtd_restart
}

@test "rules flushed: uplink" {
    nft flush ruleset
    fails_at 'uplink forward-rules-missing' quick
    has "$output" nat-rules-missing
    expect 1 probe --json quick --target 203.0.113.1:80
    has "$output" 'nothing translates'
    lab_libvirtd_restart
}

@test "a forward policy: uplink; an input policy: dhcp; no forwarding: uplink" {
    nft 'add table inet fault; add chain inet fault f { type filter hook forward priority 10; policy drop; }'
    fails_at 'uplink forward-blocked' quick
    nft 'delete table inet fault; add table inet fault; add chain inet fault i { type filter hook input priority 10; policy drop; }'
    fails_at 'dhcp input-blocked' quick
    nft delete table inet fault
    sysctl -qw net.ipv4.ip_forward=0
    fails_at 'uplink ip-forward-off' quick
    # What is beyond is asked all the same, for facts may be wrong, but what fails there says nothing new.
    expect 1 probe --json quick --target 203.0.113.1:80
    same 'uplink nat ' "$(stages false)"
    same 'ip-forward-off nothing more: stage uplink failed before it' \
        "$(json '.stages[] | select(.stage == "nat") | "\(.checks | join(",")) \(.excludes)"')"
    sysctl -qw net.ipv4.ip_forward=1
}

@test "answers that go another way: gateway; no way out: uplink" {
    ip link add fault0 type bridge
    ip addr add 192.168.160.200/25 dev fault0
    ip link set fault0 up
    ip route add 192.168.160.0/25 dev fault0
    fails_at 'gateway subnet-overlap' quick
    ip link del fault0
    ip route del default
    expect 1 probe --json quick
    same 'uplink ' "$(stages false)"
    has "$output" 'no way out for IPv4 packets of guests: Network is unreachable'
    ip route add default via 203.0.113.1
}

@test "a wrong name server: dns; forwarders that are silent: dns" {
    local pid
    pid=$(lab_dnsmasq_pid quick)
    # Its name server is another's: DHCP stays, and on its address somebody else answers.
    lab_detached python3 "$LAB_DIR/other.py"
    nft 'add table ip fault; add chain ip fault p { type nat hook prerouting priority -150; }; add rule ip fault p iifname quick0 udp dport 53 redirect to :5353'
    expect 1 probe --json quick
    same 'dns ' "$(stages false)"
    has "$output" "answers 'other 1.0'"
    nft delete table ip fault
    expect 1 probe --json quick --dns nowhere.example
    same 'dns ' "$(stages false)"
    has "$output" nowhere.example
    kill -STOP "$pid"
    expect 1 probe --json quick
    same 'dhcp ' "$(stages false)"
    kill -CONT "$pid"
    # It looks for the address now, and answers what nobody awaits any more: the next run undoes that too.
    lab_wait_for 8 sh -c 'conntrack -L -p udp 2>/dev/null | grep -q "src=192.168.160.1 dst=255.255.255.255"'
    expect 0 probe quick
    lacks "$(ip neigh show dev quick0)" FAILED
}

@test "spanning tree that delays: link" {
    network_xml slow slow0 on 150 15 | virsh -q net-create /dev/stdin
    fails_at 'link bridge-stp-delay' slow
    same '' "$(stages true)"
    virsh -q net-destroy slow
}

@test "too little time: exit 4, the stage that it ran out in, and no blame" {
    local late='[.stages[] | select(.detail | startswith("the deadline passed"))]'
    before=$(traces)
    expect 4 --timeout 3 probe --json default
    has "$stderr" "failed to probe network 'default'" 'the deadline passed in stage link' 'hint: vnat --timeout 40 probe default'
    printf '%s\n' "$output" | "$LAB_TOP/tests/validate-json" stages
    same '' "$(stages true)$(stages false)"
    same 'link null true' "$(json "$late"' | map("\(.stage) \(.excludes) \(.checks == [] and (.detail | contains("--timeout 40")))") | join(" ")')"
    same 5 "$(json '[.stages[] | select(.detail == "not reached: the deadline passed in stage link")] | length')"
    kill -STOP "$(lab_dnsmasq_pid quick)"
    expect 4 --timeout 3 probe quick
    kill -CONT "$(lab_dnsmasq_pid quick)"
    has "$stderr" 'the deadline passed in stage dhcp'
    has "$output" 'nothing had failed'
    lacks "$output" '  failed' excludes check:
    lab_wait_for 8 sh -c 'conntrack -L -p udp 2>/dev/null | grep -q "src=192.168.160.1 dst=255.255.255.255"'
    expect 0 probe quick
    lab_wait_for 5 leaves_nothing
}

@test "two at once on one network do not disturb one another" {
    before=$(traces)
    vnat probe --json quick >"$LAB_DIR/one.json" 3>&- &
    one=$!
    vnat probe --json quick --target 203.0.113.1:80 >"$LAB_DIR/two.json" 3>&- &
    two=$!
    wait "$one"
    wait "$two"
    lab_wait_for 5 leaves_nothing
    leaves_nothing
}

@test "ten at once: dnsmasq looks for one address after the other, and each gets its offer" {
    network_xml crowd crowd0 off 170 | virsh -q net-create /dev/stdin
    pids=()
    for i in {1..10}; do
        vnat --timeout 120 probe --json crowd >"$LAB_DIR/crowd.$i" 3>&- &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    same 10 "$(cat "$LAB_DIR"/crowd.* | jq -r '.stages[] | select(.stage == "dhcp" and .ok) | .stage' | grep -c .)"
    virsh -q net-destroy crowd
}

@test "a signal, a reader that has enough, a kill: nothing is left, if not at once then after the next run" {
    local number word
    before=$(traces)
    for word in INT TERM HUP; do
        rm -f "$LAB_DIR/out"
        vnat probe quick --request >"$LAB_DIR/out" 3>&- &
        lab_wait_for 10 grep -q dhcp "$LAB_DIR/out"
        # It may have come to its end.
        kill -"$word" "$!" 2>/dev/null || true
        number=0
        wait "$!" || number=$?
        [ "$number" -ge 128 ] || [ "$number" -eq 0 ]
        lab_wait_for 5 leaves_nothing
    done
    vnat probe quick | head -1 >/dev/null
    lab_wait_for 5 leaves_nothing
    leaves_nothing
    rm -f "$LAB_DIR/out"
    vnat probe quick --request --target 203.0.113.1 >"$LAB_DIR/out" 3>&- &
    lab_wait_for 10 grep -q dhcp "$LAB_DIR/out"
    kill -9 "$!" 2>/dev/null || true
    wait "$!" || true
    expect 0 probe quick
    lab_wait_for 5 leaves_nothing
}

@test "what it refuses: no rights, other networks, captures, nonsense" {
    virsh -q net-destroy routed
    expect 1 probe routed
    has "$stderr" 'is not active'
    vnat -q net-start routed
    run --separate-stderr lab_as operator vnat probe quick
    [ "$status" -eq 1 ]
    has "$stderr" CAP_
    expect 1 probe nope
    expect 2 probe
    expect 2 probe quick --target 'a..b'
    expect 2 probe quick --target 10.0.0.1:99999
    expect 2 probe quick --dns ''
    expect 2 --replay "$LAB_TOP/tests/cases/demo-guest/capture" probe quick
}

@test "check --probe: what does not get through is critical, and what does is ok" {
    expect 0 check --probe --id probe-failed quick
    has "$output" '1 check found nothing'
    nft 'add table inet fault; add chain inet fault i { type filter hook input priority 10; policy drop; }'
    expect 2 check --probe --json --id probe-failed quick
    same 'probe-failed critical quick' "$(json '.findings[] | [.id, .level, .object.name] | join(" ")')"
    has "$output" 'stage dhcp' input-blocked
    nft delete table inet fault
    run --separate-stderr lab_as operator vnat check --probe --id probe-failed quick
    [ "$status" -eq 3 ]
    expect 3 check --id probe-failed
    before=$(traces)
    expect 3 --timeout 3 check --probe --json --id probe-failed default
    same 'unknown vnat --timeout 40 check --probe' "$(json '.findings[] | "\(.level) \(.remedy)"')"
    has "$output" 'network default was not probed to its end: the deadline passed in stage link'
    lab_wait_for 5 leaves_nothing
}
