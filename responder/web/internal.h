/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP side share. */
#ifndef RESPONDER_WEB_INTERNAL_H
#define RESPONDER_WEB_INTERNAL_H

#include "responder/report/written.h"
#include "responder/web/forms.h"
#include "responder/web/pages/pages.h"
#include "responder/web/refusals.h"
#include "responder/web/sessions.h"
#include "responder/web/tokens.h"
#include "responder/web/web.h"
#include "responder/web/webhook.h"
#include "runbook/workers.h"

/* Threads of their own for each sort of answer, so that none waits behind another. */
enum api_pool {
        API_PAGES,     /* what may read much */
        API_DECISIONS, /* what persons decide: the kill switch is one */
        API_METRICS,   /* what machines ask for: also whether it is ready */
        API_READING,   /* large webhooks */
        API_FETCHES,   /* of the rest of cut groups: they wait for Alertmanager */
        API_ASKS,      /* what waits for neighbours or the engine: plans, runs by hand */
        API_POOL_COUNT,
};

struct api {
        struct api_options options;
        struct tokens *tokens; /* NULL: by a web configuration, or everybody may do everything */
        struct sessions *sessions;
        struct refusals refusals;
        struct webhook_receiver *webhook;
        struct workers *pools[API_POOL_COUNT];
        struct http_server *server;
        nsec started_at;          /* wall */
        _Atomic(nsec) webhook_at; /* wall: of the last webhook that was taken; 0: none yet */
};

/* Makes the document that a request is answered with; `*ret` NULL: out of memory. On a worker thread. */
typedef int api_document(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error);
api_document api_maintain, api_list, api_show, api_status, api_decide, api_pause, api_reload, api_guards,
        api_all_guards, api_targets, api_remediations, api_run;

/* Answers with a page of its own. On a worker thread. */
typedef void api_page(struct api *api, struct http_exchange *exchange);
api_page api_metrics, api_ready, api_report;

/* What it takes to use a route; see access.c for the roles. */
enum web_right {
        RIGHT_NONE,
        RIGHT_ASSET,
        RIGHT_READ,
        RIGHT_SEND,
        RIGHT_OPERATE,
        RIGHT_ADMINISTER,
        RIGHT_COUNT
};

/* What api_admit() found out about who asks, kept with the exchange: http_kept(). Of routes that show pages
 * or take forms alone. */
struct api_caller {
        unsigned roles;             /* as one bit each */
        bool signed_in, secure;     /* by `session`; what the browser asks by is encrypted */
        bool passwords;             /* one signs in with a user's */
        int verdict;                /* of form_login() with one: enum http_password */
        char mark[DIGEST_TEXT_MAX]; /* likewise: what stands for that password */
        struct session session;
        char form_token[DIGEST_TEXT_MAX]; /* "": there is none */
};

/* What a route has of its own; one that a worker answers, `document`, `page`, `shows` or `form`. */
struct api_route {
        enum web_right right;
        api_document *document;
        api_page *page;
        page_maker *shows; /* a page for people */
        api_form *form;    /* what such a page sends */
        bool login;        /* also of who has shown nothing */
        bool for_people;   /* asked by a page's script: its cookie counts */
        enum act act;      /* of page_ask() and form_act() */
        enum api_pool pool;
        enum decision decision; /* for api_decide() */
        bool pauses;            /* for api_pause() */
};

/* How http_user() of a unix socket's peer begins; the user's number follows. */
#define LOCAL_USER "uid "

/* Most bytes of who decides and of why. */
enum { DECIDER_MOST = SESSION_NAME_MOST, REASON_MOST = 1000 };

/* Whether somebody may be called so: a name of at most DECIDER_MOST bytes, and UTF-8, as all that shows the
 * journal is. NULL is none. */
bool api_is_name(const char *name);

/* What nobody has received. */
int api_deliveries(struct api *api, struct http_exchange *exchange, cJSON **ret, struct error *error);
void api_collect_deliveries(struct api *api, struct sample_sink *sink);

/* Who decides, as the timeline has it: what the caller has proved, and beside a token the name that he gives
 * himself (`by`, which may be NULL where it does not matter). On a worker. -EINVAL: it is not said. */
int api_name_actor(const struct http_exchange *exchange, const char *by, char **ret, struct error *error);

/* Whether a caller may decide. */
bool api_may_decide(const struct api_caller *caller);

/* Whether who shows no password may come to api_admit(): who may have signed in, or wants to. */
bool api_comes_otherwise(struct http_exchange *exchange, void *context);

/* Whether he has to sign in first. For the handler only. */
bool api_must_sign_in(const struct api *api, const struct http_exchange *exchange);

/* Who asks, and whether he may: the server's admit(). http_user() is then what the timeline says of him. */
struct http_refusal api_admit(struct http_exchange *exchange, void *context);

/* How the targets stand, as metrics; and how many of them do not answer. */
void api_collect_targets(struct api *api, struct sample_sink *sink);
size_t api_count_down(struct api *api);

/* How long a maintenance is to last, by what somebody has said. -EINVAL. */
int api_read_maintenance(const char *text, nsec *ret, struct error *error);

/* The whole of one incident. */
int api_show_number(struct api *api, const char *number, cJSON **ret, struct error *error);

/* Has a remediation run for an alert of these labels (an object, or NULL); the number of the incident is to
 * be freed. -ENOENT: there is no such remediation; -EINVAL: it is not for such an alert. Waits for the
 * journal. */
int api_begin_by_hand(struct api *api, const char *name, const cJSON *labels, const char *actor,
                      const char *reason, char **ret_number, struct error *error);

/* {"error": "…"} with the status that fits the errno. */
void api_reply_error(struct http_exchange *exchange, int result, const struct error *error);
/* Takes the document; NULL answers 500. */
void api_reply_json(struct http_exchange *exchange, cJSON *take);

#endif
