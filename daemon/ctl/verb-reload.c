/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl reload: asks managers for a new generation and waits until it serves, or is refused.
 * ExecReload= runs this, so its exit status is that of `systemctl reload`. Never starts a pool.
 *
 * With --all, no pool keeps the next one from its reload: each has a bound in time, and its answer counts
 * for itself only.
 */

#include <inttypes.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/text.h"
#include "config/php.h"
#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/print.h"
#include "ctl/status-reply.h"
#include "ctl/systemd.h"
#include "ipc/control.h"
#include "poolfile/parse.h"

/* Time in addition to reload.start_timeout: workers hand over, and the machine may be busy. */
#define RELOAD_SLACK (30 * USEC_PER_SEC)

/*
 * How long the manager may take: reload.start_timeout, twice where another reload is running. It is read
 * from the pool file: the manager is not believed, so it does not say how long it is waited for.
 */
static usec_t reload_timeout(const char *pool)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) char *path = NULL;
        usec_t start;

        if (ctl_pool_file(pool, &path) < 0 ||
            (config_parse_file(path, &config, &errors) < 0 && config_new(&config) < 0))
                return RELOAD_SLACK;
        start = config->reload_start_timeout;
        return usec_add(usec_add(start, start), RELOAD_SLACK);
}

/* What became of the reload of one pool. */
typedef struct Reload {
        bool running; /* there was a manager */
        int error;    /* 0, or as of call_method() */
        sd_bus_error words;
        usec_t timeout; /* how long it was given */
} Reload;

static void reload_clear(Reload *reload)
{
        sd_bus_error_free(&reload->words);
}

static void reload_pool(const char *pool, const char *socket, usec_t timeout, Reload *ret)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        *ret = (Reload){ .timeout = timeout };
        r = call_connect(pool, socket, CALL_TIMEOUT, &bus);
        ret->running = r != 0;
        if (r > 0)
                r = call_method(bus, "Reload", timeout, &ret->words, NULL);
        ret->error = r;
}

static CtlExit fail_reload(const char *pool, const Reload *reload)
{
        char timeout[PARSE_FORMAT_MAX];

        if (!reload->running)
                return ctl_fail(0, "php-pool@%s.service is not active, cannot reload.", pool);
        if (reload->error == -ETIME)
                return ctl_fail(0, "Failed to reload pool %s: it has not answered within %s.", pool,
                                format_usec(timeout, reload->timeout));
        return call_fail("reload", pool, reload->error, &reload->words);
}

static CtlExit reload_named(const char *pool, const char *socket)
{
        _cleanup_(reload_clear) Reload reload = {};

        if (!socket && !ctl_pool_exists(pool))
                return ctl_fail_no_pool(pool);
        reload_pool(pool, socket, reload_timeout(pool), &reload);
        if (reload.running && reload.error >= 0)
                return CTL_SUCCESS;
        /* Under ExecReload= the manager has said the same in the same journal. */
        if (log_to_journal() && sd_bus_error_has_name(&reload.words, CONTROL_ERROR_RELOAD))
                return CTL_FAILURE;
        return fail_reload(pool, &reload);
}

/*
 * Whether the pool needs no reload, since it stops or will be started with the new settings. Only
 * systemd's word counts for that, unless nothing listened.
 */
static bool needs_none(sd_bus *systemd, const char *pool, const Reload *reload)
{
        if (!reload->running)
                return true;
        /* Where a start fails, clients that have connected stay in the socket. */
        if (reload->error == -ETIMEDOUT)
                return systemd_pool_is_starting(systemd, pool);
        if (!call_peer_is_gone(reload->error) &&
            !sd_bus_error_has_name(&reload->words, CONTROL_ERROR_STOPPING))
                return false;
        return systemd_pool_rests(pool);
}

/* Under ExecReload= of php-pool.service: its time-out is not for all pools together, but for each. */
static void extend_unit_timeout(usec_t timeout)
{
        (void) sd_notifyf(/* unset_environment= */ false, "EXTEND_TIMEOUT_USEC=%" PRIu64,
                          usec_add(usec_add(timeout, CALL_TIMEOUT), RELOAD_SLACK));
}

static CtlExit fail_summary(char **names, size_t n, size_t n_all)
{
        _cleanup_(freep) char *joined = NULL;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *before = TAKE_PTR(joined);

                if (text_format(&joined, "%s%s%s", before ?: "", before ? ", " : "", names[i]) < 0)
                        return CTL_FAILURE;
        }
        return ctl_fail(0, "%zu of %zu pools did not reload: %s", n, n_all, joined);
}

/* Whether a pool runs this PHP ("8.4"), or does not say what it runs: then a reload says what is wrong. */
static bool runs_php(const char *pool, const char *php)
{
        _cleanup_(status_reply_clear) StatusReply status = {};
        const char *version;
        size_t n = strlen(php);

        if (status_reply_get(pool, NULL, CALL_LIST_TIMEOUT, NULL, &status) <= 0)
                return true;
        version = items_string(&status.pool, "php-version");
        return !version || (strncmp(version, php, n) == 0 && (version[n] == '.' || version[n] == 0));
}

/* What became of the pools that were asked. */
typedef struct ReloadTally {
        char **failed; /* their names, which belong to the list of all */
        size_t n_failed, n_asked, n_done;
} ReloadTally;

/* Reloads one of all pools. */
static void reload_one(sd_bus *systemd, char *pool, ReloadTally *tally)
{
        _cleanup_(reload_clear) Reload reload = {};
        usec_t timeout = reload_timeout(pool);

        tally->n_asked++;
        extend_unit_timeout(timeout);
        reload_pool(pool, NULL, timeout, &reload);
        if (reload.running && reload.error >= 0) {
                tally->n_done++;
                return;
        }
        if (needs_none(systemd, pool, &reload))
                return;
        (void) fail_reload(pool, &reload);
        tally->failed[tally->n_failed++] = pool;
}

/* Says what became of all. */
static CtlExit tell_tally(const ReloadTally *tally)
{
        if (tally->n_failed > 0)
                return fail_summary(tally->failed, tally->n_failed, tally->n_asked);
        if (!log_to_journal())
                ctl_print("%zu pool%s reloaded", tally->n_done, tally->n_done == 1 ? "" : "s");
        return CTL_SUCCESS;
}

/*
 * Reloads the pools one after the other, so that a machine with many does not start them all at once; with
 * php not NULL, only those that run this PHP. A pool whose start failed is left out: it has the new settings
 * when it is started next, and does not answer until then.
 */
static CtlExit reload_all(const char *php)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *systemd = NULL;
        ReloadTally tally = {};
        CtlExit status;
        char **names;
        size_t n;
        int r;

        r = ctl_running_pools(&names, &n);
        if (r < 0)
                return ctl_fail(r, "Failed to list the running pools: %m");
        tally.failed = calloc(n + 1, sizeof *tally.failed);
        (void) systemd_connect(&systemd);

        for (size_t i = 0; i < n && tally.failed; i++)
                if (!systemd_pool_is_retried(systemd, names[i]) && (!php || runs_php(names[i], php)))
                        reload_one(systemd, names[i], &tally);
        status = tally.failed ? tell_tally(&tally) : ctl_fail(ENOMEM, "Failed to reload the pools: %m");
        free(tally.failed);
        ctl_names_free(names, n);
        return status;
}

CtlExit verb_reload(const Options *options, size_t n_args, char **args)
{
        if (options->all == (n_args > 0) || (options->all && options->socket)) {
                (void) ctl_fail(0, "php-poolctl reload takes either the name of one pool or --all.");
                return CTL_USAGE;
        }
        if (options->php && (!options->all || !php_version_valid(options->php))) {
                (void) ctl_fail(0, "--php takes a version such as 8.4, and goes with --all.");
                return CTL_USAGE;
        }
        return options->all ? reload_all(options->php)
                            : reload_named(ctl_pool_argument(args[0]), options->socket);
}
