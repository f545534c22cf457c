/* SPDX-License-Identifier: MIT */

/* The words of reasons.def. It decides nothing. */

#include "manager/decide/reasons.h"

#include <stdlib.h>

#include "base/log.h"

static const char *const kill_texts[] = {
#define KILL(name, text) [KILL_##name] = text,
#include "manager/decide/reasons.def"
};

static const struct {
        int status, level;
        const char *text;
} stops[] = {
#define STOP(name, status, level, text) [STOP_##name] = { status, level, text },
#include "manager/decide/reasons.def"
};

const char *kill_reason_text(KillReason reason)
{
        assert(reason < _KILL_REASON_MAX);
        return kill_texts[reason];
}

int stop_reason_exit_status(StopReason reason)
{
        assert(reason < _STOP_REASON_MAX);
        return stops[reason].status;
}

const char *stop_reason_text(StopReason reason, int *ret_level)
{
        assert(reason < _STOP_REASON_MAX);
        *ret_level = stops[reason].level;
        return stops[reason].text;
}
