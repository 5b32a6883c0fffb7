/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong around the daemon for a while: the disk, Prometheus, Alertmanager, people. */
#include "tests/sim/sim.h"

enum trouble { DISK_FULL, PROMETHEUS_DOWN, PROMETHEUS_SILENT, PEOPLE_DEAF, ALERTMANAGERS_DOWN, TROUBLES };

static void set_trouble(struct sim *sim, enum trouble trouble, bool on)
{
        bool *const switches[] = {[DISK_FULL] = &sim->disk_full,
                                  [PROMETHEUS_DOWN] = &sim->prometheus_down,
                                  [PROMETHEUS_SILENT] = &sim->prometheus_silent,
                                  [PEOPLE_DEAF] = &sim->people_deaf,
                                  [ALERTMANAGERS_DOWN] = &sim->alertmanagers_down};
        sim_note(sim, on ? "trouble" : "over", trouble);
        sim_trouble(sim);
        if (trouble == PROMETHEUS_DOWN && on != sim->prometheus_down)
                neighbours_prometheus(sim, on);
        *switches[trouble] = on;
        if (trouble == DISK_FULL)
                disk_set_full(sim->disk, on);
        /* The end of the one is not that of the other. */
        nsec runs_since = sim->now > sim->stopped_until ? sim->now : sim->stopped_until;
        if (trouble == DISK_FULL || trouble == PEOPLE_DEAF)
                sim->calm_since = sim->disk_full || sim->people_deaf ? INT64_MAX : runs_since;
}

static void end_trouble(struct sim *sim, int64_t trouble)
{
        set_trouble(sim, (enum trouble)trouble, false);
}

void troubles_begin(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        enum trouble trouble = (enum trouble)rng_below(&sim->rng, TROUBLES);
        set_trouble(sim, trouble, true);
        sim_after(sim, NSEC_PER_SEC, 40 * MINUTE, end_trouble, trouble);
        sim_after(sim, 20 * MINUTE, 4 * HOUR, troubles_begin, 0);
}

void troubles_end(struct sim *sim)
{
        for (int i = 0; i < TROUBLES; i++)
                set_trouble(sim, (enum trouble)i, false);
}
