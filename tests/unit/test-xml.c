/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/xml.h"

#include <libxml/parser.h>
#include <string.h>

/* Parses; on refusal checks that the message begins with the rule's name . */
static void refused(const char *bytes, gsize length, const XmlLimits *limits, const char *rule)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = xml_parse(bytes, length, limits, &error);
    g_autofree char *prefix = g_strconcat(rule, ": ", NULL);

    g_assert_null(doc);
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    if (!g_str_has_prefix(error->message, prefix))
        g_error("'%s' does not begin with '%s'", error->message, prefix);
}

static void refused_text(const char *xml, const char *rule)
{
    refused(xml, strlen(xml), &XML_LIMITS_FILE, rule);
}

static xmlDocPtr accepted(const char *xml)
{
    g_autoptr(GError) error = NULL;
    xmlDocPtr doc = xml_parse(xml, strlen(xml), &XML_LIMITS_FILE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(doc);
    return doc;
}

static void accepts(const char *xml)
{
    xmlFreeDoc(accepted(xml));
}

static void test_shapes(void)
{
    accepts("<a/>");
    accepts("\xef\xbb\xbf<a/>");
    accepts("<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n");
    accepts("<?xml version=\"1.0\" encoding = \"us-ascii\" standalone='yes' ?><a></a >");
    accepts("<!-- c --><?pi data?><a b = '1>2' c=\"&lt;'\"\n>x<!-- < & --><b/><![CDATA[<&>]]></a><!-- e -->");
    accepts("<n:a xmlns:n='urn:x' n:b=''>\xc3\xa4</n:a>");
    accepts("<a\r\n\tb='1'\r/>");
    /* An instruction whose name only begins like the XML declaration's declares nothing. */
    accepts("<?xml-stylesheet encoding='UTF-16'?><a/>");
}

static void test_syntax(void)
{
    static const char *const wrong[] = {
        "",
        " ",
        "\n",
        "a",
        "<",
        "<a",
        "<a>",
        "<a/",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "text<a/>",
        "<a b/>",
        "<a b=/>",
        "<a b=c/>",
        "<a b='c/>",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<a>&x;</a>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a>\x01</a>",
        "<!-- <a/>",
        "<a><![CDATA[</a>",
        "<![CDATA[x]]><a/>",
        "<?pi <a/>",
        "<a><!ELEMENT b></a>",
        "<?xml version='1.0'",
        "<?xml encoding='UTF-8'?><a/>",
        "<n:a/>",
        "<a n:b='1'/>",
        "<a>]]></a>",
        "< a/>",
        "<a></a",
        "<a/b>",
        "<1/>",
        "<a\x7f!/>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        refused_text(wrong[i], "syntax");
}

/* What must be stopped before libxml2 may see another token than was counted; so it is our message. */
static void test_scan(void)
{
    static const struct {
        const char *xml, *message;
    } wrong[] = {
        {"<a>\n\n<b c='1' d/></a>", "syntax: line 3: an attribute has no value"},
        {"<a b='<'/>", "syntax: line 1: an attribute's value holds '<'"},
        {"<a b='1'c='2'/>", "syntax: line 1: a tag is not closed"},
        {"<a b=1/>", "syntax: line 1: an attribute's value is not quoted"},
        {"<a b='1/>", "syntax: line 1: an attribute's value is not closed"},
        {"<a>\n", "syntax: line 2: the document ends inside an element"},
        {"<a/></a>", "syntax: line 1: an end tag without a start tag"},
        {"<a></a b='1'>", "syntax: line 1: an end tag is not closed"},
        {"<a><!ELEMENT b></a>", "syntax: line 1: '<!' that is no comment"},
        {"<!-- <a/>", "syntax: line 1: a comment is not closed"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(xml_parse(wrong[i].xml, strlen(wrong[i].xml), &XML_LIMITS_FILE, &error));
        g_assert_cmpstr(error->message, ==, wrong[i].message);
    }
}

static void test_encodings(void)
{
    static const char utf16[] = "\xff\xfe<\0a\0/\0>\0", utf16be[] = "\xfe\xff\0<\0a\0/\0>";
    static const char utf32[] = "\xff\xfe\0\0<\0\0\0a\0\0\0/\0\0\0>\0\0\0", plain16[] = "<\0a\0/\0>\0";
    static const char nul[] = "<a>x\0</a>", after[] = "<a/>\0<b>";

    refused(utf16, sizeof utf16 - 1, &XML_LIMITS_FILE, "encoding");
    refused(utf16be, sizeof utf16be - 1, &XML_LIMITS_FILE, "encoding");
    refused(utf32, sizeof utf32 - 1, &XML_LIMITS_FILE, "encoding");
    refused(plain16, sizeof plain16 - 1, &XML_LIMITS_FILE, "nul");
    refused(nul, sizeof nul - 1, &XML_LIMITS_FILE, "nul");
    refused(after, sizeof after - 1, &XML_LIMITS_FILE, "nul");
    refused_text("<?xml version='1.0' encoding='UTF-16'?><a/>", "encoding");
    refused_text("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "encoding");
    refused_text("<?xml version='1.0' encoding='UTF-7'?><a/>", "encoding");
    refused_text("<?xml\tversion='1.0'\nencoding\t=\n\"UTF-8x\"?><a/>", "encoding");
    refused_text("<?xml version='1.0' encoding='EBCDIC-CP-US' encoding='UTF-8'?><a/>", "encoding");
    refused_text("<a>\xe4</a>", "encoding");
    refused_text("<a>\xc0\xaf</a>", "encoding");
    refused_text("<a>\xed\xa0\x80</a>", "encoding");
    refused_text("\x4c\x6f\xa7\x94", "encoding");
}

/* The message repeats as much of the name as a reader needs. */
static void test_encoding_name(void)
{
    g_autofree char *name = g_strnfill(1000, 'x');
    g_autofree char *xml = g_strdup_printf("<?xml version='1.0' encoding='%s'?><a/>", name);
    g_autofree char *message = g_strdup_printf("encoding: the document is in %.40s, not in UTF-8", name);
    g_autoptr(GError) error = NULL;

    g_assert_null(xml_parse(xml, strlen(xml), &XML_LIMITS_FILE, &error));
    g_assert_cmpstr(error->message, ==, message);
}

static void test_doctype(void)
{
    refused_text("<!DOCTYPE a><a/>", "doctype");
    refused_text(
        "<?xml version='1.0'?>\n<!-- c -->\n<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "doctype");
    refused_text("<!DOCTYPE a SYSTEM 'http://192.0.2.1/x.dtd'><a/>", "doctype");
    refused_text("<!DOCTYPE", "doctype");
    refused_text("<!DOCTYPE a [", "doctype");
    refused_text("<a><!DOCTYPE a></a>", "doctype");
    refused_text("<!doctype a><a/>", "syntax");
}

static char *bomb(void)
{
    GString *xml = g_string_new("<!DOCTYPE a [<!ENTITY e0 'lol'>");

    for (guint i = 1; i < 900; i++)
        g_string_append_printf(xml, "<!ENTITY e%u '&e%u;&e%u;&e%u;&e%u;'>", i, i - 1, i - 1, i - 1, i - 1);
    g_string_append(xml, "]><a>&e899;</a>");
    return g_string_free(xml, FALSE);
}

static void test_bomb(void)
{
    g_autofree char *xml = bomb();

    refused_text(xml, "doctype");
}

static char *nested(guint depth)
{
    GString *xml = g_string_new(NULL);

    for (guint i = 0; i < depth; i++)
        g_string_append(xml, "<a>");
    for (guint i = 0; i < depth; i++)
        g_string_append(xml, "</a>");
    return g_string_free(xml, FALSE);
}

/* A document of n pieces between head and tail. */
static char *repeated(const char *head, guint n, const char *format, const char *tail)
{
    GString *xml = g_string_new(head);

    for (guint i = 0; i < n; i++) {
        g_autofree char *number = g_strdup_printf("%u", i);
        g_auto(GStrv) parts = g_strsplit(format, "@", -1);
        g_autofree char *piece = g_strjoinv(number, parts);

        g_string_append(xml, piece);
    }
    g_string_append(xml, tail);
    return g_string_free(xml, FALSE);
}

static void test_limits(void)
{
    g_autofree char *depth32 = nested(32), *depth33 = nested(33), *depth5000 = nested(5000);
    g_autofree char *elements = repeated("<r>", 4095, "<e/>", "</r>");
    g_autofree char *more_elements = repeated("<r>", 4096, "<e/>", "</r>");
    g_autofree char *attributes = repeated("<r", 64, " a@=''", "/>");
    g_autofree char *more_attributes = repeated("<r", 65, " a@=''", "/>");
    g_autofree char *namespaces = repeated("<r", 65, " xmlns:a@='u'", "/>");
    g_autofree char *text = repeated("<r>", 4096, "x", "</r>"),
                    *more_text = repeated("<r>", 4097, "x", "</r>");
    g_autofree char *value = repeated("<r a='", 4096, "x", "'/>");
    g_autofree char *more_value = repeated("<r a='", 4097, "x", "'/>");
    g_autofree char *cdata = repeated("<r><![CDATA[", 4097, "x", "]]></r>");

    accepts(depth32);
    refused_text(depth33, "depth");
    refused_text(depth5000, "depth");
    accepts(elements);
    refused_text(more_elements, "elements");
    accepts(attributes);
    refused_text(more_attributes, "attributes");
    refused_text(namespaces, "attributes");
    accepts(text);
    refused_text(more_text, "text");
    accepts(value);
    refused_text(more_value, "text");
    refused_text(cdata, "text");
}

static void test_size(void)
{
    gsize most = XML_LIMITS_FILE.bytes;
    g_autofree char *xml = g_strnfill(most + 1, ' ');
    g_autofree char *big = g_strnfill(10 * 1000 * 1000, 'x');
    g_autoptr(GError) error = NULL;

    memcpy(xml, "<a/>", 4);
    refused(xml, most + 1, &XML_LIMITS_FILE, "size");
    xmlFreeDoc(xml_parse(xml, most, &XML_LIMITS_FILE, &error));
    g_assert_no_error(error);
    refused(big, 10 * 1000 * 1000, &XML_LIMITS_FILE, "size");
    refused(big, 10 * 1000 * 1000, &XML_LIMITS_LIBVIRT, "size");
}

/* Where the size does not stop it, the count of attributes must, before libxml2 compares each with each. */
static void test_many_attributes(void)
{
    g_autofree char *xml = repeated("<r", 200000, " a@=''", "/>");

    g_assert_cmpuint(strlen(xml), <, XML_LIMITS_LIBVIRT.bytes);
    refused(xml, strlen(xml), &XML_LIMITS_LIBVIRT, "attributes");
    refused(xml, strlen(xml), &XML_LIMITS_FILE, "size");
}

/* Metadata in what libvirt hands out is anybody's. */
static void test_libvirt_attributes(void)
{
    g_autofree char *most = repeated("<r", 1024, " a@=''", "/>");
    g_autofree char *over = repeated("<r", 1025, " a@=''", "/>");
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = xml_parse(most, strlen(most), &XML_LIMITS_LIBVIRT, &error);

    g_assert_no_error(error);
    g_assert_nonnull(doc);
    refused(over, strlen(over), &XML_LIMITS_LIBVIRT, "attributes");
}

/* Every beginning of a good document is refused, and read no further than its end (the copies have no slack).
 */
static void test_truncated(void)
{
    const char *xml =
        "<?xml version='1.0' encoding='UTF-8'?>\n<!-- c -->\n<n a='1' b=\"2\"><![CDATA[x]]>t<?p d?>"
        "<b/>\xc3\xa4&amp;&#65;</n>";
    gsize length = strlen(xml);

    for (gsize i = 0; i < length; i++) {
        g_autofree char *part = g_memdup2(xml, MAX(i, 1));
        g_autoptr(GError) error = NULL;

        g_assert_null(xml_parse(part, i, &XML_LIMITS_FILE, &error));
        g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    }
    accepts(xml);
}

static void test_accessors(void)
{
    g_autoptr(xmlDoc) doc =
        accepted("<r xmlns:v='urn:v'><v:a i='0'/><a i='1' v:j='2' k=''>x<![CDATA[<y>]]>&amp;</a><b/>"
                 "<a i='3'/><c>p<d>q</d></c></r>");
    xmlNodePtr root = xmlDocGetRootElement(doc), first = xml_child(root, "a"), second = xml_next(first, "a");
    g_autofree char *i = xml_attr(first, "i"), *j = xml_attr(first, "j"), *k = xml_attr(first, "k");
    g_autofree char *text = xml_text(first), *empty = xml_text(second),
                    *deep = xml_text(xml_child(root, "c"));
    g_autofree char *node = xml_node_string(doc, second);

    g_assert_cmpstr(i, ==, "1");
    g_assert_null(j);
    g_assert_cmpstr(k, ==, "");
    g_assert_cmpstr(text, ==, "x<y>&");
    g_assert_cmpstr(empty, ==, "");
    g_assert_cmpstr(deep, ==, "pq");
    g_assert_true(xml_attr_is(second, "i", "3"));
    g_assert_false(xml_attr_is(second, "i", "1"));
    g_assert_false(xml_attr_is(NULL, "i", "1"));
    g_assert_null(xml_next(second, "a"));
    g_assert_null(xml_next(NULL, "a"));
    g_assert_null(xml_child(NULL, "a"));
    g_assert_null(xml_child(root, "z"));
    g_assert_null(xml_attr(NULL, "i"));
    g_assert_null(xml_text(NULL));
    g_assert_cmpstr(node, ==, "<a i=\"3\"/>");
}

static void test_string(void)
{
    g_autoptr(xmlDoc) doc =
        accepted("<?xml version='1.0'?><r><a b='&lt;&quot;\xc3\xa4'/><c>&lt;&#13;</c></r>");
    g_autofree char *text = xml_node_string(doc, xmlDocGetRootElement(doc));

    g_assert_cmpstr(text, ==, "<r>\n  <a b=\"&lt;&quot;&#xE4;\"/>\n  <c>&lt;&#13;</c>\n</r>");
}

static gboolean skip_z(guint depth, const char *name)
{
    return strcmp(name, "z") == 0 || (depth == 3 && strcmp(name, "y") == 0);
}

static void test_some(void)
{
    const char *xml = "<z><y><a/>t<y>gone<y/></y><n:z xmlns:n='u'>&lt;<![CDATA[gone]]></n:z><b/></y>"
                      "<z><z/></z><!-- c --><y/></z>";
    const char *bad = "<a><z>&x;</z></a>", *mismatched = "<a><z></y></a>";
    g_autoptr(xmlDoc) doc = xml_parse_some(xml, strlen(xml), &XML_LIMITS_FILE, skip_z, NULL);
    g_autofree char *text = xml_node_string(doc, xmlDocGetRootElement(doc));

    g_assert_cmpstr(text, ==, "<z>\n  <y><a/>t<b/></y>\n  <y/>\n</z>");
    g_assert_null(xml_parse_some(bad, strlen(bad), &XML_LIMITS_FILE, skip_z, NULL));
    g_assert_null(xml_parse_some(mismatched, strlen(mismatched), &XML_LIMITS_FILE, skip_z, NULL));
}

static gpointer parse_often(gpointer data)
{
    for (guint i = 0; i < 200; i++) {
        accepts("<a><b c='1'>text</b></a>");
        refused_text("<a>&x;</a>", "syntax");
    }
    return NULL;
}

static void test_threads(void)
{
    GThread *threads[4];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("xml", parse_often, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

static void test_validate(void)
{
    const char *schema = SOURCE_ROOT "/tests/unit/data/xml/note.rng";
    const char *broken = SOURCE_ROOT "/tests/unit/data/xml/broken.rng";
    g_autoptr(xmlDoc) good = accepted("<note><to>x</to></note>"), bad = accepted("<note><cc/></note>");
    g_autoptr(GError) error = NULL;

    g_assert_true(xml_validate(good, schema, &error));
    g_assert_no_error(error);
    g_assert_false(xml_validate(bad, schema, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_INVALID);
    g_assert_true(g_str_has_prefix(error->message, "schema: "));
    g_assert_nonnull(strstr(error->message, "cc"));
    g_clear_error(&error);
    g_assert_false(xml_validate(good, broken, &error));
    g_assert_error(error, VNAT_ERROR, VNAT_ERROR_FAILED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml/validate", test_validate);
    g_test_add_func("/xml/shapes", test_shapes);
    g_test_add_func("/xml/syntax", test_syntax);
    g_test_add_func("/xml/scan", test_scan);
    g_test_add_func("/xml/encodings", test_encodings);
    g_test_add_func("/xml/encoding-name", test_encoding_name);
    g_test_add_func("/xml/doctype", test_doctype);
    g_test_add_func("/xml/bomb", test_bomb);
    g_test_add_func("/xml/limits", test_limits);
    g_test_add_func("/xml/size", test_size);
    g_test_add_func("/xml/many-attributes", test_many_attributes);
    g_test_add_func("/xml/libvirt-attributes", test_libvirt_attributes);
    g_test_add_func("/xml/truncated", test_truncated);
    g_test_add_func("/xml/accessors", test_accessors);
    g_test_add_func("/xml/string", test_string);
    g_test_add_func("/xml/some", test_some);
    g_test_add_func("/xml/threads", test_threads);
    return g_test_run();
}
