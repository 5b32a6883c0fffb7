/* SPDX-License-Identifier: Apache-2.0 */
/* One run of one check, step by step, as text for people. */
#ifndef EXPORTER_WEB_TRACE_PAGE_H
#define EXPORTER_WEB_TRACE_PAGE_H

#include "exporter/schedule/schedule.h"

/*
 * `result` is that of schedule_trace(), NULL when no run could begin. While it is not `finished`, its steps
 * so far are all that is shown. `age`: how long ago it began, 0 when it did for this page.
 */
void trace_page_render(const struct check *check, const struct check_result *result, bool finished, nsec age,
                       struct text *text);

#endif
