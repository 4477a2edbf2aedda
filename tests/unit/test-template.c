/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"
#include "template-tools.h"

/* ----------------------------------------------------------------------------------------- helpers */

static void refused(const char *xml, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Template) tmpl = template_parse(xml, strlen(xml), &error);

    g_assert_null(tmpl);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    if (!g_str_has_prefix(error->message, message))
        g_error("'%s' does not begin with '%s'", error->message, message);
}

/* A template with one declaration (its attributes) and a body. */
static char *with_param(const char *attributes, const char *body)
{
    return g_strdup_printf("<network" NS "><vnat:param %s/>%s</network>", attributes, body);
}

static void refused_param(const char *attributes, const char *message)
{
    g_autofree char *xml = with_param(attributes, "");
    g_autofree char *expected = g_strconcat("param: line 1: ", message, NULL);

    refused(xml, expected);
}

static void renders(const char *xml, const char *values, const char *expected)
{
    g_autofree char *text = rendered(xml, values);

    g_assert_cmpstr(text, ==, expected);
}

static void render_refused(const char *xml, const char *values, VnatError code, const char *message,
                           const char *hint)
{
    g_autoptr(Template) tmpl = parsed(xml);
    g_autoptr(GHashTable) table = values_of(values);
    GPtrArray *used = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = template_render(tmpl, table, NULL, "t", &used, &error);

    g_assert_null(text);
    g_assert_null(used);
    g_assert_error(error, VNAT_ERROR, (gint)code);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpstr(vnat_error_get_hint(error), ==, hint);
}

/* ----------------------------------------------------------------------------------------- parsing */

static void test_declarations(void)
{
    g_autoptr(Template) tmpl = parsed(
        "<network" NS "><vnat:description> What it is </vnat:description><vnat:param name='a' type='name'/>"
        "<vnat:param name='B-2_c' type='int' min='-5' max='7' default='+3' optional='no'/>"
        "<vnat:param name='m' type='mac' default='52:54:00:AB:cd:EF'/>"
        "<vnat:param name='e' type='enum' values=' x\ty  z ' optional='yes'/></network>");
    const TemplateParam *a = template_param(tmpl, "a"), *b = template_param(tmpl, "B-2_c");
    const TemplateParam *e = template_param(tmpl, "e");

    g_assert_cmpstr(template_description(tmpl), ==, "What it is");
    g_assert_cmpuint(template_params(tmpl)->len, ==, 4);
    g_assert_true(g_ptr_array_index(template_params(tmpl), 1) == b);
    g_assert_cmpint(a->type, ==, PARAM_NAME);
    g_assert_null(a->default_value);
    g_assert_false(a->optional);
    g_assert_cmpint(b->min, ==, -5);
    g_assert_cmpint(b->max, ==, 7);
    g_assert_cmpstr(b->default_value, ==, "3");
    g_assert_cmpstr(template_param(tmpl, "m")->default_value, ==, "52:54:00:ab:cd:ef");
    g_assert_true(e->optional);
    g_assert_cmpuint(g_strv_length(e->values), ==, 3);
    g_assert_cmpstr(e->values[2], ==, "z");
    g_assert_null(template_param(tmpl, "b"));
}

static void test_bad_declarations(void)
{
    refused_param("", "a parameter without a name");
    refused_param("name='' type='text'", "'' is no parameter name");
    refused_param("name='1a' type='text'", "'1a' is no parameter name");
    refused_param("name='a.b' type='text'", "'a.b' is no parameter name");
    refused_param("name='a}' type='text'", "'a}' is no parameter name");
    refused_param("name='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' type='text'", "'aaaaa");
    refused_param("name='a'", "'a' has no type");
    refused_param("name='a' type='cidr'", "'a' has the unknown type 'cidr'");
    refused_param("name='a' type='text' optional='true'", "optional='true' of 'a' is neither");
    refused_param("name='a' type='text' min='1'", "'a' is no int, so it has no min");
    refused_param("name='a' type='int' max='x'", "max='x' of 'a' is no number");
    refused_param("name='a' type='int' max='9999999999999999999999'", "max='9999999999999999999999' of");
    refused_param("name='a' type='int' min='2' max='1'", "min of 'a' is over its max");
    refused_param("name='a' type='int' default='-1'",
                  "the default '-1' of 'a' (int) is not a number from 0 to 2147483647");
    refused_param("name='a' type='name' values='x'", "'a' is no enum, so it has no values");
    refused_param("name='a' type='enum'", "the enum 'a' has no values");
    refused_param("name='a' type='enum' values='  '", "the enum 'a' has no values");
    refused_param("name='a' type='enum' values='x y' default='z'",
                  "the default 'z' of 'a' (enum) is not one of x, y");
    refused_param("name='a' type='cidr4' default='10.0.0.0/31'",
                  "the default '10.0.0.0/31' of 'a' (cidr4) is not an IPv4");
    refused_param("name='a' type='text' default='${b}'", "the default of 'a' refers to a parameter");
    refused_param("name='a' type='text' help='x'", "unknown attribute 'help'");
    refused_param("name='a' type='text' vnat:if='a'", "unknown attribute 'if'");
    refused("<network" NS "><vnat:param name='a' type='text'>x</vnat:param></network>",
            "param: line 1: a declaration holds nothing but");
    refused("<network" NS "><vnat:param name='a' type='text'/>\n<vnat:param name='a' type='text'/></network>",
            "param: line 2: 'a' is declared twice");
    refused("<network" NS "><vnat:description/><vnat:description/></network>",
            "description: line 1: there are two");
    refused("<network" NS "><vnat:description><b/></vnat:description></network>",
            "description: line 1: it holds text");
    refused("<network" NS "><vnat:description x='1'/></network>", "description: ");
}

static void test_vocabulary(void)
{
    refused("<domain" NS "/>", "root: the document element is <domain>");
    refused("<network xmlns='urn:vnat:template:1'/>", "root: ");
    refused("<vnat:network" NS "/>", "root: ");
    refused("<network" NS "><vnat:for/></network>", "vocabulary: line 1: unknown or misplaced element 'for'");
    refused("<network" NS "><ip><vnat:param name='a' type='text'/></ip></network>", "vocabulary: ");
    refused("<network><ip" NS "><vnat:x/></ip></network>", "vocabulary: ");
    refused("<network" NS " vnat:name='x'/>", "vocabulary: line 1: unknown attribute 'name'");
    refused("<network" NS "><metadata><vnat:other/></metadata></network>", "vocabulary: ");
    refused("<network" NS "><metadata><x><vnat:template/></x></metadata></network>", "vocabulary: ");
    refused("<network xmlns:t='" TEMPLATE_NAMESPACE "'><t:paramm/></network>", "vocabulary: ");
    refused("<network" NS "><ip vnat:if='a'/></network>", "if: line 1: no parameter 'a' is declared");
    refused("<network" NS " vnat:if='a'><vnat:param name='a' type='text'/></network>",
            "if: line 1: the document element");
    refused("<network><vnat:param/></network>", "syntax: ");
}

static void test_bad_references(void)
{
    static const struct {
        const char *body, *message;
    } wrong[] = {
        {"<name>${b}</name>", "reference: line 1: ${b}: no such parameter"},
        {"<name>${}</name>", "reference: line 1: ${}: no such parameter"},
        {"<name>${ a}</name>", "reference: line 1: ${ a}: "},
        {"<name>${a</name>", "reference: line 1: ${: there is no closing brace"},
        {"<name>x${</name>", "reference: "},
        {"<ip address='${a.gateway'/>", "reference: "},
        {"<name>${a.gateway}</name>",
         "reference: line 1: ${a.gateway}: the parameter's type has no such part"},
        {"<name>${c.}</name>", "reference: "},
        {"<name>${c.mask}</name>", "reference: "},
        {"<name>${c.prefix.x}</name>", "reference: "},
        {"<name>${d.netmask}</name>", "reference: "},
        {"<name>&#36;{b}</name>", "reference: "},
        {"<name><![CDATA[${b}]]></name>", "reference: "},
        {"<metadata><x>${b}</x></metadata>", "reference: "},
        {"<a vnat:if='a' b='${b}'/>", "reference: "},
        {"<a><b><c d='e${${a}}'/></b></a>", "reference: "},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<network" NS "><vnat:param name='a' type='text'/><vnat:param name='c' type='cidr4'/>"
            "<vnat:param name='d' type='cidr6'/>%s</network>",
            wrong[i].body);

        refused(xml, wrong[i].message);
    }
}

/* base/xml's rules come through. */
static void test_hostile(void)
{
    refused("<!DOCTYPE network [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><network>&x;</network>",
            "doctype: ");
    refused("<?xml version='1.0' encoding='UTF-16'?><network/>", "encoding: ");
    refused("", "syntax: ");
    refused("<network>", "syntax: ");
    refused("<network" NS
            " xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd'/></networ>",
            "syntax: ");
}

/* An XInclude is an element like others: nothing is included. */
static void test_xinclude(void)
{
    renders("<network" NS
            " xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd'/></network>",
            "",
            "<network xmlns:xi=\"http://www.w3.org/2001/XInclude\">\n  <xi:include "
            "href=\"/etc/passwd\"/>\n</network>\n");
}

static void test_truncated(void)
{
    const char *xml = "<network" NS "><vnat:param name='a' type='cidr4' default='10.0.0.0/8'/>"
                      "<ip vnat:if='a' address='${a.gateway}'>${a}$${</ip></network>";

    for (gsize i = 0; i < strlen(xml); i++) {
        g_autofree char *part = g_memdup2(xml, MAX(i, 1));
        g_autoptr(GError) error = NULL;

        g_assert_null(template_parse(part, i, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
    template_free(parsed(xml));
}

/* --------------------------------------------------------------------------------------- rendering */

static void test_substitution(void)
{
    g_autofree char *xml = with_param("name='p' type='text'",
                                      "<a b='x${p}y${p}' c=\"$p\">1${p}2<d>$${p} $$ $ {p}</d>$$${p}</a>");

    renders(xml, "p=V", "<network>\n  <a b=\"xVyV\" c=\"$p\">1V2<d>${p} $$ $ {p}</d>$${p}</a>\n</network>\n");
}

static const char markup[] = "'\"/><x a='&lt;'>]]>&amp;<!--${p}$${p}&#60;";

/* Whatever a value holds, it comes back as the text it was. */
static void test_no_markup(void)
{
    g_autofree char *xml = with_param("name='p' type='text'", "<a b='${p}'>${p}</a><c><![CDATA[${p}]]></c>");
    g_autoptr(Template) tmpl = parsed(xml);
    g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *attr = NULL, *content = NULL, *cdata = NULL, *kept = NULL;
    g_autoptr(xmlDoc) doc = NULL;
    xmlNodePtr root, record;

    g_hash_table_insert(values, (gpointer) "p", (gpointer)markup);
    text = template_render(tmpl, values, NULL, markup, NULL, &error);
    g_assert_no_error(error);
    doc = xml_parse(text, strlen(text), &XML_LIMITS_FILE, &error);
    g_assert_no_error(error);
    root = xmlDocGetRootElement(doc);
    g_assert_cmpuint(xmlChildElementCount(root), ==, 3);
    attr = xml_attr(xml_child(root, "a"), "b");
    content = xml_text(xml_child(root, "a"));
    cdata = xml_text(xml_child(root, "c"));
    g_assert_cmpstr(attr, ==, markup);
    g_assert_cmpstr(content, ==, markup);
    g_assert_cmpstr(cdata, ==, markup);
    record = xmlFirstElementChild(xml_child(root, "metadata"));
    kept = xml_attr(record, "name");
    g_assert_cmpstr(kept, ==, markup);
}

static void test_conditions(void)
{
    const char *xml =
        "<network" NS "><vnat:param name='o' type='text' optional='yes'/>"
        "<vnat:param name='b' type='bool' default='no'/><vnat:param name='i' type='int' default='0'/>"
        "<a vnat:if='o' x='${o}'><b>${o}</b></a><c vnat:if='b'><d vnat:if='o'/></c><e "
        "vnat:if='i'/></network>";

    renders(xml, "", "<network>\n  <e/>\n</network>\n");
    renders(xml, "o= b=yes",
            "<network>\n  <a x=\"\">\n    <b/>\n  </a>\n  <c>\n    <d/>\n  </c>\n  <e/>\n</network>\n");
    renders(xml, "b=1", "<network>\n  <c/>\n  <e/>\n</network>\n");
    renders(xml, "o=x", "<network>\n  <a x=\"x\">\n    <b>x</b>\n  </a>\n  <e/>\n</network>\n");
}

static void test_value_errors(void)
{
    const char *xml = "<network" NS "><vnat:param name='subnet' type='cidr4' optional='yes'/>"
                      "<vnat:param name='name' type='name'/><vnat:param name='mtu' type='int' min='68' "
                      "max='9000' default='68'/>"
                      "<a>${subnet.gateway}</a></network>";

    render_refused(xml, "name=x subnt=1 zz=2", VNAT_ERROR_USAGE, "the template has no parameter 'subnt'",
                   "did you mean 'subnet'? It has: subnet, name, mtu");
    render_refused(xml, "name=x zzzz=1", VNAT_ERROR_USAGE, "the template has no parameter 'zzzz'",
                   "it has: subnet, name, mtu");
    render_refused(
        xml, "", VNAT_ERROR_USAGE, "parameter 'name' (name) has no value",
        "give it one with -D name=VALUE: up to 50 of A-Z a-z 0-9 _ . - beginning with a letter or digit");
    render_refused(xml, "name=x mtu=9001", VNAT_ERROR_USAGE,
                   "parameter 'mtu' (int): '9001' is not a number from 68 to 9000", NULL);
    render_refused(xml, "name=x", VNAT_ERROR_USAGE, "parameter 'subnet' (cidr4) is used and has no value",
                   "give it one with -D subnet=VALUE");
    render_refused("<network/>", "a=1", VNAT_ERROR_USAGE, "the template has no parameter 'a'", "it has none");
}

/* 16,000 references to 1 KiB would be 16 MB. */
static void test_result_size(void)
{
    g_autoptr(GString) xml = g_string_new("<network" NS "><vnat:param name='p' type='text'/>");
    g_autofree char *value = g_strnfill(1024, 'x'), *values = g_strconcat("p=", value, NULL);

    for (guint i = 0; i < 300; i++)
        g_string_append(xml, "<a>${p}</a>");
    g_string_append(xml, "</network>");
    render_refused(xml->str, values, VNAT_ERROR_INVALID,
                   "size: the values make more than 262144 bytes of text", NULL);
}

static void test_comments(void)
{
    renders("<!-- ${a} --><network" NS
            "><!-- ${b} --><?vnat ${c}?><a>x<!-- vnat -->y</a></network><!-- e -->",
            "", "<network>\n  <a>xy</a>\n</network>\n");
}

/* The document element may hold text, and elements and attributes of anybody else. */
static void test_foreign(void)
{
    renders("<network" NS " xmlns:o='urn:o' o:if='x'>a<o:if x='1'/>b<vnat:param name='p' type='text' "
            "default='P'/>${p}</network>",
            "", "<network xmlns:o=\"urn:o\" o:if=\"x\">a<o:if x=\"1\"/>bP</network>\n");
}

#define RECORD                                                                                               \
    "    <vnat:template xmlns:vnat=\"urn:vnat:template:1\" name=\"t\">\n"                                    \
    "      <vnat:parameter name=\"b\" value=\"yes\"/>\n"                                                     \
    "      <vnat:parameter name=\"m\" value=\"52:54:00:00:00:0a\"/>\n"                                       \
    "    </vnat:template>\n"
#define HEAD                                                                                                 \
    "<network" NS " xmlns:o='urn:o'><vnat:param name='b' type='bool'/>"                                      \
    "<vnat:param name='o' type='text' optional='yes'/><vnat:param name='m' type='mac'/><name>n</name><ip/>"

static void test_metadata(void)
{
    g_autoptr(GHashTable) values = values_of("b=on m=52:54:00:00:00:0A");
    g_autoptr(Template) plain = parsed(HEAD "</network>");
    g_autoptr(Template) merged =
        parsed(HEAD "<metadata><vnat:template name='old'/><o:x y='${b}'/></metadata></network>");
    g_autofree char *first = template_render(plain, values, NULL, "t", NULL, NULL);
    g_autofree char *second = template_render(merged, values, NULL, "t", NULL, NULL);
    g_autofree char *bare = template_render(merged, values, NULL, NULL, NULL, NULL);

    g_assert_cmpstr(first, ==,
                    "<network xmlns:o=\"urn:o\">\n  <name>n</name>\n  <metadata>\n" RECORD
                    "  </metadata>\n  <ip/>\n</network>\n");
    g_assert_cmpstr(
        second, ==,
        "<network xmlns:o=\"urn:o\">\n  <name>n</name>\n  <ip/>\n  <metadata>\n    <o:x y=\"yes\"/>\n" RECORD
        "  </metadata>\n</network>\n");
    g_assert_null(strstr(bare, "vnat"));
    g_assert_nonnull(strstr(bare, "<o:x y=\"yes\"/>"));
}

static void check_place(const char *before, const char *after, const char *expected)
{
    g_autofree char *xml = g_strdup_printf("<network" NS ">%s%s</network>", before, after);
    g_autoptr(Template) tmpl = parsed(xml);
    g_autofree char *text = template_render(tmpl, NULL, NULL, "t", NULL, NULL);
    g_autoptr(xmlDoc) doc = xml_parse(text, strlen(text), &XML_LIMITS_FILE, NULL);
    g_autoptr(GString) names = g_string_new(NULL);

    for (xmlNodePtr node = xmlFirstElementChild(xmlDocGetRootElement(doc)); node;
         node = xmlNextElementSibling(node))
        g_string_append_printf(names, "%s ", (const char *)node->name);
    g_assert_cmpstr(names->str, ==, expected);
}

/* Where libvirt puts it: behind the UUID, else behind the name; one that is there stays where it is. */
static void test_metadata_place(void)
{
    check_place("<name>n</name><uuid>u</uuid>", "<ip/>", "name uuid metadata ip ");
    check_place("<name>n</name>", "<ip/>", "name metadata ip ");
    check_place("", "<ip/>", "ip metadata ");
    check_place("<name>n</name><ip/>", "<metadata>kept<x xmlns='urn:x'/></metadata>", "name ip metadata ");
}

/* What declares nothing of ours goes through byte by byte; a record in its metadata makes it no template. */
static void test_plain(void)
{
    const char *xml =
        "<?xml version='1.0'?>\n<!-- ${x} -->\n<network  a = 'b'><name>${name}$${</name>\n</network>\n\n";
    const char *dumped =
        "<network><name>${n}</name><metadata><vnat:template" NS " name='default'/></metadata></network>";
    const char *foreign = "<network xmlns:o='urn:o'><o:a xmlns='' xmlns:p='urn:p'/><b>${n}</b></network>\n";
    g_autoptr(Template) tmpl = parsed(xml), again = parsed(dumped);
    g_autofree char *recorded = NULL, *renewed = NULL;

    renders(xml, "", xml);
    renders(dumped, "", dumped);
    renders(foreign, "", foreign);
    g_assert_cmpuint(template_params(tmpl)->len, ==, 0);
    g_assert_null(template_description(tmpl));
    recorded = template_render(tmpl, NULL, NULL, "t", NULL, NULL);
    g_assert_cmpstr(recorded, ==,
                    "<network a=\"b\">\n  <name>${name}$${</name>\n  <metadata>\n    <vnat:template "
                    "xmlns:vnat=\"urn:vnat:template:1\" name=\"t\"/>\n  </metadata>\n</network>\n");
    renewed = template_render(again, NULL, NULL, "t", NULL, NULL);
    g_assert_nonnull(strstr(renewed, "name=\"t\""));
    g_assert_null(strstr(renewed, "default"));
}

/* Rendering leaves the template as it was. */
static void test_again(void)
{
    g_autofree char *xml = with_param("name='p' type='text'", "<a vnat:if='p' b='${p}'/>");
    g_autoptr(Template) tmpl = parsed(xml);
    g_autoptr(GHashTable) one = values_of("p=1"), two = values_of("p=2");
    g_autofree char *first = template_render(tmpl, one, NULL, "t", NULL, NULL);
    g_autofree char *second = template_render(tmpl, two, NULL, NULL, NULL, NULL);

    g_assert_nonnull(strstr(first, "<a b=\"1\"/>"));
    g_assert_cmpstr(second, ==, "<network>\n  <a b=\"2\"/>\n</network>\n");
}

/* ----------------------------------------------------------------------------------------- shipped */

/*
 * The shipped templates, with values; data/template/LABEL.xml is what comes of them. REGENERATE=1 writes
 * those files anew, for a look at the difference.
 */
static const struct {
    const char *label, *name, *values;
} shipped[] = {
    {"default", "default", ""},
    {"default-all", "default",
     "name=lan bridge=br-lan subnet=10.9.8.7/22 lease=120 domain=lan.example mtu=1400"},
    {"default-static", "default", "dhcp=no"},
    {"nat", "nat", ""},
    {"nat-all", "nat", "name=n2 bridge=br2 subnet=172.20.0.0/16 dev=eth0 lease=2 domain=n.example mtu=9000"},
    {"nat-ipv6", "nat-ipv6", "subnet6=fd12:3456:789a:1::/64"},
    {"nat-ipv6-all", "nat-ipv6",
     "bridge=br6 subnet=10.1.0.0/24 subnet6=fd12::5/80 dhcp=no lease=60 domain=six.example mtu=1280"},
    {"isolated", "isolated", ""},
    {"isolated-all", "isolated", "bridge=br3 subnet=10.3.0.0/30 lease=60 domain=i.example mtu=1500"},
    {"routed", "routed", ""},
    {"routed-all", "routed",
     "bridge=br4 subnet=10.4.0.254/24 dev=eth1 dhcp=yes lease=60 domain=r.example mtu=1500"},
    {"nat-dns", "nat-dns", ""},
    {"nat-dns-all", "nat-dns",
     "bridge=br5 domain=d.example forwarder=192.0.2.1 forwarder2=192.0.2.2 zone=corp.example "
     "zone-forwarder=192.0.2.3 "
     "forward-plain=yes host=printer.d.example host-address=192.168.122.200 lease=60 mtu=1500"},
};

static Template *load_shipped(const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/xml/%s.xml", SOURCE_ROOT, name), *bytes = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;
    Template *tmpl;

    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    tmpl = template_parse(bytes, length, &error);
    g_assert_no_error(error);
    return tmpl;
}

static void test_shipped(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(shipped); i++) {
        g_autoptr(Template) tmpl = load_shipped(shipped[i].name);
        g_autoptr(GHashTable) values = values_of(shipped[i].values);
        g_autofree char *golden = g_strdup_printf("%s/template/%s.xml", TEST_DATA, shipped[i].label),
                        *expected = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *text = template_render(tmpl, values, NULL, shipped[i].name, NULL, &error);

        g_assert_no_error(error);
        if (g_getenv("REGENERATE"))
            g_assert_true(g_file_set_contents(golden, text, -1, NULL));
        g_assert_true(g_file_get_contents(golden, &expected, NULL, NULL));
        g_assert_cmpstr(text, ==, expected);
    }
}

/* Each has a description, and starts without any value given. */
static void test_shipped_params(void)
{
    static const char *const names[] = {"default", "isolated", "nat", "nat-dns", "nat-ipv6", "routed"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Template) tmpl = load_shipped(names[i]);
        const TemplateParam *name = template_param(tmpl, "name"), *bridge = template_param(tmpl, "bridge");
        const TemplateParam *subnet = template_param(tmpl, "subnet");
        gboolean standard = strcmp(names[i], "default") == 0;
        g_autofree char *text = template_render(tmpl, NULL, NULL, NULL, NULL, NULL);

        g_assert_nonnull(template_description(tmpl));
        g_assert_cmpstr(name->default_value, ==, names[i]);
        g_assert_cmpstr(bridge->default_value, ==, standard ? "virbr0" : NULL);
        g_assert_cmpstr(subnet->default_value, ==, standard ? "192.168.122.0/24" : "auto");
        g_assert_nonnull(text);
        g_assert_null(strstr(text, "vnat"));
        g_assert_null(strchr(text, '$'));
    }
}

/* The manual page knows every type. */
static void test_manual(void)
{
    g_autofree char *page = NULL;

    g_assert_true(g_file_get_contents(SOURCE_ROOT "/docs/man/vnat-template.5.rst", &page, NULL, NULL));
    for (guint i = 0; i < PARAM_TYPE_COUNT; i++) {
        g_autofree char *entry = g_strdup_printf("\n``%s``\n", param_type_name((ParamType)i));

        g_assert_nonnull(strstr(page, entry));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/template/declarations", test_declarations);
    g_test_add_func("/template/bad-declarations", test_bad_declarations);
    g_test_add_func("/template/vocabulary", test_vocabulary);
    g_test_add_func("/template/bad-references", test_bad_references);
    g_test_add_func("/template/hostile", test_hostile);
    g_test_add_func("/template/xinclude", test_xinclude);
    g_test_add_func("/template/truncated", test_truncated);
    g_test_add_func("/template/substitution", test_substitution);
    g_test_add_func("/template/no-markup", test_no_markup);
    g_test_add_func("/template/conditions", test_conditions);
    g_test_add_func("/template/value-errors", test_value_errors);
    g_test_add_func("/template/result-size", test_result_size);
    g_test_add_func("/template/comments", test_comments);
    g_test_add_func("/template/foreign", test_foreign);
    g_test_add_func("/template/metadata", test_metadata);
    g_test_add_func("/template/metadata/place", test_metadata_place);
    g_test_add_func("/template/plain", test_plain);
    g_test_add_func("/template/again", test_again);
    g_test_add_func("/template/shipped", test_shipped);
    g_test_add_func("/template/shipped-params", test_shipped_params);
    g_test_add_func("/template/manual", test_manual);
    return g_test_run();
}
