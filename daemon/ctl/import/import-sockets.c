/* SPDX-License-Identifier: MIT */

/*
 * The part of a pool of PHP-FPM that becomes drop-ins for its sockets' units: see internal.h. Pure.
 *
 * The units have values of their own (units/php-pool@.socket.in, php-pool-status@.socket.in). FPM's
 * defaults are written where they differ from those.
 */

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/parse.h"
#include "base/text.h"
#include "ctl/import/internal.h"

static bool is_socket_path(const char *address)
{
        return !strchr(address, ':') && address[strspn(address, "0123456789")];
}

/* "ADDRESS:PORT" or "PORT" as ListenStream= takes it. */
static int tcp_address(ImportPool *p, const FpmEntry *entry, char **ret)
{
        _cleanup_(freep) char *host = strdup(entry->value);
        const char *port = entry->value, *address = "";
        char *colon = host ? strrchr(host, ':') : NULL;
        struct in6_addr binary;
        unsigned long long number;
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

        number = n; /* systemd takes no zero in front */
        if (!*address || streq(address, "*"))
                r = text_format(ret, "%llu", number);
        else if (inet_pton(AF_INET, address, &binary) == 1)
                r = text_format(ret, "%s:%llu", address, number);
        else if (inet_pton(AF_INET6, address, &binary) == 1)
                r = text_format(ret, "[%s]:%llu", address, number);
        else if (streq(address, "localhost"))
                r = text_format(ret, "127.0.0.1:%llu", number);
        else
                return import_fail(p->import, entry->file, entry->line,
                                   "%s: a socket unit takes no name: write the address of \"%s\" instead",
                                   entry->directive->name, address);
        return r;
}

/* A path as ListenStream= takes it. */
static int unix_address(ImportPool *p, const FpmEntry *entry, char **ret)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = import_path(p, entry->value, &path);
        return r < 0 ? r : import_unit_path(p, entry, path, ret);
}

/* Lets users connect to a Unix socket by access control lists, with setfacl(1), as FPM does by itself. */
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
                        if (name[strspn(name, UNIT_NAME_CHARACTERS ".-")] || *name == '-')
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

/* Without an entry, what stands for PHP-FPM's default. */
static int write_account(ImportPool *p, const FpmEntry *entry, UnitAccount type, const char *option,
                         const char *without, FILE *f)
{
        _cleanup_(freep) char *name = NULL;
        int r;

        if (!entry) {
                fprintf(f, "%s=%s\n", option, without);
                return 0;
        }
        r = import_account(p, entry, type, true, &name);
        return r < 0 ? r : unit_write_option(p, entry, f, option, name);
}

static int write_mode(ImportPool *p, FILE *f)
{
        const FpmEntry *mode = fpm_section_find(p->section, "listen.mode");
        unsigned long bits = mode ? strtoul(mode->value, NULL, 8) : 0660;

        if (mode && (mode->value[strspn(mode->value, "01234567")] || bits > 07777))
                return import_fail(p->import, mode->file, mode->line,
                                   "listen.mode: must be octal, such as 0660, and no more than 7777");
        fprintf(f, "SocketMode=%04lo\n", bits);
        return 0;
}

/*
 * Writes the owner of a Unix socket. FPM's default is the user that it runs as: root, and the owner's
 * group.
 */
static int write_owner(ImportPool *p, const char *path, FILE *f)
{
        const FpmEntry *users = fpm_section_find(p->section, "listen.acl_users");
        const FpmEntry *groups = fpm_section_find(p->section, "listen.acl_groups");
        const FpmEntry *owner = fpm_section_find(p->section, "listen.owner");
        const FpmEntry *group = fpm_section_find(p->section, "listen.group");
        const FpmEntry *unused = users || groups ? owner ?: group : NULL;
        int r;

        if (unused && import_note(p, unused, false,
                                  "not used: listen.acl_users and listen.acl_groups take its place, "
                                  "as in PHP-FPM") < 0)
                return -ENOMEM;
        if (users || groups)
                owner = group = NULL;
        r = write_account(p, owner, ACCOUNT_USER, "SocketUser", "root", f);
        if (r >= 0)
                r = write_account(p, group, ACCOUNT_GROUP, "SocketGroup", owner ? "" : "root", f);
        if (r >= 0)
                r = write_mode(p, f);
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

/* Tells what is said of the other kind of socket: FPM minds it as little. */
static int note_unused_sockets(ImportPool *p, bool on_tcp, bool status_on_tcp)
{
        const FpmEntry *allowed = fpm_section_find(p->section, "listen.allowed_clients");
        static const char *const names[] = { "listen.owner", "listen.group", "listen.mode",
                                             "listen.acl_users", "listen.acl_groups" };

        if (!on_tcp && !status_on_tcp && allowed)
                return import_note(p, allowed, false,
                                   "not used: PHP-FPM minds it for TCP only, and listen is a Unix socket");
        for (size_t i = 0; on_tcp && i < ELEMENTSOF(names); i++) {
                const FpmEntry *entry = fpm_section_find(p->section, names[i]);

                if (entry && import_note(p, entry, false, "not used: listen is no Unix socket") < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Without an address, the unit would have none at all: that fails. */
static int write_address(ImportPool *p, const FpmEntry *listen, const char *address, FILE *f)
{
        fputs("[Socket]\nListenStream=\nListenStream=", f);
        if (!unit_write_value(address, f))
                return import_fail(p->import, listen->file, listen->line, "%s: no unit can hold this path",
                                   listen->directive->name);
        if (*address == '/' && strlen(address) >= sizeof((struct sockaddr_un *) NULL)->sun_path)
                return import_fail(p->import, listen->file, listen->line, "%s: the path is too long: %s",
                                   listen->directive->name, address);
        fputc('\n', f);
        return 0;
}

/* A drop-in for one of the two socket units. */
static int write_socket(ImportPool *p, const FpmEntry *listen, FILE *f)
{
        const FpmEntry *backlog = fpm_section_find(p->section, "listen.backlog");
        _cleanup_(freep) char *address = NULL;
        bool on_path = is_socket_path(listen->value);
        int r;

        r = on_path ? unix_address(p, listen, &address) : tcp_address(p, listen, &address);
        if (r >= 0)
                r = write_address(p, listen, address, f);
        if (r >= 0)
                r = on_path ? write_owner(p, address, f) : write_allowed(p, f);
        if (r >= 0 && on_path)
                r = import_links(p, listen, address, f);
        if (r >= 0 && backlog && fpm_value_integer(backlog->value) > 0)
                fprintf(f, "Backlog=%lld\n", fpm_value_integer(backlog->value));
        else if (r >= 0 && backlog)
                r = import_note(p, backlog, false,
                                "nothing to write: the socket has the longest queue that the "
                                "kernel allows (net.core.somaxconn), up to 4096");
        return r;
}

int import_sockets(ImportPool *p)
{
        const FpmEntry *listen = fpm_section_find(p->section, "listen");
        const FpmEntry *status = fpm_section_find(p->section, "pm.status_listen");
        const FpmEntry *allowed = fpm_section_find(p->section, "listen.allowed_clients");
        bool on_tcp = !is_socket_path(listen->value);
        int r;

        r = note_unused_sockets(p, on_tcp, status && !is_socket_path(status->value));
        if (r >= 0 && on_tcp)
                r = import_note(p, listen, false,
                                "PHP_VALUE and PHP_ADMIN_VALUE are not taken over TCP, see "
                                "security.ini_params in php-pool.conf(5)");
        if (r >= 0 && allowed && on_tcp)
                r = import_set_list(p, allowed, "security.allowed_clients", ", \t");
        if (r >= 0)
                r = write_socket(p, listen, p->socket);
        return r >= 0 && status ? write_socket(p, status, p->status) : r;
}
