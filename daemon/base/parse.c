/* SPDX-License-Identifier: MIT */

/* Values as people write them: see parse.h. Pure. */

#include "base/parse.h"

#include <limits.h>
#include <stdio.h>

static const struct {
        const char *name;
        usec_t usec;
} time_units[] = {
        /* The first of each length is the one that format_usec() writes. */
        { "d", 86400 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC },
        { "min", 60 * USEC_PER_SEC },
        { "s", USEC_PER_SEC },
        { "ms", USEC_PER_MSEC },
        { "us", 1 },
        { "days", 86400 * USEC_PER_SEC },
        { "day", 86400 * USEC_PER_SEC },
        { "hours", 3600 * USEC_PER_SEC },
        { "hour", 3600 * USEC_PER_SEC },
        { "hr", 3600 * USEC_PER_SEC },
        { "minutes", 60 * USEC_PER_SEC },
        { "minute", 60 * USEC_PER_SEC },
        { "m", 60 * USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "msec", USEC_PER_MSEC },
        { "usec", 1 },
};

#define N_FORMAT_UNITS 6

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Reads digits at *s and moves it behind them. */
static int read_digits(const char **s, uint64_t *ret)
{
        uint64_t value = 0;
        const char *p = *s;

        if (!is_digit(*p))
                return -EINVAL;

        for (; is_digit(*p); p++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*p - '0'), &value))
                        return -ERANGE;
        *s = p;
        *ret = value;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
        uint64_t value;
        int r;

        r = read_digits(&s, &value);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        *ret = value;
        return 0;
}

int parse_fd(const char *s, int *ret)
{
        uint64_t value;
        int r;

        r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > INT_MAX)
                return -ERANGE;
        *ret = (int) value;
        return 0;
}

/* Reads the unit at *s, which ends at a space, a digit or the end; none is seconds. */
static int read_time_unit(const char **s, usec_t *ret)
{
        size_t n;

        *s += strspn(*s, " \t");
        n = strcspn(*s, " \t0123456789");
        if (n == 0) {
                *ret = USEC_PER_SEC;
                return **s == 0 ? 0 : -EINVAL;
        }

        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                if (strlen(time_units[i].name) == n && strncmp(*s, time_units[i].name, n) == 0) {
                        *s += n;
                        *ret = time_units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

/* Reads ".5" at *s, if it is there, as millionths. */
static int read_fraction(const char **s, uint64_t *ret_millionths)
{
        uint64_t value = 0, scale = 100000;

        if (**s != '.') {
                *ret_millionths = 0;
                return 0;
        }

        (*s)++;
        if (!is_digit(**s))
                return -EINVAL;
        for (; is_digit(**s); (*s)++, scale /= 10)
                value += (uint64_t) (**s - '0') * scale;
        *ret_millionths = value;
        return 0;
}

int parse_usec(const char *s, usec_t *ret)
{
        usec_t total = 0;

        s += strspn(s, " \t");
        do {
                uint64_t value, millionths;
                usec_t unit, span;
                int r;

                r = read_digits(&s, &value);
                if (r < 0)
                        return r;
                r = read_fraction(&s, &millionths);
                if (r < 0)
                        return r;
                r = read_time_unit(&s, &unit);
                if (r < 0)
                        return r;

                if (__builtin_mul_overflow(value, unit, &span) ||
                    __builtin_add_overflow(span,
                                           millionths * (unit / 1000000) +
                                                           millionths * (unit % 1000000) / 1000000,
                                           &span) ||
                    __builtin_add_overflow(total, span, &total) || total == USEC_INFINITY)
                        return -ERANGE;
                s += strspn(s, " \t");
        } while (*s);

        *ret = total;
        return 0;
}

static const char size_suffixes[] = "KMGT";

int parse_size(const char *s, uint64_t *ret)
{
        uint64_t value;
        int r;

        r = read_digits(&s, &value);
        if (r < 0)
                return r;

        if (*s) {
                const char *suffix = strchr(size_suffixes, *s >= 'a' ? *s - 'a' + 'A' : *s);

                if (!suffix || s[1])
                        return -EINVAL;
                if (__builtin_mul_overflow(value, (uint64_t) 1 << (10 * (suffix - size_suffixes + 1)),
                                           &value))
                        return -ERANGE;
        }

        *ret = value;
        return 0;
}

const char *format_usec(char *buffer, usec_t t)
{
        size_t n = 0;

        if (t == USEC_INFINITY || t == 0)
                return strcpy(buffer, t == 0 ? "0" : "infinity");

        for (size_t i = 0; i < N_FORMAT_UNITS; i++) {
                uint64_t count = t / time_units[i].usec;

                if (count == 0)
                        continue;
                n += (size_t) snprintf(buffer + n, PARSE_FORMAT_MAX - n, "%s%llu%s", n > 0 ? " " : "",
                                       (unsigned long long) count, time_units[i].name);
                t %= time_units[i].usec;
        }
        return buffer;
}

const char *format_size(char *buffer, uint64_t size)
{
        size_t unit = 0;

        while (unit < sizeof size_suffixes - 1 && size > 0 && size % 1024 == 0) {
                size /= 1024;
                unit++;
        }
        (void) snprintf(buffer, PARSE_FORMAT_MAX, "%llu%.1s", (unsigned long long) size,
                        unit > 0 ? &size_suffixes[unit - 1] : "");
        return buffer;
}

bool version_at_least(const char *version, unsigned major, unsigned minor)
{
        unsigned x, y;

        return sscanf(version, "%u.%u", &x, &y) == 2 && (x > major || (x == major && y >= minor));
}
