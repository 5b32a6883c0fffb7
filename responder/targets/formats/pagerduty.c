/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PagerDuty's Events API v2. All messages about one incident have one `dedup_key`: the first calls, what
 * follows is added, that somebody has taken it up acknowledges it, and its end resolves it.
 * https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
 */
#include "runbook/json.h"

#include "responder/targets/formats/format.h"

/* What is taken: a summary of 1024 characters, a key of 255, 512 KB in all. */
#define SUMMARY_MOST 1000
#define KEY_MOST 250
#define PART_MOST 8000
#define PARTS_MOST 12

#define DEFAULT_URL "https://events.pagerduty.com/v2/enqueue"

static const struct {
        const char *action, *severity;
} acts[] = {
        [MESSAGE_NOTE] = {"trigger", "info"},        [MESSAGE_WAITS] = {"trigger", "warning"},
        [MESSAGE_TROUBLE] = {"trigger", "critical"}, [MESSAGE_TAKEN] = {"acknowledge", "info"},
        [MESSAGE_OVER] = {"resolve", "info"},
};
tables_agree(acts, MESSAGE_MOOD_COUNT);

static cJSON *details_of(const struct message *message)
{
        _cleanup_json_ cJSON *details = cJSON_CreateObject();
        if (!details ||
            (message->incident && json_put(details, "Incident", json_text(message->incident)) < 0) ||
            (message->state && json_put(details, "State", json_text(message->state)) < 0))
                return NULL;
        for (size_t i = 0; i < message->part_count && i < PARTS_MOST; i++)
                if (json_put(details, message->parts[i].title,
                             format_string(message->parts[i].text, PART_MOST)) < 0)
                        return NULL;
        return TAKE_PTR(details);
}

static cJSON *payload_of(const struct message *message, nsec wall)
{
        char at[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *payload = cJSON_CreateObject();
        const char *source = message->host && *message->host ? message->host : "runbook_responder";
        if (json_put(payload, "summary", format_string(message->text, SUMMARY_MOST)) < 0 ||
            json_put(payload, "source", format_string(source, KEY_MOST)) < 0 ||
            json_put(payload, "severity", cJSON_CreateString(acts[message->mood].severity)) < 0 ||
            json_put(payload, "timestamp", cJSON_CreateString(time_format(wall, at))) < 0 ||
            json_put(payload, "custom_details", details_of(message)) < 0 ||
            (message->remediation &&
             json_put(payload, "class", format_string(message->remediation, KEY_MOST)) < 0))
                return NULL;
        return TAKE_PTR(payload);
}

static cJSON *links_of(const struct message *message)
{
        _cleanup_json_ cJSON *links = cJSON_CreateArray();
        for (size_t i = 0; links && i < message->link_count; i++) {
                cJSON *link = cJSON_CreateObject();
                if (json_append(links, link) < 0 ||
                    json_put(link, "href", cJSON_CreateString(message->links[i].url)) < 0 ||
                    json_put(link, "text", cJSON_CreateString(message->links[i].title)) < 0)
                        return NULL;
        }
        return TAKE_PTR(links);
}

cJSON *message_to_pagerduty(const struct message *message, const char *routing_key, nsec wall)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        bool calls = string_equal(acts[message->mood].action, "trigger");
        if (json_put(body, "routing_key", cJSON_CreateString(routing_key)) < 0 ||
            json_put(body, "event_action", cJSON_CreateString(acts[message->mood].action)) < 0 ||
            (message->key && json_put(body, "dedup_key", format_string(message->key, KEY_MOST)) < 0))
                return NULL;
        if (!calls)
                return TAKE_PTR(body);
        if (json_put(body, "client", cJSON_CreateString("runbook_responder")) < 0 ||
            json_put(body, "payload", payload_of(message, wall)) < 0 ||
            json_put(body, "links", links_of(message)) < 0 ||
            (message->link_count > 0 &&
             json_put(body, "client_url", cJSON_CreateString(message->links[0].url)) < 0))
                return NULL;
        return TAKE_PTR(body);
}

static int send_pagerduty(const struct delivery *delivery, struct error *error)
{
        const struct receiver *receiver = delivery->receiver;
        _cleanup_secret_ struct text url = {0}, key = {0};
        /* Neither can be had without the key of what it is about. */
        if (!delivery->message->key &&
            (delivery->message->mood == MESSAGE_TAKEN || delivery->message->mood == MESSAGE_OVER))
                return 0;
        text_puts(&url, secret_is_set(&receiver->url) ? "" : DEFAULT_URL);
        int r = secret_is_set(&receiver->url) ? format_read(delivery, "URL", &receiver->url, &url, error) : 0;
        if (r >= 0)
                r = format_read(delivery, "routing key", &receiver->routing_key, &key, error);
        return r < 0 ? r
                     : format_post(delivery, text_string(&url),
                                   message_to_pagerduty(delivery->message, text_string(&key), clock_wall()),
                                   error);
}

const struct message_format format_pagerduty = {
        .needs = RECEIVER_ROUTING_KEY, .takes = RECEIVER_URL, .keeps_open = true, .send = send_pagerduty};
