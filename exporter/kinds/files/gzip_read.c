/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 1952 by zlib, which compares each member's checksum and length at its end. */
#include "exporter/kinds/files/gzip_read.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "runbook/file.h"

enum { INPUT = 16 * 1024, OUTPUT = 32 * 1024, ROUNDS = 16 /* between looks at the clock */ };

/* Keeps of a piece what is asked for. */
static void take_bytes(struct gzip_content *content, const unsigned char *data, size_t length)
{
        size_t room = GZIP_HEAD - content->length, end = length;
        if (room > 0 && length > 0) {
                size_t piece = length < room ? length : room;
                memcpy(content->head + content->length, data, piece);
                content->length += piece;
        }
        while (end > 0 && data[end - 1] == 0)
                end--;
        content->zeros = length - end + (end == 0 ? content->zeros : 0);
}

static void inflate_end_p(z_stream **stream)
{
        inflateEnd(*stream);
}

int gzip_read(int fd, struct deadline deadline, struct gzip_content *ret)
{
        struct gzip_content content = {0};
        unsigned char input[INPUT], output[OUTPUT];
        z_stream stream = {0};
        int state = Z_OK;
        if (inflateInit2(&stream, 15 + 16) != Z_OK) /* 16: gzip */
                return -ENOMEM;
        _cleanup_(inflate_end_p) z_stream *opened = &stream;
        off_t offset = 0;
        for (unsigned round = 1;; round++) {
                if (stream.avail_in == 0) {
                        ssize_t got = file_read_at(fd, input, INPUT, offset);
                        if (got < 0)
                                return (int)got;
                        offset += got;
                        stream.next_in = input;
                        stream.avail_in = (uInt)got;
                        content.whole = got == 0;
                }
                /* Another member may follow; what is none, as the padding of a tape, is passed over. */
                if (state == Z_STREAM_END && (content.whole || *stream.next_in != 0x1f)) {
                        content.whole = true;
                        break;
                }
                if (content.whole)
                        return -EBADMSG;
                if (state == Z_STREAM_END)
                        inflateReset(opened);
                stream.next_out = output;
                stream.avail_out = OUTPUT;
                state = inflate(opened, Z_NO_FLUSH);
                if (state != Z_OK && state != Z_STREAM_END)
                        return state == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
                take_bytes(&content, output, OUTPUT - stream.avail_out);
                if (round % ROUNDS == 0 && deadline_passed(deadline))
                        break;
        }
        *ret = content;
        return 0;
}
