/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What request bodies may take of the memory, all together.
 *
 * What has arrived counts, not what was promised: who announces 16 MiB and sends nothing keeps nobody out.
 * When there is no room left, whoever has sent much and has stopped before the end gives his up. Routes that
 * take little, such as those of decisions, have an account of their own, so that no large body is before
 * them.
 */
#include "lib/http/server/internal.h"

static const size_t SMALL_BUDGET = (size_t)8 << 20;

/* Makes room for what is missing, when others can give it. */
static bool make_room(struct http_exchange *exchange, struct http_place *place, size_t held, size_t budget)
{
        struct http_places *places = &exchange->server->places;
        return held <= budget + places->leaving ||
               http_places_free_bytes(places, place, held - budget - places->leaving);
}

bool http_body_claim(struct http_exchange *exchange, size_t length)
{
        struct http_place *place = http_link_place(exchange->connection);
        size_t budget = exchange->body_small ? SMALL_BUDGET : exchange->server->body_budget;
        size_t held = atomic_fetch_add(http_body_account(exchange), length) + length;
        exchange->body_claimed += length;
        if (place) {
                place->arrived = exchange->body_claimed;
                place->small = exchange->body_small;
                place->stirred = clock_monotonic();
        }
        if (held <= budget || (place && make_room(exchange, place, held, budget)))
                return true;
        http_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests at once, try again");
        return false;
}

void http_body_whole(struct http_exchange *exchange)
{
        struct http_place *place = http_link_place(exchange->connection);
        if (!place || place->ending || place->arrived == 0)
                return;
        place->arrived = 0;
        http_connection_patience(exchange->connection, exchange->server->idle_timeout);
}
