# SPDX-License-Identifier: Apache-2.0
"""What somebody typed or asked is done, or refused by its name: never passed over without a word."""

import contextlib
import http.client
import json
import socket
import subprocess

import pytest

from lab.parts import free_port
from scraping import read_openmetrics, scrape, value
from web_configuration import ALICE, Served

CHECKS = {"checks": [{"name": "root", "cache": "1h", "disk": {"mountpoints": ["/"]}}]}
REMEDIATIONS = {"escalate_to": "nobody", "remediations": [{"name": "look", "match": ['alertname="look"'], "steps": [{"host.memory": {}}]}]}


@pytest.fixture
def serve(binaries, tmp_path):
    started = []

    def start(name, *flags, web=None):
        responder = name == "responder"
        daemon = Served(getattr(binaries, name), tmp_path / f"daemon-{len(started)}",
                        REMEDIATIONS if responder else CHECKS, web, *flags,
                        *([f"--journal={tmp_path}/journal-{len(started)}.db"] if responder else []))
        started.append(daemon)
        return daemon.start()

    yield start
    assert [daemon.process.stop() for daemon in started] == [0] * len(started)


def ask(address, port, host=None, path="/metrics", **headers):
    with contextlib.closing(http.client.HTTPConnection(address, port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": host or "localhost", **headers})
        answer = connection.getresponse()
        answer.read()
        return answer.status


@pytest.mark.parametrize("name", ["exporter", "responder"])
def test_e2_every_listen_address_is_served(serve, tmp_path, name):
    first, second, path = free_port(), free_port(), tmp_path / "s"
    daemon = serve(name, f"--web.listen-address=127.0.0.1:{first}", f"--web.listen-address=[::1]:{second}",
                   f"--web.listen-address=unix:{path}", f"--web.listen-address=127.0.0.2:{second}")
    for _ in range(3):
        assert ask("127.0.0.1", first) == 200
        assert ask("::1", second) == 200
        assert ask("127.0.0.2", second) == 200
    for address, port in (("127.0.0.1", first), ("::1", second), ("127.0.0.2", second)):
        assert ask(address, port, host="rebound.example") == 421  # each of them is loopback
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
        assert peer.recv(15) == b"HTTP/1.1 200 OK"
    assert f"127.0.0.1:{first}, [::1]:{second}, unix:{path}" in daemon.process.output()
    assert daemon.process.stop() == 0
    assert not path.exists()


def test_e2_the_host_is_checked_where_it_is_loopback_alone(serve):
    first, second = free_port(), free_port()
    serve("exporter", f"--web.listen-address=127.0.0.1:{first}", f"--web.listen-address=:{second}")
    assert ask("127.0.0.1", first, host="rebound.example") == 421
    assert ask("127.0.0.1", second, host="exporter.example") == 200


def test_e2_a_port_that_is_taken_is_told(binaries, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        daemon = Served(binaries.exporter, tmp_path / "d", CHECKS, None,
                        f"--web.listen-address=127.0.0.1:{free_port()}", f"--web.listen-address={address}")
        daemon.process.start()
        assert daemon.process.wait(30) == 1
        assert f"cannot listen on {address}" in daemon.process.output()


def test_e2_every_address_of_the_responder_needs_authentication(serve, binaries, tmp_path):
    flags = [f"--web.listen-address=127.0.0.1:{free_port()}", f"--web.listen-address=0.0.0.0:{free_port()}"]
    daemon = Served(binaries.responder, tmp_path / "refused", REMEDIATIONS, None, *flags)
    daemon.process.start()
    assert daemon.process.wait(30) == 1
    assert "refuses to listen on 0.0.0.0:" in daemon.process.output()
    serve("responder", *flags, web={"basic_auth_users": {"alice": ALICE[1]}})


@pytest.mark.parametrize("name", ["exporter", "responder"])
@pytest.mark.parametrize("flags, named", [
    (["--config.file=a", "--config.file=b"], "config.file"), (["--config.check", "--no-config.check"], "config.check"),
    (["--log.level=warn", "--log.level", "info"], "log.level")])
def test_e2_another_flag_given_twice_is_refused(binaries, name, flags, named):
    done = subprocess.run([getattr(binaries, name), *flags], check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"--{named} is given twice" in done.stderr


@pytest.mark.parametrize("level", [[], ["--log.level=error"], ["--log.level=debug"]], ids=["-", "error", "debug"])
def test_e3_once_says_why(binaries, tmp_path, level):
    config = tmp_path / "c.yml"
    config.write_text(json.dumps({"checks": [{"name": "gone", "disk": {"mountpoints": [str(tmp_path)]}},
                                             {"name": "fine", "disk": {"mountpoints": ["/"]}}]}))
    done = subprocess.run([binaries.exporter, f"--config.file={config}", "--once=-", *level], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("gone: ")]
    assert len(said) == 1 and str(tmp_path) in said[0]
    assert "fine: " not in done.stderr
    assert 'runbook_check_success{check="gone"} 0' in done.stdout


def test_e3_once_says_of_what_nothing_is_known_and_what_warns(binaries, tmp_path):
    config = tmp_path / "c.yml"
    config.write_text(json.dumps({"checks": [
        {"name": "blind", "system": {"devices": ["nosuch"]}, "warn": "runbook_system_disk_busy_seconds_total > 1"},
        {"name": "warns", "disk": {"mountpoints": ["/"]}, "warn": "runbook_disk_mounted == 1"}]}))
    done = subprocess.run([binaries.exporter, f"--config.file={config}", "--once=-"], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "blind: nothing was measured  (warn: runbook_system_disk_busy_seconds_total > 1)",
        'warns: 1 {mountpoint="/"}  (warn: runbook_disk_mounted == 1)']


@pytest.mark.parametrize("path, named", [
    ("/metrics?collect=root", "collect"), ("/metrics?module=x", "module"), ("/metrics?name[]=up&debug=1", "debug"),
    ("/probe?check=root&module=x", "module"), ("/probe?check=root&target=&timeout=1", "timeout"),
    ("/?shown=wrong", "shown"), ("/checklist?x", "x")])
def test_a_parameter_that_nobody_knows_is_refused(serve, path, named):
    daemon = serve("exporter")
    status, _, body = daemon.curl(path, "--globoff")
    assert (status, f'no parameter "{named}"' in body) == (400, True), body


@pytest.mark.parametrize("path, named", [("/probe?check=root&check=root", "check"), ("/?q=a&show=wrong&q=b", "q"),
                                         ("/probe?check=root&debug=0&debug=1", "debug")])
def test_of_a_parameter_that_is_given_twice_none_is_dropped(serve, path, named):
    status, _, body = serve("exporter").curl(path)
    assert (status, body.strip()) == (400, f'The parameter "{named}" is given twice.')


@pytest.mark.parametrize("path", ["/?q=disk&show=wrong", "/checklist?show=", "/metrics?", "/metrics?&", "/metrics?collect[]=root&collect%5B%5D=root",
                                  "/probe?check=root&debug=0&name[]=runbook_check_success"])
def test_those_that_are_known_are_taken(serve, path):
    assert serve("exporter").status(path, "--globoff") == 200


@pytest.mark.parametrize("label", ["le", "quantile"])
def test_g2_labels_of_histograms_and_summaries_are_refused(binaries, tmp_path, label):
    config = tmp_path / "c.yml"
    for kind in ({"prometheus": {"url": "http://127.0.0.1:1", "query": "up", "labels": [label]}},
                 {"postgres": {"dsn": "host=/nowhere", "query": "select 1",
                               "metrics": [{"name": "x", "value": "v", "labels": [label]}]}}):
        config.write_text(json.dumps({"checks": [{"name": "it", **kind}]}))
        done = subprocess.run([binaries.exporter, "--config.check", f"--config.file={config}"], check=False,
                              capture_output=True, text=True)
        assert done.returncode == 1
        assert f'"{label}" is for the rows of histograms and summaries' in done.stderr


@pytest.mark.parametrize("said", ["NaN", "-5", "-Inf"])
def test_g1_a_counter_that_is_none_is_skipped_and_told(exporter, tmp_path, said):
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho \'g1_total{{of="good"}} 3\'; echo \'g1_total{{of="bad"}} {said}\'\n'
                      f'echo "g1_value {said}"\n')
    script.chmod(0o755)
    daemon = exporter([{"name": "it", "exec": {
        "command": [str(script)], "output": "prometheus", "metrics": [
            {"name": "g1_total", "type": "counter", "help": "C."}, {"name": "g1_value", "help": "G."}]}}])
    found = scrape(daemon)
    assert value(found, "g1_total", check="it", of="good") == 3
    assert value(found, "g1_total", check="it", of="bad") is None
    assert value(found, "g1_value", check="it") is not None  # a gauge may be so
    assert value(found, "runbook_check_success", check="it") == 1
    assert value(found, "runbook_check_items_skipped", check="it", reason="malformed") == 1
    scrape(daemon)
    assert len([line for line in daemon.process.output().splitlines() if "a counter below 0" in line]) == 1
    read = {family.name: family for family in read_openmetrics(daemon)}
    assert [sample.value for sample in read["g1"].samples] == [3]


def components(exporter, target, document, **options):
    target.says(document)
    daemon = exporter([{"name": "it", "http": {"url": target.url, **options}}])
    return {dict(labels)["component"]: found for (name, labels), found in scrape(daemon).all.items()
            if name == "runbook_http_component_healthy"}


def test_f1_health_json_has_its_components_in_arrays(exporter, target):
    document = {"status": "pass", "checks": {
        "uptime": [{"status": "pass"}], "cassandra:time": [{"status": "pass"}, {"status": "fail"}],
        "disk": [{"status": "warn"}, {"status": "pass"}], "cpu": [{"observedValue": 85}], "none": [],
        "odd": [{"status": "purple"}, [], 3, None], "mixed": [{"status": "purple"}, {"status": "pass"}]}}
    assert components(exporter, target, document, components="checks") == {
        "uptime": 1, "cassandra:time": 0, "disk": 1, "mixed": 1}


def test_f1_microprofile_names_its_components_in_an_array(exporter, target):
    document = {"status": "DOWN", "checks": [{"name": "db", "status": "UP"}, {"name": "queue", "status": "DOWN"},
                                             {"status": "UP"}, "x", {"name": 3, "status": "UP"}]}
    assert components(exporter, target, document, components="checks") == {"db": 1, "queue": 0}


def test_f1_known_words_have_values_and_others_none(exporter, target):
    good = ["pass", "warn", "up", "running", "connected", "Healthy", "OK", True]
    bad = ["fail", "down", "degraded", "unhealthy", "error", "stopped", "OUT_OF_SERVICE", False]
    unknown = ["purple", "", "unknown", "starting", 0, 1, 3.5, None, {}, {"latency": 3}, [], {"status": {}}, [[]]]
    document = {"components": {f"{number}": word for number, word in enumerate([*good, *bad, *unknown])}}
    wanted = [1.0] * len(good) + [0.0] * len(bad)
    assert components(exporter, target, document) == {f"{number}": value for number, value in enumerate(wanted)}
