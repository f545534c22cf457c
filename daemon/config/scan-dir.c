/* SPDX-License-Identifier: MIT */

/* The directories of ini files beside php.ini, where extensions are loaded: see scan-dir.h. */

#include "config/scan-dir.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>

static bool directory_has_ini(const char *path)
{
        DIR *d = opendir(path);
        struct dirent *entry;
        bool found = false;

        while (d && !found && (entry = readdir(d))) {
                const char *dot = strrchr(entry->d_name, '.');

                found = dot && streq(dot, ".ini");
        }
        if (d)
                (void) closedir(d);
        return found;
}

bool scan_dir_has_ini(const char *directories)
{
        for (const char *p = directories; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
                size_t n = strcspn(p, ":");
                char path[PATH_MAX];

                if (n == 0)
                        return true;
                (void) snprintf(path, sizeof path, "%.*s", (int) MIN(n, sizeof path - 1), p);
                if (directory_has_ini(path))
                        return true;
        }
        return false;
}
