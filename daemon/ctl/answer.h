/* SPDX-License-Identifier: MIT */
#pragma once

/* The answer of an application (RFC 3875, section 6): header fields, an empty line, a body. Pure. */

#include "base/util.h"

/* The most bytes of all header fields. */
#define ANSWER_HEAD_MAX (256U * 1024U)

/* Starts as {}. */
typedef struct Answer {
        char *head;       /* header fields, each ended as it came, and a zero; NULL before the first byte */
        size_t head_size; /* without the zero and the empty line */
        bool head_ended;
        unsigned status; /* once head_ended: of the field "Status", else 200 (6.3.3) */
} Answer;

void answer_clear(Answer *answer);

/*
 * Takes the next bytes of the answer. *ret_body and *ret_body_size tell which of them belong to the body;
 * none before the headers have ended. 0, -ENOMEM, or -E2BIG for more header fields than the bound above.
 */
int answer_take(Answer *answer, const char *bytes, size_t size, const char **ret_body,
                size_t *ret_body_size);
