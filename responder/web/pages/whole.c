/* SPDX-License-Identifier: Apache-2.0 */
/* The incident that a page is about. */
#include "responder/web/pages/internal.h"

int read_whole(const struct visit *visit, struct incident *incident, cJSON **timeline, struct error *error)
{
        struct journal *journal = visit->parts->journal;
        int r = journal_find(journal, http_path_parameter(visit->exchange), incident, error);
        return r < 0 ? r : journal_timeline(journal, incident->id, timeline, error);
}
