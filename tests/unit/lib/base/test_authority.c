/* SPDX-License-Identifier: Apache-2.0 */
#include "runbook/authority.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/harness/unit.h"

#define DAY (24 * 3600 * NSEC_PER_SEC)

static X509 *certificate_of(const struct text *pem)
{
        BIO *in = BIO_new_mem_buf(pem->data, (int)pem->length);
        X509 *read = PEM_read_bio_X509(in, NULL, NULL, NULL);
        assert_non_null(read);
        BIO_free(in);
        return read;
}

static void what_it_issues_is_its_own_and_for_those_names(void **state _unused_)
{
        static const char *const names[] = {"host.docker.internal", "10.0.0.1", "::1"};
        _cleanup_authority_ struct authority *authority = NULL;
        _cleanup_text_ struct text root = {0}, leaf = {0}, key = {0};
        assert_int_equal(authority_new(30 * DAY, &authority, NULL), 0);
        assert_int_equal(authority_certificate(authority, &root, NULL), 0);
        assert_int_equal(authority_issue(authority, names, N_ELEMENTS(names), &leaf, &key, NULL), 0);
        X509 *by = certificate_of(&root), *made = certificate_of(&leaf);
        assert_int_equal(X509_verify(made, X509_get0_pubkey(by)), 1);
        assert_int_equal(X509_check_issued(by, made), X509_V_OK);
        assert_int_equal(X509_check_host(made, "host.docker.internal", 0, 0, NULL), 1);
        assert_int_equal(X509_check_host(made, "other.docker.internal", 0, 0, NULL), 0);
        assert_int_equal(X509_check_ip_asc(made, "10.0.0.1", 0), 1);
        assert_int_equal(X509_check_ip_asc(made, "::1", 0), 1);
        assert_int_equal(X509_check_ca(by), 1);
        assert_int_equal(X509_check_ca(made), 0);
        assert_true(X509_cmp_current_time(X509_get0_notBefore(made)) < 0);
        assert_true(X509_cmp_current_time(X509_get0_notAfter(made)) > 0);
        assert_non_null(strstr(text_string(&key), "PRIVATE KEY"));
        assert_null(strstr(text_string(&root), "PRIVATE KEY"));
        X509_free(by);
        X509_free(made);
}

static void a_name_is_a_name_and_no_other_word(void **state _unused_)
{
        static const char *const bad[] = {"", "a,DNS:b", "a b", "a\n", "dirName:x", "*"};
        _cleanup_authority_ struct authority *authority = NULL;
        assert_int_equal(authority_new(DAY, &authority, NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                _cleanup_text_ struct text leaf = {0}, key = {0};
                _cleanup_error_ struct error error = {0};
                assert_int_equal(authority_issue(authority, &bad[i], 1, &leaf, &key, &error), -EINVAL);
                assert_int_equal(leaf.length + key.length, 0);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_it_issues_is_its_own_and_for_those_names),
                cmocka_unit_test(a_name_is_a_name_and_no_other_word),
        };
        return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
