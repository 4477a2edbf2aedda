/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/deadline.h"
#include "views/table.h"
#include "views/view.h"

#include <glib.h>

/*
 * A command is one entry: its name, options, help and function stand together, and help, parser, completion
 * and the manual's test read the same tables.
 */

/* Exit codes; contract and vnat(1). */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 4,
    EXIT_INCOMPLETE = 6,
    EXIT_PIPE = 141, /* 128 + SIGPIPE: the reader has gone */
    /* of check, which are Nagios' */
    EXIT_WARNING = 1,
    EXIT_CRITICAL = 2,
    EXIT_UNKNOWN = 3,
};

typedef enum { OPTION_FLAG, OPTION_VALUE, OPTION_LIST, OPTION_NUMBER } OptionKind;

typedef struct {
    const char *name; /* long name; NULL ends a table */
    char letter;      /* 0: none */
    OptionKind kind;
    const char *value; /* name of the value in help */
    const char *help;
    const char
        *complete; /* what completes the value: a kind of COMPLETE_*, or words separated by '|'; NULL */
} Option;

typedef struct {
    const char *name; /* as in usage; NULL ends a table */
    gboolean optional;
    const char *complete;
} Argument;

#define COMPLETE_NETWORK "<network>"
#define COMPLETE_NETWORK_OR_TEMPLATE "<network-or-template>"
#define COMPLETE_DOMAIN "<domain>"
#define COMPLETE_DOMAIN_OR_NETWORK "<domain-or-network>"
#define COMPLETE_TEMPLATE "<template>"
#define COMPLETE_TEMPLATE_OR_FILE "<template-or-file>"
#define COMPLETE_COLUMNS "<columns>"
#define COMPLETE_COMMAND "<command>"
#define COMPLETE_WHO "<who>"
#define COMPLETE_FILE "<file>"
#define COMPLETE_CHECK "<check>"

typedef struct Context Context;

typedef enum {
    COMMAND_JSON = 1 << 0,    /* has --json */
    COMMAND_CHANGES = 1 << 1, /* changes something: wants a read-write connection */
    COMMAND_HIDDEN = 1 << 2,  /* not in the list of commands */
    COMMAND_RAW = 1 << 3,     /* takes its words as they are: no options of its own */
    COMMAND_MANY = 1 << 4,    /* its last argument may be given several times */
    COMMAND_LEVELS = 1 << 5,  /* its exit code is a level: where it cannot tell one, EXIT_UNKNOWN */
} CommandFlags;

typedef struct {
    const char *name;          /* one word, or two for a family ("template list") */
    const char *group;         /* heading in the list of commands */
    const char *summary;       /* one line, begins with a small letter, no full stop */
    const char *description;   /* paragraphs for its help; NULL */
    const char *examples;      /* lines for its help */
    const Argument *arguments; /* NULL: none */
    const Option *options;     /* NULL: none; the common ones are added */
    guint flags;
    const ColumnSet *columns; /* of its table; NULL: it has none, and no table options */
    const char *standard;     /* columns shown by default */
    int (*run)(Context *ctx); /* returns the exit code */
} Command;

struct Context {
    /* global options */
    const char *uri;    /* NULL: environment and default */
    const char *replay; /* directory of a captured host; NULL: this one */
    gboolean readonly;
    gboolean quiet;
    gboolean json;
    int debug;
    gboolean
        downgraded; /* the connection is read-only for want of rights, and the command changes something */

    Deadline deadline;
    gboolean timed; /* --timeout was given: the deadline is the caller's, not the usual one */
    double timeout; /* --timeout or the default, in seconds */
    const Command *command;
    ViewContext view;
    GHashTable *options; /* name -> GPtrArray of values (char *); flags have one empty value */
    GPtrArray *columns;  /* const Column *: what its table shows; NULL for a command without one */
    GPtrArray *words;    /* positional arguments, char * */
};

/* Whether this argument of the command's may be given several times. */
gboolean argument_is_many(const Command *command, const Argument *argument);

/* All commands, in the order of help; ends with a NULL. */
extern const Command *const commands[];

/* Options that every command has, that tables have, that JSON has. */
extern const Option options_common[], options_table[], options_json[];

/* The command that these words begin with, and how many words name it; NULL: none. */
const Command *command_find(char **words, guint *used);

/*
 * Parses the options before the command into ctx->options, which it makes. *used: how many words of argv they
 * took, the program's name among them. Errors: VNAT_ERROR_USAGE.
 */
gboolean globals_read(Context *ctx, const Option *table, int argc, char **argv, int *used, GError **error);

/*
 * Parses a command's own part of the command line into ctx (options anew, and words, made here). Errors:
 * VNAT_ERROR_USAGE.
 */
gboolean command_parse(Context *ctx, const Command *command, int argc, char **argv, GError **error);

/* Options as parsed. */
gboolean option_flag(const Context *ctx, const char *name);
const char *option_value(const Context *ctx, const char *name);     /* the last one; NULL: not given */
const GPtrArray *option_list(const Context *ctx, const char *name); /* NULL: not given */
/* Positional argument, or NULL. */
const char *argument(const Context *ctx, guint index);

/* ---------------------------------------------------------------------------------------- messages */

/* Writes out what was printed so far, before a message that belongs behind it. */
void output_flush(void);
/* At the end: 0, or why something that was printed did not reach its file (errno), also by then. */
int output_finish(void);

/* Prints an error (error:, error:, hint: lines on stderr, escaped), frees it, and returns its exit code. */
int report(Context *ctx, GError *error);
/* A line on standard output, not with --quiet or --json. The text is escaped. */
void say(const Context *ctx, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A line on standard output whatever --quiet says: it is what was asked for. The text is escaped. */
void print_text(const Context *ctx, const char *text);
/* "error: …" and "hint: …" on stderr, for what is told beside an answer. */
void warn(const Context *ctx, const char *format, ...) G_GNUC_PRINTF(2, 3);
void hint(const Context *ctx, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A command to try, or a sentence that quotes some ("'vnat map' shows them"): vnat's and virsh's with the
 * options that they need to mean the host that was asked; for a captured one only vnat's, not quoted. New
 * string. */
char *command_for_host(const Context *ctx, const char *command);

/* The list of commands; those whose first word this is, FALSE and nothing if there are none; the help of one.
 */
void help_overview(FILE *out);
gboolean help_family(FILE *out, const char *word);
void help_command(FILE *out, const Command *command);

/* Writes the records as the command's table, by its -o, -n and --csv. Returns EXIT_OK. */
int write_table(Context *ctx, const GPtrArray *records);
