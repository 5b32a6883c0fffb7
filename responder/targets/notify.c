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

/* The facts: what does not fit is left out at the end, and each is cut by slack_text(). */
static int add_parts(cJSON *fields, const struct message *message)
{
        for (size_t i = 0; i < message->part_count && cJSON_GetArraySize(fields) < SLACK_FIELDS_MAX; i++)
                if (add_field(fields, message->parts[i].title, message->parts[i].text) < 0)
                        return -ENOMEM;
        return 0;
}

static const char *color_of(const char *state)
{
        if (!state)
                return "#808080";
        bool waits = string_equal(state, "held") || string_equal(state, "awaiting_approval");
        return string_equal(state, "healed") || string_equal(state, "done") ? "good"
               : waits                                                      ? "warning"
                                                                            : "danger";
}

cJSON *message_to_slack(const struct message *message)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        if (json_put(body, "text", slack_text(message->text)) < 0)
                return NULL;
        /* Underscores and asterisks are what they are, too. */
        if (json_put(body, "mrkdwn", cJSON_CreateFalse()) < 0)
                return NULL;
        if (!message->incident && !message->remediation && !message->state && message->part_count == 0)
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
            add_field(fields, "State", message->state) < 0 || add_parts(fields, message) < 0)
                return NULL;
        if (message->link && (json_put(attachment, "title", slack_text("Open it")) < 0 ||
                              json_put(attachment, "title_link", cJSON_CreateString(message->link)) < 0))
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

nsec retry_after_parse(const char *value)
{
        char *end = NULL;
        errno = 0;
        long long seconds = strtoll(value, &end, 10);
        bool whole = errno == 0 && end != value && *end == '\0';
        return whole && seconds > 0 && seconds <= 24 * 3600 ? (nsec)seconds * NSEC_PER_SEC : 0;
}

static void read_wait(const struct http_response *response, nsec *ret_wait)
{
        _cleanup_text_ struct text value = {0};
        if (ret_wait && http_response_header(response, "Retry-After", &value))
                *ret_wait = retry_after_parse(text_string(&value));
}

static int post_message(const struct receiver *receiver, const char *url, const char *body,
                        struct deadline deadline, nsec *ret_wait, struct error *error)
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
        read_wait(&response, ret_wait);
        r = error_set(error, EREMOTEIO, "receiver \"%s\" answered HTTP %ld", receiver->name, response.status);
        return response.status >= 500 || response.status == 429 ? error_may_pass(error, r) : r;
}

/* Everything in one line: the facts by their titles. */
char *message_to_line(const struct message *message)
{
        _cleanup_text_ struct text text = {0};
        text_puts(&text, message->text);
        for (size_t i = 0; i < message->part_count; i++) {
                const char *lines = message->parts[i].text;
                text_printf(&text, "; %s: ", message->parts[i].title);
                for (; *lines; lines++)
                        text_puts(&text, *lines == '\n' ? ", " : (const char[]){*lines, '\0'});
        }
        return text_take(&text);
}

static int log_message(const struct receiver *receiver, const struct message *message, struct error *error)
{
        _cleanup_free_ char *line = message_to_line(message);
        if (!line)
                return error_oom(error);
        log_event(LOG_WARN, line, "receiver", receiver->name, "incident", message->incident, "remediation",
                  message->remediation, "state", message->state, "link", message->link, NULL);
        return 0;
}

int targets_notify(struct targets *targets, const char *name, const struct message *message,
                   struct deadline deadline, nsec *ret_wait, struct error *error)
{
        const struct receiver *receiver = target_set_receiver(targets_set(targets), name);
        if (!receiver)
                return error_set(error, ENOENT, "there is no receiver \"%s\" in the configuration",
                                 name ? name : "");
        if (receiver->format == RECEIVER_LOG)
                return log_message(receiver, message, error);

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
        return body ? post_message(receiver, text_string(&url), body, deadline, ret_wait, error)
                    : error_oom(error);
}
