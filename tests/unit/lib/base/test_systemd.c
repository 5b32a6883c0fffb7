/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd hears, and when, over a socket of the test's own. */
#include "runbook/systemd.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runbook/text.h"
#include "tests/harness/unit.h"

/* In the abstract namespace, so that no file is left. */
static int listen_as_systemd(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char name[64];
        int length = snprintf(name, sizeof(name), "@runbook-test-%d", (int)getpid());
        memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)),
                         0);
        setenv("NOTIFY_SOCKET", name, true);
        return fd;
}

static void assert_heard(int fd, const char *expected)
{
        char heard[256] = "";
        ssize_t length = recv(fd, heard, sizeof(heard) - 1, 0);
        assert_string_equal(length > 0 ? heard : "", expected);
}

static void it_is_told_of_ready_reload_and_end(void **state)
{
        (void)state;
        _cleanup_close_ int fd = listen_as_systemd();
        char heard[256] = "";
        systemd_ready();
        assert_heard(fd, "READY=1");
        systemd_reloading();
        assert_true(recv(fd, heard, sizeof(heard) - 1, 0) > 0);
        assert_memory_equal(heard, "RELOADING=1\nMONOTONIC_USEC=", 27);
        systemd_stopping();
        assert_heard(fd, "STOPPING=1");
}

static void the_watchdog_hears_in_half_of_its_patience(void **state)
{
        (void)state;
        _cleanup_close_ int fd = listen_as_systemd();
        _cleanup_free_ char *own = text_format("%d", (int)getpid());
        nsec next = 0;
        setenv("WATCHDOG_USEC", "60000000", true);
        setenv("WATCHDOG_PID", own, true);
        systemd_alive(5 * NSEC_PER_SEC, &next);
        assert_heard(fd, "WATCHDOG=1");
        assert_int_equal(next, 35 * NSEC_PER_SEC);
        systemd_alive(35 * NSEC_PER_SEC - 1, &next);
        assert_heard(fd, "");
        systemd_alive(35 * NSEC_PER_SEC, &next);
        assert_heard(fd, "WATCHDOG=1");
        assert_int_equal(next, 65 * NSEC_PER_SEC);
}

static void nobody_hears_where_nobody_watches(void **state)
{
        (void)state;
        static const struct {
                const char *patience, *process;
        } cases[] = {{NULL, NULL}, {"", NULL},   {"x", NULL},      {"0", NULL},
                     {"-1", NULL}, {"1s", NULL}, {"60000000", "1"}};
        _cleanup_close_ int fd = listen_as_systemd();
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                nsec next = 0;
                unsetenv("WATCHDOG_USEC");
                unsetenv("WATCHDOG_PID");
                if (cases[i].patience)
                        setenv("WATCHDOG_USEC", cases[i].patience, true);
                if (cases[i].process)
                        setenv("WATCHDOG_PID", cases[i].process, true);
                systemd_alive(1, &next);
                assert_true(next == INT64_MAX);
                assert_heard(fd, "");
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_of_ready_reload_and_end),
        cmocka_unit_test(the_watchdog_hears_in_half_of_its_patience),
        cmocka_unit_test(nobody_hears_where_nobody_watches),
};

int main(void)
{
        return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
