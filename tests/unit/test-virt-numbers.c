/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/virt-pool.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Numbers that several threads read, as their first: see virt_pool_new. A process of its own for each try, as
 * there is one first time in each; and nothing here may read a number before that.
 */

#define TRIES 1000U
#define READERS 4

static pthread_barrier_t together;

static gpointer read_number(gpointer data G_GNUC_UNUSED)
{
    guint64 number = 0;

    pthread_barrier_wait(&together);
    return GINT_TO_POINTER(g_ascii_string_to_unsigned("12", 10, 0, 100, &number, NULL) && number == 12);
}

static virConnectPtr dial(gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    g_assert_not_reached();
}

static gboolean all_read(void)
{
    VirtPool *pool = virt_pool_new(dial, NULL, NULL);
    GThread *readers[READERS];
    gboolean ok = TRUE;

    pthread_barrier_init(&together, NULL, READERS);
    for (guint i = 0; i < READERS; i++)
        readers[i] = g_thread_new("reader", read_number, NULL);
    for (guint i = 0; i < READERS; i++)
        ok = g_thread_join(readers[i]) && ok;
    pthread_barrier_destroy(&together);
    return virt_pool_close(pool) && ok;
}

int main(void)
{
    guint failed = 0;

    for (guint i = 0; i < TRIES; i++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0)
            _exit(all_read() ? 0 : 1);
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            failed++;
    }
    if (failed > 0)
        printf("# %u of %u processes could not read it\n", failed, TRIES);
    printf("%s 1 numbers that several threads read at once, as their first\n1..1\n",
           failed ? "not ok" : "ok");
    return failed ? 1 : 0;
}
