/* SPDX-License-Identifier: MIT */

/* What a template inherits: see inherit.h. One table names the single descriptors; "listen=" may repeat. */

#include "ipc/inherit.h"

#include "base/parse.h"
#include "base/text.h"

#define BUILD_PREFIX "build="
#define LISTEN_PREFIX "listen="

static const struct {
        const char *name;
        size_t offset;
} inherit_table[] = {
#define INHERIT(name) { #name, offsetof(Inherit, name) },
        INHERIT_LIST
#undef INHERIT
};

static int *inherit_field(const Inherit *inherit, size_t i)
{
        return (int *) (void *) ((char *) inherit + inherit_table[i].offset);
}

size_t inherit_list(const Inherit *inherit, int *fds)
{
        size_t n = 0;

        assert(inherit->n_listen <= INHERIT_LISTEN_MAX);
        for (size_t i = 0; i < ELEMENTSOF(inherit_table); i++)
                fds[n++] = *inherit_field(inherit, i);
        for (size_t i = 0; i < inherit->n_listen; i++)
                fds[n++] = inherit->listen[i].fd;
        return n;
}

void inherit_argv_free(char **argv)
{
        for (char **p = argv; p && *p; p++)
                free(*p);
        free(argv);
}
DEFINE_CLEANUP(char **, inherit_argv_free)

int inherit_format(const Inherit *inherit, const char *executable, const char *pool, char ***ret_argv)
{
        _cleanup_(inherit_argv_freep) char **argv = NULL;
        size_t n = 0;

        assert(inherit->n_listen <= INHERIT_LISTEN_MAX);
        argv = calloc(INHERIT_ARGV_FIRST + INHERIT_MAX + 1, sizeof *argv);
        if (!argv)
                return -ENOMEM;

        argv[n] = strdup(executable);
        if (!argv[n++])
                return -ENOMEM;
        argv[n] = strdup(pool);
        if (!argv[n++])
                return -ENOMEM;
        if (text_format(&argv[n++], BUILD_PREFIX "%s", build_identity()) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(inherit_table); i++)
                if (text_format(&argv[n++], "%s=%d", inherit_table[i].name, *inherit_field(inherit, i)) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < inherit->n_listen; i++)
                if (text_format(&argv[n++], LISTEN_PREFIX "%s:%d",
                                protocol_name(inherit->listen[i].protocol), inherit->listen[i].fd) < 0)
                        return -ENOMEM;

        *ret_argv = TAKE_PTR(argv);
        return 0;
}

bool inherit_is_same_build(int argc, char **argv)
{
        const char *argument = argc > INHERIT_ARGV_BUILD ? argv[INHERIT_ARGV_BUILD] : "";
        const char *identity = startswith(argument, BUILD_PREFIX);

        return identity && streq(identity, build_identity());
}

/* The number of an open descriptor, which is closed at the next execve(2). */
static int take_fd(const char *number, int *ret)
{
        int r;

        r = parse_fd(number, ret);
        return r < 0 ? r : fd_cloexec(*ret, true);
}

/* Adds a listening socket, "protocol:number". */
static int inherit_add_listen(Inherit *inherit, const char *value)
{
        const char *colon = strchr(value, ':');
        ProtocolSocket socket;
        int r;

        if (!colon)
                return -EINVAL;
        r = protocol_from_name(value, (size_t) (colon - value), &socket.protocol);
        if (r < 0)
                return r;
        r = take_fd(colon + 1, &socket.fd);
        if (r < 0)
                return r;
        if (inherit->n_listen == INHERIT_LISTEN_MAX)
                return -E2BIG;
        inherit->listen[inherit->n_listen++] = socket;
        return 0;
}

/* Puts one "name=number" where it belongs. */
static int inherit_assign(Inherit *inherit, const char *argument)
{
        const char *value = strchr(argument, '='), *listen = startswith(argument, LISTEN_PREFIX);
        int fd, r;

        if (listen)
                return inherit_add_listen(inherit, listen);
        if (!value)
                return -EINVAL;
        r = take_fd(value + 1, &fd);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(inherit_table); i++)
                if (strncmp(argument, inherit_table[i].name, (size_t) (value - argument)) == 0 &&
                    inherit_table[i].name[value - argument] == 0) {
                        if (*inherit_field(inherit, i) >= 0)
                                return -EINVAL;
                        *inherit_field(inherit, i) = fd;
                        return 0;
                }
        return -EINVAL;
}

int inherit_parse(int argc, char **argv, Inherit *ret)
{
        Inherit inherit = {};
        int r;

        for (size_t i = 0; i < ELEMENTSOF(inherit_table); i++)
                *inherit_field(&inherit, i) = -EBADF;

        for (int i = 0; i < argc; i++) {
                r = inherit_assign(&inherit, argv[i]);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < ELEMENTSOF(inherit_table); i++)
                if (*inherit_field(&inherit, i) < 0)
                        return -EINVAL;
        if (inherit.n_listen == 0)
                return -EINVAL;

        *ret = inherit;
        return 0;
}
