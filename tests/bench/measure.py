# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the benchmarks of tests/bench run programs and tell what they saw."""

import os
import re
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def lab(script):
    """Runs a script with the lab's functions; returns what it printed."""
    return subprocess.run(["bash", "-c", f". {TOP}/tests/lab/lib.sh; set -eu; {script}"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def run(argv):
    """Runs a program; returns (wall ms, stdout, stderr)."""
    begun = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        out, err = child.communicate()
        wall = (time.monotonic() - begun) * 1e3
    if child.returncode:
        sys.exit(f"{argv}: exit {child.returncode}: {err}")
    return wall, out, err


def spend(argv):
    """Runs a program by itself; returns (wall ms, ms of the processor, peak resident KiB), those of what it started included."""
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execvp(argv[0], argv)
    _, status, usage = os.wait4(pid, 0)
    wall = (time.monotonic() - begun) * 1e3
    if status:
        sys.exit(f"{argv}: status {status}")
    return wall, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss


def peak_kib(argv):
    """Peak resident memory of one run, KiB."""
    return spend(argv)[2]


def interleave(first, second, runs):
    """Times two functions in turn; returns two lists of milliseconds. The first round warms up and is not counted."""
    times = ([], [])
    for i in range(runs + 1):
        for side, function in enumerate((first, second)):
            value = function()
            if i > 0:
                times[side].append(value)
    return times


def report(letter, title, names, times, target, verdict):
    """verdict: ratio -> whether the target is met; asked with the median of the ratios pair by pair."""
    print(f"({letter}) {title}")
    for name, values in zip(names, times):
        print(f"    {name:<44} median {statistics.median(values):9.1f} ms   min {min(values):9.1f} ms   runs {len(values)}")
    ratio = statistics.median(first / second for first, second in zip(*times))
    floor = min(times[0]) / min(times[1])
    met = "met" if verdict(ratio) else "NOT met"
    print(f"    ratio, median of pairs {ratio:.3f}, of minima {floor:.3f}; target {target}: {met}\n", flush=True)


def counted(program, *words):
    """Instructions of a whole run, as valgrind counts them: the same on every machine and under any load."""
    done = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", program, *words],
                          check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(re.search(r"I\s+refs:\s*([0-9,]+)", done.stderr).group(1).replace(",", ""))
