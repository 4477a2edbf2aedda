# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `vnat watch` costs, and how late it is: the part of tests/bench/run that follows.

Late is measured against a bare listener in the same process: one that reads the same netlink socket and inotify watch and
does nothing with it. So what the kernel itself takes, and this process, counts for both.
"""

import ctypes
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time

from measure import counted

STATUS = "/var/lib/libvirt/dnsmasq"
SAMPLES = 200
# After an event a key is read again no sooner than 50 ms, and later where reading takes long.
AT_REST = 0.25
RTM_NEWLINK = 16
IFLA_IFNAME, IFLA_MASTER = 3, 10
SO_RCVBUFFORCE = 33
IN_MOVED_TO = 0x80


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def met(verdict):
    return "met" if verdict else "NOT met"


class Watch:
    """`vnat watch --json`, whose lines are read without a thread."""

    def __init__(self, *options):
        self.child = subprocess.Popen(["vnat", *options, "watch", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.fd = self.child.stdout.fileno()
        os.set_blocking(self.fd, False)
        self.rest = b""
        self.pid = self.child.pid

    def read(self):
        """The lines that are there."""
        try:
            data = os.read(self.fd, 1 << 20)
        except BlockingIOError:
            return []
        if not data:
            sys.exit(f"vnat watch ended: {self.child.wait()}")
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines

    def snapshot(self, seconds=60, least=0):
        """Awaits the line with the whole map. Of a slow program the first one may lack what could not be read in time: then
        another comes, and one with at least so many interfaces is awaited."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            select.select([self.fd], [], [], 1)
            for text in self.read():
                line = json.loads(text)
                if line["type"] in ("snapshot", "resync") and len(line["interfaces"]) >= least:
                    return line
        sys.exit("no snapshot, or never a whole one")

    def end(self):
        self.child.terminate()
        self.child.stdout.close()
        self.child.wait()

    def status(self, field):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            return int(re.search(rf"^{field}:\s*(\d+)", file.read(), re.M).group(1))


def switches(pid):
    """How often its threads went to sleep and were woken."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as file:
            total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))
    return total


class Listener:
    """The bare one: links by netlink, lease files by inotify."""

    def __init__(self):
        self.netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.netlink.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.netlink.bind((0, 1))  # RTMGRP_LINK
        self.netlink.setblocking(False)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.inotify = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.libc.inotify_add_watch(self.inotify, STATUS.encode(), IN_MOVED_TO)

    def ports(self):
        """Names in the messages that tell of a port of a bridge."""
        try:
            data = self.netlink.recv(1 << 16)
        except BlockingIOError:
            return []
        found = []
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            if kind == RTM_NEWLINK:
                attributes = dict(self.attributes(data[32:length]))
                if IFLA_MASTER in attributes:
                    found.append(attributes[IFLA_IFNAME].rstrip(b"\0"))
            data = data[(length + 3) & ~3:]
        return found

    @staticmethod
    def attributes(data):
        while len(data) >= 4:
            length, kind = struct.unpack_from("=HH", data)
            yield kind, data[4:length]
            data = data[(length + 3) & ~3:]

    def files(self):
        try:
            data = os.read(self.inotify, 65536)
        except BlockingIOError:
            return []
        found = []
        while data:
            length, = struct.unpack_from("=12xI", data)
            found.append(data[16:16 + length].rstrip(b"\0"))
            data = data[16 + length:]
        return found


class Race:
    """Events, and when either side knew of each."""

    def __init__(self, watch, listener):
        self.watch, self.listener = watch, listener
        self.poll = select.epoll()
        for fd in (watch.fd, listener.netlink.fileno(), listener.inotify):
            self.poll.register(fd, select.EPOLLIN)

    def rest(self):
        """Awaits that nobody says anything any more."""
        while self.poll.poll(AT_REST):
            self.listener.ports()
            self.listener.files()
            self.watch.read()

    def sample(self, act, event, line):
        """Milliseconds from the event to the line about it. event: of (ports, files); line: of a line; whether it is it."""
        self.rest()
        act()
        known = told = 0.0
        deadline = time.monotonic() + 5
        while not (known and told):
            ready = [fd for fd, _ in self.poll.poll(1)]
            now = time.monotonic()
            if now > deadline:
                sys.exit(f"an event was not told: known {bool(known)}, told {bool(told)}")
            if self.watch.fd in ready and any(line(text) for text in self.watch.read()):
                told = told or now
            ports = self.listener.ports() if self.listener.netlink.fileno() in ready else []
            files = self.listener.files() if self.listener.inotify in ready else []
            if event(ports, files):
                known = known or now
        return (told - known) * 1e3


class Ip:
    """One ip that is told what to do: to start it takes longer than what is measured."""

    def __init__(self):
        self.child = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True)

    def do(self, *lines):
        self.child.stdin.write("".join(line + "\n" for line in lines))
        self.child.stdin.flush()

    def end(self):
        self.child.stdin.close()
        self.child.wait()


def tap_latency(race, ip, bridge):
    times = []
    for number in range(SAMPLES + 1):
        name = b"race%d" % number
        times.append(race.sample(
            lambda name=name: ip.do(f"tuntap add mode tap name {name.decode()}", f"link set {name.decode()} master {bridge} up"),
            lambda ports, _, name=name: name in ports,
            lambda text, name=name: b'"interface.added"' in text and b'"' + name + b'"' in text))
        ip.do(f"link del {name.decode()}")
    return times[1:]


def lease_latency(race, bridge, mac, address):
    times = []
    path = f"{STATUS}/{bridge}.status"
    for number in range(SAMPLES + 1):
        expiry = int(time.time()) + 7200 + number
        with open(path + ".new", "w", encoding="ascii") as file:
            json.dump([{"ip-address": address, "mac-address": mac, "hostname": "race", "expiry-time": expiry}], file)
        times.append(race.sample(
            lambda: os.rename(path + ".new", path),
            lambda _, files: f"{bridge}.status".encode() in files,
            lambda text, expiry=expiry: b'"lease.' in text and str(expiry).encode() in text))
    os.unlink(path)
    return times[1:]


def latency(bridge, mac, address):
    """(f) on the host as it is."""
    watch = Watch()
    count = len(watch.snapshot()["interfaces"])
    listener, ip = Listener(), Ip()
    race = Race(watch, listener)
    print(f"(f) from the event to the flushed line of vnat watch --json, at rest, {count} interfaces, {SAMPLES} times each")
    target = 10 if count <= 1000 else 20
    for what, times in (("a tap on the bridge", tap_latency(race, ip, bridge)),
                        ("a lease file replaced", lease_latency(race, bridge, mac, address))):
        worst = percentile(times, .99)
        print(f"    {what:<24} p50 {percentile(times, .5):6.2f} ms   p99 {worst:6.2f} ms   max {max(times):6.2f} ms; "
              f"target p99 <= {target} ms: {met(worst <= target)}", flush=True)
    print()
    ip.end()
    watch.end()


def cost(program):
    """(g) of an event in the model, by its own program: at 100 and at 10,000 interfaces."""
    out = subprocess.run([program, "100", "10"], check=True, stdout=subprocess.PIPE, text=True).stdout
    kinds = [line.split()[0] for line in out.splitlines() if not line.startswith("fill ")]
    print("(g) instructions of the live map for an event, at 100 and at 10,000 interfaces")
    for kind in kinds:
        few, many = ((counted(program, size, "3000", kind) - counted(program, size, "1000", kind)) / 2000
                     for size in ("100", "10000"))
        print(f"    {kind:<24} {few:12.0f} {many:12.0f}   ratio {many / few:.3f}; target <= 1.5: {met(many / few <= 1.5)}",
              flush=True)
    print()


def memory(uri, domains):
    """(h) of a watcher of that many domains."""
    watch = Watch("--timeout", "600", "-c", uri)
    count = len(watch.snapshot(600)["interfaces"])
    if count != domains:
        sys.exit(f"{count} interfaces, not {domains}")
    rss, peak = watch.status("VmRSS") / 1024, watch.status("VmHWM") / 1024
    print(f"(h) resident memory of vnat watch at {count} interfaces: {rss:.1f} MiB, {peak:.1f} MiB at its highest; "
          f"target <= 64 MiB: {met(rss <= 64)}\n", flush=True)
    watch.end()


AUDIT_SECONDS = 30
AUDIT_TAKES = 2


def wakeups(seconds=60, slices=240):
    """(i) of a watcher while nothing happens. Audits come every 30 s and take up to two, for what differs is looked at twice:
    what falls into these is told apart. The keepalive is what a bare client of libvirt with the same intervals needs at the
    same time."""
    watch = Watch()
    watch.snapshot()
    bare = subprocess.Popen(["virsh", "-r", "-k", "5", "-K", "2", "event", "--all", "--loop"], stdout=subprocess.DEVNULL)
    # What stands out at first is told in the first seconds.
    time.sleep(5)
    watch.read()
    counts = []
    before, bare_before = switches(watch.pid), switches(bare.pid)
    last = before
    for _ in range(slices):
        time.sleep(seconds / slices)
        now = switches(watch.pid)
        counts.append(now - last)
        last = now
    raw, keepalive = last - before, switches(bare.pid) - bare_before
    period, takes = AUDIT_SECONDS * slices // seconds, AUDIT_TAKES * slices // seconds
    # Where in the period: there, where most happens.
    begins = max(range(period), key=lambda at: sum(count for i, count in enumerate(counts) if (i - at) % period < takes))
    audit = sum(count for i, count in enumerate(counts) if (i - begins) % period < takes)
    net = max(0, raw - keepalive - audit) * 60 / seconds
    print(f"(i) wake-ups of all threads in {seconds} s while nothing happens: {raw}, of which {audit} in the {AUDIT_TAKES} s after "
          f"an audit began; a bare client of libvirt {keepalive}; beyond both {net:.0f} a minute; target <= 4: {met(net <= 4)}\n",
          flush=True)
    bare.terminate()
    bare.wait()
    watch.end()


# ----------------------------------------------------------------------------------------- instructions of the process


class Counted(Watch):
    """vnat watch under callgrind, whose counter can be set to zero and read while it runs."""

    def __init__(self):
        self.out = os.path.join(os.environ["LAB_DIR"], f"callgrind.{time.monotonic_ns()}")
        self.child = subprocess.Popen(["valgrind", "--tool=callgrind", "--vgdb-error=99999999", f"--callgrind-out-file={self.out}",
                                       "vnat", "--timeout", "600", "watch", "--json"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.fd = self.child.stdout.fileno()
        os.set_blocking(self.fd, False)
        self.rest = b""
        self.pid = self.child.pid
        self.dumps = 0

    def control(self, word):
        subprocess.run(["callgrind_control", word, str(self.pid)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def instructions(self):
        """Since the counter was zero; sets it to zero."""
        self.control("-d")
        self.dumps += 1
        with open(f"{self.out}.{self.dumps}", encoding="ascii", errors="replace") as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M).group(1))

    def told(self, text, seconds=60):
        """Awaits a line with this text."""
        deadline = time.monotonic() + seconds
        while not any(text.encode() in line for line in self.read()):
            if time.monotonic() > deadline:
                sys.exit(f"not told: {text}")
            select.select([self.fd], [], [], 1)


def instructions_per_event(tap, bridge, mac, address, least, events=100):
    """Of the whole process, its libraries and all its threads: of a link whose address changes, of a lease that is renewed.
    One event at a time, each awaited. least: interfaces that there are."""
    watch = Counted()
    count = len(watch.snapshot(600, least)["interfaces"])
    ip = Ip()
    found = {}
    path = f"{STATUS}/{bridge}.status"
    begun = int(time.time()) + 7200

    def link(number):
        ip.do(f"link set {tap} address 02:00:00:00:00:{number:02x}")
        return f"02:00:00:00:00:{number:02x}"

    def lease(number):
        with open(path + ".new", "w", encoding="ascii") as file:
            json.dump([{"ip-address": address, "mac-address": mac, "hostname": "cost", "expiry-time": begun + number}], file)
        os.rename(path + ".new", path)
        return str(begun + number)

    for what, act in (("link", link), ("lease", lease)):
        watch.told(act(0))
        time.sleep(2)
        watch.read()
        watch.control("-z")
        for number in range(1, events + 1):
            watch.told(act(number))
        found[what] = watch.instructions() / events
    os.unlink(path)
    ip.end()
    watch.end()
    return count, found


def whole_process(few, many):
    """(g) of the whole program; each of these is what instructions_per_event returned."""
    print(f"    the whole process, at {few[0]} and at {many[0]} interfaces:")
    for what, value in few[1].items():
        ratio = many[1][what] / value
        print(f"    {what:<24} {value:12.0f} {many[1][what]:12.0f}   ratio {ratio:.3f}; target <= 1.5: {met(ratio <= 1.5)}")
    print(flush=True)
