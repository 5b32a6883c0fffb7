/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found of each service in one run: how many of its containers run, how many should, and why one
 * does not.
 *
 * Compose tells nobody how many containers a service was scaled to. What tells is that they are there: one
 * that was killed or has crashed is still listed, and wanted. So wanted are those that exist, each of
 * Compose's numbers once (while one is replaced there are two of a number), unless `replicas:` says how many.
 * A container that ended well and that no policy restarts is wanted only of a service that the operator
 * expects: of others it may be a job that is done, as of migrations.
 */
#ifndef EXPORTER_KINDS_DOCKER_SERVICES_H
#define EXPORTER_KINDS_DOCKER_SERVICES_H

#include "exporter/kinds/docker/config.h"
#include "exporter/kinds/docker/series.h"
#include "exporter/kinds/docker/watch.h"
#include "runbook/docker_container.h"

#define DOCKER_SERVICE_FAMILIES(X)                                                                         \
        X(docker_service_containers, GAUGE, "runbook_docker_service_containers", NULL,                     \
          "Running containers of the service; 0 for an expected service that has none.")                   \
        X(docker_replicas_running, GAUGE, "runbook_docker_service_replicas_running", NULL,                 \
          "Running containers of a service of which some should run.")                                     \
        X(docker_replicas_wanted, GAUGE, "runbook_docker_service_replicas_wanted", NULL,                   \
          "Containers of the service that should run: as many as `replicas` says, else those that exist, " \
          "and "                                                                                           \
          "at least one of an expected service. Not for services whose containers all ended well and are " \
          "not "                                                                                           \
          "restarted, such as jobs.")

DOCKER_SERVICE_FAMILIES(DECLARE_FAMILY)

/* What one service was found to be. */
struct docker_finding {
        const char *project, *service; /* the project: NULL where the check is about one alone */
        bool expected;
        unsigned running, wanted;
        int number;             /* of the container looked at last */
        bool counted;           /* whether that number is among the wanted ones */
        bool unknown;           /* the Engine did not tell of one of its containers */
        char *down;             /* why a container does not run, or NULL */
        const cJSON *inspected; /* the container looked at last, borrowed; NULL: none */
        const char *unhealthy;  /* the name of a container, or NULL */
};

struct docker_findings {
        const struct docker_config *config;
        struct docker_finding *items;
        size_t count;
};

/* With the expected services in it, and room for those of so many containers. The configuration is borrowed.
 */
int docker_findings_init(struct docker_findings *findings, const struct docker_config *config,
                         size_t containers, struct error *error);
void docker_findings_release(struct docker_findings *findings);

/* The finding of a service, a new one when there is none yet; the names are borrowed. */
struct docker_finding *docker_findings_of(struct docker_findings *findings, const char *project,
                                          const char *service);

/* Puts down what is known of a container, which is borrowed. They come in the order of docker_list().
 * -ENOMEM. */
int docker_finding_add(struct docker_finding *finding, const cJSON *inspected, const char *name,
                       struct error *error);

/* Puts down that the container could not be looked at. */
void docker_finding_miss(struct docker_finding *finding);

/* Into the samples of each service; what happened to it is `watch`'s. -ENOMEM. */
int docker_findings_tell(const struct docker_findings *findings, struct docker_watch *watch,
                         struct sample_sink *sink, struct error *error);

/*
 * Why the check fails, from the services that the operator expects: -ECHILD, with the service that was
 * probably meant by one that has no container. Roots come first: behind them those of which Compose's own
 * `depends_on` says that they need one that fails as well, with its name. What is unknown is not judged:
 * `*ret_unknown` says that it is not known whether an expected service runs.
 */
int docker_findings_judge(const struct docker_findings *findings, bool *ret_unknown, struct error *error);

#endif
