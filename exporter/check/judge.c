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

/* What a call of threshold_judge() carries along. */
struct judging {
        const struct threshold *threshold;
        const struct sample_set *set;
        nsec wall;
        void (*each)(const struct judgement *judgement, void *context);
        void *context;
        size_t distance;       /* from a sample to its peer, as it was the last time */
        bool has_aggregate[2]; /* of an operand that is one: whether there is anything of it */
        double aggregates[2];  /* and what it comes to */
};

/* The sample that belongs to `beside`, by the same labels; SIZE_MAX: there is none. */
static size_t find_beside(struct judging *judging, const struct operand *operand, size_t beside)
{
        const struct sample_set *set = judging->set;
        const struct sample *peer = &set->samples[beside];
        /* A kind adds its samples in an order of its own, in which peers are mostly as far apart as the last.
         */
        for (size_t n = 0; n < set->count; n++) {
                size_t i = (beside + judging->distance + n) % set->count;
                const struct sample *sample = &set->samples[i];
                if (i == beside || sample->labels_length != peer->labels_length ||
                    !selects(operand, set, i) ||
                    memcmp(labels_of(set, sample), labels_of(set, peer), peer->labels_length) != 0)
                        continue;
                judging->distance = (i + set->count - beside) % set->count;
                return i;
        }
        return SIZE_MAX;
}

/* The value of operand `k` beside the sample `beside` of the other one (SIZE_MAX: that has no series), and
 * its sample where it is of one. */
static bool evaluate(struct judging *judging, size_t k, size_t beside, double *ret, size_t *ret_sample)
{
        const struct operand *operand = &judging->threshold->operands[k];
        if (!operand->metric) {
                *ret = nsec_to_seconds(judging->wall);
                return true;
        }
        if (operand->aggregate != AGGREGATE_NONE) {
                *ret = judging->aggregates[k];
                return judging->has_aggregate[k];
        }
        size_t i = beside == SIZE_MAX ? SIZE_MAX : find_beside(judging, operand, beside);
        if (i == SIZE_MAX)
                return false;
        *ret = judging->set->samples[i].value;
        *ret_sample = i;
        return true;
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

/* A share of nothing is not there; PromQL's is NaN, which is beyond nothing either. */
static bool is_share_of_nothing(const struct threshold *threshold, const double values[static 2])
{
        return threshold->operator== '/' && fpclassify(values[0]) == FP_ZERO &&
               fpclassify(values[1]) == FP_ZERO;
}

/* Judges the values that stand beside the sample `primary` of the operand `which`; true when beyond. */
static bool judge_one(struct judging *judging, size_t which, size_t primary)
{
        const struct threshold *threshold = judging->threshold;
        const struct sample_set *set = judging->set;
        struct judgement judgement = {.threshold = threshold, .labels = "", .samples = {SIZE_MAX, SIZE_MAX}};
        double values[2] = {0};
        for (size_t k = 0; k < threshold->operand_count; k++)
                if (k == which && primary != SIZE_MAX) {
                        values[k] = set->samples[primary].value;
                        judgement.samples[k] = primary;
                } else if (!evaluate(judging, k, primary, &values[k], &judgement.samples[k])) {
                        return false;
                }
        if (is_share_of_nothing(threshold, values))
                return false;
        judgement.value = threshold->operator== '-'   ? values[0] - values[1]
                          : threshold->operator== '/' ? values[0] / values[1]
                                                      : values[0];
        judgement.no_number = isnan(judgement.value);
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
        struct judging judging = {threshold, set, wall, each, context, .distance = 1};
        size_t which = 0, beyond = 0;
        for (size_t k = 0; k < threshold->operand_count; k++)
                if (threshold->operands[k].aggregate != AGGREGATE_NONE)
                        judging.has_aggregate[k] =
                                aggregate(&threshold->operands[k], set, &judging.aggregates[k]);
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
