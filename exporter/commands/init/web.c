/* SPDX-License-Identifier: Apache-2.0 */
/* What answers over HTTP: Prometheus, Alertmanager, Grafana, and services that tell of their health. */
#include "exporter/commands/init/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MONITORING "Monitoring"
#define SERVICES "Services"
#define PROMETHEUS "prometheus:\n  url: \"$(url)\"\n"

/* Ratios of the answers with 5xx over a while, of the worst instance. */
#define ERRORS(window)                                                                                      \
        "  query: |\n"                                                                                      \
        "    max by (service) (\n"                                                                          \
        "      (sum by (job, instance, service) (rate(http_requests_total{status=~\"5..\"}[" window "]))\n" \
        "          or 0 * sum by (job, instance, service) (rate(http_requests_total[" window "])))\n"       \
        "        / (sum by (job, instance, service) (rate(http_requests_total[" window "])) > 0)\n"         \
        "        or 0 * sum by (job, instance, service) (rate(http_requests_total[" window "])))\n"         \
        "  labels: [service]\n"

/* A day of the past has to be there before anything is foretold. */
#define PROJECTION(query, of, labels, metric)                                                                \
        "cache: 1h\n" PROMETHEUS query "  history: {of: " of ", at_least: 1d}\n" labels "  metric: {" metric \
        "}\n"

static const struct check_row of_prometheus[] = {
        {MONITORING, "prometheus", "Prometheus", "http: {url: \"$(url)/-/healthy\"}\n", NEEDS_ANSWER},
        {MONITORING, "targets", "Prometheus' targets",
         "advice: Open Status, Targets in Prometheus; its reason stands there\n" PROMETHEUS "  query: up\n"
         "  labels: [job, instance]\n"
         "  metric:\n"
         "    name: runbook_prometheus_target_up\n"
         "    help: \"Whether Prometheus could scrape the target.\"\n"
         "warn: runbook_prometheus_target_up == 0\n",
         NEEDS_SERIES},
        {MONITORING, "error_rate", "Error rate (last hour)",
         "advice: Look for the service and the time in Prometheus, then into its logs\n"
         "cache: 1m\n" PROMETHEUS ERRORS("1h") "  metric:\n"
                                               "    name: runbook_http_error_ratio\n"
                                               "    help: \"Share of requests of the last hour that were "
                                               "answered with 5xx.\"\n"
                                               "warn: runbook_http_error_ratio > 1%\n",
         NEEDS_SERIES},
        {MONITORING, "error_rate_5m", "Error rate (last 5 minutes)",
         PROMETHEUS ERRORS("5m") "  metric:\n"
                                 "    name: runbook_http_error_ratio_5m\n"
                                 "    help: \"Share of requests of the last five minutes that were answered "
                                 "with 5xx.\"\n"
                                 "warn: runbook_http_error_ratio_5m > 1%\n",
         NEEDS_SERIES},
        {MONITORING, "latency", "Latency (95 % of the requests, last 5 minutes)",
         PROMETHEUS "  query: |\n"
                    "    max by (service) (histogram_quantile(0.95,\n"
                    "      sum by (job, instance, service, le) "
                    "(rate(http_request_duration_seconds_bucket[5m])))) >= 0\n"
                    "  labels: [service]\n"
                    "  metric:\n"
                    "    name: runbook_http_latency_p95_seconds\n"
                    "    help: \"What 95 % of the requests of the last five minutes took at most.\"\n"
                    "warn: runbook_http_latency_p95_seconds > 2s\n"
                    "when_empty: pass  # without requests there is nothing that could be slow\n",
         NEEDS_SERIES},
        {"Capacity", "capacity_cpu", "CPU used in the last hour",
         "cache: 5m\n" PROMETHEUS "  query: |\n"
         "    max(\n"
         "      1 - sum by (job, instance, check) "
         "(rate(runbook_system_cpu_seconds_total{mode=\"idle\"}[1h]))\n"
         "        / sum by (job, instance, check) (rate(runbook_system_cpu_seconds_total[1h])))\n"
         "  metric: {name: runbook_capacity_cpu_used_ratio, help: \"Share of all CPUs that was used in the "
         "last "
         "hour.\"}\n",
         NEEDS_ANSWER},
        {"Capacity", "capacity_containers", "CPUs used by the services in the last hour",
         "cache: 5m\n" PROMETHEUS "  query: |\n"
         "    max by (service) (sum by (job, instance, check, service) "
         "(rate(runbook_docker_container_cpu_seconds_total[1h])))\n"
         "  labels: [service]\n"
         "  metric: {name: runbook_capacity_container_cpu_cores, help: \"CPUs that the service used in the "
         "last "
         "hour.\"}\n",
         NEEDS_ANSWER},
        {"Capacity", "projected_cpu", "Projection: CPU",
         PROJECTION(
                 "  query: 'clamp(max(predict_linear(runbook_capacity_cpu_used_ratio[7d], 30 * 86400)), 0, "
                 "1)'\n",
                 "runbook_capacity_cpu_used_ratio", "",
                 "name: runbook_capacity_projected_cpu_used_ratio, help: \"Share of all CPUs that will be "
                 "used in 30 days.\""),
         NEEDS_ANSWER},
        {"Capacity", "projected_memory", "Projection: memory",
         PROJECTION(
                 "  query: |\n"
                 "    clamp_min(max(predict_linear(\n"
                 "      (runbook_system_memory_total_bytes - runbook_system_memory_available_bytes)[7d:1h], "
                 "30 * 86400)), 0)\n",
                 "runbook_system_memory_available_bytes", "",
                 "name: runbook_capacity_projected_memory_used_bytes, help: \"Memory that will be used in 30 "
                 "days.\""),
         NEEDS_ANSWER},
        {"Capacity", "projected_storage", "Projection: storage",
         PROJECTION(
                 "  query: |\n"
                 "    clamp_min(max by (mountpoint) (predict_linear(\n"
                 "      (runbook_disk_size_bytes - runbook_disk_available_bytes)[7d:1h], 30 * 86400)), 0)\n",
                 "runbook_disk_available_bytes", "  labels: [mountpoint]\n",
                 "name: runbook_capacity_projected_storage_used_bytes, help: \"Storage that will be used in "
                 "30 days.\""),
         NEEDS_ANSWER},
        {"Capacity", "projected_database", "Projection: database",
         PROJECTION(
                 "  query: \"clamp_min(max by (database) "
                 "(predict_linear(runbook_postgres_database_size_bytes[7d], 30 * 86400)), 0)\"\n",
                 "runbook_postgres_database_size_bytes", "  labels: [database]\n",
                 "name: runbook_capacity_projected_database_bytes, help: \"How large the database will be in "
                 "30 days.\""),
         NEEDS_ANSWER},
};

static const struct check_row of_alertmanager[] = {
        {MONITORING, "alertmanager", "Alertmanager", "http: {url: \"$(url)/-/healthy\"}\n", NEEDS_ANSWER},
};

static const struct check_row of_grafana[] = {
        {MONITORING, "grafana", "Grafana", "http: {url: \"$(url)/api/health\", json: {database: ok}}\n",
         NEEDS_ANSWER},
};

/* Servers that are known by what they answer: where, and a member that only they have. */
static const struct known {
        const char *title;
        const char *usually; /* where it is when nobody says otherwise */
        const char *path;
        const char *member, *below; /* below: a member of that member; NULL: the member is enough */
        const struct check_row *rows;
        size_t row_count;
        size_t remembered; /* the offset of its URL in struct surroundings; 0: it is not needed there */
} known[] = {
        {"Prometheus", "http://localhost:9090", "/api/v1/status/buildinfo", "data", "version", of_prometheus,
         N_ELEMENTS(of_prometheus), offsetof(struct surroundings, prometheus_url)},
        {"Alertmanager", "http://localhost:9093", "/api/v2/status", "versionInfo", "version", of_alertmanager,
         N_ELEMENTS(of_alertmanager), offsetof(struct surroundings, alertmanager_url)},
        {"Grafana", "http://localhost:3000", "/api/health", "database", NULL, of_grafana,
         N_ELEMENTS(of_grafana), 0},
};

/* Whose answer it is; NULL: of none that is known. */
static bool is_known(struct search *search, const struct known *one, const char *base)
{
        _cleanup_json_ cJSON *answer = NULL;
        _cleanup_free_ char *url = text_format("%s%s", base, one->path);
        if (!url || ask_json(search, url, &answer) != 200)
                return false;
        return one->below ? json_get(answer, one->member, one->below, NULL) != NULL
                          : json_get(answer, one->member, NULL) != NULL;
}

static void propose_known(struct search *search, const struct known *one, const char *base, const char *from)
{
        search->answered |= 1U << (one - known);
        for (size_t i = 0; i < one->row_count; i++)
                init_propose(search, &one->rows[i], VALUES({"url", base}), "%s answers at %s (%s)",
                             one->title, base, from);
        char **remembered = (char **)((char *)&search->found->around + one->remembered);
        if (one->remembered && !*remembered)
                *remembered = strdup(base);
}

/* A word by which a health document says that all is well. */
static const char *well(const cJSON *document)
{
        static const char *const words[] = {"healthy", "ok", "OK", "UP", "up", "pass", "available"};
        const char *said = json_string(document, "status");
        for (size_t i = 0; said && i < N_ELEMENTS(words); i++)
                if (string_equal(said, words[i]))
                        return said;
        return NULL;
}

/* Its check is called after the service, or else after host and port. */
static bool propose_health(struct search *search, const char *url, const char *service, const char *from)
{
        static const struct check_row by_word = {
                SERVICES, "$(name)", "$(name)",
                "http: {url: \"$(url)\", status: 200, json: {status: \"$(word)\"}}\n", NEEDS_ANSWER};
        static const struct check_row by_status = {SERVICES, "$(name)", "$(name)",
                                                   "http: {url: \"$(url)\", status: 200}\n", NEEDS_ANSWER};
        _cleanup_json_ cJSON *answer = NULL;
        if (ask_json(search, url, &answer) != 200)
                return false;
        const char *word = well(answer), *host = strstr(url, "://") + strlen("://");
        _cleanup_free_ char *name = strndup(host, strcspn(host, "/"));
        if (!name) {
                search->result = -ENOMEM;
                return false;
        }
        init_propose(search, word ? &by_word : &by_status,
                     VALUES({"name", service && *service ? service : name}, {"url", url},
                            {"word", word ? word : ""}),
                     "%s answers 200 (%s)", url, from);
        return true;
}

/* The certificate of a server that speaks TLS: a day is enough to lose a night by. */
static void propose_certificate(struct search *search, const char *url, const char *from)
{
        static const struct check_row row = {
                "Certificates", "certificate", "Certificate of $(address)",
                "advice: Renew the certificate\n"
                "cache: 1h\n"
                "tls: {address: \"$(address)\"}\n"
                "warn:\n"
                "  - runbook_tls_leaf_not_after_timestamp_seconds - time() < 30d\n"
                "  - runbook_tls_chain_not_after_timestamp_seconds - time() < 30d\n"
                "fail: runbook_tls_leaf_not_after_timestamp_seconds - time() < 7d\n",
                NEEDS_ANSWER};
        if (!string_starts(url, "https://"))
                return;
        const char *host = url + strlen("https://");
        size_t length = strcspn(host, "/");
        bool has_port = memchr(host, ':', length) && host[length - 1] != ']';
        _cleanup_free_ char *address = text_format("%.*s%s", (int)length, host, has_port ? "" : ":443");
        if (address)
                init_propose(search, &row, VALUES({"address", address}), "%s speaks TLS (%s)", url, from);
}

bool find_web_at(struct search *search, const char *given, const char *service, const char *from)
{
        static const char *const paths[] = {"/health", "/healthz", "/-/healthy", "/api/health",
                                            "/actuator/health"};
        const char *host = strstr(given, "://") + strlen("://");
        size_t length = strlen(given);
        while (length > (size_t)(host - given) && given[length - 1] == '/')
                length--;
        _cleanup_free_ char *base = strndup(given, length);
        if (!base)
                return false;
        propose_certificate(search, base, from);
        if (strchr(base + (host - given), '/'))
                return propose_health(search, base, service, from);
        for (size_t i = 0; i < N_ELEMENTS(known); i++)
                if (is_known(search, &known[i], base)) {
                        propose_known(search, &known[i], base, from);
                        return true;
                }
        for (size_t i = 0; i < N_ELEMENTS(paths); i++) {
                _cleanup_free_ char *url = text_format("%s%s", base, paths[i]);
                if (url && propose_health(search, url, service, from))
                        return true;
        }
        return false;
}

static void find_usual(struct search *search)
{
        for (size_t i = 0; i < N_ELEMENTS(known); i++) {
                if (search->answered & 1U << i)
                        continue;
                if (is_known(search, &known[i], known[i].usually))
                        propose_known(search, &known[i], known[i].usually, "its usual port");
                else
                        init_tell(search, "%s: nothing at %s answers as it does; --look=URL looks elsewhere",
                                  known[i].title, known[i].usually);
        }
}

void find_web(struct search *search)
{
        for (size_t i = 0; i < search->place_count; i++) {
                const struct place place = search->places[i];
                if (place.kind == PLACE_URL && !find_web_at(search, place.where, NULL, place.from))
                        init_tell(search, "%s: no health document and no server that is known", place.where);
        }
        find_usual(search);
}
