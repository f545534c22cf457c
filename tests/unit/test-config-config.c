/* SPDX-License-Identifier: MIT */

/* A pool's settings without a pool file: the table, the defaults, what types allow, the sealed form. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "config/allow.h"
#include "config/settings.h"
#include "helpers/poolfile.h"
#include "helpers/text.h"
#include "poolfile/dump.h"

static Config *new_config(void)
{
        Config *config = NULL;

        assert_int_equal(config_new(&config), 0);
        assert_non_null(config);
        return config;
}

static void test_defaults(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config();

        assert_int_equal(c->pm_mode, PM_DYNAMIC);
        assert_int_equal(c->pm_max_children, 16);
        assert_int_equal(c->pm_process_idle_timeout, 10 * USEC_PER_SEC);
        assert_int_equal(c->pm_max_memory, 0);
        assert_false(c->request_terminate_timeout_track_finished);
        assert_string_equal(c->access_format, "%R - %u %t \"%m %r\" %s");
        assert_string_equal(c->security_limit_extensions[0], ".php");
        assert_string_equal(c->security_limit_extensions[1], ".phar");
        assert_null(c->security_limit_extensions[2]);
        assert_null(c->php_value[0]);
        assert_int_equal(c->security_ini_params, INI_PARAMS_UNIX);
        assert_int_equal(c->reload_start_timeout, 60 * USEC_PER_SEC);
        assert_int_equal(c->watchdog_stall, 300 * USEC_PER_SEC);
        assert_int_equal(c->log_level, LOG_NOTICE);

        config_free(NULL);
}

/* Every default is allowed, keys are found and stand once, groups stand together. */
static void test_table(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                const Setting *s = &settings[i];

                assert_ptr_equal(setting_find(s->key), s);
                assert_true(*s->help);
                assert_int_equal(s->help[strlen(s->help) - 1], '.');
                if (setting_takes_number(s))
                        assert_true(s->min <= s->max && s->max > 0 && s->max < INT64_MAX);
                else
                        assert_true(s->min == 0 && s->max == 0);
        }
        assert_null(setting_find("pm"));
        assert_null(setting_find(""));
        assert_true(setting_group_exists("pm"));
        assert_false(setting_group_exists("p"));
        assert_false(setting_group_exists("idle_exit"));
        assert_false(setting_group_exists(""));
}

static void test_pm_mode(void **state _unused_)
{
        assert_string_equal(pm_mode_to_string(PM_STATIC), "static");
        assert_string_equal(pm_mode_to_string(PM_DYNAMIC), "dynamic");
        assert_string_equal(pm_mode_to_string(PM_ONDEMAND), "ondemand");
        assert_null(pm_mode_to_string(_PM_MODE_MAX));
        assert_null(pm_mode_to_string((PmMode) -1));
}

static const struct {
        bool (*allows)(const char *s);
        const char *yes[8], *no[12];
} allow_cases[] = {
        { allow_path, { "", "/", "/a b" }, { "a", " /a", "./a" } },
        { allow_absolute_path, { "/" }, { "", "a" } },
        { allow_search_path, { "", "/a", "/a:/b", ":/b", "/a:", ":", "/a::/b" }, { "a", "/a:b", ":b" } },
        { allow_log_target, { "off", "journal", "/x" }, { "", "on", "x/y", "Off" } },
        { allow_extension, { ".php", ".a.b" }, { "", ".", "php", "./x" } },
        {
                        allow_network,
                        { "1.2.3.4", "0.0.0.0/0", "10.0.0.0/32", "::", "::1/128", "2001:db8::/0",
                          "::ffff:1.2.3.4" },
                        { "", "any", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/08", "::/129",
                          "/8", "fe80::1%eth0", "1.2.3.4/8/8",
                          "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" },
        },
        {
                        allow_ini_line,
                        { "a=b", "a=", "a==", "date.timezone=Europe/Berlin", "a=b c\td", "a=\xc3\xa4" },
                        { "", "=", "=b", "a", "a =b", " a=b", "a\t=b", "a=b\nc=d", "a\n=b", "a=\r",
                          "a=\x7f" },
        },
};

static void test_allow(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(allow_cases); i++) {
                for (size_t j = 0; j < ELEMENTSOF(allow_cases[i].yes) && allow_cases[i].yes[j]; j++)
                        if (!allow_cases[i].allows(allow_cases[i].yes[j]))
                                fail_msg("case %zu refuses \"%s\"", i, allow_cases[i].yes[j]);
                for (size_t j = 0; j < ELEMENTSOF(allow_cases[i].no) && allow_cases[i].no[j]; j++)
                        if (allow_cases[i].allows(allow_cases[i].no[j]))
                                fail_msg("case %zu allows \"%s\"", i, allow_cases[i].no[j]);
        }
}

static void test_dump(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config();
        _cleanup_(freep) char *text = NULL;

        c->pm_max_memory = 64 << 20;
        c->idle_exit = 90 * USEC_PER_SEC;
        set_string(&c->ping_response, "a\"b\\c\n\x01\xc3\xa4");
        text = dump(c);

        assert_non_null(strstr(text, "pm.mode = \"dynamic\";\n"));
        assert_non_null(strstr(text, "\npm.max_children = 16;\n"));
        assert_non_null(strstr(text, "\npm.max_memory = \"64M\";\n"));
        assert_non_null(strstr(text, "\naccess.log = \"off\";\n"));
        assert_non_null(strstr(text, "\nidle_exit = \"1min 30s\";\n"));
        assert_non_null(strstr(text, "\nping.response = \"a\\\"b\\\\c\\n\\x01\xc3\xa4\";\n"));
        assert_non_null(strstr(text, "\nsecurity.limit_extensions = [\".php\", \".phar\"];\n"));
        assert_non_null(strstr(text, "\nphp.value = [];\n"));
        assert_non_null(strstr(text, "\nreload.warmup = [];\n"));
}

static void test_quote_cuts(void **state _unused_)
{
        char buffer[32] = {};
        FILE *f = fmemopen(buffer, sizeof buffer, "w");

        quote_write("abc\xc3\xa4", 4, f);
        quote_write("abc", 3, f);
        fclose(f);
        assert_string_equal(buffer, "\"abc…\"\"abc\"");
}

static void test_seal(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config(), *copy = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        c->pm_mode = PM_ONDEMAND;
        c->pm_max_requests = UINT32_MAX;
        c->request_terminate_timeout_track_finished = true;
        c->log_level = LOG_DEBUG;
        set_string(&c->php_ini, "/etc/php.ini");
        set_string(&c->security_limit_extensions[1], ".php7");

        assert_int_equal(config_seal(c, &fd), 0);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(write(fd, "x", 1), -1);

        assert_int_equal(config_unseal(fd, &copy), 0);
        assert_same(c, copy);
}

/* What the pool file could not say is not sealed either. */
static void test_seal_refuses(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config();
        _cleanup_(freep) char *too_long = malloc(CONFIG_STRING_MAX + 2);
        int fd = -EBADF;

        c->pm_max_children = 0;
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        c->pm_max_children = CONFIG_CHILDREN_MAX + 1;
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        c->pm_max_children = CONFIG_CHILDREN_MAX;

        c->pm_mode = _PM_MODE_MAX;
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        c->pm_mode = PM_STATIC;

        c->log_level = -1;
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        c->log_level = LOG_ERR;

        set_string(&c->php_ini, "relative");
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        set_string(&c->php_ini, "");

        set_string(&c->security_limit_extensions[0], "");
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        set_string(&c->security_limit_extensions[0], ".x");

        assert_non_null(too_long);
        memset(too_long, 'x', CONFIG_STRING_MAX + 1);
        too_long[CONFIG_STRING_MAX + 1] = 0;
        set_string(&c->ping_response, too_long);
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        too_long[CONFIG_STRING_MAX] = 0;
        set_string(&c->ping_response, too_long);
        assert_int_equal(fd, -EBADF);
        assert_int_equal(config_seal(c, &fd), 0);
        fd_close(fd);
}

static void test_seal_refuses_great_sum(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config();
        char **lines = calloc(CONFIG_LIST_MAX + 2, sizeof *lines);
        int fd = -EBADF;

        assert_non_null(lines);
        for (size_t i = 0; i < CONFIG_LIST_MAX; i++) {
                lines[i] = malloc(8193);
                assert_non_null(lines[i]);
                memset(lines[i], 'x', 8192);
                lines[i][8192] = 0;
                lines[i][1] = '=';
        }
        setting_take_list(setting_find("php.value"), lines, c);
        assert_int_equal(config_seal(c, &fd), -E2BIG);

        lines[CONFIG_LIST_MAX] = strdup("a=b");
        assert_int_equal(config_seal(c, &fd), -EINVAL);
        assert_int_equal(fd, -EBADF);
}

static void test_unseal_needs_seals(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config();
        _cleanup_(fd_closep) int sealed = -EBADF, copy = -EBADF, null = -EBADF;
        _cleanup_(freep) void *data = NULL;
        Config *ret = NULL;
        size_t size;

        assert_int_equal(config_seal(c, &sealed), 0);
        assert_int_equal(io_read_file(sealed, SIZE_MAX, &data, &size), 0);

        copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_true(copy >= 0);
        assert_int_equal(io_write_all(copy, data, size), 0);
        assert_int_equal(config_unseal(copy, &ret), -EPERM);
        assert_int_equal(fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
        assert_int_equal(config_unseal(copy, &ret), -EPERM);
        assert_int_equal(fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE), 0);
        assert_int_equal(config_unseal(copy, &ret), 0);
        config_free(TAKE_PTR(ret));

        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_int_equal(config_unseal(null, &ret), -EPERM);
        assert_int_equal(config_unseal(-1, &ret), -EBADF);
        assert_null(ret);
}

static int unseal_bytes(const void *data, size_t size, Config **ret)
{
        _cleanup_(fd_closep) int fd = -EBADF;

        assert_int_equal(fd_new_sealed_memfd("test", data, size, &fd), 0);
        return config_unseal(fd, ret);
}

static void test_unseal_refuses(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = new_config();
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) void *data = NULL;
        _cleanup_(freep) uint8_t *bytes = NULL;
        Config *ret = NULL;
        size_t size;

        assert_int_equal(config_seal(c, &fd), 0);
        assert_int_equal(io_read_file(fd, SIZE_MAX, &data, &size), 0);
        bytes = malloc(size + 1);
        assert_non_null(bytes);
        memcpy(bytes, data, size);
        bytes[size] = 0;

        /* Cut at every place, and one byte too long. */
        for (size_t i = 0; i < size; i++)
                assert_int_equal(unseal_bytes(bytes, i, &ret), -EBADMSG);
        assert_int_equal(unseal_bytes(bytes, size + 1, &ret), -EBADMSG);
        assert_null(ret);

        /* One byte changed: refused, or other settings that are allowed; the first word allows no change. */
        for (size_t i = 0; i < size; i++) {
                int r;

                bytes[i] ^= 0x81;
                r = unseal_bytes(bytes, size, &ret);
                assert_true(r == -EBADMSG || (r == 0 && i >= 8));
                config_free(TAKE_PTR(ret));
                bytes[i] ^= 0x81;
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_pm_mode),
                cmocka_unit_test(test_allow),
                cmocka_unit_test(test_dump),
                cmocka_unit_test(test_quote_cuts),
                cmocka_unit_test(test_seal),
                cmocka_unit_test(test_seal_refuses),
                cmocka_unit_test(test_seal_refuses_great_sum),
                cmocka_unit_test(test_unseal_needs_seals),
                cmocka_unit_test(test_unseal_refuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
