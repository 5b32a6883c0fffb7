/* SPDX-License-Identifier: Apache-2.0 */
/* Three Alertmanagers: each tells what it knows at its own time, again and again, twice, late, or never. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/claims.h"

#define REPEAT (2 * HOUR)

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

/* True when the responder said 200. `starts` and `ends` are of the Alertmanagers' clocks, which are right. */
static bool post(struct sim *sim, int64_t source, bool firing, nsec starts, nsec ends)
{
        const struct source *one = &sim->sources[source];
        const nsec epoch = sim_wall(sim) - sim->now - sim->wall_offset;
        char starts_text[TIME_TEXT_MAX], ends_text[TIME_TEXT_MAX];
        _cleanup_free_ char *body = text_format(
                "{\"version\":\"4\",\"groupKey\":\"g\",\"truncatedAlerts\":0,\"status\":\"firing\","
                "\"receiver\":\"r\","
                "\"groupLabels\":{},\"commonLabels\":{},\"commonAnnotations\":{},\"externalURL\":\"\","
                "\"alerts\":["
                "{\"status\":\"%s\",\"labels\":{\"alertname\":\"%s\",\"subject\":\"%s\"},\"annotations\":{},"
                "\"startsAt\":\"%s\",\"endsAt\":\"%s\",\"generatorURL\":\"\",\"fingerprint\":\"%s/%s\"}]}",
                firing ? "firing" : "resolved", one->alertname, one->subject,
                time_format(epoch + starts, starts_text),
                firing ? "0001-01-01T00:00:00Z" : time_format(epoch + ends, ends_text), one->alertname,
                one->subject);
        struct webhook webhook = {0};
        int result = -1;
        struct shadow *shadow = &sim->shadows[source];
        if (!sim->journal || sim_is_dead(sim) || webhook_parse(body, strlen(body), &webhook, NULL) < 0)
                return false;
        claim_shadow(sim, source);
        int taken = journal_accept(sim->journal, &webhook, write_down, &result);
        journal_commit_waiting(sim->journal);
        if (taken < 0 || result != 0 || sim_is_dead(sim)) {
                shadow->uncertain = true;
                return false;
        }

        /* By the same rule as the journal's, from the same bytes. */
        nsec starts_at = (epoch + starts) / NSEC_PER_MSEC * NSEC_PER_MSEC;
        nsec ends_at = (epoch + ends) / NSEC_PER_MSEC * NSEC_PER_MSEC;
        shadow->heard += firing;
        if (firing) {
                shadow->starts_at =
                        shadow->open && shadow->starts_at < starts_at ? shadow->starts_at : starts_at;
                shadow->open = true;
        } else if (shadow->open && ends_at >= shadow->starts_at) {
                shadow->open = false;
        }
        sim->woken = true;
        return true;
}

static void deliver(struct sim *sim, int64_t number)
{
        struct delivery delivery = unpack(number);
        const struct source *one = &sim->sources[delivery.source];
        bool news = one->generation == delivery.generation;
        /* What is no longer so is delivered all the same, when it was under way. */
        if (delivery.firing && !news && delivery.tries > 0)
                return;
        if (sim->alertmanagers_down || !post(sim, delivery.source, delivery.firing, one->since, sim->now)) {
                delivery.tries += delivery.tries < 30;
                if (delivery.firing ? news : true)
                        sim_after(sim, 10 * NSEC_PER_SEC, 5 * MINUTE, deliver, pack(&delivery));
                return;
        }
        sim_note(sim, delivery.firing ? "firing" : "resolved", delivery.source);
        delivery.tries = 0;
        if (delivery.firing && news)
                sim_after(sim, REPEAT, REPEAT + MINUTE, deliver, number);
        if (rng_chance(&sim->rng, 80))
                sim_after(sim, NSEC_PER_MSEC, 2 * MINUTE, deliver, number);
}

void neighbours_tell(struct sim *sim, int64_t source)
{
        const struct source *one = &sim->sources[source];
        for (int64_t i = 0; i < ALERTMANAGERS; i++) {
                const struct delivery delivery = {.source = source,
                                                  .alertmanager = i,
                                                  .firing = one->ill,
                                                  .generation = one->generation};
                if (!one->ill && one->silenced)
                        continue;
                sim_after(sim, NSEC_PER_MSEC, 3 * MINUTE, deliver, pack(&delivery));
        }
}
