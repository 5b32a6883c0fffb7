/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of one database.
 *
 * But for what is run for each table, whose names the role's search_path finds, all of it runs with
 * pg_catalog as the only schema. A column `unseen` names what the role may not see.
 */
#ifndef EXPORTER_KINDS_POSTGRES_SQL_DATABASE_H
#define EXPORTER_KINDS_POSTGRES_SQL_DATABASE_H

/*
 * What a query must keep away from. Sizes and counts open relations, and whoever opens one that is locked
 * exclusively, or that somebody waits to lock so, waits in the same queue. A table is opened with its
 * indexes, its TOAST table and that one's index.
 */
#define WITH_LOCKED                                                                          \
        "WITH RECURSIVE locked AS MATERIALIZED ("                                            \
        " SELECT relation AS oid FROM pg_catalog.pg_locks WHERE locktype = 'relation'"       \
        " AND mode = 'AccessExclusiveLock'"                                                  \
        " AND database IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = "      \
        "pg_catalog.current_database()))),"                                                  \
        " touched AS MATERIALIZED (SELECT oid FROM locked UNION"                             \
        " SELECT indrelid FROM pg_catalog.pg_index JOIN locked ON locked.oid = indexrelid)," \
        " unusable AS MATERIALIZED (SELECT oid FROM touched UNION"                           \
        " SELECT c.oid FROM pg_catalog.pg_class c JOIN touched ON touched.oid = c.reltoastrelid)"

/*
 * To know its size a table is opened with all that belongs to it, which takes its time, and the session keeps
 * what it learns of each: 11 KB, so 550 MB of 50,000 tables. So only those are opened that are likely to be
 * among the largest: by their pages as of the last vacuum or analyze, and by their rows now, some 50 of which
 * make a page, or 4 of the pieces of what is kept in TOAST.
 */
#define TABLE_SIZES                                                                                      \
        WITH_LOCKED ", indexes AS (SELECT indrelid, sum(relpages) AS pages"                              \
                    " FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid GROUP BY 1),"             \
                    " candidates AS MATERIALIZED (SELECT c.oid, n.nspname, c.relname,"                   \
                    " c.oid IN (SELECT oid FROM unusable) AS unusable,"                                  \
                    " c.relpages::bigint + coalesce(t.relpages, 0) + coalesce(i.pages, 0)"               \
                    " + pg_stat_get_live_tuples(c.oid) / 50"                                             \
                    " + coalesce(pg_stat_get_live_tuples(t.oid), 0) / 4 "                                \
                    "AS pages"                                                                           \
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

/* A table is as old as its TOAST table, when that is older. System tables count as well; temporary ones are
 * their session's alone to vacuum. */
#define TABLE_AGES                                                                                    \
        "SELECT nspname AS schema, relname AS table, xids, multixacts, xids / least("                 \
        "current_setting('autovacuum_freeze_max_age')::float8, (SELECT option_value::float8"          \
        " FROM pg_options_to_table(reloptions) WHERE option_name = 'autovacuum_freeze_max_age')) AS " \
        "xid_ratio"                                                                                   \
        " FROM (SELECT n.nspname, c.relname, c.reloptions, c.oid,"                                    \
        " greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS xids,"                                \
        " greatest(mxid_age(c.relminmxid), mxid_age(t.relminmxid)) AS multixacts"                     \
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"                              \
        " LEFT JOIN pg_class t ON t.oid = c.reltoastrelid"                                            \
        " WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_(toast_)?temp_'"                        \
        " ORDER BY xids DESC, c.relpages DESC, c.oid LIMIT $1::int) AS oldest"

/*
 * An estimate by the server's own ones, which opens and locks nothing: how many pages the rows would take, by
 * the average widths of their columns, and how many there were when they were last counted. Padding between
 * columns is not known, nor how rows fit on the pages. Without the widths of all columns there is none.
 */
#define BLOAT                                                                                                \
        "WITH largest AS MATERIALIZED (SELECT c.oid, n.nspname, c.relname, c.relpages, c.reltuples, "        \
        "c.relnatts,"                                                                                        \
        " coalesce((SELECT option_value::float8 FROM pg_options_to_table(c.reloptions)"                      \
        " WHERE option_name = 'fillfactor'), 100) / 100 AS fill, current_setting('block_size')::float8 AS "  \
        "block"                                                                                              \
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"                                     \
        " WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"       \
        " AND c.relpages > 0 ORDER BY c.relpages DESC, c.oid LIMIT $1::int),"                                \
        " widths AS MATERIALIZED (SELECT l.oid, bool_and(s.attname IS NOT NULL) AS known,"                   \
        " row_security_active(l.oid) OR bool_or(NOT has_column_privilege(l.oid, a.attnum, 'SELECT')) AS "    \
        "hidden,"                                                                                            \
        " 28 + CASE WHEN max(s.null_frac) > 0 AND l.relnatts > 8 THEN (l.relnatts + 7) / 64 * 8 + 8 ELSE 0 " \
        "END"                                                                                                \
        " + 8 * ceil(sum((1 - s.null_frac) * s.avg_width) / 8) AS bytes"                                     \
        " FROM largest l JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum > 0 AND NOT a.attisdropped"  \
        " LEFT JOIN pg_stats s ON s.schemaname = l.nspname AND s.tablename = l.relname"                      \
        " AND s.attname = a.attname AND NOT s.inherited GROUP BY l.oid, l.relnatts),"                        \
        " estimates AS (SELECT l.*, w.hidden, CASE WHEN w.known AND NOT w.hidden AND l.reltuples >= 0 THEN"  \
        " greatest(0, l.relpages - ceil(l.reltuples / greatest(1, floor((l.block - 24) * l.fill / "          \
        "w.bytes)))) END"                                                                                    \
        " AS spare FROM largest l JOIN widths w USING (oid))"                                                \
        " SELECT nspname AS schema, relname AS table, spare * block AS bytes, spare / relpages AS ratio,"    \
        " CASE WHEN hidden THEN 'the statistics of ' || nspname || '.' || relname END AS unseen FROM "       \
        "estimates"                                                                                          \
        " ORDER BY relpages DESC, oid"

/* A name that is not there is an error. The server counts by a text of its own making, names quoted by it. A
 * partitioned table is opened with all its parts. */
#define ROW_COUNTS                                                                                           \
        WITH_LOCKED ", uncountable AS (SELECT oid FROM unusable UNION"                                       \
                    " SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN uncountable u ON u.oid = "       \
                    "i.inhrelid),"                                                                           \
                    " wanted AS MATERIALIZED (SELECT c.oid, n.nspname, c.relname,"                           \
                    " c.oid IN (SELECT oid FROM uncountable) AS unusable FROM pg_catalog.pg_class c"         \
                    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "               \
                    "$1::pg_catalog.text::pg_catalog.regclass)"                                              \
                    " SELECT oid, nspname AS schema, relname AS table, CASE WHEN NOT unusable THEN"          \
                    " substring(pg_catalog.query_to_xml(pg_catalog.format('SELECT pg_catalog.count(*) AS n " \
                    "FROM %I.%I', nspname, relname),"                                                        \
                    " false, true, '')::pg_catalog.text FROM '<n>([0-9]+)</n>') END AS rows, unusable::int " \
                    "AS skipped"                                                                             \
                    " FROM wanted"

/* -1 is unknown; until PostgreSQL 13 that was 0, as for an empty table. */
#define ROW_ESTIMATES                                                                                        \
        "SELECT c.oid, n.nspname AS schema, c.relname AS table,"                                             \
        " CASE WHEN c.reltuples > 0 OR c.reltuples = 0"                                                      \
        " AND pg_catalog.current_setting('server_version_num')::int >= 140000 THEN c.reltuples END AS rows," \
        " NULL::int AS skipped FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "        \
        "c.relnamespace"                                                                                     \
        " WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass"

#endif
