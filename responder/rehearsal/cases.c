/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of a file of remediations, read and rehearsed. */
#include "responder/rehearsal/cases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "responder/rehearsal/expected.h"
#include "responder/rehearsal/internal.h"
#include "runbook/text.h"

/* When nothing else is said: a Monday morning. What is looked at is looked at a second later, once all that
 * was due at that moment is done. */
#define BEGIN "2026-01-05T10:00:00Z"
#define AFTER NSEC_PER_SEC

/* The last day that a test may be about. */
#define LONGEST (400 * (24 * (3600 * NSEC_PER_SEC)))

struct case_alert {
        struct config_map labels, annotations;
        nsec from, to;
};

static const char *const doings[] = {"approve", "deny", "cancel", "undo", "pause", "resume", NULL};
enum doing { DOING_APPROVE, DOING_DENY, DOING_CANCEL, DOING_UNDO, DOING_PAUSE, DOING_RESUME };

struct case_given {
        nsec at;
        int what; /* enum doing */
        char *remediation;
};

struct test_case {
        char *name, *begin;
        struct config_node *alerts, *given, *expect;
};

struct cases {
        char *file;
        struct config_node *tests;
};

const struct config_field cases_fields[] = {
        {"remediation_file", CONFIG_STRING, offsetof(struct cases, file),
         .flags = CONFIG_NOT_EMPTY | CONFIG_REQUIRED,
         .help = "the file that is tested; beside this one, unless its path is absolute"},
        {"tests", CONFIG_NODE, offsetof(struct cases, tests), .flags = CONFIG_REQUIRED,
         .help = "the list of tests"},
        {0},
};

const struct config_field case_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct test_case, name), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "what it shows, as a sentence"},
        {"begin", CONFIG_STRING, offsetof(struct test_case, begin), .fallback = BEGIN,
         .help = "the moment that all others count from, for hours and weekdays"},
        {"alerts", CONFIG_NODE, offsetof(struct test_case, alerts), .help = "the alerts that fire"},
        {"given", CONFIG_NODE, offsetof(struct test_case, given), .help = "what people do"},
        {"expect", CONFIG_NODE, offsetof(struct test_case, expect), .flags = CONFIG_REQUIRED,
         .help = "what is to come of it"},
        {0},
};

const struct config_field case_alert_fields[] = {
        {"labels", CONFIG_MAP, offsetof(struct case_alert, labels),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "its labels, `alertname` among them"},
        {"annotations", CONFIG_MAP, offsetof(struct case_alert, annotations), .help = "its annotations"},
        {"from", CONFIG_DURATION, offsetof(struct case_alert, from), .fallback = "0",
         .help = "when it begins to fire, since the begin of the test"},
        {"to", CONFIG_DURATION, offsetof(struct case_alert, to), .fallback = "0",
         .help = "when it is over; it goes on when absent"},
        {0},
};

const struct config_field case_given_fields[] = {
        {"at", CONFIG_DURATION, offsetof(struct case_given, at), .fallback = "0",
         .help = "when, since the begin"},
        {"do", CONFIG_ENUM, offsetof(struct case_given, what), .choices = doings, .flags = CONFIG_REQUIRED,
         .help = "what a person does"},
        {"remediation", CONFIG_STRING, offsetof(struct case_given, remediation),
         .help = "of whose last incident; of all but `pause` and `resume`"},
        {0},
};

/* One thing that comes at a moment. */
struct moment {
        nsec at;
        int rank; /* of those at the same: alerts, then people, then who looks */
        size_t order;
        struct config_node *node;
        struct history_event event;
        struct case_given given;
        struct expectation expectation;
};
enum { RANK_ALERT, RANK_GIVEN, RANK_EXPECT };

struct moments {
        struct moment *items;
        size_t count;
};

static void moments_release(struct moments *moments)
{
        for (size_t i = 0; i < moments->count; i++) {
                alert_release(&moments->items[i].event.alert);
                config_release(case_given_fields, &moments->items[i].given);
                expectation_release(&moments->items[i].expectation);
        }
        free(moments->items);
}

static int compare(const void *left, const void *right)
{
        const struct moment *a = left, *b = right;
        if (a->at != b->at)
                return a->at < b->at ? -1 : 1;
        return a->rank != b->rank ? a->rank - b->rank : (a->order > b->order) - (a->order < b->order);
}

/* NULL: out of memory. */
static struct moment *add(struct moments *moments, nsec at, int rank, struct config_node *node)
{
        struct moment *grown = reallocarray(moments->items, moments->count + 1, sizeof(*grown));
        if (!grown)
                return NULL;
        moments->items = grown;
        struct moment *moment = &grown[moments->count];
        *moment = (struct moment){.at = at, .rank = rank, .order = moments->count, .node = node};
        moments->count++;
        return moment;
}

static bool may_be_at(struct config_node *node, const char *key, nsec at)
{
        if (at <= LONGEST)
                return true;
        config_complain(node, key, "'%s' is more than 400 days after the begin", key);
        return false;
}

static int map_json(const struct config_map *map, cJSON *json, const char *name)
{
        cJSON *object = cJSON_CreateObject();
        int r = json_put(json, name, object);
        for (size_t i = 0; i < map->count && r >= 0; i++)
                r = json_put(object, map->keys[i], json_text(map->values[i]));
        return r;
}

/* What is no alert is a complaint: false. */
static bool make_alert(struct config_node *node, const struct case_alert *read, nsec begin, struct alert *ret)
{
        _cleanup_json_ cJSON *json = cJSON_CreateObject();
        _cleanup_error_ struct error error = {0};
        if (map_json(&read->labels, json, "labels") >= 0 &&
            map_json(&read->annotations, json, "annotations") >= 0 &&
            alert_from_labels(json, begin + read->from, ret, &error) >= 0)
                return true;
        config_complain(node, "labels", "%s", error_text(&error));
        return false;
}

static int read_alert(struct config_node *node, nsec begin, struct moments *moments, struct error *error)
{
        struct case_alert read = {0};
        bool fine = config_read(node, case_alert_fields, &read) && may_be_at(node, "from", read.from) &&
                    may_be_at(node, "to", read.to);
        if (fine && read.to != 0 && read.to <= read.from) {
                config_complain(node, "to", "'to' must be after 'from'");
                fine = false;
        }
        int r = 0;
        const int moments_of_it = read.to != 0 ? 2 : 1;
        for (int over = 0; fine && r >= 0 && over < moments_of_it; over++) {
                struct moment *moment = add(moments, begin + (over ? read.to : read.from), RANK_ALERT, node);
                if (!moment) {
                        r = error_oom(error);
                } else if (make_alert(node, &read, begin, &moment->event.alert)) {
                        moment->event.at = moment->at;
                        moment->event.alert.firing = !over;
                        moment->event.alert.ends_at = over ? moment->at : 0;
                } else {
                        fine = false;
                }
        }
        config_release(case_alert_fields, &read);
        return r;
}

static int read_given(struct config_node *node, nsec begin, struct moments *moments, struct error *error)
{
        struct case_given read = {0};
        bool fine = config_read(node, case_given_fields, &read) && may_be_at(node, "at", read.at);
        bool pauses = read.what == DOING_PAUSE || read.what == DOING_RESUME;
        if (fine && !read.remediation != pauses)
                config_complain(node, "remediation",
                                pauses ? "is of no remediation: it is of all" : "needs a remediation");
        struct moment *moment = add(moments, begin + read.at, RANK_GIVEN, node);
        if (moment)
                moment->given = read;
        else
                config_release(case_given_fields, &read);
        return moment ? 0 : error_oom(error);
}

static int read_expectation(struct config_node *node, nsec begin, struct moments *moments,
                            struct error *error)
{
        struct expectation read = {0};
        if (expectation_read(node, &read))
                may_be_at(node, "at", read.at);
        struct moment *moment = add(moments, begin + read.at + AFTER, RANK_EXPECT, node);
        if (moment)
                moment->expectation = read;
        else
                expectation_release(&read);
        return moment ? 0 : error_oom(error);
}

typedef int reader(struct config_node *node, nsec begin, struct moments *moments, struct error *error);

static int read_list(struct config_node *list, nsec begin, reader *read, struct moments *moments,
                     struct error *error)
{
        if (list && !config_is_list(list))
                config_complain(list, NULL, "must be a list");
        int r = 0;
        for (size_t i = 0; config_is_list(list) && i < config_size(list) && r >= 0; i++)
                r = read(config_item(list, i), begin, moments, error);
        return r;
}

static int do_given(struct rehearsal *rehearsal, const struct moment *moment)
{
        static const enum decision decisions[] = {
                [DOING_APPROVE] = DECISION_APPROVE,
                [DOING_DENY] = DECISION_DENY,
                [DOING_CANCEL] = DECISION_CANCEL,
                [DOING_UNDO] = DECISION_UNDO,
        };
        _cleanup_error_ struct error error = {0};
        const struct case_given *given = &moment->given;
        int r = given->what >= DOING_PAUSE
                        ? rehearsal_pause(rehearsal, given->what == DOING_PAUSE, &error)
                        : rehearsal_decide(rehearsal, decisions[given->what], given->remediation, &error);
        if (r < 0)
                config_complain(moment->node, NULL, "it could not be done then: %s", error_text(&error));
        return r == -ENOMEM ? r : 0;
}

static int do_moment(struct rehearsal *rehearsal, struct moment *moment, struct error *error)
{
        _cleanup_json_ cJSON *outcomes = NULL;
        if (moment->rank == RANK_ALERT)
                return rehearsal_hear(rehearsal, moment->at, &moment->event, 1, error);
        int r = rehearsal_pass(rehearsal, moment->at, error);
        if (r >= 0 && moment->rank == RANK_GIVEN)
                return do_given(rehearsal, moment);
        if (r >= 0)
                r = rehearsal_outcomes(rehearsal, &outcomes, error);
        if (r >= 0)
                expectation_check(moment->node, &moment->expectation, outcomes);
        return r;
}

static int play(const struct remediation_set *set, nsec begin, struct moments *moments, struct error *error)
{
        struct rehearsal *rehearsal = NULL;
        if (moments->count > 0)
                qsort(moments->items, moments->count, sizeof(*moments->items), compare);
        int r = rehearsal_new(set, begin, &rehearsal, error);
        for (size_t i = 0; i < moments->count && r >= 0; i++)
                r = do_moment(rehearsal, &moments->items[i], error);
        rehearsal_free(rehearsal);
        return r;
}

/* Without any mistake in it, it is played. */
static int run_case(struct config *config, struct config_node *node, const struct remediation_set *set,
                    struct error *error)
{
        size_t before = config_complaints(config);
        struct test_case one = {0};
        struct moments moments = {0};
        nsec begin = 0;
        config_read(node, case_fields, &one);
        if (one.begin && time_parse(one.begin, &begin, NULL) < 0)
                config_complain(node, "begin", "\"%s\" is no time as " BEGIN, one.begin);
        int r = read_list(one.alerts, begin, read_alert, &moments, error);
        if (r >= 0)
                r = read_list(one.given, begin, read_given, &moments, error);
        if (r >= 0)
                r = read_list(one.expect, begin, read_expectation, &moments, error);
        if (r >= 0 && config_complaints(config) == before)
                r = play(set, begin, &moments, error);
        moments_release(&moments);
        config_release(case_fields, &one);
        return r;
}

static char *beside(const char *path, const char *file)
{
        const char *slash = strrchr(path, '/');
        return *file == '/' || !slash ? strdup(file)
                                      : text_format("%.*s/%s", (int)(slash - path), path, file);
}

static int load_set(const char *path, struct config_node *root, const char *file,
                    struct remediation_set **ret, struct error *error)
{
        _cleanup_free_ char *full = beside(path, file);
        _cleanup_error_ struct error why = {0};
        if (!full)
                return error_oom(error);
        if (remediation_set_load(full, ret, &why) < 0)
                config_complain(root, "remediation_file", "%s", error_text(&why));
        return 0;
}

static int run_all(const char *path, struct config *config, size_t *ret_count, struct error *error)
{
        struct config_node *root = config_root(config);
        struct cases cases = {0};
        struct remediation_set *set = NULL;
        if (!root)
                return config_complaints(config) > 0
                               ? 0
                               : error_set(error, EINVAL, "%s: the file is empty", path);
        config_read(root, cases_fields, &cases);
        if (cases.tests && !config_is_list(cases.tests))
                config_complain(cases.tests, NULL, "must be a list of tests");
        int r = cases.file ? load_set(path, root, cases.file, &set, error) : 0;
        *ret_count = config_is_list(cases.tests) ? config_size(cases.tests) : 0;
        for (size_t i = 0; set && i < *ret_count && r >= 0; i++)
                r = run_case(config, config_item(cases.tests, i), set, error);
        remediation_set_free(set);
        config_release(cases_fields, &cases);
        return r;
}

int cases_run(const char *path, size_t *ret_count, struct error *error)
{
        _cleanup_config_ struct config *config = NULL;
        *ret_count = 0;
        int r = config_load(path, &config, error);
        if (r >= 0)
                r = run_all(path, config, ret_count, error);
        if (r >= 0 && config_complaints(config) > 0)
                return error_set(error, EINVAL, "%s", config_complaints_text(config));
        return r;
}
