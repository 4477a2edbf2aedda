/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/redact-private.h"
#include "sources/redact-sources.h"

#include <string.h>

/*
 * What libvirt writes (networkDnsmasqConfContents), and what people add by <dnsmasq:options>: "key" or
 * "key=value" in a line (dnsmasq(8)). A key that is not here may hold anything.
 */

typedef enum {
    CONF_FLAG, /* no value */
    CONF_NUMBER,
    CONF_PATH,
    CONF_DEVICE,
    CONF_WORDS,   /* parts with ',' between them, each for itself */
    CONF_DOMAINS, /* "/domain/domain/address" */
    CONF_DOMAIN,  /* "domain,address" */
} ConfHolds;

static const struct {
    const char *key;
    ConfHolds holds;
} keys[] = {
    {"bind-dynamic", CONF_FLAG},
    {"bind-interfaces", CONF_FLAG},
    {"bogus-priv", CONF_FLAG},
    {"dhcp-authoritative", CONF_FLAG},
    {"dhcp-no-override", CONF_FLAG},
    {"domain-needed", CONF_FLAG},
    {"enable-ra", CONF_FLAG},
    {"enable-tftp", CONF_FLAG},
    {"expand-hosts", CONF_FLAG},
    {"filterwin2k", CONF_FLAG},
    {"leasefile-ro", CONF_FLAG},
    {"localise-queries", CONF_FLAG},
    {"log-dhcp", CONF_FLAG},
    {"log-queries", CONF_FLAG},
    {"no-hosts", CONF_FLAG},
    {"no-negcache", CONF_FLAG},
    {"no-poll", CONF_FLAG},
    {"no-resolv", CONF_FLAG},
    {"strict-order", CONF_FLAG},
    {"cache-size", CONF_NUMBER},
    {"dhcp-lease-max", CONF_NUMBER},
    {"dns-forward-max", CONF_NUMBER},
    {"local-ttl", CONF_NUMBER},
    {"neg-ttl", CONF_NUMBER},
    {"port", CONF_NUMBER},
    {"addn-hosts", CONF_PATH},
    {"conf-file", CONF_PATH},
    {"dhcp-hostsfile", CONF_PATH},
    {"dhcp-leasefile", CONF_PATH},
    {"dhcp-script", CONF_PATH},
    {"pid-file", CONF_PATH},
    {"resolv-file", CONF_PATH},
    {"except-interface", CONF_DEVICE},
    {"interface", CONF_DEVICE},
    {"no-dhcp-interface", CONF_DEVICE},
    {"dhcp-host", CONF_WORDS},
    {"dhcp-option", CONF_WORDS},
    {"dhcp-option-force", CONF_WORDS},
    {"dhcp-range", CONF_WORDS},
    {"listen-address", CONF_WORDS},
    {"ra-param", CONF_WORDS},
    {"address", CONF_DOMAINS},
    {"local", CONF_DOMAINS},
    {"server", CONF_DOMAINS},
    {"domain", CONF_DOMAIN},
};

/* "122.168.192.in-addr.arpa" is the address of a network; any other name is somebody's. New string. */
static char *redact_domain(Redactor *redactor, const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    if (g_str_has_suffix(lower, ".in-addr.arpa") || g_str_has_suffix(lower, ".ip6.arpa"))
        return redact_text(redactor, name);
    return *name == '#' ? g_strdup(name) : redact_name(redactor, REDACT_DNS, name);
}

/* "constructor:virbr0", "option:router", "id:01:52:…", "[fd00::1]", "10.0.0.1#53", or a plain word. */
static char *redact_part(Redactor *redactor, const char *part)
{
    static const char constructor[] = "constructor:";
    static const char id[] = "id:";
    g_autofree char *token = NULL;
    char *address = redact_address(redactor, part);

    if (address || redact_is_harmless(part))
        return address ? address : g_strdup(part);
    if (g_str_has_prefix(part, constructor)) {
        token = redact_device(redactor, part + strlen(constructor), '*');
        return g_strconcat(constructor, token, NULL);
    }
    if (g_str_has_prefix(part, id)) {
        token = redact_client_id(redactor, part + strlen(id));
        return g_strconcat(id, token, NULL);
    }
    return g_strdup(REDACTED);
}

static char *redact_parts(Redactor *redactor, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);

    for (guint i = 0; parts[i]; i++) {
        char *part = parts[i];

        parts[i] = redact_part(redactor, part);
        g_free(part);
    }
    return g_strjoinv(",", parts);
}

/* "10.0.0.1#53@virbr0": only the address is known to be one. */
static char *redact_server(Redactor *redactor, const char *server)
{
    gsize length = strcspn(server, "#@");
    g_autofree char *address = g_strndup(server, length);
    g_autofree char *token = redact_part(redactor, address);
    gsize digits = server[length] == '#' ? 1 + strspn(server + length + 1, "0123456789") : 0;

    return g_strdup_printf("%s%.*s", token, (int)digits, server + length);
}

/* "/lab.test/", "/lab.test/10.0.0.1", or an address alone. */
static char *redact_domains(Redactor *redactor, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, "/", -1);
    guint last = g_strv_length(parts);

    for (guint i = 0; i < last; i++) {
        char *part = parts[i];

        parts[i] = i == last - 1 ? redact_server(redactor, part) : redact_domain(redactor, part);
        g_free(part);
    }
    return g_strjoinv("/", parts);
}

static char *redact_domain_value(Redactor *redactor, const char *value)
{
    gsize length = strcspn(value, ",");
    g_autofree char *name = g_strndup(value, length);
    g_autofree char *token = redact_domain(redactor, name);
    g_autofree char *rest = redact_parts(redactor, value + length);

    return g_strconcat(token, rest, NULL);
}

/* New string. */
static char *redact_setting(Redactor *redactor, const char *key, const char *value)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].key, key) != 0)
            continue;
        switch (keys[i].holds) {
        case CONF_FLAG:
            return g_strdup(REDACTED);
        case CONF_NUMBER:
        case CONF_WORDS:
            return redact_parts(redactor, value);
        case CONF_PATH:
            return *value == '/' ? redact_path(redactor, value) : g_strdup(REDACTED);
        case CONF_DEVICE:
            return redact_device(redactor, value, '*');
        case CONF_DOMAINS:
            return redact_domains(redactor, value);
        case CONF_DOMAIN:
            return redact_domain_value(redactor, value);
        }
    }
    return g_strdup(REDACTED);
}

static gboolean is_key(const char *word)
{
    return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

char *redact_dnsmasq_argument(Redactor *redactor, const char *word)
{
    g_autofree char *option = g_str_has_prefix(word, "--") ? g_strdup(word + 2) : NULL;
    char *equals = option ? strchr(option, '=') : NULL;
    g_autofree char *token = NULL;

    if (equals)
        *equals = '\0';
    if (option && is_key(option) && !equals)
        return g_strdup(word);
    if (option && is_key(option)) {
        token = redact_setting(redactor, option, equals + 1);
        return g_strdup_printf("--%s=%s", option, token);
    }
    return *word == '/' ? redact_path(redactor, word) : g_strdup(REDACTED);
}

char *redact_dnsmasq_conf(Redactor *redactor, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);

    for (guint i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]);
        char *equals = strchr(line, '=');
        g_autofree char *token = NULL;

        if (equals)
            *equals = '\0';
        if (!*line || *line == '#')
            continue;
        if (equals)
            token = redact_setting(redactor, line, equals + 1);
        g_string_append(out, is_key(line) ? line : REDACTED);
        if (token)
            g_string_append_printf(out, "=%s", token);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}
