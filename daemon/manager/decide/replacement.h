/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When PHP is started anew with the same settings: because the template has died, or is of no more use.
 * Pure: no clock, no log.
 */

#include "base/time.h"

/* After so many attempts in a row that failed, the pool ends with its last worker. */
#define REPLACEMENT_FAILED_MAX 8

/* A template that lived longer than this is replaced at once, whatever became of those before it. */
#define REPLACEMENT_LIFE_MIN (60 * USEC_PER_SEC)

/* How often a manager whose template is of another build looks whether an upgrade is done. */
#define REPLACEMENT_OTHER_BUILD (1 * USEC_PER_SEC)

typedef struct Replacement {
        unsigned n_young;  /* templates in a row that did not live long */
        unsigned n_failed; /* attempts in a row to start another that failed */
        usec_t at;         /* CLOCK_MONOTONIC: when to try; 0 while there is no need */
        bool told;         /* it was said that the template on disk is of another build */
} Replacement;

/* The generation that serves, as it is. Times are CLOCK_MONOTONIC. */
typedef struct ReplacementView {
        bool forks;     /* workers can be had of its template */
        bool suspect;   /* too many of its workers crashed: it serves, but is to be replaced */
        bool alive;     /* a worker of it is */
        usec_t started;
        usec_t now;
} ReplacementView;

typedef enum ReplacementStep {
        REPLACEMENT_NONE,
        REPLACEMENT_WAIT,    /* until Replacement.at */
        REPLACEMENT_NOW,
        REPLACEMENT_GIVE_UP, /* there is no worker, and none to be had */
} ReplacementStep;

/* What is due. Notes when the need was first seen. */
ReplacementStep replacement_decide(Replacement *r, const ReplacementView *view);

/* An attempt failed. */
void replacement_failed(Replacement *r, usec_t now);

/*
 * An attempt failed since the template's program is of another build: an upgrade is under way, and as soon
 * as it has replaced the manager's program as well, the next manager has a template of its own build. Until
 * then it is the same each time: true when it is to be said, the first time.
 */
bool replacement_other_build(Replacement *r, usec_t now);

/*
 * A new generation serves. requested: its settings are new, so that earlier failures say nothing about it.
 */
void replacement_done(Replacement *r, bool requested);

/* It has failed so often in a row that it will hardly work. */
bool replacement_hopeless(const Replacement *r);
