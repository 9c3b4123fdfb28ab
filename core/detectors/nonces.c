/*
 * One Sec-WebSocket-Key on several connections (RFC 6455 §4.1).
 * Innocent: the same connection seen twice (before and after NAT, on two interfaces), the next leg behind a proxy, a proxy's
 * second try after the first one failed.
 *
 * A client library with a constant key uses it again and again, so the last few thousand keys are enough to notice it.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/detectors/detector.h"

enum { REMEMBERED = 16384, USES = 1000, SWITCHING_PROTOCOLS = 101 };
#define SECOND_TRY_WITHIN (30 * WSL_SECOND)

typedef struct {
    WslTime requested, answered, start, end;
    WslPacketNo request_packet, response_packet;
    uint64_t payload_bytes;
    uint32_t stream;
    uint16_t status;
    bool retried; /* it failed, and the next one with its key was its second try */
} Use;

typedef struct {
    uint64_t nonce;
    Use first;
    GArray *more; /* Use; NULL as long as there is one */
} Slot;

typedef struct {
    Slot *slots;
} All;

static Use use_of(const WslConnection *connection)
{
    const WslUpgrade *upgrade = connection->upgrade;

    return (Use){
        .requested = upgrade->requested,
        .answered = upgrade->answered,
        .start = connection->start,
        .end = connection->end,
        .request_packet = upgrade->request_packet,
        .response_packet = upgrade->response_packet,
        .payload_bytes = connection->directions[0].payload_bytes + connection->directions[1].payload_bytes,
        .stream = connection->stream,
        .status = upgrade->status,
    };
}

static void on_connection_end(WslDetector *self, WslConnection *connection)
{
    All *all = wsl_kept_all(self);
    const WslUpgrade *upgrade = connection->upgrade;

    if (!upgrade || !(upgrade->flags & WSL_UPGRADE_HAS_NONCE) || !upgrade->requested)
        return;
    if (!all->slots)
        all->slots = g_new0(Slot, REMEMBERED);
    Slot *slot = &all->slots[upgrade->nonce * 0x9e3779b97f4a7c15U >> 50];
    Use use = use_of(connection);
    if (slot->nonce == upgrade->nonce) {
        if (!slot->more)
            slot->more = g_array_new(FALSE, FALSE, sizeof use);
        if (slot->more->len < USES)
            g_array_append_val(slot->more, use);
    } else if (!slot->more) { /* one that was seen reused stays */
        slot->nonce = upgrade->nonce;
        slot->first = use;
    }
}

/* The handshake of one happened inside the other's: a proxy passed it on, or two views show it. */
static bool is_nested(const Use *outer, const Use *inner)
{
    return outer->answered && inner->answered && outer->requested <= inner->requested &&
           inner->answered <= outer->answered;
}

static bool is_same_connection(const Use *a, const Use *b)
{
    bool overlap = a->start <= b->end && b->start <= a->end;

    return is_nested(a, b) || is_nested(b, a) || (overlap && a->payload_bytes == b->payload_bytes);
}

/* One failed try excuses one more, soon after it. */
static bool is_second_try(Use *before, const Use *after)
{
    if (before->retried || before->status == SWITCHING_PROTOCOLS ||
        after->requested - before->requested > SECOND_TRY_WITHIN)
        return false;
    before->retried = true;
    return true;
}

static gint by_request(gconstpointer a, gconstpointer b)
{
    const Use *x = a, *y = b;

    return x->requested < y->requested ? -1 : x->requested > y->requested;
}

static void judge(WslDetector *self, Slot *slot)
{
    WslFinding *finding = wsl_open(self, NULL, WSL_NO_DIRECTION, "upgrade-nonce-reused");

    g_array_append_val(slot->more, slot->first);
    g_array_sort(slot->more, by_request);
    Use *uses = (Use *)(void *)slot->more->data;
    for (guint i = 0; i < slot->more->len; i++) {
        bool innocent = false;
        for (guint j = 0; j < i && !innocent; j++)
            innocent = is_same_connection(&uses[j], &uses[i]) || is_second_try(&uses[j], &uses[i]);
        if (innocent)
            continue;
        wsl_add_stream(finding, uses[i].stream);
        wsl_prove(self, finding, uses[i].request_packet, uses[i].requested);
    }
    if (finding->count < 2) {
        wsl_finding_free(finding);
        return;
    }
    wsl_finding_number(finding, "connections", finding->count);
    wsl_finding_say(finding, "%" G_GUINT64_FORMAT " connections were opened with the same Sec-WebSocket-Key.",
                    finding->count);
    wsl_close(self, finding);
}

static void on_finish(WslDetector *self)
{
    All *all = wsl_kept_all(self);

    for (unsigned i = 0; all->slots && i < REMEMBERED; i++)
        if (all->slots[i].more)
            judge(self, &all->slots[i]);
}

static void free_all(WslDetector *self)
{
    All *all = wsl_kept_all(self);

    for (unsigned i = 0; all->slots && i < REMEMBERED; i++)
        if (all->slots[i].more)
            g_array_free(all->slots[i].more, TRUE);
    g_free(all->slots);
}

const WslDetectorType wsl_detector_nonces = {
    .name = "nonces",
    .keeps = sizeof(All),
    .on_connection_end = on_connection_end,
    .on_finish = on_finish,
    .free = free_all,
};
