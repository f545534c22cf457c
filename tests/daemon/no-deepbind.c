/* SPDX-License-Identifier: MIT */

/*
 * Preloaded into sanitized programs: PHP loads extensions with RTLD_DEEPBIND, which the sanitizers refuse.
 * Without it, the extensions' memory is watched as well.
 */

#include <dlfcn.h>

__attribute__((visibility("default"))) void *dlopen(const char *file, int mode)
{
        void *(*next)(const char *, int) = (void *(*)(const char *, int)) dlsym(RTLD_NEXT, "dlopen");

        return next(file, mode & ~RTLD_DEEPBIND);
}
