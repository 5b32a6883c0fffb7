/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and the operators' socket: where they are. */
#include "responder/doors.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/un.h>

#include "runbook/log.h"

enum { PATH_MOST = sizeof((struct sockaddr_un){0}.sun_path) - 1 };

/* Beside the journal; NULL when out of memory. */
static char *beside(const char *journal, const char *name)
{
        const char *slash = strrchr(journal, '/');
        int length = slash ? (int)(slash - journal) + 1 : 0;
        return text_format("%.*s%s", length, journal, name);
}

/* NULL: none is to be opened. */
static int find_socket(const char *journal, const char *given, bool configured, char **ret,
                       struct error *error)
{
        if (given && configured)
                return error_set(
                        error, EINVAL,
                        "--web.operator-socket says who may decide, and so does --web.config.file: leave "
                        "one of them out");
        if (configured)
                return 0;
        _cleanup_free_ char *path = given ? strdup(given) : beside(journal, "operator.sock");
        if (!path)
                return error_oom(error);
        if (!given && strlen(path) > PATH_MOST) {
                log_event(LOG_WARN, "No operators' socket is opened: its path would be too long", "path",
                          path, NULL);
                return 0;
        }
        *ret = text_format("unix:%s", path);
        return *ret ? 0 : error_oom(error);
}

int doors_find(const char *journal, const char *tokens, const char *socket, bool configured,
               const char *const *addresses, struct doors *ret, struct error *error)
{
        struct doors doors = {.tokens = tokens ? strdup(tokens) : beside(journal, "tokens")};
        int r = doors.tokens ? find_socket(journal, socket, configured, &doors.socket, error)
                             : error_oom(error);
        size_t count = 0;
        for (; r >= 0 && addresses[count]; count++) {
                if (count == HTTP_LISTENERS_MAX - 1 && doors.socket)
                        r = error_set(error, EINVAL, "with the operators' socket, %d addresses are the most",
                                      HTTP_LISTENERS_MAX - 1);
                else
                        doors.addresses[count] = addresses[count];
        }
        if (r < 0) {
                doors_release(&doors);
                return r;
        }
        doors.addresses[count] = doors.socket;
        *ret = doors;
        return 0;
}

int doors_show(struct doors *doors, bool configured, struct error *error)
{
        const char *socket = doors->socket ? doors->socket + strlen("unix:") : NULL;
        _cleanup_free_ char *directory = NULL;
        if (configured) {
                doors->shown_here = strdup("--user 'YOUR NAME'");
        } else if (socket) {
                const char *slash = strrchr(socket, '/');
                _cleanup_free_ char *parent =
                        slash ? strndup(socket, (size_t)(slash - socket) + 1) : strdup(".");
                directory = parent ? realpath(parent, NULL) : NULL;
                doors->shown_here = text_format("--unix-socket %s/%s", directory ? directory : "",
                                                slash ? slash + 1 : socket);
        } else {
                directory = realpath(doors->tokens, NULL);
                doors->shown_here = text_format("-H \"Authorization: Bearer $(cat %s/operator)\"",
                                                directory ? directory : doors->tokens);
        }
        return doors->shown_here ? 0 : error_oom(error);
}

void doors_release(struct doors *doors)
{
        free(doors->shown_here);
        free(doors->tokens);
        free(doors->socket);
        *doors = (struct doors){0};
}
