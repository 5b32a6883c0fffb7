/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a remediation once it was read: which alerts it answers to, whom it calls, what it locks.
 */
#include "responder/remediation/remediation.h"

#include <errno.h>

bool receiver_is_nobody(const char *receiver)
{
        return !receiver || string_equal(receiver, "nobody");
}

bool remediation_tells(const struct remediation *remediation, const char *end)
{
        for (size_t i = 0; remediation && i < remediation->tell.count; i++)
                if (string_equal(remediation->tell.items[i], end))
                        return true;
        return false;
}

const struct escalation_chain *remediation_chain(const struct remediation *remediation,
                                                 const struct config_map *labels)
{
        return remediation && remediation->escalation ? escalation_find(remediation->escalation, labels)
                                                      : NULL;
}

const char *remediation_receiver(const struct remediation *remediation, const struct config_map *labels)
{
        const struct escalation_chain *chain = remediation_chain(remediation, labels);
        return chain && chain->count > 0 ? chain->levels[0].to : remediation->escalate_to;
}

const struct remediation *remediation_find(const struct remediation_set *set, const char *name)
{
        for (size_t i = 0; i < set->count; i++)
                if (string_equal(set->remediations[i].name, name))
                        return &set->remediations[i];
        return NULL;
}

bool remediation_asks_about_stage(const struct remediation *remediation)
{
        _cleanup_free_ const char **names = calloc(remediation->match.count + 1, sizeof(*names));
        size_t count = names ? matchers_names(&remediation->match, names) : 0;
        for (size_t i = 0; i < count; i++)
                if (string_equal(names[i], ALERT_LABEL_STAGE))
                        return true;
        return false;
}

bool remediation_answers(const struct remediation *remediation, const struct config_map *labels)
{
        return matchers_match(&remediation->match, labels) &&
               (!alert_labels_are_for_others(labels) || remediation_asks_about_stage(remediation));
}

bool remediation_changes(const struct remediation *remediation)
{
        for (size_t i = 0; i < remediation->step_count; i++)
                if (remediation->steps[i].action->effect != EFFECT_READ_ONLY)
                        return true;
        return false;
}

int remediation_lock(const struct remediation *remediation, const struct alert *alert, const char *incident,
                     char **ret, struct error *error)
{
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, alert, incident);
        _cleanup_free_ char *lock = NULL;
        if (remediation->lock && !remediation->bound) {
                int r = bind_text(remediation->lock, &bindings.bindings, BIND_PLAIN, &lock, error);
                if (r < 0)
                        return r;
                if (!*lock)
                        return error_set(error, EINVAL, "the lock \"%s\" is empty for this alert",
                                         remediation->lock);
        } else {
                lock = strdup(remediation->lock ? remediation->lock : remediation->name);
                if (!lock)
                        return error_oom(error);
        }
        *ret = TAKE_PTR(lock);
        return 0;
}
