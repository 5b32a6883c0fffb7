/* SPDX-License-Identifier: Apache-2.0 */
/* The performance data of Nagios plugins, read without changing it. */
#include "exporter/kinds/exec/nagios.h"

#include <math.h>

NAGIOS_FAMILIES(DEFINE_SHARED_FAMILY)

/* Plugins count in 1024 whatever they write (monitoring-plugins.org/doc/guidelines.html has only B, KB, MB,
 * TB). */
static const struct {
        const char *written, *unit;
        double factor;
} units[] = {
        {"", NULL, 1},
        {"s", "seconds", 1},
        {"ms", "seconds", 1e-3},
        {"us", "seconds", 1e-6},
        {"%", "ratio", 0.01},
        {"B", "bytes", 1},
        {"KB", "bytes", 1024.0},
        {"MB", "bytes", 1048576.0},
        {"GB", "bytes", 1073741824.0},
        {"TB", "bytes", 1099511627776.0},
        {"KiB", "bytes", 1024.0},
        {"MiB", "bytes", 1048576.0},
        {"GiB", "bytes", 1073741824.0},
        {"TiB", "bytes", 1099511627776.0},
        {"c", "count", 1},
};

/* One `label=value;…`, as it is read. */
struct datum {
        char label[128];
        const char *unit;
        double factor;
};

static void add_limit(const struct datum *datum, const char *which, const char *number, const char *end,
                      struct sample_sink *sink)
{
        char *stop;
        double value = strtod(number, &stop);

        if (stop != number && stop == end && isfinite(value))
                SAMPLE(sink, &nagios_limit, value * datum->factor, {"label", datum->label},
                       {"unit", datum->unit}, {"limit", which});
}

/* A range, "[@][low:][high]": 10 is 0:10, "~:10" has no lower end, "10:" no upper one. */
static void add_range(const struct datum *datum, const char *lower, const char *upper, const char *range,
                      const char *end, struct sample_sink *sink)
{
        if (range < end && *range == '@')
                range++;
        const char *colon = memchr(range, ':', (size_t)(end - range));
        if (colon)
                add_limit(datum, lower, range, colon, sink);
        add_limit(datum, upper, colon ? colon + 1 : range, end, sink);
}

/* The fields behind the value: warning;critical;minimum;maximum. */
static void add_limits(const struct datum *datum, const char *at, const char *end, struct sample_sink *sink)
{
        for (int field = 0; field < 4 && at < end && *at == ';'; field++) {
                const char *stop = memchr(at + 1, ';', (size_t)(end - at - 1));

                if (!stop)
                        stop = end;
                switch (field) {
                case 0: add_range(datum, "warning_lower", "warning_upper", at + 1, stop, sink); break;
                case 1: add_range(datum, "critical_lower", "critical_upper", at + 1, stop, sink); break;
                case 2: add_limit(datum, "minimum", at + 1, stop, sink); break;
                default: add_limit(datum, "maximum", at + 1, stop, sink); break;
                }
                at = stop;
        }
}

static void add_value(struct datum *datum, const char *at, const char *end, struct sample_sink *sink)
{
        const char *fields = memchr(at, ';', (size_t)(end - at));
        char *unit;
        double value = strtod(at, &unit);

        if (!fields)
                fields = end;
        if (unit == at || unit > fields || !isfinite(value))
                return;
        for (size_t i = 0; i < N_ELEMENTS(units); i++)
                if (strlen(units[i].written) == (size_t)(fields - unit) &&
                    strncmp(units[i].written, unit, (size_t)(fields - unit)) == 0) {
                        datum->unit = units[i].unit;
                        datum->factor = units[i].factor;
                        SAMPLE(sink, &nagios_performance, value * datum->factor, {"label", datum->label},
                               {"unit", datum->unit});
                        add_limits(datum, fields, end, sink);
                        return;
                }
}

/* The label before the "=", perhaps in quotes in which '' is one; the place behind "=", NULL when there is
 * none. */
static const char *read_label(const char *at, const char *end, char label[static 128])
{
        bool quoted = *at == '\'';
        size_t length = 0;

        for (at += quoted; at < end; at++) {
                if (quoted && *at == '\'') {
                        if (at + 1 == end || at[1] != '\'') {
                                at++;
                                break;
                        }
                        at++;
                } else if (!quoted && (*at == '=' || *at == ' ')) {
                        break;
                }
                if (length < 127)
                        label[length++] = *at;
        }
        label[length] = '\0';
        return length > 0 && at < end && *at == '=' ? at + 1 : NULL;
}

static void add_data(const char *at, const char *end, struct sample_sink *sink)
{
        while (at < end) {
                struct datum datum = {.factor = 1};

                if (*at == ' ' || *at == '\t' || *at == '\r') {
                        at++;
                        continue;
                }
                const char *value = read_label(at, end, datum.label);
                const char *from = value ? value : at;
                const char *stop = from;
                while (stop < end && !strchr(" \t\r", *stop))
                        stop++;
                if (value)
                        add_value(&datum, value, stop, sink);
                at = stop > at ? stop : at + 1;
        }
}

/* Data follows the first line's "|", and everything behind the second "|", which stands after the long text.
 */
void nagios_add(const char *output, struct sample_sink *sink)
{
        bool first = true, all = false;

        for (const char *line = output; *line; first = false) {
                const char *end = strchrnul(line, '\n');
                const char *bar = all ? NULL : memchr(line, '|', (size_t)(end - line));

                if (all || bar)
                        add_data(bar ? bar + 1 : line, end, sink);
                if (bar && !first)
                        all = true;
                line = *end ? end + 1 : end;
        }
}
