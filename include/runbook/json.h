/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cJSON with the project's manners: errors with a position, look-ups that never fail half-way.
 *
 * Every getter takes NULL and the wrong type and then answers NULL or the given default, so that a chain of
 * look-ups needs one check at its end. Strings stay owned by the document.
 */
#ifndef RUNBOOK_JSON_H
#define RUNBOOK_JSON_H

#include <cjson/cJSON.h>

#include "runbook/common.h"
#include "runbook/digest.h"
#include "runbook/error.h"
#include "runbook/text.h"

DEFINE_CLEANUP(cJSON *, cJSON_Delete);
#define _cleanup_json_ _cleanup_(cJSON_Delete_p)

/*
 * Parses exactly one document of `length` bytes that the program has written itself, or keeps as it took it:
 * -EBADMSG with line and column when it is not JSON, -EMSGSIZE when it is deeper than JSON_DEPTH_MOST or has
 * more than JSON_VALUES_OWN values; -ENOMEM when it is JSON, and there was no memory for it. What comes from
 * anybody else goes through json_parse_strict().
 */
#define JSON_VALUES_OWN ((size_t)4 << 20)
int json_parse(const char *data, size_t length, cJSON **ret, struct error *error);

/*
 * Past the byte order mark that .NET and PowerShell put before a document: RFC 8259, section 8.1, lets who
 * reads it pass it over. `length` is that of what is left.
 */
static inline const char *json_skip_mark(const char *data, size_t *length)
{
        const bool marked = *length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0;
        *length -= marked ? 3 : 0;
        return data + (marked ? 3 : 0);
}

/* What is let through of a stranger's document. */
struct json_limits {
        size_t depth;   /* at most JSON_DEPTH_MOST */
        size_t values;  /* 64 bytes of memory each, also for a `0` that costs the sender two */
        bool marks_nul; /* a NUL that is written as an escape becomes JSON_NUL, so that what has it can be
                           told from what has not; false: it is refused */
};
enum { JSON_DEPTH_MOST = 64 };
#define JSON_NUL "\xef\xbf\xbf" /* U+FFFF, which is no character */

/*
 * The same for what comes from strangers: JSON as RFC 8259 has it and nothing beside, within the limits, with
 * no member twice in one object. -EBADMSG says what is wrong, and where.
 */
int json_parse_strict(const char *data, size_t length, const struct json_limits *limits, cJSON **ret,
                      struct error *error);

/*
 * The same, but only what is wanted of it takes memory: `paths`, ended by NULL, are dotted names of members
 * ("State", "HostConfig.Memory"), each kept whole; none leads into another one, and those that begin alike
 * stand together. All of the document is held to JSON and the limits; that no name stands twice, what is
 * kept. A document that is no object is kept.
 */
int json_parse_members(const char *data, size_t length, const struct json_limits *limits,
                       const char *const paths[], cJSON **ret, struct error *error);

/* What is let through of who answers: Docker, Prometheus, a service that tells its health, a program. */
extern const struct json_limits json_answer_limits;

/* `json_get(doc, "State", "Health", "Status", NULL)`: the member at that path, or NULL. */
const cJSON *json_get(const cJSON *json, ...) _sentinel_;

/*
 * What stands at a dotted path, "checks.0.name": members of objects by name, items of arrays by number. A
 * backslash takes the meaning off a dot or a backslash behind it; "" and "." are `json` itself. NULL when
 * there is nothing, or no memory.
 */
const cJSON *json_find(const cJSON *json, const char *path);

/* The length of the name at the front of such a path, escapes and all. */
size_t json_name_length(const char *path);

/* A word, a number, a truth or null as it would be written in YAML; "a structure" for anything else. */
void json_put_scalar(struct text *text, const cJSON *value);

/* The member `key` as a string (NULL when absent or not a string), number or truth. */
const char *json_string(const cJSON *json, const char *key);
double json_number(const cJSON *json, const char *key, double fallback);
bool json_bool(const cJSON *json, const char *key, bool fallback);

/* The document on one line; free() it. NULL when out of memory. */
char *json_print(const cJSON *json);

/* Masks, in place, what the strings in it repeat of our secrets that is no common word (see mask.h): before
 * it is shown to anybody. Names of members stay. */
void json_mask(cJSON *json);

/* `cJSON_AddItemToObject`, but replaces what is there and takes `item` also on failure. */
int json_put(cJSON *object, const char *key, cJSON *item);

/* Puts `item` at the end and takes it, also on failure (-ENOMEM). */
int json_append(cJSON *array, cJSON *item);

/* A string or a copy that is the caller's, null for NULL; NULL when out of memory. */
cJSON *json_text(const char *string);
cJSON *json_copy(const cJSON *item);

/* SHA-256 of a document as it is printed: members in another order are another document. -EIO, -ENOMEM, also
 * of NULL: one that could not be made. */
int json_digest(const cJSON *json, char ret[static DIGEST_TEXT_MAX], struct error *error);

#endif
