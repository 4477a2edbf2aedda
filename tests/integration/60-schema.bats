#!/usr/bin/env bats
# Every --json is what docs/schema says: on a host that works, on a damaged one, without rights, on another driver.

setup_file() {
    load helpers
    vnat -q net-start default
    vnat -q net-start six --template nat-ipv6
    vnat -q net-define isolated -Dname=quiet
    lab_guest_paused P1 default 52:54:00:00:00:05 "$(lab_interface_xml six)" "$(lab_interface_xml bridge=virbr0)"
    lab_guest_netns box virbr0 52:54:00:00:00:09 $'b\e[x"\xe2\x80\xae'
    ip link add stray type veth peer name yarts
    ip link set stray master virbr0 up
    lab_wait_for 20 lab_leased virbr0 52:54:00:00:00:09
    # Bytes that are no UTF-8, a lease without end, a client id, and one of IPv6.
    jq '. + [{"ip-address": "192.168.122.77", "mac-address": "52:54:00:00:00:05", "hostname": "PLACE", "expiry-time": 0,
              "client-id": "01:52:54:00:00:00:05"}]' \
        /var/lib/libvirt/dnsmasq/virbr0.status | sed $'s/PLACE/\xff\xfe/' >"$LAB_DIR/status.good"
    cp "$LAB_DIR/status.good" /var/lib/libvirt/dnsmasq/virbr0.status
    prefix=$(virsh net-dumpxml six | sed -n "s/.*family='ipv6' address='\(.*\)1' prefix.*/\1/p")
    six=$(virsh -q net-info six | awk '$1 == "Bridge:" {print $2}')
    mac=$(virsh -q domiflist P1 | awk '$3 == "six" {print $5}')
    printf '[{"iaid": "1", "ip-address": "%s1000", "mac-address": "%s", "client-id": "00:01", "server-duid": "00:02", "expiry-time": %s}]' \
        "$prefix" "$mac" "$(($(date +%s) + 3600))" >"/var/lib/libvirt/dnsmasq/$six.status"
}

setup() {
    load helpers
    asked=0
    readers=(
        'interfaces map' 'interfaces map default' 'interfaces map six' 'interfaces who 52:54:00:00:00:05'
        'interfaces domiflist P1' 'interfaces domiflist P1 --inactive' 'interfaces domifaddr P1'
        'interfaces domifaddr P1 --source all' 'networks net-list --all' 'networks net-list' 'networks net-info default'
        'networks net-info six' 'networks net-info quiet' 'leases net-dhcp-leases default' 'leases net-dhcp-leases six'
        'status status' 'status status default' 'status status quiet' 'steps repair' 'steps repair six'
        'flows flows' 'flows flows P1' 'flows flows six'
    )
}

# What a test asked for is looked at when it has asked for all of it.
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || return 0
    [ ! -s "$BATS_TEST_TMPDIR/list" ] || "$LAB_TOP/tests/validate-json" --list <"$BATS_TEST_TMPDIR/list"
}

# valid SCHEMA WORD...: $output, which these words of vnat's printed, will be validated.
valid() {
    local name=${*:2}
    asked=$((asked + 1))
    name=$BATS_TEST_TMPDIR/$asked.${name//[^A-Za-z0-9.-]/_}
    printf '%s\n' "$output" >"$name"
    printf '%s %s\n' "$1" "$name" >>"$BATS_TEST_TMPDIR/list"
}

# follows SCHEMA VNAT-WORD...: vnat WORD... --json exits with one of $codes and prints what the schema says.
follows() {
    local schema=$1
    shift
    run --separate-stderr vnat "$@" --json
    [[ " ${codes:-0} " == *" $status "* ]] || {
        printf '%s: %s\n' "$*" "$status"
        return 1
    }
    valid "$schema" "$@"
}

@test "everything that only reads" {
    for words in "${readers[@]}"; do
        # shellcheck disable=SC2086 # words they are
        follows $words
    done
    codes=1 follows interfaces who nobody
    codes='0 1 6' follows why why P1
    codes='0 1 6' follows why why P1 --inbound
    follows templates template list
    follows templates template show default
    # What was put there is seen: this host shows all kinds.
    expect 0 map --json
    [ "$(json '[.interfaces[].addresses[].family] | unique | join(" ")')" = 'ipv4 ipv6' ]
    [ "$(json '[.interfaces[].addresses[] | select(has("hostname_hex")) | .hostname_hex] | unique | join(" ")')" = fffe ]
    [ "$(json '[.interfaces[].type] | unique | map(tostring) | join(" ")')" = 'null bridge network' ]
    expect 0 status --json
    [ "$(json '.findings | length')" -ge 1 ]
    codes='1 2' follows findings check
    codes='0 1' follows stages probe default
    codes='1 2' follows findings check default --all
    expect 0 watch --json --count 0
    "$LAB_TOP/tests/validate-json" --lines watch <<<"$output"
    expect 0 flows --follow --json --count 0
    "$LAB_TOP/tests/validate-json" --lines flows-follow <<<"$output"
}

@test "everything that changes something" {
    follows networks net-define nat -Dname=lab
    follows networks net-autostart lab
    follows networks net-autostart --disable lab
    follows networks net-start lab
    follows networks net-start lab
    follows networks net-undefine lab
    virsh -q net-destroy lab >/dev/null
    follows networks net-start lab --template nat
    follows networks net-destroy lab
    forget lab
    follows interfaces attach-interface P1 network default --mac 52:54:00:00:00:55 --config
    follows interfaces detach-interface P1 network --mac 52:54:00:00:00:55 --config
    follows interfaces attach-interface P1 network six --mac 52:54:00:00:00:55 --model virtio --live
    follows interfaces connect P1 six --interface 52:54:00:00:00:05 --live
    follows interfaces connect P1 default --interface 52:54:00:00:00:05 --live
}

@test "no command with --json is left out above" {
    mapfile -t commands < <(vnat help | sed -nE 's/^  ([a-z]+[a-z-]*( [a-z]+)?)  +.*/\1/p')
    [ "${#commands[@]}" -ge 20 ]
    for command in "${commands[@]}"; do
        # shellcheck disable=SC2086 # words they are
        vnat help $command | grep -q -- --json || continue
        grep -qE "(follows|expect 0|'(interfaces|networks|leases|status|templates|steps|flows)).* $command" "$BATS_TEST_FILENAME" || {
            echo "$command --json is not validated"
            return 1
        }
    done
}

@test "a source that is down, or stale" {
    for damage in garbage '[1]'; do
        echo "$damage" >/var/lib/libvirt/dnsmasq/virbr0.status
        for words in "${readers[@]}"; do
            # shellcheck disable=SC2086
            codes='0 6' follows $words
        done
    done
    cp "$LAB_DIR/status.good" /var/lib/libvirt/dnsmasq/virbr0.status
}

@test "without rights" {
    for words in "${readers[@]}"; do
        # shellcheck disable=SC2086
        set -- $words
        run --separate-stderr lab_as visitor vnat "${@:2}" --json
        [ "$status" -eq 0 ] || [ "$status" -eq 6 ]
        valid "$@"
    done
}

@test "libvirt's test driver" {
    for words in 'interfaces map' 'interfaces who test' 'interfaces domiflist test' 'interfaces domifaddr test' 'networks net-list' \
        'networks net-info default' 'leases net-dhcp-leases default' 'status status' 'flows flows'; do
        # shellcheck disable=SC2086
        set -- $words
        codes='0 6' follows "$1" -c test:///default "${@:2}"
    done
}

@test "taps and bridges that are not what they should be" {
    tap=$(virsh -q domiflist P1 | awk 'NR == 1 {print $1}')
    ip link set "$tap" nomaster
    for words in "${readers[@]}"; do
        # shellcheck disable=SC2086
        follows $words
    done
    ip link del "$(virsh -q net-info six | awk '$1 == "Bridge:" {print $2}')"
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    for words in "${readers[@]}"; do
        # shellcheck disable=SC2086
        follows $words
    done
}
