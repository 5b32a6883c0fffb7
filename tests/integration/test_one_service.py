# SPDX-License-Identifier: Apache-2.0
"""Several remediations of one service, on a real Engine: they take turns, and are counted together, though none gives a lock."""

import json

import pytest

from integration.docker_service import PROJECT
from lab.parts import wait_for
from lab.runbook import Responder
from lab.webhook import alert_of

# The first is at it until this says that it is healthy.
HEALTH = ("--health-interval", "2s")
STEPS = {
    "levels": {"docker.set_env": {"service": "web", "env": {"LOG_LEVEL": "debug"}, "stop_grace": "1s"}, "undo": "when_resolved"},
    "modes": {"docker.set_env": {"service": "web", "env": {"SECURITY_MODE": "enhanced"}, "stop_grace": "1s"}},
    "starts": {"docker.restart": {"service": "web", "stop_grace": "1s"}},
}


@pytest.fixture
def begin(binaries, tmp_path, engine):
    """begin(…) gives a responder that runs, with these members beside each remediation."""
    made = []

    def start(**beside):
        (tmp_path / "remediations.yml").write_text(json.dumps({
            "docker": {"host": engine.host, "project": PROJECT}, "receivers": [{"name": "oncall", "format": "log"}],
            "escalate_to": "oncall", "breaker": "2 per 1h", "remediations": [
                {"name": name, "match": [f"alertname={name}"], "steps": [step], **{key: value(name) for key, value in beside.items()}}
                for name, step in STEPS.items()]}))
        made.append(Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start())
        return made[-1]

    yield start
    for responder in made:
        responder.stop()


def test_n11_what_changes_one_service_takes_turns_and_is_counted_together(begin, service):
    web = service.start(options=HEALTH)
    responder = begin()
    responder.send(alert_of("levels"), alert_of("modes"))
    ended = [responder.wait_final(name) for name in ("levels", "modes")]
    assert [incident["state"] for incident in ended] == ["done", "done"], ended
    assert {incident["lock"] for incident in ended} == {"service/web"}
    assert service.env(web)["LOG_LEVEL"] == "debug" and service.env(web)["SECURITY_MODE"] == "enhanced"
    responder.send(alert_of("starts"))
    asked = responder.wait_state("starts", "awaiting_approval")
    assert "something was done under the lock service/web 2 times" in json.dumps(asked["timeline"]), asked["timeline"]


def test_steps_of_one_service_wait_for_each_other_under_any_lock(begin, service):
    """As those of a compromised key, which is urgent, and of a slow service."""
    web = service.start(options=HEALTH)
    responder = begin(lock=lambda name: name, urgent=lambda name: True)
    responder.send(*map(alert_of, STEPS))
    ended = [responder.wait_final(name) for name in STEPS]
    assert [incident["state"] for incident in ended] == ["done"] * len(STEPS), ended
    assert service.env(web)["LOG_LEVEL"] == "debug" and service.env(web)["SECURITY_MODE"] == "enhanced"
    waited = [row["detail"]["reason"] for incident in ended for row in incident["timeline"] if row["event"] == "step waits"]
    assert waited and all(reason.endswith("is at the service web") for reason in waited), ended


def test_an_undo_waits_for_a_step_that_is_at_its_service(begin, service):
    web = service.start(options=HEALTH)
    responder = begin(lock=lambda name: name)
    responder.send(alert_of("levels"))
    assert responder.wait_final("levels")["state"] == "done"
    responder.send(alert_of("modes"))
    wait_for(lambda: (one := responder.of("modes")) and one["steps"][0]["status"] == "started", "the other to be at it")
    responder.send(alert_of("levels", "resolved"))
    wait_for(lambda: responder.of("levels")["steps"][0]["status"] not in ("done", "undoing"), "the undo", 60)
    assert [responder.of(name)["steps"][0]["status"] for name in ("levels", "modes")] == ["undone", "done"]
    assert service.env(web)["LOG_LEVEL"] == "info" and service.env(web)["SECURITY_MODE"] == "enhanced"
