/* SPDX-License-Identifier: Apache-2.0 */
/* Well-formedness of UTF-8, one character at a time. */
#include "runbook/utf8.h"

#include "runbook/common.h"

/* A leading byte decides the length, and how far the second byte may range. */
static const struct {
        unsigned char first, last, second_low, second_high, length;
} forms[] = {
        {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t utf8_length(const char *string)
{
        const unsigned char *s = (const unsigned char *)string;
        for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
                if (s[0] < forms[i].first || s[0] > forms[i].last)
                        continue;
                if (forms[i].length == 1)
                        return 1;
                if (s[1] < forms[i].second_low || s[1] > forms[i].second_high)
                        return 0;
                for (size_t k = 2; k < forms[i].length; k++)
                        if (s[k] < 0x80 || s[k] > 0xbf)
                                return 0;
                return forms[i].length;
        }
        return 0;
}

bool utf8_valid(const char *string)
{
        for (size_t length; *string; string += length) {
                length = utf8_length(string);
                if (length == 0)
                        return false;
        }
        return true;
}
