/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl: reads the command line and hands over to the verb. Verbs and options stand in verbs.def and
 * options.def; a new verb is a line there and a file.
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
#define OPTION(id, letter, name, argument, verbs, help) OPTION_##id,
#include "ctl/options.def"
        _OPTION_MAX,
} OptionId;

typedef struct OptionInfo {
        char letter;
        const char *name;
        const char *argument;
        unsigned verbs; /* FOR() each verb that takes it; 0 where it stands for itself */
        const char *help;
} OptionInfo;

static const OptionInfo option_infos[_OPTION_MAX] = {
#define OPTION(id, letter, name, argument, verbs, help)                                                     \
        [OPTION_##id] = { letter, name, argument, verbs, help },
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

/* What getopt_long(3) wants: each option returns its id + OPTION_BASE, and so does its letter. */
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

static OptionId option_of(int c)
{
        if (c >= OPTION_BASE)
                return (OptionId) (c - OPTION_BASE);
        for (int i = 0; i < _OPTION_MAX; i++)
                if (option_infos[i].letter == c)
                        return (OptionId) i;
        return _OPTION_MAX;
}

static int add_param(Options *o, const char *param)
{
        const char *equals = strchr(param, '=');

        if (!equals || equals == param) {
                (void) ctl_fail(0, "--param takes NAME=VALUE, not \"%s\".", param);
                return -EINVAL;
        }
        if (o->n_params == CTL_PARAMS_MAX) {
                (void) ctl_fail(0, "--param may be given %d times.", CTL_PARAMS_MAX);
                return -EINVAL;
        }
        o->params[o->n_params++] = param;
        return 0;
}

static int set_timeout(Options *o, const char *argument)
{
        usec_t timeout;

        if (parse_usec(argument, &timeout) < 0) {
                (void) ctl_fail(0, "--timeout takes a time such as 30 or 5min, not \"%s\".", argument);
                return -EINVAL;
        }
        o->timeout = timeout > 0 ? timeout : USEC_INFINITY;
        return 0;
}

/* 1 to go on, 0 when everything was done, -EINVAL for wrong usage. */
static int take_option(Options *o, OptionId id, const char *argument)
{
        switch (id) {
        case OPTION_HELP:
                help();
                return 0;
        case OPTION_VERSION:
                puts("php-poolctl " PHP_POOL_VERSION);
                return 0;
        case OPTION_NO_LEGEND:
                o->no_legend = true;
                return 1;
        case OPTION_JSON:
                o->json = true;
                return 1;
        case OPTION_NAMES:
                o->names = true;
                return 1;
        case OPTION_ALL:
                o->all = true;
                return 1;
        case OPTION_PHP:
                o->php = argument;
                return 1;
        case OPTION_DRY_RUN:
                o->dry_run = true;
                return 1;
        case OPTION_FORCE:
                o->force = true;
                return 1;
        case OPTION_OUTPUT:
                o->output = argument;
                return 1;
        case OPTION_SOCKET:
                o->socket = argument;
                return 1;
        case OPTION_ROOT:
                o->root = argument;
                return 1;
        case OPTION_METHOD:
                o->method = argument;
                return 1;
        case OPTION_QUERY:
                o->query = argument;
                return 1;
        case OPTION_PARAM:
                return add_param(o, argument) < 0 ? -EINVAL : 1;
        case OPTION_BODY:
                o->body = argument;
                return 1;
        case OPTION_TIMEOUT:
                return set_timeout(o, argument) < 0 ? -EINVAL : 1;
        case OPTION_INCLUDE:
                o->include = true;
                return 1;
        default:
                return -EINVAL; /* getopt_long() said what */
        }
}

/* The same as take_option(). */
static int parse_argv(int argc, char **argv)
{
        struct option long_options[_OPTION_MAX + 1];
        char letters[2 * _OPTION_MAX + 1];
        int c;

        make_tables(long_options, letters);
        while ((c = getopt_long(argc, argv, letters, long_options, NULL)) >= 0) {
                OptionId id = option_of(c);
                int r = take_option(&arg_options, id, optarg);

                if (r <= 0)
                        return r;
                arg_given[id] = true;
        }
        return 1;
}

/* Whether all options that were given belong to the verb; says which one does not. */
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
