/* SPDX-License-Identifier: Apache-2.0 */
/* What is not signed for AWS; that what is signed is right, botocore says in the integration tests. */
#include <errno.h>

#include "runbook/http_client.h"
#include "tests/unit/unit.h"

static struct secret access_key = {.variable = (char *)"RUNBOOK_TEST_ACCESS"};
static struct secret secret_key = {.variable = (char *)"RUNBOOK_TEST_SECRET"};
static struct secret no_secret = {.variable = (char *)"RUNBOOK_TEST_NOWHERE"};
static struct secret empty_secret = {.variable = (char *)"RUNBOOK_TEST_EMPTY"};

/* There is nobody at the port: a request that is signed is refused there. */
static void assert_fails(struct http_request request, const struct http_aws_signing *signing, int code,
                         const char *words)
{
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_http_response_ struct http_response response = {0};
        _cleanup_error_ struct error error = {0};

        assert_non_null(client);
        request.url = "http://127.0.0.1:1/?list-type=2";
        request.aws = signing;
        request.deadline = deadline_in(10 * NSEC_PER_SEC);
        assert_int_equal(http_fetch(client, &request, &response, &error), -code);
        if (!strstr(error_text(&error), words) || strstr(error_text(&error), "AKID"))
                fail_msg("not \"%s\": %s", words, error_text(&error));
}

static void test_only_a_plain_get_is_signed(void **state _unused_)
{
        const struct http_aws_signing signing = {
                .region = "r", .service = "s3", .access_key = &access_key, .secret_key = &secret_key};
        static const char *const headers[] = {"Range: bytes=0-1", NULL};
        static const struct secret token = {.variable = (char *)"RUNBOOK_TEST_ACCESS"};
        const struct http_request refused[] = {
                {.method = "PUT"}, {.body = "a", .body_length = 1}, {.headers = headers}, {.bearer = &token}};

        for (size_t i = 0; i < N_ELEMENTS(refused); i++)
                assert_fails(refused[i], &signing, EINVAL, "only a plain GET can be signed");
        assert_fails((struct http_request){0}, &signing, ECONNREFUSED, "http://127.0.0.1:1/: cannot connect");
}

static void test_nothing_is_sent_without_keys(void **state _unused_)
{
        struct http_aws_signing signing = {
                .region = "r", .service = "s3", .access_key = &no_secret, .secret_key = &secret_key};

        assert_fails((struct http_request){0}, &signing, ENOKEY, "the access key: ");
        signing.access_key = &access_key;
        signing.secret_key = &empty_secret;
        assert_fails((struct http_request){0}, &signing, EINVAL, "the secret key is empty");
        signing.secret_key = &secret_key;
        signing.session_token = &empty_secret;
        assert_fails((struct http_request){0}, &signing, EINVAL, "the session token is empty");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_only_a_plain_get_is_signed),
                cmocka_unit_test(test_nothing_is_sent_without_keys),
        };
        setenv("RUNBOOK_TEST_ACCESS", "AKID", 1);
        setenv("RUNBOOK_TEST_SECRET", "AKID-secret", 1);
        setenv("RUNBOOK_TEST_EMPTY", "", 1);
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
