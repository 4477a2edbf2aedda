#!/usr/bin/env bats
# Rules for frames, of bridges and devices, and libvirt's nwfilter: `vnat why` against what becomes of the packet that a
# guest really sends.

setup_file() {
    load helpers
    lab_network default
    STATIC=192.168.122.10/24,192.168.122.1 lab_guest_linux VM1 default 52:54:00:00:00:01
    STATIC=192.168.122.11/24,192.168.122.1 lab_guest_linux VM2 default 52:54:00:00:00:02
    lab_guest_wait VM1 >/dev/null
    lab_guest_wait VM2 >/dev/null
    # The host knows them by their traffic, for the time of this test.
    ip neighbour replace 192.168.122.10 lladdr 52:54:00:00:00:01 dev virbr0 nud permanent
    ip neighbour replace 192.168.122.11 lladdr 52:54:00:00:00:02 dev virbr0 nud permanent
    for address in 10 12; do
        cat >"$LAB_DIR/own-$address.xml" <<XML
<filter name='own-$address' chain='root'>
  <rule action='accept' direction='out' priority='100'><ip srcipaddr='192.168.122.$address'/></rule>
  <rule action='accept' direction='out' priority='100'><arp arpsrcipaddr='192.168.122.$address'/></rule>
  <rule action='accept' direction='in' priority='100'><all/></rule>
  <rule action='drop' direction='out' priority='900'><mac/></rule>
</filter>
XML
        virsh -q nwfilter-define "$LAB_DIR/own-$address.xml"
    done
}

setup() { load helpers; }

teardown() {
    for family in bridge netdev arp; do
        nft list tables "$family" | sed 's/^table/delete table/' | nft -f -
    done
    filtered
}

# filtered [FILTER]: VM1's interface has that nwfilter, or none.
filtered() {
    local filter=${1:+"<filterref filter='$1'/>"}
    echo "<interface type='network'><source network='default'/><mac address='52:54:00:00:00:01'/>" \
        "<model type='virtio'/>$filter<rom enabled='no'/></interface>" >"$LAB_DIR/nic.xml"
    virsh -q update-device VM1 "$LAB_DIR/nic.xml" --live
}

# reaches GUEST ADDRESS: an echo, and the question for a MAC first.
reaches() {
    lab_guest_run "$1" "ip neigh flush dev eth0; ping -c 1 -W 1 $2" >/dev/null
}

# both CODE GUEST ADDRESS: vnat's exit code, and what becomes of the guest's own packet.
both() {
    local code=$1 guest=$2 address=$3
    decided "$code" "$guest" "$address"
    if reaches "$guest" "$address"; then
        [ "$code" = 0 ] || { printf 'and yet %s reaches %s: %s\n' "$guest" "$address" "$sentence"; return 1; }
    elif [ "$code" = 0 ]; then
        printf 'and yet %s does not reach %s\n' "$guest" "$address"
        return 1
    fi
}

decided() {
    expect "$1" -q why "${@:2}" || return
    sentence=$output
}

# rules FAMILY HOOK POLICY [RULE...]
rules() {
    local family=$1 hook=$2 policy=$3
    shift 3
    nft "add table $family frames; add chain $family frames c { type filter hook $hook priority 0; policy $policy; }"
    for rule; do nft "add rule $family frames c $rule"; done
}

@test "without rules" {
    both 0 VM1 203.0.113.1
    both 0 VM1 192.168.122.1
    both 0 VM1 192.168.122.11
}

@test "a bridge's rules for what comes in for this host" {
    rules bridge input drop
    both 1 VM1 203.0.113.1
    has "$sentence" "the guest's ARP request is dropped by table bridge frames, chain c: policy drop"
    both 0 VM1 192.168.122.11
    nft add rule bridge frames c ether type arp accept
    both 1 VM1 203.0.113.1
    has "$sentence" 'does not get through: dropped by table bridge frames, chain c: policy drop'
    nft add rule bridge frames c ip protocol icmp accept
    both 0 VM1 203.0.113.1
}

@test "a bridge's rules for what this host sends" {
    rules bridge output accept 'ether type arp arp operation reply drop'
    both 1 VM1 203.0.113.1
    has "$sentence" "the answer to the guest's ARP request is dropped"
    nft delete table bridge frames
    rules bridge output accept 'oifname "vnet*" ip saddr 203.0.113.1 drop'
    both 1 VM1 203.0.113.1
    has "$sentence" 'its answer does not come back: dropped by table bridge frames'
    both 0 VM1 192.168.122.1
}

@test "a bridge's rules from guest to guest" {
    rules bridge forward drop
    both 1 VM1 192.168.122.11
    both 0 VM1 203.0.113.1
    nft add rule bridge frames c ether type arp accept
    nft add rule bridge frames c 'iifname "vnet*"' ip saddr 192.168.122.10 accept
    both 1 VM1 192.168.122.11
    has "$sentence" 'its answer does not come back'
    nft add rule bridge frames c 'oifname "vnet*"' ether saddr 52:54:00:00:00:02 ether daddr 52:54:00:00:00:01 accept
    both 0 VM1 192.168.122.11
}

@test "a bridge's rules where a frame begins and ends" {
    tap=$(vnat domiflist VM1 | awk 'NR == 3 { print $1 }')
    rules bridge prerouting accept "iifname $tap ether type ip drop"
    both 1 VM1 192.168.122.1
    both 1 VM1 192.168.122.11
    nft delete table bridge frames
    rules bridge postrouting accept "oifname $tap ether type ip drop"
    both 1 VM1 192.168.122.1
    both 1 VM1 192.168.122.11
}

@test "rules of ARP" {
    rules arp input drop
    both 1 VM1 203.0.113.1
    has "$sentence" "the guest's ARP request is dropped by table arp frames"
    both 0 VM1 192.168.122.11
    nft add rule arp frames c arp operation request arp saddr ip 192.168.122.10 accept
    both 0 VM1 203.0.113.1
}

# nft 1.0.6 does not say in JSON at which device a chain is.
@test "rules at a device" {
    tap=$(vnat domiflist VM1 | awk 'NR == 3 { print $1 }')
    nft "add table netdev frames; add chain netdev frames c { type filter hook ingress device $tap priority 0; policy accept; }"
    nft add rule netdev frames c ether type arp accept
    both 0 VM1 203.0.113.1
    nft add rule netdev frames c ip daddr 203.0.113.1 drop
    run ! reaches VM1 203.0.113.1
    if nft -j list ruleset | jq -e '.nftables[].chain | select(.family == "netdev") | has("dev")' >/dev/null; then
        decided 1 VM1 203.0.113.1
    else
        decided 6 VM1 203.0.113.1
        has "$sentence" "$tap: at which device a chain is could not be read: table netdev frames, chain c: ip daddr 203.0.113.1 drop"
    fi
    both 0 VM1 192.168.122.1
}

@test "a nwfilter with the guest's address, and with another" {
    filtered own-10
    both 0 VM1 203.0.113.1
    both 0 VM1 192.168.122.11
    filtered own-12
    both 1 VM1 203.0.113.1
    has "$sentence" '(libvirt nwfilter)'
    expect 1 why VM1 --json
    [ "$(json '.hops[-1].owner')" = 'libvirt nwfilter' ]
    # A capture of it says the same, also without names.
    vnat capture "$LAB_DIR/frames" >/dev/null
    vnat capture --redact "$LAB_DIR/frames-redacted" >/dev/null
    expect 1 --replay "$LAB_DIR/frames" -q why VM1
    has "$output" '(libvirt nwfilter)'
    expect 1 --replay "$LAB_DIR/frames-redacted" -q why domain-1
    has "$output" '(libvirt nwfilter)'
}
