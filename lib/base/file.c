/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a file as a whole, up to a limit. */
#include "runbook/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int small_file_read(const char *path, size_t limit, struct text *text, struct error *error)
{
        /* Not blocking: a fifo under the name would otherwise hold up the thread for good. */
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;
        size_t length = 0;

        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "%s", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, EINVAL, "%s is not a regular file", path);
        for (;;) {
                if (!text_reserve(text, 4096))
                        return error_oom(error);
                ssize_t got = read(fd, text->data + text->length, 4096);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return error_set_errno(error, errno, "%s", path);
                text->length += (size_t)got;
                text->data[text->length] = '\0';
                length += (size_t)got;
                if (got == 0)
                        return 0;
                if (length > limit)
                        return error_set(error, EFBIG, "%s is larger than %zu bytes", path, limit);
        }
}
