/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds. A new kind is one name here and one above. */
#include "exporter/check/check.h"

extern const struct check_kind check_kind_http, check_kind_redis, check_kind_postgres, check_kind_docker,
        check_kind_disk, check_kind_prometheus, check_kind_system, check_kind_tls, check_kind_exec,
        check_kind_files, check_kind_log, check_kind_systemd, check_kind_s3;

const struct check_kind *const check_kinds[CHECK_KINDS] = {
        &check_kind_http,     &check_kind_redis,
        &check_kind_postgres, &check_kind_docker,
        &check_kind_disk,     &check_kind_prometheus,
        &check_kind_system,   &check_kind_tls,
        &check_kind_exec,     &check_kind_files,
        &check_kind_log,      &check_kind_systemd,
        &check_kind_s3,       NULL,
};
