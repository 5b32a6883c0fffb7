/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal must not have in it, when everything has come to rest: a query for each, and what it
 * means. */
#include "tests/sim/claims.h"

/* Nothing happened that no table has, nothing was told twice, and what a person asked for was looked at. */
void claim_order(struct sim *sim)
{
        static const struct {
                const char *sql, *sentence;
        } rows[] = {
                {"SELECT min(incident) FROM timeline WHERE event = 'went astray'", "went astray"},
                {"SELECT min(incident) FROM (SELECT incident FROM timeline WHERE event = 'alert resolved'"
                 " GROUP BY incident HAVING count(*) > 1)",
                 "was told twice that its alert is resolved"},
                {"SELECT min(incident) FROM (SELECT incident FROM timeline WHERE event = 'step started'"
                 " GROUP BY incident, step HAVING count(*) > 1)",
                 "has begun a step twice"},
                {"SELECT min(id) FROM incidents i WHERE remediation = 'slow' AND state = 'healed' AND NOT "
                 "EXISTS"
                 " (SELECT 1 FROM timeline t WHERE t.incident = i.id AND t.event IN ('told', 'acknowledged') "
                 "AND t.state = "
                 "'healed')",
                 "is healed, and who wants to hear of it has not"},
                {"SELECT min(id) FROM incidents WHERE undo_requested OR cancel_requested",
                 "has a request that nobody looks at"},
                {"SELECT min(incident) FROM letters WHERE asked", "has a message that is not sent again"},
                {"SELECT min(l.incident) FROM letters l JOIN incidents i ON i.id = l.incident"
                 " WHERE l.part = 0 AND NOT i.active",
                 "is at rest, and still counts as one that nobody has heard of"},
                {"SELECT min(t.incident) FROM timeline t WHERE t.event = 'cancelled' AND t.actor = 'alert' "
                 "AND"
                 " (SELECT count(*) FROM timeline o WHERE o.incident = t.incident AND o.id < t.id AND "
                 "o.event IN"
                 " ('one of its alerts is over', 'alert resolved', 'alert fires anew')) <"
                 " 1 + (SELECT count(*) FROM timeline j WHERE j.incident = t.incident AND j.id < t.id"
                 " AND j.event = 'alert joined')",
                 "is cancelled though one of its alerts fires"},
                {"SELECT min(i.id) FROM incidents i JOIN members m ON m.episode = i.episode"
                 " JOIN incidents o ON o.id = m.incident WHERE o.remediation = i.remediation",
                 "was opened for an alert that has joined another"},
                {"SELECT min(t.incident) FROM timeline t JOIN incidents i ON i.id = t.incident"
                 " WHERE t.event = 'step failed' AND (t.state = 'failed') <>"
                 " (json_extract(i.definition, '$.steps[' || (t.step - 1) || '].essential') = 'yes')",
                 "ended by a step that is not essential, or went on after one that is"},
                {"SELECT min(t.incident) FROM timeline t JOIN incidents i ON i.id = t.incident"
                 " WHERE t.event = 'step waits'"
                 " AND json_extract(i.definition, '$.steps[' || (t.step - 1) || '].essential') = 'no'",
                 "waits for a step that is not essential"},
                /* Whose one try outlasts the time there is for all of them, as that of a daemon that was
                 * stopped meanwhile, has no second one. */
                {"SELECT min(incident) FROM timeline t WHERE event = 'step failed'"
                 " AND json_extract(detail, '$.summary') LIKE '%Engine is away' AND state = 'failed'"
                 " AND (json_extract(detail, '$.reason') NOT LIKE '%model.revoke%'"
                 "      OR json_extract(detail, '$.reason') LIKE '%cannot be planned%')"
                 " AND at - (SELECT at FROM timeline o WHERE o.incident = t.incident AND o.id < t.id"
                 " ORDER BY o.id DESC LIMIT 1) < 59000000000",
                 "gave up at the first try what may pass"},
                {"SELECT min(incident) FROM timeline WHERE event = 'planning failed'"
                 " AND NOT EXISTS (SELECT 1 FROM json_each(detail, '$.plans')"
                 "  WHERE value ->> '$.essential' AND value ->> '$.error' IS NOT NULL)"
                 " AND detail ->> '$.plans' IS NOT NULL",
                 "was not begun for the sake of what is not essential"},
                {"SELECT min(incident) FROM timeline WHERE event = 'planning failed'"
                 " AND detail ->> '$.definition.on_failure' <> 'undo'"
                 " AND (SELECT min(value ->> '$.step') FROM json_each(detail, '$.plans')"
                 "  WHERE value ->> '$.essential' AND value ->> '$.error' IS NULL"
                 "  AND value ->> '$.effect' <> 'read only')"
                 " < (SELECT min(value ->> '$.step') FROM json_each(detail, '$.plans')"
                 "  WHERE value ->> '$.essential' AND value ->> '$.error' IS NOT NULL)",
                 "was not begun although only a later step could not be planned"},
        };
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                int64_t incident = claims_number(rows[i].sql, "");
                if (incident > 0)
                        sim_fail(sim, "incident %lld %s", (long long)incident, rows[i].sentence);
        }
}
