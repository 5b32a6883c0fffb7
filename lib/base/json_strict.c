/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger sends as JSON: held to RFC 8259 to the letter, and to limits, before cJSON sees it.
 *
 * cJSON takes more than JSON is (numbers like 01 and 1., raw control characters, bytes that are no UTF-8),
 * ends a string at its first NUL, and recurses into what is nested. Nothing here recurses, and what it lets
 * through is what every other reader of JSON would understand in the same way.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/json_members.h"
#include "runbook/json.h"
#include "runbook/utf8.h"

const struct json_limits json_answer_limits = {.depth = JSON_DEPTH_MOST, .values = 500000, .marks_nul = true};

/* Where the reading stands. */
struct reading {
        const char *at, *end;
        const struct json_limits *limits;
        const char *wrong; /* what is wrong at `at`; NULL: nothing yet */
        size_t depth, values;
        uint64_t objects; /* one bit for each level: it is an object */
        bool nuls;        /* there are some, written as escapes */
};

static bool refuse(struct reading *reading, const char *wrong)
{
        reading->wrong = wrong;
        return false;
}

static bool has(const struct reading *reading)
{
        return reading->at < reading->end;
}

static void skip_space(struct reading *reading)
{
        while (has(reading) &&
               (*reading->at == ' ' || *reading->at == '\t' || *reading->at == '\r' || *reading->at == '\n'))
                reading->at++;
}

static bool is_digit(const struct reading *reading)
{
        return has(reading) && *reading->at >= '0' && *reading->at <= '9';
}

static bool read_digits(struct reading *reading)
{
        if (!is_digit(reading))
                return refuse(reading, "a digit is missing here");
        while (is_digit(reading))
                reading->at++;
        return true;
}

static bool read_number(struct reading *reading)
{
        reading->at += *reading->at == '-';
        if (has(reading) && *reading->at == '0') {
                reading->at++;
                if (is_digit(reading))
                        return refuse(reading, "a number does not begin with 0");
        } else if (!read_digits(reading)) {
                return false;
        }
        if (has(reading) && *reading->at == '.') {
                reading->at++;
                if (!read_digits(reading))
                        return false;
        }
        if (has(reading) && (*reading->at == 'e' || *reading->at == 'E')) {
                reading->at++;
                if (has(reading) && (*reading->at == '+' || *reading->at == '-'))
                        reading->at++;
                return read_digits(reading);
        }
        return true;
}

/* The four digits behind \u; negative when they are not that. */
static int32_t read_unit(struct reading *reading)
{
        int32_t unit = 0;
        if (reading->end - reading->at < 6 || reading->at[0] != '\\' || reading->at[1] != 'u')
                return -1;
        for (size_t i = 2; i < 6; i++) {
                char c = reading->at[i];
                int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                       : -1;
                if (digit < 0)
                        return -1;
                unit = unit << 4 | digit;
        }
        reading->at += 6;
        return unit;
}

static bool read_escape(struct reading *reading)
{
        char next = reading->end - reading->at >= 2 ? reading->at[1] : '\0';
        if (next != 'u') {
                if (next == '\0' || !strchr("\"\\/bfnrt", next))
                        return refuse(reading, "there is no such escape");
                reading->at += 2;
                return true;
        }
        int32_t unit = read_unit(reading);
        if (unit < 0)
                return refuse(reading, "\\u takes four hexadecimal digits");
        if (unit == 0 && !reading->limits->marks_nul)
                return refuse(reading, "a NUL character, where a string of C ends");
        reading->nuls |= unit == 0;
        if (unit >= 0xdc00 && unit <= 0xdfff)
                return refuse(reading, "the second half of a character without the first");
        if (unit >= 0xd800 && unit <= 0xdbff) {
                unit = read_unit(reading);
                if (unit < 0xdc00 || unit > 0xdfff)
                        return refuse(reading, "the first half of a character without the second");
        }
        return true;
}

/* A character that stands for itself. What is left of the body may end within it. */
static bool read_character(struct reading *reading)
{
        unsigned char first = (unsigned char)*reading->at;
        if (first < 0x20)
                return refuse(reading, "a control character, which is to be escaped");
        if (first < 0x80) {
                reading->at++;
                return true;
        }
        char bytes[5] = {0};
        size_t left = (size_t)(reading->end - reading->at);
        memcpy(bytes, reading->at, left < 4 ? left : 4);
        size_t length = utf8_length(bytes);
        if (length == 0)
                return refuse(reading, "a byte that is not UTF-8");
        reading->at += length;
        return true;
}

/* Most of what there is. */
static void skip_plain(struct reading *reading)
{
        const char *at = json_skip_plain(reading->at, reading->end);
        while (at < reading->end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
               *at != '\\')
                at++;
        reading->at = at;
}

static bool read_string(struct reading *reading)
{
        reading->at++;
        while (skip_plain(reading), has(reading) && *reading->at != '"')
                if (!(*reading->at == '\\' ? read_escape(reading) : read_character(reading)))
                        return false;
        if (!has(reading))
                return refuse(reading, "a string without its end");
        reading->at++;
        return true;
}

static bool read_word(struct reading *reading)
{
        static const char *const words[] = {"true", "false", "null"};
        for (size_t i = 0; i < N_ELEMENTS(words); i++) {
                size_t length = strlen(words[i]);
                if ((size_t)(reading->end - reading->at) < length ||
                    memcmp(reading->at, words[i], length) != 0)
                        continue;
                reading->at += length;
                return true;
        }
        return refuse(reading, "no value");
}

/* `"key" :`, before the value of a member. */
static bool read_key(struct reading *reading)
{
        skip_space(reading);
        if (!has(reading) || *reading->at != '"')
                return refuse(reading, "a member's name is missing");
        if (!read_string(reading))
                return false;
        skip_space(reading);
        if (!has(reading) || *reading->at != ':')
                return refuse(reading, "a colon is missing");
        reading->at++;
        return true;
}

static bool is_in_object(const struct reading *reading)
{
        return reading->depth > 0 && (reading->objects >> (reading->depth - 1) & 1);
}

/* Goes into what is opened here. `ret_done` says whether it is empty, and thereby read. */
static bool open_level(struct reading *reading, bool *ret_done)
{
        bool object = *reading->at == '{';
        if (reading->depth == reading->limits->depth)
                return refuse(reading, "nested too deep");
        reading->at++;
        reading->objects &= ~((uint64_t)1 << reading->depth);
        reading->objects |= (uint64_t)object << reading->depth;
        reading->depth++;
        skip_space(reading);
        *ret_done = has(reading) && *reading->at == (object ? '}' : ']');
        if (*ret_done) {
                reading->at++;
                reading->depth--;
                return true;
        }
        return !object || read_key(reading);
}

/* One value, or the beginning of one. */
static bool begin_value(struct reading *reading, bool *ret_done)
{
        *ret_done = true;
        skip_space(reading);
        if (!has(reading))
                return refuse(reading, "it ends before it is whole");
        if (++reading->values > reading->limits->values)
                return refuse(reading, "too many values");
        char c = *reading->at;
        return c == '{' || c == '['                 ? open_level(reading, ret_done)
               : c == '"'                           ? read_string(reading)
               : c == '-' || (c >= '0' && c <= '9') ? read_number(reading)
                                                    : read_word(reading);
}

/* What follows a value: the end of its level, of several, or the next one. */
static bool follow_value(struct reading *reading)
{
        while (reading->depth > 0) {
                skip_space(reading);
                if (!has(reading))
                        return refuse(reading, "it ends before it is whole");
                if (*reading->at == ',') {
                        reading->at++;
                        return !is_in_object(reading) || read_key(reading);
                }
                if (*reading->at != (is_in_object(reading) ? '}' : ']'))
                        return refuse(reading, "a comma or the end is missing");
                reading->at++;
                reading->depth--;
        }
        return true;
}

static bool read_document(struct reading *reading)
{
        bool done;
        do {
                if (!begin_value(reading, &done) || (done && !follow_value(reading)))
                        return false;
        } while (reading->depth > 0);
        skip_space(reading);
        return !has(reading) || refuse(reading, "something follows the document");
}

/* To the letter, of any number of values. */
static bool is_json(const char *data, size_t length)
{
        const struct json_limits all = {.depth = JSON_DEPTH_MOST, .values = SIZE_MAX, .marks_nul = true};
        struct reading reading = {.at = data, .end = data + length, .limits = &all};
        return read_document(&reading);
}

/* How deep it is and how many values it has, at least, if it is JSON at all: for what has them by accident or
 * by somebody's hand, before cJSON takes memory for each and recurses. */
static int check_shape(const char *data, size_t length, struct error *error)
{
        size_t depth = 0, values = 1;
        bool quoted = false;
        for (size_t i = 0; i < length; i++) {
                const char c = data[i];
                if (quoted) {
                        i += c == '\\';
                        quoted = c != '"';
                        continue;
                }
                quoted = c == '"';
                if (c == '[' || c == '{')
                        depth++;
                else if ((c == ']' || c == '}') && depth > 0)
                        depth--;
                values += c == ',' || c == '[' || c == '{';
                if (depth > JSON_DEPTH_MOST || values > JSON_VALUES_OWN)
                        return error_set(error, EMSGSIZE, "JSON of more than %d levels or %zu values",
                                         JSON_DEPTH_MOST, JSON_VALUES_OWN);
        }
        return 0;
}

/* What is within some limits. */
static int parse(const char *data, size_t length, cJSON **ret, struct error *error)
{
        const char *end = NULL;
        cJSON *json = cJSON_ParseWithLengthOpts(data, length, &end, false);
        /* What follows the document may only be white space (and the NUL that a C string ends with). */
        if (json && end) {
                const char *rest = end;
                while (rest < data + length && strchr(" \t\r\n", *rest) && *rest)
                        rest++;
                if (rest < data + length && *rest) {
                        cJSON_Delete(json);
                        json = NULL;
                        end = rest;
                }
        }
        /* When it is JSON after all there was no memory for it, which is nobody's fault who wrote it. */
        if (!json && is_json(data, strnlen(data, length)))
                return error_oom(error);
        if (!json) {
                size_t line = 1, column = 1;
                for (const char *c = data; end && c < end && c < data + length; c++) {
                        line += *c == '\n';
                        column = *c == '\n' ? 1 : column + 1;
                }
                return error_set(error, EBADMSG, "not valid JSON at line %zu, column %zu", line, column);
        }
        *ret = json;
        return 0;
}

int json_parse(const char *data, size_t length, cJSON **ret, struct error *error)
{
        int r = check_shape(data, length, error);
        return r < 0 ? r : parse(data, length, ret, error);
}

/* Whether two members may have one name. Of most objects this is all that it costs: no two share a bit. */
static bool may_repeat(const cJSON *object)
{
        enum { BITS = 14, WORD = 64 };
        uint64_t seen[(1 << BITS) / WORD] = {0};
        const cJSON *member;
        cJSON_ArrayForEach(member, object)
        {
                uint32_t hash = 0;
                for (const char *c = member->string; *c; c++)
                        hash = (hash + (unsigned char)*c) * UINT32_C(0x9e3779b1); /* Knuth's golden ratio */
                const uint32_t bit = hash >> (32 - BITS);
                if (seen[bit / WORD] >> (bit % WORD) & 1)
                        return true;
                seen[bit / WORD] |= UINT64_C(1) << (bit % WORD);
        }
        return false;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of two members of one name one reader takes the first, another the last. */
static int check_names(const cJSON *object, struct error *error)
{
        size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
        if (count < 2 || !may_repeat(object))
                return 0;
        _cleanup_free_ const char **names = calloc(count, sizeof(*names));
        if (!names)
                return error_oom(error);
        const cJSON *member;
        cJSON_ArrayForEach(member, object) names[i++] = member->string;
        qsort(names, count, sizeof(*names), compare_names);
        for (i = 1; i < count; i++)
                if (strcmp(names[i - 1], names[i]) == 0)
                        return error_set(error, EBADMSG, "the member \"%.64s\" stands there twice", names[i]);
        return 0;
}

/* As deep as the limits allow, and no deeper. */
static int check_all_names(const cJSON *json, struct error *error)
{
        int r = cJSON_IsObject(json) ? check_names(json, error) : 0;
        const cJSON *child = r >= 0 ? json->child : NULL;
        for (; child && r >= 0; child = child->next)
                if (child->child)
                        r = check_all_names(child, error);
        return r;
}

static int refuse_at(const struct reading *reading, const char *data, struct error *error)
{
        size_t line = 1, column = 1;
        for (const char *c = data; c < reading->at; c++) {
                line += *c == '\n';
                column = *c == '\n' ? 1 : column + 1;
        }
        return error_set(error, EBADMSG, "not valid JSON at line %zu, column %zu: %s", line, column,
                         reading->wrong);
}

/* Of JSON that is well-formed: each NUL becomes U+FFFF, which is of the same length. */
static char *mark_nuls(const char *data, size_t length)
{
        char *copy = malloc(length + 1);
        if (!copy)
                return NULL;
        memcpy(copy, data, length);
        copy[length] = '\0';
        for (char *at = copy; (at = strchr(at, '\\')); at += 2)
                if (memcmp(at, "\\u0000", 6) == 0)
                        memcpy(at, "\\uffff", 6);
        return copy;
}

static int check(const char *data, size_t length, const struct json_limits *limits, bool *ret_nuls,
                 struct error *error)
{
        struct reading reading = {.at = data, .end = data + length, .limits = limits};
        if (limits->depth > JSON_DEPTH_MOST)
                return error_set(error, EINVAL, "a depth of %zu is more than can be read", limits->depth);
        if (!read_document(&reading))
                return refuse_at(&reading, data, error);
        *ret_nuls = reading.nuls;
        return 0;
}

/* What was checked. */
static int parse_checked(const char *data, size_t length, bool nuls, cJSON **ret, struct error *error)
{
        _cleanup_json_ cJSON *json = NULL;
        _cleanup_free_ char *marked = nuls ? mark_nuls(data, length) : NULL;
        if (nuls && !marked)
                return error_oom(error);
        int r = parse(marked ? marked : data, length, &json, error);
        if (r >= 0 && json)
                r = check_all_names(json, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(json);
        return 0;
}

int json_parse_strict(const char *data, size_t length, const struct json_limits *limits, cJSON **ret,
                      struct error *error)
{
        bool nuls = false;
        int r = check(data, length, limits, &nuls, error);
        return r < 0 ? r : parse_checked(data, length, nuls, ret, error);
}

int json_parse_members(const char *data, size_t length, const struct json_limits *limits,
                       const char *const paths[], cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text kept = {0};
        bool nuls = false;
        int r = check(data, length, limits, &nuls, error);
        if (r < 0)
                return r;
        json_keep_members(data, length, paths, &kept);
        return text_error(&kept) < 0 ? error_oom(error)
                                     : parse_checked(text_string(&kept), kept.length, nuls, ret, error);
}
