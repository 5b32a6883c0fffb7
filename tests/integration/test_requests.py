# SPDX-License-Identifier: Apache-2.0
"""What users of other exporters ask for and wait for, each by the name of its issue; docs/requests.md has them all."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import yaml

from exporter_flags import ExporterWithFlags
from lab.parts import ROOT, free_port, wait_for
from lab.redis import Redis
from scraping import logged, promtool, scrape, value

CANARY = "correct-horse-battery-staple"


# A resolver of its own for one process: mounts of its own over the files that the C library reads.
OWN_RESOLVER = ("unshare", "--mount", "sh", "-c",
                'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"',
                "sh")


def test_hang_blackbox_exporter_1043_a_silent_name_server(program, tmp_path):
    """Of whatever kind it is: who waits for a name costs no other check its place, and the page is in time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as name_server:
        address = f"127.66.{os.getpid() % 250}.1"
        name_server.bind((address, 53))
        name_server.settimeout(10)
        files = tmp_path / "resolv.conf", tmp_path / "nsswitch.conf"
        files[0].write_text(f"nameserver {address}\noptions timeout:1 attempts:1\n")
        files[1].write_text("hosts: files dns\n")
        hung = [{"name": name, "timeout": "300ms", name: options} for name, options in (
            ("http", {"url": "http://hung.example/"}), ("redis", {"address": "hung.example:6379"}),
            ("postgres", {"dsn": "host=hung.example user=x dbname=x"}), ("tls", {"address": "hung.example:443"}),
            ("prometheus", {"url": "http://hung.example", "query": "up", "metric": {"name": "x", "help": "X.",
                                                                                   "type": "gauge"}}))]
        checks = [*hung, {"name": "disk", "disk": {"mountpoints": ["/"]}}]
        with ExporterWithFlags(program, checks, tmp_path, launcher=(*OWN_RESOLVER, *files)) as daemon:
            found = scrape(daemon, timeout=2)
            assert b"hung" in name_server.recv(512)
            assert value(found, "runbook_check_success", check="disk") == 1
            for check in hung:
                assert value(found, "runbook_check_success", check=check["name"]) == 0
            # And when it fails at last, it is told so.
            wait_for(lambda: {check["name"] for check in hung} <= {
                line.split("check=")[1].split()[0] for line in logged(daemon, "Check failed")}, "all to fail")
            for kind in ("redis", "postgres", "tls"):  # by their own deadline, not by that of the resolver
                assert [line for line in logged(daemon, "Check failed")
                        if f"check={kind}" in line and "was not found in time" in line]
            assert value(scrape(daemon, timeout=2), "runbook_check_success", check="disk") == 1


def test_duplicate_series_postgres_exporter_327_998_1352_are_counted_and_cost_nothing_else(exporter, postgres):
    daemon = exporter([
        {"name": "twice", "postgres": {
            "dsn": postgres.dsn(), "query": "SELECT 'a' AS name, 1 AS v UNION ALL SELECT 'a', 2 UNION ALL SELECT 'b', 3",
            "metrics": [{"name": "t_value", "type": "gauge", "help": "V.", "value": "v", "labels": ["name"]}]}},
        {"name": "disk", "disk": {"mountpoints": ["/"]}}])
    for number in (1, 2):  # a page that holds a series twice is refused by Prometheus; samples() would notice
        found = scrape(daemon)
        promtool(found.page)
        assert value(found, "t_value", check="twice", name="a") == 1
        assert value(found, "t_value", check="twice", name="b") == 3
        assert value(found, "runbook_check_success", check="disk") == 1
        counted = value(scrape(daemon, "?name[]=runbook_exporter_duplicate_series_total"),
                        "runbook_exporter_duplicate_series_total")
        assert counted == number


def test_false_up_postgres_exporter_1120_nothing_stays_of_what_is_gone(exporter, tmp_path):
    server = Redis(tmp_path / "redis").start()
    daemon = exporter([{"name": "cache", "redis": {"address": server.address}}])

    def tells():
        found = scrape(daemon)
        return (value(found, "runbook_check_success", check="cache"),
                any(name.startswith("runbook_redis_") for name, _ in found.all))

    assert tells() == (1, True)
    server.stop()
    assert tells() == (0, False)
    server.start()
    assert tells() == (1, True)
    server.stop()


def test_cardinality_coturn_919_what_is_gone_from_the_target_is_gone_from_the_page(exporter, target):
    daemon = exporter([{"name": "web", "http": {"url": target.url}}])

    def series():
        return set(scrape(daemon).all)

    target.says({"components": {f"user-{n}": "up" for n in range(50)}})
    assert len([1 for name, _ in series() if name == "runbook_http_component_healthy"]) == 50
    target.says({"components": {"user-50": "up"}})
    assert [dict(labels)["component"] for name, labels in series() if name == "runbook_http_component_healthy"] == [
        "user-50"]
    # Nor does an error make series of its own: however it reads, it stands on the landing page and in the log alone.
    failures = []
    for status in (500, 503, 404):
        target.says({}, status=status)
        failures.append(series())
        assert str(status) in daemon.page("/")
    assert failures[0] == failures[1] == failures[2]


def test_endpoints_in_the_config_json_exporter_353_112(exporter, target):
    """Where to look and what to read there stand together; different documents are different checks."""
    target.says({"status": "healthy", "mode": "primary"})
    daemon = exporter([
        {"name": "orders", "title": "Orders", "http": {"url": f"{target.url}orders", "json": {"status": "healthy"}}},
        {"name": "stock", "title": "Stock", "http": {"url": f"{target.url}stock", "json": {"mode": "replica"}}}])
    found = scrape(daemon)
    assert sorted(path for path, _ in target.hits) == ["/orders", "/stock"]
    assert value(found, "runbook_check_success", check="orders") == 1
    assert value(found, "runbook_check_success", check="stock") == 0
    assert value(found, "runbook_check_info", check="stock", kind="http", title="Stock") == 1


def has_time_wait(port):
    """Whether the kernel still holds a connection of that port that was closed from there."""
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(int(line.split()[1].split(":")[1], 16) == port and line.split()[3] == "06" for line in lines)


def test_rebind_after_restart_collectd_2570_2715(exporter):
    daemon = exporter([{"name": "disk", "disk": {"mountpoints": ["/"]}}])
    with socket.create_connection(("127.0.0.1", daemon.port)) as connection:
        connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        assert daemon.stop() == 0  # the server closes first, so that its end is the one that lingers
        while connection.recv(4096):
            pass
    wait_for(lambda: has_time_wait(daemon.port), "the kernel to hold the old connection")
    daemon.start()
    assert value(scrape(daemon), "runbook_check_success", check="disk") == 1


def ask(program, config, env, words):
    done = subprocess.run([program, f"--config.file={config}", "--log.level=debug", *words], text=True,
                          env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=30)
    assert done.stdout
    return done.stdout


def test_secrets_postgres_exporter_57_181_643_1111_redis_exporter_328_486_609_sql_exporter_310(
        program, target, tmp_path):
    """Neither pages nor logs at debug level nor argv nor what the commands and complaints say."""
    secret = tmp_path / "secret"
    secret.write_text(CANARY + "\n")
    port = free_port()
    checks = [
        {"name": "web", "http": {"url": target.url, "bearer_token_file": str(secret), "status": 204,
                                 "headers": {"X-Api-Key": CANARY}}},
        {"name": "web2", "http": {"url": f"http://127.0.0.1:{port}/?token={CANARY}",
                                  "bearer_token": "${RUNBOOK_CANARY}"}},
        {"name": "redis", "redis": {"address": f"127.0.0.1:{port}", "password_file": str(secret)}},
        {"name": "pg", "postgres": {"dsn": f"host=127.0.0.1 port={port} user=x dbname=y",
                                    "password_file": str(secret)}}]
    env = {"RUNBOOK_CANARY": CANARY}
    daemon = ExporterWithFlags(program, checks, tmp_path, "--log.level=debug", "--web.enable-lifecycle")
    daemon.start(env)
    found = scrape(daemon)
    assert target.hits[0][1]["Authorization"] == f"Bearer {CANARY}" and target.hits[0][1]["X-Api-Key"] == CANARY
    for check in checks:
        assert value(found, "runbook_check_success", check=check["name"]) == 0
    told = [found.page, daemon.page("/")]
    for words in (["--config.check"], ["checklist", "--all", "--json"], ["alerts"], ["--once=-"]):
        told.append(ask(program, daemon.config, env, words))
    # A reload with mistakes beside secrets, and with secrets where none may stand.
    daemon.write([{**check, "tiemout": "5s"} for check in checks] + [
        {"name": "a", "postgres": {"dsn": f"postgres://x:{CANARY}@[odd:%!s/"}},
        {"name": "b", "postgres": {"dsn": f"host=x password={CANARY}"}},
        {"name": "c", "redis": {"address": "127.0.0.1:1", "password": CANARY}},
        {"name": "d", "http": {"url": f"http://someone:{CANARY}@127.0.0.1/"}}])
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: logged(daemon, "The configuration was not read again, the one of before stays"), "the reload")
    for words in (["--config.check"], ["checklist"]):
        complaints = ask(program, daemon.config, env, words)
        assert len(re.findall(r"checks\.yml:1:\d+: ", complaints)) >= len(checks) + 4, complaints
        told.append(complaints)
    told.append(pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_text(encoding="utf-8"))
    assert daemon.stop() == 0
    for text in (*told, daemon.process.output()):
        assert CANARY not in text


def names_in(expression):
    """What a PromQL expression reads: words that no function is called by, outside of strings and label lists."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|ignoring|group_left|group_right|without)\s*\([^)]*\)', " ", expression)
    return set(re.findall(r"\brunbook_\w+\b(?!\s*\()", bare))


def test_shipped_alerts_pgexporter_410_node_exporter_1397_read_metrics_that_there_are(binaries):
    """That they fire when they should is tested by rules/*_test.yml, each of them."""
    done = subprocess.run([binaries.exporter, "describe"], text=True, stdout=subprocess.PIPE, check=True, timeout=30)
    of_the_responder = {"runbook_paused", "runbook_responder_target_up", "runbook_journal_head_rows"}
    documented = set(re.findall(r"`(runbook_\w+)`", done.stdout)) | of_the_responder
    rules = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (ROOT / "rules").glob("alerts-*.yml")]
    read = set().union(*(names_in(rule["expr"]) for file in rules for group in file.get("groups", ()) for rule in group["rules"]))
    assert len(read) >= 4
    assert not read - documented
