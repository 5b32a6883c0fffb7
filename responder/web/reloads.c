/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration again. */
#include "responder/web/reloads.h"

#include "runbook/log.h"
#include "runbook/memory.h"

#define FAMILIES(X)                                                                                     \
        X(reload_successful, GAUGE, "runbook_responder_config_last_reload_successful", NULL,            \
          "Whether the last attempt to read the configuration was successful.")                         \
        X(reload_success_time, GAUGE, "runbook_responder_config_last_reload_success_timestamp_seconds", \
          "seconds", "When the configuration was last read successfully.")

FAMILIES(DEFINE_FAMILY)

void reloads_init(struct reloads *reloads, const char *config_file,
                  int (*read_again)(void *context, struct error *error), void *context)
{
        *reloads = (struct reloads){.config_file = config_file, .read_again = read_again, .context = context};
        pthread_mutex_init(&reloads->lock, NULL);
        atomic_init(&reloads->successful, true);
        atomic_init(&reloads->successful_at, clock_wall());
}

void reloads_listen(struct reloads *reloads, void (*listener)(void *context), void *context)
{
        pthread_mutex_lock(&reloads->lock);
        reloads->listener = listener;
        reloads->listener_context = context;
        pthread_mutex_unlock(&reloads->lock);
}

int reloads_run(struct reloads *reloads, struct error *error)
{
        pthread_mutex_lock(&reloads->lock);
        int r = reloads->read_again(reloads->context, error);
        atomic_store(&reloads->successful, r >= 0);
        if (r >= 0)
                atomic_store(&reloads->successful_at, clock_wall());
        if (r >= 0 && reloads->listener)
                reloads->listener(reloads->listener_context);
        pthread_mutex_unlock(&reloads->lock);
        memory_settle(); /* what reading the file took is given back */
        if (r < 0)
                log_event(LOG_ERROR, "The configuration was not read again, the one of before stays",
                          "config", reloads->config_file, "reason", error_text(error), NULL);
        else
                log_event(LOG_INFO, "The configuration was read again", "config", reloads->config_file, NULL);
        return r;
}

void reloads_collect(const struct reloads *reloads, struct sample_sink *sink)
{
        SAMPLE_BARE(sink, &reload_successful, atomic_load(&reloads->successful));
        SAMPLE_BARE(sink, &reload_success_time, nsec_to_seconds(atomic_load(&reloads->successful_at)));
}
