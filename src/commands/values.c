/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/values.h"

#include "base/error.h"
#include "base/file.h"
#include "base/name.h"
#include "model/network.h"
#include "sources/libvirt.h"
#include "sources/templates.h"

#include <string.h>

#define VARS_BYTES 65536

/* In a file, blanks around the value are layout; on the command line they are meant. */
static gboolean value_put(GHashTable *values, const char *text, gboolean strip, GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *name = equals ? g_strstrip(g_strndup(text, (gsize)(equals - text))) : NULL;
    char *value;

    if (!name || !*name)
        return vnat_error_set(error, VNAT_ERROR_USAGE, "a parameter is set by NAME=VALUE, not '%s'", text);
    value = g_strdup(equals + 1);
    if (strip)
        g_strstrip(value);
    g_hash_table_insert(values, g_steal_pointer(&name), value);
    return TRUE;
}

static gboolean values_read_file(GHashTable *values, const char *path, GError **error)
{
    g_autofree char *bytes = NULL;
    g_auto(GStrv) lines = NULL;
    gsize length;

    if (!file_read(path, VARS_BYTES, FALSE, &bytes, &length, error))
        return FALSE;
    lines = g_strsplit(bytes, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);

        if (*line && *line != '#' && !value_put(values, line, TRUE, error)) {
            vnat_error_what(error, "line %u of %s", i + 1, path);
            return FALSE;
        }
    }
    return TRUE;
}

GHashTable *values_parse(const Context *ctx, GError **error)
{
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const GPtrArray *defines = option_list(ctx, "define");
    const char *vars = option_value(ctx, "vars");

    if (vars && !values_read_file(values, vars, error))
        return NULL;
    for (guint i = 0; defines && i < defines->len; i++) {
        if (!value_put(values, defines->pdata[i], FALSE, error))
            return NULL;
    }
    return g_steal_pointer(&values);
}

gboolean values_is_path(const char *which)
{
    return strchr(which, '/') || g_str_has_suffix(which, ".xml");
}

Template *values_template(const Context *ctx, const char *which, GError **error)
{
    if (values_is_path(which))
        return templates_read_file(which, error);
    return templates_find(option_value(ctx, "template-dir"), which, error);
}

/* The name kept in the network's metadata: the template's, or the file's. A plain file without parameters
 * leaves no trace. */
static char *metadata_name(const Template *tmpl, const char *which)
{
    g_autofree char *base = g_path_get_basename(which);

    if (template_params(tmpl)->len == 0)
        return NULL;
    if (g_str_has_suffix(base, ".xml"))
        base[strlen(base) - strlen(".xml")] = '\0';
    /* It goes into XML: a file's name may be of bytes that may not. */
    return name_is_network(base) ? g_steal_pointer(&base) : g_strdup("file");
}

static gboolean check_names(const Network *network, GError **error)
{
    if (!name_is_network(network->name))
        return vnat_error_set(
            error, VNAT_ERROR_INVALID,
            "name: '%s' is no name for a network (letters, digits, '_', '.', '-'; at most 50)",
            network->name);
    if (network->bridge && !name_is_ifname(network->bridge))
        return vnat_error_set(
            error, VNAT_ERROR_INVALID,
            "bridge: '%s' is no name for a bridge (letters, digits, '_', '.', '-'; at most 15)",
            network->bridge);
    return TRUE;
}

char *values_render(World *world, const Template *tmpl, const char *which, GHashTable *values,
                    Network **network, GError **error)
{
    g_autoptr(GArray) used = world ? network_used_subnets(world->facts) : NULL;
    TemplateWorld avoid = {.used = used};
    g_autofree char *name = metadata_name(tmpl, which);
    g_autofree char *xml = template_render(tmpl, values, world ? &avoid : NULL, name, NULL, error);
    g_autoptr(Network) parsed = NULL;

    if (!xml || !templates_validate(xml, error))
        return NULL;
    parsed = libvirt_parse_network(xml, strlen(xml), error);
    if (!parsed || !check_names(parsed, error))
        return NULL;
    if (network)
        *network = g_steal_pointer(&parsed);
    return g_steal_pointer(&xml);
}
