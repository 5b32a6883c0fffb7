/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-256 against the examples of RFC 4231. */
#include <string.h>

#include "runbook/mac.h"
#include "tests/harness/unit.h"

static const struct {
        size_t key_length;
        unsigned char key;
        const char *bytes, *sum;
} examples[] = {
        {20, 0x0b, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {131, 0xaa, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

static void assert_sum(struct mac *mac, const char *expected)
{
        unsigned char sum[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];
        assert_int_equal(mac_end(mac, sum), 0);
        assert_string_equal(digest_text(sum, text), expected);
}

static void test_examples_again_and_again(void **state _unused_)
{
        unsigned char key[131];
        for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
                _cleanup_mac_ struct mac *mac = NULL;
                memset(key, examples[i].key, examples[i].key_length);
                assert_int_equal(mac_new(key, examples[i].key_length, &mac), 0);
                for (size_t piece = 1; piece < 6; piece++) {
                        for (size_t at = 0, length = strlen(examples[i].bytes); at < length; at += piece)
                                mac_add(mac, examples[i].bytes + at,
                                        piece < length - at ? piece : length - at);
                        assert_sum(mac, examples[i].sum);
                }
        }
}

/* What is larger than what is gathered gives the same in one piece and in many. */
static void test_large(void **state _unused_)
{
        static unsigned char bytes[5000];
        unsigned char whole[DIGEST_SIZE], parts[DIGEST_SIZE];
        _cleanup_mac_ struct mac *mac = NULL;
        assert_int_equal(mac_new((const unsigned char *)"key", 3, &mac), 0);
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char)(i * 7);
        mac_add(mac, bytes, sizeof(bytes));
        assert_int_equal(mac_end(mac, whole), 0);
        for (size_t at = 0; at < sizeof(bytes); at += 100)
                mac_add(mac, bytes + at, 100);
        assert_int_equal(mac_end(mac, parts), 0);
        assert_memory_equal(whole, parts, DIGEST_SIZE);
        mac_add(mac, bytes, sizeof(bytes) - 1);
        assert_int_equal(mac_end(mac, parts), 0);
        assert_memory_not_equal(whole, parts, DIGEST_SIZE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_examples_again_and_again),
                cmocka_unit_test(test_large),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
