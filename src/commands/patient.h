/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Standard output, for a command that runs for long, waits for its reader also where it does not block: that
 * is a property of the open file, which every process that has it may set (a terminal's, or a pipe's whose
 * other end is a program's with a loop of its own), at any time. stdio would drop what it could not write,
 * and the line be torn. From here on stdout is another FILE, on the same descriptor; what is in the one
 * before is written first. Once in a process.
 */
void patient_output(void);
