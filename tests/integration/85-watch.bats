#!/usr/bin/env bats
# vnat watch: the map as it changes, for programs and for people, and how it ends.

setup_file() {
    load helpers
    vnat -q net-start default
    lab_guest_paused P1 default 52:54:00:00:00:05
    ip link add stray type veth peer name yarts
    ip link set stray master virbr0 up
    write_leases
}

setup() {
    load helpers
    out=$LAB_DIR/watch.$BATS_TEST_NUMBER
}

# Who follows ends with its test.
teardown() {
    [ -z "${watch:-}" ] || kill "$watch" 2>/dev/null || true
    lab_libvirtd_pid >/dev/null || lab_libvirtd_start
}

# write_leases [HOSTNAME [EXPIRY]]: a lease of P1, put in place as libvirt's helper does.
write_leases() {
    local file=/var/lib/libvirt/dnsmasq/virbr0.status
    jq -n --arg name "${1:-p1}" --argjson expiry "${2:-$(($(date +%s) + 3600))}" '[{"ip-address": "192.168.122.77",
        "mac-address": "52:54:00:00:00:05", "hostname": $name, "expiry-time": $expiry}]' >$file.new
    mv $file.new $file
}

# following VNAT-WORD...: vnat WORD... in the background, writing to $out and $out.err; $watch is its pid.
following() {
    vnat "$@" >"$out" 2>"$out.err" </dev/null 3>&- &
    watch=$!
    lab_wait_for 10 test -s "$out"
}

# ended SECONDS: what follows ends within that time; its exit code is in $code.
ended() {
    lab_wait_for "$1" lab_not running "$watch"
    code=0
    wait "$watch" || code=$?
    watch=
}
running() { [ -e "/proc/$1/exe" ]; }

# said WORDS...: $out has a line with each of them.
said() { lab_wait_for 10 grep -qE -- "$*" "$out"; }

tap_of() { virsh -q domiflist "$1" | awk 'NR == 1 {print $1}'; }

sorted() { jq -cS '[.interfaces[]] | sort_by(.domain_uuid, .mac, .tap)[]'; }

# A finding is a problem when it has stood for a second: in the first line it is not yet.
settled() { sorted | jq -cS 'del(.problems)'; }

# ---------------------------------------------------------------------------------------------------- the beginning

@test "the first line is the snapshot: the map, and the networks as net-list says" {
    expect 0 watch --json --count 0
    [ -z "$stderr" ]
    [ "${#lines[@]}" -eq 1 ]
    [ "$(json '[.type, .seq, .schema, .host, .uri] | join(" ")')" = 'snapshot 1 1 labhost qemu:///system' ]
    [ "$(json '[.sources.libvirt, .sources.links, .sources.leases] | unique | join(" ")')" = live ]
    same "$(vnat map --json | settled)" "$(settled <<<"$output")"
    wanted=$(vnat net-list --all --json | jq -cS '[.networks[] | del(.dnsmasq, .nat)]')
    same "$wanted" "$(json '[.networks[] | del(.dnsmasq, .nat)]' -cS)"
    expect 0 watch --count 0
    has "$output" 'default' 'virbr0, 192.168.122.1/24' "P1 $(tap_of P1) is on virbr0 (default), 52:54:00:00:00:05, 192.168.122.77 (p1)" \
        'stray is on virbr0 (default), no domain claims it'
}

@test "every line follows docs/schema, and the lines applied to the snapshot give the map" {
    virsh -q net-define <(sed 's/default/other/; s/virbr0/virbr9/; /<uuid>/d; /<mac /d; s/192\.168\.122/192.168.129/g' \
        <(virsh net-dumpxml default)) >/dev/null
    following watch --json
    virsh -q net-start other >/dev/null
    virsh -q attach-interface P1 network other --mac 52:54:00:00:00:15 --live >/dev/null
    write_leases new
    lab_guest_paused P2 default 52:54:00:00:00:06
    ip link set stray down
    ip link set stray name strange up
    virsh -q destroy P2 >/dev/null
    virsh -q net-destroy other >/dev/null
    virsh -q net-undefine other >/dev/null
    ip link set strange down
    ip link set strange name stray up
    for kind in network.started network.stopped network.undefined interface.added interface.changed interface.removed lease.renewed \
        check.raised; do
        said "\"type\": ?\"$kind\""
    done
    # What is past that is the map.
    lab_wait_for 5 as_map
    kill "$watch"
    ended 5
    [ "$code" -eq 143 ]
    virsh -q undefine P2 >/dev/null
    [ ! -s "$out.err" ]
    "$LAB_TOP/tests/integration/watch-map" --validate <"$out" >"$out.map"
    same "$(vnat map --json | sorted)" "$(sorted <"$out.map")"
}
as_map() {
    "$LAB_TOP/tests/integration/watch-map" <"$out" >"$out.map"
    [ "$(vnat map --json | sorted)" = "$(sorted <"$out.map")" ]
}

@test "--no-snapshot begins with the first change, and --count counts lines" {
    following_none watch --json --no-snapshot --count 2
    lab_wait_for 10 tells write_leases
    ended 10
    [ "$code" -eq 0 ]
    [ "$(wc -l <"$out")" -eq 2 ]
    [ "$(jq -s '[.[].type] | index("snapshot")' "$out")" = null ]
    following watch --count 1
    before=$(wc -l <"$out")
    lab_wait_for 10 tells write_leases
    ended 10
    [ "$(wc -l <"$out")" -gt "$before" ]
}
following_none() {
    vnat "$@" >"$out" 2>"$out.err" </dev/null 3>&- &
    watch=$!
}
# tells CHANGE: makes it until something is told or the watcher has ended. (Nobody knows when it listens.)
tells() {
    "$1" "n$RANDOM"
    ! running "$watch"
}

@test "--for: it ends by itself, with exit code 0" {
    begin=${EPOCHREALTIME/./}
    expect 0 watch --for 0.5
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    [ "$took" -ge 500 ]
    [ "$took" -le 30000 ]
    [ -n "$output" ]
}

@test "what libvirt has no event for is told at once: it writes it down" {
    tap=$(tap_of P1)
    inode=$(stat -c %i /run/libvirt/qemu/P1.xml)
    following watch --json
    for state in down up; do
        virsh -q domif-setlink P1 "$tap" $state
        changed interface link "\"$state\""
    done
    virsh -q net-autostart default
    changed network autostart true
    virsh -q net-autostart --disable default
    changed network autostart false
    host="<host mac='52:54:00:00:00:99' ip='192.168.122.99'/>"
    range="<range start='192.168.122.100' end='192.168.122.110'/>"
    virsh -q net-update default add ip-dhcp-host "$host" --live
    virsh -q net-update default delete ip-dhcp-range "<range start='192.168.122.2' end='192.168.122.254'/>" --live
    virsh -q net-update default add ip-dhcp-range "$range" --live
    lab_wait_for 10 has_range 192.168.122.100
    virsh -q net-update default delete ip-dhcp-range "$range" --live
    virsh -q net-update default add ip-dhcp-range "<range start='192.168.122.2' end='192.168.122.254'/>" --live
    virsh -q net-update default delete ip-dhcp-host "$host" --live
    lab_wait_for 10 has_range 192.168.122.2
    # Who reads a domain makes libvirt write nothing: or a hint would make the next.
    [ "$(stat -c %i /run/libvirt/qemu/P1.xml)" != "$inode" ]
    inode=$(stat -c %i /run/libvirt/qemu/P1.xml)
    for _ in 1 2 3; do virsh dumpxml P1 >"$out.xml"; done
    [ "$(stat -c %i /run/libvirt/qemu/P1.xml)" = "$inode" ]
    lacks "$(cat "$out")" audit.mismatch resync
    kill "$watch"
    ended 5
}
# changed OBJECT FIELD VALUE: a line told so. has_range START: the last one of a network has that range.
changed() { lab_wait_for 10 tells_field "$@"; }
tells_field() {
    [ "$(jq -c --arg type "$1.changed" --arg field "$2" 'select(.type == $type and .changes[$field]).changes[$field][1]' \
        "$out" 2>/dev/null | tail -n 1)" = "$3" ]
}
has_range() {
    [ "$(jq -r 'select(.network.name == "default").network.ips[0].dhcp.ranges[0].start' "$out" 2>/dev/null | tail -n 1)" = "$1" ]
}

# ------------------------------------------------------------------------------------------------------- in words

@test "a guest's life in words" {
    following watch
    begin=${EPOCHREALTIME/./}
    lab_guest_ipxe PXE default 52:54:00:00:00:03
    said '^[0-9:]{8} PXE vnet[0-9]+ is on virbr0'
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    tap=$(tap_of PXE)
    said "^[0-9:]{8} PXE $tap got 192\.168\.122\.[0-9]+.*, lease (1 h|59 min)"
    lab_guest_stop PXE
    said "^[0-9:]{8} PXE $tap is gone"
    grep -qE "^[0-9:]{8} PXE $tap is on virbr0 \(default\), 52:54:00:00:00:03" "$out"
    # Once each, and nothing of a port that nobody claims: its guest was on the way (if it came in time).
    [ "$(grep -c "PXE $tap is on " "$out")" -eq 1 ]
    [ "$(grep -c "PXE $tap is gone" "$out")" -eq 1 ]
    [ "$took" -gt 900 ] || lacks "$(grep -F "$tap" "$out")" 'no domain claims'
}

@test "networks, taps, leases and findings in words; guests' names stay words" {
    tap=$(tap_of P1)
    following watch
    write_leases $'evil\e[31m\xe2\x80\xae'
    said "P1 $tap renewed 192\.168\.122\.77 \(evil\\\\x1b\[31m"
    ip link set "$tap" nomaster
    said "P1 $tap left virbr0 \(default\)"
    said 'tap-orphaned'
    ip link set "$tap" master virbr0
    said "P1 $tap is on virbr0 \(default\)"
    virsh -q net-destroy default >/dev/null
    said 'default stopped'
    vnat -q net-start default
    said 'default started: virbr0, 192\.168\.122\.1/24'
    ip link set "$tap" master virbr0
    ip link set stray master virbr0
    virsh -q resume P1 >/dev/null
    said "P1 $tap is running"
    virsh -q suspend P1 >/dev/null
    said "P1 $tap is paused"
    kill -TERM "$watch"
    ended 5
    clean "$(cat "$out" "$out.err")"
    lacks "$(cat "$out")" $'\e'
    [ ! -s "$out.err" ]
    # In colour where it is asked for.
    expect 0 --color always watch --count 0
    has "$output" $'\e['
}

@test "a guest that is plugged into another network: one line" {
    vnat -q net-start place --template isolated
    tap=$(tap_of P1)
    following watch
    vnat -q connect P1 place --interface "$tap" --live
    said "P1 $tap moved from virbr0 \(default\) to virbr[0-9]+ \(place\)"
    vnat -q connect P1 default --interface "$tap" --live
    said "P1 $tap moved from virbr[0-9]+ \(place\) to virbr0 \(default\)"
    lacks "$(cat "$out")" "P1 $tap left" 'is plugged into'
    vnat -q net-destroy place
    virsh -q net-undefine place
}

# ---------------------------------------------------------------------------------------------------------- ends

@test "SIGINT and SIGTERM end it at once: 128 and the signal, and the last line is whole" {
    for signal in INT:130 TERM:143; do
        following watch --json
        kill -"${signal%:*}" "$watch"
        ended 5
        [ "$code" -eq "${signal#*:}" ]
        [ ! -s "$out.err" ]
        jq -e .seq "$out" >/dev/null
    done
}

@test "a reader that goes ends it, also while nothing happens; a full disk and a closed stream are said" {
    run timeout 60 bash -c 'set -o pipefail; vnat watch --json | head -n 1 >/dev/null'
    [ "$status" -eq 141 ]
    [ -z "$output" ]
    run timeout 60 bash -c 'vnat watch >/dev/full'
    [ "$status" -eq 1 ]
    has "$output" 'error: failed to write'
    run timeout 60 bash -c 'vnat watch --json >&-'
    [ "$status" -eq 1 ]
    # A reader that is there and wants more.
    run timeout 60 bash -c 'vnat watch --json --count 0 | jq -r .type'
    [ "$output" = snapshot ]
}

@test "a standard output that does not block loses no line" {
    # Two pages, and nobody reads before all is told.
    python3 - "$out" <<-'PYTHON' 3>&-
	import fcntl, os, subprocess, sys
	ours, its = os.pipe()
	fcntl.fcntl(its, fcntl.F_SETPIPE_SZ, 8192)
	fcntl.fcntl(its, fcntl.F_SETFL, os.O_WRONLY | os.O_NONBLOCK)
	watch = subprocess.Popen(["vnat", "watch", "--json", "--count", "40"], stdout=its)
	os.close(its)
	data = os.read(ours, 1 << 16)
	for mtu in range(1400, 1450):
	    subprocess.run(["ip", "link", "set", "virbr0", "mtu", str(mtu)], check=True)
	while piece := os.read(ours, 1 << 16):
	    data += piece
	    subprocess.run(["ip", "link", "set", "virbr0", "mtu", str(1400 + len(data) % 50)], check=True)
	open(sys.argv[1], "wb").write(data)
	sys.exit(watch.wait())
	PYTHON
    ip link set virbr0 mtu 1500
    [ "$(jq -s 'map(.seq) == [range(1; 42)]' "$out")" = true ]
}

@test "libvirtd away at the start: exit 4, and what to do; hung: exit 4 at the deadline" {
    kill -STOP "$(lab_libvirtd_pid)"
    expect 4 --timeout 3 watch
    [ -z "$output" ]
    has "$stderr" 'error: ' 'hint: '
    kill -CONT "$(lab_libvirtd_pid)"
    lab_libvirtd_stop
    for words in watch 'watch --json' 'watch --no-snapshot'; do
        # shellcheck disable=SC2086 # words they are
        expect 4 $words
        [ -z "$output" ]
        has "$stderr" "error: failed to connect to 'qemu:///system'" libvirt-sock 'hint: systemctl start'
    done
    lab_libvirtd_start
}

@test "what is no option, no number, or no host that changes: exit 2" {
    for words in 'watch default' 'watch --count x' 'watch --count -1' 'watch --for x' 'watch --for -1' 'watch --for 0' 'watch --nonsense' \
        "--replay $LAB_TOP/tests/cases/demo-guest/capture watch" 'wait' 'wait P1 P2' 'wait P1 --for nonsense' 'wait P1 --for port:0' \
        'wait P1 --for port:65536' 'wait P1 --timeout x' "--replay $LAB_TOP/tests/cases/demo-guest/capture wait VM1"; do
        # shellcheck disable=SC2086
        expect 2 $words
        [ -z "$output" ]
        has "$stderr" 'error: '
    done
}

# --------------------------------------------------------------------------------------------------------- others

@test "without rights: the same map, and it follows" {
    for user in operator visitor; do
        wanted=$(vnat map --json | settled)
        run --separate-stderr lab_as $user vnat watch --json --count 0
        [ "$status" -eq 0 ]
        same "$wanted" "$(settled <<<"$output")"
    done
    lab_as visitor vnat watch --json >"$out" 2>"$out.err" </dev/null 3>&- &
    watch=$!
    said snapshot
    write_leases visited
    said '"type": ?"lease.renewed".*visited'
    ip link set stray down
    said '"type": ?"interface.changed".*stray'
    ip link set stray up
    [ ! -s "$out.err" ]
}

@test "another driver: what it has not is absent, and it follows the rest" {
    expect 0 -c test:///default watch --json --count 0
    "$LAB_TOP/tests/integration/watch-map" --validate <<<"$output" >/dev/null
    [ "$(json '.sources.links')" = absent ]
    [ "$(json '.interfaces | length')" -ge 1 ]
    # What could be tried is for that host.
    expect 0 -c test:///default watch --no-snapshot --count 1
    has "$output" 'try: vnat -c test:///default net-autostart default'
    expect 0 -c test:///default watch --json --no-snapshot --count 1
    [ "$(json .finding.remedy)" = 'vnat -c test:///default net-autostart default' ]
    lab_test_domains 20 "$LAB_DIR/world.xml"
    expect 0 -c "$(lab_test_daemon "$LAB_DIR/world.xml")" watch --json --count 0
    [ "$(json '.interfaces | length')" -eq 20 ]
}
