# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `vnat check` costs: beside the commands that an operator would run, and with how many interfaces it grows."""

import statistics

from measure import interleave, lab, peak_kib, report, run, spend

# What shows the same to who knows where to look: libvirt's word, one virsh a question, the rules, the sockets and their owners,
# the processes, and the kernel's tables.
BY_HAND = r"""
set -e
virsh net-list --all
virsh net-list --all --name | while read -r n; do if [ -n "$n" ]; then virsh net-info "$n"; fi; done
virsh list --name | while read -r d; do if [ -n "$d" ]; then virsh domiflist "$d"; fi; done
nft list ruleset
ss -lntup
ps -eo pid,args
ip address
ip route show table all
ip neighbour
bridge fdb
sysctl net.ipv4.ip_forward
"""

GROWN_GUESTS = 40
GROWN_EACH = 75  # interfaces a guest: 3,000 guests do not fit
GROWN_NETWORKS = 4  # a bridge has at most 1,024 ports
RUNS = 9


def beside(guests, networks):
    """(j) on a healthy host: run() ends everything when check finds something."""
    times = interleave(lambda: run(["vnat", "check"])[0], lambda: run(["bash", "-c", BY_HAND])[0], RUNS)
    report("j", f"check of {guests} paused guests on {networks} networks",
           ("vnat check", "the commands that show the same"), times, "at most a tenth (ratio <= 0.1)", lambda r: r <= 0.1)


def grow_guests():
    """Guests with many interfaces each, on networks of their own; returns how many interfaces that are."""
    lab(f"""
        for n in $(seq {GROWN_NETWORKS}); do vnat -q net-start grown$n --template nat -D bridge=grown$n --autostart; done
        for i in $(seq {GROWN_GUESTS}); do
            nic=$(LAB_INTERFACE_MORE="<rom enabled='no'/>" lab_interface_xml grown$((i % {GROWN_NETWORKS} + 1)))
            nics=$(for _ in $(seq {GROWN_EACH}); do echo "$nic"; done)
            lab_domain_xml grown$i 8 '' "$nics" >"$LAB_DIR/grown$i.xml"
        done
        seq {GROWN_GUESTS} | xargs -P 4 -I % virsh -q "define $LAB_DIR/grown%.xml; start --paused grown%"
    """)
    return GROWN_GUESTS * GROWN_EACH


def figures():
    """Median wall ms, median ms of the processor, peak KiB."""
    spend(["vnat", "check"])
    runs = [spend(["vnat", "check"]) for _ in range(RUNS)]
    return (statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs), peak_kib(["vnat", "check"]))


def growth(few):
    """(k), from that many interfaces; the programs that it runs (nft, iptables-save) are in the processor's time."""
    before = figures()
    more = grow_guests()
    after = figures()
    print("(k) vnat check, as interfaces of running guests grow; the host is healthy")
    for count, (wall, cpu, peak) in ((few, before), (few + more, after)):
        print(f"    {count:5} interfaces: median {wall:7.1f} ms, of the processor {cpu:7.1f} ms, peak {peak / 1024:5.1f} MiB")
    print(f"    for each further interface {(after[1] - before[1]) * 1e3 / more:.1f} us of the processor, "
          f"{(after[2] - before[2]) / more:.2f} KiB\n", flush=True)
