/* SPDX-License-Identifier: MIT */

/*
 * Judges the arguments that a script passes to sendmail: see arguments.h. It only compares with the table,
 * runs nothing, and never changes an argument: an argument that is allowed arrives as it was given.
 */

#include "sendmail/arguments.h"

#include <ctype.h>
#include <stdio.h>

typedef enum ValueKind {
        KIND_TEXT,
        KIND_NAME,
        KIND_NUMBER,
        KIND_DSN,
        KIND_RETURN,
        KIND_BODY,
        KIND_MODE,
} ValueKind;

static const char *const flags[] = {
#define FLAG(option) option,
#define VALUE(option, kind)
#include "sendmail/arguments.def"
};

static const struct ValueOption {
        const char *option;
        ValueKind kind;
} values[] = {
#define FLAG(option)
#define VALUE(option, kind) { option, KIND_##kind },
#include "sendmail/arguments.def"
};

static bool is_listed(const char *value, size_t size, const char *const *words)
{
        for (; *words; words++)
                if (strlen(*words) == size && strncasecmp(value, *words, size) == 0)
                        return true;
        return false;
}

/* Words with commas between them. */
static bool is_list_of(const char *value, const char *const *words)
{
        for (;;) {
                size_t n = strcspn(value, ",");

                if (!is_listed(value, n, words))
                        return false;
                if (!value[n])
                        return true;
                value += n + 1;
        }
}

static bool is_name(const char *value)
{
        size_t n = 0;

        for (; value[n]; n++)
                if (!isalnum((unsigned char) value[n]) && !strchr("._-@+", value[n]))
                        return false;
        return n > 0;
}

/* Whether there is no control character, which would come into a header or a log. */
static bool is_text(const char *value)
{
        for (; *value; value++)
                if ((unsigned char) *value < ' ' || *value == 0x7f)
                        return false;
        return true;
}

static bool value_fits(ValueKind kind, const char *value)
{
        static const char *const conditions[] = { "never", "off", "success", "failure", "delay", NULL },
                                 *const parts[] = { "hdrs", "headers", "full", "off", NULL },
                                 *const bodies[] = { "7BIT", "8BITMIME", "BINARYMIME", NULL },
                                 *const modes[] = { "b",         "i",          "q",
                                                    "d",         "background", "interactive",
                                                    "queueonly", "deferred",   NULL };
        const char *mode;

        switch (kind) {
        case KIND_TEXT:
                return true;
        case KIND_NAME:
                return is_name(value);
        case KIND_NUMBER:
                return *value && strlen(value) <= 3 && strspn(value, "0123456789") == strlen(value);
        case KIND_DSN:
                return is_list_of(value, conditions);
        case KIND_RETURN:
                return is_listed(value, strlen(value), parts);
        case KIND_BODY:
                return is_listed(value, strlen(value), bodies);
        case KIND_MODE:
                mode = startswith(value, "DeliveryMode=");
                return mode && is_listed(mode, strlen(mode), modes);
        }
        return false;
}

static bool is_flag(const char *argument)
{
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (streq(flags[i], argument))
                        return true;
        return false;
}

static const struct ValueOption *find_value_option(const char *argument)
{
        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                if (startswith(argument, values[i].option))
                        return &values[i];
        return NULL;
}

/* Writes the sentence, with as much of the argument as a terminal can show. */
static bool refuse_argument(char reason[MAIL_REASON_MAX], const char *argument, const char *why)
{
        char shown[64];
        size_t n = 0;

        for (; argument[n] && n < sizeof shown - 1; n++)
                shown[n] = argument[n] >= ' ' && argument[n] < 0x7f ? argument[n] : '?';
        shown[n] = 0;
        (void) snprintf(reason, MAIL_REASON_MAX, "sendmail's argument \"%s\"%s %s", shown,
                        argument[n] ? "…" : "", why);
        return true;
}

bool arguments_refuse(char *const *argv, char reason[MAIL_REASON_MAX])
{
        assert(argv);

        for (; *argv; argv++) {
                const char *argument = *argv, *value;
                const struct ValueOption *option;

                if (strlen(argument) > MAIL_ARGUMENT_MAX)
                        return refuse_argument(reason, argument, "is too long.");
                if (!is_text(argument))
                        return refuse_argument(reason, argument, "has a control character.");
                if (argument[0] != '-' || is_flag(argument))
                        continue;
                option = find_value_option(argument);
                if (!option)
                        return refuse_argument(reason, argument, "is not allowed from a pool.");
                value = argument + strlen(option->option);
                if (!*value)
                        value = *++argv;
                if (!value)
                        return refuse_argument(reason, argument, "has no value behind it.");
                if (value[0] == '-' || strlen(value) > MAIL_ARGUMENT_MAX || !is_text(value) ||
                    !value_fits(option->kind, value))
                        return refuse_argument(reason, argument,
                                               "has a value that is not allowed from a pool.");
        }
        return false;
}
