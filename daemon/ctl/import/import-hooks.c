/* SPDX-License-Identifier: MIT */

/*
 * Deploy hooks: see import-hooks.h. After a move, "systemctl reload php8.2-fpm" fails or does nothing,
 * often where nobody sees it. Files are searched as text: this code does not know what a line of it does,
 * so it only tells the line.
 */

#include "ctl/import/import-hooks.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "ctl/ctl.h"

/* Bounds: bytes of a file, as a larger one is no script, and lines that are told. */
#define HOOK_SIZE_MAX (256U * 1024U)
#define HOOKS_MAX 200

static const char *const places[] = {
        "/etc/crontab",
        "/etc/anacrontab",
        "/etc/cron.*/*",
        "/var/spool/cron/crontabs/*",
        "/var/spool/cron/*",
        "/etc/logrotate.conf",
        "/etc/logrotate.d/*",
        "/etc/letsencrypt/renewal-hooks/*/*",
        "/etc/letsencrypt/renewal/*",
        "/etc/letsencrypt/cli.ini",
        "/etc/dehydrated/*",
        "/etc/systemd/system/*.service",
        "/etc/systemd/system/*.d/*.conf",
        "/etc/sudoers",
        "/etc/sudoers.d/*",
        "/etc/rc.local",
        "/etc/monit/*",
        "/etc/monit/*/*",
        "/etc/incron.d/*",
        "/etc/apt/apt.conf.d/*",
        "/etc/webhook.conf",
        "/etc/webhook/*",
        "/usr/local/bin/*",
        "/usr/local/sbin/*",
        "/usr/local/*/*.sh",
        "/opt/*.sh",
        "/opt/*/*.sh",
        "/opt/*/bin/*",
        "/root/*.sh",
        "/root/bin/*",
        "/home/*/*.sh",
        "/home/*/bin/*",
        "/srv/*.sh",
        "/srv/*/*.sh",
        "/srv/*/bin/*",
        "/srv/*/deploy*",
        "/srv/*/Makefile",
        "/srv/*/.git/hooks/*",
        "/home/*/.git/hooks/*",
        "/home/*/*/.git/hooks/*",
        "/srv/*/hooks/*",
        "/srv/*/*/hooks/*",
        "/home/*/*/hooks/*",
        "/var/www/*.sh",
        "/var/www/*/*.sh",
        "/var/www/*/deploy*",
        "/var/www/*/.git/hooks/*",
        "/var/lib/git/*/hooks/*",
        "/var/lib/jenkins/*.sh",
};

/* Whether the line has PHP-FPM's name, and does something to it. */
static bool is_hook(const char *line)
{
        static const char *const actions[] = { "reload", "restart", "kill", "USR2",         "USR1",
                                               "HUP",    "start",   "stop", "check process" };
        const char *fpm = strstr(line, "fpm");

        if (!fpm || line[strspn(line, " \t")] == '#' || !strstr(line, "php"))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (strstr(line, actions[i]))
                        return true;
        return false;
}

/* Whether the line is of a unit that has PHP-FPM's started, or is stopped with it. */
static bool is_dependency(const char *line)
{
        static const char *const kinds[] = { "Wants=",   "Requires=", "Requisite=",
                                             "BindsTo=", "Upholds=",  "PartOf=" };

        if (!strstr(line, "php") || !strstr(line, "fpm"))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (startswith(line, kinds[i]))
                        return true;
        return false;
}

static void print_hook(const char *path, unsigned line, bool dependency)
{
        if (dependency)
                (void) ctl_fail(0, "%s:%u: needs PHP-FPM, and may start it: write php-pool.service instead",
                                path, line);
        else
                (void) ctl_fail(0,
                                "%s:%u: is for PHP-FPM, which will not run any more; for the pools it is: "
                                "systemctl reload php-pool.service",
                                path, line);
}

/* The text of a regular file that may be a script, a new string; NULL for others. */
static char *read_script(const char *path)
{
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        void *text;
        size_t size;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t) HOOK_SIZE_MAX ||
            io_read_file(fd, HOOK_SIZE_MAX, &text, &size) < 0)
                return NULL;
        if (memchr(text, 0, size)) {
                free(text);
                return NULL;
        }
        return text;
}

static int print_hooks_of(const char *root, const char *path)
{
        _cleanup_(freep) char *text = read_script(path);
        unsigned line = 1;
        int found = 0;

        for (char *p = text; p && *p && found < HOOKS_MAX; line++) {
                char *end = strchr(p, '\n');
                bool dependency;

                if (end)
                        *end = 0;
                dependency = is_dependency(p);
                if (dependency || is_hook(p)) {
                        print_hook(path + strlen(root), line, dependency);
                        found++;
                }
                p = end ? end + 1 : NULL;
        }
        return found;
}

int import_print_hooks(const char *root)
{
        glob_t found = {};
        int n = 0;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_(freep) char *pattern = NULL;

                if (text_format(&pattern, "%s%s", root, places[i]) < 0) {
                        globfree(&found);
                        return -ENOMEM;
                }
                if (glob(pattern, GLOB_NOSORT | (i > 0 ? GLOB_APPEND : 0), NULL, &found) == GLOB_NOSPACE) {
                        globfree(&found);
                        return -ENOMEM;
                }
        }
        for (size_t i = 0; i < found.gl_pathc && n < HOOKS_MAX; i++) {
                bool again = false;

                for (size_t j = 0; j < i && !again; j++)
                        again = streq(found.gl_pathv[i], found.gl_pathv[j]);
                if (!again)
                        n += print_hooks_of(root, found.gl_pathv[i]);
        }
        globfree(&found);
        return n;
}
