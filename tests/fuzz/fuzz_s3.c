/* SPDX-License-Identifier: Apache-2.0 */
/* S3's listings: the same objects however the bytes arrive, and bounded. Input: a seed, then the answer. */
#include <errno.h>

#include "exporter/kinds/s3/listing.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 50000;
const char *const fuzz_words[] = {"<Contents>",
                                  "</Contents>",
                                  "<Key>",
                                  "</Key>",
                                  "<Size>0</Size>",
                                  "<LastModified>2026-01-02T03:04:05.000Z</LastModified>",
                                  "<IsTruncated>true</IsTruncated>",
                                  "<NextContinuationToken>",
                                  "<Error>",
                                  "<Code>",
                                  "<!DOCTYPE a [<!ENTITY b \"c\">]>",
                                  "&b;",
                                  "&#0;",
                                  "<![CDATA[",
                                  "]]>",
                                  "\xff\xfe",
                                  NULL};

static void take(void *context, const struct s3_object *object)
{
        FUZZ_ASSERT(*object->key && strlen(object->key) <= 4096);
        text_printf(context, "%s %llu %lld\n", object->key, (unsigned long long)object->size,
                    (long long)object->modified);
}

static int parse(const char *data, size_t length, size_t step, struct text *taken)
{
        _cleanup_(s3_listing_free_p) struct s3_listing *listing = s3_listing_new(take, taken);
        const struct s3_answer *answer;
        FUZZ_ASSERT(listing);
        for (size_t at = 0; at < length; at += step)
                s3_listing_feed(listing, data + at, length - at < step ? length - at : step, NULL);
        int r = s3_listing_end(listing, &answer, NULL);
        FUZZ_ASSERT(r == 0 || r == -EBADMSG || r == -EMSGSIZE);
        FUZZ_ASSERT(r < 0 || answer->is_listing != answer->is_error);
        text_printf(taken, "%d %d %s %s %s %s", r, answer->truncated, text_string(&answer->next),
                    text_string(&answer->code), text_string(&answer->region), text_string(&answer->endpoint));
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        const char *answer = (const char *)data + 1;
        _cleanup_text_ struct text at_once = {0}, in_pieces = {0};
        int result = parse(answer, size - 1, size, &at_once);
        int other = parse(answer, size - 1, (size_t)data[0] % 32 + 1, &in_pieces);

        FUZZ_ASSERT(result == other && strcmp(text_string(&at_once), text_string(&in_pieces)) == 0);
        return 0;
}
