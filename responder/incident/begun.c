/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that has begun goes by what the journal says it was begun with; the file is asked whether it
 * still says the same. */
#include <errno.h>

#include "responder/incident/run.h"
#include "responder/remediation/definition.h"
#include "runbook/assert.h"

static int read_definition(const struct incident *incident, cJSON **ret, struct error *error)
{
        assert_that(incident->definition, "what is read is there");
        int r = definition_read(incident->definition, ret, error);
        return r < 0 ? error_prefix(error, r, "what it was begun with cannot be read") : 0;
}

int run_restore(struct incident_run *run, const struct incident *incident, struct error *error)
{
        assert_that(incident->running_at != 0, "before it has begun it follows the file");
        if (run->begun)
                return 0;
        _cleanup_json_ cJSON *definition = NULL;
        struct remediation *begun = NULL;
        int r = read_definition(incident, &definition, error);
        if (r >= 0)
                r = definition_restore(definition, &begun, error);
        if (r < 0)
                return error_prefix(error, r, "what it was begun with cannot be carried out by this version");
        if (!incident_fits(incident, begun)) {
                remediation_free(begun);
                return error_set(error, EBADMSG, "what it was begun with has other steps than it");
        }
        run->begun = begun;
        return 0;
}

/* The version before kept no definition: what is there now is held on to. */
static int adopt(struct incident_run *run, struct error *error)
{
        _cleanup_json_ cJSON *definition = NULL, *detail = NULL;
        _cleanup_error_ struct error why = {0};
        int r = definition_make(run->remediation, &run->parts->set->targets, &run->incident.alert,
                                run->incident.number, &definition, &why);
        /* Each of its steps says so in its turn. */
        if (r < 0)
                return r == -ENOMEM ? error_oom(error) : 0;
        detail = reason_detail(
                "it was begun by a version that did not keep its arguments: it goes on with those "
                "that remediations.yml has now",
                NULL);
        if (!detail || json_put(detail, "definition", cJSON_Duplicate(definition, true)) < 0)
                return error_oom(error);
        struct journal_entry entry = {
                .event = "taken up by the file", .definition = definition, .detail = detail};
        return run_write(run, &entry, error);
}

int run_take_up(struct incident_run *run, struct error *error)
{
        int r = 0;
        if (run->incident.running_at == 0)
                return 0;
        if (!run->incident.definition && run->remediation)
                r = adopt(run, error);
        if (r < 0 || !run->incident.definition)
                return r;
        r = run_restore(run, &run->incident, error);
        if (r >= 0)
                run->remediation = run->begun;
        return r;
}

static int compare(const struct incident_run *run, const cJSON *now, char **ret, struct error *error)
{
        _cleanup_json_ cJSON *then = NULL;
        _cleanup_free_ char *differences = NULL;
        int r = read_definition(&run->incident, &then, error);
        if (r >= 0)
                r = definition_compare(then, now, &differences, error);
        if (r < 0 || !differences)
                return r;
        *ret = text_format("remediations.yml has changed since: %s", differences);
        return *ret ? 0 : error_oom(error);
}

int run_differs(const struct incident_run *run, char **ret, struct error *error)
{
        *ret = NULL;
        if (!run->incident.definition)
                return 0;
        const struct remediation_set *set = run->parts->set;
        const struct remediation *remediation = remediation_find(set, run->incident.remediation);
        _cleanup_json_ cJSON *now = NULL;
        _cleanup_error_ struct error why = {0};
        int r = 0;
        if (remediation)
                r = definition_make(remediation, &set->targets, &run->incident.alert, run->incident.number,
                                    &now, &why);
        if (r == -ENOMEM)
                return error_oom(error);
        if (remediation && r >= 0)
                return compare(run, now, ret, error);
        *ret = remediation ? text_format("remediations.yml has changed since: %s", error_text(&why))
                           : text_format("remediations.yml has changed since: there is no remediation \"%s\"",
                                         run->incident.remediation);
        return *ret ? 0 : error_oom(error);
}
