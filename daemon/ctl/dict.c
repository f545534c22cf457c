/* SPDX-License-Identifier: MIT */

/* A manager's status as it came over the control socket: see dict.h. */

#include "ctl/dict.h"

#include <inttypes.h>
#include <time.h>

#include "base/parse.h"
#include "ctl/client.h"
#include "scoreboard/scoreboard.h"

static_assert(STATUS_WORKERS_MAX > SCOREBOARD_SLOTS_MAX, "every worker of a pool has room");

/* Pools and workers share the keys that they both have, so one table serves both. */
static const struct {
        const char *key;
        DictType type;
} known_keys[] = {
#define POOL_STATUS(origin, field, key, type, ...) { key, DICT_##type },
#define WORKER_STATUS(origin, field, key, type, ...) { key, DICT_##type },
#include "status/status.def"
};

static DictType type_of_number(const char *key)
{
        for (size_t i = 0; i < ELEMENTSOF(known_keys); i++)
                if (streq(known_keys[i].key, key))
                        return known_keys[i].type < DICT_COUNT ? DICT_COUNT : known_keys[i].type;
        return DICT_COUNT;
}

static void dict_clear(Dict *dict)
{
        for (size_t i = 0; i < dict->n; i++) {
                free(dict->items[i].key);
                free(dict->items[i].string);
        }
        free(dict->items);
        *dict = (Dict) {};
}

void status_clear(Status *status)
{
        dict_clear(&status->pool);
        for (size_t i = 0; i < status->n_workers; i++)
                dict_clear(&status->workers[i]);
        free(status->workers);
        *status = (Status) {};
}

/* Adds a string or, where that is NULL, a number. */
static int dict_add(Dict *dict, const char *key, const char *string, uint64_t number)
{
        DictItem item = { .type = string ? DICT_STRING : type_of_number(key), .number = number };
        DictItem *items;

        if (dict->n == DICT_ITEMS_MAX)
                return -E2BIG;
        items = reallocarray(dict->items, dict->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        dict->items = items;

        item.key = strdup(key);
        item.string = string ? strdup(string) : NULL;
        if (!item.key || (string && !item.string)) {
                free(item.key);
                free(item.string);
                return -ENOMEM;
        }
        items[dict->n++] = item;
        return 0;
}

/* Reads a variant: a string or a number without sign. Others, from a later version, are left out. */
static int read_value(sd_bus_message *m, const char *key, Dict *dict)
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
                return r < 0 ? r : dict_add(dict, key, value.string, 0);
        }
        if (streq(contents, "t")) {
                r = sd_bus_message_read(m, "v", "t", &value.u64);
                return r < 0 ? r : dict_add(dict, key, NULL, value.u64);
        }
        if (streq(contents, "u")) {
                r = sd_bus_message_read(m, "v", "u", &value.u32);
                return r < 0 ? r : dict_add(dict, key, NULL, value.u32);
        }
        return sd_bus_message_skip(m, "v");
}

static int read_dict(sd_bus_message *m, Dict *dict)
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
                r = read_value(m, key, dict);
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

static int read_workers(sd_bus_message *m, Status *status)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, false)) == 0) {
                Dict *workers;

                if (status->n_workers == STATUS_WORKERS_MAX)
                        return -E2BIG;
                workers = reallocarray(status->workers, status->n_workers + 1, sizeof *workers);
                if (!workers)
                        return -ENOMEM;
                status->workers = workers;
                workers[status->n_workers] = (Dict) {};
                r = read_dict(m, &workers[status->n_workers++]);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

int status_read(sd_bus_message *reply, Status *ret)
{
        _cleanup_(status_clear) Status status = {};
        int r;

        if (!sd_bus_message_has_signature(reply, "a{sv}aa{sv}"))
                return -EBADMSG;
        r = read_dict(reply, &status.pool);
        if (r < 0)
                return r;
        r = read_workers(reply, &status);
        if (r < 0)
                return r;

        *ret = TAKE_GENERIC(status, ((Status) {}));
        return 0;
}

int status_get(const char *pool, const char *path, usec_t timeout, sd_bus_error *error, Status *ret)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        usec_t deadline = usec_add(now_monotonic(), timeout), left;
        int r;

        r = client_connect(pool, path, timeout, &bus);
        if (r <= 0)
                return r;
        left = usec_sub(deadline, now_monotonic());
        r = client_call(bus, "GetStatus", left, error, &reply);
        if (r < 0)
                return r;
        r = status_read(reply, ret);
        return r < 0 ? r : 1;
}

const DictItem *dict_find(const Dict *dict, const char *key)
{
        for (size_t i = 0; i < dict->n; i++)
                if (streq(dict->items[i].key, key))
                        return &dict->items[i];
        return NULL;
}

const char *dict_string(const Dict *dict, const char *key)
{
        const DictItem *item = dict_find(dict, key);

        return item ? item->string : NULL;
}

uint64_t dict_number(const Dict *dict, const char *key)
{
        const DictItem *item = dict_find(dict, key);

        return item ? item->number : 0;
}

/* Not more exact than a person wants it: whole seconds from 10 s on, milliseconds from 10 ms on. */
static const char *format_interval(char *buffer, usec_t t)
{
        if (t >= 10 * USEC_PER_SEC)
                t -= t % USEC_PER_SEC;
        else if (t >= 10 * USEC_PER_MSEC)
                t -= t % USEC_PER_MSEC;
        return format_usec(buffer, t);
}

static char *format_time(usec_t t)
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

int dict_item_format(const DictItem *item, char **ret)
{
        char buffer[PARSE_FORMAT_MAX];
        char *text;

        switch (item->type) {
        case DICT_STRING:
                text = strdup(item->string);
                break;
        case DICT_PERCENT:
                (void) snprintf(buffer, sizeof buffer, "%" PRIu64 ".%02" PRIu64 "%%", item->number / 100,
                                item->number % 100);
                text = strdup(buffer);
                break;
        case DICT_USEC:
        case DICT_SINCE:
                text = strdup(format_interval(buffer, item->number));
                break;
        case DICT_TIME:
                text = format_time(item->number);
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

/* As PHP-FPM has it: see dict.h. */
static bool in_seconds(const DictItem *item)
{
        return item->type == DICT_TIME || item->type == DICT_SINCE;
}

void dict_write_json(const Dict *dict, Json *json)
{
        for (size_t i = 0; i < dict->n; i++) {
                const DictItem *item = &dict->items[i];

                if (item->type == DICT_STRING)
                        json_string(json, item->key, item->string);
                else if (item->type == DICT_PERCENT)
                        json_hundredths(json, item->key, item->number);
                else
                        json_number(json, item->key,
                                    in_seconds(item) ? item->number / USEC_PER_SEC : item->number);
        }
}
