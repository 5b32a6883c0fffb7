/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libcurl reads the 140 authorities of a system anew for each connection: 20 ms, for a handshake of 1. Its
 * own cache is of no use here: it is off where there is a directory of them beside the file, would hold 1 MB
 * for each handle, and would not see for a day that the file has changed.
 */
#include "lib/http/client/trust.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "runbook/common.h"

/* By the lock. A cache: it holds nothing that is not in the file. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *store;
static struct stat read_at;

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As OpenSSL's own programs have it, and Go's: the environment comes first. */
static const char *path_of(const char *variable, const char *built_in)
{
        const char *given = secure_getenv(variable);
        return given && *given ? given : built_in;
}

/* The directory is looked into at each handshake, for what is not in the file. */
static X509_STORE *read_store(const char *file, const char *directory)
{
        X509_STORE *fresh = X509_STORE_new();
        if (fresh && X509_STORE_load_locations(fresh, file, directory) != 1) {
                X509_STORE_free(fresh);
                return NULL;
        }
        if (fresh)
                X509_STORE_set_flags(fresh, X509_V_FLAG_PARTIAL_CHAIN); /* as libcurl does */
        return fresh;
}

X509_STORE *trust_system(void)
{
        const curl_version_info_data *built_in = curl_version_info(CURLVERSION_NOW);
        const char *file = path_of(X509_get_default_cert_file_env(), built_in->cainfo);
        const char *directory = path_of(X509_get_default_cert_dir_env(), built_in->capath);
        X509_STORE *found = NULL;
        struct stat now = {0};
        if (!file || stat(file, &now) < 0)
                return NULL; /* libcurl finds its own way, or says what is missing */
        pthread_mutex_lock(&lock);
        if (!store || !is_same(&now, &read_at)) {
                X509_STORE *fresh = read_store(file, directory);
                if (fresh) {
                        X509_STORE_free(store);
                        store = fresh;
                        read_at = now;
                }
        }
        if (store && X509_STORE_up_ref(store) == 1)
                found = store;
        pthread_mutex_unlock(&lock);
        return found;
}

static CURLcode use(CURL *curl _unused_, void *context, void *data _unused_)
{
        X509_STORE *shared = trust_system();
        if (!shared)
                return CURLE_SSL_CACERT_BADFILE;
        SSL_CTX_set_cert_store(context, shared);
        return CURLE_OK;
}

void trust_set(CURL *curl, const char *ca_file)
{
        X509_STORE *shared = ca_file ? NULL : trust_system();
#if LIBCURL_VERSION_NUM >= 0x075700
        curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* authorities as they are, not as they were */
#endif
        if (ca_file || (shared && curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, use) == CURLE_OK)) {
                curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
                curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* these, and not the system's too */
        }
        X509_STORE_free(shared);
}
