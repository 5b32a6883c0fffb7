# SPDX-License-Identifier: Apache-2.0
"""The exporter's pages of one configuration stay as they are: the metrics to the byte, the landing page as it reads.

Masked is only what differs from run to run: durations, moments, the process itself, versions, ports and directories.
"""

import os
import re
import urllib.request

import pytest

from harness.golden import assert_golden, readable
from lab.pages import PAGES

FILES = (("nightly.dump", 2048, 1700000000), ("weekly.dump", 4096, 1700003600))
# What tells how long something took, or when it was: the value goes, the sample stays.
MOVING = re.compile(r"^((?:process_|runbook_\w*(?:duration_seconds|_run_timestamp_seconds|last_success_timestamp_seconds|"
                    r"reload_success_timestamp_seconds|_age_seconds|_created))\w*(?:\{.*\})?) \S+$", re.M)


@pytest.fixture
def checks(tmp_path, target, postgres):
    target.says({"status": "healthy", "version": "1.2.3", "uptime": 12.5,
                 "components": {"database": {"status": "healthy"}, "cache": {"status": "down"}}})
    (tmp_path / "backups").mkdir()
    for name, size, modified in FILES:
        (tmp_path / "backups" / name).write_bytes(b"x" * size)
        os.utime(tmp_path / "backups" / name, (modified, modified))
    (tmp_path / "app.log").write_text("ERROR one\nfine\n")
    return [
        {"name": "service", "title": "System \"health\"", "step": 1, "advice": "Look at it.",
         "http": {"url": target.url, "json": {"status": "healthy"}}},
        {"name": "refused", "title": "What is not there", "http": {"url": target.url, "status": 204}},
        {"name": "files", "title": "Backups", "step": 2, "fail": ["runbook_files_present < 3"],
         "files": {"directories": [str(tmp_path / "backups")], "pattern": "*.dump"}},
        {"name": "words", "title": "A program", "warn": ["app_queue_length > 10"],
         "exec": {"command": ["/bin/echo", "app_queue_length{queue=\"mails\"} 12"], "output": "prometheus",
                  "metrics": [{"name": "app_queue_length", "help": "What waits."}]}},
        {"name": "rows", "title": "Rows of the operator",
         "postgres": {"dsn": postgres.dsn(), "groups": [], "query": "SELECT 'a\"b' AS kind, 3.5 AS size",
                      "metrics": [{"name": "app_size_bytes", "value": "size", "labels": ["kind"], "help": "Sizes."}]}},
        {"name": "lines", "title": "A log", "log": {"files": [str(tmp_path / "app.log")],
                                                    "patterns": [{"name": "error", "pattern": "ERROR"}]}},
    ]


MASKS = (
    (MOVING, r"\1 ~"),
    (re.compile(r'(runbook_exporter_build_info\{version=")[^"]*'), r"\1~"),
    (re.compile(r"(runbook_exporter_sandbox_info)\{.*\}"), r"\1{~}"),
    (re.compile(r"<time .*?</time>"), "~ ago"),
    (re.compile(r">[0-9.]+ (ms|s)</span>"), r">~ \1</span>"),
)


def masked(text, target, directory):
    text = text.replace(target.url, "http://TARGET/").replace(str(directory), "DIRECTORY")
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def page(daemon, accept):
    request = urllib.request.Request(f"{daemon.url}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=15) as answer:
        body = answer.read().decode()
        PAGES.read(body, answer.headers["Content-Type"])
        return body


def test_the_exporters_pages_stay(exporter, checks, target, tmp_path):
    daemon = exporter(checks)
    assert_golden("exporter.txt", masked(page(daemon, "text/plain"), target, tmp_path))
    assert_golden("exporter_openmetrics.txt",
                  masked(page(daemon, "application/openmetrics-text;version=1.0.0"), target, tmp_path))
    assert_golden("exporter_landing.txt", readable(masked(daemon.page("/"), target, tmp_path)))
