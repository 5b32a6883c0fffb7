/* SPDX-License-Identifier: Apache-2.0 */
/* Redis' protocol, as much as one command with a one-line or bulk reply needs
 * (https://redis.io/docs/reference/protocol-spec/). */
#include "service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LENGTH = 512, BULK_MAX = 1 << 20 };

static bool read_line(int fd, char line[static LINE_MAX_LENGTH])
{
        for (size_t at = 0; at < LINE_MAX_LENGTH - 1; at++) {
                if (!net_read(fd, line + at, 1))
                        return false;
                if (line[at] == '\n') {
                        line[at > 0 ? at - 1 : 0] = '\0';
                        return true;
                }
        }
        return false;
}

static char *read_reply(int fd, bool *ret_ok)
{
        char line[LINE_MAX_LENGTH];
        if (!read_line(fd, line))
                return NULL;
        *ret_ok = line[0] != '-';
        if (line[0] != '$')
                return *ret_ok ? strdup(line + 1) : NULL;
        long size = atol(line + 1);
        if (size < 0 || size > BULK_MAX)
                return NULL;
        char *bulk = calloc(1, (size_t)size + 3);
        if (bulk && net_read(fd, bulk, (size_t)size + 2)) {
                bulk[size] = '\0';
                return bulk;
        }
        free(bulk);
        *ret_ok = false;
        return NULL;
}

char *redis_command(bool *ret_ok, size_t argc, const char *const *argv)
{
        char *command = NULL, *reply = NULL;
        size_t length = 0;
        *ret_ok = false;
        int fd = net_connect(settings.redis_host, settings.redis_port, 2);
        FILE *out = fd < 0 ? NULL : open_memstream(&command, &length);
        if (!out)
                goto end;
        fprintf(out, "*%zu\r\n", argc);
        for (size_t i = 0; i < argc; i++)
                fprintf(out, "$%zu\r\n%s\r\n", strlen(argv[i]), argv[i]);
        fclose(out);
        if (net_write(fd, command, length))
                reply = read_reply(fd, ret_ok);
end:
        free(command);
        if (fd >= 0)
                close(fd);
        return reply;
}
