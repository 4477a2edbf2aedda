/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packet-tools.h"

/* Verdicts and where they come from: chains, base chains, what rules change; test-packet-match has the
 * conditions. */

#define TABLE(family, name) "{\"table\":{\"family\":\"" family "\",\"name\":\"" name "\"}}"
#define IN_TABLE "\"family\":\"inet\",\"table\":\"t\""
#define BASE_AT(name, prio, policy)                                                                          \
    "{\"chain\":{" IN_TABLE ",\"name\":\"" name "\",\"type\":\"filter\",\"hook\":\"forward\",\"prio\":" prio \
    ",\"policy\":\"" policy "\"}}"
#define BASE(name, policy) BASE_AT(name, "0", policy)
#define CHAIN(name) "{\"chain\":{" IN_TABLE ",\"name\":\"" name "\"}}"
#define RULE(chain, expr) "{\"rule\":{" IN_TABLE ",\"chain\":\"" chain "\",\"expr\":[" expr "]}}"
#define T TABLE("inet", "t")

#define V(verdict) "{\"" verdict "\":null}"
#define JUMP(target) "{\"jump\":{\"target\":\"" target "\"}}"
#define GOTO(target) "{\"goto\":{\"target\":\"" target "\"}}"
#define MATCH(left, right) "{\"match\":{\"op\":\"==\",\"left\":" left ",\"right\":" right "}}"
#define WEB MATCH("{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}}", "443")
#define SSH MATCH("{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}}", "22")
#define STRANGE MATCH("{\"meta\":{\"key\":\"cpu\"}}", "1")
#define MARK(value) MATCH("{\"meta\":{\"key\":\"mark\"}}", value)
#define SET_MARK(value) "{\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":" value "}}"

static Facts *facts_of(const char *objects)
{
    Facts *facts = facts_new();

    add_nft(facts, objects);
    return facts;
}

/* Objects, and the answer for a web request. */
typedef struct {
    const char *objects, *answer;
} Case;

static void run_cases(const Case *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autoptr(Facts) facts = facts_of(cases[i].objects);

        g_test_message("%s", cases[i].objects);
        assert_answer(facts, ASK_WEB, cases[i].answer);
    }
}

static void test_chains(void)
{
    static const Case cases[] = {
        {T, "accept"},
        {T "," BASE("b", "accept"), "accept"},
        {T "," BASE("b", "drop"), "drop table inet t, chain b: policy drop"},
        {T "," BASE("b", "drop") "," RULE("b", V("accept")), "accept"},
        {T "," BASE("b", "accept") "," RULE("b", SSH "," V("drop")) "," RULE("b", WEB "," V("drop")),
         "drop table inet t, chain b: tcp dport 443 drop"},
        {T "," BASE("b", "accept") "," RULE("b", "{\"reject\":{\"type\":\"icmpx\",\"expr\":\"no-route\"}}"),
         "reject table inet t, chain b: reject with icmpx no-route"},
        /* A jump comes back, by its end or a return; a goto does not. */
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", JUMP("u")) "," RULE("b", V("drop")),
         "drop table inet t, chain b: drop"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", JUMP("u")) "," RULE("b", V("drop")) "," RULE(
             "u", V("return")) "," RULE("u", V("accept")),
         "drop table inet t, chain b: drop"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", GOTO("u")) "," RULE("b", V("drop")),
         "accept"},
        {T "," BASE("b", "drop") "," CHAIN("u") "," RULE("b", GOTO("u")) "," RULE("b", V("accept")),
         "drop table inet t, chain b: policy drop"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," CHAIN("v") "," RULE("b", JUMP("u")) "," RULE(
             "b", V("drop")) "," RULE("u", GOTO("v")) "," RULE("u", V("accept")),
         "drop table inet t, chain b: drop"},
        {T "," BASE("b", "drop") "," CHAIN("u") "," RULE("b", JUMP("u")) "," RULE("u", V("accept")),
         "accept"},
        /* A base chain's return is for its policy. */
        {T "," BASE("b", "drop") "," RULE("b", V("return")) "," RULE("b", V("accept")),
         "drop table inet t, chain b: policy drop"},
        /* A verdict is the end of a rule, and continue is none. */
        {T "," BASE("b", "accept") "," RULE("b", V("continue")) "," RULE("b", V("counter") "," V("drop")),
         "drop table inet t, chain b: counter drop"},
    };

    run_cases(cases, G_N_ELEMENTS(cases));
}

/* An accept is for its base chain, a drop for all; the lower priority is asked first. */
static void test_base_chains(void)
{
    static const Case cases[] = {
        {T "," BASE_AT("late", "10", "drop") "," BASE_AT("early", "-10", "accept") "," RULE("early",
                                                                                            V("accept")),
         "drop table inet t, chain late: policy drop"},
        {T
         "," BASE_AT("late", "10", "drop") "," BASE_AT("early", "-10", "accept") "," RULE("early", V("drop")),
         "drop table inet t, chain early: drop"},
        /* Of equal ones the younger. */
        {T "," BASE("old", "drop") "," BASE("young", "drop"), "drop table inet t, chain young: policy drop"},
        {TABLE("ip6",
               "t") ",{\"chain\":{\"family\":\"ip6\",\"table\":\"t\",\"name\":\"b\",\"type\":\"filter\","
                    "\"hook\":\"forward\",\"prio\":0,\"policy\":\"drop\"}}",
         "accept"},
        {TABLE("bridge", "t") ",{\"chain\":{\"family\":\"bridge\",\"table\":\"t\",\"name\":\"b\","
                              "\"type\":\"filter\",\"hook\":\"forward\",\"prio\":0,\"policy\":\"drop\"}}",
         "accept"},
        {T ",{\"chain\":{" IN_TABLE ",\"name\":\"b\",\"type\":\"filter\",\"hook\":\"input\",\"prio\":0,"
           "\"policy\":\"drop\"}}",
         "accept"},
        {"{\"table\":{\"family\":\"inet\",\"name\":\"t\",\"flags\":\"dormant\"}}," BASE("b", "drop"),
         "accept"},
        {"{\"table\":{\"family\":\"inet\",\"name\":\"t\",\"flags\":[\"owner\",\"dormant\"]}}," BASE("b",
                                                                                                    "drop"),
         "accept"},
        {"{\"table\":{\"family\":\"inet\",\"name\":\"t\",\"flags\":[\"owner\",\"persist\"]}}," BASE("b",
                                                                                                    "drop"),
         "drop table inet t, chain b: policy drop"},
        {"{\"table\":{\"family\":\"inet\",\"name\":\"t\",\"flags\":\"q\"}}," BASE("b", "drop"),
         "unknown whether a table is dormant could not be read"},
        {"{\"table\":{\"family\":\"inet\",\"name\":\"t\",\"flags\":\"q\"}}," BASE("b", "accept"), "accept"},
    };

    run_cases(cases, G_N_ELEMENTS(cases));
}

/* What cannot be evaluated is followed both ways. */
static void test_doubts(void)
{
    static const Case cases[] = {
        {T "," BASE("b", "accept") "," RULE("b", STRANGE "," V("drop")),
         "unknown table inet t, chain b: meta cpu 1 drop"},
        /* Both ways are one. */
        {T "," BASE("b", "drop") "," RULE("b", STRANGE "," V("drop")),
         "drop table inet t, chain b: policy drop"},
        {T "," BASE("b", "accept") "," RULE("b", STRANGE "," V("accept")), "accept"},
        {T "," BASE("b", "accept") "," RULE("b", STRANGE "," V("counter")), "accept"},
        /* Another condition does not hold. */
        {T "," BASE("b", "accept") "," RULE("b", STRANGE "," SSH "," V("drop")), "accept"},
        /* A jump that may be taken, to nothing and to something. */
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", STRANGE "," JUMP("u")), "accept"},
        {T
         "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", STRANGE "," JUMP("u")) "," RULE("u", V("drop")),
         "unknown table inet t, chain b: meta cpu 1 jump u"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", JUMP("u")) "," RULE("b", V("drop")) "," RULE(
             "u", STRANGE "," V("return")) "," RULE("u", V("accept")),
         "unknown table inet t, chain u: meta cpu 1 return"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", JUMP("u")) "," RULE("b", V("drop")) "," RULE(
             "u", STRANGE "," V("return")) "," RULE("u", V("drop")),
         "drop table inet t, chain b: drop"},
        /* An earlier chain's doubt does not matter if a later one drops. */
        {T "," BASE_AT("early", "-1", "accept") "," BASE("late", "drop") "," RULE("early",
                                                                                  STRANGE "," V("drop")),
         "drop table inet t, chain late: policy drop"},
        {T "," BASE("b", "accept") "," RULE("b", "{\"queue\":{\"num\":1}}"),
         "unknown table inet t, chain b: {\"queue\":{\"num\":1}}"},
        {T "," BASE("b", "accept") "," RULE("b", JUMP("nowhere")),
         "unknown table inet t, chain b: jump nowhere"},
        {T "," BASE("b", "accept") "," RULE("b", "1," V("drop")), "unknown table inet t, chain b: 1 drop"},
    };

    run_cases(cases, G_N_ELEMENTS(cases));
}

#define DPORT "{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}}"
#define VMAP(key, elements) "{\"vmap\":{\"key\":" key ",\"data\":{\"set\":[" elements "]}}}"
#define CPU "{\"meta\":{\"key\":\"cpu\"}}"

static void test_vmap(void)
{
    static const Case cases[] = {
        {T "," BASE("b", "accept") "," RULE("b", VMAP(DPORT, "[22,{\"accept\":null}],[443,{\"drop\":null}]")),
         "drop table inet t, chain b: tcp dport vmap { 22 : accept, 443 : drop }"},
        {T "," BASE("b", "drop") "," RULE("b", VMAP(DPORT, "[22,{\"accept\":null}]")),
         "drop table inet t, chain b: policy drop"},
        {T "," BASE("b", "accept") "," RULE("b",
                                            VMAP(DPORT, "[\"*\",{\"drop\":null}],[443,{\"accept\":null}]")),
         "accept"},
        {T
         "," BASE("b", "accept") "," RULE("b", VMAP(DPORT, "[\"*\",{\"drop\":null}],[22,{\"accept\":null}]")),
         "drop table inet t, chain b: tcp dport vmap { * : drop, 22 : accept }"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("u", V("drop")) "," RULE(
             "b", VMAP(DPORT, "[{\"range\":[400,500]},{\"goto\":{\"target\":\"u\"}}]")),
         "drop table inet t, chain u: drop"},
        {T ",{\"map\":{" IN_TABLE ",\"name\":\"m\",\"map\":\"verdict\",\"elem\":[[{\"elem\":{\"val\":443}},"
           "{\"drop\":null}]]}}," BASE("b", "accept") "," RULE("b", "{\"vmap\":{\"key\":" DPORT
                                                                    ",\"data\":\"@m\"}}"),
         "drop table inet t, chain b: tcp dport vmap @m"},
        {T "," BASE("b", "accept") "," RULE("b", "{\"vmap\":{\"key\":" DPORT ",\"data\":\"@m\"}}"),
         "unknown table inet t, chain b: tcp dport vmap @m"},
        {T "," BASE("b", "accept") "," RULE("b", VMAP(CPU, "[1,{\"drop\":null}]")),
         "unknown table inet t, chain b: meta cpu vmap { 1 : drop }"},
        {T "," BASE("b", "drop") "," RULE("b", VMAP(CPU, "[1,{\"drop\":null}],[2,{\"continue\":null}]")),
         "drop table inet t, chain b: policy drop"},
    };

    run_cases(cases, G_N_ELEMENTS(cases));
}

static void test_marks(void)
{
    static const Case cases[] = {
        {T "," BASE("b", "accept") "," RULE("b", SET_MARK("5")) "," RULE("b", MARK("5") "," V("drop")),
         "drop table inet t, chain b: meta mark 5 drop"},
        {T "," BASE_AT("b", "1", "accept") "," BASE("a", "accept") "," RULE("a", SET_MARK("5")) "," RULE(
             "b", MARK("5") "," V("drop")),
         "drop table inet t, chain b: meta mark 5 drop"},
        {T
         "," BASE("b", "accept") "," RULE("b", SSH "," SET_MARK("5")) "," RULE("b", MARK("5") "," V("drop")),
         "accept"},
        {T "," BASE("b", "accept") "," RULE("b", STRANGE "," SET_MARK("5")) "," RULE("b",
                                                                                     MARK("5") "," V("drop")),
         "unknown table inet t, chain b: meta mark 5 drop"},
        /* Both ways have one bit in common. */
        {T "," BASE("b", "accept") "," RULE("b", STRANGE "," SET_MARK("5")) "," RULE(
             "b", MATCH("{\"&\":[{\"meta\":{\"key\":\"mark\"}},2]}", "0") "," V("drop")),
         "drop table inet t, chain b: meta mark & 2 == 0 drop"},
        {T "," BASE("b", "accept") "," RULE(
             "b", SET_MARK("{\"|\":[{\"meta\":{\"key\":\"mark\"}},4]}")) "," RULE("b",
                                                                                  MARK("4") "," V("drop")),
         "drop table inet t, chain b: meta mark 4 drop"},
        {T "," BASE("b", "accept") "," RULE("b", SET_MARK("{\"numgen\":{}}")) "," RULE(
             "b", MARK("4") "," V("drop")),
         "unknown table inet t, chain b: meta mark 4 drop"},
        /* Who may have left a chain early has not the mark of its end. */
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", JUMP("u")) "," RULE(
             "b", MARK("5") "," V("drop")) "," RULE("u", STRANGE "," V("return")) "," RULE("u",
                                                                                           SET_MARK("5")),
         "unknown table inet t, chain u: meta cpu 1 return"},
        {T "," BASE("b", "accept") "," CHAIN("u") "," RULE("b", STRANGE "," JUMP("u")) "," RULE(
             "b", MARK("5") "," V("drop")) "," RULE("u", SET_MARK("5")),
         "unknown table inet t, chain b: meta mark 5 drop"},
    };

    run_cases(cases, G_N_ELEMENTS(cases));
}

#define SADDR "{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}"

/* What else a rule changes. */
static void test_changes(void)
{
    static const Case cases[] = {
        {T ",{\"set\":{" IN_TABLE ",\"name\":\"s\"}}," BASE("b", "accept") "," RULE(
             "b", "{\"set\":{\"op\":\"add\",\"elem\":" SADDR
                  ",\"set\":\"@s\"}}") "," RULE("b", MATCH(SADDR, "\"@s\"") "," V("drop")),
         "unknown table inet t, chain b: ip saddr @s drop"},
        {T "," BASE("b", "accept") "," RULE(
             "b", "{\"mangle\":{\"key\":" SADDR
                  ",\"value\":\"10.0.0.1\"}}") "," RULE("b", MATCH(SADDR, "\"10.0.0.1\"") "," V("drop")),
         "unknown table inet t, chain b: ip saddr 10.0.0.1 drop"},
        {T "," BASE("b", "accept") "," RULE("b", V("notrack")) "," RULE(
             "b", MATCH("{\"ct\":{\"key\":\"state\"}}", "\"untracked\"") "," V("drop")),
         "drop table inet t, chain b: ct state untracked drop"},
        {T "," BASE("b", "accept") "," RULE("b", V("notrack")) "," RULE(
             "b", MATCH("{\"ct\":{\"key\":\"zone\"}}", "0") "," V("drop")),
         "accept"},
        {T "," BASE("b", "accept") "," RULE(
             "b", "{\"mangle\":{\"key\":{\"ct\":{\"key\":\"mark\"}},\"value\":"
                  "3}}") "," RULE("b", MATCH("{\"ct\":{\"key\":\"mark\"}}", "3") "," V("drop")),
         "drop table inet t, chain b: ct mark 3 drop"},
    };

    run_cases(cases, G_N_ELEMENTS(cases));
}

/* The kind of an answer is a condition too. */
static void test_reject(void)
{
    g_autoptr(Facts) facts = facts_of(T "," BASE("b", "accept") "," RULE(
        "b", "{\"reject\":{\"type\":\"icmp\",\"expr\":\"host-unreachable\"}"
             "}") "," RULE("b", "{\"reject\":{\"type\":\"tcp reset\"}}"));

    assert_answer(facts, ASK_WEB, "reject table inet t, chain b: reject with icmp host-unreachable");
    assert_answer(facts, ASK_WEB6, "reject table inet t, chain b: reject with tcp reset");
    assert_answer(facts, ASK_ECHO6, "accept");
}

/* ------------------------------------------------------------------------------------------- iptables */

static const char docker[] =
    "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n:DOCKER - [0:0]\n"
    "-A FORWARD -j DOCKER-USER\n"
    "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -o docker0 -j DOCKER\n"
    "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n"
    "-A DOCKER-USER -m set --match-set friends src -p tcp -m tcp --dport 22 -j ACCEPT\n"
    "COMMIT\n";

static void test_iptables(void)
{
    static const struct {
        const char *rules, *answer;
    } cases[] = {
        {"-A FORWARD -j u\n-A FORWARD -j DROP\n-A u -j RETURN\n",
         "drop table ip filter, chain FORWARD: -A FORWARD -j DROP"},
        {"-A FORWARD -g u\n-A FORWARD -j DROP\n", "accept"},
        {"-A FORWARD -j LOG --log-prefix \"-j DROP\"\n", "accept"},
        {"-A FORWARD -j NFQUEUE --queue-num 1\n",
         "unknown table ip filter, chain FORWARD: -A FORWARD -j NFQUEUE --queue-num 1"},
        {"-A FORWARD -j SOMETHING --new\n",
         "unknown table ip filter, chain FORWARD: -A FORWARD -j SOMETHING --new"},
        {"-A FORWARD -j MARK --set-xmark 0x5/0xf\n-A FORWARD -m mark --mark 0x5 -j DROP\n",
         "drop table ip filter, chain FORWARD: -A FORWARD -m mark --mark 0x5 -j DROP"},
        {"-A FORWARD -j CONNMARK --restore-mark\n-A FORWARD -m mark --mark 0x5 -j DROP\n",
         "unknown table ip filter, chain FORWARD: -A FORWARD -m mark --mark 0x5 -j DROP"},
        {"-A FORWARD -j CT --notrack\n-A FORWARD -m conntrack --ctstate UNTRACKED -j DROP\n",
         "drop table ip filter, chain FORWARD: -A FORWARD -m conntrack --ctstate UNTRACKED -j DROP"},
        {"-A FORWARD -m new --option a b ! --other -j DROP\n",
         "unknown table ip filter, chain FORWARD: -A FORWARD -m new --option a b ! --other -j DROP"},
        {"-A FORWARD -m new --option a b -p udp -j DROP\n", "accept"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = facts_new();
        g_autofree char *text =
            g_strdup_printf("*filter\n:FORWARD ACCEPT [0:0]\n:u - [0:0]\n%sCOMMIT\n", cases[i].rules);

        g_test_message("%s", text);
        add_save(facts, FIREWALL_IPTABLES_NFT, "ip", text);
        assert_answer(facts, ASK_WEB, cases[i].answer);
    }
}

static void test_owner(void)
{
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {docker, "drop table ip filter, chain FORWARD: policy drop (legacy) (Docker)"},
        {"*filter\n:FORWARD DROP [0:0]\n:ufw-before-forward - [0:0]\n:DOCKER - [0:0]\nCOMMIT\n",
         "drop table ip filter, chain FORWARD: policy drop (legacy) (ufw)"},
        {"*filter\n:FORWARD ACCEPT [0:0]\n:LIBVIRT_FWI - [0:0]\n-A FORWARD -j LIBVIRT_FWI\n"
         "-A LIBVIRT_FWI -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n",
         "reject table ip filter, chain LIBVIRT_FWI: -A LIBVIRT_FWI -j REJECT --reject-with "
         "icmp-port-unreachable "
         "(legacy) (libvirt)"},
        {"*filter\n:FORWARD DROP [0:0]\nCOMMIT\n",
         "drop table ip filter, chain FORWARD: policy drop (legacy)"},
    };
    g_autoptr(Facts) native = facts_of(TABLE(
        "inet", "firewalld") ",{\"chain\":{\"family\":\"inet\",\"table\":\"firewalld\",\"name\":\"x\","
                             "\"type\":\"filter\",\"hook\":\"forward\",\"prio\":10,\"policy\":\"drop\"}}");

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Facts) facts = facts_new();

        add_save(facts, FIREWALL_IPTABLES_LEGACY, "ip", cases[i].text);
        assert_answer(facts, ASK_WEB, cases[i].answer);
    }
    assert_answer(native, ASK_WEB, "drop table inet firewalld, chain x: policy drop (firewalld)");
}

/* Only what begins a connection comes to a chain that translates. */
static void test_nat(void)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(PacketResult) first = NULL;
    g_autoptr(PacketResult) reply = NULL;

    add_save(
        facts, FIREWALL_IPTABLES_NFT, "ip",
        "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\n-A POSTROUTING -j DROP\nCOMMIT\n");
    first = asked(facts, "postrouting", ASK_WEB);
    reply = asked(facts, "postrouting", ASK_REPLY);
    g_assert_cmpint(first->verdict, ==, PACKET_ACCEPT);
    g_assert_cmpuint(first->steps->len, ==, 1);
    g_assert_cmpuint(reply->steps->len, ==, 0);
}

/* --------------------------------------------------------------------------------------------- results */

static void test_trace(void)
{
    g_autoptr(Facts) facts =
        facts_of(T "," BASE_AT("c", "3", "drop") "," BASE_AT("a", "1", "accept") "," BASE_AT(
            "b", "2",
            "accept") "," BASE_AT("d", "4",
                                  "accept") "," RULE("b", WEB "," V("accept")) "," RULE("a", SET_MARK("7")));
    g_autoptr(PacketResult) result = asked(facts, "forward", ASK_WEB);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < result->steps->len; i++) {
        const PacketStep *step = &g_array_index(result->steps, PacketStep, i);
        g_autofree char *line = packet_step_text(step);

        g_string_append_printf(text, "%s %s\n", packet_verdict_name(step->verdict), line);
    }
    g_assert_cmpstr(text->str, ==,
                    "accept table inet t, chain a: policy accept\n"
                    "accept table inet t, chain b: tcp dport 443 accept\n"
                    "drop table inet t, chain c: policy drop\n");
    g_assert_cmpint(result->blocked, ==, TRI_YES);
    g_assert_cmpuint(result->mark, ==, 7);
    g_assert_cmpuint(result->mark_unknown, ==, 0);
}

/* Refused either way, whichever it is. */
static void test_blocked(void)
{
    g_autoptr(Facts) facts = facts_of(T "," BASE("b", "drop") "," RULE(
        "b", STRANGE ",{\"reject\":{\"type\":\"icmpx\",\"expr\":\"no-route\"}}"));
    g_autoptr(PacketResult) result = asked(facts, "forward", ASK_WEB);

    g_assert_cmpint(result->verdict, ==, PACKET_UNKNOWN);
    g_assert_cmpint(result->blocked, ==, TRI_YES);
    g_assert_nonnull(packet_cause(result));
}

static void test_sources(void)
{
    g_autoptr(Facts) none = facts_new();
    g_autoptr(Facts) open = facts_of(T "," BASE("b", "accept"));
    g_autoptr(Facts) shut = facts_of(T "," BASE("b", "drop"));

    source_status_set(&none->sources[SOURCE_FIREWALL], SOURCE_DOWN, NULL);
    assert_answer(none, ASK_WEB, "unknown the rules were not read");
    source_status_set(&open->sources[SOURCE_FIREWALL], SOURCE_STALE, NULL);
    assert_answer(open, ASK_WEB, "unknown the rules could not be read in full");
    source_status_set(&shut->sources[SOURCE_FIREWALL], SOURCE_STALE, NULL);
    assert_answer(shut, ASK_WEB, "drop table inet t, chain b: policy drop");
}

static void add_chain(FirewallTable *table, guint number)
{
    g_autofree char *name = g_strdup_printf("c%u", number);

    g_ptr_array_add(table->chains, firewall_chain_new(name));
}

/* Two jumps from each chain to the next are 2^60 ways, and chains in a ring have no end. */
static void test_bounds(void)
{
    g_autoptr(Facts) facts = facts_of(T "," BASE("b", "accept"));
    FirewallTable *table = facts->firewall->pdata[0];
    gint64 begun = g_get_monotonic_time();

    for (guint i = 0; i < 60; i++) {
        g_autofree char *name = i ? g_strdup_printf("c%u", i) : g_strdup("b");
        FirewallChain *chain = firewall_table_chain(table, name);

        for (guint k = 0; k < 2; k++) {
            FirewallRule *rule = firewall_rule_new();

            rule->expr = json_pack("[{s:{s:o}}]", "jump", "target",
                                   i < 59 ? json_sprintf("c%u", i + 1) : json_string("b"));
            rule->text = g_strdup("jump");
            g_ptr_array_add(chain->rules, rule);
        }
        add_chain(table, i + 1);
    }
    assert_answer(facts, ASK_WEB, "unknown there are too many rules and elements of sets");
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 200 * G_USEC_PER_SEC);
}

static void test_ring(void)
{
    g_autoptr(Facts) facts = facts_of(T "," BASE("b", "accept") "," CHAIN("u") "," CHAIN("v") "," RULE(
        "b", JUMP("u")) "," RULE("u", GOTO("v")) "," RULE("v", JUMP("u")));
    g_autoptr(PacketResult) result = asked(facts, "forward", ASK_WEB);

    g_assert_cmpint(result->verdict, ==, PACKET_UNKNOWN);
}

/* ------------------------------------------------------------------------------------- address types */

static void add_route(Facts *facts, const char *net, guint ifindex, guint8 type)
{
    Route route = {.ifindex = ifindex, .table = 255, .type = type};

    g_assert_true(ipnet_parse(net, &route.dst));
    route.family = route.dst.ip.family;
    g_array_append_val(facts->routes, route);
}

static void test_address_type(void)
{
    static const struct {
        const char *ip;
        guint device;
        gint type;
    } cases[] = {
        {"192.168.122.1", 0, ROUTE_LOCAL},
        {"192.168.122.1", 10, ROUTE_LOCAL},
        {"192.168.122.1", 2, ROUTE_UNICAST},
        {"192.168.122.255", 0, ROUTE_BROADCAST},
        {"192.168.122.9", 0, ROUTE_UNICAST},
        {"255.255.255.255", 10, ROUTE_BROADCAST},
        {"0.0.0.0", 10, ROUTE_BROADCAST},
        {"224.0.0.251", 0, ROUTE_MULTICAST},
        {"127.0.0.53", 0, ROUTE_LOCAL},
        {"ff02::1", 0, ROUTE_MULTICAST},
        {"fd00::1", 0, ROUTE_LOCAL},
        {"fd00::2", 0, ROUTE_UNICAST},
        {"2001:db8::1", 0, -1},
    };
    g_autoptr(Facts) facts = facts_new();
    Ip ip = ip_of("192.168.122.1");

    g_assert_cmpint(packet_address_type(facts, &ip, 0), ==, -1);
    add_route(facts, "127.0.0.0/8", 1, ROUTE_LOCAL);
    add_route(facts, "192.168.122.1/32", 10, ROUTE_LOCAL);
    add_route(facts, "192.168.122.255/32", 10, ROUTE_BROADCAST);
    add_route(facts, "0.0.0.0/0", 2, ROUTE_UNICAST);
    add_route(facts, "fd00::/64", 10, ROUTE_UNICAST);
    add_route(facts, "fd00::1/128", 10, ROUTE_LOCAL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ip = ip_of(cases[i].ip);
        g_test_message("%s", cases[i].ip);
        g_assert_cmpint(packet_address_type(facts, &ip, cases[i].device), ==, cases[i].type);
    }
    ip.family = 0;
    g_assert_cmpint(packet_address_type(facts, &ip, 0), ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/chains", test_chains);
    g_test_add_func("/packet/base-chains", test_base_chains);
    g_test_add_func("/packet/doubts", test_doubts);
    g_test_add_func("/packet/vmap", test_vmap);
    g_test_add_func("/packet/marks", test_marks);
    g_test_add_func("/packet/changes", test_changes);
    g_test_add_func("/packet/reject", test_reject);
    g_test_add_func("/packet/iptables", test_iptables);
    g_test_add_func("/packet/owner", test_owner);
    g_test_add_func("/packet/nat", test_nat);
    g_test_add_func("/packet/trace", test_trace);
    g_test_add_func("/packet/blocked", test_blocked);
    g_test_add_func("/packet/sources", test_sources);
    g_test_add_func("/packet/bounds", test_bounds);
    g_test_add_func("/packet/ring", test_ring);
    g_test_add_func("/packet/address-type", test_address_type);
    return g_test_run();
}
