/* SPDX-License-Identifier: MIT */

/* The MESSAGE_ID=s as strings: see messages.def. */

#include "base/messages.h"

const char *const message_ids[_MESSAGE_MAX] = {
#define MESSAGE(name, id) [MESSAGE_INDEX_##name] = id,
#include "base/messages.def"
};
