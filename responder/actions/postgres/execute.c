/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres.execute: one statement of the operator's, on exactly the rows that were planned, exactly once.
 *
 * The rows: plan_sql selects them; sql must touch and RETURN just those, or its transaction is rolled back.
 * Once: the id of the transaction is written down durably before COMMIT, and whenever the answer to COMMIT
 * is not known (a crash of ours, a broken connection) the server is asked what became of that transaction.
 *
 * Rows stand in the journal, so plan_sql should select keys and old values and nothing that is secret. The
 * undo gets them as one JSON array in $1; see rows_append() for how values look there.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/postgres/common.h"
#include "responder/actions/postgres/fate.h"
#include "responder/actions/postgres/people.h"

#define FETCH_ROWS 200
#define ARGUMENTS_MAX 100
/* For what must be done even when the step's own time is up: rolling back, asking what became of a COMMIT. */
#define LAST_WORDS (5 * NSEC_PER_SEC)

struct execute_config {
        char *database, *plan_sql, *sql, *undo_sql;
        struct config_strings args;
        int64_t max_rows;
        int when_empty;
};

static const struct config_field execute_fields[] = {
        {"database", CONFIG_STRING, offsetof(struct execute_config, database),
         .help = "one of `databases`; may be left out when there is just one"},
        {"plan_sql", CONFIG_STRING, offsetof(struct execute_config, plan_sql),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "a SELECT of the rows that sql will touch: keys and what undo_sql needs; they are recorded"},
        {"sql", CONFIG_STRING, offsetof(struct execute_config, sql),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "one statement that RETURNs the columns of plan_sql for each row it touched"},
        {"args", CONFIG_STRINGS, offsetof(struct execute_config, args), .flags = CONFIG_BIND,
         .help = "the values of $1, $2, … in plan_sql and sql, bound and never part of the text"},
        {"max_rows", CONFIG_INT, offsetof(struct execute_config, max_rows), .fallback = "1000",
         .flags = CONFIG_POSITIVE, .help = "a plan of more rows than this is refused"},
        {"when_empty", CONFIG_ENUM, offsetof(struct execute_config, when_empty), .fallback = "fail",
         .choices = when_empty_words, .help = "what it means that plan_sql gives no row"},
        {"undo_sql", CONFIG_STRING, offsetof(struct execute_config, undo_sql),
         .help = "the inverse, given the recorded rows as a JSON array in $1; must do no harm when run "
                 "twice"},
        {0},
};

static void execute_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct execute_config *config = configured;
        database_check(config->database, targets, node);
        if (config->args.count > ARGUMENTS_MAX)
                config_complain(node, "args", "'args' has more than %d values", ARGUMENTS_MAX);
        size_t plan = sql_parameters(config->plan_sql), run = sql_parameters(config->sql);
        if (plan > config->args.count)
                config_complain(node, "plan_sql", "'plan_sql' uses $%zu, and args has %zu value(s)", plan,
                                config->args.count);
        if (run > config->args.count)
                config_complain(node, "sql", "'sql' uses $%zu, and args has %zu value(s)", run,
                                config->args.count);
        if (plan < config->args.count && run < config->args.count)
                config_complain(node, "args", "'args' has a value $%zu that neither plan_sql nor sql uses",
                                config->args.count);
        if (config->undo_sql && *config->undo_sql && sql_parameters(config->undo_sql) != 1)
                config_complain(node, "undo_sql",
                                "'undo_sql' has the recorded rows in $1, and no other parameter");
}

/* One statement with as many of the arguments as it uses: the server refuses more. */
static int query_with_args(struct postgres *postgres, const char *sql, const struct config_strings *args,
                           struct deadline deadline, PGresult **ret, struct error *error)
{
        const char *values[ARGUMENTS_MAX] = {0};
        size_t count = args ? sql_parameters(sql) : 0;
        if (count > ARGUMENTS_MAX || (args && count > args->count))
                return error_set(error, EINVAL, "the statement uses more parameters than there are args");
        for (size_t i = 0; i < count; i++)
                values[i] = args->items[i];
        return postgres_query(postgres, sql, values, (int)count, deadline, ret, error);
}

/*
 * Settings of the transaction alone: texts that read back on any server, a commit that is durable when it is
 * answered, and a server that gives up by itself should we stop in the middle.
 */
static int begin_transaction(struct postgres *postgres, bool read_only, struct deadline deadline,
                             struct error *error)
{
        static const char settings[] = "SELECT set_config('datestyle', 'ISO, YMD', true), "
                                       "set_config('intervalstyle', 'postgres', true),"
                                       " set_config('bytea_output', 'hex', true),"
                                       " set_config('idle_in_transaction_session_timeout', '15s', true),"
                                       " CASE WHEN current_setting('synchronous_commit') = 'off'"
                                       " THEN set_config('synchronous_commit', 'on', true) END";
        int r = postgres_begin(postgres, read_only, deadline, error);
        return r < 0 ? r : postgres_query(postgres, settings, NULL, 0, deadline, NULL, error);
}

static void roll_back(struct postgres *postgres)
{
        if (!postgres_connected(postgres))
                return;
        if (postgres_query(postgres, "ROLLBACK", NULL, 0, deadline_in(LAST_WORDS), NULL, NULL) < 0)
                postgres_disconnect(postgres);
}

/* By a cursor, which takes nothing but a SELECT, and never brings more than was asked for. */
static int select_rows(struct postgres *postgres, const struct execute_config *config,
                       struct deadline deadline, struct rows *rows, struct error *error)
{
        _cleanup_free_ char *declare =
                text_format("DECLARE runbook_plan NO SCROLL CURSOR FOR %s", config->plan_sql);
        _cleanup_free_ char *fetch = text_format("FETCH %d FROM runbook_plan", FETCH_ROWS);
        if (!declare || !fetch)
                return error_oom(error);
        int r = query_with_args(postgres, declare, &config->args, deadline, NULL, error);
        for (int got = FETCH_ROWS; r >= 0 && got == FETCH_ROWS;) {
                _cleanup_result_ PGresult *result = NULL;
                r = postgres_query(postgres, fetch, NULL, 0, deadline, &result, error);
                if (r >= 0)
                        r = rows_append(rows, result, error);
                if (r < 0)
                        break;
                got = PQntuples(result);
                if (cJSON_GetArraySize(rows->items) > config->max_rows)
                        return error_set(error, ERANGE,
                                         "plan_sql gives more than max_rows (%" PRId64 ") rows",
                                         config->max_rows);
        }
        return r;
}

static int read_rows(struct postgres *postgres, const struct execute_config *config, struct deadline deadline,
                     struct rows *rows, struct error *error)
{
        int r = begin_transaction(postgres, true, deadline, error);
        if (r >= 0)
                r = select_rows(postgres, config, deadline, rows, error);
        roll_back(postgres);
        return r;
}

static int execute_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct execute_config *config = run->config;
        _cleanup_lease_ struct lease lease = {0};
        _cleanup_rows_ struct rows rows = {0};
        _cleanup_json_ cJSON *plan = NULL;
        int r = lease_take(&lease, run, config->database, run->deadline, error);
        if (r >= 0)
                r = read_rows(lease.postgres, config, run->deadline, &rows, error);
        if (r < 0)
                return r;

        int count = cJSON_GetArraySize(rows.items);
        if (count == 0 && config->when_empty == WHEN_EMPTY_FAIL)
                return error_set(error, ESRCH, "plan_sql gives no row: %s", config->plan_sql);
        bool undo = config->undo_sql && *config->undo_sql;
        r = plan_new(&plan, count, error,
                     count > 0 ? "execute sql on %d row(s), %s" : "nothing to do: %d rows", count,
                     undo ? "which can be undone" : "which cannot be undone");
        if (r < 0)
                return r;
        if (json_put(plan, "columns", TAKE_PTR(rows.columns)) < 0 ||
            json_put(plan, "rows", TAKE_PTR(rows.items)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

static int execute_outcome(const struct step_run *run, cJSON **ret, struct error *error)
{
        const cJSON *rows = json_get(run->plan, "rows", NULL);
        _cleanup_json_ cJSON *outcome = NULL;
        int r = outcome_new(&outcome, error, "sql touched the %d planned row(s)", cJSON_GetArraySize(rows));
        if (r < 0)
                return r;
        if (json_put(outcome, "row_count", cJSON_CreateNumber(cJSON_GetArraySize(rows))) < 0 ||
            json_put(outcome, "rows", json_copy(rows)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(outcome);
        return 0;
}

/*
 * A server that crashed before the transaction's record reached its disk may give the same id to another
 * transaction. So after another life of the server "committed" counts only if the rows have changed as well.
 */
static enum fate resolve_doubt(struct step_run *run, struct postgres *postgres, struct deadline deadline,
                               struct error *error)
{
        _cleanup_rows_ struct rows rows = {0};
        if (read_rows(postgres, run->config, deadline, &rows, error) < 0)
                return FATE_UNKNOWN;
        int r = rows_compare(json_get(run->plan, "columns", NULL), json_get(run->plan, "rows", NULL), &rows,
                             NULL);
        if (r == -ESTALE)
                return FATE_COMMITTED;
        error_set(error, EUCLEAN, "the server was restarted meanwhile, and the rows look as before");
        return FATE_UNKNOWN;
}

static int commit_transaction(struct step_run *run, struct postgres *postgres, const cJSON *progress,
                              struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_error_ struct error why = {0};
        int r = postgres_query(postgres, "COMMIT", NULL, 0, run->deadline, &result, &why);
        if (r >= 0 && strcmp(PQcmdStatus(result), "COMMIT") == 0)
                return 0;
        if (r >= 0)
                return error_set(error, EREMOTEIO, "the server rolled the transaction back");
        if (r == -EREMOTEIO) {
                error_move(error, &why);
                return r;
        }
        /* No answer: it may have happened, or not. */
        switch (fate_find(run, postgres, progress, resolve_doubt, error)) {
        case FATE_COMMITTED: return 0;
        case FATE_ABORTED: error_move(error, &why); return error_prefix(error, r, "rolled back");
        default:
                return error_prefix(error, -EUCLEAN,
                                    "%s, and it cannot be told what became of the transaction",
                                    error_text(&why));
        }
}

/* Within the transaction. Fails, for the caller to roll back, when it is not just what was planned. */
static int change_rows(struct step_run *run, struct postgres *postgres, struct error *error)
{
        const struct execute_config *config = run->config;
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_rows_ struct rows rows = {0};
        int r = query_with_args(postgres, config->sql, &config->args, run->deadline, &result, error);
        if (r < 0)
                return r;
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return error_set(error, EINVAL,
                                 "sql RETURNs no rows, so they cannot be held against the plan");
        r = rows_append(&rows, result, error);
        return r < 0 ? r
                     : rows_compare(json_get(run->plan, "columns", NULL), json_get(run->plan, "rows", NULL),
                                    &rows, error);
}

/* PostgreSQL looks at rights when it is asked how it would go about it, and does nothing. */
static int explain(struct postgres *postgres, const char *sql, struct deadline deadline, struct error *error)
{
        static const char *const unknown[ARGUMENTS_MAX] = {NULL};
        size_t count = sql_parameters(sql);
        _cleanup_free_ char *statement = text_format("EXPLAIN %s", sql);
        if (!statement)
                return error_oom(error);
        return count > ARGUMENTS_MAX
                       ? 0
                       : postgres_query(postgres, statement, unknown, (int)count, deadline, NULL, error);
}

static int execute_rights(const void *configured, struct targets *targets, struct deadline deadline,
                          struct text *advice, struct error *error)
{
        static const struct {
                const char *key;
                size_t offset;
        } statements[] = {{"plan_sql", offsetof(struct execute_config, plan_sql)},
                          {"sql", offsetof(struct execute_config, sql)},
                          {"undo_sql", offsetof(struct execute_config, undo_sql)}};
        const struct execute_config *config = configured;
        const struct step_run run = {.targets = targets};
        _cleanup_lease_ struct lease lease = {0};
        int r = lease_take(&lease, &run, config->database, deadline, error);
        for (size_t i = 0; r >= 0 && i < N_ELEMENTS(statements); i++) {
                const char *sql = *(char *const *)((const char *)config + statements[i].offset);
                if (!sql || !*sql)
                        continue;
                r = begin_transaction(lease.postgres, true, deadline, error);
                if (r >= 0)
                        r = explain(lease.postgres, sql, deadline, error);
                if (r == -EREMOTEIO)
                        text_puts(
                                advice,
                                "GRANT the role what it names, or correct the statement: docs/postgresql.md");
                error_prefix(error, r, "%s", statements[i].key);
                roll_back(lease.postgres);
        }
        return r < 0 ? r : 0;
}

static int execute_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct execute_config *config = run->config;
        if (cJSON_GetArraySize(json_get(run->plan, "rows", NULL)) == 0)
                return outcome_new(ret_outcome, error, "nothing to do: there was no row");

        _cleanup_lease_ struct lease lease = {0};
        _cleanup_json_ cJSON *progress = NULL;
        int r = lease_take(&lease, run, config->database, run->deadline, error);
        if (r < 0)
                return r;
        r = begin_transaction(lease.postgres, false, run->deadline, error);
        if (r >= 0)
                r = change_rows(run, lease.postgres, error);
        if (r >= 0)
                r = fate_note(run, lease.postgres, &progress, error);
        if (r < 0) {
                roll_back(lease.postgres);
                return r;
        }
        r = commit_transaction(run, lease.postgres, progress, error);
        return r < 0 ? r : execute_outcome(run, ret_outcome, error);
}

static enum resumption execute_resume(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct execute_config *config = run->config;
        /* Without its id written down no transaction was ever committed. */
        if (!json_string(run->progress, "transaction"))
                return RESUME_AGAIN;
        _cleanup_lease_ struct lease lease = {0};
        if (lease_take(&lease, run, config->database, run->deadline, error) < 0)
                return RESUME_UNKNOWN;
        switch (fate_find(run, lease.postgres, run->progress, resolve_doubt, error)) {
        case FATE_COMMITTED:
                return execute_outcome(run, ret_outcome, error) < 0 ? RESUME_UNKNOWN : RESUME_DONE;
        case FATE_ABORTED: error_clear(error); return RESUME_AGAIN;
        default: return RESUME_UNKNOWN;
        }
}

/* A step that did not end well: was anything committed? False with r >= 0: no. */
static int was_committed(struct step_run *run, struct postgres *postgres, bool *ret, struct error *error)
{
        *ret = run->outcome && cJSON_IsArray(json_get(run->outcome, "rows", NULL));
        if (*ret || !json_string(run->progress, "transaction"))
                return 0;
        switch (fate_find(run, postgres, run->progress, resolve_doubt, error)) {
        case FATE_COMMITTED: *ret = true; return 0;
        case FATE_ABORTED: error_clear(error); return 0;
        default: return error_prefix(error, -EUCLEAN, "it cannot be told whether there is something to undo");
        }
}

/* In a transaction of its own, which is rolled back when it would touch more rows than were recorded. */
static int undo_rows(struct step_run *run, struct postgres *postgres, int64_t *ret_restored,
                     struct error *error)
{
        const struct execute_config *config = run->config;
        const cJSON *rows = json_get(run->plan, "rows", NULL);
        _cleanup_free_ char *text = json_print(rows);
        _cleanup_result_ PGresult *result = NULL, *committed = NULL;
        if (!text)
                return error_oom(error);
        const char *values[] = {text};
        int r = begin_transaction(postgres, false, run->deadline, error);
        if (r >= 0)
                r = postgres_query(postgres, config->undo_sql, values, 1, run->deadline, &result, error);
        if (r >= 0) {
                int64_t touched = postgres_touched(result);
                if (touched > cJSON_GetArraySize(rows))
                        r = error_set(error, ERANGE,
                                      "undo_sql would touch %" PRId64 " rows, and %d were recorded", touched,
                                      cJSON_GetArraySize(rows));
                else
                        *ret_restored = touched;
        }
        if (r < 0) {
                roll_back(postgres);
                return r;
        }
        r = postgres_query(postgres, "COMMIT", NULL, 0, run->deadline, &committed, error);
        if (r >= 0 && strcmp(PQcmdStatus(committed), "COMMIT") != 0)
                r = error_set(error, EREMOTEIO, "the server rolled the undo back");
        return r;
}

static int execute_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct execute_config *config = run->config;
        _cleanup_lease_ struct lease lease = {0};
        bool committed = false;
        int64_t restored = 0;
        int recorded = cJSON_GetArraySize(json_get(run->plan, "rows", NULL));
        int r = lease_take(&lease, run, config->database, run->deadline, error);
        if (r >= 0)
                r = was_committed(run, lease.postgres, &committed, error);
        if (r < 0)
                return r;
        if (!committed || recorded == 0)
                return outcome_new(ret_outcome, error, "nothing to undo: nothing was committed");
        if (!config->undo_sql || !*config->undo_sql)
                return error_set(error, ENOTSUP, "the step has no undo_sql");

        r = undo_rows(run, lease.postgres, &restored, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *outcome = NULL;
        r = outcome_new(&outcome, error, "%" PRId64 " of %d recorded row(s) restored", restored, recorded);
        if (r < 0)
                return r;
        if (json_put(outcome, "row_count", cJSON_CreateNumber((double)restored)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

static int execute_people(struct step_run *run, const struct people_asked *asked, struct sighting *ret,
                          struct error *error)
{
        const struct execute_config *config = run->config;
        return postgres_people(run, config->database, asked, ret, error);
}

/* Not repeatable by itself: resume() finds out whether it happened. */
const struct action action_postgres_execute = {
        .name = "postgres.execute",
        .help = "Executes one SQL statement with bound parameters on exactly the rows that were planned, "
                "exactly once.",
        .fields = execute_fields,
        .config_size = sizeof(struct execute_config),
        .effect = EFFECT_REVERSIBLE,
        .repeatable = false,
        .timeout = 60 * NSEC_PER_SEC,
        .target = TARGET_DATABASE,
        .target_key = "database",
        .check = execute_check,
        .plan = execute_plan,
        .people = execute_people,
        .run = execute_run,
        .resume = execute_resume,
        .undo = execute_undo,
        .rights = execute_rights,
};
