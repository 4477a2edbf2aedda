/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a fuzz target defines: libFuzzer calls it with inputs of its own, replay.c with those of the corpus.
 * Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
