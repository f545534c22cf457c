/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The numbers of the FastCGI Specification 1.0, whose sections are named; and what a request is on both
 * sides of the codec.
 */

#include "base/params.h"

#define FCGI_VERSION_1 1                /* 3.3 */
#define FCGI_HEADER_SIZE 8              /* 3.3 */
#define FCGI_CONTENT_MAX 65535          /* 3.3: contentLength is 16 bits */
#define FCGI_NULL_REQUEST_ID 0          /* 3.3: management records */
#define FCGI_FLAG_KEEP_CONN 1           /* 5.1 */

/* 8, record types */
typedef enum FcgiType {
        FCGI_BEGIN_REQUEST = 1,
        FCGI_ABORT_REQUEST = 2,
        FCGI_END_REQUEST = 3,
        FCGI_PARAMS = 4,
        FCGI_STDIN = 5,
        FCGI_STDOUT = 6,
        FCGI_STDERR = 7,
        FCGI_DATA = 8,
        FCGI_GET_VALUES = 9,
        FCGI_GET_VALUES_RESULT = 10,
        FCGI_UNKNOWN_TYPE = 11,
} FcgiType;

/* 5.1, roles */
typedef enum FcgiRole {
        FCGI_RESPONDER = 1,
        FCGI_AUTHORIZER = 2,
        FCGI_FILTER = 3,
} FcgiRole;

/* 5.5, protocolStatus */
typedef enum FcgiStatus {
        FCGI_REQUEST_COMPLETE = 0,
        FCGI_CANT_MPX_CONN = 1,
        FCGI_OVERLOADED = 2,
        FCGI_UNKNOWN_ROLE = 3,
} FcgiStatus;

/* The largest content of a GET_VALUES record; all that can be asked for is three short names (4.1). */
#define FCGI_GET_VALUES_MAX 1024

typedef struct FcgiRequest {
        uint16_t id;
        FcgiRole role;
        bool keep_connection; /* FCGI_KEEP_CONN */
        Params *params;       /* the decoder's; may be changed; fcgi_decoder_finish() clears it */
} FcgiRequest;
