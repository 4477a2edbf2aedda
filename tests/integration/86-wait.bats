#!/usr/bin/env bats
# vnat wait: a domain's address as soon as it has one, or which stage it is stuck in.

setup_file() {
    load helpers
    vnat -q net-start default
    lab_guest_linux VM1 default 52:54:00:00:00:01
    lab_guest_paused P1 default 52:54:00:00:00:05
}

setup() { load helpers; }

teardown() {
    [ -z "${waiting:-}" ] || kill "$waiting" 2>/dev/null || true
    lab_libvirtd_pid >/dev/null || lab_libvirtd_start
}

tap_of() { virsh -q domiflist "$1" | awk 'NR == 1 {print $1}'; }

# stuck WAIT-WORD...: exit 1 at its deadline, by which also a slow machine knows all there is to know; $stderr says why.
stuck() {
    local begin=${EPOCHREALTIME/./} took seconds=5
    expect 1 wait "$@" --timeout "$seconds"
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    [ -z "$output" ]
    has "$stderr" 'error: ' 'hint: '
    clean "$stderr"
    echo "it took $took ms"
    [ "$took" -ge $((seconds * 1000)) ]
    [ "$took" -le $((seconds * 1000 + 30000)) ]
}

@test "--for link: the tap, at once" {
    expect 0 wait VM1 --for link
    same "$(tap_of VM1)" "$output"
    expect 0 wait P1 --for link --timeout 100
    same "$(tap_of P1)" "$output"
}

@test "--for link of a guest without any tap: exit 1 at once" {
    lab_domain_xml U1 8 '' "<interface type='user'><mac address='52:54:00:00:00:07'/><rom enabled='no'/></interface>" \
        >"$LAB_DIR/U1.xml"
    virsh -q create --paused "$LAB_DIR/U1.xml" >/dev/null
    expect 1 wait U1 --for link --timeout 100
    [ -z "$output" ]
    has "$stderr" "error: no interface of domain 'U1' has a tap on a bridge" 'hint: vnat domiflist U1'
    virsh -q destroy U1 >/dev/null
}

@test "a guest that boots: its address, when it has it; then it is the same at once" {
    # It was started a moment ago, and boots for seconds.
    expect 0 wait VM1
    [ -z "$stderr" ]
    same "$(lab_guest_wait VM1 | cut -d/ -f1)" "$output"
    expect 0 wait "$(virsh domuuid VM1)" --timeout 100
    same "$(vnat ip VM1 | head -n 1)" "$output"
}

@test "--for port:N: the address that takes connections" {
    expect 0 wait VM1 --for port:80 --timeout 120
    same "$(vnat ip VM1 | head -n 1)" "$output"
    timeout 30 busybox wget -q -O - "http://$output/" || [ "$?" -eq 1 ]
    stuck VM1 --for port:81
    has "$stderr" 'port 81' "$(vnat ip VM1 | head -n 1)"
    # It opens while somebody waits.
    vnat wait VM1 --for port:81 >"$LAB_DIR/port" 2>&1 3>&- &
    waiting=$!
    lab_guest_run VM1 'busybox httpd -p 81 -h /root'
    lab_wait_for 10 test -s "$LAB_DIR/port"
    same "$(vnat ip VM1 | head -n 1)" "$(cat "$LAB_DIR/port")"
}

# follows PID: it has a watch on the lease files.
follows() { readlink "/proc/$1/fd/"* | grep -q inotify; }

@test "a lease that comes while somebody waits ends the waiting" {
    vnat wait P1 >"$LAB_DIR/lease" 2>&1 3>&- &
    waiting=$!
    lab_wait_for 5 follows "$waiting"
    [ ! -s "$LAB_DIR/lease" ]
    jq '. + [{"ip-address": "192.168.122.77", "mac-address": "52:54:00:00:00:05", "hostname": "p1", "expiry-time": 0}]' \
        /var/lib/libvirt/dnsmasq/virbr0.status >"$LAB_DIR/status"
    cp /var/lib/libvirt/dnsmasq/virbr0.status "$LAB_DIR/status.before"
    mv "$LAB_DIR/status" /var/lib/libvirt/dnsmasq/virbr0.status
    lab_wait_for 3 grep -qx 192.168.122.77 "$LAB_DIR/lease"
    code=0
    wait "$waiting" || code=$?
    [ "$code" -eq 0 ]
    mv "$LAB_DIR/status.before" /var/lib/libvirt/dnsmasq/virbr0.status
}

@test "stuck before it runs; it starts while somebody waits" {
    lab_guest_paused P2 default 52:54:00:00:00:06
    virsh -q destroy P2 >/dev/null
    stuck P2
    has "$stderr" 'does not run' 'virsh start P2'
    vnat wait P2 --for link >"$LAB_DIR/link" 2>&1 3>&- &
    waiting=$!
    virsh -q start --paused P2 >/dev/null
    lab_wait_for 5 test -s "$LAB_DIR/link"
    same "$(tap_of P2)" "$(cat "$LAB_DIR/link")"
    lab_guest_stop P2
}

# vanishes COMMAND [ARGUMENT...]: `vnat wait TR`, which waits, ends by it with the error of a domain that there is not.
vanishes() {
    vnat wait TR --timeout 100 >"$LAB_DIR/vanishes" 2>&1 3>&- &
    waiting=$!
    lab_wait_for 5 follows "$waiting"
    [ ! -s "$LAB_DIR/vanishes" ]
    "$@" >/dev/null
    lab_wait_for 5 test -s "$LAB_DIR/vanishes"
    code=0
    wait "$waiting" || code=$?
    [ "$code" -eq 1 ]
    expect 1 wait TR
    same "$stderr" "$(cat "$LAB_DIR/vanishes")"
    has "$stderr" "failed to get domain 'TR'"
}

@test "it vanishes while somebody waits: the error of a domain that there is not, at once" {
    lab_domain_xml TR 8 '' "$(lab_interface_xml default 52:54:00:00:00:08)" >"$LAB_DIR/TR.xml"
    virsh -q create --paused "$LAB_DIR/TR.xml" >/dev/null
    vanishes virsh -q destroy TR
    virsh -q "define $LAB_DIR/TR.xml; start --paused TR" >/dev/null
    vanishes virsh -q 'destroy TR; undefine TR'
    virsh -q define "$LAB_DIR/TR.xml" >/dev/null
    vanishes virsh -q undefine TR
    # While libvirtd is away nobody tells.
    virsh -q define "$LAB_DIR/TR.xml" >/dev/null
    vanishes forget_unseen TR
}

# forget_unseen DOMAIN: its definition goes while libvirtd does not run.
forget_unseen() {
    lab_libvirtd_stop
    rm "/etc/libvirt/qemu/$1.xml"
    lab_libvirtd_start
}

@test "stuck before its tap is on the bridge" {
    ip link set "$(tap_of P1)" nomaster
    stuck P1 --for link
    has "$stderr" "$(tap_of P1)" virbr0 "ip link set $(tap_of P1) master virbr0"
    ip link set "$(tap_of P1)" master virbr0
    expect 0 wait P1 --for link --timeout 100
}

@test "stuck before its first frame" {
    stuck P1
    has "$stderr" 'is paused' 'virsh resume P1'
}

# forwards TAP: its bridge lets it. shows WORD...: the last thing that the progress shows.
# rests PID: its main thread has not run for 1.5 s.
rests() {
    local now
    now=$(grep voluntary_ctxt_switches "/proc/$1/status")
    [ "$now" = "${then:-}" ] || { then=$now; since=${EPOCHREALTIME/./}; }
    [ $((${EPOCHREALTIME/./} - since)) -ge 1500000 ]
}
forwards() { bridge link show dev "$1" | grep -q 'state forwarding'; }
shows() { tr '\r' '\n' <"$LAB_DIR/progress" | tail -n 1 | grep -qF -- "$*"; }

@test "a paused guest: it is waited for to run; the first frame is shown when it comes, also right after another one" {
    tap=$(tap_of P1)
    ip link add other type veth peer name rehto
    ip link set rehto up
    ip link set other master virbr0 up
    lab_wait_for 10 forwards "$tap"
    lab_wait_for 10 forwards other
    # shellcheck disable=SC2016 # the inner shell's
    script -qec 'echo $$ >$LAB_DIR/pid; exec vnat wait P1' /dev/null >"$LAB_DIR/progress" 2>&1 </dev/null 3>&- &
    waiting=$!
    lab_wait_for 10 shows 'waiting for it to run'
    virsh -q resume P1 >/dev/null
    lab_wait_for 10 shows 'waiting for its first frame'
    lab_wait_for 20 rests "$(cat "$LAB_DIR/pid")"
    for mac in 1 2 3; do bridge fdb replace 52:54:00:00:00:a$mac dev other master dynamic; done
    bridge fdb replace 52:54:00:00:00:05 dev "$tap" master dynamic
    lab_wait_for 3 shows 'waiting for an address'
    kill "$waiting"
    virsh -q suspend P1 >/dev/null
    bridge fdb del 52:54:00:00:00:05 dev "$tap" master
    ip link del other
}

@test "stuck before an address: nobody gives one" {
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    echo '[]' >"$LAB_DIR/none"
    mv "$LAB_DIR/none" /var/lib/libvirt/dnsmasq/virbr0.status
    # Its frames were heard: the bridge has learned its MAC.
    lab_guest_run VM1 'killall udhcpc; ip address flush dev eth0'
    ip neigh flush dev virbr0
    stuck VM1
    has "$stderr" dnsmasq
    lacks "$stderr" 'sent nothing'
    lab_libvirtd_restart
}

@test "who is not there: exit 1 at once; libvirtd away: exit 4" {
    expect 1 wait vm1
    has "$stderr" "did you mean 'VM1'?"
    expect 1 wait nobody
    has "$stderr" nobody
    lab_libvirtd_stop
    expect 4 wait VM1
    has "$stderr" libvirt-sock 'hint: systemctl start'
    lab_libvirtd_start
}
