/*
 * Options: one table, from which help is made and into which they are parsed.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* What GOption fills in; turned into a Cli afterwards. */
typedef struct {
    char *format, *fail_on, *least, *stream, *connection, *server;
    char **only, **ports, **settings;
    char *max_connections, *max_findings, *max_proof, *keylog;
    gboolean help, version, secrets, all, quiet, verbose, page;
} Raw;

#define OPTIONS_ERROR g_quark_from_static_string("wsl-cli-error")

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, OPTIONS_ERROR, 0, message);
    return false;
}

static bool take_severity(const char *option, const char *text, WslSeverity *severity, GError **error)
{
    for (unsigned i = 0; i < WSL_SEVERITIES; i++) {
        if (strcmp(text, wsl_severity_name(i)) != 0)
            continue;
        *severity = i;
        return true;
    }
    return fail(error, "%s takes note, warning or error, not \"%s\"", option, text);
}

static bool take_number(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *value,
                        GError **error)
{
    g_autoptr(GError) wrong = NULL;
    guint64 parsed;

    if (!g_ascii_string_to_unsigned(text, 10, least, most, &parsed, &wrong))
        return fail(error, "%s takes a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", not \"%s\"", option,
                    least, most, text);
    *value = parsed;
    return true;
}

static bool take_format(const char *text, Format *format, GError **error)
{
    static const char *const names[] = {"text", "json", "ndjson"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *format = i;
        return true;
    }
    return fail(error, "--format takes text, json or ndjson, not \"%s\"", text);
}

static bool take_ids(char **lists, Cli *cli, GError **error)
{
    for (; lists && *lists; lists++) {
        g_auto(GStrv) ids = g_strsplit(**lists ? *lists : ",", ",", -1);
        for (char **id = ids; *id; id++) {
            if (!wsl_catalogue_find(*id))
                return fail(error, "--only: there is no finding \"%s\" (wsleuth explain lists them)", *id);
            if (!cli->shown.only)
                cli->shown.only = g_ptr_array_new_with_free_func(g_free);
            g_ptr_array_add(cli->shown.only, g_strdup(*id));
        }
    }
    return true;
}

static bool take_ports(char **lists, Cli *cli, GError **error)
{
    for (; lists && *lists; lists++) {
        g_auto(GStrv) ports = g_strsplit(**lists ? *lists : ",", ",", -1);
        for (char **text = ports; *text; text++) {
            uint64_t value;
            if (!take_number("--port", *text, 1, UINT16_MAX, &value, error))
                return false;
            guint16 port = (guint16)value;
            g_array_append_val(cli->analysis->ports, port);
        }
    }
    return true;
}

static bool take_limits(const Raw *raw, Cli *cli, GError **error)
{
    const struct {
        const char *option, *text;
        size_t *limit;
    } limits[] = {
        {"--max-connections", raw->max_connections, &cli->analysis->max_connections},
        {"--max-findings", raw->max_findings, &cli->analysis->max_findings},
        {"--max-proof", raw->max_proof, &cli->analysis->max_proof},
    };
    uint64_t value;

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        if (!limits[i].text)
            continue;
        if (!take_number(limits[i].option, limits[i].text, i == 2, UINT32_MAX, &value, error))
            return false;
        *limits[i].limit = (size_t)value;
    }
    return true;
}

static bool take_narrowing(const Raw *raw, Cli *cli, GError **error)
{
    uint64_t value;
    WslTime ignored;

    if (raw->least && !take_severity("--min-severity", raw->least, &cli->shown.least, error))
        return false;
    if (raw->fail_on && !take_severity("--fail-on", raw->fail_on, &cli->fail_on, error))
        return false;
    cli->has_fail_on = raw->fail_on != NULL;
    if (raw->stream) {
        if (!take_number("--stream", raw->stream, 0, UINT32_MAX, &value, error))
            return false;
        cli->shown.has_stream = true;
        cli->shown.stream = (uint32_t)value;
    }
    if (raw->connection && !take_number("--connection", raw->connection, 1, UINT64_MAX, &cli->shown.connection, error))
        return false;
    if (cli->from && !parse_time(cli->from, 0, &ignored))
        return fail(error, "--from: \"%s\" is no time (+SECONDS, seconds since 1970 or 2026-11-23T22:09:15Z)",
                    cli->from);
    if (cli->to && !parse_time(cli->to, 0, &ignored))
        return fail(error, "--to: \"%s\" is no time (+SECONDS, seconds since 1970 or 2026-11-23T22:09:15Z)", cli->to);
    return true;
}

static bool take_all(const Raw *raw, Cli *cli, GError **error)
{
    cli->shown.show_secrets = raw->secrets;
    cli->shown.every_connection = raw->all;
    cli->quiet = raw->quiet;
    cli->verbose = raw->verbose;
    cli->page = raw->page;
    if (raw->server && !(cli->shown.server = parse_server(raw->server)))
        return fail(error, "--server: \"%s\" is no address, with or without a port", raw->server);
    const char *plain = g_getenv("NO_COLOR");
    cli->shown.colour = !cli->output && isatty(STDOUT_FILENO) && !(plain && *plain);
    if (raw->format && !take_format(raw->format, &cli->format, error))
        return false;
    for (char **setting = raw->settings; setting && *setting; setting++)
        if (!wsl_options_set(cli->analysis, *setting, error))
            return false;
    return take_narrowing(raw, cli, error) && take_ids(raw->only, cli, error) && take_ports(raw->ports, cli, error) &&
           take_limits(raw, cli, error);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static bool check_captures(const Command *command, Cli *cli, GError **error)
{
    unsigned count = cli->captures ? g_strv_length(cli->captures) : 0;

    if (!command->takes_captures)
        return true;
    if (cli->interface && count)
        return fail(error, "give either a capture or --interface");
    if (!cli->interface && !count)
        return fail(error, "%s: which capture? (a file, or - for standard input)", command->name);
    if (count == 1 && cli->output && is_same_file(cli->output, cli->captures[0]))
        return fail(error, "--output would overwrite the capture");
    if (count > 1 && !g_file_test(cli->captures[0], G_FILE_TEST_EXISTS))
        return fail(error, "there is no command and no file \"%s\"", cli->captures[0]);
    if (count > 1)
        return fail(error, "one capture at a time; several files are joined by \"mergecap -w ALL.pcapng FILE...\"");
    return true;
}

static void raw_free(Raw *raw)
{
    char *texts[] = {raw->format,          raw->fail_on,      raw->least,     raw->stream, raw->connection,
                     raw->max_connections, raw->max_findings, raw->max_proof, raw->keylog, raw->server};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(raw->only);
    g_strfreev(raw->ports);
    g_strfreev(raw->settings);
}

static GOptionContext *context_of(const Command *command, const GOptionEntry *entries)
{
    g_autofree char *usage =
        g_strdup_printf("%s%s%s %s", command->takes_captures && !strcmp(command->name, "report") ? "[" : "",
                        command->name, !strcmp(command->name, "report") ? "]" : "", command->arguments);
    GOptionContext *context = g_option_context_new(usage);
    g_autoptr(GString) description = g_string_new(NULL);

    g_option_context_set_help_enabled(context,
                                      FALSE); /* GLib's would exit before it knows whether it could be written */
    g_option_context_set_summary(context,
                                 "Says what is wrong with the WebSocket traffic in a packet capture, who caused it "
                                 "and what to do.");
    append_commands(description);
    g_option_context_set_description(context, description->str);
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

/* GLib writes "[OPTION?]" where the locale has no ellipsis. */
static char *help_of(GOptionContext *context)
{
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    g_autoptr(GRegex) ellipsis = g_regex_new("\\[OPTION[^\\]]*\\]", 0, 0, NULL);

    return g_regex_replace_literal(ellipsis, help, -1, 0, "[OPTIONS]", 0, NULL);
}

static void say_and_stop(const char *text, GError **error)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
        fail(error, "standard output: cannot be written: %s", g_strerror(errno));
}

bool parse_options(const Command *command, int argc, char **argv, Cli *cli, GError **error)
{
    Raw raw = {0};
    const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &raw.format, "how to report: text, json or ndjson", "FORMAT"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &cli->output, "write there, whole or not at all", "FILE"},
        {"fail-on", 0, 0, G_OPTION_ARG_STRING, &raw.fail_on,
         "exit 1 if the report shows a finding of at least that severity", "note|warning|error"},
        {"min-severity", 0, 0, G_OPTION_ARG_STRING, &raw.least, "show findings of at least that severity",
         "note|warning|error"},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw.only, "show these findings", "ID[,ID]"},
        {"stream", 0, 0, G_OPTION_ARG_STRING, &raw.stream, "show one TCP stream (Wireshark's tcp.stream)", "N"},
        {"connection", 0, 0, G_OPTION_ARG_STRING, &raw.connection, "show the connection with this first packet",
         "PACKET"},
        {"server", 0, 0, G_OPTION_ARG_STRING, &raw.server, "show one server", "ADDR[:PORT]"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &cli->from, "show what lasts beyond this time", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &cli->to, "show what begins before this time", "TIME"},
        {"all", 0, 0, G_OPTION_ARG_NONE, &raw.all, "list every connection and finding in the text", NULL},
        {"max-connections", 0, 0, G_OPTION_ARG_STRING, &raw.max_connections, "list at most N connections (100000)",
         "N"},
        {"max-findings", 0, 0, G_OPTION_ARG_STRING, &raw.max_findings, "list at most N findings of each id (1000)",
         "N"},
        {"max-proof", 0, 0, G_OPTION_ARG_STRING, &raw.max_proof, "name at most N packets for each finding (16)", "N"},
        {"port", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &raw.ports, "WebSocket server ports even without a handshake",
         "PORT[,PORT]"},
        {"interface", 'i', 0, G_OPTION_ARG_STRING, &cli->interface, "capture live on this interface, until Ctrl-C",
         "IFACE"},
        {"capture-filter", 0, 0, G_OPTION_ARG_STRING, &cli->filter,
         "only packets that this libpcap filter takes, from files too", "EXPR"},
        {"keylog", 0, 0, G_OPTION_ARG_FILENAME, &raw.keylog,
         "TLS secrets; this version reports TLS as encrypted all the same", "FILE"},
        {"show-secrets", 0, 0, G_OPTION_ARG_NONE, &raw.secrets, "do not mask credentials", NULL},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &raw.settings,
         "change a threshold or limit (\"wsleuth explain\" lists them)", "NAME=VALUE"},
        {"page", 0, 0, G_OPTION_ARG_NONE, &raw.page, "explain: all findings as a page of Markdown", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &raw.quiet, "no warnings and no progress on standard error", NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &raw.verbose, "say on standard error what was read", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &raw.version, "print the version", NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &raw.help, "print this", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &cli->captures, NULL, NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = context_of(command, entries);

    cli->analysis = wsl_options_new();
    cli->shown.least = WSL_NOTE;
    cli->shown.complete = true;
    bool good = g_option_context_parse(context, &argc, &argv, error);
    if (good && (raw.version || raw.help)) {
        g_autofree char *text = raw.version ? g_strdup("wsleuth " WSL_VERSION "\n") : help_of(context);
        good = false;
        say_and_stop(text, error);
    } else if (good) {
        good = take_all(&raw, cli, error) && check_captures(command, cli, error);
    }
    if (good && raw.keylog && !cli->quiet)
        complain("--keylog: decryption is not part of this version; TLS streams are reported as encrypted");
    raw_free(&raw);
    return good;
}

void cli_free(Cli *cli)
{
    if (cli->analysis)
        wsl_options_free(cli->analysis);
    if (cli->shown.only)
        g_ptr_array_free(cli->shown.only, TRUE);
    g_free((char *)(uintptr_t)cli->shown.server);
    g_free(cli->output);
    g_free(cli->interface);
    g_free(cli->filter);
    g_free(cli->from);
    g_free(cli->to);
    g_strfreev(cli->captures);
}
