/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The reader of a manager's reply to GetStatus. The reply is kept as it came: keys in their order, each
 * value with the kind that status/status.def gives its key. So php-poolctl also shows what a newer manager
 * adds.
 */

#include <systemd/sd-bus.h>

#include "base/json.h"
#include "base/time.h"
#include "status/field.h"

/* Bounds of a reply. No manager says more, as scoreboard.h and status.def have it. */
#define STATUS_ITEMS_MAX 256
#define STATUS_WORKERS_MAX 8192

typedef struct StatusItem {
        char *key;
        StatusKind kind; /* STATUS_STRING for every string */
        char *string;    /* of a string */
        uint64_t number; /* of any other kind */
} StatusItem;

typedef struct StatusItems {
        StatusItem *list;
        size_t n;
} StatusItems;

/* The reply to GetStatus. */
typedef struct StatusReply {
        StatusItems pool;
        StatusItems *workers;
        size_t n_workers;
} StatusReply;

void status_reply_clear(StatusReply *status);

/*
 * Connects to a pool's manager, as call_connect() does, and asks it, both within timeout. 1 and *ret,
 * which the caller clears; 0 when the pool does not run; an error of call_connect() or call_method(), with
 * the manager's words in *error; -EBADMSG for another reply, or -E2BIG for more than a status may hold.
 */
int status_reply_get(const char *pool, const char *path, usec_t timeout, sd_bus_error *error,
                     StatusReply *ret);

/* The item of a key, or NULL. */
const StatusItem *items_find(const StatusItems *items, const char *key);

/* The string or number of a key; NULL or 0 where it is not there or of the other kind. */
const char *items_string(const StatusItems *items, const char *key);
uint64_t items_number(const StatusItems *items, const char *key);

/*
 * Formats a value for people: "1h 30min", "2025-11-22 00:21:03 +0000", "5312". *ret is a new string, not
 * escaped. 0 or -ENOMEM.
 */
int item_format(const StatusItem *item, char **ret);

/* Writes all items as members of a JSON object, numbers as status_write_json() does. */
void items_write_json(const StatusItems *items, Json *json);
