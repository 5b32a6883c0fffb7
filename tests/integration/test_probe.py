# SPDX-License-Identifier: Apache-2.0
"""GET /probe: one check alone, pointed at another target, and step by step; and that no secret shows in it."""

import json
import pathlib
import re
import signal
import socket
import subprocess
import types
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

from exporter_flags import AskedExporter
from harness.target import Target
from lab import reflecting
from lab.certificates import Authority
from lab.parts import ROOT, free_port, wait_for
from lab.prometheus import Prometheus
from scraping import promtool, samples, scrape, value
from web_configuration import ALICE, Served

CANARY = "correct-horse-battery-staple"


def ask(daemon, headers=None, **query):
    """One probe: status, headers, text."""
    words = urllib.parse.urlencode([(name.replace("names", "name[]"), word) for name, word in query.items()])
    request = urllib.request.Request(f"{daemon.url}/probe?{words}", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return types.SimpleNamespace(status=answer.status, headers=answer.headers, text=answer.read().decode())
    except urllib.error.HTTPError as error:
        return types.SimpleNamespace(status=error.code, headers=error.headers, text=error.read().decode())


def probe(daemon, **query):
    answer = ask(daemon, **query)
    assert answer.status == 200, answer.text
    return samples(answer.text)


class Sent:
    """A request that is on its way once the event thread has answered others after it."""

    def __init__(self, daemon, path):
        self.connection = socket.create_connection(("127.0.0.1", daemon.port))
        self.connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def body(self):
        with self.connection as connection:
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode().partition("\r\n\r\n")[2]


def debug(daemon, headers=None, **query):
    """The steps of a run, its end, and the page of what it measured."""
    answer = ask(daemon, headers, debug=1, **query)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8"), answer.text
    head, _, rest = answer.text.partition("\n\n")
    told, _, page = rest.partition("\n\n")
    *lines, end = told.rstrip("\n").split("\n")
    times = [float(re.match(r"(\d+\.\d{3}) s  ", line)[1]) for line in lines]
    assert times == sorted(times)
    return types.SimpleNamespace(head=head, steps=[line.split(" s  ", 1)[1] for line in lines], end=end, page=page,
                                 text=answer.text)


@pytest.fixture
def other():
    server = Target()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def probed(program, tmp_path_factory):
    """The example of docs/exporter.md, as it stands there, with a Prometheus that probes by it."""
    directory = tmp_path_factory.mktemp("probed")
    text = (ROOT / "docs" / "exporter.md").read_text(encoding="utf-8")
    section = re.search(r"## Probing other targets(.*?)\n## ", text, re.DOTALL)[1]
    checks, scraping = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    (directory / "token").write_text("t0ken")
    well, ill = Target(), Target()
    well.says({"status": "healthy"})
    ill.says({"status": "ill"})
    check, job = checks["checks"][0], scraping["scrape_configs"][0]
    assert check["targets"] == job["static_configs"][0]["targets"]
    check["targets"] = job["static_configs"][0]["targets"] = [well.url, ill.url]
    check["http"]["bearer_token_file"] = str(directory / "token")
    (directory / "checks.yml").write_text(json.dumps(checks))
    daemon = AskedExporter(program, directory / "checks.yml", directory / "exporter").start()
    job["relabel_configs"][-1]["replacement"] = f"127.0.0.1:{daemon.port}"
    config = directory / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, **scraping}))
    server = Prometheus(directory / "prometheus").start(config)
    yield types.SimpleNamespace(prometheus=server, well=well, ill=ill)
    server.stop()
    assert daemon.stop() == 0
    well.stop()
    ill.stop()


# Prometheus takes five seconds until it scrapes for the first time: the other tests run meanwhile.
pytestmark = pytest.mark.usefixtures("probed")

def test_a_check_is_pointed_at_a_target_that_it_allows_and_answers_as_a_scrape_does(exporter, program, target, other):
    other.says({"components": {"db": "down"}}, status=503)
    daemon = exporter([{"name": "web", "title": "Web", "targets": [other.url], "http": {"url": target.url}},
                       {"name": "disk", "disk": {"mountpoints": ["/"]}}])
    found = probe(daemon, check="web", target=other.url)
    assert (len(target.hits), len(other.hits)) == (0, 1)
    assert value(found, "runbook_check_success", check="web") == 0
    assert value(found, "runbook_http_status_code", check="web") == 503
    assert value(found, "runbook_http_component_healthy", check="web", component="db") == 0
    assert value(found, "runbook_check_info", check="web", kind="http", title="Web") == 1
    assert {dict(labels).get("check") for _, labels in found.all} == {"web"}
    promtool(found.page)

    found = probe(daemon, check="web")  # the check itself
    assert (len(target.hits), len(other.hits)) == (1, 1)
    assert value(found, "runbook_http_status_code", check="web") == 200

    found = scrape(daemon)  # where nothing of the other target is
    assert value(found, "runbook_http_status_code", check="web") == 200
    assert {dict(labels).get("check") for _, labels in found.all} == {"web", "disk", None}
    done = subprocess.run([program, f"--config.file={daemon.config}", "--once=-"], check=False, stdout=subprocess.PIPE)
    assert (done.returncode, value(samples(done.stdout.decode()), "runbook_http_status_code", check="web")) == (0, 200)
    assert (len(target.hits), len(other.hits)) == (3, 1)
    page = daemon.page("/")
    assert "2 checks, 0 of them failing" in page
    assert 'href="/probe?debug=1&amp;check=web"' in page

    answer = ask(daemon, {"Accept": "application/openmetrics-text; version=1.0.0"}, check="web", target=other.url)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    found = probe(daemon, check="web", target=other.url, names="runbook_http_status_code")
    assert found.all == {("runbook_http_status_code", (("check", "web"),)): 503}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(f"{daemon.url}/probe?check=web", method="POST"), timeout=15)
    assert caught.value.code == 405
    log = daemon.process.output()
    assert f"check=web kind=http reason=\"{other.url}: answered 503, expected 2xx\" target={other.url}" in log


def test_what_is_not_allowed_is_refused_and_never_contacted(exporter, target, other):
    daemon = exporter([{"name": "web", "targets": [target.url + "a?b=c"], "http": {"url": target.url}},
                       {"name": "cache", "redis": {}}, {"name": "disk", "disk": {"mountpoints": ["/"]}}])
    for query, status, words in (
            ({"check": "web", "target": other.url}, 403, f'may not be pointed at "{other.url}": that would have to '
             'stand, exactly so, among its targets in checks.yml.'),
            ({"check": "web", "target": target.url + "a?b=c&d"}, 403, "may not be pointed at"),
            ({"check": "web", "target": other.url + "x" * 5000}, 403, "may not be pointed at"),
            ({"check": "cache", "target": "127.0.0.1:1"}, 403, "among its targets"),
            ({"check": "disk", "target": "/tmp"}, 400, "of the kind disk, which cannot be pointed elsewhere"),
            ({"check": "wbe"}, 404, 'There is no check "wbe"; did you mean "web"?'),
            ({"target": other.url}, 400, "Which check?"), ({"check": ""}, 400, "Which check?"), ({}, 400, "Which check?"),
            ({"check": "web", "debug": "yes"}, 400, "debug= takes 1 or 0"),
            ({"check": "web", "names": "runbook_nothing"}, 400, 'There is no metric "runbook_nothing"')):
        for more in ({}, {"debug": "1"}):
            answer = ask(daemon, **{**more, **query})
            assert (answer.status, words in answer.text) == (status, True), answer.text
            assert len(answer.text) < 500
            assert "b=c\"" not in answer.text  # the targets that there are are not told
    assert (target.hits, other.hits) == ([], [])


def test_a_hung_target_costs_its_own_probe_alone_and_debug_tells_how_far_it_came(exporter, target, hole):
    daemon = exporter([{"name": "web", "timeout": "10m", "targets": [hole, hole + "2"], "http": {"url": target.url}},
                       {"name": "soon", "timeout": "300ms", "targets": [hole], "http": {"url": target.url}}])
    late = {"X-Prometheus-Scrape-Timeout-Seconds": "0.6"}
    answer = ask(daemon, late, check="web", target=hole)
    assert value(samples(answer.text), "runbook_check_success", check="web") == 0
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="web") == 1
    answer = ask(daemon, late, check="web", target=hole, debug=1)
    assert "No run could begin in the time that this request has" in answer.text
    told = debug(daemon, late, check="web", target=hole + "2")
    assert told.steps[-1].startswith("connected to 127.0.0.1")
    assert told.end.startswith("… and the run goes on")
    assert told.page == ""
    told = debug(daemon, check="soon", target=hole)
    assert re.fullmatch(r"failed after 0\.\d{3} s: .*: timed out waiting for the answer", told.end)


def test_probes_of_one_target_share_a_run_and_its_cache(exporter, target, other):
    daemon = exporter([{"name": "web", "cache": "1h", "targets": [other.url, other.url + "2"],
                        "http": {"url": target.url}}])
    other.open.clear()
    sent = [Sent(daemon, f"/probe?check=web&target={other.url}") for _ in range(4)]
    wait_for(lambda: other.hits, "the run to begin")
    for _ in range(3):  # the event thread has read what was sent before
        daemon.page("/-/healthy")
    other.open.set()
    for request in sent:
        assert value(samples(request.body()), "runbook_check_success", check="web") == 1
    assert (len(other.hits), target.hits) == (1, [])
    probe(daemon, check="web", target=other.url)
    assert len(other.hits) == 1
    page = daemon.page()
    probe(daemon, check="web", target=other.url + "2")
    assert len(other.hits) == 2
    assert page == daemon.page()  # what another target says leaves the page in memory as it is


def test_targets_go_on_over_a_reload(exporter, target, other):
    check = {"name": "web", "cache": "1h", "targets": [other.url], "http": {"url": target.url}}
    daemon = exporter([check])

    def reload(targets):
        daemon.config.write_text(json.dumps({"checks": [{**check, "targets": targets}]}))
        before = daemon.process.output().count("was read again")
        daemon.process.send(signal.SIGHUP)
        wait_for(lambda: daemon.process.output().count("was read again") > before, "the reload")

    scrape(daemon)
    probe(daemon, check="web", target=other.url)
    third = target.url + "third"
    reload([third, other.url])
    scrape(daemon)
    probe(daemon, check="web", target=other.url)
    assert (len(target.hits), len(other.hits)) == (1, 1)  # neither knows that a target came
    probe(daemon, check="web", target=third)
    assert target.hits[1][0] == "/third"
    reload([third])
    assert ask(daemon, check="web", target=other.url).status == 403
    probe(daemon, check="web", target=third)
    scrape(daemon)
    assert (len(target.hits), len(other.hits)) == (2, 1)


def test_every_kind_asks_its_target(exporter, redis_server, postgres, target):
    """What stands in the check answers nobody; the target does."""
    nobody = f"127.0.0.1:{free_port()}"
    daemon = exporter([
        {"name": "redis", "targets": [redis_server.address], "redis": {"address": nobody}},
        {"name": "pg", "targets": [postgres.dsn(user="runbook_exporter")],
         "postgres": {"dsn": f"host=127.0.0.1 port={nobody.split(':')[1]} dbname=mcp user=x", "query": "SELECT 7 AS v",
                      "metrics": [{"name": "t_seven", "type": "gauge", "help": "Seven.", "value": "v"}]}},
        {"name": "prom", "targets": [target.url], "prometheus": {"url": f"http://{nobody}", "query": "up"}}])
    target.says({"status": "success", "data": {"resultType": "scalar", "result": [0, "5"]}})
    for check, name, number in (("redis", "runbook_redis_ping_seconds", None), ("pg", "t_seven", 7),
                                ("prom", "runbook_prometheus_query_value", 5)):
        address = {"redis": redis_server.address, "pg": postgres.dsn(user="runbook_exporter"), "prom": target.url}[check]
        assert value(probe(daemon, check=check), "runbook_check_success", check=check) == 0
        found = probe(daemon, check=check, target=address)
        assert value(found, "runbook_check_success", check=check) == 1
        assert number is None or value(found, name, check=check) == number
        assert value(found, name, check=check) is not None


def test_debug_tells_the_steps_of_a_request(exporter, target, other):
    target.says({"status": "ok"})
    daemon = exporter([{"name": "web", "cache": "1h", "targets": [other.url + "b?c=d"],
                        "http": {"url": target.url + "a"}}])
    scrape(daemon)
    told = debug(daemon, check="web")  # not from the scrape's cache
    assert len(target.hits) == 2
    for _ in range(200):  # … which holds for the next ones, whoever asks
        again = debug(daemon, check="web")
        assert re.fullmatch(r"Check web of the kind http\nThis run began \S+ ago: the check's cache: is 1h, "
                            r"and only who has signed in has it run sooner\.", again.head)
        assert (again.steps, again.end, again.page) == (told.steps, told.end, told.page)
    assert probe(daemon, check="web") and len(target.hits) == 2
    port = target.server.server_port
    assert told.head == "Check web of the kind http"
    assert told.steps == ["the run begins; its timeout is 5s", f"GET {target.url}a",
                          f"connecting to 127.0.0.1, port {port}",
                          f"connected to 127.0.0.1, port {port}: sending the request", "answered with HTTP/1.0 200 OK"]
    assert re.fullmatch(r"succeeded in 0\.\d{3} s", told.end)
    assert value(samples(told.page), "runbook_http_status_code", check="web") == 200
    promtool(told.page)
    found = scrape(daemon)  # it was a run like any other
    assert len(target.hits) == 2
    assert value(found, "runbook_check_run_duration_seconds_count", check="web") == 2

    other.status = 500
    told = debug(daemon, check="web", target=other.url + "b?c=d")
    assert told.head == f"Check web of the kind http, pointed at {other.url}b"
    assert f"GET {other.url}b" in told.steps
    assert re.fullmatch(rf"failed after 0\.\d{{3}} s: {re.escape(other.url)}b: answered 500, expected 2xx", told.end)
    assert other.hits[0][0] == "/b?c=d"


def test_debug_waits_for_a_run_that_is_under_way(exporter, target):
    daemon = exporter([{"name": "web", "timeout": "1m", "http": {"url": target.url}}])
    target.open.clear()
    scraping = Sent(daemon, "/metrics")
    wait_for(lambda: target.hits, "the first run")
    debugging = [Sent(daemon, "/probe?check=web&debug=1") for _ in range(2)]
    for _ in range(3):
        daemon.page("/-/healthy")
    assert len(target.hits) == 1  # never two at a time
    target.open.set()
    assert value(samples(scraping.body()), "runbook_check_success", check="web") == 1
    told = {request.body() for request in debugging}
    assert len(target.hits) == 2
    assert len(told) == 1  # who waited at the same time sees the same run
    assert "\nsucceeded in " in told.pop()


def test_every_client_tells_its_steps(exporter, redis_server, postgres, engine, tmp_path):
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\n")
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("server", "DNS:localhost,IP:127.0.0.1")
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key", key,
                               "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        daemon = exporter([
            {"name": "redis", "redis": {"address": redis_server.address, "keys": [{"key": "probed"}]}},
            {"name": "pg", "postgres": {"dsn": postgres.dsn(user="runbook_exporter"), "query": "\n  SELECT 7 AS v\n  WHERE true\n",
                                        "metrics": [{"name": "t_seven", "type": "gauge", "help": "Seven.", "value": "v"}]}},
            {"name": "tls", "tls": {"address": f"localhost:{port}", "tls_config": {"ca_file": str(authority.file)}}},
            {"name": "exec", "exec": {"command": ["/bin/sh", "-c", "echo hello; exit 3"], "success": 3,
                                      "output": "nagios"}},
            {"name": "log", "log": {"files": [str(log)], "from": "start", "patterns": [{"name": "o", "pattern": "o"}]}},
            {"name": "systemd", "systemd": {"units": ["a.service"], "address": f"unix:path={tmp_path}/bus"}},
            {"name": "docker", "docker": {"host": engine.host, "project": "nothing-of-it"}},
            {"name": "files", "files": {"directories": [str(tmp_path)]}},
            {"name": "disk", "disk": {"mountpoints": ["/"]}}])
        begin = "the run begins; its timeout is 5s"
        redis_server.client.lpush("probed", CANARY)
        steps = debug(daemon, check="redis").steps
        assert steps[:5] == [begin, f"connecting to Redis at {redis_server.address}", "connected", "PING",
                             "answered PONG"]
        assert "INFO" in steps[5] and re.fullmatch(r"answered \d+ bytes", steps[6])
        queued = steps.index("TYPE, with 1 argument")  # many commands in one go: each is named when they are sent
        assert steps[queued:queued + 3] == ["TYPE, with 1 argument", "MEMORY, with 2 arguments", "answered list"]
        assert "LLEN, with 1 argument" in steps
        redis_server.client.delete("probed")
        told = debug(daemon, check="pg")
        assert told.steps[:2] == [begin, f"connecting to PostgreSQL at 127.0.0.1, port {postgres.port}, database mcp, "
                                         "user runbook_exporter"]
        assert re.fullmatch(r"connected, server version \d+", told.steps[2])
        assert told.steps[-2:] == ["SELECT 7 AS v", "answered, 1 rows"]
        assert value(samples(told.page), "t_seven", check="pg") == 7
        wait_for(lambda: debug(daemon, check="pg").steps[:2] == [begin, "over the connection of before"], "another run")
        wait_for(lambda: "trusted" in debug(daemon, check="tls").steps[-1], "the TLS server")
        steps = debug(daemon, check="tls").steps
        assert steps[:2] == [begin, f"connecting to localhost, port {port}"]
        assert steps[-2] == "TLS handshake for localhost"
        assert re.fullmatch(r"TLSv1\.3, TLS_\w+; the certificate is trusted", steps[-1])
        told = debug(daemon, check="exec")
        assert told.steps == [begin, "starting /bin/sh", "it ended with 3 after writing 6 bytes"]
        assert debug(daemon, check="log").steps == [begin, f"{log}: read on from byte 0 to 8"]
        told = debug(daemon, check="systemd")
        assert told.steps == [begin, f"connecting to D-Bus at unix:path={tmp_path}/bus"]
        assert told.end.endswith("No such file or directory")
        assert debug(daemon, check="disk").steps == [begin, "asking about the file systems, each on a thread of its own",
                                                      "/ has answered"]
        assert debug(daemon, check="files").steps == [begin, f"looking through {tmp_path}"]
        told = debug(daemon, check="docker")
        path = engine.host.removeprefix("unix://")
        assert told.steps[:4] == [begin, f"GET http://docker/_ping over {path}", "connecting to the socket",
                                  "connected: sending the request"]
        assert told.steps[-1].startswith("answered with HTTP/1.1 200")
        assert told.end.startswith("failed") and "no container of project" in told.end
    finally:
        server.kill()
        server.wait()


def test_a_probe_needs_the_same_user_as_a_scrape(program, tmp_path, target):
    alice, hashed = ALICE
    checks = {"checks": [{"name": "web", "targets": [target.url], "http": {"url": target.url}}]}
    daemon = Served(program, tmp_path / "served", checks, {"basic_auth_users": {"alice": hashed}},
                    "--no-run-at-start").start()
    try:
        for path in ("/metrics", "/probe?check=web", "/probe?check=web&debug=1"):
            assert daemon.status(path) == 401
        assert target.hits == []
        for hits in (1, 2):  # who has signed in has it run at will
            status, _, body = daemon.curl("/probe?check=web&debug=1", user=alice)
            assert (status, "succeeded in" in body, len(target.hits)) == (200, True, hits)
    finally:
        assert daemon.process.stop() == 0


def config_check(program, path, checks):
    path.write_text(json.dumps({"checks": checks}))
    return subprocess.run([program, f"--config.file={path}", "--config.check"], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_no_secret_shows_anywhere(exporter, program, target, redis_server, postgres, tmp_path):
    """Every secret that a check can be given is the canary; what works and what fails is looked at."""
    secret, key = tmp_path / "secret", tmp_path / "key.pem"
    secret.write_text(CANARY + "\n")
    key.write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n")
    redis_server.client.acl_setuser("canary", enabled=True, passwords=[f"+{CANARY}"], commands=["+@all"], keys=["*"])
    nobody = f"127.0.0.1:{free_port()}"
    bearer = {"bearer_token_file": str(secret), "headers": {"X-Key": CANARY}}
    listening, silent = f"http://{nobody}/?token={CANARY}", f"{target.url}?token={CANARY}"
    tls = {"tls_config": {"cert_file": str(key), "key_file": str(key)}}
    checks = [
        {"name": "web", "targets": [listening, silent], "http": {"url": silent, "status": 204, "body": CANARY, **bearer}},
        {"name": "env", "targets": [silent], "http": {"url": listening, "bearer_token": "${RUNBOOK_CANARY}"}},
        {"name": "tls_web", "http": {"url": f"https://{nobody}/", **tls}},
        {"name": "prom", "targets": [silent], "prometheus": {"url": target.url, "query": "up", **bearer}},
        {"name": "redis", "targets": [redis_server.address],
         "redis": {"address": nobody, "user": "canary", "password_file": str(secret)}},
        {"name": "redis_env", "redis": {"address": redis_server.address, "user": "nobody",
                                        "password": "${RUNBOOK_CANARY}"}},
        {"name": "pg", "targets": [postgres.dsn(user="runbook_exporter")],
         "postgres": {"dsn": f"host=127.0.0.1 port={nobody.split(':')[1]} user=x dbname=y", "password_file": str(secret)}},
        {"name": "tls", "tls": {"address": target.url.split("/")[2], **tls}},
        {"name": "s3", "targets": [target.url.rstrip("/")],
         "s3": {"endpoint": f"http://{nobody}", "bucket": "bucket", "access_key_file": str(secret),
                "secret_key_file": str(secret), "session_token": "${RUNBOOK_CANARY}"}},
        {"name": "exec", "exec": {"command": ["/bin/false", CANARY], "environment": {"SECRET": CANARY}}},
        {"name": "disk", "disk": {"mountpoints": ["/"]}}]
    checked = config_check(program, tmp_path / "check.yml", checks)
    assert checked.returncode == 0, checked.stdout
    daemon = exporter(checks, env={"RUNBOOK_CANARY": CANARY})
    told = [checked.stdout]
    for check in checks:
        for other in (None, *check.get("targets", [])):
            more = {"target": other} if other else {}
            for words in ({"debug": 1}, {}):
                answer = ask(daemon, check=check["name"], **words, **more)
                assert answer.status == 200
                told.append(answer.text)
        refused = ask(daemon, check=check["name"], target="nowhere", debug=1)
        assert refused.status in (400, 403)
        told.append(refused.text)
    told += [daemon.page(), daemon.page("/"), daemon.process.output(),
             pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_text()]
    for text in told:
        assert CANARY not in text
    # They were sent where they belong, and only not shown.
    assert target.hits[0][0] == f"/?token={CANARY}"
    sent = {hit[1]["Authorization"] for hit in target.hits}
    assert {words.split("=")[0] for words in sent} == {f"Bearer {CANARY}", "AWS4-HMAC-SHA256 Credential"}
    assert {hit[1].get("X-Key") for hit in target.hits} == {CANARY, None}
    assert any("AUTH, with 2 arguments" in text and "succeeded in" in text for text in told)
    assert any("WRONGPASS" in text for text in told)
    assert any("/bin/false ended with 1" in text for text in told)
    redis_server.client.acl_deluser("canary")


def test_f24_what_a_server_repeats_of_our_secrets_is_masked(exporter, runs, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(CANARY + "\n")
    body = json.dumps({"said": CANARY, "v": 1}).encode()
    answers = {"redis": f"-ERR no such password {CANARY}\r\n".encode(),
               "status": f"HTTP/1.1 401 {CANARY} is no token\r\nContent-Length: 0\r\n\r\n".encode(),
               "label": f"HTTP/1.1 200 {CANARY}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body}
    servers = {"pg": reflecting.refusing_postgres(f"password {CANARY} is wrong"),
               **{name: reflecting.saying(answer) for name, answer in answers.items()}}
    at = {name: reflecting.at(server) for name, server in servers.items()}
    bearer = {"bearer_token_file": str(secret)}
    checks = [{"name": "redis", "redis": {"address": at["redis"], "password_file": str(secret)}},
              {"name": "pg", "postgres": {"dsn": f"host=127.0.0.1 port={at['pg'].split(':')[1]} user=x dbname=y sslmode=disable",
                                          "password_file": str(secret)}},
              {"name": "status", "http": {"url": f"http://{at['status']}/", **bearer}},
              {"name": "label", "http": {"url": f"http://{at['label']}/", **bearer,
                                         "metrics": [{"name": "app_v", "type": "gauge", "help": "V.", "value": "v",
                                                      "labels": {"said": "said"}}]}}]
    try:
        daemon = exporter(checks)
        told = {check["name"]: ask(daemon, check=check["name"], debug=1).text for check in checks}
        assert "no such password ..." in told["redis"] and "password ... is wrong" in told["pg"], told
        assert 'app_v{check="label",said="..."} 1' in told["label"], told
        shown = [*told.values(), daemon.page(), daemon.page("/"), daemon.process.output()]
        for command in ("checklist", "doctor", "--once=-"):
            done = runs(command, checks=checks)
            shown += [done.stdout, done.stderr]
        for text in shown:
            assert text is not None and CANARY not in text
    finally:
        reflecting.stop(servers.values())


def test_secrets_that_stand_where_none_may_are_not_repeated(program, tmp_path):
    userinfo, query = f"user:{CANARY}@127.0.0.1:1", f"?password={CANARY}"
    bad = [("http", "url", f"http://{userinfo}/", {}), ("prometheus", "url", f"https://{userinfo}", {"query": "up"}),
           ("redis", "address", userinfo, {}), ("redis", "address", f"redis://{userinfo}", {}),
           ("tls", "address", userinfo, {}), ("docker", "host", f"tcp://{userinfo}", {"project": "p"}),
           ("postgres", "dsn", f"postgresql://{userinfo}/db", {}), ("postgres", "dsn", f"host=x password={CANARY}", {}),
           ("s3", "endpoint", f"http://{userinfo}",
            {"bucket": "bucket", "access_key_file": "/x", "secret_key_file": "/x"}),
           ("postgres", "dsn", f"postgresql://127.0.0.1/db{query}", {})]
    good = {"http": "http://x", "prometheus": "http://x", "redis": "x:1", "tls": "x:1", "docker": "tcp://x:1",
            "postgres": "host=x", "s3": "http://x"}
    checks = [{"name": f"own{n}", kind: {field: address, **more}} for n, (kind, field, address, more) in enumerate(bad)]
    checks += [{"name": f"target{n}", "targets": [address], kind: {field: good[kind], **more}}
               for n, (kind, field, address, more) in enumerate(bad)]
    checks += [{"name": "secret", "http": {"url": "http://x", "bearer_token": CANARY}},
               {"name": "header", "http": {"url": "http://x", "headers": {"Authorization": CANARY}}}]
    done = config_check(program, tmp_path / "check.yml", checks)
    assert done.returncode == 1
    complaints = len(done.stdout.strip().splitlines())
    assert len(checks) - 4 <= complaints <= len(checks), done.stdout  # of Redis, its client complains when it is used
    assert CANARY not in done.stdout


def test_prometheus_probes_as_the_document_says(probed):
    server = probed.prometheus
    wait_for(lambda: len(server.query("runbook_check_success")) == 2, "the series of both targets")
    assert {(labels["instance"], labels["check"]): number for labels, number in
            server.query("runbook_check_success")} == {(probed.well.url, "api"): 1, (probed.ill.url, "api"): 0}
    assert server.targets_up()
    assert "level=warn" not in server.process.output()
    assert {headers["Authorization"] for _, headers in probed.well.hits + probed.ill.hits} == {"Bearer t0ken"}
