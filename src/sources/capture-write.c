/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "base/name.h"
#include "base/text.h"
#include "config.h"
#include "sources/capture-private.h"
#include "sources/capture.h"

#include <stdlib.h>
#include <string.h>

/*
 * One record a line: so a difference between two captures is a few lines of diff. Everything but XML, the
 * programs' own output and configuration files is ASCII.
 */

#define DUMP (JSON_COMPACT | JSON_ENSURE_ASCII)
#define NFT_DEPTH 256

/* The lines of a JSON array (or of one within an object) are objects, one each. */
static void append_line(GString *out, const json_t *object, gboolean first)
{
    char *line = json_dumps(object, DUMP);

    g_string_append(out, first ? "\n " : ",\n ");
    g_string_append(out, line);
    free(line);
}

static gboolean write_string(NewDirectory *directory, const char *name, GString *text, GError **error)
{
    gboolean ok = new_directory_write(directory, name, text->str, text->len, error);

    g_string_free(text, TRUE);
    return ok;
}

/* Takes the objects. */
static gboolean write_lines(NewDirectory *directory, const char *name, json_t *objects, GError **error)
{
    GString *out = g_string_new("[");

    for (gsize i = 0; i < json_array_size(objects); i++)
        append_line(out, json_array_get(objects, i), i == 0);
    g_string_append(out, "\n]\n");
    json_decref(objects);
    return write_string(directory, name, out, error);
}

static gboolean write_list(const Capture *capture, const CaptureList *list, NewDirectory *directory,
                           GError **error)
{
    json_t *objects = json_array();

    if (list->size) {
        const GArray *array = G_STRUCT_MEMBER(GArray *, capture->facts, list->offset);

        for (guint i = 0; i < array->len; i++)
            json_array_append_new(objects, record_write(list->fields, array->data + i * list->size));
    } else {
        const GPtrArray *array = G_STRUCT_MEMBER(GPtrArray *, capture->facts, list->offset);

        for (guint i = 0; i < array->len; i++)
            json_array_append_new(objects, record_write(list->fields, array->pdata[i]));
    }
    return write_lines(directory, list->file, objects, error);
}

/* ------------------------------------------------------------------------------ networks and domains */

/* The name of an object's files. One that looks like a UUID could be taken for another's. New string. */
static char *object_file_name(const char *name, const char *uuid, guint number)
{
    if (name && name_is_network(name) && !name_is_uuid(name))
        return g_strdup(name);
    return uuid && name_is_uuid(uuid) ? g_strdup(uuid) : g_strdup_printf("%u", number + 1);
}

/* Writes a text that an object may have, and names its file in the object. */
static gboolean write_text(NewDirectory *directory, json_t *object, const char *key, const char *file,
                           const char *text, GError **error)
{
    if (!text)
        return TRUE;
    json_object_set_new(object, key, json_string(file));
    return new_directory_write(directory, file, text, strlen(text), error);
}

static gboolean write_xml(NewDirectory *directory, json_t *object, const char *key, const char *folder,
                          const char *name, const char *xml, GError **error)
{
    g_autofree char *file = g_strconcat(folder, "/", name, ".xml", NULL);
    g_autofree char *text = xml ? text_xml(xml) : NULL;

    return write_text(directory, object, key, file, text, error);
}

static gboolean write_networks(const Capture *capture, NewDirectory *directory, GError **error)
{
    g_autoptr(json_t) objects = json_array();

    for (guint i = 0; i < capture->facts->networks->len; i++) {
        const Network *network = capture->facts->networks->pdata[i];
        g_autofree char *name = object_file_name(network->name, network->uuid, i);
        json_t *object = record_write(network_fields, network);

        json_array_append_new(objects, object);
        if (!write_xml(directory, object, CAPTURE_KEY_FILE, "networks", name, network->xml, error) ||
            !write_xml(directory, object, CAPTURE_KEY_INACTIVE, "networks/inactive", name,
                       network->xml_inactive, error))
            return FALSE;
    }
    return write_lines(directory, "networks.json", g_steal_pointer(&objects), error);
}

static json_t *agent_write(const GArray *agent)
{
    json_t *addresses = json_array();

    for (guint i = 0; i < agent->len; i++)
        json_array_append_new(addresses,
                              record_write(agent_address_fields, &g_array_index(agent, AgentAddress, i)));
    return addresses;
}

static gboolean write_domains(const Capture *capture, NewDirectory *directory, GError **error)
{
    g_autoptr(json_t) objects = json_array();

    for (guint i = 0; i < capture->facts->domains->len; i++) {
        const Domain *domain = capture->facts->domains->pdata[i];
        g_autofree char *name = object_file_name(domain->name, domain->uuid, i);
        json_t *object = record_write(domain_fields, domain);

        json_array_append_new(objects, object);
        if (domain->agent->len > 0)
            json_object_set_new(object, CAPTURE_KEY_AGENT, agent_write(domain->agent));
        if (!write_xml(directory, object, CAPTURE_KEY_FILE, "domains", name, domain->xml, error) ||
            !write_xml(directory, object, CAPTURE_KEY_INACTIVE, "domains/inactive", name,
                       domain->xml_inactive, error))
            return FALSE;
    }
    return write_lines(directory, "domains.json", g_steal_pointer(&objects), error);
}

/* -------------------------------------------------------------------------- dnsmasq and the firewall */

static gboolean write_dnsmasqs(const Capture *capture, NewDirectory *directory, GError **error)
{
    g_autoptr(json_t) objects = json_array();

    for (guint i = 0; i < capture->facts->dnsmasqs->len; i++) {
        const Dnsmasq *dnsmasq = capture->facts->dnsmasqs->pdata[i];
        const Network *network = facts_network(capture->facts, dnsmasq->network);
        g_autofree char *name = object_file_name(dnsmasq->network, network ? network->uuid : NULL, i);
        g_autofree char *file = g_strconcat("dnsmasq/", name, ".conf", NULL);
        json_t *object = record_write(dnsmasq_fields, dnsmasq);

        json_array_append_new(objects, object);
        if (!write_text(directory, object, CAPTURE_KEY_FILE, file, dnsmasq->options, error))
            return FALSE;
    }
    return write_lines(directory, "dnsmasq.json", g_steal_pointer(&objects), error);
}

/* nft prints one line, however long; here an object has one of its own. NULL for what is not of its form. */
static GString *nft_lines(const char *text)
{
    g_autoptr(json_t) root = json_parse(text, strlen(text), NFT_DEPTH, FALSE, NULL);
    const json_t *objects = json_object_get(root, "nftables");
    GString *out;

    if (!json_is_array(objects) || json_object_size(root) != 1)
        return NULL;
    out = g_string_new("{\"nftables\":[");
    for (gsize i = 0; i < json_array_size(objects); i++)
        append_line(out, json_array_get(objects, i), i == 0);
    g_string_append(out, "\n]}\n");
    return out;
}

static gboolean write_firewall(const Capture *capture, NewDirectory *directory, GError **error)
{
    for (guint i = 0; i < capture->facts->firewall_texts->len; i++) {
        const FirewallText *text = capture->facts->firewall_texts->pdata[i];

        for (const CaptureText *kept = capture_texts; kept->program; kept++) {
            GString *lines;

            if (strcmp(kept->program, text->program) != 0)
                continue;
            lines = g_str_has_suffix(kept->file, ".json") ? nft_lines(text->text) : NULL;
            if (!write_string(directory, kept->file, lines ? lines : g_string_new(text->text), error))
                return FALSE;
        }
    }
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- manifest */

static json_t *sources_write(const Facts *facts)
{
    json_t *sources = json_object();

    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const SourceStatus *status = &facts->sources[id];
        SourceState state;
        json_t *object;

        if (status->state == SOURCE_UNREAD)
            continue;
        /* A capture of a capture is one of the same host. */
        state = status->state == SOURCE_REPLAYED ? SOURCE_LIVE : status->state;
        object = json_pack("{s:s}", "state", source_state_name(state));
        json_object_update_new(object, record_write(source_status_fields, status));
        json_object_set_new(sources, source_name(id), object);
    }
    return sources;
}

static json_t *failed_write(const Capture *capture)
{
    json_t *failed = json_object();

    for (guint part = 0; part < CAPTURE_PARTS; part++) {
        if (capture->failed[part])
            json_object_set_new(failed, capture_part_name(part),
                                capture_failure_write(capture->failed[part]));
    }
    return failed;
}

static gboolean write_manifest(const Capture *capture, NewDirectory *directory, GError **error)
{
    g_autoptr(json_t) manifest =
        json_pack("{s:s, s:i, s:s, s:b}", "format", CAPTURE_FORMAT, "version", CAPTURE_VERSION, "vnat",
                  VNAT_VERSION, "redacted", capture->redacted);
    g_autofree char *time = text_time_utc(capture->facts->now);
    GString *text;
    char *dump;

    json_object_set_new(manifest, "time", time ? json_string(time) : json_null());
    json_object_update_new(manifest, record_write(facts_fields, capture->facts));
    json_object_set(manifest, "versions", capture->versions);
    json_object_set_new(manifest, "sources", sources_write(capture->facts));
    json_object_set_new(manifest, "failed", failed_write(capture));
    dump = json_dumps(manifest, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    text = g_string_new(dump);
    free(dump);
    g_string_append_c(text, '\n');
    return write_string(directory, "manifest.json", text, error);
}

gboolean capture_write(const Capture *capture, NewDirectory *directory, GError **error)
{
    for (guint i = 0; i < capture_lists_count; i++) {
        if (!write_list(capture, &capture_lists[i], directory, error))
            return FALSE;
    }
    return write_networks(capture, directory, error) && write_domains(capture, directory, error) &&
           write_dnsmasqs(capture, directory, error) && write_firewall(capture, directory, error) &&
           write_manifest(capture, directory, error);
}
