/* SPDX-License-Identifier: Apache-2.0 */
/* What an incident is: its states and those of its steps, as the journal keeps them and the pages show them.
 */
#ifndef RESPONDER_JOURNAL_INCIDENT_H
#define RESPONDER_JOURNAL_INCIDENT_H

#include "responder/alert/alert.h"

enum incident_state {
        INCIDENT_UNCHANGED, /* in a journal entry: leaves the state as it is; in `expect`: any */
        INCIDENT_RECEIVED,
        INCIDENT_HELD,
        INCIDENT_AWAITING_APPROVAL,
        INCIDENT_RUNNING,
        INCIDENT_VERIFYING,
        INCIDENT_FAILED,     /* a step failed; final only where nobody is to be called */
        INCIDENT_NOT_HEALED, /* the verification never held; likewise */
        INCIDENT_UNVERIFIED, /* whether it holds could not be found out; likewise */
        INCIDENT_HEALED,     /* its verification held; from here on final */
        INCIDENT_DONE,       /* all steps are done, and nothing says whether it helped */
        INCIDENT_ESCALATED,
        INCIDENT_EXPIRED,
        INCIDENT_DENIED,
        INCIDENT_CANCELLED,
        INCIDENT_PLANNED, /* --dry-run: all plans were made, nothing was run */
        INCIDENT_STATE_COUNT,
};

/* A person is to be called, where there is somebody to call. */
static inline bool incident_is_lost(enum incident_state state)
{
        return state == INCIDENT_FAILED || state == INCIDENT_NOT_HEALED || state == INCIDENT_UNVERIFIED;
}

/* It has ended, and what its alert is about is with a person, or with nobody. */
static inline bool incident_was_given_up(enum incident_state state)
{
        return incident_is_lost(state) || state == INCIDENT_ESCALATED || state == INCIDENT_EXPIRED;
}

/* It has ended, and nothing is known against it: only its alert, when it goes on, can say otherwise. */
static inline bool incident_went_well(enum incident_state state)
{
        return state == INCIDENT_HEALED || state == INCIDENT_DONE;
}

/* "received", "awaiting_approval", …; and back (-EINVAL). */
const char *incident_state_name(enum incident_state state);
int incident_state_parse(const char *name, enum incident_state *ret);

enum step_status {
        STEP_WAITING,  /* not begun */
        STEP_STARTED,  /* its plan is journaled, run() may have begun */
        STEP_PROGRESS, /* in a journal entry only: detail is the progress */
        STEP_DONE,
        STEP_FAILED,
        STEP_INTERRUPTED, /* a crash came between, and what it did cannot be told */
        STEP_SKIPPED,
        STEP_UNDOING,
        STEP_UNDONE,
        STEP_UNDO_FAILED,
        STEP_STATUS_COUNT,
};

const char *step_status_name(enum step_status status);
int step_status_parse(const char *name, enum step_status *ret);

struct step_record {
        size_t position; /* from 1 */
        char *action;
        enum step_status status;
        cJSON *plan, *progress, *outcome; /* NULL when there is none yet */
        nsec started_at, finished_at;     /* wall; 0 when not yet */
        bool settled;                     /* what it kept for its undo was let go */
};

struct incident {
        int64_t id;
        char *number; /* "INC-2026-0001": the year it was opened in, counted from 1 in each year */
        int64_t episode;
        bool episode_open;
        char *remediation;
        char *lock; /* bound; "" until it was */
        enum incident_state state;
        char *guard;      /* why it is held: "cooldown", "silenced", …; "" otherwise */
        nsec guard_until; /* wall; 0: not known */
        char *owes;       /* what a person is still to be told: OWES_…; "": nothing */
        char *told;       /* the guards that a person was told of, each with a blank behind it */
        bool approved, cancel_requested, undo_requested;
        bool undelivered;      /* nobody has received some message of it: journal_letters() */
        bool resend_requested; /* and a person wants that tried again */
        nsec opened_at, running_at, ended_at, updated_at; /* wall; 0 when not yet */
        nsec opened_steady, entered_steady;               /* steady: it was opened, it came to its state */
        nsec waiting_steady;  /* steady: since when it waits, but for the time that its alert was silenced */
        nsec heard_steady;    /* steady: somebody last said that its alert fires; may be older (see
                                 journal_active()) */
        char *hands;          /* the actor who is at it, or has taken it; "": nobody */
        bool taken;           /* and keeps it until it is given back */
        nsec hands_steady;    /* steady: since when */
        nsec freed_steady;    /* steady: a person last said that it may go on, whoever was at it; 0: never */
        char *chain;          /* JSON of who is called after whom, and who was told when; "": nobody is */
        nsec climbing_steady; /* steady: since when, while some of them are not told; 0: all are, or it is
                                 over */
        struct alert alert;   /* as it was then; starts_at as known now */
        char *definition;     /* JSON of what it runs, or of what approval was asked for; NULL: not known */
        char *asked;          /* JSON of what a person was asked about, and who has agreed; "": nobody was */
        struct step_record *steps;
        size_t step_count;
        char *unreadable; /* why it cannot be read: then id and number are all that is sure; NULL: it can */

        /* For journal_active(), by whoever has its list. */
        bool stale;        /* some of it is no longer as it was read: it is to be read again */
        bool brief;        /* without alert and steps: somebody else has these now */
        bool weighed;      /* `still_firing` was looked up in its definition */
        nsec still_firing; /* -1: that does not say */
        nsec climbs_at;    /* steady: before then nobody else is to be called; 0: not looked up */
        bool paired;       /* it was looked up whether an alert of it has twins */
        bool twinned;      /* one has */
};

/* Its state's name, or "unreadable". */
const char *incident_state_text(const struct incident *incident);

/* What may be owed to a person while an incident waits, or after its end. */
#define OWES_APPROVAL "approval" /* that it is awaited */
#define OWES_HELD "held"         /* that a guard holds it back, for long */
#define OWES_END "end"           /* the end, which needs nobody */
#define OWES_TAKEN "taken"       /* that somebody has acknowledged it */
#define OWES_OVER "over"         /* that its alert has ended: once that is so */

/* Whether a person was told that this guard holds it back. */
bool incident_was_told_of(const struct incident *incident, const char *guard);

/* Whether one after the other is called: its alert fires, and nobody has said since that he is at it. */
bool incident_climbs(const struct incident *incident);

void incident_release(struct incident *incident);

struct incident_list {
        struct incident *items;
        size_t count;
        uint64_t reading; /* of journal_active(): which one this is */
};
void incident_list_release(struct incident_list *list);

#endif
