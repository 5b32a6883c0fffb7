/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Engine API: connection, version, calls, and waiting for a container to be healthy. */
#include "runbook/docker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/docker/internal.h"
#include "runbook/wait.h"

#define ANSWER_LIMIT ((size_t)16 << 20)
#define ID_LENGTH 64
#define SHORT_ID_LENGTH 12
#define LOOK_EVERY (250 * NSEC_PER_MSEC)

#define TCP_LENGTH 6 /* of "tcp://" */
#define NOT_A_HOST "\"%s\" is not a Docker host: unix:///path or tcp://host:port"

/* What follows "unix://" in the name of a socket; NULL when it is none. */
static const char *socket_of(const char *host)
{
        return strncmp(host, "unix:///", strlen("unix:///")) == 0 ? host + strlen("unix://") : NULL;
}

static bool is_tcp(const char *host)
{
        return strncmp(host, "tcp://", TCP_LENGTH) == 0 && host[TCP_LENGTH] &&
               !strpbrk(host + TCP_LENGTH, "/@?#");
}

/* What is no host may hold a password. */
static const char *shown(const char *host)
{
        return strchr(host, '@') ? "…" : host;
}

bool docker_check_options(const struct docker_options *options, struct config_node *node)
{
        const struct {
                const char *key, *file;
        } files[] = {{"ca_file", options->ca_file},
                     {"cert_file", options->cert_file},
                     {"key_file", options->key_file}};
        const char *host = options->host;
        bool fine = true;
        if (host && !is_tcp(host) && !socket_of(host)) {
                config_complain(node, "host", NOT_A_HOST, shown(host));
                return false;
        }
        for (size_t i = 0; host && !is_tcp(host) && i < N_ELEMENTS(files); i++)
                if (files[i].file) {
                        config_complain(node, files[i].key,
                                        "%s is for TLS, which a unix socket has not: write host: "
                                        "tcp://host:2376",
                                        files[i].key);
                        fine = false;
                }
        if (!options->cert_file != !options->key_file) {
                config_complain(node, options->cert_file ? "cert_file" : "key_file",
                                "cert_file and key_file are only of use together");
                fine = false;
        }
        return fine;
}

static bool copy(const char *string, char **ret)
{
        *ret = string ? strdup(string) : NULL;
        return !string || *ret;
}

int docker_new(const struct docker_options *options, struct docker **ret, struct error *error)
{
        const char *host = options->host ? options->host : "";
        _cleanup_docker_ struct docker *docker = calloc(1, sizeof(*docker));
        if (!docker)
                return error_oom(error);

        if (socket_of(host)) {
                docker->socket = strdup(socket_of(host));
                docker->base = strdup("http://docker");
                if (!docker->socket)
                        return error_oom(error);
        } else if (is_tcp(host)) {
                docker->tls = options->ca_file || options->cert_file || options->key_file;
                docker->base = text_format("%s://%s", docker->tls ? "https" : "http", host + TCP_LENGTH);
        } else
                return error_set(error, EINVAL, NOT_A_HOST, shown(host));
        docker->host = strdup(host);
        docker->client = http_client_new();
        if (!docker->base || !docker->host || !docker->client || !copy(options->ca_file, &docker->ca_file) ||
            !copy(options->cert_file, &docker->cert_file) || !copy(options->key_file, &docker->key_file))
                return error_oom(error);
        *ret = TAKE_PTR(docker);
        return 0;
}

struct docker *docker_free(struct docker *docker)
{
        if (!docker)
                return NULL;
        http_client_free(docker->client);
        free(docker->host);
        free(docker->socket);
        free(docker->base);
        free(docker->ca_file);
        free(docker->cert_file);
        free(docker->key_file);
        free(docker);
        return NULL;
}

/* Ids as people know them: 12 digits of the 64. */
static void shorten_ids(const char *message, size_t length, struct text *ret)
{
        for (size_t at = 0; at < length;) {
                size_t digits = strspn(message + at, "0123456789abcdef");
                if (digits > length - at)
                        digits = length - at;
                if (digits == ID_LENGTH) {
                        text_append(ret, message + at, SHORT_ID_LENGTH);
                        at += digits;
                        continue;
                }
                size_t n = digits > 0 ? digits : 1;
                text_append(ret, message + at, n);
                at += n;
        }
}

int docker_answer_error(long status, const char *body, size_t length, struct error *error)
{
        static const struct {
                long status;
                int code;
        } meanings[] = {{304, EALREADY},
                        {404, ENOENT},
                        {409, EEXIST},
                        /* It starts, or ends, or a proxy before it finds nobody. */
                        {502, EHOSTUNREACH},
                        {503, EHOSTUNREACH},
                        {504, EHOSTUNREACH}};
        int code = EREMOTEIO;
        for (size_t i = 0; i < N_ELEMENTS(meanings); i++)
                if (meanings[i].status == status)
                        code = meanings[i].code;
        _cleanup_json_ cJSON *answer = NULL;
        const char *message = NULL;
        if (length > 0 && json_parse_strict(body, length, &json_answer_limits, &answer, NULL) >= 0)
                message = json_string(answer, "message");
        if (message) {
                _cleanup_text_ struct text shorter = {0};
                shorten_ids(message, strcspn(message, "\r\n"), &shorter);
                if (text_error(&shorter) < 0)
                        return error_oom(error);
                error_set(error, code, "Docker: %s", text_string(&shorter));
        } else {
                error_set(error, code, "Docker answered with status %ld", status);
        }
        return code == EHOSTUNREACH ? error_may_pass(error, -code) : -code;
}

int docker_refused(struct docker *docker, const struct http_response *response, struct error *error)
{
        if (response->status == 400)
                docker->minor = 0; /* perhaps an Engine that was upgraded, and is too new for the version */
        return docker_answer_error(response->status, response->body.data, response->body.length, error);
}

struct http_request docker_describe(const struct docker *docker, const char *method, const char *url,
                                    struct deadline deadline)
{
        return (struct http_request){
                .method = method,
                .url = url,
                .unix_socket = docker->socket,
                .ca_file = docker->ca_file,
                .cert_file = docker->cert_file,
                .key_file = docker->key_file,
                .body_limit = ANSWER_LIMIT,
                .deadline = deadline,
        };
}

void docker_take_time(struct docker *docker, const struct http_response *response)
{
        http_response_date(response, &docker->time);
}

nsec docker_time(const struct docker *docker)
{
        return docker->time;
}

/* What HTTP says begins with the URL, whose host is a word of ours for a socket: a person knows the Engine by
 * the name that the file gives it. */
static void name_host(const struct docker *docker, struct error *error)
{
        const char *rest = error && error->message && string_starts(error->message, docker->base)
                                   ? strstr(error->message, ": ")
                                   : NULL;
        char *named = rest ? text_format("%s%s", docker->host, rest) : NULL;
        if (named) {
                free(error->message);
                error->message = named;
        }
}

bool docker_is_away(int result)
{
        return result == -ECONNREFUSED || result == -EHOSTUNREACH || result == -EPROTO || result == -EIO;
}

int docker_failed(struct docker *docker, int result, struct error *error)
{
        name_host(docker, error);
        if (result == -ECONNREFUSED)
                docker->minor = 0; /* another Engine may answer the next time */
        /* What the Engine has against our certificate, TLS tells in words of its own, or just hangs up. */
        if (docker->tls && (result == -EPROTO || result == -EIO))
                return docker->cert_file
                               ? error_prefix(error, result, "Docker, asked with the certificate %s",
                                              docker->cert_file)
                               : error_prefix(error, result,
                                              "Docker, asked without a client certificate (cert_file)");
        return error_prefix(error, result, "Docker");
}

/* One call of `url`; the status is not judged. */
static int fetch(struct docker *docker, const char *method, const char *url, const struct docker_body *body,
                 struct deadline deadline, struct http_response *ret, struct error *error)
{
        _cleanup_free_ char *type = body && body->type ? text_format("Content-Type: %s", body->type) : NULL;
        if (body && body->type && !type)
                return error_oom(error);
        const char *const headers[] = {type, NULL};
        struct http_request request = docker_describe(docker, method, url, deadline);
        if (body) {
                request.headers = type ? headers : NULL;
                request.body = body->data;
                request.body_length = body->length;
                request.body_limit = body->answer_limit > 0 ? body->answer_limit : ANSWER_LIMIT;
                request.on_data = body->on_data;
                request.context = body->context;
        }
        int r = http_fetch(docker->client, &request, ret, error);
        if (r < 0)
                return docker_failed(docker, r, error);
        docker_take_time(docker, ret);
        return 0;
}

int docker_api_minor(struct docker *docker, struct deadline deadline, int *ret, struct error *error)
{
        if (docker->minor == 0) {
                _cleanup_free_ char *url = text_format("%s/_ping", docker->base);
                if (!url)
                        return error_oom(error);
                _cleanup_http_response_ struct http_response response = {0};
                int r = fetch(docker, "GET", url, NULL, deadline, &response, error);
                if (r < 0)
                        return r;
                if (response.status == 400 && !docker->tls && !docker->socket)
                        return error_set(error, EPROTO,
                                         "what answers at %s refuses plain HTTP: an Engine with TLS needs "
                                         "ca_file, and most also cert_file and key_file",
                                         docker->host);
                if (response.status != 200)
                        return docker_answer_error(response.status, response.body.data, response.body.length,
                                                   error);

                _cleanup_text_ struct text version = {0};
                int major = 0, minor = 0;
                if (!http_response_header(&response, "Api-Version", &version) ||
                    sscanf(text_string(&version), "%d.%d", &major, &minor) != 2 || major != 1)
                        return error_set(error, EPROTO, "what answers at %s is not a Docker Engine",
                                         docker->host);
                if (minor < DOCKER_API_OLDEST)
                        return error_set(error, ENOTSUP, "the Docker Engine's API 1.%d is older than 1.%d",
                                         minor, DOCKER_API_OLDEST);
                text_clear(&version);
                docker->podman = http_response_header(&response, "Libpod-Api-Version", &version);
                docker->minor = minor < DOCKER_API_NEWEST ? minor : DOCKER_API_NEWEST;
        }
        *ret = docker->minor;
        return 0;
}

int docker_request(struct docker *docker, const char *method, const char *path,
                   const struct docker_body *body, struct deadline deadline, struct http_response *ret,
                   struct error *error)
{
        int minor = 0;
        int r = docker_api_minor(docker, deadline, &minor, error);
        if (r < 0)
                return r;
        _cleanup_free_ char *url = text_format("%s/v1.%d%s", docker->base, minor, path);
        if (!url)
                return error_oom(error);

        struct http_response response = {0};
        r = fetch(docker, method, url, body, deadline, &response, error);
        if (r >= 0 && (response.status < 200 || response.status > 299))
                r = docker_refused(docker, &response, error);
        if (r < 0) {
                http_response_release(&response);
                return r;
        }
        *ret = response;
        return 0;
}

int docker_call(struct docker *docker, const char *method, const char *path, const cJSON *body,
                struct deadline deadline, cJSON **ret, struct error *error)
{
        _cleanup_free_ char *json = body ? json_print(body) : NULL;
        if (body && !json)
                return error_oom(error);
        const struct docker_body request = {
                .type = json ? "application/json" : NULL, .data = json, .length = json ? strlen(json) : 0};
        _cleanup_http_response_ struct http_response response = {0};
        int r = docker_request(docker, method, path, &request, deadline, &response, error);
        if (r < 0)
                return r;
        if (!ret)
                return 0;
        cJSON *answer = NULL;
        if (response.body.length > 0) {
                r = json_parse_strict(response.body.data, response.body.length, &json_answer_limits, &answer,
                                      error);
                if (r < 0)
                        return error_prefix(error, r, "Docker's answer to %s %s", method, path);
        }
        *ret = answer;
        return 0;
}

int docker_inspect(struct docker *docker, const char *id, struct deadline deadline, cJSON **ret,
                   struct error *error)
{
        _cleanup_text_ struct text path = {0};
        text_puts(&path, "/containers/");
        text_put_escaped(&path, id);
        text_puts(&path, "/json");
        if (text_error(&path) < 0)
                return error_oom(error);
        _cleanup_json_ cJSON *answer = NULL;
        int r = docker_call(docker, "GET", text_string(&path), NULL, deadline, &answer, error);
        if (r < 0)
                return r;
        if (!json_string(answer, "Id"))
                return error_set(error, EBADMSG, "Docker described container %s without its id", id);
        *ret = TAKE_PTR(answer);
        return 0;
}

/* What is seen of a container that is to become healthy. */
struct health_watch {
        nsec settle, since; /* how long it has to run without a health check, and since when it does */
        char *started_at;
        cJSON *last;
        struct error away; /* why the last look failed, when it did */
};

static void health_watch_release(struct health_watch *watch)
{
        free(watch->started_at);
        cJSON_Delete(watch->last);
        error_clear(&watch->away);
}

/* 1 when it is as wanted, 0 when not yet. */
static int judge_health(struct health_watch *watch, struct error *error)
{
        const cJSON *inspected = watch->last;
        const char *status = docker_status(inspected), *started = docker_started_at(inspected);
        if (!*status)
                return error_set(error, EBADMSG, "Docker did not say what state the container is in");
        if (strcmp(status, "exited") == 0 || strcmp(status, "dead") == 0 || strcmp(status, "removing") == 0)
                return error_set(error, ECHILD, "%s exited with status %d%s", docker_name(inspected),
                                 docker_exit_status(inspected),
                                 docker_ended_for_memory(inspected) ? " (out of memory)" : "");
        if (!docker_runs(inspected)) {
                watch->since = 0;
                return 0;
        }
        const char *health = docker_health(inspected);
        if (strcmp(health, "none") != 0)
                return strcmp(health, "healthy") == 0;

        /* Without a health check: up for `settle` without having been started anew. */
        if (watch->since == 0 || !string_equal(watch->started_at, started)) {
                char *copy = strdup(started);
                if (!copy)
                        return error_oom(error);
                free(watch->started_at);
                watch->started_at = copy;
                watch->since = clock_monotonic();
        }
        return clock_monotonic() - watch->since >= watch->settle;
}

/* One look; 1: healthy; 0: not yet, also when the Engine is away. */
static int look_healthy(struct docker *docker, const char *id, struct health_watch *watch,
                        struct deadline deadline, struct error *error)
{
        cJSON *inspected = NULL;
        _cleanup_error_ struct error why = {0};
        int r = docker_inspect(docker, id, deadline, &inspected, &why);
        if (r >= 0) {
                cJSON_Delete(watch->last);
                watch->last = inspected;
                error_clear(&watch->away);
                return judge_health(watch, error);
        }
        if (docker_is_away(r)) {
                error_move(&watch->away, &why);
                watch->since = 0; /* who was not looked at is not known to have run */
        }
        if (docker_is_away(r) || (r == -ETIMEDOUT && (watch->last || watch->away.message)))
                return 0; /* when its time is up, that is told by what was seen before */
        error_move(error, &why);
        return r;
}

static int not_healthy(const char *id, const struct health_watch *watch, struct error *error)
{
        if (watch->away.message)
                return error_set(error, ETIMEDOUT, "whether %s is healthy was not to be found out: %s",
                                 watch->last ? docker_name(watch->last) : id, error_text(&watch->away));
        return error_set(error, ETIMEDOUT, "%s did not become healthy in time: %s, health %s",
                         docker_name(watch->last), docker_status(watch->last), docker_health(watch->last));
}

int docker_wait_healthy(struct docker *docker, const char *id, nsec settle, struct deadline deadline,
                        struct error *error)
{
        _cleanup_(health_watch_release) struct health_watch watch = {.settle = settle};
        for (;;) {
                int r = look_healthy(docker, id, &watch, deadline, error);
                if (r != 0)
                        return r > 0 ? 0 : r;
                if (!pause_for(LOOK_EVERY, deadline))
                        return not_healthy(id, &watch, error);
        }
}
