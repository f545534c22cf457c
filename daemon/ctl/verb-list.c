/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl list: every pool that has a file, a unit that systemd knows, or both. Units' states come from
 * systemd, the rest from each running pool's manager, where the caller may ask it.
 */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/print.h"
#include "ctl/status-reply.h"
#include "ctl/systemd.h"
#include "ctl/table.h"
#include "poolfile/parse.h"

typedef struct Entry {
        char *pool;
        UnitState service, socket;
        char **listen; /* addresses */
        size_t n_listen;
        StatusReply status;
        bool answered;  /* status is there */
        bool no_answer; /* the manager is stuck */
        char *php;      /* "8.4": the file's choice, where the manager did not answer; NULL for none */
} Entry;

typedef struct PoolList {
        Entry *entries;
        size_t n;
        int error; /* why a running pool could not be asked, or 0 */
} PoolList;

static void pool_list_clear(PoolList *list)
{
        for (size_t i = 0; i < list->n; i++) {
                Entry *e = &list->entries[i];

                free(e->pool);
                free(e->php);
                unit_state_clear(&e->service);
                unit_state_clear(&e->socket);
                ctl_names_free(e->listen, e->n_listen);
                status_reply_clear(&e->status);
        }
        free(list->entries);
}

static int pool_list_add(const char *pool, void *userdata)
{
        PoolList *list = userdata;
        Entry *entries;
        char *copy;

        for (size_t i = 0; i < list->n; i++)
                if (streq(list->entries[i].pool, pool))
                        return 0;

        entries = reallocarray(list->entries, list->n + 1, sizeof *entries);
        if (!entries)
                return -ENOMEM;
        list->entries = entries;
        copy = strdup(pool);
        if (!copy)
                return -ENOMEM;
        entries[list->n++] = (Entry) { .pool = copy };
        return 0;
}

static int compare_entries(const void *a, const void *b)
{
        return strcmp(((const Entry *) a)->pool, ((const Entry *) b)->pool);
}

/* systemd may be NULL: then only pools with a file are found. */
static int pool_list_find(PoolList *list, sd_bus *systemd)
{
        char **names;
        size_t n;
        int r;

        r = ctl_configured_pools(&names, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = pool_list_add(names[i], list);
        ctl_names_free(names, n);
        if (r < 0)
                return r;

        if (systemd)
                r = systemd_each_pool(systemd, pool_list_add, list);
        if (r < 0)
                return r;
        if (list->n > 0)
                qsort(list->entries, list->n, sizeof *list->entries, compare_entries);
        return 0;
}

/*
 * Finds the PHP that the pool would run. A file that is wrong, or whose PHP is not there, is left to
 * php-poolctl check.
 */
static int find_php(Entry *e)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = ctl_pool_file(e->pool, &path);
        if (r >= 0)
                r = config_parse_pool(path, &config, &errors);
        if (r >= 0)
                r = text_format(&e->php, "%s", config->php_version);
        return r == -ENOMEM ? r : 0;
}

static int pool_list_ask(PoolList *list, sd_bus *systemd)
{
        for (size_t i = 0; i < list->n; i++) {
                Entry *e = &list->entries[i];
                int r;

                r = systemd_unit_state(systemd, e->pool, ".service", &e->service);
                if (r < 0)
                        return r;
                r = systemd_unit_state(systemd, e->pool, ".socket", &e->socket);
                if (r < 0)
                        return r;
                r = systemd_listen(systemd, e->pool, &e->listen, &e->n_listen);
                if (r < 0)
                        return r;

                r = status_reply_get(e->pool, NULL, CALL_LIST_TIMEOUT, NULL, &e->status);
                e->answered = r > 0;
                e->no_answer = r == -ETIMEDOUT;
                if (r < 0 && !e->no_answer)
                        list->error = r;
                r = e->answered ? 0 : find_php(e);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * The manager's word for the pool's state, or ours for a manager that does not answer; NULL where it was
 * not asked.
 */
static const char *entry_state(const Entry *e)
{
        return e->no_answer ? "not answering" : items_string(&e->status.pool, "state");
}

/* The PHP that it runs, or would run; NULL where that is not known. */
static const char *entry_php(const Entry *e)
{
        return items_string(&e->status.pool, "php-version") ?: e->php;
}

/* The word in the brackets behind systemd's word for the service. */
static const char *entry_detail(const Entry *e)
{
        const char *state = entry_state(e);

        if (state)
                return state;
        if (streq(e->service.active, "inactive") && streq(e->socket.active, "active"))
                return e->socket.sub;
        return e->service.sub;
}

/*
 * Whether somebody has removed the file of a socket that systemd holds, so that nobody can connect any
 * more. That happens where PHP-FPM had the same path and is stopped last.
 */
static bool is_missing(const Entry *e, const char *address)
{
        return *address == '/' && streq(e->socket.active, "active") && access(address, F_OK) < 0 &&
               errno == ENOENT;
}

/* The last column: all addresses. */
static int add_listen(Table *table, const Entry *e)
{
        _cleanup_(freep) char *joined = NULL;

        for (size_t i = 0; i < e->n_listen; i++) {
                _cleanup_(freep) char *before = TAKE_PTR(joined);

                if (text_format(&joined, "%s%s%s%s", before ?: "", before ? ", " : "", e->listen[i],
                                is_missing(e, e->listen[i]) ? " (missing)" : "") < 0)
                        return -ENOMEM;
        }
        return table_add(table, joined);
}

static int add_pool_line(Table *table, const Entry *e)
{
        const StatusItems *pool = &e->status.pool;
        int r;

        r = table_add(table, e->pool);
        if (r < 0)
                return r;
        r = table_addf(table, "%s (%s)", e->service.active, entry_detail(e));
        if (r < 0)
                return r;
        r = table_add(table, entry_php(e));
        if (r < 0)
                return r;
        if (e->answered)
                r = table_addf(table, "%" PRIu64 "/%" PRIu64 "/%" PRIu64,
                               items_number(pool, "active-processes"), items_number(pool, "idle-processes"),
                               items_number(pool, "total-processes"));
        else
                r = table_add(table, NULL);
        if (r < 0)
                return r;
        r = e->answered ? table_addf(table, "%" PRIu64, items_number(pool, "requests"))
                        : table_add(table, NULL);
        if (r < 0)
                return r;
        return add_listen(table, e);
}

static int print_text(const PoolList *list, bool legend)
{
        static const char *const headings[] = { "POOL", "STATE", "PHP", "WORKERS", "REQUESTS", "SOCKETS" };
        _cleanup_(table_clear) Table table = {};
        int r;

        r = table_open(&table, ELEMENTSOF(headings));
        if (r >= 0 && legend)
                r = table_add_line(&table, headings);
        for (size_t i = 0; i < list->n && r >= 0; i++)
                r = add_pool_line(&table, &list->entries[i]);
        if (r >= 0)
                r = table_print(&table, stdout);
        if (r < 0)
                return r;
        if (legend) {
                ctl_print("%s", "");
                ctl_print("%zu pools listed; WORKERS: active/idle/all.", list->n);
        }
        return 0;
}

static void print_list_json(const PoolList *list)
{
        static const char *const counts[] = { "active-processes", "idle-processes", "total-processes",
                                              "requests" };
        Json json = { .f = stdout };

        json_begin_array(&json, NULL);
        for (size_t i = 0; i < list->n; i++) {
                const Entry *e = &list->entries[i];

                json_begin_object(&json, NULL);
                json_string(&json, "pool", e->pool);
                json_string(&json, "active", e->service.active);
                json_string(&json, "sub", e->service.sub);
                json_string(&json, "socket-active", e->socket.active);
                json_string(&json, "state", entry_state(e));
                json_string(&json, "php-version", entry_php(e));
                for (size_t j = 0; e->answered && j < ELEMENTSOF(counts); j++)
                        json_number(&json, counts[j], items_number(&e->status.pool, counts[j]));
                json_begin_array(&json, "sockets");
                for (size_t j = 0; j < e->n_listen; j++)
                        json_string(&json, NULL, e->listen[j]);
                json_end_array(&json);
                json_end_object(&json);
        }
        json_end_array(&json);
        json_end_line(&json);
}

/* Lists names, for completion and scripts: no manager is asked, and systemd only if it answers at once. */
static CtlExit print_names(void)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *systemd = NULL;
        _cleanup_(pool_list_clear) PoolList list = {};
        int r;

        if (systemd_connect(&systemd) >= 0)
                (void) sd_bus_set_method_call_timeout(systemd, CALL_LIST_TIMEOUT);
        r = pool_list_find(&list, systemd);
        if (r < 0)
                r = pool_list_find(&list, NULL);
        if (r < 0)
                return ctl_fail(r, "Failed to list the pools: %m");
        for (size_t i = 0; i < list.n; i++)
                ctl_print("%s", list.entries[i].pool);
        return CTL_SUCCESS;
}

CtlExit verb_list(const Options *options, size_t n_args _unused_, char **args _unused_)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *systemd = NULL;
        _cleanup_(pool_list_clear) PoolList list = {};
        int r;

        if (options->names)
                return print_names();
        r = systemd_connect(&systemd);
        if (r < 0)
                return ctl_fail(r, "Failed to connect to systemd: %m");
        r = pool_list_find(&list, systemd);
        if (r >= 0)
                r = pool_list_ask(&list, systemd);
        if (r < 0)
                return ctl_fail(r, "Failed to list the pools: %m");

        (void) ctl_fail_misnamed();
        if (options->json) {
                print_list_json(&list);
                return CTL_SUCCESS;
        }
        r = print_text(&list, !options->no_legend);
        if (r < 0)
                return ctl_fail(r, "Failed to list the pools: %m");
        if (list.error < 0 && !options->no_legend)
                (void) ctl_fail(0, "Pools without figures could not be asked: %s",
                                call_error_text(list.error, NULL));
        return CTL_SUCCESS;
}
