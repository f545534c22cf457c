/* SPDX-License-Identifier: MIT */

/*
 * What the types of text in settings.def allow: see allow.h.
 *
 * The table setting_types[] in settings.c names these functions beside the words that errors and the manual
 * use for them. They run on both sides: on what an operator wrote, and on what comes in the sealed memfd.
 */

#include "config/allow.h"

#include <arpa/inet.h>

#include "base/parse.h"

bool allow_absolute_path(const char *s)
{
        return *s == '/';
}

bool allow_path(const char *s)
{
        return !*s || allow_absolute_path(s);
}

bool allow_search_path(const char *s)
{
        for (;;) {
                size_t n = strcspn(s, ":");

                if (n > 0 && *s != '/')
                        return false;
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

bool allow_log_target(const char *s)
{
        return streq(s, "off") || streq(s, "journal") || allow_absolute_path(s);
}

bool allow_extension(const char *s)
{
        return s[0] == '.' && s[1] && !strchr(s, '/');
}

/* A prefix length: digits only, no leading zero. */
static bool allow_prefix(const char *s, uint64_t max)
{
        uint64_t n;

        return parse_u64(s, &n) >= 0 && n <= max && (s[0] != '0' || !s[1]);
}

bool allow_network(const char *s)
{
        char address[INET6_ADDRSTRLEN];
        uint8_t binary[sizeof(struct in6_addr)];
        size_t n = strcspn(s, "/");
        int family;

        if (n >= sizeof address)
                return false;
        memcpy(address, s, n);
        address[n] = 0;

        family = strchr(address, ':') ? AF_INET6 : AF_INET;
        if (inet_pton(family, address, binary) != 1)
                return false;
        return !s[n] || allow_prefix(s + n + 1, family == AF_INET6 ? 128 : 32);
}

static bool is_control(char c)
{
        return (uint8_t) c < ' ' || c == 0x7f;
}

bool allow_ini_line(const char *s)
{
        size_t name = strcspn(s, "=");

        if (name == 0 || !s[name])
                return false;
        for (size_t i = 0; s[i]; i++) {
                if (is_control(s[i]) && (s[i] != '\t' || i < name))
                        return false;
                if (s[i] == ' ' && i < name)
                        return false;
        }
        return true;
}
