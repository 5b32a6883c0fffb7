/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slack's incoming webhook: the text, and beside a bar in its colour blocks with the facts and buttons that
 * are links. https://api.slack.com/reference/block-kit/blocks
 */
#include <errno.h>

#include "runbook/json.h"

#include "responder/targets/formats/format.h"

/* A text block takes 3000 characters, a field of a section 2000, a button's text 75 and its URL 3000; a
 * section takes ten fields. */
#define TEXT_MOST 2900
#define FIELD_MOST 1900
#define BUTTON_MOST 70
#define URL_MOST 3000
#define PARTS_MOST 12

/*
 * Slack's own markup starts with `<` (links, @channel): a label must not be able to forge one, so all of the
 * three are escaped. https://api.slack.com/reference/surfaces/formatting#escaping
 */
static const char *escapes(char c)
{
        return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
}

/* Plain text, in which underscores and asterisks are what they are, and no `:word:` is a picture. Takes
 * `string`. */
static cJSON *plain(cJSON *string)
{
        _cleanup_json_ cJSON *object = cJSON_CreateObject();
        int r = json_put(object, "type", cJSON_CreateString("plain_text"));
        if (json_put(object, "text", string) < 0 || r < 0 ||
            json_put(object, "emoji", cJSON_CreateFalse()) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static cJSON *cut(const char *string, size_t most)
{
        _cleanup_text_ struct text text = {0};
        format_put(&text, string, most, escapes);
        return text_error(&text) < 0 ? NULL : cJSON_CreateString(text_string(&text));
}

/* {"type": "section", key: value}; takes `value`. */
static int add_block(cJSON *blocks, const char *type, const char *key, cJSON *value)
{
        cJSON *block = cJSON_CreateObject();
        int r = json_put(block, key, value);
        if (r >= 0)
                r = json_put(block, "type", cJSON_CreateString(type));
        if (r < 0) {
                cJSON_Delete(block);
                return r;
        }
        return json_append(blocks, block);
}

static int add_field(cJSON *fields, const char *title, const char *value)
{
        const struct message_part part = {title, value};
        return value ? json_append(fields, plain(format_part(&part, FIELD_MOST, escapes))) : 0;
}

/* What is for a glance, two in a line. */
static int add_fields(cJSON *blocks, const struct message *message)
{
        cJSON *fields = cJSON_CreateArray();
        if (add_field(fields, "Incident", message->incident) < 0 ||
            add_field(fields, "Remediation", message->remediation) < 0 ||
            add_field(fields, "State", message->state) < 0 || add_field(fields, "Host", message->host) < 0) {
                cJSON_Delete(fields);
                return -ENOMEM;
        }
        if (cJSON_GetArraySize(fields) > 0)
                return add_block(blocks, "section", "fields", fields);
        cJSON_Delete(fields);
        return 0;
}

static cJSON *button(const struct message_link *link, bool first)
{
        _cleanup_json_ cJSON *object = cJSON_CreateObject();
        if (json_put(object, "type", cJSON_CreateString("button")) < 0 ||
            json_put(object, "text", plain(cut(link->title, BUTTON_MOST))) < 0 ||
            json_put(object, "url", cJSON_CreateString(link->url)) < 0 ||
            (first && json_put(object, "style", cJSON_CreateString("primary")) < 0))
                return NULL;
        return TAKE_PTR(object);
}

static int add_buttons(cJSON *blocks, const struct message *message)
{
        cJSON *elements = cJSON_CreateArray();
        int r = elements ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < message->link_count; i++)
                if (strlen(message->links[i].url) <= URL_MOST)
                        r = json_append(elements, button(&message->links[i], i == 0));
        if (r >= 0 && cJSON_GetArraySize(elements) > 0)
                return add_block(blocks, "actions", "elements", elements);
        cJSON_Delete(elements);
        return r;
}

static int add_parts(cJSON *blocks, const struct message *message)
{
        int r = add_fields(blocks, message);
        for (size_t i = 0; r >= 0 && i < message->part_count && i < PARTS_MOST; i++)
                r = add_block(blocks, "section", "text",
                              plain(format_part(&message->parts[i], TEXT_MOST, escapes)));
        return r < 0 ? r : add_buttons(blocks, message);
}

static const char *const colors[] = {
        [MESSAGE_NOTE] = "#808080",  [MESSAGE_WAITS] = "warning", [MESSAGE_TROUBLE] = "danger",
        [MESSAGE_TAKEN] = "warning", [MESSAGE_OVER] = "good",
};
tables_agree(colors, MESSAGE_MOOD_COUNT);

cJSON *message_to_slack(const struct message *message)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject(), *blocks = cJSON_CreateArray();
        if (!blocks || json_put(body, "text", cut(message->text, TEXT_MOST)) < 0 ||
            /* Underscores and asterisks are what they are, too. */
            json_put(body, "mrkdwn", cJSON_CreateFalse()) < 0 || add_parts(blocks, message) < 0)
                return NULL;
        if (cJSON_GetArraySize(blocks) == 0)
                return TAKE_PTR(body);
        cJSON *attachments = cJSON_CreateArray();
        if (json_put(body, "attachments", attachments) < 0)
                return NULL;
        cJSON *attachment = cJSON_CreateObject();
        if (json_append(attachments, attachment) < 0 ||
            json_put(attachment, "color", cJSON_CreateString(colors[message->mood])) < 0 ||
            json_put(attachment, "blocks", TAKE_PTR(blocks)) < 0)
                return NULL;
        return TAKE_PTR(body);
}

static int send_slack(const struct delivery *delivery, struct error *error)
{
        _cleanup_secret_ struct text url = {0};
        int r = format_read(delivery, "URL", &delivery->receiver->url, &url, error);
        return r < 0 ? r
                     : format_post(delivery, text_string(&url), message_to_slack(delivery->message), error);
}

const struct message_format format_slack = {.needs = RECEIVER_URL, .send = send_slack};
