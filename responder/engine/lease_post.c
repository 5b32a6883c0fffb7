/* SPDX-License-Identifier: Apache-2.0 */
/* Every Alertmanager is told of all leases at once, by a worker of its own: one that hangs keeps none from
 * hearing of it. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "runbook/log.h"

#define POST_TIMEOUT (10 * NSEC_PER_SEC)
#define POST_AGAIN (5 * NSEC_PER_SEC)

void lease_post_release(struct lease_post *post)
{
        for (size_t i = 0; i < post->count; i++) {
                cJSON_Delete((cJSON *)post->leases[i].labels);
                free((char *)post->leases[i].summary);
        }
        free(post->leases);
        post->leases = NULL;
        post->count = 0;
}

/* On a worker. */
static void tell_member(void *context)
{
        struct lease_post *post = context;
        assert_that(atomic_load(&post->busy), "one worker tells one Alertmanager");
        struct engine *engine = post->engine;
        const struct world *world = post->parts.world;
        _cleanup_error_ struct error error = {0};
        int r = world->lease(world->context, post->member, post->leases, post->count,
                             world_deadline(world, POST_TIMEOUT), &error);
        if (r < 0 && !post->failing)
                log_event(LOG_WARN, "A page cannot be held back", "alertmanager",
                          target_set_alertmanager(&post->parts.set->targets, post->member), "error",
                          error_text(&error), NULL);
        post->failing = r < 0;
        lease_post_release(post);
        parts_release(&post->parts);
        atomic_store(&post->failed, r < 0);
        atomic_store(&post->busy, false);
        engine_wake(engine);
}

/* A copy, for the worker: what it has is not touched meanwhile. */
static int copy_leases(const struct leases *leases, struct lease_post *post)
{
        post->leases = calloc(leases->count + 1, sizeof(*post->leases));
        if (!post->leases)
                return -ENOMEM;
        for (size_t i = 0; i < leases->count; i++) {
                struct page_lease *copy = &post->leases[post->count++];
                *copy = (struct page_lease){
                        .labels = json_copy(leases->items[i].labels),
                        .summary = strdup(leases->items[i].summary ? leases->items[i].summary : ""),
                        .until = leases->items[i].until};
                if (!copy->labels || !copy->summary)
                        return -ENOMEM;
        }
        return 0;
}

static void give(struct look *look, struct lease_post *post, const char *url)
{
        struct engine *engine = look->engine;
        if (copy_leases(&engine->leases, post) < 0) {
                lease_post_release(post);
                return;
        }
        const struct world *machine = engine->machine;
        post->engine = engine;
        post->parts = engine->parts;
        parts_hold(&post->parts);
        atomic_store(&post->busy, true);
        post->told = engine->leases.version;
        if (machine->run(machine->context, WORLD_ASKS, url, tell_member, post) >= 0)
                return;
        atomic_store(&post->busy, false);
        parts_release(&post->parts);
        lease_post_release(post);
        post->told = 0;
}

void leases_post(struct look *look)
{
        struct leases *leases = &look->engine->leases;
        const struct target_set *set = &look->engine->parts.set->targets;
        const char *url;
        for (size_t i = 0; (url = target_set_alertmanager(set, i)); i++) {
                struct lease_post *post = &leases->posts[i];
                if (atomic_load(&post->busy))
                        continue;
                if (atomic_exchange(&post->failed, false)) {
                        post->told = 0;
                        post->at = look->now + POST_AGAIN;
                }
                /* Of none there is nothing to tell. */
                if (leases->count == 0)
                        post->told = leases->version;
                if (post->told == leases->version)
                        continue;
                post->member = i;
                if (look->now < post->at)
                        look_again_at(look, post->at);
                else
                        give(look, post, url);
        }
}
