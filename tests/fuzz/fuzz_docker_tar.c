/* SPDX-License-Identifier: Apache-2.0 */
/* Tar streams as a container gives them: refused, or one file out of them under its new path. */
#include "lib/docker/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {"ustar", "00000000010", "0", "x", "2", "12 path=a/b\n", "9 size=1\n", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_text_ struct text tar = {0};
        _cleanup_error_ struct error error = {0};
        int result = docker_tar_append(&tar, (const char *)data, size, "/run/secrets/a", &error);
        FUZZ_ASSERT(result <= 0);
        FUZZ_ASSERT(result == 0 || error.message);
        if (result == 0) {
                docker_tar_end(&tar);
                FUZZ_ASSERT(text_error(&tar) == 0 && tar.length % 512 == 0);
        }
        return 0;
}
