/* SPDX-License-Identifier: MIT */
#pragma once

/* Between ini.c, which knows the grammar of ini files, and ini-scan.c, which cuts them into tokens. */

#include "base/util.h"

typedef enum IniToken {
        INI_END,     /* also where PHP's scanner gives up */
        INI_EOL,     /* of a line, or of a value */
        INI_SECTION, /* "[" */
        INI_LABEL,   /* a name */
        INI_OFFSET,  /* a name and "[" */
        INI_WORD,    /* yes, no and the like, alone */
        INI_STRING,  /* a part of a value: a constant, a number, text, white space */
        INI_QUOTED,  /* text within quotes; it has escapes */
        INI_DOLLAR,  /* "${" */
        INI_VARIABLE,
        INI_FALLBACK,  /* ":-": behind it comes the value for a variable that is not set */
        INI_BROKEN,    /* an apostrophe that is not closed */
        INI_CHARACTER, /* any other: IniScanner.start is it */
} IniToken;

/* Where the scanner is: its rules differ. */
typedef enum IniState {
        INI_INITIAL,
        INI_IN_SECTION,
        INI_IN_OFFSET,
        INI_IN_VALUE,
        INI_IN_QUOTES,
        INI_IN_NAME,
        INI_IN_FALLBACK
} IniState;

/* How deep states lie on each other: a variable, within quotes, within a fallback, within a value. */
#define INI_STATES_MAX 64

typedef struct IniScanner {
        const char *p, *end;
        const char *start; /* of the token, without the bytes that PHP cuts off */
        size_t size;
        unsigned line, token_line; /* of the next byte, and of the token */
        IniState states[INI_STATES_MAX];
        size_t n_states;
} IniScanner;

/* A zero byte ends the text. */
void ini_scan_start(IniScanner *s, const char *text);

IniToken ini_scan_next(IniScanner *s);
