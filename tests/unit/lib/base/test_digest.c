/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against the examples of FIPS 180-4 and what sha256sum(1) prints. */

#include <string.h>

#include "runbook/digest.h"
#include "tests/harness/unit.h"

static const struct {
        const char *bytes, *sum;
} examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void assert_sum(const unsigned char sum[static DIGEST_SIZE], const char *expected)
{
        char text[DIGEST_TEXT_MAX];
        assert_string_equal(digest_text(sum, text), expected);
        assert_ptr_equal(digest_text(sum, text), text);
}

static void test_of_bytes(void **state _unused_)
{
        unsigned char sum[DIGEST_SIZE];
        for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
                assert_int_equal(digest_of(examples[i].bytes, strlen(examples[i].bytes), sum), 0);
                assert_sum(sum, examples[i].sum);
        }
}

static void test_piece_by_piece(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(examples); i++)
                for (size_t piece = 1; piece < 8; piece++) {
                        _cleanup_digest_ struct digest digest = {0};
                        unsigned char sum[DIGEST_SIZE];
                        for (size_t at = 0, length = strlen(examples[i].bytes); at < length; at += piece)
                                digest_add(&digest, examples[i].bytes + at,
                                           length - at < piece ? length - at : piece);
                        assert_int_equal(digest_end(&digest, sum), 0);
                        assert_sum(sum, examples[i].sum);
                }
}

static void test_begins_anew_after_its_end(void **state _unused_)
{
        _cleanup_digest_ struct digest digest = {0};
        unsigned char sum[DIGEST_SIZE];
        for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
                digest_add(&digest, examples[i].bytes, strlen(examples[i].bytes));
                assert_int_equal(digest_end(&digest, sum), 0);
                assert_sum(sum, examples[i].sum);
        }
        digest_add(&digest, "never asked for", 15); /* and released */
}

static void test_a_failure_on_the_way_shows_at_the_end(void **state _unused_)
{
        struct digest digest = {.failed = true};
        unsigned char sum[DIGEST_SIZE];
        digest_add(&digest, "abc", 3);
        assert_true(digest_end(&digest, sum) < 0);
        digest_add(&digest, "abc", 3);
        assert_int_equal(digest_end(&digest, sum), 0);
        assert_sum(sum, examples[1].sum);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_of_bytes),
                cmocka_unit_test(test_piece_by_piece),
                cmocka_unit_test(test_begins_anew_after_its_end),
                cmocka_unit_test(test_a_failure_on_the_way_shows_at_the_end),
        };
        return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
