/* SPDX-License-Identifier: Apache-2.0 */
/* The authorities of the system, which are trusted where none are named. */
#ifndef LIB_HTTP_CLIENT_TRUST_H
#define LIB_HTTP_CLIENT_TRUST_H

#include <curl/curl.h>
#include <openssl/x509.h>

/*
 * The authorities of SSL_CERT_FILE and SSL_CERT_DIR, else where libcurl was built to find them: one store for
 * all connections, read when it is first asked for and again when the file has changed. A reference, or NULL
 * when they cannot be read. Thread-safe.
 */
X509_STORE *trust_system(void);

/* Has the next connection of a handle trust those of `ca_file` and nobody else; NULL: the system's. Where its
 * store is not to be had, libcurl reads its own. */
void trust_set(CURL *curl, const char *ca_file);

#endif
