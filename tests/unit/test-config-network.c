/* SPDX-License-Identifier: MIT */

/* Networks: what is one, and which addresses are in it, right to the last bit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "config/network.h"

/* The peer that a socket would tell of: an IPv6 one with port and scope, which must not matter. */
static struct in6_addr peer(const char *s)
{
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = 7, .sin6_scope_id = 2 };
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = 7 };
        struct sockaddr_storage storage = {};
        struct in6_addr address;

        if (inet_pton(AF_INET, s, &v4.sin_addr) == 1)
                memcpy(&storage, &v4, sizeof v4);
        else if (inet_pton(AF_INET6, s, &v6.sin6_addr) == 1)
                memcpy(&storage, &v6, sizeof v6);
        assert_true(network_address(&storage, &address));
        return address;
}

static const struct {
        const char *network, *address;
        bool contains;
} contained[] = {
        { "192.0.2.7", "192.0.2.7", true },
        { "192.0.2.7", "192.0.2.6", false },
        { "192.0.2.7/32", "192.0.2.7", true },
        { "192.0.2.7/32", "192.0.2.6", false },
        { "192.0.2.6/31", "192.0.2.7", true },
        { "192.0.2.7/31", "192.0.2.6", true },
        { "192.0.2.6/31", "192.0.2.5", false },
        { "192.0.2.6/31", "192.0.2.8", false },
        { "10.0.0.0/8", "10.255.255.255", true },
        { "10.0.0.0/8", "11.0.0.0", false },
        { "10.1.2.3/8", "10.9.9.9", true },
        { "172.16.0.0/12", "172.31.255.255", true },
        { "172.16.0.0/12", "172.32.0.0", false },
        { "172.16.0.0/12", "172.15.255.255", false },
        { "203.0.113.64/27", "203.0.113.95", true },
        { "203.0.113.64/27", "203.0.113.96", false },
        { "203.0.113.64/27", "203.0.113.63", false },
        { "198.51.100.0/23", "198.51.101.255", true },
        { "198.51.100.0/23", "198.51.102.0", false },
        { "0.0.0.0/1", "127.255.255.255", true },
        { "0.0.0.0/1", "128.0.0.0", false },
        { "128.0.0.0/1", "128.0.0.0", true },
        { "0.0.0.0/0", "0.0.0.0", true },
        { "0.0.0.0/0", "255.255.255.255", true },
        { "192.0.2.7/0", "8.8.8.8", true },

        { "2001:db8::1", "2001:db8::1", true },
        { "2001:db8::1", "2001:db8::2", false },
        { "2001:db8::1", "2001:db8:0:0:1::1", false },
        { "2001:db8::1/128", "2001:db8::", false },
        { "2001:db8::/127", "2001:db8::1", true },
        { "2001:db8::/127", "2001:db8::2", false },
        { "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true },
        { "2001:db8::/32", "2001:db9::", false },
        { "2001:db8::/33", "2001:db8:7fff::", true },
        { "2001:db8::/33", "2001:db8:8000::", false },
        { "2001:db8::/61", "2001:db8:0:7::1", true },
        { "2001:db8::/61", "2001:db8:0:8::1", false },
        { "2001:db8::/97", "2001:db8::7fff:ffff", true },
        { "2001:db8::/97", "2001:db8::8000:0", false },
        { "8000::/1", "ffff::", true },
        { "8000::/1", "7fff::", false },
        { "::/0", "2001:db8::1", true },
        { "::/0", "::1", true },
        { "fe80::/10", "fe80::1", true },
        { "fe80::/10", "febf::1", true },
        { "fe80::/10", "fec0::1", false },

        /* A socket for both families sees an IPv4 client so. */
        { "192.0.2.7", "::ffff:192.0.2.7", true },
        { "192.0.2.0/25", "::ffff:192.0.2.127", true },
        { "192.0.2.0/25", "::ffff:192.0.2.128", false },
        { "0.0.0.0/0", "::ffff:8.8.8.8", true },
        { "::ffff:192.0.2.7", "192.0.2.7", true },
        { "::ffff:192.0.2.0/120", "192.0.2.200", true },
        { "::ffff:192.0.2.0/120", "192.0.3.0", false },
        { "::ffff:0:0/96", "192.0.2.7", true },
        { "::ffff:0:0/96", "2001:db8::1", false },

        /* One family says nothing of the other. */
        { "0.0.0.0/0", "::1", false },
        { "0.0.0.0/0", "::192.0.2.7", false },
        { "0.0.0.0/0", "2001:db8::1", false },
        { "::/0", "192.0.2.7", false },
        { "::/0", "::ffff:192.0.2.7", false },
        { "::/80", "192.0.2.7", false },
        { "::ffff:0:0/95", "192.0.2.7", false },
        { "127.0.0.1", "::1", false },
        { "::1", "127.0.0.1", false },
        { "192.0.2.7", "::192.0.2.7", false },
        { "192.0.2.7", "64:ff9b::192.0.2.7", false },
};

static void test_contains(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(contained); i++) {
                struct in6_addr address = peer(contained[i].address);
                Network network;

                if (!network_parse(contained[i].network, &network) ||
                    network_contains(&network, &address) != contained[i].contains)
                        fail_msg("%s in %s", contained[i].address, contained[i].network);
        }
}

/* Every length: the last bit that counts does, the first that does not is ignored. */
static void test_every_prefix(void **state _unused_)
{
        for (unsigned prefix = 0; prefix <= 128; prefix++) {
                Network network;
                char text[64];

                (void) snprintf(text, sizeof text, "2001:db8:a5a5:5a5a:a5a5:5a5a:a5a5:5a5a/%u", prefix);
                assert_true(network_parse(text, &network));
                for (unsigned bit = 0; bit < 128; bit++) {
                        struct in6_addr address = network.address;

                        address.s6_addr[bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
                        if (network_contains(&network, &address) != (bit >= prefix))
                                fail_msg("/%u, bit %u", prefix, bit);
                }
        }
        for (unsigned prefix = 0; prefix <= 32; prefix++) {
                Network network;
                char text[64];

                (void) snprintf(text, sizeof text, "165.90.165.90/%u", prefix);
                assert_true(network_parse(text, &network));
                for (unsigned bit = 0; bit < 128; bit++) {
                        struct in6_addr address = network.address;

                        address.s6_addr[bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
                        if (network_contains(&network, &address) != (bit >= 96 + prefix))
                                fail_msg("/%u, bit %u", prefix, bit);
                }
        }
}

static void test_no_network(void **state _unused_)
{
        static const char *const cases[] = {
                "",          "/",           "10.0.0.0/",      "10.0.0.0/33",  "10.0.0.0/-1",   "10.0.0.0/08",
                "10.0.0/8",  "10.0.0.0/8/", "10.0.0.0/ 8",    "10.0.0.0 /8",  " 10.0.0.0",     "010.0.0.1",
                "10.0.0.1.", "10.1",        "256.0.0.1",      "::/129",       "::/0x10",       ":::",
                "1::2::3",   "fe80::1%lo",  "fe80::1%lo/64",  "fe80::1%1",    "localhost",     "any",
                "[::1]",     "[::1]:9000",  "127.0.0.1:9000", "::1/128,::2",  "10.0.0.0/8.0",  "*",
                "10.*",      "10.0.0.0/255.0.0.0", "::ffff:1.2.3.4.5", "2001:db8:1:2:3:4:5:6:7",
                "0000000000000000000000000000000000000000000000000000000000000000::1",
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Network network;

                if (network_parse(cases[i], &network))
                        fail_msg("\"%s\"", cases[i]);
        }
}

static void test_list(void **state _unused_)
{
        char *list[] = { (char *) "10.0.0.0/8", (char *) "::1", NULL }, *none[] = { NULL };
        char *bad[] = { (char *) "::1", (char *) "localhost", NULL };
        _cleanup_(freep) Network *networks = NULL;
        struct in6_addr address = peer("::1");
        size_t n = 7;

        assert_int_equal(network_parse_list(none, &networks, &n), 0);
        assert_null(networks);
        assert_int_equal(n, 0);
        assert_int_equal(network_parse_list(bad, &networks, &n), -EINVAL);
        assert_null(networks);
        assert_int_equal(network_parse_list(list, &networks, &n), 0);
        assert_int_equal(n, 2);
        assert_false(network_contains(&networks[0], &address));
        assert_true(network_contains(&networks[1], &address));

        list[1] = NULL;
        free(networks);
        networks = NULL;
        assert_int_equal(network_parse_list(list, &networks, &n), 0);
        assert_int_equal(n, 1);
        assert_false(network_contains(&networks[0], &address));
}

/* The longest address that there is, and what is as long as that and one more. */
static void test_longest(void **state _unused_)
{
        static const char longest[] = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
        char text[INET6_ADDRSTRLEN + sizeof "/128"];
        Network network;

        assert_int_equal(strlen(longest), INET6_ADDRSTRLEN - 1);
        assert_true(network_parse(longest, &network));
        (void) snprintf(text, sizeof text, "%s/128", longest);
        assert_true(network_parse(text, &network));
        (void) snprintf(text, sizeof text, "0%s/128", longest);
        assert_false(network_parse(text, &network));
        (void) snprintf(text, sizeof text, "0%s", longest);
        assert_false(network_parse(text, &network));
}

/* A socket of another kind has no address that could be in a network. */
static void test_no_address(void **state _unused_)
{
        static const sa_family_t families[] = { AF_UNSPEC, AF_UNIX, AF_VSOCK, AF_NETLINK };
        struct in6_addr address;

        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                assert_false(
                        network_address(&(struct sockaddr_storage) { .ss_family = families[i] }, &address));
}

static void test_format(void **state _unused_)
{
        static const char *const cases[][2] = {
                { "192.0.2.7", "192.0.2.7" },
                { "::ffff:192.0.2.7", "192.0.2.7" },
                { "2001:DB8:0:0::1", "2001:db8::1" },
                { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
                { "::", "::" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct in6_addr address = peer(cases[i][0]);
                char buffer[INET6_ADDRSTRLEN];

                assert_string_equal(network_format(buffer, &address), cases[i][1]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_contains),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_no_network),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_longest),
                cmocka_unit_test(test_no_address),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
