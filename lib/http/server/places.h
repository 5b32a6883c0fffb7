/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of a server, one for each connection, and who has to give his up when they are all taken.
 *
 * Nobody keeps others out by connecting: once the places are taken, a new connection gets that of one that
 * nobody works for (its request has not come whole, it idles, or it does not take its answer), of the address
 * that has the most. The last quarter of them is for addresses that have few. All on the event thread.
 */
#ifndef LIB_HTTP_SERVER_PLACES_H
#define LIB_HTTP_SERVER_PLACES_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "runbook/clock.h"

struct http_peer;

/* One connection's; a part of its link. */
struct http_place {
        struct http_place *previous, *next; /* by age, the oldest first */
        struct http_peer *peer;             /* NULL: it has no place */
        int fd;                             /* borrowed from the connection */
        nsec since;                         /* when it connected */
        bool asked;                         /* a whole head has come */
        bool held;                          /* its request is worked on */
        bool ending;                        /* given up; the connection ends soon */
        bool over;                          /* it came when no place could be made free */
        size_t arrived;                     /* of a body that is not whole yet: bytes */
        nsec stirred;                       /* when the last of them came */
        bool small;                         /* they are accounted for apart */
};

struct http_places {
        struct http_place *first, *last;
        struct http_peer *peers;
        unsigned limit;  /* of all together */
        nsec head_limit; /* how long a first head may take */
        unsigned count;  /* without those that end */
        size_t leaving;  /* bytes of bodies whose connections end, and which are freed soon */
};

/*
 * Takes a place for a connection that has just been made, at the time `now`; somebody else may lose his. An
 * IPv6 network of /64 is one address, for it is one machine's to choose from; a unix socket's peers have no
 * share. NULL as address: unknown. When out of memory it is as if no place were free.
 */
void http_places_enter(struct http_places *places, struct http_place *place, int fd,
                       const struct sockaddr *address, nsec now);

/*
 * Ends connections whose bodies have not come whole, until at least so many bytes of these will be free; not
 * that of `entering`. First those of the address that has the most bytes so, and of these the one that has
 * been silent for longest. False when there is nothing left to end.
 */
bool http_places_free_bytes(struct http_places *places, const struct http_place *entering, size_t wanted);

/* The connection has ended. */
void http_places_leave(struct http_places *places, struct http_place *place);

/* Whether there is still no place for this one. */
bool http_places_refuse(const struct http_places *places, const struct http_place *place);

#endif
