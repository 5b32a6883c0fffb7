/* SPDX-License-Identifier: Apache-2.0 */
/* The alerts that were, out of Prometheus, a file of webhooks or the journal. */
#include <errno.h>

#include "responder/commands/simulate.h"
#include "responder/journal/key.h"
#include "runbook/file.h"
#include "runbook/prometheus.h"
#include "runbook/text.h"

#define SINCE (7 * 24 * 3600 * NSEC_PER_SEC)
#define ALERTS "ALERTS{alertstate=\"firing\"}"

/* What is asked for at once: few samples of many alerts, rather than all of one. */
enum { STEPS_AT_ONCE = 240 };
#define CHUNK_PATIENCE (60 * NSEC_PER_SEC)

#define FILE_MOST ((size_t)1 << 30)

void simulated_release(struct simulated *simulated)
{
        history_release(&simulated->history);
        free(simulated->source);
        *simulated = (struct simulated){0};
}

static int read_chunk(struct http_client *client, const char *base, nsec from, nsec until, nsec step,
                      struct history_ranges *ranges, struct history *history, struct error *error)
{
        const struct http_request how = {.deadline = deadline_in(CHUNK_PATIENCE)};
        _cleanup_json_ cJSON *matrix = NULL;
        int r = prometheus_range(client, &how, base, ALERTS, from, until, step, &matrix, error);
        return r < 0 ? r : history_read_range(history, ranges, matrix, error);
}

static int read_chunks(const char *base, nsec step, struct history_ranges *ranges,
                       struct simulated *simulated, struct error *error)
{
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        for (nsec at = simulated->since; at <= simulated->until; at += STEPS_AT_ONCE * step) {
                nsec end = at + (STEPS_AT_ONCE - 1) * step;
                end = end < simulated->until ? end : simulated->until;
                int r = read_chunk(client, base, at, end, step, ranges, &simulated->history, error);
                if (r < 0)
                        return r;
        }
        return history_end_ranges(&simulated->history, ranges, simulated->until, error);
}

static int read_prometheus(const struct responder_arguments *arguments, const struct remediation_set *set,
                           struct simulated *simulated, struct error *error)
{
        const char *base = set->targets.prometheus_url;
        nsec step = arguments->rehearsal.step;
        if (!base || !*base)
                return error_set(
                        error, EINVAL,
                        "the file has no prometheus_url to ask for what was: give --webhooks FILE or "
                        "--from-journal");
        int r = http_client_global_init(error);
        if (r < 0)
                return r;
        struct history_ranges *ranges = history_ranges_new(step);
        r = ranges ? read_chunks(base, step, ranges, simulated, error) : error_oom(error);
        history_ranges_free(ranges);
        if (r >= 0 && !(simulated->source = text_format("ALERTS of %s", base)))
                r = error_oom(error);
        return r;
}

static int read_webhooks(const char *path, struct simulated *simulated, struct error *error)
{
        _cleanup_text_ struct text text = {0};
        int r = file_read_whole(path, FILE_MOST, &text, error);
        if (r >= 0)
                r = history_read_webhooks(&simulated->history, path, text_string(&text), error);
        if (r >= 0 && !(simulated->source = text_format("the webhooks of %s", path)))
                r = error_oom(error);
        return r;
}

static int read_journal(const struct responder_arguments *arguments, struct simulated *simulated,
                        struct error *error)
{
        _cleanup_(key_release) struct key_file key = {0};
        struct journal *journal = NULL;
        int r = key_find(arguments->journal, arguments->journal_key, &key, error);
        if (r >= 0)
                r = journal_open_reading(arguments->journal, key.path ? &key.key : NULL, &journal, error);
        if (r >= 0)
                r = history_read_journal(&simulated->history, journal, simulated->since, error);
        journal_close(journal);
        if (r >= 0 && !(simulated->source = text_format("what %s has heard of", arguments->journal)))
                r = error_oom(error);
        return r;
}

/* Those of a file that are older than was asked for. */
static void drop_older(struct history *history, nsec since)
{
        size_t kept = 0;
        for (size_t i = 0; i < history->count; i++) {
                if (history->items[i].at >= since)
                        history->items[kept++] = history->items[i];
                else
                        alert_release(&history->items[i].alert);
        }
        history->count = kept;
}

/* A file may be of any year: it is its own clock. An hour after its end most of what waits has come to one.
 */
static void settle_times(const struct responder_arguments *arguments, struct simulated *simulated)
{
        struct history *history = &simulated->history;
        if (history->count == 0 || !arguments->rehearsal.webhooks)
                return;
        simulated->until = history->items[history->count - 1].at + 3600 * NSEC_PER_SEC;
        if (arguments->listing.since > 0)
                drop_older(history, simulated->until - arguments->listing.since);
        if (history->count > 0)
                simulated->since = history->items[0].at;
}

int simulate_history(const struct responder_arguments *arguments, const struct remediation_set *set,
                     struct simulated *ret, struct error *error)
{
        const struct rehearsal_arguments *rehearsal = &arguments->rehearsal;
        struct simulated simulated = {.until = clock_wall()};
        simulated.until -= simulated.until % NSEC_PER_SEC;
        simulated.since = simulated.until - (arguments->listing.since > 0 ? arguments->listing.since : SINCE);
        int r = 0;
        if (rehearsal->webhooks)
                r = read_webhooks(rehearsal->webhooks, &simulated, error);
        else if (rehearsal->from_journal)
                r = read_journal(arguments, &simulated, error);
        else
                r = read_prometheus(arguments, set, &simulated, error);
        if (r >= 0)
                r = history_sort(&simulated.history, error);
        if (r < 0) {
                simulated_release(&simulated);
                return r;
        }
        settle_times(arguments, &simulated);
        *ret = simulated;
        return 0;
}
