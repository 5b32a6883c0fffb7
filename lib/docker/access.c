/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine's calls by what they are needed for, as HAProxy is told them. */
#include "runbook/docker_access.h"

#include <errno.h>
#include <string.h>

/* No name begins with a dot, and nothing is escaped in one but a blank: so a path is what it looks like. */
#define NAME "([A-Za-z0-9_]|%20)([A-Za-z0-9_.-]|%20)*"
#define IMAGE NAME "([:/@]" NAME ")*"
#define VALUE "[A-Za-z0-9_.~%-]*" /* of a parameter, which ends at the next & */
#define NUMBER "[0-9]+"
#define SECONDS "[0-9.]+"
#define FORCED "([?]force=1)?"

static const struct call {
        enum docker_access access;
        const char *method, *path;
} calls[] = {
        {DOCKER_ACCESS_LOOK, "GET", "/_ping"},
        {DOCKER_ACCESS_LOOK, "GET", "/version"},
        {DOCKER_ACCESS_LOOK, "GET", "/containers/json[?]all=1(&filters=" VALUE ")?"},
        {DOCKER_ACCESS_LOOK, "GET", "/containers/" NAME "/json"},
        {DOCKER_ACCESS_LOGS, "GET",
         "/containers/" NAME "/logs[?]stdout=1&stderr=1&timestamps=1&tail=(all|" NUMBER ")(&since=" SECONDS
         ")?"},
        {DOCKER_ACCESS_MEASURE, "GET", "/containers/" NAME "/stats[?]stream=0&one-shot=1"},
        {DOCKER_ACCESS_MEASURE | DOCKER_ACCESS_RESTART | DOCKER_ACCESS_RECREATE, "GET",
         "/events[?]since=" SECONDS "&until=" SECONDS},
        {DOCKER_ACCESS_RESTART, "POST", "/containers/" NAME "/restart[?]t=" NUMBER},
        {DOCKER_ACCESS_RESTART | DOCKER_ACCESS_RECREATE, "POST", "/containers/" NAME "/start"},
        {DOCKER_ACCESS_RECREATE, "GET", "/containers/" NAME "/changes"},
        {DOCKER_ACCESS_RECREATE, "HEAD", "/containers/" NAME "/archive[?]path=" VALUE},
        {DOCKER_ACCESS_RECREATE, "GET", "/containers/" NAME "/archive[?]path=" VALUE},
        {DOCKER_ACCESS_RECREATE, "PUT", "/containers/" NAME "/archive[?]path=" VALUE},
        {DOCKER_ACCESS_RECREATE, "POST", "/containers/create[?]name=" VALUE},
        {DOCKER_ACCESS_RECREATE, "POST", "/containers/" NAME "/stop([?]t=" NUMBER ")?"},
        {DOCKER_ACCESS_RECREATE, "POST", "/containers/" NAME "/rename[?]name=" VALUE},
        {DOCKER_ACCESS_RECREATE, "POST", "/containers/" NAME "/update"},
        {DOCKER_ACCESS_RECREATE, "DELETE", "/containers/" NAME FORCED},
        {DOCKER_ACCESS_RECREATE, "GET", "/networks/" NAME},
        {DOCKER_ACCESS_RECREATE, "POST", "/networks/" NAME "/connect"},
        {DOCKER_ACCESS_RECREATE | DOCKER_ACCESS_PRUNE, "GET", "/images/" IMAGE "/json"},
        {DOCKER_ACCESS_PRUNE, "GET", "/images/json"},
        {DOCKER_ACCESS_PRUNE, "GET", "/networks[?]filters=" VALUE},
        {DOCKER_ACCESS_PRUNE, "GET", "/system/df[?]type=build-cache"},
        {DOCKER_ACCESS_PRUNE, "DELETE", "/containers/" NAME "[?]v=0&force=0"},
        {DOCKER_ACCESS_PRUNE, "DELETE", "/networks/" NAME},
        {DOCKER_ACCESS_PRUNE, "DELETE", "/images/" IMAGE "[?]force=0"},
        {DOCKER_ACCESS_PRUNE, "POST", "/build/prune[?]filters=" VALUE},
};

/* What HAProxy would take for the end of a word, or of a line, is no part of an address. */
static int check_address(const char *what, const char *address, struct error *error)
{
        static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.:_-[]@*";
        if (*address && address[strspn(address, signs)] == '\0')
                return 0;
        return error_set(error, EINVAL, "%s: \"%s\" is no address", what, address);
}

/* Who needs a call, in words: "docker.restart, docker.set_env". */
static void put_who(const struct docker_need *needs, size_t count, unsigned access, struct text *text)
{
        const char *before = "    # ";
        for (size_t i = 0; i < count; i++) {
                if (!(needs[i].access & access))
                        continue;
                text_printf(text, "%s%s", before, needs[i].who);
                before = ", ";
        }
        text_putc(text, '\n');
}

static void put_calls(const struct docker_need *needs, size_t count, struct text *text)
{
        unsigned wanted = 0, before = 0;
        for (size_t i = 0; i < count; i++)
                wanted |= needs[i].access;
        for (size_t i = 0; i < N_ELEMENTS(calls); i++) {
                unsigned access = calls[i].access & wanted;
                if (access && access != before)
                        put_who(needs, count, access, text);
                if (access)
                        text_printf(text,
                                    "    http-request allow if { method %s } "
                                    "{ pathq -m reg '^(/v1[.][0-9]+)?%s$' }\n",
                                    calls[i].method, calls[i].path);
                before = access ? access : before;
        }
}

static void put_head(const char *listen, struct text *text)
{
        text_printf(text,
                    "global\n"
                    "    log stdout format raw local0 notice\n"
                    "    maxconn 256\n"
                    "\n"
                    "defaults\n"
                    "    mode http\n"
                    "    timeout connect 5s\n"
                    "    timeout client 15m\n"
                    "    timeout server 15m\n"
                    "    http-error status 503 content-type application/json"
                    " string '{\"message\":\"the Engine does not answer its proxy\"}'\n"
                    "\n"
                    "frontend docker\n"
                    "    bind %s\n"
                    "    http-request del-header Upgrade\n",
                    listen);
}

int docker_access_put(const char *listen, const char *engine, const struct docker_need *needs, size_t count,
                      struct text *text, struct error *error)
{
        int r = check_address("where the proxy listens", listen, error);
        if (r >= 0)
                r = check_address("where the Engine listens", engine, error);
        if (r < 0)
                return r;
        put_head(listen, text);
        put_calls(needs, count, text);
        text_printf(
                text,
                "    http-request return status 403 content-type application/json"
                " string '{\"message\":\"the proxy does not let this call through: see docker-access\"}'\n"
                "    default_backend engine\n"
                "\n"
                "backend engine\n"
                "    server engine %s%s\n",
                *engine == '/' ? "unix@" : "", engine);
        return text_error(text) < 0 ? error_oom(error) : 0;
}
