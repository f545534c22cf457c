/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether a user can use a file or a directory. The kernel is asked, as that user. */

#include <grp.h>
#include <sys/types.h>

#include "base/util.h"

typedef enum Need { NEED_READ_FILE, NEED_READ_DIRECTORY, NEED_WRITE_FILE, NEED_WRITE_DIRECTORY } Need;

/* The most groups of a user that count. */
#define PROBE_GROUPS_MAX 256

typedef struct ProbeAccount {
        bool known;         /* false: the caller's own rights are asked for */
        char *user, *group; /* names or numbers, as in User= and Group= */
        uid_t uid;
        gid_t gid;
        gid_t groups[PROBE_GROUPS_MAX];
        int n_groups;
} ProbeAccount;

/*
 * Finds the account that User=, Group= (which may be "") and the names in SupplementaryGroups= stand for.
 * ret->known is false where the system does not know it, or the caller could not become it. 0 or -ENOMEM.
 */
int account_find(const char *user, const char *group, const char *supplementary, ProbeAccount *ret);
void account_clear(ProbeAccount *account);

/*
 * Whether the account can use the path as need says. 0 where it can; -ENOENT, -EACCES, -ENOTDIR, -EISDIR
 * or the like where it cannot: the error of the file itself, or, for a file that is to be made, of its
 * directory; or -errno where the kernel could not be asked.
 */
int probe_path(const ProbeAccount *account, const char *path, Need need);
