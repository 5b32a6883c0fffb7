/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of patterns with *, ? and [abc], by which an operator chooses among names that are not known before.
 */
#ifndef EXPORTER_KINDS_SHARED_GLOBS_H
#define EXPORTER_KINDS_SHARED_GLOBS_H

#include "runbook/config.h"

/* Whether the whole name matches one of them. */
bool globs_match(const struct config_strings *globs, const char *name);

#endif
