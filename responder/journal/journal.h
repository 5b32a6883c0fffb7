/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The durable record of episodes and incidents; whatever is not in it did not happen.
 *
 * responder/journal is the one room that knows how it is kept, so that everybody else may take a return of 0
 * for "on the disk". It uses responder/world (clocks, where the bytes lie), responder/alert, lib/base,
 * lib/config and lib/metrics; the ways between states it asks of a table that responder/incident fills.
 *
 * SQLite in WAL mode with synchronous=FULL. All writes go through one writer thread, which takes everything
 * that waits into one transaction and tells each caller after the commit: that is the group commit. Reads
 * have a connection of their own. Every function is thread-safe.
 *
 * Each journal_write() adds one row to the timeline, with the SHA-256 of the row before it, and each row of
 * what decides has a seal under a key, so that what somebody else has changed shows (journal_verify()) and is
 * not acted upon: such an incident or episode is `unreadable`, a kill switch of which it is not sure is on.
 *
 * Built with -DRUNBOOK_CRASH_POINTS, the environment's RUNBOOK_CRASH_AT="N:before" or "N:after" kills the
 * process with SIGKILL before or after the N-th journal_write() commit of its life; webhook acceptance does
 * not count. RUNBOOK_CRASH_AT_OPENING does so for the commits of journal_open(), each version that a journal
 * of before is brought further by and what is sealed then, and for key_settle().
 */
#ifndef RESPONDER_JOURNAL_JOURNAL_H
#define RESPONDER_JOURNAL_JOURNAL_H

#include "responder/journal/incident.h"
#include "responder/journal/letters.h"
#include "responder/world/world.h"
#include "runbook/metrics.h"

struct journal;

/* What seals it: whoever has the key can write a journal that nobody tells from this one. */
enum { JOURNAL_KEY_SIZE = 32 };
struct journal_key {
        unsigned char bytes[JOURNAL_KEY_SIZE];
        bool made;     /* just now: a journal that nothing seals is of before there were keys */
        bool as_it_is; /* a person has said to seal what is found, whatever it is */
};

/* Opens or creates, with directories (0700); -ENOKEY, -EKEYREJECTED and -EUCLEAN when it is not sealed, by
 * another key, or not as it was left, unless the key says to take it as it is; -EBUSY when another process
 * has it, be it by another name, -EMLINK and -EXDEV when it has one (a hard link, a mount), -EUCLEAN when
 * damaged. The world is borrowed: its clocks stamp what is written, its VFS holds the bytes. */
int journal_open(const char *path, const struct journal_key *key, const struct world *world,
                 struct journal **ret, struct error *error);

/* Opens what another process may have open, for reading alone: everything that writes gives -EAGAIN.
 * -ENOENT when there is none. Without the key (NULL) journal_verify() finds accidents alone. */
int journal_open_reading(const char *path, const struct journal_key *key, struct journal **ret,
                         struct error *error);
struct journal *journal_close(struct journal *journal); /* commits what waits; takes NULL */

/* Whether what is written would last. */
enum journal_standing {
        JOURNAL_FINE,
        JOURNAL_FULL,     /* no room on the disk: webhooks are refused, entries go into the reserve */
        JOURNAL_UNUSABLE, /* nothing is written; `ret_why` says what is wrong, and what helps */
};

/* Asks where the files are, and remembers how the last commit went; `ret_code` (may be NULL) is the errno of
 * what is not fine. Any thread; never waits for the writer. */
enum journal_standing journal_standing(struct journal *journal, int *ret_code, struct error *ret_why);

bool journal_is_files(const struct journal *journal); /* which somebody could take away */

/* Calls listener(context) after each commit, on the writer thread: it must wait for nothing. NULL: nobody any
 * more, once this returns. There is one. */
void journal_listen(struct journal *journal, void (*listener)(void *context), void *context);

/* Writes what changes nothing, to find out whether it can be written (again). */
int journal_try(struct journal *journal, struct error *error);

/*
 * Steady time: it only passes, over restarts as well, whatever the wall clock does; what guards and expiry
 * measure by. Not to be shown to anybody. Any thread.
 */
nsec journal_steady(const struct journal *journal);

/*
 * Records every alert of a webhook in one durable commit and then calls done(context, result) on the writer
 * thread, which must not block in it. Takes the webhook. Opens an episode for firing labels that have
 * none, or whose firing began after all that the open one set off had ended (its end was not told); refreshes
 * the open one otherwise; closes it for a resolved one (but not for one that ended before the open episode
 * began: that is news of an older one, come late). -EAGAIN at once (done is not called)
 * when more than 4,096 webhooks already wait. What done() is told was true of the files that lie under the
 * journal's name after the commit: of none that were deleted or replaced meanwhile.
 */
int journal_accept(struct journal *journal, struct webhook *take, void (*done)(void *context, int result),
                   void *context);

/* What the alerts of webhooks were to the journal, since it was opened; an alert that opened an episode is
 * what the engine makes of it. Any thread. */
struct journal_heard {
        uint64_t repeated, resolved;
        uint64_t late; /* told to be over, of no open episode, or of one before it */
};
void journal_heard(struct journal *journal, struct journal_heard *ret);

/* In a world of one thread: commits what journal_accept() has taken; whatever waits for its commit does it,
 * too. */
void journal_commit_waiting(struct journal *journal);

/* As if it had been heard of so long ago: what may be late news is asked for, however young it is. */
#define JOURNAL_OLD_NEWS (6 * NSEC_PER_SEC)

/* Open episodes that were not matched yet, at most `limit`: the oldest, and of a crowd the newest, too, for
 * one that comes behind it is not to wait for it. */
struct episode {
        int64_t id;
        nsec opened_at, last_seen_at; /* wall */
        nsec seen_steady;             /* steady, likewise */
        bool open;                    /* nobody has told its end */
        struct alert alert;
        char *unreadable; /* why its alert cannot be read; NULL: it can */
};
struct episode_list {
        struct episode *items;
        size_t count;
};
int journal_unmatched(struct journal *journal, size_t limit, struct episode_list *ret, struct error *error);

/* Open episodes that were last heard of before a steady time: candidates for asking Alertmanager. */
int journal_silent(struct journal *journal, nsec before_steady, size_t limit, struct episode_list *ret,
                   struct error *error);

/* Those of one incident, with the alerts that have joined it: one at least. */
int journal_episodes_of(struct journal *journal, int64_t incident, struct episode_list *ret,
                        struct error *error);
void episode_list_release(struct episode_list *list);

/*
 * Of all incidents that an episode is a part of: when the first was opened (steady), and whether any waits
 * for a person, is held, or has ended otherwise than well, so that the alert is a person's.
 */
int journal_episode_paged(struct journal *journal, int64_t episode, nsec *ret_opened, bool *ret_paged,
                          struct error *error);

/*
 * Open episodes are to be matched again, when they were with something else: `with` is a digest of all that
 * matters, kept with the journal. Nothing is written when it is the same.
 */
int journal_match_anew(struct journal *journal, const char *with, struct error *error);

/*
 * Marks an episode as matched and opens an incident (state received) for each named remediation that it has
 * none of yet, in one commit. `count` may be 0. Steps are recorded as waiting. Where there is an incident of
 * the same cause, of which some alert fires, and which has not ended or is in a person's hands (escalated,
 * expired, denied, cancelled), no other is opened: the episode joins that one.
 *
 * One that has come to nothing (it was planned in a dry run, or failed before anything was run) and was
 * matched with something else stands in nobody's way: it is given an episode of its own, which is closed, and
 * another one is opened. For a remediation that is new to an episode in which something has run, none is.
 */
struct journal_opening {
        const char *remediation;
        const char *const *actions; /* names of the steps' actions */
        size_t action_count;
        const char *cause; /* of those with the same one there is one at a time; NULL: it has none */
        bool reads_only;   /* it changes nothing: neither a breaker nor a storm counts it */
        const char *with;  /* names what it was matched with; NULL: nothing is known of that */
};
int journal_open_incidents(struct journal *journal, int64_t episode, const struct journal_opening *openings,
                           size_t count, struct error *error);

/* Marks episodes that no remediation is for as matched, all in one commit: a storm of them must not keep the
 * one that matters waiting. */
int journal_pass_over(struct journal *journal, const int64_t *episodes, size_t count, struct error *error);

/*
 * Runs `write` on the writer thread, where what it writes by the functions above and below goes into one
 * commit: thousands of them are written in the time of a few. It must wait for nothing. What it has written
 * before it failed is kept.
 */
int journal_together(struct journal *journal, int (*write)(void *context, struct error *error), void *context,
                     struct error *error);

/* Episodes that were passed over and that nobody was told of yet, oldest first, at most `limit`; and that
 * somebody was. What has ended meanwhile, or was opened before there was this, is none of them. */
int journal_unanswered(struct journal *journal, size_t limit, struct episode_list *ret, struct error *error);
int journal_answer(struct journal *journal, const struct episode_list *told, const char *receiver,
                   struct error *error);

/* How many open episodes there are that no remediation is for, and of how many calls it was not heard yet. */
struct journal_people {
        size_t unmatched, owed;
};
int journal_count_people(struct journal *journal, struct journal_people *ret, struct error *error);

/* Of the other incidents of a remediation that a guard holds back and of which nobody was told yet: how many
 * there are, and the youngest (0: there are none). */
int journal_held_with(struct journal *journal, const struct incident *incident, int64_t *ret_count,
                      int64_t *ret_youngest, struct error *error);

/* Closes an episode that Alertmanager no longer has, as if it had been resolved. */
int journal_close_episode(struct journal *journal, int64_t episode, const char *actor, struct error *error);

/* What a person says of whose hands an incident is in. */
enum hands {
        HANDS_UNCHANGED,
        HANDS_SEEN,  /* the actor is at it: for a time nothing is done about it, nor under its lock */
        HANDS_TAKEN, /* and until it is given back */
        HANDS_FREED, /* nobody is, and whoever was seen until now keeps nothing from being done about it */
};

/* What an entry says of the chain of those who are called one after the other. */
enum climb {
        CLIMB_UNCHANGED,
        CLIMB_BEGINS,  /* now */
        CLIMB_GOES_ON, /* unless it has ended meanwhile */
        CLIMB_ENDS,    /* all were told, or nobody needs to be any more */
        CLIMB_FORGET,  /* likewise, and what comes next is another matter: the chain is gone */
};

/* One event: one row of the timeline, and what changes with it, in one durable commit. */
struct journal_entry {
        int64_t incident;           /* 0: the daemon itself (pause, resume) */
        const char *actor;          /* "alert", "engine", "person", … */
        const char *event;          /* a few words: "running", "step started", "approved" */
        enum incident_state expect; /* -ESTALE, and nothing written, when the state is another */
        enum incident_state state;  /* the new one, or INCIDENT_UNCHANGED */
        const char *guard;          /* with INCIDENT_HELD */
        nsec guard_until;
        const char *owes;             /* OWES_…; "" (NULL likewise): nothing with a new state, without one
                                         what it was */
        const char *told;             /* a person was told: what was owed; NULL: nobody was */
        const char *told_of;          /* with `told`: the guard of it, or "" */
        int64_t told_until;           /* with a guard: so was everybody of the same remediation whom it holds
                                         back, up to this incident; 0: nobody else */
        const char *lock;             /* to record the bound lock; NULL: unchanged */
        const cJSON *asked;           /* of what a person is asked, or who has agreed; NULL: unchanged */
        const char *expect_asked;     /* -ESTALE as well when that is another by now; NULL: any */
        size_t step;                  /* 0: no step is concerned */
        enum step_status step_status; /* STEP_WAITING: unchanged */
        bool settled;                 /* of the step */
        bool approve, request_cancel, request_undo, clear_requests;
        enum hands hands; /* the actor's; of an entry that changes no state */
        enum climb climb;
        const cJSON *chain;                  /* with it: who was told by now; NULL: unchanged */
        bool request_resend;                 /* of all that was not delivered */
        const struct journal_letter *letter; /* of the step, or (0) the call: it was not delivered; NULL:
                                                nothing is known of that */
        bool delivered;                      /* it was; a new state, and `told`, say so of the call as well */
        bool unless_paused;      /* -ECANCELED, and nothing written, while the kill switch is on, or a
                                    maintenance holds */
        bool unless_hands;       /* likewise, while a person's are on it, or on another one under its lock: */
        nsec hands_after;        /* steady: as of journal_find_hands() */
        nsec valid_until;        /* likewise after this (monotonic), however long it was tried: what was
                                    decided is too old; 0: at any time */
        bool ask_only;           /* nothing is written: whether it might be, as of this moment */
        const cJSON *definition; /* of what it runs, which `detail` has as "definition"; NULL: unchanged. An
                                    approval was of what was to be run then: by another it is gone */
        const cJSON *detail; /* plan (STEP_STARTED), progress, outcome (DONE, FAILED, INTERRUPTED, SKIPPED);
                                of an undo or anything else it stands in the timeline only; may be NULL */
};
/* -EPROTO: there is no such way from the state that it is in (responder/journal/transition.h). */
int journal_write(struct journal *journal, const struct journal_entry *entry, struct error *error);

/*
 * One that cannot be read does not keep the others from being read: wherever incidents or episodes are given,
 * it is among them, as `unreadable`.
 *
 * Incidents the engine still has something to do with: not ended (final, or marked as `ended`), or with a
 * request pending, or ended with a step that was begun and is neither settled nor undone, or healed or done
 * while the alert fires. With alert and steps. Oldest first. `list` holds what the last call gave, or
 * nothing: then only those are read that were written to since, or are `stale`; of the others alert.starts_at
 * and heard_steady may be older. Empty after a failure.
 */
int journal_active(struct journal *journal, struct incident_list *list, struct error *error);

/* For the guards. Steady time of the end of the last run under this lock, of whatever remediation, also
 * when nobody could be told of its failure yet, or it asks a person midway; 0 when never. Dry runs do not
 * count. */
int journal_last_run(struct journal *journal, const char *lock, nsec *ret_ended, struct error *error);
/* The same of all but one incident. */
int journal_last_run_beside(struct journal *journal, const char *lock, int64_t incident, nsec *ret_ended,
                            struct error *error);

/* Steady time at which the nth last run under this lock began, counted from 1, of those that began after
 * `after`; 0: there were fewer. `remediation` NULL: of whatever remediation that changes something. Dry runs
 * do not count. */
int journal_nth_run(struct journal *journal, const char *remediation, const char *lock, int64_t nth,
                    nsec after, nsec *ret_began, struct error *error);

/* The same of all that changes something, under whatever lock, but for one incident (0: for none). */
struct journal_runs {
        nsec after;
        int64_t beside;
};
int journal_nth_begun(struct journal *journal, const struct journal_runs *runs, int64_t nth, nsec *ret_began,
                      struct error *error);

/* Whose hands are on something. */
struct journal_hands {
        char *number, *by; /* of which incident; the actor */
        bool taken;        /* until it is given back; else he was seen at it, and no more */
        nsec since;        /* steady */
};
void journal_hands_release(struct journal_hands *hands);

/*
 * Who has taken this incident, or one under its lock (NULL: that does not matter) that has not ended, or was
 * seen at one after `seen_after`; 1, or 0: nobody. What was said up to `freed` does not count. All times are
 * steady.
 */
int journal_find_hands(struct journal *journal, int64_t incident, const char *lock, nsec seen_after,
                       nsec freed, struct journal_hands *ret, struct error *error);

/* When steps of a kind ("docker.") were under way or undone, of those that were so after a wall time; one
 * that is goes on until now. At most `limit`, the newest first. */
int journal_own_times(struct journal *journal, const char *kind, nsec after, size_t limit,
                      struct own_time *ret, size_t *ret_count, struct error *error);

/* The locks, `limit` of them at most, under which a run that changes something has begun after a steady time;
 * each of `ret` is to be freed. */
int journal_locks_since(struct journal *journal, nsec after, size_t limit, char **ret, size_t *ret_count,
                        struct error *error);

/* For the API: newest first; `before_id` 0 for the first page; `state` INCIDENT_UNCHANGED for all. */
int journal_list(struct journal *journal, enum incident_state state, int64_t before_id, size_t limit,
                 struct incident_list *ret, struct error *error);
/* Likewise those that have not ended. */
int journal_list_open(struct journal *journal, int64_t before_id, size_t limit, struct incident_list *ret,
                      struct error *error);
int journal_find(struct journal *journal, const char *number, struct incident *ret,
                 struct error *error); /* -ENOENT */

/* For the pages, newest first, at most `limit`: what has ended; what has in a person's hands while its alert
 * still fires. */
int journal_list_ended(struct journal *journal, size_t limit, struct incident_list *ret, struct error *error);
int journal_list_left(struct journal *journal, size_t limit, struct incident_list *ret, struct error *error);

/* What is looked for among all incidents. */
struct journal_search {
        enum incident_state state; /* INCIDENT_UNCHANGED: any */
        const char *remediation,
                *text;     /* NULL: any; the text stands in the alert, the number or an outcome */
        nsec since, until; /* wall, of the opening; 0: always */
        int64_t before_id; /* 0: the first page */
        size_t limit;
};
int journal_search(struct journal *journal, const struct journal_search *search, struct incident_list *ret,
                   struct error *error);

/* The next incident behind `id` (0: the first), of those opened within these wall times (0: always). 1 with
 * its id and number, which is to be freed, or 0. */
int journal_next_opened(struct journal *journal, int64_t id, nsec since, nsec until, int64_t *ret_id,
                        char **ret_number, struct error *error);

/* Who has brought an incident into its state, and why: "" for no reason; free() both. */
int journal_entered_by(struct journal *journal, const struct incident *incident, char **ret_actor,
                       char **ret_reason, struct error *error);

/* Episodes that no remediation was for, which were heard of since a wall time, newest first. */
int journal_passed_over(struct journal *journal, nsec since, size_t limit, struct episode_list *ret,
                        struct error *error);

/* When (wall) somebody told that the alert of an episode was over; 0: nobody has, or it is not known. */
int journal_alert_ended(struct journal *journal, int64_t episode, nsec *ret, struct error *error);

/* Calls each(context, alert, opened_at, closed_at) for every episode that was opened since a wall time,
 * oldest first; `closed_at` 0: it is open. Until one of them fails. One whose alert cannot be read is passed
 * over. */
int journal_episodes(struct journal *journal, nsec since,
                     int (*each)(void *context, const struct alert *alert, nsec opened_at, nsec closed_at,
                                 struct error *error),
                     void *context, struct error *error);

/* Calls `each` for the `count` incidents that were opened last, newest first. The strings are borrowed. */
struct journal_run {
        const char *remediation, *number;
        enum incident_state state;
        nsec opened_at, running_at, ended_at; /* wall; 0: not yet */
};
int journal_runs(struct journal *journal, size_t count,
                 void (*each)(void *context, const struct journal_run *run), void *context,
                 struct error *error);

/* The alerts that have joined an incident, the first `limit` of them, as a JSON array of {alert, firing,
 * joined_at}. */
int journal_members(struct journal *journal, int64_t incident, size_t limit, cJSON **ret,
                    struct error *error);

/* How many there are in each state that have not ended; under INCIDENT_UNCHANGED those in none that there is.
 */
int journal_count_open(struct journal *journal, size_t ret[INCIDENT_STATE_COUNT], struct error *error);

/* How many each guard holds, and until when the last of these (wall; 0: until something changes): fills in
 * what is held by the `guard` that the caller has set, of each of `count`. */
struct held_count {
        const char *guard;
        size_t incidents;
        nsec until;
};
int journal_count_held(struct journal *journal, struct held_count *ret, size_t count, struct error *error);

/* Who the person is that an actor of the timeline is; NULL: it is a machine, or nobody. */
const char *actor_person(const char *actor);

/*
 * By what a person is told from another: what he has shown, and not what he calls himself. "ada" of "ada
 * (password)", of "certificate ada" and of "uid 1000 (ada)"; "token operator" of "ada (token operator)",
 * whoever shows that; free() it. NULL: out of memory.
 */
char *actor_identity(const char *actor);

/* The timeline of one incident (0: the daemon's own) as a JSON array of {at, actor, event, state, step,
 * detail, hash}. */
int journal_timeline(struct journal *journal, int64_t incident, cJSON **ret, struct error *error);

/* The last detail in the timeline of an incident that has this member; NULL: there is none. */
int journal_last_detail(struct journal *journal, int64_t incident, const char *member, cJSON **ret,
                        struct error *error);

/* The last reason that the timeline of an incident gives, "" when it gives none; free() it. */
int journal_last_reason(struct journal *journal, int64_t incident, char **ret, struct error *error);

/* The kill switch, kept over restarts. Setting it is an entry of the timeline. */
int journal_set_paused(struct journal *journal, bool paused, const char *actor, const char *reason,
                       struct error *error);
int journal_paused(struct journal *journal, bool *ret, nsec *ret_since, struct error *error);

/*
 * A maintenance: while it holds nothing is begun, as while it is paused. `state` is what is known of it, for
 * who reads it, and stays after its end until somebody has tidied up. An entry of the timeline each time.
 */
struct journal_maintenance {
        bool holds;
        const cJSON *state; /* NULL: nothing is to be known of it any more */
        const char *expect; /* -ESTALE when the state is another by now; NULL: any */
        const char *actor, *event;
        const cJSON *detail; /* may be NULL */
};
int journal_set_maintenance(struct journal *journal, const struct journal_maintenance *maintenance,
                            struct error *error);
/* `ret_state`: its text, "" when there is none; free() it. One that somebody else has written holds. */
int journal_maintenance(struct journal *journal, bool *ret_holds, char **ret_state, struct error *error);

/* Who pulled the kill switch at that time, and why; "" when that is not told. free() both. */
int journal_paused_by(struct journal *journal, nsec since, char **ret_actor, char **ret_reason,
                      struct error *error);

/*
 * Walks the chain of hashes: -EUCLEAN names the first row that does not fit, tells of rows that are missing
 * at the end, or names an incident whose state is not what the timeline says last, or whose definition the
 * timeline does not have. Then every seal, and that no row is missing, too many, or as it was before. What
 * cannot be found is that all of it was put back as it was at one moment before: see journal_check_head().
 */
int journal_verify(struct journal *journal, uint64_t *ret_rows, struct error *error);

/* 1: sealed, 0: by a version that did not. */
int journal_is_sealed(struct journal *journal, struct error *error);

/*
 * What a witness outside writes down: how many rows the timeline has, and 52 bits of the hash of the last.
 * Checking is -EUCLEAN when that row is not there or is another, -ENODATA when it was pruned. Any thread.
 */
struct journal_head {
        int64_t rows;
        uint64_t digest;
};
int journal_head(struct journal *journal, struct journal_head *ret, struct error *error);
int journal_check_head(struct journal *journal, const struct journal_head *head, struct error *error);

/* What is to go, and what stays whatever its size: steady times of an end. */
struct journal_retention {
        nsec before;  /* what ended before it goes */
        nsec kept;    /* what ended after it stays; the guards count by it */
        int64_t size; /* what is over it, in bytes, lets go of the oldest beyond `kept`; 0: no limit */
};

/*
 * Drops a few incidents that have ended, with a closed episode and nothing left to be undone, and a few
 * closed episodes without any; the chain of hashes goes on over them. `ret_more`: another batch may find
 * more.
 */
int journal_prune(struct journal *journal, const struct journal_retention *retention, bool *ret_more,
                  struct error *error);

/*
 * Copies a journal that anybody may have open to `to`, which must not be there (-EEXIST): one file, 0600,
 * verified, synced, and as the journal was at one moment. Nothing is left of it after a failure. `key` may
 * be NULL, as of journal_open_reading().
 */
int journal_backup(const char *from, const struct journal_key *key, const char *to, uint64_t *ret_rows,
                   struct error *error);

/* runbook_journal_*: commits, their duration, entries per commit, size of the database, how it stands. */
void journal_metrics(struct journal *journal, struct sample_sink *sink);
extern const struct metric_family *const journal_families[]; /* closed by NULL */

#endif
