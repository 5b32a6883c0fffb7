/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Microsoft Teams: an Adaptive Card, posted to a workflow ("when a webhook request is received") or to an
 * incoming webhook. A TextBlock knows Markdown, and so does a FactSet; the runs of a RichTextBlock know none,
 * so that nobody's label is a link. https://adaptivecards.io/explorer/TextRun.html
 */
#include <errno.h>

#include "runbook/json.h"

#include "responder/targets/formats/format.h"

/* A message takes 28 KB; of JSON a quotation mark is two. */
#define PART_MOST 1000
#define PARTS_MOST 10
#define URL_MOST 1000

static cJSON *run_of(cJSON *string, bool bold)
{
        _cleanup_json_ cJSON *run = cJSON_CreateObject();
        int r = json_put(run, "type", cJSON_CreateString("TextRun"));
        if (json_put(run, "text", string) < 0 || r < 0 ||
            (bold && json_put(run, "weight", cJSON_CreateString("Bolder")) < 0))
                return NULL;
        return TAKE_PTR(run);
}

/* A paragraph: its title in bold, where it has one, and its text. */
static int add_paragraph(cJSON *body, const char *title, const char *string, const char *color)
{
        cJSON *block = cJSON_CreateObject();
        if (json_append(body, block) < 0)
                return -ENOMEM;
        cJSON *runs = cJSON_CreateArray();
        if (json_put(block, "type", cJSON_CreateString("RichTextBlock")) < 0 ||
            json_put(block, "inlines", runs) < 0)
                return -ENOMEM;
        _cleanup_free_ char *lead = title ? text_format("%s: ", title) : NULL;
        if (title && (!lead || json_append(runs, run_of(cJSON_CreateString(lead), true)) < 0))
                return -ENOMEM;
        cJSON *run = run_of(format_string(string, PART_MOST), !title);
        if (json_append(runs, run) < 0 || (color && json_put(run, "color", cJSON_CreateString(color)) < 0))
                return -ENOMEM;
        return 0;
}

static const char *const colors[] = {
        [MESSAGE_NOTE] = "Default",  [MESSAGE_WAITS] = "Warning", [MESSAGE_TROUBLE] = "Attention",
        [MESSAGE_TAKEN] = "Default", [MESSAGE_OVER] = "Good",
};
tables_agree(colors, MESSAGE_MOOD_COUNT);

static cJSON *body_of(const struct message *message)
{
        _cleanup_json_ cJSON *body = cJSON_CreateArray();
        if (!body || add_paragraph(body, NULL, message->text, colors[message->mood]) < 0 ||
            (message->host && add_paragraph(body, "Host", message->host, NULL) < 0))
                return NULL;
        for (size_t i = 0; i < message->part_count && i < PARTS_MOST; i++)
                if (add_paragraph(body, message->parts[i].title, message->parts[i].text, NULL) < 0)
                        return NULL;
        return TAKE_PTR(body);
}

static cJSON *actions_of(const struct message *message)
{
        _cleanup_json_ cJSON *actions = cJSON_CreateArray();
        for (size_t i = 0; actions && i < message->link_count; i++) {
                cJSON *action = cJSON_CreateObject();
                if (strlen(message->links[i].url) > URL_MOST) {
                        cJSON_Delete(action);
                        continue;
                }
                if (json_append(actions, action) < 0 ||
                    json_put(action, "type", cJSON_CreateString("Action.OpenUrl")) < 0 ||
                    json_put(action, "title", cJSON_CreateString(message->links[i].title)) < 0 ||
                    json_put(action, "url", cJSON_CreateString(message->links[i].url)) < 0)
                        return NULL;
        }
        return TAKE_PTR(actions);
}

static cJSON *card_of(const struct message *message)
{
        _cleanup_json_ cJSON *card = cJSON_CreateObject();
        if (json_put(card, "$schema",
                     cJSON_CreateString("http://adaptivecards.io/schemas/adaptive-card.json")) < 0 ||
            json_put(card, "type", cJSON_CreateString("AdaptiveCard")) < 0 ||
            json_put(card, "version", cJSON_CreateString("1.4")) < 0 ||
            json_put(card, "body", body_of(message)) < 0 ||
            json_put(card, "actions", actions_of(message)) < 0)
                return NULL;
        return TAKE_PTR(card);
}

cJSON *message_to_teams(const struct message *message)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        cJSON *attachments = cJSON_CreateArray();
        if (json_put(body, "attachments", attachments) < 0 ||
            json_put(body, "type", cJSON_CreateString("message")) < 0)
                return NULL;
        cJSON *attachment = cJSON_CreateObject();
        if (json_append(attachments, attachment) < 0 ||
            json_put(attachment, "contentType",
                     cJSON_CreateString("application/vnd.microsoft.card.adaptive")) < 0 ||
            json_put(attachment, "contentUrl", cJSON_CreateNull()) < 0 ||
            json_put(attachment, "content", card_of(message)) < 0)
                return NULL;
        return TAKE_PTR(body);
}

static int send_teams(const struct delivery *delivery, struct error *error)
{
        _cleanup_secret_ struct text url = {0};
        int r = format_read(delivery, "URL", &delivery->receiver->url, &url, error);
        return r < 0 ? r
                     : format_post(delivery, text_string(&url), message_to_teams(delivery->message), error);
}

const struct message_format format_teams = {.needs = RECEIVER_URL, .send = send_teams};
