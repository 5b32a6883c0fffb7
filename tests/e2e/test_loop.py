# SPDX-License-Identifier: Apache-2.0
"""Each of the four faults, caused for real, healed by nobody, and looked at from outside."""

import json
import re
import subprocess
import time

import psycopg2
import pytest

from harness.assertions import events, in_order, sealed_evidence, steps
from lab.lab import CLIENT_KEY, CONNECTIONS
from lab.parts import wait_for
from lab.webhook import alert_of, webhook_of

SERVICES = {"mcp-server", "rest-api", "worker"}


def healed(lab, remediation, **labels):
    incident = lab.responder.wait_final(remediation, 90 * lab.slowness, **labels)
    assert incident["state"] == "healed", (steps(incident), incident["timeline"][-3:])
    return incident


def assert_told(incident):
    """The timeline tells the whole way, each step with what it planned and what came of it."""
    states = [entry["state"] for entry in incident["timeline"] if entry.get("state")]
    assert in_order(["received", "running", "verifying", "healed"], states), states
    for position, step in enumerate(incident["steps"], 1):
        told = [entry["event"] for entry in incident["timeline"] if entry.get("step") == position]
        assert in_order(["step started", "step done"], told), (step, told)
        assert step["plan"]["summary"] and step["outcome"]["summary"], step


def page_waits(lab, alertname):
    """By the shipped rules, and the shipped routes and inhibition: a person's twin is there, and is held back."""
    return [one for one in lab.alertmanager.alerts() if one["labels"]["alertname"] == alertname and
            one["labels"].get("stage") == "page" and one["status"]["inhibitedBy"]]


def test_high_latency(calm_lab):
    lab = calm_lab
    before = {service: lab.compose.inspect(service) for service in SERVICES}
    lab.redis.client.set("mcp:stale", "1")
    lab.redis.client.rpush("mcp:backlog", 1, 2)
    lab.redis.client.set("session:ada", "1")
    lab.engine.docker("create", "--name", "leftover", "--label", "runbook.lab=1", "devops-mcp-worker:1.0.0")
    lab.redis.client.config_resetstat()

    lab.compose.fault("mcp-server", "slow", seconds=3)
    wait_for(lambda: page_waits(lab, "high_latency"), "the page to be held back while the responder is at it", 60)
    incident = healed(lab, "high_latency")

    after = {service: lab.compose.inspect(service) for service in SERVICES}
    assert after["mcp-server"]["Id"] == before["mcp-server"]["Id"]
    assert after["mcp-server"]["State"]["StartedAt"] > before["mcp-server"]["State"]["StartedAt"]
    assert after["mcp-server"]["State"]["Health"]["Status"] == "healthy"
    for service in SERVICES - {"mcp-server"}:
        assert after[service]["State"]["StartedAt"] == before[service]["State"]["StartedAt"], service
    assert lab.redis.calls("flushall") == lab.redis.calls("flushdb") == 0
    assert not lab.redis.client.exists("mcp:stale")
    assert lab.redis.client.llen("mcp:backlog") == 2 and lab.redis.client.exists("session:ada")
    assert lab.engine.inspect("leftover"), "what somebody made a moment ago was pruned"
    pruned = incident["steps"][3]["outcome"]
    assert not pruned["removed"] and "leftover" in [item["name"] for item in pruned["kept"]]
    restarted, = [one for one in lab.sink.to("oncall") if "mcp-server restarted" in one["text"]]
    assert incident["number"] in str(restarted) and "docker.restart" in str(restarted)
    wait_for(lambda: any(f"{incident['number']} high_latency: healed" in one["text"] for one in lab.sink.to("oncall")),
             "who is on call to hear that it is healed")
    assert incident["steps"][2]["outcome"]["summary"]  # free memory
    assert_told(incident)
    # Cooldown or not: one episode, one run.
    wait_for(lambda: ("high_latency", "mcp-server") not in lab.prometheus.alerts(), "the alert to be resolved", 30)
    assert len([one for one in lab.responder.incidents() if one["remediation"] == "high_latency"]) == 1


def compose_up(lab, still):
    """What somebody types who has heard of the alert. Nothing is replaced by it, if all is `still` afterwards as it was before."""
    before = [lab.compose.containers(service) for service in sorted(SERVICES)]
    done = lab.compose.compose("up", "-d", check=False)
    after = [lab.compose.containers(service) for service in sorted(SERVICES)]
    if still():
        assert done.returncode == 0 and after == before, done.stdout


def change_of(lab, *statuses):
    """The step that changes LOG_LEVEL, if it has come to one of these."""
    step = lab.responder.of("high_error_rate")["steps"][2]
    return step if step["status"] in statuses else None


def test_high_error_rate(lab_by_compose):
    """The real system's sequence, with `docker-compose up -d` before anything is done and while the change is in force."""
    lab = lab_by_compose
    old = lab.compose.inspect("rest-api")
    others = {service: lab.compose.started_at(service) for service in SERVICES - {"rest-api"}}
    assert lab.compose.environment("rest-api")["LOG_LEVEL"] == "info"

    lab.compose.fault("rest-api", "fail", ratio=1)
    if lab.real_times:  # there are minutes until anything is done
        wait_for(lambda: ("high_error_rate", "rest-api") in lab.prometheus.alerts(), "the alert", 300)
        compose_up(lab, lambda: not lab.responder.of("high_error_rate"))
    wait_for(lambda: lab.compose.environment("rest-api")["LOG_LEVEL"] == "debug", "LOG_LEVEL=debug", 60 * lab.slowness)
    change = wait_for(lambda: change_of(lab, "done", "undone"), "the change to be in force", 60)
    assert "keeps it until" in change["outcome"]["summary"], "what Compose will do with it is told"
    compose_up(lab, lambda: change_of(lab, "done"))
    incident = healed(lab, "high_error_rate")

    files = sealed_evidence(lab.evidence, incident)
    for service in SERVICES:
        assert any(service in name for name in files), (service, list(files))
    assert any("nil pointer dereference" in content for content in files.values())
    assert "1.0.0" in str(incident["steps"][1]["outcome"]), "the version that ran is recorded"
    assert_told(incident)
    for service, started in others.items():
        assert lab.compose.started_at(service) == started, service

    # Resolved: the log level goes back, and the service is one container again.
    wait_for(lambda: lab.compose.environment("rest-api")["LOG_LEVEL"] == "info", "LOG_LEVEL to go back", 60 * lab.slowness)
    undone = wait_for(lambda: (lab.responder.incident(incident["number"])["steps"][2]["status"] == "undone"
                               and lab.responder.incident(incident["number"])), "the step to be undone", 30)
    assert undone["state"] == "healed"
    wait_for(lambda: len(lab.compose.containers("rest-api")) == 1, "one container to be there", 30)
    new = lab.compose.inspect("rest-api")
    assert new["Name"] == old["Name"]
    assert sorted(new["Config"]["Env"]) == sorted(old["Config"]["Env"])
    assert new["HostConfig"]["RestartPolicy"] == old["HostConfig"]["RestartPolicy"]
    labels = dict(new["Config"]["Labels"])
    # Unless it is Compose that has put it back, in the midst of ours.
    assert labels.pop("runbook.change", incident["number"]).startswith(incident["number"])
    assert labels == old["Config"]["Labels"], "Compose still knows it as its own"


def backends(lab, where):
    """Whoever is being refused has one of the superusers' places for a moment, so that it may take a second try."""
    query = f"SELECT pid FROM pg_stat_activity WHERE datname = 'mcp' AND pid <> pg_backend_pid() AND {where}"
    return {row[0] for row in wait_for(lambda: [lab.postgres.sql(query)], "a place for a superuser")[0]}


def test_pool_exhausted(calm_lab):
    lab = calm_lab
    standing = backends(lab, "application_name = 'runbook_responder'")
    assert len(standing) == 1
    # A transaction that waits for its owner, and a superuser's long query: neither may be ended.
    waiting = lab.postgres.connect(user="mcp_user")
    waiting.autocommit = False
    waiting.cursor().execute("SELECT 1")
    superuser = psycopg2.connect(lab.postgres.dsn(), async_=True)
    wait_for(lambda: superuser.poll() == psycopg2.extensions.POLL_OK, "the superuser's connection")
    superuser.cursor().execute("SELECT pg_sleep(600), 'superuser'")
    spared = backends(lab, f"pid IN ({waiting.get_backend_pid()}, {superuser.get_backend_pid()})")
    assert len(spared) == 2

    lab.compose.fault("mcp-server", "leak", seconds=600)
    leaked = backends(lab, "query LIKE 'SELECT pg_sleep($1%' AND usename = 'mcp_user'")
    assert len(leaked) > 40
    with pytest.raises(psycopg2.OperationalError, match="connection slots|too many clients"):
        lab.postgres.connect(user="mcp_user")

    wait_for(lambda: lab.compose.environment("mcp-server")["DB_MAX_CONNECTIONS"] == "80", "a larger pool", 90)
    incident = healed(lab, "pool_exhausted")

    # A service without connections answers 5xx too. If high_error_rate came through before it was inhibited, it
    # recreates the container once more, and again when it is resolved: so the outside is looked at when all has ended.
    wait_for(lambda: lab.calm() and lab.settled() and lab.compose.healthy("mcp-server"), "what followed to end", 90,
             every=0.2)
    assert lab.compose.environment("mcp-server")["DB_MAX_CONNECTIONS"] == str(CONNECTIONS), "the pool goes back when resolved"
    assert lab.compose.environment("mcp-server")["LOG_LEVEL"] == "info"
    # The new limit stays, so a person is told of it, and how to take it back.
    wait_for(lambda: any("pool_exhausted: healed" in str(one) and f"/{incident['number']}/undo" in str(one)
                         for one in lab.sink.to("oncall")), "who is on call to hear that it is healed")
    assert not backends(lab, "true") & leaked, "backends of the leak are left"
    assert backends(lab, "true") >= spared | standing
    lab.postgres.connect(user="mcp_user").close()
    assert waiting.cursor().execute("SELECT 1") is None
    assert_told(incident)
    wait_for(lambda: len(lab.compose.containers("mcp-server")) == 1, "one container to be there", 30)
    waiting.close()
    superuser.close()
    lab.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%%''superuser''%%' "
                     "AND pid <> pg_backend_pid()")


def keys(lab):
    return {row[0]: row[1:] for row in lab.postgres.sql("SELECT name, revoked_at, revoked_reason FROM api_keys")}


def undo(lab, incident):
    status, _ = lab.responder.post(f"/api/v1/incidents/{incident['number']}/undo",
                                   {"by": "tester", "reason": "it was a drill"})
    assert status in (200, 202)

    def undone():
        now = lab.responder.incident(incident["number"])
        return now if "undone" in [step["status"] for step in now["steps"]] and not any(
            step["status"] == "undoing" for step in now["steps"]) else None

    wait_for(undone, "the incident to be undone", 60)


def test_api_key_compromise(calm_lab):
    lab = calm_lab
    lab.postgres.add_keys("old-key")
    lab.postgres.sql("UPDATE api_keys SET revoked_at = now() - interval '1 day', revoked_reason = 'left' "
                     "WHERE name = 'old-key'")
    before = keys(lab)
    assert lab.call("partner-key") == 200

    lab.attack("partner-key")
    incident = healed(lab, "api_key_compromise", key_name="partner-key")

    revoked = keys(lab)
    assert revoked["partner-key"][0] is not None
    assert incident["number"] in revoked["partner-key"][1]
    assert {name: row for name, row in revoked.items() if name != "partner-key"} == \
           {name: row for name, row in before.items() if name != "partner-key"}
    assert lab.call("partner-key") == 401
    assert lab.call(CLIENT_KEY) == 200
    assert lab.postgres.sql("SELECT name, role FROM api_key_audit WHERE became IS NOT NULL AND name <> 'old-key'") == \
           [("partner-key", "runbook_responder")]
    assert "partner-key" in str(incident["steps"][0]["outcome"]), "which keys were revoked is recorded"
    files = sealed_evidence(lab.evidence, incident)
    for service in SERVICES:
        assert any(service in name for name in files), (service, list(files))
    assert any("partner-key" in str(message) for message in lab.sink.to("security"))
    assert lab.compose.environment("mcp-server")["SECURITY_MODE"] == "enhanced"
    assert_told(incident)

    undo(lab, incident)
    assert keys(lab) == before
    assert lab.call("partner-key") == 200
    sealed_evidence(lab.evidence, incident)


def test_api_key_compromise_of_all(calm_lab):
    """An alert that names no key, as a person sends it."""
    lab = calm_lab
    before = keys(lab)
    live = {name for name, (revoked_at, _) in before.items() if revoked_at is None}
    assert len(live) >= 3 and live != set(before)
    webhook = webhook_of(alert_of("api_key_compromise", service="mcp-server"))
    assert lab.responder.post("/api/v1/alerts", webhook)[0] == 200
    incident = healed(lab, "api_key_compromise_all")

    assert lab.postgres.live_keys() == []
    assert lab.call(CLIENT_KEY) == 401
    assert {name: row for name, row in keys(lab).items() if name not in live} == \
           {name: row for name, row in before.items() if name not in live}
    assert_told(incident)

    undo(lab, incident)
    assert keys(lab) == before, "undo restores exactly those that were revoked"
    assert lab.call(CLIENT_KEY) == 200
    assert lab.responder.post("/api/v1/alerts", webhook_of(alert_of(
        "api_key_compromise", "resolved", service="mcp-server")))[0] == 200


def test_f1_what_no_remediation_is_for_reaches_a_person(calm_lab):
    """By the shipped route: what is down, and a known alert of a service that nothing is written for."""
    lab = calm_lab
    lab.alertmanager.send({"labels": {"alertname": "runbook_down", "job": "runbook_responder"}},
                          {"labels": {"alertname": "high_latency", "service": "billing"}})
    for name in ("runbook_down", "high_latency"):
        wait_for(lambda name=name: any(name in str(one) for one in lab.sink.to("person")), f"{name} to reach a person")
    assert not any("billing" in str(one["alert"]) for one in lab.responder.incidents())


def shown_by(lab, expression):
    """The labels of the series that a panel has of the last minutes, with All chosen."""
    for variable in ("job", "instance", "project", "service"):
        expression = expression.replace(f"${variable}", ".*")
    now = time.time()
    return [labels for labels, _ in lab.prometheus.query_range(expression, now - 900, now, 5)]


# A day, or a week, has not passed, nobody was refused, and the lab's containers have neither a limit nor a network of their own.
QUIET = re.compile(r"\[1d\]|\[7d\], 30|runbook_capacity_projected|container_memory_limit|container_network|requests_refused")


def test_every_panel_of_every_dashboard_shows_something(calm_lab):
    """After all of that, so that there were alerts, incidents and messages; by the labels that its legend names."""
    lab = calm_lab
    directory = lab.directory / "dashboards"
    directory.mkdir()
    subprocess.run([lab.exporter.program, f"--config.file={lab.exporter.config}", "dashboards", f"--dir={directory}"], check=True,
                   cwd=lab.exporter.directory, env={**lab.exporter.env, "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL)
    empty, unnamed = [], []
    for path in sorted(directory.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                series, named = shown_by(lab, target["expr"]), re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
                if not series and not QUIET.search(target["expr"]):
                    empty.append((path.name, panel["title"], target["expr"]))
                # The graphs of a check name whatever its kind may have.
                unnamed += [(path.name, panel["title"], label) for label in named if series and len(named) < 4 and
                            not any(label in labels for labels in series)]
    assert not empty + unnamed, "\n".join(map(str, empty + unnamed))


def test_journal_stands(calm_lab):
    """After all of that: the chain of hashes holds, over a restart too, and Prometheus has counted it."""
    lab = calm_lab
    wait_for(lambda: lab.prometheus.value(
        'sum(runbook_incidents_total{remediation="high_latency",outcome="healed"})') == 1, "the incident's count")
    numbers = [incident["number"] for incident in lab.responder.incidents()]
    assert lab.responder.stop() == 0
    verified = lab.responder.verify_journal()
    assert verified.returncode == 0, verified.stdout
    lab.responder.start()
    assert [incident["number"] for incident in lab.responder.incidents()] == numbers
    assert events(lab.responder.incident(numbers[0]))
