/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests signed as AWS wants it (Signature Version 4), by libcurl.
 *
 * Libcurl 7.88 signs the query as it stands in the URL, signs every header line that it is given, also those
 * that only keep it from sending its own, and sends no hash of the body, which S3 demands. Later ones sort,
 * encode and hash by themselves. So callers give a query that is sorted and encoded already, the hash is sent
 * from here, and there are no other headers: all of them then sign the same.
 */
#include <errno.h>

#include "http_client_internal.h"

/* SHA-256 of nothing: the body of a GET. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Appends a secret; an empty one, or one of several lines, is the wrong file. */
static int read_key(const struct secret *key, const char *what, struct text *value, struct error *error)
{
        size_t start = value->length;
        int r = secret_read(key, value, error);

        if (r < 0)
                return error_prefix(error, r, "%s", what);
        if (text_error(value) < 0)
                return error_oom(error);
        if (value->length == start)
                return error_set(error, EINVAL, "%s is empty", what);
        if (strpbrk(text_string(value) + start, "\r\n"))
                return error_set(error, EINVAL, "%s is more than one line", what);
        return 0;
}

int http_add_aws_headers(struct curl_slist **headers, const struct http_request *request, struct error *error)
{
        const struct secret *token = request->aws->session_token;
        _cleanup_secret_ struct text line = {0};

        if (request->method || request->body_length > 0 || request->headers || request->bearer)
                return error_set(error, EINVAL, "only a plain GET can be signed");
        if (!http_add_header(headers, "x-amz-content-sha256: " EMPTY_HASH))
                return error_oom(error);
        if (!token || !secret_is_set(token))
                return 0;
        text_puts(&line, "x-amz-security-token: ");
        int r = read_key(token, "the session token", &line, error);
        if (r < 0)
                return r;
        return http_add_header(headers, text_string(&line)) ? 0 : error_oom(error);
}

/* Libcurl keeps a copy until the request is over. */
static int set_key(CURL *curl, CURLoption option, const struct secret *key, const char *what,
                   struct error *error)
{
        _cleanup_secret_ struct text value = {0};
        int r = read_key(key, what, &value, error);

        if (r < 0)
                return r;
        return curl_easy_setopt(curl, option, text_string(&value)) == CURLE_OK ? 0 : error_oom(error);
}

int http_set_aws(CURL *curl, const struct http_aws_signing *signing, struct error *error)
{
        _cleanup_free_ char *scope = text_format("aws:amz:%s:%s", signing->region, signing->service);

        if (!scope)
                return error_oom(error);
        if (curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, scope) != CURLE_OK)
                return error_set(error, ENOTSUP, "this libcurl cannot sign requests for AWS");
        int r = set_key(curl, CURLOPT_USERNAME, signing->access_key, "the access key", error);
        return r < 0 ? r : set_key(curl, CURLOPT_PASSWORD, signing->secret_key, "the secret key", error);
}
