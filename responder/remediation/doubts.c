/* SPDX-License-Identifier: Apache-2.0 */
/* What will most likely go wrong: labels that may be absent, remediations that overlap, times that never fit.
 */
#include "responder/remediation/doubts.h"

/* Every label that is bound anywhere below `node`. */
static int doubt_labels(struct config_node *node, const struct matchers *matchers, struct error *error)
{
        for (size_t i = 0; i < config_size(node); i++) {
                int r = doubt_labels(config_item(node, i), matchers, error);
                if (r < 0)
                        return r;
        }
        const char *text = config_scalar(node);
        size_t length = 0;
        for (const char *at = text; at && (at = bind_next_name(at, "labels", &length)); at += length) {
                _cleanup_free_ char *name = strndup(at, length);
                _cleanup_free_ const char **names = calloc(matchers->count + 1, sizeof(*names));
                if (!name || !names)
                        return error_oom(error);
                if (matchers_ensure(matchers, name))
                        continue;
                const char *nearest = words_nearest(names, matchers_names(matchers, names), name);
                if (nearest && !string_equal(nearest, name))
                        config_doubt(
                                node, NULL, (size_t)(at - text),
                                "no matcher makes sure of the label '%s', and an alert without it cannot "
                                "be bound here; did you mean '%s'? Or add %s!=\"\" to `match`",
                                name, nearest, name);
                else
                        config_doubt(
                                node, NULL, (size_t)(at - text),
                                "no matcher makes sure of the label '%s', and an alert without it cannot "
                                "be bound here; add %s!=\"\" to `match`",
                                name, name);
        }
        return 0;
}

static int doubt_overlap(struct config_node *node, const struct remediation *remediation,
                         const struct remediation *other, struct error *error)
{
        _cleanup_text_ struct text example = {0};
        int r = matchers_overlap(&remediation->match, &other->match, &example);
        if (r < 0)
                return error_oom(error);
        if (r > 0)
                config_doubt(node, "match", 0,
                             "one alert sets off \"%s\" as well, and each does its own: {%s}", other->name,
                             text_string(&example));
        return 0;
}

int remediation_doubt(struct config_node *node, const struct remediation *remediation,
                      const struct remediation *before, size_t count, struct error *error)
{
        static const char *const bound[] = {"lock", "at_stake", "steps", "verify"};
        for (size_t i = 0; i < N_ELEMENTS(bound); i++) {
                int r = doubt_labels(config_member(node, bound[i]), &remediation->match, error);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < count; i++) {
                int r = before[i].name ? doubt_overlap(node, remediation, &before[i], error) : 0;
                if (r < 0)
                        return r;
        }
        if (remediation->expire > 0 && remediation->cooldown > remediation->expire)
                config_doubt(node, "cooldown", 0,
                             "what the cooldown holds from its begin is given up before it ends: make "
                             "`expire` longer");
        return 0;
}
