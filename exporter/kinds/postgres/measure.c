/* SPDX-License-Identifier: Apache-2.0 */
/* A run: the turn, what is measured of the server and of its databases, and how that went. */
#include "exporter/kinds/postgres/measure.h"

#include <errno.h>

#include "exporter/kinds/postgres/run.h"

/* A console and a server have nothing in common that could be asked. */
static int check_peer(const struct run *run, struct error *error)
{
        const struct postgres_plan *plan = run->plan;
        const bool is_console = postgres_connection_is_console(run->connection);
        if (plan->group_count == 0 || plan->groups[0]->console == is_console)
                return 0;
        return error_set(error, EPROTO,
                         is_console ? "this is PgBouncer's console, of which the groups pgbouncer_… are"
                                    : "this is no console of PgBouncer, which is its database \"pgbouncer\"");
}

static int run_all(struct run *run, struct text *reasons, struct error *error)
{
        const struct postgres_plan *plan = run->plan;
        bool monitor = false;
        int r = check_peer(run, error);
        for (size_t i = 0; i < plan->group_count; i++)
                monitor |= plan->groups[i]->monitor;
        if (r >= 0 && monitor)
                r = run_ask_for_role(run, error);
        if (r >= 0)
                r = run_groups(run, false, reasons, error);
        if (r >= 0)
                r = plan->databases->count > 0 ? run_databases(run, reasons, error)
                                               : run_groups(run, true, reasons, error);
        return r;
}

/* By who has the turn. A server may have closed the kept connection long ago, which shows only when it is
 * used: one more try then. */
static int run_or_again(struct run *run, struct error *error)
{
        _cleanup_text_ struct text reasons = {0};
        const size_t before = run->sink->set->count;
        int r = run_all(run, &reasons, error);
        if (r == -ECONNRESET && run->sink->set->count == before) {
                error_clear(error);
                text_clear(&reasons);
                r = run_all(run, &reasons, error);
        }
        if (r >= 0 && reasons.length > 0)
                r = error_set(error, EREMOTEIO, "%s", text_string(&reasons));
        return r;
}

/*
 * Whether the server was ready and its groups were measured stands before what they measured, where no
 * `max_series` cuts it off. Known it is only behind that: set_verdicts() says it then.
 */
static void add_verdicts(const struct run *run, bool known)
{
        const struct postgres_plan *plan = run->plan;
        if (known)
                SAMPLE_BARE(run->sink, &postgres_ready, 0);
        for (size_t i = 0; i < plan->group_count; i++)
                SAMPLE(run->sink, &postgres_group_success, 0, {"group", plan->groups[i]->name});
        if (plan->query)
                SAMPLE(run->sink, &postgres_group_success, 0, {"group", POSTGRES_QUERY_NAME});
}

static void set_verdicts(const struct run *run, size_t first, bool ready)
{
        const struct sample_set *set = run->sink->set;
        size_t group = 0;
        for (size_t i = first; i < set->count; i++) {
                struct sample *sample = &set->samples[i];
                if (sample->family == &postgres_ready)
                        sample->value = ready;
                else if (sample->family == &postgres_group_success)
                        sample->value = run->outcomes[group++] == MEASURED;
                else
                        return;
        }
}

int postgres_measure(struct postgres_connection *connection, const struct postgres_plan *plan,
                     struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        _cleanup_free_ enum outcome *outcomes = calloc(plan->group_count + 1, sizeof(*outcomes));
        struct run run = {.connection = connection,
                          .plan = plan,
                          .deadline = deadline,
                          .sink = sink,
                          .outcomes = outcomes};
        const size_t first = sink->set->count;
        if (!outcomes)
                return error_oom(error);
        int r = postgres_connection_take(connection, deadline, error);
        add_verdicts(&run, r != -EBUSY && r != -ENOMEM);
        if (r < 0)
                return r;
        r = run_or_again(&run, error);
        postgres_connection_give(connection);
        free(run.role);
        set_verdicts(&run, first, r >= 0 || run_is_of_one(r));
        return r;
}
