/*
 * wsleuth explain: what a finding means.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cli/cli.h"

int command_explain(Cli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    const char *id = cli->captures ? cli->captures[0] : NULL;
    const WslCatalogueEntry *entry = id ? wsl_catalogue_find(id) : NULL;

    if (id && !entry) {
        complain("there is no finding \"%s\" (wsleuth explain lists them)", id);
        return EXIT_UNUSABLE;
    }
    if (cli->page)
        wsl_explain_page(out);
    else if (entry)
        wsl_explain(entry, out);
    else
        wsl_explain_all(out);
    Output *output = output_open(cli->output, &error);
    if (!output) {
        complain("%s", error->message);
        return EXIT_UNUSABLE;
    }
    output_write(output, out->str, out->len);
    return output_close(output) ? EXIT_ANALYSED : EXIT_UNUSABLE;
}
