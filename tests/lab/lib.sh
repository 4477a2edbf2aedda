# Functions for use inside a lab: sourced by bats files, the demo and by hand. Each prints nothing when all is well,
# unless its line says so. Guests are libvirt domains of type qemu (software emulation); LAB_KVM=1 makes them kvm.
# shellcheck shell=bash

if [ "${LAB:-}" != 1 ]; then
    echo "lib.sh: not inside a lab; use tests/lab/lab CMD" >&2
    return 1
fi

# ---- waiting -----------------------------------------------------------------------------------------------------

# lab_wait_for SECONDS CMD...: tries CMD until it succeeds. SECONDS are what an idle machine needs at most: it fails when five
# times that are over, for others are loaded, or slow. The only place that sleeps.
lab_wait_for() {
    local deadline=$((SECONDS + 5 * $1 + 1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            printf 'lab: gave up waiting for: %s\n' "$*" >&2
            return 1
        fi
        sleep 0.05
    done
}

# lab_not CMD...: succeeds when CMD fails; for lab_wait_for.
lab_not() { ! "$@"; }

# lab_detached CMD...: runs CMD as a child of the reaper with no open files of the caller's but its three streams
# (bats waits for whoever holds one of its own).
lab_detached() {
    (
        for fd in "/proc/$BASHPID/fd/"*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done
        exec </dev/null
        "$@" &
    )
}

# ---- the host's daemons ------------------------------------------------------------------------------------------

# lab_libvirtd_pid: prints libvirtd's pid; fails if it does not run.
lab_libvirtd_pid() {
    local pid
    pid=$(cat /run/lab/libvirtd.pid 2>/dev/null) && [ -e "/proc/$pid/exe" ] && echo "$pid"
}

# lab_libvirtd_start: starts libvirtd and returns when it serves both drivers.
lab_libvirtd_start() {
    lab_detached libvirtd --pid-file /run/lab/libvirtd.pid >>/run/lab/log/libvirtd 2>&1
    lab_wait_for 5 lab_libvirtd_pid || return 1
    lab_wait_for 20 lab_libvirtd_settled && lab_libvirtd_pid >/dev/null
}

# A daemon that died while starting will never answer: do not wait for it.
lab_libvirtd_settled() { virsh -q -c qemu:///system list || lab_not lab_libvirtd_pid; }

# lab_libvirtd_stop: ends libvirtd in order and returns when it is gone; guests and networks stay.
lab_libvirtd_stop() { lab_libvirtd_signal TERM; }

# lab_libvirtd_kill: ends libvirtd by SIGKILL and returns when it is gone.
lab_libvirtd_kill() { lab_libvirtd_signal KILL; }

# lab_libvirtd_restart: stop and start.
lab_libvirtd_restart() { lab_libvirtd_stop && lab_libvirtd_start; }

lab_libvirtd_signal() {
    local pid
    pid=$(lab_libvirtd_pid) || return 0
    kill -"$1" "$pid"
    lab_wait_for 20 lab_not test -e "/proc/$pid/exe"
}

# lab_network NAME [BRIDGE] [N]: defines and starts a NAT network by virsh: bridge virbr0, 192.168.N.0/24 (122). Without
# STP, so that a port forwards at once; use vnat or virsh yourself where libvirt's defaults matter.
lab_network() {
    cat >"$LAB_DIR/network-$1.xml" <<-XML
	<network>
	  <name>$1</name>
	  <forward mode='nat'/>
	  <bridge name='${2:-virbr0}' stp='off'/>
	  <ip address='192.168.${3:-122}.1' netmask='255.255.255.0'>
	    <dhcp><range start='192.168.${3:-122}.2' end='192.168.${3:-122}.254'/></dhcp>
	  </ip>
	</network>
	XML
    virsh -q "net-define $LAB_DIR/network-$1.xml; net-start $1" >/dev/null
}

# lab_dnsmasq_pid NETWORK: prints the pid of that network's dnsmasq; fails if it does not run.
lab_dnsmasq_pid() {
    local pid
    pid=$(cat "/run/libvirt/network/$1.pid" 2>/dev/null) && [ -e "/proc/$pid/exe" ] && echo "$pid"
}

# lab_leased BRIDGE MAC...: succeeds when the lease file of that bridge's network has each MAC. dnsmasq answers a guest first
# and has it written down after: who reads leases awaits this.
lab_leased() {
    local bridge=$1 mac
    shift
    for mac; do
        grep -qs "\"mac-address\": \"$mac\"" "/var/lib/libvirt/dnsmasq/$bridge.status" || return
    done
}

# lab_bridge_hastens BRIDGE: a change of the spanning tree is over after 8 s, not 22. Until it is over, the bridge forgets within
# two seconds who is silent.
lab_bridge_hastens() { ip link set "$1" type bridge max_age 600; }

# lab_bridge_knows BRIDGE GUEST: awaits that such a change is over, and has the Linux guest say something: for five minutes the
# bridge knows now where it is.
lab_bridge_knows() {
    lab_wait_for 30 lab_not grep -q 1 "/sys/class/net/$1/bridge/topology_change" || return
    lab_guest_run "$2" arping -q -c 1 -I eth0 "$(ip -j -4 address show "$1" | jq -r '.[0].addr_info[0].local')"
}

# lab_conntrack_keeps: connection tracking forgets nothing by itself for as long as a test takes, so that what was left behind
# or begun is there when it is looked for.
lab_conntrack_keeps() {
    local which
    for which in icmp_timeout icmpv6_timeout udp_timeout udp_timeout_stream tcp_timeout_time_wait tcp_timeout_syn_sent; do
        sysctl -qw "net.netfilter.nf_conntrack_$which=3600"
    done
}

# lab_as USER CMD...: runs CMD as operator (a member of group libvirt), visitor (of nothing) or root.
lab_as() {
    local user=$1 uid
    shift
    uid=$(id -u "$user") || return 1
    setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups \
        env HOME="/run/lab/home/$user" XDG_RUNTIME_DIR="/run/user/$uid" USER="$user" LOGNAME="$user" "$@"
}

# ---- the outside host --------------------------------------------------------------------------------------------

# lab_outside CMD...: runs CMD on the outside host (203.0.113.1, 2001:db8:203::1, outside.test, outside6.test).
lab_outside() { ip netns exec outside "$@"; }

# lab_outside_log: prints the outside host's HTTP log, a line "CLIENT: url:PATH" for each request.
lab_outside_log() { sed -E 's/^\[(::ffff:)?([^]]*)\]:[0-9]+:/\2:/' /run/lab/outside.log; }

# lab_wget URL: prints what URL holds, within 20 seconds. (Debian 12's busybox crashes on wget's own -T.)
lab_wget() { timeout 20 busybox wget -q -O - "$1"; }

# lab_outside_ready: succeeds when the outside host answers HTTP and DNS.
lab_outside_ready() {
    lab_wget http://203.0.113.1/ &&
        busybox nslookup -type=a outside.test 203.0.113.1
}

# ---- guests ------------------------------------------------------------------------------------------------------

# lab_interface_xml NETWORK [MAC]: prints an <interface>; NETWORK is a network's name or bridge=NAME.
lab_interface_xml() {
    local mac=''
    [ -z "${2:-}" ] || mac="<mac address='$2'/>"
    case $1 in
    bridge=*) printf "<interface type='bridge'><source bridge='%s'/>" "${1#*=}" ;;
    *) printf "<interface type='network'><source network='%s'/>" "$1" ;;
    esac
    printf "%s<model type='virtio'/>%s</interface>\n" "$mac" "${LAB_INTERFACE_MORE:-}"
}

# lab_domain_xml NAME MIB OS-XML DEVICE-XML...: prints a small domain.
lab_domain_xml() {
    local name=$1 memory=$2 os=$3 type=qemu
    shift 3
    [ "${LAB_KVM:-}" != 1 ] || type=kvm
    cat <<-XML
	<domain type='$type'>
	  <name>$name</name>
	  <memory unit='MiB'>$memory</memory>
	  <vcpu>1</vcpu>
	  <os><type arch='x86_64' machine='pc'>hvm</type>$os</os>
	  <features><acpi/></features>
	  <devices>
	    <controller type='usb' model='none'/>
	    <memballoon model='none'/>
	    $*
	  </devices>
	</domain>
	XML
}

# lab_guest_paused NAME NETWORK [MAC] [INTERFACE-XML...]: a guest that never runs; it has a real tap at once.
lab_guest_paused() {
    local name=$1 nic
    nic=$(LAB_INTERFACE_MORE="<rom enabled='no'/>" lab_interface_xml "$2" "${3:-}")
    shift $(($# < 3 ? $# : 3))
    lab_domain_xml "$name" 8 '' "$nic" "$@" >"$LAB_DIR/$name.xml"
    virsh -q "define $LAB_DIR/$name.xml; start --paused $name" >/dev/null
}

# lab_guests_paused COUNT NETWORK PREFIX: paused guests PREFIX1 ... PREFIXCOUNT, four at a time.
lab_guests_paused() {
    local count=$1 network=$2 prefix=$3 i nic
    nic=$(LAB_INTERFACE_MORE="<rom enabled='no'/>" lab_interface_xml "$network")
    for ((i = 1; i <= count; i++)); do lab_domain_xml "$prefix$i" 8 '' "$nic" >"$LAB_DIR/$prefix$i.xml"; done
    # shellcheck disable=SC2016
    seq "$count" | xargs -P 4 -n 10 bash -c '
        prefix=$1; shift
        for i; do echo "define $LAB_DIR/$prefix$i.xml; start --paused $prefix$i;"; done |
            { read -r -d "" script; virsh -q "$script" >/dev/null; }' - "$prefix"
}

# lab_guest_ipxe NAME NETWORK [MAC]: a guest that boots its network card's ROM, which gets a DHCP lease and stays.
lab_guest_ipxe() {
    lab_domain_xml "$1" 32 "<boot dev='network'/>" "$(lab_interface_xml "$2" "${3:-}")" >"$LAB_DIR/$1.xml"
    virsh -q "define $LAB_DIR/$1.xml; start $1" >/dev/null
}

# lab_guest_linux NAME NETWORK [MAC] [HOSTNAME] [INTERFACE-XML...]: a small Linux; returns when it is started.
# STATIC=ADDRESS/PREFIX,GATEWAY gives eth0 that instead of DHCP. HOSTNAME may be any bytes; default NAME.
lab_guest_linux() {
    local name=$1 network=$2 mac=${3:-} hostname=${4:-$1} nic hex line
    shift $(($# < 4 ? $# : 4))
    if [ ! -s "${LAB_IMAGE:-}/vmlinuz" ]; then
        echo "lab: no kernel for Linux guests (see what tests/lab/image says)" >&2
        return 1
    fi
    hex=$(printf '%s' "$hostname" | od -An -v -tx1 | tr -d ' \n')
    line="console=ttyS0 quiet panic=-1 lab.hostname=$hex${STATIC:+ lab.static=eth0:$STATIC}"
    nic=$(LAB_INTERFACE_MORE="<rom enabled='no'/>" lab_interface_xml "$network" "$mac")
    rm -f "$LAB_DIR/$name.in" "$LAB_DIR/$name.out"
    mkfifo "$LAB_DIR/$name.in" "$LAB_DIR/$name.out"
    lab_domain_xml "$name" 96 \
        "<kernel>$LAB_IMAGE/vmlinuz</kernel><initrd>$LAB_IMAGE/initrd</initrd><cmdline>$line</cmdline>" \
        "<serial type='file'><source path='$LAB_DIR/$name.serial'/></serial>" \
        "<serial type='pipe'><source path='$LAB_DIR/$name'/></serial>" \
        "$nic" "$@" >"$LAB_DIR/$name.xml"
    virsh -q "define $LAB_DIR/$name.xml; start $name" >/dev/null
}

# lab_guest_up NAME: succeeds when the Linux guest runs commands.
lab_guest_up() { grep -qs '^lab: guest is up' "$LAB_DIR/$1.serial"; }

# lab_guest_address NAME [DEV]: prints the address that the Linux guest says its DEV (eth0) has; fails if none yet.
lab_guest_address() {
    sed -n "s/^lab: ${2:-eth0} has \([^ \r]*\).*/\1/p" "$LAB_DIR/$1.serial" 2>/dev/null | tail -n 1 | grep .
}

# lab_guest_wait NAME [SECONDS] [DEV]: waits (60) until the Linux guest says that DEV (eth0) has an address; prints it.
lab_guest_wait() { lab_wait_for "${2:-60}" lab_guest_address "$1" "${3:-}" && lab_guest_address "$1" "${3:-}"; }

# lab_guest_run NAME CMD...: runs CMD by the guest's shell (words joined, as ssh does); prints its output, returns its
# status, or 124 after LAB_TIMEOUT (120) seconds.
lab_guest_run() {
    local name=$1 limit=${LAB_TIMEOUT:-120} tag="$$.$RANDOM$RANDOM" line started=
    shift
    lab_wait_for "$limit" lab_guest_up "$name" || return 124
    (
        flock -w "$limit" 9 || exit 124
        # Read and write, or the open would wait for the guest's end.
        exec 7<>"$LAB_DIR/$name.in" 8<>"$LAB_DIR/$name.out"
        printf '%s %s %s\n' "$tag" "$limit" "$(printf '%s\n' "$*" | base64 -w 0)" >&7
        SECONDS=0
        while [ "$SECONDS" -lt "$limit" ] && IFS= read -r -t "$((limit - SECONDS))" line <&8; do
            line=${line%$'\r'}
            case $line in
            "begin $tag") started=1 ;;
            "end $tag "*) exit "${line##* }" ;;
            *) [ -z "$started" ] || base64 -d <<<"$line" ;;
            esac
        done
        exit 124
    ) 9>"$LAB_DIR/$name.lock"
}

# lab_guest_renew NAME: makes the Linux guest renew its leases now.
lab_guest_renew() { lab_guest_run "$1" killall -USR1 udhcpc; }

# lab_guest_netns NAME BRIDGE [MAC] [HOSTNAME]: a guest without QEMU: namespace NAME with a veth, port NAME of BRIDGE,
# eth0 inside. DHCP in the background, or STATIC=ADDRESS/PREFIX,GATEWAY. NAME is a device's name too: 15 characters.
lab_guest_netns() {
    local name=$1 bridge=$2 mac=${3:-} hex
    hex=$(printf '%s' "${4:-$1}" | od -An -v -tx1 | tr -d ' \n')
    ip netns add "$name" || return 1
    ip link add "$name" type veth peer name eth0 netns "$name" || return 1
    # A DHCP client reads raw packets and drops those whose checksum the kernel left out.
    ethtool -K "$name" tx off >/dev/null
    lab_in "$name" ethtool -K eth0 tx off >/dev/null
    [ -z "$mac" ] || ip -n "$name" link set eth0 address "$mac"
    ip link set "$name" master "$bridge" up || return 1
    ip -n "$name" link set lo up
    ip -n "$name" link set eth0 up
    if [ -n "${STATIC:-}" ]; then
        ip -n "$name" address add "${STATIC%,*}" dev eth0
        case $STATIC in *,?*) ip -n "$name" route add default via "${STATIC#*,}" ;; esac
        return
    fi
    lab_detached lab_in "$name" busybox udhcpc -f -i eth0 -t 120 -T 1 -A 1 -p "$LAB_DIR/$name.udhcpc" \
        -s "$LAB_TOP/tests/lab/netns-lease" -x "0x0c:$hex" >"$LAB_DIR/$name.dhcp" 2>&1
}

# lab_in NAME CMD...: runs CMD in the namespace of a guest without QEMU.
lab_in() {
    local name=$1
    shift
    ip netns exec "$name" "$@"
}

# lab_guest_stop NAME: ends and forgets the guest, of whatever kind; no error if there is none.
lab_guest_stop() {
    if [ -e "/run/netns/$1" ]; then
        [ ! -s "$LAB_DIR/$1.udhcpc" ] || kill "$(cat "$LAB_DIR/$1.udhcpc")" 2>/dev/null || true
        ip link del "$1" 2>/dev/null || true
        ip netns del "$1"
    fi
    virsh -q destroy "$1" >/dev/null 2>&1 || true
    virsh -q undefine "$1" >/dev/null 2>&1 || true
}

# ---- many domains without guests ---------------------------------------------------------------------------------

# lab_test_domains COUNT FILE: writes a test driver's world: COUNT running domains dom1..., each with tap1... on default.
lab_test_domains() {
    awk -v count="$1" 'BEGIN {
        print "<node xmlns:test=\047http://libvirt.org/schemas/domain/test/1.0\047>"
        print "<network><name>default</name><bridge name=\047virbr0\047/><forward mode=\047nat\047/>"
        print "<ip address=\047192.168.0.1\047 prefix=\04716\047><dhcp><range start=\047192.168.0.2\047" \
            " end=\047192.168.255.254\047/></dhcp></ip></network>"
        for (i = 1; i <= count; i++)
            printf "<domain type=\047test\047><name>dom%d</name><memory>8192</memory><os><type>hvm</type></os>" \
                "<devices><interface type=\047network\047><mac address=\04752:54:00:%02x:%02x:%02x\047/>" \
                "<source network=\047default\047/><target dev=\047tap%d\047/><model type=\047virtio\047/></interface>" \
                "</devices></domain>\n", i, int(i / 65536), int(i / 256) % 256, i % 256, i
        print "</node>"
    }' >"$2"
}

# lab_test_daemon FILE: prints the URI by which the lab's libvirtd serves that file over its socket.
lab_test_daemon() { printf 'test+unix://%s\n' "$(realpath "$1")"; }
