/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runbook_exporter does beside serving metrics: the commands that print and end.
 *
 * exporter/commands is a room of its own so that main only wires parts together. It uses
 * exporter/commands/init, exporter/web, exporter/schedule, exporter/check, lib/docker, lib/http/client,
 * lib/http/server, lib/program, lib/base, lib/config and lib/metrics.
 */
#ifndef EXPORTER_COMMANDS_COMMANDS_H
#define EXPORTER_COMMANDS_COMMANDS_H

#include "runbook/daemon.h"

/* What the command line says. */
struct exporter_arguments {
        struct program_arguments program;
        struct daemon_arguments daemon;
        const char *url;                           /* of healthy */
        const char *docker_listen, *docker_engine; /* of docker-access */
        const char *schema;                        /* of dashboards */
        const char *state_directory, *directory, *once, *sandbox, *workers, *external_url;
        unsigned worker_limit; /* `workers` as a number */
        bool json;             /* as a document for programs */
        bool all;              /* every check, not the steps of the checklist alone */
        bool twins;            /* with alerts: of each, one to act upon and one to page by */
        bool enable_lifecycle;
        bool run_at_start;        /* every check once, before somebody asks */
        struct flag_strings look; /* with init: where to look, too */
        bool diff;                /* with init: hold what is found against a file */
};

/*
 * They take an exporter_arguments and run on the calling thread. checklist, capacity and --once exit with a
 * verdict: 0, 1 or 2 as once_exit_status() has it, and ONCE_COULD_NOT_LOOK; the others with EXIT_FINE or
 * EXIT_FAILED; doctor, too, or with ONCE_COULD_NOT_LOOK when it cannot read the file.
 */
typedef int command_function(const void *arguments);
command_function command_alerts, command_capacity, command_checklist, command_dashboard, command_dashboards,
        command_describe, command_docker_access, command_doctor, command_families, command_healthy,
        command_inhibitions, command_init, command_once;

#endif
