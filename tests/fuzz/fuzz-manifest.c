/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/directory.h"
#include "base/error.h"
#include "fuzz.h"
#include "sources/capture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A capture of a stranger's: each line "== NAME" begins a file of the directory. It is refused, or it is a
 * capture that is the same after it was written and read again: the files of two turns are byte for byte
 * equal. Directories are made below $TMPDIR and removed again; nothing outside them is touched, whatever the
 * names are.
 */

#define FILES_MAX 32

static char *top; /* removed at exit */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_top(void)
{
    remove_tree(top);
    g_free(top);
}

static void make_top(void)
{
    GError *error = NULL;

    if (top)
        return;
    top = g_dir_make_tmp("vnat-fuzz-XXXXXX", &error);
    if (!top)
        g_error("%s", error->message);
    atexit(remove_top);
}

/* A file below directory; a name that is none there cannot be made, and is left to the reader to refuse. */
static void write_file(const char *directory, const char *name, const char *bytes, gsize length)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    int fd;

    if (!directory_name_valid(name) || strlen(name) > 64)
        return;
    g_mkdir_with_parents(folder, 0700);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    require(write(fd, bytes, length) == (gssize)length);
    close(fd);
}

static void unpack(const char *directory, const char *bytes, gsize size)
{
    const char *end = bytes + size;
    const char *at = size ? memmem(bytes, size, "== ", 3) : NULL;

    require(mkdir(directory, 0700) == 0);
    for (guint files = 0; at && files < FILES_MAX; files++) {
        const char *line = memchr(at, '\n', (gsize)(end - at));
        const char *content = line ? line + 1 : end;
        const char *next = memmem(content, (gsize)(end - content), "\n== ", 4);
        gsize name_length = (gsize)((line ? line : end) - (at + 3));
        g_autofree char *name = g_strndup(at + 3, name_length);

        write_file(directory, name, content, (gsize)((next ? next : end) - content));
        at = next ? next + 1 : NULL;
    }
}

static gboolean write_capture(const Capture *capture, const char *path)
{
    g_autoptr(NewDirectory) directory = new_directory_begin(path, NULL);

    require(directory);
    return capture_write(capture, directory, NULL) && new_directory_commit(directory, NULL);
}

/* Every file of a is in b with the same bytes. Returns their number. */
static guint require_files(const char *a, const char *b)
{
    DIR *directory = opendir(a);
    struct dirent *entry;
    guint count = 0;

    require(directory);
    while ((entry = readdir(directory))) {
        g_autofree char *path_a = g_build_filename(a, entry->d_name, NULL);
        g_autofree char *path_b = g_build_filename(b, entry->d_name, NULL);
        g_autofree char *bytes_a = NULL;
        g_autofree char *bytes_b = NULL;
        gsize length_a, length_b;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        require(directory_name_valid(entry->d_name));
        if (g_file_test(path_a, G_FILE_TEST_IS_DIR)) {
            count += require_files(path_a, path_b);
            continue;
        }
        require(g_file_get_contents(path_a, &bytes_a, &length_a, NULL));
        require(g_file_get_contents(path_b, &bytes_b, &length_b, NULL));
        require(length_a == length_b && memcmp(bytes_a, bytes_b, length_a) == 0);
        count++;
    }
    closedir(directory);
    return count;
}

/* Two turns: the first may bring things into our own form, the second must not change anything. */
static void round_trip(const Capture *capture)
{
    g_autofree char *first = g_build_filename(top, "first", NULL);
    g_autofree char *second = g_build_filename(top, "second", NULL);
    g_autoptr(Capture) again = NULL;

    require(write_capture(capture, first));
    again = capture_read(first, NULL);
    require(again);
    require(write_capture(again, second));
    require(require_files(first, second) == require_files(second, first));
    remove_tree(first);
    remove_tree(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Capture) capture = NULL;
    g_autofree char *directory = NULL;

    make_top();
    directory = g_build_filename(top, "given", NULL);
    unpack(directory, (const char *)data, size);
    capture = capture_read(directory, &error);
    remove_tree(directory);
    require((capture == NULL) == (error != NULL));
    require(!error || error->domain == VNAT_ERROR);
    if (capture)
        round_trip(capture);
    return 0;
}
