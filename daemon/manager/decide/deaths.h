/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What follows from workers' deaths, one by one and in a storm: which deaths get an obituary of their own,
 * how fast workers are replaced, and after how many crashes PHP is started anew. Pure: no clock, no log.
 */

#include "config/config.h"
#include "scoreboard/scoreboard.h"

/* This many obituaries in a period; from then on deaths are only counted, until a period without any. */
#define OBITUARIES_MAX 5
#define OBITUARIES_PERIOD (10 * USEC_PER_SEC)

typedef struct Obituaries {
        usec_t since;   /* when the period began, CLOCK_MONOTONIC; 0 for never */
        size_t written;
        size_t counted; /* deaths that are only counted */
} Obituaries;

/* An unexpected death: true when it gets an obituary of its own, false when it is counted. */
bool obituaries_note(Obituaries *o, usec_t now);

/* When the count is to be written; 0 while there is nothing to write. */
usec_t obituaries_due(const Obituaries *o);

/* Takes the count at the end of a period, which begins the next one. */
size_t obituaries_take(Obituaries *o, usec_t now);

/* The pace at which workers are replaced: a second at a time. */
typedef struct Respawn {
        usec_t since; /* when the second began, CLOCK_MONOTONIC */
        size_t deaths;
        size_t spawned;
        bool storm;   /* so many die that spawning is limited */
} Respawn;

/* The unexpected death of a worker that had been ready. rate is pm.max_spawn_rate. */
void respawn_note(Respawn *r, usec_t now, size_t rate);

/*
 * How many of n workers may be spawned now; they are taken as spawned. Where it is fewer than n, *ret_again
 * is when to ask again.
 */
size_t respawn_take(Respawn *r, usec_t now, size_t rate, size_t n, usec_t *ret_again);

/*
 * How long no worker is spawned after so many in a row (from 1) that did not come to be: 100 ms, up to 10 s.
 */
usec_t respawn_pause(unsigned n_failed);

/* The last crashes: a ring. */
typedef struct Crashes {
        usec_t times[CONFIG_EMERGENCY_MAX]; /* CLOCK_MONOTONIC */
        size_t n; /* all of them since the last reset */
} Crashes;

/* A crash: true when it is the threshold's one within the interval. Never for a threshold of 0. */
bool crashes_note(Crashes *c, usec_t now, size_t threshold, usec_t interval);

/* A new generation serves: what its predecessors did is forgotten. */
void crashes_reset(Crashes *c);

/* The longest description of a death. */
#define DEATH_TEXT_MAX 192

typedef struct Deaths {
        Obituaries obituaries;
        Respawn respawn;
        Crashes crashes;
        char last[DEATH_TEXT_MAX]; /* how the last one died that was only counted, and with which script */
        char last_script[SCOREBOARD_SCRIPT_MAX];
} Deaths;
