/* SPDX-License-Identifier: Apache-2.0 */
/* What the service was told to do wrong. */
#include "service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault current;

struct fault fault_now(void)
{
        pthread_mutex_lock(&lock);
        struct fault fault = current;
        pthread_mutex_unlock(&lock);
        return fault;
}

static void slow(struct fault *fault, double value)
{
        fault->slow_seconds = value;
}

static void fail(struct fault *fault, double value)
{
        fault->fail_ratio = value;
}

static void unhealthy(struct fault *fault, double value)
{
        fault->unhealthy = value > 0;
}

static void leak(struct fault *fault, double value)
{
        (void)fault;
        pool_leak((int)value);
}

static void die(struct fault *fault, double value)
{
        (void)fault;
        _exit((int)value);
}

static void none(struct fault *fault, double value)
{
        (void)value;
        *fault = (struct fault){0};
}

static const struct {
        const char *kind, *parameter;
        double otherwise;
        void (*set)(struct fault *fault, double value);
} kinds[] = {
        {"slow", "seconds", 3, slow},    {"fail", "ratio", 1, fail}, {"unhealthy", "on", 1, unhealthy},
        {"leak", "seconds", 3600, leak}, {"die", "status", 1, die},  {"none", "", 0, none},
};

bool fault_set(const char *query)
{
        char kind[32], value[32];
        if (!http_parameter(query, "kind", kind, sizeof(kind)))
                return false;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
                if (strcmp(kinds[i].kind, kind) != 0)
                        continue;
                bool given = http_parameter(query, kinds[i].parameter, value, sizeof(value));
                log_line("warning", "msg=\"fault\" kind=%s", kind);
                pthread_mutex_lock(&lock);
                kinds[i].set(&current, given ? atof(value) : kinds[i].otherwise);
                pthread_mutex_unlock(&lock);
                return true;
        }
        return false;
}
