/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of containers as labels of samples. */
#include "exporter/kinds/docker/labels.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "runbook/docker_container.h"

/* What samples of this kind have already, what Prometheus puts on them, and what histograms and summaries
 * have. */
static const char *const taken[] = {"check",    "project",  "service", "container", "image",
                                    "image_id", "version",  "state",   "to",        "event",
                                    "job",      "instance", "le",      "quantile"};

static char *make_name(const char *label)
{
        bool digit_first = isdigit((unsigned char)*label);
        char *name = text_format("%s%s", digit_first ? "_" : "", label);
        for (char *c = name; c && *c; c++)
                if (!isalnum((unsigned char)*c))
                        *c = '_';
        return name;
}

/* Why no sample can have a label of the name of wanted label `i`; NULL when one can. The caller frees it. */
static char *refuse(const struct docker_label_names *labels, size_t i)
{
        const char *label = labels->wanted->items[i], *name = labels->names[i];
        int other = words_find((const char *const *)labels->names, i, name);
        if (other >= 0)
                return text_format("\"%s\" and \"%s\" would both be the label %s",
                                   labels->wanted->items[other], label, name);
        if (words_find(taken, N_ELEMENTS(taken), name) >= 0)
                return text_format("\"%s\" would be the label %s, which has a meaning of its own", label,
                                   name);
        if (!label_name_valid(name))
                return text_format("\"%s\" cannot be a label's name", label);
        return NULL;
}

int docker_label_names_read(struct docker_label_names *labels, const struct config_strings *wanted,
                            struct config_node *node, struct error *error)
{
        struct config_node *place = config_member(node, "labels");
        bool fine = true;
        *labels = (struct docker_label_names){.wanted = wanted};
        if (wanted->count > DOCKER_LABELS_MAX) {
                config_complain(node, "labels", "%zu labels are too many: at most %d", wanted->count,
                                DOCKER_LABELS_MAX);
                labels->wanted = NULL;
                return -EINVAL;
        }
        for (size_t i = 0; i < wanted->count; i++) {
                labels->names[i] = make_name(wanted->items[i]);
                if (!labels->names[i])
                        return error_oom(error);
                _cleanup_free_ char *reason = refuse(labels, i);
                if (!reason)
                        continue;
                config_complain(config_is_list(place) ? config_item(place, i) : place, NULL, "%s", reason);
                fine = false;
        }
        return fine ? 0 : -EINVAL;
}

void docker_label_names_release(struct docker_label_names *labels)
{
        for (size_t i = 0; i < DOCKER_LABELS_MAX; i++)
                free(labels->names[i]);
        *labels = (struct docker_label_names){0};
}

void docker_label_names_put(const struct docker_label_names *labels, const cJSON *container,
                            struct docker_series *series)
{
        for (size_t i = 0; labels->wanted && i < labels->wanted->count; i++)
                docker_series_label(series, labels->names[i],
                                    docker_label(container, labels->wanted->items[i]));
}
