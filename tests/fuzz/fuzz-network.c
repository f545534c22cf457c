/* SPDX-License-Identifier: MIT */

/*
 * Networks, one a line, and whether the addresses among them belong to each: compared with a look at every
 * bit. An address comes back from its text.
 */

#include "config/network.h"

#include "input.h"

#define NETWORKS_MAX 16

static bool bit(const struct in6_addr *a, unsigned i)
{
        return a->s6_addr[i / 8] >> (7 - i % 8) & 1;
}

/* The rule of network.h: an IPv6 network has IPv4 clients only where all of it is mapped. */
static bool contains(const Network *network, const struct in6_addr *address)
{
        if (IN6_IS_ADDR_V4MAPPED(address) && network->prefix < 96)
                return false;
        for (unsigned i = 0; i < network->prefix; i++)
                if (bit(&network->address, i) != bit(address, i))
                        return false;
        return true;
}

static void check_text(const struct in6_addr *address)
{
        char text[INET6_ADDRSTRLEN];
        Network again;

        CHECK(network_format(text, address) == text);
        CHECK(network_parse(text, &again));
        CHECK(again.prefix == 128 && memcmp(&again.address, address, sizeof *address) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Input in = { data, size };
        Network networks[NETWORKS_MAX];
        size_t n = 0;

        while (in.left > 0 && n < NETWORKS_MAX) {
                _cleanup_(freep) char *line = input_line(&in);

                if (network_parse(line, &networks[n])) {
                        CHECK(networks[n].prefix <= 128);
                        check_text(&networks[n++].address);
                }
        }
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++)
                        CHECK(network_contains(&networks[i], &networks[j].address) ==
                              contains(&networks[i], &networks[j].address));
        return 0;
}
