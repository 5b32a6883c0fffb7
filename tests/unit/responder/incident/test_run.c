/* SPDX-License-Identifier: Apache-2.0 */
/* What an incident in a worker's hands must be, for each of its stages; and a change of its state. */
#include "responder/incident/run.h"

#include "responder/incident/stages/stages.h"
#include "tests/harness/breaking.h"
#include "tests/harness/world.h"

static struct incident_parts parts = {.world = &clocks_only};
static const struct remediation restart = {.name = (char[]){"restart"}};

/* A stage, and what it must not be given. */
static const struct {
        incident_stage *stage;
        struct incident incident;
        const char *sentence;
} wrong[] = {
        {stage_start, {.state = INCIDENT_RUNNING}, "only what waits is started"},
        {stage_start, {.state = INCIDENT_HELD, .step_count = 1}, "the steps are those it was opened with"},
        {stage_run, {.state = INCIDENT_VERIFYING}, "it runs, by its remediation"},
        {stage_verify, {.state = INCIDENT_RUNNING}, "only what has run is verified"},
        {stage_verify, {.state = INCIDENT_VERIFYING}, "there is something to ask"},
        {stage_aftermath, {.state = INCIDENT_HEALED, .ended_at = 1}, "only what is lost has an aftermath"},
        {stage_aftermath, {.state = INCIDENT_FAILED, .ended_at = 1}, "it has not ended"},
        {stage_expire, {.state = INCIDENT_RUNNING}, "only what waits expires"},
        {stage_tidy, {.state = INCIDENT_FAILED}, "only what has ended is tidied up"},
};

static void carry(void *argument)
{
        size_t i = *(const size_t *)argument;
        struct incident_run run = {.parts = &parts, .remediation = &restart, .incident = wrong[i].incident};
        wrong[i].stage(&run, NULL);
}

static void test_a_stage_is_for_its_states(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
                must_break(wrong[i].sentence, carry, &i);
}

static void enter(void *argument)
{
        const struct incident incident = {
                .id = 1, .number = (char[]){"INC-2026-0001"}, .state = INCIDENT_RECEIVED};
        incident_enter(&parts, &incident, argument, NULL);
}

static void test_a_change_is_whole(void **state)
{
        (void)state;
        struct incident_change change = {.event = "running"};
        must_break("a change leads somewhere", enter, &change);
        change.to = INCIDENT_HELD;
        must_break("who is held has a guard, and nobody else", enter, &change);
        change.to = INCIDENT_RUNNING;
        change.step = 1;
        must_break("a change is of a step that there is", enter, &change);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_stage_is_for_its_states),
                cmocka_unit_test(test_a_change_is_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
