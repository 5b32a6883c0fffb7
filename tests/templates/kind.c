/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind pidfile: does the process live that a file names by its number.
 *
 * A kind to start from. It becomes one when this file is exporter/kinds/pidfile.c and `X(pidfile)` stands in
 * the list of exporter/kinds/kinds.c: the Makefile, validation, --help, the reference and the sandbox need no
 * more. exporter/check/check.h is the contract; what a kind may use beside it says tests/rooms.txt.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporter/check/check.h"
#include "runbook/trace.h"

/* What `pidfile: {…}` in checks.yml is read into. It is of the check, which frees it: the strings stay until
 * close().
 */
struct pidfile_config {
        char *path;
        nsec settle;
};

/* The only place that knows the keys: reading, complaints with their line, defaults and the reference come
 * from it. */
static const struct config_field fields[] = {
        {"path", CONFIG_STRING, offsetof(struct pidfile_config, path),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "The file with the number of the process"},
        {"settle", CONFIG_DURATION, offsetof(struct pidfile_config, settle), .fallback = "1s",
         .help = "How long the file may name nobody, as while the service restarts"},
        {0},
};

/* Every metric that run() can emit, and no other: base units, the kind's name in front. */
#define FAMILIES(X)                                            \
        X(alive, GAUGE, "runbook_pidfile_process_alive", NULL, \
          "Whether there is a process of the number that the file holds.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

/* What is kept between two runs. A kind that keeps nothing may take its configuration for its state. */
struct pidfile_state {
        const struct pidfile_config *config;
        nsec gone_since; /* 0: it was there when we looked last */
};

static void *pidfile_close(void *state)
{
        free(state);
        return NULL;
}

/*
 * What the table cannot say is complained about at `node`, which tells the operator the line. The file is not
 * opened here: a check of a service that is down opens all the same, and its run says that it is down.
 */
static int pidfile_open(const struct check *check, struct config_node *node, void **ret_state,
                        struct error *error)
{
        const struct pidfile_config *config = check->config;
        if (config->path[0] != '/') {
                config_complain(node, "path", "\"%s\" is not an absolute path", config->path);
                return -EINVAL;
        }
        struct pidfile_state *pidfile = calloc(1, sizeof(*pidfile));
        if (!pidfile)
                return error_oom(error);
        pidfile->config = config;
        *ret_state = pidfile;
        return 0;
}

/* -EINVAL when it holds anything else: an error is no verdict, so nothing is said of a process then. */
static int read_number(const char *path, long *ret, struct error *error)
{
        FILE *file = fopen(path, "re");
        if (!file)
                return error_set_errno(error, errno, "cannot open %s", path);
        long number = 0;
        int found = fscanf(file, "%ld", &number);
        fclose(file);
        if (found != 1 || number <= 0)
                return error_set(error, EINVAL, "%s holds no number of a process", path);
        *ret = number;
        return 0;
}

/*
 * Runs on a worker's thread, never twice at a time. What may take long ends at the deadline; what is worth
 * telling to who asks why a check is slow is a step of its trace. A failure is a sentence, and what it says
 * of the check: without a number nothing was looked at, and a file that never was there is no failure either.
 * Samples added before it are shown.
 */
static int pidfile_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        struct pidfile_state *pidfile = state;
        const char *path = pidfile->config->path;
        long number = 0;
        trace_step(deadline, "reading %s", path);
        int r = read_number(path, &number, error);
        if (r == -ENOENT)
                error_not_set_up(error, r);
        if (r < 0)
                return error_not_looked(error, r);

        char directory[64];
        snprintf(directory, sizeof(directory), "/proc/%ld", number);
        bool lives = access(directory, F_OK) == 0;
        nsec now = clock_monotonic();
        if (lives)
                pidfile->gone_since = 0;
        else if (pidfile->gone_since == 0)
                pidfile->gone_since = now;
        if (!lives && now - pidfile->gone_since < pidfile->config->settle)
                return 0; /* neither: not told is not 0 */
        SAMPLE(sink, &alive, lives, {"path", path});
        return 0;
}

/* The names of all labels that the samples may have: an operator's own label of such a name is refused. */
static const char *const labels[] = {"path", NULL};

const struct check_kind check_kind_pidfile = {
        .name = "pidfile",
        .help = "The process that a file names by its number.",
        .fields = fields,
        .config_size = sizeof(struct pidfile_config),
        .target_key = "path",
        .families = families,
        .labels = labels,
        .open = pidfile_open,
        .run = pidfile_run,
        .close = pidfile_close,
};
