/* SPDX-License-Identifier: MIT */

/*
 * What PHP logs: errors (log_errors=1) and error_log(). Each message goes to the journal, with file and line
 * of the error and the request as fields, and, with fastcgi.logging on, to the web server. PHP hands over a
 * finished text only, so its error callback is hooked to learn file and line before.
 */

#include "worker/php/internal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/messages.h"
#include "worker/request/html-text.h"

/* The most of a message about a request, as in PHP-FPM, and of one from PHP's start, that is kept. */
#define LOG_REQUEST_MAX 2048
#define LOG_LAST_MAX 1024

static struct {
        void (*next)(int type, zend_string *file, const uint32_t line, zend_string *message);
        char file[PATH_MAX]; /* of the error that is being reported, "" for none */
        uint32_t line;
        bool html;               /* its message was written for a browser */
        char last[LOG_LAST_MAX]; /* outside of requests */
        char complaint[LOG_LAST_MAX]; /* the first E_CORE_WARNING of PHP's start */
} php_log;

/* Keeps the first line of a message for php_log_last(). */
static void remember(const char *message)
{
        (void) snprintf(php_log.last, sizeof php_log.last, "%.*s", (int) strcspn(message, "\n"), message);
}

/* The same of an error, with its place: "syntax error, … in /srv/preload.php:3". */
static void remember_error(const char *message, uint32_t line)
{
        int n = (int) strcspn(message, "\n");

        if (line > 0 && php_log.file[0])
                (void) snprintf(php_log.last, sizeof php_log.last, "%.*s in %s:%" PRIu32, n, message,
                                php_log.file, line);
        else
                remember(message);
}

/*
 * An extension that is named twice is loaded all the same; what else PHP warns of at its start is not there.
 */
static void note_complaint(int type, const char *message)
{
        if ((type & E_CORE) && !php_log.complaint[0] && !strstr(message, " is already loaded"))
                (void) snprintf(php_log.complaint, sizeof php_log.complaint, "%.*s",
                                (int) strcspn(message, "\n"), message);
}

/* What is kept of a message is text. */
static void drop_html(void)
{
        if (!php_log.html)
                return;
        html_text_plain(php_log.last);
        html_text_plain(php_log.complaint);
}

/* Remembers the place while PHP reports the error; it may leave by longjmp(3), and file may be gone then. */
static void on_error(int type, zend_string *file, const uint32_t line, zend_string *message)
{
        size_t size = file ? MIN(ZSTR_LEN(file), sizeof php_log.file - 1) : 0;

        if (size > 0)
                memcpy(php_log.file, ZSTR_VAL(file), size);
        php_log.file[size] = 0;
        php_log.line = line;
        php_log.html = PG(html_errors);
        if (!php_request()) {
                remember_error(ZSTR_VAL(message), line);
                note_complaint(type, ZSTR_VAL(message));
                drop_html();
        }
        php_log.next(type, file, line, message);
        php_log.file[0] = 0;
        php_log.html = false;
}

void php_log_hook_errors(void)
{
        php_log.next = zend_error_cb;
        zend_error_cb = on_error;
}

void php_log_request_begins(void)
{
        php_log.file[0] = 0;
        php_log.html = false;
}

const char *php_start_complaint(void)
{
        return php_log.complaint;
}

const char *php_log_last(void)
{
        return php_log.last;
}

/* Whether the message is the report of the error in php_log, whose text ends "… in FILE on line N". */
static bool is_reported_error(const char *message, const char *line)
{
        char place[PATH_MAX + 64];
        size_t size = strlen(message), n;

        if (!php_log.file[0])
                return false;
        n = (size_t) snprintf(place, sizeof place, " in %s on line %s", php_log.file, line);
        return size > n && memcmp(message + size - n, place, n) == 0;
}

static void write_journal(const PhpRequest *r, int level, const char *message, const char *file,
                          const char *line)
{
        const Params *params = r ? r->request->params : NULL;
        const LogField fields[] = {
                { "CODE_FILE", file },
                { "CODE_LINE", line },
                { "REQUEST_METHOD", params ? params_get(params, "REQUEST_METHOD", NULL) : NULL },
                { "REQUEST_URI", params ? params_get(params, "REQUEST_URI", NULL) : NULL },
                { "PHP_SCRIPT", r ? r->script.path : NULL },
                {},
        };
        _cleanup_(freep) char *text = php_log.html ? strdup(message) : NULL;

        if (text)
                html_text_plain(text);
        (void) log_record(level, 0, MESSAGE_ID(PHP), fields, "%s", text ?: message);
}

/* Several messages of a request stand behind each other, in the form that PHP-FPM gave them. */
static void write_web_server(PhpRequest *r, const char *prefix, const char *message)
{
        if (!r || !php_process.settings.logging || request_answered(r->request))
                return;

        if (r->error_written)
                (void) request_write_error(r->request, "; ", 2);
        r->error_written = true;
        if (*prefix)
                (void) request_write_error(r->request, prefix, strlen(prefix));
        if (*message)
                (void) request_write_error(r->request, message, strlen(message));
}

/*
 * Whatever PHP's level is for it, what it logs at all is no less than a notice to the operator. error_log()
 * with type 4 has no level: PHP says -1.
 */
void php_log_message(const char *message, int level)
{
        int notice = level < LOG_EMERG ? LOG_NOTICE : MIN(level, LOG_NOTICE);
        PhpRequest *r = php_request();
        char line[16];
        bool reported;

        (void) snprintf(line, sizeof line, "%" PRIu32, php_log.line);
        reported = is_reported_error(message, line);
        write_journal(r, notice, message, reported ? php_log.file : NULL,
                      reported ? line : NULL);
        php_log.file[0] = 0;

        write_web_server(r, "PHP message: ", message);
        if (!r && !reported) {
                remember(message);
                drop_html();
        }
        php_log.html = false; /* it may leave by longjmp(3) from here */
}

void php_log_request(PhpRequest *r, int level, const char *format, ...)
{
        char message[LOG_REQUEST_MAX + 1];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(message, sizeof message, format, ap);
        va_end(ap);
        if (n >= LOG_REQUEST_MAX)
                memcpy(message + LOG_REQUEST_MAX - strlen("..."), "...", sizeof "...");

        if (level <= LOG_NOTICE)
                write_journal(r, level, message, NULL, NULL);
        write_web_server(r, "", message);
}
