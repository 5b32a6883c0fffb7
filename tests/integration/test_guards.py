# SPDX-License-Identifier: Apache-2.0
"""What holds back what a responder would do to a real Redis, and how it says so."""

import json

import pytest

from lab.runbook import Responder
from lab.webhook import alert_of


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
