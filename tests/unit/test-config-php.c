/* SPDX-License-Identifier: MIT */

/* Which PHPs there are, which of them a pool runs, and what is said where there is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "config/php.h"
#include "helpers/directory.h"

static const struct {
        const char *version;
        bool valid, supported;
} versions[] = {
        { "8.2", true, true },
        { "8.10", true, true },
        { "9.0", true, true },
        { "10.0", true, true },
        { "99.99", true, true },
        { "8.1", true, false },
        { "7.4", true, false },
        { "7.10", true, false },
        { "0.0", true, false },
        { "" },
        { "8" },
        { "8." },
        { ".4" },
        { "." },
        { "8.4.1" },
        { "8.4." },
        { "8.4 " },
        { " 8.4" },
        { "8,4" },
        { "8.04" },
        { "08.4" },
        { "8.-4" },
        { "+8.4" },
        { "8.100" },
        { "100.1" },
        { "latest" },
        { "8.x" },
        { "8.6RC1" },
        { "../x" },
        { "8.4/../8.5" },
        { "8.4\n" },
        { "８.４" },
};

static void test_versions(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(versions); i++)
                if (php_version_valid(versions[i].version) != versions[i].valid ||
                    (versions[i].valid &&
                     php_version_supported(versions[i].version) != versions[i].supported))
                        fail_msg("\"%s\"", versions[i].version);
}

/*
 * Names in a directory, with spaces between; "/" behind one makes a directory, "@" a link to nothing, "!" a
 * file that is no program. And the versions that they are, newest first.
 */
static const struct {
        const char *names, *list;
} directories[] = {
        { "", "" },
        { "php-pool-worker-8.4", "8.4" },
        { "php-pool-worker-8.2 php-pool-worker-8.4 php-pool-worker-8.3", "8.4 8.3 8.2" },
        { "php-pool-worker-8.9 php-pool-worker-8.10", "8.10 8.9" },
        { "php-pool-worker-9.0 php-pool-worker-8.10 php-pool-worker-10.0", "10.0 9.0 8.10" },
        { "php-pool-worker php-pool-worker- php-pool-worker-8 php-pool-worker-8.4.1 php-pool-worker-8.4.p",
          "" },
        { "php-pool-worker-8.4.dpkg-new php-pool-worker-8.5~ xphp-pool-worker-8.6 php-pool-sendmail 8.4",
          "" },
        { "php-pool-worker-8.5/ php-pool-worker-8.6@ php-pool-worker-8.7! php-pool-worker-8.4", "8.4" },
        { "php-pool-worker-8.5/", "" },
};

static void make_file(const Directory *d, char *name)
{
        _cleanup_(freep) char *path = NULL;
        char kind = name[strlen(name) - 1];

        if (strchr("/@!", kind))
                name[strlen(name) - 1] = 0;
        path = directory_path(d, name);
        if (kind == '/')
                assert_int_equal(mkdir(path, 0755), 0);
        else if (kind == '@')
                directory_link(d, name, "nowhere");
        else {
                directory_write_text(d, name, "");
                assert_int_equal(chmod(path, kind == '!' ? 0644 : 0755), 0);
        }
}

static void make_directory(const char *names, Directory *d)
{
        _cleanup_(freep) char *copy = strdup(names);
        char *save = NULL;

        directory_make(d);
        for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save))
                make_file(d, name);
}

static void test_lists(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                char seen[256] = "";
                PhpVersion newest = "";
                Directory d;
                PhpList list;

                make_directory(directories[i].names, &d);
                assert_int_equal(php_list(d.path, &list), 0);
                for (size_t j = 0; j < list.n; j++)
                        (void) snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%s",
                                        j > 0 ? " " : "", list.versions[j]);
                assert_string_equal(seen, directories[i].list);

                assert_int_equal(php_find(d.path, "", &newest), list.n > 0 ? 0 : -ENOENT);
                assert_memory_equal(newest, directories[i].list, strlen(newest));
                directory_remove(&d);
                assert_int_equal(php_list(d.path, &list), 0);
                assert_int_equal(list.n, 0);
        }
}

static void test_a_crowd(void **state _unused_)
{
        Directory d;
        PhpList list;

        directory_make(&d);
        for (unsigned minor = 0; minor < 100; minor++) {
                char name[32];

                (void) snprintf(name, sizeof name, "php-pool-worker-8.%u", minor);
                make_file(&d, name);
        }
        assert_int_equal(php_list(d.path, &list), 0);
        assert_int_equal(list.n, PHP_LIST_MAX);
        assert_string_equal(list.versions[0], "8.99");
        assert_string_equal(list.versions[PHP_LIST_MAX - 1], "8.36");
        directory_remove(&d);
}

static void test_no_directory(void **state _unused_)
{
        PhpVersion version;

        assert_int_equal(php_find("/dev/null", "8.4", &version), -ENOTDIR);
}

/* What is there, newest first; what the pool file wants; and what is found, or said. */
static const struct {
        PhpList list;
        const char *wanted, *found, *missing;
} choices[] = {
        { { { "8.4", "8.2" }, 2 }, "", "8.4", NULL },
        { { { "8.4", "8.2" }, 2 }, "8.2", "8.2", NULL },
        { { { "8.10", "8.9" }, 2 },
          "8.1",
          NULL,
          "8.1 is too old, php-pool runs PHP 8.2 and later: there are 8.9 and 8.10" },
        { { { "8.4", "8.2" }, 2 },
          "8.3",
          NULL,
          "8.3 is not installed here: there are 8.2 and 8.4; install the package php8.3-pool" },
        { { { "8.6", "8.5", "8.4" }, 3 },
          "9.0",
          NULL,
          "9.0 is not installed here: there are 8.4, 8.5 and 8.6; the newest that this php-pool knows is "
          "8.6" },
        { { { "8.6", "8.4" }, 2 },
          "8.40",
          NULL,
          "8.40 is not installed here: there are 8.4 and 8.6; the newest that this php-pool knows is 8.6" },
        { { { "8.2" }, 1 },
          "8.6",
          NULL,
          "8.6 is not installed here: there is 8.2; install the package php8.6-pool" },
        { { { "8.2" }, 1 },
          "8.3",
          NULL,
          "8.3 is not installed here: there is 8.2; install the package php8.3-pool" },
        { {},
          "8.3",
          NULL,
          "8.3 is not installed here: there is no worker in /dir; install the package php8.3-pool" },
        { {},
          "",
          NULL,
          "no PHP is installed here: there is no worker in /dir; install the package phpX.Y-pool, X.Y "
          "being its version" },
};

static void test_choices(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(choices); i++) {
                _cleanup_(freep) char *text = NULL;
                PhpVersion version;
                int r = php_choose(&choices[i].list, choices[i].wanted, &version);

                if (choices[i].found) {
                        assert_int_equal(r, 0);
                        assert_string_equal(version, choices[i].found);
                        continue;
                }
                assert_int_equal(r, -ENOENT);
                assert_int_equal(php_missing("/dir", &choices[i].list, choices[i].wanted, &text), 0);
                assert_string_equal(text, choices[i].missing);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_versions), cmocka_unit_test(test_lists),
                cmocka_unit_test(test_a_crowd),  cmocka_unit_test(test_no_directory),
                cmocka_unit_test(test_choices),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
