# SPDX-License-Identifier: Apache-2.0
"""The shipped remediations in a lab as it is on a bad day, on a real Engine and Redis: what is done, who is called, with which words."""

import json

import pytest

from harness.assertions import events
from integration.docker_service import PROJECT
from lab.parts import wait_for
from lab.redis import Redis
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of
from test_steps import reason_of, shipped, statuses


@pytest.fixture(name="world")
def the_world(tmp_path, binaries, engine, postgres):
    """begin(names, redis) gives a responder that runs, with those shipped remediations, for containers of PROJECT."""
    sink = Sink().start()
    made = []
    url = tmp_path / "oncall_url"
    url.write_text(f"{sink.url}/oncall\n")

    def begin(name, redis):
        databases, remediation = shipped(name, postgres.dsn(), redis)
        remediation["steps"] = [step for step in remediation["steps"] if "docker.prune" not in step]  # other tests' containers
        for step in remediation["steps"]:
            step["timeout"] = "20s" if any(word in step for word in ("docker.set_env", "docker.restart")) else "2s"
            for action in ("docker.set_env", "docker.restart"):
                if action in step:
                    step[action].update(wait_healthy="10s", stop_grace="1s")
        config = tmp_path / "remediations.yml"
        config.write_text(json.dumps({
            "docker": {"host": engine.host, "project": PROJECT}, "databases": databases,
            "receivers": [{"name": "oncall", "format": "json", "url_file": str(url)}],
            "escalate_to": "oncall", "evidence_directory": f"{tmp_path}/evidence", "remediations": [remediation]}))
        daemon = Responder(binaries.responder, config, tmp_path / "run")
        made.append(daemon)
        daemon.start()
        daemon.sink, daemon.url_file = sink, url
        return daemon

    yield begin
    for daemon in made:
        daemon.stop()
    sink.stop()


def test_redis_wants_a_password_and_the_receivers_file_is_gone(world, service, tmp_path):
    """mcp-server is restarted all the same; that its cache was not flushed is told, once the file is there again."""
    locked = Redis(tmp_path / "redis", password="geheim").start()
    name = service.start(service="mcp-server")
    before = service.started_at(name)
    try:
        responder = world("high_latency", locked.address)
        url = responder.url_file.read_text()
        responder.url_file.unlink()
        responder.send(alert_of("high_latency", service="mcp-server"))
        # Nobody can be reached, and it does not end before somebody was.
        wait_for(lambda: 'msg="Incident waits"' in responder.process.output() and "oncall_url" in responder.process.output(),
                 "the call to fail", 60)
        assert responder.of("high_latency")["state"] == "failed"
        assert responder.sink.to("oncall") == []
        responder.url_file.write_text(url)
        incident = responder.wait_final("high_latency")
    finally:
        locked.stop()
    assert incident["state"] == "escalated" and statuses(incident)[:2] == ["done", "failed"]
    assert service.started_at(name) != before
    told = json.dumps(responder.sink.to("oncall")[-1], ensure_ascii=False)
    assert "step 2 (redis.flush) cannot be planned" in told and ("NOAUTH" in told or "password" in told), told
    assert "docker.restart" in told and "mcp-server" in told


def test_a_container_without_logs_does_not_keep_the_cure(world, service, redis_server):
    name = service.start(service="rest-api")
    silent = service.plain("silent", "--log-driver", "none")
    responder = world("high_error_rate", redis_server.address)
    responder.send(alert_of("high_error_rate", service="rest-api"))
    incident = responder.wait_final("high_error_rate")
    assert incident["state"] == "done" and set(statuses(incident)) == {"done"}
    assert service.env(name)["LOG_LEVEL"] == "debug"
    assert f"{silent}: Docker: configured logging driver does not support reading" in json.dumps(incident["timeline"])
    assert events(incident)[-1] != "step failed" and not reason_of(incident, "step failed")
