/*
 * The opening handshake (RFC 6455 §4): what an upgrade request and its answer say, and what is wrong with them.
 *
 *   in:   the two heads
 *   out:  facts that outlive the heads, and their faults
 *   owns: a WslUpgrade owns its strings (interned, NULL where the head had none or was cut before it)
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_HTTP_UPGRADE_H
#define WSL_HTTP_UPGRADE_H

#include "core/http/head.h"
#include "core/packet.h"

/** Faults by RFC 6455 §4.1 and §4.2.2. Each has its sentence in wsl_upgrade_fault_text(). */
typedef enum {
    WSL_FAULT_METHOD,
    WSL_FAULT_REQUEST_VERSION,
    WSL_FAULT_HOST,
    WSL_FAULT_REQUEST_UPGRADE,
    WSL_FAULT_REQUEST_CONNECTION,
    WSL_FAULT_KEY_MISSING,
    WSL_FAULT_KEY_REPEATED,
    WSL_FAULT_KEY_INVALID,
    WSL_FAULT_VERSION_MISSING,
    WSL_FAULT_VERSION_OTHER,
    WSL_FAULT_RESPONSE_VERSION,
    WSL_FAULT_RESPONSE_UPGRADE,
    WSL_FAULT_RESPONSE_CONNECTION,
    WSL_FAULT_ACCEPT_MISSING,
    WSL_FAULT_SUBPROTOCOL_REPEATED,
    WSL_FAULTS
} WslFault;

enum {
    WSL_UPGRADE_REQUEST_CUT = 1 << 0,
    WSL_UPGRADE_RESPONSE_CUT = 1 << 1,
    WSL_UPGRADE_ANSWERED = 1 << 2,
    WSL_UPGRADE_ACCEPT_KNOWN = 1 << 3, /**< accept_valid means something */
    WSL_UPGRADE_ACCEPT_VALID = 1 << 4,
    WSL_UPGRADE_SUBPROTOCOL_UNOFFERED = 1 << 5,
    WSL_UPGRADE_EXTENSION_UNOFFERED = 1 << 6,
    WSL_UPGRADE_DEFLATE = 1 << 7,             /**< permessage-deflate was selected: it owns RSV1 */
    WSL_UPGRADE_OTHER_EXTENSION = 1 << 8,     /**< one of which nothing is known was selected: it may own any bit */
    WSL_UPGRADE_FRAME_DEFLATE = 1 << 9,       /**< x-webkit-deflate-frame or its like: owns RSV1 of each frame */
    WSL_UPGRADE_EXTENSIONS_UNKNOWN = 1 << 10, /**< the response was cut or not captured */
    WSL_UPGRADE_HAS_NONCE = 1 << 11,
    WSL_UPGRADE_LACKS_UPGRADE = 1 << 12,    /**< the request has a key but no "Upgrade: websocket" */
    WSL_UPGRADE_LACKS_CONNECTION = 1 << 13, /**< … no "Connection: Upgrade" */
};

typedef struct {
    WslTime requested, answered; /**< when the heads were complete */
    WslPacketNo request_begin, request_packet, response_packet;
    uint64_t nonce;        /**< hash of the key's value */
    uint32_t flags;        /**< WSL_UPGRADE_ */
    uint32_t faults;       /**< a bit for each WslFault */
    uint16_t status;       /**< 0: no answer was seen */
    int64_t retry_after_s; /**< -1: none; a date is counted from the answer */
    const char *host, *path, *origin, *user_agent, *reason;
    const char *offered_subprotocols, *offered_extensions;
    const char *subprotocol, *extensions;
    char *key, *accept;       /**< g_malloc()ed; dropped once the accept value was found to fit */
    const char *client_named; /**< by a PROXY line or X-Forwarded-For */
} WslUpgrade;

/** True if the request asks for a WebSocket, or did before somebody stripped it: it names one, or carries a key. */
bool wsl_upgrade_is_request(const WslHead *head);

/** Facts of an upgrade request. Free with wsl_upgrade_free(). */
WslUpgrade *wsl_upgrade_new(const WslHead *request);
/** A PROXY line named the client. */
void wsl_upgrade_name_client(WslUpgrade *upgrade, const char *name);
void wsl_upgrade_free(WslUpgrade *upgrade);

/**
 * Takes the answer in and judges both heads. Answers with 1xx other than 101 must not be given.
 * Returns true if the connection now speaks WebSocket (status 101, and not to another protocol).
 */
bool wsl_upgrade_answer(WslUpgrade *upgrade, const WslHead *response);

/** Sec-WebSocket-Accept for a key (§4.2.2): base64 of SHA-1; g_free() it. */
char *wsl_upgrade_accept(const char *key, size_t length);

/** One sentence for a fault, static: which side, which header, what is wrong. */
const char *wsl_upgrade_fault_text(WslFault fault);

#endif
