/* SPDX-License-Identifier: MIT */

/*
 * The values of PHP-FPM's files in the form that systemd's units take: paths, users and groups. See
 * internal.h. What systemd would ignore, or read in another way than PHP-FPM does, is refused here, with
 * file and line. Asks the system which users and groups there are; writes nothing.
 */

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/utf8.h"
#include "ctl/import/internal.h"

/* Numbers of no user: (uid_t) -1, and its value in 16 bits. systemd refuses both. */
#define ID_NOBODY UINT32_MAX
#define ID_NOBODY_16 UINT16_MAX

/* Names are cut there by utmp and its like; systemd takes no longer ones. */
#define ACCOUNT_NAME_MAX 255

#define DIGITS "0123456789"

/* Appends the part of a path to f, unless it is one that says nothing. Whether a path may have it. */
static bool write_part(const char *part, size_t n, FILE *f)
{
        if (n > NAME_MAX || (n == 2 && part[0] == '.' && part[1] == '.'))
                return false;
        if (n > 0 && !(n == 1 && *part == '.'))
                fprintf(f, "/%.*s", (int) n, part);
        return true;
}

static int clean_path(const char *path, char **ret)
{
        bool good = *path == '/';
        _cleanup_(freep) char *made = NULL;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        while (good && *path) {
                size_t n;

                path += strspn(path, "/");
                n = strcspn(path, "/");
                good = write_part(path, n, text.f);
                path += n;
        }
        r = text_close(&text, good ? 0 : -EINVAL, &made);
        if (r < 0)
                return r;
        if (strlen(made) >= PATH_MAX)
                return -EINVAL;
        if (*made)
                *ret = TAKE_PTR(made);
        else
                *ret = strdup("/");
        return *ret ? 0 : -ENOMEM;
}

int import_unit_path(ImportPool *p, const FpmEntry *entry, const char *path, char **ret)
{
        int r;

        r = clean_path(path, ret);
        if (r != -EINVAL)
                return r;
        return import_fail(p->import, entry->file, entry->line,
                           "%s: systemd takes an absolute path without \"..\", of no more than %d bytes, "
                           "not %s",
                           entry->directive->name, PATH_MAX - 1, path);
}

/* As systemd's valid_user_group_name() has it in its relaxed form. */
static bool is_account_name(const char *name)
{
        size_t size = strlen(name);

        if (size == 0 || size > ACCOUNT_NAME_MAX || name[strcspn(name, ":/")] || *name == ' ' ||
            name[size - 1] == ' ' || streq(name, ".") || streq(name, "..") || !name[strspn(name, DIGITS)] ||
            (*name == '-' && !name[1 + strspn(name + 1, DIGITS)]) ||
            (*name == '+' && !name[1 + strspn(name + 1, DIGITS)]))
                return false;
        while (size > 0) {
                uint32_t code;
                size_t n = utf8_decode(name, size, &code);

                if (n == 0 || !utf8_is_printable(code))
                        return false;
                name += n;
                size -= n;
        }
        return true;
}

/* An account as the system has it: its number, and its primary group's. */
typedef struct FoundAccount {
        bool known;
        uint64_t id;
        uint64_t group; /* of a user that is known */
} FoundAccount;

/* By its name. A number says its id itself, even where the system does not know it. */
static FoundAccount find_account(UnitAccount type, const char *name, uint64_t number, bool is_number)
{
        FoundAccount account = { .id = number };

        if (type == ACCOUNT_USER) {
                const struct passwd *pw = is_number ? getpwuid((uid_t) number) : getpwnam(name);

                account.known = pw;
                if (pw)
                        account = (FoundAccount){ true, pw->pw_uid, pw->pw_gid };
        } else {
                const struct group *gr = is_number ? getgrgid((gid_t) number) : getgrnam(name);

                account.known = gr;
                if (gr)
                        account.id = gr->gr_gid;
        }
        return account;
}

/* Whether scripts would be root, or in root's group: without -R, PHP-FPM does not start such a pool. */
static bool is_root_directory(ImportPool *p, UnitAccount type, const FoundAccount *account, bool is_number)
{
        bool has_group = fpm_section_find(p->section, "group");

        if ((account->known || is_number) && account->id == 0)
                return true;
        return type == ACCOUNT_USER && account->known && account->group == 0 && !has_group;
}

/* PHP-FPM takes digits for a number, systemd only where no zero leads it. */
static int parse_id(ImportPool *p, const FpmEntry *entry, uint64_t *ret)
{
        if (parse_u64(entry->value, ret) >= 0 && *ret != ID_NOBODY_16 && *ret < ID_NOBODY)
                return 0;
        return import_fail(p->import, entry->file, entry->line, "%s: \"%s\" is no number of a user or group",
                           entry->directive->name, entry->value);
}

int import_account(ImportPool *p, const FpmEntry *entry, UnitAccount type, bool root_allowed, char **ret)
{
        const char *name = entry->value, *what = type == ACCOUNT_USER ? "user" : "group";
        bool is_number = !name[strspn(name, DIGITS)];
        FoundAccount account;
        uint64_t number = 0;
        int r;

        if (is_number) {
                r = parse_id(p, entry, &number);
                if (r < 0)
                        return r;
        } else if (!is_account_name(name))
                return import_fail(p->import, entry->file, entry->line,
                                   "%s: \"%s\" is no name of a user or group", entry->directive->name, name);
        account = find_account(type, name, number, is_number);
        if (!root_allowed && is_root_directory(p, type, &account, is_number))
                return import_fail(p->import, entry->file, entry->line,
                                   "%s: \"%s\" is root%s: scripts never run as root, as PHP-FPM refuses it, "
                                   "too",
                                   entry->directive->name, name, account.id == 0 ? "" : "'s group");
        if (!account.known &&
            import_note(p, entry, true,
                        "imported, but there is no %s \"%s\" here: without it the unit does not start", what,
                        name) < 0)
                return -ENOMEM;
        if (is_number)
                return text_format(ret, "%llu", (unsigned long long) number);
        return text_format(ret, "%s", name);
}
