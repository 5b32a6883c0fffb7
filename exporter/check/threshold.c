/* SPDX-License-Identifier: Apache-2.0 */
/* One condition, read from its text piece by piece. */
#include "exporter/check/internal.h"

#include <errno.h>
#include <math.h>

#include "runbook/exposition.h"

const char *const threshold_levels[] = {
        [THRESHOLD_WARN] = "warn",
        [THRESHOLD_FAIL] = "fail",
        NULL,
};
tables_agree(threshold_levels, THRESHOLD_LEVELS + 1);

static const char *const aggregates[] = {
        [AGGREGATE_SUM] = "sum",
        [AGGREGATE_MIN] = "min",
        [AGGREGATE_MAX] = "max",
};
tables_agree(aggregates, AGGREGATES);

/* The longer ones first, as they are looked for in this order. */
static const char *const comparisons[] = {"<=", ">=", "==", "!=", "<", ">"};

#define HOW_IT_LOOKS "write for example: runbook_disk_used_ratio > 80%%"

static void skip_blanks(const char **at)
{
        *at += strspn(*at, " \t\r\n");
}

/* Goes over `piece` and the blanks before it, when that is what comes. */
static bool take_piece(const char **at, const char *piece)
{
        const char *next = *at;
        skip_blanks(&next);
        if (!string_starts(next, piece))
                return false;
        *at = next + strlen(piece);
        return true;
}

/* The name of a metric; NULL when none comes. The caller frees it. */
static char *take_name(const char **at)
{
        skip_blanks(at);
        size_t length = metric_name_length(*at);
        char *name = length ? strndup(*at, length) : NULL;

        if (name)
                *at += length;
        return name;
}

static int take_label(const char **at, struct operand *operand, struct error *error)
{
        _cleanup_free_ char *name = take_name(at);
        if (!name || !label_name_valid(name) || !take_piece(at, "="))
                return error_set(error, EINVAL, "label=\"value\" is needed within { }, at \"%.40s\"", *at);
        _cleanup_text_ struct text value = {0}, rendered = {0};
        skip_blanks(at);
        const char *next = quoted_read(*at, *at + strlen(*at), ESCAPE_DROPPED, &value);
        if (!next || value.length == 0)
                return error_set(error, EINVAL, "a value in double quotes is needed after %s=", name);
        *at = next;
        /* As a sample has it, so that the two can be compared. */
        label_put(&rendered, &(struct label){name, text_string(&value)});
        char **items = reallocarray(operand->labels.items, operand->labels.count + 1, sizeof(*items));
        if (!items)
                return error_oom(error);
        operand->labels.items = items;
        char *label = text_error(&value) < 0 ? NULL : text_take(&rendered);
        if (!label)
                return error_oom(error);
        items[operand->labels.count++] = label;
        return 0;
}

static int take_labels(const char **at, struct operand *operand, struct error *error)
{
        int r = 0;
        if (!take_piece(at, "{"))
                return 0;
        while (r >= 0 && !take_piece(at, "}")) {
                r = take_label(at, operand, error);
                if (r >= 0 && !take_piece(at, ",") && !take_piece(at, "}"))
                        return error_set(error, EINVAL, "\"}\" is missing, at \"%.40s\"", *at);
                else if (r >= 0 && (*at)[-1] == '}')
                        return 0;
        }
        return r;
}

static int take_operand(const char **at, struct operand *operand, struct error *error)
{
        int r;
        operand->metric = take_name(at);
        if (!operand->metric)
                return error_set(error, EINVAL, "a metric is needed at \"%.40s\"; " HOW_IT_LOOKS, *at);
        if (!take_piece(at, "("))
                return take_labels(at, operand, error);
        if (strcmp(operand->metric, "time") == 0 && take_piece(at, ")")) {
                free(TAKE_PTR(operand->metric));
                return 0;
        }
        int aggregate = words_find(aggregates, N_ELEMENTS(aggregates), operand->metric);
        if (aggregate < AGGREGATE_SUM)
                return error_set(error, EINVAL, "%s() is not known: sum, min, max and time() are",
                                 operand->metric);
        operand->aggregate = (enum aggregate)aggregate;
        free(operand->metric);
        operand->metric = take_name(at);
        if (!operand->metric)
                return error_set(error, EINVAL, "%s() is of a metric", aggregates[operand->aggregate]);
        r = take_labels(at, operand, error);
        if (r >= 0 && !take_piece(at, ")"))
                return error_set(error, EINVAL, "\")\" is missing, at \"%.40s\"", *at);
        return r;
}

/* The length of the text without the blanks at its end. */
static size_t without_blanks(const char *text, size_t length)
{
        while (length > 0 && strchr(" \t\r\n", text[length - 1]))
                length--;
        return length;
}

/* What is written after the comparison, up to the end. */
static int take_limit(const char *at, struct threshold *threshold, struct error *error)
{
        nsec duration;
        int64_t bytes;
        skip_blanks(&at);
        size_t length = without_blanks(at, strlen(at));
        bool percent = length > 0 && at[length - 1] == '%';
        _cleanup_free_ char *word = strndup(at, percent ? without_blanks(at, length - 1) : length);
        if (!word)
                return error_oom(error);
        if (percent) {
                threshold->unit = UNIT_PERCENT;
                if (config_parse_word(CONFIG_NUMBER, word, &threshold->limit, NULL) < 0)
                        return error_set(error, EINVAL, "\"%.40s%%\" is no percentage", word);
                threshold->limit /= 100;
        } else if (config_parse_word(CONFIG_NUMBER, word, &threshold->limit, NULL) >= 0) {
                threshold->unit = UNIT_NUMBER;
        } else if (config_parse_word(CONFIG_DURATION, word, &duration, NULL) >= 0) {
                threshold->unit = UNIT_SECONDS;
                threshold->limit = nsec_to_seconds(duration);
        } else if (config_parse_word(CONFIG_SIZE, word, &bytes, NULL) >= 0) {
                threshold->unit = UNIT_BYTES;
                threshold->limit = (double)bytes;
        } else {
                return error_set(error, EINVAL, "\"%.40s\" is no number: 0.8, 80%%, 7d and 5GiB would be",
                                 word);
        }
        return 0;
}

/* 80 where 80% is meant would never be reached. Ratios that are more than ten may be written as 2000%. */
#define LIKELY_RATIO 10

/* Days of bytes, a moment compared with a duration, or bytes with a share are always a mistake. */
static int check_units(const struct threshold *threshold, struct error *error)
{
        const struct operand *left = &threshold->operands[0], *right = &threshold->operands[1];
        const char *metric = left->metric ? left->metric : right->metric;
        bool timed = threshold->operand_count == 2 && (!left->metric || !right->metric);
        if (!metric)
                return error_set(error, EINVAL, "there is no metric in it; " HOW_IT_LOOKS);
        if (timed && (threshold->operator!= '-' || !string_ends(metric, "_timestamp_seconds")))
                return error_set(error, EINVAL,
                                 "time() is only of use in differences with metrics of moments, which end in "
                                 "_timestamp_seconds");
        if (threshold->unit == UNIT_SECONDS &&
            (threshold->operator== '/' || !string_ends(metric, "_seconds")))
                return error_set(error, EINVAL, "a duration is compared with what is not in seconds");
        if (threshold->unit == UNIT_SECONDS && threshold->operand_count == 1 &&
            string_ends(metric, "_timestamp_seconds"))
                return error_set(
                        error, EINVAL,
                        "%s is a moment: write %s - time() for what is left, or time() - %s for its age",
                        metric, metric, metric);
        if (threshold->unit == UNIT_BYTES && (threshold->operator== '/' || !string_ends(metric, "_bytes")))
                return error_set(error, EINVAL, "a size is compared with what is not in bytes");
        if (threshold->unit == UNIT_PERCENT &&
            threshold->operator!= '/' &&(string_ends(metric, "_bytes") || string_ends(metric, "_seconds")))
                return error_set(error, EINVAL,
                                 "a percentage is compared with %s: divide that by its whole, as in "
                                 "runbook_disk_available_bytes / runbook_disk_size_bytes < 20%%",
                                 metric);
        if (threshold->unit == UNIT_NUMBER && threshold->operator!= '/' && string_ends(metric, "_ratio") &&
            threshold->limit > LIKELY_RATIO)
                return error_set(error, EINVAL, "%s is a ratio, 1 of which is the whole: write %g%%, or %g%%",
                                 metric, threshold->limit, threshold->limit * 100);
        return 0;
}

/* From `start` to `end`, with one blank wherever there are some outside of quotes. */
static char *evened(const char *start, const char *end)
{
        struct text text = {0};
        bool quoted = false;
        for (skip_blanks(&start); start < end; start++) {
                bool blank = !quoted && strchr(" \t\r\n", *start);
                if (*start == '"')
                        quoted = !quoted;
                if (quoted && *start == '\\' && start + 1 < end)
                        text_putc(&text, *start++);
                if (!blank)
                        text_putc(&text, *start);
                else if (start + 1 < end && !strchr(" \t\r\n", start[1]))
                        text_putc(&text, ' ');
        }
        return text_take(&text);
}

int threshold_parse(const char *text, enum threshold_level level, struct threshold *ret, struct error *error)
{
        const char *at = text;
        int r;
        *ret = (struct threshold){.level = level, .operand_count = 1};
        r = take_operand(&at, &ret->operands[0], error);
        if (r < 0)
                return r;
        if (take_piece(&at, "-") || take_piece(&at, "/")) {
                ret->operator= at[-1];
                ret->operand_count = 2;
                r = take_operand(&at, &ret->operands[1], error);
                if (r < 0)
                        return r;
        }
        const char *end = at;
        for (size_t i = 0; i < N_ELEMENTS(comparisons) && !ret->comparison; i++)
                if (take_piece(&at, comparisons[i]))
                        ret->comparison = comparisons[i];
        if (!ret->comparison)
                return error_set(error, EINVAL,
                                 "a comparison (< <= > >= == !=) is needed at \"%.40s\"; " HOW_IT_LOOKS, at);
        r = take_limit(at, ret, error);
        if (r < 0)
                return r;
        ret->expression = evened(text, end);
        ret->written = evened(text, text + strlen(text));
        if (!ret->expression || !ret->written)
                return error_oom(error);
        return check_units(ret, error);
}

static void operand_release(struct operand *operand)
{
        for (size_t i = 0; i < operand->labels.count; i++)
                free(operand->labels.items[i]);
        free(operand->labels.items);
        free(operand->metric);
}

void threshold_release(struct threshold *threshold)
{
        for (size_t i = 0; i < threshold->operand_count; i++)
                operand_release(&threshold->operands[i]);
        free(threshold->expression);
        free(threshold->written);
        *threshold = (struct threshold){0};
}
