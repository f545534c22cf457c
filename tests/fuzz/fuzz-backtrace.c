/* SPDX-License-Identifier: MIT */

/*
 * Memory of a worker that scripts have spoiled, as the slow log reads it: frames of PHP at a fixed address
 * that are good before the input changes them. It is a list of changes, each a place, and bytes, or an
 * address, to put there.
 */

#include "worker/php/backtrace.h"

#include <fcntl.h>
#include <php.h>
#include <sys/mman.h>

#include "base/utf8.h"
#include "input.h"

#define ARENA_ADDRESS ((void *) 0x10000000)
#define ARENA_SIZE 8192

typedef struct Arena {
        zend_execute_data frames[6];
        zend_function functions[3];
        zend_class_entry class;
        zend_op opline;
        _Alignas(8) char strings[3][64]; /* zend_strings */
} Arena;
static_assert(sizeof(Arena) < ARENA_SIZE, "there is memory behind it");

static void set_string(char *place, const char *value)
{
        zend_string *s = (zend_string *) (void *) place;

        s->len = strlen(value);
        memcpy(s->val, value, s->len + 1);
}

static void make_good(Arena *a)
{
        memset(a, 0, ARENA_SIZE);
        set_string(a->strings[0], "total");
        set_string(a->strings[1], "/srv/cart.php");
        set_string(a->strings[2], "Shop\\Cart");
        a->class.name = (zend_string *) (void *) a->strings[2];
        a->opline.lineno = 42;
        for (size_t i = 0; i < ELEMENTSOF(a->functions); i++) {
                zend_function *f = &a->functions[i];

                f->type = i == 2 ? ZEND_INTERNAL_FUNCTION : ZEND_USER_FUNCTION;
                f->common.function_name = i == 0 ? NULL : (zend_string *) (void *) a->strings[0];
                f->common.scope = i == 1 ? &a->class : NULL;
                if (i < 2)
                        f->op_array.filename = (zend_string *) (void *) a->strings[1];
        }
        for (size_t i = 0; i < ELEMENTSOF(a->frames); i++)
                a->frames[i] = (zend_execute_data){
                        .func = &a->functions[2 - i / 2],
                        .opline = &a->opline,
                        .prev_execute_data = i + 1 < ELEMENTSOF(a->frames) ? &a->frames[i + 1] : NULL,
                };
        ZEND_CALL_INFO(&a->frames[4]) = ZEND_CALL_NESTED_CODE;
        ZEND_CALL_INFO(&a->frames[5]) = ZEND_CALL_TOP_CODE;
        EG(current_execute_data) = &a->frames[0];
}

static void change(char *arena, Input *in)
{
        uint8_t head[3], bytes[8];
        size_t place, n;

        input_bytes(in, head, sizeof head);
        place = ((size_t) head[0] << 8 | head[1]) % (ARENA_SIZE - sizeof bytes);
        if (head[2] & 0x80) { /* an address in the arena, or right behind it */
                uintptr_t address = (uintptr_t) arena + ((size_t) (head[2] & 0x7f) << 8 | input_byte(in));

                memcpy(arena + place / 8 * 8, &address, sizeof address);
                return;
        }
        n = head[2] % sizeof bytes + 1;
        input_bytes(in, bytes, n);
        memcpy(arena + place, bytes, n);
}

static void check(const Backtrace *b)
{
        size_t lines = *b->text ? 1 : 0, size = strlen(b->text);

        CHECK(size < sizeof b->text && b->n_frames <= BACKTRACE_DEPTH_MAX);
        for (size_t i = 0; i < size;) {
                uint32_t code;
                size_t n = utf8_decode(b->text + i, size - i, &code);

                CHECK(n > 0 && (code == '\n' || utf8_is_printable(code)));
                lines += code == '\n';
                i += n;
        }
        CHECK(lines == b->n_frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char *arena;
        static int memory = -EBADF;
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        Input in = { data, size };
        uint8_t depth = input_byte(&in);
        int r;

        if (!arena) {
                arena = mmap(ARENA_ADDRESS, ARENA_SIZE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
                memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
                CHECK(arena == ARENA_ADDRESS && memory >= 0);
        }
        make_good((Arena *) (void *) arena);
        while (in.left > 0)
                change(arena, &in);
        r = backtrace_read(memory, (size_t) depth * 4, &b);
        CHECK(r == 0 || r == -ENODATA || r == -EFAULT);
        if (r == 0)
                check(b);
        return 0;
}
