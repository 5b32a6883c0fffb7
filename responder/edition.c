/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of remediations.yml, each of which ends when nobody works by it any more. */
#include "responder/edition.h"

#include "runbook/log.h"

struct reading {
        struct edition edition; /* first: the one is the other */
        struct remediation_set *set;
        struct targets *targets;
        struct place *place;
};

static void end_reading(struct edition *edition)
{
        struct reading *reading = (struct reading *)edition;
        place_free(reading->place);
        targets_free(reading->targets);
        remediation_set_free(reading->set);
        free(reading);
}

static void log_doubts(const char *doubts)
{
        while (doubts && *doubts) {
                size_t length = strcspn(doubts, "\n");
                _cleanup_free_ char *line = strndup(doubts, length);
                log_event(LOG_WARN, "Doubtful", "doubt", line ? line : "", NULL);
                doubts += length + (doubts[length] == '\n');
        }
}

int edition_load(const char *path, struct production *production, struct incident_parts *parts,
                 struct error *error)
{
        struct reading *reading = calloc(1, sizeof(*reading));
        if (!reading)
                return error_oom(error);
        reading->edition.machine = production_machine(production);
        reading->edition.end = end_reading;
        atomic_init(&reading->edition.holders, 1);
        int r = remediation_set_load(path, &reading->set, error);
        if (r >= 0)
                r = targets_new(&reading->set->targets, &reading->targets, error);
        if (r >= 0)
                r = place_new(production, reading->targets, &reading->place, error);
        if (r < 0) {
                end_reading(&reading->edition);
                return r;
        }
        log_doubts(reading->set->doubts);
        parts->world = place_world(reading->place);
        parts->set = reading->set;
        parts->edition = &reading->edition;
        return 0;
}
