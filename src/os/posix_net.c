/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of which nobody waits for one; the same on all Unixes. */
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"
#include "os/posix.h"

/* ---- Addresses --------------------------------------------------------------------------- */

static_assert(sizeof(struct sockaddr_storage) <= sizeof(((struct os_address *)0)->bytes),
              "os_address is too small");

static struct os_address
address_of(const void *sockaddr, size_t length)
{
    struct os_address address = {.length = length};

    memcpy(address.bytes, sockaddr, length);
    return address;
}

/*
 * A host whose addresses are known by themselves: as RFC 6761 says of localhost. The resolver
 * would load its modules into this process, and they stay there.
 */
static size_t
local_addresses(int port, struct os_address *ret, size_t max)
{
    const struct sockaddr_in ipv4 = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct sockaddr_in6 ipv6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons((uint16_t)port),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };

    if (max > 0)
        ret[0] = address_of(&ipv4, sizeof(ipv4));
    if (max > 1)
        ret[1] = address_of(&ipv6, sizeof(ipv6));
    return max < 2 ? max : 2;
}

static int
error_of_resolver(int error)
{
    switch (error) {
    case EAI_SYSTEM:
        return errno > 0 ? -errno : -EIO;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EAGAIN;
    default:
        return -ENXIO;
    }
}

int
os_address_resolve(const char *host, int port, struct os_address *ret, size_t max)
{
    struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *list;
    char service[16];
    size_t count = 0;
    int r;

    if (strcmp(host, "localhost") == 0)
        return (int)local_addresses(port, ret, max);
    snprintf(service, sizeof(service), "%d", port);
    r = getaddrinfo(host, service, &hints, &list);
    if (r == EAI_NONAME) {
        hints.ai_flags = AI_NUMERICSERV;
        r = getaddrinfo(host, service, &hints, &list);
    }
    if (r != 0)
        return error_of_resolver(r);
    for (const struct addrinfo *a = list; a != NULL && count < max; a = a->ai_next)
        if (a->ai_addrlen <= sizeof(ret->bytes))
            ret[count++] = address_of(a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
    return count > 0 ? (int)count : -ENXIO;
}

int
os_address_unix(const char *path, struct os_address *ret)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(path) + 1;

    if (size > sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, size);
    *ret = address_of(&address, sizeof(address));
    return 0;
}

/* ---- Connections ------------------------------------------------------------------------- */

/*
 * Who asks a free port of this machine often enough is one day given that very port as its own,
 * and meets itself: then nobody is there.
 */
static bool
is_met_by_itself(int fd)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_length = sizeof(own), peer_length = sizeof(peer);

    return getsockname(fd, (struct sockaddr *)&own, &own_length) == 0
           && getpeername(fd, (struct sockaddr *)&peer, &peer_length) == 0
           && (own.ss_family == AF_INET || own.ss_family == AF_INET6) && own_length == peer_length
           && memcmp(&own, &peer, own_length) == 0;
}

static bool
is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);

    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

/* Else it would keep the port from its server for a minute, in TIME_WAIT. */
static void
forget_at_close(int fd)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* A server that reuses its address may bind the port that this end was given by chance. */
static void
leave_port(int fd)
{
    const int yes = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

int
os_connect_result(intptr_t handle)
{
    int fd = (int)handle;
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return -errno;
    if (error != 0)
        return -error;
    if (!is_connected(fd))
        return -EINPROGRESS;
    if (!is_met_by_itself(fd))
        return 0;
    forget_at_close(fd);
    return -ECONNREFUSED;
}

int
os_connect(const struct os_address *address, intptr_t *ret_handle)
{
    struct sockaddr_storage storage;
    int fd, r;

    memcpy(&storage, address->bytes, address->length);
    fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    leave_port(fd);
    if (connect(fd, (const struct sockaddr *)&storage, (socklen_t)address->length) == 0)
        r = os_connect_result(fd);
    else
        r = errno == EINTR ? -EINPROGRESS : -errno;
    if (r < 0 && r != -EINPROGRESS) {
        close(fd);
        return r;
    }
    *ret_handle = fd;
    return r;
}

int64_t
os_connection_write(intptr_t handle, const void *data, size_t size)
{
    ssize_t n;

    do
        n = send((int)handle, data, size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
