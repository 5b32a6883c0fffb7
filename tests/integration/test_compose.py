# SPDX-License-Identifier: Apache-2.0
"""
Compose beside docker.set_env: each of its commands at each moment of a change and of its undo, by v1 (Debian 12's) and
v2 (Debian 13's). Whatever comes of the change, there is one container per replica, the incident comes to its end, and
nothing of ours is left.

The moments are those before a request to the Engine, on which the responder is held up until Compose has done.
"""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import threading

import pytest

from integration.actions import Proxy
from lab.debian13 import compose_v2
from lab.parts import ROOT, wait_for
from lab.runbook import Responder, has_ended
from lab.webhook import alert_of

AT_ONCE = 6
VERSIONS = ("v1", "v2")
COMMANDS = {
    "up": (["up", "-d"],), "recreate": (["up", "-d", "--force-recreate"],), "restart": (["restart", "web"],),
    "stop-start": (["stop", "web"], ["start", "web"]), "down": (["down"],), "ps": (["ps"],),
    "scale": (["up", "-d", "--scale", "web=2"],), "run": (["run", "--rm", "-T", "web", "copy"],),
}
# Before which request: of the change that runs (1), or of its undo (2).
REQUESTS = {
    "keeping": rb"POST \S+/containers/create\?name=\S+\.runbook-", "stopping": rb"POST \S+/stop\?t=",
    "removing": rb"DELETE \S+/containers/", "creating": rb"POST \S+/containers/create\?name=[^. ]+ ",
    "starting": rb"POST \S+/start", "waiting": rb"GET \S+/containers/\S+/json",
}
MOMENTS = [*((name, 1) for name in REQUESTS), ("in force", 0), ("keeping", 2), ("removing", 2), ("creating", 2),
           ("waiting", 2)]
ALL_CASES = [(version, command, moment) for version in VERSIONS for command in COMMANDS for moment in MOMENTS]
# `make check-deep` tries all of them. Otherwise: what most people type at every moment, and the rest at the two longest.
DEEP = bool(os.environ.get("RUNBOOK_DEEP"))
CASES = [(version, command, moment) for version, command, moment in ALL_CASES
         if DEEP or version == "v1" and (command == "up" or moment[0] == "in force" or moment == ("waiting", 1))]


class Moment:
    """Holds the first request of its kind up until it is let go."""

    def __init__(self, name, pass_number):
        self.name, self.number = name, pass_number
        self.armed, self.reached, self.released = False, threading.Event(), threading.Event()
        # What follows the start of the new one is waiting for it.
        self.awaits = REQUESTS["starting"] if name == "waiting" else None

    def __call__(self, data):
        if not self.armed or self.reached.is_set():
            return
        if self.awaits:
            if re.match(self.awaits, data):
                self.awaits = None
        elif re.match(REQUESTS[self.name], data):
            self.reached.set()
            self.released.wait(120)


class Case:
    """One project, one responder, one change."""

    def __init__(self, name, version, command, moment, engine, image, program, compose, directory):
        self.name, self.version, self.command = f"cx{name}", version, command
        self.moment = Moment(*moment)
        self.engine, self.compose_program = engine, compose
        self.directory = directory / self.name
        self.directory.mkdir(parents=True)
        service = {"image": image, "stop_grace_period": "1s", "restart": "unless-stopped",
                   "environment": {"LOG_LEVEL": "info"},
                   "healthcheck": {"test": ["CMD", "/service", "copy"], "interval": "500ms", "retries": 3}}
        (self.directory / "docker-compose.yml").write_text(
            json.dumps({"version": "2.4", "services": {"web": service}}), encoding="ascii")
        socket = self.directory / "docker.sock"
        self.proxy = Proxy(self.moment, engine.socket, socket)
        config = self.directory / "remediations.yml"
        step = {"docker.set_env": {"service": "web", "env": {"LOG_LEVEL": "debug"}, "wait_healthy": "60s"},
                "undo": "when_resolved"}
        config.write_text(json.dumps({
            "docker": {"host": f"unix://{socket}", "project": self.name},
            "receivers": [{"name": "oncall", "format": "log"}], "escalate_to": "oncall",
            "remediations": [{"name": "debug", "match": ["alertname=debug"], "steps": [step]}]}), encoding="ascii")
        self.responder = Responder(program, config, self.directory / "responder")

    def compose(self, *words):
        return subprocess.run([self.compose_program, "-p", self.name, *words], cwd=self.directory, check=False, text=True,
                              env=self.engine.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=240)

    def meddle(self):
        self.said = [(words, done.returncode, done.stdout) for words in COMMANDS[self.command]
                     for done in (self.compose(*words),)]
        self.moment.released.set()

    def containers(self):
        """What the project has, but for one-off containers, which end by themselves; and what we keep of it."""
        found = []
        for item in self.engine.get("/containers/json", all="1"):
            labels = item["Labels"]
            ours = any(".runbook-" in name and name.startswith(f"/{self.name}") for name in item["Names"])
            theirs = labels.get("com.docker.compose.project") == self.name and \
                labels.get("com.docker.compose.oneoff") != "True"
            if ours or theirs:
                found.append(item)
        return found

    def log_levels(self):
        return {word for item in self.containers() for word in self.engine.inspect(item["Id"])["Config"]["Env"]
                if word.startswith("LOG_LEVEL=")}

    def assert_one_per_replica(self):
        count = {"scale": 2, "down": 0}.get(self.command, 1)
        found = self.containers()
        assert len(found) == count, (self.said, [(item["Names"], item["State"]) for item in found])
        assert {item["State"] for item in found} <= {"running"}, found
        numbers = {item["Labels"]["com.docker.compose.container-number"] for item in found}
        assert len(numbers) == count, found

    def incident(self):
        return self.responder.of("debug")

    def ended(self):
        found = self.incident()
        return found if has_ended(found) else None

    def over(self):
        found = self.ended()
        done = ("undone", "skipped", "waiting", "undo_failed")
        return found if found and all(step["settled"] or step["status"] in done for step in found["steps"]) else None

    def wait_reached(self):
        wait_for(lambda: self.moment.reached.is_set() or self.over_early(), f"{self.moment.name} of {self.name}", 120)
        assert self.moment.reached.is_set(), (self.incident(), self.responder.process.tail())

    def over_early(self):
        return self.incident() and self.incident()["state"] in ("failed", "escalated")

    def run(self):
        assert self.compose("up", "-d").returncode == 0
        self.responder.start()
        self.moment.armed = self.moment.number == 1
        self.responder.send(alert_of("debug"))
        if self.moment.number == 1:
            self.wait_reached()
            self.meddle()
        incident = wait_for(self.ended, f"{self.name} to end", 120)
        if self.moment.number == 0:
            assert incident["state"] == "done", incident
            self.meddle()
            assert all(code == 0 for _, code, _ in self.said), self.said
            wanted = {"recreate": {"info"}, "down": set()}.get(self.command, {"debug"})
            found = {level.split("=")[1] for level in self.log_levels()}
            # What is scaled to is made as the file says it.
            assert found == wanted | ({"info"} if self.command == "scale" else set()), (found, self.said)
        if self.moment.number < 2:
            self.assert_one_per_replica()
        if self.moment.number == 0:
            # As the outcome says it.
            assert "keeps it until" in incident["steps"][0]["outcome"]["summary"]
            assert "--force-recreate" in incident["steps"][0]["outcome"]["summary"]
        self.moment.armed = self.moment.number == 2
        self.responder.send(alert_of("debug", "resolved"))
        if self.moment.number == 2:
            self.wait_reached()
            self.meddle()
        over = wait_for(self.over, f"{self.name} to be over", 120)
        assert over["state"] in (("done",) if self.moment.number != 1 else ("done", "escalated")), over
        assert over["steps"][0]["status"] == ("undone" if over["state"] == "done" else "failed"), over
        if over["state"] == "escalated":
            assert "somebody else has replaced or removed" in json.dumps(over["timeline"]), over["timeline"]
        wait_for(lambda: self.assert_one_per_replica() is None, "what the Engine has to be right", 20)
        assert self.log_levels() <= {"LOG_LEVEL=info"}, (self.said, over["timeline"])

    def carry_out(self):
        try:
            self.run()
        except BaseException:
            print(f"== {self.version} {self.command} {self.moment.name} {self.moment.number}: {self.name}\n"
                  f"{getattr(self, 'said', None)}\n{self.responder.process and self.responder.process.tail(60)}")
            raise
        finally:
            self.moment.released.set()
            self.responder.stop()
            self.proxy.close()
            for item in self.containers():
                self.engine.docker("rm", "-f", item["Id"], check=False)
            self.engine.docker("network", "rm", f"{self.name}_default", check=False)


@pytest.fixture(scope="module")
def programs():
    v1 = shutil.which("docker-compose")
    return {"v1": v1, "v2": compose_v2(ROOT / "build/debian13")} if DEEP else {"v1": v1}


def case_id(case):
    return "-".join([case[0], case[1], case[2][0].replace(" ", "_"), str(case[2][1])])


@pytest.fixture(scope="module")
def cases(request, workspace, engine, service_image, binaries, programs):
    """{case: its future}, of all cases that were asked for, some at a time."""
    wanted = [case for case in CASES
              if any(item.name.endswith(f"[{case_id(case)}]") for item in request.session.items)]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {case: pool.submit(Case(CASES.index(case), *case, engine, service_image, binaries.responder,
                                      programs[case[0]], workspace.path("compose")).carry_out)
               for case in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_compose_at_any_moment_leaves_one_container_per_replica(cases, case):
    cases[case].result()
