/* SPDX-License-Identifier: Apache-2.0 */
/* The system's authorities: all that the file has, read once, and trusted. */
#include <curl/curl.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "lib/http/client/trust.h"
#include "runbook/common.h"
#include "tests/harness/unit.h"

static bool is_trusted(X509_STORE *store, X509 *certificate)
{
        X509_STORE_CTX *context = X509_STORE_CTX_new();
        bool trusted = false;
        assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
        trusted = X509_verify_cert(context) == 1;
        X509_STORE_CTX_free(context);
        return trusted;
}

static void all_authorities_of_the_file_are_trusted(void **state _unused_)
{
        const char *path = curl_version_info(CURLVERSION_NOW)->cainfo;
        X509_STORE *store = trust_system();
        FILE *file = fopen(path, "re");
        X509 *certificate;
        size_t count = 0;
        assert_non_null(file);
        assert_non_null(store);
        while ((certificate = PEM_read_X509(file, NULL, NULL, NULL))) {
                assert_true(is_trusted(store, certificate));
                X509_free(certificate);
                count++;
        }
        fclose(file);
        assert_true(count > 10);
        X509_STORE_free(store);
}

static void nobody_else_is_trusted(void **state _unused_)
{
        X509_STORE *store = trust_system();
        X509 *certificate = X509_new();
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509_set_version(certificate, X509_VERSION_3);
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                   (const unsigned char *)"Nobody", -1, -1, 0);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        X509_set_pubkey(certificate, key);
        assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
        assert_false(is_trusted(store, certificate));
        EVP_PKEY_free(key);
        X509_free(certificate);
        X509_STORE_free(store);
}

static void they_are_read_once(void **state _unused_)
{
        X509_STORE *first = trust_system(), *second = trust_system();
        assert_non_null(first);
        assert_ptr_equal(first, second);
        X509_STORE_free(first);
        X509_STORE_free(second);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_authorities_of_the_file_are_trusted),
                cmocka_unit_test(nobody_else_is_trusted),
                cmocka_unit_test(they_are_read_once),
        };
        return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
