# SPDX-License-Identifier: Apache-2.0
"""How fast webhooks are taken and made durable."""

import json
import statistics
import subprocess
import time

from lab.parts import free_port, wait_for
from lab.runbook import Responder
from lab.webhook import alert_of

from .measuring import BUILD, ROUNDS, alternate, ratio, rss, start

SECONDS = 2
CONNECTIONS = 16

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
        "labels": {"alertname": "bench", "service": "mcp-server", "severity": "warning", "instance": "localhost:8080",
                   "request": "00112233445566aa"},
        "annotations": {"summary": "95 % of the requests to mcp-server take up to 3.8s"}}],
}


def post(address, path, body, *, rate=None, token=None):
    argv = [BUILD / "tests/bench/webhook_load", "--address", address, "--path", path, "--body", body,
            "--connections", CONNECTIONS, "--seconds", SECONDS]
    if token and token.exists():  # versions of before know of none
        argv += ["--token-file", token]
    if rate:
        argv += ["--rate", rate]
    result = json.loads(subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE).stdout)
    assert result["errors"] == 0, result
    return result


CROWD = 10_000

CROWDED = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
remediations:
  - {name: crowd, match: ['alertname="crowd"'], lock: "n/${labels.n}", steps: [{host.memory: {}}]}
  - {name: other, match: ['alertname="other"'], steps: [{host.memory: {}}]}
"""


def behind(table, directory):
    """How long an unrelated alert waits behind one webhook of 10,000 that all match."""
    directory.mkdir()
    config = directory / "remediations.yml"
    config.write_text(CROWDED, encoding="ascii")
    responder = Responder(BUILD / "runbook_responder", config, directory / "responder").start()

    def healed(n):
        began = time.monotonic()
        responder.send(alert_of("other", n=str(n)))
        wait_for(lambda: any(one["remediation"] == "other" and one["number"] not in seen
                             for one in responder.get("/api/v1/incidents?state=done&limit=100")["incidents"]),
                 "the unrelated alert to be done", every=0.005)
        seen.update(one["number"] for one in responder.incidents())
        return time.monotonic() - began

    seen = set()
    alone = statistics.median(healed(n) for n in range(ROUNDS))
    responder.send(*[alert_of("crowd", n=str(n)) for n in range(CROWD)])
    behind_them = healed("behind")
    responder.stop()
    table.add("an unrelated alert until healed, behind 10,000", f"{behind_them * 1000:.0f} ms", f"alone {alone * 1000:.0f} ms",
              behind_them, 1, False, "s")


def seals(table):
    """What the seal of a row of the journal costs, against the SHA-256 of its bytes."""
    runs = [json.loads(subprocess.run([BUILD / "tests/bench/seals"], check=True, stdout=subprocess.PIPE).stdout) for _ in range(3)]
    one = {name: min(run[name] for run in runs) for name in runs[0]}
    plain = f"its SHA-256 {one['hash_ns']:.0f} ns"
    table.add(f"the seal of a row of {one['bytes']:,} bytes", f"{one['seal_ns']:.0f} ns", plain, one["seal_ns"] / one["hash_ns"], 2, False)
    table.add("  of one that was sealed or asked about lately", f"{one['again_ns']:.0f} ns", plain, one["again_ns"] / one["hash_ns"], 0.5, False)


def run(table, bench):
    """Durable webhooks, against Debian's webhook that starts /bin/true."""
    directory = bench.directory / "webhooks"
    directory.mkdir()
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

    token = responder.token("alerts")
    ours, theirs = f"127.0.0.1:{responder.port}", f"127.0.0.1:{port}"
    results = alternate(ours=lambda: post(ours, "/api/v1/alerts", body, token=token), peer=lambda: post(theirs, "/hooks/alerts", body))
    per_second = {name: [one["per_second"] for one in rounds] for name, rounds in results.items()}
    table.add("durable webhooks a second, 16 connections", f"{statistics.median(per_second['ours']):,.0f}/s",
              f"webhook /bin/true {statistics.median(per_second['peer']):,.0f}/s",
              ratio(per_second["ours"], per_second["peer"]), 3, True)
    paced = [post(ours, "/api/v1/alerts", body, rate=1000, token=token)["p99_ms"] for _ in range(ROUNDS)]
    table.add("p99 of a durable webhook at 1,000 a second", f"{statistics.median(paced):.2f} ms", "", statistics.median(paced),
              10, False, "ms")
    bench.webhook_rss = rss(webhook.pid)
    webhook.stop()
    responder.stop()
    seals(table)
    behind(table, bench.directory / "crowd")
