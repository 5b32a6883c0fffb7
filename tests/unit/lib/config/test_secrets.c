/* SPDX-License-Identifier: Apache-2.0 */
/* Every secret of a structure is found, wherever its tables nest it; those that are not set are none. */
#include "runbook/mask.h"
#include "tests/harness/unit.h"

#include <string.h>

#include "runbook/config.h"

struct part {
        struct secret token;
};

struct whole {
        char *name;
        struct secret password, unset;
        struct part inside;
        struct config_list parts;
};

static const struct config_field part_fields[] = {
        {"token", CONFIG_SECRET, offsetof(struct part, token), .help = "a token"}, {0}};

static const struct config_field fields[] = {
        {"name", CONFIG_STRING, offsetof(struct whole, name), .help = "a name"},
        {"password", CONFIG_SECRET, offsetof(struct whole, password), .help = "set"},
        {"unset", CONFIG_SECRET, offsetof(struct whole, unset), .help = "not set"},
        {"inside", CONFIG_OBJECT, offsetof(struct whole, inside), .fields = part_fields,
         .size = sizeof(struct part)},
        {"parts", CONFIG_LIST, offsetof(struct whole, parts), .fields = part_fields,
         .size = sizeof(struct part)},
        {0},
};

static void note(void *context, const char *name, const struct secret *secret)
{
        text_printf(context, "%s=%s%s ", name, secret->file ? secret->file : "$",
                    secret->file ? "" : secret->variable);
}

static void every_secret_that_is_set_is_visited(void **state _unused_)
{
        struct whole whole;
        _cleanup_config_ struct config *config = NULL;
        _cleanup_text_ struct text seen = {0};
        assert_int_equal(config_parse("c",
                                      "name: x\npassword: ${P}\ninside: {token_file: /a}\n"
                                      "parts: [{token_file: /b}, {}, {token: '${C}'}]\n",
                                      &config, NULL),
                         0);
        assert_true(config_read(config_root(config), fields, &whole));
        config_visit_secrets(fields, &whole, note, &seen);
        assert_string_equal(text_string(&seen), "password=$P token=/a token=/b token=$C ");
        setenv("C", "correct horse, as said", 1);
        config_learn_secrets(fields, &whole); /* of which some cannot be read */
        char said[] = "it is correct horse, as said";
        mask_string(said, MASK_LABEL);
        assert_string_equal(said, "it is ...");
        config_release(fields, &whole);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(every_secret_that_is_set_is_visited)};
        return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
