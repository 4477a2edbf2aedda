/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/trace.h"

/*
 * The frame that a traced packet is sent as, and the rules of nftables that know it again. Pure.
 */
typedef struct {
    const Packet *packet; /* from a guest; addresses known */
    Mac from, to;
    TraceKey key;
} TraceFrame;

/* A key that no other packet is likely to have. */
TraceKey trace_key_new(guint8 family);

/* With all checksums. Free with g_byte_array_unref. */
GByteArray *trace_frame(const TraceFrame *frame);

/*
 * One argument for nft: the table TRACE_TABLE, made anew. Its first chain has the kernel report about the
 * frame; its last ones, behind all others of input and postrouting, drop it, so that it reaches nobody and is
 * no connection; and one at output drops the answer of a rule that rejects it, which the guest would get. New
 * string.
 */
char *trace_commands(const TraceFrame *frame);
