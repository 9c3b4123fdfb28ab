/*
 * The commands, one row each.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "cli/cli.h"

static const Command commands[] = {
    {"report", "CAPTURE", "analyse, then report (the default command)", true, command_report},
    {"frames", "CAPTURE", "one line for each WebSocket frame", true, command_frames},
    {"explain", "[FINDING-ID]", "what a finding means, why it matters, what to do, where it is specified", false,
     command_explain},
};

const Command *find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

void append_commands(GString *out)
{
    g_string_append(out, "Commands:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *usage = g_strdup_printf("%s %s", commands[i].name, commands[i].arguments);
        g_string_append_printf(out, "  wsleuth %-22s %s\n", usage, commands[i].summary);
    }
    g_string_append(out, "\nCAPTURE is a pcap or pcapng file, or - for standard input.\n"
                         "Exit status: 0 analysed; 1 --fail-on was met; 2 nothing could be read or written;\n"
                         "3 analysed, but the capture was cut short or damaged.");
}
