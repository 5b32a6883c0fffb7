/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind tls: until when the certificates of a server, or those in files, are valid.
 *
 * The leaf and the chain are told apart: a fresh leaf under an authority that ends tomorrow is of no use.
 * What has expired or is not trusted fails the check, and its dates are told all the same. Days are left to
 * PromQL.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/kinds/shared/paths.h"
#include "exporter/kinds/tls/handshake.h"
#include "runbook/digest.h"
#include "runbook/file.h"
#include "runbook/words.h"

#define FILE_MAX ((size_t)4 << 20) /* the bundle of all public authorities is a twentieth of it */

struct tls_config {
        char *address, *server_name;
        int starttls; /* enum tls_start */
        struct tls_options tls;
        struct config_strings files;
};

static const struct config_field fields[] = {
        {"address", CONFIG_STRING, offsetof(struct tls_config, address),
         .help = "host:port of a server; either this or files"},
        {"server_name", CONFIG_STRING, offsetof(struct tls_config, server_name),
         .help = "The name to ask for (SNI), which the certificate must be for; the host when not given"},
        {"starttls", CONFIG_ENUM, offsetof(struct tls_config, starttls), .choices = tls_starts,
         .fallback = "none", .help = "The protocol in which TLS is asked for first"},
        {"tls_config", CONFIG_OBJECT, offsetof(struct tls_config, tls), .fields = tls_option_fields,
         .help = "As in Prometheus"},
        {"files", CONFIG_STRINGS, offsetof(struct tls_config, files),
         .help = "Certificate files (PEM, or one in DER), by absolute paths with *, ? and [abc]"},
        {0},
};

#define FAMILIES(X)                                                                                        \
        X(leaf_not_after, GAUGE, "runbook_tls_leaf_not_after_timestamp_seconds", "seconds",                \
          "When the server's own certificate, or the first one of the file, ends.")                        \
        X(chain_not_after, GAUGE, "runbook_tls_chain_not_after_timestamp_seconds", "seconds",              \
          "When the first certificate of the whole chain ends: of the verified one, else as it was sent; " \
          "or the first of the file to end.")                                                              \
        X(leaf_not_before, GAUGE, "runbook_tls_leaf_not_before_timestamp_seconds", "seconds",              \
          "When the server's own certificate, or the first one of the file, begins.")                      \
        X(verified, GAUGE, "runbook_tls_verified", NULL,                                                   \
          "Whether the server's certificate is trusted, valid now and for its name.")                      \
        X(handshake_seconds, GAUGE, "runbook_tls_handshake_seconds", "seconds",                            \
          "How long the handshake took, with what is said before it, on a connected socket.")              \
        X(info, INFO, "runbook_tls_info", NULL,                                                            \
          "The connection and the server's own certificate, with its SHA-256; always 1.")

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct tls_state {
        const struct tls_config *config;
        char *host, *port;
};

static void *tls_close(void *state)
{
        struct tls_state *tls = state;
        if (!tls)
                return NULL;
        free(tls->host);
        free(tls->port);
        free(tls);
        return NULL;
}

static void tls_close_p(struct tls_state **state)
{
        tls_close(*state);
}

/* Takes "host:port" or "[::1]:port" apart. -EINVAL after a complaint. */
static int split_address(struct tls_state *tls, struct config_node *node)
{
        const char *address = tls->config->address, *colon = strrchr(address, ':');
        char *end;
        if (!colon || colon == address || strpbrk(address, "/@ ") ||
            (address[0] != '[' && memchr(address, ':', (size_t)(colon - address))) ||
            (address[0] == '[' && colon[-1] != ']')) {
                /* What stands before an @ may be a password. */
                config_complain(node, "address", "\"%s\" is not host:port or [IPv6]:port",
                                strchr(address, '@') ? "…" : address);
                return -EINVAL;
        }
        long port = strtol(colon + 1, &end, 10);
        if (colon[1] < '0' || colon[1] > '9' || *end || port < 1 || port > 65535) {
                config_complain(node, "address", "\"%s\" is not a port", colon + 1);
                return -EINVAL;
        }
        bool brackets = address[0] == '[';
        tls->host = strndup(address + brackets, (size_t)(colon - address) - 2 * brackets);
        tls->port = strdup(colon + 1);
        return tls->host && tls->port ? 0 : -ENOMEM;
}

static int tls_open(const struct check *check, struct config_node *node, void **ret_state,
                    struct error *error)
{
        const struct tls_config *config = check->config;
        _cleanup_(tls_close_p) struct tls_state *tls = calloc(1, sizeof(*tls));
        if (!tls)
                return error_oom(error);
        tls->config = config;
        if (!config->address == !config->files.count) {
                config_complain(node, NULL, "either address or files is needed");
                return -EINVAL;
        }
        if (config->files.count > 0 && (config->server_name || config->starttls != TLS_START_NONE ||
                                        config_member(node, "tls_config"))) {
                config_complain(node, NULL, "server_name, starttls and tls_config go with an address");
                return -EINVAL;
        }
        if (!tls_options_check(&config->tls, node))
                return -EINVAL;
        if (!paths_check(&config->files, node, "files"))
                return -EINVAL;
        int r = config->address ? split_address(tls, node) : 0;
        if (r < 0)
                return r;
        *ret_state = TAKE_PTR(tls);
        return 0;
}

static double timestamp(const ASN1_TIME *time)
{
        struct tm parts;
        return ASN1_TIME_to_tm(time, &parts) == 1 ? (double)timegm(&parts) : 0;
}

/* The first one of a list to end. */
static double first_end(const STACK_OF(X509) * chain)
{
        double first = 0;
        for (int i = 0; i < sk_X509_num(chain); i++) {
                double end = timestamp(X509_get0_notAfter(sk_X509_value(chain, i)));
                if (i == 0 || end < first)
                        first = end;
        }
        return first;
}

static void add_dates(const X509 *leaf, const STACK_OF(X509) * chain, const char *file,
                      struct sample_sink *sink)
{
        SAMPLE(sink, &leaf_not_before, timestamp(X509_get0_notBefore(leaf)), {"file", file});
        SAMPLE(sink, &leaf_not_after, timestamp(X509_get0_notAfter(leaf)), {"file", file});
        SAMPLE(sink, &chain_not_after, first_end(chain), {"file", file});
}

static void bio_free_p(BIO **bio)
{
        BIO_free(*bio);
}

/* A name as RFC 2253 writes it, at most 256 bytes of it; "" when there is none. */
static void name_text(const X509_NAME *name, struct text *text)
{
        _cleanup_(bio_free_p) BIO *bio = BIO_new(BIO_s_mem());
        char *data = NULL;
        if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
                long length = BIO_get_mem_data(bio, &data);
                text_append(text, data, length > 256 ? 256 : (size_t)length);
        }
}

static void add_info(const struct stream *stream, X509 *leaf, struct sample_sink *sink)
{
        _cleanup_text_ struct text subject = {0}, issuer = {0};
        unsigned char digest[DIGEST_SIZE];
        char fingerprint[DIGEST_TEXT_MAX] = "";
        name_text(X509_get_subject_name(leaf), &subject);
        name_text(X509_get_issuer_name(leaf), &issuer);
        if (X509_digest(leaf, EVP_sha256(), digest, NULL) == 1)
                digest_text(digest, fingerprint);
        const SSL *ssl = stream_tls(stream);
        SAMPLE(sink, &info, 1, {"address", stream_address(stream)}, {"version", SSL_get_version(ssl)},
               {"cipher", SSL_get_cipher_name(ssl)}, {"subject", text_string(&subject)},
               {"issuer", text_string(&issuer)}, {"fingerprint", fingerprint});
}

static int run_remote(const struct tls_state *tls, struct deadline deadline, struct sample_sink *sink,
                      struct error *error)
{
        const struct tls_config *config = tls->config;
        _cleanup_stream_ struct stream *stream = NULL;
        nsec handshake;
        const struct tls_target target = {
                .host = tls->host,
                .port = tls->port,
                .server_name = config->server_name ? config->server_name : tls->host,
                .start = (enum tls_start)config->starttls,
                .tls = &config->tls,
        };
        int r = tls_connect(&target, deadline, &stream, &handshake, error);
        if (r < 0)
                return error_prefix(error, r, "%s", config->address);
        const char *refused = stream_refusal(stream);
        SSL *ssl = stream_tls(stream);
        SAMPLE_BARE(sink, &handshake_seconds, nsec_to_seconds(handshake));
        SAMPLE_BARE(sink, &verified, refused ? 0 : 1);
        X509 *leaf = SSL_get0_peer_certificate(ssl);
        if (!leaf)
                return error_set(error, EPROTO, "%s: the server showed no certificate", config->address);
        add_dates(leaf, refused ? SSL_get_peer_cert_chain(ssl) : SSL_get0_verified_chain(ssl), NULL, sink);
        add_info(stream, leaf, sink);
        if (refused && !config->tls.insecure_skip_verify)
                return error_set(error, EPROTO, "%s: the certificate for %s is refused: %s", config->address,
                                 target.server_name, refused);
        return 0;
}

static void chain_free_p(STACK_OF(X509) * *chain)
{
        sk_X509_pop_free(*chain, X509_free);
}

/* Asks for no passphrase: there is nobody at the terminal. */
static int no_passphrase(char *buffer _unused_, int size _unused_, int writing _unused_, void *data _unused_)
{
        return 0;
}

/* Everything between BEGIN CERTIFICATE and END; keys beside them are passed over. */
static int read_certificates(const struct text *content, STACK_OF(X509) * chain)
{
        _cleanup_(bio_free_p) BIO *bio = BIO_new_mem_buf(content->data, (int)content->length);
        const unsigned char *der = (const unsigned char *)content->data;
        X509 *certificate;
        if (!bio)
                return -ENOMEM;
        while ((certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
                if (sk_X509_push(chain, certificate) == 0) {
                        X509_free(certificate);
                        return -ENOMEM;
                }
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
                return -EINVAL; /* one of them is damaged */
        if (sk_X509_num(chain) == 0 && (certificate = d2i_X509(NULL, &der, (long)content->length)) &&
            sk_X509_push(chain, certificate) == 0) {
                X509_free(certificate);
                return -ENOMEM;
        }
        return sk_X509_num(chain) > 0 ? 0 : -EINVAL;
}

/* A key, or whatever else is written as PEM. What is cut off amid a certificate says that it is one. */
static bool is_other_pem(const struct text *content)
{
        return strstr(text_string(content), "-----BEGIN ") &&
               !strstr(text_string(content), "CERTIFICATE-----");
}

/* -ENODATA: it is not for certificates. */
static int run_file(const char *path, struct sample_sink *sink, struct error *error)
{
        _cleanup_text_ struct text content = {0};
        _cleanup_(chain_free_p) STACK_OF(X509) *chain = sk_X509_new_null();
        if (!chain)
                return error_oom(error);
        int r = file_read_whole(path, FILE_MAX, &content, error);
        if (r < 0)
                return r;
        ERR_clear_error();
        r = content.length > 0 ? read_certificates(&content, chain) : -EINVAL;
        ERR_clear_error();
        if (r == -ENOMEM)
                return error_oom(error);
        if (r < 0 && is_other_pem(&content))
                return error_set(error, ENODATA, "%s holds no certificate, but something else", path);
        if (r < 0)
                return error_set(error, EINVAL, "%s holds no certificate, or a damaged one", path);
        const X509 *leaf = sk_X509_value(chain, 0);
        add_dates(leaf, chain, path, sink);
        if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
                return error_set(error, EKEYEXPIRED, "%s has expired", path);
        return 0;
}

static bool is_named(const struct config_strings *files, const char *path)
{
        return words_find((const char *const *)files->items, files->count, path) >= 0;
}

static bool is_directory(const char *path)
{
        struct stat status;
        return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Goes on after a failure: the other files are still worth telling. What a pattern happens to match beside
 * certificates, as the key in live/example.org/, costs itself. */
static int run_files(const struct config_strings *files, struct sample_sink *sink, struct error *error)
{
        _cleanup_paths_ struct paths paths = {0};
        _cleanup_error_ struct error skipped = {0};
        int result = paths_expand(files, &paths, error), last = 0;
        bool read = false;
        paths_skip_unreadable(&paths, sink);
        for (size_t i = 0; i < paths.count; i++) {
                _cleanup_error_ struct error reason = {0};
                const bool matched = !is_named(files, paths.items[i]);
                if (matched && is_directory(paths.items[i]))
                        continue;
                int r = run_file(paths.items[i], sink, &reason);
                read = read || r >= 0;
                if (matched && (r == -EACCES || r == -EPERM || r == -ENODATA)) {
                        check_skip(sink, r == -ENODATA ? SKIP_MISSING : SKIP_UNREADABLE, "%s",
                                   error_text(&reason));
                        last = r;
                        error_move(&skipped, &reason);
                } else if (r < 0 && result == 0) {
                        result = r;
                        error_move(error, &reason);
                }
        }
        if (result < 0 || read || last == 0)
                return result;
        error_move(error, &skipped);
        return last;
}

static int tls_run(void *state, struct deadline deadline, struct sample_sink *sink, struct error *error)
{
        const struct tls_state *tls = state;
        return tls->config->address ? run_remote(tls, deadline, sink, error)
                                    : run_files(&tls->config->files, sink, error);
}

/* The labels of its families. */
static const char *const labels[] = {"file",    "address", "version",     "cipher",
                                     "subject", "issuer",  "fingerprint", NULL};

const struct check_kind check_kind_tls = {
        .name = "tls",
        .help = "How long certificates are valid: those of a server, or those in files.",
        .fields = fields,
        .config_size = sizeof(struct tls_config),
        .target_key = "address",
        .families = families,
        .labels = labels,
        .open = tls_open,
        .run = tls_run,
        .close = tls_close,
};
