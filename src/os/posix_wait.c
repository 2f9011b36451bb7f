/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for many descriptors at once; the same on all Unixes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

#define SOURCES_MAX 64

/* Far less than what systems keep free below a stack, so that nothing else is hit. */
#define STACK_RELEASED ((size_t)256 * 1024)
/* More than what the frame of a small function and a leaf's red zone take. */
#define OWN_STACK 512
#define PARTS_MAX 16

static int
left_until(int64_t deadline_ms)
{
    int64_t left;

    if (deadline_ms < 0)
        return -1;
    left = deadline_ms - os_monotonic_ms();
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static void
ask(const struct os_source *sources, size_t count, struct pollfd *fds)
{
    for (size_t i = 0; i < count; i++) {
        int other = sources[i].wants_change ? POLLPRI : POLLIN;

        fds[i] = (struct pollfd){.fd = (int)sources[i].handle,
                                 .events = (short)(sources[i].wants_write ? POLLOUT : other)};
    }
}

/* What poll answered, of n descriptors; its error is in errno. */
static int
take_answers(struct os_source *sources, size_t count, const struct pollfd *fds, int n)
{
    if (n < 0)
        n = -errno;
    for (size_t i = 0; i < count; i++)
        sources[i].ready = n > 0 && fds[i].revents != 0;
    return n;
}

int
os_wait(struct os_source *sources, size_t count, int64_t deadline_ms)
{
    struct pollfd fds[SOURCES_MAX];
    int n;

    if (count > SOURCES_MAX)
        return -EINVAL;
    ask(sources, count, fds);
    do
        n = poll(fds, count, left_until(deadline_ms));
    while (n < 0 && errno == EINTR);
    return take_answers(sources, count, fds, n);
}

/* ---- A process at rest ------------------------------------------------------------------- */

/* Parts of memory that come back from their file with the next look at them. */
struct parts {
    uintptr_t page;
    size_t count;
    struct {
        uintptr_t begin;
        size_t size;
    } part[PARTS_MAX];
};

static int
note_object(struct dl_phdr_info *object, size_t size, void *what)
{
    struct parts *parts = what;

    (void)size;
    for (int i = 0; i < object->dlpi_phnum && parts->count < PARTS_MAX; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t begin = object->dlpi_addr + part->p_vaddr;

        if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
            continue;
        parts->part[parts->count].begin = begin & ~(parts->page - 1);
        parts->part[parts->count++].size = part->p_memsz + (begin & (parts->page - 1));
    }
    return 0;
}

/* Below the frame of this function, and what a call of its own takes. */
static __attribute__((noinline, cold)) void
release_stack(uintptr_t page)
{
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - OWN_STACK) & ~(page - 1);

    /* Where less of the stack is there, that is an error, after what is there was released. */
    (void)madvise((void *)(end - STACK_RELEASED), STACK_RELEASED, MADV_DONTNEED);
}

/*
 * The code goes last, and nothing is called afterwards but poll: what runs then is mapped again. So
 * the function is a cold one, which compilers put beside the others of that kind.
 */
__attribute__((cold)) int
os_wait_settled(struct os_source *sources, size_t count, int64_t deadline_ms)
{
    struct pollfd fds[SOURCES_MAX];
    struct parts parts = {.page = (uintptr_t)sysconf(_SC_PAGESIZE)};
    int n = left_until(deadline_ms);

    if (count > SOURCES_MAX)
        return -EINVAL;
    ask(sources, count, fds);
    posix_heap_release();
    (void)dl_iterate_phdr(note_object, &parts);
    release_stack(parts.page);
    for (size_t i = 0; i < parts.count; i++)
        (void)madvise((void *)parts.part[i].begin, parts.part[i].size, MADV_DONTNEED);
    n = poll(fds, count, n);
    if (n < 0 && errno == EINTR)
        return os_wait(sources, count, deadline_ms);
    return take_answers(sources, count, fds, n);
}

/* ---- Pipes and what goes through them ---------------------------------------------------- */

int
os_pipe(intptr_t ret_ends[2])
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int r = -errno;

        close(ends[0]);
        close(ends[1]);
        return r;
    }
    ret_ends[0] = ends[0];
    ret_ends[1] = ends[1];
    return 0;
}

int64_t
os_handle_read(intptr_t handle, void *buf, size_t size)
{
    ssize_t n;

    do
        n = read((int)handle, buf, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t
os_handle_write(intptr_t handle, const void *data, size_t size)
{
    ssize_t n;

    do
        n = write((int)handle, data, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

intptr_t
os_handle_close(intptr_t handle)
{
    return posix_closed(handle);
}
