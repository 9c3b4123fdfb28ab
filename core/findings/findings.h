/*
 * The life of a finding: opened, proved, given its evidence, closed; then listed.
 *
 *   in:   what detectors say
 *   out:  WslFinding, in total order once all are closed
 *   owns: all findings. A detector's pointer is valid until it closes the finding (then it is listed, or only counted).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_FINDINGS_H
#define WSL_FINDINGS_H

#include "core/wsleuth.h"

typedef struct WslFindings WslFindings;

/** `analyzer` is what a listener is told besides the finding. */
WslFindings *wsl_findings_new(const WslAnalyzer *analyzer, const WslOptions *options, const WslListener *listener);
void wsl_findings_free(WslFindings *findings);

/** Opens a finding of a catalogue row. Its severity is the row's, its confidence certain, until changed. */
WslFinding *wsl_finding_new(WslFindings *findings, const char *id);
/** Throws away a finding that was not closed. */
void wsl_finding_free(WslFinding *finding);

/** A packet that proves it; the first one called gives the key. Widens `start` and `end`. */
void wsl_finding_proof(WslFindings *findings, WslFinding *finding, WslPacketNo packet, WslTime time);

/** Evidence, by the row's key. */
void wsl_finding_number(WslFinding *finding, const char *key, uint64_t value);
void wsl_finding_seconds(WslFinding *finding, const char *key, WslTime nanoseconds);
void wsl_finding_bool(WslFinding *finding, const char *key, bool value);
void wsl_finding_text(WslFinding *finding, const char *key, const char *value);
void wsl_finding_add(WslFinding *finding, const char *key, const char *element);

/** The one sentence with the numbers of this case. */
void wsl_finding_say(WslFinding *finding, const char *format, ...) G_GNUC_PRINTF(2, 3);

/**
 * The finding is complete: it gets its key and, unless one was set, its display filter, and is listed. Returns it, or NULL if
 * only its number counts because enough of its id are listed.
 */
WslFinding *wsl_finding_close(WslFindings *findings, WslFinding *finding);

/** Sorts what is listed: severity, start, id, key. Call once, at the end. */
void wsl_findings_sort(WslFindings *findings);
size_t wsl_findings_count(const WslFindings *findings);
const WslFinding *wsl_findings_at(const WslFindings *findings, size_t index);
uint64_t wsl_findings_found(const WslFindings *findings, size_t row);
void wsl_findings_totals(const WslFindings *findings, WslTotals *totals);

#endif
