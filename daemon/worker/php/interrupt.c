/* SPDX-License-Identifier: MIT */

/*
 * The end of a script that takes too long: see php_interrupt(). It goes the way of PHP's own
 * max_execution_time: a flag that the engine looks at between two steps of a script, and a fatal error,
 * which runs shutdown functions and which error handlers of applications know.
 */

#include "worker/php/internal.h"

#include "base/parse.h"

#define STATUS_TIMED_OUT 504

static void (*next_interrupt)(zend_execute_data *execute_data);

void php_interrupt(void)
{
        php_process.interrupted = true;
        zend_atomic_bool_store_ex(&EG(vm_interrupt), true);
}

static void end_script(void)
{
        char limit[PARSE_FORMAT_MAX];

        (void) format_usec(limit, php_process.config->request_terminate_timeout);
        /* Before the error, which would set 500, or show itself with the status as it is. */
        if (!SG(headers_sent))
                (void) sapi_header_op(SAPI_HEADER_SET_STATUS, (void *) (intptr_t) STATUS_TIMED_OUT);
        zend_error_noreturn(E_ERROR, "Maximum time of %s for a request exceeded (request.terminate_timeout)",
                            limit);
}

static void on_interrupt(zend_execute_data *execute_data)
{
        if (php_process.interrupted) {
                php_process.interrupted = false;
                end_script();
        }
        if (next_interrupt)
                next_interrupt(execute_data);
}

void limit_hook_interrupt(void)
{
        next_interrupt = zend_interrupt_function;
        zend_interrupt_function = on_interrupt;
}
