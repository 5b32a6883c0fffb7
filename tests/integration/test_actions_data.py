# SPDX-License-Identifier: Apache-2.0
"""The actions on Redis, PostgreSQL, receivers and the host, phase by phase: what the outside looks like after each."""

import contextlib
import http.server
import itertools
import json
import re
import threading

import psycopg2
import pytest

from integration.actions import Proxy, Step
from lab.parts import ROOT, free_port, wait_for
from lab.redis import Redis

REVOKE = {
    "database": "mcp",
    "plan_sql": "SELECT id, name FROM api_keys WHERE revoked_at IS NULL AND name LIKE $1",
    "sql": "UPDATE api_keys SET revoked_at = now(), revoked_reason = $2 "
           "WHERE revoked_at IS NULL AND name LIKE $1 RETURNING id, name",
    "args": ["${labels.key_name}", "incident ${incident.id}"],
    "undo_sql": "UPDATE api_keys SET revoked_at = NULL, revoked_reason = NULL "
                "FROM jsonb_to_recordset($1::jsonb) AS was(id uuid) WHERE api_keys.id = was.id",
}


@pytest.fixture
def step(build, workspace, postgres):
    """step(action, arguments, labels=…, user=…, port=…) → Step on the session's PostgreSQL."""
    def make(action, arguments, labels=None, user="runbook_responder", port=None, **targets):
        dsn = f"host=127.0.0.1 port={port or postgres.port} dbname=mcp user={user}"
        return Step(build, workspace.path("steps"), {"databases": [{"name": "mcp", "dsn": dsn}], **targets}, action,
                    arguments, labels)
    return make


@pytest.fixture
def keys(postgres):
    postgres.reset()
    postgres.add_keys("alpha", "beta", "gamma")
    yield postgres
    postgres.reset()


def changes(postgres):
    """How often each key's revocation was changed."""
    return dict(postgres.sql("SELECT name, count(*) FROM api_key_audit GROUP BY name"))


@pytest.fixture
def cache(redis_server):
    redis_server.client.flushall()
    yield redis_server
    redis_server.client.flushall()


def fill(server, database=0, **counts):
    client = server.client
    client.execute_command("SELECT", database)
    for prefix, count in counts.items():
        client.mset({f"{prefix}:{i}": i for i in range(count)})
    client.execute_command("SELECT", 0)


def test_flush_of_a_server(step, cache):
    fill(cache, session=5)
    fill(cache, database=3, page=7)
    flush = step("redis.flush", {"address": cache.address, "scope": "server", "may_remove": "everything"})
    plan = flush.plan()
    assert (plan["targets"], plan["databases"]) == (12, {"0": 5, "3": 7})
    assert cache.client.dbsize() == 5
    outcome = flush.run()
    assert (outcome["removed"], outcome["left"]) == (12, 0)
    assert cache.client.info("keyspace") == {}
    # An empty cache is what a flush is for.
    assert flush.plan()["targets"] == 0
    flush.run()


def mixed(cache):
    """A cache, and a worker's backlog and an operator's setting in the same server."""
    client = cache.client
    client.flushall()
    for i in range(26):
        client.set(f"mcp:page:{i}", "x", ex=600)
    client.rpush("queue:events", *range(7))
    client.rpush("mcp:recent", 1)
    client.expire("mcp:recent", 600)
    client.xadd("stream:audit", {"a": 1})
    client.set("feature:on", 1)
    client.execute_command("SELECT", 2)
    client.sadd("mcp:tags", 1, 2)
    client.execute_command("SELECT", 0)
    return client


def test_d1_a_flush_keeps_a_queue_a_stream_and_what_has_no_expiry(step, cache):
    client = mixed(cache)
    flushed = cache.calls("flushall")
    flush = step("redis.flush", {"address": cache.address, "scope": "server", "batch": 10})
    plan = flush.plan()
    assert plan["targets"] == 26 and plan["kept"] == {"lists": 2, "streams": 1, "persistent": 2}
    assert plan["summary"] == "unlink 26 of 31 keys of the server; kept: lists (2), streams (1), persistent (2)"
    outcome = flush.run()
    assert (outcome["removed"], outcome["left"], outcome["kept"]) == (26, 5, plan["kept"])
    assert outcome["summary"].endswith("; kept: lists (2), streams (1), persistent (2)")
    assert client.llen("queue:events") == 7 and client.llen("mcp:recent") == 1 and client.xlen("stream:audit") == 1
    assert client.get("feature:on") and cache.calls("flushall") == flushed

    # Nothing of it is a cache now: it says so, and not that it was flushed.
    flush.fails("plan", "EPERM", "all that is there is kept: lists (2), streams (1), persistent (2) of the server", "may_remove")


@pytest.mark.parametrize("options,removed,left", [
    ({"scope": "database"}, 26, ["feature:on", "mcp:recent", "queue:events", "stream:audit"]),
    ({"scope": "database", "may_remove": "lists"}, 28, ["feature:on", "stream:audit"]),
    ({"scope": "database", "may_remove": ["streams", "persistent"]}, 28, ["mcp:recent", "queue:events"]),
    ({"scope": "database", "may_remove": "everything"}, 30, []),
    ({"scope": "pattern", "pattern": "mcp:*"}, 26, ["feature:on", "mcp:recent", "queue:events", "stream:audit"]),
    ({"scope": "pattern", "pattern": "mcp:*", "may_remove": "lists"}, 27, ["feature:on", "queue:events", "stream:audit"]),
    ({"scope": "pattern", "pattern": "feature:*"}, 1, None),  # a pattern names what has no expiry
])
def test_d1_what_is_named_goes(step, cache, options, removed, left):
    client = mixed(cache)
    flush = step("redis.flush", {"address": cache.address, **options})
    assert flush.plan()["targets"] == removed
    assert flush.run()["removed"] == removed
    assert left is None or sorted(client.keys()) == left


def test_flush_over_tls(step, authority, tmp_path):
    port = free_port()
    server = Redis(tmp_path / "secure", arguments=[
        "--tls-port", port, "--tls-cert-file", authority.path("localhost.chain.pem"), "--tls-key-file",
        authority.path("localhost.key"), "--tls-ca-cert-file", authority.path("root.pem"), "--tls-auth-clients", "no"]).start()
    fill(server, session=5)
    flush = step("redis.flush", {"address": f"rediss://localhost:{port}", "scope": "database", "may_remove": "persistent", "tls_config": {"ca_file": str(authority.root)}})
    assert flush.plan()["targets"] == 5
    assert flush.run()["removed"] == 5 and server.client.dbsize() == 0
    stranger = step("redis.flush", {"address": f"rediss://localhost:{port}", "scope": "database"})
    stranger.fails("plan", "EPROTO", "the certificate for localhost is refused")
    server.stop()


def test_n42_the_documented_user_may_flush_and_nothing_else(step, cache, tmp_path):
    rules = re.search(r"^ACL SETUSER runbook_responder (.*)$", (ROOT / "docs/redis.md").read_text(), re.MULTILINE).group(1)
    (tmp_path / "password").write_text("hunter2\n")
    cache.client.execute_command("ACL", "SETUSER", "runbook_responder", *rules.replace("PASSWORD", "hunter2").split())
    user = {"address": cache.address, "user": "runbook_responder", "password_file": str(tmp_path / "password")}
    try:
        for options, kinds in itertools.product(
                ({"scope": "pattern", "pattern": "session:*", "database": 3}, {"scope": "database", "database": 3}, {"scope": "server"}),
                ("persistent", "everything")):
            fill(cache, database=3, session=5)
            flush = step("redis.flush", {**user, "may_remove": kinds, **options})
            assert flush.plan()["targets"] == 5 and flush.run()["removed"] == 5
    finally:
        cache.client.execute_command("ACL", "DELUSER", "runbook_responder")


def test_flush_of_a_database_leaves_the_others(step, cache):
    fill(cache, session=5)
    fill(cache, database=3, page=7)
    flush = step("redis.flush", {"address": cache.address, "scope": "database", "database": 3, "may_remove": "everything"})
    assert flush.plan()["databases"] == {"3": 7}
    assert flush.run()["removed"] == 7
    assert cache.client.info("keyspace").keys() == {"db0"}


def test_flush_of_a_pattern_in_batches(step, cache):
    fill(cache, session=1200, page=30)
    cache.client.config_resetstat()
    flush = step("redis.flush", {"address": cache.address, "scope": "pattern", "pattern": "session:*", "batch": 100})
    plan = flush.plan()
    assert (plan["targets"], plan["keys"], plan["exact"]) == (1200, 1230, True)
    assert cache.calls("unlink") == 0 and cache.client.dbsize() == 1230
    assert flush.run()["removed"] == 1200
    assert cache.client.dbsize() == 30 and cache.calls("unlink") >= 12
    assert cache.calls("keys") == 0 and cache.calls("flushdb") == 0
    flush.fails("plan", "ESRCH", 'no key of database 0 matches "session:*"')


def test_a_label_cannot_widen_a_pattern(step, cache):
    cache.client.mset({"user:*:x": 1, "user:[a]:x": 1, "user:a:x": 1, "user:b:x": 1, "user:\\:x": 1})
    for label, key in (("*", "user:*:x"), ("[a]", "user:[a]:x"), ("\\", "user:\\:x")):
        flush = step("redis.flush", {"address": cache.address, "scope": "pattern",
                                     "pattern": "user:${labels.user}:*"}, labels={"user": label})
        assert flush.plan()["targets"] == 1, label
        flush.run()
        assert cache.client.exists(key) == 0
    assert cache.client.dbsize() == 2
    missing = step("redis.flush", {"address": cache.address, "scope": "pattern", "pattern": "${labels.nobody}"})
    missing.fails("plan", "ENOKEY", "nobody")


@pytest.mark.parametrize("arguments,words", [
    ({}, "scope"), ({"scope": "pattern"}, "pattern"), ({"scope": "pattern", "pattern": "**"}, "every key"),
    ({"scope": "server", "pattern": "a*"}, "pattern"), ({"scope": "server", "database": 3}, "database"),
    ({"scope": "pattern", "pattern": ""}, "pattern"), ({"scope": "server", "may_remove": ["sets"]}, "sets"), ({"scope": "pattern", "pattern": "${env.x}"}, "env"),
])
def test_flush_without_a_clear_scope_is_refused(step, arguments, words):
    step("redis.flush", arguments).fails("check", "EINVAL", words)


def test_a_replica_is_told_apart(step, cache, workspace):
    replica = Redis(workspace.directory / "replica").start()
    try:
        replica.client.replicaof("127.0.0.1", cache.port)
        fill(cache, session=1)
        wait_for(lambda: replica.client.dbsize() == 1, "the replica to have it")
        flush = step("redis.flush", {"address": replica.address, "scope": "server", "may_remove": "everything"})
        flush.fails("plan", "EROFS", "read-only replica", replica.address)
        flush.fails("run", "EREMOTEIO", "read-only replica")
    finally:
        replica.stop()


def test_redis_refusals_are_explained(step, cache, workspace):
    cache.client.acl_setuser("meek", enabled=True, passwords=["+a word"], commands=["+@all", "-flushall"],
                             keys=["*"])
    password = workspace.directory / "meek"
    password.write_text("a word\n")
    arguments = {"address": cache.address, "scope": "server", "may_remove": "everything", "user": "meek", "password_file": str(password)}
    flush = step("redis.flush", arguments)
    flush.plan()
    fill(cache, session=2)
    error = flush.fails("run", "EREMOTEIO", "ACL user")
    assert "a word" not in error and cache.client.dbsize() == 2
    password.write_text("another\n")
    error = flush.fails("run", "EACCES", "user or the password")
    assert "another" not in error
    away = step("redis.flush", {"address": "127.0.0.1:1", "scope": "server"})
    assert away.fails("plan", "ECONNREFUSED", "cannot connect to Redis").count("127.0.0.1:1") == 1


def test_execute_plans_runs_and_undoes(step, keys):
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "%a"})
    plan = revoke.plan()
    assert plan["targets"] == 3 and plan["columns"] == ["id", "name"]
    assert sorted(row["name"] for row in plan["rows"]) == ["alpha", "beta", "gamma"]
    assert keys.live_keys() == ["alpha", "beta", "gamma"] and changes(keys) == {}

    outcome = revoke.run()
    assert outcome["row_count"] == 3 and len(outcome["rows"]) == 3
    assert keys.live_keys() == []
    assert keys.value("SELECT DISTINCT revoked_reason FROM api_keys") == "incident INC-2026-0001"

    assert revoke.fine("undo")["row_count"] == 3
    assert keys.live_keys() == ["alpha", "beta", "gamma"]
    assert keys.value("SELECT count(*) FROM api_keys WHERE revoked_reason IS NOT NULL") == 0
    revoke.fine("undo")
    assert keys.live_keys() == ["alpha", "beta", "gamma"]


def test_undo_restores_exactly_those(step, keys):
    keys.sql("UPDATE api_keys SET revoked_at = now(), revoked_reason = 'long ago' WHERE name = 'gamma'")
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "%"})
    revoke.plan()
    revoke.run()
    revoke.fine("undo")
    assert keys.live_keys() == ["alpha", "beta"]
    assert keys.value("SELECT revoked_reason FROM api_keys WHERE name = 'gamma'") == "long ago"


def test_a_label_is_a_value(step, keys):
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "alpha' OR '1'='1"})
    revoke.fails("plan", "ESRCH", "no row")
    step("postgres.execute", REVOKE).fails("plan", "ENOKEY", "key_name")


def test_rows_that_changed_since_the_plan_roll_back(step, keys):
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "%"})
    revoke.plan()
    keys.add_keys("delta")
    revoke.fails("run", "ESTALE", "0 planned not touched, 1 touched not planned")
    assert keys.live_keys() == ["alpha", "beta", "delta", "gamma"] and changes(keys) == {}
    assert not revoke.path("progress.json").exists()
    assert keys.value("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%%'") == 0


def test_killed_before_the_commit_runs_once(step, keys):
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "%"})
    revoke.plan()
    assert revoke.fine("resume")["resumption"] == "again"
    revoke.dies("run", after=1)
    assert revoke.progress()["transaction"].isdigit()
    assert revoke.fine("resume")["resumption"] == "again"
    assert keys.live_keys() == ["alpha", "beta", "gamma"]
    assert "nothing was committed" in revoke.fine("undo")["summary"]
    revoke.run()
    assert changes(keys) == {"alpha": 1, "beta": 1, "gamma": 1}


def test_killed_after_the_commit_is_done(step, keys):
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "%"})
    revoke.plan()
    revoke.run()
    revoke.path("outcome.json").unlink()
    found = revoke.call("resume")
    assert found["resumption"] == "done" and found["outcome"]["row_count"] == 3
    revoke.path("outcome.json").unlink()
    revoke.fine("undo")
    assert keys.live_keys() == ["alpha", "beta", "gamma"]


@pytest.mark.parametrize("how,live", [("swallow", []), ("drop", ["alpha", "beta", "gamma"])])
def test_a_lost_answer_to_commit_is_asked_for(step, keys, how, live):
    proxy = Proxy(lambda data: how if b"COMMIT" in data else None, ("127.0.0.1", keys.port))
    try:
        revoke = step("postgres.execute", REVOKE, labels={"key_name": "%"}, port=proxy.port)
        revoke.plan()
        if how == "swallow":
            assert revoke.run()["row_count"] == 3
        else:
            revoke.fails("run", "ECONNRESET", "rolled back")
        assert keys.live_keys() == live
    finally:
        proxy.close()


def test_a_transaction_id_of_another_life_of_the_server_is_doubted(step, keys):
    revoke = step("postgres.execute", REVOKE, labels={"key_name": "%"})
    revoke.plan()
    other = keys.value("SELECT txid_current()::text")
    revoke.path("progress.json").write_text(json.dumps({"transaction": other, "server": "of before"}))
    found = revoke.call("resume")
    assert found["resumption"] == "unknown" and "look as before" in found["error"]
    revoke.path("progress.json").write_text(json.dumps({"transaction": "999999999", "server": "of before"}))
    assert revoke.fine("resume")["resumption"] == "again"


def test_what_a_plan_may_not_do(step, keys):
    writes = {**REVOKE, "plan_sql": "DELETE FROM api_keys WHERE name LIKE $1 RETURNING id, name"}
    step("postgres.execute", writes, labels={"key_name": "%"}).fails("plan", "EREMOTEIO", "syntax error")
    keys.sql("CREATE OR REPLACE FUNCTION sly(text) RETURNS TABLE(id uuid, name text) LANGUAGE sql SECURITY DEFINER "
             "AS 'DELETE FROM api_keys WHERE name LIKE $1 RETURNING id, name'")
    sly = {**REVOKE, "plan_sql": "SELECT * FROM sly($1)"}
    step("postgres.execute", sly, labels={"key_name": "%"}).fails("plan", "EREMOTEIO", "read-only")
    keys.sql("DROP FUNCTION sly")
    assert len(keys.live_keys()) == 3


def test_limits_of_execute(step, keys):
    labels = {"key_name": "%"}
    step("postgres.execute", {**REVOKE, "max_rows": 2}, labels).fails("plan", "ERANGE", "max_rows (2)")
    big = {**REVOKE, "plan_sql": "SELECT id, name, repeat('x', 500000) AS more FROM api_keys WHERE name LIKE $1"}
    step("postgres.execute", big, labels).fails("plan", "EFBIG", "1024 KiB")
    other = {**REVOKE, "sql": "UPDATE api_keys SET revoked_at = now(), revoked_reason = $2 WHERE name LIKE $1 "
                              "RETURNING name, id"}
    odd = step("postgres.execute", other, labels)
    odd.plan()
    odd.fails("run", "EINVAL", "other columns")
    silent = step("postgres.execute", {**REVOKE, "sql": "UPDATE api_keys SET revoked_reason = $2 WHERE name LIKE $1"},
                  labels)
    silent.plan()
    silent.fails("run", "EINVAL", "RETURN")
    wide = step("postgres.execute", {**REVOKE, "undo_sql": "UPDATE api_keys SET revoked_at = NULL "
                                                           "WHERE $1::text IS NOT NULL"}, {"key_name": "alpha"})
    wide.plan()
    wide.run()
    wide.fails("undo", "ERANGE", "3 rows, and 1")
    assert keys.live_keys() == ["beta", "gamma"]
    empty = step("postgres.execute", {**REVOKE, "when_empty": "skip"}, {"key_name": "nobody"})
    assert empty.plan()["targets"] == 0
    assert "nothing to do" in empty.run()["summary"]
    assert "nothing to undo" in empty.fine("undo")["summary"]
    for wrong, word in (({"args": []}, "$1"), ({"args": ["a", "b", "c"]}, "$3"), ({"database": "mpc"}, "mpc"),
                        ({"undo_sql": "SELECT 1"}, "undo_sql")):
        step("postgres.execute", {**REVOKE, **wrong}).fails("check", "EINVAL", word)


def test_every_sort_of_value_is_restored(step, keys):
    keys.sql("CREATE TABLE every (id bigint PRIMARY KEY, small smallint, n numeric, f double precision, ok boolean, "
             "t text, b bytea, j json, jb jsonb, a text[], at timestamptz, i interval)")
    keys.sql("GRANT ALL ON every TO runbook_responder")
    try:
        keys.sql("INSERT INTO every VALUES (9007199254740993, -7, 0.1000000000000000000001, 0.1, true, %s, '\\xdeadbeef',"
                 " '{\"n\": 12345678901234567890}', '[1.10, null]', '{a,\"b c\",NULL}', "
                 "'2026-01-31 12:00:00.123456+05', '1 day 02:03:04.5'), (2, NULL, NULL, 'NaN', false, '', NULL, NULL, "
                 "NULL, '{}', 'infinity', NULL)", 'quotes " and \\ and \n and ünïcödé')
        before = keys.sql("SELECT every::text FROM every ORDER BY id")
        columns = "id, small, n, f, ok, t, b, j, jb, a, at, i"
        # A json column is recorded as its text, so it is declared as text and cast.
        delete = step("postgres.execute", {
            "database": "mcp", "plan_sql": f"SELECT {columns} FROM every",
            "sql": f"DELETE FROM every RETURNING {columns}",
            "undo_sql": "INSERT INTO every SELECT id, small, n, f, ok, t, b, j::json, jb::jsonb, a, at, i "
                        "FROM jsonb_to_recordset($1::jsonb) AS was(id bigint, small smallint, n numeric, "
                        "f double precision, ok boolean, t text, b bytea, j text, jb text, a text[], at timestamptz, "
                        "i interval) ON CONFLICT DO NOTHING"})
        assert delete.plan()["targets"] == 2
        delete.run()
        assert keys.value("SELECT count(*) FROM every") == 0
        assert delete.fine("undo")["row_count"] == 2
        assert keys.sql("SELECT every::text FROM every ORDER BY id") == before
        assert delete.fine("undo")["row_count"] == 0
    finally:
        keys.sql("DROP TABLE every")


class Sessions:
    """Sessions whose queries run until somebody ends them."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.connections = []

    def start(self, query="SELECT pg_sleep(300)", user="mcp_user", dbname="mcp"):
        """Starts a query; its pid."""
        connection = self.postgres.connect(dbname, user)
        self.connections.append(connection)
        pid = connection.get_backend_pid()
        self.then(pid, query)
        return pid

    def then(self, pid, query="SELECT pg_sleep(300)"):
        connection = next(c for c in self.connections if not c.closed and c.get_backend_pid() == pid)

        def run():
            with contextlib.suppress(psycopg2.Error):
                connection.cursor().execute(query)
        threading.Thread(target=run, daemon=True).start()
        wait_for(lambda: self.state(pid) == "active", f"the query of {pid} to begin")

    def state(self, pid):
        rows = self.postgres.sql("SELECT state FROM pg_stat_activity WHERE pid = %s", pid)
        return rows[0][0] if rows else "gone"

    def end(self):
        self.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE query LIKE '%%pg_sleep%%' AND pid <> pg_backend_pid()")
        for connection in self.connections:
            with contextlib.suppress(psycopg2.Error):
                connection.close()


@pytest.fixture
def sessions(postgres):
    opened = Sessions(postgres)
    yield opened
    opened.end()


TERMINATE = {"database": "mcp", "datname": "mcp", "older_than": "500ms", "grace": "1s"}
STUBBORN = """DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(300); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP;
END $$"""


def planned(step, *pids):
    """Plans until it has just these pids: queries have to get old enough first."""
    return wait_for(lambda: (plan := step.call("plan").get("plan")) and
                    sorted(row["pid"] for row in plan["backends"]) == sorted(pids) and plan, f"a plan of {pids}")


def test_old_queries_end_and_nothing_else(step, sessions):
    # Those that must be left alone begin first, so that they are old enough when the others are.
    superusers, other = sessions.start(user="postgres"), sessions.start(dbname="postgres")
    slow, stubborn = sessions.start(), sessions.start(STUBBORN)
    idle = sessions.postgres.connect(user="mcp_user")
    sessions.connections.append(idle)
    end = step("postgres.terminate_queries", TERMINATE)
    plan = planned(end, slow, stubborn)
    assert plan["targets"] == 2 and plan["superusers"] == 1 and plan["hidden"] == 0
    assert {row["user"] for row in plan["backends"]} == {"mcp_user"}
    assert "pg_sleep" not in json.dumps(plan)
    assert sessions.state(slow) == sessions.state(stubborn) == "active"

    outcome = end.run()
    assert {row["pid"]: row["result"] for row in outcome["backends"]} == {slow: "cancelled", stubborn: "terminated"}
    assert sessions.state(slow) == "idle" and sessions.state(stubborn) == "gone"
    assert sessions.state(superusers) == sessions.state(other) == "active"
    assert sessions.state(idle.get_backend_pid()) == "idle"
    # Again, as after a crash: they have ended, and nothing more does.
    assert {row["result"] for row in end.run()["backends"]} == {"had ended before"}
    end.fails("plan", "ESRCH", 'more than 500ms in database "mcp"', "1 of superusers")


SLOW_INDEX = """CREATE TEMP TABLE mine AS SELECT 1 AS a; CREATE FUNCTION pg_temp.slow(int) RETURNS int IMMUTABLE
LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(300); RETURN $1; END'"""


def test_a_backup_and_upkeep_are_left_alone(step, sessions):
    """They take long whatever is ill, and their end would do harm; who only writes of one is no backup."""
    dump = sessions.start("SET application_name = 'pg_dump'; SELECT pg_sleep(300)")
    builder = sessions.postgres.connect(user="mcp_user")
    sessions.connections.append(builder)
    builder.cursor().execute(SLOW_INDEX)
    sessions.then(builder.get_backend_pid(), "create  index on mine (pg_temp.slow(a)) -- pg_sleep")
    slow = sessions.start("SELECT pg_sleep(300), 'VACUUM', 'CREATE INDEX'")
    end = step("postgres.terminate_queries", TERMINATE)
    plan = planned(end, slow)
    assert plan["upkeep"] == 2 and plan["summary"].endswith("; 2 of backups and upkeep are left")
    assert [row["result"] for row in end.run()["backends"]] == ["cancelled"]
    assert sessions.state(dump) == sessions.state(builder.get_backend_pid()) == "active"
    end.fails("plan", "ESRCH", "2 of backups and upkeep left out")


def test_a_session_that_went_on_is_left_alone(step, sessions):
    pid = sessions.start()
    end = step("postgres.terminate_queries", TERMINATE)
    planned(end, pid)
    sessions.postgres.sql("SELECT pg_cancel_backend(%s)", pid)
    wait_for(lambda: sessions.state(pid) == "idle", "the cancel")
    sessions.then(pid)
    assert end.run()["backends"][0]["result"] == "had ended before"
    assert sessions.state(pid) == "active"


def test_grants_that_are_missing_are_named(step, sessions):
    pid = sessions.start()
    sessions.postgres.sql("CREATE ROLE blind LOGIN")
    try:
        blind = step("postgres.terminate_queries", TERMINATE, user="blind")
        wait_for(lambda: "pg_monitor" in blind.call("plan").get("error", ""), "the session to be seen")
        blind.fails("plan", "EACCES", "pg_monitor")
        sessions.postgres.sql("GRANT pg_monitor TO blind")
        planned(blind, pid)
        blind.fails("run", "EACCES", "pg_signal_backend")
        assert sessions.state(pid) == "active"
    finally:
        sessions.postgres.sql("DROP ROLE blind")


def test_no_old_query_may_be_fine(step, postgres):
    end = step("postgres.terminate_queries", {**TERMINATE, "older_than": "1h", "when_empty": "skip"})
    assert end.plan()["targets"] == 0
    assert "nothing to do" in end.run()["summary"]
    step("postgres.terminate_queries", {**TERMINATE, "older_than": "0"}).fails("check", "EINVAL", "older_than")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(f"not found: {self.path}".encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def hook(workspace):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.received, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url_file = workspace.directory / "hook"
    server.url_file.write_text(f"http://127.0.0.1:{server.server_port}/T000/very-secret\n")
    yield server
    server.shutdown()
    server.server_close()


def receivers(hook, kind):
    return {"receivers": [{"name": "oncall", "format": kind, "url_file": str(hook.url_file)}]}


def test_notify_in_slack_format(step, hook):
    text = 'High latency: ${labels.service} "restarted" & <flushed>'
    tell = step("notify", {"to": "oncall", "text": text}, {"service": "mcp\n<!channel>"}, **receivers(hook, "slack"))
    assert tell.plan()["targets"] == 1 and hook.received == []
    tell.run()
    (path, kind, body), = hook.received
    assert (path, kind) == ("/T000/very-secret", "application/json; charset=utf-8")
    assert body["text"] == 'High latency: mcp\n&lt;!channel&gt; "restarted" &amp; &lt;flushed&gt;'
    fields = body["attachments"][0]["blocks"][0]["fields"]
    assert fields[0] == {"type": "plain_text", "text": "Incident\nINC-2026-0001", "emoji": False}


def test_notify_in_json(step, hook):
    tell = step("notify", {"to": "oncall", "text": "${labels.a} & <b>"}, {"a": "ünï"}, **receivers(hook, "json"))
    tell.plan()
    tell.run()
    body = hook.received[0][2]
    assert body["text"] == "ünï & <b>" and body["incident"] == "INC-2026-0001" and body["version"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", body["at"])


def test_a_receiver_that_fails_never_shows_its_url(step, hook):
    tell = step("notify", {"to": "oncall", "text": "x"}, **receivers(hook, "slack"))
    tell.plan()
    hook.status = 404
    errors = [tell.fails("run", "EREMOTEIO", '"oncall"', "404")]
    hook.url_file.write_text("http://127.0.0.1:1/very-secret")
    errors.append(tell.fails("run", "ECONNREFUSED", "refused"))
    hook.url_file.write_text("http://nobody.invalid/very-secret")
    errors.append(tell.fails("run", "EHOSTUNREACH", "resolve"))
    hook.url_file.write_text("very-secret")
    errors.append(tell.call("run")["error"])
    hook.url_file.write_text("")
    errors.append(tell.fails("run", "EINVAL", "empty"))
    assert not [error for error in errors if "secret" in error]


def test_notify_by_the_log(step):
    tell = step("notify", {"to": "diary", "text": "said ${labels.alertname}"},
                receivers=[{"name": "diary", "format": "log"}])
    tell.plan()
    tell.run()
    line, = [line for line in tell.log.splitlines() if "said test" in line]
    assert "receiver=diary" in line and "incident=INC-2026-0001" in line
    step("notify", {"to": "dairy", "text": "x"}, receivers=[{"name": "diary", "format": "log"}]).fails(
        "check", "EINVAL", 'did you mean "diary"')


def test_host_memory(step):
    memory = step("host.memory", {})
    memory.plan()
    host = memory.run()["host"]
    with open("/proc/meminfo", encoding="ascii") as lines:
        total = int(next(line for line in lines if line.startswith("MemTotal:")).split()[1]) * 1024
    assert host["memory_total_bytes"] == total and 0 < host["memory_available_bytes"] < total
    assert host["load1"] >= 0 and "swap_free_bytes" in host


def test_execute_row_security_refuses_what_it_would_hide(step, keys):
    """Filtered is not empty: a plan that misses rows would leave keys alive. The sibling of the exporter's."""
    keys.sql("ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;"
             "CREATE POLICY tenant ON api_keys USING (name <> 'alpha')")
    revoke = step("postgres.execute", {**REVOKE, "plan_sql": "SELECT id, name FROM api_keys WHERE name LIKE $1",
                                       "args": ["%", "incident"]})
    try:
        revoke.fails("plan", "EREMOTEIO", "row security would hide rows", "ALTER ROLE runbook_responder BYPASSRLS")
        keys.sql("ALTER ROLE runbook_responder BYPASSRLS")
        assert revoke.plan()["targets"] == 3
    finally:
        keys.sql("ALTER ROLE runbook_responder NOBYPASSRLS; DROP POLICY tenant ON api_keys;"
                 "ALTER TABLE api_keys DISABLE ROW LEVEL SECURITY")


def test_execute_tells_no_value_of_a_row_j1(step, keys):
    revoke = step("postgres.execute", {**REVOKE, "plan_sql": "SELECT id, name::int FROM api_keys WHERE name LIKE $1",
                                       "args": ["a%", "incident"]})
    revoke.fails("plan", "EREMOTEIO", "SQLSTATE 22P02, invalid_text_representation")
    assert "alpha" not in json.dumps(revoke.call("plan")) + revoke.log
