/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a page of one-label series takes to encode, for pages of 100 to 100,000 of them; JSON on stdout.
 *
 * Every round has new values: random doubles of 15 to 17 digits, the dearest to write. The figures are
 * nanoseconds of CPU time a series, the median of the rounds: `fill` adds the samples to an emptied set, the
 * formats encode the set, `gzip` compresses the text page, `copy` copies it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "runbook/gzip.h"
#include "runbook/metrics.h"

enum { LARGEST = 100000, ROUNDS = 15, SERIES_A_FIGURE = 300000 };

static const struct metric_family family = {"bench_value_seconds", METRIC_GAUGE, "seconds", "A value."};

enum { FILL, TEXT, OPENMETRICS, PROTOBUF, GZIP, COPY, FIGURES };
static const char *const figure_names[] = {"fill", "text", "openmetrics", "protobuf", "gzip", "copy"};

struct bench {
        size_t count;
        char (*labels)[16];
        struct sample_set set;
        struct text page, zipped;
        uint64_t seed;
};

static double cpu_nanoseconds(void)
{
        struct timespec time;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double next_value(struct bench *bench)
{
        uint64_t z = bench->seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        return (double)((z ^ z >> 27) >> 11) * 0x1p-53 * 1000;
}

static void fill(struct bench *bench)
{
        struct sample_sink sink = {&bench->set};
        sample_set_clear(&bench->set);
        for (size_t i = 0; i < bench->count; i++)
                SAMPLE(&sink, &family, 0, {"name", bench->labels[i]});
}

static void encode(struct bench *bench, enum metrics_format format)
{
        text_clear(&bench->page);
        if (metrics_encode(format, (const struct sample_set *const[]){&bench->set}, 1, NULL, &bench->page,
                           NULL) < 0)
                exit(1);
}

static void run(struct bench *bench, int figure)
{
        switch (figure) {
        case FILL: fill(bench); break;
        case TEXT: encode(bench, METRICS_TEXT); break;
        case OPENMETRICS: encode(bench, METRICS_OPENMETRICS_1); break;
        case PROTOBUF: encode(bench, METRICS_PROTOBUF); break;
        case GZIP:
                text_clear(&bench->zipped);
                if (gzip_compress(bench->page.data, bench->page.length, &bench->zipped) < 0)
                        exit(1);
                break;
        case COPY:
                text_clear(&bench->zipped);
                text_append(&bench->zipped, bench->page.data, bench->page.length);
                break;
        default: abort();
        }
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

/* The median time of one figure a series, new values each time; small pages are done often enough to see. */
static double measure(struct bench *bench, int figure)
{
        size_t repeats =
                bench->count < SERIES_A_FIGURE / ROUNDS ? SERIES_A_FIGURE / ROUNDS / bench->count : 1;
        double times[ROUNDS];
        if (figure == GZIP)
                encode(bench, METRICS_TEXT);
        for (size_t round = 0; round < ROUNDS; round++) {
                for (size_t i = 0; i < bench->set.count; i++)
                        bench->set.samples[i].value = next_value(bench);
                double start = cpu_nanoseconds();
                for (size_t i = 0; i < repeats; i++)
                        run(bench, figure);
                times[round] = (cpu_nanoseconds() - start) / (double)(repeats * bench->count);
        }
        qsort(times, ROUNDS, sizeof(*times), compare);
        return times[ROUNDS / 2];
}

int main(void)
{
        struct bench bench = {.labels = calloc(LARGEST, sizeof(*bench.labels))};
        if (!bench.labels)
                return 1;
        for (size_t i = 0; i < LARGEST; i++)
                snprintf(bench.labels[i], sizeof(bench.labels[i]), "value-%zu", i);
        printf("[");
        for (bench.count = 100; bench.count <= LARGEST; bench.count *= 10) {
                printf("%s{\"series\": %zu", bench.count > 100 ? ",\n " : "", bench.count);
                for (int figure = 0; figure < FIGURES; figure++)
                        printf(", \"%s_ns\": %.1f", figure_names[figure], measure(&bench, figure));
                encode(&bench, METRICS_TEXT);
                printf(", \"bytes\": %zu", bench.page.length);
                text_clear(&bench.zipped);
                run(&bench, GZIP);
                printf(", \"gzip_bytes\": %zu}", bench.zipped.length);
        }
        printf("]\n");
        text_free(&bench.page);
        text_free(&bench.zipped);
        sample_set_release(&bench.set);
        free(bench.labels);
        return 0;
}
