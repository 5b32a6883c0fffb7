/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an alert stands by now: asked of the neighbours before anything is done about what has waited, before
 * what is told to be over is taken for that, and when what was healed goes on firing.
 *
 * One worker asks for all incidents at once, and only when some incident needs to know.
 */
#include "responder/engine/internal.h"
#include "runbook/log.h"

/* So old an answer is taken; and so old a webhook is an answer itself. */
#define AGE_MOST (5 * NSEC_PER_SEC)
_Static_assert(JOURNAL_OLD_NEWS > AGE_MOST, "what may be late news is asked for");

/* While somebody or something keeps an alert back, and while nobody can tell. */
#define ASK_AGAIN (15 * NSEC_PER_SEC)
#define NO_WORKER_AGAIN NSEC_PER_SEC

/* The guards by which an alert is kept back that its sender would keep back as well. */
static const char *const quiet_guards[] = {
        [ALERT_ABSENT] = NULL,           [ALERT_ACTIVE] = NULL,   [ALERT_SILENCED] = "silenced",
        [ALERT_INHIBITED] = "inhibited", [ALERT_MUTED] = "muted",
};
tables_agree(quiet_guards, ALERT_PRESENCE_COUNT);

#define UNKNOWN "unknown"

bool standing_is_quiet(const struct incident *incident)
{
        /* What nobody is to be called about, neither is that it is not done. */
        if (string_equal(incident->guard, "maintenance"))
                return true;
        for (size_t i = 0; i < N_ELEMENTS(quiet_guards); i++)
                if (quiet_guards[i] && string_equal(incident->guard, quiet_guards[i]))
                        return true;
        return false;
}

bool standing_holds(const struct incident *incident)
{
        return (standing_is_quiet(incident) && !string_equal(incident->guard, "maintenance")) ||
               string_equal(incident->guard, UNKNOWN) || string_equal(incident->guard, FRESHNESS_GUARD);
}

static bool is_set(const char *url)
{
        return url && *url;
}

static const struct target_set *set_of(const struct look *look)
{
        return &look->engine->parts.set->targets;
}

/* On a worker. */
static void ask_neighbours(void *context)
{
        struct engine *engine = context;
        struct incident_parts *parts = &engine->viewing_by;
        struct alert_view view = {0};
        view_ask(parts->world, &parts->set->targets, parts->set->asks_freshness, &view);
        parts_release(parts);
        pthread_mutex_lock(&engine->lock);
        view_release(&engine->next_view);
        engine->next_view = view;
        pthread_mutex_unlock(&engine->lock);
        engine_wake(engine);
}

/* Told once, until there is an answer again. */
static void tell_silence(const char *name, const char *before, const char *now)
{
        if (now && !before)
                log_event(LOG_WARN, "A neighbour does not tell how alerts stand", "neighbour", name, "error",
                          now, NULL);
}

/* For whoever asks guards, on any thread. */
static void note_freshness(struct engine *engine)
{
        const struct alert_view *view = &engine->view;
        struct freshness data = {.age = view->data_age};
        if (view->data_age >= 0 || view->no_age)
                data.asked_at = view->answered_at;
        if (view->no_age)
                snprintf(data.why, sizeof(data.why), "%s", view->no_age);
        pthread_mutex_lock(&engine->lock);
        engine->freshness = data;
        pthread_mutex_unlock(&engine->lock);
}

void standing_begin(struct look *look)
{
        struct engine *engine = look->engine;
        assert_that(is_looking(engine), "the engine's thread judges by what was answered");
        pthread_mutex_lock(&engine->lock);
        struct alert_view next = engine->next_view;
        engine->next_view = (struct alert_view){0};
        pthread_mutex_unlock(&engine->lock);
        if (next.answered_at == 0)
                return;
        engine->viewing = false;
        if (engine->viewing_before) {
                engine->viewing_before = false;
                view_release(&next);
                return;
        }
        tell_silence("Alertmanager", engine->view.no_alertmanager, next.no_alertmanager);
        tell_silence("Prometheus", engine->view.no_firing, next.no_firing);
        view_release(&engine->view);
        engine->view = next;
        engine->view_taken_at = look->now;
        note_freshness(engine);
}

void standing_free(struct engine *engine)
{
        view_release(&engine->view);
        view_release(&engine->next_view);
}

/* NULL: they are asked; what they answer brings another look. */
static const struct alert_view *view_now(struct look *look)
{
        struct engine *engine = look->engine;
        /* By the clock, not by when this look began: it may have waited for the disk, and what was answered
         * then for it. */
        if (engine->view.answered_at != 0 &&
            world_monotonic(engine->parts.world) - engine->view.answered_at <= AGE_MOST)
                return &engine->view;
        if (engine->viewing)
                return NULL;
        engine->viewing = engine_lend(engine, &engine->viewing_by, WORLD_ASKS, NULL, ask_neighbours) >= 0;
        if (!engine->viewing)
                look_again_at(look, look->now + NO_WORKER_AGAIN);
        return NULL;
}

bool standing_may_be_over(struct look *look, const struct incident *incident)
{
        if (!standing_holds(incident))
                return false;
        look_again_at(look, look->now + ASK_AGAIN);
        if (look->now - look->engine->view_taken_at >= ASK_AGAIN)
                view_now(look);
        return look->engine->view_taken_at == look->now;
}

struct freshness standing_freshness(const struct look *look)
{
        const struct engine *engine = look->engine;
        bool lately = world_monotonic(engine->parts.world) - engine->freshness.asked_at <= AGE_MOST;
        return lately ? engine->freshness : (struct freshness){0};
}

void standing_ask_freshness(struct look *look)
{
        /* One that was taken before this was to be asked. */
        if (view_now(look))
                look_again_at(look, look->now + NO_WORKER_AGAIN);
}

void standing_ask_again(struct look *look, const char *guard)
{
        if (string_equal(guard, FRESHNESS_GUARD))
                look_again_at(look, look->now + ASK_AGAIN);
}

static int hold(struct look *look, const struct incident *incident, const char *lock, const char *guard,
                const char *why, struct error *error)
{
        assert_that(guard, "who is held has a guard");
        look_again_at(look, look->now + ASK_AGAIN);
        if (incident->state == INCIDENT_HELD && string_equal(incident->guard, guard))
                return 0;
        _cleanup_json_ cJSON *detail = reason_detail(why, NULL);
        if (!detail || json_put(detail, "guard", cJSON_CreateString(guard)) < 0)
                return error_oom(error);
        const struct incident_change held = {
                .to = INCIDENT_HELD, .event = "held", .guard = guard, .lock = lock, .detail = detail};
        return look_enter(look, incident, &held, error);
}

/* All its alerts that fire are closed, as if that had been told; what waits for them is cancelled by the next
 * look. */
static int close_episodes(struct look *look, const struct episode_list *episodes, struct error *error)
{
        int r = 0;
        look_again_at(look, look->now);
        for (size_t i = 0; i < episodes->count && r >= 0; i++)
                if (episodes->items[i].open)
                        r = journal_close_episode(look->engine->parts.journal, episodes->items[i].id,
                                                  "alertmanager", error);
        return r;
}

/* Of several alerts that one is told which says the most: one that fires is enough; and so is one that is not
 * known, before any that is silenced. */
static const enum alert_says weights[] = {ALERT_SAYS_OVER, ALERT_SAYS_QUIET, ALERT_SAYS_NOTHING,
                                          ALERT_SAYS_FIRES};

static bool weighs_more(enum alert_says one, enum alert_says other)
{
        for (size_t i = 0; i < N_ELEMENTS(weights); i++)
                if (weights[i] == one || weights[i] == other)
                        return weights[i] == other && one != other;
        return false;
}

static struct alert_answer view_of_one(const struct look *look, const struct alert_view *view,
                                       const struct episode *episode)
{
        return episode->unreadable
                       ? (struct alert_answer){.says = ALERT_SAYS_NOTHING, .why = "its alert cannot be read"}
                       : view_of_alert(view, set_of(look), &episode->alert);
}

/* What is known of those alerts of an incident that fire; and when somebody last said so. */
static int ask_view(struct look *look, const struct alert_view *view, const struct incident *incident,
                    struct episode_list *ret_episodes, struct alert_answer *ret, nsec *ret_heard,
                    struct error *error)
{
        struct alert_answer best = {.says = ALERT_SAYS_OVER};
        int r = journal_episodes_of(look->engine->parts.journal, incident->id, ret_episodes, error);
        if (r < 0)
                return r;
        *ret_heard = 0;
        for (size_t i = 0; i < ret_episodes->count; i++) {
                const struct episode *episode = &ret_episodes->items[i];
                if (!episode->open)
                        continue;
                const struct alert_answer answer = view_of_one(look, view, episode);
                if (weighs_more(answer.says, best.says) || *ret_heard == 0)
                        best = answer;
                if (episode->seen_steady > *ret_heard)
                        *ret_heard = episode->seen_steady;
        }
        *ret = best;
        return 0;
}

/* By what all its alerts say; the alerts are the caller's, to be looked at and released. */
static int let_begin(struct look *look, struct incident *incident, const char *lock,
                     const struct episode_list *episodes, const struct alert_answer *answer, nsec heard,
                     bool *ret, struct error *error)
{
        *ret = false;
        switch (answer->says) {
        case ALERT_SAYS_FIRES: *ret = true; return 0;
        case ALERT_SAYS_QUIET:
                return hold(look, incident, lock, quiet_guards[answer->presence], answer->why, error);
        case ALERT_SAYS_OVER: return close_episodes(look, episodes, error);
        case ALERT_SAYS_NOTHING: break;
        }
        /* A young webhook is evidence itself. */
        *ret = look->steady - heard < set_of(look)->resolve_timeout;
        return *ret ? 0 : hold(look, incident, lock, UNKNOWN, answer->why, error);
}

int standing_lets_begin(struct look *look, struct incident *incident, const char *lock, bool *ret,
                        bool *ret_asked, struct error *error)
{
        nsec heard = look->steady - incident->heard_steady;
        *ret = *ret_asked = true;
        /* Of an alert that a person has made nobody else knows. */
        if (!is_set(set_of(look)->alertmanager_url) || heard <= AGE_MOST ||
            alert_label(&incident->alert, ALERT_LABEL_RUN))
                return 0;
        const struct alert_view *view = view_now(look);
        *ret = false;
        *ret_asked = view;
        if (!view)
                return 0;
        struct episode_list episodes = {0};
        struct alert_answer answer;
        int r = ask_view(look, view, incident, &episodes, &answer, &heard, error);
        if (r >= 0)
                r = let_begin(look, incident, lock, &episodes, &answer, heard, ret, error);
        episode_list_release(&episodes);
        return r;
}

/* What Prometheus says of all alerts of an incident, that are told to be over. */
static int ask_end(struct look *look, const struct alert_view *view, const struct incident *incident,
                   struct alert_answer *ret, struct error *error)
{
        struct episode_list episodes = {0};
        struct alert_answer worst = {.says = ALERT_SAYS_OVER};
        int r = journal_episodes_of(look->engine->parts.journal, incident->id, &episodes, error);
        for (size_t i = 0; r >= 0 && i < episodes.count && worst.says == ALERT_SAYS_OVER; i++)
                if (!episodes.items[i].unreadable)
                        worst = view_of_end(view, set_of(look), &episodes.items[i].alert);
        episode_list_release(&episodes);
        if (r >= 0)
                *ret = worst;
        return r;
}

int standing_is_over(struct look *look, const struct incident *incident, bool *ret, bool *ret_asked,
                     struct error *error)
{
        assert_that(!incident->episode_open, "somebody has told its end");
        *ret = *ret_asked = true;
        if (!is_set(set_of(look)->prometheus_url))
                return 0;
        const struct alert_view *view = view_now(look);
        look_again_at(look, look->now + ASK_AGAIN);
        *ret = false;
        *ret_asked = view;
        if (!view)
                return 0;
        struct alert_answer answer;
        int r = ask_end(look, view, incident, &answer, error);
        if (r >= 0)
                *ret = answer.says == ALERT_SAYS_OVER;
        return r;
}

int standing_hold_end(struct look *look, const struct incident *incident, struct error *error)
{
        const struct alert_view *view = view_now(look);
        if (!view)
                return 0;
        struct alert_answer answer;
        int r = ask_end(look, view, incident, &answer, error);
        return r < 0 || answer.says == ALERT_SAYS_OVER
                       ? r
                       : hold(look, incident, NULL, UNKNOWN, answer.why, error);
}

/* Whether Prometheus says of one of its alerts that it fires. */
static bool some_fires(const struct alert_view *view, const struct episode_list *episodes)
{
        for (size_t i = 0; i < episodes->count; i++)
                if (episodes->items[i].open && !episodes->items[i].unreadable &&
                    view_fires(view, &episodes->items[i].alert))
                        return true;
        return false;
}

/* Without Alertmanager: whoever was to wait so long has heard of it since, or Prometheus says so. */
static int others_say(const struct look *look, const struct alert_view *view, const struct incident *incident,
                      nsec since, bool *ret, struct error *error)
{
        struct episode_list episodes = {0};
        int r = journal_episodes_of(look->engine->parts.journal, incident->id, &episodes, error);
        bool says = view && some_fires(view, &episodes);
        for (size_t i = 0; i < episodes.count; i++)
                says |= episodes.items[i].open && episodes.items[i].seen_steady >= since;
        episode_list_release(&episodes);
        if (r >= 0)
                *ret = says;
        return r;
}

int standing_still_fires(struct look *look, struct incident *incident, nsec since, bool *ret,
                         struct error *error)
{
        assert_that(incident->episode_open, "nobody has told its end");
        const struct target_set *set = set_of(look);
        const struct alert_view *view = NULL;
        bool asked = is_set(set->alertmanager_url);
        *ret = false;
        if (asked || is_set(set->prometheus_url)) {
                look_again_at(look, look->now + ASK_AGAIN);
                view = view_now(look);
                if (!view)
                        return 0;
        }
        if (!asked)
                return others_say(look, view, incident, since, ret, error);
        struct episode_list episodes = {0};
        struct alert_answer answer;
        nsec heard = 0;
        int r = ask_view(look, view, incident, &episodes, &answer, &heard, error);
        if (r >= 0 && answer.says == ALERT_SAYS_OVER)
                r = close_episodes(look, &episodes, error);
        else if (r >= 0)
                *ret = answer.says == ALERT_SAYS_FIRES ||
                       (answer.says == ALERT_SAYS_NOTHING && heard >= since &&
                        look->steady - heard < set->resolve_timeout);
        episode_list_release(&episodes);
        return r;
}
