/* SPDX-License-Identifier: Apache-2.0 */
/* How a check of an exporter stands, and whether that is an answer. */
#include <errno.h>

#include "responder/targets/internal.h"
#include "runbook/exposition.h"

/* Clocks of two machines, and a check that was under way when it was asked for. */
#define CLOCKS_DIFFER NSEC_PER_SEC

/* What the exporter's page says of one check. */
struct told {
        double success;    /* -1: nothing */
        double last_run;   /* seconds since the epoch; 0: nothing */
        char standing[24]; /* "": nothing */
};

static const char *label_of(const struct exposition_sample *sample, const char *name)
{
        for (size_t i = 0; i < sample->label_count; i++)
                if (string_equal(sample->labels[i].name, name))
                        return sample->labels[i].value;
        return "";
}

static void take_sample(const struct exposition_sample *sample, struct told *told)
{
        if (string_equal(sample->name, "runbook_check_success"))
                told->success = sample->value;
        else if (string_equal(sample->name, "runbook_check_last_run_timestamp_seconds"))
                told->last_run = sample->value;
        else if (string_equal(sample->name, "runbook_check_standing") && sample->value == 1)
                snprintf(told->standing, sizeof(told->standing), "%s", label_of(sample, "standing"));
}

static int read_page(const char *page, size_t length, const char *check, struct told *ret,
                     struct error *error)
{
        _cleanup_(exposition_release) struct exposition read;
        struct exposition_sample sample;
        exposition_init(&read, page, length);
        int r;
        while ((r = exposition_next(&read, &sample)) > 0)
                if (string_equal(label_of(&sample, "check"), check))
                        take_sample(&sample, ret);
        if (r == -ENOMEM)
                return error_oom(error);
        return r < 0 ? error_set(error, EBADMSG, "line %zu of the exporter's answer is no sample", read.line)
                     : 0;
}

int check_answer_parse(const char *page, size_t length, const char *check, nsec since, bool *ret_holds,
                       struct error *error)
{
        struct told told = {.success = -1};
        int r = read_page(page, length, check, &told, error);
        if (r < 0)
                return r;
        if (told.success == -1)
                return error_set(error, ENOENT, "the exporter has no check \"%s\"", check);
        if (told.success != 0 && told.success != 1)
                return error_set(error, EBADMSG, "the exporter's answer for check \"%s\" is neither 0 nor 1",
                                 check);
        if (string_equal(told.standing, "unknown") || string_equal(told.standing, "not_set_up"))
                return error_set(error, ENODATA, "no data for the check \"%s\": it is %s", check,
                                 *told.standing == 'u' ? "unknown how it stands" : "not set up");
        if (told.last_run != 0 && told.last_run < nsec_to_seconds(since - CLOCKS_DIFFER))
                return error_set(error, ENODATA,
                                 "no data for the check \"%s\": it last ran %.0f s before it was asked for",
                                 check, nsec_to_seconds(since) - told.last_run);
        *ret_holds = told.success == 1 && !string_equal(told.standing, "fail");
        return 0;
}

int targets_check_holds(struct targets *targets, const char *check, nsec age, struct deadline deadline,
                        bool *ret_holds, struct error *error)
{
        nsec since = age == TARGETS_ANY_AGE ? 0 : clock_wall() - age;
        const char *base = targets_set(targets)->exporter_url;
        int r = targets_check_url(base, "exporter_url", error);
        if (r < 0)
                return r;
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, base, "/metrics?collect[]=");
        text_put_escaped(&url, check);
        /* The exporter answers half a second before what Prometheus' header names, with what it has by then.
         */
        _cleanup_free_ char *patience = text_format("X-Prometheus-Scrape-Timeout-Seconds: %.3f",
                                                    nsec_to_seconds(deadline_left(deadline)));
        _cleanup_http_client_ struct http_client *client = http_client_new();
        if (text_error(&url) < 0 || !patience || !client)
                return error_oom(error);
        const struct http_request request = {
                .url = text_string(&url),
                .headers = (const char *const[]){patience, "Accept: text/plain;version=0.0.4", NULL},
                .deadline = deadline,
        };
        _cleanup_http_response_ struct http_response response = {0};
        r = http_fetch(client, &request, &response, error);
        if (r < 0)
                return error_prefix(error, r, "the exporter");
        if (response.status != 200)
                return error_set(error, EREMOTEIO, "the exporter answered HTTP %ld for check \"%s\"",
                                 response.status, check);
        return check_answer_parse(text_string(&response.body), response.body.length, check, since, ret_holds,
                                  error);
}
