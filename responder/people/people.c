/* SPDX-License-Identifier: Apache-2.0 */
/* By which signs a person is seen, and what they mean for one incident. */
#include "responder/people/people.h"

#include <stdio.h>

#include "responder/world/world.h"
#include "runbook/assert.h"

enum { SIGN_TAKEN, SIGN_ACKNOWLEDGED, SIGN_SILENCE, SIGN_DOCKER, SIGN_POSTGRES, SIGN_REDIS };

const struct people_sign people_signs[] = {
        [SIGN_TAKEN] = {"taken", "`take` on the page, by the command line or the API; until `give-back`",
                        "has taken"},
        [SIGN_ACKNOWLEDGED] = {"acknowledged", "`ack` on the page, by the command line or the API", "is at"},
        [SIGN_SILENCE] = {"silence",
                          "Alertmanager's silences, asked before what has waited begins, and "
                          "between steps",
                          "has silenced"},
        [SIGN_DOCKER] = {"docker", "the Engine's events of the containers of a step's service",
                         "was seen with"},
        [SIGN_POSTGRES] = {"postgres", "pg_stat_activity of a step's database", "was seen with"},
        [SIGN_REDIS] = {"redis", "CLIENT LIST of a step's server", "was seen with"},
        {NULL, NULL, NULL},
};

/* As the file has it now, whatever the incident was begun with. */
static nsec find_window(const struct people_question *question)
{
        const struct remediation *file = remediation_find(question->set, question->incident->remediation);
        return file ? file->human_window : question->set->human_window;
}

/* "03:02:11Z", of what was so long ago. */
#define CLOCK_LENGTH 8
static void put_since(const struct world *world, nsec ago, char ret[static TIME_TEXT_MAX])
{
        char time[TIME_TEXT_MAX];
        const char *clock = strchr(time_format(world_wall(world) - ago, time), 'T');
        snprintf(ret, TIME_TEXT_MAX, "%.*sZ", CLOCK_LENGTH, clock ? clock + 1 : time);
}

static int ask_journal(const struct people_question *question, nsec window, struct people_hold *ret,
                       struct error *error)
{
        const struct incident *incident = question->incident;
        const nsec now = journal_steady(question->journal);
        /* Who only reads disturbs nobody. */
        const char *lock = remediation_changes(question->remediation) ? question->lock : NULL;
        struct journal_hands hands = {0};
        int r = journal_find_hands(question->journal, incident->id, lock, now - window,
                                   incident->freed_steady, &hands, error);
        if (r <= 0)
                return r;
        const struct people_sign *sign = &people_signs[hands.taken ? SIGN_TAKEN : SIGN_ACKNOWLEDGED];
        const char *name = actor_person(hands.by);
        char since[TIME_TEXT_MAX];
        put_since(question->world, now - hands.since, since);
        struct people_hold hold = {.until = hands.taken ? 0 : hands.since + window};
        snprintf(hold.reason, sizeof(hold.reason), "%.100s %s %s since %s", name ? name : "somebody",
                 sign->said, hands.number, since);
        journal_hands_release(&hands);
        *ret = hold;
        return 1;
}

int people_prepare(const struct people_question *question, const struct action *action, struct own_time *own,
                   struct people_asked *ret, struct error *error)
{
        const nsec window = find_window(question), now = world_wall(question->world);
        if (window <= 0 || !action->people || !remediation_set_sees(question->set, action) ||
            !question->world->people_step || action->effect == EFFECT_READ_ONLY)
                return 0;
        const nsec ago = journal_steady(question->journal) - question->incident->freed_steady;
        struct people_asked asked = {.now = now, .after = now - window, .own = own};
        if (question->incident->freed_steady != 0)
                asked.freed = now - ago;
        if (asked.freed > asked.after)
                asked.after = asked.freed;
        _cleanup_free_ char *kind = strndup(action->name, strcspn(action->name, ".") + 1);
        int r = kind ? journal_own_times(question->journal, kind, asked.after, PEOPLE_OWN_TIMES_MOST, own,
                                         &asked.own_count, error)
                     : error_oom(error);
        if (r < 0)
                return r;
        *ret = asked;
        return 1;
}

bool people_judge(const struct people_question *question, const struct people_asked *asked,
                  const struct sighting *seen, struct people_hold *ret)
{
        const nsec window = find_window(question);
        if (seen->last <= asked->after || seen->since <= asked->freed)
                return false;
        /* A neighbour's clock may be ahead. */
        const nsec last = seen->last < asked->now ? seen->last : asked->now;
        char since[TIME_TEXT_MAX];
        put_since(question->world, asked->now - seen->since, since);
        struct people_hold hold = {.until = journal_steady(question->journal) - (asked->now - last) + window,
                                   .tells = true};
        snprintf(hold.reason, sizeof(hold.reason), "%s since %s", seen->words, since);
        *ret = hold;
        return true;
}

nsec people_seen_after(const struct people_question *question)
{
        return journal_steady(question->journal) - find_window(question);
}

int people_ask(const struct people_question *question, struct people_hold *ret, struct error *error)
{
        assert_that(question->journal && question->world && question->set && question->remediation &&
                            question->incident && question->lock,
                    "who asks for people says of what");
        return ask_journal(question, find_window(question), ret, error);
}

int people_last(struct journal *journal, int64_t incident, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *detail = NULL;
        int r = journal_last_detail(journal, incident, PEOPLE_SEEN, &detail, error);
        const char *seen = r < 0 ? NULL : json_string(detail, PEOPLE_SEEN);
        char *copy = r < 0 ? NULL : strdup(seen ? seen : "");
        if (r >= 0 && !copy)
                return error_oom(error);
        if (copy)
                *ret = copy;
        return r < 0 ? r : 0;
}
