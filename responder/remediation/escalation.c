/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of whom to call, as the file has them. */
#include "responder/remediation/escalation.h"

#include <errno.h>

/* As it stands in the file. */
struct raw {
        char *by;
        struct config_node *chains, *otherwise;
};

const struct config_field escalation_fields[] = {
        {"by", CONFIG_STRING, offsetof(struct raw, by), .fallback = "severity", .flags = CONFIG_NOT_EMPTY,
         .help = "the alert's label whose value chooses the chain"},
        {"chains", CONFIG_NODE, offsetof(struct raw, chains), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "for each value of it, as P1 to P4, a list of levels"},
        {"else", CONFIG_NODE, offsetof(struct raw, otherwise), .flags = CONFIG_NOT_EMPTY,
         .help = "the levels for every other alert; `escalate_to` alone when absent"},
        {0},
};

const struct config_field escalation_level_fields[] = {
        {"to", CONFIG_STRING, offsetof(struct escalation_level, to),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "the receiver to call"},
        {"after", CONFIG_DURATION, offsetof(struct escalation_level, after), .fallback = "0",
         .help = "how long after somebody was first needed, when nobody has said by then that he is at it; "
                 "the first level is called at once, and each later than the one before"},
        {"in_hours", CONFIG_BOOL, offsetof(struct escalation_level, in_hours), .fallback = "false",
         .help = "outside the `hours` at the top of the file it waits until they begin; not of the first"},
        {"contact", CONFIG_STRING, offsetof(struct escalation_level, contact), .flags = CONFIG_NOT_EMPTY,
         .help = "how else this one is reached, as a name and a telephone number: shown on the page, and to "
                 "those who are called after"},
        {0},
};

static void check_level(struct config_node *node, const struct escalation_chain *chain, size_t i,
                        const struct target_set *targets, bool hours)
{
        const struct escalation_level *level = &chain->levels[i];
        if (level->to && *level->to && !target_set_receiver(targets, level->to))
                config_complain(node, "to", "there is no receiver \"%s\"", level->to);
        if (i == 0 && level->after != 0)
                config_complain(node, "after", "the first level is called at once");
        if (i > 0 && level->after <= chain->levels[i - 1].after)
                config_complain(node, config_member(node, "after") ? "after" : NULL,
                                "`after` must be longer than that of the level before");
        if (level->in_hours && i == 0)
                config_complain(node, "in_hours", "the first level is called at once");
        else if (level->in_hours && !hours)
                config_complain(node, "in_hours", "needs `hours` at the top of the file");
}

static int read_chain(struct config_node *list, const char *of, const struct target_set *targets, bool hours,
                      struct escalation *escalation, struct error *error)
{
        size_t count = config_size(list);
        if (!config_is_list(list) || count == 0 || count > ESCALATION_LEVELS_MOST) {
                config_complain(list, NULL,
                                "must be a list of 1 to %d levels: [{to: …}, {to: …, after: 15m}]",
                                ESCALATION_LEVELS_MOST);
                return 0;
        }
        struct escalation_chain *chain = &escalation->chains[escalation->count++];
        chain->of = of ? strdup(of) : NULL;
        chain->levels = calloc(count, sizeof(*chain->levels));
        if (!chain->levels || (of && !chain->of))
                return error_oom(error);
        for (size_t i = 0; i < count; i++) {
                config_read(config_item(list, i), escalation_level_fields, &chain->levels[i]);
                chain->count++;
                check_level(config_item(list, i), chain, i, targets, hours);
        }
        return 0;
}

static int read_chains(struct config_node *node, const struct target_set *targets, bool hours,
                       struct escalation *ret, struct error *error)
{
        struct raw raw = {0};
        config_read(node, escalation_fields, &raw);
        ret->by = TAKE_PTR(raw.by);
        size_t count = raw.chains ? config_size(raw.chains) : 0;
        int r = 0;
        if (raw.chains && (!config_is_mapping(raw.chains) || count > ESCALATION_CHAINS_MOST)) {
                config_complain(raw.chains, NULL,
                                "must be a mapping of at most %d chains: {P1: [{to: …}, …], P2: …}",
                                ESCALATION_CHAINS_MOST);
                count = 0;
        }
        for (size_t i = 0; i < count && r >= 0; i++)
                r = read_chain(config_item(raw.chains, i), config_key(raw.chains, i), targets, hours, ret,
                               error);
        if (r >= 0 && raw.otherwise)
                r = read_chain(raw.otherwise, NULL, targets, hours, ret, error);
        config_release(escalation_fields, &raw);
        return r;
}

int escalation_read(struct config_node *node, const struct target_set *targets, bool hours,
                    struct escalation *ret, struct error *error)
{
        *ret = (struct escalation){0};
        if (!node)
                return 0;
        ret->chains = calloc(ESCALATION_CHAINS_MOST + 1, sizeof(*ret->chains));
        if (!ret->chains)
                return error_oom(error);
        return config_is_mapping(node) ? read_chains(node, targets, hours, ret, error)
                                       : read_chain(node, NULL, targets, hours, ret, error);
}

void escalation_release(struct escalation *escalation)
{
        for (size_t i = 0; i < escalation->count; i++) {
                struct escalation_chain *chain = &escalation->chains[i];
                for (size_t level = 0; level < chain->count; level++)
                        config_release(escalation_level_fields, &chain->levels[level]);
                free(chain->levels);
                free(chain->of);
        }
        free(escalation->chains);
        free(escalation->by);
        *escalation = (struct escalation){0};
}

const struct escalation_chain *escalation_find(const struct escalation *escalation,
                                               const struct config_map *labels)
{
        const char *value = labels && escalation->by ? config_map_get(labels, escalation->by) : NULL;
        const struct escalation_chain *otherwise = NULL;
        for (size_t i = 0; i < escalation->count; i++) {
                const struct escalation_chain *chain = &escalation->chains[i];
                if (chain->of && value && string_equal(chain->of, value))
                        return chain;
                if (!chain->of)
                        otherwise = chain;
        }
        return otherwise;
}
