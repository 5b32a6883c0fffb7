# SPDX-License-Identifier: Apache-2.0
"""The daemons of this tree beside those of another one, such as the version before a change: `make bench BESIDE=DIR`.

Both have the same neighbours at the same time, each the checks that it ships, and their rounds alternate. What counts is CPU time, which
other work on the machine hardly moves. DIR is a tree in which `make build` has run.
"""

import json
import os
import pathlib
import statistics
import subprocess

from lab.runbook import Exporter, Responder

from .checklist import milliseconds
from .installation import checklist
from .measuring import BUILD, MB, Scraper, alternate, cpu, ratio, rss
from .webhooks import REMEDIATIONS, WEBHOOK, post

ROUNDS = 15
MOST = 1.03
UNCHANGED = 500  # scrapes of a page that is remembered, a round
RATE = 1000


class Beside:
    """One measure of both, as a row of the table."""

    def __init__(self, table, bench):
        self.table, self.directory = table, bench.directory / "beside"
        other = pathlib.Path(os.environ["BESIDE"])
        self.builds = {"ours": BUILD, "theirs": other / "build"}
        self.shipped = {"ours": bench.installation().checks(), "theirs": bench.installation().checks(other)}

    def add(self, what, results, unit, factor=1.0):
        ours, theirs = (statistics.median(results[name]) * factor for name in ("ours", "theirs"))
        self.table.add(what, f"{ours:.2f} {unit}", f"{theirs:.2f} {unit}", ratio(results["ours"], results["theirs"]), MOST,
                       False)

    def sizes(self, pids, what):
        self.add(f"  RSS after it, {what}", {name: [rss(pid)] for name, pid in pids.items()}, "MB", 1 / MB)

    def directory_of(self, *names):
        directory = self.directory.joinpath(*names)
        directory.mkdir(parents=True)
        return directory

    def scrapes(self, what, wanted, shipped=None):
        """CPU time of a scrape of those shipped checks that are `wanted`; `shipped`: of the same ones in both."""
        exporters, scrapers = {}, {}
        shipped = {name: shipped or self.shipped[name] for name in self.builds}
        try:
            for name, build in self.builds.items():
                directory = self.directory_of(what.replace(" ", "-"), name)
                (directory / "checks.yml").write_text(json.dumps({"checks": wanted(shipped[name])}), encoding="utf-8")
                exporters[name] = Exporter(build / "runbook_exporter", directory / "checks.yml", directory / "run").start()
                scrapers[name] = Scraper(exporters[name].port)
                scrapers[name]()
            pids = {name: exporter.process.pid for name, exporter in exporters.items()}
            results = alternate(ROUNDS, **{name: lambda name=name: milliseconds(scrapers[name], lambda: cpu(pids[name]))
                                           for name in pids})
            counts = "/".join(str(len(wanted(checks))) for checks in shipped.values())
            self.add(f"CPU time of a scrape, {what} ({counts})", results, "ms")
            self.sizes(pids, what)
        finally:
            for one in scrapers.values():
                one.close()
            for one in exporters.values():
                one.stop()

    def unchanged(self):
        exporters = {}
        try:
            for name, build in self.builds.items():
                directory = self.directory_of("unchanged", name)
                cached = [{**check, "cache": "1h"} for check in self.shipped[name]]
                (directory / "checks.yml").write_text(json.dumps({"checks": cached}), encoding="utf-8")
                exporters[name] = Exporter(build / "runbook_exporter", directory / "checks.yml", directory / "run").start()
            scrapers = {name: Scraper(exporter.port) for name, exporter in exporters.items()}

            def measure(name):
                before = cpu(exporters[name].process.pid)
                for _ in range(UNCHANGED):
                    scrapers[name]()
                return (cpu(exporters[name].process.pid) - before) / UNCHANGED

            results = alternate(ROUNDS, **{name: lambda name=name: measure(name) for name in exporters})
            self.add("CPU time of a scrape, nothing due", results, "µs", 1e6)
        finally:
            for one in exporters.values():
                one.stop()

    def webhooks(self):
        responders = {}
        body = self.directory / "webhook.json"
        body.write_text(json.dumps(WEBHOOK), encoding="ascii")
        try:
            for name, build in self.builds.items():
                directory = self.directory_of("webhooks", name)
                (directory / "remediations.yml").write_text(REMEDIATIONS, encoding="ascii")
                responders[name] = Responder(build / "runbook_responder", directory / "remediations.yml",
                                             directory / "run").start()

            def measure(name):
                responder = responders[name]
                before = cpu(responder.process.pid)
                sent = post(f"127.0.0.1:{responder.port}", "/api/v1/alerts", body, rate=RATE, token=responder.token("alerts"))
                return (cpu(responder.process.pid) - before) / sent["requests"]

            results = alternate(ROUNDS, **{name: lambda name=name: measure(name) for name in responders})
            self.add(f"CPU time of a durable webhook, at {RATE} a second", results, "µs", 1e6)
            self.sizes({name: one.process.pid for name, one in responders.items()}, "webhooks")
        finally:
            for one in responders.values():
                one.stop()

    def programs(self):
        for program in ("runbook_exporter", "runbook_responder"):
            sizes = {}
            for name, build in self.builds.items():
                text = subprocess.run(["size", build / program], check=True, stdout=subprocess.PIPE, text=True).stdout
                sizes[name] = [int(text.splitlines()[1].split()[0])]
            self.add(f"text of {program}", sizes, "kB", 1e-3)


def run(table, bench):
    beside = Beside(table, bench)
    beside.scrapes("the morning checklist", lambda checks: [check for check in checks if "step" in check])
    beside.scrapes("without containers", lambda checks: [check for check in checklist(checks) if "docker" not in check])
    beside.scrapes("every check of the lab", lambda checks: checks)
    beside.scrapes("the checks of theirs", lambda checks: checks, shipped=beside.shipped["theirs"])
    beside.unchanged()
    beside.webhooks()
    beside.programs()
