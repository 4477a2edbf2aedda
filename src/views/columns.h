/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/flow-row.h"
#include "model/map.h"
#include "model/template.h"
#include "views/table.h"

/*
 * The columns of each kind of record, and which of them a command shows by default. The first ones of virsh's
 * commands are virsh's, with its titles and order.
 */

extern const ColumnSet interface_columns; /* records: MapRow */
#define COLUMNS_DOMIFLIST "tap,type,source,model,mac,bridge,ip,hostname,lease"
#define COLUMNS_MAP "network,domain,state,tap,mac,bridge,ip,hostname,lease,problems"

/* A row of domifaddr: one address of an interface. */
typedef struct {
    const MapRow *row;
    const Address *address; /* NULL: the interface has none from the sources asked */
    gboolean repeated;      /* not the first address of its interface: name and MAC are not repeated */
} AddressRecord;

extern const ColumnSet address_columns; /* records: AddressRecord */
#define COLUMNS_DOMIFADDR "name,mac,protocol,address,source"

extern const ColumnSet network_columns; /* records: NetworkRow */
#define COLUMNS_NET_LIST "name,state,autostart,persistent,bridge,forward,subnet,interfaces,leases"

extern const ColumnSet lease_columns; /* records: MapLease */
#define COLUMNS_LEASES "expires,mac,protocol,address,hostname,client-id,domain,tap"

extern const ColumnSet flow_columns; /* records: FlowRow */
#define COLUMNS_FLOWS "network,domain,protocol,guest,host,remote,state,bytes,packets,age"

/* A row of template list. */
typedef struct {
    const char *name, *description, *path, *error;
    char *parameters;     /* "name,bridge,subnet"; NULL */
    const Template *tmpl; /* NULL if it could not be read */
    gboolean shadowed;
} TemplateRecord;

extern const ColumnSet template_columns; /* records: TemplateRecord */
#define COLUMNS_TEMPLATES "name,description,parameters"
