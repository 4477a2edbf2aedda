/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/finding.h"

#include <string.h>

const char *level_name(Level level)
{
    switch (level) {
    case LEVEL_OK:
        return "ok";
    case LEVEL_WARNING:
        return "warning";
    case LEVEL_CRITICAL:
        return "critical";
    case LEVEL_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

const char *object_kind_name(ObjectKind kind)
{
    switch (kind) {
    case OBJECT_HOST:
        return "host";
    case OBJECT_NETWORK:
        return "network";
    case OBJECT_INTERFACE:
        return "interface";
    case OBJECT_LEASE:
        return "lease";
    }
    return "host";
}

const char *repair_class_name(RepairClass repair)
{
    switch (repair) {
    case REPAIR_SAFE:
        return "safe";
    case REPAIR_CONSENT:
        return "consent";
    case REPAIR_NEVER:
        return "never";
    }
    return "never";
}

Finding *finding_new(const char *id, Level level, ObjectKind kind, const char *object)
{
    Finding *finding = g_new0(Finding, 1);

    finding->id = id;
    finding->level = level;
    finding->kind = kind;
    finding->object = g_strdup(object);
    finding->repair = REPAIR_NEVER;
    finding->evidence = g_ptr_array_new_with_free_func(g_free);
    return finding;
}

void finding_free(Finding *finding)
{
    if (!finding)
        return;
    g_free(finding->object);
    g_free(finding->network);
    g_free(finding->domain_uuid);
    g_free(finding->message);
    g_free(finding->remedy);
    g_ptr_array_unref(finding->evidence);
    g_free(finding);
}

Finding *finding_message(Finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_free(finding->message);
    finding->message = g_strdup_vprintf(format, args);
    va_end(args);
    return finding;
}

Finding *finding_evidence(Finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(finding->evidence, g_strdup_vprintf(format, args));
    va_end(args);
    return finding;
}

Finding *finding_remedy(Finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_free(finding->remedy);
    finding->remedy = g_strdup_vprintf(format, args);
    va_end(args);
    return finding;
}

/* Worst first for a reader: critical, warning, unknown, ok. */
static guint level_rank(Level level)
{
    switch (level) {
    case LEVEL_CRITICAL:
        return 0;
    case LEVEL_WARNING:
        return 1;
    case LEVEL_UNKNOWN:
        return 2;
    case LEVEL_OK:
        return 3;
    }
    return 3;
}

gint finding_compare(gconstpointer a, gconstpointer b)
{
    const Finding *left = *(Finding *const *)a;
    const Finding *right = *(Finding *const *)b;
    gint order = (gint)level_rank(left->level) - (gint)level_rank(right->level);

    if (order == 0)
        order = g_strcmp0(left->network, right->network);
    if (order == 0)
        order = g_strcmp0(left->object, right->object);
    if (order == 0)
        order = strcmp(left->id, right->id);
    if (order == 0)
        order = g_strcmp0(left->domain_uuid, right->domain_uuid);
    return order ? order : g_strcmp0(left->message, right->message);
}
