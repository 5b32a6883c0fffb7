# SPDX-License-Identifier: Apache-2.0
"""Whoever is told: each format is taken by a service that refuses what the real one would, and no secret of it is shown."""

import json
import re
import sqlite3
import subprocess
import urllib.request

import pytest

from lab.apis import refusal
from lab.certificates import Authority
from lab.parts import ROOT, wait_for
from lab.runbook import Responder
from lab.sink import Sink
from lab.smtp import MailServer
from lab.webhook import alert_of

MESSAGES = ROOT / "tests" / "data" / "golden" / "messages"
ROUTING_KEY, TOKEN, PASSWORD = "0123456789abcdef0123456789abcdef", "tk_verysecrettoken", "very secret pässword"
FORMATS = ("slack", "json", "pagerduty", "teams", "ntfy")


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.json")), ids=lambda path: path.name)
def test_golden_bodies_are_taken(path):
    """Those that tests/unit/responder/targets/formats/test_formats.c holds the formats against."""
    word = path.stem.rpartition("-")[2].replace("generic", "json")
    assert refusal(word, path.read_bytes()) is None


def test_the_sinks_refuse():
    """Who takes everything shows nothing."""
    for word, document in (("slack", {"text": "<!channel>"}), ("slack", {}), ("pagerduty", {"event_action": "trigger"}),
                           ("teams", {"type": "message", "attachments": []}), ("ntfy", {"topic": "a b", "message": ""}),
                           ("slack", {"text": "x", "attachments": [{"color": "good", "blocks": []}]})):
        assert refusal(word, json.dumps(document).encode()), (word, document)


@pytest.fixture
def sink():
    started = Sink().start()
    started.apis = {f"/{word}/s3cret": word for word in FORMATS if word != "ntfy"} | {"/s3cret/": "ntfy"}
    yield started
    started.stop()


@pytest.fixture
def mail(tmp_path):
    authority = Authority(tmp_path / "ca")
    started = MailServer(authority.issue("mail", "DNS:localhost,IP:127.0.0.1"), {"runbook": PASSWORD}).start()
    started.authority = authority
    yield started
    started.stop()


def secret(directory, name, value):
    file = directory / name
    file.write_text(value, encoding="utf-8")
    return str(file)


def receivers(directory, sink, mail):
    urls = {word: f"{sink.url}/{word}/s3cret" for word in FORMATS} | {"ntfy": f"{sink.url}/s3cret/night"}
    found = [{"name": word, "format": word, "url_file": secret(directory, word, urls[word])} for word in FORMATS]
    for receiver in found:
        if receiver["format"] in ("json", "ntfy"):
            receiver["token_file"] = secret(directory, "token", TOKEN)
        if receiver["format"] == "pagerduty":
            receiver["routing_key_file"] = secret(directory, "routing_key", ROUTING_KEY)
    found.append({"name": "email", "format": "email", "smtp": mail.address, "username": "runbook",
                  "password_file": secret(directory, "password", PASSWORD), "from": "runbook@lab.example",
                  "to": ["ada@lab.example", "bob@lab.example"], "ca_file": str(mail.authority.file)})
    return found


@pytest.fixture
def responder(tmp_path, binaries, sink, mail):
    names = [*FORMATS, "email"]
    remediations = [{"name": name, "match": [f'alertname="{name}"'], "escalate_to": name, "tell": ["cancelled"],
                     "approval": True, "steps": [{"host.memory": {}}]} for name in names]
    remediations.append({"name": "all", "match": ['alertname="all"'], "steps": [
        {"notify": {"to": name, "text": "${labels.service} was looked at"}} for name in names]})
    config = tmp_path / "remediations.yml"
    config.write_text(json.dumps({"receivers": receivers(tmp_path, sink, mail), "escalate_to": "json", "unmatched_to": "teams",
                                  "external_url": "https://runbook.example", "remediations": remediations}))
    started = Responder(binaries.responder, config, tmp_path / "responder").start()
    yield started
    assert started.stop() in (0, None)


HOSTILE = '<!channel> *a* [b](http://x) "q"\r\nBcc: all@lab.example\r\n.\r\n'


def everything_of(responder):
    """Whatever the responder shows or keeps."""
    journal = sqlite3.connect(responder.journal)
    kept = "".join(journal.iterdump())
    journal.close()
    shown = [responder.page(path) for path in ("/", "/metrics", "/api/v1/incidents?limit=100")]
    shown += [json.dumps(responder.incident(incident["number"])) for incident in responder.incidents()]
    return kept + "".join(shown) + (responder.directory / "runbook_responder.log").read_text(encoding="utf-8")


def hides_secrets(responder, mail):
    everything = everything_of(responder)
    for hidden in ("s3cret", ROUTING_KEY, TOKEN, PASSWORD):
        assert hidden not in everything
    assert not [line for line in mail.said if PASSWORD in line]


def test_each_format_is_taken(responder, sink, mail):
    responder.send(alert_of("all", service=HOSTILE), *(alert_of(word, service=HOSTILE) for word in [*FORMATS, "email"]))
    done = responder.wait_final("all")
    assert done["state"] == "done" and {step["status"] for step in done["steps"]} == {"done"}, done["steps"]
    paths = sorted(sink.apis)
    wait_for(lambda: all(len(sink.to(path[1:])) == 2 for path in paths) and len(mail.received) == 2, "all to be told")
    assert sink.wrong == []

    # By the key of its service, so that its end resolves it.
    (asked,) = [body for body in sink.to("pagerduty/s3cret") if "awaits approval" in body["payload"]["summary"]]
    waits = responder.of("pagerduty")
    assert asked["event_action"] == "trigger" and asked["dedup_key"].startswith(waits["number"] + "-")
    assert asked["routing_key"] == ROUTING_KEY and asked["payload"]["severity"] == "warning"
    assert waits["number"] in asked["client_url"] and asked["client_url"].startswith("https://runbook.example/")
    for name in ("pagerduty", "email"):
        responder.send(alert_of(name, status="resolved", service=HOSTILE))
        assert responder.wait_final(name)["state"] == "cancelled"
    wait_for(lambda: len(sink.to("pagerduty/s3cret")) == 3 and len(mail.received) == 3, "the ends to be told")
    end = sink.to("pagerduty/s3cret")[-1]
    assert end == {"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": asked["dedup_key"]}

    authorized = {header for headers in sink.headers if (header := headers.get("Authorization"))}
    assert authorized == {f"Bearer {TOKEN}"}
    sender, recipients, by_tls, _ = mail.received[0]
    assert (sender, recipients, by_tls) == ("runbook@lab.example", ["ada@lab.example", "bob@lab.example"], True)
    mails = [received for _, _, _, received in mail.received]
    assert not [received for received in mails if received["Bcc"]]
    asked, over = [received for received in mails if responder.of("email")["number"] in received["Subject"]]
    assert asked["References"] == over["References"] and asked["Message-ID"] != over["Message-ID"]
    assert "https://runbook.example/" in asked.get_content() and "Bcc: all@lab.example" in asked.get_content()
    hides_secrets(responder, mail)


def html(responder, path):
    with urllib.request.urlopen(responder.url + path, timeout=15) as answer:
        return answer.read().decode()


def test_what_no_remediation_is_for_is_shown_until_it_is_heard(responder, sink):
    """It belongs to no incident, and is tried again for as long as it takes: meanwhile somebody has to see it."""
    sink.refusals = [(404, {})] * 1000
    responder.send(alert_of("nobodys", service="web"), alert_of("nobodys", service="api"))
    letter, = wait_for(lambda: responder.get("/api/v1/deliveries")["deliveries"], "the message to be kept")
    assert letter["incident"] is None and letter["step"] is None and letter["tried_again"] is True
    assert letter["receiver"] == "teams" and "no remediation is for" in letter["what"] and "HTTP 404" in letter["reason"]
    assert 'runbook_messages_undelivered{receiver="teams"} 1' in responder.page()
    page = html(responder, "/")
    assert "Not received" in page and "teams" in page and "It is tried again" in page and "/resend" not in page
    shown = subprocess.run([responder.program, "deliveries", f"--url={responder.url}"], text=True, capture_output=True, check=False)
    assert shown.returncode == 1 and re.search(r"^none +teams .* tried again +2 alerts that no remediation is for", shown.stdout, re.M), shown
    sink.refusals = []
    wait_for(lambda: 'runbook_messages_undelivered{receiver="teams"} 0' in responder.page(), "it to be heard", 90)
    assert responder.get("/api/v1/deliveries")["deliveries"] == [] and "Not received" not in html(responder, "/")
    assert len(sink.to("teams/s3cret")) == 1


def test_who_refuses_is_named_without_a_secret(responder, sink, mail):
    """What the other side says may repeat what it was sent."""
    sink.refusals = [(404, {})]
    responder.send(alert_of("all", service="web"))
    told = responder.wait_final("all")
    assert told["steps"][0]["outcome"]["summary"] == 'receiver "slack" answered HTTP 404'
    # It is not lost: one sees it, and sends it again once that is mended.
    letter, = responder.get("/api/v1/deliveries")["deliveries"]
    assert (letter["incident"], letter["step"], letter["receiver"], letter["tried_again"]) == (told["number"], 1, "slack", False)
    assert 'runbook_messages_undelivered{receiver="slack"} 1' in responder.page()
    assert "has not received" in html(responder, "/") and "It is not sent again by itself" in html(responder, f"/incidents/{told['number']}")
    before = len(sink.to("slack/s3cret"))
    assert responder.post(f"/api/v1/incidents/{told['number']}/resend", {"by": "ada"})[0] in (200, 202)
    wait_for(lambda: 'runbook_messages_undelivered{receiver="slack"} 0' in responder.page(), "it to be sent again")
    assert len(sink.to("slack/s3cret")) == before + 1
    assert responder.incident(told["number"])["steps"][0]["status"] == "done"
    assert responder.post(f"/api/v1/incidents/{told['number']}/resend", {"by": "ada"})[0] == 409
    mail.users["runbook"] = "another"
    mail.unknown = {"ada@lab.example"}
    responder.send(alert_of("email"))
    failed = re.compile(r'^runbook_notifications_total\{receiver="email",result="failed"\} [1-9]', re.M)
    wait_for(lambda: failed.search(responder.page()), "the mail server to refuse")
    assert mail.received == []
    wait_for(lambda: 'runbook_messages_undelivered{receiver="email"} 1' in responder.page(), "the call to be kept")
    # Who is put right is told, without a new alert; and one address that is gone keeps it from no other.
    mail.users["runbook"] = PASSWORD
    wait_for(lambda: mail.received, "the mail to be tried again", 60)
    assert mail.received[0][1] == ["bob@lab.example"]
    hides_secrets(responder, mail)
