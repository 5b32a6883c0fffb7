# SPDX-License-Identifier: Apache-2.0
"""HAProxy before the Engine, as `docker-access` configures it."""

import json
import shutil
import subprocess

from integration.docker_service import PROJECT
from lab.parts import Process

# What each action cannot do without.
LEAST = {
    "docker.logs": {"all_services": True, "tail": 1},
    "docker.prune": {"older_than": "1d"},
    "docker.record": {"service": "web"},
    "docker.restart": {"service": "web"},
    "docker.set_env": {"service": "web", "env": {"A": "b"}},
}


class DockerAccess:
    def __init__(self, build, directory, engine):
        self.program = build / "runbook_responder"
        self.directory = directory
        self.engine = engine
        self.proxies = {}

    def of_action(self, action):
        """The address for a remediation of this step alone; None for an action that is none of Docker's."""
        if action not in LEAST:
            return None
        if action not in self.proxies:
            config = self.directory / f"{action}.yml"
            config.write_text(json.dumps({
                "docker": {"host": self.engine.host, "project": PROJECT}, "escalate_to": "nobody",
                "evidence_directory": str(self.directory),
                "remediations": [{"name": "a", "match": ['alertname="a"'], "steps": [{action: LEAST[action]}]}],
            }), encoding="utf-8")
            self.start(action, config)
        return self.proxies[action][0]

    def start(self, name, config):
        """One with the rules of this file, under a name of its own; its address."""
        path = self.directory / f"{name}.sock"
        written = self.directory / f"{name}.cfg"
        engine = self.engine.host.partition("://")[2]
        written.write_text(subprocess.run(
            [self.program, "docker-access", f"--config.file={config}", f"--listen={path}", f"--engine={engine}"],
            check=True, text=True, stdout=subprocess.PIPE).stdout, encoding="utf-8")
        process = Process([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", written],
                          self.directory / f"{name}.log").start()
        process.up(path.exists, f"the proxy {name} to listen")
        self.proxies[name] = (f"unix://{path}", process)
        return self.proxies[name][0]

    def stop(self):
        for _, process in self.proxies.values():
            process.stop()
