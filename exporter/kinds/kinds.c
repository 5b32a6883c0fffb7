/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of kinds, in the order of the reference page. A new kind is a file of its own that defines
 * check_kind_<name>, and its name here.
 *
 * This room is what the product measures. A kind that is more than a file has a folder, whose door is the
 * file of the kind's name; nobody else includes a header of it. Kinds use exporter/check, kinds/shared and
 * the libraries that speak to what they measure; they do not know each other, nor who runs them.
 */
#include "exporter/check/check.h"

#define KINDS(X)      \
        X(http)       \
        X(redis)      \
        X(postgres)   \
        X(docker)     \
        X(disk)       \
        X(prometheus) \
        X(system)     \
        X(tls)        \
        X(exec)       \
        X(files)      \
        X(log)        \
        X(systemd)    \
        X(s3)         \
        X(heartbeat)

#define DECLARE(name) extern const struct check_kind check_kind_##name;
#define ADDRESS(name) &check_kind_##name,

KINDS(DECLARE)
const struct check_kind *const check_kinds[] = {KINDS(ADDRESS) NULL};
