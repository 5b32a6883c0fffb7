# SPDX-License-Identifier: Apache-2.0
"""Both daemons over PgBouncer in transaction mode, on the one server connection that the application writes over."""

import concurrent.futures

import pytest

from integration.actions import Step
from lab.parts import wait_for
from lab.pgbouncer import PgBouncer
from scraping import promtool, scrape, value

# All that a session can be left with; what PgBouncer itself keeps apart for each client is of no account.
LEFT = ("SELECT (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),"
        " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),"
        " (SELECT count(*) FROM pg_listening_channels()),"
        " (SELECT json_object_agg(name, setting ORDER BY name) FROM pg_settings WHERE source = 'session'"
        " AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone',"
        " 'standard_conforming_strings'))::text, current_setting('application_name')")
GROUPS = ["server", "connections", "long_running_queries", "replication", "replication_slots", "wal_size",
          "database_sizes", "transaction_ids", "xmin_holders", "database_statistics", "table_sizes", "index_usage", "vacuum",
          "table_ages", "bloat", "row_counts", "row_estimates"]


@pytest.fixture(name="pool", scope="module")
def _pool(postgres, workspace):
    postgres.sql("CREATE ROLE shared LOGIN; GRANT pg_monitor, pg_signal_backend TO shared;"
                 "GRANT ALL ON ALL TABLES IN SCHEMA public TO shared; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO shared")
    pool = PgBouncer(workspace.directory / "pgbouncer", postgres, "shared").start()
    yield pool
    pool.stop()
    wait_for(lambda: postgres.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shared'") == 0, "its end")
    postgres.sql("DROP OWNED BY shared; DROP ROLE shared")


@pytest.fixture(name="application")
def _application(pool, postgres):
    connection = pool.connect()
    with connection.cursor() as cursor:
        yield cursor
    connection.close()
    postgres.reset()


def left(cursor):
    cursor.execute(LEFT)
    return cursor.fetchone()


def write(cursor):
    cursor.execute("INSERT INTO contexts (key_name, body) VALUES ('app', 'b')")


def checks(pool, **options):
    return [{"name": "pg", "postgres": {"dsn": pool.dsn("runbook_exporter"), **options}}]


def test_pgbouncer_c1_the_exporter_leaves_the_session_to_write(exporter, pool, application):
    """pgbouncer#176, #224, pgjdbc#848: the application's writes beside the exporter's reads."""
    clean = left(application)
    daemon = exporter(checks(pool, groups=GROUPS, tables=["contexts"]))
    for _ in range(3):
        write(application)
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="pg") == 1, daemon.page("/")
        assert left(application) == clean
    application.execute("SELECT count(*) FROM contexts")
    assert value(found, "runbook_postgres_table_rows", check="pg") in (None, 3) and application.fetchone() == (3,)
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        application.execute(f"SHOW {name}")
        assert application.fetchone() == ("0",)


def test_pgbouncer_c1_writes_and_scrapes_at_the_same_time(exporter, pool, application):
    daemon = exporter(checks(pool, groups=GROUPS, tables=["contexts"]))
    clean = left(application)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        scrapes = [threads.submit(scrape, daemon) for _ in range(20)]
        writes = 0
        while writes < 100 or not all(one.done() for one in scrapes):
            write(application)
            writes += 1
    for one in scrapes:
        assert value(one.result(), "runbook_check_success", check="pg") == 1
    assert left(application) == clean
    application.execute("SELECT count(*) FROM contexts")
    assert application.fetchone() == (writes,)


@pytest.mark.parametrize("query", ["SELECT set_config('default_transaction_read_only', 'on', false) = 'on' AS v",
                                   "SELECT set_config('search_path', 'nowhere', false) = 'nowhere' AS v"])
def test_pgbouncer_c1_what_an_operators_query_sets_is_taken_back(exporter, pool, application, query):
    clean = left(application)
    daemon = exporter(checks(pool, query=query, metrics=[{"name": "t_v", "value": "v"}]))
    assert value(scrape(daemon), "t_v", check="pg") == 1
    write(application)
    assert left(application) == clean


def test_pgbouncer_c1_a_failure_or_a_late_query_leaves_nothing(exporter, pool, application):
    clean = left(application)
    daemon = exporter([{"name": name, "timeout": "500ms", "postgres": {
        "dsn": pool.dsn("runbook_exporter"), "query": query, "metrics": [{"name": f"t_{name}", "value": "v"}]}}
        for name, query in (("refused", "SELECT 1 AS v FROM nowhere"), ("late", "SELECT 1 AS v, pg_sleep(60)"),
                            ("writes", "INSERT INTO contexts (key_name) VALUES ('no') RETURNING 1 AS v"))])
    found = scrape(daemon)
    assert [value(found, "runbook_check_success", check=name) for name in ("refused", "late", "writes")] == [0, 0, 0]
    assert "read_only_sql_transaction" in daemon.page("/")
    write(application)
    assert left(application) == clean


@pytest.fixture(name="step")
def _step(build, workspace, pool):
    def make(action, arguments, **more):
        return Step(build, workspace.path("steps"),
                    {"databases": [{"name": "mcp", "dsn": pool.dsn("runbook_responder")}]}, action, arguments, **more)
    return make


def test_pgbouncer_c1_the_responder_leaves_no_timeouts(step, pool, application, postgres):
    """The sibling of the exporter's: statement_timeout and lock_timeout of 600 s and 10 s."""
    clean = left(application)
    postgres.add_keys("alpha", "beta")
    revoke = step("postgres.execute", {
        "database": "mcp", "plan_sql": "SELECT id, name FROM api_keys WHERE revoked_at IS NULL AND name = $1",
        "sql": "UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND name = $1 RETURNING id, name",
        "args": ["alpha"], "undo_sql": "UPDATE api_keys SET revoked_at = NULL FROM jsonb_to_recordset($1::jsonb)"
                                       " AS was(id uuid) WHERE api_keys.id = was.id"})
    for phase in ("plan", "run", "undo"):
        revoke.fine(phase)
        assert left(application) == clean
        write(application)
    assert postgres.live_keys() == ["alpha", "beta"]


def test_pgbouncer_c1_the_responder_ends_queries_through_it(step, postgres, application):
    clean = left(application)
    end = step("postgres.terminate_queries", {"database": "mcp", "older_than": "1ms", "grace": "5s"})
    slow = postgres.connect(user="mcp_user")
    with concurrent.futures.ThreadPoolExecutor() as threads:
        sleeping = threads.submit(lambda: slow.cursor().execute("SELECT pg_sleep(60)"))
        postgres.wait_value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%'"
                            " AND state = 'active' AND pid <> pg_backend_pid()", 1)
        assert end.fine("plan")["targets"] == 1
        assert left(application) == clean
        end.fine("run")
        assert "canceling statement" in str(sleeping.exception())
    slow.close()
    assert left(application) == clean
    write(application)


def console(pool, **options):
    dsn = pool.dsn("runbook_exporter").replace("dbname=mcp", "dbname=pgbouncer")
    return [{"name": "pool", "postgres": {"dsn": dsn, **options}}]


SHOW = ["pgbouncer_pools", "pgbouncer_stats", "pgbouncer_databases", "pgbouncer_lists"]


def test_pgbouncer_show_as_groups(exporter, pool, application):
    """Its console, which knows neither transactions nor parameters; a client that waits is seen to wait."""
    daemon = exporter(console(pool, groups=SHOW))
    write(application)
    found = scrape(daemon)
    of = {"check": "pool", "database": "mcp"}
    assert value(found, "runbook_check_success", check="pool") == 1, daemon.page("/")
    assert all(value(found, "runbook_postgres_group_success", check="pool", group=name) == 1 for name in SHOW)
    assert value(found, "runbook_postgres_ready", check="pool") == 1
    assert value(found, "runbook_pgbouncer_database_pool_size", **of) == 1
    assert value(found, "runbook_pgbouncer_database_paused", **of) == 0
    assert value(found, "runbook_pgbouncer_items", check="pool", list="databases") == 2
    assert value(found, "runbook_pgbouncer_pool_waiting_clients", **of, user="shared") == 0
    promtool(found.page)

    application.execute("BEGIN")  # and so it has the only server
    waiting = pool.connect()
    with concurrent.futures.ThreadPoolExecutor() as threads:
        asked = threads.submit(lambda: waiting.cursor().execute("SELECT 1"))
        wait_for(lambda: value(found := scrape(daemon), "runbook_pgbouncer_pool_waiting_clients", **of, user="shared") == 1
                 and value(found, "runbook_pgbouncer_pool_active_servers", **of, user="shared") == 1, "a client to wait")
        application.execute("COMMIT")
        asked.result()
    waiting.close()
    wait_for(lambda: value(scrape(daemon), "runbook_pgbouncer_queries_total", **of)
             > value(found, "runbook_pgbouncer_queries_total", **of), "the queries to be counted")
    assert value(scrape(daemon), "runbook_pgbouncer_wait_seconds_total", **of) > \
        value(found, "runbook_pgbouncer_wait_seconds_total", **of)


def test_pgbouncer_show_by_a_query_of_the_operators(exporter, pool):
    daemon = exporter(console(pool, query="SHOW LISTS", metrics=[
        {"name": "t_items", "value": "items", "labels": ["list"]}]))
    assert value(scrape(daemon), "t_items", check="pool", list="databases") == 2


def test_pgbouncer_and_a_server_are_not_taken_for_each_other(exporter, pool):
    daemon = exporter(console(pool))
    assert value(scrape(daemon), "runbook_check_success", check="pool") == 0
    assert "this is PgBouncer&#39;s console" in daemon.page("/")
    daemon = exporter(checks(pool, groups=SHOW[:1]))
    assert value(scrape(daemon), "runbook_check_success", check="pg") == 0
    assert "this is no console of PgBouncer" in daemon.page("/")
