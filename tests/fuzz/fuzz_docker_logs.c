/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's log frames: taken apart the same way however the bytes arrive. Input: a seed, then the stream. */
#include <errno.h>

#include "lib/docker/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 100000;
const char *const fuzz_words[] = {"\x01", "\x02", "\x03", "\xff\xff\xff\xff", "a line\n", NULL};

/* The bytes with the stream that each came from. */
static int take(void *context, int stream, const char *data, size_t length)
{
        struct text *taken = context;
        FUZZ_ASSERT(length > 0 && stream >= 1 && stream <= 3);
        for (size_t i = 0; i < length; i++) {
                text_putc(taken, (char)stream);
                text_putc(taken, data[i]);
        }
        return taken->length > 20000 ? -ENOSPC : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        const char *stream = (const char *)data + 1;
        size_t length = size - 1, step = data[0] % 16 + 1;
        struct docker_frame_decoder whole = {.raw = data[0] >> 7}, pieces = whole;
        _cleanup_text_ struct text at_once = {0}, in_pieces = {0};

        int result = docker_decode(&whole, stream, length, take, &at_once);
        int other = 0;
        for (size_t at = 0; at < length && other == 0; at += step)
                other = docker_decode(&pieces, stream + at, length - at < step ? length - at : step, take,
                                      &in_pieces);
        FUZZ_ASSERT(result == 0 || result == -EBADMSG || result == -ENOSPC);
        FUZZ_ASSERT(result == other);
        if (result != -ENOSPC) {
                FUZZ_ASSERT(at_once.length == in_pieces.length);
                FUZZ_ASSERT(at_once.length == 0 || memcmp(at_once.data, in_pieces.data, at_once.length) == 0);
        }
        return 0;
}
