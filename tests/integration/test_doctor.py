# SPDX-License-Identifier: Apache-2.0
"""The command doctor of both daemons: whether what a file names is there and answers, told by what it said."""
import json
import re
import subprocess

import pytest

from lab.parts import wait_for
from lab.prometheus import Prometheus
from lab.runbook import Responder


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


def of_the_file(lines):
    """Without what is said of the machine, and without what to do."""
    return [line for line in lines if "→" not in line and not re.match(r"\w+ +(clock|sandbox|journal|state.directory): ", line)]


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
    said = {line.split()[1]: line for line in lines[:-1] if "→" not in line}
    assert said["answers"] == "ok      answers (prometheus): 1 series"
    assert said["nothing"] == "empty   nothing (prometheus): it answered, and there is no series"
    assert said["newer"].startswith("BROKEN  newer (prometheus): Prometheus answered 400: ") and "limitk" in said["newer"]
    assert said["web"].startswith("ok      web (http): ")
    assert said["secret"].startswith("BROKEN  secret (http): bearer_token: ") and f"{tmp_path}/none" in said["secret"]
    assert said["unset"].startswith("BROKEN  unset (redis): password: ") and "NO_SUCH_VARIABLE" in said["unset"]
    assert lines[-1] == "3 answered, 1 of them with nothing; 3 broken"

    code, lines, _ = doctor(binaries.exporter, tmp_path / "checks.yml", {"checks": checks[:2]})
    assert code == 0 and of_the_file(lines) == lines[-3:]  # nothing may be right
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
    said = {line.split(": ")[0].split()[-1]: line for line in lines[:-1] if "→" not in line}
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
    assert lines[-1] == "7 answered, 1 of them with nothing; 4 broken"  # the journal's directory among them


def advice_of(lines, what):
    """What stands below what is broken."""
    at = next(i for i, line in enumerate(lines) if line.startswith(f"BROKEN  {what}"))
    return lines[at + 1].strip().removeprefix("→ ") if "→" in lines[at + 1] else None


def test_what_is_broken_comes_with_what_to_do_and_the_machine_itself_is_looked_at(binaries, tmp_path, target):
    (tmp_path / "file").touch()
    target.says({}, status=503)
    checks = [{"name": "refuses", "redis": {"address": "127.0.0.1:1"}}, {"name": "web", "advice": "Look at it", "http": {"url": target.url}},
              {"name": "secret", "http": {"url": target.url, "bearer_token_file": f"{tmp_path}/none"}}]
    code, lines, _ = doctor(binaries.exporter, tmp_path / "checks.yml", {"checks": checks})
    assert code == 1
    assert advice_of(lines, "refuses").startswith("is it started, and does it listen at this address?")
    assert advice_of(lines, "secret").startswith("put it there for whoever runs this alone")
    assert advice_of(lines, "web") == "Look at it"  # its own, where nothing else is known
    assert re.search(r"^(ok|lacks) +clock: ", "\n".join(lines), re.MULTILINE)
    assert re.search(r"^(ok|lacks) +sandbox: (Landlock \d+|no Landlock), (no )?seccomp$", "\n".join(lines), re.MULTILINE)
    done = subprocess.run([binaries.exporter, "doctor", f"--config.file={tmp_path}/checks.yml", f"--state.directory={tmp_path}/file/state"],
                          check=False, text=True, capture_output=True, timeout=60)
    assert "BROKEN  state.directory: " in done.stdout and "Not a directory" in done.stdout


def test_postgresql_is_asked_whether_it_would_let_each_step(binaries, tmp_path, postgres):
    steps = [{"postgres.terminate_queries": {"database": "main", "older_than": "5m"}},
             {"postgres.execute": {"database": "main", "plan_sql": "SELECT id FROM api_keys WHERE name = $1",
                                   "sql": "UPDATE api_keys SET revoked_at = now() WHERE name = $1 RETURNING id",
                                   "args": ["x"]}}]

    def said(user):
        code, lines, _ = doctor(binaries.responder, tmp_path / "remediations.yml", {
            "escalate_to": "oncall", "receivers": [{"name": "oncall", "format": "log"}],
            "databases": [{"name": "main", "dsn": postgres.dsn(user=user)}],
            "remediations": [{"name": "a", "match": ['alertname="a"'], "steps": steps}]})
        return code, [line for line in lines if "postgres." in line or "→ GRANT" in line]
    before = postgres.live_keys()
    assert said("runbook_responder") == (0, ["ok      remediation a, postgres.terminate_queries: it would be let do so",
                                             "ok      remediation a, postgres.execute: it would be let do so"])
    code, lines = said("runbook_exporter")
    assert code == 1
    assert lines[0] == "BROKEN  remediation a, postgres.terminate_queries: the role runbook_exporter may not end the queries of others"
    assert lines[1].endswith("→ GRANT pg_signal_backend TO runbook_exporter;")
    assert re.match(r"BROKEN  remediation a, postgres.execute: sql: .*42501", lines[2]) and "→ GRANT the role" in lines[3]
    # The one that runs asks the same beforehand, and tells Prometheus; what cannot be asked is not said to be refused.
    config = json.loads((tmp_path / "remediations.yml").read_text())
    config["databases"].append({"name": "gone", "dsn": "host=127.0.0.1 port=1 dbname=x user=y"})
    config["remediations"].append({"name": "b", "match": ['alertname="b"'], "steps": [{"postgres.terminate_queries": {"database": "gone", "older_than": "5m"}}]})
    (tmp_path / "remediations.yml").write_text(json.dumps(config))
    responder = Responder(binaries.responder, tmp_path / "remediations.yml", tmp_path / "responder")
    responder.start()

    def rights():
        rows = [row for row in responder.get("/api/v1/targets")["targets"] if row["target"] == "rights"]
        return all(row["asked_at"] for row in rows) and {row["name"]: row for row in rows}
    try:
        found = wait_for(rights, "the rights to be asked")
        refused, wrong, gone = "a, step 1 (postgres.terminate_queries)", "a, step 2 (postgres.execute)", "b, step 1 (postgres.terminate_queries)"
        assert found[refused]["up"] is False and "GRANT pg_signal_backend TO runbook_exporter" in found[refused]["said"]
        assert found[wrong]["up"] is False and "42501" in found[wrong]["said"]
        assert found[gone]["up"] is None and found[gone]["said"].startswith("cannot be told now: ")
        metrics = responder.page("/metrics")
        for name, up in ((refused, 0), (wrong, 0)):
            assert f'runbook_responder_target_up{{target="rights",name="{name}"}} {up}\n' in metrics
        assert gone not in metrics and 'name="gone"} 0' in metrics
        page = responder.page("/")
        assert page.count("would be refused") == 4 and "database gone (does not answer)" in page  # in the list, and each with why
        log = responder.process.log.read_text()
        assert log.count("A step would be refused") == 2 and f'name="{refused}"' in log
    finally:
        assert responder.stop() == 0
    assert postgres.live_keys() == before


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
