/* SPDX-License-Identifier: MIT */

/*
 * Reads another process's memory from outside, in whole blocks, of which it keeps some: what a backtrace
 * wants lies together (frames on PHP's stack, a function with its code and strings), so a block serves many
 * reads. A block lies within a page: it is there or not.
 *
 * The other process is not stopped, gets no signal and notices nothing. It must not be ptrace(2)d from here:
 * that would cut the system call short that it waits in. Knows nothing of PHP; for backtrace.c.
 */

#include "worker/php/peek.h"

#include <unistd.h>

#define BLOCK_SIZE 4096U
#define BLOCKS_MAX 64U

typedef struct Block {
        uintptr_t address; /* of its first byte */
        bool filled;
        char bytes[BLOCK_SIZE];
} Block;

struct Peek {
        int memory;
        size_t n_calls;
        Block blocks[BLOCKS_MAX]; /* each address has one place where it can be */
};

int peek_new(int memory, Peek **ret)
{
        Peek *p;

        p = malloc(sizeof *p);
        if (!p)
                return -ENOMEM;
        p->memory = memory;
        p->n_calls = 0;
        peek_forget(p);
        *ret = p;
        return 0;
}

void peek_free(Peek *p)
{
        free(p);
}

void peek_forget(Peek *p)
{
        for (size_t i = 0; i < BLOCKS_MAX; i++)
                p->blocks[i].filled = false;
}

size_t peek_calls(const Peek *p)
{
        return p->n_calls;
}

static int load(Peek *p, uintptr_t address, Block **ret)
{
        Block *b = &p->blocks[address / BLOCK_SIZE % BLOCKS_MAX];
        ssize_t n;

        if (!b->filled || b->address != address) {
                p->n_calls++;
                n = pread(p->memory, b->bytes, BLOCK_SIZE, (off_t) address);
                b->filled = n == BLOCK_SIZE;
                if (n < 0) /* EINVAL: beyond what an address can be */
                        return errno == EIO || errno == EINVAL ? -EFAULT : -errno;
                if (!b->filled)
                        return n == 0 ? -ESRCH : -EFAULT;
                b->address = address;
        }
        *ret = b;
        return 0;
}

int peek_read(Peek *p, uintptr_t address, void *to, size_t size)
{
        char *next = to;

        while (size > 0) {
                size_t offset = address % BLOCK_SIZE, n = MIN(size, BLOCK_SIZE - offset);
                Block *b = NULL;
                int r;

                r = load(p, address - offset, &b);
                if (r < 0)
                        return r;
                memcpy(next, b->bytes + offset, n);
                next += n;
                address += n; /* behind the last address is the first one, where nothing is */
                size -= n;
        }
        return 0;
}
