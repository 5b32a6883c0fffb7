# SPDX-License-Identifier: Apache-2.0
"""The step that runs is the step that was planned: remediations.yml changes between two starts of the responder, on a real
Engine, PostgreSQL and Redis. What had begun goes by the journal or not at all.

The reports are C1 and A3 of the faults that were found in the responder.
"""

import json
import subprocess
import threading

import psycopg2
import pytest

from harness.assertions import events
from integration.actions import Proxy
from integration.docker_service import PROJECT
from lab.parts import wait_for
from lab.redis import Redis
from lab.runbook import Responder
from lab.sink import Sink
from lab.webhook import alert_of

HEALTH = ("--health-interval", "3s")  # a step that recreates takes so long, and is killed in it


@pytest.fixture
def sink():
    server = Sink().start()
    yield server
    server.stop()


class Edited:
    """A responder whose file is written anew between two starts."""

    def __init__(self, program, directory, engine, postgres, sink):
        self.directory = directory
        (directory / "url").write_text(f"{sink.url}/oncall")
        self.head = {"docker": {"host": engine.host, "project": PROJECT},
                     "databases": [{"name": "mcp", "dsn": postgres.dsn()}],
                     "receivers": [{"name": "oncall", "format": "json", "url_file": f"{directory}/url"}],
                     "escalate_to": "oncall", "evidence_directory": f"{directory}/evidence"}
        self.daemon = Responder(program, directory / "remediations.yml", directory / "run")

    def start(self, *steps, name="change", **more):
        """With a file of one remediation; JSON is YAML."""
        head = {**self.head, **more.pop("head", {})}
        remediation = {"name": name, "match": ['alertname="ill"'], "steps": list(steps), **more}
        self.daemon.config.write_text(json.dumps({**head, "remediations": [remediation]}), encoding="utf-8")
        self.daemon.start()
        return self.daemon

    def kill_in(self, step):
        """kill -9 while it runs."""
        def runs():
            incident = self.daemon.of("change")
            return incident and incident["steps"][step - 1]["status"] == "started"
        wait_for(runs, f"step {step} to run", 30)
        self.daemon.process.kill()

    def settled(self, *statuses):
        """The incident, once its steps have these states."""
        def reached():
            incident = self.daemon.of("change")
            return incident if incident and [step["status"] for step in incident["steps"]] == list(statuses) else None
        return wait_for(reached, f"steps to be {statuses}", 90)


@pytest.fixture
def edited(binaries, tmp_path, engine, postgres, sink):
    made = Edited(binaries.responder, tmp_path, engine, postgres, sink)
    yield made
    made.daemon.stop()
    verified = made.daemon.verify_journal()
    assert verified.returncode == 0, verified.stdout


def set_env(service="web", undo="never", **env):
    return {"docker.set_env": {"service": service, "env": env}, "undo": undo}


def start_slow(service, *names):
    """Containers whose successors need a while until they are healthy."""
    return [service.start(service=name, options=HEALTH) for name in names]


def told(sink):
    return json.dumps(sink.to("oncall"), ensure_ascii=False)


def test_c1_two_steps_changed_places_while_the_first_ran(edited, service, sink):
    web, job = start_slow(service, "web", "job")
    edited.start(set_env(A="1"), set_env("job", B="2")).send(alert_of("ill"))
    edited.kill_in(1)
    responder = edited.start(set_env("job", B="2"), set_env(A="1"))
    incident = responder.wait_state("change", "escalated")
    assert [step["status"] for step in incident["steps"]] == ["interrupted", "waiting"]
    assert "B" not in service.env(web) and "B" not in service.env(job) and "A" not in service.env(job)
    assert "remediations.yml has changed since: step 1 service web → job" in told(sink)


def test_c1_an_argument_changed_while_the_step_ran(edited, service, sink):
    web, = start_slow(service, "web")
    edited.start(set_env(undo="when_resolved", LOG_LEVEL="debug")).send(alert_of("ill"))
    edited.kill_in(1)
    responder = edited.start(set_env(undo="when_resolved", LOG_LEVEL="trace"))
    incident = responder.wait_state("change", "escalated")
    assert incident["steps"][0]["status"] == "interrupted"
    assert "step 1 env LOG_LEVEL debug → trace" in told(sink)
    # A person has it put back: by what was journaled, whatever the file says.
    status, answer = responder.post(f"/api/v1/incidents/{incident['number']}/undo", {"by": "ada"})
    assert status in (200, 202), answer
    edited.settled("undone")
    wait_for(lambda: service.names() == {web}, "one container to be left", 30)
    assert service.env(web)["LOG_LEVEL"] == "info"
    wait_for(lambda: service.health(web) == "healthy", "it to be healthy", 30)


def test_c1_what_is_undone_when_resolved_is_what_was_done(edited, service):
    web = service.start()
    edited.start(set_env(undo="when_resolved", LOG_LEVEL="debug")).send(alert_of("ill"))
    edited.daemon.wait_final("change")
    assert service.env(web)["LOG_LEVEL"] == "debug"
    assert edited.daemon.stop() == 0
    edited.start(set_env(LOG_LEVEL="trace", OTHER="1")).send(alert_of("ill", "resolved"))
    edited.settled("undone")
    assert service.env(web)["LOG_LEVEL"] == "info"


def test_a3_a_remediation_that_was_renamed_while_its_change_was_in_force(edited, service):
    web = service.start()
    edited.start(set_env(undo="when_resolved", LOG_LEVEL="debug")).send(alert_of("ill"))
    edited.daemon.wait_final("change")
    assert edited.daemon.stop() == 0
    edited.start({"host.memory": {}}, name="other").send(alert_of("ill", "resolved"))
    edited.settled("undone")
    assert service.env(web)["LOG_LEVEL"] == "info"
    assert service.names() == {web}


def test_a3_a_remediation_that_was_removed_while_it_ran(edited, service, sink):
    start_slow(service, "web")
    edited.start(set_env(A="1"), {"host.memory": {}}).send(alert_of("ill"))
    edited.kill_in(1)
    edited.start({"host.memory": {}}, name="other")
    edited.daemon.wait_state("change", "escalated")
    assert 'remediations.yml has changed since: there is no remediation \\"change\\"' in told(sink)


def test_an_undo_is_not_guessed_where_docker_is_another_one(edited, service, sink):
    web = service.start()
    edited.start(set_env(undo="when_resolved", LOG_LEVEL="debug")).send(alert_of("ill"))
    edited.daemon.wait_final("change")
    assert edited.daemon.stop() == 0
    elsewhere = {"docker": {**edited.head["docker"], "project": "elsewhere"}}
    edited.start(set_env(undo="when_resolved", LOG_LEVEL="debug"), head=elsewhere).send(alert_of("ill", "resolved"))
    edited.settled("undo_failed")
    wait_for(lambda: "the docker is another one" in told(sink), "a person to be told", 30)
    assert service.env(web)["LOG_LEVEL"] == "debug"
    # Back where it was, a person's undo finds it.
    number = edited.daemon.of("change")["number"]
    assert edited.daemon.stop() == 0
    responder = edited.start({"host.memory": {}}, name="other")
    assert responder.post(f"/api/v1/incidents/{number}/undo", {"by": "ada"})[0] in (200, 202)
    edited.settled("undone")
    assert service.env(web)["LOG_LEVEL"] == "info"


def test_c1_the_address_of_redis_changed_while_it_was_flushed(edited, redis_server, tmp_path, sink):
    redis_server.client.flushall()
    redis_server.client.set("cache:1", "x")
    other = Redis(tmp_path / "other").start()
    other.client.set("cache:1", "x")
    begun, killed = threading.Event(), threading.Event()

    def hold(data):
        """The keys are never removed here: who is to do it is killed first."""
        if b"unlink" in data.lower():
            begun.set()
            killed.wait(60)
            return "drop"
        return None

    host, port = redis_server.address.split(":")
    proxy = Proxy(hold, (host, int(port)))
    flush = {"scope": "pattern", "pattern": "cache:*"}
    try:
        edited.start({"redis.flush": {**flush, "address": f"127.0.0.1:{proxy.port}"}}).send(alert_of("ill"))
        assert begun.wait(30)
        edited.daemon.process.kill()
        killed.set()
        responder = edited.start({"redis.flush": {**flush, "address": other.address}})
        responder.wait_state("change", "escalated")
        assert other.client.exists("cache:1") and redis_server.client.exists("cache:1")
        assert f"step 1 address 127.0.0.1:{proxy.port} → {other.address}" in told(sink)
    finally:
        other.stop()


EXECUTE = {"plan_sql": "SELECT id, name FROM api_keys WHERE name = $1", "args": ["alice"],
           "sql": "UPDATE api_keys SET revoked_at = now() WHERE name = $1 RETURNING id, name"}


@pytest.fixture
def api_keys(postgres):
    postgres.reset()
    postgres.add_keys("alice", "bob")
    return postgres


def test_c1_the_statement_changed_while_it_ran(edited, api_keys, sink):
    holder = psycopg2.connect(api_keys.dsn())
    holder.cursor().execute("UPDATE api_keys SET name = name WHERE name = 'alice'")  # the step waits for it
    edited.start({"postgres.execute": EXECUTE}).send(alert_of("ill"))
    edited.kill_in(1)
    holder.rollback()
    holder.close()
    wait_for(lambda: api_keys.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE api_keys%%'"
                                    " AND state = 'active' AND pid <> pg_backend_pid()") == 0, "its session to end", 30)
    live = api_keys.live_keys()
    other = {**EXECUTE, "sql": "DELETE FROM api_keys WHERE name = $1 RETURNING id, name"}
    responder = edited.start({"postgres.execute": other})
    responder.wait_state("change", "escalated")
    assert api_keys.value("SELECT count(*) FROM api_keys") == 2 and api_keys.live_keys() == live
    assert "step 1 sql UPDATE api_keys" in told(sink)


def test_c1_undo_sql_changed_before_it_was_undone(edited, api_keys):
    undo = ("UPDATE api_keys SET revoked_at = NULL FROM jsonb_array_elements($1::jsonb) AS was "
            "WHERE api_keys.id::text = was ->> 'id'")
    edited.start({"postgres.execute": {**EXECUTE, "undo_sql": undo}, "undo": "when_resolved"}).send(alert_of("ill"))
    edited.daemon.wait_final("change")
    assert api_keys.live_keys() == ["bob"]
    assert edited.daemon.stop() == 0
    other = {**EXECUTE, "undo_sql": "DELETE FROM api_keys WHERE $1::jsonb IS NOT NULL"}
    edited.start({"postgres.execute": other, "undo": "when_resolved"}).send(alert_of("ill", "resolved"))
    edited.settled("undone")
    assert sorted(api_keys.live_keys()) == ["alice", "bob"]


def test_an_approval_is_of_what_was_shown(edited, api_keys, sink):
    edited.start({"postgres.execute": EXECUTE}, approval=True).send(alert_of("ill"))
    incident = edited.daemon.wait_state("change", "awaiting_approval")
    assert edited.daemon.stop() == 0
    responder = edited.start({"postgres.execute": {**EXECUTE, "args": ["bob"]}}, approval=True)
    assert responder.post(f"/api/v1/incidents/{incident['number']}/approve", {"by": "ada"})[0] in (200, 202)
    wait_for(lambda: events(responder.incident(incident["number"])).count("awaiting approval") == 2,
             "it to be asked for anew", 30)
    assert sorted(api_keys.live_keys()) == ["alice", "bob"]
    assert 'remediations.yml has changed since: step 1 args [\\"alice\\"] → [\\"bob\\"]' in told(sink).replace('\\\\', '\\')
    assert responder.post(f"/api/v1/incidents/{incident['number']}/approve", {"by": "ada"})[0] in (200, 202)
    responder.wait_state("change", "done")
    assert api_keys.live_keys() == ["alice"]


def test_two_people_agree_to_a_plan_that_moves(edited, api_keys, sink):
    """By the socket of operators and by a token: two who have shown different things. Between them the rows are others."""
    sql = {"plan_sql": "SELECT name FROM api_keys WHERE revoked_at IS NULL ORDER BY name",
           "sql": "UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL RETURNING name"}
    responder = edited.start({"postgres.execute": sql}, approval={"people": 2, "deadline": "30m", "on_timeout": "deny"})
    responder.send(alert_of("ill"))
    number = responder.wait_state("change", "awaiting_approval")["number"]

    def agree(by, **more):
        return responder.post(f"/api/v1/incidents/{number}/approve", {"by": by, **more})

    def terminal(*words):
        made = subprocess.run([edited.daemon.program, *words, f"--journal={responder.journal}"],
                              capture_output=True, text=True, check=False)
        return made.returncode, made.stdout + made.stderr

    asked = responder.incident(number)["asked"]
    assert asked["people"] == 2 and asked["agreed"] == []
    assert agree("ada", plan=asked["plan"][:12])[0] == 200
    status, answer = agree("bob")
    assert status == 409 and "token operator has agreed to" in answer
    assert responder.incident(number)["asked"]["agreed"] == ["ada (token operator)"]
    page = responder.page(f"/incidents/{number}")
    assert "waits for a second person to approve it: ada (token operator) has" in page and "then it is denied" in page
    assert "Two people have to agree to it: ada (token operator) has" in terminal("incident", number)[1]

    # The world moves: the second one's yes is of what stands in the question, and nothing runs by it.
    api_keys.add_keys("carol")
    code, said = terminal("approve", number, f"--plan={asked['plan'][:12]}")
    assert code == 0 and f"{number} change: approved by uid" in said, said
    wait_for(lambda: events(responder.incident(number)).count("awaiting approval") == 2, "it to be asked for anew", 30)
    assert sorted(api_keys.live_keys()) == ["alice", "bob", "carol"]
    wait_for(lambda: "the plan is another than the one that was agreed to: step 1 (postgres.execute)" in told(sink),
             "the difference to be told", 30)
    assert "the plan is another than the one that was agreed to" in responder.page(f"/incidents/{number}")
    code, said = terminal("approve", number, f"--plan={asked['plan'][:12]}")
    assert code == 1 and "asks about another plan by now" in said, said
    anew = responder.incident(number)["asked"]
    assert anew["agreed"] == [] and anew["plan"] != asked["plan"]
    assert anew["plan"][:12] in told(sink)
    assert agree("ada", plan=anew["plan"])[0] == 200
    assert "a second person" not in terminal("approve", number)[1]
    responder.wait_state("change", "done")
    assert api_keys.live_keys() == []


def held(responder, n, words):
    """By whoever is seen so; the number of the incident of that alert."""
    responder.send(alert_of("ill", n=str(n)))
    incident = responder.wait_state("change", "held", n=str(n))
    assert incident["guard"] == "human"
    reason = next(row["detail"]["reason"] for row in incident["timeline"] if row["event"] == "held")
    assert reason.startswith(f"{words} since "), reason
    return incident["number"]


def test_who_is_at_a_container_is_left_alone(edited, service, engine, sink):
    """By the Engine's events: what a person does there holds, and neither what this responder does nor a health check."""
    # The Engine remembers 256 events, three of each health check.
    web = service.start(options=("--health-interval", "1s"))
    responder = edited.start({"docker.restart": {"service": "web", "stop_grace": "1s"}}, lock="web-${labels.n}",
                             head={"human_signs": ["docker"], "storm": "off"})

    engine.docker("restart", "-t", "1", web)
    first = held(responder, 1, f"somebody was seen with docker restart on {web}")
    engine.docker("exec", web, "/service", "copy")
    held(responder, 2, f"somebody was seen with docker exec (/service) in {web}")
    wait_for(lambda: f"docker exec (/service) in {web}" in told(sink), "who is on call to hear of it", 30)
    before = service.started_at(web)
    assert responder.post(f"/api/v1/incidents/{first}/give-back", {"by": "ada"})[0] in (200, 202)
    responder.wait_state("change", "done", n="1")
    assert service.started_at(web) > before
    held(responder, 3, f"somebody was seen with docker exec (/service) in {web}")


def test_who_is_at_the_data_is_left_alone(edited, api_keys, redis_server):
    """By sessions of psql, pgAdmin and redis-cli; what an application or the responder has open holds nothing."""
    steps = [{"postgres.execute": EXECUTE}, {"redis.flush": {"address": redis_server.address, "scope": "server", "may_remove": "everything"}}]
    responder = edited.start(*steps, lock="${labels.n}", head={"human_signs": ["postgres", "redis"], "storm": "off"})
    idle = psycopg2.connect(api_keys.dsn(), application_name="api")
    admin = psycopg2.connect(api_keys.dsn(), application_name="pgAdmin 4 - DB:mcp")
    held(responder, 1, "postgres was seen with pgAdmin 4 - DB:mcp on mcp")
    admin.close()
    seen = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' OR application_name LIKE 'pgAdmin%%'"
    api_keys.wait_value(seen, 0)
    with subprocess.Popen(["psql", "-X", "-q", api_keys.dsn()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as psql:
        psql.stdin.write(b"SELECT 1;\n")
        psql.stdin.flush()
        psql.stdout.readline()
        held(responder, 2, "postgres was seen with psql on mcp")
        psql.communicate()
    api_keys.wait_value(seen, 0)
    with subprocess.Popen(["redis-cli", "-p", str(redis_server.port), "MONITOR"], stdout=subprocess.PIPE) as cli:
        assert cli.stdout.readline() == b"OK\n"
        number = held(responder, 3, f"somebody was seen with redis-cli on {redis_server.address}")
        cli.terminate()
    assert responder.post(f"/api/v1/incidents/{number}/give-back", {"by": "ada"})[0] in (200, 202)
    responder.wait_state("change", "done", n="3")
    assert api_keys.live_keys() == ["bob"]
    idle.close()
