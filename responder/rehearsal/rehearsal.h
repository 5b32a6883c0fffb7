/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a remediations.yml would have done about a history of alerts: the engine, the guards, the incidents
 * and the journal as they are, over a world that is a model.
 *
 * Its clock goes from one thing that is due to the next. Actions are planned and succeed at once, touch one
 * target each and change nothing; receivers hear whatever they are told; a verification holds once the alert
 * is over in the history, for that is the best guess there is. The journal lies in memory. Nothing of this
 * reaches a neighbour, a disk or a clock, so the same history always comes to the same.
 *
 * responder/rehearsal is here so that a file of rules is tried on what was, or on what a person makes up, by
 * the code that will act; tests, commands and pages use it alike. It uses responder/engine,
 * responder/incident, responder/journal, responder/world, responder/remediation, responder/alert, the
 * configuration of responder/targets, lib/base, lib/config and lib/metrics. One thread.
 */
#ifndef RESPONDER_REHEARSAL_REHEARSAL_H
#define RESPONDER_REHEARSAL_REHEARSAL_H

#include "responder/engine/engine.h"

/* One moment of one alert: it fires, or (its `firing` is false) is over. */
struct history_event {
        nsec at; /* wall */
        struct alert alert;
};

/* Of many; in the order of their times once history_sort() was called. */
struct history {
        struct history_event *items;
        size_t count, space;
};

/* Takes the alert, also on failure. */
int history_add(struct history *history, nsec at, struct alert *take, struct error *error);
/* By their times; of those at the same one in the order in which they came. */
int history_sort(struct history *history, struct error *error);
void history_release(struct history *history);

/*
 * Webhooks as they came, one a line: {"at": "2026-11-28T10:00:00Z", "webhook": {…}}, the bytes of a whole
 * file. -EBADMSG names the line, by `name`.
 */
int history_read_webhooks(struct history *history, const char *name, const char *bytes, struct error *error);

/* The alerts that a journal has heard of since a wall time (0: ever), with the ends that it was told. */
int history_read_journal(struct history *history, struct journal *journal, nsec since, struct error *error);

/*
 * A matrix of ALERTS, as Prometheus' query_range gives it with this step: a series without a sample for more
 * than two steps was over in between. Chunks are read one after the other, by their times; what goes on at
 * the end of the last fires still. -EBADMSG. A series that cannot be read is an error: a history with holes
 * is none.
 */
struct history_ranges;                                /* what was under way at the end of the chunk before */
struct history_ranges *history_ranges_new(nsec step); /* NULL: out of memory */
struct history_ranges *history_ranges_free(struct history_ranges *ranges);
int history_read_range(struct history *history, struct history_ranges *ranges, const cJSON *matrix,
                       struct error *error);
/* After the last chunk, which ended at a wall time: adds the ends of what was over by then. */
int history_end_ranges(struct history *history, struct history_ranges *ranges, nsec end, struct error *error);

struct rehearsal;

/* Begins at a wall time. The set is borrowed. -EOPNOTSUPP: SQLite has no databases in memory here. */
int rehearsal_new(const struct remediation_set *set, nsec begin, struct rehearsal **ret, struct error *error);
struct rehearsal *rehearsal_free(struct rehearsal *rehearsal);

/* What comes at a moment; times never go back. `events` are borrowed: several are told in one webhook. */
int rehearsal_hear(struct rehearsal *rehearsal, nsec at, const struct history_event *events, size_t count,
                   struct error *error);
/* The whole of a history that is sorted, then whatever follows until a wall time. */
int rehearsal_play(struct rehearsal *rehearsal, const struct history *history, nsec until,
                   struct error *error);
/* Time passes until then, and all that is due is done. */
int rehearsal_pass(struct rehearsal *rehearsal, nsec until, struct error *error);

/* What a person does in it: as engine_decide() of the incident that a remediation has opened last, -ENOENT
 * when there is none; and the kill switch. */
int rehearsal_decide(struct rehearsal *rehearsal, enum decision decision, const char *remediation,
                     struct error *error);
int rehearsal_pause(struct rehearsal *rehearsal, bool paused, struct error *error);

/* Borrowed, as long as the rehearsal is there. */
struct journal *rehearsal_journal(struct rehearsal *rehearsal);

/*
 * What came of it, an array with an object for each incident in the order of their opening:
 *
 *     {"incident": "INC-2026-0001", "remediation": …, "alert": {…}, "opened_at": …, "acted_at": … or null,
 *      "ended_at": … or null, "state": …, "lock": …,
 *      "held": [{"guard": …, "at": …, "until": … or null, "reason": …}, …],
 *      "asked": [{"at": …, "reason": …}, …], "called": [{"at": …, "receiver": …, "text": …}, …],
 *      "steps": [{"action": …, "arguments": {…}}, …]}
 *
 * `steps` are those that it was begun with, or that a person was asked about; [] before that.
 */
int rehearsal_outcomes(struct rehearsal *rehearsal, cJSON **ret, struct error *error);

/* How many alerts began in it, and for how many of them there is a remediation. */
struct rehearsal_counts {
        size_t alerts, matched;
};
struct rehearsal_counts rehearsal_counts(const struct rehearsal *rehearsal);

#endif
