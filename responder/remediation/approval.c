/* SPDX-License-Identifier: Apache-2.0 */
/* `approval: true`, or a mapping that says when, by how many, and until when. */
#include "responder/remediation/approval.h"

#include <inttypes.h>

#include "responder/remediation/rates.h"

const char *const trust_words[] = {[TRUST_ACT] = "act",
                                   [TRUST_OBSERVE] = "observe",
                                   [TRUST_ASK] = "ask",
                                   [TRUST_EARNED] = "earned",
                                   NULL};

/* As it stands in the file. */
struct raw_when {
        int64_t more_than;
        bool outside_hours;
        char *after;
};
struct raw {
        struct config_node *when;
        nsec deadline;
        int on_timeout;
        int64_t people;
};

static const char *const on_timeout_words[] = {"escalate", "deny", "run", NULL};
tables_agree(on_timeout_words, ON_TIMEOUT_COUNT + 1);

const struct config_field approval_fields[] = {
        {"when", CONFIG_NODE, offsetof(struct raw, when), .flags = CONFIG_NOT_EMPTY,
         .help = "only when one of these is so; always when absent"},
        {"deadline", CONFIG_DURATION, offsetof(struct raw, deadline), .fallback = "0",
         .help = "how long a person has to answer before `on_timeout`; shorter than `expire`, which it is "
                 "when absent"},
        {"on_timeout", CONFIG_ENUM, offsetof(struct raw, on_timeout), .fallback = "escalate",
         .choices = on_timeout_words,
         .help = "when the deadline is over: a person is called and it has expired, or it is denied, or it "
                 "runs as it was planned"},
        {"people", CONFIG_INT, offsetof(struct raw, people), .fallback = "1", .flags = CONFIG_POSITIVE,
         .help = "how many have to agree, 1 or 2: two are two who have shown who they are, each another one"},
        {0},
};

const struct config_field approval_when_fields[] = {
        {"more_than", CONFIG_INT, offsetof(struct raw_when, more_than), .flags = CONFIG_POSITIVE,
         .help = "more targets than that would be changed, by all steps together"},
        {"outside_hours", CONFIG_BOOL, offsetof(struct raw_when, outside_hours), .fallback = "false",
         .help = "it is none of the `hours` at the top of the file"},
        {"after", CONFIG_STRING, offsetof(struct raw_when, after), .flags = CONFIG_NOT_EMPTY,
         .help = "it has run so often within a time under this lock, as \"3 per 1d\""},
        {0},
};

static void read_when(struct config_node *node, bool hours, struct approval *approval)
{
        struct raw_when when = {0};
        config_read(node, approval_when_fields, &when);
        approval->conditions = true;
        approval->more_than = when.more_than;
        approval->outside_hours = when.outside_hours;
        rate_read(node, "after", when.after, &approval->after);
        if (approval->outside_hours && !hours)
                config_complain(node, "outside_hours", "needs `hours` at the top of the file");
        if (config_is_mapping(node) && approval->more_than == 0 && !approval->outside_hours && !when.after)
                config_complain(node, NULL,
                                "nobody would ever be asked: give `more_than`, `outside_hours: true` or "
                                "`after`, or leave `when` out");
        config_release(approval_when_fields, &when);
}

/* What contradicts itself, or `expire`. */
static void check(struct config_node *node, nsec expire, const struct approval *approval)
{
        char text[DURATION_TEXT_MAX];
        if (approval->people > PEOPLE_MOST)
                config_complain(node, "people", "%" PRId64 " are too many: %d are the most", approval->people,
                                PEOPLE_MOST);
        if (config_member(node, "on_timeout") && approval->deadline == 0)
                config_complain(node, "on_timeout", "needs a `deadline`");
        if (approval->deadline > 0 && expire > 0 && approval->deadline >= expire)
                config_complain(node, "deadline", "must be shorter than `expire` (%s), which ends it before",
                                duration_format(expire, text));
        if (approval->on_timeout == ON_TIMEOUT_RUN && approval->people > 1)
                config_complain(node, "on_timeout",
                                "what two people have to agree to does not run because nobody has answered: "
                                "`escalate` or `deny`");
}

void approval_read(struct config_node *node, bool hours, nsec expire, struct approval *ret)
{
        struct approval approval = {.people = 1};
        if (node && config_is_mapping(node)) {
                struct raw raw = {0};
                config_read(node, approval_fields, &raw);
                approval.wanted = true;
                approval.deadline = raw.deadline;
                approval.on_timeout = raw.on_timeout;
                approval.people = raw.people;
                if (raw.when)
                        read_when(raw.when, hours, &approval);
                check(node, expire, &approval);
                config_release(approval_fields, &raw);
        } else if (node) {
                const char *word = config_scalar(node);
                if (!word || config_parse_word(CONFIG_BOOL, word, &approval.wanted, NULL) < 0)
                        config_complain(node, NULL,
                                        "must be true or false, or a mapping: {when: …, deadline: …, "
                                        "on_timeout: …, people: …}");
        }
        *ret = approval;
}

void approval_print(const struct approval *approval, struct text *text)
{
        text_printf(text, "%d", approval->wanted);
        if (approval->conditions)
                text_printf(text, " %" PRId64 " %d %" PRId64 " %" PRId64, approval->more_than,
                            approval->outside_hours, approval->after.count, approval->after.period);
        if (approval->people > 1)
                text_printf(text, " by %" PRId64, approval->people);
        text_puts(text, "\n");
}
