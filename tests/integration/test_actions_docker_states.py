# SPDX-License-Identifier: Apache-2.0
"""The actions on Docker and the states a container may be in: what is refused, what is left, what is mended."""

import json
import os
import signal

import pytest

from integration.docker_service import BEFORE, PROJECT
from lab.parts import wait_for

# How a service came to where it is, the words that a refusal has, and what it was before that must not change.
REFUSED = {
    "paused": (lambda engine, name: engine.docker("pause", name), ("paused", "docker unpause")),
    "stopped": (lambda engine, name: engine.docker("stop", "-t", "1", name), ("somebody has stopped it", "docker start")),
    "killed": (lambda engine, name: engine.docker("kill", name), ("somebody has stopped it", "revive_stopped")),
    "unless-stopped": (lambda engine, name: (engine.docker("update", "--restart", "unless-stopped", name),
                                             engine.docker("stop", "-t", "1", name)), ("somebody has stopped it",)),
    "on-failure": (lambda engine, name: (engine.docker("update", "--restart", "on-failure", name),
                                         engine.docker("kill", name)), ("somebody has stopped it",)),
}
SHARED = {"network": "network", "pid": "processes", "ipc": "shared memory"}


def crash(service, name):
    """Ended behind the Engine's back, as by a kernel that is short of memory: nobody has told the Engine."""
    if service.engine.outside:
        pytest.skip("the processes of an Engine that is somebody's own are left alone")
    os.kill(service.state(name)["Pid"], signal.SIGKILL)
    wait_for(lambda: service.state(name)["Status"] == "exited", "the crash")


def arguments(action, service, **more):
    return {"service": service, "stop_grace": "1s", "wait_healthy": "10s",
            **({"env": {"LOG_LEVEL": "debug"}} if action == "docker.set_env" else {}), **more}


def test_what_is_not_to_be_touched_is_refused(step, service, engine):
    names = {state: service.plain(state) for state in REFUSED}
    for state, (bring, _) in REFUSED.items():
        bring(engine, names[state])
    names["made"] = service.created(f"{PROJECT}_made_1", *service.labels("made"))
    words = {**{state: words for state, (_, words) in REFUSED.items()}, "made": ("never started",)}
    for mode, what in SHARED.items():
        lender = names[mode] = service.plain(mode, *(("--ipc", "shareable") if mode == "ipc" else ()))
        options = [] if mode == "network" else [f"--{mode}", f"container:{lender}"]
        user = service.plain(f"uses-{mode}", *options, network=f"container:{lender}" if mode == "network" else "none")
        words[mode] = (user, what)

    before = {state: engine.inspect(name) for state, name in names.items()}
    for state, name in names.items():
        for action in ("docker.restart", "docker.set_env"):
            told = step(action, arguments(action, state)).fails("plan", "EOPNOTSUPP", name, *words[state])
            assert "http://" not in told and before[state]["Id"] not in told
    for state, name in names.items():
        now = engine.inspect(name)
        assert now["Id"] == before[state]["Id"] and now["State"] == before[state]["State"], state


@pytest.mark.parametrize("action", ["docker.restart", "docker.set_env"])
def test_what_has_crashed_is_started_and_what_somebody_stopped_is_left(step, service, engine, action):
    names = [service.plain("web", number=number) for number in (1, 2, 3)]
    crash(service, names[0])
    engine.docker("stop", "-t", "1", names[1])
    stopped = engine.inspect(names[1])

    change = step(action, arguments(action, "web"))
    plan = change.plan()
    assert plan["targets"] == 2 and [left["name"] for left in plan["left"]] == [names[1]]
    assert f"left as it is: {names[1]} (exited): somebody has stopped it" in plan["summary"]
    assert names[1] in change.run()["summary"]
    assert [service.state(name)["Running"] for name in names] == [True, False, True]
    assert engine.inspect(names[1])["State"] == stopped["State"] and engine.inspect(names[1])["Id"] == stopped["Id"]

    # Stopped since the plan; and one that is to be started all the same.
    more = {"env": {"LOG_LEVEL": "trace"}} if action == "docker.set_env" else {}
    late = step(action, arguments(action, "web", **more))
    late.plan()
    engine.docker("stop", "-t", "1", names[0])
    late.fails("run", "EOPNOTSUPP", names[0], "somebody has stopped it", "docker start")
    assert not service.state(names[0])["Running"] and service.state(names[2])["Running"]
    lone = service.plain("lone")
    engine.docker("stop", "-t", "1", lone)
    revive = step(action, arguments(action, "lone", revive_stopped=True))
    revive.plan()
    revive.run()
    assert service.state(lone)["Running"]


def test_values_that_are_there_make_nothing_healthy(step, service, engine):
    same = {"LOG_LEVEL": "info"}
    down, stopped = service.plain("down"), service.plain("stopped")
    crash(service, down)
    engine.docker("stop", "-t", "1", stopped)
    step("docker.set_env", arguments("docker.set_env", "stopped", env=same)).fails("plan", "EOPNOTSUPP", stopped)
    change = step("docker.set_env", arguments("docker.set_env", "down", env=same))
    plan = change.plan()
    assert plan["targets"] == 1 and "does not run" in plan["summary"]
    assert "recreated" in change.run()["summary"] and service.state(down)["Running"]
    assert "nothing to undo" in change.fine("undo")["summary"] and service.env(down)["LOG_LEVEL"] == BEFORE["LOG_LEVEL"]

    # Its first look is an hour away: starting is not healthy.
    engine.docker("run", "-d", "--name", f"{PROJECT}_slow_1", *service.labels("slow"), "--network", "none",
                  "--health-interval", "1h", "-e", "LOG_LEVEL=info", service.image)
    change = step("docker.set_env", arguments("docker.set_env", "slow", env=same, wait_healthy="1s"))
    plan = change.plan()
    assert plan["targets"] == 0 and "to become healthy" in plan["summary"]
    change.fails("run", "ETIMEDOUT", "has the values already", "health starting")


def test_an_undo_does_not_start_what_somebody_has_stopped(step, service, engine):
    name = service.plain("web")
    change = step("docker.set_env", arguments("docker.set_env", "web"))
    change.plan()
    change.run()
    engine.docker("stop", "-t", "1", name)
    change.fails("undo", "EOPNOTSUPP", name, "somebody has stopped it", "/undo")
    assert service.state(name)["Status"] == "exited" and service.env(name)["LOG_LEVEL"] == "debug"
    engine.docker("start", name)
    change.fine("undo")
    assert service.env(name)["LOG_LEVEL"] == "info"


def test_what_is_recorded_is_said_of_what_runs(step, service, engine):
    first, second = service.plain("web", number=1), service.plain("web", number=2)
    engine.docker("stop", "-t", "1", first)
    record = step("docker.record", {"service": "web"})
    record.plan()
    outcome = record.run()
    assert "web runs version 1.0.0" in outcome["summary"]
    assert [container["state"] for container in outcome["containers"]] == ["exited", "running"]
    engine.docker("stop", "-t", "1", second)
    assert "does not run" in record.run()["summary"]


def test_a_log_that_cannot_be_read_costs_the_others_nothing(step, service, workspace):
    readable = service.plain("web")
    silent = service.plain("silent", "--log-driver", "none")
    evidence = workspace.directory / "unreadable"
    logs = step("docker.logs", {"all_services": True}, evidence_directory=str(evidence))
    logs.plan()
    for _ in range(2):  # and again, as after a crash
        outcome = logs.run()
        assert [file["container"] for file in outcome["files"]] == [readable]
        assert f"{silent}: Docker: configured logging driver does not support reading" in outcome["summary"]
        note, = outcome["unreadable"]
        assert note["container"] == silent and "does not support reading" in note["why"]
        place = evidence / "INC-2026-0001"
        assert "does not support reading" in (place / f"step1-{silent}.unreadable.txt").read_text()
        assert len((place / "SHA256SUMS").read_text().splitlines()) == 2
    alone = step("docker.logs", {"services": ["silent"]}, evidence_directory=str(workspace.directory / "alone"))
    alone.plan()
    alone.fails("run", "EREMOTEIO", silent, "does not support reading")


def test_what_was_replaced_since_is_not_taken_for_it(step, service, engine):
    """A plan names containers by id: another one under the name is not touched."""
    name = service.plain("web")
    restart = step("docker.restart", arguments("docker.restart", "web"))
    plan = restart.plan()
    engine.docker("rm", "-f", name)
    service.plain("web")
    told = restart.fails("run", "ENOENT", name)
    assert plan["containers"][0]["id"] not in told and json.dumps(plan)


@pytest.mark.parametrize("action", ["docker.restart", "docker.set_env"])
def test_no_container_is_taken_away_while_too_few_others_are_healthy(step, service, engine, action):
    names = [service.plain("web", number=number) for number in (1, 2, 3)]
    service.plain("other")
    change = step(action, arguments(action, "web", min_healthy=2))
    assert change.plan()["targets"] == 3

    # Since the plan another one is gone: the first is not touched.
    before = {name: engine.inspect(name) for name in names}
    engine.docker("stop", "-t", "1", names[2])
    change.fails("run", "EAGAIN", names[0], "1 other container(s) of service web are healthy, and `min_healthy` wants 2")
    step(action, arguments(action, "web", min_healthy=2)).fails("plan", "EAGAIN", names[0], "`min_healthy` wants 2")
    assert all(engine.inspect(name)["Id"] == before[name]["Id"] and service.started_at(name) == before[name]["State"]["StartedAt"]
               for name in names[:2])

    engine.docker("start", names[2])
    more = {"env": {"LOG_LEVEL": "trace"}} if action == "docker.set_env" else {}
    again = step(action, arguments(action, "web", min_healthy=2, **more))
    again.plan()
    again.run()
    assert all(service.state(name)["Running"] and service.started_at(name) != before[name]["State"]["StartedAt"] for name in names)
