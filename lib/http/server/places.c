/* SPDX-License-Identifier: Apache-2.0 */
/* The places of a server: taken, given back, and taken away again. */
#include "lib/http/server/places.h"

#include <stdlib.h>
#include <string.h>

/* Before this age nobody is late with his head. */
static const nsec FRESH = NSEC_PER_SEC;

/* Whoever has the same address. */
struct http_peer {
        struct http_peer *next;
        int family;
        struct in6_addr address; /* by family: nothing, 4 bytes, 8 bytes */
        unsigned count;          /* its places, without those that end */
};

static void read_address(const struct sockaddr *address, struct http_peer *ret)
{
        *ret = (struct http_peer){.family = address ? address->sa_family : AF_UNSPEC};
        if (ret->family == AF_INET) {
                const struct sockaddr_in *v4 = (const void *)address;
                memcpy(&ret->address, &v4->sin_addr, sizeof(v4->sin_addr));
                return;
        }
        if (ret->family != AF_INET6)
                return;
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(v6);
        if (mapped)
                ret->family = AF_INET;
        memcpy(&ret->address, mapped ? &v6->s6_addr[12] : v6->s6_addr, mapped ? 4 : 8);
}

/* The peer of this address, made when it is new; NULL when out of memory. */
static struct http_peer *find_peer(struct http_places *places, const struct sockaddr *address)
{
        struct http_peer wanted;
        read_address(address, &wanted);
        for (struct http_peer *peer = places->peers; peer; peer = peer->next)
                if (peer->family == wanted.family &&
                    memcmp(&peer->address, &wanted.address, sizeof(wanted.address)) == 0)
                        return peer;
        struct http_peer *peer = malloc(sizeof(*peer));
        if (!peer)
                return NULL;
        *peer = wanted;
        peer->next = places->peers;
        places->peers = peer;
        return peer;
}

static void forget_peer(struct http_places *places, struct http_peer *gone)
{
        struct http_peer **at = &places->peers;
        while (*at != gone)
                at = &(*at)->next;
        *at = gone->next;
        free(gone);
}

/* The event thread sees the connection's end, and closes it. */
static void give_up(struct http_places *places, struct http_place *place)
{
        place->ending = true;
        places->leaving += place->arrived;
        place->peer->count--;
        places->count--;
        shutdown(place->fd, SHUT_RDWR);
}

static void give_up_late_ones(struct http_places *places, nsec now)
{
        for (struct http_place *place = places->first; place && now - place->since > places->head_limit;
             place = place->next)
                if (!place->asked && !place->ending)
                        give_up(places, place);
}

/* Who goes before whom of the same address: late with a head, idle, only just come. */
static int rank(const struct http_place *place, nsec now)
{
        if (place->asked)
                return 1;
        return now - place->since > FRESH ? 2 : 0;
}

/* Makes a place free for `entering`; of `only`'s places when that is not NULL. Who had none leaves none. */
static bool make_room(struct http_places *places, const struct http_place *entering,
                      const struct http_peer *only, nsec now)
{
        struct http_place *chosen = NULL;
        for (struct http_place *place = places->first; place; place = place->next) {
                if (place == entering || place->held || place->ending || (only && place->peer != only))
                        continue;
                if (!chosen || place->peer->count > chosen->peer->count ||
                    (place->peer->count == chosen->peer->count && rank(place, now) > rank(chosen, now)))
                        chosen = place;
        }
        if (chosen)
                give_up(places, chosen);
        return chosen && !chosen->over;
}

/* All bytes of an address's bodies that are not whole. */
static size_t arrived_of(const struct http_places *places, const struct http_peer *peer, bool small)
{
        size_t bytes = 0;
        for (const struct http_place *place = places->first; place; place = place->next)
                if (place->peer == peer && place->small == small && !place->ending)
                        bytes += place->arrived;
        return bytes;
}

bool http_places_free_bytes(struct http_places *places, const struct http_place *entering, size_t wanted)
{
        for (size_t freed = 0; freed < wanted;) {
                struct http_place *chosen = NULL;
                size_t most = 0;
                for (struct http_place *place = places->first; place; place = place->next) {
                        if (place == entering || place->ending || place->arrived == 0 ||
                            place->small != entering->small)
                                continue;
                        size_t bytes = chosen && place->peer == chosen->peer
                                               ? most
                                               : arrived_of(places, place->peer, place->small);
                        if (!chosen || bytes > most || (bytes == most && place->stirred < chosen->stirred)) {
                                chosen = place;
                                most = bytes;
                        }
                }
                if (!chosen)
                        return false;
                freed += chosen->arrived;
                give_up(places, chosen);
        }
        return true;
}

/* The last quarter of the places is for addresses that have few. */
static bool has_share(const struct http_places *places, const struct http_peer *peer)
{
        bool counted = peer->family == AF_INET || peer->family == AF_INET6;
        unsigned most = places->limit - places->limit / 4;
        unsigned few = places->limit / 16 < 2 ? 2 : places->limit / 16;
        return !counted || peer->count <= (places->count > most ? few : most);
}

void http_places_enter(struct http_places *places, struct http_place *place, int fd,
                       const struct sockaddr *address, nsec now)
{
        *place = (struct http_place){.fd = fd, .since = now, .previous = places->last, .over = true};
        place->peer = find_peer(places, address);
        if (!place->peer)
                return;
        if (places->last)
                places->last->next = place;
        else
                places->first = place;
        places->last = place;
        place->peer->count++;
        places->count++;

        give_up_late_ones(places, now);
        bool fits = has_share(places, place->peer) || make_room(places, place, place->peer, now);
        if (places->count > places->limit)
                fits = make_room(places, place, NULL, now) && fits;
        place->over = !fits;
}

void http_places_leave(struct http_places *places, struct http_place *place)
{
        struct http_peer *peer = place->peer;
        if (!peer)
                return;
        if (place->previous)
                place->previous->next = place->next;
        else
                places->first = place->next;
        if (place->next)
                place->next->previous = place->previous;
        else
                places->last = place->previous;
        place->peer = NULL;
        if (place->ending)
                places->leaving -= place->arrived;
        if (!place->ending) {
                places->count--;
                peer->count--;
        }
        for (const struct http_place *other = places->first; other; other = other->next)
                if (other->peer == peer)
                        return;
        forget_peer(places, peer);
}

bool http_places_refuse(const struct http_places *places, const struct http_place *place)
{
        if (!place->over || !place->peer)
                return place->over;
        return places->count > places->limit || !has_share(places, place->peer);
}
