/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind postgres: what is built in, by groups, and any query of the operator's.
 *
 * However many checks ask one server, they share one connection and take turns; each group is measured on its
 * own, in a share of the time, so that one which is refused or slow costs the others nothing. lib/postgres
 * speaks to the server.
 */
#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/kinds/postgres/measure.h"
#include "exporter/kinds/shared/group_names.h"
#include "exporter/kinds/shared/operator_metric.h"

struct postgres_metric {
        struct operator_metric metric;
        char *value;
        struct config_strings labels;
};

struct postgres_config {
        struct postgres_options postgres;
        struct config_strings groups;
        nsec long_running, slow;
        int64_t top;
        bool statement_text;
        struct config_strings tables;
        struct config_strings databases, exclude_databases;
        char *query;
        struct config_list metrics;
};

static const struct config_field metric_fields[] = {
        OPERATOR_METRIC_FIELDS(struct postgres_metric, metric, .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY),
        {"value", CONFIG_STRING, offsetof(struct postgres_metric, value),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The column with the value; a NULL leaves the sample out"},
        {"labels", CONFIG_STRINGS, offsetof(struct postgres_metric, labels),
         .help = "Columns that become labels of the same names"},
        {0},
};

static const struct config_field fields[] = {
        POSTGRES_CONFIG_FIELDS(struct postgres_config, postgres),
        {"groups", CONFIG_STRINGS, offsetof(struct postgres_config, groups),
         .help = "What to measure of what is built in: " POSTGRES_GROUP_NAMES
                 "; the first five when there is neither groups nor a query"},
        {"long_running", CONFIG_DURATION, offsetof(struct postgres_config, long_running), .fallback = "5m",
         .flags = CONFIG_POSITIVE, .help = "A query that is active for longer is a long-running one"},
        {"slow", CONFIG_DURATION, offsetof(struct postgres_config, slow), .fallback = "100ms",
         .flags = CONFIG_POSITIVE,
         .help = "A statement that takes longer on average is one of `slow_statements`"},
        {"statement_text", CONFIG_BOOL, offsetof(struct postgres_config, statement_text), .fallback = "false",
         .help = "Show the first 120 characters of slow statements; the server replaces constants in most, "
                 "not "
                 "in all"},
        {"top", CONFIG_INT, offsetof(struct postgres_config, top), .fallback = "20", .flags = CONFIG_POSITIVE,
         .help = "How many of the largest tables, the least used indexes, the tables with the most dead rows "
                 "and "
                 "the slowest statements"},
        {"tables", CONFIG_STRINGS, offsetof(struct postgres_config, tables), .flags = CONFIG_NOT_EMPTY,
         .help = "Whose rows `row_counts` counts and `row_estimates` tells: `table` or `schema.table`"},
        {"databases", CONFIG_STRINGS, offsetof(struct postgres_config, databases), .flags = CONFIG_NOT_EMPTY,
         .help = "Patterns of the databases, `*` for all, in each of which the groups that are of a database "
                 "and the query are run, with the label `database`; without it that of `dsn` alone"},
        {"exclude_databases", CONFIG_STRINGS, offsetof(struct postgres_config, exclude_databases),
         .help = "Patterns of databases that are left out all the same"},
        {"query", CONFIG_STRING, offsetof(struct postgres_config, query), .flags = CONFIG_NOT_EMPTY,
         .help = "One SELECT of the operator's, run read-only"},
        {"metrics", CONFIG_LIST, offsetof(struct postgres_config, metrics), .fields = metric_fields,
         .size = sizeof(struct postgres_metric), .help = "How the columns of the query become samples"},
        {0},
};

struct postgres_state {
        const struct postgres_config *config;
        struct postgres_connection *connection;
        struct postgres_plan plan;
        struct metric_family *own;
        const struct metric_family **own_list;
        struct column_metric *metrics; /* of the query */
};

static void *postgres_close(void *state)
{
        struct postgres_state *postgres = state;
        if (!postgres)
                return NULL;
        postgres_connection_close(postgres->connection);
        for (size_t i = 0; i < PARAMETERS; i++)
                free(postgres->plan.values[i]);
        free(postgres->plan.groups);
        free(postgres->own);
        free(postgres->own_list);
        free(postgres->metrics);
        free(postgres);
        return NULL;
}
DEFINE_CLEANUP(void *, postgres_close);

/* Whether the row is another way to measure the group before it. */
static bool is_alternative(const struct postgres_group *group)
{
        return group != postgres_groups && strcmp(group->name, group[-1].name) == 0;
}

/* Whether the groups are of one peer, and databases have something to be gone round for. */
static bool check_scope(const struct postgres_state *postgres, struct config_node *node)
{
        const struct postgres_config *config = postgres->config;
        const struct postgres_plan *plan = &postgres->plan;
        size_t consoles = 0, by_database = config->query ? 1 : 0;
        bool fine = true;
        for (size_t i = 0; i < plan->group_count; i++) {
                consoles += plan->groups[i]->console;
                by_database += plan->groups[i]->by_database;
        }
        if (consoles > 0 && consoles < plan->group_count) {
                config_complain(node, "groups",
                                "PgBouncer's console and a server are two: give each a check of its own");
                fine = false;
        }
        if (config->databases.count > 0 && by_database == 0) {
                config_complain(
                        node, "databases",
                        "none of the groups is of a database, and there is no query: databases is of no use");
                fine = false;
        }
        if (config->exclude_databases.count > 0 && config->databases.count == 0) {
                config_complain(node, "exclude_databases", "exclude_databases is only of use with databases");
                fine = false;
        }
        return fine;
}

/* The groups in the order of the table. -EINVAL after complaints, -ENOMEM. */
static int choose_groups(struct postgres_state *postgres, struct config_node *node)
{
        const struct postgres_config *config = postgres->config;
        struct postgres_plan *plan = &postgres->plan;
        const bool by_default = config->groups.count == 0 && !config->query;
        const struct postgres_group *needs_tables = NULL;
        size_t rows = 0, count = 0;
        unsigned chosen;
        while (postgres_groups[rows].name)
                rows++;
        _cleanup_free_ const char **names = calloc(rows + 1, sizeof(*names));
        plan->groups = calloc(rows + 1, sizeof(*plan->groups));
        if (!names || !plan->groups)
                return -ENOMEM;
        for (size_t i = 0; i < rows; i++)
                if (!is_alternative(&postgres_groups[i]))
                        names[count++] = postgres_groups[i].name;
        bool fine = group_names_read(&config->groups, node, names, count, &chosen);

        count = 0;
        for (const struct postgres_group *group = postgres_groups; group->name; group++) {
                if (is_alternative(group))
                        continue;
                bool wanted = by_default ? group->by_default : chosen & 1U << count;

                count++;
                if (!wanted)
                        continue;
                plan->groups[plan->group_count++] = group;
                if (postgres_group_is_by_table(group))
                        needs_tables = group;
        }
        if (needs_tables && config->tables.count == 0) {
                config_complain(node, "groups", "%s needs tables: the names of those whose rows it tells",
                                needs_tables->name);
                fine = false;
        }
        if (!needs_tables && config->tables.count > 0) {
                config_complain(node, "tables",
                                "tables is only of use to the groups row_counts and row_estimates");
                fine = false;
        }
        return fine && check_scope(postgres, node) ? 0 : -EINVAL;
}

/* The values of the groups' parameters. */
static int set_values(struct postgres_state *postgres)
{
        const struct postgres_config *config = postgres->config;
        struct text texts[PARAMETERS] = {0};
        int r = 0;
        text_put_double(&texts[PARAMETER_LONG_RUNNING], nsec_to_seconds(config->long_running));
        text_put_double(&texts[PARAMETER_SLOW], nsec_to_seconds(config->slow));
        text_printf(&texts[PARAMETER_TOP], "%lld", (long long)config->top);
        text_puts(&texts[PARAMETER_STATEMENT_TEXT], config->statement_text ? "true" : "false");
        postgres->plan.databases = &config->databases;
        postgres->plan.exclude_databases = &config->exclude_databases;
        postgres->plan.tables = &config->tables; /* each of which is a value in its turn */
        for (size_t i = PARAMETER_NONE + 1; i < PARAMETERS; i++) {
                postgres->plan.values[i] = text_take(&texts[i]);
                if (!postgres->plan.values[i])
                        r = -ENOMEM;
        }
        return r;
}

/* With `databases` the label of that name is the exporter's. */
static bool check_labels(const struct config_strings *labels, struct config_node *item)
{
        for (size_t i = 0; i < labels->count; i++)
                if (strcmp(labels->items[i], "database") == 0) {
                        config_complain(item, "labels",
                                        "with databases the label database is the exporter's own");
                        return false;
                }
        return true;
}

/* The operator's metrics: rules of their names, and families for them. -EINVAL after complaints, -ENOMEM. */
static int define_metrics(struct postgres_state *postgres, const struct check *check,
                          struct config_node *node)
{
        const struct postgres_config *config = postgres->config;
        const struct postgres_metric *metrics = config->metrics.items;
        size_t count = config->metrics.count;
        bool fine = true;
        if (!config->query != (count == 0)) {
                config_complain(node, config->query ? "query" : "metrics",
                                "query and metrics are only of use together");
                fine = false;
        }
        postgres->own = calloc(count + 1, sizeof(*postgres->own));
        postgres->own_list = calloc(count + 1, sizeof(*postgres->own_list));
        postgres->metrics = calloc(count + 1, sizeof(*postgres->metrics));
        if (!postgres->own || !postgres->own_list || !postgres->metrics)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                struct config_node *item = config_item(config_member(node, "metrics"), i);
                fine &= operator_metric_check(&metrics[i].metric, item);
                fine &= operator_labels_check(check, &metrics[i].labels, item);
                fine &= !config->databases.count || check_labels(&metrics[i].labels, item);
                postgres->own[i] = operator_metric_family(&metrics[i].metric);
                postgres->own_list[i] = &postgres->own[i];
                postgres->metrics[i] =
                        (struct column_metric){.family = &postgres->own[i],
                                               .value = metrics[i].value,
                                               .labels = (const char *const *)metrics[i].labels.items,
                                               .label_count = metrics[i].labels.count};
        }
        postgres->plan.query = config->query;
        postgres->plan.metrics = postgres->metrics;
        return fine ? 0 : -EINVAL;
}

static int postgres_open(const struct check *check, struct config_node *node, void **ret_state,
                         struct error *error)
{
        struct postgres_state *postgres = calloc(1, sizeof(*postgres));
        _cleanup_(postgres_close_p) void *owned = postgres;
        if (!postgres)
                return error_oom(error);
        postgres->config = check->config;
        int metrics = define_metrics(postgres, check, node), groups = choose_groups(postgres, node);
        if (metrics == -ENOMEM || groups == -ENOMEM || set_values(postgres) < 0)
                return error_oom(error);
        int r = postgres_connection_open(&postgres->config->postgres, &postgres->connection, error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                config_complain(node, "dsn", "%s", error_text(error));
                error_clear(error);
                return r;
        }
        if (metrics < 0 || groups < 0)
                return -EINVAL;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static const struct metric_family *const *postgres_own_families(const void *state)
{
        return ((const struct postgres_state *)state)->own_list;
}

static int postgres_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        const struct postgres_state *postgres = state;
        int r = postgres_measure(postgres->connection, &postgres->plan, deadline, sink, error);
        /* A query alone is about what it asks for, and the server is but where that is known. */
        return postgres->plan.group_count == 0 ? error_not_looked(error, r) : r;
}

/* The labels of its families. */
static const char *const labels[] = {"address", "database", "group",  "index", "query", "queryid",
                                     "replica", "schema",   "slot",   "stage", "state", "table",
                                     "user",    "version",  "holder", "list",  NULL};

const struct check_kind check_kind_postgres = {
        .name = "postgres",
        .help = "A PostgreSQL server: what is built in, by groups, and any query's result; over one "
                "connection that "
                "all checks of the server share.",
        .fields = fields,
        .config_size = sizeof(struct postgres_config),
        .target_key = "dsn",
        .families = postgres_families,
        .labels = labels,
        .open = postgres_open,
        .run = postgres_run,
        .close = postgres_close,
        .own_families = postgres_own_families,
};
