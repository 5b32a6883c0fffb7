/* SPDX-License-Identifier: Apache-2.0 */
/* Three Alertmanagers: each tells what it knows at its own time, again and again, twice, late, or never. */
#include <stdio.h>
#include <string.h>

#include "runbook/text.h"
#include "tests/sim/claims.h"

#define REPEAT (2 * HOUR)

/* In place of the number of tries. */
enum { FIRST = 31 };

/* One delivery under way: packed, for the queue holds numbers alone. */
struct delivery {
        int64_t source, alertmanager, firing, tries;
        uint64_t generation;
};

static int64_t pack(const struct delivery *delivery)
{
        return (((((int64_t)delivery->generation * SOURCES + delivery->source) * ALERTMANAGERS +
                  delivery->alertmanager) *
                         2 +
                 delivery->firing) *
                32) +
               delivery->tries;
}

static struct delivery unpack(int64_t number)
{
        struct delivery delivery = {.tries = number % 32};
        number /= 32;
        delivery.firing = number % 2;
        number /= 2;
        delivery.alertmanager = number % ALERTMANAGERS;
        number /= ALERTMANAGERS;
        delivery.source = number % SOURCES;
        delivery.generation = (uint64_t)(number / SOURCES);
        return delivery;
}

static void write_down(void *context, int result)
{
        *(int *)context = result;
}

/* What one webhook tells: of a source, that it fires, or that it has ended. */
struct news {
        int64_t source;
        bool firing;
        nsec starts, ends; /* by the Alertmanagers' clocks, which are right */
};

static void put_alert(struct text *body, const struct sim *sim, const struct news *news, const char *before)
{
        const struct source *one = &sim->sources[news->source];
        const nsec epoch = sim_wall(sim) - sim->now - sim->wall_offset;
        /* Nobody's own word is an identity: some give another's fingerprint, or none. */
        const struct source *lent = &sim->sources[(news->source + SERVICES) % SOURCES];
        const char *fingerprint = sim->seed % 4 == 0 ? lent->name : sim->seed % 4 == 1 ? "" : one->name;
        char starts[TIME_TEXT_MAX], ends[TIME_TEXT_MAX];
        text_printf(body,
                    "%s{\"status\":\"%s\",\"labels\":{\"alertname\":\"%s\",\"subject\":\"%s\"%s%s%s%s},"
                    "\"annotations\":{},\"startsAt\":\"%s\",\"endsAt\":\"%s\",\"generatorURL\":\"\","
                    "\"fingerprint\":\"%s\"}",
                    before, news->firing ? "firing" : "resolved", one->alertname, one->subject,
                    one->severity ? ",\"severity\":\"" : "", one->severity ? one->severity : "",
                    one->severity ? "\"" : "", one->twinned ? ",\"stage\":\"act\"" : "",
                    time_format(epoch + news->starts, starts),
                    news->firing ? "0001-01-01T00:00:00Z" : time_format(epoch + news->ends, ends),
                    fingerprint);
}

/* By the same rule as the journal's, from the same bytes. */
static void shadow_hear(struct sim *sim, const struct news *news)
{
        struct shadow *shadow = &sim->shadows[news->source];
        const nsec epoch = sim_wall(sim) - sim->now - sim->wall_offset;
        nsec starts_at = (epoch + news->starts) / NSEC_PER_MSEC * NSEC_PER_MSEC;
        nsec ends_at = (epoch + news->ends) / NSEC_PER_MSEC * NSEC_PER_MSEC;
        shadow->heard += news->firing;
        if (news->firing) {
                shadow->starts_at =
                        shadow->open && shadow->starts_at < starts_at ? shadow->starts_at : starts_at;
                shadow->open = true;
        } else if (shadow->open && ends_at >= shadow->starts_at) {
                shadow->open = false;
        }
}

/* True when the responder said 200. */
static bool post(struct sim *sim, const struct news *news, size_t count)
{
        _cleanup_text_ struct text body = {0};
        text_puts(&body, "{\"version\":\"4\",\"groupKey\":\"g\",\"truncatedAlerts\":0,\"status\":\"firing\","
                         "\"receiver\":\"r\",\"groupLabels\":{},\"commonLabels\":{},"
                         "\"commonAnnotations\":{},\"externalURL\":\"\",\"alerts\":[");
        for (size_t i = 0; i < count; i++)
                put_alert(&body, sim, &news[i], i > 0 ? "," : "");
        text_puts(&body, "]}");
        struct webhook webhook = {0};
        int result = -1;
        if (!sim->journal || sim_is_dead(sim) || sim->stopping || sim->now < sim->stopped_until ||
            webhook_parse(body.data, body.length, &webhook, NULL) < 0)
                return false;
        for (size_t i = 0; i < count; i++)
                claim_shadow(sim, news[i].source);
        int taken = journal_accept(sim->journal, &webhook, write_down, &result);
        journal_commit_waiting(sim->journal);
        bool accepted = taken >= 0 && result == 0 && !sim_is_dead(sim);
        for (size_t i = 0; i < count; i++) {
                if (accepted)
                        shadow_hear(sim, &news[i]);
                else
                        sim->shadows[news[i].source].uncertain = true;
                /* It may be in the journal, though nobody was told so. */
                if (news[i].firing)
                        sim->sources[news[i].source].heard = sim->now;
        }
        if (accepted)
                sim_wake(sim);
        return accepted;
}

/* The group of an alert: whoever else of the same subject fires, and whose end was not told yet, all mixed.
 */
static size_t gather(struct sim *sim, const struct delivery *delivery, struct news ret[SOURCES])
{
        const struct source *one = &sim->sources[delivery->source];
        size_t count = 0;
        for (int64_t i = 0; i < SOURCES; i++) {
                const struct source *other = &sim->sources[i];
                bool known = other->told[delivery->alertmanager] == other->generation;
                if (i != delivery->source && string_equal(other->subject, one->subject) && !other->hushed &&
                    (other->ill || (!known && !other->silenced && other->until > 0)))
                        ret[count++] = (struct news){i, other->ill, other->since, other->until};
        }
        ret[count++] = (struct news){delivery->source, delivery->firing, one->since, one->until};
        if (count > 1 && rng_chance(&sim->rng, 500)) {
                struct news last = ret[count - 1];
                ret[count - 1] = ret[0];
                ret[0] = last;
        }
        return count;
}

static void deliver(struct sim *sim, int64_t number)
{
        struct delivery delivery = unpack(number);
        const struct source *one = &sim->sources[delivery.source];
        bool news = one->generation == delivery.generation;
        /* What is no longer so is delivered all the same, when it was under way. */
        if (delivery.firing && !news && delivery.tries > 0)
                return;
        /* A group that it was part of has told it already. */
        if (news && one->told[delivery.alertmanager] == one->generation && delivery.tries == FIRST)
                return;
        /* What is silenced is told by nobody, as long as it is; nor what Prometheus could not tell. */
        if (delivery.firing && news && (one->hushed || (sim->prometheus_down && delivery.tries == FIRST))) {
                sim_after(sim, 2 * MINUTE, 10 * MINUTE, deliver, number);
                return;
        }
        struct news group[SOURCES];
        size_t count = gather(sim, &delivery, group);
        if (sim->alertmanagers_down || !post(sim, group, count)) {
                delivery.tries = delivery.tries == FIRST ? 1 : delivery.tries + (delivery.tries < 30);
                if (delivery.firing ? news : true)
                        sim_after(sim, 10 * NSEC_PER_SEC, 5 * MINUTE, deliver, pack(&delivery));
                return;
        }
        sim_note(sim, delivery.firing ? "firing" : "resolved", delivery.source);
        for (size_t i = 0; i < count; i++)
                if (group[i].firing == sim->sources[group[i].source].ill)
                        sim->sources[group[i].source].told[delivery.alertmanager] =
                                sim->sources[group[i].source].generation;
        delivery.tries = 0;
        if (delivery.firing && news)
                sim_after(sim, REPEAT, REPEAT + MINUTE, deliver, pack(&delivery));
        if (rng_chance(&sim->rng, 80))
                sim_after(sim, NSEC_PER_MSEC, 2 * MINUTE, deliver, pack(&delivery));
}

void neighbours_tell(struct sim *sim, int64_t source)
{
        const struct source *one = &sim->sources[source];
        for (int64_t i = 0; i < ALERTMANAGERS; i++) {
                const struct delivery delivery = {.source = source,
                                                  .alertmanager = i,
                                                  .firing = one->ill,
                                                  .tries = FIRST,
                                                  .generation = one->generation};
                if (!one->ill && one->silenced)
                        continue;
                sim_after(sim, NSEC_PER_MSEC, 3 * MINUTE, deliver, pack(&delivery));
        }
}

/* Alertmanager hears of what is ill again within a minute, and forgets after five what it hears no more of.
 */
#define RESEND (5 * NSEC_PER_SEC)
#define ENDS_AT (5 * MINUTE)

/* Whether the one that is asked has it. */
static bool alertmanager_has(const struct sim *sim, int64_t source)
{
        const struct source *one = &sim->sources[source];
        nsec knows_since = sim->alertmanager_started + source * RESEND;
        if (!sim->prometheus_down)
                return one->ill && sim->now >= knows_since &&
                       sim->now >= sim->prometheus_changed + source * RESEND;
        bool was_ill =
                one->since < sim->prometheus_changed && (one->ill || one->until > sim->prometheus_changed);
        return was_ill && sim->prometheus_changed >= knows_since &&
               sim->now < sim->prometheus_changed + ENDS_AT;
}

void neighbours_alerts(struct sim *sim, struct alertmanager_view *ret)
{
        struct alertmanager_view view = {.items = calloc(SOURCES, sizeof(*view.items)),
                                         .up = sim->now - sim->alertmanager_started};
        for (int64_t i = 0; i < SOURCES; i++) {
                const struct source *one = &sim->sources[i];
                if (!alertmanager_has(sim, i))
                        continue;
                struct alert_seen *seen = &view.items[view.count++];
                snprintf(seen->key, sizeof(seen->key), "%s", one->key);
                seen->presence = one->hushed ? ALERT_SILENCED : ALERT_ACTIVE;
                seen->by = one->hushed ? strdup("silence 1 by ada") : NULL;
        }
        alertmanager_view_sort(&view);
        *ret = view;
}

/* What Prometheus no longer sends ends, as Alertmanager has it. */
static void time_out(struct sim *sim, int64_t argument)
{
        if (!sim->prometheus_down || sim->prometheus_changed / NSEC_PER_SEC != argument || sim->ending)
                return;
        for (int64_t i = 0; i < SOURCES; i++) {
                const struct source *one = &sim->sources[i];
                const struct news news = {i, false, one->since, sim->now};
                if (one->ill && !one->hushed && one->since < sim->prometheus_changed && post(sim, &news, 1))
                        sim_note(sim, "timed out", i);
        }
}

void neighbours_prometheus(struct sim *sim, bool down)
{
        nsec since = sim->prometheus_changed;
        bool timed_out = !down && sim->now - since >= ENDS_AT;
        sim->prometheus_changed = sim->now;
        if (down)
                sim_at(sim, sim->now + ENDS_AT, time_out, sim->now / NSEC_PER_SEC);
        for (int64_t i = 0; timed_out && i < SOURCES; i++)
                if (sim->sources[i].ill && !sim->ending)
                        model_begins_anew(sim, i);
}

static void restart_alertmanager(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        sim->alertmanager_started = sim->now;
        for (size_t i = 0; i < SOURCES; i++)
                sim->sources[i].leased[0] = 0;
        sim_note(sim, "Alertmanager starts", 0);
        sim_after(sim, HOUR, 10 * HOUR, restart_alertmanager, 0);
}

void neighbours_begin(struct sim *sim)
{
        sim_after(sim, HOUR, 10 * HOUR, restart_alertmanager, 0);
}
