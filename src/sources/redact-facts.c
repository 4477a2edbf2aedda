/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "sources/capture-private.h"
#include "sources/firewall.h"
#include "sources/redact-private.h"
#include "sources/redact-sources.h"

#include <string.h>

/*
 * First all names that others may mention are numbered, in the order of their lists; then the texts are
 * redacted, XML before rules and messages, since it has more names; then the records, by their tables.
 */

/* ----------------------------------------------------------------------------------------- records */

/* Takes text. New string. */
static char *renamed(Redactor *redactor, RedactKind kind, char *text)
{
    char *token = redact_name(redactor, kind, text);

    g_free(text);
    return token;
}

/* What stands behind "conf" is a device; all else the kernel named. */
static char *redact_proc_path(Redactor *redactor, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (guint i = 1; i < g_strv_length(parts); i++) {
        if (strcmp(parts[i - 1], "conf") == 0 || strcmp(parts[i - 1], "neigh") == 0)
            parts[i] = renamed(redactor, REDACT_IFNAME, parts[i]);
    }
    return g_strjoinv("/", parts);
}

/* Numbers, and names of tables. */
static char *redact_proc_value(Redactor *redactor, const char *value)
{
    g_auto(GStrv) words = g_strsplit_set(value, "\n", -1);

    for (guint i = 0; words[i]; i++) {
        if (words[i][strspn(words[i], "0123456789. \t-")] != '\0')
            words[i] = renamed(redactor, REDACT_CHAIN, words[i]);
    }
    return g_strjoinv("\n", words);
}

/* Takes text. New string. */
static char *redact_meaning(Redactor *redactor, RecordMeaning meaning, char *text)
{
    g_autofree char *before = text;

    switch (meaning) {
    case MEANS_NOTHING:
        return g_steal_pointer(&before);
    case MEANS_NETWORK:
        return redact_name(redactor, REDACT_NETWORK, before);
    case MEANS_DOMAIN:
        return redact_name(redactor, REDACT_DOMAIN, before);
    case MEANS_HOST:
        return redact_name(redactor, REDACT_HOST, before);
    case MEANS_IFNAME:
        return redact_name(redactor, REDACT_IFNAME, before);
    case MEANS_UUID:
        return redact_uuid(redactor, before);
    case MEANS_CLIENT_ID:
        return redact_client_id(redactor, before);
    case MEANS_TEXT:
        return redact_text(redactor, before);
    case MEANS_COMMENT:
        return redact_name(redactor, REDACT_COMMENT, before);
    case MEANS_USER:
        return redact_name(redactor, REDACT_USER, before);
    case MEANS_PROGRAM:
        return redact_name(redactor, REDACT_PROGRAM, before);
    case MEANS_ARGUMENT:
        return before ? redact_dnsmasq_argument(redactor, before) : NULL;
    case MEANS_PROC_PATH:
        return before ? redact_proc_path(redactor, before) : NULL;
    case MEANS_PROC_VALUE:
        return before ? redact_proc_value(redactor, before) : NULL;
    case MEANS_ZONE:
        return redact_name(redactor, REDACT_ZONE, before);
    }
    return NULL;
}

static void redact_field(Redactor *redactor, const RecordField *field, gpointer record)
{
    char **text = G_STRUCT_MEMBER_P(record, field->offset);
    char ***words = G_STRUCT_MEMBER_P(record, field->offset);

    switch (field->kind) {
    case RECORD_TEXT:
        *text = redact_meaning(redactor, field->meaning, *text);
        return;
    case RECORD_WORDS:
        for (guint i = 0; *words && (*words)[i]; i++)
            (*words)[i] = redact_meaning(redactor, field->meaning, (*words)[i]);
        return;
    case RECORD_MAC:
        if (!field->flag || G_STRUCT_MEMBER(gboolean, record, field->flag))
            redact_mac(redactor, G_STRUCT_MEMBER_P(record, field->offset));
        return;
    case RECORD_IP:
        redact_ip(redactor, G_STRUCT_MEMBER_P(record, field->offset));
        return;
    case RECORD_NET:
        redact_net(redactor, G_STRUCT_MEMBER_P(record, field->offset));
        return;
    case RECORD_BRIDGE_ID:
        redact_bridge_id(redactor, G_STRUCT_MEMBER_P(record, field->offset));
        return;
    case RECORD_BOOL:
    case RECORD_NUMBER:
        return;
    }
}

static void redact_record(Redactor *redactor, const RecordField *fields, gpointer record)
{
    for (; fields->name; fields++)
        redact_field(redactor, fields, record);
}

static void redact_records(Redactor *redactor, const RecordField *fields, GArray *records, gsize size)
{
    for (guint i = 0; i < records->len; i++)
        redact_record(redactor, fields, records->data + i * size);
}

/* ------------------------------------------------------------------------------------------- names */

static void meet(Redactor *redactor, RedactKind kind, const char *name)
{
    g_free(redact_name(redactor, kind, name));
}

static void meet_patterns(Redactor *redactor, const Facts *facts)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();

    for (guint i = 0; i < facts->firewall_texts->len; i++)
        g_ptr_array_add(texts, ((FirewallText *)facts->firewall_texts->pdata[i])->text);
    g_ptr_array_add(texts, NULL);
    redact_device_patterns(redactor, (const char *const *)texts->pdata);
}

static void meet_names(Redactor *redactor, const Facts *facts)
{
    g_autoptr(GPtrArray) devices = g_ptr_array_new();

    redact_expect(redactor, REDACT_NETWORK, facts->networks->len);
    redact_expect(redactor, REDACT_DOMAIN, facts->domains->len);
    meet_patterns(redactor, facts);
    for (guint i = 0; i < facts->networks->len; i++)
        meet(redactor, REDACT_NETWORK, ((Network *)facts->networks->pdata[i])->name);
    for (guint i = 0; i < facts->domains->len; i++)
        meet(redactor, REDACT_DOMAIN, ((Domain *)facts->domains->pdata[i])->name);
    for (guint i = 0; i < facts->links->len; i++)
        g_ptr_array_add(devices, ((Link *)facts->links->pdata[i])->name);
    redact_devices(redactor, devices);
    meet(redactor, REDACT_HOST, facts->host);
    for (guint i = 0; i < facts->leases->len; i++)
        meet(redactor, REDACT_HOST, ((Lease *)facts->leases->pdata[i])->hostname);
}

/* ------------------------------------------------------------------------------------ texts and all */

typedef char *(*RedactText)(Redactor *redactor, const char *text, GError **error);

/* Takes text, which may be NULL. *failed: why it is no more, where that is not known yet. New string. */
static char *text_again(Redactor *redactor, RedactText redact, char *text, char **failed)
{
    g_autofree char *before = text;
    g_autoptr(GError) error = NULL;
    char *after = before ? redact(redactor, before, &error) : NULL;

    if (error && !*failed)
        *failed = g_strdup_printf("not redacted: %s", error->message);
    return after;
}

/* Network or domain: the texts first, then the record; then what the XML says, anew. */
static Network *network_again(Redactor *redactor, Network *network)
{
    Network *again;

    network->xml = text_again(redactor, redact_network_xml, network->xml, &network->xml_error);
    network->xml_inactive =
        text_again(redactor, redact_network_xml, network->xml_inactive, &network->xml_error);
    redact_record(redactor, network_fields, network);
    again = capture_network(network, FALSE);
    again->xml = g_steal_pointer(&network->xml);
    again->xml_inactive = g_steal_pointer(&network->xml_inactive);
    network_free(network);
    return again;
}

static Domain *domain_again(Redactor *redactor, Domain *domain)
{
    Domain *again;

    domain->xml = text_again(redactor, redact_domain_xml, domain->xml, &domain->xml_error);
    domain->xml_inactive = text_again(redactor, redact_domain_xml, domain->xml_inactive, &domain->xml_error);
    redact_record(redactor, domain_fields, domain);
    redact_records(redactor, agent_address_fields, domain->agent, sizeof(AgentAddress));
    again = capture_domain(domain, FALSE);
    again->xml = g_steal_pointer(&domain->xml);
    again->xml_inactive = g_steal_pointer(&domain->xml_inactive);
    g_array_unref(again->agent);
    again->agent = g_array_ref(domain->agent);
    domain_free(domain);
    return again;
}

static void redact_objects(Redactor *redactor, Facts *facts)
{
    for (guint i = 0; i < facts->networks->len; i++)
        facts->networks->pdata[i] = network_again(redactor, facts->networks->pdata[i]);
    for (guint i = 0; i < facts->domains->len; i++)
        facts->domains->pdata[i] = domain_again(redactor, facts->domains->pdata[i]);
}

static RedactText redaction_of(const char *program)
{
    if (strcmp(program, "nft") == 0)
        return redact_nft;
    return strcmp(program, "ebtables-nft-save") == 0 ? redact_ebtables : redact_save;
}

/* What had to go was not read, as far as the redacted host knows: or its rules would be missed. */
static void redact_firewall(Redactor *redactor, Facts *facts)
{
    SourceStatus *status = &facts->sources[SOURCE_FIREWALL];
    g_autofree char *failed = NULL;
    GPtrArray *tables;

    for (guint i = 0; i < facts->firewall_texts->len;) {
        FirewallText *text = facts->firewall_texts->pdata[i];

        text->text = text_again(redactor, redaction_of(text->program), text->text, &failed);
        if (text->text)
            i++;
        else
            g_ptr_array_remove_index(facts->firewall_texts, i);
    }
    if (failed)
        source_status_set(status, facts->firewall_texts->len > 0 ? SOURCE_STALE : SOURCE_DOWN, failed);
    if (!firewall_parse_texts(facts->firewall_texts, &tables, NULL))
        tables = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_table_free);
    g_ptr_array_unref(facts->firewall);
    facts->firewall = tables;
}

static void redact_dnsmasqs(Redactor *redactor, Facts *facts)
{
    for (guint i = 0; i < facts->dnsmasqs->len; i++) {
        Dnsmasq *dnsmasq = facts->dnsmasqs->pdata[i];
        g_autofree char *options = g_steal_pointer(&dnsmasq->options);

        redact_record(redactor, dnsmasq_fields, dnsmasq);
        dnsmasq->options = options ? redact_dnsmasq_conf(redactor, options) : NULL;
    }
}

static void redact_list(Redactor *redactor, const CaptureList *list, Facts *facts)
{
    const GPtrArray *records;

    if (list->size) {
        redact_records(redactor, list->fields, G_STRUCT_MEMBER(GArray *, facts, list->offset), list->size);
        return;
    }
    records = G_STRUCT_MEMBER(GPtrArray *, facts, list->offset);
    for (guint i = 0; i < records->len; i++)
        redact_record(redactor, list->fields, records->pdata[i]);
}

/* ------------------------------------------------------------------------------------------- interface */

void redact_facts(Facts *facts, Redactor *redactor)
{
    meet_names(redactor, facts);
    redact_objects(redactor, facts);
    for (guint i = 0; i < capture_lists_count; i++)
        redact_list(redactor, &capture_lists[i], facts);
    redact_dnsmasqs(redactor, facts);
    redact_firewall(redactor, facts);
    for (guint id = 0; id < SOURCE_COUNT; id++)
        redact_record(redactor, source_status_fields, &facts->sources[id]);
    redact_record(redactor, facts_fields, facts);
    /* An alias of libvirt.conf has no form by which a name in it could be told. */
    if (facts->uri && !strstr(facts->uri, "://")) {
        g_free(facts->uri);
        facts->uri = g_strdup(REDACTED);
    }
}

static GError *failure_again(Redactor *redactor, const GError *failed)
{
    g_autofree char *message = redact_text(redactor, failed->message);
    g_autofree char *what = redact_text(redactor, vnat_error_get_what(failed));
    g_autofree char *hint = redact_text(redactor, vnat_error_get_hint(failed));
    GError *again = NULL;

    vnat_error_set(&again, (VnatError)failed->code, "%s", message);
    if (what)
        vnat_error_what(&again, "%s", what);
    if (hint)
        vnat_error_hint(&again, "%s", hint);
    return again;
}

void redact_capture(Capture *capture, Redactor *redactor)
{
    redact_facts(capture->facts, redactor);
    for (guint part = 0; part < CAPTURE_PARTS; part++) {
        GError *failed = capture->failed[part];

        if (!failed)
            continue;
        capture->failed[part] = failure_again(redactor, failed);
        g_error_free(failed);
    }
    capture->redacted = TRUE;
}
