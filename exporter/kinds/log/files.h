/* SPDX-License-Identifier: Apache-2.0 */
/* Log files as a source. Its configuration is a struct config_strings: patterns of paths. */
#ifndef EXPORTER_KINDS_LOG_FILES_H
#define EXPORTER_KINDS_LOG_FILES_H

#include "exporter/kinds/log/source.h"

#define LOG_FILES_FAMILIES(X)                                                             \
        X(log_family_files, GAUGE, "runbook_log_files", NULL, "Files that are followed.") \
        X(log_family_behind, GAUGE, "runbook_log_behind_bytes", "bytes",                  \
          "What of the files has not been read yet: a line that has no end, or for lack of time.")
LOG_FILES_FAMILIES(DECLARE_FAMILY)

extern const struct log_source_type log_source_files;

#endif
