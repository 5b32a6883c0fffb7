# SPDX-License-Identifier: Apache-2.0
"""Numbers out of JSON as metrics: of what a server answers and of what a program writes."""

import json
import subprocess
import sys

import pytest

from harness.target import Target
from scraping import logged, promtool, read_openmetrics, scrape, value

HELP = {"help": "Told by the service."}


@pytest.fixture
def target():
    target = Target()
    yield target
    target.stop()


def check(target, *metrics, **options):
    return [{"name": "app", "http": {"url": target.url, "metrics": [{**HELP, **one} for one in metrics], **options}}]


def test_json_exporter_83_198_215_343_arrays_with_labels(exporter, target):
    target.says({"cluster": "c1", "regions": {
        "east": {"queues": [{"name": "in", "id": 3045210000000, "stats": {"length": 3}},
                            {"name": "out", "id": 7, "stats": {"length": "4.5"}}]},
        "west": {"queues": []}}})
    daemon = exporter(check(target, {
        "name": "app_queue_length", "each": "regions.*.queues", "keys": ["region", "number"], "value": "stats.length",
        "labels": {"queue": "name", "id": "id", "cluster": "^^.cluster"}}))
    found = scrape(daemon)
    assert value(found, "app_queue_length", check="app", region="east", number="0", queue="in", id="3045210000000",
                 cluster="c1") == 3
    assert value(found, "app_queue_length", check="app", region="east", number="1", queue="out", id="7",
                 cluster="c1") == 4.5
    assert len([name for name, _ in found.all if name == "app_queue_length"]) == 2
    assert value(found, "runbook_check_success", check="app") == 1
    promtool(found.page)
    read_openmetrics(daemon)


def test_json_exporter_172_tolleiv_3_words_truths_and_numbers_in_strings(exporter, target):
    target.says({"status": "degraded", "isValid": True, "broken": False, "data": {"version": "17.8"}, "none": None,
                 "made": "2026-01-31T12:00:00Z", "ms": 250})
    daemon = exporter(check(
        target, {"name": "app_state", "value": "status", "values": {"ok": 1, "degraded": 0}},
        {"name": "app_valid", "value": "isValid"}, {"name": "app_broken", "value": "broken"},
        {"name": "app_version", "value": "data.version"}, {"name": "app_none", "value": "none"},
        {"name": "app_made_timestamp_seconds", "value": "made", "format": "timestamp"},
        {"name": "app_latency_seconds", "value": "ms", "factor": 0.001}))
    found = scrape(daemon)
    for name, expected in (("app_state", 0), ("app_valid", 1), ("app_broken", 0), ("app_version", 17.8),
                           ("app_none", None), ("app_made_timestamp_seconds", 1769860800),
                           ("app_latency_seconds", 0.25)):
        assert value(found, name, check="app") == expected, name
    assert "runbook_check_items_skipped{" not in found.page
    promtool(found.page)


def test_json_exporter_283_394_what_is_not_as_it_should_be_costs_itself(exporter, target):
    target.says({"items": [{"name": "a", "n": 1}, {"name": "a", "n": 2}, {"name": "b"}, {"name": "c", "n": "secret"},
                           {"name": "d", "n": 4}]})
    daemon = exporter(check(target, {"name": "app_items", "each": "items", "value": "n", "labels": {"name": "name"}},
                            {"name": "app_gone", "value": "nowhere"}))
    found = scrape(daemon)
    assert value(found, "app_items", check="app", name="a") == 1
    assert value(found, "app_items", check="app", name="d") == 4
    assert value(found, "runbook_check_success", check="app") == 1
    for reason, count in (("duplicate", 1), ("missing", 2), ("malformed", 1)):
        assert value(found, "runbook_check_items_skipped", check="app", reason=reason) == count
    scrape(daemon)
    told = logged(daemon, "Items of the check were skipped")
    assert len(told) == 3 and any("app_items, item 3: n is no number" in line for line in told), told
    assert "secret" not in daemon.process.output()
    target.says({"items": [], "nowhere": 1})
    found = scrape(daemon)
    assert "runbook_check_items_skipped{" not in found.page
    assert value(found, "app_gone", check="app") == 1


def test_thresholds_and_limits_hold_for_them(exporter, target):
    target.says([{"id": n, "depth": n} for n in range(30)])
    checks = check(target, {"name": "app_depth", "each": ".", "value": "depth", "labels": {"id": "id"}})
    checks[0].update(warn="app_depth > 8", max_series=19)
    found = scrape(exporter(checks))
    assert len([name for name, _ in found.all if name == "app_depth"]) < 20
    assert value(found, "runbook_check_dropped_series", check="app") > 0
    assert value(found, "runbook_check_series_beyond_threshold", check="app", level="warn") > 0


def test_an_answer_that_is_no_json_fails_and_a_wrong_status_tells_its_numbers(exporter, target):
    target.says({"depth": 3}, status=503)
    daemon = exporter(check(target, {"name": "app_depth", "value": "depth"}))
    found = scrape(daemon)
    assert value(found, "app_depth", check="app") == 3
    assert value(found, "runbook_check_success", check="app") == 0
    assert "answered 503, expected 2xx" in daemon.page("/")
    target.status, target.body = 200, b"<html>"
    found = scrape(daemon)
    assert value(found, "app_depth", check="app") is None
    assert "the answer: not valid JSON" in daemon.page("/")
    target.body = json.dumps({"depth": "x" * 2000}).encode()
    assert value(scrape(exporter(check(target, {"name": "app_depth", "value": "depth"}, body_limit="1KiB"))),
                 "runbook_check_success", check="app") == 0


def test_numbers_of_a_program(exporter, tmp_path):
    script = tmp_path / "tool"
    script.write_text("import sys; print(sys.argv[1]); sys.exit(int(sys.argv[2]))\n")

    def tool(name, says, code=0):
        return {"name": name, "exec": {"command": [sys.executable, "-S", "-E", str(script), says, str(code)],
                                       "output": "json", "metrics": [{"name": "tool_jobs", "each": "jobs",
                                                                      "keys": "job", "value": "n", **HELP}]}}

    daemon = exporter([tool("good", '{"jobs": {"a": {"n": 1}, "b": {"n": "2"}}}'), tool("bad", "Traceback"),
                       tool("ended", "Traceback", 3)])
    found = scrape(daemon)
    assert value(found, "tool_jobs", check="good", job="a") == 1
    assert value(found, "tool_jobs", check="good", job="b") == 2
    assert [value(found, "runbook_check_success", check=name) for name in ("good", "bad", "ended")] == [1, 0, 0]
    page = daemon.page("/")
    assert "not valid JSON at line 1, column 1" in page and "ended with 3" in page
    promtool(found.page)


def test_mistakes_are_refused_with_their_place(binaries, tmp_path):
    config = tmp_path / "c.yml"
    config.write_text("checks:\n  - name: a\n    http:\n      url: http://h/\n      metrics:\n"
                      "        - {name: b, each: x, labels: {check: y}}\n")
    done = subprocess.run([binaries.exporter, "--config.check", f"--config.file={config}"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1 and f"{config}:6:" in done.stdout, done.stdout
