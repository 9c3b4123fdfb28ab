/*
 * What the catalogue says, for a terminal: `wsleuth explain`.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/report/report.h"
#include "core/report/textout.h"

static const char *type_name(WslValueType type)
{
    static const char *const names[] = {"count", "bytes", "seconds", "true/false", "text", "digest", "list"};

    return names[type];
}

static void append_setting(GString *out, const WslSetting *setting)
{
    g_autofree char *value = g_strdup_printf("%.15g", setting->standard);

    wsl_text_paragraph(out, 2, "%-34s %12s %-9s %s", setting->name, value, setting->unit, setting->meaning);
}

/* Settings of a finding are named "id.name"; "limit.name" belong to analysis-limited. */
static bool belongs(const WslSetting *setting, const char *id)
{
    size_t length = strlen(id);

    if (strcmp(id, "analysis-limited") == 0)
        return g_str_has_prefix(setting->name, "limit.") || !strchr(setting->name, '.');
    return strncmp(setting->name, id, length) == 0 && setting->name[length] == '.';
}

void wsl_explain(const WslCatalogueEntry *entry, GString *out)
{
    bool any = false;

    g_string_append_printf(out, "%s: %s\n", entry->id, entry->title);
    g_string_append_printf(out, "%s, %s\n\n", wsl_family_name(entry->family), wsl_severity_name(entry->severity));
    wsl_text_paragraph(out, 0, "%s", entry->explanation);
    g_string_append_c(out, '\n');
    wsl_text_paragraph(out, 0, "What to do: %s", entry->fix);
    if (*entry->innocent) {
        g_string_append_c(out, '\n');
        wsl_text_paragraph(out, 0, "Not reported, though it looks alike: %s", entry->innocent);
    }
    g_string_append_printf(out, "\nSpecified in %s.\n\nEvidence\n", entry->reference);
    for (unsigned i = 0; i < WSL_EVIDENCE_KEYS && entry->evidence[i].key; i++)
        wsl_text_paragraph(out, 2, "%-14s %-11s %s", entry->evidence[i].key, type_name(entry->evidence[i].type),
                           entry->evidence[i].meaning);
    for (unsigned i = 0; i < WSL_SETTINGS; i++) {
        if (!belongs(wsl_setting(i), entry->id))
            continue;
        if (!any)
            g_string_append(out, "\nSettings (--set NAME=VALUE)\n");
        any = true;
        append_setting(out, wsl_setting(i));
    }
}

void wsl_explain_all(GString *out)
{
    size_t count;
    const WslCatalogueEntry *entries = wsl_catalogue(&count);

    for (size_t i = 0; i < count; i++) {
        if (!i || entries[i].family != entries[i - 1].family)
            g_string_append_printf(out, "%s%s\n", i ? "\n" : "", wsl_family_name(entries[i].family));
        g_string_append_printf(out, "  %-30s %-8s %s\n", entries[i].id, wsl_severity_name(entries[i].severity),
                               entries[i].title);
    }
    g_string_append(out, "\nSettings (--set NAME=VALUE)\n");
    for (unsigned i = 0; i < WSL_SETTINGS; i++)
        append_setting(out, wsl_setting(i));
    g_string_append(out, "\nwsleuth explain FINDING-ID says more about one.\n");
}

static void append_page_entry(GString *out, const WslCatalogueEntry *entry)
{
    g_string_append_printf(out, "### %s\n\n**%s** (%s)\n\n%s\n\nWhat to do: %s\n\n", entry->id, entry->title,
                           wsl_severity_name(entry->severity), entry->explanation, entry->fix);
    if (*entry->innocent)
        g_string_append_printf(out, "Not reported, though it looks alike: %s\n\n", entry->innocent);
    g_string_append_printf(out, "Specified in %s.\n\n| evidence | type | meaning |\n|---|---|---|\n", entry->reference);
    for (unsigned i = 0; i < WSL_EVIDENCE_KEYS && entry->evidence[i].key; i++)
        g_string_append_printf(out, "| `%s` | %s | %s |\n", entry->evidence[i].key, type_name(entry->evidence[i].type),
                               entry->evidence[i].meaning);
    g_string_append_c(out, '\n');
}

void wsl_explain_page(GString *out)
{
    size_t count;
    const WslCatalogueEntry *entries = wsl_catalogue(&count);

    g_string_append(out, "# Findings\n\nMade from the catalogue by `wsleuth explain --page`.\n");
    for (size_t i = 0; i < count; i++) {
        if (!i || entries[i].family != entries[i - 1].family)
            g_string_append_printf(out, "\n## %s\n\n", wsl_family_name(entries[i].family));
        append_page_entry(out, &entries[i]);
    }
    g_string_append(out, "\n## Settings\n\n`--set NAME=VALUE` changes them.\n\n"
                         "| name | default | unit | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < WSL_SETTINGS; i++)
        g_string_append_printf(out, "| `%s` | %.15g | %s | %s |\n", wsl_setting(i)->name, wsl_setting(i)->standard,
                               wsl_setting(i)->unit, wsl_setting(i)->meaning);
}
