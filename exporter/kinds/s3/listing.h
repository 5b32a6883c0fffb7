/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer of S3, in XML, parsed as it arrives: a page of ListObjectsV2, or an error.
 *
 * Memory is bounded whatever the answer holds: nothing of it is kept but what is named here, each at most
 * 4 KiB. A document type, and with it every entity of the answer's own, is refused.
 */
#ifndef EXPORTER_KINDS_S3_LISTING_H
#define EXPORTER_KINDS_S3_LISTING_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/text.h"

struct s3_object {
        const char *key;
        uint64_t size;
        nsec modified; /* since the epoch */
};

/* What a page or an error says beside its objects. */
struct s3_answer {
        bool is_listing, is_error, truncated; /* truncated: there are more, from `next` on */
        struct text next;
        struct text code, region, endpoint; /* of an error */
};

struct s3_listing;

/* Every object is shown to `on_object` once it is whole. NULL when out of memory. */
struct s3_listing *s3_listing_new(void (*on_object)(void *context, const struct s3_object *object),
                                  void *context);
struct s3_listing *s3_listing_free(struct s3_listing *listing);
DEFINE_CLEANUP(struct s3_listing *, s3_listing_free);

/* -EBADMSG (no XML, or not S3's), -EMSGSIZE (a value is too long), -ENOMEM; stays so. -EMSGSIZE also for what
 * comes behind 8 MiB, whatever was wrong before: nobody should take any more of it. */
int s3_listing_feed(struct s3_listing *listing, const char *data, size_t length, struct error *error);

/* After the last byte. The answer is the listing's, and true as far as it goes after a failure, too. */
int s3_listing_end(struct s3_listing *listing, const struct s3_answer **ret, struct error *error);

#endif
