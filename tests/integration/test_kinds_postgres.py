# SPDX-License-Identifier: Apache-2.0
"""The groups of kind postgres on real servers: a primary, its standby, and what others do to them."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import threading
import time

import psycopg2
import pytest
import yaml

from exporter_flags import ExporterWithFlags
from lab.certificates import Authority
from lab.parts import ROOT, wait_for
from scraping import logged, promtool, scrape, value

ALL = ["server", "connections", "long_running_queries", "replication", "replication_slots", "wal_size",
       "database_sizes", "transaction_ids", "xmin_holders", "database_statistics", "table_sizes", "index_usage", "vacuum",
       "table_ages", "bloat", "slow_statements", "row_counts", "row_estimates"]
BY_DEFAULT = ALL[:5]
MINE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'runbook_exporter'"


@pytest.fixture(name="pg", scope="module")
def _pg(postgres):
    """The session's server with a schema of this module's own."""
    postgres.sql("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY, item text UNIQUE, note text);"
                 "CREATE INDEX orders_note ON shop.orders (note); CREATE INDEX orders_both ON shop.orders (item, note);"
                 "INSERT INTO shop.orders SELECT i, i::text, repeat('x', 100) FROM generate_series(1, 500) i;"
                 "GRANT USAGE ON SCHEMA shop TO runbook_exporter; GRANT SELECT (id) ON shop.orders TO runbook_exporter")
    yield postgres
    postgres.sql("DROP SCHEMA shop CASCADE")


@pytest.fixture(name="standby", scope="module")
def _standby(pg, workspace):
    server = pg.standby(workspace.directory / "pg-standby").start()
    wait_for(lambda: server.value("SELECT status FROM pg_stat_wal_receiver") == "streaming", "the standby to stream")
    pg.sql("UPDATE shop.orders SET note = 'first'")  # until it has replayed a transaction its lag is not known
    wait_for(lambda: server.value("SELECT pg_last_xact_replay_timestamp()"), "the first transaction to be replayed")
    yield server
    server.stop()


@pytest.fixture(name="check")
def _check(exporter, pg):
    """Starts an exporter with one check of the server, as the documented role."""
    def start(timeout="5s", dsn=None, **options):
        return exporter([{"name": "pg", "timeout": timeout,
                          "postgres": {"dsn": dsn or pg.dsn(user="runbook_exporter"), **options}}])

    return start


@contextlib.contextmanager
def session(server, *statements):
    """A session that has run the statements in a transaction which it leaves open."""
    connection = psycopg2.connect(server.dsn())
    try:
        for statement in statements:
            connection.cursor().execute(statement)
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def waiting(server, statement):
    """A session whose statement waits for a lock that somebody else has."""
    connection = psycopg2.connect(server.dsn(), async_=True)
    try:
        wait_for(lambda: connection.poll() == psycopg2.extensions.POLL_OK, "the connection", every=0.01)
        pid = connection.info.backend_pid
        connection.cursor().execute(statement)
        wait_for(lambda: server.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s", pid) > 0,
                 "the statement to wait")
        yield connection
    finally:
        connection.close()


def named(found, name):
    """{labels without check: value} of a metric."""
    return {tuple(v for k, v in labels if k != "check"): number
            for (family, labels), number in found.all.items() if family == f"runbook_postgres_{name}"}


def success(found):
    return {labels[0]: number for labels, number in named(found, "group_success").items()}


def ready(found):
    return value(found, "runbook_postgres_ready", check="pg"), value(found, "runbook_check_success", check="pg")


def test_what_is_measured_by_default(check, pg):
    found = scrape(check())
    assert ready(found) == (1, 1)
    assert success(found) == dict.fromkeys(BY_DEFAULT, 1)
    assert list(named(found, "info")) == [(pg.value("SHOW server_version").split()[0],)]
    started = pg.value("SELECT extract(epoch FROM pg_postmaster_start_time())::float8")
    assert named(found, "start_timestamp_seconds") == {(): pytest.approx(started, abs=1e-3)}
    assert named(found, "in_recovery") == {(): 0}
    # What a primary without replicas and slots does not have is known to be none.
    for name in ("replication_lag_seconds", "replication_lag_bytes", "standby_cut_off", "replicas",
                 "largest_replica_lag_seconds", "unread_replication_slots",
                 "largest_replication_slot_retained_bytes"):
        assert named(found, name) == {(): 0}, name
    for name in ("wal_receiver_streaming", "replica_lag_seconds", "replication_slot_active", "wal_size_bytes"):
        assert named(found, name) == {}
    promtool(found.page)


def test_the_oldest_transaction_is_told_when_it_idles(check, pg):
    daemon = check(groups=["long_running_queries"])
    with session(pg, "SELECT 1"):
        found = wait_for(lambda: (f := scrape(daemon)) and named(f, "longest_transaction_seconds")["mcp",] > 0 and f,
                         "the transaction")
        assert named(found, "longest_query_seconds")["mcp",] == 0
    wait_for(lambda: named(scrape(daemon), "longest_transaction_seconds")["mcp",] == 0, "its end")


def test_sizes_of_databases_tables_and_wal(check, pg):
    daemon = check(groups=["database_sizes", "table_sizes", "wal_size"], top=2)
    found = scrape(daemon)
    assert success(found) == {"database_sizes": 1, "table_sizes": 1, "wal_size": 1}
    assert named(found, "database_size_bytes") == {
        (name,): pg.value("SELECT pg_database_size(%s)", name) for name in ("mcp", "postgres")}
    largest = pg.sql("SELECT schemaname, tablename, pg_total_relation_size(c.oid), pg_indexes_size(c.oid)"
                     " FROM pg_tables JOIN pg_class c ON c.relname = tablename AND relnamespace::regnamespace::text ="
                     " schemaname WHERE schemaname IN ('public', 'shop') ORDER BY 3 DESC LIMIT 2")
    assert largest[0][:2] == ("shop", "orders")
    assert set(named(found, "table_size_bytes").values()) == {float(row[2]) for row in largest}
    assert named(found, "table_size_bytes")["shop", "orders"] == largest[0][2]
    assert named(found, "table_indexes_size_bytes")["shop", "orders"] == largest[0][3]
    assert named(found, "skipped_relations") == {("table_sizes",): 0}
    assert named(found, "wal_size_bytes") == {(): pg.value("SELECT sum(size) FROM pg_ls_waldir()")}
    promtool(found.page)


def test_of_many_tables_only_the_likely_ones_are_opened(check, pg):
    """A session keeps what it knows of a relation that it has opened for as long as it lasts."""
    pg.sql("CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format("
           "'CREATE TABLE many.t%s AS SELECT 1 AS id; CREATE INDEX t%1$s_id ON many.t%1$s (id)', i); END LOOP; END $$;"
           "CREATE TABLE many.late (note text)")
    try:
        for _ in range(2):  # neither vacuumed nor analyzed: then pages are not known, but rows
            pg.sql("INSERT INTO many.late SELECT repeat('x', 200) FROM generate_series(1, 2000)")
        pg.wait_value("SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'late'", 4000)
        found = scrape(check(groups=["table_sizes"], top=1, metrics=[{"name": "opened", "help": "H.", "value": "n"}],
                             query="SELECT count(*) AS n FROM pg_backend_memory_contexts WHERE ident LIKE 't%_id'"))
        assert success(found) == {"table_sizes": 1, "query": 1}
        assert named(found, "table_size_bytes") == {
            ("many", "late"): pg.value("SELECT pg_total_relation_size('many.late')")}
        assert 0 < value(found, "opened", check="pg") <= 200
    finally:
        pg.sql("DROP SCHEMA many CASCADE")


def test_least_used_indexes(check, pg):
    """All of them are listed, as in the runbook, and of those that are used alike first what could go."""
    pg.sql("SET enable_seqscan = off; SELECT count(*) FROM shop.orders WHERE note = 'y'")
    pg.wait_value("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'orders_note'", 1)
    rows = {tuple(row[:3]): row for row in pg.sql(
        "SELECT indexrelname, relname, schemaname, idx_scan, pg_relation_size(indexrelid) FROM pg_stat_user_indexes")}
    found = scrape(check(groups=["index_usage"], top=1000))
    scans = named(found, "index_scans_total")
    assert {key[0]: number for key, number in scans.items()} == {row[0]: row[3] for row in rows.values()}
    assert scans["orders_note", "plain", "shop", "orders"] == 1
    assert {key[1] for key in scans} == {"plain", "primary", "unique"}
    assert {key[0]: number for key, number in named(found, "index_size_bytes").items()} == {
        row[0]: row[4] for row in rows.values()}
    promtool(found.page)
    found = scrape(check(groups=["index_usage"], top=1))
    assert named(found, "index_scans_total") == {("orders_both", "plain", "shop", "orders"): 0}


def test_dead_rows_and_last_vacuum(check, pg):
    pg.sql("UPDATE shop.orders SET note = 'z' WHERE id <= 200")
    pg.wait_value("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'orders'", 200)
    daemon = check(groups=["vacuum"], top=1)
    found = scrape(daemon)
    assert named(found, "table_dead_rows") == {("shop", "orders"): 200}
    assert named(found, "table_live_rows") == {("shop", "orders"): 500}
    assert named(found, "table_last_vacuum_timestamp_seconds") == {}  # never is not 1970
    pg.sql("VACUUM shop.orders")
    pg.sql("ANALYZE shop.orders")
    found = wait_for(lambda: (f := scrape(check(groups=["vacuum"]))) and
                     named(f, "table_last_analyze_timestamp_seconds") and f, "the analyze to be seen")
    assert named(found, "table_dead_rows")["shop", "orders"] == 0
    vacuumed, analyzed = pg.sql("SELECT extract(epoch FROM last_vacuum)::float8, extract(epoch FROM last_analyze)"
                                "::float8 FROM pg_stat_user_tables WHERE relname = 'orders'")[0]
    assert named(found, "table_last_vacuum_timestamp_seconds") == {("shop", "orders"): vacuumed}
    assert named(found, "table_last_analyze_timestamp_seconds") == {("shop", "orders"): analyzed}
    assert named(found, "table_last_autovacuum_timestamp_seconds") == {}
    assert named(found, "table_last_autoanalyze_timestamp_seconds") == {}


def test_rows_counted_and_estimated(check, pg):
    pg.reset()
    pg.sql("INSERT INTO contexts (key_name, body) SELECT 'a', 'b' FROM generate_series(1, 7)")
    pg.sql('CREATE TABLE shop."Odd "" one" (id int); GRANT SELECT ON shop."Odd "" one" TO runbook_exporter')
    daemon = check(groups=["row_counts", "row_estimates"],
                   tables=["contexts", "vector_embeddings", 'shop."Odd "" one"'])
    found = scrape(daemon)
    assert named(found, "table_rows") == {
        ("public", "contexts"): 7, ("public", "vector_embeddings"): 0, ("shop", 'Odd \\" one'): 0}
    assert named(found, "table_estimated_rows") == {}  # nobody has analyzed them
    pg.sql("ANALYZE contexts")
    pg.sql("INSERT INTO contexts (key_name, body) VALUES ('c', 'd')")
    found = scrape(daemon)
    assert named(found, "table_rows")["public", "contexts"] == 8
    assert named(found, "table_estimated_rows") == {("public", "contexts"): 7}
    pg.sql('DROP TABLE shop."Odd "" one"')
    found = scrape(daemon)
    assert ready(found) == (1, 0)
    assert success(found) == {"row_counts": 0, "row_estimates": 0}
    # The table that is gone costs itself.
    assert named(found, "table_rows") == {("public", "contexts"): 8, ("public", "vector_embeddings"): 0}
    assert named(found, "table_estimated_rows") == {("public", "contexts"): 7}
    assert "row_counts: shop.&quot;Odd &quot;&quot; one&quot;: relation &quot;…&quot; does not exist" in daemon.page("/")
    pg.reset()


def test_api_keys_expiry_and_age_from_one_query(check, pg):
    pg.reset()
    pg.add_keys("alpha", "beta")
    pg.sql("UPDATE api_keys SET created_at = now() - interval '90 days', expires_at = NULL WHERE name = 'beta'")
    found = scrape(check(
        groups=["server"], query="SELECT name, extract(epoch FROM expires_at) AS expires, "
        "extract(epoch FROM now() - created_at) AS age FROM api_keys WHERE revoked_at IS NULL",
        metrics=[{"name": "runbook_api_key_expiry_timestamp_seconds", "value": "expires", "labels": ["name"]},
                 {"name": "runbook_api_key_age_seconds", "value": "age", "labels": ["name"]}]))
    expires = pg.value("SELECT extract(epoch FROM expires_at)::float8 FROM api_keys WHERE name = 'alpha'")
    assert value(found, "runbook_api_key_expiry_timestamp_seconds", check="pg", name="alpha") == expires
    assert value(found, "runbook_api_key_expiry_timestamp_seconds", check="pg", name="beta") is None
    assert value(found, "runbook_api_key_age_seconds", check="pg", name="beta") == pytest.approx(90 * 86400, abs=60)
    assert 0 <= value(found, "runbook_api_key_age_seconds", check="pg", name="alpha") < 60
    assert success(found) == {"server": 1, "query": 1}
    pg.reset()


def test_the_documented_check_and_roles(exporter, pg, tmp_path):
    text = (ROOT / "docs" / "postgresql.md").read_text(encoding="utf-8")
    documented = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    options = documented[0]["postgres"]
    (tmp_path / "password").write_text("not asked for")
    options["dsn"] = options["dsn"].replace("port=5432", f"port={pg.port}").replace("localhost", "127.0.0.1")
    options["password_file"] = str(tmp_path / "password")
    daemon = exporter(documented)
    found = scrape(daemon)
    assert value(found, "runbook_check_success", check="database") == 1, daemon.page("/")
    assert success(found) == dict.fromkeys([*options["groups"], "query"], 1) | {"slow_statements": 0}
    assert set(named(found, "table_rows")) == {("public", "contexts"), ("public", "vector_embeddings")}
    promtool(found.page)
    table = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert table == ALL


@pytest.mark.parametrize("version, schema", (("1.7", "public"), ("newest", "shop")))
def test_slow_statements_of_both_generations(check, pg, version, schema):
    newest = pg.value("SELECT default_version FROM pg_available_extensions WHERE name = 'pg_stat_statements'")
    version = newest if version == "newest" else version
    column = "total_time" if version == "1.7" else "total_exec_time"  # PostgreSQL 12 has 1.7 alone
    daemon = check(groups=["slow_statements", "server"], slow="100ms")
    found = scrape(daemon)
    assert success(found) == {"slow_statements": 0, "server": 1}  # the extension is not there, which is no failure
    assert ready(found) == (1, 1)
    pg.sql(f"CREATE EXTENSION pg_stat_statements SCHEMA {schema} VERSION '{version}'")
    try:
        pg.sql(f"SELECT {schema}.pg_stat_statements_reset()")
        connection = pg.connect(user="mcp_user")
        for seconds in (0.11, 0.12):
            connection.cursor().execute(f"SELECT pg_sleep({seconds}), 'secret'")
        connection.cursor().execute("SELECT 'fast'")
        connection.close()
        found = scrape(daemon)
        queryid, calls, total = pg.sql(f"SELECT queryid, calls, {column} FROM {schema}.pg_stat_statements"
                                       " WHERE query LIKE 'SELECT pg_sleep(%%'")[0]
        of = ("mcp", str(queryid), "mcp_user")
        assert success(found) == {"slow_statements": 1, "server": 1}
        assert named(found, "statement_calls_total") == {of: 2} and calls == 2
        assert named(found, "statement_seconds_total")[of] == pytest.approx(total / 1000)
        assert named(found, "statement_mean_seconds")[of] == pytest.approx(total / 2000)
        assert named(found, "statement_info") == {} and "pg_sleep" not in found.page
        promtool(found.page)
        texts = named(scrape(check(groups=["slow_statements"], slow="100ms", statement_text=True)), "statement_info")
        assert texts == {("mcp", "SELECT pg_sleep($1), $2", str(queryid), "mcp_user"): 1}
        if version == "1.7":  # an update is taken up without a restart
            pg.sql("ALTER EXTENSION pg_stat_statements UPDATE")
            assert named(scrape(daemon), "statement_calls_total")[of] == 2
    finally:
        pg.sql("DROP EXTENSION pg_stat_statements")


def test_replication_of_a_primary_and_its_standby(check, pg, standby):
    there = check(dsn=standby.dsn(user="runbook_exporter"))
    here = check(groups=["replication", "replication_slots"])
    pg.sql("SELECT pg_create_physical_replication_slot('backup', true)")
    try:
        pg.sql("UPDATE shop.orders SET note = 'r'")
        def replayed():
            found = scrape(there)
            return named(found, "replication_lag_bytes") == {(): 0} and found

        found = wait_for(replayed, "the standby to catch up")
        assert ready(found) == (1, 1)
        assert named(found, "in_recovery") == {(): 1}
        assert named(found, "standby_cut_off") == {(): 0} and named(found, "replicas") == {(): 0}
        # The last transaction is a while ago by now, but everything is replayed.
        assert named(found, "replication_lag_seconds") == {(): 0}
        assert named(found, "wal_receiver_streaming") == {(): 1}
        assert named(found, "wal_receiver_last_message_timestamp_seconds")[()] == pytest.approx(time.time(), abs=60)
        promtool(found.page)

        def all_told():
            found = scrape(here)
            return set(named(found, "replica_lag_bytes").values()) == {0} and found

        found = wait_for(all_told, "the replica to have all WAL")
        stages = {("standby", stage) for stage in ("write", "flush", "replay")}
        assert set(named(found, "replica_lag_bytes")) == set(named(found, "replica_lag_seconds")) == stages
        assert all(0 <= lag < 60 for lag in named(found, "replica_lag_seconds").values())
        assert named(found, "in_recovery") == {(): 0} and named(found, "replicas") == {(): 1}
        assert named(found, "largest_replica_lag_seconds")[()] == max(named(found, "replica_lag_seconds").values())
        assert named(found, "unread_replication_slots") == {(): 1}
        assert named(found, "replication_slot_active") == {("physical", "backup"): 0}
        kept = named(found, "replication_slot_retained_bytes")["physical", "backup"]
        assert kept == named(found, "largest_replication_slot_retained_bytes")[()]
        assert 0 < kept <= pg.value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8"
                                    " FROM pg_replication_slots")
        promtool(found.page)
    finally:
        pg.sql("SELECT pg_drop_replication_slot('backup')")


def test_a_standby_that_does_not_replay_or_not_stream_lags(check, pg, standby):
    daemon = check(dsn=standby.dsn(user="runbook_exporter"), groups=["replication"])
    standby.sql("SELECT pg_wal_replay_pause()")
    try:
        pg.sql("UPDATE shop.orders SET note = 'lag'")
        wait_for(lambda: named(scrape(daemon), "replication_lag_bytes")[()] > 0, "WAL that is not replayed")
        assert named(scrape(daemon), "replication_lag_seconds")[()] > 0
    finally:
        standby.sql("SELECT pg_wal_replay_resume()")
    wait_for(lambda: named(scrape(daemon), "replication_lag_seconds") == {(): 0}, "the standby to catch up")

    settings = standby.value("SHOW primary_conninfo")
    try:  # cut off from its primary it has replayed all it has, and that is old
        standby.sql("ALTER SYSTEM SET primary_conninfo = ''")
        standby.sql("SELECT pg_reload_conf()")
        wait_for(lambda: named(scrape(daemon), "wal_receiver_streaming") == {(): 0}, "the receiver to end")
        assert named(scrape(daemon), "replication_lag_seconds")[()] > 0
    finally:
        standby.sql("ALTER SYSTEM SET primary_conninfo = %s", settings)
        standby.sql("SELECT pg_reload_conf()")


def queued(pg):
    """Whether the exporter stands in a lock's queue."""
    return pg.value("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                    " WHERE a.application_name = 'runbook_exporter' AND NOT l.granted")


def test_size_queries_never_wait_on_locks_otel_49351_pgscv_329(check, pg):
    daemon = check(groups=["table_sizes", "index_usage", "row_counts"], top=1000, tables=["contexts", "shop.orders"])
    everything = scrape(daemon)
    with session(pg, "SELECT count(*) FROM shop.orders"), \
            waiting(pg, "ALTER TABLE shop.orders ADD COLUMN late int"):
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            scraping = pool.submit(scrape, daemon, timeout=10)
            while not scraping.done():
                assert queued(pg) == 0
        found = scraping.result()
        assert time.monotonic() - started < 5  # the check's own deadline
        assert ready(found) == (1, 1)
        assert success(found) == {"table_sizes": 1, "index_usage": 1, "row_counts": 1}
        assert named(found, "skipped_relations") == {("table_sizes",): 1, ("index_usage",): 4, ("row_counts",): 1}
        sizes = named(everything, "table_size_bytes")
        del sizes["shop", "orders"]
        assert named(found, "table_size_bytes") == sizes
        assert named(found, "table_rows") == {("public", "contexts"): 0}
        assert not [key for key in named(found, "index_scans_total") if "orders" in key]
        promtool(found.page)
    wait_for(lambda: named(scrape(daemon), "skipped_relations")["table_sizes",] == 0, "the locks to go")


@pytest.mark.parametrize("statement, skipped", (
    ("LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE", {"table_sizes": 1, "index_usage": 4, "row_counts": 1}),
    ("REINDEX INDEX shop.orders_note", {"table_sizes": 1, "index_usage": 4, "row_counts": 1}),
    ("REINDEX TABLE {toast}", {"table_sizes": 1, "index_usage": 4, "row_counts": 1}),
    ("ALTER TABLE shop.parts_1 SET UNLOGGED", {"table_sizes": 1, "index_usage": 0, "row_counts": 1}),
))
def test_what_is_opened_with_a_table_is_kept_away_from(check, pg, statement, skipped):
    """An index, the TOAST table, a partition: whoever opens the table opens them as well."""
    tables = ["shop.orders", "shop.parts"]
    pg.sql("CREATE TABLE shop.parts (id int) PARTITION BY RANGE (id); GRANT SELECT ON shop.parts TO runbook_exporter;"
           "CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES FROM (0) TO (10)")
    toast = pg.value("SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 'shop.orders'::regclass")
    try:
        daemon = check(groups=["table_sizes", "index_usage", "row_counts"], top=1000, tables=tables)
        assert set(named(scrape(daemon), "skipped_relations").values()) == {0}
        with session(pg, statement.format(toast=toast)):
            found = scrape(daemon)
            assert ready(found) == (1, 1)
            assert {key[0]: number for key, number in named(found, "skipped_relations").items()} == skipped
            assert len(named(found, "table_rows")) == len(tables) - skipped["row_counts"]
    finally:
        pg.sql("DROP TABLE shop.parts")


def test_a_query_of_the_operator_leaves_the_queue_of_a_lock_early(check, pg):
    daemon = check(timeout="1s", groups=["server"], query="SELECT count(*) AS n FROM shop.orders",
                   metrics=[{"name": "t_orders", "value": "n"}])
    with session(pg, "LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE"):
        found = scrape(daemon)
        assert ready(found) == (1, 0)
        assert success(found) == {"server": 1, "query": 0}
        assert "query: canceling statement due to lock timeout" in daemon.page("/")
        assert pg.value(MINE) == 1
    assert ready(scrape(daemon)) == (1, 1)
    assert value(scrape(daemon), "t_orders", check="pg") == 500


def test_a_lock_that_comes_too_late_to_be_seen_is_seen_at_once_again(check, pg):
    """The count waits in a view for a lock, and meanwhile somebody queues up to lock the view itself."""
    pg.sql("CREATE VIEW shop.gate AS SELECT pg_advisory_lock_shared(7)::text; GRANT SELECT ON shop.gate TO"
           " runbook_exporter")
    daemon = check(timeout="8s", groups=["row_counts"], tables=["shop.gate", "contexts"])
    waited = pg.process.output().count("canceling statement due to lock timeout")
    try:
        with session(pg, "SELECT pg_advisory_lock(7)"), concurrent.futures.ThreadPoolExecutor() as pool:
            scraping = pool.submit(scrape, daemon)
            wait_for(lambda: queued(pg) == 1, "the count to stand before the gate", every=0.01)
            with waiting(pg, "BEGIN; LOCK TABLE shop.gate IN ACCESS EXCLUSIVE MODE"):
                found = scraping.result()
        assert ready(found) == (1, 1)
        assert named(found, "skipped_relations") == {("row_counts",): 1}
        assert named(found, "table_rows") == {("public", "contexts"): 0}
        assert pg.process.output().count("canceling statement due to lock timeout") == waited + 1
    finally:
        pg.sql("DROP VIEW shop.gate")


def test_one_failing_group_leaves_the_others(check, pg):
    """A count that takes too long is cancelled by the server, and what stands behind it still has time."""
    pg.sql("CREATE VIEW shop.slow AS SELECT pg_sleep(60)::text; GRANT SELECT ON shop.slow TO runbook_exporter")
    try:
        daemon = check(timeout="1s", groups=["row_counts", "row_estimates", "server"], tables=["shop.slow"],
                       query="SELECT 1 AS one", metrics=[{"name": "t_one", "value": "one"}])
        for _ in range(2):
            found = scrape(daemon)
            assert ready(found) == (1, 0)
            assert success(found) == {"row_counts": 0, "row_estimates": 1, "server": 1, "query": 1}
            assert value(found, "t_one", check="pg") == 1
            assert "row_counts: shop.slow: canceling statement due to statement timeout" in daemon.page("/")
            assert pg.value(MINE) == 1
        assert len(logged(daemon, "Check failed")) == 1
    finally:
        pg.sql("DROP VIEW shop.slow")


def test_one_table_that_cannot_be_counted_costs_itself_b3(check, pg):
    """Gone, not allowed, no name at all, too slow: the others are counted, and it is told once, by its name."""
    pg.sql("CREATE TABLE shop.secret (id int); CREATE VIEW shop.slow AS SELECT pg_sleep(60)::text;"
           "GRANT SELECT ON shop.slow TO runbook_exporter; ANALYZE contexts, vector_embeddings")
    try:
        daemon = check(timeout="3s", groups=["row_counts", "row_estimates"],
                       tables=["gone_table", "shop.slow", "shop.secret", "a.b.c.d", "contexts", "public.contexts",
                               "vector_embeddings"])
        for _ in range(2):
            found = scrape(daemon)
            assert ready(found) == (1, 0)
            for name in ("table_rows", "table_estimated_rows"):
                assert {("public", "contexts"), ("public", "vector_embeddings")} <= set(named(found, name))
            assert value(found, "runbook_exporter_duplicate_series_total") in (None, 0)
            promtool(found.page)
        line, = logged(daemon, "Check failed")
        assert "check=pg" in line
        for words in ("row_counts: gone_table: relation $1 does not exist", "row_estimates: gone_table: relation $1",
                      "shop.slow: canceling statement due to statement timeout", "a.b.c.d: ",
                      "shop.secret: permission denied for table secret"):
            assert words in line
    finally:
        pg.sql("DROP VIEW shop.slow; DROP TABLE shop.secret")


def test_temporary_schemas_are_left_out_f3(check, pg):
    with session(pg, "CREATE TEMP TABLE passing (id int PRIMARY KEY)", "COMMIT"):
        assert pg.value("SELECT count(*) FROM pg_stat_user_indexes WHERE relname = 'passing'") == 1
        found = scrape(check(groups=["table_sizes", "index_usage", "vacuum"], top=1000))
        assert ready(found) == (1, 1)
        assert "passing" not in found.page and "pg_temp" not in found.page
        assert named(found, "table_dead_rows")["shop", "orders"] >= 0


def test_idle_in_transaction_is_judged_as_the_runbook_does_a7(check, pg):
    """Idle in a transaction, also in one that failed; not merely idle."""
    runbook = ("SELECT count(*) FROM pg_stat_activity WHERE now() - query_start > interval '300 milliseconds'"
               " AND state LIKE 'idle in transaction%%' AND datname = 'mcp'")
    daemon = check(groups=["long_running_queries"], long_running="300ms")
    with session(pg, "SELECT 1"), session(pg, "SELECT 1", "COMMIT"), session(pg) as failed:
        with contextlib.suppress(psycopg2.Error):
            failed.cursor().execute("SELECT nothing")
        pg.wait_value(runbook, 2)
        found = scrape(daemon)
        assert named(found, "long_idle_in_transaction")["mcp",] == 2
        assert named(found, "long_running_queries")["mcp",] == 0
    assert wait_for(lambda: named(scrape(daemon), "long_idle_in_transaction")["mcp",] == 0, "their end")


def test_a_standby_cut_off_before_its_first_transaction_has_a_lag_a1(check, pg, workspace):
    """postgres_exporter#105, #977: it has replayed nothing since its start, and never will."""
    server = pg.standby(workspace.directory / "pg-cut-off").start()
    try:
        daemon = check(dsn=server.dsn(user="runbook_exporter"), groups=["replication"])
        server.sql("ALTER SYSTEM SET primary_conninfo = ''")
        server.stop()
        server.start()
        pg.sql("UPDATE shop.orders SET note = 'never arrives'")
        assert server.value("SELECT pg_last_xact_replay_timestamp()") is None
        found = scrape(daemon)
        assert named(found, "wal_receiver_streaming") == {(): 0} and named(found, "standby_cut_off") == {(): 1}
        before = named(found, "replication_lag_seconds")[()]
        assert before > 0
        assert named(scrape(daemon), "replication_lag_seconds")[()] > before
    finally:
        server.stop()


def test_a_replica_that_hangs_keeps_its_lag_a1(check, pg, standby):
    daemon = check(groups=["replication"])
    standby.wait_value("SELECT count(*) FROM pg_stat_wal_receiver", 1)
    stages = {("standby", stage) for stage in ("write", "flush", "replay")}
    wait_for(lambda: set(named(scrape(daemon), "replica_lag_bytes").values()) == {0}, "the replica to have all WAL")
    receiver = standby.value("SELECT pid FROM pg_stat_wal_receiver")
    os.kill(receiver, signal.SIGSTOP)
    try:
        pg.sql("UPDATE shop.orders SET note = 'hangs'")
        found = scrape(daemon)
        assert min(named(found, "replica_lag_bytes").values()) > 0
        before = named(found, "replica_lag_seconds")
        assert set(before) == stages
        assert named(found, "largest_replica_lag_seconds") == {(): max(before.values())}
        after = named(scrape(daemon), "replica_lag_seconds")
        assert all(after[stage] > before[stage] for stage in stages)
    finally:
        os.kill(receiver, signal.SIGCONT)


def test_the_shipped_check_warns_of_what_the_runbook_does_a1_a7(exporter, pg, workspace):
    shipped, = (one for one in yaml.safe_load((ROOT / "rules" / "checks.yml").read_text(encoding="utf-8"))["checks"]
                if one["name"] == "postgres")
    server = pg.standby(workspace.directory / "pg-shipped").start()

    def beyond(of, long_running="5m"):
        options = {"dsn": of.dsn(user="runbook_exporter"), "long_running": long_running}
        return value(scrape(exporter([{**shipped, "postgres": options}])), "runbook_check_series_beyond_threshold",
                     check="postgres", level="warn")

    try:
        pg.sql("UPDATE shop.orders SET note = 'shipped'")
        wait_for(lambda: server.value("SELECT pg_last_xact_replay_timestamp()"), "the first transaction")
        assert beyond(server) == beyond(pg) == 0
        with session(pg, "SELECT 1"):
            assert beyond(pg, "1ms") == 1
        pg.sql("SELECT pg_create_physical_replication_slot('nobody')")
        assert beyond(pg) == 1
        server.sql("ALTER SYSTEM SET primary_conninfo = ''")
        server.sql("SELECT pg_reload_conf()")
        server.wait_value("SELECT count(*) FROM pg_stat_wal_receiver", 0)
        assert beyond(server) == 1
    finally:
        pg.sql("SELECT pg_drop_replication_slot('nobody') FROM pg_replication_slots WHERE slot_name = 'nobody'")
        server.stop()


def policy(pg, more=""):
    return pg.sql("CREATE TABLE shop.tenants (id int, tenant text); INSERT INTO shop.tenants VALUES (1, 'a'), (2, 'b');"
                  "ALTER TABLE shop.tenants ENABLE ROW LEVEL SECURITY;"
                  "CREATE POLICY one ON shop.tenants USING (tenant = 'a');"
                  "GRANT SELECT ON shop.tenants TO runbook_exporter;" + more)


def test_a_policy_that_hides_rows_is_an_error_with_what_to_grant(check, pg):
    """Filtered is not empty: not in a count, not in an operator's query, not behind a view of the caller's."""
    policy(pg, "CREATE VIEW shop.all_tenants AS SELECT * FROM shop.tenants;"
               "GRANT SELECT ON shop.all_tenants TO runbook_exporter")
    try:
        daemon = check(groups=["row_counts"], tables=["shop.tenants", "shop.all_tenants", "contexts"],
                       query="SELECT count(*) AS n FROM shop.tenants", metrics=[{"name": "t_n", "value": "n"}])
        found = scrape(daemon)
        assert ready(found) == (1, 0) and value(found, "t_n", check="pg") is None
        # A view of the owner's sees all, and needs no right of the role's on the table.
        assert named(found, "table_rows") == {("public", "contexts"): 0, ("shop", "all_tenants"): 2}
        line, = logged(daemon, "Check failed")
        assert line.count("row security would hide rows from the role") == 2
        assert "ALTER ROLE runbook_exporter BYPASSRLS" in line and "view of the table's owner" in line
        pg.sql("ALTER ROLE runbook_exporter BYPASSRLS")
        found = scrape(daemon)
        assert ready(found) == (1, 1) and value(found, "t_n", check="pg") == 2
        assert named(found, "table_rows")["shop", "tenants"] == 2
    finally:
        pg.sql("ALTER ROLE runbook_exporter NOBYPASSRLS; DROP TABLE shop.tenants CASCADE")


def test_the_whole_message_is_in_the_log_at_debug_j1(program, pg, tmp_path):
    checks = [{"name": "pg", "postgres": {"dsn": pg.dsn(user="runbook_exporter"), "query": "SELECT 'se' || 'cret' AS v,"
                                          " ('se' || 'cret')::int", "metrics": [{"name": "t_v", "value": "v"}]}}]
    with ExporterWithFlags(program, checks, tmp_path, "--log.level=debug") as daemon:
        assert ready(scrape(daemon)) == (1, 0)
        line, = logged(daemon, "PostgreSQL refused a statement")
        assert "secret" in line and "secret" not in daemon.page("/")
        assert all("secret" not in failed for failed in logged(daemon, "Check failed"))


@pytest.mark.parametrize("expression, words", (
    ("hash::int", "invalid input syntax for type integer: &quot;…&quot; (SQLSTATE 22P02, invalid_text_representation)"),
    ("hash::date", "SQLSTATE 22007, invalid_datetime_format"),
    ("hash::regclass", "SQLSTATE 42P01, undefined_table"),
    ("hash::jsonb", "SQLSTATE 22P02, invalid_text_representation"),
    ("(hash || '\"x\"y')::int", "SQLSTATE 22P02"),
    ("shop.complain(hash)", "SQLSTATE P0001, raise_exception"),
    ("(length(hash) + 2147483000)::text::smallint", "value &quot;…&quot; is out of range for type smallint"),
    ("set_config('work_mem', hash, true)", "SQLSTATE 22023"),
))
def test_what_a_server_says_is_data_j1(check, pg, expression, words):
    """No value of a row on the page, in the metrics or in the log, whichever message quotes it."""
    pg.sql("CREATE TABLE shop.keys AS SELECT 'hunter2-correct-horse'::text AS hash;"
           "GRANT SELECT ON shop.keys TO runbook_exporter;"
           "CREATE FUNCTION shop.complain(text) RETURNS text LANGUAGE plpgsql AS"
           " $$ BEGIN RAISE EXCEPTION 'the key % is odd', $1 USING DETAIL = $1, HINT = $1; END $$")
    try:
        daemon = check(groups=["server"], query=f"SELECT {expression} AS v FROM shop.keys",
                       metrics=[{"name": "t_v", "value": "v"}])
        found = scrape(daemon)
        assert ready(found) == (1, 0)
        page = daemon.page("/")
        assert words in page
        line, = logged(daemon, "Check failed")
        assert "SQLSTATE" in line
        for text in (page, found.page, line, daemon.process.output()):
            for secret in ("hunter2", "horse", "214748"):
                assert secret not in text.replace("2147483000", "")
    finally:
        pg.sql("DROP TABLE shop.keys; DROP FUNCTION shop.complain(text)")


def test_pg_monitor_alone_sees_all_groups(check, pg):
    pg.sql("CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher; CREATE EXTENSION pg_stat_statements")
    pg.sql("CREATE ROLE blind LOGIN")
    try:
        groups = [name for name in ALL if name != "row_counts"]
        daemon = check(dsn=pg.dsn(user="watcher"), groups=groups, tables=["contexts"])
        found = scrape(daemon)
        assert ready(found) == (1, 1), daemon.page("/")
        assert success(found) == dict.fromkeys(groups, 1)
        assert named(found, "connections")["mcp", "active"] == 1
        promtool(found.page)
        # Rows need a right to one column of theirs, which is the operator's to give.
        daemon = check(dsn=pg.dsn(user="watcher"), groups=["row_counts"], tables=["contexts"])
        assert ready(scrape(daemon)) == (1, 0)
        assert "row_counts: contexts: permission denied for table contexts" in daemon.page("/")

        daemon = check(dsn=pg.dsn(user="blind"), groups=ALL, tables=["contexts"])
        found = scrape(daemon)
        assert ready(found) == (1, 0)
        needing = {"long_running_queries", "replication", "wal_size", "xmin_holders", "slow_statements", "row_counts"}
        assert success(found) == {name: name not in needing for name in ALL}
        assert named(found, "long_running_queries") == {}  # what it does not see is not told as 0
        # Each group that was not seen, the table, and what hides behind "unknown": sessions and columns of tables.
        assert named(found, "connections")["mcp", "unknown"] >= 1
        assert value(found, "runbook_check_items_skipped", check="pg", reason="unreadable") >= len(needing) + 1
        line, = logged(daemon, "Items of the check were skipped")
        assert "connections: what sessions of others do in mcp" in line
        assert "long_running_queries: the role does not see what others do; GRANT pg_monitor TO blind lets it" in \
            daemon.page("/")
        pg.sql("GRANT pg_monitor TO blind")
        assert success(scrape(daemon)) == {name: name != "row_counts" for name in ALL}
    finally:
        pg.sql("DROP EXTENSION pg_stat_statements; DROP ROLE watcher; DROP ROLE blind")


def test_a_storm_of_scrapes_holds_one_backend_postgres_exporter_898_921_941_1228(exporter, pg):
    """Several checks of one server too; and afterwards, when their statements have run out of time."""
    dsn = pg.dsn(user="runbook_exporter")
    daemon = exporter([{"name": f"pg{i}", "postgres": {"dsn": dsn}} for i in range(4)] +
                      [{"name": "slow", "timeout": "300ms", "postgres": {
                          "dsn": dsn, "query": "SELECT 1 AS one, pg_sleep(60)",
                          "metrics": [{"name": "t_one", "value": "one"}]}}])
    most = 0
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        scrapes = [pool.submit(scrape, daemon) for _ in range(50)]
        while not all(one.done() for one in scrapes):
            most = max(most, pg.value(MINE))
    assert most == 1
    for one in scrapes:
        found = one.result()
        assert [value(found, "runbook_check_success", check=f"pg{i}") for i in range(4)] == [1] * 4
        assert value(found, "runbook_check_success", check="slow") == 0
    assert pg.value(MINE) == 1
    assert pg.value("SELECT state FROM pg_stat_activity WHERE application_name = 'runbook_exporter'") == "idle"


def test_checks_of_one_server_take_turns(exporter, pg):
    dsn = pg.dsn(user="runbook_exporter")
    daemon = exporter([
        {"name": "long", "postgres": {"dsn": dsn, "query": "SELECT 1 AS one FROM pg_advisory_lock_shared(7)",
                                      "metrics": [{"name": "t_one", "value": "one"}]}},
        {"name": "pg", "timeout": "100ms", "postgres": {"dsn": dsn, "groups": ["server"]}}])
    with session(pg, "SELECT pg_advisory_lock(7)"), concurrent.futures.ThreadPoolExecutor() as pool:
        scraping = pool.submit(scrape, daemon, "?collect[]=long")
        wait_for(lambda: queued(pg) == 1, "the long one to have the turn", every=0.01)
        found = scrape(daemon, "?collect[]=pg")
        assert ready(found) == (None, 0)  # whether the server is ready it has not found out
        assert "another check of this server kept the connection busy" in daemon.page("/")
        pg.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        assert value(scraping.result(), "runbook_check_success", check="long") == 1
    assert ready(scrape(daemon, "?collect[]=pg")) == (1, 1)


def test_a_reload_keeps_the_connection(check, pg):
    daemon = check(groups=["server"])
    backend = "SELECT pid FROM pg_stat_activity WHERE application_name = 'runbook_exporter'"
    assert ready(scrape(daemon)) == (1, 1)
    before = pg.sql(backend)
    daemon.config.write_text(json.dumps({"checks": [
        {"name": "new", "postgres": {"dsn": pg.dsn(user="runbook_exporter"), "groups": ["connections"]}}]}))
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: value(scrape(daemon), "runbook_check_success", check="new") == 1, "the new check")
    assert pg.sql(backend) == before and len(before) == 1


def test_blocked_alter_table_does_not_exhaust_connections_nbari_23_34(check, pg):
    """The scrapes that could not finish leave nothing behind, and the next one is not kept from measuring."""
    daemon = check(timeout="500ms", query="SELECT count(*) AS n FROM shop.orders",
                   metrics=[{"name": "t_orders", "value": "n"}])
    with session(pg, "SELECT count(*) FROM shop.orders"), waiting(pg, "ALTER TABLE shop.orders ADD COLUMN late int"):
        for _ in range(3):
            assert ready(scrape(daemon, timeout=5)) == (1, 0)
            assert pg.value(MINE) == 1
    assert wait_for(lambda: ready(scrape(daemon)) == (1, 1), "the check to succeed again")


def test_ready_is_not_a_false_up_and_comes_back_after_a_restart_postgres_exporter_1120(check, standby):
    daemon = check(dsn=standby.dsn(user="runbook_exporter"), groups=["server"], timeout="1s")
    assert ready(scrape(daemon)) == (1, 1)
    pid = standby.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'runbook_exporter'")
    os.kill(pid, signal.SIGSTOP)
    try:
        found = scrape(daemon)
        assert ready(found) == (0, 0)
        assert success(found) == {"server": 0}
        assert named(found, "info") == {}
    finally:
        os.kill(pid, signal.SIGCONT)
    assert ready(scrape(daemon)) == (1, 1)
    wait_for(lambda: standby.value(MINE) == 1, "the old backend to end")

    standby.stop()
    found = scrape(daemon)
    assert ready(found) == (0, 0)
    assert success(found) == {"server": 0}
    standby.start()
    assert ready(scrape(daemon)) == (1, 1)
    assert standby.value(MINE) == 1


def test_the_largest_table_by_its_toast_is_found_f4(check, pg):
    """Few rows and much TOAST, neither vacuumed nor analyzed, in a database of more than 200 tables."""
    pg.sql("CREATE SCHEMA toasty; DO $$ BEGIN FOR i IN 1..230 LOOP EXECUTE format('CREATE TABLE toasty.t%s AS"
           " SELECT repeat(''x'', 100) AS note FROM generate_series(1, 300)', i); END LOOP; END $$;"
           "CREATE TABLE toasty.attachments (id int, body text);"
           "ALTER TABLE toasty.attachments ALTER body SET STORAGE EXTERNAL")
    try:
        pg.sql("INSERT INTO toasty.attachments SELECT i, repeat('y', 400000) FROM generate_series(1, 20) i")
        pg.wait_value("SELECT n_live_tup FROM pg_stat_all_tables WHERE relid ="
                      " (SELECT reltoastrelid FROM pg_class WHERE relname = 'attachments')", 20 * 201)
        daemon = check(groups=["table_sizes"], top=1)
        for _ in range(2):
            assert named(scrape(daemon), "table_size_bytes") == {
                ("toasty", "attachments"): pg.value("SELECT pg_total_relation_size('toasty.attachments')")}
            pg.sql("ANALYZE toasty.attachments")
    finally:
        pg.sql("DROP SCHEMA toasty CASCADE")


def test_a_schema_without_usage_is_an_item_that_is_skipped(check, pg):
    pg.sql("CREATE SCHEMA closed; CREATE TABLE closed.orders (id int); GRANT SELECT ON closed.orders TO runbook_exporter")
    try:
        daemon = check(groups=["row_counts"], tables=["closed.orders", "shop.orders"])
        found = scrape(daemon)
        assert named(found, "table_rows") == {("shop", "orders"): 500}
        assert success(found) == {"row_counts": 0}
        assert value(found, "runbook_check_items_skipped", check="pg", reason="unreadable") == 1
        line, = logged(daemon, "Items of the check were skipped")
        assert "row_counts: closed.orders: permission denied for schema closed" in line
        pg.sql("GRANT USAGE ON SCHEMA closed TO runbook_exporter")
        found = scrape(daemon)
        assert success(found) == {"row_counts": 1} and named(found, "table_rows")["closed", "orders"] == 0
        assert value(found, "runbook_check_items_skipped", check="pg", reason="unreadable") is None
    finally:
        pg.sql("DROP SCHEMA closed CASCADE")


def test_what_shadows_the_catalogue_is_not_asked(check, pg):
    """A role whose search_path puts another schema first: what is built in means pg_catalog's all the same."""
    pg.sql("CREATE ROLE astray LOGIN; GRANT pg_monitor TO astray; CREATE SCHEMA shadow; GRANT USAGE ON SCHEMA shadow TO astray;"
           "CREATE VIEW shadow.pg_database AS SELECT 0::oid AS oid, 'lie'::name AS datname, true AS datallowconn,"
           " false AS datistemplate, 0::oid AS datid; GRANT SELECT ON shadow.pg_database TO astray;"
           "CREATE TABLE shadow.pg_class (oid oid, relname name); GRANT SELECT ON shadow.pg_class TO astray;"
           "CREATE FUNCTION shadow.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''666''';"
           "CREATE FUNCTION shadow.pg_has_role(name, text) RETURNS bool LANGUAGE sql AS 'SELECT false';"
           "CREATE TABLE shadow.things (id int); INSERT INTO shadow.things VALUES (1); CREATE TABLE public.things (id int);"
           "GRANT SELECT ON shadow.things, public.things TO astray; ANALYZE shadow.things;"
           "ALTER ROLE astray SET search_path = shadow, public, pg_catalog")
    try:
        groups = [name for name in ALL if name != "slow_statements"]
        found = scrape(check(dsn=pg.dsn(user="astray"), groups=groups, tables=["things"]))
        assert ready(found) == (1, 1) and set(success(found).values()) == {1}
        assert list(named(found, "info")) == [(pg.value("SHOW server_version").split()[0],)]
        assert named(found, "max_connections") == {(): 100}
        assert ("mcp",) in named(found, "database_size_bytes") and ("lie",) not in named(found, "database_size_bytes")
        assert named(found, "table_size_bytes")[("shop", "orders")] > 0
        # A name of the operator's means what the role would find by it.
        assert named(found, "table_rows") == named(found, "table_estimated_rows") == {("shadow", "things"): 1}
    finally:
        pg.sql("DROP SCHEMA shadow CASCADE; DROP TABLE public.things; DROP ROLE astray")


class Tapped:
    """A way to the server which counts how often it says that it is ready for the next question."""

    def __init__(self, port):
        self.port, self.ready = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                threading.Thread(target=self.carry, args=(client, server), daemon=True).start()
                threading.Thread(target=self.answers, args=(server, client), daemon=True).start()

    @staticmethod
    def carry(source, sink):
        with contextlib.suppress(OSError), source, sink:
            while data := source.recv(65536):
                sink.sendall(data)

    def answers(self, server, client):
        with contextlib.suppress(OSError, ValueError), server, client, server.makefile("rb") as messages:
            while head := messages.read(5):
                body = messages.read(int.from_bytes(head[1:], "big") - 4)
                self.ready += head[:1] == b"Z"
                client.sendall(head + body)


def test_a_group_is_one_round_trip(check, pg):
    """Its transaction and the settings of that go along with it, also with a statement of the operator's."""
    tapped = Tapped(pg.port)
    with contextlib.closing(tapped.listener):
        daemon = check(dsn=f"host=127.0.0.1 port={tapped.address[1]} dbname=mcp user=runbook_exporter sslmode=disable",
                       groups=["server", "connections"], query="SELECT 1 AS one",
                       metrics=[{"name": "t_one", "value": "one"}])
        assert ready(scrape(daemon)) == (1, 1)
        before = tapped.ready
        assert ready(scrape(daemon)) == (1, 1)
        assert tapped.ready - before == 3


def test_how_the_groups_fared_is_not_cut_off_by_max_series(exporter, pg):
    daemon = exporter([{"name": "pg", "max_series": 5, "postgres": {
        "dsn": pg.dsn(user="runbook_exporter"), "groups": ["server", "vacuum"], "query": "SELECT 1 AS one",
        "metrics": [{"name": "t_one", "value": "one"}]}}])
    found = scrape(daemon)
    assert ready(found) == (1, 1) and success(found) == {"server": 1, "vacuum": 1, "query": 1}
    assert value(found, "runbook_check_dropped_series", check="pg") > 0


def test_every_group_can_be_measured_on_a_standby(check, standby):
    groups = [name for name in ALL if name != "slow_statements"]
    daemon = check(dsn=standby.dsn(user="runbook_exporter"), groups=groups, tables=["shop.orders"], databases=["*"],
                   exclude_databases=["postgres"])
    found = scrape(daemon)
    assert ready(found) == (1, 1), daemon.page("/")
    assert success(found) == dict.fromkeys(groups, 1)
    assert value(found, "runbook_postgres_table_rows", check="pg", schema="shop", table="orders", database="mcp") == 500
    promtool(found.page)


def test_a_certificate_is_held_against_the_name_that_was_looked_up(check, pg, workspace):
    """libpq gets addresses beside the names, and still wants `localhost` of the certificate, not 127.0.0.1."""
    certificate, key = Authority(workspace.directory / "pg-tls").issue("localhost", sans="DNS:localhost")
    private = pg.directory / "server.key"
    shutil.copy(key, private)
    private.chmod(0o600)
    if pg.user:
        shutil.chown(private, pg.user, pg.user)
    shutil.copy(certificate, pg.directory / "server.pem")
    settings = {"ssl_cert_file": str(pg.directory / "server.pem"), "ssl_key_file": str(private), "ssl": "on"}
    dsn = "host={} port=%d dbname=mcp user=runbook_exporter sslmode=verify-full sslrootcert=%s" % (
        pg.port, workspace.directory / "pg-tls" / "lab-ca.pem")
    try:
        for name, setting in settings.items():
            pg.sql(f"ALTER SYSTEM SET {name} = '{setting}'")
        pg.sql("SELECT pg_reload_conf()")
        pg.wait_value("SHOW ssl", "on")
        query = {"query": "SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
                 "metrics": [{"name": "t_encrypted", "value": "encrypted"}]}
        daemon = check(dsn=dsn.format("localhost"), **query)
        assert value(scrape(daemon), "t_encrypted", check="pg") == 1, daemon.page("/")
        # What is encrypted is counted as well: one huge value is given up.
        daemon = check(dsn=dsn.format("localhost"), query="SELECT repeat('x', 100 * 1000 * 1000) AS name, 1 AS n",
                       metrics=[{"name": "t_huge", "value": "n", "labels": ["name"]}])
        assert success(scrape(daemon)) == {"query": 0}
        assert "the answer has more than 16 MiB" in daemon.page("/")
        daemon = check(dsn=dsn.format("127.0.0.1"), **query)
        assert ready(scrape(daemon)) == (0, 0)
        assert "does not match host name" in daemon.page("/")
    finally:
        for name in settings:
            pg.sql(f"ALTER SYSTEM RESET {name}")
        pg.sql("SELECT pg_reload_conf()")


def test_kind_3_a_row_or_column_that_is_no_number_costs_itself(check):
    found = scrape(check(groups=[], query="SELECT * FROM (VALUES ('many', 'a', 1), ('2', 'b', 2)) rows (v, name, w)", metrics=[
        {"name": "t_gone", "value": "x"}, {"name": "t_v", "value": "v", "labels": ["name"]},
        {"name": "t_w", "value": "w", "labels": ["name"]}]))
    assert [value(found, "t_v", check="pg", name=name) for name in "ab"] == [None, 2]
    assert [value(found, "t_w", check="pg", name=name) for name in "ab"] == [1, 2]
    assert value(found, "runbook_check_items_skipped", check="pg", reason="malformed") == 2
    assert value(found, "runbook_check_standing", check="pg", standing="unknown") == 1
