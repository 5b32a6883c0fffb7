/* SPDX-License-Identifier: Apache-2.0 */
/* Groups samples by family, sorts the families, and leaves out what came twice. */
#include "lib/metrics/page.h"

#include "lib/metrics/writer.h"

#include <errno.h>

#define NOWHERE UINT32_MAX

/*
 * Open addressing with linear probing. A place holds an index plus one, so that zero is an empty place, and
 * in the bits above it some of the hash, which is compared before anything else is looked at.
 */
struct table {
        uint32_t *places;
        size_t mask;
        uint32_t index_mask; /* where the index is */
};

/* Where each sample goes, while the page is put together. */
struct sorting {
        struct metrics_page page;
        size_t group_capacity;
        uint32_t *group_of; /* of the i-th sample of all sets: its group, or NOWHERE */
        uint32_t *rank;     /* of a group: its place after sorting */
        struct table families, series;
};

static bool table_init(struct table *table, size_t entries)
{
        size_t size = 16;
        while (size < entries * 2)
                size *= 2;
        table->mask = size - 1;
        table->index_mask = (uint32_t)(size - 1);
        table->places = calloc(size, sizeof(*table->places));
        return table->places;
}

static uint64_t load_word(const char *data, size_t length)
{
        uint64_t word = 0;
        if (length >= sizeof(word)) {
                memcpy(&word, data, sizeof(word));
                return word;
        }
        while (length-- > 0)
                word = word << 8 | (unsigned char)data[length];
        return word;
}

/* Eight bytes at a time, mixed by multiplication and folding (the construction of wyhash, reduced); the last
 * eight may overlap the ones before. */
static uint64_t hash_bytes(const char *data, size_t length, uint64_t seed)
{
        uint64_t hash = seed ^ (length * UINT64_C(0x9E3779B97F4A7C15));
        const char *end = data + length;
        if (length > sizeof(uint64_t)) {
                for (; (size_t)(end - data) > sizeof(uint64_t); data += sizeof(uint64_t)) {
                        hash = (hash ^ load_word(data, sizeof(uint64_t))) * UINT64_C(0xD6E8FEB86659FD93);
                        hash ^= hash >> 32;
                }
                data = end - sizeof(uint64_t);
        }
        hash = (hash ^ load_word(data, (size_t)(end - data))) * UINT64_C(0xD6E8FEB86659FD93);
        return hash ^ hash >> 32;
}

static void sorting_release(struct sorting *s)
{
        metrics_page_release(&s->page);
        free(s->group_of);
        free(s->rank);
        free(s->families.places);
        free(s->series.places);
}

/* The group of a family by its name, made when there is none; NOWHERE when its type differs. -ENOMEM. */
static int find_group(struct sorting *s, const struct metric_family *family, uint32_t *ret)
{
        struct metrics_page *page = &s->page;
        size_t at = hash_bytes(family->name, strlen(family->name), 0) & s->families.mask;
        for (; s->families.places[at]; at = (at + 1) & s->families.mask) {
                uint32_t index = s->families.places[at] - 1;
                const struct metric_family *known = page->groups[index].family;
                if (known == family || strcmp(known->name, family->name) == 0) {
                        *ret = known->type == family->type ? index : NOWHERE;
                        return 0;
                }
        }

        if (page->group_count == s->group_capacity) {
                size_t capacity = s->group_capacity * 2;
                struct metrics_group *groups = reallocarray(page->groups, capacity, sizeof(*groups));
                if (!groups)
                        return -ENOMEM;
                page->groups = groups;
                s->group_capacity = capacity;
        }
        page->groups[page->group_count] = (struct metrics_group){.family = family};
        *ret = (uint32_t)page->group_count++;
        s->families.places[at] = *ret + 1;
        return 0;
}

/* True when the row at `index` is the first of its series; it is then remembered. */
static bool first_of_series(struct sorting *s, const struct metrics_row *rows, uint32_t index)
{
        const struct metrics_row *row = &rows[index];
        uint64_t seed = ((uint64_t)s->group_of[index] << 8) + row->sample->suffix;
        uint64_t hash = hash_bytes(row->labels, row->sample->labels_length, seed);
        uint32_t index_mask = s->series.index_mask, mark = (uint32_t)(hash >> 32) & ~index_mask;
        size_t at = hash & s->series.mask;
        for (; s->series.places[at]; at = (at + 1) & s->series.mask) {
                uint32_t known = (s->series.places[at] & index_mask) - 1;
                if ((s->series.places[at] & ~index_mask) == mark &&
                    s->group_of[known] == s->group_of[index] &&
                    rows[known].sample->suffix == row->sample->suffix &&
                    rows[known].sample->labels_length == row->sample->labels_length &&
                    memcmp(rows[known].labels, row->labels, row->sample->labels_length) == 0)
                        return false;
        }
        s->series.places[at] = mark | (index + 1);
        return true;
}

/* The first sample of the series of that at `index`, which is then remembered when it is that itself. */
static struct sample *first_in_set(struct table *table, const struct sample_set *set, uint32_t index)
{
        const char *arena = text_string(&set->arena);
        struct sample *sample = &set->samples[index];
        uint64_t hash =
                hash_bytes(arena + sample->labels_offset, sample->labels_length, (uintptr_t)sample->family);
        uint32_t mark = (uint32_t)(hash >> 32) & ~table->index_mask;
        size_t at = hash & table->mask;
        for (; table->places[at]; at = (at + 1) & table->mask) {
                struct sample *known = &set->samples[(table->places[at] & table->index_mask) - 1];
                if ((table->places[at] & ~table->index_mask) == mark && known->family == sample->family &&
                    known->labels_length == sample->labels_length &&
                    memcmp(arena + known->labels_offset, arena + sample->labels_offset,
                           sample->labels_length) == 0)
                        return known;
        }
        table->places[at] = mark | (index + 1);
        return sample;
}

/* Of equal series the first that is to be kept stands in the first one's place. */
static void take_place(struct sample *first, struct sample *sample)
{
        double value = first->value;
        if (first->kept || !sample->kept)
                return;
        first->value = sample->value;
        first->kept = true;
        sample->value = value;
        sample->kept = false;
}

size_t sample_set_mark_repeated(struct sample_set *set)
{
        struct table table = {0};
        size_t repeated = 0;
        if (set->count < 2 || set->error < 0)
                return 0;
        if (set->count >= NOWHERE || !table_init(&table, set->count)) {
                set->error = -ENOMEM;
                return 0;
        }
        for (uint32_t i = 0; i < set->count; i++) {
                struct sample *sample = &set->samples[i];
                struct sample *first = sample->suffix == SAMPLE_PLAIN ? first_in_set(&table, set, i) : sample;
                sample->repeated = first != sample;
                repeated += sample->repeated;
                take_place(first, sample);
        }
        free(table.places);
        return repeated;
}

static int compare_groups(const void *a, const void *b, void *context)
{
        const struct metrics_group *groups = context;
        return strcmp(groups[*(const uint32_t *)a].family->name, groups[*(const uint32_t *)b].family->name);
}

/* Whether the row is the first of its series. Native buckets go with the row that they follow. */
static bool keeps_row(struct sorting *s, const struct metrics_row *rows, uint32_t index)
{
        if (rows[index].sample->suffix != SAMPLE_NATIVE)
                return first_of_series(s, rows, index);
        return index > 0 && s->group_of[index - 1] == s->group_of[index];
}

/* Finds every sample's group, and drops what came before. `rows` are in the order of the sets. */
static int assign_groups(struct sorting *s, const struct metrics_row *rows, uint32_t total)
{
        const struct metric_family *last = NULL;
        uint32_t group = NOWHERE;
        for (uint32_t i = 0; i < total; i++) {
                if (rows[i].sample->family != last) {
                        last = rows[i].sample->family;
                        int r = find_group(s, last, &group);
                        if (r < 0)
                                return r;
                }
                s->group_of[i] = group;
                if (group != NOWHERE && keeps_row(s, rows, i)) {
                        s->page.groups[group].count++;
                } else {
                        s->group_of[i] = NOWHERE;
                        s->page.duplicates += rows[i].sample->suffix != SAMPLE_NATIVE;
                }
        }
        return 0;
}

/* Lists the samples of all sets, but for families that are not asked for; their number. */
static uint32_t list_rows(const struct sample_set *const *sets, size_t count, const char *const *names,
                          struct metrics_row *rows)
{
        const struct metric_family *last = NULL;
        bool wanted = !names;
        uint32_t total = 0;
        for (size_t i = 0; i < count; i++) {
                const char *arena = text_string(&sets[i]->arena);
                for (size_t k = 0; k < sets[i]->count; k++) {
                        const struct sample *sample = &sets[i]->samples[k];
                        if (sample->cut)
                                continue;
                        if (names && sample->family != last) {
                                last = sample->family;
                                wanted = metrics_family_named(last, names);
                        }
                        if (wanted)
                                rows[total++] = (struct metrics_row){sample, arena + sample->labels_offset};
                }
        }
        return total;
}

/* Sorts the groups by name and gives each its stretch of the page's rows. */
static int sort_groups(struct sorting *s)
{
        struct metrics_page *page = &s->page;
        size_t count = page->group_count;
        _cleanup_free_ uint32_t *order = calloc(count + 1, sizeof(*order));
        struct metrics_group *sorted = calloc(count + 1, sizeof(*sorted));
        size_t at = 0;
        s->rank = calloc(count + 1, sizeof(*s->rank));
        if (!order || !sorted || !s->rank) {
                free(sorted);
                return -ENOMEM;
        }
        for (uint32_t i = 0; i < count; i++)
                order[i] = i;
        qsort_r(order, count, sizeof(*order), compare_groups, page->groups);
        for (uint32_t i = 0; i < count; i++) {
                sorted[i] = page->groups[order[i]];
                sorted[i].rows = page->rows + at;
                at += sorted[i].count;
                s->rank[order[i]] = i;
        }
        free(page->groups);
        page->groups = sorted;
        page->row_count = at;
        return 0;
}

/* Puts the rows into their groups' stretches; stable, so the order of the sets stays. */
static int place_rows(struct sorting *s, const struct metrics_row *rows, uint32_t total)
{
        struct metrics_page *page = &s->page;
        _cleanup_free_ size_t *next = calloc(page->group_count + 1, sizeof(*next));
        if (!next)
                return -ENOMEM;
        for (size_t i = 0; i < page->group_count; i++)
                next[i] = (size_t)(page->groups[i].rows - page->rows);
        for (uint32_t i = 0; i < total; i++)
                if (s->group_of[i] != NOWHERE)
                        page->rows[next[s->rank[s->group_of[i]]]++] = rows[i];
        return 0;
}

int metrics_page_build(const struct sample_set *const *sets, size_t count, const char *const *names,
                       struct metrics_page *ret)
{
        _cleanup_(sorting_release) struct sorting s = {0};
        size_t total = 0;
        int r;
        for (size_t i = 0; i < count; i++) {
                if (sets[i]->error < 0)
                        return sets[i]->error;
                total += sets[i]->count;
        }
        if (total >= NOWHERE)
                return -E2BIG;

        _cleanup_free_ struct metrics_row *rows = reallocarray(NULL, total + 1, sizeof(*rows));
        s.page.rows = calloc(total + 1, sizeof(*s.page.rows));
        s.group_of = calloc(total + 1, sizeof(*s.group_of));
        s.group_capacity = 64;
        s.page.groups = reallocarray(NULL, s.group_capacity, sizeof(*s.page.groups));
        if (!rows || !s.page.rows || !s.page.groups || !s.group_of || !table_init(&s.families, total) ||
            !table_init(&s.series, total))
                return -ENOMEM;

        uint32_t listed = list_rows(sets, count, names, rows);
        r = assign_groups(&s, rows, listed);
        if (r < 0)
                return r;
        r = sort_groups(&s);
        if (r < 0)
                return r;
        r = place_rows(&s, rows, listed);
        if (r < 0)
                return r;

        *ret = s.page;
        s.page = (struct metrics_page){0};
        return 0;
}

void metrics_page_release(struct metrics_page *page)
{
        free(page->groups);
        free(page->rows);
        *page = (struct metrics_page){0};
}

const char *metrics_suffix(uint8_t suffix)
{
        static const char *const suffixes[] = {[SAMPLE_PLAIN] = "",
                                               [SAMPLE_BUCKET] = "_bucket",
                                               [SAMPLE_SUM] = "_sum",
                                               [SAMPLE_COUNT] = "_count"};
        tables_agree(suffixes, SAMPLE_NATIVE);

        return suffix < N_ELEMENTS(suffixes) ? suffixes[suffix] : "";
}

bool metrics_family_named(const struct metric_family *family, const char *const *names)
{
        size_t length = strlen(family->name);
        for (; *names; names++) {
                if (strncmp(*names, family->name, length) != 0)
                        continue;
                if ((*names)[length] == '\0')
                        return true;
                for (int suffix = SAMPLE_BUCKET; suffix <= SAMPLE_COUNT; suffix++)
                        if (family->type == METRIC_HISTOGRAM &&
                            strcmp(*names + length, metrics_suffix((uint8_t)suffix)) == 0)
                                return true;
        }
        return false;
}

const char *metrics_row_bound(const struct metrics_row *row, size_t *ret_length)
{
        /* `le` comes last, and a number holds nothing that would be escaped. */
        const char *end = row->labels + row->sample->labels_length - 1, *start = end;
        while (start > row->labels && start[-1] != '"')
                start--;
        *ret_length = (size_t)(end - start);
        return start;
}

void metrics_row_native(const struct metrics_row *row, struct native_buckets *ret)
{
        memcpy(ret, row->labels, row->sample->labels_length); /* it lies there unaligned */
}

uint32_t native_span(const struct native_buckets *native, uint32_t first)
{
        uint32_t length = 1;
        while (first + length < native->count &&
               native->buckets[first + length].index == native->buckets[first].index + length)
                length++;
        return length;
}
