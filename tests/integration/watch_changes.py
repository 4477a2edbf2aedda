# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lab's host, and changes of it at random, each one real: by libvirt, by the kernel, by dnsmasq.

Networks default, lab and third; guests P1 to P5, paused, with one or two interfaces; T1 and T2, whose taps have the same
name, so only one of them runs; LINUX, which runs, so that interfaces can be unplugged. A namespace `client` with a port
on each bridge asks for leases in the name of any MAC.

A change is a function that takes its World and the rows that the oracle saw last, does it, and returns in words what it
did; None if there is nothing that it could do. When it returns, the world has changed (Awaited where a daemon does it).
"""

import ctypes
import ipaddress
import json
import os
import socket
import struct
import time

from watch_lab import STATUS, TOP, batch, lab, run, wait_for

NETWORKS = {"default": ("virbr0", 122), "lab": ("virbr1", 123), "third": ("virbr2", 124)}
CLONE_NEWNET = 0x40000000
DISCOVER_OPTIONS = b"\x37\x03\x01\x03\x06"


class Dhcp:
    """A DHCP client in the namespace `client`, as many guests as there are MACs: it asks for an address as one does that
    had it before (INIT-REBOOT), which takes dnsmasq no ping, renews and releases."""

    def __init__(self, port):
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net", "rb") as own, open("/run/netns/client", "rb") as other:
            if libc.setns(other.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, port.encode())
                self.socket.bind(("", 68))
            finally:
                libc.setns(own.fileno(), CLONE_NEWNET)
        self.number = 0

    def send(self, kind, mac, options, address="0.0.0.0"):
        self.number += 1
        packet = struct.pack("!BBBBIHH4s4s4s4s16s192x", 1, 1, 6, 0, self.number, 0, 0x8000, socket.inet_aton(address),
                             bytes(4), bytes(4), bytes(4), bytes.fromhex(mac.replace(":", "")))
        packet += b"\x63\x82\x53\x63\x35\x01" + bytes([kind]) + options + b"\xff"
        self.socket.sendto(packet.ljust(300, b"\0"), ("255.255.255.255", 67))

    def acknowledged(self):
        """Whether the last message is acknowledged within a second."""
        self.socket.settimeout(1)
        try:
            while True:
                data = self.socket.recv(2048)
                if struct.unpack_from("!I", data, 4)[0] == self.number and b"\x35\x01" in data[236:]:
                    return data[data.index(b"\x35\x01", 236) + 2] == 5
        except TimeoutError:
            return False

    def request(self, mac, address, hostname):
        """Awaits the acknowledgement, asking again where none comes: a bridge that was just made is deaf at first."""
        name = hostname.encode()
        options = b"\x32\x04" + socket.inet_aton(address) + bytes([12, len(name)]) + name + DISCOVER_OPTIONS

        def once():
            self.send(3, mac, options)
            return self.acknowledged()

        wait_for(f"an acknowledgement of {address} for {mac}", 10, once)

    def release(self, mac, address, server):
        self.send(7, mac, b"\x36\x04" + socket.inet_aton(server), address)


class World:
    """The lab's host, and what of it only who made it knows."""

    def __init__(self, random):
        self.random = random
        self.count = 0
        self.strays = []
        self.neighbours = []
        self.rows = []
        for name, (bridge, number) in NETWORKS.items():
            lab(f"lab_network {name} {bridge} {number}")
        self.clients()
        self.guests = {f"P{i}": self.define(f"P{i}", i, 1 + i % 2) for i in range(1, 6)}
        self.guests |= {name: self.define(name, 16 + i, 1, "twin0") for i, name in enumerate(("T1", "T2"))}
        lab("lab_guest_linux LINUX default 52:54:00:00:00:40")
        for name in ("P1", "P2", "T1"):
            run("virsh", "-q", "start", "--paused", name)
        self.dhcp = {name: Dhcp(f"eth{number}") for name, (_, number) in NETWORKS.items()}
        wait_for("the Linux guest", 60, lambda: self.said("guest is up"))

    def clients(self):
        run("ip", "netns", "add", "client")
        for bridge, number in NETWORKS.values():
            batch(f"link add client{number} type veth peer name eth{number} netns client",
                  f"link set client{number} master {bridge} up")
            run("ip", "-n", "client", "link", "set", f"eth{number}", "up")

    def define(self, name, number, nics, tap=None):
        macs = [f"52:54:00:00:{nic:02x}:{number:02x}" for nic in range(nics)]
        xml = [run("bash", "-c", f". {TOP}/tests/lab/lib.sh; LAB_INTERFACE_MORE=\"$2\" lab_interface_xml default $1", "-", mac,
                   "<rom enabled='no'/>" + (f"<target dev='{tap}'/>" if tap else "")) for mac in macs]
        path = os.path.join(os.environ["LAB_DIR"], name + ".xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(run("bash", "-c", f". {TOP}/tests/lab/lib.sh; lab_domain_xml \"$@\"", "-", name, "8", "", *xml))
        run("virsh", "-q", "define", path)
        return macs

    def said(self, words):
        with open(os.path.join(os.environ["LAB_DIR"], "LINUX.serial"), encoding="utf-8", errors="replace") as file:
            return words in file.read()

    # ------------------------------------------------------------------------------------------- what there is

    def running(self):
        return run("virsh", "-q", "list", "--name").split()

    def active(self, active=True):
        return run("virsh", "-q", "net-list", "--name", *([] if active else ["--inactive"])).split()

    def choice(self, items):
        items = list(items)
        return self.random.choice(items) if items else None

    def tap(self, of_domain=True):
        """A row with a link, of a domain if asked for."""
        return self.choice(row for row in self.rows if row["ifindex"] and (row["domain"] or not of_domain) and
                           not (row["tap"] or "").startswith("client"))

    def number(self):
        self.count += 1
        return self.count

    def leases(self, network):
        with open(f"{STATUS}/{NETWORKS[network][0]}.status", encoding="utf-8") as file:
            return json.loads(file.read() or "[]")

    def inode(self, network):
        return os.stat(f"{STATUS}/{NETWORKS[network][0]}.status").st_ino

    # ------------------------------------------------------------------------------------------------- changes

    def start(self):
        names = set(self.guests) - set(self.running())
        if not names.issuperset(("T1", "T2")) or os.path.exists("/sys/class/net/twin0"):
            names -= {"T1", "T2"}
        name = self.choice(sorted(names))
        # A guest starts only where all of its networks run.
        if not name or len(self.active()) < len(NETWORKS):
            return None
        run("virsh", "-q", "start", "--paused", name)
        return f"start {name}"

    def destroy(self):
        name = self.choice(sorted(set(self.guests) & set(self.running())))
        if not name:
            return None
        run("virsh", "-q", "destroy", name)
        return f"destroy {name}"

    def twins(self):
        """One guest ends, and in the same moment another one begins whose tap has the same name."""
        names = {"T1", "T2"} & set(self.running())
        if len(names) != 1 or len(self.active()) < len(NETWORKS):
            return None
        old, = names
        new, = {"T1", "T2"} - names
        wait = "" if self.named("twin0", old) else "ip link del twin0; "
        run("bash", "-c", f"virsh -q destroy {old}; {wait} virsh -q start --paused {new}")
        return f"twin0 of {old} is {new}'s"

    def named(self, tap, domain):
        return any(row["tap"] == tap and row["domain"] == domain and row["ifindex"] and
                   row["host_mac"][3:] == row["mac"][3:] for row in self.rows)

    def plug(self):
        name = self.choice(sorted((set(self.guests) | {"LINUX"}) & set(self.running())))
        network = self.choice(self.active())
        if not name or not network or sum(row["domain"] == name for row in self.rows) > 5:
            return None
        mac = f"52:54:00:01:{self.number() // 256:02x}:{self.count % 256:02x}"
        run("virsh", "-q", "attach-interface", name, "network", network, "--mac", mac, "--model", "virtio", "--live")
        return f"plug {mac} into {name} on {network}"

    def unplug(self):
        row = self.choice(row for row in self.rows if row["domain"] == "LINUX" and row["mac"].startswith("52:54:00:01"))
        if not row or "LINUX" not in run("virsh", "-q", "list", "--name", "--state-running").split():
            return None
        run("virsh", "-q", "detach-interface", "LINUX", row["type"], "--mac", row["mac"], "--live")
        wait_for("the guest to let go", 20, lambda: row["mac"] not in run("virsh", "dumpxml", "LINUX"))
        return f"unplug {row['mac']} from LINUX"

    def connect(self):
        # A tap that was moved behind its back libvirt fails to put elsewhere.
        row = self.choice(row for row in self.rows if row["domain"] and row["type"] == "network" and row["ifindex"] and
                          row["bridge"] in (None, row["network_bridge"]))
        network = self.choice(set_less(self.active(), row["network"])) if row else None
        if not network:
            return None
        if self.random.random() < 0.5:
            run("vnat", "connect", "--live", row["domain"], network, "--interface", row["mac"])
            return f"vnat connect {row['domain']} {row['mac']} to {network}"
        xml = run("virsh", "dumpxml", row["domain"])
        nic = next(part for part in xml.split("<interface ")[1:] if row["mac"] in part).partition("</interface>")[0]
        path = os.path.join(os.environ["LAB_DIR"], "nic.xml")
        with open(path, "w", encoding="utf-8") as file:
            head, _, rest = nic.partition("<source ")
            file.write(f"<interface {head}<source network='{network}'/>{rest.partition('/>')[2]}</interface>")
        run("virsh", "-q", "update-device", row["domain"], path, "--live")
        return f"update-device {row['domain']} {row['mac']} to {network}"

    def rename(self):
        row = self.tap(of_domain=False)
        if not row:
            return None
        new = f"ren{self.number()}"
        lost = [other["tap"] for other in self.rows if other["domain"] and other["tap"] and not other["ifindex"]]
        # Under the name that a guest's XML still has, it is that guest's tap again, if it is its own.
        mine = [other["tap"] for other in self.rows if other["domain"] and not other["ifindex"] and
                other["mac"][3:] == row["host_mac"][3:]]
        if not row["domain"] and mine and mine[0] in lost:
            new = mine[0]
        batch(f"link set {row['tap']} down", f"link set {row['tap']} name {new}", f"link set {new} up")
        self.strays = [new if stray == row["tap"] else stray for stray in self.strays]
        return f"rename {row['tap']} to {new}"

    def recreate(self):
        row = self.tap()
        if not row or not row["bridge"]:
            return None
        mac = f"02:00:00:00:{self.number() // 256:02x}:{self.count % 256:02x}"
        if self.random.random() < 0.5:
            make = [f"tuntap add mode tap name {row['tap']}", f"link set {row['tap']} address {mac}"]
        else:
            # With the index of the one before: by that alone nobody can tell them apart.
            make = [f"link add name {row['tap']} index {row['ifindex']} address {mac} type veth peer name peer{self.count}"]
        batch(f"link del {row['tap']}", *make, f"link set {row['tap']} master {row['bridge']} up")
        return f"recreate {row['tap']}: {make[0]}"

    def move(self):
        row = self.tap(of_domain=False)
        bridges = [NETWORKS[name][0] for name in self.active()]
        where = self.choice(set_less([*bridges, None], row["bridge"])) if row else None
        if not row or where == row["bridge"]:
            return None
        batch(f"link set {row['tap']} " + (f"master {where}" if where else "nomaster"))
        return f"move {row['tap']} from {row['bridge']} to {where}"

    def down_or_up(self):
        row = self.tap()
        if not row:
            return None
        with open(f"/sys/class/net/{row['tap']}/flags", encoding="ascii") as file:
            state = "down" if int(file.read(), 16) & 1 else "up"
        batch(f"link set {row['tap']} {state}")
        return f"{row['tap']} {state}"

    def forget(self):
        """What the other changes left over, so that the host does not fill up."""
        row = self.choice(row for row in self.rows if not row["domain"] and not row["tap"].startswith("client"))
        if not row:
            return None
        batch(f"link del {row['tap']}")
        return f"delete {row['tap']}"

    def stray(self):
        name = f"stray{self.number()}"
        network = self.choice(self.active())
        if not network:
            return None
        batch(f"link add {name} type veth peer name peer{self.count}", f"link set {name} master {NETWORKS[network][0]} up")
        return f"{name} on {network}"

    def lease(self):
        network = self.choice(self.active())
        if not network:
            return None
        leases = self.leases(network)
        taken = {entry["ip-address"] for entry in leases}
        # Who has one gets no other; and the Linux guest asks for itself.
        having = {entry["mac-address"] for entry in leases} | {"52:54:00:00:00:40"}
        macs = {row["mac"] for row in self.rows if row["network"] == network and row["domain"]} | {"52:54:00:02:00:01"}
        mac = self.choice(sorted(macs - having))
        if not mac:
            return None
        subnet = f"192.168.{NETWORKS[network][1]}"
        address = next(a for a in (f"{subnet}.{self.random.randrange(2, 254)}" for _ in range(2000)) if a not in taken)
        self.dhcp[network].request(mac, address, f"host{self.number()}")
        wait_for("the lease", 10, lambda: any(e["ip-address"] == address for e in self.leases(network)))
        return f"lease {address} to {mac}"

    def leased(self):
        return self.choice((network, entry) for network in sorted(self.active()) for entry in self.leases(network)
                           if not entry["mac-address"].startswith("52:54:00:00:00:40"))

    def renew(self):
        found = self.leased()
        if not found:
            return None
        network, entry = found
        before = self.inode(network)
        name = f"host{self.number()}" if self.random.random() < 0.3 else entry.get("hostname", "x")
        self.dhcp[network].request(entry["mac-address"], entry["ip-address"], name)
        wait_for("the file to be replaced", 10, lambda: self.inode(network) != before)
        return f"renew {entry['ip-address']} as {name}"

    def release(self):
        found = self.leased()
        if not found:
            return None
        network, entry = found
        address = entry["ip-address"]
        server = f"192.168.{NETWORKS[network][1]}.1"
        # Nobody acknowledges it, and a port that was plugged in a moment ago may lose it.
        for _ in range(20):
            self.dhcp[network].release(entry["mac-address"], address, server)
            if gone(lambda: all(e["ip-address"] != address for e in self.leases(network))):
                break
        else:
            raise RuntimeError(f"{address} is not released")
        return f"release {address}"

    def net_stop(self):
        name = self.choice(self.active())
        if not name or len(self.active()) < len(NETWORKS):
            return None
        run("virsh", "-q", "net-destroy", name)
        return f"net-destroy {name}"

    def net_start(self):
        name = self.choice(self.active(False))
        if not name:
            return None
        bridge, number = NETWORKS[name]
        run("virsh", "-q", "net-start", name)
        batch(f"link set client{number} master {bridge}")
        return f"net-start {name}"

    def pause(self):
        state = run("virsh", "domstate", "LINUX").strip()
        verb = "resume" if state == "paused" else "suspend"
        run("virsh", "-q", verb, "LINUX")
        return f"{verb} LINUX"

    def set_link(self):
        # libvirt updates no interface whose network is stopped.
        active = [*self.active(), None]
        row = self.choice(row for row in self.rows if row["domain"] and row["mac"] and row["network"] in active)
        if not row:
            return None
        state = "up" if row["link"] == "down" else "down"
        run("virsh", "-q", "domif-setlink", row["domain"], row["mac"], state)
        return f"link of {row['domain']} {row['mac']} {state}"

    def neighbour(self):
        network = self.choice(self.active())
        row = self.choice(row for row in self.rows if row["domain"] and row["network"] == network)
        if not row:
            return None
        bridge, number = NETWORKS[network]
        if self.random.random() < 0.4:
            entry = self.choice(sorted(e["dst"] for e in json.loads(run("ip", "-j", "neigh", "show", "dev", bridge))))
            if entry:
                batch(f"neigh del {entry} dev {bridge}")
                return f"forget neighbour {entry}"
        address = f"192.168.{number}.{self.random.randrange(2, 254)}"
        batch(f"neigh replace {address} lladdr {row['mac']} dev {bridge} nud stale")
        return f"neighbour {address} {row['mac']}"

    WEIGHTS = {start: 10, destroy: 6, twins: 5, plug: 6, unplug: 5, connect: 7, rename: 6, recreate: 7, move: 7, down_or_up: 6,
               forget: 7, stray: 3, lease: 10, renew: 7, release: 5, net_stop: 2, net_start: 6, pause: 3, set_link: 4,
               neighbour: 6}

    def change(self):
        """Does one; its kind, and in words which."""
        while True:
            kind, = self.random.choices(list(self.WEIGHTS), self.WEIGHTS.values())
            words = kind(self)
            if words:
                return kind.__name__, words


def gone(condition):
    """Whether it comes true within two seconds."""
    deadline = time.monotonic() + 2
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def set_less(items, item):
    return [other for other in items if other != item]
