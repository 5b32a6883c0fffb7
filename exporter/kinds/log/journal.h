/* SPDX-License-Identifier: Apache-2.0 */
/* journald as a source. */
#ifndef EXPORTER_KINDS_LOG_JOURNAL_H
#define EXPORTER_KINDS_LOG_JOURNAL_H

#include "exporter/kinds/log/source.h"

struct log_journal_config {
        char *directory;
        struct config_strings units;
        int priority; /* as syslog has them: 0 to 7 */
};

extern const struct config_field log_journal_fields[];
extern const struct log_source_type log_source_journal;

#endif
