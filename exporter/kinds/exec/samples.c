/* SPDX-License-Identifier: Apache-2.0 */
/* A program's samples, chosen by the names of their metrics. */
#include "exporter/kinds/exec/samples.h"

#include <errno.h>

#include "exporter/check/skipped.h"
#include "runbook/exposition.h"
#include "runbook/utf8.h"

/* A label that is not the program's to give: ours, and those of the rows of histograms and summaries; NULL:
 * none. */
static const char *find_reserved(const struct exposition_sample *sample)
{
        static const char *const reserved[] = {"check", "le", "quantile"};
        for (size_t i = 0; i < sample->label_count; i++)
                for (size_t k = 0; k < N_ELEMENTS(reserved); k++)
                        if (strcmp(sample->labels[i].name, reserved[k]) == 0)
                                return reserved[k];
        return NULL;
}

static bool is_utf8(const struct exposition_sample *sample)
{
        for (size_t i = 0; i < sample->label_count; i++)
                if (!utf8_valid(sample->labels[i].value))
                        return false;
        return true;
}

static const struct metric_family *family_of(const char *name, const struct metric_family *const *families)
{
        for (size_t i = 0; families[i]; i++)
                if (strcmp(families[i]->name, name) == 0)
                        return families[i];
        return NULL;
}

static void take_sample(const struct exposition_sample *sample, size_t line,
                        const struct metric_family *family, struct sample_sink *sink)
{
        const char *reserved = find_reserved(sample);
        if (reserved)
                check_skip(sink, SKIP_RESERVED, "%s on line %zu has the label %s", family->name, line,
                           reserved);
        else if (!is_utf8(sample))
                check_skip(sink, SKIP_NOT_UTF8, "%s on line %zu has a label that is not UTF-8", family->name,
                           line);
        else
                sample_add(sink, family, sample->value, sample->labels, sample->label_count);
}

/* What could not be read is an item when it can be a series of ours; a line of another metric is not. */
static void skip_line(const struct exposition_sample *sample, size_t line, int why, struct sample_sink *sink)
{
        const char *name = sample->name && *sample->name ? sample->name : "what stands";
        if (why == -E2BIG)
                check_skip(sink, SKIP_BEYOND_LIMIT, "%s on line %zu has more than %d labels or bytes", name,
                           line, EXPOSITION_LABELS_MAX);
        else
                check_skip(sink, SKIP_MALFORMED, "%s on line %zu is no sample", name, line);
}

int samples_add(const char *output, size_t length, const struct metric_family *const *families,
                struct sample_sink *sink, size_t *ret_ignored, struct error *error)
{
        _cleanup_(exposition_release) struct exposition page;
        struct exposition_sample sample;
        size_t ignored = 0, foreign = 0;
        int r;
        exposition_init(&page, output, length);
        while ((r = exposition_next(&page, &sample)) != 0) {
                const struct metric_family *family = sample.name ? family_of(sample.name, families) : NULL;
                if (r == -ENOMEM)
                        return error_oom(error);
                if (sample.name && *sample.name && !family && (r > 0 || sample.in_braces))
                        ignored++;
                else if (r > 0 && family)
                        take_sample(&sample, page.line, family, sink);
                else
                        skip_line(&sample, page.line, r, sink);
                if (!sample.name && foreign == 0)
                        foreign = page.line;
        }
        *ret_ignored = ignored;
        return foreign > 0 ? error_set(error, EPROTO, "line %zu of the output is no sample", foreign) : 0;
}
