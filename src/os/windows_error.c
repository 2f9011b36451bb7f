/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for errors. msvcrt has them up to 42 (EILSEQ), and calls what a network, a link or a time-out
 * answers "Unknown error": this strerror stands in its place.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct words {
    int number;
    char text[48];
};

char *
strerror(int error)
{
    static struct words later[] = {
        {EADDRINUSE, "Address already in use"},
        {EADDRNOTAVAIL, "Cannot assign requested address"},
        {EAFNOSUPPORT, "Address family not supported"},
        {EBADMSG, "Bad message"},
        {ECANCELED, "Operation canceled"},
        {ECONNREFUSED, "Connection refused"},
        {ECONNRESET, "Connection reset by peer"},
        {EDQUOT, "Disk quota exceeded"},
        {EHOSTUNREACH, "No route to host"},
        {EINPROGRESS, "Operation now in progress"},
        {ELOOP, "Too many levels of symbolic links"},
        {EMEDIUMTYPE, "Not a regular file"},
        {EMSGSIZE, "Message too long"},
        {ENETUNREACH, "Network is unreachable"},
        {ENODATA, "No data available"},
        {ENOTCONN, "Not connected"},
        {ENOTSUP, "not possible on Windows: see vortex-windows(7)"},
        {EOVERFLOW, "Value too large"},
        {EPROTONOSUPPORT, "Protocol not supported"},
        {EREMOTE, "It is on a network file system"},
        {ETIMEDOUT, "Timed out"},
        {EWOULDBLOCK, "Resource temporarily unavailable"},
    };

    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (later[i].number == error)
            return later[i].text;
    return _sys_errlist[error >= 0 && error < _sys_nerr ? error : _sys_nerr];
}
