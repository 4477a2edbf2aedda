/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sources/guests.h"

/*
 * When the process of the domain started, in seconds since the system was booted; -1: unknown. run_dir is
 * /run/libvirt; apart from guests_read so that tests can give a directory of their own.
 */
double guest_start(const char *run_dir, const Domain *domain);
