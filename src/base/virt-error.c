/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/virt-call.h"
#include "base/virt.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>

static const struct {
    int code;
    VnatError error;
} error_codes[] = {
    {VIR_ERR_NO_DOMAIN, VNAT_ERROR_NOT_FOUND},
    {VIR_ERR_NO_NETWORK, VNAT_ERROR_NOT_FOUND},
    {VIR_ERR_NO_NETWORK_PORT, VNAT_ERROR_NOT_FOUND},
    {VIR_ERR_NO_INTERFACE, VNAT_ERROR_NOT_FOUND},
    {VIR_ERR_NO_DOMAIN_METADATA, VNAT_ERROR_NOT_FOUND},
    {VIR_ERR_DEVICE_MISSING, VNAT_ERROR_NOT_FOUND},
    {VIR_ERR_DOM_EXIST, VNAT_ERROR_EXISTS},
    {VIR_ERR_NETWORK_EXIST, VNAT_ERROR_EXISTS},
    {VIR_ERR_OPERATION_DENIED, VNAT_ERROR_DENIED},
    {VIR_ERR_ACCESS_DENIED, VNAT_ERROR_DENIED},
    {VIR_ERR_AUTH_FAILED, VNAT_ERROR_DENIED},
    {VIR_ERR_AUTH_CANCELLED, VNAT_ERROR_DENIED},
    {VIR_ERR_AUTH_UNAVAILABLE, VNAT_ERROR_DENIED},
    {VIR_ERR_NO_SUPPORT, VNAT_ERROR_UNSUPPORTED},
    {VIR_ERR_OPERATION_UNSUPPORTED, VNAT_ERROR_UNSUPPORTED},
    {VIR_ERR_ARGUMENT_UNSUPPORTED, VNAT_ERROR_UNSUPPORTED},
    {VIR_ERR_CONFIG_UNSUPPORTED, VNAT_ERROR_UNSUPPORTED},
    {VIR_ERR_NO_CONNECT, VNAT_ERROR_UNREACHABLE},
    {VIR_ERR_INVALID_CONN, VNAT_ERROR_UNREACHABLE},
    {VIR_ERR_RPC, VNAT_ERROR_UNREACHABLE},
};

static VnatError error_code(const virError *failure)
{
    for (gsize i = 0; i < G_N_ELEMENTS(error_codes); i++) {
        if (error_codes[i].code == failure->code)
            return error_codes[i].error;
    }
    /* "client socket is closed" and "End of file while reading data" have no code of their own. */
    if (failure->domain == VIR_FROM_RPC &&
        (failure->code == VIR_ERR_INTERNAL_ERROR || failure->code == VIR_ERR_SYSTEM_ERROR))
        return VNAT_ERROR_UNREACHABLE;
    return VNAT_ERROR_FAILED;
}

/* New string. A schema's complaints end in a line feed. */
static char *error_message(const virError *failure)
{
    const char *message = failure && failure->message && *failure->message ? failure->message : NULL;

    return g_strchomp(g_strdup(message ? message : "libvirt gave no reason"));
}

gboolean virt_error_take(GError **error)
{
    const virError *failure = virGetLastError();
    g_autofree char *message = error_message(failure);

    vnat_error_set(error, failure ? error_code(failure) : VNAT_ERROR_FAILED, "%s", message);
    virResetLastError();
    return FALSE;
}

static gboolean error_is_rights(const virError *failure)
{
    if (failure->code == VIR_ERR_SYSTEM_ERROR)
        return failure->int1 == EACCES || failure->int1 == EPERM;
    return error_code(failure) == VNAT_ERROR_DENIED;
}

static gboolean error_is_uri(const virError *failure)
{
    return failure->code == VIR_ERR_NO_CONNECT || failure->code == VIR_ERR_INVALID_ARG ||
           failure->domain == VIR_FROM_URI;
}

/*
 * The systemd unit behind the socket that a message names: "…'/var/run/libvirt/virtqemud-sock': …". NULL for
 * another one, such as a session's (whose daemon libvirt starts itself). New string.
 */
static char *error_unit(const char *message)
{
    const char *start = strstr(message, "/run/libvirt/");
    const char *end = start ? strstr(start, "-sock") : NULL;
    g_autofree char *daemon = NULL;

    if (!end)
        return NULL;
    start += strlen("/run/libvirt/");
    daemon = g_strndup(start, (gsize)(end - start));
    if (g_str_equal(daemon, "libvirt"))
        return g_strdup("libvirtd");
    return g_str_has_prefix(daemon, "virt") && !strchr(daemon, '/') ? g_strdup_printf("%s.socket", daemon)
                                                                    : NULL;
}

static void error_hint_unit(GError **error, const char *verb)
{
    g_autofree char *unit = error_unit((*error)->message);

    if (unit)
        vnat_error_hint(error, "systemctl %s %s", verb, unit);
}

gboolean virt_error_take_open(const char *uri, gboolean *rights, GError **error)
{
    const virError *failure = virGetLastError();
    /* Groups and units are to be changed where the daemon is. */
    const gboolean here = virt_uri_is_local(uri);
    g_autofree char *message = error_message(failure);
    GError *open_error = NULL;

    vnat_error_set(&open_error, VNAT_ERROR_UNREACHABLE, "%s", message);
    if (rights)
        *rights = failure && error_is_rights(failure);
    if (here && failure && error_is_rights(failure))
        vnat_error_hint(&open_error,
                        "become a member of the group libvirt (usermod -aG libvirt USER, then log in again)");
    else if (failure && error_is_uri(failure))
        vnat_error_hint(&open_error, "vnat -c qemu:///system");
    else if (here && failure && failure->code == VIR_ERR_SYSTEM_ERROR && failure->int1 == ENOENT)
        error_hint_unit(&open_error, "start");
    else if (here && failure && failure->code == VIR_ERR_SYSTEM_ERROR && failure->int1 == ECONNREFUSED)
        error_hint_unit(&open_error, "restart");
    vnat_error_what(&open_error, "failed to connect to '%s'", uri);
    virResetLastError();
    g_propagate_error(error, open_error);
    return FALSE;
}
