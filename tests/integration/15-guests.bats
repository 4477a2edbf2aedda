#!/usr/bin/env bats
# Networks under guests: what is said and refused when stopping, starting and moving would hurt somebody, and that a start is
# believed only after a whole look.

setup_file() {
    load helpers
    vnat -q net-start default
    vnat -q net-start quiet --template isolated -D bridge=quiet0
    lab_guest_paused P1 default 52:54:00:00:15:01
    lab_guest_paused P2 default 52:54:00:00:15:02
}

setup() {
    load helpers
}

# hook BODY: libvirt's network hook, which it looks for at its own start only. Without BODY: none.
hook() {
    mkdir -p /etc/libvirt/hooks
    rm -f /etc/libvirt/hooks/network
    if [ $# -gt 0 ]; then
        printf '#!/bin/sh\n%s\nexit 0\n' "$1" >/etc/libvirt/hooks/network
        chmod +x /etc/libvirt/hooks/network
    fi
    lab_libvirtd_restart
}

teardown() {
    if [ -e /etc/libvirt/hooks/network ]; then hook; fi
}

@test "a bridge that goes down under a start is named at the deadline" {
    # shellcheck disable=SC2016 # the hook's shell expands it
    hook '[ "$1 $2" = "late started" ] && ip link set late0 down'
    expect 1 --timeout 10 net-start late --template isolated -D bridge=late0
    has "$stderr" "this is missing: late0 is not up"
    # It stays active, and starting it again does not call it well.
    expect 0 net-start late
    has "$output" "already active"
    has "$stderr" "late0 is not up" "hint: vnat status late"
    ip link set late0 up
    expect 0 net-start late
    [ -z "$stderr" ]
    vnat -q net-destroy late
    vnat -q net-undefine late
}

@test "a start that libvirt does not answer in time says that it may still come" {
    mkfifo "$LAB_DIR/gate"
    hook "[ \"\$1 \$2\" = 'slow start' ] && read -r opened <'$LAB_DIR/gate'"
    expect 4 --timeout 5 net-start slow --template isolated -D bridge=slow0
    has "$stderr" "libvirt may still be starting it: vnat net-info slow"
    echo >"$LAB_DIR/gate"
    lab_wait_for 20 virsh -q net-destroy slow
    vnat -q net-undefine slow
}

@test "parameters for a network that is defined already are not used, and that is said" {
    expect 0 net-start quiet -D subnet=10.99.0.0/24
    has "$output" "already active" "parameters given are not used"
}

@test "net-destroy names the guests, asks for --yes, and tells of the cut only after it" {
    expect 1 net-destroy default
    has "$stderr" "P1" "P2" "hint: vnat net-destroy --yes default"
    run --separate-stderr lab_as visitor vnat net-destroy --yes default
    [ "$status" -eq 1 ]
    lacks "$output" "Cut off"
    has "$stderr" "read only" "group libvirt"
    expect 0 net-destroy --yes default
    has "$output" "Cut off: P1, P2"
}

@test "a guest whose XML cannot be read counts as one that would be cut off" {
    local many
    many=$(printf 'a%s="" ' $(seq 2000))
    expect 0 net-start default
    virsh -q metadata P1 --uri urn:test:many --key m --set "<m $many/>" --live
    expect 1 net-destroy default
    has "$stderr" "P1 (its interfaces cannot be read)"
    expect 6 map
    lacks "$output" "tap-unclaimed"
    virsh -q metadata P1 --uri urn:test:many --remove --live
}

@test "starting it again tells which taps are still off the bridge" {
    vnat -q net-destroy --yes default
    expect 0 net-start default
    has "$stderr" "taps of running guests are not on its bridge" "vnet0 of P1" "hint: vnat repair --apply default"
    # A map of one network shows them too, by any spelling of its UUID.
    expect 0 map "$(virsh net-uuid default | head -n 1 | tr a-f A-F)" -n -o domain,problems
    [ "$(grep -c tap-orphaned <<<"$output")" -eq 2 ]
    vnat -q net-destroy --yes default
    expect 0 map default -n -o domain
    has "$output" P1 P2
    vnat -q net-start default
}

@test "one domain's interfaces stand in the order of its XML" {
    lab_guest_paused P3 quiet 52:54:00:00:15:31 "$(lab_interface_xml default 52:54:00:00:15:32)" \
        "$(lab_interface_xml quiet 52:54:00:00:15:33)"
    as_virsh domiflist P3
    as_virsh domiflist P3 --inactive
    lab_guest_stop P3
}

@test "a second interface with the same MAC is seen when it comes" {
    expect 0 attach-interface P2 network quiet --mac 52:54:00:00:15:02 --live
    expect 0 domiflist P2 -n
    [ "$(grep -c 52:54:00:00:15:02 <<<"$output")" -eq 2 ]
}

@test "a guest that does not let go: what was waited for, exit code 1" {
    expect 0 attach-interface P1 network quiet --mac 52:54:00:00:15:11 --live
    expect 1 --timeout 15 detach-interface P1 network --mac 52:54:00:00:15:11 --live
    has "$stderr" "let go of the device"
}

@test "arguments by name, and --persistent, as with virsh" {
    expect 0 attach-interface --domain P2 --type network --source quiet --mac 52:54:00:00:15:22 --persistent
    virsh dumpxml P2 --inactive | grep -q 52:54:00:00:15:22
    virsh dumpxml P2 | grep -q 52:54:00:00:15:22
    expect 0 net-info --network quiet
    expect 2 attach-interface --domain P2 --source quiet
    has "$stderr" "TYPE is missing"
    # What only the definition has can be moved there.
    virsh -q attach-interface P2 network default --mac 52:54:00:00:15:23 --config
    expect 0 connect P2 quiet --config --interface 52:54:00:00:15:23
    virsh dumpxml P2 --inactive | grep -A 1 52:54:00:00:15:23 | grep -q "network='quiet'"
}

@test "a domain that does not run has no address" {
    lab_guest_paused P4 default
    virsh -q destroy P4
    expect 1 ip P4
    has "$stderr" "not running"
    expect 1 domifaddr P4
    expect 0 domiflist P4 --json
    [ "$(json '.interfaces[0].addresses | length')" -eq 0 ]
    lab_guest_stop P4
}

@test "a driver that has networks only" {
    expect 0 -c network:///system status quiet
    has "$output" "quiet: active"
    expect 1 -c network:///system net-destroy quiet
    has "$stderr" "domains cannot be read" "hint: vnat -c network:///system net-destroy --yes quiet"
}

@test "a hint can be pasted: names are quoted" {
    virsh -q net-define /dev/stdin <<<"<network><name>x;id y</name></network>"
    expect 0 status 'x;id y'
    has "$output" "vnat net-start 'x;id y'"
    virsh -q net-undefine 'x;id y'
}
