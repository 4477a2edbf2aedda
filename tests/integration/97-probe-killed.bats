#!/usr/bin/env bats
# vnat probe, killed: ten of the random moments of tests/soak/60-probe-killed.

setup() { load helpers; }

@test "killed at ten random moments" {
    run env SOAK_PART=20 "$LAB_TOP/tests/soak/60-probe-killed" 3>&-
    printf '%s\n' "$output"
    [ "$status" -eq 0 ]
}
