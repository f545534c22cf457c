/* SPDX-License-Identifier: MIT */
#pragma once

/* What the end of a generation waits for, in words. */

#include "manager/pool/generation.h"

/* The process of a generation that has been waited for longest. Times are CLOCK_REALTIME. */
typedef struct DrainWait {
        pid_t pid;
        bool is_template;    /* no worker is left, but the template */
        WorkerRecord record; /* of a worker */
        usec_t since;        /* its request began; 0 for none */
        usec_t until;        /* it is killed; 0 for never */
        size_t more;         /* other workers that are waited for */
        usec_t now;
} DrainWait;

/* Looks what a generation waits for. False when nothing of it is left. */
bool drain_wait_look(const Generation *g, DrainWait *ret);

/* The most that drain_wait_format() writes: of what a client sent only a part. */
#define DRAIN_TEXT_MAX 512

/*
 * "worker 17, which runs GET /slow.php (/srv/slow.php) since 12:00:03, and 2 more, until 12:00:33":
 * printable, and one line. Pure, but for the time zone.
 */
void drain_wait_format(const DrainWait *wait, char text[DRAIN_TEXT_MAX]);
