/* SPDX-License-Identifier: Apache-2.0 */
/* Each target is asked what it is asked in an emergency, and none is changed. */
#include "responder/commands/doctor.h"

#include <errno.h>
#include <stdlib.h>

#include "responder/remediation/action.h"
#include "responder/remediation/probes.h"
#include "runbook/doctor.h"

#define PATIENCE (10 * NSEC_PER_SEC) /* for each answer */

static void tell_probed(struct doctor *doctor, struct target_name name, int result, const struct text *said,
                        const struct error *error)
{
        _cleanup_free_ char *what = text_format("%s%s%s", name.kind, *name.name ? " " : "", name.name);
        enum finding finding = result < 0              ? FINDING_BROKEN
                               : result == PROBE_EMPTY ? FINDING_EMPTY
                                                       : FINDING_FINE;
        doctor_tell(doctor, finding, what ? what : name.kind, "%s",
                    result < 0 ? error_text(error) : text_string(said));
}

/* As each would be asked in an emergency. */
static void try_targets(struct doctor *doctor, struct targets *targets)
{
        const struct target_set *set = targets_set(targets);
        for (size_t i = 0; i < targets_probe_count(set); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_text_ struct text said = {0};
                int r = targets_probe(targets, i, deadline_in(PATIENCE), &said, &error);
                tell_probed(doctor, targets_probe_name(set, i), r, &said, &error);
        }
}

static void try_others(struct doctor *doctor, const struct remediation_set *set)
{
        struct target_probe *probes = NULL;
        size_t count = 0;
        if (remediation_probes(set, &probes, &count, NULL) < 0)
                return;
        for (size_t i = 0; i < count; i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_text_ struct text said = {0};
                int r = probes[i].ask(probes[i].context, deadline_in(PATIENCE), &said, &error);
                tell_probed(doctor, probes[i].name, r, &said, &error);
        }
        free(probes);
}

/* With letters where an alert's values will stand, a query is read as it will be, and mostly finds nothing.
 */
static void try_query(struct doctor *doctor, struct targets *targets, const char *what, const char *query)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *filled = bind_fill(query);
        bool holds = false, bound = filled && strcmp(filled, query) != 0;
        double value;
        if (!filled)
                return;
        int r = targets_query_holds(targets, filled, TARGETS_ANY_AGE, deadline_in(PATIENCE), &holds, &value,
                                    &error);
        if (r < 0 && r != -ENODATA)
                doctor_tell(doctor, FINDING_BROKEN, what, "%s", error_text(&error));
        else if (r >= 0 && holds)
                doctor_tell(doctor, FINDING_FINE, what, "the query holds now, with %g", value);
        else if (bound)
                doctor_tell(doctor, FINDING_FINE, what,
                            "the query is understood; it needs an alert's values");
        else if (r < 0)
                doctor_tell(doctor, FINDING_EMPTY, what, "the query is understood, and has no answer now: %s",
                            error_text(&error));
        else
                doctor_tell(doctor, FINDING_EMPTY, what, "the query is understood, and does not hold now");
}

static void try_check(struct doctor *doctor, struct targets *targets, const char *what, const char *check)
{
        _cleanup_error_ struct error error = {0};
        bool holds = false;
        int r = targets_check_holds(targets, check, TARGETS_ANY_AGE, deadline_in(PATIENCE), &holds, &error);
        if (r < 0)
                doctor_tell(doctor, r == -ENODATA ? FINDING_EMPTY : FINDING_BROKEN, what, "%s",
                            error_text(&error));
        else
                doctor_tell(doctor, FINDING_FINE, what, "the check %s %s now", check,
                            holds ? "succeeds" : "fails");
}

static void try_remediation(struct doctor *doctor, struct targets *targets,
                            const struct remediation *remediation)
{
        _cleanup_free_ char *what = text_format("remediation %s", remediation->name);
        if (!what)
                return;
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                doctor_try_secrets(doctor, what, step->action->fields, step->config);
        }
        if (remediation->verify.query)
                try_query(doctor, targets, what, remediation->verify.query);
        if (remediation->verify.check)
                try_check(doctor, targets, what, remediation->verify.check);
}

int doctor_command(const struct remediation_set *set, struct targets *targets)
{
        struct doctor doctor = {0};
        doctor_try_secrets(&doctor, "secrets", target_fields, &set->targets);
        try_targets(&doctor, targets);
        try_others(&doctor, set);
        for (size_t i = 0; i < set->count; i++)
                try_remediation(&doctor, targets, &set->remediations[i]);
        return doctor_end(&doctor);
}
