/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: where it is wrong, and looking things up in what may not hold them. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/json.h"
#include "tests/harness/unit.h"

static void test_json_says_where_it_is_wrong(void **state _unused_)
{
        static const struct {
                const char *json, *message;
        } cases[] = {
                {"", "not valid JSON at line 1, column 1"},
                {"{\"a\": 1,\n \"b\": }", "not valid JSON at line 2, column 7"},
                {"{} {}", "not valid JSON at line 1, column 4"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                cJSON *json = NULL;
                _cleanup_error_ struct error error = {0};
                assert_int_equal(json_parse(cases[i].json, strlen(cases[i].json), &json, &error), -EBADMSG);
                assert_null(json);
                assert_string_equal(error.message, cases[i].message);
        }
}

static void test_json_lookups_never_fail_half_way(void **state _unused_)
{
        const char *document =
                " {\"State\": {\"Health\": {\"Status\": \"healthy\"}}, \"n\": 3, \"t\": true}\n";
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(document, strlen(document), &json, NULL), 0);
        assert_string_equal(json_string(json_get(json, "State", "Health", NULL), "Status"), "healthy");
        assert_null(json_string(json_get(json, "State", "Nothing", "Deeper", NULL), "Status"));
        assert_null(json_string(json, "n"));
        assert_true(json_number(json, "n", 0) == 3 && json_number(json, "t", -1) == -1);
        assert_true(json_bool(json, "t", false) && json_bool(json, "n", true));
        assert_int_equal(json_put(json, "n", cJSON_CreateString("new")), 0);
        assert_string_equal(json_string(json, "n"), "new");
        assert_int_equal(json_put(json, "x", NULL), -ENOMEM);
}

static void test_what_is_put_is_taken_also_on_failure(void **state _unused_)
{
        _cleanup_json_ cJSON *array = cJSON_CreateArray(), *object = cJSON_CreateObject();
        _cleanup_free_ char *printed = NULL;
        assert_int_equal(json_append(array, json_text("x")), 0);
        assert_int_equal(json_append(array, json_text(NULL)), 0);
        assert_int_equal(json_append(array, json_copy(object)), 0);
        assert_int_equal(json_append(array, json_copy(NULL)), 0);
        assert_int_equal(json_append(array, NULL), -ENOMEM);
        assert_int_equal(json_append(NULL, json_text("no array")), -ENOMEM);
        printed = json_print(array);
        assert_string_equal(printed, "[\"x\",null,{},null]");
}

static void test_paths_go_by_name_and_number(void **state _unused_)
{
        static const struct {
                const char *path, *found; /* as it would be written; NULL: nothing */
        } cases[] = {
                {"a.b", "1"},     {"a.c", NULL},      {"list.1", "two"},      {"list.two", NULL},
                {"list.9", NULL}, {"list.1.x", NULL}, {"list.1234567", NULL}, {"x\\.y", "true"},
                {"x.y", NULL},    {"z\\\\", "null"},  {"", "a structure"},    {".", "a structure"},
                {"a.", NULL},     {"a..b", NULL},     {"z\\", "null"},        {"list", "a structure"},
                {"b\\", NULL},
        };
        const char *document = "{\"a\":{\"b\":1},\"list\":[\"one\",\"two\"],\"x.y\":true,\"z\\\\\":null}";
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse(document, strlen(document), &json, NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text text = {0};
                const cJSON *found = json_find(json, cases[i].path);
                if (found)
                        json_put_scalar(&text, found);
                if (!found != !cases[i].found || (found && strcmp(text_string(&text), cases[i].found) != 0))
                        fail_msg("%s: %s", cases[i].path, text_string(&text));
        }
        assert_null(json_find(NULL, "a"));
}

static void what_is_ours_has_limits_as_well(void **state _unused_)
{
        _cleanup_json_ cJSON *json = NULL;
        _cleanup_text_ struct text deep = {0}, many = {0};
        text_puts(&many, "[0");
        for (size_t i = 0; i < JSON_VALUES_OWN; i++)
                text_puts(&many, ",0");
        text_putc(&many, ']');
        assert_int_equal(json_parse(text_string(&many), many.length, &json, NULL), -EMSGSIZE);
        for (int i = 0; i < JSON_DEPTH_MOST + 1; i++)
                text_putc(&deep, '[');
        assert_int_equal(json_parse(text_string(&deep), deep.length, &json, NULL), -EMSGSIZE);
        assert_int_equal(json_parse("[\"[[,\\\"[,\"]", 12, &json, NULL), 0);
}

static unsigned allocations_left;

static void *allocate_few(size_t size)
{
        return allocations_left > 0 ? allocations_left--, malloc(size) : NULL;
}

/* Which is said to nobody as a mistake in what he wrote. */
static void a_lack_of_memory_is_no_mistake(void **state _unused_)
{
        static const char document[] = "{\"a\": [1, \"two\", null], \"b\": {\"c\": true}}\n";
        cJSON *json = NULL;
        unsigned least = 0;
        for (int r = -ENOMEM; r < 0; least++) {
                _cleanup_error_ struct error error = {0};
                allocations_left = least;
                cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate_few, .free_fn = free});
                r = json_parse(document, sizeof(document), &json, &error); /* its NUL as well */
                cJSON_InitHooks(NULL);
                assert_int_equal(r, r < 0 ? -ENOMEM : 0);
                assert_true(r == 0 || strcmp(error_text(&error), "out of memory") == 0);
        }
        assert_true(least > 5);
        cJSON_Delete(json);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_lack_of_memory_is_no_mistake),
                cmocka_unit_test(what_is_ours_has_limits_as_well),
                cmocka_unit_test(test_paths_go_by_name_and_number),
                cmocka_unit_test(test_json_says_where_it_is_wrong),
                cmocka_unit_test(test_json_lookups_never_fail_half_way),
                cmocka_unit_test(test_what_is_put_is_taken_also_on_failure),
        };
        return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
