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

#include "exporter/check/skipped.h"
#include "tests/harness/files.h"
#include "tests/harness/kind.h"

struct fake_unit {
        const char *name, *load_state, *active_state, *result;
        uint64_t entered, exited, triggered;
        uint32_t restarts;
        uint64_t left, memory, cpu, tasks, io_read, io_written;
};
#define NONE UINT64_MAX /* not accounted for */

static struct fake_unit units[] = {
        {"aem-mcp-read-server.service", "loaded", "active", "success", 1700000000500000, 0, 0, 3,
         1600000000000000, 4096000, 1500000000, 7, 100, 0},
        {"aem-mcp-write-server.service", "loaded", "failed", "exit-code", 1700000000000000, 1700000100000000,
         0, 5, 1700000100000000, NONE, 250000000, NONE, NONE, NONE},
        {"logrotate.service", "loaded", "inactive", "success", 1700000000000000, 1700000200000000, 0, 0, 0,
         NONE, NONE, NONE, NONE, NONE},
        {"logrotate.timer", "loaded", "active", "success", 1700000000000000, 0, 1700000300000000, 0, 0, NONE,
         NONE, NONE, NONE, NONE},
        {"absent.service", "not-found", "inactive", "success", 0, 0, 0, 0, 0, NONE, NONE, NONE, NONE, NONE},
};

static const sd_bus_vtable unit_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("LoadState", "s", NULL, offsetof(struct fake_unit, load_state), 0),
        SD_BUS_PROPERTY("ActiveState", "s", NULL, offsetof(struct fake_unit, active_state), 0),
        SD_BUS_PROPERTY("InactiveEnterTimestamp", "t", NULL, offsetof(struct fake_unit, left), 0),
        SD_BUS_PROPERTY("ActiveEnterTimestamp", "t", NULL, offsetof(struct fake_unit, entered), 0),
        SD_BUS_VTABLE_END,
};
static const sd_bus_vtable service_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("NRestarts", "u", NULL, offsetof(struct fake_unit, restarts), 0),
        SD_BUS_PROPERTY("ExecMainExitTimestamp", "t", NULL, offsetof(struct fake_unit, exited), 0),
        /* Without MemoryPeak, which systemd has since 255. */
        SD_BUS_PROPERTY("MemoryCurrent", "t", NULL, offsetof(struct fake_unit, memory), 0),
        SD_BUS_PROPERTY("CPUUsageNSec", "t", NULL, offsetof(struct fake_unit, cpu), 0),
        SD_BUS_PROPERTY("TasksCurrent", "t", NULL, offsetof(struct fake_unit, tasks), 0),
        SD_BUS_PROPERTY("IOReadBytes", "t", NULL, offsetof(struct fake_unit, io_read), 0),
        SD_BUS_PROPERTY("IOWriteBytes", "t", NULL, offsetof(struct fake_unit, io_written), 0),
        SD_BUS_PROPERTY("Result", "s", NULL, offsetof(struct fake_unit, result), 0),
        SD_BUS_VTABLE_END,
};
static const sd_bus_vtable timer_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("LastTriggerUSec", "t", NULL, offsetof(struct fake_unit, triggered), 0),
        SD_BUS_VTABLE_END,
};

/* All of them but the one that is not loaded, and as many more as a test wants, of which the last has failed.
 */
#define MORE_MAX 103
static unsigned more_units;
static struct fake_unit one_more = {.load_state = "loaded", .active_state = "active", .result = "success"};

static int append_unit(sd_bus_message *reply, const char *name, const char *state)
{
        return sd_bus_message_append(reply, "(ssssssouso)", name, "what it is", "loaded", state, "sub", "",
                                     "/a", 0, "", "/");
}

static int list_units(sd_bus_message *call, void *unused _unused_, sd_bus_error *failure _unused_)
{
        sd_bus_message *reply = NULL;
        sd_bus_message_new_method_return(call, &reply);
        sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
        for (size_t i = 0; i < N_ELEMENTS(units); i++)
                if (strcmp(units[i].load_state, "loaded") == 0)
                        append_unit(reply, units[i].name, units[i].active_state);
        for (unsigned i = 0; i < more_units; i++) {
                char name[32];
                snprintf(name, sizeof(name), "more-%03u.mount", i);
                append_unit(reply, name, i + 1 == more_units ? "failed" : "active");
        }
        append_unit(reply, "odd.type", "active");
        append_unit(reply, "odd.service", "unheard-of");
        sd_bus_message_close_container(reply);
        int r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

static const sd_bus_vtable manager_table[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("ListUnits", "", "a(ssssssouso)", list_units, 0),
        SD_BUS_VTABLE_END,
};

static char directory[64], *path;
static int listener;
static bool silent; /* takes connections and never says a word */
static pthread_t thread;

static void add_units(sd_bus *bus)
{
        sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                                 manager_table, NULL);
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
        for (unsigned i = 0; i < MORE_MAX; i++) {
                _cleanup_free_ char *object =
                        text_format("/org/freedesktop/systemd1/unit/more_2d%03u_2emount", i);
                sd_bus_add_object_vtable(bus, NULL, object, "org.freedesktop.systemd1.Unit", unit_table,
                                         &one_more);
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

static void what_is_accounted_for_is_told_systemd_exporter_28_180_184(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(
                run("units: [aem-mcp-read-server.service, aem-mcp-write-server.service, logrotate.timer]",
                    10 * NSEC_PER_SEC, &page, &error),
                -ENODATA);
#define READ UNIT("aem-mcp-read-server.service")
#define WRITE UNIT("aem-mcp-write-server.service")
        assert_line(page, "runbook_systemd_unit_memory_bytes" READ " 4096000");
        assert_line(page, "runbook_systemd_unit_cpu_seconds_total" READ " 1.5");
        assert_line(page, "runbook_systemd_unit_tasks" READ " 7");
        assert_line(page, "runbook_systemd_unit_io_read_bytes_total" READ " 100");
        assert_line(page, "runbook_systemd_unit_io_written_bytes_total" READ " 0");
        assert_line(page, "runbook_systemd_unit_inactive_enter_timestamp_seconds" READ " 1600000000");
        /* Of the one that has failed, CPU time is all that is left; a timer has no processes. */
        assert_line(page, "runbook_systemd_unit_cpu_seconds_total" WRITE " 0.25");
        assert_nowhere(page, "memory_bytes" WRITE);
        assert_nowhere(page, "tasks" WRITE);
        assert_nowhere(page, "memory_peak");
        assert_nowhere(page, "tasks" UNIT("logrotate.timer"));
}

static void groups_leave_out_what_is_not_wanted(void **state _unused_)
{
        _cleanup_free_ char *page = NULL, *others = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(run("units: [aem-mcp-write-server.service], groups: resources", 10 * NSEC_PER_SEC,
                             &page, &error),
                         -ENODATA); /* what must be active must be so all the same */
        assert_string_equal(error_text(&error), "aem-mcp-write-server.service is failed");
        assert_nowhere(page, "unit_state");
        assert_line(page, "runbook_systemd_unit_cpu_seconds_total" WRITE " 0.25");
        assert_int_equal(run("units: [logrotate.timer, aem-mcp-read-server.service], groups: [state]",
                             10 * NSEC_PER_SEC, &others, NULL),
                         0);
        assert_nowhere(others, "cpu_seconds");
}

static void all_units_are_counted_systemd_exporter_172_node_exporter_1036(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        if (run("groups: [counts]", 10 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
#define COUNT(type, state) "runbook_systemd_units{type=\"" type "\",state=\"" state "\"} "
        assert_line(page, COUNT("service", "active") "1");
        assert_line(page, COUNT("service", "failed") "1");
        assert_line(page, COUNT("service", "inactive") "1");
        assert_line(page, COUNT("timer", "active") "1");
        assert_line(page, COUNT("timer", "failed") "0");
        assert_line(page, COUNT("mount", "failed") "0"); /* absent is not zero */
        assert_nowhere(page, "odd");
        assert_nowhere(page, "unit_state");
}

static void patterns_choose_among_loaded_units_node_exporter_1919(void **state _unused_)
{
        _cleanup_free_ char *page = NULL, *failing = NULL, *none = NULL;
        _cleanup_error_ struct error error = {0}, failed = {0}, missing = {0};
        if (run("units: ['*-read-*.service', 'logrotate.t*', logrotate.timer], finished: ['logr*.service']",
                10 * NSEC_PER_SEC, &page, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_line(page,
                    "runbook_systemd_unit_state{unit=\"aem-mcp-read-server.service\",state=\"active\"} 1");
        assert_line(page, "runbook_systemd_unit_state{unit=\"logrotate.timer\",state=\"active\"} 1");
        assert_line(page, "runbook_systemd_unit_state{unit=\"logrotate.service\",state=\"inactive\"} 1");
        assert_nowhere(page, "write-server");
        assert_int_equal(run("units: ['aem-*']", 10 * NSEC_PER_SEC, &failing, &failed), -ENODATA);
        assert_string_equal(error_text(&failed), "aem-mcp-write-server.service is failed");
        assert_line(failing,
                    "runbook_systemd_unit_state{unit=\"aem-mcp-read-server.service\",state=\"active\"} 1");
        assert_int_equal(run("units: ['aen-*', logrotate.timer]", 10 * NSEC_PER_SEC, &none, &missing),
                         -ENOENT);
        assert_string_equal(error_text(&missing), "no unit that is loaded matches aen-*");
        assert_line(none, "runbook_systemd_unit_state{unit=\"logrotate.timer\",state=\"active\"} 1");
}

/* Beyond a hundred units none is asked about, but all are judged, and what was left out is told. */
static void patterns_have_a_bound_and_what_is_beyond_is_judged(void **state _unused_)
{
        struct skipped_items skipped = {0};
        struct sample_set samples = {.limit = 10000, .skipped = &skipped};
        struct sample_sink sink = {.set = &samples};
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *yaml = text_format(
                "{address: 'unix:path=%s', direct: true, units: ['more-*'], groups: [state]}", path);
        struct check_set *set = load_check("systemd", yaml, NULL);
        more_units = MORE_MAX;
        assert_true(set->checks[0].kind->run(set->states[0], deadline_in(20 * NSEC_PER_SEC), &sink, &error) <
                    0);
        assert_int_equal(skipped.of[SKIP_BEYOND_LIMIT].count, 3);
        assert_non_null(strstr(skipped_items_text(&skipped, SKIP_BEYOND_LIMIT), "more-100.mount"));
        assert_string_equal(error_text(&error), "more-102.mount is failed");
        more_units = 0;
        skipped_items_release(&skipped);
        sample_set_release(&samples);
        check_set_free(set);
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
        assert_complaint("systemd", "{finished: ['a .service']}", "is not the name of a unit");
        assert_complaint("systemd", "{groups: [state, counts]}", "units or finished is needed");
        assert_complaint("systemd", "{units: [a.service], groups: [count]}", "did you mean \"counts\"?");
        assert_complaint("systemd", "{finished: [a.service], groups: [resources]}", "is in the group state");
        assert_complaint("systemd", "{units: [a.service], user: me, direct: true}", "in place of address");
        assert_complaint("systemd", "{units: [a.service], user: me, address: 'unix:path=/x'}", "in place of");
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
                cmocka_unit_test_setup_teardown(what_is_accounted_for_is_told_systemd_exporter_28_180_184,
                                                start, stop),
                cmocka_unit_test_setup_teardown(groups_leave_out_what_is_not_wanted, start_bus, stop_bus),
                cmocka_unit_test_setup_teardown(all_units_are_counted_systemd_exporter_172_node_exporter_1036,
                                                start, stop),
                cmocka_unit_test_setup_teardown(patterns_choose_among_loaded_units_node_exporter_1919,
                                                start_bus, stop_bus),
                cmocka_unit_test_setup_teardown(patterns_have_a_bound_and_what_is_beyond_is_judged, start,
                                                stop),
                cmocka_unit_test_prestate_setup_teardown(a_bus_that_says_nothing_is_left_at_the_deadline,
                                                         start, stop, &yes),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
