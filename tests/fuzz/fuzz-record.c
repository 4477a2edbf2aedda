/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "fuzz.h"
#include "model/facts.h"
#include "model/record.h"

#include <stdlib.h>
#include <string.h>

/*
 * A record of a capture: the first byte names its kind, JSON follows. It is refused, or it is a record that
 * is the same after it was written and read again, or copied; and what is written is harmless.
 */

typedef struct {
    const RecordField *fields;
    gsize size;
} Kind;

static const Kind kinds[] = {
    {facts_fields, sizeof(Facts)},
    {source_status_fields, sizeof(SourceStatus)},
    {network_fields, sizeof(Network)},
    {domain_fields, sizeof(Domain)},
    {agent_address_fields, sizeof(AgentAddress)},
    {lease_fields, sizeof(Lease)},
    {link_fields, sizeof(Link)},
    {link_address_fields, sizeof(LinkAddress)},
    {neighbour_fields, sizeof(Neighbour)},
    {fdb_entry_fields, sizeof(FdbEntry)},
    {route_fields, sizeof(Route)},
    {dnsmasq_fields, sizeof(Dnsmasq)},
    {socket_fields, sizeof(Socket)},
    {proc_value_fields, sizeof(ProcValue)},
    {flow_fields, sizeof(Flow)},
};

static void record_free(const Kind *kind, guint8 *record)
{
    for (const RecordField *field = kind->fields; field->name; field++) {
        if (field->kind == RECORD_TEXT)
            g_free(*(char **)(gpointer)(record + field->offset));
        else if (field->kind == RECORD_WORDS)
            g_strfreev(*(char ***)(gpointer)(record + field->offset));
    }
    g_free(record);
}

/* Takes the object. */
static char *dump(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);

    require(text);
    fuzz_require_harmless(text, TRUE, "");
    json_decref(object);
    return text;
}

static void require_same(const Kind *kind, const guint8 *record)
{
    guint8 *again = g_malloc0(kind->size);
    guint8 *copy = g_malloc0(kind->size);
    g_autoptr(json_t) written = record_write(kind->fields, record);
    char *text = dump(json_incref(written));
    char *text_again, *text_copy;

    require(record_read(kind->fields, written, again, NULL));
    text_again = dump(record_write(kind->fields, again));
    record_copy(kind->fields, record, copy);
    text_copy = dump(record_write(kind->fields, copy));
    require(strcmp(text, text_again) == 0 && strcmp(text, text_copy) == 0);
    free(text);
    free(text_again);
    free(text_copy);
    record_free(kind, again);
    record_free(kind, copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const Kind *kind = &kinds[(size ? data[0] : 0) % G_N_ELEMENTS(kinds)];
    g_autoptr(json_t) root =
        size ? json_parse((const char *)data + 1, size - 1, JSON_DEPTH, FALSE, NULL) : NULL;
    g_autoptr(GError) error = NULL;
    guint8 *record;

    if (!root)
        return 0;
    record = g_malloc0(kind->size);
    if (record_read(kind->fields, root, record, &error)) {
        require(!error);
        require_same(kind, record);
    } else {
        require(g_error_matches(error, VNAT_ERROR, VNAT_ERROR_INVALID) && *error->message);
    }
    record_free(kind, record);
    return 0;
}
