/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Alertmanager's webhooks: whole and valid, or refused with the place that is wrong. */
#include "responder/alert/alert.h"

#include <errno.h>

#include "runbook/text.h"
#include "runbook/utf8.h"

/* A label or annotation that is longer is no label; Prometheus itself has no limit to name. */
enum { VALUE_LENGTH_LIMIT = 64 * 1024, PAIR_COUNT_LIMIT = 1024, FINGERPRINT_LIMIT = 128 };

/* Of a whole body: a webhook of Alertmanager nests four deep, and one of 16 MiB has some 700,000 values. */
static const struct json_limits limits = {.depth = 32, .values = 1000000, .marks_nul = true};

static void map_release(struct config_map *map)
{
        for (size_t i = 0; i < map->count; i++) {
                free(map->keys[i]);
                free(map->values[i]);
        }
        free(map->keys);
        free(map->values);
        *map = (struct config_map){0};
}

void alert_release(struct alert *alert)
{
        free(alert->fingerprint);
        free(alert->generator_url);
        map_release(&alert->labels);
        map_release(&alert->annotations);
        *alert = (struct alert){0};
}

void webhook_release(struct webhook *webhook)
{
        for (size_t i = 0; i < webhook->count; i++)
                alert_release(&webhook->alerts[i]);
        free(webhook->alerts);
        free(webhook->receiver);
        free(webhook->external_url);
        free(webhook->why);
        cJSON_Delete(webhook->group_labels);
        *webhook = (struct webhook){0};
}

/* cJSON takes any bytes; whoever reads them later (PostgreSQL, the API's clients) does not. What is wrong
 * with them; NULL: nothing. */
static const char *wrong_bytes(const char *string)
{
        if (strstr(string, JSON_NUL))
                return "a NUL character, which no label may hold";
        while (*string) {
                size_t length = utf8_length(string);
                if (length == 0)
                        return "not UTF-8";
                string += length;
        }
        return NULL;
}

static int map_from_json(const cJSON *json, const char *name, struct config_map *ret, struct error *error)
{
        if (!json || cJSON_IsNull(json))
                return 0;
        if (!cJSON_IsObject(json))
                return error_set(error, EBADMSG, "%s: not an object", name);
        size_t count = (size_t)cJSON_GetArraySize(json);
        if (count > PAIR_COUNT_LIMIT)
                return error_set(error, EBADMSG, "%s: %zu pairs, at most %d are taken", name, count,
                                 PAIR_COUNT_LIMIT);
        if (count == 0)
                return 0;
        ret->keys = calloc(count, sizeof(char *));
        ret->values = calloc(count, sizeof(char *));
        if (!ret->keys || !ret->values)
                return error_oom(error);
        const cJSON *item;
        cJSON_ArrayForEach(item, json)
        {
                if (wrong_bytes(item->string))
                        return error_set(error, EBADMSG, "%s: in a name: %s", name,
                                         wrong_bytes(item->string));
                if (!cJSON_IsString(item))
                        return error_set(error, EBADMSG, "%s.%s: not a string", name, item->string);
                if (wrong_bytes(item->valuestring))
                        return error_set(error, EBADMSG, "%s.%s: %s", name, item->string,
                                         wrong_bytes(item->valuestring));
                if (strlen(item->valuestring) > VALUE_LENGTH_LIMIT)
                        return error_set(error, EBADMSG, "%s.%s: longer than %d bytes", name, item->string,
                                         VALUE_LENGTH_LIMIT);
                ret->keys[ret->count] = strdup(item->string);
                ret->values[ret->count] = strdup(item->valuestring);
                if (!ret->keys[ret->count] || !ret->values[ret->count++])
                        return error_oom(error);
        }
        return 0;
}

static int time_member(const cJSON *json, const char *key, nsec *ret, struct error *error)
{
        const cJSON *item = json_get(json, key, NULL);
        *ret = 0;
        if (!item || cJSON_IsNull(item))
                return 0;
        if (!cJSON_IsString(item))
                return error_set(error, EBADMSG, "%s: not a string", key);
        if (time_parse(item->valuestring, ret, error) < 0)
                return error_prefix(error, -EBADMSG, "%s", key);
        return 0;
}

static int string_member(const cJSON *json, const char *key, char **ret, struct error *error)
{
        const char *string = json_string(json, key);
        if (!string)
                return 0;
        if (wrong_bytes(string))
                return error_set(error, EBADMSG, "%s: %s", key, wrong_bytes(string));
        *ret = strdup(string);
        return *ret ? 0 : error_oom(error);
}

/* The parts that the webhook and Alertmanager's API have in common; `firing` is told by the caller. */
static int parse_alert(const cJSON *json, bool firing, struct alert *alert, struct error *error)
{
        alert->firing = firing;
        int r = string_member(json, "fingerprint", &alert->fingerprint, error);
        if (r >= 0 && !alert->fingerprint && !(alert->fingerprint = strdup("")))
                r = error_oom(error);
        if (r >= 0 && alert->fingerprint && strlen(alert->fingerprint) > FINGERPRINT_LIMIT)
                r = error_set(error, EBADMSG, "fingerprint: longer than %d bytes", FINGERPRINT_LIMIT);
        if (r >= 0)
                r = string_member(json, "generatorURL", &alert->generator_url, error);
        if (r >= 0)
                r = map_from_json(json_get(json, "labels", NULL), "labels", &alert->labels, error);
        if (r >= 0)
                r = map_from_json(json_get(json, "annotations", NULL), "annotations", &alert->annotations,
                                  error);
        if (r >= 0)
                r = time_member(json, "startsAt", &alert->starts_at, error);
        if (r >= 0)
                r = time_member(json, "endsAt", &alert->ends_at, error);
        if (r >= 0 && alert->labels.count == 0)
                r = error_set(error, EBADMSG, "labels: missing");
        if (firing)
                alert->ends_at = 0;
        return r;
}

int alert_from_json(const cJSON *json, struct alert *ret, struct error *error)
{
        struct alert alert = {0};
        const char *status = json_string(json, "status");
        int r;
        if (!cJSON_IsObject(json))
                r = error_set(error, EBADMSG, "not an object");
        else if (!string_equal(status, "firing") && !string_equal(status, "resolved"))
                r = error_set(error, EBADMSG, "status: neither firing nor resolved");
        else
                r = parse_alert(json, string_equal(status, "firing"), &alert, error);
        if (r < 0) {
                alert_release(&alert);
                return r;
        }
        *ret = alert;
        return 0;
}

int alert_from_labels(const cJSON *json, nsec now, struct alert *ret, struct error *error)
{
        char at[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *whole = cJSON_IsObject(json) ? cJSON_Duplicate(json, true) : NULL;
        if (cJSON_IsObject(json) && !whole)
                return error_oom(error);
        if (whole && !json_get(whole, "status", NULL))
                json_put(whole, "status", cJSON_CreateString("firing"));
        if (whole && !json_get(whole, "startsAt", NULL))
                json_put(whole, "startsAt", cJSON_CreateString(time_format(now, at)));
        return alert_from_json(whole, ret, error);
}

/* An alert of GET /api/v2/alerts has {"status": {"state": "active"}}; what is there is firing. */
static int alert_from_api(const cJSON *json, struct alert *ret, struct error *error)
{
        struct alert alert = {0};
        int r = cJSON_IsObject(json) ? parse_alert(json, true, &alert, error)
                                     : error_set(error, EBADMSG, "not an object");
        if (r < 0) {
                alert_release(&alert);
                return r;
        }
        *ret = alert;
        return 0;
}

/* Remembers that one cannot be read, and of the first why; `member` is what stands between place and reason.
 */
static int note_unreadable(struct webhook *webhook, size_t i, const char *member, const struct error *why,
                           struct error *error)
{
        if (webhook->unreadable++ > 0)
                return 0;
        webhook->why = text_format("alerts[%zu]%s%s", i, member, error_text(why));
        return webhook->why ? 0 : error_oom(error);
}

static int parse_alerts(const cJSON *array,
                        int (*parse)(const cJSON *json, struct alert *ret, struct error *error),
                        struct webhook *webhook, struct error *error)
{
        size_t count = (size_t)cJSON_GetArraySize(array), i = 0;
        webhook->alerts = calloc(count ? count : 1, sizeof(struct alert));
        if (!webhook->alerts)
                return error_oom(error);
        const cJSON *item;
        cJSON_ArrayForEach(item, array)
        {
                _cleanup_error_ struct error why = {0};
                int r = parse(item, &webhook->alerts[webhook->count], &why);
                if (r == -EBADMSG)
                        r = note_unreadable(webhook, i, cJSON_IsObject(item) ? "." : ": ", &why, error);
                else if (r < 0)
                        error_move(error, &why);
                else
                        webhook->count++;
                if (r < 0)
                        return r;
                i++;
        }
        if (webhook->count == 0 && webhook->unreadable > 0)
                return error_set(error, EBADMSG, "%s", webhook->why);
        return 0;
}

static int parse_webhook(const cJSON *json, struct webhook *webhook, struct error *error)
{
        if (!cJSON_IsObject(json))
                return error_set(error, EBADMSG, "not a JSON object");
        const char *version = json_string(json, "version");
        if (!string_equal(version, "4"))
                return error_set(error, EBADMSG,
                                 "version: %s, but version \"4\" of Alertmanager's webhook is expected",
                                 version ? "another" : "missing");
        const cJSON *alerts = json_get(json, "alerts", NULL);
        if (!cJSON_IsArray(alerts))
                return error_set(error, EBADMSG, "alerts: not a list");

        double truncated = json_number(json, "truncatedAlerts", 0);
        webhook->truncated = truncated >= 1e9 ? 1000000000 : truncated > 0 ? (int64_t)truncated : 0;
        int r = string_member(json, "receiver", &webhook->receiver, error);
        if (r >= 0)
                r = string_member(json, "externalURL", &webhook->external_url, error);
        const cJSON *group = json_get(json, "groupLabels", NULL);
        if (r >= 0 && cJSON_IsObject(group)) {
                webhook->group_labels = cJSON_Duplicate(group, true);
                if (!webhook->group_labels)
                        r = error_oom(error);
        }
        return r < 0 ? r : parse_alerts(alerts, alert_from_json, webhook, error);
}

int webhook_parse(const char *body, size_t length, struct webhook *ret, struct error *error)
{
        _cleanup_json_ cJSON *json = NULL;
        struct webhook webhook = {0};
        int r = json_parse_strict(body, length, &limits, &json, error);
        if (r >= 0)
                r = parse_webhook(json, &webhook, error);
        if (r < 0) {
                webhook_release(&webhook);
                return r;
        }
        *ret = webhook;
        return 0;
}

int webhook_parse_api(const cJSON *alerts, struct webhook *ret, struct error *error)
{
        struct webhook webhook = {0};
        int r = cJSON_IsArray(alerts) ? parse_alerts(alerts, alert_from_api, &webhook, error)
                                      : error_set(error, EBADMSG, "not a list of alerts");
        if (r < 0) {
                webhook_release(&webhook);
                return r;
        }
        *ret = webhook;
        return 0;
}

static int put_map(cJSON *object, const char *key, const struct config_map *map)
{
        cJSON *json = cJSON_CreateObject();
        for (size_t i = 0; json && i < map->count; i++)
                if (!cJSON_AddStringToObject(json, map->keys[i], map->values[i])) {
                        cJSON_Delete(json);
                        return -ENOMEM;
                }
        return json_put(object, key, json);
}

static int put_time(cJSON *object, const char *key, nsec wall)
{
        char text[TIME_TEXT_MAX];
        return json_put(object, key,
                        cJSON_CreateString(wall == 0 ? "0001-01-01T00:00:00Z" : time_format(wall, text)));
}

cJSON *alert_to_json(const struct alert *alert)
{
        cJSON *json = cJSON_CreateObject();
        if (!json ||
            json_put(json, "status", cJSON_CreateString(alert->firing ? "firing" : "resolved")) < 0 ||
            put_map(json, "labels", &alert->labels) < 0 ||
            put_map(json, "annotations", &alert->annotations) < 0 ||
            put_time(json, "startsAt", alert->starts_at) < 0 ||
            put_time(json, "endsAt", alert->ends_at) < 0 ||
            (alert->generator_url &&
             json_put(json, "generatorURL", cJSON_CreateString(alert->generator_url)) < 0) ||
            (alert->fingerprint && *alert->fingerprint &&
             json_put(json, "fingerprint", cJSON_CreateString(alert->fingerprint)) < 0)) {
                cJSON_Delete(json);
                return NULL;
        }
        return json;
}

struct label {
        const char *name, *value;
};

static int compare_labels(const void *left, const void *right)
{
        return strcmp(((const struct label *)left)->name, ((const struct label *)right)->name);
}

int alert_key(const struct alert *alert, char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        _cleanup_free_ struct label *labels = calloc(alert->labels.count + 1, sizeof(*labels));
        _cleanup_text_ struct text text = {0};
        unsigned char sum[DIGEST_SIZE];
        if (!labels)
                return error_oom(error);
        for (size_t i = 0; i < alert->labels.count; i++)
                labels[i] = (struct label){alert->labels.keys[i], alert->labels.values[i]};
        qsort(labels, alert->labels.count, sizeof(*labels), compare_labels);
        for (size_t i = 0; i < alert->labels.count; i++)
                text_printf(&text, "%zu:%s %zu:%s ", strlen(labels[i].name), labels[i].name,
                            strlen(labels[i].value), labels[i].value);
        if (text_error(&text) < 0)
                return error_oom(error);
        if (digest_of(text_string(&text), text.length, sum) < 0)
                return error_set(error, EIO, "the labels have no digest");
        digest_text(sum, ret);
        return 0;
}

int alert_key_of_labels(const cJSON *labels, char ret[static DIGEST_TEXT_MAX], struct error *error)
{
        struct alert alert = {0};
        int r = map_from_json(labels, "labels", &alert.labels, error);
        if (r >= 0)
                r = alert.labels.count > 0 ? alert_key(&alert, ret, error)
                                           : error_set(error, EBADMSG, "labels: missing");
        alert_release(&alert);
        return r;
}

/* Whether a series of ALERTS is of this alert. Its labels may be fewer: those that Prometheus adds when it
 * sends an alert are not in it. */
static bool is_of(const cJSON *series, const struct alert *alert)
{
        const char *name = json_string(series, "alertname");
        if (!name || !string_equal(name, config_map_get(&alert->labels, "alertname")))
                return false;
        const cJSON *label;
        cJSON_ArrayForEach(label, series)
        {
                if (string_equal(label->string, "__name__") || string_equal(label->string, "alertstate"))
                        continue;
                if (!string_equal(cJSON_GetStringValue(label), config_map_get(&alert->labels, label->string)))
                        return false;
        }
        return true;
}

bool alert_is_among(const struct alert *alert, const cJSON *firing)
{
        const cJSON *series;
        cJSON_ArrayForEach(series, firing)
        {
                if (is_of(series, alert))
                        return true;
        }
        return false;
}

const char *alert_label(const struct alert *alert, const char *name)
{
        return config_map_get(&alert->labels, name);
}

bool alert_labels_are_for_others(const struct config_map *labels)
{
        const char *stage = config_map_get(labels, ALERT_LABEL_STAGE);
        return string_equal(stage, ALERT_STAGE_PAGE) || string_equal(stage, ALERT_STAGE_ACTING);
}

static const char *get_binding(const void *context, const char *scope, const char *name)
{
        const struct alert_bindings *bindings = context;
        if (string_equal(scope, "labels"))
                return config_map_get(&bindings->alert->labels, name);
        if (string_equal(scope, "annotations"))
                return config_map_get(&bindings->alert->annotations, name);
        if (string_equal(scope, "alert") && string_equal(name, "fingerprint"))
                return *bindings->alert->fingerprint ? bindings->alert->fingerprint : NULL;
        if (string_equal(scope, "incident") && string_equal(name, "id"))
                return bindings->incident;
        return NULL;
}

void alert_bindings_init(struct alert_bindings *bindings, const struct alert *alert, const char *incident)
{
        *bindings = (struct alert_bindings){
                .bindings = {.get = get_binding, .context = bindings},
                .alert = alert,
                .incident = incident,
        };
}
