/*
 * Mask keys that can be predicted (RFC 6455 §5.3, §10.3).
 * Innocent: keys of empty frames (they mask nothing), a coincidence of two keys, the legs of one connection through a tunnel
 * or proxy and one connection captured twice (they share the nonce, and their handshakes are nested).
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "core/detectors/detector.h"

enum { FIRST = 3, SHARERS = 16384 };

/* The first keys of a client, and enough of it to accuse it after it has gone. */
typedef struct {
    uint32_t keys[FIRST];
    uint32_t stream;
    uint64_t nonce;
    WslPacketNo connection;
    WslTime times[FIRST];
    WslPacketNo packets[FIRST];
    uint32_t address[2]; /* of client and server, as the connection has them */
    uint16_t port[2];
    bool ipv6;
    bool matched; /* another client has the same keys */
    bool reported;
} Sharer;

typedef struct {
    GHashTable *sharers; /* of Sharer, by their keys; the first client with them */
} All;

typedef struct {
    uint32_t first[FIRST];
    uint32_t distinct[2];
    uint32_t frames, distinct_count;
    uint32_t ones, zeros; /* bits that were set, that were clear in any key */
    uint32_t last, step, step_reversed;
    uint8_t run, run_reversed; /* so many steps alike in a row, in either byte order */
    uint32_t zero_frames;
    bool sequential, shared;
    WslPacketNo shown; /* the packet that shows a zero key, or the end of a sequence; 0: none */
    WslTime shown_at;
    WslPacketNo packets[FIRST];
    WslTime times[FIRST];
} Keys;

static guint hash(gconstpointer data)
{
    const Sharer *sharer = data;

    return sharer->keys[0] ^ sharer->keys[1] * 0x9e3779b1U ^ sharer->keys[2] * 0x85ebca6bU;
}

static gboolean equal(gconstpointer a, gconstpointer b)
{
    return memcmp(((const Sharer *)a)->keys, ((const Sharer *)b)->keys, sizeof((const Sharer *)a)->keys) == 0;
}

static WslFinding *open_weak(WslDetector *self, WslConnection *connection, const char *kind, uint64_t keys,
                             uint64_t frames)
{
    WslFinding *finding = wsl_open(self, connection, WSL_CLIENT_TO_SERVER, "mask-weak-key");

    wsl_finding_text(finding, "kind", kind);
    wsl_finding_number(finding, "keys", keys);
    wsl_finding_number(finding, "frames", frames);
    return finding;
}

static void accuse_gone(WslDetector *self, Sharer *sharer)
{
    WslFinding *finding = open_weak(self, NULL, "shared", FIRST, FIRST);

    finding->has_stream = true;
    finding->stream = sharer->stream;
    finding->connection = sharer->connection;
    finding->client = wsl_address_text(self, sharer->address[0], sharer->ipv6, sharer->port[0]);
    finding->server = wsl_address_text(self, sharer->address[1], sharer->ipv6, sharer->port[1]);
    for (unsigned i = 0; i < FIRST; i++)
        wsl_prove(self, finding, sharer->packets[i], sharer->times[i]);
    wsl_finding_say(finding, "%s began with the same %d mask keys as another client: their generator is not seeded.",
                    finding->client, FIRST);
    wsl_close(self, finding);
    sharer->reported = true;
}

static bool is_same_connection(const Sharer *sharer, const WslUpgrade *upgrade)
{
    /* Where a handshake is missing, a proxy's other leg cannot be excluded. */
    if (!upgrade || !sharer->nonce || !(upgrade->flags & WSL_UPGRADE_HAS_NONCE))
        return true;
    return sharer->nonce == upgrade->nonce;
}

static Sharer *remember(WslDetector *self, const WslConnection *connection, const Keys *keys)
{
    All *all = wsl_kept_all(self);
    const WslUpgrade *upgrade = connection->upgrade;

    if (!all->sharers)
        all->sharers = g_hash_table_new_full(hash, equal, g_free, NULL);
    Sharer *sharer = g_new0(Sharer, 1);
    memcpy(sharer->keys, keys->first, sizeof sharer->keys);
    Sharer *before = g_hash_table_lookup(all->sharers, sharer);
    if (before || g_hash_table_size(all->sharers) >= SHARERS) {
        g_free(sharer);
        return before;
    }
    sharer->stream = connection->stream;
    sharer->connection = connection->first_packet;
    memcpy(sharer->packets, keys->packets, sizeof sharer->packets);
    memcpy(sharer->times, keys->times, sizeof sharer->times);
    memcpy(sharer->address, connection->address, sizeof sharer->address);
    memcpy(sharer->port, connection->port, sizeof sharer->port);
    sharer->ipv6 = connection->ipv6;
    if (upgrade && upgrade->flags & WSL_UPGRADE_HAS_NONCE) {
        sharer->nonce = upgrade->nonce;
    }
    g_hash_table_add(all->sharers, sharer);
    return NULL;
}

static void compare_with_others(WslDetector *self, WslConnection *connection, Keys *keys)
{
    Sharer *before = remember(self, connection, keys);

    if (!before || before->stream == connection->stream || is_same_connection(before, connection->upgrade))
        return;
    keys->shared = true;
    before->matched = true;
}

static void follow_steps(const WslDetector *self, Keys *keys, uint32_t key)
{
    uint32_t step = key - keys->last, reversed = GUINT32_SWAP_LE_BE(key) - GUINT32_SWAP_LE_BE(keys->last);
    unsigned wanted = (unsigned)wsl_threshold(self, WSL_SET_SEQUENTIAL_KEYS) - 1;

    keys->run = step && step == keys->step ? (uint8_t)MIN(keys->run + 1, UINT8_MAX) : 1;
    keys->run_reversed =
        reversed && reversed == keys->step_reversed ? (uint8_t)MIN(keys->run_reversed + 1, UINT8_MAX) : 1;
    keys->step = step;
    keys->step_reversed = reversed;
    keys->sequential |= keys->run >= wanted || keys->run_reversed >= wanted;
}

static void count_distinct(Keys *keys, uint32_t key)
{
    for (unsigned i = 0; i < MIN(keys->distinct_count, 2); i++)
        if (keys->distinct[i] == key)
            return;
    if (keys->distinct_count < 2)
        keys->distinct[keys->distinct_count] = key;
    keys->distinct_count++;
}

static void on_frame(WslDetector *self, const WslFrame *frame)
{
    Keys *keys = wsl_kept(self, frame->connection);
    uint32_t key;

    if (frame->direction != WSL_CLIENT_TO_SERVER || !frame->masked || !frame->length || !frame->finished)
        return;
    memcpy(&key, frame->key, sizeof key);
    key = GUINT32_FROM_BE(key);
    if (keys->frames < FIRST) {
        keys->first[keys->frames] = key;
        keys->packets[keys->frames] = frame->packet;
        keys->times[keys->frames] = frame->completed;
    }
    bool sequential = keys->sequential;
    if (keys->frames)
        follow_steps(self, keys, key);
    keys->zero_frames += !key;
    if ((!key && keys->zero_frames == 1) || (keys->sequential && !sequential && !keys->zero_frames)) {
        keys->shown = frame->packet;
        keys->shown_at = frame->completed;
    }
    keys->ones |= key;
    keys->zeros |= ~key;
    keys->last = key;
    count_distinct(keys, key);
    if (++keys->frames == (uint32_t)wsl_threshold(self, WSL_SET_SHARED_KEYS))
        compare_with_others(self, frame->connection, keys);
}

static bool is_constant_byte(uint32_t constant)
{
    return (constant & 0xff) == 0xff || (constant >> 8 & 0xff) == 0xff || (constant >> 16 & 0xff) == 0xff ||
           constant >> 24 == 0xff;
}

static const char *weakness(const WslDetector *self, const Keys *keys)
{
    uint32_t constant = ~(keys->ones & keys->zeros);

    if (keys->zero_frames)
        return "zero";
    if (keys->frames >= wsl_threshold(self, WSL_SET_REPEATED_FRAMES) &&
        keys->distinct_count <= wsl_threshold(self, WSL_SET_REPEATED_KEYS))
        return "repeated";
    if (keys->sequential)
        return "sequential";
    if (keys->shared)
        return "shared";
    if ((keys->frames >= wsl_threshold(self, WSL_SET_CONSTANT_BYTE_KEYS) && is_constant_byte(constant)) ||
        (keys->frames >= wsl_threshold(self, WSL_SET_CONSTANT_BIT_KEYS) && constant))
        return "low-entropy";
    return NULL;
}

static const struct {
    const char *kind, *sentence;
} sentences[] = {
    {"zero", "a key of zero, which masks nothing"},
    {"repeated", "one or two keys again and again"},
    {"sequential", "keys that count up by a constant"},
    {"shared", "the same first keys as another client: their generator is not seeded"},
    {"low-entropy", "keys in which a bit or a byte never changes"},
};

static void tell(WslDetector *self, WslConnection *connection, const Keys *keys, const char *kind)
{
    bool zero = strcmp(kind, "zero") == 0, by_one = zero || strcmp(kind, "sequential") == 0;
    uint32_t frames = zero ? keys->zero_frames : keys->frames;
    WslFinding *finding = open_weak(self, connection, kind, zero ? 1 : keys->distinct_count, frames);

    if (by_one)
        wsl_prove(self, finding, keys->shown, keys->shown_at);
    for (unsigned i = 0; !by_one && i < MIN(keys->frames, FIRST); i++)
        wsl_prove(self, finding, keys->packets[i], keys->times[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++)
        if (strcmp(sentences[i].kind, kind) == 0)
            wsl_finding_say(finding, "%s masked %u frame%s with %s.", finding->client, frames, frames == 1 ? "" : "s",
                            sentences[i].sentence);
    wsl_close(self, finding);
}

/* The first client with these keys is accused when the second is known: at its own end, or if it has gone, at the capture's. */
static void on_connection_end(WslDetector *self, WslConnection *connection)
{
    Keys *keys = wsl_kept(self, connection);
    All *all = wsl_kept_all(self);

    if (!keys->frames)
        return;
    Sharer wanted;
    memcpy(wanted.keys, keys->first, sizeof wanted.keys);
    Sharer *sharer = all->sharers ? g_hash_table_lookup(all->sharers, &wanted) : NULL;
    bool own = sharer && sharer->stream == connection->stream;
    keys->shared |= own && sharer->matched;
    const char *kind = weakness(self, keys);
    if (kind)
        tell(self, connection, keys, kind);
    if (own && kind)
        sharer->reported = true;
}

static gint by_stream(gconstpointer a, gconstpointer b)
{
    const Sharer *x = *(Sharer *const *)a, *y = *(Sharer *const *)b;

    return x->stream < y->stream ? -1 : x->stream > y->stream;
}

static void on_finish(WslDetector *self)
{
    All *all = wsl_kept_all(self);
    GHashTableIter iter;
    gpointer sharer;

    if (!all->sharers)
        return;
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    g_hash_table_iter_init(&iter, all->sharers);
    while (g_hash_table_iter_next(&iter, &sharer, NULL))
        if (((Sharer *)sharer)->matched && !((Sharer *)sharer)->reported)
            g_ptr_array_add(gone, sharer);
    g_ptr_array_sort(gone, by_stream);
    for (guint i = 0; i < gone->len; i++)
        accuse_gone(self, g_ptr_array_index(gone, i));
}

static void free_all(WslDetector *self)
{
    All *all = wsl_kept_all(self);

    if (all->sharers)
        g_hash_table_destroy(all->sharers);
}

const WslDetectorType wsl_detector_masking = {
    .name = "masking",
    .keeps_per_connection = sizeof(Keys),
    .keeps = sizeof(All),
    .on_frame = on_frame,
    .on_connection_end = on_connection_end,
    .on_finish = on_finish,
    .free = free_all,
};
