/* SPDX-License-Identifier: MIT */

/* Tells the headers of an answer from its body: see answer.h. Lines end with CR LF or LF. */

#include "ctl/answer.h"

#include <stdio.h>
#include <strings.h>

#define STATUS_DEFAULT 200

void answer_clear(Answer *answer)
{
        free(answer->head);
        *answer = (Answer) {};
}

/* "Status: 404 Not Found" gives 404; 0 for another line. */
static unsigned line_status(const char *line)
{
        unsigned status;

        if (strncasecmp(line, "Status:", strlen("Status:")) != 0)
                return 0;
        return sscanf(line + strlen("Status:"), " %3u", &status) == 1 ? status : 0;
}

static unsigned head_status(const char *head)
{
        for (const char *line = head; line; line = strchr(line, '\n')) {
                unsigned status;

                if (*line == '\n')
                        line++;
                status = line_status(line);
                if (status > 0)
                        return status;
        }
        return STATUS_DEFAULT;
}

/* True when the line that a line feed at head[end] ends is empty; then *ret_start is where it starts. */
static bool ends_head(const char *head, size_t end, size_t *ret_start)
{
        size_t start = end;

        if (start > 0 && head[start - 1] == '\r')
                start--;
        *ret_start = start;
        return start == 0 || head[start - 1] == '\n';
}

int answer_take(Answer *answer, const char *bytes, size_t size, const char **ret_body, size_t *ret_body_size)
{
        size_t old = answer->head_size, start;
        char *head;

        assert(bytes || size == 0);

        *ret_body = bytes;
        *ret_body_size = answer->head_ended ? size : 0;
        if (answer->head_ended)
                return 0;

        head = realloc(answer->head, old + size + 1);
        if (!head)
                return -ENOMEM;
        if (size > 0)
                memcpy(head + old, bytes, size);
        answer->head = head;
        answer->head_size = old + size;
        head[answer->head_size] = 0;

        for (size_t i = old; i < old + size; i++) {
                if (head[i] != '\n' || !ends_head(head, i, &start))
                        continue;
                head[start] = 0;
                answer->head_size = start;
                answer->head_ended = true;
                answer->status = head_status(head);
                *ret_body = bytes + (i + 1 - old);
                *ret_body_size = old + size - (i + 1);
                return 0;
        }
        return answer->head_size > ANSWER_HEAD_MAX ? -E2BIG : 0;
}
