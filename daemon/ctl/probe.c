/* SPDX-License-Identifier: MIT */

/*
 * Asks the kernel as another user: see probe.h. A child becomes that user, with all of its groups, and
 * asks; so access control lists count, and so do the directories above the path. Nothing is opened, made
 * or changed.
 */

#include "ctl/probe.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "ctl/child.h"
#include "ctl/unit-file.h"

/* How long the kernel may take to answer. */
#define PROBE_MSEC 5000

void account_clear(ProbeAccount *account)
{
        free(account->user);
        free(account->group);
        *account = (ProbeAccount){};
}

static const struct passwd *find_user(const char *user)
{
        uint64_t n;

        return parse_u64(user, &n) >= 0 && n < UINT32_MAX ? getpwuid((uid_t) n) : getpwnam(user);
}

static bool find_group(const char *group, gid_t *ret)
{
        const struct group *gr;
        uint64_t n;

        if (parse_u64(group, &n) >= 0 && n < UINT32_MAX) {
                *ret = (gid_t) n;
                return true;
        }
        gr = getgrnam(group);
        if (gr)
                *ret = gr->gr_gid;
        return gr;
}

static int add_supplementary(const char *names, ProbeAccount *account)
{
        char *word;
        int r;

        while ((r = unit_next_word(&names, &word)) > 0) {
                gid_t gid;

                if (account->n_groups < PROBE_GROUPS_MAX && find_group(word, &gid))
                        account->groups[account->n_groups++] = gid;
                free(word);
        }
        return r;
}

int account_find(const char *user, const char *group, const char *supplementary, ProbeAccount *ret)
{
        const struct passwd *pw = *user ? find_user(user) : NULL;
        const struct group *gr;

        *ret = (ProbeAccount){};
        if (!pw)
                return 0;
        ret->uid = pw->pw_uid;
        ret->gid = pw->pw_gid;
        if (*group && !find_group(group, &ret->gid))
                return 0;
        gr = *group ? NULL : getgrgid(pw->pw_gid);
        ret->user = strdup(user);
        ret->group = strdup(*group ? group : gr ? gr->gr_name : user);
        if (!ret->user || !ret->group)
                return -ENOMEM;
        ret->n_groups = PROBE_GROUPS_MAX;
        pw = find_user(user);
        if (!pw || getgrouplist(pw->pw_name, ret->gid, ret->groups, &ret->n_groups) < 0)
                ret->n_groups = 0;
        ret->known = geteuid() == 0 || geteuid() == ret->uid;
        return add_supplementary(supplementary, ret);
}

/* Asks as the user that this process is. 0 or a positive errno value. */
static int ask_kernel(const char *path, Need need)
{
        bool directory = need == NEED_READ_DIRECTORY || need == NEED_WRITE_DIRECTORY;
        int mode = need == NEED_READ_FILE ? R_OK : need == NEED_WRITE_FILE ? W_OK : X_OK;
        char parent[PATH_MAX];
        struct stat st;

        if (need == NEED_WRITE_DIRECTORY)
                mode |= W_OK;
        if (stat(path, &st) >= 0) {
                if (S_ISDIR(st.st_mode) != directory)
                        return directory ? ENOTDIR : EISDIR;
                return faccessat(AT_FDCWD, path, mode, AT_EACCESS) < 0 ? errno : 0;
        }
        if (errno != ENOENT || need != NEED_WRITE_FILE)
                return errno;
        (void) snprintf(parent, sizeof parent, "%.*s", (int) MAX(strrchr(path, '/') - path, (ptrdiff_t) 1),
                        path);
        return faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int become_account(const ProbeAccount *account)
{
        if (geteuid() != 0)
                return 0;
        if (setgroups((size_t) account->n_groups, account->groups) < 0 ||
            setresgid(account->gid, account->gid, account->gid) < 0 ||
            setresuid(account->uid, account->uid, account->uid) < 0)
                return -errno;
        return 0;
}

int probe_path(const ProbeAccount *account, const char *path, Need need)
{
        pid_t pid;

        if (!account->known)
                return -ask_kernel(path, need);
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(become_account(account) < 0 ? EIO : ask_kernel(path, need));
        return child_wait(pid, PROBE_MSEC);
}
