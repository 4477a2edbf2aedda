#!/usr/bin/env bats
# Networks: listing, defining, starting and stopping them, and that virsh sees and says the same.

setup_file() {
    load helpers
    mkdir -p "$LAB_DIR/files"
}

setup() {
    load helpers
    cd "$LAB_DIR/files" || return
}

# A test that fails midway must not make the next ones fail.
teardown() {
    [ -z "${BATS_TEST_COMPLETED:-}" ] || return 0
    ip link del virbr50 2>/dev/null || true
    ip route flush table 100 2>/dev/null || true
    ip route del 192.168.124.128/25 2>/dev/null || true
    ip route del 192.168.0.0/16 2>/dev/null || true
    [ ! -s rival.pid ] || kill "$(cat rival.pid)" || true
    for name in $(networks); do [ "$name" = default ] || forget "$name"; done
    virsh -q net-start default >/dev/null 2>&1 || true
}

# A file without parameters. PLAIN NAME BRIDGE N [MORE]
plain() {
    printf "<network><name>%s</name><forward mode='nat'/><bridge name='%s'/>
        <ip address='192.168.%s.1' netmask='255.255.255.0'/>%s</network>\n" "$1" "$2" "$3" "${4:-}"
}

device_is_up() { ip -j link show "$1" | jq -e '.[0].flags | index("UP")'; }

# ------------------------------------------------------------------------------------------------ nothing there yet

@test "without networks the lists are empty, and complete" {
    as_virsh net-list --all
    expect 0 net-list --name
    [ -z "$output" ]
    expect 0 net-list --json --all
    [ "$(json '.networks | length')" -eq 0 ]
    [ "$(json .sources.libvirt)" = live ]
}

@test "net-start on an undefined network defines it from the template of its name, and it works" {
    expect 0 net-start default
    [ "$output" = "Network default defined and started" ]
    [ -z "$stderr" ]
    # What it says is so: at once, and as others see it.
    device_is_up virbr0
    ip -j -4 address show virbr0 | jq -e '.[0].addr_info[0] | .local == "192.168.122.1" and .prefixlen == 24'
    lab_dnsmasq_pid default
    iptables-nft-save -t nat | grep -q -- '-s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE'
    virsh net-info default | grep -Eq '^Persistent: +yes'
    ss -Hlun 'src 192.168.122.1:53' | grep -q .
}

@test "net-start on an active network changes nothing and says so" {
    before=$(lab_dnsmasq_pid default)
    expect 0 net-start default
    [ "$output" = "Network default already active" ]
    expect 0 net-start default --quiet
    [ -z "$output$stderr" ]
    expect 0 -j net-start default
    [ "$(json '.networks[0] | [.name, .active, .dnsmasq.running, .nat.present] | @csv')" = '"default",true,true,true' ]
    [ "$(lab_dnsmasq_pid default)" = "$before" ]
}

@test "net-start on a defined network starts it; --autostart marks it" {
    virsh -q net-destroy default >/dev/null
    expect 0 net-start default --autostart
    [ "$output" = "Network default started" ]
    virsh net-info default | grep -Eq '^Autostart: +yes'
    virsh -q net-autostart --disable default >/dev/null
}

# ----------------------------------------------------------------------------------------------------------- listing

@test "net-list: every filter gives virsh's rows, in virsh's order and columns" {
    plain Beta virbr7 87 >beta.xml
    plain alpha virbr6 86 >alpha.xml
    plain passing virbr5 85 >passing.xml
    plain 'gone-soon' virbr4 84 >gone.xml
    virsh -q "net-define beta.xml; net-define alpha.xml; net-autostart alpha; net-create passing.xml" >/dev/null
    virsh -q "net-define gone.xml; net-start gone-soon; net-undefine gone-soon" >/dev/null
    for filter in '' --all --inactive --autostart --no-autostart --persistent --transient \
        '--all --inactive' '--all --autostart' '--all --no-autostart' '--all --persistent' '--inactive --autostart' \
        '--inactive --transient'; do
        # shellcheck disable=SC2086 # words they are
        as_virsh net-list $filter
        for plain in --name --uuid; do
            # shellcheck disable=SC2086
            same "$(virsh net-list $filter $plain; echo end)" "$(vnat net-list $filter $plain; echo end)"
        done
        # shellcheck disable=SC2086
        same "$(virsh -q net-list $filter --uuid | grep . || true)" "$(vnat net-list $filter --json | jq -r '.networks[].uuid')"
    done
}

@test "net-list: our columns, and the table's options" {
    expect 0 net-list -n -o name,bridge,forward,subnet,interfaces,leases
    [ "$(awk '$1 == "default"' <<<"$output" | xargs)" = "default virbr0 nat 192.168.122.0/24 0 0" ]
    # An inactive network has no ports and no live leases to count.
    expect 0 net-list --inactive --csv -o name,interfaces,leases
    same $'name,interfaces,leases\nalpha,,\nBeta,,' "$output"
    expect 0 net-list -o +uuid --csv
    has "${lines[0]}" name,state,autostart,persistent,bridge,forward,subnet,interfaces,leases,uuid
    expect 0 net-list --list-columns
    for column in name uuid state autostart persistent bridge forward subnet interfaces leases; do
        grep -qw "^ *$column" <<<"$output"
    done
    expect 2 net-list -o name,nonsense
    has "$stderr" nonsense
    expect 2 net-list --name --uuid
}

@test "net-info: virsh's lines first, byte for byte, then ours; by name and by UUID" {
    for network in default alpha passing; do
        wanted=$(virsh net-info "$network")
        expect 0 net-info "$network"
        same "$wanted" "$(head -n 6 <<<"$output")"
    done
    uuid=$(virsh net-uuid default)
    same "$(vnat net-info default)" "$(vnat net-info "$uuid")"
    expect 0 net-info default
    has "$output" 192.168.122.1/24 "pid $(lab_dnsmasq_pid default)" iptables
    expect 0 net-info --json default
    same "$(json '.networks[0].ips[0] | [.address, .prefix, .family, .dhcp.size, .dhcp.leases] | @csv')" \
        '"192.168.122.1",24,"ipv4",253,0'
    [ "$(json '.networks[0].dnsmasq.pid')" = "$(lab_dnsmasq_pid default)" ]
    [ "$(json '.networks[0].bridge_id')" = "8000.$(tr -d : </sys/class/net/virbr0/address)" ]
    expect 0 net-info --json alpha
    [ "$(json '.networks[0] | [.active, .dnsmasq.running // false] | @csv')" = 'false,false' ]
}

@test "net-dumpxml: what virsh prints, byte for byte" {
    virsh -q net-define <(virsh net-dumpxml --inactive default | sed 's/<bridge /<domain name="later.test"\/>&/') >/dev/null
    for words in default 'default --inactive' '--inactive default' alpha passing "$(virsh net-uuid default)"; do
        # shellcheck disable=SC2086 # words they are
        same "$(virsh net-dumpxml $words; echo end)" "$(vnat net-dumpxml $words; echo end)"
    done
    [ "$(vnat net-dumpxml default)" != "$(vnat net-dumpxml default --inactive)" ]
    virsh -q net-define <(virsh net-dumpxml --inactive default | grep -v later.test) >/dev/null
}

@test "a network that is not there: exit 1, its name, what is near" {
    for command in net-info net-dumpxml net-destroy net-undefine net-autostart net-dhcp-leases; do
        expect 1 $command defualt
        [ -z "$output" ]
        same "error: Network not found: no network with matching name 'defualt'
hint: did you mean 'default'?" "$(tail -n 2 <<<"$stderr")"
    done
    expect 1 net-info nothing-like-it
    has "$stderr" 'hint: ' 'vnat net-list --all'
    forget Beta alpha passing gone-soon
}

# ---------------------------------------------------------------------------------------------------------- defining

@test "net-define: a file without parameters is defined as it is, and leaves no trace of vnat" {
    plain plainnet virbr9 90 "<domain name='x.test'/>" >plain.xml
    expect 0 net-define --validate ./plain.xml
    virsh net-dumpxml plainnet | grep -q "<domain name='x.test'/>"
    run virsh net-dumpxml plainnet
    lacks "$output" vnat metadata
    # Again with another content: that is what define means.
    sed -i s/x.test/y.test/ plain.xml
    sed -i "s|<name>|<uuid>$(virsh net-uuid plainnet)</uuid>&|" plain.xml
    expect 0 net-define plain.xml
    virsh net-dumpxml plainnet | grep -q "<domain name='y.test'/>"
    forget plainnet
}

@test "net-define: a file with parameters, set in every spelling" {
    cat >mine.xml <<-'XML'
	<network xmlns:vnat='urn:vnat:template:1'>
	  <vnat:param name='name' type='name'/>
	  <vnat:param name='bridge' type='ifname' default='virbr31'/>
	  <vnat:param name='subnet' type='cidr4'/>
	  <name>${name}</name><bridge name='${bridge}'/>
	  <ip address='${subnet.gateway}' netmask='${subnet.netmask}'/>
	</network>
	XML
    printf '# ours\n\nname = unused\nsubnet=10.1.0.0/24\n' >vars
    for words in '-Dname=m1 -Dsubnet=10.1.0.0/24 mine.xml' 'mine.xml -D name=m1 -D subnet=10.1.0.0/24' \
        '--define name=m1 --define=subnet=10.1.0.0/24 ./mine.xml' '--vars vars mine.xml -Dname=m1' \
        '-Dname=m1 --vars=vars -- mine.xml'; do
        # shellcheck disable=SC2086 # words they are
        expect 0 net-define $words
        virsh net-dumpxml m1 | grep -q "<ip address='10.1.0.1' netmask='255.255.255.0'>"
        forget m1
    done
    expect 0 net-define mine.xml -Dname=m1 -Dsubnet=10.1.0.0/24 --autostart --json
    [ "$(json '.networks[0] | [.name, .active, .autostart, .template.name, .template.parameters.subnet] | @csv')" = \
        '"m1",false,true,"mine","10.1.0.0/24"' ]
    forget m1
    # Missing, undeclared, of the wrong type: named, and nothing is defined.
    expect 2 net-define mine.xml -Dname=m1
    has "$stderr" subnet
    expect 2 net-define mine.xml -Dname=m1 -Dsubnet=10.1.0.0/24 -Dcolour=red
    has "$stderr" colour
    expect 2 net-define mine.xml -Dname=m1 -Dsubnet=10.1.0.0/33
    has "$stderr" subnet
    expect 2 net-define mine.xml -Dname=m1 -D subnet
    expect 1 net-define mine.xml -Dname=m1 --vars /nonexistent
    has "$stderr" /nonexistent
    printf 'nonsense\n' >vars
    expect 2 net-define mine.xml --vars vars
    has "$stderr" 'line 1'
    [ "$(networks)" = default ]
}

@test "net-define: a template, and names that no network may have" {
    expect 0 net-define nat -D name=lab -D subnet=10.20.0.0/24 -Dbridge=virbr20
    virsh net-dumpxml --inactive lab | grep -q "<bridge name='virbr20'"
    expect 0 net-info lab
    has "$output" 'nat: ' subnet=10.20.0.0/24
    forget lab
    for name in '../x' 'a b' '' $'a\nb' '<x/>' "$(printf 'n%.0s' {1..51})" '-x'; do
        expect 2 net-define nat "-Dname=$name" -Dsubnet=10.20.0.0/24
    done
    expect 2 net-define nat -Dname=lab -Dbridge=sixteen-letters-x -Dsubnet=10.20.0.0/24
    # In a plain file too.
    plain 'a b' virbr9 90 >blank.xml
    expect 2 net-define blank.xml
    # What libvirt itself would refuse, it is asked about before.
    plain 'typo' virbr9 90 "<forwrd/>" >typo.xml
    expect 2 net-define typo.xml
    expect 1 net-define defualt
    has "$stderr" default
    expect 1 net-define ./none.xml
    [ "$(networks)" = default ]
}

@test "hostile templates: exit 2, the rule is named, nothing is opened or defined" {
    mkfifo fifo.xml
    mkdir -p directory.xml
    ln -sf /dev/zero zero.xml
    printf '<!DOCTYPE network [<!ENTITY x SYSTEM "file://%s/secret">]><network><name>&x;</name></network>' "$PWD" >entity.xml
    printf '<!DOCTYPE n [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><network><name>&b;</name></network>' >bomb.xml
    { printf '<network>%.0s' {1..40}; printf '</network>%.0s' {1..40}; } >deep.xml
    head -c 10485760 /dev/zero | tr '\0' ' ' >big.xml
    plain whole virbr9 90 | head -c 60 >cut.xml
    { printf '\377\376'; plain whole virbr9 90 | iconv -t UTF-16LE; } >utf16.xml
    { plain whole virbr9 90; printf '\0'; } >nul.xml
    { printf '<?xml version="1.0" encoding="ISO-8859-1"?>'; plain whole virbr9 90; } >latin.xml
    { printf '<network><name>whole</name><domain '; printf 'a%s="1" ' {1..100}; printf '/></network>'; } >attributes.xml
    { printf '<network><name>whole</name><description>'; head -c 5000 /dev/zero | tr '\0' x; printf '</description></network>'; } >text.xml
    : >empty.xml
    printf '<domain/>' >other.xml
    for file in fifo directory zero entity bomb deep big cut utf16 nul latin attributes text empty other; do
        expect 2 net-define "./$file.xml"
        [ -z "$output" ]
        has "$stderr" 'error: '
        expect 2 template render "./$file.xml"
        [ -z "$output" ]
    done
    # Not even opened: who opens this waits for a writer, and one that waits for its reader gets on.
    mkfifo secret
    lab_detached sh -c ': >secret && : >opened'
    lab_wait_for 5 pgrep -f ': >secret && : >opened'
    expect 2 net-define ./entity.xml
    expect 2 template show ./entity.xml
    [ ! -e opened ]
    : <secret
    lab_wait_for 5 test -e opened
    expect 2 net-define ./fifo.xml
    has "$stderr" 'regular file'
    expect 2 net-define ./entity.xml
    has "$stderr" DOCTYPE
    [ "$(networks)" = default ]
}

# ---------------------------------------------------------------------------------------------------------- starting

@test "net-start: what it refuses before anything happens" {
    expect 2 net-start lab --template nat -D name=other
    has "$stderr" 'name=other' "'lab'"
    expect 1 net-start lab --no-define
    has "$stderr" 'no network is defined by that name'
    expect 1 net-start nat --no-define
    expect 1 net-start defualt
    has "$stderr" "did you mean 'default'?"
    expect 1 net-start lab --template nta
    has "$stderr" "nat"
    expect 2 net-start lab --template nat -D colour=red
    expect 2 net-start
    expect 2 net-start 'a b' --template nat
    # A template that makes a network of its own name.
    plain fixed virbr9 90 >fixed.xml
    expect 2 net-start lab --template ./fixed.xml
    [ "$(networks)" = default ]
}

@test "net-start --template: another name, a free subnet, the bridge that libvirt picks" {
    expect 0 net-start lab --template nat
    bridge=$(virsh -q net-info lab | awk '$1 == "Bridge:" {print $2}')
    device_is_up "$bridge"
    # 192.168.122.0/24 is taken by default.
    ip -j -4 address show "$bridge" | jq -e '.[0].addr_info[0].local == "192.168.123.1"'
    forget lab
}

@test "twenty at once on an undefined network: one network, twenty exit codes 0" {
    for i in {1..20}; do
        vnat --timeout 60 net-start many --template nat >"many.$i" 2>&1 3>&- &
        pids[i]=$!
    done
    for i in {1..20}; do wait "${pids[i]}"; done
    [ "$(networks | xargs)" = "default many" ]
    # One says that it did it, the others that it was done.
    same $'1 Network many defined and started\n19 Network many already active' \
        "$(cat many.* | sort | uniq -c | sed 's/^ *//' | sort -n)"
    [ "$(pgrep -cf 'conf-file=/var/lib/libvirt/dnsmasq/many.conf')" -ge 1 ]
    [ "$(ip -j -4 address | jq '[.[].addr_info[] | select(.local | test("^192\\.168\\.12[3-9]\\."))] | length')" -eq 1 ]
    forget many
}

@test "five at once beside virsh, which knows no lock" {
    plain many virbr77 77 >many.xml
    for _ in {1..6}; do
        five_beside_virsh
        [ "$(networks | xargs)" = "default many" ]
        forget many
    done
}
five_beside_virsh() {
    local i
    for i in {1..5}; do
        virsh -q "net-define many.xml; net-start many" >/dev/null 2>&1 3>&- &
        virshs[i]=$!
        vnat --timeout 60 net-start many --template nat -Dsubnet=192.168.77.0/24 -Dbridge=virbr77 >"many.$i" 2>&1 3>&- &
        pids[i]=$!
    done
    for i in {1..5}; do wait "${pids[i]}" || { cat "many.$i"; return 1; }; done
    # Of virsh one or none was first; the rest was refused.
    for i in {1..5}; do wait "${virshs[i]}" || true; done
}

@test "the bridge's name is a foreign device's: refused before libvirt touches it" {
    ip link add virbr50 type bridge
    ip address add 10.50.0.1/24 dev virbr50
    index=$(cat /sys/class/net/virbr50/ifindex)
    expect 1 net-start lab --template nat -Dbridge=virbr50 -Dsubnet=10.51.0.0/24
    has "$stderr" 'virbr50 exists' 'hint: vnat net-start lab --template nat -D bridge='
    [ "$(networks)" = default ]
    # Defined before: the definition stays, and is not started.
    plain lab virbr50 51 >lab.xml
    virsh -q net-define lab.xml >/dev/null
    expect 1 net-start lab
    has "$stderr" virbr50
    expect 1 net-start lab --force
    [ "$(cat /sys/class/net/virbr50/ifindex)" = "$index" ]
    ip -j address show virbr50 | jq -e '.[0].addr_info[] | select(.local == "10.50.0.1")'
    [ "$(networks | xargs)" = "default lab" ]
    ip link del virbr50
    expect 0 net-start lab
    forget lab
}

@test "the subnet overlaps a route: both are named, the hint works, --force overrides" {
    ip route add 192.168.124.128/25 via 203.0.113.1
    expect 1 net-start lab --template nat -Dsubnet=192.168.124.0/24
    has "$stderr" 192.168.124.0/24 192.168.124.128/25 '-D subnet=auto'
    [ "$(networks)" = default ]
    expect 0 net-start lab --template nat -Dsubnet=auto
    virsh net-dumpxml lab | grep -q "address='192.168.123.1'"
    forget lab
    expect 0 net-start lab --template nat -Dsubnet=192.168.124.0/24 --force
    forget lab
    # Defined before, it cannot be moved by -D.
    plain lab virbr9 124 >lab.xml
    virsh -q net-define lab.xml >/dev/null
    expect 1 net-start lab
    has "$stderr" 192.168.124.128/25 'hint: '
    expect 0 net-start lab --force
    forget lab
    ip route del 192.168.124.128/25
}

@test "a route in another table counts as well; a wider one does not" {
    ip route add 192.168.124.0/24 via 203.0.113.1 table 100
    expect 1 net-start lab --template nat -Dsubnet=192.168.124.0/24
    has "$stderr" 192.168.124.0/24
    ip route flush table 100
    # Of a VPN, say: what is more specific wins, and guests work.
    ip route add 192.168.0.0/16 via 203.0.113.1
    expect 0 net-start lab --template nat -Dsubnet=192.168.124.0/24
    forget lab
    ip route del 192.168.0.0/16
}

@test "the subnet overlaps another network's: both are named" {
    expect 1 net-start lab --template nat -Dsubnet=192.168.122.0/25
    has "$stderr" lab default 192.168.122.0/25 192.168.122.0/24 '-D subnet=auto'
    [ "$(networks)" = default ]
    expect 0 net-start lab --template nat -Dsubnet=auto
    forget lab
}

@test "port 53 is held by another: who is said, and what was defined is taken back" {
    virsh -q net-destroy default >/dev/null
    lab_detached dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --port=53 \
        --pid-file="$PWD/rival.pid" >/dev/null 2>&1
    lab_wait_for 5 test -s rival.pid
    rival=$(cat rival.pid)
    expect 1 net-start lab --template nat
    has "$stderr" "hint: udp 0.0.0.0:53 (pid $rival, dnsmasq)" 'Address already in use'
    [ "$(networks)" = default ]
    # One that was defined before stays defined.
    expect 0 net-define nat -Dname=lab
    expect 1 net-start lab
    has "$stderr" "$rival"
    [ "$(networks | xargs)" = "default lab" ]
    kill "$rival"
    lab_wait_for 5 lab_not test -e "/proc/$rival"
    expect 0 net-start lab
    forget lab
    expect 0 net-start default
}

@test "without rights: a visitor changes nothing; an operator does, and is told what could not be looked at" {
    run --separate-stderr lab_as visitor vnat net-start lab --template nat
    [ "$status" -eq 1 ]
    has "$stderr" 'error: '
    [ "$(networks)" = default ]
    run --separate-stderr lab_as operator vnat net-start lab --template nat
    [ "$status" -eq 0 ]
    has "$output" 'Network lab defined and started' 'NAT rules'
    [ -z "$stderr" ]
    run --separate-stderr lab_as visitor vnat net-list
    [ "$status" -eq 0 ]
    leading "$(virsh net-list)" "$output"
    forget lab
}

@test "--readonly refuses every change" {
    for words in 'net-start lab --template nat' 'net-define nat -Dname=lab' 'net-destroy default' 'net-undefine default' \
        'net-autostart default'; do
        # shellcheck disable=SC2086 # words they are
        expect 2 -r $words
        has "$stderr" readonly
    done
    [ "$(networks)" = default ]
    expect 0 --readonly net-list
}

# ---------------------------------------------------------------------------------------------------------- stopping

@test "net-destroy: names the running guests, and wants --yes" {
    lab_guest_paused P1 default
    lab_guest_paused P2 default '' "$(lab_interface_xml default)"
    expect 1 net-destroy default
    has "$stderr" 'P1, P2' 'vnat net-destroy --yes default'
    [ -e /sys/class/net/virbr0 ]
    # A person at a terminal is asked; "no" is the default.
    run script -qec 'vnat net-destroy default' /dev/null <<<$'\n'
    has "$output" 'P1, P2' '[y/N]'
    [ -e /sys/class/net/virbr0 ]
    run script -qec 'vnat net-destroy default' /dev/null <<<y
    [ "$status" -eq 0 ]
    [ ! -e /sys/class/net/virbr0 ]
    expect 0 net-start default
    expect 0 net-destroy default -y
    has "$output" 'P1, P2' 'Network default destroyed'
    [ ! -e /sys/class/net/virbr0 ]
    lab_guest_stop P1
    lab_guest_stop P2
}

@test "net-destroy without guests asks nothing; on an inactive network it fails" {
    expect 1 net-destroy default
    has "$stderr" 'not active'
    expect 0 net-start default
    expect 0 net-destroy default
    [ "$output" = "Network default destroyed" ]
    expect 0 net-start default
    expect 0 net-destroy --json "$(virsh net-uuid default)"
    [ "$(json '.networks[0] | [.name, .active] | @csv')" = '"default",false' ]
}

@test "net-undefine: an active network stays, as a transient one" {
    expect 0 net-define nat -Dname=lab
    expect 0 net-undefine lab
    [ "$output" = "Network lab has been undefined" ]
    [ "$(networks)" = default ]
    expect 0 net-start lab --template nat
    expect 0 net-undefine lab
    has "$output" transient
    virsh net-info lab | grep -Eq '^Persistent: +no'
    # A transient network has no definition to remove or to start by.
    expect 1 net-undefine lab
    expect 1 net-autostart lab
    has "$stderr" 'error: failed to mark as autostarted'
    expect 0 net-destroy lab
    [ "$(networks)" = default ]
}

@test "net-autostart marks and unmarks, again and again" {
    for _ in 1 2; do
        expect 0 net-autostart default
        [ "$output" = "Network default marked as autostarted" ]
        virsh net-info default | grep -Eq '^Autostart: +yes'
    done
    for _ in 1 2; do
        expect 0 net-autostart default --disable
        [ "$output" = "Network default unmarked as autostarted" ]
        virsh net-info default | grep -Eq '^Autostart: +no'
    done
}

# ---------------------------------------------------------------------------------------------------- usage, reaching

@test "usage errors are exit 2, with a hint" {
    for words in nonsense '--nonsense' 'net-list --nonsense' 'net-list --inact' 'net-list extra' 'net-info' \
        'net-info a b' 'net-dhcp-leases default nomac' '--timeout x net-list' '--timeout -1 net-list' '--color x net-list' \
        'template' 'template --json' 'help map extra' 'net-dumpxml --json default' '-c'; do
        # shellcheck disable=SC2086 # words they are
        expect 2 $words
        has "$stderr" 'error: ' 'hint: '
        [ -z "$output" ]
    done
    expect 2 net-lsit
    has "$stderr" "did you mean 'vnat net-list'?"
    expect 2 net-list --inactiv
    has "$stderr" "did you mean '--inactive'?"
    expect 2
    expect 0 --help
    has "$output" net-start domiflist
    expect 0 --version
    for command in net-list net-start map 'template render' attach-interface; do
        # shellcheck disable=SC2086
        expect 0 help $command
        has "$output" Examples:
        # shellcheck disable=SC2086
        same "$output" "$(vnat $command --help)"
    done
    for words in 'help template' 'template --help' 'template -h'; do
        # shellcheck disable=SC2086
        expect 0 $words
        has "$output" 'template list' 'template show' 'template render'
    done
    expect 2 map --timeout 3
    has "$stderr" "error: there is no option '--timeout'" "hint: '--timeout' is a global option and stands before the command"
}

@test "libvirt that cannot be reached is exit 4, and says by which URI" {
    expect 4 -c 'qemu+unix:///system?socket=/nonexistent' net-list
    has "$stderr" 'error: ' /nonexistent
    VNAT_CONNECT='qemu+unix:///system?socket=/none-of-ours' expect 4 net-info default
    has "$stderr" /none-of-ours
    expect 4 -c nonsense net-list
    has "$stderr"$'\n' $'hint: vnat -c qemu:///system\n'
    # Ours before virsh's before libvirt's; the option before all.
    VIRSH_DEFAULT_CONNECT_URI=test:///default expect 0 net-list --json
    [ "$(json .uri)" = test:///default ]
    VNAT_CONNECT=qemu:///system VIRSH_DEFAULT_CONNECT_URI=test:///default expect 0 net-list --json
    [ "$(json .uri)" = qemu:///system ]
    VNAT_CONNECT=qemu:///system expect 0 -c test:///default net-list --json
    [ "$(json '[.uri, .sources.links] | @csv')" = '"test:///default","absent"' ]
}
