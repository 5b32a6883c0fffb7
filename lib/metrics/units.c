/* SPDX-License-Identifier: Apache-2.0 */
/* One way to write each unit. */
#include "runbook/units.h"

#include <math.h>

#include "runbook/clock.h"

static const struct {
        const char *ending;
        enum value_unit unit;
} endings[] = {{"_ratio", UNIT_PERCENT}, {"_seconds", UNIT_SECONDS}, {"_bytes", UNIT_BYTES}};

enum value_unit unit_of_metric(const char *metric)
{
        for (size_t i = 0; i < N_ELEMENTS(endings); i++)
                if (string_ends(metric, endings[i].ending))
                        return endings[i].unit;
        return UNIT_NUMBER;
}

static void put_number(struct text *text, double value)
{
        if (fabs(value) < 1e15 && value == floor(value))
                text_printf(text, "%.0f", value);
        else
                text_printf(text, "%.4g", value);
}

static void put_percent(struct text *text, double value)
{
        text_printf(text, "%.3g %%", value * 100);
}

static void put_seconds(struct text *text, double value)
{
        char duration[DURATION_TEXT_MAX];
        double size = fabs(value);
        if (size >= 60 && size < 1e9)
                text_printf(text, "%s%s", value < 0 ? "-" : "",
                            duration_format((nsec)size * NSEC_PER_SEC, duration));
        else
                text_printf(text, "%.3g s", value);
}

static void put_bytes(struct text *text, double value)
{
        static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
        size_t unit = 0;
        for (; fabs(value) >= 1024 && unit + 1 < N_ELEMENTS(units); unit++)
                value /= 1024;
        text_printf(text, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void (*const writers[])(struct text *text, double value) = {
        [UNIT_NUMBER] = put_number,
        [UNIT_PERCENT] = put_percent,
        [UNIT_SECONDS] = put_seconds,
        [UNIT_BYTES] = put_bytes,
};
tables_agree(writers, VALUE_UNITS);

void unit_put(struct text *text, enum value_unit unit, double value)
{
        if (isnan(value))
                text_puts(text, "not a number");
        else
                writers[unit](text, value);
}
