/* SPDX-License-Identifier: Apache-2.0 */
/* Kind system: what it makes of a /proc that is written here. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/harness/files.h"
#include "tests/harness/kind.h"

static const struct {
        const char *name, *content;
} files[] = {
        {"stat", "cpu  1000 200 300 4000 50 6 70 8 900 10\n"
                 "cpu0 500 100 150 2000 25 3 35 4 450 5\n"
                 "cpu11 500 100 150 2000 25 3 35 4 450 5\n"
                 "intr 1 2 3\nctxt 5\nbtime 1700000000\n"},
        {"loadavg", "0.52 1.5 3 2/345 6789\n"},
        {"meminfo", "MemTotal:        2048 kB\nMemFree:  1 kB\nMemAvailable:    1024 kB\n"
                    "SwapCached: 7 kB\nSwapTotal:         16 kB\nSwapFree:           4 kB\n"},
        {"diskstats", "   8       0 sda 10 0 20 5 30 0 40 6 0 1500 11 0 0 0 0\n"
                      "   8       1 sda1 10 0 21 5 30 0 41 6 0 1501 11\n"
                      " 259       0 nvme0n1 1 0 2 5 3 0 4 6 0 2500 11\n"
                      " 259       1 nvme0n1p1 1 0 22 5 3 0 42 6 0 2501 11\n"
                      "   7       0 loop0 1 0 2 5 3 0 4 6 0 7 11\n"
                      " 253       0 dm-0 1 0 6 5 3 0 8 6 0 9 11\n"
                      " 253       1 dm-01 nonsense\n"},
        {"net/dev", "Inter-|   Receive                            |  Transmit\n"
                    " face |bytes    packets errs drop fifo frame compressed multicast|bytes\n"
                    "    lo: 11 1 0 0 0 0 0 0 12 1 0 0 0 0 0 0\n"
                    "  eth0:1296 16 0 0 0 0 0 0 2592 16 0 0 0 0 0 0\n"
                    "eth0:1: 7 16 0 0 0 0 0 0 8 16 0 0 0 0 0 0\n"
                    "veth12: 13 1 0 0 0 0 0 0 14 1 0 0 0 0 0 0\n"},
};

static char directory[64];

static int write_proc(void **state _unused_)
{
        strcpy(directory, "/tmp/runbook-test-proc-XXXXXX");
        assert_non_null(mkdtemp(directory));
        _cleanup_free_ char *net = text_format("%s/net", directory);
        assert_int_equal(mkdir(net, 0700), 0);
        for (size_t i = 0; i < N_ELEMENTS(files); i++)
                write_file(directory, files[i].name, files[i].content, strlen(files[i].content));
        return 0;
}

static int remove_proc(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                _cleanup_free_ char *path = text_format("%s/%s", directory, files[i].name);
                unlink(path);
        }
        _cleanup_free_ char *net = text_format("%s/net", directory);
        rmdir(net);
        return rmdir(directory);
}

static int run(const char *options, char **ret_page, struct error *error)
{
        _cleanup_free_ char *yaml = text_format("{proc: %s%s}", directory, options);
        struct check_set *set = load_check("system", yaml, NULL);
        int r = run_check(set, NSEC_PER_SEC, ret_page, error);
        check_set_free(set);
        return r;
}

static void cpu_load_and_memory_are_told_in_base_units(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        assert_int_equal(sysconf(_SC_CLK_TCK), 100);
        assert_int_equal(run("", &page, NULL), 0);
        assert_line(page, "runbook_system_cpu_seconds_total{mode=\"user\"} 10");
        assert_line(page, "runbook_system_cpu_seconds_total{mode=\"idle\"} 40");
        assert_line(page, "runbook_system_cpu_seconds_total{mode=\"steal\"} 0.08");
        assert_nowhere(page, "guest");
        assert_line(page, "runbook_system_cpu_cores 2");
        assert_line(page, "runbook_system_load_average{window=\"1m\"} 0.52");
        assert_line(page, "runbook_system_load_average{window=\"15m\"} 3");
        assert_line(page, "runbook_system_memory_total_bytes 2097152");
        assert_line(page, "runbook_system_memory_available_bytes 1048576");
        assert_line(page, "runbook_system_swap_total_bytes 16384");
        assert_line(page, "runbook_system_swap_free_bytes 4096");
}

static void disks_are_whole_ones_and_interfaces_real_ones(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        assert_int_equal(run("", &page, NULL), 0);
        assert_line(page, "runbook_system_disk_read_bytes_total{device=\"sda\"} 10240");
        assert_line(page, "runbook_system_disk_written_bytes_total{device=\"sda\"} 20480");
        assert_line(page, "runbook_system_disk_busy_seconds_total{device=\"sda\"} 1.5");
        assert_line(page, "runbook_system_disk_read_bytes_total{device=\"nvme0n1\"} 1024");
        assert_line(page, "runbook_system_disk_read_bytes_total{device=\"dm-0\"} 3072");
        assert_nowhere(page, "sda1");
        assert_nowhere(page, "nvme0n1p1");
        assert_nowhere(page, "loop0");
        assert_line(page, "runbook_system_network_received_bytes_total{interface=\"eth0\"} 1296");
        assert_line(page, "runbook_system_network_sent_bytes_total{interface=\"eth0\"} 2592");
        assert_line(page, "runbook_system_network_sent_bytes_total{interface=\"eth0:1\"} 8");
        assert_nowhere(page, "\"lo\"");
        assert_nowhere(page, "veth");
}

static void patterns_choose(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        assert_int_equal(run(", devices: ['loop*', 'dm-?'], exclude_devices: [], interfaces: [lo], "
                             "exclude_interfaces: []",
                             &page, NULL),
                         0);
        assert_line(page, "runbook_system_disk_read_bytes_total{device=\"loop0\"} 1024");
        assert_line(page, "runbook_system_disk_read_bytes_total{device=\"dm-0\"} 3072");
        assert_nowhere(page, "sda");
        assert_line(page, "runbook_system_network_received_bytes_total{interface=\"lo\"} 11");
        assert_nowhere(page, "eth0");
}

static void what_is_missing_fails_and_the_rest_is_told(void **state _unused_)
{
        _cleanup_free_ char *page = NULL, *path = text_format("%s/loadavg", directory);
        _cleanup_error_ struct error error = {0};
        assert_int_equal(unlink(path), 0);
        assert_int_equal(run("", &page, &error), -ENOENT);
        assert_non_null(strstr(error_text(&error), "loadavg: No such file"));
        assert_line(page, "runbook_system_cpu_cores 2");
        assert_line(page, "runbook_system_network_received_bytes_total{interface=\"eth0\"} 1296");
        assert_nowhere(page, "load");
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("system", "{proc: proc}", "\"proc\" is not an absolute path");
        assert_complaint("system", "{device: sda}", "devices");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(cpu_load_and_memory_are_told_in_base_units, write_proc,
                                                remove_proc),
                cmocka_unit_test_setup_teardown(disks_are_whole_ones_and_interfaces_real_ones, write_proc,
                                                remove_proc),
                cmocka_unit_test_setup_teardown(patterns_choose, write_proc, remove_proc),
                cmocka_unit_test_setup_teardown(what_is_missing_fails_and_the_rest_is_told, write_proc,
                                                remove_proc),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
