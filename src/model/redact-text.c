/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact-private.h"

#include <string.h>

/*
 * Text is read once, from the front; at each byte, the first of these that begins there is replaced: what is
 * in quotes, the host of a URI, a path, an address, a name that is known. In quotes, in a path and in a URI a
 * word that nobody knows is a name all the same; elsewhere it is a word of the message.
 */

#define REDACTED "(redacted)"
#define ENDS " \t\n\"'`)}>,;" /* of a word, in running text */
#define QUOTED_BYTES 512
#define QUOTES_DEEP 4

typedef struct {
    Redactor *redactor;
    const char *text;
    gsize length, at;
    guint deep; /* in how many quotes */
    GString *out;
} Scan;

static void scan_text(Redactor *redactor, const char *text, gsize length, guint deep, GString *out);

static char scan_byte(const Scan *scan, gsize at)
{
    return (char)(at < scan->length ? scan->text[at] : '\0');
}

/* Whether a quote or a path may begin here: not inside a word. */
static gboolean scan_opens(const Scan *scan)
{
    return scan->at == 0 || strchr(" \t\n\"'`([{<=,;:|", scan->text[scan->at - 1]);
}

/* Length of what begins at, up to one of these bytes. */
static gsize scan_until(const Scan *scan, gsize at, const char *bytes)
{
    gsize end = at;

    while (end < scan->length && !(scan->text[end] && strchr(bytes, scan->text[end])))
        end++;
    return end - at;
}

/* ------------------------------------------------------------------------------------------- words */

/* Whether a word may stay where everything else does not. */
static gboolean word_stays(Redactor *redactor, const char *word)
{
    g_autofree char *address = redact_address(redactor, word);

    if (address)
        return strcmp(address, word) == 0;
    return !*word || redact_is_harmless(word) || redact_device_stays(redactor, word);
}

/* A word that stands where a name is expected. New string. */
static char *redact_word(Redactor *redactor, const char *word)
{
    const RedactKnown *known = *word ? redact_find_known(redactor, word, strlen(word), 0) : NULL;
    char *address = redact_address(redactor, word);

    if (address)
        return address;
    if (known && known->length == strlen(word))
        return g_strdup(known->token);
    return g_strdup(word_stays(redactor, word) ? word : REDACTED);
}

/* ------------------------------------------------------------------------------------------- paths */

/* Where libvirt, the kernel and distributions put things. */
static const char *const folders[] = {"all",
                                      "autostart",
                                      "bin",
                                      "bridge",
                                      "conf",
                                      "default",
                                      "dev",
                                      "dnsmasq",
                                      "domains",
                                      "etc",
                                      "firewall",
                                      "inactive",
                                      "interface",
                                      "ipv4",
                                      "ipv6",
                                      "lib",
                                      "lib64",
                                      "libexec",
                                      "libvirt",
                                      "libvirt-sock",
                                      "libvirt-sock-ro",
                                      "libvirt_leaseshelper",
                                      "local",
                                      "log",
                                      "neigh",
                                      "net",
                                      "net-dummy",
                                      "netfilter",
                                      "network",
                                      "networks",
                                      "nf_conntrack",
                                      "proc",
                                      "qemu",
                                      "resolv",
                                      "libvirtd",
                                      "root",
                                      "run",
                                      "sbin",
                                      "self",
                                      "session",
                                      "share",
                                      "stat",
                                      "sys",
                                      "system",
                                      "tmp",
                                      "usr",
                                      "user",
                                      "var",
                                      "virtnetworkd",
                                      "virtqemud",
                                      "vnat",
                                      NULL};

/* The length of an ending that libvirt gives to files that bear a name; 0: it has none. */
static gsize ending_length(const char *file)
{
    static const char *const endings[] = {".conf", ".xml",  ".pid",    ".status", ".hostsfile", ".addnhosts",
                                          ".macs", ".json", ".leases", ".log",    ".sock",      NULL};

    for (guint i = 0; endings[i]; i++) {
        if (g_str_has_suffix(file, endings[i]) && strlen(file) > strlen(endings[i]))
            return strlen(endings[i]);
    }
    return 0;
}

/* NULL: nobody knows it. New string. */
static char *redact_folder(Redactor *redactor, const char *name)
{
    gsize ending = ending_length(name);
    g_autofree char *stem = g_strndup(name, strlen(name) - ending);
    g_autofree char *token = NULL;

    if (g_strv_contains(folders, name) || word_stays(redactor, name))
        return g_strdup(name);
    token = redact_word(redactor, stem);
    if (strcmp(token, REDACTED) != 0)
        return g_strconcat(token, name + strlen(stem), NULL);
    return ending > 0 && g_strv_contains(folders, stem) ? g_strdup(name) : NULL;
}

/* A path, as far as its folders are known. */
static void put_path(Redactor *redactor, const char *path, GString *out)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (guint i = 0; parts[i]; i++) {
        g_autofree char *token = redact_folder(redactor, parts[i]);

        if (i > 0)
            g_string_append_c(out, '/');
        g_string_append(out, token ? token : REDACTED);
        if (!token)
            return;
    }
}

char *redact_path(Redactor *redactor, const char *path)
{
    GString *out = g_string_new(NULL);

    put_path(redactor, path, out);
    return g_string_free(out, FALSE);
}

/* Length of the path that stands at; a full stop behind it ends a sentence, and a name in it may hold a
 * space. */
static gsize path_length(const Scan *scan, gsize at)
{
    static const char ends[] = "]:|?" ENDS;
    gsize end = at;

    while (end < scan->length && !(scan->text[end] && strchr(ends, scan->text[end]))) {
        const RedactKnown *known = redact_find_known(scan->redactor, scan->text, scan->length, end);

        end += known ? known->length : 1;
    }
    return end > at + 1 && scan->text[end - 1] == '.' ? end - at - 1 : end - at;
}

static gsize scan_path(const Scan *scan)
{
    gsize length = path_length(scan, scan->at);
    g_autofree char *path = NULL;

    if (scan->text[scan->at] != '/' || !scan_opens(scan) || length < 2)
        return 0;
    path = g_strndup(scan->text + scan->at, length);
    put_path(scan->redactor, path, scan->out);
    return length;
}

/* -------------------------------------------------------------------------------------------- URIs */

/* "host", "host:22", "[fe80::1]:22"; the host of a URI is somebody's, known or not. */
static void put_host(Redactor *redactor, const char *host, GString *out)
{
    const char *colon = strrchr(host, ':');
    g_autofree char *address = redact_address(redactor, host);
    g_autofree char *name = NULL;
    g_autofree char *token = NULL;

    if (address) {
        g_string_append(out, address);
        return;
    }
    if (colon && colon[1 + strspn(colon + 1, "0123456789")] != '\0')
        colon = NULL;
    name = colon ? g_strndup(host, (gsize)(colon - host)) : g_strdup(host);
    token = redact_name(redactor, REDACT_HOST, name);
    g_string_append_printf(out, "%s%s", token, colon ? colon : "");
}

static void put_authority(Redactor *redactor, const char *authority, GString *out)
{
    const char *user_end = strrchr(authority, '@');

    if (user_end) {
        g_autofree char *user = g_strndup(authority, (gsize)(user_end - authority));
        g_autofree char *token = redact_name(redactor, REDACT_USER, user);

        g_string_append_printf(out, "%s@", token);
    }
    put_host(redactor, user_end ? user_end + 1 : authority, out);
}

/* What stands behind "SCHEME" here: "://user@host:port/path?query". */
static gsize scan_uri(const Scan *scan)
{
    gsize at = scan->at + 3;
    g_autofree char *authority = NULL;
    g_autofree char *path = NULL;
    gsize length;

    if (scan->at == 0 || !g_ascii_isalnum(scan->text[scan->at - 1]) || scan->length < at ||
        strncmp(scan->text + scan->at, "://", 3) != 0)
        return 0;
    /* An IPv6 address has its own brackets. */
    length = scan_until(scan, at, scan_byte(scan, at) == '[' ? "/?" ENDS : "/?]" ENDS);
    authority = g_strndup(scan->text + at, length);
    at += length;
    length = path_length(scan, at);
    path = g_strndup(scan->text + at, length);
    at += length;
    g_string_append(scan->out, "://");
    put_authority(scan->redactor, authority, scan->out);
    put_path(scan->redactor, path, scan->out);
    if (scan_byte(scan, at) == '?') {
        at += scan_until(scan, at, ENDS);
        g_string_append(scan->out, "?" REDACTED);
    }
    return at - scan->at;
}

/* ------------------------------------------------------------------------------------------- quotes */

/* Where the quotes end that open here, behind the name in them, which may hold some itself; 0: none open. */
static gsize quotes_end(const Scan *scan)
{
    char quote = scan->text[scan->at];
    gsize most = MIN(scan->length, scan->at + QUOTED_BYTES);
    const RedactKnown *known;

    if (!strchr("'\"`", quote) || !scan_opens(scan))
        return 0;
    known = redact_find_known(scan->redactor, scan->text, scan->length, scan->at + 1);
    for (gsize end = scan->at + 1 + (known ? known->length : 0); end < most && scan->text[end] != '\n';
         end++) {
        char closing = scan->text[end];

        if ((closing == quote || (quote == '`' && closing == '\'')) &&
            !g_ascii_isalnum(scan_byte(scan, end + 1)))
            return end;
    }
    return 0;
}

static gsize scan_quotes(const Scan *scan)
{
    gsize end = scan->deep < QUOTES_DEEP ? quotes_end(scan) : 0;
    g_autofree char *before = NULL;
    g_autoptr(GString) after = g_string_new(NULL);

    if (end == 0)
        return 0;
    before = g_strndup(scan->text + scan->at + 1, end - scan->at - 1);
    scan_text(scan->redactor, before, strlen(before), scan->deep + 1, after);
    /* A path that is as it was is known from front to back. */
    if (strcmp(before, after->str) == 0 && before[0] != '/' && !word_stays(scan->redactor, before))
        g_string_assign(after, REDACTED);
    g_string_append_printf(scan->out, "%c%s%c", scan->text[scan->at], after->str, scan->text[end]);
    return end + 1 - scan->at;
}

/* --------------------------------------------------------------------------------------------- text */

static gsize scan_pattern(const Scan *scan)
{
    return redact_pattern(scan->redactor, scan->text, scan->length, scan->at, scan->out);
}

/* Whether what stands there is the rest of a URI's scheme: "+ssh://". */
static gboolean ends_scheme(const Scan *scan, gsize at)
{
    while (g_ascii_isalnum(scan_byte(scan, at)) || scan_byte(scan, at) == '+')
        at++;
    return scan->length - at >= 3 && strncmp(scan->text + at, "://", 3) == 0;
}

static gsize scan_known(const Scan *scan)
{
    const RedactKnown *known = redact_find_known(scan->redactor, scan->text, scan->length, scan->at);

    if (!known || ends_scheme(scan, scan->at + known->length))
        return 0;
    g_string_append(scan->out, known->token);
    return known->length;
}

static void scan_text(Redactor *redactor, const char *text, gsize length, guint deep, GString *out)
{
    static gsize (*const scans[])(const Scan *scan) = {
        scan_quotes, scan_uri, scan_path, scan_pattern, scan_known,
    };
    Scan scan = {.redactor = redactor, .text = text, .length = length, .deep = deep, .out = out};

    while (scan.at < length) {
        gsize taken = 0;

        for (gsize i = 0; i < G_N_ELEMENTS(scans) && taken == 0; i++)
            taken = scans[i](&scan);
        if (taken == 0)
            g_string_append_c(out, text[scan.at]);
        scan.at += MAX(taken, 1);
    }
}

char *redact_text(Redactor *redactor, const char *text)
{
    GString *out;

    if (!text)
        return NULL;
    out = g_string_new(NULL);
    scan_text(redactor, text, strlen(text), 0, out);
    return g_string_free(out, FALSE);
}
