# SPDX-License-Identifier: Apache-2.0
"""What a verification's answers mean, by a real Prometheus; and that our own absence is no answer."""
import json
import os
import signal
import subprocess
import time

import pytest

from harness.assertions import events, in_order
from harness.target import Target
from lab.parts import wait_for
from lab.prometheus import Prometheus
from lab.runbook import Exporter, Responder
from lab.sink import Sink
from lab.webhook import alert_of


@pytest.fixture
def sink():
    server = Sink().start()
    yield server
    server.stop()


@pytest.fixture
def prometheus(tmp_path):
    """It scrapes itself once a second, so that there are series, and has one that is always NaN."""
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yml"]}))
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "all", "rules": [
        {"record": "no_traffic", "expr": "vector(0) / vector(0)"}, {"record": "ones", "expr": "vector(1)"},
        {"record": "replicas", "expr": 'label_replace(vector(1), "n", "a", "", "") or label_replace(vector(5), "n", "b", "", "")'},
    ]}]}))
    server = Prometheus(tmp_path / "data").start(config)
    try:
        wait_for(lambda: len(server.query("replicas")) == 2, "the rules to be evaluated", 30)
        yield server
    finally:
        server.stop()


def remediation(name, **verify):
    return {"name": name, "match": [f'alertname="{name}"'], "steps": [{"host.memory": {}}], "on_failure": "escalate", "verify": verify}


def configuration(tmp_path, sink, remediations, **more):
    (tmp_path / "url").write_text(f"{sink.url}/oncall\n")
    path = tmp_path / "remediations.yml"
    path.write_text(json.dumps({"receivers": [{"name": "oncall", "format": "json", "url_file": f"{tmp_path}/url"}],
                                "escalate_to": "oncall", "remediations": remediations, **more}))
    return path


QUERIES = {  # what there is: ones is 1, replicas is 1 and 5, no_traffic is NaN
    "holds": ("ones < 2", "the query holds now, with 1"),
    "not": ("ones > 2", "the query is understood, and does not hold now"),
    "nan": ("no_traffic < 2", "no data for no_traffic (NaN)"),
    "nan-is-not-equal": ("no_traffic != 2", "no data for no_traffic (NaN)"),
    "absent": ('max(nothing{a="b"}) == 0', 'no data for nothing{a="b"}'),
    "quotient": ("sum(nothing) / sum(ones) < 0.1", "no data for nothing"),
    "one-of-two": ("replicas < 2", "the query is understood, and does not hold now"),
    "best-of-two": ("min(replicas) < 2", "the query holds now, with 1"),
    "by-bool": ("ones > bool 2", "the query is understood, and does not hold now"),
    "by-bool-nan": ("no_traffic < bool 2", "no data for no_traffic (NaN)"),
    "infinite": ("ones / 0 > 2", "the query holds now, with inf"),
    "pairs": ("replicas < on () group_left () (ones * 9)", "the query holds now, with 1"),
    "no-pair": ("replicas < on (n) ones", "no series of one side belongs to one of the other"),
    "and": ("ones < 2 and nothing > 1", "no data for nothing"),
    "or": ("nothing < 2 or ones < 2", "the query holds now, with 1"),
    "filtered": ("count(ones > 1) > 0", "the query is understood, and does not hold now"),
    "wanted-absent": ("absent(nothing)", "the query holds now, with 1"),
    "not-absent": ("absent(ones)", "the query is understood, and does not hold now"),
    "zero-by-choice": ("(sum(nothing) or vector(0)) < 1", "the query holds now, with 0"),
}


def test_what_a_query_says_and_what_it_does_not(binaries, tmp_path, prometheus, sink):
    path = configuration(tmp_path, sink, [remediation(name, query=query) for name, (query, _) in QUERIES.items()],
                         prometheus_url=prometheus.url)
    done = subprocess.run([binaries.responder, "doctor", f"--config.file={path}"], check=False, text=True, capture_output=True, timeout=60)
    said = {line.split(": ")[0].split()[-1]: line for line in done.stdout.splitlines()}
    for name, (query, wanted) in QUERIES.items():
        assert wanted in said[name], (query, said[name])


def test_h2_h3_what_nobody_can_know_is_told_as_such(binaries, tmp_path, prometheus, sink):
    """No traffic, no such series, no Prometheus: each with its words."""
    quick = {"within": "1500ms", "every": "300ms"}
    path = configuration(tmp_path, sink, [
        remediation("h2", query="no_traffic < 2", **quick), remediation("h3", query='max(gone{key="k"}) == 0', **quick),
        remediation("fine", query="ones == 1", **quick), remediation("not", query="ones == 2", **quick)],
        prometheus_url=prometheus.url)
    responder = Responder(binaries.responder, path, tmp_path / "run").start()
    try:
        responder.send(*[alert_of(name) for name in ("h2", "h3", "fine", "not")])
        told = {name: responder.wait_state(name, "healed" if name == "fine" else "escalated") for name in ("h2", "h3", "fine", "not")}
        words = {message["remediation"]: json.dumps(message) for message in sink.to("oncall")}
        assert "could not be verified" in words["h2"] and "no data for no_traffic (NaN)" in words["h2"]
        assert "could not be verified" in words["h3"] and 'no data for gone{key=' in words["h3"]
        assert "not healed" in words["not"] and "it was about 1" in words["not"]
        assert in_order(["verifying", "could not be verified", "escalated"], events(told["h2"]))
        prometheus.stop()
        responder.send(alert_of("fine", n="2"))
        responder.wait_state("fine", "escalated", n="2")
        last = json.dumps(sink.to("oncall")[-1])
        assert "could not be verified" in last and "Prometheus: " in last
    finally:
        responder.stop()


def test_h1_our_own_absence_is_no_answer(binaries, tmp_path, sink):
    """Killed, or stopped, for longer than `within:` while verifying; meanwhile it has helped. Seconds long, for that is the input."""
    page = Target()
    page.says({}, status=500)
    checks = tmp_path / "checks.yml"
    checks.write_text(json.dumps({"checks": [{"name": "page", "timeout": "1s", "http": {"url": page.url, "status": 200}}]}))
    exporter = Exporter(binaries.exporter, checks, tmp_path / "exporter").start()
    path = configuration(tmp_path, sink, [{**remediation("h1", check="page", within="3s", every="300ms", **{"for": "1s"}),
                                           "on_failure": "undo"}], exporter_url=exporter.url)
    responders = [Responder(binaries.responder, path, tmp_path / name) for name in ("killed", "stopped")]
    try:
        for responder in responders:
            responder.start()
            responder.send(alert_of("h1"))
            responder.wait_state("h1", "verifying")
        killed, stopped = responders
        os.kill(killed.process.pid, signal.SIGKILL)
        os.kill(stopped.process.pid, signal.SIGSTOP)
        page.says({}, status=200)
        time.sleep(4)  # longer than `within:`, which is what it is about
        os.kill(stopped.process.pid, signal.SIGCONT)
        killed.start()
        for responder in responders:
            incident = responder.wait_final("h1")
            assert incident["state"] == "healed", incident["timeline"]
        assert sink.received == []
    finally:
        for part in [*responders, exporter, page]:
            part.stop()
