/* SPDX-License-Identifier: Apache-2.0 */
/* Goes round the databases of a server. */
#include <errno.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/postgres/run.h"
#include "exporter/kinds/shared/globs.h"
#include "runbook/words.h"

enum { REASONS_SHOWN = 4 };

/* A database whose creation or removal was cut short has the limit -2 and takes nobody. */
static int ask_for_databases(struct run *run, PGresult **ret, struct error *error)
{
        const struct postgres_question question = {
                .sql = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
                       " AND datconnlimit <> -2 ORDER BY 1",
                .own = true,
                .most = run_share(run)};
        return postgres_connection_ask(run->connection, &question, run->deadline, ret, error);
}

static bool is_chosen(const struct postgres_plan *plan, const char *name)
{
        return globs_match(plan->databases, name) && !globs_match(plan->exclude_databases, name);
}

static int go_to(struct run *run, struct error *error)
{
        const char *home = postgres_connection_database(run->connection);
        if (deadline_passed(run->deadline))
                return error_set(error, ETIMEDOUT, "there was no time left for it");
        return string_equal(run->database, home)
                       ? 0
                       : postgres_connection_visit(run->connection, run->database, run->deadline, error);
}

/* The database whole is what failed. */
static void lose_database(struct run *run, const char *why)
{
        const struct postgres_plan *plan = run->plan;
        check_skip(run->sink, SKIP_UNREADABLE, "database %s: %s", run->database, why);
        for (size_t i = 0; i < plan->group_count; i++)
                if (plan->groups[i]->by_database)
                        run->outcomes[i] = FAILED;
        if (plan->query)
                run->outcomes[plan->group_count] = FAILED;
}

/* 1; 0 after a reason. The failure of the connection that all start from is passed on. */
static int run_database(struct run *run, struct text *reasons, struct error *error)
{
        _cleanup_text_ struct text own = {0};
        const char *home = postgres_connection_database(run->connection);
        const bool at_home = string_equal(run->database, home);
        int r = go_to(run, error);
        const bool reached = r >= 0;
        if (reached)
                r = run_groups(run, true, &own, error);
        postgres_connection_visit(run->connection, NULL, run->deadline, NULL);
        SAMPLE(run->sink, &postgres_database_ready, reached && (r >= 0 || run_is_of_one(r)),
               {"database", run->database});
        if (r == -ENOMEM || (r < 0 && reached && at_home))
                return r;
        if (r < 0) {
                lose_database(run, error_text(error));
                text_puts(&own, own.length > 0 ? "; " : "");
                text_puts(&own, error_text(error));
                error_clear(error);
        }
        if (own.length > 0)
                text_printf(reasons, "%sdatabase %s: %s", reasons->length > 0 ? "; " : "", run->database,
                            text_string(&own));
        return own.length == 0;
}

static bool is_there(const PGresult *all, const char *name)
{
        for (int row = 0; row < PQntuples(all); row++)
                if (string_equal(PQgetvalue(all, row, 0), name))
                        return true;
        return false;
}

/* A database that is named, and not there: it was dropped, or its name is another one. */
static void tell_missing(struct run *run, const PGresult *all, const char *const *names, const char *missing,
                         struct text *reasons)
{
        const char *nearest = words_nearest(names, (size_t)PQntuples(all), missing);
        _cleanup_text_ struct text why = {0};
        text_printf(&why, "there is none of this name that takes connections%s%s%s",
                    nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
        run->database = missing;
        lose_database(run, text_string(&why));
        SAMPLE(run->sink, &postgres_database_ready, 0, {"database", missing});
        text_printf(reasons, "%sdatabase %s: %s", reasons->length > 0 ? "; " : "", missing,
                    text_string(&why));
        run->database = NULL;
}

/* How many of those without a pattern are missing; -ENOMEM. */
static int tell_all_missing(struct run *run, const PGresult *all, struct text *reasons)
{
        const struct config_strings *wanted = run->plan->databases;
        _cleanup_free_ const char **names = calloc((size_t)PQntuples(all) + 1, sizeof(*names));
        int missing = 0;
        if (!names)
                return -ENOMEM;
        for (int row = 0; row < PQntuples(all); row++)
                names[row] = PQgetvalue(all, row, 0);
        for (size_t i = 0; i < wanted->count; i++) {
                const char *name = wanted->items[i];
                if (strpbrk(name, "*?[\\") || is_there(all, name) ||
                    globs_match(run->plan->exclude_databases, name))
                        continue;
                tell_missing(run, all, names, name, reasons);
                missing++;
        }
        return missing;
}

static int run_chosen(struct run *run, const PGresult *all, struct text *reasons, struct error *error)
{
        const struct deadline deadline = run->deadline;
        _cleanup_text_ struct text unshown = {0};
        size_t failed = 0, chosen = 0;
        int r = 0;
        for (int row = 0; row < PQntuples(all); row++)
                chosen += is_chosen(run->plan, PQgetvalue(all, row, 0));
        nsec left = chosen > 0 ? (nsec)chosen : 1;
        for (int row = 0; r >= 0 && row < PQntuples(all); row++) {
                run->database = PQgetvalue(all, row, 0);
                if (!is_chosen(run->plan, run->database))
                        continue;
                run->deadline = deadline_earlier(deadline, deadline_in(deadline_left(deadline) / left));
                left -= left > 1;
                text_clear(&unshown);
                r = run_database(run, failed < REASONS_SHOWN ? reasons : &unshown, error);
                failed += r == 0;
        }
        run->database = NULL;
        run->deadline = deadline;
        if (r >= 0 && failed > REASONS_SHOWN)
                text_printf(reasons, "; and %zu databases more", failed - REASONS_SHOWN);
        int missing = r >= 0 ? tell_all_missing(run, all, reasons) : 0;
        if (missing < 0)
                return error_oom(error);
        if (r >= 0 && chosen == 0 && missing == 0)
                text_printf(reasons, "%sof %d databases none is one of those in `databases`",
                            reasons->length > 0 ? "; " : "", PQntuples(all));
        return r;
}

int run_databases(struct run *run, struct text *reasons, struct error *error)
{
        _cleanup_result_ PGresult *all = NULL;
        int r = ask_for_databases(run, &all, error);
        if (r < 0)
                return run_take_reason(r, "databases", reasons, error);
        return run_chosen(run, all, reasons, error);
}
