/* SPDX-License-Identifier: MIT */

/*
 * The part of a pool of PHP-FPM that becomes a drop-in for its service's unit: see internal.h. Pure, but
 * that it asks for users' homes.
 *
 * The unit has values of its own (units/php-pool@.service.in). FPM's defaults are written where they
 * differ from those.
 */

#include <pwd.h>

#include "base/text.h"
#include "ctl/import/internal.h"

/* Directories that the sandbox has read-only, and in which users' pools have their files. */
#define HOMES "/home/"

/* The most of them that stay writable for one pool. */
#define HOMES_MAX 64

/* Paths of the system that PHP itself needs below a root directory of its own. */
static const char root_binds[] = "BindReadOnlyPaths=/usr -/bin -/lib -/lib64 -/etc/php /etc/php-pool\n"
                                 "BindReadOnlyPaths=/etc/passwd /etc/group /etc/nsswitch.conf\n"
                                 "BindReadOnlyPaths=-/etc/hosts -/etc/resolv.conf -/etc/ssl\n"
                                 "BindReadOnlyPaths=/run/systemd/journal -/run/php-pool-sendmail\n";

/* FPM's default group is the user's own; the unit has another. */
static int map_user(ImportPool *p)
{
        const FpmEntry *user = fpm_section_find(p->section, "user");
        const FpmEntry *group = fpm_section_find(p->section, "group");
        _cleanup_(freep) char *user_name = NULL, *group_name = NULL;
        int r;

        if (!user)
                return import_note(p, NULL, true,
                                   "the pool has no user: here it runs as the user of "
                                   "php-pool@.service");
        r = import_account(p, user, ACCOUNT_USER, false, &user_name);
        if (r >= 0 && group)
                r = import_account(p, group, ACCOUNT_GROUP, false, &group_name);
        if (r >= 0)
                r = unit_write_option(p, user, p->service, "User", user_name);
        if (r >= 0 && group)
                return unit_write_option(p, group, p->service, "Group", group_name);
        if (r >= 0)
                fputs("Group=\n", p->service);
        return r;
}

/* The directory that a value names, as a unit takes it. */
static int find_directory(ImportPool *p, const FpmEntry *entry, char **ret)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = import_path(p, entry->value, &path);
        return r < 0 ? r : import_unit_path(p, entry, path, ret);
}

static int map_directories(ImportPool *p)
{
        const FpmEntry *chroot = fpm_section_find(p->section, "chroot");
        const FpmEntry *chdir = fpm_section_find(p->section, "chdir");
        const FpmEntry *prefix = fpm_section_find(p->section, "prefix");
        _cleanup_(freep) char *root = NULL, *directory = NULL;
        int r = 0;

        if (prefix)
                r = import_note(p, prefix, false,
                                "nothing to write: relative paths are made absolute with it");
        if (r >= 0 && chroot) {
                r = find_directory(p, chroot, &root);
                if (r >= 0)
                        r = unit_write_option(p, chroot, p->service, "RootDirectory", root);
                fputs(root_binds, p->service);
                if (r >= 0)
                        r = import_note(p, chroot, true,
                                        "PHP itself starts below RootDirectory= and needs its files "
                                        "there: the drop-in shows it the usual ones, see \"Show a pool only "
                                        "part of the file system\" in php-pool(7)");
        }
        if (r >= 0 && chdir) {
                r = find_directory(p, chdir, &directory);
                if (r >= 0)
                        r = unit_write_option(p, chdir, p->service, "WorkingDirectory", directory);
        }
        return r;
}

/* A limit: the pool's, else FPM's own, which its pools have, too. 0 is no limit that is set. */
static const FpmEntry *find_inherited(ImportPool *p, const char *name)
{
        const FpmEntry *global = fpm_section_find(p->global, name);

        return fpm_section_find(p->section, name) ?: global;
}

static int map_limits(ImportPool *p)
{
        const FpmEntry *files = find_inherited(p, "rlimit_files");
        const FpmEntry *core = find_inherited(p, "rlimit_core");
        const FpmEntry *priority = find_inherited(p, "process.priority");
        long long nice = priority ? fpm_value_integer(priority->value) : 0;

        if (files && fpm_value_integer(files->value) > 0)
                fprintf(p->service, "LimitNOFILE=%lld\n", fpm_value_integer(files->value));
        if (core && strcasecmp(core->value, "unlimited") == 0)
                fputs("LimitCORE=infinity\n", p->service);
        else if (core && fpm_value_integer(core->value) > 0)
                fprintf(p->service, "LimitCORE=%lld\n", fpm_value_integer(core->value));
        if (priority && (nice < -19 || nice > 20))
                return import_fail(p->import, priority->file, priority->line,
                                   "process.priority: must be from -19 to 20, not %lld", nice);
        if (priority)
                fprintf(p->service, "Nice=%lld\n", MIN(nice, 19LL));
        return 0;
}

/* Appends /home/NAME to the list, which ends with NULL, for a path in there. 0 or -ENOMEM. */
static int add_home(const char *path, char *homes[static HOMES_MAX + 1])
{
        size_t n = strlen(HOMES), i = 0;

        if (!startswith(path, HOMES) || path[n] == '.')
                return 0;
        n += strspn(path + n, UNIT_NAME_CHARACTERS ".-");
        if (n == strlen(HOMES) || (path[n] && !strchr("/:", path[n])))
                return 0;
        for (; homes[i]; i++)
                if (strncmp(homes[i], path, n) == 0 && !homes[i][n])
                        return 0;
        if (i == HOMES_MAX)
                return 0;
        homes[i] = strndup(path, n);
        return homes[i] ? 0 : -ENOMEM;
}

/* Each of the paths in a value, which may be several as in open_basedir. */
static int add_homes(const char *value, char *homes[static HOMES_MAX + 1])
{
        int r;

        r = add_home(value, homes);
        for (const char *p = value; r >= 0 && (p = strchr(p, ':'));)
                r = add_home(++p, homes);
        return r;
}

static int write_homes(ImportPool *p, char *const *homes)
{
        for (; *homes; homes++) {
                int r;

                fprintf(p->service, "ReadWritePaths=-%s\n", *homes);
                r = import_note(p, NULL, false,
                                "%s stays writable by ReadWritePaths=: the sandbox has /home read-only",
                                *homes);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The sandbox keeps pools from writing below /home; FPM's pools write there where their user may. */
static int map_homes(ImportPool *p)
{
        const FpmEntry *user = fpm_section_find(p->section, "user");
        const struct passwd *pw = user ? getpwnam(user->value) : NULL;
        char *homes[HOMES_MAX + 1] = {};
        int r = 0;

        /* Inside a root of its own, /home is another one. */
        if (fpm_section_find(p->section, "chroot"))
                return 0;
        if (pw)
                r = add_homes(pw->pw_dir, homes);
        for (size_t i = 0; i < p->section->n_entries && r >= 0; i++)
                r = add_homes(p->section->entries[i].value, homes);
        if (r >= 0)
                r = write_homes(p, homes);
        for (size_t i = 0; homes[i]; i++)
                free(homes[i]);
        return r;
}

/* The directives of PHP-FPM's unit come first: those of the pool's file prevail. */
static int write_unit(ImportPool *p)
{
        _cleanup_(freep) char *unit = NULL;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        r = import_unit(p, "Unit", text.f);
        r = text_close(&text, r, &unit);
        if (r < 0)
                return r;
        if (*unit)
                fprintf(p->service, "[Unit]\n%s\n", unit);
        fputs("[Service]\n", p->service);
        r = import_unit(p, "Service", p->service);
        return r < 0 ? r : import_unit_rest(p);
}

int import_service(ImportPool *p)
{
        int r;

        r = write_unit(p);
        if (r >= 0)
                r = map_user(p);
        if (r >= 0)
                r = map_directories(p);
        if (r >= 0)
                r = map_homes(p);
        if (r >= 0)
                r = map_limits(p);
        return r < 0 ? r : import_environment(p);
}
