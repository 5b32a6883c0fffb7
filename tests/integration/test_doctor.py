# SPDX-License-Identifier: Apache-2.0
"""The command doctor of both daemons: whether what a file names is there and answers, told by what it said."""
import json
import re
import subprocess

import pytest

from lab.prometheus import Prometheus


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    directory = tmp_path_factory.mktemp("prometheus")
    config = directory / "prometheus.yml"
    config.write_text("{}")
    server = Prometheus(directory / "data").start(config)
    yield server
    server.stop()


def doctor(program, path, document, **env):
    path.write_text(json.dumps(document))
    done = subprocess.run([program, "doctor", f"--config.file={path}"], check=False, text=True, capture_output=True, timeout=60,
                          env=env or None)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_n09_n30_the_exporters_doctor_asks_prometheus_and_opens_every_secret(binaries, tmp_path, prometheus, target):
    target.says({})

    def check(name, query):
        return {"name": name, "prometheus": {"url": prometheus.url, "query": query}}
    checks = [check("answers", "vector(1)"), check("nothing", "upp"), check("newer", "limitk(1, up)"),
              {"name": "web", "http": {"url": target.url}},
              {"name": "secret", "http": {"url": target.url, "bearer_token_file": f"{tmp_path}/none"}},
              {"name": "unset", "redis": {"address": "127.0.0.1:1", "password": "${NO_SUCH_VARIABLE}"}}]
    code, lines, _ = doctor(binaries.exporter, tmp_path / "checks.yml", {"checks": checks})
    assert code == 1
    said = {line.split()[1]: line for line in lines[:-1]}
    assert said["answers"] == "ok      answers (prometheus): 1 series"
    assert said["nothing"] == "empty   nothing (prometheus): it answered, and there is no series"
    assert said["newer"].startswith("BROKEN  newer (prometheus): Prometheus answered 400: ") and "limitk" in said["newer"]
    assert said["web"].startswith("ok      web (http): ")
    assert said["secret"].startswith("BROKEN  secret (http): bearer_token: ") and f"{tmp_path}/none" in said["secret"]
    assert said["unset"].startswith("BROKEN  unset (redis): password: ") and "NO_SUCH_VARIABLE" in said["unset"]
    assert lines[-1] == "3 answered, 1 of them with nothing; 3 broken"

    code, lines, _ = doctor(binaries.exporter, tmp_path / "checks.yml", {"checks": checks[:2]})
    assert code == 0 and len(lines) == 3  # nothing may be right
    code, lines, complaint = doctor(binaries.exporter, tmp_path / "checks.yml", {"checks": [check("broken", "sum(up")]})
    assert code == 3 and lines == [] and "is never closed" in complaint


def test_n09_n30_the_responders_doctor_tries_what_a_remediation_will_need(binaries, tmp_path, prometheus, postgres):
    def remediation(name, query):
        return {"name": name, "match": [f'alertname="{name}"'], "steps": [{"host.memory": {}}],
                "verify": {"query": query}}
    document = {
        "prometheus_url": prometheus.url, "alertmanager_url": "http://127.0.0.1:1", "escalate_to": "oncall",
        "receivers": [{"name": "oncall", "format": "slack", "url_file": f"{tmp_path}/none"}],
        "databases": [{"name": "main", "dsn": postgres.dsn()}],
        "remediations": [remediation("holds", "vector(1) < 2"), remediation("not", "vector(3) < 2"),
                         remediation("bound", 'up{job="${labels.job}"} == 1'), remediation("newer", "limitk(1, up)")]}
    code, lines, _ = doctor(binaries.responder, tmp_path / "remediations.yml", document)
    assert code == 1
    said = {line.split(": ")[0].split()[-1]: line for line in lines[:-1]}
    assert said["secrets"].startswith(f"BROKEN  secrets: url: cannot open the secret file {tmp_path}/none")
    assert said["alertmanager_url"].startswith("BROKEN  alertmanager_url: Alertmanager: ")
    assert said["oncall"].startswith(f"BROKEN  receiver oncall: url: cannot open the secret file {tmp_path}/none")
    assert re.fullmatch(r"ok      prometheus_url: Prometheus \d+\.\S+: it evaluates queries", said["prometheus_url"])
    assert re.match(r"ok      database main: PostgreSQL \d+\.\d+.*: connected as \w+$", said["main"])
    assert said["evidence_directory"].startswith("ok      evidence_directory: ")
    assert said["holds"] == "ok      remediation holds: the query holds now, with 1"
    assert said["not"] == "empty   remediation not: the query is understood, and does not hold now"
    assert said["bound"] == "ok      remediation bound: the query is understood; it needs an alert's values"
    assert said["newer"].startswith("BROKEN  remediation newer: Prometheus answered 400: ")
    assert lines[-1] == "6 answered, 1 of them with nothing; 4 broken"


def test_n09_the_plan_asks_for_the_verification_too(binaries, tmp_path, prometheus):
    def plan(query):
        (tmp_path / "remediations.yml").write_text(json.dumps({
            "prometheus_url": prometheus.url, "escalate_to": "oncall", "receivers": [{"name": "oncall", "format": "log"}],
            "remediations": [{"name": "a", "match": ['alertname="a"'], "steps": [{"host.memory": {}}],
                              "verify": {"query": query, "within": "2m"}}]}))
        (tmp_path / "alert.json").write_text(json.dumps({"labels": {"alertname": "a", "job": "j"}, "status": "firing", "fingerprint": "f",
                                                          "startsAt": "2026-01-01T00:00:00Z", "annotations": {}}))
        done = subprocess.run([binaries.responder, "plan", f"--config.file={tmp_path}/remediations.yml",
                               f"--alert={tmp_path}/alert.json"], check=False, text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done
        return next(line.strip() for line in done.stdout.splitlines() if "must hold" in line)
    assert plan("vector(1) < 2") == "then the query must hold within 2m; now it holds, with 1"
    assert plan('absent(up{job!="${labels.job}"}) > 1') == "then the query must hold within 2m; now it does not hold"
    assert "it cannot be asked now: Prometheus answered 400: " in plan("limitk(1, up)")
    assert "it cannot be asked now: the alert has no label 'x'" in plan('up{job="${labels.x}"}')
