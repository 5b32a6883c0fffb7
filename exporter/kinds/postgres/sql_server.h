/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of a whole server, whichever database the connection leads to.
 *
 * All of it runs with pg_catalog as the only schema. The views of pg_stat_activity and its like join the
 * names of roles and databases to what their functions say, and planning that costs more than all the rest:
 * so the functions are asked. They hide the same from who may not see it. A column `unseen` names what was
 * hidden.
 */
#ifndef EXPORTER_KINDS_POSTGRES_SQL_SERVER_H
#define EXPORTER_KINDS_POSTGRES_SQL_SERVER_H

#define SERVER                                                                                \
        "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, 1 AS info," \
        " extract(epoch FROM pg_postmaster_start_time()) AS start"

/* backend_type is hidden with the state. */
#define CONNECTIONS                                                                                         \
        "SELECT d.datname AS database, coalesce(a.state, 'unknown') AS state, count(*) AS connections,"     \
        " CASE WHEN row_number() OVER () = 1 THEN current_setting('max_connections')::int END AS "          \
        "max_connections,"                                                                                  \
        " CASE WHEN a.state IS NULL THEN 'what sessions of others do in ' || d.datname END AS unseen"       \
        " FROM pg_stat_get_activity(NULL) a JOIN pg_database d ON d.oid = a.datid"                          \
        " WHERE coalesce(a.backend_type, 'client backend') = 'client backend' GROUP BY d.datname, a.state " \
        "ORDER BY 1, 2"

#define LONG_RUNNING                                                                                     \
        "SELECT d.datname AS database,"                                                                  \
        " count(a.pid) FILTER (WHERE a.state = 'active'"                                                 \
        " AND clock_timestamp() - a.query_start > $1::float8 * interval '1s') AS long_running,"          \
        " count(a.pid) FILTER (WHERE a.state LIKE 'idle in transaction%'"                                \
        " AND clock_timestamp() - a.query_start > $1::float8 * interval '1s') AS idle_transactions,"     \
        " coalesce(max(extract(epoch FROM clock_timestamp() - a.query_start))"                           \
        " FILTER (WHERE a.state = 'active'), 0) AS longest,"                                             \
        " coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0) AS longest_transaction" \
        " FROM pg_database d LEFT JOIN pg_stat_get_activity(NULL) a ON a.datid = d.oid"                  \
        " AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"                           \
        " WHERE d.datallowconn AND NOT d.datistemplate GROUP BY 1 ORDER BY 1"

/*
 * What was received is asked for before what was replayed, so that WAL that comes in meanwhile is not taken
 * for a lag. On an idle primary nothing is replayed and the age of the last transaction grows: that is no lag
 * while the standby streams and has replayed everything. A standby that is cut off before its first
 * transaction knows only the checkpoint that it began from or replayed since. A replica that hangs reports no
 * lag, so that how long it has been silent is told for as long as it lacks something. What is known to be
 * none, for want of a replica or because this is no standby, is 0.
 */
#define REPLICATION                                                                                         \
        "WITH me AS MATERIALIZED (SELECT pg_is_in_recovery() AS standby,"                                   \
        " pg_last_wal_receive_lsn() AS received, CASE WHEN pg_is_in_recovery()"                             \
        " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn),"                             \
        " receiver AS MATERIALIZED (SELECT status = 'streaming' AS streaming, last_msg_receipt_time"        \
        " FROM pg_stat_get_wal_receiver() WHERE pid IS NOT NULL),"                                          \
        " replicas AS MATERIALIZED (SELECT a.application_name, host(a.client_addr) AS address, s.stage,"    \
        " w.state = 'streaming' AS streams,"                                                                \
        " CASE WHEN s.lsn >= me.lsn THEN coalesce(extract(epoch FROM s.lag)::float8, 0)"                    \
        " ELSE greatest(extract(epoch FROM s.lag)::float8,"                                                 \
        " extract(epoch FROM clock_timestamp() - coalesce(w.reply_time, a.backend_start))::float8) END AS " \
        "lag,"                                                                                              \
        " CASE WHEN s.lsn IS NOT NULL THEN greatest(pg_wal_lsn_diff(me.lsn, s.lsn), 0) END AS lag_bytes"    \
        " FROM me, pg_stat_get_wal_senders() w JOIN pg_stat_get_activity(NULL) a ON a.pid = w.pid,"         \
        " LATERAL (VALUES ('write', w.write_lag, w.write_lsn),"                                             \
        " ('flush', w.flush_lag, w.flush_lsn), ('replay', w.replay_lag, w.replay_lsn)) AS s (stage, lag, "  \
        "lsn)"                                                                                              \
        " WHERE w.state IS DISTINCT FROM 'backup')"                                                         \
        " SELECT NULL::text AS replica, NULL::text AS address, NULL::text AS stage,"                        \
        " standby AS in_recovery, CASE WHEN NOT standby OR streaming AND received <= lsn THEN 0"            \
        " ELSE extract(epoch FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(),"            \
        " CASE WHEN streaming IS NOT TRUE THEN (SELECT checkpoint_time FROM pg_control_checkpoint()) END))" \
        " END AS lag,"                                                                                      \
        " CASE WHEN NOT standby THEN 0 WHEN received IS NOT NULL"                                           \
        " THEN greatest(pg_wal_lsn_diff(received, lsn), 0) END AS lag_bytes,"                               \
        " CASE WHEN standby THEN coalesce(streaming, false) END AS streaming,"                              \
        " standby AND streaming IS NOT TRUE AS cut_off,"                                                    \
        " CASE WHEN standby THEN extract(epoch FROM last_msg_receipt_time) END AS last_message,"            \
        " (SELECT count(*) FROM replicas WHERE streams AND stage = 'write') AS replicas,"                   \
        " coalesce((SELECT max(lag) FROM replicas), 0) AS largest_lag,"                                     \
        " NULL::float8 AS replica_lag, NULL::numeric AS replica_lag_bytes"                                  \
        " FROM me LEFT JOIN receiver ON true UNION ALL"                                                     \
        " SELECT application_name, address, stage, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"         \
        " max(lag), max(lag_bytes) FROM replicas GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"

/* Of one that was given up nothing is kept any more. */
#define REPLICATION_SLOTS                                                                            \
        "WITH slots AS MATERIALIZED (SELECT slot_name, slot_type, active,"                           \
        " CASE WHEN restart_lsn IS NOT NULL THEN greatest(0, pg_wal_lsn_diff("                       \
        "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END," \
        " restart_lsn)) END AS retained FROM pg_get_replication_slots())"                            \
        " SELECT slot_name AS slot, slot_type AS kind, active, retained, NULL::bigint AS unread,"    \
        " NULL::numeric AS most FROM slots UNION ALL SELECT NULL, NULL, NULL, NULL,"                 \
        " count(*) FILTER (WHERE NOT active), coalesce(max(retained), 0) FROM slots ORDER BY 1"

#define WAL_SIZE "SELECT sum(size) AS bytes FROM pg_ls_waldir()"

#define DATABASE_SIZES                                                                                   \
        "SELECT datname AS database, CASE WHEN visible THEN pg_database_size(oid) END AS bytes,"         \
        " CASE WHEN NOT visible THEN 'the size of ' || datname END AS unseen FROM (SELECT oid, datname," \
        " pg_has_role('pg_read_all_stats'::name, 'USAGE') OR has_database_privilege(oid, 'CONNECT') AS " \
        "visible"                                                                                        \
        " FROM pg_database WHERE datallowconn AND NOT datistemplate) d ORDER BY 1"

/* Templates too: whichever database is the oldest stops the server. */
#define TRANSACTION_IDS                                                                              \
        "SELECT datname AS database, age(datfrozenxid) AS xids, mxid_age(datminmxid) AS multixacts," \
        " age(datfrozenxid) / current_setting('autovacuum_freeze_max_age')::float8 AS xid_ratio,"    \
        " mxid_age(datminmxid) / current_setting('autovacuum_multixact_freeze_max_age')::float8 AS " \
        "multixact_ratio"                                                                            \
        " FROM pg_database ORDER BY 1"

/* A replica's is that of its WAL sender, which has it by hot_standby_feedback without a slot. */
#define XMIN_HOLDERS                                                                                       \
        "SELECT 'session' AS holder, coalesce(max(greatest(age(backend_xmin), age(backend_xid)))"          \
        " FILTER (WHERE backend_type <> 'walsender'), 0) AS age"                                           \
        " FROM pg_stat_get_activity(NULL) WHERE pid <> pg_backend_pid() UNION ALL"                         \
        " SELECT 'replica', coalesce(max(age(backend_xmin)) FILTER (WHERE backend_type = 'walsender'), 0)" \
        " FROM pg_stat_get_activity(NULL) UNION ALL"                                                       \
        " SELECT 'slot', coalesce(max(greatest(age(xmin), age(catalog_xmin))), 0) FROM "                   \
        "pg_get_replication_slots()"                                                                       \
        " UNION ALL SELECT 'prepared_transaction', coalesce(max(age(transaction)), 0) FROM "               \
        "pg_prepared_xact()"

/* A column that the server does not have yet, as those of sessions before 14, is NULL by way of JSON. */
#define DATABASE_STATISTICS                                                                                  \
        "SELECT s.datname AS database, s.deadlocks, s.conflicts, s.temp_bytes, s.temp_files,"                \
        " s.xact_commit AS commits, s.xact_rollback AS rollbacks, j->>'checksum_failures' AS "               \
        "checksum_failures,"                                                                                 \
        " j->>'sessions' AS sessions, j->>'sessions_abandoned' AS abandoned, j->>'sessions_fatal' AS fatal," \
        " j->>'sessions_killed' AS killed FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid,"    \
        " LATERAL (SELECT to_jsonb(s) AS j) AS more WHERE d.datallowconn AND NOT d.datistemplate ORDER BY 1"

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

#endif
