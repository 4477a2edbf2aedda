/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/versions.h"

#include "base/json.h"
#include "base/run.h"
#include "base/text.h"

#include <string.h>
#include <sys/utsname.h>

#define OUTPUT_BYTES 65536
#define LINE_BYTES 200
/* libvirt's number is major * 1,000,000 + minor * 1,000 + micro. */
#define LIBVIRT_MAJOR 1000000
#define LIBVIRT_MINOR 1000

static void put(json_t *versions, const char *name, const char *value)
{
    g_autofree char *text = value ? text_escape(value, -1, TRUE) : NULL;

    if (text)
        json_object_set_new(versions, name, json_string(text));
}

/* The first line that the program prints: for people, nobody parses it. */
static void put_program(json_t *versions, const char *name, Deadline deadline)
{
    const char *argv[] = {name, "--version", NULL};
    g_autofree char *output = NULL;

    if (!run_program(argv, OUTPUT_BYTES, deadline, &output, NULL, NULL))
        return;
    output[MIN(strcspn(output, "\n"), LINE_BYTES)] = '\0';
    put(versions, name, output);
}

json_t *versions_read(unsigned long libvirt, Deadline deadline)
{
    json_t *versions = json_object();
    g_autofree char *os = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
    struct utsname kernel;

    put(versions, "os", os);
    if (uname(&kernel) == 0)
        put(versions, "kernel", kernel.release);
    if (libvirt > 0) {
        g_autofree char *text =
            g_strdup_printf("%lu.%lu.%lu", libvirt / LIBVIRT_MAJOR, libvirt / LIBVIRT_MINOR % LIBVIRT_MINOR,
                            libvirt % LIBVIRT_MINOR);

        put(versions, "libvirt", text);
    }
    put_program(versions, "dnsmasq", deadline);
    put_program(versions, "nft", deadline);
    return versions;
}
