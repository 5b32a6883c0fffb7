/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person is asked about an incident: which plan, by how many it has to be agreed to, and who has.
 *
 * The journal keeps it as JSON from the moment of the question, `asked` of the incident:
 *
 *     {"plan": "<sha256>", "steps": {"1": {"sha256": "…", "targets": 2}, …}, "whole": true, "people": 2,
 *      "at": 1234567, "own": true, "agreed": [{"who": "ada", "actor": "ada (password)"}]}
 *
 * By "plan" a person says which question it is that is answered. Of each step that changes something and that
 * the rest depends on, "steps" has what its plan is by: as its action `counts`. A yes is of these; by another
 * plan nothing runs. "whole": of all steps that are left; else of those alone that stand there. "at" is the
 * steady time in milliseconds.
 */
#ifndef RESPONDER_INCIDENT_QUESTION_H
#define RESPONDER_INCIDENT_QUESTION_H

#include "responder/incident/run.h"

/* Why `approval:` asks about these plans (NULL of a journal, of which nobody knows how often it has run);
 * NULL: it does not; free() it. */
int question_needed(const struct remediation *remediation, const struct remediation_set *set,
                    const cJSON *plans, const char *lock, nsec wall, struct journal *journal, char **ret,
                    struct error *error);

/* The question about all that was planned. `own`: nothing but `approval:` asks it. */
int question_make(const struct incident_run *run, const cJSON *plans, const cJSON *definition, bool own,
                  cJSON **ret, struct error *error);

/* The question about one step that is about to begin: what else was agreed to stays so. */
int question_about_step(const struct incident_run *run, size_t step, const struct action *action,
                        const cJSON *plan, cJSON **ret, struct error *error);

/* What is otherwise now than a person has agreed to, in words; NULL: nothing; free() it. Of what was agreed
 * to before there were questions (`asked` is "") nothing is. */
int question_differs(const struct incident_run *run, const cJSON *plans, char **ret, struct error *error);
int question_step_differs(const struct incident_run *run, size_t step, const struct action *action,
                          const cJSON *plan, char **ret, struct error *error);

/*
 * Somebody agrees: `ret` is the question with him in it, and `ret_enough` whether that is enough. -EALREADY:
 * he has already, or somebody who has shown the same; -ESTALE: `plan` (the first figures of it; NULL: any) is
 * not what is asked about.
 */
int question_agree(const struct incident *incident, const char *actor, const char *plan, cJSON **ret,
                   bool *ret_enough, struct error *error);

/* When nobody may answer any more (steady); 0: not before it expires. And what follows then. */
nsec question_deadline(const struct incident *incident, const struct remediation *remediation);
int question_on_timeout(const struct incident *incident, const struct remediation *remediation);

/* Whether people have said yes to the run of this incident, and not a deadline that nobody has answered by.
 */
bool question_is_answered(const struct incident *incident);

/* For who shows it: how many have to agree, and who has, "ada (password), bob" ("" for nobody); the first
 * figures of what is asked about, "" when it is not known. */
enum { QUESTION_SHOWN = 12 };
struct question_shown {
        int64_t people, agreed;
        char *who;
        char plan[QUESTION_SHOWN + 1];
};
int question_show(const struct incident *incident, struct question_shown *ret, struct error *error);

#endif
