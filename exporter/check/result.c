/* SPDX-License-Identifier: Apache-2.0 */
/* What a run measured, and how its check stands. */
#include "exporter/check/result.h"

#include "runbook/trace.h"

#define NOT_YET "has not run yet"

const struct standing_style standing_styles[] = {
        [STANDING_PASS] = {"pass", "passes", "PASS", "✓", "good", "\033[32m"},
        [STANDING_WARN] = {"warn", "warns", "WARN", "!", "wait", "\033[33m"},
        [STANDING_FAIL] = {"fail", "fails", "FAIL", "✗", "bad", "\033[31m"},
        [STANDING_UNKNOWN] = {"unknown", "unknown", "UNKNOWN", "?", "wait", "\033[33m"},
        [STANDING_NOT_SET_UP] = {"not_set_up", "not set up", "NOT SET UP", "–", "dim", "\033[2m"},
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
        verdict_release(&result->verdict);
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

/* Of a run that did not end, or ended with a failure that says no more. */
static enum standing standing_without_answer(const struct check_state *state)
{
        return state->check->kind->indirect ? STANDING_UNKNOWN : STANDING_FAIL;
}

static enum standing standing_after_failure(const struct check_state *state)
{
        const struct check_result *result = state->result;
        if (result->not_set_up && !state->known)
                return STANDING_NOT_SET_UP;
        switch (result->meaning) {
        case ERROR_NOT_LOOKED: return STANDING_UNKNOWN;
        case ERROR_FAILED: return STANDING_FAIL;
        default: return standing_without_answer(state);
        }
}

enum standing check_state_standing(const struct check_state *state)
{
        const struct check_result *result = state->result;
        /* What was measured to fail does so, whatever else could not be measured. */
        if (result && result->verdict.beyond[THRESHOLD_FAIL] > 0)
                return STANDING_FAIL;
        if (state->overdue)
                return standing_without_answer(state);
        if (!result)
                return STANDING_UNKNOWN;
        if (result->code < 0)
                return standing_after_failure(state);
        if (verdict_count_unknown(&result->verdict) > 0)
                return STANDING_UNKNOWN;
        return result->verdict.beyond[THRESHOLD_WARN] > 0 ? STANDING_WARN : STANDING_PASS;
}

bool check_state_needs_advice(const struct check_state *state)
{
        for (enum threshold_level level = 0; state->result && level < THRESHOLD_LEVELS; level++)
                if (state->result->verdict.beyond[level] > 0)
                        return true;
        return check_state_standing(state) == STANDING_FAIL;
}

void check_state_tell(const struct check_state *state, verdict_teller tell, void *context)
{
        if (!state->result)
                return;
        verdict_tell_beyond(&state->result->verdict, tell, context);
        if (state->result->code >= 0)
                verdict_tell_unknown(&state->result->verdict, tell, context);
}

void check_state_tell_skipped(const struct check_state *state, verdict_teller tell, void *context)
{
        for (size_t i = 0; state->result && i < SKIP_REASONS; i++) {
                uint64_t count = state->result->skipped.of[i].count;
                const char *items = skipped_items_text(&state->result->skipped, (enum skip_reason)i);
                _cleanup_text_ struct text words = {0};
                if (count == 0 || (*items && strstr(check_state_reason(state), items)))
                        continue;
                text_printf(&words, "%llu %s skipped%s%s", (unsigned long long)count,
                            count == 1 ? "item was" : "items were", *items ? ": " : "", items);
                tell(text_string(&words), skip_reasons[i], context);
        }
}

uint64_t check_state_cut(const struct check_state *state)
{
        return state->result ? state->result->verdict.cut : 0;
}

void check_state_release(struct check_state *state)
{
        state->result = check_result_unref(state->result);
}
