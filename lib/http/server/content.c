/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent: the bytes of one answer, or of many. */
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
        if (!string_starts(content_type, "text/html"))
                return;
        MHD_add_response_header(response, "X-Frame-Options", "DENY");
        /* Whatever should ever get into a page as markup loads nothing, runs nothing and sends nothing away.
         */
        MHD_add_response_header(
                response, "Content-Security-Policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
        MHD_add_response_header(response, "Referrer-Policy", "same-origin");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

/* A response that frees `data` (which may be NULL) when it is over; on failure too. */
struct MHD_Response *http_response_new(char *data, size_t length, const char *content_type)
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
struct MHD_Response *http_content_response_once(struct http_content *content, const char *content_type)
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
bool http_content_prepare(struct http_content *content, const char *content_type)
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

struct MHD_Response *http_content_response(const struct http_content *content)
{
        return content->response;
}
