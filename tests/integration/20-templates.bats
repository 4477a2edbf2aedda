#!/usr/bin/env bats
# Templates: listing, rendering, where they are looked for; and that each one that is shipped works.

setup_file() {
    load helpers
    mkdir -p "$LAB_DIR/files"
}

setup() {
    load helpers
    cd "$LAB_DIR/files" || return
    shipped='default isolated nat nat-dns nat-ipv6 routed'
}

teardown() {
    local name
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    for name in mine other kept; do forget "$name"; done
}

# valid FILE: libvirt's own schema has nothing against it.
valid() { xmllint --noout --relaxng /usr/share/libvirt/schemas/network.rng "$1"; }

# small NAME [TEXT]: a template called NAME that makes a network of that name.
small() {
    printf "<network xmlns:vnat='urn:vnat:template:1'><vnat:description>%s</vnat:description>
        <vnat:param name='name' type='name' default='%s'/><name>\${name}</name></network>\n" "${2:-small}" "$1"
}

# starts NAME TEMPLATE [VNAT-WORD...]: the network is defined from the template and started; sets $bridge.
starts() {
    local name=$1 template=$2
    shift 2
    expect 0 net-start "$name" --template "$template" "$@" || return
    bridge=$(virsh -q net-info "$name" | awk '$1 == "Bridge:" {print $2}')
    [ -e "/sys/class/net/$bridge/bridge" ]
}

# leased NETWORK: the guest g-NETWORK has its address; prints it.
leased() { sed -n 's/^lab: eth0 has \([^ ]*\).*/\1/p' "$LAB_DIR/g-$1.dhcp" | tail -n 1 | grep .; }

# guest_is_served NETWORK: the guest g-NETWORK, which asked by DHCP, has an address, and vnat knows it; sets $bridge.
guest_is_served() {
    local address
    bridge=$(virsh -q net-info "$1" | awk '$1 == "Bridge:" {print $2}')
    lab_wait_for 20 leased "$1" || return
    address=$(leased "$1")
    lab_in "g-$1" ping -q -c 1 -W 20 "$(ip -j -4 address show "$bridge" | jq -r '.[0].addr_info[0].local')" || return
    lab_wait_for 20 lab_leased "$bridge" "$(ip -n "g-$1" -j link show eth0 | jq -r '.[0].address')" || return
    expect 0 net-dhcp-leases "$1" || return
    has "$output" " ${address%/*}/" " g-$1"
}

masquerades() { iptables-nft-save -t nat | grep -q -- "-s $1 .*-j MASQUERADE"; }

# ------------------------------------------------------------------------------------------- list, show and render

@test "template list: the shipped ones, with their parameters" {
    expect 0 template list -n -o name
    same "$shipped" "$(xargs <<<"$output")"
    expect 0 template list --json
    [ "$(json '[.templates[].name] | join(" ")')" = "$shipped" ]
    # Each declares at least these, and says what it is for.
    [ "$(json '.templates[] | select((.parameters | map(.name) | contains(["name", "bridge", "subnet"])) and (.description | length > 10) and (.shadowed | not)) | .name' | wc -l)" -eq 6 ]
    json '.templates[] | select(.name == "default") | .parameters[] | "\(.name) \(.type) \(.default)"' >parameters
    grep -qx 'bridge ifname virbr0' parameters
    grep -qx 'subnet cidr4 192.168.122.0/24' parameters
    grep -qx 'mtu int null' parameters
    [ "$(json '[.templates[] | select(.name != "default") | .parameters[] | select(.name == "subnet") | .default] | unique | join(" ")')" = auto ]
}

@test "template show: what it is for, where it is, every parameter" {
    for name in $shipped; do
        expect 0 template show "$name"
        for parameter in $(vnat template show --json "$name" | jq -r '.templates[0].parameters[].name'); do
            grep -qE "^  $parameter +[a-z]" <<<"$output"
        done
        has "$output" "/$name.xml"
    done
    expect 1 template show nta
    # shellcheck disable=SC2154 # bats' run sets it
    has "$stderr" "did you mean 'nat'?"
    small mine >mine.xml
    expect 0 template show ./mine.xml
    has "$output" small
}

@test "template render: valid by libvirt's schema, no trace of vnat outside the metadata" {
    for name in $shipped; do
        expect 0 template render "$name" -Dsubnet=10.9.8.0/24 -Dlease=30 -Dmtu=1400 -Ddomain=x.test -Dbridge=virbr99
        printf '%s\n' "$output" >"$name.out"
        valid "$name.out"
        xmllint --xpath '//*[local-name() = "metadata"]' "$name.out" | grep -q "urn:vnat"
        xmllint --noout --xpath 'string(/network/name)' "$name.out"
        same "$name" "$(xmllint --xpath 'string(/network/name)' "$name.out")"
        same 10.9.8.1 "$(xmllint --xpath 'string(/network/ip[1]/@address)' "$name.out")"
        same 10.9.8.2-10.9.8.254 "$(xmllint --xpath 'concat(/network/ip[1]/dhcp/range/@start, "-", /network/ip[1]/dhcp/range/@end)' "$name.out")"
        same '30 minutes' "$(xmllint --xpath 'concat(//ip[1]//lease/@expiry, " ", //ip[1]//lease/@unit)' "$name.out")"
        same '1400 x.test virbr99' "$(xmllint --xpath 'concat(//mtu/@size, " ", /network/domain/@name, " ", //bridge/@name)' "$name.out")"
        # The rest of the document knows neither the namespace nor a "${".
        python3 - "$name.out" <<-'PY'
	import sys, xml.etree.ElementTree as tree
	root = tree.parse(sys.argv[1]).getroot()
	[root.remove(e) for e in root.findall("metadata")]
	for e in root.iter():
	    for text in [e.tag, e.text or "", *e.attrib, *e.attrib.values()]:
	        assert "vnat" not in text and "${" not in text, text
	PY
    done
    [ -z "$(networks)" ]
}

@test "template render: what is off is not there" {
    expect 0 template render nat -Dsubnet=10.9.8.0/24 -Ddhcp=no
    lacks "$output" '<dhcp' '<mtu' '<domain' '<bridge'
    expect 0 template render nat-ipv6 -Dsubnet6=fd00:1:2:3::/64 -Ddhcp6=no
    has "$output" "address=\"fd00:1:2:3::1\"" 'prefix="64"'
    [ "$(grep -c '<range' <<<"$output")" -eq 1 ]
    expect 0 template render nat-ipv6
    grep -qE '<ip family="ipv6" address="fd[0-9a-f]{2}:[0-9a-f:]+::1" prefix="64">' <<<"$output"
    [ "$(grep 'family="ipv6"' <<<"$output")" != "$(vnat template render nat-ipv6 | grep 'family="ipv6"')" ]
}

@test "values never become markup, nor another parameter" {
    cat >text.xml <<-'XML'
	<network xmlns:vnat='urn:vnat:template:1'>
	  <vnat:param name='t' type='text'/><vnat:param name='u' type='text' default='inner'/>
	  <name>n</name><metadata><x:x xmlns:x='urn:x'>${t} $${t}</x:x></metadata>
	  <dns><txt name='a' value='${t}'/></dns>
	</network>
	XML
    # shellcheck disable=SC2016 # as they are
    for value in '</title><ip/>' "' x='y" '"/><!--' '&amp;&#10;' '${u}' ']]>' '<![CDATA[' 'ü–€' 'a $${u}'; do
        expect 0 template render text.xml "-Dt=$value"
        same "$value \${t}" "$(xmllint --xpath 'string(//*[local-name() = "x"])' - <<<"$output")"
        same "$value" "$(xmllint --xpath 'string(/network/dns/txt/@value)' - <<<"$output")"
        [ "$(xmllint --xpath 'count(//*[not(ancestor-or-self::metadata)])' - <<<"$output")" -eq 4 ]
    done
    # What XML cannot hold is no value.
    for value in $'a\x01b' $'a\xff'; do
        expect 2 template render text.xml "-Dt=$value"
        [ -z "$output" ]
    done
}

@test "values have their types" {
    for bad in name='a b' bridge=sixteen-letters-x bridge=a/b subnet=10.0.0.0 subnet=10.0.0.0/31 \
        subnet=300.0.0.0/24 dhcp=maybe lease=1 lease=x mtu=100 mtu=99999999999999999999 domain='a b' dev=; do
        expect 2 template render nat -Dsubnet=10.0.0.0/24 "-D$bad"
        [ -z "$output" ]
        has "$stderr" "${bad%%=*}"
    done
    expect 2 template render nat-dns -Dsubnet=10.0.0.0/24 -Dforwarder=999.1.1.1
    expect 2 template render nat-dns -Dsubnet=10.0.0.0/24 -Dzone=corp.test
    has "$stderr" zone-forwarder
    expect 2 template render nat -Dsubnet=10.0.0.0/24 -Dcolour=red
    has "$stderr" colour
}

# ------------------------------------------------------------------------------------------------ where they are

@test "search order: --template-dir, VNAT_TEMPLATE_PATH, the user's, the host's, the shipped" {
    mkdir -p one two three ~/.config/vnat/xml /etc/vnat/xml
    for place in /etc/vnat/xml ~/.config/vnat/xml three two one; do
        small mine "in $place" >"$place/mine.xml"
        [ "$place" != /etc/vnat/xml ] || first() { expect 0 template show mine; }
        case $place in
        two | three) first() { VNAT_TEMPLATE_PATH=two:three expect 0 template show mine; } ;;
        one) first() { VNAT_TEMPLATE_PATH=two:three expect 0 template show --template-dir one mine; } ;;
        esac
        first
        same "in $place" "${lines[0]}"
    done
    VNAT_TEMPLATE_PATH=two:three expect 0 template list --json --template-dir one
    same $'in one false\nin two true\nin three true\nin '"$HOME"$'/.config/vnat/xml true\nin /etc/vnat/xml true' \
        "$(json '.templates[] | select(.name == "mine") | "\(.description) \(.shadowed)"')"
    VNAT_TEMPLATE_PATH=two expect 0 template list -n -o name,description
    [ "$(grep -c '^ *mine' <<<"$output")" -eq 1 ]
    VNAT_TEMPLATE_PATH=two expect 0 template list --all -n -o name,shadowed
    [ "$(grep -c '^ *mine *yes' <<<"$output")" -eq 2 ]
    VNAT_TEMPLATE_PATH=two expect 0 net-start mine
    rm -r ~/.config/vnat /etc/vnat
    forget mine
}

@test "a file that is no template is listed as unusable, and is none" {
    mkdir -p broken
    printf '<network>' >broken/cut.xml
    small fine >broken/fine.xml
    small other >"broken/bad name.xml"
    expect 0 template list --template-dir broken -o name,description
    has "$output" 'unusable:' fine
    expect 2 template show cut --template-dir broken
    expect 2 net-start cut --template-dir broken
    [ -z "$(networks)" ]
}

@test "as root, a template that others may write is refused" {
    mkdir -p theirs
    small mine >theirs/mine.xml
    chmod 666 theirs/mine.xml
    expect 2 net-start mine --template-dir theirs
    has "$stderr" theirs/mine.xml
    chmod 644 theirs/mine.xml
    chown operator theirs/mine.xml
    expect 2 net-start mine --template-dir theirs
    expect 0 template show ./theirs/mine.xml
    chown root theirs/mine.xml
    # Who may write the folder may put another file there; and what anybody may write is not taken by path either.
    chmod 777 theirs
    expect 2 net-start mine --template-dir theirs
    has "$stderr" theirs
    chmod 755 theirs
    chmod 666 theirs/mine.xml
    expect 2 net-define ./theirs/mine.xml
    chmod 644 theirs/mine.xml
    [ -z "$(networks)" ]
    expect 0 net-start mine --template-dir theirs
    forget mine
}

# ------------------------------------------------------------------------------------------------ each one for real

@test "every shipped template is defined and started beside the others" {
    expect 0 net-start default
    starts lab nat
    starts six nat-ipv6 -Dsubnet6=fd00:20::/64
    starts quiet isolated
    starts open routed -Dsubnet=10.40.0.0/24
    starts names nat-dns -Dsubnet=10.41.0.0/24 -Ddomain=guests.test -Dhost=printer.guests.test -Dhost-address=10.41.0.9 \
        -Dforwarder=203.0.113.1
    # A port is silent for four seconds (STP): all guests at once.
    for name in default lab six quiet open names; do
        lab_guest_netns "g-$name" "$(virsh -q net-info $name | awk '$1 == "Bridge:" {print $2}')"
    done
}

@test "default: NAT on virbr0 with DHCP and DNS" {
    guest_is_served default
    [ "$bridge" = virbr0 ]
    same 192.168.122 "$(leased default | cut -d. -f1-3)"
    masquerades 192.168.122.0/24
    [ "$(lab_in g-default timeout 20 busybox wget -q -O - http://203.0.113.1/)" = "hello from the outside" ]
    lab_in g-default timeout 30 busybox nslookup -type=a outside.test 192.168.122.1
}

@test "nat: beside default, on the next free subnet" {
    guest_is_served lab
    same 192.168.123 "$(leased lab | cut -d. -f1-3)"
    masquerades 192.168.123.0/24
    [ "$(lab_in g-lab timeout 20 busybox wget -q -O - http://203.0.113.1/)" = "hello from the outside" ]
}

@test "nat: by one device only, and without DHCP" {
    starts other nat -Ddev=uplink -Ddhcp=no
    iptables-nft-save | grep -q -- "-i $bridge -o uplink -j ACCEPT"
    expect 0 net-info other
    lacks "$output" 'DHCP 192'
    ss -Hlun 'sport = :53' | grep -qF "$(ip -j -4 address show "$bridge" | jq -r '.[0].addr_info[0].local')"
    run ss -Hlun 'sport = :67'
    has "$output" '%virbr0:67'
    lacks "$output" "%$bridge:67"
    forget other
}

@test "nat-ipv6: both families, by DHCP, behind both NATs" {
    guest_is_served six
    ip -j -6 address show "$bridge" | jq -e '.[0].addr_info[] | select(.local == "fd00:20::1" and .prefixlen == 64)'
    ip6tables-nft-save -t nat | grep -q -- '-s fd00:20::/64 .*-j MASQUERADE'
    masquerades "$(ip -j -4 route show dev "$bridge" | jq -r '.[0].dst')"
    grep -q '^dhcp-range=fd00:20::' /var/lib/libvirt/dnsmasq/six.conf
    expect 0 net-info --json six
    [ "$(json '[.networks[0].ips[] | "\(.family) \(.dhcp != null)"] | join(" ")')" = 'ipv4 true ipv6 true' ]
    # The guest is told the way out.
    has_router() { ip -n g-six -6 route show default | grep -q fe80; }
    lab_wait_for 20 has_router
}

@test "isolated: served, and shut in" {
    guest_is_served quiet
    run iptables-nft-save -t nat
    lacks "$output" "$(ip -j -4 route show dev "$bridge" | jq -r '.[0].dst')"
    run lab_in g-quiet timeout 3 busybox wget -q -O - http://203.0.113.1/
    [ "$output" != "hello from the outside" ]
    expect 0 net-info --json quiet
    [ "$(json '.networks[0] | [.forward, .nat.present] | @csv')" = '"isolated",' ]
}

@test "routed: the outside sees the guest's own address" {
    guest_is_served open
    run iptables-nft-save -t nat
    lacks "$output" 10.40.0.0/24
    # The outside host's default route leads back here.
    [ "$(lab_in g-open timeout 20 busybox wget -q -O - http://203.0.113.1/)" = "hello from the outside" ]
    lab_outside_log | grep -q '^10\.40\.0\.'
    expect 0 net-info --json open
    [ "$(json '.networks[0] | [.forward, .nat.present] | @csv')" = '"route",' ]
}

@test "nat-dns: names of its own, forwarders for the rest" {
    guest_is_served names
    masquerades 10.41.0.0/24
    lab_in g-names timeout 30 busybox nslookup -type=a printer.guests.test 10.41.0.1 | grep -q 10.41.0.9
    lab_in g-names timeout 30 busybox nslookup -type=a g-names.guests.test 10.41.0.1 | grep -qF "$(leased names | cut -d/ -f1)"
    lab_in g-names timeout 30 busybox nslookup -type=a outside.test 10.41.0.1 | grep -q 203.0.113.1
    expect 0 net-info --json names
    [ "$(json '.networks[0].dns_domain')" = guests.test ]
}

@test "what was used is kept in the metadata and shown" {
    expect 0 net-define nat-dns -Dname=kept -Dsubnet=auto -Ddomain=kept.test
    expect 0 net-info kept
    grep -qE '^Template: +nat-dns: .*subnet=192\.168\.[0-9]+\.0/24.*domain=kept.test' <<<"$output"
    expect 0 net-info --json kept
    [ "$(json '.networks[0].template | [.name, .parameters.name, .parameters.domain] | @csv')" = '"nat-dns","kept","kept.test"' ]
    [ "$(json '.networks[0].template.parameters.subnet')" = "$(json '.networks[0].ips[0] | (.address | sub("\\.1$"; ".0")) + "/\(.prefix)"')" ]
    # It outlives a start and a restart of libvirtd.
    expect 0 net-start kept
    lab_libvirtd_restart
    expect 0 net-info kept
    has "$output" 'nat-dns: '
    forget kept
}
