/* SPDX-License-Identifier: Apache-2.0 */
/* The performance data of Nagios plugins, read without changing it. */
#include "exporter/kinds/exec/nagios.h"

#include <math.h>

#include "exporter/check/skipped.h"

NAGIOS_FAMILIES(DEFINE_SHARED_FAMILY)

#define KIB 1024.0

/*
 * What plugins write, in base units. They count bytes in 1024 whatever they write
 * (monitoring-plugins.org/doc/guidelines.html has only B, KB, MB, TB), but for kB, which is SI's; bits are
 * counted in 1000. What means several things (m, K) is none of them.
 */
static const struct {
        const char *written, *unit;
        double factor, offset; /* the value times the first, and then the second added */
} units[] = {
        {"", NULL, 1, 0},
        {"s", "seconds", 1, 0},
        {"ms", "seconds", 1e-3, 0},
        {"us", "seconds", 1e-6, 0},
        {"µs", "seconds", 1e-6, 0},
        {"ns", "seconds", 1e-9, 0},
        {"min", "seconds", 60, 0},
        {"h", "seconds", 3600, 0},
        {"d", "seconds", 86400, 0},
        {"%", "ratio", 0.01, 0},
        {"B", "bytes", 1, 0},
        {"kB", "bytes", 1000, 0},
        {"KB", "bytes", KIB, 0},
        {"MB", "bytes", KIB *KIB, 0},
        {"GB", "bytes", KIB *KIB *KIB, 0},
        {"TB", "bytes", KIB *KIB *KIB *KIB, 0},
        {"PB", "bytes", KIB *KIB *KIB *KIB *KIB, 0},
        {"EB", "bytes", KIB *KIB *KIB *KIB *KIB *KIB, 0},
        {"KiB", "bytes", KIB, 0},
        {"MiB", "bytes", KIB *KIB, 0},
        {"GiB", "bytes", KIB *KIB *KIB, 0},
        {"TiB", "bytes", KIB *KIB *KIB *KIB, 0},
        {"PiB", "bytes", KIB *KIB *KIB *KIB *KIB, 0},
        {"EiB", "bytes", KIB *KIB *KIB *KIB *KIB *KIB, 0},
        {"b", "bits", 1, 0},
        {"kb", "bits", 1e3, 0},
        {"Kb", "bits", 1e3, 0},
        {"Mb", "bits", 1e6, 0},
        {"Gb", "bits", 1e9, 0},
        {"Tb", "bits", 1e12, 0},
        {"c", "count", 1, 0},
        {"C", "celsius", 1, 0},
        {"°C", "celsius", 1, 0},
        {"F", "celsius", 5.0 / 9, -32 * 5.0 / 9},
        {"°F", "celsius", 5.0 / 9, -32 * 5.0 / 9},
        {"RPM", "rpm", 1, 0},
        {"rpm", "rpm", 1, 0},
        {"Hz", "hertz", 1, 0},
        {"kHz", "hertz", 1e3, 0},
        {"MHz", "hertz", 1e6, 0},
        {"GHz", "hertz", 1e9, 0},
        {"V", "volts", 1, 0},
        {"mV", "volts", 1e-3, 0},
        {"kV", "volts", 1e3, 0},
        {"A", "amperes", 1, 0},
        {"mA", "amperes", 1e-3, 0},
        {"W", "watts", 1, 0},
        {"mW", "watts", 1e-3, 0},
        {"kW", "watts", 1e3, 0},
        {"VA", "volt_amperes", 1, 0},
        {"J", "joules", 1, 0},
        {"Wh", "joules", 3600, 0},
        {"kWh", "joules", 3600e3, 0},
        {"dB", "decibels", 1, 0},
        {"dBm", "decibel_milliwatts", 1, 0},
        {"Pa", "pascals", 1, 0},
        {"hPa", "pascals", 100, 0},
        {"Ohm", "ohms", 1, 0},
        {"g", "grams", 1, 0},
        {"kg", "grams", 1000, 0},
};

#define NUMBER_MAX 64

/* One `label=value;…`, as it is read. */
struct datum {
        char label[128];
        const char *unit;
        double factor, offset;
};

static double in_base_unit(const struct datum *datum, double value)
{
        return value * datum->factor + datum->offset;
}

/* A number, perhaps with the comma that some languages write before a fraction; where it ends, NULL when
 * there is none. */
static const char *read_number(const char *at, const char *end, double *ret)
{
        char number[NUMBER_MAX + 1];
        size_t length = (size_t)(end - at) < NUMBER_MAX ? (size_t)(end - at) : NUMBER_MAX;
        char *stop, *comma;
        memcpy(number, at, length);
        number[length] = '\0';
        if ((comma = strchr(number, ',')) && comma[1] >= '0' && comma[1] <= '9' &&
            strcspn(number, ".") > (size_t)(comma - number))
                *comma = '.';
        *ret = strtod(number, &stop);
        /* Nor is 0x10 a number to a plugin, though it is one to strtod(). */
        bool is_number = stop > number && isfinite(*ret) && strcspn(number, "xX") >= (size_t)(stop - number);
        return is_number ? at + (stop - number) : NULL;
}

static void add_limit(const struct datum *datum, const char *which, const char *number, const char *end,
                      struct sample_sink *sink)
{
        double value;
        if (number == end || (end - number == 1 && *number == '~'))
                return; /* there is none */
        if (read_number(number, end, &value) == end)
                SAMPLE(sink, &nagios_limit, in_base_unit(datum, value), {"label", datum->label},
                       {"unit", datum->unit}, {"limit", which});
        else
                check_skip(sink, SKIP_MALFORMED, "the limit %s of %s is no number", which, datum->label);
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

static bool find_unit(struct datum *datum, const char *written, size_t length)
{
        for (size_t i = 0; i < N_ELEMENTS(units); i++)
                if (strlen(units[i].written) == length && strncmp(units[i].written, written, length) == 0) {
                        datum->unit = units[i].unit;
                        datum->factor = units[i].factor;
                        datum->offset = units[i].offset;
                        return true;
                }
        return false;
}

static void add_value(struct datum *datum, const char *at, const char *end, struct sample_sink *sink)
{
        const char *fields = memchr(at, ';', (size_t)(end - at));
        double value;
        if (!fields)
                fields = end;
        if (fields - at == 1 && *at == 'U')
                return;
        const char *unit = read_number(at, fields, &value);
        if (!unit || (unit < fields && strchr("0123456789.,", *unit))) {
                check_skip(sink, SKIP_MALFORMED, "the value of %s is no number", datum->label);
                return;
        }
        if (!find_unit(datum, unit, (size_t)(fields - unit))) {
                check_skip(sink, SKIP_UNKNOWN_UNIT, "%s has the unit %.*s", datum->label,
                           (int)(fields - unit < 16 ? fields - unit : 16), unit);
                return;
        }
        SAMPLE(sink, &nagios_performance, in_base_unit(datum, value), {"label", datum->label},
               {"unit", datum->unit});
        add_limits(datum, fields, end, sink);
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
                else
                        check_skip(sink, SKIP_MALFORMED, "%.*s is no label=value",
                                   (int)(stop - at < 64 ? stop - at : 64), at);
                at = stop > at ? stop : at + 1;
        }
}

/* Data follows the first line's "|", and everything behind the second "|", which stands after the long text.
 */
void nagios_add(const char *output, size_t length, struct sample_sink *sink)
{
        bool first = true, all = false;
        if (strlen(output) < length)
                check_skip(sink, SKIP_MALFORMED, "what stands behind a NUL, byte %zu of the output",
                           strlen(output));

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
