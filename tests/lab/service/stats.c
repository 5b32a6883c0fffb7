/* SPDX-License-Identifier: Apache-2.0 */
/* Counts requests and keys, and writes the page of Prometheus' text format 0.0.4. */
#include "service.h"

#include <pthread.h>
#include <string.h>

enum { COUNTERS_MAX = 64 };

static const double bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10};
enum { BOUNDS = sizeof(bounds) / sizeof(*bounds) };

struct counter {
        char first[128], second[32];
        unsigned long value;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct counter requests[COUNTERS_MAX], keys[COUNTERS_MAX];
static unsigned long buckets[BOUNDS], duration_count;
static double duration_sum;

static void count(struct counter *counters, const char *first, const char *second)
{
        for (size_t i = 0; i < COUNTERS_MAX; i++) {
                struct counter *counter = counters + i;
                if (counter->value == 0) {
                        snprintf(counter->first, sizeof(counter->first), "%s", first);
                        snprintf(counter->second, sizeof(counter->second), "%s", second);
                }
                if (strcmp(counter->first, first) == 0 && strcmp(counter->second, second) == 0) {
                        counter->value++;
                        return;
                }
        }
}

void stats_request(const char *method, int status, double seconds)
{
        char text[16];
        snprintf(text, sizeof(text), "%d", status);
        pthread_mutex_lock(&lock);
        count(requests, method, text);
        for (size_t i = 0; i < BOUNDS; i++)
                buckets[i] += seconds <= bounds[i];
        duration_count++;
        duration_sum += seconds;
        pthread_mutex_unlock(&lock);
}

void stats_key(const char *name, const char *verdict)
{
        pthread_mutex_lock(&lock);
        count(keys, name, verdict);
        pthread_mutex_unlock(&lock);
}

void stats_write(FILE *page)
{
        const char *service = settings.service;
        int open, max;
        pool_count(&open, &max);
        pthread_mutex_lock(&lock);
        fprintf(page, "# HELP http_requests_total Requests answered.\n# TYPE http_requests_total counter\n");
        for (size_t i = 0; i < COUNTERS_MAX && requests[i].value; i++)
                fprintf(page, "http_requests_total{service=\"%s\",method=\"%s\",status=\"%s\"} %lu\n",
                        service, requests[i].first, requests[i].second, requests[i].value);
        fprintf(page, "# HELP http_request_duration_seconds How long requests took.\n"
                      "# TYPE http_request_duration_seconds histogram\n");
        for (size_t i = 0; i < BOUNDS; i++)
                fprintf(page, "http_request_duration_seconds_bucket{service=\"%s\",le=\"%g\"} %lu\n", service,
                        bounds[i], buckets[i]);
        fprintf(page,
                "http_request_duration_seconds_bucket{service=\"%s\",le=\"+Inf\"} %lu\n"
                "http_request_duration_seconds_sum{service=\"%s\"} %g\n"
                "http_request_duration_seconds_count{service=\"%s\"} %lu\n",
                service, duration_count, service, duration_sum, service, duration_count);
        fprintf(page, "# HELP mcp_api_key_requests_total Requests by API key.\n"
                      "# TYPE mcp_api_key_requests_total counter\n");
        for (size_t i = 0; i < COUNTERS_MAX && keys[i].value; i++)
                fprintf(page, "mcp_api_key_requests_total{key_name=\"%s\",verdict=\"%s\"} %lu\n",
                        keys[i].first, keys[i].second, keys[i].value);
        pthread_mutex_unlock(&lock);
        fprintf(page,
                "# HELP mcp_db_pool_connections Database connections that are open.\n"
                "# TYPE mcp_db_pool_connections gauge\nmcp_db_pool_connections %d\n"
                "# HELP mcp_db_pool_max_connections Size of the pool.\n"
                "# TYPE mcp_db_pool_max_connections gauge\nmcp_db_pool_max_connections %d\n",
                open, max);
}
