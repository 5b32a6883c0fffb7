/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every statement of the journal, by name. Included with X defined; see internal.h.
 *
 * Of what is asked at each step, lists of constants are chains of OR: for an IN of more than two SQLite makes
 * a table, each time.
 */
#include "responder/journal/sealed.h"
/* clang-format off */

/* Episodes. */
X(EPISODE_REFRESH, "UPDATE episodes SET last_seen_at = ?1, starts_at = min(starts_at, ?2), seen_steady = ?4"
                   " WHERE key = ?3 AND closed_at IS NULL")
X(EPISODE_OPEN, "INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, alert, seen_steady, key)"
                " VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6)")
X(EPISODE_FIND_OPEN, "SELECT id, starts_at FROM episodes WHERE key = ?1 AND closed_at IS NULL")
X(EPISODE_NAMESAKE, "SELECT 1 FROM episodes WHERE fingerprint = ?1 AND fingerprint <> '' AND key IS NOT ?2"
                    " AND closed_at IS NULL LIMIT 1")
/* What an episode has set off: its own incidents, and those that it has joined. */
#define SET_OFF(what)                                                                                        \
        "EXISTS (SELECT 1 FROM incidents i WHERE i.episode = e.id" what ") OR EXISTS (SELECT 1 FROM members m" \
        " JOIN incidents i ON i.id = m.incident WHERE m.episode = e.id" what ")"
X(EPISODE_OVER, "SELECT e.id FROM episodes e WHERE e.key = ?1 AND e.closed_at IS NULL AND e.starts_at < ?2"
                " AND (" SET_OFF("") ") AND NOT (" SET_OFF(" AND (i.ended_at = 0 OR i.ended_at >= ?2)") ")")
X(EPISODE_CLOSE, "UPDATE episodes SET closed_at = ?1, closed_by = ?2 WHERE id = ?3 AND closed_at IS NULL")
/* Whether any alert of an incident fires. */
#define FIRES                                                                                                \
        "(EXISTS (SELECT 1 FROM episodes x WHERE x.id = i.episode AND x.closed_at IS NULL) OR EXISTS"        \
        " (SELECT 1 FROM members m JOIN episodes x ON x.id = m.episode WHERE m.incident = i.id"              \
        " AND x.closed_at IS NULL))"
X(EPISODE_INCIDENTS, "SELECT i.id, i.state, " FIRES " FROM incidents i WHERE i.episode = ?1 UNION ALL"
                     " SELECT i.id, i.state, " FIRES " FROM members o JOIN incidents i ON i.id = o.incident"
                     " WHERE o.episode = ?1")
X(EPISODE_ALERT, "SELECT alert FROM episodes WHERE id = ?1")
X(EPISODE_MATCHED, "UPDATE episodes SET matched = 1, unanswered = 0 WHERE id = ?1")
/* Asked before them: they are sorted, which costs also where there is none, and a look comes often. */
X(EPISODE_UNMATCHED, "SELECT 1 FROM episodes WHERE matched = 0 AND closed_at IS NULL LIMIT 1")
X(EPISODES_UNMATCHED, "SELECT id, opened_at, last_seen_at, starts_at, alert, seen_steady, 1 FROM episodes"
                      " WHERE matched = 0 AND closed_at IS NULL AND (id IN (SELECT id FROM episodes"
                      " WHERE matched = 0 AND closed_at IS NULL ORDER BY id LIMIT ?1 - ?1 / 4) OR id IN"
                      " (SELECT id FROM episodes WHERE matched = 0 AND closed_at IS NULL ORDER BY id DESC"
                      " LIMIT ?1 / 4)) ORDER BY id")
/* Whose remediation is no longer there had one: whoever was to hear of it has. Of the twins that are for others
 * (ALERT_LABEL_STAGE) their receivers hear. */
X(EPISODE_PASS_OVER, "UPDATE episodes SET matched = 1, unanswered = CASE WHEN EXISTS (SELECT 1 FROM incidents"
                     " WHERE episode = ?1) OR EXISTS (SELECT 1 FROM members WHERE episode = ?1)"
                     " OR CASE WHEN json_valid(alert) THEN json_extract(alert, '$.labels.stage') IN ('page', 'acting')"
                     " ELSE 0 END THEN unanswered"
                     " ELSE max(unanswered, 1) END WHERE id = ?1")
/* `> 0` is what its index is of: SQLite takes that only when it stands here, too. */
X(EPISODES_UNANSWERED, "SELECT id, opened_at, last_seen_at, starts_at, alert, seen_steady, 1 FROM episodes"
                       " WHERE unanswered > 0 AND unanswered = 1 AND closed_at IS NULL ORDER BY id LIMIT ?1")
X(EPISODE_ANSWER, "UPDATE episodes SET unanswered = 2 WHERE id = ?1")
X(COUNT_PEOPLE, "SELECT (SELECT count(*) FROM episodes WHERE unanswered > 0 AND closed_at IS NULL),"
                " (SELECT count(*) FROM incidents WHERE active = 1 AND ((owes <> '' AND owes <> 'over')"
                " OR (ended_at = 0 AND state IN ('failed', 'not_healed', 'unverified'))))")
X(EPISODES_SILENT, "SELECT id, opened_at, last_seen_at, starts_at, alert, seen_steady, 1 FROM episodes"
                   " WHERE closed_at IS NULL AND seen_steady < ?1 ORDER BY seen_steady LIMIT ?2")

/* Incidents. */
X(INCIDENT_NUMBER, "INSERT INTO meta (key, value) VALUES (?1, 1)"
                   " ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value")
/* Under way, or in a person's hands; and some alert of it fires. */
X(INCIDENT_OF_CAUSE, "SELECT i.id, i.state FROM incidents i WHERE i.cause = ?1 AND i.cause <> '' AND (i.ended_at = 0 OR i.state IN"
                     " ('escalated', 'expired', 'denied', 'cancelled')) AND " FIRES " ORDER BY i.id DESC LIMIT 1")
X(INCIDENT_SET_CAUSE, "UPDATE incidents SET cause = coalesce(?2, ''), changes = ?3 WHERE id = ?1")
X(MEMBER_ADD, "INSERT INTO members (incident, episode, joined_at) VALUES (?1, ?2, ?3)")
X(MEMBERS_OF, "SELECT e.alert, e.closed_at IS NULL, m.joined_at FROM members m JOIN episodes e ON e.id = m.episode"
              " WHERE m.incident = ?1 ORDER BY m.joined_at, m.episode LIMIT ?2")
X(EPISODES_MATCH_ANEW, "UPDATE episodes SET matched = 0 WHERE closed_at IS NULL")
X(EPISODE_SET_ASIDE, "INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, closed_at, closed_by, matched,"
                     " alert, seen_steady) SELECT fingerprint, opened_at, last_seen_at, starts_at, ?2, 'engine', 1, alert,"
                     " seen_steady FROM episodes WHERE id = ?1")
/* What came to nothing and was matched with something else. Of a version before nothing is known of that: then only
 * what was planned gives way, and to no other plan. */
#define GIVES_WAY                                                                                            \
        "i.running_at = 0 AND i.ended_at > 0 AND i.matched_with <> ?3 AND ((i.state = 'planned' AND"         \
        " i.matched_with = '' AND ?3 NOT LIKE 'dry run %') OR"                                               \
        " ((i.state = 'planned' OR i.state = 'failed' OR i.state = 'escalated') AND i.matched_with <> ''))"
X(INCIDENT_EXISTS, "SELECT i.id, i.state, " GIVES_WAY ", 0 FROM incidents i WHERE i.episode = ?1 AND i.remediation = ?2"
                   " UNION ALL SELECT i.id, i.state, " GIVES_WAY ", 1 FROM members m JOIN incidents i ON i.id = m.incident"
                   " WHERE m.episode = ?1 AND i.remediation = ?2")
X(EPISODE_HAS_RUN, "SELECT 1 FROM incidents WHERE episode = ?1 AND running_at > 0 UNION ALL SELECT 1 FROM members m"
                   " JOIN incidents i ON i.id = m.incident WHERE m.episode = ?1 AND i.running_at > 0")
X(MEMBER_REMOVE, "DELETE FROM members WHERE episode = ?1 AND incident = ?2")
X(INCIDENT_SET_ASIDE, "UPDATE incidents SET episode = ?2 WHERE id = ?1")
X(INCIDENT_OPEN, "INSERT INTO incidents (number, episode, remediation, state, opened_at, updated_at, opened_steady,"
                 " entered_steady, waiting_steady, matched_with, alert) SELECT ?1, id, ?3, ?4, ?5, ?5, ?6, ?6, ?6, ?7, alert"
                 " FROM episodes WHERE id = ?2")
X(INCIDENT_STATE, "SELECT state, number, ended_at, asked FROM incidents WHERE id = ?1")
X(INCIDENT_UPDATE, "UPDATE incidents SET state = ?2, guard = ?3, guard_until = ?4, lock = coalesce(?5, lock),"
                   " approved = (approved AND ?2 <> 'awaiting_approval' AND"
                   " (?13 IS NULL OR definition IS NULL OR definition = ?13)) OR ?6,"
                   " definition = coalesce(?13, definition), owes = ?14, asked = coalesce(?15, asked),"
                   " cancel_requested = CASE WHEN ?9 THEN 0 ELSE cancel_requested OR ?7 END,"
                   " undo_requested = CASE WHEN ?9 THEN 0 ELSE undo_requested OR ?8 END,"
                   " running_at = CASE WHEN ?2 = 'running' AND running_at = 0 THEN ?10 ELSE running_at END,"
                   " running_steady = CASE WHEN ?2 = 'running' AND running_at = 0 THEN ?12 ELSE running_steady END,"
                   " ended_steady = CASE WHEN ?11 AND ended_at = 0 THEN ?12 ELSE ended_steady END,"
                   " entered_steady = CASE WHEN ?2 = state THEN entered_steady ELSE ?12 END,"
                   " waiting_steady = CASE WHEN guard = 'silenced' OR guard = 'inhibited' OR guard = 'muted'"
                   " OR guard = 'maintenance' OR (guard = 'human' AND guard_until = 0) THEN ?12"
                   " ELSE waiting_steady END,"
                   " ended_at = CASE WHEN ?11 AND ended_at = 0 THEN ?10 ELSE ended_at END,"
                   " active = active OR ended_at = 0, updated_at = ?10 WHERE id = ?1")
/* Each step of an incident comes by here: what is set is in no index, of which SQLite would write a page each. */
X(INCIDENT_TOUCH, "UPDATE incidents SET approved = approved OR ?2,"
                  " definition = coalesce(?7, definition), owes = CASE WHEN ?10 <> '' THEN ?10"
                  " WHEN owes = ?8 THEN '' ELSE owes END,"
                  " told = told || ?9, asked = coalesce(?11, asked),"
                  " cancel_requested = CASE WHEN ?5 THEN 0 ELSE cancel_requested OR ?3 END,"
                  " undo_requested = CASE WHEN ?5 THEN 0 ELSE undo_requested OR ?4 END,"
                  " updated_at = ?6 WHERE id = ?1")
/* 1: somebody is at it; 2: and keeps it until it is given back; 3: it may go on. */
X(INCIDENT_HANDS, "UPDATE incidents SET hands = CASE WHEN ?2 = 3 THEN '' WHEN ?2 = 1 AND taken = 1 THEN hands ELSE ?3 END,"
                  " taken = CASE ?2 WHEN 1 THEN taken ELSE ?2 = 2 END,"
                  " hands_steady = CASE WHEN ?2 = 3 THEN hands_steady ELSE ?4 END,"
                  " freed_steady = CASE WHEN ?2 = 3 THEN ?4 ELSE freed_steady END,"
                  " climbing_steady = CASE WHEN ?2 = 3 AND climbing_steady > 0 THEN ?4 ELSE climbing_steady END,"
                  " waiting_steady = CASE WHEN ?2 = 3 AND taken = 1 THEN ?4 ELSE waiting_steady END WHERE id = ?1")
/* 1: it begins; 2: it goes on, where it has not ended; 3: it ends; 4: it is gone. */
X(INCIDENT_CHAIN, "UPDATE incidents SET chain = CASE ?3 WHEN 4 THEN '' ELSE coalesce(?2, chain) END, climbing_steady = CASE ?3 WHEN 1 THEN max(?4, 1)"
                  " WHEN 2 THEN climbing_steady ELSE 0 END WHERE id = ?1")
/* Somebody is still to be called, unless a person has said since that he is at it. */
#define CLIMBS "climbing_steady > 0 AND (hands = '' OR (taken = 0 AND hands_steady < climbing_steady))"
/* Whose hands are on this incident, or under its lock; what was taken is looked at before what was seen. */
#define IN_HANDS                                                                                             \
        "SELECT number, hands, taken AND ended_at = 0, hands_steady FROM incidents WHERE hands <> '' AND hands_steady > ?3"   \
        " AND ((taken = 1 AND ended_at = 0) OR hands_steady > ?2)"
X(HANDS_UNDER, IN_HANDS " AND lock = ?1 ORDER BY (taken AND ended_at = 0) DESC, hands_steady DESC LIMIT 1")
X(HANDS_ON, IN_HANDS " AND id = ?1")
/* When steps of a kind were under way, or undone, of those that ended after ?2; one that goes on ends at ?3. */
X(OWN_TIMES, "SELECT t.at, coalesce((SELECT n.at FROM timeline n WHERE n.incident = t.incident AND n.id > t.id"
             " AND n.step = t.step AND n.event NOT IN ('progress', 'step waits', 'step goes on') ORDER BY n.id LIMIT 1),"
             " ?3) AS ended FROM timeline t JOIN steps s ON s.incident = t.incident AND s.position = t.step"
             " WHERE t.id > (SELECT max(id) FROM timeline) - 5000 AND t.event IN ('step started', 'step goes on',"
             " 'undo started') AND s.action LIKE ?1 || '%' AND ended >= ?2 ORDER BY t.id DESC LIMIT ?4")
X(HANDS_KEEP, "SELECT 1 FROM incidents i JOIN incidents o ON o.hands <> '' AND (o.lock = i.lock AND i.lock <> '')"
              " AND o.hands_steady > i.freed_steady AND ((o.taken = 1 AND o.ended_at = 0) OR o.hands_steady > ?2)"
              " WHERE i.id = ?1 UNION ALL SELECT 1 FROM incidents WHERE id = ?1 AND hands <> ''"
              " AND hands_steady > freed_steady AND (taken = 1 OR hands_steady > ?2) LIMIT 1")
X(INCIDENT_SET_LOCK, "UPDATE incidents SET lock = ?2 WHERE id = ?1")
/* What was healed, or done, is looked at for as long as its alert fires. */
#define STILL_ACTIVE                                                                                         \
        "UPDATE incidents AS i SET active = ended_at = 0 OR owes <> '' OR cancel_requested OR undo_requested OR EXISTS" \
        " (SELECT 1 FROM letters WHERE incident = i.id AND asked = 1) OR EXISTS" \
        " (SELECT 1 FROM steps WHERE incident = i.id AND settled = 0 AND (status = 'started' OR"              \
        " status = 'done' OR status = 'failed' OR status = 'interrupted' OR status = 'undoing' OR status = 'undo_failed')) OR ((state IN ('healed', 'done') OR (" CLIMBS ")) AND " FIRES ")"
X(INCIDENT_ACTIVE, STILL_ACTIVE " WHERE id = ?1")
X(EPISODE_LEAVES, STILL_ACTIVE " WHERE (episode = ?1 OR id IN (SELECT incident FROM members WHERE episode = ?1))"
                  " AND active = 1")
X(INCIDENT_LEFT, "SELECT state, guard, running_at, ended_at, cancel_requested OR undo_requested, active"
                 " FROM incidents WHERE id = ?1")

X(HELD_WITH, "SELECT count(*), coalesce(max(id), 0) FROM incidents WHERE active = 1 AND owes = 'held'"
             " AND remediation = ?1 AND guard = ?2 AND id <> ?3")
X(HELD_WITH_OF, "SELECT o.id, o.state FROM incidents i JOIN incidents o ON o.remediation = i.remediation"
                " AND o.guard = i.guard WHERE i.id = ?1 AND o.active = 1 AND o.owes = 'held' AND o.id <= ?2")
X(HELD_WITH_TOLD, "UPDATE incidents SET owes = '', told = told || ?2, updated_at = ?3 WHERE id = ?1")

/* Steps. */
X(STEP_OPEN, "INSERT INTO steps (incident, position, action) VALUES (?1, ?2, ?3)")
X(STEP_BEGIN, "UPDATE steps SET status = ?3, plan = ?4, progress = NULL, outcome = NULL, started_at = ?5,"
              " finished_at = 0 WHERE incident = ?1 AND position = ?2")
X(STEP_SET_PROGRESS, "UPDATE steps SET progress = ?3 WHERE incident = ?1 AND position = ?2")
X(STEP_FINISH, "UPDATE steps SET status = ?3, outcome = coalesce(?4, outcome), finished_at = ?5"
               " WHERE incident = ?1 AND position = ?2")
X(STEP_SET_STATUS, "UPDATE steps SET status = ?3 WHERE incident = ?1 AND position = ?2")
X(STEP_SETTLE, "UPDATE steps SET settled = 1 WHERE incident = ?1 AND position = ?2")
X(STEPS_OF, "SELECT position, action, status, plan, progress, outcome, started_at, finished_at, settled"
            " FROM steps WHERE incident = ?1 ORDER BY position")

/* Messages that nobody has received. */
X(LETTER_KEEP, "INSERT INTO letters (incident, part, receiver, what, reason, refused, since) VALUES (?1, ?2, ?3, ?4, ?5,"
               " ?6, ?7) ON CONFLICT (incident, part) DO UPDATE SET receiver = ?3, what = ?4, reason = ?5, refused = ?6,"
               " asked = 0")
X(LETTER_HEARD, "DELETE FROM letters WHERE incident = ?1 AND part = ?2")
/* A step is settled once whoever is to hear of it has, or undone after all; another call may still be owed. */
X(LETTER_SETTLED, "DELETE FROM letters WHERE incident = ?1 AND part = 0 AND NOT EXISTS"
                  " (SELECT 1 FROM incidents WHERE id = ?1 AND owes <> '')")
/* Nobody is to hear any more of what has come to rest. */
X(LETTERS_MOOT, "DELETE FROM letters WHERE part = 0 AND incident IN (SELECT id FROM incidents WHERE id = ?1 AND active = 0)")
X(LETTERS_LEFT, "DELETE FROM letters WHERE part = 0 AND incident IN (SELECT id FROM incidents WHERE active = 0 AND"
                " (episode = ?1 OR id IN (SELECT incident FROM members WHERE episode = ?1)))")
X(LETTERS_ASK, "UPDATE letters SET asked = 1 WHERE incident = ?1")
X(LETTERS, "SELECT l.incident, i.number, l.part, l.receiver, l.what, l.reason, l.refused, l.since, l.asked"
           " FROM letters l JOIN incidents i ON i.id = l.incident WHERE ?1 = 0 OR l.incident = ?1"
           " ORDER BY l.incident, l.part LIMIT ?2")
X(LETTERS_COUNT, "SELECT receiver, count(*) FROM letters GROUP BY receiver")

/* Reading incidents: one list of columns for all of them. */
#define INCIDENT_COLUMNS                                                                                     \
        "i.id, i.number, i.episode, " FIRES ", i.remediation, i.lock, i.state, i.guard, i.guard_until," \
        " i.approved, i.cancel_requested, i.undo_requested, i.opened_at, i.running_at, i.ended_at, i.updated_at," \
        " i.alert, e.starts_at, i.opened_steady, i.entered_steady, i.definition, i.owes, i.told," \
        " i.waiting_steady, e.seen_steady, i.asked, i.hands, i.hands_steady, i.taken, i.freed_steady,"\
        " (SELECT max(asked) FROM letters WHERE incident = i.id), i.chain, i.climbing_steady FROM incidents i JOIN episodes e ON e.id = i.episode"
X(INCIDENTS_ACTIVE, "SELECT " INCIDENT_COLUMNS " WHERE i.active = 1 ORDER BY i.id")
X(INCIDENT_ACTIVE_BY_ID, "SELECT " INCIDENT_COLUMNS " WHERE i.id = ?1 AND i.active = 1")
X(INCIDENTS_BY_STATE_OPEN, "SELECT state, count(*) FROM incidents INDEXED BY incidents_active WHERE active = 1"
                           " AND ended_at = 0 GROUP BY state")
X(INCIDENTS_HELD, "SELECT guard, count(*), max(guard_until) FROM incidents WHERE active = 1 AND state = 'held'"
                  " GROUP BY guard")
X(INCIDENT_BY_NUMBER, "SELECT " INCIDENT_COLUMNS " WHERE i.number = ?1")
X(INCIDENTS_NEWEST, "SELECT " INCIDENT_COLUMNS " WHERE i.id < ?1 ORDER BY i.id DESC LIMIT ?2")
X(INCIDENTS_OPEN, "SELECT " INCIDENT_COLUMNS " WHERE i.active = 1 AND i.ended_at = 0 AND i.id < ?1 ORDER BY i.id DESC LIMIT ?2")
X(INCIDENTS_BY_STATE, "SELECT " INCIDENT_COLUMNS " WHERE i.state = ?3 AND i.id < ?1 ORDER BY i.id DESC LIMIT ?2")
/* For the pages: what has ended, and what of it is in a person's hands while its alert fires. */
X(INCIDENTS_ENDED, "SELECT " INCIDENT_COLUMNS " WHERE i.id > (SELECT max(id) FROM incidents) - 1000"
                   " AND i.ended_at > 0 ORDER BY i.id DESC LIMIT ?1")
X(INCIDENTS_LEFT_TO_PEOPLE, "SELECT " INCIDENT_COLUMNS " WHERE i.ended_at > 0 AND i.state IN ('failed', 'not_healed',"
                            " 'unverified', 'escalated', 'expired') AND " FIRES " AND i.episode IN"
                            " (SELECT id FROM episodes WHERE closed_at IS NULL) ORDER BY i.id DESC LIMIT ?1")
X(INCIDENTS_FOUND, "SELECT " INCIDENT_COLUMNS " WHERE i.id < ?1 AND (?3 = '' OR i.state = ?3)"
                   " AND (?4 = '' OR i.remediation = ?4) AND (?5 = '' OR instr(lower(i.alert), lower(?5)) > 0"
                   " OR instr(lower(i.number), lower(?5)) > 0 OR EXISTS (SELECT 1 FROM steps s WHERE s.incident = i.id"
                   " AND instr(lower(s.outcome), lower(?5)) > 0)) AND i.opened_at >= ?6 AND i.opened_at < ?7"
                   " ORDER BY i.id DESC LIMIT ?2")
X(INCIDENT_OPENED_NEXT, "SELECT id, number FROM incidents WHERE id > ?1 AND opened_at >= ?2 AND opened_at < ?3"
                        " ORDER BY id LIMIT 1")
X(TIMELINE_ENTERED, "SELECT actor, detail FROM timeline WHERE incident = ?1 AND state = ?2 ORDER BY id LIMIT 1")
X(EPISODES_PASSED_OVER, "SELECT id, opened_at, last_seen_at, starts_at, alert, seen_steady, closed_at IS NULL FROM episodes"
                        " WHERE id > (SELECT max(id) FROM episodes) - 5000 AND"
                        " unanswered > 0 AND last_seen_at >= ?1 ORDER BY id DESC LIMIT ?2")
/* Not of what was given an episode of its own, so that another may begin. */
X(EPISODE_ENDED, "SELECT coalesce(closed_at, 0) FROM episodes WHERE id = ?1 AND closed_by IS NOT 'engine'")
X(EPISODES_HEARD, "SELECT opened_at, coalesce(closed_at, 0), alert FROM episodes WHERE id > 0 AND opened_at >= ?1 ORDER BY id")
X(RUNS_NEWEST, "SELECT remediation, state, opened_at, running_at, ended_at, number FROM incidents"
               " WHERE id > (SELECT max(id) FROM incidents) - ?1 ORDER BY id DESC")
/* Runs are counted by what they act upon, whatever remediation it was. What has failed acts no more, though it has
 * not ended while nobody could be called; nor does what asks a person midway. */
X(LAST_RUN, "SELECT max(coalesce((SELECT max(ended_steady) FROM incidents INDEXED BY incidents_ends"
            " WHERE lock = ?1 AND running_at > 0 AND id <> ?2), 0),"
            " coalesce((SELECT max(entered_steady) FROM incidents INDEXED BY incidents_active WHERE active = 1"
            " AND running_at > 0 AND lock = ?1 AND id <> ?2 AND ended_at = 0"
            " AND (state = 'failed' OR state = 'not_healed' OR state = 'unverified' OR state = 'awaiting_approval'"
            " OR state = 'held' OR state = 'received')), 0))")
X(NTH_RUN, "SELECT running_steady FROM incidents INDEXED BY incidents_runs WHERE lock = ?1 AND running_at > 0"
           " AND running_steady > ?2 AND CASE WHEN ?3 = '' THEN changes ELSE remediation = ?3 END ORDER BY running_steady DESC LIMIT 1 OFFSET ?4")
X(NTH_BEGUN, "SELECT running_steady FROM incidents INDEXED BY incidents_begun WHERE running_at > 0 AND changes = 1"
             " AND running_steady > ?1 AND id <> ?2 ORDER BY running_steady DESC LIMIT 1 OFFSET ?3")

X(LOCKS_SINCE, "SELECT lock FROM incidents INDEXED BY incidents_begun WHERE running_at > 0 AND changes = 1"
               " AND running_steady > ?1")

/* All alerts of an incident, as they are by now. */
X(EPISODES_OF, "SELECT id, opened_at, last_seen_at, starts_at, alert, seen_steady, closed_at IS NULL FROM episodes"
               " WHERE id = (SELECT episode FROM incidents WHERE id = ?1)"
               " OR id IN (SELECT episode FROM members WHERE incident = ?1) ORDER BY id")

/* Whether some incident of an alert leaves it to a person, and when the first of all was opened. */
X(EPISODE_PAGED, "SELECT coalesce(min(opened_steady), 0), coalesce(max(state NOT IN"
                 " ('received', 'running', 'verifying', 'healed', 'done')), 1) FROM incidents WHERE id IN"
                 " (SELECT id FROM incidents WHERE episode = ?1 UNION SELECT incident FROM members WHERE episode = ?1)")

/* The timeline. */
X(TIMELINE_APPEND, "INSERT INTO timeline (id, incident, at, actor, event, state, step, detail, hash)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
X(TIMELINE_LAST, "SELECT id, hash FROM timeline ORDER BY id DESC LIMIT 1")
X(TIMELINE_OF, "SELECT at, actor, event, state, step, detail, hash FROM timeline WHERE incident = ?1 ORDER BY id")
X(TIMELINE_DETAILS, "SELECT detail FROM timeline WHERE incident = ?1 AND detail IS NOT NULL ORDER BY id DESC")
X(TIMELINE_ALL, "SELECT id, incident, at, actor, event, state, step, detail, hash FROM timeline ORDER BY id")
X(TIMELINE_CONTRADICTED, "SELECT i.number, i.state FROM incidents i WHERE i.state IS NOT"
                         " (SELECT t.state FROM timeline t WHERE t.incident = i.id ORDER BY t.id DESC LIMIT 1)"
                         " ORDER BY i.id LIMIT 1")

/* Pruning. The newest stay, for SQLite gives the number after the highest that is there. */
X(INCIDENTS_OVER, "SELECT i.id, i.episode, i.active = 0 AND i.ended_at > 0 AND i.ended_steady < ?2 AND NOT " FIRES
                  " AND i.id < (SELECT max(id) FROM incidents),"
                  " i.opened_steady >= ?2 FROM incidents i WHERE i.id > ?1"
                  " ORDER BY i.id LIMIT ?3")
#define OF_NOBODY                                                     \
        " AND NOT EXISTS (SELECT 1 FROM incidents WHERE episode = episodes.id)" \
        " AND NOT EXISTS (SELECT 1 FROM members WHERE episode = episodes.id)"
X(EPISODES_OVER, "SELECT id, closed_at IS NOT NULL AND seen_steady < ?2" OF_NOBODY " FROM episodes WHERE id > ?1 ORDER BY id LIMIT ?3")
X(INCIDENT_DROP, "DELETE FROM incidents WHERE id = ?1")
X(LETTERS_DROP, "DELETE FROM letters WHERE incident = ?1")
X(STEPS_DROP, "DELETE FROM steps WHERE incident = ?1")
X(EPISODE_DROP, "DELETE FROM episodes WHERE id = ?1 AND id < (SELECT max(id) FROM episodes) AND closed_at IS NOT NULL" OF_NOBODY)
X(MEMBERS_DROP, "DELETE FROM members WHERE incident = ?1")
X(TIMELINE_FIRST_OF, "SELECT id, hash FROM timeline WHERE incident = ?1 AND id < ?2 ORDER BY id LIMIT 1")
X(TIMELINE_DROP, "DELETE FROM timeline WHERE id = ?1")
X(GAP_EXTEND, "UPDATE gaps SET last = ?1, hash = ?2 WHERE last = ?1 - 1")
X(GAP_OPEN, "INSERT INTO gaps (first, last, hash) VALUES (?1, ?1, ?2)")
X(GAP_JOIN, "UPDATE gaps SET (last, hash) = (SELECT g.last, g.hash FROM gaps g WHERE g.first = ?1 + 1)"
            " WHERE last = ?1 AND EXISTS (SELECT 1 FROM gaps g WHERE g.first = ?1 + 1)")
X(GAP_JOINED, "DELETE FROM gaps WHERE first = ?1 + 1")
X(GAP_AT, "SELECT last, hash FROM gaps WHERE first = ?1")
X(GAPS_ALL, "SELECT first, last, hash FROM gaps ORDER BY first")
X(PRUNED_LAST, "SELECT detail FROM timeline WHERE incident = 0 AND event = 'pruned' ORDER BY id DESC LIMIT 1")
X(HAS_GAPS, "SELECT 1 FROM sqlite_schema WHERE name = 'gaps'")

/* Journals of before, which are only read, have none. */
X(HAS_DEFINITIONS, "SELECT 1 FROM pragma_table_info('incidents') WHERE name = 'definition'")
X(DEFINITION_CONTRADICTED, "SELECT i.number FROM incidents i WHERE i.definition IS NOT NULL AND NOT EXISTS"
                           " (SELECT 1 FROM timeline t WHERE t.incident = i.id AND instr(t.detail, i.definition) > 0)"
                           " ORDER BY i.id LIMIT 1")

/* What is kept about the daemon itself. */
X(PAUSED_SET, "INSERT INTO meta (key, value) VALUES ('paused since', ?1) ON CONFLICT (key)"
              " DO UPDATE SET value = CASE WHEN ?1 = 0 OR value = 0 THEN ?1 ELSE value END")
X(PAUSED_GET, "SELECT value FROM meta WHERE key = 'paused since'")
X(PAUSED_PROVEN, "SELECT value, " BROKEN("meta", META_ID, NO_PART, META_SEAL) " FROM meta t WHERE t.key = 'paused since'")
X(PAUSED_FORGET, "DELETE FROM meta AS t WHERE t.key = 'paused since' AND " BROKEN("meta", META_ID, NO_PART, META_SEAL))
X(PAUSED_BY, "SELECT actor, detail FROM timeline WHERE incident = 0 AND event = 'paused' AND at = ?1"
             " ORDER BY id DESC LIMIT 1")
X(MAINTENANCE_GET, "SELECT value FROM meta WHERE key = 'maintenance since'")
X(MAINTENANCE_PROVEN, "SELECT value, " BROKEN("meta", META_ID, NO_PART, META_SEAL)
                      " OR EXISTS (SELECT 1 FROM meta t WHERE t.key = 'maintenance' AND "
                      BROKEN("meta", META_ID, NO_PART, META_SEAL) ") FROM meta t WHERE t.key = 'maintenance since'")
X(MAINTENANCE_FORGET, "DELETE FROM meta AS t WHERE (t.key = 'maintenance since' OR t.key = 'maintenance') AND "
                      BROKEN("meta", META_ID, NO_PART, META_SEAL))
X(META_GET, "SELECT value FROM meta WHERE key = ?1")
X(META_SET, "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")

/* Seals. */
/* Of what an incident goes by: itself, its alert, its steps; also a step that is no longer there. */
X(INCIDENT_BROKEN, "SELECT 1 FROM incidents t WHERE t.id = ?1 AND " BROKEN("incidents", INCIDENT_ID, NO_PART, INCIDENT_SEAL)
                   " UNION ALL SELECT 1 FROM steps t WHERE t.incident = ?1 AND " BROKEN("steps", STEP_ID, STEP_PART, STEP_SEAL)
                   " UNION ALL SELECT 1 FROM seals s WHERE s.of = 'steps' AND s.id = ?1 AND NOT EXISTS"
                   " (SELECT 1 FROM steps WHERE incident = ?1 AND position = s.part)"
                   " UNION ALL SELECT 1 FROM letters t WHERE t.incident = ?1 AND " BROKEN("letters", LETTER_ID, LETTER_PART, LETTER_SEAL)
                   " UNION ALL SELECT 1 FROM seals s WHERE s.of = 'letters' AND s.id = ?1 AND NOT EXISTS"
                   " (SELECT 1 FROM letters WHERE incident = ?1 AND part = s.part)"
                   " UNION ALL SELECT 1 FROM incidents i JOIN episodes t ON t.id = i.episode WHERE i.id = ?1 AND "
                   BROKEN("episodes", EPISODE_ID, NO_PART, EPISODE_SEAL) " LIMIT 1")
X(EPISODE_BROKEN, "SELECT 1 FROM episodes t WHERE t.id = ?1 AND " BROKEN("episodes", EPISODE_ID, NO_PART, EPISODE_SEAL))
#define ALL_BROKEN(NAME, table, id, part, seal, of, name)                                                    \
        X(BROKEN_##NAME, "SELECT " name " FROM " table " t WHERE " BROKEN(table, id, part, seal) " LIMIT 1")
#define ALL_UNSEALED(NAME, table, id, part, seal, of, name)                                                  \
        X(UNSEALED_##NAME, "SELECT " name " FROM " table " t WHERE NOT EXISTS (SELECT 1 FROM seals WHERE "   \
                           SEAL_WHERE(table, id("t."), part("t.")) ") LIMIT 1")
#define ALL_GONE(NAME, table, id, part, seal, of, name)                                                      \
        X(GONE_##NAME, "SELECT s.of || ' ' || s.id || CASE WHEN s.part > 0 THEN ', ' || s.part ELSE '' END"  \
                       " FROM seals s WHERE s.of = '" table "' AND NOT EXISTS (SELECT 1 FROM " table " t WHERE " \
                       id("t.") " = s.id AND " part("t.") " = s.part) LIMIT 1")
SEALED_TABLES(ALL_BROKEN)
SEALED_TABLES(ALL_UNSEALED)
SEALED_TABLES(ALL_GONE)
X(SEALS_FOLD, "SELECT count(fold(of, id, part, seal)) FROM seals")
X(SEALS_OF_OTHERS, "SELECT of FROM seals WHERE of NOT IN ('key', 'schema', 'incidents', 'steps', 'letters', 'episodes', 'members', 'gaps',"
                   " 'meta', 'steady') LIMIT 1")
X(KEY_FITS, "SELECT seal = seal_of('key') FROM seals WHERE of = 'key' AND id = 0 AND part = 0")
X(SCHEMA_FITS, "SELECT seal = " SCHEMA_SEAL " FROM seals WHERE of = 'schema' AND id = 0 AND part = 0")
X(HAS_SEALS, "SELECT 1 FROM sqlite_schema WHERE name = 'seals'")
X(HAS_HISTORY, "SELECT 1 FROM timeline UNION ALL SELECT 1 FROM incidents UNION ALL SELECT 1 FROM episodes LIMIT 1")
X(HEAD_GET, "SELECT rows, sum, seal FROM head")
X(HEAD_SET, "INSERT INTO head (id, rows, sum, seal) VALUES (1, ?1, ?2, ?3) ON CONFLICT (id)"
            " DO UPDATE SET rows = ?1, sum = ?2, seal = ?3")
X(TIMELINE_HASH, "SELECT hash FROM timeline WHERE id = ?1 UNION ALL SELECT hash FROM gaps WHERE last = ?1")

/* Steady time. */
X(STEADY_GET, "SELECT boot, steady, monotonic, wall FROM steady")
X(STEADY_SET, "INSERT INTO steady (id, boot, steady, monotonic, wall) VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT (id)"
              " DO UPDATE SET boot = ?1, steady = ?2, monotonic = ?3, wall = ?4")
/* Of all that anybody still measures by. */
X(STEADY_LAST, "SELECT max(coalesce((SELECT max(max(opened_steady, entered_steady)) FROM incidents WHERE active = 1), 0),"
               " coalesce((SELECT max(ended_steady) FROM incidents INDEXED BY incidents_ends WHERE running_at > 0), 0),"
               " coalesce((SELECT max(running_steady) FROM incidents INDEXED BY incidents_runs WHERE running_at > 0), 0),"
               " coalesce((SELECT max(seen_steady) FROM episodes WHERE closed_at IS NULL), 0))")
X(STEADY_INCIDENTS, "UPDATE incidents SET opened_steady = min(opened_at, ?1), waiting_steady = min(opened_at, ?1),"
                    " entered_steady = min(updated_at, ?1), running_steady = min(running_at, ?1),"
                    " ended_steady = min(ended_at, ?1)")
X(STEADY_EPISODES, "UPDATE episodes SET seen_steady = min(last_seen_at, ?1)")

/* Transactions. */
X(TRANSACTION_BEGIN, "BEGIN IMMEDIATE")
X(TRANSACTION_COMMIT, "COMMIT")
X(TRANSACTION_ROLLBACK, "ROLLBACK")
X(JOB_BEGIN, "SAVEPOINT job")
X(JOB_UNDO, "ROLLBACK TO job")
X(JOB_END, "RELEASE job")
/* clang-format on */
