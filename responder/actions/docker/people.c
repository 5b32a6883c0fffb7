/* SPDX-License-Identifier: Apache-2.0 */
/* Who was seen at the containers of a service, by the Engine's events. */
#include "responder/actions/docker/people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "responder/actions/docker/containers.h"
#include "runbook/docker_container.h"
#include "runbook/text.h"

/* What the Engine tells of our own acts may be a moment beside the time that we have written down. */
#define MARGIN (3 * NSEC_PER_SEC)
/* So long after its start a machine's own units start what Compose has described. */
#define BOOTING (5 * 60 * NSEC_PER_SEC)
/* As long as the Engine's clock and ours are as near, ours is asked by, which knows more than seconds. */
#define SAME_CLOCK (2 * NSEC_PER_SEC)
#define WORD_MOST 40
#define NAME_MOST 60

/* What a person causes, by the first word of what happened. What its restart policy does begins with none of
 * these. */
static const struct {
        const char *happened, *means;
        bool ours; /* this responder causes it as well, and so does what a machine does at its start */
} causes[] = {
        {"exec_start", "docker exec", false}, {"attach", "docker attach", false},
        {"restart", "docker restart", true},  {"stop", "docker stop", true},
        {"kill", "docker kill", true},        {"rename", "docker rename", true},
        {"update", "docker update", true},    {"create", "docker compose", true},
};

/* What is to come by our clock is of now. */
static nsec event_time(const cJSON *event, const struct people_asked *asked)
{
        const nsec at =
                seconds_to_nsec(json_number(event, "timeNano", json_number(event, "time", 0) * 1e9) / 1e9);
        return at < asked->now ? at : asked->now;
}

static bool is_ours(const struct people_asked *asked, nsec at)
{
        for (size_t i = 0; i < asked->own_count; i++)
                if (at >= asked->own[i].from - MARGIN && at <= asked->own[i].until + MARGIN)
                        return true;
        return false;
}

static const cJSON *attributes_of(const cJSON *event)
{
        return json_get(event, "Actor", "Attributes", NULL);
}

static bool is_of_service(const cJSON *event, const char *project, const char *service)
{
        const cJSON *attributes = attributes_of(event);
        return *docker_event_container(event) &&
               string_equal(json_string(attributes, "com.docker.compose.project"), project) &&
               string_equal(json_string(attributes, "com.docker.compose.service"), service);
}

const char *docker_event_of_person(const cJSON *event, const char *project, const char *service,
                                   const struct people_asked *asked, nsec booted, const char **ret_command)
{
        const char *action = docker_event_action(event);
        const size_t length = strcspn(action, ":");
        const nsec at = event_time(event, asked);
        *ret_command = NULL;
        if (!is_of_service(event, project, service) || at <= asked->after)
                return NULL;
        for (size_t i = 0; i < N_ELEMENTS(causes); i++) {
                if (strlen(causes[i].happened) != length || strncmp(causes[i].happened, action, length) != 0)
                        continue;
                if (causes[i].ours && (is_ours(asked, at) || at < booted + BOOTING))
                        return NULL;
                if (action[length] == ':')
                        *ret_command = action + length + 1 + strspn(action + length + 1, " ");
                return causes[i].means;
        }
        return NULL;
}

/* Appends the strings of a list from an index on, a blank between any two. */
static void put_words(struct text *text, const cJSON *words, int from)
{
        for (int i = from; i < cJSON_GetArraySize(words); i++) {
                const cJSON *word = cJSON_GetArrayItem(words, i);
                text_puts(text, text->length > 0 ? " " : "");
                text_puts(text, cJSON_IsString(word) ? word->valuestring : "");
        }
}

bool docker_is_health_check(const cJSON *inspected, const char *command)
{
        const cJSON *test = json_get(inspected, "Config", "Healthcheck", "Test", NULL);
        const cJSON *first = cJSON_GetArrayItem(test, 0);
        const cJSON *shell = json_get(inspected, "Config", "Shell", NULL);
        const char *kind = cJSON_IsString(first) ? first->valuestring : "";
        _cleanup_text_ struct text text = {0};
        if (string_equal(kind, "CMD-SHELL") && cJSON_GetArraySize(shell) == 0)
                text_puts(&text, "/bin/sh -c");
        else if (string_equal(kind, "CMD-SHELL"))
                put_words(&text, shell, 0);
        else if (!string_equal(kind, "CMD"))
                return false;
        put_words(&text, test, 1);
        return text_error(&text) == 0 && string_equal(text_string(&text), command);
}

/* 1 when an exec is no health check; 0 when it is, or its container is gone. */
static int ask_health_check(struct docker *docker, const char *id, const char *command,
                            struct deadline deadline, char **asked_of, cJSON **inspected, struct error *error)
{
        if (!string_equal(*asked_of, id)) {
                cJSON_Delete(TAKE_PTR(*inspected));
                free(*asked_of);
                *asked_of = strdup(id);
                int r = *asked_of ? docker_inspect(docker, id, deadline, inspected, error) : error_oom(error);
                if (r == -ENOENT)
                        return 0;
                if (r < 0)
                        return r;
        }
        return *inspected && !docker_is_health_check(*inspected, command);
}

static void describe(const cJSON *event, const struct people_asked *asked, const char *means,
                     const char *command, struct sighting *ret)
{
        const char *name = json_string(attributes_of(event), "name");
        _cleanup_text_ struct text where = {0};
        text_put_line(&where, name ? name : "a container", NAME_MOST);
        ret->since = ret->last = event_time(event, asked);
        if (!command) {
                snprintf(ret->words, sizeof(ret->words), "somebody was seen with %s on %s", means,
                         text_string(&where));
                return;
        }
        /* The program alone: its arguments may be secret. */
        _cleanup_free_ char *program = strndup(command, strcspn(command, " "));
        _cleanup_text_ struct text word = {0};
        text_put_line(&word, program ? program : "", WORD_MOST);
        snprintf(ret->words, sizeof(ret->words), "somebody was seen with %s (%s) in %s", means,
                 text_string(&word), text_string(&where));
}

static nsec find_boot(void)
{
        struct timespec up = {0};
        if (clock_gettime(CLOCK_BOOTTIME, &up) < 0)
                return 0;
        return clock_wall() - ((nsec)up.tv_sec * NSEC_PER_SEC + up.tv_nsec);
}

/* The last that a person has caused. */
static int find_last(struct step_run *run, struct docker *docker, const char *service, const cJSON *events,
                     const struct people_asked *asked, struct sighting *ret, struct error *error)
{
        const nsec booted = find_boot();
        _cleanup_free_ char *asked_of = NULL;
        _cleanup_json_ cJSON *inspected = NULL;
        for (int i = cJSON_GetArraySize(events); i-- > 0;) {
                const cJSON *event = cJSON_GetArrayItem(events, i);
                const char *command = NULL;
                const char *means =
                        docker_event_of_person(event, docker_project(run), service, asked, booted, &command);
                if (!means)
                        continue;
                int r = command ? ask_health_check(docker, docker_event_container(event), command,
                                                   run->deadline, &asked_of, &inspected, error)
                                : 1;
                if (r < 0)
                        return r;
                if (r > 0) {
                        describe(event, asked, means, command, ret);
                        return 1;
                }
        }
        return 0;
}

int docker_people(struct step_run *run, const char *service, const struct people_asked *asked,
                  struct sighting *ret, struct error *error)
{
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_json_ cJSON *answer = NULL, *events = NULL;
        int r = targets_docker(run->targets, &docker, error);
        if (r >= 0)
                r = docker_call(docker, "GET", "/version", NULL, run->deadline, &answer, error);
        if (r < 0)
                return r;
        const nsec told = docker_time(docker), here = clock_wall();
        const bool same = told > here - SAME_CLOCK && told < here + SAME_CLOCK;
        const nsec until = same || told == 0 ? here : told;
        r = docker_events(docker, asked->after, until, run->deadline, &events, error);
        return r < 0 ? r : find_last(run, docker, service, events, asked, ret, error);
}
