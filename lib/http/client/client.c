/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests by libcurl, everything within one deadline. */
#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <time.h>

#include "lib/http/client/handle.h"
#include "lib/http/client/internal.h"
#include "lib/http/client/trace.h"
#include "lib/http/client/trust.h"

static const size_t DEFAULT_BODY_LIMIT = (size_t)4 << 20;
static const size_t HEADERS_LIMIT = (size_t)256 << 10;

int http_client_global_init(struct error *error)
{
        /* OpenSSL writes without MSG_NOSIGNAL: a peer that hangs up must not end the process. */
        signal(SIGPIPE, SIG_IGN);
        CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
        if (code != CURLE_OK)
                return error_set(error, EIO, "cannot initialise libcurl: %s", curl_easy_strerror(code));
        return 0;
}

struct http_client *http_client_new(void)
{
        return calloc(1, sizeof(struct http_client));
}

/* The handle for a request; NULL when out of memory. */
static CURL *handle_for(struct http_client *client, const struct http_request *request)
{
        if (http_closes(request))
                return http_thread_handle();
        if (!client->curl)
                client->curl = curl_easy_init();
        return client->curl;
}

struct http_client *http_client_free(struct http_client *client)
{
        if (!client)
                return NULL;
        curl_easy_cleanup(client->curl);
        curl_multi_cleanup(client->multi);
        free(client->origin);
        free(client);
        return NULL;
}

/* Ends the transfer from within a callback: libcurl takes a short count for it. */
static size_t give_up(struct transfer *transfer, int result)
{
        transfer->result = result;
        return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
        struct transfer *transfer = context;
        const struct http_request *request = transfer->request;
        size_t length = size * count;
        if (request->on_data) {
                int r = request->on_data(request->context, data, length);
                return r < 0 ? give_up(transfer, r) : length;
        }

        struct text *body = &transfer->response.body;
        size_t limit = request->body_limit > 0 ? request->body_limit : DEFAULT_BODY_LIMIT;
        if (length > limit - body->length) {
                if (!request->cuts_body)
                        return give_up(transfer, -EMSGSIZE);
                text_append(body, data, limit - body->length);
                transfer->response.cut = true;
                return text_error(body) < 0 ? give_up(transfer, -ENOMEM) : 0;
        }
        text_append(body, data, length);
        return text_error(body) < 0 ? give_up(transfer, -ENOMEM) : length;
}

/* Behind "101 Switching Protocols" something else than HTTP begins, which may never end. */
static bool switches_protocols(const struct text *headers)
{
        const char *line = text_string(headers), *code = strchr(line, ' ');
        return string_starts(line, "HTTP/") && code && strtol(code, NULL, 10) == 101;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
        struct transfer *transfer = context;
        struct text *headers = &transfer->response.headers;
        size_t length = size * count;
        /* A status line: what was before it belongs to a "100 Continue". */
        if (length >= 5 && memcmp(data, "HTTP/", 5) == 0) {
                text_clear(headers);
                http_trace_status(transfer->request, data, length);
        }
        if (length > HEADERS_LIMIT - headers->length)
                return give_up(transfer, -EMSGSIZE);
        text_append(headers, data, length);
        if (text_error(headers) < 0)
                return give_up(transfer, -ENOMEM);
        if (length <= 2 && switches_protocols(headers)) {
                transfer->response.cut = true;
                return 0;
        }
        return length;
}

/* Headers may hold secrets. */
static void headers_free(struct curl_slist **headers)
{
        for (struct curl_slist *header = *headers; header; header = header->next)
                explicit_bzero(header->data, strlen(header->data));
        curl_slist_free_all(*headers);
        *headers = NULL;
}

static int add_bearer(struct curl_slist **headers, const struct secret *bearer, struct error *error)
{
        _cleanup_secret_ struct text line = {0};
        text_puts(&line, "Authorization: Bearer ");
        int r = secret_read(bearer, &line, error);
        if (r < 0)
                return r;
        if (strpbrk(text_string(&line), "\r\n"))
                return error_set(error, EINVAL, "the bearer token holds a line break");
        return text_error(&line) == 0 && http_add_header(headers, text_string(&line)) ? 0 : error_oom(error);
}

static int add_headers(struct curl_slist **headers, const struct http_request *request, struct error *error)
{
        if (request->aws)
                return http_add_aws_headers(headers, request, error);
        /* Libcurl's own: a type that nobody asked for, and a second of waiting before a large body. */
        bool has_type = false;
        if (!http_add_header(headers, "Expect:") || !http_add_header(headers, "Accept-Encoding:"))
                return error_oom(error);
        for (const char *const *line = request->headers; line && *line; line++) {
                if (strpbrk(*line, "\r\n"))
                        return error_set(error, EINVAL, "a request header holds a line break");
                if (strncasecmp(*line, "Content-Type:", strlen("Content-Type:")) == 0)
                        has_type = true;
                if (!http_add_header(headers, *line))
                        return error_oom(error);
        }
        if (!has_type && !http_add_header(headers, "Content-Type:"))
                return error_oom(error);
        return request->bearer && secret_is_set(request->bearer) ? add_bearer(headers, request->bearer, error)
                                                                 : 0;
}

static bool is_token(const char *method)
{
        return method[0] != '\0' && method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")] == '\0';
}

static void set_method(CURL *curl, const struct http_request *request)
{
        const char *method = request->method ? request->method : "GET";
        bool get = strcmp(method, "GET") == 0, head = strcmp(method, "HEAD") == 0;
        if (request->body_length > 0 || strcmp(method, "POST") == 0) {
                curl_easy_setopt(curl, CURLOPT_POST, 1L);
                curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body_length > 0 ? request->body : "");
        } else if (head)
                curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        /* A redirect may make a GET of a POST, which a method by name would not let it. */
        bool by_itself =
                (head && request->body_length == 0) || (request->follows && strcmp(method, "POST") == 0);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, by_itself ? NULL : method);

        /* Libcurl sends a request again when a kept connection turns out dead; it cannot know whether the
         * peer acted on it already. What may change something therefore gets a connection of its own. */
        if (!get && !head) {
                curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
                curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
        }
}

static bool is_https(const char *url)
{
        return strncasecmp(url, "https:", strlen("https:")) == 0;
}

static void set_tls(CURL *curl, const struct http_request *request)
{
        curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
        /* Who wants a new connection wants to see its certificate, which no session shows again. */
        if (http_closes(request))
                curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
        if (!request->insecure && is_https(request->url))
                trust_set(curl, request->ca_file);
        if (request->cert_file)
                curl_easy_setopt(curl, CURLOPT_SSLCERT, request->cert_file);
        if (request->key_file)
                curl_easy_setopt(curl, CURLOPT_SSLKEY, request->key_file);
        if (request->insecure) {
                curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
                curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        }
}

/* Where the connection goes beside the URL's host. */
static void set_way(CURL *curl, const struct http_request *request)
{
        /* What is asked is what the configuration says, whatever the environment says. */
        curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy_url ? request->proxy_url : "");
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
        if (request->proxy_url)
                curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        if (request->unix_socket)
                curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
        if (request->follows) {
                curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
                curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
                curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        }
}

static int set_transfer(CURL *curl, struct transfer *transfer, int left_ms)
{
        const struct http_request *request = transfer->request;
        curl_easy_reset(curl);
        if (http_set_url(curl, transfer) < 0)
                return -ENOMEM;
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "runbook/" RUNBOOK_VERSION);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->message);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
        /* Decodes what comes encoded; that none is asked for is the work of add_headers(). */
        curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
        set_way(curl, request);

        /* No signals in threads, and no waiting for a resolver that hangs once the deadline has passed. */
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
        if (left_ms >= 0) {
                curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
                curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
        }
        /* A connection in constant use is renewed now and then, for names and certificates that changed. */
        curl_easy_setopt(curl, CURLOPT_MAXLIFETIME_CONN, 300L);
        set_method(curl, request);
        set_tls(curl, request);
        http_trace_begin(curl, request);
        return 0;
}

/* "Expire date:Jan  2 03:04:05 2027 GMT" of OpenSSL, or "2027-01-02 03:04:05 GMT" of other TLS libraries. */
static int64_t certificate_expiry(CURL *curl)
{
        static const char key[] = "Expire date:";
        const struct curl_certinfo *certificates = NULL;
        if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &certificates) != CURLE_OK || !certificates ||
            certificates->num_of_certs < 1)
                return 0;
        for (const struct curl_slist *line = certificates->certinfo[0]; line; line = line->next) {
                struct tm tm = {0};
                if (string_starts(line->data, key) &&
                    (strptime(line->data + strlen(key), "%b %d %H:%M:%S %Y", &tm) ||
                     strptime(line->data + strlen(key), "%Y-%m-%d %H:%M:%S", &tm)))
                        return (int64_t)timegm(&tm);
        }
        return 0;
}

/* Remembers a certificate for the requests that will find the connection open. */
static int64_t remember_expiry(struct http_client *client, CURL *curl, const char *url)
{
        long opened = 0;
        if (!is_https(url))
                return 0;
        _cleanup_free_ char *origin = http_url_part(url, false);
        if (!origin)
                return 0;
        curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &opened);
        if (opened == 0 && string_equal(origin, client->origin))
                return client->tls_not_after;
        free(client->origin);
        client->origin = TAKE_PTR(origin);
        client->tls_not_after = certificate_expiry(curl);
        return client->tls_not_after;
}

/* Libcurl calls it a lack of memory when a line of the head is longer than it takes; when there is memory for
 * ten such lines, it was that. */
static bool has_memory_for_lines(void)
{
        _cleanup_text_ struct text lines = {0};
        return text_reserve(&lines, (size_t)1 << 20);
}

static int fetch_failed(CURL *curl, struct transfer *transfer, CURLcode code, struct error *error)
{
        const struct http_request *request = transfer->request;
        long os_error = 0;
        int result = http_result_of(code);
        /* Libcurl says so of bytes that are no HTTP, too. */
        if (code == CURLE_UNSUPPORTED_PROTOCOL && http_has_connected(curl))
                result = -EPROTO;
        if (transfer->result == 0 && http_has_connected(curl) &&
            (result == -EMSGSIZE || (result == -ENOMEM && has_memory_for_lines())))
                transfer->result = -EMSGSIZE;
        if (transfer->result < 0)
                result = transfer->result;

        _cleanup_free_ char *url = http_url_part(request->url, !request->url_is_secret);
        const char *at = url ? url : "the URL", *over = request->unix_socket ? " over " : "";
        const char *path = request->unix_socket ? request->unix_socket : "";
        if (result == -ENOMEM)
                return error_oom(error);
        if (transfer->result == -EMSGSIZE && !request->on_data)
                return error_set(error, EMSGSIZE, "%s: the answer is larger than is taken", at);
        if (transfer->result == 0 && code == CURLE_WRITE_ERROR)
                return error_set(error, EPROTO, "%s: the answer cannot be decoded by its Content-Encoding",
                                 at);
        if (transfer->result < 0)
                return error_set(error, -result, "%s: the transfer was ended by its reader", at);
        if (result == -ETIMEDOUT) {
                error_set(error, ETIMEDOUT, "%s%s%s: timed out waiting for %s", at, over, path,
                          http_waiting_for(curl));
                return http_has_connected(curl) ? result : error_may_pass(error, result);
        }
        curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
        if (result == -ECONNREFUSED && os_error != 0) {
                error_set_errno(error, (int)os_error, "%s%s%s: cannot connect", at, over, path);
                if (os_error == ENOENT) /* of a unix socket alone: whoever makes it was perhaps never here */
                        error_not_set_up(error, result);
                return os_error == EACCES ? result : error_may_pass(error, result);
        }
        /* Libcurl keeps what failed first, which is to ask for the address of a peer that is gone already. */
        const char *message = transfer->message[0] ? transfer->message : curl_easy_strerror(code);
        if (string_starts(message, "getpeername() failed"))
                message = "the peer hung up";
        error_set(error, -result, "%s%s%s: %s", at, over, path, message);
        return http_code_may_pass(code) ? error_may_pass(error, result) : result;
}

void http_thread_done(const char *url)
{
        if (is_https(url))
                OPENSSL_thread_stop();
}

static void transfer_release(struct transfer *transfer)
{
        headers_free(&transfer->headers);
        curl_slist_free_all(transfer->connect_to);
        transfer->connect_to = NULL;
        http_response_release(&transfer->response);
}

int http_transfer_begin(CURL *curl, struct transfer *transfer, const struct http_request *request,
                        struct error *error)
{
        *transfer = (struct transfer){.request = request};
        if (request->method && !is_token(request->method))
                return error_set(error, EINVAL, "\"%s\" is no HTTP method", request->method);
        int left_ms = deadline_left_ms(request->deadline);
        if (left_ms == 0) {
                _cleanup_free_ char *url = http_url_part(request->url, !request->url_is_secret);
                return error_set(error, ETIMEDOUT, "%s: no time was left to ask", url ? url : "the URL");
        }
        int r = add_headers(&transfer->headers, request, error);
        if (r < 0) {
                transfer_release(transfer);
                return r;
        }
        if (set_transfer(curl, transfer, left_ms) < 0) {
                transfer_release(transfer);
                return error_oom(error);
        }
        return 0;
}

CURLcode http_transfer_code(const struct transfer *transfer, CURLcode code)
{
        return transfer->response.cut && transfer->result == 0 ? CURLE_OK : code;
}

int http_transfer_end(CURL *curl, struct transfer *transfer, CURLcode code, struct http_response *ret,
                      struct error *error)
{
        int r = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &transfer->response.status);
        if (transfer->request->ret_seen)
                transfer->request->ret_seen->status = transfer->response.status;
        if (code != CURLE_OK)
                r = fetch_failed(curl, transfer, code, error);
        else {
                transfer->response.phases = http_read_phases(curl);
                *ret = transfer->response;
                transfer->response = (struct http_response){0};
        }
        /* The handle must not remember what ends with the transfer: the message, the headers, the body. */
        curl_easy_reset(curl);
        transfer_release(transfer);
        return r;
}

/* When the certificate that was refused ends, by a connection of its own, on which nothing is sent; 0: that
 * is not known. */
static int64_t look_at_refused(const struct http_request *request)
{
        struct http_request look = *request;
        struct transfer transfer = {.request = &look};
        int left_ms = deadline_left_ms(request->deadline);
        CURL *curl = left_ms != 0 && !request->follows ? curl_easy_init() : NULL;
        int64_t end = 0;
        if (!curl)
                return 0;
        look.insecure = true;
        if (set_transfer(curl, &transfer, left_ms) >= 0 &&
            curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
            curl_easy_perform(curl) == CURLE_OK)
                end = certificate_expiry(curl);
        curl_easy_cleanup(curl);
        transfer_release(&transfer);
        return end;
}

int http_fetch(struct http_client *client, const struct http_request *request, struct http_response *ret,
               struct error *error)
{
        struct transfer transfer = {0};
        CURL *curl = handle_for(client, request);
        if (!curl)
                return error_oom(error);
        int r = http_transfer_begin(curl, &transfer, request, error);
        if (r < 0)
                return r;
        CURLcode code = http_transfer_code(&transfer, curl_easy_perform(curl));
        if (code == CURLE_PEER_FAILED_VERIFICATION && request->ret_seen)
                request->ret_seen->tls_not_after = look_at_refused(request);
        http_thread_done(request->url);
        int64_t not_after = code == CURLE_OK ? remember_expiry(client, curl, request->url) : 0;
        r = http_transfer_end(curl, &transfer, code, ret, error);
        if (r >= 0)
                ret->tls_not_after = not_after;
        return r;
}

bool http_response_header(const struct http_response *response, const char *name, struct text *value)
{
        size_t length = strlen(name);
        const char *line = text_string(&response->headers);
        for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                if (strncasecmp(line, name, length) != 0 || line[length] != ':')
                        continue;
                const char *start = line + length + 1, *end = start + strcspn(start, "\r\n");
                while (start < end && (*start == ' ' || *start == '\t'))
                        start++;
                while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
                        end--;
                text_append(value, start, (size_t)(end - start));
                return true;
        }
        return false;
}

bool http_response_date(const struct http_response *response, nsec *ret_wall)
{
        _cleanup_text_ struct text date = {0};
        struct tm tm = {0};
        if (!http_response_header(response, "Date", &date) ||
            !strptime(text_string(&date), "%a, %d %b %Y %H:%M:%S GMT", &tm))
                return false;
        *ret_wall = (nsec)timegm(&tm) * NSEC_PER_SEC;
        return true;
}

void http_response_release(struct http_response *response)
{
        text_free(&response->body);
        text_free(&response->headers);
        *response = (struct http_response){0};
}
