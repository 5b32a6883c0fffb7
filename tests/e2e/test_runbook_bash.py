# SPDX-License-Identifier: Apache-2.0
"""The runbook's own bash beside the exporter on the same services, line by line and value by value.

LINES is the table: what the runbook runs (its words; only addresses differ), what Runbook says of the same, when both agree,
and where they do not, why. docs/runbooks.md tells an operator of each difference in the same words.
"""

import contextlib
import math
import re
import types

import psycopg2
import psycopg2.extras
import pytest

from lab.parts import ROOT, wait_for
from runbook_bash import Beside, is_close, size_of

GIB = 1024 ** 3
COMPOSE = "docker-compose -f docker-compose.production.yml"


def line(title, theirs, ours, agree, why=""):
    """`theirs` is bash, or a function of Beside; `why` is empty where the two say the same."""
    return types.SimpleNamespace(title=title, theirs=theirs, ours=ours, agree=agree, why=why)


def both_pass(theirs, ours):
    return "✓" in theirs and ours == "pass"


def health(port):
    return (f'if curl -s http://localhost:{port}/health | jq -r ".status" | grep -q "healthy"; then\n'
            '    echo "✓ PASS"\nelse\n    echo "✗ FAIL - Investigate immediately"\nfi')


def status(url):
    return f'curl -s -o /dev/null -w "%{{http_code}}" {url}'


def connections(beside):
    rows = dict(row.split("|") for row in beside.psql("SELECT datname, count(*) FROM pg_stat_activity GROUP BY datname;"))
    return int(rows["mcp"])


def table_sizes(beside):
    rows = beside.psql("SELECT schemaname AS table_schema, tablename AS table_name, "
                       "pg_size_pretty(pg_total_relation_size(schemaname||'.'||tablename)) AS size FROM pg_tables "
                       "ORDER BY pg_total_relation_size(schemaname||'.'||tablename) DESC LIMIT 20;")
    return dict(row.split("|")[1:] for row in rows if row.startswith("public|")), len(rows)


def our_table_sizes(beside):
    return {name: beside.psql(f"SELECT pg_size_pretty({size:.0f}::bigint)")[0]
            for name in ("contexts", "vector_embeddings", "api_keys")
            for size in beside.page("runbook_postgres_table_size_bytes", check="database", table=name)}


def container_memory(beside):
    rows = beside.bash('docker stats --no-stream --format "table {{.Container}}\\t{{.CPUPerc}}\\t{{.MemUsage}}"').splitlines()[1:]
    names = {row.split()[0]: row.split()[2] for row in rows}
    return {beside.bash(f"docker inspect --format '{{{{.Name}}}}' {name}").lstrip("/"): size_of(used)
            for name, used in names.items()}


def our_container_memory(beside):
    return {re.search(r'container="([^"]*)"', series)[1]: value
            for series, value in beside.row("runbook_docker_container_memory_usage_bytes").items()}


def database(beside):
    return [int(value) for value in beside.psql(
        "SELECT pg_database_size('mcp')/1024/1024 as size_mb, (SELECT count(*) FROM contexts) as context_count, "
        "(SELECT count(*) FROM vector_embeddings) as vector_count")[0].split("|")]


def our_database(beside):
    rows = beside.row("runbook_postgres_table_rows")
    return [beside.row("runbook_postgres_database_size_bytes")['{database="mcp"}'] // 1024 ** 2,
            *(next(value for series, value in rows.items() if f'"{table}"' in series)
              for table in ("contexts", "vector_embeddings"))]


def disk_percent(theirs, ours):
    """df rounds up; the verdicts are compared where rounding and inodes cannot matter."""
    percent = int(re.search(r"(\d+)%", theirs)[1])
    ratio, standing = ours
    verdicts = percent >= 79 or (("✓" in theirs) == (standing == "pass"))
    return abs(math.ceil(ratio * 100) - percent) <= 1 and verdicts


DISK = """DISK_USAGE=$(df -h / | awk 'NR==2 {print $5}' | sed 's/%//')
if [ $DISK_USAGE -lt 80 ]; then
    echo "✓ PASS (${DISK_USAGE}% used)"
else
    echo "✗ WARNING - Disk usage at ${DISK_USAGE}%"
fi"""
ERROR_RATE = """ERROR_RATE=$(curl -s http://localhost:9090/api/v1/query?query='rate(http_requests_total{status=~"5.."}[1h])' | jq -r '.data.result[0].value[1]')
if (( $(echo "$ERROR_RATE < 0.01" | bc -l) )); then
    echo "✓ PASS (${ERROR_RATE})"
else
    echo "✗ WARNING - Error rate: ${ERROR_RATE}"
fi"""
ERROR_RATE_5M = r"""ERROR_RATE=$(curl -s "http://localhost:9090/api/v1/query?query=rate(http_requests_total{status=~\"5..\"}[5m])" | jq -r '.data.result[0].value[1]' 2>/dev/null || echo "N/A")
if [ "$ERROR_RATE" != "N/A" ]; then
    echo "✓ Error Rate: ${ERROR_RATE}"
else
    echo "✗ Error Rate: Unable to fetch"
fi"""
LAG = """LAG=$(psql -h localhost -U mcp_user -d mcp -t -c "
    SELECT EXTRACT(EPOCH FROM (now() - pg_last_xact_replay_timestamp()))::INT
" 2>/dev/null || echo "N/A")
if [ "$LAG" != "N/A" ] && [ "$LAG" -lt 60 ]; then
    echo "✓ Replication Lag: ${LAG}s"
else
    echo "✗ Replication Lag: ${LAG}s (WARNING)"
fi"""
UNHEALTHY = f"""UNHEALTHY=$({COMPOSE} ps | grep -v "Up" | grep -v "State" | wc -l)
if [ $UNHEALTHY -eq 0 ]; then
    echo "✓ All containers running"
else
    echo "✗ Unhealthy containers:"
    {COMPOSE} ps | grep -v "Up" | grep -v "State"
fi"""
MONITORING = f"""if {COMPOSE} ps | grep -q prometheus; then
    echo "✓ Prometheus is running"
else
    echo "✗ Prometheus not configured"
fi"""

LINES = [
    line("Health of mcp-server", health(8080), lambda b: b.standing("mcp_server"), both_pass),
    line("Health of rest-api", health(8081), lambda b: b.standing("rest_api"), both_pass),
    line("`redis-cli ping`", 'if redis-cli ping | grep -q "PONG"; then echo "✓ PASS"; else echo "✗ FAIL"; fi',
         lambda b: b.standing("redis"), both_pass),
    line("`df -h /`", DISK, lambda b: (b.row("runbook_disk_used_ratio")['{mountpoint="/"}'], b.standing("disk")),
         disk_percent),
    line("Error rate of the last hour", ERROR_RATE, lambda b: b.standing("error_rate"),
         lambda theirs, ours: theirs.endswith("✗ WARNING - Error rate:") and ours == "pass",
         "curl takes the braces of the query for a pattern and asks nothing, so the runbook always warns, with no number; the "
         "check asks for the share of 5xx by service"),
    line("Connections by database", connections, lambda b: sum(b.page("runbook_postgres_connections", database="mcp")),
         lambda theirs, ours: theirs == ours + 1, "the runbook's own psql is one of those that it counts"),
    line("Table sizes", table_sizes, our_table_sizes,
         lambda theirs, ours: theirs[0] and theirs[0].items() <= ours.items() and len(theirs[0]) < theirs[1],
         "the runbook's 20 are mostly PostgreSQL's own catalogs; the check leaves those out"),
    line("Index usage", lambda b: b.psql("SELECT schemaname, tablename, indexname, idx_scan FROM pg_stat_user_indexes "
                                         "ORDER BY idx_scan LIMIT 20;"),
         lambda b: b.page("runbook_postgres_index_scans_total", check="database"),
         lambda theirs, ours: 'column "tablename" does not exist' in theirs[0] and ours,
         "there is no column `tablename` in that view, so the runbook's line is an error; the check measures each index"),
    line("`docker inspect … State.Health`", f"docker inspect $({COMPOSE} ps -q mcp-server) | jq -r '.[0].State.Health.Status'",
         lambda b: b.page("runbook_docker_container_healthy", service="mcp-server"),
         lambda theirs, ours: theirs == "healthy" and ours == [1]),
    line("Unhealthy containers", UNHEALTHY, lambda b: b.standing("services"),
         lambda theirs, ours: theirs.startswith("✗") and not re.search("mcp-server|rest-api|worker", theirs) and ours == "pass",
         "the runbook counts the line under the table's head as a container, so it is never satisfied; the check asks the Engine"),
    line("`/health` of mcp-server answers 200", status("http://localhost:8080/health"),
         lambda b: b.page("runbook_http_status_code", check="mcp_server"), lambda theirs, ours: [float(theirs)] == ours),
    line("`/health` of rest-api answers 200", status("http://localhost:8081/health"),
         lambda b: b.page("runbook_http_status_code", check="rest_api"), lambda theirs, ours: [float(theirs)] == ours),
    line("`pg_isready`", "pg_isready -h localhost -p 5432 > /dev/null 2>&1 && echo 1",
         lambda b: b.page("runbook_postgres_ready", check="postgres"), lambda theirs, ours: [float(theirs)] == ours),
    line("Replication lag, on a primary", LAG,
         lambda b: (b.page("runbook_postgres_replication_lag_seconds"), b.standing("postgres")),
         lambda theirs, ours: re.search(r"✗ Replication Lag: *s \(WARNING\)$", theirs) and set(ours[0]) == {0} and ours[1] == "pass",
         "a primary replays nothing: the runbook compares an empty word with 60 and warns; the check says 0"),
    line("Memory of Redis", "redis-cli info memory | grep used_memory_human | cut -d: -f2 | tr -d '\\r'",
         lambda b: b.one("runbook_redis_memory_used_bytes"), lambda theirs, ours: is_close(size_of(theirs), ours, 0.1)),
    line("Error rate of the last 5 minutes", ERROR_RATE_5M, lambda b: b.page("runbook_http_error_ratio_5m"),
         lambda theirs, ours: theirs == "✓ Error Rate:" and ours and set(ours) == {0},
         "curl asks nothing here either, and an empty answer is not `N/A`: the runbook passes with no number"),
    line("Whether Prometheus runs", MONITORING, lambda b: b.standing("prometheus"),
         lambda theirs, ours: theirs == "✗ Prometheus not configured" and ours == "pass",
         "the runbook looks for it in the Compose file; the check asks Prometheus itself, wherever it runs"),
    line("CPU cores", "nproc", lambda b: b.one("runbook_system_cpu_cores"), lambda theirs, ours: float(theirs) == ours),
    line("Total memory", "free -h | grep Mem | awk '{print $2}'", lambda b: b.one("runbook_system_memory_total_bytes"),
         lambda theirs, ours: abs(size_of(theirs) - ours) < GIB),
    line("Disk space available", "df -h / | tail -1 | awk '{print $4}'",
         lambda b: b.row("runbook_disk_available_bytes")['{mountpoint="/"}'],
         lambda theirs, ours: abs(size_of(theirs) - ours) < max(GIB, 0.1 * ours)),
    line("`docker stats`", container_memory, our_container_memory,
         lambda theirs, ours: ours and all(is_close(theirs[name], used, 0.3) for name, used in ours.items()),
         "the runbook lists every container of the Engine; the check those of the project"),
    line("Database size, contexts, vectors", database, our_database,
         lambda theirs, ours: all(is_close(one, other, 0.1) for one, other in zip(theirs, ours))),
    line("30-day projection", 'echo "- CPU: +15% expected"', lambda b: b.row("runbook_capacity_projected_cpu_used_ratio"),
         lambda theirs, ours: theirs == "- CPU: +15% expected" and ours == {},
         "the runbook prints fixed figures; the report reckons from the last 7 days, and says so when there is too little history"),
]


@pytest.fixture(scope="module")
def beside(lab, workspace):
    return Beside(lab, workspace.path("runbook-bash"))


def agree(beside, one):
    """Both are asked until they agree: services live, and neither looks at the very same moment."""
    last = []

    def holds():
        theirs = beside.bash(one.theirs) if isinstance(one.theirs, str) else one.theirs(beside)
        last[:] = [theirs, one.ours(beside)]
        return one.agree(*last)

    try:
        wait_for(holds, one.title, 30)
    except AssertionError as error:
        raise AssertionError(f"{one.title}: the runbook says {last and last[0]!r}, Runbook {last and last[-1]!r}; {error}") from None


@pytest.mark.parametrize("one", LINES, ids=lambda one: one.title)
def test_the_runbooks_bash_and_ours_say_the_same_or_it_is_explained(calm_lab, beside, one):  # pylint: disable=unused-argument
    agree(beside, one)


def test_the_page_for_operators_tells_each_difference():
    page = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
    missing = [row for row in (f"| {one.title} | {one.why} |" for one in [*LINES, *FAULTS] if one.why) if row not in page]
    assert not missing


@contextlib.contextmanager
def unhealthy(lab, beside):
    beside.fault("mcp-server", "kind=unhealthy")
    try:
        yield
    finally:
        beside.fault("mcp-server", "kind=none")
        wait_for(lambda: lab.compose.healthy("mcp-server"), "mcp-server to be healthy again", 60)


@contextlib.contextmanager
def keys_that_end(lab, _beside):
    """One has ended, one ends in three days, one in eight, and one has been revoked."""
    for name, days in (("ended", -1), ("soon", 3), ("later", 8), ("revoked", 1)):
        lab.postgres.sql("INSERT INTO api_keys (name, key_hash, expires_at, revoked_at) VALUES (%s, 'x', now() + %s * "
                         "interval '1 day', CASE WHEN %s = 'revoked' THEN now() END)", name, days, name)
    try:
        yield
    finally:
        lab.postgres.sql("DELETE FROM api_keys WHERE key_hash = 'x'")


@contextlib.contextmanager
def old_sessions(lab, _beside):
    """A query that runs, a transaction in which nothing happens, and a session that only waits."""
    sessions = [psycopg2.connect(lab.postgres.dsn(user="mcp_user")) for _ in range(2)]
    try:
        sessions[0].cursor().execute("SELECT 1")
        sessions[1].autocommit = True
        sessions[1].cursor().execute("SELECT 2")
        sessions.append(psycopg2.connect(lab.postgres.dsn(user="mcp_user"), async_=True))
        psycopg2.extras.wait_select(sessions[-1])
        sessions[-1].cursor().execute("SELECT pg_sleep(300) /* runs */")
        yield
    finally:
        lab.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(300) /* runs */'")
        for session in sessions:
            session.close()


def old_states(beside):
    """The runbook's query, with the lab's 3 seconds for its 5 minutes; the states are asked for beside."""
    return sorted(row.split("|")[0] for row in beside.psql(
        "SELECT state, pid, now() - pg_stat_activity.query_start AS duration, query FROM pg_stat_activity "
        "WHERE (now() - pg_stat_activity.query_start) > interval '3 seconds' AND usename = 'mcp_user'"))


FAULTS = [
    line("Health of an unhealthy mcp-server", health(8080), lambda b: b.standing("mcp_server"),
         lambda theirs, ours: theirs == "✓ PASS" and ours == "fail",
         "`grep healthy` finds it in `unhealthy`, so the runbook passes what has failed; the check compares the whole word"),
    line("API keys that expire",
         lambda b: {row.split("|")[0] for row in b.psql(
             "SELECT name, expires_at FROM api_keys WHERE expires_at < NOW() + INTERVAL '7 days' AND revoked_at IS NULL "
             "ORDER BY expires_at;")},
         lambda b: {re.search('name="([^"]*)"', value["series"])[1] for value in b.step("api_keys")["values"] if value["beyond"]},
         lambda theirs, ours: theirs == ours == {"ended", "soon"}),
    line("Queries of more than 5 minutes", old_states,
         lambda b: (b.page("runbook_postgres_long_running_queries", check="postgres"),
                    b.page("runbook_postgres_long_idle_in_transaction", check="postgres")),
         lambda theirs, ours: {"active", "idle", "idle in transaction"} <= set(theirs) and
         (sum(ours[0]), sum(ours[1])) == (theirs.count("active"), theirs.count("idle in transaction")),
         "the runbook lists sessions that are idle, too, for their last query began long ago; the check counts what runs, and what "
         "idles in a transaction"),
]
SETUPS = [unhealthy, keys_that_end, old_sessions]


@pytest.mark.parametrize("one, setup", zip(FAULTS, SETUPS), ids=[one.title for one in FAULTS])
def test_with_something_wrong_both_say_so_or_it_is_explained(calm_lab, beside, one, setup):
    with setup(calm_lab, beside):
        agree(beside, one)
