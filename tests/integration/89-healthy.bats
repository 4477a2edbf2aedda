#!/usr/bin/env bats
# Nothing is found where nothing is wrong: tests/soak/60-healthy, for a short time.

setup_file() { load helpers; }

@test "guests come, renew short leases and go; empty networks of every kind: check and watch find nothing" {
    SOAK_PART=10 "$LAB_TOP/tests/soak/60-healthy" 3>&-
}
