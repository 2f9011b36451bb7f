/* SPDX-License-Identifier: Apache-2.0 */
/* The floor: what any program costs which does nothing. */
int
main(void)
{
    return 0;
}
