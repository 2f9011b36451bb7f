/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of which nobody waits for one. */
#include "os/windows.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <ws2tcpip.h>

static_assert(sizeof(struct sockaddr_storage) <= sizeof(((struct os_address *)0)->bytes),
              "os_address is too small");

static int
socket_error(void)
{
    return windows_error((DWORD)WSAGetLastError());
}

/* Any number of times; the system counts. */
static int
prepare(void)
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);

    return error == 0 ? 0 : windows_error((DWORD)error);
}

/* ---- Addresses ----------------------------------------------------------------------------- */

static struct os_address
address_of(const void *sockaddr, size_t length)
{
    struct os_address address = {.length = length};

    memcpy(address.bytes, sockaddr, length);
    return address;
}

/* As RFC 6761 says of localhost, without asking anybody. */
static size_t
local_addresses(int port, struct os_address *ret, size_t max)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ipv6.sin6_addr = in6addr_loopback;
    if (max > 0)
        ret[0] = address_of(&ipv4, sizeof(ipv4));
    if (max > 1)
        ret[1] = address_of(&ipv6, sizeof(ipv6));
    return max < 2 ? max : 2;
}

int
os_address_resolve(const char *host, int port, struct os_address *ret, size_t max)
{
    ADDRINFOW hints = {.ai_socktype = SOCK_STREAM};
    ADDRINFOW *list;
    WCHAR name[OS_NAME_MAX], service[16];
    size_t count = 0;
    int r = prepare();

    if (r < 0)
        return r;
    if (strcmp(host, "localhost") == 0)
        return (int)local_addresses(port, ret, max);
    r = windows_wide(host, name, OS_NAME_MAX);
    if (r < 0)
        return -ENXIO;
    (void)_snwprintf(service, 16, L"%d", port);
    r = GetAddrInfoW(name, service, &hints, &list);
    if (r != 0)
        return windows_error((DWORD)r) == -EIO ? -ENXIO : windows_error((DWORD)r);
    for (const ADDRINFOW *a = list; a != NULL && count < max; a = a->ai_next)
        if (a->ai_addrlen <= sizeof(ret->bytes))
            ret[count++] = address_of(a->ai_addr, a->ai_addrlen);
    FreeAddrInfoW(list);
    return count > 0 ? (int)count : -ENXIO;
}

/* Windows 10 has such sockets since 1803; the family and the shape are those of all systems. */
int
os_address_unix(const char *path, struct os_address *ret)
{
    struct {
        ADDRESS_FAMILY family;
        char path[108];
    } address = {.family = AF_UNIX};
    size_t size = strlen(path) + 1;

    if (size > sizeof(address.path))
        return -ENAMETOOLONG;
    memcpy(address.path, path, size);
    *ret = address_of(&address, sizeof(address));
    return 0;
}

/* ---- Connections --------------------------------------------------------------------------- */

static bool
is_connected(SOCKET socket)
{
    struct sockaddr_storage peer;
    int length = sizeof(peer);

    return getpeername(socket, (struct sockaddr *)&peer, &length) == 0;
}

/* Who asks a free port often enough may be given that very port as its own, and meet itself. */
static bool
is_met_by_itself(SOCKET socket)
{
    struct sockaddr_storage own = {0}, peer = {0};
    int own_length = sizeof(own), peer_length = sizeof(peer);

    return getsockname(socket, (struct sockaddr *)&own, &own_length) == 0
           && getpeername(socket, (struct sockaddr *)&peer, &peer_length) == 0
           && own.ss_family != AF_UNIX && own_length == peer_length
           && memcmp(&own, &peer, (size_t)own_length) == 0;
}

int
os_connect_result(intptr_t handle)
{
    SOCKET socket = (SOCKET)windows_end_of(handle)->handle;
    int error = 0, length = sizeof(error);

    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0)
        return socket_error();
    if (error != 0)
        return windows_error((DWORD)error);
    if (!is_connected(socket))
        return -EINPROGRESS;
    return is_met_by_itself(socket) ? -ECONNREFUSED : 0;
}

static int
begin(SOCKET socket, const struct os_address *address)
{
    struct sockaddr_storage storage;
    int r;

    memcpy(&storage, address->bytes, address->length);
    if (ioctlsocket(socket, (long)FIONBIO, &(u_long){1}) != 0)
        return socket_error();
    (void)SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
    if (connect(socket, (const struct sockaddr *)&storage, (int)address->length) == 0)
        return 0;
    r = socket_error();
    return r == -EAGAIN ? -EINPROGRESS : r;
}

int
os_connect(const struct os_address *address, intptr_t *ret_handle)
{
    struct sockaddr_storage storage;
    SOCKET end;
    int begun, r = prepare();

    if (r < 0)
        return r;
    memcpy(&storage, address->bytes, address->length);
    end = socket(storage.ss_family, SOCK_STREAM, 0);
    if (end == INVALID_SOCKET)
        return socket_error();
    begun = begin(end, address);
    if (begun < 0 && begun != -EINPROGRESS) {
        closesocket(end);
        return begun;
    }
    r = windows_end_new(WINDOWS_SOCKET, (HANDLE)end, ret_handle);
    return r < 0 ? r : begun;
}

int64_t
os_connection_write(intptr_t handle, const void *data, size_t size)
{
    SOCKET socket = (SOCKET)windows_end_of(handle)->handle;
    int n = send(socket, data, size > INT32_MAX ? INT32_MAX : (int)size, 0);

    return n < 0 ? socket_error() : n;
}
