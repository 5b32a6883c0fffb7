/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of all checks, encoded when somebody asks. */
#include "exporter/web/snapshot.h"

#include <pthread.h>

#include "exporter/check/samples.h"
#include "runbook/gzip.h"

struct snapshot {
        struct check_result **results; /* references, which `sets` point into */
        const struct sample_set **sets;
        size_t result_count, set_count;
        struct sample_set own;
        uint64_t generation;
        nsec fresh_until;
        bool encoded; /* once at least */

        pthread_mutex_t lock;
        struct http_content *contents[METRICS_FORMATS][2]; /* as they are, and by gzip; by the lock */
};

struct snapshot *snapshot_free(struct snapshot *snapshot)
{
        if (!snapshot)
                return NULL;
        for (size_t i = 0; i < METRICS_FORMATS; i++)
                for (size_t k = 0; k < 2; k++)
                        http_content_unref(snapshot->contents[i][k]);
        for (size_t i = 0; i < snapshot->result_count; i++)
                check_result_unref(snapshot->results[i]);
        free(snapshot->results);
        free(snapshot->sets);
        sample_set_release(&snapshot->own);
        pthread_mutex_destroy(&snapshot->lock);
        free(snapshot);
        return NULL;
}

struct snapshot *snapshot_new(struct schedule *schedule, const bool *checks, struct sample_set *own)
{
        size_t count = schedule_count(schedule);
        _cleanup_free_ struct check_state *states = calloc(count + 1, sizeof(*states));
        struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
        if (!snapshot)
                return NULL;
        pthread_mutex_init(&snapshot->lock, NULL);
        snapshot->results = calloc(count + 1, sizeof(struct check_result *));
        snapshot->sets = calloc(2 * count + 1, sizeof(struct sample_set *));
        if (!states || !snapshot->results || !snapshot->sets)
                return snapshot_free(snapshot);

        count = schedule_states(schedule, checks, states, &snapshot->generation, &snapshot->fresh_until);
        snapshot->own = *own;
        *own = (struct sample_set){0};
        snapshot->sets[snapshot->set_count++] = &snapshot->own;
        for (size_t i = 0; i < count; i++) {
                check_samples_add(&(struct sample_sink){&snapshot->own}, &states[i]);
                if (states[i].result) {
                        snapshot->sets[snapshot->set_count++] = &states[i].result->samples;
                        snapshot->sets[snapshot->set_count++] = &states[i].result->durations;
                        snapshot->results[snapshot->result_count++] = TAKE_PTR(states[i].result);
                }
        }
        return snapshot;
}

uint64_t snapshot_generation(const struct snapshot *snapshot)
{
        return snapshot->generation;
}

nsec snapshot_fresh_until(const struct snapshot *snapshot)
{
        return snapshot->fresh_until;
}

struct http_content *snapshot_find(struct snapshot *snapshot, struct variant variant)
{
        pthread_mutex_lock(&snapshot->lock);
        struct http_content *content = http_content_ref(snapshot->contents[variant.format][variant.gzip]);
        pthread_mutex_unlock(&snapshot->lock);
        return content;
}

static int write_page(struct snapshot *snapshot, struct variant variant, const char *const *names,
                      uint64_t *duplicates, struct text *text)
{
        uint64_t left_out;
        int r;
        if (variant.gzip) {
                struct http_content *plain =
                        snapshot_make(snapshot, (struct variant){variant.format, false}, names, duplicates);
                if (!plain)
                        return -1;
                r = gzip_compress(http_content_data(plain), http_content_length(plain), text);
                http_content_unref(plain);
                return r;
        }
        r = metrics_encode(variant.format, snapshot->sets, snapshot->set_count, names, text, &left_out);
        if (r >= 0 && !snapshot->encoded) {
                snapshot->encoded = true;
                *duplicates += left_out;
        }
        return r;
}

struct http_content *snapshot_make(struct snapshot *snapshot, struct variant variant,
                                   const char *const *names, uint64_t *duplicates)
{
        _cleanup_text_ struct text text = {0};
        struct http_content *content = snapshot_find(snapshot, variant);
        if (content)
                return content;
        if (write_page(snapshot, variant, names, duplicates, &text) < 0)
                return NULL;
        content = http_content_new(&text);
        if (!content)
                return NULL;
        http_content_set_header(content, "Vary", "Accept, Accept-Encoding");
        if (variant.gzip)
                http_content_set_header(content, "Content-Encoding", "gzip");
        pthread_mutex_lock(&snapshot->lock);
        snapshot->contents[variant.format][variant.gzip] = http_content_ref(content);
        pthread_mutex_unlock(&snapshot->lock);
        return content;
}
