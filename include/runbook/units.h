/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people read them: "83.2 %", "6d4h", "1.5 GiB", "0.0123". */
#ifndef RUNBOOK_UNITS_H
#define RUNBOOK_UNITS_H

#include "runbook/text.h"

enum value_unit { UNIT_NUMBER, UNIT_PERCENT /* of a ratio */, UNIT_SECONDS, UNIT_BYTES, VALUE_UNITS };

/* What a metric's name says of its unit, by the endings _ratio, _seconds and _bytes. */
enum value_unit unit_of_metric(const char *metric);

/* Writes the value in the unit. */
void unit_put(struct text *text, enum value_unit unit, double value);

#endif
