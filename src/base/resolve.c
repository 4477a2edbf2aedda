/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/resolve.h"

#include "base/error.h"

#include <gio/gio.h>

/*
 * The resolver works on a thread of GLib's, and its answer comes to a context of this call's own: no main
 * loop is needed, and none is disturbed.
 */

typedef struct {
    GList *addresses; /* GInetAddress */
    GError *error;
    gboolean answered, late;
} Lookup;

static void on_answer(GObject *resolver, GAsyncResult *result, gpointer data)
{
    Lookup *lookup = data;

    lookup->addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &lookup->error);
    lookup->answered = TRUE;
}

static gboolean on_deadline(gpointer data)
{
    Lookup *lookup = data;

    lookup->late = TRUE;
    return G_SOURCE_REMOVE;
}

static void look_up(const char *name, Deadline deadline, Lookup *lookup)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    int left = deadline_poll_ms(deadline);
    g_autoptr(GSource) timer = g_timeout_source_new(left < 0 ? G_MAXINT : (guint)left);

    g_main_context_push_thread_default(context);
    g_source_set_callback(timer, on_deadline, lookup, NULL);
    g_source_attach(timer, context);
    g_resolver_lookup_by_name_async(resolver, name, cancellable, on_answer, lookup);
    while (!lookup->answered) {
        /* The call itself returns at once when it is cancelled; its thread may go on. */
        if (lookup->late)
            g_cancellable_cancel(cancellable);
        g_main_context_iteration(context, TRUE);
    }
    g_source_destroy(timer);
    g_main_context_pop_thread_default(context);
}

static gboolean take_address(const Lookup *lookup, guint8 family, Ip *ip)
{
    for (const GList *at = lookup->addresses; at; at = at->next) {
        GInetAddress *address = at->data;

        if (ip_from_bytes(g_inet_address_to_bytes(address), g_inet_address_get_native_size(address), ip) &&
            ip->family == family)
            return TRUE;
    }
    return FALSE;
}

gboolean resolve_host(const char *name, Deadline deadline, Ip *ip, GError **error)
{
    Lookup lookup = {.answered = FALSE};
    gboolean found;

    look_up(name, deadline, &lookup);
    found = take_address(&lookup, 4, ip) || take_address(&lookup, 6, ip);
    g_resolver_free_addresses(lookup.addresses);
    if (!found && lookup.late)
        vnat_error_set(error, VNAT_ERROR_DEADLINE, "the name '%s' was not resolved in time", name);
    else if (!found)
        vnat_error_set(error, VNAT_ERROR_NOT_FOUND, "the name '%s' has no address%s", name,
                       g_error_matches(lookup.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE)
                           ? ": no name server answered"
                           : "");
    g_clear_error(&lookup.error);
    return found;
}
