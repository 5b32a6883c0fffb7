/* SPDX-License-Identifier: Apache-2.0 */
/* Kind systemd, against a server that speaks D-Bus as systemd's own socket does, and over a real bus. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "tests/harness/files.h"
#include "tests/harness/kind.h"

struct fake_unit {
        const char *name, *load_state, *active_state, *result;
        uint64_t entered, exited, triggered;
        uint32_t restarts;
};

static struct fake_unit units[] = {
        {"aem-mcp-read-server.service", "loaded", "active", "success", 1700000000500000, 0, 0, 3},
        {"aem-mcp-write-server.service", "loaded", "failed", "exit-code", 1700000000000000, 1700000100000000,
         0, 5},
        {"logrotate.service", "loaded", "inactive", "success", 1700000000000000, 1700000200000000, 0, 0},
        {"logrotate.timer", "loaded", "active", "success", 1700000000000000, 0, 1700000300000000, 0},
        {"absent.service", "not-found", "inactive", "success", 0, 0, 0, 0},
};

static const sd_bus_vtable unit_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("LoadState", "s", NULL, offsetof(struct fake_unit, load_state), 0),
        SD_BUS_PROPERTY("ActiveState", "s", NULL, offsetof(struct fake_unit, active_state), 0),
        SD_BUS_PROPERTY("ActiveEnterTimestamp", "t", NULL, offsetof(struct fake_unit, entered), 0),
        SD_BUS_VTABLE_END,
};
static const sd_bus_vtable service_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("NRestarts", "u", NULL, offsetof(struct fake_unit, restarts), 0),
        SD_BUS_PROPERTY("ExecMainExitTimestamp", "t", NULL, offsetof(struct fake_unit, exited), 0),
        SD_BUS_PROPERTY("Result", "s", NULL, offsetof(struct fake_unit, result), 0),
        SD_BUS_VTABLE_END,
};
static const sd_bus_vtable timer_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("LastTriggerUSec", "t", NULL, offsetof(struct fake_unit, triggered), 0),
        SD_BUS_VTABLE_END,
};

static char directory[64], *path;
static int listener;
static bool silent; /* takes connections and never says a word */
static pthread_t thread;

static void add_units(sd_bus *bus)
{
        for (size_t i = 0; i < N_ELEMENTS(units); i++) {
                char *object = NULL;
                sd_bus_path_encode("/org/freedesktop/systemd1/unit", units[i].name, &object);
                sd_bus_add_object_vtable(bus, NULL, object, "org.freedesktop.systemd1.Unit", unit_table,
                                         &units[i]);
                sd_bus_add_object_vtable(bus, NULL, object, "org.freedesktop.systemd1.Service", service_table,
                                         &units[i]);
                sd_bus_add_object_vtable(bus, NULL, object, "org.freedesktop.systemd1.Timer", timer_table,
                                         &units[i]);
                free(object);
        }
}

static void serve(int fd)
{
        sd_bus *bus = NULL;
        sd_id128_t id = {.bytes = {1, 2, 3}};
        sd_bus_new(&bus);
        sd_bus_set_fd(bus, fd, fd);
        sd_bus_set_server(bus, 1, id);
        sd_bus_start(bus);
        add_units(bus);
        for (int r = 0; r >= 0;) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        sd_bus_close_unref(bus);
}

static void *accept_all(void *unused _unused_)
{
        for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
                if (!silent) {
                        serve(fd);
                        continue;
                }
                struct pollfd poller = {.fd = fd, .events = POLLRDHUP};
                poll(&poller, 1, -1);
                close(fd);
        }
        return NULL;
}

static int start(void **state)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        silent = *state != NULL;
        strcpy(directory, "/tmp/runbook-test-systemd-XXXXXX");
        assert_non_null(mkdtemp(directory));
        path = text_format("%s/private", directory);
        strcpy(address.sun_path, path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 4), 0);
        return pthread_create(&thread, NULL, accept_all, NULL);
}

static int stop(void **state _unused_)
{
        shutdown(listener, SHUT_RDWR);
        pthread_join(thread, NULL);
        close(listener);
        unlink(path);
        free(path);
        return rmdir(directory);
}

/* A real bus, on which somebody has systemd's name. */
static pid_t bus_daemon;
static sd_bus *on_bus;

static void *serve_bus(void *unused _unused_)
{
        for (int r = 0; r >= 0;) {
                r = sd_bus_process(on_bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(on_bus, UINT64_MAX);
        }
        return NULL;
}

static int start_bus(void **state _unused_)
{
        int ready[2];
        char c;
        strcpy(directory, "/tmp/runbook-test-systemd-XXXXXX");
        assert_non_null(mkdtemp(directory));
        path = text_format("%s/bus", directory);
        _cleanup_free_ char *config = text_format(
                "<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>"
                "<policy context=\"default\"><allow send_destination=\"*\"/><allow own=\"*\"/>"
                "<allow receive_sender=\"*\"/></policy></busconfig>",
                path);
        _cleanup_free_ char *option = text_format("--config-file=%s/bus.conf", directory);
        write_file(directory, "bus.conf", config, strlen(config));
        assert_int_equal(pipe(ready), 0);
        bus_daemon = fork();
        if (bus_daemon == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(ready[1], STDOUT_FILENO); /* the bus tells its address when it listens */
                execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile", "--print-address",
                       NULL);
                _exit(1);
        }
        close(ready[1]);
        assert_int_equal(read(ready[0], &c, 1), 1);
        close(ready[0]);

        _cleanup_free_ char *address = text_format("unix:path=%s", path);
        assert_true(sd_bus_new(&on_bus) >= 0);
        assert_true(sd_bus_set_address(on_bus, address) >= 0);
        assert_true(sd_bus_set_bus_client(on_bus, true) >= 0);
        assert_true(sd_bus_start(on_bus) >= 0);
        assert_true(sd_bus_request_name(on_bus, "org.freedesktop.systemd1", 0) >= 0);
        add_units(on_bus);
        return pthread_create(&thread, NULL, serve_bus, NULL);
}

/* Without its bus whoever served on it ends, too. */
static int stop_bus(void **state _unused_)
{
        kill(bus_daemon, SIGTERM);
        waitpid(bus_daemon, NULL, 0);
        pthread_join(thread, NULL);
        on_bus = sd_bus_close_unref(on_bus);
        unlink(path);
        free(path);
        path = text_format("%s/bus.conf", directory);
        unlink(path);
        free(path);
        return rmdir(directory);
}

static int run(const char *options, nsec timeout, char **ret_page, struct error *error)
{
        _cleanup_free_ char *yaml = text_format("{address: 'unix:path=%s', direct: %s, %s}", path,
                                                on_bus ? "false" : "true", options);
        struct check_set *set = load_check("systemd", yaml, NULL);
        int r = run_check(set, timeout, ret_page, error);
        check_set_free(set);
        return r;
}

#define UNIT(name) "{unit=\"" name "\"}"

static void units_are_told_as_they_stand(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        if (run("units: [aem-mcp-read-server.service, logrotate.timer], finished: logrotate.service",
                10 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_line(page,
                    "runbook_systemd_unit_state{unit=\"aem-mcp-read-server.service\",state=\"active\"} 1");
        assert_line(page,
                    "runbook_systemd_unit_state{unit=\"aem-mcp-read-server.service\",state=\"failed\"} 0");
        assert_line(page, "runbook_systemd_unit_active_enter_timestamp_seconds" UNIT(
                                  "aem-mcp-read-server.service") " 1700000000.5");
        assert_line(page, "runbook_systemd_unit_restarts_total" UNIT("aem-mcp-read-server.service") " 3");
        assert_line(page, "runbook_systemd_unit_state{unit=\"logrotate.service\",state=\"inactive\"} 1");
        assert_line(page, "runbook_systemd_unit_last_exit_timestamp_seconds" UNIT(
                                  "logrotate.service") " 1700000200");
        assert_nowhere(page, "last_exit_timestamp_seconds" UNIT("aem-mcp-read-server.service"));
        assert_line(page, "runbook_systemd_timer_last_trigger_timestamp_seconds" UNIT(
                                  "logrotate.timer") " 1700000300");
}

static void what_does_not_run_fails_and_the_others_are_told(void **state _unused_)
{
        static const struct {
                const char *options, *reason;
        } cases[] = {
                {"units: [aem-mcp-write-server.service, logrotate.timer]",
                 "aem-mcp-write-server.service is failed"},
                {"units: [absent.service, logrotate.timer]", "absent.service is not-found"},
                {"units: [logrotate.service, logrotate.timer]", "logrotate.service is inactive"},
                {"finished: [aem-mcp-write-server.service], units: [logrotate.timer]",
                 "its last run ended with exit-code"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *page = NULL;
                _cleanup_error_ struct error error = {0};
                assert_true(run(cases[i].options, 10 * NSEC_PER_SEC, &page, &error) < 0);
                if (!strstr(error_text(&error), cases[i].reason))
                        fail_msg("%s: %s", cases[i].options, error_text(&error));
                assert_line(page, "runbook_systemd_unit_state{unit=\"logrotate.timer\",state=\"active\"} 1");
        }
}

static void a_bus_that_says_nothing_is_left_at_the_deadline(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(run("units: a.service", NSEC_PER_SEC / 10, &page, &error), -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "no answer in time"));
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("systemd", "{}", "units or finished is needed");
        assert_complaint("systemd", "{units: [ssh]}", "\"ssh\" is not the name of a unit");
        assert_complaint("systemd", "{finished: ['a*.service']}", "is not the name of a unit");
        assert_complaint("systemd", "{units: [a.service], address: 'tcp:host=a'}", "is not unix:path=/");
}

int main(void)
{
        static int yes;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(units_are_told_as_they_stand, start, stop),
                cmocka_unit_test_setup_teardown(units_are_told_as_they_stand, start_bus, stop_bus),
                cmocka_unit_test_setup_teardown(what_does_not_run_fails_and_the_others_are_told, start_bus,
                                                stop_bus),
                cmocka_unit_test_setup_teardown(what_does_not_run_fails_and_the_others_are_told, start, stop),
                cmocka_unit_test_prestate_setup_teardown(a_bus_that_says_nothing_is_left_at_the_deadline,
                                                         start, stop, &yes),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
