/* SPDX-License-Identifier: MIT */

/*
 * Questions to systemd about the units of pools: see systemd.h. Nothing is changed. systemd loads a unit
 * when its properties are asked for, so a unit that was never started has a state too.
 */

#include "ctl/systemd.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/ctl.h"
#include "ipc/names.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_PRIVATE "unix:path=/run/systemd/private"

void unit_state_clear(UnitState *state)
{
        free(state->active);
        free(state->sub);
        *state = (UnitState) {};
}

static int connect_private(sd_bus **ret)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, SYSTEMD_PRIVATE);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

int systemd_connect(sd_bus **ret)
{
        int r;

        r = sd_bus_open_system(ret);
        if (r < 0 && geteuid() == 0 && connect_private(ret) >= 0)
                return 0;
        return r < 0 ? r : 0;
}

/* "www" of "php-pool@www.service", a new string; NULL for what is no pool's unit. */
static char *pool_of_unit(const char *unit)
{
        const char *name = startswith(unit, CTL_UNIT_PREFIX), *dot = strrchr(unit, '.');
        char *pool;

        if (!name || !dot || dot <= name)
                return NULL;
        pool = strndup(name, (size_t) (dot - name));
        if (pool && !pool_name_valid(pool)) {
                free(pool);
                return NULL;
        }
        return pool;
}

int systemd_each_pool(sd_bus *bus, OnPool *on_pool, void *userdata)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        const char *unit, *load, *active;
        int r;

        r = sd_bus_message_new_method_call(bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_NAME ".Manager",
                                           "ListUnitsByPatterns");
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "asas", 0, 2, CTL_UNIT_PREFIX "*.service",
                                  CTL_UNIT_PREFIX "*.socket");
        if (r < 0)
                return r;
        r = sd_bus_call(bus, call, 0, NULL, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, &load, &active, NULL, NULL, NULL,
                                        NULL, NULL, NULL)) > 0) {
                _cleanup_(freep) char *pool = pool_of_unit(unit);

                if (!pool || (streq(load, "not-found") && streq(active, "inactive")))
                        continue;
                r = on_pool(pool, userdata);
                if (r < 0)
                        return r;
        }
        return r;
}

/* The object path of a unit, a new string. */
static int unit_path(const char *pool, const char *suffix, char **ret)
{
        _cleanup_(freep) char *unit = NULL;

        if (text_format(&unit, CTL_UNIT_PREFIX "%s%s", pool, suffix) < 0)
                return -ENOMEM;
        return sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, ret);
}

int systemd_unit_state(sd_bus *bus, const char *pool, const char *suffix, UnitState *ret)
{
        _cleanup_(unit_state_clear) UnitState state = {};
        _cleanup_(freep) char *path = NULL;
        int r;

        assert(*suffix == '.');

        r = unit_path(pool, suffix, &path);
        if (r < 0)
                return r;
        r = sd_bus_get_property_string(bus, SYSTEMD_NAME, path, SYSTEMD_NAME ".Unit", "ActiveState", NULL,
                                       &state.active);
        if (r < 0)
                return r;
        r = sd_bus_get_property_string(bus, SYSTEMD_NAME, path, SYSTEMD_NAME ".Unit", "SubState", NULL,
                                       &state.sub);
        if (r < 0)
                return r;
        *ret = TAKE_GENERIC(state, ((UnitState) {}));
        return 0;
}

bool systemd_pool_rests(const char *pool)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(unit_state_clear) UnitState state = {};

        if (systemd_connect(&bus) < 0 || systemd_unit_state(bus, pool, ".service", &state) < 0)
                return false;
        return !streq(state.active, "active") && !streq(state.active, "reloading");
}

bool systemd_pool_is_retried(sd_bus *bus, const char *pool)
{
        _cleanup_(unit_state_clear) UnitState state = {};

        if (!bus || systemd_unit_state(bus, pool, ".service", &state) < 0)
                return false;
        return startswith(state.sub, "auto-restart") != NULL; /* from 254 on also "auto-restart-queued" */
}

bool systemd_pool_is_starting(sd_bus *bus, const char *pool)
{
        _cleanup_(unit_state_clear) UnitState state = {};

        if (!bus || systemd_unit_state(bus, pool, ".service", &state) < 0)
                return false;
        return streq(state.active, "activating");
}

/* Reads a(ss): what kind of socket, and its address. What was read stays in the list after an error. */
static int read_listen(sd_bus_message *m, char ***addresses, size_t *n)
{
        const char *address;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ss)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(ss)", NULL, &address)) > 0) {
                char **list;

                list = reallocarray(*addresses, *n + 1, sizeof *list);
                if (!list)
                        return -ENOMEM;
                *addresses = list;
                list[*n] = strdup(address);
                if (!list[*n])
                        return -ENOMEM;
                (*n)++;
        }
        return r;
}

int systemd_listen(sd_bus *bus, const char *pool, char ***ret_addresses, size_t *ret_n)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *path = NULL;
        char **addresses = NULL;
        size_t n = 0;
        int r;

        r = unit_path(pool, ".socket", &path);
        if (r < 0)
                return r;
        r = sd_bus_get_property(bus, SYSTEMD_NAME, path, SYSTEMD_NAME ".Socket", "Listen", NULL, &reply,
                                "a(ss)");
        if (r < 0)
                return r;
        r = read_listen(reply, &addresses, &n);
        if (r < 0) {
                ctl_names_free(addresses, n);
                return r;
        }
        *ret_addresses = addresses;
        *ret_n = n;
        return 0;
}
