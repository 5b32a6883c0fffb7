/* SPDX-License-Identifier: Apache-2.0 */
/* The kill switch: whether it is on, since when, by whom, and why. */
#include <errno.h>

#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/assert.h"
#include "runbook/text.h"

struct pausing {
        bool paused;
        const char *actor;
        char *detail;
};

static int write_pause(struct journal *journal, void *context, struct error *error)
{
        assert_that(is_writing(journal), "what is written is the writer's, in a transaction");
        const struct pausing *pausing = context;
        nsec now = world_wall(journal->world);
        int r = journal_run(&journal->writer, PAUSED_FORGET, error, "");
        if (r >= 0)
                r = journal_run(&journal->writer, PAUSED_SET, error, "i",
                                (int64_t)(pausing->paused ? now : 0));
        if (r < 0)
                return r;
        const struct timeline_row row = {
                .at = now,
                .actor = pausing->actor,
                .event = pausing->paused ? "paused" : "resumed",
                .state = "",
                .detail = pausing->detail,
        };
        return journal_append(journal, &row, error);
}

int journal_set_paused(struct journal *journal, bool paused, const char *actor, const char *reason,
                       struct error *error)
{
        struct pausing pausing = {.paused = paused, .actor = actor};
        if (reason && *reason) {
                _cleanup_text_ struct text text = {0};
                text_puts(&text, "{\"reason\":");
                text_put_json(&text, reason);
                text_putc(&text, '}');
                if (!(pausing.detail = text_take(&text)))
                        return error_oom(error);
        }
        int r = journal_perform_first(journal, write_pause, &pausing, error);
        free(pausing.detail);
        return r;
}

int journal_paused(struct journal *journal, bool *ret, nsec *ret_since, struct error *error)
{
        READING(journal);
        nsec since = 0;
        int r = seals_read_pause(&journal->reader, &since, error);
        if (r < 0)
                return r;
        *ret = since != 0;
        if (ret_since)
                *ret_since = since;
        return 0;
}

int journal_paused_by(struct journal *journal, nsec since, char **ret_actor, char **ret_reason,
                      struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, PAUSED_BY, error, "i", since);
        return statement ? read_who_and_why(journal, statement, ret_actor, ret_reason, error) : -EIO;
}
