/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of server-sent events: who listens hears that something has changed, and finds out what by asking.
 *
 * A stream costs no thread: it is suspended until a thread of their own, one for all, has something to say.
 * What is told in quick succession is said once. A stream that has been silent for a while says so, which
 * shows whose browser has gone; it ends after a quarter of an hour, so that who may no longer listen does
 * not.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "lib/http/server/internal.h"
#include "runbook/wait.h"

#define GATHERED_FOR (50 * NSEC_PER_MSEC)
#define BEAT (15 * NSEC_PER_SEC)
#define LIFE (15 * 60 * NSEC_PER_SEC)
enum { SAID_MOST = 128 };

struct http_stream {
        struct http_streams *streams;
        struct http_stream *previous, *next;
        struct MHD_Connection *connection;
        const struct http_peer *peer; /* only compared */
        nsec began;
        uint64_t heard, beats; /* what it has said of these two of all */
        bool greeted, waits, ends;
};

struct http_streams {
        pthread_mutex_t lock; /* of everything below, and of all streams */
        pthread_cond_t work;
        pthread_t thread;
        bool running, stopping, pending;
        struct http_stream *first;
        unsigned count, limit;
        uint64_t news, beats; /* how often there was something to say, and nothing */
};

/* Under the lock, as is suspending: what waits is suspended, and its connection there. */
static void wake(struct http_stream *stream)
{
        if (!stream->waits)
                return;
        stream->waits = false;
        MHD_resume_connection(stream->connection);
}

static void wake_all(struct http_streams *streams)
{
        for (struct http_stream *stream = streams->first; stream; stream = stream->next)
                wake(stream);
}

static void *speak(void *context)
{
        struct http_streams *streams = context;
        nsec beat_at = clock_monotonic() + BEAT;
        pthread_mutex_lock(&streams->lock);
        while (!streams->stopping) {
                if (!streams->first)
                        pthread_cond_wait(&streams->work, &streams->lock);
                else if (!streams->pending)
                        (void)condition_wait_until(&streams->work, &streams->lock, beat_at);
                if (streams->pending) {
                        pthread_mutex_unlock(&streams->lock);
                        pause_for(GATHERED_FOR, DEADLINE_NEVER);
                        pthread_mutex_lock(&streams->lock);
                        streams->pending = false;
                } else if (clock_monotonic() >= beat_at) {
                        streams->beats++;
                } else {
                        continue;
                }
                wake_all(streams);
                beat_at = clock_monotonic() + BEAT;
        }
        pthread_mutex_unlock(&streams->lock);
        return NULL;
}

int http_streams_new(unsigned limit, struct http_streams **ret)
{
        struct http_streams *streams = calloc(1, sizeof(*streams));
        if (!streams)
                return -ENOMEM;
        streams->limit = limit;
        streams->news =
                (uint64_t)clock_wall(); /* what a process before has said is not taken for news of this */
        pthread_mutex_init(&streams->lock, NULL);
        condition_init(&streams->work);
        sigset_t all, before;
        sigfillset(&all); /* they are for main */
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int r = -pthread_create(&streams->thread, NULL, speak, streams);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        streams->running = r == 0;
        if (r < 0) {
                http_streams_free(streams);
                return r;
        }
        *ret = streams;
        return 0;
}

void http_streams_end(struct http_streams *streams, bool for_good)
{
        if (!streams)
                return;
        pthread_mutex_lock(&streams->lock);
        streams->stopping |= for_good;
        pthread_cond_signal(&streams->work);
        for (struct http_stream *stream = streams->first; stream; stream = stream->next)
                stream->ends = true;
        wake_all(streams);
        pthread_mutex_unlock(&streams->lock);
        if (for_good && streams->running)
                pthread_join(streams->thread, NULL);
        if (for_good)
                streams->running = false;
}

struct http_streams *http_streams_free(struct http_streams *streams)
{
        if (!streams)
                return NULL;
        http_streams_end(streams, true);
        pthread_cond_destroy(&streams->work);
        pthread_mutex_destroy(&streams->lock);
        free(streams);
        return NULL;
}

void http_server_tell(struct http_server *server)
{
        struct http_streams *streams = server->streams;
        pthread_mutex_lock(&streams->lock);
        streams->news++;
        streams->pending |= streams->first != NULL;
        if (streams->pending)
                pthread_cond_signal(&streams->work);
        pthread_mutex_unlock(&streams->lock);
}

uint64_t http_server_news(struct http_server *server)
{
        struct http_streams *streams = server->streams;
        pthread_mutex_lock(&streams->lock);
        uint64_t news = streams->news;
        pthread_mutex_unlock(&streams->lock);
        return news;
}

void http_server_end_streams(struct http_server *server)
{
        http_streams_end(server->streams, false);
}

/* What a stream says next; 0: nothing yet. */
static int say(struct http_stream *stream, char *ret, size_t size)
{
        const struct http_streams *streams = stream->streams;
        if (stream->heard != streams->news) {
                stream->heard = streams->news;
                stream->greeted = true;
                return snprintf(ret, size, "id: %llu\nevent: change\ndata:\n\n",
                                (unsigned long long)stream->heard);
        }
        if (stream->greeted && stream->beats == streams->beats)
                return 0;
        stream->greeted = true;
        stream->beats = streams->beats;
        return snprintf(ret, size, ": nothing new\n\n");
}

/* Asked by libmicrohttpd for more, on the event thread. */
static ssize_t read_stream(void *context, uint64_t position _unused_, char *buffer, size_t room)
{
        struct http_stream *stream = context;
        struct http_streams *streams = stream->streams;
        char said[SAID_MOST];
        ssize_t result = 0;
        pthread_mutex_lock(&streams->lock);
        if (stream->ends || clock_monotonic() - stream->began > LIFE) {
                result = MHD_CONTENT_READER_END_OF_STREAM;
        } else if ((result = say(stream, said, sizeof(said))) == 0) {
                stream->waits = true;
                MHD_suspend_connection(stream->connection);
        } else if ((size_t)result > room) {
                result = MHD_CONTENT_READER_END_WITH_ERROR;
        } else {
                memcpy(buffer, said, (size_t)result);
        }
        pthread_mutex_unlock(&streams->lock);
        return result;
}

/* Its response is over, however that came. */
static void end_stream(void *context)
{
        struct http_stream *stream = context;
        struct http_streams *streams = stream->streams;
        pthread_mutex_lock(&streams->lock);
        if (stream->previous)
                stream->previous->next = stream->next;
        else
                streams->first = stream->next;
        if (stream->next)
                stream->next->previous = stream->previous;
        streams->count--;
        pthread_mutex_unlock(&streams->lock);
        free(stream);
}

/* One address leaves the last quarter of the streams to others. */
static bool has_room(const struct http_streams *streams, const struct http_peer *peer)
{
        unsigned of_peer = 0;
        for (const struct http_stream *stream = streams->first; stream; stream = stream->next)
                of_peer += stream->peer == peer;
        return streams->count < streams->limit && of_peer < streams->limit - streams->limit / 4;
}

/* Takes it into the list, when there is room for one more. */
static bool enter(struct http_streams *streams, struct http_stream *stream)
{
        pthread_mutex_lock(&streams->lock);
        bool enters = !streams->stopping && has_room(streams, stream->peer);
        if (enters) {
                stream->beats = streams->beats;
                stream->next = streams->first;
                if (stream->next)
                        stream->next->previous = stream;
                streams->first = stream;
                streams->count++;
                pthread_cond_signal(&streams->work); /* from now on there are beats */
        }
        pthread_mutex_unlock(&streams->lock);
        return enters;
}

static struct MHD_Response *new_response(struct http_stream *stream)
{
        static const char *const headers[][2] = {
                {MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream"},
                {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
                {MHD_HTTP_HEADER_CONNECTION, "close"},
                {"X-Content-Type-Options", "nosniff"},
                {"X-Accel-Buffering", "no"}, /* of a proxy that would collect it first */
        };
        struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, SAID_MOST,
                                                                          read_stream, stream, end_stream);
        for (size_t i = 0; response && i < N_ELEMENTS(headers); i++)
                MHD_add_response_header(response, headers[i][0], headers[i][1]);
        return response;
}

void http_reply_events(struct http_exchange *exchange, uint64_t heard)
{
        struct http_streams *streams = exchange->server->streams;
        struct http_place *place = http_link_place(exchange->connection);
        struct http_stream *stream = calloc(1, sizeof(*stream));
        if (!stream) {
                http_reply_text(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
                return;
        }
        *stream = (struct http_stream){
                .streams = streams,
                .connection = exchange->connection,
                .peer = place ? place->peer : NULL,
                .began = clock_monotonic(),
                .heard = heard,
        };
        if (!enter(streams, stream)) {
                free(stream);
                http_reply_text(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "too many listen at once: ask again now and then");
                return;
        }
        struct MHD_Response *response = new_response(stream);
        if (!response)
                end_stream(stream);
        else if (place)
                place->held = true; /* it is bounded by how many streams there may be */
        http_reply_response(exchange, MHD_HTTP_OK, response);
}
