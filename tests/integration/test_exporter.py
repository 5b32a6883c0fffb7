# SPDX-License-Identifier: Apache-2.0
"""How a scrape behaves when targets do not, and the exporter as a process."""

import re
import signal
import socket
import subprocess
import urllib.error

import pytest

from lab.parts import wait_for
from scraping import logged, promtool, scrape, value

def test_hang_node_exporter_244_868_3058_one_hung_check_costs_no_other(exporter, hole):
    daemon = exporter([{"name": f"disk{n}", "disk": {"mountpoints": ["/"]}} for n in range(29)] +
                      [{"name": "hung", "timeout": "10m", "http": {"url": hole}}])
    found = scrape(daemon, timeout=2)
    for n in range(29):
        assert value(found, "runbook_check_success", check=f"disk{n}") == 1
    assert value(found, "runbook_check_success", check="hung") == 0
    assert value(found, "runbook_check_last_run_timestamp_seconds", check="hung") == 0
    # It was late once: nobody waits for it again, however long they could.
    first = value(found, "runbook_check_last_run_timestamp_seconds", check="disk0")
    found = scrape(daemon)
    assert value(found, "runbook_check_last_run_timestamp_seconds", check="disk0") > first
    assert "is running for the first time" in daemon.page("/")


def test_hang_pg_exporter_34_a_late_check_shows_its_last_values_with_their_age(exporter, target):
    daemon = exporter([{"name": "web", "timeout": "1m", "http": {"url": target.url}}])
    first = value(scrape(daemon), "runbook_check_last_run_timestamp_seconds", check="web")
    target.open.clear()
    found = scrape(daemon, timeout=1)
    assert value(found, "runbook_check_last_run_timestamp_seconds", check="web") == first
    assert value(found, "runbook_check_success", check="web") == 1
    assert value(found, "runbook_http_status_code", check="web") == 200
    target.status = 503
    target.open.set()  # the run goes on, and its result is shown by whoever asks next

    def fresh():
        return value(scrape(daemon), "runbook_check_last_run_timestamp_seconds", check="web") > first

    wait_for(fresh, "the late result")
    assert value(scrape(daemon), "runbook_check_success", check="web") == 0


def test_overlapping_scrapes_client_golang_1477_1969_share_one_run(exporter, target):
    daemon = exporter([{"name": "web", "timeout": "1m", "http": {"url": target.url}}])
    target.open.clear()
    waiting = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(8)]
    try:
        for connection in waiting:
            connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n"
                               b"X-Prometheus-Scrape-Timeout-Seconds: 60\r\n\r\n")
        wait_for(lambda: target.hits, "the run to begin")
        for _ in range(3):  # the event thread has read what was sent before
            daemon.page("/-/healthy")
        target.open.set()
        pages = [b"".join(iter(lambda c=connection: c.recv(65536), b"")) for connection in waiting]
    finally:
        for connection in waiting:
            connection.close()
    assert len(target.hits) == 1
    for page in pages:
        assert b'runbook_check_success{check="web"} 1\n' in page


def test_caching_sql_exporter_195_447_postgres_exporter_277_openstack_exporter_214(exporter, target):
    daemon = exporter([{"name": "web", "cache": "1h", "http": {"url": target.url}},
                       {"name": "disk", "cache": "1h", "disk": {"mountpoints": ["/"]}}])
    pages = {scrape(daemon).page for _ in range(20)}
    assert len(pages) == 1  # to the byte, process_* too
    assert len(target.hits) == 1


def test_a_failure_is_not_remembered(exporter, target):
    target.status = 500
    daemon = exporter([{"name": "web", "cache": "1h", "http": {"url": target.url}}])
    assert value(scrape(daemon), "runbook_check_success", check="web") == 0
    target.status = 200
    assert value(scrape(daemon), "runbook_check_success", check="web") == 1
    scrape(daemon)
    assert len(target.hits) == 2


def test_collect_filters_before_anything_runs(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url}}, {"name": "disk", "disk": {"mountpoints": ["/"]}},
                       {"name": "tmp", "disk": {"mountpoints": ["/tmp"]}}])
    found = scrape(daemon, "?collect[]=disk&collect[]=tmp")
    assert {dict(labels).get("check") for _, labels in found.all} == {"disk", "tmp"}
    assert target.hits == []
    promtool(found.page)
    with pytest.raises(urllib.error.HTTPError) as caught:
        scrape(daemon, "?collect[]=dsik")
    assert caught.value.code == 400
    assert caught.value.read().decode() == 'There is no check "dsik"; did you mean "disk"?\n'
    assert target.hits == []


def test_a_change_is_logged_once(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url}}])
    for status in (200, 200, 500, 503, 500, 200, 200, 500):
        target.status = status
        scrape(daemon)
    assert len(logged(daemon, "Check failed")) == 2
    assert len(logged(daemon, "Check succeeds again")) == 1


def test_cardinality_postgres_exporter_549_series_over_the_limit_are_cut_counted_and_told(exporter, target):
    target.says({"components": {f"c{n}": "up" for n in range(100)}})
    daemon = exporter([{"name": "web", "max_series": 20, "http": {"url": target.url}}])
    found = scrape(daemon)
    kept = [1 for name, _ in found.all if name.startswith("runbook_http_")]
    assert len(kept) == 20
    assert value(found, "runbook_check_dropped_series", check="web") == 87
    assert "87 series over max_series" in daemon.page("/")


def test_pages_for_people_and_probes(exporter):
    daemon = exporter([{"name": "disk", "title": "Disk space", "disk": {"mountpoints": ["/"]}}])
    assert "healthy" in daemon.page("/-/healthy")
    assert "ready" in daemon.page("/-/ready")
    assert "not run yet" in daemon.page("/")
    scrape(daemon)
    page = daemon.page("/")
    assert "Disk space" in page and "passes" in page
    assert not re.search(r'(?:src|href)="(?![/#]|data:,)', page)  # nothing from outside


def test_it_ends_cleanly_and_answers_who_waits(exporter, hole):
    daemon = exporter([{"name": "hung", "timeout": "10m", "http": {"url": hole}}])
    with socket.create_connection(("127.0.0.1", daemon.port)) as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        for _ in range(3):
            daemon.page("/-/healthy")
        daemon.process.send(signal.SIGTERM)
        assert connection.recv(4096).startswith(b"HTTP/1.")
        assert daemon.process.wait() == 0


def run(program, *arguments):
    return subprocess.run([program, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=30)


def test_the_command_line(program, tmp_path):
    done = run(program, "--version")
    assert done.returncode == 0 and re.fullmatch(r"runbook_exporter \S+\n", done.stdout)
    done = run(program, "--help")
    assert done.returncode == 0 and "--config.file" in done.stdout and "rules/checks.yml" in done.stdout
    done = run(program, "describe")
    assert done.returncode == 0 and "runbook_redis_ping_seconds" in done.stdout and "mountpoints" in done.stdout
    for wrong in (["--config.fiel=x"], ["--log.level=loud"], ["--workers=-1"], ["dance"]):
        done = run(program, *wrong)
        assert done.returncode == 2 and done.stderr and not done.stdout

    config = tmp_path / "checks.yml"
    config.write_text("checks:\n  - {name: a, disk: {mountpoint: /}}\n  - {name: a, htpp: {}}\n")
    done = run(program, f"--config.file={config}", "--config.check")
    assert done.returncode == 1
    assert f"{config}:2:" in done.stderr and f"{config}:3:" in done.stderr and "mountpoints" in done.stderr
    done = run(program, f"--config.file={config}")
    assert done.returncode == 1 and f"{config}:2:" in done.stderr
    assert run(program, f"--config.file={tmp_path}/none.yml", "--config.check").returncode == 1
    config.write_text("checks:\n  - {name: a, disk: {mountpoints: /}}\n")
    done = run(program, f"--config.file={config}", "--config.check")
    assert (done.returncode, done.stderr) == (0, "")
