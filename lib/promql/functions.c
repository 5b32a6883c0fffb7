/* SPDX-License-Identifier: Apache-2.0 */
/* Which functions and aggregations there are, and what they take. */
#include <errno.h>
#include <string.h>

#include "lib/promql/internal.h"

/*
 * `takes` has a letter for each argument: s a scalar, v an instant vector, m a range vector, t a string. The
 * last one is that of all further arguments. (github.com/prometheus/prometheus, promql/parser/functions.go)
 */
struct function {
        const char *name, *takes;
        int least, most;
        char gives;
};
enum { ANY_NUMBER = -1 };

#define OF_VECTOR(name)              \
        {                            \
                name, "v", 1, 1, 'v' \
        }
#define OF_RANGE(name)               \
        {                            \
                name, "m", 1, 1, 'v' \
        }
#define OF_TIME(name)                \
        {                            \
                name, "v", 0, 1, 'v' \
        }
#define CONSTANT(name)              \
        {                           \
                name, "", 0, 0, 's' \
        }

static const struct function functions[] = {
        OF_VECTOR("abs"),
        OF_VECTOR("absent"),
        OF_RANGE("absent_over_time"),
        OF_VECTOR("acos"),
        OF_VECTOR("acosh"),
        OF_VECTOR("asin"),
        OF_VECTOR("asinh"),
        OF_VECTOR("atan"),
        OF_VECTOR("atanh"),
        OF_RANGE("avg_over_time"),
        OF_VECTOR("ceil"),
        OF_RANGE("changes"),
        {"clamp", "vss", 3, 3, 'v'},
        {"clamp_max", "vs", 2, 2, 'v'},
        {"clamp_min", "vs", 2, 2, 'v'},
        OF_VECTOR("cos"),
        OF_VECTOR("cosh"),
        OF_RANGE("count_over_time"),
        OF_TIME("day_of_month"),
        OF_TIME("day_of_week"),
        OF_TIME("day_of_year"),
        OF_TIME("days_in_month"),
        OF_VECTOR("deg"),
        OF_RANGE("delta"),
        OF_RANGE("deriv"),
        {"double_exponential_smoothing", "mss", 3, 3, 'v'},
        CONSTANT("end"),
        OF_VECTOR("exp"),
        OF_RANGE("first_over_time"),
        OF_VECTOR("floor"),
        OF_VECTOR("histogram_avg"),
        OF_VECTOR("histogram_count"),
        {"histogram_fraction", "ssv", 3, 3, 'v'},
        {"histogram_quantile", "sv", 2, 2, 'v'},
        {"histogram_quantiles", "vts", 3, 12, 'v'},
        OF_VECTOR("histogram_stddev"),
        OF_VECTOR("histogram_stdvar"),
        OF_VECTOR("histogram_sum"),
        {"holt_winters", "mss", 3, 3, 'v'},
        OF_TIME("hour"),
        OF_RANGE("idelta"),
        OF_RANGE("increase"),
        {"info", "vv", 1, 2, 'v'},
        {"integral", "ms", 1, 2, 'v'},
        OF_RANGE("irate"),
        {"label_join", "vttt", 3, ANY_NUMBER, 'v'},
        {"label_replace", "vtttt", 5, 5, 'v'},
        OF_RANGE("last_over_time"),
        OF_VECTOR("ln"),
        OF_VECTOR("log10"),
        OF_VECTOR("log2"),
        OF_RANGE("mad_over_time"),
        OF_RANGE("max_over_time"),
        OF_RANGE("min_over_time"),
        OF_TIME("minute"),
        OF_TIME("month"),
        CONSTANT("pi"),
        {"predict_linear", "ms", 2, 2, 'v'},
        OF_RANGE("present_over_time"),
        {"quantile_over_time", "sm", 2, 2, 'v'},
        OF_VECTOR("rad"),
        CONSTANT("range"),
        OF_RANGE("rate"),
        OF_RANGE("resets"),
        {"round", "vs", 1, 2, 'v'},
        {"scalar", "v", 1, 1, 's'},
        OF_VECTOR("sgn"),
        OF_VECTOR("sin"),
        OF_VECTOR("sinh"),
        OF_VECTOR("sort"),
        {"sort_by_label", "vt", 1, ANY_NUMBER, 'v'},
        {"sort_by_label_desc", "vt", 1, ANY_NUMBER, 'v'},
        OF_VECTOR("sort_desc"),
        OF_VECTOR("sqrt"),
        CONSTANT("start"),
        OF_RANGE("stddev_over_time"),
        OF_RANGE("stdvar_over_time"),
        CONSTANT("step"),
        OF_RANGE("sum_over_time"),
        OF_VECTOR("tan"),
        OF_VECTOR("tanh"),
        CONSTANT("time"),
        OF_VECTOR("timestamp"),
        OF_RANGE("ts_of_first_over_time"),
        OF_RANGE("ts_of_last_over_time"),
        OF_RANGE("ts_of_max_over_time"),
        OF_RANGE("ts_of_min_over_time"),
        {"vector", "s", 1, 1, 'v'},
        OF_TIME("year"),
};

/* With the letter of what stands before the vector, if anything does. */
static const struct aggregator {
        const char *name;
        char parameter;
} aggregators[] = {
        {"sum", 0},           {"avg", 0},
        {"count", 0},         {"min", 0},
        {"max", 0},           {"group", 0},
        {"stddev", 0},        {"stdvar", 0},
        {"topk", 's'},        {"bottomk", 's'},
        {"limitk", 's'},      {"quantile", 's'},
        {"limit_ratio", 's'}, {"count_values", 't'},
};

static const char *const keywords[] = {"and",     "or", "unless",   "atan2",      "offset",      "by",
                                       "without", "on", "ignoring", "group_left", "group_right", "bool"};

static const char *const type_names[] = {
        [PROMQL_SCALAR] = "a scalar",
        [PROMQL_VECTOR] = "an instant vector",
        [PROMQL_RANGE] = "a range vector",
        [PROMQL_STRING] = "a string",
};
tables_agree(type_names, PROMQL_TYPES);

const char *promql_type_name(enum promql_type type)
{
        return words_name(type_names, PROMQL_TYPES, type);
}

static enum promql_type type_of(char letter)
{
        return letter == 's'   ? PROMQL_SCALAR
               : letter == 'm' ? PROMQL_RANGE
               : letter == 't' ? PROMQL_STRING
                               : PROMQL_VECTOR;
}

static const struct aggregator *find_aggregator(const struct promql_reader *reader,
                                                const struct promql_piece *piece)
{
        for (size_t i = 0; i < N_ELEMENTS(aggregators); i++)
                if (promql_same_word(reader, piece, aggregators[i].name))
                        return &aggregators[i];
        return NULL;
}

bool promql_is_aggregator(const struct promql_reader *reader, const struct promql_piece *piece)
{
        return find_aggregator(reader, piece) != NULL;
}

bool promql_is_keyword(const struct promql_reader *reader, const struct promql_piece *piece)
{
        for (size_t i = 0; i < N_ELEMENTS(keywords); i++)
                if (promql_same_word(reader, piece, keywords[i]))
                        return true;
        return false;
}

/* The one of that name; the sentence tells the nearest name, which may be an aggregation's. */
static int find_function(struct promql_reader *reader, const struct promql_node *call,
                         const struct function **ret)
{
        const char *names[N_ELEMENTS(functions) + N_ELEMENTS(aggregators)];
        _cleanup_free_ char *name = strndup(reader->text + call->piece.at, call->piece.length);
        if (!name)
                return error_oom(reader->error);
        for (size_t i = 0; i < N_ELEMENTS(functions); i++)
                names[i] = functions[i].name;
        for (size_t i = 0; i < N_ELEMENTS(aggregators); i++)
                names[N_ELEMENTS(functions) + i] = aggregators[i].name;
        int found = words_find(names, N_ELEMENTS(functions), name);
        if (found < 0) {
                reader->fault = call->piece.at;
                return words_unknown(names, N_ELEMENTS(names), name, "there is no function", reader->error);
        }
        *ret = &functions[found];
        return 0;
}

static int judge_type(struct promql_reader *reader, const struct promql_node *call,
                      const struct promql_node *argument, enum promql_type wanted)
{
        if (argument->type == wanted)
                return 0;
        return promql_refuse(reader, argument->piece.at, "%.*s() takes %s here%s, not %s",
                             (int)call->piece.length, reader->text + call->piece.at, promql_type_name(wanted),
                             wanted == PROMQL_RANGE && argument->kind == PROMQL_SELECTOR ? ", such as x[5m]"
                                                                                         : "",
                             promql_type_name(argument->type));
}

static int refuse_count(struct promql_reader *reader, const struct promql_node *call, int least, int most)
{
        _cleanup_text_ struct text wanted = {0};
        text_printf(&wanted, "%s%d", least == most ? "" : most == ANY_NUMBER ? "at least " : "from ", least);
        if (most != least && most != ANY_NUMBER)
                text_printf(&wanted, " to %d", most);
        return promql_refuse(reader, call->piece.at, "%.*s() takes %s argument%s, not %zu",
                             (int)call->piece.length, reader->text + call->piece.at, text_string(&wanted),
                             least == 1 && most == 1 ? "" : "s", call->count);
}

int promql_judge_call(struct promql_reader *reader, struct promql_node *call)
{
        const struct function *function = NULL;
        if (promql_is_keyword(reader, &call->piece))
                return promql_refuse(reader, call->piece.at, "'%.*s' is no function, but a keyword",
                                     (int)call->piece.length, reader->text + call->piece.at);
        int r = find_function(reader, call, &function);
        if (!function)
                return r;
        int count = call->count > INT32_MAX ? INT32_MAX : (int)call->count;
        if (count < function->least || (function->most != ANY_NUMBER && count > function->most))
                return refuse_count(reader, call, function->least, function->most);
        size_t letter = 0;
        for (const struct promql_node *argument = call->first; r >= 0 && argument;
             argument = argument->next) {
                r = judge_type(reader, call, argument, type_of(function->takes[letter]));
                letter += function->takes[letter + 1] != '\0';
        }
        call->type = type_of(function->gives);
        return r;
}

int promql_judge_aggregation(struct promql_reader *reader, struct promql_node *aggregation)
{
        const struct aggregator *aggregator = find_aggregator(reader, &aggregation->piece);
        int wanted = aggregator->parameter ? 2 : 1;
        if (aggregation->count != (size_t)wanted)
                return refuse_count(reader, aggregation, wanted, wanted);
        int r = judge_type(reader, aggregation, aggregation->last, PROMQL_VECTOR);
        if (r >= 0 && aggregator->parameter)
                r = judge_type(reader, aggregation, aggregation->first, type_of(aggregator->parameter));
        return r;
}
