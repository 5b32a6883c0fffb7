# SPDX-License-Identifier: Apache-2.0
"""The pages of the responder, for whoever is woken: what they say, to whom, and that nothing of what others say is more than
text on them."""

import json
import re
import sqlite3
import urllib.error
import urllib.request

import pytest
import requests

from lab.parts import wait_for
from lab.runbook import Responder
from lab.webhook import alert_of
from web_configuration import ALICE, BOB

SPELL = "\"><img src=x onerror=alert(1)><script>alert(2)</script>"
REMEDIATIONS = """
receivers: [{name: oncall, format: log}, {name: lead, format: log}, {name: director, format: log}]
escalate_to: oncall
escalation: {by: tier, chains: {P1: [{to: oncall}, {to: lead, after: 1s}, {to: director, after: 1h}]}}
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


def form_of(page, action):
    """The fields of the form that posts there, hidden ones with their values."""
    form = re.search(rf'<form method="post" action="{re.escape(action)}">(.*?)</form>', page, re.S)
    assert form, f"no form to {action} in {text_of(page)}"
    inputs = re.findall(r"<input [^>]*>", form.group(1))
    return {re.search(r'name="([^"]*)"', one).group(1): (re.search(r'value="([^"]*)"', one) or [None, ""])[1] for one in inputs}


def sign_in(daemon, role="operator", name="ada", following="/"):
    """A browser's session; the answer to the login's form, which is not followed."""
    session = requests.Session()
    page = session.get(daemon.url + "/login", params={"next": following}, timeout=20).text
    fields = form_of(page, "/login")
    assert fields["next"] == following
    answer = session.post(daemon.url + "/login", data={**fields, "by": name, "token": daemon.token(role).read_text().strip()},
                          allow_redirects=False, timeout=20)
    return session, answer


def ask_for(daemon, n):
    """An incident that waits for approval."""
    daemon.send(alert_of("ask", what="slow", n=n))
    return daemon.wait_state("ask", "awaiting_approval", n=n)["number"]


def test_a_decision_by_a_form_is_that_of_the_api(daemon):
    number = ask_for(daemon, "form")
    path = f"/incidents/{number}/approve"
    session, answer = sign_in(daemon, following=f"/incidents/{number}")
    assert answer.status_code == 303 and answer.headers["Location"] == f"/incidents/{number}"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Max-Age=43200" in cookie and "Secure" not in cookie
    asked = session.get(daemon.url + path, timeout=20).text
    assert "record the memory and load of this host" in asked and "then it expires" in asked
    fields = form_of(asked, path)
    assert "by" not in fields  # the session has it
    answer = session.post(daemon.url + path, data={**fields, "reason": "looks right"}, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/incidents/{number}")
    daemon.wait_final("ask", n="form")
    approved = next(row for row in daemon.incident(number)["timeline"] if row["event"] == "approved")
    assert approved["actor"] == "ada (token operator)" and approved["detail"]["reason"] == "looks right"
    # What is over cannot be approved again: the page says so before, and after.
    over = session.get(daemon.url + path, timeout=20)
    assert over.status_code == 409 and "Who has decided" in over.text
    assert f'href="/incidents/{number}"' in over.text and f"{number}: done, not verified. There is nothing" in over.text
    again = session.post(daemon.url + path, data=fields, timeout=20)
    assert again.status_code == 409 and "and not awaiting approval" in again.text


def test_who_only_reads_sees_no_buttons(daemon):
    number = ask_for(daemon, "reads")
    for path in ("/", f"/incidents/{number}"):
        page = daemon.page(path)
        assert f"/incidents/{number}/approve" not in page and 'href="/pause"' not in page and "Sign in to decide" in page
    daemon.token("reader").write_text("reader-reader-reader\n")
    daemon.stop()
    daemon.start()
    session, answer = sign_in(daemon, "reader", "rita")
    assert answer.status_code == 303
    page = session.get(f"{daemon.url}/incidents/{number}", timeout=20).text
    assert "rita (token reader)" in page and "/approve" not in page and "Sign in" not in page
    shown = form_of(page, "/logout")
    for path in (f"/incidents/{number}/approve", "/pause"):
        assert session.get(daemon.url + path, timeout=20).status_code == 403
        assert session.post(daemon.url + path, data=shown, timeout=20).status_code == 403
    assert daemon.get("/api/v1/status")["paused"] is False
    assert daemon.incident(number)["state"] == "awaiting_approval"


def test_nobody_else_sends_a_form(daemon):
    number = ask_for(daemon, "forged")
    path = f"{daemon.url}/incidents/{number}/deny"
    session, _ = sign_in(daemon)
    fields = form_of(session.get(path, timeout=20).text, f"/incidents/{number}/deny")
    other, _ = sign_in(daemon, name="mallory")
    stranger = requests.Session()
    attempts = {
        "without the form's token": session.post(path, data={"reason": "x"}, timeout=20),
        "with another session's": other.post(path, data=fields, timeout=20),
        "with one that was made up": session.post(path, data={**fields, "form": "0" * 64}, timeout=20),
        "without a session": stranger.post(path, data=fields, timeout=20),
        "from another site": session.post(path, data=fields, headers={"Origin": "https://evil.example"}, timeout=20),
        "from another site's frame": session.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"}, timeout=20),
        "with a cookie that was changed": requests.post(path, data=fields, timeout=20, cookies={
            "runbook_session": session.cookies["runbook_session"][:-1] + "x"}),
        "to the API, by cookie": session.post(f"{daemon.url}/api/v1/incidents/{number}/deny", json={"by": "ada"}, timeout=20),
    }
    assert {how: answer.status_code for how, answer in attempts.items()} == {
        how: 401 if "API" in how else 403 for how in attempts}
    # What is no text would be none wherever the journal is shown.
    for how in ({"reason": b"\xff"}, {"reason": b"a\xc3"}, {"reason": b"\xed\xa0\x80"}, {"reason": "x" * 1001}):
        assert session.post(path, data={**fields, **how}, timeout=20).status_code == 400, how
    assert daemon.incident(number)["state"] == "awaiting_approval"
    # Signed out, the browser has nothing to show any more.
    answer = session.post(daemon.url + "/logout", data=form_of(session.get(daemon.url, timeout=20).text, "/logout"), timeout=20)
    assert "Sign in" in answer.text and not session.cookies.get("runbook_session")


def test_the_login_lets_in_who_has_a_token_and_nobody_else(daemon):
    page = daemon.page("/login")
    assert "/login?next" not in page  # it would lead back to here
    fields = form_of(page, "/login")
    token = daemon.token("operator").read_text().strip()

    def shown(**changed):
        return requests.post(daemon.url + "/login", data={**fields, "by": "ada", "token": token, **changed},
                             allow_redirects=False, timeout=20)

    before = daemon.page().count('route="/login"')
    assert shown().headers["Location"] == "/"
    for changed in ({"token": "guessed-guessed-guessed"}, {"token": ""}, {"token": token[:-1]}, {"by": ""}, {"by": "x" * 101},
                    {"by": " "}, {"by": b"ada\xff"}, {"form": ""}, {"token": daemon.token("alerts").read_text().strip()}):
        answer = shown(**changed)
        assert answer.status_code == 401 and "Set-Cookie" not in answer.headers, changed
        assert token not in answer.text and "guessed" not in answer.text
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""):
        assert shown(next=elsewhere).headers["Location"] == "/", elsewhere
    assert shown(next="/incidents/INC-2026-0001").headers["Location"] == "/incidents/INC-2026-0001"
    # Guesses are counted, and logged, as those at the API.
    assert daemon.page().count('route="/login"') > before
    assert 'runbook_requests_refused_total{route="/login",code="401"} 9' in daemon.page()
    # What cannot be known now is no verdict, neither on a token nor on a session.
    session, _ = sign_in(daemon)
    daemon.token("operator").unlink()
    daemon.token("operator").mkdir()
    answers = [shown(), session.get(daemon.url, timeout=20)]
    daemon.token("operator").rmdir()
    daemon.token("operator").write_text(token + "\n")
    assert [answer.status_code for answer in answers] == [503, 503] and "nobody" not in answers[0].text
    assert "ada (token operator)" in session.get(daemon.url, timeout=20).text
    # Behind TLS the cookie is for TLS alone. A token that is replaced takes its sessions with it.
    session, _ = sign_in(daemon)
    host = f"127.0.0.1:{daemon.port}"
    secure = requests.post(daemon.url + "/login", data={**fields, "by": "ada", "token": token}, allow_redirects=False,
                           headers={"Origin": f"https://{host}"}, timeout=20)
    assert "; Secure" in secure.headers["Set-Cookie"]
    daemon.token("operator").write_text("another-operators-token\n")
    page = session.get(daemon.url, timeout=20).text
    daemon.token("operator").write_text(token + "\n")
    assert "ada" not in page and "Sign in" in page


def test_what_was_is_found_again(daemon):
    for n in range(32):
        daemon.send(alert_of("plain", service="web", what=f"number {n:02}", n=str(n)))
    daemon.wait_final("plain", n="31")

    def found(**asked):
        answer = requests.get(daemon.url + "/incidents", params=asked, timeout=20)
        assert answer.status_code == 200, text_of(answer.text)
        return re.findall(r"INC-\d{4}-\d{4}(?=</a>)", answer.text), answer.text

    first, page = found(remediation="plain")
    assert len(first) == 30 and first == sorted(first, reverse=True)
    following = form_of(page.replace('method="get"', 'method="post"').split("Find</button>")[1], "/incidents")
    assert following == {"remediation": "plain", "before": first[-1]}
    rest, page = found(**following)
    assert rest and not set(rest) & set(first) and "Older ones" not in page
    assert len(found(q="NUMBER 07")[0]) == 1 and len(found(q="Number 07", state="done")[0]) == 1
    assert found(q="number 07", state="healed")[0] == [] and found(until="2001-01-01T00:00")[0] == []
    assert len(found(q="number 07", since="2001-01-01T00:00", until="9999-12-31T23:59")[0]) == 1
    assert found(since="9999-12-31T23:59")[0] == []
    assert SPELL not in found(q=SPELL)[1] and "<img" not in found(remediation=SPELL)[1]
    for wrong in ({"state": "dreaming"}, {"since": "yesterday"}):
        assert requests.get(daemon.url + "/incidents", params=wrong, timeout=20).status_code == 400
    assert requests.get(daemon.url + "/incidents", params={"before": "INC-1999-0001"}, timeout=20).status_code == 404


def test_a_list_that_was_cut_says_so(daemon):
    daemon.send(*(alert_of("nobody's", n=str(n)) for n in range(21)))
    page = wait_for(lambda: "There are more than these 20." in (page := text_of(daemon.page("/"))) and page, "the alerts to be shown")
    assert page.count("no remediation is for it, nor for one that is near.") == 20


def test_each_remediation_is_told_with_how_it_has_fared(daemon):
    daemon.send(alert_of("plain", service="web", what="counted", n="counted"))
    daemon.wait_final("plain", n="counted")
    page = text_of(daemon.page("/remediations"))
    assert re.search(r"plain notify changes nothing .*alertname=&quot;plain&quot; service=&quot;web&quot; "
                     r".*\d+ runs?, 100 % went well", page), page
    assert "and a person approves each" in page and "under the lock ask/${labels.n}" in page


def test_what_each_guard_says_now_of_each_remediation(daemon):
    def row(name):
        page = daemon.page("/remediations")
        return re.search(rf'<tr><th scope="row">{name}</th>(.*?)</tr>', page, re.DOTALL)[1]

    lets = '<td class="lets" title="lets it begin"></td>'
    guards = daemon.post("/api/v1/remediations/plain/guards", {"labels": {"alertname": "plain"}})[1]["guards"]
    assert row("plain") == lets * len(guards)
    assert "by its alert" in row("ask")  # whose lock has a label that nothing makes sure of
    assert daemon.post("/-/pause", {"by": "ada"})[0] == 200
    try:
        assert row("plain").count(lets) == len(guards) - 1
        assert re.match(r'<td data-of="Kill switch" title="[^"]*"><span class="s wait">holds</span></td>', row("plain"))
    finally:
        assert daemon.post("/-/resume", {"by": "ada"})[0] == 200


def test_what_does_not_answer_is_told_before_it_is_needed(binaries, tmp_path):
    (tmp_path / "remediations.yml").write_text("prometheus_url: http://127.0.0.1:1\n" + REMEDIATIONS)
    made = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start()
    try:
        page = wait_for(lambda: "not asked yet" not in (page := text_of(made.page("/"))) and page, "the targets to be asked")
        assert "Armed, but not all that it works with answers" in page and "Prometheus does not answer" in page, page
        assert "receiver oncall" in page
    finally:
        assert made.stop() == 0


def test_logs_are_shown_to_who_has_said_who_he_is(binaries, tmp_path):
    """What docker.logs writes down of a file is put into the journal beside it: there is no Engine here."""
    (tmp_path / "remediations.yml").write_text(f"evidence_directory: {tmp_path}/evidence\n" + REMEDIATIONS)
    (tmp_path / "evidence").mkdir()
    log = tmp_path / "evidence" / "step1-web.log"
    log.write_bytes(b"first line\n" + b"filler\n" * 6000 + SPELL.encode() + b"\x1b[2J\x00\xff the end\n")
    (tmp_path / "secret").write_text("not evidence")
    (tmp_path / "evidence" / "link").symlink_to(tmp_path / "secret")
    made = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start()
    try:
        made.send(alert_of("plain", service="web", what="x"))
        number = made.wait_final("plain")["number"]
        made.stop()
        files = [{"container": SPELL, "path": str(path), "sha256": "00", "bytes": 1}
                 for path in (log, tmp_path / "secret", tmp_path / "evidence/link", tmp_path / "evidence/../secret",
                              tmp_path / "evidence/gone")]
        with sqlite3.connect(made.journal) as connection:
            connection.execute("UPDATE steps SET outcome = ?", (json.dumps({"summary": "saved", "files": files}),))
        connection.close()
        made.arguments = lambda: [f"--journal={made.journal}", "--journal.seal-as-it-is"]
        made.start()
        path = f"{made.url}/incidents/{number}/evidence"
        assert "/evidence?file" not in made.page(f"/incidents/{number}") and str(log) in made.page(f"/incidents/{number}")
        assert requests.get(path, params={"file": 1}, timeout=20).status_code == 403
        session, _ = sign_in(made, name="ada")
        assert "/evidence?file=1" in session.get(f"{made.url}/incidents/{number}", timeout=20).text
        page = session.get(path, params={"file": 1}, timeout=20).text
        assert "The last 32768 bytes of" in page and " the end" in page and "first line" not in page
        assert "<img" not in page and "\x1b" not in page and len(page) < 60 * 1024
        whole = session.get(path, params={"file": 1, "whole": 1}, timeout=20)
        assert whole.content == log.read_bytes() and "attachment" in whole.headers["Content-Disposition"]
        assert whole.headers["Content-Type"].startswith("text/plain") and whole.headers["X-Content-Type-Options"] == "nosniff"
        for file, status in ((2, 403), (3, 503), (4, 403), (5, 404), (6, 404), ("x", 404)):
            answer = session.get(path, params={"file": file, "whole": 1}, timeout=20)
            assert answer.status_code == status and "not evidence" not in answer.text, (file, answer.status_code)
    finally:
        assert made.stop() == 0


def signs_in_by_a_password(made, web):
    """In place of the browser's own question; by bcrypt once, and by a cookie from then on, which ends with the password."""
    browser, name = requests.Session(), ALICE[0].split(":")
    browser.headers["Accept"] = "text/html,*/*"
    led = browser.get(made.url + "/incidents", timeout=20)
    assert led.url.endswith("/login?next=/incidents") and led.status_code == 200 and "Password" in led.text and "WWW-Authenticate" not in led.headers
    style = re.search(r'href="(/assets/style[^"]*)"', led.text).group(1)
    assert browser.get(made.url + style, timeout=20).status_code == 200
    fields = form_of(led.text, "/login")
    for wrong in ({"by": name[0], "token": "guessed"}, {"by": "mallory", "token": name[1]}, {"by": name[0], "token": ""}, {"by": "", "token": name[1]},
                  {"by": name[0], "token": name[1], "form": "0" * 64}):
        answer = browser.post(made.url + "/login", data={**fields, **wrong}, timeout=20)
        assert answer.status_code == 401 and "Set-Cookie" not in answer.headers, wrong
    answer = browser.post(made.url + "/login", data={**fields, "by": name[0], "token": name[1]}, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/incidents")
    page = browser.get(made.url + "/resume", timeout=20)
    assert "alice (password)" in page.text and "Sign out" in page.text
    resumed = browser.post(made.url + "/resume", data=form_of(page.text, "/resume"), timeout=20)
    assert resumed.status_code == 200 and "Armed" in resumed.text
    with browser.get(made.url + "/events", stream=True, timeout=20) as stream:
        assert stream.status_code == 200 and next(stream.iter_lines()).startswith(b"id: ")
    # It counts for the pages alone; without it a page leads to the login, and all else asks for a password.
    assert browser.get(made.url + "/api/v1/status", timeout=20).status_code == 401
    assert browser.post(made.url + "/-/pause", json={}, timeout=20).status_code == 401
    for path, status in (("/events", 401), ("/", 401), ("/metrics", 401), ("/-/ready", 401), ("/incidents/INC-2026-0001/evidence?file=1", 401)):
        assert requests.get(made.url + path, timeout=20).status_code == status, path
    assert requests.post(made.url + "/pause", data={"reason": "x"}, timeout=20, headers={"Accept": "text/html"}).status_code == 401
    web.write_text(json.dumps({"basic_auth_users": {"alice": BOB[1], "bob": BOB[1]}}))
    wait_for(lambda: browser.get(made.url + "/", timeout=20).url.endswith("/login?next=/"), "the session to end with the password")


def test_who_is_known_by_a_password_has_nothing_to_sign_in_to(binaries, tmp_path):
    (tmp_path / "remediations.yml").write_text(REMEDIATIONS)
    (tmp_path / "web.yml").write_text(json.dumps({"basic_auth_users": {name.split(":")[0]: crypted for name, crypted in (ALICE, BOB)}}))
    made = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run")
    made.arguments = lambda: [f"--journal={made.journal}", f"--web.config.file={tmp_path}/web.yml", "--web.operators=alice"]
    made.start(ready=False)
    alice, bob = ({"auth": tuple(who[0].split(":")), "timeout": 20} for who in (ALICE, BOB))
    try:
        page = wait_for(lambda: requests.get(made.url + "/pause", **alice).text, "the responder to serve")
        fields = form_of(page, "/pause")
        assert "alice (password)" in page and "Sign in" not in page and "by" not in fields
        assert 'href="/pause"' not in requests.get(made.url, **bob).text
        assert requests.get(made.url + "/pause", **bob).status_code == 403
        # What a browser sends by itself is no proof that a person has sent the form.
        for how, status in (({}, 401), ({**alice, "data": {}}, 403), ({**bob, "data": fields}, 403),
                            ({**alice, "data": {**fields, "form": "0" * 64}}, 403), ({**alice, "data": fields}, 200)):
            assert requests.post(made.url + "/pause", **{"timeout": 20, **how}).status_code == status, how
        assert requests.get(made.url + "/api/v1/status", **alice).json()["paused_by"] == "alice (password)"
        signs_in_by_a_password(made, tmp_path / "web.yml")
    finally:
        assert made.stop() == 0


@pytest.mark.parametrize("acts", (False, True))
def test_it_is_armed_when_something_would_be_done(binaries, tmp_path, acts):
    """What `init` has written only plans: the first page said that it acts."""
    remediations = [{"name": name, "match": [f'alertname="{name}"'], "steps": [{"host.memory": {}}], **more}
                    for name, more in (("a", {"dry_run": True}), ("b", {} if acts else {"trust": "observe"}))]
    config = tmp_path / "remediations.yml"
    config.write_text(json.dumps({"receivers": [{"name": "oncall", "format": "log"}], "escalate_to": "oncall", "remediations": remediations}))
    made = Responder(binaries.responder, config, tmp_path / "run").start()
    try:
        page = requests.get(made.url, timeout=20).text
        assert ("Dry run: it plans, and does nothing" in page) == (not acts) == ("dry_run: true" in page)
        assert ("2 remediations, 1 of them plans only" if acts else "2 remediations, 2 of them plan only") in page
    finally:
        assert made.stop() == 0


def test_who_is_at_it_says_so(binaries, tmp_path):
    (tmp_path / "deaf").write_text("http://127.0.0.1:1/\n")
    (tmp_path / "remediations.yml").write_text(REMEDIATIONS.replace(
        "escalate_to: oncall", "escalate_to: deaf").replace("[{name: oncall, format: log},", (
            f"[{{name: oncall, format: log}}, {{name: deaf, format: json, url_file: {tmp_path}/deaf}},")))
    made = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run").start()
    try:
        number = ask_for(made, "deaf")
        session, _ = sign_in(made)
        path = f"/incidents/{number}/ack"
        assert f'href="{path}"' in session.get(made.url, timeout=20).text
        fields = form_of(session.get(made.url + path, timeout=20).text, path)
        assert session.post(made.url + path, data={**fields, "reason": "on my way"}, timeout=20).status_code == 200
        heard = next(row for row in made.incident(number)["timeline"] if row["event"] == "acknowledged")
        assert heard["actor"] == "ada (token operator)" and made.incident(number)["owes"] == ""
        assert f'href="{path}"' not in session.get(made.url, timeout=20).text
    finally:
        assert made.stop() == 0


def test_behind_a_proxy_its_name_is_ours(binaries, tmp_path):
    (tmp_path / "remediations.yml").write_text(REMEDIATIONS)
    behind = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "run")
    behind.arguments = lambda: [f"--journal={behind.journal}", "--web.external-url=https://runbook.example/"]
    behind.start()
    try:
        outside = {"Host": "runbook.example", "Origin": "https://runbook.example"}
        page = requests.get(behind.url + "/login", headers=outside, timeout=20).text
        fields = {**form_of(page, "/login"), "by": "ada", "token": behind.token("operator").read_text().strip()}
        for headers in (outside, {"Origin": "https://runbook.example"}):  # a proxy may put its own name into Host, or pass it on
            answer = requests.post(behind.url + "/login", data=fields, headers=headers, allow_redirects=False, timeout=20)
            assert answer.status_code == 303 and "; Secure" in answer.headers["Set-Cookie"], answer.text
        for headers, status in (({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403),
                                ({"Origin": "https://runbook.example.evil"}, 403)):
            assert requests.post(behind.url + "/login", data=fields, headers=headers, timeout=20).status_code == status
    finally:
        assert behind.stop() == 0
    behind.arguments = lambda: [f"--journal={behind.journal}", "--web.external-url=https://runbook.example/path"]
    behind.start(ready=False)
    assert behind.process.wait() == 1


def test_one_after_the_other_is_called_until_somebody_is_at_it(daemon):
    daemon.send(alert_of("ask", n="chain", what="a fault", tier="P1"))

    def told():
        found = daemon.of("ask", n="chain")
        return found if found["chain"][1].get("told_at") else None

    incident = wait_for(told, "the second one to be told", 60)
    number = incident["number"]
    assert incident["climbing"] and [one["to"] for one in incident["chain"]] == ["oncall", "lead", "director"]
    session, _ = sign_in(daemon)
    page = session.get(f"{daemon.url}/incidents/{number}", timeout=20).text
    assert "lead was told" in text_of(page) and "director is told after 1h" in text_of(page)
    assert f'href="/incidents/{number}/ack"' in page
    status, answer = daemon.post(f"/api/v1/incidents/{number}/ack", {"by": "ada"})
    assert status == 200, answer
    whole = daemon.incident(number)
    assert not whole["climbing"] and "the next one was told" in [one["event"] for one in whole["timeline"]]
    assert "director was not needed" in text_of(daemon.page(f"/incidents/{number}"))
    assert daemon.post(f"/api/v1/incidents/{number}/deny", {"by": "ada"})[0] == 200
