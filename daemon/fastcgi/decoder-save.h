/* SPDX-License-Identifier: MIT */
#pragma once

/* A decoder that goes on in another process. */

#include "fastcgi/decoder.h"

/*
 * Writes down where the decoder is, as the bytes that bring a new one to the same place: for another process
 * to go on with. Between requests, or with part of a request's head only: not from FCGI_REQUEST to
 * fcgi_decoder_finish(). `unread` is what was received and not taken, and stands behind. What was skipped or
 * answered is left out, so it is never much more than params.h's bounds allow. The caller frees it. 0 or
 * -ENOMEM.
 */
int fcgi_decoder_save(const FcgiDecoder *decoder, const uint8_t *unread, size_t unread_size, uint8_t **ret,
                      size_t *ret_size);
