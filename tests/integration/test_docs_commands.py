# SPDX-License-Identifier: Apache-2.0
"""Every command that a document shows is run, where its reader would run it: beside an exporter and a responder. Those that are not
are listed here, with why."""

import json
import os
import re
import subprocess

import pytest

from documents import commands
from lab.parts import ROOT
from lab.runbook import Exporter, Responder
from lab.webhook import alert_of, webhook_of

# What is not run here: by document or beginning, and why.
NOT_RUN = (
    ("operating.md", "", "run on a machine that systemd has booted, by tests/install/test_packages.py"),
    ("developing.md", "", "builds the tree, or runs the tests: whoever runs this one has done so"),
    ("docker.md", "make images", "tests/install/test_images.py"),
    ("docker.md", "docker", "tests/install/test_stack.py, where there is an Engine whose containers have networks"),
    ("README.md", "make ", "run, test and demo: tests/run_all, tests/e2e/test_demo.py, and tests/integration/test_install_packages.py"),
    ("start.md", "runbook_exporter --config.file=mine", "serves until it is ended, as the one beside it does"),
    ("start.md", "runbook_responder --config.file=mine", "likewise"),
)

CHECKS = """
checks:
  - {name: disk, title: Disk space, step: 4, disk: {mountpoints: ["/"]}, warn: runbook_disk_used_ratio > 101%, advice: Make room}
  - {name: redis, title: Redis connection, step: 3, redis: {address: "REDIS"}}
  - {name: machine, system: {}}
"""

REMEDIATIONS = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
evidence_directory: var/evidence
remediations:
  - {name: high_latency, match: ['alertname="high_latency"', 'service!=""'], steps: [{host.memory: {}}]}
  - {name: slow_api, match: ['alertname="slow_api"', 'service="api"'], steps: [{host.memory: {}}]}
  - {name: asks, match: ['alertname="asks"', 'n!=""'], lock: "${labels.n}", approval: true, steps: [{host.memory: {}}]}
"""

ALERTS = """
groups:
  - name: services
    rules:
      - {alert: high_latency, expr: runbook_disk_used_ratio > 2, labels: {service: api}}
      - {alert: slow_api, expr: runbook_check_success == 0, labels: {service: api}}
      - {alert: asks, expr: runbook_redis_ping_seconds > 1, labels: {n: "1"}}
"""


def reason_not_to_run(document, command):
    return next((why for name, beginning, why in NOT_RUN if document == name and command.startswith(beginning)), None)


SHOWN = list(commands())


class World:
    """A directory as its reader has one, with both daemons at work in it."""

    def __init__(self, directory, binaries, redis):
        self.directory = directory
        for folder in ("bin", "rules", "backups", "etc"):
            (directory / folder).mkdir()
        for program in (binaries.exporter, binaries.responder):
            (directory / "bin" / program.name).symlink_to(program.resolve())
        (directory / "build").symlink_to("bin")
        for name, text in (("checks.yml", CHECKS.replace("REDIS", redis.address)), ("remediations.yml", REMEDIATIONS), ("alerts.yml", ALERTS),
                           ("prometheus.yml", "rule_files: [alerts.yml]\n")):
            for folder in (directory, directory / "rules"):
                (folder / name).write_text(text)
        (directory / "new.yml").write_text(REMEDIATIONS)
        (directory / "was.jsonl").write_text(json.dumps({
            "at": "2026-11-28T10:00:00Z", "webhook": webhook_of(alert_of("high_latency", service="api"))}) + "\n")
        self.exporter = Exporter(binaries.exporter, directory / "checks.yml", directory / "exporter").start()
        self.responder = Responder(binaries.responder, directory / "remediations.yml", directory / "var").start()
        self.asked = 0
        self.responder.send(alert_of("high_latency", service="mcp-server"))
        self.ended = self.responder.wait_final("high_latency")["number"]

    def stop(self):
        self.exporter.stop()
        self.responder.stop()

    def incident_for(self, command):
        """One that has ended, or one that waits for a person, whichever the command is about."""
        if not re.search(r"runbook_responder (approve|deny|cancel|ack|take|give-back) ", command):
            return self.ended
        self.asked += 1
        self.responder.send(alert_of("asks", n=str(self.asked)))
        return self.responder.wait_state("asks", "awaiting_approval", n=str(self.asked))["number"]

    def run(self, command):
        line = re.sub(r"INC-\d{4}-\d{4}", lambda _: self.incident_for(command), command)
        line = line.replace("localhost:9877", f"127.0.0.1:{self.exporter.port}").replace("localhost:9878", f"127.0.0.1:{self.responder.port}")
        line = line.replace("/var/lib/runbook/", "var/").replace("/etc/runbook/", "etc/")
        env = {**os.environ, "PATH": f"{self.directory}/bin:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-o", "pipefail", "-c", line], check=False, text=True, capture_output=True, cwd=self.directory, env=env,
                              timeout=60)


@pytest.fixture(scope="module")
def world(tmp_path_factory, binaries, redis_server):
    there = World(tmp_path_factory.mktemp("reader"), binaries, redis_server)
    yield there
    there.stop()


# What is to come of some of them: exit codes, and words of what they print.
MEANT = (
    ("checklist", (0,), "Disk space"),
    ("capacity", (0, 1, 3), ""),
    ("runbook_exporter alerts", (0,), ""),
    ("curl -s 'localhost:9877/probe", (0,), "Check redis of the kind redis"),
    ("--config.check", (0,), "no mistakes"),
    ("doctor", (0,), "answered"),
    (" init --dir=", (0,), " checks. Next:"),
    (" init --diff", (0,), "0 new, 0 gone"),
    (" targets", (0,), "journal"),
    (" plan ", (0,), "sets off"),
    (" incidents", (0,), ""),
    (" incident ", (0,), "Timeline"),
    (" history", (0,), "high_latency"),
    (" approve ", (0,), "approved"),
    (" undo ", (1,), ""),
    (" pause ", (0,), ""),
    (" verify ", (0,), ""),
    (" backup ", (0,), ""),
    (" coverage ", (0, 1), "high_latency"),
    (" export ", (0,), ""),
    (" run ", (0,), ""),
)


@pytest.mark.parametrize(("document", "where", "command"), [one for one in SHOWN if not reason_not_to_run(one[0], one[2])],
                         ids=lambda one: one if isinstance(one, str) else "")
def test_a_command_does_what_its_document_says(world, document, where, command):
    assert document in where
    done = world.run(command)
    said = f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-1000:]}"
    # A 2 with nothing on standard output: asked wrongly. 126 and 127: no such program.
    assert done.returncode not in (126, 127) and not (done.returncode == 2 and not done.stdout), said
    for part, codes, words in MEANT:
        if part in command:
            assert done.returncode in codes and words in done.stdout, said
    if " pause " in command:
        assert world.run("runbook_responder resume --reason over").returncode == 0


def test_nothing_is_kept_from_being_run_without_need():
    """Each reason is for a command that is shown; and a target of make is one."""
    for name, beginning, _ in NOT_RUN:
        assert [command for document, _, command in SHOWN if document == name and command.startswith(beginning)], (name, beginning)
    makefile = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in ("Makefile", "docker/packages.mk"))
    targets = {target for _, _, command in SHOWN for target in re.findall(r"^make (?:-\S+ |\w+=\S+ )*([a-z][a-z-]*)", command)}
    assert targets and {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()
