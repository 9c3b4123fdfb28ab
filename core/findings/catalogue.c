/*
 * The table of findings (catalogue.h).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/findings/catalogue.h"

#include <string.h>

#define REACTION                                                                                                       \
    {"frames", WSL_VALUE_COUNT, "offending frames"},                                                                   \
        {"tolerated", WSL_VALUE_BOOL, "true: the other side went on; false: it reacted; absent: neither was seen"},    \
        {"close_code", WSL_VALUE_COUNT, "the code of the Close with which the other side reacted"},                    \
    {                                                                                                                  \
        "reaction_s", WSL_VALUE_SECONDS, "from the first offending frame to the reaction"                              \
    }

#define FRAMING(id_, title_, explanation_, fix_, reference_, innocent_)                                                \
    {                                                                                                                  \
        .id = id_, .family = WSL_FAMILY_FRAMING, .severity = WSL_ERROR, .title = title_, .explanation = explanation_,  \
        .fix = fix_, .reference = reference_, .innocent = innocent_, .evidence = {REACTION},                           \
    }

static const WslCatalogueEntry entries[] = {
    {
        .id = "upgrade-refused",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_WARNING,
        .title = "The server refused the upgrade",
        .explanation =
            "The client asked for a WebSocket and got an ordinary HTTP answer. Browsers report it as error and "
            "close 1006 without the status, so the reason is visible only here and in the server's log.",
        .fix =
            "Look the status up in the log of whoever answered (proxy or application): 401/403 credentials or Origin, "
            "404 path or routing, 426 version, 5xx the backend. Honour Retry-After before trying again.",
        .reference = "RFC 6455 §4.1, §4.2.2",
        .innocent = "A 401 to an earlier, ordinary request on the same connection; upgrades to other protocols (h2c).",
        .evidence = {{"status", WSL_VALUE_COUNT, "HTTP status of the answer"},
                     {"reason", WSL_VALUE_TEXT, "its reason phrase"},
                     {"retry_after_s", WSL_VALUE_SECONDS, "its Retry-After"}},
    },
    {
        .id = "upgrade-invalid",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_ERROR,
        .title = "The handshake breaks RFC 6455",
        .explanation =
            "Request or response lacks something that the opening handshake must have. Strict peers and proxies "
            "refuse it, so it works with some and fails with others.",
        .fix = "Correct the side that the problem names; a maintained WebSocket library sends all of these headers "
               "itself.",
        .reference = "RFC 6455 §4.1, §4.2.1, §4.2.2",
        .innocent =
            "Any letter case, repeated or folded list headers, further tokens in Connection and Upgrade; a head that "
            "the snaplen cut is judged only by what is left of it.",
        .evidence = {{"problems", WSL_VALUE_LIST, "each fault: side, header, what is wrong"}},
    },
    {
        .id = "upgrade-accept-mismatch",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_ERROR,
        .title = "Sec-WebSocket-Accept does not fit the key",
        .explanation =
            "The accept value proves that the answer was made for this request by something that speaks "
            "WebSocket. A wrong one means a broken server or a cached answer; clients must fail the connection.",
        .fix =
            "Compute base64(SHA-1(key + 258EAFA5-E914-47DA-95CA-C5AB0DC85B11)) for each request, and make sure that no "
            "cache stores the 101.",
        .reference = "RFC 6455 §4.2.2 item 5.4",
        .innocent = "A key or accept value that the snaplen cut.",
        .evidence = {{"expected", WSL_VALUE_DIGEST, "the value for this request's key"},
                     {"got", WSL_VALUE_DIGEST, "the value that the server sent"}},
    },
    {
        .id = "upgrade-subprotocol-unoffered",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_ERROR,
        .title = "The server selected a subprotocol that was not offered",
        .explanation =
            "A client must fail the connection when the server names a subprotocol that it did not offer: browsers "
            "do, many libraries do not.",
        .fix = "Let the server select from the request's Sec-WebSocket-Protocol, or leave the header out.",
        .reference = "RFC 6455 §4.1, §4.2.2",
        .innocent = "No selection at all; an offer spread over several headers.",
        .evidence = {{"offered", WSL_VALUE_TEXT, "what the client offered"},
                     {"selected", WSL_VALUE_TEXT, "what the server selected"}},
    },
    {
        .id = "upgrade-extension-unoffered",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_ERROR,
        .title = "The server selected an extension that was not offered",
        .explanation =
            "A client must fail the connection when the answer names an extension that it did not offer; one that "
            "goes on misreads the frames.",
        .fix = "Let the server answer only with extensions of the request's Sec-WebSocket-Extensions. A proxy that "
               "drops the "
               "header on the way to the server must drop it on the way back as well.",
        .reference = "RFC 6455 §4.1, §9.1",
        .innocent = "Other parameters than those offered; an offer that was cut away.",
        .evidence = {{"offered", WSL_VALUE_TEXT, "what the client offered"},
                     {"selected", WSL_VALUE_TEXT, "what the server selected"}},
    },
    {
        .id = "upgrade-stripped",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_WARNING,
        .title = "A proxy stripped the upgrade headers",
        .explanation =
            "The request still carries Sec-WebSocket-Key, but Upgrade or Connection: Upgrade are gone. They are "
            "hop-by-hop: a proxy that was not told otherwise removes them, and the server sees a plain GET.",
        .fix = "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "
               "\"upgrade\". Other proxies have a switch for WebSocket.",
        .reference = "RFC 9110 §7.6.1, RFC 6455 §4.2.1",
        .innocent = "A request that was accepted all the same is upgrade-invalid; a cut head.",
        .evidence = {{"missing", WSL_VALUE_LIST, "the headers that are gone"},
                     {"status", WSL_VALUE_COUNT, "the status of the answer"}},
    },
    {
        .id = "upgrade-skipped",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_ERROR,
        .title = "WebSocket frames without an upgrade",
        .explanation =
            "The connection's first bytes are WebSocket frames: somebody saved the round trip. Without the HTTP "
            "upgrade there is no Origin, no cookie, no path, no subprotocol, and nothing that a proxy, firewall "
            "or other WebSocket peer understands.",
        .fix = "Open with the handshake of RFC 6455 §4; the first message may follow right behind the server's 101.",
        .reference = "RFC 6455 §1.3, §4",
        .innocent =
            "Binary protocols whose bytes look like frames: 30 bits of evidence are asked for. A client that does "
            "not mask cannot be recognised without a handshake.",
        .evidence = {{"frames", WSL_VALUE_COUNT, "frames seen in both directions"}},
    },
    {
        .id = "upgrade-nonce-reused",
        .family = WSL_FAMILY_UPGRADE,
        .severity = WSL_WARNING,
        .title = "One Sec-WebSocket-Key for several connections",
        .explanation = "The key must be chosen at random for each connection: it keeps caches from replaying a 101. A "
                       "constant one usually comes from an example that was copied.",
        .fix = "Draw 16 random bytes for each connection and encode them in base64.",
        .reference = "RFC 6455 §4.1 item 7",
        .innocent = "The same connection captured twice, the next leg behind a proxy, a proxy's second try.",
        .evidence = {{"connections", WSL_VALUE_COUNT, "how many used it"}},
    },
    {
        .id = "mask-missing",
        .family = WSL_FAMILY_MASKING,
        .severity = WSL_ERROR,
        .title = "The client does not mask its frames",
        .explanation = "Every client frame must be masked; a server must close the connection when one is not (1002). "
                       "Masking is no secrecy: it keeps a page from choosing the bytes on the wire, which caches and "
                       "proxies could take for HTTP.",
        .fix = "Mask with a fresh random key for each frame; on the server refuse unmasked frames with 1002.",
        .reference = "RFC 6455 §5.1, §10.3",
        .innocent = "Server frames; roles are taken from the SYN or the upgrade, never from port numbers.",
        .evidence = {REACTION},
    },
    {
        .id = "mask-unexpected",
        .family = WSL_FAMILY_MASKING,
        .severity = WSL_ERROR,
        .title = "The server masks its frames",
        .explanation = "A server must not mask; a client must close the connection when it does (1002).",
        .fix = "Send server frames with the mask bit clear and without a key.",
        .reference = "RFC 6455 §5.1",
        .innocent = "Client frames.",
        .evidence = {REACTION},
    },
    {
        .id = "mask-weak-key",
        .family = WSL_FAMILY_MASKING,
        .severity = WSL_WARNING,
        .title = "The client's mask keys can be predicted",
        .explanation =
            "Who can predict the key chooses the bytes on the wire, which is the cache poisoning that masking "
            "exists to stop.",
        .fix = "Take each key from a cryptographic random generator.",
        .reference = "RFC 6455 §5.3, §10.3",
        .innocent =
            "Keys of empty frames mask nothing and do not count; a single coincidence; the legs of one connection "
            "through a tunnel or proxy and a connection captured twice.",
        .evidence = {{"kind", WSL_VALUE_TEXT, "zero, repeated, sequential, low-entropy or shared"},
                     {"keys", WSL_VALUE_COUNT, "distinct keys, as far as they were told apart"},
                     {"frames", WSL_VALUE_COUNT, "masked frames that are not empty"}},
    },
    FRAMING("frame-reserved-bits", "A reserved bit is set that no extension owns",
            "RSV1 to RSV3 must be 0 unless a negotiated extension gives them a meaning; the receiver must fail the "
            "connection. The usual cause is compression that only one side switched on.",
            "Negotiate permessage-deflate on both sides or switch it off on both; look for a proxy that drops "
            "Sec-WebSocket-Extensions.",
            "RFC 6455 §5.2, RFC 7692 §6",
            "RSV1 on a message's first frame under permessage-deflate; bits that an unknown extension may own; "
            "connections whose handshake was not seen."),
    FRAMING(
        "frame-reserved-opcode", "A frame has a reserved opcode",
        "Opcodes 3 to 7 and 11 to 15 are reserved; the receiver must fail the connection. Often it is a sender that "
        "has lost count and calls payload a header.",
        "Find what the sender wrote before: a length that does not fit its payload, or two threads that write at once.",
        "RFC 6455 §5.2", "Bytes after a hole in the capture: nothing is said there."),
    FRAMING("control-fragmented", "A control frame is fragmented", "Close, Ping and Pong must be whole (FIN set).",
            "Send control frames in one piece.", "RFC 6455 §5.5",
            "Control frames between the fragments of a message, which are legal."),
    FRAMING("control-too-long", "A control frame is longer than 125 bytes",
            "Close, Ping and Pong carry 125 bytes at most, so that they never block what is urgent.",
            "Shorten the Close reason or the Ping's data (a reason has 123 bytes).", "RFC 6455 §5.5",
            "A control frame of exactly 125 bytes."),
    FRAMING("length-not-minimal", "A length is not in its shortest form",
            "Lengths below 126 must stand in 7 bits, below 65536 in 16. Other forms are how filters are evaded.",
            "Encode the length in the shortest of the three forms.", "RFC 6455 §5.2",
            "125, 126, 65535 and 65536 in the right form."),
    FRAMING("length-too-large", "A 64-bit length has its top bit set",
            "The most significant bit of a 64-bit length must be 0. Nothing behind such a header can be read.",
            "Check the encoder: network byte order, no negative length.", "RFC 6455 §5.2",
            "Lengths that need 64 bits."),
    FRAMING("continuation-unexpected", "A continuation frame with nothing to continue",
            "Opcode 0 continues a message that was begun with FIN clear; there is none.",
            "Send a message's first frame with opcode 1 or 2, only the following ones with 0.", "RFC 6455 §5.4",
            "Messages begun before the capture."),
    FRAMING(
        "continuation-missing", "A new message begins inside another",
        "Until a fragmented message has ended, only continuation and control frames may follow. Usually two senders "
        "share the connection without a lock.",
        "Serialise writers: one message at a time on a connection.", "RFC 6455 §5.4",
        "Control frames between fragments."),
    FRAMING(
        "text-invalid-utf8", "A text message or a Close reason is not UTF-8",
        "Text must be UTF-8; the receiver must fail the connection (1007). Common causes: binary data sent as text, "
        "text cut at a number of bytes.",
        "Send binary data with opcode 2; cut text at characters; check the encoding at the source.",
        "RFC 6455 §5.6, §5.5.1, §8.1",
        "Characters split over fragments; compressed messages that were not inflated; text after a hole."),
    FRAMING("close-invalid-code", "A Close carries a code that must not be sent",
            "0 to 999, 1004, 1005, 1006, 1015, 1016 to 2999 and 5000 and above must not appear on the wire.",
            "Use 1000, 1001, another registered code, or 4000 to 4999 for codes of your own.", "RFC 6455 §7.4",
            "1012, 1013 and 1014, which are registered; 3000 to 4999."),
    FRAMING("close-malformed", "A Close has a payload of one byte",
            "A Close carries nothing, or a code of two bytes and a reason.",
            "Send the code in two bytes, network order.", "RFC 6455 §5.5.1", "An empty Close."),
    FRAMING(
        "data-after-close", "Data frames after a Close",
        "After its Close an endpoint must not send data any more. What it still sends is lost: the peer discards it.",
        "Stop the sender before the Close, and send the Close through the same queue as the data.", "RFC 6455 §5.5.1",
        "A second Close, Ping or Pong after the Close; data sent before the Close of the other side was answered."),
    FRAMING("deflate-invalid", "A compressed message cannot be inflated",
            "The payload is not what permessage-deflate promises.",
            "Check that both sides agree on context takeover and window bits; look for a proxy that changes payloads.",
            "RFC 7692 §7.2", "Messages after a hole."),
    {
        .id = "close-abnormal",
        .family = WSL_FAMILY_ENDINGS,
        .severity = WSL_WARNING,
        .title = "The connection ended without a Close",
        .explanation =
            "A side got no Close frame before TCP ended: its application sees 1006, and whatever was under way is "
            "lost without a word.",
        .fix = "Let whoever ended it send a Close with a code (1001 for shutdown and navigation, 1011 for errors) and "
               "wait "
               "for the answer. A client alone that vanishes (a killed app) is normal.",
        .reference = "RFC 6455 §7.1.5, §7.1.1",
        .innocent = "RST after both Closes; which side sends its FIN first; directions that the capture lost.",
        .evidence = {{"client_sees", WSL_VALUE_COUNT, "the code that the client's close event reports"},
                     {"server_sees", WSL_VALUE_COUNT, "the code that the server's close event reports"},
                     {"ended_by", WSL_VALUE_TEXT, "client, server or unknown: who ended TCP first"},
                     {"how", WSL_VALUE_TEXT, "rst, fin or silent"}},
    },
    {
        .id = "capture-gap",
        .family = WSL_FAMILY_CAPTURE,
        .severity = WSL_NOTE,
        .title = "The capture lacks packets",
        .explanation =
            "Bytes that were acknowledged are not in the capture: it lost them, the network did not. What they "
            "said is not in this report.",
        .fix = "Capture with a larger buffer (tcpdump -B), a smaller snaplen or a filter, or closer to an end.",
        .reference = "RFC 9293 §3.4",
        .innocent = "Loss on the network, which the sender repeats; a snaplen.",
        .evidence = {{"bytes", WSL_VALUE_BYTES, "missing in WebSocket connections"},
                     {"gaps", WSL_VALUE_COUNT, "places where they are missing"}},
    },
    {
        .id = "capture-truncated",
        .family = WSL_FAMILY_CAPTURE,
        .severity = WSL_NOTE,
        .title = "Packets were cut by the snaplen",
        .explanation =
            "Only the first bytes of each packet were kept. Frames are counted by their lengths; what stood in the "
            "bytes cut away cannot be judged.",
        .fix = "Capture with tcpdump -s 0, or at least 256 bytes for heads and first frames.",
        .reference = "pcap(3): snapshot length",
        .innocent = "Packets that are short on the wire.",
        .evidence = {{"packets", WSL_VALUE_COUNT, "that were cut"},
                     {"snaplen", WSL_VALUE_BYTES, "the greatest length that a cut packet kept"}},
    },
    {
        .id = "capture-duplicates",
        .family = WSL_FAMILY_CAPTURE,
        .severity = WSL_NOTE,
        .title = "The capture shows packets twice",
        .explanation =
            "A mirror of both ports, or an interface and what lies behind it. The copies were counted and not "
            "analysed; no retransmission was made of them.",
        .fix = "Capture at one place, or on one interface instead of any.",
        .reference = "RFC 9293 §3.4",
        .innocent = "Retransmissions: they come later and with another IP id.",
        .evidence = {{"packets", WSL_VALUE_COUNT, "copies that were left out"}},
    },
    {
        .id = "capture-encrypted",
        .family = WSL_FAMILY_CAPTURE,
        .severity = WSL_NOTE,
        .title = "TLS streams could not be read",
        .explanation = "Whether they carry WebSocket, and what, is not visible without their keys. Names and offered "
                       "protocols are those of the handshakes that were captured.",
        .fix = "Record the keys (SSLKEYLOGFILE in browsers, curl, Node with --tls-keylog), capture behind the TLS "
               "terminator, or on the loopback between proxy and server.",
        .reference = "RFC 8446, RFC 6066 §3, RFC 7301",
        .innocent = "Connections that only look like TLS at their port number.",
        .evidence = {{"streams", WSL_VALUE_COUNT, "TLS streams"},
                     {"servers", WSL_VALUE_LIST, "their names, or addresses where no name was seen; the first 20"},
                     {"alpn_offered", WSL_VALUE_LIST, "protocols that clients offered"}},
    },
    {
        .id = "stream-desync",
        .family = WSL_FAMILY_CAPTURE,
        .severity = WSL_NOTE,
        .title = "Some frames could not be told apart",
        .explanation =
            "A frame header is missing, cut away by the snaplen or lost by the capture. From there to the next "
            "place that is certain to be a header nothing is counted or judged.",
        .fix = "Capture whole packets (tcpdump -s 0) and without loss.",
        .reference = "RFC 6455 §5.2",
        .innocent = "Holes inside payloads, whose length is known.",
        .evidence = {{"bytes_skipped", WSL_VALUE_BYTES, "between a lost place and the next that was found"}},
    },
    {
        .id = "analysis-limited",
        .family = WSL_FAMILY_CAPTURE,
        .severity = WSL_NOTE,
        .title = "A limit was reached",
        .explanation = "Something grew beyond what wsleuth keeps in memory; from there on the report is incomplete.",
        .fix = "Raise the limit with --set, or narrow the capture with --capture-filter.",
        .reference = "wsleuth explain analysis-limited",
        .innocent = "",
        .evidence = {{"limit", WSL_VALUE_LIST, "the settings that were reached"}},
    },
};

static const WslSetting settings[WSL_SETTINGS] = {
    [WSL_SET_REPEATED_FRAMES] = {"mask-weak-key.repeated_frames", 8, 2, 1e9, "frames", "so many masked frames …"},
    [WSL_SET_REPEATED_KEYS] = {"mask-weak-key.repeated_keys", 2, 1, 2, "keys",
                               "… with at most so many keys are repeated"},
    [WSL_SET_SEQUENTIAL_KEYS] = {"mask-weak-key.sequential_keys", 8, 3, 250, "keys",
                                 "so many in a row differ by one constant"},
    [WSL_SET_CONSTANT_BYTE_KEYS] = {"mask-weak-key.constant_byte_keys", 32, 8, 1e9, "keys",
                                    "so many leave a byte constant"},
    [WSL_SET_CONSTANT_BIT_KEYS] = {"mask-weak-key.constant_bit_keys", 48, 16, 1e9, "keys",
                                   "so many leave a bit constant"},
    [WSL_SET_SHARED_KEYS] = {"mask-weak-key.shared_keys", 3, 2, 3, "keys",
                             "so many first keys are equal for two clients"},
    [WSL_SET_SKIPPED_BITS] = {"upgrade-skipped.bits", 30, 10, 1000, "bits", "evidence that both directions are frames"},
    [WSL_SET_SKIPPED_BITS_ONE_SIDED] = {"upgrade-skipped.bits_one_sided", 45, 10, 1000, "bits",
                                        "… when one side is silent"},
    [WSL_SET_SILENT_S] = {"close-abnormal.silent_s", 5, 1, 3600, "s", "data unanswered for so long is silence"},
    [WSL_SET_LIMIT_STREAMS] = {"limit.streams", 50e6, 1, 2e9, "streams", "TCP streams that are told apart"},
    [WSL_SET_LIMIT_HELD] = {"limit.held_bytes", 1 << 20, 4096, 1 << 30, "bytes", "out-of-order bytes of one direction"},
    [WSL_SET_LIMIT_HELD_IN_ALL] = {"limit.held_bytes_in_all", 256 << 20, 4096, 64e9, "bytes", "… of all directions"},
    [WSL_SET_LIMIT_HEAD] = {"limit.head_bytes", 64 << 10, 256, 16 << 20, "bytes", "an HTTP head"},
    [WSL_SET_LIMIT_ENDPOINTS] = {"limit.endpoints", 100e3, 1, 100e6, "endpoints",
                                 "server endpoints of which a log is kept"},
    [WSL_SET_LIMIT_LOG] = {"limit.log_entries", 100e6, 1, 1e10, "entries",
                           "beginnings and endings that are remembered"},
    [WSL_SET_LINGER_S] = {"linger_s", 10, 1, 600, "s", "an ended connection waits so long for late packets"},
};

const WslCatalogueEntry *wsl_catalogue(size_t *count)
{
    *count = sizeof entries / sizeof *entries;
    return entries;
}

const WslCatalogueEntry *wsl_catalogue_find(const char *id)
{
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (strcmp(entries[i].id, id) == 0)
            return &entries[i];
    return NULL;
}

const WslSetting *wsl_setting(WslSettingId id)
{
    return &settings[id];
}

const char *wsl_family_name(WslFamily family)
{
    static const char *const names[WSL_FAMILIES] = {
        [WSL_FAMILY_UPGRADE] = "upgrade",
        [WSL_FAMILY_MASKING] = "masking",
        [WSL_FAMILY_FRAMING] = "framing",
        [WSL_FAMILY_ENDINGS] = "endings",
        [WSL_FAMILY_CAPTURE] = "the capture itself",
    };

    return names[family];
}

const char *wsl_severity_name(WslSeverity severity)
{
    static const char *const names[] = {"error", "warning", "note"};

    return names[severity];
}

const char *wsl_confidence_name(WslConfidence confidence)
{
    static const char *const names[] = {"certain", "likely", "possible"};

    return names[confidence];
}
