/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter doctor`: every check is run once, and what its target said is told, not how it stands. */
#include "exporter/commands/doctor.h"

#include <errno.h>

#include "runbook/doctor.h"
#include "runbook/sandbox.h"

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
                doctor_tell_failure(doctor, what, state->result ? state->result->code : -ETIMEDOUT,
                                    *reason ? reason : "it was not run", check->advice);
        else if (state->result->samples.count == 0)
                doctor_tell(doctor, FINDING_EMPTY, what, "it answered, and there is no series");
        else
                doctor_tell(doctor, FINDING_FINE, what, "%zu series", state->result->samples.count);
}

int doctor_report(const struct once *once, const char *state_directory)
{
        struct doctor doctor = {0};
        doctor_try_clock(&doctor);
        doctor_tell_kernel(&doctor, sandbox_landlock_version(), sandbox_has_seccomp());
        doctor_try_directory(&doctor, "state.directory", state_directory);
        for (size_t i = 0; i < once->set->count; i++)
                tell_check(&doctor, &once->states[i]);
        return doctor_end(&doctor);
}
