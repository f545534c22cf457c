/* SPDX-License-Identifier: MIT */
#pragma once

/* The books of php-pool-sendmaild: its connections on their way, and their users. */

#include <systemd/sd-event.h>

#include "base/time.h"
#include "sendmail/peer.h"
#include "sendmail/slots.h"

typedef struct MailServer MailServer;
typedef struct Jobs Jobs;

typedef enum JobState {
        JOB_NEW,       /* not in the books */
        JOB_WAITING,   /* for its turn */
        JOB_RUNNING,   /* sendmail runs */
        JOB_LINGERING, /* a delivery goes on in the background */
        JOB_ENDING,    /* and was told to end */
} JobState;

/* A user who has jobs. */
typedef struct User {
        uid_t uid;
        MailLoad load;
        size_t n_jobs;
        usec_t refused_logged; /* CLOCK_MONOTONIC; 0 for never */
        struct User *next;
} User;

/* A connection on its way. */
typedef struct Job {
        MailServer *server;
        Jobs *jobs;
        User *user;     /* NULL before jobs_enter() */
        JobState state; /* job_set_state()'s alone */
        Peer peer;
        int connection;          /* WAITING: to the client */
        int running;             /* RUNNING: its other end is closed when sendmail has ended */
        pid_t pid;               /* from RUNNING on */
        sd_event_source *source; /* of connection or running */
        sd_event_source *child;
        sd_event_source *timer;
        struct Job *previous, *next;
} Job;

struct Jobs {
        Job *first, *last; /* in the order of arrival */
        User *users;
        MailLoad load;
};

/* The user with this uid, or NULL where no job in the books is of that user. */
User *jobs_find_user(const Jobs *jobs, uid_t uid);

/* Puts the job into the books, behind all others. 0, or -ENOMEM: then it still belongs to the caller. */
int jobs_enter(Jobs *jobs, Job *job);

/* The only writer of a job's state, and of the counts. The job is in the books; states come in their order.
 */
void job_set_state(Job *job, JobState state);

/* Takes the job out of the books, where it is in them, and frees it with all that it owns. Returns NULL. */
Job *job_free(Job *job);
DEFINE_CLEANUP(Job *, job_free)
