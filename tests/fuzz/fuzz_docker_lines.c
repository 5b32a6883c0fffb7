/* SPDX-License-Identifier: Apache-2.0 */
/* A container's log by lines: the same ones however the bytes arrive. Input: a seed, then the stream. */
#include <errno.h>

#include "lib/docker/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 50000;
const char *const fuzz_words[] = {"2026-01-31T12:00:00.000000000Z ", "2026-01-31T12:00:00.000000001Z ",
                                  "a line\n", "\r\n", NULL};

static int note(void *context, nsec wall, const char *line, size_t length)
{
        FUZZ_ASSERT(strlen(line) == length && !strchr(line, '\n') && length <= 64);
        text_printf(context, "%lld %s\n", (long long)wall, line);
        return 0;
}

struct reading {
        struct docker_frame_decoder decoder;
        struct docker_line_reader lines;
};

static int take(void *context, int stream, const char *data, size_t length)
{
        struct reading *reading = context;
        return docker_line_reader_take(&reading->lines, reading->decoder.begins, stream, data, length);
}

static int read_stream(bool raw, const char *stream, size_t length, size_t step, struct text *seen)
{
        struct reading reading = {.decoder.raw = raw,
                                  .lines = {.raw = raw, .limit = 64, .sink = note, .context = seen}};
        int r = 0;
        for (size_t at = 0; at < length && r == 0; at += step)
                r = docker_decode(&reading.decoder, stream + at, length - at < step ? length - at : step,
                                  take, &reading);
        if (r == 0)
                r = docker_line_reader_end(&reading.lines);
        docker_line_reader_release(&reading.lines);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        const char *stream = (const char *)data + 1;
        size_t length = size - 1;
        bool raw = data[0] >> 7;
        _cleanup_text_ struct text at_once = {0}, in_pieces = {0};

        int result = read_stream(raw, stream, length, length, &at_once);
        int other = read_stream(raw, stream, length, data[0] % 16 + 1, &in_pieces);
        FUZZ_ASSERT(result == 0 || result == -EBADMSG);
        FUZZ_ASSERT(result == other);
        FUZZ_ASSERT(string_equal(text_string(&at_once), text_string(&in_pieces)));
        return 0;
}
