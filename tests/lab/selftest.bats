#!/usr/bin/env bats
# What a lab looks like from outside, as root on the machine itself: labs side by side, and what is left of a killed one.

setup() {
    lab=$BATS_TEST_DIRNAME/lab
}

# What a lab could have left on the machine: its mounts, its links, files where it works. Others may be at work here, too:
# nothing else is looked at.
traces() {
    awk '$2 ~ "^/(run|etc|var|mnt|proc|sys|dev/shm)(/|$)"' /proc/self/mounts | sort
    ip -o link | cut -d: -f2 | grep -E '^ (uplink|probe0|ns1|virbr|vnet)' || true
    for dir in /run /run/netns /dev/shm /etc /var/lib /var/cache /var/log /var/lib/libvirt /etc/libvirt; do
        [ ! -d "$dir" ] || ls -A "$dir"
    done
}

# What a lab left would stay; what others do here goes.
traceless() { wait_for 5 same_traces; }
same_traces() { [ "$(traces)" = "$before" ]; }

# Succeeds when no process is left in the pid namespace $1.
empty() {
    local ns
    for ns in /proc/[0-9]*/ns/pid; do
        [ "$(readlink "$ns" 2>/dev/null)" != "$1" ] || return 1
    done
}

# As lib.sh's lab_wait_for.
wait_for() {
    local deadline=$((SECONDS + 5 * $1 + 1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

@test "the lab's status is the command's" {
    run "$lab" sh -c 'exit 7'
    [ "$status" -eq 7 ]
    run "$lab" -- true
    [ "$status" -eq 0 ]
    run "$lab" sh -c 'kill -9 $$'
    [ "$status" -eq 137 ]
}

@test "who is not root is told so" {
    run setpriv --reuid 65534 --regid 65534 --clear-groups bash "$lab" true
    [ "$status" -eq 125 ] || [ "$status" -eq 126 ] || [ "$status" -eq 127 ]
    [[ $output == *root* || $output == *ermission* ]]
}

@test "two labs at once do not see each other" {
    meet=$BATS_TEST_TMPDIR
    # Each is there with a network of the same name, bridge and subnet before either looks around.
    inside=". '$BATS_TEST_DIRNAME/lib.sh'
        lab_network default; lab_network \$1 br\$1 \$2; touch '$meet/'\$1
        lab_wait_for 30 test -e '$meet/'\$3; virsh -q net-list --name; touch '$meet/seen'\$1
        lab_wait_for 30 test -e '$meet/seen'\$3"
    "$lab" bash -c "$inside" - one 10 two >"$meet/out1" 3>&- &
    "$lab" bash -c "$inside" - two 11 one >"$meet/out2" 3>&-
    wait $!
    [ "$(grep . "$meet/out1" | xargs)" = "default one" ]
    [ "$(grep . "$meet/out2" | xargs)" = "default two" ]
}

@test "a lab that ends leaves nothing behind" {
    before=$(traces)
    "$lab" bash -c ". '$BATS_TEST_DIRNAME/lib.sh'; lab_network default; lab_guest_paused P1 default
        lab_guest_netns ns1 virbr0; touch /dev/shm/left /etc/left /var/lib/left /var/cache/left
        readlink /proc/self/ns/pid" >"$BATS_TEST_TMPDIR/ns"
    [ -s "$BATS_TEST_TMPDIR/ns" ]
    # The killing of what was inside is the kernel's, and takes it a moment.
    wait_for 5 empty "$(cat "$BATS_TEST_TMPDIR/ns")"
    traceless || diff <(echo "$before") <(traces)
}

@test "a lab that is killed leaves nothing behind" {
    for signal in KILL TERM HUP; do
        before=$(traces)
        "$lab" bash -c ". '$BATS_TEST_DIRNAME/lib.sh'; lab_network default; lab_guests_paused 2 default P
            readlink /proc/self/ns/pid; exec sleep 600" >"$BATS_TEST_TMPDIR/$signal" 3>&- &
        pid=$!
        wait_for 30 test -s "$BATS_TEST_TMPDIR/$signal"
        ns=$(cat "$BATS_TEST_TMPDIR/$signal")
        run empty "$ns"
        [ "$status" -ne 0 ]
        kill -"$signal" "$pid"
        wait_for 5 empty "$ns"
        traceless || diff <(echo "$before") <(traces)
    done
}
