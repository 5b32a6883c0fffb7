/* SPDX-License-Identifier: Apache-2.0 */
/* A neighbour on a port of its own, served by the house's own server. */
#include "tests/harness/neighbour.h"

#include <stdio.h>

#include "tests/harness/unit.h"

struct parameter {
        struct text *asked;
        const char *name;
};

static void put_parameter(void *context, const char *value)
{
        const struct parameter *parameter = context;
        text_printf(parameter->asked, " <%s=%s>", parameter->name, value);
}

static void answer(struct http_exchange *exchange, void *context)
{
        static const char *const names[] = {"query",     "collect[]", "silenced",
                                            "inhibited", "receiver",  "filter"};
        static const char *const headers[] = {"Content-Type", "X-Asked"};
        struct neighbour *neighbour = context;
        struct text text = {0};
        pthread_mutex_lock(&neighbour->lock);
        text_printf(&neighbour->asked, "%s %s", (const char *)http_route_data(exchange), http_path(exchange));
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                http_query_each(exchange, names[i], put_parameter,
                                &(struct parameter){&neighbour->asked, names[i]});
        for (size_t i = 0; i < N_ELEMENTS(headers); i++)
                if (http_header(exchange, headers[i]))
                        text_printf(&neighbour->asked, " [%s: %s]", headers[i],
                                    http_header(exchange, headers[i]));
        if (http_body(exchange)->length > 0)
                text_printf(&neighbour->asked, " %s", text_string(http_body(exchange)));
        text_putc(&neighbour->asked, '\n');
        const char *special = string_ends(http_path(exchange), "/silences") ? neighbour->silences
                              : string_ends(http_path(exchange), "/status") ? neighbour->uptime
                                                                            : NULL;
        text_puts(&text, special ? special : neighbour->answer);
        unsigned status = neighbour->status;
        pthread_mutex_unlock(&neighbour->lock);
        http_reply(exchange, status, HTTP_TYPE_TEXT, &text);
}

static const struct http_route routes[] = {{"GET", "/at/api/v1/query", answer, 0, "GET"},
                                           {"GET", "/at/api/v1/query_range", answer, 0, "GET"},
                                           {"POST", "/at/api/v1/query", answer, 1 << 20, "POST"},
                                           {"GET", "/at/api/v2/alerts", answer, 0, "GET"},
                                           {"POST", "/at/api/v2/alerts", answer, 1 << 20, "POST"},
                                           {"GET", "/at/api/v2/silences", answer, 0, "GET"},
                                           {"GET", "/at/api/v2/status", answer, 0, "GET"},
                                           {"GET", "/at/metrics", answer, 0, "GET"},
                                           {0}};

void neighbour_start(struct neighbour *neighbour)
{
        *neighbour = (struct neighbour){.status = 200, .answer = ""};
        pthread_mutex_init(&neighbour->lock, NULL);
        const struct http_server_options options = {
                .listen_addresses = HTTP_ADDRESSES("127.0.0.1:0"), .routes = routes, .context = neighbour};
        assert_int_equal(http_server_start(&options, &neighbour->server, NULL), 0);
        snprintf(neighbour->url, sizeof(neighbour->url), "http://127.0.0.1:%u/at",
                 http_server_port(neighbour->server));
}

void neighbour_stop(struct neighbour *neighbour)
{
        http_server_stop(neighbour->server);
        text_free(&neighbour->asked);
        pthread_mutex_destroy(&neighbour->lock);
}

void neighbour_says(struct neighbour *neighbour, unsigned status, const char *answer)
{
        pthread_mutex_lock(&neighbour->lock);
        neighbour->status = status;
        neighbour->answer = answer;
        text_clear(&neighbour->asked);
        pthread_mutex_unlock(&neighbour->lock);
}
