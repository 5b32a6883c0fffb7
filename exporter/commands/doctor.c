/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter doctor`: every check is run once, and what its target said is told, not how it stands. */
#include "exporter/commands/doctor.h"

#include "runbook/doctor.h"

static void tell_check(struct doctor *doctor, const struct check_state *state)
{
        const struct check *check = state->check;
        const char *reason = check_state_reason(state);
        _cleanup_free_ char *what = text_format("%s (%s)", check->name, check->kind->name);
        if (!what)
                return;
        if (!doctor_try_secrets(doctor, what, check->kind->fields, check->config))
                return; /* which is why it fails */
        if (*reason || !state->result)
                doctor_tell(doctor, FINDING_BROKEN, what, "%s", *reason ? reason : "it was not run");
        else if (state->result->samples.count == 0)
                doctor_tell(doctor, FINDING_EMPTY, what, "it answered, and there is no series");
        else
                doctor_tell(doctor, FINDING_FINE, what, "%zu series", state->result->samples.count);
}

int doctor_report(const struct once *once)
{
        struct doctor doctor = {0};
        for (size_t i = 0; i < once->set->count; i++)
                tell_check(&doctor, &once->states[i]);
        return doctor_end(&doctor);
}
