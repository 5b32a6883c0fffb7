/* SPDX-License-Identifier: Apache-2.0 */
/* Kind http: does a URL answer as it should, how fast, and what does its health document say. */
#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "exporter/check/check.h"
#include "exporter/kinds/shared/http_options.h"
#include "exporter/kinds/shared/json_metrics.h"

#define MOST_BODY ((int64_t)64 << 20)
#define COMPONENTS_DEPTH 4
#define VERSION_MAX 128 /* what is longer is none */

struct http_config {
        struct http_options options;
        char *method, *body, *unix_socket;
        struct config_strings status;
        int64_t body_limit;
        struct config_map json;
        char *components, *version, *uptime;
        struct config_list metrics;
};

static const struct config_field fields[] = {
        HTTP_OPTION_FIELDS(struct http_config, options),
        {"method", CONFIG_STRING, offsetof(struct http_config, method), .fallback = "GET",
         .flags = CONFIG_NOT_EMPTY, .help = "The request's method"},
        {"body", CONFIG_STRING, offsetof(struct http_config, body), .help = "The request's body"},
        {"unix_socket", CONFIG_STRING, offsetof(struct http_config, unix_socket),
         .help = "Path of a socket to connect to instead of the URL's host"},
        {"status", CONFIG_STRINGS, offsetof(struct http_config, status), .fallback = "2xx",
         .flags = CONFIG_NOT_EMPTY,
         .help = "The status codes that are right: `200`, or a list of `200`, `2xx`, `200-204`"},
        {"body_limit", CONFIG_SIZE, offsetof(struct http_config, body_limit), .fallback = "1MiB",
         .help = "How much of the answer is read. A larger one is no failure where only the status matters"},
        {"json", CONFIG_MAP, offsetof(struct http_config, json),
         .help = "Fields of the answer, by dotted paths, and the values that they must have"},
        {"components", CONFIG_STRING, offsetof(struct http_config, components), .fallback = "components",
         .help = "Dotted path of the object in the answer that holds one member per component, if there is "
                 "one; members of a component under the same name are components of its"},
        {"version", CONFIG_STRING, offsetof(struct http_config, version), .fallback = "version",
         .help = "Dotted path of the service's version in the answer, if it says one"},
        {"uptime", CONFIG_STRING, offsetof(struct http_config, uptime), .fallback = "uptime",
         .help = "Dotted path of the seconds for which the service runs, if it says them"},
        {"metrics", CONFIG_LIST, offsetof(struct http_config, metrics), .fields = json_metric_fields,
         .size = sizeof(struct json_metric), .flags = CONFIG_NOT_EMPTY,
         .help = "Numbers of the answer, which must be JSON then, as metrics"},
        {0},
};

#define FAMILIES(X)                                                                                        \
        X(status_code, GAUGE, "runbook_http_status_code", NULL, "The status code of the answer.")          \
        X(phase_seconds, GAUGE, "runbook_http_duration_seconds", "seconds",                                \
          "How long each phase of the request took.")                                                      \
        X(response_bytes, GAUGE, "runbook_http_response_bytes", "bytes", "The size of the answer's body.") \
        X(component_healthy, GAUGE, "runbook_http_component_healthy", NULL,                                \
          "Whether the health document calls the component healthy, in a word that is known.")             \
        X(tls_not_after, GAUGE, "runbook_http_tls_not_after_timestamp_seconds", "seconds",                 \
          "When the server's own certificate ends.")                                                       \
        X(version_info, INFO, "runbook_http_version_info", NULL,                                           \
          "The version that the health document tells; always 1.")                                         \
        X(uptime_seconds, GAUGE, "runbook_http_uptime_seconds", "seconds",                                 \
          "How long the service runs, as the health document tells it.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct status_range {
        long first, last;
};

struct http_state {
        const struct http_config *config;
        struct http_headers headers;
        struct http_client *client;
        struct status_range *expected;
        size_t expected_count;
        struct json_metrics *metrics;
};

/* "204", "2xx" or "200-299". */
static bool parse_status(const char *word, struct status_range *ret)
{
        char *end;
        long first = strtol(word, &end, 10), last = first;
        if (isdigit((unsigned char)*word) && strcasecmp(end, "xx") == 0 && end == word + 1) {
                first *= 100;
                last = first + 99;
        } else if (*end == '-' && isdigit((unsigned char)end[1])) {
                last = strtol(end + 1, &end, 10);
                if (*end)
                        return false;
        } else if (*end || end == word) {
                return false;
        }
        if (first < 100 || last > 599 || last < first)
                return false;
        *ret = (struct status_range){first, last};
        return true;
}

static void *http_close(void *state)
{
        struct http_state *http = state;
        if (!http)
                return NULL;
        http_client_free(http->client);
        http_headers_release(&http->headers);
        free(http->expected);
        json_metrics_free(http->metrics);
        free(http);
        return NULL;
}
DEFINE_CLEANUP(void *, http_close);

static int http_open(const struct check *check, struct config_node *node, void **ret_state,
                     struct error *error)
{
        const struct http_config *config = check->config;
        struct http_state *http = calloc(1, sizeof(*http));
        _cleanup_(http_close_p) void *owned = http;
        int r;
        if (!http)
                return error_oom(error);
        http->config = config;
        http->client = http_client_new();
        http->expected = calloc(config->status.count + 1, sizeof(*http->expected));
        if (!http->client || !http->expected)
                return error_oom(error);
        /* Each run connects anew: a service that takes no new connections is not healthy. */
        r = http_options_prepare(&config->options, node, "Connection: close", &http->headers);
        int metrics = json_metrics_new(check, &config->metrics, config_member(node, "metrics"), true,
                                       &http->metrics);
        if (r == -ENOMEM || metrics == -ENOMEM)
                return error_oom(error);
        r = r < 0 ? r : metrics;
        for (size_t i = 0; i < config->status.count; i++)
                if (!parse_status(config->status.items[i], &http->expected[http->expected_count++])) {
                        config_complain(node, "status", "\"%s\" is no status: write 200, 2xx or 200-204",
                                        config->status.items[i]);
                        r = -EINVAL;
                }
        if (config->body_limit < 1 || config->body_limit > MOST_BODY) {
                config_complain(node, "body_limit", "from 1B to 64MiB");
                r = -EINVAL;
        }
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

/* What a component says of itself: the word alone, or the object's `status` or `healthy`; NULL: nothing. */
static const cJSON *own_word(const cJSON *component)
{
        const cJSON *status = json_get(component, "status", NULL);
        if (!cJSON_IsObject(component))
                return component;
        return status ? status : json_get(component, "healthy", NULL);
}

/* Known words alone have a value: what nobody understands is no verdict. "warn" is "healthy, with some
 * concerns" in health+json. */
static const char *const good_words[] = {
        "healthy", "ok",        "up",     "pass",   "passed", "passing",     "running", "connected", "ready",
        "alive",   "available", "online", "active", "green",  "operational", "warn",    "warning",
};
static const char *const bad_words[] = {
        "unhealthy",    "fail",        "failed",   "failing",  "failure", "down",
        "error",        "degraded",    "critical", "dead",     "stopped", "exited",
        "disconnected", "unavailable", "offline",  "inactive", "red",     "out_of_service",
};

static bool is_among(const char *word, const char *const *words, size_t count)
{
        for (size_t i = 0; word && i < count; i++)
                if (strcasecmp(word, words[i]) == 0)
                        return true;
        return false;
}

enum health { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_BAD };

static enum health read_health(const cJSON *said)
{
        const char *word = cJSON_GetStringValue(said);
        if (cJSON_IsTrue(said) || is_among(word, good_words, N_ELEMENTS(good_words)))
                return HEALTH_GOOD;
        return cJSON_IsFalse(said) || is_among(word, bad_words, N_ELEMENTS(bad_words)) ? HEALTH_BAD
                                                                                       : HEALTH_UNKNOWN;
}

/* Of several measurements of one component, as health+json has them, the worst counts. */
static enum health worst_health(const cJSON *component)
{
        const cJSON *item;
        enum health worst = HEALTH_UNKNOWN;
        if (!cJSON_IsArray(component))
                return read_health(own_word(component));
        cJSON_ArrayForEach(item, component)
        {
                enum health health = cJSON_IsArray(item) ? HEALTH_UNKNOWN : read_health(own_word(item));
                if (health > worst)
                        worst = health;
        }
        return worst;
}

/* A member's own name; MicroProfile's components stand in an array and say it. */
static const char *component_name(const cJSON *component)
{
        return component->string ? component->string
                                 : cJSON_GetStringValue(json_get(component, "name", NULL));
}

/* A component may have components of its own under the same `key`; they are told as "database.replica". */
static void add_components(const cJSON *components, const char *key, const char *above, unsigned depth,
                           struct sample_sink *sink)
{
        const cJSON *component;
        if ((!cJSON_IsObject(components) && !cJSON_IsArray(components)) || depth > COMPONENTS_DEPTH)
                return;
        cJSON_ArrayForEach(component, components)
        {
                const char *own = component_name(component);
                enum health health = worst_health(component);
                if (!own || !*own)
                        continue;
                _cleanup_free_ char *name = text_format("%s%s%s", above, *above ? "." : "", own);

                if (!name)
                        return;
                if (health != HEALTH_UNKNOWN)
                        SAMPLE(sink, &component_healthy, health == HEALTH_GOOD, {"component", name});
                add_components(json_get(component, key, NULL), key, name, depth + 1, sink);
        }
}

/* What the document tells beside whether it is as it should be. */
static void add_document(const struct http_config *config, const cJSON *document, struct sample_sink *sink)
{
        const cJSON *version = *config->version ? json_find(document, config->version) : NULL;
        const cJSON *uptime = *config->uptime ? json_find(document, config->uptime) : NULL;
        _cleanup_text_ struct text words = {0};
        if (*config->components) {
                const char *dot = strrchr(config->components, '.');
                add_components(json_find(document, config->components), dot ? dot + 1 : config->components,
                               "", 0, sink);
        }
        if (version && (cJSON_IsNumber(version) || cJSON_IsString(version))) {
                json_put_scalar(&words, version);
                if (words.length > 0 && words.length <= VERSION_MAX)
                        SAMPLE(sink, &version_info, 1, {"version", text_string(&words)});
        }
        if (uptime && cJSON_IsNumber(uptime))
                SAMPLE_BARE(sink, &uptime_seconds, uptime->valuedouble);
}

/* The fields that the operator expects; the first one that is otherwise is the reason of the failure. */
static int check_fields(const struct config_map *expected, const cJSON *document, struct error *error)
{
        for (size_t i = 0; i < expected->count; i++) {
                const cJSON *value = json_find(document, expected->keys[i]);
                _cleanup_text_ struct text found = {0};
                if (!value)
                        return error_set(error, EPROTO, "the answer has no field %s", expected->keys[i]);
                json_put_scalar(&found, value);
                if (strcmp(text_string(&found), expected->values[i]) != 0)
                        return error_set(error, EPROTO, "%s is \"%.64s\", expected \"%s\"", expected->keys[i],
                                         text_string(&found), expected->values[i]);
        }
        return 0;
}

static int check_status(const struct http_state *http, long status, struct error *error)
{
        _cleanup_text_ struct text words = {0};
        for (size_t i = 0; i < http->expected_count; i++)
                if (status >= http->expected[i].first && status <= http->expected[i].last)
                        return 0;
        for (size_t i = 0; i < http->config->status.count; i++)
                text_printf(&words, "%s%s", i ? " or " : "", http->config->status.items[i]);
        return error_set(error, EPROTO, "answered %ld, expected %s", status, text_string(&words));
}

/* The size of the answer's body: as it was read, or as the server has said. False: it is not known. */
static bool body_size(const struct http_response *response, double *ret)
{
        _cleanup_text_ struct text length = {0}, encoding = {0};
        *ret = (double)response->body.length;
        if (!response->cut)
                return true;
        if (http_response_header(response, "Content-Encoding", &encoding) ||
            !http_response_header(response, "Content-Length", &length))
                return false;
        char *end;
        *ret = strtod(text_string(&length), &end);
        return *end == '\0';
}

static const struct metric_family *const *http_own_families(const void *state)
{
        return json_metrics_families(((const struct http_state *)state)->metrics);
}

/* The health document, when the answer is one. An unhealthy service tells its components with a 503. */
static int check_document(const struct http_state *http, const struct http_response *response,
                          struct sample_sink *sink, struct error *error)
{
        const struct http_config *config = http->config;
        size_t length = response->body.length;
        const char *body = json_skip_mark(text_string(&response->body), &length);
        const char *start = body + strspn(body, " \t\r\n");
        bool must_be_one = config->json.count > 0 || config->metrics.count > 0;
        _cleanup_json_ cJSON *document = NULL;
        int r;
        if (*start != '{' && !must_be_one)
                return 0;
        if (response->cut)
                return must_be_one ? error_set(error, EMSGSIZE, "the answer is larger than body_limit") : 0;
        r = json_parse_strict(body, length, &json_answer_limits, &document, error);
        if (r < 0)
                return must_be_one ? error_prefix(error, r, "the answer") : 0;
        add_document(config, document, sink);
        json_metrics_add(http->metrics, document, sink);
        return check_fields(&config->json, document, error);
}

/* Of several services on one page: whose answer it was. */
static int prefix_url(const struct http_request *request, int r, struct error *error)
{
        _cleanup_free_ char *url = http_url_shown(request);
        return error_prefix(error, r, "%s", url ? url : "the URL");
}

static int http_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct http_state *http = state;
        const struct http_config *config = http->config;
        struct http_request request = http_options_request(&config->options, &http->headers, deadline);
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_error_ struct error status_error = {0};
        double bytes;
        struct http_seen seen = {0};
        int r, document;
        request.method = config->method;
        request.unix_socket = config->unix_socket;
        request.body = config->body;
        request.body_length = config->body ? strlen(config->body) : 0;
        request.body_limit = (size_t)config->body_limit;
        request.cuts_body = true;
        request.ret_seen = &seen;
        r = http_fetch(http->client, &request, &response, error);
        if (seen.status > 0)
                SAMPLE_BARE(sink, &status_code, (double)seen.status);
        if (seen.tls_not_after > 0)
                SAMPLE_BARE(sink, &tls_not_after, (double)seen.tls_not_after);
        if (r < 0)
                return r;

        if (body_size(&response, &bytes))
                SAMPLE_BARE(sink, &response_bytes, bytes);
        SAMPLE(sink, &phase_seconds, response.phases.resolve, {"phase", "resolve"});
        SAMPLE(sink, &phase_seconds, response.phases.connect, {"phase", "connect"});
        SAMPLE(sink, &phase_seconds, response.phases.tls, {"phase", "tls"});
        SAMPLE(sink, &phase_seconds, response.phases.processing, {"phase", "processing"});
        SAMPLE(sink, &phase_seconds, response.phases.transfer, {"phase", "transfer"});
        if (response.tls_not_after > 0)
                SAMPLE_BARE(sink, &tls_not_after, (double)response.tls_not_after);

        document = check_document(http, &response, sink, error);
        r = check_status(http, response.status, &status_error);
        if (r < 0)
                error_move(error, &status_error);
        else
                r = document;
        return r < 0 && r != -ENOMEM ? prefix_url(&request, r, error) : r;
}

/* The labels of its families. */
static const char *const labels[] = {"component", "phase", "version", NULL};

const struct check_kind check_kind_http = {
        .name = "http",
        .help = "One HTTP request: status, phases, and the health document in its answer.",
        .fields = fields,
        .config_size = sizeof(struct http_config),
        .target_key = "url",
        .families = families,
        .labels = labels,
        .open = http_open,
        .run = http_run,
        .close = http_close,
        .own_families = http_own_families,
};
