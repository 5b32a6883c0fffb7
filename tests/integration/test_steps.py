# SPDX-License-Identifier: Apache-2.0
"""The shipped remediations when one neighbour is away: what can be done is done, what accompanies it is told to have failed,
and who is only starting is waited for."""

import json
import re
import socket
import threading

import pytest
import yaml

from harness.assertions import events
from lab.parts import ROOT, free_port, wait_for
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of


class Relay:
    """A server that is not there before start(): what it hears goes to a real one."""

    def __init__(self, port):
        self._to, self.port = port, free_port()
        self._listener = None

    def start(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self):
        if self._listener:
            self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=ends, daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def shipped(name, postgres, redis):
    """One shipped remediation, without its verification and without a minute's patience for who stays away."""
    text = (ROOT / "rules/remediations.yml").read_text(encoding="utf-8").replace("localhost:6379", redis)
    (remediation,) = [one for one in yaml.safe_load(text)["remediations"] if one["name"] == name]
    remediation.pop("verify")
    remediation.pop("escalate_to", None)
    remediation.pop("cooldown", None)
    for step in remediation["steps"]:
        step["timeout"] = "3s"
        for action in ("docker.set_env", "docker.restart"):
            if action in step:
                step[action].update(wait_healthy="500ms", stop_grace="500ms")
        if "notify" in step:
            step["notify"]["to"] = "oncall"
    return [{"name": "mcp", "dsn": postgres}], remediation


@pytest.fixture
def world(tmp_path, binaries, postgres, redis_server):
    """begin(name, …) gives a responder that runs, with one shipped remediation; Docker is away."""
    sink = Sink().start()
    made = []
    (tmp_path / "oncall_url").write_text(f"{sink.url}/oncall\n")

    def begin(name, dsn=postgres.dsn(), redis=redis_server.address):
        databases, remediation = shipped(name, dsn, redis)
        config = tmp_path / "remediations.yml"
        config.write_text(json.dumps({
            "docker": {"host": f"unix://{tmp_path}/docker.sock", "project": "away"}, "databases": databases,
            "receivers": [{"name": "oncall", "format": "json", "url_file": f"{tmp_path}/oncall_url"}],
            "escalate_to": "oncall", "evidence_directory": f"{tmp_path}/evidence", "remediations": [remediation]}))
        daemon = Responder(binaries.responder, config, tmp_path / "run")
        made.append(daemon)
        daemon.start()
        daemon.sink = sink
        return daemon

    yield begin
    for daemon in made:
        daemon.stop()
    sink.stop()


def statuses(incident):
    return [step["status"] for step in incident["steps"]]


def reason_of(incident, event):
    return [row["detail"]["reason"] for row in incident["timeline"] if row["event"] == event]


def live_keys(postgres):
    return postgres.value("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL")


@pytest.mark.parametrize(("name", "label", "left"), (("api_key_compromise", {"key_name": "bob"}, 2), ("api_key_compromise_all", {}, 0)))
def test_g1_docker_is_away_and_the_key_is_dead(world, postgres, name, label, left):
    """The logs and the notes about it veto nothing; SECURITY_MODE, which is essential, ends it, and a person hears of it."""
    postgres.reset()
    postgres.add_keys("alice", "bob", "carol")
    responder = world(name)
    responder.send(alert_of("api_key_compromise", **label))
    incident = responder.wait_final(name)
    assert live_keys(postgres) == left
    assert incident["state"] == "escalated" and statuses(incident) == ["done", "failed", "done", "failed"]
    logs, mode = reason_of(incident, "step failed")
    assert re.match(r"step 2 \(docker.logs\) cannot be planned: .*docker\.sock: .*No such file", logs), logs
    assert re.match(r"step 4 \(docker.set_env\) cannot be planned: .*No such file or directory \(tried \d times\)", mode), mode
    assert events(incident).count("step waits") == 1
    told = json.dumps(responder.sink.to("oncall")[-1])
    assert "step 4 (docker.set_env) cannot be planned" in told and "step 2 (docker.logs)" in told


def test_g1_docker_is_away_and_the_queries_are_ended(world, postgres):
    postgres.reset()
    responder = world("pool_exhausted")
    responder.send(alert_of("pool_exhausted", service="mcp-server"))
    incident = responder.wait_final("pool_exhausted")
    assert incident["state"] == "escalated" and statuses(incident)[0] == "done" and "failed" in statuses(incident)


def test_g1_nothing_begins_without_the_cure(world):
    """Docker is the cure itself: nothing is begun, and it is given some time to come back."""
    responder = world("high_error_rate")
    responder.send(alert_of("high_error_rate", service="rest-api"))
    incident = responder.wait_final("high_error_rate")
    assert incident["state"] == "escalated" and set(statuses(incident)) == {"waiting"}
    assert events(incident).count("planning waits") == 1
    assert "docker.set_env) cannot be planned" in json.dumps(responder.sink.to("oncall"))


def test_g2_who_is_only_starting_is_waited_for(world, postgres):
    """PostgreSQL takes no connection at first: the key is revoked once it does."""
    postgres.reset()
    postgres.add_keys("alice", "bob")
    relay = Relay(postgres.port)
    dsn = re.sub(r"port=\d+", f"port={relay.port}", postgres.dsn())
    assert dsn != postgres.dsn()
    responder = world("api_key_compromise", dsn=dsn)
    try:
        responder.send(alert_of("api_key_compromise", key_name="bob"))
        wait_for(lambda: (one := responder.of("api_key_compromise")) and "planning waits" in events(responder.incident(one["number"])),
                 "the incident to wait for PostgreSQL")
        assert live_keys(postgres) == 2
        relay.start()
        incident = responder.wait_final("api_key_compromise")
        assert live_keys(postgres) == 1
        assert statuses(incident)[0] == "done" and events(incident).count("planning waits") == 1
    finally:
        relay.stop()
