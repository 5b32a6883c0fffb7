/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a container is our own: tables of mounts and of control groups as hosts and containers have them.
 */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/docker/internal.h"

#define ID "4f1c2d3e5a6b4f1c2d3e5a6b4f1c2d3e5a6b4f1c2d3e5a6b4f1c2d3e5a6b0001"
#define OTHER "9988776655449988776655449988776655449988776655449988776655440002"
#define CONTAINERS "/var/lib/docker/containers/"

static char directory[] = "/tmp/runbook-self-XXXXXX";

static char *place(const char *name)
{
        char *path = text_format("%s/self/%s", directory, name);
        assert_non_null(path);
        return path;
}

static void put(const char *name, const char *content)
{
        _cleanup_free_ char *path = place(name);
        if (!content) {
                unlink(path);
                return;
        }
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(content, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static int make_directory(void **state _unused_)
{
        if (!mkdtemp(directory))
                return -1;
        _cleanup_free_ char *self = place("");
        return mkdir(self, 0700);
}

static int remove_directory(void **state _unused_)
{
        put("mountinfo", NULL);
        put("cgroup", NULL);
        _cleanup_free_ char *self = place("");
        return rmdir(self) < 0 || rmdir(directory) < 0 ? -1 : 0;
}

static void we_know_our_own_container(void **state _unused_)
{
        static const struct {
                const char *what, *mountinfo, *cgroup, *host_name;
        } cases[] = {
                {"cgroups of version 1", "22 1 0:20 / / rw - overlay overlay rw\n",
                 "2:memory:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "web"},
                {"version 2 without a namespace", "22 1 0:20 / / rw - overlay overlay rw\n",
                 "0::/system.slice/docker-" ID ".scope\n", "web"},
                {"within a container of ours", "", "0::/docker/" ID "/docker/" OTHER "\n", "web"},
                {"version 2 with a namespace",
                 "612 598 0:20 / /proc rw - proc proc rw\n"
                 "620 601 8:1 " CONTAINERS ID
                 "/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw\n"
                 "621 601 8:1 " CONTAINERS ID "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
                 "622 601 8:1 " CONTAINERS ID "/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw\n",
                 "0::/\n", "web"},
                {"whose host's name comes from elsewhere",
                 "621 601 8:1 /srv/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
                 "622 601 8:1 " CONTAINERS ID "/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
                 "0::/\n", "web"},
                {"with /var/lib/docker on a disk of its own",
                 "621 601 8:2 /containers/" ID "/resolv.conf /etc/resolv.conf rw - ext4 /dev/sdb1 rw\n",
                 "0::/\n", "web"},
                {"a runtime that shows nothing", "1 0 0:1 / / rw - 9p none rw\n", "", "4f1c2d3e5a6b"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                put("mountinfo", cases[i].mountinfo);
                put("cgroup", cases[i].cgroup);
                if (docker_self_look(directory, cases[i].host_name, ID, NULL) != 1)
                        fail_msg("not known: %s", cases[i].what);
                if (docker_self_look(directory, cases[i].host_name, OTHER, NULL) == 1 &&
                    !strstr(cases[i].cgroup, OTHER))
                        fail_msg("another one is taken for ours: %s", cases[i].what);
        }
}

/* Where the Engine runs beside us, its mounts stand in our table, whichever container they are of. */
static void mounts_of_others_are_not_ours(void **state _unused_)
{
        static const char *const tables[] = {
                "512 29 0:58 / " CONTAINERS ID "/mounts/shm rw,nosuid - tmpfs shm rw,size=65536k\n",
                "513 29 8:1 " CONTAINERS ID "/hostname /mnt/etc/hostname rw - ext4 /dev/sda1 rw\n",
                "513 29 8:1 " CONTAINERS ID "/secrets /run/secrets rw - ext4 /dev/sda1 rw\n",
                "513 29 8:1 /lists/" ID " /etc/hosts rw - ext4 /dev/sda1 rw\n",
                "513 29 8:1 " CONTAINERS ID "0/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
                "513 29 8:1 " CONTAINERS "0" ID "/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
                "513 29 8:1 /hosts /etc/hosts rw - ext4 " CONTAINERS ID "/x rw\n",
                "513 29 0:50 / " CONTAINERS ID " rw",
                "513 29\n\n" ID,
                "",
        };
        put("cgroup", "0::/user.slice/session-1.scope\n");
        for (size_t i = 0; i < N_ELEMENTS(tables); i++) {
                put("mountinfo", tables[i]);
                if (docker_self_look(directory, "host", ID, NULL) != 0)
                        fail_msg("taken for our own: %s", tables[i]);
        }
        put("cgroup", NULL);
        assert_int_equal(docker_self_look(directory, "host", ID, NULL), 0);
        assert_int_equal(docker_self_look(directory, "4f1c2d3e5a6", ID, NULL), 0);
        assert_int_equal(docker_self_look(directory, "", ID, NULL), 0);
}

/* Not to know is not "another one". */
static void what_cannot_be_read_is_no_answer(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        put("cgroup", "0::/\n");
        put("mountinfo", NULL);
        assert_int_equal(docker_self_look(directory, "host", ID, &error), -ENOENT);
        assert_non_null(strstr(error_text(&error), "/self/mountinfo"));
        /* A directory opens, and cannot be read. */
        _cleanup_free_ char *path = place("mountinfo");
        assert_int_equal(mkdir(path, 0700), 0);
        int r = docker_self_look(directory, "host", ID, &error);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(r, -EISDIR);

        put("mountinfo", "");
        assert_int_equal(docker_self_look(directory, "host", NULL, &error), -EBADMSG);
        assert_int_equal(docker_self_look(directory, "host", "", &error), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(we_know_our_own_container),
                cmocka_unit_test(mounts_of_others_are_not_ours),
                cmocka_unit_test(what_cannot_be_read_is_no_answer),
        };
        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
