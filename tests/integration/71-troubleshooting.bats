#!/usr/bin/env bats
# docs/troubleshooting.md: each fault is put in place, the section's commands print what it shows, and mend it.
# LAB_REGENERATE=1 writes what they print into it: sudo LAB_REGENERATE=1 ./dev test --quick 71-troubleshooting

setup_file() {
    load helpers
    export document=$LAB_TOP/docs/troubleshooting.md walked=$LAB_DIR/walked.md
    export tutorial=$BATS_TEST_DIRNAME/tutorial
    vnat -q net-start default --autostart
    lab_bridge_hastens virbr0
    # Another machine may lack it: with it, a chain that drops what is forwarded is a fault between guests too.
    sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true
    lab_conntrack_keeps
    ip -n outside route del default
    "$tutorial" walk "$document" "$BATS_TEST_DIRNAME/troubleshooting-faults" >"$walked" || {
        cat "$LAB_DIR/VM1.serial"
        return 1
    }
    if [ "${LAB_REGENERATE:-}" = 1 ] && ! "$tutorial" compare "$document" "$walked"; then
        cat "$walked" >"$document"
    fi
}

setup() {
    load helpers
    cd "$BATS_TEST_TMPDIR" || return
}

@test "each fault looks as the document shows it" {
    "$tutorial" compare "$document" "$walked"
}

@test "a cause, a verdict, a rule or a state that differs is noticed" {
    noticed 's/ dnsmasq-dead: / dnsmasq-not-listening: /'
    noticed 's/^error: network default has/error: VM1 has/'
    noticed 's/^done: tap-orphaned /planned: tap-orphaned /'
    noticed 's/^  drop     tap /  pass     tap /'
    noticed 's/^  drop     chain    inet filter input /  drop     chain    ip filter INPUT /'
    noticed 's/, handle 2: drop$/, handle 3: drop/'
    noticed 's/^ok: 3/ok: 2/'
    noticed 's/^(nat .* )failed /\1ok     /'
    noticed 's/ SYN_SENT$/ ESTABLISHED/'
    noticed 's/^1400$/1500/'
    noticed '/^hello from the outside$/d'
}

@test "what each section shows mends its fault" {
    same "$(sed -n 's/^## \([0-9]\)/mended: \1/p' "$document")" "$(cat "$LAB_DIR/mended")"
}

@test "each check of the catalogue that the document names exists" {
    local id
    # shellcheck disable=SC2016 # Markdown's
    while IFS= read -r id; do
        grep -qx -- "$id" "$LAB_TOP/docs/man/vnat-checks.7.rst" || {
            echo "no check: $id"
            return 1
        }
    done < <(sed -nE 's/^\| (`[a-z-]+`[^|]*)\|.*/\1/p' "$document" | grep -oE '`[a-z]+(-[a-z]+)+`' | tr -d '`')
}

@test "each link to a section leads to one" {
    local anchors anchor
    anchors=$(sed -n 's/^##* //p' "$document" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 -]//g; s/ /-/g')
    while IFS= read -r anchor; do
        grep -qxF -- "$anchor" <<<"$anchors" || {
            echo "no section: $anchor"
            return 1
        }
    done < <(grep -oE '\]\(#[^)]*' "$document" | cut -c 4-)
}
