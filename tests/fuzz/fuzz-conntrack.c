/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/conntrack-private.h"
#include "base/json.h"
#include "base/netlink.h"
#include "frames.h"
#include "fuzz.h"
#include "model/record.h"
#include "sources/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

/*
 * The input as a datagram of the kernel's connection tracking, and as a well-formed entry: what is understood
 * is a flow as flows are, and comes back from a capture as it went there. The request that deletes it always
 * names it: one that names none empties the table.
 */

static void require_kept(const Flow *flow)
{
    g_autoptr(json_t) object = record_write(flow_fields, flow);
    Flow back = {0};

    require(record_read(flow_fields, object, &back, NULL));
    require(flow_is_sound(&back) && flow_equal(flow, &back) && flow_hash(flow) == flow_hash(&back));
    require(back.sent_bytes == flow->sent_bytes && back.reply_packets == flow->reply_packets);
    require(back.started == flow->started && back.state == flow->state);
}

static void require_named(const struct nlmsghdr *message)
{
    const struct nlattr *attrs[CTA_MAX + 1];
    const struct nlattr *tuple[CTA_TUPLE_MAX + 1];
    NetlinkRequest request;

    if (!conntrack_deletion(message, &request))
        return;
    netlink_attrs((const struct nlmsghdr *)request.words, sizeof(struct nfgenmsg), attrs,
                  G_N_ELEMENTS(attrs));
    netlink_attrs_nested(attrs[CTA_TUPLE_ORIG], tuple, G_N_ELEMENTS(tuple));
    require(tuple[CTA_TUPLE_IP]);
}

static void parse(const struct nlmsghdr *message)
{
    char buffer[FLOW_PROTOCOL_TEXT];
    Flow flow;

    if (!conntrack_parse(message, &flow)) {
        NetlinkRequest none;

        require(!conntrack_deletion(message, &none));
        return;
    }
    require_named(message);
    require(flow_is_sound(&flow));
    require(*flow_protocol_name(flow.protocol, buffer));
    require(flow.state != FLOW_NO_STATE || !flow_state_name(&flow));
    require_kept(&flow);
}

/* In a datagram a byte too far would be the next message's. */
static void parse_apart(const struct nlmsghdr *message, gpointer data)
{
    g_autofree struct nlmsghdr *copy = fuzz_message_copy(message);

    parse(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const guint16 types[] = {IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_DELETE};
    /* Aligned as a receive buffer is. */
    g_autofree void *datagram = g_memdup2(data, size);
    FuzzBytes bytes = {data, size};
    const guint16 type = types[fuzz_byte(&bytes) % G_N_ELEMENTS(types)];
    g_autofree struct nlmsghdr *message =
        fuzz_message((guint16)(NFNL_SUBSYS_CTNETLINK << 8 | type), sizeof(struct nfgenmsg), &bytes);

    netlink_each(datagram, size, parse_apart, NULL);
    parse(message);
    return 0;
}
