/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/program/machine.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runbook/text.h"
#include "tests/harness/files.h"
#include "tests/harness/unit.h"

/* A file, or a directory with a slash at its end, and what is above it. */
static void put(const char *root, const char *path)
{
        _cleanup_free_ char *whole = text_format("%s%s", root, path);
        for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                mkdir(whole, 0755);
                *slash = '/';
        }
        if (whole[strlen(whole) - 1] != '/') {
                FILE *file = fopen(whole, "w");
                assert_non_null(file);
                fclose(file);
        }
}

static char *make_root(void)
{
        char *root = strdup("/tmp/runbook-machine-XXXXXX");
        assert_non_null(mkdtemp(root));
        return root;
}

static void remove_root(char *root)
{
        remove_directory(root);
        free(root);
}

static void authorities_are_found_where_each_family_has_them(void **state _unused_)
{
        static const char *const others[] = {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                             "/etc/ssl/cert.pem"};
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                char *root = make_root();
                assert_null(machine_authorities(root));
                put(root, others[i]);
                assert_string_equal(machine_authorities(root), others[i]);
                remove_root(root);
        }
}

static void where_the_libraries_look_nothing_is_said(void **state _unused_)
{
        char *root = make_root();
        _cleanup_free_ char *directory = text_format("%s/", X509_get_default_cert_dir());
        put(root, "/etc/pki/tls/certs/ca-bundle.crt");
        put(root, "/etc/ssl/certs/ca-certificates.crt");
        /* OpenSSL's own place comes with a package that need not be there. */
        assert_string_equal(machine_authorities(root), "/etc/ssl/certs/ca-certificates.crt");
        put(root, directory);
        assert_null(machine_authorities(root));
        remove_root(root);
}

static void zones_that_came_along_are_for_a_machine_without(void **state _unused_)
{
        static const char program[] = "/opt/runbook/bin/runbook_exporter";
        char *root = make_root();
        assert_null(machine_zones(root, program));
        put(root, "/opt/runbook/share/zoneinfo/");
        _cleanup_free_ char *own = machine_zones(root, program);
        assert_string_equal(own, "/opt/runbook/share/zoneinfo");
        assert_null(machine_zones(root, "/usr/bin/runbook_exporter"));
        assert_null(machine_zones(root, "runbook_exporter"));
        assert_null(machine_zones(root, "/runbook_exporter"));
        put(root, "/usr/share/zoneinfo/");
        assert_null(machine_zones(root, program));
        remove_root(root);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(authorities_are_found_where_each_family_has_them),
                cmocka_unit_test(where_the_libraries_look_nothing_is_said),
                cmocka_unit_test(zones_that_came_along_are_for_a_machine_without),
        };
        return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
