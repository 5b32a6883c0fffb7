/* SPDX-License-Identifier: Apache-2.0 */
#include "runbook/authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define BEHIND (60L * 60)
#define CURVE "P-256"
enum { SERIAL_BYTES = 16, NAME_LENGTH = 253 };

struct authority {
        EVP_PKEY *key;
        X509 *certificate;
        long seconds;
};

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(BIO *, BIO_free);

/* Whatever of libcrypto failed: with keys and names of our own, that is want of memory. */
static int not_made(struct error *error)
{
        return error_set(error, ENOMEM, "libcrypto could not make the certificate");
}

static bool put_extension(X509 *certificate, const X509 *issuer, int nid, const char *value)
{
        X509V3_CTX context;
        X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, certificate, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        bool put = extension && X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        return put;
}

static bool put_serial(X509 *certificate)
{
        unsigned char bytes[SERIAL_BYTES];
        if (RAND_bytes(bytes, sizeof(bytes)) != 1)
                return false;
        bytes[0] &= 0x7f; /* positive */
        BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
        bool put = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
        BN_free(number);
        return put;
}

/* All but its extensions and its signature. */
static X509 *certificate_new(const char *subject, EVP_PKEY *key, long seconds)
{
        X509 *made = X509_new();
        if (made && X509_set_version(made, X509_VERSION_3) == 1 && put_serial(made) &&
            X509_gmtime_adj(X509_getm_notBefore(made), -BEHIND) &&
            X509_gmtime_adj(X509_getm_notAfter(made), seconds) && X509_set_pubkey(made, key) == 1 &&
            X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                       (const unsigned char *)subject, -1, -1, 0) == 1)
                return made;
        X509_free(made);
        return NULL;
}

int authority_new(nsec lifetime, struct authority **ret, struct error *error)
{
        _cleanup_authority_ struct authority *authority = calloc(1, sizeof(*authority));
        if (!authority)
                return error_oom(error);
        authority->seconds = (long)(lifetime / NSEC_PER_SEC);
        authority->key = EVP_EC_gen(CURVE);
        if (authority->key)
                authority->certificate =
                        certificate_new("Runbook's own authority", authority->key, authority->seconds);
        X509 *own = authority->certificate;
        if (!own || X509_set_issuer_name(own, X509_get_subject_name(own)) != 1 ||
            !put_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
            !put_extension(own, own, NID_key_usage, "critical,keyCertSign") ||
            !put_extension(own, own, NID_subject_key_identifier, "hash") ||
            X509_sign(own, authority->key, EVP_sha256()) == 0)
                return not_made(error);
        *ret = TAKE_PTR(authority);
        return 0;
}

struct authority *authority_free(struct authority *authority)
{
        if (authority) {
                X509_free(authority->certificate);
                EVP_PKEY_free(authority->key);
                free(authority);
        }
        return NULL;
}

static int put_pem(X509 *certificate, EVP_PKEY *key, struct text *text, struct error *error)
{
        _cleanup_(BIO_free_p) BIO *out = BIO_new(BIO_s_secmem());
        char *data = NULL;
        if (!out || (certificate && PEM_write_bio_X509(out, certificate) != 1) ||
            (key && PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1))
                return not_made(error);
        long length = BIO_get_mem_data(out, &data);
        text_append(text, data, (size_t)length);
        return text_error(text) < 0 ? error_oom(error) : 0;
}

int authority_certificate(const struct authority *authority, struct text *text, struct error *error)
{
        return put_pem(authority->certificate, NULL, text, error);
}

/* "DNS:host.docker.internal,IP:127.0.0.1". What is in a name could say more of the certificate than a name.
 */
static int put_names(const char *const *names, size_t count, struct text *text, struct error *error)
{
        static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
        unsigned char binary[sizeof(struct in6_addr)];
        for (size_t i = 0; i < count; i++) {
                const char *name = names[i];
                bool address =
                        inet_pton(AF_INET, name, binary) == 1 || inet_pton(AF_INET6, name, binary) == 1;
                size_t length = strlen(name);
                if (!address && (length == 0 || length > NAME_LENGTH || strspn(name, signs) != length))
                        return error_set(error, EINVAL, "\"%.100s\" is neither a host's name nor an address",
                                         name);
                text_printf(text, "%s%s:%s", i > 0 ? "," : "", address ? "IP" : "DNS", name);
        }
        return text_error(text) < 0 ? error_oom(error) : 0;
}

int authority_issue(const struct authority *authority, const char *const *names, size_t count,
                    struct text *certificate, struct text *key, struct error *error)
{
        _cleanup_text_ struct text alternatives = {0};
        int r = put_names(names, count, &alternatives, error);
        if (r < 0)
                return r;
        const X509 *by = authority->certificate;
        _cleanup_(EVP_PKEY_free_p) EVP_PKEY *own = EVP_EC_gen(CURVE);
        _cleanup_(X509_free_p) X509 *made = own ? certificate_new("Runbook", own, authority->seconds) : NULL;
        if (!made || X509_set_issuer_name(made, X509_get_subject_name(by)) != 1 ||
            !put_extension(made, by, NID_basic_constraints, "critical,CA:FALSE") ||
            !put_extension(made, by, NID_key_usage, "critical,digitalSignature") ||
            !put_extension(made, by, NID_ext_key_usage, "serverAuth") ||
            !put_extension(made, by, NID_authority_key_identifier, "keyid") ||
            !put_extension(made, by, NID_subject_alt_name, text_string(&alternatives)) ||
            X509_sign(made, authority->key, EVP_sha256()) == 0)
                return not_made(error);
        r = put_pem(made, NULL, certificate, error);
        return r < 0 ? r : put_pem(NULL, own, key, error);
}
