/*
 * What a TLS handshake says in the clear (RFC 8446 §4.1.2): the server's name and the protocols that the client offers.
 *
 *   in:   the first bytes of the client's side
 *   out:  a WslHello
 *   owns: its texts
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_TLS_HELLO_H
#define WSL_TLS_HELLO_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WSL_HELLO_MAX = 16384 + 5 };

typedef struct {
    char *server_name; /**< NULL: none was seen */
    GPtrArray *alpn;   /**< char *, as offered; empty if none */
} WslHello;

/** True if the bytes may begin a TLS record of a handshake (type 22, version 3.x), however few there are. */
bool wsl_hello_may_be(const uint8_t *bytes, size_t length);

/**
 * Reads a ClientHello, which may be cut or spread over several records. `*complete` tells whether more bytes could say more.
 * Returns NULL if this is no TLS handshake. Free with wsl_hello_free().
 */
WslHello *wsl_hello_parse(const uint8_t *bytes, size_t length, bool *complete);
void wsl_hello_free(WslHello *hello);

#endif
