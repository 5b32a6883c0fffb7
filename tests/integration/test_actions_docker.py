# SPDX-License-Identifier: Apache-2.0
"""The actions on a Docker Engine, phase by phase: which containers, with which environment, are there after each."""

import datetime
import hashlib
import json
import subprocess

import pytest

from integration.actions import Proxy
from integration.docker_service import BEFORE, PROJECT
from lab.parts import free_port, wait_for


def events(engine, since, *names):
    """(action, container) of what the Engine did since an instant; only of what changes something."""
    until = datetime.datetime.now().timestamp()
    lines = engine.output("events", "--since", since, "--until", until, "--format", "{{json .}}",
                          *(word for name in names for word in ("--filter", f"container={name}"))).splitlines()
    found = [json.loads(line) for line in lines]
    return [(event["Action"], event["Actor"]["Attributes"]["name"]) for event in found
            if not event["Action"].startswith("exec_")]


RESTART = {"service": "web", "stop_grace": "1s"}


def test_restart(step, service):
    name = service.start()
    before = service.started_at(name)
    restart = step("docker.restart", {"service": "${labels.service}", "stop_grace": "1s"}, {"service": "web"})
    plan = restart.plan()
    assert plan["targets"] == 1 and plan["containers"][0]["started_at"] == before
    assert name in plan["summary"] and "up " in plan["summary"]
    assert service.started_at(name) == before

    restart.run()
    after = service.started_at(name)
    assert after > before and service.health(name) == "healthy"
    # The same plan again, as after a crash: it was restarted, so it is not again.
    assert "healthy" in restart.run()["summary"]
    assert service.started_at(name) == after


def test_one_container_after_the_other(step, service, engine):
    names = [service.start(number) for number in (1, 2)]
    restart = step("docker.restart", RESTART)
    assert restart.plan()["targets"] == 2
    since = datetime.datetime.now().timestamp()
    restart.run()
    done = events(engine, since, *names)
    order = [(what, name) for what, name in done if what in ("restart", "kill", "health_status: healthy")]
    first_kill_of_second = order.index(("kill", names[1]))
    assert ("health_status: healthy", names[0]) in order[:first_kill_of_second]
    assert [event for event in order if event[0] == "restart"] == [("restart", names[0]), ("restart", names[1])]


def test_killed_before_a_restart_was_asked_for(step, service, engine):
    name = service.start()
    before = service.started_at(name)
    restart = step("docker.restart", RESTART)
    restart.plan()
    since = datetime.datetime.now().timestamp()
    restart.dies("run", after=1)
    assert service.started_at(name) == before
    # It is not asked for again before the Engine has had its time; let that time be over.
    progress = restart.progress()
    progress["asked_at_ms"] = {id_: at - 60000 for id_, at in progress["asked_at_ms"].items()}
    restart.path("progress.json").write_text(json.dumps(progress))
    assert restart.fine("resume")["resumption"] == "again"
    restart.run()
    assert [event for event in events(engine, since, name) if event[0] == "restart"] == [("restart", name)]


@pytest.fixture
def proxied(workspace, engine):
    """proxied(meddle) → the Engine's address behind a Proxy."""
    proxies = []

    def make(meddle):
        path = workspace.path("proxies") / f"{free_port()}.sock"
        proxies.append(Proxy(meddle, engine.socket, path))
        return f"unix://{path}"
    yield make
    for proxy in proxies:
        proxy.close()


def test_killed_while_the_engine_was_restarting(step, service, engine, proxied):
    name = service.start()
    late = []

    def meddle(data):
        # What was asked for just before the end is carried out only after the first look at the container.
        if late and b"/json" in data and late[0] is None:
            late[0] = subprocess.Popen(["docker", "restart", "-t", "1", name], env=engine.env,
                                       stdout=subprocess.DEVNULL)

    restart = step("docker.restart", RESTART, host=proxied(meddle))
    restart.plan()
    since = datetime.datetime.now().timestamp()
    restart.dies("run", after=1)
    late.append(None)
    restart.run()
    assert late[0].wait(30) == 0
    assert [event for event in events(engine, since, name) if event[0] == "restart"] == [("restart", name)]


@pytest.mark.parametrize("verdict", ["swallow", "drop"])
def test_a_lost_answer_never_means_a_second_restart(step, service, engine, proxied, verdict):
    name = service.start()
    asked = []

    def meddle(data):
        if b"/restart?" in data:
            asked.append(data)
            return verdict
        return None

    restart = step("docker.restart", RESTART, host=proxied(meddle))
    restart.plan()
    since = datetime.datetime.now().timestamp()
    if verdict == "swallow":
        restart.run(timeout="20s")
    else:
        restart.fails("run", "ETIMEDOUT", name, "has not until now", timeout="2s")
    assert len(asked) == 1
    restarts = [event for event in events(engine, since, name) if event[0] == "restart"]
    assert len(restarts) == (1 if verdict == "swallow" else 0)


def test_what_a_restart_refuses(step, service):
    name = service.start()
    before = service.started_at(name)
    step("docker.restart", {"service": "nobody"}).fails("plan", "ESRCH", '"nobody"', PROJECT)
    step("docker.restart", {"service": "${labels.s}"}, {"s": ""}).fails("plan", "EINVAL", "empty")
    step("docker.restart", {"service": "${labels.s}"}).fails("plan", "ENOKEY", "'s'")
    step("docker.restart", {"service": ""}).fails("check", "EINVAL", "service")
    step("docker.restart", RESTART, protect=[name]).fails("plan", "EPERM", "protected", name)
    step("docker.restart", RESTART, host="unix:///nowhere.sock").fails("plan", "ECONNREFUSED", "nowhere")
    allowed = step("docker.restart", RESTART)
    allowed.plan()
    protected = step("docker.restart", RESTART, protect=[name])
    allowed.path("plan.json").rename(protected.path("plan.json"))
    protected.fails("run", "EPERM", "protected")
    assert service.started_at(name) == before


def test_a_container_that_does_not_get_healthy_fails_the_step(step, service, postgres):
    service.environment["DB_PORT"] = 1
    name = f"{PROJECT}_web_1"
    service.engine.docker("run", "-d", "--name", name, *service.labels("web"), "--network", "host", "-e",
                          f"PORT={free_port()}", "-e", "DB_PORT=1", service.image)
    restart = step("docker.restart", {**RESTART, "wait_healthy": "1s"})
    restart.plan()
    restart.fails("run", "ETIMEDOUT", name)


def test_record(step, service):
    name = service.start()
    record = step("docker.record", {"service": "web"})
    record.plan()
    found, = record.run()["containers"]
    actual = service.engine.inspect(name)
    assert found == {"id": actual["Id"], "name": name, "image": service.image, "image_id": actual["Image"],
                     "version": "1.0.0", "state": "running", "health": "healthy",
                     "started_at": actual["State"]["StartedAt"], "restarts": 0}


SET_ENV = {"service": "web", "env": {"LOG_LEVEL": "debug", "EXTRA": "${labels.why}"}, "wait_healthy": "30s",
           "stop_grace": "1s"}
LABELS = {"why": "a = b $HOME ${labels.x} 'q'"}


def is_before(service, name):
    env = service.env(name)
    return "EXTRA" not in env and all(env[key] == value for key, value in BEFORE.items())


def is_after(service, name):
    env = service.env(name)
    return env["LOG_LEVEL"] == "debug" and env["EXTRA"] == LABELS["why"] and env["SECURITY_MODE"] == "normal"


def test_set_env_and_its_undo(step, service):
    name = service.start()
    old = service.id(name)
    change = step("docker.set_env", SET_ENV, LABELS)
    plan = change.plan()
    assert plan["targets"] == 1
    assert plan["containers"][0]["previous"] == {"LOG_LEVEL": "info", "EXTRA": None}
    assert "SECURITY_MODE" not in json.dumps(plan)
    assert service.names() == {name} and service.id(name) == old

    outcome = change.run()
    assert "docker-compose up -d does not see that LOG_LEVEL, EXTRA changed" in outcome["summary"]
    assert service.names() == {name} and service.engine.inspect(old) is None and service.kept() == set()
    assert is_after(service, name) and service.health(name) == "healthy"
    assert service.engine.inspect(name)["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert step("docker.restart", RESTART).plan()["targets"] == 1

    change.fine("undo")
    assert service.names() == {name} and is_before(service, name) and service.health(name) == "healthy"
    restored = service.id(name)
    assert "nothing to undo" in change.fine("undo")["summary"]
    assert service.id(name) == restored


def test_a_container_whose_mounts_we_see_is_not_our_own(step, service):
    name = service.start(options=("--ipc", "shareable"))
    # The Engine runs on this very host: its mounts are in our table, too.
    if not service.engine.outside:
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            assert f"/containers/{service.id(name)}/mounts/shm " in mounts.read()
    change = step("docker.set_env", SET_ENV, LABELS)
    assert change.plan()["targets"] == 1
    change.run()
    assert is_after(service, name)
    restart = step("docker.restart", RESTART)
    restart.plan()
    restart.run()


def test_set_env_settles_and_is_undone_later(step, service):
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.run()
    change.fine("settle")
    assert service.names() == {name} and is_after(service, name)
    change.fine("settle")
    # What an undo that failed leaves as the outcome says nothing of containers.
    change.path("outcome.json").write_text(json.dumps({"reason": "the Engine was gone"}))
    change.fine("undo")
    assert service.names() == {name} and is_before(service, name)


def test_values_that_are_there_already_need_no_change(step, service):
    name = service.start()
    old = service.id(name)
    change = step("docker.set_env", {**SET_ENV, "env": {"LOG_LEVEL": "info"}})
    plan = change.plan()
    assert plan["targets"] == 0 and "nothing to do" in plan["summary"]
    change.run()
    change.fine("undo")
    change.fine("settle")
    assert service.id(name) == old and service.names() == {name}


def test_an_unhealthy_change_is_rolled_back_in_all_replicas(step, service):
    first, second = service.start(1), service.start(2)
    taken, started = service.id(second), service.started_at(second)
    change = step("docker.set_env", {**SET_ENV, "env": {"LOG_LEVEL": "debug"}})
    plan = change.plan()
    assert plan["targets"] == 2
    # The second one is replaced in the meantime: the first was changed already then, and goes back.
    service.engine.docker("rename", second, f"{second}-taken")
    change.fails("run", "ESTALE", second, "replaced since the plan")
    assert service.id(f"{second}-taken") == taken and is_before(service, first)
    assert service.started_at(f"{second}-taken") == started
    assert service.names() == {first, f"{second}-taken"} and service.kept() == set()

    broken = step("docker.set_env", {**SET_ENV, "service": "web", "env": {"DB_PORT": "1"}, "wait_healthy": "2s"})
    broken.plan()
    broken.fails("run", "ETIMEDOUT", first)
    back = service.id(first)
    assert is_before(service, first) and service.engine.inspect(first)["State"]["Running"]
    assert service.names() == {first, f"{second}-taken"} and service.kept() == set()
    assert "in their places" in broken.fine("undo")["summary"]
    broken.fine("settle")
    assert service.id(first) == back


# The progresses: keeping, stopping, removing, creating, starting, done.
@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 6])
def test_killed_midway_and_run_again(step, service, after):
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.dies("run", after=after)
    assert change.fine("resume")["resumption"] == "again"
    change.run()
    assert is_after(service, name) and service.health(name) == "healthy"
    assert service.names() == {name} and service.kept() == set()
    change.fine("settle")
    assert service.names() == {name}


# And of that run again, whose way back is keeping …, or from "starting": returning, returned, then as before.
@pytest.mark.parametrize("after", [1, 2, 3, 5, 7])
def test_killed_midway_and_killed_again(step, service, after):
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.dies("run", after=5)
    change.dies("run", after=after)
    change.run()
    assert is_after(service, name) and service.names() == {name} and service.kept() == set()
    change.fine("undo")
    assert is_before(service, name) and service.names() == {name} and service.kept() == set()


@pytest.mark.parametrize("after", [2, 3, 4, 5])
def test_killed_midway_and_undone(step, service, after):
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.dies("run", after=after)
    change.fine("undo")
    assert is_before(service, name) and service.names() == {name} and service.kept() == set()
    wait_for(lambda: service.health(name) == "healthy", "the old container")


@pytest.mark.parametrize("after", [2, 3, 4, 5])
def test_killed_while_undoing(step, service, after):
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.run()
    change.dies("undo", after=after)
    change.fine("undo")
    assert is_before(service, name) and service.names() == {name} and service.health(name) == "healthy"
    assert service.kept() == set()


def test_an_init_of_the_engine_is_no_change_by_hand(step, service):
    """Its mount point is in the layer, which cannot be written to here."""
    name = service.start(options=("--init", "--read-only"))
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.run()
    assert is_after(service, name) and service.engine.inspect(name)["HostConfig"]["ReadonlyRootfs"]


def test_undo_leaves_what_somebody_else_has_set(step, service):
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.run()
    theirs = step("docker.set_env", {**SET_ENV, "env": {"LOG_LEVEL": "trace"}})
    theirs.incident = "INC-2026-0002"
    theirs.plan()
    theirs.run()
    change.fine("undo")
    assert service.env(name)["LOG_LEVEL"] == "trace" and "EXTRA" not in service.env(name)


def test_undo_finds_what_somebody_has_renamed(step, service):
    """Nor is it misled by what somebody has started under the name."""
    name = service.start()
    change = step("docker.set_env", SET_ENV, LABELS)
    change.plan()
    change.run()
    service.engine.docker("rename", name, f"{name}-mine")
    other = service.start()
    change.fine("undo")
    assert is_before(service, f"{name}-mine") and service.health(f"{name}-mine") == "healthy"
    assert service.names() == {other, f"{name}-mine"} and service.kept() == set()


def test_what_set_env_refuses(step, service):
    name = service.start()
    step("docker.set_env", SET_ENV, LABELS, protect=[name]).fails("plan", "EPERM", "protected")
    step("docker.set_env", SET_ENV).fails("plan", "ENOKEY", "'why'")
    step("docker.set_env", {**SET_ENV, "env": {}}).fails("check", "EINVAL", "env")
    step("docker.set_env", {**SET_ENV, "env": {"A=B": "x"}}).fails("check", "EINVAL", "A=B")
    service.engine.docker("run", "-d", "--rm", "--name", "fleeting", *service.labels("fleeting"), "--network", "host",
                          "-e", f"PORT={free_port()}", service.image)
    step("docker.set_env", {**SET_ENV, "service": "fleeting"}, LABELS).fails("plan", "EOPNOTSUPP", "removes itself")
    assert service.names() == {name, "fleeting"}


def test_logs_are_evidence(step, service, workspace):
    web, worker = service.start(), service.start(service="worker")
    service.engine.docker("stop", "-t", "0", worker)
    evidence = workspace.directory / "evidence"
    logs = step("docker.logs", {"all_services": True, "tail": 1000}, evidence_directory=str(evidence))
    assert logs.plan()["targets"] == 2 and not evidence.exists()
    files = {file["container"]: file for file in logs.run()["files"]}
    assert files.keys() == {web, worker}
    place = evidence / "INC-2026-0001"
    for name, file in files.items():
        path = place / f"step1-{name}.log"
        content = path.read_bytes()
        assert file["path"] == str(path) and file["bytes"] == len(content) > 0
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert path.stat().st_mode & 0o777 == 0o400
        assert b"level=info" in content and b'msg="starting"' in content
    assert place.stat().st_mode & 0o777 == evidence.stat().st_mode & 0o777 == 0o700
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=place, check=True, stdout=subprocess.DEVNULL)

    # Again, as after a crash: what is sealed stays.
    service.engine.docker("restart", "-t", "0", web)
    assert {file["container"]: file for file in logs.run()["files"]} == files
    forged = place / f"step1-{web}.log"
    forged.chmod(0o600)
    forged.write_bytes(b"nothing happened")
    logs.fails("run", "EUCLEAN", "not what was sealed")


def test_a_part_of_the_logs(step, service, workspace):
    web = service.start()
    service.start(service="worker")
    evidence = workspace.directory / "parts"
    logs = step("docker.logs", {"services": ["${labels.s}"], "tail": 1, "max_size": 40}, {"s": "web"},
                evidence_directory=str(evidence))
    logs.plan()
    file, = logs.run()["files"]
    assert file["container"] == web and file["cut"] is True and file["bytes"] == 40
    assert (evidence / f"INC-2026-0001/step1-{web}.log").stat().st_size == 40
    step("docker.logs", {"services": ["web", "nobody"]}).fails("plan", "ESRCH", '"nobody"')
    step("docker.logs", {}).fails("check", "EINVAL", "all_services")
    step("docker.logs", {"services": "web", "all_services": True}).fails("check", "EINVAL", "either")
