/* SPDX-License-Identifier: Apache-2.0 */
/* A body of JSON, posted to one receiver. */
#include <errno.h>

#include "responder/targets/formats/format.h"
#include "responder/targets/internal.h"
#include "runbook/http_client.h"

/*
 * A webhook's path is its password, and both libcurl's sentences and a server's "not found: /path" repeat it.
 * So nothing of either is passed on, only what sort of failure it was.
 */
int format_failed(int result, const struct receiver *receiver, const char *protocol, struct error *error)
{
        static const struct {
                int code;
                const char *sentence;
        } sentences[] = {
                {ETIMEDOUT, "did not answer in time"},
                {ECONNREFUSED, "refused the connection"},
                {EHOSTUNREACH, "has a host name that does not resolve"},
                {EMSGSIZE, "answered with more than it should"},
                {EINVAL, "has an invalid URL"},
        };
        if (result == -EPROTO)
                return error_set(
                        error, EPROTO,
                        "receiver \"%s\" does not speak %s or TLS as it should, or has a certificate "
                        "that is not trusted",
                        receiver->name, protocol);
        for (size_t i = 0; i < N_ELEMENTS(sentences); i++)
                if (sentences[i].code == -result)
                        return error_set(error, -result, "receiver \"%s\" %s", receiver->name,
                                         sentences[i].sentence);
        return error_set(error, -result, "receiver \"%s\" could not be reached", receiver->name);
}

nsec retry_after_parse(const char *value)
{
        char *end = NULL;
        errno = 0;
        long long seconds = strtoll(value, &end, 10);
        bool whole = errno == 0 && end != value && *end == '\0';
        return whole && seconds > 0 && seconds <= 24 * 3600 ? (nsec)seconds * NSEC_PER_SEC : 0;
}

static void read_wait(const struct http_response *response, nsec *ret_wait)
{
        _cleanup_text_ struct text value = {0};
        if (ret_wait && http_response_header(response, "Retry-After", &value))
                *ret_wait = retry_after_parse(text_string(&value));
}

int format_read(const struct delivery *delivery, const char *what, const struct secret *secret,
                struct text *value, struct error *error)
{
        const char *name = delivery->receiver->name;
        int r = secret_read(secret, value, error);
        if (r < 0)
                return error_prefix(error, r, "receiver \"%s\"", name);
        if (text_error(value) < 0)
                return error_oom(error);
        if (value->length == 0)
                return error_set(error, EINVAL, "receiver \"%s\" has an empty %s", name, what);
        return strpbrk(text_string(value), "\r\n")
                       ? error_set(error, EINVAL, "receiver \"%s\" has a %s of more than one line", name,
                                   what)
                       : 0;
}

/* Who hung up has perhaps heard it: so that is not tried again, unless it is asked for. */
static int post_body(const struct delivery *delivery, const char *url, const char *body, struct error *error)
{
        static const char *const headers[] = {"Content-Type: application/json; charset=utf-8", NULL};
        const struct receiver *receiver = delivery->receiver;
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (!client)
                return error_oom(error);
        struct http_request request = {
                .method = "POST",
                .url = url,
                .url_is_secret = true,
                .headers = headers,
                .body = body,
                .body_length = strlen(body),
                .body_limit = 64 * 1024,
                .bearer = &receiver->token,
                .deadline = delivery->deadline,
        };
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_error_ struct error why = {0};
        int r = http_fetch(client, &request, &response, &why);
        if (r == -ENOENT || r == -ENOKEY || r == -EFBIG)
                return error_set(error, -r, "receiver \"%s\": %s", receiver->name, error_text(&why));
        if (r < 0) {
                format_failed(r, receiver, "HTTP", error);
                return why.may_pass && r != -EPROTO ? error_may_pass(error, r) : r;
        }
        if (response.status >= 200 && response.status <= 299)
                return 0;
        read_wait(&response, delivery->ret_wait);
        r = error_set(error, EREMOTEIO, "receiver \"%s\" answered HTTP %ld", receiver->name, response.status);
        return response.status >= 500 || response.status == 429 ? error_may_pass(error, r) : r;
}

int format_post(const struct delivery *delivery, const char *url, cJSON *body, struct error *error)
{
        char *text = body ? json_print(body) : NULL;
        cJSON_Delete(body);
        if (!text)
                return error_oom(error);
        int r = post_body(delivery, url, text, error);
        /* PagerDuty has its key in the body. */
        explicit_bzero(text, strlen(text));
        free(text);
        return r;
}
