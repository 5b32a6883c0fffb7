/* SPDX-License-Identifier: Apache-2.0 */
/* A gzip file read to its end, where its checksum is: nothing less tells that it is not cut off. */
#ifndef EXPORTER_KINDS_FILES_GZIP_READ_H
#define EXPORTER_KINDS_FILES_GZIP_READ_H

#include "runbook/clock.h"

enum { GZIP_HEAD = 512 };

/* What was compressed. */
struct gzip_content {
        unsigned char head[GZIP_HEAD];
        size_t length; /* of the head */
        size_t zeros;  /* with which it ends, as far as it was read */
        bool whole;    /* false: the deadline came first */
};

/*
 * Reads from the beginning of `fd`, which may hold several members. -EBADMSG: damaged or cut off; -ENOMEM, or
 * what reading fails with. A deadline that comes first is no failure.
 */
int gzip_read(int fd, struct deadline deadline, struct gzip_content *ret);

#endif
