/* SPDX-License-Identifier: MIT */
#pragma once

/* How a status is shown to people: by the verbs status and top. */

#include "ctl/status-reply.h"

/* Writes it to standard output, with a heading above the workers if legend is set. 0 or -ENOMEM. */
int status_print(const StatusReply *status, bool legend);
