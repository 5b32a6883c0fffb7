/* SPDX-License-Identifier: Apache-2.0 */
/* How the samples of one run stand to the thresholds of their check. */
#include <math.h>
#include <stdio.h>

#include "exporter/check/internal.h"

static const char *labels_of(const struct sample_set *set, const struct sample *sample)
{
        return text_string(&set->arena) + sample->labels_offset;
}

/* Whether the rendered labels hold `label` as one of them. Quotes in values are escaped, so none looks like
 * it. */
static bool has_label(const char *labels, size_t length, const char *label)
{
        size_t wanted = strlen(label);
        for (size_t i = 0; i + wanted <= length; i++)
                if ((i == 0 || labels[i - 1] == ',') && memcmp(labels + i, label, wanted) == 0 &&
                    (i + wanted == length || labels[i + wanted] == ','))
                        return true;
        return false;
}

static bool selects(const struct operand *operand, const struct sample_set *set, size_t i)
{
        const struct sample *sample = &set->samples[i];
        if (sample->family != operand->family || sample->suffix != SAMPLE_PLAIN || sample->repeated)
                return false;
        for (size_t k = 0; k < operand->labels.count; k++)
                if (!has_label(labels_of(set, sample), sample->labels_length, operand->labels.items[k]))
                        return false;
        return true;
}

static bool is_series(const struct operand *operand)
{
        return operand->metric && operand->aggregate == AGGREGATE_NONE;
}

/* False when there is nothing to aggregate. */
static bool aggregate(const struct operand *operand, const struct sample_set *set, double *ret)
{
        bool any = false;
        double result = 0;
        for (size_t i = 0; i < set->count; i++) {
                double value;
                if (!selects(operand, set, i))
                        continue;
                value = set->samples[i].value;
                result = !any                                  ? value
                         : operand->aggregate == AGGREGATE_SUM ? result + value
                         : operand->aggregate == AGGREGATE_MIN ? fmin(result, value)
                                                               : fmax(result, value);
                any = true;
        }
        *ret = result;
        return any;
}

/* The value that belongs to the sample `beside`, by the same labels. False: there is none. */
static bool find_beside(const struct operand *operand, const struct sample_set *set, size_t beside,
                        double *ret)
{
        const struct sample *peer = &set->samples[beside];
        /* Samples of one thing are mostly neighbours: the search begins there. */
        for (size_t n = 1; n <= set->count; n++) {
                size_t i = (beside + n) % set->count;
                const struct sample *sample = &set->samples[i];
                if (!selects(operand, set, i) || sample->labels_length != peer->labels_length ||
                    memcmp(labels_of(set, sample), labels_of(set, peer), peer->labels_length) != 0)
                        continue;
                *ret = sample->value;
                return true;
        }
        return false;
}

/* The value of an operand beside a sample of the other one; SIZE_MAX: the other one has no series. */
static bool evaluate(const struct operand *operand, const struct sample_set *set, size_t beside, nsec wall,
                     double *ret)
{
        if (!operand->metric) {
                *ret = nsec_to_seconds(wall);
                return true;
        }
        if (operand->aggregate != AGGREGATE_NONE)
                return aggregate(operand, set, ret);
        return beside != SIZE_MAX && find_beside(operand, set, beside, ret);
}

static bool compare_value(const struct threshold *threshold, double value)
{
        const char *comparison = threshold->comparison;
        double limit = threshold->limit;
        if (isnan(value))
                return false;
        switch (comparison[0]) {
        case '<': return comparison[1] ? value <= limit : value < limit;
        case '>': return comparison[1] ? value >= limit : value > limit;
        case '=': return !(value < limit) && !(value > limit);
        default: return value < limit || value > limit;
        }
}

/* What a call of threshold_judge() carries along. */
struct judging {
        const struct threshold *threshold;
        const struct sample_set *set;
        nsec wall;
        void (*each)(const struct judgement *judgement, void *context);
        void *context;
};

/* Judges the values that stand beside the sample `primary` of the operand `which`; true when beyond. */
static bool judge_one(const struct judging *judging, size_t which, size_t primary)
{
        const struct threshold *threshold = judging->threshold;
        const struct sample_set *set = judging->set;
        struct judgement judgement = {.threshold = threshold, .labels = ""};
        double values[2] = {0};
        for (size_t k = 0; k < threshold->operand_count; k++)
                if (k == which && primary != SIZE_MAX)
                        values[k] = set->samples[primary].value;
                else if (!evaluate(&threshold->operands[k], set, primary, judging->wall, &values[k]))
                        return false;
        judgement.value = threshold->operator== '-'   ? values[0] - values[1]
                          : threshold->operator== '/' ? values[0] / values[1]
                                                      : values[0];
        judgement.beyond = compare_value(threshold, judgement.value);
        if (primary != SIZE_MAX) {
                judgement.labels = labels_of(set, &set->samples[primary]);
                judgement.labels_length =
                        set->samples[primary].labels_length - set->samples[primary].fixed_length;
        }
        if (judging->each)
                judging->each(&judgement, judging->context);
        return judgement.beyond;
}

size_t threshold_judge(const struct threshold *threshold, const struct sample_set *set, nsec wall,
                       void (*each)(const struct judgement *judgement, void *context), void *context)
{
        const struct judging judging = {threshold, set, wall, each, context};
        size_t which = 0, beyond = 0;
        /* Each series of the first operand that has any; the other one has its value beside it. */
        while (which < threshold->operand_count && !is_series(&threshold->operands[which]))
                which++;
        if (which == threshold->operand_count)
                return judge_one(&judging, which, SIZE_MAX);
        for (size_t i = 0; i < set->count; i++)
                if (selects(&threshold->operands[which], set, i))
                        beyond += judge_one(&judging, which, i);
        return beyond;
}

size_t thresholds_judge(const struct thresholds *thresholds, enum threshold_level level,
                        const struct sample_set *set, nsec wall,
                        void (*each)(const struct judgement *judgement, void *context), void *context)
{
        size_t beyond = 0;
        for (size_t i = 0; i < thresholds->count; i++)
                if (thresholds->items[i].level == level)
                        beyond += threshold_judge(&thresholds->items[i], set, wall, each, context);
        return beyond;
}

const char *labels_without_check(const char *labels, size_t *length)
{
        /* No quote stands unescaped in a value, and the name of a check has none at all. */
        const char *end = string_starts(labels, "check=\"") ? memmem(labels, *length, "\",", 2) : NULL;
        const char *own = end ? end + 2 : string_starts(labels, "check=\"") ? labels + *length : labels;
        *length -= (size_t)(own - labels);
        return own;
}

void judgement_put_value(struct text *text, const struct judgement *judgement)
{
        unit_put(text, judgement->threshold->unit, judgement->value);
}

void judgement_put_series(struct text *text, const struct judgement *judgement)
{
        size_t length = judgement->labels_length;
        const char *own = labels_without_check(judgement->labels, &length);
        if (length > 0)
                text_printf(text, "{%.*s}", (int)length, own);
}

void judgement_put(struct text *text, const struct judgement *judgement)
{
        _cleanup_text_ struct text series = {0};
        judgement_put_value(text, judgement);
        judgement_put_series(&series, judgement);
        text_printf(text, "%s%s", series.length > 0 ? " " : "", text_string(&series));
}

/* What is told of one level. */
struct telling {
        struct text *text;
        const char *indentation;
        size_t beyond;
};

static void put_beyond(const struct judgement *judgement, void *context)
{
        struct telling *telling = context;
        _cleanup_text_ struct text line = {0};
        if (!judgement->beyond || telling->beyond++ >= JUDGEMENTS_SHOWN)
                return;
        judgement_put(&line, judgement);
        text_printf(&line, "  (%s: %s)", threshold_levels[judgement->threshold->level],
                    judgement->threshold->written);
        text_puts(telling->text, telling->indentation);
        text_put_line(telling->text, text_string(&line), SIZE_MAX);
        text_putc(telling->text, '\n');
}

void thresholds_put_beyond(struct text *text, const char *indentation, const struct thresholds *thresholds,
                           const struct sample_set *set, nsec wall)
{
        for (enum threshold_level level = THRESHOLD_LEVELS; level-- > 0;) {
                struct telling telling = {text, indentation, 0};
                thresholds_judge(thresholds, level, set, wall, put_beyond, &telling);
                if (telling.beyond > JUDGEMENTS_SHOWN)
                        text_printf(text, "%s… and %zu more\n", indentation,
                                    telling.beyond - JUDGEMENTS_SHOWN);
        }
}
