/* SPDX-License-Identifier: Apache-2.0 */
/* A state file is believed whole or not at all. */
#include <stdio.h>

#include "instance.h"

/* Write a state after a line that would make the living server known; is it believed? */
static bool
is_believed(const char *rest)
{
    struct fake_file *file;
    char text[256], boot[48];

    fake_boot(boot, sizeof(boot));
    snprintf(text, sizeof(text), "boot=%s\n%s", boot, rest);
    file = fake_make(STATE, FAKE_REGULAR, text);
    assert_int_equal(file->length, strlen(text));
    if (verdict() == VORTEX_RUNNING)
        return true;
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
    return false;
}

static void
a_broken_state_counts_as_none(void **state)
{
    static const char *const texts[] = {
        "",
        "garbage",
        "pid=4711\nstart=7\n",            /* no version */
        "version=2\npid=4711\nstart=7\n", /* another version */
        " version=1\npid=4711\nstart=7\n",
        "version=1\nstart=7\n", /* no pid */
        "version=1\npid=0\nstart=7\n",
        "version=1\npid=-4711\nstart=7\n",
        "version=1\npid=x\nstart=7\n",
        "version=1\npid=4711x\nstart=7\n",
        "version=1\npid=4294972007\nstart=7\n", /* 2^32 + 4711 */
        "version=1\npid=4711\nstart=7x\n",
        "version=1\npid=4711\nstart=0000000000000000000000000000007x\n",
        "version=1\npid=4711\nstart=18446744073709551623\n", /* 2^64 + 7 */
        "version=1\npid=4711\nstart=7\nserver-pid=x\n",
        "version=1\npid=4711\nstart=7\npidns=x\n",
        "version=1\npid=4711\nstart=7", /* cut */
    };
    struct fake_process *process = fake_spawn(SERVER);

    (void)state;
    process->start = 7;
    process->pidfd_inode = 0;
    assert_true(is_believed("version=1\npid=4711\nstart=7\n"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (is_believed(texts[i]))
            fail_msg("believed: %s", texts[i]);
}

static void
a_state_with_a_nul_in_it_counts_as_none(void **state)
{
    struct fake_file *file;

    (void)state;
    writer(SERVER);
    fake_remove(PIDFILE);
    assert_verdict(VORTEX_RUNNING, SERVER);
    file = fake_find(STATE);
    memcpy(file->data + file->length, "status=x\n", 9);
    file->length += 9;
    assert_verdict(VORTEX_RUNNING, SERVER);
    file->data[file->length - 2] = '\0';
    assert_int_equal(verdict(), VORTEX_NOT_RUNNING);
}

static void
a_state_cut_or_filled_with_nul_at_any_byte_counts_as_none_or_is_whole(void **state)
{
    const struct fake_process *process = server(SERVER);
    struct fake_file whole = *fake_find(STATE);

    (void)state;
    fake_find(STATE)->data[whole.length - 1] = '\0';
    assert_verdict(VORTEX_BUSY, SERVER); /* the lock is held; the state is none */
    for (size_t length = 0; length < whole.length; length++) {
        struct fake_file *file = fake_find(STATE);

        memcpy(file->data, whole.data, whole.length);
        memset(file->data + length, '\0', whole.length - length);
        file->length = whole.length;
        assert_int_equal(verdict(), VORTEX_BUSY);
    }
    assert_int_equal(process->signal_count, 0);
}

static void
an_unknown_key_is_ignored(void **state)
{
    struct fake_file *file;

    (void)state;
    server(SERVER);
    file = fake_find(STATE);
    memcpy(file->data + file->length, "later=1\n", 8);
    file->length += 8;
    assert_verdict(VORTEX_RUNNING, SERVER);
}

static void
a_state_of_4096_bytes_is_read_and_a_longer_one_is_not(void **state)
{
    struct fake_file *file;

    (void)state;
    server(SERVER);
    file = fake_find(STATE);
    memset(file->data + file->length, 'x', 4096 - file->length);
    file->data[4095] = '\n';
    file->length = 4096;
    assert_verdict(VORTEX_RUNNING, SERVER);
    file->data[4095] = 'x';
    file->data[4096] = '\n';
    file->length = 4097;
    assert_int_equal(verdict(), VORTEX_BUSY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_broken_state_counts_as_none),
        TEST(a_state_with_a_nul_in_it_counts_as_none),
        TEST(a_state_cut_or_filled_with_nul_at_any_byte_counts_as_none_or_is_whole),
        TEST(an_unknown_key_is_ignored),
        TEST(a_state_of_4096_bytes_is_read_and_a_longer_one_is_not),
    };

    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
