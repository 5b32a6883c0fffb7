/* SPDX-License-Identifier: Apache-2.0 */
/* An exchange as its handler sees it, and its end. */
#include "lib/http/server/internal.h"

struct http_ledger *http_ledger_new(void)
{
        struct http_ledger *ledger = calloc(1, sizeof(*ledger));
        if (!ledger)
                return NULL;
        atomic_init(&ledger->references, 1);
        pthread_mutex_init(&ledger->lock, NULL);
        return ledger;
}

struct http_ledger *http_ledger_unref(struct http_ledger *ledger)
{
        if (!ledger || atomic_fetch_sub(&ledger->references, 1) > 1)
                return NULL;
        pthread_mutex_destroy(&ledger->lock);
        free(ledger);
        return NULL;
}

atomic_size_t *http_body_account(struct http_exchange *exchange)
{
        return exchange->body_small ? &exchange->ledger->small_body_bytes : &exchange->ledger->body_bytes;
}

void http_body_drop(struct http_exchange *exchange)
{
        if (exchange->body_claimed > 0)
                atomic_fetch_sub(http_body_account(exchange), exchange->body_claimed);
        exchange->body_claimed = 0;
        text_free(&exchange->body);
        exchange->body = (struct text){0};
}

struct http_exchange *http_exchange_free(struct http_exchange *exchange)
{
        if (!exchange)
                return NULL;
        http_body_drop(exchange);
        if (exchange->response)
                MHD_destroy_response(exchange->response);
        http_content_unref(exchange->content);
        free(exchange->user);
        free(exchange->kept);
        for (size_t i = 0; i < N_ELEMENTS(exchange->headers); i++)
                free(exchange->headers[i].value);
        if (exchange->suspended)
                http_ledger_unref(exchange->ledger);
        free(exchange);
        return NULL;
}

void http_refuse(struct http_exchange *exchange, unsigned status, const char *text)
{
        exchange->refusal = status;
        exchange->refusal_text = text;
}

const char *http_path(const struct http_exchange *exchange)
{
        return exchange->path;
}

const void *http_route_data(const struct http_exchange *exchange)
{
        return exchange->route->data;
}

const char *http_path_parameter(const struct http_exchange *exchange)
{
        return exchange->parameter;
}

static const char *next_pair(const struct http_exchange *exchange, const char *pair)
{
        if (!pair)
                pair = exchange->query;
        else {
                pair += strlen(pair) + 1;
                pair += strlen(pair) + 1;
        }
        return pair < exchange->query_end ? pair : NULL;
}

const char *http_query(const struct http_exchange *exchange, const char *name)
{
        for (const char *pair = NULL; (pair = next_pair(exchange, pair));)
                if (strcmp(pair, name) == 0)
                        return pair + strlen(pair) + 1;
        return NULL;
}

const char *http_query_unknown(const struct http_exchange *exchange, const char *const *known)
{
        for (const char *pair = NULL; (pair = next_pair(exchange, pair));) {
                size_t i = 0;
                while (known[i] && strcmp(known[i], pair) != 0)
                        i++;
                if (!known[i] && *pair)
                        return pair;
        }
        return NULL;
}

void http_query_each(const struct http_exchange *exchange, const char *name,
                     void (*each)(void *context, const char *value), void *context)
{
        for (const char *pair = NULL; (pair = next_pair(exchange, pair));)
                if (strcmp(pair, name) == 0)
                        each(context, pair + strlen(pair) + 1);
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
        return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

void http_keep(struct http_exchange *exchange, void *take)
{
        free(exchange->kept);
        exchange->kept = take;
}

void *http_kept(const struct http_exchange *exchange)
{
        return exchange->kept;
}

void http_set_header(struct http_exchange *exchange, const char *name, char *take)
{
        for (size_t i = 0; take && i < N_ELEMENTS(exchange->headers); i++)
                if (!exchange->headers[i].value) {
                        exchange->headers[i].name = name;
                        exchange->headers[i].value = take;
                        return;
                }
        free(take);
}

const struct text *http_body(const struct http_exchange *exchange)
{
        return &exchange->body;
}
