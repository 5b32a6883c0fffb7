/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntfy, which brings it to a phone: posted as JSON to the server, with the topic that is the last part of the
 * receiver's URL. https://docs.ntfy.sh/publish/#publish-as-json
 */
#include <errno.h>

#include "responder/targets/formats/format.h"
#include "runbook/json.h"

/* A message of more than 4096 bytes becomes a file that nobody opens at night; three buttons are the most. */
#define MESSAGE_MOST 3800
#define PART_MOST 600
#define TITLE_MOST 200
#define LINKS_MOST 3

static const struct {
        int priority; /* 1 to 5; 5 rings on through the night */
        const char *tag;
} moods[] = {
        [MESSAGE_NOTE] = {3, "information_source"}, [MESSAGE_WAITS] = {4, "raised_hand"},
        [MESSAGE_TROUBLE] = {5, "rotating_light"},  [MESSAGE_TAKEN] = {2, "hammer_and_wrench"},
        [MESSAGE_OVER] = {3, "white_check_mark"},
};
tables_agree(moods, MESSAGE_MOOD_COUNT);

static cJSON *message_of(const struct message *message)
{
        _cleanup_text_ struct text lines = {0};
        format_put_lines(&lines, message, PART_MOST);
        return text_error(&lines) < 0 ? NULL : format_string(text_string(&lines), MESSAGE_MOST);
}

static cJSON *title_of(const struct message *message)
{
        const char *what = message->incident ? message->incident : "runbook_responder";
        _cleanup_free_ char *title =
                text_format("%s%s%s", what, message->host ? " on " : "", message->host ? message->host : "");
        return title ? format_string(title, TITLE_MOST) : NULL;
}

static cJSON *actions_of(const struct message *message)
{
        _cleanup_json_ cJSON *actions = cJSON_CreateArray();
        for (size_t i = 0; actions && i < message->link_count && i < LINKS_MOST; i++) {
                cJSON *action = cJSON_CreateObject();
                if (json_append(actions, action) < 0 ||
                    json_put(action, "action", cJSON_CreateString("view")) < 0 ||
                    json_put(action, "label", cJSON_CreateString(message->links[i].title)) < 0 ||
                    json_put(action, "url", cJSON_CreateString(message->links[i].url)) < 0)
                        return NULL;
        }
        return TAKE_PTR(actions);
}

cJSON *message_to_ntfy(const struct message *message, const char *topic)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        cJSON *tags = cJSON_CreateArray();
        if (json_put(body, "tags", tags) < 0 ||
            json_append(tags, cJSON_CreateString(moods[message->mood].tag)) < 0 ||
            json_put(body, "topic", cJSON_CreateString(topic)) < 0 ||
            json_put(body, "title", title_of(message)) < 0 ||
            json_put(body, "message", message_of(message)) < 0 ||
            json_put(body, "priority", cJSON_CreateNumber(moods[message->mood].priority)) < 0)
                return NULL;
        if (message->link_count > 0 &&
            (json_put(body, "click", cJSON_CreateString(message->links[0].url)) < 0 ||
             json_put(body, "actions", actions_of(message)) < 0))
                return NULL;
        return TAKE_PTR(body);
}

static int send_ntfy(const struct delivery *delivery, struct error *error)
{
        _cleanup_secret_ struct text url = {0}, server = {0};
        int r = format_read(delivery, "URL", &delivery->receiver->url, &url, error);
        if (r < 0)
                return r;
        while (url.length > 0 && url.data[url.length - 1] == '/')
                url.data[--url.length] = '\0';
        const char *slash = strrchr(text_string(&url), '/');
        if (!slash || !slash[1] || slash == url.data || slash[-1] == '/' || strpbrk(slash, "?#"))
                return error_set(error, EINVAL, "receiver \"%s\" has a URL without a topic at its end",
                                 delivery->receiver->name);
        text_append(&server, url.data, (size_t)(slash - url.data) + 1);
        return text_error(&server) < 0 ? error_oom(error)
                                       : format_post(delivery, text_string(&server),
                                                     message_to_ntfy(delivery->message, slash + 1), error);
}

const struct message_format format_ntfy = {.needs = RECEIVER_URL, .takes = RECEIVER_TOKEN, .send = send_ntfy};
