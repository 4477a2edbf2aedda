# What the integration tests share beside the lab's own functions: `load helpers` in a bats file.
# shellcheck shell=bash disable=SC2154 # bats' run sets status, output, stderr

bats_require_minimum_version 1.5.0
load ../lab/lib.sh

# expect CODE VNAT-WORD...: runs vnat, whose exit code must be CODE; leaves $output, $lines and $stderr.
expect() {
    local code=$1
    shift
    run --separate-stderr vnat "$@"
    [ "$status" -eq "$code" ] && return
    printf 'vnat %s: exit code %s, not %s\n%s\n%s\n' "$*" "$status" "$code" "$output" "$stderr"
    return 1
}

# has TEXT PART...: every PART is in TEXT. lacks: none is.
has() {
    local text=$1 part
    shift
    for part; do
        [[ $text == *"$part"* ]] && continue
        printf 'not found: %s\nin: %s\n' "$part" "$text"
        return 1
    done
}
lacks() {
    local text=$1 part
    shift
    for part; do
        [[ $text == *"$part"* ]] || continue
        printf 'found: %s\nin: %s\n' "$part" "$text"
        return 1
    done
}

# same WANTED GOT: the same text; prints the difference.
same() { diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"); }

# noticed SED-SCRIPT: with that change in its console blocks $document is no longer $walked (by $tutorial).
noticed() {
    sed -E "/^\`\`\`console\$/,/^\`\`\`\$/ {$1}" "$document" >changed.md
    if cmp -s "$document" changed.md; then
        printf 'changes nothing: %s\n' "$1"
        return 1
    fi
    if "$tutorial" compare changed.md "$walked" >/dev/null; then
        printf 'not noticed: %s\n' "$1"
        return 1
    fi
}

# leading TABLE WIDER: the lines of TABLE are the beginnings of those of WIDER, cut at the end of a column. Both may
# end in blank lines.
leading() {
    awk '
        {sub(/ +$/, "")}
        NR == FNR {want[NR] = $0; count = NR; next}
        {
            rest = substr($0, length(want[FNR]) + 1)
            if (index($0, want[FNR]) != 1 || (rest != "" && rest !~ /^(   |-)/)) {
                print "wanted: " want[FNR] "\ngot:    " $0
                failed = 1
            }
        }
        END {
            if (FNR != count) print "wanted " count " lines, got " FNR
            exit (failed || FNR != count)
        }' <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

# as_virsh COMMAND WORD...: the table that virsh prints for these words is the leading part of vnat's.
as_virsh() {
    local wanted
    wanted=$(virsh "$@") || return
    expect 0 "$@" || return
    leading "$wanted" "$output"
}

# json FILTER [JQ-OPTION...]: jq on $output of the last command.
json() {
    local filter=$1
    shift
    jq -r "$@" "$filter" <<<"$output"
}

# clean TEXT: no control character but line feeds, no bidirectional or invisible character, no invalid UTF-8.
clean() {
    printf '%s' "$1" | python3 -IS -c '
import sys, unicodedata
text = sys.stdin.buffer.read().decode("utf-8")
bad = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")]
sys.exit("%r in %r" % (bad, text) if bad else 0)'
}

# networks: the names of the networks that libvirt has, one a line.
networks() { virsh -q net-list --all --name | grep . || true; }

# forget NETWORK...: they are gone, whatever they were.
forget() {
    local name
    for name; do
        virsh -q net-destroy "$name" >/dev/null 2>&1 || true
        virsh -q net-undefine "$name" >/dev/null 2>&1 || true
    done
}

# lose_rules nat|out|in: what libvirt's chain of that name does is gone, in whichever of its two ways it writes rules; a
# reload puts it back.
lose_rules() {
    if nft list table ip libvirt_network >/dev/null 2>&1; then
        case $1 in
        nat) nft flush chain ip libvirt_network guest_nat ;;
        out) nft flush chain ip libvirt_network guest_output ;;
        in) nft flush chain ip libvirt_network guest_input ;;
        esac
    else
        case $1 in
        nat) iptables -t nat -F LIBVIRT_PRT ;;
        out) iptables -F LIBVIRT_FWO ;;
        in) iptables -F LIBVIRT_FWI ;;
        esac
    fi
}
