# SPDX-License-Identifier: Apache-2.0
"""The world of tests/data/journal/before_rooms.yml: a database, a Prometheus, a receiver that hears and a deaf one."""

from harness.target import Target
from lab.parts import ROOT, free_port, wait_for
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of

JOURNAL = ROOT / "tests" / "data" / "journal" / "before_rooms.sql"
REMEDIATIONS = JOURNAL.with_suffix(".yml")


class World:
    def __init__(self, program, directory, postgres):
        self.directory, self.postgres = directory, postgres
        self.sink, self.prometheus = Sink().start(), Target()
        self.prometheus_finds(0)
        (directory / "oncall").write_text(f"{self.sink.url}/oncall\n", encoding="ascii")
        (directory / "deaf").write_text(f"http://127.0.0.1:{free_port()}/deaf\n", encoding="ascii")
        config = directory / "remediations.yml"
        config.write_text(REMEDIATIONS.read_text(encoding="utf-8")
                          .replace("DATABASE", postgres.dsn()).replace("DIRECTORY", str(directory))
                          .replace("PROMETHEUS", self.prometheus.url), encoding="utf-8")
        self.responder = Responder(program, config, directory / "run")

    def start(self, *flags):
        self.responder.arguments = lambda: [f"--journal={self.responder.journal}", *flags]
        return self.responder.start()

    def stop(self):
        """Ends all of it; the responder's exit status."""
        status = self.responder.stop()
        self.prometheus.stop()
        self.sink.stop()
        return status

    def prometheus_finds(self, count):
        """Every query gives so many samples from now on."""
        result = [{"metric": {}, "value": [1, "1"]}] * count
        self.prometheus.says({"status": "success", "data": {"resultType": "vector", "result": result}})

    def let_the_deaf_hear(self):
        (self.directory / "deaf").write_text(f"{self.sink.url}/deaf\n", encoding="ascii")

    def send(self, alertname, status="firing", **labels):
        self.responder.send(alert_of(alertname, status, **labels))

    def decide(self, incident, what, **document):
        code, answer = self.responder.post(f"/api/v1/incidents/{incident['number']}/{what}", {"by": "anna", **document})
        assert code == 200, answer

    def wait(self, remediation, state, **labels):
        return self.responder.wait_state(remediation, state, **labels)

    def wait_step(self, remediation, position, status, **labels):
        wait_for(lambda: self.responder.of(remediation, **labels)["steps"][position - 1]["status"] == status,
                 f"step {position} of {remediation} {labels} to be {status}", 60)

    def run(self, remediation, state, alertname=None, **labels):
        """An alert comes, and the incident gets as far as that."""
        self.send(alertname or remediation, **labels)
        return self.wait(remediation, state, **labels)
