/* SPDX-License-Identifier: Apache-2.0 */
/* Inhibition rules, written so that what a check needs stands in checks.yml alone. */
#include "exporter/commands/inhibitions.h"

#include <errno.h>

#include "exporter/check/needs.h"

/* A name has no letter that means something in a regular expression but the dot. */
static void put_pattern(struct text *text, const char *name)
{
        for (; *name; name++)
                if (*name == '.')
                        text_puts(text, "[.]");
                else
                        text_putc(text, *name);
}

/*
 * Alerts inhibit although they are inhibited themselves, but what stands between two checks may pass: so all
 * that a check needs is named, not only what it names itself. What only warns, or is not known, causes
 * nothing: alerts of a failure are the critical ones.
 */
static void put_rule(struct text *text, const struct check_set *set, size_t i, const bool *needed)
{
        const char *between = "";
        text_puts(text, "  - source_matchers: ['severity=\"critical\"', 'check=~\"");
        for (size_t k = 0; k < set->count; k++) {
                if (!needed[k])
                        continue;
                text_puts(text, between);
                put_pattern(text, set->checks[k].name);
                between = "|";
        }
        text_printf(text, "\"']\n    target_matchers: ['check=\"%s\"']\n    equal: [job, instance]\n",
                    set->checks[i].name);
}

int inhibitions_print(const struct check_set *set, struct text *text)
{
        _cleanup_free_ bool *needed = calloc(set->count + 1, sizeof(*needed));
        size_t rules = 0;
        if (!needed)
                return -ENOMEM;
        text_puts(text, "# Written by `runbook_exporter inhibitions` from `needs:` of the checks, for "
                        "alertmanager.yml.\n"
                        "inhibit_rules:");
        for (size_t i = 0; i < set->count; i++) {
                if (set->checks[i].needed_count == 0)
                        continue;
                text_puts(text, rules++ == 0 ? "\n" : "");
                check_needs_mark(set, i, needed);
                put_rule(text, set, i, needed);
        }
        if (rules == 0)
                text_puts(text, " []\n");
        return text_error(text);
}
