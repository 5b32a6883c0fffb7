/* SPDX-License-Identifier: Apache-2.0 */
/* remediations.yml of any bytes: loaded as the responder does at start, or refused with complaints. */
#include <errno.h>

#include "responder/remediation/remediation.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 3000;
const char *const fuzz_words[] = {
        "remediations:\n",
        "escalate_to: nobody\n",
        "tell: [healed]\n",
        "at_stake: ${labels.a}",
        "- name: a\n",
        "match: [a=\"b\"]",
        "steps:",
        "- docker.restart: {service: a}",
        "docker.prune: {older_than: 1d, projects: [a], network_names: [b]}",
        "verify",
        "query: up",
        "undo: when_resolved",
        "on_failure: undo",
        "max: 1",
        "limit: 3 per 1d",
        "${labels.a}",
        "{",
        "}",
        "[",
        "]",
        "\n  ",
        ": ",
        NULL,
};

const char *fuzz_table_word(size_t number)
{
        for (size_t i = 0; actions[i]; i++)
                if (number-- == 0)
                        return actions[i]->name;
        return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        int result = remediation_set_load(fuzz_file(data, size), &set, &error);
        FUZZ_ASSERT((result == 0) == (set != NULL));
        FUZZ_ASSERT(result == 0 || (result == -EINVAL && error.message));
        for (size_t i = 0; set && i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                FUZZ_ASSERT(remediation->name && remediation->match.count > 0 && remediation->step_count > 0);
                for (size_t k = 0; k < remediation->step_count; k++)
                        FUZZ_ASSERT(remediation->steps[k].action && remediation->steps[k].config &&
                                    remediation->steps[k].timeout > 0);
        }
        remediation_set_free(set);
        return 0;
}
