/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/capture-private.h"

#include <string.h>

static gpointer new_lease(void)
{
    return lease_new();
}

static gpointer new_link(void)
{
    return link_new();
}

static gpointer new_socket(void)
{
    return g_new0(Socket, 1);
}

static gpointer new_proc_value(void)
{
    return g_new0(ProcValue, 1);
}

static gpointer new_route_rule(void)
{
    return route_rule_new();
}

static gpointer new_zone(void)
{
    return g_new0(FirewalldZone, 1);
}

#define POINTERS(FILE, FIELDS, MEMBER, CREATE)                                                               \
    {                                                                                                        \
        FILE, FIELDS, G_STRUCT_OFFSET(Facts, MEMBER), 0, CREATE, 0, FALSE                                    \
    }
#define VALUES(FILE, FIELDS, MEMBER, TYPE)                                                                   \
    {                                                                                                        \
        FILE, FIELDS, G_STRUCT_OFFSET(Facts, MEMBER), sizeof(TYPE), NULL, 0, FALSE                           \
    }

const CaptureList capture_lists[] = {
    POINTERS("leases.json", lease_fields, leases, new_lease),
    POINTERS("links.json", link_fields, links, new_link),
    VALUES("addresses.json", link_address_fields, addresses, LinkAddress),
    VALUES("neighbours.json", neighbour_fields, neighbours, Neighbour),
    VALUES("fdb.json", fdb_entry_fields, fdb, FdbEntry),
    VALUES("routes.json", route_fields, routes, Route),
    POINTERS("sockets.json", socket_fields, sockets, new_socket),
    POINTERS("proc.json", proc_value_fields, proc, new_proc_value),
    {"firewalld.json", firewalld_zone_fields, G_STRUCT_OFFSET(Facts, zones), 0, new_zone, SOURCE_FIREWALLD,
     FALSE},
    {"conntrack.json", flow_fields, G_STRUCT_OFFSET(Facts, flows), sizeof(Flow), NULL, SOURCE_CONNTRACK,
     FALSE},
    {"route-rules.json", route_rule_fields, G_STRUCT_OFFSET(Facts, route_rules), 0, new_route_rule, 0, TRUE},
};
const guint capture_lists_count = G_N_ELEMENTS(capture_lists);

const CaptureText capture_texts[] = {
    {"nft", "firewall/nft.json"},
    {"iptables-nft-save", "firewall/iptables-nft-save.txt"},
    {"ip6tables-nft-save", "firewall/ip6tables-nft-save.txt"},
    {"ebtables-nft-save", "firewall/ebtables-nft-save.txt"},
    {"iptables-legacy-save", "firewall/iptables-legacy-save.txt"},
    {"ip6tables-legacy-save", "firewall/ip6tables-legacy-save.txt"},
    {NULL, NULL},
};

static const char *const code_names[] = {
    [VNAT_ERROR_FAILED] = "failed",           [VNAT_ERROR_NOT_FOUND] = "not-found",
    [VNAT_ERROR_EXISTS] = "exists",           [VNAT_ERROR_DENIED] = "denied",
    [VNAT_ERROR_UNSUPPORTED] = "unsupported", [VNAT_ERROR_USAGE] = "usage",
    [VNAT_ERROR_INVALID] = "invalid",         [VNAT_ERROR_UNREACHABLE] = "unreachable",
    [VNAT_ERROR_DEADLINE] = "deadline",
};
G_STATIC_ASSERT(G_N_ELEMENTS(code_names) == VNAT_ERROR_DEADLINE + 1);

#define FAILURE(MEMBER)                                                                                      \
    .name = #MEMBER, .kind = RECORD_TEXT, .offset = G_STRUCT_OFFSET(CaptureFailure, MEMBER),                 \
    .meaning = MEANS_TEXT

const RecordField capture_failure_fields[] = {
    {FAILURE(code), .required = TRUE},
    {FAILURE(what)},
    {FAILURE(message), .required = TRUE},
    {FAILURE(hint)},
    {.name = NULL},
};

json_t *capture_failure_write(const GError *failed)
{
    gboolean known = failed->code >= 0 && failed->code < (gint)G_N_ELEMENTS(code_names);
    g_autofree char *code = g_strdup(code_names[known ? failed->code : VNAT_ERROR_FAILED]);
    g_autofree char *what = g_strdup(vnat_error_get_what(failed));
    g_autofree char *hint = g_strdup(vnat_error_get_hint(failed));
    const CaptureFailure failure = {code, what, failed->message, hint};

    return record_write(capture_failure_fields, &failure);
}

static void failure_clear(CaptureFailure *failure)
{
    g_free(failure->code);
    g_free(failure->what);
    g_free(failure->message);
    g_free(failure->hint);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CaptureFailure, failure_clear)

gboolean capture_failure_read(const json_t *object, GError **failed, GError **error)
{
    g_auto(CaptureFailure) failure = {0};
    guint code = 0;

    if (!record_read(capture_failure_fields, object, &failure, error))
        return FALSE;
    while (code < G_N_ELEMENTS(code_names) && strcmp(code_names[code], failure.code) != 0)
        code++;
    if (code == G_N_ELEMENTS(code_names))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "'code' is no word for an error");
    vnat_error_set(failed, (VnatError)code, "%s", failure.message);
    if (failure.what)
        vnat_error_what(failed, "%s", failure.what);
    if (failure.hint)
        vnat_error_hint(failed, "%s", failure.hint);
    return TRUE;
}
