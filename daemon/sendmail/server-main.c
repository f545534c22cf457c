/* SPDX-License-Identifier: MIT */

/* php-pool-sendmaild: takes its socket from systemd and runs the server. */

#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "sendmail/server.h"

int main(int argc, char **argv)
{
        _cleanup_(mail_server_freep) MailServer *s = NULL;
        sigset_t child;
        int r;

        (void) argv;
        log_open();
        if (argc != 1)
                return log_error("php-pool-sendmaild takes no arguments, see php-pool-sendmail(8)."),
                       EX_USAGE;
        if (sd_listen_fds(true) != 1 ||
            sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
                return log_error("php-pool-sendmaild takes one socket from systemd: "
                                 "start php-pool-sendmail.socket."),
                       EX_NOINPUT;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &child, NULL);
        r = mail_server_new(SD_LISTEN_FDS_START, &s);
        if (r >= 0)
                r = mail_server_run(s);
        if (r < 0)
                (void) log_error_errno(r, "php-pool-sendmaild failed: %m");
        log_tell_lost(/* last= */ true);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
