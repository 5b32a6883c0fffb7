/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests signed as AWS wants it: Signature Version 4,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * Not by libcurl, which signs differently from version to version, and some things wrongly: 8.14 takes the
 * plus in a prefix, or in the token that a listing goes on by, for a space.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/http/client/internal.h"
#include "runbook/digest.h"

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

/* A part of the URL as it stands there; one that is not there is "". */
static void put_part(struct text *text, CURLU *url, CURLUPart part, const char *lead)
{
        char *value = NULL;
        if (curl_url_get(url, part, &value, CURLU_NO_DEFAULT_PORT) == CURLUE_OK) {
                text_puts(text, lead);
                text_puts(text, value);
        }
        curl_free(value);
}

/* What a signature is made of. */
struct signing_parts {
        struct text path, query, host;
        struct text access_key, token;
        struct text secret_key; /* "AWS4" before it, as it is used */
        char date[sizeof("20130524T000000Z")];
        struct text scope;
};

static void parts_release(struct signing_parts *parts)
{
        struct text *all[] = {&parts->path,       &parts->query, &parts->host, &parts->access_key,
                              &parts->secret_key, &parts->token, &parts->scope};
        for (size_t i = 0; i < N_ELEMENTS(all); i++)
                text_wipe(all[i]);
}

static int parts_read_url(struct signing_parts *parts, const char *string, struct error *error)
{
        CURLU *url = curl_url();
        if (!url)
                return error_oom(error);
        CURLUcode code = curl_url_set(url, CURLUPART_URL, string, 0);
        if (code == CURLUE_OK) {
                put_part(&parts->path, url, CURLUPART_PATH, "");
                put_part(&parts->query, url, CURLUPART_QUERY, "");
                put_part(&parts->host, url, CURLUPART_HOST, "");
                put_part(&parts->host, url, CURLUPART_PORT, ":");
        }
        curl_url_cleanup(url);
        if (text_error(&parts->path) < 0 || text_error(&parts->query) < 0 || text_error(&parts->host) < 0)
                return error_oom(error);
        return code == CURLUE_OK ? 0 : error_set(error, EINVAL, "no URL that can be signed");
}

static int parts_read(struct signing_parts *parts, const struct http_aws_signing *signing, const char *url,
                      nsec now, struct error *error)
{
        time_t seconds = (time_t)(now / NSEC_PER_SEC);
        struct tm tm = {0};
        gmtime_r(&seconds, &tm);
        strftime(parts->date, sizeof(parts->date), "%Y%m%dT%H%M%SZ", &tm);
        text_printf(&parts->scope, "%.8s/%s/%s/aws4_request", parts->date, signing->region, signing->service);
        text_puts(&parts->secret_key, "AWS4");
        int r = parts_read_url(parts, url, error);
        if (r >= 0)
                r = read_key(signing->access_key, "the access key", &parts->access_key, error);
        if (r >= 0)
                r = read_key(signing->secret_key, "the secret key", &parts->secret_key, error);
        if (r >= 0 && signing->session_token && secret_is_set(signing->session_token))
                r = read_key(signing->session_token, "the session token", &parts->token, error);
        return r;
}

#define SIGNED_HEADERS "host;x-amz-content-sha256;x-amz-date"

static const char *signed_headers(const struct signing_parts *parts)
{
        return parts->token.length > 0 ? SIGNED_HEADERS ";x-amz-security-token" : SIGNED_HEADERS;
}

/* The request in AWS's own form, with each header in a line. */
static void put_canonical(struct text *text, const struct signing_parts *parts)
{
        text_printf(text, "GET\n%s\n%s\nhost:%s\nx-amz-content-sha256:" EMPTY_HASH "\nx-amz-date:%s\n",
                    text_string(&parts->path), text_string(&parts->query), text_string(&parts->host),
                    parts->date);
        if (parts->token.length > 0)
                text_printf(text, "x-amz-security-token:%s\n", text_string(&parts->token));
        text_printf(text, "\n%s\n" EMPTY_HASH, signed_headers(parts));
}

static bool put_signed_text(struct text *text, const struct signing_parts *parts)
{
        _cleanup_secret_ struct text canonical = {0};
        unsigned char hash[DIGEST_SIZE];
        char hash_text[DIGEST_TEXT_MAX];
        put_canonical(&canonical, parts);
        if (text_error(&canonical) < 0 || digest_of(text_string(&canonical), canonical.length, hash) < 0)
                return false;
        text_printf(text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", parts->date, text_string(&parts->scope),
                    digest_text(hash, hash_text));
        return text_error(text) == 0;
}

/* The key of each step is the code of the one before; the last code is the signature. */
static bool add_signature(const struct signing_parts *parts, const struct http_aws_signing *signing,
                          const char *signed_text, unsigned char ret[static DIGEST_SIZE])
{
        char day[9] = {0};
        const char *const steps[] = {day, signing->region, signing->service, "aws4_request", signed_text};
        const void *key = text_string(&parts->secret_key);
        size_t length = parts->secret_key.length;
        memcpy(day, parts->date, 8);
        for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
                unsigned char code[DIGEST_SIZE];
                if (!HMAC(EVP_sha256(), key, (int)length, (const unsigned char *)steps[i], strlen(steps[i]),
                          code, NULL))
                        return false;
                memcpy(ret, code, DIGEST_SIZE);
                explicit_bzero(code, DIGEST_SIZE);
                key = ret;
                length = DIGEST_SIZE;
        }
        return true;
}

static bool add_line(struct curl_slist **headers, const char *name, const char *value)
{
        _cleanup_secret_ struct text line = {0};
        text_printf(&line, "%s: %s", name, value);
        return text_error(&line) == 0 && http_add_header(headers, text_string(&line));
}

static int add_signed(struct curl_slist **headers, const struct signing_parts *parts,
                      const struct http_aws_signing *signing, struct error *error)
{
        _cleanup_text_ struct text signed_text = {0}, authorization = {0};
        unsigned char signature[DIGEST_SIZE];
        char signature_text[DIGEST_TEXT_MAX];
        if (!put_signed_text(&signed_text, parts) ||
            !add_signature(parts, signing, text_string(&signed_text), signature))
                return error_oom(error);
        text_printf(&authorization, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                    text_string(&parts->access_key), text_string(&parts->scope), signed_headers(parts),
                    digest_text(signature, signature_text));
        bool added = text_error(&authorization) == 0 &&
                     add_line(headers, "Host", text_string(&parts->host)) &&
                     add_line(headers, "x-amz-content-sha256", EMPTY_HASH) &&
                     add_line(headers, "x-amz-date", parts->date) &&
                     (parts->token.length == 0 ||
                      add_line(headers, "x-amz-security-token", text_string(&parts->token))) &&
                     add_line(headers, "Authorization", text_string(&authorization));
        return added ? 0 : error_oom(error);
}

int http_aws_sign(struct curl_slist **headers, const struct http_aws_signing *signing, const char *url,
                  nsec now, struct error *error)
{
        _cleanup_(parts_release) struct signing_parts parts = {0};
        int r = parts_read(&parts, signing, url, now, error);
        return r < 0 ? r : add_signed(headers, &parts, signing, error);
}

int http_add_aws_headers(struct curl_slist **headers, const struct http_request *request, struct error *error)
{
        if (request->method || request->body_length > 0 || request->headers || request->bearer)
                return error_set(error, EINVAL, "only a plain GET can be signed");
        if (!http_add_header(headers, "Accept-Encoding:"))
                return error_oom(error);
        int r = http_aws_sign(headers, request->aws, request->url, clock_wall(), error);
        /* As http_thread_done() does for TLS: what OpenSSL keeps for this thread. */
        OPENSSL_thread_stop();
        return r;
}
