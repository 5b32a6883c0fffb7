/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out: what was parsed prints and parses to the same; any string survives as a JSON string. */
#include <errno.h>

#include "runbook/json.h"
#include "runbook/text.h"
#include "runbook/utf8.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {"{\"a\":",        "[",  "]", "}", "null", "true", "1e5", "\"\\u00e9\"",
                                  "\\ud83d\\ude00", "\"", ",", ":", "-0",   NULL};

static void check_string(const char *string)
{
        _cleanup_text_ struct text text = {0};
        _cleanup_json_ cJSON *json = NULL;
        bool valid = true;
        for (const char *at = string; *at && valid;) {
                size_t length = utf8_length(at);
                valid = length > 0;
                at += length;
        }
        text_put_json(&text, string);
        FUZZ_ASSERT(json_parse(text.data, text.length, &json, NULL) == 0 && cJSON_IsString(json));
        FUZZ_ASSERT(!valid || strcmp(json->valuestring, string) == 0);
}

/* What is JSON to the letter is JSON to cJSON as well, and stays so. */
static void check_strict(const char *data, size_t size)
{
        static const struct json_limits limits = {.depth = 16, .values = 1000};
        _cleanup_json_ cJSON *json = NULL, *again = NULL;
        _cleanup_error_ struct error error = {0};
        int result = json_parse_strict(data, size, &limits, &json, &error);
        FUZZ_ASSERT(result == 0 || (result == -EBADMSG && error.message && !json));
        if (result < 0)
                return;
        _cleanup_free_ char *printed = json_print(json);
        FUZZ_ASSERT(printed && json_parse_strict(printed, strlen(printed), &limits, &again, NULL) == 0);
}

/* What is kept of a document is what the whole of it has there. */
static void check_members(const char *data, size_t size)
{
        static const struct json_limits limits = {.depth = 16, .values = 1000};
        static const char *const paths[] = {"a", "b.a", NULL};
        _cleanup_json_ cJSON *whole = NULL, *kept = NULL;
        if (json_parse_strict(data, size, &limits, &whole, NULL) < 0)
                return;
        FUZZ_ASSERT(json_parse_members(data, size, &limits, paths, &kept, NULL) == 0);
        const cJSON *some = json_get(whole, "a", NULL), *more = json_get(whole, "b", "a", NULL);
        /* A name that is written with escapes is passed over. */
        FUZZ_ASSERT(!json_get(kept, "a", NULL) || cJSON_Compare(some, json_get(kept, "a", NULL), true));
        FUZZ_ASSERT(!json_get(kept, "b", "a", NULL) ||
                    cJSON_Compare(more, json_get(kept, "b", "a", NULL), true));
        FUZZ_ASSERT(memchr(data, '\\', size) || !some || !cJSON_IsObject(whole) || json_get(kept, "a", NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *string = fuzz_string(data, size);
        _cleanup_json_ cJSON *json = NULL, *again = NULL;
        _cleanup_error_ struct error error = {0};
        check_string(string);
        check_strict((const char *)data, size);
        check_members((const char *)data, size);
        int result = json_parse((const char *)data, size, &json, &error);
        FUZZ_ASSERT(result == 0 || ((result == -EBADMSG || result == -EMSGSIZE) && error.message));
        if (result < 0)
                return 0;
        _cleanup_free_ char *printed = json_print(json);
        FUZZ_ASSERT(printed);
        FUZZ_ASSERT(json_parse(printed, strlen(printed), &again, NULL) == 0);
        (void)json_get(json, "a", "a", NULL);
        (void)json_number(json, "a", 0);
        return 0;
}
