/* SPDX-License-Identifier: Apache-2.0 */
/* One file taken out of a tar stream and put into another under its full path (POSIX.1-2001 pax). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/docker/internal.h"

#define BLOCK 512
#define NAME_LENGTH 100
#define SIZE_AT 124
#define SIZE_LENGTH 12
#define CHECKSUM_AT 148
#define CHECKSUM_LENGTH 8
#define TYPE_AT 156
#define MAGIC_AT 257

#define TYPE_FILE '0'
#define TYPE_FILE_OLD '\0'
#define TYPE_SYMLINK '2'
#define TYPE_PAX 'x'

static size_t padded(size_t length)
{
        return (length + BLOCK - 1) / BLOCK * BLOCK;
}

/* A field of octal digits, closed by NUL or a space; false for the base-256 of huge files. */
static bool read_octal(const char *field, size_t width, size_t *ret)
{
        size_t value = 0, i = 0;
        while (i < width && field[i] == ' ')
                i++;
        for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
                value = value * 8 + (size_t)(field[i] - '0');
        if (i < width && field[i] && field[i] != ' ')
                return false;
        *ret = value;
        return true;
}

static void append_block(struct text *tar, const char *data, size_t length)
{
        static const char zeroes[BLOCK];
        text_append(tar, data, length);
        text_append(tar, zeroes, padded(length) - length);
}

/* A record is "<length> key=value\n", where length counts its own digits too. */
static void append_record(struct text *records, const char *key, const char *value)
{
        size_t rest = strlen(key) + strlen(value) + 3, length = rest + 1;
        for (int digits; (digits = snprintf(NULL, 0, "%zu", length)) > 0 && rest + (size_t)digits != length;)
                length = rest + (size_t)digits;
        text_printf(records, "%zu %s=%s\n", length, key, value);
}

/* The records of a pax header, but for its path, which is to be another. */
static bool copy_records(struct text *records, const char *data, size_t length)
{
        while (length > 0) {
                size_t size = 0, digits = 0;
                while (digits < length && data[digits] >= '0' && data[digits] <= '9' && size < length)
                        size = size * 10 + (size_t)(data[digits++] - '0');
                if (digits == 0 || digits == length || data[digits] != ' ' || size <= digits || size > length)
                        return false;
                static const char path[] = " path=";
                size_t left = length - digits, width = sizeof(path) - 1;
                if (left < width || memcmp(data + digits, path, width) != 0)
                        text_append(records, data, size);
                data += size;
                length -= size;
        }
        return true;
}

static void append_pax_header(struct text *tar, const struct text *records)
{
        /* Fields of eight, twelve and eight bytes, each closed by NUL or full. */
        static const char mode_owner_group[24] = "0000644\0000000000\0000000000";
        static const char modified[12] = "00000000000";
        static const char magic_and_version[8] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};
        char header[BLOCK] = "pax";
        memcpy(header + NAME_LENGTH, mode_owner_group, sizeof(mode_owner_group));
        snprintf(header + SIZE_AT, SIZE_LENGTH, "%011zo", records->length);
        memcpy(header + SIZE_AT + SIZE_LENGTH, modified, sizeof(modified));
        header[TYPE_AT] = TYPE_PAX;
        memcpy(header + MAGIC_AT, magic_and_version, sizeof(magic_and_version));

        /* The checksum is taken with its own field as spaces. */
        unsigned sum = 0;
        memset(header + CHECKSUM_AT, ' ', CHECKSUM_LENGTH);
        for (size_t i = 0; i < BLOCK; i++)
                sum += (unsigned char)header[i];
        snprintf(header + CHECKSUM_AT, CHECKSUM_LENGTH, "%06o", sum);

        append_block(tar, header, BLOCK);
        append_block(tar, records->data, records->length);
}

int docker_tar_append(struct text *tar, const char *data, size_t length, const char *path,
                      struct error *error)
{
        _cleanup_text_ struct text records = {0};
        while (*path == '/')
                path++;
        append_record(&records, "path", path);

        while (length >= BLOCK && *data) {
                size_t size = 0;
                char type = data[TYPE_AT];
                if (!read_octal(data + SIZE_AT, SIZE_LENGTH, &size) || size > length ||
                    padded(size) > length - BLOCK)
                        return error_set(error, EBADMSG, "Docker's archive of %s is cut short", path);
                if (type == TYPE_PAX) {
                        if (!copy_records(&records, data + BLOCK, size))
                                return error_set(error, EBADMSG, "Docker's archive of %s is broken", path);
                } else if (type == TYPE_FILE || type == TYPE_FILE_OLD || type == TYPE_SYMLINK) {
                        append_pax_header(tar, &records);
                        append_block(tar, data, BLOCK + size);
                        if (text_error(tar) < 0 || text_error(&records) < 0)
                                return error_oom(error);
                        return 0;
                } else
                        break;
                data += BLOCK + padded(size);
                length -= BLOCK + padded(size);
        }
        return error_set(error, EBADMSG, "Docker's archive of %s does not hold a file", path);
}

void docker_tar_end(struct text *tar)
{
        static const char zeroes[2 * BLOCK];
        text_append(tar, zeroes, sizeof(zeroes));
}
