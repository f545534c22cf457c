/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Values as people write them. All of s must be used; an empty string is -EINVAL; -ERANGE where it
 * overflows.
 */

#include "base/time.h"

/* Decimal digits only. */
int parse_u64(const char *s, uint64_t *ret);

/* A descriptor number, 0 to INT_MAX. */
int parse_fd(const char *s, int *ret);

/*
 * A time span in FPM's and systemd's spellings: "30" (seconds), "30s", "5min", "1h 30min", "250ms", "2d";
 * FPM's m is minutes, as in systemd.time(7). A fraction is allowed: "1.5s". "0" is 0.
 */
int parse_usec(const char *s, usec_t *ret);

/* A size in bytes with K, M, G or T to the base of 1024: "64M", "512". */
int parse_size(const char *s, uint64_t *ret);

/*
 * "1h 30min", "250ms", "0", "infinity" into a buffer of at least PARSE_FORMAT_MAX bytes; returns the buffer.
 */
#define PARSE_FORMAT_MAX 64
const char *format_usec(char *buffer, usec_t t);

/*
 * Whether a version, "8.4" or "8.4.28", is that one or a later one; anything behind the second number is
 * ignored. False for a text that is no version, such as "", which stands for a PHP that is not known yet.
 */
bool version_at_least(const char *version, unsigned major, unsigned minor);

/* "64M", "1500" (only whole units), into a buffer of at least PARSE_FORMAT_MAX bytes; returns the buffer. */
const char *format_size(char *buffer, uint64_t size);
