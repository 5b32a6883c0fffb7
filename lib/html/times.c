/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people read them: by the clocks where this machine stands, and by how far they are from now. */
#include <time.h>

#include "runbook/html.h"

enum { DAY = 24 * 3600 };

void html_put_time(struct text *page, nsec wall)
{
        char time[TIME_TEXT_MAX];
        if (wall != 0)
                text_printf(page, "<time>%s</time>", time_format(wall, time));
}

void html_put_ago(struct text *page, nsec wall, nsec now)
{
        char time[TIME_TEXT_MAX], age[DURATION_TEXT_MAX];
        nsec seconds = now > wall ? (now - wall) / NSEC_PER_SEC : 0;
        text_printf(page, "<time datetime=\"%s\">%s ago</time>", time_format(wall, time),
                    duration_format(seconds * NSEC_PER_SEC, age));
}

void html_put_duration(struct text *page, nsec duration)
{
        if (duration < NSEC_PER_SEC)
                text_printf(page, "%.1f ms", (double)duration / 1e6);
        else
                text_printf(page, "%.2f s", nsec_to_seconds(duration));
}

void html_put_span(struct text *page, nsec duration)
{
        static const struct {
                long long seconds, below;
                const char *unit;
        } units[] = {{1, 100, "s"}, {60, 100 * 60LL, "min"}, {3600, 48 * 3600LL, "h"}, {DAY, INT64_MAX, "d"}};
        long long seconds = (duration > 0 ? duration : -duration) / NSEC_PER_SEC;
        size_t i = 0;
        if (seconds < 10) {
                text_printf(page, "%.1f s", nsec_to_seconds(duration > 0 ? duration : -duration));
                return;
        }
        while (seconds >= units[i].below)
                i++;
        text_printf(page, "%lld %s", seconds / units[i].seconds, units[i].unit);
}

static struct tm local_time(nsec wall)
{
        time_t seconds = (time_t)(wall / NSEC_PER_SEC);
        struct tm parts = {0};
        localtime_r(&seconds, &parts);
        return parts;
}

static bool is_same_day(const struct tm *a, const struct tm *b)
{
        return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

static void put_day(struct text *page, const struct tm *day, nsec now)
{
        const struct tm today = local_time(now), yesterday = local_time(now - DAY * NSEC_PER_SEC);
        char text[32];
        if (is_same_day(day, &today))
                return;
        if (is_same_day(day, &yesterday)) {
                text_puts(page, "yesterday ");
                return;
        }
        if (strftime(text, sizeof(text), day->tm_year == today.tm_year ? "%e %b " : "%e %b %Y ", day) > 0)
                text_puts(page, *text == ' ' ? text + 1 : text);
}

static void open_time(struct text *page, nsec wall, nsec now, bool exactly)
{
        char exact[TIME_TEXT_MAX], local[64] = "";
        const struct tm parts = local_time(wall);
        time_format(wall, exact);
        strftime(local, sizeof(local), "%F %T %Z", &parts);
        text_printf(page, "<time datetime=\"%s\" title=\"%s (%s)\">", exact, local, exact);
        put_day(page, &parts, now);
        text_printf(page, "%02d:%02d", parts.tm_hour, parts.tm_min);
        if (exactly)
                text_printf(page, ":%02d", parts.tm_sec);
}

void html_put_clock(struct text *page, nsec wall, nsec now)
{
        if (wall == 0)
                return;
        open_time(page, wall, now, true);
        text_puts(page, "</time>");
}

void html_put_when(struct text *page, nsec wall, nsec now)
{
        if (wall == 0)
                return;
        open_time(page, wall, now, false);
        const nsec apart = now - wall, whole = apart / NSEC_PER_SEC * NSEC_PER_SEC;
        if (apart >= 0 && apart < 2 * NSEC_PER_SEC) {
                text_puts(page, ", just now</time>");
                return;
        }
        text_puts(page, apart >= 0 ? ", " : ", in ");
        if (whole > -10 * NSEC_PER_SEC && whole < 10 * NSEC_PER_SEC)
                text_printf(page, "%lld s", (long long)(whole > 0 ? whole : -whole) / NSEC_PER_SEC);
        else
                html_put_span(page, whole);
        text_puts(page, apart >= 0 ? " ago</time>" : "</time>");
}
