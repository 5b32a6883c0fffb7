/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the exporter keeps over restarts, whoever has written it. Input: the first byte chooses whose file it
 * is, the rest is what stands below its title; with a small letter its sum is put behind it, where the file
 * has one, so that the lines are read as well. What is read is either refused with a sentence or can be gone
 * on with, and comes back the same when it is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "exporter/history/internal.h"
#include "exporter/kinds/log/docker.h"
#include "exporter/kinds/log/journal.h"
#include "exporter/kinds/log/places.h"
#include "exporter/pings/internal.h"
#include "runbook/state_file.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 30000;
const char *const fuzz_words[] = {"first 1782907200000000000\n",
                                  "exit_code 255",
                                  "running 1\n",
                                  "starts 9223372036854775807\n",
                                  " -1\n",
                                  "redis 20785 90p",
                                  "12.77p1f",
                                  " f+ 1795823000000000000 1795823060000000000 ",
                                  "9223372036854775807",
                                  "18446744073709551615",
                                  "s=1;i=2;b=3\n",
                                  "start\n",
                                  "sum ",
                                  NULL};

static char directory[] = "/tmp/runbook-fuzz-state-XXXXXX";

static void remove_directory(void)
{
        for (const char *const *name = (const char *const[]){"saved", "history", "history.broken", NULL};
             *name; name++) {
                char path[sizeof(directory) + 32];
                snprintf(path, sizeof(path), "%s/%s", directory, *name);
                unlink(path);
        }
        rmdir(directory);
}

static const char *path_in(const char *name)
{
        static char path[sizeof(directory) + 32];
        static bool made;
        if (!made) {
                FUZZ_ASSERT(mkdtemp(directory));
                atexit(remove_directory);
                made = true;
        }
        snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

static const char *put_file(const char *title, const struct text *lines)
{
        _cleanup_text_ struct text content = {0};
        text_printf(&content, "%s\n", title);
        text_append(&content, text_string(lines), lines->length);
        return fuzz_file((const uint8_t *)content.data, content.length);
}

static void try_pings(const struct text *lines)
{
        struct ping_record record, again;
        _cleanup_error_ struct error error = {0};
        int r = ping_record_load(put_file("runbook pings 1", lines), &record, &error);
        FUZZ_ASSERT(r == 0 || (r == -EINVAL && error.message));
        if (r < 0)
                return;
        for (enum ping_event event = 0; event < PING_EVENTS; event++) {
                const struct ping ping = {event, -1, clock_wall(), clock_monotonic()};
                ping_record_note(&record, &ping);
        }
        const char *saved = path_in("saved");
        FUZZ_ASSERT(ping_record_save(saved, &record, NULL) == 0);
        FUZZ_ASSERT(ping_record_load(saved, &again, NULL) == 0);
        FUZZ_ASSERT(memcmp(record.facts, again.facts, sizeof(record.facts)) == 0);
}

static void try_line(char *line)
{
        struct history_record record, again;
        const char *name, *same;
        _cleanup_text_ struct text put = {0};
        if (!history_record_parse(line, &name, &record))
                return;
        history_record_put(&put, name, &record);
        FUZZ_ASSERT(put.length > 0 && put.data[put.length - 1] == '\n');
        put.data[put.length - 1] = '\0';
        FUZZ_ASSERT(!strchr(put.data, '\n') && history_record_parse(put.data, &same, &again));
        FUZZ_ASSERT(string_equal(name, same) && record.newest == again.newest &&
                    memcmp(record.view.days, again.view.days, sizeof(record.view.days)) == 0 &&
                    record.view.since == again.view.since && record.view.last == again.view.last);
        history_record_move(&record, history_day(clock_wall()));
        history_record_move(&again, 0);
}

static void try_history(const struct text *lines)
{
        _cleanup_free_ char *copy = strdup(text_string(lines));
        struct history *history = NULL;
        _cleanup_error_ struct error error = {0};
        const char *path = path_in("history");
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        _cleanup_text_ struct text content = {0};
        text_puts(&content, "runbook history 1\n");
        text_append(&content, text_string(lines), lines->length);
        FUZZ_ASSERT(fd >= 0 && write(fd, content.data, content.length) == (ssize_t)content.length);
        close(fd);
        int r = history_new(directory, &history, &error);
        FUZZ_ASSERT(r == 0 || (r == 1 && error.message));
        history_free(history);
        for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
                try_line(line);
}

static void try_log_places(const struct text *lines)
{
        struct log_places places = {0}, again = {0};
        _cleanup_error_ struct error error = {0};
        int r = log_places_load(put_file("runbook log places 1", lines), &places, &error);
        FUZZ_ASSERT(r == 0 || (r == -EINVAL && error.message));
        FUZZ_ASSERT((r == 0) == places.loaded);
        if (r == 0) {
                const char *saved = path_in("saved");
                FUZZ_ASSERT(log_places_save(saved, &places, NULL) == 0);
                FUZZ_ASSERT(log_places_load(saved, &again, NULL) == 0 && again.count == places.count);
        }
        for (size_t i = 0; i < again.count; i++)
                FUZZ_ASSERT(memcmp(&places.items[i], &again.items[i], sizeof(again.items[i])) == 0);
        log_places_clear(&places);
        log_places_clear(&again);
}

static void never(void *context _unused_, size_t member _unused_, const char *line _unused_,
                  size_t length _unused_)
{
        FUZZ_ASSERT(!"there is nobody who would write a line");
}

/* A source whose other end is not there: it reads its places all the same. */
static void try_source(const struct log_source_type *type, const void *config, const char *title,
                       const struct text *lines)
{
        const char *path = put_file(title, lines);
        const struct log_source_options options = {.state_path = path, .line_limit = 64};
        _cleanup_error_ struct error error = {0};
        void *source = NULL;
        bool caught_up = false;
        FUZZ_ASSERT(type->open(config, NULL, &options, &source, NULL) == 0);
        int r = type->run(source, deadline_in(NSEC_PER_SEC), deadline_in(NSEC_PER_SEC), never, NULL,
                          &caught_up, &error);
        FUZZ_ASSERT(r < 0 && error.message);
        type->free(source);
}

static void try_docker_places(const struct text *lines)
{
        static char host[] = "unix:///nowhere/docker.sock", project[] = "p", service[] = "web";
        static char *services[] = {service};
        const struct log_docker_config config = {.docker = {.host = host, .project = project},
                                                 .services = {services, 1}};
        try_source(&log_source_docker, &config, "runbook docker places 1", lines);
}

static const struct {
        char letter;
        void (*read)(const struct text *lines);
        bool summed;
} readers[] = {{'p', try_pings, true},
               {'h', try_history, true},
               {'l', try_log_places, false},
               {'d', try_docker_places, false}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        for (size_t i = 0; size > 0 && i < N_ELEMENTS(readers); i++) {
                if ((data[0] | 0x20) != readers[i].letter)
                        continue;
                _cleanup_text_ struct text lines = {0};
                text_append(&lines, (const char *)data + 1, size - 1);
                if (readers[i].summed && data[0] == (uint8_t)readers[i].letter)
                        state_file_put_sum(&lines);
                readers[i].read(&lines);
        }
        return 0;
}
