/* SPDX-License-Identifier: MIT */
#pragma once

/* A temporary directory of a test's own, and files in it. */

#include <stddef.h>

typedef struct Directory {
        char path[32];
} Directory;

/* Makes the directory. */
void directory_make(Directory *d);

/* Removes it with everything in it. */
void directory_remove(const Directory *d);

/* The path of a name in it; the caller frees it. */
char *directory_path(const Directory *d, const char *name);

/* Writes a file, or makes a symbolic link, and the directories that the name has. */
void directory_write(const Directory *d, const char *name, const void *data, size_t size);
void directory_write_text(const Directory *d, const char *name, const char *text);
void directory_link(const Directory *d, const char *name, const char *target);
