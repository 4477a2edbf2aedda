#!/usr/bin/env bats
# The firewalls that people run, as they are: firewalld and ufw beside libvirt. On Debian 13 tests/lab/trixie has both; where
# they are not installed there is nothing to try.

setup_file() {
    load helpers
    if command -v firewalld >/dev/null && command -v dbus-daemon >/dev/null; then
        mkdir -p /run/dbus
        lab_detached dbus-daemon --system --nofork >"$LAB_DIR/dbus.log" 2>&1
        lab_wait_for 10 test -S /run/dbus/system_bus_socket
        lab_detached firewalld --nofork --nopid >"$LAB_DIR/firewalld.log" 2>&1
        lab_wait_for 30 firewall-cmd --state
        # It looks for D-Bus when it starts.
        lab_libvirtd_restart
    fi
    vnat -q net-start default --autostart
    vnat -q net-start routed --template routed --autostart
    vnat -q net-start six --template nat-ipv6 --autostart
    lab_guest_linux L1 default 52:54:00:00:00:01 l1
    lab_guest_wait L1 60 >/dev/null
}

setup() { load helpers; }
# ufw lets echoes through, and nothing else.
outside_reached() { lab_guest_run L1 timeout 2 wget -q -O /dev/null http://203.0.113.1/ >/dev/null; }
quiet() { vnat -q check >/dev/null; }
levels() { json '.findings[] | select(.level != "ok") | .id' | sort -u | tr '\n' ' '; }

@test "firewalld: bridges in their zones, another zone, none, a reload" {
    command -v firewalld >/dev/null || skip "there is no firewalld here"
    expect 0 check
    lab_wait_for 5 outside_reached
    for words in '--zone=public --change-interface=virbr0' '--zone=public --remove-interface=virbr0'; do
        # shellcheck disable=SC2086 # words they are
        firewall-cmd $words >/dev/null
        run ! outside_reached
        expect 2 check default
        has "$output" "critical: firewalld-zone: firewalld does not know bridge virbr0 as one of libvirt's" \
            'zone that it belongs to: libvirt' 'try: firewall-cmd --zone=libvirt --change-interface=virbr0' \
            'critical: forward-blocked: ' '(firewalld) refuses their packets'
        # The two that it is the cause of, and no others.
        expect 2 check --json default
        same 'firewalld-zone forward-blocked input-blocked ' "$(levels | sed 's/bridge-netfilter //')"
    done
    expect 0 repair --apply
    has "$output" 'skipped: firewalld-zone (default)' 'needs consent'
    expect 0 repair --apply --id firewalld-zone
    has "$output" 'done: firewalld-zone (default)'
    expect 0 check
    lab_wait_for 5 outside_reached
    # It forgets its own changes, and libvirt makes its again when it is told.
    firewall-cmd --reload >/dev/null
    lab_wait_for 10 quiet
    expect 0 check
    lab_wait_for 5 outside_reached
}

@test "ufw: what it keeps from guests is named as its own, and its own words let it through" {
    command -v ufw >/dev/null || skip "there is no ufw here"
    if command -v firewalld >/dev/null; then
        kill "$(pgrep -f '[f]irewalld --nofork')"
        lab_wait_for 10 lab_not firewall-cmd --state
        lab_libvirtd_restart
        lab_wait_for 10 quiet
    fi
    # What it does to their guests is the same.
    vnat -q net-destroy routed
    vnat -q net-destroy six
    lab_wait_for 5 outside_reached
    ufw --force enable
    if nft list table ip libvirt_network >/dev/null 2>&1; then
        run ! outside_reached
        expect 2 check default
        has "$output" 'critical: forward-blocked: ' '(ufw) refuses their packets' \
            'try: ufw route allow in on virbr0 && ufw route allow out on virbr0' 'critical: input-blocked: ' \
            'try: ufw allow in on virbr0'
        ufw route allow in on virbr0
        ufw route allow out on virbr0
        ufw allow in on virbr0
    fi
    # Behind the rules of libvirt's iptables backend it refuses nothing of guests'.
    lab_wait_for 5 outside_reached
    expect 0 check default
    ufw --force disable
}
