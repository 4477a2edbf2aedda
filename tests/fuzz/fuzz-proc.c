/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "sources/dnsmasq-search.h"
#include "sources/guests.h"
#include "sources/processes.h"
#include "sources/sockets-parse.h"

#include <string.h>

/* The input as each of the files and links of /proc that are read. */

#define CONFIG "/d/net.conf"
#define UUID "6b1f7b0e-7c5e-4f36-8a55-0d4a8b7e2c11"

static void stat(const char *bytes, gsize size)
{
    char state = proc_stat_state(bytes, size);

    guint64 parent = 0;

    require(!proc_stat_number(bytes, size, 4, &parent) || memchr(bytes, ')', size));
    require(state == 0 || (g_ascii_isalpha(state) && memchr(bytes, state, size)));
}

static void guest(const char *bytes, gsize size)
{
    guint64 ticks = 0;

    require(!guest_stat_start(bytes, size, &ticks) || memchr(bytes, ')', size));
    require(!guest_cmdline_matches(bytes, size, UUID) || memmem(bytes, size, "-uuid", strlen("-uuid")));
}

static void cmdline(const char *bytes, gsize size)
{
    require(
        !dnsmasq_cmdline_matches(bytes, size, CONFIG) ||
        (memmem(bytes, size, CONFIG, strlen(CONFIG)) && memmem(bytes, size, "dnsmasq", strlen("dnsmasq"))));
}

static void status(const char *text)
{
    require(proc_status_is_here(text) || strstr(text, "NSpid:"));
}

static void descriptor(const char *target)
{
    guint64 inode = socket_link_inode(target);
    const char *digits = strpbrk(target, "123456789");
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT "]", inode);

    require(inode == 0 || fuzz_equal(digits, number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *target = g_strndup((const char *)data, size);

    stat((const char *)data, size);
    cmdline((const char *)data, size);
    descriptor(target);
    status(target);
    guest((const char *)data, size);
    return 0;
}
