/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl check: reads pool files as the manager would, without a manager, and looks at the files and
 * directories that they name as the pool's user would. Says every error in a line. A line with "warning"
 * is of a path without which the pool starts, but not all of it can work.
 */

#include <unistd.h>

#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/places.h"
#include "ctl/print.h"
#include "ipc/names.h"
#include "poolfile/parse.h"

static void print_errors(const ConfigErrors *errors)
{
        for (size_t i = 0; i < errors->n; i++) {
                _cleanup_(freep) char *text = NULL;

                if (config_error_format(&errors->items[i], &text) >= 0)
                        (void) ctl_fail(0, "%s", text);
        }
}

/* For say_place(), which says what places_check() tells. */
typedef struct Places {
        const char *path; /* of the pool file */
        bool failed;
} Places;

static int say_place(const char *source, const char *name, const char *text, bool fatal, void *userdata)
{
        Places *places = userdata;
        bool of_file = *source == '/';
        _cleanup_(freep) char *line = NULL;

        if (text_format(&line, "%s: %s%s%s%s: %s", of_file ? source : places->path, fatal ? "" : "warning: ",
                        of_file ? "" : source, of_file || !*source ? "" : ": ", name, text) < 0)
                return -ENOMEM;
        (void) ctl_fail(0, "%s", line);
        places->failed = places->failed || fatal;
        return 0;
}

/* Checks the paths of the settings as the pool's user; where the file is no pool's, as the caller. */
static CtlExit check_places(const char *path, const char *pool, const Config *config)
{
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        _cleanup_(freep) char *name = NULL;
        Places places = { .path = path };
        int r = 0;

        if (pool) {
                if (text_format(&name, CTL_UNIT_PREFIX "%s.service", pool) < 0)
                        return ctl_fail(ENOMEM, "Failed to check %s: %m", path);
                r = unit_file_load("", name, &unit);
        }
        if (r >= 0)
                r = places_check(config, unit && unit->found ? unit : NULL, pool ?: "POOL", say_place,
                                 &places);
        if (r < 0)
                return ctl_fail(r, "Failed to check %s: %m", path);
        return places.failed ? CTL_FAILURE : CTL_SUCCESS;
}

/* Checks one file. pool is NULL where the file is no pool's. */
static CtlExit check_pool_file(const char *path, const char *pool)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        CtlExit status;
        int r;

        r = config_parse_pool(path, &config, &errors);
        if (r < 0) {
                print_errors(&errors);
                if (errors.n == 0)
                        return ctl_fail(r, "Failed to check %s: %m", path);
                return CTL_FAILURE;
        }

        status = check_places(path, pool, config);
        if (status == CTL_SUCCESS)
                ctl_print("%s: ok", path);
        return status;
}

static CtlExit check_named_pool(const char *pool)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = ctl_pool_file(pool, &path);
        if (r < 0)
                return ctl_fail(r, "Failed to check pool %s: %m", pool);
        return check_pool_file(path, pool);
}

static CtlExit check_every_pool(void)
{
        CtlExit status = CTL_SUCCESS;
        char **names;
        size_t n;
        int r;

        r = ctl_configured_pools(&names, &n);
        if (r < 0)
                return ctl_fail(r, "Failed to list " CONFIG_DIR ": %m");
        if (n == 0)
                ctl_print("No pool has a file in " CONFIG_DIR ".");
        for (size_t i = 0; i < n; i++)
                status = MAX(status, check_named_pool(names[i]));
        ctl_names_free(names, n);
        if (ctl_fail_misnamed())
                status = CTL_FAILURE;
        return status;
}

/* Checks a path, which may be that of a pool's own file. */
static CtlExit check_path(const char *path)
{
        const char *rest = startswith(path, CONFIG_DIR "/"), *dot = rest ? strrchr(rest, '.') : NULL;
        _cleanup_(freep) char *pool = NULL;

        if (dot && streq(dot, ".conf")) {
                pool = strndup(rest, (size_t) (dot - rest));
                if (!pool)
                        return ctl_fail(ENOMEM, "Failed to check %s: %m", path);
        }
        return check_pool_file(path, pool && pool_name_valid(pool) ? pool : NULL);
}

/*
 * The argument is a file where it has a "/", or where such a file is here and no pool of that name has
 * one.
 */
CtlExit verb_check(const Options *options _unused_, size_t n_args, char **args)
{
        _cleanup_(freep) char *path = NULL;
        const char *name;
        int r;

        if (n_args == 0)
                return check_every_pool();
        if (strchr(args[0], '/'))
                return check_path(args[0]);
        name = ctl_pool_argument(args[0]);
        if (!pool_name_valid(name))
                return access(name, F_OK) >= 0 ? check_pool_file(name, NULL) : ctl_fail_no_pool(name);

        r = ctl_pool_file(name, &path);
        if (r < 0)
                return ctl_fail(r, "Failed to check pool %s: %m", name);
        if (access(path, F_OK) < 0 && errno == ENOENT) {
                if (access(name, F_OK) >= 0)
                        return check_pool_file(name, NULL);
                if (!ctl_pool_exists(name))
                        return ctl_fail_no_pool(name);
        }
        return check_pool_file(path, name);
}
