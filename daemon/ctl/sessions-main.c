/* SPDX-License-Identifier: MIT */

/*
 * php-pool-sessions: runs before Debian's sessionclean (phpsessionclean.service), which knows the php.ini
 * of PHP-FPM, Apache and others, and that of no pool. It makes the session files of each pool live as long
 * as the pool's php.ini says: it gives a file that a pool still wants a new time of change, by which
 * sessionclean leaves it, and it cleans a directory that is a pool's own itself, since Debian has PHP's
 * own cleaning off.
 *
 * Only a child with a bound in time touches what belongs to a user: sessionclean waits for this program,
 * and so does the next pool.
 */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"
#include "ctl/child.h"
#include "ctl/ctl.h"
#include "ctl/ini-values.h"
#include "ctl/probe.h"
#include "ctl/sandbox.h"
#include "ctl/sessions.h"
#include "poolfile/parse.h"

/* PHP's own default. */
#define LIFETIME_DEFAULT 1440

/* How long the kernel may take to say what a directory is, and how long all of its files may take. */
#define RESOLVE_MSEC 5000
#define TEND_MSEC (5 * 60 * 1000)

/* The most pools that are looked at. */
#define SESSIONS_MAX 4096

/* How long a user's files in a directory live. Pools that share both have the longest of their times. */
typedef struct Sessions {
        char directory[PATH_MAX];
        uid_t uid;
        uint64_t seconds;
        bool clean;
} Sessions;

typedef struct SessionsList {
        Sessions *items;
        size_t n;
} SessionsList;

static int add_sessions(SessionsList *list, const Sessions *wanted)
{
        Sessions *items;

        for (size_t i = 0; i < list->n; i++) {
                Sessions *s = &list->items[i];

                if (s->uid == wanted->uid && streq(s->directory, wanted->directory)) {
                        s->seconds = MAX(s->seconds, wanted->seconds);
                        s->clean = s->clean && wanted->clean;
                        return 0;
                }
        }
        if (list->n == SESSIONS_MAX)
                return -E2BIG;
        items = reallocarray(list->items, list->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        list->items = items;
        items[list->n++] = *wanted;
        return 0;
}

/* A value as a number, or the given number where it is not there. */
static uint64_t get_number(const IniValues *values, const char *name, uint64_t otherwise)
{
        const IniValue *v = ini_values_find(values, name);
        uint64_t n;

        return v && v->value && parse_u64(v->value, &n) >= 0 ? n : otherwise;
}

/* Finds the directory's path without links, and whether it can be read. 0 or a positive errno value. */
static int look_at_directory(const char *path, char *ret)
{
        DIR *d;

        if (!realpath(path, ret))
                return errno;
        d = opendir(ret);
        if (!d)
                return errno;
        errno = 0;
        (void) readdir(d);
        return errno;
}

/* The directory's path without links, as realpath(3), of one that answers in time. 0 or -errno. */
static int resolve_in_time(const char *path, char ret[static PATH_MAX])
{
        char *there;
        pid_t pid;
        int r;

        there = mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (there == MAP_FAILED)
                return -errno;
        pid = fork();
        if (pid == 0)
                _exit(look_at_directory(path, there));
        r = pid < 0 ? -errno : child_wait(pid, RESOLVE_MSEC);
        if (r >= 0)
                memcpy(ret, there, PATH_MAX);
        (void) munmap(there, PATH_MAX);
        return r;
}

/* The directory as the machine sees it: 1; 0 where there is none to tend; -ETIMEDOUT. */
static int find_session_directory(const UnitFile *unit, const char *pool, const char *path,
                                  char ret[static PATH_MAX])
{
        char place[2 * PATH_MAX];
        Sandbox sandbox;
        int r;

        if (*path != '/' || sandbox_judge(unit, pool, path, &sandbox) < 0 ||
            sandbox.verdict == SANDBOX_ELSEWHERE)
                return 0;
        if (sandbox.verdict == SANDBOX_OWN && !*sandbox.there)
                return 0;
        (void) snprintf(place, sizeof place, "%s%s", sandbox.verdict == SANDBOX_OWN ? sandbox.there : "",
                        sandbox.verdict == SANDBOX_OWN ? path + strlen(sandbox.by) : path);
        r = resolve_in_time(place, ret);
        if (r < 0)
                return r == -ETIMEDOUT ? r : 0;
        return 1;
}

static int add_values(SessionsList *list, const char *pool, const UnitFile *unit,
                      const ProbeAccount *account, const IniValues *values)
{
        const IniValue *path = ini_values_find(values, "session.save_path");
        Sessions s = { .uid = account->uid,
                       .seconds = get_number(values, "session.gc_maxlifetime", LIFETIME_DEFAULT) };
        int r;

        /* A value with a variable of the environment is not known here. */
        if (path && !path->value)
                return 0;
        r = find_session_directory(unit, pool,
                                   ini_values_session_path(values, path && *path->value ? path->value
                                                                                        : SESSIONS_DEFAULT),
                                   s.directory);
        if (r <= 0)
                return r;
        s.clean = !streq(s.directory, SESSIONS_DEFAULT) &&
                  get_number(values, "session.gc_probability", 1) == 0;
        return add_sessions(list, &s);
}

/*
 * Adds the sessions of a pool; a pool whose user is not known is left out. -EINVAL where the pool's file
 * is wrong.
 */
static int add_pool(SessionsList *list, const char *pool)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        _cleanup_(ini_values_clear) IniValues values = {};
        _cleanup_(account_clear) ProbeAccount account = {};
        _cleanup_(freep) char *path = NULL, *name = NULL;
        int r;

        r = text_format(&name, CTL_UNIT_PREFIX "%s.service", pool);
        if (r >= 0)
                r = ctl_pool_file(pool, &path);
        if (r >= 0)
                r = config_parse_file(path, &config, &errors);
        if (r >= 0)
                r = unit_file_load("", name, &unit);
        if (r >= 0)
                r = account_find(unit_file_get(unit, "Service", "User"), "", "", &account);
        if (r >= 0 && account.known)
                r = ini_values_load("", config, &values);
        if (r >= 0 && account.known)
                r = add_values(list, pool, unit, &account, &values);
        return r;
}

/*
 * A pool that cannot be looked at does not keep the others from their sessions. php-poolctl check says
 * more.
 */
static int add_pool_or_tell(SessionsList *list, const char *pool)
{
        int r;

        r = add_pool(list, pool);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                (void) ctl_fail(r, "The sessions of pool %s are left out, see \"php-poolctl check %s\": %m",
                                pool, pool);
        return 0;
}

static int find_all(SessionsList *list)
{
        char **names;
        size_t n;
        int r;

        r = ctl_configured_pools(&names, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_pool_or_tell(list, names[i]);
        ctl_names_free(names, n);
        return r;
}

/* Looks after one directory. 0 or -errno; -ETIMEDOUT leaves open how many files were touched. */
static int tend_sessions(const Sessions *s)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(-sessions_tend(s->directory, s->uid, s->seconds, s->clean));
        return pid < 0 ? -errno : child_wait(pid, TEND_MSEC);
}

int main(void)
{
        SessionsList list = {};
        int r;

        r = find_all(&list);
        for (size_t i = 0; r >= 0 && i < list.n; i++) {
                const Sessions *s = &list.items[i];
                int q = tend_sessions(s);

                if (q < 0)
                        (void) ctl_fail(q, "Failed to look at the sessions in %s: %m", s->directory);
        }
        free(list.items);
        return r < 0 ? (int) ctl_fail(r, "Failed to find the pools' sessions: %m") : EXIT_SUCCESS;
}
