/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "model/dns.h"

#include <string.h>

/* The input as an answer, to the question that it repeats; and as a name to be asked for. */

static void try_answer(const uint8_t *data, size_t size)
{
    static const guint16 types[] = {DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_TXT};
    const guint16 id = size >= 2 ? (guint16)(data[0] << 8 | data[1]) : 0;

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        DnsAnswer answer;

        if (!dns_parse(data, size, id, types[i], &answer))
            continue;
        require(memchr(answer.text, '\0', sizeof(answer.text)) != NULL);
        require(answer.text[0] == '\0' || types[i] == DNS_TYPE_TXT);
        require(answer.address.family == 0 || answer.address.family == (types[i] == DNS_TYPE_A ? 4 : 6));
        require(dns_code_text(answer.code) != NULL);
    }
}

static void try_name(const uint8_t *data, size_t size)
{
    g_autofree char *name = g_strndup((const char *)data, size);
    g_autoptr(GByteArray) query = dns_query(7, name, DNS_TYPE_A, DNS_CLASS_IN);
    DnsAnswer answer;

    if (!query)
        return;
    require(query->len <= 12 + 255 + 4);
    require(!dns_parse(query->data, query->len, 7, DNS_TYPE_A, &answer));
    query->data[2] |= 0x80;
    require(dns_parse(query->data, query->len, 7, DNS_TYPE_A, &answer) && answer.answers == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_answer(data, size);
    try_name(data, size);
    return 0;
}
