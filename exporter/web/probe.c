/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a probe asks for. What is not allowed is refused before anything runs. */
#include "exporter/web/probe.h"

#include <errno.h>

#define QUOTED_MAX 200 /* of a target that comes back in an answer */

/* The status for what probe_read() answers. */
static const struct {
        int code;
        unsigned status;
} statuses[] = {{-EINVAL, 400}, {-EACCES, 403}, {-ENOENT, 404}};

static void refuse(struct http_exchange *exchange, int code, const struct error *error)
{
        for (size_t i = 0; i < N_ELEMENTS(statuses); i++)
                if (statuses[i].code == code) {
                        http_reply_text(exchange, statuses[i].status, "%s", error_text(error));
                        return;
                }
        http_reply_text(exchange, 500, "%s", error_text(error));
}

static int read_debug(const struct http_exchange *exchange, bool *ret, struct error *error)
{
        static const char *const off[] = {"", "0", "false"}, *const on[] = {"1", "true"};
        const char *word = http_query(exchange, "debug");
        *ret = words_find(on, N_ELEMENTS(on), word) >= 0;
        if (*ret || !word || words_find(off, N_ELEMENTS(off), word) >= 0)
                return 0;
        return error_set(error, EINVAL, "debug= takes 1 or 0.");
}

/* The entry of a target that stands in the file. Those that do are not told: their queries may be secret. */
static int find_target(const struct check_set *set, const struct check *check, const char *target,
                       size_t *ret, struct error *error)
{
        for (size_t i = set->count; i < check_set_size(set); i++)
                if (strcmp(set->checks[i].name, check->name) == 0 &&
                    strcmp(set->checks[i].probe_target, target) == 0) {
                        *ret = i;
                        return 0;
                }
        if (!check->kind->target_key)
                return error_set(error, EINVAL,
                                 "Check \"%s\" is of the kind %s, which cannot be pointed elsewhere.",
                                 check->name, check->kind->name);
        return error_set(error, EACCES,
                         "Check \"%s\" may not be pointed at \"%.*s\": that would have to stand, exactly so, "
                         "among its targets in checks.yml.",
                         check->name, QUOTED_MAX, target);
}

static int find_check(const struct http_exchange *exchange, const struct check_set *set, size_t *ret,
                      struct error *error)
{
        const char *name = http_query(exchange, "check"), *target = http_query(exchange, "target");
        size_t own = 0;
        if (!name || !*name)
                return error_set(error, EINVAL,
                                 "Which check? /probe?check=NAME, and perhaps &target=… and &debug=1.");
        int r = selection_find_check(set, name, &own, error);
        if (r < 0)
                return r == -EINVAL ? -ENOENT : r;
        if (target && *target)
                return find_target(set, &set->checks[own], target, ret, error);
        *ret = own;
        return 0;
}

static int probe_read(const struct http_exchange *exchange, struct scrape *scrape, struct selection *ret,
                      struct error *error)
{
        const struct check_set *set = scrape_set(scrape);
        size_t check = 0;
        static const char *const known[] = {"check", "target", "debug", "name[]", NULL};
        int r = selection_check_query(exchange, known, error);

        if (r >= 0)
                r = read_debug(exchange, &ret->debug, error);
        if (r >= 0)
                r = find_check(exchange, set, &check, error);
        if (r < 0)
                return r;
        ret->debugged = check;
        ret->at_will = http_user(exchange) != NULL;
        ret->checks = calloc(check_set_size(set), sizeof(*ret->checks));
        if (!ret->checks)
                return error_oom(error);
        ret->checks[check] = true;
        return selection_read_names(exchange, set, scrape_schedule(scrape), ret, error);
}

void probe_handle(struct scrape *scrape, struct http_exchange *exchange)
{
        _cleanup_(selection_release) struct selection selection = {0};
        _cleanup_error_ struct error error = {0};
        int r = probe_read(exchange, scrape, &selection, &error);
        if (r < 0)
                refuse(exchange, r, &error);
        else
                scrape_serve(scrape, exchange, &selection);
}
