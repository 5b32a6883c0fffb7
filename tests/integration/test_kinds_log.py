# SPDX-License-Identifier: Apache-2.0
"""Kind log over restarts of the exporter, while a writer goes on and rotates."""

import json

import pytest

from lab.runbook import Exporter
from scraping import promtool, scrape, value


class Remembering(Exporter):
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
