# SPDX-License-Identifier: Apache-2.0
"""Kind heartbeat: jobs say over HTTP that they ran; who may, what is kept, and how little is written for a flood."""

import concurrent.futures
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import time
import types
import urllib.error
import urllib.request

import pytest

from exporter_flags import ExporterWithFlags
from lab.parts import ROOT
from scraping import scrape, value
from web_configuration import ALICE, Served

BACKUP = {"name": "backup", "heartbeat": {"period": "1d", "grace": "1h"}}


def post(daemon, path, headers=None, data=b"", method="POST"):
    request = urllib.request.Request(daemon.url + path, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return types.SimpleNamespace(status=answer.status, text=answer.read().decode(), headers=answer.headers)
    except urllib.error.HTTPError as error:
        return types.SimpleNamespace(status=error.code, text=error.read().decode(), headers=error.headers)


def ping(daemon, path="/ping/backup", **more):
    answer = post(daemon, path, **more)
    assert (answer.status, answer.text) == (200, "OK\n")


def metric(daemon, name, **labels):
    return value(scrape(daemon), f"runbook_heartbeat_{name}", check="backup", **labels)


@pytest.fixture
def start(program, tmp_path):
    """Starts exporters that keep their state in one directory; ends them."""
    started = []
    state = tmp_path / "state"
    state.mkdir()

    def begin(*checks, flags=(), **more):
        daemon = ExporterWithFlags(program, list(checks) or [BACKUP], tmp_path, f"--state.directory={state}", *flags,
                                   **more)
        daemon.state = state
        started.append(daemon)
        return daemon.start()

    yield begin
    assert {daemon.stop() for daemon in started} <= {0, -signal.SIGKILL}


def stands(daemon):
    return [dict(labels)["standing"] for (name, labels), number in scrape(daemon).all.items()
            if name == "runbook_check_standing" and number == 1]


def test_a_job_that_was_never_heard_of_is_not_set_up_and_not_late(start):
    daemon = start()
    assert metric(daemon, "pinged") == 0
    assert "runbook_heartbeat_late" not in daemon.page()
    assert stands(daemon) == ["not_set_up"]
    assert "it was never heard of" in daemon.page("/")
    ping(daemon)
    assert stands(daemon) == ["pass"]
    ping(daemon, "/ping/backup/1")
    assert stands(daemon) == ["fail"]


def test_a_run_is_told_from_start_to_end(start):
    daemon = start()
    before = time.time()
    ping(daemon, "/ping/backup/start")
    assert metric(daemon, "running") == 1
    assert metric(daemon, "last_success_timestamp_seconds") is None
    ping(daemon, "/ping/backup/0", data=b"what the job wrote" * 100)
    page = scrape(daemon)
    found = {name: value(page, f"runbook_heartbeat_{name}", check="backup") for name in (
        "running", "failed", "late", "exit_code", "duration_seconds", "last_success_timestamp_seconds",
        "expected_by_timestamp_seconds")}
    assert (found["running"], found["failed"], found["late"], found["exit_code"]) == (0, 0, 0, 0)
    assert 0 <= found["duration_seconds"] <= time.time() - before
    assert before <= found["last_success_timestamp_seconds"] <= time.time()
    assert round(found["expected_by_timestamp_seconds"] - found["last_success_timestamp_seconds"]) == 25 * 3600
    assert value(page, "runbook_check_success", check="backup") == 1


def test_every_way_to_fail(start):
    daemon = start()
    for count, (end, code) in enumerate((("fail", None), ("3", 3), ("255", 255)), 1):
        ping(daemon, f"/ping/backup/{end}")
        page = scrape(daemon)
        assert value(page, "runbook_heartbeat_failed", check="backup") == 1
        assert value(page, "runbook_heartbeat_exit_code", check="backup") == code
        assert value(page, "runbook_heartbeat_pings_total", check="backup", event="fail") == count
        assert value(page, "runbook_check_success", check="backup") == 0
    assert "its last run failed, at " in daemon.process.output()
    ping(daemon)
    assert metric(daemon, "failed") == 0


def test_what_is_no_ping_is_refused(start):
    daemon = start({"name": "redis", "disk": {"mountpoints": ["/"]}}, BACKUP)
    assert [post(daemon, f"/ping/backup/{word}").status for word in ("256", "-1", "9999", "stop", "3x", "0x1")] == [400] * 6
    assert post(daemon, "/ping/backup/0/0").status == 404
    assert post(daemon, "/ping/backup?rid=1").status == 400
    assert post(daemon, "/ping/backup", data=b"x" * (100 * 1024)).status == 200
    assert post(daemon, "/ping/backup", data=b"x" * (100 * 1024 + 1)).status == 413
    for method in ("GET", "HEAD", "PUT"):  # what a browser fetches ahead is no job that ran
        answer = post(daemon, "/ping/backup", method=method, data=None)
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    for name in ("backu", "redis", "", "backup%00", "BACKUP"):
        answer = post(daemon, f"/ping/{name}")
        assert answer.status == 404 and "backup" not in answer.text
    assert value(scrape(daemon), "runbook_heartbeat_pings_total", check="backup", event="success") == 1


@pytest.mark.parametrize("headers", ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
                                     {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}))
def test_another_sites_page_cannot_ping(start, headers):
    daemon = start()
    assert post(daemon, "/ping/backup", headers).status == 403
    assert metric(daemon, "pinged") == 0


def test_what_was_answered_is_kept_when_the_exporter_is_killed(start):
    daemon = start()
    ping(daemon, "/ping/backup/start")
    ping(daemon, "/ping/backup/7")
    os.kill(daemon.process.pid, signal.SIGKILL)
    daemon.stop()
    again = start()
    assert (metric(again, "failed"), metric(again, "exit_code"), metric(again, "pings_total", event="start")) == (1, 7, 1)


def test_a_broken_file_is_told_until_the_next_ping(start):
    daemon = start()
    ping(daemon)
    daemon.stop()
    file = daemon.state / "heartbeat-backup"
    file.write_text(file.read_text().replace("successes 1", "successes 2"))
    again = start()
    page = scrape(again)
    assert value(page, "runbook_check_success", check="backup") == 0
    assert stands(again) == ["unknown"]
    assert "runbook_heartbeat_" not in "".join(line for line in page.page.splitlines() if not line.startswith("#"))
    assert "heartbeat-backup does not hold" in again.process.output()
    ping(again)
    assert metric(again, "pings_total", event="success") == 1


def test_a_changed_check_goes_on_with_what_was_said(start):
    daemon = start(flags=("--web.enable-lifecycle",))
    ping(daemon, "/ping/backup/0")
    daemon.write([{"name": "backup", "heartbeat": {"cron": "@daily", "timezone": "UTC", "grace": "30m"}}])
    assert post(daemon, "/-/reload").status == 200
    assert metric(daemon, "pings_total", event="success") == 1
    assert (metric(daemon, "expected_by_timestamp_seconds") - 1800) % 86400 == 0


def test_only_who_has_the_token_may_ping(start, tmp_path):
    token = tmp_path / "token"
    token.write_text("open sesame\n")
    daemon = start({"name": "backup", "heartbeat": {**BACKUP["heartbeat"], "token_file": str(token)}})
    for headers in ({}, {"Authorization": "Bearer open"}, {"Authorization": "Bearer open sesame "},
                    {"Authorization": "Bearer "}, {"Authorization": "Basic b3BlbiBzZXNhbWU="}):
        answer = post(daemon, "/ping/backup", headers)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), headers
    assert metric(daemon, "pinged") == 0
    ping(daemon, headers={"Authorization": "Bearer open sesame"})
    token.write_text("")
    assert post(daemon, "/ping/backup", {"Authorization": "Bearer "}).status == 500
    token.write_text("another")
    assert post(daemon, "/ping/backup", {"Authorization": "Bearer open sesame"}).status == 401
    ping(daemon, headers={"Authorization": "bearer another"})
    assert "sesame" not in daemon.process.output()


def test_with_users_nobody_else_may_ping(program, tmp_path):
    token = tmp_path / "token"
    token.write_text("open sesame")
    checks = [BACKUP, {"name": "other", "heartbeat": {**BACKUP["heartbeat"], "token_file": str(token)}}]
    served = Served(program, tmp_path / "served", {"checks": checks},
                    {"basic_auth_users": {ALICE[0].partition(":")[0]: ALICE[1]}}).start()
    for path in ("/ping/backup", "/ping/other", "/ping/unknown"):
        assert served.curl(path, "-X", "POST")[0] == 401
    assert served.curl("/ping/other", "-X", "POST", "-H", "Authorization: Bearer open sesame")[0] == 401
    for path in ("/ping/backup", "/ping/other"):
        assert served.curl(path, "-X", "POST", user=ALICE[0])[::2] == (200, "OK\n")
    assert served.process.stop() == 0


def test_from_elsewhere_a_token_is_needed(program, tmp_path):
    """From an address that is not loopback, in a network namespace of its own."""
    token = tmp_path / "token"
    token.write_text("open sesame")
    checks = [BACKUP, {"name": "other", "heartbeat": {**BACKUP["heartbeat"], "token_file": str(token)}}]
    served = Served(program, tmp_path / "served", {"checks": checks}, None, "--web.listen-address=:9877",
                    launcher=("unshare", "--net", "sh", "-c",
                              'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$0" "$@"')).start()

    def curl(url, *words):
        done = subprocess.run(["nsenter", "--net", f"--target={served.process.pid}", "curl", "-s", "-m", "10",
                               "-o", os.devnull, "-w", "%{http_code}", "-X", "POST", *words, url], check=True, stdout=subprocess.PIPE)
        return int(done.stdout)

    right = ("-H", "Authorization: Bearer open sesame")
    assert curl("http://127.0.0.1:9877/ping/backup") == 200
    assert curl("http://192.0.2.1:9877/ping/backup") == 403
    assert curl("http://192.0.2.1:9877/ping/backup", *right) == 403
    assert curl("http://192.0.2.1:9877/ping/other") == 401
    assert curl("http://192.0.2.1:9877/ping/other", *right) == 200
    assert curl("http://192.0.2.1:9877/ping/unknown") == 404
    assert served.process.stop() == 0


def test_a_proxys_peers_are_not_from_this_host(start):
    daemon = start()
    for header in ("X-Forwarded-For", "Forwarded"):
        answer = post(daemon, "/ping/backup", {header: "192.0.2.7"})
        assert answer.status == 403 and "token" in answer.text


class Moves:
    """How often files were moved to a place in a directory, by inotify(7); also from where, for equal events in a row
    are one to it."""

    FROM, TO = 0x40, 0x80

    def __init__(self, directory):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self.fd, os.fsencode(directory), self.FROM | self.TO) >= 0

    def count(self):
        found = 0
        while True:
            try:
                events = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return found
            at = 0
            while at < len(events):
                _, mask, _, length = struct.unpack_from("iIII", events, at)
                found += mask == self.TO
                at += 16 + length

    def close(self):
        os.close(self.fd)


def test_a_flood_is_written_once_a_second(start):
    daemon = start()
    moves = Moves(daemon.state)
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: post(daemon, "/ping/backup").status, range(400)))
    took = time.monotonic() - begun
    written = moves.count()
    moves.close()
    assert set(answers) <= {200, 429, 503}
    assert 1 <= written <= 8 + took + 1
    # What was answered is counted, each once; what was refused is not.
    assert metric(daemon, "pings_total", event="success") == answers.count(200)


def test_one_flooded_check_keeps_no_other_out(start):
    daemon = start(BACKUP, {"name": "other", "heartbeat": BACKUP["heartbeat"]})
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        flood = [pool.submit(post, daemon, "/ping/backup") for _ in range(200)]
        assert [post(daemon, "/ping/other").status for _ in range(5)] == [200] * 5
        assert {one.result().status for one in flood} <= {200, 429}


def test_what_waits_is_written_and_answered_when_the_exporter_stops(start):
    daemon = start()
    connections = []
    for _ in range(16):
        connection = socket.create_connection(("127.0.0.1", daemon.port))
        connection.sendall(b"POST /ping/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                           b"Content-Length: 0\r\n\r\n")
        connections.append(connection)
    post(daemon, "/ping/unknown")  # answered behind those before it
    assert daemon.stop() == 0
    answered = [b"".join(iter(lambda c=c: c.recv(4096), b"")).startswith(b"HTTP/1.1 200") for c in connections]
    again = start()
    assert metric(again, "pings_total", event="success") == sum(answered) > 0


def test_the_checklist_reads_what_the_exporter_keeps(start, program):
    daemon = start()
    ping(daemon, "/ping/backup/3")

    def checklist(*flags):
        done = subprocess.run([program, "checklist", f"--config.file={daemon.config}", "--json", *flags], check=False,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)["steps"][0]

    kept = (daemon.state / "heartbeat-backup").read_bytes()
    assert "its last run failed with exit code 3" in checklist(f"--state.directory={daemon.state}")["reason"]
    unread = checklist()
    assert "--state.directory" in unread["reason"] and unread["standing"] == "unknown"
    assert (daemon.state / "heartbeat-backup").read_bytes() == kept


def test_the_lines_of_the_documents_work(start, tmp_path):
    daemon = start()
    text = (ROOT / "docs" / "heartbeat.md").read_text(encoding="utf-8")
    line = next(line for line in map(str.strip, text.splitlines()) if line.startswith("15 2 * * *"))
    script = line.removeprefix("15 2 * * * ").replace("http://localhost:9877", daemon.url)
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for code, failed in ((0, 0), (4, 1)):
        job = bin_directory / "backup-db"
        job.write_text(f"#!/bin/sh\nexit {code}\n")
        job.chmod(0o755)
        words = script.replace("/usr/local/bin/backup-db", str(job))
        assert words != script
        subprocess.run(["sh", "-c", words], check=True, stdout=subprocess.DEVNULL)
        assert (metric(daemon, "failed"), metric(daemon, "exit_code")) == (failed, code)
        assert metric(daemon, "duration_seconds") is not None
    # The instances of the template, as systemd reads their names.
    command = next(line for line in text.splitlines() if line.startswith("ExecStart=")).partition("=")[2]
    names = [line.partition("@")[2].removesuffix(".service") for line in text.splitlines() if "=runbook-ping@" in line]
    assert len(names) == 3
    before = {event: metric(daemon, "pings_total", event=event) for event in ("start", "success", "fail")}
    for name in names:
        unescaped = subprocess.run(["systemd-escape", "--unescape", name], check=True, text=True, stdout=subprocess.PIPE)
        words = command.replace("%I", unescaped.stdout.strip()).replace("http://localhost:9877", daemon.url).split()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    assert {event: metric(daemon, "pings_total", event=event) - count for event, count in before.items()} == {
        "start": 1, "success": 1, "fail": 1}
