/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps the engine itself from acting: a journal that cannot be written or read. Nothing is begun until
 * it is over, and a person is called by whatever still works.
 */
#include "responder/engine/internal.h"
#include "responder/incident/escalate.h"
#include "runbook/log.h"
#include "runbook/text.h"

/* A journal that is fine is looked at this often; one that is not is tried again. */
#define WATCH_AGAIN (5 * NSEC_PER_SEC)
#define TRY_AGAIN NSEC_PER_SEC

/* What may pass by itself, such as one reading that failed, is told when it comes twice. */
enum { FAILURES_TOLD = 2 };

void outage_release(struct outage *outage)
{
        free(outage->reason);
        free(outage->words);
}

enum journal_standing outage_ask(struct look *look, struct error *ret_why)
{
        struct journal *journal = look->engine->parts.journal;
        enum journal_standing standing = journal_standing(journal, NULL, ret_why);
        if (standing != JOURNAL_FINE) {
                /* Whether it can be written again only writing shows. */
                (void)journal_try(journal, NULL);
                error_clear(ret_why);
                standing = journal_standing(journal, NULL, ret_why);
        }
        if (standing != JOURNAL_FINE)
                look_again_at(look, look->now + TRY_AGAIN);
        else if (journal_is_files(journal))
                look_again_at(look, look->now + WATCH_AGAIN);
        return standing;
}

/* On a worker. */
static void call_person(void *context)
{
        struct engine *engine = context;
        struct outage *outage = &engine->outage;
        assert_that(atomic_load(&outage->calling) && outage->words, "one at a time calls, with words");
        _cleanup_error_ struct error error = {0};
        /* What is over has begun: the two are about one thing. */
        bool itself = outage->called_of == CALL_BEGAN || outage->called_of == CALL_OVER;
        const char *host = outage->lent.host;
        _cleanup_free_ char *key = text_format("runbook_responder-%s", host ? host : "");
        const struct message message = {
                .text = outage->words,
                .mood = outage->called_of == CALL_OVER ? MESSAGE_OVER : MESSAGE_TROUBLE,
                .key = itself ? key : NULL,
                .host = host,
        };
        int r = call_without_journal(&outage->lent, &message, &outage->backoff, &error);
        if (r < 0) {
                log_event(LOG_WARN, "Nobody could be told that the responder cannot act", "error",
                          error_text(&error), NULL);
                unheard_note(engine, UNHEARD_OUTAGE, call_receiver_of_last_resort(outage->lent.set),
                             outage->words, &error);
        } else {
                unheard_forget(engine, UNHEARD_OUTAGE);
        }
        parts_release(&outage->lent);
        atomic_store(&outage->heard, r >= 0);
        atomic_store(&outage->calling, false);
        engine_wake(engine);
}

/* What is to be said next: the worst first. NULL: nothing, or no memory. */
static char *next_words(const struct look *look, enum outage_call *ret_of, int64_t *ret_id)
{
        const struct outage *outage = &look->engine->outage;
        *ret_of = outage->reason ? CALL_BEGAN : CALL_OVER;
        *ret_id = 0;
        if (outage->reason && !outage->told)
                return text_format("runbook_responder cannot act: %s", outage->reason);
        if (!outage->reason && outage->told)
                return strdup("runbook_responder can act again");
        if (look->aside) {
                *ret_of = CALL_INCIDENT;
                *ret_id = look->aside->id;
                return text_format("%s cannot be read and is set aside, the others go on: %s",
                                   look->aside->number, look->aside->unreadable);
        }
        if (look->episode_aside.id != 0) {
                *ret_of = CALL_EPISODE;
                *ret_id = look->episode_aside.id;
                return text_format("An alert that was accepted cannot be read, and nothing is done about it "
                                   "(episode %lld): %s",
                                   (long long)look->episode_aside.id, look->episode_aside.unreadable);
        }
        return NULL;
}

/* Somebody knows now, or nobody is to be told. */
static void settle_call(struct look *look)
{
        struct engine *engine = look->engine;
        const struct outage *outage = &engine->outage;
        const int64_t id = outage->called_id;
        struct engine_slot *slot = outage->called_of == CALL_INCIDENT ? slot_find(engine, id) : NULL;
        engine->outage.backoff = (struct backoff){0};
        if (slot)
                slot->aside_told = true;
        else if (outage->called_of == CALL_EPISODE &&
                 journal_pass_over(engine->parts.journal, &id, 1, NULL) >= 0)
                log_event(LOG_ERROR, "Alert set aside", "reason", outage->words, NULL);
        if (outage->called_of == CALL_BEGAN || outage->called_of == CALL_OVER)
                engine->outage.told = outage->called_of == CALL_BEGAN;
}

static void begin_call(struct look *look)
{
        struct engine *engine = look->engine;
        struct outage *outage = &engine->outage;
        atomic_store(&outage->calling, true);
        if (engine_lend(engine, &outage->lent, WORLD_CALLS, call_receiver_of_last_resort(engine->parts.set),
                        call_person) >= 0)
                return;
        atomic_store(&outage->calling, false);
        look_again_at(look, look->now + TRY_AGAIN);
}

/* Until it was heard; and what began and was heard, that it is over. */
static void tell_person(struct look *look)
{
        struct outage *outage = &look->engine->outage;
        const struct incident_parts *parts = &look->engine->parts;
        if (atomic_load(&outage->calling))
                return;
        if (atomic_exchange(&outage->heard, false)) {
                settle_call(look);
                look_again_at(look, look->now); /* the next one, which this look may not have seen */
                return;
        }
        enum outage_call about;
        int64_t id;
        char *words = next_words(look, &about, &id);
        if (!words) {
                unheard_forget(look->engine, UNHEARD_OUTAGE); /* it was over before anybody heard */
                return;
        }
        free(outage->words);
        outage->words = words;
        outage->called_of = about;
        outage->called_id = id;
        if (!call_receiver_of_last_resort(parts->set) || parts->dry_run) {
                settle_call(look);
                look_again_at(look, look->now);
        } else if (look->now >= outage->backoff.at) {
                begin_call(look);
        } else {
                look_again_at(look, outage->backoff.at);
        }
}

void outage_note(struct look *look, enum journal_standing standing, const struct error *why, int looked,
                 const struct error *error)
{
        struct outage *outage = &look->engine->outage;
        outage->failures = looked < 0 ? outage->failures + 1 : 0;
        const char *reason = standing != JOURNAL_FINE            ? error_text(why)
                             : outage->failures >= FAILURES_TOLD ? error_text(error)
                                                                 : NULL;
        if (!string_equal(reason, outage->reason)) {
                if (reason)
                        log_event(LOG_ERROR, "The responder cannot act", "reason", reason, NULL);
                else
                        log_event(LOG_INFO, "The responder can act again", NULL);
                if (!reason != !outage->reason && !atomic_load(&outage->calling))
                        outage->backoff = (struct backoff){0};
                free(outage->reason);
                outage->reason = reason ? strdup(reason) : NULL;
        }
        tell_person(look);
}
