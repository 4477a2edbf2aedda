/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json.h"
#include "model/firewall-rule.h"
#include "redact-leaks.h"
#include "sources/firewall.h"
#include "sources/redact-sources.h"

/* Rules of both kinds: the same rules, of other names and addresses. */

static const guint8 fixed_key[REDACT_KEY_BYTES + 1] = "a key that is the same each time";

/* A host whose names are numbered in this order. */
static Redactor *host(void)
{
    static const struct {
        RedactKind kind;
        const char *name;
    } names[] = {
        {REDACT_NETWORK, "tcp"},  {REDACT_NETWORK, "lab"}, {REDACT_DOMAIN, "web"}, {REDACT_DOMAIN, "accept"},
        {REDACT_DOMAIN, "INPUT"}, {REDACT_HOST, "filter"}, {REDACT_HOST, "saddr"}, {REDACT_HOST, "10"},
    };
    Redactor *redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_free(redact_name(redactor, names[i].kind, names[i].name));
    return redactor;
}

/* ------------------------------------------------------------------------------------- word by word */

/* $A to $D: addresses of a kind, the same in both. */
static char *filled(Redactor *redactor, const char *pattern)
{
    static const char *const values[] = {"192.168.122.7", "10.1.0.0/16", "52:54:00:12:34:56",
                                         "2001:db8::1:2:3:4"};
    GString *text = g_string_new(NULL);

    for (; *pattern; pattern++) {
        const char *value = *pattern == '$' ? values[pattern[1] - 'A'] : NULL;
        g_autofree char *token = value && redactor ? redact_address(redactor, value) : g_strdup(value);

        if (token)
            g_string_append(text, token);
        else
            g_string_append_c(text, *pattern);
        pattern += token != NULL;
    }
    return g_string_free(text, FALSE);
}

static const struct {
    const char *before, *after;
} save_cases[] = {
    {"-s $A/32 -d $B -j ACCEPT", "-s $A/32 -d $B -j ACCEPT"},
    {"! -s $B -i acme0 ! -o virbr0 -p tcp -j MASQUERADE --to-ports 1024-65535",
     "! -s $B -i if1 ! -o virbr0 -p tcp -j MASQUERADE --to-ports 1024-65535"},
    {"-i acme+ -o vnet+ -i + -j RETURN", "-i if1x+ -o vnet+ -i + -j RETURN"},
    {"-i acme0 -o acme+ -j RETURN", "-i if1x2 -o if1x+ -j RETURN"},
    {"-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate RELATED,ESTABLISHED -j DROP",
     "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate RELATED,ESTABLISHED -j DROP"},
    {"-m comment --comment \"for \\\"Alice\\\"\" -j lab-in", "-m comment --comment comment-1 -j own-2"},
    {"-m comment --comment -j -j LOG --log-prefix \"[ACME] \" --log-level 4",
     "-m comment --comment comment-1 -j LOG --log-prefix comment-2 --log-level 4"},
    {"-j DNAT --to-destination $A:8080", "-j DNAT --to-destination $A:8080"},
    {"-j SNAT --to-source $A-$A:1-2", "-j SNAT --to-source $A-$A:1-2"},
    {"-m iprange --src-range $A-$A -j own", "-m iprange --src-range $A-$A -j own-1"},
    {"-m mac --mac-source $C -g web_chain", "-m mac --mac-source $C -g own-2"},
    {"-m set --match-set customers src,dst -j ACCEPT", "-m set --match-set own-2 src,dst -j ACCEPT"},
    {"-m recent --set --name ACME --mask 255.255.255.255 --rsource",
     "-m recent --set --name value-1 --mask 255.255.255.255 --rsource"},
    {"-m string --string secret --algo bm --to 65535 -j DROP",
     "-m string --string \"(redacted)\" --algo value-1 --to 65535 -j DROP"},
    {"-m u32 --u32 \"0x0>>0x16&0x3c=0xc0a87a07\" -j DROP", "-m u32 --u32 \"(redacted)\" -j DROP"},
    {"-m bpf --bytecode \"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0\"", "-m bpf --bytecode \"(redacted)\""},
    {"-m limit --limit 3/hour --limit-burst 10 -j ACCEPT",
     "-m limit --limit 3/hour --limit-burst 10 -j ACCEPT"},
    {"-m owner --uid-owner 1000 -j ACCEPT", "-m owner --uid-owner 1000 -j ACCEPT"},
    {"-m owner --uid-owner alice -j ACCEPT", "-m owner --uid-owner value-1 -j ACCEPT"},
    {"-m unknown --option secret -j SECRET", "-m unknown --option value-1 -j own-2"},
    {"-s secret -i \"\" --physdev-in acme1", "-s value-1 -i \"\" --physdev-in if1"},
    {"-j REJECT --reject-with icmp-port-unreachable", "-j REJECT --reject-with icmp-port-unreachable"},
    {"-j CONNMARK --set-xmark 0x20000/0xff0000", "-j CONNMARK --set-xmark 0x20000/0xff0000"},
    {"-s $D -j NFLOG --nflog-prefix x --nflog-group 3",
     "-s $D -j NFLOG --nflog-prefix comment-1 --nflog-group 3"},
    {"", ""},
};

static char *save_of(const char *chain, const char *words)
{
    return g_strdup_printf(
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:%s - [0:0]\n-A FORWARD%s%s\nCOMMIT\n", chain,
        *words ? " " : "", words);
}

static void test_save_words(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(save_cases); i++) {
        g_autoptr(Redactor) redactor = host();
        g_autofree char *words = filled(NULL, save_cases[i].before);
        g_autofree char *expected_words = filled(redactor, save_cases[i].after);
        g_autofree char *before = save_of("own", words);
        g_autofree char *expected = save_of("own-1", expected_words);
        g_autoptr(GError) error = NULL;
        g_autofree char *after = redact_save(redactor, before, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(after, ==, expected);
    }
}

static void test_save_frame(void)
{
    static const char before[] =
        "# Generated by iptables-nft-save v1.8.9 (nf_tables) on Sun Nov 22 12:15:49 2026\n"
        "# secret\n*nat\n:POSTROUTING ACCEPT [12:3456]\n:INPUT secret\n:web - [0:0]\n"
        "[1:2] -A web -j RETURN\nCOMMIT\n# Completed on Sun Nov 22 12:15:49 2026\n";
    static const char after[] = "# Generated by iptables-nft-save v1.8.9 (nf_tables)\n*nat\n"
                                ":POSTROUTING ACCEPT [0:0]\n:INPUT \"(redacted)\" [0:0]\n:own-1 - "
                                "[0:0]\n-A own-1 -j RETURN\nCOMMIT\n";
    g_autoptr(Redactor) redactor = host();
    g_autofree char *text = redact_save(redactor, before, NULL);

    g_assert_cmpstr(text, ==, after);
}

static void test_ebtables(void)
{
    static const char before[] =
        "# Generated by ebtables-nft-save v1.8.9 (nf_tables) on Sun Nov 22 12:15:49 2026\n"
        "*nat\n:PREROUTING ACCEPT\n:web ACCEPT\n"
        "-A PREROUTING -p ARP -d Broadcast --logical-in virbr0 --arp-op Request_Reverse -j web\n"
        "-A web -p IPv4 --ip-proto udp --nflog-prefix secret -j RETURN\n"
        "# Completed on Sun Nov 22 12:15:49 2026\n";
    static const char after[] =
        "# Generated by ebtables-nft-save v1.8.9 (nf_tables)\n"
        "*nat\n:PREROUTING ACCEPT [0:0]\n:own-1 ACCEPT [0:0]\n"
        "-A PREROUTING -p ARP -d Broadcast --logical-in virbr0 --arp-op Request_Reverse -j own-1\n"
        "-A own-1 -p IPv4 --ip-proto udp --nflog-prefix comment-1 -j RETURN\n"
        "# Completed\n";
    g_autoptr(Redactor) redactor = host();
    g_autofree char *text = redact_ebtables(redactor, before, NULL);

    g_assert_cmpstr(text, ==, after);
}

static void test_save_refused(void)
{
    static const char *const texts[] = {"secret\n", "*filter\n", "*filter\n-A secret\nCOMMIT\n", "\"secret"};
    g_autoptr(Redactor) redactor = host();

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(redact_save(redactor, texts[i], &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

/* An object of nft's each, as it is printed. */
static const struct {
    const char *before, *after;
} nft_cases[] = {
    {"{'rule':{'family':'ip','table':'filter','chain':'INPUT','comment':'for Alice','expr':["
     "{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},'right':'$A'}},{'accept':null}"
     "]}}",
     "{'rule':{'family':'ip','table':'filter','chain':'INPUT','comment':'comment-1','expr':["
     "{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},'right':'$A'}},{'accept':null}"
     "]}}"},
    {"{'match':{'op':'!=','left':{'payload':{'protocol':'ip','field':'daddr'}},"
     "'right':{'prefix':{'addr':'10.1.0.0','len':16}}}}",
     "{'match':{'op':'!=','left':{'payload':{'protocol':'ip','field':'daddr'}},"
     "'right':{'prefix':{'addr':'10.142.0.0','len':16}}}}"},
    {"{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'daddr'}},'right':{'range':['$A','$A']}}"
     "}",
     "{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'daddr'}},'right':{'range':['$A','$A']}}"
     "}"},
    {"{'match':{'op':'==','left':{'meta':{'key':'iifname'}},'right':'acme*'}}",
     "{'match':{'op':'==','left':{'meta':{'key':'iifname'}},'right':'if1x*'}}"},
    {"{'match':{'op':'==','left':{'meta':{'key':'iifname'}},'right':{'set':['acme0','acme*']}}}",
     "{'match':{'op':'==','left':{'meta':{'key':'iifname'}},'right':{'set':['if1x2','if1x*']}}}"},
    {"{'match':{'op':'==','left':{'meta':{'key':'oif'}},'right':{'set':['acme0','virbr0']}}}",
     "{'match':{'op':'==','left':{'meta':{'key':'oif'}},'right':{'set':['if1','virbr0']}}}"},
    {"{'match':{'op':'==','left':{'fib':{'result':'oifname','flags':['saddr','iif']}},'right':'acme0'}}",
     "{'match':{'op':'==','left':{'fib':{'result':'oifname','flags':['saddr','iif']}},'right':'if1'}}"},
    {"{'match':{'op':'in','left':{'ct':{'key':'state'}},'right':['established','related']}}",
     "{'match':{'op':'in','left':{'ct':{'key':'state'}},'right':['established','related']}}"},
    {"{'match':{'op':'==','left':{'meta':{'key':'l4proto'}},'right':'tcp'}}",
     "{'match':{'op':'==','left':{'meta':{'key':'l4proto'}},'right':'tcp'}}"},
    {"{'match':{'op':'==','left':{'ct':{'key':'label'}},'right':'secret'}}",
     "{'match':{'op':'==','left':{'ct':{'key':'label'}},'right':'value-1'}}"},
    {"{'match':{'op':'==','left':{'payload':{'base':'nh','offset':96,'len':32}},'right':3232266759}}",
     "{'match':{'op':'==','left':{'payload':{'base':'nh','offset':96,'len':32}},'right':0}}"},
    {"{'match':{'op':'==','left':{'&':[{'payload':{'base':'nh','offset':96,'len':32}},4294901760]},'right':"
     "3232235520}}",
     "{'match':{'op':'==','left':{'&':[{'payload':{'base':'nh','offset':96,'len':32}},4294901760]},'right':0}"
     "}"},
    {"{'match':{'op':'==','left':{'&':[{'payload':{'protocol':'ip','field':'saddr'}},'255.255.0.0']},'right':"
     "'$A'}}",
     "{'match':{'op':'==','left':{'&':[{'payload':{'protocol':'ip','field':'saddr'}},'255.255.0.0']},'right':"
     "'$A'}}"},
    {"{'match':{'op':'==','left':{'concat':[{'meta':{'key':'iifname'}},{'payload':{'protocol':'ether','field'"
     ":'saddr'}}]},"
     "'right':{'set':[{'concat':['acme0','$C']},{'concat':['lo','$C']}]}}}",
     "{'match':{'op':'==','left':{'concat':[{'meta':{'key':'iifname'}},{'payload':{'protocol':'ether','field'"
     ":'saddr'}}]},"
     "'right':{'set':[{'concat':['if1','$C']},{'concat':['lo','$C']}]}}}"},
    {"{'vmap':{'key':{'meta':{'key':'iifname'}},'data':{'set':[['lo',{'accept':null}],['acme0',{'jump':{'"
     "target':'web_in'}}]]}}}",
     "{'vmap':{'key':{'meta':{'key':'iifname'}},'data':{'set':[['lo',{'accept':null}],['if1',{'jump':{'"
     "target':'own-1'}}]]}}}"},
    {"{'dnat':{'family':'ip','addr':{'map':{'key':{'payload':{'protocol':'tcp','field':'dport'}},'data':{'"
     "set':[[80,'$A']]}}},'port':8080}}",
     "{'dnat':{'family':'ip','addr':{'map':{'key':{'payload':{'protocol':'tcp','field':'dport'}},'data':{'"
     "set':[[80,'$A']]}}},'port':8080}}"},
    {"{'snat':{'addr':'$A','flags':['random','persistent']}}",
     "{'snat':{'addr':'$A','flags':['random','persistent']}}"},
    {"{'masquerade':{'port':{'range':[1024,65535]}}}", "{'masquerade':{'port':{'range':[1024,65535]}}}"},
    {"{'log':{'prefix':'[ACME] ','level':'debug','group':3}}",
     "{'log':{'prefix':'comment-1','level':'debug','group':3}}"},
    {"{'reject':{'type':'icmp','expr':'port-unreachable'}}",
     "{'reject':{'type':'icmp','expr':'port-unreachable'}}"},
    {"{'mangle':{'key':{'meta':{'key':'mark'}},'value':{'|':[{'meta':{'key':'mark'}},4096]}}}",
     "{'mangle':{'key':{'meta':{'key':'mark'}},'value':{'|':[{'meta':{'key':'mark'}},4096]}}}"},
    {"{'xt':{'type':'target','name':'MASQUERADE','info':'secret'}}",
     "{'xt':{'type':'target','name':'MASQUERADE'}}"},
    {"{'xt':null}", "{'xt':null}"},
    {"{'fwd':{'dev':'acme0','family':'ip','addr':'$A'}}", "{'fwd':{'dev':'if1','family':'ip','addr':'$A'}}"},
    {"{'limit':{'rate':3,'burst':5,'per':'hour'}}", "{'limit':{'rate':3,'burst':5,'per':'hour'}}"},
    {"{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},'right':'@web_hosts'}}",
     "{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},'right':'@own-1'}}"},
    {"{'set':{'op':'add','elem':{'elem':{'val':{'payload':{'protocol':'ip','field':'saddr'}},'timeout':60}},'"
     "set':'@web_hosts'}}",
     "{'set':{'op':'add','elem':{'elem':{'val':{'payload':{'protocol':'ip','field':'saddr'}},'timeout':60}},'"
     "set':'@own-1'}}"},
    {"{'set':{'family':'ip','name':'web_hosts','table':'filter','type':'ipv4_addr','flags':['interval'],'"
     "comment':'Alice',"
     "'elem':['$A',{'prefix':{'addr':'10.1.0.0','len':16}},{'elem':{'val':'$A','comment':'Bob'}}]}}",
     "{'set':{'family':'ip','name':'own-1','table':'filter','type':'ipv4_addr','flags':['interval'],"
     "'comment':'comment-1',"
     "'elem':['$A',{'prefix':{'addr':'10.142.0.0','len':16}},{'elem':{'val':'$A','comment':'comment-2'}}]}}"},
    {"{'set':{'name':'s','table':'t','type':'ifname','elem':['acme0','*']}}",
     "{'set':{'name':'own-1','table':'own-2','type':'ifname','elem':['if1','*']}}"},
    {"{'set':{'name':'s','table':'t','type':['ifname','ipv4_addr'],'elem':[{'concat':['acme0','$A']}]}}",
     "{'set':{'name':'own-1','table':'own-2','type':['ifname','ipv4_addr'],'elem':[{'concat':['if1','$A']}]}"
     "}"},
    {"{'set':{'name':'s','table':'t','type':{'typeof':{'meta':{'key':'iifname'}}},'elem':['acme0']}}",
     "{'set':{'name':'own-1','table':'own-2','type':{'typeof':{'meta':{'key':'iifname'}}},'elem':['if1']}}"},
    {"{'map':{'name':'m','table':'t','type':'ipv4_addr','map':'verdict','elem':[['$A',{'goto':{'target':'web_"
     "in'}}]]}}",
     "{'map':{'name':'own-1','table':'own-2','type':'ipv4_addr','map':'verdict','elem':[['$A',{'goto':{'"
     "target':'"
     "own-3'}}]]}}"},
    {"{'map':{'name':'m','table':'t','type':'ipv4_addr','map':'ifname','elem':[['$A','acme0']]}}",
     "{'map':{'name':'own-1','table':'own-2','type':'ipv4_addr','map':'ifname','elem':[['$A','if1']]}}"},
    {"{'chain':{'family':'netdev','table':'t','name':'web_in','dev':['acme0','eth0'],'prio':-10,'policy':'"
     "drop'}}",
     "{'chain':{'family':'netdev','table':'own-1','name':'own-2','dev':['if1','eth0'],'prio':-10,'policy':'"
     "drop'}}"},
    {"{'flowtable':{'name':'f','dev':'acme0'}}", "{'flowtable':{'name':'own-1','dev':'if1'}}"},
    {"{'counter':'web_bytes'}", "{'counter':'own-1'}"},
    {"{'future':{'thing':'secret','list':['secret2',7,true,1.5]}}",
     "{'future':{'thing':'value-1','list':['value-2',7,true,1.5]}}"},
    {"{'prefix':{'addr':'secret','len':99}}", "{'prefix':{'addr':'value-1','len':99}}"},
    {"{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},'right':{'range':['secret','$"
     "A']}}}",
     "{'match':{'op':'==','left':{'payload':{'protocol':'ip','field':'saddr'}},'right':{'range':['value-1','$"
     "A']}}}"},
};

/* Our quotes for JSON's. */
static char *json_of(Redactor *redactor, const char *pattern)
{
    g_autofree char *text = filled(redactor, pattern);
    g_autofree char *quoted = g_strdelimit(g_steal_pointer(&text), "'", '"');

    return g_strdup_printf("{\"nftables\":[%s]}\n", quoted);
}

static void test_nft_objects(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(nft_cases); i++) {
        g_autoptr(Redactor) redactor = host();
        g_autofree char *before = json_of(NULL, nft_cases[i].before);
        g_autofree char *expected = json_of(redactor, nft_cases[i].after);
        g_autoptr(GError) error = NULL;
        g_autofree char *after = redact_nft(redactor, before, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(after, ==, expected);
    }
}

static void test_nft_refused(void)
{
    static const char *const texts[] = {"", "secret", "{", "7", "{\"a\":1,\"a\":2}"};
    g_autoptr(Redactor) redactor = host();

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(redact_nft(redactor, texts[i], &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
}

/* An interval that is no prefix keeps its order. */
static void test_nft_range(void)
{
    static const char before[] = "{\"nftables\":[{\"range\":[\"10.0.0.2\",\"10.200.0.254\"]}]}";

    for (guint i = 0; i < 50; i++) {
        g_autoptr(Redactor) redactor = redactor_new(NULL);
        g_autofree char *after = redact_nft(redactor, before, NULL);
        g_auto(GStrv) words = g_strsplit(after, "\"", -1);
        Ip first, last;

        g_assert_true(ip_parse(words[5], &first) && ip_parse(words[7], &last));
        g_assert_cmpint(ip_compare(&first, &last), <, 0);
    }
}

/* ------------------------------------------------------------------------------- what the rules say */

static GPtrArray *parse_nft(const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_nft(text, strlen(text), &error);

    g_assert_no_error(error);
    return tables;
}

static GPtrArray *parse_save(const char *text, const char *family)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *tables = firewall_parse_save(text, strlen(text), FIREWALL_IPTABLES_NFT, family, &error);

    g_assert_no_error(error);
    return tables;
}

static void assert_address(Redactor *redactor, const RuleAddress *before, const RuleAddress *after)
{
    IpNet net = before->net;

    g_assert_cmpint(before->set, ==, after->set);
    g_assert_cmpint(before->negated, ==, after->negated);
    if (!before->set)
        return;
    redact_net(redactor, &net);
    g_assert_true(ip_equal(&net.ip, &after->net.ip));
    g_assert_cmpuint(net.prefix, ==, after->net.prefix);
}

static void assert_device(Redactor *redactor, const RuleDevice *before, const RuleDevice *after)
{
    g_autofree char *token = redact_device(redactor, before->name, '\0');

    g_assert_cmpint(before->negated, ==, after->negated);
    g_assert_cmpint(before->wildcard, ==, after->wildcard);
    /* The name of a set stays. */
    if (!before->wildcard && before->name && before->name[0] != '@')
        g_assert_cmpstr(token, ==, after->name);
}

static void assert_rule(Redactor *redactor, const FirewallTable *table, const FirewallRule *before,
                        const FirewallTable *other, const FirewallRule *after)
{
    g_autofree char *target = NULL;
    RuleView view, same;

    firewall_rule_view(table, before, &view);
    firewall_rule_view(other, after, &same);
    target = redact_name(redactor, REDACT_CHAIN, view.target);
    g_assert_cmpint(view.exact, ==, same.exact);
    g_assert_cmpint(view.replies, ==, same.replies);
    g_assert_cmpint(view.verdict, ==, same.verdict);
    g_assert_cmpstr(target, ==, same.target);
    g_assert_cmpint(before->argv != NULL, ==, after->argv != NULL);
    assert_address(redactor, &view.src, &same.src);
    assert_address(redactor, &view.dst, &same.dst);
    assert_device(redactor, &view.in, &same.in);
    assert_device(redactor, &view.out, &same.out);
}

static void assert_chain(Redactor *redactor, const FirewallTable *table, const FirewallChain *before,
                         const FirewallTable *other, const FirewallChain *after)
{
    g_autofree char *name = redact_name(redactor, REDACT_CHAIN, before->name);

    g_assert_cmpstr(name, ==, after->name);
    g_assert_cmpstr(before->hook, ==, after->hook);
    g_assert_cmpstr(before->type, ==, after->type);
    g_assert_cmpstr(before->policy, ==, after->policy);
    g_assert_cmpint(before->priority, ==, after->priority);
    g_assert_cmpuint(before->rules->len, ==, after->rules->len);
    for (guint i = 0; i < before->rules->len; i++)
        assert_rule(redactor, table, before->rules->pdata[i], other, after->rules->pdata[i]);
}

static void assert_tables(Redactor *redactor, const GPtrArray *before, const GPtrArray *after)
{
    g_assert_cmpuint(before->len, ==, after->len);
    for (guint i = 0; i < before->len; i++) {
        const FirewallTable *table = before->pdata[i];
        const FirewallTable *other = after->pdata[i];
        g_autofree char *name = redact_name(redactor, REDACT_CHAIN, table->name);

        g_assert_cmpstr(name, ==, other->name);
        g_assert_cmpstr(table->family, ==, other->family);
        g_assert_cmpint(table->shape, ==, other->shape);
        g_assert_cmpuint(json_array_size(table->sets), ==, json_array_size(other->sets));
        g_assert_cmpint(firewall_table_is_iptables(table), ==, firewall_table_is_iptables(other));
        g_assert_cmpuint(table->chains->len, ==, other->chains->len);
        for (guint j = 0; j < table->chains->len; j++)
            assert_chain(redactor, table, table->chains->pdata[j], other, other->chains->pdata[j]);
    }
}

/* What was recorded, read as a host's rules are, before and after. */
static void test_recorded(void)
{
    static const struct {
        const char *nft, *save4, *save6;
    } hosts[] = {
        {"firewall/default-nft.json", "firewall/default-save4.txt", "firewall/default-save6.txt"},
        {"firewall/many-nft.json", "firewall/many-save4.txt", "firewall/many-save6.txt"},
        {"firewall/mixed-nft.json", "firewall/mixed-save4.txt", NULL},
        {"firewall/stopped-nft.json", "firewall/stopped-save4.txt", NULL},
        {"firewall/libvirt-nft.json", NULL, NULL},
        {"firewall/libvirt-nft-recreated.json", NULL, NULL},
        {"firewall/forms-nft.json", NULL, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
        const char *const saves[] = {hosts[i].save4, hosts[i].save6};
        g_autoptr(Redactor) redactor = redactor_new(NULL);
        g_autofree char *before = read_test_data(hosts[i].nft);
        g_autofree char *after = redact_nft(redactor, before, NULL);
        g_autoptr(GPtrArray) tables = parse_nft(before);
        g_autoptr(GPtrArray) others = parse_nft(after);

        assert_tables(redactor, tables, others);
        for (gsize j = 0; j < G_N_ELEMENTS(saves); j++) {
            g_autofree char *save = saves[j] ? read_test_data(saves[j]) : NULL;
            g_autofree char *other = save ? redact_save(redactor, save, NULL) : NULL;
            g_autoptr(GPtrArray) saved = save ? parse_save(save, j == 0 ? "ip" : "ip6") : NULL;
            g_autoptr(GPtrArray) other_saved = save ? parse_save(other, j == 0 ? "ip" : "ip6") : NULL;

            if (!save)
                continue;
            g_assert_cmpint(firewall_merge_save(tables, saved), ==, firewall_merge_save(others, other_saved));
        }
        assert_tables(redactor, tables, others);
    }
}

static void test_no_leaks(void)
{
    static const char *const files[] = {
        "firewall/default-nft.json", "firewall/many-nft.json",  "firewall/mixed-nft.json",
        "firewall/libvirt-nft.json", "firewall/forms-nft.json", "firewall/default-save4.txt",
        "firewall/many-save4.txt",   "firewall/many-save6.txt", "firewall/legacy-save4.txt"};
    g_autoptr(Redactor) redactor = redactor_new(fixed_key);

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        gboolean nft = g_str_has_suffix(files[i], ".json");
        g_autofree char *before = read_test_data(files[i]);
        g_autofree char *after =
            nft ? redact_nft(redactor, before, NULL) : redact_save(redactor, before, NULL);

        assert_no_leaks(before, after);
    }
}

/* ------------------------------------------------------------------------------------- any document */

static json_t *random_json(guint depth)
{
    static const char *const names[] = {
        "match", "left",    "right", "set",  "elem",   "map",  "concat", "prefix", "range", "meta",
        "key",   "payload", "addr",  "len",  "data",   "type", "name",   "dev",    "x",     "typeof",
        "&",     "comment", "log",   "jump", "target", "val",  "vmap",   "xt",     "fib"};
    static const char *const texts[] = {"10.1.2.3", "iifname", "secret", "@s",     "*",
                                        "",         "acme*",   "ifname", "fe80::1"};
    guint choice = depth == 0 ? 2 + (guint)g_test_rand_int_range(0, 3) : (guint)g_test_rand_int_range(0, 6);
    json_t *value;

    switch (choice) {
    case 0:
        value = json_object();
        for (gint i = g_test_rand_int_range(0, 4); i > 0; i--)
            json_object_set_new(value, names[g_test_rand_int_range(0, G_N_ELEMENTS(names))],
                                random_json(depth - 1));
        return value;
    case 1:
        value = json_array();
        for (gint i = g_test_rand_int_range(0, 4); i > 0; i--)
            json_array_append_new(value, random_json(depth - 1));
        return value;
    case 2:
        return json_integer(g_test_rand_int());
    case 3:
        return g_test_rand_bit() ? json_null() : json_true();
    default:
        return json_string(texts[g_test_rand_int_range(0, G_N_ELEMENTS(texts))]);
    }
}

/* Members of any form where another is expected: no crash, and nothing of the two texts that tell. */
static void test_nft_any(void)
{
    static const char *const secrets[] = {"10.1.2.3", NULL};

    for (guint i = 0; i < 3000; i++) {
        g_autoptr(Redactor) redactor = redactor_new(fixed_key);
        g_autoptr(json_t) document = json_pack("{s:o}", "nftables", random_json(6));
        g_autofree char *before = json_dumps(document, 0);
        g_autoptr(GError) error = NULL;
        g_autofree char *after = redact_nft(redactor, before, &error);

        g_assert_no_error(error);
        assert_none_of(secrets, after);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redact-firewall/save/words", test_save_words);
    g_test_add_func("/redact-firewall/save/frame", test_save_frame);
    g_test_add_func("/redact-firewall/save/ebtables", test_ebtables);
    g_test_add_func("/redact-firewall/save/refused", test_save_refused);
    g_test_add_func("/redact-firewall/nft/objects", test_nft_objects);
    g_test_add_func("/redact-firewall/nft/refused", test_nft_refused);
    g_test_add_func("/redact-firewall/nft/range", test_nft_range);
    g_test_add_func("/redact-firewall/nft/any", test_nft_any);
    g_test_add_func("/redact-firewall/recorded", test_recorded);
    g_test_add_func("/redact-firewall/leaks", test_no_leaks);
    return g_test_run();
}
