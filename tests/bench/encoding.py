# SPDX-License-Identifier: Apache-2.0
"""What writing a page costs, and that a page which has not changed is neither written nor compressed again."""

import json
import statistics
import subprocess

from lab.runbook import Exporter

from .growth import many_series
from .measuring import BUILD, ROUNDS, Scraper, alternate, cpu, ratio

SERIES = 10_000
SCRAPES = 100


def figures():
    """{series: {figure: the median of three runs}} of encode.c."""
    runs = [json.loads(subprocess.run([BUILD / "tests/bench/encode"], check=True, stdout=subprocess.PIPE).stdout)
            for _ in range(3)]
    return {sizes[0]["series"]: {name: statistics.median(size[name] for size in sizes) for name in sizes[0]}
            for sizes in zip(*runs)}


def run(table, bench):
    found = figures()
    one = found[SERIES]
    table.add("encoding 10,000 one-label series as text, a series", f"{one['text_ns']:.0f} ns", f"a copy {one['copy_ns']:.1f} ns",
              one["text_ns"], 100, False, "ns", figures=list(found.values()))
    small, *_, large = (size["fill_ns"] + size["text_ns"] for size in found.values())
    table.add(f"  samples and text, a series, {min(found):,} to {max(found):,}", f"{large:.0f} ns", f"{small:.0f} ns at {min(found):,}",
              large / small, 2, False)  # what 100,000 take is in no cache
    directory = bench.directory / "encoding"
    directory.mkdir()
    config = directory / "checks.yml"
    config.write_text(json.dumps({"checks": [many_series(bench.installation().postgres, SERIES, cache="1d")]}),
                      encoding="ascii")
    exporter = Exporter(BUILD / "runbook_exporter", config, directory / "exporter").start()
    page = directory / "page.txt"
    scrapers = {"identity": Scraper(exporter.port, headers={}),
                "gzip": Scraper(exporter.port, headers={"Accept-Encoding": "gzip"})}
    page.write_bytes(scrapers["identity"]())
    bare = subprocess.Popen([BUILD / "tests/bench/bare_mhd", page, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    scrapers["bare"] = Scraper(int(bare.stdout.readline()), headers={})
    clocks = {"identity": exporter.process.pid, "gzip": exporter.process.pid, "bare": bare.pid}

    def microseconds(name):
        before = cpu(clocks[name])
        for _ in range(SCRAPES):
            scrapers[name]()
        return (cpu(clocks[name]) - before) / SCRAPES * 1e6

    try:
        assert len(scrapers["gzip"]()) < page.stat().st_size / 3
        results = alternate(ROUNDS, **{name: lambda name=name: microseconds(name) for name in scrapers})
        median = {name: statistics.median(one) for name, one in results.items()}
        table.add("  an unchanged page of them, CPU time a scrape", f"{median['identity']:.0f} µs",
                  f"bare MHD {median['bare']:.0f} µs", ratio(results["identity"], results["bare"]), 1.2, False)
        table.add("  the same by gzip against as it is", f"{median['gzip']:.0f} µs", f"identity {median['identity']:.0f} µs",
                  ratio(results["gzip"], results["identity"]), 1.1, False)
    finally:
        for scraper in scrapers.values():
            scraper.close()
        bare.stdin.close()
        bare.wait()
        exporter.stop()
