/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The access log: a record in the journal or a line in a file for each request that has ended. No request
 * waits for it: what is not taken at once is lost, and counted. All functions take NULL, which is the log
 * that is off, and then do nothing.
 */

#include "config/config.h"
#include "worker/serve/access-line.h"

typedef struct AccessLog AccessLog;

/*
 * The log that the settings, which are borrowed, describe: *ret is NULL where that is none. The caller frees
 * it. 0, -ENOMEM, or -EINVAL for a format that is wrong.
 */
int access_log_new(const Config *config, const char *pool, AccessLog **ret);
void access_log_free(AccessLog *log);
DEFINE_CLEANUP(AccessLog *, access_log_free)

/* The template's: opens the file, and makes it where there is none. 0 or -errno; *ret_path is the file's. */
int access_log_open(AccessLog *log, const char **ret_path);

/* The first call in a worker. */
void access_log_attach(AccessLog *log);

/* What is to be known of a request beside what is known anyway. */
bool access_log_wants_cpu(const AccessLog *log);
bool access_log_wants_peer(const AccessLog *log);

/* A request begins: asks the SAPI for the headers that the format names. */
void access_log_begin(AccessLog *log, Request *request);

/*
 * It ended, its parameters are still there. Of the entry the caller gives what is the request's; pool and
 * processes are filled in. One system call; another one where something is told that was lost.
 */
void access_log_write(AccessLog *log, AccessEntry *entry);

/* The worker ends: tells what was lost since it was told last. */
void access_log_detach(AccessLog *log);

/* Whether lines were lost that nobody was told of so far. */
bool access_log_has_lost(const AccessLog *log);

/* Tells it now. False where it cannot be told. */
bool access_log_tell_lost(AccessLog *log);
