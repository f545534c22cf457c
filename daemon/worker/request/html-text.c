/* SPDX-License-Identifier: MIT */

/*
 * HTML in PHP's messages: see html-text.h. The form is that of php_verror() in PHP's main/main.c:
 *
 *      ORIGIN [<a href='ROOT/function.fopen'>function.fopen</a>]: TEXT
 *
 * with the link only where docref_root is set, and the four entities of ENT_COMPAT in ORIGIN and TEXT.
 */

#include "worker/request/html-text.h"

#include "base/util.h"

#define LINK_BEGIN " [<a href='"
#define LINK_END "</a>]"

static const struct {
        const char *entity;
        char character;
} entities[] = {
        { "&lt;", '<' },
        { "&gt;", '>' },
        { "&quot;", '"' },
        { "&amp;", '&' },
};

/* Where no function is at work. */
static const char *const places[] = {
        "PHP Startup", "PHP Shutdown", "PHP Request Startup", "PHP Request Shutdown", "Unknown",
};

/* "PHP Warning:  ", as PHP's log has it. */
static size_t level_size(const char *message)
{
        const char *end = startswith(message, "PHP ") ? strstr(message, ":  ") : NULL;

        return end && (size_t) (end - message) < strlen("PHP Recoverable fatal error: ")
                               ? (size_t) (end - message) + strlen(":  ")
                               : 0;
}

/* "Class-&gt;function(arguments)" or one of the places. The size, 0 where there is none. */
static size_t origin_size(const char *message)
{
        const char *end;
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                n = strlen(places[i]);
                if (startswith(message, places[i]) && startswith(message + n, ": "))
                        return n;
        }

        n = strcspn(message, "( ");
        if (n == 0 || message[n] != '(')
                return 0;
        end = strstr(message + n, ")" LINK_BEGIN) ?: strstr(message + n, "): ");
        return end ? (size_t) (end - message) + 1 : 0;
}

static void cut(char *from, size_t size)
{
        memmove(from, from + size, strlen(from + size) + 1);
}

static void decode_entities(char *text)
{
        for (; *text; text++)
                for (size_t i = 0; i < ELEMENTSOF(entities); i++)
                        if (startswith(text, entities[i].entity)) {
                                *text = entities[i].character;
                                cut(text + 1, strlen(entities[i].entity) - 1);
                                break;
                        }
}

void html_text_plain(char *message)
{
        size_t n;

        message += level_size(message);
        n = origin_size(message);
        if (n == 0)
                return;
        if (startswith(message + n, LINK_BEGIN)) {
                const char *end = strstr(message + n, LINK_END ": ");

                if (end)
                        cut(message + n, (size_t) (end - message) - n + strlen(LINK_END));
        }
        decode_entities(message);
}
