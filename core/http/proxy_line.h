/*
 * The PROXY protocol's header, versions 1 and 2, that a load balancer may put before a connection's first byte.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_HTTP_PROXY_LINE_H
#define WSL_HTTP_PROXY_LINE_H

#include <stddef.h>
#include <stdint.h>

/** Version 2 allows more, but its addresses and usual extensions fit. */
enum { WSL_PROXY_LINE_MAX = 536 };
#define WSL_PROXY_LINE_INCOMPLETE ((size_t)-1)

/**
 * Length of the header at the start of `bytes`; 0: there is none; WSL_PROXY_LINE_INCOMPLETE: there may be.
 * `*client` is set to "address:port" of the client that it names (g_free() it), or left NULL.
 */
size_t wsl_proxy_line(const uint8_t *bytes, size_t length, char **client);

#endif
