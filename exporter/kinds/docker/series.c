/* SPDX-License-Identifier: Apache-2.0 */
/* The samples of one container or one service. */
#include "exporter/kinds/docker/series.h"

#include "runbook/assert.h"

void docker_series_label(struct docker_series *series, const char *name, const char *value)
{
        assert_that(series->count < DOCKER_SERIES_LABELS, "there is room for all labels of a series");
        series->labels[series->count++] = (struct label){name, value};
}

void docker_series_add(const struct docker_series *series, const struct metric_family *family, double value)
{
        sample_add(series->sink, family, value, series->labels, series->count);
}

void docker_series_add_labelled(const struct docker_series *series, const struct metric_family *family,
                                double value, const struct label *labels, size_t count)
{
        struct docker_series more = *series;
        for (size_t i = 0; i < count; i++)
                docker_series_label(&more, labels[i].name, labels[i].value);
        docker_series_add(&more, family, value);
}
