/* SPDX-License-Identifier: MIT */

/* A manager's status as it came over the control socket: see status-reply.h. */

#include "ctl/status-reply.h"

#include <inttypes.h>
#include <time.h>

#include "base/parse.h"
#include "ctl/call.h"
#include "scoreboard/scoreboard.h"

static_assert(STATUS_WORKERS_MAX > SCOREBOARD_SLOTS_MAX, "every worker of a pool has room");

/* Pools and workers share the keys that they both have, so one table serves both. */
static const struct {
        const char *key;
        StatusKind kind;
} known_keys[] = {
#define POOL_STATUS(origin, field, key, kind, ...) { key, STATUS_##kind },
#define WORKER_STATUS(origin, field, key, kind, ...) { key, STATUS_##kind },
#include "status/status.def"
};

/* The kind of the number that came with this key. A number with an unknown key is a count. */
static StatusKind kind_of_number(const char *key)
{
        for (size_t i = 0; i < ELEMENTSOF(known_keys); i++)
                if (streq(known_keys[i].key, key) && !status_kind_is_string(known_keys[i].kind))
                        return known_keys[i].kind;
        return STATUS_COUNT;
}

static void items_clear(StatusItems *items)
{
        for (size_t i = 0; i < items->n; i++) {
                free(items->list[i].key);
                free(items->list[i].string);
        }
        free(items->list);
        *items = (StatusItems) {};
}

void status_reply_clear(StatusReply *status)
{
        items_clear(&status->pool);
        for (size_t i = 0; i < status->n_workers; i++)
                items_clear(&status->workers[i]);
        free(status->workers);
        *status = (StatusReply) {};
}

/* Adds a string or, where that is NULL, a number. */
static int items_add(StatusItems *items, const char *key, const char *string, uint64_t number)
{
        StatusItem item = { .kind = string ? STATUS_STRING : kind_of_number(key), .number = number };
        StatusItem *list;

        if (items->n == STATUS_ITEMS_MAX)
                return -E2BIG;
        list = reallocarray(items->list, items->n + 1, sizeof *list);
        if (!list)
                return -ENOMEM;
        items->list = list;

        item.key = strdup(key);
        item.string = string ? strdup(string) : NULL;
        if (!item.key || (string && !item.string)) {
                free(item.key);
                free(item.string);
                return -ENOMEM;
        }
        list[items->n++] = item;
        return 0;
}

/* Reads a variant: a string or a number without sign. Other types, from a later version, are left out. */
static int read_item(sd_bus_message *m, const char *key, StatusItems *items)
{
        union {
                const char *string;
                uint64_t u64;
                uint32_t u32;
        } value;
        const char *contents;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;

        if (streq(contents, "s")) {
                r = sd_bus_message_read(m, "v", "s", &value.string);
                return r < 0 ? r : items_add(items, key, value.string, 0);
        }
        if (streq(contents, "t")) {
                r = sd_bus_message_read(m, "v", "t", &value.u64);
                return r < 0 ? r : items_add(items, key, NULL, value.u64);
        }
        if (streq(contents, "u")) {
                r = sd_bus_message_read(m, "v", "u", &value.u32);
                return r < 0 ? r : items_add(items, key, NULL, value.u32);
        }
        return sd_bus_message_skip(m, "v");
}

static int read_items(sd_bus_message *m, StatusItems *items)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r < 0)
                        return r;
                r = read_item(m, key, items);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int read_workers(sd_bus_message *m, StatusReply *status)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, false)) == 0) {
                StatusItems *workers;

                if (status->n_workers == STATUS_WORKERS_MAX)
                        return -E2BIG;
                workers = reallocarray(status->workers, status->n_workers + 1, sizeof *workers);
                if (!workers)
                        return -ENOMEM;
                status->workers = workers;
                workers[status->n_workers] = (StatusItems) {};
                r = read_items(m, &workers[status->n_workers++]);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* 0, -EBADMSG for another signature, -E2BIG for more than a status may hold, or -errno. */
static int read_reply(sd_bus_message *reply, StatusReply *ret)
{
        _cleanup_(status_reply_clear) StatusReply status = {};
        int r;

        if (!sd_bus_message_has_signature(reply, "a{sv}aa{sv}"))
                return -EBADMSG;
        r = read_items(reply, &status.pool);
        if (r < 0)
                return r;
        r = read_workers(reply, &status);
        if (r < 0)
                return r;

        *ret = TAKE_GENERIC(status, ((StatusReply) {}));
        return 0;
}

int status_reply_get(const char *pool, const char *path, usec_t timeout, sd_bus_error *error,
                     StatusReply *ret)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        usec_t deadline = usec_add(now_monotonic(), timeout), left;
        int r;

        r = call_connect(pool, path, timeout, &bus);
        if (r <= 0)
                return r;
        left = usec_sub(deadline, now_monotonic());
        r = call_method(bus, "GetStatus", left, error, &reply);
        if (r < 0)
                return r;
        r = read_reply(reply, ret);
        return r < 0 ? r : 1;
}

const StatusItem *items_find(const StatusItems *items, const char *key)
{
        for (size_t i = 0; i < items->n; i++)
                if (streq(items->list[i].key, key))
                        return &items->list[i];
        return NULL;
}

const char *items_string(const StatusItems *items, const char *key)
{
        const StatusItem *item = items_find(items, key);

        return item ? item->string : NULL;
}

uint64_t items_number(const StatusItems *items, const char *key)
{
        const StatusItem *item = items_find(items, key);

        return item ? item->number : 0;
}

/*
 * Formats an interval as exactly as a person wants it: whole seconds from 10 s on, milliseconds from 10 ms
 * on.
 */
static const char *format_interval(char *buffer, usec_t t)
{
        if (t >= 10 * USEC_PER_SEC)
                t -= t % USEC_PER_SEC;
        else if (t >= 10 * USEC_PER_MSEC)
                t -= t % USEC_PER_MSEC;
        return format_usec(buffer, t);
}

static char *format_point_in_time(usec_t t)
{
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        char buffer[64];
        struct tm tm;

        if (t == 0 || !localtime_r(&seconds, &tm) ||
            strftime(buffer, sizeof buffer, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
                return strdup("-");
        return strdup(buffer);
}

static bool last_word_is(const char *key, const char *word)
{
        const char *last = strrchr(key, '-');

        return last && streq(last, word);
}

int item_format(const StatusItem *item, char **ret)
{
        char buffer[PARSE_FORMAT_MAX];
        char *text;

        switch (item->kind) {
        case STATUS_STRING:
                text = strdup(item->string);
                break;
        case STATUS_PERCENT:
                (void) snprintf(buffer, sizeof buffer, "%" PRIu64 ".%02" PRIu64 "%%", item->number / 100,
                                item->number % 100);
                text = strdup(buffer);
                break;
        case STATUS_USEC:
        case STATUS_SINCE:
                text = strdup(format_interval(buffer, item->number));
                break;
        case STATUS_TIME:
                text = format_point_in_time(item->number);
                break;
        default:
                if (last_word_is(item->key, "-memory"))
                        (void) format_size(buffer, item->number);
                else
                        (void) snprintf(buffer, sizeof buffer, "%" PRIu64, item->number);
                text = strdup(buffer);
        }
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

void items_write_json(const StatusItems *items, Json *json)
{
        for (size_t i = 0; i < items->n; i++) {
                const StatusItem *item = &items->list[i];

                if (status_kind_is_string(item->kind))
                        json_string(json, item->key, item->string);
                else
                        status_write_json(json, item->key, item->kind, item->number);
        }
}
