# SPDX-License-Identifier: Apache-2.0
"""What more checks and more series cost, and that hung checks cost nobody else anything."""

import json
import socket
import subprocess
import time

from lab.runbook import Exporter

from .measuring import BUILD, MB, Scraper, alternate, cpu, rss

ROUNDS = 15
CHECKS, HUNG = 1000, 200
TIMEOUT = 5  # seconds that Prometheus gives a scrape


def many_series(postgres, count, **options):
    """A check that gives so many series of one label, new values at each run."""
    query = f"SELECT 'value-' || i AS name, random() * 1000 AS value FROM generate_series(1, {count}) AS i"
    return {"name": "many", "max_series": count, "timeout": "1m", **options, "postgres": {
        "dsn": postgres.dsn(user="runbook_exporter"), "query": query,
        "metrics": [{"name": "bench_value", "type": "gauge", "help": "A value.", "value": "value", "labels": ["name"]}]}}


class Healthy:
    """A server that calls itself healthy, as fast as can be."""

    def __init__(self, directory):
        answer = directory / "healthy.json"
        answer.write_text('{"status": "healthy"}', encoding="ascii")
        self.process = subprocess.Popen([BUILD / "tests/bench/bare_mhd", answer, "0"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/health"

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def start(directory, checks):
    directory.mkdir()
    config = directory / "checks.yml"
    config.write_text(json.dumps({"checks": checks}), encoding="ascii")
    return Exporter(BUILD / "runbook_exporter", config, directory / "exporter").start()


def seconds_of(exporters, scrapes):
    """CPU seconds of a scrape of each exporter: {size: the least of the rounds}, for what else is done on the machine
    only adds to it, and differences of medians would be noise."""
    scrapers = {size: Scraper(exporter.port, headers={}) for size, exporter in exporters.items()}

    def measure(size):
        before = cpu(exporters[size].process.pid)
        for _ in range(scrapes[size]):
            scrapers[size]()
        return (cpu(exporters[size].process.pid) - before) / scrapes[size]

    for scraper in scrapers.values():
        scraper()
    results = alternate(ROUNDS, **{str(size): lambda size=size: measure(size) for size in exporters})
    for scraper in scrapers.values():
        scraper.close()
    return {size: min(results[str(size)]) for size in exporters}


def add_growth(table, what, seconds, digits, target):
    """What one more costs between the two largest sizes, against between the two smallest: the fixed cost is in neither."""
    sizes = sorted(seconds)
    each = [(seconds[more] - seconds[less]) / (more - less) * 1e6 for less, more in zip(sizes, sizes[1:])]
    table.add(f"CPU time of a scrape for one more {what}, {sizes[0]:,} to {sizes[-1]:,}", f"{each[-1]:.{digits}f} µs",
              f"{each[0]:.{digits}f} µs from {sizes[0]:,} to {sizes[1]:,}", each[-1] / each[0], target, False,
              scrape_us={str(size): round(seconds[size] * 1e6, 1) for size in sizes})


def grow_checks(table, directory, healthy):
    exporters = {}
    try:
        for size in (10, 100, 1000):
            exporters[size] = start(directory / f"checks-{size}", [
                {"name": f"web{n}", "http": {"url": healthy.url, "json": {"status": "healthy"}}} for n in range(size)])
        add_growth(table, "check", seconds_of(exporters, {10: 50, 100: 10, 1000: 3}), 0, 1.2)
    finally:
        for exporter in exporters.values():
            exporter.stop()


def grow_series(table, directory, postgres):
    exporters = {}
    try:
        for size in (100, 1000, 10_000, 100_000):
            exporters[size] = start(directory / f"series-{size}", [many_series(postgres, size)])
        # From PostgreSQL's answer to the page. What 100,000 of them take is in no cache; to write them is (encoding).
        add_growth(table, "series", seconds_of(exporters, {100: 100, 1000: 50, 10_000: 8, 100_000: 1}), 2, 2)
    finally:
        for exporter in exporters.values():
            exporter.stop()


def hang(table, directory, healthy):
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(HUNG)  # takes connections and never says a word
        nowhere = f"http://127.0.0.1:{hole.getsockname()[1]}/"
        exporter = start(directory / "hung", [
            {"name": f"web{n}", "timeout": "1h", "http": {"url": nowhere if n % (CHECKS // HUNG) == 0 else healthy.url}}
            for n in range(CHECKS)])
        scrape = Scraper(exporter.port, headers={"X-Prometheus-Scrape-Timeout-Seconds": str(TIMEOUT)})
        try:
            begun = time.time()
            page = scrape().decode()
            took = time.time() - begun
            last = {line.split('"')[1]: float(line.split()[-1]) for line in page.splitlines()
                    if line.startswith("runbook_check_last_run_timestamp_seconds{")}
            fresh = sum(value >= begun - 0.001 for value in last.values())
            first = rss(exporter.process.pid)
            second = time.time()
            for _ in range(10):
                page = scrape()
            second = (time.time() - second) / 10
            size = rss(exporter.process.pid)
        finally:
            scrape.close()
            exporter.stop()
    table.add(f"{CHECKS:,} checks, {HUNG} of them hung: the page comes in", f"{took:.2f} s", f"Prometheus' deadline {TIMEOUT} s",
              took, TIMEOUT, False, "s", later_pages_s=round(second, 3))
    table.add("  fresh checks on it", str(fresh), f"of {CHECKS - HUNG}", fresh, CHECKS - HUNG, True, "")
    table.add("  RSS after it and ten more", f"{size / MB:.1f} MB", f"after the first {first / MB:.1f} MB", max(size, first) / MB,
              40, False, "MB")


def run(table, bench):
    directory = bench.directory / "growth"
    directory.mkdir()
    healthy = Healthy(directory)
    try:
        hang(table, directory, healthy)
        grow_checks(table, directory, healthy)
    finally:
        healthy.stop()
    grow_series(table, directory, bench.installation().postgres)
