/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages' forms send: signing in and out, and what a person decides. */
#ifndef RESPONDER_WEB_FORMS_H
#define RESPONDER_WEB_FORMS_H

#include "responder/web/pages/pages.h"

struct api;

/* Answers the exchange of the visit: does it, and sends the browser on to the page that shows what came of
 * it. On a worker. */
typedef void api_form(struct api *api, const struct visit *visit);
api_form form_login, form_logout, form_act;

#endif
