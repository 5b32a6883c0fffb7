/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are signed for AWS, and those that are not. Botocore is asked too, in the integration tests.
 */
#include <errno.h>

#include "lib/http/client/internal.h"
#include "tests/harness/unit.h"

static struct secret access_key = {.variable = (char *)"RUNBOOK_TEST_ACCESS"};
static struct secret secret_key = {.variable = (char *)"RUNBOOK_TEST_SECRET"};
static struct secret no_secret = {.variable = (char *)"RUNBOOK_TEST_NOWHERE"};
static struct secret empty_secret = {.variable = (char *)"RUNBOOK_TEST_EMPTY"};
static struct secret example_access_key = {.variable = (char *)"RUNBOOK_TEST_EXAMPLE_ACCESS"};
static struct secret example_secret_key = {.variable = (char *)"RUNBOOK_TEST_EXAMPLE_SECRET"};

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

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "GET Bucket (List Objects)"
 */
static void test_a_listing_is_signed_as_the_documentation_of_s3_says(void **state _unused_)
{
        const struct http_aws_signing signing = {.region = "us-east-1",
                                                 .service = "s3",
                                                 .access_key = &example_access_key,
                                                 .secret_key = &example_secret_key};
        static const char *const urls[] = {"https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
                                           "https://examplebucket.s3.amazonaws.com:443?max-keys=2&prefix=J"};
        static const char *const expected[] = {
                "Host: examplebucket.s3.amazonaws.com",
                "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "x-amz-date: 20130524T000000Z",
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                "aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"};
        for (size_t i = 0; i < N_ELEMENTS(urls); i++) {
                struct curl_slist *headers = NULL;
                nsec midnight = 1369353600 * NSEC_PER_SEC;
                assert_int_equal(http_aws_sign(&headers, &signing, urls[i], midnight, NULL), 0);
                const struct curl_slist *header = headers;
                for (size_t k = 0; k < N_ELEMENTS(expected); k++, header = header->next) {
                        assert_non_null(header);
                        assert_string_equal(header->data, expected[k]);
                }
                assert_null(header);
                curl_slist_free_all(headers);
        }
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
                cmocka_unit_test(test_a_listing_is_signed_as_the_documentation_of_s3_says),
                cmocka_unit_test(test_nothing_is_sent_without_keys),
        };
        setenv("RUNBOOK_TEST_ACCESS", "AKID", 1);
        setenv("RUNBOOK_TEST_SECRET", "AKID-secret", 1);
        setenv("RUNBOOK_TEST_EMPTY", "", 1);
        setenv("RUNBOOK_TEST_EXAMPLE_ACCESS", "AKIAIOSFODNN7EXAMPLE", 1);
        setenv("RUNBOOK_TEST_EXAMPLE_SECRET", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", 1);
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
