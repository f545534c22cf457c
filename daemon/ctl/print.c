/* SPDX-License-Identifier: MIT */

/*
 * What php-poolctl says to people, and the one place that lets text of others out to a terminal: a pool, a
 * script, a client or a file may have written any part of it. Besides, only table.c and base/json.c write
 * text, and they escape too.
 */

#include "ctl/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "ipc/names.h"

/* Cursor to the top left, and all below it cleared: ECMA-48. */
#define CLEAR_SCREEN "\033[H\033[J"

void ctl_print(const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vformat(&text, format, ap);
        va_end(ap);
        if (r >= 0)
                text_write_escaped(stdout, text, strlen(text), /* lines= */ false);
        fputc('\n', stdout);
}

void ctl_clear_screen(void)
{
        fputs(CLEAR_SCREEN, stdout);
}

CtlExit ctl_fail(int error, const char *format, ...)
{
        _cleanup_(freep) char *escaped = NULL;
        char message[LOG_MESSAGE_MAX];
        va_list ap;

        errno = abs(error);
        va_start(ap, format);
        (void) vsnprintf(message, sizeof message, format, ap);
        va_end(ap);
        message[utf8_cut(message, strlen(message))] = 0;

        if (text_escape(message, &escaped) < 0)
                return CTL_FAILURE;
        /*
         * A record by socket would not do for the journal: this process ends at once, so journald may not
         * find out its unit any more, and journalctl -u would not show the record. The stream names the
         * unit.
         */
        fprintf(stderr, "%s%s\n", log_to_journal() ? SD_ERR : "", escaped);
        return CTL_FAILURE;
}

CtlExit ctl_fail_lines(const char *before, const char *text)
{
        assert(before && text);

        for (size_t i = 0; i < CTL_FAIL_LINES_MAX; i++) {
                size_t n = strcspn(text, "\n");

                (void) ctl_fail(0, "%s: %.*s", before, (int) n, text);
                text += n;
                if (!*text)
                        return CTL_FAILURE;
                text++;
        }
        return ctl_fail(0, "%s: there is more of it.", before);
}

CtlExit ctl_fail_no_answer(const char *pool)
{
        return ctl_fail(0, "Pool %s does not answer.", pool);
}

CtlExit ctl_fail_no_pool(const char *pool)
{
        const char *why = pool_name_error(pool);

        if (why)
                (void) ctl_fail(0, "No pool can be called \"%s\": %s.", pool, why);
        else
                (void) ctl_fail(0, "There is no pool %s: it has no file " CONFIG_DIR "/%s.conf.", pool,
                                pool);
        return CTL_NO_SUCH_POOL;
}

bool ctl_fail_misnamed(void)
{
        char **names;
        size_t n;

        if (ctl_misnamed_files(&names, &n) < 0)
                return false;
        for (size_t i = 0; i < n; i++)
                (void) ctl_fail(0, CONFIG_DIR "/%s.conf: no pool can be called \"%s\": %s.", names[i],
                                names[i], pool_name_error(names[i]));
        ctl_names_free(names, n);
        return n > 0;
}

void escaped_write(Escaped *e, const char *bytes, size_t size)
{
        assert(e->f && e->n < sizeof e->bytes);

        while (size > 0) {
                size_t n = MIN(size, sizeof e->bytes - e->n), whole;

                memcpy(e->bytes + e->n, bytes, n);
                e->n += n;
                bytes += n;
                size -= n;

                whole = utf8_cut(e->bytes, e->n);
                if (whole > 0 && e->bytes[whole - 1] == '\r')
                        whole--; /* LF may follow */
                text_write_escaped(e->f, e->bytes, whole, /* lines= */ true);
                e->last = whole > 0 ? e->bytes[whole - 1] : e->last;
                memmove(e->bytes, e->bytes + whole, e->n - whole);
                e->n -= whole;
        }
}

void escaped_end_line(Escaped *e)
{
        text_write_escaped(e->f, e->bytes, e->n, /* lines= */ true);
        if (e->n > 0 || (e->last && e->last != '\n'))
                fputc('\n', e->f);
        *e = (Escaped){ .f = e->f };
}
