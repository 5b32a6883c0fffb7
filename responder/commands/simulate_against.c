/* SPDX-License-Identifier: Apache-2.0 */
/* What two files of remediations do otherwise about the same alerts. */
#include <errno.h>
#include <stdlib.h>

#include "responder/commands/show.h"
#include "responder/commands/simulate.h"

/* An incident by what it is about, whatever its number is. */
struct keyed {
        char *key;
        const cJSON *outcome;
        size_t order;
};

struct keyed_list {
        struct keyed *items;
        size_t count;
};

static void keyed_release(struct keyed_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                free(list->items[i].key);
        free(list->items);
}

static int compare_keys(const void *left, const void *right)
{
        const struct keyed *a = left, *b = right;
        int by_key = strcmp(a->key, b->key);
        return by_key != 0 ? by_key : (a->order > b->order) - (a->order < b->order);
}

static int make_keys(const cJSON *outcomes, struct keyed_list *ret, struct error *error)
{
        ret->items = calloc((size_t)cJSON_GetArraySize(outcomes) + 1, sizeof(*ret->items));
        if (!ret->items)
                return error_oom(error);
        const cJSON *outcome;
        cJSON_ArrayForEach(outcome, outcomes)
        {
                const cJSON *alert = json_get(outcome, "alert", NULL);
                const char *starts = json_string(alert, "startsAt"),
                           *remediation = json_string(outcome, "remediation");
                _cleanup_free_ char *labels = json_print(json_get(alert, "labels", NULL));
                char *key =
                        text_format("%s\n%s\n%s", starts ? starts : "", remediation, labels ? labels : "");
                if (!key)
                        return error_oom(error);
                ret->items[ret->count] = (struct keyed){key, outcome, ret->count};
                ret->count++;
        }
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_keys);
        return 0;
}

/* NULL: out of memory. */
static char *describe(const cJSON *outcome)
{
        struct text text = {0};
        simulate_put_outcome(&text, outcome);
        return text_take(&text);
}

/* `ret_before` and `ret_now` are what is to be told; both NULL when nothing differs. */
static int tell_apart(const cJSON *before, const cJSON *now, char **ret_before, char **ret_now)
{
        _cleanup_free_ char *was = before ? describe(before) : NULL, *is = now ? describe(now) : NULL;
        if ((before && !was) || (now && !is))
                return -ENOMEM;
        if (was && is && string_equal(was, is)) {
                if (cJSON_Compare(json_get(before, "steps", NULL), json_get(now, "steps", NULL), true))
                        return 0;
                free(is);
                is = text_format("%s, by other steps or arguments", was);
                if (!is)
                        return -ENOMEM;
        }
        *ret_before = TAKE_PTR(was);
        *ret_now = TAKE_PTR(is);
        return 0;
}

static bool is_expected(const struct flag_strings *expected, const char *remediation)
{
        for (size_t i = 0; i < expected->count; i++)
                if (string_equal(expected->items[i], remediation))
                        return true;
        return false;
}

static int add_difference(const cJSON *before, const cJSON *now, const struct flag_strings *expected,
                          cJSON *list, struct error *error)
{
        const cJSON *either = now ? now : before;
        const char *remediation = json_string(either, "remediation");
        _cleanup_free_ char *was = NULL, *is = NULL;
        int r = tell_apart(before, now, &was, &is);
        if (r < 0 || (!was && !is))
                return r < 0 ? error_oom(error) : 0;
        cJSON *item = cJSON_CreateObject();
        if (json_append(list, item) < 0 || json_put(item, "remediation", json_text(remediation)) < 0 ||
            json_put(item, "alert", json_copy(json_get(either, "alert", NULL))) < 0 ||
            json_put(item, "at", json_text(json_string(either, "opened_at"))) < 0 ||
            json_put(item, "before", was ? json_text(was) : cJSON_CreateNull()) < 0 ||
            json_put(item, "now", is ? json_text(is) : cJSON_CreateNull()) < 0 ||
            json_put(item, "expected", cJSON_CreateBool(is_expected(expected, remediation))) < 0)
                return error_oom(error);
        return 0;
}

static int walk(const struct keyed_list *before, const struct keyed_list *now,
                const struct flag_strings *expected, cJSON *list, struct error *error)
{
        size_t i = 0, k = 0;
        int r = 0;
        while (r >= 0 && (i < before->count || k < now->count)) {
                int order = i == before->count ? 1
                            : k == now->count  ? -1
                                               : strcmp(before->items[i].key, now->items[k].key);
                r = add_difference(order <= 0 ? before->items[i].outcome : NULL,
                                   order >= 0 ? now->items[k].outcome : NULL, expected, list, error);
                i += order <= 0;
                k += order >= 0;
        }
        return r;
}

int simulate_compare(const cJSON *before, const cJSON *now, const struct flag_strings *expected, cJSON **ret,
                     struct error *error)
{
        struct keyed_list one = {0}, other = {0};
        _cleanup_json_ cJSON *list = cJSON_CreateArray();
        int r = list ? make_keys(before, &one, error) : error_oom(error);
        if (r >= 0)
                r = make_keys(now, &other, error);
        if (r >= 0)
                r = walk(&one, &other, expected, list, error);
        keyed_release(&one);
        keyed_release(&other);
        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}

bool simulate_put_differences(struct text *text, const cJSON *differences)
{
        bool unexpected = false;
        const cJSON *item;
        cJSON_ArrayForEach(item, differences)
        {
                bool expected = json_bool(item, "expected", false);
                const char *before = json_string(item, "before"), *now = json_string(item, "now");
                unexpected |= !expected;
                show_time(text, json_string(item, "at"));
                text_puts(text, "  ");
                show_string(text, item, "remediation");
                text_puts(text, "  ");
                show_alert(text, json_get(item, "alert", NULL));
                text_printf(text, "%s\n  - %s\n  + %s\n", expected ? "  (expected)" : "",
                            before ? before : "no incident", now ? now : "no incident");
        }
        text_printf(text, "%d of them differ%s\n", cJSON_GetArraySize(differences),
                    unexpected ? ", and not all as expected" : "");
        return unexpected;
}
