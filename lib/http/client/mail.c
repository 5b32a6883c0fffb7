/* SPDX-License-Identifier: Apache-2.0 */
/* Mails by libcurl. */
#include "runbook/mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/crypto.h>

#include "lib/http/client/internal.h"
#include "lib/http/client/trust.h"

const char *const mail_tls_words[] = {
        [MAIL_TLS_STARTTLS] = "starttls",
        [MAIL_TLS_IMPLICIT] = "implicit",
        [MAIL_TLS_NONE] = "none",
        NULL,
};
tables_agree(mail_tls_words, MAIL_TLS_COUNT + 1);

bool mail_server_valid(const char *server)
{
        const char *colon = strrchr(server, ':');
        char *end = NULL;
        long port = colon ? strtol(colon + 1, &end, 10) : 0;
        bool bracketed = colon && colon > server && server[0] == '[' && colon[-1] == ']';
        size_t host = colon ? (size_t)(colon - server) : 0;
        if (host == 0 || end == colon + 1 || *end != '\0' || port < 1 || port > 65535)
                return false;
        return strspn(server,
                      bracketed
                              ? "[]0123456789abcdefABCDEF:.%"
                              : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") >= host;
}

/* What is left of the mail. */
struct rest {
        const char *data;
        size_t length;
};

static size_t read_rest(char *buffer, size_t size, size_t count, void *context)
{
        struct rest *rest = context;
        size_t length = size * count < rest->length ? size * count : rest->length;
        memcpy(buffer, rest->data, length);
        rest->data += length;
        rest->length -= length;
        return length;
}

static int set_login(CURL *curl, const struct mail_request *request, struct error *error)
{
        _cleanup_secret_ struct text password = {0};
        if (!request->username || !*request->username)
                return 0;
        int r = secret_read(request->password, &password, error);
        if (r < 0)
                return r;
        if (text_error(&password) < 0 ||
            curl_easy_setopt(curl, CURLOPT_USERNAME, request->username) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_PASSWORD, text_string(&password)) != CURLE_OK)
                return error_oom(error);
        return 0;
}

static int set_envelope(CURL *curl, const struct mail_request *request, struct curl_slist **to,
                        struct error *error)
{
        _cleanup_free_ char *url =
                text_format("%s://%s", request->tls == MAIL_TLS_IMPLICIT ? "smtps" : "smtp", request->server);
        for (size_t i = 0; url && i < request->to_count; i++) {
                struct curl_slist *longer = curl_slist_append(*to, request->to[i]);
                if (!longer)
                        return error_oom(error);
                *to = longer;
        }
        if (!url || curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_MAIL_FROM, request->from) != CURLE_OK)
                return error_oom(error);
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, *to);
#if LIBCURL_VERSION_NUM >= 0x080200
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L);
#else
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
#endif
        return 0;
}

static void set_way(CURL *curl, const struct mail_request *request)
{
        int left_ms = deadline_left_ms(request->deadline);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
        if (left_ms >= 0) {
                curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
                curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
        }
        curl_easy_setopt(curl, CURLOPT_USE_SSL,
                         request->tls == MAIL_TLS_NONE ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
        if (request->tls != MAIL_TLS_NONE)
                trust_set(curl, request->ca_file);
}

/* A server that puts it off (4xx) takes it later; one that is not there will be. */
static int send_failed(CURL *curl, CURLcode code, long *ret_status, struct error *error)
{
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (code == CURLE_OUT_OF_MEMORY)
                return error_oom(error);
        if (code == CURLE_LOGIN_DENIED && status < 500 && status >= 400)
                return error_may_pass(error, error_set(error, EACCES, "the login is put off (%ld)", status));
        if (code == CURLE_LOGIN_DENIED)
                return error_set(error, EACCES, "user or password is not taken");
        if (status >= 400 && status <= 599) {
                *ret_status = status;
                int r = error_set(error, EREMOTEIO, "the mail server answered %ld", status);
                return status < 500 ? error_may_pass(error, r) : r;
        }
        int result = http_result_of(code);
        error_set(error, -result, "%s", curl_easy_strerror(code));
        return http_code_may_pass(code) || code == CURLE_OPERATION_TIMEDOUT ? error_may_pass(error, result)
                                                                            : result;
}

int mail_send(const struct mail_request *request, long *ret_status, struct error *error)
{
        struct rest rest = {request->data, request->length};
        struct curl_slist *to = NULL;
        if (deadline_passed(request->deadline))
                return error_set(error, ETIMEDOUT, "there was no time left for a mail");
        CURL *curl = curl_easy_init();
        if (!curl)
                return error_oom(error);
        int r = set_envelope(curl, request, &to, error);
        if (r >= 0)
                r = set_login(curl, request, error);
        if (r >= 0) {
                set_way(curl, request);
                curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
                curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_rest);
                curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
                CURLcode code = curl_easy_perform(curl);
                if (code != CURLE_OK)
                        r = send_failed(curl, code, ret_status, error);
        }
        curl_easy_cleanup(curl);
        curl_slist_free_all(to);
        if (request->tls != MAIL_TLS_NONE)
                OPENSSL_thread_stop();
        return r;
}
