/* SPDX-License-Identifier: Apache-2.0 */
/* A maintenance: whether it holds, and what is known of it, kept over restarts. */
#include <errno.h>

#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/text.h"

#define KEY "maintenance"

struct setting {
        const struct journal_maintenance *maintenance;
        char *state, *detail; /* printed; NULL: none */
};

static int read_state(struct journal_connection *connection, char **ret, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement = journal_bind(connection, META_GET, error, "t", KEY);
        int r = statement ? journal_step(connection, statement, error) : -EIO;
        if (r < 0)
                return r;
        *ret = strdup(r > 0 ? journal_column(statement, 0) : "");
        return *ret ? 0 : error_oom(error);
}

static int write_maintenance(struct journal *journal, void *context, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        const struct setting *setting = context;
        const struct journal_maintenance *maintenance = setting->maintenance;
        _cleanup_free_ char *before = NULL;
        nsec now = world_wall(journal->world);
        int r = read_state(&journal->writer, &before, error);
        if (r >= 0 && maintenance->expect && !string_equal(before, maintenance->expect))
                return error_set(error, ESTALE, "the maintenance is another one by now");
        if (r >= 0)
                r = journal_run(&journal->writer, MAINTENANCE_FORGET, error, "");
        if (r >= 0)
                r = journal_run(&journal->writer, META_SET, error, "tt", KEY,
                                setting->state ? setting->state : "");
        if (r >= 0)
                r = journal_run(&journal->writer, META_SET, error, "ti", KEY " since",
                                (int64_t)(maintenance->holds ? now : 0));
        if (r < 0)
                return r;
        const struct timeline_row row = {.at = now,
                                         .actor = maintenance->actor,
                                         .event = maintenance->event,
                                         .state = "",
                                         .detail = setting->detail};
        return journal_append(journal, &row, error);
}

int journal_set_maintenance(struct journal *journal, const struct journal_maintenance *maintenance,
                            struct error *error)
{
        assert_that(maintenance->actor && maintenance->event, "somebody does something");
        assert_that(maintenance->state || !maintenance->holds, "what holds is known");
        struct setting setting = {.maintenance = maintenance};
        int r = 0;
        if ((maintenance->state && !(setting.state = json_print(maintenance->state))) ||
            (maintenance->detail && !(setting.detail = json_print(maintenance->detail))))
                r = error_oom(error);
        if (r >= 0)
                r = journal_perform_first(journal, write_maintenance, &setting, error);
        free(setting.state);
        free(setting.detail);
        return r;
}

int journal_maintenance(struct journal *journal, bool *ret_holds, char **ret_state, struct error *error)
{
        READING(journal);
        nsec since = 0;
        _cleanup_free_ char *state = NULL;
        int r = seals_read_maintenance(&journal->reader, &since, error);
        if (r >= 0)
                r = read_state(&journal->reader, &state, error);
        if (r < 0)
                return r;
        *ret_holds = since != 0;
        *ret_state = TAKE_PTR(state);
        return 0;
}
