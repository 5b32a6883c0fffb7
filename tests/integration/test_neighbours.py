# SPDX-License-Identifier: Apache-2.0
"""One slow neighbour costs nobody else: receivers, Prometheus and Alertmanager that take connections and never answer."""

import concurrent.futures
import http.server
import threading

import pytest

from lab.hung import Hung
from lab.parts import wait_for
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of, webhook_of

# By check and by query are two neighbours, and so are two receivers.
REMEDIATIONS = """
prometheus_url: "{prometheus}"
exporter_url: "{exporter}"
alertmanager_url: "{alertmanager}"
repeat_interval: 4s
receivers: [{{name: deaf, format: json, url_file: {deaf}}}, {{name: oncall, format: json, url_file: {oncall}}}]
escalate_to: oncall
remediations:
  - {{name: waits, match: ['alertname="waits"'], lock: "n/${{labels.n}}", steps: [{{host.memory: {{}}}}], approval: true,
      expire: 1s, escalate_to: deaf}}
  - {{name: asks, match: ['alertname="asks"'], lock: "n/${{labels.n}}", steps: [{{host.memory: {{}}}}], escalate_to: deaf,
      verify: {{query: up, within: 1h, every: 1s}}}}
  - {{name: heals, match: ['alertname="heals"'], steps: [{{host.memory: {{}}}}], escalate_to: deaf,
      verify: {{check: root, within: 1h, every: 1s, for: 2s}}}}
  - {{name: calls, match: ['alertname="calls"'], steps: [{{host.memory: {{}}}}],
      verify: {{check: broken, within: 1s, every: 1s}}}}
"""
MANY = 60


class Checks(http.server.BaseHTTPRequestHandler):
    """An exporter with a check that succeeds and one that does not."""

    def do_GET(self):  # pylint: disable=invalid-name
        page = b'runbook_check_success{check="root"} 1\nrunbook_check_success{check="broken"} 0\n'
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


@pytest.fixture
def exporter():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Checks)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def hung():
    """hung() is one more neighbour that takes connections and never answers."""
    made = []

    def make():
        made.append(Hung().start())
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def sink():
    server = Sink().start()
    yield server
    server.stop()


def test_j1_who_hangs_costs_nobody_else(binaries, tmp_path, hung, sink, exporter):
    deaf, prometheus, alertmanager = hung(), hung(), hung()
    (tmp_path / "deaf").write_text(f"{deaf.url}/deaf\n")
    (tmp_path / "oncall").write_text(f"{sink.url}/oncall\n")
    config = tmp_path / "remediations.yml"
    config.write_text(REMEDIATIONS.format(prometheus=prometheus.url, alertmanager=alertmanager.url, exporter=exporter,
                                          deaf=tmp_path / "deaf", oncall=tmp_path / "oncall"))
    responder = Responder(binaries.responder, config, tmp_path / "responder").start()
    try:
        responder.send(*[alert_of(name, n=str(n)) for n in range(MANY) for name in ("waits", "asks")])
        deaf.wait_for_peers(8)
        prometheus.wait_for_peers(8)
        responder.send(alert_of("heals"), alert_of("calls"))
        assert responder.wait_final("heals", timeout=20)["state"] == "healed"
        assert responder.wait_final("calls", timeout=20)["state"] == "escalated"
        assert [message["remediation"] for message in sink.to("oncall")] == ["calls"]
        assert deaf.peers() >= 8 and prometheus.peers() >= 8  # and still nobody has answered
        status, _ = responder.post("/-/pause", {"by": "ada"})
        assert status == 200
    finally:
        responder.stop()


CUT = """
alertmanager_url: "{alertmanager}"
receivers: [{{name: oncall, format: log}}]
escalate_to: oncall
remediations:
  - {{name: look, match: ['alertname="look"'], lock: "n/${{labels.n}}", steps: [{{host.memory: {{}}}}]}}
"""


def test_f12_the_kill_switch_is_behind_no_cut_group(binaries, tmp_path, hung):
    alertmanager = hung()
    config = tmp_path / "remediations.yml"
    config.write_text(CUT.format(alertmanager=alertmanager.url))
    responder = Responder(binaries.responder, config, tmp_path / "responder").start()

    def deliver(n):
        return responder.post("/api/v1/alerts", {**webhook_of(alert_of("look", n=str(n))), "truncatedAlerts": 5})

    try:
        with concurrent.futures.ThreadPoolExecutor(40) as senders:
            answers = [senders.submit(deliver, n) for n in range(40)]
            # What is beyond the places of those that wait is told at once to come again, and why.
            status, text = next(concurrent.futures.as_completed(answers)).result()
            assert status == 503 and "too many of its kind wait already" in text
            alertmanager.wait_for_peers(4)
            # Every one of them waits for ten seconds: all this is answered while they do.
            for path in ("/-/pause", "/-/resume"):
                status, _ = responder.post(path, {"by": "ada"})
                assert status == 200
            assert "runbook_paused 0" in responder.page()
            assert responder.get("/api/v1/incidents")
            assert "look" in responder.page("/")
            assert not all(answer.done() for answer in answers)
            for number in (incident["number"] for incident in responder.incidents()):
                assert responder.incident(number)
            alertmanager.stop()
            assert {answer.result()[0] for answer in answers} == {503}
        # What was delivered is acted upon all the same.
        wait_for(lambda: sum(one["state"] == "done" for one in responder.incidents()) == 40, "all to be looked at")
    finally:
        responder.stop()
