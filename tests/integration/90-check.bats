#!/usr/bin/env bats
# `vnat check`: silent on a host where all is well, and for each fault that can be made here exactly that finding, which is
# gone when the fault is.

setup_file() {
    load helpers
    vnat -q net-start default --autostart
    vnat -q net-start second --template nat --autostart
    lab_guest_paused P1 default 52:54:00:00:00:05
    lab_guest_ipxe I1 default 52:54:00:00:00:02
    lab_guest_linux L1 default 52:54:00:00:00:01 l1
    lab_guest_wait L1 30 >/dev/null
    lab_wait_for 30 lab_leased virbr0 52:54:00:00:00:01 52:54:00:00:00:02
    # Frames of a guest that boots keep its bridge's ports in doubt; from here on nothing moves by itself.
    lab_wait_for 10 quiet
}

setup() {
    load helpers
    status_file=/var/lib/libvirt/dnsmasq/virbr0.status
    second=$(bridge_of second)
    tap=$(tap_of P1)
}

# What a test that failed leaves behind is no fault of the next one's.
teardown() {
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    umount -n /proc/sys/net/netfilter/nf_conntrack_max 2>/dev/null || true
    ip link delete elsewhere 2>/dev/null || true
    [ ! -s "$LAB_DIR/status.good" ] || cp "$LAB_DIR/status.good" "$status_file"
    if pid=$(rival); then kill "$pid"; fi
    rm -f /etc/libvirt/qemu/networks/twin.xml
    lab_guest_stop P2
    lab_libvirtd_restart
    vnat -q net-start second --autostart || true
    vnat -q repair --apply || true
}

quiet() { vnat -q check >/dev/null; }
bridge_of() { virsh -q net-info "$1" | awk '$1 == "Bridge:" {print $2}'; }
tap_of() { virsh -q domiflist "$1" | awk '{print $1; exit}'; }
reload() { kill -HUP "$(lab_libvirtd_pid)"; }

# found: the faults that `vnat check` tells of, "id object" a line, sorted; what is unknown is no fault.
found() {
    vnat check --json | jq -r '.findings[] | select(.level == "warning" or .level == "critical") | "\(.id) \(.object.name)"' |
        sort
}

# raised ID OBJECT LEVEL PART...: that is the only fault, of that level, and each PART stands in its text.
raised() {
    local id=$1 object=$2 level=$3 code=1
    shift 3
    [ "$level" != critical ] || code=2
    run --separate-stderr vnat check
    same "$id $object" "$(found)" || return
    [ "$status" -eq "$code" ] && has "$output" "$level: $id: " '  try: ' "$@"
}

# cleared: nothing is left of it; what mends itself is waited for.
cleared() {
    lab_wait_for 10 quiet || { vnat check; return 1; }
    expect 0 check
}

# ------------------------------------------------------------------------------------------------------------- well

@test "a healthy host: no finding, whoever asks, in every form" {
    expect 0 check
    has "$output" 'ok: ' ' checks found nothing'
    expect 0 check default
    expect 0 -q check
    [ -z "$output$stderr" ]
    expect 0 check --json
    [ "$(json '.findings | length')" = 0 ]
    [ "$(json .summary.level)" = ok ]
    expect 0 check --format nagios
    has "$output" 'VNAT OK - ' "'dhcp-pool-low default ipv4'=0%;79;94;0;100" 'critical=0;;;0'
    [ "${#lines[@]}" -eq 1 ]
    # Without rights: what they are missing for is unknown, and nothing is wrong.
    for user in operator visitor; do
        run lab_as "$user" vnat check
        [ "$status" -eq 3 ]
        has "$output" 'unknown: ' CAP_NET_ADMIN CAP_SYS_PTRACE 'try: sudo vnat check' '0 critical, 0 warning'
        run lab_as "$user" vnat -q check
        [ "${#lines[@]}" -eq 1 ]
    done
}

@test "an empty environment, no terminal, closed descriptors" {
    program=$(command -v vnat)
    run env -i "$program" check </dev/null
    [ "$status" -eq 0 ]
    run env -i "$program" check <&-
    [ "$status" -eq 0 ]
    run bash -c "$program check >&-"
    [ "$status" -eq 3 ]
    run bash -c "$program check >/dev/full"
    [ "$status" -eq 3 ]
}

@test "called as check_vnat it is a plugin, and wrong words are unknown" {
    ln -sf "$(command -v vnat)" "$LAB_DIR/check_vnat"
    run "$LAB_DIR/check_vnat"
    [ "$status" -eq 0 ]
    [[ $output == 'VNAT OK - '*' | '* ]]
    run "$LAB_DIR/check_vnat" nosuch
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == 'VNAT CRITICAL - network-missing: network nosuch is not defined | '* ]]
    for words in '--bogus' '--id nosuch' '-w dhcp-pool-low' '-w dhcp-pool-low=x' '-c tap-down=1' '-w nosuch=1' '--format xml' \
        '--grace soon' '--json --format text'; do
        # shellcheck disable=SC2086 # words they are
        expect 3 check $words
        [ -z "$output" ]
        has "$stderr" 'error: '
    done
    # A global option too, which is read before it is known which command is meant.
    expect 3 --timeout soon check
    expect 3 --bogus check default
    expect 2 --timeout soon map
    run --separate-stderr "$LAB_DIR/check_vnat" --bogus
    [ "$status" -eq 3 ]
    # What monitoring sets of the global options, wherever it stands; -c and -w are the check's.
    run "$LAB_DIR/check_vnat" default -c dhcp-pool-low=90 -t 70
    [ "$status" -eq 0 ]
    run "$LAB_DIR/check_vnat" --timeout 70 default
    [ "$status" -eq 0 ]
    run "$LAB_DIR/check_vnat" default --connect=qemu:///system --timeout=70
    [ "$status" -eq 0 ]
    run "$LAB_DIR/check_vnat" -t soon
    [ "$status" -eq 3 ]
    run "$LAB_DIR/check_vnat" -t
    [ "$status" -eq 3 ]
    run "$LAB_DIR/check_vnat" -V
    [ "$status" -eq 0 ]
    same "$(vnat --version)" "$output"
    kill -STOP "$(lab_libvirtd_pid)"
    begun=${EPOCHREALTIME/./}
    run "$LAB_DIR/check_vnat" -t 3
    took=$(((${EPOCHREALTIME/./} - begun) / 1000))
    kill -CONT "$(lab_libvirtd_pid)"
    [ "$status" -eq 2 ]
    [ "$took" -le 30000 ]
    cleared
    expect 3 --replay /nonexistent check
}

@test "twenty at once: each ends in its time, none waits for another" {
    exec 8>/run/vnat.lock
    flock 8
    pids=()
    for i in {1..20}; do
        vnat --timeout 120 check >"$LAB_DIR/check.$i" 2>&1 8>&- 3>&- &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    exec 8>&-
    grep -L '^ok: ' "$LAB_DIR"/check.* | { ! grep .; }
}

# ------------------------------------------------------------------------------------------------------------- host

@test "libvirt-unreachable: nothing listens, it hangs, it lets nobody in" {
    lab_libvirtd_stop
    expect 2 check
    has "$output" 'critical: libvirt-unreachable: libvirt cannot be reached: nothing listens on its socket' libvirt-sock \
        'try: systemctl start libvirtd' 'unknown: '
    expect 2 -q check
    [ "${#lines[@]}" -eq 1 ]
    lab_libvirtd_start
    cleared
    kill -STOP "$(lab_libvirtd_pid)"
    begun=${EPOCHREALTIME/./}
    expect 2 --timeout 4 check
    took=$(((${EPOCHREALTIME/./} - begun) / 1000))
    kill -CONT "$(lab_libvirtd_pid)"
    has "$output" 'libvirt-unreachable: libvirt does not answer' 'socket /run/libvirt/libvirt-sock'
    [ "$took" -le 30000 ]
    cleared
    chmod 700 /run/libvirt/libvirt-sock /run/libvirt/libvirt-sock-ro
    run lab_as visitor vnat check
    chmod 777 /run/libvirt/libvirt-sock /run/libvirt/libvirt-sock-ro
    [ "$status" -eq 2 ]
    has "$output" 'libvirt-unreachable: libvirt does not let this user in' 'Permission denied'
}

@test "libvirt-unreachable on another host: which one, by what, and no word of this one" {
    expect 2 -c qemu+tcp://127.0.0.1:1/system check
    has "$output" 'libvirt on 127.0.0.1 cannot be reached by tcp: nothing listens for it there' 'try: on that host: systemctl status'
    lacks "$output" '/run/libvirt' 'try: systemctl'
    expect 2 -c qemu+ssh://root@127.0.0.1/system check
    has "$output" 'libvirt on 127.0.0.1 cannot be reached by ssh' 'try: ssh root@127.0.0.1 virsh -c qemu:///system version'
    lacks "$output" '/run/libvirt' 'try: systemctl'
}

@test "libvirtd killed while it is asked: an answer in time, never that all is well" {
    # Stopped first, so that it is in the middle of a look that it is killed.
    check_while_killed 3 STOP
    [ "$status" -eq 2 ]
    [ "$(json '.findings[0].id')" = libvirt-unreachable ]
    [ "$(json '[.findings[] | select(.level == "unknown")] | length > 20')" = true ]
    # And as it comes; a look that was over by then may have found all well.
    for _ in {1..4}; do
        check_while_killed 5 CONT
        [ "$status" -eq 0 ] ||
            [ "$(json '[.findings[] | select(.id == "libvirt-unreachable" or .level == "unknown")] | length > 0')" = true ]
    done
    cleared
}
# check_while_killed TIMEOUT SIGNAL: the daemon gets the signal, and is killed when a check is connected to it. Sets status
# and output; fails if it took much longer than its deadline.
check_while_killed() {
    local begun=${EPOCHREALTIME/./} checking
    kill -"$2" "$(lab_libvirtd_pid)"
    vnat --timeout "$1" check --json >"$LAB_DIR/killed" 3>&- &
    checking=$!
    lab_wait_for 5 asks_or_ended "$checking"
    lab_libvirtd_kill
    status=0
    wait "$checking" || status=$?
    [ "$(((${EPOCHREALTIME/./} - begun) / 1000))" -le $(($1 * 1000 + 30000)) ] || return
    output=$(cat "$LAB_DIR/killed")
    lab_libvirtd_start
}
# Whether that process has a connection by a socket of this host, which is libvirt's, or has ended.
asks_or_ended() {
    local inode
    [ -e "/proc/$1/exe" ] || return 0
    for inode in $(find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n'); do
        ! ss -Hx state connected | grep -qw "$inode" || return 0
    done
    return 1
}

@test "conntrack-full: by limits, and the value for monitoring" {
    [ -e /proc/sys/net/netfilter/nf_conntrack_count ] || skip 'nothing is tracked here'
    expect 1 check --id conntrack-full -w conntrack-full=@0:100
    has "$output" 'warning: conntrack-full: connection tracking holds ' 'net.netfilter.nf_conntrack_max = '
    expect 2 check --format nagios -c conntrack-full=@0:100
    has "$output" 'VNAT CRITICAL - conntrack-full: ' "'conntrack-full'=" ';79;@100;0;100'
    cleared
}

@test "conntrack-full: a table of 400 that fills" {
    [ -e /proc/sys/net/netfilter/nf_conntrack_count ] || skip 'nothing is tracked here'
    # The limit is the machine's; in this lab it reads as a smaller one.
    echo 400 >"$LAB_DIR/conntrack-max"
    mount -n --bind "$LAB_DIR/conntrack-max" /proc/sys/net/netfilter/nf_conntrack_max
    conntrack -F 2>/dev/null
    cleared
    connections 1 330
    raised conntrack-full labhost warning ' of at most 400 connections' 'net.netfilter.nf_conntrack_max = 400'
    connections 331 390
    raised conntrack-full labhost critical ' of at most 400 connections'
    conntrack -F 2>/dev/null
    cleared
    umount -n /proc/sys/net/netfilter/nf_conntrack_max
}
# connections FIRST LAST: these are tracked too.
connections() {
    seq "$1" "$2" | sed 's,.*,-I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport & --dport 9 -t 300,' >"$LAB_DIR/connections"
    conntrack -R "$LAB_DIR/connections" >/dev/null 2>&1
}

# --------------------------------------------------------------------------------------------------------- networks

@test "network-missing, network-inactive, network-no-autostart" {
    expect 2 check defualt
    has "$output" 'critical: network-missing: network defualt is not defined' 'there is a network default'
    expect 2 check nat-dns --json
    [ "$(json '.findings[0].remedy')" = 'vnat net-start nat-dns' ]
    virsh -q net-destroy second
    raised network-inactive second critical 'try: vnat net-start second'
    vnat -q net-autostart --disable second
    raised network-inactive second warning
    expect 2 check second
    expect 0 check default
    vnat -q net-start second
    raised network-no-autostart second warning 'try: vnat net-autostart second'
    vnat -q net-autostart second
    cleared
}

@test "bridge-missing, bridge-down, bridge-stale, bridge-stp-delay" {
    ip link set "$second" down
    raised bridge-down second critical "missing: $second is not up" "try: ip link set $second up"
    ip link set "$second" up
    cleared
    address=$(ip -j -4 address show "$second" | jq -r '.[0].addr_info[0] | "\(.local)/\(.prefixlen)"')
    ip address del "$address" dev "$second"
    found | grep -qx 'bridge-down second'
    expect 2 check --id bridge-down
    has "$output" "missing: address $address on $second" "try: ip address add $address dev $second"
    ip address add "$address" dev "$second"
    cleared
    ip link set "$second" type bridge forward_delay 1500
    raised bridge-stp-delay second warning 'silent for 30 s'
    ip link set "$second" type bridge forward_delay 200
    cleared
    ip link delete "$second"
    found | grep -qx 'bridge-missing second'
    expect 2 check --id bridge-missing
    has "$output" "network second is active, but its bridge $second does not exist" 'vnat net-destroy second && vnat net-start second'
    vnat -q net-destroy second
    ip link add "$second" type bridge
    same $'bridge-stale second\nnetwork-inactive second' "$(found)"
    ip link delete "$second"
    vnat -q net-start second
    cleared
}

@test "bridge-name-clash: two definitions, of which libvirt only sees the files" {
    # It refuses to define the second; a file that was copied is read when the daemon starts.
    virsh net-dumpxml --inactive second | sed -e '/<uuid>/d; /<mac /d' -e 's,<name>second<,<name>twin<,' \
        >/etc/libvirt/qemu/networks/twin.xml
    lab_libvirtd_restart
    run --separate-stderr vnat check --id bridge-name-clash --json
    [ "$status" -eq 2 ]
    same $'second\ntwin' "$(json '.findings[].object.name' | sort)"
    same "networks second and twin both name bridge $second" "$(json '.findings[] | select(.object.name == "second") | .message')"
    # Undefined by libvirt it would take the other's lease file with it.
    rm /etc/libvirt/qemu/networks/twin.xml
    lab_libvirtd_restart
    cleared
}

@test "dnsmasq-dead: killed, and another process with its number" {
    pid=$(lab_dnsmasq_pid default)
    kill -KILL "$pid"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    raised dnsmasq-dead default critical "pid file says $pid" dnsmasq/default.conf
    echo 1 >/run/libvirt/network/default.pid
    raised dnsmasq-dead default critical 'pid file says 1,'
    rm /run/libvirt/network/default.pid
    raised dnsmasq-dead default critical 'no pid file'
    reload
    cleared
}

@test "dnsmasq-lost: its pid file gone or overwritten, it serves on; found by whoever asks, and in a capture" {
    local file=/run/libvirt/network/default.pid pid
    pid=$(lab_dnsmasq_pid default)
    rm "$file"
    raised dnsmasq-lost default warning "pid $pid has --conf-file=" "$file is missing, or holds no number" "echo $pid >$file"
    expect 0 status default --json
    [ "$(json '.networks[0].dnsmasq | "\(.pid) \(.running) \(.listening)"')" = "$pid true true" ]
    run lab_as visitor vnat check --id dnsmasq-lost
    has "$output" "(pid $pid)"
    expect 0 capture "$LAB_DIR/lost"
    expect 1 --replay "$LAB_DIR/lost" check --id dnsmasq-lost --id port-conflict --id dnsmasq-dead
    has "$output" "warning: dnsmasq-lost: dnsmasq of network default (pid $pid)" 'warning: 0 critical, 1 warning, 0 unknown, 2 ok'
    echo garbage >"$file"
    raised dnsmasq-lost default warning "$file is missing, or holds no number"
    echo $$ >"$file"
    raised dnsmasq-lost default warning "$file says $$"
    # Killed, it is dead: its helper, which looks the same, is not taken for it.
    rm "$file"
    kill -KILL "$pid"
    raised dnsmasq-dead default critical 'no pid file that names one, and no process with '
    reload
    cleared
}

# Its daemon restarted while the bridge is gone, libvirt forgets the network's dnsmasq, which gives its DNS sockets up and takes
# them again as soon as the bridge is back.
@test "port-conflict: the network's own dnsmasq, left behind, is named, also by net-start and repair" {
    local pid
    vnat -q net-start left --template isolated -Dbridge=left0 --autostart
    pid=$(lab_dnsmasq_pid left)
    ip link delete left0
    lab_libvirtd_restart
    if [ ! -e "/proc/$pid" ]; then
        vnat -q net-undefine left
        skip "this libvirt ends it"
    fi
    expect 2 check left
    has "$output" 'critical: port-conflict: a dnsmasq of network left itself was left behind' \
        "pid $pid has --conf-file=/var/lib/libvirt/dnsmasq/left.conf: libvirt has forgotten it" "try: kill $pid && vnat net-start left"
    expect 1 net-start left
    has "$stderr" "dnsmasq (pid $pid, --conf-file=/var/lib/libvirt/dnsmasq/left.conf) of this network was left behind" \
        "hint: kill $pid && vnat net-start left"
    expect 1 repair left --apply
    has "$output" "dnsmasq (pid $pid, " "try: kill $pid && vnat net-start left"
    kill "$pid"
    expect 0 net-start left
    cleared
    vnat -q net-destroy left
    vnat -q net-undefine left
}

@test "names that XML escapes: libvirt escapes them in the pid file's name too" {
    local name pid
    for name in "it's" 'a"b' 'x&y<z>' 'back\slash' 'with space' 'n\u00e4me'; do
        name=$(printf '%b' "${name//back\\/back\\\\}")
        jq -rn --arg name "$name" '"<network><name>\($name | @html)</name><bridge name=\"odd0\"/><ip address=\"10.77.0.1\" prefix=\"24\">
            <dhcp><range start=\"10.77.0.2\" end=\"10.77.0.9\"/></dhcp></ip></network>"' >"$LAB_DIR/odd.xml"
        virsh -q net-create "$LAB_DIR/odd.xml"
        expect 0 check
        expect 0 status "$name" --json
        [ "$(json '.networks[0].dnsmasq | "\(.running) \(.listening)"')" = 'true true' ]
        virsh -q net-destroy "$name"
    done
}

@test "remedies can be pasted: a quote in a name, and another connection" {
    local remedy word="'it'\"'\"'s'" vnat='vnat -c qemu:///system'
    virsh -q net-define /dev/stdin <<XML
<network><name>it&apos;s</name><bridge name='odd0'/><ip address='10.77.0.1' prefix='24'/></network>
XML
    virsh -q net-start "it's"
    ip link add elsewhere type veth peer name elsewhere-end
    ip link set elsewhere-end up
    ip link set elsewhere up
    ip route add 10.77.0.128/25 dev elsewhere
    expect 2 -c qemu:///system check --id subnet-overlap "it's"
    ip link del elsewhere
    remedy=$(sed -n 's/^  try: //p' <<<"$output")
    same "$vnat net-destroy $word && $vnat net-undefine $word && $vnat net-start --template TEMPLATE -D subnet=auto $word" "$remedy"
    eval "${remedy%% && "$vnat" net-start *}"
    run ! virsh net-info "it's"
    cleared
}

@test "dnsmasq-not-listening: it lives, and has no DNS" {
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    VIR_BRIDGE_NAME=virbr0 dnsmasq --conf-file=/var/lib/libvirt/dnsmasq/default.conf --port=0 --leasefile-ro \
        --dhcp-script=/usr/lib/libvirt/libvirt_leaseshelper 3>&-
    lab_wait_for 5 lab_dnsmasq_pid default
    raised dnsmasq-not-listening default critical 'missing: udp 192.168.122.1:53' 'missing: tcp 192.168.122.1:53'
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    reload
    cleared
}

@test "port-conflict: a rival on the wildcard" {
    lab_detached python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 53))
time.sleep(600)'
    lab_wait_for 5 rival
    same $'port-conflict default\nport-conflict second' "$(found)"
    expect 1 check default
    has "$output" 'udp 0.0.0.0:53 (pid ' ', python3)'
    # Of a network that is not active it is what will keep it from being.
    vnat -q net-destroy second
    expect 2 check --id port-conflict
    has "$output" 'critical: port-conflict: another process holds a port that dnsmasq of network second needs' 'warning: port-conflict: '
    vnat -q net-start second || true
    kill "$(rival)"
    cleared
}
rival() { ss -Hulnp 'sport = :53' | sed -n 's/.*"python3",pid=\([0-9]*\).*/\1/p' | grep .; }

@test "nat-rules-missing, forward-rules-missing" {
    lose_rules nat
    same $'nat-rules-missing default\nnat-rules-missing second' "$(found)"
    expect 2 check default
    has "$output" 'critical: nat-rules-missing: no masquerade rule for network default' 'try: reload the network daemon'
    reload
    cleared
    lose_rules out
    same $'forward-rules-missing default\nforward-rules-missing second' "$(found | grep -v '^forward-blocked')"
    reload
    cleared
}

@test "subnet-overlap: a route of another device" {
    ip link add elsewhere type veth peer name elsewhere-end
    ip link set elsewhere-end up
    ip link set elsewhere up
    ip route add 192.168.122.128/25 dev elsewhere
    raised subnet-overlap default critical '192.168.122.128/25 of device elsewhere'
    ip route del 192.168.122.128/25 dev elsewhere
    # Wider than the subnet, and in a table of its own: what is more exact wins.
    ip route add 192.168.96.0/19 dev elsewhere table 77
    same $'subnet-overlap default\nsubnet-overlap second' "$(found)"
    expect 1 check default
    has "$output" 'warning: subnet-overlap: ' '192.168.96.0/19 of device elsewhere' 'route 192.168.96.0/19 dev elsewhere table 77'
    ip link delete elsewhere
    cleared
}

@test "dhcp-pool-low: many leases, and limits of one's own" {
    cp "$status_file" "$LAB_DIR/status.good"
    jq '. + [range(10; 215) | {"ip-address": "192.168.122.\(.)", "mac-address": "52:54:00:00:07:\(100 + . % 100 | tostring | .[1:])",
        "expiry-time": 0}]' "$LAB_DIR/status.good" >"$status_file"
    raised dhcp-pool-low default warning 'of 253 addresses are leased'
    expect 2 check -c dhcp-pool-low=80
    expect 0 check -w dhcp-pool-low=90
    expect 1 check --all
    has "$output" 'ok: lease-orphaned: 192.168.122.20 on network default is leased to ' ', which no defined domain has'
    cp "$LAB_DIR/status.good" "$status_file"
    cleared
}

@test "leases-unreadable: damaged, and gone" {
    cp "$status_file" "$LAB_DIR/status.good"
    echo garbage >"$status_file"
    raised leases-unreadable default warning "file $status_file" 'unknown: '
    rm "$status_file"
    found | grep -qx 'leases-unreadable default'
    cp "$LAB_DIR/status.good" "$status_file"
    cleared
}

# ------------------------------------------------------------------------------------------------------- interfaces

@test "tap-orphaned, tap-down, tap-unclaimed, tap-missing" {
    ip link set "$tap" nomaster
    raised tap-orphaned "$tap" critical "master of $tap: none" "try: ip link set $tap master virbr0"
    ip link set "$tap" master virbr0
    ip link set "$tap" down
    raised tap-down "$tap" warning "try: ip link set $tap up"
    ip link set "$tap" up
    cleared
    virsh -q domif-setlink P1 "$tap" down
    raised tap-down "$tap" warning "try: virsh domif-setlink P1 $tap up"
    virsh -q domif-setlink P1 "$tap" up
    ip link add stray type veth peer name stray-peer
    ip link set stray master virbr0
    raised tap-unclaimed stray warning 'kind veth'
    ip link delete stray
    cleared
    lab_guest_paused P2 default 52:54:00:00:00:06
    gone=$(tap_of P2)
    ip link delete "$gone"
    raised tap-missing "$gone" critical "P2's tap $gone does not exist"
    lab_guest_stop P2
    cleared
}

@test "duplicate-mac, mac-mismatch" {
    lab_guest_paused P2 default 52:54:00:00:00:05
    same "$(printf 'duplicate-mac %s\n' "$(tap_of P1)" "$(tap_of P2)" | sort)" "$(found)"
    lab_guest_stop P2
    cleared
    bridge fdb add 52:54:00:00:00:77 dev "$tap" master dynamic
    raised mac-mismatch "$tap" warning "learned on $tap: 52:54:00:00:00:77"
    bridge fdb del 52:54:00:00:00:77 dev "$tap" master
    cleared
}

@test "address-unleased, duplicate-address: who answers has no lease" {
    l1=$(tap_of L1)
    lab_guest_run L1 'ip address add 192.168.122.200/24 dev eth0; ping -c 1 -W 5 -I 192.168.122.200 192.168.122.1'
    # The kernel has not asked yet whether that guest has it: the check waits until it has.
    raised address-unleased "$l1" warning "L1 uses 192.168.122.200 of default's DHCP range without a lease"
    # The same address, leased to P1.
    cp "$status_file" "$LAB_DIR/status.good"
    jq '. + [{"ip-address": "192.168.122.200", "mac-address": "52:54:00:00:00:05", "expiry-time": 0}]' \
        "$LAB_DIR/status.good" >"$status_file"
    raised duplicate-address "$tap" critical '192.168.122.200 is claimed by two MACs' \
        'lease: 52:54:00:00:00:05; answers now: 52:54:00:00:00:01'
    # Two clones of one machine-id: one client-id.
    jq '[.[] | if ."mac-address" == "52:54:00:00:00:01" then ."client-id" = "ff:01" else . end] +
        [{"ip-address": "192.168.122.201", "mac-address": "52:54:00:00:00:05", "client-id": "ff:01", "expiry-time": 0}]' \
        "$LAB_DIR/status.good" >"$status_file"
    lab_guest_run L1 'ip address del 192.168.122.200/24 dev eth0'
    ip neighbour flush dev virbr0
    same "$(printf 'duplicate-address %s\n' "$tap" "$l1" | sort)" "$(found)"
    expect 2 check
    has "$output" 'use one DHCP client-id' 'client-id ff:01' '/etc/machine-id'
    cp "$LAB_DIR/status.good" "$status_file"
    cleared
}

@test "mtu-mismatch: a tap, and the way out" {
    ip link set virbr0 mtu 1500
    ip link set "$tap" mtu 1400
    ip link set virbr0 mtu 1500
    raised mtu-mismatch "$tap" warning "MTU of $tap is 1400, of its bridge virbr0 1500"
    ip link set "$tap" mtu 1500
    cleared
    uplink=$(ip -j route show default | jq -r '.[0].dev')
    ip link set "$uplink" mtu 1400
    same $'mtu-mismatch default\nmtu-mismatch second' "$(found)"
    run lab_as operator vnat check --id mtu-mismatch
    [ "$status" -eq 3 ]
    iptables -t mangle -A FORWARD -o "$uplink" -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
    cleared
    iptables -t mangle -D FORWARD -o "$uplink" -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
    ip link set "$uplink" mtu 1500
    cleared
}

@test "no-address: a guest that runs and never asked, after its grace" {
    virsh -q resume P1
    lab_wait_for 10 fires
    expect 1 check --grace 0
    has "$output" 'warning: no-address: P1 runs for ' 'has no address on default' 'try: virsh console P1'
    virsh -q suspend P1
    cleared
}
fires() { [ "$(vnat check --id no-address --grace 0 --json | jq -r '.findings[].object.name')" = "$tap" ]; }

@test "a fault that comes and goes while it is looked at is not told" {
    # shellcheck disable=SC2016 # that shell expands them
    lab_detached bash -c 'while [ ! -e "$LAB_DIR/stop" ]; do
        i=$((i + 1)); printf "%s\n" "link add b$i type veth peer name p$i" "link set b$i master virbr0" "link delete b$i" |
            ip -batch -; done'
    for _ in {1..10}; do
        vnat check --json | jq -r '.findings[].id' >>"$LAB_DIR/blinked"
    done
    touch "$LAB_DIR/stop"
    [ ! -s "$LAB_DIR/blinked" ]
    cleared
}
