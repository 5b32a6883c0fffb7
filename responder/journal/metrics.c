/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's own metrics. */
#include <errno.h>
#include <sys/stat.h>

#include "responder/journal/internal.h"
#include "runbook/text.h"

static const struct metric_family commits_family = {
        .name = "runbook_journal_commits_total",
        .type = METRIC_COUNTER,
        .help = "Durable commits of the journal.",
};
static const struct metric_family duration_family = {
        .name = "runbook_journal_commit_duration_seconds",
        .type = METRIC_HISTOGRAM,
        .unit = "seconds",
        .help = "How long commits took, with their fsync.",
};
static const struct metric_family entries_family = {
        .name = "runbook_journal_entries_total",
        .type = METRIC_COUNTER,
        .help = "Webhooks and entries that were committed; over commits, it is how many shared one.",
};
static const struct metric_family size_family = {
        .name = "runbook_journal_size_bytes",
        .type = METRIC_GAUGE,
        .unit = "bytes",
        .help = "Size of the journal's file with its write-ahead log.",
};

static const struct metric_family rows_family = {
        .name = "runbook_journal_head_rows",
        .type = METRIC_GAUGE,
        .help = "How many rows the timeline has had: never fewer than before.",
};
static const struct metric_family head_family = {
        .name = "runbook_journal_head_digest",
        .type = METRIC_GAUGE,
        .help = "52 bits of the hash of the last row, for runbook_responder verify --head=ROWS:DIGEST.",
};

static const struct metric_family unusable_family = {
        .name = "runbook_journal_unusable",
        .type = METRIC_GAUGE,
        .help = "1 for the reason why nothing, or (full) no alert, can be journaled.",
};

/* What there may be, by errno; everything else is the last one. */
static const struct {
        int code;
        const char *reason;
} reasons[] = {
        {ENOSPC, "full"},    {EROFS, "read_only"}, {EBUSY, "locked"}, {ENODEV, "gone"},
        {EXDEV, "replaced"}, {EUCLEAN, "damaged"}, {0, "failing"},
};

static void collect_standing(struct journal *journal, struct sample_sink *sink)
{
        int code = 0;
        bool fine = journal_standing(journal, &code, NULL) == JOURNAL_FINE;
        for (size_t i = 0; i < N_ELEMENTS(reasons); i++) {
                bool is = !fine && (reasons[i].code == code || reasons[i].code == 0);
                SAMPLE(sink, &unusable_family, is ? 1 : 0, {"reason", reasons[i].reason});
                fine |= is;
        }
}

const struct metric_family *const journal_families[] = {
        &commits_family, &duration_family, &entries_family,  &size_family,
        &rows_family,    &head_family,     &unusable_family, NULL};

static double file_size(const char *path, const char *suffix)
{
        _cleanup_free_ char *name = text_format("%s%s", path, suffix);
        struct stat status;
        return name && stat(name, &status) == 0 ? (double)status.st_size : 0;
}

void journal_metrics(struct journal *journal, struct sample_sink *sink)
{
        pthread_mutex_lock(&journal->lock);
        SAMPLE_BARE(sink, &commits_family, (double)journal->commits);
        SAMPLE_BARE(sink, &entries_family, (double)journal->entries);
        sample_add_histogram(sink, &duration_family, &journal->commit_duration, NULL, 0);
        SAMPLE_BARE(sink, &rows_family, (double)journal->head.rows);
        SAMPLE_BARE(sink, &head_family, (double)journal->head.digest);
        pthread_mutex_unlock(&journal->lock);
        collect_standing(journal, sink);
        SAMPLE_BARE(sink, &size_family, file_size(journal->path, "") + file_size(journal->path, "-wal"));
}
