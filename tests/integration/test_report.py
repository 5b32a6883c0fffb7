# SPDX-License-Identifier: Apache-2.0
"""The report of an incident: over HTTP and from a terminal, with a responder and without, and whatever labels say."""

import html.parser
import json
import sqlite3
import subprocess
import urllib.error
import urllib.request

import pytest

from lab.runbook import Responder
from lab.webhook import alert_of

STRANGE = '<script>alert(1)</script>" onload=\'x\' [a](javascript:x) `c` **b**\n# Forged\n| a | b |\n@ada'
TAGS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "strong", "table", "thead", "tbody",
        "tr", "th", "td", "ul", "li", "details", "summary", "pre", "a"}


class Tags(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.attributes = set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def responder(tmp_path_factory, binaries):
    directory = tmp_path_factory.mktemp("report")
    config = directory / "remediations.yml"
    config.write_text(json.dumps({"escalate_to": "diary", "receivers": [{"name": "diary", "format": "log"}], "remediations": [
        {"name": "look", "match": ['alertname="slow"'], "steps": [{"host.memory": {}}]}]}))
    started = Responder(binaries.responder, config, directory / "responder").start()
    started.send(alert_of("slow", service=STRANGE))
    started.number = started.wait_final("look")["number"]
    yield started
    assert started.stop() in (0, None)


def fetch(responder, query="", accept="*/*"):
    request = urllib.request.Request(f"{responder.url}/api/v1/incidents/{responder.number}/report{query}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def report(responder, *words, number=None):
    return subprocess.run([responder.program, "report", *words, number or responder.number, "--journal", responder.journal],
                          cwd=responder.directory, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def change_journal(path, change):
    """By somebody who knows what the triggers are for, and has no key."""
    with sqlite3.connect(path) as journal:
        triggers = journal.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            journal.execute(f"DROP TRIGGER {name}")
        journal.execute(change)
        for _, statement in triggers:
            journal.execute(statement)


def test_over_http(responder):
    kind, text = fetch(responder)
    assert kind == "text/markdown; charset=utf-8" and text.startswith(f"# Incident {responder.number}: look\n")
    for heading in ("What happened", "When", "What was done", "Values before and after", "Open questions", "Timeline", "Review"):
        assert f"\n## {heading}\n" in text
    assert not [line for line in text.splitlines() if line.startswith(("# Forged", "<"))]
    for kind, page in (fetch(responder, "?format=html"), fetch(responder, accept="text/html,*/*;q=0.8")):
        tags = Tags(page)
        assert kind.startswith("text/html") and tags.found <= TAGS, tags.found - TAGS
        assert tags.attributes <= {"lang", "charset", "name", "content", "scope", "href", "rel"}, tags.attributes
    for query, number, status in (("?format=pdf", responder.number, 400), ("", "INC-1999-0001", 404)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{responder.url}/api/v1/incidents/{number}/report{query}", timeout=30)
        assert refused.value.code == status


def test_from_a_terminal(responder):
    shown = report(responder)
    assert (shown.returncode, shown.stderr) == (0, "") and shown.stdout == fetch(responder)[1]
    assert report(responder, "--html").stdout == fetch(responder, "?format=html")[1]
    assert json.loads(report(responder, "--json").stdout)["number"] == responder.number
    assert report(responder, number="INC-1999-0001").returncode != 0
    # Where nobody answers, the file does; and it says that it is the file.
    before = fetch(responder)[1]
    assert responder.stop() == 0
    kept = report(responder)
    assert kept.returncode == 0 and "nobody answers" in kept.stderr and kept.stdout == before
    key = responder.journal.with_name("journal.key")
    aside = key.rename(key.with_name("aside.key"))
    unchecked = report(responder)
    assert unchecked.returncode == 0 and "not proven: its seals were not checked, for want of their key" in unchecked.stderr
    assert unchecked.stdout.replace("**It is not proven that this is what was written: its seals were not checked, for want of their key "
                                    "(--journal.key)**\n\n", "") == before
    key.write_text("0123456789abcdef0123456789abcdef\n")
    other = report(responder, "--json")
    assert json.loads(other.stdout)["unproven"] == "it is sealed by another key"
    assert json.loads(other.stdout)["alert"]["labels"]["alertname"] == "slow"
    aside.rename(key)
    for change, words in (("UPDATE timeline SET actor = actor || '?' WHERE id = 2", "It is not proven that this is what was written: "),
                          ("UPDATE timeline SET actor = replace(actor, '?', '')", None),
                          ("UPDATE incidents SET approved = 1 - approved", "Nothing of it is shown that could not be believed: it is not as")):
        change_journal(responder.journal, change)
        if words:
            changed = report(responder)
            assert changed.returncode == 0 and "and it is not proven: " in changed.stderr and words in changed.stdout
    named = report(responder, "--url", responder.url)
    assert named.returncode != 0 and named.stdout == ""
    # Whoever answers shows no more of it.
    responder.start()
    assert [(one["state"], one["alert"]["labels"]) for one in responder.incidents()] == [("unreadable", {})]
    assert "it is not as it was journaled" in responder.incident(responder.number)["reason"]
    assert "Nothing of it is shown that could not be believed: it is not as" in fetch(responder)[1]
