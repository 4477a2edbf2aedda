#!/usr/bin/env bats
# A captured host under other names: nothing tells whose it is, and every command answers as it did.

setup_file() {
    load helpers
    lab_network acmenet acmebr0 122
    lab_network lab virbr1 123
    # A name with spaces in it, in the paths of dnsmasq's files.
    sed 's/>lab</>acme two words</; s/virbr1/virbr2/; s/192\.168\.123/192.168.124/g' "$LAB_DIR/network-lab.xml" >"$LAB_DIR/two.xml"
    virsh -q "net-define $LAB_DIR/two.xml; net-start 'acme two words'" >/dev/null
    vnat -q net-start acmedns --template nat-dns -D subnet=10.77.0.0/16 -D domain=acme.test -D zone=corp.acme.test \
        -D zone-forwarder=10.20.30.40
    lab_guest_linux acmevm acmenet 52:54:00:7a:7b:01 acmebox "$(lab_interface_xml lab 52:54:00:7a:7b:11)"
    lab_guest_paused Acme-paused acmedns 52:54:00:7a:7b:05
    lab_guest_paused acmeoff lab 52:54:00:7a:7b:06
    virsh -q 'destroy acmeoff; desc --config --live acmevm "belongs to acme, 10.20.30.41"' >/dev/null
    virsh -q 'desc --title --config acmevm acme' >/dev/null
    ip link set dev acmebr0 alias 'uplink of acme'
    # Somebody's own rules; and things for the checks to find.
    iptables -N f2b-acme
    iptables -I FORWARD -s 10.20.30.42/32 -i acmebr+ -m comment --comment 'acme only' -j DROP
    nft -f - <<-'RULES'
	table inet acmetable {
	    set acmehosts { type ipv4_addr; elements = { 10.20.30.43 comment "acme's printer" } }
	    chain acmechain { type filter hook input priority 10; }
	}
	add rule inet acmetable acmechain ip saddr @acmehosts iifname "acmebr0" ether saddr 52:54:00:7a:7b:07 log prefix "acme: " drop comment "acme"
	RULES
    ip link add acmestray type veth peer name yarts
    ip link set acmestray master acmebr0 up
    ip route add 192.168.123.128/25 via 203.0.113.1
    lab_guest_wait acmevm 60
    lab_guest_wait acmevm 60 eth1
    lab_wait_for 20 lab_leased acmebr0 52:54:00:7a:7b:01
    lab_wait_for 20 lab_leased virbr1 52:54:00:7a:7b:11
    ip neigh add 192.168.122.50 lladdr 52:54:00:7a:7b:09 dev acmebr0 nud permanent
    vnat -q capture "$LAB_DIR/plain"
    vnat --replay "$LAB_DIR/plain" -q capture --redact "$LAB_DIR/redacted"
}

setup() {
    load helpers
    plain=$LAB_DIR/plain
    redacted=$LAB_DIR/redacted
    place=$(mktemp -d)
}

teardown() {
    rm -rf "$place"
    lab_libvirtd_pid >/dev/null || lab_libvirtd_start
}

oracle() { "$LAB_TOP/tests/integration/redact-oracle" "$@"; }

# both CODE PLAIN-WORD... -- REDACTED-WORD...: the same exit code, the same form, one name for each other.
both() {
    local code=$1 words=()
    shift
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    expect "$code" --replay "$plain" "${words[@]}" --json
    printf '%s' "$output" >"$place/plain.json"
    expect "$code" --replay "$redacted" "$@" --json
    printf '%s' "$output" >"$place/redacted.json"
    oracle same "$place/plain.json" "$place/redacted.json" || { echo "${words[*]}"; return 1; }
}

# names HOST FILTER WORD...: what jq finds in that command's JSON, a line each.
names() { vnat --replay "$1" "${@:3}" --json | jq -r "$2"; }

@test "nothing of the host's own is left" {
    expect 0 capture --redact "$place/host"
    has "$output" "Captured to $place/host, redacted: networks 4, domains 3"
    [ -z "$stderr" ]
    oracle left "$plain" "$place/host" acme labhost printer belongs 7a7b "two words"
    oracle left "$plain" "$redacted" acme labhost printer belongs 7a7b "two words"
    # That it would be found.
    run oracle left "$plain" "$plain" acme labhost printer
    [ "$status" -eq 1 ]
    has "$output" 'still there: acme' 'still there: labhost' 'still there: 192.168.122.1' 'still there: 52:54:00:7a:7b:01'
    [ "$(jq .redacted "$place/host/manifest.json")" = true ]
    [ "$(jq .redacted "$plain/manifest.json")" = false ]
    [ "$(stat -c %a "$place/host")" = 700 ]
}

@test "every command answers the same, of other names" {
    for words in map 'net-list --all' status; do
        # shellcheck disable=SC2086 # words they are
        both 0 $words -- $words
    done
    # Something is wrong on this host, and still is.
    expect 0 --replay "$redacted" status --json
    has "$(json '[.findings[].id] | unique | join(" ")')" subnet-overlap tap-unclaimed
    # One by one: both hosts have them in the same order.
    mapfile -t networks < <(names "$plain" '.networks[].name' net-list --all)
    mapfile -t others < <(names "$redacted" '.networks[].name' net-list --all)
    same 'network-1 network-2 network-3 network-4' "${others[*]}"
    for n in "${!networks[@]}"; do
        for command in net-info net-dhcp-leases map status; do
            both 0 "$command" "${networks[n]}" -- "$command" "${others[n]}"
        done
    done
    mapfile -t domains < <(names "$plain" '[.interfaces[].domain // empty] | unique[]' map)
    mapfile -t others < <(names "$redacted" '[.interfaces[].domain // empty] | unique[]' map)
    [ "${#domains[@]}" -eq 2 ]
    for n in "${!domains[@]}"; do
        for command in domiflist domifaddr who; do
            both 0 "$command" "${domains[n]}" -- "$command" "${others[n]}"
        done
        count=$(vnat --replay "$plain" ip "${domains[n]}" | wc -l)
        same "$count" "$(vnat --replay "$redacted" ip "${others[n]}" | wc -l)"
    done
}

@test "whoever is asked for is found by tap, MAC and address" {
    for filter in '.interfaces[].tap // empty' '.interfaces[].mac // empty' '.interfaces[].addresses[].address'; do
        mapfile -t words < <(names "$plain" "$filter" map)
        mapfile -t others < <(names "$redacted" "$filter" map)
        [ "${#words[@]}" -gt 0 ]
        for n in "${!words[@]}"; do
            both 0 who "${words[n]}" -- who "${others[n]}"
        done
    done
    # A tap's MAC is its guest's, and its address on the link is made of it.
    expect 0 --replay "$redacted" map --json
    json '.interfaces[] | select(.tap == "vnet0") | .mac + " " + .host_mac' | {
        read -r mac host
        [ "fe${mac:2}" = "$host" ]
        wanted=$(python3 -c 'import ipaddress, sys
octets = bytes.fromhex(sys.argv[1].replace(":", ""))
print(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]))' \
            "$host")
        jq -e --arg wanted "$wanted/64" 'any(.[]; .address == $wanted)' "$redacted/addresses.json"
    }
}

@test "the rules are as many, and the same ones" {
    for file in nft.json iptables-nft-save.txt ip6tables-nft-save.txt; do
        count=$(grep -c -e '^-A' -e '"rule":' "$plain/firewall/$file")
        [ "$count" -gt 0 ]
        same "$count" "$(grep -c -e '^-A' -e '"rule":' "$redacted/firewall/$file")"
    done
    bridge=$(names "$redacted" '.networks[2].bridge' net-list --all)
    stem=${bridge%[0-9]}
    grep -qE -- "^-A FORWARD -s [0-9.]+/32 -i ${stem}\+ -m comment --comment comment-[0-9]+ -j DROP" \
        "$redacted/firewall/iptables-nft-save.txt"
    grep -q '"comment":"comment-' "$redacted/firewall/nft.json"
    grep -q '^:f2b-own-1 ' "$redacted/firewall/iptables-nft-save.txt"
    [ "$(vnat --replay "$redacted" net-info network-3 --json | jq -r '.networks[0].nat.present')" = true ]
}

@test "what was redacted stays so, and can be redacted again" {
    expect 0 --replay "$redacted" capture "$place/again"
    has "$output" ', redacted: '
    diff -r "$redacted" "$place/again"
    expect 0 --replay "$redacted" capture --redact "$place/twice"
    same "$(find "$redacted" -type f -printf '%P\n' | sort)" "$(find "$place/twice" -type f -printf '%P\n' | sort)"
    # Another key, other replacements.
    run ! grep -qF "$(jq -r '.[0].uuid' "$redacted/networks.json")" "$place/twice/networks.json"
    expect 0 --replay "$place/twice" map
}

@test "what could not be read is told by its name, and recorded without" {
    lab_libvirtd_stop
    expect 6 -c qemu+unix:///system?socket=/srv/acme capture --redact "$place/host"
    has "$stderr" /srv/acme
    run ! grep -riE 'acme|labhost' "$place/host"
    has "$(jq -r '.failed.connection.message' "$place/host/manifest.json")" redacted
    expect 4 --replay "$place/host" map
}
