/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people read them: "83.2 %", "6d4h", "1.5 GiB", "0.0123". */
#ifndef EXPORTER_HUMANE_H
#define EXPORTER_HUMANE_H

#include "runbook/text.h"

enum humane_unit { UNIT_NUMBER, UNIT_PERCENT /* of a ratio */, UNIT_SECONDS, UNIT_BYTES };

/* What a metric's name says of its unit, by the endings _ratio, _seconds and _bytes. */
enum humane_unit humane_unit_of(const char *metric);

void humane_put(struct text *text, enum humane_unit unit, double value);

#endif
