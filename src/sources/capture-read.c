/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "base/name.h"
#include "base/text.h"
#include "base/xml.h"
#include "config.h"
#include "sources/capture-private.h"
#include "sources/capture.h"
#include "sources/firewall.h"
#include "sources/libvirt.h"

#include <string.h>

/*
 * A capture may come from anybody. Everything in it is read once and checked here, so that what answers from
 * it later meets only facts of the form that a host gives: a text that must be there is there, a number is in
 * its range, an index names files of this directory alone. What the network and domain XML mean is decided by
 * the same parsers as on a host.
 */

#define FILE_MAX ((gsize)32 * 1024 * 1024)
#define CONFIG_MAX ((gsize)1024 * 1024)

typedef struct {
    Directory *directory;
    Capture *capture;
    GHashTable *texts; /* names of the files that records have led to */
} Reading;

static json_t *read_json(Reading *reading, const char *name, GError **error)
{
    g_autofree char *bytes = NULL;
    gsize length = 0;
    json_t *document;

    if (!directory_read(reading->directory, name, FILE_MAX, &bytes, &length, error))
        return NULL;
    document = json_parse(bytes, length, JSON_DEPTH, FALSE, error);
    if (!document)
        g_prefix_error(error, "%s: ", name);
    return document;
}

/* ----------------------------------------------------------------------------------- lists of records */

typedef gboolean (*TakeRecord)(Reading *reading, const json_t *object, gconstpointer data, GError **error);

/* Calls take for each object of the array in that file. One that is not there is a damaged capture: that
 * nobody has a lease is another thing than that nobody knows. */
static gboolean read_list(Reading *reading, const char *name, TakeRecord take, gconstpointer data,
                          GError **error)
{
    g_autoptr(json_t) document = read_json(reading, name, error);

    if (!document)
        return FALSE;
    if (!json_is_array(document))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "%s: is no list of records", name);
    for (gsize i = 0; i < json_array_size(document); i++) {
        const json_t *object = json_array_get(document, i);

        if (!json_is_object(object))
            return vnat_error_set(error, VNAT_ERROR_INVALID, "%s: record %zu is no object", name, i + 1);
        if (!take(reading, object, data, error)) {
            g_prefix_error(error, "%s: record %zu: ", name, i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean take_record(Reading *reading, const json_t *object, gconstpointer data, GError **error)
{
    const CaptureList *list = data;
    gpointer record;
    gboolean ok;

    if (list->size) {
        GArray *array = G_STRUCT_MEMBER(GArray *, reading->capture->facts, list->offset);

        g_array_set_size(array, array->len + 1);
        record = array->data + (gsize)(array->len - 1) * list->size;
        memset(record, 0, list->size);
        return record_read(list->fields, object, record, error);
    }
    record = list->create();
    ok = record_read(list->fields, object, record, error);
    g_ptr_array_add(G_STRUCT_MEMBER(GPtrArray *, reading->capture->facts, list->offset), record);
    return ok;
}

/* What holds of every host's records, and the field tables cannot say. */
static gboolean check_lists(const Facts *facts, GError **error)
{
    for (guint i = 0; i < facts->leases->len; i++) {
        const Lease *lease = facts->leases->pdata[i];

        if (lease->prefix > ip_bits(&lease->ip))
            return vnat_error_set(error, VNAT_ERROR_INVALID,
                                  "leases.json: record %u: 'prefix' is longer than an address", i + 1);
    }
    for (guint i = 0; i < facts->routes->len; i++) {
        const Route *route = &g_array_index(facts->routes, Route, i);

        if (route->family != route->dst.ip.family)
            return vnat_error_set(error, VNAT_ERROR_INVALID,
                                  "routes.json: record %u: 'dst' is not of its 'family'", i + 1);
    }
    for (guint i = 0; i < facts->flows->len; i++) {
        const Flow *flow = &g_array_index(facts->flows, Flow, i);

        if (!flow_is_sound(flow))
            return vnat_error_set(error, VNAT_ERROR_INVALID,
                                  "conntrack.json: record %u: no entry of the kernel's is like that", i + 1);
    }
    return TRUE;
}

/* A capture that was made before there was this list says nothing of it. */
static gboolean read_capture_list(Reading *reading, const CaptureList *list, GError **error)
{
    GError *local = NULL;

    if (read_list(reading, list->file, take_record, list, &local))
        return TRUE;
    if ((list->optional ||
         (list->newer && reading->capture->facts->sources[list->newer].state == SOURCE_UNREAD)) &&
        g_error_matches(local, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
        g_error_free(local);
        return TRUE;
    }
    g_propagate_error(error, local);
    return FALSE;
}

static gboolean read_lists(Reading *reading, GError **error)
{
    for (guint i = 0; i < capture_lists_count; i++) {
        if (!read_capture_list(reading, &capture_lists[i], error))
            return FALSE;
    }
    facts_sort_links(reading->capture->facts);
    return check_lists(reading->capture->facts, error);
}

/* ---------------------------------------------------------------------------- networks and domains */

/*
 * The text of the file that the object names under that key; NULL without error if it names none. A file is
 * one record's: or a few records could name a big one until memory ends.
 */
static char *read_text(Reading *reading, const json_t *object, const char *key, gsize max, GError **error)
{
    const json_t *name = json_object_get(object, key);
    char *text = NULL;
    gsize length = 0;

    if (!name)
        return NULL;
    if (!json_is_string(name)) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "'%s' is no name", key);
        return NULL;
    }
    if (!g_hash_table_add(reading->texts, g_strdup(json_string_value(name)))) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "another record has the file %.64s, too",
                       json_string_value(name));
        return NULL;
    }
    if (directory_read(reading->directory, json_string_value(name), max, &text, &length, error) &&
        strlen(text) != length) {
        vnat_error_set(error, VNAT_ERROR_INVALID, "nul: %s holds a NUL byte", json_string_value(name));
        g_clear_pointer(&text, g_free);
    }
    return text;
}

/* Whether XML is of that name and UUID. FALSE with an error for one that cannot be parsed. */
typedef gboolean (*IsOf)(const char *xml, const char *name, const char *uuid, GError **error);

static gboolean same_object(const char *kind, const char *name, const char *uuid, const char *wanted_name,
                            const char *wanted_uuid, GError **error)
{
    if (g_strcmp0(name, wanted_name) == 0 && (!uuid || g_ascii_strcasecmp(uuid, wanted_uuid) == 0))
        return TRUE;
    return vnat_error_set(error, VNAT_ERROR_INVALID, "is the XML of another %s", kind);
}

static gboolean is_of_network(const char *xml, const char *name, const char *uuid, GError **error)
{
    g_autoptr(Network) network = libvirt_parse_network(xml, strlen(xml), error);

    return network && same_object("network", network->name, network->uuid, name, uuid, error);
}

static gboolean is_of_domain(const char *xml, const char *name, const char *uuid, GError **error)
{
    g_autoptr(Domain) domain = libvirt_parse_domain(xml, strlen(xml), error);

    return domain && same_object("domain", domain->name, domain->uuid, name, uuid, error);
}

/* Whose XML a list's entry leads to. */
typedef struct {
    IsOf is_of;
    const char *name, *uuid;
    const char *why_not; /* there may be none; or NULL */
} Wanted;

/* The XML file that the object names under key; *xml stays NULL if it names none. */
static gboolean read_xml(Reading *reading, const json_t *object, const char *key, const Wanted *wanted,
                         char **xml, GError **error)
{
    const char *file = json_string_value(json_object_get(object, key));
    GError *local = NULL;

    *xml = read_text(reading, object, key, XML_LIMITS_LIBVIRT.bytes, &local);
    if (*xml && !wanted->is_of(*xml, wanted->name, wanted->uuid, &local))
        g_prefix_error(&local, "%s: ", file);
    if (local)
        g_propagate_error(error, local);
    return local == NULL;
}

/* Both files of an object. The first is there, or the reason why it is not. */
static gboolean read_xmls(Reading *reading, const json_t *object, const Wanted *wanted, char **xml,
                          char **inactive, GError **error)
{
    if (!read_xml(reading, object, CAPTURE_KEY_FILE, wanted, xml, error) ||
        !read_xml(reading, object, CAPTURE_KEY_INACTIVE, wanted, inactive, error))
        return FALSE;
    return *xml || wanted->why_not ||
           vnat_error_set(error, VNAT_ERROR_INVALID, "'" CAPTURE_KEY_FILE "' is missing");
}

static gboolean take_network(Reading *reading, const json_t *object, gconstpointer data G_GNUC_UNUSED,
                             GError **error)
{
    g_autoptr(Network) entry = network_new();
    Wanted wanted;

    if (!record_read(network_fields, object, entry, error))
        return FALSE;
    wanted = (Wanted){is_of_network, entry->name, entry->uuid, entry->xml_error};
    if (!read_xmls(reading, object, &wanted, &entry->xml, &entry->xml_inactive, error))
        return FALSE;
    entry->xml_read = entry->xml != NULL;
    g_ptr_array_add(reading->capture->facts->networks, g_steal_pointer(&entry));
    return TRUE;
}

static gboolean read_agent(const json_t *object, Domain *entry, GError **error)
{
    const json_t *agent = json_object_get(object, CAPTURE_KEY_AGENT);

    if (agent && !json_is_array(agent))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "'" CAPTURE_KEY_AGENT "' is no list of records");
    for (gsize i = 0; i < json_array_size(agent); i++) {
        AgentAddress address = {0};

        if (!record_read(agent_address_fields, json_array_get(agent, i), &address, error)) {
            g_prefix_error(error, CAPTURE_KEY_AGENT ": ");
            return FALSE;
        }
        g_array_append_val(entry->agent, address);
    }
    return TRUE;
}

static gboolean take_domain(Reading *reading, const json_t *object, gconstpointer data G_GNUC_UNUSED,
                            GError **error)
{
    g_autoptr(Domain) entry = domain_new();
    Wanted wanted;

    if (!record_read(domain_fields, object, entry, error) || !read_agent(object, entry, error))
        return FALSE;
    wanted = (Wanted){is_of_domain, entry->name, entry->uuid, entry->xml_error};
    if (!read_xmls(reading, object, &wanted, &entry->xml, &entry->xml_inactive, error))
        return FALSE;
    if ((guint)entry->state >= DOMAIN_STATE_COUNT || entry->id < -1)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "no domain is in such a state");
    entry->xml_read = entry->xml != NULL;
    g_ptr_array_add(reading->capture->facts->domains, g_steal_pointer(&entry));
    return TRUE;
}

/* ------------------------------------------------------------------------- dnsmasq and the firewall */

static gboolean take_dnsmasq(Reading *reading, const json_t *object, gconstpointer data G_GNUC_UNUSED,
                             GError **error)
{
    Dnsmasq *dnsmasq = dnsmasq_new();
    GError *local = NULL;

    g_ptr_array_add(reading->capture->facts->dnsmasqs, dnsmasq);
    if (!record_read(dnsmasq_fields, object, dnsmasq, error))
        return FALSE;
    if (!dnsmasq->config && !dnsmasq->unknown)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "'config' is missing");
    dnsmasq->options = read_text(reading, object, CAPTURE_KEY_FILE, CONFIG_MAX, &local);
    if (local)
        g_propagate_error(error, local);
    return local == NULL;
}

/* The message begins with the program; a reader of it has the file. */
static gboolean wrong_program(GError **error)
{
    for (const CaptureText *kept = capture_texts; error && kept->program; kept++) {
        gsize length = strlen(kept->program);

        if (strncmp((*error)->message, kept->program, length) != 0 || (*error)->message[length] != ':')
            continue;
        g_prefix_error(error, "%s: ", kept->file);
        break;
    }
    return FALSE;
}

static gboolean read_firewall(Reading *reading, GError **error)
{
    Facts *facts = reading->capture->facts;
    GPtrArray *tables;

    for (const CaptureText *kept = capture_texts; kept->program; kept++) {
        g_autofree char *text = NULL;
        g_autoptr(GError) local = NULL;
        gsize length = 0;

        if (directory_read(reading->directory, kept->file, FILE_MAX, &text, &length, &local)) {
            g_ptr_array_add(facts->firewall_texts, firewall_text_new(kept->program, text));
        } else if (!g_error_matches(local, VNAT_ERROR, VNAT_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
    if (facts->firewall_texts->len == 0 && facts_has(facts, SOURCE_FIREWALL))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "firewall: none of its files is there");
    if (!firewall_parse_texts(facts->firewall_texts, &tables, error))
        return wrong_program(error);
    g_ptr_array_unref(tables);
    return TRUE;
}

/* ---------------------------------------------------------------------------------------- manifest */

static gboolean read_source(SourceStatus *status, const json_t *object, GError **error)
{
    const char *name = json_string_value(json_object_get(object, "state"));

    if (!record_read(source_status_fields, object, status, error))
        return FALSE;
    for (SourceState state = SOURCE_UNREAD; state <= SOURCE_ABSENT; state++) {
        if (name && strcmp(source_state_name(state), name) == 0) {
            status->state = state;
            status->generation = 1;
            return TRUE;
        }
    }
    return vnat_error_set(error, VNAT_ERROR_INVALID, "'state' is no state of a source");
}

static gboolean read_sources(Facts *facts, const json_t *sources, GError **error)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        const json_t *object = json_object_get(sources, source_name(id));
        GError *local = NULL;

        if (object && !read_source(&facts->sources[id], object, &local)) {
            g_propagate_prefixed_error(error, local, "manifest.json: source '%s': ", source_name(id));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean read_failed(Capture *capture, const json_t *failed, GError **error)
{
    for (guint part = 0; part < CAPTURE_PARTS; part++) {
        const char *name = capture_part_name(part);
        const json_t *object = json_object_get(failed, name);

        if (object && !capture_failure_read(object, &capture->failed[part], error)) {
            g_prefix_error(error, "manifest.json: failed '%s': ", name);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean check_versions(const json_t *versions)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(gpointer)versions, name, value)
    {
        if (!json_is_string(value))
            return FALSE;
    }
    return json_is_object(versions);
}

/* Which vnat wrote it says which can read it. */
static gboolean wrong_version(const json_t *manifest, GError **error)
{
    const char *vnat = json_string_value(json_object_get(manifest, "vnat"));

    vnat_error_set(error, VNAT_ERROR_INVALID,
                   "manifest.json: of a version of the format that this vnat does not know");
    if (vnat)
        vnat_error_hint(error, "it was captured by vnat %.32s, and this is %s", vnat, VNAT_VERSION);
    return FALSE;
}

static gboolean read_manifest(Reading *reading, GError **error)
{
    Capture *capture = reading->capture;
    g_autoptr(json_t) manifest = read_json(reading, "manifest.json", error);
    const char *format = json_string_value(json_object_get(manifest, "format"));
    g_autofree char *time = NULL;
    gint64 version = 0;

    if (!manifest)
        return FALSE;
    if (!format || strcmp(format, CAPTURE_FORMAT) != 0)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "manifest.json: is not that of a capture");
    if (!json_get_int(manifest, "version", 1, G_MAXINT32, &version) || version > CAPTURE_VERSION)
        return wrong_version(manifest, error);
    if (!record_read(facts_fields, manifest, capture->facts, error)) {
        g_prefix_error(error, "manifest.json: ");
        return FALSE;
    }
    time = text_time_utc(capture->facts->now);
    if (!time)
        return vnat_error_set(error, VNAT_ERROR_INVALID, "manifest.json: 'time_epoch' is no time");
    if (!check_versions(json_object_get(manifest, "versions")))
        return vnat_error_set(error, VNAT_ERROR_INVALID, "manifest.json: 'versions' holds no texts by name");
    json_object_update(capture->versions, json_object_get(manifest, "versions"));
    capture->redacted = json_is_true(json_object_get(manifest, "redacted"));
    return read_sources(capture->facts, json_object_get(manifest, "sources"), error) &&
           read_failed(capture, json_object_get(manifest, "failed"), error);
}

/* As libvirt sees to it on a host: no two objects have one UUID or name (offsets of them). */
static gboolean check_unique(const char *file, const GPtrArray *objects, gsize uuid, gsize name,
                             GError **error)
{
    const gsize keys[] = {uuid, name};

    for (guint key = 0; key < G_N_ELEMENTS(keys); key++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (guint i = 0; i < objects->len; i++) {
            if (!g_hash_table_add(seen, G_STRUCT_MEMBER(char *, objects->pdata[i], keys[key])))
                return vnat_error_set(error, VNAT_ERROR_INVALID, "%s: record %u: another one has its %s",
                                      file, i + 1, key == 0 ? "UUID" : "name");
        }
    }
    return TRUE;
}

static gboolean check_objects(const Facts *facts, GError **error)
{
    return check_unique("networks.json", facts->networks, G_STRUCT_OFFSET(Network, uuid),
                        G_STRUCT_OFFSET(Network, name), error) &&
           check_unique("domains.json", facts->domains, G_STRUCT_OFFSET(Domain, uuid),
                        G_STRUCT_OFFSET(Domain, name), error);
}

static gboolean read_all(Reading *reading, GError **error)
{
    return read_manifest(reading, error) && read_lists(reading, error) &&
           read_list(reading, "networks.json", take_network, NULL, error) &&
           read_list(reading, "domains.json", take_domain, NULL, error) &&
           check_objects(reading->capture->facts, error) &&
           read_list(reading, "dnsmasq.json", take_dnsmasq, NULL, error) && read_firewall(reading, error);
}

Capture *capture_read(const char *path, GError **error)
{
    g_autoptr(Directory) directory = NULL;
    g_autoptr(Capture) capture = capture_new();
    g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Reading reading = {NULL, capture, texts};
    GError *local = NULL;

    directory = directory_open(path, &local);
    reading.directory = directory;
    if (directory && read_all(&reading, &local))
        return g_steal_pointer(&capture);
    /* The command line is right and the capture is not: a failure, not the user's mistake. */
    if (g_error_matches(local, VNAT_ERROR, VNAT_ERROR_INVALID))
        local->code = VNAT_ERROR_FAILED;
    vnat_error_what(&local, "failed to read the capture '%s'", path);
    g_propagate_error(error, local);
    return NULL;
}
