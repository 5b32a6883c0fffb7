/* SPDX-License-Identifier: Apache-2.0 */
/* New episodes: an incident is opened for every remediation that matches. */
#include <stdio.h>

#include "responder/engine/internal.h"
#include "responder/remediation/definition.h"

#define EPISODES_AT_ONCE 256

/* What one remediation would open. */
static int make_opening(const struct engine *engine, size_t index, const struct alert *alert,
                        struct journal_opening *ret, struct error *error)
{
        const struct remediation *remediation = &engine->parts.set->remediations[index];
        const char **names = calloc(remediation->step_count, sizeof(*names));
        if (!names)
                return error_oom(error);
        for (size_t i = 0; i < remediation->step_count; i++)
                names[i] = remediation->steps[i].action->name;
        /* What cannot be bound has no other's cause, and fails when it is planned. */
        char cause[DIGEST_TEXT_MAX] = "";
        char *copy = definition_cause(remediation, &engine->parts.set->targets, alert, cause, NULL) >= 0
                             ? strdup(cause)
                             : NULL;
        *ret = (struct journal_opening){remediation->name,
                                        names,
                                        remediation->step_count,
                                        copy,
                                        !remediation_changes(remediation),
                                        engine->matched_with[index]};
        return 0;
}

/* What came of a dry run was no more than a plan. */
static int name_match(const struct engine *engine, size_t index, char ret[static MATCHED_WITH_MAX],
                      struct error *error)
{
        char sum[DIGEST_TEXT_MAX];
        const struct remediation_set *set = engine->parts.set;
        bool dry = engine->parts.dry_run || set->remediations[index].dry_run;
        int r = definition_digest(&set->remediations[index], &set->targets, sum, error);
        if (r >= 0)
                snprintf(ret, MATCHED_WITH_MAX, "%s%s", dry ? "dry run " : "", sum);
        return r;
}

/* Once after a start: with what alerts are matched from now on, and those again that were with something
 * else. */
static int match_anew(struct engine *engine, struct error *error)
{
        const struct remediation_set *set = engine->parts.set;
        unsigned char sum[DIGEST_SIZE];
        char whole[DIGEST_TEXT_MAX];
        _cleanup_digest_ struct digest digest = {0};
        if (engine->matched_with)
                return 0;
        _cleanup_free_ char(*with)[MATCHED_WITH_MAX] = calloc(set->count + 1, sizeof(*with));
        if (!with)
                return error_oom(error);
        for (size_t i = 0; i < set->count; i++) {
                int r = name_match(engine, i, with[i], error);
                if (r < 0)
                        return r;
                digest_add(&digest, with[i], sizeof(with[i]));
        }
        if (digest_end(&digest, sum) < 0)
                return error_oom(error);
        int r = journal_match_anew(engine->parts.journal, digest_text(sum, whole), error);
        if (r >= 0)
                engine->matched_with = TAKE_PTR(with);
        return r;
}

/* OUTCOME_UNMATCHED when no remediation is for it: then nothing was written. */
static int open_incidents(struct engine *engine, const struct episode *episode, enum alert_outcome *ret,
                          struct error *error)
{
        assert_that(episode->id != 0, "an incident is of an episode");
        const struct remediation_set *set = engine->parts.set;
        const char *only = alert_label(&episode->alert, ALERT_LABEL_REMEDIATION);
        struct journal_opening *openings = calloc(set->count + 1, sizeof(*openings));
        if (!openings)
                return error_oom(error);
        size_t count = 0;
        int r = 0;
        bool dry = true;
        for (size_t i = 0; i < set->count && r >= 0; i++) {
                const struct remediation *remediation = &set->remediations[i];
                if (!remediation_answers(remediation, &episode->alert.labels) ||
                    (only && !string_equal(only, remediation->name)))
                        continue;
                r = make_opening(engine, i, &episode->alert, &openings[count], error);
                count += r >= 0;
                dry &= engine->parts.dry_run || remediation->dry_run;
        }
        if (r >= 0 && count > 0)
                r = journal_open_incidents(engine->parts.journal, episode->id, openings, count, error);
        *ret = count == 0 ? OUTCOME_UNMATCHED : dry ? OUTCOME_DRY_RUN : OUTCOME_MATCHED;
        for (size_t i = 0; i < count; i++) {
                free((void *)openings[i].actions);
                free((void *)openings[i].cause);
        }
        free(openings);
        return r;
}

/* It stays where it is until somebody has heard of it. */
static void set_aside(struct look *look, struct episode *episode)
{
        if (look->episode_aside.id != 0)
                return;
        look->episode_aside.id = episode->id;
        look->episode_aside.unreadable = TAKE_PTR(episode->unreadable);
}

struct matching {
        struct look *look;
        struct episode_list *episodes;
        size_t outcomes[OUTCOME_COUNT]; /* once it is committed */
};

/* On the journal's writer, for thousands may come with one webhook: they are not to be a commit each. */
static int match_all(void *context, struct error *error)
{
        struct matching *matching = context;
        const struct incident_parts *parts = &matching->look->engine->parts;
        int64_t passed_over[EPISODES_AT_ONCE];
        size_t count = 0;
        int r = 0;
        for (size_t i = 0; i < matching->episodes->count && r >= 0; i++) {
                struct episode *episode = &matching->episodes->items[i];
                enum alert_outcome outcome = OUTCOME_UNMATCHED;
                if (episode->unreadable) {
                        set_aside(matching->look, episode);
                        continue;
                }
                r = open_incidents(matching->look->engine, episode, &outcome, error);
                if (outcome == OUTCOME_UNMATCHED)
                        passed_over[count++] = episode->id;
                matching->outcomes[outcome]++;
        }
        if (count > 0)
                atomic_store(&matching->look->engine->unanswered, true);
        return r < 0 ? r : journal_pass_over(parts->journal, passed_over, count, error);
}

static void count_outcomes(const struct matching *matching)
{
        for (enum alert_outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
                if (matching->outcomes[outcome] > 0)
                        meters_alert(matching->look->engine->parts.meters, outcome,
                                     matching->outcomes[outcome]);
}

int match_episodes(struct look *look, struct error *error)
{
        assert_that(is_looking(look->engine), "the engine's thread opens incidents");
        struct episode_list list = {0};
        int r = match_anew(look->engine, error);
        if (r >= 0)
                r = journal_unmatched(look->engine->parts.journal, EPISODES_AT_ONCE, &list, error);
        if (r < 0)
                return r;
        struct matching matching = {look, &list, {0}};
        if (list.count > 0)
                r = journal_together(look->engine->parts.journal, match_all, &matching, error);
        if (r >= 0)
                count_outcomes(&matching);
        if (list.count == EPISODES_AT_ONCE)
                look_again_at(look, look->now);
        episode_list_release(&list);
        return r;
}
