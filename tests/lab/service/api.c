/* SPDX-License-Identifier: Apache-2.0 */
/* The requests the service answers. Contexts are kept in PostgreSQL, and the last of them cached in Redis. */
#include "service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool database_healthy(void)
{
        struct pg *pg = pool_take();
        bool fine = pg && pg_query(pg, "SELECT 1", NULL, 0, NULL, NULL);
        if (pg)
                pool_give(pg, fine);
        return fine;
}

static bool cache_healthy(void)
{
        bool fine;
        free(redis_command(&fine, 1, (const char *const[]){"PING"}));
        return fine;
}

static const char *word(bool fine)
{
        return fine ? "healthy" : "unhealthy";
}

static void health(const struct request *request, struct answer *answer)
{
        (void)request;
        bool database = database_healthy(), cache = cache_healthy();
        bool fine = database && cache && !fault_now().unhealthy;
        answer->status = fine ? 200 : 503;
        fprintf(answer->body,
                "{\"status\":\"%s\",\"service\":\"%s\",\"version\":\"%s\","
                "\"components\":{\"database\":\"%s\",\"redis\":\"%s\"}}\n",
                word(fine), settings.service, settings.version, word(database), word(cache));
}

static void metrics(const struct request *request, struct answer *answer)
{
        (void)request;
        answer->type = "text/plain; version=0.0.4";
        stats_write(answer->body);
}

static void fault(const struct request *request, struct answer *answer)
{
        answer->status = fault_set(request->query) ? 200 : 400;
        fprintf(answer->body, "{}\n");
}

static void write_row(void *context, char *const *values, size_t count)
{
        if (count == 1)
                fprintf(context, "%s\n", values[0]);
}

static bool read_contexts(FILE *out)
{
        struct pg *pg = pool_take();
        bool fine = pg && pg_query(pg,
                                   "SELECT coalesce(json_agg(c), '[]')::text FROM "
                                   "(SELECT id, key_name, body FROM contexts ORDER BY id DESC LIMIT 10) c",
                                   NULL, 0, write_row, out);
        if (pg)
                pool_give(pg, fine);
        return fine;
}

static void list_contexts(const struct request *request, struct answer *answer)
{
        (void)request;
        bool fine;
        char *cached = redis_command(&fine, 2, (const char *const[]){"GET", "mcp:contexts"});
        if (cached) {
                fputs(cached, answer->body);
                free(cached);
                return;
        }
        char *list = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&list, &length);
        fine = out && read_contexts(out);
        if (out)
                fclose(out);
        if (fine) {
                free(redis_command(&fine, 5, (const char *const[]){"SET", "mcp:contexts", list, "EX", "60"}));
                fputs(list, answer->body);
        } else {
                answer->status = 503;
        }
        free(list);
}

static void add_context(const struct request *request, struct answer *answer)
{
        const char *params[] = {request->key, request->body};
        struct pg *pg = pool_take();
        bool fine = pg && pg_query(pg,
                                   "INSERT INTO contexts (key_name, body) SELECT name, $2 FROM api_keys "
                                   "WHERE key_hash = md5($1)",
                                   params, 2, NULL, NULL);
        if (pg)
                pool_give(pg, fine);
        free(redis_command(&fine, 2, (const char *const[]){"DEL", "mcp:contexts"}));
        answer->status = fine ? 201 : 503;
        fprintf(answer->body, "{}\n");
}

/* What somebody is told by a webhook, such as Slack's: in the log, where who looks on sees it. */
static void told(const struct request *request, struct answer *answer)
{
        log_line("info", "msg=\"told\" body=%.*s", (int)request->body_length, request->body);
        fprintf(answer->body, "{}\n");
}

/* The API proper: needs a key, is counted, and suffers the faults. */
static void contexts(const struct request *request, struct answer *answer)
{
        char name[128];
        double began = now_seconds();
        struct fault fault = fault_now();
        if (fault.slow_seconds > 0)
                usleep((useconds_t)(fault.slow_seconds * 1e6));
        answer->status = keys_check(request->key, request->address, name);
        if (answer->status == 200 && (double)rand() / (double)RAND_MAX < fault.fail_ratio) {
                answer->status = 500;
                log_line("error", "msg=\"request failed\" error=\"nil pointer dereference in handler\"");
        }
        if (answer->status == 200)
                (strcmp(request->method, "POST") == 0 ? add_context : list_contexts)(request, answer);
        double seconds = now_seconds() - began;
        stats_request(request->method, answer->status, seconds);
        log_line("debug", "msg=\"request\" method=%s path=%s key=%s status=%d seconds=%.3f", request->method,
                 request->path, name, answer->status, seconds);
}

static const struct {
        const char *method, *path;
        void (*answer)(const struct request *request, struct answer *answer);
} routes[] = {
        {"GET", "/health", health},
        {"GET", "/metrics", metrics},
        {"POST", "/fault", fault},
        {"POST", "/told", told},
        {"GET", "/api/v1/contexts", contexts},
        {"POST", "/api/v1/contexts", contexts},
};

void api_answer(const struct request *request, struct answer *answer)
{
        for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
                if (strcmp(routes[i].method, request->method) == 0 &&
                    strcmp(routes[i].path, request->path) == 0) {
                        routes[i].answer(request, answer);
                        return;
                }
        answer->status = 404;
}
