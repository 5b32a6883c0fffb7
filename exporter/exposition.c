/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of all checks, encoded when somebody asks. */
#include "exporter/exposition.h"

#include <pthread.h>

#include "exporter/about.h"
#include "lib/gzip.h"

struct exposition {
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

struct exposition *exposition_free(struct exposition *exposition)
{
        if (!exposition)
                return NULL;
        for (size_t i = 0; i < METRICS_FORMATS; i++)
                for (size_t k = 0; k < 2; k++)
                        http_content_unref(exposition->contents[i][k]);
        for (size_t i = 0; i < exposition->result_count; i++)
                check_result_unref(exposition->results[i]);
        free(exposition->results);
        free(exposition->sets);
        sample_set_release(&exposition->own);
        pthread_mutex_destroy(&exposition->lock);
        free(exposition);
        return NULL;
}

struct exposition *exposition_new(struct schedule *schedule, const bool *checks, struct sample_set *own)
{
        size_t count = schedule_count(schedule);
        _cleanup_free_ struct check_state *states = calloc(count + 1, sizeof(*states));
        struct exposition *exposition = calloc(1, sizeof(*exposition));

        if (!exposition)
                return NULL;
        pthread_mutex_init(&exposition->lock, NULL);
        exposition->results = calloc(count + 1, sizeof(struct check_result *));
        exposition->sets = calloc(2 * count + 1, sizeof(struct sample_set *));
        if (!states || !exposition->results || !exposition->sets)
                return exposition_free(exposition);

        schedule_states(schedule, states, &exposition->generation, &exposition->fresh_until);
        exposition->own = *own;
        *own = (struct sample_set){0};
        exposition->sets[exposition->set_count++] = &exposition->own;
        for (size_t i = 0; i < count; i++) {
                if (checks && !checks[i]) {
                        check_state_release(&states[i]);
                        continue;
                }
                about_check(&(struct sample_sink){&exposition->own}, &states[i]);
                if (states[i].result) {
                        exposition->sets[exposition->set_count++] = &states[i].result->samples;
                        exposition->sets[exposition->set_count++] = &states[i].result->durations;
                        exposition->results[exposition->result_count++] = TAKE_PTR(states[i].result);
                }
        }
        return exposition;
}

uint64_t exposition_generation(const struct exposition *exposition)
{
        return exposition->generation;
}

nsec exposition_fresh_until(const struct exposition *exposition)
{
        return exposition->fresh_until;
}

struct http_content *exposition_find(struct exposition *exposition, struct variant variant)
{
        pthread_mutex_lock(&exposition->lock);
        struct http_content *content = http_content_ref(exposition->contents[variant.format][variant.gzip]);
        pthread_mutex_unlock(&exposition->lock);
        return content;
}

static int write_page(struct exposition *exposition, struct variant variant, const char *const *names,
                      uint64_t *duplicates, struct text *text)
{
        uint64_t left_out;
        int r;

        if (variant.gzip) {
                struct http_content *plain = exposition_make(
                        exposition, (struct variant){variant.format, false}, names, duplicates);
                if (!plain)
                        return -1;
                r = gzip_compress(http_content_data(plain), http_content_length(plain), text);
                http_content_unref(plain);
                return r;
        }
        r = metrics_encode(variant.format, exposition->sets, exposition->set_count, names, text, &left_out);
        if (r >= 0 && !exposition->encoded) {
                exposition->encoded = true;
                *duplicates += left_out;
        }
        return r;
}

struct http_content *exposition_make(struct exposition *exposition, struct variant variant,
                                     const char *const *names, uint64_t *duplicates)
{
        _cleanup_text_ struct text text = {0};
        struct http_content *content = exposition_find(exposition, variant);

        if (content)
                return content;
        if (write_page(exposition, variant, names, duplicates, &text) < 0)
                return NULL;
        content = http_content_new(&text);
        if (!content)
                return NULL;
        http_content_set_header(content, "Vary", "Accept, Accept-Encoding");
        if (variant.gzip)
                http_content_set_header(content, "Content-Encoding", "gzip");
        pthread_mutex_lock(&exposition->lock);
        exposition->contents[variant.format][variant.gzip] = http_content_ref(content);
        pthread_mutex_unlock(&exposition->lock);
        return content;
}
