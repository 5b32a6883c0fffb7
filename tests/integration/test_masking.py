# SPDX-License-Identifier: Apache-2.0
"""Servers that repeat our own secrets: nothing that the responder says, anywhere, has one in it."""

import json
import pathlib
import re
import subprocess

import pytest

from lab import reflecting
from lab.parts import wait_for
from lab.runbook import Responder, has_ended
from lab.sink import Sink
from lab.webhook import alert_of, webhook_of

CANARY = "correct-horse-battery-staple"
PROJECT = {"com.docker.compose.project": "p", "com.docker.compose.service": "app", "said": CANARY}


def docker(method, path, _body):
    """An Engine whose container is named after the secret, has it in its environment, and fails with it."""
    path = re.sub(r"^/v[0-9.]+", "", path).partition("?")[0]
    container = {"Id": "c" * 64, "Image": f"app:{CANARY}", "Labels": PROJECT, "Status": f"Up {CANARY}", "Created": 1}
    if path == "/_ping":
        return 200, "OK", "OK"
    if method == "GET" and path == "/containers/json":
        return 200, "OK", [{**container, "Names": [f"/p-{CANARY}"], "State": "running"}]
    if method == "GET" and path == f"/containers/{'c' * 64}/json":
        return 200, "OK", {**container, "Name": f"/p-{CANARY}", "HostConfig": {}, "NetworkSettings": {"Networks": {}},
                           "Config": {"Labels": PROJECT, "Env": [f"MODE={CANARY}"], "Image": f"app:{CANARY}", "Tty": False},
                           "State": {"Status": "running", "Running": True, "Health": {"Status": "healthy"}}}
    return 500, CANARY, {"message": f"no such thing as {CANARY}"}


def neighbour(_method, path, body):
    """Prometheus, Alertmanager, an exporter: it has series named after the secret, or fails with it."""
    if "/query" in path and "fails" not in path + body:
        result = [{"metric": {"said": CANARY}, "value": [1, "7"]}, {"metric": {"said": f"{CANARY}2"}, "value": [1, "0"]}]
        return 200, CANARY, {"status": "success", "data": {"resultType": "vector", "result": result}}
    return 400, CANARY, {"status": "error", "errorType": CANARY, "error": f"what is {CANARY}?"}


def remediations():
    def of(name, step, **more):
        return {"name": name, "match": [f"alertname={name}"], "steps": [{**step, "timeout": "2s"}],
                **({} if "notify" in step else {"verify": {"query": "up > 1", "within": "1s", "every": "500ms"}}), **more}
    notify = {"notify": {"to": "mirror", "text": "it is ${labels.said}"}}
    return [
        of("flush", {"redis.flush": {"address": None, "password_file": None, "scope": "pattern", "pattern": "x:*"}}),
        of("execute", {"postgres.execute": {"database": "db", "plan_sql": "SELECT 1 AS id", "sql": "UPDATE x SET y = 1"}}),
        of("restart", {"docker.restart": {"service": "app"}}),
        of("set_env", {"docker.set_env": {"service": "app", "env": {"MODE": "enhanced"}}}, on_failure="undo"),
        of("logs", {"docker.logs": {"services": ["app"]}}),
        of("tell", notify),
        of("holds", {"notify": {"to": "oncall", "text": "it is ${labels.said}"}},
           verify={"query": "up > 1", "within": "1s", "every": "500ms"}),
        of("fails", {"notify": {"to": "oncall", "text": "it is ${labels.said}"}},
           verify={"query": "fails > 1", "within": "1s", "every": "500ms"}),
    ]


@pytest.fixture
def mirror(tmp_path, binaries):
    """A responder all of whose neighbours know the secret, and say it."""
    servers = {"redis": reflecting.saying(f"-ERR no such password {CANARY}\r\n".encode()),
               "pg": reflecting.refusing_postgres(f"password {CANARY} is wrong"),
               "docker": reflecting.answering(docker), "neighbour": reflecting.answering(neighbour)}
    at = {name: reflecting.at(server) for name, server in servers.items()}
    sink = Sink().start()
    (tmp_path / "secret").write_text(CANARY + "\n")
    (tmp_path / "oncall").write_text(f"{sink.url}/{CANARY}\n")
    (tmp_path / "mirror").write_text(f"http://{at['neighbour']}/{CANARY}?token={CANARY}\n")
    rules = remediations()
    rules[0]["steps"][0]["redis.flush"].update(address=at["redis"], password_file=str(tmp_path / "secret"))
    config = tmp_path / "remediations.yml"
    host, port = at["pg"].split(":")
    config.write_text(json.dumps({
        "docker": {"host": f"tcp://{at['docker']}", "project": "p"},
        "databases": [{"name": "db", "dsn": f"host={host} port={port} user=x dbname=y sslmode=disable",
                       "password_file": str(tmp_path / "secret")}],
        "receivers": [{"name": "oncall", "format": "json", "url_file": str(tmp_path / "oncall")},
                      {"name": "mirror", "format": "slack", "url_file": str(tmp_path / "mirror")}],
        "prometheus_url": f"http://{at['neighbour']}", "alertmanager_url": f"http://{at['neighbour']}",
        "escalate_to": "oncall", "storm": "off", "breaker": "off", "evidence_directory": str(tmp_path / "evidence"), "remediations": rules}))
    daemon = Responder(binaries.responder, config, tmp_path / "run").start()
    daemon.sink = sink
    yield daemon
    daemon.stop()
    sink.stop()
    reflecting.stop(servers.values())


def test_f24_nothing_that_the_responder_says_has_a_secret_of_ours(mirror, binaries, tmp_path):
    names = [remediation["name"] for remediation in remediations()]
    alerts = [alert_of(name, said=f"the password is {CANARY}") for name in names]
    for alert in alerts:
        alert["annotations"] = {"summary": f"somebody logged in with {CANARY}"}
    mirror.send(*alerts)
    wait_for(lambda: all(has_ended(mirror.of(name)) for name in names), "all of them to end", timeout=90)
    shown = {path: mirror.page(path) for path in ("/", "/metrics")}
    for incident in mirror.incidents():
        for path in (f"/api/v1/incidents/{incident['number']}", f"/incidents/{incident['number']}"):
            try:
                shown[path] = json.dumps(mirror.get(path)) if "/api/" in path else mirror.page(path)
            except OSError:
                assert "/api/" not in path  # a page of its own it may not have
    for path in ("/api/v1/incidents", "/api/v1/status"):
        shown[path] = json.dumps(mirror.get(path))
    shown["messages"] = json.dumps([document for _, document in mirror.sink.received])
    shown["title"] = pathlib.Path(f"/proc/{mirror.process.pid}/cmdline").read_text(encoding="utf-8")
    (tmp_path / "alert.json").write_text(json.dumps(webhook_of(*alerts)))
    for words in (["plan", f"--alert={tmp_path}/alert.json"], ["plan", "--json", f"--alert={tmp_path}/alert.json"], ["doctor"],
                  ["verify", f"--journal={mirror.journal}"]):
        done = subprocess.run([binaries.responder, *words, *([f"--config.file={mirror.config}"] if words[0] != "verify" else [])],
                              check=False, text=True, capture_output=True, cwd=tmp_path, timeout=120)
        shown[" ".join(words[:2])] = done.stdout + done.stderr
    shown["log"] = mirror.process.output()
    leaks = [f"{name}: …{text[max(0, text.find(CANARY) - 100):text.find(CANARY) + 60]}…" for name, text in shown.items()
             if CANARY in text]
    assert not leaks, "\n".join(leaks)
    # What is kept is kept as it came, and nobody else gets to it.
    kept = [mirror.journal, *(tmp_path / "evidence").rglob("*")]
    assert len(kept) > 1 and not [path for path in kept if path.stat().st_mode & 0o77]
    # It was there to be said.
    assert "no such password ..." in json.dumps(mirror.incident(mirror.of("flush")["number"]))
    assert "password ... is wrong" in shown["log"] + shown["doctor"]
    assert "somebody logged in with ..." in shown["messages"] or "the password is ..." in shown["messages"]
