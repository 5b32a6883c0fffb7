/* SPDX-License-Identifier: Apache-2.0 */
/* The table of mounts, as the kernel writes it. */
#include "tests/harness/unit.h"

#include "exporter/kinds/disk/mount_info.h"

static const char table[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                            "2 22 0:5 / /a\\040-\\040b rw shared:2 master:1 - tmpfs tmp\\040fs\\134 rw\n"
                            "220 22 0:6 / /proc rw - proc proc\n"
                            "7 22 0:7 / /cut rw\n"
                            "8 22 0:8 / /nfs rw - nfs4 server:/export rw";

static void assert_found(uint64_t mount, const char *device, const char *kind)
{
        _cleanup_text_ struct text all = {0}, is_device = {0}, is_kind = {0};
        text_puts(&all, table);
        assert_int_equal(mount_info_find(&all, mount, &is_device, &is_kind), device != NULL);
        if (!device)
                return;
        assert_string_equal(text_string(&is_device), device);
        assert_string_equal(text_string(&is_kind), kind);
}

static void a_mount_is_found_by_its_number(void **state _unused_)
{
        assert_found(22, "/dev/sda1", "ext4");
        assert_found(2, "tmp fs\\", "tmpfs");
        assert_found(220, "proc", "proc");
        assert_found(8, "server:/export", "nfs4");
}

static void a_mount_that_is_not_there_is_not_found(void **state _unused_)
{
        assert_found(0, NULL, NULL);
        assert_found(1, NULL, NULL);
        assert_found(7, NULL, NULL); /* a line without its second half is not that of the next one */
        assert_found(99, NULL, NULL);
}

static void the_kernels_own_is_read(void **state _unused_)
{
        _cleanup_text_ struct text all = {0};
        assert_int_equal(mount_info_read(&all, NULL), 0);
        assert_non_null(strstr(text_string(&all), " / "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mount_is_found_by_its_number),
                cmocka_unit_test(a_mount_that_is_not_there_is_not_found),
                cmocka_unit_test(the_kernels_own_is_read),
        };
        return cmocka_run_group_tests_name("mount_info", tests, NULL, NULL);
}
