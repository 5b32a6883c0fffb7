/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's log by lines.
 *
 * With timestamps=1 every message of the Engine starts with its time, fixed to nanoseconds. Lines over 16 KiB
 * are several messages of one time, of which only the last has a line break; and so is what a process wrote
 * last before it ended, if it did not end it (daemon/logger/copier.go of moby). Within frames these can be
 * told apart; in a raw log they cannot, so that there a line goes on until its line break.
 */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

#define STREAM_STDERR 2

/* Nothing else may look like one: cut where a raw log has a piece of the same line. */
static void remove_heads(const struct docker_line *line, char *text, size_t *length)
{
        const size_t size = sizeof(line->head);
        for (char *at = text; (at = memmem(at, *length - (size_t)(at - text), line->head, size));) {
                memmove(at, at + size, *length - (size_t)(at - text) - size);
                *length -= size;
        }
}

static int give_line(struct docker_line_reader *reader, struct docker_line *line)
{
        char time[sizeof(line->head)];
        size_t length = line->text.length;
        nsec wall;
        line->open = false;
        memcpy(time, line->head, sizeof(time));
        time[sizeof(time) - 1] = '\0';
        if (time_parse(time, &wall, NULL) < 0)
                return -EBADMSG;
        text_puts(&line->text, "");
        if (text_error(&line->text) < 0)
                return -ENOMEM;
        char *text = line->text.data;
        if (reader->raw)
                remove_heads(line, text, &length);
        length -= length > 0 && text[length - 1] == '\r';
        for (size_t i = 0; i < length; i++)
                if (text[i] == '\0')
                        text[i] = ' ';
        text[length] = '\0';
        int r = reader->sink(reader->context, wall, text, length);
        text_clear(&line->text);
        return r;
}

/* The time of a message is there. Whether it goes on with a line that has no end yet, the time tells. */
static int begin(struct docker_line_reader *reader, struct docker_line *line,
                 const char head[static sizeof(line->head)])
{
        if (head[sizeof(line->head) - 1] != ' ')
                return -EBADMSG;
        if (line->open && memcmp(head, line->head, sizeof(line->head)) != 0) {
                int r = give_line(reader, line);
                if (r < 0)
                        return r;
        }
        line->open = true;
        memcpy(line->head, head, sizeof(line->head));
        return 0;
}

static void keep(const struct docker_line_reader *reader, struct docker_line *line, const char *data,
                 size_t length)
{
        size_t room = reader->limit > line->text.length ? reader->limit - line->text.length : 0;
        text_append(&line->text, data, length < room ? length : room);
}

int docker_line_reader_take(struct docker_line_reader *reader, bool begins, int stream, const char *data,
                            size_t length)
{
        struct docker_line *line = &reader->lines[stream == STREAM_STDERR];
        const size_t size = sizeof(line->head);
        if (begins)
                line->next_length = 0;
        while (length > 0) {
                if (line->next_length < size) {
                        size_t missing = size - line->next_length;
                        size_t n = length < missing ? length : missing;
                        memcpy(line->next + line->next_length, data, n);
                        line->next_length += n;
                        data += n;
                        length -= n;
                        int r = line->next_length == size ? begin(reader, line, line->next) : 0;
                        if (r < 0)
                                return r;
                        continue;
                }
                const char *end = memchr(data, '\n', length);
                size_t n = end ? (size_t)(end - data) : length;
                line->open = true; /* also what comes behind a line break within one message */
                keep(reader, line, data, n);
                if (end) {
                        int r = give_line(reader, line);
                        if (r < 0)
                                return r;
                        n++;
                        line->next_length = reader->raw ? 0 : size;
                }
                data += n;
                length -= n;
        }
        return 0;
}

int docker_line_reader_end(struct docker_line_reader *reader)
{
        for (size_t i = 0; i < N_ELEMENTS(reader->lines); i++) {
                int r = reader->lines[i].open ? give_line(reader, &reader->lines[i]) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

void docker_line_reader_release(struct docker_line_reader *reader)
{
        for (size_t i = 0; i < N_ELEMENTS(reader->lines); i++)
                text_free(&reader->lines[i].text);
}

struct reading {
        struct docker_frame_decoder decoder;
        struct docker_line_reader lines;
};

static int take_piece(void *context, int stream, const char *data, size_t length)
{
        struct reading *reading = context;
        return docker_line_reader_take(&reading->lines, reading->decoder.begins, stream, data, length);
}

int docker_log_lines(struct docker *docker, const char *id, const struct docker_logs_range *range,
                     size_t limit, struct deadline deadline, docker_line_sink sink, void *context,
                     struct error *error)
{
        _cleanup_json_ cJSON *inspected = NULL;
        int r = docker_inspect(docker, id, deadline, &inspected, error);
        if (r < 0)
                return r;
        struct reading reading = {.lines = {.limit = limit, .sink = sink, .context = context}};
        reading.lines.raw = json_bool(json_get(inspected, "Config", NULL), "Tty", false);
        r = docker_logs_read(docker, inspected, range, &reading.decoder, deadline, take_piece, &reading,
                             error);
        /* Whoever does not run any more will not end it. */
        if (r >= 0 && !reading.lines.raw && !json_bool(json_get(inspected, "State", NULL), "Running", true)) {
                r = docker_line_reader_end(&reading.lines);
                if (r < 0)
                        error_set_errno(error, -r, "the logs could not be read");
        }
        docker_line_reader_release(&reading.lines);
        return r;
}
