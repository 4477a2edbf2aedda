/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sources/firewall.h"

#include "base/error.h"
#include "base/file.h"
#include "base/run.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * nft is asked first. Its answer says whether iptables-nft-save is needed, for which family, and whether
 * ebtables-nft-save (libvirt's nwfilter makes such rules): measured with
 * one libvirt network, nft takes 11 ms and each save program 3 to 4, so that running all three at once saves
 * nothing that running the two save programs side by side does not. They only list (NFT_MSG_GET*): asking
 * makes no table.
 *
 * The programs see the ruleset at different moments. A difference that shows (firewall_merge_save) means:
 * read all again.
 */

#define FIREWALL_MAX_BYTES ((gsize)32 * 1024 * 1024)
#define FIREWALL_TRIES 3
#define NFT "nft"
#define FIREWALL_RIGHTS "reading the packet filter needs CAP_NET_ADMIN"

enum { FAMILY_IP, FAMILY_IP6, FAMILY_BRIDGE, FAMILY_COUNT };

/* The programs that save one generation of iptables, by family. */
typedef struct {
    FirewallShape shape;
    const char *program[FAMILY_COUNT]; /* NULL: none */
} SavePrograms;

static const char *const save_families[FAMILY_COUNT] = {"ip", "ip6", "bridge"};
static const char *const legacy_names[FAMILY_COUNT] = {"/proc/net/ip_tables_names",
                                                       "/proc/net/ip6_tables_names", NULL};
static const SavePrograms save_nft = {FIREWALL_IPTABLES_NFT,
                                      {"iptables-nft-save", "ip6tables-nft-save", "ebtables-nft-save"}};
static const SavePrograms save_legacy = {FIREWALL_IPTABLES_LEGACY,
                                         {"iptables-legacy-save", "ip6tables-legacy-save", NULL}};

typedef struct {
    Deadline deadline;
    GPtrArray *tables; /* FirewallTable: what is known so far */
    GPtrArray *texts;  /* FirewallText: what was printed, as far as it could be parsed */
    guint answers;     /* programs that did answer */
    gboolean torn;     /* two answers were of different moments */
    GError *trouble;   /* the first program's that did not answer, or NULL */
} Reading;

/* Whether the kernel would let us list its rules; a user namespace's root learns it from nft. */
static gboolean may_read_filter(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capget, &header, data) < 0)
        return TRUE;
    return (data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN)) != 0;
}

/* Takes an error of one program; the first is kept. */
static void reading_trouble(Reading *reading, GError *cause)
{
    if (reading->trouble)
        g_error_free(cause);
    else
        reading->trouble = cause;
}

/*
 * Takes an error of a save program. Where there is no ebtables, its rules are nft's own words or cannot be
 * evaluated, which is told where it matters.
 */
static void reading_missed(Reading *reading, guint family, GError *cause)
{
    if (family == FAMILY_BRIDGE && g_error_matches(cause, VNAT_ERROR, VNAT_ERROR_NOT_FOUND))
        g_error_free(cause);
    else
        reading_trouble(reading, cause);
}

/* What nft printed. */
static gboolean reading_take_nft(Reading *reading, const char *json, gsize length, GError **error)
{
    GPtrArray *tables = firewall_parse_nft(json, length, error);

    if (!tables)
        return FALSE;
    g_ptr_array_unref(reading->tables);
    reading->tables = tables;
    reading->answers++;
    g_ptr_array_add(reading->texts, firewall_text_new(NFT, json));
    return TRUE;
}

/* Legacy tables are others than nft's of the same name, so they are only added. */
static void reading_add(Reading *reading, FirewallShape shape, GPtrArray *saved)
{
    if (shape == FIREWALL_IPTABLES_LEGACY)
        g_ptr_array_extend_and_steal(reading->tables, g_ptr_array_ref(saved));
    else if (!firewall_merge_save(reading->tables, saved))
        reading->torn = TRUE;
}

/* What a save program printed. */
static gboolean reading_take_save(Reading *reading, const SavePrograms *programs, guint family,
                                  const char *text, gsize length, GError **error)
{
    g_autoptr(GPtrArray) saved =
        firewall_parse_save(text, length, programs->shape, save_families[family], error);

    if (!saved)
        return FALSE;
    reading->answers++;
    reading_add(reading, programs->shape, saved);
    g_ptr_array_add(reading->texts, firewall_text_new(programs->program[family], text));
    return TRUE;
}

/* FALSE if nft did not answer. */
static gboolean reading_nft(Reading *reading)
{
    static const char *const argv[] = {NFT, "-j", "list", "ruleset", NULL};
    g_autofree char *json = NULL;
    GError *error = NULL;
    gsize length = 0;

    if (!run_program(argv, FIREWALL_MAX_BYTES, reading->deadline, &json, &length, &error)) {
        reading_trouble(reading, error);
        return FALSE;
    }
    if (reading_take_nft(reading, json, length, &error))
        return TRUE;
    g_prefix_error(&error, NFT ": ");
    reading_trouble(reading, error);
    return FALSE;
}

static void reading_finish(Reading *reading, const SavePrograms *programs, guint family, Run *run)
{
    g_autofree char *text = NULL;
    GError *error = NULL;
    gsize length = 0;

    if (!run_finish(run, FIREWALL_MAX_BYTES, reading->deadline, &text, &length, &error)) {
        reading_missed(reading, family, error);
    } else if (!reading_take_save(reading, programs, family, text, length, &error)) {
        g_prefix_error(&error, "%s: ", programs->program[family]);
        reading_trouble(reading, error);
    }
}

/* Runs the programs of the families that are wanted, side by side. */
static void reading_saves(Reading *reading, const SavePrograms *programs, const gboolean wanted[FAMILY_COUNT])
{
    Run *runs[FAMILY_COUNT] = {NULL};

    for (guint i = 0; i < FAMILY_COUNT; i++) {
        const char *argv[] = {programs->program[i], NULL};
        GError *error = NULL;

        if (!wanted[i])
            continue;
        runs[i] = run_start(argv, &error);
        if (!runs[i])
            reading_missed(reading, i, error);
    }
    for (guint i = 0; i < FAMILY_COUNT; i++) {
        if (runs[i])
            reading_finish(reading, programs, i, runs[i]);
        run_free(runs[i]);
    }
}

static gboolean family_is_iptables(GPtrArray *tables, const char *family)
{
    for (guint i = 0; i < tables->len; i++) {
        const FirewallTable *table = tables->pdata[i];

        if (strcmp(table->family, family) == 0 && firewall_table_is_iptables(table))
            return TRUE;
    }
    return FALSE;
}

static void reading_all(Reading *reading)
{
    gboolean nft = reading_nft(reading);
    gboolean wanted[FAMILY_COUNT];

    for (guint i = 0; i < FAMILY_COUNT; i++)
        wanted[i] = nft ? family_is_iptables(reading->tables, save_families[i]) : i != FAMILY_BRIDGE;
    reading_saves(reading, &save_nft, wanted);
    for (guint i = 0; i < FAMILY_COUNT; i++) {
        g_autofree char *names = legacy_names[i] ? file_read_proc(legacy_names[i], 4096, NULL) : NULL;

        wanted[i] = names && *names;
    }
    reading_saves(reading, &save_legacy, wanted);
}

static void reading_clear(Reading *reading)
{
    if (reading->tables)
        g_ptr_array_unref(reading->tables);
    if (reading->texts)
        g_ptr_array_unref(reading->texts);
    g_clear_error(&reading->trouble);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static void reading_start(Reading *reading, Deadline deadline)
{
    reading_clear(reading);
    *reading = (Reading){
        .deadline = deadline,
        .tables = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_table_free),
        .texts = g_ptr_array_new_with_free_func((GDestroyNotify)firewall_text_free),
    };
}

/* Takes the cause. */
static gboolean firewall_failed(Facts *facts, GError *cause, GError **error)
{
    SourceStatus *status = &facts->sources[SOURCE_FIREWALL];

    source_status_set(status, status->generation ? SOURCE_STALE : SOURCE_DOWN, cause->message);
    g_propagate_error(error, cause);
    return FALSE;
}

static gboolean firewall_denied(Facts *facts, GError **error)
{
    return firewall_failed(facts, g_error_new_literal(VNAT_ERROR, VNAT_ERROR_DENIED, FIREWALL_RIGHTS), error);
}

static void firewall_adopt(Facts *facts, Reading *reading)
{
    SourceStatus *status = &facts->sources[SOURCE_FIREWALL];
    const char *why = reading->trouble ? reading->trouble->message : NULL;

    if (!why && reading->torn)
        why = "the rules changed while they were read";
    g_ptr_array_unref(facts->firewall);
    facts->firewall = g_steal_pointer(&reading->tables);
    if (facts->keep) {
        g_ptr_array_unref(facts->firewall_texts);
        facts->firewall_texts = g_steal_pointer(&reading->texts);
    }
    status->generation++;
    status->time = facts->now;
    source_status_set(status, why ? SOURCE_STALE : SOURCE_LIVE, why);
}

gboolean firewall_read(Facts *facts, Deadline deadline, GError **error)
{
    g_auto(Reading) reading = {0};

    if (!may_read_filter())
        return firewall_denied(facts, error);
    for (guint try = 0; try < FIREWALL_TRIES; try++) {
        reading_start(&reading, deadline);
        reading_all(&reading);
        if (!reading.torn || deadline_passed(deadline))
            break;
    }
    if (g_error_matches(reading.trouble, VNAT_ERROR, VNAT_ERROR_DENIED))
        return firewall_denied(facts, error);
    if (g_error_matches(reading.trouble, VNAT_ERROR, VNAT_ERROR_DEADLINE) || !reading.answers)
        return firewall_failed(facts, g_steal_pointer(&reading.trouble), error);
    firewall_adopt(facts, &reading);
    return TRUE;
}

/* ------------------------------------------------------------------------- from what was printed */

static gboolean reading_take(Reading *reading, const FirewallText *text, GError **error)
{
    static const SavePrograms *const generations[] = {&save_nft, &save_legacy};
    gsize length = strlen(text->text);

    if (strcmp(text->program, NFT) == 0)
        return reading_take_nft(reading, text->text, length, error);
    for (guint i = 0; i < G_N_ELEMENTS(generations); i++) {
        for (guint family = 0; family < FAMILY_COUNT; family++) {
            if (g_strcmp0(text->program, generations[i]->program[family]) == 0)
                return reading_take_save(reading, generations[i], family, text->text, length, error);
        }
    }
    return vnat_error_set(error, VNAT_ERROR_INVALID, "no program that lists rules");
}

/* nft's answer replaces all tables, the others add to it: so it comes first. */
gboolean firewall_parse_texts(const GPtrArray *texts, GPtrArray **tables, GError **error)
{
    g_auto(Reading) reading = {0};

    reading_start(&reading, DEADLINE_NEVER);
    for (guint pass = 0; pass < 2; pass++) {
        for (guint i = 0; i < texts->len; i++) {
            const FirewallText *text = texts->pdata[i];

            if ((strcmp(text->program, NFT) == 0) != (pass == 0))
                continue;
            if (!reading_take(&reading, text, error)) {
                g_prefix_error(error, "%s: ", text->program);
                return FALSE;
            }
        }
    }
    *tables = g_steal_pointer(&reading.tables);
    return TRUE;
}
