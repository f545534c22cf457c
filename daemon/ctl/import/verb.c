/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl import: writes the files that do here what a PHP-FPM configuration does there, and tells
 * each line that is not the same here. import-map.c decides what is written where, import-files.c writes
 * it; this file says what has happened. No unit is touched.
 */

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "config/php.h"
#include "ctl/ctl.h"
#include "ctl/import/fpm-version.h"
#include "ctl/import/import-files.h"
#include "ctl/import/import-hooks.h"
#include "ctl/systemd.h"

/* Lines go where they can be told from the files: --dry-run writes these to standard output. */
static int print_notes(const Import *import)
{
        for (size_t i = 0; i < import->n_notes; i++) {
                _cleanup_(freep) char *text = NULL;
                int r;

                r = import_note_format(&import->notes[i], &text);
                if (r < 0)
                        return r;
                (void) ctl_fail(0, "%s", text);
        }
        return 0;
}

/* The value that was asked for last. */
typedef struct Environment {
        const UnitFile *unit;
        char *value;
} Environment;

static const char *get_variable(const char *name, void *userdata)
{
        Environment *environment = userdata;

        free(TAKE_PTR(environment->value));
        (void) import_unit_variable(environment->unit, name, &environment->value);
        return environment->value;
}

/* Loads and maps the file, with PHP-FPM's unit; says what is wrong with it. */
static int load_and_map(const char *path, FpmConfig **ret_fpm, UnitFile **ret_unit, Import **ret)
{
        _cleanup_(freep) char *error = NULL, *directory = NULL, *absolute = NULL;
        Environment environment = {};
        PhpVersion php = "";
        const char *version;
        size_t n;
        int r;

        /* Where it is says which php.ini goes with it. */
        directory = *path == '/' ? strdup("") : getcwd(NULL, 0);
        if (!directory || text_format(&absolute, "%s%s%s", directory, *directory ? "/" : "", path) < 0)
                r = -ENOMEM;
        else
                r = import_find_unit("", absolute, ret_unit);
        environment.unit = *ret_unit;
        version = fpm_unit_version(*ret_unit, &n);
        if (version)
                (void) snprintf(php, sizeof php, "%.*s", (int) n, version);
        else
                (void) php_find(php_directory(), "", &php);
        if (r >= 0)
                r = fpm_config_load(absolute, &(FpmEnvironment){ get_variable, &environment, php }, ret_fpm,
                                    &error);
        free(environment.value);
        if (r >= 0)
                r = import_map(*ret_fpm, *ret_unit, true, ret, &error);
        if (r < 0)
                (void) ctl_fail(r, error ? "%s" : "Failed to import %s: %m", error ?: path);
        return r;
}

/* How the pools of the file are taken out of PHP-FPM. */
static void print_stop(const FpmConfig *fpm)
{
        size_t n = 0;
        const char *version = fpm_file_version(fpm->files[0], &n);

        if (fpm->sections[0].line == 0)
                printf("  # Now stop PHP-FPM, or take these pools out of it and have their sockets gone.\n");
        else if (version)
                printf("  systemctl disable --now php%.*s-fpm.service\n", (int) n, version);
        else
                printf("  # Now stop PHP-FPM.\n");
}

/* The pools have the php.ini and the conf.d of PHP-FPM's package, which go with it. */
static void print_keep(const Import *import)
{
        PhpVersion version;
        size_t n = 0;
        const char *found = fpm_file_version(import->fpm->files[0], &n);

        found = found ?: fpm_unit_version(import->unit, &n);
        if (!found || n >= sizeof version)
                return;
        (void) snprintf(version, sizeof version, "%.*s", (int) n, found);
        if (php_version_valid(version) && php_version_supported(version))
                printf("  # Leave the package php%s-fpm installed: php.ini and conf.d of these pools are "
                       "its.\n",
                       version);
}

/*
 * Pools whose socket is there already, where it was before: systemd closes it at the daemon-reload for an
 * address that it has not any more, and does not open the other one until the unit starts again.
 */
static void print_running(const FpmConfig *fpm)
{
        const char *begin = "  # These are there already, where they listened before.\n  systemctl stop";
        sd_bus *bus = NULL;
        bool any = false;

        if (systemd_connect(&bus) < 0)
                return;
        for (size_t i = 1; i < fpm->n_sections; i++) {
                const char *pool = fpm->sections[i].name;
                UnitState state = {};

                if (systemd_unit_state(bus, pool, ".socket", &state) >= 0 && streq(state.active, "active")) {
                        printf("%s php-pool@%s.socket php-pool@%s.service", any ? "" : begin, pool, pool);
                        any = true;
                }
                unit_state_clear(&state);
        }
        if (any)
                printf("\n");
        sd_bus_flush_close_unref(bus);
}

/* A status socket comes first: it cannot be started while the service of its pool runs. */
static void print_next(const Import *import, FpmConfig *fpm)
{
        if (fpm->sections[0].line == 0)
                printf("\nIt has no [global]: php-fpm.conf may say more, and includes this file.");
        printf("\nNext, see FROM PHP-FPM in php-pool(7):\n"
               "  php-poolctl check\n");
        print_running(fpm);
        printf("  systemctl daemon-reload\n");
        print_stop(fpm);
        print_keep(import);
        printf("  # Scripts that reload PHP-FPM say \"systemctl reload php-pool.service\" from then on.\n"
               "  systemctl enable --now php-pool.service");
        for (size_t i = 1; i < fpm->n_sections; i++) {
                if (fpm_section_find(&fpm->sections[i], "pm.status_listen"))
                        printf(" php-pool-status@%s.socket", fpm->sections[i].name);
                printf(" php-pool@%s.socket", fpm->sections[i].name);
        }
        printf("\n");
}

CtlExit verb_import(const Options *options, size_t n_args _unused_, char **args)
{
        const char *output = options->output ?: "";
        _cleanup_(fpm_config_freep) FpmConfig *fpm = NULL;
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        _cleanup_(import_freep) Import *import = NULL;
        int hooks;

        if (load_and_map(args[0], &fpm, &unit, &import) < 0)
                return CTL_FAILURE;
        if (options->dry_run)
                import_print_files(import, output);
        else if (import_write_files(import, output, options->force) < 0)
                return CTL_FAILURE;

        if (print_notes(import) < 0)
                return ctl_fail(ENOMEM, "Failed to import %s: %m", args[0]);
        hooks = import_print_hooks("");
        if (hooks < 0)
                return ctl_fail(hooks, "Failed to look for deploy hooks: %m");
        if (!options->dry_run)
                print_next(import, fpm);
        return import->lost || hooks > 0 ? CTL_INCOMPLETE : CTL_SUCCESS;
}
