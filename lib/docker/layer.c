/* SPDX-License-Identifier: Apache-2.0 */
/* Files in a container's writable layer that it was started with, and which therefore must not vanish with
 * it. */
/*
 * Compose copies inline configs and secrets into a container after it is created and before it is started; an
 * operator may `docker cp` a file and restart. Both would be lost with the old container. So what was changed
 * in the layer before the last start is carried over; what the program itself wrote since is not, as with any
 * new container. Logs, caches and run-time files are left behind in either case.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "lib/docker/internal.h"
#include "runbook/words.h"

#define FILES_MAX 500
#define BYTES_MAX ((size_t)16 << 20)
#define KIND_DELETED 2

/* Go's os.FileMode */
#define MODE_SYMLINK (UINT32_C(1) << 27)
#define MODE_TYPE (UINT32_C(0x8f280000)) /* directory, symlink, pipe, socket, device, irregular */

static bool is_below(const char *path, const char *directory)
{
        size_t length = strlen(directory);
        while (length > 1 && directory[length - 1] == '/')
                length--;
        return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

/* What a new container has to begin without. */
static bool is_passing(const char *path)
{
        static const char *const secrets[] = {"/run/secrets", "/var/run/secrets"};
        static const char *const passing[] = {"/tmp", "/var/tmp",    "/var/log", "/var/cache",
                                              "/run", "/var/run",    "/dev",     "/proc",
                                              "/sys", "/root/.cache"};
        for (size_t i = 0; i < N_ELEMENTS(secrets); i++)
                if (is_below(path, secrets[i]))
                        return false;
        for (size_t i = 0; i < N_ELEMENTS(passing); i++)
                if (is_below(path, passing[i]))
                        return true;
        return strstr(path, "/__pycache__/") != NULL;
}

/* A mounted file is not in the layer, and writing to it would change the host's. */
static bool is_mounted(const cJSON *inspected, const char *path)
{
        /* The Engine mounts these itself. */
        static const char *const own[] = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv",
                                          "/sbin/docker-init"};
        if (words_find(own, N_ELEMENTS(own), path) >= 0)
                return true;

        const cJSON *mount, *item;
        cJSON_ArrayForEach(mount, json_get(inspected, "Mounts", NULL))
        {
                const char *destination = json_string(mount, "Destination");
                if (destination && is_below(path, destination))
                        return true;
        }
        cJSON_ArrayForEach(item, json_get(inspected, "HostConfig", "Tmpfs", NULL))
        {
                if (is_below(path, item->string))
                        return true;
        }
        return false;
}

/* Whether it is a directory that is listed only because of what follows; the Engine lists by walking the
 * tree. */
static bool is_parent(const cJSON *change)
{
        const char *path = json_string(change, "Path");
        const char *following = change->next ? json_string(change->next, "Path") : NULL;
        return path && following && strlen(following) > strlen(path) && is_below(following, path);
}

static int archive_path(const char *id, const char *file, struct text *path, struct error *error)
{
        text_printf(path, "/containers/%s/archive?path=", id);
        text_put_escaped(path, file);
        return text_error(path) < 0 ? error_oom(error) : 0;
}

/* X-Docker-Container-Path-Stat of a file: {"name","size","mode","mtime","linkTarget"}. */
static int stat_file(struct docker *docker, const char *id, const char *file, struct deadline deadline,
                     cJSON **ret, struct error *error)
{
        _cleanup_text_ struct text path = {0}, header = {0}, json = {0};
        int r = archive_path(id, file, &path, error);
        if (r < 0)
                return r;
        _cleanup_http_response_ struct http_response response = {0};
        r = docker_request(docker, "HEAD", text_string(&path), NULL, deadline, &response, error);
        if (r < 0)
                return r;
        if (!http_response_header(&response, "X-Docker-Container-Path-Stat", &header) ||
            header.length % 4 != 0 || header.length > 65536 || !text_reserve(&json, header.length))
                return error_set(error, EBADMSG, "Docker did not describe the file %s", file);
        int length = EVP_DecodeBlock((unsigned char *)json.data, (const unsigned char *)header.data,
                                     (int)header.length);
        for (size_t i = header.length; length > 0 && i > 0 && header.data[i - 1] == '='; i--)
                length--;
        if (length <= 0)
                return error_set(error, EBADMSG, "Docker did not describe the file %s", file);
        return json_parse_strict(json.data, (size_t)length, &json_answer_limits, ret, error);
}

/* Whether the container was started with it as it is now. */
static int was_there(const cJSON *description, nsec started, bool *ret, struct error *error)
{
        uint32_t type = (uint32_t)json_number(description, "mode", 0) & MODE_TYPE;
        const char *time = json_string(description, "mtime");
        nsec modified = 0;
        *ret = false;
        if (type != 0 && type != MODE_SYMLINK)
                return 0;
        int r = time ? time_parse(time, &modified, error)
                     : error_set(error, EBADMSG, "a file without its time");
        if (r < 0)
                return r;
        /* Compose's tar rounds to whole seconds, so possibly up; what a program writes hardly ever falls on
         * one. */
        bool rounded = modified % NSEC_PER_SEC == 0;
        *ret = modified <= started + (rounded ? NSEC_PER_SEC : 0);
        return 0;
}

static int too_much(const cJSON *inspected, const char *what, struct error *error)
{
        return error_set(
                error, ENOTSUP,
                "%s was changed inside by hand or by its program: %s, so it cannot be told what a new "
                "container needs",
                docker_name(inspected), what);
}

int docker_layer_find(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                      cJSON **ret_paths, struct error *error)
{
        const char *id = json_string(inspected, "Id");
        const char *start = docker_started_at(inspected);
        nsec started = 0;
        int r = *start ? time_parse(start, &started, error) : 0;
        if (r < 0)
                return r;
        if (started <= 0)
                started = INT64_MAX - NSEC_PER_SEC; /* never started: all of it was put there */

        _cleanup_text_ struct text path = {0};
        text_printf(&path, "/containers/%s/changes", id);
        _cleanup_json_ cJSON *changes = NULL, *paths = cJSON_CreateArray();
        if (text_error(&path) < 0 || !paths)
                return error_oom(error);
        r = docker_call(docker, "GET", text_string(&path), NULL, deadline, &changes, error);
        if (r == -EMSGSIZE)
                return too_much(inspected, "more files than can be listed", error);
        if (r < 0)
                return r;

        const cJSON *change;
        size_t looked_at = 0, bytes = 0;
        cJSON_ArrayForEach(change, changes)
        {
                const char *file = json_string(change, "Path");
                if (!file || json_number(change, "Kind", 0) == KIND_DELETED || is_passing(file) ||
                    is_mounted(inspected, file) || is_parent(change))
                        continue;
                if (++looked_at > FILES_MAX)
                        return too_much(inspected, "more than 500 files", error);

                _cleanup_json_ cJSON *description = NULL;
                r = stat_file(docker, id, file, deadline, &description, error);
                if (r == -ENOENT)
                        continue; /* gone meanwhile */
                if (r < 0)
                        return r;
                bool wanted = false;
                r = was_there(description, started, &wanted, error);
                if (r < 0)
                        return error_prefix(error, r, "%s", file);
                if (!wanted)
                        continue;
                double size = json_number(description, "size", 0);
                if (size > (double)(BYTES_MAX - bytes))
                        return too_much(inspected, "more than 16 MiB", error);
                bytes += (size_t)size;
                if (json_append(paths, cJSON_CreateString(file)) < 0)
                        return error_oom(error);
        }
        *ret_paths = TAKE_PTR(paths);
        return 0;
}

int docker_layer_carry(struct docker *docker, const char *from, const char *to, const cJSON *paths,
                       struct deadline deadline, struct error *error)
{
        _cleanup_text_ struct text tar = {0}, target = {0};
        const cJSON *item;
        if (cJSON_GetArraySize(paths) == 0)
                return 0;
        cJSON_ArrayForEach(item, paths)
        {
                _cleanup_text_ struct text path = {0};
                _cleanup_http_response_ struct http_response response = {0};
                const struct docker_body body = {.answer_limit = 2 * BYTES_MAX};
                int r = archive_path(from, item->valuestring, &path, error);
                if (r >= 0)
                        r = docker_request(docker, "GET", text_string(&path), &body, deadline, &response,
                                           error);
                if (r >= 0)
                        r = docker_tar_append(&tar, response.body.data, response.body.length,
                                              item->valuestring, error);
                if (r < 0)
                        return error_prefix(error, r, "cannot carry %s over", item->valuestring);
        }
        docker_tar_end(&tar);
        int r = archive_path(to, "/", &target, error);
        if (r < 0)
                return r;
        if (text_error(&tar) < 0)
                return error_oom(error);

        _cleanup_http_response_ struct http_response response = {0};
        const struct docker_body body = {.type = "application/x-tar", .data = tar.data, .length = tar.length};
        r = docker_request(docker, "PUT", text_string(&target), &body, deadline, &response, error);
        return r < 0 ? error_prefix(error, r, "cannot carry files over") : 0;
}
