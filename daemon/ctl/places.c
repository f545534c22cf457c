/* SPDX-License-Identifier: MIT */

/*
 * Checks the files and directories that a pool's settings name: see places.h. sandbox.c says what the unit
 * makes of a path, probe.c what the user may do there; this file puts that into sentences that say what to
 * write.
 */

#include "ctl/places.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"
#include "config/php.h"
#include "ctl/ini-values.h"
#include "ctl/probe.h"
#include "ctl/sandbox.h"

typedef struct Search {
        const UnitFile *unit;
        const char *pool;
        ProbeAccount account;
        OnPlace *on_place;
        void *userdata;
} Search;

/* A path that a setting names. */
typedef struct PoolPlace {
        const char *source, *name, *path;
        Need need;
        bool fatal, own;
} PoolPlace;

static int tell_place(const Search *s, const PoolPlace *place, bool fatal, const char *format, ...)
                _printf_(4, 5);
static int tell_place(const Search *s, const PoolPlace *place, bool fatal, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL, *whole = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vformat(&text, format, ap);
        va_end(ap);
        if (r < 0)
                return r;
        if (text_format(&whole, "%s %s", place->path, text) < 0)
                return -ENOMEM;
        return s->on_place(place->source, place->name, whole, fatal, s->userdata);
}

static bool is_write(Need need)
{
        return need == NEED_WRITE_FILE || need == NEED_WRITE_DIRECTORY;
}

/* The path with links resolved, as far as it exists. */
static void resolve_links(const char *path, char ret[static PATH_MAX])
{
        char part[PATH_MAX], real[PATH_MAX];
        size_t n = strlen(path);

        (void) snprintf(ret, PATH_MAX, "%s", path);
        while (n > 0) {
                (void) snprintf(part, sizeof part, "%.*s", (int) n, path);
                if (realpath(part, real)) {
                        (void) snprintf(ret, PATH_MAX, "%s%s", streq(real, "/") && path[n] ? "" : real,
                                        path + n);
                        return;
                }
                while (n > 0 && path[--n] != '/')
                        ;
        }
}

/* What the user may there. */
static int tell_access(const Search *s, const PoolPlace *place, const char *path)
{
        const char *user = s->account.user ?: "the pool's user";
        int r = probe_path(&s->account, path, place->need);

        switch (-r) {
        case 0:
                return 0;
        case ENOENT:
                if (place->need == NEED_WRITE_DIRECTORY && s->account.user)
                        return tell_place(s, place, place->fatal,
                                          "is not there; make it: install -d -o %s -g %s -m 0700 %s", user,
                                          s->account.group, path);
                if (place->need == NEED_WRITE_FILE && s->account.user)
                        return tell_place(s, place, place->fatal,
                                          "is not there, nor is its directory; make that: install -d -o %s "
                                          "-g %s -m 0700 %.*s",
                                          user, s->account.group, (int) (strrchr(path, '/') - path), path);
                return tell_place(s, place, place->fatal, "is not there%s",
                                  place->need == NEED_WRITE_FILE ? ", nor is its directory" : "");
        case ENOTDIR:
                return tell_place(s, place, place->fatal, "is no directory");
        case EISDIR:
                return tell_place(s, place, place->fatal, "is a directory");
        case EROFS:
                return tell_place(s, place, place->fatal, "is on a file system that is read-only");
        case EACCES:
                return tell_place(s, place, place->fatal,
                                  "cannot be %s by %s; give it to that user, or: setfacl -m u:%s:%s %s",
                                  is_write(place->need) ? "written" : "read", user, user,
                                  is_write(place->need) ? "rwx" : "rX", path);
        default:
                return tell_place(s, place, place->fatal, "cannot be used: %s", strerror(-r));
        }
}

/* The pool's own directory has none of the machine's files in it. */
static int tell_own(const Search *s, const PoolPlace *place, const char *path, const Sandbox *sandbox)
{
        const char *rest = path + strlen(sandbox->by);
        char there[2 * PATH_MAX];
        struct stat st;

        (void) snprintf(there, sizeof there, "%s%s", sandbox->there, rest);
        if (*rest && *sandbox->there && lstat(there, &st) < 0 && errno == ENOENT &&
            place->need != NEED_WRITE_FILE)
                return tell_place(s, place, false,
                                  "is in the pool's own %s, where it is not there; make it in %s, or have "
                                  "the machine's by an empty BindPaths= in a drop-in of php-pool@%s.service",
                                  sandbox->by, *sandbox->there ? there : "it", s->pool);
        if (!is_write(place->need) || place->own)
                return 0;
        return tell_place(s, place, false,
                          "is in the pool's own %s: other programs find it %s%s, and the pool finds nothing "
                          "of theirs there",
                          sandbox->by, *sandbox->there ? "as " : "nowhere", *sandbox->there ? there : "");
}

/* Directories of the unit's own are made when it starts. */
static bool is_made_later(const Search *s, const PoolPlace *place, const char *path)
{
        static const char *const parents[] = { "/run/php-pool/", "/var/cache/php-pool/",
                                               "/var/log/php-pool/" };
        char own[PATH_MAX];
        struct stat st;

        for (size_t i = 0; i < ELEMENTSOF(parents); i++) {
                const char *rest;

                (void) snprintf(own, sizeof own, "%s%s", parents[i], s->pool);
                rest = startswith(path, own);
                if (rest && (!*rest || *rest == '/') && stat(own, &st) < 0 && is_write(place->need))
                        return true;
        }
        return false;
}

/* php-poolctl would look at its own descriptors by such a name. */
static bool is_descriptor(const char *path)
{
        return streq(path, "/dev/stdin") || streq(path, "/dev/stdout") || streq(path, "/dev/stderr") ||
               startswith(path, "/dev/fd/") || startswith(path, "/proc/self/");
}

/* PHP logs to where it would without error_log when it cannot open that: to the journal, as is wanted. */
static int tell_descriptor(const Search *s, const PoolPlace *place)
{
        if (streq(place->name, "error_log"))
                return 0;
        if (streq(place->name, "access.log"))
                return tell_place(s, place, false,
                                  "is no file; write \"journal\" for records in the journal");
        return tell_place(s, place, false,
                          "is no file: standard error of a pool is a socket of the journal, which cannot be "
                          "opened by a name");
}

static int check_place(const Search *s, const PoolPlace *place)
{
        Sandbox sandbox = { .verdict = SANDBOX_OPEN };
        char path[PATH_MAX];
        int r;

        if (*place->path != '/' || strlen(place->path) >= PATH_MAX)
                return 0;
        if (is_descriptor(place->path))
                return tell_descriptor(s, place);
        resolve_links(place->path, path);
        if (s->unit) {
                r = sandbox_judge(s->unit, s->pool, path, &sandbox);
                if (r < 0)
                        return r;
        }
        switch (sandbox.verdict) {
        case SANDBOX_ELSEWHERE:
                return 0;
        case SANDBOX_OWN:
                return tell_own(s, place, path, &sandbox);
        case SANDBOX_HIDDEN:
                return tell_place(s, place, place->fatal, "is not to be seen: the sandbox hides %s",
                                  sandbox.by);
        case SANDBOX_READ_ONLY:
                if (is_write(place->need))
                        return tell_place(s, place, place->fatal,
                                          "cannot be written: the sandbox has %s read-only; write "
                                          "ReadWritePaths=%s to a drop-in "
                                          "of php-pool@%s.service",
                                          sandbox.by, path, s->pool);
                break;
        default:
                break;
        }
        return is_made_later(s, place, path) ? 0 : tell_access(s, place, path);
}

/* From PHP 8.3 on, opcache's lock is in memory wherever the kernel has files of it. */
static bool starts_without(const char *php, const char *name)
{
        return streq(name, "opcache.lockfile_path") && version_at_least(php, 8, 3);
}

static int check_values(const Search *s, const IniValues *values, const char *php)
{
        static const struct {
                const char *name;
                Need need;
                bool fatal, own;
        } places[] = {
#define PLACE(name, need, fatal, own) { name, NEED_##need, fatal, own },
#include "ctl/places.def"
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(places) && r >= 0; i++) {
                const IniValue *v = ini_values_find(values, places[i].name);
                PoolPlace place = { "",
                                    places[i].name,
                                    "",
                                    places[i].need,
                                    places[i].fatal && !starts_without(php, places[i].name),
                                    places[i].own };

                if (!v || !v->value)
                        continue;
                place.source = v->source;
                place.path = streq(v->name, "session.save_path") ? ini_values_session_path(values, v->value)
                                                                 : v->value;
                r = check_place(s, &place);
        }
        return r;
}

/* A reload is refused for an extension that is not there: a path, or a name, with ".so" or without. */
static int check_extension(const Search *s, const IniValue *extension, const char *directory)
{
        const char *suffix = strrchr(extension->value, '.');
        char path[PATH_MAX];
        struct stat st;

        if (!*extension->value ||
            snprintf(path, sizeof path, "%s%s%s", strchr(extension->value, '/') ? "" : directory,
                     strchr(extension->value, '/') ? "" : "/", extension->value) >= PATH_MAX)
                return 0;
        if (!strchr(extension->value, '/') && !(suffix && streq(suffix, ".so")) && stat(path, &st) < 0 &&
            strlen(path) + sizeof ".so" <= sizeof path)
                (void) strcat(path, ".so");
        /* There are many extensions, all from packages, so no child is asked for a file that exists. */
        if (stat(path, &st) >= 0)
                return 0;
        return check_place(s, &(PoolPlace){ extension->source, extension->name, path, NEED_READ_FILE, true,
                                            false });
}

/*
 * The directory of the pool's PHP for extensions, unless extension_dir says otherwise; "" where it is not
 * known.
 */
static int find_extensions(const Config *config, char ret[static PATH_MAX])
{
        _cleanup_(freep) char *link = NULL;
        ssize_t n;
        int r;

        *ret = 0;
        if (!*config->php_version)
                return 0;
        r = php_extensions_path(php_directory(), config->php_version, &link);
        if (r < 0)
                return r;
        n = readlink(link, ret, PATH_MAX - 1);
        ret[MAX(n, 0)] = 0;
        return 0;
}

static int check_extensions(const Search *s, const Config *config, const IniValues *values)
{
        const IniValue *setting = ini_values_find(values, "extension_dir");
        char own[PATH_MAX];
        const char *directory = setting ? setting->value : own;
        int r;

        r = find_extensions(config, own);
        if (r < 0 || !directory || *directory != '/')
                return r;
        for (size_t i = 0; i < values->n && r >= 0; i++) {
                const IniValue *v = &values->items[i];

                if (v->value &&
                    (strcasecmp(v->name, "extension") == 0 || strcasecmp(v->name, "zend_extension") == 0))
                        r = check_extension(s, v, directory);
        }
        return r;
}

/* A path of Debian's for another PHP than the pool's: it loads extensions and sets what that PHP has. */
static int check_version(const Search *s, const PoolPlace *place, const char *php)
{
        const char *version = startswith(place->path, "/etc/php/");
        size_t n = version ? strcspn(version, "/") : 0;
        _cleanup_(freep) char *other = strndup(version ?: "", n);

        if (!other)
                return -ENOMEM;
        if (!*php || !php_version_valid(other) || streq(other, php))
                return 0;
        return tell_place(s, place, false,
                          "is of PHP %s, and the pool runs PHP %s: /etc/php/%s%s would be that one's", other,
                          php, php, version + n);
}

/* The files and directories that PHP reads its settings from. */
static int check_ini(const Search *s, const Config *config, const PoolPlace *place)
{
        int r = check_place(s, place);

        return r < 0 ? r : check_version(s, place, config->php_version);
}

static int check_scan_dirs(const Search *s, const Config *config)
{
        int r = 0;

        for (const char *p = config->php_ini_scan_dir; p && r >= 0;
             p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof path, "%.*s", (int) MIN(strcspn(p, ":"), sizeof path - 1), p);
                r = check_ini(s, config,
                              &(PoolPlace){ "", "php.ini_scan_dir", path, NEED_READ_DIRECTORY, false,
                                            false });
        }
        return r;
}

/* Files that the pool file names: without them, a reload is refused. */
static int check_settings(const Search *s, const Config *config)
{
        struct stat st;
        bool directory = stat(config->php_ini, &st) >= 0 && S_ISDIR(st.st_mode);
        int r;

        r = check_ini(s, config,
                      &(PoolPlace){ "", "php.ini", config->php_ini,
                                    directory ? NEED_READ_DIRECTORY : NEED_READ_FILE, true, false });
        if (r >= 0)
                r = check_scan_dirs(s, config);
        if (r >= 0)
                r = check_place(s, &(PoolPlace){ "", "security.script_root", config->security_script_root,
                                                 NEED_READ_DIRECTORY, true, false });
        if (r >= 0)
                r = check_place(s, &(PoolPlace){ "", "access.log", config->access_log, NEED_WRITE_FILE, true,
                                                 false });
        for (char **script = config->reload_warmup; *script && r >= 0; script++)
                r = check_place(s,
                                &(PoolPlace){ "", "reload.warmup", *script, NEED_READ_FILE, true, false });
        return r;
}

static int check_unit(const Search *s)
{
        const char *directory;

        if (!s->unit)
                return 0;
        directory = unit_file_get(s->unit, "Service", "WorkingDirectory");
        if (strchr(directory, '%'))
                return 0;
        return check_place(s, &(PoolPlace){ "", "WorkingDirectory=", directory, NEED_READ_DIRECTORY, true,
                                            false });
}

int places_check(const Config *config, const UnitFile *unit, const char *pool, OnPlace *on_place,
                 void *userdata)
{
        _cleanup_(ini_values_clear) IniValues values = {};
        Search s = { .unit = unit, .pool = pool, .on_place = on_place, .userdata = userdata };
        int r = 0;

        assert(on_place);

        if (unit)
                r = account_find(unit_file_get(unit, "Service", "User"),
                                 unit_file_get(unit, "Service", "Group"),
                                 unit_file_get(unit, "Service", "SupplementaryGroups"), &s.account);
        if (r >= 0)
                r = check_settings(&s, config);
        if (r >= 0)
                r = check_unit(&s);
        if (r >= 0)
                r = ini_values_load("", config, &values);
        if (r >= 0 && values.error)
                r = on_place("", "php.ini", values.error, true, userdata);
        if (r >= 0)
                r = check_values(&s, &values, config->php_version);
        if (r >= 0)
                r = check_extensions(&s, config, &values);
        account_clear(&s.account);
        return r;
}
