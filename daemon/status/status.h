/* SPDX-License-Identifier: MIT */
#pragma once

/* A pool's status as plain structs: see status.def. Strings belong to the code that filled the struct in. */

#include "base/time.h"

/* Where a field comes from. */
typedef enum StatusOrigin {
        STATUS_OWN,
        STATUS_FPM,
        STATUS_FPM_8_4,
} StatusOrigin;

/* Whether a pool of this PHP ("8.4.28") shows a field of that origin (field.c). */
bool status_shows(const char *php_version, StatusOrigin origin);

#define STATUS_TYPE_STRING const char *
#define STATUS_TYPE_URI const char *
#define STATUS_TYPE_COUNT uint64_t
#define STATUS_TYPE_PERCENT uint64_t
#define STATUS_TYPE_TIME usec_t
#define STATUS_TYPE_SINCE usec_t
#define STATUS_TYPE_USEC usec_t

typedef struct PoolStatus {
#define POOL_STATUS(origin, field, key, type, ...) STATUS_TYPE_##type field;
#include "status/status.def"
} PoolStatus;

typedef struct WorkerStatus {
#define WORKER_STATUS(origin, field, key, type, ...) STATUS_TYPE_##type field;
#include "status/status.def"
} WorkerStatus;
