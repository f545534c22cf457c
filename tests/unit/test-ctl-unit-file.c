/* SPDX-License-Identifier: MIT */

/* What several files of a unit make together: their syntax, and in a tree of files, which of them count. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "config/settings.h"
#include "ctl/unit-file.h"
#include "helpers/directory.h"

/* "Section.Key=value@line" of each that counts, with "!" before those of a package. */
static char *show(const UnitFile *unit, bool lines)
{
        char *string;
        Text text;

        assert_int_equal(text_open(&text), 0);
        for (size_t i = 0; i < unit->n; i++) {
                const UnitAssignment *a = &unit->items[i];

                fprintf(text.f, "%s%s%s.%s=%s", i > 0 ? "|" : "", a->vendor ? "!" : "", a->section, a->key,
                        a->value);
                if (lines)
                        fprintf(text.f, "@%u", a->line);
        }
        assert_int_equal(text_close(&text, 0, &string), 0);
        return string;
}

static const struct {
        const char *text, *expected;
} texts[] = {
        { "", "" },
        { "[Service]\nUMask=0002\n", "Service.UMask=0002@2" },
        { "[Service]\n  UMask = 0002  \r\n", "Service.UMask=0002@2" },
        { "UMask=0002\n[Service\nNice=1\n", "" },
        { "# a\n; b\n[Service]\n#Nice=1\n\nNice=2", "Service.Nice=2@6" },
        { "[Service]\nEnvironment=A=1 \\\n  B=2 \\\n# c\n  C=3\nNice=1\n",
          "Service.Environment=A=1    B=2    C=3@2|Service.Nice=1@6" },
        { "[Service]\nEnvironment=A\nEnvironment=B\nNice=1\nEnvironment=\nEnvironment=C\n",
          "Service.Nice=1@4|Service.Environment=C@6" },
        { "[Unit]\nAfter=a\n[Service]\nAfter=\n[Unit]\nAfter=b\n", "Unit.After=a@2|Unit.After=b@6" },
        { "[Service]\nnonsense\nNice=1\\\n", "Service.Nice=1@3" },
        { "[Service]\nEnvironment=A=b=c\n", "Service.Environment=A=b=c@2" },
};

static void test_texts(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(unit_file_freep) UnitFile *unit = NULL;
                _cleanup_(freep) char *shown = NULL;

                assert_int_equal(unit_file_new("a.service", &unit), 0);
                assert_int_equal(unit_file_parse(unit, "f", texts[i].text, false), 0);
                shown = show(unit, true);
                assert_string_equal(shown, texts[i].expected);
        }
}

static void test_words(void **state _unused_)
{
        static const char *const expected[] = { "A=1", "B=2 3", "C=4'5", "D= \t\"\\A", "E=", "F=$x;" };
        const char *p = " A=1 \"B=2 3\"  'C=4'\"'\"5 D=\\s\\t\\\"\\\\\\x41 E=\"\" F=$x; ";

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                _cleanup_(freep) char *word = NULL;

                assert_int_equal(unit_next_word(&p, &word), 1);
                assert_string_equal(word, expected[i]);
        }
        assert_int_equal(unit_next_word(&p, NULL), 0);
}

/* ---- Files ---- */

#define LIB "usr/lib/systemd/system/"
#define ETC "etc/systemd/system/"
#define RUN "run/systemd/system/"

static const struct {
        const char *unit;
        const char *files[12]; /* path, text (behind ">", what a link points to), …, NULL */
        const char *expected;
} trees[] = {
        { "php8.2-fpm.service", { NULL }, "" },
        { "php8.2-fpm.service",
          { LIB "php8.2-fpm.service", "[Service]\nType=notify\n" },
          "!Service.Type=notify" },
        /* A copy in /etc takes the place of the package's; what both say is the package's. */
        { "php8.2-fpm.service",
          { LIB "php8.2-fpm.service", "[Service]\nType=notify\nNice=1\n", ETC "php8.2-fpm.service",
            "[Service]\nType=notify\nNice=2\nUMask=0002\n" },
          "!Service.Type=notify|Service.Nice=2|Service.UMask=0002" },
        /* Drop-ins in the order of their names, whatever directory they are in. */
        { "php8.2-fpm.service",
          { LIB "php8.2-fpm.service", "[Service]\nNice=0\n", ETC "php8.2-fpm.service.d/b.conf",
            "[Service]\nNice=2\n", RUN "php8.2-fpm.service.d/a.conf", "[Service]\nNice=1\n",
            LIB "php8.2-fpm.service.d/c.conf", "[Service]\nNice=3\n" },
          "!Service.Nice=0|Service.Nice=1|Service.Nice=2|Service.Nice=3" },
        /* /etc hides /run, which hides /usr/lib, where names are the same; /dev/null hides, too. */
        { "php8.2-fpm.service",
          { LIB "php8.2-fpm.service.d/a.conf", "[Service]\nNice=3\n", RUN "php8.2-fpm.service.d/a.conf",
            "[Service]\nNice=2\n", ETC "php8.2-fpm.service.d/a.conf", "[Service]\nNice=1\n",
            LIB "php8.2-fpm.service.d/b.conf", "[Service]\nUMask=0002\n", ETC "php8.2-fpm.service.d/b.conf",
            ">/dev/null" },
          "Service.Nice=1" },
        /* An empty value takes away what the package says. */
        { "php8.2-fpm.service",
          { LIB "php8.2-fpm.service", "[Service]\nReadWritePaths=/a\n",
            ETC "php8.2-fpm.service.d/override.conf", "[Service]\nReadWritePaths=\nReadWritePaths=/b\n" },
          "Service.ReadWritePaths=/b" },
        /* set-property, an alias, dashes, and all services; what is no drop-in is none. */
        { "php8.2-fpm.service",
          { "etc/systemd/system.control/php8.2-fpm.service.d/50-MemoryMax.conf",
            "[Service]\nMemoryMax=1G\n", ETC "php-fpm.service", ">/lib/systemd/system/php8.2-fpm.service",
            ETC "php-fpm.service.d/60.conf", "[Service]\nNice=1\n" },
          "Service.MemoryMax=1G|Service.Nice=1" },
        { "php8.2-fpm.service",
          { ETC "php8.2-.service.d/a.conf", "[Service]\nNice=1\n", ETC "service.d/b.conf",
            "[Service]\nNice=2\n", ETC "php8.2-fpm.service.d/c.txt", "[Service]\nNice=3\n",
            ETC "php8.3-fpm.service.d/c.conf", "[Service]\nNice=4\n" },
          "Service.Nice=1|Service.Nice=2" },
        /* An instance has its template's file, and drop-ins of both. */
        { "php-pool@www.service",
          { LIB "php-pool@.service", "[Service]\nUser=www-data\n", ETC "php-pool@.service.d/a.conf",
            "[Service]\nNice=1\n", ETC "php-pool@www.service.d/b.conf", "[Service]\nUser=www\n",
            ETC "php-pool@shop.service.d/b.conf", "[Service]\nUser=shop\n" },
          "!Service.User=www-data|Service.Nice=1|Service.User=www" },
};

static void test_trees(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(trees); i++) {
                _cleanup_(unit_file_freep) UnitFile *unit = NULL;
                _cleanup_(freep) char *shown = NULL;
                Directory root;

                directory_make(&root);
                for (const char *const *f = trees[i].files; f[0]; f += 2)
                        if (*f[1] == '>')
                                directory_link(&root, f[0], f[1] + 1);
                        else
                                directory_write_text(&root, f[0], f[1]);
                assert_int_equal(unit_file_load(root.path, trees[i].unit, &unit), 0);
                shown = show(unit, false);
                directory_remove(&root);
                assert_string_equal(shown, trees[i].expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_trees),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
