/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers out of JSON: the options, and one walk over the items of each metric. */
#include "exporter/kinds/shared/json_metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runbook/clock.h"
#include "runbook/utf8.h"

#define LEVELS_MAX 4 /* lists within lists */
#define LABELS_MAX 32
#define LABEL_BYTES_MAX 1024
#define ANY_WORD "*"
#define WHOLE_MAX 9007199254740992.0 /* beyond 2^53 not every whole number is a double */

enum format { FORMAT_NUMBER, FORMAT_TIMESTAMP, FORMATS };
static const char *const formats[] = {"number", "timestamp", NULL};
tables_agree(formats, FORMATS + 1);

const struct config_field json_metric_fields[] = {
        OPERATOR_METRIC_FIELDS(struct json_metric, metric, .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY),
        {"value", CONFIG_STRING, offsetof(struct json_metric, value), .flags = CONFIG_NOT_EMPTY,
         .help = "Of JSON: the dotted path of the value, in the item where there is `each`; the item itself "
                 "when not given. A number, true or false, or a number in a string"},
        {"each", CONFIG_STRING, offsetof(struct json_metric, each), .flags = CONFIG_NOT_EMPTY,
         .help = "Of JSON: the path of a list or mapping, a series for each item of which; `.` is the whole, "
                 "and `*` in it stands for each item on the way"},
        {"keys", CONFIG_STRINGS, offsetof(struct json_metric, keys), .flags = CONFIG_NOT_EMPTY,
         .help = "Of JSON: labels that take the names of the items in their mappings, or their numbers in "
                 "lists: one for each `*`, and one for the item"},
        {"labels", CONFIG_MAP, offsetof(struct json_metric, labels), .flags = CONFIG_NOT_EMPTY,
         .help = "Of JSON: labels, and the paths of their values in the item; `^.` before a path goes a "
                 "level up"},
        {"values", CONFIG_MAP, offsetof(struct json_metric, values), .flags = CONFIG_NOT_EMPTY,
         .help = "Of JSON: what words mean, as `{ok: 1, degraded: 0}`; `*` is any other word"},
        {"format", CONFIG_ENUM, offsetof(struct json_metric, format), .choices = formats,
         .fallback = "number",
         .help = "Of JSON: `timestamp` reads strings of RFC 3339 as seconds since 1970"},
        {"factor", CONFIG_NUMBER, offsetof(struct json_metric, factor), .fallback = "1",
         .help = "Of JSON: what a number is multiplied by, as 0.001 for milliseconds"},
        {0},
};

/* A path, and how many levels above the item it begins. */
struct path {
        unsigned up;
        const char *rest;
};

/* One metric, prepared. */
struct prepared {
        const struct json_metric *given;
        char *each;                     /* its own copy of the path, cut at the `*` */
        const char *levels[LEVELS_MAX]; /* the pieces of it */
        unsigned depth;                 /* how many; 0: the document is the only item */
        struct path value;
        struct path labels[LABELS_MAX];
        double *numbers; /* of `values` */
};

struct json_metrics {
        size_t count;
        struct prepared *metrics;
        struct metric_family *families;
        const struct metric_family **list;
};

struct json_metrics *json_metrics_free(struct json_metrics *metrics)
{
        if (!metrics)
                return NULL;
        for (size_t i = 0; metrics->metrics && i < metrics->count; i++) {
                free(metrics->metrics[i].each);
                free(metrics->metrics[i].numbers);
        }
        free(metrics->metrics);
        free(metrics->families);
        free(metrics->list);
        free(metrics);
        return NULL;
}
DEFINE_CLEANUP(struct json_metrics *, json_metrics_free);

const struct metric_family *const *json_metrics_families(const struct json_metrics *metrics)
{
        return metrics->list;
}

/* "a..b", ".a", "a.": where a name was meant none stands. "" and "." are paths to the whole. */
static bool lacks_name(const char *path)
{
        if (!*path || strcmp(path, ".") == 0)
                return false;
        for (;; path++) {
                size_t length = json_name_length(path);
                path += length;
                if (length == 0 || !*path)
                        return length == 0;
        }
}

static bool check_names(const char *path, struct config_node *node, const char *key)
{
        if (lacks_name(path))
                config_complain(node, key, "\"%s\" has no name beside one of its dots", path);
        return !lacks_name(path);
}

/* "^^.name" */
static bool read_path(const struct prepared *metric, const char *path, struct config_node *node,
                      const char *key, struct path *ret)
{
        size_t up = strspn(path, "^");
        const char *rest = path + up;
        if (up > 0 && *rest == '.')
                rest++;
        else if (up > 0 && *rest) {
                config_complain(node, key, "\"%s\": behind ^ comes a dot", path);
                return false;
        }
        if (up > metric->depth) {
                config_complain(node, key, "\"%s\" goes up %zu, but there %s %u above", path, up,
                                metric->depth == 1 ? "is" : "are", metric->depth);
                return false;
        }
        if (!check_names(rest, node, key))
                return false;
        *ret = (struct path){(unsigned)up, rest};
        return true;
}

/* Cuts the path at each "*" that is a name of its own. -EINVAL after a complaint. */
static int cut_levels(struct prepared *metric, struct config_node *node)
{
        const char *each = metric->given->each;
        if (!each)
                return 0;
        if (!check_names(each, node, "each"))
                return -EINVAL;
        metric->each = strdup(each);
        if (!metric->each)
                return -ENOMEM;
        metric->levels[metric->depth++] = metric->each;
        for (char *name = metric->each;; name++) {
                size_t length = json_name_length(name);
                if (length == 1 && *name == '*') {
                        if (metric->depth == LEVELS_MAX) {
                                config_complain(node, "each", "at most %d times \"*\"", LEVELS_MAX - 1);
                                return -EINVAL;
                        }
                        name[name > metric->levels[metric->depth - 1] ? -1 : 0] = '\0';
                        metric->levels[metric->depth++] = name[1] ? name + 2 : name + 1;
                }
                name += length;
                if (!*name)
                        return 0;
        }
}

static bool check_labels(struct prepared *metric, const struct check *check, struct config_node *node)
{
        const struct json_metric *given = metric->given;
        bool fine = true;
        if (given->keys.count + given->labels.count > LABELS_MAX) {
                config_complain(node, "labels", "at most %d", LABELS_MAX);
                return false;
        }
        if (given->keys.count > 0 && given->keys.count != metric->depth) {
                config_complain(node, "keys", "one for each level of `each`, which are %u", metric->depth);
                fine = false;
        }
        for (size_t i = 0; i < given->keys.count; i++)
                fine = operator_label_check(check, given->keys.items[i], node, "keys") && fine;
        for (size_t i = 0; i < given->labels.count; i++) {
                const char *name = given->labels.keys[i];
                fine = operator_label_check(check, name, node, "labels") &&
                       read_path(metric, given->labels.values[i], node, "labels", &metric->labels[i]) && fine;
                if (config_strings_have(&given->keys, name)) {
                        config_complain(node, "labels", "\"%s\" is among `keys` already", name);
                        fine = false;
                }
        }
        return fine;
}

/* -EINVAL after a complaint. */
static int read_values(struct prepared *metric, struct config_node *node)
{
        const struct config_map *values = &metric->given->values;
        metric->numbers = calloc(values->count + 1, sizeof(*metric->numbers));
        if (!metric->numbers)
                return -ENOMEM;
        for (size_t i = 0; i < values->count; i++) {
                _cleanup_error_ struct error error = {0};
                int r = config_parse_word(CONFIG_NUMBER, values->values[i], &metric->numbers[i], &error);
                if (r < 0) {
                        config_complain(node, "values", "%s: %s", values->keys[i], error_text(&error));
                        return r;
                }
        }
        return 0;
}

static int prepare(struct prepared *metric, const struct check *check, struct config_node *node,
                   bool takes_json)
{
        const struct json_metric *given = metric->given;
        bool fine = operator_metric_check(&given->metric, node);
        if (!takes_json) {
                for (const struct config_field *field = json_metric_fields; field->name; field++)
                        if (field->offset >= offsetof(struct json_metric, each) &&
                            config_member(node, field->name)) {
                                config_complain(node, field->name, "%s is of use to JSON alone", field->name);
                                fine = false;
                        }
                return fine ? 0 : -EINVAL;
        }
        if (!given->value && !given->each) {
                config_complain(node, NULL, "where its value stands is missing: value, each or both");
                fine = false;
        }
        int r = cut_levels(metric, node);
        if (r < 0)
                return r;
        fine = read_path(metric, given->value ? given->value : "", node, "value", &metric->value) && fine;
        fine = check_labels(metric, check, node) && fine;
        r = read_values(metric, node);
        return r < 0 ? r : fine ? 0 : -EINVAL;
}

int json_metrics_new(const struct check *check, const struct config_list *list, struct config_node *node,
                     bool takes_json, struct json_metrics **ret)
{
        _cleanup_(json_metrics_free_p) struct json_metrics *metrics = calloc(1, sizeof(*metrics));
        const struct json_metric *given = list->items;
        int result = 0;
        if (!metrics)
                return -ENOMEM;
        metrics->metrics = calloc(list->count + 1, sizeof(*metrics->metrics));
        metrics->families = calloc(list->count + 1, sizeof(*metrics->families));
        metrics->list = calloc(list->count + 1, sizeof(*metrics->list));
        if (!metrics->metrics || !metrics->families || !metrics->list)
                return -ENOMEM;
        for (; metrics->count < list->count; metrics->count++) {
                size_t i = metrics->count;
                metrics->metrics[i].given = &given[i];
                metrics->families[i] = operator_metric_family(&given[i].metric);
                metrics->list[i] = &metrics->families[i];
                int r = prepare(&metrics->metrics[i], check, config_item(node, i), takes_json);
                if (r < 0)
                        result = result == -ENOMEM ? result : r;
        }
        if (result < 0)
                return result;
        *ret = TAKE_PTR(metrics);
        return 0;
}

/* One metric of one document; the items on the way to the one that is looked at, each within the one before.
 */
struct walk {
        const struct prepared *metric;
        const struct metric_family *family;
        struct sample_sink *sink;
        const cJSON *items[LEVELS_MAX + 1];
        unsigned numbers[LEVELS_MAX + 1]; /* of the items in their lists, from 0 */
        struct text words[LABELS_MAX];    /* of labels that are no strings */
};

/* Where something was not as it should be: "app_queue_length, item 2.0: ". */
static void put_place(const struct walk *walk, unsigned depth, struct text *text)
{
        text_puts(text, walk->family->name);
        for (unsigned i = 1; i <= depth; i++)
                text_printf(text, "%s%u", i == 1 ? ", item " : ".", walk->numbers[i]);
        text_puts(text, ": ");
}

static void skip(const struct walk *walk, unsigned depth, enum skip_reason reason, const char *what,
                 const char *path)
{
        _cleanup_text_ struct text place = {0};
        put_place(walk, depth, &place);
        check_skip(walk->sink, reason, "%s%s%s", text_string(&place), path && *path ? path : "what is there",
                   what);
}

static const cJSON *follow(const struct walk *walk, const struct path *path)
{
        return json_find(walk->items[walk->metric->depth - path->up], path->rest);
}

/* Year 1, which is never in Go's documents, is no time. */
static int read_time(const char *text, double *ret)
{
        nsec wall;
        if (time_parse(text, &wall, NULL) < 0)
                return -EINVAL;
        *ret = nsec_to_seconds(wall);
        return wall != 0;
}

/* 1: the word has a value of its own. 0: the list says nothing of it. */
static int find_word(const struct prepared *metric, const cJSON *value, double *ret)
{
        const struct config_map *values = &metric->given->values;
        _cleanup_text_ struct text word = {0};
        if (values->count == 0)
                return 0;
        json_put_scalar(&word, value);
        int found = words_find((const char *const *)values->keys, values->count, text_string(&word));
        if (found < 0)
                found = words_find((const char *const *)values->keys, values->count, ANY_WORD);
        if (found >= 0)
                *ret = metric->numbers[found];
        return found >= 0;
}

/* 1: it is a value. 0: it is none. -EINVAL: it is something else. */
static int read_value(const struct prepared *metric, const cJSON *value, double *ret)
{
        double number = value->valuedouble;
        if (cJSON_IsNull(value))
                return 0;
        if (cJSON_IsObject(value) || cJSON_IsArray(value))
                return -EINVAL;
        if (find_word(metric, value, ret) > 0)
                return 1;
        if (cJSON_IsBool(value)) {
                *ret = cJSON_IsTrue(value);
                return 1;
        }
        if (cJSON_IsString(value) && metric->given->format == FORMAT_TIMESTAMP)
                return read_time(value->valuestring, ret);
        if (cJSON_IsString(value) && !operator_number(value->valuestring, &number))
                return -EINVAL;
        *ret = number * metric->given->factor;
        return 1;
}

/* Takes the label's value out of the item; one that is not there leaves the label out. False after a skip. */
static bool take_label(struct walk *walk, size_t i, const cJSON *value, const char **ret)
{
        const struct prepared *metric = walk->metric;
        const char *name = metric->given->labels.keys[i];
        struct text *word = &walk->words[i];
        *ret = NULL;
        if (!value || cJSON_IsNull(value))
                return true;
        if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
                skip(walk, metric->depth, SKIP_MALFORMED, " is no value for a label", name);
                return false;
        }
        text_clear(word);
        if (cJSON_IsNumber(value) && trunc(value->valuedouble) == value->valuedouble &&
            fabs(value->valuedouble) < WHOLE_MAX)
                text_printf(word, "%.0f", value->valuedouble); /* an id is not written as 1e+12 */
        else if (!cJSON_IsString(value))
                json_put_scalar(word, value);
        *ret = cJSON_IsString(value) ? value->valuestring : text_string(word);
        return true;
}

static bool check_label(const struct walk *walk, const struct label *label)
{
        if (!label->value)
                return true;
        bool is_long = strlen(label->value) > LABEL_BYTES_MAX;
        if (!is_long && utf8_valid(label->value))
                return true;
        skip(walk, walk->metric->depth, is_long ? SKIP_BEYOND_LIMIT : SKIP_NOT_UTF8,
             is_long ? " is too long for a label" : " is no UTF-8", label->name);
        return false;
}

/* The labels of the item, of which there is room for LABELS_MAX. False when it cannot have them. */
static bool take_labels(struct walk *walk, struct label *labels, char numbers[static LEVELS_MAX][12])
{
        const struct prepared *metric = walk->metric;
        const struct json_metric *given = metric->given;
        size_t keys = given->keys.count > 0 ? metric->depth : 0; /* there is one for each level, or none */
        for (size_t i = 0; i < keys; i++) {
                const cJSON *item = walk->items[i + 1];
                snprintf(numbers[i], sizeof(numbers[i]), "%u", walk->numbers[i + 1]);
                labels[i] = (struct label){given->keys.items[i], item->string ? item->string : numbers[i]};
        }
        for (size_t i = 0; i < given->labels.count; i++) {
                labels[keys + i].name = given->labels.keys[i];
                if (!take_label(walk, i, follow(walk, &metric->labels[i]), &labels[keys + i].value))
                        return false;
        }
        for (size_t i = 0; i < keys + given->labels.count; i++)
                if (!check_label(walk, &labels[i]))
                        return false;
        return true;
}

static void add_item(struct walk *walk)
{
        const struct prepared *metric = walk->metric;
        const struct json_metric *given = metric->given;
        const cJSON *found = follow(walk, &metric->value);
        struct label labels[LABELS_MAX];
        char numbers[LEVELS_MAX][12];
        double value;
        if (!found) {
                skip(walk, metric->depth, SKIP_MISSING, " is not there", given->value);
                return;
        }
        int r = read_value(metric, found, &value);
        if (r < 0)
                skip(walk, metric->depth, SKIP_MALFORMED,
                     cJSON_IsString(found) && given->values.count > 0 ? " is none of the words under `values`"
                     : given->format == FORMAT_TIMESTAMP              ? " is no time of RFC 3339"
                                                                      : " is no number",
                     given->value);
        if (r > 0 && take_labels(walk, labels, numbers))
                sample_add(walk->sink, walk->family, value, labels, given->keys.count + given->labels.count);
}

/* The items of `level`, from 0, each of which is followed to the last one. */
static void walk_level(struct walk *walk, unsigned level)
{
        const char *path = walk->metric->levels[level];
        const cJSON *list = json_find(walk->items[level], path), *item = NULL;
        unsigned number = 0;
        if (!list)
                skip(walk, level, SKIP_MISSING, " is not there", path);
        else if (!cJSON_IsArray(list) && !cJSON_IsObject(list) && !cJSON_IsNull(list))
                skip(walk, level, SKIP_MALFORMED, " is no list or mapping", path);
        else
                cJSON_ArrayForEach(item, list)
                {
                        walk->items[level + 1] = item;
                        walk->numbers[level + 1] = number++;
                        if (level + 1 < walk->metric->depth)
                                walk_level(walk, level + 1);
                        else
                                add_item(walk);
                }
}

/* Several items that nothing tells apart are one series, with the value of any of them: better none. */
static void drop_indistinct(const struct walk *walk, size_t before)
{
        const struct json_metric *given = walk->metric->given;
        struct sample_set *set = walk->sink->set;
        if (given->keys.count + given->labels.count > 0 || set->count <= before + 1)
                return;
        check_skip(walk->sink, SKIP_DUPLICATE, "%s: %zu items, and neither labels nor keys tell them apart",
                   walk->family->name, set->count - before);
        set->count = before;
}

void json_metrics_add(const struct json_metrics *metrics, const cJSON *document, struct sample_sink *sink)
{
        struct walk walk = {.sink = sink, .items = {document}};
        for (size_t i = 0; i < metrics->count; i++) {
                size_t before = sink->set->count;
                walk.metric = &metrics->metrics[i];
                walk.family = &metrics->families[i];
                if (walk.metric->depth > 0)
                        walk_level(&walk, 0);
                else
                        add_item(&walk);
                drop_indistinct(&walk, before);
        }
        for (size_t i = 0; i < LABELS_MAX; i++)
                text_free(&walk.words[i]);
}
