/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The template process, as the manager sees it: started by fork and exec with an explicit list of
 * descriptors, spoken to over a channel, its standard error read line by line (what it says while PHP starts
 * are its "last words", should it fail).
 */

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "ipc/inherit.h"
#include "ipc/messages.h"

/* What is kept of a template's standard error for the reason of a failure, in bytes. */
#define TEMPLATE_WORDS_MAX 2048

typedef struct Template Template;

/* Called for each message from the template or its launcher. */
typedef void (*template_message_t)(Template *template, const IpcMessage *message, void *userdata);

/* Whose a template is. */
typedef struct TemplateOwner {
        sd_event *event;
        const char *pool;       /* its name */
        const char *generation; /* the generation's number, for the log and the template's environment */
        template_message_t on_message;
        void *userdata;
} TemplateOwner;

/*
 * Starts a worker executable. inherit names every descriptor but the channel, which is made here. The
 * owner's strings are copied. Errors of the exec itself come as last words and an exit status of 127. 0 or
 * -errno.
 */
int template_start(const TemplateOwner *owner, const char *executable, const Inherit *inherit,
                   Template **ret);

/*
 * Closes the channel, upon which the template exits by itself. Its standard error is read on: workers share
 * it.
 */
void template_retire(Template *template);

/* Closes what is open; the template's pid must be reaped all the same. */
void template_free(Template *template);
DEFINE_CLEANUP(Template *, template_free)

pid_t template_pid(const Template *template);

/* The name of its program, without directories. */
const char *template_program(const Template *template);

/* Handles every message that is already there, now: before the death of a process is looked at. */
void template_hear_out(Template *template);

/*
 * Orders workers, from 1 to IPC_SPAWN_MAX: their slots, and for each its retire eventfd. 0 or -errno;
 * -EAGAIN when the channel is full, -EBADF for a retired template.
 */
int template_spawn(Template *template, const uint32_t *slots, const int *retire_fds, size_t n);

/*
 * Has the slow request of a worker, whose pid is known, logged with its backtrace, by the template, unless
 * the request has ended by then. Nothing comes back. 0 or -errno; -EAGAIN when the channel is full, -EBADF
 * for a retired template.
 */
int template_trace(Template *template, uint32_t slot, pid_t pid);

/* The end of what it wrote to standard error, a string without line break at its end; "" for nothing. */
const char *template_last_words(Template *template);
