/* SPDX-License-Identifier: Apache-2.0 */
/* Who may reach the responder, and who of them may operate it. */
#include <errno.h>

#include "responder/web/internal.h"
#include "runbook/log.h"
#include "runbook/web_config.h"

/* The next name of "name,name"; NULL when out of memory. */
static char *take_name(const char **at)
{
        size_t length = strcspn(*at, ",");
        char *name = strndup(*at, length);
        *at += length + ((*at)[length] == ',');
        return name;
}

/* Every operator must be somebody whose password or certificate can be checked. */
static int check_operators(const char *operators, const struct web_config *web, struct error *error)
{
        if (operators && !web_config_authenticates(web))
                return error_set(error, EINVAL,
                                 "--web.operators needs users or verified client certificates in "
                                 "--web.config.file: nobody could be told from anybody else");
        for (const char *at = operators; at && *at;) {
                _cleanup_free_ char *name = take_name(&at);
                if (!name)
                        return error_oom(error);
                if (!*name || (web_config_has_users(web) && !web_config_has_user(web, name)))
                        return error_set(error, EINVAL,
                                         "--web.operators: there is no user \"%s\" in --web.config.file",
                                         name);
        }
        return 0;
}

/* The first address that others than this machine reach; NULL stays when there is none. */
static int find_open_address(const char *const *addresses, const char **ret, struct error *error)
{
        for (size_t i = 0; addresses[i]; i++) {
                bool loopback = false;
                int r = http_address_is_loopback(addresses[i], &loopback, error);
                if (r < 0)
                        return r;
                if (!loopback && !*ret)
                        *ret = addresses[i];
        }
        return 0;
}

int api_check_access(struct api_options *api, struct error *error)
{
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;
        const char *open_to_all = NULL;
        int r = find_open_address(api->listen_addresses, &open_to_all, error);
        if (r >= 0 && api->web_config_file)
                r = web_config_load(api->web_config_file, &web, error);
        if (r >= 0)
                r = check_operators(api->operators, web, error);
        if (r < 0)
                return r;
        bool authenticates = web_config_authenticates(web);
        if (open_to_all && !authenticates)
                return error_set(
                        error, EPERM,
                        "refuses to listen on %s without authentication: name users or verified client "
                        "certificates in --web.config.file, or listen on 127.0.0.1:9878",
                        open_to_all);
        if (authenticates && !api->operators)
                log_event(LOG_WARN,
                          "Nobody may approve, deny, cancel, undo, pause or resume: --web.operators "
                          "names nobody",
                          NULL);
        api->must_authenticate = authenticates;
        if (authenticates && !api->operators)
                api->operators = "";
        return 0;
}

bool api_may_operate(const struct api *api, const struct http_exchange *exchange, struct error *error)
{
        const char *operators = api->options.operators;
        if (!operators)
                return true;
        for (const char *at = operators; *at;) {
                _cleanup_free_ char *name = take_name(&at);
                if (name && *name && http_user_is(exchange, name))
                        return true;
        }
        const char *user = http_user(exchange);
        error_set(error, EACCES, "%s may send alerts and read, but not operate: see --web.operators",
                  user ? user : "who has no name");
        return false;
}
