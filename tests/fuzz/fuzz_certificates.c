/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates, of files that a check looks at, and of clients, whose names decide who somebody is. Input: a
 * file, in PEM or DER. No name that is found has a NUL in it, or nothing at all.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "exporter/check/check.h"
#include "lib/http/server/access/internal.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 4000;
const char *const fuzz_words[] = {"-----BEGIN CERTIFICATE-----\n",
                                  "-----END CERTIFICATE-----\n",
                                  "-----BEGIN TRUSTED CERTIFICATE-----\n",
                                  "Proc-Type: 4,ENCRYPTED\n",
                                  "\x30\x82",
                                  "\x30\x80",
                                  "\x06\x03\x55\x1d\x11", /* subjectAltName */
                                  "\x06\x03\x55\x04\x03", /* commonName */
                                  "\x87\x04\x7f",         /* an address */
                                  "\x82\x09localhost",
                                  "\x17\x0d"
                                  "991231235959Z",
                                  "\x18\x0f"
                                  "99991231235959Z",
                                  "\x17\x0d"
                                  "000000000000Z",
                                  "\xff\xff\xff",
                                  NULL};

static struct check_set *set;

static void release(void)
{
        check_set_free(set);
}

static void begin(void)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *document =
                text_format("checks: [{name: a, tls: {files: [\"%s\"]}}]\n", fuzz_file(NULL, 0));
        int r = check_set_load(fuzz_file((const uint8_t *)document, strlen(document)), NULL, &set, &error);
        FUZZ_ASSERT(r == 0 && !error.message);
        atexit(release);
}

static void look(void)
{
        struct sample_set samples = {.limit = 1000};
        const struct sample_set *const all = &samples;
        struct sample_sink sink = {.set = &samples};
        _cleanup_text_ struct text page = {0};
        _cleanup_error_ struct error error = {0};
        int r = set->checks[0].kind->run(set->states[0], deadline_in(NSEC_PER_SEC), &sink, &error);
        FUZZ_ASSERT(r == 0 || error.message);
        FUZZ_ASSERT(metrics_encode(METRICS_TEXT, &all, 1, NULL, &page, NULL) == 0);
        FUZZ_ASSERT(r < 0 || strstr(text_string(&page), "runbook_tls_leaf_not_after_timestamp_seconds{"));
        sample_set_release(&samples);
}

/* Who is not on the list has no name that could be taken for one. */
static void name(const gnutls_datum_t *der, struct config_strings allowed)
{
        struct web_peer peer = {0};
        int r = web_certificate_names(der, &allowed, &peer.names);
        bool listed = allowed.count == 0;
        for (size_t i = 0; i < peer.names.count; i++) {
                FUZZ_ASSERT(*peer.names.items[i]);
                listed |= allowed.count > 0 && strcmp(peer.names.items[i], allowed.items[0]) == 0;
        }
        FUZZ_ASSERT(r < 0 || listed);
        web_peer_release(&peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char localhost[] = "localhost";
        char *names[] = {localhost};
        if (!set)
                begin();
        fuzz_file(data, size);
        look();
        _cleanup_free_ char *copy = fuzz_string(data, size);
        const gnutls_datum_t der = {(unsigned char *)copy, (unsigned)size};
        name(&der, (struct config_strings){0});
        name(&der, (struct config_strings){.items = names, .count = 1});
        return 0;
}
