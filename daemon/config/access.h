/* SPDX-License-Identifier: MIT */
#pragma once

/* access.format, read once: a list of pieces that each line of the access log is put together from. Pure. */

#include "base/util.h"

/* The most pieces: codes, and the texts between them. */
#define ACCESS_PIECES_MAX 128

/* The most bytes of an error's sentence; longer ones are cut. */
#define ACCESS_ERROR_MAX 160

typedef enum AccessCode {
        ACCESS_TEXT, /* stands in the format as it is */
#define ACCESS_CODE(name, letter, argument, words, help) ACCESS_##name,
#include "config/access.def"
        _ACCESS_CODE_MAX,
} AccessCode;

typedef enum AccessArgument {
        ACCESS_ARGUMENT_NONE,
        ACCESS_ARGUMENT_WORD,
        ACCESS_ARGUMENT_NAME,
        ACCESS_ARGUMENT_FORMAT,
} AccessArgument;

/* A row of access.def; that of ACCESS_TEXT is empty. */
typedef struct AccessCodeInfo {
        char letter;
        AccessArgument argument;
        const char *words, *help;
} AccessCodeInfo;

extern const AccessCodeInfo access_codes[_ACCESS_CODE_MAX];

typedef struct AccessPiece {
        AccessCode code;  /* never PERCENT, which is text */
        const char *text; /* of TEXT; a string, the argument of PARAM, HEADER, STARTED and ENDED; or NULL */
        size_t size;      /* of text, without its zero */
} AccessPiece;

typedef struct AccessFormat {
        size_t n_pieces;
        AccessPiece pieces[ACCESS_PIECES_MAX];
        char text[]; /* the format; pieces point into it */
} AccessFormat;

/*
 * Reads a format; the caller frees it with free(). 0, -ENOMEM, or -EINVAL with what is wrong in error[],
 * without full stop.
 */
int access_format_parse(const char *text, char error[static ACCESS_ERROR_MAX], AccessFormat **ret);

/* Whether some piece has this code. */
bool access_format_has(const AccessFormat *format, AccessCode code);
