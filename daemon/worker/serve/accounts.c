/* SPDX-License-Identifier: MIT */

/*
 * What is kept of each request: see accounts.h. It costs no system call but where a setting, or somebody who
 * looks at the status, asks for it.
 */

#include "worker/serve/accounts.h"

#include <sys/random.h>

#include "base/log.h"
#include "worker/serve/memory.h"

/* Each worker's own, so that workers which started together do not end together. */
static uint64_t draw_max_requests(const Config *c)
{
        uint32_t random;

        if (c->pm_max_requests == 0 || c->pm_max_requests_jitter == 0 ||
            getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
                return c->pm_max_requests;
        return c->pm_max_requests + random % (c->pm_max_requests_jitter + 1);
}

Accounts accounts_make(const WorkerContext *context, Slot *slot, Own *own)
{
        return (Accounts) {
                .context = context,
                .slot = slot,
                .own = own,
                .max_requests = draw_max_requests(context->config),
        };
}

void accounts_begin(Accounts *a, Request *request)
{
        AccessLog *access = a->context->access;

        assert(!a->request);

        log_begin_request();
        slot_request(a->slot, request->params);
        cpu_begin(&a->cpu, access_log_wants_cpu(access) || scoreboard_watched(a->context->board));
        if (access_log_wants_peer(access) && !request->unix_socket)
                (void) own_find_peer(a->own);
        access_log_begin(access, request);
        a->request = request;
}

/* The request's parameters are still there. */
static void log_request(Accounts *a, const PhpOutcome *outcome, Cpu cpu)
{
        AccessEntry entry;

        if (!a->context->access)
                return;
        entry = (AccessEntry) {
                .request = a->request,
                .peer = a->own->peer,
                .status = outcome->status,
                .memory = outcome->memory,
                .duration = a->slot->request_duration,
                .cpu_user = cpu.user,
                .cpu_system = cpu.system,
        };

        entry.started = usec_sub(now_realtime(), entry.duration);
        access_log_write(a->context->access, &entry);
}

/* Why the worker ends after a request, EXIT_STATUS_RETIRED for no reason. */
static ExitStatus reason_to_end(const Accounts *a, const PhpOutcome *outcome)
{
        uint64_t max_memory = a->context->config->pm_max_memory;

        if (outcome->must_exit)
                return EXIT_STATUS_PHP_EXIT;
        if (a->max_requests > 0 && a->slot->counted >= a->max_requests)
                return EXIT_STATUS_MAX_REQUESTS;
        if (max_memory > 0 && memory_resident() > max_memory)
                return EXIT_STATUS_MAX_MEMORY;
        return EXIT_STATUS_RETIRED;
}

ExitStatus accounts_end(Accounts *a, const PhpOutcome *outcome)
{
        Cpu cpu = cpu_end(&a->cpu);

        assert(a->request);

        slot_request_end(a->slot, outcome->memory, cpu.user + cpu.system);
        log_request(a, outcome, cpu);
        a->untold = !log_tell_lost(/* now= */ true) || access_log_has_lost(a->context->access);
        a->request = NULL;
        return reason_to_end(a, outcome);
}

void accounts_tell_lost(Accounts *a)
{
        bool told = log_tell_lost(/* now= */ true);

        a->untold = !access_log_tell_lost(a->context->access) || !told;
}
