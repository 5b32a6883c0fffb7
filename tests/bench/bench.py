# SPDX-License-Identifier: Apache-2.0
"""`make bench`: how fast and how small the daemons are, each figure beside a peer measured in the same run.

Rounds alternate between us and the peer, and the median of the rounds counts: these machines are noisy, and a ratio
holds where a figure alone does not. Prints one table, writes build/bench.json. Traffic stays on 127.0.0.1.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from lab.engine import Engine  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.parts import ROOT, Process, Workspace, free_port, listens  # noqa: E402
from lab.redis import Redis  # noqa: E402
from lab.runbook import Exporter, Responder  # noqa: E402

BUILD = ROOT / os.environ.get("RUNBOOK_BUILD", "build")
ROUNDS = 11
SECONDS = 2
CONNECTIONS = 16
MB = 1_000_000

# As many checks as DevOps MCP has, none of them due again within the run.
CHECKS = 'defaults: {cache: 1d}\nchecks:\n  - {name: disk, disk: {mountpoints: ["/"]}}\n' + "".join(
    '  - {name: redis_%d, redis: {address: "%%(redis)s"}}\n' % number for number in range(8))

REMEDIATIONS = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
remediations:
  - name: never
    match: ['alertname="another"']
    steps: [{host.memory: {}}]
"""

WEBHOOK = {
    "version": "4", "status": "firing", "receiver": "runbook", "groupKey": "{}:{alertname=\"bench\"}", "truncatedAlerts": 0,
    "groupLabels": {"alertname": "bench"}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://localhost:9093",
    "alerts": [{
        "status": "firing", "fingerprint": "00112233445566aa", "startsAt": "2026-01-31T03:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://localhost:9090/graph",
        "labels": {"alertname": "bench", "service": "mcp-server", "severity": "warning", "instance": "localhost:8080"},
        "annotations": {"summary": "95 % of the requests to mcp-server take up to 3.8s"}}],
}


def rss(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


def pages_per_second(url):
    output = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    assert "Non-2xx" not in output and "Socket errors" not in output, output
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def post(address, path, body, *, rate=None):
    argv = [BUILD / "tests/bench/webhook_load", "--address", address, "--path", path, "--body", body,
            "--connections", CONNECTIONS, "--seconds", SECONDS]
    if rate:
        argv += ["--rate", rate]
    result = json.loads(subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE).stdout)
    assert result["errors"] == 0, result
    return result


def alternate(**measures):
    """Each measure once a round, the order turned each round; the lists of their results."""
    results = {name: [] for name in measures}
    names = list(measures)
    for number in range(ROUNDS):
        for name in names if number % 2 == 0 else reversed(names):
            results[name].append(measures[name]())
    return results


def ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer, value, target, at_least, unit="x"):
        met = value >= target if at_least else value <= target
        self.rows.append({"what": what, "ours": ours, "peer": peer, "value": round(value, 3), "unit": unit,
                          "target": target, "at_least": at_least, "met": met})

    def print(self):
        missed = [row["what"] for row in self.rows if not row["met"]]
        print(f"MISSED: {'; '.join(missed)}" if missed else "All targets are met.")
        print(f"{'what':<58} {'ours':>16} {'peer':>30} {'value':>9} {'target':>9}")
        for row in self.rows:
            sign = "≥" if row["at_least"] else "≤"
            print(f"{row['what']:<58} {row['ours']:>16} {row['peer']:>30} {row['value']:>7} {row['unit']:<2}"
                  f"{sign + ' ' + str(row['target']):>8} {'' if row['met'] else ' MISSED'}")


def start(argv, log, port):
    process = Process(argv, log).start()
    process.up(lambda: listens(port), f"{argv[0]} to listen")
    return process


def bench_pages(table, directory, redis):
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
    node_rss = rss(node.pid)
    bare.stdin.close()
    bare.wait()
    node.stop()
    exporter.stop()
    return node_rss


def bench_webhooks(table, directory):
    config = directory / "remediations.yml"
    config.write_text(REMEDIATIONS, encoding="ascii")
    responder = Responder(BUILD / "runbook_responder", config, directory / "responder").start()
    body = directory / "webhook.json"
    body.write_text(json.dumps(WEBHOOK), encoding="ascii")
    hooks = directory / "hooks.json"
    hooks.write_text(json.dumps([{"id": "alerts", "execute-command": "/bin/true",
                                  "include-command-output-in-response": True}]), encoding="ascii")
    port = free_port()
    webhook = start(["webhook", "-ip", "127.0.0.1", "-port", str(port), "-hooks", str(hooks)], directory / "webhook.log", port)

    ours, theirs = f"127.0.0.1:{responder.port}", f"127.0.0.1:{port}"
    results = alternate(ours=lambda: post(ours, "/api/v1/alerts", body), peer=lambda: post(theirs, "/hooks/alerts", body))
    per_second = {name: [one["per_second"] for one in rounds] for name, rounds in results.items()}
    table.add("durable webhooks a second, 16 connections", f"{statistics.median(per_second['ours']):,.0f}/s",
              f"webhook /bin/true {statistics.median(per_second['peer']):,.0f}/s",
              ratio(per_second["ours"], per_second["peer"]), 3, True)
    paced = [post(ours, "/api/v1/alerts", body, rate=1000)["p99_ms"] for _ in range(ROUNDS)]
    table.add("p99 of a durable webhook at 1,000 a second", f"{statistics.median(paced):.2f} ms", "", statistics.median(paced),
              10, False, "ms")
    peer_rss = rss(webhook.pid)
    webhook.stop()
    responder.stop()
    return peer_rss


def bench_memory(table, directory, engine, node_rss, webhook_rss):
    """Both daemons in the lab, with the shipped rules, after a remediation was carried out."""
    lab = Lab(directory, engine, BUILD / "runbook_exporter", BUILD / "runbook_responder",
              BUILD / "tests/lab/service/service")
    try:
        lab.start()
        lab.compose.fault("mcp-server", "slow", seconds=3)
        incident = lab.responder.wait_final("high_latency")
        assert incident["state"] == "healed", incident["state"]
        for _ in range(50):
            lab.exporter.page()
            lab.responder.page()
        for name, daemon, peer, peer_rss in (("exporter", lab.exporter, "node_exporter", node_rss),
                                             ("responder", lab.responder, "webhook", webhook_rss)):
            size = daemon.resident_bytes()
            table.add(f"resident memory, {name}, after a remediation", f"{size / MB:.1f} MB", f"{peer} {peer_rss / MB:.1f} MB",
                      size / MB, 14, False, "MB")
    finally:
        lab.stop()


def main():
    table = Table()
    workspace = Workspace()
    engine = Engine(workspace.directory / "engine")
    try:
        redis = Redis(workspace.directory / "redis").start()
        directory = workspace.directory / "bench"
        directory.mkdir()
        node_rss = bench_pages(table, directory, redis)
        redis.stop()
        webhook_rss = bench_webhooks(table, directory)
        engine.start()
        try:
            bench_memory(table, workspace.directory / "lab", engine, node_rss, webhook_rss)
        finally:
            engine.stop()
    finally:
        workspace.remove()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/bench.json").write_text(json.dumps({"rounds": ROUNDS, "rows": table.rows}, indent=2) + "\n",
                                           encoding="utf-8")
    table.print()
    return 0


if __name__ == "__main__":
    for program in ("wrk", "webhook", "prometheus-node-exporter"):
        assert shutil.which(program), f"{program} is missing: make deps GROUP=bench"
    sys.exit(main())
