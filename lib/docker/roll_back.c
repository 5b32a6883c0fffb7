/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a container back from any phase of docker_recreate(), and letting go of what was kept of it.
 *
 * Until the old one is removed, it is that one which goes on. Then it is made again from what was kept. What
 * stands under the name is told by our own label: made by the change ("<tag>"), put back by an earlier try
 * ("<tag>.back"), or somebody else's, who has taken it over and is left in peace. When nothing stands there,
 * it was us only in the phases in which we remove something; else somebody has wanted it gone.
 */
#include <errno.h>
#include <string.h>

#include "lib/docker/changes.h"
#include "lib/docker/transaction.h"
#include "runbook/wait.h"

#define BACK ".back"
/* Between two tries while the Engine is away. */
#define PAUSE_FIRST (250 * NSEC_PER_MSEC)
#define PAUSE_MOST (4 * NSEC_PER_SEC)

/* Going back goes on when it cannot be written down: what runs matters more, and what stands there tells
 * nearly as much to whoever goes on from here. */
static int enter_anyway(struct transaction *t, const char *phase, const char *returned, struct error *error)
{
        if (json_put(t->state, "returned", json_text(returned)) < 0 ||
            json_put(t->state, "phase", cJSON_CreateString(phase)) < 0)
                return error_oom(error);
        if (t->progress)
                (void)t->progress(t->context, t->state, NULL);
        return 0;
}

/* The last thing: what was kept is not needed any more. `returned` is what stands in its place, if it is
 * ours. */
static int end(struct transaction *t, const char *returned, struct error *error)
{
        int r = kept_remove(t, error);
        if (r < 0)
                return r;
        return enter_anyway(t, returned ? "returned" : "left", returned, error);
}

static int start(struct transaction *t, const char *id, struct error *error)
{
        if (!json_bool(t->state, "running", true))
                return 0;
        int r = docker_container_call(t->docker, "POST", id, "/start", NULL, t->deadline, error);
        return r == -EALREADY ? 0 : r;
}

static int inspect(struct transaction *t, const char *what, cJSON **ret, struct error *error)
{
        int r = what ? docker_inspect(t->docker, what, t->deadline, ret, error) : 0;
        return r == -ENOENT ? 0 : r;
}

/* The old one, NULL when it is gone. What is half removed is removed. */
static int find_old(struct transaction *t, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *old = NULL;
        int r = inspect(t, transaction_string(t, "old"), &old, error);
        if (r < 0 || !old)
                return r;
        if (!json_bool(json_get(old, "State", NULL), "Dead", false) &&
            !string_equal(docker_status(old), "removing")) {
                *ret = TAKE_PTR(old);
                return 0;
        }
        r = docker_container_call(t->docker, "DELETE", transaction_string(t, "old"), "?force=1", NULL,
                                  t->deadline, error);
        return r == -ENOENT ? 0 : r;
}

/* It was not changed; at most it was stopped. */
static int keep_old(struct transaction *t, const cJSON *old, struct error *error)
{
        int r = docker_end_stop(t->docker, t->state, old, t->deadline, error);
        if (r >= 0 && !transaction_is_in(t, "keeping"))
                r = start(t, transaction_string(t, "old"), error);
        return r < 0 ? r : end(t, transaction_string(t, "old"), error);
}

/* What stands in its place: the new one wherever it is by now, else what has its name; NULL when nothing
 * does. */
static int find_standing(struct transaction *t, cJSON **ret, struct error *error)
{
        int r = inspect(t, transaction_string(t, "new"), ret, error);
        return r < 0 || *ret ? r : inspect(t, transaction_string(t, "name"), ret, error);
}

static int remove_standing(struct transaction *t, const cJSON *standing, struct error *error)
{
        const char *id = json_string(standing, "Id");
        int r = enter_anyway(t, "returning", NULL, error);
        if (r < 0)
                return r;
        /* It may be serving: it gets its own grace. One that does not stop is killed below. */
        if (docker_marked_running(standing))
                (void)docker_container_call(t->docker, "POST", id, "/stop", NULL, t->deadline, NULL);
        /* Never with v=1: the volumes are the old one's. */
        r = docker_container_call(t->docker, "DELETE", id, "?force=1", NULL, t->deadline, error);
        return r == -ENOENT ? 0 : r;
}

/* Without one of its networks it cannot be: who removed that, has taken the whole down. */
static int find_networks(struct transaction *t, const cJSON *kept, bool *ret_there, struct error *error)
{
        const cJSON *network;
        *ret_there = true;
        cJSON_ArrayForEach(network, json_get(kept, "NetworkSettings", "Networks", NULL))
        {
                _cleanup_text_ struct text path = {0};
                text_puts(&path, "/networks/");
                text_put_escaped(&path, network->string);
                if (text_error(&path) < 0)
                        return error_oom(error);
                int r = docker_call(t->docker, "GET", text_string(&path), NULL, t->deadline, NULL, error);
                if (r == -ENOENT)
                        *ret_there = false;
                else if (r < 0)
                        return r;
        }
        return 0;
}

static int make_again(struct transaction *t, const cJSON *kept, struct error *error)
{
        _cleanup_recipe_ struct docker_recipe recipe = {0};
        _cleanup_free_ char *mark = text_format("%s" BACK, transaction_string(t, "tag")), *id = NULL;
        if (!mark)
                return error_oom(error);
        if (!kept)
                return error_set(error, ESTALE, "what was kept of it is gone");
        bool there = true;
        int r = find_networks(t, kept, &there, error);
        if (r >= 0 && !there)
                return end(t, NULL, error);
        if (r >= 0)
                r = kept_recipe(t, kept, &recipe, error);
        if (r >= 0)
                r = docker_mark_changed(recipe.body, mark, error);
        if (r >= 0)
                r = transaction_make(t, transaction_string(t, "name"), &recipe, transaction_string(t, "kept"),
                                     &id, error);
        if (r == -EEXIST && !id)
                return end(t, NULL, error); /* somebody was quicker */
        if (r >= 0)
                r = start(t, id, error);
        return r < 0 ? r : end(t, id, error);
}

/* Whether it may be us that nothing stands in its place. */
static bool may_be_gone_by_us(const struct transaction *t)
{
        return transaction_is_in(t, "removing") || transaction_is_in(t, "returning") ||
               (transaction_is_in(t, "creating") && !transaction_string(t, "new"));
}

static int replace_old(struct transaction *t, struct error *error)
{
        _cleanup_json_ cJSON *standing = NULL, *kept = NULL;
        _cleanup_free_ char *back = text_format("%s" BACK, transaction_string(t, "tag"));
        if (!back)
                return error_oom(error);
        int r = find_standing(t, &standing, error);
        if (r >= 0)
                r = inspect(t, transaction_string(t, "kept"), &kept, error);
        if (r < 0)
                return r;
        if (!standing)
                return may_be_gone_by_us(t) ? make_again(t, kept, error) : end(t, NULL, error);

        const char *id = json_string(standing, "Id"), *by = docker_changed_by(standing);
        bool is_back = string_equal(by, back);
        if (!is_back && !string_equal(by, transaction_string(t, "tag")) &&
            !string_equal(id, transaction_string(t, "new")))
                return end(t, NULL, error);
        /* One that was put back is whole once it was started, or what was kept is gone. */
        if (is_back && (!kept || !string_equal(docker_status(standing), "created"))) {
                r = start(t, id, error);
                return r < 0 ? r : end(t, id, error);
        }
        if (!kept)
                return error_set(error, ESTALE, "what was kept of it is gone");
        r = remove_standing(t, standing, error);
        return r < 0 ? r : make_again(t, kept, error);
}

static int try_roll_back(struct transaction *t, struct error *error)
{
        if (docker_before_is(t->state))
                return docker_before_roll_back(t->docker, t->state, t->deadline, error);
        if (docker_recreate_is_over(t->state))
                return 0;
        _cleanup_json_ cJSON *old = NULL;
        int r = find_old(t, &old, error);
        if (r < 0)
                return r;
        return old ? keep_old(t, old, error) : replace_old(t, error);
}

/* An Engine that goes away comes back, and whatever call that came upon: each try begins with what is there.
 */
int transaction_roll_back(struct transaction *t, struct error *error)
{
        for (nsec pause = PAUSE_FIRST;; pause = pause < PAUSE_MOST / 2 ? 2 * pause : PAUSE_MOST) {
                _cleanup_error_ struct error why = {0};
                int r = try_roll_back(t, &why);
                if (r >= 0)
                        return r;
                if (!docker_is_away(r) || deadline_left(t->deadline) <= pause ||
                    !pause_for(pause, t->deadline)) {
                        error_move(error, &why);
                        return r;
                }
        }
}

static int check_state(const cJSON *state, struct error *error)
{
        static const char *const needed[] = {"old", "name", "kept", "tag", "phase"};
        for (size_t i = 0; i < N_ELEMENTS(needed); i++) {
                const char *value = json_string(state, needed[i]);
                if (!value || !*value)
                        return error_set(error, EINVAL, "the written state of the change lacks \"%s\"",
                                         needed[i]);
        }
        return 0;
}

int docker_recreate_roll_back(struct docker *docker, const cJSON *state, struct deadline deadline,
                              docker_progress progress, void *context, struct error *error)
{
        int r = docker_before_is(state) ? 0 : check_state(state, error);
        if (r < 0)
                return r;
        struct transaction t = {.docker = docker,
                                .deadline = deadline,
                                .progress = progress,
                                .context = context,
                                .state = json_copy(state)};
        if (!t.state)
                return error_oom(error);
        r = transaction_roll_back(&t, error);
        if (r < 0 && !docker_before_is(state))
                error_prefix(error, r, "cannot put %s back", transaction_string(&t, "name"));
        cJSON_Delete(t.state);
        return r;
}

int docker_recreate_settle(struct docker *docker, const cJSON *state, struct deadline deadline,
                           struct error *error)
{
        if (docker_before_is(state))
                return docker_before_settle(docker, state, deadline, error);
        int r = check_state(state, error);
        if (r < 0)
                return r;
        /* It is only read here. */
        struct transaction t = {.docker = docker, .deadline = deadline, .state = (cJSON *)state};
        return kept_remove(&t, error);
}
