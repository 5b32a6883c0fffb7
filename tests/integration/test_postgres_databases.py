# SPDX-License-Identifier: Apache-2.0
"""Kind postgres over every database of a server, and what it tells of ages, holders, statistics and bloat."""

import concurrent.futures
import contextlib

import psycopg2
import pytest

from lab.parts import wait_for
from scraping import logged, promtool, scrape, value

MINE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook_exporter'"


@pytest.fixture(name="pg", scope="module")
def _pg(postgres):
    """The session's server with databases of this module's own."""
    for name in ("crm", "shop", "locked", "archive"):
        postgres.sql(f'CREATE DATABASE "{name}"', dbname="postgres")
    postgres.sql("CREATE TABLE goods (id int PRIMARY KEY, note text); INSERT INTO goods SELECT i, 'x' FROM"
                 " generate_series(1, 30) i; GRANT SELECT ON goods TO runbook_exporter", dbname="shop")
    postgres.sql("CREATE TABLE goods (id int PRIMARY KEY); GRANT SELECT ON goods TO runbook_exporter", dbname="crm")
    postgres.sql("REVOKE CONNECT ON DATABASE locked FROM PUBLIC", dbname="postgres")
    postgres.sql("ALTER DATABASE archive ALLOW_CONNECTIONS false", dbname="postgres")
    yield postgres
    for name in ("crm", "shop", "locked", "archive"):
        postgres.sql(f'DROP DATABASE "{name}" WITH (FORCE)', dbname="postgres")


@pytest.fixture(name="check")
def _check(exporter, pg):
    def start(timeout="10s", dsn=None, **options):
        return exporter([{"name": "pg", "timeout": timeout, "max_series": 5000,
                          "postgres": {"dsn": dsn or pg.dsn(user="runbook_exporter"), **options}}])

    return start


def named(found, name):
    """[{label: value}, number] of a metric, without the check."""
    return [({k: v for k, v in labels if k != "check"}, number)
            for (family, labels), number in found.all.items() if family == f"runbook_postgres_{name}"]


def by(found, name, label):
    return {labels[label]: number for labels, number in named(found, name)}


def success(found):
    return by(found, "group_success", "group")


def skipped(found, reason="unreadable"):
    return value(found, "runbook_check_items_skipped", check="pg", reason=reason)


def test_every_database_from_one_check_postgres_exporter_224_266_351_518_892_984_1068_1130_1157(check, pg):
    """Templates and what takes nobody are left out, and one that refuses costs itself."""
    daemon = check(groups=["server", "connections", "vacuum", "table_ages"], databases=["*"], top=1000,
                   query="SELECT current_database() AS name, count(*) AS n FROM pg_tables",
                   metrics=[{"name": "t_tables", "value": "n", "labels": ["name"]}])
    found = scrape(daemon)
    assert by(found, "database_ready", "database") == {"crm": 1, "locked": 0, "mcp": 1, "postgres": 1, "shop": 1}
    live = {(labels["database"], labels["table"]): number for labels, number in named(found, "table_live_rows")}
    assert {table for database, table in live if database == "crm"} == {"goods"}
    assert live["shop", "goods"] == 30 and ("mcp", "contexts") in live
    ages = {labels["database"] for labels, _ in named(found, "table_xid_age")}
    assert ages == {"crm", "mcp", "postgres", "shop"}
    for database in ages:
        assert value(found, "t_tables", check="pg", database=database, name=database) == \
            pg.sql("SELECT count(*) FROM pg_tables", dbname=database)[0][0]
    # What is of the server is measured once, and is as it was.
    assert len(named(found, "info")) == len(named(found, "max_connections")) == 1
    assert success(found) == {"server": 1, "connections": 1, "vacuum": 0, "table_ages": 0, "query": 0}
    assert value(found, "runbook_check_success", check="pg") == 0
    assert skipped(found) == 1
    line, = logged(daemon, "Check failed")
    assert "database locked: " in line and "permission denied for database" in line
    promtool(found.page)
    pg.sql("GRANT CONNECT ON DATABASE locked TO runbook_exporter", dbname="postgres")
    try:
        found = scrape(daemon)
        assert value(found, "runbook_check_success", check="pg") == 1 and set(success(found).values()) == {1}
        assert by(found, "database_ready", "database")["locked"] == 1 and skipped(found) is None
    finally:
        pg.sql("REVOKE CONNECT ON DATABASE locked FROM runbook_exporter", dbname="postgres")


def test_databases_by_pattern_and_without_some(check):
    found = scrape(check(groups=["vacuum"], databases=["s*", "mcp", "crm", "locked"], exclude_databases=["lock*", "c?m"]))
    assert by(found, "database_ready", "database") == {"mcp": 1, "shop": 1}
    assert value(found, "runbook_check_success", check="pg") == 1
    daemon = check(groups=["vacuum"], databases=["shopp*"])
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="pg") == 0 and success(found) == {"vacuum": 0}
    assert "none is one of those in `databases`" in daemon.page("/")


def test_kind_1_a_database_that_is_named_and_not_there_is_told(check):
    """Misspelt, or dropped since; `archive` takes no connections."""
    daemon = check(groups=["vacuum"], databases=["shopp", "s*", "archive", "crn"], exclude_databases=["c*"])
    found = scrape(daemon)
    assert by(found, "database_ready", "database") == {"shop": 1, "shopp": 0, "archive": 0}
    assert value(found, "runbook_check_standing", check="pg", standing="fail") == 1 and success(found) == {"vacuum": 0}
    assert "shopp: there is none of this name that takes connections; did you mean &quot;shop&quot;?" in daemon.page("/")
    assert skipped(found) == 2


def test_databases_take_one_connection_more_and_leave_none(check, pg):
    daemon = check(groups=["vacuum", "index_usage"], databases=["*"], exclude_databases=["locked"])
    most = 0
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        scrapes = [pool.submit(scrape, daemon) for _ in range(10)]
        while not all(one.done() for one in scrapes):
            most = max(most, pg.value(MINE))
    assert all(value(one.result(), "runbook_check_success", check="pg") == 1 for one in scrapes)
    assert most <= 2 + 1  # one that has said goodbye may not have ended yet
    wait_for(lambda: pg.value(MINE) == 1, "the others to end")


def test_a_database_that_hangs_leaves_the_others_their_time(check, pg):
    """`crm` comes before the others, and its table is locked."""
    daemon = check(timeout="2s", query="SELECT count(*) AS n FROM goods", databases=["crm", "shop"],
                   metrics=[{"name": "t_goods", "value": "n"}])
    connection = psycopg2.connect(pg.dsn("crm"))
    with contextlib.closing(connection):
        connection.cursor().execute("LOCK TABLE goods IN ACCESS EXCLUSIVE MODE")
        found = scrape(daemon)
        assert value(found, "t_goods", check="pg", database="shop") == 30
        assert value(found, "t_goods", check="pg", database="crm") is None
        assert by(found, "database_ready", "database") == {"crm": 1, "shop": 1}
        assert "database crm: query: canceling statement due to lock timeout" in daemon.page("/")
    assert value(scrape(daemon), "t_goods", check="pg", database="crm") == 0


def test_tables_that_one_database_does_not_have_cost_themselves(check):
    found = scrape(check(groups=["row_counts"], tables=["goods"], databases=["crm", "shop", "postgres"]))
    assert by(found, "table_rows", "database") == {"crm": 0, "shop": 30}
    assert by(found, "skipped_relations", "database") == {"crm": 0, "shop": 0}
    assert success(found) == {"row_counts": 0} and skipped(found) == 1


def test_ages_are_the_servers_own_and_tell_how_far_they_are(check, pg):
    pg.sql("CREATE TABLE old (id int) WITH (autovacuum_freeze_max_age = 100000)", dbname="shop")
    for _ in range(3):
        pg.sql("SELECT txid_current()")
    try:
        found = scrape(check(dsn=pg.dsn("shop", "runbook_exporter"), groups=["transaction_ids", "table_ages"], top=1000))
        rows = pg.sql("SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database")
        ages = by(found, "database_xid_age", "database")
        assert ages == {name: pytest.approx(age, abs=20) for name, age, _ in rows} and "template0" in ages
        assert by(found, "database_multixact_age", "database") == {name: age for name, _, age in rows}
        assert by(found, "database_xid_age_ratio", "database")["mcp"] == pytest.approx(ages["mcp"] / 200e6)
        tables = {(labels["schema"], labels["table"]): number for labels, number in named(found, "table_xid_age")}
        ratios = {(labels["schema"], labels["table"]): number for labels, number in named(found, "table_xid_age_ratio")}
        assert tables["public", "old"] >= 3 and ("pg_catalog", "pg_class") in tables
        assert ratios["public", "old"] == pytest.approx(tables["public", "old"] / 100000)
        assert ratios["public", "goods"] == pytest.approx(tables["public", "goods"] / 200e6)
        promtool(found.page)
    finally:
        pg.sql("DROP TABLE old", dbname="shop")


def test_who_keeps_vacuum_from_its_work(check, pg):
    """The oldest snapshot of a session, and the horizon of a slot; a replica and a prepared transaction hold none."""
    daemon = check(groups=["xmin_holders"])
    holders = {"session", "replica", "slot", "prepared_transaction"}
    connection = psycopg2.connect(pg.dsn())
    with contextlib.closing(connection):
        connection.cursor().execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        for _ in range(7):
            pg.sql("SELECT txid_current()")
        found = wait_for(lambda: (f := scrape(daemon)) and by(f, "xmin_age", "holder")["session"] >= 7 and f, "its age")
        assert set(by(found, "xmin_age", "holder")) == holders
        assert by(found, "xmin_age", "holder")["replica"] == by(found, "xmin_age", "holder")["prepared_transaction"] == 0
    wait_for(lambda: by(scrape(daemon), "xmin_age", "holder")["session"] == 0, "the snapshot to go")


def test_deadlocks_temporary_files_and_ends_of_sessions_are_counted(check, pg):
    daemon = check(groups=["database_statistics"])
    before = scrape(daemon)
    one, two = psycopg2.connect(pg.dsn("shop")), psycopg2.connect(pg.dsn("shop"))
    with contextlib.closing(one), contextlib.closing(two), concurrent.futures.ThreadPoolExecutor() as pool:
        one.cursor().execute("UPDATE goods SET note = 'a' WHERE id = 1")
        two.cursor().execute("UPDATE goods SET note = 'b' WHERE id = 2")
        waiting = pool.submit(lambda: one.cursor().execute("UPDATE goods SET note = 'a' WHERE id = 2"))
        with contextlib.suppress(psycopg2.errors.DeadlockDetected):
            two.cursor().execute("UPDATE goods SET note = 'b' WHERE id = 1")
        two.rollback()
        with contextlib.suppress(psycopg2.errors.DeadlockDetected):
            waiting.result()
    pg.sql("SET work_mem = '64kB'; SELECT count(*) FROM (SELECT i FROM generate_series(1, 50000) i ORDER BY md5(i::text)) s",
           dbname="shop")
    victim = psycopg2.connect(pg.dsn("shop"))
    pg.sql("SELECT pg_terminate_backend(%s)", victim.info.backend_pid, dbname="postgres")

    def counted():
        found = scrape(daemon)
        more = {name: by(found, name, "database")["shop"] - by(before, name, "database")["shop"]
                for name in ("deadlocks_total", "temporary_files_total", "temporary_bytes_total", "rollbacks_total",
                             "sessions_killed_total", "sessions_total")}
        return min(more.values()) > 0 and (found, more)

    found, more = wait_for(counted, "the counters")
    assert more["deadlocks_total"] == 1 and more["sessions_killed_total"] == 1
    assert "# TYPE runbook_postgres_deadlocks_total counter" in found.page
    assert set(by(found, "recovery_conflicts_total", "database")) == {"crm", "locked", "mcp", "postgres", "shop"}
    promtool(found.page)


def test_bloat_is_an_estimate_of_what_the_role_may_know(check, pg):
    pg.sql("CREATE TABLE loose AS SELECT i AS id, repeat('x', 100) AS note FROM generate_series(1, 20000) i;"
           "CREATE TABLE tight AS TABLE loose; DELETE FROM loose WHERE id % 10 > 0;"
           "CREATE TABLE hidden AS TABLE tight; GRANT SELECT ON loose, tight TO runbook_exporter", dbname="shop")
    for table in ("loose", "tight", "hidden"):
        pg.sql(f"VACUUM ANALYZE {table}", dbname="shop")
    pg.sql("CREATE TABLE fresh AS TABLE tight; GRANT SELECT ON fresh TO runbook_exporter;", dbname="shop")
    try:
        daemon = check(dsn=pg.dsn("shop", "runbook_exporter"), groups=["bloat"])
        found = scrape(daemon)
        ratios, sizes = by(found, "table_bloat_estimated_ratio", "table"), by(found, "table_bloat_estimated_bytes", "table")
        assert 0.8 < ratios["loose"] < 0.95 and ratios["tight"] < 0.1
        size = pg.sql("SELECT pg_relation_size('loose')", dbname="shop")[0][0]
        assert sizes["loose"] == pytest.approx(ratios["loose"] * size)
        assert "hidden" not in ratios and "fresh" not in ratios  # of the one nothing is known, of the other nothing yet
        assert skipped(found) == 1 and value(found, "runbook_check_success", check="pg") == 1
        assert "bloat: the statistics of public.hidden" in "".join(daemon.process.output().splitlines())
        promtool(found.page)
    finally:
        pg.sql("DROP TABLE loose, tight, hidden, fresh", dbname="shop")
