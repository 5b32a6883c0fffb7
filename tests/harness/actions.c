/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/actions.h"

#include <stdatomic.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "responder/remediation/action.h"
#include "runbook/wait.h"

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct text words;
        bool gate_open, mended;
        int people;
} calls = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void record(const char *what, const char *name)
{
        pthread_mutex_lock(&calls.lock);
        text_printf(&calls.words, "%s%s:%s", calls.words.length > 0 ? " " : "", what, name);
        pthread_cond_broadcast(&calls.changed);
        pthread_mutex_unlock(&calls.lock);
}

static void set_switches(bool gate_open, bool mended)
{
        pthread_mutex_lock(&calls.lock);
        calls.gate_open = gate_open;
        calls.mended = mended;
        pthread_cond_broadcast(&calls.changed);
        pthread_mutex_unlock(&calls.lock);
}

void see_people(int result)
{
        pthread_mutex_lock(&calls.lock);
        calls.people = result;
        pthread_mutex_unlock(&calls.lock);
}

static int act_people(struct step_run *run _unused_, const struct people_asked *asked, struct sighting *ret,
                      struct error *error)
{
        pthread_mutex_lock(&calls.lock);
        int people = calls.people;
        pthread_mutex_unlock(&calls.lock);
        if (people < 0)
                return error_set(error, -people, "nobody may look");
        if (people > 0)
                *ret = (struct sighting){asked->now, asked->now, "ada was seen with psql on orders"};
        return people;
}

void reset_actions(void)
{
        see_people(0);
        forget_action_calls();
        set_switches(false, false);
}

void open_gate(void)
{
        set_switches(true, calls.mended);
}

void mend_actions(void)
{
        set_switches(calls.gate_open, true);
}

void forget_action_calls(void)
{
        pthread_mutex_lock(&calls.lock);
        text_free(&calls.words);
        pthread_mutex_unlock(&calls.lock);
}

bool action_called(const char *word)
{
        pthread_mutex_lock(&calls.lock);
        bool called = strstr(text_string(&calls.words), word) != NULL;
        pthread_mutex_unlock(&calls.lock);
        return called;
}

void poll_pause(void)
{
        pause_for(2 * NSEC_PER_MSEC, DEADLINE_NEVER);
}

void await_action_call(const char *word)
{
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        while (!action_called(word)) {
                if (deadline_passed(deadline))
                        fail_msg("waited for %s; called were: %s", word, text_string(&calls.words));
                poll_pause();
        }
}

char *action_calls(const char *kinds)
{
        struct text chosen = {0};
        pthread_mutex_lock(&calls.lock);
        _cleanup_free_ char *copy = strdup(text_string(&calls.words));
        pthread_mutex_unlock(&calls.lock);
        char *rest = copy;
        for (char *word; (word = strsep(&rest, " "));) {
                _cleanup_free_ char *kind = strndup(word, strcspn(word, ":"));
                if (*word && strstr(kinds, kind))
                        text_printf(&chosen, "%s%s", chosen.length > 0 ? " " : "", word);
        }
        return text_error(&chosen) < 0 || chosen.length == 0 ? strdup("") : text_take(&chosen);
}

struct act_config {
        char *name;
        int64_t targets, grown, grows_at, away, plan_away, resume_away;
        bool fails, plan_fails, undo_fails, waits, taken;
        int found;
};

static const char *const found_words[] = {"done", "again", "unknown", NULL};

static const struct config_field act_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct act_config, name), .flags = CONFIG_REQUIRED | CONFIG_BIND},
        {"targets", CONFIG_INT, offsetof(struct act_config, targets), .fallback = "1"},
        {"grown", CONFIG_INT, offsetof(struct act_config, grown), .fallback = "0"},
        {"grows_at", CONFIG_INT, offsetof(struct act_config, grows_at), .fallback = "0"},
        {"away", CONFIG_INT, offsetof(struct act_config, away), .fallback = "0"},
        {"plan_away", CONFIG_INT, offsetof(struct act_config, plan_away), .fallback = "0"},
        {"resume_away", CONFIG_INT, offsetof(struct act_config, resume_away), .fallback = "0"},
        {"fails", CONFIG_BOOL, offsetof(struct act_config, fails), .fallback = "false"},
        {"plan_fails", CONFIG_BOOL, offsetof(struct act_config, plan_fails), .fallback = "false"},
        {"undo_fails", CONFIG_BOOL, offsetof(struct act_config, undo_fails), .fallback = "false"},
        {"waits", CONFIG_BOOL, offsetof(struct act_config, waits), .fallback = "false"},
        {"taken", CONFIG_BOOL, offsetof(struct act_config, taken), .fallback = "false"},
        {"found", CONFIG_ENUM, offsetof(struct act_config, found), .fallback = "done",
         .choices = found_words},
        {0},
};

/* How often it was called, this time included. */
static int64_t times_called(const char *what, const char *name)
{
        int64_t times = 0;
        _cleanup_free_ char *word = text_format("%s:%s", what, name), *calls_so_far = action_calls(what);
        char *rest = calls_so_far;
        for (char *call; (call = strsep(&rest, " "));)
                times += string_equal(call, word);
        return times;
}

static int be_away(struct error *error)
{
        return error_may_pass(error, error_set(error, ECONNREFUSED, "the target is away"));
}

static atomic_int moved;

void move_world(void)
{
        atomic_fetch_add(&moved, 1);
}

/* How much it touches may grow by itself. */
static const char *const what_counts[] = {"summary", "world", NULL};

static int act_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct act_config *config = run->config;
        record("plan", config->name);
        if (times_called("plan", config->name) <= config->plan_away)
                return be_away(error);
        if (config->plan_fails)
                return error_set(error, ESRCH, "there is nothing to do");
        cJSON *plan = cJSON_CreateObject();
        cJSON_AddStringToObject(plan, "summary", config->name);
        bool grown = config->grows_at > 0 && times_called("plan", config->name) >= config->grows_at;
        cJSON_AddNumberToObject(plan, "targets", (double)(grown ? config->grown : config->targets));
        if (atomic_load(&moved) > 0)
                cJSON_AddNumberToObject(plan, "world", atomic_load(&moved));
        *ret_plan = plan;
        return 0;
}

static cJSON *outcome_of(const char *what, const char *name)
{
        cJSON *outcome = cJSON_CreateObject();
        cJSON_AddStringToObject(outcome, "summary", what);
        cJSON_AddStringToObject(outcome, "name", name);
        return outcome;
}

static int act_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct act_config *config = run->config;
        assert_non_null(run->plan);
        assert_string_equal(json_string(run->plan, "summary"), config->name);
        _cleanup_json_ cJSON *progress = outcome_of("half way", config->name);
        int r = run->write_progress(run, progress, error);
        if (r < 0)
                return r;
        assert_string_equal(json_string(run->progress, "summary"), "half way");
        record("run", config->name);
        /* Who tells is told of what, and nobody else is. */
        assert_true(!run->about == !string_starts(config->name, "tells"));
        if (run->about)
                assert_string_equal(run->about->incident, run->incident);
        if (times_called("run", config->name) <= config->away)
                return be_away(error);
        pthread_mutex_lock(&calls.lock);
        while (config->waits && !calls.gate_open)
                pthread_cond_wait(&calls.changed, &calls.lock);
        bool fail = config->fails && !calls.mended;
        pthread_mutex_unlock(&calls.lock);
        if (fail)
                return error_set(error, EIO, "as the test wants it");
        *ret_outcome = outcome_of("ran", config->name);
        return 0;
}

static enum resumption act_resume(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct act_config *config = run->config;
        assert_non_null(run->plan);
        record("resume", config->name);
        if (times_called("resume", config->name) <= config->resume_away) {
                be_away(error);
                return RESUME_UNKNOWN;
        }
        if (config->found == 0)
                *ret_outcome = outcome_of("had run", config->name);
        if (config->found == 2)
                error_set(error, EIO, "nobody can tell");
        return (enum resumption)config->found;
}

static int act_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct act_config *config = run->config;
        /* What run() wrote is there, however often it is undone; nothing, when it failed midway. */
        if (config->fails)
                assert_null(run->outcome);
        else
                assert_string_equal(json_string(run->outcome, "summary"), "ran");
        record("undo", config->name);
        pthread_mutex_lock(&calls.lock);
        bool fail = config->undo_fails && !calls.mended;
        pthread_mutex_unlock(&calls.lock);
        if (fail)
                return error_set(error, EIO, "cannot be put back");
        *ret_outcome = outcome_of("undone", config->name);
        return 0;
}

static int act_settle(struct step_run *run, struct error *error)
{
        const struct act_config *config = run->config;
        record("settle", config->name);
        return config->taken ? error_set(error, EBUSY, "somebody has started it") : 0;
}

#define ACT(word, ...)                                                                                      \
        {                                                                                                   \
                .name = word, .help = word, .fields = act_fields, .config_size = sizeof(struct act_config), \
                .plan = act_plan, .people = act_people, .run = act_run, __VA_ARGS__                         \
        }

static const struct action act_once = ACT("act.once", .effect = EFFECT_IRREVERSIBLE, .counts = what_counts);
static const struct action act_again = ACT("act.again", .effect = EFFECT_IRREVERSIBLE, .repeatable = true);
static const struct action act_resumed =
        ACT("act.resumed", .effect = EFFECT_IRREVERSIBLE, .resume = act_resume);
static const struct action act_undone =
        ACT("act.undone", .effect = EFFECT_REVERSIBLE, .undo = act_undo, .settle = act_settle);
static const struct action act_tells =
        ACT("act.tells", .effect = EFFECT_READ_ONLY, .tells = true, .repeatable = true);

/* In place of the shipped table: the linker takes this one. */
const struct action *const actions[] = {&act_once, &act_again, &act_resumed, &act_undone, &act_tells, NULL};

const struct action *action_find(const char *name)
{
        for (size_t i = 0; actions[i]; i++)
                if (string_equal(actions[i]->name, name))
                        return actions[i];
        return NULL;
}
