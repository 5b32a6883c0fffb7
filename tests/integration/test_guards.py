# SPDX-License-Identifier: Apache-2.0
"""What holds back what a responder would do to a real Redis, and how it says so."""

import json
import re
import subprocess
import urllib.request

import pytest

from lab.parts import wait_for
from lab.prometheus import Prometheus
from lab.runbook import Responder
from lab.webhook import alert_of

ITSELF = "[{job_name: itself, scrape_interval: 1s, static_configs: [{targets: ['%s']}]}]"


class Guarded:
    """A responder whose remediations each remove the keys of one pattern of a Redis."""

    def __init__(self, program, directory, redis_server):
        self.redis = redis_server
        self.daemon = Responder(program, directory / "remediations.yml", directory / "run")

    def start(self, *remediations, **head):
        """Each has a `name`, which is its alert's and the prefix of its keys, too."""
        document = {"receivers": [{"name": "oncall", "format": "log"}], "escalate_to": "oncall", "breaker": "off", "storm": "off", **head,
                    "remediations": [self.remediation(**one) for one in remediations]}
        self.daemon.config.write_text(json.dumps(document), encoding="utf-8")
        return self.daemon.start()

    def remediation(self, name, **more):
        self.redis.client.set(f"{name}:1", "x")
        flush = {"address": self.redis.address, "scope": "pattern", "pattern": f"{name}:*"}
        return {"name": name, "match": [f'alertname="{name}"'], "steps": [{"redis.flush": flush}], **more}

    def says(self, *words):
        """What a person types beside it."""
        done = subprocess.run([str(self.daemon.program), *words, f"--journal={self.daemon.journal}"], check=True, text=True,
                              capture_output=True, timeout=60, cwd=self.daemon.directory)
        return done.stdout

    def left(self):
        """The prefixes of the keys that are there."""
        return sorted(key.split(":")[0] for key in self.redis.client.keys("*:1"))


@pytest.fixture
def guarded(binaries, tmp_path, redis_server):
    redis_server.client.flushall()
    made = Guarded(binaries.responder, tmp_path, redis_server)
    yield made
    made.daemon.stop()
    verified = made.daemon.verify_journal()
    assert verified.returncode == 0, verified.stdout


def test_so_many_of_all_and_no_more(guarded):
    """Whatever remediation it is, and over a restart; but not what may wait for nobody."""
    rules = [{"name": name} for name in ("one", "two", "three")] + [{"name": "key", "urgent": True}]
    responder = guarded.start(*rules, limit_all="2 per 1h")
    responder.send(*(alert_of(rule["name"]) for rule in rules[:3]))
    responder.wait_state("three", "held")
    for name in ("one", "two"):
        responder.wait_state(name, "done")
    assert guarded.left() == ["key", "three"]
    responder.stop()
    responder.start()
    held = responder.wait_state("three", "held")
    assert held["guard"] == "limit_all" and held["guard_until"]
    assert any(row["event"] == "held" and row["detail"]["reason"] == "something was done 2 times within 1h, by whatever remediation"
               for row in held["timeline"])
    responder.send(alert_of("key"))
    responder.wait_state("key", "done")
    assert guarded.left() == ["three"]
    assert "Limit of all" in responder.page("/remediations")


def test_what_each_says_of_each_remediation(guarded):
    """Once for the terminal, once for programs, and as the plan of an alert has it."""
    rules = [{"name": "one", "cooldown": "1h"}, {"name": "two"}, {"name": "three", "lock": "${labels.n}"}]
    responder = guarded.start(*rules, storm="1 per 1h", breaker="off")
    responder.send(alert_of("one"))
    responder.wait_state("one", "done")
    said = {one["remediation"]: one for one in json.loads(guarded.says("guards", "--json"))}
    assert said == {one["remediation"]: one for one in responder.get("/api/v1/guards")["remediations"]}
    names = [guard["guard"] for guard in said["one"]["guards"]]
    assert names == ["paused", "human", "maintenance", "lock", "cooldown", "limit", "limit_all", "freshness", "breaker", "storm"]
    assert {name: [(guard["guard"], guard["asks"]) for guard in one["guards"] if guard["holds"]] for name, one in said.items()} == {
        "one": [("cooldown", False)], "two": [("storm", True)], "three": []}
    assert said["two"]["lock"] == "two" and said["three"]["lock"] is None and "n" in said["three"]["why_not_known"]
    lines = guarded.says("guards").splitlines()
    assert lines[0].split() == ["REMEDIATION", "GUARD", "SAYS", "UNTIL", "WHY"] and len(lines) == 4
    assert lines[1].split()[:3] == ["one", "cooldown", "holds"] and "asks a person" in lines[2] and "not known" in lines[3]
    assert "asks a person first" in guarded.says("plan", "--label=alertname=two", f"--config.file={responder.config}")
    guarded.says("pause", "--reason=a drill")
    lines = guarded.says("guards").splitlines()
    assert lines[1].split() == ["one", "paused", "holds"] and lines[2].split()[:2] == ["cooldown", "holds"]


def asked(prometheus):
    """How many queries it has answered."""
    with urllib.request.urlopen(f"{prometheus.url}/metrics") as answer:
        found = re.findall(r'^prometheus_http_requests_total\{code="200",handler="/api/v1/query"\} (\d+)', answer.read().decode(), re.M)
    return sum(map(int, found))


def test_nothing_begins_on_old_data(guarded, tmp_path):
    """Prometheus is away, then there and measures nothing, then measures: held, held, and begun by itself."""
    prometheus = Prometheus(tmp_path / "prometheus")
    config = tmp_path / "prometheus.yml"
    rules = [{"name": "one"}, {"name": "else", "fresh_within": "off"}, {"name": "key", "urgent": True}]
    responder = guarded.start(*rules, prometheus_url=prometheus.url, fresh_within="1m")
    responder.send(*(alert_of(rule["name"]) for rule in rules))
    held = responder.wait_state("one", "held")
    assert held["guard"] == "freshness"
    assert next(row["detail"]["reason"] for row in held["timeline"] if row["event"] == "held").startswith(
        "nobody can tell how old Prometheus' data are: ")
    for name in ("else", "key"):
        responder.wait_state(name, "done")
    said = {one["remediation"]: one["guards"] for one in responder.get("/api/v1/guards")["remediations"]}
    assert {name: [guard["guard"] for guard in guards if guard["holds"]] for name, guards in said.items()} == {
        "one": ["freshness"], "else": [], "key": []}

    try:
        config.write_text("scrape_configs: []")
        prometheus.start(config)
        wait_for(lambda: asked(prometheus) >= 2, "Prometheus to be asked about its data", 60)
        assert responder.of("one")["state"] == "held" and guarded.left() == ["one"]
        prometheus.stop()
        config.write_text("scrape_configs: " + ITSELF % prometheus.url.split("//")[1])
        prometheus.start(config)
        responder.wait_state("one", "done")
        assert guarded.left() == [] and prometheus.query("up")
    finally:
        prometheus.stop()
