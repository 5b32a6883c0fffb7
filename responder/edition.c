/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of remediations.yml, each of which ends when nobody works by it any more. */
#include "responder/edition.h"

#include "responder/remediation/probes.h"
#include "runbook/log.h"

struct reading {
        struct edition edition; /* first: the one is the other */
        struct remediation_set *set;
        struct targets *targets;
        struct rights_probes *rights;
        struct place *place;
};

static void free_reading(void *context)
{
        struct reading *reading = context;
        place_free(reading->place);
        rights_probes_free(reading->rights);
        targets_free(reading->targets);
        remediation_set_free(reading->set);
        free(reading);
}

/* Whoever lets go of the last hold is the engine, or decides: a database that hangs keeps neither waiting. */
static void end_reading(struct edition *edition)
{
        const struct world *machine = edition->machine;
        if (machine->run(machine->context, WORLD_ASKS, "editions that are over", free_reading, edition) < 0)
                free_reading(edition);
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

/* An alert of an earlier life may repeat one that nothing has needed yet. */
static void learn_secrets(const struct remediation_set *set)
{
        config_learn_secrets(target_fields, &set->targets);
        for (size_t i = 0; i < set->count; i++)
                for (size_t j = 0; j < set->remediations[i].step_count; j++) {
                        const struct step *step = &set->remediations[i].steps[j];
                        config_learn_secrets(step->action->fields, step->config);
                }
}

static int add_rights(struct reading *reading, struct target_probe **probes, size_t *count,
                      struct error *error)
{
        int r = rights_probes_new(reading->set, reading->targets, &reading->rights, error);
        if (r < 0)
                return r;
        const size_t more = rights_probes_count(reading->rights);
        struct target_probe *grown = reallocarray(*probes, *count + more + 1, sizeof(*grown));
        if (!grown)
                return error_oom(error);
        for (size_t i = 0; i < more; i++)
                grown[*count + i] = rights_probe_at(reading->rights, i);
        *probes = grown;
        *count += more;
        return 0;
}

static int watch_all(struct reading *reading, struct error *error)
{
        struct target_probe *probes = NULL;
        size_t count = 0;
        int r = remediation_probes(reading->set, &probes, &count, error);
        if (r >= 0)
                r = add_rights(reading, &probes, &count, error);
        if (r >= 0)
                r = place_watch(reading->place, probes, count, error);
        free(probes);
        return r;
}

void edition_drop(struct incident_parts *parts)
{
        if (parts->edition)
                free_reading(parts->edition);
        parts->edition = NULL;
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
        if (r >= 0)
                r = watch_all(reading, error);
        if (r < 0) {
                free_reading(reading);
                return r;
        }
        learn_secrets(reading->set);
        log_doubts(reading->set->doubts);
        parts->world = place_world(reading->place);
        parts->set = reading->set;
        parts->edition = &reading->edition;
        return 0;
}
