/* SPDX-License-Identifier: Apache-2.0 */
/* The description of a container turned into what creates the same one again, with its environment changed.
 */
/*
 * What GET /containers/{id}/json says is not what POST /containers/create takes; each difference has cost
 * somebody a container (watchtower#521, #1723, #1286, moby#47441). Each is one function here:
 *
 *   image        the id, when the tag has moved on: only the environment shall change (by the caller)
 *   environment  verbatim, but for the changed keys
 *   identity     a hostname that is only the old id; what a borrowed network namespace does not allow
 *   volumes      anonymous ones by their names, so that the data stays
 *   networks     what an operator set, without what the Engine filled in; one network at creation before 1.44
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/docker/internal.h"

#define SHORT_ID_LENGTH 12
#define API_MANY_NETWORKS 44 /* several networks at creation; the MAC address belongs to the endpoint */

static bool put_copy(cJSON *to, const char *key, const cJSON *value)
{
        return json_put(to, key, cJSON_Duplicate(value, true)) == 0;
}

static bool put_string(cJSON *to, const char *key, const char *value)
{
        return json_put(to, key, cJSON_CreateString(value)) == 0;
}

static void drop(cJSON *object, const char *key)
{
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

static bool is_short_id(const cJSON *inspected, const char *word)
{
        const char *id = json_string(inspected, "Id");
        return id && word && strlen(word) == SHORT_ID_LENGTH && strncmp(id, word, SHORT_ID_LENGTH) == 0;
}

static const char *network_mode(const cJSON *inspected)
{
        const char *mode = json_string(json_get(inspected, "HostConfig", NULL), "NetworkMode");
        return mode && *mode ? mode : "default";
}

static bool sets(const char *assignment, const char *variable)
{
        size_t length = strlen(variable);
        return strncmp(assignment, variable, length) == 0 &&
               (assignment[length] == '=' || !assignment[length]);
}

/* "K=V" of change i, or NULL when out of memory. */
static cJSON *assignment_new(const struct docker_change *change, size_t i)
{
        _cleanup_free_ char *assignment = text_format("%s=%s", change->variables[i], change->values[i]);
        return assignment ? cJSON_CreateString(assignment) : NULL;
}

static int change_environment(cJSON *config, const struct docker_change *change, struct error *error)
{
        _cleanup_json_ cJSON *changed = cJSON_CreateArray();
        _cleanup_free_ bool *done = calloc(change->count + 1, sizeof(*done));
        const cJSON *item;
        if (!changed || !done)
                return error_oom(error);

        cJSON_ArrayForEach(item, json_get(config, "Env", NULL))
        {
                if (!cJSON_IsString(item))
                        continue;
                size_t i = 0;
                while (i < change->count && !sets(item->valuestring, change->variables[i]))
                        i++;
                cJSON *copy = NULL;
                if (i == change->count)
                        copy = cJSON_CreateString(item->valuestring);
                else if (done[i] || !change->values[i])
                        continue;
                else {
                        copy = assignment_new(change, i);
                        done[i] = true;
                }
                if (json_append(changed, copy) < 0)
                        return error_oom(error);
        }
        for (size_t i = 0; i < change->count; i++) {
                if (done[i] || !change->values[i])
                        continue;
                if (json_append(changed, assignment_new(change, i)) < 0)
                        return error_oom(error);
        }
        return json_put(config, "Env", TAKE_PTR(changed)) < 0 ? error_oom(error) : 0;
}

static void drop_identity(cJSON *config, cJSON *host_config, const cJSON *inspected)
{
        /* The Engine writes these into a container that borrows a namespace, and refuses them at creation. */
        static const char *const borrowed[] = {"Hostname", "Domainname", "ExposedPorts", "MacAddress"};
        const char *uts = json_string(host_config, "UTSMode");
        if (string_starts(network_mode(inspected), "container:"))
                for (size_t i = 0; i < N_ELEMENTS(borrowed); i++)
                        drop(config, borrowed[i]);
        else if (is_short_id(inspected, json_string(config, "Hostname")) || string_equal(uts, "host"))
                drop(config, "Hostname");
        drop(host_config, "ContainerIDFile");
}

/* Whether a bind of "source:destination[:mode]" is for `destination`. */
static bool bind_covers(const char *bind, const char *destination)
{
        const char *at = strchr(bind, ':');
        size_t length = strlen(destination);
        return at && strncmp(at + 1, destination, length) == 0 && (!at[1 + length] || at[1 + length] == ':');
}

static bool has_bind(const cJSON *host_config, const char *destination)
{
        const cJSON *bind;
        cJSON_ArrayForEach(bind, json_get(host_config, "Binds", NULL))
        {
                if (cJSON_IsString(bind) && bind_covers(bind->valuestring, destination))
                        return true;
        }
        return false;
}

static cJSON *find_mount(cJSON *mounts, const char *destination)
{
        cJSON *mount;
        cJSON_ArrayForEach(mount, mounts)
        {
                if (string_equal(json_string(mount, "Target"), destination))
                        return mount;
        }
        return NULL;
}

static cJSON *volume_mount(const cJSON *mount, const char *name, const char *destination)
{
        _cleanup_json_ cJSON *made = cJSON_CreateObject();
        bool fine = put_string(made, "Type", "volume") && put_string(made, "Source", name) &&
                    put_string(made, "Target", destination) &&
                    json_put(made, "ReadOnly", cJSON_CreateBool(!json_bool(mount, "RW", true))) == 0;
        /* Nothing is to be copied into it from the image: what it holds is what it holds. */
        cJSON *options = cJSON_CreateObject();
        fine = fine && json_put(options, "NoCopy", cJSON_CreateTrue()) == 0;
        if (!fine) {
                cJSON_Delete(options);
                return NULL;
        }
        return json_put(made, "VolumeOptions", options) == 0 ? TAKE_PTR(made) : NULL;
}

static int keep_volumes(cJSON *host_config, const cJSON *inspected, struct error *error)
{
        const cJSON *mount;
        cJSON_ArrayForEach(mount, json_get(inspected, "Mounts", NULL))
        {
                const char *name = json_string(mount, "Name"),
                           *destination = json_string(mount, "Destination");
                if (!string_equal(json_string(mount, "Type"), "volume") || !name || !destination ||
                    has_bind(host_config, destination))
                        continue;

                cJSON *mounts = cJSON_GetObjectItemCaseSensitive(host_config, "Mounts");
                if (!cJSON_IsArray(mounts)) {
                        if (json_put(host_config, "Mounts", cJSON_CreateArray()) < 0)
                                return error_oom(error);
                        mounts = cJSON_GetObjectItemCaseSensitive(host_config, "Mounts");
                }
                cJSON *known = find_mount(mounts, destination);
                if (known) {
                        const char *source = json_string(known, "Source");
                        if ((!source || !*source) && !put_string(known, "Source", name))
                                return error_oom(error);
                        continue;
                }
                if (json_append(mounts, volume_mount(mount, name, destination)) < 0)
                        return error_oom(error);
        }
        return 0;
}

static bool is_predefined(const char *network)
{
        return strcmp(network, "bridge") == 0 || strcmp(network, "host") == 0 || strcmp(network, "none") == 0;
}

static const cJSON *networks_of(const cJSON *inspected)
{
        return json_get(inspected, "NetworkSettings", "Networks", NULL);
}

/* The key in Networks that NetworkMode means, which may also be an id; NULL when it means none of them. */
static const char *primary_network(const cJSON *inspected)
{
        const char *mode = network_mode(inspected);
        if (strcmp(mode, "default") == 0)
                mode = "bridge";
        const cJSON *network;
        cJSON_ArrayForEach(network, networks_of(inspected))
        {
                if (strcmp(network->string, mode) == 0)
                        return network->string;
        }
        cJSON_ArrayForEach(network, networks_of(inspected))
        {
                const char *id = json_string(network, "NetworkID");
                if (id && strlen(mode) >= SHORT_ID_LENGTH && string_starts(id, mode))
                        return network->string;
        }
        return NULL;
}

/* Whether the Engine made the address up from the IPv4 address (before 28): then it must not be pinned,
 * because whoever gets that IP address next would get the same one. */
static bool is_made_up(const char *mac, const char *ip)
{
        unsigned a, b, c, d;
        char derived[32];
        if (!ip || sscanf(ip, "%u.%u.%u.%u", &a, &b, &c, &d) != 4)
                return false;
        snprintf(derived, sizeof(derived), "02:42:%02x:%02x:%02x:%02x", a & 255, b & 255, c & 255, d & 255);
        return strcasecmp(mac, derived) == 0;
}

static cJSON *copy_endpoint(const cJSON *endpoint, const cJSON *inspected, int api_minor)
{
        static const char *const kept[] = {"IPAMConfig", "Links", "DriverOpts", "GwPriority"};
        _cleanup_json_ cJSON *copy = cJSON_CreateObject();
        if (!copy)
                return NULL;
        for (size_t i = 0; i < N_ELEMENTS(kept); i++) {
                const cJSON *value = json_get(endpoint, kept[i], NULL);
                if (value && !cJSON_IsNull(value) && !put_copy(copy, kept[i], value))
                        return NULL;
        }

        /* Up to 1.44 the Engine lists the short id among the aliases; only exactly that one goes. */
        const cJSON *alias, *aliases = json_get(endpoint, "Aliases", NULL);
        if (cJSON_IsArray(aliases)) {
                if (json_put(copy, "Aliases", cJSON_CreateArray()) < 0)
                        return NULL;
                cJSON *list = cJSON_GetObjectItemCaseSensitive(copy, "Aliases");
                cJSON_ArrayForEach(alias, aliases)
                {
                        if (!cJSON_IsString(alias) || is_short_id(inspected, alias->valuestring))
                                continue;
                        if (json_append(list, cJSON_CreateString(alias->valuestring)) < 0)
                                return NULL;
                }
        }

        const char *mac = json_string(endpoint, "MacAddress");
        if (api_minor >= API_MANY_NETWORKS && mac && *mac &&
            !is_made_up(mac, json_string(endpoint, "IPAddress")) && !put_string(copy, "MacAddress", mac))
                return NULL;
        return TAKE_PTR(copy);
}

static bool add_connection(cJSON *connect, const cJSON *network, cJSON *endpoint)
{
        const char *id = json_string(network, "NetworkID");
        cJSON *item = cJSON_CreateObject();
        if (json_put(item, "endpoint", endpoint) < 0 ||
            !put_string(item, "network", id && *id ? id : network->string)) {
                cJSON_Delete(item);
                return false;
        }
        return json_append(connect, item) == 0;
}

static int copy_networks(cJSON *body, const cJSON *inspected, int api_minor, cJSON *connect,
                         struct error *error)
{
        cJSON *host_config = cJSON_GetObjectItemCaseSensitive(body, "HostConfig");
        const char *mode = network_mode(inspected);
        if (string_starts(mode, "container:") || strcmp(mode, "host") == 0 || strcmp(mode, "none") == 0)
                return 0;

        /* NetworkMode has to be the very key that stands in EndpointsConfig. */
        const char *primary = primary_network(inspected);
        if (primary && !put_string(host_config, "NetworkMode", primary))
                return error_oom(error);

        _cleanup_json_ cJSON *endpoints = cJSON_CreateObject();
        const cJSON *network;
        cJSON_ArrayForEach(network, networks_of(inspected))
        {
                bool is_primary = string_equal(network->string, primary);
                cJSON *endpoint = copy_endpoint(network, inspected, api_minor);
                if (!endpoint)
                        return error_oom(error);
                if (is_predefined(network->string)) {
                        /* The Engine refuses addresses and aliases on its own networks. */
                        drop(endpoint, "IPAMConfig");
                        drop(endpoint, "Aliases");
                        drop(endpoint, "Links");
                }
                const char *mac = json_string(body, "MacAddress");
                if (is_primary && api_minor >= API_MANY_NETWORKS && mac && *mac) {
                        if (!put_string(endpoint, "MacAddress", mac)) {
                                cJSON_Delete(endpoint);
                                return error_oom(error);
                        }
                        drop(body, "MacAddress");
                }

                bool at_creation = is_primary || api_minor >= API_MANY_NETWORKS;
                if (at_creation && is_predefined(network->string) && !endpoint->child)
                        cJSON_Delete(endpoint);
                else if (at_creation ? json_put(endpoints, network->string, endpoint) < 0
                                     : !add_connection(connect, network, endpoint))
                        return error_oom(error);
        }
        if (!endpoints || !endpoints->child)
                return 0;
        cJSON *networking = cJSON_CreateObject();
        if (json_put(networking, "EndpointsConfig", TAKE_PTR(endpoints)) < 0) {
                cJSON_Delete(networking);
                return error_oom(error);
        }
        return json_put(body, "NetworkingConfig", networking) < 0 ? error_oom(error) : 0;
}

int docker_copy(const cJSON *inspected, const char *image, const struct docker_change *change, int api_minor,
                cJSON **ret_body, cJSON **ret_connect, struct error *error)
{
        const cJSON *config = json_get(inspected, "Config", NULL);
        const cJSON *host_config = json_get(inspected, "HostConfig", NULL);
        if (!cJSON_IsObject(config) || !cJSON_IsObject(host_config))
                return error_set(error, EBADMSG, "Docker's description of the container is not complete");

        _cleanup_json_ cJSON *body = cJSON_Duplicate(config, true);
        _cleanup_json_ cJSON *connect = cJSON_CreateArray();
        if (!body || !connect || !put_copy(body, "HostConfig", host_config) ||
            !put_string(body, "Image", image))
                return error_oom(error);

        cJSON *host = cJSON_GetObjectItemCaseSensitive(body, "HostConfig");
        drop_identity(body, host, inspected);
        int r = change_environment(body, change, error);
        if (r >= 0)
                r = keep_volumes(host, inspected, error);
        if (r >= 0)
                r = copy_networks(body, inspected, api_minor, connect, error);
        if (r < 0)
                return r;
        *ret_body = TAKE_PTR(body);
        *ret_connect = TAKE_PTR(connect);
        return 0;
}
