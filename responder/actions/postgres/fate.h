/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a transaction. Its id is noted in the step's progress before its COMMIT; when no answer to
 * that comes (a crash of ours, a broken connection), the server is asked by the id.
 */
#ifndef RESPONDER_ACTIONS_POSTGRES_FATE_H
#define RESPONDER_ACTIONS_POSTGRES_FATE_H

#include "responder/actions/postgres/common.h"

enum fate { FATE_COMMITTED, FATE_ABORTED, FATE_RUNNING, FATE_UNKNOWN };

/* Within the transaction: writes down, durably, which one it is and in which life of the server. The progress
 * is cJSON_Delete()d by the caller. */
int fate_note(struct step_run *run, struct postgres *postgres, cJSON **ret_progress, struct error *error);

/* Of a transaction that the server calls committed in another life than the one that was noted. */
typedef enum fate fate_in_doubt(struct step_run *run, struct postgres *postgres, struct deadline deadline,
                                struct error *error);

/*
 * Waits until the fate is known. The backend of a client that is gone ends its transaction when it notices,
 * which takes a moment; a broken connection is tried again for 20 s. FATE_UNKNOWN comes with an error, which
 * may be set beside FATE_ABORTED as well. Never FATE_RUNNING.
 */
enum fate fate_find(struct step_run *run, struct postgres *postgres, const cJSON *progress,
                    fate_in_doubt *in_doubt, struct error *error);

#endif
