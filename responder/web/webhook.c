/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: parse, complete, journal, answer. */
#include "responder/web/webhook.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "runbook/log.h"
#include "runbook/prometheus.h"

#define PARSE_HERE_LIMIT ((size_t)64 * 1024)
#define FETCH_TIMEOUT (10 * NSEC_PER_SEC)

struct webhook_receiver {
        struct webhook_options options;
        pthread_mutex_t lock;
        pthread_cond_t answered;
        size_t under_way; /* deliveries that were not answered yet */
};

/* One webhook on its way; owned by whoever works on it, freed when it is answered. */
struct delivery {
        struct webhook_receiver *receiver;
        struct http_exchange *exchange;
        struct webhook webhook;
        bool cut;          /* the rest of its group is still to be fetched */
        size_t unreadable; /* alerts of it that could not be read, and why of the first */
        char *why;
};

int webhook_receiver_new(const struct webhook_options *options, struct webhook_receiver **ret,
                         struct error *error)
{
        struct webhook_receiver *receiver = calloc(1, sizeof(*receiver));
        if (!receiver)
                return error_oom(error);
        receiver->options = *options;
        pthread_mutex_init(&receiver->lock, NULL);
        pthread_cond_init(&receiver->answered, NULL);
        *ret = receiver;
        return 0;
}

struct webhook_receiver *webhook_receiver_free(struct webhook_receiver *receiver)
{
        if (!receiver)
                return NULL;
        pthread_mutex_lock(&receiver->lock);
        while (receiver->under_way > 0)
                pthread_cond_wait(&receiver->answered, &receiver->lock);
        pthread_mutex_unlock(&receiver->lock);
        pthread_cond_destroy(&receiver->answered);
        pthread_mutex_destroy(&receiver->lock);
        free(receiver);
        return NULL;
}

static void count_delivery(struct webhook_receiver *receiver, bool begins)
{
        pthread_mutex_lock(&receiver->lock);
        receiver->under_way += begins ? 1 : -(size_t)1;
        if (receiver->under_way == 0)
                pthread_cond_signal(&receiver->answered);
        pthread_mutex_unlock(&receiver->lock);
}

/* What could not be read would be wrong for ever: sending it again helps nobody. */
static void answer_accepted(const struct delivery *delivery)
{
        if (delivery->unreadable == 0)
                http_reply_text(delivery->exchange, 200, "accepted");
        else
                http_reply_text(delivery->exchange, 200, "accepted, but for %zu alerts: %s",
                                delivery->unreadable, delivery->why);
}

static void answer_delivery(struct delivery *delivery, int result, const struct error *error)
{
        if (result >= 0)
                answer_accepted(delivery);
        else if (result == -EBADMSG) {
                log_event(LOG_WARN, "Webhook refused", "error", error_text(error), NULL);
                http_reply_text(delivery->exchange, 400, "%s", error_text(error));
        } else {
                log_event(LOG_ERROR, "Webhook put off", "error", error_text(error), NULL);
                http_reply_text(delivery->exchange, 503, "not accepted, send it again: %s",
                                error_text(error));
        }
        webhook_release(&delivery->webhook);
        count_delivery(delivery->receiver, false);
        free(delivery->why);
        free(delivery);
}

static void hand_to_worker(struct delivery *delivery, const struct webhook_workers *to,
                           void (*job)(void *context))
{
        if (workers_try(to->workers, to->waiting, job, delivery) < 0) {
                _cleanup_error_ struct error error = {0};
                error_set(&error, EAGAIN, "too many of its kind wait already");
                answer_delivery(delivery, -EAGAIN, &error);
        }
}

static void complete(void *context);

/* Called on the journal's thread, after the commit. */
static void answer_journaled(void *context, int result)
{
        struct delivery *delivery = context;
        struct webhook_options *options = &delivery->receiver->options;
        _cleanup_error_ struct error error = {0};
        /* Also when it failed: the engine is to find out what is wrong, and who is to be told. */
        options->wake(options->context);
        if (result >= 0 && delivery->cut) {
                delivery->cut = false;
                hand_to_worker(delivery, &options->fetching, complete);
                return;
        }
        /* What cannot be journaled now is never the sender's fault. */
        if (result < 0)
                error_set(&error, -result, "the journal could not be written");
        answer_delivery(delivery, result < 0 ? -EAGAIN : 0, &error);
}

static void accept_delivery(struct delivery *delivery)
{
        int r = journal_accept(delivery->receiver->options.journal, &delivery->webhook, answer_journaled,
                               delivery);
        if (r < 0) {
                _cleanup_error_ struct error error = {0};
                error_set(&error, EAGAIN, "too many webhooks wait for the journal");
                answer_delivery(delivery, -EAGAIN, &error);
        }
}

static int compare_names(const void *left, const void *right)
{
        return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Whether an alert is of the group that a webhook says to be of. */
static bool is_of_group(const struct alert *alert, const cJSON *group_labels)
{
        const cJSON *wanted;
        cJSON_ArrayForEach(wanted, group_labels)
        {
                const char *value = alert_label(alert, wanted->string);
                if (cJSON_IsString(wanted) && !string_equal(value ? value : "", wanted->valuestring))
                        return false;
        }
        return true;
}

/* The keys of the alerts, sorted; each of `keys` points into `ret_texts`. free() both. */
static int list_keys(const struct webhook *webhook, char (**ret_texts)[DIGEST_TEXT_MAX],
                     const char ***ret_keys, struct error *error)
{
        _cleanup_free_ char(*texts)[DIGEST_TEXT_MAX] = calloc(webhook->count + 1, sizeof(*texts));
        _cleanup_free_ const char **keys = calloc(webhook->count + 1, sizeof(*keys));
        if (!texts || !keys)
                return error_oom(error);
        for (size_t i = 0; i < webhook->count; i++) {
                int r = alert_key(&webhook->alerts[i], texts[i], error);
                if (r < 0)
                        return r;
                keys[i] = texts[i];
        }
        qsort(keys, webhook->count, sizeof(*keys), compare_names);
        *ret_texts = TAKE_PTR(texts);
        *ret_keys = TAKE_PTR(keys);
        return 0;
}

/* Moves the alerts of its group that `webhook` does not have yet from `more` into it. Both may have tens of
 * thousands. */
static int merge_webhooks(struct webhook *webhook, struct webhook *more, struct error *error)
{
        struct alert *alerts =
                reallocarray(webhook->alerts, webhook->count + more->count + 1, sizeof(*alerts));
        size_t known = webhook->count;
        if (!alerts)
                return error_oom(error);
        webhook->alerts = alerts;
        _cleanup_free_ char(*texts)[DIGEST_TEXT_MAX] = NULL;
        _cleanup_free_ const char **keys = NULL;
        int r = list_keys(webhook, &texts, &keys, error);
        for (size_t i = 0; r >= 0 && keys && i < more->count; i++) {
                char text[DIGEST_TEXT_MAX];
                const char *key = text;
                r = alert_key(&more->alerts[i], text, error);
                if (r < 0 || !is_of_group(&more->alerts[i], webhook->group_labels) ||
                    bsearch(&key, keys, known, sizeof(*keys), compare_names))
                        continue;
                alerts[webhook->count++] = more->alerts[i];
                more->alerts[i] = (struct alert){0};
        }
        return r;
}

/* The whole group, as Alertmanager has it now: its receiver's, with the labels that the group is made by. */
static int fetch_group(const char *base, const struct webhook *webhook, struct webhook *ret,
                       struct error *error)
{
        const struct http_request how = {.deadline = deadline_in(FETCH_TIMEOUT)};
        const struct alertmanager_wanted group = {
                .receiver = webhook->receiver, .labels = webhook->group_labels, .only_active = true};
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_json_ cJSON *alerts = NULL;
        if (!client)
                return error_oom(error);
        int r = alertmanager_alerts(client, &how, base, &group, &alerts, error);
        return r < 0 ? r : webhook_parse_api(alerts, ret, error);
}

/* Takes what can be read of the body, and tells what cannot. */
static int parse_body(struct delivery *delivery, struct error *error)
{
        const struct text *body = http_body(delivery->exchange);
        struct webhook *webhook = &delivery->webhook;
        int r = webhook_parse(text_string(body), body->length, webhook, error);
        if (r < 0 || webhook->unreadable == 0 || delivery->why)
                return r;
        char count[32];
        snprintf(count, sizeof(count), "%zu", webhook->unreadable);
        log_event(LOG_WARN, "Alerts of a webhook cannot be read", "alerts", count, "error", webhook->why,
                  NULL);
        meters_unreadable(delivery->receiver->options.meters, webhook->unreadable);
        delivery->unreadable = webhook->unreadable;
        delivery->why = TAKE_PTR(webhook->why);
        return 0;
}

static char *find_alertmanager(const struct delivery *delivery)
{
        const struct webhook_options *options = &delivery->receiver->options;
        return options->alertmanager_url(options->context);
}

/* The rest of a group that `max_alerts` has cut, in front of what was delivered of it, which is read again.
 */
static int complete_group(struct delivery *delivery, struct error *error)
{
        struct webhook more = {0};
        _cleanup_free_ char *base = find_alertmanager(delivery);
        int r = base ? parse_body(delivery, error) : error_oom(error);
        if (r >= 0)
                r = fetch_group(base, &delivery->webhook, &more, error);
        if (r >= 0)
                r = merge_webhooks(&delivery->webhook, &more, error);
        webhook_release(&more);
        return r < 0 ? error_prefix(error, -EAGAIN,
                                    "what was sent is, but not the rest of a group that max_alerts has cut")
                     : 0;
}

/* On a worker. */
static void complete(void *context)
{
        struct delivery *delivery = context;
        _cleanup_error_ struct error error = {0};
        int r = complete_group(delivery, &error);
        if (r < 0)
                answer_delivery(delivery, r, &error);
        else
                accept_delivery(delivery);
}

/* What was delivered is journaled at once, whether or not the rest of its group can be had. */
static void take_delivery(struct delivery *delivery)
{
        _cleanup_free_ char *base = find_alertmanager(delivery);
        bool cut = delivery->webhook.truncated > 0;
        delivery->cut = cut && base && *base;
        if (cut && !delivery->cut)
                log_event(LOG_WARN,
                          "Alertmanager has cut a group, and alertmanager_url is not set to fetch the rest",
                          "receiver", delivery->webhook.receiver, NULL);
        accept_delivery(delivery);
}

static void parse_large(void *context)
{
        struct delivery *delivery = context;
        _cleanup_error_ struct error error = {0};
        int r = parse_body(delivery, &error);
        if (r < 0)
                answer_delivery(delivery, r, &error);
        else
                take_delivery(delivery);
}

void webhook_receive(struct webhook_receiver *receiver, struct http_exchange *exchange)
{
        struct delivery *delivery = calloc(1, sizeof(*delivery));
        if (!delivery) {
                http_reply_text(exchange, 503, "not accepted, send it again: out of memory");
                return;
        }
        *delivery = (struct delivery){.receiver = receiver, .exchange = exchange};
        count_delivery(receiver, true);
        if (http_body(exchange)->length > PARSE_HERE_LIMIT) {
                http_suspend(exchange);
                hand_to_worker(delivery, &receiver->options.reading, parse_large);
                return;
        }
        _cleanup_error_ struct error error = {0};
        int r = parse_body(delivery, &error);
        if (r < 0) {
                answer_delivery(delivery, r, &error);
                return;
        }
        http_suspend(exchange);
        take_delivery(delivery);
}
