/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is sealed, in SQL: of each table which columns, under which names, and by which triggers. A column
 * that is not here may be changed by anybody; test_seals.c names those, so that none is forgotten.
 *
 * `r` is the row: "NEW.", "OLD.", or an alias of its table with its dot. A later version that adds a column
 * here checks what it finds by this list, and then seals anew by its own.
 */
#ifndef RESPONDER_JOURNAL_SEALED_H
#define RESPONDER_JOURNAL_SEALED_H

/* clang-format off */
#define NO_PART(r) "0"

#define INCIDENT_ID(r) r "id"
#define INCIDENT_SEAL(r)                                                                                     \
        "seal_of('incidents', " r "id, " r "number, " r "episode, " r "remediation, " r "lock, " r "state, " \
        r "guard, " r "guard_until, " r "approved, " r "cancel_requested, " r "undo_requested, "             \
        r "opened_at, " r "running_at, " r "ended_at, " r "updated_at, " r "active, " r "alert, "            \
        r "opened_steady, " r "entered_steady, " r "running_steady, " r "ended_steady, "                     \
        r "waiting_steady, " r "definition, " r "cause, " r "changes, " r "owes, " r "told, "                \
        r "matched_with, " r "asked, " r "hands, " r "hands_steady, " r "taken, " r "freed_steady, "       \
        r "chain, " r "climbing_steady)"

#define STEP_ID(r) r "incident"
#define STEP_PART(r) r "position"
#define STEP_SEAL(r)                                                                                         \
        "seal_of('steps', " r "incident, " r "position, " r "action, " r "status, " r "plan, " r "progress, " \
        r "outcome, " r "started_at, " r "finished_at, " r "settled)"

/* Not when it was last heard of: each webhook says so, and what was heard last decides nothing by itself. */
#define EPISODE_COLUMNS "id, fingerprint, opened_at, closed_at, closed_by, matched, alert, unanswered, key"
#define EPISODE_ID(r) r "id"
#define EPISODE_SEAL(r)                                                                                      \
        "seal_of('episodes', " r "id, " r "fingerprint, " r "opened_at, " r "closed_at, " r "closed_by, "    \
        r "matched, " r "alert, " r "unanswered, " r "key)"

#define LETTER_ID(r) r "incident"
#define LETTER_PART(r) r "part"
#define LETTER_SEAL(r)                                                                                       \
        "seal_of('letters', " r "incident, " r "part, " r "receiver, " r "what, " r "reason, " r "refused, " \
        r "since, " r "asked)"

#define MEMBER_ID(r) r "incident"
#define MEMBER_PART(r) r "episode"
#define MEMBER_SEAL(r) "seal_of('members', " r "incident, " r "episode, " r "joined_at)"

#define GAP_ID(r) r "first"
#define GAP_SEAL(r) "seal_of('gaps', " r "first, " r "last, " r "hash)"

#define META_ID(r) r "key"
#define META_SEAL(r) "seal_of('meta', " r "key, " r "value)"

#define STEADY_ID(r) r "id"
#define STEADY_SEAL(r)                                                                                       \
        "seal_of('steady', " r "id, " r "boot, " r "steady, " r "monotonic, " r "wall)"

/* X(NAME, table, id, part, seal, of which columns a change counts, what a person calls a row `t.`) */
#define SEALED_TABLES(X)                                                                                     \
        X(INCIDENTS, "incidents", INCIDENT_ID, NO_PART, INCIDENT_SEAL, "", "t.number")                       \
        X(STEPS, "steps", STEP_ID, STEP_PART, STEP_SEAL, "",                                                 \
          "'step ' || t.position || ' of ' || coalesce((SELECT number FROM incidents WHERE id = t.incident), '?')") \
        X(LETTERS, "letters", LETTER_ID, LETTER_PART, LETTER_SEAL, "", "'an undelivered message of incident ' || t.incident") \
        X(EPISODES, "episodes", EPISODE_ID, NO_PART, EPISODE_SEAL, " OF " EPISODE_COLUMNS, "'episode ' || t.id") \
        X(MEMBERS, "members", MEMBER_ID, MEMBER_PART, MEMBER_SEAL, "", "'the alerts of incident ' || t.incident") \
        X(GAPS, "gaps", GAP_ID, NO_PART, GAP_SEAL, "", "'the gap at row ' || t.first")                       \
        X(META, "meta", META_ID, NO_PART, META_SEAL, "", "'what is kept as \"' || t.key || '\"'")            \
        X(STEADY, "steady", STEADY_ID, NO_PART, STEADY_SEAL, "", "'the steady clock'")

/* By the whole key of `seals`: against a bare column of integers, SQLite would compare as numbers, which the key of
 * a column without a type is not sorted by, and read all seals of the table. */
#define SEAL_WHERE(table, id, part) "of = '" table "' AND id = +" id " AND part = +" part
#define SEAL_THERE(table, id, part) "(SELECT seal FROM seals WHERE " SEAL_WHERE(table, id, part) ")"

/* Of a row `t.`: it has another seal, or none. */
#define BROKEN(table, id, part, seal) SEAL_THERE(table, id("t."), part("t.")) " IS NOT " seal("t.")

/*
 * Whatever statement it is, what it writes is sealed in the same commit. What was not sealed, because
 * somebody else has written it, does not become so by being changed.
 */
#define SEAL_TRIGGERS(NAME, table, id, part, seal, of, name)                                                 \
        "CREATE TEMP TRIGGER seal_" table "_insert AFTER INSERT ON main." table " BEGIN"                     \
        " INSERT INTO seals (of, id, part, seal) VALUES ('" table "', " id("NEW.") ", " part("NEW.") ", "    \
        seal("NEW.") "); END;"                                                                               \
        "CREATE TEMP TRIGGER seal_" table "_update AFTER UPDATE" of " ON main." table " BEGIN"               \
        " UPDATE seals SET seal = " seal("NEW.") " WHERE " SEAL_WHERE(table, id("OLD."), part("OLD."))       \
        " AND seal = " seal("OLD.") "; END;"                                                                 \
        "CREATE TEMP TRIGGER seal_" table "_delete AFTER DELETE ON main." table " BEGIN"                     \
        " DELETE FROM seals WHERE " SEAL_WHERE(table, id("OLD."), part("OLD.")) "; END;"

#define SEAL_ANEW(NAME, table, id, part, seal, of, name)                                                     \
        "INSERT INTO seals (of, id, part, seal) SELECT '" table "', " id("t.") ", " part("t.") ", "          \
        seal("t.") " FROM " table " t;"

/* All seals together are one sum, which the head has. */
#define SUM_TRIGGERS                                                                                         \
        "CREATE TEMP TRIGGER sum_insert AFTER INSERT ON main.seals BEGIN"                                    \
        " SELECT fold(NEW.of, NEW.id, NEW.part, NEW.seal); END;"                                             \
        "CREATE TEMP TRIGGER sum_update AFTER UPDATE ON main.seals BEGIN"                                    \
        " SELECT fold(OLD.of, OLD.id, OLD.part, OLD.seal), fold(NEW.of, NEW.id, NEW.part, NEW.seal); END;"   \
        "CREATE TEMP TRIGGER sum_delete AFTER DELETE ON main.seals BEGIN"                                    \
        " SELECT fold(OLD.of, OLD.id, OLD.part, OLD.seal); END;"

/* Of the database's own: neither a trigger nor a default is to be anybody else's. */
#define SCHEMA_SEAL                                                                                          \
        "seal_of('schema', (SELECT group_concat(quote(type) || quote(name) || quote(tbl_name) || quote(sql))" \
        " FROM (SELECT * FROM sqlite_schema ORDER BY type, name)))"
/* clang-format on */

#endif
