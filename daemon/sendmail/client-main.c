/* SPDX-License-Identifier: MIT */

/*
 * php-pool-sendmail: is sendmail for programs that run in a pool's sandbox. It hands its arguments and its
 * three standard descriptors to php-pool-sendmaild and ends as sendmail does. It judges nothing: the
 * server does.
 *
 * Where no sendmail can deliver, it says so on standard error and in the journal, and ends with
 * EX_UNAVAILABLE within seconds: never with EX_TEMPFAIL, by which a sendmail says that the message waits
 * in a queue.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/messages.h"
#include "base/time.h"
#include "sendmail/message.h"
#include "sendmail/unit.h"

/* How long the server may take to accept the connection. sendmail's own time comes after that. */
#define TAKE_USEC (5 * USEC_PER_SEC)

/*
 * How long this process stays when it has sent a record: journald looks at the process to find out its
 * unit, and "journalctl -u" does not show a record whose sender was gone by then.
 */
#define JOURNAL_LOOKS_MSEC 200

/* The streams that services write to: see systemd.exec(5), StandardError=. */
#define JOURNAL_STREAM "/run/systemd/journal/stdout"

/* Of /proc/self/cgroup. */
#define CGROUP_MAX 8192U

static void say_to_caller(const char *text)
{
        (void) dprintf(STDERR_FILENO, "php-pool-sendmail: %s\n", text);
}

/*
 * Whether standard error is a stream to journald. Then a sentence that the journal has need not be said
 * there again.
 */
static bool stderr_is_journal(void)
{
        struct sockaddr_un address = {};
        socklen_t size = sizeof address - 1;

        return getpeername(STDERR_FILENO, (struct sockaddr *) &address, &size) >= 0 &&
               address.sun_family == AF_UNIX && streq(address.sun_path, JOURNAL_STREAM);
}

/* The pool of this process, for the caller to free; NULL for none. */
static char *find_pool(void)
{
        _cleanup_(fd_closep) int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
        char text[CGROUP_MAX];
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

        if (n < 0)
                return NULL;
        text[n] = 0;
        return unit_pool(text);
}

/* Says why nothing was sent, to the caller and to the operator. */
static int say_unavailable(int error, const char *what)
{
        _cleanup_(freep) char *pool = find_pool();
        char text[MAIL_TEXT_MAX];
        int n, r;

        n = snprintf(text, sizeof text, "Mail cannot be sent: %s (%s).", what, strerror(abs(error)));
        r = log_journal(LOG_ERR, MESSAGE_ID(MAIL_FAILED), (LogField[]){ { "PHP_POOL", pool }, {} }, text,
                        MIN((size_t) n, sizeof text - 1));
        if (r >= 0)
                (void) poll(NULL, 0, JOURNAL_LOOKS_MSEC);
        if (r < 0 || !stderr_is_journal())
                say_to_caller(text);
        return EX_UNAVAILABLE;
}

/* Connects. All waits are bounded until the server has the connection. */
static int connect_server(int *ret)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = MAIL_SOCKET };
        struct timeval time = { .tv_sec = TAKE_USEC / USEC_PER_SEC };
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) < 0 ||
            connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

/*
 * Closes standard input, which is the server's now, so that a program that writes there sees when sendmail
 * has closed it.
 */
static void let_go_of_input(void)
{
        for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++)
                if (fd_null(fd) < 0)
                        (void) close(fd);
}

/*
 * Receives one reply; -ECONNRESET where the server is gone. Where the server closed without having read
 * everything, the kernel reports that before it hands out the server's answer.
 */
static int receive_reply(int fd, MailReply *ret)
{
        bool reset = false;
        ssize_t n;

        for (;;) {
                n = recv(fd, ret, sizeof *ret, 0);
                if (n >= 0 || (errno != EINTR && (errno != ECONNRESET || reset)))
                        break;
                reset = errno == ECONNRESET;
        }
        if (n < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (n == 0)
                return -ECONNRESET;
        return mail_reply_valid(ret, (size_t) n) ? 0 : -EBADMSG;
}

/* Waits for the last reply. */
static int wait_reply(int fd, MailReply *ret)
{
        struct timeval forever = {};
        int r;

        r = receive_reply(fd, ret);
        if (r < 0 || ret->kind == MAIL_DONE)
                return r;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever) < 0)
                return -errno;
        do
                r = receive_reply(fd, ret);
        while (r >= 0 && ret->kind != MAIL_DONE);
        return r;
}

int main(int argc, char **argv)
{
        static const int fds[MAIL_FDS] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) void *data = NULL;
        MailReply reply;
        size_t size;
        int r;

        (void) argc;
        for (int i = 0; i < MAIL_FDS; i++)
                if (fcntl(i, F_GETFD) < 0 && fd_null(i) < 0)
                        return EX_OSERR;
        r = mail_request_encode(argv + 1, &data, &size);
        if (r < 0)
                return say_to_caller("too many arguments."), EX_USAGE;
        r = connect_server(&fd);
        if (r < 0)
                return say_unavailable(r, "php-pool-sendmail.socket is not there");
        r = fd_send(fd, data, size, fds, MAIL_FDS, 0);
        if (r >= 0)
                let_go_of_input();
        if (r >= 0 || r == -EPIPE)
                r = wait_reply(fd, &reply);
        if (r < 0)
                return say_unavailable(r, "php-pool-sendmail.service does not answer");
        if (*reply.text && !(reply.logged && stderr_is_journal()))
                say_to_caller(reply.text);
        return (int) reply.status;
}
