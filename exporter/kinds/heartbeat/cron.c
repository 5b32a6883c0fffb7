/* SPDX-License-Identifier: Apache-2.0 */
/* Times of crontab(5). */
#include "exporter/kinds/heartbeat/cron.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runbook/calendar.h"
#include "runbook/text.h"
#include "runbook/words.h"

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };
enum { MINUTES_OF_HOUR = 60, MINUTES_OF_DAY = 24 * 60, WORD_MAX = 64 };

/* 30 February is on no calendar, 29 February on a certain weekday on one in 28 years, or 40. */
#define HORIZON ((int64_t)50 * 366 * 86400)

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct {
        const char *name;
        int least, most;
        const char *const *words; /* for the values from `least` on; NULL: there are none */
} fields[] = {
        [MINUTE] = {"minute", 0, 59, NULL},
        [HOUR] = {"hour", 0, 23, NULL},
        [DAY] = {"day of the month", 1, 31, NULL},
        [MONTH] = {"month", 1, 12, month_names},
        [WEEKDAY] = {"day of the week", 0, 7, weekday_names}, /* Sunday is 0, and 7 */
};
tables_agree(fields, FIELDS);

static const struct {
        const char *name, *means;
} names[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
             {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
             {"@annually", "0 0 1 1 *"}};

static int refuse(int field, const char *word, const char *why, struct error *error)
{
        return error_set(error, EINVAL, "\"%.*s\" is no %s: %s", WORD_MAX, word, fields[field].name, why);
}

static int refuse_value(int field, const char *word, struct error *error)
{
        _cleanup_text_ struct text why = {0};
        text_printf(&why, "%d to %d%s%s%s", fields[field].least, fields[field].most,
                    fields[field].words ? " or a name such as " : "",
                    fields[field].words ? fields[field].words[0] : "",
                    "; *, lists with \",\", ranges with \"-\" and steps with \"/\"");
        return refuse(field, word, text_string(&why), error);
}

/* A number or a name; -1 when it is neither. */
static int read_value(int field, const char **at)
{
        size_t letters = 0;
        int value = 0;
        if (isdigit((unsigned char)**at)) {
                for (; isdigit((unsigned char)**at) && value < 1000; (*at)++)
                        value = 10 * value + (**at - '0');
                return value >= fields[field].least && value <= fields[field].most ? value : -1;
        }
        while (isalpha((unsigned char)(*at)[letters]))
                letters++;
        for (int i = 0; fields[field].words && fields[field].words[i]; i++)
                if (letters == 3 && strncasecmp(*at, fields[field].words[i], 3) == 0) {
                        *at += 3;
                        return fields[field].least + i;
                }
        return -1;
}

/* What stands between two commas. */
static int read_part(int field, const char *part, uint64_t *bits, struct error *error)
{
        const char *at = part;
        int from = fields[field].least, to = fields[field].most, step = 1;
        bool star = *at == '*', range = star;
        if (star) {
                at++;
        } else {
                from = to = read_value(field, &at);
                range = *at == '-';
                if (range) {
                        at++;
                        to = read_value(field, &at);
                        if (field == WEEKDAY && to == 0 && from > 0)
                                to = 7; /* sat-sun */
                }
        }
        if (from < 0 || to < 0)
                return refuse_value(field, part, error);
        if (from > to)
                return refuse(field, part, "the range ends before it begins", error);
        if (*at == '/') {
                char *end = NULL;
                if (!range)
                        return refuse(field, part, "a step is of * or of a range, such as 5-59/15", error);
                step = isdigit((unsigned char)at[1]) ? (int)strtol(at + 1, &end, 10) : 0;
                if (step < 1 || step > fields[field].most)
                        return refuse(field, part, "the step is no number that it can have", error);
                at = end;
        }
        if (*at)
                return refuse_value(field, part, error);
        for (int value = from; value <= to; value += step)
                *bits |= (uint64_t)1 << (field == WEEKDAY ? value % 7 : value);
        return 0;
}

static int read_field(int field, char *word, struct cron *cron, struct error *error)
{
        bool star = *word == '*';
        if (strlen(word) > 4 * WORD_MAX)
                return refuse(field, word, "it is too long", error);
        for (char *rest = word, *part; (part = strsep(&rest, ","));) {
                int r = read_part(field, part, &cron->fields[field], error);
                if (r < 0)
                        return r;
        }
        if (field == DAY)
                cron->any_day = star;
        else if (field == WEEKDAY)
                cron->any_weekday = star;
        else if (field != MONTH)
                cron->by_clock = cron->by_clock || star;
        return 0;
}

static const char *meaning_of(const char *text)
{
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (strcmp(text, names[i].name) == 0)
                        return names[i].means;
        return text;
}

int cron_parse(const char *text, struct cron *ret, struct error *error)
{
        struct cron cron = {0};
        _cleanup_free_ char *copy = strdup(meaning_of(text));
        int field = 0;
        if (!copy)
                return error_oom(error);
        if (*copy == '@')
                return error_set(
                        error, EINVAL,
                        "\"%.*s\" is no time: there are @hourly, @daily, @midnight, @weekly, @monthly, "
                        "@yearly and @annually",
                        WORD_MAX, text);
        for (char *rest = copy, *word; (word = strsep(&rest, " \t"));) {
                if (!*word)
                        continue;
                int r = field < FIELDS ? read_field(field, word, &cron, error) : 0;
                if (r < 0)
                        return r;
                field++;
        }
        if (field != FIELDS)
                return error_set(error, EINVAL,
                                 "there are %d fields, and five are needed: minute, hour, day of the month, "
                                 "month, day of the week, such as \"15 2 * * *\"",
                                 field);
        *ret = cron;
        return 0;
}

static bool has(const struct cron *cron, int field, int value)
{
        return cron->fields[field] >> value & 1;
}

/* As every cron does: with both given, one of them is enough. */
static bool day_matches(const struct cron *cron, const struct calendar_date *date)
{
        bool day = has(cron, DAY, date->day), weekday = has(cron, WEEKDAY, date->weekday);
        return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first minute of [from, until) that matches, all in minutes of local time; -1: there is none. Times
 * before 1970 are none. */
static int64_t find_minute(const struct cron *cron, int64_t from, int64_t until)
{
        int64_t at = from > 0 ? from : 0;
        while (at < until) {
                const struct calendar_date date = calendar_date(at / MINUTES_OF_DAY);
                int hour = (int)(at % MINUTES_OF_DAY / MINUTES_OF_HOUR), minute = (int)(at % MINUTES_OF_HOUR);
                if (!has(cron, MONTH, date.month))
                        at = calendar_days(date.year + date.month / 12, date.month % 12 + 1, 1) *
                             MINUTES_OF_DAY;
                else if (!day_matches(cron, &date))
                        at = (at / MINUTES_OF_DAY + 1) * MINUTES_OF_DAY;
                else if (!has(cron, HOUR, hour))
                        at = (at / MINUTES_OF_HOUR + 1) * MINUTES_OF_HOUR;
                else if (!has(cron, MINUTE, minute))
                        at++;
                else
                        return at;
        }
        return -1;
}

/* Rounded up, as the minute that has begun is over. */
static int64_t minute_of(int64_t seconds)
{
        return seconds / 60 + (seconds % 60 > 0);
}

/* The first time of [low, until) in one period, behind the period `before`; CRON_NEVER. */
static int64_t find_in_period(const struct cron *cron, int64_t low, int64_t until,
                              const struct zone_period *period, const struct zone_period *before)
{
        int32_t change = period->offset - before->offset;
        if (change > 0 && !cron->by_clock && low == period->from &&
            find_minute(cron, minute_of(low + before->offset), minute_of(low + period->offset)) >= 0)
                return low;
        if (change < 0 && !cron->by_clock && low < period->from - change)
                low = period->from - change;
        int64_t found = find_minute(cron, minute_of(low + period->offset), minute_of(until + period->offset));
        return found >= 0 ? found * 60 - period->offset : CRON_NEVER;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after)
{
        int64_t at = after + 1, horizon = after + HORIZON;
        while (at < horizon) {
                const struct zone_period period = zone_period_at(zone, at);
                struct zone_period before = period;
                if (period.from != INT64_MIN)
                        before = zone_period_at(zone, period.from - 1);
                int64_t until = period.until < horizon ? period.until : horizon;
                int64_t found = find_in_period(cron, at, until, &period, &before);
                if (found != CRON_NEVER)
                        return found;
                at = until;
        }
        return CRON_NEVER;
}
