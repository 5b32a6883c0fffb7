# SPDX-License-Identifier: Apache-2.0
"""Every check runs once when it is new, in the background; after that, when somebody asks."""

import json
import signal
import threading

import pytest

from lab.parts import wait_for
from lab.runbook import Exporter
from scraping import logged, promtool, scrape, value


@pytest.fixture
def starts(program, tmp_path):
    """As an operator starts it: with no flag about this."""
    started = []

    def start(checks):
        config = tmp_path / "checks.yml"
        config.write_text(json.dumps({"checks": checks}))
        started.append(Exporter(program, config, tmp_path / "exporter"))
        return started[-1].start()

    yield start
    assert [daemon.stop() for daemon in started] == [0] * len(started)


def all_have_run(daemon):
    page = daemon.page("/")
    return "not run yet" not in page and "running for the first time" not in page


def check(name, url, **more):
    return {"name": name, "http": {"url": url}, **more}


def test_there_is_something_to_show_before_anybody_asks(starts, target):
    daemon = starts([check("cached", target.url, cache="1h"), check("plain", f"{target.url}plain"),
                     check("failing", "http://127.0.0.1:1/"), check("pointed", f"{target.url}itself", targets=[
                         f"{target.url}elsewhere"])])
    wait_for(lambda: all_have_run(daemon), "every check to have run")
    assert sorted(path for path, _ in target.hits) == ["/", "/itself", "/plain"]
    page = daemon.page("/")
    assert "1 of them failing" in page
    found = scrape(daemon)
    assert sorted(path for path, _ in target.hits) == ["/", "/itself", "/itself", "/plain", "/plain"]  # cache: holds
    for name, success in (("cached", 1), ("plain", 1), ("failing", 0)):
        assert value(found, "runbook_check_success", check=name) == success
    promtool(found.page)


def test_a_scrape_shares_the_runs_of_the_start(starts, target):
    target.open.clear()
    daemon = starts([check("a", target.url, timeout="60s")])
    wait_for(lambda: len(target.hits) == 1, "the first run to begin")  # it is ready, although nothing has ended
    assert daemon.page("/-/ready")
    pages = []
    asking = [threading.Thread(target=lambda: pages.append(scrape(daemon, timeout=30))) for _ in range(3)]
    for thread in asking:
        thread.start()
    target.open.set()
    for thread in asking:
        thread.join()
    assert [value(page, "runbook_check_success", check="a") for page in pages] == [1] * 3
    # Who came after its end has had a run of its own, which others that came then shared.
    assert 1 <= len(target.hits) <= 3


def test_what_hangs_at_the_start_is_overdue_without_a_scrape(starts, hole, target):
    daemon = starts([check("hangs", hole, timeout="1s"), check("fine", target.url)])
    wait_for(lambda: "1 of them failing" in daemon.page("/"), "the hanging check to fail")
    assert logged(daemon, "Check failed")


def test_what_a_reload_brings_runs_too_and_nothing_else(starts, target):
    daemon = starts([check("kept", target.url)])
    wait_for(lambda: target.hits, "the first run")
    daemon.config.write_text(json.dumps({"checks": [check("kept", target.url), check("new", f"{target.url}new")]}))
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: "/new" in [path for path, _ in target.hits], "the new check to run")
    wait_for(lambda: all_have_run(daemon), "its result")
    assert [path for path, _ in target.hits] == ["/", "/new"]


def test_without_it_nothing_runs_before_it_is_asked_for(exporter, target):
    daemon = exporter([check("a", target.url)])
    assert "not run yet" in daemon.page("/")
    assert not target.hits
    scrape(daemon)
    assert len(target.hits) == 1
