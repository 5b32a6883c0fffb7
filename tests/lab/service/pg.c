/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's frontend protocol 3.0, as much as one parameterised query in text format needs
 * (https://www.postgresql.org/docs/15/protocol-flow.html, "Extended Query").
 */
#include "service.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pg {
        int fd;
};

enum { MESSAGE_MAX = 1 << 20, VALUES_MAX = 16 };

/* A message is gathered in a stream; its length field counts itself but not the type before it. */
static void put_u32(FILE *out, uint32_t value)
{
        value = htonl(value);
        fwrite(&value, sizeof(value), 1, out);
}

static void put_u16(FILE *out, uint16_t value)
{
        value = htons(value);
        fwrite(&value, sizeof(value), 1, out);
}

static void put_string(FILE *out, const char *value)
{
        fwrite(value, strlen(value) + 1, 1, out);
}

static bool send_message(struct pg *pg, char type, const char *body, size_t length)
{
        char head[5] = {type};
        uint32_t size = htonl((uint32_t)length + 4);
        memcpy(head + 1, &size, sizeof(size));
        /* The first message of a connection has no type. */
        return (type ? net_write(pg->fd, head, 5) : net_write(pg->fd, head + 1, 4)) &&
               net_write(pg->fd, body, length);
}

/* Reads one message; *ret_body is NUL-terminated and the caller's. 0 when the connection is lost. */
static char read_message(struct pg *pg, char **ret_body, size_t *ret_length)
{
        char head[5];
        uint32_t size;
        if (!net_read(pg->fd, head, sizeof(head)))
                return 0;
        memcpy(&size, head + 1, sizeof(size));
        size = ntohl(size);
        if (size < 4 || size > MESSAGE_MAX)
                return 0;
        size_t length = size - 4;
        char *body = calloc(1, length + 1);
        if (!body || !net_read(pg->fd, body, length)) {
                free(body);
                return 0;
        }
        *ret_body = body;
        *ret_length = length;
        return head[0];
}

/* ErrorResponse: fields of one letter and a string; 'M' is the sentence. */
static void log_refusal(const char *body, size_t length)
{
        for (const char *at = body; at < body + length && *at; at += strlen(at) + 1)
                if (*at == 'M')
                        log_line("error", "msg=\"postgres refused\" error=\"%s\"", at + 1);
}

static void deliver_row(char *body, size_t length, pg_row row, void *context)
{
        char *values[VALUES_MAX];
        uint16_t count;
        size_t at = sizeof(count);
        if (length < at)
                return;
        memcpy(&count, body, sizeof(count));
        count = ntohs(count);
        if (count > VALUES_MAX)
                return;
        for (size_t i = 0; i < count; i++) {
                uint32_t size;
                if (at + sizeof(size) > length)
                        return;
                memcpy(&size, body + at, sizeof(size));
                /* The length field is done with: its first byte ends the value before it. */
                body[at] = '\0';
                size = ntohl(size);
                at += sizeof(size);
                values[i] = size == UINT32_MAX ? NULL : body + at;
                if (size != UINT32_MAX) {
                        if (size > length - at)
                                return;
                        at += size;
                }
        }
        row(context, values, count);
}

/* Reads until ReadyForQuery; false after an error or when the connection is lost. */
static bool read_to_ready(struct pg *pg, pg_row row, void *context)
{
        bool fine = true;
        for (;;) {
                char *body;
                size_t length;
                char type = read_message(pg, &body, &length);
                if (!type)
                        return false;
                if (type == 'D' && row)
                        deliver_row(body, length, row, context);
                if (type == 'E') {
                        log_refusal(body, length);
                        fine = false;
                }
                /* Authentication: anything but "ok" asks for a password, which there is none of. */
                if (type == 'R' && length >= 4 && memcmp(body, "\0\0\0\0", 4) != 0)
                        fine = false;
                free(body);
                if (type == 'Z')
                        return fine;
                if (!fine && type == 'R')
                        return false;
        }
}

struct pg *pg_connect(int timeout_seconds)
{
        struct pg *pg = calloc(1, sizeof(*pg));
        char *body = NULL;
        size_t length = 0;
        if (!pg)
                return NULL;
        pg->fd = net_connect(settings.pg_host, settings.pg_port, timeout_seconds);
        FILE *out = pg->fd < 0 ? NULL : open_memstream(&body, &length);
        if (!out)
                return pg_close(pg);
        put_u32(out, 3 << 16);
        put_string(out, "user");
        put_string(out, settings.pg_user);
        put_string(out, "database");
        put_string(out, settings.pg_database);
        put_string(out, "application_name");
        put_string(out, settings.service);
        fputc('\0', out);
        fclose(out);
        bool ready = send_message(pg, 0, body, length) && read_to_ready(pg, NULL, NULL);
        free(body);
        return ready ? pg : pg_close(pg);
}

struct pg *pg_close(struct pg *pg)
{
        if (pg && pg->fd >= 0)
                close(pg->fd);
        free(pg);
        return NULL;
}

bool pg_send(struct pg *pg, const char *sql, const char *const *params, size_t count)
{
        char *body = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&body, &length);
        if (!out)
                return false;
        put_string(out, ""); /* Parse: the unnamed statement, types left to the server */
        put_string(out, sql);
        put_u16(out, 0);
        fflush(out);
        bool sent = send_message(pg, 'P', body, length);
        rewind(out);
        put_string(out, ""); /* Bind: unnamed portal and statement, text both ways */
        put_string(out, "");
        put_u16(out, 0);
        put_u16(out, (uint16_t)count);
        for (size_t i = 0; i < count; i++) {
                put_u32(out, (uint32_t)strlen(params[i]));
                fwrite(params[i], strlen(params[i]), 1, out);
        }
        put_u16(out, 0);
        fclose(out);
        sent = sent && send_message(pg, 'B', body, length) && send_message(pg, 'E', "\0\0\0\0\0", 5) &&
               send_message(pg, 'S', "", 0);
        free(body);
        return sent;
}

bool pg_query(struct pg *pg, const char *sql, const char *const *params, size_t count, pg_row row,
              void *context)
{
        return pg_send(pg, sql, params, count) && read_to_ready(pg, row, context);
}
