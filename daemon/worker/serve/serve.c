/* SPDX-License-Identifier: MIT */

/*
 * The classic loop: each request runs a script from its beginning to its end. One caller of server_next();
 * PHP is called here and nowhere below.
 */

#include "worker/serve/serve.h"

#include "base/log.h"
#include "worker/serve/server.h"

/* Owns nothing: PHP may longjmp. */
static void serve_all(Server *server)
{
        Request *request;

        while ((request = server_next(server))) {
                PhpOutcome outcome = php_serve(request);

                server_done(server, &outcome);
        }
}

ExitStatus serve(const WorkerContext *context, size_t slot, int retire_fd)
{
        ExitStatus status;
        Server *server;
        int r;

        r = server_open(context, slot, retire_fd, &server);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to wait for connections: %m");
                return EXIT_STATUS_RESOURCES;
        }
        serve_all(server);
        status = server_exit_status(server);
        server_close(server);
        return status;
}
