/* SPDX-License-Identifier: MIT */

/*
 * The values that the types of text in settings.def allow: see allow.h.
 *
 * The table setting_types[] in settings.c names these functions beside the words that errors and the manual
 * use for them. They run on both sides: on the values of the pool file, and on those of the sealed memfd.
 */

#include "config/allow.h"

#include "config/network.h"
#include "config/php.h"

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

bool allow_php_version(const char *s)
{
        return !*s || php_version_valid(s);
}

bool allow_extension(const char *s)
{
        return s[0] == '.' && s[1] && !strchr(s, '/');
}

bool allow_network(const char *s)
{
        Network network;

        return network_parse(s, &network);
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
