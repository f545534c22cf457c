/* SPDX-License-Identifier: MIT */
#pragma once

/* FastCGI, as the way in which requests come: a web server's connection, one request on it at a time. */

#include "worker/transport/transport.h"

extern const Transport fastcgi_transport;
