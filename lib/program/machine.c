/* SPDX-License-Identifier: Apache-2.0 */
/* Where this machine keeps what every machine has, but not in the place that the libraries were built for. */
#include "lib/program/machine.h"

#include <limits.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runbook/text.h"

#define ZONES "/usr/share/zoneinfo"
#define OWN_ZONES "/share/zoneinfo"

/* Debian's, which the libraries are built for, comes first. */
static const char *const authorities[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Alpine, Arch */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* Red Hat, Amazon Linux, Fedora */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* where that one is a link to */
        "/etc/ssl/ca-bundle.pem",                            /* SUSE */
        "/etc/ssl/cert.pem",
};

static bool is_there(const char *root, const char *path)
{
        _cleanup_free_ char *whole = text_format("%s%s", root, path);
        return whole && access(whole, R_OK) == 0;
}

const char *machine_authorities(const char *root)
{
        if (is_there(root, authorities[0]) && is_there(root, X509_get_default_cert_dir()))
                return NULL;
        for (size_t i = 0; i < N_ELEMENTS(authorities); i++)
                if (is_there(root, authorities[i]))
                        return authorities[i];
        return NULL;
}

char *machine_zones(const char *root, const char *program)
{
        const char *slash = strrchr(program, '/');
        size_t length = slash ? (size_t)(slash - program) : 0;
        if (is_there(root, ZONES) || !slash)
                return NULL;
        while (length > 0 && program[length - 1] != '/')
                length--; /* /opt/runbook/ of /opt/runbook/bin/runbook_exporter */
        _cleanup_free_ char *own =
                text_format("%.*s%s", length > 0 ? (int)length - 1 : 0, program, OWN_ZONES);
        return own && is_there(root, own) ? TAKE_PTR(own) : NULL;
}

/* Its own path, as long as it is one that can be. */
static bool find_program(char *program, size_t size)
{
        ssize_t length = readlink("/proc/self/exe", program, size - 1);
        if (length <= 0)
                return false;
        program[length] = '\0';
        return true;
}

void machine_settle(void)
{
        char program[PATH_MAX];
        const char *file = machine_authorities("");
        _cleanup_free_ char *zones =
                find_program(program, sizeof(program)) ? machine_zones("", program) : NULL;
        if (file)
                setenv(X509_get_default_cert_file_env(), file, 0);
        if (zones)
                setenv("TZDIR", zones, 0);
}
