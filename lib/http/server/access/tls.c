/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS of a web configuration, as GnuTLS has it: suites, credentials, and the peer's certificate. */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#include "lib/http/server/access/internal.h"

/* Go's names for cipher suites, and what GnuTLS composes them from; TLS 1.3 has no key exchange in its. */
static const struct suite {
        const char *name, *exchange, *cipher, *mac;
} suites[] = {
        {"TLS_AES_128_GCM_SHA256", NULL, "AES-128-GCM", "AEAD"},
        {"TLS_AES_256_GCM_SHA384", NULL, "AES-256-GCM", "AEAD"},
        {"TLS_CHACHA20_POLY1305_SHA256", NULL, "CHACHA20-POLY1305", "AEAD"},
        {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA", "AES-128-GCM", "AEAD"},
        {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA", "AES-256-GCM", "AEAD"},
        {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD"},
        {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA", "CHACHA20-POLY1305", "AEAD"},
        {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA", "AES-128-CBC", "SHA1"},
        {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA", "AES-256-CBC", "SHA1"},
        {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA", "AES-128-GCM", "AEAD"},
        {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA", "AES-256-GCM", "AEAD"},
        {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA", "CHACHA20-POLY1305", "AEAD"},
        {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA", "CHACHA20-POLY1305", "AEAD"},
        {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA", "AES-128-CBC", "SHA1"},
        {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA", "AES-256-CBC", "SHA1"},
};

static const struct {
        const char *name, *group;
} curves[] = {
        {"CurveP256", "GROUP-SECP256R1"},
        {"CurveP384", "GROUP-SECP384R1"},
        {"CurveP521", "GROUP-SECP521R1"},
        {"X25519", "GROUP-X25519"},
};

enum { TLS13 = WEB_TLS_VERSIONS - 1 }; /* among the versions */
static const char *const versions[] = {"VERS-TLS1.0", "VERS-TLS1.1", "VERS-TLS1.2", "VERS-TLS1.3"};
tables_agree(versions, WEB_TLS_VERSIONS);

static const struct suite *find_suite(const char *name)
{
        for (size_t i = 0; i < N_ELEMENTS(suites); i++)
                if (strcmp(suites[i].name, name) == 0)
                        return &suites[i];
        return NULL;
}

static const char *find_curve(const char *name)
{
        for (size_t i = 0; i < N_ELEMENTS(curves); i++)
                if (strcmp(curves[i].name, name) == 0)
                        return curves[i].group;
        return NULL;
}

/* The parts of a suite that are in a list of suites. */
struct parts {
        bool exchange, cipher, named;
};

static struct parts parts_listed(const struct config_strings *names, const struct suite *suite)
{
        struct parts found = {0};
        for (size_t i = 0; i < names->count; i++) {
                const struct suite *listed = find_suite(names->items[i]);
                if (!listed)
                        continue;
                found.exchange |= listed->exchange && string_equal(listed->exchange, suite->exchange);
                found.cipher |= strcmp(listed->cipher, suite->cipher) == 0;
                found.named |= string_equal(listed->exchange, suite->exchange) &&
                               strcmp(listed->cipher, suite->cipher) == 0;
        }
        return found;
}

/* GnuTLS takes key exchanges and ciphers, not their pairs: a pair that was not asked for is not let in
 * silently. */
static void check_suites(const struct config_strings *names, struct config_node *node)
{
        for (size_t i = 0; i < names->count; i++)
                if (!find_suite(names->items[i]))
                        config_complain(node, "cipher_suites", "\"%s\" is no cipher suite that is known here",
                                        names->items[i]);
        for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
                const struct parts parts = parts_listed(names, &suites[i]);
                if (suites[i].exchange && parts.exchange && parts.cipher && !parts.named)
                        config_complain(
                                node, "cipher_suites",
                                "GnuTLS would take %s along with these: list it too, or leave one out",
                                suites[i].name);
        }
}

void web_tls_check(const struct web_tls_settings *settings, struct config_node *node)
{
        check_suites(&settings->cipher_suites, node);
        for (size_t i = 0; i < settings->curves.count; i++)
                if (!find_curve(settings->curves.items[i]))
                        config_complain(node, "curve_preferences",
                                        "\"%s\" is no curve that is known here: CurveP256, CurveP384, "
                                        "CurveP521 and X25519 are",
                                        settings->curves.items[i]);
}

/* Go's choice where nothing is said: forward secrecy always. A part may be there twice, which is no matter.
 */
static void put_priority(const struct web_tls_settings *settings, struct text *text)
{
        const struct config_strings *names = &settings->cipher_suites;
        bool exchanges = names->count == 0;
        for (size_t i = 0; i < names->count; i++)
                exchanges |= find_suite(names->items[i])->exchange != NULL;
        /* Suites of TLS 1.3 alone leave nothing to older versions. */
        int least = exchanges ? settings->min_version : TLS13;
        text_puts(text, "NORMAL:-VERS-ALL");
        for (int i = settings->max_version; i >= least; i--)
                text_printf(text, ":+%s", versions[i]);
        text_puts(text, ":-KX-ALL");
        if (names->count > 0)
                text_puts(text, ":-CIPHER-ALL:-MAC-ALL");
        for (size_t i = 0; i < names->count; i++) {
                const struct suite *suite = find_suite(names->items[i]);
                text_printf(text, ":+%s:+%s", suite->cipher, suite->mac);
                if (suite->exchange)
                        text_printf(text, ":+%s", suite->exchange);
        }
        if (names->count == 0 || !exchanges)
                text_puts(text, ":+ECDHE-ECDSA:+ECDHE-RSA");
        if (settings->curves.count > 0)
                text_puts(text, ":-GROUP-ALL");
        for (size_t i = 0; i < settings->curves.count; i++)
                text_printf(text, ":+%s", find_curve(settings->curves.items[i]));
        if (settings->prefer_server)
                text_puts(text, ":%SERVER_PRECEDENCE");
}

static gnutls_datum_t datum(char *string)
{
        return (gnutls_datum_t){(unsigned char *)string, (unsigned)strlen(string)};
}

static int load_pair(struct web_config *config, struct error *error)
{
        struct web_tls_settings *tls = &config->settings.tls;
        const char *cert_file = tls->cert_file ? tls->cert_file : "cert";
        const char *key_file = tls->key_file ? tls->key_file : "key";
        gnutls_datum_t cert = {0}, key = {0}, cert_read = {0}, key_read = {0};
        if (tls->cert_file && gnutls_load_file(tls->cert_file, &cert_read) < 0)
                return error_set(error, EINVAL, "cannot read cert_file %s", cert_file);
        if (tls->key_file && gnutls_load_file(tls->key_file, &key_read) < 0) {
                gnutls_free(cert_read.data);
                return error_set(error, EINVAL, "cannot read key_file %s", key_file);
        }
        cert = tls->cert ? datum(tls->cert) : cert_read;
        key = tls->key ? datum(tls->key) : key_read;
        int r = gnutls_certificate_set_x509_key_mem2(config->credentials, &cert, &key, GNUTLS_X509_FMT_PEM,
                                                     NULL, 0);
        if (key_read.data)
                explicit_bzero(key_read.data, key_read.size);
        gnutls_free(cert_read.data);
        gnutls_free(key_read.data);
        if (r < 0)
                return error_set(error, EINVAL, "%s and %s are no certificate and its key: %s", cert_file,
                                 key_file, gnutls_strerror(r));
        return 0;
}

static int load_authorities(struct web_config *config, struct error *error)
{
        struct web_tls_settings *tls = &config->settings.tls;
        int r = 1;
        if (tls->client_ca_file)
                r = gnutls_certificate_set_x509_trust_file(config->credentials, tls->client_ca_file,
                                                           GNUTLS_X509_FMT_PEM);
        else if (tls->client_ca) {
                gnutls_datum_t ca = datum(tls->client_ca);
                r = gnutls_certificate_set_x509_trust_mem(config->credentials, &ca, GNUTLS_X509_FMT_PEM);
        }
        if (r <= 0)
                return error_set(error, EINVAL, "%s holds no certificate of an authority: %s",
                                 tls->client_ca_file ? tls->client_ca_file : "client_ca",
                                 r < 0 ? gnutls_strerror(r) : "none was found");
        return 0;
}

int web_tls_open(struct web_config *config, struct error *error)
{
        _cleanup_text_ struct text words = {0};
        const char *where = NULL;
        if (gnutls_certificate_allocate_credentials(&config->credentials) < 0)
                return error_oom(error);
        int r = load_pair(config, error);
        if (r >= 0)
                r = load_authorities(config, error);
        if (r < 0)
                return r;
        put_priority(&config->settings.tls, &words);
        if (text_error(&words) < 0)
                return error_oom(error);
        r = gnutls_priority_init(&config->priority, text_string(&words), &where);
        if (r < 0)
                return error_set(error, EINVAL, "GnuTLS does not take these versions and suites: %s",
                                 gnutls_strerror(r));
        return 0;
}

void web_tls_close(struct web_config *config)
{
        if (config->priority)
                gnutls_priority_deinit(config->priority);
        if (config->credentials)
                gnutls_certificate_free_credentials(config->credentials);
}

int web_tls_prepare(const struct web_config *config, gnutls_session_t session)
{
        static const gnutls_certificate_request_t requests[] = {
                [NO_CERT] = GNUTLS_CERT_IGNORE,          [REQUEST_CERT] = GNUTLS_CERT_REQUEST,
                [REQUIRE_ANY] = GNUTLS_CERT_REQUIRE,     [REQUIRE_ANY_OLD] = GNUTLS_CERT_REQUIRE,
                [VERIFY_IF_GIVEN] = GNUTLS_CERT_REQUEST, [REQUIRE_VERIFIED] = GNUTLS_CERT_REQUIRE,
        };
        tables_agree(requests, CLIENT_AUTHS);
        int r = gnutls_priority_set(session, config->priority);

        if (r >= 0)
                r = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, config->credentials);
        if (r >= 0)
                gnutls_certificate_server_set_request(session, requests[config->settings.tls.client_auth]);
        return r;
}

static int add_name(struct config_strings *names, const char *data, size_t length)
{
        char **items = reallocarray(names->items, names->count + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        names->items = items;
        items[names->count] = strndup(data, length);
        if (!items[names->count])
                return -ENOMEM;
        names->count++;
        return 0;
}

/* A name with a NUL inside would compare equal to what it is not. */
static bool is_whole(const gnutls_datum_t *name)
{
        return name->size > 0 && !memchr(name->data, '\0', name->size);
}

static int add_alternative(struct config_strings *names, unsigned type, const gnutls_datum_t *name)
{
        char address[INET6_ADDRSTRLEN];
        if (type == GNUTLS_SAN_IPADDRESS) {
                if ((name->size != 4 && name->size != 16) ||
                    !inet_ntop(name->size == 4 ? AF_INET : AF_INET6, name->data, address, sizeof(address)))
                        return 0;
                return add_name(names, address, strlen(address));
        }
        if ((type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_RFC822NAME && type != GNUTLS_SAN_URI) ||
            !is_whole(name))
                return 0;
        return add_name(names, (const char *)name->data, name->size);
}

static int read_alternatives(gnutls_x509_crt_t certificate, struct config_strings *names)
{
        gnutls_subject_alt_names_t alternatives;
        gnutls_datum_t extension = {0}, name;
        unsigned type;
        int r;
        if (gnutls_x509_crt_get_extension_by_oid2(certificate, "2.5.29.17", 0, &extension, NULL) < 0)
                return 0; /* it has none */
        r = gnutls_subject_alt_names_init(&alternatives);
        if (r >= 0) {
                r = gnutls_x509_ext_import_subject_alt_names(&extension, alternatives, 0);
                for (unsigned i = 0;
                     r >= 0 && gnutls_subject_alt_names_get(alternatives, i, &type, &name, NULL) >= 0; i++)
                        r = add_alternative(names, type, &name);
                gnutls_subject_alt_names_deinit(alternatives);
        }
        gnutls_free(extension.data);
        return r;
}

static int read_common_name(gnutls_x509_crt_t certificate, struct config_strings *names)
{
        char name[256]; /* longer ones are not common: RFC 5280 has 64 */
        size_t length = sizeof(name);
        if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &length) <
                    0 ||
            length == 0 || memchr(name, '\0', length))
                return 0;
        return add_name(names, name, length);
}

static bool is_allowed(const struct config_strings *allowed, const struct config_strings *names)
{
        for (size_t i = 0; i < allowed->count; i++)
                if (config_strings_have(names, allowed->items[i]))
                        return true;
        return allowed->count == 0;
}

int web_certificate_names(const gnutls_datum_t *der, const struct config_strings *allowed,
                          struct config_strings *names)
{
        gnutls_x509_crt_t certificate;
        int r = gnutls_x509_crt_init(&certificate);
        if (r < 0)
                return r;
        r = gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER);
        if (r >= 0)
                r = read_alternatives(certificate, names);
        if (r >= 0 && !is_allowed(allowed, names))
                r = GNUTLS_E_CERTIFICATE_ERROR;
        if (r >= 0 && names->count == 0)
                r = read_common_name(certificate, names);
        gnutls_x509_crt_deinit(certificate);
        return r;
}

void web_peer_release(struct web_peer *peer)
{
        for (size_t i = 0; i < peer->names.count; i++)
                free(peer->names.items[i]);
        free(peer->names.items);
        *peer = (struct web_peer){0};
}

int web_tls_verify(const struct web_config *config, gnutls_session_t session, struct web_peer *ret)
{
        const struct web_tls_settings *tls = &config->settings.tls;
        gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                         .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
        unsigned count = 0, status = 0;
        const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
        bool needed = tls->client_auth != REQUEST_CERT && tls->client_auth != VERIFY_IF_GIVEN;
        bool verifies = tls->client_auth == VERIFY_IF_GIVEN || tls->client_auth == REQUIRE_VERIFIED;
        if (tls->client_auth == NO_CERT)
                return 0;
        if (!chain || count == 0)
                return needed ? GNUTLS_E_CERTIFICATE_REQUIRED : 0;
        if (verifies && (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0))
                return GNUTLS_E_CERTIFICATE_ERROR;

        struct web_peer peer = {.verified = verifies};
        if (web_certificate_names(&chain[0], &tls->allowed_sans, &peer.names) < 0) {
                web_peer_release(&peer);
                return GNUTLS_E_CERTIFICATE_ERROR;
        }
        web_peer_release(ret);
        *ret = peer;
        return 0;
}
