/*
 * Every finding that wsleuth can make, in one table: what it means, why it matters, what to do, where it is specified.
 *
 * `explain`, the JSON, the plugin's expert infos and docs/findings.md are made from it. A new finding begins with a row here.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_FINDINGS_CATALOGUE_H
#define WSL_FINDINGS_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

typedef enum { WSL_ERROR, WSL_WARNING, WSL_NOTE, WSL_SEVERITIES } WslSeverity;
typedef enum { WSL_CERTAIN, WSL_LIKELY, WSL_POSSIBLE } WslConfidence;

/** Headings under which findings are listed; rows of one must stand together. */
typedef enum {
    WSL_FAMILY_UPGRADE,
    WSL_FAMILY_MASKING,
    WSL_FAMILY_FRAMING,
    WSL_FAMILY_ENDINGS,
    WSL_FAMILY_CAPTURE,
    WSL_FAMILIES
} WslFamily;

/** What the value of an evidence key is. */
typedef enum {
    WSL_VALUE_COUNT, /**< an unsigned number */
    WSL_VALUE_BYTES,
    WSL_VALUE_SECONDS, /**< ns inside, seconds in the JSON */
    WSL_VALUE_BOOL,
    WSL_VALUE_TEXT,   /**< may come from the wire */
    WSL_VALUE_DIGEST, /**< base64 of a digest: no secret, although it looks like one */
    WSL_VALUE_LIST,   /**< of texts */
} WslValueType;

typedef struct {
    const char *key; /**< as in the JSON */
    WslValueType type;
    const char *meaning;
} WslEvidenceKey;

enum { WSL_EVIDENCE_KEYS = 8 };

typedef struct {
    const char *id;
    WslFamily family;
    WslSeverity severity; /**< what it is unless the detector says otherwise */
    const char *title;
    const char *explanation; /**< what happened and why it matters */
    const char *fix;
    const char *reference;
    const char *innocent;                       /**< what looks like it and is not reported */
    WslEvidenceKey evidence[WSL_EVIDENCE_KEYS]; /**< ends with a NULL key if shorter */
} WslCatalogueEntry;

/** A number that --set changes. */
typedef struct {
    const char *name; /**< of a threshold: finding id, a point, a name */
    double standard;
    double least, most; /**< values allowed */
    const char *unit;
    const char *meaning;
} WslSetting;

typedef enum {
    WSL_SET_REPEATED_FRAMES,
    WSL_SET_REPEATED_KEYS,
    WSL_SET_SEQUENTIAL_KEYS,
    WSL_SET_CONSTANT_BYTE_KEYS,
    WSL_SET_CONSTANT_BIT_KEYS,
    WSL_SET_SHARED_KEYS,
    WSL_SET_SKIPPED_BITS,
    WSL_SET_SKIPPED_BITS_ONE_SIDED,
    WSL_SET_SILENT_S,
    WSL_SET_LIMIT_STREAMS,
    WSL_SET_LIMIT_HELD,
    WSL_SET_LIMIT_HELD_IN_ALL,
    WSL_SET_LIMIT_HEAD,
    WSL_SET_LIMIT_ENDPOINTS,
    WSL_SET_LIMIT_LOG,
    WSL_SET_LINGER_S,
    WSL_SETTINGS
} WslSettingId;

/** All findings, in the order of the contract; `*count` is set. */
const WslCatalogueEntry *wsl_catalogue(size_t *count);
/** The row of an id, NULL if there is none. */
const WslCatalogueEntry *wsl_catalogue_find(const char *id);
const WslSetting *wsl_setting(WslSettingId id);
const char *wsl_family_name(WslFamily family);
const char *wsl_severity_name(WslSeverity severity);
const char *wsl_confidence_name(WslConfidence confidence);

#endif
