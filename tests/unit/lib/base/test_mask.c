/* SPDX-License-Identifier: Apache-2.0 */
/* What was read as a secret is masked in whatever is said, wherever in it, and nothing else is. */
#include "runbook/mask.h"

#include <stdio.h>
#include <string.h>

#include "runbook/json.h"
#include "runbook/secret.h"
#include "runbook/trace.h"
#include "tests/harness/unit.h"

static void learn(const char *value)
{
        mask_learn(value, strlen(value));
}

static void known_secrets_show_as_dots(void **state _unused_)
{
        static const struct {
                const char *said, *shown;
        } cases[] = {
                {"", ""},
                {"hunter", "hunter"},
                {"hunter2", "..."},
                {"ERR hunter2 is wrong", "ERR ... is wrong"},
                {"hunter2hunter2", "......"},
                {"xhunter2", "x..."},
                {"hunter2 and hunter2-longer: hunter2", "... and ...: ..."},
                {"hhunter hunter2", "hhunter ..."},
                {"abc is too short", "abc is too short"},
                {"p\xc3\xa4ss!word", "..."},
        };
        learn("hunter2");
        learn("hunter2-longer");
        learn("hunter2");
        learn("abc");
        learn("");
        learn("p\xc3\xa4ss!word");
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *said = strdup(cases[i].said);
                mask_string(said, MASK_SENTENCE);
                assert_string_equal(said, cases[i].shown);
        }
        char label[] = "hunter2 hunter2-longer"; /* what is no longer than words are identifies series */
        mask_string(label, MASK_LABEL);
        assert_string_equal(label, "hunter2 ...");
        mask_string(NULL, MASK_SENTENCE);
}

static void of_many_the_last_are_known(void **state _unused_)
{
        char value[32], last[32];
        for (int i = 0; i < 200; i++) {
                snprintf(value, sizeof(value), "secret-%0*d", 3 + i % 5, i);
                learn(value);
        }
        for (int i = 0; i < 200; i++) {
                snprintf(last, sizeof(last), "secret-%0*d", 3 + i % 5, i);
                mask_string(last, MASK_SENTENCE);
                assert_int_equal(strcmp(last, "...") == 0, i >= 200 - 64);
        }
}

/* What is between a secret and its reader may have written it anew. */
static void secrets_are_known_in_their_forms(void **state _unused_)
{
        static const struct {
                const char *said, *shown;
        } cases[] = {
                {"{\"said\":\"pa\\\"ss\\\\wo rd/%1\"}", "{\"said\":\"...\"}"}, /* JSON, a label, the log */
                {"/login?password=pa%22ss%5Cwo%20rd%2F%251&x=1", "/login?password=...&x=1"},
                {"Basic cGEic3Ncd28gcmQvJTE=", "Basic ...E="},         /* behind nothing, and */
                {"Basic YTpwYSJzc1x3byByZC8lMQ==", "Basic YTp...Q=="}, /* behind users of 1, */
                {"Basic YWQ6cGEic3Ncd28gcmQvJTE=", "Basic YWQ6...E="}, /* 2 */
                {"Basic YWRhOnBhInNzXHdvIHJkLyUx", "Basic YWRhOn..."}, /* and 3 letters */
                {"the first line of two; and its second", "...; and ..."},
                {"the first line of two\nits second", "..."},
                {"followed by nothing", "..."},
                {"base64 cGE= and %22 and \\\"", "base64 cGE= and %22 and \\\""},
        };
        learn("pa\"ss\\wo rd/%1");
        learn("the first line of two\nits second");
        learn("followed by nothing\r\n\n");
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *said = strdup(cases[i].said);
                mask_string(said, MASK_LABEL);
                assert_string_equal(said, cases[i].shown);
        }
}

/* Sentences and steps, whoever makes them. */
static void what_a_server_repeats_is_masked(void **state _unused_)
{
        struct secret secret = {.variable = strdup("TEST_MASK")};
        _cleanup_secret_ struct text value = {0};
        _cleanup_error_ struct error error = {0};
        setenv("TEST_MASK", "correct horse\n", 1);
        assert_int_equal(secret_read(&secret, &value, &error), 0);
        assert_string_equal(text_string(&value), "correct horse");
        error_set(&error, 5, "Redis: -ERR no such password: %s", text_string(&value));
        assert_string_equal(error_text(&error), "Redis: -ERR no such password: ...");
        error_prefix(&error, -5, "with %s", text_string(&value));
        assert_string_equal(error_text(&error), "with ...: Redis: -ERR no such password: ...");

        struct trace *trace = trace_new();
        struct text steps = {0};
        trace_add(trace, "answered with HTTP/1.1 401 %s", text_string(&value));
        trace_put(trace, &steps);
        assert_non_null(strstr(text_string(&steps), "answered with HTTP/1.1 401 ...\n"));
        trace_free(trace);
        text_free(&steps);
        secret_release(&secret);
}

/* What is shown to people and programs: every string of a document, however deep, and no name in it. */
static void documents_are_masked(void **state _unused_)
{
        learn("horse battery staple");
        cJSON *document =
                cJSON_Parse("{\"horse battery staple\":[{\"a\":\"the horse battery staple\"},1,null]}");
        json_mask(document);
        json_mask(NULL);
        _cleanup_free_ char *printed = json_print(document);
        assert_string_equal(printed, "{\"horse battery staple\":[{\"a\":\"the ...\"},1,null]}");
        cJSON_Delete(document);
}

/* A secret may begin anywhere, and what begins like one is none. */
static void beginnings_are_no_secrets(void **state _unused_)
{
        learn("zebra crossing");
        char said[] = "zebra zebra crossin zebrazebra crossing", none[] = "zebra crossinG",
             end[] = "zebra crossing";
        mask_string(said, MASK_LABEL);
        assert_string_equal(said, "zebra zebra crossin zebra...");
        mask_string(none, MASK_LABEL);
        assert_string_equal(none, "zebra crossinG");
        mask_string(end, MASK_LABEL);
        assert_string_equal(end, "...");
}

/* Wherever in a text, whatever is around it: each of the windows that are looked at has been a secret's. */
static void a_secret_is_found_at_every_place(void **state _unused_)
{
        static const char *const secrets[] = {"nine-byte", "ten-bytes!", "a-longer-one-of-these"};
        for (size_t i = 0; i < N_ELEMENTS(secrets); i++)
                learn(secrets[i]);
        for (size_t i = 0; i < N_ELEMENTS(secrets); i++)
                for (int before = 0; before < 20; before++)
                        for (int behind = 0; behind < 20; behind++) {
                                char said[128], shown[128];
                                snprintf(said, sizeof(said), "%.*s%s%.*s", before, "xxxxxxxxxxxxxxxxxxxx",
                                         secrets[i], behind, "yyyyyyyyyyyyyyyyyyyy");
                                snprintf(shown, sizeof(shown), "%.*s...%.*s", before, "xxxxxxxxxxxxxxxxxxxx",
                                         behind, "yyyyyyyyyyyyyyyyyyyy");
                                mask_string(said, before % 2 ? MASK_LABEL : MASK_SENTENCE);
                                assert_string_equal(said, shown);
                        }
        learn("one-two-three");
        learn("three-four-five");
        char both[] = "say one-two-three-four-five"; /* neither leaves the other's rest */
        mask_string(both, MASK_LABEL);
        assert_string_equal(both, "say ...");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_secrets_show_as_dots),
                cmocka_unit_test(of_many_the_last_are_known),
                cmocka_unit_test(secrets_are_known_in_their_forms),
                cmocka_unit_test(what_a_server_repeats_is_masked),
                cmocka_unit_test(documents_are_masked),
                cmocka_unit_test(beginnings_are_no_secrets),
                cmocka_unit_test(a_secret_is_found_at_every_place),
        };
        return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
