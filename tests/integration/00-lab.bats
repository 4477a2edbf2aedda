#!/usr/bin/env bats
# The lab itself: what every other test stands on. What happens to a lab from outside is in tests/lab/selftest.bats.

setup_file() {
    load ../lab/lib.sh
    lab_network default
    lab_guest_linux VM1 default 52:54:00:00:00:01
}

setup() {
    load ../lab/lib.sh
}

@test "libvirtd serves its own empty host" {
    run virsh -q list --all --name
    [ "$status" -eq 0 ]
    [ "${lines[*]}" = VM1 ]
    # Nothing of the machine's.
    run ls /etc/libvirt/qemu/networks
    [[ $output != *$'\n'*.xml*.xml* ]]
}

@test "the outside host is reached by address and by name, and nothing else is" {
    run lab_wget http://outside.test/
    [ "$output" = "hello from the outside" ]
    lab_outside_log | grep -q '^203\.0\.113\.2: url:/'
    run lab_wget http://outside6.test/
    [ "$output" = "hello from the outside" ]
    run timeout 5 getent hosts deb.debian.org
    [ "$status" -ne 0 ]
}

@test "operator writes, visitor only reads" {
    lab_as operator virsh -q list
    run lab_as visitor virsh -q list
    [ "$status" -ne 0 ]
    lab_as visitor virsh -r -q list
    # The repository is in reach of both, wherever it really lies.
    lab_as visitor test -r "$LAB_TOP/tests/lab/lib.sh"
}

@test "a Linux guest gets its lease and runs commands" {
    address=$(lab_guest_wait VM1 30)
    # dnsmasq answers before it has its lease written down.
    listed() { virsh -q net-dhcp-leases default 52:54:00:00:00:01 | grep -qF " $address "; }
    lab_wait_for 20 listed
    virsh -q net-dhcp-leases default | grep -w VM1
    run lab_guest_run VM1 'echo out; echo err >&2; exit 3'
    [ "$status" -eq 3 ]
    [ "$output" = $'out\nerr' ]
}

@test "a guest's command has a time limit, and the guest serves the next" {
    LAB_TIMEOUT=1 run lab_guest_run VM1 'while :; do :; done'
    [ "$status" -eq 124 ]
    run lab_guest_run VM1 'echo again'
    [ "$output" = again ]
}

@test "the guest goes out through NAT, and nobody comes in" {
    address=$(lab_guest_wait VM1)
    run lab_guest_run VM1 'timeout 40 wget -q -O - http://outside.test/from-vm1 || timeout 40 wget -q -O - http://outside.test/'
    [ "$output" = $'wget: server returned error: HTTP/1.1 404 Not Found\nhello from the outside' ]
    lab_outside_log | grep -q '^203\.0\.113\.2: url:/from-vm1'
    run lab_outside ping -c 1 -W 1 "${address%/*}"
    [ "$status" -ne 0 ]
}

@test "a lease is renewed when the guest is told to" {
    lab_guest_wait VM1
    before=$(grep -c 'lab: eth0 has' "$LAB_DIR/VM1.serial")
    lab_guest_renew VM1
    renewed() { [ "$(grep -c 'lab: eth0 has' "$LAB_DIR/VM1.serial")" -gt "$before" ]; }
    lab_wait_for 10 renewed
}

@test "an interface is plugged into the running Linux guest and unplugged" {
    lab_guest_wait VM1
    lab_wait_for 10 lab_guest_up VM1
    virsh -q attach-interface VM1 network default --model virtio --live --mac 52:54:00:00:00:02
    lab_guest_wait VM1 20 eth1
    virsh -q detach-interface VM1 network --live --mac 52:54:00:00:00:02
    unplugged() { ! virsh -q domiflist VM1 | grep -q 52:54:00:00:00:02; }
    lab_wait_for 10 unplugged
}

@test "a Linux guest with a static address, a second interface and a hostile name" {
    STATIC=192.168.122.9/24,192.168.122.1 lab_guest_linux VM2 default '' $'a\e\nb' \
        "$(lab_interface_xml default 52:54:00:00:00:22)"
    [ "$(lab_guest_wait VM2)" = 192.168.122.9/24 ]
    lab_guest_wait VM2 30 eth1
    lab_wait_for 5 grep -qF '"hostname": "a\u001B\nb"' /var/lib/libvirt/dnsmasq/virbr0.status
    ping -c 1 -W 20 192.168.122.9
    lab_guest_stop VM2
}

@test "paused guests have taps" {
    lab_guest_paused P1 default 52:54:00:00:01:01
    lab_guests_paused 3 default Q
    [ "$(virsh -q list --state-paused --name | grep -c '^[PQ]')" -eq 4 ]
    for name in P1 Q1 Q2 Q3; do
        tap=$(virsh -q domiflist "$name" | awk '{print $1}')
        [ "$(basename "$(readlink "/sys/class/net/$tap/master")")" = virbr0 ]
        lab_guest_stop "$name"
    done
}

@test "an iPXE guest gets a lease" {
    lab_guest_ipxe PXE default 52:54:00:00:02:01
    leased() { virsh -q net-dhcp-leases default 52:54:00:00:02:01 | grep -q ipv4; }
    lab_wait_for 40 leased
    lab_guest_stop PXE
}

@test "guests without QEMU: DHCP and static" {
    lab_guest_netns ns1 virbr0 52:54:00:00:03:01 box
    STATIC=192.168.122.10/24,192.168.122.1 lab_guest_netns ns2 virbr0
    lab_wait_for 20 grep -q '^lab: eth0 has' "$LAB_DIR/ns1.dhcp"
    recorded() { virsh -q net-dhcp-leases default 52:54:00:00:03:01 | grep -qw box; }
    lab_wait_for 20 recorded
    lab_in ns2 ping -c 1 -W 20 203.0.113.1
    lab_guest_stop ns1
    lab_guest_stop ns2
    [ ! -e /sys/class/net/ns1 ]
}

@test "libvirtd is stopped, killed and started again; guests and dnsmasq stay" {
    dnsmasq=$(lab_dnsmasq_pid default)
    lab_libvirtd_restart
    lab_libvirtd_kill
    run lab_libvirtd_pid
    [ "$status" -ne 0 ]
    run virsh list
    [ "$status" -ne 0 ]
    lab_libvirtd_start
    [ "$(virsh -q list --name | head -n 1)" = VM1 ]
    [ "$(lab_dnsmasq_pid default)" = "$dnsmasq" ]
}

@test "zombies are reaped: a killed dnsmasq is gone" {
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    lab_libvirtd_restart
    lab_dnsmasq_pid default
}

@test "libvirtd serves a thousand domains of the test driver" {
    lab_test_domains 1000 "$LAB_DIR/many.xml"
    uri=$(lab_test_daemon "$LAB_DIR/many.xml")
    [ "$(virsh -q -c "$uri" list --name | grep -c .)" -eq 1000 ]
    virsh -q -c "$uri" domiflist dom1000 | grep -w tap1000
}
