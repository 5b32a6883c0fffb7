# SPDX-License-Identifier: Apache-2.0
"""The pages in a real browser: an incident is approved with the mouse and seen carried out, by whoever is on call at night."""

import hashlib
import os
import pathlib
import time

import pytest

from exporter_flags import ExporterWithFlags
from harness import accessible
from harness.browser import Browser
from lab.runbook import Responder
from lab.webhook import alert_of
from scraping import scrape

SPELL = "\"><img src=x onerror=window.spelled=1><script>window.spelled=1</script>"
LONG = "a-word-without-an-end-" * 12
REMEDIATIONS = """
receivers: [{name: oncall, format: log}]
escalate_to: oncall
storm: off
remediations:
  - name: high_latency
    match: ['alertname="high_latency"']
    approval: true
    lock: service/${labels.service}
    steps: [{host.memory: {}}, {notify: {to: oncall, text: "${labels.service} was slow"}}]
"""


@pytest.fixture(scope="module")
def daemon(binaries, tmp_path_factory):
    directory = tmp_path_factory.mktemp("browser")
    (directory / "remediations.yml").write_text(REMEDIATIONS)
    made = Responder(binaries.responder, directory / "remediations.yml", directory / "run").start()
    yield made
    assert made.stop() == 0


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    directory = tmp_path_factory.mktemp("chromium") / "profile"
    made = Browser(directory)
    yield made
    made.close()


def ask_for(daemon, service):
    daemon.send(alert_of("high_latency", service=service))
    return daemon.wait_state("high_latency", "awaiting_approval", service=service)["number"]


def sign_in(daemon, browser):
    browser.go(daemon.url + "/login")
    if browser.run("!document.querySelector('#by')"):
        return  # it is
    browser.type("#by", "ada")
    browser.type("#token", daemon.token("operator").read_text().strip())
    browser.click("button.main")


def event_of(daemon, number, event):
    return next(row for row in daemon.incident(number)["timeline"] if row["event"] == event)


def test_decisions_with_the_mouse(daemon, browser):
    browser.look_like(1280)
    approved, denied = ask_for(daemon, "mcp-server"), ask_for(daemon, "worker")
    browser.go(daemon.url + "/")
    assert "Sign in to decide" in browser.text()
    sign_in(daemon, browser)
    assert "ada (token operator)" in browser.text()

    browser.click(f'a[href="/incidents/{approved}/approve"]')
    assert "tell oncall: mcp-server was slow" in browser.text()
    browser.type("#reason", "it is slow")
    browser.click("button.main")
    # What comes of it shows itself, on the page where the browser has been taken.
    browser.wait("document.querySelector('.state').innerText === 'done, not verified'", f"{approved} to be carried out")
    assert browser.run("location.pathname") == f"/incidents/{approved}"
    assert event_of(daemon, approved, "approved")["detail"]["reason"] == "it is slow"

    # The same once more, by its guards; what it would do is told before.
    browser.click(f'a[href="/incidents/{approved}/run"]')
    assert "tell oncall: mcp-server was slow" in browser.text()
    browser.type("#reason", "once more")
    browser.click("button.main, form button:not(.plain)")
    again = browser.run("location.pathname").rpartition("/")[2]
    assert again not in (approved, denied)
    run = event_of(daemon, again, "run by hand")
    assert run["actor"] == "ada (token operator)" and run["detail"]["reason"] == "once more"
    assert daemon.incident(again)["alert"]["labels"]["service"] == "mcp-server"

    browser.go(daemon.url + "/")
    browser.click(f'a[href="/incidents/{denied}/deny"]')
    browser.click("button.danger")
    browser.wait("document.querySelector('.state').innerText === 'denied'", f"{denied} to be denied")
    assert event_of(daemon, denied, "denied")["actor"] == "ada (token operator)"


def test_pause_and_resume_without_scripts_and_by_the_keyboard(daemon, browser):
    sign_in(daemon, browser)
    browser.scripts(False)
    try:
        browser.call("Page.navigate", url=daemon.url + "/pause")
        browser.wait("document.readyState === 'complete' && Boolean(document.querySelector('#reason'))", "the question")
        browser.type("#reason", "deploying")
        browser.press_enter()
        browser.wait("document.body.innerText.includes('“deploying”')", "the pause to be shown")
    finally:
        browser.scripts(True)
    status = daemon.get("/api/v1/status")
    assert status["paused"] and status["paused_by"] == "ada (token operator)" and status["paused_reason"] == "deploying"
    browser.go(daemon.url + "/")
    assert "Paused: nothing is run" in browser.text()
    browser.click('a[href="/resume"]')
    browser.click("button.main")
    assert "Armed" in browser.text() and daemon.get("/api/v1/status")["paused"] is False


def test_what_another_one_decides_shows_itself(daemon, browser):
    number = ask_for(daemon, "rest-api")
    browser.go(f"{daemon.url}/incidents/{number}")
    browser.run("window.stays = true")
    assert daemon.post(f"/api/v1/incidents/{number}/deny", {"by": "bob", "reason": "not now"})[0] == 200
    browser.wait("document.body.innerText.includes('bob (token operator)')", "bob's decision")
    assert browser.run("window.stays")  # the page is the same one


def test_two_windows_see_each_others_act(daemon, browser):
    """Told by a stream: each page is shown anew when somebody else has acted, not when it is its turn to be asked for again."""
    number = ask_for(daemon, "web")
    sign_in(daemon, browser)
    mine, theirs, turns = browser.session, browser.open(), {}
    for window in (mine, theirs):
        browser.session = window
        turns[window] = browser.call("Page.addScriptToEvaluateOnNewDocument", source="window.setInterval = () => {}")  # none comes
        browser.go(f"{daemon.url}/incidents/{number}")
        browser.run("window.stays = true")
        assert not browser.run("document.hidden")
    browser.click(f'a[href="/incidents/{number}/deny"]')
    browser.type("#reason", "not this one")
    browser.click("button.danger")
    browser.session = mine
    browser.wait("document.querySelector('.state').innerText === 'denied'", "what the other window has done")
    assert browser.run("window.stays")
    browser.click('a[href="/"]')
    browser.session = theirs
    browser.click('a[href="/"]')
    browser.run("window.stays = true")
    browser.session = mine
    browser.click('a[href="/pause"]')
    browser.click("button.danger")
    browser.session = theirs
    browser.wait("document.body.innerText.includes('Paused: nothing is run')", "the pause in the other window")
    assert browser.run("window.stays")
    browser.click('a[href="/resume"]')
    browser.click("button.main")
    browser.session = mine
    browser.wait("!document.body.innerText.includes('Paused: nothing is run')", "the resumption in the first window")
    browser.wait("document.body.innerText.includes('Armed')", "that it was resumed")
    browser.call("Page.removeScriptToEvaluateOnNewDocument", **turns[mine])  # it is the other tests' window, too


def test_every_page_at_every_width_by_day_and_night(daemon, browser):
    """No complaint on the console, nothing that is wider than the window, nothing of others that runs; enough contrast, names
    for whoever does not see it, and every place within reach of the keyboard, in its order. PICTURES=DIR keeps what it looks
    like."""
    number = ask_for(daemon, SPELL)
    daemon.send(alert_of(SPELL, what=SPELL, long=LONG), alert_of("high_latency", service=LONG, job=SPELL))
    over = daemon.wait_final("high_latency", service="worker")["number"]
    pictures = os.environ.get("PICTURES")
    sign_in(daemon, browser)
    pages = {"now": "/", "incident": f"/incidents/{number}", "approve": f"/incidents/{number}/approve", "pause": "/pause",
             "history": "/incidents", "run": f"/incidents/{over}/run",
             "remediations": "/remediations", "coverage": "/coverage", "login": "/login"}
    for width in (1280, 360):
        for scheme in ("light", "dark"):
            browser.look_like(width, scheme=scheme)
            for name, path in pages.items():
                browser.go(daemon.url + path)
                wide = browser.run("document.documentElement.scrollWidth")
                assert wide <= width, (path, wide)
                assert not browser.run("window.spelled"), path
                assert browser.run("document.querySelectorAll('h1').length") == 1, path
                assert accessible.complaints(browser) == [], (path, width, scheme)
                if scheme == "light":
                    assert accessible.walk(browser) == [], (path, width)
                if pictures:
                    browser.shot(pathlib.Path(pictures) / f"{name}-{width}-{scheme}.png")
    unnamed = browser.run("[...document.querySelectorAll('input:not([type=hidden])')].filter(one => !one.labels.length).length")
    assert unnamed == 0
    assert browser.complaints == []


def write_history(directory, lines):
    """What the exporter keeps of ninety days, as it writes it."""
    content = "".join(f"{line}\n" for line in lines)
    (directory / "history").write_text(f"runbook history 1\n{content}sum {hashlib.sha256(content.encode()).hexdigest()}\n")


def exporter_checks(directory):
    (directory / "files").mkdir()
    disk, files = {"mountpoints": ["/"]}, {"directories": [str(directory / "files")]}
    return [
        {"name": "root", "title": "Room on the disk", "step": 1, "disk": disk, "warn": "runbook_disk_used_ratio > 200%",
         "fail": "runbook_disk_used_ratio > 300%"},
        {"name": "backups", "title": "Backups", "step": 3, "files": files, "fail": "runbook_files_present < 3",
         "advice": "Look at the timer", "runbook_url": "https://wiki.example/backups"},
        {"name": "website", "title": SPELL, "step": 2, "http": {"url": "http://127.0.0.1:9/health"}},
        {"name": "queue", "title": "Mails that wait " + LONG, "exec": {"command": ["/bin/true"]}},
    ]


def test_the_exporters_page(binaries, browser, tmp_path):
    """What failed and passes again is still to be seen, nothing that was not measured is green, and the filter works with a
    script and without. PICTURES=DIR keeps what it looks like."""
    state = tmp_path / "state"
    state.mkdir()
    now = int(time.time())
    today = now // 86400
    failed = (now - 9 * 86400) * 10**9
    write_history(state, [f"root {today} 12.40p2w20p1f3u12p f {failed} {failed} /: Input/output error",
                          f"backups {today} 30.50p10f f+ {failed} {failed} none is there"])
    pictures = os.environ.get("PICTURES")
    with ExporterWithFlags(str(binaries.exporter), exporter_checks(tmp_path), tmp_path, f"--state.directory={state}") as daemon:
        scrape(daemon)
        for width in (1280, 360):
            for scheme in ("light", "dark"):
                browser.look_like(width, scheme=scheme)
                for name, path in {"checks": "/", "checklist": "/checklist", "filtered": "/?show=wrong&q=website"}.items():
                    browser.go(daemon.url + path)
                    assert browser.run("document.documentElement.scrollWidth") <= width, path
                    assert not browser.run("window.spelled"), path
                    if pictures:
                        browser.shot(pathlib.Path(pictures) / f"exporter-{name}-{width}-{scheme}.png")
        browser.look_like(1280)
        browser.go(daemon.url + "/")
        row = browser.run("document.querySelector('#check-root').innerText")
        assert "Failed last" in row and "/: Input/output error" in row and "12 not measured" in row and "fail > 300%" in row
        assert "90 not measured" not in row and "89 not measured" in browser.run("document.querySelector('#check-queue').innerText")
        # At once, on the same page, and with an address that shows the same.
        browser.run("window.stays = true")
        browser.type("input[name=q]", "disk")
        browser.wait("document.querySelectorAll('tbody tr').length === 1", "what is typed to be found")
        assert browser.run("window.stays && document.activeElement.name") == "q"
        assert browser.run("location.search") == "?q=disk" and "1 of 4 checks" in browser.text()
        # The page shows itself anew while the field has the focus, and what is shown stays what was asked for.
        (tmp_path / "files" / "one").write_text("")
        (tmp_path / "files" / "two").write_text("")
        (tmp_path / "files" / "three").write_text("")
        scrape(daemon)
        browser.wait("!document.querySelector('.card.bad').innerText.includes('Backups')", "the page to show itself anew")
        assert browser.run("document.querySelectorAll('tbody tr').length") == 1
        browser.scripts(False)
        try:
            browser.call("Page.navigate", url=daemon.url + "/")
            browser.wait("document.readyState === 'complete' && document.querySelectorAll('tbody tr').length === 4", "all of them")
            browser.type("input[name=q]", "backups")
            browser.press_enter()
            browser.wait("document.querySelectorAll('tbody tr').length === 1", "what is found without a script")
            assert "Failed last" in browser.text()
        finally:
            browser.scripts(True)
    assert browser.complaints == []
