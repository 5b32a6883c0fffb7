/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of PostgreSQL as libpq gives them: fields up to the next line feed, three to a row, as columns of a
 * query and as labels. A field of "\N" is NULL. Whatever they hold, the page of them can be written.
 */
#include <errno.h>
#include <string.h>

#include "exporter/kinds/postgres/columns.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 60000;
const char *const fuzz_words[] = {"\n",  "\\N\n", "1\n",    "-1e308\n", "NaN\n",        "Infinity\n", "t\n",
                                  "f\n", "\"\n",  "\\\n\n", "\xff\n",   "\xc3\xa4\n\n", "1e9999\n",   NULL};

enum { COLUMNS = 3 };

static PGresult *make_rows(char *text)
{
        static const char *const names[COLUMNS] = {"v", "name", "state"};
        PGresAttDesc columns[COLUMNS] = {0};
        PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
        for (int i = 0; i < COLUMNS; i++)
                columns[i].name = (char *)names[i];
        FUZZ_ASSERT(rows && PQsetResultAttrs(rows, COLUMNS, columns));
        int at = 0;
        for (char *rest = text, *field; rest && (field = strsep(&rest, "\n")); at++) {
                const bool null = strcmp(field, "\\N") == 0;
                FUZZ_ASSERT(PQsetvalue(rows, at / COLUMNS, at % COLUMNS, null ? NULL : field,
                                       null ? -1 : (int)strlen(field)));
        }
        return rows;
}

static const struct metric_family family = {.name = "f", .type = METRIC_GAUGE, .help = "h"};
static const struct column_metric metrics[] = {
        {.family = &family, .value = "v", COLUMN_LABELS("name", "state"), .scale = 2}, {0}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = fuzz_string(data, size);
        _cleanup_result_ PGresult *rows = make_rows(text);
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text page = {0};
        struct sample_set set = {.limit = 100};
        const struct sample_set *const sets[] = {&set};
        int r = column_metrics_add(metrics, rows, "d", &(struct sample_sink){.set = &set}, &error);
        FUZZ_ASSERT(r == 0 || (r == -EPROTO && error.message));
        FUZZ_ASSERT(set.error == 0 && set.count <= 100 && set.count + set.dropped <= (size_t)PQntuples(rows));
        FUZZ_ASSERT(metrics_encode(METRICS_TEXT, sets, 1, NULL, &page, NULL) == 0);
        sample_set_release(&set);
        return 0;
}
