/*
 * wsleuth: finds the command, parses its options, runs it.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/report/safetext.h"

void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    /* Names of files come with attachments: they may hold anything. */
    g_autoptr(GString) safe = g_string_new(NULL);
    wsl_safe_append(safe, message, strlen(message));
    fprintf(stderr, "wsleuth: %s\n", safe->str);
}

int main(int argc, char **argv)
{
    const Command *command = argc > 1 ? find_command(argv[1]) : NULL;
    Cli cli = {0};
    g_autoptr(GError) error = NULL;
    int status = EXIT_ANALYSED;

    if (command) {
        argv[1] = argv[0];
        argv++;
        argc--;
    } else {
        command = find_command("report");
    }
    if (parse_options(command, argc, argv, &cli, &error)) {
        status = command->run(&cli);
    } else if (error) {
        complain("%s", error->message);
        complain("\"wsleuth --help\" lists commands and options");
        status = EXIT_UNUSABLE;
    }
    cli_free(&cli);
    return status;
}
