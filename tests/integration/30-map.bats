#!/usr/bin/env bats
# Who is behind what: running, booting and paused guests on two networks, checked against virsh, ip and dnsmasq.

setup_file() {
    load helpers
    lab_network default virbr0 122
    lab_network lab virbr1 123
    lab_guest_linux VM1 default 52:54:00:00:00:01 '' "$(lab_interface_xml lab 52:54:00:00:00:11)"
    # A static address that no lease tells of; and beside it a name with all that a terminal or a table minds.
    STATIC=192.168.122.9/24,192.168.122.1 lab_guest_linux VM2 default 52:54:00:00:00:02 \
        $'evil\e[31m\r\n\t"|,\xe2\x80\xae' "$(lab_interface_xml lab 52:54:00:00:00:12)"
    lab_guest_ipxe PXE default 52:54:00:00:00:03
    lab_guest_ipxe BR bridge=virbr0 52:54:00:00:00:04
    lab_guest_paused P1 default 52:54:00:00:00:05 "$(lab_interface_xml lab 52:54:00:00:00:15)"
    STATIC=192.168.122.10/24, lab_guest_netns stray virbr0
    lab_guest_wait VM1 60
    lab_guest_wait VM1 60 eth1
    lab_guest_wait VM2 60
    lab_guest_wait VM2 60 eth1
    ping -q -c 1 -W 20 192.168.122.9
    lab_wait_for 60 lab_leased virbr0 52:54:00:00:00:01 52:54:00:00:00:03 52:54:00:00:00:04
    lab_wait_for 20 lab_leased virbr1 52:54:00:00:00:11 52:54:00:00:00:12
}

setup() {
    load helpers
    oracle=$LAB_TOP/tests/integration/map-oracle
}

# tap_of DOMAIN [N]: the tap of its Nth (1st) interface.
tap_of() { virsh -q domiflist "$1" | awk -v n="${2:-1}" 'NR == n {print $1}'; }

# problems TAP: what is wrong with it.
problems() { vnat map --json | jq -r --arg tap "$1" '.interfaces[] | select(.tap == $tap) | .problems | join(" ")'; }

# ------------------------------------------------------------------------------------------------------- the whole

@test "map: every row and field is what virsh, ip and dnsmasq say" {
    "$oracle"
}

@test "map: one line for each interface, each guest with its address" {
    expect 0 map
    [ -z "$stderr" ]
    # Title, rule, a blank line at the end (cut by bats), and: 2 + 2 + 1 + 1 + 2 interfaces, a stray port.
    [ "${#lines[@]}" -eq 11 ]
    clean "$output"
    expect 0 map -n -o domain,tap,mac,ip
    grep -qE "^ *VM1 +$(tap_of VM1) +52:54:00:00:00:01 +$(lab_guest_address VM1 | cut -d/ -f1)\$" <<<"$output"
    grep -qE "^ *VM1 +$(tap_of VM1 2) +52:54:00:00:00:11 +$(lab_guest_address VM1 eth1 | cut -d/ -f1)\$" <<<"$output"
    grep -qE "^ *VM2 +$(tap_of VM2) +52:54:00:00:00:02 +192\.168\.122\.9\$" <<<"$output"
    grep -qE "^ *PXE +$(tap_of PXE) +52:54:00:00:00:03 +192\.168\.122\.[0-9]+\$" <<<"$output"
    grep -qE "^ *BR +$(tap_of BR) +52:54:00:00:00:04 +192\.168\.122\.[0-9]+\$" <<<"$output"
    grep -qE "^ *P1 +$(tap_of P1) +52:54:00:00:00:05 +-\$" <<<"$output"
    grep -qE "^ *- +stray +- +-\$" <<<"$output"
    [ "$(problems stray)" = tap-unclaimed ]
    expect 0 map --json
    [ "$(json '.interfaces[] | select(.domain == "VM2" and .network == "default") | .addresses[0] | [.source, .hostname] | @csv')" = '"neighbour",' ]
    [ "$(json '.sources | [.libvirt, .links, .leases] | unique | join(" ")')" = live ]
    # It reads nothing of the firewall and of processes.
    [ "$(json '.sources | has("firewall") or has("processes")')" = false ]
}

@test "map NETWORK: the rows of that network only" {
    for network in default lab; do
        wanted=$(vnat map --json | jq -c --arg n "$network" '[.interfaces[] | select(.network == $n) | [.domain, .tap]]')
        for word in "$network" "$(virsh net-uuid "$network")"; do
            expect 0 map "$word" --json
            same "$wanted" "$(json '[.interfaces[] | [.domain, .tap]]' -c)"
        done
    done
    expect 0 map lab
    lacks "$output" PXE stray default
    expect 1 map labb
    has "$stderr" "did you mean 'lab'?"
}

@test "map: columns, headings, CSV" {
    expect 0 map --list-columns
    columns=$(awk '{print $1}' <<<"$output")
    has "$columns" network domain tap mac bridge ip hostname lease problems
    expect 0 map --csv -o "$(paste -sd, <<<"$columns")"
    printf '%s\n' "$output" >"$LAB_DIR/map.csv"
    expect 0 map --json
    printf '%s\n' "$output" >"$LAB_DIR/map.json"
    python3 - "$LAB_DIR/map.csv" "$LAB_DIR/map.json" <<-'PY'
	import csv, json, sys
	rows = list(csv.DictReader(open(sys.argv[1], newline="")))
	want = json.load(open(sys.argv[2]))["interfaces"]
	assert len(rows) == len(want), (rows, want)
	for row, other in zip(rows, want):
	    for column, field in {"network": "network", "domain": "domain", "tap": "tap", "mac": "mac", "bridge": "bridge", "uuid": "domain_uuid"}.items():
	        assert row[column] == (other[field] or ""), (column, row, other)
	PY
    expect 0 map -n -o tap,domain
    [ "${#lines[@]}" -eq 9 ]
    lacks "$output" Interface
    expect 0 map -o +model
    same "$(vnat map | head -1 | xargs) Model" "$(xargs <<<"${lines[0]}")"
    expect 2 map -o nothing
    has "$stderr" nothing
    # An error in the columns is told before anything is read.
    expect 2 -c 'qemu+unix:///system?socket=/nonexistent' map -o nothing
}

@test "who: by tap, MAC, address, hostname, domain and UUID" {
    row=$(vnat map --json | jq -c '.interfaces[] | select(.mac == "52:54:00:00:00:01")')
    uuid=$(virsh domuuid VM1 | xargs)
    for word in "$(tap_of VM1)" 52:54:00:00:00:01 "$(lab_guest_address VM1 | cut -d/ -f1)"; do
        expect 0 who --json "$word"
        same "$(jq -c 'del(.addresses)' <<<"$row")" "$(json '.interfaces[] | del(.addresses)' -c)"
    done
    for word in VM1 "$uuid" "${uuid^^}"; do
        expect 0 who --json "$word"
        same "52:54:00:00:00:01 52:54:00:00:00:11" "$(json '[.interfaces[].mac] | join(" ")')"
    done
    expect 0 who --json "$(virsh domid VM1 | xargs)"
    same "52:54:00:00:00:01 52:54:00:00:00:11" "$(json '[.interfaces[].mac] | join(" ")')"
    expect 0 who 192.168.122.9
    has "$output" VM2
    expect 0 who stray
    expect 0 who "$(cat "/sys/class/net/$(tap_of PXE)/address")"
    has "$output" PXE
    for word in nobody 192.168.122.99 52:54:00:ff:ff:ff vnet99 ''; do
        expect 1 who "$word"
        [ -z "$output" ]
        has "$stderr" 'error: ' 'hint: '
    done
    expect 1 who --json nobody
    [ "$(json '.interfaces | length')" -eq 0 ]
    expect 2 who
}

@test "ip: addresses alone, the best first, never link-local" {
    expect 0 ip VM2
    grep -qx 192.168.122.9 <<<"$output"
    same "$(lab_guest_address VM2 eth1 | cut -d/ -f1)" "${lines[0]}"
    [ -z "$stderr" ]
    for domain in VM1 PXE BR "$(virsh domuuid VM1)" "$(virsh domid VM1)"; do
        expect 0 ip "$domain"
        grep -qE '^192\.168\.12[23]\.[0-9]+$' <<<"${lines[0]}"
        lacks "$output" fe80 / ' '
    done
    expect 1 ip P1
    [ -z "$output" ]
    has "$stderr" P1
    # That P1 speaks on its own link alone is no way to reach it.
    ip neigh add 169.254.7.7 lladdr 52:54:00:00:00:05 dev virbr0 nud stale
    expect 1 ip P1
    "$oracle"
    ip neigh add 192.168.122.50 lladdr 52:54:00:00:00:05 dev virbr0 nud stale
    expect 0 ip P1
    [ "$output" = 192.168.122.50 ]
    "$oracle"
    ip neigh del 169.254.7.7 dev virbr0
    ip neigh del 192.168.122.50 dev virbr0
    expect 1 ip vm1
    has "$stderr" "did you mean 'VM1'?"
}

@test "ip: the address is one that answers" {
    ping -q -c 1 -W 20 "$(vnat ip VM1 | head -n 1)"
}

# ------------------------------------------------------------------------------------------------ beside virsh

@test "domiflist: virsh's columns, live and inactive, by name, id and UUID" {
    for words in VM1 VM2 PXE BR P1 'VM1 --inactive' '--inactive P1' "$(virsh domuuid VM1)" "$(virsh domid PXE)"; do
        # shellcheck disable=SC2086 # words they are
        as_virsh domiflist $words
    done
    # What scripts do.
    same "$(virsh domiflist VM1 | awk 'NR>2 && NF {print $1, $5}')" "$(vnat domiflist VM1 | awk 'NR>2 && NF {print $1, $5}')"
    expect 0 domiflist VM1 -n -o bridge,ip,hostname
    same "virbr0 $(lab_guest_address VM1 | cut -d/ -f1) VM1" "$(head -n 1 <<<"$output" | xargs)"
    grep -qE '(59m|1h|5[0-9] ?m)' <<<"$(vnat domiflist VM1 -n -o lease)"
    expect 1 domiflist vm1
    expect 2 domiflist
    # A domain that is shut off has its definition.
    virsh -q destroy P1 >/dev/null
    as_virsh domiflist P1
    virsh -q start --paused P1 >/dev/null
    "$oracle"
}

@test "domifaddr: virsh's fields, from every source" {
    fields() { awk 'NR > 2 && NF {print $1, $2, $3, $4}' <<<"$1"; }
    for words in VM1 VM2 PXE P1 BR 'VM1 --full' 'VM1 --source lease' "VM1 --interface $(tap_of VM1 2)" "VM1 $(tap_of VM1 2)" 'VM1 vnet99'; do
        # shellcheck disable=SC2086 # words they are
        wanted=$(virsh domifaddr $words)
        # shellcheck disable=SC2086
        expect 0 domifaddr $words
        # virsh forgets what it was not told by a port: the lease of an interface of type bridge.
        [ "$words" = BR ] || same "$(fields "$wanted")" "$(fields "$output")"
        same "$(head -n 1 <<<"$wanted" | xargs) Source" "$(head -n 1 <<<"$output" | xargs)"
    done
    expect 0 domifaddr VM2 --source neighbour
    grep -qE "$(tap_of VM2) +52:54:00:00:00:02 +ipv4 +192\.168\.122\.9/[0-9]+ +neighbour" <<<"$output"
    same "$output" "$(vnat domifaddr VM2 --source arp)"
    expect 0 domifaddr VM2
    lacks "$output" 192.168.122.9
    expect 0 domifaddr VM2 --source all
    has "$output" 192.168.122.9 "$(lab_guest_address VM2 eth1)"
    # JSON has the map's rows, but for the addresses.
    same "$(vnat map --json | jq -c '.interfaces[] | select(.domain == "VM1") | del(.addresses)')" \
        "$(vnat domifaddr VM1 --json | jq -c '.interfaces[] | del(.addresses)')"
    # There is no agent in them.
    run virsh domifaddr VM1 --source agent
    [ "$status" -eq 1 ]
    expect 6 domifaddr VM1 --source agent
    has "$stderr" agent
    expect 2 domifaddr VM1 --source nonsense
    expect 1 domifaddr VM11
}

@test "net-dhcp-leases: virsh's columns, whole and of one MAC" {
    for network in default lab; do
        as_virsh net-dhcp-leases "$network" --mac 52:54:00:00:00:01
        # virsh leaves the order of equal MACs open.
        same "$(virsh -q net-dhcp-leases $network | awk '{print $1, $2, $3, $4, $5}' | LC_ALL=C sort)" \
            "$(vnat net-dhcp-leases $network -n | awk 'NF {print $1, $2, $3, $4, $5}' | LC_ALL=C sort)"
    done
    expect 0 net-dhcp-leases default 52:54:00:00:00:01
    has "$output" "$(tap_of VM1)" VM1
    same "$output" "$(vnat net-dhcp-leases default --mac 52:54:00:00:00:01)"
    expect 0 net-dhcp-leases lab --json
    [ "$(json '.leases[] | select(.mac == "52:54:00:00:00:11") | [.domain, .network, .bridge, .attributed] | @csv')" = '"VM1","lab","virbr1",true' ]
    [ "$(json '.leases[] | select(.mac == "52:54:00:00:00:11") | .expires | fromdate')" = \
        "$(json '.leases[] | select(.mac == "52:54:00:00:00:11") | .expires_epoch')" ]
}

@test "a lease without end says never, where virsh says 1970" {
    jq '. + [{"ip-address": "192.168.123.77", "mac-address": "52:54:00:00:00:15", "hostname": "eternal", "expiry-time": 0}]' \
        /var/lib/libvirt/dnsmasq/virbr1.status >"$LAB_DIR/status"
    cp /var/lib/libvirt/dnsmasq/virbr1.status "$LAB_DIR/status.before"
    cp "$LAB_DIR/status" /var/lib/libvirt/dnsmasq/virbr1.status
    expect 0 net-dhcp-leases lab 52:54:00:00:00:15
    grep -qE '^ never +52:54:00:00:00:15 +ipv4 +192\.168\.123\.77/24 +eternal +- +P1' <<<"$output"
    expect 0 net-dhcp-leases lab 52:54:00:00:00:15 --json
    [ "$(json '.leases[0] | [.expires, .expires_epoch] | @csv')" = , ]
    expect 0 ip P1
    [ "$output" = 192.168.123.77 ]
    "$oracle"
    cp "$LAB_DIR/status.before" /var/lib/libvirt/dnsmasq/virbr1.status
}

@test "a lease is a claim: only the domain's own MAC, on its own network, within it" {
    cp /var/lib/libvirt/dnsmasq/virbr1.status "$LAB_DIR/status.before"
    soon=$(($(date +%s) + 600))
    jq --argjson soon "$soon" '. + [
        {"ip-address": "192.168.123.78", "mac-address": "52:54:00:00:00:05", "hostname": "othernet", "expiry-time": $soon},
        {"ip-address": "10.99.0.1", "mac-address": "52:54:00:00:00:15", "hostname": "outside", "expiry-time": $soon},
        {"ip-address": "192.168.123.79", "mac-address": "52:54:00:99:99:99", "hostname": "VM1", "expiry-time": $soon}]' \
        "$LAB_DIR/status.before" >/var/lib/libvirt/dnsmasq/virbr1.status
    expect 1 ip P1
    expect 0 net-dhcp-leases lab --json
    [ "$(json '[.leases[] | select(.hostname == "othernet" or .hostname == "outside" or .address == "192.168.123.79") | .attributed, .domain, .tap] | length == 9 and unique == [null, false]')" = true ]
    expect 0 ip VM1
    lacks "$output" 192.168.123.79
    "$oracle"
    cp "$LAB_DIR/status.before" /var/lib/libvirt/dnsmasq/virbr1.status
}

@test "a guest's hostile name stays a cell" {
    expect 0 map --json
    [ "$(json '.interfaces[] | select(.mac == "52:54:00:00:00:12") | .addresses[0].hostname' | head -c 9)" = $'evil\e[31m' ]
    clean "$output"
    for words in map 'map --csv' 'domiflist VM2' 'net-dhcp-leases lab' 'status lab' status 'who 52:54:00:00:00:12' 'domifaddr VM2' \
        'domifaddr VM2 -o +hostname'; do
        for locale in C C.UTF-8; do
            # shellcheck disable=SC2086 # words they are
            LC_ALL=$locale expect 0 $words
            clean "$output"
        done
    done
    expect 0 map
    [ "${#lines[@]}" -eq 11 ]
    has "$output" 'evil\x1b[31m'
    expect 0 net-dhcp-leases lab -n
    [ "${#lines[@]}" -eq 2 ]
}

# -------------------------------------------------------------------------------------------------------- status

@test "status: one screen for a network" {
    expect 0 status default
    has "$output" virbr0 "$(lab_dnsmasq_pid default)" nobody 192.168.122.1/24 masquerade stray "$(tap_of VM1)" VM1 tap-unclaimed
    lacks "$output" virbr1 'VM2 (running) '"$(tap_of VM2 2)"
    clean "$output"
    expect 0 status
    has "$output" default lab virbr1
    expect 0 status lab --json
    [ "$(json '[.networks[].name] | join(" ")')" = lab ]
    [ "$(json '[.interfaces[].network] | unique | join(" ")')" = lab ]
    [ "$(json '.networks[0].interfaces | sort | join(" ")')" = \
        "$(for port in /sys/class/net/virbr1/brif/*; do basename "$port"; done | sort | xargs)" ]
    [ "$(json '.networks[0].ips[0].dhcp.leases')" = "$(virsh -q net-dhcp-leases lab | grep -c 52:54:00:)" ]
    expect 1 status labb
}

# ------------------------------------------------------------------------------------------- what the kernel says

@test "a tap off its bridge, on another one, under another name" {
    tap=$(tap_of P1)
    ip link set "$tap" nomaster
    "$oracle"
    [ "$(problems "$tap")" = tap-orphaned ]
    ip link set "$tap" master virbr1
    "$oracle"
    [ "$(problems "$tap")" = tap-orphaned ]
    expect 0 map -n -o domain,bridge,network-bridge lab
    expect 0 who "$tap" -n -o bridge,network-bridge
    same 'virbr1 virbr0' "$(xargs <<<"$output")"
    ip link set "$tap" master virbr0
    ip link set "$tap" down
    ip link set "$tap" name renamed up
    [ "$(problems "$tap")" = tap-missing ]
    [ "$(problems renamed)" = tap-unclaimed ]
    "$oracle"
    ip link set renamed down
    ip link set renamed name "$tap" up
    [ -z "$(problems "$tap")" ]
    "$oracle"
}

@test "after net-destroy and net-start the taps have no master, and that is said" {
    tap=$(tap_of P1 2)
    vnat -q net-destroy --yes lab
    expect 0 map
    has "$output" "$tap"
    "$oracle"
    vnat -q net-start lab
    "$oracle"
    [ "$(problems "$tap")" = tap-orphaned ]
    expect 0 status lab
    has "$output" tap-orphaned "ip link set $tap master virbr1"
    lab_libvirtd_restart
    [ -z "$(problems "$tap")" ]
    "$oracle"
}

@test "guests come and go" {
    lab_guest_paused gone default
    tap=$(tap_of gone)
    expect 0 who "$tap"
    lab_guest_stop gone
    expect 1 who "$tap"
    expect 1 domiflist gone
    "$oracle"
}

# ------------------------------------------------------------------------------------------------------- names

@test "domains of any name are data" {
    # shellcheck disable=SC2016 # as they are
    names=('two words' --help "quote'\"<&>" 'grün' $'tab\there' '$(id)' "$(printf 'x%.0s' {1..100})")
    for number in "${!names[@]}"; do
        lab_domain_xml placeholder 8 '' "$(lab_interface_xml default "52:54:00:00:aa:0$number")" |
            python3 -c 'import sys, xml.sax.saxutils as x
sys.stdout.write(sys.stdin.read().replace("placeholder", x.escape(sys.argv[1])))' "${names[number]}" >"$LAB_DIR/odd.xml"
        virsh -q define "$LAB_DIR/odd.xml" >/dev/null
        virsh -q start --paused --domain "${names[number]}" >/dev/null
    done
    "$oracle"
    for number in "${!names[@]}"; do
        expect 0 domiflist -n -o mac -- "${names[number]}"
        same "52:54:00:00:aa:0$number" "$(xargs <<<"$output")"
        expect 0 who --json -- "52:54:00:00:aa:0$number"
        same "${names[number]}" "$(json '.interfaces[0].domain')"
    done
    for locale in C C.UTF-8; do
        LC_ALL=$locale expect 0 map
        clean "$output"
        [ "${#lines[@]}" -eq $((11 + ${#names[@]})) ]
        LC_ALL=$locale expect 0 status default
        clean "$output"
    done
    # A letter passes where the terminal knows it.
    LC_ALL=C expect 0 map -n -o domain
    has "$output" 'gr\xc3\xbcn' 'tab\x09here'
    LC_ALL=C.UTF-8 expect 0 map -n -o domain
    has "$output" 'grün' 'tab\x09here'
    expect 1 domiflist 'VM1  '
    has "$stderr" 'VM1'
    for name in "${names[@]}"; do
        virsh -q destroy --domain "$name" >/dev/null
        virsh -q undefine --domain "$name" >/dev/null
    done
}
