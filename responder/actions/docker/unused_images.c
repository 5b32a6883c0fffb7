/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images without a name that no container refers to: which of them may go.
 *
 * A deployment takes the name of the image that ran before and gives it to the new one; what is left without
 * a name is the way back. The Engine remembers neither when an image was used last nor which name it had. So
 * images are taken for versions of one program when Compose's labels on them say so, or when they were pulled
 * from the same place, or else when they start the same (entrypoint, command, directory). Then one was in use
 * until the next version of it was named; and of each program of the project the version before the one that
 * is there now is kept, whatever its age.
 */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/docker/unused.h"

/* One image, inspected. */
struct version {
        const cJSON *image;
        nsec named;    /* when it was made or last given a name */
        bool dangling; /* it has none */
        bool projects; /* a container of the project was made from it */
        bool used;     /* any container was */
};

static nsec time_at(const cJSON *object, const char *key)
{
        const char *string = json_string(object, key);
        nsec at = 0;
        return string && time_parse(string, &at, NULL) >= 0 && at > 0 ? at : 0;
}

static void read_version(const struct survey *survey, const cJSON *image, struct version *ret)
{
        nsec created = time_at(image, "Created");
        nsec tagged = time_at(json_get(image, "Metadata", NULL), "LastTagTime");
        *ret = (struct version){.image = image, .named = created > tagged ? created : tagged};
        ret->dangling = cJSON_GetArraySize(json_get(image, "RepoTags", NULL)) == 0;
        const cJSON *container = NULL;
        cJSON_ArrayForEach(container, survey->all)
        {
                if (!string_equal(docker_image_id(container), json_string(image, "Id")))
                        continue;
                ret->used = true;
                ret->projects |= string_equal(docker_compose_project(container), docker_project(survey->run));
        }
}

/* Of "place:tag" or "place@sha256:…" the place, by its length; 0: none. */
static size_t place_of(const cJSON *image, const char **ret)
{
        const char *digest =
                cJSON_GetStringValue(cJSON_GetArrayItem(json_get(image, "RepoDigests", NULL), 0));
        *ret = digest ? digest : "";
        return strcspn(*ret, "@");
}

static bool same_place(const cJSON *a, const cJSON *b)
{
        const char *left, *right;
        size_t length = place_of(a, &left);
        return length > 0 && length == place_of(b, &right) && strncmp(left, right, length) == 0;
}

static bool same_start(const cJSON *a, const cJSON *b)
{
        static const char *const keys[] = {"Entrypoint", "Cmd", "WorkingDir"};
        for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
                const cJSON *left = json_get(a, "Config", keys[i], NULL),
                            *right = json_get(b, "Config", keys[i], NULL);
                bool none = (!left || cJSON_IsNull(left)) && (!right || cJSON_IsNull(right));
                if (!none && !cJSON_Compare(left, right, true))
                        return false;
        }
        return true;
}

/* Whether they are versions of one program. */
static bool is_family(const struct version *a, const struct version *b)
{
        const char *service = docker_service(a->image), *other = docker_service(b->image);
        if (*service && *other)
                return string_equal(service, other) &&
                       string_equal(docker_compose_project(a->image), docker_compose_project(b->image));
        return same_place(a->image, b->image) || same_start(a->image, b->image);
}

/* When a version was in use last, as far as one can tell: until the next one was named. */
static nsec used_until(const struct version *versions, size_t count, const struct version *version)
{
        nsec until = 0;
        for (size_t i = 0; i < count; i++) {
                nsec named = versions[i].named;
                if (named > version->named && (until == 0 || named < until) &&
                    is_family(&versions[i], version))
                        until = named;
        }
        return until > 0 ? until : version->named;
}

/* Whether it may be what the last deployment has replaced: for each version that the project runs, one. */
static bool is_way_back(const struct version *versions, size_t count, const struct version *version)
{
        size_t run = 0, newer = 0;
        for (size_t i = 0; i < count; i++) {
                if (!is_family(&versions[i], version))
                        continue;
                run += versions[i].projects;
                newer += versions[i].dangling && !versions[i].used && versions[i].named > version->named;
        }
        return newer < run;
}

static int survey_version(struct survey *survey, const struct version *versions, size_t count,
                          const struct version *version, struct error *error)
{
        const char *id = json_string(version->image, "Id");
        char name[32];
        snprintf(name, sizeof(name), "%.19s", id);
        const char *keep = docker_label(version->image, PRUNE_KEEP_LABEL);
        if (*keep && !string_equal(keep, "false"))
                return survey_keep(survey, "image", name, "has the label " PRUNE_KEEP_LABEL, error);
        if (is_way_back(versions, count, version))
                return survey_keep(survey, "image", name,
                                   "may be what the last deployment of the project has replaced", error);
        nsec used = used_until(versions, count, version);
        if (used > survey->before)
                return survey_keep_young(survey, "image", name, used, error);
        return survey_add(survey->unused.images, id, name, json_number(version->image, "Size", 0), error);
}

static int list_images(struct survey *survey, struct docker_get **ret, size_t *ret_count, struct error *error)
{
        _cleanup_json_ cJSON *images = NULL;
        int r = docker_call(survey->docker, "GET", "/images/json", NULL, survey->run->deadline, &images,
                            error);
        if (r < 0)
                return r;
        size_t count = (size_t)cJSON_GetArraySize(images);
        struct docker_get *gets = calloc(count + 1, sizeof(*gets));
        if (!gets)
                return error_oom(error);
        *ret = gets;
        *ret_count = count;
        const cJSON *image = NULL;
        cJSON_ArrayForEach(image, images)
        {
                const char *id = json_string(image, "Id");
                gets->path = id ? text_format("/images/%s/json", id) : NULL;
                if (!gets->path)
                        return error_set(error, EBADMSG, "Docker's list has an image without an id");
                gets++;
        }
        return docker_get_all(survey->docker, *ret, count, survey->run->deadline, error);
}

static int survey_versions(struct survey *survey, struct docker_get *gets, size_t count, struct error *error)
{
        _cleanup_free_ struct version *versions = calloc(count + 1, sizeof(*versions));
        size_t known = 0;
        int r = 0;
        if (!versions)
                return error_oom(error);
        for (size_t i = 0; i < count; i++) {
                if (gets[i].result < 0 && gets[i].result != -ENOENT) {
                        error_move(error, &gets[i].error);
                        return gets[i].result;
                }
                if (gets[i].result >= 0 && json_string(gets[i].answer, "Id"))
                        read_version(survey, gets[i].answer, &versions[known++]);
        }
        for (size_t i = 0; i < known && r >= 0; i++)
                if (versions[i].dangling && !versions[i].used)
                        r = survey_version(survey, versions, known, &versions[i], error);
        return r;
}

int survey_images(struct survey *survey, struct error *error)
{
        struct docker_get *gets = NULL;
        size_t count = 0;
        int r = list_images(survey, &gets, &count, error);
        if (r >= 0)
                r = survey_versions(survey, gets, count, error);
        for (size_t i = 0; i < count; i++)
                docker_get_release(&gets[i]);
        free(gets);
        return r;
}
