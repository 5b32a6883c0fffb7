# SPDX-License-Identifier: Apache-2.0
"""`init-access`: what it writes is taken by the daemons, by Prometheus and by Alertmanager, as it is, over TLS."""

import re
import subprocess

import pytest

from integration.web_configuration import Served
from lab.parts import wait_for
from lab.prometheus import Prometheus

RULES = {"escalate_to": "nobody", "remediations": [
    {"name": "a", "match": ['alertname="a"'], "steps": [{"host.memory": {}}]}]}


def run(program, *words):
    return subprocess.run([program, "init-access", *words], check=False, text=True, capture_output=True, timeout=60)


def test_daemons_prometheus_and_alertmanager_take_what_is_written(binaries, tmp_path):
    access = tmp_path / "access"
    done = run(binaries.responder, access, "--name=localhost", "--name=host.docker.internal", "--name=10.0.0.1")
    assert done.returncode == 0, done.stderr
    written = {file: file.read_bytes() for file in access.rglob("*") if file.is_file()}
    assert {file.stat().st_mode & 0o777 for file in written} == {0o600}
    assert {place.stat().st_mode & 0o777 for place in (access, *access.iterdir())} == {0o700}
    passwords = [file.read_text().strip() for file in written if file.name == "password"]
    assert len(set(passwords)) == 3 and not [password for password in passwords if password in done.stdout]
    assert not [file for file in written if b"PRIVATE KEY" in written[file] and file.name != "server.key"]
    names = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", access / "daemon/server.pem"],
                           check=True, text=True, stdout=subprocess.PIPE).stdout
    for name in ("DNS:localhost", "DNS:host.docker.internal", "IP Address:10.0.0.1", "IP Address:127.0.0.1"):
        assert name in names

    # Again: nothing is overwritten.
    again = run(binaries.responder, access)
    assert again.returncode == 1 and "is there already" in again.stderr
    assert {file: file.read_bytes() for file in access.rglob("*") if file.is_file()} == written

    # As it is told: each with the web configuration, and who is who.
    web = f"--web.config.file={access}/daemon/web.config.yml"
    exporter = Served(binaries.exporter, tmp_path / "exporter", {"checks": [{"name": "root", "disk": {"mountpoints": ["/"]}}]}, None, web, ca=access / "operator/ca.pem")
    responder = Served(binaries.responder, tmp_path / "responder", RULES, None, web, "--web.senders=alertmanager", "--web.operators=operator",
                       f"--journal={tmp_path}/journal.db", ca=access / "operator/ca.pem")
    prometheus = Prometheus(tmp_path / "prometheus")
    for flag in ("--web.senders=alertmanager", "--web.operators=operator", web):
        assert flag in done.stdout
    try:
        exporter.start()
        responder.start()
        lines = (access / "prometheus/scrape.yml").read_text().replace(":9877", f":{exporter.port}").replace(":9878", f":{responder.port}")
        config = tmp_path / "prometheus.yml"
        config.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{lines}")
        subprocess.run(["promtool", "check", "config", config], check=True, stdout=subprocess.PIPE)
        subprocess.run(["promtool", "check", "web-config", access / "daemon/web.config.yml"], check=True, stdout=subprocess.PIPE)
        receiver = tmp_path / "alertmanager.yml"
        receiver.write_text("route: {receiver: runbook}\nreceivers:\n" + (access / "alertmanager/receiver.yml").read_text())
        subprocess.run(["amtool", "check-config", receiver], check=True, stdout=subprocess.PIPE)
        prometheus.start(config)
        wait_for(lambda: prometheus.value("sum(up)") == 2, "Prometheus to have scraped both", 60)

        def status(user, path, *words):
            secret = (access / user / "password").read_text().strip() if user else None
            return responder.curl(path, *words, user=f"{user}:{secret}" if user else None)[0]
        # A container's health check has no password: it is refused, and that is worth no line.
        assert subprocess.run([binaries.responder, "healthy", f"--url=https://127.0.0.1:{responder.port}"], check=False, timeout=60).returncode == 0
        alert = ("--data", "{}")
        assert status(None, "/metrics") == 401 and status("prometheus", "/metrics") == 200
        responder.logs("requests=1 last=/metrics status=401")
        assert status("prometheus", "/api/v1/alerts", *alert) == 403 and status("alertmanager", "/api/v1/alerts", *alert) not in (401, 403)
        assert status("alertmanager", "/-/pause", "--data", '{"reason": "x"}') == 403
        pause = re.search(r"you: +(.*)", done.stdout).group(1).replace(":9878", f":{responder.port}").split()
        told = subprocess.run([binaries.responder, "pause", "--reason=trying", *pause], check=False, text=True, capture_output=True, timeout=60)
        assert told.returncode == 0, told.stderr
    finally:
        prometheus.stop()
        responder.process.stop()
        exporter.process.stop()


@pytest.mark.parametrize("name", ["a,b", "a b", "", "a\nb", "DNS:x", "*.example"])
def test_what_is_no_name_leaves_nothing_behind(binaries, tmp_path, name):
    done = run(binaries.responder, tmp_path / "access", f"--name={name}")
    assert done.returncode == 2 and "is neither a host's name nor an address" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_it_is_mounted_stands_in_the_lines(binaries, tmp_path):
    done = run(binaries.responder, f"{tmp_path}/access/", "--mounted=/run/access")
    assert done.returncode == 0 and "host.docker.internal:9878" in done.stdout
    lines = (tmp_path / "access/prometheus/scrape.yml").read_text()
    assert lines.count('"/run/access/prometheus/ca.pem"') == 2 and str(tmp_path) not in lines
