/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The PHPs that pools can run: each is a worker in one directory, php-pool-worker-X.Y, with a directory X.Y
 * beside it, which has links to that PHP's library and extensions.
 */

#include "base/util.h"

/* "8.4": two numbers of one or two digits. */
#define PHP_VERSION_SIZE sizeof "99.99"

/* The oldest that php-pool runs. */
#define PHP_OLDEST "8.2"

/* The newest that it knows, by the list in meson.build: a newer one may be a typing error. */
#define PHP_NEWEST "8.6"

/* The most that are listed: the newest. */
#define PHP_LIST_MAX 64

typedef char PhpVersion[PHP_VERSION_SIZE];

/* Newest first, by their numbers: 8.10 comes before 8.9. */
typedef struct PhpList {
        PhpVersion versions[PHP_LIST_MAX];
        size_t n;
} PhpList;

/* Whether this is a version as in the pool file and the workers' names: "8.4", and not "8" or "8.4.1". */
bool php_version_valid(const char *version);

/* Whether a version that is valid is PHP_OLDEST or newer: one that workers can be built for. */
bool php_version_supported(const char *version);

/*
 * The directory of the workers: the one that php-pool was built for, or $PHP_POOL_WORKER_DIR, so that one
 * that is not installed has its own.
 */
const char *php_directory(void);

/* The workers in the directory. A directory that does not exist has none. 0 or -errno. */
int php_list(const char *directory, PhpList *ret);

/* The PHP that a pool with this php.version runs: that one, or for "" the newest. 0, or -ENOENT for none. */
int php_choose(const PhpList *list, const char *wanted, PhpVersion *ret);

/* The same of a directory. Also -errno where that cannot be read. */
int php_find(const char *directory, const char *wanted, PhpVersion *ret);

/*
 * Why php_choose() found none, which PHPs there are and what to install: "8.3 is not installed here: …". A
 * new string. 0 or -ENOMEM.
 */
int php_missing(const char *directory, const PhpList *list, const char *wanted, char **ret);

/* The worker of a version, a new string. 0 or -ENOMEM. */
int php_worker_path(const char *directory, const char *version, char **ret);

/* The link to a version's directory of extensions, a new string. 0 or -ENOMEM. */
int php_extensions_path(const char *directory, const char *version, char **ret);
