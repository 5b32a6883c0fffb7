/* SPDX-License-Identifier: Apache-2.0 */
/* Kind s3: its options, the URLs that it makes of them, and S3's answers taken apart. */
#include <errno.h>
#include <string.h>

#include "exporter/kinds/s3/listing.h"
#include "runbook/http_client.h"
#include "tests/harness/kind.h"

#define KEYS "access_key: \"${RUNBOOK_TEST_ACCESS}\", secret_key: \"${RUNBOOK_TEST_SECRET}\""

static void test_options(void **state _unused_)
{
        assert_complaint("s3", "{bucket: b, region: r}", "access_key_file and secret_key_file are needed");
        assert_complaint("s3", "{region: r, " KEYS "}", "'bucket' is missing");
        assert_complaint("s3", "{bucket: b, " KEYS "}", "'region' is missing");
        assert_complaint("s3", "{bucket: s3://b, region: r, " KEYS "}",
                         "\"s3://b\" is not the name of a bucket");
        assert_complaint("s3", "{bucket: b, region: \"r:x\", " KEYS "}",
                         "\"r:x\" is not the name of a region");
        static const char *const endpoints[] = {"s3.example", "http://", "https://user:secret@host",
                                                "http://host/?a=b", "http:///path"};
        for (size_t i = 0; i < N_ELEMENTS(endpoints); i++) {
                _cleanup_free_ char *yaml =
                        text_format("{bucket: b, endpoint: \"%s\", " KEYS "}", endpoints[i]);
                assert_complaint("s3", yaml, "write http:// or https://, a host");
        }
        assert_complaint("s3", "{bucket: b, region: r, pattern: a/b, " KEYS "}", "a pattern is for names");
        assert_complaint("s3", "{bucket: b, region: r, max_objects: 0, " KEYS "}", "max_objects");
        assert_complaint("s3", "{bucket: b, region: r, min_count: -1, " KEYS "}", "must not be negative");
        assert_complaint("s3", "{bucket: b, region: r, tls_config: {cert_file: /a}, " KEYS "}",
                         "cert_file and key_file are only of use together");
        assert_complaint("s3", "{bucket: b, region: r, access_key: literal, secret_key_file: /a}",
                         "access_key");
}

/* What is asked stands in the error of a run that has no time: nothing is sent here. */
static void assert_url(const char *yaml, const char *url)
{
        _cleanup_(check_set_free_p) struct check_set *set = load_check("s3", yaml, NULL);
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *page = NULL, *wanted = text_format("%s: no time was left to ask", url);
        assert_int_equal(run_check(set, 0, &page, &error), -ETIMEDOUT);
        assert_string_equal(error_text(&error), wanted);
}

static void test_urls(void **state _unused_)
{
        assert_url("{bucket: mcp-backups-prod, region: eu-west-1, " KEYS "}",
                   "https://mcp-backups-prod.s3.eu-west-1.amazonaws.com/");
        assert_url("{bucket: back.ups, region: eu-west-1, " KEYS "}",
                   "https://s3.eu-west-1.amazonaws.com/back.ups");
        assert_url("{bucket: b, region: cn-north-1, " KEYS "}", "https://b.s3.cn-north-1.amazonaws.com.cn/");
        assert_url("{bucket: b, endpoint: \"http://localhost:9000\", " KEYS "}", "http://localhost:9000/b");
        assert_url("{bucket: b, endpoint: \"https://h/storage/s3//\", " KEYS "}", "https://h/storage/s3/b");
}

static void put_object(void *context, const struct s3_object *object)
{
        text_printf(context, "%s %llu %lld\n", object->key, (unsigned long long)object->size,
                    (long long)(object->modified / NSEC_PER_MSEC));
}

/* What an answer says, given in pieces of `step` bytes. */
static int parse(const char *xml, size_t step, struct text *said, struct error *error)
{
        _cleanup_(s3_listing_free_p) struct s3_listing *listing = s3_listing_new(put_object, said);
        const struct s3_answer *answer;
        size_t length = strlen(xml);
        assert_non_null(listing);
        for (size_t at = 0; at < length; at += step)
                s3_listing_feed(listing, xml + at, length - at < step ? length - at : step, NULL);
        int r = s3_listing_end(listing, &answer, error);
        text_printf(said, "%s%s%s|%s|%s|%s|%s", answer->is_listing ? "listing" : "",
                    answer->is_error ? "error" : "", answer->truncated ? " truncated" : "",
                    text_string(&answer->next), text_string(&answer->code), text_string(&answer->region),
                    text_string(&answer->endpoint));
        return r;
}

static void assert_says(const char *xml, const char *expected)
{
        for (size_t step = 1; step < 100; step += 33) {
                _cleanup_error_ struct error error = {0};
                _cleanup_text_ struct text said = {0};
                assert_int_equal(parse(xml, step, &said, &error), 0);
                assert_string_equal(text_string(&said), expected);
        }
}

static void assert_refused(const char *xml, int code, const char *why)
{
        for (size_t step = 1; step < 100; step += 33) {
                _cleanup_error_ struct error error = {0};
                _cleanup_text_ struct text said = {0};
                assert_int_equal(parse(xml, step, &said, &error), -code);
                if (!strstr(error_text(&error), why))
                        fail_msg("no \"%s\" in: %s", why, error_text(&error));
        }
}

#define OBJECT(key, size, time)                                                                       \
        "<Contents><Key>" key "</Key><LastModified>" time "</LastModified><ETag>&quot;0&quot;</ETag>" \
        "<Size>" size "</Size><Owner><ID>a</ID><Key>not this</Key></Owner></Contents>"

static void test_answers(void **state _unused_)
{
        assert_says(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
                "<IsTruncated>true</IsTruncated><NextContinuationToken>1/+=</NextContinuationToken>" OBJECT(
                        "a/b &amp; &#xe4;<![CDATA[<]]>", "12", "2026-01-02T03:04:05.000Z")
                        OBJECT("c", "18446744073709551615",
                               "2026-01-02T03:04:06Z") "<CommonPrefixes><Prefix>p/</Prefix></"
                                                       "CommonPrefixes></ListBucketResult>",
                "a/b & \xc3\xa4< 12 1767323045000\nc 18446744073709551615 1767323046000\n"
                "listing truncated|1/+=|||");
        assert_says("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", "listing||||");
        assert_says(
                "<s:ListBucketResult xmlns:s=\"x\"><s:IsTruncated>true</s:IsTruncated></s:ListBucketResult>",
                "listing truncated||||");
        assert_says("<Error><Code>PermanentRedirect</Code><Message>M</Message><AWSAccessKeyId>AKID</"
                    "AWSAccessKeyId>"
                    "<Region>r</Region><Endpoint>e</Endpoint><X><Code>other</Code></X></Error>",
                    "error||PermanentRedirect|r|e");
}

static void test_answers_that_are_none(void **state _unused_)
{
        static const char long_key_end[] = "</Key></Contents></ListBucketResult>";
        _cleanup_free_ char *blanks = NULL, *long_key = NULL;
        assert_refused("", EBADMSG, "line 1: no element found");
        assert_refused("<html></html>", EBADMSG, "not S3's");
        assert_refused("<ListBucketResult><Contents>", EBADMSG, "line 1: no element found");
        assert_refused("<ListBucketResult>\n</Error>", EBADMSG, "line 2: mismatched tag");
        assert_refused("<!DOCTYPE a [<!ENTITY x \"y\">]><ListBucketResult/>", EBADMSG, "document type");
        assert_refused("<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>",
                       EBADMSG, "no key, size or time");
        assert_refused("<ListBucketResult>" OBJECT("a", "1e3", "2026-01-02T03:04:05Z") "</ListBucketResult>",
                       EBADMSG, "size is not a number");
        assert_refused("<ListBucketResult>" OBJECT("a", "18446744073709551616",
                                                   "2026-01-02T03:04:05Z") "</ListBucketResult>",
                       EBADMSG, "size is not a number");
        assert_refused("<ListBucketResult>" OBJECT("a", "1", "yesterday") "</ListBucketResult>", EBADMSG,
                       "time is not a time");
        assert_refused("<ListBucketResult><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>", EBADMSG,
                       "not S3's");

        blanks = malloc(5000);
        assert_non_null(blanks);
        memset(blanks, 'k', 4999);
        blanks[4999] = '\0';
        long_key = text_format("<ListBucketResult><Contents><Key>%s%s", blanks, long_key_end);
        assert_refused(long_key, EMSGSIZE, "too long");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_urls),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_answers_that_are_none),
        };
        setenv("RUNBOOK_TEST_ACCESS", "AKID", 1);
        setenv("RUNBOOK_TEST_SECRET", "secret", 1);
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
