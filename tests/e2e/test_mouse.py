# SPDX-License-Identifier: Apache-2.0
"""A fault that waits for a person, approved with the mouse in a real browser, and healed before his eyes."""

import signal

import pytest
import yaml

from harness.browser import Browser
from lab.parts import wait_for
from lab.pictures import ask_first, sign_in
from lab.runbook import has_ended

CHECKED = "document.querySelector('.state')?.innerText"


@pytest.fixture
def asking_lab(calm_lab):
    """high_latency asks first, for as long as the test runs."""
    file = calm_lab.rules / "remediations.yml"
    before = file.read_text(encoding="utf-8")

    def read_again():
        said = calm_lab.responder.page().splitlines()
        calm_lab.responder.process.child.send_signal(signal.SIGHUP)
        line = next(one for one in said if one.startswith("runbook_responder_config_last_reload_success_timestamp_seconds "))
        wait_for(lambda: line not in calm_lab.responder.page().splitlines(), "the file to be read again")

    ask_first(calm_lab)
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["storm"] = "off"  # whatever else this lab has healed within the last minutes
    document["remediations"].append({"name": "louder", "match": ['alertname="louder"'], "steps": [
        {"docker.set_env": {"service": "worker", "env": {"LOG_LEVEL": "debug"}}}]})
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    read_again()
    yield calm_lab
    file.write_text(before, encoding="utf-8")
    read_again()


@pytest.fixture
def browser(tmp_path):
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


def test_a_fault_is_healed_by_an_approval_with_the_mouse(asking_lab, browser):
    lab = asking_lab
    before = lab.compose.started_at("mcp-server")
    browser.look_like(1280)
    sign_in(browser, lab)
    for number in range(3):
        lab.redis.client.set(f"mcp:stale{number}", "1")  # those of the service itself expire
    lab.redis.client.delete("mcp:backlog")  # a list that an earlier test has left is kept, and may be all that there is
    lab.compose.fault("mcp-server", "slow", seconds=3)
    # The page shows it by itself.
    browser.wait("Boolean(document.querySelector('a[href$=\"/approve\"]'))", "the incident to be shown", 120)
    assert lab.compose.started_at("mcp-server") == before, "nothing is done before somebody agrees"
    browser.click('a[href$="/approve"]')
    assert "restart service mcp-server" in browser.text()
    browser.click("button.main")
    browser.wait(f"{CHECKED} === 'healed'", "it to be healed", 120)
    assert lab.compose.started_at("mcp-server") > before
    assert browser.run("document.querySelectorAll('figure.chart svg path.line').length") == 1
    assert "the limit is 2" in browser.text()
    # And from before the alert on, as Prometheus had it; with the alert and what was run.
    assert browser.run("document.querySelectorAll('figure.chart svg path.before').length") == 1
    assert browser.run("document.querySelectorAll('figure.chart svg path.mark').length") >= 2
    number = browser.run("location.pathname").rpartition("/")[2]
    approved = next(row for row in lab.responder.incident(number)["timeline"] if row["event"] == "approved")
    assert approved["actor"] == "ada (token operator)"
    assert browser.complaints == []
    wait_for(lambda: ("high_latency", "mcp-server") not in lab.prometheus.alerts(), "the alert to be resolved", 60)


def level_of(lab):
    container = lab.compose.inspect("worker")
    return next((pair for pair in container["Config"]["Env"] if pair.startswith("LOG_LEVEL=")), None)


def test_what_was_changed_is_undone_with_the_mouse(asking_lab, browser):
    lab = asking_lab
    before = level_of(lab)
    status, answer = lab.responder.post("/api/v1/remediations/louder/run", {"by": "ada", "labels": {"alertname": "louder"}})
    assert status in (200, 202), answer
    number = answer["number"]
    lab.by_hand.add(number)
    wait_for(lambda: has_ended(lab.responder.incident(number)), "it to be run", 60)
    assert level_of(lab) == "LOG_LEVEL=debug" != before
    browser.look_like(1280)
    sign_in(browser, lab)
    browser.go(f"{lab.responder.url}/incidents/{number}")
    browser.click('a[href$="/undo"]')
    assert "docker.set_env" in browser.text()
    browser.type("#reason", "loud enough")
    browser.click("button.danger")
    wait_for(lambda: lab.responder.incident(number)["steps"][0]["status"] == "undone", "it to be put back", 60)
    assert level_of(lab) == before
    browser.wait("document.body.innerText.includes('undo asked for')", "the page to say so")
    assert browser.complaints == []
