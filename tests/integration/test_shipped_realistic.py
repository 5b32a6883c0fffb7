# SPDX-License-Identifier: Apache-2.0
"""The shipped remediations in a lab as it is on a bad day, on a real Engine and Redis: what is done, who is called, with which words."""

import json

import psycopg2
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
def the_world(tmp_path, binaries, allowed, engine, postgres):
    """begin(name, redis, …) gives a responder that runs, with that shipped remediation, for containers of PROJECT.

    It reaches the Engine through a proxy that lets through what `docker-access` says that this file needs.
    """
    sink = Sink().start()
    made = []
    url = tmp_path / "oncall_url"
    url.write_text(f"{sink.url}/oncall\n")

    def begin(name, redis, dsn=postgres.dsn(), patience="2s"):
        databases, remediation = shipped(name, dsn, redis)
        remediation["steps"] = [step for step in remediation["steps"] if "docker.prune" not in step]  # other tests' containers
        for step in remediation["steps"]:
            step["timeout"] = "20s" if any(word in step for word in ("docker.set_env", "docker.restart")) else patience
            for action in ("docker.set_env", "docker.restart"):
                if action in step:
                    step[action].update(wait_healthy="10s", stop_grace="1s")
        config = tmp_path / "remediations.yml"
        document = {
            "docker": {"host": engine.host, "project": PROJECT}, "databases": databases,
            "receivers": [{"name": "oncall", "format": "json", "url_file": str(url)}],
            "escalate_to": "oncall", "evidence_directory": f"{tmp_path}/evidence", "remediations": [remediation]}
        config.write_text(json.dumps(document))
        document["docker"]["host"] = allowed.start(f"{name}-{len(allowed.proxies)}", config)
        config.write_text(json.dumps(document))
        daemon = Responder(binaries.responder, config, tmp_path / f"run-{len(made)}")
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


@pytest.fixture(name="full")
def the_full_server(postgres):
    """Takes what connections PostgreSQL has for who is no superuser, of which none is the responder's."""
    taken = []

    def fill():
        with pytest.raises(psycopg2.OperationalError, match="connection slots|too many clients"):
            while True:
                taken.append(postgres.connect(user="mcp_user"))

    def empty():
        while taken:
            taken.pop().close()

    yield fill, empty
    empty()


def test_a_pool_that_is_exhausted_with_postgresql_full_when_the_responder_starts(world, service, redis_server, postgres, full):
    """It has no connection of before: it acts as soon as one is free, and calls a person when none becomes so."""
    fill, empty = full
    name = service.start(service="mcp-server")
    fill()
    dsn = postgres.dsn(user="runbook_responder")
    responder = world("pool_exhausted", redis_server.address, dsn, "60s")
    responder.send(alert_of("pool_exhausted", service="mcp-server"))
    wait_for(lambda: (one := responder.of("pool_exhausted")) and "planning waits" in events(one), "it to wait for PostgreSQL", 60)
    assert "DB_MAX_CONNECTIONS" not in service.env(name)
    empty()
    incident = responder.wait_final("pool_exhausted")
    assert incident["state"] == "done" and set(statuses(incident)) == {"done"} and service.env(name)["DB_MAX_CONNECTIONS"] == "80"
    responder.stop()

    fill()
    before = service.id(name)
    responder = world("pool_exhausted", redis_server.address, dsn)
    responder.send(alert_of("pool_exhausted", service="mcp-server"))
    incident = responder.wait_final("pool_exhausted")
    assert incident["state"] == "escalated" and service.id(name) == before
    (told,) = responder.sink.to("oncall")
    assert "step 1 (postgres.terminate_queries) cannot be planned" in told["text"] and "connection slots are reserved" in told["text"]
    assert told["details"]["still"] == ["the alert fires", "nothing was changed"]
