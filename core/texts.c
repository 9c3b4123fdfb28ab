/*
 * Shared texts (texts.h): a hash table with chains, grown as it fills.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/texts.h"

#include <glib.h>
#include <string.h>

typedef struct Text {
    struct Text *next;
    size_t length;
    guint32 hash, used;
    char bytes[];
} Text;

static struct {
    Text **chains;
    guint32 mask, count;
} table;

enum { FIRST_CHAINS = 256 };

static guint32 hash_of(const char *bytes, size_t length)
{
    guint64 hash = length * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15), word;

    for (; length >= sizeof word; bytes += sizeof word, length -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * G_GUINT64_CONSTANT(0xd6e8feb86659fd93);
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, bytes, length);
    hash = (hash ^ word) * G_GUINT64_CONSTANT(0xd6e8feb86659fd93);
    return (guint32)(hash >> 32);
}

static void resize(guint32 size)
{
    Text **chains = g_new0(Text *, size);

    for (guint32 i = 0; table.chains && i <= table.mask; i++)
        for (Text *text = table.chains[i], *next; text; text = next) {
            next = text->next;
            text->next = chains[text->hash & (size - 1)];
            chains[text->hash & (size - 1)] = text;
        }
    g_free(table.chains);
    table.chains = chains;
    table.mask = size - 1;
}

const char *wsl_text_keep(const char *bytes, size_t length)
{
    guint32 hash = hash_of(bytes, length);

    if (!table.chains)
        resize(FIRST_CHAINS);
    for (Text *text = table.chains[hash & table.mask]; text; text = text->next)
        if (text->hash == hash && text->length == length && memcmp(text->bytes, bytes, length) == 0) {
            text->used++;
            return text->bytes;
        }
    if (table.count++ == table.mask)
        resize((table.mask + 1) * 2);
    Text *text = g_malloc(sizeof *text + length + 1);
    *text = (Text){table.chains[hash & table.mask], length, hash, 1};
    memcpy(text->bytes, bytes, length);
    text->bytes[length] = 0;
    table.chains[hash & table.mask] = text;
    return text->bytes;
}

void wsl_text_drop(const char *bytes)
{
    if (!bytes)
        return;
    Text *text = (Text *)(guintptr)(bytes - offsetof(Text, bytes));
    if (--text->used)
        return;
    Text **link = &table.chains[text->hash & table.mask];
    while (*link != text)
        link = &(*link)->next;
    *link = text->next;
    g_free(text);
    if (--table.count)
        return;
    g_clear_pointer(&table.chains, g_free);
}
