/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which script a request means, and what its path variables become: the rules of PHP-FPM, on parameters
 * alone. No PHP header is needed here.
 */

#include "base/params.h"

/*
 * What PHP-FPM decodes of a path that Apache's proxy sends, which has %XX where the path has other
 * characters than a URL's; it is another thing in each of its versions.
 */
typedef enum ProxyDecoding {
        PROXY_DECODES_NAME,  /* PATH_INFO as it is compared with the end of SCRIPT_NAME, and no more */
        PROXY_DECODES_INFO,  /* PATH_INFO */
        PROXY_DECODES_WHOLE, /* SCRIPT_FILENAME, before the file is looked for */
} ProxyDecoding;

/* cgi.fix_pathinfo, cgi.discard_path and doc_root of php.ini; doc_root is NULL where it is not set. */
typedef struct ScriptRules {
        bool fix_pathinfo;
        bool discard_path;
        const char *doc_root;
        ProxyDecoding decoding;
} ScriptRules;

/* The questions that the rules ask of the file system. */
typedef struct ScriptFiles {
        bool (*exists)(const char *path);     /* whatever it is: a file, a directory */
        bool (*is_regular)(const char *path); /* a regular file, or a link to one */
} ScriptFiles;

/* The strings are parts of the parameters and hold until those are cleared. */
typedef struct Script {
        const char *path; /* the file to run; NULL for none: not found */
        const char *uri;  /* what PHP_SELF starts with: SCRIPT_NAME as corrected; NULL for none */
} Script;

/*
 * Finds the script and corrects the parameters as the rules say: SCRIPT_FILENAME, SCRIPT_NAME, PATH_INFO,
 * PATH_TRANSLATED and DOCUMENT_ROOT, with the former values in ORIG_*. The path is not opened: with
 * ret->path set it may still be missing, unreadable or a directory. 0, or -ENOMEM or -E2BIG of params_set().
 */
int script_find(Params *params, const ScriptRules *rules, const ScriptFiles *files, Script *ret);

/* Whether a path is below a directory. Both are absolute and resolved, the latter without "/" at its end. */
bool script_is_below(const char *path, const char *directory);
