# SPDX-License-Identifier: Apache-2.0
"""What the rooms of the benchmark share: rounds, ratios, the table, and what a process costs.

CPU time is read from the kernel's own clock of the process (nanoseconds, all its threads, those that have ended too)
and not from a stopwatch: other work on the machine hardly moves it.
"""

import http.client
import os
import pathlib
import re
import statistics
import time

from lab.parts import ROOT, Process, listens

BUILD = ROOT / os.environ.get("RUNBOOK_BUILD", "build")
ROUNDS = 11
MB = 1_000_000
# What Prometheus sends with a scrape.
HEADERS = {"Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
           "Accept-Encoding": "gzip", "User-Agent": "Prometheus/2.42.0", "X-Prometheus-Scrape-Timeout-Seconds": "10"}


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


def pss(pid):
    """Resident memory with each shared page counted by its share: what the process adds to the machine."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) * 1024


def cpu(pid):
    """Seconds of CPU time of a process since it began, with its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    children = int(fields[13]) + int(fields[14])
    return time.clock_gettime(~pid << 3 | 2) + children / os.sysconf("SC_CLK_TCK")  # clock_getcpuclockid(3)


class Scraper:
    """Scrapes one address over one connection that is kept, as Prometheus does."""

    def __init__(self, port, path="/metrics", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.path = path
        self.headers = HEADERS if headers is None else headers

    def __call__(self):
        self.connection.request("GET", self.path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (self.path, answer.status, body)
        return body

    def close(self):
        self.connection.close()


def alternate(rounds=ROUNDS, **measures):
    """Each measure once a round, the order turned each round; the lists of their results."""
    results = {name: [] for name in measures}
    names = list(measures)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            results[name].append(measures[name]())
    return results


def ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer, value, target, at_least, unit="x", **details):
        met = value >= target if at_least else value <= target
        self.rows.append({"what": what, "ours": ours, "peer": peer, "value": round(value, 3), "unit": unit,
                          "target": target, "at_least": at_least, "met": met, **details})

    def print(self):
        missed = [row["what"] for row in self.rows if not row["met"]]
        print(f"MISSED: {'; '.join(missed)}" if missed else "All targets are met.")
        print(f"{'what':<58} {'ours':>16} {'peer':>30} {'value':>9} {'target':>9}")
        for row in self.rows:
            sign = "≥" if row["at_least"] else "≤"
            print(f"{row['what']:<58} {row['ours']:>16} {row['peer']:>30} {row['value']:>7} {row['unit']:<2}"
                  f"{sign + ' ' + str(row['target']):>8} {'' if row['met'] else ' MISSED'}")


def start(argv, log, port, env=None):
    process = Process(argv, log, env).start()
    process.up(lambda: listens(port), f"{argv[0]} to listen")
    return process
