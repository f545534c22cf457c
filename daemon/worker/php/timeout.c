/* SPDX-License-Identifier: MIT */

/*
 * max_execution_time, at the cost of scripts that come near it. PHP would set a timer for each request, set
 * it anew and clear it: three system calls, mostly for a script that ends within a millisecond. Here it is
 * told that there is no limit, while a clock ticks as the worker uses its processor; the first tick that
 * meets a script sets PHP's timer, and all that follows is PHP's own. So the limit is up to a tick late.
 *
 * The clock is ITIMER_VIRTUAL, which elapses in user mode only: a tick cuts no system call short.
 *
 * A request with a body has max_input_time too, and one that sets its own limit (set_time_limit(),
 * PHP_VALUE, .user.ini) has PHP do it: there this keeps out of the way.
 */

#include "worker/php/internal.h"

#include <sys/time.h>

#define TICK (100 * USEC_PER_MSEC)

/* EG(timeout_seconds) is what PHP takes for the limit; 0 is none. */
static struct {
        ZEND_INI_MH((*on_modify));     /* PHP's own */
        volatile sig_atomic_t waiting; /* the next tick sets the timer */
        volatile sig_atomic_t set;     /* it did */
        bool changed;                  /* by somebody else, since the last request */
        bool withheld;                 /* PHP does not know of the limit */
        zend_long limit;               /* in seconds */
        zend_long max_input_time;
} timeout;

static void set_timer(zend_long seconds)
{
        struct itimerval timer = { .it_value.tv_sec = seconds };

        (void) setitimer(ITIMER_PROF, &timer, NULL);
}

static void on_tick(int signal _unused_)
{
        int saved = errno;

        if (timeout.waiting) {
                timeout.waiting = false;
                timeout.set = true;
                EG(timeout_seconds) = timeout.limit;
                set_timer(timeout.limit);
        }
        errno = saved;
}

static ZEND_INI_MH(on_modify_limit)
{
        timeout.waiting = false;
        timeout.changed = true;
        return timeout.on_modify(entry, new_value, mh_arg1, mh_arg2, mh_arg3, stage);
}

int timeout_start(void)
{
        static const struct itimerval clock = {
                .it_interval.tv_usec = TICK,
                .it_value.tv_usec = TICK,
        };
        struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART | SA_ONSTACK };
        zend_ini_entry *entry;

        entry = zend_hash_str_find_ptr(EG(ini_directives), ZEND_STRL("max_execution_time"));
        if (!entry)
                return -ENOENT;
        timeout.on_modify = entry->on_modify;
        entry->on_modify = on_modify_limit;
        if (sigaction(SIGVTALRM, &action, NULL) < 0 || setitimer(ITIMER_VIRTUAL, &clock, NULL) < 0)
                return -errno;
        return 0;
}

void timeout_withhold(bool has_body)
{
        if (has_body || timeout.changed)
                return;
        timeout.withheld = true;
        timeout.limit = EG(timeout_seconds);
        timeout.max_input_time = PG(max_input_time);
        EG(timeout_seconds) = 0;
        PG(max_input_time) = -1; /* no timer of its own, and no other behind it */
        timeout.waiting = timeout.limit > 0;
}

void timeout_script_ended(void)
{
        if (timeout.withheld)
                PG(max_input_time) = timeout.max_input_time;
}

void timeout_end(void)
{
        timeout.waiting = false;
        /* PHP has cleared it, unless the tick came later than that. */
        if (timeout.set)
                set_timer(0);
        if (timeout.withheld && !timeout.changed)
                EG(timeout_seconds) = timeout.limit;
        timeout.set = timeout.withheld = timeout.changed = false;
}
