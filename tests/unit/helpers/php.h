/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * PHP in the test's own process: scripts in a directory of the test, requests and answers in memory, and
 * what goes to the journal caught on its way.
 */

#include "helpers/directory.h"
#include "worker/php/php.h"

#define VARS_MAX 16
#define TEXT_MAX (256 * 1024)

typedef struct Text {
        char bytes[TEXT_MAX]; /* a string */
        size_t size;
} Text;

/* One request. What is not set is a GET over a Unix socket by a client that takes everything. */
typedef struct Exchange {
        const char *script;         /* "hello.php" */
        const char *vars[VARS_MAX]; /* "NAME=value", over the usual ones; "!NAME" for one that is not sent */
        const char *body;
        bool tcp;
        bool body_breaks; /* the client goes away at the body's end */
        size_t takes;     /* bytes of answer that the client takes, 0 for all */

        RequestHeader *wanted; /* of the answer, for the log */
        size_t n_wanted;

        Request request;
        int status;             /* of the head */
        HeadStatus status_said; /* likewise */
        size_t body_pos;
        Text out, err;
        size_t flushes, finishes, releases;
        PhpOutcome outcome;
} Exchange;

typedef struct PhpEnvironment {
        Directory directory; /* of the scripts */
        Params *params;
        Config *config;
        int journal_fd;
        Text journal; /* records of the request, a field a line */
} PhpEnvironment;

/* The one of this process: PHP is started once. */
extern PhpEnvironment env;

/* A directory with these scripts, {name, text}, and settings that name no file which is there. */
void env_open(const char *const scripts[][2], size_t n);

/* Starts PHP, as a template and as a worker: what php_worker_start() returns. */
int env_start(void);

/* The end of a group of tests. */
int env_close(void **state);

/* The log goes to a socket of ours: log_open() takes standard error for the journal. */
void catch_journal(void);

/* Runs the request; *x then has the answer. */
void run(Exchange *x);

/* The answer's body: what stands behind the empty line. */
const char *body_of(const Exchange *x);
