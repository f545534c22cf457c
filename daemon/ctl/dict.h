/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a manager says of itself (GetStatus), kept as it came: keys in their order, values with the type that
 * status/status.def gives their key. So what a newer manager adds is shown as well.
 */

#include <systemd/sd-bus.h>

#include "base/time.h"
#include "ctl/json.h"

/* What a status may hold: more is no manager's, as of scoreboard.h and status.def. */
#define DICT_ITEMS_MAX 256
#define STATUS_WORKERS_MAX 8192

typedef enum DictType {
        DICT_STRING,
        DICT_URI, /* a string */
        DICT_COUNT,
        DICT_PERCENT, /* in hundredths */
        DICT_USEC,  /* an interval */
        DICT_SINCE, /* one that PHP-FPM has in seconds */
        DICT_TIME, /* CLOCK_REALTIME */
} DictType;

typedef struct DictItem {
        char *key;
        DictType type;
        char *string; /* DICT_STRING */
        uint64_t number;
} DictItem;

typedef struct Dict {
        DictItem *items;
        size_t n;
} Dict;

/* The reply to GetStatus. */
typedef struct Status {
        Dict pool;
        Dict *workers;
        size_t n_workers;
} Status;

/*
 * Reads a reply to GetStatus. 0 and *ret, which the caller clears; or -errno, -EBADMSG for another
 * signature, -E2BIG for more than a status may hold.
 */
int status_read(sd_bus_message *reply, Status *ret);
void status_clear(Status *status);

/*
 * Connects to a pool's manager, as client_connect() does, and asks it, both within timeout. 1 and *ret,
 * which the caller clears; 0 when the pool does not run; or an error of client_connect(), client_call() or
 * status_read(), with the manager's words in *error.
 */
int status_get(const char *pool, const char *path, usec_t timeout, sd_bus_error *error, Status *ret);

/* The item of a key, or NULL. */
const DictItem *dict_find(const Dict *dict, const char *key);

/* The string or number of a key; NULL or 0 where it is not there or of the other kind. */
const char *dict_string(const Dict *dict, const char *key);
uint64_t dict_number(const Dict *dict, const char *key);

/*
 * The value for people: "1h 30min", "2025-11-22 00:21:03 +0000", "5312"; *ret is a new string, not escaped.
 * 0 or -ENOMEM.
 */
int dict_item_format(const DictItem *item, char **ret);

/*
 * Writes all as members of a JSON object. Units are PHP-FPM's: seconds for a point in time and for what is
 * since then, microseconds for other intervals.
 */
void dict_write_json(const Dict *dict, Json *json);
