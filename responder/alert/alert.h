/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One alert of an Alertmanager webhook: what it says about itself, and nothing about what is done about it.
 *
 * responder/alert is where the senders' bytes become alerts that the rest of the responder may trust: whole,
 * valid and within limits. Matching them is match.h. It uses lib/base, lib/config, lib/pattern and
 * lib/metrics, and nothing of the responder.
 */
#ifndef RESPONDER_ALERT_ALERT_H
#define RESPONDER_ALERT_ALERT_H

#include "runbook/bind.h"
#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/digest.h"
#include "runbook/error.h"
#include "runbook/json.h"

struct alert {
        char *fingerprint; /* as its sender says: to be shown, and no more; "" when it says none */
        bool firing;
        struct config_map labels, annotations;
        nsec starts_at, ends_at; /* wall; ends_at is 0 while it fires */
        char *generator_url;
};

/* A whole webhook. */
struct webhook {
        struct alert *alerts;
        size_t count;
        char *receiver;     /* as sent: Alertmanager escapes it as a regular expression */
        char *external_url; /* of the Alertmanager */
        int64_t truncated;  /* alerts that `max_alerts` left out */
        cJSON *group_labels;
        size_t unreadable; /* alerts that are not among these, for what is wrong with them */
        char *why;         /* and what that is of the first, and where; NULL: there are none */
};

/*
 * Parses and validates a webhook of version 4: -EBADMSG names what is wrong and where
 * ("alerts[3].labels: missing"). An alert that cannot be read costs itself alone; when that is all of
 * them, the webhook is refused. Unknown members are ignored.
 */
int webhook_parse(const char *body, size_t length, struct webhook *ret, struct error *error);
void webhook_release(struct webhook *webhook);

/* The alerts of an answer of Alertmanager's GET /api/v2/alerts, as a webhook of the same receiver. */
int webhook_parse_api(const cJSON *alerts, struct webhook *ret, struct error *error);

/* One alert as JSON, in the webhook's shape, and back. For the journal and for `plan --alert FILE`. */
cJSON *alert_to_json(const struct alert *alert); /* NULL when out of memory */
int alert_from_json(const cJSON *json, struct alert *ret, struct error *error);
/* One that a person writes: of {"labels": {…}} the rest is made up, so that it fires since `now` (wall). */
int alert_from_labels(const cJSON *json, nsec now, struct alert *ret, struct error *error);
void alert_release(struct alert *alert);

/*
 * Which alert it is: the SHA-256 of its labels, sorted and each after its length. Of two alerts it is the
 * same when their labels are, whatever else their senders say. -ENOMEM, -EIO.
 */
int alert_key(const struct alert *alert, char ret[static DIGEST_TEXT_MAX], struct error *error);

/* The same of labels as they stand in a webhook or an answer of Alertmanager. -EBADMSG: no alert with these
 * would be taken. */
int alert_key_of_labels(const cJSON *labels, char ret[static DIGEST_TEXT_MAX], struct error *error);

/*
 * Labels of an alert that a person has made, to have a remediation run: of which one alone, and which run it
 * is. It sets off no other one; and since nobody else knows of it, nobody is asked whether it is silenced or
 * over.
 */
#define ALERT_LABEL_REMEDIATION "runbook_remediation"
#define ALERT_LABEL_RUN "runbook_run"

/*
 * Twins are alerts of one expression that differ in this label alone: one for who acts (the responder), one
 * for who is paged, and, as long as the responder is at it, one that it posts itself to hold the page back.
 */
#define ALERT_LABEL_STAGE "stage"
#define ALERT_STAGE_ACT "act"
#define ALERT_STAGE_PAGE "page"
#define ALERT_STAGE_ACTING "acting"

/* Whether it is a twin that is not for who acts. */
bool alert_labels_are_for_others(const struct config_map *labels);

/* Whether one of these series of ALERTS (an object of labels each; NULL: there are none) is of this alert. */
bool alert_is_among(const struct alert *alert, const cJSON *firing);

const char *alert_label(const struct alert *alert, const char *name); /* NULL when absent */

/* Bindings of `labels`, `annotations`, and, of `incident`, only `id` (may be NULL). Borrowed. */
struct alert_bindings {
        struct bindings bindings; /* .context points to this structure */
        const struct alert *alert;
        const char *incident;
};
void alert_bindings_init(struct alert_bindings *bindings, const struct alert *alert, const char *incident);

#endif
