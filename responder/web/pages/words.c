/* SPDX-License-Identifier: Apache-2.0 */
/* What states, guards and actors are called when a person reads of them. */
#include "responder/web/pages/internal.h"

struct phrase {
        const char *words, *tone;
};

static const struct phrase states[] = {
        [INCIDENT_UNCHANGED] = {"not known", HTML_BAD},
        [INCIDENT_RECEIVED] = {"just in", HTML_BUSY},
        [INCIDENT_HELD] = {"held back", HTML_WAIT},
        [INCIDENT_AWAITING_APPROVAL] = {"waits for approval", HTML_WAIT},
        [INCIDENT_RUNNING] = {"runs", HTML_BUSY},
        [INCIDENT_VERIFYING] = {"being verified", HTML_BUSY},
        [INCIDENT_FAILED] = {"failed", HTML_BAD},
        [INCIDENT_NOT_HEALED] = {"not healed", HTML_BAD},
        [INCIDENT_UNVERIFIED] = {"could not be verified", HTML_BAD},
        [INCIDENT_HEALED] = {"healed", HTML_GOOD},
        [INCIDENT_DONE] = {"done, not verified", NULL},
        [INCIDENT_ESCALATED] = {"a person was called", HTML_BAD},
        [INCIDENT_EXPIRED] = {"waited too long", HTML_BAD},
        [INCIDENT_DENIED] = {"denied", NULL},
        [INCIDENT_CANCELLED] = {"cancelled", NULL},
        [INCIDENT_PLANNED] = {"planned only", NULL},
};
tables_agree(states, INCIDENT_STATE_COUNT);

static const struct phrase statuses[] = {
        [STEP_WAITING] = {"not begun", NULL},
        [STEP_STARTED] = {"runs", HTML_BUSY},
        [STEP_PROGRESS] = {"runs", HTML_BUSY},
        [STEP_DONE] = {"done", HTML_GOOD},
        [STEP_FAILED] = {"failed", HTML_BAD},
        [STEP_INTERRUPTED] = {"interrupted: what it did cannot be told", HTML_BAD},
        [STEP_SKIPPED] = {"skipped", NULL},
        [STEP_UNDOING] = {"is being put back", HTML_BUSY},
        [STEP_UNDONE] = {"put back", NULL},
        [STEP_UNDO_FAILED] = {"could not be put back", HTML_BAD},
};
tables_agree(statuses, STEP_STATUS_COUNT);

static const struct {
        const char *guard, *words;
} guards[] = {
        {"paused", "everything is paused"},
        {"human", "a person is at it"},
        {"maintenance", "it is maintenance"},
        {"lock", "another incident has its lock"},
        {"cooldown", "it rests after the last run under its lock"},
        {"limit", "it has run as often as it may"},
        {"limit_all", "as much was done in all as may be"},
        {"freshness", "Prometheus' data are old, or it does not answer"},
        {"breaker", "much was done under its lock lately"},
        {"storm", "much is done elsewhere at the same time"},
        {"silenced", "its alert is silenced"},
        {"inhibited", "its alert is inhibited by another one"},
        {"muted", "its alert is muted"},
};

static const struct phrase *phrase_of(const struct incident *incident)
{
        static const struct phrase unreadable = {"unreadable", HTML_BAD};
        return incident->unreadable ? &unreadable : &states[incident->state];
}

const char *state_phrase(const struct incident *incident)
{
        return phrase_of(incident)->words;
}

const char *state_tone(const struct incident *incident)
{
        return phrase_of(incident)->tone;
}

void put_state(struct text *page, const struct incident *incident)
{
        const struct phrase *phrase = phrase_of(incident);
        text_printf(page, "<span class=\"state %s\">%s</span>", phrase->tone ? phrase->tone : "",
                    phrase->words);
}

const char *step_phrase(enum step_status status)
{
        return statuses[status].words;
}

const char *step_tone(enum step_status status)
{
        return statuses[status].tone;
}

void put_guard(struct text *page, const char *guard)
{
        for (size_t i = 0; i < N_ELEMENTS(guards); i++)
                if (string_equal(guards[i].guard, guard)) {
                        text_puts(page, guards[i].words);
                        return;
                }
        text_puts(page, "the guard ");
        html_put_line(page, guard, WORD_MOST);
        text_puts(page, " holds it");
}

void put_actor(struct text *page, const char *actor)
{
        if (!actor || !*actor)
                text_puts(page, "somebody");
        else if (string_equal(actor, "engine"))
                text_puts(page, "the responder");
        else if (string_equal(actor, "alert"))
                text_puts(page, "the alert");
        else if (string_equal(actor, "alertmanager"))
                text_puts(page, "Alertmanager");
        else
                html_put_line(page, actor_person(actor), WORD_MOST);
}

void put_number(struct text *page, const struct incident *incident)
{
        text_puts(page, "<a class=\"num\" href=\"/incidents/");
        html_put(page, incident->number);
        text_puts(page, "\">");
        html_put(page, incident->number);
        text_puts(page, "</a>");
}

/* The first of these labels says best what an alert is about. */
static const char *const subjects[] = {"service", "container", "database", "check", "instance", "job"};

void put_subject(struct text *page, const char *name, const struct alert *alert)
{
        const char *on = NULL;
        for (size_t i = 0; i < N_ELEMENTS(subjects) && !on; i++)
                on = alert_label(alert, subjects[i]);
        text_puts(page, "<strong>");
        html_put_line(page, name, WORD_MOST);
        text_puts(page, "</strong>");
        if (!on || !*on)
                return;
        text_puts(page, " on ");
        html_put_line(page, on, WORD_MOST);
}

void put_labels(struct text *page, const struct config_map *labels, const char *but)
{
        text_puts(page, "<span class=\"labels\">");
        for (size_t i = 0; i < labels->count; i++) {
                if (string_equal(labels->keys[i], but))
                        continue;
                text_puts(page, "<code>");
                html_put_line(page, labels->keys[i], WORD_MOST);
                text_puts(page, "=");
                html_put_line(page, labels->values[i], WORD_MOST);
                text_puts(page, "</code> ");
        }
        text_puts(page, "</span>");
}
