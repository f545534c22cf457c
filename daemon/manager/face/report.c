/* SPDX-License-Identifier: MIT */

/*
 * The pool's status: gathers what the manager and the scoreboards know, and writes it by status.def's list.
 */

#include "manager/face/report.h"

#include "base/utf8.h"

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

/*
 * Each line of status.def is filled in from the variable of its name: one that has none does not compile,
 * and a variable that has no line is a warning.
 */
static void fill_worker(const Generation *g, const Worker *w, const WorkerRecord *record, WorkerStatus *ret)
{
        /* While it reads the next one, the record is still that of the last. */
        bool active = record->request_started > record->request_ended;
        bool reading = record->stage == STAGE_READING && !active;

        uint64_t pid = (uint64_t) w->pid;
        const char *state = stage_to_string(record->stage);
        usec_t start_time = w->started;
        usec_t start_since = usec_sub(now_realtime(), w->started);
        uint64_t requests = record->requests + active; /* as PHP-FPM counts them, when they begin */
        usec_t since = usec_sub(now_monotonic(), record->request_started);
        usec_t request_duration = active ? since : reading ? 0 : record->request_duration;
        const char *request_method = reading ? "" : record->method;
        const char *request_uri = reading ? "" : record->uri;
        uint64_t content_length = reading ? 0 : record->content_length;
        const char *user = reading ? "" : record->user;
        const char *script = reading ? "" : record->script;
        uint64_t last_request_cpu = active || reading ? 0 : cpu_percent(record);
        uint64_t last_request_memory = active || reading ? 0 : record->request_memory;
        uint64_t generation = g->id;
        uint64_t connections = record->connections;

        *ret = (WorkerStatus){
#define WORKER_STATUS(origin, field, ...) .field = field,
#include "status/status.def"
        };
}

bool report_worker(const Generation *g, size_t slot, WorkerRecord *record, WorkerStatus *ret)
{
        const Worker *w = &g->workers.slots[slot];

        if (!worker_lives(w))
                return false;
        (void) scoreboard_read(g->workers.board, slot, record);
        fill_worker(g, w, record, ret);
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

static Figures gather(const Pool *p)
{
        Figures figures = figures_begin(&p->totals);

        FOREACH_GENERATION(g, p)
                figures_add(&figures, g);
        return figures;
}

/* As fill_worker(): from the variable of its name. */
static void fill_pool(const Pool *p, const Figures *now, const QueueCount *queue, PoolStatus *ret)
{
        const Generation *serving = p->current ?: p->next;

        const char *pool = p->name;
        const char *state = pool_state_to_string(p->life.state);
        const char *health = !p->health.watchdog ? "not watched" : p->health.reason ?: "ok";
        const char *process_manager = serving ? pm_mode_to_string(serving->config->pm_mode) : "";
        const char *php_version = serving ? serving->php_version : "";
        uint64_t generation = serving ? serving->id : 0;
        uint64_t max_children = serving ? serving->config->pm_max_children : 0;
        usec_t start_time = p->life.started;
        usec_t start_since = usec_sub(now_realtime(), p->life.started);
        uint64_t listen_queue = queue->length;
        uint64_t max_listen_queue = queue->highest;
        uint64_t listen_queue_len = queue->limit;
        uint64_t parked_connections = parking_count(p->parking);
        uint64_t parked_ready = parking_ready_count(p->parking);
        uint64_t idle_processes = now->idle;
        uint64_t active_processes = now->active;
        uint64_t total_processes = now->alive;
        uint64_t max_active_processes = p->totals.max_active;
        uint64_t max_children_reached = p->sizing.saturation.n;
        uint64_t slow_requests = p->totals.slow_requests;
#define COUNTER(field, counted, sum, status) uint64_t status = now->counters.field;
#include "scoreboard/counters.def"
#define RECYCLED(name, status) uint64_t status = p->totals.recycled[RECYCLED_##name];
        RECYCLED_LIST
#undef RECYCLED

        *ret = (PoolStatus){
#define POOL_STATUS(origin, field, ...) .field = field,
#include "status/status.def"
        };
}

void report_pool(Pool *p, PoolStatus *ret)
{
        QueueCount queue = queue_look(p->queue);
        Figures now = gather(p);

        /* A short request comes and goes between two looks; some worker had it. */
        totals_note_active(&p->totals, MAX(now.active, (uint64_t) (now.counters.requests > 0)));
        fill_pool(p, &now, &queue, ret);
}

int report_append(Pool *p, sd_bus_message *message)
{
        PoolStatus status;
        int r;

        report_pool(p, &status);
        r = append_pool(message, &status);
        if (r < 0)
                return r;

        r = sd_bus_message_open_container(message, 'a', "a{sv}");
        if (r < 0)
                return r;
        FOREACH_GENERATION(g, p) {
                r = append_generation(message, g);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(message);
}
