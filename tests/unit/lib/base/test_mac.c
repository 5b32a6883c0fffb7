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
                assert_int_equal(mac_new(key, examples[i].key_length, NULL, &mac), 0);
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
        static unsigned char bytes[20000];
        unsigned char whole[DIGEST_SIZE], parts[DIGEST_SIZE];
        _cleanup_mac_ struct mac *mac = NULL;
        assert_int_equal(mac_new((const unsigned char *)"key", 3, NULL, &mac), 0);
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

/* With a memory or without, of texts that begin alike, of one byte more or less, large ones, and the same
 * again from another. */
static void test_a_memory_changes_nothing(void **state _unused_)
{
        static unsigned char bytes[6000];
        struct mac_memory *memory = mac_memory_new();
        struct mac *plain = NULL, *one = NULL, *other = NULL;
        assert_non_null(memory);
        assert_int_equal(mac_new((const unsigned char *)"key", 3, NULL, &plain), 0);
        assert_int_equal(mac_new((const unsigned char *)"key", 3, memory, &one), 0);
        assert_int_equal(mac_new((const unsigned char *)"key", 3, memory, &other), 0);
        for (unsigned i = 0; i < 20000; i++) {
                struct mac *macs[] = {plain, one, other, one};
                unsigned char sums[N_ELEMENTS(macs)][DIGEST_SIZE];
                size_t length = i % 2 ? 200 : i * 7919 % (i % 50 == 0 ? sizeof(bytes) : 200);
                if (length > 0)
                        bytes[length - 1 - i / 2 % 4 * (length / 5)] ^= (unsigned char)(1 << i % 8);
                for (size_t k = 0; k < N_ELEMENTS(macs); k++) {
                        mac_add(macs[k], bytes, length / 2);
                        mac_add(macs[k], bytes + length / 2, length - length / 2);
                        assert_int_equal(mac_end(macs[k], sums[k]), 0);
                        assert_memory_equal(sums[k], sums[0], DIGEST_SIZE);
                }
        }
        mac_free(plain);
        mac_free(one);
        mac_free(other);
        mac_memory_free(memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_examples_again_and_again),
                cmocka_unit_test(test_large),
                cmocka_unit_test(test_a_memory_changes_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
