/* SPDX-License-Identifier: Apache-2.0 */
/* Buttons: which there are for whom, and the page that each opens, which says what will be done before it is.
 */
#include <errno.h>

#include "responder/incident/question.h"
#include "responder/people/people.h"
#include "responder/remediation/remediation.h"
#include "responder/web/pages/internal.h"

static const struct {
        const char *word, *name; /* of the path; on the button that opens the page */
        const char *question;    /* the page's heading, before the incident's number */
        const char *does;        /* on the button that does it */
        const char *tone;
        const char *means;
        bool steps; /* it is shown what each would do */
} acts[] = {
        [ACT_NONE] = {"", "", "", "", "", "", false},
        [ACT_APPROVE] =
                {"approve", "Approve …", "Approve", "Approve: run this", "main",
                 "These steps will be run, one after the other, once nothing else holds them back. What is "
                 "approved is what stands here.",
                 true},
        [ACT_DENY] = {"deny", "Deny …", "Deny", "Deny: run nothing", "danger",
                      "None of these steps will be run, and the incident ends. While the alert fires it is "
                      "not asked for "
                      "again.",
                      true},
        [ACT_CANCEL] = {"cancel", "Cancel …", "Cancel", "Cancel it", "danger",
                        "What waits ends at once. What runs ends with the step that is under way; what was "
                        "done stays as "
                        "it is.",
                        true},
        [ACT_UNDO] = {"undo", "Undo …", "Undo", "Undo what can be undone", "danger",
                      "What the steps did is put back, the last one first, as far as it can be.", false},
        [ACT_ACK] =
                {"ack", "I am at it …", "Acknowledge", "I am at it", "",
                 "A call about it that nobody has heard yet is not tried again, nobody is called after those "
                 "who "
                 "were, and for the time of "
                 "<code>human_window</code> nothing that changes anything is begun for it, nor for others "
                 "under its lock. A step that is under way is finished.",
                 true},
        [ACT_TAKE] =
                {"take", "Take it …", "Take", "I take it", "",
                 "It is in your hands: nothing more is begun for it, nor what changes anything for others "
                 "under its lock, until it is given back or its alert has ended. A step that is under way "
                 "is finished. It does not expire meanwhile.",
                 true},
        [ACT_GIVE_BACK] = {"give-back", "Give it back …", "Give back", "Give it back: go on", "main",
                           "The responder goes on with it, by the other guards that there are, whoever was "
                           "seen at it until now.",
                           true},
        [ACT_RESEND] =
                {"resend", "Send again …", "Send again", "Send it again", "",
                 "What nobody has received of it is sent again, now: to whom, and why it was not, stands "
                 "below. What was received is not.",
                 false},
        [ACT_RUN] = {"run", "Run again …", "Run again", "Run it again", "",
                     "The remediation is begun anew for these labels, as the file has it now: by the same "
                     "guards, with an incident of its own that says who wanted it.",
                     false},
        [ACT_PAUSE] = {"pause", "Pause everything …", "Pause", "Pause everything", "danger",
                       "No further step will begin, in no incident, until somebody resumes; a step that is "
                       "under way is "
                       "finished. Alerts are still taken and written down.",
                       false},
        [ACT_RESUME] = {"resume", "Resume …", "Resume", "Resume", "main",
                        "Whatever is held back by the pause goes on at once, by the guards that there are.",
                        false},
        [ACT_MAINTAIN] = {"maintenance", "Maintenance …", "Begin a maintenance", "Begin it", "",
                          "Until its time is over no further step will begin, and Alertmanager is told to "
                          "silence what the file says. It ends by itself, or by hand.",
                          false},
        [ACT_END_MAINTENANCE] =
                {"maintenance/end", "End the maintenance …", "End the maintenance", "End it", "main",
                 "Whatever is held back by it goes on at once, by the guards that there are, and "
                 "its silences are ended.",
                 false},
};
tables_agree(acts, ACT_COUNT);

void put_act(const struct visit *visit, enum act act, const char *number, const char *tone, struct text *page)
{
        if (!visit->may_decide)
                return;
        text_printf(page, "<a class=\"act %s\" href=\"", tone);
        if (number) {
                text_puts(page, "/incidents/");
                html_put(page, number);
        }
        text_printf(page, "/%s\">%s</a>", acts[act].word, acts[act].name);
}

static bool may_be(const struct visit *visit, enum act act, const struct incident *incident)
{
        if (incident->unreadable)
                return false;
        switch (act) {
        case ACT_APPROVE: return incident->state == INCIDENT_AWAITING_APPROVAL && !incident->approved;
        case ACT_DENY: return incident->state == INCIDENT_AWAITING_APPROVAL;
        case ACT_CANCEL: /* of what is asked about it is the denial that ends it */
                return incident->ended_at == 0 && incident->state <= INCIDENT_VERIFYING &&
                       (incident->state != INCIDENT_AWAITING_APPROVAL || incident->approved) &&
                       !incident->cancel_requested;
        case ACT_UNDO:
                return incident->ended_at != 0 && !incident->undo_requested &&
                       incident_may_be_undone(incident);
        case ACT_ACK:
                return *incident->owes || incident_climbs(incident) ||
                       (incident_is_lost(incident->state) && incident->ended_at == 0);
        case ACT_TAKE:
                return incident->ended_at == 0 && incident->state <= INCIDENT_VERIFYING && !incident->taken;
        case ACT_GIVE_BACK:
                return incident->taken ||
                       (incident->state == INCIDENT_HELD && string_equal(incident->guard, PEOPLE_GUARD));
        case ACT_RESEND: return incident->undelivered && !incident->resend_requested;
        case ACT_RUN:
                return incident->ended_at != 0 &&
                       remediation_find(visit->parts->set, incident->remediation) != NULL;
        default: return false;
        }
}

void put_acts(const struct visit *visit, const struct incident *incident, struct text *page)
{
        size_t count = 0;
        for (enum act act = ACT_APPROVE; act < ACT_PAUSE; act++) {
                if (!may_be(visit, act, incident))
                        continue;
                text_puts(page, count++ == 0 ? "<div class=\"acts\">" : "");
                if (visit->may_decide)
                        put_act(visit, act, incident->number, acts[act].tone, page);
                else if (count == 1 && visit->may_sign_in)
                        text_printf(page,
                                    "<a class=\"act\" href=\"/login?" FIELD_NEXT
                                    "=/incidents/%s\">Sign in to decide</a>",
                                    incident->number);
        }
        text_puts(page, count > 0 ? "</div>\n" : "");
}

/* What is approved is what this page shows: should something else be asked by then, it is not. */
static void put_asked(const struct incident *incident, struct text *page)
{
        struct question_shown shown = {0};
        if (question_show(incident, &shown, NULL) < 0)
                return;
        if (*shown.plan)
                text_printf(page, "<input type=\"hidden\" name=\"" FIELD_PLAN "\" value=\"%s\">\n",
                            shown.plan);
        free(shown.who);
}

/* `incident` NULL: it is about everything. */
static void put_form(const struct visit *visit, const struct incident *incident, struct text *page)
{
        text_puts(page, "<form method=\"post\" action=\"");
        html_put(page, http_path(visit->exchange));
        text_printf(page, "\"><input type=\"hidden\" name=\"" FIELD_TOKEN "\" value=\"%s\">\n",
                    visit->form_token);
        if (incident && visit->act == ACT_APPROVE)
                put_asked(incident, page);
        if (visit->act == ACT_MAINTAIN)
                text_puts(page,
                          "<label for=\"for\">For how long <small>(30m, 2h)</small></label><input id=\"for\" "
                          "name=\"" FIELD_FOR "\" maxlength=\"20\" value=\"30m\" required "
                          "autocomplete=\"off\">\n");
        if (visit->must_say_name)
                text_puts(page, "<label for=\"by\">Your name</label><input id=\"by\" name=\"" FIELD_NAME
                                "\" maxlength=\"100\" required autocomplete=\"nickname\">\n");
        text_printf(
                page,
                "<label for=\"reason\">Why <small>(who reads the timeline will want to know)</small></label>"
                "<input id=\"reason\" name=\"" FIELD_REASON "\" maxlength=\"900\" autocomplete=\"off\">\n"
                "<div class=\"acts\"><button class=\"%s\">%s</button><a class=\"act\" href=\"",
                acts[visit->act].tone, acts[visit->act].does);
        if (visit->act < ACT_PAUSE)
                text_puts(page, "/incidents/");
        else
                text_puts(page, "/");
        html_put(page, visit->act < ACT_PAUSE ? http_path_parameter(visit->exchange) : "");
        text_puts(page, "\">Leave it as it is</a></div></form>\n");
}

static const char *undo_words(const struct step_record *step)
{
        if (!action_changes(step->action))
                return "changed nothing";
        if (!action_undoes(step->action))
                return "cannot be undone: there is no way back from it";
        switch (step->status) {
        case STEP_WAITING:
        case STEP_SKIPPED: return "was not run";
        case STEP_UNDONE: return "is undone already";
        default:
                return step->settled ? "can no longer be undone: what it kept for that was let go"
                                     : "will be put back";
        }
}

static void put_undone(const struct incident *incident, struct text *page)
{
        static const char *const columns[] = {"Step", "What it did", "Now", NULL};
        html_table_begin(page, "Steps", columns);
        for (size_t i = incident->step_count; i-- > 0;) {
                const struct step_record *step = &incident->steps[i];
                const char *summary = json_string(step->outcome, "summary");
                text_printf(page, "<tr><th scope=\"row\">%zu. <code>", step->position);
                html_put_line(page, step->action, WORD_MOST);
                text_puts(page, "</code></th><td class=\"wide\">");
                html_put_line(page, summary ? summary : step_phrase(step->status), SENTENCE_MOST);
                text_printf(page, "</td><td>%s</td></tr>\n", undo_words(step));
        }
        html_table_end(page);
}

static void put_question(const struct visit *visit, const struct incident *incident, const cJSON *timeline,
                         struct text *page)
{
        nsec expiry = find_expiry(visit, incident);
        text_printf(page, "<h1>%s ", acts[visit->act].question);
        html_put(page, incident->number);
        text_puts(page, "?</h1>\n<section class=\"card wait\"><p class=\"lead\">");
        put_sentence(visit, incident, page);
        text_printf(page, "</p><p>%s</p>", acts[visit->act].means);
        if (expiry != 0 && incident->state != INCIDENT_AWAITING_APPROVAL) {
                text_puts(page, "<p>Left alone, it expires at ");
                html_put_when(page, expiry, visit->now);
                text_puts(page, ".</p>");
        }
        put_form(visit, incident, page);
        text_puts(page, "</section>\n");
        if (visit->act == ACT_RESEND)
                put_letters(visit, incident, page);
        else if (visit->act == ACT_RUN)
                put_plan_of_now(visit, incident, page);
        else if (acts[visit->act].steps)
                put_steps(visit, incident, timeline, page);
        else
                put_undone(incident, page);
}

/* About everything, and no incident. */
static void ask_about_all(const struct visit *visit)
{
        struct text page = {0};
        page_begin(visit, acts[visit->act].question, NULL, 0, &page);
        text_printf(&page, "<h1>%s?</h1>\n<section class=\"card wait\"><p>%s</p>", acts[visit->act].question,
                    acts[visit->act].means);
        put_form(visit, NULL, &page);
        text_puts(&page, "</section>\n");
        page_send(visit, 200, &page);
}

void page_ask(const struct visit *visit)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        _cleanup_error_ struct error error = {0};
        if (!visit->may_decide) {
                page_fail(visit,
                          error_set(&error, EACCES,
                                    visit->may_sign_in ? "Sign in with the operator's token first."
                                                       : "Who only reads decides nothing."),
                          &error);
                return;
        }
        if (visit->act >= ACT_PAUSE) {
                ask_about_all(visit);
                return;
        }
        int r = read_whole(visit, &incident, &timeline, &error);
        if (r >= 0 && !may_be(visit, visit->act, &incident))
                r = error_set(&error, ESTALE, "%s: %s. There is nothing to %s.", incident.number,
                              state_phrase(&incident), acts[visit->act].word);
        if (r < 0) {
                page_fail(visit, r, &error);
        } else {
                struct text page = {0};
                page_begin(visit, acts[visit->act].question, NULL, 0, &page);
                put_question(visit, &incident, timeline, &page);
                page_send(visit, 200, &page);
        }
        incident_release(&incident);
}
