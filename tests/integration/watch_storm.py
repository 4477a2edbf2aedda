# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small host in a lab, and a storm on it: changes without end, at a rate, of things that are there again and again, so
that nothing grows. Networks default and lab, guests S1 to S3 (paused, one interface each), strays: ports of the bridges
that no guest claims."""

import json
import os
import subprocess
import threading
import time

from watch_lab import STATUS, batch, lab, run

BRIDGES = ("virbr0", "virbr1")
STRAYS = 6


def small_host(guests=3):
    """Makes it, where it is not there yet."""
    if "default" not in run("virsh", "-q", "net-list", "--name").split():
        lab("lab_network default; lab_network lab virbr1 123")
    names = run("virsh", "-q", "list", "--all", "--name").split()
    for number in range(1, guests + 1):
        if f"S{number}" not in names:
            lab(f"lab_guest_paused S{number} default 52:54:00:00:00:0{number}")
    for number in range(STRAYS):
        if not os.path.exists(f"/sys/class/net/stray{number}"):
            batch(f"link add stray{number} type veth peer name peer{number}", f"link set peer{number} up",
                  f"link set stray{number} master {BRIDGES[number % 2]} up")
    write_leases("virbr0", some_leases())


def some_leases(expiry=0):
    """A lease of each guest. Those of a storm end at different times, so that each is a renewal."""
    expiry = expiry or int(time.time()) + 3600
    return [{"ip-address": f"192.168.122.{number}", "mac-address": f"52:54:00:00:00:0{number}", "hostname": f"s{number}",
             "client-id": f"01:52:54:00:00:00:0{number}", "expiry-time": expiry} for number in range(2, 4)]


def write_leases(bridge, leases):
    """As libvirt's helper does: a new file takes the place of the old one."""
    path = f"{STATUS}/{bridge}.status"
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(leases, file, indent=2)
        file.write("\n")
    os.rename(path + ".new", path)


class Storm:
    """with Storm(rate): so many changes a second, until its end."""

    def __init__(self, rate, libvirt_every=0.0):
        self.rate = rate
        self.libvirt_every = libvirt_every
        self.count = 0
        self.fault = None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.ip = subprocess.Popen(["ip", "-force", "-batch", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.bridge = subprocess.Popen(["bridge", "-force", "-batch", "-"], stdin=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        """When it returns, all of it has happened."""
        self.ending.set()
        self.thread.join()
        for child in (self.ip, self.bridge):
            child.stdin.close()
            child.wait()
        if self.fault:
            raise self.fault

    def tell(self, child, words):
        child.stdin.write(words + "\n")
        child.stdin.flush()

    def run(self):
        begun = last = time.monotonic()
        try:
            while not self.ending.is_set():
                self.event(self.count)
                self.count += 1
                if self.libvirt_every and time.monotonic() - last >= self.libvirt_every:
                    last = time.monotonic()
                    self.libvirt()
                self.ending.wait(max(0.0, begun + self.count / self.rate - time.monotonic()))
        except Exception as error:  # pylint: disable=broad-except
            self.fault = error

    def event(self, number):
        """One after the other; what the last ones of a turn do the first ones of the next undo."""
        # All but the first, which is there for who wants to see a change of his own.
        stray = f"stray{1 + number // 10 % (STRAYS - 1)}"
        kind = number % 10
        if kind == 0:
            self.tell(self.ip, f"link set {stray} down")
        elif kind == 1:
            self.tell(self.ip, f"link set {stray} up")
        elif kind == 2:
            self.tell(self.ip, f"link set {stray} nomaster")
        elif kind == 3:
            self.tell(self.ip, f"link set {stray} master {BRIDGES[number // 10 % 2]}")
        elif kind == 4:
            self.tell(self.ip, "neigh replace 192.168.122.77 lladdr 52:54:00:00:00:01 dev virbr0 nud stale")
        elif kind == 5:
            self.tell(self.ip, "neigh del 192.168.122.77 dev virbr0")
        elif kind == 6:
            self.tell(self.bridge, "fdb replace 52:54:00:00:00:01 dev stray0 master static")
        elif kind == 7:
            self.tell(self.bridge, "fdb del 52:54:00:00:00:01 dev stray0 master")
        elif kind == 8:
            write_leases("virbr0", some_leases(int(time.time()) + 3600 + number % 1000))
        else:
            write_leases("virbr0", some_leases()[: number // 10 % 3])

    def libvirt(self):
        """A guest comes and goes. libvirtd may be away."""
        state = subprocess.run(["virsh", "-q", "domstate", "S3"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        words = ["start", "--paused", "S3"] if b"shut off" in state.stdout else ["destroy", "S3"]
        subprocess.run(["virsh", "-q", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
