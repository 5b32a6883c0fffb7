/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of the HTTP server: made in the thread that answers, sent by the event thread. */
#include "lib/http/server/internal.h"

/*
 * Bytes to be sent many times. The first answer makes MHD's response for them, which then owns the bytes and
 * lives until its last sending is over; building one takes longer than sending it.
 */
struct http_content {
        atomic_uint references;
        char *data; /* NULL when empty; owned by the response once there is one */
        size_t length;
        struct {
                const char *name, *value;
        } headers[4]; /* closed by a NULL name, unless all are taken */

        pthread_mutex_t lock; /* of what follows */
        struct MHD_Response *response;
        char *type;
};

struct http_content *http_content_new(struct text *take)
{
        size_t length = take->length;
        char *data = text_take(take);
        /* It will be kept: without the room in which it grew. */
        char *exact = data ? realloc(data, length + 1) : NULL;
        if (exact)
                data = exact;
        struct http_content *content = data || length == 0 ? calloc(1, sizeof(*content)) : NULL;
        if (!content) {
                free(data);
                return NULL;
        }
        atomic_init(&content->references, 1);
        content->data = data;
        content->length = length;
        pthread_mutex_init(&content->lock, NULL);
        return content;
}

struct http_content *http_content_ref(struct http_content *content)
{
        if (content)
                atomic_fetch_add(&content->references, 1);
        return content;
}

struct http_content *http_content_unref(struct http_content *content)
{
        if (!content || atomic_fetch_sub(&content->references, 1) > 1)
                return NULL;
        if (content->response)
                MHD_destroy_response(content->response);
        else
                free(content->data);
        free(content->type);
        pthread_mutex_destroy(&content->lock);
        free(content);
        return NULL;
}

void http_content_set_header(struct http_content *content, const char *name, const char *value)
{
        size_t i = 0;

        while (i < N_ELEMENTS(content->headers) && content->headers[i].name)
                i++;
        if (i == N_ELEMENTS(content->headers))
                return;
        content->headers[i].name = name;
        content->headers[i].value = value;
}

static void add_headers(struct MHD_Response *response, const struct http_content *content)
{
        for (size_t i = 0; i < N_ELEMENTS(content->headers) && content->headers[i].name; i++)
                MHD_add_response_header(response, content->headers[i].name, content->headers[i].value);
}

size_t http_content_length(const struct http_content *content)
{
        return content->length;
}

const char *http_content_data(const struct http_content *content)
{
        return content->data ? content->data : "";
}

static void set_type(struct MHD_Response *response, const char *content_type)
{
        if (!content_type)
                return;
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
        /* The pages have buttons that act: no browser may guess types, and nobody may frame them. */
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
        if (string_starts(content_type, "text/html"))
                MHD_add_response_header(response, "X-Frame-Options", "DENY");
}

/* A response that frees `data` (which may be NULL) when it is over; on failure too. */
static struct MHD_Response *response_new(char *data, size_t length, const char *content_type)
{
        static char nothing[] = "";
        struct MHD_Response *response =
                data ? MHD_create_response_from_buffer_with_free_callback_cls(length, data, free, data)
                     : MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
        if (!response) {
                free(data);
                return NULL;
        }
        set_type(response, content_type);
        return response;
}

static void content_release(void *content)
{
        http_content_unref(content);
}

/* A response of its own for content that is cached under another type. */
static struct MHD_Response *content_response_once(struct http_content *content, const char *content_type)
{
        struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
                content->length, content->data, content_release, http_content_ref(content));
        if (!response) {
                http_content_unref(content);
                return NULL;
        }
        set_type(response, content_type);
        add_headers(response, content);
        return response;
}

/* Makes the cached response unless it is there; true when it is and has this type. */
static bool content_prepare(struct http_content *content, const char *content_type)
{
        pthread_mutex_lock(&content->lock);
        if (!content->response) {
                char *type = strdup(content_type ? content_type : "");
                struct MHD_Response *response =
                        type && content->data ? MHD_create_response_from_buffer_with_free_callback_cls(
                                                        content->length, content->data, free, content->data)
                                              : NULL;
                if (response) {
                        set_type(response, content_type);
                        add_headers(response, content);
                        content->response = response;
                        content->type = TAKE_PTR(type);
                }
                free(type);
        }
        bool ready = content->response && string_equal(content->type, content_type ? content_type : "");
        pthread_mutex_unlock(&content->lock);
        return ready;
}

/* Takes the response or the reference on the content; the exchange must not be touched afterwards. */
static void answer(struct http_exchange *exchange, unsigned status, struct http_content *content,
                   struct MHD_Response *response)
{
        struct http_server *server = exchange->server;
        bool elsewhere = exchange->suspended, last = false;

        if (elsewhere)
                pthread_mutex_lock(&server->lock);
        if (!exchange->answered) {
                exchange->answered = true;
                exchange->status = status;
                exchange->content = TAKE_PTR(content);
                exchange->response = TAKE_PTR(response);
                if (elsewhere) {
                        if (exchange->previous)
                                exchange->previous->next = exchange->next;
                        else
                                server->waiting = exchange->next;
                        if (exchange->next)
                                exchange->next->previous = exchange->previous;
                        /* Under the lock, so that http_server_stop() finds no exchange in between. */
                        MHD_resume_connection(exchange->connection);
                }
        }
        if (elsewhere) {
                last = --exchange->holders == 0;
                pthread_mutex_unlock(&server->lock);
        }

        /* What comes after http_server_stop() has already answered goes nowhere. */
        http_content_unref(content);
        if (response)
                MHD_destroy_response(response);
        if (last)
                http_exchange_free(exchange);
}

void http_exchange_abandon(struct http_exchange *exchange)
{
        char *data = strdup("shutting down\n");
        exchange->answered = true;
        exchange->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        exchange->response = data ? response_new(data, strlen(data), HTTP_TYPE_TEXT) : NULL;
        if (exchange->response)
                MHD_add_response_header(exchange->response, MHD_HTTP_HEADER_CONNECTION, "close");
        MHD_resume_connection(exchange->connection);
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
        answer(exchange, status, NULL, response_new(text_take(take), length, content_type));
}

void http_reply_content(struct http_exchange *exchange, unsigned status, const char *content_type,
                        struct http_content *content)
{
        /* A response that all share holds no headers of one server's configuration. */
        if (!exchange->server->secure && content_prepare(content, content_type))
                answer(exchange, status, http_content_ref(content), NULL);
        else if (content->data)
                answer(exchange, status, NULL, content_response_once(content, content_type));
        else
                answer(exchange, status, NULL, response_new(NULL, 0, content_type));
}

void http_reply_text(struct http_exchange *exchange, unsigned status, const char *format, ...)
{
        struct text text = {0};
        va_list args;
        va_start(args, format);
        text_vprintf(&text, format, args);
        va_end(args);
        text_putc(&text, '\n');
        size_t length = text.length;
        answer(exchange, status, NULL, response_new(text_take(&text), length, HTTP_TYPE_TEXT));
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
        text_putc(&text, '\n');
        size_t length = text.length;
        struct MHD_Response *response = response_new(text_take(&text), length, HTTP_TYPE_TEXT);
        if (response && exchange->refusal == MHD_HTTP_METHOD_NOT_ALLOWED)
                add_allow(exchange, response);
        if (response && exchange->refusal == MHD_HTTP_UNAUTHORIZED)
                MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                        "Basic realm=\"runbook\", charset=\"UTF-8\"");
        if (response && exchange->closes)
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        answer(exchange, exchange->refusal, NULL, response);
}

enum MHD_Result http_exchange_send(struct http_exchange *exchange)
{
        struct MHD_Connection *connection = exchange->connection;
        if (exchange->content)
                return MHD_queue_response(connection, exchange->status, exchange->content->response);
        /* Out of memory when it was to be made: the connection ends. */
        if (!exchange->response)
                return MHD_NO;
        http_secure_put_headers(exchange->server->secure, exchange->response);
        enum MHD_Result result = MHD_queue_response(connection, exchange->status, exchange->response);
        MHD_destroy_response(TAKE_PTR(exchange->response));
        return result;
}
