/* SPDX-License-Identifier: Apache-2.0 */
/* Each target is asked what it is asked in an emergency, and none is changed. */
#include "responder/commands/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "responder/remediation/action.h"
#include "responder/remediation/probes.h"
#include "runbook/doctor.h"
#include "runbook/sandbox.h"

#define PATIENCE (10 * NSEC_PER_SEC) /* for each answer */

static void tell_probed(struct doctor *doctor, struct target_name name, int result, const struct text *said,
                        const struct error *error)
{
        _cleanup_free_ char *what = text_format("%s%s%s", name.kind, *name.name ? " " : "", name.name);
        enum finding finding = result < 0              ? FINDING_BROKEN
                               : result == PROBE_EMPTY ? FINDING_EMPTY
                                                       : FINDING_FINE;
        if (result < 0)
                doctor_tell_failure(doctor, what ? what : name.kind, result, error_text(error), NULL);
        else
                doctor_tell(doctor, finding, what ? what : name.kind, "%s", text_string(said));
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

/* Whether it would be let do what it does: refused in the night is too late. */
static void try_rights(struct doctor *doctor, struct targets *targets, const char *remediation,
                       const struct step *step)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text advice = {0};
        _cleanup_free_ char *what = text_format("%s, %s", remediation, step->action->name);
        if (!step->action->rights || !what)
                return;
        int r = step->action->rights(step->config, targets, deadline_in(PATIENCE), &advice, &error);
        if (r < 0)
                doctor_tell_failure(doctor, what, advice.length > 0 ? 0 : r, error_text(&error),
                                    text_string(&advice));
        else
                doctor_tell(doctor, FINDING_FINE, what, "it would be let do so");
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
                try_rights(doctor, targets, what, step);
        }
        if (remediation->verify.query)
                try_query(doctor, targets, what, remediation->verify.query);
        if (remediation->verify.check)
                try_check(doctor, targets, what, remediation->verify.check);
}

/* The directory of the journal, which has more than one file. */
static void try_journal(struct doctor *doctor, const char *journal)
{
        const char *slash = strrchr(journal, '/');
        _cleanup_free_ char *directory = !slash             ? strdup(".")
                                         : slash == journal ? strdup("/")
                                                            : strndup(journal, (size_t)(slash - journal));
        doctor_try_directory(doctor, "journal", directory);
}

int doctor_command(const struct remediation_set *set, struct targets *targets, const char *journal)
{
        struct doctor doctor = {0};
        doctor_try_clock(&doctor);
        doctor_tell_kernel(&doctor, sandbox_landlock_version(), sandbox_has_seccomp());
        try_journal(&doctor, journal);
        doctor_try_secrets(&doctor, "secrets", target_fields, &set->targets);
        try_targets(&doctor, targets);
        try_others(&doctor, set);
        for (size_t i = 0; i < set->count; i++)
                try_remediation(&doctor, targets, &set->remediations[i]);
        return doctor_end(&doctor);
}
