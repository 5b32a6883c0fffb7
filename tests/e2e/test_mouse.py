# SPDX-License-Identifier: Apache-2.0
"""A fault that waits for a person, approved with the mouse in a real browser, and healed before his eyes."""

import signal

import pytest

from harness.browser import Browser
from lab.parts import wait_for
from lab.pictures import ask_first, sign_in

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
    number = browser.run("location.pathname").rpartition("/")[2]
    approved = next(row for row in lab.responder.incident(number)["timeline"] if row["event"] == "approved")
    assert approved["actor"] == "ada (token operator)"
    assert browser.complaints == []
    wait_for(lambda: ("high_latency", "mcp-server") not in lab.prometheus.alerts(), "the alert to be resolved", 60)
