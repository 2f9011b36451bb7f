/* SPDX-License-Identifier: Apache-2.0 */
/* A process that lives, and does nothing else: a bystander, or the least of servers. */
#include <unistd.h>

int
main(void)
{
    for (;;)
        pause();
}
