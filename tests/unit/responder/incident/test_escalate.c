/* SPDX-License-Identifier: Apache-2.0 */
/* When somebody who could not be reached is tried again. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "responder/incident/escalate.h"

static struct {
        nsec now, asks; /* the clock; what the receiver asks for */
        bool deaf;
} model;

static nsec read_clock(void *context _unused_)
{
        return model.now;
}

static int notify(void *context _unused_, const char *receiver, const struct message *message _unused_,
                  struct deadline deadline, nsec *ret_wait, struct error *error)
{
        assert_string_equal(receiver, "oncall");
        assert_int_equal(deadline.at, model.now + 10 * NSEC_PER_SEC);
        if (!model.deaf)
                return 0;
        *ret_wait = model.asks;
        return error_set(error, EREMOTEIO, "deaf");
}

/* How long until the next try. */
static nsec fail_once(const struct incident_parts *parts, struct backoff *backoff)
{
        model.now += 12345678901;
        model.deaf = true;
        assert_int_equal(call_receiver(parts, "oncall", &(struct message){.text = "x"}, backoff, NULL),
                         -EREMOTEIO);
        return backoff->at - model.now;
}

static void test_backoff(void **state _unused_)
{
        const struct world world = {.monotonic = read_clock, .notify = notify};
        const struct incident_parts parts = {.world = &world, .meters = meters_new()};
        struct backoff backoff = {0};
        nsec expected = NSEC_PER_SEC;
        bool differs = false;
        for (int i = 0; i < 12; i++) {
                nsec wait = fail_once(&parts, &backoff);
                assert_in_range(wait, expected - expected / 4, expected + expected / 4);
                differs |= wait != expected;
                expected = expected * 2 > 60 * NSEC_PER_SEC ? 60 * NSEC_PER_SEC : expected * 2;
        }
        assert_true(differs);

        /* What it asks for, but not for ever; and less than that is not what it asked for. */
        model.asks = 100 * NSEC_PER_SEC;
        assert_int_equal(fail_once(&parts, &backoff), 100 * NSEC_PER_SEC);
        model.asks = 24 * 3600 * NSEC_PER_SEC;
        assert_int_equal(fail_once(&parts, &backoff), 15 * 60 * NSEC_PER_SEC);
        model.asks = NSEC_PER_SEC;
        assert_in_range(fail_once(&parts, &backoff), 45 * NSEC_PER_SEC, 75 * NSEC_PER_SEC);

        model.deaf = false;
        assert_int_equal(call_receiver(&parts, "oncall", &(struct message){.text = "x"}, &backoff, NULL), 0);
        assert_int_equal(backoff.at, 0);
        model.asks = 0;
        assert_in_range(fail_once(&parts, &backoff), NSEC_PER_SEC * 3 / 4, NSEC_PER_SEC * 5 / 4);
        meters_free(parts.meters);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_backoff)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
