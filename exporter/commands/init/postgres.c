/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: whether it is there, what it may be asked, and which of its tables hold what expires. */
#include "runbook/postgres.h"

#include <errno.h>
#include <string.h>

#include "exporter/commands/init/internal.h"

#define TOPIC "PostgreSQL"
#define PATIENCE (4 * NSEC_PER_SEC)
#define TABLES_MAX 8
#define LOGIN "  dsn: \"$(dsn)\"\n"
/* A server that lets us in today without a password asks for none of the file either. */
#define PASSWORD                                                                                        \
        "  password_file: /etc/runbook/secrets/postgres  # put it there, readable by root alone; or\n"  \
        "                                                # \"${credential:postgres}\", handed over by " \
        "systemd\n"
#define SERVER                                                                                            \
        "  long_running: 5m\n"                                                                            \
        "warn:\n"                                                                                         \
        "  - runbook_postgres_replication_lag_seconds > 60s\n"                                            \
        "  - runbook_postgres_standby_cut_off == 1  # a standby that has lost its primary\n"              \
        "  - runbook_postgres_largest_replica_lag_seconds > 60s  # and the primary's side of it\n"        \
        "  - runbook_postgres_unread_replication_slots > 0  # nobody reads from them, and WAL piles up\n" \
        "  - runbook_postgres_largest_replication_slot_retained_bytes > 10GiB\n"                          \
        "  - runbook_postgres_long_running_queries > 0\n"                                                 \
        "  - runbook_postgres_long_idle_in_transaction > 0\n"                                             \
        "fail: sum(runbook_postgres_connections) / max(runbook_postgres_max_connections) > 90%\n"
#define ADVICE "advice: Find the oldest queries and who holds the connections\n"

static const struct check_row server = {TOPIC, "postgres", "PostgreSQL", ADVICE "postgres:\n" LOGIN SERVER,
                                        NEEDS_ANSWER};
static const struct check_row locked_server = {TOPIC, "postgres", "PostgreSQL",
                                               ADVICE "postgres:\n" LOGIN PASSWORD SERVER, NEEDS_NOTHING};
static const struct check_row database = {
        TOPIC, "database", "Database",
        "advice: Look at the tables, indexes and statements that the metrics name\n"
        "cache: 5m  # sizes and counts cost the server something\n"
        "timeout: 10s\n"
        "postgres:\n" LOGIN "  groups: [database_sizes, table_sizes, index_usage, vacuum$(statements)]\n"
        "  slow: 100ms\n"
        "  top: 20\n",
        NEEDS_ANSWER};

/* What expires: a table with a name and a time at which that is over. */
#define EXPIRIES(column, metric)                                                                           \
        "advice: Renew or revoke what is about to expire\n"                                                \
        "cache: 5m\n"                                                                                      \
        "postgres:\n" LOGIN "  query: |\n"                                                                 \
        "    SELECT $(name) AS name, EXTRACT(EPOCH FROM $(expires))::float8 AS expires" column "\n"        \
        "    FROM $(from) WHERE $(live)\n"                                                                 \
        "  metrics:\n"                                                                                     \
        "    - name: runbook_$(metric)_expiry_timestamp_seconds\n"                                         \
        "      type: gauge\n"                                                                              \
        "      help: \"When it expires.\"\n"                                                               \
        "      value: expires\n"                                                                           \
        "      labels: [name]\n" metric "warn: runbook_$(metric)_expiry_timestamp_seconds - time() < 7d\n" \
        "when_empty: pass  # there may be none that expires\n"
static const struct check_row expiries = {TOPIC, "$(table)", "What expires in $(table)", EXPIRIES("", ""),
                                          NEEDS_ANSWER};
static const struct check_row expiries_and_ages = {
        TOPIC, "$(table)", "What expires in $(table)",
        EXPIRIES(",\n           EXTRACT(EPOCH FROM now() - created_at)::float8 AS age",
                 "    - name: runbook_$(metric)_age_seconds\n"
                 "      type: gauge\n"
                 "      help: \"How old it is.\"\n"
                 "      value: age\n"
                 "      labels: [name]\n"),
        NEEDS_ANSWER};
static const struct check_row living = {
        TOPIC, "$(table)_live", "Live rows of $(table)",
        "postgres:\n" LOGIN "  query: |\n"
        "    SELECT $(name) AS name, count(*) FILTER (WHERE $(live) AND ($(expires) IS NULL OR $(expires) > "
        "now()))::int AS live\n"
        "    FROM $(from) GROUP BY 1\n"
        "  metrics:\n"
        "    - name: runbook_$(metric)_live\n"
        "      type: gauge\n"
        "      help: \"Those of this name that are neither revoked nor expired.\"\n"
        "      value: live\n"
        "      labels: [name]\n"
        "when_empty: pass  # there may be none at all\n",
        NEEDS_ANSWER};

/* Only names that need no quotes, so that nothing that a table is called can be more than a name; and only
 * what this role may read. A row: the table, its schema and itself, the column of the end, that of an early
 * end. */
static const char tables_that_expire[] =
        "SELECT c.relname, n.nspname || '.' || c.relname, e.attname, max(r.attname::text), "
        "bool_or(b.attname IS NOT NULL AND has_column_privilege(c.oid, b.attnum, 'SELECT')) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute e ON e.attrelid = c.oid AND e.atttypid = 'timestamptz'::regtype "
        "  AND e.attname IN ('expires_at', 'expiry', 'expires', 'valid_until', 'not_after') "
        "JOIN pg_catalog.pg_attribute k ON k.attrelid = c.oid AND k.attname = 'name' "
        "LEFT JOIN pg_catalog.pg_attribute r ON r.attrelid = c.oid AND r.attname IN ('revoked_at', "
        "'deleted_at') "
        "LEFT JOIN pg_catalog.pg_attribute b ON b.attrelid = c.oid AND b.attname = 'created_at' "
        "WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> "
        "'information_schema' "
        "  AND (n.nspname || c.relname) ~ '^[a-z_][a-z0-9_]*$' "
        "  AND has_column_privilege(c.oid, e.attnum, 'SELECT') AND has_column_privilege(c.oid, k.attnum, "
        "'SELECT') "
        "  AND (r.attnum IS NULL OR has_column_privilege(c.oid, r.attnum, 'SELECT'))"
        "  AND has_schema_privilege(n.oid, 'USAGE') "
        "GROUP BY 1, 2, 3 ORDER BY 2, 3";

/* "api_keys" is spoken of by one: runbook_api_key_expiry_timestamp_seconds. */
static char *singular(const char *table)
{
        size_t length = strlen(table);
        bool plural = length > 2 && table[length - 1] == 's' && table[length - 2] != 's';
        return strndup(table, length - plural);
}

/* Of one row of the answer. */
static void propose_expiries(struct search *search, const PGresult *result, int row, const char *dsn)
{
        const char *table = PQgetvalue(result, row, 0), *from = PQgetvalue(result, row, 1);
        const char *expires = PQgetvalue(result, row, 2);
        const char *revoked = PQgetisnull(result, row, 3) ? NULL : PQgetvalue(result, row, 3);
        bool ages = string_equal(PQgetvalue(result, row, 4), "t");
        _cleanup_free_ char *live = revoked ? text_format("%s IS NULL", revoked) : strdup("true");
        _cleanup_free_ char *one = singular(table);
        if (!live || !one) {
                search->result = -ENOMEM;
                return;
        }
        init_propose(search, ages ? &expiries_and_ages : &expiries,
                     VALUES({"dsn", dsn}, {"table", table}, {"from", from}, {"expires", expires},
                            {"live", live}, {"name", "name"}, {"metric", one}),
                     "the table %s has a column %s", from, expires);
        if (revoked)
                init_propose(search, &living,
                             VALUES({"dsn", dsn}, {"table", table}, {"from", from}, {"expires", expires},
                                    {"live", live}, {"name", "name"}, {"metric", table}),
                             "and a column %s: remediations are verified by it", revoked);
}

static void find_expiries(struct search *search, struct postgres *postgres, const char *dsn)
{
        static const struct postgres_terms terms = {.read_only = true, .own = true};
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_error_ struct error error = {0};
        if (postgres_query_on(postgres, &terms, tables_that_expire, NULL, 0, deadline_in(PATIENCE), &result,
                              &error) < 0) {
                init_tell(search, "PostgreSQL: its tables: %s", error_text(&error));
                return;
        }
        for (int i = 0; i < PQntuples(result) && i < TABLES_MAX; i++)
                propose_expiries(search, result, i, dsn);
}

/* Whether statements are counted, and this role may read what of. */
static bool has_statements(struct postgres *postgres)
{
        _cleanup_result_ PGresult *result = NULL;
        return postgres_query(postgres,
                              "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements'",
                              NULL, 0, deadline_in(PATIENCE), &result, NULL) >= 0 &&
               PQntuples(result) == 1;
}

/* The connection string as words and values without the password, which is no matter of a file; NULL when it
 * is none, or out of memory. */
static char *plain_dsn(const char *dsn, bool *ret_password)
{
        _cleanup_text_ struct text plain = {0};
        PQconninfoOption *options = PQconninfoParse(dsn, NULL);
        *ret_password = false;
        for (PQconninfoOption *one = options; one && one->keyword; one++) {
                if (!one->val)
                        continue;
                if (string_equal(one->keyword, "password")) {
                        *ret_password = true;
                        continue;
                }
                text_printf(&plain, "%s%s='", plain.length ? " " : "", one->keyword);
                for (const char *c = one->val; *c; c++) {
                        text_puts(&plain, strchr("'\\", *c) ? "\\" : "");
                        text_putc(&plain, *c);
                }
                text_putc(&plain, '\'');
        }
        PQconninfoFree(options);
        return text_take(&plain);
}

/* Where it was said with a password nobody is asked: that is put into a file first. */
static bool propose_locked(struct search *search, const char *dsn, const char *from)
{
        bool password;
        _cleanup_free_ char *plain = plain_dsn(dsn, &password);
        if (plain && password)
                init_propose(search, &locked_server, VALUES({"dsn", plain}),
                             "%s names it with a password, which is not written here", from);
        return plain && password;
}

static bool find_at(struct search *search, const char *dsn, const char *from)
{
        const struct postgres_options options = {
                .dsn = (char *)dsn, .application_name = "runbook_exporter", .terms = {.read_only = true}};
        _cleanup_(postgres_free_p) struct postgres *postgres = NULL;
        _cleanup_error_ struct error error = {0};
        if (propose_locked(search, dsn, from))
                return true;
        int r = postgres_check_dsn(dsn, &error);
        if (r < 0) {
                init_tell(search, "PostgreSQL (%s): %s", from, error_text(&error));
                return true; /* it was said where it is: nowhere else is it looked for */
        }
        r = postgres_new(&options, &postgres, &error);
        if (r >= 0)
                r = postgres_connect(postgres, deadline_in(PATIENCE), &error);
        if (r == -EACCES) {
                init_propose(
                        search, &locked_server, VALUES({"dsn", dsn}),
                        "PostgreSQL answers (%s), and does not let this role in yet: see docs/postgresql.md",
                        from);
                return true;
        }
        if (r < 0)
                return false;
        const char *name = postgres_database(postgres);
        init_propose(search, &server, VALUES({"dsn", dsn}), "PostgreSQL answers (%s)", from);
        init_propose(
                search, &database,
                VALUES({"dsn", dsn}, {"statements", has_statements(postgres) ? ", slow_statements" : ""}),
                "PostgreSQL has the database %s", name ? name : "");
        find_expiries(search, postgres, dsn);
        return true;
}

void find_postgres(struct search *search)
{
        const char *host = init_environment("PGHOST"), *port = init_environment("PGPORT");
        const char *database_name = init_environment("PGDATABASE"), *user = init_environment("PGUSER");
        bool found = false;
        for (size_t i = 0; i < search->place_count; i++) {
                if (search->places[i].kind != PLACE_POSTGRES)
                        continue;
                if (find_at(search, search->places[i].where, search->places[i].from))
                        found = true;
                else
                        init_tell(search, "PostgreSQL: nothing answers (%s)", search->places[i].from);
        }
        _cleanup_free_ char *usually = text_format(
                "host=%s port=%s dbname=%s user=%s", host ? host : "localhost", port ? port : "5432",
                database_name ? database_name : "postgres", user ? user : "runbook_exporter");
        if (!usually)
                search->result = -ENOMEM;
        else if (!found && !find_at(search, usually, host || port ? "PGHOST, PGPORT" : "its usual port"))
                init_tell(search,
                          "PostgreSQL: nothing answers at %s:%s; --look=\"host=… dbname=… user=…\" looks "
                          "elsewhere",
                          host ? host : "localhost", port ? port : "5432");
}
