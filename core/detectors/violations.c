/*
 * Masking and framing: what the frame parser found forbidden (RFC 6455 §5), and what the other side did about it.
 *
 * The reaction is to a direction's first offence only: a Close with an error code, any Close before the offender's own, or a
 * FIN or RST before any Close. Tolerated: data of the other side that acknowledge the offending frame, sent more than a round
 * trip later.
 * Innocent: an answer to the offender's own Close; data that were under way when the offence arrived.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/detectors/detector.h"

/* What a sentence calls the offending frame: one, several. */
static const struct {
    const char *id, *one, *many;
} offences[WSL_VIOLATIONS] = {
    [WSL_V_MASK_MISSING] = {"mask-missing", "an unmasked frame", "unmasked frames"},
    [WSL_V_MASK_UNEXPECTED] = {"mask-unexpected", "a masked frame", "masked frames"},
    [WSL_V_RESERVED_BITS] = {"frame-reserved-bits", "a frame with a reserved bit set", "frames with reserved bits set"},
    [WSL_V_RESERVED_OPCODE] = {"frame-reserved-opcode", "a frame with a reserved opcode",
                               "frames with reserved opcodes"},
    [WSL_V_CONTROL_FRAGMENTED] = {"control-fragmented", "a fragmented control frame", "fragmented control frames"},
    [WSL_V_CONTROL_TOO_LONG] = {"control-too-long", "a control frame over 125 bytes", "control frames over 125 bytes"},
    [WSL_V_LENGTH_NOT_MINIMAL] = {"length-not-minimal", "a frame whose length is not in its shortest form",
                                  "frames whose length is not in its shortest form"},
    [WSL_V_LENGTH_TOO_LARGE] = {"length-too-large", "a frame whose 64-bit length has its top bit set",
                                "frames whose 64-bit length has its top bit set"},
    [WSL_V_CONTINUATION_UNEXPECTED] = {"continuation-unexpected", "a continuation frame with nothing to continue",
                                       "continuation frames with nothing to continue"},
    [WSL_V_CONTINUATION_MISSING] = {"continuation-missing", "a new message inside an unfinished one",
                                    "new messages inside unfinished ones"},
    [WSL_V_TEXT_INVALID_UTF8] = {"text-invalid-utf8", "text that is not UTF-8", "texts that are not UTF-8"},
    [WSL_V_CLOSE_INVALID_CODE] = {"close-invalid-code", "a Close with a code that must not be sent",
                                  "Closes with codes that must not be sent"},
    [WSL_V_CLOSE_MALFORMED] = {"close-malformed", "a Close with a payload of one byte",
                               "Closes with payloads of one byte"},
    [WSL_V_DATA_AFTER_CLOSE] = {"data-after-close", "a data frame after its Close", "data frames after its Close"},
    [WSL_V_DEFLATE_INVALID] = {"deflate-invalid", "a compressed message that cannot be inflated",
                               "compressed messages that cannot be inflated"},
};

typedef struct {
    WslFinding *finding; /* NULL: this did not happen */
    WslTime time;        /* of the first one, */
    WslPacketNo packet;
    uint64_t end; /* and the stream offset behind it */
    uint32_t frames;
    bool tolerated;
    char detail[48];
} Offence;

typedef struct {
    WslPacketNo first_packet; /* of the first offence; 0: none */
    uint64_t told; /* stream offset, + 1, of a frame that was told by its header, before it was complete; 0: none */
    WslTime first_time, reacted; /* 0: no reaction */
    WslPacketNo reacted_in;
    uint32_t how; /* 0: a Close; else WSL_ARRIVAL_FIN or _RST */
    int close_code;
    Offence offences[WSL_VIOLATIONS];
} Way;

/* Most connections never offend: they keep one pointer. */
typedef struct {
    Way *ways[2];
} Kept;

static void describe_first(Offence *offence, WslViolation violation, const WslFrame *frame)
{
    switch (violation) {
    case WSL_V_RESERVED_OPCODE:
        g_snprintf(offence->detail, sizeof offence->detail, " (opcode %u)", frame->opcode);
        break;
    case WSL_V_RESERVED_BITS:
        g_snprintf(offence->detail, sizeof offence->detail, " (%s%s%s)", frame->rsv & WSL_RSV1 ? "RSV1" : "",
                   frame->rsv & WSL_RSV2 ? "RSV2" : "", frame->rsv & WSL_RSV3 ? "RSV3" : "");
        break;
    case WSL_V_CLOSE_INVALID_CODE:
        g_snprintf(offence->detail, sizeof offence->detail, " (%d)", frame->close_code);
        break;
    case WSL_V_CONTROL_TOO_LONG:
        g_snprintf(offence->detail, sizeof offence->detail, " (%" G_GUINT64_FORMAT " bytes)", frame->length);
        break;
    case WSL_V_TEXT_INVALID_UTF8:
        g_snprintf(offence->detail, sizeof offence->detail, " (%s)",
                   frame->opcode == WSL_OP_CLOSE ? "a Close reason" : "a text message");
        break;
    default:
        break;
    }
}

static void offend(WslDetector *self, Way *way, WslViolation violation, const WslFrame *frame)
{
    Offence *offence = &way->offences[violation];

    if (!way->first_packet) {
        way->first_packet = frame->packet;
        way->first_time = frame->completed;
    }
    if (!offence->finding) {
        offence->finding = wsl_open(self, frame->connection, (WslDirection)frame->direction, offences[violation].id);
        offence->time = frame->completed;
        offence->packet = frame->packet;
        offence->end = frame->end;
        describe_first(offence, violation, frame);
    }
    offence->frames++;
    wsl_prove(self, offence->finding, frame->packet, frame->completed);
}

/* Most servers fail on the header: the reaction comes before the frame is complete, or instead. */
static void take_pending(WslDetector *self, WslConnection *connection, WslDirection offender)
{
    Kept *kept = wsl_kept(self, connection);
    const WslFrameReader *reader = connection->directions[offender].reader;
    WslFrame frame;

    if (!reader || (kept->ways[offender] && kept->ways[offender]->told) || !wsl_frames_pending(reader, &frame))
        return;
    frame.connection = connection;
    frame.direction = (int)offender;
    if (!kept->ways[offender])
        kept->ways[offender] = g_new0(Way, 1);
    kept->ways[offender]->told = frame.begin + 1;
    for (unsigned violation = 0; violation < WSL_VIOLATIONS; violation++)
        if (frame.violations >> violation & 1)
            offend(self, kept->ways[offender], violation, &frame);
}

static bool is_error_code(int code)
{
    return code == 1002 || code == 1003 || (code >= 1007 && code <= 1011);
}

static bool went_on(const Way *way)
{
    for (unsigned i = 0; i < WSL_VIOLATIONS; i++)
        if (way->offences[i].finding && way->offences[i].packet == way->first_packet && way->offences[i].tolerated)
            return true;
    return false;
}

static void react(Way *way, WslTime time, WslPacketNo packet, uint32_t how, int close_code)
{
    way->reacted = MAX(time, way->first_time);
    way->reacted_in = packet;
    way->how = how;
    way->close_code = close_code;
}

static void judge_close(Way *way, const WslFrame *frame, const WslConnection *connection, WslDirection offender)
{
    bool answers = connection->directions[offender].close > 0;

    if (way->reacted)
        return;
    if (is_error_code(frame->close_code) || (!answers && !went_on(way)))
        react(way, frame->completed, frame->packet, 0, frame->close_code);
}

static void judge_data(WslDetector *self, Way *way, const WslFrame *frame, WslDirection offender)
{
    const WslTcp *tcp = frame->connection->tcp;
    uint64_t acknowledged = wsl_tcp_acknowledged(tcp, wsl_side_of(tcp, offender));
    WslTime round_trip = wsl_round_trips_median(&tcp->round_trips[wsl_side_of(tcp, wsl_other(offender))]);

    for (unsigned i = 0; i < WSL_VIOLATIONS; i++) {
        Offence *offence = &way->offences[i];
        if (!offence->finding || offence->tolerated || acknowledged < offence->end ||
            frame->begun - offence->time <= round_trip)
            continue;
        offence->tolerated = true;
        wsl_prove(self, offence->finding, frame->packet, frame->completed);
    }
}

static void on_frame(WslDetector *self, const WslFrame *frame)
{
    Kept *kept = wsl_kept(self, frame->connection);
    WslDirection direction = (WslDirection)frame->direction, other = wsl_other(direction);

    if (frame->finished && frame->opcode == WSL_OP_CLOSE)
        take_pending(self, frame->connection, other);
    if (kept->ways[other] && frame->finished) {
        if (frame->opcode == WSL_OP_CLOSE)
            judge_close(kept->ways[other], frame, frame->connection, other);
        else if (frame->opcode <= WSL_OP_BINARY)
            judge_data(self, kept->ways[other], frame, other);
    }
    if (!frame->violations)
        return;
    if (!kept->ways[direction])
        kept->ways[direction] = g_new0(Way, 1);
    uint64_t told = kept->ways[direction]->told;
    if (told && told == frame->begin + 1)
        return;
    for (unsigned violation = 0; violation < WSL_VIOLATIONS; violation++)
        if (frame->violations >> violation & 1)
            offend(self, kept->ways[direction], violation, frame);
}

static void on_end(WslDetector *self, WslConnection *connection, WslDirection direction, uint32_t what, WslTime time,
                   WslPacketNo packet)
{
    const Kept *kept = wsl_kept(self, connection);
    take_pending(self, connection, wsl_other(direction));
    Way *way = kept->ways[wsl_other(direction)];

    if (!way || way->reacted || connection->directions[0].close || connection->directions[1].close || went_on(way))
        return;
    /* The offender's own end came first: this only follows it. */
    if (connection->directions[wsl_other(direction)].ended)
        return;
    react(way, time, packet, what, -1);
}

static void tell_reaction(GString *sentence, const Way *way, const Offence *offence, bool is_first)
{
    double after = (double)(way->reacted - way->first_time) / (double)WSL_SECOND;

    if (is_first && way->reacted && !way->how && way->close_code >= 0)
        g_string_append_printf(sentence, "closed with %d after %.3f s", way->close_code, after);
    else if (is_first && way->reacted)
        g_string_append_printf(sentence, "%s after %.3f s",
                               !way->how                     ? "sent a Close without a code"
                               : way->how == WSL_ARRIVAL_RST ? "reset the connection"
                                                             : "ended the connection (FIN)",
                               after);
    else if (offence->tolerated)
        g_string_append(sentence, "went on as if nothing were wrong");
    else
        g_string_append(sentence, "did not react in this capture");
}

static void finish_offence(WslDetector *self, WslConnection *connection, Way *way, WslViolation violation)
{
    Offence *offence = &way->offences[violation];
    WslFinding *finding = offence->finding;
    bool is_first = offence->packet == way->first_packet, by_client = finding->direction == WSL_CLIENT_TO_SERVER;
    g_autoptr(GString) sentence = g_string_new(NULL);

    wsl_finding_number(finding, "frames", offence->frames);
    if (is_first && way->reacted) {
        wsl_finding_bool(finding, "tolerated", false);
        wsl_finding_seconds(finding, "reaction_s", way->reacted - way->first_time);
        if (way->close_code >= 0)
            wsl_finding_number(finding, "close_code", (uint64_t)way->close_code);
        wsl_prove(self, finding, way->reacted_in, way->reacted);
    } else if (offence->tolerated) {
        wsl_finding_bool(finding, "tolerated", true);
    }
    if (offence->frames == 1)
        g_string_append_printf(sentence, "%s sent %s%s in packet %" G_GUINT64_FORMAT "; ",
                               by_client ? finding->client : finding->server, offences[violation].one, offence->detail,
                               offence->packet);
    else
        g_string_append_printf(sentence, "%s sent %u %s, the first%s in packet %" G_GUINT64_FORMAT "; ",
                               by_client ? finding->client : finding->server, offence->frames, offences[violation].many,
                               offence->detail, offence->packet);
    g_string_append_printf(sentence, "%s ", by_client ? finding->server : finding->client);
    tell_reaction(sentence, way, offence, is_first);
    wsl_finding_say(finding, "%s.", sentence->str);
    finding = wsl_close(self, finding);
    if (is_first && way->reacted && !connection->cause)
        connection->cause = finding;
}

static void on_connection_end(WslDetector *self, WslConnection *connection)
{
    Kept *kept = wsl_kept(self, connection);

    for (unsigned direction = 0; direction < 2; direction++) {
        for (unsigned violation = 0; kept->ways[direction] && violation < WSL_VIOLATIONS; violation++)
            if (kept->ways[direction]->offences[violation].finding)
                finish_offence(self, connection, kept->ways[direction], violation);
        g_clear_pointer(&kept->ways[direction], g_free);
    }
}

const WslDetectorType wsl_detector_violations = {
    .name = "violations",
    .keeps_per_connection = sizeof(Kept),
    .on_frame = on_frame,
    .on_end = on_end,
    .on_connection_end = on_connection_end,
};
