/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict over a run: every condition over every series, and what may stand on the page. */
#include "exporter/check/verdict.h"

#include <errno.h>

static size_t count_families(const struct metric_family *const *families)
{
        size_t count = 0;
        while (families && families[count])
                count++;
        return count;
}

int verdict_init(struct verdict *verdict, const struct check *check,
                 const struct metric_family *const *own_families)
{
        size_t conditions = check->thresholds.count, own = count_families(own_families);
        *verdict = (struct verdict){.check = check};
        if (conditions > 0)
                verdict->conditions = calloc(conditions, sizeof(*verdict->conditions));
        if (own > 0)
                verdict->silent = calloc(own, sizeof(*verdict->silent));
        bool fine = (conditions == 0 || verdict->conditions) && (own == 0 || verdict->silent);
        for (enum threshold_level level = 0; conditions > 0 && level < THRESHOLD_LEVELS; level++) {
                verdict->shown[level] = calloc(JUDGEMENTS_SHOWN, sizeof(struct judgement));
                fine &= verdict->shown[level] != NULL;
        }
        return fine ? 0 : -ENOMEM;
}

void verdict_release(struct verdict *verdict)
{
        for (enum threshold_level level = 0; level < THRESHOLD_LEVELS; level++)
                free(verdict->shown[level]);
        free(verdict->conditions);
        free(verdict->silent);
        *verdict = (struct verdict){0};
}

/* Where the judgements of one condition go. */
struct tally {
        struct verdict *verdict;
        struct condition_verdict *condition;
        struct sample_set *set;
};

static void count_judgement(const struct judgement *judgement, void *context)
{
        const struct tally *tally = context;
        struct verdict *verdict = tally->verdict;
        enum threshold_level level = judgement->threshold->level;
        tally->condition->judged++;
        tally->condition->no_number += judgement->no_number;
        if (!judgement->beyond)
                return;
        tally->condition->beyond++;
        for (size_t k = 0; k < N_ELEMENTS(judgement->samples); k++)
                if (judgement->samples[k] != SIZE_MAX)
                        tally->set->samples[judgement->samples[k]].kept = true;
        if (verdict->beyond[level]++ < JUDGEMENTS_SHOWN)
                verdict->shown[level][verdict->beyond[level] - 1] = *judgement;
}

static bool has_series(const struct sample_set *set, const struct metric_family *family)
{
        for (size_t i = 0; i < set->count; i++)
                if (set->samples[i].family == family)
                        return true;
        return false;
}

/* A condition over it tells of it already. */
static bool is_in_condition(const struct thresholds *thresholds, const struct metric_family *family)
{
        for (size_t i = 0; i < thresholds->count; i++)
                for (size_t k = 0; k < thresholds->items[i].operand_count; k++)
                        if (thresholds->items[i].operands[k].family == family)
                                return true;
        return false;
}

/* Of what is over the limit the last ones go, and of what is to be kept only those for which there is no
 * place at all. Of a histogram half would be wrong: none is cut. */
static uint64_t cut_samples(struct sample_set *set, size_t limit)
{
        size_t kept = 0;
        uint64_t cut = 0;
        for (size_t i = 0; i < set->count; i++)
                kept += set->samples[i].kept;
        size_t places = kept < limit ? kept : limit, others = limit - places;
        for (size_t i = 0; i < set->count; i++) {
                struct sample *sample = &set->samples[i];
                if (sample->suffix != SAMPLE_PLAIN)
                        continue;
                size_t *room = sample->kept ? &places : &others;
                sample->cut = *room == 0;
                cut += sample->cut;
                *room -= !sample->cut;
        }
        return cut;
}

static bool has_repeated(const struct sample_set *set)
{
        for (size_t i = 0; i < set->count; i++)
                if (set->samples[i].repeated)
                        return true;
        return false;
}

static void keep_beyond(const struct judgement *judgement, void *context)
{
        struct sample_set *set = context;
        for (size_t k = 0; judgement->beyond && k < N_ELEMENTS(judgement->samples); k++)
                if (judgement->samples[k] != SIZE_MAX)
                        set->samples[judgement->samples[k]].kept = true;
}

/* Of equal series one stands for all, on the page and in the verdict: one that is beyond a condition, if one
 * is, so that none is hidden behind another. */
static void choose_among_repeated(const struct thresholds *thresholds, struct sample_set *set, nsec wall)
{
        for (size_t i = 0; i < set->count; i++)
                set->samples[i].repeated = false;
        for (size_t i = 0; i < thresholds->count; i++)
                threshold_judge(&thresholds->items[i], set, wall, keep_beyond, set);
        sample_set_mark_repeated(set);
        for (size_t i = 0; i < set->count; i++)
                set->samples[i].kept = false;
}

void verdict_judge(struct verdict *verdict, struct sample_set *set,
                   const struct metric_family *const *own_families, nsec wall)
{
        const struct check *check = verdict->check;
        if (check->thresholds.count > 0 && has_repeated(set))
                choose_among_repeated(&check->thresholds, set, wall);
        for (size_t i = 0; i < check->thresholds.count; i++) {
                struct tally tally = {verdict, &verdict->conditions[i], set};
                threshold_judge(&check->thresholds.items[i], set, wall, count_judgement, &tally);
        }
        for (size_t i = 0; own_families && own_families[i] && !(check->kind && check->kind->sparse); i++)
                if (!is_in_condition(&check->thresholds, own_families[i]) &&
                    !has_series(set, own_families[i]))
                        verdict->silent[verdict->silent_count++] = own_families[i];
        verdict->unjudged = set->dropped;
        verdict->cut = set->dropped + cut_samples(set, (size_t)check->max_series);
}

static bool is_unknown(const struct verdict *verdict, size_t i)
{
        const struct condition_verdict *condition = &verdict->conditions[i];
        return condition->no_number > 0 ||
               (condition->judged == 0 &&
                verdict->check->thresholds.items[i].when_empty == WHEN_EMPTY_UNKNOWN);
}

static size_t count_silent(const struct verdict *verdict)
{
        return verdict->silent_count > 0 && verdict->check->when_empty == WHEN_EMPTY_UNKNOWN
                       ? verdict->silent_count
                       : 0;
}

size_t verdict_count_unknown(const struct verdict *verdict)
{
        size_t unknown = count_silent(verdict) + (verdict->unjudged > 0);
        for (size_t i = 0; verdict->conditions && i < verdict->check->thresholds.count; i++)
                unknown += is_unknown(verdict, i);
        return unknown;
}

static void tell_condition(const struct threshold *threshold, const char *what, verdict_teller tell,
                           void *context)
{
        _cleanup_text_ struct text about = {0};
        text_printf(&about, "%s: %s", threshold_levels[threshold->level], threshold->written);
        tell(what, text_string(&about), context);
}

void verdict_tell_beyond(const struct verdict *verdict, verdict_teller tell, void *context)
{
        for (enum threshold_level level = THRESHOLD_LEVELS; level-- > 0;) {
                _cleanup_text_ struct text what = {0};
                for (size_t i = 0; i < verdict->beyond[level] && i < JUDGEMENTS_SHOWN; i++) {
                        text_clear(&what);
                        judgement_put(&what, &verdict->shown[level][i]);
                        tell_condition(verdict->shown[level][i].threshold, text_string(&what), tell, context);
                }
                if (verdict->beyond[level] <= JUDGEMENTS_SHOWN)
                        continue;
                text_clear(&what);
                text_printf(&what, "… and %zu more", verdict->beyond[level] - JUDGEMENTS_SHOWN);
                tell(text_string(&what), NULL, context);
        }
}

void verdict_tell_unknown(const struct verdict *verdict, verdict_teller tell, void *context)
{
        _cleanup_text_ struct text what = {0};
        for (size_t i = 0; verdict->conditions && i < verdict->check->thresholds.count; i++) {
                const struct condition_verdict *condition = &verdict->conditions[i];
                if (!is_unknown(verdict, i))
                        continue;
                text_clear(&what);
                if (condition->judged == 0)
                        text_puts(&what, "nothing was measured");
                else
                        text_printf(&what, "%zu of %zu series: not a number", condition->no_number,
                                    condition->judged);
                tell_condition(&verdict->check->thresholds.items[i], text_string(&what), tell, context);
        }
        for (size_t i = 0; i < count_silent(verdict); i++)
                tell("nothing was measured", verdict->silent[i]->name, context);
        if (verdict->unjudged == 0)
                return;
        text_clear(&what);
        text_printf(&what, "more than %d series: %llu were not judged", JUDGED_SERIES_MAX,
                    (unsigned long long)verdict->unjudged);
        tell(text_string(&what), NULL, context);
}

void verdict_put_line(const char *what, const char *about, void *context)
{
        const struct verdict_lines *lines = context;
        text_puts(lines->text, lines->indentation);
        text_put_line(lines->text, what, SIZE_MAX);
        if (about) {
                text_puts(lines->text, "  (");
                text_put_line(lines->text, about, SIZE_MAX);
                text_putc(lines->text, ')');
        }
        text_putc(lines->text, '\n');
}
