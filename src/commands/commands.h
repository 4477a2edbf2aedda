/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "commands/command.h"

/* Every command's entry; each stands in its own file beside its function. */
extern const Command command_net_list, command_net_info, command_net_dumpxml, command_net_define,
    command_net_start, command_net_destroy, command_net_undefine, command_net_autostart,
    command_net_dhcp_leases;
extern const Command command_template_list, command_template_show, command_template_render;
extern const Command command_domiflist, command_domifaddr, command_map, command_who, command_ip,
    command_status, command_capture;
extern const Command command_attach_interface, command_detach_interface, command_connect;
extern const Command command_watch, command_wait;
extern const Command command_check;
extern const Command command_why;
extern const Command command_repair;
extern const Command command_flows;
extern const Command command_probe;
extern const Command command_help, command_complete;
