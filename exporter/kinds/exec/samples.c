/* SPDX-License-Identifier: Apache-2.0 */
/* A program's samples, chosen by the names of their metrics. */
#include "exporter/kinds/exec/samples.h"

#include <errno.h>

#include "runbook/exposition.h"

static bool has_own_label(const struct exposition_sample *sample)
{
        for (size_t i = 0; i < sample->label_count; i++)
                if (strcmp(sample->labels[i].name, "check") == 0)
                        return true;
        return false;
}

static const struct metric_family *family_of(const char *name, const struct metric_family *const *families)
{
        for (size_t i = 0; families[i]; i++)
                if (strcmp(families[i]->name, name) == 0)
                        return families[i];
        return NULL;
}

int samples_add(const char *output, const struct metric_family *const *families, struct sample_sink *sink,
                size_t *ret_ignored, struct error *error)
{
        _cleanup_(exposition_release) struct exposition page;
        struct exposition_sample sample;
        size_t ignored = 0;
        int r;

        exposition_init(&page, output, strlen(output));
        while ((r = exposition_next(&page, &sample)) > 0) {
                const struct metric_family *family = family_of(sample.name, families);

                if (has_own_label(&sample)) {
                        r = -EPROTO;
                        break;
                }
                if (family)
                        sample_add(sink, family, sample.value, sample.labels, sample.label_count);
                else
                        ignored++;
        }
        if (r == -ENOMEM)
                return error_oom(error);
        if (r < 0)
                return error_set(error, EPROTO, "line %zu of the output is no sample", page.line);
        *ret_ignored = ignored;
        return 0;
}
