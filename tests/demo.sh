#!/usr/bin/env bash
# The main job on real parts, inside a lab: './dev demo' runs this.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tests/lab/lib.sh
. lab/lib.sh

# show CMD...: prints the command as typed, then runs it.
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# progress TEXT SECONDS CMD...: awaits CMD, and says on stderr how long already.
progress() {
    local text=$1 limit=$2 i
    shift 2
    for ((i = 0; i < limit; i++)); do
        if [ -t 2 ]; then printf '\r%s %d s' "$text" "$i" >&2; elif [ "$i" -eq 0 ]; then printf '%s ' "$text" >&2; else printf . >&2; fi
        # One second's patience at a time, so that there is something to see.
        if lab_wait_for 0 "$@" 2>/dev/null; then
            printf ' done\n' >&2
            return
        fi
    done
    printf ' nothing after %d s\n' "$limit" >&2
    return 1
}

cat <<'TEXT'
A private libvirt host: libvirtd, dnsmasq, firewall and guests in namespaces of
their own. Nothing here touches this machine's. An outside host, 203.0.113.1, is
on a wire to this one, 203.0.113.2.
TEXT

show vnat net-start default

printf '\nVM1 is a small Linux in QEMU, on this network.\n'
lab_guest_linux VM1 default
if ! progress 'VM1 boots and asks for an address' 60 lab_guest_address VM1; then
    printf 'VM1 got no address; its console says:\n' >&2
    cat "$LAB_DIR/VM1.serial" >&2
    exit 1
fi

show vnat domiflist VM1
show vnat map
show vnat status default
show vnat ip VM1
address=$(vnat ip VM1 | head -n 1)

printf '\nNAT: VM1 asks the outside host for a page.\n'
printf '\nVM1# wget -O - http://outside.test/\n'
# Its log had better hold this request only.
: >"$LAB_DIR/outside.log"
lab_guest_run VM1 timeout 10 wget -q -O - http://outside.test/
printf '\noutside# cat http.log\n'
lab_outside_log
lab_outside_log | grep -q '^203\.0\.113\.2: url:/$'
printf '\nThe client it saw is 203.0.113.2, this host: %s was translated.\n' "$address"

printf '\noutside# ping -c 1 -W 2 %s\n' "$address"
if lab_outside ping -c 1 -W 2 "$address"; then
    echo 'The outside host reached VM1: it should not.' >&2
    exit 1
fi
printf '\nAnd from outside nobody reaches VM1.\n'
