/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a container is the one that this process runs in: asked before anything is done to a container.
 *
 * The id stands in the path of our control group, unless that has a namespace of its own, which is the rule
 * with version 2. Then the files are left that the Engine makes for each container in a directory named by
 * the id, and mounts over those of the image. Other mounts of such a directory tell nothing: where an Engine
 * runs beside us, its mount table is ours, with …/containers/<id>/mounts/shm of any container in it. Runtimes
 * that show neither (gVisor, Kata) leave the host's name, which is the id's beginning unless it was chosen.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/docker/internal.h"

#define SHORT_ID 12

static const char *const own_files[] = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};

/* With network_mode "container:…" they are the other one's. It is refused as well: with it, our network goes.
 */
static bool is_own_mount(char *line, const char *id)
{
        /* "36 35 98:0 /docker/containers/<id>/hostname /etc/hostname rw …", see proc_pid_mountinfo(5). */
        const char *fields[5];
        for (size_t i = 0; i < N_ELEMENTS(fields); i++)
                if (!(fields[i] = strsep(&line, " ")))
                        return false;
        const char *root = fields[3], *point = fields[4];

        for (size_t i = 0; i < N_ELEMENTS(own_files); i++)
                if (strcmp(point, own_files[i]) == 0) {
                        const char *found = strstr(root, id);
                        return found && found > root && found[-1] == '/' && found[strlen(id)] == '/';
                }
        return false;
}

static bool is_own_group(char *line, const char *id)
{
        return strstr(line, id) != NULL;
}

/* 1 when a line of the file tells that the container is ours, 0 when none does. */
static int look_through(const char *proc, const char *name, bool (*tells)(char *line, const char *id),
                        const char *id, struct error *error)
{
        _cleanup_free_ char *path = text_format("%s/self/%s", proc, name), *line = NULL;
        if (!path)
                return error_oom(error);
        FILE *file = fopen(path, "re");
        if (!file)
                return error_set_errno(error, errno, "cannot read %s", path);

        size_t size = 0;
        bool found = false;
        errno = 0;
        while (!found && getline(&line, &size, file) >= 0)
                found = tells(line, id);
        int code = found || feof(file) ? 0 : errno ? errno : EIO;
        fclose(file);
        if (code)
                return error_set_errno(error, code, "cannot read %s", path);
        return found;
}

int docker_self_look(const char *proc, const char *host_name, const char *id, struct error *error)
{
        if (!id || strlen(id) < SHORT_ID)
                return error_set(error, EBADMSG, "Docker did not tell the container's id");
        if (strlen(host_name) == SHORT_ID && string_starts(id, host_name))
                return 1;
        int r = look_through(proc, "mountinfo", is_own_mount, id, error);
        if (r != 0)
                return r;
        _cleanup_error_ struct error why = {0};
        r = look_through(proc, "cgroup", is_own_group, id, &why);
        if (r == -ENOENT)
                return 0; /* a kernel without control groups */
        if (r < 0)
                error_move(error, &why);
        return r;
}

int docker_is_self(const char *id, struct error *error)
{
        char host_name[256] = "";
        gethostname(host_name, sizeof(host_name) - 1);
        return docker_self_look("/proc", host_name, id, error);
}
