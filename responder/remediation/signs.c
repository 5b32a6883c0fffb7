/* SPDX-License-Identifier: Apache-2.0 */
#include "responder/remediation/signs.h"

#include <string.h>

#include "responder/remediation/remediation.h"
#include "runbook/words.h"

/* The families of actions that can tell who is at what they act upon. */
static const char *const families[] = {"docker", "postgres", "redis"};

void signs_check(struct config_node *node, const struct config_strings *signs)
{
        for (size_t i = 0; i < signs->count; i++) {
                _cleanup_error_ struct error error = {0};
                bool known = false;
                for (size_t k = 0; k < N_ELEMENTS(families); k++)
                        known |= string_equal(signs->items[i], families[k]);
                if (known)
                        continue;
                words_unknown(families, N_ELEMENTS(families), signs->items[i], "there is no sign", &error);
                config_complain(config_item(config_member(node, "human_signs"), i), NULL, "%s",
                                error_text(&error));
        }
}

bool remediation_set_sees(const struct remediation_set *set, const struct action *action)
{
        const size_t family = strcspn(action->name, ".");
        for (size_t i = 0; i < set->human_signs.count; i++)
                if (strlen(set->human_signs.items[i]) == family &&
                    strncmp(set->human_signs.items[i], action->name, family) == 0)
                        return true;
        return false;
}
