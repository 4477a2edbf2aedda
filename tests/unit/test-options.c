/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "commands/globals.h"

#include <string.h>

/* A command with every kind of option, tried with command lines written as one text, words apart by '|'. */

static const Option own_options[] = {
    {"define", 'D', OPTION_LIST, "K=V", "a list", NULL},
    {"bridge", 'b', OPTION_VALUE, "NAME", "a value", NULL},
    {"bridge-mtu", 0, OPTION_NUMBER, "N", "a number", NULL},
    {"force", 'f', OPTION_FLAG, NULL, "a flag", NULL},
    {0},
};

static const Argument own_arguments[] = {{"NETWORK", FALSE, NULL}, {"MAC", TRUE, NULL}, {0}};

static char *get_nothing(gconstpointer record, const ViewContext *view)
{
    return NULL;
}

static const Column own_columns[] = {{"tap", "Tap", "x", get_nothing, NULL},
                                     {"mac", "MAC", "x", get_nothing, NULL}};
static const ColumnSet own_set = {own_columns, G_N_ELEMENTS(own_columns)};

static const Command command_own = {
    .name = "try",
    .summary = "try it",
    .arguments = own_arguments,
    .options = own_options,
    .flags = COMMAND_JSON,
    .columns = &own_set,
    .standard = "tap",
};

/* The second argument's name is that of an option without a value, which is something else. */
static const Argument named_arguments[] = {{"FILE|TEMPLATE", FALSE, NULL}, {"FORCE", TRUE, NULL}, {0}};
static const Command command_named = {
    .name = "named", .summary = "named", .arguments = named_arguments, .options = own_options};

/* The second argument's name is that of an option, which is the same thing. */
static const Argument same_arguments[] = {{"NETWORK", FALSE, NULL}, {"BRIDGE", TRUE, NULL}, {0}};
static const Command command_same = {
    .name = "same", .summary = "same", .arguments = same_arguments, .options = own_options};

static const Argument many_arguments[] = {{"NETWORK", TRUE, NULL}, {0}};
static const Command command_many = {.name = "many",
                                     .summary = "many",
                                     .arguments = many_arguments,
                                     .options = own_options,
                                     .flags = COMMAND_MANY};

static const Command command_plain = {.name = "plain", .summary = "no JSON, no table, no words"};
static const Command command_raw = {.name = "raw", .summary = "as they are", .flags = COMMAND_RAW};

typedef struct {
    Context ctx;
    char **words;
    char **argv; /* the same words, in the order that parsing leaves them */
    GError *error;
    gboolean ok;
} Parsed;

static void parsed_clear(Parsed *parsed)
{
    g_clear_error(&parsed->error);
    g_clear_pointer(&parsed->ctx.options, g_hash_table_unref);
    g_clear_pointer(&parsed->ctx.words, g_ptr_array_unref);
    g_clear_pointer(&parsed->ctx.columns, g_ptr_array_unref);
    g_free(parsed->argv);
    g_strfreev(parsed->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parsed, parsed_clear)

static int parsed_split(Parsed *parsed, const char *line)
{
    g_autofree char *whole = g_strconcat("vnat|", line, NULL);
    guint count;

    parsed->words = g_strsplit(*line ? whole : "vnat", "|", -1);
    count = g_strv_length(parsed->words);
    parsed->argv = g_memdup2(parsed->words, (count + 1) * sizeof(char *));
    return (int)count;
}

static Parsed parse(const Command *command, const char *line)
{
    Parsed parsed = {0};
    int count = parsed_split(&parsed, line);

    parsed.ctx.options =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    parsed.ok = command_parse(&parsed.ctx, command, count, parsed.argv, &parsed.error);
    g_assert_cmpint(parsed.ok, ==, parsed.error == NULL);
    return parsed;
}

/* What was understood: "NETWORK MAC define=a,b bridge=x force". */
static char *understood(const Context *ctx)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < ctx->words->len; i++)
        g_string_append_printf(text, "%s ", argument(ctx, i));
    for (const Option *option = own_options; option->name; option++) {
        const GPtrArray *values = option_list(ctx, option->name);

        for (guint i = 0; values && i < values->len; i++)
            g_string_append_printf(text, i == 0 ? "%s=%s" : ",%.0s%s", option->name,
                                   (const char *)values->pdata[i]);
        if (values)
            g_string_append_c(text, ' ');
    }
    return g_string_free(text, FALSE);
}

static void assert_understood(const Command *command, const char *line, const char *expected)
{
    g_auto(Parsed) parsed = parse(command, line);
    g_autofree char *text = NULL;

    g_assert_no_error(parsed.error);
    text = understood(&parsed.ctx);
    g_assert_cmpstr(text, ==, expected);
}

static void assert_line(const char *line, const char *expected)
{
    assert_understood(&command_own, line, expected);
}

static void assert_refused(const Command *command, const char *line, const char *message, const char *hint)
{
    g_auto(Parsed) parsed = parse(command, line);

    g_assert_error(parsed.error, VNAT_ERROR, VNAT_ERROR_USAGE);
    g_assert_cmpstr(parsed.error->message, ==, message);
    g_assert_cmpstr(vnat_error_get_hint(parsed.error), ==, hint);
}

/* --------------------------------------------------------------------------------------- a command */

static void test_places(void)
{
    assert_line("net", "net ");
    assert_line("net|mac", "net mac ");
    assert_line("-f|net|mac", "net mac force= ");
    assert_line("net|-f|mac", "net mac force= ");
    assert_line("net|mac|-f", "net mac force= ");
    assert_line("net|-b|x|mac|-D|a=1", "net mac define=a=1 bridge=x ");
}

static void test_values(void)
{
    assert_line("net|-Da=1", "net define=a=1 ");
    assert_line("net|-D|a=1", "net define=a=1 ");
    assert_line("net|--define=a=1", "net define=a=1 ");
    assert_line("net|--define|a=1", "net define=a=1 ");
    assert_line("net|--define=", "net define= ");
    assert_line("net|-D|", "net define= ");
    assert_line("net|-Da=1|--define|b=2|-D|c", "net define=a=1,b=2,c ");
    assert_line("net|-fbx", "net bridge=x force= ");
    assert_line("net|-fb|x", "net bridge=x force= ");
    /* A value may look like an option, also like one that it is not. */
    assert_line("net|-b|-f", "net bridge=-f ");
    assert_line("net|--bridge|--force", "net bridge=--force ");
    assert_line("net|-b|--", "net bridge=-- ");
    assert_line("net|-D|--bridge|-b|y", "net define=--bridge bridge=y ");
    assert_line("net|-f|-f", "net force=, ");
}

static void test_last_wins(void)
{
    g_auto(Parsed) parsed = parse(&command_own, "net|-b|x|-b|y");

    g_assert_cmpstr(option_value(&parsed.ctx, "bridge"), ==, "y");
    g_assert_null(option_value(&parsed.ctx, "define"));
    g_assert_false(option_flag(&parsed.ctx, "force"));
    g_assert_null(argument(&parsed.ctx, 1));
    g_assert_null(argument(&parsed.ctx, 99));
}

static void test_end_of_options(void)
{
    assert_line("--|net", "net ");
    assert_line("--|-f", "-f ");
    assert_line("net|--|--force", "net --force ");
    assert_line("-f|--|--|x", "-- x force= ");
    /* A lone dash is a word. */
    assert_line("-", "- ");
}

/* The caller's shell may want options first; scripts must not depend on it. */
static void test_posixly_correct(void)
{
    g_setenv("POSIXLY_CORRECT", "1", TRUE);
    assert_line("net|-f|mac", "net mac force= ");
    g_unsetenv("POSIXLY_CORRECT");
}

static void test_abbreviations(void)
{
    static const struct {
        const char *line, *word, *hint;
    } cases[] = {
        {"net|--forc", "--forc", "did you mean '--force'?"},
        {"net|--f", "--f", NULL},
        {"net|--forc|mac", "--forc", "did you mean '--force'?"},
        {"net|--defin=x", "--defin", "did you mean '--define'?"},
        {"net|--defin|x", "--defin", "did you mean '--define'?"},
        {"net|--def|x", "--def", NULL},
        {"net|--defin|--define=x", "--defin", "did you mean '--define'?"},
        {"net|-b|--define|--defin=x", "--defin", "did you mean '--define'?"},
        {"net|--bridg|x", "--bridg", "did you mean '--bridge'?"},
        {"net|--bridge-m|1", "--bridge-m", "did you mean '--bridge'?"},
        {"net|--bridge-mt|1", "--bridge-mt", "did you mean '--bridge-mtu'?"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strdup_printf("there is no option '%s'", cases[i].word);

        assert_refused(&command_own, cases[i].line, message, cases[i].hint);
    }
    /* The shorter of two names is no abbreviation of the longer. */
    assert_line("net|--bridge|1", "net bridge=1 ");
    assert_line("net|--bridge=1|--bridge-mtu=2", "net bridge=1 bridge-mtu=2 ");
}

static void test_unknown(void)
{
    assert_refused(&command_own, "net|-x", "there is no option '-x'", NULL);
    assert_refused(&command_own, "net|-fx", "there is no option '-x'", NULL);
    assert_refused(&command_own, "net|--nonsense", "there is no option '--nonsense'", NULL);
    assert_refused(&command_own, "net|--frce", "there is no option '--frce'", "did you mean '--force'?");
    assert_refused(&command_own, "net|--frce=1", "there is no option '--frce'", "did you mean '--force'?");
    assert_refused(&command_own, "net|--force=1", "option '--force' takes no value", NULL);
    assert_refused(&command_own, "net|-\xc3\xa9", "there is no option '-\xc3'", NULL);
    assert_refused(&command_own, "net|--timeout=3", "there is no option '--timeout'",
                   "'--timeout' is a global option and stands before the command: vnat --timeout ...");
    assert_refused(&command_own, "net|-c|x", "there is no option '-c'",
                   "'-c' is a global option and stands before the command: vnat -c ...");
    assert_refused(&command_own, "net|-:", "there is no option '-:'", NULL);
    assert_refused(&command_own, "net|-?", "there is no option '-?'", NULL);
    assert_refused(&command_own, "--define", "option '--define' needs a value", NULL);
    assert_refused(&command_own, "net|-b", "option '-b' needs a value", NULL);
    assert_refused(&command_own, "net|-fb", "option '-b' needs a value", NULL);
}

static void test_numbers(void)
{
    static const char *const bad[] = {"",   "x",    "-1",          "1.5",        " 1",
                                      "1 ", "0x10", "99999999999", "2147483648", NULL};

    assert_line("net|--bridge-mtu|1500", "net bridge-mtu=1500 ");
    assert_line("net|--bridge-mtu=0", "net bridge-mtu=0 ");
    assert_line("net|--bridge-mtu=2147483647", "net bridge-mtu=2147483647 ");
    for (gsize i = 0; bad[i]; i++) {
        g_autofree char *line = g_strdup_printf("net|--bridge-mtu|%s", bad[i]);
        g_autofree char *message = g_strdup_printf("--bridge-mtu takes a number, not '%s'", bad[i]);

        assert_refused(&command_own, line, message, NULL);
    }
}

static void test_words(void)
{
    assert_refused(&command_own, "-f", "NETWORK is missing", NULL);
    assert_refused(&command_own, "a|b|c|d", "'c' is one argument too many", NULL);
    assert_refused(&command_plain, "x", "'x' is one argument too many", NULL);
    /* Help is given whatever else is wrong with the words. */
    {
        g_auto(Parsed) parsed = parse(&command_own, "--help");

        g_assert_true(parsed.ok && option_flag(&parsed.ctx, "help"));
    }
    {
        g_auto(Parsed) parsed = parse(&command_own, "--list-columns|a|b|c");

        g_assert_true(parsed.ok && option_flag(&parsed.ctx, "list-columns"));
    }
}

/* As with virsh: an argument by its name, at whatever place. */
static void test_named(void)
{
    assert_line("--network|net", "net ");
    assert_line("--network=net|mac", "net mac ");
    assert_line("mac|--network|net", "net mac ");
    assert_line("--mac|mac|net", "net mac ");
    assert_line("--mac=mac|--network=net|-f", "net mac force= ");
    assert_line("--network=", " ");
    assert_line("--network|--force", "--force ");
    assert_refused(&command_own, "--mac|mac", "NETWORK is missing", NULL);
    assert_refused(&command_own, "--network", "option '--network' needs a value", NULL);
    assert_refused(&command_own, "--networ|net", "there is no option '--networ'",
                   "did you mean '--network'?");
    assert_understood(&command_named, "--file|x", "x ");
    assert_understood(&command_named, "--force|x", "x force= ");
    assert_understood(&command_named, "y|--file|x", "x y ");
    assert_refused(&command_named, "--template|x", "there is no option '--template'", NULL);
}

/* No value is passed over in silence, also one that is the same. */
static void test_twice(void)
{
    assert_refused(&command_own, "--network|a|--network|b", "--network is given twice", NULL);
    assert_refused(&command_own, "--network|a|--network|a", "--network is given twice", NULL);
    assert_refused(&command_own, "--network|net|mac|more",
                   "'more' is one argument too many: NETWORK is given by --network", NULL);
    assert_refused(&command_own, "--network|net|--mac|mac|more",
                   "'more' is one argument too many: MAC is given by --mac", NULL);
    assert_refused(&command_own, "net|mac|--mac|mac", "'mac' is one argument too many: MAC is given by --mac",
                   NULL);
    assert_understood(&command_same, "net|br", "net br ");
    assert_understood(&command_same, "net|--bridge|br", "net br ");
    assert_understood(&command_same, "-bbr|net", "net br ");
    assert_refused(&command_same, "net|br|--bridge|other",
                   "'br' is one argument too many: BRIDGE is given by --bridge", NULL);
    assert_refused(&command_same, "-b|br|net|br",
                   "'br' is one argument too many: BRIDGE is given by --bridge", NULL);
    assert_refused(&command_same, "net|--bridge|br|-b|br", "--bridge is given twice", NULL);
    assert_refused(&command_same, "--bridge|br", "NETWORK is missing", NULL);
    {
        g_auto(Parsed) parsed = parse(&command_same, "net|br|--bridge|br|--help");

        g_assert_true(parsed.ok && option_flag(&parsed.ctx, "help"));
    }
}

/* Of the real ones the last argument, by place and by name. */
static void test_twice_real(void)
{
    for (guint i = 0; commands[i]; i++) {
        const Argument *argument = commands[i]->arguments;
        g_autoptr(GString) line = g_string_new(NULL);

        if (commands[i]->flags & (COMMAND_RAW | COMMAND_MANY))
            continue;
        for (; argument && argument->name; argument++) {
            g_auto(GStrv) parts = g_strsplit(argument->name, "|", 2);
            g_autofree char *name = g_ascii_strdown(parts[0], -1);
            g_autofree char *both = NULL;
            g_autofree char *message =
                g_strdup_printf("'x' is one argument too many: %s is given by --%s", argument->name, name);

            g_string_append(line, line->len > 0 ? "|x" : "x");
            if (argument[1].name)
                continue; /* the word would stand for that one */
            both = g_strdup_printf("%s|--%s|y", line->str, name);
            assert_refused(commands[i], both, message, NULL);
        }
    }
}

/* The last argument may be one that is given several times. */
static void test_many(void)
{
    assert_understood(&command_many, "", "");
    assert_understood(&command_many, "a", "a ");
    assert_understood(&command_many, "a|-f|b|c", "a b c force= ");
    assert_understood(&command_many, "--network|a|--network=b|c", "a b c ");
}

static void test_common(void)
{
    g_auto(Parsed) parsed = parse(&command_own, "-q|net|-j|-n|--csv|-o|mac,tap");

    g_assert_true(parsed.ctx.quiet && parsed.ctx.json && parsed.ctx.view.noheadings && parsed.ctx.view.csv);
    g_assert_cmpuint(parsed.ctx.columns->len, ==, 2);
    g_assert_cmpstr(((const Column *)parsed.ctx.columns->pdata[0])->id, ==, "mac");
}

static void test_common_absent(void)
{
    g_auto(Parsed) parsed = parse(&command_own, "net");

    g_assert_false(parsed.ctx.quiet || parsed.ctx.json || parsed.ctx.view.noheadings || parsed.ctx.view.csv);
    g_assert_cmpuint(parsed.ctx.columns->len, ==, 1);
    assert_refused(&command_own, "net|-o|tab", "no column is called 'tab'",
                   "did you mean 'tap'? --list-columns shows them all");
    assert_refused(&command_plain, "-j", "there is no option '-j'", NULL);
    assert_refused(&command_plain, "--csv", "there is no option '--csv'", NULL);
}

/* -j before the command reaches commands that have no JSON too. */
static void test_json_before(void)
{
    Parsed parsed = {.ctx.json = TRUE};
    int count = parsed_split(&parsed, "");

    parsed.ctx.options =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    g_assert_false(command_parse(&parsed.ctx, &command_plain, count, parsed.argv, &parsed.error));
    g_assert_cmpstr(parsed.error->message, ==, "plain has no JSON form");
    parsed_clear(&parsed);
}

static void test_raw(void)
{
    g_auto(Parsed) parsed = parse(&command_raw, "--help|-x|--|y");

    g_assert_true(parsed.ok);
    g_assert_cmpuint(parsed.ctx.words->len, ==, 4);
    g_assert_cmpstr(argument(&parsed.ctx, 0), ==, "--help");
}

/* ------------------------------------------------------------------------------------- the globals */

typedef struct {
    Parsed base;
    int argc;
    char **rest;
    gboolean help, version;
} GlobalsParsed;

static void globals_clear(GlobalsParsed *globals)
{
    parsed_clear(&globals->base);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GlobalsParsed, globals_clear)

static GlobalsParsed globals(const char *line)
{
    GlobalsParsed result = {0};

    result.argc = parsed_split(&result.base, line);
    result.rest = result.base.argv;
    result.base.ok = globals_parse(&result.base.ctx, &result.argc, &result.rest, &result.help,
                                   &result.version, &result.base.error);
    return result;
}

/* The words that are left for the command. */
static void assert_rest(const char *line, const char *expected)
{
    g_auto(GlobalsParsed) result = globals(line);
    g_autofree char *rest = NULL;

    g_assert_no_error(result.base.error);
    rest = g_strjoinv("|", result.rest + 1);
    g_assert_cmpstr(rest, ==, expected);
    g_assert_cmpint(result.argc, ==, (int)g_strv_length(result.rest));
}

static void test_globals_rest(void)
{
    assert_rest("", "");
    assert_rest("map", "map");
    assert_rest("-q|map|-q", "map|-q");
    assert_rest("map|-c|x|--nonsense", "map|-c|x|--nonsense");
    assert_rest("-c|test:///default|map", "map");
    assert_rest("-ctest:///default|map", "map");
    assert_rest("--connect=x|--|map|--", "map|--");
    assert_rest("--|--help", "--help");
    assert_rest("-qjr|net-list", "net-list");
}

static void test_globals_values(void)
{
    g_auto(GlobalsParsed) result = globals("-c|test:///x|-r|-q|-j|-d|2|--timeout|2000.5|--color=always|map");
    const Context *ctx = &result.base.ctx;

    g_assert_no_error(result.base.error);
    g_assert_cmpstr(globals_uri(ctx), ==, "test:///x");
    g_assert_true(ctx->readonly && ctx->quiet && ctx->json && ctx->view.color);
    g_assert_cmpint(ctx->debug, ==, 2);
    g_assert_false(result.help || result.version);
    g_assert_cmpint(deadline_poll_ms(ctx->deadline), <=, 2000500);
    g_assert_cmpint(deadline_poll_ms(ctx->deadline), >, 10000);
}

static void test_globals_defaults(void)
{
    g_auto(GlobalsParsed) result = globals("map");
    const Context *ctx = &result.base.ctx;

    g_assert_false(ctx->readonly || ctx->quiet || ctx->json || ctx->debug);
    g_assert_cmpint(deadline_poll_ms(ctx->deadline), <=, 10000);
    g_assert_cmpint(deadline_poll_ms(ctx->deadline), >, 0);
}

static void test_globals_show(void)
{
    g_auto(GlobalsParsed) help = globals("-h");
    g_auto(GlobalsParsed) version = globals("--version|map");

    g_assert_true(help.help && !help.version);
    g_assert_true(version.version && !version.help);
}

static void test_globals_refused(void)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"--conn|x|map", "there is no option '--conn'"},
        {"-x|map", "there is no option '-x'"},
        {"--connect", "option '--connect' needs a value"},
        {"--timeout|0|map", "--timeout takes seconds, not '0'"},
        {"--timeout|-1|map", "--timeout takes seconds, not '-1'"},
        {"--timeout|nan|map", "--timeout takes seconds, not 'nan'"},
        {"--timeout|1e9|map", "--timeout takes seconds, not '1e9'"},
        {"--timeout|5s|map", "--timeout takes seconds, not '5s'"},
        {"--timeout||map", "--timeout takes seconds, not ''"},
        {"--color|blue|map", "--color takes auto, always or never, not 'blue'"},
        {"-d|x|map", "--debug takes a number, not 'x'"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GlobalsParsed) result = globals(cases[i].line);

        g_assert_error(result.base.error, VNAT_ERROR, VNAT_ERROR_USAGE);
        g_assert_cmpstr(result.base.error->message, ==, cases[i].message);
        g_assert_nonnull(vnat_error_get_hint(result.base.error));
    }
}

static void test_globals_uri(void)
{
    g_auto(GlobalsParsed) result = globals("map");
    const Context *ctx = &result.base.ctx;

    g_assert_cmpstr(globals_uri(ctx), ==, "qemu:///system");
    g_setenv("LIBVIRT_DEFAULT_URI", "test:///3", TRUE);
    g_assert_cmpstr(globals_uri(ctx), ==, "test:///3");
    g_setenv("VIRSH_DEFAULT_CONNECT_URI", "test:///2", TRUE);
    g_assert_cmpstr(globals_uri(ctx), ==, "test:///2");
    g_setenv("VNAT_CONNECT", "", TRUE); /* set to nothing is not set */
    g_assert_cmpstr(globals_uri(ctx), ==, "test:///2");
    g_setenv("VNAT_CONNECT", "test:///1", TRUE);
    g_assert_cmpstr(globals_uri(ctx), ==, "test:///1");
}

/* ---------------------------------------------------------------------------------------- its name */

static void assert_command(const char *line, const char *name, guint words)
{
    g_auto(GStrv) argv = g_strsplit(line, "|", -1);
    guint used = 99;
    const Command *command = command_find(argv, &used);

    g_assert_cmpstr(command ? command->name : NULL, ==, name);
    if (command)
        g_assert_cmpuint(used, ==, words);
}

static void test_find(void)
{
    assert_command("map", "map", 1);
    assert_command("map|default", "map", 1);
    assert_command("template|list", "template list", 2);
    assert_command("template|show|nat", "template show", 2);
    assert_command("template", NULL, 0);
    assert_command("template|lis", NULL, 0);
    assert_command("template list", NULL, 0);
    assert_command("ma", NULL, 0);
    assert_command("MAP", NULL, 0);
    assert_command("net-list-all", NULL, 0);
    assert_command("", NULL, 0);
}

int main(int argc, char **argv)
{
    static const char *const variables[] = {"VNAT_CONNECT", "VIRSH_DEFAULT_CONNECT_URI",
                                            "LIBVIRT_DEFAULT_URI"};

    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/places", test_places);
    g_test_add_func("/options/values", test_values);
    g_test_add_func("/options/last-wins", test_last_wins);
    g_test_add_func("/options/end-of-options", test_end_of_options);
    g_test_add_func("/options/posixly-correct", test_posixly_correct);
    g_test_add_func("/options/abbreviations", test_abbreviations);
    g_test_add_func("/options/unknown", test_unknown);
    g_test_add_func("/options/numbers", test_numbers);
    g_test_add_func("/options/words", test_words);
    g_test_add_func("/options/named", test_named);
    g_test_add_func("/options/twice", test_twice);
    g_test_add_func("/options/twice/real", test_twice_real);
    g_test_add_func("/options/many", test_many);
    g_test_add_func("/options/common", test_common);
    g_test_add_func("/options/common/absent", test_common_absent);
    g_test_add_func("/options/json-before", test_json_before);
    g_test_add_func("/options/raw", test_raw);
    g_test_add_func("/globals/rest", test_globals_rest);
    g_test_add_func("/globals/values", test_globals_values);
    g_test_add_func("/globals/defaults", test_globals_defaults);
    g_test_add_func("/globals/show", test_globals_show);
    g_test_add_func("/globals/refused", test_globals_refused);
    g_test_add_func("/globals/uri", test_globals_uri);
    g_test_add_func("/commands/find", test_find);
    return g_test_run();
}
