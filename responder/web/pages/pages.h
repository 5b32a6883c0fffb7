/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The responder's pages for people, a file each: what goes on, one incident, what was, what there is.
 *
 * responder/web/pages turns what the journal has into words: never a raw state, a line of JSON or a time in
 * milliseconds. It knows who looks only as far as that matters to what is shown (struct visit); who may do
 * what is responder/web's. It uses responder/engine, responder/incident, responder/journal,
 * responder/remediation, responder/alert, the configuration of responder/targets, lib/http/server, lib/html,
 * lib/base and lib/config.
 */
#ifndef RESPONDER_WEB_PAGES_PAGES_H
#define RESPONDER_WEB_PAGES_PAGES_H

#include "responder/coverage/coverage.h"
#include "responder/engine/engine.h"
#include "runbook/http_server.h"

/* What a person may do by a form. */
enum act {
        ACT_NONE,
        ACT_APPROVE,
        ACT_DENY,
        ACT_CANCEL,
        ACT_UNDO,
        ACT_ACK,
        ACT_TAKE,
        ACT_GIVE_BACK,
        ACT_RESEND,
        ACT_RUN,
        ACT_PAUSE,
        ACT_RESUME,
        ACT_MAINTAIN,
        ACT_END_MAINTENANCE,
        ACT_COUNT
};

/* Who looks, when, and at what. Borrowed until the page is answered. */
struct visit {
        const struct incident_parts *parts;
        const struct coverage_files *coverage;
        struct engine *engine; /* whom guards are asked of */
        struct http_exchange *exchange;
        nsec now;                    /* wall */
        nsec started_at, webhook_at; /* wall: of this process, of the last webhook that was taken; 0: none */

        const char *who;    /* as the timeline would say; NULL: nobody has said */
        bool may_decide;    /* there are buttons */
        bool must_say_name; /* forms ask for it */
        bool by_password;   /* of `may_sign_in`: a user's, and no token */
        bool may_sign_in;   /* by a token; who is `signed_in` may sign out */
        bool signed_in;
        const char *form_token; /* in each form that changes something */
        uint64_t news;          /* what the last change was called, before anything was read */
        enum act act;           /* of page_ask() */
        const char *complaint;  /* of page_login(): what was wrong with what was shown … */
        unsigned status;        /* … and with which status that is answered */
};

/* Where who looks at a page hears that something has changed, and the parameter that says what he has seen.
 */
#define PATH_EVENTS "/events"
#define PARAMETER_SEEN "seen"

/* The names of the fields of forms. */
#define FIELD_TOKEN "form" /* visit->form_token */
#define FIELD_NAME "by"
#define FIELD_REASON "reason"
#define FIELD_FOR "for"      /* of a maintenance: how long */
#define FIELD_PLAN "plan"    /* which it is that is agreed to */
#define FIELD_SECRET "token" /* of page_login() */
#define FIELD_NEXT "next"    /* likewise: where to go then */

/* Answers the exchange. On a worker: it may read the journal. */
typedef void page_maker(const struct visit *visit);
page_maker page_now, page_incident, page_ask, page_login, page_history, page_remediations, page_coverage,
        page_evidence;

/* A page that says what is wrong: that there is no such incident, that it is not in a state for that. */
void page_fail(const struct visit *visit, int result, const struct error *error);

#endif
