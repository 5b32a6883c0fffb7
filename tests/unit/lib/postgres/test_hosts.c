/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/postgres/internal.h"

static void assert_hosts(const char *dsn, const char *names, const char *addresses, const char *ports)
{
        _cleanup_(postgres_hosts_release) struct postgres_hosts hosts = {0};
        _cleanup_error_ struct error error = {0};
        if (postgres_hosts_resolve(dsn, deadline_in(5 * NSEC_PER_SEC), &hosts, &error) < 0)
                fail_msg("%s: %s", dsn, error_text(&error));
        assert_string_equal(text_string(&hosts.names), names);
        assert_string_equal(text_string(&hosts.addresses), addresses);
        assert_string_equal(text_string(&hosts.ports), ports);
}

static void every_host_gets_its_addresses(void **state _unused_)
{
        assert_hosts("host=127.0.0.1 dbname=x", "127.0.0.1", "127.0.0.1", "");
        assert_hosts("host=127.0.0.1 port=6432", "127.0.0.1", "127.0.0.1", "");
        assert_hosts("postgresql://u@[::1]:6432/x", "::1", "::1", "");
        assert_hosts("host=127.0.0.1,/run/pg,::1 port=1,2,3", "127.0.0.1,/run/pg,::1", "127.0.0.1,,::1",
                     "1,2,3");
        assert_hosts("host=127.0.0.1,127.0.0.2 port=6432", "127.0.0.1,127.0.0.2", "127.0.0.1,127.0.0.2", "");
}

/* What is libpq's to find, by its own means. */
static void what_is_no_name_is_left_alone(void **state _unused_)
{
        static const char *const others[] = {"dbname=x", "service=mcp", "host=db.example hostaddr=127.0.0.1"};
        unsetenv("PGHOST");
        for (size_t i = 0; i < N_ELEMENTS(others); i++)
                assert_hosts(others[i], "", "", "");
        assert_hosts("host=/run/pg", "/run/pg", "", "");
        setenv("PGHOST", "127.0.0.1", 1);
        assert_hosts("dbname=x", "127.0.0.1", "127.0.0.1", "");
        setenv("PGHOSTADDR", "127.0.0.2", 1);
        assert_hosts("dbname=x", "", "", "");
        unsetenv("PGHOST");
        unsetenv("PGHOSTADDR");
}

/* Of several hosts one that is not known is passed over, as libpq passes over one that does not answer. */
static void a_name_without_address_is_told(void **state _unused_)
{
        _cleanup_(postgres_hosts_release) struct postgres_hosts hosts = {0};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(postgres_hosts_resolve("host=no-such-host.invalid", deadline_in(5 * NSEC_PER_SEC),
                                                &hosts, &error),
                         -EHOSTUNREACH);
        assert_non_null(strstr(error_text(&error), "\"no-such-host.invalid\""));
        assert_hosts("host=no-such-host.invalid,127.0.0.1 port=1,2", "127.0.0.1", "127.0.0.1", "2");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_host_gets_its_addresses),
                cmocka_unit_test(what_is_no_name_is_left_alone),
                cmocka_unit_test(a_name_without_address_is_told),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
