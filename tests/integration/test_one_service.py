# SPDX-License-Identifier: Apache-2.0
"""Several remediations of one service, on a real Engine: they take turns, and are counted together, though none gives a lock."""

import json

from integration.docker_service import PROJECT
from lab.runbook import Responder
from lab.webhook import alert_of

# The first is at it until this says that it is healthy.
HEALTH = ("--health-interval", "2s")
STEPS = {
    "levels": {"docker.set_env": {"service": "web", "env": {"LOG_LEVEL": "debug"}, "stop_grace": "1s"}},
    "modes": {"docker.set_env": {"service": "web", "env": {"SECURITY_MODE": "enhanced"}, "stop_grace": "1s"}},
    "starts": {"docker.restart": {"service": "web", "stop_grace": "1s"}},
}


def test_n11_what_changes_one_service_takes_turns_and_is_counted_together(binaries, tmp_path, engine, service):
    web = service.start(options=HEALTH)
    (tmp_path / "remediations.yml").write_text(json.dumps({
        "docker": {"host": engine.host, "project": PROJECT}, "receivers": [{"name": "oncall", "format": "log"}],
        "escalate_to": "oncall", "breaker": "2 per 1h",
        "remediations": [{"name": name, "match": [f"alertname={name}"], "steps": [step]} for name, step in STEPS.items()]}))
    responder = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start()
    try:
        responder.send(alert_of("levels"), alert_of("modes"))
        ended = [responder.wait_final(name) for name in ("levels", "modes")]
        assert [incident["state"] for incident in ended] == ["done", "done"], ended
        assert {incident["lock"] for incident in ended} == {"service/web"}
        assert service.env(web)["LOG_LEVEL"] == "debug" and service.env(web)["SECURITY_MODE"] == "enhanced"
        responder.send(alert_of("starts"))
        asked = responder.wait_state("starts", "awaiting_approval")
        assert "something was done under the lock service/web 2 times" in json.dumps(asked["timeline"]), asked["timeline"]
    finally:
        responder.stop()
