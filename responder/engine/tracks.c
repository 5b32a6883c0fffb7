/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine remembers of incidents that workers carry, and how it is woken. */
#include "responder/engine/internal.h"

struct track *engine_track(struct engine *engine, int64_t incident)
{
        for (struct track *track = engine->tracks; track; track = track->next)
                if (track->incident == incident)
                        return track;
        return NULL;
}

struct track *engine_track_new(struct engine *engine, int64_t incident)
{
        struct track *track = calloc(1, sizeof(*track));
        if (!track)
                return NULL;
        track->incident = incident;
        track->seen = true;
        track->next = engine->tracks;
        engine->tracks = track;
        return track;
}

void engine_job_free(struct job *job)
{
        incident_release(&job->carry.walk.incident);
        free(job);
}

void engine_track_free(struct track *track)
{
        if (track->job)
                engine_job_free(track->job);
        free(track->lock);
        free(track);
}

void engine_wake(struct engine *engine)
{
        pthread_mutex_lock(&engine->mutex);
        engine->woken = true;
        pthread_cond_signal(&engine->changed);
        pthread_mutex_unlock(&engine->mutex);
}
