/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One check in one line: its name, the last day, ninety days as runs of letters, and the last trouble.
 *
 *     redis 20785 12.77p1f f 1795823000000000000 1795823060000000000 connection refused
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exporter/history/internal.h"

/* By enum standing, and of what was not measured. */
static const char letters[] = {
        [STANDING_NOT_SET_UP] = 'n', [STANDING_PASS] = 'p', [STANDING_WARN] = 'w',
        [STANDING_UNKNOWN] = 'u',    [STANDING_FAIL] = 'f', [HISTORY_NOT_MEASURED] = '.'};
tables_agree(letters, STANDINGS + 1);

enum { DAY_SECONDS = 24 * 3600 };

void history_record_clear(struct history_record *record)
{
        *record = (struct history_record){0};
        memset(record->view.days, HISTORY_NOT_MEASURED, sizeof(record->view.days));
}

int64_t history_day(nsec wall)
{
        time_t seconds = (time_t)(wall / NSEC_PER_SEC);
        struct tm parts = {0};
        localtime_r(&seconds, &parts);
        struct tm day = {.tm_year = parts.tm_year, .tm_mon = parts.tm_mon, .tm_mday = parts.tm_mday};
        return (int64_t)timegm(&day) / DAY_SECONDS;
}

void history_record_move(struct history_record *record, int64_t day)
{
        unsigned char *days = record->view.days;
        int64_t by = day - record->newest;
        record->newest = day;
        if (by >= HISTORY_DAYS || by <= -HISTORY_DAYS) {
                memset(days, HISTORY_NOT_MEASURED, HISTORY_DAYS);
        } else if (by > 0) {
                memmove(days, days + by, (size_t)(HISTORY_DAYS - by));
                memset(days + HISTORY_DAYS - by, HISTORY_NOT_MEASURED, (size_t)by);
        } else if (by < 0) {
                memmove(days - by, days, (size_t)(HISTORY_DAYS + by));
                memset(days, HISTORY_NOT_MEASURED, (size_t)-by);
        }
}

void history_record_put(struct text *lines, const char *name, const struct history_record *record)
{
        const struct history_view *view = &record->view;
        text_printf(lines, "%s %" PRId64 " ", name, record->newest);
        for (size_t i = 0, next; i < HISTORY_DAYS; i = next) {
                for (next = i; next < HISTORY_DAYS && view->days[next] == view->days[i];)
                        next++;
                text_printf(lines, "%zu%c", next - i, letters[view->days[i]]);
        }
        if (view->last != 0) {
                text_printf(lines, " %c%s %" PRId64 " %" PRId64 " ", letters[view->trouble],
                            view->goes_on ? "+" : "", view->since, view->last);
                text_put_line(lines, view->reason, SIZE_MAX);
        }
        text_putc(lines, '\n');
}

static bool parse_letter(char letter, unsigned char *ret)
{
        const char *found = letter ? memchr(letters, letter, sizeof(letters)) : NULL;
        if (found)
                *ret = (unsigned char)(found - letters);
        return found;
}

static bool parse_number(char **rest, int64_t *ret)
{
        const char *word = strsep(rest, " ");
        int end = 0;
        return word && sscanf(word, "%" SCNd64 "%n", ret, &end) == 1 && !word[end] && *ret >= 0;
}

static bool parse_days(const char *word, unsigned char *days)
{
        size_t at = 0;
        while (word && *word) {
                unsigned char standing;
                char *end;
                if (!isdigit((unsigned char)*word))
                        return false;
                unsigned long count = strtoul(word, &end, 10);
                if (count == 0 || count > HISTORY_DAYS - at || !parse_letter(*end, &standing))
                        return false;
                memset(days + at, standing, count);
                at += count;
                word = end + 1;
        }
        return at == HISTORY_DAYS;
}

/* "f+ SINCE LAST REASON"; there need be none. */
static bool parse_trouble(char *rest, struct history_view *view)
{
        const char *word = rest ? strsep(&rest, " ") : NULL;
        unsigned char standing;
        if (!word)
                return true;
        view->goes_on = string_equal(word + (*word != '\0'), "+");
        if (!parse_letter(*word, &standing) || (word[1] && !view->goes_on) ||
            (standing != STANDING_FAIL && standing != STANDING_UNKNOWN) ||
            !parse_number(&rest, &view->since) || !parse_number(&rest, &view->last) || view->last == 0 ||
            !rest || strlen(rest) >= sizeof(view->reason))
                return false;
        /* As it would be put: what grew by that could not be read again. */
        _cleanup_text_ struct text line = {0}, reason = {0};
        text_put_line(&line, rest, SIZE_MAX);
        text_put_line(&reason, text_string(&line), HISTORY_REASON_MAX);
        view->trouble = standing;
        snprintf(view->reason, sizeof(view->reason), "%s", text_string(&reason));
        return true;
}

bool history_record_parse(char *line, const char **ret_name, struct history_record *ret)
{
        struct history_record record;
        history_record_clear(&record);
        char *rest = line;
        const char *name = strsep(&rest, " ");
        if (!name || !*name || !parse_number(&rest, &record.newest) ||
            !parse_days(strsep(&rest, " "), record.view.days) || !parse_trouble(rest, &record.view))
                return false;
        *ret_name = name;
        *ret = record;
        return true;
}
