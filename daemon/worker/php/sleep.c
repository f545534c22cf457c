/* SPDX-License-Identifier: MIT */

/*
 * sleep() and its like, which a signal would cut short: systemd sends SIGTERM to all processes of the
 * service when the manager was killed, and a worker is to finish its request then (worker.c). So these
 * functions run with the signals that mean "finish" held back. PHP's own time-outs are not among them.
 * Nothing is forked meanwhile, so no program inherits the mask.
 */

#include "worker/php/internal.h"

#include <signal.h>

static void run_whole(zif_handler original, INTERNAL_FUNCTION_PARAMETERS)
{
        sigset_t held, before;

        (void) sigemptyset(&held);
        (void) sigaddset(&held, SIGTERM);
        (void) sigaddset(&held, SIGQUIT);
        (void) sigaddset(&held, SIGINT);
        (void) sigaddset(&held, SIGHUP);
        (void) sigprocmask(SIG_BLOCK, &held, &before);

        /* A warning may run the script's error handler, and that jump out. */
        zend_try {
                original(INTERNAL_FUNCTION_PARAM_PASSTHRU);
        }
        zend_catch {
                (void) sigprocmask(SIG_SETMASK, &before, NULL);
                zend_bailout();
        }
        zend_end_try();
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
}

/* The functions: a name, and what wraps it. */
#define SLEEPERS          \
        X(sleep)          \
        X(usleep)         \
        X(time_nanosleep) \
        X(time_sleep_until)

enum {
#define X(name) SLEEPER_##name,
        SLEEPERS
#undef X
};

static zif_handler originals[] = {
#define X(name) [SLEEPER_##name] = NULL,
        SLEEPERS
#undef X
};

#define X(name)                                                                            \
        static void whole_##name(INTERNAL_FUNCTION_PARAMETERS)                             \
        {                                                                                  \
                run_whole(originals[SLEEPER_##name], INTERNAL_FUNCTION_PARAM_PASSTHRU);    \
        }
SLEEPERS
#undef X

static void wrap(const char *name, zif_handler *ret_original, zif_handler wrapper)
{
        zend_function *f = zend_hash_str_find_ptr(CG(function_table), name, strlen(name));

        if (!f || f->type != ZEND_INTERNAL_FUNCTION)
                return;
        *ret_original = f->internal_function.handler;
        f->internal_function.handler = wrapper;
}

void sleep_wrap_functions(void)
{
#define X(name) wrap(#name, &originals[SLEEPER_##name], whole_##name);
        SLEEPERS
#undef X
}
