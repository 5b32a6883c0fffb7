/* SPDX-License-Identifier: Apache-2.0 */
/* Which check needs which, and what is an effect of what. */
#include "exporter/check/needs.h"

#include <errno.h>

/* How far the search for circles has come with a check. */
enum progress { NOT_SEEN, ON_THE_WAY, DONE };

/* The search: a way from check to check, each of which needs the next one. */
struct search {
        struct check_set *set;
        struct config_node *list;
        enum progress *progress;
        size_t *way, *next; /* the checks on it, and which of its needs is to be looked at next */
        size_t length, ordered;
};

static void search_release(struct search *search)
{
        free(search->progress);
        free(search->way);
        free(search->next);
}

/* Where the file says that check `i` needs its number `k`. */
static struct config_node *place_of(struct config_node *list, size_t i, size_t k)
{
        struct config_node *needs = config_member(config_item(list, i), "needs");
        return config_is_list(needs) ? config_item(needs, k) : needs;
}

/* Names that are not known are left out. */
static int find_needed(struct check_set *set, size_t i, const char *const *names, struct config_node *list)
{
        struct check *check = &set->checks[i];
        size_t count = 0;
        check->needed = calloc(check->needs.count + 1, sizeof(*check->needed));
        if (!check->needed)
                return -ENOMEM;
        for (size_t k = 0; k < check->needs.count; k++) {
                _cleanup_error_ struct error error = {0};
                int found = words_find(names, set->count, check->needs.items[k]);
                if (found >= 0) {
                        check->needed[count++] = (size_t)found;
                        continue;
                }
                words_unknown(names, set->count, check->needs.items[k], "there is no check", &error);
                config_complain(place_of(list, i, k), NULL, "%s", error_text(&error));
        }
        check->needed_count = count;
        return 0;
}

/* The way from `first` to its end leads back to `first`. */
static void complain_of_circle(const struct search *search, size_t first)
{
        const struct check *checks = search->set->checks;
        size_t from = 0, last = search->way[search->length - 1];
        _cleanup_text_ struct text circle = {0};
        while (search->way[from] != first)
                from++;
        for (size_t i = from; i < search->length; i++)
                text_printf(&circle, "%s needs ", checks[search->way[i]].name);
        int at = words_find((const char *const *)checks[last].needs.items, checks[last].needs.count,
                            checks[first].name);
        config_complain(place_of(search->list, last, (size_t)at), NULL, "a circle: %s%s",
                        text_string(&circle), checks[first].name);
}

static void step_into(struct search *search, size_t i)
{
        search->progress[i] = ON_THE_WAY;
        search->next[search->length] = 0;
        search->way[search->length++] = i;
}

/* Puts what check `i` needs into the order, and then itself. */
static void search_from(struct search *search, size_t i)
{
        step_into(search, i);
        while (search->length > 0) {
                size_t at = search->way[search->length - 1];
                const struct check *check = &search->set->checks[at];
                if (search->next[search->length - 1] == check->needed_count) {
                        search->progress[at] = DONE;
                        search->set->needs_order[search->ordered++] = at;
                        search->length--;
                        continue;
                }
                size_t needed = check->needed[search->next[search->length - 1]++];
                if (search->progress[needed] == NOT_SEEN)
                        step_into(search, needed);
                else if (search->progress[needed] == ON_THE_WAY)
                        complain_of_circle(search, needed);
        }
}

int check_needs_resolve(struct check_set *set, struct config_node *list)
{
        _cleanup_free_ const char **names = calloc(set->count + 1, sizeof(*names));
        _cleanup_(search_release) struct search search = {
                .set = set,
                .list = list,
                .progress = calloc(set->count + 1, sizeof(*search.progress)),
                .way = calloc(set->count + 1, sizeof(*search.way)),
                .next = calloc(set->count + 1, sizeof(*search.next)),
        };
        set->needs_order = calloc(set->count + 1, sizeof(*set->needs_order));
        if (!names || !search.progress || !search.way || !search.next || !set->needs_order)
                return -ENOMEM;
        for (size_t i = 0; i < set->count; i++)
                names[i] = set->checks[i].name;
        for (size_t i = 0; i < set->count; i++)
                if (find_needed(set, i, names, list) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < set->count; i++)
                if (search.progress[i] == NOT_SEEN)
                        search_from(&search, i);
        return 0;
}

void check_needs_find_roots(const struct check_set *set, const bool *fails, size_t *ret_roots)
{
        for (size_t at = 0; at < set->count; at++) {
                size_t i = set->needs_order[at], root = NO_ROOT;
                const struct check *check = &set->checks[i];
                for (size_t k = 0; k < check->needed_count; k++) {
                        size_t needed = check->needed[k], cause = ret_roots[needed];
                        if (cause == NO_ROOT && fails[needed])
                                cause = needed;
                        if (cause < root)
                                root = cause;
                }
                ret_roots[i] = root;
        }
}

static bool is_among(const size_t *order, size_t count, size_t i)
{
        for (size_t k = 0; k < count; k++)
                if (order[k] == i)
                        return true;
        return false;
}

int check_needs_arrange(const size_t *roots, size_t *order, size_t count)
{
        _cleanup_free_ size_t *before = calloc(count + 1, sizeof(*before));
        size_t placed = 0;
        if (!before)
                return -ENOMEM;
        memcpy(before, order, count * sizeof(*order));
        for (size_t k = 0; k < count; k++) {
                if (roots[before[k]] != NO_ROOT && is_among(before, count, roots[before[k]]))
                        continue;
                order[placed++] = before[k];
                for (size_t effect = 0; effect < count; effect++)
                        if (roots[before[effect]] == before[k])
                                order[placed++] = before[effect];
        }
        return 0;
}

void check_needs_mark(const struct check_set *set, size_t i, bool *ret_needed)
{
        memset(ret_needed, 0, set->count * sizeof(*ret_needed));
        for (size_t k = 0; k < set->checks[i].needed_count; k++)
                ret_needed[set->checks[i].needed[k]] = true;
        for (size_t at = set->count; at-- > 0;) {
                const struct check *check = &set->checks[set->needs_order[at]];
                for (size_t k = 0; ret_needed[set->needs_order[at]] && k < check->needed_count; k++)
                        ret_needed[check->needed[k]] = true;
        }
}
