/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of words that are known: what an operator may write, and what the values of an enum are called.
 *
 *     static const char *const words[] = {[FROM_END] = "end", [FROM_START] = "start"};
 *
 *     int found = words_find(words, N_ELEMENTS(words), word);
 *     if (found < 0)
 *             return words_unknown(words, N_ELEMENTS(words), word, "there is no place", error);
 *     from = (enum from)found;
 *
 * A list may have holes, which are NULL: of an enum whose values are not all words, or of what was read with
 * mistakes. Nothing is found in them and none of them is shown. All of this is thread-safe and keeps nothing.
 */
#ifndef RUNBOOK_WORDS_H
#define RUNBOOK_WORDS_H

#include "runbook/error.h"
#include "runbook/text.h"

/* The index of the word, letter by letter the same, or -1; NULL is no word. */
int words_find(const char *const *words, size_t count, const char *word);

/* The other way: what stands at the index, "unknown" beyond the list and in a hole. For what is shown or
 * logged. */
static inline const char *words_name(const char *const *words, size_t count, size_t index)
{
        return index < count && words[index] ? words[index] : "unknown";
}

/* How many words there are before the NULL that closes the list, as in config_field.choices. */
size_t words_count(const char *const *words);

/* "a, b or c", with `last` before the last one: " or ", ", ". */
void words_put(struct text *text, const char *const *words, size_t count, const char *last);

/*
 * The word that was probably meant, or NULL when none is near: up to a third of the letters wrong, swapped,
 * missing or too many, whatever their case, and '-' for '_'. One of the list, borrowed.
 */
const char *words_nearest(const char *const *words, size_t count, const char *word);

/*
 * -EINVAL, with what would be right: <what> "<word>"; did you mean "<the nearest>"? When none is near and
 * there are not many: "; there are: a, b, c". `what` is "there is no check", say. The word may come from
 * anywhere: it is cut after 100 bytes and cannot move the cursor of a terminal.
 */
enum { WORDS_LISTED = 24 }; /* that is not many */
int words_unknown(const char *const *words, size_t count, const char *word, const char *what,
                  struct error *error);

#endif
