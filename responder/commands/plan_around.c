/* SPDX-License-Identifier: Apache-2.0 */
/* What `plan` tells beside the plans. */
#include "responder/commands/plan_around.h"

#include <errno.h>
#include <stdlib.h>

#include "responder/commands/show.h"
#include "runbook/http_client.h"

struct refusal {
        const struct remediation *remediation;
        size_t taken, refused, position; /* by so many matchers */
};

/* Nearest first: what most of it fits; as the file has them among those that are as near. */
static int compare(const void *a, const void *b)
{
        const struct refusal *one = a, *other = b;
        if (one->taken != other->taken)
                return one->taken > other->taken ? -1 : 1;
        if (one->refused != other->refused)
                return one->refused < other->refused ? -1 : 1;
        return one->position < other->position ? -1 : one->position > other->position;
}

int plan_put_refused(const struct remediation_set *set, const struct alert *alert, struct text *text,
                     struct error *error)
{
        struct refusal *refusals = calloc(set->count + 1, sizeof(*refusals));
        size_t count = 0;
        if (!refusals)
                return error_oom(error);
        for (size_t i = 0; i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                size_t refused = matchers_missed(&remediation->match, &alert->labels, 0, NULL);
                if (refused > 0)
                        refusals[count++] =
                                (struct refusal){remediation, remediation->match.count - refused, refused, i};
        }
        qsort(refusals, count, sizeof(*refusals), compare);
        if (count > 0)
                text_puts(text, "Not set off, the nearest first:\n");
        for (size_t i = 0; i < count; i++) {
                _cleanup_text_ struct text why = {0};
                matchers_missed(&refusals[i].remediation->match, &alert->labels, SIZE_MAX, &why);
                text_printf(text, "  %s: ", refusals[i].remediation->name);
                text_put_line(text, text_string(&why), SIZE_MAX);
                text_putc(text, '\n');
        }
        free(refusals);
        return 0;
}

cJSON *plan_refused_json(const struct remediation *remediation, const struct alert *alert)
{
        _cleanup_text_ struct text why = {0};
        cJSON *json = cJSON_CreateObject();
        matchers_missed(&remediation->match, &alert->labels, SIZE_MAX, &why);
        json_put(json, "remediation", cJSON_CreateString(remediation->name));
        json_put(json, "refused_by", cJSON_CreateString(text_string(&why)));
        return json;
}

static cJSON *labels_json(const struct alert *alert)
{
        cJSON *body = cJSON_CreateObject(), *labels = cJSON_CreateObject();
        for (size_t i = 0; i < alert->labels.count; i++)
                json_put(labels, alert->labels.keys[i], cJSON_CreateString(alert->labels.values[i]));
        json_put(body, "labels", labels);
        return body;
}

cJSON *plan_ask_guards(struct remote *remote, const char *remediation, const struct alert *alert)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text path = {0};
        _cleanup_json_ cJSON *body = labels_json(alert);
        cJSON *answer = NULL;
        text_puts(&path, "/api/v1/remediations/");
        text_put_escaped(&path, remediation);
        text_puts(&path, "/guards");
        int r = remote ? remote_ask(remote, text_string(&path), body, "guards", &answer, &error)
                       : error_set(&error, ENOENT, "nobody is asked");
        if (r >= 0)
                return answer;
        answer = cJSON_CreateObject();
        json_put(answer, "error", json_text(error_text(&error)));
        return answer;
}

void plan_put_guards(const cJSON *answer, struct text *text)
{
        const char *why = json_string(answer, "error");
        const cJSON *guard;
        size_t held = 0;
        text_puts(text, "  Guards, as they stand: ");
        if (why) {
                text_puts(text, "not known; ");
                text_put_line(text, why, SIZE_MAX);
                text_putc(text, '\n');
                return;
        }
        cJSON_ArrayForEach(guard, json_get(answer, "guards", NULL))
        {
                const char *until = json_string(guard, "until"), *holder = json_string(guard, "holder");
                if (!json_bool(guard, "holds", false))
                        continue;
                text_puts(text, held++ > 0 ? "; " : "");
                show_string(text, guard, "guard");
                text_puts(text, json_bool(guard, "asks", false) ? " asks a person first" : " holds it");
                if (holder) {
                        text_puts(text, ", ");
                        show_string(text, guard, "holder");
                        text_puts(text, " has it");
                }
                if (until) {
                        text_puts(text, " until ");
                        show_time(text, until);
                }
        }
        text_puts(text, held > 0 ? "; the others let it through\n" : "all let it through\n");
}
