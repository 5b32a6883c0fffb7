/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of the HTTP server: made in the thread that answers, sent by the event thread. */
#include "lib/http/server/internal.h"

/* Takes the response or the reference on the content; the exchange must not be touched afterwards. */
static void answer_exchange(struct http_exchange *exchange, unsigned status, struct http_content *content,
                            struct MHD_Response *response)
{
        struct http_ledger *ledger = exchange->ledger;
        bool elsewhere = exchange->suspended, last = false;
        if (elsewhere)
                pthread_mutex_lock(&ledger->lock);
        if (!exchange->answered) {
                exchange->answered = true;
                exchange->status = status;
                exchange->content = TAKE_PTR(content);
                exchange->response = TAKE_PTR(response);
                if (elsewhere) {
                        if (exchange->previous)
                                exchange->previous->next = exchange->next;
                        else
                                ledger->waiting = exchange->next;
                        if (exchange->next)
                                exchange->next->previous = exchange->previous;
                        /* Under the lock, so that http_server_stop() finds no exchange in between. */
                        MHD_resume_connection(exchange->connection);
                }
        }
        if (elsewhere) {
                last = --exchange->holders == 0;
                pthread_mutex_unlock(&ledger->lock);
        }

        /* What comes after http_server_stop() has already answered goes nowhere. */
        http_content_unref(content);
        if (response)
                MHD_destroy_response(response);
        if (last)
                http_exchange_free(exchange);
}

/* What is there no room for now is there soon, for all that we know: seconds. */
#define RETRY_AFTER "5"

/* Takes a line of text. */
static struct MHD_Response *new_line(unsigned status, struct text *take)
{
        text_putc(take, '\n');
        size_t length = take->length;
        struct MHD_Response *response = http_response_new(text_take(take), length, HTTP_TYPE_TEXT);
        if (response && status == MHD_HTTP_SERVICE_UNAVAILABLE)
                MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER);
        return response;
}

void http_exchange_abandon(struct http_exchange *exchange)
{
        struct text text = {0};
        text_puts(&text, "shutting down");
        exchange->answered = true;
        exchange->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        exchange->response = new_line(exchange->status, &text);
        if (exchange->response)
                MHD_add_response_header(exchange->response, MHD_HTTP_HEADER_CONNECTION, "close");
        MHD_resume_connection(exchange->connection);
}

void http_reply_response(struct http_exchange *exchange, unsigned status, struct MHD_Response *take)
{
        answer_exchange(exchange, status, NULL, take);
}

void http_reply(struct http_exchange *exchange, unsigned status, const char *content_type, struct text *take)
{
        if (text_error(take) < 0) {
                text_free(take);
                *take = (struct text){0};
                http_reply_text(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
                return;
        }
        size_t length = take->length;
        answer_exchange(exchange, status, NULL, http_response_new(text_take(take), length, content_type));
}

void http_reply_content(struct http_exchange *exchange, unsigned status, const char *content_type,
                        struct http_content *content)
{
        /* A response that all share holds no headers of one server's configuration. */
        if (!exchange->secured && http_content_prepare(content, content_type))
                answer_exchange(exchange, status, http_content_ref(content), NULL);
        else if (http_content_length(content) > 0)
                answer_exchange(exchange, status, NULL, http_content_response_once(content, content_type));
        else
                answer_exchange(exchange, status, NULL, http_response_new(NULL, 0, content_type));
}

void http_reply_text(struct http_exchange *exchange, unsigned status, const char *format, ...)
{
        struct text text = {0};
        _cleanup_text_ struct text said = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&said, format, args);
        va_end(args);
        text_put_lines(&text, text_string(&said)); /* a curl's terminal shows it */
        answer_exchange(exchange, status, NULL, new_line(status, &text));
}

void http_reply_elsewhere(struct http_exchange *exchange, const char *path)
{
        http_set_header(exchange, MHD_HTTP_HEADER_LOCATION, strdup(path));
        http_reply_text(exchange, MHD_HTTP_SEE_OTHER, "see %s", path);
}

/* "GET, HEAD, POST" of every route that has the refused exchange's path. */
static void add_allow(const struct http_exchange *exchange, struct MHD_Response *response)
{
        _cleanup_text_ struct text allow = {0};
        for (const struct http_route *route = exchange->server->routes; route->method; route++) {
                if (strcmp(route->path, exchange->route->path) != 0)
                        continue;
                text_puts(&allow, allow.length > 0 ? ", " : "");
                text_puts(&allow, strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method);
        }
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, text_string(&allow));
}

void http_exchange_send_refusal(struct http_exchange *exchange)
{
        struct text text = {0};
        text_puts(&text, exchange->refusal_text);
        struct MHD_Response *response = new_line(exchange->refusal, &text);
        if (response && exchange->refusal == MHD_HTTP_METHOD_NOT_ALLOWED)
                add_allow(exchange, response);
        if (response && exchange->refusal == MHD_HTTP_UNAUTHORIZED)
                MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                        exchange->server->secure
                                                ? "Basic realm=\"runbook\", charset=\"UTF-8\""
                                                : "Bearer realm=\"runbook\"");
        if (response && exchange->closes)
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        answer_exchange(exchange, exchange->refusal, NULL, response);
}

enum MHD_Result http_exchange_send(struct http_exchange *exchange)
{
        struct MHD_Connection *connection = exchange->connection;
        if (exchange->content)
                return MHD_queue_response(connection, exchange->status,
                                          http_content_response(exchange->content));
        /* Out of memory when it was to be made: the connection ends. */
        if (!exchange->response)
                return MHD_NO;
        for (size_t i = 0; i < N_ELEMENTS(exchange->headers); i++)
                if (exchange->headers[i].value)
                        MHD_add_response_header(exchange->response, exchange->headers[i].name,
                                                exchange->headers[i].value);
        http_secure_put_headers(exchange->server->secure, exchange->response);
        enum MHD_Result result = MHD_queue_response(connection, exchange->status, exchange->response);
        MHD_destroy_response(TAKE_PTR(exchange->response));
        return result;
}
