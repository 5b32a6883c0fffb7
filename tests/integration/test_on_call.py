# SPDX-License-Identifier: Apache-2.0
"""The pages of the responder, for whoever is woken: what they say, to whom, and that nothing of what others say is more than
text on them."""

import re
import urllib.error
import urllib.request

import pytest

from lab.runbook import Responder
from lab.webhook import alert_of

SPELL = "\"><img src=x onerror=alert(1)><script>alert(2)</script>"
REMEDIATIONS = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
storm: off
remediations:
  - name: ask
    match: ['alertname="ask"']
    approval: true
    lock: ask/${labels.n}
    steps: [{host.memory: {}}, {notify: {to: oncall, text: "${labels.what}"}}]
  - name: plain
    match: ['alertname="plain"', 'service="web"']
    steps: [{notify: {to: oncall, text: "it was ${labels.what}"}}]
"""


@pytest.fixture(scope="module")
def daemon(binaries, tmp_path_factory):
    directory = tmp_path_factory.mktemp("on-call")
    (directory / "remediations.yml").write_text(REMEDIATIONS)
    made = Responder(binaries.responder, directory / "remediations.yml", directory / "run").start()
    yield made
    assert made.stop() == 0


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_a_page_is_asked_for_with_nothing_from_outside(daemon):
    with urllib.request.urlopen(daemon.url + "/") as answer:
        page, headers = answer.read().decode(), answer.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"] and "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY" and headers["Cache-Control"] == "no-store"
    asked = re.findall(r'(?:href|src)="(/assets/[^"]*)"', page)
    assert len(asked) == 2 and "style=" not in page and "<style" not in page
    for path, kind in zip(asked, ("text/css", "text/javascript")):
        with urllib.request.urlopen(daemon.url + path) as answer:
            assert answer.headers["Content-Type"].startswith(kind) and "immutable" in answer.headers["Cache-Control"]
            assert answer.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(daemon.url + "/assets/..%2fmain.c")


def test_what_others_say_is_text(daemon):
    daemon.send(alert_of("ask", what=SPELL, n=SPELL), alert_of("plain", service="web", what=SPELL),
                alert_of(SPELL, what=SPELL), alert_of("plain", service=SPELL))
    number = daemon.wait_state("ask", "awaiting_approval")["number"]
    ran = daemon.wait_final("plain")["number"]
    status, answer = daemon.post(f"/api/v1/incidents/{number}/deny", {"by": SPELL[:90], "reason": SPELL})
    assert status == 200, answer
    daemon.wait_final("ask")
    for path in ("/", f"/incidents/{number}", f"/incidents/{ran}"):
        page = daemon.page(path)
        assert "<img" not in page and not re.search(r"<script(?! defer src=.?/assets/)", page), path
        assert "&lt;img src=x onerror=alert(1)&gt;" in page, path
    with pytest.raises(urllib.error.HTTPError) as refused:
        daemon.page("/incidents/%3Cimg%20src=x%3E")
    body = refused.value.read().decode()
    assert refused.value.code == 404 and "<img" not in body and "there is no incident" in body


def test_whoever_is_woken_reads_sentences(daemon):
    daemon.send(alert_of("ask", what="slow", n="1", service="mcp-server"), alert_of("plain", service="rest-api"))
    number = daemon.wait_state("ask", "awaiting_approval", n="1")["number"]
    page = text_of(daemon.page("/"))
    assert "Armed: it acts when an alert comes" in page and "none since the start" not in page
    assert f"{number} waits for approval" in page
    assert re.search(r"ask on mcp-server waits for a person to approve it, until .*, in \d+ min ; then it expires", page), page
    assert 'Nearest is plain , but service is &quot;rest-api&quot;, not &quot;web&quot;' in page
    incident = text_of(daemon.page(f"/incidents/{number}"))
    assert "record the memory and load of this host" in incident and "tell oncall: slow" in incident
    assert "awaiting approval : the remediation asks for approval" in incident
    assert "awaiting_approval" not in page + incident
    assert daemon.post("/-/pause", {"by": "ada", "reason": "deploying"})[0] == 200
    page = text_of(daemon.page("/"))
    assert "Paused: nothing is run" in page and "Paused by ada (token operator) at" in page and "“deploying”" in page
    assert daemon.post("/-/resume", {"by": "ada"})[0] == 200
    assert daemon.post(f"/api/v1/incidents/{number}/approve", {"by": "ada"})[0] == 200
    daemon.wait_final("ask", n="1")
    incident = text_of(daemon.page(f"/incidents/{number}"))
    assert "approved by ada (token operator)" in incident and "done, not verified after" in incident
