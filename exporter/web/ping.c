/* SPDX-License-Identifier: Apache-2.0 */
/* Takes pings from those who may, and answers when they are written. */
#include "exporter/web/ping.h"

#include <errno.h>
#include <pthread.h>

#include "runbook/log.h"
#include "runbook/secret.h"
#include "runbook/wait.h"

enum {
        WAITING_MAX = 64,    /* pings that are not written yet, of all checks */
        WAITING_OF_ONE = 16, /* and of one, which keeps no other one out */
        WRITES_AT_ONCE = 8,  /* of one check, before they have to wait for each other */
        EXIT_CODE_MAX = 255,
};
static const nsec WRITE_INTERVAL = NSEC_PER_SEC;

static const char bearer[] = "Bearer ";

/* A ping that is noted and not written yet. */
struct waiting {
        struct http_exchange *exchange;
        struct ping_box *box;
};

/* When a box may be written again. */
struct pace {
        struct ping_box *box;
        nsec free_at; /* when it will have been quiet for long enough to have all its writes again */
};

struct ping_door {
        pthread_t thread;
        bool started;

        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool closed;
        struct waiting waiting[WAITING_MAX]; /* in the order in which they came */
        size_t waiting_count;

        struct pace *paces; /* of all boxes that were written; the thread's */
        size_t pace_count;
};

/* The pace of a box, made when it has none; NULL when out of memory. */
static struct pace *pace_of(struct ping_door *door, struct ping_box *box)
{
        for (size_t i = 0; i < door->pace_count; i++)
                if (door->paces[i].box == box)
                        return &door->paces[i];
        struct pace *paces = reallocarray(door->paces, door->pace_count + 1, sizeof(*paces));
        if (!paces)
                return NULL;
        door->paces = paces;
        paces[door->pace_count] = (struct pace){.box = box};
        return &paces[door->pace_count++];
}

/* When the box may be written next. */
static nsec allowed_at(struct ping_door *door, struct ping_box *box)
{
        const struct pace *pace = pace_of(door, box);
        return pace ? pace->free_at - (WRITES_AT_ONCE - 1) * WRITE_INTERVAL : clock_monotonic();
}

static void note_write(struct ping_door *door, struct ping_box *box)
{
        struct pace *pace = pace_of(door, box);
        nsec now = clock_monotonic();
        if (pace)
                pace->free_at = (pace->free_at > now ? pace->free_at : now) + WRITE_INTERVAL;
}

/* By the lock: the first whose box may be written, or when one may; all are when the door is closed. */
static struct ping_box *find_due(struct ping_door *door, nsec *ret_next)
{
        nsec now = clock_monotonic();
        *ret_next = INT64_MAX;
        for (size_t i = 0; i < door->waiting_count; i++) {
                nsec at = allowed_at(door, door->waiting[i].box);
                if (door->closed || at <= now)
                        return door->waiting[i].box;
                if (at < *ret_next)
                        *ret_next = at;
        }
        return NULL;
}

/* By the lock: takes all of one box out, as one write is for all of them. */
static size_t take_all(struct ping_door *door, const struct ping_box *box,
                       struct http_exchange *ret_exchanges[WAITING_MAX])
{
        size_t count = 0, kept = 0;
        for (size_t i = 0; i < door->waiting_count; i++)
                if (door->waiting[i].box == box)
                        ret_exchanges[count++] = door->waiting[i].exchange;
                else
                        door->waiting[kept++] = door->waiting[i];
        door->waiting_count = kept;
        return count;
}

/* Writes one box and answers. What cannot be written is known until the exporter ends, and is written later.
 */
static void write_box(struct ping_box *box, struct http_exchange *const *exchanges, size_t count)
{
        _cleanup_error_ struct error error = {0};
        bool news = false;
        int r = ping_box_save(box, &news, &error);
        if (news && r < 0)
                log_event(LOG_ERROR, "A ping could not be written", "check", ping_box_name(box), "reason",
                          error_text(&error), NULL);
        else if (news)
                log_event(LOG_INFO, "Pings are written again", "check", ping_box_name(box), NULL);
        for (size_t i = 0; i < count; i++)
                http_reply_text(exchanges[i], r < 0 ? 500 : 200, "%s",
                                r < 0 ? "It was noted, and could not be written." : "OK");
}

static void *run_thread(void *context)
{
        struct ping_door *door = context;
        struct http_exchange *exchanges[WAITING_MAX];
        pthread_mutex_lock(&door->lock);
        for (;;) {
                nsec next;
                struct ping_box *box = find_due(door, &next);
                if (!box && door->closed)
                        break;
                if (!box) {
                        condition_wait_until(&door->changed, &door->lock, next);
                        continue;
                }
                size_t count = take_all(door, box, exchanges);
                pthread_mutex_unlock(&door->lock);
                note_write(door, box);
                write_box(box, exchanges, count);
                pthread_mutex_lock(&door->lock);
        }
        pthread_mutex_unlock(&door->lock);
        return NULL;
}

int ping_door_new(struct ping_door **ret, struct error *error)
{
        struct ping_door *door = calloc(1, sizeof(*door));
        if (!door)
                return error_oom(error);
        pthread_mutex_init(&door->lock, NULL);
        condition_init(&door->changed);
        int r = -pthread_create(&door->thread, NULL, run_thread, door);
        if (r < 0) {
                ping_door_free(door);
                return error_set_errno(error, -r, "cannot start the thread that writes pings");
        }
        door->started = true;
        *ret = door;
        return 0;
}

void ping_door_close(struct ping_door *door)
{
        if (!door || !door->started)
                return;
        pthread_mutex_lock(&door->lock);
        door->closed = true;
        pthread_cond_signal(&door->changed);
        pthread_mutex_unlock(&door->lock);
        pthread_join(door->thread, NULL);
        door->started = false;
}

struct ping_door *ping_door_free(struct ping_door *door)
{
        if (!door)
                return NULL;
        ping_door_close(door);
        pthread_cond_destroy(&door->changed);
        pthread_mutex_destroy(&door->lock);
        free(door->paces);
        free(door);
        return NULL;
}

/* Those that take pings; NULL. Nobody is told which names there are. */
static const struct check *find_check(const struct check_set *set, const char *name)
{
        for (size_t i = 0; i < set->count; i++)
                if (set->checks[i].pings && strcmp(set->checks[i].name, name) == 0)
                        return &set->checks[i];
        return NULL;
}

/* What stands behind the name; false when it says nothing. */
static bool read_event(const char *word, struct ping *ping)
{
        size_t digits = strspn(word, "0123456789");
        if (strcmp(word, "start") == 0) {
                ping->event = PING_START;
        } else if (strcmp(word, "fail") == 0) {
                ping->event = PING_FAILURE;
        } else {
                if (digits == 0 || digits > 3 || word[digits])
                        return false;
                ping->exit_code = atoi(word);
                ping->event = ping->exit_code == 0 ? PING_SUCCESS : PING_FAILURE;
        }
        return ping->exit_code <= EXIT_CODE_MAX;
}

static void refuse_token(struct http_exchange *exchange)
{
        static const char sentence[] = "This check is pinged with its token: Authorization: Bearer …\n";
        struct text text = {0};
        text_puts(&text, sentence);
        struct http_content *content = http_content_new(&text);
        if (content)
                http_content_set_header(content, "WWW-Authenticate", "Bearer");
        if (content)
                http_reply_content(exchange, 401, HTTP_TYPE_TEXT, content);
        else
                http_reply_text(exchange, 500, "Out of memory.");
        http_content_unref(content);
}

/* Whether who asks may; else it is answered. The token's file is as small as those of the web configuration.
 */
static bool may_ping(const struct check *check, struct http_exchange *exchange)
{
        const struct secret *token = check->kind->ping_token(check->config);
        const char *authorization = http_header(exchange, "Authorization");
        _cleanup_error_ struct error error = {0};
        bool right = false;
        if (http_user(exchange))
                return true;
        if (!secret_is_set(token)) {
                if (http_peer_is_loopback(exchange) && !http_header(exchange, "X-Forwarded-For") &&
                    !http_header(exchange, "Forwarded"))
                        return true;
                http_reply_text(
                        exchange, 403,
                        "Pings of this check are taken from the exporter's own host: from elsewhere, or by a "
                        "proxy, it needs a token, or users of the web configuration.");
                return false;
        }
        if (!authorization || strncasecmp(authorization, bearer, strlen(bearer)) != 0) {
                refuse_token(exchange);
                return false;
        }
        if (secret_equals(token, authorization + strlen(bearer), &right, &error) < 0) {
                log_event(LOG_ERROR, "The token of a check cannot be read", "check", check->name, "reason",
                          error_text(&error), NULL);
                http_reply_text(exchange, 500, "The token of this check cannot be read.");
                return false;
        }
        if (!right)
                refuse_token(exchange);
        return right;
}

/* Notes the ping and leaves the exchange to the thread; with too many before it nothing is noted, and the
 * job may ask again. */
static void take_ping(struct ping_door *door, struct ping_box *box, const struct ping *ping,
                      struct http_exchange *exchange)
{
        size_t of_one = 0;
        pthread_mutex_lock(&door->lock);
        for (size_t i = 0; i < door->waiting_count; i++)
                of_one += door->waiting[i].box == box;
        bool full = door->waiting_count == WAITING_MAX,
             taken = !door->closed && !full && of_one < WAITING_OF_ONE;
        bool closed = door->closed;
        if (taken) {
                ping_box_note(box, ping);
                http_suspend(exchange);
                door->waiting[door->waiting_count++] = (struct waiting){exchange, box};
                pthread_cond_signal(&door->changed);
        }
        pthread_mutex_unlock(&door->lock);
        if (!taken)
                http_reply_text(exchange, closed || full ? 503 : 429,
                                closed ? "The exporter is being stopped."
                                       : "Too many pings at once, try again.");
}

void ping_handle(struct ping_door *door, const struct check_set *set, struct http_exchange *exchange)
{
        static const char *const no_parameters[] = {NULL};
        struct ping ping = {
                .event = PING_SUCCESS, .exit_code = -1, .wall = clock_wall(), .steady = clock_monotonic()};
        const bool has_event = http_route_data(exchange) != NULL;
        const struct check *check = find_check(set, http_path_parameter(exchange));
        if (!check) {
                http_reply_text(exchange, 404, "There is no heartbeat of this name.");
                return;
        }
        if (!may_ping(check, exchange))
                return;
        if (http_query_unknown(exchange, no_parameters)) {
                http_reply_text(exchange, 400, "A ping has no parameters.");
                return;
        }
        if (has_event && !read_event(strrchr(http_path(exchange), '/') + 1, &ping)) {
                http_reply_text(exchange, 400,
                                "Behind the name stands nothing, start, fail or an exit code from 0 to %d.",
                                EXIT_CODE_MAX);
                return;
        }
        take_ping(door, check->pings, &ping, exchange);
}
