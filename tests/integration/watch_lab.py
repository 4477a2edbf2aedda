# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of `vnat watch` share, inside a lab: a consumer that keeps the map by its lines, and the waiting.

The consumer does what vnat(1) tells the reader of the lines, and complains where a line does not fit what it has: a row
that is added twice, an old value that it never saw, a number left out. Besides it looks, at every line, for what must
never be, not for a moment: a domain's row with a link that is another's (Map.wrong).
"""

import copy
import importlib.machinery
import importlib.util
import json
import os
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
STATUS = "/var/lib/libvirt/dnsmasq"


def script(name):
    """A script of this folder, as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(HERE, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


oracle = script("map-oracle")

# All limits are so many times what an idle machine keeps.
SLOW = float(os.environ.get("SOAK_SLOW") or 1)


def run(*words, **more):
    """Runs a program; what it printed. What it complains about is in the exception."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def lab(text):
    """Runs a script with the lab's functions; what it printed."""
    return run("bash", "-c", f". {TOP}/tests/lab/lib.sh; set -eu; {text}").strip()


def wait_for(what, seconds, condition, *words):
    """Awaits a condition; what it returned."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition(*words)
        if value:
            return value
        if time.monotonic() > deadline:
            raise RuntimeError(f"gave up after {seconds * SLOW} s: {what}")
        time.sleep(0.005)


def batch(*lines):
    """These commands of ip in one process: microseconds lie between them."""
    run("ip", "-batch", "-", input="\n".join(lines) + "\n")


def seeded():
    """A source of chance whose seed is told, so that what fails can be tried again."""
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"SOAK_SEED={seed}", flush=True)
    return random.Random(seed)


def part():
    """Every so manieth part of a long run is to be done: SOAK_PART, 1 for all of it."""
    return int(os.environ.get("SOAK_PART") or 1)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


# ------------------------------------------------------------------------------------------------------ the consumer


def row_key(row):
    """By what a row is known: in a domain UUID, MAC and alias; a port without one by its tap."""
    return (row["domain_uuid"], row["mac"], row["alias"]) if row["domain_uuid"] else (None, row["tap"], None)


def in_short(line):
    """A line without what nobody reads."""
    row = line.get("interface") or line.get("network") or line.get("finding") or {}
    words = [line.get("seq"), line.get("time"), line["type"]]
    words += [row.get(field) for field in ("domain", "mac", "tap", "ifindex", "bridge", "name", "active", "message")]
    words += [json.dumps(line[field]) for field in ("changes", "lease", "source", "error", "detail", "sources") if field in line]
    return " ".join(str(word) for word in words if word is not None)[:800]


class Map:
    """The map, as the lines tell it."""

    def __init__(self):
        self.seq = 0
        self.time = ""
        self.interfaces = {}
        self.networks = {}
        self.sources = {}
        self.notes = {}
        self.findings = {}
        self.types = {}
        self.guests = {}
        self.mismatches = []

    def apply(self, line):
        """Takes a line. Raises ValueError if it does not fit."""
        kind = line["type"]
        if line["schema"] != 1 or line["seq"] != self.seq + 1:
            raise ValueError(f"line {line['seq']} after {self.seq}")
        if line["time"] < self.time:
            raise ValueError(f"line {line['seq']} is of {line['time']}, earlier than {self.time}")
        self.seq, self.time = line["seq"], line["time"]
        self.types[kind] = self.types.get(kind, 0) + 1
        if (self.seq == 1) != (kind == "snapshot"):
            raise ValueError(f"line {self.seq} is of type {kind}")
        family, _, what = kind.partition(".")
        getattr(self, "apply_" + family)(line, what)

    def apply_snapshot(self, line, _what):
        self.interfaces = {row_key(row): row for row in line["interfaces"]}
        self.networks = {row["uuid"]: row for row in line["networks"]}
        self.sources = dict(line["sources"])
        self.notes = dict(line["notes"])
        if len(self.interfaces) != len(line["interfaces"]):
            raise ValueError("two rows have the same key")

    apply_resync = apply_snapshot

    def apply_interface(self, line, what):
        row = line["interface"]
        if what == "changed":
            before = {**row, **{field: pair[0] for field, pair in line["changes"].items()}}
            if self.interfaces.get(row_key(before)) != before:
                raise ValueError(f"changed from {before}, but it was {self.interfaces.get(row_key(before))}")
            if not line["changes"] or any(row[field] != pair[1] for field, pair in line["changes"].items()):
                raise ValueError("what changed is not what the row says")
            del self.interfaces[row_key(before)]
        if what == "removed":
            if self.interfaces.pop(row_key(row), None) != row:
                raise ValueError("what was removed is not what there was")
        elif row_key(row) in self.interfaces:
            raise ValueError(f"{row_key(row)} is there already")
        else:
            self.interfaces[row_key(row)] = row

    def apply_network(self, line, what):
        row = line["network"]
        if (what == "stopped" and row["active"]) or (what == "undefined" and row["persistent"]):
            self.networks.pop(row["uuid"], None)
        else:
            self.networks[row["uuid"]] = row

    def apply_lease(self, _line, _what):
        """Tells what rows tell too."""

    def apply_source(self, line, what):
        self.sources[line["source"]] = what
        self.notes[line["source"]] = line["error"]

    def apply_audit(self, line, _what):
        self.mismatches.append(f"{line['time']}: {line['source']}: {line['detail']}")

    def apply_check(self, line, what):
        finding = line["finding"]
        key = json.dumps([finding["id"], finding["object"], finding["message"]], sort_keys=True)
        if (what == "raised") == (key in self.findings):
            raise ValueError(f"finding {what} twice")
        if what == "raised":
            self.findings[key] = finding
        else:
            del self.findings[key]

    def rows(self):
        return list(self.interfaces.values())

    def wrong(self):
        """Rows that join a domain with a link that libvirt made for another: the last five bytes of a tap's MAC are those
        of the guest's. Links that others made have others."""
        for row in self.rows():
            if row["domain"] and row["mac"]:
                self.guests[row["mac"][3:]] = row["domain_uuid"], row["domain"]
        for row in self.rows():
            uuid, name = self.guests.get((row["host_mac"] or "")[3:], (None, None))
            if row["domain"] and uuid and uuid != row["domain_uuid"]:
                yield f"{row['domain']} {row['mac']} has {row['tap']} {row['host_mac']}, which is {name}'s"


class Watch:
    """`vnat watch --json`, running; its lines are applied as they come."""

    def __init__(self, *options, prefix=(), check=True):
        self.map = Map()
        self.lines = []
        self.base = copy.deepcopy(self.map)
        self.faults = []
        self.cut = b""
        self.changed = threading.Condition()
        self.stderr = open(os.path.join(os.environ["LAB_DIR"], f"watch.{time.monotonic_ns()}.err"), "w+", encoding="utf-8")
        self.child = subprocess.Popen([*prefix, "vnat", *options, "watch", "--json"], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=self.stderr)
        self.pid = self.child.pid
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        if check:
            self.wait("the snapshot", lambda map: map.seq > 0, 20)

    def read(self):
        for text in self.child.stdout:
            now = time.monotonic()
            if not text.endswith(b"\n"):
                # What a process was at when it was killed.
                self.cut = text
                break
            with self.changed:
                try:
                    line = json.loads(text)
                    self.map.apply(line)
                    self.faults += [f"line {line['seq']}: {wrong}" for wrong in self.map.wrong()]
                except (ValueError, KeyError) as error:
                    self.faults.append(f"{error!r} in {text.decode(errors='replace')[:2000]}")
                    line = {"type": "?"}
                self.lines.append((now, line))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def mark(self):
        """From here on lines are remembered; earlier ones are forgotten. Returns the moment."""
        with self.changed:
            self.base = copy.deepcopy(self.map)
            self.lines.clear()
            return time.monotonic()

    def wait(self, what, condition, seconds):
        """Awaits condition(map)."""
        deadline = time.monotonic() + seconds * SLOW
        with self.changed:
            while not condition(self.map):
                left = deadline - time.monotonic()
                if left <= 0 or not self.thread.is_alive():
                    raise RuntimeError(f"gave up after {seconds * SLOW} s: {what}\n{self.last()}\n{self.complaints()}")
                self.changed.wait(min(left, 0.2))

    def states(self, since):
        """The maps there were: (moment, rows), the first of the moment since."""
        self.verify()
        with self.changed:
            state, lines = copy.deepcopy(self.base), list(self.lines)
        states = [(since, state.rows())]
        for moment, line in lines:
            if line["type"] == "?":
                continue
            state.apply(line)
            if moment <= since:
                states = [(since, state.rows())]
            elif line["type"].partition(".")[0] in ("interface", "snapshot", "resync"):
                states.append((moment, state.rows()))
        return states

    def settled(self, since, limit=2.0):
        """Seconds from then to the moment from which on the map is what the oracle says; raises if it is not so limit
        seconds after."""
        while True:
            asked = time.monotonic()
            want = oracle.wanted()
            moment = None
            found = []
            for at, rows in self.states(since):
                found = oracle.differences(want, rows)
                found = list(found)
                moment = None if found else (at if moment is None else moment)
            if moment is not None:
                return moment - since
            if asked > since + limit * SLOW:
                raise RuntimeError("the map is wrong after %.1f s (%s):\n  %s\n%s" %
                                   (asked - since, self.map.sources, "\n  ".join(found), self.last()))
            with self.changed:
                self.changed.wait(0.02)

    def last(self, count=20):
        """The last lines, for people."""
        return "\n".join(f"  {moment:.3f} {in_short(line)}" for moment, line in self.lines[-count:])

    def complaints(self):
        self.stderr.flush()
        with open(self.stderr.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def verify(self):
        """Raises if any line did not fit, any row was wrong for a moment, or the program said anything else."""
        with self.changed:
            faults = list(self.faults)
        if faults:
            raise RuntimeError(f"{len(faults)} wrong lines:\n  " + "\n  ".join(faults[:8]))
        if self.child.poll() is not None:
            raise RuntimeError(f"it ended: {self.child.returncode}: {self.complaints()}")

    def end(self, signal=15, codes=(0, 143, 130)):
        """Ends it; its exit code, which must be one of these."""
        self.child.send_signal(signal)
        code = self.child.wait(10 * SLOW)
        self.thread.join(5 * SLOW)
        if code not in codes:
            raise RuntimeError(f"it ended with {code}: {self.complaints()}")
        if self.cut:
            raise RuntimeError(f"it ended within a line: {self.cut}")
        if self.complaints():
            raise RuntimeError(f"it said: {self.complaints()}")
        return code

    # -------------------------------------------------------------------------------------------- what it costs

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self, field="VmRSS"):
        """KiB."""
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))

    def cpu(self):
        """Seconds of the processor until now."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fresh():
    """What a new reading of the host says: the rows of vnat map, whole."""
    return json.loads(run("vnat", "map", "--json"))["interfaces"]


def same_as_fresh(watch, seconds=5):
    """Awaits that every field of the consumer's rows, problems included, is what vnat map says."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        want = {row_key(row): row for row in fresh()}
        with watch.changed:
            got = dict(watch.map.interfaces)
        if want == got:
            return
        if time.monotonic() > deadline:
            keys = [key for key in want.keys() | got.keys() if want.get(key) != got.get(key)]
            raise RuntimeError("\n".join(f"{key}:\n  map   {want.get(key)}\n  watch {got.get(key)}" for key in keys))
        time.sleep(0.05)

