/* SPDX-License-Identifier: Apache-2.0 */
/* One message to one receiver: as Slack wants it, as generic JSON, or as a line in our own log. */
#include <errno.h>

#include "responder/targets/internal.h"
#include "runbook/log.h"

/* Slack shows a text of up to 40,000 characters and refuses more; a field is for a glance. */
#define SLACK_TEXT_MAX 3000
#define SLACK_FIELDS_MAX 10

/*
 * Slack's own markup starts with `<` (links, @channel): a label must not be able to forge one, so all of the
 * three are escaped. https://api.slack.com/reference/surfaces/formatting#escaping
 */
static cJSON *slack_text(const char *string)
{
        _cleanup_text_ struct text text = {0};
        for (const char *c = string; *c; c++) {
                /* Cut where a character begins, or, in what is no UTF-8, soon after. */
                bool begins = ((unsigned char)*c & 0xc0) != 0x80;
                if (text.length >= SLACK_TEXT_MAX && (begins || text.length >= SLACK_TEXT_MAX + 4)) {
                        text_puts(&text, "…");
                        break;
                }
                if (*c == '&')
                        text_puts(&text, "&amp;");
                else if (*c == '<')
                        text_puts(&text, "&lt;");
                else if (*c == '>')
                        text_puts(&text, "&gt;");
                else
                        text_putc(&text, *c);
        }
        return text_error(&text) < 0 ? NULL : cJSON_CreateString(text_string(&text));
}

static int add_field(cJSON *fields, const char *title, const char *value)
{
        if (!value)
                return 0;
        cJSON *field = cJSON_CreateObject();
        if (json_put(field, "title", slack_text(title)) < 0 ||
            json_put(field, "value", slack_text(value)) < 0 ||
            json_put(field, "short", cJSON_CreateBool(strlen(value) < 40)) < 0 ||
            !cJSON_AddItemToArray(fields, field)) {
                cJSON_Delete(field);
                return -ENOMEM;
        }
        return 0;
}

/* Only what can be read at a glance: strings and numbers, not lists of rows. */
static int add_details(cJSON *fields, const cJSON *details)
{
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, details)
        {
                if (cJSON_GetArraySize(fields) >= SLACK_FIELDS_MAX)
                        break;
                if (!item->string || cJSON_IsArray(item) || cJSON_IsObject(item) || cJSON_IsNull(item))
                        continue;
                _cleanup_free_ char *printed = cJSON_IsString(item) ? NULL : json_print(item);
                if (add_field(fields, item->string, printed ? printed : item->valuestring) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static const char *color_of(const char *state)
{
        if (!state)
                return "#808080";
        return string_equal(state, "healed") ? "good" : "danger";
}

cJSON *message_to_slack(const struct message *message)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        if (json_put(body, "text", slack_text(message->text)) < 0)
                return NULL;
        if (!message->incident && !message->remediation && !message->state && !message->details)
                return TAKE_PTR(body);

        cJSON *attachments = cJSON_CreateArray();
        if (json_put(body, "attachments", attachments) < 0)
                return NULL;
        cJSON *attachment = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(attachments, attachment)) {
                cJSON_Delete(attachment);
                return NULL;
        }
        cJSON *fields = cJSON_CreateArray();
        if (json_put(attachment, "color", cJSON_CreateString(color_of(message->state))) < 0 ||
            json_put(attachment, "fields", fields) < 0 ||
            add_field(fields, "Incident", message->incident) < 0 ||
            add_field(fields, "Remediation", message->remediation) < 0 ||
            add_field(fields, "State", message->state) < 0 || add_details(fields, message->details) < 0)
                return NULL;
        return TAKE_PTR(body);
}

static cJSON *string_or_null(const char *string)
{
        return string ? cJSON_CreateString(string) : cJSON_CreateNull();
}

cJSON *message_to_json(const struct message *message, nsec wall)
{
        char at[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        if (json_put(body, "version", cJSON_CreateNumber(1)) < 0 ||
            json_put(body, "at", cJSON_CreateString(time_format(wall, at))) < 0 ||
            json_put(body, "text", cJSON_CreateString(message->text)) < 0 ||
            json_put(body, "incident", string_or_null(message->incident)) < 0 ||
            json_put(body, "remediation", string_or_null(message->remediation)) < 0 ||
            json_put(body, "state", string_or_null(message->state)) < 0 ||
            json_put(body, "details",
                     message->details ? cJSON_Duplicate(message->details, true) : cJSON_CreateObject()) < 0)
                return NULL;
        return TAKE_PTR(body);
}

/*
 * A webhook's path is its password, and both libcurl's sentences and a server's "not found: /path" repeat it.
 * So nothing of either is passed on, only what sort of failure it was.
 */
static int transport_failed(int result, const struct receiver *receiver, struct error *error)
{
        static const struct {
                int code;
                const char *sentence;
        } sentences[] = {
                {ETIMEDOUT, "did not answer in time"},
                {ECONNREFUSED, "refused the connection"},
                {EHOSTUNREACH, "has a host name that does not resolve"},
                {EPROTO, "does not speak HTTP or TLS as it should, or has a certificate that is not trusted"},
                {EMSGSIZE, "answered with more than it should"},
                {EINVAL, "has an invalid URL"},
        };
        for (size_t i = 0; i < N_ELEMENTS(sentences); i++)
                if (sentences[i].code == -result)
                        return error_set(error, -result, "receiver \"%s\" %s", receiver->name,
                                         sentences[i].sentence);
        return error_set(error, -result, "receiver \"%s\" could not be reached", receiver->name);
}

static int post_message(const struct receiver *receiver, const char *url, const char *body,
                        struct deadline deadline, struct error *error)
{
        static const char *const headers[] = {"Content-Type: application/json", NULL};
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        struct http_request request = {
                .method = "POST",
                .url = url,
                .headers = headers,
                .body = body,
                .body_length = strlen(body),
                .body_limit = 64 * 1024,
                .deadline = deadline,
        };
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_error_ struct error why = {0};
        int r = http_fetch(client, &request, &response, &why);
        if (r < 0) {
                transport_failed(r, receiver, error);
                /* Who hung up has perhaps heard it. */
                return why.may_pass && r != -EPROTO ? error_may_pass(error, r) : r;
        }
        if (response.status >= 200 && response.status <= 299)
                return 0;
        r = error_set(error, EREMOTEIO, "receiver \"%s\" answered HTTP %ld", receiver->name, response.status);
        return response.status >= 500 || response.status == 429 ? error_may_pass(error, r) : r;
}

int targets_notify(struct targets *targets, const char *name, const struct message *message,
                   struct deadline deadline, struct error *error)
{
        const struct receiver *receiver = target_set_receiver(targets_set(targets), name);
        if (!receiver)
                return error_set(error, ENOENT, "there is no receiver \"%s\" in the configuration",
                                 name ? name : "");
        if (receiver->format == RECEIVER_LOG) {
                log_event(LOG_WARN, message->text, "receiver", receiver->name, "incident", message->incident,
                          "remediation", message->remediation, "state", message->state, NULL);
                return 0;
        }

        _cleanup_secret_ struct text url = {0};
        int r = secret_read(&receiver->url, &url, error);
        if (r < 0)
                return error_prefix(error, r, "receiver \"%s\"", receiver->name);
        if (url.length == 0)
                return error_set(error, EINVAL, "receiver \"%s\" has an empty URL", receiver->name);

        _cleanup_json_ cJSON *json = receiver->format == RECEIVER_SLACK
                                             ? message_to_slack(message)
                                             : message_to_json(message, clock_wall());
        _cleanup_free_ char *body = json ? json_print(json) : NULL;
        return body ? post_message(receiver, text_string(&url), body, deadline, error) : error_oom(error);
}
