/* SPDX-License-Identifier: MIT */

/*
 * The books on connections and their users: see jobs.h. State, list and counts change here and nowhere
 * else, so they agree. Nothing here decides or waits.
 */

#include "sendmail/jobs.h"

#include "base/fd.h"

User *jobs_find_user(const Jobs *jobs, uid_t uid)
{
        User *u;

        for (u = jobs->users; u && u->uid != uid; u = u->next)
                ;
        return u;
}

static User *user_get(Jobs *jobs, uid_t uid)
{
        User *u = jobs_find_user(jobs, uid);

        if (u)
                return u;
        u = calloc(1, sizeof *u);
        if (!u)
                return NULL;
        *u = (User){ .uid = uid, .next = jobs->users };
        jobs->users = u;
        return u;
}

static void user_put(Jobs *jobs, User *user)
{
        User **p = &jobs->users;

        if (user->n_jobs > 0)
                return;
        while (*p != user)
                p = &(*p)->next;
        *p = user->next;
        free(user);
}

static size_t *counter_of(MailLoad *load, JobState state)
{
        switch (state) {
        case JOB_WAITING:
                return &load->waiting;
        case JOB_RUNNING:
                return &load->running;
        case JOB_LINGERING:
                return &load->lingering;
        case JOB_NEW:
        case JOB_ENDING:
                break;
        }
        return NULL;
}

/* Which states may follow a state, as bits. JOB_NEW is where job_free() takes the job out of the books. */
static const unsigned followers[] = {
        [JOB_NEW] = 1U << JOB_NEW | 1U << JOB_WAITING,
        [JOB_WAITING] = 1U << JOB_NEW | 1U << JOB_RUNNING,
        [JOB_RUNNING] = 1U << JOB_NEW | 1U << JOB_LINGERING,
        [JOB_LINGERING] = 1U << JOB_NEW | 1U << JOB_ENDING,
        [JOB_ENDING] = 1U << JOB_NEW,
};

void job_set_state(Job *job, JobState state)
{
        MailLoad *loads[] = { &job->jobs->load, &job->user->load };

        assert((size_t) job->state < ELEMENTSOF(followers));
        assert(followers[job->state] & 1U << state);

        for (size_t i = 0; i < ELEMENTSOF(loads); i++) {
                size_t *old = counter_of(loads[i], job->state), *new = counter_of(loads[i], state);

                assert(!old || *old > 0);
                if (old)
                        (*old)--;
                if (new)
                        (*new)++;
        }
        job->state = state;
}

Job *job_free(Job *job)
{
        Jobs *jobs = job->jobs;

        if (job->user) {
                job_set_state(job, JOB_NEW);
                *(job->previous ? &job->previous->next : &jobs->first) = job->next;
                *(job->next ? &job->next->previous : &jobs->last) = job->previous;
                job->user->n_jobs--;
                user_put(jobs, job->user);
        }
        sd_event_source_disable_unref(job->source);
        sd_event_source_disable_unref(job->child);
        sd_event_source_disable_unref(job->timer);
        fd_close(job->connection);
        fd_close(job->running);
        peer_clear(&job->peer);
        free(job);
        return NULL;
}

int jobs_enter(Jobs *jobs, Job *job)
{
        User *user;

        assert(!job->user && job->state == JOB_NEW);

        user = user_get(jobs, job->peer.uid);
        if (!user)
                return -ENOMEM;
        job->jobs = jobs;
        job->user = user;
        user->n_jobs++;
        job->previous = jobs->last;
        *(jobs->last ? &jobs->last->next : &jobs->first) = job;
        jobs->last = job;
        return 0;
}
