/* SPDX-License-Identifier: Apache-2.0 */
/* A question that nobody has answered: what follows when its deadline is over. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "responder/incident/question.h"
#include "runbook/log.h"

/* By the file, and nobody else: it is as if it were approved, of the plan that was asked about. */
static int run_unanswered(struct look *look, const struct incident *incident, const char *reason,
                          struct error *error)
{
        _cleanup_json_ cJSON *detail = reason_detail(reason, NULL);
        const struct journal_entry approved = {
                .incident = incident->id,
                .actor = "engine",
                .event = "approved",
                .expect = incident->state,
                .expect_asked = incident->asked,
                .approve = true,
                .detail = detail,
        };
        int r = journal_write(look->engine->parts.journal, &approved, error);
        if (r >= 0)
                log_event(LOG_INFO, "Nobody has answered, so it runs", "incident", incident->number, "reason",
                          reason, NULL);
        look_again_at(look, look->now);
        return r == -ESTALE ? 0 : r;
}

static int deny_unanswered(struct look *look, const struct incident *incident, const char *reason,
                           struct error *error)
{
        _cleanup_json_ cJSON *detail = reason_detail(reason, NULL);
        const struct incident_change denied = {.to = INCIDENT_DENIED, .event = "denied", .detail = detail};
        return look_enter(look, incident, &denied, error);
}

int look_unanswered(struct look *look, struct incident *incident, const struct remediation *remediation,
                    struct error *error)
{
        char within[DURATION_TEXT_MAX];
        nsec deadline = question_deadline(incident, remediation);
        if (deadline == 0)
                return look_tell_owed(look, incident, remediation, error);
        if (look->steady < deadline) {
                look_again_at(look, look->now + (deadline - look->steady));
                return look_tell_owed(look, incident, remediation, error);
        }
        _cleanup_free_ char *reason = text_format("nobody approved it within %s",
                                                  duration_format(remediation->approval.deadline, within));
        if (!reason)
                return error_oom(error);
        switch (question_on_timeout(incident, remediation)) {
        case ON_TIMEOUT_DENY: return deny_unanswered(look, incident, reason, error);
        case ON_TIMEOUT_RUN: return run_unanswered(look, incident, reason, error);
        default: return engine_dispatch(look, incident, remediation, WORLD_CALLS, stage_expire, "", error);
        }
}
