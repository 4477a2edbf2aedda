/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "world.h"

#include <string.h>

/* What `vnat check` says of a host: faults that need more than facts and map, and what could not be told. */

static Health *examine(const Facts *facts, const CheckScope *scope)
{
    static const CheckScope usual = {.grace = CHECK_GRACE};
    g_autoptr(Map) map = map_join(facts);

    return checks_examine(scope ? scope : &usual, facts, map);
}

/* "level id object: message" a line. */
static char *health_lines(const Health *health)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < health->findings->len; i++) {
        const Finding *finding = health->findings->pdata[i];

        g_assert_nonnull(finding->remedy);
        g_string_append_printf(text, "%s %s %s: %s\n", level_name(finding->level), finding->id,
                               finding->object, finding->message);
    }
    return g_string_free(text, FALSE);
}

static void assert_health(const Facts *facts, const CheckScope *scope, const char *expected)
{
    g_autoptr(Health) health = examine(facts, scope);
    g_autofree char *text = health_lines(health);

    g_assert_cmpstr(text, ==, expected);
}

/* A host on which everything works, with firewalld, and the kernel's settings are known. */
static Facts *good_host(void)
{
    Facts *facts = world_host();

    source_status_set(&facts->sources[SOURCE_FIREWALLD], SOURCE_LIVE, NULL);
    g_ptr_array_add(facts->zones, firewalld_zone_new("virbr0", "libvirt"));
    g_ptr_array_add(facts->zones, firewalld_zone_new("virbr1", "libvirt"));
    g_ptr_array_add(facts->proc, proc_value_new("sys/net/netfilter/nf_conntrack_count", "10"));
    g_ptr_array_add(facts->proc, proc_value_new("sys/net/netfilter/nf_conntrack_max", "1000"));
    g_ptr_array_add(facts->proc, proc_value_new("sys/net/ipv4/ip_forward", "1"));
    return facts;
}

static Finding *only(const Health *health, const char *id)
{
    g_assert_cmpuint(health->findings->len, ==, 1);
    return (Finding *)(gpointer)world_finding(health->findings, id);
}

static char *evidence_of(const Finding *finding)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < finding->evidence->len; i++)
        g_string_append_printf(text, "%s\n", (const char *)finding->evidence->pdata[i]);
    return g_string_free(text, FALSE);
}

static void assert_only(const Facts *facts, const CheckScope *scope, const char *line, const char *evidence,
                        const char *remedy)
{
    g_autoptr(Health) health = examine(facts, scope);
    g_autofree char *text = health_lines(health);
    g_autofree char *seen = NULL;

    g_assert_cmpstr(text, ==, line);
    seen = evidence_of(health->findings->pdata[0]);
    g_assert_cmpstr(seen, ==, evidence);
    g_assert_cmpstr(((Finding *)health->findings->pdata[0])->remedy, ==, remedy);
}

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* ------------------------------------------------------------------------------------------ the whole */

static guint usual_checks(void)
{
    guint count, usual = 0;
    const Check *table = check_table(&count);

    for (guint i = 0; i < count; i++) {
        const CheckSpecial *special = check_special(table[i].id);

        usual += !special || (!special->lists && !special->named && !special->probed);
    }
    return usual;
}

static void test_healthy(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(Health) health = examine(facts, NULL);
    g_autofree char *text = health_lines(health);

    g_assert_cmpstr(text, ==, "");
    g_assert_cmpint(health->level, ==, LEVEL_OK);
    g_assert_cmpuint(health->counts[LEVEL_OK], ==, usual_checks());
    g_assert_cmpuint(health->counts[LEVEL_UNKNOWN], ==, 0);
}

/* Of each source that is missing: every check that needs it, once, and no other; and none of them is ok. */
static void test_sources_down(void)
{
    for (guint id = 0; id < SOURCE_COUNT; id++) {
        g_autoptr(Facts) facts = good_host();
        g_autoptr(Health) health = NULL;
        guint needed = 0, count;
        const Check *table = check_table(&count);

        source_status_set(&facts->sources[id], SOURCE_DOWN, "because");
        health = examine(facts, NULL);
        for (guint i = 0; i < count; i++) {
            const CheckSpecial *special = check_special(table[i].id);

            if ((table[i].needs & (1U << id)) &&
                !(special && (special->lists || special->named || special->probed)))
                needed++;
        }
        for (guint i = 0; i < health->findings->len; i++) {
            const Finding *finding = health->findings->pdata[i];

            g_assert_cmpint(finding->level, ==, LEVEL_UNKNOWN);
            g_assert_cmpint(finding->kind, ==, OBJECT_HOST);
            g_assert_cmpstr(finding->object, ==, "host");
            world_finding(health->findings, finding->id);
        }
        /* firewalld's own check needs no facts of it to say that there are none. */
        needed += id == SOURCE_FIREWALLD;
        g_assert_cmpuint(health->counts[LEVEL_UNKNOWN], >=, needed);
        g_assert_cmpuint(health->counts[LEVEL_UNKNOWN] + health->counts[LEVEL_OK], ==, usual_checks());
        g_assert_cmpint(health->level, ==, needed ? LEVEL_UNKNOWN : LEVEL_OK);
    }
}

static void test_firewall_denied(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(Health) health = NULL;
    const Finding *finding;

    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN,
                      "reading the packet filter needs CAP_NET_ADMIN");
    health = examine(facts, NULL);
    finding = world_finding(health->findings, "nat-rules-missing");
    g_assert_cmpstr(finding->message, ==,
                    "the firewall was not read: reading the packet filter needs CAP_NET_ADMIN");
    g_assert_cmpstr(finding->remedy, ==, "sudo vnat check");
}

/* A part that was read may show a fault; that it shows none is no proof. */
static void test_partly(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE, .ids = (const char *const[]){"duplicate-address", NULL}};

    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_STALE, "a part");
    assert_health(facts, &scope, "unknown duplicate-address host: leases were read only in part: a part\n");
    world_neighbour(facts, 10, "192.168.122.11", "52:54:00:00:00:77", NEIGHBOUR_REACHABLE);
    assert_health(facts, &scope,
                  "critical duplicate-address vnet0: 192.168.122.11 is claimed by two MACs\n"
                  "unknown duplicate-address host: leases were read only in part: a part\n");
}

/* A domain that could not be read is missed by the checks of interfaces, not by those of networks. */
static void test_domain_unread(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE,
                        .ids = (const char *const[]){"tap-orphaned", "network-inactive", NULL}};
    Domain *domain = facts->domains->pdata[1];

    domain->xml_read = FALSE;
    domain->xml_error = g_strdup("it hangs");
    facts->domains_complete = FALSE;
    source_status_set(&facts->sources[SOURCE_LIBVIRT], SOURCE_STALE, "x");
    assert_health(facts, &scope,
                  "unknown tap-orphaned host: libvirt was read only in part: domain 'VM2': it hangs\n");
}

static void test_sockets_of_others(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE,
                        .ids = (const char *const[]){"dnsmasq-not-listening", "port-conflict", NULL}};

    for (guint i = 0; i < facts->sockets->len; i++)
        ((Socket *)facts->sockets->pdata[i])->pid = 0;
    facts->socket_owners_known = FALSE;
    assert_health(
        facts, &scope,
        "unknown dnsmasq-not-listening host: to see whose sockets those on ports 53 and 67 are takes "
        "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH\n"
        "unknown port-conflict host: to see whose sockets those on ports 53 and 67 are takes CAP_SYS_PTRACE "
        "and CAP_DAC_READ_SEARCH\n");
}

static void test_dnsmasq_unknown(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE, .ids = (const char *const[]){"dnsmasq-dead", NULL}};

    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->unknown = TRUE;
    assert_health(facts, &scope,
                  "unknown dnsmasq-dead host: the process of network default's dnsmasq cannot be told\n");
}

/* What is unknown is told by `vnat check` alone. */
static void test_run_is_silent(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autofree char *text = NULL;

    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->unknown = TRUE;
    facts->socket_owners_known = FALSE;
    ((Domain *)facts->domains->pdata[0])->started = 0;
    g_ptr_array_set_size(facts->leases, 0);
    g_array_set_size(facts->neighbours, 0);
    source_status_set(&facts->sources[SOURCE_FIREWALLD], SOURCE_DOWN, "x");
    ((Domain *)facts->domains->pdata[1])->started = 0;
    text = world_findings(facts);
    g_assert_cmpstr(text, ==, "");
}

/* ------------------------------------------------------------------------------------------ the scope */

static void test_scope_networks(void)
{
    g_autoptr(Facts) facts = good_host();
    Network *lab = facts_network(facts, "lab");
    CheckScope by_name = {.grace = CHECK_GRACE, .networks = (const char *const[]){"lab", NULL}};
    CheckScope by_uuid = {.grace = CHECK_GRACE, .networks = (const char *const[]){lab->uuid, NULL}};
    g_autoptr(Health) health = NULL;

    facts_network(facts, "default")->autostart = FALSE;
    facts_link(facts, 11)->flags = 0;
    assert_health(facts, &by_name, "");
    lab->autostart = FALSE;
    assert_health(facts, &by_name,
                  "warning network-no-autostart lab: network lab does not start with the host\n");
    assert_health(facts, &by_uuid,
                  "warning network-no-autostart lab: network lab does not start with the host\n");
    health = examine(facts, &by_name);
    /* network-missing is asked too. */
    g_assert_cmpuint(health->counts[LEVEL_OK], ==, usual_checks());
}

static void set_proc(Facts *facts, const char *path, const char *value)
{
    for (guint i = 0; i < facts->proc->len; i++) {
        if (strcmp(((ProcValue *)facts->proc->pdata[i])->path, path) == 0)
            g_ptr_array_remove_index(facts->proc, i);
    }
    g_ptr_array_add(facts->proc, proc_value_new(path, value));
}

/* What the host does to others' packets is no concern of who asks about lab. */
static void test_scope_host(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope lab = {.grace = CHECK_GRACE, .networks = (const char *const[]){"lab", NULL}};
    CheckScope both = {.grace = CHECK_GRACE, .networks = (const char *const[]){"lab", "default", NULL}};

    set_proc(facts, "sys/net/ipv4/conf/virbr0/forwarding", "0");
    assert_health(facts, &lab, "");
    assert_health(facts, &both,
                  "critical ip-forward-off host: this host forwards no IPv4 packets that come from bridge "
                  "virbr0 of network default\n");
    set_proc(facts, "sys/net/ipv4/ip_forward", "0");
    assert_health(facts, &lab, ""); /* it is isolated */
    assert_health(facts, &both,
                  "critical ip-forward-off host: this host forwards no IPv4 packets: guests of default reach "
                  "no other host\n");
    /* Of those that need it only the named are told. */
    replace(&facts_network(facts, "lab")->forward, "route");
    assert_health(facts, &lab,
                  "critical ip-forward-off host: this host forwards no IPv4 packets: guests of lab reach no "
                  "other host\n"
                  "critical forward-rules-missing lab: rules that let packets of network lab through this "
                  "host are missing\n");
}

/* Nor is what cannot be told of others. */
static void test_scope_unknown(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope lab = {.grace = CHECK_GRACE, .networks = (const char *const[]){"lab", NULL}};
    CheckScope both = {.grace = CHECK_GRACE, .networks = (const char *const[]){"lab", "default", NULL}};

    facts_network(facts, "default")->leases_unread = TRUE;
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_STALE, "a part");
    assert_health(facts, &lab, "");
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_LIVE, NULL);
    facts_network(facts, "default")->leases_unread = FALSE;
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->unknown = TRUE;
    assert_health(facts, &lab, "");
    assert_health(facts, &both,
                  "unknown dnsmasq-dead host: the process of network default's dnsmasq cannot be told\n"
                  "unknown dnsmasq-not-listening host: the sockets on ports 53 and 67 cannot be told\n");
}

static void test_scope_ids(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE, .ids = (const char *const[]){"tap-down", NULL}};
    g_autoptr(Health) health = examine(facts, &scope);

    facts_network(facts, "default")->autostart = FALSE;
    g_assert_cmpuint(health->counts[LEVEL_OK], ==, 1);
    assert_health(facts, &scope, "");
    facts_link(facts, 11)->flags = 0;
    assert_health(facts, &scope, "warning tap-down vnet0: VM1's tap vnet0 is down\n");
}

static void test_inactive_named(void)
{
    g_autoptr(Facts) facts = world_new();
    Network *network = world_network(facts, "one", "nat", "virbr0");
    const char *const ids[] = {"network-inactive", NULL};
    CheckScope named = {.networks = (const char *const[]){"one", NULL}, .ids = ids};
    CheckScope all = {.ids = ids};

    network->active = network->autostart = FALSE;
    assert_health(facts, &all, "warning network-inactive one: network one is not active\n");
    assert_health(facts, &named, "critical network-inactive one: network one is not active\n");
}

/* ------------------------------------------------------------------------------------ host and libvirt */

static void test_unreachable(void)
{
    static const struct {
        VnatError code;
        const char *cause, *message, *evidence;
    } cases[] = {
        {VNAT_ERROR_UNREACHABLE,
         "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory",
         "libvirt cannot be reached: nothing listens on its socket",
         "connection qemu:///system\n"
         "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory\n"},
        {VNAT_ERROR_UNREACHABLE, "Failed to connect socket to '/s': Permission denied",
         "libvirt does not let this user in",
         "connection qemu:///system\nsocket /run/libvirt/libvirt-sock\nFailed to connect socket to '/s': "
         "Permission denied\n"},
        {VNAT_ERROR_DEADLINE, "no answer", "libvirt does not answer: its daemon hangs or is stopped",
         "connection qemu:///system\nsocket /run/libvirt/libvirt-sock\nno answer\n"},
        {VNAT_ERROR_UNREACHABLE, "odd", "libvirt cannot be reached",
         "connection qemu:///system\nsocket /run/libvirt/libvirt-sock\nodd\n"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = world_new();
        g_autoptr(GError) error = NULL;
        g_autofree char *line = g_strdup_printf("critical libvirt-unreachable host: %s\n", cases[i].message);
        CheckScope scope = {.socket = "/run/libvirt/libvirt-sock",
                            .ids = (const char *const[]){"libvirt-unreachable", NULL}};

        assert_health(facts, &scope, "");
        vnat_error_set(&error, cases[i].code, "%s", cases[i].cause);
        vnat_error_hint(&error, "systemctl start libvirtd");
        scope.unreachable = error;
        assert_only(facts, &scope, line, cases[i].evidence, "systemctl start libvirtd");
    }
}

/* Of another host: which one, by what, and a remedy that fits it; never a socket or a unit of this one. */
static void test_unreachable_far(void)
{
    static const char host_key[] =
        "Cannot recv data: Host key verification failed.: Connection reset by peer";
    static const char no_key[] =
        "Cannot recv data: root@h: Permission denied (publickey).: Connection reset by peer";
    static const struct {
        const char *uri;
        VnatError code;
        const char *cause, *message, *remedy;
    } cases[] = {
        {"qemu+tcp://h/system", VNAT_ERROR_DEADLINE, "no answer",
         "libvirt on h does not answer by tcp: that host, the way there or its daemon is down, or slow",
         "on that host: systemctl status libvirtd-tcp.socket virtproxyd-tcp.socket"},
        {"qemu+tcp://10.0.0.1:1/system", VNAT_ERROR_UNREACHABLE,
         "unable to connect to server at '10.0.0.1:1': Connection refused",
         "libvirt on 10.0.0.1 cannot be reached by tcp: nothing listens for it there",
         "on that host: systemctl status libvirtd-tcp.socket virtproxyd-tcp.socket"},
        {"qemu://h/system", VNAT_ERROR_UNREACHABLE,
         "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
         "libvirt on h cannot be reached by tls: a certificate is missing, or not accepted",
         "on that host: systemctl status libvirtd-tls.socket virtproxyd-tls.socket"},
        {"qemu+tcp://h/system", VNAT_ERROR_UNREACHABLE, "Unable to resolve address 'h' service '16509'",
         "libvirt on h cannot be reached by tcp: the name of that host leads to no address",
         "on that host: systemctl status libvirtd-tcp.socket virtproxyd-tcp.socket"},
        {"qemu+tcp://[fd00::1]/system", VNAT_ERROR_UNREACHABLE, "unable to connect: No route to host",
         "libvirt on fd00::1 cannot be reached by tcp: there is no way to that host",
         "on that host: systemctl status libvirtd-tcp.socket virtproxyd-tcp.socket"},
        {"qemu+ssh://root@h:2222/system", VNAT_ERROR_UNREACHABLE, host_key,
         "libvirt on h cannot be reached by ssh: ssh does not know the key of that host",
         "ssh -p 2222 root@h virsh -c qemu:///system version"},
        {"qemu+ssh://h/system", VNAT_ERROR_UNREACHABLE, no_key,
         "libvirt on h does not let this user in by ssh", "ssh h virsh -c qemu:///system version"},
        {"qemu+libssh2://h/system", VNAT_ERROR_UNREACHABLE, "odd",
         "libvirt on h cannot be reached by libssh2", "ssh h virsh -c qemu:///system version"},
        {"qemu+ext://h/system", VNAT_ERROR_UNREACHABLE, "odd", "libvirt on h cannot be reached by ext",
         "virsh -c qemu+ext://h/system version"},
        {"test:///default", VNAT_ERROR_UNREACHABLE, "odd", "libvirt cannot be reached",
         "systemctl status libvirtd virtqemud"},
        {"no uri at all", VNAT_ERROR_UNREACHABLE, "odd", "libvirt cannot be reached",
         "systemctl status libvirtd virtqemud"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = world_new();
        g_autoptr(GError) error = NULL;
        g_autofree char *line = g_strdup_printf("critical libvirt-unreachable host: %s\n", cases[i].message);
        g_autofree char *evidence = g_strdup_printf("connection %s\n%s\n", cases[i].uri, cases[i].cause);
        CheckScope scope = {.socket = "/run/libvirt/libvirt-sock",
                            .ids = (const char *const[]){"libvirt-unreachable", NULL}};

        replace(&facts->uri, cases[i].uri);
        facts->local = FALSE;
        vnat_error_set(&error, cases[i].code, "%s", cases[i].cause);
        scope.unreachable = error;
        assert_only(facts, &scope, line, evidence, cases[i].remedy);
    }
}

/* The kernel's checks go on without libvirt, and what needs it leads to the same remedy. */
static void test_unreachable_others(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(GError) error = NULL;
    g_autoptr(Health) health = NULL;
    CheckScope scope = {.grace = CHECK_GRACE};

    vnat_error_set(&error, VNAT_ERROR_UNREACHABLE, "gone");
    vnat_error_hint(&error, "systemctl start libvirtd");
    scope.unreachable = error;
    source_status_set(&facts->sources[SOURCE_LIBVIRT], SOURCE_DOWN, "gone");
    replace(&((ProcValue *)facts->proc->pdata[0])->value, "990");
    health = examine(facts, &scope);
    g_assert_cmpint(health->level, ==, LEVEL_CRITICAL);
    g_assert_cmpint(world_finding(health->findings, "conntrack-full")->level, ==, LEVEL_CRITICAL);
    g_assert_cmpstr(world_finding(health->findings, "tap-missing")->message, ==,
                    "libvirt was not read: gone");
    g_assert_cmpstr(world_finding(health->findings, "tap-missing")->remedy, ==, "systemctl start libvirtd");
}

static void test_conntrack(void)
{
    static const struct {
        const char *count, *max, *line;
    } cases[] = {
        {"799", "1000", ""},         {"800", "1000", "warning"},   {"949", "1000", "warning"},
        {"950", "1000", "critical"}, {"5000", "1000", "critical"}, {"0", "0", ""},
        {"x", "1000", ""},           {NULL, "1000", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = world_new();
        g_autoptr(Health) health = NULL;
        CheckScope scope = {.ids = (const char *const[]){"conntrack-full", NULL}};

        g_ptr_array_add(facts->proc, proc_value_new("sys/net/netfilter/nf_conntrack_count", cases[i].count));
        g_ptr_array_add(facts->proc, proc_value_new("sys/net/netfilter/nf_conntrack_max", cases[i].max));
        health = examine(facts, &scope);
        if (!*cases[i].line) {
            g_assert_cmpuint(health->findings->len, ==, 0);
            continue;
        }
        g_assert_cmpstr(level_name(only(health, "conntrack-full")->level), ==, cases[i].line);
        g_assert_cmpstr(only(health, "conntrack-full")->remedy, ==,
                        "sysctl -w net.netfilter.nf_conntrack_max=2000");
    }
}

/* ------------------------------------------------------------------------------------------- networks */

static void test_missing(void)
{
    g_autoptr(Facts) facts = good_host();
    const char *const ids[] = {"network-missing", NULL};
    CheckScope scope = {.ids = ids, .networks = (const char *const[]){"defualt", "lab", NULL}};

    assert_only(facts, &scope, "critical network-missing defualt: network defualt is not defined\n",
                "there is a network default\n", "vnat net-start --template nat defualt");
    scope.networks = (const char *const[]){"nat", NULL};
    scope.templates = (const char *const[]){"default", "nat", NULL};
    assert_only(facts, &scope, "critical network-missing nat: network nat is not defined\n", "",
                "vnat net-start nat");
    replace(&facts->uri, "qemu:///session");
    assert_only(facts, &scope, "critical network-missing nat: network nat is not defined\n",
                "qemu:///session is a session, which has no NAT networks\n",
                "vnat -c qemu:///system check nat");
}

static void test_leases_unreadable(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.ids = (const char *const[]){"leases-unreadable", NULL}};
    Network *network = facts_network(facts, "default");

    network->leases_unread = TRUE;
    /* Nothing is wrong where a network was not asked. */
    assert_health(facts, &scope, "");
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_DOWN, "syntax");
    assert_only(facts, &scope,
                "warning leases-unreadable default: the leases of network default cannot be read\n",
                "syntax\nfile /var/lib/libvirt/dnsmasq/virbr0.status\n",
                "cp -p /var/lib/libvirt/dnsmasq/virbr0.status /var/lib/libvirt/dnsmasq/virbr0.status.bad && "
                "truncate -s 0 /var/lib/libvirt/dnsmasq/virbr0.status");
    /* Nor where libvirt did not answer: nobody is told to touch its file. */
    network->leases_late = TRUE;
    assert_health(
        facts, &scope,
        "unknown leases-unreadable host: libvirt did not tell the leases of network default in time\n");
    network->leases_unread = network->leases_late = FALSE;
    source_status_set(&facts->sources[SOURCE_LEASES], SOURCE_LIVE, NULL);
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->no_lease_file = TRUE;
    assert_only(facts, &scope,
                "warning leases-unreadable default: the leases of network default are gone with their file\n",
                "file /var/lib/libvirt/dnsmasq/virbr0.status\n",
                "touch /var/lib/libvirt/dnsmasq/virbr0.status");
    network->active = FALSE;
    assert_health(facts, &scope, "");
}

static void test_firewalld_zone(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.ids = (const char *const[]){"firewalld-zone", NULL}};
    Network *lab = facts_network(facts, "lab");
    FirewalldZone *zone = facts->zones->pdata[1];

    assert_health(facts, &scope, "");
    replace(&zone->zone, "public");
    assert_only(facts, &scope,
                "critical firewalld-zone lab: firewalld does not know bridge virbr1 as one of "
                "libvirt's\n",
                "zone of virbr1: public\nzone that it belongs to: libvirt\n",
                "firewall-cmd --zone=libvirt --change-interface=virbr1");
    replace(&lab->zone, "public");
    assert_health(facts, &scope, "");
    replace(&zone->zone, "libvirt");
    assert_only(facts, &scope,
                "critical firewalld-zone lab: firewalld does not know bridge virbr1 as one of "
                "libvirt's\n",
                "zone of virbr1: libvirt\nzone that it belongs to: public\n",
                "firewall-cmd --zone=public --change-interface=virbr1");
    replace(&lab->zone, NULL);
    replace(&lab->forward, "route");
    replace(&zone->zone, "libvirt-routed");
    assert_health(facts, &scope, "");
    g_ptr_array_set_size(facts->zones, 1);
    assert_only(facts, &scope,
                "critical firewalld-zone lab: firewalld does not know bridge virbr1 as one of "
                "libvirt's\n",
                "zone of virbr1: none, so the default one\nzone that it belongs to: libvirt\n",
                "firewall-cmd --zone=libvirt --change-interface=virbr1");
    replace(&lab->forward, "open");
    assert_health(facts, &scope, "");
    replace(&lab->forward, "nat");
    lab->active = FALSE;
    assert_health(facts, &scope, "");
}

/* That it does not run is no fault; that it could not be asked is none either, but not known. */
static void test_firewalld_off(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.ids = (const char *const[]){"firewalld-zone", NULL}};

    g_ptr_array_set_size(facts->zones, 0);
    source_status_set(&facts->sources[SOURCE_FIREWALLD], SOURCE_ABSENT, "does not run");
    assert_health(facts, &scope, "");
    source_status_set(&facts->sources[SOURCE_FIREWALLD], SOURCE_UNREAD, NULL);
    assert_health(facts, &scope, "unknown firewalld-zone host: firewalld was not asked\n");
    source_status_set(&facts->sources[SOURCE_FIREWALLD], SOURCE_DOWN, "Authorization failed.");
    assert_health(facts, &scope,
                  "unknown firewalld-zone host: firewalld was not asked: Authorization failed.\n");
}

/* --------------------------------------------------------------------------------------------- values */

static void fill_pool(Facts *facts, const char *network, guint count)
{
    for (guint i = 0; i < count; i++) {
        g_autofree char *mac = g_strdup_printf("52:54:00:00:07:%02x", i);
        g_autofree char *ip = g_strdup_printf("10.20.30.%u", 101 + i);

        world_lease(facts, network, mac, ip, 100);
    }
}

static Range *range_new(const char *text)
{
    Range *range = g_new0(Range, 1);

    g_assert_true(range_parse(text, range, NULL));
    return range;
}

static void test_limits(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(GHashTable) warning = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_autoptr(GHashTable) critical = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    CheckScope scope = {
        .ids = (const char *const[]){"dhcp-pool-low", NULL}, .warning = warning, .critical = critical};

    /* One lease there is, of 100. */
    fill_pool(facts, "lab", 49);
    assert_health(facts, &scope, "");
    g_hash_table_insert(warning, (gpointer) "dhcp-pool-low", range_new("50"));
    assert_health(facts, &scope, "");
    g_hash_table_insert(warning, (gpointer) "dhcp-pool-low", range_new("49"));
    assert_health(facts, &scope,
                  "warning dhcp-pool-low lab: DHCP range of network lab: 50 of 100 addresses are leased\n");
    g_hash_table_insert(critical, (gpointer) "dhcp-pool-low", range_new("@50:60"));
    assert_health(facts, &scope,
                  "critical dhcp-pool-low lab: DHCP range of network lab: 50 of 100 addresses are leased\n");
}

static void test_values(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(Health) health = NULL;
    GString *text = g_string_new(NULL);

    facts_network(facts, "lab")->leases_unread = TRUE;
    g_ptr_array_remove_range(facts->leases, 3, 1);
    health = examine(facts, NULL);
    for (guint i = 0; i < health->values->len; i++) {
        const HealthValue *value = health->values->pdata[i];

        g_string_append_printf(text, "%s %s %d\n", value->id, value->label ? value->label : "-",
                               value->percent);
    }
    g_assert_cmpstr(text->str, ==,
                    "conntrack-full - 1\n"
                    "dhcp-pool-low default ipv4 1\n"
                    "dhcp-pool-low lab ipv4 -1\n");
    g_assert_cmpstr(world_finding(health->findings, "dhcp-pool-low")->message, ==,
                    "the leases of network lab were not read");
    g_string_free(text, TRUE);
}

/* -------------------------------------------------------------------------------------- addresses */

static Domain *domain_of(Facts *facts, const char *name)
{
    for (guint i = 0; i < facts->domains->len; i++) {
        Domain *domain = facts->domains->pdata[i];

        if (strcmp(domain->name, name) == 0)
            return domain;
    }
    return NULL;
}

static void forget_addresses(Facts *facts)
{
    g_ptr_array_set_size(facts->leases, 0);
    g_array_set_size(facts->neighbours, 0);
    g_array_set_size(facts->fdb, 0);
    domain_of(facts, "VM2")->state = DOMAIN_PAUSED;
}

static void test_no_address(void)
{
    static const char line[] = "warning no-address vnet0: VM1 runs for 1h and has no address on default\n";
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE, .ids = (const char *const[]){"no-address", NULL}};

    assert_health(facts, &scope, "");
    forget_addresses(facts);
    assert_only(facts, &scope, line, "no frame seen from it on vnet0\n", "virsh console VM1");
    facts_link(facts, 11)->carrier = 0;
    assert_only(facts, &scope, line, "no carrier on vnet0: the guest has not enabled its interface\n",
                "virsh console VM1");
    facts_link(facts, 11)->carrier = 1;
    world_learn(facts, 11, 10, "52:54:00:00:00:01");
    assert_only(facts, &scope, line, "frames were seen on vnet0, but no DHCP lease was given\n",
                "virsh console VM1");
    world_neighbour(facts, 10, "fe80::1", "52:54:00:00:00:01", NEIGHBOUR_REACHABLE);
    assert_health(facts, &scope, line);
    world_neighbour(facts, 10, "192.168.122.9", "52:54:00:00:00:01", NEIGHBOUR_STALE);
    assert_health(facts, &scope, "");
}

static void test_no_address_when(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE, .ids = (const char *const[]){"no-address", NULL}};
    Domain *domain = domain_of(facts, "VM1");
    DomainInterface *nic = domain->interfaces->pdata[0];
    Network *network = facts_network(facts, "default");
    NetworkIp *ip = network->ips->pdata[0];

    forget_addresses(facts);
    domain->started = WORLD_NOW - 60;
    assert_health(facts, &scope, "");
    domain->started = WORLD_NOW - 61;
    assert_health(facts, &scope,
                  "warning no-address vnet0: VM1 runs for 1m1s and has no address on default\n");
    scope.grace = 61;
    assert_health(facts, &scope, "");
    scope.grace = 0;
    domain->started = 0;
    assert_health(facts, &scope,
                  "unknown no-address host: since when VM1, which has no address, runs cannot be told\n");
    domain->started = 1;
    network->leases_unread = TRUE;
    assert_health(facts, &scope, "unknown no-address host: the leases of network default were not read\n");
    network->leases_unread = FALSE;
    domain->state = DOMAIN_PAUSED;
    assert_health(facts, &scope, "");
    domain->state = DOMAIN_RUNNING;
    nic->link = LINK_DOWN;
    assert_health(facts, &scope, "");
    nic->link = LINK_UP;
    ip->dhcp = FALSE;
    assert_health(facts, &scope, "");
    ip->dhcp = TRUE;
    network->active = FALSE;
    assert_health(facts, &scope, "");
}

static void test_lease_orphaned(void)
{
    static const char line[] =
        "ok lease-orphaned 192.168.122.77: 192.168.122.77 on network default is leased to 52:54:00:00:00:77, "
        "which no defined domain has\n";
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.grace = CHECK_GRACE, .all = TRUE};
    g_autoptr(Health) health = NULL;

    /* VM4, which does not run, has this MAC. */
    world_lease(facts, "default", "52:54:00:00:00:04", "192.168.122.44", 100);
    assert_health(facts, &scope, "");
    world_lease(facts, "default", "52:54:00:00:00:77", "192.168.122.77", 100)->hostname = g_strdup("old");
    world_lease(facts, "default", "52:54:00:00:00:78", "192.168.122.78", -1);
    assert_only(facts, &scope, line, "hostname old\n", "vnat net-dhcp-leases default");
    health = examine(facts, &scope);
    g_assert_cmpint(health->level, ==, LEVEL_OK);
    g_assert_cmpuint(health->counts[LEVEL_OK], ==, usual_checks() + 1);
    assert_health(facts, NULL, "");
    scope.all = FALSE;
    scope.ids = (const char *const[]){"lease-orphaned", NULL};
    assert_health(facts, &scope, line);
}

/* ------------------------------------------------------------------------------------------------ MTU */

static void add_rule(Facts *facts, const char *words, const char *expr)
{
    FirewallTable *table = firewall_table_new(FIREWALL_IPTABLES_NFT, "ip", "mangle");
    FirewallChain *chain = firewall_chain_new("FORWARD");
    FirewallRule *rule = firewall_rule_new();

    rule->argv = words ? g_strsplit(words, " ", -1) : NULL;
    rule->expr = expr ? json_loads(expr, 0, NULL) : NULL;
    g_assert_true(!expr || rule->expr);
    g_ptr_array_add(chain->rules, rule);
    g_ptr_array_add(table->chains, chain);
    g_ptr_array_add(facts->firewall, table);
}

/* That no lease is known of says something only where they are known. */
static void test_unleased_unread(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.ids = (const char *const[]){"address-unleased", NULL}};
    Network *network = facts_network(facts, "default");

    world_learn(facts, 11, 10, "52:54:00:00:00:01");
    world_neighbour(facts, 10, "192.168.122.99", "52:54:00:00:00:01", NEIGHBOUR_REACHABLE);
    assert_health(
        facts, &scope,
        "warning address-unleased vnet0: VM1 uses 192.168.122.99 of default's DHCP range without a lease\n");
    network->leases_unread = TRUE;
    assert_health(facts, &scope, "");
    network->leases_unread = FALSE;
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->no_lease_file = TRUE;
    assert_health(facts, &scope, "");
}

static void test_egress_mtu(void)
{
    static const char line[] =
        "warning mtu-mismatch default: packets of network default may have 1500 bytes, "
        "but those that leave this host only 1420\n";
    static const struct {
        const char *words, *expr, *expected;
    } rules[] = {
        {"-p tcp -j ACCEPT", NULL, line},
        {"-o wg0 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu", NULL, ""},
        {NULL,
         "[{\"mangle\":{\"key\":{\"tcp option\":{\"name\":\"maxseg\",\"field\":\"size\"}},\"value\":{\"rt\":"
         "{\"key\":\"mtu\"}}}}]",
         ""},
        {NULL, "[{\"xt\":{\"type\":\"target\",\"name\":\"TCPMSS\"}}]", ""},
        {NULL, "[{\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":1}}]", line},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(Facts) facts = good_host();
        CheckScope scope = {.ids = (const char *const[]){"mtu-mismatch", NULL}};

        facts_link(facts, 3)->mtu = 1420;
        assert_health(facts, &scope, line);
        add_rule(facts, rules[i].words, rules[i].expr);
        assert_health(facts, &scope, rules[i].expected);
    }
}

/* A tap that differs from its bridge repair can set right, the way out it cannot. */
static void test_mtu_class(void)
{
    g_autoptr(Facts) facts = good_host();
    const CheckScope scope = {.ids = (const char *const[]){"mtu-mismatch", NULL}};

    facts_link(facts, 3)->mtu = 1420;
    facts_link(facts, 11)->mtu = 1400;
    {
        g_autoptr(Health) health = examine(facts, &scope);

        g_assert_cmpuint(health->findings->len, ==, 2);
        for (guint i = 0; i < health->findings->len; i++) {
            const Finding *finding = health->findings->pdata[i];

            g_assert_cmpint(finding->repair, ==,
                            finding->kind == OBJECT_INTERFACE ? REPAIR_CONSENT : REPAIR_NEVER);
            g_assert_nonnull(finding->remedy);
        }
    }
}

static void test_egress_which(void)
{
    g_autoptr(Facts) facts = good_host();
    CheckScope scope = {.ids = (const char *const[]){"mtu-mismatch", NULL}};

    /* The uplink's does not count while the halves of the VPN stand before it. */
    facts_link(facts, 2)->mtu = 1400;
    assert_health(facts, &scope, "");
    facts_link(facts, 3)->mtu = 1420;
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_DOWN, "x");
    assert_health(
        facts, &scope,
        "unknown mtu-mismatch host: whether a rule clamps the MSS of what leaves by wg0 is not known: it "
        "needs CAP_NET_ADMIN\n");
    source_status_set(&facts->sources[SOURCE_FIREWALL], SOURCE_LIVE, NULL);
    g_array_index(facts->routes, Route, 0).mtu = 0;
    facts_link_named(facts, "virbr0")->mtu = 1420;
    for (guint i = 0; i < facts->links->len; i++) {
        if (((Link *)facts->links->pdata[i])->master == 10)
            ((Link *)facts->links->pdata[i])->mtu = 1420;
    }
    assert_health(facts, &scope, "");
}

/* -------------------------------------------------------------------------------------------- confirm */

static void test_confirm(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(Health) first = NULL, second = NULL;

    facts_link(facts, 11)->flags = 0;
    first = examine(facts, NULL);
    facts_link(facts, 12)->flags = 0;
    ((Dnsmasq *)facts->dnsmasqs->pdata[0])->unknown = TRUE;
    second = examine(facts, NULL);
    g_assert_cmpuint(second->counts[LEVEL_WARNING], ==, 2);
    health_confirm(second, first);
    /* vnet1's was seen once; what is not known needs no second look. */
    g_assert_cmpuint(second->counts[LEVEL_WARNING], ==, 1);
    g_assert_cmpstr(world_finding(second->findings, "tap-down")->object, ==, "vnet0");
    g_assert_cmpuint(second->counts[LEVEL_UNKNOWN], >, 0);
    g_assert_cmpint(second->level, ==, LEVEL_WARNING);
}

static ProbeReport *probe_report(Facts *facts, ProbeStage *stage)
{
    ProbeReport *report = g_new0(ProbeReport, 1);

    report->network = facts_network(facts, "default");
    report->stages = g_ptr_array_new_with_free_func((GDestroyNotify)probe_stage_free);
    stage->ms = 1;
    g_ptr_array_add(report->stages, stage);
    return report;
}

/* A probe that was given too little time proves no fault. */
static void test_probe_late(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func((GDestroyNotify)probe_report_free);
    const CheckScope scope = {
        .grace = CHECK_GRACE, .ids = (const char *const[]){"probe-failed", NULL}, .probes = reports};
    ProbeStage *stage = probe_stage_new(PROBE_LINK, 0);
    ProbeReport *report = probe_report(facts, stage);

    g_ptr_array_add(reports, report);
    probe_stage_end_late(stage, NULL, 40);
    report->timeout = 40;
    assert_only(
        facts, &scope,
        "unknown probe-failed host: network default was not probed to its end: the deadline passed in "
        "stage link\n",
        "", "vnat --timeout 40 check --probe");
    /* Nor one that had no time to begin; for another reason, more time is no remedy. */
    g_clear_pointer(&report->stages, g_ptr_array_unref);
    report->error = g_strdup("no answer");
    assert_only(facts, &scope, "unknown probe-failed host: network default was not probed: no answer\n", "",
                "vnat --timeout 40 check --probe");
    report->timeout = 0;
    assert_only(facts, &scope, "unknown probe-failed host: network default was not probed: no answer\n", "",
                "vnat status");
}

/* What failed while there was time is a fault, whatever came behind it. */
static void test_probe_failed(void)
{
    g_autoptr(Facts) facts = good_host();
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func((GDestroyNotify)probe_report_free);
    const CheckScope scope = {
        .grace = CHECK_GRACE, .ids = (const char *const[]){"probe-failed", NULL}, .probes = reports};
    ProbeStage *stage = probe_stage_new(PROBE_DHCP, 6), *late = probe_stage_new(PROBE_GATEWAY, 6);
    ProbeReport *report = probe_report(facts, stage);

    g_ptr_array_add(reports, report);
    g_ptr_array_add(report->stages, late);
    probe_stage_end(stage, TRI_NO, "no router advertises itself");
    g_ptr_array_add(stage->checks, (gpointer) "dnsmasq-dead");
    probe_stage_end_late(late, NULL, 40);
    report->timeout = 40;
    assert_only(facts, &scope,
                "critical probe-failed default: a guest's packets do not get past stage dhcp of network "
                "default\n",
                "stage dhcp of IPv6: no router advertises itself\nlook at: dnsmasq-dead\n",
                "vnat probe default");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add_func("/checks/examine/" path, function)
    ADD("healthy", test_healthy);
    ADD("sources-down", test_sources_down);
    ADD("firewall-denied", test_firewall_denied);
    ADD("partly", test_partly);
    ADD("domain-unread", test_domain_unread);
    ADD("sockets-of-others", test_sockets_of_others);
    ADD("dnsmasq-unknown", test_dnsmasq_unknown);
    ADD("run-is-silent", test_run_is_silent);
    ADD("scope-networks", test_scope_networks);
    ADD("scope-host", test_scope_host);
    ADD("scope-unknown", test_scope_unknown);
    ADD("scope-ids", test_scope_ids);
    ADD("inactive-named", test_inactive_named);
    ADD("unreachable", test_unreachable);
    ADD("unreachable-far", test_unreachable_far);
    ADD("unreachable-others", test_unreachable_others);
    ADD("conntrack", test_conntrack);
    ADD("missing", test_missing);
    ADD("leases-unreadable", test_leases_unreadable);
    ADD("firewalld-zone", test_firewalld_zone);
    ADD("firewalld-off", test_firewalld_off);
    ADD("limits", test_limits);
    ADD("values", test_values);
    ADD("no-address", test_no_address);
    ADD("no-address-when", test_no_address_when);
    ADD("lease-orphaned", test_lease_orphaned);
    ADD("unleased-unread", test_unleased_unread);
    ADD("egress-mtu", test_egress_mtu);
    ADD("egress-which", test_egress_which);
    ADD("mtu-class", test_mtu_class);
    ADD("confirm", test_confirm);
    ADD("probe-late", test_probe_late);
    ADD("probe-failed", test_probe_failed);
#undef ADD
    return g_test_run();
}
