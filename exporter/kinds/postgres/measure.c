/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the rows of the table of groups. */
#include "exporter/kinds/postgres/measure.h"

#include <errno.h>

struct run {
        struct postgres_connection *connection;
        const struct postgres_plan *plan;
        struct deadline deadline;
        struct sample_sink *sink;
        bool monitor; /* whether the role sees what others do */
        char *role;   /* its name, quoted; owned */
};

/*
 * How long the next statement may take. Half of what is left: so the ones behind it have the other half,
 * however many of them hang. Of a check that is one statement, nearly all: the server should give up before
 * this side has to, which costs the connection.
 */
static nsec share(const struct run *run)
{
        nsec left = deadline_left(run->deadline);
        return run->plan->group_count + (run->plan->query ? 1 : 0) == 1 ? left - left / 10 : left / 2;
}

static int ask_server(struct run *run, const char *sql, const char *const *parameters, int count,
                      PGresult **ret, struct error *error)
{
        return postgres_connection_query(run->connection, sql, parameters, count, share(run), run->deadline,
                                         ret, error);
}

/* A lock that was taken while the query had begun already is seen and kept away from by another. */
static int ask_again_after_lock(struct run *run, const char *sql, const char *const *parameters, int count,
                                nsec most, PGresult **ret, struct error *error)
{
        int r = postgres_connection_query(run->connection, sql, parameters, count, most, run->deadline, ret,
                                          error);
        if (r == -EREMOTEIO && postgres_connection_error_is(run->connection, "55P03"))
                r = postgres_connection_query(run->connection, sql, parameters, count, most, run->deadline,
                                              ret, error);
        return r;
}

/* The same as pg_stat_activity and its like decide by. */
static int ask_for_role(struct run *run, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        int r = ask_server(
                run, "SELECT pg_has_role('pg_read_all_stats'::name, 'USAGE'), quote_ident(current_user)",
                NULL, 0, &result, error);
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
        r = ask_server(run,
                       "SELECT quote_ident(n.nspname) FROM pg_extension e"
                       " JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = $1"
                       " AND ($2::text IS NULL OR EXISTS (SELECT FROM pg_attribute a JOIN pg_class c"
                       " ON c.oid = a.attrelid WHERE c.relnamespace = n.oid AND c.relname = $1"
                       " AND a.attname = $2 AND NOT a.attisdropped))",
                       (const char *const[]){group->extension, group->column}, 2, &result, error);
        if (r < 0 || PQntuples(result) == 0)
                return r;
        *ret_sql = put_schema(group->sql, PQgetvalue(result, 0, 0));
        return *ret_sql ? 1 : error_oom(error);
}

/* What concerns one statement alone; the session goes on, or can be replaced. */
static bool is_of_one(int r)
{
        return r == -EREMOTEIO || r == -EPROTO || r == -EPERM || r == -ENOTSUP;
}

/* Takes the failure of one statement into the reasons. */
static int take_reason(int r, const char *name, struct text *reasons, struct error *error)
{
        if (!is_of_one(r))
                return error_prefix(error, r, "%s", name);
        text_printf(reasons, "%s%s: %s", reasons->length > 0 ? "; " : "", name, error_text(error));
        error_clear(error);
        return 0;
}

/* One table of a group, by its row. `seen`: the tables before it, of whom none is told twice. */
static int add_table(const struct postgres_group *group, const PGresult *result, struct text *seen,
                     int64_t *skipped, struct sample_sink *sink, struct error *error)
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
        return column_metrics_add(group->metrics, result, sink, error);
}

/* Each table on its own and in an equal part of the group's time: one that is refused or slow costs itself.
 */
static int run_tables(struct run *run, const struct postgres_group *group, const char *sql,
                      struct error *error)
{
        const struct config_strings *tables = run->plan->tables;
        const nsec until = clock_monotonic() + share(run);
        _cleanup_text_ struct text reasons = {0}, seen = {0};
        int64_t skipped = -1; /* the group does not tell */
        for (size_t i = 0; i < tables->count; i++) {
                const char *name = tables->items[i];
                _cleanup_result_ PGresult *result = NULL;
                nsec most = (until - clock_monotonic()) / (nsec)(tables->count - i);
                int r = ask_again_after_lock(run, sql, &name, 1, most, &result, error);
                if (r >= 0)
                        r = add_table(group, result, &seen, &skipped, run->sink, error);
                if (r < 0)
                        r = take_reason(r, name, &reasons, error);
                if (r < 0)
                        return r;
        }
        if (skipped >= 0)
                SAMPLE(run->sink, &postgres_skipped, (double)skipped, {"group", group->name});
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
        r = ask_again_after_lock(run, sql, parameters, count, share(run), &result, error);
        if (r >= 0)
                r = column_metrics_add(group->metrics, result, run->sink, error);
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
        int r = ask_server(run, run->plan->query, NULL, 0, &result, error);
        if (r >= 0)
                r = column_metrics_add(run->plan->metrics, result, run->sink, error);
        return r < 0 ? r : 1;
}

/* `measured`: of each group, and of the query behind them. */
static int run_all(struct run *run, bool *measured, struct text *reasons, struct error *error)
{
        const struct postgres_plan *plan = run->plan;
        bool monitor = false;
        int r = 0;
        for (size_t i = 0; i < plan->group_count; i++)
                monitor |= plan->groups[i]->monitor;
        if (monitor)
                r = ask_for_role(run, error);
        for (size_t i = 0; r >= 0 && i < plan->group_count; i++) {
                r = run_group(run, plan->groups[i], error);
                measured[i] = r > 0;
                if (r < 0)
                        r = take_reason(r, plan->groups[i]->name, reasons, error);
        }
        if (r >= 0 && plan->query) {
                r = run_query(run, error);
                measured[plan->group_count] = r > 0;
                if (r < 0)
                        r = take_reason(r, POSTGRES_QUERY_NAME, reasons, error);
        }
        return r < 0 ? r : 0;
}

/* By who has the turn. A server may have closed the kept connection long ago, which shows only when it is
 * used: one more try then. */
static int run_or_again(struct run *run, bool *measured, struct error *error)
{
        _cleanup_text_ struct text reasons = {0};
        int r = run_all(run, measured, &reasons, error);
        if (r == -ECONNRESET && run->sink->set->count == 0) {
                error_clear(error);
                text_clear(&reasons);
                r = run_all(run, measured, &reasons, error);
        }
        if (r >= 0 && reasons.length > 0)
                r = error_set(error, EREMOTEIO, "%s", text_string(&reasons));
        return r;
}

int postgres_measure(struct postgres_connection *connection, const struct postgres_plan *plan,
                     struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        _cleanup_free_ bool *measured = calloc(plan->group_count + 1, sizeof(*measured));
        struct run run = {.connection = connection, .plan = plan, .deadline = deadline, .sink = sink};
        if (!measured)
                return error_oom(error);
        int r = postgres_connection_take(connection, deadline, error);
        bool known = r != -EBUSY;
        if (r >= 0) {
                r = run_or_again(&run, measured, error);
                postgres_connection_give(connection);
                free(run.role);
        }
        if (known && r != -ENOMEM)
                SAMPLE_BARE(sink, &postgres_ready, r >= 0 || is_of_one(r));
        for (size_t i = 0; i < plan->group_count; i++)
                SAMPLE(sink, &postgres_group_success, measured[i], {"group", plan->groups[i]->name});
        if (plan->query)
                SAMPLE(sink, &postgres_group_success, measured[plan->group_count],
                       {"group", POSTGRES_QUERY_NAME});
        return r;
}
