/* SPDX-License-Identifier: Apache-2.0 */
/* Options of HTTP requests: checked when they are read, so that no run fails for them. */
#include "exporter/kinds/shared/http_options.h"

#include <errno.h>
#include <strings.h>

static bool check_url(const char *url, struct config_node *node)
{
        const char *rest = string_starts(url, "http://")    ? url + 7
                           : string_starts(url, "https://") ? url + 8
                                                            : NULL;
        if (!rest || !*rest || strpbrk(url, " \t\r\n")) {
                config_complain(node, "url", "a URL of http:// or https:// is needed here");
                return false;
        }
        if (memchr(rest, '@', strcspn(rest, "/?#"))) {
                config_complain(node, "url",
                                "a URL must not hold user and password; use bearer_token_file instead");
                return false;
        }
        return true;
}

/* Whether `url` has one of the schemes and a host, and keeps no secret. */
static bool check_proxy(const char *url, struct config_node *node)
{
        static const char *const schemes[] = {"http://", "socks5://", "socks5h://"};
        for (size_t i = 0; i < N_ELEMENTS(schemes); i++)
                if (string_starts(url, schemes[i]) && url[strlen(schemes[i])] && !strpbrk(url, " \t\r\n@"))
                        return true;
        config_complain(node, "proxy_url",
                        "a URL of http://, socks5:// or socks5h:// is needed here, without a password");
        return false;
}

static bool check_header(const char *name, const char *value, struct config_node *node)
{
        static const char token[] =
                "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* RFC 9110
                                                                                                  */

        if (!*name || strspn(name, token) != strlen(name) || strpbrk(value, "\r\n")) {
                config_complain(node, "headers",
                                "\"%s\" is not a header's name, or its value has line breaks", name);
                return false;
        }
        if (strcasecmp(name, "Authorization") == 0) {
                config_complain(node, "headers", "secrets are not written here; use bearer_token_file");
                return false;
        }
        return true;
}

/* `lines` has room for all of them. */
static int render_headers(const struct config_map *map, const char *extra, char **lines)
{
        size_t count = 0;
        if (extra && !(lines[count++] = strdup(extra)))
                return -ENOMEM;
        for (size_t i = 0; i < map->count; i++)
                if (!(lines[count++] = text_format("%s: %s", map->keys[i], map->values[i])))
                        return -ENOMEM;
        return 0;
}

int http_options_prepare(const struct http_options *options, struct config_node *node, const char *extra,
                         struct http_headers *ret)
{
        _cleanup_(http_headers_release) struct http_headers headers = {0};
        bool fine = check_url(options->url, node);
        if (options->proxy_url && !check_proxy(options->proxy_url, node))
                fine = false;

        fine &= tls_options_check(&options->tls, node);
        for (size_t i = 0; i < options->headers.count; i++)
                if (!check_header(options->headers.keys[i], options->headers.values[i], node))
                        fine = false;
        if (!fine)
                return -EINVAL;

        headers.lines = calloc(options->headers.count + 2, sizeof(*headers.lines));
        if (!headers.lines || render_headers(&options->headers, extra, headers.lines) < 0)
                return -ENOMEM;
        ret->lines = TAKE_PTR(headers.lines);
        return 0;
}

void http_headers_release(struct http_headers *headers)
{
        for (size_t i = 0; headers->lines && headers->lines[i]; i++)
                free(headers->lines[i]);
        free(headers->lines);
        headers->lines = NULL;
}

struct http_request http_options_request(const struct http_options *options,
                                         const struct http_headers *headers, struct deadline deadline)
{
        return (struct http_request){
                .url = options->url,
                .headers = (const char *const *)headers->lines,
                .deadline = deadline,
                .bearer = secret_is_set(&options->bearer_token) ? &options->bearer_token : NULL,
                .ca_file = options->tls.ca_file,
                .cert_file = options->tls.cert_file,
                .key_file = options->tls.key_file,
                .server_name = options->tls.server_name,
                .insecure = options->tls.insecure_skip_verify,
                .proxy_url = options->proxy_url,
                .follows = options->follow_redirects,
        };
}
