/* SPDX-License-Identifier: MIT */

/*
 * Any string as access.format: what is taken has pieces within its text, and arguments where codes need
 * them; what is refused says why, on one line.
 */

#include <stdlib.h>

#include "config/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_piece(const AccessFormat *f, const AccessPiece *piece, size_t size)
{
        AccessArgument argument = access_codes[piece->code].argument;

        if (piece->code >= _ACCESS_CODE_MAX || piece->code == ACCESS_PERCENT)
                abort();
        if (piece->code == ACCESS_TEXT) {
                if (piece->size == 0 || (piece->size == 1 && *piece->text == '%'))
                        return;
        } else if (argument == ACCESS_ARGUMENT_NAME && !piece->text)
                abort();
        else if (!piece->text)
                return;
        else if (argument < ACCESS_ARGUMENT_NAME || piece->text[piece->size])
                abort();
        if (piece->text < f->text || piece->text + piece->size > f->text + size)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) AccessFormat *format = NULL;
        _cleanup_(freep) char *text = malloc(size + 1);
        char error[ACCESS_ERROR_MAX] = "";
        int r;

        if (!text)
                abort();
        if (size > 0)
                memcpy(text, data, size);
        text[size] = 0;

        r = access_format_parse(text, error, &format);
        if (r == -EINVAL && (!*error || strchr(error, '\n')))
                abort();
        if (r < 0 && r != -EINVAL)
                abort();
        for (size_t i = 0; r >= 0 && i < format->n_pieces; i++)
                check_piece(format, &format->pieces[i], size);
        return 0;
}
