/* SPDX-License-Identifier: MIT */

/* The words of reasons.def. It decides nothing. */

#include "manager/pool/reasons.h"

#include "base/log.h"

static const char *const kill_texts[] = {
#define KILL(name, text) [KILL_##name] = text,
#include "manager/pool/reasons.def"
};

static const struct {
        int level;
        const char *text;
} stop_texts[] = {
#define STOP(name, level, text) [STOP_##name] = { level, text },
#include "manager/pool/reasons.def"
};

const char *kill_reason_text(KillReason reason)
{
        assert(reason < _KILL_REASON_MAX);
        return kill_texts[reason];
}

const char *stop_reason_text(StopReason reason, int *ret_level)
{
        assert(reason < _STOP_REASON_MAX);
        *ret_level = stop_texts[reason].level;
        return stop_texts[reason].text;
}
