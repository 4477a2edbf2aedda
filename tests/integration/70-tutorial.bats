#!/usr/bin/env bats
# docs/understanding-virbr0.md: its commands print what it shows. LAB_REGENERATE=1 writes what they print into it,
# where that differs: sudo LAB_REGENERATE=1 ./dev test --quick 70-tutorial

setup_file() {
    load helpers
    export document=$LAB_TOP/docs/understanding-virbr0.md walked=$LAB_DIR/walked.md
    export tutorial=$BATS_TEST_DIRNAME/tutorial
    vnat -q net-start default --autostart
    lab_bridge_hastens virbr0
    lab_guest_linux VM1 default 52:54:00:54:b0:08
    if ! lab_guest_wait VM1 || ! lab_wait_for 30 lab_guest_up VM1; then
        cat "$LAB_DIR/VM1.serial"
        return 1
    fi
    lab_wait_for 20 lab_leased virbr0 52:54:00:54:b0:08
    lab_bridge_knows virbr0 VM1
    ip link set virbr0 type bridge max_age 2000
    # What the document shows of connections that are over is there, however long the way to it takes.
    lab_conntrack_keeps
    # An outside host like any other, which knows no way to what is behind this one.
    ip -n outside route del default
    mkdir "$LAB_DIR/walk"
    ln -s "$LAB_DIR/outside.log" "$LAB_DIR/walk/http.log"
    cd "$LAB_DIR/walk" || return
    "$tutorial" walk "$document" >"$walked"
    if [ "${LAB_REGENERATE:-}" = 1 ] && ! "$tutorial" compare "$document" "$walked"; then
        cat "$walked" >"$document"
    fi
}

setup() {
    load helpers
    cd "$BATS_TEST_TMPDIR" || return
}

@test "the document's commands print what it shows" {
    "$tutorial" compare "$document" "$walked"
}

@test "a layout, a name, an address or a rule that differs is noticed" {
    noticed 's/^ Interface   Type /  Interface  Type /'
    noticed 's/ Lease( +)Problems/ Left\1 Problems/'
    noticed '/^ Expiry Time/ {n; s/-$//}'
    noticed 's/^ (VM1 +vnet0)/  \1/'
    noticed 's/ 192\.168\.122\.126$/ 192.168.122.12/'
    noticed 's/fe:54:00:54:b0:08/52:54:00:54:b0:08/'
    noticed 's/(client-id": "01:.*)08"/\109"/'
    noticed 's/8000\./9000./'
    noticed 's/ttl=63/ttl=64/'
    noticed 's/^200$/1500/'
    noticed 's/^(\[::ffff:)203\.0\.113\.2/\1192.168.122.126/'
    noticed 's/ --to-ports 1024-65535$/ --to-ports 1-65535/'
    noticed 's/ --reject-with icmp-port-unreachable/ --reject-with tcp-reset/'
    noticed 's/ -c 0 0 -j REJECT/ -c 1 84 -j REJECT/'
    noticed 's/ -c [1-9][0-9]* [0-9]* -j REJECT/ -c 0 0 -j REJECT/'
    noticed 's/ TIME_WAIT / ESTABLISHED /'
    noticed 's/ (203\.0\.113\.2)(:[0-9]+) / \1\2\2 /'
    noticed 's/^  pass     nat /  drop     nat /'
    noticed 's/^  reject   chain /  pass     chain /'
    noticed 's/^(dns  .* )ok     /\1failed /'
    noticed 's/^(nat .* is 203\.0\.113\.)2 port/\11 port/'
    noticed 's/ gets through, as 203\.0\.113\.2,/ gets through,/'
    noticed 's/ state forwarding / state disabled /'
    noticed '/^nameserver /d'
    noticed 's/^problems: none/problems:/'
    noticed 's/ (1h|5[0-9]m([0-9]+s)?)( +-)$/ 30m\3/'
}

@test "what differs from run to run is not" {
    cat >one.md <<-'TEXT'
	 Hostname   Lease   Problems
	-----------------------------
	 VM1        1h      -
	 Hostname   Lease
	------------------
	 VM1        59m9s
	  dnsmasq:     pid 9, user nobody
	nobody         9 /usr/sbin/dnsmasq --leasefile-ro
	# cat default.pid
	9
	 2026-11-22 16:02:49   52:54:00:54:b0:08
	virbr0          8000.525400110bc7       yes
	    "expiry-time": 1795363369
	64 bytes from 203.0.113.1: seq=0 ttl=63 time=8.401 ms
	round-trip min/avg/max = 8.401/8.401/8.401 ms
	-A LIBVIRT_FWI -c 6 584 -j ACCEPT
	  pid file says 9, which is no dnsmasq
	    sent SIGHUP to libvirtd (pid 9)
	 192.168.122.126:55496   203.0.113.2:55496   203.0.113.1:80   TIME_WAIT
	link          ok       4025 ms  virbr0 forwards
	gateway ipv4  ok         16 ms  52:54:00:11:0b:c7 answers for 192.168.122.1
	nat     ipv4  ok          0 ms  outside, 192.168.122.64 port 46798 is 203.0.113.2 port 46798
	tcp      6 119 TIME_WAIT sport=55496 dport=80 sport=80 dport=55496 [ASSURED] mark=0 use=1
	TEXT
    cat >other.md <<-'TEXT'
	 Hostname   Lease    Problems
	------------------------------
	 VM1        59m58s   -
	 Hostname   Lease
	-------------------
	 VM1        58m50s
	  dnsmasq:     pid 31337, user nobody
	nobody     31337 /usr/sbin/dnsmasq --leasefile-ro
	# cat default.pid
	31337
	 2027-01-02 03:04:05   52:54:00:54:b0:08
	virbr0          8000.525400ffffff       yes
	    "expiry-time": 1800000000
	64 bytes from 203.0.113.1: seq=0 ttl=63 time=12 ms
	round-trip min/avg/max = 12.0/12.1/12.2 ms
	-A LIBVIRT_FWI -c 12 1100 -j ACCEPT
	  pid file says 31337, which is no dnsmasq
	    sent SIGHUP to libvirtd (pid 31337)
	 192.168.122.126:33333   203.0.113.2:33333   203.0.113.1:80   TIME_WAIT
	link          ok         25 ms  virbr0 forwards
	gateway ipv4  ok          0 ms  52:54:00:ff:ff:ff answers for 192.168.122.1
	nat     ipv4  ok        130 ms  outside, 192.168.122.64 port 33333 is 203.0.113.2 port 33333
	tcp      6 9 TIME_WAIT sport=33333 dport=80 sport=80 dport=33333 [ASSURED] mark=0 use=2
	TEXT
    "$tutorial" compare one.md other.md
}

@test "the port in the outside host's log is that of the connection that was translated" {
    port=$(sed -nE 's/^\[::ffff:203\.0\.113\.2\]:([0-9]+): url:\/$/\1/p' "$walked")
    grep -qE "^tcp .* dst=203\.0\.113\.2 sport=80 dport=$port " "$walked"
}

@test "a block that begins with output, or has no end, is refused" {
    # shellcheck disable=SC2016 # Markdown's
    printf '```console\nout\n```\n' >headless.md
    run "$tutorial" walk headless.md
    [ "$status" -eq 2 ]
    has "$output" "headless.md:2: a block begins with a command"
    # shellcheck disable=SC2016
    printf '```console\n# true\n' >endless.md
    run "$tutorial" walk endless.md
    [ "$status" -eq 2 ]
    has "$output" "no end"
}
