/* SPDX-License-Identifier: Apache-2.0 */
/* Kind tls: its options. What it measures is tested on real servers in tests/integration/test_kinds_tls.py.
 */
#include "tests/harness/kind.h"

static void an_address_is_a_host_and_a_port(void **state _unused_)
{
        static const char *const good[] = {"localhost:443", "127.0.0.1:1", "'[::1]:65535'"};
        static const char *const bad[] = {"localhost", "':443'",          "'::1:443'",
                                          "'[::1]'",   "'https://a:443'", "'a b:443'"};
        for (size_t i = 0; i < N_ELEMENTS(good); i++) {
                _cleanup_free_ char *yaml = text_format("{address: %s}", good[i]);
                check_set_free(load_check("tls", yaml, NULL));
        }
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                _cleanup_free_ char *yaml = text_format("{address: %s}", bad[i]);
                assert_complaint("tls", yaml, "is not host:port or [IPv6]:port");
        }
        assert_complaint("tls", "{address: 'a:0'}", "\"0\" is not a port");
        assert_complaint("tls", "{address: 'a:65536'}", "\"65536\" is not a port");
        assert_complaint("tls", "{address: 'a:+4'}", "\"+4\" is not a port");
        assert_complaint("tls", "{address: 'a:4x'}", "\"4x\" is not a port");
}

static void options_that_do_not_go_together_are_refused(void **state _unused_)
{
        assert_complaint("tls", "{}", "either address or files is needed");
        assert_complaint("tls", "{address: 'a:1', files: /x}", "either address or files is needed");
        assert_complaint("tls", "{files: x.pem}", "\"x.pem\" is not an absolute path");
        assert_complaint("tls", "{files: /x, starttls: postgres}", "go with an address");
        assert_complaint("tls", "{files: /x, tls_config: {ca_file: /y}}", "go with an address");
        assert_complaint("tls", "{address: 'a:1', starttls: smtp}", "postgres");
        assert_complaint("tls", "{address: 'a:1', tls_config: {cert_file: /x}}", "only of use together");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_is_a_host_and_a_port),
                cmocka_unit_test(options_that_do_not_go_together_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
