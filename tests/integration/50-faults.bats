#!/usr/bin/env bats
# What goes wrong outside of vnat: daemons stopped, files damaged, rights missing, streams closed, names that bite.

setup_file() {
    load helpers
    vnat -q net-start default
    lab_guest_paused P1 default 52:54:00:00:00:05
    lab_guest_netns box virbr0 52:54:00:00:00:09 box
    lab_wait_for 20 lab_leased virbr0 52:54:00:00:00:09
    # P1 never asks: a lease of its own, for what shows it.
    jq '. + [{"ip-address": "192.168.122.77", "mac-address": "52:54:00:00:00:05", "hostname": "p1", "expiry-time": 0}]' \
        /var/lib/libvirt/dnsmasq/virbr0.status >"$LAB_DIR/status.good"
    cp "$LAB_DIR/status.good" /var/lib/libvirt/dnsmasq/virbr0.status
}

setup() {
    load helpers
    readers=(net-list 'net-list --all --json' 'net-info default' 'net-dhcp-leases default' map 'map --json' 'who P1' 'ip P1'
        'domiflist P1' 'domifaddr P1' status 'status default --json')
    leases=/var/lib/libvirt/dnsmasq/virbr0.status
}

teardown() {
    cp "$LAB_DIR/status.good" /var/lib/libvirt/dnsmasq/virbr0.status
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    forget lab
    if pid=$(lab_libvirtd_pid); then kill -CONT "$pid"; else lab_libvirtd_start; fi
}

# elapsed CMD...: runs it; $took is how long, in milliseconds.
elapsed() {
    local begin=${EPOCHREALTIME/./}
    "$@"
    local code=$?
    took=$(((${EPOCHREALTIME/./} - begin) / 1000))
    return $code
}

# ------------------------------------------------------------------------------------------------------- libvirtd

@test "libvirtd stopped: exit 4 at once, the socket is named, and what to do" {
    lab_libvirtd_stop
    for words in "${readers[@]}" 'net-start default' 'net-define nat' 'net-destroy default' 'attach-interface P1 network default' \
        'connect P1 default' 'template render nat'; do
        # shellcheck disable=SC2086 # words they are
        elapsed expect 4 --timeout 100 $words
        [ -z "$output" ]
        # shellcheck disable=SC2154 # bats' run sets it
        has "$stderr" "error: failed to connect to 'qemu:///system'" libvirt-sock 'hint: systemctl start'
        # Not at the deadline.
        [ "$took" -le 50000 ]
    done
    # Templates are files.
    expect 0 template list
    expect 0 template show nat
    expect 0 template render default
    expect 2 template render ./nothing.d -Dx
    run --separate-stderr vnat complete net-info d
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    lab_libvirtd_start
    expect 0 ip P1
    [ "$output" = 192.168.122.77 ]
}

@test "libvirtd hangs: exit 4 at the deadline" {
    kill -STOP "$(lab_libvirtd_pid)"
    for words in net-list 'map --json' 'net-start default' 'ip P1'; do
        # shellcheck disable=SC2086
        elapsed expect 4 --timeout 3 $words
        [ "$took" -ge 2900 ] && [ "$took" -le 30000 ]
        [ -z "$output" ]
        has "$stderr" hangs 'hint: '
    done
    # It has a deadline of its own, for somebody has pressed a key.
    elapsed run --separate-stderr vnat --timeout 100 complete net-info d
    [ "$took" -le 50000 ]
    [ -z "$output$stderr" ]
    # The lock of those that change something is not left behind.
    kill -CONT "$(lab_libvirtd_pid)"
    expect 0 net-start default
}

@test "libvirtd killed and started again: nothing is lost, nobody is cut off" {
    dnsmasq=$(lab_dnsmasq_pid default)
    before=$(vnat map --csv)
    lab_libvirtd_kill
    expect 4 map
    lab_libvirtd_start
    same "$before" "$(vnat map --csv)"
    [ "$(lab_dnsmasq_pid default)" = "$dnsmasq" ]
    expect 0 net-start default
    [ "$output" = "Network default already active" ]
}

@test "dnsmasq killed: it is said, and that libvirt does not know" {
    kill -KILL "$(lab_dnsmasq_pid default)"
    lab_wait_for 2 lab_not lab_dnsmasq_pid default
    expect 0 status default
    has "$output" dnsmasq-dead
    expect 0 net-info --json default
    [ "$(json '.networks[0] | [.active, .dnsmasq.running] | @csv')" = true,false ]
    lab_libvirtd_restart
    expect 0 status default
    lacks "$output" dnsmasq-dead
}

# --------------------------------------------------------------------------------------------------------- leases

@test "a damaged lease file is not an empty one: exit 6, the source is down" {
    good=$(cat "$LAB_DIR/status.good")
    for damage in "${good:0:30}" "${good:0:-3}" garbage '{}' "$good$good"; do
        printf '%s\n' "$damage" >"$leases"
        for words in net-list 'net-dhcp-leases default' map 'domiflist P1' 'domifaddr P1' 'who P1' 'net-info default' status; do
            # shellcheck disable=SC2086
            expect 6 $words
            has "$stderr" 'leases: '
            lacks "$output" '0 of 253'
            [ -n "$output" ]
        done
        expect 6 ip P1
        expect 6 map --json
        [ "$(json .sources.leases)" = down ]
        expect 6 net-list --json
        [ "$(json '.networks[0].ips[0].dhcp.leases')" = null ]
        expect 6 net-list -n -o leases
        [ "$(xargs <<<"$output")" = - ]
        # Who needs no leases does not miss them.
        expect 0 net-list --name
        expect 0 net-dumpxml default
    done
    # Entries that are none: what is left is shown, what is missing is said, and none is not zero.
    for damage in '[{"ip-address":"192.168.122.77"}]' '[1]'; do
        printf '%s\n' "$damage" >"$leases"
        expect 6 net-info default
        has "$stderr" 'leases: stale: ' "1 of the file's entries are no lease"
        lacks "$output" '0 of 253'
    done
    jq '. + [7]' "$LAB_DIR/status.good" >"$leases"
    expect 6 net-dhcp-leases default -n -o address
    grep -qF 192.168.122.77/24 <<<"$output"
}

@test "one network's damaged file takes nothing from the others" {
    expect 0 net-start lab --template nat
    bridge=$(virsh -q net-info lab | awk '$1 == "Bridge:" {print $2}')
    echo garbage >"/var/lib/libvirt/dnsmasq/$bridge.status"
    expect 6 net-list -n -o name,leases
    same $'default 2\nlab -' "$(sed 's/^ *//; s/  */ /' <<<"$output")"
    expect 6 map --json
    [ "$(json .sources.leases)" = stale ]
    has "$output" 192.168.122.77
    # Who asks about the other one alone has a complete answer.
    expect 0 ip P1
    expect 0 net-dhcp-leases default
    forget lab
}

@test "an empty lease file is a new network: no leases, exit 0" {
    : >"$leases"
    expect 0 net-dhcp-leases default --json
    [ "$(json '[.sources.leases, (.leases | length)] | @csv')" = '"live",0' ]
    expect 0 net-info default
    has "$output" '0 of 253'
    expect 1 ip P1
}

@test "the damage past, all is there again" {
    expect 0 ip P1
    [ "$output" = 192.168.122.77 ]
    expect 0 map --json
    [ "$(json '[.sources[]] | unique | join(" ")')" = live ]
}

# --------------------------------------------------------------------------------------------------------- rights

@test "--readonly and ordinary users read the same map" {
    wanted=$(vnat map --csv)
    same "$wanted" "$(vnat -r map --csv)"
    for user in operator visitor; do
        for words in net-list 'net-dhcp-leases default' 'domiflist P1' 'domifaddr P1' 'ip P1' 'who P1' map 'net-dumpxml default'; do
            # shellcheck disable=SC2086
            run --separate-stderr lab_as $user vnat $words
            [ "$status" -eq 0 ] || { echo "$user $words: $status $stderr"; return 1; }
            [ -z "$stderr" ]
            # shellcheck disable=SC2086
            same "$(vnat $words)" "$output"
        done
        same "$wanted" "$(lab_as $user vnat map --csv)"
    done
}

@test "what needs rights is incomplete without them, and nothing else is wrong" {
    run --separate-stderr lab_as visitor vnat status default
    [ "$status" -eq 6 ]
    has "$output" default virbr0 P1
    has "$stderr" 'firewall: '
    # What cannot be seen is not reported as missing.
    lacks "$output" nat-rules-missing dnsmasq-dead
    run --separate-stderr lab_as visitor vnat net-info --json default
    [ "$status" -eq 6 ]
    [ "$(json '.networks[0] | [.nat.present, .dnsmasq.running] | @csv')" = ,true ]
    [ "$(json .sources.firewall)" = down ]
}

# -------------------------------------------------------------------------------------------------------- streams

@test "a full disk and closed streams: exit 1, said where it can be" {
    for words in map net-list 'map --json' 'net-dumpxml default' 'ip P1' 'template render default' --help 'net-list --name'; do
        # shellcheck disable=SC2086
        run vt_full $words
        [ "$status" -eq 1 ]
        has "$output" 'error: failed to write'
        # shellcheck disable=SC2086
        run vt_closed $words
        [ "$status" -eq 1 ]
    done
    run vt_no_stderr net-info nosuch
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    run vt_no_stdin map
    [ "$status" -eq 0 ]
    # Nothing of a message may end in a file that took the place of a closed stream.
    run vt_none net-info nosuch
    [ "$status" -eq 1 ]
}
vt_full() { { vnat "$@" >/dev/full; } 2>&1; }
vt_closed() { vnat "$@" >&-; }
vt_no_stderr() { vnat "$@" 2>&-; }
vt_no_stdin() { vnat "$@" <&-; }
vt_none() { vnat "$@" <&- >&- 2>&-; }

@test "a reader that has had enough: silence" {
    for words in 'map --json' map 'net-dumpxml default' 'template list' help; do
        # shellcheck disable=SC2086
        run vt_head $words
        [ "$status" -eq 0 ]
        [ -z "$output" ]
    done
}
# The reader has gone before the first byte: a pipe whose reading end is closed.
vt_head() {
    python3 -c '
import os, subprocess, sys
read, write = os.pipe()
os.close(read)
done = subprocess.run(sys.argv[1:], stdout=write, stderr=subprocess.PIPE, restore_signals=True)
sys.stdout.buffer.write(done.stderr)
sys.exit(done.returncode not in (0, 141, -13))' vnat "$@"
}

@test "environments: none, a dumb terminal, no colour, other locales" {
    vnat=$(command -v vnat)
    wanted=$(vnat map --csv)
    same "$wanted" "$(env -i "$vnat" map --csv)"
    same "$wanted" "$(env -i LC_ALL=C.UTF-8 "$vnat" map --csv)"
    same "$wanted" "$(env -i LC_ALL=nonsense TERM=nonsense COLUMNS=x HOME=/nonexistent "$vnat" map --csv)"
    run env -i "$vnat" template list
    [ "$status" -eq 0 ]
    # Narrow or wide, what is not a terminal gets it whole.
    same "$(vnat map)" "$(COLUMNS=20 vnat map)"
    # Colour: on a terminal alone, unless it is unwanted there.
    run env TERM=xterm script -qec 'vnat status' /dev/null
    has "$output" $'\e['
    for unwanted in TERM=dumb NO_COLOR=1; do
        run env TERM=xterm script -qec "env $unwanted vnat status" /dev/null
        lacks "$output" $'\e['
    done
    expect 0 status
    lacks "$output" $'\e['
    expect 0 --color always status
    has "$output" $'\e['
    run env TERM=xterm script -qec 'vnat --color never status' /dev/null
    lacks "$output" $'\e['
    # Numbers and times are not the locale's.
    same "$(LC_ALL=C vnat map --json | jq -S 'del(.time)')" "$(LC_ALL=C.UTF-8 LC_NUMERIC=de_DE.UTF-8 vnat map --json | jq -S 'del(.time)')"
}

# ---------------------------------------------------------------------------------------------------------- names

# bites: the names of networks that libvirt's test driver takes; and the file that makes them.
# shellcheck disable=SC2016 # as they are
bites=('a&#10;b' 'a&#9;tab' '..' '..%2fetc' '--help' "it&apos;s" '&quot;quoted&quot;' ' ' 'a,b;c' '-' 'x&#127;y&#133;z' '&#x202e;desrever'
    'gr&#xfc;n' '%s%n' '$(id)' '&lt;network&gt;' 'back\slash')

test_world() {
    local i
    echo "<node>"
    for i in "${!bites[@]}"; do
        printf "<network><name>%s</name><bridge name='br%s'/><forward mode='nat'/>
            <ip address='10.%s.0.1' netmask='255.255.255.0'><dhcp><range start='10.%s.0.2' end='10.%s.0.9'/></dhcp></ip></network>\n" \
            "${bites[i]}" "$i" "$i" "$i" "$i"
        printf "<domain type='test'><name>dom%s</name><memory>8192</memory><os><type>hvm</type></os><devices>
            <interface type='network'><mac address='52:54:00:00:01:%02x'/><source network='%s'/><target dev='tap%s'/></interface>
            </devices></domain>\n" "$i" "$i" "${bites[i]}" "$i"
    done
    echo "</node>"
}

@test "networks of any name: rows stay rows, JSON says the name, no control byte on any output" {
    test_world >"$LAB_DIR/world.xml"
    uri=test://$LAB_DIR/world.xml
    mapfile -t names < <(python3 -c 'import sys, json, xml.etree.ElementTree as t
for n in t.parse(sys.argv[1]).findall("network/name"): print(json.dumps(n.text))' "$LAB_DIR/world.xml")
    count=${#bites[@]}
    [ "${#names[@]}" -eq "$count" ]
    for locale in C C.UTF-8; do
        for words in net-list 'net-list --name' 'net-list --csv' map 'map --csv' status 'map -o +source'; do
            # shellcheck disable=SC2086
            LC_ALL=$locale expect 0 -c "$uri" $words
            clean "$output$stderr"
            [ "$words" = status ] || [ "$(grep -c . <<<"$output")" -ge "$count" ]
        done
        LC_ALL=$locale expect 0 -c "$uri" net-list -n
        [ "${#lines[@]}" -eq "$count" ]
        LC_ALL=$locale expect 0 -c "$uri" map -n
        [ "${#lines[@]}" -eq "$count" ]
    done
    expect 0 -c "$uri" net-list --json
    clean "$output"
    same "$(printf '%s\n' "${names[@]}" | jq -cs sort)" "$(json '[.networks[].name] | sort' -c)"
    expect 0 -c "$uri" map --json
    clean "$output"
    # In a domain's XML a name is an attribute, where libvirt leaves line feeds and tabs to become spaces.
    same "$(printf '%s\n' "${names[@]}" | jq -cs 'map(gsub("[\\n\\t]"; " ")) | sort')" "$(json '[.interfaces[].network] | sort' -c)"
    printed=
    for at in "${!names[@]}"; do
        name=$(jq -r . <<<"${names[at]}"; echo .)
        name=${name%$'\n'.}
        for words in 'net-info' 'net-info --json' 'map --json' 'status' 'net-dhcp-leases'; do
            # shellcheck disable=SC2086
            run --separate-stderr vnat -c "$uri" $words -- "$name"
            [ "$status" -eq 0 ] || [ "$words" = net-dhcp-leases ]
            printed+=$output$stderr
        done
        expect 0 -c "$uri" net-info --json -- "$name"
        same "${names[at]}" "$(json '.networks[0].name | tojson' | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)))')"
        expect 0 -c "$uri" domiflist "dom$at"
        printed+=$output
        # The same document; but what a terminal should not get is written as a reference.
        plain=$(virsh -c "$uri" net-dumpxml --network "$name" | grep -v '<uuid>\|<mac')
        shown=$(vnat -c "$uri" net-dumpxml -- "$name" | grep -v '<uuid>\|<mac')
        same "$(xmllint --c14n - <<<"$plain")" "$(xmllint --c14n - <<<"$shown")"
        clean "${shown//$'\t'/}"
    done
    clean "$printed"
}

@test "words that bite are escaped in messages too" {
    printed=
    for word in $'no\e[31m\nsuch' $'\xff\xfe' $'a\xe2\x80\xaeb' '%s%n%s'; do
        for command in net-info net-start domiflist ip who map template\ show net-define; do
            # shellcheck disable=SC2086
            run --separate-stderr vnat $command "$word"
            [ "$status" -eq 1 ] || [ "$status" -eq 2 ] || { echo "$command: $status"; return 1; }
            [ -z "$output" ]
            [ "$(grep -c . <<<"$stderr")" -le 3 ]
            printed+=$stderr
        done
        expect 2 "$word"
        printed+=$stderr
        expect 4 -c "$word" net-list
        printed+=$stderr
        expect 2 map -o "$word"
        printed+=$stderr
    done
    clean "$printed"
}
