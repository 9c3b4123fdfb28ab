/*
 * The command line: what the files of this folder share. No protocol knowledge here.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_CLI_H
#define WSL_CLI_H

#include "core/capture/source.h"
#include "core/report/report.h"

/** Exit statuses, by the contract. */
enum { EXIT_ANALYSED = 0, EXIT_FINDINGS = 1, EXIT_UNUSABLE = 2, EXIT_INCOMPLETE = 3 };

typedef enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_NDJSON } Format;

/** What the options said. */
typedef struct {
    Format format;
    WslShown shown;
    WslOptions *analysis;
    char *output;    /**< NULL: standard output */
    char *interface; /**< live capture; NULL: files */
    char *filter;    /**< in libpcap's language; NULL */
    char *from, *to; /**< as given: they may count from the capture's start */
    bool has_fail_on;
    WslSeverity fail_on;
    bool quiet, verbose;
    bool page;       /**< explain: everything as Markdown */
    char **captures; /**< what is left of the arguments */
} Cli;

/** A command: its row stands in commands.c. */
typedef struct {
    const char *name;
    const char *arguments; /**< for the usage line */
    const char *summary;
    bool takes_captures;
    int (*run)(Cli *cli);
} Command;

const Command *find_command(const char *name);
void append_commands(GString *out);

/** Parses the arguments behind the command. False: say `error` and exit 2, or (no error) exit 0. Free with cli_free(). */
bool parse_options(const Command *command, int argc, char **argv, Cli *cli, GError **error);
void cli_free(Cli *cli);
/** "+2.5" (seconds after `zero`), "1795471757.8" or "2026-11-23T22:09:15.5Z". */
bool parse_time(const char *text, WslTime zero, WslTime *time);

/** Sets the shown span once the capture has begun: its times may count from there. */
void settle_times(Cli *cli, const WslAnalyzer *analyzer);
/** "192.0.2.1:80", "[2001:db8::1]", … in the form that reports use; NULL if it is neither. g_free() it. */
char *parse_server(const char *text);

/** Where a report goes: standard output, or a file that appears whole or not at all. */
typedef struct Output Output;
Output *output_open(const char *path, GError **error);
bool output_write(Output *output, const char *bytes, size_t length);
/** Nothing worth keeping was written: output_close() leaves no file, and an old one as it was. */
void output_abandon(Output *output);
/** Finishes; false if anything could not be written (it was said, and a file was removed). */
bool output_close(Output *output);

/** Reads the capture into an analyzer until its end; says what is wrong on standard error. Returns the exit status so far. */
typedef struct {
    WslAnalyzer *analyzer;
    uint64_t packets;
    bool complete;
    int status;
} Analysis;
Analysis analyse(Cli *cli, const WslListener *listener);
/** The process ends with the analysis: what it holds is left to the kernel, which frees a million records at once. NULL: nothing. */
void leave(WslAnalyzer *analyzer);

int command_report(Cli *cli);
int command_frames(Cli *cli);
int command_explain(Cli *cli);

/** "wsleuth: message" on standard error. */
void complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
