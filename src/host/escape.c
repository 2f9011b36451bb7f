/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/escape.h"

/* How many bytes of a well-formed UTF-8 sequence stand there; 0: it is none. */
static size_t
utf8_length(const unsigned char *p)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (p[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F)
        || (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return length;
}

/* C0, DELETE, and C1: U+0080 to U+009F. */
static bool
is_control(const unsigned char *p)
{
    return p[0] < ' ' || p[0] == 0x7F || (p[0] == 0xC2 && p[1] < 0xA0);
}

/* One that a JSON string or a label's value can't hold as it is: true. */
static bool
quote(unsigned char c, enum escape as, char *ret)
{
    if (as == ESCAPE_TERMINAL || (c != '"' && c != '\\' && c >= ' '))
        return false;
    if (c == '"' || c == '\\')
        snprintf(ret, ESCAPE_MAX, "\\%c", c);
    else if (as == ESCAPE_JSON)
        snprintf(ret, ESCAPE_MAX, "\\u%04x", c);
    else
        snprintf(ret, ESCAPE_MAX, "%s", c == '\n' ? "\\n" : " ");
    return true;
}

size_t
escape_next(const char *text, enum escape as, char *ret)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length = utf8_length(p);

    ret[0] = '\0';
    if (p[0] == '\0')
        return 0;
    if (length == 0) {
        snprintf(ret, ESCAPE_MAX, "%s", as == ESCAPE_JSON ? "\\ufffd" : "\xef\xbf\xbd");
        return 1;
    }
    if (quote(p[0], as, ret))
        return 1;
    if (as == ESCAPE_TERMINAL && is_control(p)) {
        snprintf(ret, ESCAPE_MAX, "?");
        return length;
    }
    memcpy(ret, text, length);
    ret[length] = '\0';
    return length;
}
