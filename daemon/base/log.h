/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The log: sentences for people, facts as journal fields.
 *
 * Records go to the journal (base/journal.h) where standard error is a journal stream ($JOURNAL_STREAM,
 * see systemd.exec(5)), otherwise as text to standard error. For a process whose standard error is another
 * pipe of ours, $PHP_POOL_LOG names the target, "journal" or "stderr", and takes precedence. Only the
 * layers of programs (manager, worker, ctl) log above LOG_DEBUG; libraries return -errno.
 *
 * A record that the journal does not take at once is lost, and counted. Only for records of LOG_ERR and
 * worse does a process wait, a tenth of a second in all for a request (base/grace.h). Behind the next
 * record that the journal takes, another one tells how many were lost. Without a journal at all (another
 * root, no descriptor for it), the text goes to standard error: with sd-daemon(3)'s "<3>" in front where
 * that is a journal stream. Bytes that are not printable, or no UTF-8, are written as \x1B everywhere.
 */

#include <syslog.h>

#include "base/time.h"

#define LOG_IDENTIFIER "php-pool"

/*
 * Bounds: standing fields, and the bytes of a message and of a field's value; longer ones are cut. Of
 * JOURNAL_RECORD_MAX the longest message leaves room for two of the longest fields and many short ones.
 */
#define LOG_CONTEXT_MAX 4
#define LOG_MESSAGE_MAX (40U * 1024U)
#define LOG_FIELD_MAX (8U * 1024U)

typedef struct LogField {
        const char *name;  /* as systemd.journal-fields(7) wants it: upper case; NULL ends the list */
        const char *value; /* NULL leaves the field out */
} LogField;

/* Chooses the target from the environment. Call it once. */
void log_open(void);

/* Text goes to this descriptor, which is borrowed, in the place of standard error. */
void log_set_stderr(int fd);

/* True when records go to the journal, so that fields are kept. */
bool log_to_journal(void);

/* Drops records that are less urgent than level (syslog(3) numbers; LOG_NOTICE at first). */
void log_set_max_level(int level);
int log_get_max_level(void);

/* Sets a standing field, which every later record carries; both strings are copied. -ENOSPC when full. */
int log_set_context(const char *name, const char *value);

/*
 * Sends one record to the journal, whatever the level and wherever the log goes: for callers that count
 * their own losses. The message has size bytes. 0, or -errno: -EAGAIN where the journal takes none now.
 */
int log_journal(int level, const char *message_id, const LogField *fields, const char *message, size_t size);

/* A request begins: its urgent records have a time of their own in which they may wait for the journal. */
void log_begin_request(void);

/*
 * Tells how many records of this process were lost, if any were: where it is due, or at once, which may wait
 * as an urgent record does. The log does the former itself where it goes on; this is for when it may be
 * silent for long. False where there are some still to tell of. Costs nothing where none were.
 */
bool log_tell_lost(bool now);

/* For tests: the socket to which records go in the place of journald's. Borrowed. */
void log_set_journal(const char *path);

/*
 * Writes one record and returns -abs(error), so that it can stand behind return. %m in the format is error's
 * text. message_id, from messages.h, may be NULL, and so may fields.
 */
int log_record(int level, int error, const char *message_id, const LogField *fields, const char *format, ...)
                _printf_(5, 6);

#define log_full(level, error, ...) log_record(level, error, NULL, NULL, __VA_ARGS__)

#define log_debug(...) log_full(LOG_DEBUG, 0, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, 0, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, 0, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, 0, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, 0, __VA_ARGS__)

#define log_debug_errno(e, ...) log_full(LOG_DEBUG, e, __VA_ARGS__)
#define log_warning_errno(e, ...) log_full(LOG_WARNING, e, __VA_ARGS__)
#define log_error_errno(e, ...) log_full(LOG_ERR, e, __VA_ARGS__)

/*
 * For a message that repeats: true when *last, the time at which it was written last (CLOCK_MONOTONIC, 0 for
 * never), is at least interval ago; *last is then now.
 */
bool log_is_due(usec_t *last, usec_t interval);

/* "notice" for LOG_NOTICE and so on, "alert" and "error" as FPM has them; NULL for what is no level. */
const char *log_level_to_string(int level);
