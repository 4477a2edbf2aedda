/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redact-private.h"

#include <string.h>

/* What an address, a MAC or a UUID looks like in text. Each looker says how many bytes it took, 0 for none.
 */

typedef struct {
    Redactor *redactor;
    const char *text; /* not NUL-terminated */
    gsize length, at;
    GString *out;
} Look;

static char look_byte(const Look *look, gsize at)
{
    return (char)(at < look->length ? look->text[at] : '\0');
}

static char look_before(const Look *look)
{
    return (char)(look->at > 0 ? look->text[look->at - 1] : '\0');
}

/* Length of the run of these bytes from at on. */
static gsize run_length(const Look *look, gsize at, const char *bytes)
{
    gsize end = at;

    while (end < look->length && look->text[end] && strchr(bytes, look->text[end]))
        end++;
    return end - at;
}

#define DIGITS "0123456789"
#define XDIGITS DIGITS "abcdefABCDEF"

static char *look_copy(const Look *look, gsize length)
{
    return g_strndup(look->text + look->at, length);
}

/* A decimal number up to most, of at most three digits, with no other digit behind it. Its length; 0: none.
 */
static gsize number_at(const Look *look, gsize at, guint most, guint *number)
{
    gsize digits = run_length(look, at, DIGITS);

    *number = 0;
    if (digits == 0 || digits > 3)
        return 0;
    for (gsize i = 0; i < digits; i++)
        *number = *number * 10 + (guint)(look->text[at + i] - '0');
    return *number <= most ? digits : 0;
}

/* --------------------------------------------------------------------------------------- hexadecimal */

#define UUID_TEXT 36
#define UUID_DIGITS 32
#define MAC_DIGITS 12

static gsize look_uuid(const Look *look)
{
    g_autofree char *text = NULL;
    g_autofree char *token = NULL;

    if (look->length - look->at < UUID_TEXT)
        return 0;
    text = look_copy(look, UUID_TEXT);
    if (!g_uuid_string_is_valid(text))
        return 0;
    token = redact_uuid(look->redactor, text);
    g_string_append(look->out, token);
    return UUID_TEXT;
}

static void put_mac(const Look *look, const char *digits, const char *between)
{
    Mac mac;

    for (gsize i = 0; i < sizeof(mac.bytes); i++, digits += 2)
        mac.bytes[i] = (guint8)(g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1]));
    redact_mac(look->redactor, &mac);
    for (gsize i = 0; i < sizeof(mac.bytes); i++)
        g_string_append_printf(look->out, "%s%02x", i ? between : "", mac.bytes[i]);
}

/* A UUID or a MAC as one word of digits, as systemd's machine ids and names of devices have them. */
static gsize look_digits(const Look *look)
{
    gsize digits = run_length(look, look->at, XDIGITS);
    g_autofree char *text = NULL;
    g_autofree char *token = NULL;

    if (g_ascii_isalnum(look_before(look)) || g_ascii_isalnum(look_byte(look, look->at + digits)))
        return 0;
    if (digits == MAC_DIGITS) {
        put_mac(look, look->text + look->at, "");
        return digits;
    }
    if (digits != UUID_DIGITS)
        return 0;
    text =
        g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", look->text + look->at, look->text + look->at + 8,
                        look->text + look->at + 12, look->text + look->at + 16, look->text + look->at + 20);
    token = redact_uuid(look->redactor, text);
    for (const char *byte = token; *byte; byte++)
        g_string_append_len(look->out, byte, *byte != '-');
    return digits;
}

/* A MAC with ':' or '-' in it, wherever it stands. */
static gsize look_mac(const Look *look)
{
    char between[2] = {look_byte(look, look->at + 2), '\0'};
    char digits[MAC_DIGITS + 1] = "";

    if (*between != ':' && *between != '-')
        return 0;
    for (gsize i = 0; i < sizeof(((Mac *)NULL)->bytes); i++) {
        gsize at = look->at + 3 * i;

        if (run_length(look, at, XDIGITS) < 2 || (i > 0 && look_byte(look, at - 1) != *between))
            return 0;
        memcpy(digits + 2 * i, look->text + at, 2);
    }
    put_mac(look, digits, between);
    return MAC_TEXT - 1;
}

/* Number of groups "xx:" of exactly two digits in the run that begins here. */
static gsize count_octets(const Look *look, gsize run)
{
    gsize count = 0;

    for (gsize at = look->at; at < look->at + run; at += 3) {
        if (run_length(look, at, XDIGITS) != 2)
            break;
        count++;
        if (look_byte(look, at + 2) != ':')
            break;
    }
    return count;
}

/* Six octets and more with ':' between them: a MAC, or the id of a DHCP client. */
static gsize put_octets(const Look *look, gsize count)
{
    gsize length = 3 * count - 1;
    g_autofree char *text = look_copy(look, length);
    g_autofree char *token = NULL;
    Mac mac;

    if (mac_parse(text, &mac)) {
        redact_mac(look->redactor, &mac);
        token = mac_to_string(&mac);
    } else {
        token = redact_client_id(look->redactor, text);
    }
    g_string_append(look->out, token);
    return length;
}

/* ------------------------------------------------------------------------------------------ networks */

/* The prefix that stands behind an address as "/24" or "/255.255.255.0"; all bits where none does. */
static guint8 prefix_at(const Look *look, gsize at, const Ip *ip)
{
    gsize run = look_byte(look, at) == '/' ? run_length(look, at + 1, DIGITS ".") : 0;
    g_autofree char *text = g_strndup(look->text + MIN(at + 1, look->length), run);
    g_autofree char *address = ip_to_string(ip);
    IpNet net;

    /* The end of a sentence. */
    while (run > 0 && text[run - 1] == '.')
        text[--run] = '\0';
    if (run > 0 && (ipnet_from_xml(address, NULL, text, &net) || ipnet_from_xml(address, text, NULL, &net)))
        return net.prefix;
    return (guint8)ip_bits(ip);
}

/* Puts an address that took so many bytes. What stands behind it stays. */
static gsize put_ip(const Look *look, Ip ip, gsize length)
{
    IpNet net = {.ip = ip, .prefix = prefix_at(look, look->at + length, &ip)};
    char text[IP_TEXT];

    redact_net(look->redactor, &net);
    g_string_append(look->out, ip_format(&net.ip, text));
    return length;
}

/* The device behind "%". */
static gsize put_zone(const Look *look, gsize length)
{
    gsize end = look->at + length + 1;
    g_autofree char *zone = NULL;
    g_autofree char *token = NULL;

    if (look_byte(look, end - 1) != '%')
        return length;
    while (g_ascii_isalnum(look_byte(look, end)) || (look_byte(look, end) && strchr("_.-", look->text[end])))
        end++;
    zone = g_strndup(look->text + look->at + length + 1, end - look->at - length - 1);
    token = redact_device(look->redactor, zone, '\0');
    g_string_append_printf(look->out, "%%%s", token);
    return end - look->at;
}

/* The longest beginning of the run, up to the end of a group, that is an IPv6 address. */
static gsize look_ip6(const Look *look, gsize run)
{
    for (gsize length = MIN(run, IP_TEXT - 1); length >= 2; length--) {
        g_autofree char *text = NULL;
        Ip ip;

        if (g_ascii_isxdigit(look->text[look->at + length - 1]) &&
            g_ascii_isxdigit(look_byte(look, look->at + length)))
            continue;
        text = look_copy(look, length);
        if (ip_parse(text, &ip) && ip.family == 6)
            return put_zone(look, put_ip(look, ip, length));
    }
    return 0;
}

/* A run of digits and colons: octets, or an IPv6 address. */
static gsize look_colons(const Look *look)
{
    gsize run = run_length(look, look->at, XDIGITS ":");
    gsize octets = count_octets(look, run);
    gsize taken;

    if (g_ascii_isxdigit(look_before(look)) || !memchr(look->text + look->at, ':', run))
        return 0;
    /* "std::string" is none. */
    if (g_ascii_isalnum(look_before(look)) && strcspn(look->text + look->at, DIGITS) >= run)
        return 0;
    if (octets >= sizeof(((Mac *)NULL)->bytes) && 3 * octets - 1 == run)
        return put_octets(look, octets);
    taken = look_ip6(look, run_length(look, look->at, XDIGITS ":."));
    if (taken == 0 && octets >= sizeof(((Mac *)NULL)->bytes))
        taken = put_octets(look, octets);
    return taken;
}

/* An IPv4 address, also with '-' as in the names that providers give to hosts. */
static gsize look_ip4(const Look *look)
{
    Ip ip = {.family = 4};
    gsize at = look->at;
    char between = '\0';

    if (g_ascii_isdigit(look_before(look)))
        return 0;
    for (guint i = 0; i < 4; i++) {
        guint number;
        gsize digits = number_at(look, at, G_MAXUINT8, &number);

        if (digits == 0 || (i > 0 && i < 3 && look_byte(look, at + digits) != between))
            return 0;
        if (i == 0)
            between = look_byte(look, at + digits);
        ip.bytes[i] = (guint8)number;
        at += digits + (i < 3);
    }
    if (between == '.')
        return put_ip(look, ip, at - look->at);
    if (between != '-')
        return 0;
    redact_ip(look->redactor, &ip);
    g_string_append_printf(look->out, "%u-%u-%u-%u", ip.bytes[0], ip.bytes[1], ip.bytes[2], ip.bytes[3]);
    return at - look->at;
}

/* ------------------------------------------------------------------------------------- reverse zones */

static gboolean follows(const Look *look, gsize at, const char *word)
{
    gsize length = strlen(word);

    return look->length - at >= length && g_ascii_strncasecmp(look->text + at, word, length) == 0;
}

/* The labels, last first, as the front of an address; each of so many bits. FALSE if they are none. */
static gboolean labels_parse(char **labels, guint bits, IpNet *net)
{
    guint count = g_strv_length(labels);
    guint base = bits == 8 ? 10 : 16;

    if (count == 0 || count * bits > ip_bits(&net->ip))
        return FALSE;
    for (guint i = 0; i < count; i++) {
        guint64 number;

        if (!g_ascii_string_to_unsigned(labels[count - 1 - i], base, 0, (1U << bits) - 1, &number, NULL))
            return FALSE;
        net->ip.bytes[i * bits / 8] |= (guint8)(number << (bits == 4 && i % 2 == 0 ? 4 : 0));
    }
    net->prefix = (guint8)(count * bits);
    return TRUE;
}

static void labels_put(GString *out, const IpNet *net, guint bits)
{
    for (guint i = net->prefix / bits; i-- > 0;) {
        guint8 byte = net->ip.bytes[i * bits / 8];

        if (bits == 8)
            g_string_append_printf(out, "%u.", byte);
        else
            g_string_append_printf(out, "%x.", (guint)(i % 2 == 0 ? byte >> 4 : byte & 0xf));
    }
}

/* "122.168.192" of 122.168.192.in-addr.arpa: the address of a network, back to front. */
static gsize look_reverse(const Look *look)
{
    gsize run = run_length(look, look->at, XDIGITS ".");
    gboolean ip4 = follows(look, look->at + run, "in-addr.arpa");
    IpNet net = {.ip = {.family = ip4 ? 4 : 6}};
    g_autofree char *text = NULL;
    g_auto(GStrv) labels = NULL;

    if (g_ascii_isalnum(look_before(look)) || run < 2 || look->text[look->at + run - 1] != '.' ||
        (!ip4 && !follows(look, look->at + run, "ip6.arpa")))
        return 0;
    text = look_copy(look, run - 1);
    labels = g_strsplit(text, ".", -1);
    if (!labels_parse(labels, ip4 ? 8 : 4, &net))
        return 0;
    redact_net(look->redactor, &net);
    labels_put(look->out, &net, ip4 ? 8 : 4);
    return run;
}

/* ------------------------------------------------------------------------------------------ all of them */

gsize redact_pattern(Redactor *redactor, const char *text, gsize length, gsize at, GString *out)
{
    static gsize (*const looks[])(const Look *look) = {
        look_uuid, look_reverse, look_colons, look_mac, look_ip4, look_digits,
    };
    const Look look = {.redactor = redactor, .text = text, .length = length, .at = at, .out = out};

    if (!g_ascii_isxdigit(text[at]) && text[at] != ':')
        return 0;
    for (gsize i = 0; i < G_N_ELEMENTS(looks); i++) {
        gsize taken = looks[i](&look);

        if (taken > 0)
            return taken;
    }
    return 0;
}

/* "a-b", both of one family. NULL if it is none. */
static char *range_address(Redactor *redactor, const char *word)
{
    const char *dash = strchr(word, '-');
    g_autofree char *front = dash ? g_strndup(word, (gsize)(dash - word)) : NULL;
    char texts[2][IP_TEXT];
    Ip first, last;

    if (!dash || !ip_parse(front, &first) || !ip_parse(dash + 1, &last) || first.family != last.family)
        return NULL;
    redact_range(redactor, &first, &last);
    return g_strdup_printf("%s-%s", ip_format(&first, texts[0]), ip_format(&last, texts[1]));
}

char *redact_address(Redactor *redactor, const char *word)
{
    char *range = range_address(redactor, word);
    g_autoptr(GString) out = g_string_new(NULL);
    gsize length = strlen(word);
    gboolean found = FALSE;

    if (range)
        return range;
    for (gsize at = 0; at < length;) {
        gsize taken = redact_pattern(redactor, word, length, at, out);

        found |= taken > 0;
        if (taken == 0 && !strchr(DIGITS ".:/-,[]", word[at]))
            return NULL;
        if (taken == 0)
            g_string_append_c(out, word[at]);
        at += MAX(taken, 1);
    }
    return found ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}
