# SPDX-License-Identifier: Apache-2.0
"""An alert's life with a real Alertmanager: silenced, forgotten, resolved while Prometheus is dead, and still firing."""

import datetime
import json
import subprocess
import time
import urllib.request

import pytest

from lab.alertmanager import Alertmanager
from lab.parts import wait_for
from lab.prometheus import Prometheus, get_json
from lab.runbook import Responder, has_ended
from lab.webhook import alert_of

REMEDIATIONS = r"""
receivers: [{{name: oncall, format: log}}]
escalate_to: oncall
alertmanager_url: "{alertmanager}"
prometheus_url: "{prometheus}"
resolve_timeout: {believed}
remediations:
  - name: look
    match: ['alertname="slow"']
    lock: "n/${{labels.n}}"
    still_firing: 3s
    steps: [{{host.memory: {{}}}}]
"""

ALERTMANAGER = """
route:
  {receiver: runbook, group_by: [n], group_wait: 0s, group_interval: 1s, repeat_interval: 1h,
   routes: [{matchers: ['n="again"'], repeat_interval: 1s}]}
receivers:
  - name: runbook
    webhook_configs:
      - url: "%s/api/v1/alerts"
        send_resolved: true
        http_config: {authorization: {credentials_file: "%s"}}
"""


def post(url, document, method="POST"):
    request = urllib.request.Request(url, data=json.dumps(document).encode(), method=method,
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def fingerprint(**labels):
    """Alertmanager's own: FNV-1a of 64 bits over the sorted labels, each name and value ended by 255."""
    value = 0xcbf29ce484222325
    for byte in b"".join(part.encode() + b"\xff" for pair in sorted(labels.items()) for part in pair):
        value = (value ^ byte) * 0x100000001b3 % 2**64
    return f"{value:016x}"


class World:
    """A responder and an Alertmanager that know each other; Prometheus is dead until it is started."""

    def __init__(self, directory, program):
        self.directory = directory
        self.heard = 0
        self.prometheus = Prometheus(directory / "prometheus")
        self.alertmanager = Alertmanager(directory / "alertmanager")
        self.responder = Responder(program, directory / "remediations.yml", directory / "responder")
        self.configure("1m")
        self.responder.start()
        (directory / "alertmanager.yml").write_text(ALERTMANAGER % (self.responder.url, self.responder.token("alerts")))
        self.alertmanager.start(directory / "alertmanager.yml")

    def configure(self, believed):
        (self.directory / "remediations.yml").write_text(REMEDIATIONS.format(
            alertmanager=self.alertmanager.url, prometheus=self.prometheus.url, believed=believed))

    def tell(self, *names, over=False, since="2026-01-01T00:00:00Z"):
        """As Prometheus does it."""
        post(f"{self.alertmanager.url}/api/v2/alerts", [
            {"labels": {"alertname": "slow", "n": n}, "startsAt": since,
             **({"endsAt": "2026-01-01T01:00:00Z"} if over else {})} for n in names])

    def silence(self, n):
        """Its id."""
        now = datetime.datetime.now(datetime.timezone.utc)
        return post(f"{self.alertmanager.url}/api/v2/silences", {
            "matchers": [{"name": "n", "value": n, "isRegex": False, "isEqual": True}], "createdBy": "ada",
            "comment": "migration", "startsAt": now.isoformat(),
            "endsAt": (now + datetime.timedelta(hours=1)).isoformat()})["silenceID"]

    def wait_up(self, seconds):
        """Until it has been up for so long, and what it was told is no younger."""
        def is_up():
            if time.monotonic() - self.heard < seconds + 1:
                return False
            started = datetime.datetime.fromisoformat(
                get_json(f"{self.alertmanager.url}/api/v2/status")["uptime"][:19] + "+00:00")
            return (datetime.datetime.now(datetime.timezone.utc) - started).total_seconds() > seconds + 1

        wait_for(is_up, f"Alertmanager to be up for {seconds} s", 30)

    def restart_alertmanager(self):
        """It keeps its silences, and has forgotten its alerts."""
        self.alertmanager.stop()
        self.alertmanager.start(self.directory / "alertmanager.yml")
        assert self.alertmanager.alerts() == []

    def pause(self, paused):
        assert self.responder.post("/-/pause" if paused else "/-/resume", {"by": "test"})[0] == 200

    def wait_held(self, guard, n):
        def held():
            incident = self.responder.of("look", n=n)
            return incident if incident["state"] == "held" and incident["guard"] == guard else None

        incident = wait_for(held, f"the incident of {n} to be held by {guard}", 40)
        self.heard = time.monotonic()
        return incident

    def stop(self):
        self.responder.stop()
        self.alertmanager.stop()
        self.prometheus.stop()


@pytest.fixture(name="world")
def the_world(tmp_path, binaries):
    world = World(tmp_path, binaries.responder)
    yield world
    world.stop()


def reasons(incident):
    return " ".join(row.get("detail", {}).get("reason", "") for row in incident["timeline"])


def test_e1_to_e6_an_alerts_life(world):
    world.pause(True)
    # Nobody's own word is an identity: each of these two is first heard of under the other's fingerprint.
    for n, other in (("silenced", "firing"), ("firing", "silenced")):
        world.responder.send({"status": "firing", "labels": {"alertname": "slow", "n": n},
                              "startsAt": "2026-01-01T00:00:00Z", "fingerprint": fingerprint(alertname="slow", n=other)})
    world.tell("silenced", "resolved", "firing")
    for n in ("silenced", "resolved", "firing"):
        world.wait_held("paused", n)
    assert {alert["fingerprint"] for alert in world.alertmanager.alerts()} >= {
        fingerprint(alertname="slow", n=n) for n in ("silenced", "firing")}
    silence = world.silence("silenced")
    world.tell("again")
    world.wait_held("paused", "again")
    world.wait_up(5)

    # E5: nobody tells whether that is so, for Prometheus is dead. E4: what an operator does first. E3: it is asked for.
    world.tell("resolved", over=True)
    assert "Prometheus, which would know, cannot be asked" in reasons(world.wait_held("unknown", "resolved"))
    world.pause(False)
    assert f"silence {silence} by ada: migration" in reasons(world.wait_held("silenced", "silenced"))

    # E1: it was acted upon, is silenced, and over meanwhile, of which nobody hears; then it fires anew. Alertmanager tells
    # it as one that never ended, with another beginning.
    first = wait_for(lambda: (one := world.responder.of("look", n="again")) and has_ended(one) and one, "the first firing's end", 40)
    again = world.silence("again")
    world.tell("again", over=True)
    wait_for(lambda: all(one["labels"]["n"] != "again" for one in world.alertmanager.alerts()), "it to be over", 40)
    post(f"{world.alertmanager.url}/api/v2/silence/{again}", {}, "DELETE")
    world.tell("again", since=datetime.datetime.now(datetime.timezone.utc).isoformat())
    wait_for(lambda: (one := world.responder.of("look", n="again"))["number"] != first["number"] and one["running_at"],
             "what fires again to be acted upon again", 40)

    # E2: it was healed, and goes on.
    wait_for(lambda: any(row["event"] == "still firing" for row in world.responder.of("look", n="firing")["timeline"]),
             "what goes on to be told", 40)
    assert world.responder.of("look", n="firing")["state"] == "escalated"
    assert world.responder.of("look", n="resolved")["guard"] == "unknown"
    assert world.responder.of("look", n="silenced")["guard"] == "silenced"

    post(f"{world.alertmanager.url}/api/v2/silence/{silence}", {}, "DELETE")
    (world.directory / "prometheus.yml").write_text("{}\n")
    world.prometheus.start(world.directory / "prometheus.yml")
    assert world.responder.wait_state("look", "cancelled", n="resolved")["running_at"] is None
    wait_for(lambda: world.responder.of("look", n="silenced")["running_at"], "what is silenced no more to begin", 40)

    # E6: it knows nothing, for it was started anew; the webhook of before is evidence. Later its empty list is an answer.
    world.pause(True)
    world.tell("forgotten")
    world.wait_held("paused", "forgotten")
    world.restart_alertmanager()
    world.wait_up(5)
    world.pause(False)
    wait_for(lambda: world.responder.of("look", n="forgotten")["running_at"], "what was forgotten to begin", 40)
    world.pause(True)
    world.tell("gone")
    world.wait_held("paused", "gone")
    world.restart_alertmanager()
    world.wait_up(5)
    world.responder.stop()
    world.configure("1s")
    world.responder.start()
    world.pause(False)
    assert world.responder.wait_state("look", "cancelled", n="gone")["running_at"] is None
    assert world.responder.verify_journal().returncode == 0


def test_a_maintenance_silences_holds_and_ends_by_itself(world):
    responder = world.responder

    def terminal(*words):
        made = subprocess.run([responder.program, *words, f"--journal={responder.journal}"], capture_output=True, text=True,
                              check=False)
        return made.returncode, made.stdout + made.stderr

    def silences():
        return [one for one in get_json(f"{world.alertmanager.url}/api/v2/silences") if one["status"]["state"] != "expired"]

    def maintenance():
        return responder.get("/api/v1/status")["maintenance"]

    world.silence("of a person")
    code, said = terminal("maintenance", "--for", "30m", "--reason=upgrade of the database")
    assert code == 0 and said.startswith("Maintenance by uid ") and "nothing is begun before" in said, said
    wait_for(lambda: len(silences()) == 2, "its silence to be set", 30)
    ours = next(one for one in silences() if "maintenance since" in one["comment"])
    assert ours["matchers"] == [{"name": "alertname", "value": "slow", "isRegex": False, "isEqual": True}]
    assert ours["comment"].endswith("look: upgrade of the database") and ours["createdBy"].startswith("uid ")
    responder.send(alert_of("slow", n="held"))
    incident = world.wait_held("maintenance", "held")
    assert incident["guard_until"] and not incident["owes"]
    page = responder.page("/")
    assert "Maintenance: nothing is begun" in page and "upgrade of the database" in page and "Alertmanager is silenced" in page
    assert "Maintenance by uid" in terminal("incidents")[1]

    # By hand it is over at once; what a person has silenced stays so.
    assert terminal("maintenance", "--end") == (0, "No maintenance: remediations are begun.\n")
    wait_for(lambda: [one["createdBy"] for one in silences()] == ["ada"], "its silence to be ended", 30)
    wait_for(lambda: responder.of("look", n="held")["running_at"], "what was held to begin", 40)
    code, said = terminal("maintenance", "--end")
    assert code == 1 and "there is no maintenance" in said, said
    assert terminal("maintenance")[0] == 2 and terminal("maintenance", "--for=forever")[0] == 2

    # It ends by itself, also while the responder is down, or killed.
    assert terminal("maintenance", "--for=3s")[0] == 0
    wait_for(lambda: maintenance() is None or maintenance()["silenced"], "its silence to be set", 30)
    responder.process.kill()
    responder.start()
    wait_for(lambda: maintenance() is None, "it to be over", 30)
    wait_for(lambda: [one["createdBy"] for one in silences()] == ["ada"], "its silence to be ended", 30)
    responder.send(alert_of("slow", n="after"))
    wait_for(lambda: responder.of("look", n="after")["running_at"], "what comes afterwards to begin", 40)
    assert responder.verify_journal().returncode == 0
