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
        int r = run_all(run, &reasons, error);
        if (r == -ECONNRESET && run->sink->set->count == 0) {
                error_clear(error);
                text_clear(&reasons);
                r = run_all(run, &reasons, error);
        }
        if (r >= 0 && reasons.length > 0)
                r = error_set(error, EREMOTEIO, "%s", text_string(&reasons));
        return r;
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
        if (!outcomes)
                return error_oom(error);
        int r = postgres_connection_take(connection, deadline, error);
        bool known = r != -EBUSY;
        if (r >= 0) {
                r = run_or_again(&run, error);
                postgres_connection_give(connection);
                free(run.role);
        }
        if (known && r != -ENOMEM)
                SAMPLE_BARE(sink, &postgres_ready, r >= 0 || run_is_of_one(r));
        for (size_t i = 0; i < plan->group_count; i++)
                SAMPLE(sink, &postgres_group_success, outcomes[i] == MEASURED,
                       {"group", plan->groups[i]->name});
        if (plan->query)
                SAMPLE(sink, &postgres_group_success, outcomes[plan->group_count] == MEASURED,
                       {"group", POSTGRES_QUERY_NAME});
        return r;
}
