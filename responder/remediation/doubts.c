/* SPDX-License-Identifier: Apache-2.0 */
/* What will most likely go wrong: labels that may be absent, remediations that overlap, times that never fit.
 */
#include "responder/remediation/doubts.h"

#include "responder/remediation/steps.h"

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

/* A service that both change; NULL: none. */
static int common_service(const struct remediation *remediation, const struct remediation *other, char **ret,
                          struct error *error)
{
        *ret = NULL;
        for (size_t i = 0; i < remediation->step_count; i++)
                for (size_t k = 0; k < other->step_count; k++) {
                        _cleanup_free_ char *service = NULL, *theirs = NULL;
                        int r = step_service(&remediation->steps[i], &service, error);
                        if (r >= 0)
                                r = step_service(&other->steps[k], &theirs, error);
                        if (r < 0)
                                return r;
                        if (service && theirs && string_equal(service, theirs)) {
                                *ret = TAKE_PTR(service);
                                return 0;
                        }
                }
        return 0;
}

/* What is urgent waits for nobody, and may well have a lock of its own. */
static int doubt_locks(struct config_node *node, const struct remediation *remediation,
                       const struct remediation *other, struct error *error)
{
        const char *lock = remediation->lock ? remediation->lock : remediation->name;
        const char *theirs = other->lock ? other->lock : other->name;
        if (!lock || remediation->urgent || other->urgent || string_equal(lock, theirs))
                return 0;
        _cleanup_free_ char *service = NULL;
        int r = common_service(remediation, other, &service, error);
        if (r >= 0 && service)
                config_doubt(node, config_member(node, "lock") ? "lock" : "steps", 0,
                             "\"%s\" changes the service %s as well, and under another lock: neither waits "
                             "for the other, and no guard counts both; give them one `lock`",
                             other->name, service);
        return r;
}

static void doubt_contradiction(struct config_node *node, const struct matchers *matchers)
{
        const char *name = matchers_contradiction(matchers);
        if (name)
                config_doubt(
                        node, "match", 0,
                        "no alert sets it off: what one matcher wants of the label '%s' another one refuses",
                        name);
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
        doubt_contradiction(node, &remediation->match);
        for (size_t i = 0; i < count; i++) {
                int r = before[i].name ? doubt_overlap(node, remediation, &before[i], error) : 0;
                if (r >= 0 && before[i].name)
                        r = doubt_locks(node, remediation, &before[i], error);
                if (r < 0)
                        return r;
        }
        if (remediation->expire > 0 && remediation->cooldown > remediation->expire)
                config_doubt(node, "cooldown", 0,
                             "what the cooldown holds from its begin is given up before it ends: make "
                             "`expire` longer");
        return 0;
}
