/* SPDX-License-Identifier: MIT */

/*
 * What of a pool of PHP-FPM stands in drop-ins for its units: see import.h. Pure.
 *
 * The units have values of their own (units/php-pool@.socket.in, php-pool@.service.in). What FPM would have
 * by default is written where theirs is another.
 */

#include <arpa/inet.h>

#include "base/parse.h"
#include "ctl/import.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* What PHP itself needs of the system below a root directory of its own. */
static const char root_binds[] = "BindReadOnlyPaths=/usr -/bin -/lib -/lib64 -/etc/php /etc/php-pool\n"
                                 "BindReadOnlyPaths=/etc/passwd /etc/group /etc/nsswitch.conf\n"
                                 "BindReadOnlyPaths=-/etc/hosts -/etc/resolv.conf -/etc/ssl\n"
                                 "BindReadOnlyPaths=/run/systemd/journal\n";

/* Writes "NAME=value", or tells that a unit cannot hold the value. 0 or -ENOMEM. */
static int write_option(ImportPool *p, const FpmEntry *entry, FILE *f, const char *name, const char *value)
{
        char *text = NULL;
        size_t size;
        FILE *line;
        bool fits;

        line = open_memstream(&text, &size);
        if (!line)
                return -ENOMEM;
        fits = unit_write_value(value, line);
        if (fclose(line) != 0)
                fits = false;
        if (fits)
                fprintf(f, "%s=%s\n", name, text);
        free(text);
        return fits ? 0 : import_note(p, entry, true, "not imported: %s= cannot hold this value", name);
}

/* ---- Sockets ---- */

static bool is_path(const char *address)
{
        return !strchr(address, ':') && address[strspn(address, "0123456789")];
}

/* "ADDRESS:PORT" or "PORT" as ListenStream= takes it; *ret is NULL, and a note says why, for a host's name.
 */
static int tcp_address(ImportPool *p, const FpmEntry *entry, char **ret)
{
        _cleanup_(freep) char *host = strdup(entry->value);
        const char *port = entry->value, *address = "";
        char *colon = host ? strrchr(host, ':') : NULL;
        struct in6_addr binary;
        uint64_t n;
        int r;

        if (!host)
                return -ENOMEM;
        if (colon) {
                port = colon + 1;
                *colon = 0;
                address = host[0] == '[' ? host + 1 : host;
                if (host[0] == '[' && strchr(host, ']'))
                        *strchr(host, ']') = 0;
        }
        if (parse_u64(port, &n) < 0 || n == 0 || n > UINT16_MAX)
                return import_fail(p->import, entry->file, entry->line, "%s: \"%s\" is no port",
                                   entry->directive->name, port);

        *ret = NULL;
        if (!*address || streq(address, "*"))
                r = asprintf(ret, "%s", port);
        else if (inet_pton(AF_INET, address, &binary) == 1)
                r = asprintf(ret, "%s:%s", address, port);
        else if (inet_pton(AF_INET6, address, &binary) == 1)
                r = asprintf(ret, "[%s]:%s", address, port);
        else if (streq(address, "localhost"))
                r = asprintf(ret, "127.0.0.1:%s", port);
        else
                return import_note(p, entry, true,
                                   "not imported: ListenStream= takes no name, write the address "
                                   "of %s in the socket's drop-in",
                                   address);
        return r < 0 ? -ENOMEM : 0;
}

/* Who may connect to a Unix socket by access control lists: setfacl(1) says so, as FPM does by itself. */
static int write_acl(ImportPool *p, const FpmEntry *users, const FpmEntry *groups, const char *path, FILE *f)
{
        const FpmEntry *const entries[] = { users, groups };
        const char *separator = "";

        fputs("ExecStartPost=setfacl -m \"", f);
        for (size_t i = 0; i < ELEMENTSOF(entries); i++) {
                _cleanup_(freep) char *names = strdup(entries[i] ? entries[i]->value : "");
                char *save = NULL;

                if (!names)
                        return -ENOMEM;
                for (char *name = strtok_r(names, ", \t", &save); name;
                     name = strtok_r(NULL, ", \t", &save)) {
                        if (name[strspn(name, NAME_CHARACTERS ".-")])
                                return import_fail(p->import, entries[i]->file, entries[i]->line,
                                                   "%s: \"%s\" is no name", entries[i]->directive->name,
                                                   name);
                        fprintf(f, "%s%s:%s:rw", separator, i == 0 ? "u" : "g", name);
                        separator = ",";
                }
        }
        fputs("\" ", f);
        if (strchr(path, '$') || !unit_write_word(path, f))
                return import_fail(p->import, p->section->file, p->section->line,
                                   "the path of pool %s's socket cannot stand in a command",
                                   p->section->name);
        fputc('\n', f);
        return import_note(p, users ?: groups, false, "needs setfacl(1), from the package acl");
}

/* The owner of a Unix socket. FPM's default is who it runs as: root, and the group of the owner. */
static int write_owner(ImportPool *p, const char *path, FILE *f)
{
        const FpmEntry *users = fpm_section_find(p->section, "listen.acl_users");
        const FpmEntry *groups = fpm_section_find(p->section, "listen.acl_groups");
        const FpmEntry *owner = fpm_section_find(p->section, "listen.owner");
        const FpmEntry *group = fpm_section_find(p->section, "listen.group");
        const FpmEntry *mode = fpm_section_find(p->section, "listen.mode");
        const FpmEntry *unused = users || groups ? owner ?: group : NULL;
        int r;

        if (mode && mode->value[strspn(mode->value, "01234567")])
                return import_fail(p->import, mode->file, mode->line,
                                   "listen.mode: must be octal, such as 0660");
        if (unused && import_note(p, unused, false,
                                  "not used: listen.acl_users and listen.acl_groups take its place, "
                                  "as in PHP-FPM") < 0)
                return -ENOMEM;
        if (users || groups)
                owner = group = NULL;
        r = write_option(p, owner, f, "SocketUser", owner ? owner->value : "root");
        if (r >= 0 && group)
                r = write_option(p, group, f, "SocketGroup", group->value);
        else if (r >= 0)
                fputs(owner ? "SocketGroup=\n" : "SocketGroup=root\n", f);
        if (r >= 0)
                r = write_option(p, mode, f, "SocketMode", mode ? mode->value : "0660");
        return r >= 0 && (users || groups) ? write_acl(p, users, groups, path, f) : r;
}

/* listen.allowed_clients: only for TCP, as in FPM. The kernel refuses others before php-pool sees them. */
static int write_allowed(ImportPool *p, FILE *f)
{
        const FpmEntry *entry = fpm_section_find(p->section, "listen.allowed_clients");
        _cleanup_(freep) char *copy = entry ? strdup(entry->value) : NULL;
        char *save = NULL;

        if (!entry)
                return 0;
        if (!copy)
                return -ENOMEM;
        fputs("IPAddressDeny=any\n", f);
        for (char *word = strtok_r(copy, ", \t", &save); word; word = strtok_r(NULL, ", \t", &save))
                if (setting_allows_string(setting_find("security.allowed_clients"), word))
                        fprintf(f, "IPAddressAllow=%s\n", word);
        return 0;
}

/* Tells that what is said of Unix sockets is of no use on TCP. */
static int note_unused(ImportPool *p)
{
        static const char *const names[] = { "listen.owner", "listen.group", "listen.mode",
                                             "listen.acl_users", "listen.acl_groups" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const FpmEntry *entry = fpm_section_find(p->section, names[i]);

                if (entry && import_note(p, entry, false, "not used: listen is no Unix socket") < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* A drop-in for one of the two socket units. */
static int write_socket(ImportPool *p, const FpmEntry *listen, FILE *f)
{
        const FpmEntry *backlog = fpm_section_find(p->section, "listen.backlog");
        _cleanup_(freep) char *address = NULL;
        bool on_path = is_path(listen->value);
        int r;

        r = on_path ? import_path(p, listen->value, &address) : tcp_address(p, listen, &address);
        if (r < 0 || !address)
                return r;

        fputs("[Socket]\nListenStream=\n", f);
        r = write_option(p, listen, f, "ListenStream", address);
        if (r >= 0)
                r = on_path ? write_owner(p, address, f) : write_allowed(p, f);
        if (r >= 0 && backlog && fpm_value_integer(backlog->value) > 0)
                fprintf(f, "Backlog=%lld\n", fpm_value_integer(backlog->value));
        else if (r >= 0 && backlog)
                r = import_note(p, backlog, false,
                                "nothing to write: the socket has the longest queue that the "
                                "kernel allows (net.core.somaxconn), up to 4096");
        return r;
}

static int map_sockets(ImportPool *p)
{
        const FpmEntry *listen = fpm_section_find(p->section, "listen");
        const FpmEntry *status = fpm_section_find(p->section, "pm.status_listen");
        const FpmEntry *allowed = fpm_section_find(p->section, "listen.allowed_clients");
        bool on_tcp = !is_path(listen->value);
        int r = 0;

        if (on_tcp)
                r = note_unused(p);
        if (r >= 0 && on_tcp)
                r = import_note(p, listen, false,
                                "PHP_VALUE and PHP_ADMIN_VALUE are not taken over TCP, see "
                                "security.ini_params in php-pool.conf(5)");
        if (r >= 0 && allowed)
                r = import_set_list(p, allowed, "security.allowed_clients", ", \t");
        if (r >= 0)
                r = write_socket(p, listen, p->socket);
        return r >= 0 && status ? write_socket(p, status, p->status) : r;
}

/* ---- The service ---- */

/* FPM's default group is the user's own; the unit has another. */
static int map_user(ImportPool *p)
{
        const FpmEntry *user = fpm_section_find(p->section, "user");
        const FpmEntry *group = fpm_section_find(p->section, "group");
        int r;

        if (!user)
                return import_note(p, NULL, true,
                                   "the pool has no user: here it runs as the user of "
                                   "php-pool@.service");
        r = write_option(p, user, p->service, "User", user->value);
        if (r >= 0 && group)
                return write_option(p, group, p->service, "Group", group->value);
        if (r >= 0)
                fputs("Group=\n", p->service);
        return r;
}

static int map_directories(ImportPool *p)
{
        const FpmEntry *chroot = fpm_section_find(p->section, "chroot");
        const FpmEntry *chdir = fpm_section_find(p->section, "chdir");
        const FpmEntry *prefix = fpm_section_find(p->section, "prefix");
        _cleanup_(freep) char *root = NULL, *directory = NULL;
        int r = 0;

        if (prefix)
                r = import_note(p, prefix, false,
                                "nothing to write: relative paths are made absolute with it");
        if (r >= 0 && chroot) {
                r = import_path(p, chroot->value, &root);
                if (r >= 0)
                        r = write_option(p, chroot, p->service, "RootDirectory", root);
                fputs(root_binds, p->service);
                if (r >= 0)
                        r = import_note(p, chroot, true,
                                        "PHP itself starts below RootDirectory= and needs its files "
                                        "there: the drop-in shows it the usual ones, see \"Show a pool only "
                                        "part of "
                                        "the file system\" in php-pool(7)");
        }
        if (r >= 0 && chdir) {
                r = import_path(p, chdir->value, &directory);
                if (r >= 0)
                        r = write_option(p, chdir, p->service, "WorkingDirectory", directory);
        }
        return r;
}

/* A limit: the pool's, else FPM's own, which its pools have, too. 0 is no limit that is set. */
static const FpmEntry *find_inherited(ImportPool *p, const char *name)
{
        const FpmEntry *global = fpm_section_find(p->global, name);

        return fpm_section_find(p->section, name) ?: global;
}

static int map_limits(ImportPool *p)
{
        const FpmEntry *files = find_inherited(p, "rlimit_files");
        const FpmEntry *core = find_inherited(p, "rlimit_core");
        const FpmEntry *priority = find_inherited(p, "process.priority");
        long long nice = priority ? fpm_value_integer(priority->value) : 0;

        if (files && fpm_value_integer(files->value) > 0)
                fprintf(p->service, "LimitNOFILE=%lld\n", fpm_value_integer(files->value));
        if (core && strcasecmp(core->value, "unlimited") == 0)
                fputs("LimitCORE=infinity\n", p->service);
        else if (core && fpm_value_integer(core->value) > 0)
                fprintf(p->service, "LimitCORE=%lld\n", fpm_value_integer(core->value));
        if (priority && (nice < -19 || nice > 20))
                return import_fail(p->import, priority->file, priority->line,
                                   "process.priority: must be from -19 to 20, not %lld", nice);
        if (priority)
                fprintf(p->service, "Nice=%lld\n", MIN(nice, 19LL));
        return 0;
}

static int map_variable(ImportPool *p, const FpmEntry *entry)
{
        _cleanup_(freep) char *assignment = NULL, *word = NULL;
        const char *name = entry->key, *value = entry->value;
        size_t size;
        FILE *f;
        bool fits;

        if (name[strspn(name, NAME_CHARACTERS)] || (*name >= '0' && *name <= '9'))
                return import_note(p, entry, true, "not imported: systemd takes no variable of this name");
        if (*value == '$' && streq(value + 1, name)) {
                fprintf(p->service, "PassEnvironment=%s\n", name);
                return import_note(p, entry, false,
                                   "as in PHP-FPM, it has a value where systemd has one for its "
                                   "services: systemctl show-environment");
        }
        if (*value == '$')
                return import_note(p, entry, true,
                                   "not imported: systemd passes a variable on under its own name "
                                   "only; write its value, Environment=%s=…",
                                   name);

        if (asprintf(&assignment, "%s=%s", name, value) < 0) {
                assignment = NULL;
                return -ENOMEM;
        }
        f = open_memstream(&word, &size);
        if (!f)
                return -ENOMEM;
        fits = unit_write_word(assignment, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (!fits)
                return import_note(p, entry, true, "not imported: Environment= cannot hold this value");
        fprintf(p->service, "Environment=%s\n", word);
        return 0;
}

static int map_environment(ImportPool *p)
{
        FpmEntry *clear = NULL;
        int r = 0;

        for (size_t i = 0; i < p->section->n_entries && r >= 0; i++) {
                FpmEntry *entry = &p->section->entries[i];

                if (streq(entry->directive->name, "clear_env")) {
                        entry->used = true;
                        clear = entry;
                } else if (streq(entry->directive->name, "env[]") && !entry->used) {
                        entry->used = true;
                        r = map_variable(p, entry);
                }
        }
        if (r < 0 || !clear)
                return r;
        if (*clear->value)
                return import_note(p, clear, false,
                                   "nothing to write: scripts see what systemd sets for every "
                                   "service, and what the drop-in sets");
        return import_note(p, clear, false,
                           "nothing to write: scripts see the service's environment; what "
                           "PHP-FPM's unit sets (Environment=, EnvironmentFile=) belongs in the drop-in");
}

int import_units(ImportPool *p)
{
        int r;

        r = map_sockets(p);
        fputs("[Service]\n", p->service);
        if (r >= 0)
                r = map_user(p);
        if (r >= 0)
                r = map_directories(p);
        if (r >= 0)
                r = map_limits(p);
        return r < 0 ? r : map_environment(p);
}
