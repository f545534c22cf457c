/* SPDX-License-Identifier: MIT */

/*
 * The sealed form of the settings: config_seal() and config_unseal() of config.h.
 *
 * A word, then each setting in the order of settings.def: a number, a truth value and a choice as 64 bits,
 * a string as its length (32 bits) and its bytes without a zero, a list as its count (32 bits) and its
 * strings; all in the byte order of the machine, which both sides run on, of the same build
 * (ipc/inherit.h). The reader believes nothing: it checks every length against the bytes that are left,
 * and every value against the table.
 */

#include <fcntl.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "config/settings.h"

#define SEAL_MAGIC "phppool" /* with its zero byte */

static int seal_string(const Setting *s, const char *string, FILE *f)
{
        uint32_t size;

        if (!string || !setting_allows_string(s, string))
                return -EINVAL;

        size = (uint32_t) strlen(string);
        fwrite(&size, sizeof size, 1, f);
        fwrite(string, 1, size, f);
        return 0;
}

static int seal_list(const Setting *s, char **list, FILE *f)
{
        uint32_t n = 0;

        if (!list)
                return -EINVAL;
        while (list[n])
                if (++n > CONFIG_LIST_MAX)
                        return -EINVAL;

        fwrite(&n, sizeof n, 1, f);
        for (uint32_t i = 0; i < n; i++) {
                int r = seal_string(s, list[i], f);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_number(const Setting *s, uint64_t n, FILE *f)
{
        if (!setting_allows_number(s, n))
                return -EINVAL;
        fwrite(&n, sizeof n, 1, f);
        return 0;
}

static int seal_setting(const Setting *s, const Config *config, FILE *f)
{
        switch (setting_storage(s)) {
        case STORE_STRING:
                return seal_string(s, setting_get_string(s, config), f);
        case STORE_STRV:
                return seal_list(s, setting_get_list(s, config), f);
        default:
                return write_number(s, setting_get_number(s, config), f);
        }
}

/* Writes all of it and closes f, which never fails but for lack of memory. */
static int seal_settings(const Config *config, FILE *f)
{
        int r = 0;

        fwrite(SEAL_MAGIC, sizeof SEAL_MAGIC, 1, f);
        for (size_t i = 0; i < ELEMENTSOF(settings) && r >= 0; i++)
                r = seal_setting(&settings[i], config, f);

        if (fclose(f) != 0 && r >= 0)
                return -ENOMEM;
        return r;
}

int config_seal(const Config *config, int *ret_fd)
{
        _cleanup_(freep) char *data = NULL;
        size_t size = 0;
        FILE *f;
        int r;

        f = open_memstream(&data, &size);
        if (!f)
                return -ENOMEM;
        r = seal_settings(config, f);
        if (r < 0)
                return r;
        if (size > CONFIG_SEALED_MAX)
                return -E2BIG;

        return fd_new_sealed_memfd("php-pool-settings", data, size, ret_fd);
}

/* The bytes that are still to be read. */
typedef struct SealReader {
        const uint8_t *p;
        size_t left;
} SealReader;

static int read_bytes(SealReader *reader, void *ret, size_t size)
{
        if (size > reader->left)
                return -EBADMSG;
        memcpy(ret, reader->p, size);
        reader->p += size;
        reader->left -= size;
        return 0;
}

static int read_magic(SealReader *reader)
{
        char magic[sizeof SEAL_MAGIC];
        int r;

        r = read_bytes(reader, magic, sizeof magic);
        if (r < 0)
                return r;
        return memcmp(magic, SEAL_MAGIC, sizeof magic) == 0 ? 0 : -EBADMSG;
}

static int unseal_string(SealReader *reader, const Setting *s, char **ret)
{
        _cleanup_(freep) char *string = NULL;
        uint32_t size;
        int r;

        r = read_bytes(reader, &size, sizeof size);
        if (r < 0)
                return r;
        if (size > reader->left || size > CONFIG_STRING_MAX || memchr(reader->p, 0, size))
                return -EBADMSG;

        string = malloc((size_t) size + 1);
        if (!string)
                return -ENOMEM;
        (void) read_bytes(reader, string, size);
        string[size] = 0;
        if (!setting_allows_string(s, string))
                return -EBADMSG;

        *ret = TAKE_PTR(string);
        return 0;
}

static int unseal_list(SealReader *reader, const Setting *s, char ***ret)
{
        _cleanup_(strv_freep) char **list = NULL;
        uint32_t n;
        int r;

        r = read_bytes(reader, &n, sizeof n);
        if (r < 0)
                return r;
        if (n > CONFIG_LIST_MAX)
                return -EBADMSG;

        list = calloc((size_t) n + 1, sizeof *list);
        if (!list)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++) {
                r = unseal_string(reader, s, &list[i]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

static int unseal_setting(SealReader *reader, const Setting *s, Config *config)
{
        char *string, **list;
        uint64_t n;
        int r;

        switch (setting_storage(s)) {
        case STORE_STRING:
                r = unseal_string(reader, s, &string);
                if (r >= 0)
                        setting_take_string(s, string, config);
                return r;
        case STORE_STRV:
                r = unseal_list(reader, s, &list);
                if (r >= 0)
                        setting_take_list(s, list, config);
                return r;
        default:
                r = read_bytes(reader, &n, sizeof n);
                if (r < 0)
                        return r;
                return setting_set_number(s, n, config) < 0 ? -EBADMSG : 0;
        }
}

static int unseal_settings(const void *data, size_t size, Config **ret)
{
        _cleanup_(config_freep) Config *config = NULL;
        SealReader reader = { data, size };
        int r;

        config = calloc(1, sizeof *config);
        if (!config)
                return -ENOMEM;

        r = read_magic(&reader);
        for (size_t i = 0; i < ELEMENTSOF(settings) && r >= 0; i++)
                r = unseal_setting(&reader, &settings[i], config);
        if (r < 0)
                return r;
        if (reader.left > 0)
                return -EBADMSG;

        *ret = TAKE_PTR(config);
        return 0;
}

/* Only a memfd that nobody can change any more is read. */
static int check_seals(int fd)
{
        const int wanted = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
        int seals;

        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0)
                return errno == EINVAL ? -EPERM : -errno;
        return (seals & wanted) == wanted ? 0 : -EPERM;
}

int config_unseal(int fd, Config **ret)
{
        _cleanup_(freep) void *data = NULL;
        size_t size;
        int r;

        r = check_seals(fd);
        if (r < 0)
                return r;
        r = io_read_file(fd, CONFIG_SEALED_MAX, &data, &size);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;

        return unseal_settings(data, size, ret);
}
