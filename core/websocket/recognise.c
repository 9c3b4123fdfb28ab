/*
 * Evidence for frames in bytes without a handshake (recognise.h).
 *
 * Each rule that a header obeys is worth as many bits as random bytes would need luck. Real protocols are not random, so a
 * header counts only if it obeys message order, is no empty data frame and differs from the one before it.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/websocket/recognise.h"

#include <glib.h>
#include <string.h>

#include "core/websocket/frames.h"
#include "core/websocket/utf8.h"

#define BITS_OPCODE    1.4 /* 6 of 16 */
#define BITS_RSV       3.0
#define BITS_SAME_MASK 1.0
#define BITS_SHORT_END 6.0  /* a 7-bit length that ends exactly where something else does */
#define BITS_LONG_END  15.0 /* a 16-bit one */
#define BITS_CONTROL   1.0  /* FIN set and at most 125 bytes */
enum { TEXT_BITS_MAX = 16 };

typedef struct {
    const uint8_t *bytes;
    size_t length, header, payload; /* bytes: header, and payload as it says */
    uint8_t opcode;
    bool fin, masked;
} Header;

static bool read_header(const uint8_t *bytes, size_t left, Header *header)
{
    uint64_t payload = 0;

    if (left < 2)
        return false;
    uint8_t form = bytes[1] & 0x7f;
    size_t extended = form == 126 ? 2 : form == 127 ? 8 : 0, mask = bytes[1] & 0x80 ? 4 : 0;
    if (left < 2 + extended + mask)
        return false;
    for (size_t i = 0; i < extended; i++)
        payload = payload << 8 | bytes[2 + i];
    *header =
        (Header){bytes,           left,     2 + extended + mask, (size_t)(extended ? payload : form), bytes[0] & 0x0f,
                 bytes[0] & 0x80, mask != 0};
    return true;
}

/* What no frame does, judged from its first two bytes on; bytes that are not there yet break nothing. */
static bool breaks_a_rule(const uint8_t *bytes, size_t left, bool in_message)
{
    uint8_t opcode = bytes[0] & 0x0f;
    bool control = opcode >= WSL_OP_CLOSE, fin = bytes[0] & 0x80;

    if (bytes[0] & 0x70 || (opcode > WSL_OP_BINARY && opcode < WSL_OP_CLOSE) || opcode > WSL_OP_PONG)
        return true;
    if (control ? !fin : (opcode == WSL_OP_CONTINUATION) != in_message)
        return true;
    if (left < 2)
        return false;
    uint8_t form = bytes[1] & 0x7f;
    if (control)
        return form > WSL_CONTROL_MAX;
    if (form == 0)
        return fin && opcode != WSL_OP_CONTINUATION;
    if (form == 126 && left >= 4)
        return bytes[2] == 0 && bytes[3] < 126;
    if (form == 127 && left >= 10)
        return bytes[2] & 0x80 || (!bytes[2] && !bytes[3] && !bytes[4] && !bytes[5] && !bytes[6] && !bytes[7]);
    return false;
}

static double text_bits(const Header *header)
{
    static const uint8_t none[4];
    size_t there = MIN(header->length - header->header, header->payload);
    const uint8_t *key = header->masked ? header->bytes + header->header - 4 : none;

    if (header->opcode != WSL_OP_TEXT || !there)
        return 0;
    uint8_t state = wsl_utf8_check_masked(WSL_UTF8_ACCEPT, header->bytes + header->header, there, key, 0);
    if (state == WSL_UTF8_REJECT)
        return -1;
    return (double)MIN(there, TEXT_BITS_MAX);
}

static double end_bits(const Header *header)
{
    size_t whole = header->header + header->payload;
    bool is_long = (header->bytes[1] & 0x7f) >= 126;

    if (whole == header->length)
        return is_long ? BITS_LONG_END : BITS_SHORT_END;
    /* The next header vouches for this length only as far as it is one itself; it is counted on its own. */
    return 0;
}

WslEvidenceOfFrames wsl_frames_recognise(const uint8_t *bytes, size_t length)
{
    WslEvidenceOfFrames found = {0};
    const uint8_t *before = NULL;
    bool in_message = false;
    Header header;

    for (size_t at = 0; at < length; at += header.header + header.payload) {
        if (breaks_a_rule(bytes + at, length - at, in_message)) {
            found.impossible = true;
            break;
        }
        if (!read_header(bytes + at, length - at, &header))
            break;
        if (found.headers && header.masked != found.masked) {
            found.impossible = true;
            break;
        }
        double text = text_bits(&header);
        if (text < 0) {
            found.impossible = true;
            break;
        }
        bool differs = !before || memcmp(before, header.bytes, MIN(header.header, 2)) != 0 || header.masked;
        bool control = header.opcode >= WSL_OP_CLOSE;
        if (differs)
            found.bits += BITS_OPCODE + BITS_RSV + text + end_bits(&header) + (found.headers ? BITS_SAME_MASK : 0) +
                          (control ? BITS_CONTROL : 0);
        found.substantial |= control ? header.masked : header.fin && header.payload;
        found.masked = header.masked;
        found.headers++;
        before = header.bytes;
        if (!control)
            in_message = !header.fin;
        if (header.payload > length - at)
            break;
    }
    return found;
}

bool wsl_frames_is_lone_close(const uint8_t *bytes, size_t length, bool masked, int other_code)
{
    uint8_t plain[2];
    Header header;

    if (!read_header(bytes, length, &header) || bytes[0] != (0x80 | WSL_OP_CLOSE) || header.masked != masked ||
        header.payload < 2 || header.payload > WSL_CONTROL_MAX || header.header + header.payload != length)
        return false;
    static const uint8_t none[4];
    wsl_unmask(plain, bytes + header.header, 2, masked ? bytes + header.header - 4 : none, 0);
    int code = plain[0] << 8 | plain[1];
    return code == 1000 || code == 1001 || code == other_code;
}
