/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records for the journal. The caller says how long it waits at most. sd_journal_sendv(3) waits while
 * journald is slow or stopped, and a request must not wait. So this file speaks journald's protocol itself
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one datagram a record, which is dropped where it would
 * wait.
 */

#include "base/time.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The most bytes of a record, well below what a datagram may have. */
#define JOURNAL_RECORD_MAX (64U * 1024U)

typedef struct JournalRecord {
        size_t size;
        char bytes[JOURNAL_RECORD_MAX];
} JournalRecord;

/* Appends a field, which is left out where it does not fit. The value may hold any bytes. */
void journal_record_add(JournalRecord *record, const char *name, const char *value, size_t size);

/* The same of "NAME=value" in one string without a newline. */
void journal_record_add_pair(JournalRecord *record, const char *pair);

/* A new socket for records, not connected. A descriptor that the caller closes, or -errno. */
int journal_open(void);

/*
 * Sends a record to the socket at that path, and waits so long at most, 0 for not at all, until journald
 * takes it. 0, -EAGAIN where it did not in time, or -errno: the record is lost then.
 */
int journal_send(int fd, const char *path, const JournalRecord *record, usec_t wait);
