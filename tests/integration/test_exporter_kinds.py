# SPDX-License-Identifier: Apache-2.0
"""What each kind of check measures on its real part."""

import calendar
import ctypes
import json
import os
import subprocess
import threading
import time

import psycopg2.errors
import pytest

from harness.target import Target
from lab.certificates import Authority
from lab.parts import wait_for
from lab.prometheus import Prometheus
from scraping import logged, promtool, scrape, value


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
            if name == "runbook_http_component_healthy"} == {"database": 1, "cache": 1, "queue": 0}  # "disk" says nothing
    assert target.hits[0][1]["X-From"] == "runbook"
    assert target.hits[0][1]["Connection"] == "close"  # a kept one would hide that no new one is taken
    promtool(found.page)


def test_http_tells_version_uptime_and_components_of_components(exporter, target):
    """The health document of the AEM servers, as their runbook has it, and a detailed one."""
    document = {"status": "healthy", "timestamp": "2024-01-15T10:30:00Z", "version": "1.0.0", "uptime": 86400.5,
                "components": {"aem": "healthy", "redis": "healthy", "config": "healthy", "memory": "healthy",
                               "disk": "healthy"}}
    target.says(document)
    daemon = exporter([
        {"name": "read", "http": {"url": target.url, "json": {"status": "healthy"}}},
        {"name": "build", "http": {"url": target.url, "version": "build.id", "uptime": "build.age",
                                   "components": "details.checks"}}])

    def told(check):
        found = scrape(daemon)
        promtool(found.page)
        assert value(found, "runbook_http_tls_not_after_timestamp_seconds", check=check) is None
        labels = {name: {dict(pairs).get(label): number for (family, pairs), number in found.all.items()
                         if family == f"runbook_http_{name}" and ("check", check) in pairs}
                  for name, label in (("version_info", "version"), ("component_healthy", "component"))}
        return (labels["version_info"], value(found, "runbook_http_uptime_seconds", check=check),
                labels["component_healthy"])

    assert told("read") == ({"1.0.0": 1}, 86400.5, dict.fromkeys(document["components"], 1))
    assert told("build") == ({}, None, {})
    target.says({"status": "healthy", "version": {"major": 1}, "uptime": "a day", "components": {
        "db": {"components": {"primary": {"status": "UP"}, "replica": {"status": "DOWN", "details": {"status": "up"}}}},
        "aem": {"healthy": True, "latency": 3}, "redis": {"healthy": False}, "queue": {"status": False}},
        "build": {"id": "v" * 129, "age": 0}, "details": {"checks": {"a": {"checks": {"b": {"checks": {}}}}}}})
    assert told("read") == ({}, None, {"db.primary": 1, "db.replica": 0, "aem": 1, "redis": 0, "queue": 0})
    assert told("build") == ({}, 0, {})


def test_http_tells_when_the_certificate_ends(exporter, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("web", "DNS:localhost")
    target = Target(tls=(certificate, key))
    try:
        daemon = exporter([{"name": "web", "http": {"url": target.url, "tls_config": {
            "ca_file": str(authority.file)}}}])
        end = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", certificate], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.strip().split("=")[1]
        found = scrape(daemon)
        assert value(found, "runbook_http_tls_not_after_timestamp_seconds", check="web") == \
            calendar.timegm(time.strptime(end, "%b %d %H:%M:%S %Y %Z")), daemon.page("/")
        promtool(found.page)
    finally:
        target.stop()


def test_http_fails_on_another_status_field_or_answer(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url, "json": {"status": "healthy"}}}])
    for document, status, reason in (({"status": "degraded"}, 200, 'status is \\"degraded\\", expected \\"healthy\\"'),
                                     ({}, 200, "the answer has no field status"),
                                     ([{"status": "healthy"}], 200, "the answer has no field status"),
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
    assert value(scrape(daemon), "runbook_redis_keys", check="redis", db="0") == 0
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
        "query": "SELECT name, EXTRACT(EPOCH FROM expires_at)::float8 AS expires, revoked_at IS NULL AS live "
                 "FROM api_keys",
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


def test_postgres_of_five_million_rows_a_few_are_taken_f10(exporter, postgres):
    """All of them took gigabytes, and with the exporter every other check; so did one value. The run also keeps its time."""
    daemon = exporter([{"name": "many", "timeout": "20s", "postgres": {
        "dsn": postgres.dsn(), "query": "SELECT 'key-' || g AS name, 1::float8 AS v FROM generate_series(1, 5000000) g",
        "metrics": [{"name": "many_rows", "value": "v", "labels": ["name"], "help": "h"}]}},
        {"name": "huge", "timeout": "20s", "postgres": {
            "dsn": postgres.dsn(), "query": "SELECT repeat('x', 120 * 1000 * 1000) AS name, 1::float8 AS v",
            "metrics": [{"name": "huge_rows", "value": "v", "labels": ["name"], "help": "h"}]}},
        {"name": "pg", "timeout": "20s", "postgres": {"dsn": postgres.dsn()}}])
    found = scrape(daemon)
    assert value(found, "runbook_check_dropped_series", check="many") > 20000
    assert value(found, "runbook_check_success", check="huge") == 0
    assert "the answer has more than 16 MiB" in daemon.page("/")
    assert len([1 for name, _ in found.all if name == "many_rows"]) <= 1000
    assert value(found, "runbook_check_success", check="pg") == 1
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        most = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")][0]
    # The sanitizer keeps what was freed for a while; all of the rows would take it more than that still.
    assert most < (640 if "san/" in str(daemon.process.argv[0]) else 96) << 10, f"{most} KiB"


def test_postgres_keeps_one_read_only_connection_and_finds_a_new_one(exporter, postgres):
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook_exporter'"
    wait_for(lambda: postgres.value(mine) == 0, "the server to end what other tests gave up")
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
        "dsn": postgres.dsn(), "query": "SELECT 1 AS one, pg_sleep(60)",
        "metrics": [{"name": "t_one", "value": "one"}]}}])
    assert value(scrape(daemon), "runbook_check_success", check="pg") == 0
    postgres.wait_value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
                        "AND state = 'active' AND pid <> pg_backend_pid()", 0)


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


@pytest.fixture
def dead_mount(workspace):
    """A file system whose server never answers, and a function that ends the server."""
    libc = ctypes.CDLL(None, use_errno=True)
    point = workspace.path("dead-mount")
    server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
    assert libc.mount(b"dead", bytes(point), b"fuse", 0, options) == 0, os.strerror(ctypes.get_errno())
    open_servers = [server]

    def end():
        while open_servers:
            os.close(open_servers.pop())

    try:
        yield str(point), end
    finally:
        end()
        libc.umount2(bytes(point), 2)  # MNT_DETACH


def test_disk_a_dead_mount_hides_no_other_and_hangs_one_thread(exporter, dead_mount, tmp_path):
    dead, end = dead_mount
    gone = str(tmp_path / "gone")
    daemon = exporter([{"name": "disk", "timeout": "3s", "disk": {"mountpoints": [dead, gone, "/"]}}])

    def hung():
        """{mountpoint: whether it is told to hang}; what is read of the root is there in any case."""
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="disk") == 0
        assert value(found, "runbook_disk_inodes", check="disk", mountpoint="/") == os.statvfs("/").f_files
        assert value(found, "runbook_disk_inodes", check="disk", mountpoint=dead) is None
        return {dict(labels)["mountpoint"]: state for (name, labels), state in found.all.items()
                if name == "runbook_disk_hung"}

    assert hung() == {dead: 1, gone: 0, "/": 0}
    assert f"{dead} gives no answer: its mount hangs" in daemon.page("/")
    threads = len(os.listdir(f"/proc/{daemon.process.pid}/task"))
    for _ in range(10):
        assert hung()[dead] == 1
    assert len(os.listdir(f"/proc/{daemon.process.pid}/task")) <= threads
    end()
    wait_for(lambda: hung()[dead] == 0, "the call to come back")
    assert "Transport endpoint is not connected" in daemon.page("/")


def test_prometheus_scrapes_the_exporter_and_answers_its_queries(exporter, workspace):
    prometheus = Prometheus(workspace.path("exporter-prometheus"))
    url = prometheus.url
    daemon = exporter([
        {"name": "vector", "prometheus": {"url": url, "query": 'label_replace(vector(0.25), "service", "api", "", "")',
                                          "labels": ["service", "absent"],
                                          "metric": {"name": "runbook_http_error_ratio", "help": "Errors."}}},
        {"name": "scalar", "prometheus": {"url": url + "/", "query": "42"}},
        {"name": "nothing", "prometheus": {"url": url, "query": "no_such_metric"}},
        {"name": "wrong", "prometheus": {"url": url, "query": 'label_replace(vector(1), "a b", "", "", "")'}},
        {"name": "targets", "prometheus": {"url": url, "query": "up", "labels": ["job", "instance"],
                                           "metric": {"name": "runbook_prometheus_target_up"}}},
        {"name": "disk", "title": 'Disk "root"', "disk": {"mountpoints": ["/"]}}])
    config = workspace.path("exporter-prometheus") / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
        {"job_name": "runbook", "static_configs": [{"targets": [f"127.0.0.1:{daemon.port}"]}]},
        {"job_name": "nobody", "static_configs": [{"targets": ["127.0.0.1:1"]}]}]}))
    prometheus.start(config)
    try:
        found = scrape(daemon)
        assert value(found, "runbook_http_error_ratio", check="vector", service="api") == 0.25
        assert value(found, "runbook_prometheus_query_value", check="scalar") == 42
        for check, success in (("vector", 1), ("scalar", 1), ("nothing", 1), ("wrong", 0)):
            assert value(found, "runbook_check_success", check=check) == success
        assert "invalid destination label name" in daemon.page("/")
        promtool(found.page)

        wait_for(lambda: prometheus.value('runbook_check_success{check="disk"}') == 1, "the series in Prometheus")
        assert prometheus.value('up{job="runbook"}') == 1
        assert value(found, "runbook_prometheus_query_value", check="nothing") is None
        targets = {("runbook", f"127.0.0.1:{daemon.port}"): 1, ("nobody", "127.0.0.1:1"): 0}

        def target_states():
            return {(dict(labels)["job"], dict(labels)["instance"]): state
                    for (name, labels), state in scrape(daemon).all.items() if name == "runbook_prometheus_target_up"}

        wait_for(lambda: target_states() == targets, "both targets to be told")

        def stored():
            return {labels["__name__"] for labels, _ in
                    prometheus.query('{job="runbook",__name__=~"(runbook|process)_.*"}')}

        wait_for(lambda: stored() == {name for name, _ in scrape(daemon).all}, "all of it in Prometheus")
        assert prometheus.query("runbook_check_info{check='disk'}")[0][0]["title"] == 'Disk "root"'
    finally:
        prometheus.stop()
