/* SPDX-License-Identifier: Apache-2.0 */
/* What a run measured, and how its check stands. */
#include "exporter/check/result.h"

#include "runbook/trace.h"

#define NOT_YET "has not run yet"

const struct standing_style standing_styles[] = {
        [STANDING_PASS] = {"pass", "passes", "PASS", "✓", "good", "\033[32m"},
        [STANDING_WARN] = {"warn", "warns", "WARN", "!", "wait", "\033[33m"},
        [STANDING_FAIL] = {"fail", "fails", "FAIL", "✗", "bad", "\033[31m"},
        [STANDING_UNKNOWN] = {"unknown", "not run yet", "UNKNOWN", "…", "wait", "\033[33m"},
};
tables_agree(standing_styles, STANDINGS);

struct check_result *check_result_ref(struct check_result *result)
{
        if (result)
                __atomic_add_fetch(&result->references, 1, __ATOMIC_RELAXED);
        return result;
}

struct check_result *check_result_unref(struct check_result *result)
{
        if (!result || __atomic_sub_fetch(&result->references, 1, __ATOMIC_ACQ_REL) > 0)
                return NULL;
        sample_set_release(&result->samples);
        sample_set_release(&result->durations);
        skipped_items_release(&result->skipped);
        free(result->reason);
        trace_free(result->trace);
        free(result);
        return NULL;
}

const char *check_state_reason(const struct check_state *state)
{
        if (state->overdue)
                return CHECK_OVERDUE;
        if (!state->result)
                return state->running ? "is running for the first time" : NOT_YET;
        return state->result->reason ? state->result->reason : "";
}

enum standing check_state_standing(const struct check_state *state)
{
        const struct check_result *result = state->result;
        if (!result)
                return state->overdue ? STANDING_FAIL : STANDING_UNKNOWN;
        if (!state->success || result->beyond[THRESHOLD_FAIL] > 0)
                return STANDING_FAIL;
        return result->beyond[THRESHOLD_WARN] > 0 ? STANDING_WARN : STANDING_PASS;
}

void check_state_release(struct check_state *state)
{
        state->result = check_result_unref(state->result);
}
