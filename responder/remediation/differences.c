/* SPDX-License-Identifier: Apache-2.0 */
/* What is no longer as it was between two definitions, in words for a person. */
#include <errno.h>

#include "responder/remediation/definition.h"

enum { SHOWN = 3, VALUE_MOST = 60 };

struct differences {
        struct text text;
        size_t count;
        bool sets; /* of a list of words it is told which are gone and which are new */
};

/* A place in a definition: where it is, from the outermost to here. */
struct place {
        const struct place *above;
        const char *word; /* NULL: nothing is said of it */
        size_t step;      /* from 1; 0: it is no step */
};

static void put_place(struct text *text, const struct place *place)
{
        if (!place)
                return;
        put_place(text, place->above);
        if (place->step > 0)
                text_printf(text, "step %zu ", place->step);
        if (place->word)
                text_printf(text, "%s ", place->word);
}

static bool is_nothing(const cJSON *value)
{
        return !value || cJSON_IsNull(value);
}

static void put_value(struct text *text, const cJSON *value)
{
        const char *string = cJSON_GetStringValue(value);
        _cleanup_free_ char *printed = string ? NULL : json_print(value);
        const char *shown = is_nothing(value) ? "nothing" : string ? string : printed;
        size_t length = shown ? strlen(shown) : 0;
        if (shown && length == 0)
                text_puts(text, "\"\"");
        else if (length <= VALUE_MOST)
                text_puts(text, shown ? shown : "?");
        else {
                size_t cut = VALUE_MOST;
                while (cut > 0 && ((unsigned char)shown[cut] & 0xc0) == 0x80)
                        cut--;
                text_printf(text, "%.*s…", (int)cut, shown);
        }
}

/* Begins one; false when there were enough of them. */
static bool begin(struct differences *differences, const struct place *place)
{
        if (++differences->count > SHOWN)
                return false;
        if (differences->count > 1)
                text_puts(&differences->text, "; ");
        put_place(&differences->text, place);
        return true;
}

static void compare(struct differences *differences, const struct place *place, const cJSON *then,
                    const cJSON *now);

static void compare_members(struct differences *differences, const struct place *place, const cJSON *then,
                            const cJSON *now)
{
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, then)
        {
                const struct place member = {.above = place, .word = item->string};
                compare(differences, &member, item, cJSON_GetObjectItemCaseSensitive(now, item->string));
        }
        cJSON_ArrayForEach(item, now)
        {
                const struct place member = {.above = place, .word = item->string};
                if (!cJSON_GetObjectItemCaseSensitive(then, item->string))
                        compare(differences, &member, NULL, item);
        }
}

static bool is_words(const cJSON *value)
{
        const cJSON *item;
        if (!cJSON_IsArray(value))
                return false;
        cJSON_ArrayForEach(item, value)
        {
                if (!cJSON_IsString(item))
                        return false;
        }
        return true;
}

static size_t count_of(const cJSON *words, const char *word)
{
        const cJSON *item;
        size_t count = 0;
        cJSON_ArrayForEach(item, words)
        {
                count += string_equal(cJSON_GetStringValue(item), word);
        }
        return count;
}

/* Those that only one of both lists has. */
static void put_missing(struct text *text, const cJSON *here, const cJSON *there, const char *means,
                        size_t *shown)
{
        const cJSON *item;
        cJSON_ArrayForEach(item, here)
        {
                if (count_of(there, cJSON_GetStringValue(item)) >= count_of(here, cJSON_GetStringValue(item)))
                        continue;
                if ((*shown)++ < 2 * SHOWN) {
                        text_puts(text, *shown > 1 ? ", " : "");
                        put_value(text, item);
                        text_printf(text, " is %s", means);
                }
        }
}

static void compare_words(struct differences *differences, const struct place *place, const cJSON *then,
                          const cJSON *now)
{
        size_t shown = 0;
        if (!begin(differences, place))
                return;
        put_missing(&differences->text, then, now, "gone", &shown);
        put_missing(&differences->text, now, then, "new", &shown);
        if (shown == 0)
                text_puts(&differences->text, "in another order");
        else if (shown > 2 * SHOWN)
                text_printf(&differences->text, " and %zu more", shown - 2 * SHOWN);
}

static void compare(struct differences *differences, const struct place *place, const cJSON *then,
                    const cJSON *now)
{
        if (cJSON_IsObject(then) && cJSON_IsObject(now)) {
                compare_members(differences, place, then, now);
                return;
        }
        if (cJSON_Compare(then, now, true) || (is_nothing(then) && is_nothing(now)))
                return;
        if (differences->sets && is_words(then) && is_words(now)) {
                compare_words(differences, place, then, now);
                return;
        }
        if (!begin(differences, place))
                return;
        put_value(&differences->text, then);
        text_puts(&differences->text, " → ");
        put_value(&differences->text, now);
}

static int end(struct differences *differences, char **ret, struct error *error)
{
        if (differences->count > SHOWN)
                text_printf(&differences->text, "; and %zu more", differences->count - SHOWN);
        char *text = differences->count > 0 ? text_take(&differences->text) : NULL;
        if (differences->count > 0 && !text)
                return error_oom(error);
        *ret = text;
        return 0;
}

int differences_say(const cJSON *then, const cJSON *now, char **ret, struct error *error)
{
        struct differences differences = {.sets = true};
        compare(&differences, NULL, then, now);
        return end(&differences, ret, error);
}

/* By a digest nobody sees what it was. */
static void compare_targets(struct differences *differences, const struct place *place, const cJSON *then,
                            const cJSON *now)
{
        const char *name = json_string(then, "name");
        if (cJSON_Compare(then, now, true) || (!then && !now) || !begin(differences, place))
                return;
        text_printf(&differences->text, "%s%s%s%s is another one", json_string(then, "kind"),
                    name && *name ? " \"" : "", name ? name : "", name && *name ? "\"" : "");
}

static void compare_steps(struct differences *differences, size_t step, const cJSON *then, const cJSON *now)
{
        static const char *const beside[] = {"undo", "timeout", "max", "on_failure", "essential"};
        const struct place place = {.step = step};
        const char *action = json_string(then, "action"), *action_now = json_string(now, "action");
        if (!then || !now) {
                if (begin(differences, &place))
                        text_puts(&differences->text, then ? "is gone" : "is new");
                return;
        }
        if (!string_equal(action, action_now)) {
                if (begin(differences, &place))
                        text_printf(&differences->text, "%s → %s", action, action_now);
                return;
        }
        compare_members(differences, &place, json_get(then, "arguments", NULL),
                        json_get(now, "arguments", NULL));
        for (size_t i = 0; i < N_ELEMENTS(beside); i++) {
                const struct place option = {.above = &place, .word = beside[i]};
                compare(differences, &option, cJSON_GetObjectItemCaseSensitive(then, beside[i]),
                        cJSON_GetObjectItemCaseSensitive(now, beside[i]));
        }
        compare_targets(differences, &place, json_get(then, "target", NULL), json_get(now, "target", NULL));
}

int definition_compare(const cJSON *then, const cJSON *now, char **ret, struct error *error)
{
        static const char *const members[] = {"lock", "on_failure", "escalate_to", "verify"};
        struct differences differences = {0};
        const cJSON *steps = json_get(then, "steps", NULL), *steps_now = json_get(now, "steps", NULL);
        int count = cJSON_GetArraySize(steps), count_now = cJSON_GetArraySize(steps_now);
        for (int i = 0; i < count || i < count_now; i++)
                compare_steps(&differences, (size_t)i + 1, cJSON_GetArrayItem(steps, i),
                              cJSON_GetArrayItem(steps_now, i));
        for (size_t i = 0; i < N_ELEMENTS(members); i++) {
                const struct place place = {.word = members[i]};
                compare(&differences, &place, cJSON_GetObjectItemCaseSensitive(then, members[i]),
                        cJSON_GetObjectItemCaseSensitive(now, members[i]));
        }
        return end(&differences, ret, error);
}
