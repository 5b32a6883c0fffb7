/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres.terminate_queries: ends queries of one database that have been active for too long.
 *
 * A query is known by its backend's pid and start and by its own start, so that neither a pid that was given
 * away again nor a backend that has gone on to its next query is ever hit. Each is cancelled first, which
 * leaves its connection to its pool; only what is still there after the grace loses its connection.
 *
 * The text of a query is not recorded: it may hold secrets. Its query_id is, for pg_stat_statements.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/postgres/common.h"
#include "responder/actions/postgres/people.h"
#include "responder/targets/targets.h"
#include "runbook/wait.h"

#define LOOK_EVERY (100 * NSEC_PER_MSEC)
/* How long the server may take to end a backend that was told to. */
#define END_TIME (10 * NSEC_PER_SEC)

struct terminate_config {
        char *database, *datname;
        nsec older_than, grace;
        int when_empty;
};

static const struct config_field terminate_fields[] = {
        {"database", CONFIG_STRING, offsetof(struct terminate_config, database),
         .help = "one of `databases`, over whose connection it is done; may be left out when there is just "
                 "one"},
        {"datname", CONFIG_STRING, offsetof(struct terminate_config, datname), .flags = CONFIG_NOT_EMPTY,
         .help = "the database whose queries are meant; the one connected to when absent"},
        {"older_than", CONFIG_DURATION, offsetof(struct terminate_config, older_than), .fallback = "5m",
         .flags = CONFIG_POSITIVE, .help = "queries that have been active for longer than this"},
        {"grace", CONFIG_DURATION, offsetof(struct terminate_config, grace), .fallback = "2s",
         .flags = CONFIG_SPENT, .help = "between pg_cancel_backend and pg_terminate_backend"},
        {"when_empty", CONFIG_ENUM, offsetof(struct terminate_config, when_empty), .fallback = "fail",
         .choices = when_empty_words, .help = "what it means that there is no such query"},
        {0},
};

static void terminate_check(const void *configured, const struct target_set *targets,
                            struct config_node *node)
{
        const struct terminate_config *config = configured;
        database_check(config->database, targets, node);
        if (config->grace < 0)
                config_complain(node, "grace", "'grace' must not be negative");
}

/* Whose time is no sign of an illness, and whose end would leave half a backup, or an index that is no good.
 */
#define IS_UPKEEP                                                                                 \
        "(a.application_name ~ '^(pg_dump|pg_restore|pg_basebackup|pgBackRest|barman|wal-g)'"     \
        " OR a.query ~* '^[[:space:]]*(VACUUM|ANALYZE|REINDEX|CLUSTER|CREATE[[:space:]]+(UNIQUE[" \
        "[:space:]]+)?INDEX)([[:space:](;]|$)')"

/* Who may be ended at all; `a` is pg_stat_activity, `r` its role, $1 the database. */
#define MAY_BE_ENDED                                                                          \
        " a.datname = coalesce($1, current_database()) AND a.backend_type = 'client backend'" \
        " AND a.state = 'active' AND a.pid <> pg_backend_pid() AND NOT r.rolsuper"            \
        " AND a.application_name <> '" TARGETS_APPLICATION "' AND NOT " IS_UPKEEP

/* Instants as texts that read back as the very same on any server. */
#define EXACT(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/* Those of the plan ($2, JSON) that still run the same query. */
#define STILL_THERE                                                             \
        "WITH planned AS (SELECT * FROM jsonb_to_recordset($2::jsonb)"          \
        "  AS p(pid int, backend_start timestamptz, query_start timestamptz))," \
        " matched AS MATERIALIZED (SELECT a.pid FROM pg_stat_activity a"        \
        "  JOIN planned p USING (pid, backend_start, query_start)"              \
        "  JOIN pg_roles r ON r.oid = a.usesysid WHERE" MAY_BE_ENDED ")"

static const char select_sql[] = "SELECT a.pid, " EXACT("a.backend_start") " AS backend_start, " EXACT(
        "a.query_start") " AS query_start,"
                         " a.usename::text AS \"user\", a.application_name, host(a.client_addr) AS client,"
                         " extract(epoch FROM clock_timestamp() - a.query_start)::int AS seconds,"
                         " a.wait_event_type AS waits_for, to_jsonb(a) ->> 'query_id' AS query_id"
                         " FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid WHERE" MAY_BE_ENDED
                         " AND a.query_start < clock_timestamp() - make_interval(secs => $2::float8)"
                         " ORDER BY a.query_start";

/* What was left out: backends whose queries this role may not see, queries of superusers, and of upkeep. */
static const char left_out_sql[] =
        "SELECT count(*) FILTER (WHERE a.backend_type IS NULL AND NOT r.rolsuper),"
        " count(*) FILTER (WHERE a.state = 'active' AND r.rolsuper AND a.pid <> pg_backend_pid()"
        "  AND a.query_start < clock_timestamp() - make_interval(secs => $2::float8)),"
        " coalesce($1, current_database()),"
        " count(*) FILTER (WHERE a.state = 'active' AND NOT r.rolsuper AND " IS_UPKEEP
        "  AND a.query_start < clock_timestamp() - make_interval(secs => $2::float8))"
        " FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid"
        " WHERE a.datname = coalesce($1, current_database())";

static const char cancel_sql[] = STILL_THERE " SELECT pid, pg_cancel_backend(pid) FROM matched";
static const char terminate_sql[] = STILL_THERE " SELECT pid, pg_terminate_backend(pid) FROM matched";
static const char look_sql[] = STILL_THERE " SELECT pid FROM matched";

static int query_backends(struct postgres *postgres, const char *sql, const struct terminate_config *config,
                          const char *second, struct deadline deadline, PGresult **ret, struct error *error)
{
        const char *datname = config->datname && *config->datname ? config->datname : NULL;
        const char *values[] = {datname, second};
        int r = postgres_query(postgres, sql, values, N_ELEMENTS(values), deadline, ret, error);
        if (r == -EREMOTEIO && strcmp(postgres_sqlstate(postgres), "42501") == 0)
                return error_prefix(error, -EACCES,
                                    "our role may not end these queries: grant it pg_signal_backend");
        return r;
}

static int terminate_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct terminate_config *config = run->config;
        _cleanup_lease_ struct lease lease = {0};
        _cleanup_free_ char *seconds = text_format("%.3f", nsec_to_seconds(config->older_than));
        _cleanup_result_ PGresult *selected = NULL, *left_out = NULL;
        _cleanup_rows_ struct rows rows = {0};
        if (!seconds)
                return error_oom(error);
        int r = lease_take(&lease, run, config->database, run->deadline, error);
        if (r >= 0)
                r = query_backends(lease.postgres, select_sql, config, seconds, run->deadline, &selected,
                                   error);
        if (r >= 0)
                r = query_backends(lease.postgres, left_out_sql, config, seconds, run->deadline, &left_out,
                                   error);
        if (r >= 0)
                r = rows_append(&rows, selected, error);
        if (r < 0)
                return r;

        char age[DURATION_TEXT_MAX];
        duration_format(config->older_than, age);
        int count = cJSON_GetArraySize(rows.items);
        int64_t hidden = result_integer(left_out, 0, 0), superusers = result_integer(left_out, 1, 0);
        int64_t upkeep = result_integer(left_out, 3, 0);
        const char *datname = PQgetvalue(left_out, 0, 2);
        /* What cannot be seen must not be read as "there is nothing". */
        if (count == 0 && hidden > 0)
                return error_set(error, EACCES,
                                 "our role may not see what %" PRId64
                                 " sessions of database \"%s\" do: grant it pg_monitor",
                                 hidden, datname);
        if (count == 0 && config->when_empty == WHEN_EMPTY_FAIL)
                return error_set(error, ESRCH,
                                 "no query has been active for more than %s in database \"%s\" (%" PRId64
                                 " of superusers, %" PRId64 " of backups and upkeep left out)",
                                 age, datname, superusers, upkeep);

        _cleanup_json_ cJSON *plan = NULL;
        r = plan_new(&plan, count, error,
                     upkeep > 0 ? "end %d queries active for more than %s in database \"%s\"; %" PRId64
                                  " of backups and upkeep are left"
                                : "end %d queries active for more than %s in database \"%s\"",
                     count, age, datname, upkeep);
        if (r < 0)
                return r;
        if (json_put(plan, "datname", json_text(datname)) < 0 ||
            json_put(plan, "hidden", cJSON_CreateNumber((double)hidden)) < 0 ||
            json_put(plan, "superusers", cJSON_CreateNumber((double)superusers)) < 0 ||
            json_put(plan, "upkeep", cJSON_CreateNumber((double)upkeep)) < 0 ||
            json_put(plan, "backends", TAKE_PTR(rows.items)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

static bool has_pid(const PGresult *result, int64_t pid)
{
        for (int i = 0; i < PQntuples(result); i++)
                if (strtoll(PQgetvalue(result, i, 0), NULL, 10) == pid)
                        return true;
        return false;
}

/* Looks until none of the planned queries runs any more, or the time is up: `ret` has those that do. */
static int wait_gone(struct postgres *postgres, const struct terminate_config *config, const char *planned,
                     nsec time, struct deadline deadline, PGresult **ret, struct error *error)
{
        struct deadline patience = deadline_earlier(deadline, deadline_in(time));
        for (;;) {
                _cleanup_result_ PGresult *result = NULL;
                int r = query_backends(postgres, look_sql, config, planned, deadline, &result, error);
                if (r < 0)
                        return r;
                if (PQntuples(result) == 0 || !pause_for(LOOK_EVERY, patience)) {
                        *ret = TAKE_PTR(result);
                        return 0;
                }
        }
}

/* What became of each planned query, in the words of the outcome. */
static int describe_results(const cJSON *backends, const PGresult *cancelled, const PGresult *terminated,
                            cJSON **ret_results, struct error *error)
{
        _cleanup_json_ cJSON *results = json_copy(backends);
        cJSON *backend = NULL;
        cJSON_ArrayForEach(backend, results)
        {
                int64_t pid = (int64_t)json_number(backend, "pid", 0);
                const char *result = has_pid(terminated, pid)  ? "terminated"
                                     : has_pid(cancelled, pid) ? "cancelled"
                                                               : "had ended before";
                if (json_put(backend, "result", json_text(result)) < 0)
                        return error_oom(error);
        }
        if (!results)
                return error_oom(error);
        *ret_results = TAKE_PTR(results);
        return 0;
}

static int terminate_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct terminate_config *config = run->config;
        const cJSON *backends = json_get(run->plan, "backends", NULL);
        if (cJSON_GetArraySize(backends) == 0)
                return outcome_new(ret_outcome, error, "nothing to do: there was no such query");

        _cleanup_lease_ struct lease lease = {0};
        _cleanup_free_ char *planned = json_print(backends);
        _cleanup_result_ PGresult *cancelled = NULL, *stubborn = NULL, *terminated = NULL, *left = NULL;
        if (!planned)
                return error_oom(error);
        int r = lease_take(&lease, run, config->database, run->deadline, error);
        if (r >= 0)
                r = query_backends(lease.postgres, cancel_sql, config, planned, run->deadline, &cancelled,
                                   error);
        if (r >= 0)
                r = wait_gone(lease.postgres, config, planned, config->grace, run->deadline, &stubborn,
                              error);
        if (r >= 0)
                r = query_backends(lease.postgres, terminate_sql, config, planned, run->deadline, &terminated,
                                   error);
        if (r >= 0)
                r = wait_gone(lease.postgres, config, planned, END_TIME, run->deadline, &left, error);
        if (r < 0)
                return r;
        if (PQntuples(left) > 0)
                return error_set(error, EBUSY, "%d of %d queries have not ended, the first with pid %s",
                                 PQntuples(left), cJSON_GetArraySize(backends), PQgetvalue(left, 0, 0));

        _cleanup_json_ cJSON *results = NULL, *outcome = NULL;
        r = describe_results(backends, cancelled, terminated, &results, error);
        if (r >= 0)
                r = outcome_new(&outcome, error, "%d queries ended: %d cancelled, %d terminated",
                                PQntuples(cancelled), PQntuples(cancelled) - PQntuples(terminated),
                                PQntuples(terminated));
        if (r < 0)
                return r;
        if (json_put(outcome, "backends", TAKE_PTR(results)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Whose queries they are is not known yet: those of any role. */
static int terminate_rights(const void *configured, struct targets *targets, struct deadline deadline,
                            struct text *advice, struct error *error)
{
        static const char sql[] = "SELECT current_user, pg_has_role('pg_signal_backend', 'USAGE')";
        const struct terminate_config *config = configured;
        const struct step_run run = {.targets = targets};
        _cleanup_lease_ struct lease lease = {0};
        _cleanup_result_ PGresult *result = NULL;
        int r = lease_take(&lease, &run, config->database, deadline, error);
        if (r >= 0)
                r = postgres_query(lease.postgres, sql, NULL, 0, deadline, &result, error);
        if (r < 0)
                return r;
        if (string_equal(PQgetvalue(result, 0, 1), "t"))
                return 0;
        text_printf(advice, "GRANT pg_signal_backend TO %s;", PQgetvalue(result, 0, 0));
        return error_set(error, EACCES, "the role %s may not end the queries of others",
                         PQgetvalue(result, 0, 0));
}

static const char *const terminate_counts[] = {"datname", "backends pid query_start", NULL};

static int terminate_people(struct step_run *run, const struct people_asked *asked, struct sighting *ret,
                            struct error *error)
{
        const struct terminate_config *config = run->config;
        return postgres_people(run, config->database, asked, ret, error);
}

/* Repeatable: the plan names single queries, and a query ends only once. */
const struct action action_postgres_terminate_queries = {
        .name = "postgres.terminate_queries",
        .help = "Ends queries that have been active for too long: cancelled first, then terminated; never "
                "its own, of superusers, of replication, of other databases, of backups (pg_dump) or of "
                "upkeep (VACUUM, CREATE INDEX).",
        .fields = terminate_fields,
        .config_size = sizeof(struct terminate_config),
        .effect = EFFECT_IRREVERSIBLE,
        .repeatable = true,
        .timeout = 60 * NSEC_PER_SEC,
        .target = TARGET_DATABASE,
        .target_key = "database",
        .check = terminate_check,
        .counts = terminate_counts,
        .plan = terminate_plan,
        .people = terminate_people,
        .run = terminate_run,
        .rights = terminate_rights,
};
