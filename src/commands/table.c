/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands/commands.h"

const Command *const commands[] = {
    &command_net_list,
    &command_net_info,
    &command_net_dumpxml,
    &command_net_define,
    &command_net_start,
    &command_net_destroy,
    &command_net_undefine,
    &command_net_autostart,
    &command_net_dhcp_leases,
    &command_template_list,
    &command_template_show,
    &command_template_render,
    &command_domiflist,
    &command_domifaddr,
    &command_map,
    &command_who,
    &command_ip,
    &command_status,
    &command_attach_interface,
    &command_detach_interface,
    &command_connect,
    &command_help,
    &command_complete,
    NULL,
};
