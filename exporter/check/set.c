/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, and checks.yml read by it. */
#include <errno.h>

#include "exporter/check/internal.h"
#include "exporter/check/needs.h"
#include "exporter/check/targets.h"

/* What may stand in `defaults:` and again in each check. */
struct limits {
        nsec timeout, cache;
        int64_t max_series;
        struct config_map labels;
};

/* clang-format off */
#define LIMIT_FIELDS(holder, member) \
        {"timeout", CONFIG_DURATION, offsetof(holder, member.timeout), .flags = CONFIG_POSITIVE, .fallback = "5s", \
         .help = "How long one run may take"}, \
        {"cache", CONFIG_DURATION, offsetof(holder, member.cache), .fallback = "0s", \
         .help = "How old the samples of a successful run may be; 0s measures at every scrape"}, \
        {"max_series", CONFIG_INT, offsetof(holder, member.max_series), .flags = CONFIG_POSITIVE, \
         .fallback = "1000", .help = "Series of one run beyond this are judged, but left out of the page, and counted"}, \
        {"labels", CONFIG_MAP, offsetof(holder, member.labels), .flags = CONFIG_NOT_EMPTY, \
         .help = "Labels with the same value on every series of a check, those about itself too; in a check, " \
                 "an empty value takes one of the defaults away"}
/* clang-format on */

struct check_section {
        char *name, *title, *advice, *runbook_url;
        int64_t step;
        struct config_node *conditions[THRESHOLD_LEVELS]; /* read by thresholds.c */
        int when_empty;
        struct config_strings needs;
        struct config_node *targets; /* read by targets.c */
        struct limits limits;
};

const struct config_field check_section_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct check_section, name),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "Unique; the label `check` of all its samples"},
        {"title", CONFIG_STRING, offsetof(struct check_section, title),
         .help = "What people call it; the name when not given"},
        {"step", CONFIG_INT, offsetof(struct check_section, step), .flags = CONFIG_POSITIVE,
         .help = "Which step of the morning checklist it is"},
        {"warn", CONFIG_NODE, offsetof(struct check_section, conditions[THRESHOLD_WARN]),
         .flags = CONFIG_NOT_EMPTY,
         .help = "A condition over its own samples to look into, such as `runbook_disk_used_ratio >= 80%`, "
                 "or a list "
                 "of them; one for itself may say `{if: runbook_…, when_empty: pass}`"},
        {"fail", CONFIG_NODE, offsetof(struct check_section, conditions[THRESHOLD_FAIL]),
         .flags = CONFIG_NOT_EMPTY, .help = "The same, to act upon"},
        {"when_empty", CONFIG_ENUM, offsetof(struct check_section, when_empty), .choices = when_empty_choices,
         .fallback = "unknown",
         .help = "What it is when there is nothing of what a condition, or a metric of the check's own, is "
                 "about: "
                 "`unknown`, or `pass` where it may be so that there is none"},
        {"advice", CONFIG_STRING, offsetof(struct check_section, advice), .flags = CONFIG_NOT_EMPTY,
         .help = "What to do when it warns or fails"},
        {"runbook_url", CONFIG_STRING, offsetof(struct check_section, runbook_url), .flags = CONFIG_NOT_EMPTY,
         .help = "Where the runbook tells more"},
        {"needs", CONFIG_STRINGS, offsetof(struct check_section, needs), .flags = CONFIG_NOT_EMPTY,
         .help = "Names of the checks of what it cannot work without: while one of them fails, this one is "
                 "shown as its effect"},
        {"targets", CONFIG_NODE, offsetof(struct check_section, targets), .flags = CONFIG_NOT_EMPTY,
         .help = "A list of what else it may be pointed at by `/probe?check=…&target=…`: other values of the "
                 "option by which its kind says where to look, which are sent the same credentials"},
        LIMIT_FIELDS(struct check_section, limits),
        {0},
};

/* For what a check has taken of its section. */
static const struct config_field needs_fields[] = {{"needs", CONFIG_STRINGS, 0, .help = ""}, {0}};

struct file {
        char *title;
        struct check_links links;
        struct limits defaults;
        struct config_list capacity;
};

static const struct config_field default_fields[] = {LIMIT_FIELDS(struct file, defaults), {0}};

static const struct config_field row_fields[] = {
        {"title", CONFIG_STRING, offsetof(struct capacity_row, title),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "What people call it"},
        {"metric", CONFIG_STRING, offsetof(struct capacity_row, metric),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "A metric of any check; its series are the row"},
        {"absent", CONFIG_STRING, offsetof(struct capacity_row, absent), .flags = CONFIG_NOT_EMPTY,
         .help = "What is said where there is no such thing, as of a limit: for 0, and for no series"},
        {0},
};

static const struct config_field capacity_fields[] = {
        {"section", CONFIG_STRING, offsetof(struct capacity_section, title),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "The heading above the rows"},
        {"rows", CONFIG_LIST, offsetof(struct capacity_section, rows),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .fields = row_fields,
         .size = sizeof(struct capacity_row), .help = "In the order of the report"},
        {0},
};

const struct config_field check_file_fields[] = {
        {"title", CONFIG_STRING, offsetof(struct file, title), .flags = CONFIG_NOT_EMPTY,
         .help = "Whose checks these are"},
        {"responder_url", CONFIG_STRING, offsetof(struct file, links.responder_url),
         .flags = CONFIG_NOT_EMPTY, .help = "Where people reach the runbook_responder: a link on the page"},
        {"prometheus_url", CONFIG_STRING, offsetof(struct file, links.prometheus_url),
         .flags = CONFIG_NOT_EMPTY, .help = "Where people reach Prometheus: a link on the page"},
        {"grafana_url", CONFIG_STRING, offsetof(struct file, links.grafana_url), .flags = CONFIG_NOT_EMPTY,
         .help = "Where people reach the dashboard: a link on the page"},
        {"defaults", CONFIG_OBJECT, 0, .fields = default_fields,
         .help = "For every check that does not say it itself"},
        {"capacity", CONFIG_LIST, offsetof(struct file, capacity), .flags = CONFIG_NOT_EMPTY,
         .fields = capacity_fields, .size = sizeof(struct capacity_section),
         .help = "What the command `capacity` reports"},
        {0},
};

static void release_defaults(struct file *file)
{
        config_release(default_fields, file);
}

/* What every entry of one file is read by. */
struct reading {
        const struct limits *defaults;
        const char **kinds; /* the keys of an entry that name a kind, closed by NULL */
};

/* The names of all kinds, closed by NULL; free() the array only. NULL when out of memory. */
static const char **kind_names(void)
{
        size_t count = 0;
        while (check_kinds[count])
                count++;
        const char **names = calloc(count + 1, sizeof(*names));
        for (size_t i = 0; names && i < count; i++)
                names[i] = check_kinds[i]->name;
        return names;
}

static bool check_name_valid(const char *name)
{
        return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
                                strlen(name);
}

/* The one kind that an entry names, or NULL after a complaint. */
static const struct check_kind *find_kind(struct config_node *node, const char *name,
                                          const struct reading *reading)
{
        const struct check_kind *found = NULL;
        for (size_t i = 0; check_kinds[i]; i++) {
                if (!config_member(node, check_kinds[i]->name))
                        continue;
                if (found) {
                        config_complain(node, check_kinds[i]->name,
                                        "check \"%s\" is of the kind %s already: only one is possible", name,
                                        found->name);
                        return NULL;
                }
                found = check_kinds[i];
        }
        if (!found) {
                _cleanup_text_ struct text known = {0};
                words_put(&known, reading->kinds, words_count(reading->kinds), ", ");
                config_complain(node, NULL, "check \"%s\" says no kind; there are: %s", name,
                                text_string(&known));
        }
        return found;
}

static void take_defaults(struct config_node *node, struct limits *limits, const struct limits *defaults)
{
        if (!config_member(node, "timeout"))
                limits->timeout = defaults->timeout;
        if (!config_member(node, "cache"))
                limits->cache = defaults->cache;
        if (!config_member(node, "max_series"))
                limits->max_series = defaults->max_series;
}

/* Moves the entry's own strings, so that they are released with the check, and reads its conditions. */
static int take_section(struct check_section *section, struct config_node *node, struct check *check)
{
        int r = thresholds_read(node, (enum when_empty)section->when_empty, &check->thresholds);
        check->name = TAKE_PTR(section->name);
        check->title = TAKE_PTR(section->title);
        check->advice = TAKE_PTR(section->advice);
        check->runbook_url = TAKE_PTR(section->runbook_url);
        check->needs = section->needs;
        section->needs = (struct config_strings){0};
        check->step = section->step;
        check->timeout = section->limits.timeout;
        check->cache = section->limits.cache;
        check->max_series = section->limits.max_series;
        check->when_empty = section->when_empty;
        config_release(check_section_fields, section);
        return r;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp((*(const struct check *const *)a)->name, (*(const struct check *const *)b)->name);
}

/* Complains about a name that several checks have. */
static int find_same_names(const struct check_set *set, struct config_node *list)
{
        _cleanup_free_ const struct check **sorted = calloc(set->count + 1, sizeof(*sorted));
        size_t count = 0;
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < set->count; i++)
                if (set->checks[i].name)
                        sorted[count++] = &set->checks[i];
        qsort(sorted, count, sizeof(*sorted), compare_names);
        for (size_t i = 1; i < count; i++)
                if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
                        const struct check *later = sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1];
                        config_complain(config_item(list, (size_t)(later - set->checks)), "name",
                                        "there is a check \"%s\" already", later->name);
                }
        return 0;
}

/* Complains about a step that several checks have. */
static void find_same_steps(const struct check_set *set, struct config_node *list)
{
        for (size_t i = 0; i < set->count; i++)
                for (size_t k = 0; set->checks[i].step && k < i; k++)
                        if (set->checks[k].step == set->checks[i].step)
                                config_complain(config_item(list, i), "step",
                                                "step %lld is check \"%s\" already",
                                                (long long)set->checks[i].step,
                                                set->checks[k].name ? set->checks[k].name : "");
}

/* Comments and blanks are no change, and neither are defaults that are now written down, or more targets. */
static char *definition_of(struct config_node *node, const struct check *check)
{
        struct config_node *own = config_with(node, "targets", NULL);
        struct text text = {0};
        if (!own)
                return NULL;
        config_print(own, &text);
        text_printf(&text, " %lld %lld %lld", (long long)check->timeout, (long long)check->cache,
                    (long long)check->max_series);
        for (size_t i = 0; i < check->label_count; i++) {
                text_putc(&text, ' ');
                label_put(&text, &check->labels[i]);
        }
        return text_take(&text);
}

/* Reads and opens one entry. Complaints are left with the document; -ENOMEM is all that is answered. */
static int read_check(struct config_node *node, const struct reading *reading, struct check *check,
                      void **state)
{
        _cleanup_error_ struct error error = {0};
        struct check_section section;
        config_read_some(node, check_section_fields, &section, reading->kinds);
        take_defaults(node, &section.limits, reading->defaults);
        int r = check_labels_take(&section.limits.labels, &reading->defaults->labels, node, check);
        if (r >= 0)
                r = take_section(&section, node, check);
        else
                config_release(check_section_fields, &section);
        if (r < 0)
                return r;
        if (!check->name || !config_is_mapping(node))
                return 0;
        if (!check_name_valid(check->name)) {
                config_complain(node, "name",
                                "\"%s\" is not a name: letters, digits, \"_\", \"-\" and \".\" are",
                                check->name);
                return 0;
        }
        if (!check->title && !(check->title = strdup(check->name)))
                return -ENOMEM;

        const struct check_kind *kind = find_kind(node, check->name, reading);
        if (!kind)
                return 0;
        check->definition = definition_of(node, check);
        if (!check->definition)
                return -ENOMEM;
        check->config = calloc(1, kind->config_size);
        if (!check->config)
                return -ENOMEM;
        check->kind = kind;
        check_labels_compare(check, node);
        struct config_node *mapping = config_member(node, kind->name);
        if (!config_read(mapping, kind->fields, check->config))
                return 0;
        r = kind->open(check, mapping, state, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && error.message)
                config_complain(mapping, NULL, "%s", error.message);
        if (r >= 0)
                thresholds_bind(&check->thresholds, kind->families,
                                kind->own_families ? kind->own_families(*state) : NULL, node);
        return 0;
}

/* Reads the entry once more for each of its targets. As read_check(). */
static int read_targets(struct check_set *set, const struct check *check, struct config_node *node,
                        const struct reading *reading)
{
        size_t count =
                check->kind && check_targets_possible(node, check->kind) ? check_targets_count(node) : 0;
        for (size_t i = 0; i < count; i++) {
                struct config_node *pointed = NULL;
                size_t at = check_set_size(set);
                int r = check_targets_entry(node, check->kind, i, &pointed, &set->checks[at].probe_target);
                if (r < 0)
                        return r;
                if (!pointed)
                        continue;
                set->target_count++;
                r = read_check(pointed, reading, &set->checks[at], &set->states[at]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Complains about metrics of the capacity report that can be none. */
static void check_metrics(const struct check_set *set, struct config_node *list)
{
        const struct capacity_section *sections = set->capacity.items;
        for (size_t i = 0; i < set->capacity.count; i++) {
                const struct capacity_row *rows = sections[i].rows.items;
                struct config_node *node = config_member(config_item(list, i), "rows");
                for (size_t k = 0; k < sections[i].rows.count; k++)
                        if (rows[k].metric && !metric_name_valid(rows[k].metric))
                                config_complain(config_item(node, k), "metric",
                                                "\"%s\" is not the name of a metric", rows[k].metric);
        }
}

static void check_links(const struct check_links *links, struct config_node *root)
{
        const struct {
                const char *key, *url;
        } all[] = {{"responder_url", links->responder_url},
                   {"prometheus_url", links->prometheus_url},
                   {"grafana_url", links->grafana_url}};
        for (size_t i = 0; i < N_ELEMENTS(all); i++)
                if (all[i].url && *all[i].url && !string_starts(all[i].url, "http://") &&
                    !string_starts(all[i].url, "https://"))
                        config_complain(root, all[i].key, "'%s' must begin with http:// or https://",
                                        all[i].key);
}

static int read_all(struct check_set *set, const char *state_directory, struct config_node *root)
{
        static const char *const elsewhere[] = {"checks", NULL};
        struct config_node *list = config_member(root, "checks");
        _cleanup_free_ const char **kinds = kind_names();
        _cleanup_(release_defaults) struct file file = {0};
        int r;
        config_read_some(root, check_file_fields, &file, elsewhere);
        check_labels_check(&file.defaults.labels, config_member(config_member(root, "defaults"), "labels"));
        set->title = file.title;
        set->links = file.links;
        check_links(&set->links, root);
        set->capacity = file.capacity;
        check_metrics(set, config_member(root, "capacity"));
        if (!root)
                return 0;
        if (!config_is_list(list) || config_size(list) == 0) {
                config_complain(root, "checks", "a list of checks is needed here, with one at least");
                return 0;
        }
        size_t count = config_size(list), room = count + check_targets_of_all(list);
        set->checks = calloc(room, sizeof(*set->checks)); /* kinds keep pointers into it: it never moves */
        set->states = calloc(room, sizeof(*set->states));
        if (!set->checks || !set->states || !kinds)
                return -ENOMEM;
        const struct reading reading = {.defaults = &file.defaults, .kinds = kinds};
        set->count = count;
        for (size_t i = 0; i < count; i++) {
                set->checks[i].state_directory = state_directory;
                r = read_check(config_item(list, i), &reading, &set->checks[i], &set->states[i]);
                if (r >= 0)
                        r = read_targets(set, &set->checks[i], config_item(list, i), &reading);
                if (r < 0)
                        return r;
        }
        find_same_steps(set, list);
        r = find_same_names(set, list);
        if (r >= 0)
                r = check_needs_resolve(set, list);
        return r < 0 ? r : check_set_find_contradictions(set, list);
}

int check_set_load(const char *path, const char *state_directory, struct check_set **ret, struct error *error)
{
        _cleanup_(check_set_free_p) struct check_set *set = calloc(1, sizeof(*set));
        int r;
        if (!set)
                return error_oom(error);
        r = config_load(path, &set->config, error);
        if (r < 0)
                return r;
        r = read_all(set, state_directory, config_root(set->config));
        if (r < 0)
                return error_oom(error);
        if (config_complaints(set->config) > 0)
                return error_set(error, EINVAL, "%s", config_complaints_text(set->config));
        if (set->count == 0)
                return error_set(error, EINVAL, "%s: there are no checks in it", path);
        /* What one check's neighbour repeats may be another's, which has not run yet. */
        for (size_t i = 0; i < check_set_size(set); i++)
                config_learn_secrets(set->checks[i].kind->fields, set->checks[i].config);
        *ret = TAKE_PTR(set);
        return 0;
}

struct check_set *check_set_ref(struct check_set *set)
{
        __atomic_add_fetch(&set->shared, 1, __ATOMIC_RELAXED);
        return set;
}

void check_set_close(struct check_set *set, size_t i)
{
        if (set->checks[i].kind && set->checks[i].kind->close)
                set->states[i] = set->checks[i].kind->close(set->states[i]);
}

struct check_set *check_set_free(struct check_set *set)
{
        if (!set || __atomic_fetch_sub(&set->shared, 1, __ATOMIC_ACQ_REL) > 0)
                return NULL;
        for (size_t i = 0; i < check_set_size(set); i++) {
                struct check *check = &set->checks[i];
                if (check->kind) {
                        check_set_close(set, i);
                        config_release(check->kind->fields, check->config);
                }
                free(check->config);
                free(check->definition);
                free(check->name);
                free(check->title);
                free(check->probe_target);
                free(check->advice);
                free(check->runbook_url);
                check_labels_release(check);
                thresholds_release(&check->thresholds);
                config_release(needs_fields, &check->needs);
                free(check->needed);
        }
        free(set->needs_order);
        config_release(check_file_fields,
                       &(struct file){.title = set->title, .links = set->links, .capacity = set->capacity});
        free(set->checks);
        free(set->states);
        config_free(set->config);
        free(set);
        return NULL;
}
