# SPDX-License-Identifier: Apache-2.0
"""Each optional key of remediations.yml left out in turn: the responder takes everything there is, and lives.

Neighbours that are named are not there: what an absent one does to a request must not be worse than a dead one.
"""

import copy
import json
import re
import subprocess

import pytest

from lab.parts import free_port, wait_for
from lab.runbook import Responder
from lab.webhook import alert_of, webhook_of

DEAD = f"http://127.0.0.1:{free_port()}"

FULL = {
    "docker": {"host": "unix:///nowhere/docker.sock", "project": "devops-mcp"},
    "databases": [{"name": "mcp", "dsn": "host=/nowhere dbname=mcp"}],
    "receivers": [{"name": "oncall", "format": "log"}],
    "prometheus_url": DEAD, "exporter_url": DEAD, "alertmanager_url": DEAD, "repeat_interval": "1h", "resolve_timeout": "1m",
    "evidence_directory": "evidence", "protect": ["precious"], "escalate_to": "oncall", "tell": ["healed"], "unmatched_to": "oncall",
    "external_url": "http://runbook.example", "limit_all": "20 per 1h", "fresh_within": "off",
    "remediations": [
        {"name": "looks", "match": ['alertname="slow"'], "cooldown": "1m", "limit": "3 per 1d", "lock": "a/${labels.service}",
         "approval": False, "expire": "10m", "on_failure": "escalate", "escalate_to": "oncall", "tell": ["cancelled"],
         "at_stake": "${labels.service} is slow", "still_firing": "15m",
         "steps": [{"host.memory": {}, "timeout": "5s", "max": 3}, {"notify": {"to": "oncall", "text": "${labels.service}"}}],
         "verify": {"query": "up == 1", "for": "1s", "within": "2s", "every": "1s"}},
        {"name": "checks", "match": ['alertname="slow"'], "steps": [{"host.memory": {}}],
         "verify": {"check": "mcp_server", "within": "2s", "every": "1s"}},
        {"name": "touches", "match": ['alertname="slow"'], "on_failure": "stop",
         "steps": [{"docker.restart": {"service": "web"}, "on_failure": "continue"}]},
    ],
}

# Without these the file has other mistakes than the one that is looked for.
REQUIRED = {("remediations",), ("receivers",), ("remediations", 0, "name"), ("remediations", 0, "match"), ("remediations", 0, "steps"),
            ("remediations", 0, "verify", "query")}


def optional(node=None, path=()):
    """The path of every key of a mapping, of the file, of its first remediation and of what is in these."""
    node = FULL if node is None else node
    if isinstance(node, dict):
        for key, value in node.items():
            if (*path, key) not in REQUIRED:
                yield (*path, key)
            yield from optional(value, (*path, key))
    elif isinstance(node, list) and node and path == ("remediations",):
        yield from optional(node[0], (*path, 0))


def without(path):
    document = copy.deepcopy(FULL)
    node = document
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return document


# What something else in the file asks for: then it is refused, with the place that asks, and what is missing.
ASKED_FOR = {("docker",): "docker", ("docker", "project"): "project", ("prometheus_url",): "prometheus_url",
             ("exporter_url",): "exporter_url", ("escalate_to",): "escalate_to: nobody"}


def truncated(*alerts, pad=0):
    return {**webhook_of(*alerts), "truncatedAlerts": 1, "pad": "x" * pad}


@pytest.mark.parametrize("path", [(), *optional()], ids=lambda path: ".".join(map(str, path)) or "nothing")
def test_b1_every_optional_key_may_be_absent(build, tmp_path, path):
    config = tmp_path / "remediations.yml"
    document = without(path) if path else FULL
    config.write_text(json.dumps(document), encoding="ascii")
    responder = Responder(build / "runbook_responder", config, tmp_path / "run")
    if path in ASKED_FOR:
        checked = subprocess.run([build / "runbook_responder", "--config.check", f"--config.file={config}"], text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert checked.returncode == 1
        assert re.search(rf"remediations.yml:1:\d+: .*{ASKED_FOR[path]}", checked.stdout), checked.stdout
        return
    try:
        responder.start()
        slow = alert_of("slow", service="web")
        # Alertmanager is either not asked, or does not answer: then it is to send the webhook again.
        expected = 200 if path == ("alertmanager_url",) else 503
        assert responder.post("/api/v1/alerts", truncated(slow))[0] == expected
        assert responder.post("/api/v1/alerts", truncated(alert_of("other"), pad=100_000))[0] == expected
        wait_for(lambda: len(responder.incidents()) == len(document["remediations"]), "incidents of what was delivered")
        for page in ("/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/status"):
            assert responder.page(page)
        number = responder.incidents()[0]["number"]
        responder.get(f"/api/v1/incidents/{number}")
        for decision in ("approve", "deny", "cancel", "undo"):
            assert responder.post(f"/api/v1/incidents/{number}/{decision}", {"by": "ada"})[0] in (200, 409)
        assert responder.post("/-/pause", {"by": "ada"})[0] == 200
        responder.send({**slow, "status": "resolved"})
        assert responder.post("/-/resume", {"by": "ada"})[0] == 200
        if path[-1:] != ("within",):  # whose default is longer than a test
            wait_for(lambda: all(one["ended_at"] for one in responder.incidents()), "every incident to end")
    finally:
        assert responder.stop() == 0, responder.process.tail()
