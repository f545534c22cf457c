/* SPDX-License-Identifier: MIT */

/*
 * Any text as PHP_VALUE and, behind a byte 0x1e, as PHP_ADMIN_VALUE of a request: the next request has the
 * settings that the first one had. Settings that name files are left out: PHP would write to them.
 */

#include <stdio.h>

#include "helpers/php.h"
#include "input.h"

static const char *const scripts[][2] = {
        { "all.php", "<?php echo json_encode(ini_get_all(null, false));" },
        { "php.ini", "expose_php=0\nlog_errors=0\nerror_log=/dev/null\n" },
        { "empty/x", "" },
};

static char *settings;

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

/* PHP has memory of its own until a process ends. */
const char *__lsan_default_suppressions(void)
{
        return "leak:libphp.so\n";
}

const char *__lsan_default_options(void)
{
        return "print_suppressions=0";
}

static void stop(void)
{
        (void) env_close(NULL);
        free(TAKE_PTR(settings));
}

/* Runs the script, with these variables; false where PHP can serve no more. */
static bool request(const char *value, const char *admin_value, Exchange *x)
{
        *x = (Exchange){ .script = "all.php", .vars = { value, admin_value } };
        run(x);
        return !x->outcome.must_exit;
}

static void start(void)
{
        static Exchange x;

        if (settings)
                return;
        env_open(scripts, ELEMENTSOF(scripts));
        CHECK(env_start() == 0 && request(NULL, NULL, &x));
        settings = strdup(body_of(&x));
        CHECK(settings && strlen(settings) > 1000 && atexit(stop) == 0);
}

static bool names_file(const char *s)
{
        static const char *const words[] = { "log", "file", "path", "dir", "tmp", "name" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasestr(s, words[i]))
                        return true;
        return false;
}

static char *variable(const char *name, Input *in)
{
        _cleanup_(freep) char *value = input_until(in, 0x1e);
        char *s = NULL;

        CHECK(asprintf(&s, "%s=%s", name, names_file(value) ? "" : value) > 0);
        return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static Exchange x;
        Input in = { data, size };
        _cleanup_(freep) char *value = variable("PHP_VALUE", &in), *admin = variable("PHP_ADMIN_VALUE", &in);

        start();
        CHECK(request(value, admin, &x));
        CHECK(request(NULL, NULL, &x));
        CHECK(streq(body_of(&x), settings));
        return 0;
}
