/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the way of changing a container: see the header. */
#include "runbook/docker_conditions.h"

#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

#define CHANGING (DOCKER_RESTART | DOCKER_RECREATE)

static bool removes_itself(const cJSON *inspected)
{
        return json_bool(json_get(inspected, "HostConfig", NULL), "AutoRemove", false);
}

static bool is_swarms(const cJSON *inspected)
{
        return *docker_label(inspected, "com.docker.swarm.task.id");
}

static bool is_paused(const cJSON *inspected)
{
        return json_bool(json_get(inspected, "State", NULL), "Paused", false);
}

static bool is_being_removed(const cJSON *inspected)
{
        return string_equal(docker_status(inspected), "removing");
}

static bool is_dead(const cJSON *inspected)
{
        return json_bool(json_get(inspected, "State", NULL), "Dead", false) ||
               string_equal(docker_status(inspected), "dead");
}

/* Each with what it stands in the way of; %s is the container's name. */
static const struct {
        bool (*holds)(const cJSON *inspected);
        unsigned forbids; /* enum docker_purpose */
        const char *reason, *remedy;
} conditions[] = {
        {is_being_removed, CHANGING | DOCKER_REMOVE, "it is being removed",
         "once it is gone, have it made anew (docker-compose up -d)"},
        {is_dead, CHANGING, "it is dead: the Engine could not remove it whole",
         "docker rm -f %s, and have it made anew (docker-compose up -d)"},
        {docker_is_kept, DOCKER_RECREATE | DOCKER_REMOVE, "it is kept for the roll back of an earlier change",
         "it goes when that incident is settled"},
        {is_swarms, CHANGING | DOCKER_REMOVE, "it is a task of Swarm, which would start another one",
         "docker service update --force"},
        {is_paused, CHANGING | DOCKER_REMOVE, "it is paused, and whoever has paused it needs it so",
         "docker unpause %s when that is over"},
        {removes_itself, DOCKER_RECREATE, "it removes itself when it stops, so it could not be put back",
         "make it without --rm"},
};

/* Whether "container:<x>" means the container: by its id, the beginning of it, or its name. */
static bool means(const char *mode, const char *id, const char *name)
{
        static const char prefix[] = "container:";
        if (!mode || !string_starts(mode, prefix))
                return false;
        const char *other = mode + strlen(prefix);
        if (*other == '/')
                other++;
        return strcmp(other, name) == 0 || (strlen(other) >= 12 && string_starts(id, other));
}

/* What of the container's the other one uses, and would be without; NULL: nothing. */
static const char *depends(const cJSON *other, const char *id, const char *name, enum docker_purpose purpose)
{
        static const struct {
                const char *key, *what;
        } namespaces[] = {{"NetworkMode", "network"}, {"PidMode", "processes"}, {"IpcMode", "shared memory"}};
        /* What does not run finds it again by the id when it is started. */
        if (purpose == DOCKER_RESTART && !docker_marked_running(other))
                return NULL;
        const cJSON *host_config = json_get(other, "HostConfig", NULL), *link;
        const cJSON *links = purpose == DOCKER_RESTART ? NULL : json_get(host_config, "Links", NULL);
        for (size_t i = 0; i < N_ELEMENTS(namespaces); i++)
                if (means(json_string(host_config, namespaces[i].key), id, name))
                        return namespaces[i].what;
        /* A link of the default bridge, "/name:/other/alias", is kept by the id, and follows a restart. */
        size_t length = strlen(name);
        cJSON_ArrayForEach(link, links)
        {
                const char *text = cJSON_IsString(link) ? link->valuestring : "";
                text += *text == '/';
                if (strncmp(text, name, length) == 0 && text[length] == ':')
                        return "link";
        }
        return NULL;
}

static const char *const verbs[] = {
        [DOCKER_RESTART] = "restarted", [DOCKER_RECREATE] = "recreated", [DOCKER_REMOVE] = "removed"};

static int refuse(const char *name, enum docker_purpose purpose, const char *reason, const char *remedy,
                  struct error *error)
{
        _cleanup_text_ struct text advice = {0};
        for (const char *c = remedy; *c; c++)
                if (c[0] == '%' && c[1] == 's') {
                        text_puts(&advice, name);
                        c++;
                } else
                        text_putc(&advice, *c);
        if (text_error(&advice) < 0)
                return error_oom(error);
        return error_set(error, ENOTSUP, "%s cannot be %s: %s; what would be right: %s", name, verbs[purpose],
                         reason, text_string(&advice));
}

static int check_dependents(const cJSON *everything, const char *id, const char *name,
                            enum docker_purpose purpose, struct error *error)
{
        _cleanup_text_ struct text users = {0};
        const char *first = NULL;
        const cJSON *other;
        cJSON_ArrayForEach(other, everything)
        {
                if (string_equal(json_string(other, "Id"), id) || docker_is_kept(other))
                        continue;
                const char *what = depends(other, id, name, purpose);
                if (what)
                        text_printf(&users, "%s%s (%s)", users.length > 0 ? ", " : "", docker_name(other),
                                    what);
                if (what && !first)
                        first = docker_name(other);
        }
        if (text_error(&users) < 0)
                return error_oom(error);
        if (!first)
                return 0;
        return error_set(
                error, ENOTSUP,
                "%s cannot be %s: %s would lose what it has of it; what would be right: both together, by "
                "hand (docker-compose up -d --force-recreate)",
                name, verbs[purpose], text_string(&users));
}

int docker_may(const cJSON *everything, const cJSON *inspected, enum docker_purpose purpose,
               struct error *error)
{
        const char *id = json_string(inspected, "Id"), *name = docker_name(inspected);
        if (!id || !*name)
                return error_set(error, EBADMSG, "Docker's description of the container is not complete");
        int r = docker_is_self(id, error);
        if (r < 0)
                return error_prefix(error, r, "whether %s is the container that this responder runs in",
                                    name);
        if (r > 0)
                return refuse(name, purpose, "it is the container that this responder runs in",
                              "do it by hand", error);
        for (size_t i = 0; i < N_ELEMENTS(conditions); i++)
                if (conditions[i].forbids & purpose && conditions[i].holds(inspected))
                        return refuse(name, purpose, conditions[i].reason, conditions[i].remedy, error);
        return check_dependents(everything, id, name, purpose, error);
}

/* Asks for each container of a list; one that is gone meanwhile is left out. */
static int inspect_listed(struct docker *docker, const cJSON *list, struct docker_get *gets, size_t count,
                          struct deadline deadline, cJSON *ret, struct error *error)
{
        const cJSON *item = cJSON_IsArray(list) ? list->child : NULL;
        for (size_t i = 0; i < count && item; i++, item = item->next) {
                gets[i].path = text_format("/containers/%s/json", json_string(item, "Id"));
                if (!gets[i].path)
                        return error_oom(error);
        }
        int r = docker_get_all(docker, gets, count, deadline, error);
        for (size_t i = 0; i < count && r >= 0; i++) {
                if (gets[i].result < 0 && gets[i].result != -ENOENT) {
                        r = gets[i].result;
                        error_move(error, &gets[i].error);
                } else if (gets[i].result >= 0 && json_append(ret, TAKE_PTR(gets[i].answer)) < 0)
                        r = error_oom(error);
        }
        return r;
}

int docker_inspect_everything(struct docker *docker, struct deadline deadline, cJSON **ret,
                              struct error *error)
{
        _cleanup_json_ cJSON *list = NULL, *found = cJSON_CreateArray();
        if (!found)
                return error_oom(error);
        int r = docker_call(docker, "GET", "/containers/json?all=1", NULL, deadline, &list, error);
        if (r < 0)
                return r;
        /* Without the list nothing would seem to depend on anything. */
        if (!cJSON_IsArray(list))
                return error_set(error, EBADMSG, "Docker's list of containers is not a list");
        const cJSON *item;
        cJSON_ArrayForEach(item, list)
        {
                if (!json_string(item, "Id"))
                        return error_set(error, EBADMSG, "Docker's list has a container without an id");
        }
        size_t count = (size_t)cJSON_GetArraySize(list);
        struct docker_get *gets = calloc(count + 1, sizeof(*gets));
        if (!gets)
                return error_oom(error);
        r = inspect_listed(docker, list, gets, count, deadline, found, error);
        for (size_t i = 0; i < count; i++)
                docker_get_release(&gets[i]);
        free(gets);
        if (r >= 0)
                *ret = TAKE_PTR(found);
        return r;
}
