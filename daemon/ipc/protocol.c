/* SPDX-License-Identifier: MIT */

/* The table of protocols: see protocol.h. Pure. */

#include "ipc/protocol.h"

#include "ipc/names.h"

static const struct {
        PoolSocket socket;
        const char *stored;
} protocols[] = {
#define PROTOCOL(id, stored) [PROTOCOL_##id] = { POOL_SOCKET_##id, stored },
        PROTOCOL_LIST
#undef PROTOCOL
};
static_assert(ELEMENTSOF(protocols) == _PROTOCOL_MAX, "every protocol has its names");

const char *protocol_name(Protocol protocol)
{
        assert(protocol < _PROTOCOL_MAX);
        return pool_socket_name(protocols[protocol].socket);
}

const char *protocol_stored_name(Protocol protocol)
{
        assert(protocol < _PROTOCOL_MAX);
        return protocols[protocol].stored;
}

int protocol_from_name(const char *name, size_t n, Protocol *ret)
{
        for (Protocol i = 0; i < _PROTOCOL_MAX; i++)
                if (strlen(protocol_name(i)) == n && memcmp(protocol_name(i), name, n) == 0) {
                        *ret = i;
                        return 0;
                }
        return -EPROTONOSUPPORT;
}

int protocol_from_stored_name(const char *stored, Protocol *ret)
{
        for (Protocol i = 0; i < _PROTOCOL_MAX; i++)
                if (streq(protocol_stored_name(i), stored)) {
                        *ret = i;
                        return 0;
                }
        return -EPROTONOSUPPORT;
}
