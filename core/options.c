/*
 * Options of an analysis: thresholds, limits, ports.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/wsleuth.h"

enum { CONNECTIONS_LISTED = 100000, FINDINGS_LISTED = 1000, PROOF_LISTED = 16 };

WslOptions *wsl_options_new(void)
{
    WslOptions *options = g_new0(WslOptions, 1);

    for (unsigned i = 0; i < WSL_SETTINGS; i++)
        options->settings[i] = wsl_setting(i)->standard;
    options->ports = g_array_new(FALSE, FALSE, sizeof(guint16));
    options->max_connections = CONNECTIONS_LISTED;
    options->max_findings = FINDINGS_LISTED;
    options->max_proof = PROOF_LISTED;
    return options;
}

void wsl_options_free(WslOptions *options)
{
    g_array_free(options->ports, TRUE);
    g_free(options);
}

static int setting_named(const char *name, size_t length)
{
    for (int i = 0; i < WSL_SETTINGS; i++)
        if (strlen(wsl_setting((WslSettingId)i)->name) == length &&
            strncmp(wsl_setting((WslSettingId)i)->name, name, length) == 0)
            return i;
    return -1;
}

bool wsl_options_set(WslOptions *options, const char *assignment, GError **error)
{
    const char *equals = strchr(assignment, '=');
    int id = equals ? setting_named(assignment, (size_t)(equals - assignment)) : -1;
    char *end;

    if (id < 0) {
        g_set_error(error, WSL_OPTIONS_ERROR, 0, "there is no setting \"%.*s\" (wsleuth explain lists them)",
                    (int)(equals ? equals - assignment : (ptrdiff_t)strlen(assignment)), assignment);
        return false;
    }
    const WslSetting *setting = wsl_setting((WslSettingId)id);
    double value = g_ascii_strtod(equals + 1, &end);
    if (end == equals + 1 || *end || !(value >= setting->least && value <= setting->most)) {
        g_set_error(error, WSL_OPTIONS_ERROR, 1, "%s takes a number from %.15g to %.15g (%s), not \"%s\"",
                    setting->name, setting->least, setting->most, setting->unit, equals + 1);
        return false;
    }
    options->settings[id] = value;
    return true;
}
