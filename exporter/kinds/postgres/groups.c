/* SPDX-License-Identifier: Apache-2.0 */
/* The groups: their queries, and what the columns mean. */
#include "exporter/kinds/postgres/groups.h"

POSTGRES_FAMILIES(DEFINE_SHARED_FAMILY)

#define FAMILIES(X)                                                                                        \
        X(info, INFO, "runbook_postgres_info", NULL, "The version of the server.")                         \
        X(start, GAUGE, "runbook_postgres_start_timestamp_seconds", "seconds",                             \
          "When the server was started.")                                                                  \
        X(connections, GAUGE, "runbook_postgres_connections", NULL,                                        \
          "Client connections by database and state; without pg_monitor the state of others is unknown.")  \
        X(max_connections, GAUGE, "runbook_postgres_max_connections", NULL,                                \
          "How many connections the server takes.")                                                        \
        X(long_running, GAUGE, "runbook_postgres_long_running_queries", NULL,                              \
          "Queries that have been active for longer than the check's long_running.")                       \
        X(longest, GAUGE, "runbook_postgres_longest_query_seconds", "seconds",                             \
          "For how long the oldest active query has been running; 0: none is.")                            \
        X(longest_transaction, GAUGE, "runbook_postgres_longest_transaction_seconds", "seconds",           \
          "For how long the oldest transaction has been open, idle ones too; 0: none is.")                 \
        X(idle_transactions, GAUGE, "runbook_postgres_long_idle_in_transaction", NULL,                     \
          "Sessions that idle in a transaction and began their last query longer ago than long_running.")  \
        X(in_recovery, GAUGE, "runbook_postgres_in_recovery", NULL,                                        \
          "Whether the server is a standby: 1, or a primary: 0.")                                          \
        X(lag, GAUGE, "runbook_postgres_replication_lag_seconds", "seconds",                               \
          "On a standby, how old what it replayed last is, a transaction or else, when it is cut off, a "  \
          "checkpoint; 0 when it streams and has replayed all it received.")                               \
        X(lag_bytes, GAUGE, "runbook_postgres_replication_lag_bytes", "bytes",                             \
          "On a standby, the WAL that it has received and not yet replayed.")                              \
        X(streaming, GAUGE, "runbook_postgres_wal_receiver_streaming", NULL,                               \
          "On a standby, whether it streams WAL from its primary.")                                        \
        X(last_message, GAUGE, "runbook_postgres_wal_receiver_last_message_timestamp_seconds", "seconds",  \
          "On a standby, when its primary was last heard of.")                                             \
        X(replica_lag, GAUGE, "runbook_postgres_replica_lag_seconds", "seconds",                           \
          "How long the replica took lately to write, flush and replay WAL, or has been silent with some " \
          "of it missing; 0 when it has all of it.")                                                       \
        X(replica_lag_bytes, GAUGE, "runbook_postgres_replica_lag_bytes", "bytes",                         \
          "The WAL that the replica has not yet written, flushed and replayed.")                           \
        X(slot_active, GAUGE, "runbook_postgres_replication_slot_active", NULL,                            \
          "Whether somebody reads from the replication slot.")                                             \
        X(slot_retained, GAUGE, "runbook_postgres_replication_slot_retained_bytes", "bytes",               \
          "The WAL that the server keeps for the replication slot.")                                       \
        X(wal_size, GAUGE, "runbook_postgres_wal_size_bytes", "bytes",                                     \
          "The size of all WAL files of the server.")                                                      \
        X(database_size, GAUGE, "runbook_postgres_database_size_bytes", "bytes",                           \
          "The size of the database.")                                                                     \
        X(table_size, GAUGE, "runbook_postgres_table_size_bytes", "bytes",                                 \
          "The size of one of the largest tables, with its indexes and TOAST.")                            \
        X(table_indexes_size, GAUGE, "runbook_postgres_table_indexes_size_bytes", "bytes",                 \
          "The size of all indexes of one of the largest tables.")                                         \
        X(index_scans, COUNTER, "runbook_postgres_index_scans_total", NULL,                                \
          "Scans of one of the least used indexes since the statistics were reset.")                       \
        X(index_size, GAUGE, "runbook_postgres_index_size_bytes", "bytes",                                 \
          "The size of one of the least used indexes.")                                                    \
        X(dead_rows, GAUGE, "runbook_postgres_table_dead_rows", NULL,                                      \
          "Dead rows, as estimated by the server, of one of the tables with the most of them.")            \
        X(live_rows, GAUGE, "runbook_postgres_table_live_rows", NULL,                                      \
          "Live rows, as estimated by the server, of one of the tables with the most dead ones.")          \
        X(last_vacuum, GAUGE, "runbook_postgres_table_last_vacuum_timestamp_seconds", "seconds",           \
          "When the table was last vacuumed by hand.")                                                     \
        X(last_autovacuum, GAUGE, "runbook_postgres_table_last_autovacuum_timestamp_seconds", "seconds",   \
          "When the table was last vacuumed by autovacuum.")                                               \
        X(last_analyze, GAUGE, "runbook_postgres_table_last_analyze_timestamp_seconds", "seconds",         \
          "When the table was last analyzed by hand.")                                                     \
        X(last_autoanalyze, GAUGE, "runbook_postgres_table_last_autoanalyze_timestamp_seconds", "seconds", \
          "When the table was last analyzed by autovacuum.")                                               \
        X(statement_mean, GAUGE, "runbook_postgres_statement_mean_seconds", "seconds",                     \
          "How long the slow statement takes on average since the statistics were reset.")                 \
        X(statement_seconds, COUNTER, "runbook_postgres_statement_seconds_total", "seconds",               \
          "How long the slow statement took all in all since the statistics were reset.")                  \
        X(statement_calls, COUNTER, "runbook_postgres_statement_calls_total", NULL,                        \
          "How often the slow statement was run since the statistics were reset.")                         \
        X(statement_info, INFO, "runbook_postgres_statement_info", NULL,                                   \
          "The text of the slow statement, as far as statement_text allows it.")                           \
        X(table_rows, GAUGE, "runbook_postgres_table_rows", NULL, "The rows of the table, counted.")       \
        X(estimated_rows, GAUGE, "runbook_postgres_table_estimated_rows", NULL,                            \
          "The rows of the table as the planner estimates them, as of its last vacuum or analyze.")

FAMILIES(DEFINE_FAMILY)
const struct metric_family *const postgres_families[] = {POSTGRES_FAMILIES(FAMILY_ADDRESS)
                                                                 FAMILIES(FAMILY_ADDRESS) NULL};

/*
 * What a query must keep away from. Sizes and counts open relations, and whoever opens one that is locked
 * exclusively, or that somebody waits to lock so, waits in the same queue. A table is opened with its
 * indexes, its TOAST table and that one's index.
 */
#define WITH_LOCKED                                                                                \
        "WITH RECURSIVE locked AS MATERIALIZED ("                                                  \
        " SELECT relation AS oid FROM pg_locks WHERE locktype = 'relation'"                        \
        " AND mode = 'AccessExclusiveLock'"                                                        \
        " AND database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))," \
        " touched AS MATERIALIZED (SELECT oid FROM locked UNION"                                   \
        " SELECT indrelid FROM pg_index JOIN locked ON locked.oid = indexrelid),"                  \
        " unusable AS MATERIALIZED (SELECT oid FROM touched UNION"                                 \
        " SELECT c.oid FROM pg_class c JOIN touched ON touched.oid = c.reltoastrelid)"

#define SERVER                                                                                \
        "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, 1 AS info," \
        " extract(epoch FROM pg_postmaster_start_time()) AS start"

/* backend_type is hidden with the state. */
#define CONNECTIONS                                                                                  \
        "SELECT datname AS database, coalesce(state, 'unknown') AS state, count(*) AS connections,"  \
        " NULL::int AS max_connections FROM pg_stat_activity"                                        \
        " WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'" \
        " GROUP BY 1, 2 UNION ALL"                                                                   \
        " SELECT NULL, NULL, NULL, current_setting('max_connections')::int ORDER BY 1, 2"

#define LONG_RUNNING                                                                                     \
        "SELECT d.datname AS database,"                                                                  \
        " count(a.pid) FILTER (WHERE a.state = 'active'"                                                 \
        " AND clock_timestamp() - a.query_start > $1::float8 * interval '1s') AS long_running,"          \
        " count(a.pid) FILTER (WHERE a.state LIKE 'idle in transaction%'"                                \
        " AND clock_timestamp() - a.query_start > $1::float8 * interval '1s') AS idle_transactions,"     \
        " coalesce(max(extract(epoch FROM clock_timestamp() - a.query_start))"                           \
        " FILTER (WHERE a.state = 'active'), 0) AS longest,"                                             \
        " coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0) AS longest_transaction" \
        " FROM pg_database d LEFT JOIN pg_stat_activity a ON a.datid = d.oid"                            \
        " AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"                           \
        " WHERE d.datallowconn AND NOT d.datistemplate GROUP BY 1 ORDER BY 1"

/*
 * What was received is asked for before what was replayed, so that WAL that comes in meanwhile is not taken
 * for a lag. On an idle primary nothing is replayed and the age of the last transaction grows: that is no lag
 * while the standby streams and has replayed everything. A standby that is cut off before its first
 * transaction knows only the checkpoint that it began from or replayed since. A replica that hangs reports no
 * lag, so that how long it has been silent is told for as long as it lacks something.
 */
#define REPLICATION                                                                                          \
        "WITH me AS MATERIALIZED (SELECT pg_is_in_recovery() AS standby,"                                    \
        " pg_last_wal_receive_lsn() AS received, CASE WHEN pg_is_in_recovery()"                              \
        " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn),"                              \
        " receiver AS MATERIALIZED ("                                                                        \
        " SELECT status = 'streaming' AS streaming, last_msg_receipt_time FROM pg_stat_wal_receiver)"        \
        " SELECT NULL::text AS replica, NULL::text AS address, NULL::text AS stage,"                         \
        " standby AS in_recovery, CASE WHEN NOT standby THEN NULL WHEN streaming AND received <= lsn THEN 0" \
        " ELSE extract(epoch FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(),"             \
        " CASE WHEN streaming IS NOT TRUE THEN (SELECT checkpoint_time FROM pg_control_checkpoint()) END))"  \
        " END AS lag,"                                                                                       \
        " CASE WHEN standby AND received IS NOT NULL"                                                        \
        " THEN greatest(pg_wal_lsn_diff(received, lsn), 0) END AS lag_bytes,"                                \
        " CASE WHEN standby THEN coalesce(streaming, false) END AS streaming,"                               \
        " CASE WHEN standby THEN extract(epoch FROM last_msg_receipt_time) END AS last_message,"             \
        " NULL::float8 AS replica_lag, NULL::numeric AS replica_lag_bytes"                                   \
        " FROM me LEFT JOIN receiver ON true UNION ALL"                                                      \
        " SELECT application_name, host(client_addr), s.stage, NULL, NULL, NULL, NULL, NULL,"                \
        " max(CASE WHEN s.lsn >= me.lsn THEN coalesce(extract(epoch FROM s.lag)::float8, 0)"                 \
        " ELSE greatest(extract(epoch FROM s.lag)::float8,"                                                  \
        " extract(epoch FROM clock_timestamp() - coalesce(r.reply_time, r.backend_start))::float8) END),"    \
        " max(CASE WHEN s.lsn IS NOT NULL THEN greatest(pg_wal_lsn_diff(me.lsn, s.lsn), 0) END)"             \
        " FROM me, pg_stat_replication r, LATERAL (VALUES ('write', r.write_lag, r.write_lsn),"              \
        " ('flush', r.flush_lag, r.flush_lsn), ('replay', r.replay_lag, r.replay_lsn)) AS s (stage, lag, "   \
        "lsn)"                                                                                               \
        " WHERE r.state IS DISTINCT FROM 'backup' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"

#define REPLICATION_SLOTS                                                                            \
        "SELECT slot_name AS slot, slot_type AS kind, active,"                                       \
        " CASE WHEN restart_lsn IS NOT NULL THEN greatest(0, pg_wal_lsn_diff("                       \
        "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END," \
        " restart_lsn)) END AS retained FROM pg_replication_slots ORDER BY 1"

#define WAL_SIZE "SELECT sum(size) AS bytes FROM pg_ls_waldir()"

#define DATABASE_SIZES                                                                          \
        "SELECT datname AS database, CASE WHEN pg_has_role('pg_read_all_stats'::name, 'USAGE')" \
        " OR has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS bytes"    \
        " FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1"

/*
 * To know its size a table is opened with all that belongs to it, which takes its time, and the session keeps
 * what it learns of each: 11 KB, so 550 MB of 50,000 tables. So only those are opened that are likely to be
 * among the largest: by their pages as of the last vacuum or analyze, and by their rows now, some 50 of which
 * make a page.
 */
#define TABLE_SIZES                                                                                      \
        WITH_LOCKED ", indexes AS (SELECT indrelid, sum(relpages) AS pages"                              \
                    " FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid GROUP BY 1),"             \
                    " candidates AS MATERIALIZED (SELECT c.oid, n.nspname, c.relname,"                   \
                    " c.oid IN (SELECT oid FROM unusable) AS unusable,"                                  \
                    " c.relpages::bigint + coalesce(t.relpages, 0) + coalesce(i.pages, 0)"               \
                    " + pg_stat_get_live_tuples(c.oid) / 50 AS pages"                                    \
                    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"                     \
                    " LEFT JOIN pg_class t ON t.oid = c.reltoastrelid"                                   \
                    " LEFT JOIN indexes i ON i.indrelid = c.oid WHERE c.relkind IN ('r', 'm')"           \
                    " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),"                   \
                    " likely AS MATERIALIZED (SELECT * FROM candidates WHERE NOT unusable"               \
                    " ORDER BY pages DESC, oid LIMIT greatest(200, 10 * $1::bigint)),"                   \
                    " largest AS MATERIALIZED (SELECT *, pg_total_relation_size(oid) AS bytes"           \
                    " FROM likely ORDER BY bytes DESC NULLS LAST, oid LIMIT $1::bigint)"                 \
                    " SELECT nspname AS schema, relname AS table, bytes,"                                \
                    " pg_indexes_size(oid) AS index_bytes, NULL::bigint AS skipped, NULL::text AS group" \
                    " FROM largest UNION ALL SELECT NULL, NULL, NULL, NULL,"                             \
                    " (SELECT count(*) FROM candidates WHERE unusable), 'table_sizes'"

/* Of those that are used alike, first the ones that could go: that guard nothing, and the largest. */
#define INDEX_USAGE                                                                                   \
        WITH_LOCKED ", candidates AS MATERIALIZED (SELECT s.*, c.relpages,"                           \
                    " CASE WHEN i.indisprimary THEN 'primary' WHEN i.indisexclusion THEN 'exclusion'" \
                    " WHEN i.indisunique THEN 'unique' ELSE 'plain' END AS kind,"                     \
                    " s.indexrelid IN (SELECT oid FROM locked)"                                       \
                    " OR s.relid IN (SELECT oid FROM unusable) AS unusable"                           \
                    " FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)"                 \
                    " JOIN pg_class c ON c.oid = s.indexrelid WHERE s.schemaname !~ '^pg_'),"         \
                    " least AS MATERIALIZED (SELECT * FROM candidates WHERE NOT unusable"             \
                    " ORDER BY idx_scan, kind <> 'plain', relpages DESC, indexrelid LIMIT $1::int)"   \
                    " SELECT schemaname AS schema, relname AS table, indexrelname AS index, kind,"    \
                    " idx_scan AS scans, pg_relation_size(indexrelid) AS bytes,"                      \
                    " NULL::bigint AS skipped, NULL::text AS group FROM least UNION ALL"              \
                    " SELECT NULL, NULL, NULL, NULL, NULL, NULL,"                                     \
                    " (SELECT count(*) FROM candidates WHERE unusable), 'index_usage'"

#define VACUUM                                                                                             \
        "SELECT schemaname AS schema, relname AS table, n_dead_tup AS dead, n_live_tup AS live,"           \
        " extract(epoch FROM last_vacuum) AS last_vacuum,"                                                 \
        " extract(epoch FROM last_autovacuum) AS last_autovacuum,"                                         \
        " extract(epoch FROM last_analyze) AS last_analyze,"                                               \
        " extract(epoch FROM last_autoanalyze) AS last_autoanalyze"                                        \
        " FROM pg_stat_user_tables WHERE schemaname !~ '^pg_' ORDER BY n_dead_tup DESC, n_live_tup DESC, " \
        "relid LIMIT $1::int"

/* The function behind the view, because it can leave the texts where they are. A statement may have a row for
 * calls from the top level and one for others. `total`: total_time until PostgreSQL 12, total_exec_time
 * since. */
#define SLOW_STATEMENTS(total)                                                                         \
        "SELECT s.queryid::text AS queryid, d.datname AS database, pg_get_userbyid(s.userid) AS user," \
        " sum(s.calls) AS calls, sum(s." total ") / 1000 AS seconds,"                                  \
        " sum(s." total ") / nullif(sum(s.calls), 0) / 1000 AS mean,"                                  \
        " CASE WHEN $3::bool THEN 1 END AS info, left(max(s.query), 120) AS query"                     \
        " FROM ${schema}.pg_stat_statements($3::bool) s LEFT JOIN pg_database d ON d.oid = s.dbid"     \
        " WHERE s.queryid IS NOT NULL GROUP BY 1, 2, 3"                                                \
        " HAVING sum(s." total ") / nullif(sum(s.calls), 0) > $1::float8 * 1000"                       \
        " ORDER BY mean DESC, 1, 2, 3 LIMIT $2::int"

/* A name that is not there is an error. The server counts by a text of its own making, names quoted by it. A
 * partitioned table is opened with all its parts. */
#define ROW_COUNTS                                                                                          \
        WITH_LOCKED ", uncountable AS (SELECT oid FROM unusable UNION"                                      \
                    " SELECT i.inhparent FROM pg_inherits i JOIN uncountable u ON u.oid = i.inhrelid),"     \
                    " wanted AS MATERIALIZED (SELECT c.oid, n.nspname, c.relname,"                          \
                    " c.oid IN (SELECT oid FROM uncountable) AS unusable FROM pg_class c"                   \
                    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::text::regclass)"      \
                    " SELECT oid, nspname AS schema, relname AS table, CASE WHEN NOT unusable THEN"         \
                    " substring(query_to_xml(format('SELECT count(*) AS n FROM %I.%I', nspname, relname),"  \
                    " false, true, '')::text FROM '<n>([0-9]+)</n>') END AS rows, unusable::int AS skipped" \
                    " FROM wanted"

/* -1 is unknown; until PostgreSQL 13 that was 0, as for an empty table. */
#define ROW_ESTIMATES                                                                             \
        "SELECT c.oid, n.nspname AS schema, c.relname AS table,"                                  \
        " CASE WHEN c.reltuples > 0 OR c.reltuples = 0"                                           \
        " AND current_setting('server_version_num')::int >= 140000 THEN c.reltuples END AS rows," \
        " NULL::int AS skipped FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"     \
        " WHERE c.oid = $1::text::regclass"

#define METRICS(...)                              \
        .metrics = (const struct column_metric[]) \
        {                                         \
                __VA_ARGS__,                      \
                {                                 \
                        0                         \
                }                                 \
        }
#define BARE(family_, column)                           \
        {                                               \
                .family = &(family_), .value = (column) \
        }
#define LABELED(family_, column, ...)                                               \
        {                                                                           \
                .family = &(family_), .value = (column), COLUMN_LABELS(__VA_ARGS__) \
        }
#define SKIPPED LABELED(postgres_skipped, "skipped", "group")

#define SLOW_STATEMENTS_METRICS                                                       \
        METRICS(LABELED(statement_calls, "calls", "queryid", "database", "user"),     \
                LABELED(statement_seconds, "seconds", "queryid", "database", "user"), \
                LABELED(statement_mean, "mean", "queryid", "database", "user"),       \
                LABELED(statement_info, "info", "queryid", "database", "user", "query"))

const struct postgres_group postgres_groups[] = {
        {.name = "server",
         .by_default = true,
         .sql = SERVER,
         METRICS(LABELED(info, "info", "version"), BARE(start, "start"))},
        {.name = "connections",
         .by_default = true,
         .sql = CONNECTIONS,
         METRICS(LABELED(connections, "connections", "database", "state"),
                 BARE(max_connections, "max_connections"))},
        {.name = "long_running_queries",
         .by_default = true,
         .monitor = true,
         .sql = LONG_RUNNING,
         .parameters = {PARAMETER_LONG_RUNNING},
         METRICS(LABELED(long_running, "long_running", "database"), LABELED(longest, "longest", "database"),
                 LABELED(idle_transactions, "idle_transactions", "database"),
                 LABELED(longest_transaction, "longest_transaction", "database"))},
        {.name = "replication",
         .by_default = true,
         .monitor = true,
         .sql = REPLICATION,
         METRICS(BARE(in_recovery, "in_recovery"), BARE(lag, "lag"), BARE(lag_bytes, "lag_bytes"),
                 BARE(streaming, "streaming"), BARE(last_message, "last_message"),
                 LABELED(replica_lag, "replica_lag", "replica", "address", "stage"),
                 LABELED(replica_lag_bytes, "replica_lag_bytes", "replica", "address", "stage"))},
        {.name = "replication_slots",
         .by_default = true,
         .sql = REPLICATION_SLOTS,
         METRICS(LABELED(slot_active, "active", "slot", "kind"),
                 LABELED(slot_retained, "retained", "slot", "kind"))},
        {.name = "wal_size", .monitor = true, .sql = WAL_SIZE, METRICS(BARE(wal_size, "bytes"))},
        {.name = "database_sizes",
         .sql = DATABASE_SIZES,
         METRICS(LABELED(database_size, "bytes", "database"))},
        {.name = "table_sizes",
         .sql = TABLE_SIZES,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(table_size, "bytes", "schema", "table"),
                 LABELED(table_indexes_size, "index_bytes", "schema", "table"), SKIPPED)},
        {.name = "index_usage",
         .sql = INDEX_USAGE,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(index_scans, "scans", "schema", "table", "index", "kind"),
                 LABELED(index_size, "bytes", "schema", "table", "index", "kind"), SKIPPED)},
        {.name = "vacuum",
         .sql = VACUUM,
         .parameters = {PARAMETER_TOP},
         METRICS(LABELED(dead_rows, "dead", "schema", "table"), LABELED(live_rows, "live", "schema", "table"),
                 LABELED(last_vacuum, "last_vacuum", "schema", "table"),
                 LABELED(last_autovacuum, "last_autovacuum", "schema", "table"),
                 LABELED(last_analyze, "last_analyze", "schema", "table"),
                 LABELED(last_autoanalyze, "last_autoanalyze", "schema", "table"))},
        {.name = "slow_statements",
         .monitor = true,
         .extension = "pg_stat_statements",
         .column = "total_exec_time",
         .sql = SLOW_STATEMENTS("total_exec_time"),
         .parameters = {PARAMETER_SLOW, PARAMETER_TOP, PARAMETER_STATEMENT_TEXT},
         SLOW_STATEMENTS_METRICS},
        {.name = "slow_statements",
         .monitor = true,
         .extension = "pg_stat_statements",
         .column = "total_time",
         .sql = SLOW_STATEMENTS("total_time"),
         .parameters = {PARAMETER_SLOW, PARAMETER_TOP, PARAMETER_STATEMENT_TEXT},
         SLOW_STATEMENTS_METRICS},
        {.name = "row_counts",
         .sql = ROW_COUNTS,
         .parameters = {PARAMETER_TABLE},
         METRICS(LABELED(table_rows, "rows", "schema", "table"))},
        {.name = "row_estimates",
         .sql = ROW_ESTIMATES,
         .parameters = {PARAMETER_TABLE},
         METRICS(LABELED(estimated_rows, "rows", "schema", "table"))},
        {0},
};

bool postgres_group_is_by_table(const struct postgres_group *group)
{
        return group->parameters[0] == PARAMETER_TABLE;
}
