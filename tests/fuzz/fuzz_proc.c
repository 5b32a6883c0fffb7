/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of /proc, which may be those of another kernel, or of a container's host: every file that is read of
 * it holds the input. What is measured of it can be written as a page, and whose container this is is found
 * only by the whole of its id.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "exporter/check/check.h"
#include "exporter/kinds/disk/mount_info.h"
#include "lib/docker/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 15000;
const char *const fuzz_words[] = {"cpu  1 2 3 4 5 6 7 8\n",
                                  "cpu0 1",
                                  "MemTotal:  16384 kB\n",
                                  "SwapFree:",
                                  "0.10 0.20 0.30 1/99 1234\n",
                                  "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n",
                                  "   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11\n",
                                  "nvme0n1p2",
                                  "  eth0: 1296 16 0 0 0 0 0 0 1296 16 0 0 0 0 0 0\n",
                                  "18446744073709551616",
                                  "1e400",
                                  "-1",
                                  "36 35 98:0 /docker/containers/",
                                  "0123456789abcdef0123456789abcdef",
                                  "/hostname /etc/hostname rw",
                                  "0::/system.slice/docker-",
                                  " - ext4 /dev/sda1 rw\n",
                                  "\\040",
                                  NULL};

static const char *const files[] = {"stat",    "loadavg",        "meminfo",    "diskstats",
                                    "net/dev", "self/mountinfo", "self/cgroup"};
static char directory[64];
static struct check_set *set;

/* Links to the file in memory that the inputs are put in. */
static void make_proc(const char *input)
{
        char path[PATH_MAX];
        snprintf(directory, sizeof(directory), "/tmp/runbook-fuzz-proc-XXXXXX");
        FUZZ_ASSERT(mkdtemp(directory));
        for (const char *const *name = (const char *const[]){"net", "self", NULL}; *name; name++) {
                snprintf(path, sizeof(path), "%s/%s", directory, *name);
                FUZZ_ASSERT(mkdir(path, 0700) == 0);
        }
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
                FUZZ_ASSERT(symlink(input, path) == 0);
        }
}

static void remove_proc(void)
{
        char path[PATH_MAX];
        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
                unlink(path);
        }
        for (const char *const *name = (const char *const[]){"net", "self", "", NULL}; *name; name++) {
                snprintf(path, sizeof(path), "%s/%s", directory, *name);
                rmdir(path);
        }
        check_set_free(set);
}

static void begin(const char *input)
{
        _cleanup_error_ struct error error = {0};
        make_proc(input);
        atexit(remove_proc);
        _cleanup_free_ char *document =
                text_format("checks: [{name: a, system: {proc: \"%s\", interfaces: ['*', 'e?h[0-9]'], "
                            "exclude_devices: []}}]\n",
                            directory);
        /* It is read before the first input takes its place. */
        int r = check_set_load(fuzz_file((const uint8_t *)document, strlen(document)), NULL, &set, &error);
        FUZZ_ASSERT(r == 0 && !error.message);
}

static void measure(void)
{
        struct sample_set samples = {.limit = 1000};
        const struct sample_set *const all = &samples;
        struct sample_sink sink = {.set = &samples};
        _cleanup_text_ struct text page = {0};
        _cleanup_error_ struct error error = {0};
        int r = set->checks[0].kind->run(set->states[0], deadline_in(NSEC_PER_SEC), &sink, &error);
        FUZZ_ASSERT(r == 0 || error.message);
        FUZZ_ASSERT(metrics_encode(METRICS_TEXT, &all, 1, NULL, &page, NULL) == 0);
        sample_set_release(&samples);
}

static void look_for_self(const char *text)
{
        static const char id[] = "0123456789abcdef0123456789abcdef";
        _cleanup_error_ struct error error = {0};
        int r = docker_self_look(directory, "somebody", id, &error);
        FUZZ_ASSERT(r >= 0 || error.message);
        FUZZ_ASSERT(r != 1 || strstr(text, id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (!set)
                begin(fuzz_file(NULL, 0));
        _cleanup_free_ char *text = fuzz_string(data, size);
        fuzz_file(data, size);
        measure();
        if (strlen(text) == size) /* a line with a NUL ends there, for one of the two */
                look_for_self(text);
        _cleanup_text_ struct text table = {0}, device = {0}, kind = {0};
        text_append(&table, text, size);
        mount_info_find(&table, 36, &device, &kind);
        return 0;
}
