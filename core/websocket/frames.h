/*
 * WebSocket frames (RFC 6455 §5) out of one direction's bytes and holes, and every violation in them.
 *
 *   in:   pieces of one direction, in order
 *   out:  one frame at a time, when its last byte has passed; at a message's last frame, the message
 *   owns: a partial header, running mask, UTF-8 and hash states, the first bytes of a control frame's payload
 *
 * A reader steps over a hole inside a payload without losing count. A hole in a header loses its place: from then on the
 * direction says nothing more (WSL_READER_LOST).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_WEBSOCKET_FRAMES_H
#define WSL_WEBSOCKET_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/tcp/tcp.h"

enum {
    WSL_OP_CONTINUATION = 0,
    WSL_OP_TEXT = 1,
    WSL_OP_BINARY = 2,
    WSL_OP_CLOSE = 8,
    WSL_OP_PING = 9,
    WSL_OP_PONG = 10,
};
enum { WSL_RSV1 = 4, WSL_RSV2 = 2, WSL_RSV3 = 1 };
enum { WSL_CONTROL_MAX = 125 };

/** What RFC 6455 forbids, in the order of the catalogue's findings. */
typedef enum {
    WSL_V_MASK_MISSING,            /**< §5.1, of a client's frame */
    WSL_V_MASK_UNEXPECTED,         /**< §5.1, of a server's */
    WSL_V_RESERVED_BITS,           /**< §5.2 */
    WSL_V_RESERVED_OPCODE,         /**< §5.2 */
    WSL_V_CONTROL_FRAGMENTED,      /**< §5.5 */
    WSL_V_CONTROL_TOO_LONG,        /**< §5.5 */
    WSL_V_LENGTH_NOT_MINIMAL,      /**< §5.2 */
    WSL_V_LENGTH_TOO_LARGE,        /**< §5.2: the most significant bit of a 64-bit length */
    WSL_V_CONTINUATION_UNEXPECTED, /**< §5.4 */
    WSL_V_CONTINUATION_MISSING,    /**< §5.4 */
    WSL_V_TEXT_INVALID_UTF8,       /**< §8.1, §5.5.1 */
    WSL_V_CLOSE_INVALID_CODE,      /**< §7.4 */
    WSL_V_CLOSE_MALFORMED,         /**< §5.5.1 */
    WSL_V_DATA_AFTER_CLOSE,        /**< §5.5.1 */
    WSL_V_DEFLATE_INVALID,         /**< RFC 7692 §7.2 */
    WSL_VIOLATIONS
} WslViolation;

/** What a direction's frames are held against. */
typedef struct {
    bool from_client;
    uint8_t owned_bits; /**< reserved bits that a negotiated or unknown extension may own */
    bool judge_bits;    /**< the handshake was seen: a bit that nobody owns is an offence */
    bool deflate;       /**< permessage-deflate: RSV1 marks a compressed message */
    bool opaque_bits;   /**< payloads with RSV bits may be anything (an extension that is not known) */
} WslFrameRules;

/** A frame. Valid until the next call on its reader. */
typedef struct {
    struct WslConnection *connection; /**< and which way it went (WslDirection): set by whoever owns the reader */
    int direction;
    bool fin, masked;
    bool whole;      /**< all bytes of its payload were seen */
    bool finished;   /**< false: the direction ended inside it; only what its header says is known */
    bool message;    /**< it ended a message (below) */
    bool compressed; /**< it belongs to a compressed message */
    uint8_t opcode, rsv;
    uint8_t header_length;        /**< bytes */
    uint8_t key[4];               /**< zero when not masked */
    uint64_t length;              /**< payload bytes, as sent */
    uint64_t begin, end;          /**< stream offsets of its first byte and behind its last */
    WslTime begun, completed;     /**< when its first and its last byte were sent */
    WslPacketNo begun_in, packet; /**< that carry them */
    WslPacketNo header_packet;    /**< in which its header ended, and when */
    WslTime header_time;
    uint32_t violations;   /**< a bit for each WslViolation */
    uint32_t payload_hash; /**< of a control frame's payload, to tell which Pong answers which Ping */
    int close_code;        /**< of a Close: -1 if it carried none or it was not seen */
    const uint8_t *reason; /**< of a Close, `reason_length` bytes, may be cut or hold anything */
    size_t reason_length;
    /* of the message that it ended: */
    uint8_t message_opcode;
    bool message_whole, message_readable, message_counts; /**< counts: it was sent before a Close */
    uint64_t message_length;                              /**< bytes as sent */
    uint32_t message_frames;
    uint32_t fingerprint[2]; /**< hashes of the payload's first 64 bytes and of bytes 64 to 128 */
} WslFrame;

typedef struct WslFrameReader WslFrameReader;

/** A reader's state: part of the connection's record, so that an idle connection costs one allocation. */
struct WslFrameReader {
    uint64_t remaining; /* payload bytes of the frame in work */
    uint64_t length;
    uint64_t begin; /* stream offset of its first byte */
    uint64_t message_length;
    WslTime begun, header_time, latest;
    WslPacketNo begun_in, header_packet, latest_in;
    uint8_t *control; /* payload of a control frame that came in parts, and its end */
    uint32_t message_frames;
    uint32_t fingerprint[2];
    uint32_t hash; /* of a control frame's payload */
    uint32_t violations;
    uint8_t header[14];
    uint8_t have, need; /* header bytes */
    uint8_t utf8;       /* state of the text message's automaton */
    uint8_t control_have;
    uint8_t message_opcode;
    uint16_t state; /* WSL_READER_ flags */
};

enum {
    WSL_READER_IN_PAYLOAD = 1 << 0,
    WSL_READER_IN_MESSAGE = 1 << 1,
    WSL_READER_COMPRESSED = 1 << 2, /**< the message in work is */
    WSL_READER_UNREADABLE = 1 << 3, /**< a hole, or bits of an unknown extension, in the message in work */
    WSL_READER_HOLE = 1 << 4,       /**< in the frame in work */
    WSL_READER_CLOSED = 1 << 5,     /**< a Close has passed */
    WSL_READER_LOST = 1 << 6,       /**< its place is lost */
    WSL_READER_BAD_TEXT = 1 << 7,   /**< the message's UTF-8 was found wrong before: told once */
    WSL_READER_JOINED = 1 << 8,     /**< it began to read inside: a message may be open of which nothing was seen */
};

typedef enum {
    WSL_READ_MORE,  /**< all bytes were taken */
    WSL_READ_FRAME, /**< `frame` is complete */
    WSL_READ_LOST,  /**< the place is lost: by a hole, or by a length that cannot be (then `frame` tells of it) */
} WslReadResult;

/** Takes bytes of `piece`, at least one, until a frame is complete. `*taken` says how many. */
WslReadResult wsl_frames_read(WslFrameReader *reader, const WslFrameRules *rules, const WslPiece *piece,
                              uint64_t *taken, WslFrame *frame);

/** True if the frame in work has a header that breaks a rule: `frame` tells what is known of it by now. */
bool wsl_frames_pending(const WslFrameReader *reader, WslFrame *frame);

/** At the direction's end: true if it ended inside a frame whose header holds a violation, which `frame` then tells. */
bool wsl_frames_unfinished(WslFrameReader *reader, WslFrame *frame);

/** Frees what the reader allocated. */
void wsl_frames_clear(WslFrameReader *reader);

/** True if an endpoint may send this code in a Close frame (§7.4, IANA's registry: 1000-1003, 1007-1014, 3000-4999). */
bool wsl_close_code_allowed(int code);

#endif
