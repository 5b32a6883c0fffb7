/* SPDX-License-Identifier: Apache-2.0 */
/* remediations.yml read whole: the sections of what steps act on, then every remediation with its steps. */
#include "responder/remediation/remediation.h"

#include <errno.h>
#include <stdio.h>

#include "responder/remediation/doubts.h"
#include "responder/remediation/rates.h"
#include "responder/remediation/signs.h"
#include "responder/remediation/steps.h"
#include "responder/remediation/tell.h"
#include "responder/remediation/verification.h"
#include "runbook/words.h"

#define REMEDIATIONS_MAX 1000
#define REMEDIATION_NAME_MAX 100

/* A remediation as it stands in the file; `result` is moved out of it once all is read. */
struct raw {
        struct remediation result;
        struct config_strings match;
        char *limit, *human_window, *fresh_within;
        struct config_node *approval;
        struct config_node *steps;
};

const struct config_field remediation_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct raw, result.name),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "letters, digits, _ and -"},
        {"match", CONFIG_STRINGS, offsetof(struct raw, match), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "Alertmanager's matchers, all of which must match: =, !=, =~, !~"},
        {"cooldown", CONFIG_DURATION, offsetof(struct raw, result.cooldown), .fallback = "0",
         .help = "least time between the end of a run under the same lock, of whatever remediation, and this "
                 "one"},
        {"limit", CONFIG_STRING, offsetof(struct raw, limit),
         .help = "most runs of it in a time, as \"3 per 1d\", for each lock"},
        {"lock", CONFIG_STRING, offsetof(struct raw, result.lock), .flags = CONFIG_BIND | CONFIG_NOT_EMPTY,
         .help = "of those with the same lock one runs at a time; when absent `service/NAME`, where one "
                 "service is what its steps change in Docker, else the remediation's name"},
        {"approval", CONFIG_NODE, offsetof(struct raw, approval),
         .help = "whether a person must agree before it runs: `true`, `false` (as when absent), or a "
                 "mapping, below"},
        {"dry_run", CONFIG_BOOL, offsetof(struct raw, result.dry_run), .fallback = "false",
         .help = "it is planned, and nothing is run, whatever becomes of the alert"},
        {"trust", CONFIG_ENUM, offsetof(struct raw, result.trust), .fallback = "act", .choices = trust_words,
         .help = "`observe`: as `dry_run`; `ask`: a person must agree; `earned`: a person must agree until "
                 "it has healed "
                 "often enough, and again after any harm"},
        {"urgent", CONFIG_BOOL, offsetof(struct raw, result.urgent), .fallback = "false",
         .help = "neither `breaker` nor `storm` asks a person first, nor do `limit_all` and `freshness` hold "
                 "it"},
        {"human_window", CONFIG_STRING, offsetof(struct raw, human_window), .flags = CONFIG_NOT_EMPTY,
         .help = "how long after a person was seen at what it acts upon nothing is begun; the file's own "
                 "when "
                 "absent; or `off`"},
        {"fresh_within", CONFIG_STRING, offsetof(struct raw, fresh_within), .flags = CONFIG_NOT_EMPTY,
         .help = "nothing is begun unless Prometheus answers and its newest data are at most so old, 5m at "
                 "most; the file's own when absent; or `off`"},
        {"expire", CONFIG_DURATION, offsetof(struct raw, result.expire), .fallback = "1h",
         .flags = CONFIG_POSITIVE, .help = "how long an incident may be held or await approval"},
        {"still_firing", CONFIG_DURATION, offsetof(struct raw, result.still_firing), .fallback = "15m",
         .help = "how long the alert may go on after it was healed before a person is called; longer than a "
                 "rule's windows and Alertmanager's group_interval together; 0: for ever"},
        {"page_after", CONFIG_DURATION, offsetof(struct raw, result.page_after), .fallback = "15m",
         .help = "how long after its alert came the page of an alert with twins (`stage`) is held back at "
                 "most, "
                 "while this is at it; 0: never"},
        {"on_failure", CONFIG_ENUM, offsetof(struct raw, result.on_failure), .fallback = "escalate",
         .choices = on_failure_words, .help = "what follows a failed step or verification"},
        {"escalate_to", CONFIG_STRING, offsetof(struct raw, result.escalate_to), .flags = CONFIG_NOT_EMPTY,
         .help = "the receiver to call; the file's own when absent; `nobody`: none is called, whatever "
                 "becomes of "
                 "it"},
        {"tell", CONFIG_STRINGS, offsetof(struct raw, result.tell),
         .help = "ends that are told to `escalate_to`, too: healed, done, cancelled, denied; the file's own "
                 "when "
                 "absent; whatever needs a person is always told"},
        {"at_stake", CONFIG_STRING, offsetof(struct raw, result.at_stake),
         .flags = CONFIG_BIND | CONFIG_NOT_EMPTY,
         .help = "what is so while this has not helped, as a sentence: told to whoever is called"},
        {"steps", CONFIG_NODE, offsetof(struct raw, steps), .flags = CONFIG_REQUIRED,
         .help = "what is done, in this order"},
        {"verify", CONFIG_OBJECT, offsetof(struct raw, result.verify), .fields = verify_fields,
         .size = sizeof(struct verification), .help = "how it is known that it helped"},
        {0},
};

/* The sections that are not targets. */
static const char *const own_sections[] = {"escalate_to",  "escalation",   "tell",         "unmatched_to",
                                           "external_url", "limit_all",    "breaker",      "storm",
                                           "hours",        "time_zone",    "human_window", "human_signs",
                                           "maintenance",  "remediations", "fresh_within", NULL};

struct top {
        char *escalate_to, *unmatched_to, *external_url;
        char *limit_all, *breaker, *storm, *human_window, *fresh_within;
        char *time_zone;
        struct config_strings hours;
        struct config_node *maintenance, *escalation;
        struct config_strings human_signs;
        struct config_strings tell;
        struct config_node *remediations;
};

const struct config_field top_fields[] = {
        {"escalate_to", CONFIG_STRING, offsetof(struct top, escalate_to), .flags = CONFIG_NOT_EMPTY,
         .help = "the receiver to call when a remediation needs a person; each needs one, from here or of "
                 "its own, "
                 "or says `nobody`"},
        {"escalation", CONFIG_NODE, offsetof(struct top, escalation), .flags = CONFIG_NOT_EMPTY,
         .help = "who is called after whom while nobody says that he is at it: a list of levels, or a "
                 "mapping, "
                 "below; of every remediation without an `escalate_to` of its own"},
        {"tell", CONFIG_STRINGS, offsetof(struct top, tell),
         .help = "ends that are told as well, of those that do not need a person: healed, done, cancelled, "
                 "denied"},
        {"unmatched_to", CONFIG_STRING, offsetof(struct top, unmatched_to), .flags = CONFIG_NOT_EMPTY,
         .help = "the receiver to tell of alerts that no remediation is for; nobody is told when absent"},
        {"external_url", CONFIG_STRING, offsetof(struct top, external_url), .flags = CONFIG_NOT_EMPTY,
         .help = "where people reach this responder, for the links and commands in what they are told; where "
                 "it "
                 "listens when absent"},
        {"limit_all", CONFIG_STRING, offsetof(struct top, limit_all),
         .help = "most runs in a time, as \"20 per 1h\", of whatever remediation that changes something, "
                 "under "
                 "whatever lock: from then on all are held"},
        {"breaker", CONFIG_STRING, offsetof(struct top, breaker), .fallback = "5 per 1h",
         .help = "most runs under one lock in a time, of whatever remediation that changes something: from "
                 "then on "
                 "a person is asked first; or `off`"},
        {"storm", CONFIG_STRING, offsetof(struct top, storm), .fallback = "2 per 5m",
         .help = "under how many locks in a time something is changed before a person is asked about the "
                 "next one; or "
                 "`off`"},
        {"fresh_within", CONFIG_STRING, offsetof(struct top, fresh_within), .flags = CONFIG_NOT_EMPTY,
         .help = "nothing is begun unless Prometheus answers and its newest data are at most so old, 5m at "
                 "most; not asked when absent, nor of what is `urgent`"},
        {"hours", CONFIG_STRINGS, offsetof(struct top, hours), .flags = CONFIG_NOT_EMPTY,
         .help = "when people are there, as \"Mon-Fri 09:00-17:00\", \"Sat,Sun\" or \"22:00-06:00\": for "
                 "`outside_hours`"},
        {"time_zone", CONFIG_STRING, offsetof(struct top, time_zone), .fallback = "local",
         .flags = CONFIG_NOT_EMPTY,
         .help = "of all hours in the file, as \"Europe/Berlin\"; the host's own when absent"},
        {"human_window", CONFIG_STRING, offsetof(struct top, human_window), .fallback = "15m",
         .help = "how long after a person was seen at what a remediation acts upon nothing is begun; or "
                 "`off`: "
                 "then only what somebody has taken is left alone"},
        {"maintenance", CONFIG_NODE, offsetof(struct top, maintenance), .flags = CONFIG_NOT_EMPTY,
         .help = "when nothing is begun, and what is silenced meanwhile: a mapping, below"},
        {"human_signs", CONFIG_STRINGS, offsetof(struct top, human_signs),
         .help = "by what people are seen at what a step acts upon, beside what they tell the responder: "
                 "docker "
                 "(the Engine's events), postgres (sessions of psql and pgAdmin), redis (of redis-cli); none "
                 "when absent"},
        {"remediations", CONFIG_NODE, offsetof(struct top, remediations), .flags = CONFIG_REQUIRED,
         .help = "the list of remediations"},
        {0},
};

static bool name_valid(const char *name)
{
        size_t length = strlen(name);
        return length > 0 && length <= REMEDIATION_NAME_MAX &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

static void matchers_read(struct config_node *node, const struct config_strings *texts,
                          struct matchers *matchers)
{
        struct config_node *list = config_member(node, "match");
        for (size_t i = 0; i < texts->count; i++) {
                _cleanup_error_ struct error error = {0};
                if (matchers_add(matchers, texts->items[i], &error) < 0)
                        config_complain(config_is_list(list) ? config_item(list, i) : list, NULL, "%s",
                                        error_text(&error));
        }
        /* What an alert without any label matches, every alert may: that is no scope at all. */
        if (matchers_match(matchers, &(const struct config_map){0}))
                config_complain(
                        list, NULL,
                        "these matchers do not say which alerts are meant: add one that an alert without "
                        "labels does not match, such as alertname=\"...\"");
}

/* `ret` is what it is when the file does not say, or `off`. False after a complaint. */
static bool window_read(struct config_node *node, const char *key, const char *text, nsec *ret)
{
        _cleanup_error_ struct error why = {0};
        nsec window = 0;
        if (!text || !*text)
                return true;
        bool read = string_equal(text, "off") || duration_parse(text, &window, &why) >= 0;
        if (!read)
                config_complain(node, key, "%s; or `off`", error_text(&why));
        else if (window < 0)
                config_complain(node, key, "must not be negative");
        else
                *ret = window;
        return read && window >= 0;
}

static void freshness_read(struct config_node *node, const char *text, const struct target_set *targets,
                           nsec *ret)
{
        char most[DURATION_TEXT_MAX];
        if (!window_read(node, "fresh_within", text, ret) || !text || *ret == 0)
                return;
        if (!targets->prometheus_url)
                config_complain(node, "fresh_within",
                                "needs `prometheus_url`: nobody else knows how old the data are");
        else if (*ret > FRESH_MOST)
                config_complain(node, "fresh_within", "is longer than Prometheus looks back: %s is the most",
                                duration_format(FRESH_MOST, most));
}

static void receiver_check(struct config_node *node, const char *key, const char *receiver,
                           const struct target_set *targets)
{
        if (receiver && config_member(node, key) && !receiver_is_nobody(receiver) &&
            !target_set_receiver(targets, receiver))
                config_complain(node, key, "there is no receiver \"%s\"", receiver);
}

/* The lists that are released alone, wherever they are kept. */
static const struct config_field tell_alone[] = {{"tell", CONFIG_STRINGS, 0, .flags = 0}, {0}};
static const struct config_field signs_alone[] = {{"human_signs", CONFIG_STRINGS, 0, .flags = 0}, {0}};

/* Whatever a remediation is, it may be held until it expires, or be interrupted: somebody has to hear of it.
 */
static void somebody_check(struct config_node *node, const char *receiver)
{
        if (!receiver)
                config_complain(
                        node, "name",
                        "nobody is called when this needs a person: give `escalate_to` a receiver, here or "
                        "at the top of the file, or say `escalate_to: nobody`");
}

/* What the file says for all. */
static int inherit(struct remediation *remediation, bool tells, const struct remediation_set *set,
                   struct error *error)
{
        if (!remediation->escalate_to)
                remediation->escalation = &set->escalation;
        if (!remediation->escalate_to && set->escalate_to &&
            !(remediation->escalate_to = strdup(set->escalate_to)))
                return error_oom(error);
        return tells ? 0 : config_bind(tell_alone, &set->tell, NULL, &remediation->tell, error);
}

static void remediation_release(struct remediation *remediation)
{
        for (size_t i = 0; i < remediation->step_count; i++)
                step_release(&remediation->steps[i]);
        free(remediation->steps);
        matchers_release(&remediation->match);
        free(remediation->verify.query);
        free(remediation->verify.check);
        free(remediation->name);
        free(remediation->lock);
        free(remediation->escalate_to);
        free(remediation->at_stake);
        config_release(tell_alone, &remediation->tell);
        *remediation = (struct remediation){0};
}

/* Mistakes are complaints about the document; -ENOMEM is the only failure. */
static int remediation_read(struct config_node *node, const struct remediation_set *set,
                            struct remediation *ret, struct error *error)
{
        struct raw raw = {0};
        config_read(node, remediation_fields, &raw);
        struct remediation *result = &raw.result;

        if (result->name && *result->name && !name_valid(result->name))
                config_complain(node, "name", "\"%s\" is no name: letters, digits, _ and - are",
                                result->name);
        if (result->name && remediation_find(set, result->name))
                config_complain(node, "name", "there is a remediation \"%s\" already", result->name);
        matchers_read(node, &raw.match, &result->match);
        rate_read(node, "limit", raw.limit, &result->limit);
        approval_read(raw.approval, set->hours != NULL, result->expire, &result->approval);
        result->human_window = set->human_window;
        window_read(node, "human_window", raw.human_window, &result->human_window);
        result->fresh_within = set->fresh_within;
        freshness_read(node, raw.fresh_within, &set->targets, &result->fresh_within);
        null_when_empty(&result->lock);
        null_when_empty(&result->escalate_to);
        receiver_check(node, "escalate_to", result->escalate_to, &set->targets);
        verification_check(node, &result->verify, &set->targets);

        tell_check(node, &result->tell);
        null_when_empty(&result->at_stake);
        result->dry_run |= result->trust == TRUST_OBSERVE;
        if (result->trust == TRUST_EARNED && !result->verify.query && !result->verify.check)
                config_complain(
                        node, "trust",
                        "without `verify` nothing says whether it helped: it could never earn to act");

        int r = inherit(result, config_member(node, "tell"), set, error);
        if (r >= 0)
                somebody_check(node, result->escalate_to);
        if (r >= 0 && raw.steps)
                r = steps_read(raw.steps, &set->targets, result->on_failure, &result->steps,
                               &result->step_count, error);
        if (r >= 0 && !result->lock)
                r = steps_lock(result->steps, result->step_count, &result->lock, error);

        *ret = *result;
        *result = (struct remediation){0};
        config_release(remediation_fields, &raw);
        return r;
}

static int remediations_read(struct config_node *list, struct remediation_set *set, struct error *error)
{
        size_t count = config_size(list);
        if (!config_is_list(list) || count == 0) {
                config_complain(list, NULL, "must be a list of at least one remediation");
                return 0;
        }
        if (count > REMEDIATIONS_MAX) {
                config_complain(list, NULL, "%zu remediations are too many: %d are the most", count,
                                REMEDIATIONS_MAX);
                return 0;
        }
        set->remediations = calloc(count, sizeof(*set->remediations));
        if (!set->remediations)
                return error_oom(error);
        for (size_t i = 0; i < count; i++) {
                struct remediation *remediation = &set->remediations[i];
                int r = remediation_read(config_item(list, i), set, remediation, error);
                if (r >= 0)
                        r = remediation_doubt(config_item(list, i), remediation, set->remediations, i, error);
                set->asks_freshness |= remediation->fresh_within > 0;
                set->count = i + 1; /* also after a failure, so that it is freed */
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The names of the fields of a table, closed by NULL; free() the array only. */
static const char **field_names(const struct config_field *fields)
{
        size_t count = 0;
        while (fields[count].name)
                count++;
        const char **names = calloc(count + 1, sizeof(*names));
        for (size_t i = 0; names && i < count; i++)
                names[i] = fields[i].name;
        return names;
}

/* Whoever is called first for everything is called for what belongs to no remediation, too. */
static int default_receiver(struct remediation_set *set, struct error *error)
{
        const struct escalation_chain *chain = escalation_find(&set->escalation, NULL);
        if (set->escalate_to || !chain || chain->count == 0 || !chain->levels[0].to)
                return 0;
        set->escalate_to = strdup(chain->levels[0].to);
        return set->escalate_to ? 0 : error_oom(error);
}

static int set_read(struct remediation_set *set, struct error *error)
{
        struct config_node *root = config_root(set->config);
        if (!root) {
                if (config_complaints(set->config) == 0)
                        return error_set(error, EINVAL, "the file is empty");
                return 0;
        }
        if (!config_is_mapping(root)) {
                config_complain(root, NULL, "must be a mapping with a list of `remediations`");
                return 0;
        }

        /* Each table passes over the keys of the other, so that each key has one owner. */
        _cleanup_free_ const char **target_sections = field_names(target_fields);
        if (!target_sections)
                return error_oom(error);
        config_read_some(root, target_fields, &set->targets, own_sections);
        target_set_check(&set->targets, root);

        struct top top = {0};
        config_read_some(root, top_fields, &top, target_sections);
        set->escalate_to = TAKE_PTR(top.escalate_to);
        set->unmatched_to = TAKE_PTR(top.unmatched_to);
        set->external_url = TAKE_PTR(top.external_url);
        set->tell = top.tell;
        top.tell = (struct config_strings){0};
        null_when_empty(&set->escalate_to);
        null_when_empty(&set->unmatched_to);
        null_when_empty(&set->external_url);
        rate_read(root, "limit_all", top.limit_all, &set->limit_all);
        rate_read(root, "breaker", top.breaker, &set->breaker);
        rate_read(root, "storm", top.storm, &set->storm);
        set->human_window = HUMAN_WINDOW;
        window_read(root, "human_window", top.human_window, &set->human_window);
        freshness_read(root, top.fresh_within, &set->targets, &set->fresh_within);
        set->human_signs = top.human_signs;
        top.human_signs = (struct config_strings){0};
        signs_check(root, &set->human_signs);
        struct config_node *list = top.remediations;
        int r = hours_read(root, "hours", &top.hours, top.time_zone, &set->hours, error);
        if (r >= 0)
                r = maintenance_read(top.maintenance, top.time_zone, &set->maintenance, error);
        if (r >= 0)
                r = escalation_read(top.escalation, &set->targets, set->hours != NULL, &set->escalation,
                                    error);
        if (r >= 0)
                r = default_receiver(set, error);
        config_release(top_fields, &top);

        receiver_check(root, "escalate_to", set->escalate_to, &set->targets);
        receiver_check(root, "unmatched_to", set->unmatched_to, &set->targets);
        tell_check(root, &set->tell);
        if (set->external_url && !string_starts(set->external_url, "http://") &&
            !string_starts(set->external_url, "https://"))
                config_complain(root, "external_url", "'external_url' must begin with http:// or https://");
        return r >= 0 && list ? remediations_read(list, set, error) : r;
}

int remediation_set_load(const char *path, struct remediation_set **ret, struct error *error)
{
        struct remediation_set *set = calloc(1, sizeof(*set));
        if (!set)
                return error_oom(error);
        int r = config_load(path, &set->config, error);
        if (r >= 0)
                r = set_read(set, error);
        if (r >= 0 && config_complaints(set->config) > 0)
                r = error_set(error, EINVAL, "%s", config_complaints_text(set->config));
        if (r >= 0 && config_doubts(set->config) > 0 &&
            !(set->doubts = strdup(config_doubts_text(set->config))))
                r = error_oom(error);
        if (r < 0) {
                remediation_set_free(set);
                return r;
        }
        /* Everything was read out of it. */
        set->config = config_free(set->config);
        *ret = set;
        return 0;
}

struct remediation_set *remediation_set_free(struct remediation_set *set)
{
        if (!set)
                return NULL;
        for (size_t i = 0; i < set->count; i++)
                remediation_release(&set->remediations[i]);
        free(set->remediations);
        free(set->escalate_to);
        escalation_release(&set->escalation);
        free(set->unmatched_to);
        free(set->external_url);
        config_release(tell_alone, &set->tell);
        hours_free(set->hours);
        maintenance_release(&set->maintenance);
        config_release(signs_alone, &set->human_signs);
        free(set->doubts);
        config_release(target_fields, &set->targets);
        config_free(set->config);
        free(set);
        return NULL;
}

struct remediation *remediation_free(struct remediation *remediation)
{
        if (remediation)
                remediation_release(remediation);
        free(remediation);
        return NULL;
}
