/*
 * Text that came from the wire, made safe for terminals and tickets.
 *
 * Two dangers: bytes that steer a terminal, and credentials that a report would carry into a ticket.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_REPORT_SAFETEXT_H
#define WSL_REPORT_SAFETEXT_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Appends `bytes` with C0 and C1 controls (U+0080 … U+009F too), DEL, bidirectional controls (U+061C, U+200E, U+200F,
 * U+202A … U+202E, U+2066 … U+2069), line and paragraph separators and bytes that are not valid UTF-8 as \xNN, one for
 * each byte. A backslash stays as it is. Never fails; the result is printable UTF-8 on one line.
 */
void wsl_safe_append(GString *out, const char *bytes, size_t length);

/**
 * A copy of `bytes` in which whatever looks like a credential is replaced by "…" and four hexadecimal digits of a hash
 * salted with `salt`, so that equal ones can be told to be equal. Not escaped: give the result to wsl_safe_append() or JSON.
 * What counts:
 *   - the value of name=value, name:value (and "name": "value") where the name, letter case ignored, contains token, auth,
 *     key (as a word of its own or at the end: apikey, api_key, access-key; not "keyboard"), sig, signature, session, sid,
 *     jwt, passw, pwd, secret, cookie, credential, ticket, code when the value is long …: a table; the value is URL-decoded
 *     for judging, so that %74oken= is a token too; the value ends at & ; , white space or a quote
 *   - what follows "Bearer " or "Basic " (letter case ignored)
 *   - the user info of a URL (scheme://user:password@host)
 *   - anywhere: runs of 20 or more characters of [A-Za-z0-9_.+/=~-] or percent escapes that look random: JWTs (eyJ….….…),
 *     long hex (24 and more), UUIDs, base64 and the like by mixed classes and entropy; ordinary words, paths made of words,
 *     file names, version strings, user agents ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"), host names and
 *     numbers such as times in ms are left alone
 * The caller frees the result.
 */
char *wsl_redact(const char *bytes, size_t length, uint64_t salt);

#endif
