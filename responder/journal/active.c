/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The active incidents, of which a look reads only those that have changed: in a storm there are thousands,
 * and a look comes after each of their steps.
 */
#include <errno.h>

#include "responder/journal/internal.h"

static int read_all_active(struct journal *journal, struct incident_list *list, struct error *error)
{
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENTS_ACTIVE, error, "");
        incident_list_release(list);
        return statement ? read_incidents(journal, statement, list, error) : -EIO;
}

static int compare_ids(const void *a, const void *b)
{
        const struct incident *one = a, *other = b;
        return (one->id > other->id) - (one->id < other->id);
}

/* Reads one anew: into its place among those that were there before, or behind them all. One that is active
 * no more is left without its number. */
static int read_anew(struct journal *journal, int64_t id, struct incident_list *list, size_t before,
                     struct error *error)
{
        struct incident wanted = {.id = id};
        struct incident *incident = NULL;
        if (before > 0)
                incident = bsearch(&wanted, list->items, before, sizeof(wanted), compare_ids);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, INCIDENT_ACTIVE_BY_ID, error, "i", id);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0 || (r == 0 && !incident))
                return r;
        if (!incident) {
                incident = list_grow((void **)&list->items, list->count, sizeof(*incident));
                if (!incident)
                        return error_oom(error);
                list->count++;
        }
        wanted.brief = incident->brief;
        incident_release(incident);
        *incident = wanted;
        return r == 0            ? 0
               : incident->brief ? read_brief(journal, statement, incident, error)
                                 : read_incident(journal, statement, incident, error);
}

static int compare_numbers(const void *a, const void *b)
{
        const int64_t *one = a, *other = b;
        return (*one > *other) - (*one < *other);
}

/* Those without a number go. Whoever was active once before comes back behind younger ones: then the order is
 * made anew. */
static void tidy_list(struct incident_list *list)
{
        size_t kept = 0;
        bool sorted = true;
        for (size_t i = 0; i < list->count; i++) {
                if (!list->items[i].number)
                        continue;
                list->items[kept] = list->items[i];
                sorted &= kept == 0 || list->items[kept - 1].id < list->items[kept].id;
                kept++;
        }
        list->count = kept;
        if (!sorted)
                qsort(list->items, list->count, sizeof(list->items[0]), compare_ids);
}

static int read_changes(struct journal *journal, int64_t *changed, size_t count, struct incident_list *list,
                        struct error *error)
{
        const size_t before = list->count;
        int r = 0;
        if (count > 1)
                qsort(changed, count, sizeof(*changed), compare_numbers);
        for (size_t i = 0; i < count && r >= 0; i++)
                if (i == 0 || changed[i] != changed[i - 1])
                        r = read_anew(journal, changed[i], list, before, error);
        for (size_t i = 0; i < before && r >= 0; i++)
                if (list->items[i].stale)
                        r = read_anew(journal, list->items[i].id, list, before, error);
        if (r >= 0)
                tidy_list(list);
        return r;
}

int journal_active(struct journal *journal, struct incident_list *list, struct error *error)
{
        READING(journal);
        _cleanup_free_ int64_t *changed = NULL;
        size_t count = 0;
        bool known = changes_take(&journal->changes, &changed, &count) && list->reading != 0 &&
                     list->reading == journal->reading;
        int r = known ? read_changes(journal, changed, count, list, error)
                      : read_all_active(journal, list, error);
        if (r < 0)
                incident_list_release(list);
        else
                list->reading = ++journal->reading;
        return r;
}
