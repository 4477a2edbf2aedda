/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/health.h"

#include <string.h>

HealthValue *health_value_new(const char *id, const char *label, gint percent)
{
    HealthValue *value = g_new0(HealthValue, 1);

    value->id = id;
    value->label = g_strdup(label);
    value->percent = percent;
    return value;
}

void health_value_free(HealthValue *value)
{
    g_free(value->label);
    g_free(value);
}

Health *health_new(void)
{
    Health *health = g_new0(Health, 1);

    health->findings = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    health->values = g_ptr_array_new_with_free_func((GDestroyNotify)health_value_free);
    return health;
}

void health_free(Health *health)
{
    if (!health)
        return;
    g_ptr_array_unref(health->findings);
    g_ptr_array_unref(health->values);
    g_free(health);
}

void health_finish(Health *health)
{
    static const Level order[] = {LEVEL_CRITICAL, LEVEL_WARNING, LEVEL_UNKNOWN, LEVEL_OK};

    g_ptr_array_sort(health->findings, finding_compare);
    health->counts[LEVEL_WARNING] = health->counts[LEVEL_CRITICAL] = health->counts[LEVEL_UNKNOWN] = 0;
    for (guint i = 0; i < health->findings->len; i++) {
        Level level = ((const Finding *)health->findings->pdata[i])->level;

        if (level != LEVEL_OK)
            health->counts[level]++;
    }
    health->level = LEVEL_OK;
    for (guint i = G_N_ELEMENTS(order); i-- > 0;) {
        if (health->counts[order[i]] > 0 && order[i] != LEVEL_OK)
            health->level = order[i];
    }
}

static gboolean same_fault(const Finding *a, const Finding *b)
{
    return strcmp(a->id, b->id) == 0 && a->kind == b->kind && g_strcmp0(a->object, b->object) == 0 &&
           g_strcmp0(a->network, b->network) == 0 && g_strcmp0(a->domain_uuid, b->domain_uuid) == 0;
}

static gboolean is_fault_of(const Health *health, const Finding *finding)
{
    for (guint i = 0; i < health->findings->len; i++) {
        if (same_fault(health->findings->pdata[i], finding))
            return TRUE;
    }
    return FALSE;
}

void health_confirm(Health *second, const Health *first)
{
    for (guint i = second->findings->len; i-- > 0;) {
        const Finding *finding = second->findings->pdata[i];

        if ((finding->level == LEVEL_CRITICAL || finding->level == LEVEL_WARNING) &&
            !is_fault_of(first, finding))
            g_ptr_array_remove_index(second->findings, i);
    }
    health_finish(second);
}

gboolean health_is_unsettled(const Health *health)
{
    for (guint i = 0; i < health->findings->len; i++) {
        if (((const Finding *)health->findings->pdata[i])->unsettled)
            return TRUE;
    }
    return FALSE;
}

void health_settle(Health *health)
{
    for (guint i = health->findings->len; i-- > 0;) {
        if (((const Finding *)health->findings->pdata[i])->unsettled)
            g_ptr_array_remove_index(health->findings, i);
    }
    health_finish(health);
}
