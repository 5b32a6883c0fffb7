/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of actions share: the actions themselves, plans and outcomes built, containers chosen. */
#ifndef RESPONDER_ACTIONS_COMMON_H
#define RESPONDER_ACTIONS_COMMON_H

#include "responder/remediation/action.h"
#include "runbook/docker_container.h"

/* `when_empty:` of actions that select something. */
enum when_empty { WHEN_EMPTY_FAIL, WHEN_EMPTY_SKIP };
extern const char *const when_empty_words[];

/* A plan: {"summary": <sentence>, "targets": n}; and an outcome: {"summary": <sentence>}. */
int plan_new(cJSON **ret, int64_t targets, struct error *error, const char *format, ...) _printf_(4, 5);
int outcome_new(cJSON **ret, struct error *error, const char *format, ...) _printf_(3, 4);

/* A JSON string, or null for NULL; NULL when out of memory. */
cJSON *json_text(const char *string);
cJSON *json_copy(const cJSON *item); /* null for NULL */

/* Puts `item` at the end and takes it, also on failure (-ENOMEM). */
int json_append(cJSON *array, cJSON *item);

/* Sleeps, but not beyond the deadline. */
void pause_for(nsec duration, struct deadline deadline);
struct deadline deadline_later(struct deadline a, struct deadline b);

/*
 * The containers of one service of the project, running or not, as the Engine lists them; what
 * docker_recreate keeps for an undo is left out. -ESRCH with what was looked for when there is none.
 */
int docker_select(struct step_run *run, struct docker *docker, const char *service, cJSON **ret,
                  struct error *error);

/* Complains when the file has no `docker:` section. For use as the check of an action, too. */
void docker_section_check(const void *config, const struct target_set *targets, struct config_node *node);

/* -EPERM for containers named in `protect:` and for the one that the responder itself runs in; -errno when it
 * could not be found out whether it is that one. */
int docker_refuse_protected(const struct step_run *run, const cJSON *container, struct error *error);

/* The project that docker.* act in. */
const char *docker_project(const struct step_run *run);

/* "up 2h5m", "exited": the state of an inspected container, for a sentence; free() it. */
char *docker_state_text(const cJSON *inspected);

#endif
