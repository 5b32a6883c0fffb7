/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: put together, and as they may be shown. */
#include "lib/http/client/internal.h"
#include "lib/http/client/trace.h"

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

char *http_url_shown(const struct http_request *request)
{
        return http_url_part(request->url, !request->url_is_secret);
}
