# SPDX-License-Identifier: Apache-2.0
"""The Engine goes away in the midst of a step, and comes back: K1 of the faults that were found, with a dockerd of its own."""

import json
import os
import signal
import threading
import time

import pytest

from integration.docker_service import PROJECT, Service
from lab.engine import Engine
from lab.parts import wait_for
from lab.runbook import Responder
from lab.webhook import alert_of

# Healthy only some seconds after its start, so that there is a midst.
SLOW = ("--health-interval", "1s")
SET_ENV = {"service": "web", "env": {"LOG_LEVEL": "debug"}, "stop_grace": "1s", "wait_healthy": "40s"}


@pytest.fixture(scope="module")
def leaving(workspace, service_program):
    """An Engine that may go."""
    engine = Engine(workspace.path("leaving"), flags=("--log-level=warn",)).start()
    engine.tag_of_service = engine.image("runbook-lab/leaving:1", service_program)
    yield engine
    engine.stop()


@pytest.fixture
def left(leaving, postgres, redis_server):
    made = Service(leaving, leaving.tag_of_service, postgres, redis_server)
    yield made
    made.clean()


def in_the_midst(step, phase, act):
    """Runs the step and, once its change has come to a phase, does what the test wants; the driver's answer."""
    answers = []
    step.answered = threading.Event()

    def run():
        answers.append(step.call("run"))
        step.answered.set()
    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: f'"{phase}"' in step.path("progress.json").read_text(), f"the phase {phase}", 30)
    act()
    thread.join()
    return answers[0]


@pytest.mark.parametrize("policy, number", [("unless-stopped", signal.SIGTERM), ("no", signal.SIGTERM)])
def test_k1_set_env_and_an_engine_that_is_restarted(step, left, leaving, policy, number):
    name = left.start(options=("--restart", policy, *SLOW))
    change = step("docker.set_env", SET_ENV, host=leaving.host)
    change.plan()

    def restart():
        leaving.go(number)
        leaving.come()

    answer = in_the_midst(change, "starting", restart)
    assert left.kept() == set() and left.names() == {name} and left.state(name)["Running"]
    assert "http://" not in answer.get("error", "") and "could not be put back" not in answer.get("error", "")
    # Whether it was seen to exit while the Engine ended, is a matter of moments: either end is whole.
    assert left.env(name)["LOG_LEVEL"] == ("debug" if answer["result"] == "OK" else "info"), answer
    assert policy != "no" or answer["result"] != "OK", "the Engine has ended it, and does not start it again"
    wait_for(lambda: left.health(name) == "healthy", "it to be healthy")


def test_k1_a_restart_that_was_cut_off_is_finished(step, left, leaving):
    """The Engine takes the stop that was a part of it for a person's, and would leave the container down."""
    name = left.plain("web", "--restart", "unless-stopped", "--stop-signal", "SIGWINCH", "--stop-timeout", "1")
    before = left.state(name)["StartedAt"]
    restart = step("docker.restart", {"service": "web", "stop_grace": "20s", "wait_healthy": "30s"}, host=leaving.host)
    restart.plan()

    def again():
        wait_for(lambda: any(event["Action"] == "kill" for event in leaving.get(
            "/events", since="0", until=str(int(time.time())), filters={"container": [name]})),
            "the Engine to be at it")
        leaving.go()
        early.append(restart.answered.is_set())
        leaving.come()
    early = []
    answer = in_the_midst(restart, "asked_at_ms", again)
    assert answer["result"] == "OK" and answer["outcome"]["containers"][0]["started_at"] != before, answer
    # The Engine may get to the start before it ends. When it comes back it kills what runs, and takes even that for a person's stop.
    if not early[0]:
        wait_for(lambda: left.state(name)["Running"] and left.state(name)["StartedAt"] != before, "it to run")


def test_k1_what_a_failed_step_has_left_is_put_back_later(step, left, leaving):
    name = left.start(options=SLOW)
    change = step("docker.set_env", SET_ENV, host=leaving.host)
    change.plan()
    change.dies("run", after=5)  # the new one is there, and the old one is gone
    leaving.go()
    change.fails("settle", "ECONNREFUSED", "docker.sock")
    progress = change.progress()
    assert progress["tried_since_ms"] > 0
    late = json.dumps({**progress, "tried_since_ms": progress["tried_since_ms"] - 3601000})
    change.path("progress.json").write_text(late)
    told = change.fails("settle", "EBUSY", "tried for 1h", "/api/v1/incidents/INC-2026-0001/undo", "docker-compose up -d")
    assert "http://docker" not in told
    change.path("progress.json").write_text(json.dumps(progress))
    undone = []
    thread = threading.Thread(target=lambda: undone.append(change.call("undo")))
    thread.start()
    leaving.come()
    thread.join()
    assert undone[0]["result"] == "OK", undone
    assert left.names() == {name} and left.env(name)["LOG_LEVEL"] == "info" and left.state(name)["Running"]
    change.fine("settle")
    assert left.kept() == set() and PROJECT in name


def test_a_step_ends_at_its_time_though_the_engine_hangs(left, leaving, tmp_path, binaries):
    """`timeout: 4s`, and an Engine that takes connections and never answers: failed then, and not a minute later."""
    left.start(options=SLOW)
    config = tmp_path / "remediations.yml"
    config.write_text(json.dumps({
        "docker": {"host": leaving.host, "project": PROJECT}, "receivers": [{"name": "oncall", "format": "log"}], "escalate_to": "oncall",
        "remediations": [{"name": "again", "match": ['alertname="slow"'], "steps": [
            {"docker.restart": {"service": "web", "wait_healthy": "1s", "stop_grace": "1s"}, "timeout": "4s"}]}]}))
    daemon = Responder(binaries.responder, config, tmp_path / "run")
    daemon.start()
    try:
        daemon.send(alert_of("slow"))
        wait_for(lambda: (one := daemon.of("again")) and one["state"] == "running", "the step to begin", every=0.005)
        os.kill(leaving.process.pid, signal.SIGSTOP)
        incident = daemon.wait_final("again", timeout=20)
        assert incident["steps"][0]["status"] == "failed", incident
    finally:
        os.kill(leaving.process.pid, signal.SIGCONT)
        daemon.stop()
