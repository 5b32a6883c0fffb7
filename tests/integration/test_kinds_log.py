# SPDX-License-Identifier: Apache-2.0
"""Kind log over restarts of the exporter, while a writer goes on and rotates."""

import json
import shutil

import pytest

from exporter_flags import AskedExporter, ExporterWithFlags
from scraping import logged, promtool, read_openmetrics, scrape, value


class Remembering(AskedExporter):
    """An exporter that is given a directory for its state."""

    def arguments(self):
        state = self.directory / "state"
        state.mkdir(exist_ok=True)
        return [*super().arguments(), f"--state.directory={state}"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_no_line_is_lost_or_counted_twice_over_restarts(program, tmp_path, end):
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "app.log"
    log.write_text("ERROR before anybody looked\n")
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"checks": [{"name": "app", "log": {"files": f"{logs}/*.log", "patterns": [
        {"name": "error", "pattern": "error|exception|failed", "ignore_case": True},
        {"name": "auth", "pattern": "(auth|unauthorized)"}]}}]}))
    counted = {"error": 0, "auth": 0}
    written = 0

    def write(lines):
        nonlocal written
        with open(log, "a", encoding="utf-8") as file:
            for _ in range(lines):
                written += 1
                file.write(f"2026-01-31 ERROR request {written} unauthorized\n2026-01-31 INFO fine\n")

    for round_number in range(4):
        daemon = Remembering(program, config, tmp_path / f"exporter-{end}").start()
        try:
            for _ in range(2):
                found = scrape(daemon)
                write(3)
            found = scrape(daemon)
            assert value(found, "runbook_check_success", check="app") == 1, daemon.page("/")
            for pattern in counted:
                counted[pattern] += value(found, "runbook_log_matched_lines_total", check="app", pattern=pattern)
            assert value(found, "runbook_log_behind_bytes", check="app") == 0
            promtool(found.page)
        finally:
            if end == "stop":
                assert daemon.stop() == 0
            else:
                daemon.process.kill()
        assert counted == {"error": written, "auth": written}, round_number
        # While nobody looks:
        if round_number == 2:
            (logs / "app.log.1").unlink()
            log.write_text("")
        write(2)
        if round_number == 1:
            log.rename(logs / "app.log.1")
            write(2)
    assert written > 30


def test_a_state_directory_that_cannot_be_written_is_told(program, tmp_path):
    (tmp_path / "app.log").write_text("")
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"checks": [{"name": "app", "log": {
        "files": str(tmp_path / "app.log"), "patterns": [{"name": "all", "pattern": "."}]}}]}))
    daemon = Remembering(program, config, tmp_path / "exporter").start()
    try:
        (tmp_path / "exporter" / "state").rmdir()
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="app") == 0
        assert value(found, "runbook_log_lines_total", check="app") == 0
        assert "log-app: No such file or directory" in daemon.page("/")
    finally:
        assert daemon.stop() == 0


# Root that may not read what its mode forbids, as the unit's user cannot.
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
PATTERNS = [{"name": "error", "pattern": "error"}]


def matched(found, check="app"):
    return value(found, "runbook_log_matched_lines_total", check=check, pattern="error")


def test_b1_a_log_that_may_not_be_read_costs_itself(program, tmp_path):
    logs = tmp_path / "logs"
    for name in ("a", "locked", "listed"):
        (logs / name).mkdir(parents=True)
        (logs / name / "app.log").write_text("error\n")
    (logs / "a" / "secret.log").write_text("error\n")
    (logs / "a" / "secret.log").chmod(0)
    (logs / "locked").chmod(0)
    (logs / "listed").chmod(0o444)
    checks = [{"name": name, "log": {"files": files, "from": "start", "patterns": PATTERNS}} for name, files in (
        ("app", f"{logs}/*/app.log"), ("all", f"{logs}/*/*.log"), ("named", [f"{logs}/a/secret.log", f"{logs}/a/app.log"]),
        ("gone", [f"{logs}/a/gone.log", f"{logs}/a/app.log"]), ("locked", f"{logs}/locked/*.log"),
        ("only", f"{logs}/*/secret.log"))]
    with ExporterWithFlags(program, checks, tmp_path, launcher=NO_OVERRIDE) as daemon:
        for _ in range(2):
            found = scrape(daemon)
            for check, success, lines, skipped in (("app", 1, 1, 2), ("all", 1, 1, 4), ("named", 0, 1, None),
                                                   ("gone", 0, 1, None), ("locked", 0, 0, None), ("only", 0, 0, 3)):
                assert value(found, "runbook_check_success", check=check) == success, (check, daemon.page("/"))
                assert matched(found, check) == lines, check
                assert value(found, "runbook_check_items_skipped", check=check, reason="unreadable") == skipped, check
        page = daemon.page("/")
        for reason in ("a/secret.log: Permission denied", "a/gone.log does not exist", "logs/locked: Permission denied"):
            assert reason in page, page
        told = [line for line in logged(daemon, "Items of the check were skipped") if "check=app" in line]
        assert len(told) == 1 and "listed: Permission denied" in told[0], told
        (logs / "locked").chmod(0o755)
        assert matched(scrape(daemon)) == 2


@pytest.mark.parametrize("copy", ["b.log.1", "b-20260101.log"])
def test_d1_copytruncate_with_a_copy_that_the_pattern_matches(program, tmp_path, copy):
    log = tmp_path / "b.log"
    log.write_text("old error\nold error\n")
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"checks": [{"name": "app", "log": {"files": f"{tmp_path}/b*log*",
                                                                     "patterns": PATTERNS}}]}))

    def write(line):
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    daemon = Remembering(program, config, tmp_path / "exporter").start()
    try:
        assert matched(scrape(daemon)) == 0
        write("error 3")
        assert matched(scrape(daemon)) == 1
        write("error 4")
        shutil.copy(log, tmp_path / copy)
        assert matched(scrape(daemon)) == 2  # between the copy and the truncation
        log.write_text("")
        assert matched(scrape(daemon)) == 2
        write("error 5")
        assert matched(scrape(daemon)) == 3
    finally:
        assert daemon.stop() == 0
    # And while nobody looks.
    (tmp_path / copy).unlink()
    write("error 6")
    shutil.copy(log, tmp_path / copy)
    log.write_text("error 7\n")
    daemon = Remembering(program, config, tmp_path / "exporter").start()
    try:
        assert matched(scrape(daemon)) == 2
        assert matched(scrape(daemon)) == 2
    finally:
        assert daemon.stop() == 0


ACCESS = {"name": "access", "pattern": r'"(?P<method>[A-Z]+) (?P<path>/\w*).*?" (?P<status>\d{3}) .*took=(?P<ms>\S+)',
          "labels": ["method", "status"], "value": {"group": "ms", "name": "app_request_duration_seconds",
                                                    "help": "How long requests took.", "type": "histogram",
                                                    "factor": 0.001, "buckets": [0.1, 0.5]}}


def access(log, *lines):
    with open(log, "a", encoding="utf-8") as file:
        for method, status, took in lines:
            file.write(f'10.0.0.1 - ann [1/Jan] "{method} /a?token=hunter2 HTTP/1.1" {status} 17 took={took}\n')


def test_grok_exporter_18_35_71_labels_and_157_how_values_are_distributed(program, tmp_path):
    log = tmp_path / "access.log"
    log.touch()
    config = tmp_path / "checks.yml"
    config.write_text(json.dumps({"checks": [{"name": "app", "log": {"files": str(log), "patterns": [ACCESS]}}]}))

    def counted(found, **labels):
        return (value(found, "runbook_log_matched_lines_total", check="app", pattern="access", **labels),
                value(found, "app_request_duration_seconds_count", check="app", pattern="access", **labels),
                value(found, "app_request_duration_seconds_bucket", check="app", pattern="access", le="0.1", **labels))

    daemon = Remembering(program, config, tmp_path / "exporter").start()
    found = scrape(daemon)
    assert counted(found) == (0, 0, 0)
    access(log, ("GET", 200, 50), ("GET", 200, 250), ("POST", 500, 2000), ("GET", 200, "slow"))
    found = scrape(daemon)
    assert counted(found) == (0, 0, 0)
    assert counted(found, method="GET", status="200") == (3, 2, 1)
    assert value(found, "app_request_duration_seconds_sum", check="app", pattern="access", method="GET",
                 status="200") == 0.3
    assert counted(found, method="POST", status="500") == (1, 1, 0)
    assert value(found, "runbook_check_items_skipped", check="app", reason="malformed") == 1
    promtool(found.page)
    read_openmetrics(daemon)
    assert "runbook_check_items_skipped{" not in scrape(daemon).page
    page = daemon.page("/")
    assert daemon.stop() == 0
    for secret in ("hunter2", "ann", "slow"):
        assert secret not in found.page + daemon.process.output() + page
    # While nobody looks: counted once, from 0 on, as all counters are over a restart.
    access(log, ("GET", 404, 1))
    log.rename(tmp_path / "access.log.1")
    log.touch()
    access(log, ("GET", 404, 1))
    daemon = Remembering(program, config, tmp_path / "exporter").start()
    found = scrape(daemon)
    assert counted(found, method="GET", status="404") == (2, 2, 2)
    assert counted(found, method="GET", status="200") == (None, None, None)
    assert daemon.stop() == 0


def test_grok_exporter_6_74_the_last_number_and_the_sum(exporter, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("queue=7 sent=100\nqueue=3 sent=50\n")
    value_of = {"help": "Told by the log."}
    daemon = exporter([{"name": "app", "log": {"files": str(log), "from": "start", "patterns": [
        {"name": "queue", "pattern": r"queue=(?P<n>\d+)",
         "value": {"group": "n", "name": "app_queue_length", **value_of}},
        {"name": "sent", "pattern": r"sent=(?P<n>\d+)",
         "value": {"group": "n", "name": "app_sent_bytes_total", "type": "counter", **value_of}}]},
        "warn": "app_queue_length > 2"}])
    found = scrape(daemon)
    assert value(found, "app_queue_length", check="app", pattern="queue") == 3
    assert value(found, "app_sent_bytes_total", check="app", pattern="sent") == 150
    assert value(found, "runbook_check_series_beyond_threshold", check="app", level="warn") == 1
    promtool(found.page)


def test_labels_without_end_are_bounded(exporter, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("".join(f"user={n}\n" for n in range(5000)) + "user=1\n")
    found = scrape(exporter([{"name": "app", "log": {"files": str(log), "from": "start", "patterns": [
        {"name": "user", "pattern": r"user=(?P<user>\d+)", "labels": "user"}]}}]))
    assert len([name for name, _ in found.all if name == "runbook_log_matched_lines_total"]) == 101
    assert sum(number for (name, _), number in found.all.items() if name == "runbook_log_matched_lines_total") == 5001
    assert value(found, "runbook_log_matched_lines_total", check="app", pattern="user", user="1") == 2
    assert value(found, "runbook_check_items_skipped", check="app", reason="beyond_limit") == 4900
