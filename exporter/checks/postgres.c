/* SPDX-License-Identifier: Apache-2.0 */
/* Kind postgres: connections and long-running queries, and any query of the operator's. One kept connection.
 */
#include "runbook/postgres.h"

#include <errno.h>

#include "exporter/check.h"
#include "exporter/operator_metric.h"

struct postgres_metric {
        struct operator_metric metric;
        char *value;
        struct config_strings labels;
};

struct postgres_config {
        struct postgres_options postgres;
        struct config_strings groups;
        nsec long_running;
        char *query;
        struct config_list metrics;
};

static const struct config_field metric_fields[] = {
        OPERATOR_METRIC_FIELDS(struct postgres_metric, metric, .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY),
        {.name = "value",
         .type = CONFIG_STRING,
         .offset = offsetof(struct postgres_metric, value),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The column with the value; a NULL leaves the sample out"},
        {.name = "labels",
         .type = CONFIG_STRINGS,
         .offset = offsetof(struct postgres_metric, labels),
         .help = "Columns that become labels of the same names"},
        {0},
};

static const struct config_field fields[] = {
        POSTGRES_CONFIG_FIELDS(struct postgres_config, postgres),
        {.name = "groups",
         .type = CONFIG_STRINGS,
         .offset = offsetof(struct postgres_config, groups),
         .help = "What to measure of what is built in: `connections`, `long_running_queries`; all when there "
                 "is "
                 "no query, else none"},
        {.name = "long_running",
         .type = CONFIG_DURATION,
         .offset = offsetof(struct postgres_config, long_running),
         .fallback = "5m",
         .flags = CONFIG_POSITIVE,
         .help = "A query that is active for longer is a long-running one"},
        {.name = "query",
         .type = CONFIG_STRING,
         .offset = offsetof(struct postgres_config, query),
         .flags = CONFIG_NOT_EMPTY,
         .help = "One SELECT of the operator's, run read-only"},
        {.name = "metrics",
         .type = CONFIG_LIST,
         .offset = offsetof(struct postgres_config, metrics),
         .fields = metric_fields,
         .size = sizeof(struct postgres_metric),
         .help = "How the columns of the query become samples"},
        {0},
};

static const struct metric_family connections = {
        "runbook_postgres_connections", METRIC_GAUGE, NULL,
        "Client connections by database and state; without pg_monitor the state of others is unknown."};
static const struct metric_family max_connections = {"runbook_postgres_max_connections", METRIC_GAUGE, NULL,
                                                     "How many connections the server takes."};
static const struct metric_family long_running = {
        "runbook_postgres_long_running_queries", METRIC_GAUGE, NULL,
        "Queries that have been active for longer than the check's long_running."};
static const struct metric_family longest = {
        "runbook_postgres_longest_query_seconds", METRIC_GAUGE, "seconds",
        "For how long the oldest active query has been running; 0: none is."};

static const struct metric_family *const families[] = {&connections, &max_connections, &long_running,
                                                       &longest, NULL};

struct postgres_state {
        const struct postgres_config *config;
        struct postgres *postgres;
        unsigned groups;      /* a bit for each of the table below */
        struct label *labels; /* room for one sample's */
        struct metric_family *own;
        const struct metric_family **own_list;
};

static double number(const PGresult *result, int row, int column)
{
        double value = 0;

        return operator_value(PQgetvalue(result, row, column), &value) ? value : 0;
}

static void add_connections(const PGresult *result, struct sample_sink *sink)
{
        for (int row = 0; row < PQntuples(result); row++)
                SAMPLE(sink, &connections, number(result, row, 2), {"database", PQgetvalue(result, row, 0)},
                       {"state", PQgetvalue(result, row, 1)});
}

static void add_max_connections(const PGresult *result, struct sample_sink *sink)
{
        if (PQntuples(result) == 1)
                SAMPLE_BARE(sink, &max_connections, number(result, 0, 0));
}

static void add_long_running(const PGresult *result, struct sample_sink *sink)
{
        for (int row = 0; row < PQntuples(result); row++) {
                SAMPLE(sink, &long_running, number(result, row, 1), {"database", PQgetvalue(result, row, 0)});
                SAMPLE(sink, &longest, number(result, row, 2), {"database", PQgetvalue(result, row, 0)});
        }
}

/* What is built in. `$1` is long_running in seconds. A role without pg_monitor sees NULL for others' states.
 */
static const struct {
        const char *name;
        const char *sql;
        int parameters;
        void (*add)(const PGresult *result, struct sample_sink *sink);
} groups[] = {
        {"connections",
         "SELECT datname, coalesce(state, 'unknown'), count(*) FROM pg_stat_activity"
         " WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'"
         " GROUP BY 1, 2 ORDER BY 1, 2",
         0, add_connections},
        {"connections", "SELECT current_setting('max_connections')", 0, add_max_connections},
        {"long_running_queries",
         "SELECT d.datname, count(a.pid) FILTER (WHERE clock_timestamp() - a.query_start > $1::float8 * "
         "interval '1s'),"
         " coalesce(max(extract(epoch FROM clock_timestamp() - a.query_start)), 0)"
         " FROM pg_database d LEFT JOIN pg_stat_activity a ON a.datid = d.oid AND a.state = 'active'"
         " AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"
         " WHERE d.datallowconn AND NOT d.datistemplate GROUP BY 1 ORDER BY 1",
         1, add_long_running},
};

static void *postgres_close(void *state)
{
        struct postgres_state *postgres = state;

        if (!postgres)
                return NULL;
        postgres_free(postgres->postgres);
        free(postgres->labels);
        free(postgres->own);
        free(postgres->own_list);
        free(postgres);
        return NULL;
}
DEFINE_CLEANUP(void *, postgres_close);

static bool choose_groups(const struct postgres_config *config, struct config_node *node, unsigned *ret)
{
        bool fine = true;

        *ret = 0;
        for (size_t g = 0; g < N_ELEMENTS(groups); g++)
                if (config->groups.count == 0 && !config->query)
                        *ret |= 1U << g;
        for (size_t i = 0; i < config->groups.count; i++) {
                unsigned found = 0;

                for (size_t g = 0; g < N_ELEMENTS(groups); g++)
                        if (strcmp(groups[g].name, config->groups.items[i]) == 0)
                                found |= 1U << g;
                if (!found) {
                        config_complain(node, "groups", "there is no group \"%s\"", config->groups.items[i]);
                        fine = false;
                }
                *ret |= found;
        }
        return fine;
}

/* The operator's metrics: rules of their names, and families for them. -EINVAL after complaints, -ENOMEM. */
static int define_metrics(struct postgres_state *postgres, struct config_node *node)
{
        const struct postgres_config *config = postgres->config;
        const struct postgres_metric *metrics = config->metrics.items;
        size_t count = config->metrics.count, most = 0;
        bool fine = true;

        if (!config->query != (count == 0)) {
                config_complain(node, config->query ? "query" : "metrics",
                                "query and metrics are only of use together");
                fine = false;
        }
        postgres->own = calloc(count + 1, sizeof(*postgres->own));
        postgres->own_list = calloc(count + 1, sizeof(*postgres->own_list));
        if (!postgres->own || !postgres->own_list)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                struct config_node *item = config_item(config_member(node, "metrics"), i);

                fine &= operator_metric_check(&metrics[i].metric, item);
                fine &= operator_labels_check(&metrics[i].labels, item);
                postgres->own[i] = operator_metric_family(&metrics[i].metric);
                postgres->own_list[i] = &postgres->own[i];
                if (metrics[i].labels.count > most)
                        most = metrics[i].labels.count;
        }
        postgres->labels = calloc(most + 1, sizeof(*postgres->labels));
        if (!postgres->labels)
                return -ENOMEM;
        return fine ? 0 : -EINVAL;
}

static int postgres_open(const struct check *check, struct config_node *node, void **ret_state,
                         struct error *error)
{
        const struct postgres_config *config = check->config;
        struct postgres_state *postgres = calloc(1, sizeof(*postgres));
        _cleanup_(postgres_close_p) void *owned = postgres;
        struct postgres_options options = config->postgres;
        int r;

        if (!postgres)
                return error_oom(error);
        postgres->config = config;
        r = define_metrics(postgres, node);
        if (r == -ENOMEM)
                return error_oom(error);
        if (!choose_groups(config, node, &postgres->groups))
                r = -EINVAL;

        options.application_name = "runbook_exporter";
        options.read_only = true;
        options.statement_timeout = options.lock_timeout = check->timeout;
        int made = postgres_new(&options, &postgres->postgres, error);
        if (made == -ENOMEM)
                return made;
        if (made < 0) {
                config_complain(node, "dsn", "%s", error_text(error));
                error_clear(error);
                return made;
        }
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static const struct metric_family *const *postgres_families(const void *state)
{
        return ((const struct postgres_state *)state)->own_list;
}

static int find_column(const PGresult *result, const char *name, struct error *error)
{
        for (int column = 0; column < PQnfields(result); column++)
                if (strcmp(PQfname(result, column), name) == 0)
                        return column;
        return error_set(error, EPROTO, "the query has no column \"%s\"", name);
}

/* The samples of one metric, one a row. */
static int add_metric(struct postgres_state *postgres, size_t index, const PGresult *result,
                      struct sample_sink *sink, struct error *error)
{
        const struct postgres_metric *metric =
                &((struct postgres_metric *)postgres->config->metrics.items)[index];
        size_t label_count = metric->labels.count;
        _cleanup_free_ int *columns = calloc(label_count + 1, sizeof(*columns));
        int value_column;

        if (!columns)
                return error_oom(error);
        value_column = find_column(result, metric->value, error);
        if (value_column < 0)
                return value_column;
        for (size_t i = 0; i < label_count; i++) {
                columns[i] = find_column(result, metric->labels.items[i], error);
                if (columns[i] < 0)
                        return columns[i];
        }
        for (int row = 0; row < PQntuples(result); row++) {
                double value;

                if (PQgetisnull(result, row, value_column))
                        continue;
                if (!operator_value(PQgetvalue(result, row, value_column), &value))
                        return error_set(error, EPROTO, "column \"%s\" holds a value that is not a number",
                                         metric->value);
                for (size_t i = 0; i < label_count; i++)
                        postgres->labels[i] =
                                (struct label){metric->labels.items[i], PQgetvalue(result, row, columns[i])};
                sample_add(sink, &postgres->own[index], value, postgres->labels, label_count);
        }
        return 0;
}

static int run_query(struct postgres_state *postgres, struct deadline deadline, struct sample_sink *sink,
                     struct error *error)
{
        const struct postgres_config *config = postgres->config;
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = postgres_query(postgres->postgres, config->query, NULL, 0, deadline, &result, error);
        for (size_t i = 0; r >= 0 && i < config->metrics.count; i++)
                r = add_metric(postgres, i, result, sink, error);
        return r;
}

static int run_group(struct postgres_state *postgres, size_t group, struct deadline deadline,
                     struct sample_sink *sink, struct error *error)
{
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_text_ struct text seconds = {0};
        int r;

        text_put_double(&seconds, nsec_to_seconds(postgres->config->long_running));
        r = postgres_query(postgres->postgres, groups[group].sql,
                           (const char *const[]){text_string(&seconds)}, groups[group].parameters, deadline,
                           &result, error);
        if (r < 0)
                return error_prefix(error, r, "%s", groups[group].name);
        groups[group].add(result, sink);
        return 0;
}

/* A server may have closed the kept connection long ago, which shows only when it is used: one more try then.
 */
static int run_once(struct postgres_state *postgres, struct deadline deadline, struct sample_sink *sink,
                    struct error *error)
{
        int r = postgres_connect(postgres->postgres, deadline, error);

        for (size_t group = 0; r >= 0 && group < N_ELEMENTS(groups); group++)
                if (postgres->groups & (1U << group))
                        r = run_group(postgres, group, deadline, sink, error);
        if (r >= 0 && postgres->config->query)
                r = run_query(postgres, deadline, sink, error);
        return r;
}

static int postgres_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct postgres_state *postgres = state;
        bool kept = postgres_connected(postgres->postgres);
        int r = run_once(postgres, deadline, sink, error);

        if (r == -ECONNRESET && kept && sink->set->count == 0) {
                error_clear(error);
                r = run_once(postgres, deadline, sink, error);
        }
        return r;
}

const struct check_kind check_kind_postgres = {
        .name = "postgres",
        .help = "A PostgreSQL server: reachable, connections, long-running queries, and any query's result.",
        .fields = fields,
        .config_size = sizeof(struct postgres_config),
        .families = families,
        .open = postgres_open,
        .run = postgres_run,
        .close = postgres_close,
        .own_families = postgres_families,
};
