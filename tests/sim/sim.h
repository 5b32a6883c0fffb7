/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A responder in a world of its own: the real engine, guards, incidents and journal, and a model of all else,
 * from one seed, in one thread.
 *
 * Time is a queue of events. Work that waits for something is a task with a stack of its own (task.c), so
 * that eight remediations are really under way at once, at any of their waits something else may happen, and
 * a death of the process finds them all somewhere. When the process is dead its tasks run on as ghosts until
 * they have noticed: nothing they do reaches the disk or the model.
 *
 * claims.c says what must hold, whatever happens; what does not is told by sim_fail(), which ends the run
 * with its seed.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "responder/engine/engine.h"
#include "tests/sim/disk.h"
#include "tests/sim/rng.h"

enum {
        SERVICES = 4,
        KEYS = 3,
        SOURCES = 3 * SERVICES + KEYS, /* of alerts: three kinds of each service, one of each key */
        ALERTMANAGERS = 3,
        INCIDENTS_MOST = 4096, /* in one world */
};

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define JOURNAL_PATH "/journal.db"

struct sim;
typedef void event_function(struct sim *sim, int64_t argument);

struct event {
        nsec at;
        uint64_t order; /* of those at the same time: by chance */
        event_function *happen;
        int64_t argument;
};

/* One source of alerts: a label set that may be ill. */
struct source {
        char alertname[16], subject[8]; /* service or key */
        const char *severity;           /* NULL: its alert says none */
        bool twinned;                   /* its alert is the twin for who acts */
        nsec leased[ALERTMANAGERS];     /* true time: until then each holds its page back */
        uint64_t leased_in;             /* life of the process that did */
        nsec fine;                      /* true time: a look last found that its page may wait */
        nsec granted;                   /* likewise: it began to be held back */
        nsec bad_since, fine_since; /* true time: since then each look found that it may not, that it has to;
                                       0: not so */
        char name[32];              /* "alertname/subject" */
        char key[DIGEST_TEXT_MAX];  /* alert_key() of its labels: what the journal knows it by */
        bool ill;
        nsec since, until;            /* true time: it began, it ended last */
        bool silenced;                /* its end is never told */
        uint64_t generation;          /* rises with each begin and end */
        uint64_t told[ALERTMANAGERS]; /* the generation that each has a 200 for */
        bool hushed;                  /* an operator has silenced it */
        nsec hushed_since, heard;     /* true time: since then; it was last accepted as firing */
};

struct service {
        int64_t started;  /* how often */
        int64_t level;    /* reversible: 0 as it was */
        int64_t level_by; /* who changed it last: incident × 16 + step; 0: nobody */
};

/* The step that was tried last, in one life of the process. */
struct trying {
        size_t step;   /* from 1; 0: none */
        uint64_t life; /* of the process */
        unsigned tries;
        nsec since;               /* true time: of the first try */
        nsec began, ended, spent; /* monotonic: the last try; what is counted of its time until `ended` */
};

/* What the model knows of an incident, which is what was really done for it. */
struct done_for {
        bool ours;                            /* the level, when its undo began */
        bool acted, acting, approved, called; /* called: a person has heard that it failed */
        nsec began, ended;                    /* steady: it became running, its last act was over */
        uint8_t effects[16];                  /* by step: how often it had its effect */
        uint8_t tries[16];                    /* by step: how often it was tried to no effect */
        int64_t level_before[16];             /* what its reversible step found */
        bool seen;            /* when it was last looked for, somebody was at it of whom nothing was said */
        uint64_t planned[16]; /* by step: the digest of the last plan that was made for it, and of its
                                 arguments */
        uint64_t definition;  /* the digest of what the journal had of it when it first acted */
        uint64_t approved_as; /* likewise, when a person approved it */
        char *question;       /* what the timeline had of that question; owned; NULL: nobody was asked */
        uint64_t asked_as;    /* which question `agreed` are of */
        unsigned agreed;      /* by a bit for each person: may have agreed to it */
        int64_t remediation;  /* see remediation_at() */
        int64_t heard;        /* how often a person has heard something of it that ended nothing */
        struct trying trying;
        nsec owed_since; /* true time: it waits for long, or for a person, and nobody was told; 0: not so */
        int64_t episode;
        char lock[32];
};

/* An episode as the model has it: what was acknowledged must be in the journal. */
struct shadow {
        bool open, uncertain; /* uncertain: something was sent, and no 200 came back */
        nsec starts_at;
        uint64_t heard; /* how often it was acknowledged */
};

/* What the verifications of a source were told since the last step for it. */
struct witness {
        nsec acted, last; /* true time: that step began; the last answer */
        nsec acted_steady;
        bool known, holds;
        uint64_t life, stops; /* of the process, when it was told: between two of them nobody looked */
        nsec seen;            /* between answers, one after the other */
};

struct sim {
        struct rng rng;
        uint64_t seed;
        nsec now;         /* true time */
        nsec wall_offset; /* of the responder's wall clock, which may jump */
        nsec booted;      /* the monotonic clock began */
        char boot[16];
        bool dry_run;                /* nothing is acted */
        bool leaves_dry_run, looked; /* at some start; since then at everything, once */

        struct event *events;
        size_t event_count, event_space;

        struct disk *disk;
        struct disk_copy *old; /* as it was at some moment before; NULL: none is kept */
        struct world world;
        struct remediation_set *const *sets; /* the versions of remediations.yml; borrowed */
        size_t set_count;
        struct remediation_set *set; /* the one that the daemon has read */
        struct meters *meters;
        struct journal *journal;
        struct engine *engine; /* NULL while the daemon is down */
        nsec engine_due;
        nsec steady_offset;  /* of steady time to true time; 0: not known yet, in this boot */
        nsec steady_written; /* as the journal had it when it was last looked at */
        bool dead, ending;   /* ending: the world comes to rest */
        bool stopping;       /* SIGTERM came: the engine looks no more */
        nsec stopped_until;  /* SIGSTOP, or a machine that sleeps: until then nothing of it goes on */

        struct source sources[SOURCES];
        struct service services[SERVICES];
        bool revoked[KEYS];
        int64_t cache_rows;
        nsec engine_back; /* true time: until then whoever acts finds nobody */
        nsec fresh_at;    /* when Prometheus told last that its data are young */
        bool disk_full, prometheus_down, prometheus_silent, people_deaf, alertmanagers_down;
        nsec calm_since; /* true time: the daemon runs, can write, and people hear; INT64_MAX: not now */
        nsec prometheus_changed;   /* true time: it died, or came back */
        nsec alertmanager_started; /* the one that is asked: it has forgotten everything */
        nsec clear_since;          /* no trouble, no start and no silence since then */
        nsec looked_at;            /* true time: of the last whole look */
        int64_t stale;             /* an incident that is shown as held, and is not; 0: none */
        nsec stale_since;          /* true time */
        int64_t last_event;        /* of the timeline, that claims have seen */
        int64_t last_failure;      /* likewise */
        bool paused;               /* a person has a 200 for it */
        int our_silences;          /* that Alertmanager has of a maintenance */
        uint64_t pauses;

        struct done_for *done; /* by incident, from 1 */
        struct shadow shadows[SOURCES];
        struct witness witnesses[SOURCES];
        uint64_t edits;    /* of the file */
        uint64_t tampered; /* how often somebody has got at the file */
        uint64_t incidents, acts, kills, restarts, reboots, jumps, stops, lost_calls;
        uint64_t steps, steps_this_minute; /* of the world */
        nsec minute_began;
        uint64_t digest; /* of all that happened */
        bool failed;
        char failure[512];
};

/* How much happens in one world, before it comes to rest. */
struct sim_size {
        uint64_t incidents;
        struct remediation_set *const *sets;
        size_t set_count;
};

/* Runs one world from its seed; false when a claim did not hold, which `failure` names. */
bool sim_run(struct sim *sim, uint64_t seed, const struct sim_size *size);

/* sim.c */
nsec sim_wall(const struct sim *sim);
nsec sim_monotonic(const struct sim *sim);
/* As the responder can know it: within a boot of the machine it is as true as true time; over a boot it goes
 * by what the wall clock says, and what is claimed of cooldowns and limits is no more than that. */
nsec sim_steady(const struct sim *sim);
uint64_t sim_digest(uint64_t digest, const char *text);
void sim_at(struct sim *sim, nsec when, event_function *happen, int64_t argument);
void sim_after(struct sim *sim, nsec low, nsec high, event_function *happen, int64_t argument);
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_wake(struct sim *sim);    /* the engine is to look */
void sim_trouble(struct sim *sim); /* from now on nothing is clear */
/* troubles.c: one after the other, from now on; and all of them over. */
void troubles_begin(struct sim *sim, int64_t argument);
void troubles_end(struct sim *sim);
void sim_note(struct sim *sim, const char *what, int64_t number); /* into the digest; printed by --trace */
void sim_die(struct sim *sim);                                    /* the process is killed, here and now */
bool sim_is_dead(const struct sim *sim);                          /* whoever acts now is a ghost */
extern bool sim_trace;
extern const struct journal_key sim_key;

/* task.c: work with a stack of its own, and waiting within it. */
int task_start(struct sim *sim, enum world_pool pool, const char *whose, void (*work)(void *argument),
               void *argument);
bool task_is_inside(void);
void task_wait(struct sim *sim, nsec duration); /* nothing outside of a task, and for ghosts */
size_t tasks_under_way(void);
void tasks_drain(struct sim *sim); /* of a dead process, or one that ends: until all have returned */
void tasks_drop(void);             /* those that did not begin */
void tasks_free(void);

/* reality.c: the world as the responder sees it. */
void reality_fill(struct sim *sim);

/* model.c: services, keys and rows, what actions do to them, and who is ill. */
void model_begin(struct sim *sim);
void model_end(struct sim *sim); /* everybody gets well */
bool model_is_ill(const struct sim *sim, const char *promql);
cJSON *model_firing(const struct sim *sim); /* of all sources, as ALERTS has them */
int64_t model_level(const struct sim *sim,
                    const struct step_run *run); /* of the service that the step is about */
int64_t model_argument(const void *config);      /* the level that a step was given */
bool model_level_is_ours(const struct sim *sim, const struct step_run *run, int64_t incident);
int64_t source_find(const struct sim *sim, const char *key); /* negative: none */

/* neighbours.c: Alertmanagers that duplicate and reorder. */
void neighbours_begin(struct sim *sim);
void neighbours_prometheus(struct sim *sim, bool down);                 /* it has died, or is back */
void neighbours_alerts(struct sim *sim, struct alertmanager_view *ret); /* what the one knows that is asked */
void neighbours_tell(struct sim *sim, int64_t source);                  /* it began, or ended */

/* model.c: as Prometheus has it, what is ill began to be so only now. */
void model_begins_anew(struct sim *sim, int64_t source);

/* people.c */
void people_begin(struct sim *sim);
void people_hear(struct sim *sim, int64_t incident, const char *text);
void people_miss(struct sim *sim, int64_t incident); /* what was to be told of it they have not received */
void people_decide(struct sim *sim, int64_t incident, enum decision decision);
void people_see_waiting(struct sim *sim); /* somebody may pause what waits for the Engine */

/* hands.c */
void hands_begin(struct sim *sim);
/* As an action's people(), of all services: in some worlds, at some hours. */
int hands_look(struct sim *sim, const struct action *action, const struct step_run *run,
               const struct people_asked *asked, struct sighting *ret, struct error *error);
void hands_plan(struct sim *sim, int64_t incident); /* somebody may take it while it is being planned */

#endif
