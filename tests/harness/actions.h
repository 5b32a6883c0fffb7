/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiny actions in place of the shipped ones, and a record of what was called on them.
 *
 * Whatever program calls one of these functions has this table instead of the responder's: act.once
 * (irreversible), act.again (repeatable), act.resumed (it can say what became of it) and act.undone (it can
 * be undone). Each takes `name`, which is what the record calls it; `targets` of its plan; `fails`,
 * `plan_fails` and `undo_fails`; `waits` for open_gate(); `found`, what act.resumed finds after a crash:
 * done, again or unknown; and `away`, `plan_away` and `resume_away`: at so many first tries of each it fails
 * as one does whose target is away for a moment.
 *
 * The record has one word for each call, in their order: "plan:a run:a undo:a settle:a resume:a".
 */
#ifndef TESTS_HARNESS_ACTIONS_H
#define TESTS_HARNESS_ACTIONS_H

#include "tests/harness/unit.h"

#include "runbook/common.h"

/* From now on the plans of those are others than before. */
void move_world(void);

/* Empties the record, closes the gate and lets what is to fail fail: before a test. */
void reset_actions(void);

bool action_called(const char *word);

/* What whoever asks for people at what an action acts upon is told: 1: somebody is there, since just now; 0:
 * nobody; -EACCES: that cannot be known. reset_actions() sends them away. */
void see_people(int result);

/* Waits until it was called; fails the test after 20 seconds. */
void await_action_call(const char *word);

void forget_action_calls(void);

/* The calls of these kinds, say "run undo", without the others; to be freed. */
char *action_calls(const char *kinds);

#define assert_action_calls(kinds, wanted)                         \
        do {                                                       \
                _cleanup_free_ char *_calls = action_calls(kinds); \
                assert_string_equal(_calls, wanted);               \
        } while (0)

/* Lets run() of those end that wait. */
void open_gate(void);

/* From now on nothing fails any more in run() and undo(), whatever its arguments say. */
void mend_actions(void);

/* A moment between two looks at what another thread does. */
void poll_pause(void);

#endif
