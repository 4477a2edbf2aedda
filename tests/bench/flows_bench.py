# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `vnat flows` costs where the kernel's table is full of connections of guests."""

import os
import statistics
import sys

from measure import lab, peak_kib, run


def fill(count):
    """Connections of default's guests, each of which is known by a neighbour entry."""
    macs = lab("virsh -q list --name | grep . | while read -r d; do virsh -q domiflist $d; done | awk '$3 == \"default\" {print $5}'")
    macs = macs.split()
    path = os.path.join(os.environ["LAB_DIR"], "flows")
    with open(path + ".neighbours", "w", encoding="ascii") as file:
        for number, mac in enumerate(macs):
            file.write(f"neigh replace 192.168.122.{number + 10} lladdr {mac} dev virbr0 nud permanent\n")
    with open(path + ".entries", "w", encoding="ascii") as file:
        for number in range(count):
            guest, port = f"192.168.122.{number % len(macs) + 10}", 1024 + number
            file.write(f"-I -t 3000 -p tcp -s {guest} -d 203.0.113.1 --sport {port} --dport 80 --state ESTABLISHED "
                       f"-u SEEN_REPLY,ASSURED -q 203.0.113.2 -r 203.0.113.1 --reply-port-src 80 --reply-port-dst {port}\n")
    lab(f"ip -batch {path}.neighbours; conntrack -R {path}.entries >/dev/null 2>&1; [ $(conntrack -C) -ge {count} ]")
    rows = run(["vnat", "flows", "-q", "-n", "-o", "domain"])[1].split()
    if rows.count("-") or len(rows) < count:
        sys.exit(f"flows: {len(rows)} rows, {rows.count('-')} without a domain")


def measure(count):
    fill(count)
    for words in (["flows", "-q"], ["flows", "--json"]):
        walls = [run(["vnat", *words])[0] for _ in range(9)]
        peak = peak_kib(["vnat", *words]) / 1024
        met = "met" if statistics.median(walls) <= 500 else "NOT met"
        print(f"(l) vnat {' '.join(words)} of {count} connections: median {statistics.median(walls):.0f} ms, "
              f"min {min(walls):.0f} ms, peak {peak:.1f} MiB; target <= 500 ms: {met}", flush=True)
    listing = [run(["conntrack", "-L"])[0] for _ in range(9)]
    print(f"    conntrack -L of the same: median {statistics.median(listing):.0f} ms, min {min(listing):.0f} ms\n")
