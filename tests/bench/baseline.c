/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The least that a map of domains costs without workers: list the active domains and read each one's XML, one
 * after the other, on one thread. Nothing is parsed. Prints the milliseconds of opening and of reading, and
 * the bytes read.
 */

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static size_t read_all(virDomainPtr *domains, int count)
{
    size_t bytes = 0;

    for (int i = 0; i < count; i++) {
        char *xml = virDomainGetXMLDesc(domains[i], 0);

        bytes += xml ? strlen(xml) : 0;
        free(xml);
        virDomainFree(domains[i]);
    }
    return bytes;
}

int main(int argc, char **argv)
{
    double begun = now_ms();
    virConnectPtr conn = argc > 1 ? virConnectOpen(argv[1]) : NULL;
    double opened = now_ms();
    virDomainPtr *domains = NULL;
    int count = conn ? virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE) : -1;
    size_t bytes = count >= 0 ? read_all(domains, count) : 0;
    double done = now_ms();

    if (count < 0) {
        fprintf(stderr, "usage: baseline URI\n");
        return 1;
    }
    printf("open %.1f read %.1f domains %d bytes %zu\n", opened - begun, done - opened, count, bytes);
    free(domains);
    virConnectClose(conn);
    return 0;
}
