/* SPDX-License-Identifier: MIT */
#pragma once

/* What the workers of a generation do, added up. It changes nothing. */

#include "manager/pool/generation.h"

/* What a generation's workers do just now. */
typedef struct GenerationCount {
        size_t idle, busy, starting;
        size_t retiring;
        size_t expired; /* of the idle ones: idle longer than pm.process_idle_timeout */
        usec_t expiry;  /* until the next one expires, or at the earliest can; with ondemand only */
} GenerationCount;

GenerationCount generation_count(const Generation *g);

/* Workers that are alive or may be. */
size_t generation_alive(const Generation *g);

/* Whether a worker was ordered, and neither template nor launcher has said yet what became of it. */
bool generation_expects(const Generation *g);

/* Whether a worker may still take a connection: it is idle, or not yet ready. */
bool generation_accepts(const Generation *g);

/*
 * When a worker of it last finished a request or came into being, CLOCK_MONOTONIC; 0 where all are busy or
 * gone.
 */
usec_t generation_last_active(const Generation *g);

/* When a request of it last began or ended, CLOCK_MONOTONIC; 0 for never. */
usec_t generation_last_request(const Generation *g);

/* How often its workers have noted progress (scoreboard.h): what counts is that it is another number. */
uint64_t generation_progress(const Generation *g);
