/* SPDX-License-Identifier: Apache-2.0 */
/* What the finders share. */
#ifndef EXPORTER_COMMANDS_INIT_INTERNAL_H
#define EXPORTER_COMMANDS_INIT_INTERNAL_H

#include "exporter/commands/init/init.h"
#include "runbook/http_client.h"
#include "runbook/json.h"

/* What a place was given as. */
enum place_kind {
        PLACE_ADDRESS,   /* host:port */
        PLACE_URL,       /* http:// or https:// */
        PLACE_POSTGRES,  /* a connection string */
        PLACE_REDIS,     /* redis://, rediss:// */
        PLACE_BUCKET,    /* s3://bucket */
        PLACE_DIRECTORY, /* /path */
};

struct place {
        enum place_kind kind;
        const char *where; /* as it was given */
        const char *from;  /* who says so: "--look", "DATABASE_URL" */
};

enum { PLACES_MAX = 64 };

/* One search, on one thread. */
struct search {
        struct place places[PLACES_MAX];
        size_t place_count;
        char *made[PLACES_MAX]; /* strings of places that were put together; owned */
        size_t made_count;
        struct http_client *client;
        unsigned answered; /* which of the servers that web.c knows have been found: bits, as in its table */
        struct proposals *found;
        int result; /* -ENOMEM as soon as there was none: asked once, at the end */
};

/* Of the template of a check: what `$(name)` stands for. Closed by a NULL name. */
struct value {
        const char *name, *is;
};
#define VALUES(...) ((const struct value[]){__VA_ARGS__, {NULL, NULL}})

/*
 * A check that a finder writes. In `name`, `title` and `body`, $(x) is one of the values: in a name in lower
 * case with "_" for whatever a name may not have, elsewhere such that it may stand between double quotes.
 */
struct check_row {
        const char *topic, *name, *title, *body;
        enum proposal_needs needs;
};

/* Proposes a check; `why` is a sentence, as by printf. One of the same name gets a number behind it. */
void init_propose(struct search *search, const struct check_row *row, const struct value *values,
                  const char *why, ...) _printf_(4, 5);

/* Tells the person who looks on what is not there, or why it could not be asked. */
void init_tell(struct search *search, const char *format, ...) _printf_(2, 3);

/* Adds a place to look at; `where` is copied. What was added before is not added again. */
void look_also(struct search *search, enum place_kind kind, const char *where, const char *from);

/* GET, a few seconds, 256 KiB: the status, or a negative errno. `ret` (may be NULL) gets the answer when it
 * is JSON. */
long ask_json(struct search *search, const char *url, cJSON **ret);

/* The environment's variable, NULL when it is not set or empty. */
const char *init_environment(const char *name);

/* The finders; each proposes what it finds. */
typedef void finder_function(struct search *search);
finder_function find_machine, find_mounts, find_units, find_docker, find_web, find_postgres, find_redis,
        find_directories, find_buckets;

/* Which of the web's services answers there: proposes its checks. `service` is its name when somebody has
 * told it, else NULL. True when something answered. */
bool find_web_at(struct search *search, const char *base, const char *service, const char *from);

#endif
