# SPDX-License-Identifier: Apache-2.0
"""The world of tests/data/journal/before_rooms.yml: a database, a Prometheus, a receiver that hears and a deaf one."""

import http.server
import json
import threading

from lab.parts import ROOT, free_port, wait_for
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of, webhook_of

JOURNAL = ROOT / "tests" / "data" / "journal" / "before_rooms.sql"
REMEDIATIONS = JOURNAL.with_suffix(".yml")


class Prometheus:
    """Answers every query with one sample while `holds`, else with none."""

    def __init__(self):
        self.holds = False
        prometheus = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                result = [{"metric": {}, "value": [1, "1"]}] if prometheus.holds else []
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class World:
    def __init__(self, program, directory, postgres):
        self.directory, self.postgres = directory, postgres
        self.sink, self.prometheus = Sink().start(), Prometheus()
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

    def let_the_deaf_hear(self):
        (self.directory / "deaf").write_text(f"{self.sink.url}/deaf\n", encoding="ascii")

    def send(self, alertname, status="firing", **labels):
        code, answer = self.responder.post("/api/v1/alerts", webhook_of(alert_of(alertname, status, **labels)))
        assert code == 200, answer

    def decide(self, incident, what, **document):
        code, answer = self.responder.post(f"/api/v1/incidents/{incident['number']}/{what}", {"by": "anna", **document})
        assert code == 200, answer

    def wait(self, remediation, state, **labels):
        def reached():
            incident = self.responder.of(remediation, **labels)
            return incident if incident and incident["state"] == state else None

        return wait_for(reached, f"{remediation} {labels} to be {state}", 60)

    def wait_step(self, remediation, position, status, **labels):
        wait_for(lambda: self.responder.of(remediation, **labels)["steps"][position - 1]["status"] == status,
                 f"step {position} of {remediation} {labels} to be {status}", 60)

    def run(self, remediation, state, alertname=None, **labels):
        """An alert comes, and the incident gets as far as that."""
        self.send(alertname or remediation, **labels)
        return self.wait(remediation, state, **labels)
