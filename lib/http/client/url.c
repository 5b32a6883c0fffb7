/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: put together, and as they may be shown. */
#include "lib/http/client/internal.h"
#include "lib/http/client/trace.h"

#include <errno.h>
#include <strings.h>

void http_put_url(struct text *text, const char *base, const char *path)
{
        size_t length = strlen(base);
        while (length > 0 && base[length - 1] == '/')
                length--;
        text_append(text, base, length);
        text_puts(text, path);
}

/* "https://host:port" of the URL; with `path`, the path as well. Never what may be secret. NULL: no URL. */
char *http_url_part(const char *string, bool path)
{
        static const CURLUPart secrets[] = {CURLUPART_USER,  CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                            CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_PATH};
        char *copy = NULL, *part = NULL;
        CURLU *url = curl_url();
        if (url && curl_url_set(url, CURLUPART_URL, string, 0) == CURLUE_OK) {
                for (size_t i = 0; i < N_ELEMENTS(secrets) - (path ? 1 : 0); i++)
                        curl_url_set(url, secrets[i], NULL, 0);
                if (curl_url_get(url, CURLUPART_URL, &part, 0) == CURLUE_OK)
                        copy = strdup(part);
        }
        curl_free(part);
        curl_url_cleanup(url);
        return copy;
}

/*
 * Libcurl has one name for SNI, for the certificate and for the address. So the URL gets the server name, the
 * connection goes to the URL's own host all the same, and "Host:" says that one too.
 */
static int set_server_name(CURL *curl, struct transfer *transfer, CURLU *url)
{
        const struct http_request *request = transfer->request;
        char *host = NULL, *port = NULL, *given_port = NULL, *renamed = NULL;
        bool set = curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                   curl_url_set(url, CURLUPART_HOST, request->server_name, 0) == CURLUE_OK &&
                   curl_url_get(url, CURLUPART_URL, &renamed, 0) == CURLUE_OK;
        (void)curl_url_get(url, CURLUPART_PORT, &given_port, 0);
        _cleanup_free_ char *to =
                set ? text_format("%s:%s:%s:%s", request->server_name, port, host, port) : NULL;
        _cleanup_free_ char *header =
                set ? text_format("Host: %s%s%s", host, given_port ? ":" : "", given_port ? given_port : "")
                    : NULL;
        bool has_host = request->aws != NULL;
        for (const char *const *line = request->headers; line && *line; line++)
                has_host = has_host || strncasecmp(*line, "Host:", strlen("Host:")) == 0;
        int r = to && header && (transfer->connect_to = curl_slist_append(NULL, to)) &&
                                (has_host || http_add_header(&transfer->headers, header))
                        ? 0
                        : -ENOMEM;
        if (r >= 0) {
                curl_easy_setopt(curl, CURLOPT_URL, renamed);
                curl_easy_setopt(curl, CURLOPT_CONNECT_TO, transfer->connect_to);
        }
        curl_free(host);
        curl_free(port);
        curl_free(given_port);
        curl_free(renamed);
        return r;
}

int http_set_url(CURL *curl, struct transfer *transfer)
{
        const struct http_request *request = transfer->request;
        if (!request->server_name || !*request->server_name) {
                curl_easy_setopt(curl, CURLOPT_URL, request->url);
                return 0;
        }
        CURLU *url = curl_url();
        int r = url && curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK
                        ? set_server_name(curl, transfer, url)
                        : -ENOMEM;
        curl_url_cleanup(url);
        return r;
}

char *http_url_shown(const struct http_request *request)
{
        return http_url_part(request->url, !request->url_is_secret);
}
