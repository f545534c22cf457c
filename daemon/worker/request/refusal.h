/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What looks as if the service's sandbox had refused it: told by the text of an error that PHP reports, or
 * by how a program ended. Pure.
 */

#include <stddef.h>

/* How much speaks for the sandbox; more is greater. */
typedef enum Refusal {
        REFUSAL_NONE,
        REFUSAL_POSSIBLE, /* EACCES, EPERM: file permissions are as good a reason */
        REFUSAL_PROBABLE, /* EROFS, SIGSYS: hardly anything else says so */
} Refusal;

/*
 * Of a message of PHP's, size bytes. It ends with what strerror(3) says of the error, in the current locale
 * or in none; behind that may stand the error's number and what closes a bracket or a quotation.
 */
Refusal refusal_of_message(const char *message, size_t size);

/* Of a status of wait(2). A shell that ran the program ends with 128 and the signal's number. */
Refusal refusal_of_status(int status);
