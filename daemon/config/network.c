/* SPDX-License-Identifier: MIT */

/*
 * Networks: see network.h. The check of the pool file and the worker use the same parser, so that a worker
 * compares with the networks that the check accepted. Nothing here allocates but network_parse_list().
 */

#include "config/network.h"

#include <arpa/inet.h>

#include "base/parse.h"

/* The bits of ::ffff:0:0/96 before an IPv4 address. */
#define MAPPED_PREFIX 96
#define ADDRESS_BITS 128

static void map_v4(const struct in_addr *v4, struct in6_addr *ret)
{
        *ret = (struct in6_addr) { .s6_addr = { [10] = 0xff, [11] = 0xff } };
        memcpy(ret->s6_addr + MAPPED_PREFIX / 8, v4, sizeof *v4);
}

/* Digits only, no leading zero. */
static bool parse_prefix(const char *s, unsigned max, unsigned *ret)
{
        uint64_t n;

        if (parse_u64(s, &n) < 0 || n > max || (s[0] == '0' && s[1]))
                return false;
        *ret = (unsigned) n;
        return true;
}

bool network_parse(const char *s, Network *ret)
{
        Network network = { .prefix = ADDRESS_BITS };
        char address[INET6_ADDRSTRLEN];
        size_t n = strcspn(s, "/");
        unsigned base = 0;
        struct in_addr v4;

        if (n >= sizeof address)
                return false;
        memcpy(address, s, n);
        address[n] = 0;

        if (inet_pton(AF_INET, address, &v4) == 1) {
                map_v4(&v4, &network.address);
                base = MAPPED_PREFIX;
        } else if (inet_pton(AF_INET6, address, &network.address) != 1)
                return false;

        if (s[n]) {
                if (!parse_prefix(s + n + 1, ADDRESS_BITS - base, &network.prefix))
                        return false;
                network.prefix += base;
        }
        *ret = network;
        return true;
}

int network_parse_list(char *const *list, Network **ret, size_t *ret_n)
{
        _cleanup_(freep) Network *networks = NULL;
        size_t n = 0;

        while (list[n])
                n++;
        if (n > 0) {
                networks = reallocarray(NULL, n, sizeof *networks);
                if (!networks)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < n; i++)
                if (!network_parse(list[i], &networks[i]))
                        return -EINVAL;

        *ret = TAKE_PTR(networks);
        *ret_n = n;
        return 0;
}

bool network_address(const struct sockaddr_storage *peer, struct in6_addr *ret)
{
        switch (peer->ss_family) {
        case AF_INET:
                map_v4(&((const struct sockaddr_in *) peer)->sin_addr, ret);
                return true;
        case AF_INET6:
                *ret = ((const struct sockaddr_in6 *) peer)->sin6_addr;
                return true;
        default:
                return false;
        }
}

bool network_contains(const Network *network, const struct in6_addr *address)
{
        const uint8_t *a = network->address.s6_addr, *b = address->s6_addr;
        size_t bytes = network->prefix / 8, bits = network->prefix % 8;

        assert(network->prefix <= 128);

        if (network->prefix < MAPPED_PREFIX && IN6_IS_ADDR_V4MAPPED(address))
                return false;
        if (memcmp(a, b, bytes) != 0)
                return false;
        return bits == 0 || (a[bytes] ^ b[bytes]) >> (8 - bits) == 0;
}

const char *network_format(char *buffer, const struct in6_addr *address)
{
        bool mapped = IN6_IS_ADDR_V4MAPPED(address);
        const void *source = mapped ? address->s6_addr + MAPPED_PREFIX / 8 : address->s6_addr;

        return inet_ntop(mapped ? AF_INET : AF_INET6, source, buffer, INET6_ADDRSTRLEN);
}
