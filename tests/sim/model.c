/* SPDX-License-Identifier: Apache-2.0 */
/* What the responder acts upon: services that fall ill, a cache, keys; and the actions that change them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/claims.h"

/* Who is ill. */

int64_t source_find(const struct sim *sim, const char *key)
{
        for (int64_t i = 0; i < SOURCES; i++)
                if (string_equal(sim->sources[i].key, key))
                        return i;
        return -1;
}

/* A query of the model's Prometheus names who should be well: slow{subject="s1"}. */
bool model_is_ill(const struct sim *sim, const char *promql)
{
        for (size_t i = 0; i < SOURCES; i++) {
                char name[48];
                snprintf(name, sizeof(name), "%s{subject=\"%s\"}", sim->sources[i].alertname,
                         sim->sources[i].subject);
                if (string_equal(name, promql))
                        return sim->sources[i].ill;
        }
        return true;
}

static cJSON *labels_of(const struct source *one)
{
        cJSON *labels = cJSON_CreateObject();
        cJSON_AddStringToObject(labels, "alertname", one->alertname);
        cJSON_AddStringToObject(labels, "subject", one->subject);
        if (one->severity)
                cJSON_AddStringToObject(labels, "severity", one->severity);
        if (one->twinned)
                cJSON_AddStringToObject(labels, "stage", "act");
        return labels;
}

cJSON *model_firing(const struct sim *sim)
{
        cJSON *list = cJSON_CreateArray();
        for (size_t i = 0; i < SOURCES; i++)
                if (sim->sources[i].ill)
                        cJSON_AddItemToArray(list, labels_of(&sim->sources[i]));
        return list;
}

static event_function fall_ill;

static void get_well(struct sim *sim, int64_t source)
{
        struct source *one = &sim->sources[source];
        if (!one->ill)
                return;
        claim_goes_on(sim, source);
        one->ill = false;
        one->until = sim->now;
        one->generation++;
        one->silenced = one->hushed || (!sim->ending && rng_chance(&sim->rng, 150));
        sim_note(sim, "well", source);
        neighbours_tell(sim, source);
        if (!sim->ending)
                sim_after(sim, MINUTE, 4 * HOUR, fall_ill, source);
}

/* By itself, or since somebody did something about it: when it is still the same illness. */
static void get_well_of(struct sim *sim, int64_t argument)
{
        int64_t source = argument % SOURCES;
        if (sim->sources[source].generation == (uint64_t)(argument / SOURCES))
                get_well(sim, source);
}

static void fall_ill(struct sim *sim, int64_t source)
{
        struct source *one = &sim->sources[source];
        if (sim->ending || one->ill)
                return;
        one->ill = true;
        one->since = sim->now;
        one->generation++;
        sim_note(sim, "ill", source);
        neighbours_tell(sim, source);
        sim_after(sim, MINUTE, 4 * HOUR, get_well_of, (int64_t)one->generation * SOURCES + source);
}

/* What is acted upon is away: mostly for a moment, as when it starts anew, now and then for an hour. */
static void engine_goes(struct sim *sim, int64_t argument)
{
        bool moment = rng_chance(&sim->rng, 600);
        if (sim->ending)
                return;
        sim->engine_back = sim->now + (moment ? rng_between(&sim->rng, NSEC_PER_SEC, 15 * NSEC_PER_SEC)
                                              : rng_between(&sim->rng, MINUTE, HOUR));
        sim_note(sim, "engine away", (sim->engine_back - sim->now) / NSEC_PER_SEC);
        sim_after(sim, 10 * MINUTE, 6 * HOUR, engine_goes, argument);
}

static int find_engine(const struct sim *sim, struct error *error)
{
        if (sim->ending || sim->now >= sim->engine_back)
                return 0;
        return error_may_pass(error, error_set(error, ECONNREFUSED, "the Engine is away"));
}

void model_begins_anew(struct sim *sim, int64_t source)
{
        struct source *one = &sim->sources[source];
        one->since = sim->now;
        one->generation++;
        neighbours_tell(sim, source);
        sim_after(sim, MINUTE, 4 * HOUR, get_well_of, (int64_t)one->generation * SOURCES + source);
}

void model_begin(struct sim *sim)
{
        static const char *const names[] = {"slow", "errors", "level"}, *const severities[] = {
                                                                                "info", "critical", NULL};
        for (int64_t i = 0; i < SOURCES; i++) {
                struct source *one = &sim->sources[i];
                bool key = i >= 3 * SERVICES;
                snprintf(one->alertname, sizeof(one->alertname), "%s", key ? "leak" : names[i / SERVICES]);
                snprintf(one->subject, sizeof(one->subject), "%c%d", key ? 'k' : 's',
                         (int)(key ? i - 3 * SERVICES : i % SERVICES));
                /* In some worlds one is as urgent as the other, and age alone says who goes first. */
                one->severity = key ? "page" : sim->seed % 3 == 2 ? "warning" : severities[i / SERVICES];
                one->twinned = !string_equal(one->alertname, "errors");
                snprintf(one->name, sizeof(one->name), "%s/%s", one->alertname, one->subject);
                _cleanup_json_ cJSON *labels = labels_of(one);
                alert_key_of_labels(labels, one->key, NULL);
                sim_after(sim, MINUTE, 2 * HOUR, fall_ill, i);
        }
        sim->cache_rows = 20;
        sim_after(sim, MINUTE, HOUR, engine_goes, 0);
}

void model_end(struct sim *sim)
{
        for (int64_t i = 0; i < SOURCES; i++)
                get_well(sim, i);
}

/* Whoever is ill of what this helps against gets well, more often than not. */
static void heal(struct sim *sim, const char *subject)
{
        for (int64_t i = 0; i < SOURCES; i++) {
                const struct source *one = &sim->sources[i];
                if (one->ill && string_equal(one->subject, subject) && rng_chance(&sim->rng, 400))
                        sim_after(sim, NSEC_PER_SEC, 4 * MINUTE, get_well_of,
                                  (int64_t)one->generation * SOURCES + i);
        }
}

/* Actions. The context of a step's targets is the simulation. */

struct model_config {
        char *subject;
        int64_t level;
};

static const struct config_field subject_fields[] = {
        {"subject", CONFIG_STRING, offsetof(struct model_config, subject),
         .flags = CONFIG_REQUIRED | CONFIG_BIND},
        {"level", CONFIG_INT, offsetof(struct model_config, level), .fallback = "1"},
        {0},
};

static struct sim *sim_of(const struct step_run *run)
{
        return (struct sim *)run->targets;
}

static struct service *service_of(const struct step_run *run)
{
        const struct model_config *config = run->config;
        return &sim_of(run)->services[(config->subject[1] - '0') % SERVICES];
}

static struct done_for *done_of(const struct step_run *run)
{
        return &sim_of(run)->done[incident_of(run->incident)];
}

int64_t model_level(const struct sim *sim, const struct step_run *run)
{
        (void)sim;
        return service_of(run)->level;
}

int64_t model_argument(const void *config)
{
        return ((const struct model_config *)config)->level;
}

bool model_level_is_ours(const struct sim *sim, const struct step_run *run, int64_t incident)
{
        (void)sim;
        return service_of(run)->level_by == incident * 16 + (int64_t)run->position;
}

static cJSON *say(const char *summary, const char *key, int64_t number)
{
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "summary", summary);
        cJSON_AddNumberToObject(json, key, (double)number);
        return json;
}

/* Something that takes time, at whose end there may have been an effect, or a failure, or death. 1: the
 * effect is due. */
static int take_time(struct step_run *run, struct error *error)
{
        struct sim *sim = sim_of(run);
        /* Some go away just when something is begun: for so long that it is given up, or not. */
        if (!sim->ending && sim->now >= sim->engine_back && rng_chance(&sim->rng, 20))
                sim->engine_back = sim->now + rng_between(&sim->rng, NSEC_PER_SEC, 3 * MINUTE);
        int r = find_engine(sim, error);
        if (r < 0) {
                people_see_waiting(sim);
                return r;
        }
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, 50 * NSEC_PER_SEC));
        if (sim_is_dead(sim))
                return error_set(error, EINTR, "a ghost");
        if (!sim->ending && rng_chance(&sim->rng, 60))
                return error_set(error, EIO, "it did not work");
        return 1;
}

/* After the effect: it may be that nobody hears of it. */
static int come_back(struct step_run *run, const char *summary, cJSON **ret_outcome, struct error *error)
{
        struct sim *sim = sim_of(run);
        done_of(run)->effects[run->position]++;
        sim_note(sim, summary, incident_of(run->incident) * 16 + (int64_t)run->position);
        if (!sim->ending && rng_chance(&sim->rng, 8)) {
                sim_die(sim);
                return error_set(error, EINTR, "a ghost");
        }
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, NSEC_PER_SEC));
        if (!sim_is_dead(sim) && !sim->ending && rng_chance(&sim->rng, 20))
                return error_set(error, ETIMEDOUT, "it took too long");
        if (!sim_is_dead(sim) && !sim->ending && rng_chance(&sim->rng, 20))
                return error_may_pass(error, error_set(error, ECONNRESET, "the connection broke"));
        *ret_outcome = say(summary, "targets", 1);
        return 0;
}

static int service_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        struct sim *sim = sim_of(run);
        if (!sim->ending && rng_chance(&sim->rng, 20))
                return error_set(error, EIO, "the Engine has no answer");
        int r = find_engine(sim, error);
        if (r < 0)
                return r;
        cJSON *plan = say("a service", "targets", 1);
        cJSON_AddNumberToObject(plan, "started", (double)service_of(run)->started);
        cJSON_AddNumberToObject(plan, "level", (double)service_of(run)->level);
        cJSON_AddNumberToObject(plan, "by", (double)service_of(run)->level_by);
        *ret_plan = plan;
        return 0;
}

static int restart_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        struct service *service = service_of(run);
        _cleanup_json_ cJSON *before = say("before", "started", service->started);
        int r = run->write_progress(run, before, error);
        if (r >= 0)
                r = take_time(run, error);
        if (r < 0)
                return r;
        service->started++;
        heal(sim_of(run), ((const struct model_config *)run->config)->subject);
        return come_back(run, "restarted", ret_outcome, error);
}

static enum resumption restart_resume(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        if (!run->progress)
                return RESUME_AGAIN;
        if (find_engine(sim_of(run), error) < 0)
                return RESUME_UNKNOWN;
        if ((int64_t)json_number(run->progress, "started", -1) == service_of(run)->started)
                return RESUME_AGAIN;
        *ret_outcome = say("had been restarted", "targets", 1);
        return RESUME_DONE;
}

/* Reversible: what was before stands in the plan. */
static int level_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct model_config *config = run->config;
        struct service *service = service_of(run);
        int r = take_time(run, error);
        if (r < 0)
                return r;
        service->level = config->level;
        service->level_by = incident_of(run->incident) * 16 + (int64_t)run->position;
        return come_back(run, "level set", ret_outcome, error);
}

static int level_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        struct service *service = service_of(run);
        int r = take_time(run, error);
        if (r < 0)
                return r;
        /* What is not as this step has left it somebody else has set. */
        if (service->level == model_argument(run->config) &&
            model_level_is_ours(sim_of(run), run, incident_of(run->incident))) {
                service->level = (int64_t)json_number(run->plan, "level", -1);
                service->level_by = (int64_t)json_number(run->plan, "by", 0);
        }
        sim_note(sim_of(run), "level back", service->level);
        *ret_outcome = say("level back", "targets", 1);
        return 0;
}

static int level_settle(struct step_run *run, struct error *error)
{
        struct sim *sim = sim_of(run);
        return !sim->ending && rng_chance(&sim->rng, 50) ? error_set(error, EIO, "not now") : 0;
}

static int flush_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        struct sim *sim = sim_of(run);
        (void)error;
        *ret_plan = say("rows", "targets", sim->cache_rows);
        return 0;
}

static int flush_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        struct sim *sim = sim_of(run);
        int r = take_time(run, error);
        if (r < 0)
                return r;
        sim->cache_rows = (int64_t)rng_below(&sim->rng, 40);
        return come_back(run, "flushed", ret_outcome, error);
}

static int revoke_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        (void)run, (void)error;
        *ret_plan = say("a key", "targets", 1);
        return 0;
}

static int revoke_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct model_config *config = run->config;
        int r = take_time(run, error);
        if (r < 0)
                return r;
        sim_of(run)->revoked[(config->subject[1] - '0') % KEYS] = true;
        heal(sim_of(run), config->subject);
        return come_back(run, "revoked", ret_outcome, error);
}

static int note_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        int r = find_engine(sim_of(run), error);
        return r < 0 ? r : revoke_plan(run, ret_plan, error);
}

static int note_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        int r = take_time(run, error);
        return r < 0 ? r : come_back(run, "noted", ret_outcome, error);
}

/* Who is there is the world's own to say (hands.c). */
static int model_people(struct step_run *run _unused_, const struct people_asked *asked _unused_,
                        struct sighting *ret _unused_, struct error *error _unused_)
{
        return 0;
}

#define MODEL(word, ...)                                                                        \
        {                                                                                       \
                .name = word, .help = word, .fields = subject_fields,                           \
                .config_size = sizeof(struct model_config), .people = model_people, __VA_ARGS__ \
        }

static const struct action restart_action =
        MODEL("model.restart", .effect = EFFECT_IRREVERSIBLE, .plan = service_plan, .run = restart_run,
              .resume = restart_resume);
static const struct action level_action =
        MODEL("model.level", .effect = EFFECT_REVERSIBLE, .repeatable = true, .plan = service_plan,
              .run = level_run, .undo = level_undo, .settle = level_settle);
static const struct action flush_action = MODEL("model.flush", .effect = EFFECT_IRREVERSIBLE,
                                                .repeatable = true, .plan = flush_plan, .run = flush_run);
static const struct action revoke_action =
        MODEL("model.revoke", .effect = EFFECT_IRREVERSIBLE, .plan = revoke_plan, .run = revoke_run);
static const struct action note_action =
        MODEL("model.note", .effect = EFFECT_READ_ONLY, .tells = true, .plan = note_plan, .run = note_run);

/* In place of the shipped table: the linker takes this one. */
const struct action *const actions[] = {&restart_action, &level_action, &flush_action,
                                        &revoke_action,  &note_action,  NULL};

const struct action *action_find(const char *name)
{
        for (size_t i = 0; actions[i]; i++)
                if (string_equal(actions[i]->name, name))
                        return actions[i];
        return NULL;
}
