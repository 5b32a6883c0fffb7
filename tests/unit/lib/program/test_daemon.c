/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon's life by signals that were sent before it waits for them, and the check of its files. */
#include "runbook/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "runbook/http_server.h"
#include "runbook/text.h"
#include "tests/harness/unit.h"

/* What happened, a letter each: start, reload, end. */
struct life {
        struct text text;
        const int *signals; /* sent while it starts; closed by 0 */
        int result;         /* of start() */
};

static int start(void *context, struct error *error)
{
        struct life *life = context;
        text_putc(&life->text, 's');
        for (const int *number = life->signals; *number; number++)
                assert_int_equal(kill(getpid(), *number), 0);
        return life->result < 0 ? error_set(error, -life->result, "it cannot") : 0;
}

static void reload(void *context)
{
        struct life *life = context;
        text_putc(&life->text, 'r');
}

static void end(void *context)
{
        struct life *life = context;
        text_putc(&life->text, 'e');
}

static void it_serves_until_it_is_told_to_end(void **state _unused_)
{
        static const struct daemon daemon = {"daemon", start, reload, end};
        struct life life = {.signals = (const int[]){SIGHUP, SIGTERM, 0}};
        assert_int_equal(daemon_serve(&daemon, &life), EXIT_FINE);
        assert_string_equal(text_string(&life.text), "sre");
        text_free(&life.text);

        life = (struct life){.signals = (const int[]){SIGINT, 0}};
        assert_int_equal(daemon_serve(&daemon, &life), EXIT_FINE);
        assert_string_equal(text_string(&life.text), "se");
        text_free(&life.text);
}

static void what_it_began_is_ended_when_it_cannot_start(void **state _unused_)
{
        static const struct daemon daemon = {"daemon", start, NULL, end};
        struct life life = {.signals = (const int[]){0}, .result = -EADDRINUSE};
        assert_int_equal(daemon_serve(&daemon, &life), EXIT_FAILED);
        assert_string_equal(text_string(&life.text), "se");
        text_free(&life.text);
}

static int read_config(const void *context, struct text *verdict, struct error *error)
{
        const bool *fine = context;
        if (!*fine)
                return error_set(error, EINVAL, "x.yml:1:1: no");
        text_puts(verdict, "x.yml: no mistakes\n");
        return 0;
}

static void a_check_looks_at_both_files(void **state _unused_)
{
        char web[] = "/tmp/runbook-daemon-XXXXXX";
        const bool fine = true, broken = false;
        int fd = mkstemp(web);
        assert_true(fd >= 0);
        assert_int_equal(daemon_check(NULL, read_config, &fine), EXIT_FINE);
        assert_int_equal(daemon_check(NULL, read_config, &broken), EXIT_FAILED);
        assert_int_equal(daemon_check(web, read_config, &fine),
                         EXIT_FINE); /* an empty file configures nothing */
        assert_int_equal(write(fd, "users: {}\n", 10), 10);
        close(fd);
        assert_int_equal(daemon_check(web, read_config, &fine), EXIT_FAILED);
        assert_int_equal(daemon_check(web, read_config, &broken), EXIT_FAILED);
        unlink(web);
}

static void the_socket_of_systemd_stands_for_an_address(void **state _unused_)
{
        struct daemon_arguments arguments = {.listen_addresses = {{":1", "[::1]:2"}, 2}};
        _cleanup_text_ struct text all = {0};
        daemon_put_addresses(&arguments, &all);
        assert_string_equal(text_string(&all), ":1, [::1]:2");
        arguments.systemd_socket = true;
        assert_string_equal(daemon_listen_addresses(&arguments)[0], HTTP_SYSTEMD_SOCKET);
}

static void the_machines_file_comes_before_one_in_the_directory_of_the_call(void **state)
{
        (void)state;
        struct daemon_arguments arguments = {0};
        daemon_settle_config(&arguments, "/nonexistent/checks.yml", "rules/checks.yml");
        assert_string_equal(arguments.config_file, "rules/checks.yml");
        arguments.config_file = NULL;
        daemon_settle_config(&arguments, "/etc/passwd", "rules/checks.yml");
        assert_string_equal(arguments.config_file, "/etc/passwd");
        arguments.config_file = "given.yml";
        daemon_settle_config(&arguments, "/etc/passwd", "rules/checks.yml");
        assert_string_equal(arguments.config_file, "given.yml");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_serves_until_it_is_told_to_end),
        cmocka_unit_test(what_it_began_is_ended_when_it_cannot_start),
        cmocka_unit_test(a_check_looks_at_both_files),
        cmocka_unit_test(the_socket_of_systemd_stands_for_an_address),
        cmocka_unit_test(the_machines_file_comes_before_one_in_the_directory_of_the_call),
};

int main(void)
{
        return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
