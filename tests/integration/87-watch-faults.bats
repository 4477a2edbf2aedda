#!/usr/bin/env bats
# vnat watch while libvirtd, dnsmasq, the kernel's messages and the lease files let it down: tests/soak/30-faults, for a short time.

setup_file() { load helpers; }
setup() {
    load helpers
    export SOAK_PART=10 SOAK_SLOW=10
    faults=$LAB_TOP/tests/soak/30-faults
}
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] && return
    if pid=$(lab_libvirtd_pid); then kill -CONT "$pid"; else lab_libvirtd_start; fi
}

@test "libvirtd killed and started again during a storm" { "$faults" killed 3>&-; }

@test "libvirtd stopped: stale, while the kernel's facts go on; then live again" { "$faults" stopped 3>&-; }

@test "one domain, then five, whose calls hang: the others are right and on time" { "$faults" hanging 3>&-; }

@test "dnsmasq killed: it is said" { "$faults" dnsmasq 3>&-; }

@test "5,000 link events while it is stopped, with a large buffer and a small one" { "$faults" overrun-large overrun-small 3>&-; }

@test "a tap made again within a millisecond never shows the guest of before" { "$faults" recreated 3>&-; }

@test "a lease file replaced 1,000 times a second, cut at every byte, damaged, deleted with its folder" {
    "$faults" replaced truncated directory 3>&-
}

@test "killed at any moment and started again: right, with nothing left behind" { "$faults" watcher-killed 3>&-; }
