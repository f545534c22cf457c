/* SPDX-License-Identifier: MIT */

/*
 * Speaks to a manager over its control socket: sd-bus from peer to peer, so there is no bus daemon, no Hello
 * and no name to address. Only call_fail() says anything.
 *
 * The kernel accepts connections for a manager that is stuck, and sd-bus waits 90 s for it to authenticate,
 * in each call and also when it flushes; sd_bus_call() goes on reading beyond its time for as long as there
 * is something to read, and keeps all of it. So a connection is only handed out once it is ready, is never
 * flushed, and each wait is a loop of our own, which looks at the clock after each message.
 */

#include "ctl/call.h"

#include "base/fd.h"
#include "base/text.h"
#include "ctl/exchange.h"
#include "ctl/print.h"
#include "ctl/systemd.h"
#include "ipc/control.h"

#define PEER_INTERFACE "org.freedesktop.DBus.Peer"

/* Until the manager has authenticated the caller. -ETIMEDOUT when it has not by then. */
static int wait_ready(sd_bus *bus, usec_t deadline)
{
        for (;;) {
                usec_t now;
                int r;

                r = sd_bus_is_ready(bus);
                if (r != 0)
                        return r < 0 ? r : 0;
                now = now_monotonic();
                if (now >= deadline)
                        return -ETIMEDOUT;

                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, deadline - now);
                if (r < 0 && r != -EINTR)
                        return r;
        }
}

/* Makes an sd-bus client of a connected socket; the descriptor is taken. */
static int bus_of_socket(int taken_fd, sd_bus **ret)
{
        _cleanup_(fd_closep) int fd = taken_fd;
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

int call_connect(const char *pool, const char *path, usec_t timeout, sd_bus **ret)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(freep) char *usual = NULL;
        usec_t deadline = usec_add(now_monotonic(), timeout);
        int fd, r;

        assert(pool || path);

        if (!path) {
                r = pool_socket_path(pool, POOL_SOCKET_CONTROL, &usual);
                if (r < 0)
                        return r;
                path = usual;
        }
        if (*path != '/')
                return -EINVAL;
        r = exchange_connect(path, timeout, &fd);
        if (r == -ENOENT || r == -ECONNREFUSED)
                return 0;
        if (r < 0)
                return r == -EPERM ? -EACCES : r;
        r = bus_of_socket(fd, &bus);
        if (r < 0)
                return r;
        r = wait_ready(bus, deadline);
        if (r < 0)
                return r == -EPERM ? -EBADMSG : r; /* what is said instead of "OK" */

        *ret = TAKE_PTR(bus);
        return 1;
}

bool call_peer_is_gone(int r)
{
        return r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN || r == -ESHUTDOWN;
}

/*
 * A wait in progress: what ends it, and what is known of the manager meanwhile. Times are CLOCK_MONOTONIC.
 */
typedef struct Wait {
        uint64_t cookie; /* of the call; 0 for the end of the connection */
        uint64_t ping;   /* of the last ping; 0 for none */
        usec_t deadline;
        usec_t heard;
        usec_t next_ping; /* USEC_INFINITY where the time is too short for pings */
} Wait;

static int send_call(sd_bus *bus, const char *interface, const char *method, uint64_t *ret_cookie)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &message, NULL, CONTROL_OBJECT, interface, method);
        if (r < 0)
                return r;
        return sd_bus_send(bus, message, ret_cookie);
}

static int check_time(const Wait *w)
{
        usec_t now = now_monotonic();

        if (now >= usec_add(w->heard, CALL_SILENCE_MAX))
                return -ETIMEDOUT;
        if (now >= w->deadline)
                return w->ping > 0 ? -ETIME : -ETIMEDOUT;
        return 0;
}

/* Sleeps until there is something to read, to send, to ask, or to give up. */
static int wait_more(sd_bus *bus, Wait *w)
{
        usec_t now = now_monotonic(), until;
        int r;

        if (now >= w->next_ping) {
                w->next_ping = now + CALL_PING_INTERVAL;
                r = send_call(bus, PEER_INTERFACE, "Ping", &w->ping);
                if (r < 0)
                        return r;
        }
        until = MIN(w->deadline, w->next_ping);
        r = sd_bus_wait(bus, usec_sub(until, now));
        return r == -EINTR ? 0 : r;
}

/* True for the answer to the call. An answer to a ping is noted, any other message is dropped. */
static bool take_message(Wait *w, sd_bus_message *message)
{
        uint64_t cookie;

        if (sd_bus_message_get_reply_cookie(message, &cookie) < 0)
                return false;
        if (cookie == w->ping)
                w->heard = now_monotonic();
        return cookie == w->cookie;
}

/* 0 and the answer; or an error as of call_method(). */
static int wait_answer(sd_bus *bus, Wait *w, sd_bus_message **ret)
{
        for (;;) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
                int r, done;

                done = sd_bus_process(bus, &message);
                if (done < 0)
                        return done;
                if (message && take_message(w, message)) {
                        *ret = TAKE_PTR(message);
                        return 0;
                }
                r = check_time(w);
                if (r >= 0 && done == 0)
                        r = wait_more(bus, w);
                if (r < 0)
                        return r;
        }
}

static Wait wait_until_timeout(usec_t timeout)
{
        usec_t now = now_monotonic();

        return (Wait){
                .deadline = usec_add(now, timeout),
                .heard = now,
                .next_ping = timeout > CALL_SILENCE_MAX ? now + CALL_PING_INTERVAL : USEC_INFINITY,
        };
}

int call_method(sd_bus *bus, const char *method, usec_t timeout, sd_bus_error *error,
                sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Wait w = wait_until_timeout(timeout);
        int r;

        r = send_call(bus, CONTROL_INTERFACE, method, &w.cookie);
        if (r < 0)
                return r;
        r = wait_answer(bus, &w, &reply);
        if (r < 0)
                return r;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                if (error)
                        (void) sd_bus_error_copy(error, sd_bus_message_get_error(reply));
                return -EREMOTEIO;
        }
        if (ret_reply)
                *ret_reply = TAKE_PTR(reply);
        return 0;
}

int call_wait_closed(sd_bus *bus, usec_t timeout)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *none = NULL;
        Wait w = wait_until_timeout(timeout);
        int r;

        r = wait_answer(bus, &w, &none);
        return call_peer_is_gone(r) ? 0 : r;
}

/* The error of a manager that does not know the method, or calls it otherwise. */
static bool is_of_another_version(const sd_bus_error *error)
{
        return error && (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD) ||
                         sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_INTERFACE) ||
                         sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
                         sd_bus_error_has_name(error, SD_BUS_ERROR_INVALID_ARGS));
}

const char *call_error_text(int r, const sd_bus_error *error)
{
        if (r == -EREMOTEIO && is_of_another_version(error))
                return "its manager is of another version than php-poolctl, since an upgrade: restart the "
                       "pool.";
        if (r == -EREMOTEIO)
                return error && error->message ? error->message : "it answered with an error.";
        if (r == -EACCES)
                return "only root may speak to a pool's manager.";
        if (r == -ETIMEDOUT)
                return "it does not answer.";
        if (r == -EBADMSG)
                return "what answered is no manager of a pool.";
        if (call_peer_is_gone(r))
                return "it went away before it had answered.";
        return strerror(abs(r));
}

/* A pool that fails to start has an open control socket with no manager behind it. */
static CtlExit fail_no_answer(const char *pool)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;

        if (systemd_connect(&bus) < 0 || !systemd_pool_is_starting(bus, pool))
                return ctl_fail_no_answer(pool);
        return ctl_fail(0, "Pool %s has not started; journalctl -u php-pool@%s says why.", pool, pool);
}

CtlExit call_fail(const char *what, const char *pool, int r, const sd_bus_error *error)
{
        _cleanup_(freep) char *before = NULL;

        if (r == -ETIMEDOUT)
                return fail_no_answer(pool);
        if (text_format(&before, "Failed to %s pool %s", what, pool) < 0)
                return CTL_FAILURE;
        return ctl_fail_lines(before, call_error_text(r, error));
}
