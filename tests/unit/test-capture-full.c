/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/capture.h"
#include "world.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>

/*
 * A disk that is full before all is written: one text of the capture is longer than a file may be, each of
 * them in turn.
 */

#define FILE_LIMIT ((rlim_t)256 * 1024)
#define TOO_LONG ((gsize)512 * 1024)

typedef enum {
    VICTIM_NOBODY,
    VICTIM_LEASE,
    VICTIM_NETWORK,
    VICTIM_NETWORK_INACTIVE,
    VICTIM_NETWORK_RECORD,
    VICTIM_DOMAIN,
    VICTIM_DOMAIN_INACTIVE,
    VICTIM_DOMAIN_RECORD,
    VICTIM_DNSMASQ,
    VICTIM_DNSMASQ_RECORD,
    VICTIM_FIREWALL,
    VICTIM_HOST,
    VICTIMS
} Victim;

/* The text, too long if the victim is it. */
static char *text_of(Victim victim, Victim self)
{
    return victim == self ? g_strnfill(TOO_LONG, 'x') : g_strdup("short");
}

static Capture *capture_of(Victim victim)
{
    Capture *capture = capture_new();
    Network *network;
    Domain *domain;
    Dnsmasq *dnsmasq;
    g_autofree char *rules = text_of(victim, VICTIM_FIREWALL);

    facts_free(capture->facts);
    capture->facts = world_host();
    ((Lease *)capture->facts->leases->pdata[0])->iaid = text_of(victim, VICTIM_LEASE);
    network = capture->facts->networks->pdata[1];
    network->xml = text_of(victim, VICTIM_NETWORK);
    network->xml_inactive = text_of(victim, VICTIM_NETWORK_INACTIVE);
    network->xml_error = text_of(victim, VICTIM_NETWORK_RECORD);
    domain = capture->facts->domains->pdata[1];
    domain->xml = text_of(victim, VICTIM_DOMAIN);
    domain->xml_inactive = text_of(victim, VICTIM_DOMAIN_INACTIVE);
    domain->xml_error = text_of(victim, VICTIM_DOMAIN_RECORD);
    dnsmasq = capture->facts->dnsmasqs->pdata[1];
    dnsmasq->options = text_of(victim, VICTIM_DNSMASQ);
    g_free(dnsmasq->user);
    dnsmasq->user = text_of(victim, VICTIM_DNSMASQ_RECORD);
    g_ptr_array_add(capture->facts->firewall_texts, firewall_text_new("iptables-nft-save", rules));
    g_free(capture->facts->host);
    capture->facts->host = text_of(victim, VICTIM_HOST);
    return capture;
}

static guint count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

/* Whether the capture could be written; beside path nothing is left in either case. */
static gboolean write_to(const Capture *capture, const char *path, GError **error)
{
    g_autoptr(NewDirectory) directory = new_directory_begin(path, error);

    g_assert_nonnull(directory);
    return capture_write(capture, directory, error);
}

static void test_full(void)
{
    g_autofree char *top = g_dir_make_tmp("vnat-capture-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(top, "host", NULL);
    struct rlimit before, limit;

    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    limit = before;
    limit.rlim_cur = FILE_LIMIT;
    for (Victim victim = VICTIM_NOBODY; victim < VICTIMS; victim++) {
        g_autoptr(Capture) capture = capture_of(victim);
        g_autoptr(GError) error = NULL;
        gboolean ok;

        g_test_message("victim %u", victim);
        setrlimit(RLIMIT_FSIZE, &limit);
        ok = write_to(capture, path, &error);
        setrlimit(RLIMIT_FSIZE, &before);
        g_assert_cmpint(ok, ==, victim == VICTIM_NOBODY);
        if (ok)
            g_assert_no_error(error);
        else
            g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
        g_assert_cmpuint(count_entries(top), ==, 0);
    }
    g_assert_cmpint(g_rmdir(top), ==, 0);
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* the write fails then, as it does on a full disk */
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/capture-full", test_full);
    return g_test_run();
}
