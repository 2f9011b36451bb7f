/* SPDX-License-Identifier: Apache-2.0 */
/* The rotated file, without the process that writes it in earnest. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "log_fixture.h"

static struct log_settings
settings_with(int64_t max_size, int keep)
{
    return (struct log_settings){
        .target = LOG_FILE, .name = "web", .file = path, .max_size = max_size, .keep = keep};
}

static struct log_file
file_with(const struct log_settings *settings)
{
    struct log_file file;

    log_file_init(&file, settings);
    return file;
}

static void
put_at(struct log_file *file, const char *text, int64_t now_ms)
{
    size_t count;

    assert_int_equal(log_file_put(file, text, strlen(text), true, now_ms, &count), 0);
    assert_int_equal(count, strlen(text));
}

static void
put(struct log_file *file, const char *text)
{
    put_at(file, text, 0);
}

/* ---- Rotation ---------------------------------------------------------------------------- */

#define BYTES    400000
#define MAX_SIZE 4096

/* Lines of any length, which all differ. */
static char *
many_lines(size_t longest)
{
    char *text = malloc(BYTES);
    size_t at = 0;

    assert_non_null(text);
    while (at < BYTES) {
        size_t length = (size_t)rand() % longest;

        for (; length > 0 && at < BYTES - 1; length--)
            text[at++] = (char)('!' + rand() % 90);
        text[at++] = '\n';
    }
    return text;
}

/* As it comes from a pipe: cut anywhere, and where nothing follows at once, flushed. */
static void
put_in_pieces(struct log_file *file, const char *text)
{
    size_t begin = 0, end = 0;

    while (begin < BYTES) {
        size_t more = (size_t)rand() % 3000, count;

        end = end + more < BYTES ? end + more : BYTES;
        assert_int_equal(log_file_put(file, text + begin, end - begin,
                                      end == BYTES || rand() % 2 == 0, 0, &count),
                         0);
        begin += count;
    }
}

static void
compare_all(const char *text, int64_t largest)
{
    size_t at = 0;

    for (int number = 1000; number >= 0; number--) {
        char name[32];
        size_t length;
        char *data;

        snprintf(name, sizeof(name), number ? "web.log.%d" : "web.log", number);
        if (!stands(name))
            continue;
        data = read_file(name, &length);
        assert_true((int64_t)length <= largest);
        assert_int_equal(data[length - 1], '\n');
        assert_memory_equal(data, text + at, length);
        at += length;
        free(data);
        remove(name_in(name));
    }
    assert_int_equal(at, BYTES);
}

static void
every_byte_arrives_in_order_and_no_line_is_torn(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct log_settings settings = settings_with(MAX_SIZE, 1000);
        struct log_file file = file_with(&settings);
        char *text;

        srand(seed);
        text = many_lines(seed % 2 ? 100 : MAX_SIZE / 4);
        put_in_pieces(&file, text);
        log_file_close(&file);

        compare_all(text, MAX_SIZE);
        free(text);
    }
}

static void
a_long_line_in_pieces_is_not_torn_either(void **state)
{
    struct log_settings settings = settings_with(MAX_SIZE, 1000);
    struct log_file file = file_with(&settings);
    char *text;

    (void)state;
    srand(1);
    text = many_lines(MAX_SIZE - 1);
    put_in_pieces(&file, text);
    log_file_close(&file);

    compare_all(text, 2 * MAX_SIZE);
    free(text);
}

static void
a_line_longer_than_max_size_is_cut(void **state)
{
    struct log_settings settings = settings_with(8, 9);
    struct log_file file = file_with(&settings);

    (void)state;
    put(&file, "a\n0123456789012345678\nb\n");
    put(&file, "01234567890");
    put(&file, "1234567\n");
    log_file_close(&file);

    expect_file("web.log.6", "a\n");
    expect_file("web.log.5", "01234567");
    expect_file("web.log.4", "89012345");
    expect_file("web.log.3", "678\nb\n");
    expect_file("web.log.2", "01234567");
    expect_file("web.log.1", "89012345");
    expect_file("web.log", "67\n");
}

static void
no_more_files_are_kept_than_said(void **state)
{
    struct log_settings settings = settings_with(2, 2);
    struct log_file file = file_with(&settings);

    (void)state;
    put(&file, "1\n2\n3\n4\n");
    log_file_close(&file);

    expect_file("web.log", "4\n");
    expect_file("web.log.1", "3\n");
    expect_file("web.log.2", "2\n");
    assert_false(stands("web.log.3"));
}

static void
none_is_kept_where_that_is_said(void **state)
{
    struct log_settings settings = settings_with(2, 0);
    struct log_file file = file_with(&settings);

    (void)state;
    put(&file, "1\n2\n");
    log_file_close(&file);

    expect_file("web.log", "2\n");
    assert_false(stands("web.log.1"));
}

static void
a_file_without_a_bound_is_never_rotated(void **state)
{
    struct log_settings settings = settings_with(0, 5);
    struct log_file file = file_with(&settings);

    (void)state;
    put(&file, "1\n2\n");
    put(&file, "3");
    log_file_close(&file);

    expect_file("web.log", "1\n2\n3");
    assert_false(stands("web.log.1"));
}

static void
what_stood_there_before_is_counted_and_kept(void **state)
{
    struct log_settings settings = settings_with(8, 5);
    struct log_file file = file_with(&settings);

    (void)state;
    write_file("web.log", "before\n");
    put(&file, "x\n");
    log_file_close(&file);

    expect_file("web.log.1", "before\n");
    expect_file("web.log", "x\n");
}

static void
a_new_file_has_the_old_ones_mode(void **state)
{
    struct log_settings settings = settings_with(2, 5);
    struct log_file file = file_with(&settings);
    struct stat st;

    (void)state;
    put(&file, "1\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    chmod(path, 0604);
    put(&file, "2\n");
    log_file_close(&file);

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0604);
}

static void
a_rotation_that_fails_loses_nothing(void **state)
{
    struct log_settings settings = settings_with(4, 1);
    struct log_file file = file_with(&settings);

    (void)state;
    put(&file, "1\n2\n");
    mkdir(name_in("web.log.1"), 0755);
    write_file("web.log.1/x", "");
    put(&file, "3\n4\n");
    assert_int_equal(file.trouble, -EISDIR);
    expect_file("web.log", "1\n2\n3\n4\n");

    remove(name_in("web.log.1/x"));
    put_at(&file, "5\n", 1000);
    log_file_close(&file);
    expect_file("web.log.1", "1\n2\n3\n4\n");
    expect_file("web.log", "5\n");
}

static void
what_is_kept_moves_only_as_far_as_the_first_gap(void **state)
{
    struct log_settings settings = settings_with(2, 5);
    struct log_file file = file_with(&settings);

    (void)state;
    write_file("web.log.1", "b");
    write_file("web.log.2.gz", "a");
    write_file("web.log.4", "old");
    put(&file, "1\n2\n");
    log_file_close(&file);

    expect_file("web.log.1", "1\n");
    expect_file("web.log.2", "b");
    expect_file("web.log.3.gz", "a");
    expect_file("web.log.4", "old");
}

/* ---- What others do to it ---------------------------------------------------------------- */

static void
a_renamed_file_is_made_anew_within_a_second(void **state)
{
    struct log_settings settings = settings_with(0, 5);
    struct log_file file = file_with(&settings);

    (void)state;
    put_at(&file, "1\n", 0);
    rename(path, name_in("web.log.0"));
    put_at(&file, "2\n", 999);
    put_at(&file, "3\n", 1000);
    log_file_close(&file);

    expect_file("web.log.0", "1\n2\n");
    expect_file("web.log", "3\n");
}

static void
a_reopened_file_gets_no_torn_line(void **state)
{
    struct log_settings settings = settings_with(0, 5);
    struct log_file file = file_with(&settings);

    (void)state;
    put(&file, "1\nbegun");
    rename(path, name_in("web.log.0"));
    file.reopen = true;
    put(&file, " and done\n");
    put(&file, "2\n");
    log_file_close(&file);

    expect_file("web.log.0", "1\nbegun and done\n");
    expect_file("web.log", "2\n");
}

static void
a_removed_directory_is_an_error_until_it_is_back(void **state)
{
    struct log_settings settings = settings_with(0, 5);
    char lower[140], log[160];
    struct log_file file;
    size_t count = 7;

    (void)state;
    snprintf(lower, sizeof(lower), "%s/d", directory);
    snprintf(log, sizeof(log), "%s/log", lower);
    settings.file = log;
    file = file_with(&settings);
    mkdir(lower, 0755);
    put_at(&file, "1\n", 0);
    remove(settings.file);
    rmdir(lower);
    assert_int_equal(log_file_put(&file, "2\n", 2, true, 1000, &count), -ENOENT);
    assert_int_equal(count, 0);

    mkdir(lower, 0755);
    put_at(&file, "2\n", 1001);
    log_file_close(&file);
    expect_file("d/log", "2\n");
    remove(settings.file);
}

static void
a_full_disk_takes_what_it_can_and_the_rest_later(void **state)
{
    struct log_settings settings = settings_with(0, 5);
    struct log_file file = file_with(&settings);
    struct rlimit limit;
    size_t count;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){5, limit.rlim_max});
    assert_int_equal(log_file_put(&file, "1234567\n", 8, true, 0, &count), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(count, 5);

    put(&file, "67\n");
    log_file_close(&file);
    expect_file("web.log", "1234567\n");
}

static void
no_link_is_followed_in_a_directory_of_others(void **state)
{
    struct log_settings settings = settings_with(0, 5);
    struct log_file file = file_with(&settings);
    size_t count;

    (void)state;
    if (geteuid() != 0) {
        print_message("SKIPPED: only root makes a directory of others\n");
        skip();
    }
    assert_int_equal(symlink("/tmp/vortex-never", path), 0);
    assert_int_equal(chown(directory, 65534, 65534), 0);
    assert_int_equal(log_file_put(&file, "1\n", 2, true, 0, &count), -ELOOP);
    remove(path);
    write_file("other", "");
    assert_int_equal(link(name_in("other"), path), 0);
    assert_int_equal(log_file_put(&file, "1\n", 2, true, 0, &count), -EMLINK);
    assert_int_equal(access("/tmp/vortex-never", F_OK), -1);
}

/* ---- Compression ------------------------------------------------------------------------- */

static void
wait_for(const struct os_child *child)
{
    struct os_source source = {.handle = child->channel};

    assert_int_equal(os_wait(&source, 1, -1), 1);
}

static void
expect_unpacked(const char *name, const char *text)
{
    char command[500], line[100] = "";
    FILE *pipe;

    snprintf(command, sizeof(command), "gzip -dc '%s'", name_in(name));
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof(line), pipe));
    assert_int_equal(pclose(pipe), 0);
    assert_string_equal(line, text);
}

static void
a_rotated_file_is_compressed_wherever_it_is_by_then(void **state)
{
    struct log_settings settings = settings_with(2, 5);
    struct log_file file = file_with(&settings);
    struct log_compression compression = {.child = {0, OS_NONE}};

    (void)state;
    settings.compress = LOG_GZIP;
    put(&file, "1\n2\n");
    assert_int_equal(log_compress_next(&compression, &settings), 0);
    assert_true(compression.child.pid > 0);
    put(&file, "3\n"); /* 1 is at number 2 now */
    wait_for(&compression.child);
    assert_int_equal(log_compress_end(&compression, &settings, false), 0);
    expect_unpacked("web.log.2.gz", "1\n");
    assert_false(stands("web.log.2"));

    assert_int_equal(log_compress_next(&compression, &settings), 0);
    wait_for(&compression.child);
    assert_int_equal(log_compress_end(&compression, &settings, false), 0);
    expect_unpacked("web.log.1.gz", "2\n");
    assert_int_equal(log_compress_next(&compression, &settings), 0);
    assert_int_equal(compression.child.pid, 0);
    assert_false(stands("web.log.compressing"));
    log_file_close(&file);
}

static void
a_log_that_is_a_link_is_compressed_once(void **state)
{
    struct log_settings settings = settings_with(2, 5);
    struct log_file file = file_with(&settings);
    struct log_compression compression = {.child = {0, OS_NONE}};

    (void)state;
    settings.compress = LOG_GZIP;
    assert_int_equal(symlink(name_in("elsewhere"), path), 0);
    put(&file, "1\n2\n");
    assert_int_equal(log_compress_next(&compression, &settings), 0);
    wait_for(&compression.child);
    assert_int_equal(log_compress_end(&compression, &settings, false), 0);
    expect_unpacked("web.log.1.gz", "1\n");
    assert_int_equal(log_compress_next(&compression, &settings), 0);
    assert_int_equal(compression.child.pid, 0);
    log_file_close(&file);
}

static void
a_compression_that_fails_leaves_the_file(void **state)
{
    struct log_settings settings = settings_with(2, 5);
    struct log_file file = file_with(&settings);
    struct log_compression compression = {.child = {0, OS_NONE}};
    char *search = strdup(getenv("PATH"));

    (void)state;
    settings.compress = LOG_ZSTD;
    put(&file, "1\n2\n");
    log_file_close(&file);
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(log_compress_next(&compression, &settings), 0);
    setenv("PATH", search, 1);
    free(search);
    wait_for(&compression.child);
    assert_int_equal(log_compress_end(&compression, &settings, false), -ENOENT);

    expect_file("web.log.1", "1\n");
    assert_false(stands("web.log.1.zst"));
    assert_false(stands("web.log.compressing"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_byte_arrives_in_order_and_no_line_is_torn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_line_in_pieces_is_not_torn_either, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_longer_than_max_size_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_more_files_are_kept_than_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_is_kept_where_that_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_a_bound_is_never_rotated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_stood_there_before_is_counted_and_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_has_the_old_ones_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rotation_that_fails_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_kept_moves_only_as_far_as_the_first_gap, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_renamed_file_is_made_anew_within_a_second, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reopened_file_gets_no_torn_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_removed_directory_is_an_error_until_it_is_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_takes_what_it_can_and_the_rest_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_link_is_followed_in_a_directory_of_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_rotated_file_is_compressed_wherever_it_is_by_then, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_is_a_link_is_compressed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_compression_that_fails_leaves_the_file, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
