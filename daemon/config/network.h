/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Networks as an operator writes them, and whether an address belongs to one. Pure: no socket, no resolver.
 *
 * Every address is kept in the form of IPv6, an IPv4 one as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2),
 * which is how a socket for both sees it: a client is the same one whichever socket it came by. A network
 * that is written in IPv6 has IPv4 clients only where all of it is in ::ffff:0:0/96: "::/0" is any IPv6
 * client.
 */

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/util.h"

typedef struct Network {
        struct in6_addr address; /* bits beyond the prefix have no meaning */
        unsigned prefix;         /* 0 to 128 bits; 96 more than written for an IPv4 network */
} Network;

/*
 * "10.0.0.0/8", "192.0.2.7", "2001:db8::/32": an address as inet_pton(3) reads it, with or without a prefix
 * length. False for anything else; a scope ("fe80::1%eth0") cannot be given.
 */
bool network_parse(const char *s, Network *ret);

/*
 * Parses a NULL-terminated list into a new array, which the caller frees; NULL for an empty list. 0, -EINVAL
 * or -ENOMEM.
 */
int network_parse_list(char *const *list, Network **ret, size_t *ret_n);

/* The address of a socket's peer, without its port and scope. False where it is no IP address. */
bool network_address(const struct sockaddr_storage *peer, struct in6_addr *ret);

bool network_contains(const Network *network, const struct in6_addr *address);

/* "192.0.2.7", "2001:db8::1", into a buffer of at least INET6_ADDRSTRLEN bytes; returns the buffer. */
const char *network_format(char *buffer, const struct in6_addr *address);
