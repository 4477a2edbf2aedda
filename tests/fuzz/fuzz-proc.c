/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "sources/processes.h"
#include "sources/sockets-parse.h"

/* The input as each of the files and links of /proc that are read. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *target = g_strndup((const char *)data, size);
    char state = proc_stat_state((const char *)data, size);

    g_assert(state == 0 || g_ascii_isalpha(state));
    (void)dnsmasq_cmdline_matches((const char *)data, size, "/d/net.conf");
    (void)socket_link_inode(target);
    return 0;
}
