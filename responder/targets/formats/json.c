/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object, for programs. */
#include "runbook/json.h"

#include "responder/targets/formats/format.h"

/* Far more than any is; what is no UTF-8 would not be JSON. */
#define TEXT_MOST (64 * 1024)

static const char *const moods[] = {
        [MESSAGE_NOTE] = "note",   [MESSAGE_WAITS] = "waits", [MESSAGE_TROUBLE] = "trouble",
        [MESSAGE_TAKEN] = "taken", [MESSAGE_OVER] = "over",
};
tables_agree(moods, MESSAGE_MOOD_COUNT);

cJSON *message_to_json(const struct message *message, nsec wall)
{
        char at[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        if (json_put(body, "version", cJSON_CreateNumber(1)) < 0 ||
            json_put(body, "at", cJSON_CreateString(time_format(wall, at))) < 0 ||
            json_put(body, "text", format_string(message->text, TEXT_MOST)) < 0 ||
            json_put(body, "kind", cJSON_CreateString(moods[message->mood])) < 0 ||
            json_put(body, "key", json_text(message->key)) < 0 ||
            json_put(body, "host", json_text(message->host)) < 0 ||
            json_put(body, "incident", json_text(message->incident)) < 0 ||
            json_put(body, "remediation", json_text(message->remediation)) < 0 ||
            json_put(body, "state", json_text(message->state)) < 0 ||
            json_put(body, "details",
                     message->details ? cJSON_Duplicate(message->details, true) : cJSON_CreateObject()) < 0)
                return NULL;
        return TAKE_PTR(body);
}

static int send_json(const struct delivery *delivery, struct error *error)
{
        _cleanup_secret_ struct text url = {0};
        int r = format_read(delivery, "URL", &delivery->receiver->url, &url, error);
        return r < 0 ? r
                     : format_post(delivery, text_string(&url),
                                   message_to_json(delivery->message, clock_wall()), error);
}

const struct message_format format_json = {.needs = RECEIVER_URL, .takes = RECEIVER_TOKEN, .send = send_json};
