/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of words: looked up, listed, and the nearest one to a mistake. */
#include "runbook/words.h"

#include <ctype.h>
#include <errno.h>

enum {
        LONGEST = 64, /* that can be near to another */
        SHOWN = 100,  /* bytes of what somebody wrote */
};

int words_find(const char *const *words, size_t count, const char *word)
{
        for (size_t i = 0; word && i < count; i++)
                if (words[i] && strcmp(words[i], word) == 0)
                        return (int)i;
        return -1;
}

size_t words_count(const char *const *words)
{
        size_t count = 0;
        while (words[count])
                count++;
        return count;
}

void words_put(struct text *text, const char *const *words, size_t count, const char *last)
{
        bool any = false;
        while (count > 0 && !words[count - 1])
                count--;
        for (size_t i = 0; i < count; i++) {
                if (!words[i])
                        continue;
                if (any)
                        text_puts(text, i + 1 == count ? last : ", ");
                text_puts(text, words[i]);
                any = true;
        }
}

/* Words differ only by what a person would see as different: not by case, nor by '-' for '_'. */
static int letter(char c)
{
        return c == '-' ? '_' : tolower((unsigned char)c);
}

/* Edit distance with transpositions of neighbours (optimal string alignment). */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
        size_t rows[3][LONGEST + 1];
        size_t *before = rows[0], *previous = rows[1], *current = rows[2];
        for (size_t j = 0; j <= b_length; j++)
                previous[j] = j;
        for (size_t i = 1; i <= a_length; i++) {
                current[0] = i;
                for (size_t j = 1; j <= b_length; j++) {
                        bool same = letter(a[i - 1]) == letter(b[j - 1]);
                        size_t best = previous[j - 1] + !same;
                        if (previous[j] + 1 < best)
                                best = previous[j] + 1;
                        if (current[j - 1] + 1 < best)
                                best = current[j - 1] + 1;
                        if (i > 1 && j > 1 && letter(a[i - 1]) == letter(b[j - 2]) &&
                            letter(a[i - 2]) == letter(b[j - 1]) && before[j - 2] + 1 < best)
                                best = before[j - 2] + 1;
                        current[j] = best;
                }
                size_t *oldest = before;
                before = previous;
                previous = current;
                current = oldest;
        }
        return previous[b_length];
}

const char *words_nearest(const char *const *words, size_t count, const char *word)
{
        size_t length = word ? strlen(word) : 0, smallest = SIZE_MAX;
        const char *nearest = NULL;
        if (length == 0 || length > LONGEST)
                return NULL;
        for (size_t i = 0; i < count; i++) {
                size_t other = words[i] ? strlen(words[i]) : 0;
                if (other == 0 || other > LONGEST)
                        continue;
                /* A third of the word may be wrong; of very short words one letter. */
                size_t longer = length > other ? length : other;
                size_t allowed = longer / 3 > 0 ? longer / 3 : 1;
                size_t found = distance(word, length, words[i], other);
                if (found <= allowed && found < smallest && found < longer) {
                        smallest = found;
                        nearest = words[i];
                }
        }
        return nearest;
}

int words_unknown(const char *const *words, size_t count, const char *word, const char *what,
                  struct error *error)
{
        const char *nearest = words_nearest(words, count, word);
        _cleanup_text_ struct text sentence = {0};
        text_printf(&sentence, "%s \"", what);
        text_put_line(&sentence, word, SHOWN);
        text_putc(&sentence, '"');
        if (nearest)
                text_printf(&sentence, "; did you mean \"%s\"?", nearest);
        else if (count > 0 && count <= WORDS_LISTED) {
                text_puts(&sentence, "; there are: ");
                words_put(&sentence, words, count, ", ");
        }
        return error_set(error, EINVAL, "%s", text_string(&sentence));
}
