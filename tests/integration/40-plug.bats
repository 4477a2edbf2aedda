#!/usr/bin/env bats
# Plugging in: a Linux guest whose interfaces come, go and move; and what is said where that cannot be.

setup_file() {
    load helpers
    lab_network default virbr0 122
    lab_network lab virbr1 123
    lab_guest_linux VM1 default 52:54:00:00:00:01
    lab_guest_paused P1 default 52:54:00:00:00:05
    lab_domain_xml off 8 '' "$(lab_interface_xml default 52:54:00:00:00:06)" >"$LAB_DIR/off.xml"
    virsh -q define "$LAB_DIR/off.xml" >/dev/null
    lab_guest_wait VM1 60
}

setup() {
    load helpers
}

# A test that fails midway must not make the next ones fail.
teardown() {
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    local mac
    for mac in 02 03 04; do
        virsh -q detach-interface VM1 network --mac "52:54:00:00:00:$mac" --live >/dev/null 2>&1 || true
        virsh -q detach-interface VM1 network --mac "52:54:00:00:00:$mac" --config >/dev/null 2>&1 || true
    done
}

# nic DOMAIN MAC [--inactive]: "TAP SOURCE MODEL" of that interface, as virsh says; fails if there is none.
nic() { virsh -q domiflist "$1" ${3:+"$3"} | awk -v mac="$2" '$5 == mac {print $1, $3, $4}' | grep .; }

master() { basename "$(readlink "/sys/class/net/$1/master")"; }

@test "attach-interface --live: the tap is on the bridge when the command returns, and the guest gets a lease" {
    expect 0 attach-interface VM1 network lab --model virtio --mac 52:54:00:00:00:02 --live
    read -r tap source model < <(nic VM1 52:54:00:00:00:02)
    same "virbr1 lab virtio" "$(master "$tap") $source $model"
    [ "$output" = "Interface attached successfully" ]
    run nic VM1 52:54:00:00:00:02 --inactive
    [ "$status" -ne 0 ]
    lab_guest_wait VM1 30 eth1
    lab_wait_for 20 lab_leased virbr1 52:54:00:00:00:02
    expect 0 who 52:54:00:00:00:02
    has "$output" "$tap" "$(lab_guest_address VM1 eth1 | cut -d/ -f1)"
}

@test "detach-interface --live: the tap is gone when the command returns" {
    read -r tap _ < <(nic VM1 52:54:00:00:00:02)
    expect 0 --timeout 60 detach-interface VM1 network --mac 52:54:00:00:00:02 --live
    [ ! -e "/sys/class/net/$tap" ]
    [ "$output" = "Interface detached successfully" ]
    run nic VM1 52:54:00:00:00:02
    [ "$status" -ne 0 ]
}

@test "attach and detach --config: the definition changes, the guest does not" {
    before=$(virsh dumpxml VM1)
    expect 0 attach-interface VM1 network default --mac 52:54:00:00:00:03 --config
    same "- default -" "$(nic VM1 52:54:00:00:00:03 --inactive | sed 's/ [a-z0-9]*$/ -/')"
    same "$before" "$(virsh dumpxml VM1)"
    expect 0 --timeout 60 detach-interface VM1 network --mac 52:54:00:00:00:03 --config
    run nic VM1 52:54:00:00:00:03 --inactive
    [ "$status" -ne 0 ]
}

@test "attach and detach --live --config: both" {
    expect 0 attach-interface VM1 network default --model virtio --mac 52:54:00:00:00:04 --target mytap --live --config --json
    [ "$(json '.interfaces[] | select(.mac == "52:54:00:00:00:04") | [.tap, .bridge, .network, .model] | @csv')" = '"mytap","virbr0","default","virtio"' ]
    nic VM1 52:54:00:00:00:04
    nic VM1 52:54:00:00:00:04 --inactive
    lab_guest_wait VM1 30 eth1
    expect 0 --timeout 60 detach-interface VM1 network --mac 52:54:00:00:00:04 --live --config
    [ ! -e /sys/class/net/mytap ]
    run nic VM1 52:54:00:00:00:04 --inactive
    [ "$status" -ne 0 ]
}

@test "--current, and without any: the guest if it runs, else the definition" {
    for how in --current ''; do
        # shellcheck disable=SC2086 # a word or none
        expect 0 attach-interface VM1 network default --model virtio --mac 52:54:00:00:00:02 $how
        read -r tap _ < <(nic VM1 52:54:00:00:00:02)
        [ "$(master "$tap")" = virbr0 ]
        run nic VM1 52:54:00:00:00:02 --inactive
        [ "$status" -ne 0 ]
        # shellcheck disable=SC2086
        expect 0 --timeout 60 detach-interface VM1 network --mac 52:54:00:00:00:02 $how
        [ ! -e "/sys/class/net/$tap" ]
        # shellcheck disable=SC2086
        expect 0 attach-interface off network lab --mac 52:54:00:00:00:16 $how
        nic off 52:54:00:00:00:16
        # shellcheck disable=SC2086
        expect 0 detach-interface off network --mac 52:54:00:00:00:16 $how
        run nic off 52:54:00:00:00:16
        [ "$status" -ne 0 ]
    done
}

@test "attach-interface of type bridge: a libvirt bridge, and one that is none" {
    ip link add plain type bridge
    ip link set plain up
    for bridge in virbr1 plain; do
        expect 0 attach-interface VM1 bridge $bridge --model virtio --mac 52:54:00:00:00:02 --live
        read -r tap _ < <(nic VM1 52:54:00:00:00:02)
        [ "$(master "$tap")" = $bridge ]
        expect 0 --timeout 60 detach-interface VM1 bridge --live --mac 52:54:00:00:00:02
        [ ! -e "/sys/class/net/$tap" ]
    done
    ip link del plain
}

@test "--print-xml: the device's XML, and nothing changes" {
    before=$(virsh dumpxml VM1; virsh dumpxml VM1 --inactive)
    expect 0 attach-interface VM1 network default --mac 52:54:00:00:00:02 --model virtio --target t1 --live --print-xml
    wanted=$(virsh attach-interface VM1 network default --mac 52:54:00:00:00:02 --model virtio --target t1 --print-xml)
    same "$(xmllint --c14n - <<<"$wanted" | tr -d ' \n')" "$(xmllint --c14n - <<<"$output" | tr -d ' \n')"
    expect 0 attach-interface VM1 network "a'b\"<&>" --print-xml
    same "a'b\"<&>" "$(xmllint --xpath 'string(/interface/source/@network)' - <<<"$output")"
    expect 0 attach-interface VM1 bridge br0 --print-xml
    same br0 "$(xmllint --xpath 'string(/interface[@type="bridge"]/source/@bridge)' - <<<"$output")"
    same "$before" "$(virsh dumpxml VM1; virsh dumpxml VM1 --inactive)"
}

@test "what cannot be plugged: exit 1 or 2, named, nothing changed" {
    before=$(virsh dumpxml VM1; virsh dumpxml VM1 --inactive)
    expect 1 attach-interface VM11 network default
    # shellcheck disable=SC2154 # bats' run sets it
    has "$stderr" "did you mean 'VM1'?"
    expect 1 attach-interface VM1 network nosuch --live
    has "$stderr" nosuch
    expect 1 attach-interface off network default --live
    expect 1 detach-interface VM1 network --mac 52:54:00:00:00:99
    has "$stderr" 52:54:00:00:00:99
    expect 1 detach-interface VM1 bridge
    expect 2 attach-interface VM1 network default --mac nonsense
    has "$stderr" "'nonsense' is no MAC address" 'hint: vnat help attach-interface'
    expect 2 detach-interface VM1 network --mac nonsense
    has "$stderr" "'nonsense' is no MAC address" 'hint: vnat help detach-interface'
    expect 2 attach-interface VM1 ethernet default
    has "$stderr" "no interface type 'ethernet'" "hint: 'virsh attach-device'"
    expect 2 attach-interface VM1 network
    has "$stderr" 'needs a source' 'hint: vnat help attach-interface'
    expect 2 attach-interface VM1 network default --live --current
    expect 2 attach-interface VM1 network default $'--model=vir\xfftio'
    expect 2 detach-interface VM1
    expect 2 -r attach-interface VM1 network default
    expect 2 -r connect VM1 lab
    run --separate-stderr lab_as visitor vnat attach-interface VM1 network default
    [ "$status" -eq 1 ]
    same "$before" "$(virsh dumpxml VM1; virsh dumpxml VM1 --inactive)"
}

@test "detach-interface with several of a type wants to know which" {
    virsh -q attach-interface off network lab --mac 52:54:00:00:00:26 --config >/dev/null
    expect 2 detach-interface off network
    has "$stderr" mac
    expect 0 detach-interface off network --mac 52:54:00:00:00:26
    expect 0 detach-interface off network
    [ -z "$(virsh -q domiflist off)" ]
    virsh -q attach-interface off network default --mac 52:54:00:00:00:06 --config >/dev/null
}

@test "a guest that does not let go: exit at the deadline, and what is waited for" {
    virsh -q suspend VM1 >/dev/null
    virsh -q attach-interface VM1 network default --model virtio --mac 52:54:00:00:00:02 --live >/dev/null
    read -r tap _ < <(nic VM1 52:54:00:00:00:02)
    # libvirt itself waits five seconds, and then calls it done.
    SECONDS=0
    expect 1 --timeout 12 detach-interface VM1 network --mac 52:54:00:00:00:02 --live
    [ "$SECONDS" -ge 11 ] && [ "$SECONDS" -le 60 ]
    has "$stderr" 'the guest to let go' "$tap"
    virsh -q resume VM1 >/dev/null
    unplugged() { [ ! -e "/sys/class/net/$tap" ] || { virsh -q detach-interface VM1 network --mac 52:54:00:00:00:02 --live; false; }; }
    lab_wait_for 20 unplugged
}

@test "connect: a running guest's interface moves to another network, live and in its definition" {
    read -r tap _ < <(nic VM1 52:54:00:00:00:01)
    expect 0 connect VM1 lab
    has "$output" VM1 lab
    same "$tap lab virtio" "$(nic VM1 52:54:00:00:00:01)"
    [ "$(master "$tap")" = virbr1 ]
    same "- lab virtio" "$(nic VM1 52:54:00:00:00:01 --inactive)"
    # The guest is where it is said to be.
    lab_guest_renew VM1
    leased() { lab_guest_run VM1 'killall -USR2 udhcpc; killall -USR1 udhcpc'; lab_guest_address VM1 | grep -q '^192\.168\.123\.'; }
    lab_wait_for 20 leased
    expect 0 connect VM1 default --json
    [ "$(json '.interfaces[0] | [.network, .bridge] | @csv')" = '"default","virbr0"' ]
    [ "$(master "$tap")" = virbr0 ]
    # Already there: nothing to do, and no error.
    expect 0 connect VM1 default
}

@test "connect --live, --config, a domain that is off, the choice of an interface" {
    expect 0 connect P1 lab --live
    same lab "$(nic P1 52:54:00:00:00:05 | cut -d' ' -f2)"
    same default "$(nic P1 52:54:00:00:00:05 --inactive | cut -d' ' -f2)"
    expect 0 connect P1 default --live
    expect 0 connect P1 lab --config
    same default "$(nic P1 52:54:00:00:00:05 | cut -d' ' -f2)"
    same lab "$(nic P1 52:54:00:00:00:05 --inactive | cut -d' ' -f2)"
    expect 0 connect off lab
    same lab "$(nic off 52:54:00:00:00:06 | cut -d' ' -f2)"
    virsh -q attach-interface off network default --mac 52:54:00:00:00:36 --config >/dev/null
    expect 2 connect off lab
    has "$stderr" --interface 52:54:00:00:00:36
    expect 0 connect off lab --interface 52:54:00:00:00:36
    same lab "$(nic off 52:54:00:00:00:36 | cut -d' ' -f2)"
    read -r tap _ < <(nic P1 52:54:00:00:00:05)
    expect 0 connect P1 lab --interface "$tap"
    [ "$(master "$tap")" = virbr1 ]
    expect 1 connect P1 lab --interface vnet99
    has "$stderr" vnet99 "$tap"
    expect 1 connect P1 labb
    has "$stderr" "did you mean 'lab'?"
    same "$tap lab" "$(nic P1 52:54:00:00:00:05 | cut -d' ' -f1,2)"
    # By default both change, so both must have it.
    expect 0 attach-interface VM1 network lab --mac 52:54:00:00:00:37 --live
    expect 1 connect VM1 default --interface 52:54:00:00:00:37
    has "$stderr" 'its definition has not' 'hint: --live'
    expect 0 connect VM1 default --interface 52:54:00:00:00:37 --live
    expect 0 --timeout 60 detach-interface VM1 network --mac 52:54:00:00:00:37 --live
    expect 1 connect P2 lab
    expect 2 connect P1
}
