/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that nobody has received, as they are read; write.c writes them, with the event that each came by.
 */
#include "responder/journal/internal.h"

void letter_release(struct letter *letter)
{
        free(letter->number);
        free(letter->receiver);
        free(letter->what);
        free(letter->reason);
        *letter = (struct letter){0};
}

void letter_list_release(struct letter_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                letter_release(&list->items[i]);
        free(list->items);
        *list = (struct letter_list){0};
}

static int read_letter(sqlite3_stmt *statement, struct letter *letter, struct error *error)
{
        *letter = (struct letter){
                .incident = sqlite3_column_int64(statement, 0),
                .number = strdup(journal_column(statement, 1)),
                .step = (size_t)sqlite3_column_int64(statement, 2),
                .receiver = strdup(journal_column(statement, 3)),
                .what = strdup(journal_column(statement, 4)),
                .reason = strdup(journal_column(statement, 5)),
                .refused = sqlite3_column_int(statement, 6) != 0,
                .since = sqlite3_column_int64(statement, 7),
                .asked = sqlite3_column_int(statement, 8) != 0,
        };
        return letter->number && letter->receiver && letter->what && letter->reason ? 0 : error_oom(error);
}

int journal_letters(struct journal *journal, int64_t incident, size_t limit, struct letter_list *ret,
                    struct error *error)
{
        READING(journal);
        struct letter_list list = {0};
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, LETTERS, error, "ii", incident, (int64_t)limit);
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0) {
                struct letter *letter = list_grow((void **)&list.items, list.count, sizeof(*letter));
                if (!letter) {
                        r = error_oom(error);
                        break;
                }
                list.count++;
                r = read_letter(statement, letter, error) < 0 ? -ENOMEM : 1;
        }
        if (r < 0) {
                letter_list_release(&list);
                return r;
        }
        *ret = list;
        return 0;
}

int journal_count_letters(struct journal *journal,
                          void (*each)(void *context, const char *receiver, size_t letters), void *context,
                          struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, LETTERS_COUNT, error, "");
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0)
                each(context, journal_column(statement, 0), (size_t)sqlite3_column_int64(statement, 1));
        return r < 0 ? r : 0;
}
