# SPDX-License-Identifier: Apache-2.0
"""What both daemons give up, and that what they do does not miss it. All other tests of them run inside it, too."""

import ctypes
import os
import pathlib
import signal
import shutil
import subprocess
import tempfile

import pytest

from exporter_flags import ExporterWithFlags
from lab.certificates import Authority
from lab.parts import wait_for
from lab.runbook import Exporter, Responder
from lab.sink import Sink
from lab.webhook import alert_of
from scraping import logged, scrape, value

CREATE_RULESET, SECCOMP = 444, 317 if os.uname().machine == "x86_64" else 277


@pytest.fixture(scope="module")
def abi():
    """The version of Landlock, asked of the kernel itself."""
    found = ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, 1)
    assert found >= 1, "the tests of the sandbox need a kernel with Landlock"
    return found


@pytest.fixture
def sandboxed(program, tmp_path):
    """Starts exporters with flags, and by a launcher; ends them."""
    started = []

    def start(checks, *flags, launcher=(), ready=True):
        directory = tmp_path / f"daemon-{len(started)}"
        directory.mkdir()
        started.append(ExporterWithFlags(program, checks, directory, *flags, launcher=launcher))
        return started[-1].start(ready=ready)

    yield start
    assert {daemon.stop() for daemon in started} <= {0, 1, -signal.SIGKILL}


def told(daemon):
    """The labels of sandbox_info."""
    found = [dict(labels) for name, labels in scrape(daemon).all if name == "runbook_exporter_sandbox_info"]
    assert len(found) == 1
    return found[0]


def process_status(directory):
    lines = (pathlib.Path(directory) / "status").read_text(encoding="ascii").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def threads(daemon):
    return [process_status(task) for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()]


def exec_check(*command):
    return {"name": "tool", "exec": {"command": list(map(str, command))}}


DISK = {"name": "disk", "disk": {"mountpoints": ["/"]}}

STAYS = {"state_is_written", "files_are_read", "threads_are_started", "tcp_is_connected", "own_signals",
         "null_is_written"}
WRITING = {"write_outside", "append_outside", "truncate_outside", "rename_outside", "link_outside",
           "symlink_outside", "mkdir_outside", "rmdir_outside", "unlink_outside", "mkdir_in_state", "link_in_state",
           "bind_unix"}
ATTRIBUTES = {"chmod_outside", "chown_outside", "utimes_outside"}
PROGRAMS = {"execve_program", "execveat_program"}
SINCE = {"truncate_outside": 3, "bind_tcp": 4, "signal_another": 6}


def attempts(build, tmp_path, mode):
    """{attempt: the name of its errno} of the driver."""
    state, outside = tmp_path / f"{mode}-state", tmp_path / f"{mode}-outside"
    state.mkdir()
    (outside / "empty").mkdir(parents=True)
    for name in ("file", "other"):
        (outside / name).write_text("as it was")
    done = subprocess.run([build / "tests/integration/sandbox_driver", "try", mode, state, outside], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=30)
    assert done.returncode == 0, done.stdout
    if mode in ("all", "readers", "opening", "sealed"):
        assert sorted(path.name for path in outside.iterdir()) == ["empty", "file", "other"]
        assert (outside / "file").read_text() == "as it was"
    assert not list(state.iterdir()) or mode in ("none", "seccomp", "opening", "sealed")
    return dict(line.split() for line in done.stdout.splitlines())


def test_what_was_given_up_is_refused_by_the_kernel(build, tmp_path, abi):
    free = attempts(build, tmp_path, "none")
    assert not {name for name, code in free.items() if code in ("EPERM", "EACCES")} or os.geteuid() != 0
    assert {free[name] for name in STAYS | WRITING | ATTRIBUTES | PROGRAMS} == {"0"}
    landlock = {name for name in WRITING | {"bind_tcp", "signal_another"} if abi >= SINCE.get(name, 1)}

    found = attempts(build, tmp_path, "all")
    denied = {name: "EACCES" if name in WRITING | {"bind_tcp"} else "EPERM" for name in found
              if name not in STAYS and (name in landlock or name not in SINCE)}
    assert found == {**free, **denied}
    # Of programs that only read: they start. With any program: what would be inherited is the deny list alone.
    assert attempts(build, tmp_path, "readers") == {**free, **denied, **{name: "0" for name in PROGRAMS}}
    found = attempts(build, tmp_path, "seccomp")
    assert found == {**free, **{name: "EPERM" for name in denied
                                if name not in WRITING | ATTRIBUTES | PROGRAMS | set(SINCE)}}
    # Directories, and sockets that are still to be opened: until they are.
    opened = {**free, **denied, **{name: "0" for name in ("mkdir_in_state", "link_in_state", "bind_tcp")}}
    assert attempts(build, tmp_path, "sealed") == opened
    assert attempts(build, tmp_path, "opening") == {**opened, **{name: "0" for name in ATTRIBUTES | {"listen_again"}}}
    # Landlock alone: each half holds without the other.
    found = attempts(build, tmp_path, "landlock")
    assert {name for name, code in found.items() if code in ("EACCES", "EPERM") and code != free[name]} >= (
        landlock | PROGRAMS)


def test_every_thread_is_in_it_and_no_check_misses_anything(sandboxed, tmp_path, abi, target, redis_server, postgres):
    state = tmp_path / "state"
    state.mkdir()
    (tmp_path / "app.log").write_text("")
    authority = Authority(tmp_path / "pki")
    daemon = sandboxed([
        DISK, {"name": "machine", "system": {}}, {"name": "web", "http": {"url": target.url}},
        {"name": "cache", "redis": {"address": redis_server.address}},
        {"name": "database", "postgres": {"dsn": postgres.dsn(), "groups": ["connections"]}},
        {"name": "certificate", "tls": {"files": [str(authority.file)]}},
        {"name": "directory", "files": {"directories": [str(tmp_path)]}},
        {"name": "app", "log": {"files": f"{tmp_path}/app.log", "patterns": [{"name": "all", "pattern": "."}]}},
    ], f"--state.directory={state}", "--sandbox=require")
    found = scrape(daemon)
    failed = {dict(labels)["check"] for (name, labels), success in found.all.items()
              if name == "runbook_check_success" and success != 1}
    assert not failed, daemon.page("/")
    assert (state / "log-app").exists()
    assert told(daemon) == {"landlock": str(abi), "seccomp": "true"}
    assert len(logged(daemon, "Entered the sandbox")) == 1 and f"landlock={abi} seccomp=true\n" in daemon.process.output()
    tasks = threads(daemon)
    assert len(tasks) > 2  # beside the first and the server's, as many as the checks needed at once
    assert {(task["Seccomp"], task["NoNewPrivs"]) for task in tasks} == {("2", "1")}


def test_a_reload_may_not_bring_the_first_program(sandboxed, tmp_path, abi):
    daemon = sandboxed([DISK], "--web.enable-lifecycle")
    scrape(daemon)
    dumps = {"name": "dumps", "files": {"directories": [str(tmp_path)], "format": "postgres"}}
    for added in (exec_check("/bin/true"), dumps):
        daemon.write([DISK, added])
        daemon.process.send(signal.SIGHUP)
        name = added["name"]
        said = (f'check "{name}" starts a program, and this process has given up what that needs: restart it')
        wait_for(lambda said=said: said.replace('"', '\\"') in daemon.process.output(), "the refusal")
        found = scrape(daemon)
        assert value(found, "runbook_exporter_config_last_reload_successful") == 0
        assert value(found, "runbook_check_success", check="disk") == 1 and f'"{name}"' not in found.page
    assert told(daemon) == {"landlock": str(abi), "seccomp": "true"}


def test_known_readers_start_and_still_nothing_else_is_written(sandboxed, tmp_path, abi):
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    (dumps / "a.dump").write_bytes(b"PGDMP and no more")
    checks = [{"name": "dumps", "files": {"directories": [str(dumps)], "format": "postgres",
                                          "pg_restore": str(tmp_path / "pg_restore")}}]
    stand_in = tmp_path / "pg_restore"
    stand_in.write_text(f"#!/bin/sh\necho > {tmp_path}/written\nexit 1\n")
    stand_in.chmod(0o755)
    daemon = sandboxed(checks)
    scrape(daemon)
    assert "written: Permission denied" in daemon.page("/") and not (tmp_path / "written").exists()
    assert told(daemon) == {"landlock": str(abi), "seccomp": "true"}
    daemon.write([*checks, exec_check("/bin/true")])
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: "has given up what that needs" in daemon.process.output(), "the refusal")


def test_an_operators_program_may_write_and_keeps_landlock_away(sandboxed, tmp_path):
    daemon = sandboxed([exec_check("/bin/cp", "/proc/self/status", tmp_path / "status")])
    assert value(scrape(daemon), "runbook_check_success", check="tool") == 1
    status = process_status(tmp_path)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert told(daemon) == {"landlock": "none", "seccomp": "true"}
    assert r'check \"tool\" starts a program, which would inherit' in daemon.process.output()


def test_off_gives_nothing_up(sandboxed):
    daemon = sandboxed([DISK], "--sandbox=off")
    assert told(daemon) == {"landlock": "none", "seccomp": "false"}
    assert {task["Seccomp"] for task in threads(daemon)} == {process_status("/proc/self")["Seccomp"]}
    assert not logged(daemon, "Entered the sandbox")
    daemon.write([DISK, exec_check("/bin/true")])
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: value(scrape(daemon), "runbook_check_success", check="tool") == 1, "the new check")


@pytest.mark.parametrize("number,what", [(CREATE_RULESET, "the kernel has no Landlock"),
                                         (SECCOMP, "seccomp: Function not implemented")])
def test_a_kernel_that_lacks_half_of_it(sandboxed, build, abi, number, what):
    launcher = [build / "tests/integration/sandbox_driver", "without", str(number)]
    daemon = sandboxed([DISK], launcher=launcher)
    lacks_landlock = number == CREATE_RULESET
    assert told(daemon) == {"landlock": "none" if lacks_landlock else str(abi),
                            "seccomp": "true" if lacks_landlock else "false"}
    assert what in logged(daemon, "Entered the sandbox")[0]
    refused = sandboxed([DISK], "--sandbox=require", launcher=launcher, ready=False)
    assert refused.process.wait(30) == 1
    assert f"runbook_exporter: --sandbox=require: {what}" in refused.process.output()


def test_a_word_that_is_no_mode(program):
    done = subprocess.run([program, "--sandbox=maybe"], text=True, stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == 2 and '"maybe" is none of auto, require and off' in done.stderr


def test_unix_socket_node_exporter_3526_is_served_taken_over_and_removed(sandboxed, tmp_path):
    path = tmp_path / "run" / "exporter.sock"
    path.parent.mkdir()
    for end in ("kill", "stop"):
        daemon = sandboxed([DISK], f"--web.listen-address=unix:{path}", ready=False)
        done = wait_for(lambda: path.exists() and subprocess.run(
            ["curl", "--silent", "--fail", "--unix-socket", path, "http://localhost/metrics"], text=True,
            stdout=subprocess.PIPE, check=True), "the page")
        assert 'runbook_check_success{check="disk"} 1\n' in done.stdout
        assert 'runbook_exporter_sandbox_info{landlock="none"' not in done.stdout
        assert path.stat().st_mode & 0o007 == 0  # nobody else's
        if end == "kill":
            daemon.process.kill()
            assert path.exists()  # and is in nobody's way
        else:
            assert daemon.stop() == 0
    assert not path.exists()


@pytest.fixture
def sink():
    server = Sink().start()
    yield server
    server.stop()


@pytest.fixture
def responder(binaries, tmp_path, sink):
    """Starts a responder with steps and flags; ends it."""
    started = []

    def start(steps, *flags, head="", ready=True):
        (tmp_path / "oncall_url").write_text(f"{sink.url}/oncall\n")
        config = tmp_path / "remediations.yml"
        config.write_text(f"receivers: [{{name: oncall, format: json, url_file: {tmp_path}/oncall_url}}]\n"
                          f"escalate_to: oncall\nevidence_directory: {tmp_path}/evidence/of/all\n{head}\nremediations:\n"
                          f"  - {{name: all, match: ['alertname=\"stale\"'], steps: [{{{steps}}}]}}\n")
        daemon = Responder(binaries.responder, config, tmp_path / "run")
        daemon.arguments = lambda: [f"--journal={daemon.journal}", *flags]
        started.append(daemon)
        return daemon.start(ready=ready)

    yield start
    assert {daemon.stop() for daemon in started} <= {0, 1}


def test_a_remediation_is_carried_out_in_it(responder, service, engine, postgres, redis_server, tmp_path, abi, sink):
    """All that a responder writes, and each kind of neighbour that it talks to."""
    redis_server.client.flushall()
    postgres.reset()
    postgres.add_keys("alice", "bob")
    redis_server.client.set("cache:web:1", "x")
    container = service.plain("web")
    path = tmp_path / "sockets" / "responder.sock"
    path.parent.mkdir()
    daemon = responder(
        'host.memory: {}}, {docker.logs: {services: ["web"], tail: 10}}, '
        f'{{redis.flush: {{address: "{redis_server.address}", scope: pattern, pattern: "cache:*"}}}}, '
        '{postgres.execute: {plan_sql: "SELECT id FROM api_keys WHERE revoked_at IS NULL", '
        'sql: "UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL RETURNING id", args: []}}, '
        '{notify: {to: oncall, text: "done"}', "--sandbox=require", f"--web.listen-address=unix:{path}",
        head=f'databases: [{{name: mcp, dsn: "{postgres.dsn()}"}}]\n'
             f'docker: {{host: "{engine.host}", project: runbook-actions}}\n')
    daemon.send(alert_of("stale"))
    incident = daemon.wait_final("all")
    assert [step["status"] for step in incident["steps"]] == ["done"] * 5, incident
    assert not postgres.live_keys() and not redis_server.client.keys()
    assert list((tmp_path / "evidence/of/all").glob(f"*/*{container}.log"))
    assert "done" in str(sink.to("oncall"))
    assert f'runbook_responder_sandbox_info{{landlock="{abi}",seccomp="true"}} 1\n' in daemon.page()
    tasks = threads(daemon)
    assert len(tasks) > 4 and {(task["Seccomp"], task["NoNewPrivs"]) for task in tasks} == {("2", "1")}
    limits = pathlib.Path(f"/proc/{daemon.process.pid}/limits").read_text(encoding="ascii")
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")] == [["0", "0"]]
    assert path.exists() and daemon.stop() == 0
    assert not path.exists()  # taken away at its end


def test_evidence_is_refused_where_nothing_was_to_be_written(responder, tmp_path, service, engine):
    """A place that was made anew is another place, and what names it is no way round."""
    service.plain("web")
    daemon = responder('docker.logs: {services: ["web"], tail: 10}', "--sandbox=require",
                       head=f'docker: {{host: "{engine.host}", project: runbook-actions}}\n')
    shutil.rmtree(tmp_path / "evidence")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "evidence").symlink_to(tmp_path / "elsewhere")
    daemon.send(alert_of("stale"))
    incident = daemon.wait_final("all")
    assert incident["state"] != "healed" and "Permission denied" in str(incident), incident
    assert not list((tmp_path / "elsewhere").iterdir())


def test_off_gives_nothing_up_in_the_responder_either(responder):
    daemon = responder("host.memory: {}", "--sandbox=off")
    assert 'runbook_responder_sandbox_info{landlock="none",seccomp="false"} 1\n' in daemon.page()
    assert process_status(f"/proc/{daemon.process.pid}")["Seccomp"] == process_status("/proc/self")["Seccomp"]


@pytest.mark.parametrize("kind,config", [
    (Exporter, "checks: [{name: disk, disk: {mountpoints: [/]}}]\n"),
    (Responder, "escalate_to: nobody\nremediations: [{name: a, match: ['alertname=\"a\"'], steps: [{host.memory: {}}]}]\n")])
def test_nobody_of_the_same_user_looks_into_its_memory(binaries, kind, config):
    """Where the secrets are. The tests are root's, who may: so both are somebody else's."""
    assert os.geteuid() == 0, "the tests are run by root, who may be somebody else"
    somebody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for flag, looked in (("auto", False), ("off", True)):
        with tempfile.TemporaryDirectory() as directory:
            at = pathlib.Path(directory)
            program = shutil.copy(binaries.exporter if kind is Exporter else binaries.responder, at / "program")
            (at / "config.yml").write_text(config)
            daemon = kind(at / "daemon", at / "config.yml", at)
            daemon.program.write_text(f'#!/bin/sh\nexec {" ".join(somebody)} {program} --sandbox={flag} "$@"\n')
            daemon.program.chmod(0o755)
            os.chmod(at, 0o755)
            os.chown(at, 65534, 65534)
            daemon.start()
            try:
                page = daemon.page()
                assert "\nprocess_open_fds " in page and "\nprocess_resident_memory_bytes " in page  # of itself it may
                done = subprocess.run([*somebody, "cat", f"/proc/{daemon.process.pid}/environ"], check=False,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                assert (done.returncode == 0 and bool(done.stdout)) is looked, flag
            finally:
                assert daemon.stop() == 0


def test_a_reload_may_not_move_the_evidence(responder, tmp_path):
    daemon = responder("host.memory: {}", "--sandbox=require")
    asked = daemon.config.read_text(encoding="utf-8")
    daemon.config.write_text(asked.replace("evidence/of/all", "elsewhere"), encoding="utf-8")
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: f"given up to write into {tmp_path}/elsewhere: restart it" in daemon.process.output(), "the refusal")
    wait_for(lambda: "runbook_responder_config_last_reload_successful 0\n" in daemon.page(), "the refusal to be told")
    daemon.config.write_text(asked.replace("name: all", "name: every"), encoding="utf-8")
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: "runbook_responder_config_last_reload_successful 1\n" in daemon.page(), "the reload")
    daemon.send(alert_of("stale"))
    assert daemon.wait_final("every")["state"] == "done"
