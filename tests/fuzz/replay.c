/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <glib.h>
#include <stdio.h>

/*
 * Runs a fuzz target over the files of a directory: the same inputs in every build, with any compiler. No
 * file at all is a failure, so that a corpus which got lost is noticed.
 */

static gboolean replay_file(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *bytes = NULL;
    g_autofree uint8_t *input = NULL;
    g_autoptr(GError) error = NULL;
    gsize length;

    if (!g_file_get_contents(path, &bytes, &length, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return FALSE;
    }
    /* Memory that ends where the input ends: the sanitizers see a byte too far. */
    input = g_memdup2(bytes, length);
    return LLVMFuzzerTestOneInput(input ? input : (const uint8_t *)"", length) == 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GDir) directory = argc == 2 ? g_dir_open(argv[1], 0, NULL) : NULL;
    const char *name;
    unsigned count = 0;

    if (!directory) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    while ((name = g_dir_read_name(directory))) {
        if (!replay_file(argv[1], name))
            return 1;
        count++;
    }
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1;
}
