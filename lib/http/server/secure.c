/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web configuration of a running server: read again when its files change, its headers put on answers.
 * All on the event thread.
 */
#include <errno.h>

#include "lib/http/server/internal.h"
#include "lib/http/server/secure.h"
#include "runbook/log.h"

int http_secure_new(const char *path, bool must_authenticate, struct http_secure **ret, struct error *error)
{
        struct http_secure *secure = calloc(1, sizeof(*secure));
        if (!secure)
                return error_oom(error);
        secure->must_authenticate = must_authenticate;
        int r = web_config_load(path, &secure->config, error);
        if (r >= 0)
                r = web_checker_new(&secure->checker, error);
        if (r < 0) {
                http_secure_free(secure);
                return r;
        }
        memcpy(secure->tried, secure->config->stamps, sizeof(secure->tried));
        if (secure->config->http2_asked)
                log_event(LOG_INFO, "HTTP/2 is not served: http2 of the web configuration is of no matter",
                          "config", path, NULL);
        *ret = secure;
        return 0;
}

void http_secure_stop(struct http_secure *secure)
{
        if (secure)
                web_checker_stop(secure->checker);
}

struct http_secure *http_secure_free(struct http_secure *secure)
{
        if (!secure)
                return NULL;
        web_checker_free(secure->checker);
        web_config_unref(secure->config);
        free(secure);
        return NULL;
}

bool http_secure_has_tls(const struct http_secure *secure)
{
        return secure && secure->config->tls;
}

/* Whether a configuration that was read while the server runs may take the place of the present one. */
static int check_successor(const struct http_secure *secure, const struct web_config *next,
                           struct error *error)
{
        if (next->tls != secure->config->tls)
                return error_set(error, EBUSY, "TLS is only switched on or off by a restart");
        /* An editor that has just emptied the file opens nothing. */
        if ((secure->must_authenticate || web_config_authenticates(secure->config)) &&
            !web_config_authenticates(next))
                return error_set(error, EPERM,
                                 "without users or verified client certificates it would be open: only a "
                                 "restart does that");
        return 0;
}

/* Reads the configuration again when one of its files has changed, and keeps it when that fails. */
void http_secure_refresh(struct http_secure *secure)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_(web_config_unref_p) struct web_config *next = NULL;
        struct web_config *present = secure->config;
        if (!web_stamps_differ(present->paths, secure->tried))
                return;
        web_stamps_take(present->paths, secure->tried);
        int r = web_config_load(present->paths[0], &next, &error);
        if (r >= 0)
                r = check_successor(secure, next, &error);
        if (r < 0) {
                log_event(LOG_ERROR, "The web configuration has changed and is not taken", "config",
                          present->paths[0], "reason", error_text(&error), NULL);
                return;
        }
        log_event(LOG_INFO, "The web configuration was read again", "config", present->paths[0], NULL);
        memcpy(secure->tried, next->stamps, sizeof(secure->tried));
        secure->config = TAKE_PTR(next);
        web_config_unref(present);
}

void http_secure_put_headers(const struct http_secure *secure, struct MHD_Response *response)
{
        if (!secure)
                return;
        for (size_t i = 0; i < WEB_HEADERS; i++) {
                const char *value = secure->config->settings.http.headers[i], *present;
                if (!value || !*value)
                        continue;
                while ((present = MHD_get_response_header(response, web_header_names[i])))
                        if (MHD_del_response_header(response, web_header_names[i], present) != MHD_YES)
                                break;
                MHD_add_response_header(response, web_header_names[i], value);
        }
}
