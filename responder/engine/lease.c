/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages are held back, by what is known of the incidents; what Alertmanagers are told is lease_post.c.
 */
#include "responder/engine/lease.h"

#include <stdio.h>

#include "responder/engine/internal.h"
#include "runbook/log.h"

/* More than a few leases are made anew no sooner: in a storm there is a look every few milliseconds. */
#define MADE_AGAIN NSEC_PER_SEC
enum { FEW = 64 };

/* So often all of them are told anew. */
static nsec renewal(const struct engine *engine)
{
        return engine->parts.set->targets.page_lease / 4;
}

static nsec lesser(nsec a, nsec b)
{
        return a < b ? a : b;
}

nsec lease_due(const struct lease_question *question)
{
        bool well = incident_went_well(question->state);
        bool acts = question->state == INCIDENT_RUNNING || question->state == INCIDENT_VERIFYING ||
                    question->starting;
        if (question->paused || question->paged || !question->open || !(acts || well))
                return 0;
        nsec until = question->opened + question->page_after;
        if (well)
                until = lesser(until, question->entered + LEASE_AFTER_HEALED);
        nsec left = until - question->now;
        return left > 0 ? lesser(left, question->lasts) : 0;
}

/* The labels by which the page is known, but for the stage; NULL in `*ret` when a label is none of those that
 * the inhibition compares: then it would hold back the page of another alert, too. */
static int acting_labels(struct look *look, const struct alert *alert, cJSON **ret, struct error *error)
{
        const struct target_set *set = &look->engine->parts.set->targets;
        _cleanup_json_ cJSON *labels = cJSON_CreateObject();
        *ret = NULL;
        for (size_t i = 0; i < alert->labels.count; i++) {
                const char *name = alert->labels.keys[i], *known;
                size_t k = 0;
                if (string_equal(name, ALERT_LABEL_STAGE))
                        continue;
                while ((known = target_set_twin_label(set, k)) && !string_equal(known, name))
                        k++;
                if (!known) {
                        if (!look->engine->leases.refused)
                                log_event(LOG_WARN,
                                          "A page is not held back: twin_labels has not all its labels",
                                          "label", name, "alert", alert_label(alert, "alertname"), NULL);
                        look->engine->leases.refused = true;
                        return 0;
                }
                if (json_put(labels, name, json_text(alert->labels.values[i])) < 0)
                        return error_oom(error);
        }
        if (json_put(labels, ALERT_LABEL_STAGE, json_text(ALERT_STAGE_ACTING)) < 0)
                return error_oom(error);
        *ret = TAKE_PTR(labels);
        return 0;
}

static struct lease *find_lease(struct leases *leases, const char *key)
{
        for (size_t i = 0; i < leases->count; i++)
                if (string_equal(leases->items[i].key, key))
                        return &leases->items[i];
        return NULL;
}

/* Takes the labels. */
static int want(struct look *look, cJSON *take, const struct incident *incident, nsec left,
                struct error *error)
{
        struct leases *leases = &look->engine->leases;
        _cleanup_json_ cJSON *labels = take;
        char key[DIGEST_TEXT_MAX];
        int r = alert_key_of_labels(labels, key, error);
        if (r < 0)
                return r;
        struct lease *lease = find_lease(leases, key);
        if (!lease) {
                struct lease *items = reallocarray(leases->items, leases->count + 1, sizeof(*items));
                if (!items)
                        return error_oom(error);
                leases->items = items;
                lease = &items[leases->count];
                *lease = (struct lease){
                        .summary = text_format("%s (%s) is at it", incident->number, incident->remediation)};
                snprintf(lease->key, sizeof(lease->key), "%s", key);
                lease->labels = TAKE_PTR(labels);
                leases->count++;
                leases->changed = true;
        }
        leases->changed |= lease->until <= look->now;
        if (!lease->wanted || lease->until < look->now + left)
                lease->until = look->now + left;
        lease->kept = lease->kept > lease->until ? lease->kept : lease->until;
        lease->wanted = true;
        return 0;
}

static bool is_twin(const struct episode *episode)
{
        return !episode->unreadable &&
               string_equal(alert_label(&episode->alert, ALERT_LABEL_STAGE), ALERT_STAGE_ACT);
}

static bool is_starting(const struct look *look, const struct incident *incident)
{
        if (incident->state != INCIDENT_RECEIVED)
                return false;
        const struct engine_slot *slot = slot_find(look->engine, incident->id);
        return slot && slot->was_busy && slot->stage == stage_start && !slot->asks;
}

/* What of it may hold back a page at all: most have ended, or wait. */
static bool may_lease(const struct look *look, const struct incident *incident)
{
        return !incident->unreadable && !(incident->paired && !incident->twinned) &&
               (incident->state == INCIDENT_RUNNING || incident->state == INCIDENT_VERIFYING ||
                incident_went_well(incident->state) || is_starting(look, incident));
}

static int lease_alerts(struct look *look, struct incident *incident, const struct episode_list *episodes,
                        struct error *error)
{
        struct journal *journal = look->engine->parts.journal;
        const struct remediation *remediation =
                remediation_find(look->engine->parts.set, incident->remediation);
        struct lease_question question = {
                .state = incident->state,
                .starting = is_starting(look, incident),
                .paused = look->paused,
                .now = look->steady,
                .entered = incident->entered_steady,
                .lasts = look->engine->parts.set->targets.page_lease,
                .page_after = remediation ? remediation->page_after : 0,
        };
        int r = 0;
        for (size_t i = 0; i < episodes->count && r >= 0; i++) {
                const struct episode *episode = &episodes->items[i];
                cJSON *labels = NULL;
                if (!is_twin(episode))
                        continue;
                incident->twinned = true;
                question.open = episode->open;
                r = journal_episode_paged(journal, episode->id, &question.opened, &question.paged, error);
                nsec left = r < 0 ? 0 : lease_due(&question);
                if (left > 0)
                        r = acting_labels(look, &episode->alert, &labels, error);
                if (labels)
                        r = want(look, labels, incident, left, error);
        }
        return r;
}

/* Those that are not wanted have ended, which all are to hear; those that all have let go of are forgotten.
 */
static void end_unwanted(struct look *look)
{
        struct leases *leases = &look->engine->leases;
        size_t kept = 0;
        for (size_t i = 0; i < leases->count; i++) {
                struct lease *lease = &leases->items[i];
                if (!lease->wanted && lease->until > look->now) {
                        lease->until = look->now;
                        leases->changed = true;
                }
                if (lease->wanted || lease->kept > look->now) {
                        leases->items[kept++] = *lease;
                        continue;
                }
                cJSON_Delete(lease->labels);
                free(lease->summary);
        }
        leases->count = kept;
}

static int make_leases(struct look *look, struct error *error)
{
        struct engine *engine = look->engine;
        int r = 0;
        for (size_t i = 0; i < engine->leases.count; i++)
                engine->leases.items[i].wanted = false;
        for (size_t i = 0; i < engine->active.count && r >= 0; i++) {
                struct incident *incident = &engine->active.items[i];
                struct episode_list episodes = {0};
                if (!may_lease(look, incident))
                        continue;
                r = journal_episodes_of(engine->parts.journal, incident->id, &episodes, error);
                if (r >= 0)
                        r = lease_alerts(look, incident, &episodes, error);
                incident->paired = r >= 0;
                episode_list_release(&episodes);
        }
        if (r < 0)
                return r;
        end_unwanted(look);
        struct leases *leases = &engine->leases;
        leases->made_at = look->now;
        if (leases->changed || look->now - leases->risen_at >= renewal(engine)) {
                leases->version++;
                leases->risen_at = look->now;
        }
        leases->changed = false;
        return 0;
}

/* Whatever of the incidents a lease may depend on; one that was read anew may have another alert. 0: there is
 * none of which a page may wait. */
static uint64_t sum_up(const struct look *look)
{
        const struct engine *engine = look->engine;
        uint64_t sum = look->paused ? 1 : 2;
        bool any = false;
        for (size_t i = 0; i < engine->active.count; i++) {
                const struct incident *incident = &engine->active.items[i];
                const uint64_t parts[] = {(uint64_t)incident->id, (uint64_t)incident->state, incident->paired,
                                          incident->episode_open, is_starting(look, incident)};
                any |= may_lease(look, incident);
                for (size_t k = 0; k < N_ELEMENTS(parts); k++)
                        sum = (sum ^ parts[k]) * UINT64_C(0x100000001b3);
        }
        return any && !engine->parts.dry_run ? sum | 1 : 0;
}

int leases_look(struct look *look, struct error *error)
{
        struct engine *engine = look->engine;
        struct leases *leases = &engine->leases;
        assert_that(is_looking(engine), "who decides holds pages back, and nobody else");
        if (!target_set_alertmanager(&engine->parts.set->targets, 0))
                return 0;
        uint64_t seen = sum_up(look);
        if (seen == 0 && leases->count == 0)
                return 0;
        nsec due = leases->risen_at + renewal(engine);
        if (seen != leases->seen)
                due = leases->count > FEW ? leases->made_at + MADE_AGAIN : look->now;
        if (look->now >= due) {
                int r = make_leases(look, error);
                if (r < 0)
                        return r;
                leases->seen = sum_up(look);
                due = leases->risen_at + renewal(engine);
        }
        if (leases->count > 0)
                look_again_at(look, due);
        leases_post(look);
        return 0;
}

void leases_release(struct leases *leases)
{
        for (size_t i = 0; i < N_ELEMENTS(leases->posts); i++) {
                lease_post_release(&leases->posts[i]);
                parts_release(&leases->posts[i].parts);
        }
        for (size_t i = 0; i < leases->count; i++) {
                cJSON_Delete(leases->items[i].labels);
                free(leases->items[i].summary);
        }
        free(leases->items);
        *leases = (struct leases){0};
}
