/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan is by, out of its action's table. */
#include "responder/remediation/essence.h"

#include "responder/remediation/definition.h"

#include <errno.h>
#include <string.h>

/* The next word of "containers name image_id"; NULL: no more, or out of memory. */
static char *take_word(const char **at)
{
        *at += strspn(*at, " ");
        size_t length = strcspn(*at, " ");
        char *word = length > 0 ? strndup(*at, length) : NULL;
        *at += length;
        return word;
}

static int compare_strings(const void *one, const void *other)
{
        return strcmp(*(char *const *)one, *(char *const *)other);
}

/* One item of a list by some of its members, as a word for a person. */
static char *item_text(const cJSON *item, const char *fields)
{
        _cleanup_text_ struct text text = {0};
        for (const char *at = fields; at[strspn(at, " ")] != '\0';) {
                _cleanup_free_ char *field = take_word(&at);
                const cJSON *value = field ? cJSON_GetObjectItemCaseSensitive(item, field) : NULL;
                const char *string = cJSON_GetStringValue(value);
                _cleanup_free_ char *printed = value && !string ? json_print(value) : NULL;
                if (!field || (value && !string && !printed))
                        return NULL;
                text_printf(&text, "%s%s", text.length > 0 ? " " : "",
                            string    ? string
                            : printed ? printed
                                      : "-");
        }
        return text_take(&text);
}

/* In an order that is not the neighbour's. */
static int list_essence(const cJSON *list, const char *fields, cJSON **ret, struct error *error)
{
        size_t count = (size_t)cJSON_GetArraySize(list), made = 0;
        char **texts = calloc(count + 1, sizeof(*texts));
        _cleanup_json_ cJSON *json = cJSON_CreateArray();
        const cJSON *item;
        int r = texts ? 0 : -ENOMEM;
        cJSON_ArrayForEach(item, list)
        {
                if (r >= 0 && !(texts[made] = item_text(item, fields)))
                        r = -ENOMEM;
                made += r >= 0;
        }
        if (r >= 0)
                qsort(texts, made, sizeof(*texts), compare_strings);
        for (size_t i = 0; i < made; i++) {
                if (r >= 0 && json_append(json, cJSON_CreateString(texts[i])) < 0)
                        r = -ENOMEM;
                free(texts[i]);
        }
        free(texts);
        if (r < 0)
                return error_oom(error);
        *ret = TAKE_PTR(json);
        return 0;
}

static int put_member(cJSON *essence, const char *words, const cJSON *plan, struct error *error)
{
        const char *at = words;
        cJSON *value = NULL;
        _cleanup_free_ char *name = take_word(&at);
        if (!name)
                return error_oom(error);
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(plan, name);
        int r = 0;
        if (*at)
                r = list_essence(member, at, &value, error);
        else
                value = member ? cJSON_Duplicate(member, true) : cJSON_CreateNull();
        return r < 0 ? r : json_put(essence, name, value) < 0 ? error_oom(error) : 0;
}

static int make(const char *action, const cJSON *plan, cJSON **ret, struct error *error)
{
        const struct action *found = action ? action_find(action) : NULL;
        _cleanup_json_ cJSON *essence =
                found && found->counts ? cJSON_CreateObject() : cJSON_Duplicate(plan, true);
        int r = essence ? 0 : error_oom(error);
        for (size_t i = 0; r >= 0 && found && found->counts && found->counts[i]; i++)
                r = put_member(essence, found->counts[i], plan, error);
        if (r < 0)
                return r;
        cJSON_DeleteItemFromObjectCaseSensitive(essence, "summary");
        *ret = TAKE_PTR(essence);
        return 0;
}

int essence_digest(const char *action, const cJSON *plan, char ret[static DIGEST_TEXT_MAX],
                   struct error *error)
{
        _cleanup_json_ cJSON *essence = NULL;
        int r = make(action, plan, &essence, error);
        return r < 0 ? r : json_digest(essence, ret, error);
}

int essence_compare(const char *action, const cJSON *then, const cJSON *now, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *before = NULL, *after = NULL;
        int r = make(action, then, &before, error);
        if (r >= 0)
                r = make(action, now, &after, error);
        return r < 0 ? r : differences_say(before, after, ret, error);
}
