/* SPDX-License-Identifier: MIT */

/* The judge of ini files beside PHP's own parser, in this process: a table, and many lines by chance. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <main/php.h>
#include <sapi/embed/php_embed.h>
#include <zend_ini_scanner.h>

#undef MIN
#undef MAX
#include "config/ini.h"

#define ENTRIES_MAX 32
#define SWEEP 400000

/* What a parser made of a text. */
typedef struct Seen {
        char *names[ENTRIES_MAX], *values[ENTRIES_MAX];
        size_t n;
        bool good;
} Seen;

static void seen_add(Seen *seen, const char *name, const char *value)
{
        if (seen->n == ENTRIES_MAX)
                return;
        seen->names[seen->n] = strdup(name);
        seen->values[seen->n++] = value ? strdup(value) : NULL;
}

static void seen_clear(Seen *seen)
{
        for (size_t i = 0; i < seen->n; i++) {
                free(seen->names[i]);
                free(seen->values[i]);
        }
}

static int on_entry(const char *section _unused_, const char *name, const char *value, void *userdata)
{
        seen_add(userdata, name, value);
        return 0;
}

static void on_php_entry(zval *name, zval *value, zval *offset _unused_, int type, void *userdata)
{
        if (name && type != ZEND_INI_PARSER_SECTION)
                seen_add(userdata, Z_STRVAL_P(name), value ? Z_STRVAL_P(value) : NULL);
}

static void ask_php(const char *text, Seen *seen)
{
        size_t size = strlen(text);
        char *copy = emalloc(size + ZEND_MMAP_AHEAD + 64);

        memcpy(copy, text, size);
        memset(copy + size, 0, ZEND_MMAP_AHEAD + 64);
        seen->good = zend_parse_ini_string(copy, false, ZEND_INI_SCANNER_NORMAL, on_php_entry, seen) ==
                     SUCCESS;
        efree(copy);
}

/* Whether PHP takes what we do not. */
static bool is_free_to_differ(const char *text, const IniError *error)
{
        return strstr(error->text, "apostrophe") || (PHP_VERSION_ID < 80300 && strchr(text, ']'));
}

/* Whether both see the same. Where PHP would read behind the end, there is nothing to compare. */
static void compare(const char *text)
{
        Seen ours = {}, php = {};
        IniError error = {};

        if (PHP_VERSION_ID < 80300 && strstr(text, ":-"))
                return;
        ours.good = ini_parse(text, on_entry, &ours, &error) == 0;
        if (ours.good || !is_free_to_differ(text, &error)) {
                ask_php(text, &php);
                if (ours.good != php.good)
                        fail_msg("PHP says %s, we say %s (%s) of:\n%s", php.good ? "good" : "bad",
                                 ours.good ? "good" : "bad", error.text, text);
                if (ours.n != php.n)
                        fail_msg("PHP finds %zu entries, we %zu in:\n%s", php.n, ours.n, text);
                for (size_t i = 0; i < ours.n; i++)
                        if (!streq(ours.names[i], php.names[i]) ||
                            (ours.values[i] && !streq(ours.values[i], php.values[i] ?: "(none)")))
                                fail_msg("PHP finds %s=%s, we %s=%s in:\n%s", php.names[i], php.values[i],
                                         ours.names[i], ours.values[i], text);
        }
        seen_clear(&ours);
        seen_clear(&php);
}

static const struct {
        const char *line;
        bool good;
} lines[] = {
        { "sendmail_path=/usr/bin/msmtp --host=localhost -t", false },
        { "sendmail_path=\"/usr/bin/msmtp --host=localhost -t\"", true },
        { "sendmail_path='/usr/bin/msmtp --host=localhost -t'", true },
        { "sendmail_path=/usr/sbin/sendmail -t -i", true },
        { "sendmail_path=''", true },
        { "a=b=c", false },
        { "a=", true },
        { "a=b (c)", false },
        { "a=(b)", true },
        { "a=b|c", true },
        { "a=b|", false },
        { "a=!b", true },
        { "a=hello!", false },
        { "a=~E_ALL & 5", true },
        { "a=on", true },
        { "a=on off", false },
        { "a=online now", true },
        { "a=b on", false },
        { "a=\"b", false },
        { "a='b", false },
        { "a=it's", false },
        { "a=b;c", true },
        { "a=\"C:\\dir\\\"", true },
        { "a=${b}", true },
        { "a=${b", false },
        { "a=${b c}", true },
        { "a=${bc:-d=e}", true },
        { "a=${bc:-}", true },
        { "a=${bc:-d", false },
        { "a=${bc:-d;e}", false },
        { "a=${bc:-'d'}", false },
        { "a=${bc:-\"d;e\"}", true },
        { "a=${bc:-d ${ef:-\"g${hi:-j}\"}}k", true },
        { "a=\"${bc:-d\\}e\"f\" }\"", true },
        { "a=${b:-c}", false },
        { "a=${:-c}", false },
        { "a=$b", true },
        { "a=b$", true },
        { "a={b}", true },
        { "a=b]", true },
        { "a=[b", true },
        { "a=\xc3\xa4", true },
        { "a\t=b", true },
        { "a[b]=c", false },
        { "[a]=c", false },
        { ";a=b", false },
        { "a;b=c", false },
        { "on=c", false },
        { "null=c", false },
        { "a!b=c", false },
        { "a|b=c", false },
        { "a{b=c", false },
        { "a(b=c", false },
        { "a\"b=c", false },
        { "a'b=c", true },
        { "$a=c", false },
};

static void test_lines(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                IniError error = {};
                char text[128];

                if ((ini_line_check(lines[i].line, &error) == 0) != lines[i].good)
                        fail_msg("%s is %s: %s", lines[i].line, lines[i].good ? "bad" : "good", error.text);
                if (!lines[i].good)
                        assert_true(*error.text);
                (void) snprintf(text, sizeof text, "%s\n", lines[i].line);
                compare(text);
        }
}

/* Texts of several lines, and ones that end within something. */
static void test_texts(void **state _unused_)
{
        static const char *const texts[] = {
                "",
                "\n",
                "a\n",
                "a=b",
                "a=b\nc=d",
                "; c",
                "; c\n[x]\na=b\n",
                "[x",
                "[x]",
                "[x]y=z\n",
                "[ x ]\n",
                "[\"x\"]\na=1\n",
                "[x${y}z]\n",
                "a=\"b\nc\"\nd=e\n",
                "a='b\nc'\nd=e\n",
                "a=b\r\nc=d\r\n",
                "a=b\rc=d\r",
                "a=b ; c\nd=e\n",
                "a[]=b\na[c]=d\na[\"e\"]=f\na['g']=h\n",
                "\xef\xbb\xbf"
                "a=b\n",
                "a=b\n\xef\xbb\xbf"
                "c=d\n",
                "a=1\nb=2\n)\nc=3\n",
                " \t a = b \t \n",
                "a=\n\nb=\n",
                "a=${\n}\n",
                "a=b$\nc\n",
                "a=$\\;b\n",
                "a=$\\$ b\n",
                "a=\"${b}c${d}\"e'f'\n",
                "a = \"b\" c\n",
                "a=5\nb=-5\nc=5.5\nd=5.\n",
                "#a\n",
                "extension=x\nextension=y\n",
                "a=true\nb=FALSE\nc=Null\nd=none\n",
                "a=\"\\\"\\\\\\$\\n\"\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                compare(texts[i]);
}

/* Lines of words that mean something to the scanner, always the same ones. */
static void test_sweep(void **state _unused_)
{
        static const char *const words[] = {
                "a", "a", "b", "1",  " ",    " ",  "\t", "=",  "=",  "\"", "\"", "'",
                "$", "{", "}", "${", "[",    "]",  ";",  "\\", "(",  ")",  "|",  "&",
                "^", "~", "!", ":",  ".",    "-",  "/",  "\n", "on", "no", "%",  "+",
                ",", "<", "?", "@",  "null", "\r", "0",  "_",  "*",  "#",  "a=", "\xc3\xa4",
                ":-", "${ab:-", "${a", "}", "}", "\"${ab:-",
        };
        uint64_t random = 1;

        for (size_t i = 0; i < SWEEP; i++) {
                char text[128] = "";
                size_t n;

                random = random * 6364136223846793005U + 1442695040888963407U;
                n = 1 + (random >> 60);
                if (random >> 59 & 1)
                        (void) strcpy(text, "a=");
                while (n-- > 0) {
                        random = random * 6364136223846793005U + 1442695040888963407U;
                        (void) strcat(text, words[(random >> 40) % ELEMENTSOF(words)]);
                }
                (void) strcat(text, "\n");
                compare(text);
        }
}

static void test_depth(void **state _unused_)
{
        char text[INI_DEPTH_MAX + 16] = "a=";
        IniError error;

        memset(text + 2, '(', INI_DEPTH_MAX + 1);
        assert_int_equal(ini_line_check(text, &error), -EINVAL);
        memset(text + 2, '~', INI_DEPTH_MAX + 1);
        text[INI_DEPTH_MAX + 3] = 'b';
        assert_int_equal(ini_line_check(text, &error), 0);

        for (size_t i = 0; i < 100; i++)
                memcpy(text + 2 + 6 * i, "${bc:-", 6);
        memset(text + 602, '}', 100);
        text[702] = 0;
        assert_int_equal(ini_line_check(text, &error), -EINVAL);
}

/* The entries, and what of a value is not worked out. */
static void test_entries(void **state _unused_)
{
        static const char text[] =
                        "a = 'b c'\n[HOST=x]\nd = \"e\"f\ng = ${h}\ni = 1|2\nj = yes\nk = off\nl\n";
        static const char *const expected[][2] = { { "a", "b c" }, { "d", "ef" }, { "g", NULL },
                                                   { "i", NULL },  { "j", "1" },  { "k", "" },
                                                   { "l", NULL } };
        Seen seen = {};
        IniError error;

        assert_int_equal(ini_parse(text, on_entry, &seen, &error), 0);
        assert_int_equal(seen.n, ELEMENTSOF(expected));
        for (size_t i = 0; i < seen.n; i++) {
                assert_string_equal(seen.names[i], expected[i][0]);
                assert_string_equal(seen.values[i] ?: "(none)", expected[i][1] ?: "(none)");
        }
        seen_clear(&seen);
        assert_int_equal(ini_parse("a=1\nb=2\nc=)\n", NULL, NULL, &error), -EINVAL);
        assert_int_equal(error.line, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),   cmocka_unit_test(test_texts), cmocka_unit_test(test_sweep),
                cmocka_unit_test(test_entries), cmocka_unit_test(test_depth),
        };
        char *argv[] = { (char *) "test", NULL };
        int failed;

        php_embed_module.php_ini_ignore = 1;
        if (php_embed_init(1, argv) != SUCCESS)
                return EXIT_FAILURE;
        EG(error_reporting) = 0;
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        php_embed_shutdown();
        return failed;
}
