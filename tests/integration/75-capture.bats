#!/usr/bin/env bats
# A host in a directory: what it says there is what it said live; and what happens where it cannot be written or read.

setup_file() {
    load helpers
    lab_network default virbr0 122
    lab_network lab virbr1 123
    lab_network quiet virbr2 124
    virsh -q 'net-destroy quiet; net-autostart default' >/dev/null
    lab_guest_linux VM1 default 52:54:00:00:00:01 VM1 "$(lab_interface_xml lab 52:54:00:00:00:11)"
    lab_guest_paused P1 default 52:54:00:00:00:05
    lab_guest_paused off lab 52:54:00:00:00:06
    virsh -q destroy off >/dev/null
    ip link add stray type veth peer name yarts
    ip link set stray master virbr0 up
    lab_guest_wait VM1 60 >"$LAB_DIR/VM1.address"
    lab_guest_wait VM1 60 eth1
    lab_wait_for 20 lab_leased virbr0 52:54:00:00:00:01
    lab_wait_for 20 lab_leased virbr1 52:54:00:00:00:11
    # Addresses and bytes that come from nobody who moves.
    ip neigh add 192.168.122.50 lladdr 52:54:00:00:00:05 dev virbr0 nud permanent
    jq '. + [{"ip-address": "192.168.122.77", "mac-address": "52:54:00:00:00:05", "hostname": "PLACE", "expiry-time": 0}]' \
        /var/lib/libvirt/dnsmasq/virbr0.status | sed $'s/PLACE/p\\\\u001b1\xff/' >"$LAB_DIR/status.good"
    cp "$LAB_DIR/status.good" /var/lib/libvirt/dnsmasq/virbr0.status
    vnat -q capture "$LAB_DIR/good"
}

setup() {
    load helpers
    good=$LAB_DIR/good
    place=$(mktemp -d)
    readers=(
        net-list 'net-list --all' 'net-list --inactive' 'net-list --name' 'net-list --all --uuid' 'net-list --csv'
        'net-info default' 'net-info lab' 'net-info quiet' 'net-info quieter' 'net-info nosuch'
        'net-dumpxml default' 'net-dumpxml --inactive default' 'net-dumpxml quiet'
        'net-dhcp-leases default' 'net-dhcp-leases default 52:54:00:00:00:01' 'net-dhcp-leases quiet'
        map 'map lab' 'map --csv' 'map -o +uuid,id,host-mac,carrier,evidence'
        'who VM1' 'who vnet0' 'who stray' 'who off' 'who 192.168.122.50' 'who nobody' 'ip VM1' 'ip P1' 'ip off' 'ip vm1'
        'domiflist VM1' 'domiflist VM1 --inactive' 'domiflist P1' 'domiflist off' 'domiflist nobody'
        'domifaddr VM1' 'domifaddr VM1 --source neighbour' 'domifaddr P1 --source all' 'domifaddr VM1 --source agent'
        status 'status default' 'status lab' check 'check lab' 'check --format nagios' repair flows 'flows VM1' 'flows lab --csv' 'flows off'
        'why VM1' 'why VM1 --inbound' 'why P1 203.0.113.1:80' 'template render nat' 'template render routed -D subnet=10.9.0.0/24'
    )
}

teardown() {
    local pid
    if mountpoint -q "$place/small"; then umount "$place/small"; fi
    if mountpoint -q "$place/fixed"; then umount "$place/fixed"; fi
    rm -rf "$place"
    cp "$LAB_DIR/status.good" /var/lib/libvirt/dnsmasq/virbr0.status
    if pid=$(lab_libvirtd_pid); then kill -CONT "$pid"; else lab_libvirtd_start; fi
}

# answer VNAT-WORD...: everything that it says, without what time changes and what tells the capture from the host.
answer() {
    local code=0
    vnat "$@" >"$place/out" 2>"$place/err" || code=$?
    # Time left of a lease; and so the width of its column.
    sed -E 's/\b(1h|[0-9]+m([0-9]+s)?|[0-9]+s)\b/LEFT/g; s/ +/ /g; s/-{4,}/----/' "$place/out"
    echo "-- exit $code"
    sed -E 's/ --replay [^ ]+//' "$place/err"
}

# documents VNAT-WORD...: the same of its JSON.
documents() {
    local code=0
    vnat "$@" --json >"$place/out" 2>"$place/err" || code=$?
    jq -S 'del(.time) | .sources[] |= sub("replayed"; "live")' "$place/out"
    echo "-- exit $code"
    sed -E 's/ --replay [^ ]+//' "$place/err"
}

# still: from now on nothing changes between two readings: no guest asks for a lease, and the only connections are such
# as do not end. What the kernel kept of earlier ones (dnsmasq's echo before it gives an address) would end any second.
still() {
    local guest bridge
    guest=$(cut -d/ -f1 "$LAB_DIR/VM1.address")
    lab_guest_run VM1 'killall udhcpc 2>/dev/null; ! pidof udhcpc'
    conntrack -F 2>/dev/null
    # Nor do the bridges forget a guest that is silent.
    for bridge in virbr0 virbr1; do ip link set "$bridge" type bridge ageing_time 8640000; done
    conntrack -I -t 86400 -p tcp -s "$guest" -d 203.0.113.1 --sport 5000 --dport 80 --state ESTABLISHED \
        -u SEEN_REPLY,ASSURED -r 203.0.113.1 -q 203.0.113.2 --reply-port-src 80 --reply-port-dst 5000 >/dev/null 2>&1
    conntrack -I -t 86400 -p udp -s "$guest" -d 203.0.113.1 --sport 5001 --dport 53 >/dev/null 2>&1
}

# left DIR [NAME...]: nothing is in DIR but these.
left() { same "$(printf '%s\n' "${@:2}")" "$(ls -A "$1")"; }

# ---------------------------------------------------------------------------------------------------- the answers

@test "a captured host answers as the host does" {
    still
    expect 0 capture "$place/host"
    has "$output" "Captured to $place/host: networks 3, domains 3"
    [ -z "$stderr" ]
    for words in "${readers[@]}"; do
        # shellcheck disable=SC2086 # words they are
        live=$(answer $words)
        # shellcheck disable=SC2086
        same "$live" "$(answer --replay "$place/host" $words)" || { echo "$words"; return 1; }
    done
}

@test "and in JSON, which follows the schemas" {
    still
    count=0
    expect 0 capture "$place/host"
    for words in "${readers[@]}"; do
        case $words in
        *--name* | *--uuid* | *--csv* | *dumpxml* | ip* | template*) continue ;;
        net-dhcp-leases*) schema=leases ;;
        net-*) schema=networks ;;
        status*) schema=status ;;
        check*) schema=findings ;;
        repair*) schema=steps ;;
        flows*) schema=flows ;;
        why*) schema=why ;;
        *) schema=interfaces ;;
        esac
        # shellcheck disable=SC2086
        live=$(documents $words)
        # shellcheck disable=SC2086
        same "$live" "$(documents --replay "$place/host" $words)" || { echo "$words"; return 1; }
        # shellcheck disable=SC2086
        run --separate-stderr vnat --replay "$place/host" $words --json
        [ -n "$output" ] || continue
        count=$((count + 1))
        printf '%s\n' "$output" >"$place/json.$count"
        printf '%s %s\n' "$schema" "$place/json.$count" >>"$place/list"
    done
    [ "$(wc -l <"$place/list")" -ge 30 ]
    "$LAB_TOP/tests/validate-json" --list <"$place/list"
    expect 0 --replay "$place/host" flows VM1 --json
    [ "$(json '[.flows[].guest_port] | sort | map(tostring) | join(" ")')" = '5000 5001' ]
    expect 0 --replay "$place/host" status --json
    [ "$(json '[.sources[]] | unique | join(" ")')" = replayed ]
    same "$(jq -r .time "$place/host/manifest.json")" "$(json .time)"
    [ "$(json .host)" = labhost ]
}

@test "it asks nobody else: no libvirt, no kernel, no programs, no clock" {
    for words in "${readers[@]}"; do
        # shellcheck disable=SC2086
        same "$(vnat --replay "$good" $words 2>&1)" \
            "$(unshare --net env -i VNAT_CONNECT=qemu+unix:///nowhere VNAT_TEMPLATE_PATH="$VNAT_TEMPLATE_PATH" \
                PATH=/nonexistent ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$(command -v vnat)" --replay "$good" $words 2>&1)"
    done
    # Not even of its own answers a minute ago: the time that a lease has left stands still.
    first=$(vnat --replay "$good" map)
    later() { [ "$(date +%s)" -gt "$(($(stat -c %Y "$good") + 1))" ]; }
    lab_wait_for 5 later
    same "$first" "$(vnat --replay "$good" map)"
    # -c means nothing, and -r is no less.
    same "$first" "$(vnat -c nonsense:///x --replay "$good" map)"
    same "$first" "$(vnat -r --replay "$good" map)"
    same "$first" "$(cd / && vnat --replay ".$good/" map)"
}

@test "the capture of a capture is that capture" {
    expect 0 --replay "$good" capture "$place/again"
    diff -r "$good" "$place/again"
    expect 0 --replay "$place/again" capture "$place/third"
    diff -r "$good" "$place/third"
}

@test "it is for its owner's eyes, and for a terminal's" {
    (umask 000 && vnat -q capture "$place/host")
    [ -z "$(find "$place/host" -perm /077)" ]
    [ -z "$(find "$place/host" ! -type d ! -type f)" ]
    clean "$(find "$place/host" -type f -exec cat {} + | tr -d '\t')"
    [ "$(wc -l <"$place/host/links.json")" -ge 8 ]
    expect 0 -q capture "$place/quiet"
    [ -z "$output$stderr" ]
}

@test "commands that change something refuse, and all others answer" {
    mapfile -t commands < <(vnat help | sed -nE 's/^  ([a-z]+[a-z-]*( [a-z]+)?)  +.*/\1/p')
    [ "${#commands[@]}" -ge 20 ]
    before=$(virsh net-list --all; virsh list --all; virsh domiflist P1)
    refused=
    for command in "${commands[@]}"; do
        case $command in
        net-define) words='net-define nat -Dname=new' ;;
        net-start | net-destroy | net-undefine) words="$command default" ;;
        net-autostart) words='net-autostart --disable default' ;;
        attach-interface | detach-interface) words="$command P1 network" ;;
        connect) words='connect P1 lab' ;;
        *) continue ;;
        esac
        # shellcheck disable=SC2086
        expect 2 --replay "$good" $words
        [ -z "$output" ]
        has "$stderr" "error: $command changes something, and a captured host cannot be changed"
        refused+=" $command"
    done
    [ "$(wc -w <<<"$refused")" -eq 8 ]
    same "$before" "$(virsh net-list --all; virsh list --all; virsh domiflist P1)"
    # Whatever is neither there nor among the readers needs no host.
    for command in "${commands[@]}"; do
        case "$refused capture template list template show help watch wait probe " in *" $command "*) continue ;; esac
        printf '%s\n' "${readers[@]}" | grep -q "^$command" || { echo "$command is not tried on a capture"; return 1; }
    done
    expect 0 --replay "$good" template list
    expect 0 --replay "$good" help map
    for words in watch 'wait P1'; do
        # shellcheck disable=SC2086
        expect 2 --replay "$good" $words
        has "$stderr" 'in a captured host nothing does'
    done
    expect 2 --replay "$good" probe default
    has "$stderr" 'a captured host has nothing to send them by'
    expect 2 --replay "$good" repair --apply
    has "$stderr" '--apply changes something'
}

# --------------------------------------------------------------------------------------------- where it is written

@test "what exists is not touched, an empty directory is taken" {
    mkdir "$place/full" "$place/empty"
    touch "$place/full/something" "$place/file"
    ln -s full "$place/link"
    ln -s nothing "$place/dangling"
    ln -s empty "$place/to-empty"
    for target in full full/ file link dangling to-empty; do
        expect 1 capture "$place/$target"
        [ -z "$output" ]
        has "$stderr" "error: failed to capture to '$place/$target'"
    done
    left "$place/full" something
    left "$place/empty"
    [ ! -e "$place/nothing" ]
    [ ! -s "$place/file" ]
    expect 0 capture "$place/empty/"
    expect 0 --replay "$place/empty" map
    expect 1 capture "$place/empty"
    has "$stderr" exists
    left "$place" dangling empty file full link to-empty
    # In the directory where one is.
    cd "$place"
    expect 0 capture here
    expect 0 --replay here map
    expect 2 capture
    expect 1 capture ''
}

@test "a target that cannot be written: exit 1 before anything is asked" {
    lab_libvirtd_stop
    touch "$place/file"
    mkdir "$place/mine" "$place/fixed"
    chmod 0755 "$place"
    mount -t tmpfs -o ro tmpfs "$place/fixed"
    for target in nothing/there file/in fixed/x; do
        expect 1 capture "$place/$target"
        has "$stderr" "failed to capture to '$place/$target'"
        lacks "$stderr" libvirt-sock
    done
    umount "$place/fixed"
    run --separate-stderr lab_as visitor vnat capture "$place/mine/x"
    [ "$status" -eq 1 ]
    has "$stderr" 'Permission denied'
    run --separate-stderr lab_as visitor vnat capture "$place/mine"
    [ "$status" -eq 1 ]
    left "$place" file fixed mine
    left "$place/mine"
}

@test "a full disk: exit 1, and nothing is left behind" {
    mkdir "$place/small"
    for limit in size=16k size=40k nr_inodes=4 nr_inodes=12; do
        mount -t tmpfs -o "$limit" tmpfs "$place/small"
        expect 1 capture "$place/small/host"
        has "$stderr" "failed to capture to '$place/small/host'" 'No space left'
        left "$place/small"
        umount "$place/small"
    done
    mount -t tmpfs -o size=1m tmpfs "$place/small"
    expect 0 capture "$place/small/host"
    left "$place/small" host
    umount "$place/small"
}

@test "Ctrl-C at any moment: all of it or nothing" {
    whole=0 none=0
    for moment in 0.005 0.02 0.03 0.04 0.05 0.06 0.07 0.08 0.09 0.1 0.12 0.15 0.2 0.3; do
        run timeout --preserve-status -s INT "$moment" vnat capture "$place/host"
        if [ -e "$place/host" ]; then
            expect 0 --replay "$place/host" map
            rm -r "$place/host"
            whole=$((whole + 1))
        else
            [ "$status" -eq 130 ]
            none=$((none + 1))
        fi
        left "$place"
    done
    echo "$whole whole, $none none"
    [ "$none" -gt 0 ]
    # While it waits for a libvirtd that hangs.
    kill -STOP "$(lab_libvirtd_pid)"
    run timeout --preserve-status -s INT 1 vnat capture "$place/host"
    [ "$status" -eq 130 ]
    [ ! -e "$place/host" ]
    [ -z "$(find "$place" -name '.new*')" ]
}

@test "two at once: one is there, the other was too late" {
    codes=()
    for number in 1 2 3 4; do
        vnat -q capture "$place/host" 2>"$place/err.$number" 3>&- &
        pids[number]=$!
    done
    for number in 1 2 3 4; do
        code=0
        wait "${pids[number]}" || code=$?
        codes+=("$code")
    done
    same '0 1 1 1' "$(printf '%s\n' "${codes[@]}" | sort | xargs)"
    grep -l exists "$place"/err.* | wc -l | grep -qx 3
    rm "$place"/err.*
    left "$place" host
    expect 0 --replay "$place/host" map
}

# ------------------------------------------------------------------------------------------------ what is not read

@test "as an ordinary user: what takes rights is recorded as missing" {
    home=/run/lab/home/visitor
    run --separate-stderr lab_as visitor vnat capture "$home/host"
    [ "$status" -eq 6 ]
    has "$output" "Captured to $home/host"
    has "$stderr" 'firewall: down: '
    [ "$(stat -c %U:%a "$home/host")" = visitor:700 ]
    for words in map 'status default' 'net-info default' net-list 'domifaddr VM1 --source all'; do
        # shellcheck disable=SC2086
        live=$(lab_as visitor vnat $words 2>&1 | sed -E 's/\b(1h|[0-9]+m([0-9]+s)?)\b/LEFT/g; s/ +/ /g; s/-{4,}/----/')
        # shellcheck disable=SC2086
        same "$live" "$(lab_as visitor vnat --replay "$home/host" $words 2>&1 | sed -E 's/\b(1h|[0-9]+m([0-9]+s)?)\b/LEFT/g; s/ +/ /g; s/-{4,}/----/')"
    done
    expect 6 --replay "$home/host" status --json
    [ "$(json .sources.firewall)" = down ]
    # Who may not enter it is told so.
    run --separate-stderr lab_as operator vnat --replay "$home/host" map
    [ "$status" -eq 1 ]
    has "$stderr" "$home/host" 'Permission denied'
    rm -r "$home/host"
}

@test "libvirtd stopped: the kernel's half is there, and the error comes back" {
    lab_libvirtd_stop
    expect 6 capture "$place/host"
    has "$output" 'networks 0, domains 0'
    has "$stderr" 'libvirt: down' libvirt-sock
    [ "$(jq length "$place/host/links.json")" -ge 8 ]
    [ -s "$place/host/firewall/iptables-nft-save.txt" ]
    for words in net-list map 'ip VM1' 'status default' 'template render nat'; do
        # shellcheck disable=SC2086
        live=$(answer $words)
        has "$live" '-- exit 4'
        # shellcheck disable=SC2086
        same "$live" "$(answer --replay "$place/host" $words)"
    done
    lab_libvirtd_start
    # It stays so.
    expect 4 --replay "$place/host" map
}

@test "libvirtd hangs: what is known at the deadline" {
    kill -STOP "$(lab_libvirtd_pid)"
    expect 6 --timeout 5 capture "$place/host"
    has "$stderr" libvirt
    expect 4 --replay "$place/host" map
    [ "$(jq length "$place/host/links.json")" -ge 8 ]
}

@test "a lease file that is damaged now is damaged then" {
    echo garbage >/var/lib/libvirt/dnsmasq/virbr0.status
    expect 6 capture "$place/host"
    for words in 'net-dhcp-leases default' 'net-dhcp-leases lab' map net-list 'domifaddr VM1'; do
        # shellcheck disable=SC2086
        same "$(answer $words)" "$(answer --replay "$place/host" $words)" || { echo "$words"; return 1; }
    done
}

# ---------------------------------------------------------------------------------------------------------- names

@test "networks of any name: every file within the directory, every name the same" {
    # shellcheck disable=SC2016 # as they are
    names=('a&#10;b' '..' '..%2fetc' '--help' "it&apos;s" ' ' '-' '.' 'x&#127;y' '&#x202e;desrever' 'gr&#xfc;n' '$(id)'
        'manifest' 'inactive' 'Default' '5eed0000-0000-4000-8000-000000000001' "$(printf 'long%.0s' {1..100})")
    for number in "${!names[@]}"; do
        printf "<network><name>%s</name><bridge name='br%s'/><ip address='10.%s.0.1' netmask='255.255.255.0'/></network>\n" \
            "${names[number]}" "$number" "$number"
        printf "<domain type='test'><name>dom%s</name><memory>8192</memory><os><type>hvm</type></os><devices>
            <interface type='network'><mac address='52:54:00:00:01:%02x'/><source network='%s'/><target dev='tap%s'/></interface>
            </devices></domain>\n" "$number" "$number" "${names[number]}" "$number"
    done | { echo '<node>'; cat; echo '</node>'; } >"$LAB_DIR/world.xml"
    uri=test://$LAB_DIR/world.xml
    expect 0 -c "$uri" capture "$place/host"
    has "$output" "networks ${#names[@]}, domains ${#names[@]}"
    run -1 grep -vE '/(networks/|domains/|dnsmasq/|firewall/)?(inactive/)?[A-Za-z0-9][A-Za-z0-9_.-]*$' <<<"$(find "$place/host" -mindepth 1)"
    left "$place" host
    for words in 'net-list --all' map 'net-info -- ..' "net-dumpxml -- --help"; do
        # shellcheck disable=SC2086
        same "$(vnat -c "$uri" $words | sed '/uuid/Id')" "$(vnat --replay "$place/host" $words | sed '/uuid/Id')"
    done
    expect 0 --replay "$place/host" net-list --json
    wanted=$(json '[.networks[].name] | sort' -c)
    expect 0 -c "$uri" net-list --json
    same "$(json '[.networks[].name] | sort' -c)" "$wanted"
    expect 0 --replay "$place/host" capture "$place/again"
    diff -r "$place/host" "$place/again"
}
