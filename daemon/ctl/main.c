/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl: reads the command line and runs the verb. Verbs and options stand in verbs.def and
 * options.def: a new verb is a line there and a file.
 */

#include <getopt.h>
#include <stdio.h>

#include "base/log.h"
#include "base/parse.h"
#include "ctl/ctl.h"

typedef struct Verb {
        const char *name;
        size_t min, max;
        const char *arguments;
        const char *help;
        VerbFunction *run;
} Verb;

static const Verb verbs[] = {
#define VERB(name, min, max, arguments, help) { #name, min, max, arguments, help, verb_##name },
#include "ctl/verbs.def"
};

typedef enum VerbId {
#define VERB(name, min, max, arguments, help) VERB_##name,
#include "ctl/verbs.def"
} VerbId;

#define FOR(verb) (1U << VERB_##verb)

typedef enum OptionId {
#define OPTION(kind, field, ...) OPTION_##field,
#include "ctl/options.def"
        _OPTION_MAX,
} OptionId;

typedef enum OptionKind {
        OPTION_FLAG,
        OPTION_TEXT,
        OPTION_TIME,
        OPTION_PAIRS,
} OptionKind;

typedef struct OptionInfo {
        OptionKind kind;
        size_t offset; /* of its field, in Options */
        char letter;
        const char *name;
        const char *argument;
        unsigned verbs; /* FOR() each verb that takes it; 0 where it stands for itself */
        const char *help;
} OptionInfo;

static const OptionInfo option_infos[_OPTION_MAX] = {
#define OPTION(kind, field, letter, name, argument, verbs, help)                                            \
        [OPTION_##field] = { OPTION_##kind, offsetof(Options, field), letter, name, argument, verbs, help },
#include "ctl/options.def"
};

static Options arg_options = { .timeout = CTL_REQUEST_TIMEOUT };
static bool arg_given[_OPTION_MAX];

/* "list, status: " */
static void print_verbs_of(const OptionInfo *o)
{
        const char *before = "";

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (o->verbs & (1U << i)) {
                        printf("%s%s", before, verbs[i].name);
                        before = ", ";
                }
        if (o->verbs)
                printf(": ");
}

static void help(void)
{
        char left[64];

        printf("php-poolctl [OPTION…] VERB …\n\n"
               "Looks after pools of PHP workers.\n\nVerbs:\n");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                (void) snprintf(left, sizeof left, "%s %s", verbs[i].name, verbs[i].arguments);
                printf("  %-28s %s\n", left, verbs[i].help);
        }

        printf("\nOptions:\n");
        for (size_t i = 0; i < _OPTION_MAX; i++) {
                const OptionInfo *o = &option_infos[i];
                char dash[4] = "   ";

                if (o->letter)
                        (void) snprintf(dash, sizeof dash, "-%c ", o->letter);
                (void) snprintf(left, sizeof left, "%s--%s%s%s", dash, o->name, o->argument ? "=" : "",
                                o->argument ?: "");
                printf("  %-28s ", left);
                print_verbs_of(o);
                puts(o->help);
        }
        printf("\nSee php-poolctl(1).\n");
}

/* The tables of getopt_long(3): each option returns its id + OPTION_BASE, or its letter. */
#define OPTION_BASE 0x100

static void make_tables(struct option *long_options, char *letters)
{
        for (int i = 0; i < _OPTION_MAX; i++) {
                const OptionInfo *o = &option_infos[i];

                long_options[i] = (struct option) {
                        .name = o->name,
                        .has_arg = o->argument ? required_argument : no_argument,
                        .val = OPTION_BASE + i,
                };
                if (!o->letter)
                        continue;
                *letters++ = o->letter;
                if (o->argument)
                        *letters++ = ':';
        }
        *letters = 0;
        long_options[_OPTION_MAX] = (struct option) {};
}

/* The option that getopt_long() returned; NULL for its error. */
static const OptionInfo *option_of(int c)
{
        if (c >= OPTION_BASE && c < OPTION_BASE + _OPTION_MAX)
                return &option_infos[c - OPTION_BASE];
        for (size_t i = 0; i < _OPTION_MAX; i++)
                if (option_infos[i].letter && option_infos[i].letter == c)
                        return &option_infos[i];
        return NULL;
}

static int set_time(const OptionInfo *o, const char *argument, usec_t *ret)
{
        usec_t t;

        if (parse_usec(argument, &t) < 0) {
                (void) ctl_fail(0, "--%s takes a time such as 30 or 5min, not \"%s\".", o->name, argument);
                return -EINVAL;
        }
        *ret = t > 0 ? t : USEC_INFINITY;
        return 0;
}

static int add_pair(const OptionInfo *o, const char *argument, OptionPairs *pairs)
{
        const char *equals = strchr(argument, '=');

        if (!equals || equals == argument) {
                (void) ctl_fail(0, "--%s takes NAME=VALUE, not \"%s\".", o->name, argument);
                return -EINVAL;
        }
        if (pairs->n == ELEMENTSOF(pairs->list)) {
                (void) ctl_fail(0, "--%s may be given %zu times.", o->name, ELEMENTSOF(pairs->list));
                return -EINVAL;
        }
        pairs->list[pairs->n++] = argument;
        return 0;
}

/* Sets the field of one option. 0, or -EINVAL for an argument that the option does not take. */
static int set_option(Options *options, const OptionInfo *o, const char *argument)
{
        void *field = (char *) options + o->offset;

        assert(!argument == !o->argument);

        switch (o->kind) {
        case OPTION_FLAG:
                *(bool *) field = true;
                return 0;
        case OPTION_TEXT:
                *(const char **) field = argument;
                return 0;
        case OPTION_TIME:
                return set_time(o, argument, field);
        case OPTION_PAIRS:
                return add_pair(o, argument, field);
        }
        return -EINVAL;
}

/* 1 to go on, 0 when everything was done, -EINVAL for wrong usage. */
static int parse_argv(int argc, char **argv)
{
        struct option long_options[_OPTION_MAX + 1];
        char letters[2 * _OPTION_MAX + 1];
        int c;

        make_tables(long_options, letters);
        while ((c = getopt_long(argc, argv, letters, long_options, NULL)) >= 0) {
                const OptionInfo *o = option_of(c);

                if (!o || set_option(&arg_options, o, optarg) < 0)
                        return -EINVAL; /* where there is no such option, getopt_long() has said so */
                arg_given[o - option_infos] = true;
                if (arg_options.help)
                        help();
                if (arg_options.version)
                        puts("php-poolctl " PHP_POOL_VERSION);
                if (arg_options.help || arg_options.version)
                        return 0;
        }
        return 1;
}

/* Whether the verb takes all options that were given; names the first that it does not take. */
static bool options_fit(const Verb *verb)
{
        for (size_t i = 0; i < _OPTION_MAX; i++)
                if (arg_given[i] && !(option_infos[i].verbs & (1U << (verb - verbs)))) {
                        (void) ctl_fail(0, "php-poolctl %s takes no --%s, see --help.", verb->name,
                                        option_infos[i].name);
                        return false;
                }
        return true;
}

static CtlExit run_verb(size_t n, char **words)
{
        const Verb *verb = NULL;

        if (n == 0) {
                (void) ctl_fail(0, "php-poolctl takes a verb, see --help.");
                return CTL_USAGE;
        }
        for (size_t i = 0; i < ELEMENTSOF(verbs) && !verb; i++)
                if (streq(verbs[i].name, words[0]))
                        verb = &verbs[i];
        if (!verb) {
                (void) ctl_fail(0, "Unknown verb \"%s\", see --help.", words[0]);
                return CTL_USAGE;
        }
        if (n - 1 < verb->min || n - 1 > verb->max) {
                (void) ctl_fail(0, "Usage: php-poolctl %s%s%s", verb->name, *verb->arguments ? " " : "",
                                verb->arguments);
                return CTL_USAGE;
        }
        if (!options_fit(verb))
                return CTL_USAGE;
        return verb->run(&arg_options, n - 1, words + 1);
}

int main(int argc, char **argv)
{
        CtlExit status = CTL_SUCCESS;
        int r;

        log_open();
        r = parse_argv(argc, argv);
        if (r < 0)
                return CTL_USAGE;
        if (r > 0)
                status = run_verb((size_t) (argc - optind), argv + optind);

        if (fflush(stdout) == EOF || ferror(stdout))
                return (int) ctl_fail(errno, "Failed to write the output: %m");
        return (int) status;
}
