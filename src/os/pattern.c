/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns, by the regular expressions of the C library, or by TRE where that has none. */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#include "os/os.h"

struct os_pattern {
    regex_t regex;
};

/* Not regerror, which wants a buffer for what it says. */
static const char *
why_no_pattern(int error)
{
    switch (error) {
    case REG_EBRACK:
        return "the pattern has a [ without its ]";
    case REG_EPAREN:
        return "the pattern has a ( without its ), or a ) without its (";
    case REG_EBRACE:
        return "the pattern has a { without its }";
    case REG_BADBR:
        return "the pattern has a { } without good numbers in it";
    case REG_BADRPT:
        return "the pattern has a *, + or ? with nothing before it to repeat";
    case REG_ERANGE:
        return "the pattern has a range in [ ] whose end is before its beginning";
    case REG_ECTYPE:
        return "the pattern has a [: :] with an unknown name in it";
    case REG_EESCAPE:
        return "the pattern has a \\ with nothing behind it";
    default:
        return "the pattern is no POSIX extended regular expression";
    }
}

int
os_pattern_new(const char *text, struct os_pattern **ret_pattern, const char **ret_why)
{
    struct os_pattern *pattern = malloc(sizeof(*pattern));
    int error;

    if (pattern == NULL)
        return -ENOMEM;
    error = regcomp(&pattern->regex, text, REG_EXTENDED | REG_NOSUB);
    if (error == 0) {
        *ret_pattern = pattern;
        return 0;
    }
    free(pattern);
    if (error == REG_ESPACE)
        return -ENOMEM;
    *ret_why = why_no_pattern(error);
    return -EINVAL;
}

bool
os_pattern_matches(const struct os_pattern *pattern, const char *line)
{
    return regexec(&pattern->regex, line, 0, NULL, 0) == 0;
}

void
os_pattern_free(struct os_pattern *pattern)
{
    if (pattern == NULL)
        return;
    regfree(&pattern->regex);
    free(pattern);
}
