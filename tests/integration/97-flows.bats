#!/usr/bin/env bats
# vnat flows: the connections of guests, against conntrack(8)'s own listing; as they begin and end; and what goes wrong.

setup_file() {
    load helpers
    vnat -q net-start default
    vnat -q net-start six --template nat-ipv6 -D bridge=virbr6 -D subnet=192.168.66.0/24 -D subnet6=fd00:66::/64
    vnat -q net-start through --template routed -D bridge=br-through -D subnet=10.2.0.0/24
    sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
    lab_conntrack_keeps
    lab_guest_linux VM1 default 52:54:00:00:00:01 VM1
    lab_guest_linux VM2 default 52:54:00:00:00:02 VM2
    # Guests without QEMU: their domains are paused ones that have their MACs.
    lab_guest_paused P6 six 52:54:00:00:00:06
    lab_guest_paused P7 through 52:54:00:00:00:07
    STATIC=192.168.66.10/24,192.168.66.1 lab_guest_netns box6 virbr6 52:54:00:00:00:06
    ip -n box6 address add fd00:66::10/64 dev eth0 nodad
    ip -n box6 -6 route add default via fd00:66::1
    STATIC=10.2.0.10/24,10.2.0.1 lab_guest_netns box7 br-through 52:54:00:00:00:07
    STATIC=192.168.122.99/24,192.168.122.1 lab_guest_netns stray virbr0 52:54:00:00:00:99
    lab_guest_wait VM1 60 >"$LAB_DIR/VM1.address"
    lab_guest_wait VM2 60 >"$LAB_DIR/VM2.address"
    # An address is known when the host has met it.
    for pair in box6:192.168.66.1 box6:fd00:66::1 box7:10.2.0.1 stray:192.168.122.1; do
        lab_wait_for 20 lab_in "${pair%%:*}" ping -q -c 1 -W 1 "${pair#*:}"
    done
}

setup() {
    load helpers
    vm1=$(cut -d/ -f1 "$LAB_DIR/VM1.address") vm2=$(cut -d/ -f1 "$LAB_DIR/VM2.address")
    out=$LAB_DIR/flows.$BATS_TEST_NUMBER
}

teardown() {
    [ -z "${follower:-}" ] || kill -KILL "$follower" 2>/dev/null || true
    sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_events=2
}

# following VNAT-WORD...: vnat flows --follow WORD... in the background, writing to $out; $follower is its pid.
following() {
    vnat flows --follow "$@" >"$out" 2>"$out.err" </dev/null 3>&- &
    follower=$!
}

# begun: with --json, the snapshot is there.
begun() { lab_wait_for 10 test -s "$out"; }

# listens: what follows is in the kernel's list of sockets, in the groups of what is new and what is destroyed.
listens() { awk '$2 == 12 && $4 == "00000005" {found = 1} END {exit !found}' /proc/net/netlink; }

# said WORDS...: $out has a line that matches, and all of it.
said() {
    lab_wait_for 10 grep -qE -- "$*" "$out" && lab_wait_for 10 whole && return
    cat "$out" "$out.err"
    return 1
}

whole() { [ -z "$(tail -c 1 "$out")" ]; }

# ended: what follows ends by itself; its exit code is in $code.
ended() {
    lab_wait_for 10 lab_not test -e "/proc/$follower/exe"
    code=0
    wait "$follower" || code=$?
    follower=
}

# fetch GUEST-NAMESPACE URL [SECONDS]: a request to the outside host.
fetch() { lab_in "$1" timeout "${3:-30}" busybox wget -q -O /dev/null "$2"; }

# entry WORD...: puts an entry into the table of connections.
entry() { conntrack -I -t 600 "$@" >/dev/null 2>&1; }

# Every entry is what conntrack says; what passed between the two readings is read again.
agree() {
    local try status=3
    for try in 1 2 3 4 5; do
        status=0
        vnat flows --json | "$LAB_TOP/tests/integration/flows-oracle" "$vm1=VM1" "$vm2=VM2" 192.168.66.10=P6 fd00:66::10=P6 \
            10.2.0.10=P7 192.168.122.0/24=default 192.168.66.0/24=six fd00:66::/64=six 10.2.0.0/24=through \
            -192.168.122.1 -192.168.66.1 -fd00:66::1 -10.2.0.1 >"$out.oracle" || status=$?
        [ "$status" -eq 3 ] || break
        echo "read again ($try)"
    done
    cat "$out.oracle"
    return "$status"
}

@test "the same entries as conntrack, each with its domain" {
    lab_guest_run VM1 'wget -q -O /dev/null http://203.0.113.1/; nslookup outside.test 192.168.122.1; ping -q -c 1 203.0.113.1'
    lab_guest_run VM2 'wget -q -O /dev/null http://203.0.113.1/'
    fetch box6 http://203.0.113.1/
    fetch box6 'http://[2001:db8:203::1]/'
    lab_in box6 ping -6 -q -c 1 2001:db8:203::1
    fetch stray http://203.0.113.1/
    # The outside host has no way back to a routed network: nobody answers.
    fetch box7 http://203.0.113.1/ 3 || true
    # To a guest: from the host, and by a port of the host's.
    timeout 1 busybox nc "$vm1" 9 </dev/null || true
    entry -p tcp -s 203.0.113.1 -d 203.0.113.2 --sport 5000 --dport 8080 --state ESTABLISHED -u SEEN_REPLY,ASSURED \
        -r "$vm1" -q 203.0.113.1 --reply-port-src 80 --reply-port-dst 5000
    agree
    expect 0 flows --json
    # shellcheck disable=SC2016 # jq's variables
    for domain in VM1 VM2 P6 P7; do
        [ "$(json '[.flows[] | select(.domain == $d)] | length' --arg d "$domain")" -ge 1 ]
    done
    [ "$(json '[.flows[] | select(.domain == "VM1" and .protocol == "tcp" and .began == "guest")
        | .host_address, .remote_port, .state, (.bytes > 300), .sent_bytes + .received_bytes == .bytes] | map(tostring) | join(" ")')" \
        = '203.0.113.2 80 TIME_WAIT true true' ]
    # Translated, or not: by IPv6, on the routed network, to the host itself, to a guest.
    [ "$(json '[.flows[] | select(.family == "ipv6" and .protocol == "tcp") | .host_address] | unique | join(" ")')" = 2001:db8:203::2 ]
    [ "$(json '[.flows[] | select(.network == "through" and .protocol == "tcp") | .host_address] | unique | map(tostring) | join(" ")')" = null ]
    [ "$(json '[.flows[] | select(.remote_address == "192.168.122.1" and .remote_port == 53) | .host_address] | unique | map(tostring) | join(" ")')" = null ]
    # shellcheck disable=SC2016 # jq's
    [ "$(json '.flows[] | select(.remote_port == 5000) | "\(.guest_address == $a) \(.guest_port) \(.host_address):\(.host_port) \(.began)"' --arg a "$vm1")" \
        = 'true 80 203.0.113.2:8080 remote' ]
    # An address that nobody is known by: its network, and no domain.
    [ "$(json '[.flows[] | select(.guest_address == "192.168.122.99") | "\(.network) \(.domain) \(.tap)"] | unique | join(" ")')" \
        = 'default null null' ]
}

@test "of a domain, of a network, of both and of neither" {
    fetch stray http://203.0.113.1/
    lab_guest_run VM1 'wget -q -O /dev/null http://203.0.113.1/'
    expect 0 flows VM1 -n -o domain
    [ "$(sort -u <<<"$output" | xargs)" = VM1 ]
    expect 0 flows "$(virsh domuuid VM1)" --json
    [ "$(json '[.flows[].domain] | unique | join(" ")')" = VM1 ]
    expect 0 flows default --json
    [ "$(json '[.flows[].network] | unique | join(" ")')" = default ]
    [ "$(json '[.flows[] | .domain | tostring] | unique | join(" ")')" = 'VM1 VM2 null' ]
    expect 1 flows VM7
    has "$stderr" "error: there is no domain and no network 'VM7'" "hint: did you mean 'VM1'?"
    # One name for two: a UUID says which.
    lab_guest_paused default default 52:54:00:00:00:55
    expect 2 flows default
    has "$stderr" "error: 'default' is a domain and a network" "hint: vnat flows $(virsh domuuid default) (the domain)"
    expect 0 flows "$(virsh net-uuid default)"
    lab_guest_stop default
    lab_domain_xml Poff 8 '' "$(lab_interface_xml default)" >"$LAB_DIR/Poff.xml"
    virsh -q define "$LAB_DIR/Poff.xml" >/dev/null
    expect 1 flows Poff
    has "$stderr" "error: domain 'Poff' is not running"
}

@test "columns, CSV, and who mixes the forms" {
    expect 0 flows --csv -o protocol,guest-address,host-port
    [ "${lines[0]}" = protocol,guest-address,host-port ]
    expect 2 flows --follow --csv
    has "$stderr" "error: --csv is about the table, and --follow has none"
    expect 2 flows --count 3
    has "$stderr" "error: --count goes with --follow"
    expect 2 flows --follow --for x
    run bash -c 'vnat flows | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"'
    [ "$status" -eq 0 ] || [ "$status" -eq 141 ]
}

@test "what the kernel does not count is missing, and a hint says how" {
    sysctl -qw net.netfilter.nf_conntrack_acct=0 net.netfilter.nf_conntrack_timestamp=0
    conntrack -F >/dev/null 2>&1
    fetch stray http://203.0.113.1/
    expect 0 flows -n -o bytes,packets,age,remote
    [ "$(grep ':80 *$' <<<"$output" | head -n 1 | xargs)" = '- - - 203.0.113.1:80' ]
    [ "$(grep -c '^hint:' <<<"$stderr")" -eq 1 ]
    has "$stderr" 'hint: sysctl -w net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1'
    expect 0 flows -o guest,remote
    [ -z "$stderr" ]
    expect 0 flows -o +started
    has "$stderr" 'hint: sysctl -w net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1'
    expect 0 flows -o age
    has "$stderr" 'hint: sysctl -w net.netfilter.nf_conntrack_timestamp=1 (the age'
    expect 0 flows --json
    [ "$(json '[.flows[] | .bytes, .packets, .sent_bytes, .age, .started] | unique | map(tostring) | join(" ")')" = null ]
    [ -z "$stderr" ]
    expect 0 flows -q
    [ -z "$stderr" ]
}

@test "without rights: the capability's name" {
    run --separate-stderr lab_as visitor vnat flows
    [ "$status" -eq 6 ]
    [ -z "$output" ]
    has "$stderr" 'error: conntrack: down: ' CAP_NET_ADMIN 'hint: sudo vnat flows'
    run --separate-stderr lab_as visitor vnat flows --json
    [ "$status" -eq 6 ]
    [ "$(json '.sources.conntrack, (.flows | length)' | xargs)" = 'down 0' ]
    run --separate-stderr lab_as visitor vnat flows --follow
    [ "$status" -eq 1 ]
    has "$stderr" 'error: failed to follow' CAP_NET_ADMIN
    expect 0 -c test:///default flows
    has "$stderr" 'error: connections cannot be read from here: the host is another one'
}

@test "a captured host has them, and redacted ones too" {
    lab_guest_run VM1 'wget -q -O /dev/null http://203.0.113.1/'
    vnat -q capture "$out.capture"
    expect 0 --replay "$out.capture" flows VM1 --json
    [ "$(json '.sources.conntrack')" = replayed ]
    [ "$(json '[.flows[] | select(.remote_port == 80)] | length')" -ge 1 ]
    # None of the host's own.
    entry -p tcp -s 203.0.113.2 -d 203.0.113.1 --sport 7777 --dport 443 --state ESTABLISHED
    rm -rf "$out.capture"
    vnat -q capture "$out.capture"
    lacks "$(cat "$out.capture/conntrack.json")" 7777
    vnat -q capture --redact "$out.redacted"
    lacks "$(cat "$out.redacted/conntrack.json")" "$vm1" 203.0.113
    expect 0 --replay "$out.redacted" flows --json
    [ "$(json '[.flows[] | select(.remote_port == 80 and .domain != null)] | length')" -ge 1 ]
    expect 2 --replay "$out.capture" flows --follow
    # One that was made by a vnat that knew of no connections.
    rm "$out.capture/conntrack.json"
    jq 'del(.sources.conntrack)' "$out.capture/manifest.json" >"$out.manifest"
    cp "$out.manifest" "$out.capture/manifest.json"
    expect 6 --replay "$out.capture" flows
    has "$stderr" 'the capture has no connections'
}

# ---------------------------------------------------------------------------------------------------------- --follow

@test "begin and end, in words" {
    following VM1 --no-snapshot
    lab_wait_for 10 listens
    lab_wait_for 10 probes
    said '^[0-9:]{8} VM1 vnet[0-9]+ began tcp '"$vm1"':[0-9]+ to 203\.0\.113\.1:80 as 203\.0\.113\.2:[0-9]+$'
    conntrack -D -s "$vm1" -p tcp >/dev/null 2>&1
    said '^[0-9:]{8} VM1 vnet[0-9]+ ended tcp '"$vm1"':[0-9]+ to 203\.0\.113\.1:80 as .*, [0-9]+ bytes, [0-9]+ packets, [0-9]+s$'
    fetch stray http://203.0.113.1/
    lacks "$(cat "$out")" 192.168.122.99 VM2
    kill -INT "$follower"
    ended
    [ "$code" -eq 130 ]
}

# probes: a request of VM1's was told; the snapshot, which has none with --no-snapshot, is over then.
probes() {
    lab_guest_run VM1 'wget -q -O /dev/null http://203.0.113.1/'
    grep -q began "$out"
}

@test "begin and end, as JSON Lines" {
    conntrack -F >/dev/null 2>&1
    following --json --count 2
    begun
    entry -p udp -s "$vm2" -d 203.0.113.1 --sport 4242 --dport 53
    said '"flow.began".*"guest_port":4242'
    conntrack -D -p udp -s "$vm2" --sport 4242 >/dev/null 2>&1
    ended
    [ "$code" -eq 0 ]
    "$LAB_TOP/tests/validate-json" --lines flows-follow <"$out"
    [ "$(jq -r '[.type, .flow.domain, .flow.guest_port] | map(tostring) | join(" ")' "$out" | tail -n 2 | xargs)" \
        = 'flow.began VM2 4242 flow.ended VM2 4242' ]
    [ "$(jq -r .flow.id "$out" | tail -n 2 | sort -u | wc -l)" -eq 1 ]
    # What was there is in the first line, and has nothing behind it.
    expect 0 flows --follow --json --count 0
    [ "$(json '.type')" = snapshot ]
    expect 0 flows --follow --json --for 0.1
}

@test "a guest that comes later has its name" {
    following P9x --json
    ended
    [ "$code" -eq 1 ]
    following --json --no-snapshot
    lab_wait_for 10 listens
    lab_guest_paused P9 default 52:54:00:00:00:08
    STATIC=192.168.122.88/24,192.168.122.1 lab_guest_netns box9 virbr0 52:54:00:00:00:08
    lab_wait_for 20 fetch box9 http://203.0.113.1/
    said '"flow.began".*"guest_address":"192.168.122.88".*"domain":"P9"'
    lab_guest_stop box9
    lab_guest_stop P9
    # It keeps its name to the end.
    conntrack -D -s 192.168.122.88 -p tcp >/dev/null 2>&1
    said '"flow.ended".*"guest_address":"192.168.122.88".*"domain":"P9"'
}

@test "a reader that goes away" {
    run timeout 60 bash -c 'set -o pipefail; vnat flows --follow --json | head -n 1 >/dev/null'
    [ "$status" -eq 141 ]
}

# The hint has what stands before it written out at once, and why that failed is told at the end.
@test "nowhere to write to, with a hint behind" {
    # One that began uncounted, for whose sake there is a hint.
    sysctl -qw net.netfilter.nf_conntrack_acct=0
    conntrack -F >/dev/null 2>&1
    fetch stray http://203.0.113.1/
    run bash -c 'vnat flows 2>&1 >/dev/full'
    [ "$status" -eq 1 ]
    has "$output" 'hint: sysctl' 'error: failed to write the output' 'error: No space left on device'
    run python3 -c '
import os, subprocess
read, write = os.pipe()
os.close(read)
done = subprocess.run(["vnat", "flows"], stdout=write, stderr=subprocess.PIPE)
print(done.stderr.decode(), "code", done.returncode)'
    has "$output" 'hint: sysctl' 'code 141'
    lacks "$output" error
}

@test "more events than the kernel could keep are read again" {
    entry -p udp -s "$vm2" -d 203.0.113.1 --sport 5001 --dport 53
    following VM2 --json
    said '"guest_port":5001'
    kill -STOP "$follower"
    # Another's, which are told by no line; what happens behind them finds the queue full.
    seq -f "-I -t 600 -p udp -s $vm1 -d 203.0.113.1 --sport %.0f --dport 53" 30000 >"$out.batch"
    conntrack -R "$out.batch" >/dev/null 2>&1
    [ "$(conntrack -C)" -ge 30000 ]
    conntrack -D -p udp -s "$vm2" --sport 5001 >/dev/null 2>&1
    entry -p udp -s "$vm2" -d 203.0.113.1 --sport 5002 --dport 53
    kill -CONT "$follower"
    said '"type":"resync"'
    "$LAB_TOP/tests/validate-json" --lines flows-follow <"$out"
    [ "$(jq -r 'select(.type == "resync") | [.flows[].guest_port] | map(tostring) | join(" ")' "$out" | grep -cw 5002)" -eq 1 ]
    [ "$(jq -r 'select(.type == "resync") | [.flows[].guest_port] | map(tostring) | join(" ")' "$out" | grep -cw 5001)" -eq 0 ]
    # And on it goes.
    conntrack -D -p udp -s "$vm2" --sport 5002 >/dev/null 2>&1
    said '"flow.ended".*"guest_port":5002,'
    conntrack -F >/dev/null 2>&1
}

@test "a kernel that tells of nothing" {
    sysctl -qw net.netfilter.nf_conntrack_events=0
    expect 0 flows --follow --json --count 0
    has "$stderr" 'hint: sysctl -w net.netfilter.nf_conntrack_events=2'
    has "$(json '.notes.conntrack')" 'every 30 s'
}
