/* SPDX-License-Identifier: MIT */

/* Names of pools and of their sockets: see names.h. Pure. */

#include "ipc/names.h"

#include <stdio.h>

#include "base/text.h"

static const struct {
        const char *name, *suffix;
} sockets[] = {
#define POOL_SOCKET(id, name, suffix) [POOL_SOCKET_##id] = { name, suffix },
#include "ipc/names.def"
};
static_assert(ELEMENTSOF(sockets) == _POOL_SOCKET_MAX, "every socket has a name");

/* The longest path fits sun_path. */
#define POOL_SOCKET(id, name, suffix)                                                                       \
        static_assert(sizeof POOL_RUN_DIR "/" suffix + POOL_NAME_MAX <= 108, "a socket's path is too "     \
                                                                              "long");
#include "ipc/names.def"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

const char *pool_socket_name(PoolSocket socket)
{
        assert(socket < _POOL_SOCKET_MAX);
        return sockets[socket].name;
}

int pool_socket_path(const char *pool, PoolSocket socket, char **ret)
{
        assert(socket < _POOL_SOCKET_MAX);
        return text_format(ret, POOL_RUN_DIR "/%s%s", pool, sockets[socket].suffix);
}

/* The length of name without the suffix; 0 where it does not end in it, or is nothing else. */
static size_t length_before(const char *name, const char *suffix)
{
        size_t n = strlen(name), n_suffix = strlen(suffix);

        return n > n_suffix && streq(name + n - n_suffix, suffix) ? n - n_suffix : 0;
}

char *pool_of_socket(const char *file, PoolSocket socket)
{
        size_t n = length_before(file, sockets[socket].suffix);
        char *pool;

        assert(socket < _POOL_SOCKET_MAX);

        if (n == 0)
                return NULL;
        pool = strndup(file, n);
        if (pool && !pool_name_valid(pool)) {
                free(pool);
                return NULL;
        }
        return pool;
}

/* Whether name.sock is the path of a socket of another pool's, or may be taken for one. */
static bool is_anothers_socket(const char *name)
{
        char file[POOL_NAME_MAX + sizeof ".sock"];

        if (length_before(name, sockets[POOL_SOCKET_FASTCGI].suffix) > 0)
                return true;
        (void) snprintf(file, sizeof file, "%s%s", name, sockets[POOL_SOCKET_FASTCGI].suffix);
        for (size_t i = 0; i < ELEMENTSOF(sockets); i++)
                if (i != POOL_SOCKET_FASTCGI && length_before(file, sockets[i].suffix) > 0)
                        return true;
        return false;
}

const char *pool_name_error(const char *name)
{
        size_t n = strspn(name, LETTERS);

        if (n == 0 || name[n])
                return "only letters, digits, \".\", \"_\" and \"-\" are allowed";
        if (n > POOL_NAME_MAX)
                return "it is longer than 64 characters";
        if (name[0] == '.' || name[0] == '-')
                return "it begins with \".\" or \"-\"";
        if (is_anothers_socket(name))
                return "it ends as the name of a socket does, and another pool's socket may have that path";
        return NULL;
}

bool pool_name_valid(const char *name)
{
        return !pool_name_error(name);
}
