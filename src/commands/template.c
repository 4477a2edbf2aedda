/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"
#include "commands/output.h"
#include "commands/values.h"
#include "commands/world.h"

#include "base/error.h"
#include "base/text.h"
#include "sources/templates.h"
#include "views/columns.h"

#include <string.h>

static const char *dir_option(const Context *ctx)
{
    return option_value(ctx, "template-dir");
}

/* JSON's common head without a connection: templates are files of this host. */
static Facts *facts_of_files(const Context *ctx)
{
    Facts *facts = facts_new();

    facts->host = g_strdup(g_get_host_name());
    facts->now = ctx->view.now;
    return facts;
}

static int write_templates_json(const Context *ctx, const GPtrArray *records)
{
    g_autoptr(Facts) facts = facts_of_files(ctx);
    const JsonCollection collections[] = {{"templates", records, json_of_template}, {0}};

    json_write(stdout, facts, collections);
    return EXIT_OK;
}

static void template_record_free(TemplateRecord *record)
{
    g_free(record->parameters);
    g_free(record);
}

static TemplateRecord *template_record(const TemplateFile *file)
{
    TemplateRecord *record = g_new0(TemplateRecord, 1);
    GString *list = g_string_new(NULL);
    const GPtrArray *params = file->tmpl ? template_params(file->tmpl) : NULL;

    for (guint i = 0; params && i < params->len; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? "," : "",
                               ((const TemplateParam *)params->pdata[i])->name);
    record->name = file->name;
    record->path = file->path;
    record->error = file->error;
    record->shadowed = file->shadowed;
    record->tmpl = file->tmpl;
    record->description = file->tmpl ? template_description(file->tmpl) : NULL;
    record->parameters = g_string_free(list, list->len == 0);
    return record;
}

/* ----------------------------------------------------------------------------------- template list */

static int run_template_list(Context *ctx)
{
    g_autoptr(GPtrArray) files = NULL;
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func((GDestroyNotify)template_record_free);

    files = templates_list(dir_option(ctx));
    for (guint i = 0; i < files->len; i++) {
        const TemplateFile *file = files->pdata[i];

        if (!file->shadowed || option_flag(ctx, "all") || ctx->json)
            g_ptr_array_add(records, template_record(file));
    }
    if (ctx->json)
        return write_templates_json(ctx, records);
    return write_table(ctx, records);
}

#define OPTION_DIR                                                                                           \
    {                                                                                                        \
        "template-dir", 0, OPTION_VALUE, "DIR", "look for templates here first", COMPLETE_FILE               \
    }

static const Option options_list[] = {
    {"all", 0, OPTION_FLAG, NULL, "those too that another of the same name hides", NULL},
    OPTION_DIR,
    {0},
};

const Command command_template_list = {
    .name = "template list",
    .group = "Templates",
    .summary = "list the templates that networks can be defined from",
    .description =
        "Searched in --template-dir, $VNAT_TEMPLATE_PATH, ~/.config/vnat/xml, /etc/vnat/xml and the\n"
        "installed ones; the first of a name wins.",
    .examples = "  vnat template list\n  vnat template list -o name,path",
    .options = options_list,
    .flags = COMMAND_JSON,
    .columns = &template_columns,
    .standard = COLUMNS_TEMPLATES,
    .run = run_template_list,
};

/* ----------------------------------------------------------------------------------- template show */

static void show_param(const Context *ctx, const TemplateParam *param)
{
    g_autofree char *rule =
        param->type == PARAM_ENUM ? g_strjoinv("|", param->values)
        : param->type == PARAM_INT
            ? g_strdup_printf("%" G_GINT64_FORMAT "..%" G_GINT64_FORMAT, param->min, param->max)
            : NULL;
    g_autofree char *line =
        g_strdup_printf("  %-14s %-8s %s%s%s%s", param->name, param_type_name(param->type),
                        param->default_value ? "default "
                        : param->optional    ? "optional"
                                             : "required",
                        param->default_value ? param->default_value : "", rule ? "; " : "", rule ? rule : "");

    print_text(ctx, line);
}

static const TemplateFile *find_file(const GPtrArray *files, const char *name)
{
    for (guint i = 0; i < files->len; i++) {
        const TemplateFile *file = files->pdata[i];

        if (strcmp(file->name, name) == 0 && !file->shadowed)
            return file;
    }
    return NULL;
}

static int run_template_show(Context *ctx)
{
    const char *name = argument(ctx, 0);
    g_autoptr(Template) tmpl = NULL;
    g_autoptr(GPtrArray) files = NULL;
    g_autoptr(GPtrArray) records = NULL;
    const TemplateFile *file;
    GError *error = NULL;

    tmpl = values_template(ctx, name, &error);
    if (!tmpl) {
        vnat_error_what(&error, "failed to read template '%s'", name);
        return report(ctx, error);
    }
    files = templates_list(dir_option(ctx));
    file = values_is_path(name) ? NULL : find_file(files, name);
    if (ctx->json) {
        TemplateFile by_path = {.name = g_path_get_basename(name), .path = g_strdup(name), .tmpl = tmpl};

        records = g_ptr_array_new_with_free_func((GDestroyNotify)template_record_free);
        g_ptr_array_add(records, template_record(file ? file : &by_path));
        write_templates_json(ctx, records);
        g_free(by_path.name);
        g_free(by_path.path);
        return EXIT_OK;
    }
    if (template_description(tmpl))
        print_text(ctx, template_description(tmpl));
    print_text(ctx, file ? file->path : name);
    puts(template_params(tmpl)->len > 0 ? "parameters:" : "no parameters");
    for (guint i = 0; i < template_params(tmpl)->len; i++)
        show_param(ctx, template_params(tmpl)->pdata[i]);
    return EXIT_OK;
}

static const Argument arguments_template[] = {{"NAME", FALSE, COMPLETE_TEMPLATE_OR_FILE}, {0}};

static const Option options_show[] = {OPTION_DIR, {0}};

const Command command_template_show = {
    .name = "template show",
    .group = "Templates",
    .summary = "show a template: what it is for and its parameters",
    .description = "A NAME with '/' or ending in '.xml' is a file. The language is vnat-template(5)'s.",
    .examples = "  vnat template show nat",
    .arguments = arguments_template,
    .options = options_show,
    .flags = COMMAND_JSON,
    .run = run_template_show,
};

/* --------------------------------------------------------------------------------- template render */

static int run_template_render(Context *ctx)
{
    const char *name = argument(ctx, 0);
    g_autoptr(World) world = NULL;
    g_autoptr(GHashTable) values = NULL;
    g_autoptr(Template) tmpl = NULL;
    g_autofree char *xml = NULL;
    g_autofree char *shown = NULL;
    GError *error = NULL;
    int code;

    values = values_parse(ctx, &error);
    tmpl = values ? values_template(ctx, name, &error) : NULL;
    /* Only an automatic subnet depends on the host. */
    if (tmpl && template_has_auto(tmpl, values)) {
        if (!(world = world_open(ctx, &code)))
            return code;
        world_read(world, WANT_ALL_NETWORKS | WANT_ROUTES, &error);
    }
    xml = tmpl && !error ? values_render(world, tmpl, name, values, NULL, &error) : NULL;
    if (!xml) {
        vnat_error_what(&error, "failed to render template '%s'", name);
        return report(ctx, error);
    }
    shown = text_xml(xml);
    fputs(shown, stdout);
    return EXIT_OK;
}

static const Option options_render[] = {OPTIONS_VALUES, {0}};

const Command command_template_render = {
    .name = "template render",
    .group = "Templates",
    .summary = "print the XML that would be defined, checked against libvirt's schema",
    .description = "A NAME with '/' or ending in '.xml' is a file. Nothing is defined.",
    .examples = "  vnat template render nat -D name=lab -D subnet=10.20.0.0/24\n"
                "  vnat template render default | virsh net-define /dev/stdin",
    .arguments = arguments_template,
    .options = options_render,
    .run = run_template_render,
};
