/* SPDX-License-Identifier: MIT */
#pragma once

/* MESSAGE_ID=s of the log: see messages.def. */

#include <stddef.h>

typedef enum MessageIndex {
#define MESSAGE(name, id) MESSAGE_INDEX_##name,
#include "base/messages.def"
        _MESSAGE_MAX,
} MessageIndex;

/* The id of each, for log_record(): MESSAGE_ID(STARTED). */
extern const char *const message_ids[_MESSAGE_MAX];

#define MESSAGE_ID(name) (message_ids[MESSAGE_INDEX_##name])
