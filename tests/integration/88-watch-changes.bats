#!/usr/bin/env bats
# vnat watch beside an oracle: a tenth of tests/soak/20-changes.

setup_file() { load helpers; }

@test "random changes of a real host: after each one the consumer's map is what virsh, ip and the lease files say" {
    SOAK_PART=10 SOAK_SLOW=10 "$LAB_TOP/tests/soak/20-changes" 3>&-
}
