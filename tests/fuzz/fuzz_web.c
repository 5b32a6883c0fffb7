/* SPDX-License-Identifier: Apache-2.0 */
/* A web configuration, or what a client shows of himself by "Basic": the first byte chooses. */
#include "lib/http/server/access/internal.h"
#include "runbook/web_config.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 4000;
const char *const fuzz_words[] = {"basic_auth_users:\n",
                                  "  ada: $2y$04$abcdefghijklmnopqrstuuhuRQBHqiiHbdhRVnMMK8XmXVJCbAPGu\n",
                                  "http_server_config:\n",
                                  "  headers:\n",
                                  "    X-Frame-Options: deny\n",
                                  "  http2: false\n",
                                  "tls_server_config:\n",
                                  "  min_version: TLS12\n",
                                  "  client_auth_type: RequireAndVerifyClientCert\n",
                                  "Basic ",
                                  "YWRhOnNlY3JldA==",
                                  ":",
                                  "=",
                                  NULL};

static void try_basic(const char *header)
{
        _cleanup_free_ char *user = NULL;
        _cleanup_secret_ struct text password = {0};
        int r = web_basic_parse(header, &user, &password);
        FUZZ_ASSERT(r == 0 || r == 1);
        FUZZ_ASSERT((r == 1) == (user != NULL));
        FUZZ_ASSERT(!user || !strchr(user, ':'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size > 0 && *data == 'B') {
                _cleanup_free_ char *header = fuzz_string(data, size);
                try_basic(header);
                return 0;
        }
        _cleanup_error_ struct error error = {0};
        _cleanup_(web_config_unref_p) struct web_config *config = NULL;
        int r = web_config_load(fuzz_file(data, size), &config, &error);
        FUZZ_ASSERT(r == 0 ? config != NULL : config == NULL && error.message);
        FUZZ_ASSERT(!config || !web_config_has_users(config) || web_config_authenticates(config));
        return 0;
}
