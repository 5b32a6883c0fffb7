# SPDX-License-Identifier: Apache-2.0
"""What the whole checklist of DevOps MCP costs, against the exporters that others would set up for it."""

import gzip
import json
import statistics

from lab.runbook import Exporter

from .installation import Peers, checklist, http_targets
from .measuring import BUILD, MB, Scraper, alternate, cpu, pss, ratio, rss

SCRAPES = 5  # a round: the Engine takes a second to measure its containers
ROUNDS = 7


def text(body):
    return (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).decode()


def assert_all_succeed(scrape, peers):
    """What is compared must have done its work."""
    failed = [line for line in text(scrape()).splitlines()
              if line.startswith("runbook_check_success{") and not line.endswith(" 1")]
    assert not failed, failed
    for name, sign in (("postgres", "pg_up 1"), ("redis", "redis_up 1"), ("blackbox", "probe_success 1"),
                       ("node", "node_filesystem_avail_bytes")):
        for body in peers.scrape(name):
            assert any(line.startswith(sign) for line in text(body).splitlines()), (name, text(body))


def milliseconds(measure, clock):
    """CPU time of one scrape."""
    before = clock()
    for _ in range(SCRAPES):
        measure()
    return (clock() - before) / SCRAPES * 1e3


def compare(table, what, checks, installation, directory):
    peers = Peers(directory, installation, http_targets(checks)).start()
    config = directory / "checks.yml"
    config.write_text(json.dumps({"checks": checks}), encoding="utf-8")
    exporter = Exporter(BUILD / "runbook_exporter", config, directory / "exporter").start()
    scrape = Scraper(exporter.port)
    try:
        assert_all_succeed(scrape, peers)
        results = alternate(ROUNDS, ours=lambda: milliseconds(scrape, lambda: cpu(exporter.process.pid)),
                            **{name: lambda name=name: milliseconds(lambda: peers.scrape(name), lambda: peers.cpu(name))
                               for name in peers.NAMES})
        theirs = [sum(one) for one in zip(*(results[name] for name in peers.NAMES))]
        each = {name: round(statistics.median(results[name]), 2) for name in peers.NAMES}
        table.add(f"CPU time of a scrape, {what} ({len(checks)}), all due", f"{statistics.median(results['ours']):.2f} ms",
                  f"four exporters {statistics.median(theirs):.1f} ms", ratio(results["ours"], theirs), 0.1, False,
                  each_ms=each)
        for word, one, others in (("RSS", rss(exporter.process.pid), peers.rss()),
                                  ("PSS", pss(exporter.process.pid), peers.pss())):
            total = sum(others.values())
            table.add(f"  {word} after it", f"{one / MB:.1f} MB", f"four exporters {total / MB:.1f} MB", one / total, 0.25,
                      False, each_mb={name: round(size / MB, 1) for name, size in others.items()})
    finally:
        scrape.close()
        exporter.stop()
        peers.stop()


def run(table, bench):
    installation = bench.installation()
    checks = installation.checks()
    steps = [check for check in checks if "step" in check]
    services = checklist(checks)
    shared = [check for check in services if "docker" not in check]  # none of the four measures containers
    for what, some in (("the morning checklist", steps), ("with the services and PostgreSQL", services),
                       ("  the part of it that they do, too", shared), ("every check of the lab", checks)):
        compare(table, what, some, installation, bench.directory / f"checks-{len(some)}")
