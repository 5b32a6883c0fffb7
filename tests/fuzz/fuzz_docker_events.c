/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's events, as the Engine tells them: what is counted of them does not depend on how often they are
 * told, and what says that it is to come counts for nothing. Input: the answer to /events, told twice; behind
 * a NUL a container as the Engine describes it.
 */
#include <string.h>

#include "exporter/kinds/docker/watch.h"
#include "lib/docker/internal.h"
#include "runbook/docker_conditions.h"
#include "runbook/docker_container.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 30000;
const char *const fuzz_words[] = {"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"one\"},",
                                  "\"Action\":\"health_status: unhealthy\"",
                                  "\"Action\":\"kill\"",
                                  "\"Action\":\"start\"",
                                  "\"Attributes\":{\"com.docker.compose.project\":\"p\",",
                                  "\"com.docker.compose.service\":\"web\"",
                                  "\"signal\":\"15\"",
                                  "\"timeNano\":1782907202000000000",
                                  "\"timeNano\":1e300",
                                  "\"timeNano\":-1",
                                  "}\n{",
                                  "\"FailingStreak\":3",
                                  "\"Log\":[{\"Start\":\"2026-07-01T12:00:00Z\"}",
                                  "\"Start\":\"1677-09-22T00:00:00Z\"",
                                  "\"Start\":\"2262-04-11T00:00:00Z\"",
                                  NULL};

#define NOW ((nsec)1782907210 * NSEC_PER_SEC)

static uint64_t happened(const struct docker_watch *watch)
{
        uint64_t sum = 0;
        for (size_t i = 0; i < watch->count; i++)
                for (size_t k = 0; k < DOCKER_EVENTS; k++)
                        sum += watch->containers[i].happened[k];
        for (size_t i = 0; i < watch->service_count; i++)
                for (size_t k = 0; k < DOCKER_EVENTS; k++)
                        sum += watch->services[i].happened[k];
        return sum;
}

static void count(const cJSON *events, const char *project)
{
        struct docker_watch watch = {0};
        /* The first look is of before. */
        FUZZ_ASSERT(docker_watch_take(&watch, events, NOW - NSEC_PER_SEC, project, NULL) == 0);
        FUZZ_ASSERT(happened(&watch) == 0 && watch.last <= (double)(NOW - NSEC_PER_SEC));
        FUZZ_ASSERT(docker_watch_take(&watch, events, NOW, project, NULL) == 0);
        FUZZ_ASSERT(watch.last >= 0 && watch.last <= (double)NOW && watch.until == NOW);
        const uint64_t once = happened(&watch);
        FUZZ_ASSERT(docker_watch_take(&watch, events, NOW, project, NULL) == 0);
        FUZZ_ASSERT(happened(&watch) == once);
        docker_watch_sweep(&watch);
        docker_watch_sweep(&watch);
        FUZZ_ASSERT(watch.count == 0 && watch.service_count == 0);
        docker_watch_release(&watch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *told = fuzz_string(data, size);
        const size_t length = strlen(told);
        _cleanup_text_ struct text body = {0};
        _cleanup_json_ cJSON *events = cJSON_CreateArray(), *inspected = NULL;
        _cleanup_error_ struct error error = {0};
        text_append(&body, told, length);
        int r = docker_read_events(&body, events, &error);
        FUZZ_ASSERT(r >= 0 || error.message);
        count(events, "p");
        count(events, NULL);
        if (length == size || json_parse(told + length + 1, size - length - 1, &inspected, NULL) < 0)
                return 0;
        struct docker_watched watched = {0};
        const nsec since = docker_watch_failing(&watched, inspected);
        FUZZ_ASSERT((since == 0) == (watched.failing_since == 0));
        docker_watch_failing(&watched, inspected);
        docker_stopped_on_purpose(inspected, events);
        return 0;
}
