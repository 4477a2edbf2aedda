/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/patient.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* All of it, or less and errno. */
static ssize_t write_all(void *cookie, const char *text, size_t size)
{
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    size_t done = 0;

    while (done < size) {
        ssize_t wrote = write(STDOUT_FILENO, text + done, size - done);

        if (wrote >= 0)
            done += (size_t)wrote;
        else if (errno == EAGAIN)
            (void)poll(&room, 1, -1);
        else if (errno != EINTR)
            break;
    }
    return (ssize_t)done;
}

void patient_output(void)
{
    static const cookie_io_functions_t functions = {.write = write_all};
    FILE *patient = fopencookie(NULL, "w", functions);

    fflush(stdout);
    if (patient)
        stdout = patient;
}
