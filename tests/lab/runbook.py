# SPDX-License-Identifier: Apache-2.0
"""The two daemons."""

import json
import pathlib
import subprocess
import urllib.error
import urllib.request

from .pages import PAGES
from .parts import Process, free_port, wait_for
from .prometheus import answers, get_json
from .webhook import webhook_of


def has_ended(incident):
    """A state alone does not tell: who has failed is not at its end before it is written down who was called."""
    return bool(incident and incident["ended_at"])


class Daemon:
    def __init__(self, program, config, directory, env=None):
        self.program = pathlib.Path(program)
        self.config = pathlib.Path(config)
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.env = env or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def arguments(self):
        return []

    def start(self, env=None, ready=True):
        argv = [self.program, f"--config.file={self.config}", f"--web.listen-address=127.0.0.1:{self.port}",
                *self.arguments()]
        log = self.directory / f"{self.program.name}.log"
        self.process = Process(argv, log, {**self.env, **(env or {})}, cwd=self.directory).start()
        if ready:
            self.process.up(lambda: answers(f"{self.url}/-/ready"), f"{self.program.name} to be ready")
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def get(self, path):
        return get_json(self.url + path)

    def page(self, path="/metrics"):
        with urllib.request.urlopen(self.url + path, timeout=15) as answer:
            page = answer.read().decode()
            PAGES.read(page, answer.headers["Content-Type"])
            return page

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0


class Exporter(Daemon):
    pass


class Responder(Daemon):
    more = ()  # further arguments

    @property
    def journal(self):
        return self.directory / "journal.db"

    def arguments(self):
        return [f"--journal={self.journal}", *self.more]

    def token(self, role):
        """The file of a role's token; those of alerts and operator are there once the responder is."""
        return self.journal.parent / "tokens" / role

    def _shown(self, path):
        """The token that a path asks for, where there are any."""
        file = self.token("alerts" if path == "/api/v1/alerts" else "admin" if path == "/-/reload" else "operator")
        return {"Authorization": f"Bearer {file.read_text().strip()}"} if file.exists() else {}

    def post(self, path, document=None, headers=None):
        """Posts JSON with the token of the role that may; (status, document of the answer, or its text when it is none)."""
        headers = {"Content-Type": "application/json", **(self._shown(path) if headers is None else headers)}
        request = urllib.request.Request(self.url + path, data=json.dumps(document or {}).encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
                return answer.status, json.loads(text) if text.startswith("{") else text
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def send(self, *alerts):
        """As Alertmanager does, in one webhook, which has to be accepted."""
        status, answer = self.post("/api/v1/alerts", webhook_of(*alerts))
        assert status == 200, answer

    def incidents(self):
        """Newest first."""
        answer = self.get("/api/v1/incidents?limit=100")
        return answer["incidents"] if isinstance(answer, dict) else answer

    def incident(self, number):
        return self.get(f"/api/v1/incidents/{number}")

    def of(self, remediation, **labels):
        """The newest incident of a remediation, whole; None when there is none."""
        for incident in self.incidents():
            if incident["remediation"] == remediation:
                whole = self.incident(incident["number"])
                if all(whole["alert"]["labels"].get(name) == value for name, value in labels.items()):
                    return whole
        return None

    def wait_state(self, remediation, state, **labels):
        """The newest incident of a remediation, once it is in the state."""
        def reached():
            incident = self.of(remediation, **labels)
            return incident if incident and incident["state"] == state else None

        return wait_for(reached, f"an incident of {remediation} {labels or ''} to be {state}", 60)

    def wait_final(self, remediation, timeout=90, **labels):
        def final():
            incident = self.of(remediation, **labels)
            return incident if has_ended(incident) else None

        return wait_for(final, f"an incident of {remediation} to end", timeout, every=0.2)

    def verify_journal(self):
        return subprocess.run([self.program, "verify", "--journal", self.journal], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
