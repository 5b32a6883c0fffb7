# SPDX-License-Identifier: Apache-2.0
"""How fast a page is served from memory."""

import re
import statistics
import subprocess

from lab.parts import free_port
from lab.redis import Redis
from lab.runbook import Exporter

from .measuring import BUILD, alternate, ratio, rss, start

SECONDS = 2
CONNECTIONS = 16

# As many checks as DevOps MCP has, none of them due again within the run.
CHECKS = 'defaults: {cache: 1d}\nchecks:\n  - {name: disk, disk: {mountpoints: ["/"]}}\n' + "".join(
    '  - {name: redis_%d, redis: {address: "%%(redis)s"}}\n' % number for number in range(8))


def pages_per_second(url):
    output = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    assert "Non-2xx" not in output and "Socket errors" not in output, output
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def run(table, bench):
    """Pages a second while nothing is due, against a bare server that sends the same bytes."""
    directory = bench.directory / "pages"
    directory.mkdir()
    redis = Redis(directory / "redis").start()
    config = directory / "checks.yml"
    config.write_text(CHECKS % {"redis": redis.address}, encoding="ascii")
    exporter = Exporter(BUILD / "runbook_exporter", config, directory / "exporter").start()
    page = directory / "page.txt"
    page.write_text(exporter.page(), encoding="utf-8")
    assert exporter.page() == page.read_text(encoding="utf-8"), "nothing is due, and yet the page changes"

    bare_port, node_port = free_port(), free_port()
    bare = subprocess.Popen([BUILD / "tests/bench/bare_mhd", page, str(bare_port)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)
    bare.stdout.readline()
    node = start(["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node_port}"], directory / "node.log",
                 node_port)
    results = alternate(ours=lambda: pages_per_second(exporter.url + "/metrics"),
                        bare=lambda: pages_per_second(f"http://127.0.0.1:{bare_port}/metrics"))
    node_pages = pages_per_second(f"http://127.0.0.1:{node_port}/metrics")
    ours = statistics.median(results["ours"])
    table.add("pages a second, nothing due", f"{ours:,.0f}/s", f"bare MHD {statistics.median(results['bare']):,.0f}/s",
              ratio(results["ours"], results["bare"]), 0.9, True)
    table.add("  the same against node_exporter", f"{ours:,.0f}/s", f"node_exporter {node_pages:,.0f}/s", ours / node_pages,
              1, True)
    bench.node_rss = rss(node.pid)
    bare.stdin.close()
    bare.wait()
    node.stop()
    exporter.stop()
    redis.stop()
