# SPDX-License-Identifier: Apache-2.0
"""The exporter on real parts: what each kind measures, and how a scrape behaves when targets do not."""

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import types
import urllib.error
import urllib.request

import psycopg2.errors
import pytest

from lab.compose import Compose
from lab.parts import free_port, wait_for
from lab.prometheus import Prometheus
from lab.runbook import Exporter

CANARY = "correct-horse-battery-staple"


class Target:
    """An HTTP server that counts what it is asked, and answers when it is let."""

    def __init__(self):
        self.hits = []
        self.status, self.body = 200, b"{}"
        self.open = threading.Event()
        self.open.set()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                target.hits.append((self.path, dict(self.headers)))
                target.open.wait(60)
                self.send_response(target.status)
                self.send_header("Content-Length", str(len(target.body)))
                self.end_headers()
                self.wfile.write(target.body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, document, status=200):
        self.status, self.body = status, json.dumps(document).encode()

    def stop(self):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def target():
    server = Target()
    yield server
    server.stop()


@pytest.fixture
def hole():
    """An address that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.fixture(scope="session")
def program(build):
    found = build / "runbook_exporter"
    assert found.exists(), f"{found} is missing: run `make build`"
    return found


@pytest.fixture
def exporter(program, tmp_path):
    """Starts exporters with the checks that a test gives; ends them."""
    started = []

    def start(checks, defaults=None, env=None):
        config = tmp_path / f"checks-{len(started)}.yml"
        config.write_text(json.dumps({"defaults": defaults or {}, "checks": checks}))  # JSON is YAML
        daemon = Exporter(program, config, tmp_path / f"exporter-{len(started)}")
        started.append(daemon)
        return daemon.start(env)

    yield start
    for daemon in started:
        daemon.stop()


def samples(page):
    """{(name, sorted labels): value}; every line must be well-formed."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r'([a-z_]+)(?:\{(.*)\})? (\S+)', line).groups()
        pairs = tuple(sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert (name, pairs) not in found, line
        found[name, pairs] = float(value)
    return types.SimpleNamespace(all=found, page=page)


def scrape(daemon, query="", timeout=None):
    """One scrape; with a timeout as Prometheus does it: it says it in a header and gives up after it."""
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(timeout)} if timeout else {}
    request = urllib.request.Request(f"{daemon.url}/metrics{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=timeout or 15) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return samples(answer.read().decode())


def value(found, name, /, **labels):
    return found.all.get((name, tuple(sorted(labels.items()))))


def promtool(page):
    """What `promtool check metrics` has to say: nothing."""
    done = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def logged(daemon, message):
    return [line for line in daemon.process.output().splitlines() if f'msg="{message}"' in line]


# ---- what each kind measures ----

def test_http_tells_status_phases_size_and_components(exporter, target):
    target.says({"status": "healthy", "version": 3, "db": {"ok": True},
                 "components": {"database": "up", "cache": {"status": "Healthy"}, "queue": "down", "disk": {}}})
    daemon = exporter([{"name": "web", "http": {"url": target.url, "status": 200, "headers": {"X-From": "runbook"},
                                                "json": {"status": "healthy", "version": 3, "db.ok": True}}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="web") == 1
    assert value(found, "runbook_http_status_code", check="web") == 200
    assert value(found, "runbook_http_response_bytes", check="web") == len(target.body)
    for phase in ("resolve", "connect", "tls", "processing", "transfer"):
        assert 0 <= value(found, "runbook_http_duration_seconds", check="web", phase=phase) < 5
    assert {dict(labels)["component"]: state for (name, labels), state in found.all.items()
            if name == "runbook_http_component_healthy"} == {"database": 1, "cache": 1, "queue": 0, "disk": 0}
    assert target.hits[0][1]["X-From"] == "runbook"
    promtool(found.page)


def test_http_fails_on_another_status_field_or_answer(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url, "json": {"status": "healthy"}}}])
    for document, status, reason in (({"status": "degraded"}, 200, 'status is \\"degraded\\", expected \\"healthy\\"'),
                                     ({}, 200, "the answer has no field status"),
                                     ({"status": "healthy", "components": {"db": "down"}}, 503, "answered 503")):
        target.says(document, status)
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="web") == 0
        assert value(found, "runbook_http_status_code", check="web") == status
        page = daemon.page("/")
        assert reason.replace('\\"', "&quot;") in page
    assert value(found, "runbook_http_component_healthy", check="web", component="db") == 0
    target.status, target.body = 200, b"<html>"
    assert value(scrape(daemon), "runbook_check_success", check="web") == 0
    target.says({"status": "healthy"})
    assert value(scrape(daemon), "runbook_check_success", check="web") == 1


def test_redis(exporter, redis_server):
    client = redis_server.client
    client.flushall()
    client.set("a", 1)
    client.set("b", 1)
    client.get("a")
    client.execute_command("SELECT", 3)
    client.set("c", 1)
    client.execute_command("SELECT", 0)
    daemon = exporter([{"name": "redis", "redis": {"address": redis_server.address}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="redis") == 1
    assert 0 < value(found, "runbook_redis_ping_seconds", check="redis") < 5
    assert value(found, "runbook_redis_keys", check="redis", db="0") == 2
    assert value(found, "runbook_redis_keys", check="redis", db="3") == 1
    info = client.info()
    assert value(found, "runbook_redis_memory_max_bytes", check="redis") == info["maxmemory"]
    assert value(found, "runbook_redis_memory_used_bytes", check="redis") > 100000
    assert 0 < value(found, "runbook_redis_keyspace_hits_total", check="redis") <= info["keyspace_hits"]
    assert 0 < value(found, "runbook_redis_commands_processed_total", check="redis") < info["total_commands_processed"]
    for name in ("connected_clients", "keyspace_misses_total", "expired_keys_total", "evicted_keys_total",
                 "uptime_seconds"):
        assert value(found, f"runbook_redis_{name}", check="redis") >= 0
    client.flushall()
    assert value(scrape(daemon), "runbook_redis_keys", check="redis", db="0") is None
    promtool(found.page)


def test_postgres_connections_and_long_running_queries(exporter, postgres):
    daemon = exporter([{"name": "pg", "postgres": {"dsn": postgres.dsn(), "long_running": "100ms"}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="pg") == 1
    assert value(found, "runbook_postgres_max_connections", check="pg") == postgres.max_connections
    assert value(found, "runbook_postgres_long_running_queries", check="pg", database="mcp") == 0
    assert value(found, "runbook_postgres_longest_query_seconds", check="pg", database="mcp") == 0

    sleeper = postgres.connect()

    def sleep():
        with pytest.raises(psycopg2.errors.QueryCanceled):
            sleeper.cursor().execute("SELECT pg_sleep(60)")

    thread = threading.Thread(target=sleep)
    thread.start()
    try:
        def seen():
            found = scrape(daemon)
            return value(found, "runbook_postgres_long_running_queries", check="pg", database="mcp") == 1 and found

        found = wait_for(seen, "the long-running query")
        assert value(found, "runbook_postgres_longest_query_seconds", check="pg", database="mcp") > 0.1
        assert value(found, "runbook_postgres_connections", check="pg", database="mcp", state="active") == 2
    finally:
        sleeper.cancel()
        thread.join()
        sleeper.close()
    promtool(found.page)


def test_postgres_maps_any_query(exporter, postgres):
    postgres.reset()
    postgres.add_keys("alpha", 'beta "quoted"')
    postgres.sql("UPDATE api_keys SET expires_at = NULL WHERE name LIKE 'beta%'")
    daemon = exporter([{"name": "keys", "postgres": {
        "dsn": postgres.dsn(),
        "query": "SELECT name, EXTRACT(EPOCH FROM expires_at)::float8 AS expires, revoked_at IS NULL AS live FROM api_keys",
        "metrics": [{"name": "runbook_api_key_expiry_timestamp_seconds", "value": "expires", "labels": ["name"]},
                    {"name": "runbook_api_key_live", "type": "gauge", "help": "Live.", "value": "live",
                     "labels": ["name"]}]}}])
    found = scrape(daemon)
    expiry = postgres.value("SELECT EXTRACT(EPOCH FROM expires_at)::float8 FROM api_keys WHERE name = 'alpha'")
    assert value(found, "runbook_api_key_expiry_timestamp_seconds", check="keys", name="alpha") == expiry
    assert value(found, "runbook_api_key_live", check="keys", name='beta \\"quoted\\"') == 1
    assert len([1 for name, _ in found.all if name == "runbook_api_key_expiry_timestamp_seconds"]) == 1  # not for NULL
    assert not [1 for name, _ in found.all if name == "runbook_postgres_max_connections"]
    promtool(found.page)
    postgres.reset()


def test_postgres_keeps_one_read_only_connection_and_finds_a_new_one(exporter, postgres):
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook_exporter'"
    daemon = exporter([{"name": "pg", "postgres": {"dsn": postgres.dsn()}}])
    for _ in range(3):
        assert value(scrape(daemon), "runbook_check_success", check="pg") == 1
    assert postgres.value(mine) == 1
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runbook_exporter'")
    wait_for(lambda: postgres.value(mine) == 0, "the backend to end")
    assert value(scrape(daemon), "runbook_check_success", check="pg") == 1
    assert postgres.value(mine) == 1
    assert logged(daemon, "Check failed") == []
    daemon.stop()
    wait_for(lambda: postgres.value(mine) == 0, "the connection to be closed")

    writer = exporter([{"name": "pg", "postgres": {
        "dsn": postgres.dsn(), "query": "DELETE FROM contexts RETURNING 1 AS one",
        "metrics": [{"name": "t_one", "value": "one"}]}}])
    assert value(scrape(writer), "runbook_check_success", check="pg") == 0
    assert "read-only transaction" in writer.page("/")


def test_postgres_cancels_what_takes_too_long(exporter, postgres):
    daemon = exporter([{"name": "pg", "timeout": "300ms", "postgres": {
        "dsn": postgres.dsn(), "query": "SELECT 1 AS one, pg_sleep(60)", "metrics": [{"name": "t_one", "value": "one"}]}}])
    assert value(scrape(daemon), "runbook_check_success", check="pg") == 0
    postgres.wait_value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
                        "AND state = 'active' AND pid <> pg_backend_pid()", 0)


def test_docker_tells_services_and_containers(exporter, engine, service_program, postgres, redis_server, workspace):
    compose = Compose(workspace.path("exporter-compose"), engine, service_program, postgres, redis_server,
                      services=("mcp-server", "worker"), project="exporter-test")
    try:
        compose.start()
        daemon = exporter([{"name": "services", "docker": {"host": engine.host, "project": "exporter-test",
                                                           "services": ["mcp-server", "worker"]}}])
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="services") == 1
        inspected = engine.inspect(compose.container("worker"))
        container = inspected["Name"].lstrip("/")
        labels = {"check": "services", "service": "worker", "container": container}
        assert value(found, "runbook_docker_service_containers", check="services", service="worker") == 1
        assert value(found, "runbook_docker_container_running", **labels) == 1
        assert value(found, "runbook_docker_container_healthy", **labels) == 1
        assert value(found, "runbook_docker_container_restarts_total", **labels) == 0
        assert value(found, "runbook_docker_container_start_timestamp_seconds", **labels) > 1.6e9
        assert value(found, "runbook_docker_container_info", image="exporter-test-worker:1.0.0", version="1.0.0",
                     image_id=inspected["Image"].split(":")[1][:12], state="running", **labels) == 1
        promtool(found.page)

        engine.docker("stop", "-t", "0", compose.container("worker"))
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="services") == 0
        assert value(found, "runbook_docker_service_containers", check="services", service="worker") == 0
        assert value(found, "runbook_docker_container_running", **labels) == 0
        assert "service worker has no running container" in daemon.page("/")
        engine.docker("rm", "-f", *compose.containers("worker"))
        found = scrape(daemon)
        assert value(found, "runbook_docker_service_containers", check="services", service="worker") == 0
        assert value(found, "runbook_docker_container_running", **labels) is None
        assert value(found, "runbook_docker_service_containers", check="services", service="mcp-server") == 1
    finally:
        compose.stop()


def test_disk(exporter, tmp_path):
    daemon = exporter([{"name": "disk", "disk": {"mountpoints": ["/", str(tmp_path / "gone")]}}])
    found = scrape(daemon)
    stat = os.statvfs("/")
    assert value(found, "runbook_disk_size_bytes", check="disk", mountpoint="/") == stat.f_blocks * stat.f_frsize
    assert value(found, "runbook_disk_inodes", check="disk", mountpoint="/") == stat.f_files
    assert 0 <= value(found, "runbook_disk_used_ratio", check="disk", mountpoint="/") <= 1
    assert value(found, "runbook_disk_available_bytes", check="disk", mountpoint="/") >= 0
    assert value(found, "runbook_disk_inodes_free", check="disk", mountpoint="/") >= 0
    assert value(found, "runbook_disk_read_only", check="disk", mountpoint="/") == 0
    assert value(found, "runbook_check_success", check="disk") == 0  # the other one is not there
    assert "No such file or directory" in daemon.page("/")
    promtool(found.page)


def test_prometheus_scrapes_the_exporter_and_answers_its_queries(exporter, workspace):
    prometheus = Prometheus(workspace.path("exporter-prometheus"))
    url = prometheus.url
    daemon = exporter([
        {"name": "vector", "prometheus": {"url": url, "query": 'label_replace(vector(0.25), "service", "api", "", "")',
                                          "labels": ["service", "absent"],
                                          "metric": {"name": "runbook_http_error_ratio", "help": "Errors."}}},
        {"name": "scalar", "prometheus": {"url": url + "/", "query": "42"}},
        {"name": "nothing", "prometheus": {"url": url, "query": "no_such_metric"}},
        {"name": "wrong", "prometheus": {"url": url, "query": "sum("}},
        {"name": "disk", "title": 'Disk "root"', "disk": {"mountpoints": ["/"]}}])
    config = workspace.path("exporter-prometheus") / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
        {"job_name": "runbook", "static_configs": [{"targets": [f"127.0.0.1:{daemon.port}"]}]}]}))
    prometheus.start(config)
    try:
        found = scrape(daemon)
        assert value(found, "runbook_http_error_ratio", check="vector", service="api") == 0.25
        assert value(found, "runbook_prometheus_query_value", check="scalar") == 42
        for check, success in (("vector", 1), ("scalar", 1), ("nothing", 1), ("wrong", 0)):
            assert value(found, "runbook_check_success", check=check) == success
        assert "parse error" in daemon.page("/")
        promtool(found.page)

        wait_for(lambda: prometheus.value('runbook_check_success{check="disk"}') == 1, "the series in Prometheus")
        assert prometheus.value("up") == 1
        stored = prometheus.query('{job="runbook",__name__=~"(runbook|process)_.*"}')
        assert {labels["__name__"] for labels, _ in stored} == {name for name, _ in found.all}
        assert prometheus.query("runbook_check_info{check='disk'}")[0][0]["title"] == 'Disk "root"'
    finally:
        prometheus.stop()


# ---- how a scrape behaves ----

def test_one_hung_check_costs_the_scrape_nothing_else(exporter, hole):
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


def test_a_late_check_shows_its_last_values_with_their_age(exporter, target):
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


def test_scrapes_that_arrive_together_share_one_run(exporter, target):
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


def test_what_is_not_due_is_served_from_memory(exporter, target):
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
    assert caught.value.read().decode() == 'There is no check "dsik". Did you mean "disk"?\n'
    assert target.hits == []


def test_a_change_is_logged_once(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url}}])
    for status in (200, 200, 500, 503, 500, 200, 200, 500):
        target.status = status
        scrape(daemon)
    assert len(logged(daemon, "Check failed")) == 2
    assert len(logged(daemon, "Check succeeds again")) == 1


def test_series_over_the_limit_are_cut_counted_and_told(exporter, target):
    target.says({"components": {f"c{n}": "up" for n in range(100)}})
    daemon = exporter([{"name": "web", "max_series": 20, "http": {"url": target.url}}])
    found = scrape(daemon)
    kept = [1 for name, _ in found.all if name.startswith("runbook_http_")]
    assert len(kept) == 20
    assert value(found, "runbook_check_dropped_series", check="web") == 87
    assert "87 series over max_series" in daemon.page("/")


def test_no_secret_is_told_anywhere(exporter, target, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(CANARY + "\n")
    port = free_port()
    dsn = f"host=127.0.0.1 port={port} user=x dbname=y"
    daemon = exporter([
        {"name": "web", "http": {"url": target.url, "bearer_token_file": str(secret), "status": 204}},
        {"name": "web2", "http": {"url": f"http://127.0.0.1:{port}/?token={CANARY}", "bearer_token": "${RUNBOOK_CANARY}"}},
        {"name": "redis", "redis": {"address": f"127.0.0.1:{port}", "password_file": str(secret)}},
        {"name": "pg", "postgres": {"dsn": dsn, "password_file": str(secret)}}], env={"RUNBOOK_CANARY": CANARY})
    found = scrape(daemon)
    assert target.hits[0][1]["Authorization"] == f"Bearer {CANARY}"
    for check in ("web", "web2", "redis", "pg"):
        assert value(found, "runbook_check_success", check=check) == 0
    for told in (found.page, daemon.page("/"), daemon.process.output()):
        assert CANARY not in told


# ---- the process ----

def test_pages_for_people_and_probes(exporter):
    daemon = exporter([{"name": "disk", "title": "Disk space", "disk": {"mountpoints": ["/"]}}])
    assert "healthy" in daemon.page("/-/healthy")
    assert "ready" in daemon.page("/-/ready")
    assert "not run yet" in daemon.page("/")
    scrape(daemon)
    page = daemon.page("/")
    assert "Disk space" in page and "passes" in page
    assert not re.search(r'(?:src|href)="(?!/)', page)  # nothing from outside


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
        assert done.returncode == 2 and done.stderr

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
