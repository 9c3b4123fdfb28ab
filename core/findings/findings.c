/*
 * The life of a finding (findings.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/findings/findings.h"

#include <string.h>

struct WslFindings {
    const WslAnalyzer *analyzer;
    const WslOptions *options;
    const WslListener *listener;
    GPtrArray *listed;
    GHashTable *keys; /* text -> times used */
    uint64_t *found, *listed_of_row;
    uint64_t by_severity[WSL_SEVERITIES];
    uint64_t not_listed;
};

WslFindings *wsl_findings_new(const WslAnalyzer *analyzer, const WslOptions *options, const WslListener *listener)
{
    WslFindings *findings = g_new0(WslFindings, 1);
    size_t rows;

    wsl_catalogue(&rows);
    findings->analyzer = analyzer;
    findings->options = options;
    findings->listener = listener;
    findings->listed = g_ptr_array_new_with_free_func((GDestroyNotify)wsl_finding_free);
    findings->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    findings->found = g_new0(uint64_t, rows);
    findings->listed_of_row = g_new0(uint64_t, rows);
    return findings;
}

void wsl_findings_free(WslFindings *findings)
{
    g_ptr_array_free(findings->listed, TRUE);
    g_hash_table_destroy(findings->keys);
    g_free(findings->found);
    g_free(findings->listed_of_row);
    g_free(findings);
}

static size_t row_of(const WslFinding *finding)
{
    size_t rows;

    return (size_t)(finding->entry - wsl_catalogue(&rows));
}

WslFinding *wsl_finding_new(WslFindings *findings, const char *id)
{
    const WslCatalogueEntry *entry = wsl_catalogue_find(id);

    (void)findings;
    g_assert(entry);
    WslFinding *finding = g_new0(WslFinding, 1);
    finding->entry = entry;
    finding->severity = entry->severity;
    finding->confidence = WSL_CERTAIN;
    finding->direction = WSL_NO_DIRECTION;
    finding->packets = g_array_new(FALSE, FALSE, sizeof(WslPacketNo));
    return finding;
}

void wsl_finding_free(WslFinding *finding)
{
    if (!finding)
        return;
    for (unsigned i = 0; i < WSL_EVIDENCE_KEYS && finding->entry->evidence[i].key; i++) {
        if (finding->entry->evidence[i].type == WSL_VALUE_TEXT || finding->entry->evidence[i].type == WSL_VALUE_DIGEST)
            g_free(finding->evidence[i].text);
        else if (finding->entry->evidence[i].type == WSL_VALUE_LIST && finding->evidence[i].list)
            g_ptr_array_free(finding->evidence[i].list, TRUE);
    }
    g_array_free(finding->packets, TRUE);
    if (finding->streams)
        g_array_free(finding->streams, TRUE);
    g_free(finding->key);
    g_free(finding->summary);
    g_free(finding->filter);
    g_free(finding->client);
    g_free(finding->server);
    g_free(finding);
}

void wsl_finding_proof(WslFindings *findings, WslFinding *finding, WslPacketNo packet, WslTime time)
{
    bool first = !finding->start && !finding->end;

    finding->start = first ? time : MIN(finding->start, time);
    finding->end = first ? time : MAX(finding->end, time);
    if (finding->packets->len >= findings->options->max_proof)
        return;
    for (guint i = 0; i < finding->packets->len; i++)
        if (g_array_index(finding->packets, WslPacketNo, i) == packet)
            return;
    g_array_append_val(finding->packets, packet);
}

static WslEvidence *evidence(WslFinding *finding, const char *key)
{
    for (unsigned i = 0; i < WSL_EVIDENCE_KEYS && finding->entry->evidence[i].key; i++) {
        if (strcmp(finding->entry->evidence[i].key, key) != 0)
            continue;
        finding->evidence[i].present = true;
        return &finding->evidence[i];
    }
    g_error("%s has no evidence %s", finding->entry->id, key);
}

void wsl_finding_number(WslFinding *finding, const char *key, uint64_t value)
{
    evidence(finding, key)->number = value;
}

void wsl_finding_seconds(WslFinding *finding, const char *key, WslTime nanoseconds)
{
    evidence(finding, key)->nanoseconds = MAX(nanoseconds, 0);
}

void wsl_finding_bool(WslFinding *finding, const char *key, bool value)
{
    evidence(finding, key)->truth = value;
}

void wsl_finding_text(WslFinding *finding, const char *key, const char *value)
{
    WslEvidence *slot = evidence(finding, key);

    g_free(slot->text);
    slot->text = g_strdup(value);
}

void wsl_finding_add(WslFinding *finding, const char *key, const char *element)
{
    WslEvidence *slot = evidence(finding, key);

    if (!slot->list)
        slot->list = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(slot->list, g_strdup(element));
}

void wsl_finding_say(WslFinding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_free(finding->summary);
    finding->summary = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

static void give_key(WslFindings *findings, WslFinding *finding)
{
    static const char *const ways[] = {"-c2s", "-s2c", ""};
    WslPacketNo packet = finding->packets->len ? g_array_index(finding->packets, WslPacketNo, 0) : 0;
    char *key = g_strdup_printf("%s@%" G_GUINT64_FORMAT "%s", finding->entry->id, packet, ways[finding->direction]);
    guint used = GPOINTER_TO_UINT(g_hash_table_lookup(findings->keys, key)) + 1;

    finding->key = used > 1 ? g_strdup_printf("%s-%u", key, used) : g_strdup(key);
    g_hash_table_insert(findings->keys, key, GUINT_TO_POINTER(used));
}

static void append_packets(GString *filter, const WslFinding *finding)
{
    g_string_append(filter, "frame.number in {");
    for (guint i = 0; i < finding->packets->len; i++)
        g_string_append_printf(filter, "%s%" G_GUINT64_FORMAT, i ? ", " : "",
                               g_array_index(finding->packets, WslPacketNo, i));
    g_string_append_c(filter, '}');
}

/* Shows exactly the packets that prove it, and nothing of another stream. */
static void give_filter(WslFinding *finding)
{
    if (finding->filter || (!finding->packets->len && !finding->has_stream))
        return;
    g_autoptr(GString) filter = g_string_new(NULL);
    if (finding->has_stream)
        g_string_append_printf(filter, "tcp.stream eq %u", finding->stream);
    if (finding->packets->len) {
        if (filter->len)
            g_string_append(filter, " and ");
        append_packets(filter, finding);
    }
    finding->filter = g_strdup(filter->str);
}

WslFinding *wsl_finding_close(WslFindings *findings, WslFinding *finding)
{
    size_t row = row_of(finding);

    findings->found[row]++;
    findings->by_severity[finding->severity]++;
    bool listed = findings->listed_of_row[row] < findings->options->max_findings;
    bool heard = findings->listener && findings->listener->finding;
    if (listed || heard) {
        give_key(findings, finding);
        give_filter(finding);
    }
    if (heard)
        findings->listener->finding(findings->listener->user, findings->analyzer, finding);
    if (listed) {
        findings->listed_of_row[row]++;
        g_ptr_array_add(findings->listed, finding);
        return finding;
    }
    findings->not_listed++;
    wsl_finding_free(finding);
    return NULL;
}

static gint in_total_order(gconstpointer a, gconstpointer b)
{
    const WslFinding *x = *(WslFinding *const *)a, *y = *(WslFinding *const *)b;

    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    int by_id = strcmp(x->entry->id, y->entry->id);
    return by_id ? by_id : strcmp(x->key, y->key);
}

void wsl_findings_sort(WslFindings *findings)
{
    g_ptr_array_sort(findings->listed, in_total_order);
}

size_t wsl_findings_count(const WslFindings *findings)
{
    return findings->listed->len;
}

const WslFinding *wsl_findings_at(const WslFindings *findings, size_t index)
{
    return g_ptr_array_index(findings->listed, index);
}

uint64_t wsl_findings_found(const WslFindings *findings, size_t row)
{
    return findings->found[row];
}

void wsl_findings_totals(const WslFindings *findings, WslTotals *totals)
{
    memcpy(totals->findings, findings->by_severity, sizeof totals->findings);
    totals->findings_not_listed = findings->not_listed;
}
