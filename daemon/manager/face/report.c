/* SPDX-License-Identifier: MIT */

/*
 * The pool's status: gathers what the manager and the scoreboards know, and writes it by status.def's list.
 */

#include "manager/face/report.h"

#include "base/utf8.h"
#include "manager/face/notify.h"
#include "manager/pool/generation-count.h"

static int append_string(sd_bus_message *m, const char *key, const char *value)
{
        return sd_bus_message_append(m, "{sv}", key, "s", value);
}

static int append_number(sd_bus_message *m, const char *key, uint64_t value)
{
        return sd_bus_message_append(m, "{sv}", key, "t", value);
}

#define APPEND_STRING append_string
#define APPEND_URI append_string
#define APPEND_COUNT append_number
#define APPEND_PERCENT append_number
#define APPEND_USEC append_number
#define APPEND_SINCE append_number
#define APPEND_TIME append_number

static int append_pool(sd_bus_message *m, const PoolStatus *status)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
#define POOL_STATUS(origin, field, key, type, ...)                                                          \
        if (status_shows(status->php_version, STATUS_##origin))                                             \
                r = APPEND_##type(m, key, status->field);                                                   \
        if (r < 0)                                                                                          \
                return r;
#include "status/status.def"
        return sd_bus_message_close_container(m);
}

static int append_worker(sd_bus_message *m, const WorkerStatus *status)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
#define WORKER_STATUS(origin, field, key, type, ...)                                                        \
        r = APPEND_##type(m, key, status->field);                                                           \
        if (r < 0)                                                                                          \
                return r;
#include "status/status.def"
        return sd_bus_message_close_container(m);
}

/* In hundredths of a percent of the time that it took. */
static uint64_t cpu_percent(const WorkerRecord *record)
{
        if (record->request_duration == 0)
                return 0;
        return record->request_cpu * 10000 / record->request_duration;
}

bool report_worker(const Generation *g, size_t slot, WorkerRecord *record, WorkerStatus *ret)
{
        const Worker *w = &g->workers.slots[slot];
        bool reading, active;

        if (!worker_lives(w))
                return false;
        (void) scoreboard_read(g->workers.board, slot, record);

        /* While it reads the next one, the record is still that of the last. */
        active = record->request_started > record->request_ended;
        reading = record->stage == STAGE_READING && !active;
        *ret = (WorkerStatus){
                .pid = (uint64_t) w->pid,
                .state = stage_to_string(record->stage),
                .generation = g->id,
                .start_time = w->started,
                .start_since = usec_sub(now_realtime(), w->started),
                .requests = record->requests + active, /* as PHP-FPM counts them, when they begin */
                .connections = record->connections,
                .request_duration = active    ? usec_sub(now_monotonic(), record->request_started)
                                    : reading ? 0
                                              : record->request_duration,
                .request_method = reading ? "" : record->method,
                .request_uri = reading ? "" : record->uri,
                .content_length = reading ? 0 : record->content_length,
                .user = reading ? "" : record->user,
                .script = reading ? "" : record->script,
                .last_request_cpu = active || reading ? 0 : cpu_percent(record),
                .last_request_memory = active || reading ? 0 : record->request_memory,
        };
        return true;
}

static int append_generation(sd_bus_message *m, const Generation *g)
{
        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerRecord record;
                WorkerStatus status;
                int r;

                if (!report_worker(g, i, &record, &status))
                        continue;
                /* D-Bus strings are UTF-8; what a client sent may be anything. */
                utf8_make_printable(record.method);
                utf8_make_printable(record.uri);
                utf8_make_printable(record.script);
                utf8_make_printable(record.user);
                r = append_worker(m, &status);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Adds a generation's figures to the pool's. */
static void sum_generation(const Generation *g, PoolStatus *status)
{
        GenerationCount count = generation_count(g);

        status->idle_processes += count.idle;
        status->active_processes += count.busy;
        status->total_processes += generation_alive(g);
        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerRecord record;

                if (!worker_lives(&g->workers.slots[i]))
                        continue;
                (void) scoreboard_read(g->workers.board, i, &record);
                status->requests += record.requests;
                status->accepted_conn += record.connections;
                status->memory_peak = MAX(status->memory_peak, record.memory_peak);
        }
}

void report_pool(Manager *m, PoolStatus *ret)
{
        const Generation *serving = m->current ?: m->next;
        QueueCount queue = queue_look(m->queue);

        *ret = (PoolStatus){
                .pool = m->pool,
                .state = pool_state_to_string(m->state),
                .health = notify_health(m->notify),
                .process_manager = serving ? pm_mode_to_string(serving->config->pm_mode) : "",
                .php_version = serving ? serving->php_version : "",
                .start_time = m->start_time,
                .start_since = usec_sub(now_realtime(), m->start_time),
                .generation = serving ? serving->id : 0,
                .max_children = serving ? serving->config->pm_max_children : 0,
                .accepted_conn = m->past_connections,
                .listen_queue = queue.length,
                .max_listen_queue = queue.highest,
                .listen_queue_len = queue.limit,
                .requests = m->past_requests,
                .memory_peak = m->past_memory_peak,
                .max_children_reached = m->saturation.n,
                .slow_requests = m->n_slow,
                .parked_connections = parking_count(m->parking),
                .parked_ready = parking_ready_count(m->parking),
                .recycled_max_requests = m->n_recycled[RECYCLED_MAX_REQUESTS],
                .recycled_max_memory = m->n_recycled[RECYCLED_MAX_MEMORY],
                .recycled_terminated = m->n_recycled[RECYCLED_TERMINATED],
                .recycled_crashed = m->n_recycled[RECYCLED_CRASHED],
                .recycled_retired = m->n_recycled[RECYCLED_RETIRED],
        };

        FOREACH_GENERATION(g, m)
                sum_generation(g, ret);
        /* A short request comes and goes between two looks; some worker had it. */
        m->max_active = MAX(m->max_active, MAX(ret->active_processes, (uint64_t) (ret->requests > 0)));
        ret->max_active_processes = m->max_active;
}

int report_append(Manager *m, sd_bus_message *message)
{
        PoolStatus status;
        int r;

        report_pool(m, &status);
        r = append_pool(message, &status);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(message, 'a', "a{sv}");
        if (r < 0)
                return r;
        FOREACH_GENERATION(g, m) {
                r = append_generation(message, g);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(message);
}
