/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/stage.h"

#include "base/text.h"

#include <string.h>

const char *stage_name(Stage stage)
{
    switch (stage) {
    case STAGE_RUNNING:
        return "it to run";
    case STAGE_LINK:
        return "its tap on the bridge";
    case STAGE_FRAME:
        return "its first frame";
    case STAGE_ADDRESS:
        return "an address";
    case STAGE_PORT:
        return "its port";
    case STAGE_COUNT:
        break;
    }
    return "nothing";
}

/* ------------------------------------------------------------------------------------- what it has */

static gboolean kernel_known(const StageView *view)
{
    return view->facts && facts_has(view->facts, SOURCE_LINKS);
}

/* A switch that is no bridge of the kernel's, as Open vSwitch's, is nobody's master. */
static gboolean is_foreign_switch(const StageView *view, const char *bridge)
{
    const Link *link = facts_link_named(view->facts, bridge);

    return link && !link->is_bridge;
}

/* Those of other types, as user and hostdev, are plugged into no device of this host, and never will be. */
static gboolean row_can_have_tap(const MapRow *row)
{
    static const char *const types[] = {"network", "bridge", "direct", "ethernet", NULL};

    return !row->interface_known || row->ifindex || !row->type || g_strv_contains(types, row->type);
}

static gboolean row_is_linked(const StageView *view, const MapRow *row)
{
    if (!row->interface_known)
        return FALSE;
    if (!row->tap)
        return !view->tap_wanted && row->network_bridge == NULL; /* of type user: there will be none */
    if (row->ifindex && (!row->network_bridge || g_strcmp0(row->bridge, row->network_bridge) == 0))
        return TRUE;
    if (!view->facts)
        return FALSE;
    return !kernel_known(view) || (row->network_bridge && is_foreign_switch(view, row->network_bridge));
}

static gboolean row_was_heard(const StageView *view, const MapRow *row)
{
    if (row->addresses->len > 0)
        return TRUE;
    for (guint i = 0; view->facts && i < view->facts->fdb->len; i++) {
        const FdbEntry *entry = &g_array_index(view->facts->fdb, FdbEntry, i);

        if (entry->ifindex == row->ifindex && !entry->permanent && row->has_mac &&
            mac_equal(&entry->mac, &row->mac))
            return TRUE;
    }
    return FALSE;
}

/* Only a bridge of this kernel tells whom it has heard. */
static gboolean row_can_be_heard(const StageView *view, const MapRow *row)
{
    return kernel_known(view) && row->bridge && !is_foreign_switch(view, row->bridge);
}

static Stage row_stuck(const StageView *view, const MapRow *row)
{
    if (!row_is_linked(view, row))
        return STAGE_LINK;
    if (row_can_be_heard(view, row) && !row_was_heard(view, row))
        return STAGE_FRAME;
    if (!map_row_address(row))
        return STAGE_ADDRESS;
    return view->port && !view->port_open ? STAGE_PORT : STAGE_COUNT;
}

Stage stage_stuck(const StageView *view, const MapRow **row)
{
    const MapRow *best = NULL;
    Stage farthest = STAGE_LINK;

    for (guint i = 0; view->domain && i < view->rows->len; i++) {
        const MapRow *one = view->rows->pdata[i];
        Stage stage = row_stuck(view, one);

        if ((best && stage <= farthest) || (view->tap_wanted && !row_can_have_tap(one)))
            continue;
        farthest = stage;
        best = one;
    }
    if (row)
        *row = best;
    return view->domain ? farthest : STAGE_RUNNING;
}

/* libvirt plugs it in all the same. */
static gboolean is_held_by_pause(Stage stage, const MapRow *row)
{
    return row && row->domain_state == DOMAIN_PAUSED && stage > STAGE_LINK && stage < STAGE_COUNT;
}

Stage stage_shown(const StageView *view)
{
    const MapRow *row;
    Stage stage = stage_stuck(view, &row);

    return is_held_by_pause(stage, row) ? STAGE_RUNNING : stage;
}

gboolean stage_lacks_taps(const StageView *view)
{
    for (guint i = 0; i < view->rows->len; i++) {
        if (row_can_have_tap(view->rows->pdata[i]))
            return FALSE;
    }
    return view->domain && view->rows->len > 0;
}

GPtrArray *stage_addresses(const StageView *view)
{
    GPtrArray *addresses = g_ptr_array_new();

    for (guint i = 0; i < view->rows->len; i++) {
        const MapRow *row = view->rows->pdata[i];

        for (guint j = 0; row_stuck(view, row) > STAGE_ADDRESS && j < row->addresses->len; j++) {
            Address *address = row->addresses->pdata[j];

            if (!ip_is_link_local(&address->ip))
                g_ptr_array_add(addresses, address);
        }
    }
    g_ptr_array_sort(addresses, address_compare_evidence);
    return addresses;
}

/* ------------------------------------------------------------------------------------ what it lacks */

/* Ids of checks that explain why a stage is not reached, of the interface or of its network. */
static const char *const causes[STAGE_COUNT][8] = {
    [STAGE_LINK] = {"tap-missing", "tap-orphaned", "network-inactive", "bridge-missing"},
    [STAGE_FRAME] = {"tap-down", "bridge-down", "duplicate-mac", "mac-mismatch"},
    [STAGE_ADDRESS] = {"tap-down", "dnsmasq-dead", "dnsmasq-not-listening", "port-conflict", "dhcp-pool-low",
                       "bridge-down", "duplicate-mac", "mac-mismatch"},
    [STAGE_PORT] = {"bridge-down", "duplicate-address", "duplicate-mac"},
};

static gboolean is_about(const Finding *finding, const MapRow *row)
{
    g_autofree char *name = map_row_name(row);

    if (finding->kind == OBJECT_INTERFACE)
        return g_strcmp0(finding->domain_uuid, row->domain_uuid) == 0 &&
               g_strcmp0(finding->object, name) == 0;
    return finding->kind == OBJECT_NETWORK && row->network && g_strcmp0(finding->object, row->network) == 0;
}

/* The finding that explains it, or NULL. */
static const Finding *cause_of(const StageView *view, Stage stage, const MapRow *row)
{
    for (guint i = 0; row && i < G_N_ELEMENTS(causes[stage]) && causes[stage][i]; i++) {
        for (guint j = 0; view->findings && j < view->findings->len; j++) {
            const Finding *finding = view->findings->pdata[j];

            if (strcmp(finding->id, causes[stage][i]) == 0 && is_about(finding, row))
                return finding;
        }
    }
    return NULL;
}

static const Network *network_of(const StageView *view, const MapRow *row)
{
    return view->facts && row->network ? facts_network(view->facts, row->network) : NULL;
}

static char *command_of(const char *command, const char *name)
{
    g_autofree char *word = text_shell(name);

    return g_strdup_printf("%s %s", command, word);
}

static StageAdvice advice_running(const StageView *view)
{
    return (StageAdvice){.what = g_strdup_printf("domain '%s' does not run", view->name),
                         .next = command_of("virsh start", view->name)};
}

/* Of a domain without any interface, or one whose interfaces are not known. */
static StageAdvice advice_no_row(const StageView *view)
{
    g_autofree char *word = text_shell(view->name);

    if (!view->domain->xml_read)
        return (StageAdvice){
            .what = g_strdup_printf("the XML of domain '%s' could not be read: %s", view->name,
                                    view->domain->xml_error ? view->domain->xml_error : "no answer"),
            .next = command_of("virsh dumpxml", view->name)};
    return (StageAdvice){.what = g_strdup_printf("domain '%s' has no interface", view->name),
                         .next = g_strdup_printf("vnat attach-interface %s network default --live", word)};
}

static StageAdvice advice_no_tap(const StageView *view)
{
    return (StageAdvice){
        .what = g_strdup_printf("no interface of domain '%s' has a tap on a bridge, and by its type none "
                                "will",
                                view->name),
        .next = command_of("vnat domiflist", view->name)};
}

static StageAdvice advice_link(const StageView *view, const MapRow *row)
{
    const Network *network = network_of(view, row);

    if (row->network && network && !network->active)
        return (StageAdvice){.what = g_strdup_printf("network '%s' is not active", row->network),
                             .next = command_of("vnat net-start", row->network)};
    if (!row->tap || !row->ifindex)
        return (StageAdvice){.what = g_strdup_printf("%s has no tap yet", view->name),
                             .next = command_of("vnat domiflist", view->name)};
    return (StageAdvice){.what =
                             g_strdup_printf("tap %s is on %s, not on its bridge %s", row->tap,
                                             row->bridge ? row->bridge : "no bridge", row->network_bridge),
                         .next = command_of("vnat domiflist", view->name)};
}

static StageAdvice advice_paused(const StageView *view)
{
    return (StageAdvice){.what = g_strdup_printf("domain '%s' is paused", view->name),
                         .next = command_of("virsh resume", view->name)};
}

static StageAdvice advice_frame(const StageView *view, const MapRow *row)
{
    g_autofree char *name = map_row_name(row);

    return (StageAdvice){
        .what = g_strdup_printf(
            "%s has sent nothing through %s yet: it still boots, or has no network set up", view->name, name),
        .next = command_of("virsh console", view->name)};
}

static StageAdvice advice_address(const StageView *view, const MapRow *row)
{
    const Network *network = network_of(view, row);
    gboolean heard = row_was_heard(view, row);
    g_autofree char *name = map_row_name(row);
    g_autofree char *known =
        heard ? g_strdup_printf("%s sends on %s, but", view->name, name)
              : g_strdup_printf("what %s sends on %s cannot be seen from here, and", view->name, name);

    if (network && !network_has_dhcp(network, 0))
        return (StageAdvice){
            .what = g_strdup_printf("%s no address is known of it: network '%s' gives none (it has no DHCP)",
                                    known, row->network),
            .next = command_of("vnat net-info", row->network)};
    return (StageAdvice){.what = g_strdup_printf("%s %s", known,
                                                 heard ? "has no lease, and no address is known otherwise"
                                                       : "no address is known of it"),
                         .next = row->network ? command_of("vnat status", row->network)
                                              : command_of("virsh console", view->name)};
}

static StageAdvice advice_port(const StageView *view, const MapRow *row)
{
    const Ip *ip = view->port_tried ? view->port_tried : &map_row_address(row)->ip;
    char text[IP_TEXT];

    ip_format(ip, text);
    return (StageAdvice){.what =
                             g_strdup_printf("%s does not take connections to port %u: %s", text, view->port,
                                             view->port_error ? view->port_error : "no answer yet"),
                         .next = row->network ? command_of("vnat status", row->network)
                                              : g_strdup_printf("ping -c 1 %s", text)};
}

StageAdvice stage_advice(const StageView *view)
{
    const MapRow *row;
    Stage stage = stage_stuck(view, &row);
    const Finding *cause = stage < STAGE_COUNT ? cause_of(view, stage, row) : NULL;

    if (cause)
        return (StageAdvice){.what = g_strdup(cause->message), .next = g_strdup(cause->remedy)};
    if (stage == STAGE_RUNNING)
        return advice_running(view);
    if (view->tap_wanted && stage_lacks_taps(view))
        return advice_no_tap(view);
    if (!row || !row->interface_known)
        return advice_no_row(view);
    if (is_held_by_pause(stage, row))
        return advice_paused(view);
    switch (stage) {
    case STAGE_LINK:
        return advice_link(view, row);
    case STAGE_FRAME:
        return advice_frame(view, row);
    case STAGE_ADDRESS:
        return advice_address(view, row);
    case STAGE_PORT:
        return advice_port(view, row);
    case STAGE_RUNNING:
    case STAGE_COUNT:
        break;
    }
    return (StageAdvice){.what = g_strdup("everything is there"), .next = NULL};
}

void stage_advice_clear(StageAdvice *advice)
{
    g_clear_pointer(&advice->what, g_free);
    g_clear_pointer(&advice->next, g_free);
}
