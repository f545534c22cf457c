/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a decoder knows of its connection: for decoder.c, which changes it, and decoder-save.c, which reads
 * it.
 */

#include "fastcgi/encoder.h"
#include "fastcgi/pairs.h"

/* 4.1: the only value that is told, as PHP-FPM does; FCGI_MAX_CONNS and FCGI_MAX_REQS are not known here. */
#define MPXS_CONNS_NAME "FCGI_MPXS_CONNS"
#define MPXS_CONNS_VALUE "0"
#define MPXS_CONNS_PAIR_SIZE (2 + sizeof MPXS_CONNS_NAME - 1 + sizeof MPXS_CONNS_VALUE - 1)

/* The largest reply: GET_VALUES_RESULT with its padding. */
#define REPLY_SIZE_MAX (FCGI_HEADER_SIZE + ((MPXS_CONNS_PAIR_SIZE + 7) & ~(size_t) 7))

/* How far the active request is. */
typedef enum RequestState {
        REQUEST_NONE,
        REQUEST_PARAMS,    /* until the empty PARAMS record */
        REQUEST_BODY,      /* until the empty STDIN record */
        REQUEST_WHOLE,     /* only an abort can follow; from here on the next BEGIN_REQUEST has to wait */
        REQUEST_TOO_LARGE, /* its records are skipped, until the empty STDIN record */
        REQUEST_DROPPED,   /* its records are skipped */
} RequestState;

/* What the content of the current record is for. */
typedef enum Sink {
        SINK_SKIP,
        SINK_BEGIN,
        SINK_PARAMS,
        SINK_BODY,
        SINK_GET_VALUES,
} Sink;

struct FcgiDecoder {
        int error; /* 0, or what every call returns from now on */

        uint8_t header_bytes[FCGI_HEADER_SIZE];
        size_t header_used;
        FcgiHeader header; /* of the record that content_left and padding_left belong to */
        size_t content_left;
        size_t padding_left;
        Sink sink;

        uint8_t whole[FCGI_GET_VALUES_MAX]; /* content that is looked at in one piece: SINK_BEGIN and */
        size_t whole_used;                  /* SINK_GET_VALUES */

        RequestState state;
        FcgiRequest request;
        FcgiCutPair cut_pair; /* of PARAMS */

        uint8_t reply[REPLY_SIZE_MAX];
};
