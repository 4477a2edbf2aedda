#!/usr/bin/env bats
# repair: real faults, mended while a guest talks through NAT; what it must leave alone, and what it refuses.

setup_file() {
    load helpers
    # shellcheck disable=SC2016 # python's
    cat >"$LAB_DIR/outside.py" <<'PY'
import selectors, socket, sys
# A line for each message and connection: "udp ADDRESS", "tcp ADDRESS", "open ADDRESS".
out = open(sys.argv[1], "a", buffering=1)
poll = selectors.DefaultSelector()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("203.0.113.1", 5140))
tcp = socket.create_server(("203.0.113.1", 5001))
poll.register(udp, selectors.EVENT_READ)
poll.register(tcp, selectors.EVENT_READ)
while True:
    for key, _ in poll.select():
        if key.fileobj is udp:
            print("udp", udp.recvfrom(4096)[1][0], file=out)
        elif key.fileobj is tcp:
            peer, address = tcp.accept()
            print("open", address[0], file=out)
            poll.register(peer, selectors.EVENT_READ, address[0])
        else:
            try:
                data = key.fileobj.recv(4096)
            except OSError:
                data = b""
            if data:
                print("tcp", key.data, file=out)
            else:
                poll.unregister(key.fileobj)
                key.fileobj.close()
PY
    : >"$LAB_DIR/flows"
    lab_detached lab_outside python3 "$LAB_DIR/outside.py" "$LAB_DIR/flows"
    lab_network default
    virsh -q net-autostart default
    truncate -s 1M "$LAB_DIR/disk.raw"
    lab_guest_linux VM1 default 52:54:00:00:00:01
    lab_guest_paused P1 default 52:54:00:00:00:05 \
        "<disk type='file'><driver name='qemu' type='raw'/><source file='$LAB_DIR/disk.raw'/><target dev='vda' bus='virtio'/></disk>"
    lab_guest_wait VM1 >/dev/null
    # A TCP connection that always talks, and another one when it is cut off.
    lab_guest_run VM1 '(while :; do while :; do echo tick; sleep 0.2; done | nc 203.0.113.1 5001; sleep 1; done) >/dev/null 2>&1 &'
}

setup() {
    load helpers
    vm1=$(tap_of VM1)
    p1=$(tap_of P1)
    tcp_talks
}

teardown() {
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    lab_guest_stop G2
    lab_guest_stop P2
    forget lab spare isolated hosts
    ip link delete br-hosts 2>/dev/null || true
    ip route replace default via 203.0.113.1 2>/dev/null || true
    umount "$(command -v systemctl)" 2>/dev/null || true
    rm -rf /run/systemd
    lab_libvirtd_restart
    virsh -q net-autostart default
    virsh -q net-start default >/dev/null 2>&1 || true
    vnat -q repair --apply >/dev/null 2>&1 || true
}

tap_of() { virsh -q domiflist "$1" | awk '{print $1}'; }

# grep fails where it counts none, and there may be none yet.
ticks() { grep -c '^tcp 203.0.113.2$' "$LAB_DIR/flows" || [ $? -eq 1 ]; }
opens() { grep -c '^open ' "$LAB_DIR/flows" || [ $? -eq 1 ]; }
more_than() { [ "$(ticks)" -gt "$1" ]; }
opened_again() { [ "$(opens)" -gt "$1" ]; }

# tcp_talks: awaits that the connection talks; from here on it must not be cut off. One that waits for an answer that does not
# come any more is ended.
tcp_talks() {
    opened=$(opens)
    lab_wait_for 1 more_than "$(ticks)" 2>/dev/null || {
        lab_guest_run VM1 'killall nc || true'
        # What still came by the one that was ended tells nothing of the next one.
        lab_wait_for 20 opened_again "$opened"
        lab_wait_for 20 more_than "$(ticks)"
    }
    opened=$(opens)
}

# tcp_goes_on: it still talks, and is the same.
tcp_goes_on() { lab_wait_for 20 more_than "$(ticks)" && [ "$(opens)" -eq "$opened" ]; }

# steps [STATE]: "STATE ID OBJECT" of the last JSON answer, a line each; with STATE, which all must have, without it.
steps() {
    # shellcheck disable=SC2016 # jq's
    json '.steps[] | "\(.state) \(.id) \(.object.name)" | if startswith($state + " ") then .[($state | length) + 1:] else . end' \
        --arg state "${1:-}"
}

# mends FAULTS [WORD...]: the plan has these, FAULTS being "ID OBJECT" each, and changes nothing; repair --apply mends them;
# then there is nothing to do, and VM1 still talks.
mends() {
    local faults=$1
    shift
    expect 0 repair --json
    same "$faults" "$(steps planned)"
    expect 0 repair --apply --json "$@"
    same "$faults" "$(steps 'done')"
    "$LAB_TOP/tests/validate-json" steps <<<"$output"
    applied=$output
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    tcp_goes_on
}

# leaves LINE: repair --apply leaves this one, which needs consent, and its exit code is 0.
leaves() {
    expect 0 repair --apply --json
    same "skipped $1" "$(steps)"
    has "$(json '.steps[0].command')" "vnat repair --apply --id ${1%% *}"
    [ "$(json '.steps[0].detail')" = 'needs consent' ]
}

# consents LINE: --id does what was left; then there is nothing to do.
consents() {
    leaves "$1"
    expect 0 repair --apply --id "${1%% *}" --json
    same "done $1" "$(steps)"
    expect 0 repair --apply --id "${1%% *}"
    same 'nothing to repair' "$output"
    tcp_goes_on
}

# ---- nothing, and usage ------------------------------------------------------------------------------------------

@test "a healthy host: nothing to repair, as root and as a member of group libvirt" {
    for words in repair 'repair --apply' 'repair default' 'repair --apply default'; do
        # shellcheck disable=SC2086
        expect 0 $words
        same 'nothing to repair' "$output"
        [ -z "$stderr" ]
    done
    expect 0 -q repair --apply
    [ -z "$output$stderr" ]
    run --separate-stderr lab_as operator vnat repair
    [ "$status" -eq 0 ]
    same 'nothing to repair' "$output"
    tcp_goes_on
}

@test "usage: what cannot be consented to, and hosts that cannot be changed" {
    expect 2 repair --id tap-down
    has "$stderr" '--apply'
    expect 2 repair --apply --id nonsense
    has "$stderr" "there is no check 'nonsense'"
    expect 2 repair --apply --id port-conflict
    has "$stderr" 'port-conflict is nothing that vnat mends'
    expect 2 -r repair --apply
    expect 2 --replay /nonexistent repair --apply
    expect 0 -r repair
    ip link set "$p1" nomaster
    vnat capture "$LAB_DIR/captured" >/dev/null
    expect 0 --replay "$LAB_DIR/captured" repair --json
    same "planned tap-orphaned $p1" "$(steps)"
    expect 0 repair --apply
    expect 0 --replay "$LAB_DIR/captured" repair
    has "$output" "planned: tap-orphaned ($p1): put $p1 of P1 back on virbr0" '1 planned; nothing was changed'
}

# ---- the safe ones -----------------------------------------------------------------------------------------------

@test "tap-orphaned: back on its bridge, with its MTU" {
    ip link set "$vm1" nomaster
    ip link set "$vm1" mtu 1300
    mends "tap-orphaned $vm1"
    has "$(ip link show "$vm1")" 'master virbr0' 'mtu 1500'
    has "$(ip link show virbr0)" 'mtu 1500'
}

@test "tap-orphaned: not one that is another's, and not one that is set down" {
    local mac
    mac=$(cat "/sys/class/net/$p1/address")
    ip link set "$p1" nomaster address fe:54:00:00:00:99
    expect 1 repair --apply
    has "$output" 'failed: tap-orphaned' "does not have the MAC address" 'try: ip link set'
    lacks "$(ip link show "$p1")" master
    ip link set "$p1" address "$mac" down
    expect 1 repair --apply --json
    same "failed tap-orphaned $p1
skipped tap-down $p1" "$(steps)"
    lacks "$(ip link show "$p1")" master
    expect 0 repair --apply --id tap-down --json
    same "done tap-orphaned $p1" "$(steps | grep -v '^skipped tap-down')"
    has "$(ip link show "$p1")" 'master virbr0' UP
    expect 0 repair --apply --id tap-down
    same 'nothing to repair' "$output"
}

@test "tap-orphaned: told, not touched, where its port is none of a NAT network's" {
    local direct bridged
    ip link add br-hosts type bridge
    ip link set br-hosts up
    printf "<network><name>hosts</name><forward mode='bridge'/><bridge name='br-hosts'/></network>" >"$LAB_DIR/hosts.xml"
    virsh -q "net-define $LAB_DIR/hosts.xml; net-start hosts; net-autostart hosts"
    lab_guest_paused P2 bridge=virbr0 52:54:00:00:00:07 "$(lab_interface_xml hosts 52:54:00:00:00:08)"
    direct=$(virsh -q domiflist P2 | awk '/:07$/ {print $1}')
    bridged=$(virsh -q domiflist P2 | awk '/:08$/ {print $1}')
    ip link set "$direct" nomaster
    ip link set "$bridged" nomaster
    ip link set "$p1" nomaster
    expect 2 check --id tap-orphaned --json
    same "$(printf '%s\n' "$p1 safe" "$direct never" "$bridged never" | sort)" \
        "$(json '.findings[] | "\(.object.name) \(.repair)"' | sort)"
    # What is plain is mended beside them.
    expect 0 repair --apply --json
    same "$(printf '%s\n' "done tap-orphaned $p1" "skipped tap-orphaned $direct" "skipped tap-orphaned $bridged" | sort)" \
        "$(steps | sort)"
    expect 0 repair --apply
    has "$output" "skipped: tap-orphaned ($direct): ip link set $direct master virbr0" \
        "skipped: tap-orphaned ($bridged): ip link set $bridged master br-hosts" 'not for vnat to mend'
    lacks "$(ip link show "$direct"; ip link show "$bridged")" master
    lab_guest_stop P2
    forget hosts
    ip link delete br-hosts
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    tcp_goes_on
}

@test "bridge-down: up, with its address; dnsmasq serves again" {
    ip address del 192.168.122.1/24 dev virbr0
    ip link set virbr0 down
    expect 0 repair --json
    has "$(steps)" 'planned bridge-down default'
    expect 0 repair --apply
    has "$output" 'done: bridge-down (default): give virbr0 its address 192.168.122.1/24, set virbr0 up'
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    has "$(ip address show virbr0)" 'inet 192.168.122.1/24 brd 192.168.122.255' UP
    tcp_goes_on
    lab_guest_run VM1 ping -c 1 -W 20 192.168.122.1
}

@test "dnsmasq-dead: a reload starts it" {
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    mends 'dnsmasq-dead default'
    has "$(json '.steps[0].detail' <<<"$applied")" "sent SIGHUP to libvirtd (pid $(lab_libvirtd_pid))" ||
        has "$applied" "sent SIGHUP to libvirtd (pid $(lab_libvirtd_pid))"
    lab_dnsmasq_pid default
    lab_guest_renew VM1
}

@test "dnsmasq-dead: no reload where its number is another process's, which libvirt would signal" {
    local file=/run/libvirt/network/default.pid stranger
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    sleep 300 3>&- &
    stranger=$!
    echo "$stranger" >"$file"
    expect 1 repair --apply
    has "$output" 'failed: dnsmasq-dead' "names $stranger, another process now" 'try: service libvirtd restart'
    kill -0 "$stranger"
    lab_libvirtd_restart
    kill "$stranger"
    expect 0 repair --apply
    same 'nothing to repair' "$output"
}

@test "dnsmasq-not-listening: what a reload leaves deaf begins anew" {
    local conf=/var/lib/libvirt/dnsmasq/default.conf deaf
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    # The same, without DNS; libvirtd takes it for its own.
    VIR_BRIDGE_NAME=virbr0 dnsmasq --conf-file="$conf" --port=0 --leasefile-ro --dhcp-script=/usr/lib/libvirt/libvirt_leaseshelper 3>&-
    lab_libvirtd_restart
    tcp_talks # libvirtd's restart, without the guard, cuts connections off
    deaf=$(lab_dnsmasq_pid default)
    expect 0 repair
    has "$output" 'planned: dnsmasq-not-listening (default)'
    mends 'dnsmasq-not-listening default'
    has "$applied" "ended its dnsmasq (pid $deaf)"
    [ "$(lab_dnsmasq_pid default)" != "$deaf" ]
}

@test "rules missing: a reload puts them back, and a UDP flow that began meanwhile is translated" {
    # Another rule that needs connection tracking, as most hosts have: without any the kernel switches it off.
    nft 'add table ip host; add chain ip host input { type filter hook input priority 0; }; add rule ip host input ct state established accept'
    lose_rules nat
    lose_rules out
    lose_rules in
    # One socket, so one flow.
    lab_guest_run VM1 '(syslogd -n -R 203.0.113.1:5140 & sleep 0.3; while :; do logger tick; sleep 0.2; done) >/dev/null 2>&1 &'
    lab_wait_for 10 grep -q '^udp 192.168.122' "$LAB_DIR/flows"
    mends 'forward-rules-missing default
nat-rules-missing default'
    has "$applied" 'connections that had begun without translation forgotten' ||
        has "$applied" '1 connection that had begun without translation forgotten'
    lab_wait_for 10 grep -q '^udp 203.0.113.2$' "$LAB_DIR/flows"
    nft delete table ip host
}

@test "chains gone, and no systemd: the command is printed, exit code 1; a reload mends the rest, a restart all" {
    nft flush ruleset
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 20 lab_not lab_dnsmasq_pid default
    expect 1 repair --apply --json
    same 'done dnsmasq-dead default
failed forward-rules-missing default
failed nat-rules-missing default' "$(steps)"
    "$LAB_TOP/tests/validate-json" steps <<<"$output"
    [ "$(json '.steps[1].command')" = 'service libvirtd restart' ]
    has "$(json '.steps[1].detail')" 'no systemd runs here'
    has "$(json '.steps[0].detail')" 'sent SIGHUP to libvirtd'
    lab_libvirtd_restart
    expect 0 repair --apply
    same 'nothing to repair' "$output"
}

# A stand-in for systemd of which libvirtd is a unit; for this file's own lab.
pretend_systemd() {
    cat >"$LAB_DIR/systemctl" <<-SH
	#!/bin/bash
	export LAB=1 LAB_DIR=$LAB_DIR
	. $LAB_TOP/tests/lab/lib.sh
	echo "\$*" >>$LAB_DIR/systemctl.log
	case \$1 in
	show) lab_libvirtd_pid ;;
	restart) lab_libvirtd_restart ;;
	esac
	SH
    chmod 755 "$LAB_DIR/systemctl"
    mount --bind "$LAB_DIR/systemctl" "$(command -v systemctl)"
    mkdir -p /run/systemd/system
}

@test "chains gone: restarted by systemd; not while a block job runs" {
    command -v systemctl || skip "there is no systemctl to stand in for"
    pretend_systemd
    virsh -q blockcopy P1 vda --dest "$LAB_DIR/copy.raw" --format raw --transient-job
    nft flush ruleset
    before=$(lab_libvirtd_pid)
    expect 1 repair --apply
    has "$output" 'a restart of libvirtd would end what runs now: P1 (a block job on vda)' 'try: when that has ended: systemctl restart libvirtd'
    [ "$(lab_libvirtd_pid)" = "$before" ]
    virsh -q blockjob P1 vda --abort
    expect 0 repair --apply --json
    same 'done forward-rules-missing default
done nat-rules-missing default' "$(steps)"
    has "$output" "restarted libvirtd (pid $before)"
    same 'show --property=MainPID --value libvirtd
restart libvirtd' "$(cat "$LAB_DIR/systemctl.log")"
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    tcp_talks # the flush itself cut it off: it took the kernel's translation away
    umount "$(command -v systemctl)"
    rmdir /run/systemd/system /run/systemd
}

@test "network-inactive with autostart: started, and the taps of its guests put back in the same run" {
    virsh -q net-destroy default
    expect 0 repair --json
    has "$(steps)" 'planned network-inactive default' "planned tap-orphaned $vm1"
    expect 0 repair --apply --json
    same "$(printf 'done %s\n' 'network-inactive default' "tap-orphaned $p1" "tap-orphaned $vm1" | sort)" "$(steps | sort)"
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    tcp_goes_on
}

@test "a reload that would start what nobody asked for is refused; asked for, both are done" {
    lab_network lab virbr9 99
    virsh -q 'net-autostart lab; net-destroy lab'
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    expect 1 repair --apply default
    has "$output" 'failed: dnsmasq-dead (default)' 'network lab'
    lacks "$(virsh -q net-list --name)" lab
    lab_not lab_dnsmasq_pid default
    expect 0 repair --apply --json
    has "$(steps)" 'done dnsmasq-dead default'
    lacks "$(steps)" failed planned
    has "$(virsh -q net-list --name)" lab
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    virsh -q net-destroy lab
    mends 'network-inactive lab'
    forget lab
}

@test "five at once: one lock, each ends well" {
    local i pids=()
    ip link set "$vm1" nomaster
    for i in 1 2 3 4 5; do
        vnat --timeout 120 repair --apply >"$LAB_DIR/once.$i" 2>&1 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    [ "$(grep -l '^done: tap-orphaned' "$LAB_DIR"/once.* | wc -l)" -eq 1 ]
    [ "$(grep -l '^nothing to repair' "$LAB_DIR"/once.* | wc -l)" -eq 4 ]
    tcp_goes_on
}

# ---- by consent --------------------------------------------------------------------------------------------------

@test "consent: network-no-autostart" {
    virsh -q net-autostart --disable default
    consents 'network-no-autostart default'
}

@test "consent: tap-down, in the kernel and in libvirt" {
    ip link set "$p1" down
    consents "tap-down $p1"
    has "$(ip link show "$p1")" UP
    virsh -q domif-setlink P1 "$p1" down
    consents "tap-down $p1"
    lacks "$(virsh domif-getlink P1 "$p1")" down
}

@test "consent: mtu-mismatch" {
    ip link set virbr0 mtu 1500
    ip link set "$p1" mtu 1400
    # The bridge has an MTU of its own now, and keeps it.
    expect 0 repair --json
    has "$(steps)" mtu-mismatch
    expect 0 repair --apply
    has "$output" 'skipped: mtu-mismatch'
    expect 0 repair --apply --id mtu-mismatch
    lacks "$output" failed
    expect 0 repair --apply --id mtu-mismatch
    same 'nothing to repair' "$output"
    tcp_goes_on
}

@test "never: mtu-mismatch of the way out, also where it is consented to" {
    local route words
    route=$(ip route show default)
    ip route del default
    ip route add default via 203.0.113.1 mtu 1300
    expect 1 check --id mtu-mismatch --json
    [ "$(json '.findings[] | "\(.object.kind) \(.repair)"')" = 'network never' ]
    for words in repair 'repair --apply' 'repair --apply --id mtu-mismatch'; do
        # shellcheck disable=SC2086
        expect 0 $words
        has "$output" 'skipped: mtu-mismatch (default): iptables -t mangle' 'not for vnat to mend'
        lacks "$output" 'needs consent' 'try: vnat repair'
    done
    expect 0 repair --apply --id mtu-mismatch --json
    [ "$(json '.steps[] | "\(.state) \(.class)"')" = 'skipped never' ]
    ip route del default
    # shellcheck disable=SC2086 # its words
    ip route add $route
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    tcp_goes_on
}

@test "consent: network-inactive, bridge-stale, bridge-missing" {
    lab_network spare virbr8 98
    virsh -q net-destroy spare
    expect 0 repair --apply
    has "$output" 'skipped: network-inactive (spare)' 'try: vnat repair --apply --id network-inactive'
    lacks "$(virsh -q net-list --name)" spare
    expect 0 repair --apply --id network-inactive
    has "$output" 'done: network-inactive (spare)' 'skipped: network-no-autostart (spare)'
    virsh -q 'net-autostart spare; net-destroy spare'
    ip link add virbr8 type bridge
    expect 1 repair --apply --json
    same 'skipped bridge-stale spare
failed network-inactive spare' "$(steps)"
    expect 0 repair --apply --id bridge-stale --json
    same 'done bridge-stale spare
done network-inactive spare' "$(steps)"
    ip link del virbr8
    expect 0 repair --apply
    has "$output" 'skipped: bridge-missing (spare)'
    lab_not ip link show virbr8
    expect 0 repair --apply --id bridge-missing
    has "$output" 'done: bridge-missing (spare)'
    expect 0 repair --apply --id bridge-missing
    same 'nothing to repair' "$output"
    forget spare
    tcp_goes_on
}

@test "consent: bridge-missing under a guest that runs: a new bridge, and its tap on it" {
    lab_network spare virbr8 98
    virsh -q net-autostart spare
    lab_guest_linux G2 spare 52:54:00:00:00:06
    lab_guest_paused P2 spare 52:54:00:00:00:07
    lab_guest_wait G2 >/dev/null
    lab_wait_for 10 g2_reaches_outside
    ip link del virbr8
    expect 1 repair --apply
    has "$output" 'skipped: bridge-missing (spare)' 'needs consent' "failed: tap-orphaned ($(tap_of G2))"
    lab_not ip link show virbr8
    expect 0 repair --apply --id bridge-missing --json
    same "$(printf 'bridge-missing spare\ntap-orphaned %s\ntap-orphaned %s' "$(tap_of G2)" "$(tap_of P2)" | sort)" \
        "$(steps 'done' | sort)"
    has "$(json '.steps[] | select(.id == "bridge-missing").detail')" 'forgot the ports of 2 interfaces'
    lab_wait_for 10 g2_reaches_outside
    expect 0 repair --apply
    same 'nothing to repair' "$output"
    # What libvirt forgot is there again with its daemon.
    lab_libvirtd_restart
    [ "$(virsh -q net-port-list spare | grep -c .)" -eq 2 ]
    lab_guest_stop G2
    lab_guest_stop P2
    forget spare
    tcp_goes_on
}
g2_reaches_outside() { lab_guest_run G2 'timeout 10 wget -q -O - http://203.0.113.1/' | grep -q .; }

@test "consent: network-missing, from the template of its name" {
    expect 0 repair --apply isolated
    has "$output" 'skipped: network-missing (isolated)' 'try: vnat repair --apply --id network-missing isolated'
    lacks "$(networks)" isolated
    expect 0 repair --apply --id network-missing isolated --json
    has "$(steps)" 'done network-missing isolated'
    lacks "$(steps)" failed
    has "$(networks)" isolated
    forget isolated
    expect 0 repair --apply --id network-missing nothing-of-that-name
    has "$output" 'skipped: network-missing (nothing-of-that-name)' 'not for vnat to mend'
}

# ---- never -------------------------------------------------------------------------------------------------------

@test "never: another's port is told, not touched" {
    ip address add 192.168.122.77/32 dev lo
    lab_detached python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("0.0.0.0", 53))
open("'"$LAB_DIR"'/rival", "w").close()
time.sleep(300)'
    if ! lab_wait_for 10 test -e "$LAB_DIR/rival"; then skip "port 53 cannot be held beside dnsmasq here"; fi
    expect 0 repair --apply
    has "$output" 'skipped: port-conflict (default)' 'not for vnat to mend'
    pid=$(ss -Hulpn 'sport = :53' | sed -n 's/.*"python3",pid=\([0-9]*\).*/\1/p')
    kill "$pid"
    ip address del 192.168.122.77/32 dev lo
    lab_wait_for 5 lab_not test -e "/proc/$pid/exe"
    expect 0 repair --apply
    same 'nothing to repair' "$output"
}

# ---- rights, libvirtd --------------------------------------------------------------------------------------------

@test "without root: the plan, and steps that fail and say what they need" {
    ip link set "$p1" nomaster
    run --separate-stderr lab_as operator vnat repair
    [ "$status" -eq 0 ]
    has "$output" "planned: tap-orphaned ($p1)"
    run --separate-stderr lab_as operator vnat repair --apply
    [ "$status" -eq 1 ]
    has "$output" "failed: tap-orphaned ($p1)" 'needs root'
    lacks "$(ip link show "$p1")" master
    expect 0 repair --apply
}

@test "libvirtd hangs or is gone: exit code 4, nothing was touched" {
    ip link set "$p1" nomaster
    kill -STOP "$(lab_libvirtd_pid)"
    expect 4 --timeout 3 repair --apply
    kill -CONT "$(lab_libvirtd_pid)"
    lacks "$(ip link show "$p1")" master
    lab_libvirtd_stop
    expect 4 repair --apply
    lacks "$(ip link show "$p1")" master
    # Started, libvirtd puts it back itself.
    lab_libvirtd_start
    expect 0 repair --apply
}

# ---- what the host's own settings and files need consent for -----------------------------------------------------

@test "consent: ip-forward-off" {
    sysctl -q -w net.ipv4.ip_forward=0
    leaves 'ip-forward-off labhost'
    [ "$(sysctl -n net.ipv4.ip_forward)" = 0 ]
    expect 0 repair --apply --id ip-forward-off
    has "$output" 'set net.ipv4.ip_forward'
    [ "$(sysctl -n net.ipv4.ip_forward)" = 1 ]
    expect 0 repair --apply --id ip-forward-off
    same 'nothing to repair' "$output"
    tcp_goes_on
}

@test "a network that needs no forwarding is not told of the host's, as check does not" {
    vnat -q net-start alone --template isolated --autostart
    sysctl -q -w net.ipv4.ip_forward=0
    expect 0 check alone
    expect 0 repair alone
    same 'nothing to repair' "$output"
    expect 0 repair default
    has "$output" 'ip-forward-off'
    sysctl -q -w net.ipv4.ip_forward=1
    vnat -q net-destroy alone
    vnat -q net-undefine alone
}

@test "consent: leases-unreadable, copied aside" {
    local file=/var/lib/libvirt/dnsmasq/virbr0.status
    cp "$file" "$LAB_DIR/status.good"
    jq '. + [{"ip-address": "192.168.122.200"}]' "$LAB_DIR/status.good" >"$LAB_DIR/status.bad"
    cp "$LAB_DIR/status.bad" "$file"
    expect 0 repair --apply
    has "$output" 'skipped: leases-unreadable (default)'
    cmp "$file" "$LAB_DIR/status.bad"
    expect 0 repair --apply --id leases-unreadable
    has "$output" 'done: leases-unreadable (default)' 'was kept'
    same "$(jq -S . "$LAB_DIR/status.good")" "$(jq -S . "$file")"
    cmp "$file".damaged-* "$LAB_DIR/status.bad"
    [ "$(stat -c %a "$file")" = 644 ]
    expect 0 repair --apply --id leases-unreadable
    same 'nothing to repair' "$output"
    expect 0 ip VM1
    lab_guest_renew VM1
}

@test "consent: leases-unreadable, gone: an empty file, as of a new network" {
    local file=/var/lib/libvirt/dnsmasq/virbr0.status like
    lab_network spare virbr8 98
    like=$(stat -c '%U %G %a %s' /var/lib/libvirt/dnsmasq/virbr8.status)
    forget spare
    rm -f "$file" "$file".damaged-*
    expect 0 repair --apply
    has "$output" 'skipped: leases-unreadable (default): make an empty virbr0.status' 'needs consent'
    [ ! -e "$file" ]
    expect 0 repair --apply --id leases-unreadable
    has "$output" 'done: leases-unreadable (default): make an empty virbr0.status' 'when their guests renew'
    same "$like" "$(stat -c '%U %G %a %s' "$file")"
    [ -z "$(find "${file%/*}" -name 'virbr0.status?*')" ]
    lab_guest_renew VM1
    lab_wait_for 20 lab_leased virbr0 52:54:00:00:00:01
    expect 0 repair --apply --id leases-unreadable
    same 'nothing to repair' "$output"
    # Nothing is made where a link leads to.
    cp -p "$file" "$LAB_DIR/status.good"
    ln -sf "$LAB_DIR/elsewhere" "$file"
    expect 1 repair --apply --id leases-unreadable
    has "$output" 'failed: leases-unreadable (default)' 'File exists'
    [ ! -e "$LAB_DIR/elsewhere" ]
    rm "$file"
    cp -p "$LAB_DIR/status.good" "$file"
    expect 0 repair --apply --id leases-unreadable
    same 'nothing to repair' "$output"
    tcp_goes_on
}
