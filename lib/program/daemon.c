/* SPDX-License-Identifier: Apache-2.0 */
/* What daemons do alike around what they serve. */
#include "runbook/daemon.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "runbook/crypto.h"
#include "runbook/http_server.h"
#include "runbook/log.h"
#include "runbook/memory.h"
#include "runbook/systemd.h"
#include "runbook/web_config.h"

_Static_assert((int)FLAG_STRINGS_MAX <= (int)HTTP_LISTENERS_MAX, "each address has a listener");

const char *const *daemon_listen_addresses(const struct daemon_arguments *arguments)
{
        static const char *const passed[] = {HTTP_SYSTEMD_SOCKET, NULL};
        return arguments->systemd_socket ? passed : arguments->listen_addresses.items;
}

void daemon_put_addresses(const struct daemon_arguments *arguments, struct text *text)
{
        const char *const *addresses = daemon_listen_addresses(arguments);
        for (size_t i = 0; addresses[i]; i++)
                text_printf(text, "%s%s", i > 0 ? ", " : "", addresses[i]);
}

void daemon_settle_config(struct daemon_arguments *arguments, const char *installed, const char *otherwise)
{
        if (!arguments->config_file)
                arguments->config_file = access(installed, F_OK) == 0 ? installed : otherwise;
}

static void block_signals(const struct daemon *daemon, sigset_t *ret)
{
        sigemptyset(ret);
        sigaddset(ret, SIGTERM);
        sigaddset(ret, SIGINT);
        if (daemon->reload)
                sigaddset(ret, SIGHUP);
        pthread_sigmask(SIG_BLOCK, ret, NULL);
}

int daemon_serve(const struct daemon *daemon, void *context)
{
        _cleanup_error_ struct error error = {0};
        int signal_number = 0;
        sigset_t signals;
        block_signals(daemon, &signals);
        crypto_settle();
        if (daemon->start(context, &error) < 0) {
                program_complain(daemon->name, &error);
                daemon->stop(context);
                return EXIT_FAILED;
        }
        memory_settle(); /* what reading the files took is given back */
        systemd_ready();
        while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP) {
                systemd_reloading();
                daemon->reload(context);
                systemd_ready();
        }
        systemd_stopping();
        log_event(LOG_INFO, "Stopping", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
        daemon->stop(context);
        return EXIT_FINE;
}

int daemon_check_web(const char *web_config_file, struct error *error)
{
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;
        return web_config_file ? web_config_load(web_config_file, &web, error) : 0;
}

int daemon_check(const char *web_config_file,
                 int (*read)(const void *context, struct text *verdict, struct error *error),
                 const void *context)
{
        _cleanup_error_ struct error web_error = {0}, error = {0};
        _cleanup_text_ struct text verdict = {0};
        bool fine = daemon_check_web(web_config_file, &web_error) >= 0;
        if (!fine)
                program_complain(NULL, &web_error);
        if (read(context, &verdict, &error) < 0) {
                program_complain(NULL, &error);
                fine = false;
        }
        /* Of one file alone nobody is told that there are no mistakes. */
        return fine ? program_print(&verdict) : EXIT_FAILED;
}
