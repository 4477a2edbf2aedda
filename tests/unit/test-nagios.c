/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "views/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The forms of a host's health, byte for byte, with names that bite. */

typedef void (*Write)(FILE *out, const Health *health, const ViewContext *view);

static char *written(Write write, const Health *health, gboolean color)
{
    const ViewContext view = {.utf8 = TRUE, .color = color};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    char *copy;

    write(out, health, &view);
    fclose(out);
    copy = g_strdup(text);
    free(text);
    return copy;
}

static void assert_written(Write write, const Health *health, const char *expected)
{
    g_autofree char *text = written(write, health, FALSE);

    g_assert_cmpstr(text, ==, expected);
}

static void add_value(Health *health, const char *id, const char *label, gint percent, const char *warning)
{
    HealthValue *value = health_value_new(id, label, percent);

    g_assert_true(range_parse(warning, &value->warning, NULL));
    g_assert_true(range_parse("94", &value->critical, NULL));
    g_ptr_array_add(health->values, value);
}

static Finding *add(Health *health, const char *id, Level level, const char *message)
{
    Finding *finding = finding_new(id, level, OBJECT_HOST, "host");

    g_ptr_array_add(health->findings, finding);
    return finding_remedy(finding_message(finding, "%s", message), "mend it");
}

static Health *healthy(void)
{
    Health *health = health_new();

    health->counts[LEVEL_OK] = 28;
    health->seconds = 0.034;
    add_value(health, "conntrack-full", NULL, 3, "79");
    add_value(health, "dhcp-pool-low", "default ipv4", -1, "@80:");
    health_finish(health);
    return health;
}

static Health *sick(void)
{
    Health *health = health_new();

    health->counts[LEVEL_OK] = 20;
    add(health, "nat-rules-missing", LEVEL_UNKNOWN, "the firewall was not read");
    add(health, "tap-down", LEVEL_WARNING, "tap|down");
    finding_evidence(
        finding_evidence(add(health, "dnsmasq-dead", LEVEL_CRITICAL, "no \x1b[1mdnsmasq\nat all"), "pid 7|8"),
        "a second");
    add(health, "forward-rules-missing", LEVEL_UNKNOWN, "the firewall was not read");
    add(health, "port-conflict", LEVEL_UNKNOWN, "sockets were not read");
    add(health, "lease-orphaned", LEVEL_OK, "a lease");
    add_value(health, "dhcp-pool-low", "it's|a=b", 81, "79");
    health_finish(health);
    return health;
}

static void test_text(void)
{
    g_autoptr(Health) well = healthy();
    g_autoptr(Health) ill = sick();

    assert_written(health_text, well, "ok: 28 checks found nothing\n");
    assert_written(health_text, ill,
                   "critical: dnsmasq-dead: no \\x1b[1mdnsmasq\\x0aat all\n"
                   "    pid 7|8\n"
                   "    a second\n"
                   "  try: mend it\n"
                   "warning: tap-down: tap|down\n"
                   "  try: mend it\n"
                   "unknown: forward-rules-missing, nat-rules-missing: the firewall was not read\n"
                   "  try: mend it\n"
                   "unknown: port-conflict: sockets were not read\n"
                   "  try: mend it\n"
                   "ok: lease-orphaned: a lease\n"
                   "  try: mend it\n"
                   "critical: 1 critical, 1 warning, 3 unknown, 20 ok\n");
    well->counts[LEVEL_OK] = 1;
    assert_written(health_text, well, "ok: 1 check found nothing\n");
}

static void test_color(void)
{
    g_autoptr(Health) ill = sick();
    g_autofree char *text = written(health_text, ill, TRUE);

    g_assert_true(g_str_has_prefix(text, "\x1b[31mcritical\x1b[0m: dnsmasq-dead: no \\x1b[1m"));
    g_assert_nonnull(strstr(text, "\n\x1b[33mwarning\x1b[0m: tap-down"));
    g_assert_nonnull(strstr(text, "\n\x1b[35munknown\x1b[0m: "));
}

static void test_line(void)
{
    g_autoptr(Health) well = healthy();
    g_autoptr(Health) ill = sick();
    g_autoptr(Health) one = health_new();

    assert_written(health_line, well, "");
    assert_written(health_line, ill,
                   "vnat: critical: dnsmasq-dead: no \\x1b[1mdnsmasq\\x0aat all (and 4 more)\n");
    add(one, "tap-down", LEVEL_WARNING, "down");
    health_finish(one);
    assert_written(health_line, one, "vnat: warning: tap-down: down\n");
}

static void test_nagios(void)
{
    g_autoptr(Health) well = healthy();
    g_autoptr(Health) ill = sick();

    assert_written(
        health_nagios, well,
        "VNAT OK - 28 checks found nothing | 'conntrack-full'=3%;79;94;0;100 'dhcp-pool-low default "
        "ipv4'=U;@80:;94;0;100 critical=0;;;0 warning=0;;;0 unknown=0;;;0 time=0.034s;;;0\n");
    assert_written(
        health_nagios, ill,
        "VNAT CRITICAL - dnsmasq-dead: no \\x1b[1mdnsmasq\\x0aat all (and 4 more) | 'dhcp-pool-low "
        "it\\x27s\\x7ca\\x3db'=81%;79;94;0;100 critical=1;;;0 warning=1;;;0 unknown=3;;;0 "
        "time=0.000s;;;0\n"
        "CRITICAL dnsmasq-dead: no \\x1b[1mdnsmasq\\x0aat all\n"
        "  pid 7\\x7c8\n"
        "  a second\n"
        "  try: mend it\n"
        "WARNING tap-down: tap\\x7cdown\n"
        "  try: mend it\n"
        "UNKNOWN forward-rules-missing: the firewall was not read\n"
        "  try: mend it\n"
        "UNKNOWN nat-rules-missing: the firewall was not read\n"
        "  try: mend it\n"
        "UNKNOWN port-conflict: sockets were not read\n"
        "  try: mend it\n"
        "OK lease-orphaned: a lease\n"
        "  try: mend it\n");
}

/* Critical before warning before unknown, as a host with a fault is not only unknown. */
static void test_level(void)
{
    static const struct {
        Level levels[3];
        Level worst;
    } cases[] = {
        {{LEVEL_OK, LEVEL_OK, LEVEL_OK}, LEVEL_OK},
        {{LEVEL_OK, LEVEL_UNKNOWN, LEVEL_OK}, LEVEL_UNKNOWN},
        {{LEVEL_UNKNOWN, LEVEL_WARNING, LEVEL_OK}, LEVEL_WARNING},
        {{LEVEL_UNKNOWN, LEVEL_WARNING, LEVEL_CRITICAL}, LEVEL_CRITICAL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Health) health = health_new();

        for (guint j = 0; j < 3; j++)
            add(health, "tap-down", cases[i].levels[j], "x");
        health_finish(health);
        health_finish(health);
        g_assert_cmpint(health->level, ==, cases[i].worst);
        g_assert_cmpuint(health->counts[LEVEL_OK], ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/health/text", test_text);
    g_test_add_func("/health/color", test_color);
    g_test_add_func("/health/line", test_line);
    g_test_add_func("/health/nagios", test_nagios);
    g_test_add_func("/health/level", test_level);
    return g_test_run();
}
