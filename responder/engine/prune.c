/* SPDX-License-Identifier: Apache-2.0 */
/* The journal does not grow for ever: now and then what is old is let go of, a little at a time. */
#include "responder/engine/internal.h"
#include "runbook/log.h"

#define PRUNE_FIRST (60 * NSEC_PER_SEC) /* after the start: whatever waits comes before */
#define PRUNE_EVERY (3600 * NSEC_PER_SEC)
#define PRUNE_MORE (125 * NSEC_PER_MSEC)

static nsec longer(nsec one, nsec other)
{
        return one > other ? one : other;
}

/* What the guards may still ask about. */
static nsec longest_memory(const struct remediation_set *set)
{
        nsec longest = longer(set->limit_all.period, longer(set->breaker.period, set->storm.period));
        for (size_t i = 0; i < set->count; i++)
                longest = longer(longest,
                                 longer(set->remediations[i].cooldown, set->remediations[i].limit.period));
        return longer(longest, TARGETS_RETENTION_LEAST);
}

void engine_prune(struct look *look)
{
        struct engine *engine = look->engine;
        const struct remediation_set *set = engine->parts.set;
        if (engine->prune_at == 0)
                engine->prune_at = look->now + PRUNE_FIRST;
        if (look->now >= engine->prune_at) {
                const struct journal_retention retention = {
                        .before = look->steady - set->targets.journal_retention,
                        .kept = look->steady - longest_memory(set),
                        .size = set->targets.journal_size,
                };
                _cleanup_error_ struct error error = {0};
                bool more = false;
                if (journal_prune(engine->parts.journal, &retention, &more, &error) < 0)
                        log_event(LOG_WARN, "The journal could not be pruned", "error", error_text(&error),
                                  NULL);
                engine->prune_at = look->now + (more ? PRUNE_MORE : PRUNE_EVERY);
        }
        look_again_at(look, engine->prune_at);
}
