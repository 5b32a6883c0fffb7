# SPDX-License-Identifier: Apache-2.0
"""A real Alertmanager's webhooks, and what SIGKILL leaves of the answers that were given."""

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import urllib.request

import pytest

from lab.alertmanager import Alertmanager
from lab.parts import wait_for
from lab.runbook import Responder
from lab.webhook import alert_of, webhook_of

REMEDIATIONS = r"""
receivers: [{name: oncall, format: log}]
escalate_to: oncall
alertmanager_url: "%s"
remediations:
  - name: look
    match: ['alertname=~"slow|durable"', 'n=~"[^.]+|\d\.\d\.0"']
    lock: "n/${labels.n}"
    steps: [{host.memory: {}}]
"""

# Groups of five and more are cut to one alert; the receiver's name is sent escaped, for it is a pattern.
ALERTMANAGER = """
route: {receiver: run.book, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: run.book
    webhook_configs:
      - {url: "%s/api/v1/alerts", send_resolved: true, max_alerts: %d,
         http_config: {authorization: {credentials_file: "%s"}}}
"""


@pytest.fixture
def make(tmp_path, binaries):
    """make(max_alerts) gives an Alertmanager and a responder that know each other, both running."""
    running = []

    def start(max_alerts=0):
        alertmanager = Alertmanager(tmp_path / "alertmanager")
        config = tmp_path / "remediations.yml"
        config.write_text(REMEDIATIONS % alertmanager.url)
        responder = Responder(binaries.responder, config, tmp_path / "responder").start()
        running.append(responder)
        config = tmp_path / "alertmanager.yml"
        config.write_text(ALERTMANAGER % (responder.url, max_alerts, responder.token("alerts")))
        running.append(alertmanager.start(config))
        return alertmanager, responder

    yield start
    for part in reversed(running):
        assert part.stop() in (None, 0)


def tell(alertmanager, *alerts):
    """As Prometheus does it."""
    request = urllib.request.Request(f"{alertmanager.url}/api/v2/alerts", data=json.dumps(alerts).encode(),
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def firing(**labels):
    return {"labels": {"alertname": "slow", **labels}, "startsAt": "2026-01-01T00:00:00Z"}


def resolved(**labels):
    return {**firing(**labels), "endsAt": "2026-01-01T01:00:00Z"}


def looked_at(responder):
    """{label n: number of its incident}, once all have ended; each may have but one."""
    incidents = [responder.incident(one["number"]) for one in responder.incidents()]
    found = {one["alert"]["labels"]["n"]: one["number"] for one in incidents if one["state"] == "done"}
    assert len(found) == len(incidents)
    return found


def test_a_group_that_was_cut_is_completed(make):
    alertmanager, responder = make(max_alerts=1)
    names = {'ä "quoted" \\ one', "2", "3", "4", "5"}
    tell(alertmanager, *(firing(n=name) for name in names))
    wait_for(lambda: set(looked_at(responder)) == names, "an incident for each alert of a cut group", 20)


def test_groups_sent_again_open_nothing_twice(make):
    alertmanager, responder = make()
    tell(alertmanager, firing(n="1"))
    wait_for(lambda: set(looked_at(responder)) == {"1"}, "the first alert's incident", 20)
    tell(alertmanager, firing(n="2"))  # sends the whole group: the first again
    first = wait_for(lambda: looked_at(responder) if len(looked_at(responder)) == 2 else None, "the second's", 20)

    # Resolved and fired again is another episode.
    tell(alertmanager, resolved(n="1"))

    def closed():
        incident = responder.incident(first["1"])
        return any(row["event"] == "alert resolved" for row in incident["timeline"])

    wait_for(closed, "the first alert's end", 20)
    tell(alertmanager, {**firing(n="1"), "startsAt": "2026-01-01T02:00:00Z"})
    wait_for(lambda: len(responder.incidents()) == 3, "an incident of the new episode", 20)
    assert responder.incidents()[0]["number"] not in first.values()
    assert responder.verify_journal().returncode == 0


def rows(responder, query):
    """Of the journal's file, as it is."""
    with contextlib.closing(sqlite3.connect(responder.journal, timeout=10)) as journal:
        return list(journal.execute(query))


class Sender(threading.Thread):
    """Posts one new alert after the other on one connection, until it breaks; knows which were acknowledged."""

    def __init__(self, responder, name, enough):
        super().__init__()
        self.connection = http.client.HTTPConnection("127.0.0.1", responder.port, timeout=20)
        self.headers = {"Authorization": f"Bearer {responder.token('alerts').read_text().strip()}"}
        self.label = name
        self.enough = enough
        self.acknowledged = []
        self.refused = []

    def run(self):
        try:
            while True:
                alert = alert_of("durable", n=f"{self.label}.{len(self.acknowledged)}")
                self.connection.request("POST", "/api/v1/alerts", json.dumps(webhook_of(alert)), self.headers)
                answer = self.connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.refused.append(answer.status)
                    return
                self.acknowledged.append(alert["fingerprint"])
                self.enough.release()
        except (OSError, http.client.HTTPException):
            pass  # killed


@pytest.fixture
def alone(tmp_path, binaries):
    """A responder without an Alertmanager, not started yet."""
    config = tmp_path / "remediations.yml"
    config.write_text(REMEDIATIONS % "http://127.0.0.1:1")
    responder = Responder(binaries.responder, config, tmp_path / "responder")
    yield responder
    responder.stop()


def test_what_was_acknowledged_survives_a_kill(alone):
    responder = alone
    acknowledged = set()
    for life in range(4):
        responder.start()
        enough = threading.Semaphore(0)
        senders = [Sender(responder, f"{life}.{i}", enough) for i in range(8)]
        for sender in senders:
            sender.start()
        for _ in range(random.randint(1, 300)):
            assert enough.acquire(timeout=20)
        responder.process.kill()
        for sender in senders:
            sender.join()
            assert not sender.refused
            acknowledged.update(sender.acknowledged)

        kept = {row[0] for row in rows(responder, "SELECT fingerprint FROM episodes")}
        assert acknowledged <= kept
        # One more may be kept of each sender: journaled, but killed before it was told.
        assert len(kept) <= len(acknowledged) + len(senders) * (life + 1)

    responder.start()
    wait_for(lambda: rows(responder, "SELECT count(*) FROM episodes WHERE matched") == [(len(kept),)],
             "every episode to be matched", 60)
    # Each sender's first alert has a remediation: it ran once, however many lives it took.
    ours = {alert["fingerprint"] for alert in map(json.loads, (row[0] for row in rows(responder, "SELECT alert FROM episodes")))
            if alert["labels"]["n"].endswith(".0")}
    wait_for(lambda: rows(responder, "SELECT state, count(*) FROM incidents GROUP BY state") == [("done", len(ours))],
             "one incident for each of those that match to end", 60)
    assert responder.stop() == 0
    verdict = responder.verify_journal()
    assert verdict.returncode == 0, verdict.stdout
