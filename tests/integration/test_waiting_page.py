# SPDX-License-Identifier: Apache-2.0
"""The page that waits, with a real Alertmanager and a sink in a person's place: who is at it holds the page back, and
whatever goes wrong lets it come. Alertmanager has the file that `alertmanager-config` prints; the lease is four seconds here, in place of two minutes."""

import datetime
import http.server
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest

from lab.alertmanager import Alertmanager
from lab.parts import wait_for
from lab.runbook import Responder
from lab.sink import Sink

# Faults that are healed, and moments at which the responder is lost: `make check-deep` has as many as it takes to be sure.
HEALED, MOMENTS = (50, 100) if os.environ.get("RUNBOOK_DEEP") else (8, 2)

REMEDIATIONS = r"""
receivers: [{{name: oncall, format: log}}]
escalate_to: oncall
alertmanager_url: "{alertmanager}"
prometheus_url: "{prometheus}"
page_lease: 4s
breaker: off
storm: off
remediations:
  - {{name: heals, match: ['alertname="ill"'], lock: "n/${{labels.name}}", steps: [{{host.memory: {{}}}}],
     verify: {{query: 'well{{n="${{labels.name}}"}} == 1', within: 1m, every: 200ms}}}}
  - {{name: does_not, match: ['alertname="stubborn"'], lock: "n/${{labels.name}}", steps: [{{host.memory: {{}}}}],
     verify: {{query: 'well{{n="${{labels.name}}"}} == 1', within: 2s, every: 200ms}}}}
  - {{name: asks, match: ['alertname="delicate"'], approval: true, steps: [{{host.memory: {{}}}}]}}
"""

PERSON = """  - name: person
    webhook_configs: [{{url: "{person}/person", send_resolved: true}}]
"""


def shortened(text, person):
    """What `alertmanager-config` prints, with a sink in the person's place, and all of it in less time."""
    text = re.sub(r"  - name: person\n(    .*\n)+", PERSON.format(person=person), text)
    for long, short in (("group_wait: 90s", "group_wait: 6s"), ("group_wait: 5s", "group_wait: 0s"), ("group_wait: 10s", "group_wait: 0s"),
                        ("group_interval: 30s", "group_interval: 1s"), ("group_interval: 1m", "group_interval: 1s")):
        assert long in text, text
        text = text.replace(long, short)
    return text


class Verdicts:
    """In Prometheus' place: who is well."""

    def __init__(self):
        self.well = set()
        verdicts = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                query = form["query"][0]
                found = "==" not in query or any(f'"{name}"' in query for name in verdicts.well)
                result = [{"metric": {}, "value": [1, "1"]}] if found and "ALERTS" not in query else []
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class World:
    """Whoever is ill stays so until well() is called; then its alerts are resolved."""

    def __init__(self, directory, program):
        self.since = {}
        self.sink = Sink().start()
        self.verdicts = Verdicts()
        self.alertmanager = Alertmanager(directory / "alertmanager")
        self.responder = Responder(program, directory / "remediations.yml", directory / "responder")
        (directory / "remediations.yml").write_text(REMEDIATIONS.format(
            alertmanager=self.alertmanager.url, prometheus=self.verdicts.url))
        self.responder.start()
        printed = subprocess.run([program, "alertmanager-config", f"--config.file={directory}/remediations.yml",
                                  f"--url={self.responder.url}", f"--token-file={self.responder.token('alerts')}"],
                                 check=True, text=True, stdout=subprocess.PIPE).stdout
        config = directory / "alertmanager.yml"
        config.write_text(shortened(printed, self.sink.url))
        subprocess.run(["amtool", "check-config", config], check=True, stdout=subprocess.DEVNULL)
        self.alertmanager.start(config)

    def stop(self):
        self.responder.process.send(signal.SIGCONT)
        self.responder.stop()
        self.alertmanager.stop()
        self.verdicts.server.shutdown()
        self.sink.stop()

    def tell(self, alertname, name, over=False):
        """Both twins, as Prometheus sends them: what has fired for longer than group_wait is not waited for."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        since = self.since.setdefault(name, now)
        self.alertmanager.send(*({"labels": {"alertname": alertname, "name": name, "stage": stage},
                                  "startsAt": since,
                                  **({"endsAt": now} if over else {})} for stage in ("act", "page")))

    def well(self, alertname, name):
        self.verdicts.well.add(name)
        wait_for(lambda: self.of(name) and self.of(name)["state"] == "healed", f"{name} to be healed", 60)
        self.tell(alertname, name, over=True)

    def of(self, name):
        return next((one for one in (self.responder.incident(each["number"]) for each in self.responder.incidents())
                     if one["alert"]["labels"].get("name") == name), None)

    def held_back(self, name):
        """Whether Alertmanager has a lease that holds the page back."""
        alerts = self.alertmanager.alerts()
        return any(alert["status"]["inhibitedBy"] for alert in alerts
                   if alert["labels"].get("name") == name and alert["labels"]["stage"] == "page")

    def paged(self):
        return {alert["labels"]["name"] for document in self.sink.to("person") for alert in document["alerts"]}


@pytest.fixture
def world(tmp_path, binaries):
    made = World(tmp_path, binaries.responder)
    yield made
    made.stop()


def test_who_is_at_it_holds_the_page_back_and_nothing_else_does(world):
    healed = [f"healed{i}" for i in range(3)]
    for name in (*healed, "long"):
        world.tell("ill", name)
    world.tell("stubborn", "stubborn")
    world.tell("delicate", "delicate")
    world.tell("nobody's", "nobody's")
    for name in healed:
        world.well("ill", name)
    # Not healed, waiting for a person, and without a remediation: each has come.
    wait_for(lambda: {"stubborn", "delicate", "nobody's"} <= world.paged(), "the pages", 60)
    wait_for(lambda: world.held_back("long"), "the lease")
    assert world.paged() == {"stubborn", "delicate", "nobody's"}

    # Stopped: nothing of it renews the lease.
    world.responder.process.send(signal.SIGSTOP)
    wait_for(lambda: "long" in world.paged(), "the page of who hangs", 30)
    world.responder.process.send(signal.SIGCONT)

    # Paused, and killed.
    world.tell("ill", "paused")
    wait_for(lambda: world.held_back("paused"), "the lease")
    assert world.responder.post("/-/pause", {"by": "ada", "reason": "test"})[0] == 200
    wait_for(lambda: "paused" in world.paged(), "the page of who is paused", 30)
    assert world.responder.post("/-/resume", {"by": "ada", "reason": "test"})[0] == 200
    world.tell("ill", "killed")
    wait_for(lambda: world.held_back("killed"), "the lease")
    world.responder.process.send(signal.SIGKILL)
    wait_for(lambda: "killed" in world.paged(), "the page of who was killed", 30)
    assert not world.paged() & set(healed)


def test_faults_that_are_healed_page_nobody(world):
    healed = [f"healed{i}" for i in range(HEALED)]
    for name in healed:
        world.tell("ill", name)
    for name in healed:
        world.well("ill", name)
    # What comes after them and nothing answers to is there: theirs would be, too.
    world.tell("nobody's", "after them")
    wait_for(lambda: "after them" in world.paged(), "the page behind them", 60)
    assert world.paged() == {"after them"}


def lose(world, how):
    """Nothing of it renews the lease from now on. What brings it back."""
    if how == "paused":
        assert world.responder.post("/-/pause", {"by": "ada", "reason": "test"})[0] == 200
        return lambda: world.responder.post("/-/resume", {"by": "ada", "reason": "test"})
    if how == "stopped":
        world.responder.process.send(signal.SIGSTOP)
        return lambda: world.responder.process.send(signal.SIGCONT)
    if how == "killed":
        world.responder.process.send(signal.SIGKILL)
        world.responder.process.wait()
    else:
        world.responder.stop()
    return world.responder.start


def test_whenever_it_is_lost_the_page_comes(world):
    """At any moment of an incident, before its first lease or between two; by whatever it is lost."""
    chance = random.Random(13)
    for number in range(MOMENTS):
        name, how = f"moment{number}", ("killed", "stopped", "paused", "ended")[number % 4]
        world.tell("ill", name)
        time.sleep(chance.uniform(0, 3))  # the moment; nothing is waited for by it
        back = lose(world, how)
        wait_for(lambda: name in world.paged(), f"the page of {name}, {how}", 60)  # pylint: disable=cell-var-from-loop
        back()
        world.well("ill", name)


RECEIVERS = {
    "slack": "{name: oncall, format: slack, url_file: /run/secrets/url}",
    "pagerduty": "{name: oncall, format: pagerduty, routing_key_file: /run/secrets/key}",
    "mail": "{name: oncall, format: email, smtp: 'mail:587', from: a@b, to: [c@d, e@f], username: u, password_file: /run/secrets/p}",
    "log": "{name: oncall, format: log}",
}


@pytest.mark.parametrize("name", RECEIVERS)
def test_the_file_for_ones_receivers(tmp_path, binaries, name):
    """Alertmanager takes it as it is; where nobody knows who is called, it does not before that is filled in."""
    config = tmp_path / "remediations.yml"
    config.write_text(f"""
receivers: [{RECEIVERS[name]}]
escalate_to: oncall
external_url: https://runbook.example
repeat_interval: 2h
remediations:
  - {{name: one, match: ['alertname=~"it''s|a.b"', 'service!="x"'], steps: [{{host.memory: {{}}}}]}}
  - {{name: own, match: ['alertname="b"', 'stage="production"'], steps: [{{host.memory: {{}}}}]}}
""")
    done = subprocess.run([binaries.responder, "alertmanager-config", f"--config.file={config}"], check=True, text=True,
                          stdout=subprocess.PIPE)
    written = tmp_path / "alertmanager.yml"
    written.write_text(done.stdout)
    assert (subprocess.run(["amtool", "check-config", written], check=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL).returncode == 0) == (name != "log")
    written.write_text(done.stdout.replace("FILL IN WHO IS CALLED", "https://person.example"))
    # Whoever is paged is led to what was tried about just this alert.
    words, = re.findall(r"""^ +(?:text|description): '(.*What was tried.*)'$""", done.stdout, re.M)
    data = {"commonLabels": {"alertname": "it's a&b"}, "alerts": [{"annotations": {"summary": "too slow"}}]}
    (tmp_path / "data.json").write_text(json.dumps(data))
    shown = subprocess.run(["amtool", "template", "render", f"--template.glob={tmp_path}/*.tmpl", f"--template.text={words}",
                            f"--template.data={tmp_path}/data.json"], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert shown.strip() == "too slow\nWhat was tried: https://runbook.example/incidents?q=it%27s+a%26b"
    for labels, receiver in ((["alertname=it's", "service=a", "stage=act"], "runbook"), (["alertname=it's", "stage=page"], "person"),
                             (["alertname=it's", "stage=acting"], "nobody"), (["alertname=it's"], "runbook"),
                             (["alertname=other", "stage=act"], "nobody"), (["alertname=other", "stage=page"], "person"),
                             (["alertname=other"], "person"), (["alertname=it's", "service=x", "stage=act"], "nobody"),
                             (["alertname=b", "stage=production"], "runbook")):
        found = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={written}", *labels], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.strip()
        assert found == receiver, labels
