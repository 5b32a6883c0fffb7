/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change of a container under way: going forward (recreate.c) and going back (roll_back.c) share its
 * state, how it is written down, and what is kept for the way back (kept.c).
 */
#ifndef LIB_DOCKER_TRANSACTION_H
#define LIB_DOCKER_TRANSACTION_H

#include "lib/docker/internal.h"

struct transaction {
        struct docker *docker;
        struct deadline deadline;
        docker_progress progress; /* may be NULL */
        void *context;
        cJSON *state; /* owned; what was written down last */
};

/* A member of the state; NULL when it has none. */
const char *transaction_string(const struct transaction *t, const char *key);
bool transaction_is_in(const struct transaction *t, const char *phase);

/* Writes down which change comes next; the state in memory stays as it was when that fails. */
int transaction_enter(struct transaction *t, const char *phase, struct error *error);

/* Everything that stands in the way of recreating a container now; see docker_recreate_check(). */
int docker_recreate_check_all(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                              struct error *error);

/* From any phase to "returned", or to "left" when somebody else has taken the container's place; tried again
 * until the deadline while the Engine is away. */
int transaction_roll_back(struct transaction *t, struct error *error);

/* What has to be asked of the Engine and worked out before a container can be made again. */
struct docker_recipe {
        cJSON *body, *connect; /* see docker_copy() */
        cJSON *paths;          /* of files that are carried over from what it is a copy of */
};
void docker_recipe_release(struct docker_recipe *recipe);
#define _cleanup_recipe_ _cleanup_(docker_recipe_release)

/*
 * kept.c: the container that is kept for the way back. It is never started, and wears none of the labels of
 * the one that it stands for: they are put aside under a prefix of our own, so that no tool takes it for its
 * own.
 */
int kept_make(struct transaction *t, const cJSON *old, const char *image, int api_minor, const cJSON *paths,
              struct error *error);
int kept_recipe(struct transaction *t, const cJSON *kept, struct docker_recipe *ret, struct error *error);

/* Whoever has started it has something in mind with it: then it stays, and it is -EBUSY. */
int kept_remove(struct transaction *t, struct error *error);

/* The label that tells which change made a container, "" when none did; and giving it to one that is made. */
const char *docker_changed_by(const cJSON *container);
int docker_mark_changed(cJSON *body, const char *tag, struct error *error);

int docker_inspect_image(struct docker *docker, const char *image, struct deadline deadline, cJSON **ret,
                         struct error *error);

/* The image by its tag while that still means the same one, else by its id; it has to be there either way. */
int docker_choose_image(struct docker *docker, const cJSON *inspected, struct deadline deadline, char **ret,
                        struct error *error);

/* Makes a container of that name, connected to its networks, with files of `from`. `ret_id` is set as soon as
 * there is one, also when what follows fails. */
int transaction_make(struct transaction *t, const char *name, const struct docker_recipe *recipe,
                     const char *from, char **ret_id, struct error *error);

/* before_kept.c: states of versions that kept the old container itself; known by their "backup". */
bool docker_before_is(const cJSON *state);
int docker_before_roll_back(struct docker *docker, const cJSON *state, struct deadline deadline,
                            struct error *error);
int docker_before_settle(struct docker *docker, const cJSON *state, struct deadline deadline,
                         struct error *error);

/* Waits out a stop of an earlier process that may be under way, by asking for the same once more. */
int docker_end_stop(struct docker *docker, const cJSON *state, const cJSON *old, struct deadline deadline,
                    struct error *error);

#endif
