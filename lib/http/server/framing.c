/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head in which others might see another request, or another end of it, than libmicrohttpd does: it is
 * refused, and the connection ends, so that nothing behind it is taken for a request.
 *
 * Libmicrohttpd before 1.0 takes the first of two lengths, reads until the end when it does not know the
 * coding, takes a name with a blank behind it for another name, joins lines, and ends words at a NUL. What it
 * left out can be seen all the same: it takes a head apart where it lies, so that each word has to begin
 * where the one before it ended. From 1.0 on it leaves out blanks behind a value, and refuses a NUL by
 * itself: there only blanks may lie between.
 */
#include <stdio.h>

#include "lib/http/server/internal.h"

#define LINE_END 2                 /* CR and LF, for which libmicrohttpd puts NULs */
#define BLANKS_LEFT_OUT 0x01000000 /* its version, from which on they are */

/* What makes an end of the body, or a host, and may be there once. */
enum once { ONCE_HOST, ONCE_LENGTH, ONCE_CODING, ONCE_COUNT };
static const struct {
        const char *name, *fault;
} once_names[] = {
        [ONCE_HOST] = {MHD_HTTP_HEADER_HOST, "two Host headers"},
        [ONCE_LENGTH] = {MHD_HTTP_HEADER_CONTENT_LENGTH, "two lengths of one body"},
        [ONCE_CODING] = {MHD_HTTP_HEADER_TRANSFER_ENCODING, "two codings of one body"},
};
tables_agree(once_names, ONCE_COUNT);

struct framing {
        const char *fault; /* NULL: none so far */
        const char *end;   /* of the value before, where the end of its line is */
        bool leaves_blanks_out;
        bool seen[ONCE_COUNT];
        bool chunked;
};

static uintptr_t place_of(const char *word)
{
        return (uintptr_t)word;
}

static bool is_token(const char *word, size_t length)
{
        static const char marks[] = "!#$%&'*+-.^_`|~";
        for (size_t i = 0; i < length; i++) {
                char c = word[i];
                bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
                if (!letter && !memchr(marks, c, sizeof(marks) - 1))
                        return false;
        }
        return length > 0;
}

bool http_has_control(const char *word, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if (((unsigned char)word[i] < 0x20 && word[i] != '\t') || word[i] == 0x7f)
                        return true;
        return false;
}

static bool is_word(const char *value, size_t length, const char *word)
{
        return length == strlen(word) && strncasecmp(value, word, length) == 0;
}

/* Whether the next word begins where the line before ends. */
static bool is_next(const struct framing *framing, uintptr_t next)
{
        const uintptr_t end = place_of(framing->end) + LINE_END;
        if (next == end || !framing->leaves_blanks_out || next < end)
                return next == end;
        /* The first of them has become the value's NUL. */
        size_t blanks = next - end;
        for (size_t i = 1; i < blanks; i++)
                if (framing->end[i] != ' ' && framing->end[i] != '\t')
                        return false;
        return true;
}

static const char *look_at_header(struct framing *framing, const char *name, size_t name_length,
                                  const char *value, size_t value_length)
{
        if (!is_token(name, name_length))
                return "the name of a header is none";
        if (http_has_control(value, value_length))
                return "a control character in a header";
        if (!is_next(framing, place_of(name)))
                return "a NUL, or a line that is broken or ends without CR and LF, in a header";
        for (enum once i = 0; i < ONCE_COUNT; i++) {
                if (!is_word(name, name_length, once_names[i].name))
                        continue;
                if (framing->seen[i])
                        return once_names[i].fault;
                framing->seen[i] = true;
                framing->chunked |= i == ONCE_CODING && is_word(value, value_length, "chunked");
        }
        framing->end = value + value_length;
        return NULL;
}

static enum MHD_Result each_header(void *cls, enum MHD_ValueKind kind _unused_, const char *name,
                                   size_t name_length, const char *value, size_t value_length)
{
        struct framing *framing = cls;
        framing->fault = look_at_header(framing, name, name_length, value ? value : "", value_length);
        return framing->fault ? MHD_NO : MHD_YES;
}

const char *http_framing_fault(const struct http_exchange *exchange, const char *method, const char *version)
{
        struct framing framing = {.end = version + strlen(version),
                                  .leaves_blanks_out = MHD_VERSION >= BLANKS_LEFT_OUT};
        const size_t head = http_connection_head_size(exchange->connection);
        if (!is_token(method, strlen(method)))
                return "the method is none";
        if (place_of(method) + strlen(method) + 1 != exchange->target_begin)
                return "more than one blank in the request line";
        if (exchange->target_has_control || place_of(version) != exchange->target_end + 1)
                return "a control character in the target";
        MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, each_header, &framing);
        if (framing.fault)
                return framing.fault;
        if (head > 0 && !is_next(&framing, place_of(method) + head - LINE_END))
                return "a NUL, or a line that is broken or ends without CR and LF, in a header";
        if (!framing.seen[ONCE_CODING])
                return NULL;
        if (framing.seen[ONCE_LENGTH])
                return "a length and a coding of one body";
        if (!framing.chunked || strcmp(version, MHD_HTTP_VERSION_1_0) == 0)
                return "a coding of the body that is not known here";
        return NULL;
}
