/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sched.h>

/*
 * For tests that change a network: runs the calling test again in a child process, and there in a network
 * namespace of its own, so that the machine's is never touched. TRUE only in that child; a system that grants
 * no namespace skips.
 */
static inline gboolean in_own_netns(void)
{
    if (g_test_subprocess())
        return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed();
    return FALSE;
}
