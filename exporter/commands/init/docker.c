/* SPDX-License-Identifier: Apache-2.0 */
/* Compose's projects, by the labels of their containers; and where their services answer. */
#include "exporter/commands/init/internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runbook/docker.h"
#include "runbook/docker_container.h"

#define TOPIC "Docker"
#define PATIENCE (5 * NSEC_PER_SEC)
#define SOCKET "unix:///var/run/docker.sock"
#define CONTAINERS_MAX 200

static const struct check_row per_project[] = {
        {TOPIC, "services", "Docker services",
         "advice: \"docker compose ps, and the logs of the service\"\n"
         "docker:\n"
         "  host: \"$(host)\"\n"
         "  project: \"$(project)\"\n"
         "  services: [$(services)]\n"
         "  groups: [state]\n"
         "warn:\n"
         "  - runbook_docker_container_oom_killed == 1\n"
         "  - runbook_docker_service_replicas_running / runbook_docker_service_replicas_wanted < 100%\n"
         "fail: runbook_docker_service_replicas_running == 0\n",
         NEEDS_ANSWER},
        {TOPIC, "containers", "What the containers use",
         "cache: 30s  # the Engine may take a second to measure them\n"
         "docker:\n"
         "  host: \"$(host)\"\n"
         "  project: \"$(project)\"\n"
         "  groups: [resources]\n",
         NEEDS_ANSWER},
        {"Logs", "logs", "Logs of the services",
         "log:\n"
         "  docker:\n"
         "    host: \"$(host)\"\n"
         "    project: \"$(project)\"\n"
         "    services: [$(services)]\n"
         "  patterns:\n"
         "    - {name: error, ignore_case: true, pattern: 'error|exception|failed'}\n"
         "    - {name: auth, ignore_case: true, pattern: 'unauthorized|authentication failed|invalid api "
         "key'}\n"
         "    - {name: slow, ignore_case: true, pattern: 'timeout|slow'}\n"
         "    - {name: rate_limit, ignore_case: true, pattern: 'rate.?limit'}\n",
         NEEDS_ANSWER},
};

/* One container more of the project: its services, each once. They are sorted, as docker_list() has them. */
static void add_service(struct text *quoted, struct text *plain, struct text *words, const char *service,
                        const char **last)
{
        if (string_equal(*last, service))
                return;
        text_puts(quoted, quoted->length ? ", " : "");
        text_put_json(quoted, service);
        text_puts(plain, plain->length ? ", " : "");
        text_puts(plain, service);
        text_puts(words, words->length ? "|" : "");
        text_puts(words, service);
        *last = service;
}

/* A port that a word of a health check or of the environment names; 0: none. */
static long read_port(const char *word)
{
        char *end;
        long port = strtol(word, &end, 10);
        return isdigit((unsigned char)*word) && port > 0 && port < 65536 ? port : 0;
}

/* Where Docker publishes a port of the container, on this machine; 0: nowhere. */
static long published(const cJSON *inspected, long inside)
{
        char name[32];
        snprintf(name, sizeof(name), "%ld/tcp", inside);
        const cJSON *bound = json_get(inspected, "NetworkSettings", "Ports", name, NULL);
        const char *port = json_string(cJSON_GetArrayItem(bound, 0), "HostPort");
        return port ? read_port(port) : 0;
}

static bool shares_the_hosts_network(const cJSON *inspected)
{
        return string_equal(json_string(json_get(inspected, "HostConfig", NULL), "NetworkMode"), "host");
}

static void look_at_port(struct search *search, const cJSON *inspected, long inside, const char *path,
                         bool *found)
{
        long port = shares_the_hosts_network(inspected) ? inside : published(inspected, inside);
        _cleanup_free_ char *from = text_format("the container %s", docker_name(inspected));
        _cleanup_free_ char *url = text_format("http://localhost:%ld%s", port, path);
        if (port && !*found && url && from)
                *found = find_web_at(search, url, docker_service(inspected), from);
}

/* What the health check asks, where it asks over HTTP: it says best where the service tells how it is. */
static void look_by_health_check(struct search *search, const cJSON *inspected, bool *found)
{
        const cJSON *word, *test = json_get(inspected, "Config", "Healthcheck", "Test", NULL);
        cJSON_ArrayForEach(word, test)
        {
                const char *said = cJSON_IsString(word) ? word->valuestring : "";
                for (const char *url = said; (url = strstr(url, "http://")); url++) {
                        const char *host = url + strlen("http://");
                        size_t length = strcspn(host, ":/ \"'");
                        long port = host[length] == ':' ? read_port(host + length + 1) : 80;
                        const char *path = host + strcspn(host, "/ \"';|");
                        char wanted[256];
                        snprintf(wanted, sizeof(wanted), "%.*s",
                                 *path == '/' ? (int)strcspn(path, " \"';|&") : 0, path);
                        look_at_port(search, inspected, port, wanted, found);
                }
        }
}

/* PORT is how twelve-factor services are told where to listen. */
static void look_by_environment(struct search *search, const cJSON *inspected, bool *found)
{
        const cJSON *variable;
        cJSON_ArrayForEach(variable, json_get(inspected, "Config", "Env", NULL))
        {
                const char *said = cJSON_IsString(variable) ? variable->valuestring : "";
                if (string_starts(said, "PORT="))
                        look_at_port(search, inspected, read_port(said + strlen("PORT=")), "", found);
        }
}

static void look_by_ports(struct search *search, const cJSON *inspected, bool *found)
{
        const cJSON *port;
        cJSON_ArrayForEach(port, json_get(inspected, "NetworkSettings", "Ports",
                                          NULL)) if (string_ends(port->string, "/tcp"))
                look_at_port(search, inspected, read_port(port->string), "", found);
}

/* Well-known servers are told by their port inside, wherever that is published. */
static void look_by_trade(struct search *search, const cJSON *inspected)
{
        static const struct {
                long inside;
                enum place_kind kind;
                const char *form;
        } trades[] = {{5432, PLACE_POSTGRES, "host=localhost port=%ld dbname=postgres user=runbook_exporter"},
                      {6379, PLACE_ADDRESS, "localhost:%ld"}};
        for (size_t i = 0; i < N_ELEMENTS(trades); i++) {
                long port = published(inspected, trades[i].inside);
                char place[128];
                if (!port || port == trades[i].inside) /* which is looked at anyway */
                        continue;
                snprintf(place, sizeof(place), trades[i].form, port);
                look_also(search, trades[i].kind, place, "a port that Docker publishes");
        }
}

static void look_at_container(struct search *search, struct docker *docker, const cJSON *container)
{
        _cleanup_json_ cJSON *inspected = NULL;
        bool found = false;
        const char *id = json_string(container, "Id");
        if (!docker_runs(container) || !id ||
            docker_inspect(docker, id, deadline_in(PATIENCE), &inspected, NULL) < 0)
                return;
        look_by_trade(search, inspected);
        look_by_health_check(search, inspected, &found);
        look_by_environment(search, inspected, &found);
        look_by_ports(search, inspected, &found);
}

/* The project with the most services is the one that the remediations are for: they are of one. */
static void remember_project(struct search *search, const char *host, const char *project,
                             struct text *services, size_t count, size_t *most)
{
        struct surroundings *around = &search->found->around;
        if (count <= *most)
                return;
        *most = count;
        free(around->project);
        free(around->docker_host);
        text_free(&around->services);
        around->project = strdup(project);
        around->docker_host = strdup(host);
        around->services = *services;
        *services = (struct text){0};
}

/* Compose's names have nothing else; a label may have anything, and these go into a regular expression. */
static bool is_compose_name(const char *name)
{
        return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
                                strlen(name);
}

/* Not what was made for one command, nor what has done its work and ended well, as a migration does. */
static bool is_to_run(const cJSON *container)
{
        const char *status = json_string(container, "Status");
        return is_compose_name(docker_service(container)) && !docker_is_one_off(container) &&
               !(status && string_starts(status, "Exited (0)"));
}

/* Those of one project stand side by side. Where the next one begins. */
static const cJSON *propose_project(struct search *search, const char *host, const cJSON *first, size_t *most)
{
        _cleanup_text_ struct text quoted = {0}, plain = {0}, words = {0};
        const char *project = docker_compose_project(first), *last = NULL;
        const cJSON *container = first;
        size_t count = 0;
        for (; container && string_equal(docker_compose_project(container), project);
             container = container->next) {
                const char *before = last;
                if (is_to_run(container))
                        add_service(&quoted, &plain, &words, docker_service(container), &last);
                count += last != before;
        }
        if (!is_compose_name(project))
                return container;
        for (size_t i = 0; count > 0 && i < N_ELEMENTS(per_project); i++) {
                /* The list is YAML already: it is put in before what is quoted. */
                _cleanup_text_ struct text body = {0};
                const char *at = per_project[i].body, *list;
                while ((list = strstr(at, "$(services)"))) {
                        text_append(&body, at, (size_t)(list - at));
                        text_puts(&body, text_string(&quoted));
                        at = list + strlen("$(services)");
                }
                text_puts(&body, at);
                struct check_row row = per_project[i];
                row.body = text_string(&body);
                init_propose(search, &row, VALUES({"host", host}, {"project", project}),
                             "Compose's project %s has containers of %s", project, text_string(&plain));
        }
        remember_project(search, host, project, &words, count, most);
        return container;
}

void find_docker(struct search *search)
{
        const char *host = init_environment("DOCKER_HOST") ? init_environment("DOCKER_HOST") : SOCKET;
        const struct docker_options options = {.host = (char *)host};
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_json_ cJSON *containers = NULL;
        _cleanup_error_ struct error error = {0};
        size_t most = 0, looked = 0;
        if (docker_new(&options, &docker, &error) < 0 ||
            docker_list_everything(docker, deadline_in(PATIENCE), &containers, &error) < 0) {
                init_tell(search, "%s", error_text(&error)); /* which begins with Docker's name */
                return;
        }
        for (const cJSON *at = containers ? containers->child : NULL; at;)
                at = propose_project(search, host, at, &most);
        if (most == 0)
                init_tell(search, "Docker: the Engine at %s has no containers of Compose", host);
        const cJSON *container;
        cJSON_ArrayForEach(container, containers) if (looked++ < CONTAINERS_MAX)
                look_at_container(search, docker, container);
}
