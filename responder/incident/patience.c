/* SPDX-License-Identifier: Apache-2.0 */
/* What fails for the moment only is tried again within a time of its own. */
#include "responder/incident/patience.h"

#include "runbook/assert.h"

#define AGAIN_FIRST NSEC_PER_SEC
#define AGAIN_MOST (15 * NSEC_PER_SEC)

struct deadline patience_begin(struct incident_run *run, enum patience_for what, size_t step, nsec within)
{
        assert_that(what != PATIENCE_NONE && (step > 0) == (what != PATIENCE_START),
                    "something is tried, of a step or of all");
        struct patience *patience = &run->patience;
        nsec now = world_monotonic(run->parts->world);
        /* What nobody could try for that long, for a pause or a guard, loses no time by that. */
        if (patience->free != 0 && now > patience->free)
                patience->until += now - patience->free;
        patience->free = 0;
        if (patience->what != what || patience->step != step || now >= patience->until)
                *patience = (struct patience){.what = what, .step = step, .until = now + within};
        return (struct deadline){.at = patience->until};
}

static int tell(struct incident_run *run, const char *event, const char *reason, struct error *error)
{
        _cleanup_json_ cJSON *detail = reason_detail(reason, NULL);
        if (!detail)
                return error_oom(error);
        run_warn(run, "What has failed is tried again", reason);
        /* Of a step that is under way its record stays as it is. */
        struct journal_entry entry = {
                .event = event, .expect = run->incident.state, .step = run->patience.step, .detail = detail};
        return run_write(run, &entry, error);
}

int patience_again(struct incident_run *run, const char *event, const struct error *why, struct error *error)
{
        struct patience *patience = &run->patience;
        assert_that(patience->what != PATIENCE_NONE, "what has failed was tried");
        patience->tries++;
        nsec wait = patience->wait == 0 ? AGAIN_FIRST : patience->wait * 2;
        if (wait > AGAIN_MOST)
                wait = AGAIN_MOST;
        nsec next = world_monotonic(run->parts->world) + wait;
        if (!why->may_pass || next >= patience->until)
                return 0;
        patience->wait = wait;
        patience->free = next;
        if (patience->tries == 1) {
                int r = tell(run, event, error_text(why), error);
                if (r < 0)
                        return r;
        }
        run->look_again = next;
        return 1;
}

void patience_stop(struct incident_run *run)
{
        run->patience.free = world_monotonic(run->parts->world);
}

unsigned patience_end(struct incident_run *run)
{
        unsigned tries = run->patience.tries;
        run->patience = (struct patience){0};
        return tries;
}
