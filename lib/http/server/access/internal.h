/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the web configuration's files and the server that is held to it share: what is configured, its TLS,
 * and the checking of passwords.
 */
#ifndef LIB_HTTP_SERVER_ACCESS_INTERNAL_H
#define LIB_HTTP_SERVER_ACCESS_INTERNAL_H

#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "runbook/config.h"
#include "runbook/web_config.h"

enum web_client_auth {
        NO_CERT,
        REQUEST_CERT,
        REQUIRE_ANY,
        REQUIRE_ANY_OLD,
        VERIFY_IF_GIVEN,
        REQUIRE_VERIFIED,
        CLIENT_AUTHS, /* how many there are */
};

enum { WEB_TLS_VERSIONS = 4 }; /* 1.0 to 1.3 */

struct web_tls_settings {
        char *cert, *key, *client_ca, *cert_file, *key_file, *client_ca_file;
        int client_auth;              /* enum web_client_auth */
        int min_version, max_version; /* of WEB_TLS_VERSIONS */
        struct config_strings cipher_suites, curves, allowed_sans;
        bool prefer_server;
};

enum { WEB_HEADERS = 5 };
extern const char *const web_header_names[WEB_HEADERS];

/* What a file was when it was looked at; all zero when there was none. */
struct web_stamp {
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec modified, changed;
};

enum { WEB_FILES = 4 }; /* the web configuration itself, certificate, key, authorities */

struct web_config {
        atomic_uint references;
        struct web_settings {
                struct web_tls_settings tls;
                struct {
                        bool http2;
                        char *headers[WEB_HEADERS];
                } http;
                struct config_map users;
        } settings;
        bool tls, http2_asked;
        char *unknown_hash; /* what the password of an unknown user is checked against */
        char *paths[WEB_FILES];
        struct web_stamp stamps[WEB_FILES]; /* taken before the files were read */
        gnutls_certificate_credentials_t credentials;
        gnutls_priority_t priority;
};

/* True when one of the `paths` (NULL: none) is no longer what `stamps` says. */
bool web_stamps_differ(char *const *paths, const struct web_stamp *stamps);
void web_stamps_take(char *const *paths, struct web_stamp *ret);

/* Complains about what GnuTLS cannot do; before web_tls_open(). */
void web_tls_check(const struct web_tls_settings *settings, struct config_node *node);
/* Loads certificates and key, and makes the priorities. */
int web_tls_open(struct web_config *config, struct error *error);
void web_tls_close(struct web_config *config);

/* The names that a verified client certificate carries. */
struct web_peer {
        bool verified;
        struct config_strings names; /* subject alternative names; without any the common name */
};
void web_peer_release(struct web_peer *peer);

/* Puts the configuration in force for a session whose handshake has not begun; it must outlive it. */
int web_tls_prepare(const struct web_config *config, gnutls_session_t session);

/* During the handshake, with the peer's certificate: 0, or a GnuTLS error which ends it. */
int web_tls_verify(const struct web_config *config, gnutls_session_t session, struct web_peer *ret);

/* Appends the names of a certificate; one of the alternative ones has to be `allowed`, unless none is listed.
 * 0, -ENOMEM, or a GnuTLS error: then, too, `names` may have got some. */
int web_certificate_names(const gnutls_datum_t *der, const struct config_strings *allowed,
                          struct config_strings *names);

enum web_verdict { WEB_DENIED, WEB_ALLOWED, WEB_BUSY, WEB_UNKNOWN };

/* Checks passwords on one thread of its own, one at a time, and remembers verdicts. */
struct web_checker;
int web_checker_new(struct web_checker **ret, struct error *error);

/* Calls back whatever waits with WEB_BUSY, and whatever comes later. Afterwards no callback is under way. */
void web_checker_stop(struct web_checker *checker);
struct web_checker *web_checker_free(struct web_checker *checker);

/* What is remembered of these credentials: WEB_UNKNOWN when nothing is. Never slow. */
enum web_verdict web_checker_recall(struct web_checker *checker, const struct web_config *config,
                                    const char *user, const struct text *password);

/*
 * Checks, then calls `done` once, from any thread, possibly before it returns. Copies what it is given.
 * `peer` is whoever asks, and only compared: peers have turns, so that one which guesses keeps no other one
 * waiting for more than one of its guesses, and out for none.
 */
void web_checker_check(struct web_checker *checker, const struct web_config *config, const void *peer,
                       const char *user, const struct text *password,
                       void (*done)(void *context, enum web_verdict verdict), void *context);

/* "Basic …" taken apart: 1; 0 when it is none; -ENOMEM. The password is to be wiped. */
int web_basic_parse(const char *header, char **ret_user, struct text *password);

#endif
