/* SPDX-License-Identifier: Apache-2.0 */
/* Alerting rules of Prometheus, as far as coverage asks about them. */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "responder/coverage/coverage.h"

static char *copy(const char *value)
{
        return value ? strdup(value) : NULL;
}

static int add_label(struct config_map *map, const char *key, const char *value)
{
        char **keys = reallocarray(map->keys, map->count + 1, sizeof(*keys));
        map->keys = keys ? keys : map->keys;
        char **values = reallocarray(map->values, map->count + 1, sizeof(*values));
        map->values = values ? values : map->values;
        if (!keys || !values)
                return -ENOMEM;
        keys[map->count] = strdup(key);
        values[map->count] = strdup(value);
        map->count++;
        return keys[map->count - 1] && values[map->count - 1] ? 0 : -ENOMEM;
}

/* What a template makes of one is known when it fires. */
static int read_labels(struct alert_rule *rule, struct config_node *labels)
{
        int r = add_label(&rule->labels, "alertname", rule->name);
        for (size_t i = 0; r >= 0 && i < config_size(labels); i++) {
                const char *value = config_scalar(config_item(labels, i));
                if (value && !strstr(value, "{{"))
                        r = add_label(&rule->labels, config_key(labels, i), value);
        }
        return r;
}

static int read_rule(struct config_node *node, const char *group, struct alert_rules *rules)
{
        const char *name = config_scalar(config_member(node, "alert"));
        const char *expr = config_scalar(config_member(node, "expr"));
        if (!name)
                return 0;
        if (!expr)
                config_complain(node, NULL, "the alert %s has no expr", name);
        struct alert_rule *items = reallocarray(rules->items, rules->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        rules->items = items;
        struct alert_rule *rule = &items[rules->count++];
        *rule = (struct alert_rule){
                .name = copy(name), .expr = copy(expr ? expr : "0"), .group = copy(group)};
        return rule->name && rule->expr && rule->group ? read_labels(rule, config_member(node, "labels"))
                                                       : -ENOMEM;
}

static int read_group(struct config_node *node, struct alert_rules *rules)
{
        const char *name = config_scalar(config_member(node, "name"));
        struct config_node *list = config_member(node, "rules");
        int r = 0;
        for (size_t i = 0; r >= 0 && i < config_size(list); i++)
                r = read_rule(config_item(list, i), name ? name : "", rules);
        return r;
}

static int read_groups(struct config *config, const char *path, struct alert_rules *rules,
                       struct error *error)
{
        struct config_node *groups = config_member(config_root(config), "groups");
        if (config_complaints(config) == 0 && !config_is_list(groups))
                return error_set(error, EINVAL, "%s has no list of groups: it is no file of rules", path);
        for (size_t i = 0; i < config_size(groups); i++)
                if (read_group(config_item(groups, i), rules) < 0)
                        return error_oom(error);
        if (config_complaints(config) > 0)
                return error_set(error, EINVAL, "%s", config_complaints_text(config));
        return 0;
}

static int load_rules(const char *path, struct alert_rules *rules, struct error *error)
{
        _cleanup_config_ struct config *config = NULL;
        int r = config_load(path, &config, error);
        return r < 0 ? r : read_groups(config, path, rules, error);
}

/* What one of the rule_files of the file at `path` matches. */
static int load_matching(const char *path, const char *pattern, struct alert_rules *rules,
                         struct error *error)
{
        const char *slash = strrchr(path, '/');
        int directory = *pattern == '/' || !slash ? 0 : (int)(slash + 1 - path);
        _cleanup_free_ char *seen = text_format("%.*s%s", directory, path, pattern);
        glob_t found = {0};
        int r = 0;
        if (!seen)
                return error_oom(error);
        switch (glob(seen, 0, NULL, &found)) {
        case 0: break;
        case GLOB_NOSPACE: r = error_oom(error); break;
        default:
                r = error_set(error, ENOENT, "%s: of its rule_files, %s matches no file that can be read",
                              path, pattern);
        }
        for (size_t i = 0; r >= 0 && i < found.gl_pathc; i++)
                r = load_rules(found.gl_pathv[i], rules, error);
        globfree(&found);
        return r;
}

/* One of rules, or one of Prometheus itself. */
static int load_file(const char *path, struct alert_rules *rules, struct error *error)
{
        _cleanup_config_ struct config *config = NULL;
        int r = config_load(path, &config, error);
        if (r < 0)
                return r;
        struct config_node *files = config_member(config_root(config), "rule_files");
        if (!config_is_list(files))
                return read_groups(config, path, rules, error);
        for (size_t i = 0; r >= 0 && i < config_size(files); i++) {
                const char *pattern = config_scalar(config_item(files, i));
                if (pattern)
                        r = load_matching(path, pattern, rules, error);
        }
        return r;
}

int alert_rules_load(const char *const *paths, struct alert_rules *ret, struct error *error)
{
        struct alert_rules rules = {0};
        int r = 0;
        for (; r >= 0 && *paths; paths++)
                r = load_file(*paths, &rules, error);
        if (r < 0)
                alert_rules_release(&rules);
        else
                *ret = rules;
        return r;
}

void alert_rules_release(struct alert_rules *rules)
{
        for (size_t i = 0; i < rules->count; i++) {
                struct alert_rule *rule = &rules->items[i];
                for (size_t k = 0; k < rule->labels.count; k++) {
                        free(rule->labels.keys[k]);
                        free(rule->labels.values[k]);
                }
                free(rule->labels.keys);
                free(rule->labels.values);
                free(rule->name);
                free(rule->expr);
                free(rule->group);
        }
        free(rules->items);
        *rules = (struct alert_rules){0};
}
