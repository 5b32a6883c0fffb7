/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the rows of the table of groups, on the connection as it stands. */
#include <errno.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/postgres/run.h"

/*
 * Half of what is left: so the ones behind it have the other half, however many of them hang. Of a check that
 * is one statement, nearly all: the server should give up before this side has to, which costs the
 * connection.
 */
nsec run_share(const struct run *run)
{
        nsec left = deadline_left(run->deadline);
        return run->plan->group_count + (run->plan->query ? 1 : 0) == 1 ? left - left / 10 : left / 2;
}

/* A lock that was taken while the query had begun already is seen and kept away from by another. */
static int ask_again_after_lock(struct run *run, const struct postgres_question *question, PGresult **ret,
                                struct error *error)
{
        int r = postgres_connection_ask(run->connection, question, run->deadline, ret, error);
        if (r == -EREMOTEIO && postgres_connection_error_is(run->connection, "55P03"))
                r = postgres_connection_ask(run->connection, question, run->deadline, ret, error);
        return r;
}

/* The rows as samples, no more of them than the run takes: those beyond are never in memory, and counted as
 * series that are on no page. */
static int ask_for_samples(struct run *run, const struct postgres_question *given,
                           const struct column_metric *metrics, PGresult **ret, struct error *error)
{
        struct sample_set *set = run->sink->set;
        struct postgres_question question = *given;
        uint64_t cut = 0;
        size_t series = 0;
        question.rows_most = set->limit > 0 ? set->limit : SIZE_MAX;
        question.ret_cut = &cut;
        int r = ask_again_after_lock(run, &question, ret, error);
        if (r >= 0)
                r = column_metrics_add(metrics, *ret, run->database, run->sink, error);
        while (metrics[series].family)
                series++;
        if (r >= 0)
                set->dropped += cut * series;
        return r;
}

/* The same as pg_stat_activity and its like decide by. */
int run_ask_for_role(struct run *run, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        const struct postgres_question question = {
                .sql = "SELECT pg_has_role('pg_read_all_stats'::name, 'USAGE'), quote_ident(current_user)",
                .own = true,
                .most = run_share(run)};
        int r = postgres_connection_ask(run->connection, &question, run->deadline, &result, error);
        if (r < 0)
                return r;
        run->monitor = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
        free(run->role);
        run->role = strdup(PQgetvalue(result, 0, 1));
        return run->role ? 0 : error_oom(error);
}

/* The text of a query with the schema in its place. */
static char *put_schema(const char *sql, const char *schema)
{
        static const char place[] = "${schema}";
        struct text text = {0};
        for (const char *at; (at = strstr(sql, place)); sql = at + strlen(place)) {
                text_append(&text, sql, (size_t)(at - sql));
                text_puts(&text, schema);
        }
        text_puts(&text, sql);
        return text_take(&text);
}

/* Whether the server has what the row needs: 1, and the query to run; else 0. */
static int prepare_query(struct run *run, const struct postgres_group *group, char **ret_sql,
                         struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        int r;
        if (!group->extension) {
                *ret_sql = strdup(group->sql);
                return *ret_sql ? 1 : error_oom(error);
        }
        const struct postgres_question question = {
                .sql = "SELECT quote_ident(n.nspname) FROM pg_extension e"
                       " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = $1"
                       " AND ($2::text IS NULL OR EXISTS (SELECT FROM pg_attribute a JOIN pg_class c"
                       " ON c.oid = a.attrelid WHERE c.relnamespace = n.oid AND c.relname = $1"
                       " AND a.attname = $2 AND NOT a.attisdropped))",
                .parameters = (const char *const[]){group->extension, group->column},
                .count = 2,
                .own = true,
                .most = run_share(run)};
        r = postgres_connection_ask(run->connection, &question, run->deadline, &result, error);
        if (r < 0 || PQntuples(result) == 0)
                return r;
        *ret_sql = put_schema(group->sql, PQgetvalue(result, 0, 0));
        return *ret_sql ? 1 : error_oom(error);
}

bool run_is_of_one(int r)
{
        return r == -EREMOTEIO || r == -EPROTO || r == -EPERM || r == -ENOTSUP || r == -EMSGSIZE;
}

int run_take_reason(int r, const char *name, struct text *reasons, struct error *error)
{
        if (!run_is_of_one(r))
                return error_prefix(error, r, "%s", name);
        text_printf(reasons, "%s%s: %s", reasons->length > 0 ? "; " : "", name, error_text(error));
        error_clear(error);
        return 0;
}

/* Counts what could not be measured. `what`: the table, or NULL for the whole group. */
static void skip(const struct run *run, int r, const char *name, const char *what, const char *why)
{
        const enum skip_reason reason = r == -EPROTO     ? SKIP_MALFORMED
                                        : r == -EMSGSIZE ? SKIP_BEYOND_LIMIT
                                                         : SKIP_UNREADABLE;
        check_skip(run->sink, reason, "%s%s%s: %s%s%s", run->database ? run->database : "",
                   run->database ? ": " : "", name, what ? what : "", what && why ? ": " : "",
                   why ? why : "");
}

/* What the query itself names as hidden from the role. */
static void skip_unseen(const struct run *run, const char *name, const PGresult *result)
{
        int column = PQfnumber(result, "unseen");
        for (int row = 0; column >= 0 && row < PQntuples(result); row++)
                if (!PQgetisnull(result, row, column))
                        skip(run, -EPERM, name, PQgetvalue(result, row, column), NULL);
}

/* One table of a group, by its row. `seen`: the tables before it, of whom none is told twice. */
static int add_table(const struct run *run, const struct postgres_group *group, const PGresult *result,
                     struct text *seen, int64_t *skipped, struct error *error)
{
        _cleanup_free_ char *oid = NULL;
        int column = PQfnumber(result, "skipped");
        if (PQntuples(result) == 0)
                return 0;
        oid = text_format(" %s ", PQgetvalue(result, 0, PQfnumber(result, "oid")));
        if (!oid)
                return error_oom(error);
        if (strstr(text_string(seen), oid))
                return 0;
        text_puts(seen, oid);
        if (!PQgetisnull(result, 0, column))
                *skipped = (*skipped < 0 ? 0 : *skipped) + strtoll(PQgetvalue(result, 0, column), NULL, 10);
        return column_metrics_add(group->metrics, result, run->database, run->sink, error);
}

/* Each table on its own and in an equal part of the group's time: one that is refused or slow costs itself.
 */
static int run_tables(struct run *run, const struct postgres_group *group, const char *sql,
                      struct error *error)
{
        const struct config_strings *tables = run->plan->tables;
        const nsec until = clock_monotonic() + run_share(run);
        _cleanup_text_ struct text reasons = {0}, seen = {0};
        int64_t skipped = -1; /* the group does not tell */
        for (size_t i = 0; i < tables->count; i++) {
                const char *name = tables->items[i];
                _cleanup_result_ PGresult *result = NULL;
                const struct postgres_question question = {.sql = sql,
                                                           .parameters = &name,
                                                           .count = 1,
                                                           .most = (until - clock_monotonic()) /
                                                                   (nsec)(tables->count - i)};
                int r = ask_again_after_lock(run, &question, &result, error);
                if (r >= 0)
                        r = add_table(run, group, result, &seen, &skipped, error);
                if (r < 0 && run_is_of_one(r))
                        skip(run, r, group->name, name, error_text(error));
                if (r < 0)
                        r = run_take_reason(r, name, &reasons, error);
                if (r < 0)
                        return r;
        }
        if (skipped >= 0)
                SAMPLE(run->sink, &postgres_skipped, (double)skipped, {"group", group->name},
                       {"database", run->database});
        return reasons.length > 0 ? error_set(error, EREMOTEIO, "%s", text_string(&reasons)) : 1;
}

/* 1, or 0 when the server does not have what it needs. */
static int run_row(struct run *run, const struct postgres_group *group, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *sql = NULL;
        const char *parameters[GROUP_PARAMETERS_MAX];
        int count = 0;
        int r = prepare_query(run, group, &sql, error);
        if (r <= 0)
                return r;
        if (postgres_group_is_by_table(group))
                return run_tables(run, group, sql, error);
        for (; count < GROUP_PARAMETERS_MAX && group->parameters[count] != PARAMETER_NONE; count++)
                parameters[count] = run->plan->values[group->parameters[count]];
        const struct postgres_question question = {
                .sql = sql, .parameters = parameters, .count = count, .own = true, .most = run_share(run)};
        r = ask_for_samples(run, &question, group->metrics, &result, error);
        if (r >= 0)
                skip_unseen(run, group->name, result);
        return r < 0 ? r : 1;
}

static int run_group(struct run *run, const struct postgres_group *group, struct error *error)
{
        int r = 0;
        if (group->monitor && !run->monitor)
                return error_set(error, EPERM,
                                 "the role does not see what others do; GRANT pg_monitor TO %s lets it",
                                 run->role);
        for (const char *name = group->name; r == 0 && group->name && strcmp(group->name, name) == 0; group++)
                r = run_row(run, group, error);
        return r;
}

static int run_query(struct run *run, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        const struct postgres_question question = {.sql = run->plan->query, .most = run_share(run)};
        int r = ask_for_samples(run, &question, run->plan->metrics, &result, error);
        return r < 0 ? r : 1;
}

/* One failure, in whichever database, is one of the group's. A server without the extension is none. */
static int take_outcome(struct run *run, size_t group, int r, const char *name, bool skipped,
                        struct text *reasons, struct error *error)
{
        enum outcome *outcome = &run->outcomes[group];
        if (r < 0)
                *outcome = FAILED;
        else if (r > 0 && *outcome == NOT_MEASURED)
                *outcome = MEASURED;
        if (r >= 0)
                return 0;
        if (run_is_of_one(r) && !skipped)
                skip(run, r, name, NULL, error_text(error));
        return run_take_reason(r, name, reasons, error);
}

int run_groups(struct run *run, bool by_database, struct text *reasons, struct error *error)
{
        const struct postgres_plan *plan = run->plan;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < plan->group_count; i++) {
                const struct postgres_group *group = plan->groups[i];
                if (group->by_database == by_database)
                        r = take_outcome(run, i, run_group(run, group, error), group->name,
                                         postgres_group_is_by_table(group), reasons, error);
        }
        if (r >= 0 && by_database && plan->query)
                r = take_outcome(run, plan->group_count, run_query(run, error), POSTGRES_QUERY_NAME, false,
                                 reasons, error);
        return r;
}
