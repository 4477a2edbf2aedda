/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/output.h"

#include "checks/check.h"
#include "model/network.h"

int write_json(World *world, const JsonCollection *collections)
{
    json_write(stdout, world->facts, collections);
    return world_code(world);
}

int write_interfaces(Context *ctx, World *world, const GPtrArray *rows)
{
    const JsonCollection collections[] = {{"interfaces", rows, json_of_interface}, {0}};

    if (ctx->json)
        return write_json(world, collections);
    write_table(ctx, rows);
    return world_code(world);
}

int write_network_after(World *world, const char *name)
{
    g_autoptr(Facts) before = world->facts;
    g_autoptr(GPtrArray) rows = NULL;
    JsonCollection collections[] = {{"networks", NULL, json_of_network}, {0}};
    Facts *after = facts_new();

    after->host = g_strdup(before->host);
    after->uri = g_strdup(before->uri);
    after->local = before->local;
    after->now = g_get_real_time() / G_USEC_PER_SEC;
    world->facts = after;
    world_read_network(world, name, FALSE,
                       WANT_LEASES | WANT_LINKS | WANT_PROCESSES | WANT_SOCKETS | WANT_FIREWALL, NULL);
    rows = network_rows(after);
    collections[0].records = rows;
    json_write(stdout, after, collections);
    /* The change was made and verified; that a source cannot be read by this user makes it no failure. */
    return EXIT_OK;
}

static gint compare_order(gconstpointer a, gconstpointer b)
{
    guint left = (*(MapRow *const *)a)->order;
    guint right = (*(MapRow *const *)b)->order;

    return left < right ? -1 : left > right;
}

Map *world_domain_map(World *world, const char *which, gboolean inactive, Wants wants, GError **error)
{
    g_autoptr(Map) map = NULL;
    g_autoptr(GPtrArray) findings = NULL;

    if (!world_read_domain(world, which, inactive, wants, error))
        return NULL;
    map = map_join(world->facts);
    findings = checks_run(world->facts, map, 1U << OBJECT_INTERFACE);
    map_attach(map, findings);
    g_ptr_array_sort(map->rows,
                     compare_order); /* one domain's interfaces stand as in its XML, as with virsh */
    return g_steal_pointer(&map);
}
