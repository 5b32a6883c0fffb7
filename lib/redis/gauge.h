/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a reply is, found out from its framing before hiredis takes it: a header of a few bytes would have
 * its reader allocate for as many elements as it promises.
 *
 * It knows RESP2, which is all that a server speaks that was not asked for more, and is stricter than the
 * reader, so that both see the same frames: https://redis.io/docs/reference/protocol-spec/.
 */
#ifndef LIB_REDIS_GAUGE_H
#define LIB_REDIS_GAUGE_H

#include "runbook/error.h"

#define REPLY_BYTES_MAX ((size_t)64 << 20)
#define REPLY_ELEMENTS_MAX ((size_t)1 << 18) /* of all its arrays: about 20 MB in hiredis' form */
#define REPLY_LINE_MAX ((size_t)64 << 10)    /* a word, an error or a number: what is long has its length */
#define REPLY_DEPTH_MAX 7                    /* hiredis 0.14 takes no more */

/* Zeroed at the beginning of a connection. */
struct reply_gauge {
        size_t replies;                         /* how many are complete */
        size_t bytes, elements;                 /* of the one that is under way */
        size_t depth, awaited[REPLY_DEPTH_MAX]; /* elements that its open arrays still wait for */
        size_t rest;                            /* of a bulk string and its line break */
        char type;                              /* of the line that is under way; 0: a line begins */
        bool ended, negative;                   /* the line has its \r; its number began with - */
        size_t line;                            /* bytes of it so far */
        size_t digits, number;                  /* what the line says so far */
};

/* Goes over the next bytes of a connection. -EMSGSIZE or -EPROTO, once and for all. */
int reply_gauge_take(struct reply_gauge *gauge, const char *data, size_t length, struct error *error);

#endif
