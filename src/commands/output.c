/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/output.h"

#include "base/text.h"
#include "checks/check.h"
#include "model/network.h"

#include <string.h>

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

/* The name of the program at the beginning of a command, if it is one that takes -c; its length, or 0. */
static gsize program_with_uri(const char *command)
{
    static const char *const programs[] = {"vnat ", "virsh ", "sudo vnat "};

    for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
        gsize length = strlen(programs[i]);

        if (g_str_has_prefix(command, programs[i]) && !g_str_has_prefix(command + length, "-c "))
            return length;
    }
    return 0;
}

/* Commands stand at the beginning and behind "&& "; what is in quotes is a name. */
static char *remedy_with_uri(const char *remedy, const char *options)
{
    GString *text = g_string_new(NULL);
    char quote = '\0';

    for (const char *c = remedy; *c; c++) {
        gboolean first = c == remedy || (c - remedy >= 3 && strncmp(c - 3, "&& ", 3) == 0);
        gsize length = first && !quote ? program_with_uri(c) : 0;

        if (quote && *c == quote)
            quote = '\0';
        else if (!quote && (*c == '\'' || *c == '"'))
            quote = *c;
        if (length > 0) {
            g_string_append_len(text, c, (gssize)length);
            g_string_append(text, options);
            c += length - 1;
        } else {
            g_string_append_c(text, *c);
        }
    }
    return g_string_free(text, FALSE);
}

char *remedy_for_host(const Context *ctx, const char *remedy)
{
    g_autofree char *uri = ctx->uri ? text_shell(ctx->uri) : NULL;
    g_autofree char *options = uri ? g_strdup_printf("-c %s ", uri) : NULL;

    return options && remedy && !ctx->replay ? remedy_with_uri(remedy, options) : g_strdup(remedy);
}

void remedies_for_host(const Context *ctx, const GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++) {
        Finding *finding = findings->pdata[i];
        g_autofree char *before = finding->remedy;

        finding->remedy = remedy_for_host(ctx, before);
    }
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
